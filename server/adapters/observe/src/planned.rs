//! Who is changing a gateway just now: what an operation causes is no alarm, and what it changed is looked at.

use async_trait::async_trait;
use domain::gateway::GatewayId;
use domain::operation::{Operation, OperationId};

/// Tells which operation may have caused what is seen.
#[async_trait]
pub trait Planned: Send + Sync {
    /// The newest operation of this gateway, running or ended, from memory.
    fn latest(&self, gateway: &GatewayId) -> Option<Operation>;
    /// Resolves when the newest operation of this gateway has ended and is another than `before`; with its id.
    async fn next_end(&self, gateway: &GatewayId, before: Option<OperationId>) -> OperationId;
}
