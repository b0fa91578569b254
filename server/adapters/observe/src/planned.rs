//! Who is changing a gateway just now: what an operation causes is no alarm.

use domain::gateway::GatewayId;
use domain::operation::Operation;

/// Tells which operation may have caused what is seen.
pub trait Planned: Send + Sync {
    /// The newest operation of this gateway, running or ended, from memory.
    fn latest(&self, gateway: &GatewayId) -> Option<Operation>;
}
