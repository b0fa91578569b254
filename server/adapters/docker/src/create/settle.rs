//! What the plan leaves to the daemon's present state.

use bollard::models::{Mount, MountType};
use domain::fault::{Fault, FaultKind};

use crate::client::Host;
use crate::fault::docker;
use crate::names::{PROJECT, SERVICE};
use crate::plan::Plan;
use crate::project::{Read, invalid};

impl Host {
    pub(super) async fn refuse_what_the_engine_lacks(&self, read: &Read) -> Result<(), Fault> {
        let service = read.service();
        let start_interval = matches!(&service.healthcheck,
            Some(compose::Healthcheck::Check(check)) if check.start_interval.is_some());
        let mac = service
            .networks
            .iter()
            .any(|join| join.mac_address.is_some());
        let (major, minor) = self.api_version().await?;
        if (major, minor) >= (1, 44) {
            return Ok(());
        }
        for (used, key) in [
            (start_interval, "healthcheck.start_interval"),
            (mac, "mac_address"),
        ] {
            if used {
                return Err(invalid(format!(
                    "`{key}` in the compose file needs Docker Engine 25 or newer, and this one speaks only \
                     API {major}.{minor}: take it out or update Docker."
                )));
            }
        }
        Ok(())
    }

    /// Turns another service or container, whose network is shared, into an id.
    pub(crate) async fn settle_network_mode(
        &self,
        read: &Read,
        plan: &mut Plan,
    ) -> Result<(), Fault> {
        let Some(mode) = plan
            .body
            .host_config
            .as_mut()
            .and_then(|host| host.network_mode.as_mut())
        else {
            return Ok(());
        };
        let (id, other) = if let Some(service) = mode.strip_prefix("service:") {
            let labels = [(PROJECT, read.project.name.as_str()), (SERVICE, service)];
            let found = self.labelled(&labels).await?;
            (found.into_iter().find_map(|one| one.id), service)
        } else if let Some(container) = mode.strip_prefix("container:") {
            (
                self.inspect(container).await?.and_then(|found| found.id),
                container,
            )
        } else {
            return Ok(());
        };
        let Some(id) = id else {
            return Err(docker(
                FaultKind::NotFound,
                format!(
                    "The container shares the network of `{other}`, and that one is not there: start it first."
                ),
            ));
        };
        *mode = format!("container:{id}");
        Ok(())
    }

    /// As compose does: a volume that only the image asks for holds data too, and goes over to the
    /// container that takes the place of the old one.
    pub(super) async fn keep_anonymous_volumes(
        &self,
        plan: &mut Plan,
        of_image: Option<&Vec<String>>,
    ) -> Result<(), Fault> {
        let Some(paths) = of_image.filter(|paths| !paths.is_empty()) else {
            return Ok(());
        };
        let labels = plan.body.labels.clone().unwrap_or_default();
        let of = |name: &str| labels.get(name).map(String::as_str).unwrap_or_default();
        let mut before = self
            .labelled(&[(PROJECT, of(PROJECT)), (SERVICE, of(SERVICE))])
            .await?;
        before.sort_by_key(|one| core::cmp::Reverse(one.created));
        let Some(id) = before.into_iter().find_map(|one| one.id) else {
            return Ok(());
        };
        let Some(old) = self.inspect(&id).await? else {
            return Ok(());
        };
        let Some(host) = plan.body.host_config.as_mut() else {
            return Ok(());
        };
        for point in old.mounts.into_iter().flatten() {
            let (Some(name), Some(path)) = (point.name, point.destination) else {
                continue;
            };
            let asked = host
                .mounts
                .iter()
                .flatten()
                .any(|mount| mount.target.as_ref() == Some(&path))
                || host.tmpfs.iter().flatten().any(|(at, _)| *at == path)
                || host
                    .binds
                    .iter()
                    .flatten()
                    .any(|bind| bind.split(':').nth(1) == Some(&path));
            let anonymous = point.typ.as_deref() == Some("volume") && paths.contains(&path);
            if anonymous && !asked {
                host.mounts.get_or_insert_default().push(Mount {
                    typ: Some(MountType::VOLUME),
                    source: Some(name),
                    target: Some(path),
                    read_only: Some(false),
                    ..Mount::default()
                });
            }
        }
        Ok(())
    }
}
