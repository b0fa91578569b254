//! A clone with a commit, and the adapter before it.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use adapter_git::{GitLog, LogFile, Place, Push};
use domain::fault::{Boundary, Fault};
use domain::gateway::GatewayId;
use domain::operation::OperationId;
use domain::ports::LogLine;
use domain::time::Timestamp;
use tempfile::TempDir;
use uuid::Uuid;

pub(crate) const FILE: &str = LogFile::DEFAULT;
pub(crate) const HEAD: &str =
    "| Date (UTC) | Credential | Who | Why | Operation | Next due |\n|---|---|---|---|---|---|\n";

pub(crate) fn gateway() -> GatewayId {
    "openclaw".parse().unwrap()
}

pub(crate) fn line(operation: u128) -> LogLine {
    LogLine {
        at: Timestamp::parse_rfc3339("2026-11-22T02:14:05Z").unwrap(),
        credential: "OpenClaw API key".to_owned(),
        who: "anna".to_owned(),
        why: "Its time is over.".to_owned(),
        operation: OperationId(Uuid::from_u128(operation)),
        next_due: Timestamp::parse_rfc3339("2027-05-21T02:14:05Z"),
    }
}

pub(crate) fn row(operation: u128) -> String {
    let id = Uuid::from_u128(operation);
    format!(
        "| 2026-11-22 02:14:05 | OpenClaw API key | anna | Its time is over. | {id} | 2027-05-21 |\n"
    )
}

/// A folder with a clone in it, and room for more.
pub(crate) struct Bench {
    folder: TempDir,
}

impl Bench {
    /// A clone with one commit of one file.
    pub(crate) fn new() -> Self {
        let bench = Self::empty();
        bench.put("compose.yml", "services: {}\n");
        bench.git(&["add", "."]);
        bench.git(&["commit", "--quiet", "-m", "First"]);
        bench
    }

    /// The same, with a log that holds the text.
    pub(crate) fn with_log(text: &str) -> Self {
        let bench = Self::new();
        bench.put(FILE, text);
        bench.git(&["add", "."]);
        bench.git(&["commit", "--quiet", "-m", "Log"]);
        bench
    }

    /// A clone without a commit.
    pub(crate) fn empty() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let bench = Self { folder };
        fs::create_dir(bench.clone_folder()).unwrap();
        bench.git(&["init", "--quiet", "--initial-branch=main"]);
        bench
    }

    pub(crate) fn folder(&self) -> &Path {
        self.folder.path()
    }

    pub(crate) fn clone_folder(&self) -> PathBuf {
        self.folder.path().join("infra")
    }

    pub(crate) fn path(&self, file: &str) -> PathBuf {
        self.clone_folder().join(file)
    }

    pub(crate) fn put(&self, file: &str, text: &str) {
        let path = self.path(file);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, text).unwrap();
    }

    pub(crate) fn read(&self, file: &str) -> String {
        fs::read_to_string(self.path(file)).unwrap()
    }

    /// Git as a person runs it.
    pub(crate) fn git(&self, arguments: &[&str]) -> String {
        self.git_in(&self.clone_folder(), arguments)
    }

    pub(crate) fn git_in(&self, folder: &Path, arguments: &[&str]) -> String {
        let said = self.try_git(folder, arguments);
        assert!(said.0, "git {arguments:?}: {}", said.1);
        said.1
    }

    pub(crate) fn try_git(&self, folder: &Path, arguments: &[&str]) -> (bool, String) {
        let said = Command::new("git")
            .current_dir(folder)
            .args(["-c", "user.name=Otto", "-c", "user.email=otto@example.org"])
            .args(["-c", "commit.gpgSign=false", "-c", "safe.directory=*"])
            .args(arguments)
            .env("HOME", self.folder.path())
            .env("GIT_CONFIG_NOSYSTEM", "1")
            .output()
            .unwrap();
        let text = if said.status.success() {
            said.stdout
        } else {
            said.stderr
        };
        (
            said.status.success(),
            String::from_utf8(text).unwrap().trim_end().to_owned(),
        )
    }

    pub(crate) fn log(&self) -> GitLog {
        self.log_of(FILE, Push::Never)
    }

    pub(crate) fn pushing(&self) -> GitLog {
        self.log_of(FILE, Push::ToUpstream)
    }

    pub(crate) fn log_of(&self, file: &str, push: Push) -> GitLog {
        log_at(self.clone_folder(), file, push)
    }

    /// What people would see that the panel left behind.
    pub(crate) fn status(&self) -> String {
        self.git(&["status", "--porcelain", "--untracked-files=all"])
    }

    pub(crate) fn commits(&self) -> usize {
        self.git(&["log", "--format=%h"]).lines().count()
    }
}

pub(crate) fn log_at(repository: PathBuf, file: &str, push: Push) -> GitLog {
    let place = Place {
        repository,
        file: file.parse().unwrap(),
        push,
    };
    let author = "OpenClaw Panel <panel@panel.example.org>".parse().unwrap();
    GitLog::new(author, [(gateway(), place)])
}

pub(crate) fn says(fault: &Fault, said: &str) {
    assert!(fault.message.contains(said), "{fault}");
    assert_eq!(fault.at, Boundary::Repository, "{fault}");
}
