//! The panel as a device of the gateway: where its key comes from and how it approves itself.

use std::time::Duration;

use adapter_docker::DockerGateways;
use adapter_gateway::link::{Approver, Key};
use adapter_store::Store;
use async_trait::async_trait;
use domain::audit::{AuditOutcome, NewAuditEvent, act};
use domain::fault::{Boundary, Fault, FaultKind};
use domain::gateway::GatewayId;
use domain::person::Actor;
use domain::ports::AuditTrail as _;
use secrecy::SecretString;

use super::KEY_VARIABLE;

/// Approving took 2.3 s on two idle cores; a busy gateway needs more.
const APPROVAL_LIMIT: Duration = Duration::from_secs(40);

/// The gateway's key as its container has it, else as compose would give it: read anew each time, since a
/// rotation changes it.
pub(super) struct ComposeKey {
    docker: DockerGateways,
    gateway: GatewayId,
}

impl ComposeKey {
    pub(super) fn new(docker: DockerGateways, gateway: GatewayId) -> Self {
        Self { docker, gateway }
    }
}

#[async_trait]
impl Key for ComposeKey {
    async fn token(&self) -> Option<SecretString> {
        match self.docker.secret(&self.gateway, KEY_VARIABLE).await {
            Ok(token) => token,
            Err(fault) => {
                tracing::warn!(gateway.id = %self.gateway, %fault, "The gateway's key could not be read, neither from its container nor from the compose folder");
                None
            }
        }
    }
}

/// Approves the panel's own pairing request by a command inside the container, as the vendor's guide
/// does it by hand.
pub(super) struct ContainerApprover {
    docker: DockerGateways,
    gateway: GatewayId,
    store: Store,
}

impl ContainerApprover {
    pub(super) fn new(docker: DockerGateways, gateway: GatewayId, store: Store) -> Self {
        Self {
            docker,
            gateway,
            store,
        }
    }

    async fn audit(&self, outcome: AuditOutcome, note: Option<String>) -> Result<(), Fault> {
        let event = NewAuditEvent {
            gateway: Some(self.gateway.clone()),
            reason: Some("the gateway did not know this panel's device yet".to_owned()),
            note,
            ..NewAuditEvent::new(Actor::Panel, act::PAIR_DEVICE, outcome)
        };
        self.store.record(event).await.map(drop).map_err(|error| {
            tracing::error!(
                error = &error as &dyn std::error::Error,
                "The pairing could not be audited"
            );
            Fault::new(
                FaultKind::Unreachable,
                Boundary::Database,
                "The audit trail cannot be written, so the panel does not pair itself.",
            )
        })
    }
}

#[async_trait]
impl Approver for ContainerApprover {
    async fn approve(&self, request_id: &str) -> Result<(), Fault> {
        self.audit(AuditOutcome::Requested, None).await?;
        let argv = [
            "node",
            "dist/index.js",
            "devices",
            "approve",
            request_id,
            "--json",
        ];
        let done = self.docker.exec(&self.gateway, &argv, APPROVAL_LIMIT).await;
        let result = match done {
            Ok(output) if output.exit_code == 0 => Ok(()),
            Ok(output) => Err(Fault::new(
                FaultKind::Refused,
                Boundary::Gateway,
                format!(
                    "The gateway did not approve the panel's device (exit code {}).",
                    output.exit_code
                ),
            )),
            Err(fault) => Err(fault),
        };
        let (outcome, note) = match &result {
            Ok(()) => (AuditOutcome::Succeeded, None),
            Err(fault) => (AuditOutcome::Failed, Some(fault.message.clone())),
        };
        self.audit(outcome, note).await?;
        result
    }
}
