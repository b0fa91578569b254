//! The gateway's plugins, faked over the world.

use async_trait::async_trait;
use domain::fault::Fault;
use domain::gateway::GatewayId;
use domain::ports::Plugins;

use super::world::World;

/// The WhatsApp plugin of the gateway.
#[derive(Clone, Copy, Debug)]
pub struct FakePlugin {
    /// It lies in the state folder.
    pub installed: bool,
    /// The gateway loads it without a new start.
    pub loads_at_once: bool,
    /// The process that runs has loaded it.
    pub loaded: bool,
}

#[async_trait]
impl Plugins for World {
    async fn install_whatsapp(&self, _: &GatewayId) -> Result<String, Fault> {
        self.call("install_plugin", |inner, _| {
            if !inner.plugin.installed {
                inner.plugin.installed = true;
                inner.plugin.loaded |= inner.plugin.loads_at_once;
                inner.changed("install_plugin");
            }
            Ok("npm:@openclaw/whatsapp@2026.9.6".to_owned())
        })
        .await
    }

    async fn remove_whatsapp(&self, _: &GatewayId) -> Result<(), Fault> {
        self.call("remove_plugin", |inner, _| {
            if inner.plugin.installed {
                inner.plugin.installed = false;
                inner.changed("remove_plugin");
            }
            Ok(())
        })
        .await
    }
}
