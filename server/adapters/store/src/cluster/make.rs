//! Making the cluster, once: `initdb`, then a rename, so that half a cluster is never used.

use std::fs;
use std::io;
use std::path::Path;
use std::process::Stdio;

use argon2::password_hash::rand_core::{OsRng, RngCore as _};
use tokio::process::Command;

use super::NAME;
use super::error::{ClusterError, file};
use super::place::{Account, Place};
use super::programs::Programs;

/// Under the start lock.
pub(super) async fn cluster(place: &Place, programs: &Programs) -> Result<(), ClusterError> {
    let unfinished = place.unfinished();
    match fs::remove_dir_all(&unfinished) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => {
            return Err(file("removing", &unfinished)(error));
        }
        _ => {}
    }
    let password = password();
    place.keep_password(&password)?;
    let lent = place.lend_password(&password)?;
    let made = initdb(place, programs, &unfinished, &lent).await;
    fs::remove_file(&lent).map_err(file("removing", &lent))?;
    made?;
    let data = place.data();
    fs::rename(&unfinished, &data).map_err(file("naming", &data))
}

async fn initdb(
    place: &Place,
    programs: &Programs,
    into: &Path,
    password_file: &Path,
) -> Result<(), ClusterError> {
    let initdb = programs.initdb();
    let mut command = command(&initdb, &place.account, place.folder());
    command
        .arg("--pgdata")
        .arg(into)
        .arg("--pwfile")
        .arg(password_file)
        .args(["--username", NAME, "--auth", "scram-sha-256"])
        .args(["--encoding", "UTF8", "--locale", "C.UTF-8"])
        .args(["--data-checksums", "--no-instructions"]);
    let output = command.output().await.map_err(file("running", &initdb))?;
    if output.status.success() {
        return Ok(());
    }
    let said = String::from_utf8_lossy(&output.stderr);
    let last = said
        .lines()
        .rfind(|line| line.contains("rror"))
        .or(said.lines().last());
    Err(ClusterError::Program {
        program: "initdb",
        said: last.unwrap_or("it said nothing").to_owned(),
    })
}

/// A program of Postgres: as its own user, with nothing of the panel's surroundings.
pub(super) fn command(program: &Path, account: &Account, folder: &Path) -> Command {
    let mut command = Command::new(program);
    command
        .env_clear()
        .env("PATH", "/usr/local/bin:/usr/bin:/bin")
        .env("LC_ALL", "C.UTF-8")
        .env("TZ", "UTC")
        .current_dir(folder)
        .stdin(Stdio::null());
    if account.is_other {
        // Also gives up every further group.
        command.uid(account.uid).gid(account.gid);
    }
    command
}

/// 64 hexadecimal digits.
pub(super) fn password() -> String {
    let mut bytes = [0_u8; 32];
    OsRng.fill_bytes(&mut bytes);
    bytes.iter().fold(String::with_capacity(64), |text, byte| {
        format!("{text}{byte:02x}")
    })
}
