//! The Postgres process: found running or started, asked whether it is ready, stopped.

use std::fs::{self, OpenOptions};
use std::path::Path;
use std::process::Stdio;
use std::time::Duration;

use nix::errno::Errno;
use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;
use tokio::process::Child;
use tokio::time::Instant;
use tracing::{info, warn};

use super::error::{ClusterError, file};
use super::make::command;
use super::place::{PORT, Place};
use super::programs::Programs;

/// Recovery after a crash included.
const READY_WITHIN: Duration = Duration::from_secs(120);
const FAST_STOP_WITHIN: Duration = Duration::from_secs(20);
const IMMEDIATE_STOP_WITHIN: Duration = Duration::from_secs(5);
const LOOK_EVERY: Duration = Duration::from_millis(20);
/// A crashed Postgres leaves workers that hold its memory for a moment: then the start is tried again.
const TRIES: u32 = 5;
const LARGEST_LOG: u64 = 8_000_000;

#[derive(Clone)]
pub(super) struct Server {
    place: Place,
    programs: Programs,
}

/// A Postgres that is ready; `child` when this process started it.
pub(super) struct Running {
    pid: Pid,
    child: Option<Child>,
}

impl Running {
    /// Comes back when it has ended.
    pub(super) async fn gone(&mut self, server: &Server) {
        match &mut self.child {
            Some(child) => drop(child.wait().await),
            None => {
                while server.is_ours(self.pid) {
                    tokio::time::sleep(Duration::from_millis(250)).await;
                }
            }
        }
    }
}

impl Server {
    pub(super) fn new(place: Place, programs: Programs) -> Self {
        Self { place, programs }
    }

    pub(super) fn place(&self) -> &Place {
        &self.place
    }

    /// Under the start lock: the one that runs, or a new one.
    pub(super) async fn ensure(&self) -> Result<Running, ClusterError> {
        if let Some(pid) = self.running() {
            let mut running = Running { pid, child: None };
            self.until_ready(&mut running).await?;
            return Ok(running);
        }
        let mut tries = 1;
        loop {
            self.remove_stale_files()?;
            match self.start().await {
                Err(ClusterError::NotStarted { said, .. }) if tries < TRIES => {
                    warn!("Postgres did not start, trying again: {said}");
                    tokio::time::sleep(Duration::from_millis(300) * tries).await;
                    tries += 1;
                }
                result => return result,
            }
        }
    }

    async fn start(&self) -> Result<Running, ClusterError> {
        self.place.make_socket_folder()?;
        let path = self.place.log();
        // With a file as its output it outlives this process.
        let keeps = fs::metadata(&path).is_ok_and(|log| log.len() < LARGEST_LOG);
        let log = OpenOptions::new()
            .create(true)
            .write(true)
            .append(keeps)
            .truncate(!keeps)
            .open(&path)
            .map_err(file("opening", &path))?;
        let more = log.try_clone().map_err(file("opening", &path))?;
        let postgres = self.programs.postgres();
        let child = command(&postgres, &self.place.account, self.place.folder())
            .arg("-D")
            .arg(self.place.data())
            .args(self.settings())
            .stdout(Stdio::from(log))
            .stderr(Stdio::from(more))
            // Ctrl-C in the panel's terminal is for the panel.
            .process_group(0)
            .spawn()
            .map_err(file("running", &postgres))?;
        let id = child.id().and_then(|id| i32::try_from(id).ok());
        let mut running = Running {
            pid: Pid::from_raw(id.unwrap_or_default()),
            child: Some(child),
        };
        self.until_ready(&mut running).await?;
        info!("Started Postgres (process {})", running.pid);
        Ok(running)
    }

    fn settings(&self) -> Vec<String> {
        let socket_folder = self.place.socket_folder().display();
        [
            "listen_addresses=".to_owned(),
            format!("unix_socket_directories={socket_folder}"),
            "unix_socket_permissions=0700".to_owned(),
            format!("port={PORT}"),
            "max_connections=60".to_owned(),
            "shared_buffers=32MB".to_owned(),
            "max_wal_size=256MB".to_owned(),
            "jit=off".to_owned(),
            "timezone=UTC".to_owned(),
            "log_timezone=UTC".to_owned(),
            "log_checkpoints=off".to_owned(),
            // Statements hold what people typed.
            "log_min_error_statement=panic".to_owned(),
        ]
        .into_iter()
        .flat_map(|setting| ["-c".to_owned(), setting])
        .collect()
    }

