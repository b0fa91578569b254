//! The private cluster with real processes, each in a folder of its own.

use std::fs;
use std::io::{BufRead as _, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use adapter_store::{Cluster, ClusterConfig, ClusterError, Notice};
use domain::operation::Event;
use domain::ports::{Begun, Journal as _};
use futures::StreamExt as _;
use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;
use uuid::Uuid;

use crate::support::{Database, anna, restart};

/// A data folder that is removed, and whose Postgres is ended, however the test ends.
struct Folder(PathBuf);

impl Folder {
    fn new(name: &str) -> Self {
        let path = std::env::temp_dir().join(format!("panel-{}-{name}", std::process::id()));
        fs::create_dir_all(&path).unwrap();
        Self(path)
    }

    fn config(&self) -> ClusterConfig {
        ClusterConfig {
            data_folder: self.0.clone(),
            programs: None,
        }
    }

    fn data(&self) -> PathBuf {
        self.0.join("postgres/data")
    }

    fn postmaster(&self) -> Option<Pid> {
        let text = fs::read_to_string(self.data().join("postmaster.pid")).ok()?;
        text.lines().next()?.parse().ok().map(Pid::from_raw)
    }

    /// Every process that works on this cluster.
    fn processes(&self) -> Vec<Pid> {
        let works_here = |pid: &i32| {
            fs::read_link(format!("/proc/{pid}/cwd")).is_ok_and(|cwd| cwd.starts_with(self.data()))
        };
        fs::read_dir("/proc")
            .unwrap()
            .filter_map(|entry| entry.ok()?.file_name().to_str()?.parse().ok())
            .filter(works_here)
            .map(Pid::from_raw)
            .collect()
    }

    fn signal_all(&self, signal: Signal) {
        for pid in self.processes() {
            let _gone = kill(pid, signal);
        }
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        self.signal_all(Signal::SIGKILL);
        let _left = fs::remove_dir_all(&self.0);
    }
}

async fn until(what: &str, condition: impl Fn() -> bool) {
    let deadline = Instant::now() + Duration::from_secs(30);
    while !condition() {
        assert!(Instant::now() < deadline, "{what}");
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
}

#[tokio::test]
async fn it_is_made_started_used_and_stopped_and_keeps_what_it_was_given() {
    let folder = Folder::new("life");
    let cluster = Cluster::open(folder.config()).await.unwrap();
    let database = Database::at(String::new());
    let store = database.store_with(cluster.database()).await;
    let Begun::New(operation) = store
        .begin(restart(&database, anna(), "k"), Uuid::nil())
        .await
        .unwrap()
    else {
        panic!("not begun")
    };
    store.close().await;
    cluster.stop().await.unwrap();
    assert_eq!(folder.processes(), []);

    let cluster = Cluster::open(folder.config()).await.unwrap();
    let store = database.store_with(cluster.database()).await;
    assert!(store.operation(operation.id).await.unwrap().is_some());
    // The panel works as a role that owns nothing.
    assert!(!store.may_change_the_trail().await.unwrap());
    let password = fs::metadata(folder.0.join("postgres/worker-password")).unwrap();
    assert_eq!(
        std::os::unix::fs::MetadataExt::mode(&password) & 0o777,
        0o600
    );
    store.close().await;
    cluster.stop().await.unwrap();
    assert_eq!(folder.processes(), []);
}

#[tokio::test]
async fn nobody_else_can_enter_it() {
    use std::os::unix::fs::PermissionsExt as _;
    let folder = Folder::new("private");
    let cluster = Cluster::open(folder.config()).await.unwrap();
    for private in ["postgres", "postgres/data", "postgres/run"] {
        let mode = fs::metadata(folder.0.join(private))
            .unwrap()
            .permissions()
            .mode();
        assert_eq!(mode & 0o077, 0, "{private}");
    }
    let password = fs::metadata(folder.0.join("postgres/password")).unwrap();
    assert_eq!(password.permissions().mode() & 0o777, 0o600);
    let owner = fs::metadata(format!("/proc/{}", folder.postmaster().unwrap())).unwrap();
    assert_ne!(std::os::unix::fs::MetadataExt::uid(&owner), 0);
    let hba = fs::read_to_string(folder.data().join("pg_hba.conf")).unwrap();
    assert!(
        !hba.lines()
            .any(|line| !line.starts_with('#') && line.contains("trust"))
    );
    cluster.stop().await.unwrap();
}

#[tokio::test]
async fn the_last_one_out_stops_it() {
    let folder = Folder::new("users");
    let panel = Cluster::open(folder.config()).await.unwrap();
    let pid = folder.postmaster();
    let command_line = Cluster::open(folder.config()).await.unwrap();
    assert_eq!(folder.postmaster(), pid);
    panel.stop().await.unwrap();
    assert_eq!(folder.postmaster(), pid, "somebody still uses it");
    command_line.stop().await.unwrap();
    assert_eq!(folder.processes(), []);
}

#[tokio::test]
async fn one_that_was_left_behind_is_adopted() {
    let folder = Folder::new("orphan");
    drop(Cluster::open(folder.config()).await.unwrap());
    let pid = folder.postmaster();
    let cluster = Cluster::open(folder.config()).await.unwrap();
    assert_eq!(folder.postmaster(), pid);
    cluster.stop().await.unwrap();
    assert_eq!(folder.processes(), []);
}

#[tokio::test]
async fn a_stale_pid_that_belongs_to_somebody_else_by_now_does_not_keep_it_from_starting() {
    let folder = Folder::new("stale");
    Cluster::open(folder.config())
        .await
        .unwrap()
        .stop()
        .await
        .unwrap();
    let mut somebody = Command::new("sleep").arg("60").spawn().unwrap();
    let stale = format!(
        "{}\n{}\n0\n5432\n/x\n\n\nready\n",
        somebody.id(),
        folder.data().display()
    );
    fs::write(folder.data().join("postmaster.pid"), stale).unwrap();
    let cluster = Cluster::open(folder.config()).await.unwrap();
    assert_ne!(
        folder.postmaster().unwrap().as_raw(),
        i32::try_from(somebody.id()).unwrap()
    );
    cluster.stop().await.unwrap();
    somebody.kill().unwrap();
    somebody.wait().unwrap();
}

#[tokio::test]
async fn when_it_crashes_it_is_started_again_and_the_store_goes_on_by_itself() {
    let folder = Folder::new("crash");
    let cluster = Cluster::open(folder.config()).await.unwrap();
    let database = Database::at(String::new());
    let store = database.store_with(cluster.database()).await;
    let mut notices = Box::pin(store.listen());
    assert_eq!(notices.next().await, Some(Notice::Lagged));
    let Begun::New(operation) = store
        .begin(restart(&database, anna(), "k"), Uuid::nil())
        .await
        .unwrap()
    else {
        panic!("not begun")
    };
    let gateway = operation.command.gateway().clone();
    let grown = |sequence| Notice::Operation {
        id: operation.id,
        sequence,
        gateway: gateway.clone(),
    };
    assert_eq!(notices.next().await, Some(grown(0)));

    let pid = folder.postmaster().unwrap();
    kill(pid, Signal::SIGKILL).unwrap();
    let lagged = tokio::time::timeout(Duration::from_secs(30), notices.next()).await;
    assert_eq!(lagged.unwrap(), Some(Notice::Lagged));
    assert_ne!(folder.postmaster(), Some(pid));
    let cancel = Event::CancelAsked {
        by: "anna".to_owned(),
    };
    let written = store
        .append(operation.id, 1, cancel)
        .await
        .unwrap()
        .unwrap();
    assert_eq!(written.sequence, 1);
    assert_eq!(notices.next().await, Some(grown(1)));
    drop(notices);
    store.close().await;
    cluster.stop().await.unwrap();
    assert_eq!(folder.processes(), []);
}

#[tokio::test]
async fn while_postgres_does_not_answer_calls_give_up_soon_and_then_work_again() {
    let folder = Folder::new("frozen");
    let cluster = Cluster::open(folder.config()).await.unwrap();
    let mut config = cluster.database();
    config.call_timeout = Duration::from_secs(1);
    let database = Database::at(String::new());
    let store = database.store_with(config).await;
    store.ping().await.unwrap();
    folder.signal_all(Signal::SIGSTOP);
    for _ in 0..3 {
        let begin = Instant::now();
        let error = store.open().await.unwrap_err();
        assert_eq!(error.doing, "reading the open operations");
        assert!(begin.elapsed() < Duration::from_secs(2));
    }
    folder.signal_all(Signal::SIGCONT);
    let again = async {
        while store.open().await.is_err() {
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
    };
    tokio::time::timeout(Duration::from_secs(20), again)
        .await
        .unwrap();
    store.close().await;
    cluster.stop().await.unwrap();
}

#[tokio::test]
async fn a_folder_too_deep_for_a_socket_gets_its_socket_elsewhere() {
    let folder = Folder::new("deep");
    let deep = folder.0.join("d".repeat(60)).join("e".repeat(60));
    let config = ClusterConfig {
        data_folder: deep.clone(),
        programs: None,
    };
    let sockets = || {
        let folders = [Path::new("/run"), Path::new("/tmp")];
        let entries = folders
            .into_iter()
            .flat_map(|folder| fs::read_dir(folder).unwrap());
        let names = entries.map(|entry| entry.unwrap().file_name().into_string().unwrap());
        names
            .filter(|name| name.starts_with("openclaw-panel-") && name.len() == 31)
            .count()
    };
    let before = sockets();
    let cluster = Cluster::open(config).await.unwrap();
    assert_eq!(sockets(), before + 1);
    let database = Database::at(String::new());
    database.store_with(cluster.database()).await.close().await;
    cluster.stop().await.unwrap();
    assert_eq!(sockets(), before, "nothing is left behind");
}

#[tokio::test]
async fn half_a_cluster_is_thrown_away_and_missing_programs_are_said() {
    let folder = Folder::new("half");
    let config = ClusterConfig {
        data_folder: folder.0.clone(),
        programs: Some(Path::new("/nowhere").to_owned()),
    };
    let error = Cluster::open(config).await.err().unwrap();
    assert!(matches!(error, ClusterError::NoPrograms));
    assert!(
        error.to_string().contains("apt-get install postgresql"),
        "{error}"
    );
    fs::create_dir_all(folder.0.join("postgres/data.unfinished/base")).unwrap();
    Cluster::open(folder.config())
        .await
        .unwrap()
        .stop()
        .await
        .unwrap();
}

#[tokio::test]
async fn processes_that_race_to_start_it_share_one() {
    let folder = Folder::new("race");
    // Tests are built into `deps`, examples beside it.
    let tests = std::env::current_exe().unwrap();
    let program = tests
        .ancestors()
        .nth(2)
        .unwrap()
        .join("examples/use_cluster");
    let mut processes: Vec<_> = (0..3)
        .map(|_| {
            Command::new(&program)
                .arg(&folder.0)
                .stdin(Stdio::piped())
                .stdout(Stdio::piped())
                .spawn()
                .unwrap()
        })
        .collect();
    let mut pids = Vec::new();
    let mut outputs = Vec::new();
    for process in &mut processes {
        let mut lines = BufReader::new(process.stdout.take().unwrap()).lines();
        let line = lines.find_map(|line| {
            line.unwrap()
                .split_once("uses ")
                .map(|(_, pid)| pid.trim().to_owned())
        });
        pids.push(line.expect("the process ended before it used the cluster"));
        outputs.push(lines);
    }
    pids.dedup();
    assert_eq!(pids.len(), 1, "{pids:?}");
    // One is killed: the kernel takes its lock back.
    processes[0].kill().unwrap();
    for process in &mut processes {
        drop(process.stdin.take());
        process.wait().unwrap();
    }
    until("the last one stops it", || folder.processes().is_empty()).await;
}
