//! Who is changing a gateway just now: what an operation causes is no alarm.

use domain::gateway::GatewayId;
use domain::operation::Operation;

/// Tells which operation holds a gateway.
pub trait Planned: Send + Sync {
    /// The operation that runs on this gateway, from memory.
    fn running(&self, gateway: &GatewayId) -> Option<Operation>;
}
