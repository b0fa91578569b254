//! Running `git`: arguments as they are, an environment of our own, a limit of time, and no questions.

use std::io::ErrorKind;
use std::path::{Path, PathBuf};
use std::process::{ExitStatus, Stdio};
use std::time::Duration;

use domain::fault::{Fault, FaultKind};
use nix::sys::signal::{Signal, killpg};
use nix::unistd::{Pid, Uid, User};
use tokio::io::AsyncReadExt as _;
use tokio::process::{Child, Command};
use tokio::time::timeout;

use crate::fault::{self, repository};
use crate::file::{LARGEST, Owner};
use crate::place::Author;

/// For one command: a remote may be slow.
pub(crate) const LIMIT: Duration = Duration::from_secs(60);
/// What is told to stop removes its locks first.
const GRACE: Duration = Duration::from_secs(2);
const PATH: &str = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin";

/// Settings that win over the repository's own.
const SETTINGS: [&str; 6] = [
    "core.hooksPath=/dev/null",
    "core.fsmonitor=false",
    "commit.gpgSign=false",
    "push.gpgSign=false",
    "gc.auto=0",
    "maintenance.auto=false",
];

/// `git` in one folder.
pub(crate) struct Git {
    pub(crate) folder: PathBuf,
    pub(crate) author: Author,
    /// As whom it runs, when not as the panel.
    pub(crate) as_owner: Option<Owner>,
    /// For one command.
    pub(crate) limit: Duration,
}

/// What came of it.
pub(crate) struct Said {
    pub(crate) out: Vec<u8>,
    pub(crate) err: String,
    status: ExitStatus,
}

impl Said {
    pub(crate) fn is_success(&self) -> bool {
        self.status.success()
    }

    /// For commands that answer a question by it: 1 is no.
    pub(crate) fn is_no(&self) -> bool {
        self.status.code() == Some(1)
    }

    pub(crate) fn line(&self) -> String {
        String::from_utf8_lossy(&self.out).trim_end().to_owned()
    }
}

/// Whose settings count besides the repository's.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Reach {
    /// Nobody's.
    Here,
    /// Those of the user as whom git runs: how to reach a remote, and with which credentials.
    Remote,
}

impl Git {
    /// Runs it; whether it succeeded is in the answer.
    pub(crate) async fn run(&self, arguments: &[&str]) -> Result<Said, Fault> {
        self.carry_out(self.command(arguments, Reach::Here)).await
    }

    /// The same for what talks to a remote.
    pub(crate) async fn run_far(&self, arguments: &[&str]) -> Result<Said, Fault> {
        self.carry_out(self.command(arguments, Reach::Remote)).await
    }

    /// Runs what has no reason to fail; its first line.
    pub(crate) async fn ask(&self, arguments: &[&str]) -> Result<String, Fault> {
        let said = self.run(arguments).await?;
        if said.is_success() {
            Ok(said.line())
        } else {
            Err(self.broken(&said))
        }
    }

    /// What failed though it has no reason to.
    pub(crate) fn broken(&self, said: &Said) -> Fault {
        let (folder, complaint) = (self.folder.display(), fault::complaint(&said.err));
        let why = format!("git does not work in {folder}: {complaint}.");
        repository(FaultKind::Unexpected, why)
    }

    /// The same with the moment at which the author wrote.
    pub(crate) async fn run_at(&self, seconds: i64, arguments: &[&str]) -> Result<Said, Fault> {
        let mut command = self.command(arguments, Reach::Here);
        command.env("GIT_AUTHOR_DATE", format!("@{seconds} +0000"));
        self.carry_out(command).await
    }

    fn command(&self, arguments: &[&str], reach: Reach) -> Command {
        let mut command = Command::new("git");
        command.arg("-C").arg(&self.folder);
        let trusted = format!("safe.directory={}", self.folder.display());
        for setting in SETTINGS.into_iter().chain([trusted.as_str()]) {
            command.args(["-c", setting]);
        }
        // The one command that takes paths as they are anyway refuses to be told so.
        if arguments.first() != Some(&"check-ignore") {
            command.arg("--literal-pathspecs");
        }
        command.arg("--no-pager").args(arguments);
        command
            .env_clear()
            .env("PATH", PATH)
            .env("LC_ALL", "C")
            .env("GIT_CONFIG_NOSYSTEM", "1")
            .env("GIT_ATTR_NOSYSTEM", "1")
            .env("GIT_OPTIONAL_LOCKS", "0")
            // Whoever would be asked is not there.
            .env("GIT_TERMINAL_PROMPT", "0")
            .env("GIT_ASKPASS", "/bin/false")
            .env("SSH_ASKPASS", "/bin/false")
            .env("SSH_ASKPASS_REQUIRE", "force")
            .env("GIT_AUTHOR_NAME", &self.author.name)
            .env("GIT_AUTHOR_EMAIL", &self.author.email)
            .env("GIT_COMMITTER_NAME", &self.author.name)
            .env("GIT_COMMITTER_EMAIL", &self.author.email)
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .process_group(0);
        // The folder itself is the repository, none around it.
        if let Some(around) = self.folder.parent() {
            command.env("GIT_CEILING_DIRECTORIES", around);
        }
        match reach {
            Reach::Here => {
                command.env("GIT_CONFIG_GLOBAL", "/dev/null");
            }
            Reach::Remote => {
                if let Some(home) = self.home() {
                    command.env("HOME", home);
                }
            }
        }
        if let Some(Owner { user, group }) = self.as_owner {
            command.uid(user).gid(group);
        }
        command
    }

