//! What to ask the daemon for, from the compose file. Pure: the same folder gives the same plan.

mod host;

use std::collections::{BTreeMap, HashMap};

use bollard::models::{
    ContainerCreateBody, EndpointIpamConfig, EndpointSettings, HealthConfig, HostConfig, Ipam,
    IpamConfig, NetworkCreateRequest, VolumeCreateRequest,
};
use compose::{Healthcheck, Project, Service, ServiceNetwork};
use domain::fault::Fault;
use serde::Serialize;
use sha2::{Digest, Sha256};

use crate::project::{Read, invalid};

/// A container with all it needs.
#[derive(Serialize)]
pub(crate) struct Plan {
    pub(crate) name: String,
    pub(crate) platform: Option<String>,
    pub(crate) body: ContainerCreateBody,
    /// The networks to join, the first one at creation.
    pub(crate) joins: Vec<(String, EndpointSettings)>,
    pub(crate) networks: Vec<Wanted<NetworkCreateRequest>>,
    pub(crate) volumes: Vec<Wanted<VolumeCreateRequest>>,
}

/// A network or volume that must exist.
#[derive(Serialize)]
pub(crate) struct Wanted<Request> {
    pub(crate) name: String,
    /// Made by somebody else, never by the panel.
    pub(crate) external: bool,
    pub(crate) request: Request,
}

impl Plan {
    pub(crate) fn of(read: &Read) -> Result<Self, Fault> {
        let (project, service) = (&read.project, read.service());
        let joins: Vec<(String, EndpointSettings)> = service
            .networks
            .iter()
            .map(|join| (project.network_name(&join.name), endpoint(read, join)))
            .collect();
        let mut host_config = host::host_config(read)?;
        host_config.network_mode = host::network_mode(service, joins.first().map(|(name, _)| name));
        Ok(Self {
            name: read.container_name(),
            platform: service.platform.clone(),
            body: body(read, host_config),
            joins,
            networks: service
                .networks
                .iter()
                .map(|join| network(project, &join.name))
                .collect(),
            volumes: volumes(project, service),
        })
    }

    /// SHA-256 over all of it, values of the environment included.
    pub(crate) fn fingerprint(&self) -> Result<String, Fault> {
        let value = serde_json::to_value(self).map_err(|_| {
            invalid("The compose folder holds something that cannot be written down.")
        })?;
        let mut text = String::new();
        canonical(&value, &mut text);
        Ok(hex::encode(Sha256::digest(text.as_bytes())))
    }
}

/// JSON with sorted keys, whatever order the maps had.
fn canonical(value: &serde_json::Value, out: &mut String) {
    use serde_json::Value;
    match value {
        Value::Object(map) => {
            let sorted: BTreeMap<&String, &Value> = map.iter().collect();
            out.push('{');
            for (key, value) in sorted {
                out.push_str(&Value::from(key.as_str()).to_string());
                out.push(':');
                canonical(value, out);
                out.push(',');
            }
            out.push('}');
        }
        Value::Array(list) => {
            out.push('[');
            for value in list {
                canonical(value, out);
                out.push(',');
            }
            out.push(']');
        }
        plain => out.push_str(&plain.to_string()),
    }
}

fn body(read: &Read, host_config: HostConfig) -> ContainerCreateBody {
    let (project, service) = (&read.project, read.service());
    let mut exposed: Vec<String> = service
        .expose
        .iter()
        .map(|port| format!("{}/{}", port.port, port.protocol))
        .chain(
            service
                .ports
                .iter()
                .map(|port| format!("{}/{}", port.container_port, port.protocol)),
        )
        .collect();
    exposed.sort();
    exposed.dedup();
    ContainerCreateBody {
        image: Some(service.image.clone()),
        hostname: service.hostname.clone(),
        domainname: service.domainname.clone(),
        user: service.user.clone(),
        env: Some(
            service
                .environment
                .iter()
                .map(|(name, value)| format!("{name}={value}"))
                // As Compose does: a bare name takes the image's variable away.
                .chain(service.environment_unset.iter().cloned())
                .collect(),
        ),
        cmd: service.command.clone(),
        entrypoint: service.entrypoint.clone(),
        working_dir: service.working_dir.clone(),
        labels: Some(hash_map(&project.labels(read.name()))),
        tty: Some(service.tty),
        open_stdin: Some(service.stdin_open),
        stop_signal: service.stop_signal.clone(),
        stop_timeout: service.stop_grace_period.map(|grace| {
            let up = u64::from(grace.subsec_nanos() > 0);
            signed(grace.as_secs() + up)
        }),
        healthcheck: service.healthcheck.as_ref().map(health),
        exposed_ports: Some(exposed),
        host_config: Some(host_config),
        ..ContainerCreateBody::default()
    }
}

