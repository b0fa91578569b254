//! Start, stop, restart, rename, remove: each may be asked for twice.

use std::collections::HashMap;
use std::time::Duration;

use bollard::query_parameters::{
    ListContainersOptions, RemoveContainerOptions, RenameContainerOptions, RestartContainerOptions,
    StopContainerOptions,
};
use domain::fault::{Fault, FaultKind};

use crate::client::{Host, QUICK, SLOW};
use crate::fault::{Failed, docker, port_taken};
use crate::inspect;
use crate::names::is_name;

impl Host {
    pub(crate) async fn start(&self, id: &str) -> Result<(), Fault> {
        let id = checked(id)?;
        let started = self
            .call(SLOW, "starting the container", |docker| async move {
                docker.start_container(&id, None).await
            })
            .await;
        match started {
            Ok(()) => Ok(()),
            Err(failed) => match port_taken(failed.message()) {
                Some(port) => Err(self.who_has(port, failed).await),
                None => Err(failed.into()),
            },
        }
    }

    pub(crate) async fn stop(&self, id: &str, grace: Duration) -> Result<(), Fault> {
        let id = checked(id)?;
        self.wake(&id).await?;
        let options = StopContainerOptions {
            signal: None,
            t: Some(seconds(grace)),
        };
        self.call(
            grace + SLOW,
            "stopping the container",
            |docker| async move { docker.stop_container(&id, Some(options)).await },
        )
        .await?;
        Ok(())
    }

    pub(crate) async fn restart(&self, id: &str, grace: Duration) -> Result<(), Fault> {
        let id = checked(id)?;
        self.wake(&id).await?;
        let options = RestartContainerOptions {
            signal: None,
            t: Some(seconds(grace)),
        };
        let restarted = self
            .call(
                grace + SLOW,
                "restarting the container",
                |docker| async move { docker.restart_container(&id, Some(options)).await },
            )
            .await;
        match restarted {
            Ok(()) => Ok(()),
            Err(failed) => match port_taken(failed.message()) {
                Some(port) => Err(self.who_has(port, failed).await),
                None => Err(failed.into()),
            },
        }
    }

    pub(crate) async fn rename(&self, id: &str, name: &str) -> Result<(), Fault> {
        let id = checked(id)?;
        let name = checked(name)?;
        let found = self.inspect(&id).await?;
        if found.is_some_and(|found| inspect::name(&found) == name) {
            return Ok(());
        }
        let options = RenameContainerOptions { name: name.clone() };
        let renamed = self
            .call(QUICK, "renaming the container", |docker| async move {
                docker.rename_container(&id, options).await
            })
            .await;
        match renamed {
            Ok(()) => Ok(()),
            Err(failed) if failed.is_conflict() => Err(self.held(&name, failed).await),
            Err(failed) => Err(failed.into()),
        }
    }

    pub(crate) async fn remove(&self, id: &str) -> Result<(), Fault> {
        let id = checked(id)?;
        let options = RemoveContainerOptions {
            v: false,
            force: false,
            link: false,
        };
        let wanted = id.clone();
        let removed = self
            .call(SLOW, "removing the container", |docker| async move {
                docker.remove_container(&wanted, Some(options)).await
            })
            .await;
        match removed {
            Ok(()) => Ok(()),
            Err(failed) if failed.is_missing() => Ok(()),
            Err(failed) if failed.message().contains("already in progress") => self.gone(&id).await,
            Err(failed) => Err(failed.into()),
        }
    }

    /// Waits until a removal that somebody else began is over.
    async fn gone(&self, id: &str) -> Result<(), Fault> {
        for _ in 0..SLOW.as_secs() {
            if self.inspect(id).await?.is_none() {
                return Ok(());
            }
            tokio::time::sleep(Duration::from_secs(1)).await;
        }
        Err(Failed::timed_out(SLOW, "removing the container").into())
    }

    /// A frozen process cannot hear that it should end.
    async fn wake(&self, id: &str) -> Result<(), Fault> {
        let found = self.inspect(id).await?;
        let paused = found
            .and_then(|found| found.state)
            .and_then(|state| state.paused);
        if paused != Some(true) {
            return Ok(());
        }
        let id = id.to_owned();
        let woken = self
            .call(QUICK, "waking the frozen container", |docker| async move {
                docker.unpause_container(&id).await
            })
            .await;
        match woken {
            // Somebody else was quicker.
            Err(failed) if failed.message().contains("not paused") => Ok(()),
            Err(failed) => Err(failed.into()),
            Ok(()) => Ok(()),
        }
    }

    /// Names the container that publishes a host port; when none does, it is a program of the host.
    async fn who_has(&self, port: u16, failed: Failed) -> Fault {
        let options = ListContainersOptions {
            filters: Some(HashMap::from([(
                "publish".to_owned(),
                vec![port.to_string()],
            )])),
            ..ListContainersOptions::default()
        };
        let listed = self
            .call(QUICK, "listing containers", |docker| async move {
                docker.list_containers(Some(options)).await
            })
            .await;
        let holder = listed.ok().and_then(|listed| {
            let one = listed.into_iter().find(|one| {
                one.ports
                    .iter()
                    .flatten()
                    .any(|bound| bound.public_port == Some(port))
            })?;
            one.names?.into_iter().next()
        });
        match holder {
            Some(name) => docker(
                FaultKind::Refused,
                format!(
                    "Port {port} of the Docker host is already in use by container `{}`: stop that one, or \
                     choose another port in the compose folder.",
                    name.trim_start_matches('/')
                ),
            ),
            None => failed.into(),
        }
    }

    async fn held(&self, name: &str, failed: Failed) -> Fault {
        match self.inspect(name).await {
            Ok(Some(holder)) => docker(
                FaultKind::Refused,
                format!(
                    "The name `{name}` is taken by container {}: rename or remove that one first.",
                    holder
                        .id
                        .unwrap_or_default()
                        .chars()
                        .take(12)
                        .collect::<String>()
                ),
            ),
            _ => failed.into(),
        }
    }
}

fn checked(name_or_id: &str) -> Result<String, Fault> {
    if is_name(name_or_id) {
        Ok(name_or_id.to_owned())
    } else {
        Err(docker(
            FaultKind::Invalid,
            "This cannot be the name or id of a container.",
        ))
    }
}

fn seconds(grace: Duration) -> i32 {
    i32::try_from(grace.as_millis().div_ceil(1_000)).unwrap_or(i32::MAX)
}
