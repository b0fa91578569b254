//! The panel as a device of the gateway: where its key comes from and how it approves itself.

use std::time::Duration;

use adapter_docker::DockerGateways;
use adapter_gateway::link::{Approver, Key};
use adapter_store::Store;
use async_trait::async_trait;
use domain::audit::{AuditOutcome, NewAuditEvent, act};
use domain::device::DeviceId;
use domain::fault::{Boundary, Fault, FaultKind};
use domain::gateway::GatewayId;
use domain::operation::OperationId;
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
#[derive(Clone)]
pub(super) struct ContainerApprover {
    docker: DockerGateways,
    gateway: GatewayId,
    store: Store,
    why: &'static str,
    operation: Option<OperationId>,
}

impl ContainerApprover {
    pub(super) fn new(docker: DockerGateways, gateway: GatewayId, store: Store) -> Self {
        Self {
            docker,
            gateway,
            store,
            why: "the gateway did not know this panel's device yet",
            operation: None,
        }
    }

    /// The same, for what an operation does.
    pub(super) fn in_operation(&self, operation: OperationId, why: &'static str) -> Self {
        Self {
            why,
            operation: Some(operation),
            ..self.clone()
        }
    }

    /// Writes what becomes of one of the panel's own devices.
    pub(super) async fn audit(
        &self,
        action: &str,
        device: Option<&DeviceId>,
        outcome: AuditOutcome,
        note: Option<String>,
    ) -> Result<(), Fault> {
        let event = NewAuditEvent {
            gateway: Some(self.gateway.clone()),
            target: device.map(|device| device.fingerprint().to_string()),
            operation: self.operation,
            reason: Some(self.why.to_owned()),
            note,
            ..NewAuditEvent::new(Actor::Panel, action, outcome)
        };
        self.store.record(event).await.map(drop).map_err(|error| {
            tracing::error!(
                error = &error as &dyn std::error::Error,
                "What becomes of the panel's device could not be audited"
            );
            Fault::new(
                FaultKind::Unreachable,
                Boundary::Database,
                "The audit trail cannot be written, so nothing is changed at the gateway.",
            )
        })
    }
}

#[async_trait]
impl Approver for ContainerApprover {
    async fn approve(&self, request_id: &str) -> Result<(), Fault> {
        self.audit(act::PAIR_DEVICE, None, AuditOutcome::Requested, None)
            .await?;
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
        self.audit(act::PAIR_DEVICE, None, outcome, note).await?;
        result
    }
}
