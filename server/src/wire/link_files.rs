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

use super::complaint;

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
        let failed = format!("The link's files could not be moved inside the container ({task})");
        complaint::said(output, &failed)
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

#[cfg(test)]
mod tests {
    use std::fs;
    use std::path::Path;
    use std::process::{Command, Output};

    use tempfile::TempDir;

    use super::PROGRAM;

    /// A gateway's state folder, with the link of one account when there is one.
    fn state(link: Option<&str>) -> TempDir {
        let state = tempfile::tempdir().unwrap();
        if let Some(link) = link {
            write(
                state.path(),
                "credentials/whatsapp/default/creds.json",
                link,
            );
        }
        write(
            state.path(),
            "credentials/whatsapp/work/creds.json",
            "work's",
        );
        state
    }

    fn write(state: &Path, file: &str, text: &str) {
        let file = state.join(file);
        fs::create_dir_all(file.parent().unwrap()).unwrap();
        fs::write(file, text).unwrap();
    }

    fn run(state: &Path, task: &str, account: &str) -> Output {
        Command::new("node")
            .args(["-e", PROGRAM, task, "op", account])
            .env("OPENCLAW_STATE_DIR", state)
            .output()
            .unwrap()
    }

    /// As after a panel that died when the task was done and before it knew.
    fn twice(state: &Path, task: &str) {
        for _ in 0..2 {
            let output = run(state, task, "default");
            let said = String::from_utf8_lossy(&output.stderr).into_owned();
            assert!(output.status.success(), "{task}: {said}");
        }
    }

    fn link(state: &Path) -> Option<String> {
        fs::read_to_string(state.join("credentials/whatsapp/default/creds.json")).ok()
    }

    fn brought(state: &Path) {
        twice(state, "prepare");
        write(state, "panel-link-op/new/creds.json", "restored");
    }

    #[test]
    fn a_link_is_replaced_and_put_back_whole() {
        for before in [Some("before"), None] {
            let state = state(before);
            let state = state.path();
            brought(state);
            twice(state, "set-aside");
            assert_eq!(link(state), None);
            twice(state, "place");
            assert_eq!(link(state).as_deref(), Some("restored"));
            twice(state, "put-back");
            assert_eq!(link(state).as_deref(), before);
            twice(state, "clear");
            let left: Vec<_> = fs::read_dir(state).unwrap().collect();
            assert_eq!(left.len(), 1, "{left:?}");
            let other = fs::read_to_string(state.join("credentials/whatsapp/work/creds.json"));
            assert_eq!(other.unwrap(), "work's");
        }
    }

    #[test]
    fn what_is_kept_aside_stays_when_another_link_was_made_meanwhile() {
        let state = state(Some("before"));
        let state = state.path();
        twice(state, "set-aside");
        write(state, "credentials/whatsapp/default/creds.json", "scanned");
        twice(state, "set-aside");
        twice(state, "put-back");
        assert_eq!(link(state).as_deref(), Some("before"));
    }

    #[test]
    fn nothing_is_placed_that_was_not_brought_and_no_name_leads_out() {
        let state = state(Some("before"));
        let state = state.path();
        for (task, account) in [
            ("place", "default"),
            ("set-aside", ".."),
            ("set-aside", "../.."),
        ] {
            let output = run(state, task, account);
            assert!(!output.status.success(), "{task} {account}");
            let said = String::from_utf8_lossy(&output.stderr).into_owned();
            assert!(
                said.lines().any(|line| line.starts_with("Error: ")),
                "{said}"
            );
        }
        assert_eq!(link(state).as_deref(), Some("before"));
    }
}