    fn home(&self) -> Option<PathBuf> {
        let user = self
            .as_owner
            .map_or_else(Uid::effective, |owner| Uid::from_raw(owner.user));
        Some(User::from_uid(user).ok()??.dir)
    }

    async fn carry_out(&self, mut command: Command) -> Result<Said, Fault> {
        let mut child = command.spawn().map_err(|error| match error.kind() {
            ErrorKind::NotFound => repository(
                FaultKind::Invalid,
                "The program git is not on this host. Install it, or leave out rotation_log_repository.",
            ),
            _ => fault::file("starting git in", &self.folder, &error),
        })?;
        let mut group = Group::of(&child);
        let (mut out, mut err) = (Vec::new(), Vec::new());
        let (stdout, stderr) = (child.stdout.take(), child.stderr.take());
        let reading = async {
            tokio::join!(
                async {
                    match stdout {
                        Some(pipe) => pipe.take(LARGEST + 2).read_to_end(&mut out).await,
                        None => Ok(0),
                    }
                },
                async {
                    match stderr {
                        Some(pipe) => pipe.take(64 * 1024).read_to_end(&mut err).await,
                        None => Ok(0),
                    }
                }
            )
        };
        let finished = timeout(self.limit, async {
            tokio::pin!(reading);
            tokio::select! {
                _ = &mut reading => child.wait().await,
                status = child.wait() => {
                    // What it has left running may hold on to its output.
                    drop(timeout(Duration::from_secs(1), &mut reading).await);
                    status
                }
            }
        });
        match finished.await {
            Ok(Ok(status)) => {
                group.is_over();
                let err = String::from_utf8_lossy(&err).into_owned();
                Ok(Said { out, err, status })
            }
            Ok(Err(error)) => Err(fault::file("waiting for git in", &self.folder, &error)),
            Err(_) => {
                group.end(&mut child).await;
                let (folder, seconds) = (self.folder.display(), self.limit.as_secs());
                let why = format!(
                    "git was not done in {folder} after {seconds} s, and was ended. Try again."
                );
                Err(repository(FaultKind::TimedOut, why))
            }
        }
    }
}

/// Git and what it started. When nobody waits for it any more it is told to stop.
struct Group(Option<Pid>);

impl Group {
    fn of(child: &Child) -> Self {
        let id = child.id().and_then(|id| i32::try_from(id).ok());
        Self(id.map(Pid::from_raw))
    }

    fn is_over(&mut self) {
        self.0 = None;
    }

    async fn end(&mut self, child: &mut Child) {
        let Some(group) = self.0.take() else {
            return;
        };
        // A group that is gone is ended.
        killpg(group, Signal::SIGTERM).unwrap_or_default();
        if timeout(GRACE, child.wait()).await.is_err() {
            killpg(group, Signal::SIGKILL).unwrap_or_default();
            drop(child.wait().await);
        }
    }
}

impl Drop for Group {
    fn drop(&mut self) {
        if let Some(group) = self.0 {
            killpg(group, Signal::SIGTERM).unwrap_or_default();
        }
    }
}

/// The folder's owner, when git has to run as them: the panel is root, and they are not.
pub(crate) fn as_owner(owner: Owner) -> Option<Owner> {
    (Uid::effective().is_root() && owner.user != 0).then_some(owner)
}

/// Whether the panel's user may write there.
pub(crate) fn may_write(path: &Path) -> bool {
    use nix::fcntl::{AT_FDCWD, AtFlags};
    use nix::unistd::{AccessFlags, faccessat};
    faccessat(AT_FDCWD, path, AccessFlags::W_OK, AtFlags::AT_EACCESS).is_ok()
}
