//! The gateway's state folder, by a small program for the gateway's own Node: inside the container while it runs, else
//! beside it.

use std::time::Duration;

use adapter_docker::{DockerGateways, ExecOutput, Mount};
use async_trait::async_trait;
use domain::fact::ContainerState;
use domain::fault::{Boundary, Fault, FaultKind};
use domain::gateway::GatewayId;
use domain::operation::OperationId;
use domain::ports::{Containers as _, StateFolder};
use domain::survey::Survey;

use super::complaint;

/// See there.
const PROGRAM: &str = include_str!("state_files.js");
/// A look counts some thousand files, bringing plugins back copies as many.
const LIMIT: Duration = Duration::from_secs(100);

/// See the module.
#[derive(Clone)]
pub(crate) struct FolderStore {
    docker: DockerGateways,
}

impl FolderStore {
    pub(crate) fn new(docker: DockerGateways) -> Self {
        Self { docker }
    }

    /// Runs a task beside the gateway, which is stopped.
    async fn beside(
        &self,
        gateway: &GatewayId,
        task: &str,
        operation: OperationId,
    ) -> Result<(), Fault> {
        let operation = operation.to_string();
        let argv = ["node", "-e", PROGRAM, task, &operation];
        let output = self.docker.beside(gateway, &argv, LIMIT).await?;
        told(output, task).map(drop)
    }

    /// Runs a task that may be run while the gateway does.
    async fn anywhere(&self, gateway: &GatewayId, argv: &[&str]) -> Result<ExecOutput, Fault> {
        let found = self.docker.current(gateway).await?;
        if found.is_some_and(|found| found.state == ContainerState::Running) {
            self.docker.exec(gateway, argv, LIMIT).await
        } else {
            self.docker.beside(gateway, argv, LIMIT).await
        }
    }
}

/// What a task wrote, unless it failed.
fn told(output: ExecOutput, task: &str) -> Result<String, Fault> {
    let failed = format!("The gateway's state folder could not be worked on ({task})");
    complaint::said(output, &failed)
}

/// What of the mounts holds a folder.
fn holds<'a>(mounts: &'a [Mount], folder: &str) -> Option<&'a Mount> {
    let below = |mount: &&Mount| {
        let rest = folder.strip_prefix(mount.folder.trim_end_matches('/'));
        rest.is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
    };
    let found = mounts.iter().filter(below);
    found.max_by_key(|mount| mount.folder.len())
}

#[async_trait]
impl StateFolder for FolderStore {
    async fn survey(&self, gateway: &GatewayId) -> Result<Survey, Fault> {
        let argv = ["node", "-e", PROGRAM, "survey"];
        let output = self.anywhere(gateway, &argv).await?;
        let survey: Result<Survey, _> = serde_json::from_str(told(output, "survey")?.trim());
        let survey = survey.map_err(|_| {
            Fault::new(
                FaultKind::Unexpected,
                Boundary::Gateway,
                "The container did not say what is in its state folder.",
            )
        })?;
        let mounts = self.docker.mounts(gateway).await?;
        let Some(mount) = holds(&mounts, &survey.folder) else {
            return Err(Fault::new(
                FaultKind::NotOffered,
                Boundary::Docker,
                format!(
                    "The gateway's state folder {} lies in no volume but in the container itself: a recreate empties it.",
                    survey.folder
                ),
            ));
        };
        Ok(Survey {
            volume: mount.what.clone(),
            ..survey
        })
    }

    async fn set_aside(&self, gateway: &GatewayId, operation: OperationId) -> Result<(), Fault> {
        self.beside(gateway, "set-aside", operation).await
    }

    async fn bring(&self, gateway: &GatewayId, operation: OperationId) -> Result<(), Fault> {
        self.beside(gateway, "bring", operation).await
    }

    async fn put_back(&self, gateway: &GatewayId, operation: OperationId) -> Result<(), Fault> {
        self.beside(gateway, "put-back", operation).await
    }