fn health(check: &Healthcheck) -> HealthConfig {
    let nanos = |time: Option<std::time::Duration>| {
        time.map(|time| i64::try_from(time.as_nanos()).unwrap_or(i64::MAX))
    };
    match check {
        Healthcheck::Disabled => HealthConfig {
            test: Some(vec!["NONE".to_owned()]),
            ..HealthConfig::default()
        },
        Healthcheck::Check(check) => HealthConfig {
            test: check.test.clone(),
            interval: nanos(check.interval),
            timeout: nanos(check.timeout),
            start_period: nanos(check.start_period),
            start_interval: nanos(check.start_interval),
            retries: check.retries.map(i64::from),
        },
    }
}

fn endpoint(read: &Read, join: &ServiceNetwork) -> EndpointSettings {
    let aliases = read.project.network_aliases(read.name(), join);
    let fixed = join.ipv4_address.is_some() || join.ipv6_address.is_some();
    EndpointSettings {
        aliases: Some(aliases),
        mac_address: join.mac_address.clone(),
        ipam_config: fixed.then(|| EndpointIpamConfig {
            ipv4_address: join.ipv4_address.map(|ip| ip.to_string()),
            ipv6_address: join.ipv6_address.map(|ip| ip.to_string()),
            link_local_ips: None,
        }),
        ..EndpointSettings::default()
    }
}

fn network(project: &Project, key: &str) -> Wanted<NetworkCreateRequest> {
    let name = project.network_name(key);
    let wanted = project.networks.get(key).cloned().unwrap_or_default();
    let request = NetworkCreateRequest {
        name: name.clone(),
        driver: Some(wanted.driver.unwrap_or_else(|| "bridge".to_owned())),
        internal: Some(wanted.internal),
        attachable: Some(wanted.attachable),
        enable_ipv4: wanted.enable_ipv4,
        enable_ipv6: wanted.enable_ipv6,
        options: Some(hash_map(&wanted.driver_opts)),
        labels: Some(hash_map(&project.network_labels(key))),
        ipam: wanted.ipam.map(|ipam| Ipam {
            driver: ipam.driver,
            options: Some(hash_map(&ipam.options)),
            config: Some(
                ipam.pools
                    .into_iter()
                    .map(|pool| IpamConfig {
                        subnet: pool.subnet,
                        ip_range: pool.ip_range,
                        gateway: pool.gateway,
                        auxiliary_addresses: Some(hash_map(&pool.aux_addresses)),
                    })
                    .collect(),
            ),
        }),
        ..NetworkCreateRequest::default()
    };
    Wanted {
        name,
        external: wanted.external,
        request,
    }
}

fn volumes(project: &Project, service: &Service) -> Vec<Wanted<VolumeCreateRequest>> {
    let mut keys: Vec<&String> = service
        .mounts
        .iter()
        .filter_map(|mount| match mount {
            compose::Mount::Volume { name, .. } => Some(name),
            _ => None,
        })
        .collect();
    keys.sort();
    keys.dedup();
    keys.into_iter()
        .map(|key| {
            let name = project.volume_name(key);
            let wanted = project.volumes.get(key).cloned().unwrap_or_default();
            Wanted {
                request: VolumeCreateRequest {
                    name: Some(name.clone()),
                    driver: wanted.driver,
                    driver_opts: Some(hash_map(&wanted.driver_opts)),
                    labels: Some(hash_map(&project.volume_labels(key))),
                    ..VolumeCreateRequest::default()
                },
                name,
                external: wanted.external,
            }
        })
        .collect()
}

fn hash_map(map: &BTreeMap<String, String>) -> HashMap<String, String> {
    map.iter()
        .map(|(name, value)| (name.clone(), value.clone()))
        .collect()
}

fn signed(number: u64) -> i64 {
    i64::try_from(number).unwrap_or(i64::MAX)
}