    /// Postgres writes into its own file how far it is.
    async fn until_ready(&self, running: &mut Running) -> Result<(), ClusterError> {
        let deadline = Instant::now() + READY_WITHIN;
        loop {
            if self
                .pid_file()
                .is_some_and(|(pid, ready)| ready && pid == running.pid)
            {
                return Ok(());
            }
            let ended = match &mut running.child {
                Some(child) => matches!(child.try_wait(), Ok(Some(_)) | Err(_)),
                None => !self.is_ours(running.pid),
            };
            if ended || Instant::now() > deadline {
                return Err(ClusterError::NotStarted {
                    said: self.last_words(),
                    log: self.place.log(),
                });
            }
            tokio::time::sleep(LOOK_EVERY).await;
        }
    }

    /// Under the start lock, when nobody uses it: no new connections, open transactions rolled back.
    pub(super) async fn shut_down(&self) -> Result<(), ClusterError> {
        let Some(pid) = self.running() else {
            return Ok(());
        };
        for (signal, limit) in [
            (Signal::SIGINT, FAST_STOP_WITHIN),
            (Signal::SIGQUIT, IMMEDIATE_STOP_WITHIN),
        ] {
            if matches!(kill(pid, signal), Err(Errno::ESRCH)) {
                return Ok(());
            }
            let deadline = Instant::now() + limit;
            while Instant::now() < deadline {
                if !self.is_ours(pid) {
                    info!("Stopped Postgres (process {pid})");
                    return self.place.remove_far_socket_folder();
                }
                tokio::time::sleep(LOOK_EVERY).await;
            }
            warn!("Postgres (process {pid}) did not stop at {signal}");
        }
        Err(ClusterError::NotStopped { pid: pid.as_raw() })
    }

    /// The Postgres that runs on this cluster, whoever started it.
    fn running(&self) -> Option<Pid> {
        let (pid, _) = self.pid_file()?;
        self.is_ours(pid).then_some(pid)
    }

    /// Its number may have been given to another process since: Postgres works in its data folder.
    fn is_ours(&self, pid: Pid) -> bool {
        works_in(pid, &self.place.data())
    }

    /// Number and readiness as `postmaster.pid` tells them; its eighth line is the state.
    fn pid_file(&self) -> Option<(Pid, bool)> {
        let text = fs::read_to_string(self.place.data().join("postmaster.pid")).ok()?;
        let mut lines = text.lines();
        let pid = lines.next()?.trim().parse().ok()?;
        let ready = lines.nth(6).is_some_and(|state| state.trim() == "ready");
        Some((Pid::from_raw(pid), ready))
    }

    /// After a crash the number in the files may belong to somebody else by now, and Postgres would
    /// take that one for itself and refuse to start. While any process still works in the folder
    /// (a crashed server's workers), the files stay: they keep two servers off the same data.
    fn remove_stale_files(&self) -> Result<(), ClusterError> {
        let data = self.place.data();
        if anybody_works_in(&data) {
            return Ok(());
        }
        let socket_lock = self
            .place
            .socket_folder()
            .join(format!(".s.PGSQL.{PORT}.lock"));
        for path in [data.join("postmaster.pid"), socket_lock] {
            match fs::remove_file(&path) {
                Err(error) if error.kind() != std::io::ErrorKind::NotFound => {
                    return Err(file("removing", &path)(error));
                }
                _ => {}
            }
        }
        Ok(())
    }

    fn last_words(&self) -> String {
        let log = fs::read(self.place.log()).unwrap_or_default();
        let log = String::from_utf8_lossy(&log);
        let bad = |line: &&str| line.contains("FATAL") || line.contains("PANIC");
        let line = log.lines().rfind(bad).or_else(|| log.lines().last());
        line.unwrap_or("it said nothing").trim().to_owned()
    }
}

fn works_in(pid: Pid, folder: &Path) -> bool {
    fs::read_link(format!("/proc/{pid}/cwd")).is_ok_and(|cwd| cwd == folder)
}

fn anybody_works_in(folder: &Path) -> bool {
    let entries = fs::read_dir("/proc").into_iter().flatten().flatten();
    entries
        .filter_map(|entry| entry.file_name().to_str()?.parse().ok())
        .any(|pid| works_in(Pid::from_raw(pid), folder))
}
