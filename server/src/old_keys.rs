//! Old keys of gateways, which are kept for a while after a rotation: they go once everybody has the new one, and after
//! some days whoever has it.

use std::sync::Arc;
use std::time::Duration;

use domain::fault::Fault;
use domain::gateway::GatewayId;
use domain::ports::{Clock, GatewayKeys, KeyRotations, RepositorySecrets, StoreError};
use tokio_util::sync::CancellationToken;

use crate::rounds::Rounds;

/// How often is looked.
const EVERY: Duration = Duration::from_secs(600);

/// See the module.
pub(crate) struct OldKeys {
    pub(crate) gateways: Vec<GatewayId>,
    pub(crate) rotations: Arc<dyn KeyRotations>,
    pub(crate) keys: Arc<dyn GatewayKeys>,
    pub(crate) secrets: Arc<dyn RepositorySecrets>,
    pub(crate) clock: Arc<dyn Clock>,
}

impl OldKeys {
    /// Until `stop`.
    pub(crate) async fn run(self, stop: CancellationToken) {
        let mut rounds = Rounds::every(EVERY, stop);
        while rounds.next().await {
            for gateway in &self.gateways {
                if let Err(error) = self.look(gateway).await {
                    tracing::warn!(
                        gateway.id = %gateway,
                        error = &error as &dyn std::error::Error,
                        "Whether the old key may go could not be told; looked again in {} s",
                        EVERY.as_secs()
                    );
                }
            }
        }
    }

    async fn look(&self, gateway: &GatewayId) -> Result<(), StoreError> {
        let Some(rotation) = self.rotations.latest(gateway).await? else {
            return Ok(());
        };
        let consumers = self.rotations.consumers(gateway).await?;
        let has_secret = self.secrets.by_hand(gateway).is_some();
        let kept_until = rotation.keeps_old_key_until();
        let over = kept_until.is_none_or(|until| until <= self.clock.now());
        if !over && !rotation.is_handed_over(&consumers, has_secret) {
            return Ok(());
        }
        match self.keys.kept(gateway, rotation.operation).await {
            Ok(None) => {}
            Ok(Some(_)) => match self.keys.forget(gateway, rotation.operation).await {
                Ok(()) => tracing::info!(
                    gateway.id = %gateway, operation.id = %rotation.operation,
                    "The old key that was kept after the rotation is gone"
                ),
                Err(fault) => wait(gateway, &fault),
            },
            Err(fault) => wait(gateway, &fault),
        }
        Ok(())
    }
}

fn wait(gateway: &GatewayId, fault: &Fault) {
    tracing::warn!(
        gateway.id = %gateway, %fault,
        "The sealed copy of the old key could not be removed; tried again in {} s", EVERY.as_secs()
    );
}
