//! The port, call by call.

use std::time::Duration;

use async_trait::async_trait;
use domain::compare::Comparison;
use domain::fact::Container;
use domain::fault::Fault;
use domain::gateway::GatewayId;
use domain::logs::LogLine;
use domain::operation::OperationId;
use domain::ports::Containers;

use crate::DockerGateways;
use crate::inspect::{container, digest};
use crate::logs;

#[async_trait]
impl Containers for DockerGateways {
    async fn current(&self, gateway: &GatewayId) -> Result<Option<Container>, Fault> {
        let host = self.host(gateway)?;
        let Some(found) = host.inspect_current().await? else {
            return Ok(None);
        };
        let seen = container(&found);
        // The image may be gone while its container runs on.
        let image = host.image(&seen.image_id).await.unwrap_or_default();
        Ok(Some(Container {
            image_digest: image.and_then(|image| digest(&image, &seen.image)),
            ..seen
        }))
    }

    async fn find(
        &self,
        gateway: &GatewayId,
        name_or_id: &str,
    ) -> Result<Option<Container>, Fault> {
        let found = self.host(gateway)?.inspect(name_or_id).await?;
        Ok(found.as_ref().map(container))
    }

    async fn compare(&self, gateway: &GatewayId) -> Result<Comparison, Fault> {
        self.host(gateway)?.compare().await
    }

    async fn create(
        &self,
        gateway: &GatewayId,
        operation: OperationId,
        fingerprint: &str,
    ) -> Result<String, Fault> {
        self.host(gateway)?.create(operation, fingerprint).await
    }

    async fn start(&self, gateway: &GatewayId, id: &str) -> Result<(), Fault> {
        self.host(gateway)?.start(id).await
    }

    async fn stop(&self, gateway: &GatewayId, id: &str, grace: Duration) -> Result<(), Fault> {
        self.host(gateway)?.stop(id, grace).await
    }

    async fn restart(&self, gateway: &GatewayId, id: &str, grace: Duration) -> Result<(), Fault> {
        self.host(gateway)?.restart(id, grace).await
    }

    async fn rename(&self, gateway: &GatewayId, id: &str, name: &str) -> Result<(), Fault> {
        self.host(gateway)?.rename(id, name).await
    }

    async fn remove(&self, gateway: &GatewayId, id: &str) -> Result<(), Fault> {
        self.host(gateway)?.remove(id).await
    }

    async fn logs(&self, gateway: &GatewayId, id: &str, lines: u32) -> Result<Vec<LogLine>, Fault> {
        logs::last(&*self.host(gateway)?, id, lines).await
    }
}
