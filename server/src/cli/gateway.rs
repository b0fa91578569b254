//! Which gateway a command means.

use anyhow::bail;
use domain::gateway::GatewayId;

use crate::config::Config;

/// The one named, or the only one there is.
pub(super) fn choose(config: &Config, named: Option<GatewayId>) -> anyhow::Result<GatewayId> {
    let known = || {
        let ids: Vec<&str> = config
            .gateways
            .iter()
            .map(|gateway| gateway.id.as_str())
            .collect();
        ids.join(", ")
    };
    match (named, config.gateways.as_slice()) {
        (Some(id), all) if all.iter().any(|gateway| gateway.id == id) => Ok(id),
        (Some(id), _) => bail!(
            "there is no gateway `{id}`; the configuration has: {}",
            known()
        ),
        (None, [only]) => Ok(only.id.clone()),
        (None, _) => bail!(
            "name the gateway with --gateway; the configuration has: {}",
            known()
        ),
    }
}