    async fn clear(&self, gateway: &GatewayId, operation: OperationId) -> Result<(), Fault> {
        let operation = operation.to_string();
        let argv = ["node", "-e", PROGRAM, "clear", &operation];
        let output = self.anywhere(gateway, &argv).await?;
        told(output, "clear").map(drop)
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;
    use std::fs;
    use std::path::Path;
    use std::process::{Command, Output};

    use proptest::prelude::*;
    use tempfile::TempDir;

    use super::*;

    fn write(state: &Path, file: &str, text: &str) {
        let file = state.join(file);
        fs::create_dir_all(file.parent().unwrap()).unwrap();
        fs::write(file, text).unwrap();
    }

    fn state() -> TempDir {
        let state = tempfile::tempdir().unwrap();
        for (file, text) in [
            ("openclaw.json", "{}"),
            (".env", "A=b"),
            ("credentials/whatsapp/default/creds.json", "link"),
            ("credentials/whatsapp/empty/other.json", "no link"),
            ("devices/paired.json", r#"{"a":{},"b":{}}"#),
            ("agents/main/agent/models.json", "{}"),
            ("workspace/AGENTS.md", "# us"),
            (
                "npm/projects/x/package.json",
                r#"{"dependencies":{"@openclaw/whatsapp":"1","sharp":"1"},"openclaw":{"managedPeerDependencies":["sharp"]}}"#,
            ),
        ] {
            write(state.path(), file, text);
        }
        state
    }

    fn run(state: &Path, task: &str) -> Output {
        Command::new("node")
            .args(["-e", PROGRAM, task, "op"])
            .env("OPENCLAW_STATE_DIR", state)
            .output()
            .unwrap()
    }

    fn done(state: &Path, task: &str) -> String {
        let output = run(state, task);
        let complaint = String::from_utf8_lossy(&output.stderr).into_owned();
        assert!(output.status.success(), "{task}: {complaint}");
        String::from_utf8_lossy(&output.stdout).into_owned()
    }

    /// Every file below, by path.
    fn files(folder: &Path) -> BTreeMap<String, String> {
        let mut found = BTreeMap::new();
        let mut left = vec![folder.to_owned()];
        while let Some(at) = left.pop() {
            for entry in fs::read_dir(&at).unwrap() {
                let path = entry.unwrap().path();
                if path.is_dir() {
                    left.push(path);
                } else {
                    let name = path.strip_prefix(folder).unwrap().display().to_string();
                    found.insert(name, fs::read_to_string(&path).unwrap());
                }
            }
        }
        found
    }

    #[test]
    fn a_survey_counts_what_a_wipe_would_take() {
        let state = state();
        let survey: Survey = serde_json::from_str(&done(state.path(), "survey")).unwrap();
        assert!(survey.config && survey.bytes > 0);
        assert_eq!(survey.links, ["default"]);
        assert_eq!(survey.devices, 2);
        assert_eq!(survey.agents, ["main"]);
        assert_eq!(survey.workspaces, ["workspace"]);
        assert_eq!(survey.plugins, ["@openclaw/whatsapp"]);
    }

    #[test]
    fn everything_is_set_aside_and_configuration_and_plugins_are_brought_back() {
        let state = state();
        let state = state.path();
        for task in ["set-aside", "set-aside", "bring", "bring"] {
            done(state, task);
        }
        let here = fs::read_dir(state).unwrap();
        let mut here: Vec<_> = here.map(|entry| entry.unwrap().file_name()).collect();
        here.sort();
        assert_eq!(here, [".env", ".panel-aside-op", "npm", "openclaw.json"]);
        for task in ["clear", "clear"] {
            done(state, task);
        }
        assert_eq!(fs::read_dir(state).unwrap().count(), 3);
    }

    #[test]
    fn what_was_set_aside_comes_back_whole_and_what_came_since_goes() {
        let state = state();
        let state = state.path();
        let before = files(state);
        done(state, "set-aside");
        done(state, "bring");
        write(state, "credentials/whatsapp/default/creds.json", "another");
        write(state, "agents/new/agent/models.json", "{}");
        for task in ["put-back", "put-back"] {
            done(state, task);
        }
        assert_eq!(files(state), before);
    }

    #[test]
    fn nothing_is_brought_that_was_not_set_aside() {
        let state = state();
        assert!(!run(state.path(), "bring").status.success());
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(24))]
        /// A move that broke off leaves some entries here and some aside, on the way there or back.
        #[test]
        fn a_move_that_broke_off_is_finished_or_taken_back(moved in prop::collection::vec(any::<bool>(), 8), back: bool) {
            let state = state();
            let state = state.path();
            let before = files(state);
            let aside = state.join(".panel-aside-op/files");
            let mut entries: Vec<_> = fs::read_dir(state).unwrap().map(|entry| entry.unwrap().file_name()).collect();
            entries.sort();
            fs::create_dir_all(&aside).unwrap();
            for (entry, _) in entries.iter().zip(&moved).filter(|(_, moved)| **moved) {
                fs::rename(state.join(entry), aside.join(entry)).unwrap();
            }
            if !back {
                done(state, "set-aside");
            }
            done(state, "put-back");
            prop_assert_eq!(files(state), before);
        }
    }

    #[test]
    fn the_volume_is_the_mount_that_holds_the_folder() {
        let mount = |folder: &str, what: &str| Mount {
            folder: folder.to_owned(),
            what: what.to_owned(),
        };
        let mounts = [
            mount("/home", "volume a"),
            mount("/home/node/.openclaw", "volume b"),
            mount("/home/node/.openclaw-2", "volume c"),
        ];
        let held = |folder: &str| holds(&mounts, folder).map(|mount| mount.what.as_str());
        assert_eq!(held("/home/node/.openclaw"), Some("volume b"));
        assert_eq!(held("/home/node/.openclaw/deeper"), Some("volume b"));
        assert_eq!(held("/home/node/.openclaw-3"), Some("volume a"));
        assert_eq!(held("/var"), None);
    }
}
