//! Docker's inspect as the domain's container.

use bollard::models::{
    ContainerInspectResponse, ContainerStateStatusEnum, HealthStatusEnum, ImageInspect, MountPoint,
    PortBinding,
};
use domain::fact::{Container, ContainerState, Health, Port};
use domain::fault::Fault;
use domain::time::Timestamp;

use crate::client::{Host, QUICK};
use crate::names::is_name;

/// The ports a gateway offers: its API and its bridge.
const GATEWAY_PORTS: [u16; 2] = [18_789, 18_790];

impl Host {
    /// Everything Docker knows of a container; `None` when there is none of that name or id.
    pub(crate) async fn inspect(
        &self,
        name_or_id: &str,
    ) -> Result<Option<ContainerInspectResponse>, Fault> {
        if !is_name(name_or_id) {
            return Ok(None);
        }
        let wanted = name_or_id.to_owned();
        let answer = self
            .call(QUICK, "inspecting the container", |docker| async move {
                docker.inspect_container(&wanted, None).await
            })
            .await;
        match answer {
            Ok(found) => Ok(Some(found)),
            Err(failed) if failed.is_missing() => Ok(None),
            Err(failed) => Err(failed.into()),
        }
    }

    /// The gateway's container; `None` when there is none.
    pub(crate) async fn inspect_current(&self) -> Result<Option<ContainerInspectResponse>, Fault> {
        let names = self.names().await;
        match self.current_id(&names).await? {
            Some(id) => self.inspect(&id).await,
            None => Ok(None),
        }
    }
}

/// Something that is mounted into a container.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Mount {
    /// Where in the container.
    pub folder: String,
    /// What: `volume openclaw_session_data`, or `folder /srv/openclaw/state`.
    pub what: String,
}

pub(crate) fn mounts(inspect: &ContainerInspectResponse) -> Vec<Mount> {
    let mounts = inspect.mounts.iter().flatten();
    mounts
        .filter_map(|mount| {
            let what = match (&mount.name, &mount.source) {
                (Some(name), _) => format!("volume {name}"),
                (None, Some(source)) => format!("folder {source}"),
                (None, None) => return None,
            };
            Some(Mount {
                folder: mount.destination.clone()?,
                what,
            })
        })
        .collect()
}

/// The name without the slash.
pub(crate) fn name(inspect: &ContainerInspectResponse) -> String {
    let name = inspect.name.as_deref().unwrap_or_default();
    name.trim_start_matches('/').to_owned()
}

/// Whether nobody chose the host name: then it is the short id.
pub(crate) fn hostname_is_default(inspect: &ContainerInspectResponse) -> bool {
    let id = inspect.id.as_deref().unwrap_or_default();
    let hostname = inspect
        .config
        .as_ref()
        .and_then(|config| config.hostname.as_deref());
    let hostname = hostname.unwrap_or_default();
    hostname.is_empty() || (hostname.len() == 12 && id.starts_with(hostname))
}

/// What the image is called in its registry, preferably under the name it was asked for by.
pub(crate) fn digest(image: &ImageInspect, named: &str) -> Option<String> {
    let repository = |name: &str| {
        let name = name.split('@').next().unwrap_or_default();
        // A colon before the last slash belongs to a port.
        let (path, last) = name.rsplit_once('/').unwrap_or(("", name));
        let last = last.split(':').next().unwrap_or_default();
        format!("{path}/{last}")
    };
    let known = image.repo_digests.iter().flatten();
    let mut known = known.filter(|digest| digest.contains("@sha256:"));
    let first = known.clone().next();
    known
        .find(|digest| repository(digest) == repository(named))
        .or(first)
        .cloned()
}

/// A variable of its environment, unless empty.
pub(crate) fn variable(inspect: &ContainerInspectResponse, name: &str) -> Option<String> {
    let environment = inspect.config.as_ref()?.env.as_ref()?;
    environment.iter().find_map(|entry| {
        let value = entry.strip_prefix(name)?.strip_prefix('=')?;
        (!value.is_empty()).then(|| value.to_owned())
    })
}

/// Whether it runs, frozen or not.
pub(crate) fn is_running(inspect: &ContainerInspectResponse) -> bool {
    inspect
        .state
        .as_ref()
        .and_then(|state| state.running)
        .unwrap_or(false)
}

/// The domain's view. Samples of memory and CPU and restarts in the last hour are the observer's.
pub(crate) fn container(inspect: &ContainerInspectResponse) -> Container {
    let told = inspect.state.clone().unwrap_or_default();
    let state = match told.status {
        Some(ContainerStateStatusEnum::CREATED) => ContainerState::Created,
        Some(ContainerStateStatusEnum::RUNNING | ContainerStateStatusEnum::STOPPING) => {
            ContainerState::Running
        }
        Some(ContainerStateStatusEnum::PAUSED) => ContainerState::Paused,
        Some(ContainerStateStatusEnum::RESTARTING) => ContainerState::Restarting,
        Some(ContainerStateStatusEnum::REMOVING) => ContainerState::Removing,
        Some(ContainerStateStatusEnum::DEAD) => ContainerState::Dead,
        Some(ContainerStateStatusEnum::EXITED | ContainerStateStatusEnum::EMPTY) | None => {
            ContainerState::Exited
        }
    };
    let ended = !matches!(
        state,
        ContainerState::Running | ContainerState::Paused | ContainerState::Created
    );
    let at = |text: &Option<String>| text.as_deref().and_then(Timestamp::parse_rfc3339);
    let config = inspect.config.clone().unwrap_or_default();
    let host = inspect.host_config.clone().unwrap_or_default();
    Container {
        id: inspect.id.clone().unwrap_or_default(),
        name: name(inspect),
        state,
        started_at: at(&told.started_at),
        finished_at: at(&told.finished_at),
        exit_code: told.exit_code.filter(|_| ended),
        oom_killed: told.oom_killed.unwrap_or(false),
        restart_count: inspect
            .restart_count
            .and_then(|n| u32::try_from(n).ok())
            .unwrap_or(0),
        restarts_last_hour: 0,
        health: told.health.and_then(|health| match health.status {
            Some(HealthStatusEnum::STARTING) => Some(Health::Starting),
            Some(HealthStatusEnum::HEALTHY) => Some(Health::Healthy),
            Some(HealthStatusEnum::UNHEALTHY) => Some(Health::Unhealthy),
            Some(HealthStatusEnum::NONE | HealthStatusEnum::EMPTY) | None => None,
        }),
        image: config.image.clone().unwrap_or_default(),
        image_id: inspect.image.clone().unwrap_or_default(),
        image_digest: None,
        ports: ports(inspect),
        memory_bytes: None,
        memory_limit_bytes: host
            .memory
            .and_then(|n| u64::try_from(n).ok())
            .filter(|n| *n > 0),
        cpu_percent: None,
        volumes: inspect.mounts.iter().flatten().map(mount).collect(),
        hostname: config.hostname.clone().unwrap_or_default(),
        hostname_is_default: hostname_is_default(inspect),
    }
}

