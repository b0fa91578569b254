//! The networks a container is on.

use super::{Collector, Side};

pub(super) fn collect(side: &Side<'_>, to: &mut Collector) {
    let mode = side.host.network_mode.as_deref().unwrap_or("default");
    let special = match mode {
        "default" | "bridge" => Some("Docker's default bridge".to_owned()),
        "host" => Some("the host's network".to_owned()),
        "none" => Some("no network".to_owned()),
        _ => mode
            .split_once(':')
            .map(|(_, other)| format!("the network of container {other}")),
    };
    to.add(
        "network mode",
        special.as_deref().unwrap_or("own networks"),
        true,
    );
    if special.is_some() {
        return;
    }
    for (name, endpoint) in &side.networks {
        let mut aliases: Vec<&str> = endpoint
            .aliases
            .iter()
            .flatten()
            .map(String::as_str)
            .filter(|alias| !side.own_names.iter().any(|own| own == alias))
            .collect();
        aliases.sort_unstable();
        aliases.dedup();
        let mut text = "joined".to_owned();
        if !aliases.is_empty() {
            text = format!("joined as {}", aliases.join(", "));
        }
        let fixed = endpoint.ipam_config.clone().unwrap_or_default();
        for address in [fixed.ipv4_address, fixed.ipv6_address]
            .into_iter()
            .flatten()
        {
            if !address.is_empty() {
                text = format!("{text}, address {address}");
            }
        }
        to.asked(format!("network {name}"), Some(text));
    }
}
