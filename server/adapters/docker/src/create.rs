//! Creating the container that the compose folder asks for.

mod parts;
mod settle;

use bollard::models::{NetworkConnectRequest, NetworkingConfig};
use bollard::query_parameters::{
    CreateContainerOptions, RemoveContainerOptions, RemoveVolumeOptions,
};
use domain::fault::{Boundary, Fault, FaultKind};
use domain::operation::OperationId;

use crate::client::{Host, SLOW};
use crate::fault::{Failed, docker};
use crate::names::OPERATION;
use crate::plan::Plan;
use crate::project::{self, Read};

/// What one call made, to be unmade when it fails half-way.
#[derive(Default)]
struct Made {
    networks: Vec<String>,
    volumes: Vec<String>,
}

impl Host {
    /// See [`domain::ports::Containers::create`].
    pub(crate) async fn create(
        &self,
        operation: OperationId,
        fingerprint: &str,
    ) -> Result<String, Fault> {
        let read = project::read(&self.settings).await?;
        let mut plan = Plan::of(&read)?;
        if plan.fingerprint()? != fingerprint {
            return Err(Fault::new(
                FaultKind::Invalid,
                Boundary::Compose,
                "The compose folder has changed since the comparison was shown: look at the \
                 differences again.",
            ));
        }
        if let Some(id) = self.made_before(operation).await? {
            self.join_all(&plan, &id).await?;
            return Ok(id);
        }
        self.refuse_what_the_engine_lacks(&read).await?;
        let Some(image) = self.image(&read.service().image).await? else {
            return Err(no_image(&read));
        };
        self.settle_network_mode(&read, &mut plan).await?;
        self.keep_anonymous_volumes(
            &mut plan,
            image.config.as_ref().and_then(|c| c.volumes.as_ref()),
        )
        .await?;

        let mut made = Made::default();
        // As compose does, by the id that this name has now.
        plan.body.labels.get_or_insert_default().insert(
            "com.docker.compose.image".to_owned(),
            image.id.clone().unwrap_or_default(),
        );
        let result = self.make(&plan, operation, &mut made).await;
        if result.is_err() {
            self.unmake(operation, &made).await;
        }
        result
    }

    async fn made_before(&self, operation: OperationId) -> Result<Option<String>, Fault> {
        let found = self
            .labelled(&[(OPERATION, &operation.to_string())])
            .await?;
        Ok(found.into_iter().find_map(|one| one.id))
    }

    async fn make(
        &self,
        plan: &Plan,
        operation: OperationId,
        made: &mut Made,
    ) -> Result<String, Fault> {
        self.ensure_networks(plan, made).await?;
        self.ensure_volumes(plan, made).await?;
        let mut body = plan.body.clone();
        body.labels
            .get_or_insert_default()
            .insert(OPERATION.to_owned(), operation.to_string());
        // Older Engines take one network at creation; the others are joined before the start.
        body.networking_config = plan.joins.first().map(|(name, endpoint)| NetworkingConfig {
            endpoints_config: Some([(name.clone(), endpoint.clone())].into()),
        });
        let options = CreateContainerOptions {
            name: Some(plan.name.clone()),
            platform: plan.platform.clone().unwrap_or_default(),
        };
        let created = self
            .call(SLOW, "creating the container", |docker| async move {
                docker.create_container(Some(options), body).await
            })
            .await;
        let created = match created {
            Ok(created) => created,
            Err(failed) if failed.is_conflict() => return Err(self.name_taken(plan, failed).await),
            Err(failed) => return Err(failed.into()),
        };
        self.join_all(plan, &created.id).await?;
        Ok(created.id)
    }

    /// Joins all networks but the first, which was joined at creation. Joined already is fine.
    async fn join_all(&self, plan: &Plan, id: &str) -> Result<(), Fault> {
        for (name, endpoint) in plan.joins.iter().skip(1) {
            let name = name.clone();
            let request = NetworkConnectRequest {
                container: id.to_owned(),
                endpoint_config: Some(endpoint.clone()),
            };
            let joined = self
                .call(SLOW, "joining a network", |docker| async move {
                    docker.connect_network(&name, request).await
                })
                .await;
            match joined {
                Err(failed) if !failed.message().contains("already exists in network") => {
                    return Err(failed.into());
                }
                _ => {}
            }
        }
        Ok(())
    }

    /// Leaves nothing of a failed creation behind; what was there before stays.
    async fn unmake(&self, operation: OperationId, made: &Made) {
        // Also after a timeout, when the daemon may have created it without our hearing of it.
        if let Ok(found) = self.labelled(&[(OPERATION, &operation.to_string())]).await {
            for id in found.into_iter().filter_map(|one| one.id) {
                let options = RemoveContainerOptions {
                    force: true,
                    v: false,
                    link: false,
                };
                self.tidy(
                    self.call(
                        SLOW,
                        "removing a half-made container",
                        |docker| async move { docker.remove_container(&id, Some(options)).await },
                    )
                    .await,
                );
            }
        }
        for name in made.networks.clone() {
            self.tidy(
                self.call(SLOW, "removing a network just made", |docker| async move {
                    docker.remove_network(&name).await
                })
                .await,
            );
        }
        for name in made.volumes.clone() {
            self.tidy(
                self.call(SLOW, "removing a volume just made", |docker| async move {
                    docker
                        .remove_volume(&name, None::<RemoveVolumeOptions>)
                        .await
                })
                .await,
            );
        }
    }

    /// The first fault is the one to tell; these are for the log.
    fn tidy(&self, result: Result<(), Failed>) {
        if let Err(failed) = result
            && !failed.is_missing()
        {
            let fault = Fault::from(failed);
            tracing::warn!(gateway.id = %self.settings.id, "Could not tidy up after a failed creation: {fault}");
        }
    }

    /// Who holds the name.
    async fn name_taken(&self, plan: &Plan, failed: Failed) -> Fault {
        let Ok(Some(holder)) = self.inspect(&plan.name).await else {
            return failed.into();
        };
        let told = crate::inspect::container(&holder);
        let state = format!("{:?}", told.state).to_lowercase();
        docker(
            FaultKind::Refused,
            format!(
                "The name `{}` is taken by container {} (image {}, {state}): rename or remove that one first.",
                plan.name,
                told.id.chars().take(12).collect::<String>(),
                told.image,
            ),
        )
    }
}

fn no_image(read: &Read) -> Fault {
    let service = read.service();
    let remedy = if service.has_build {
        "docker compose build"
    } else {
        "docker compose pull"
    };
    docker(
        FaultKind::NotFound,
        format!(
            "The image `{}` is not on the Docker host: run `{remedy} {}` in {} first.",
            service.image,
            read.name(),
            read.project.folder.display(),
        ),
    )
}
