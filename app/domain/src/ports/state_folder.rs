//! The folder in which a gateway keeps all it knows.

use async_trait::async_trait;

use crate::fault::Fault;
use crate::gateway::GatewayId;
use crate::operation::OperationId;
use crate::survey::Survey;

/// The whole state folder of a gateway, moved aside and back within its own volume. All but
/// [`StateFolder::survey`] and [`StateFolder::clear`] want the container stopped, and every call tolerates being made twice,
/// also after it broke off half-way.
#[async_trait]
pub trait StateFolder: Send + Sync {
    /// What lives in it; the gateway may run or not. Fails `NotOffered` when it lies in no volume: then it goes with the
    /// container, and there is nothing to keep aside.
    async fn survey(&self, gateway: &GatewayId) -> Result<Survey, Fault>;
    /// Moves everything aside, so that the folder is empty.
    async fn set_aside(&self, gateway: &GatewayId, operation: OperationId) -> Result<(), Fault>;
    /// Copies configuration and plugins back from what was set aside.
    async fn bring(&self, gateway: &GatewayId, operation: OperationId) -> Result<(), Fault>;
    /// Removes what has come since and puts everything back; nothing set aside is success.
    async fn put_back(&self, gateway: &GatewayId, operation: OperationId) -> Result<(), Fault>;
    /// Removes what was set aside for good.
    async fn clear(&self, gateway: &GatewayId, operation: OperationId) -> Result<(), Fault>;
}
