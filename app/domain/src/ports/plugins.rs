//! The gateway's plugins.

use async_trait::async_trait;

use crate::fault::Fault;
use crate::gateway::GatewayId;

/// The WhatsApp plugin, installed and removed by the gateway's own commands. It is loaded at the gateway's next start.
/// Every call tolerates being made twice.
#[async_trait]
pub trait Plugins: Send + Sync {
    /// Installs it into the state folder of a gateway that runs, from where the configuration says; what was installed, as
    /// `npm:@openclaw/whatsapp@2026.9.6`.
    async fn install_whatsapp(&self, gateway: &GatewayId) -> Result<String, Fault>;
    /// Removes it, whether the gateway runs or not; none is success.
    async fn remove_whatsapp(&self, gateway: &GatewayId) -> Result<(), Fault>;
}
