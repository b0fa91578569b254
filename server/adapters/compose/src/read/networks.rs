//! `networks` at the top, and `networks` and `network_mode` of a service.

use std::cmp::Reverse;
use std::collections::BTreeMap;

use crate::error::ComposeError;
use crate::fields::{Field, Table};
use crate::model::{Ipam, IpamPool, Network, NetworkMode, Project, Service, ServiceNetwork};
use crate::yaml::Value;

/// The networks of the project, by key.
pub(super) fn read(
    field: &Field<'_>,
    project: &Project,
) -> Result<BTreeMap<String, Network>, ComposeError> {
    field
        .named()?
        .into_iter()
        .map(|(key, field)| Ok((key.to_owned(), network(key, &field, project)?)))
        .collect()
}

/// The network that compose makes for services that name none.
pub(super) fn add_default(project: &mut Project) {
    let used = project
        .services
        .values()
        .flat_map(|service| &service.networks);
    if used.into_iter().any(|network| network.name == "default") {
        let name = format!("{}_default", project.name);
        project
            .networks
            .entry("default".to_owned())
            .or_insert_with(|| Network {
                name,
                ..Network::default()
            });
    }
}

fn network(key: &str, field: &Field<'_>, project: &Project) -> Result<Network, ComposeError> {
    let own_name = format!("{}_{key}", project.name);
    if field.is_null() {
        return Ok(Network {
            name: own_name,
            ..Network::default()
        });
    }
    let mut table = field.table()?;
    let external = table.or_default("external", external)?;
    let name = table.text("name")?;
    let network = Network {
        name: name.unwrap_or_else(|| if external { key.to_owned() } else { own_name }),
        external,
        driver: table.text("driver")?,
        driver_opts: table.or_default("driver_opts", Field::options)?,
        internal: table.flag("internal")?,
        attachable: table.flag("attachable")?,
        enable_ipv4: table.read("enable_ipv4", Field::flag)?,
        enable_ipv6: table.read("enable_ipv6", Field::flag)?,
        labels: table.or_default("labels", Field::labels)?,
        ipam: table.read("ipam", ipam)?,
    };
    table.finish()?;
    let bare = Network {
        name: network.name.clone(),
        external,
        ..Network::default()
    };
    if external && network != bare {
        return Err(field.invalid(
            "is external, so it takes only `name`; remove the rest, which would have no effect",
        ));
    }
    Ok(network)
}

/// `external: true`; the old form with a name inside is refused.
pub(super) fn external(field: &Field<'_>) -> Result<bool, ComposeError> {
    match field.node.value {
        Value::Map(_) => {
            Err(field.unsupported("a mapping", "write `external: true`, and `name:` beside it"))
        }
        _ => field.flag(),
    }
}

fn ipam(field: &Field<'_>) -> Result<Ipam, ComposeError> {
    let mut table = field.table()?;
    let mut ipam = Ipam {
        driver: table.text("driver")?,
        pools: Vec::new(),
        options: table.or_default("options", Field::options)?,
    };
    if let Some(config) = table.take("config") {
        for item in config.list()? {
            let mut table = item.table()?;
            ipam.pools.push(IpamPool {
                subnet: table.text("subnet")?,
                ip_range: table.text("ip_range")?,
                gateway: table.text("gateway")?,
                aux_addresses: table.or_default("aux_addresses", Field::options)?,
            });
            table.finish()?;
        }
    }
    table.finish()?;
    Ok(ipam)
}

/// Which networks a service joins, or whose it shares.
pub(super) fn of_service(table: &mut Table<'_>, service: &mut Service) -> Result<(), ComposeError> {
    let networks = table.take("networks");
    service.network_mode = table.or_default("network_mode", network_mode)?;
    let joined = networks
        .as_ref()
        .map(joined)
        .transpose()?
        .unwrap_or_default();
    if service.network_mode.is_none() && joined.is_empty() {
        let name = "default".to_owned();
        service.networks = vec![ServiceNetwork {
            name,
            ..ServiceNetwork::default()
        }];
        return Ok(());
    }
    if let (Some(_), false, Some(field)) = (&service.network_mode, joined.is_empty(), networks) {
        return Err(field.invalid("cannot stand beside `network_mode`; keep one of them"));
    }
    service.networks = joined;
    Ok(())
}

fn network_mode(field: &Field<'_>) -> Result<Option<NetworkMode>, ComposeError> {
    Ok(match field.text()? {
        "host" => Some(NetworkMode::Host),
        "none" => Some(NetworkMode::None),
        "bridge" => Some(NetworkMode::Bridge),
        text => match text.split_once(':') {
            Some(("service", name)) if !name.is_empty() => {
                Some(NetworkMode::Service(name.to_owned()))
            }
            Some(("container", name)) if !name.is_empty() => {
                Some(NetworkMode::Container(name.to_owned()))
            }
            _ => {
                return Err(field.invalid(
                    "must be `host`, `none`, `bridge`, `service:NAME` or `container:NAME`; list \
                     other networks under `networks`",
                ));
            }
        },
    })
}

fn joined(field: &Field<'_>) -> Result<Vec<ServiceNetwork>, ComposeError> {
    if let Value::List(_) = field.node.value {
        let mut names = field.texts()?;
        names.sort();
        return Ok(names
            .into_iter()
            .map(|name| ServiceNetwork {
                name,
                ..ServiceNetwork::default()
            })
            .collect());
    }
    let mut joined = Vec::new();
    for (name, field) in field.named()? {
        let mut network = ServiceNetwork {
            name: name.to_owned(),
            ..ServiceNetwork::default()
        };
        let mut priority = 0;
        if !field.is_null() {
            let mut table = field.table()?;
            network.aliases = table.or_default("aliases", Field::texts)?;
            network.ipv4_address = table.read("ipv4_address", |field| address(field))?;
            network.ipv6_address = table.read("ipv6_address", |field| address(field))?;
            network.mac_address = table.text("mac_address")?;
            priority = table.or_default("priority", Field::whole)?;
            table.refuse(&[
                ("link_local_ips", "remove it"),
                ("driver_opts", "remove it"),
                ("interface_name", "remove it"),
                ("gw_priority", "use `priority`"),
            ])?;
            table.finish()?;
        }
        joined.push((Reverse(priority), network));
    }
    joined.sort_by(|(a, x), (b, y)| a.cmp(b).then_with(|| x.name.cmp(&y.name)));
    Ok(joined.into_iter().map(|(_, network)| network).collect())
}

fn address<T: std::str::FromStr>(field: &Field<'_>) -> Result<T, ComposeError> {
    field
        .text()?
        .parse()
        .map_err(|_| field.invalid("must be an IP address of that kind"))
}
