//! Networks and volumes that must be there first.

use domain::fault::{Fault, FaultKind};

use super::Made;
use crate::client::{Host, QUICK, SLOW};
use crate::fault::docker;
use crate::plan::Plan;

impl Host {
    pub(super) async fn ensure_networks(&self, plan: &Plan, made: &mut Made) -> Result<(), Fault> {
        for wanted in &plan.networks {
            let name = wanted.name.clone();
            let found = self
                .call(QUICK, "looking for a network", |docker| async move {
                    docker.inspect_network(&name, None).await
                })
                .await;
            match found {
                Ok(_) => continue,
                Err(failed) if !failed.is_missing() => return Err(failed.into()),
                Err(_) if wanted.external => {
                    return Err(docker(
                        FaultKind::NotFound,
                        format!(
                            "The compose file expects the network `{0}` to be there already, and it is not: \
                             create it with `docker network create {0}`.",
                            wanted.name
                        ),
                    ));
                }
                Err(_) => {}
            }
            let request = wanted.request.clone();
            self.call(SLOW, "creating a network", |docker| async move {
                docker.create_network(request).await
            })
            .await?;
            made.networks.push(wanted.name.clone());
        }
        Ok(())
    }

    pub(super) async fn ensure_volumes(&self, plan: &Plan, made: &mut Made) -> Result<(), Fault> {
        for wanted in &plan.volumes {
            let name = wanted.name.clone();
            let found = self
                .call(QUICK, "looking for a volume", |docker| async move {
                    docker.inspect_volume(&name).await
                })
                .await;
            match found {
                Ok(_) => continue,
                Err(failed) if !failed.is_missing() => return Err(failed.into()),
                Err(_) if wanted.external => {
                    return Err(docker(
                        FaultKind::NotFound,
                        format!(
                            "The compose file expects the volume `{0}` to be there already, and it is not: \
                             restore it, or create an empty one with `docker volume create {0}`.",
                            wanted.name
                        ),
                    ));
                }
                Err(_) => {}
            }
            let request = wanted.request.clone();
            self.call(SLOW, "creating a volume", |docker| async move {
                docker.create_volume(request).await
            })
            .await?;
            made.volumes.push(wanted.name.clone());
        }
        Ok(())
    }
}