/// The gateway's two ports, then any other that is published.
fn ports(inspect: &ContainerInspectResponse) -> Vec<Port> {
    let host_mode = inspect
        .host_config
        .as_ref()
        .is_some_and(|host| host.network_mode.as_deref() == Some("host"));
    let bound = inspect
        .network_settings
        .as_ref()
        .and_then(|settings| settings.ports.clone())
        .unwrap_or_default();
    let mut others: Vec<u16> = bound
        .iter()
        .filter(|(_, bindings)| bindings.as_ref().is_some_and(|list| !list.is_empty()))
        .filter_map(|(port, _)| port.split('/').next()?.parse().ok())
        .filter(|port| !GATEWAY_PORTS.contains(port))
        .collect();
    others.sort_unstable();
    others.dedup();
    GATEWAY_PORTS
        .into_iter()
        .chain(others)
        .map(|port| {
            let bindings = ["tcp", "udp", "sctp"]
                .iter()
                .find_map(|protocol| bound.get(&format!("{port}/{protocol}"))?.as_deref())
                .unwrap_or_default();
            let bound = if host_mode && is_running(inspect) {
                Some(format!("host network, {port}"))
            } else {
                places(bindings)
            };
            Port {
                container_port: port,
                bound,
            }
        })
        .collect()
}

/// `127.0.0.1:18789`; the IPv6 twin of an IPv4 binding is left out.
fn places(bindings: &[PortBinding]) -> Option<String> {
    let mut places: Vec<String> = Vec::new();
    let has_ipv4 = bindings
        .iter()
        .any(|one| one.host_ip.as_deref().is_some_and(|ip| ip.contains('.')));
    for binding in bindings {
        let ip = binding
            .host_ip
            .as_deref()
            .filter(|ip| !ip.is_empty())
            .unwrap_or("0.0.0.0");
        let port = binding.host_port.as_deref().unwrap_or_default();
        let place = match ip {
            "::" if has_ipv4 => continue,
            ip if ip.contains(':') => format!("[{ip}]:{port}"),
            ip => format!("{ip}:{port}"),
        };
        if !places.contains(&place) {
            places.push(place);
        }
    }
    (!places.is_empty()).then(|| places.join(", "))
}

/// `openclaw_state → /home/node/.openclaw`.
fn mount(point: &MountPoint) -> String {
    let kind = point.typ.as_deref().unwrap_or_default();
    let from = match (&point.name, &point.source) {
        (Some(name), _) if !name.is_empty() => name.as_str(),
        (_, Some(source)) if !source.is_empty() => source.as_str(),
        _ => kind,
    };
    let mode = if point.rw == Some(false) {
        " (read-only)"
    } else {
        ""
    };
    format!(
        "{from} → {}{mode}",
        point.destination.as_deref().unwrap_or_default()
    )
}

#[cfg(test)]
mod tests {
    use bollard::models::ContainerConfig;

    use super::*;

    #[test]
    fn the_digest_is_that_of_the_registry_the_image_was_asked_from() {
        let digests = [
            "<none>@<none>",
            "mirror:5000/claw@sha256:1",
            "ghcr.io/claw@sha256:2",
        ];
        let image = ImageInspect {
            repo_digests: Some(digests.map(str::to_owned).to_vec()),
            ..ImageInspect::default()
        };
        for (named, want) in [
            ("ghcr.io/claw:2026.9.6", "ghcr.io/claw@sha256:2"),
            ("mirror:5000/claw", "mirror:5000/claw@sha256:1"),
            ("renamed:latest", "mirror:5000/claw@sha256:1"),
        ] {
            assert_eq!(digest(&image, named).as_deref(), Some(want), "{named}");
        }
        assert_eq!(digest(&ImageInspect::default(), "claw"), None);
    }

    #[test]
    fn a_variable_is_found_by_its_whole_name() {
        let entries = ["KEY_OLD=no", "KEY=a=b", "EMPTY=", "BARE"];
        let inspect = ContainerInspectResponse {
            config: Some(ContainerConfig {
                env: Some(entries.map(str::to_owned).to_vec()),
                ..ContainerConfig::default()
            }),
            ..ContainerInspectResponse::default()
        };
        assert_eq!(variable(&inspect, "KEY").as_deref(), Some("a=b"));
        for none in ["EMPTY", "BARE", "OLD"] {
            assert_eq!(variable(&inspect, none), None, "{none}");
        }
    }
}
