//! The files of accounts' links, moved inside the container by a small program for the gateway's own Node.

use std::time::Duration;

use adapter_backup::Owner;
use adapter_docker::DockerGateways;
use async_trait::async_trait;
use domain::fault::{Boundary, Fault, FaultKind};
use domain::gateway::{AccountId, GatewayId};
use domain::operation::OperationId;
use domain::ports::LinkFiles;
use serde::Deserialize;

/// See there.
const PROGRAM: &str = include_str!("link_files.js");
/// Node starts in a fraction of a second; a small host under load is slower.
const LIMIT: Duration = Duration::from_secs(25);

/// See the module.
#[derive(Clone)]
pub(crate) struct LinkStore {
    docker: DockerGateways,
}

/// Where a link is laid, and whose its files must be.
#[derive(Deserialize)]
pub(crate) struct Prepared {
    pub(crate) folder: String,
    user: u32,
    group: u32,
}

impl Prepared {
    pub(crate) fn owner(&self) -> Owner {
        Owner {
            user: self.user,
            group: self.group,
        }
    }
}

impl LinkStore {
    pub(crate) fn new(docker: DockerGateways) -> Self {
        Self { docker }
    }

    /// Makes an empty place for a link that is brought; What is laid there as `new` is what [`LinkFiles::place`] takes.
    pub(crate) async fn prepare(
        &self,
        gateway: &GatewayId,
        operation: OperationId,
    ) -> Result<Prepared, Fault> {
        let said = self.run(gateway, "prepare", operation, None).await?;
        serde_json::from_str(said.trim()).map_err(|_| {
            Fault::new(
                FaultKind::Unexpected,
                Boundary::Gateway,
                "The container did not say where its state folder is.",
            )
        })
    }

    async fn run(
        &self,
        gateway: &GatewayId,
        task: &str,
        operation: OperationId,
        account: Option<&AccountId>,
    ) -> Result<String, Fault> {
        let operation = operation.to_string();
        let mut argv = vec!["node", "-e", PROGRAM, task, &operation];
        argv.extend(account.map(AccountId::as_str));
        let output = self.docker.exec(gateway, &argv, LIMIT).await?;
        if output.exit_code == 0 {
            return Ok(output.stdout);
        }
        // The last line of Node's complaint names the error; paths in it are no secret.
        let why = output
            .stderr
            .lines()
            .find(|line| line.starts_with("Error: "))
            .unwrap_or("it did not say why");
        Err(Fault::new(
            FaultKind::Refused,
            Boundary::Gateway,
            format!("The link's files could not be moved inside the container ({task}): {why}."),
        ))
    }
}

#[async_trait]
impl LinkFiles for LinkStore {
    async fn set_aside(
        &self,
        gateway: &GatewayId,
        account: &AccountId,
        operation: OperationId,
    ) -> Result<(), Fault> {
        self.run(gateway, "set-aside", operation, Some(account))
            .await
            .map(drop)
    }

    async fn place(
        &self,
        gateway: &GatewayId,
        account: &AccountId,
        operation: OperationId,
    ) -> Result<(), Fault> {
        self.run(gateway, "place", operation, Some(account))
            .await
            .map(drop)
    }

    async fn put_back(
        &self,
        gateway: &GatewayId,
        account: &AccountId,
        operation: OperationId,
    ) -> Result<(), Fault> {
        self.run(gateway, "put-back", operation, Some(account))
            .await
            .map(drop)
    }

    async fn clear(&self, gateway: &GatewayId, operation: OperationId) -> Result<(), Fault> {
        self.run(gateway, "clear", operation, None).await.map(drop)
    }
}
