//! Why there is no private cluster; every sentence says what to do.

use std::io;
use std::path::{Path, PathBuf};

/// Why the private cluster cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum ClusterError {
    /// No Postgres programs.
    #[error(
        "Postgres is not installed (looked in the PATH, in /usr/lib/postgresql and asked pg_config): \
         run `apt-get install postgresql`, or set the URL of a database of your own"
    )]
    NoPrograms,
    /// The data folder was made by another major version.
    #[error(
        "the database in {} was made by Postgres {made_by}, but only version {found} was found: \
         run `apt-get install postgresql-{made_by}`",
        folder.display()
    )]
    OtherVersion {
        /// The data folder.
        folder: PathBuf,
        /// Its version.
        made_by: String,
        /// The version of the programs.
        found: String,
    },
    /// Not enough disk.
    #[error(
        "the disk of {} has {free_mb} MB free, and the database needs {wanted_mb} MB to start: \
         make room there, or set a data folder on a larger disk",
        folder.display()
    )]
    DiskFull {
        /// The folder.
        folder: PathBuf,
        /// What is free.
        free_mb: u64,
        /// What is needed.
        wanted_mb: u64,
    },
    /// Somebody else's folder.
    #[error(
        "{} belongs to user {owner}, but the panel runs as {user}: run it as {owner} or as root, \
         or run `chown -R {user} {}`",
        folder.display(),
        folder.display()
    )]
    WrongOwner {
        /// The folder.
        folder: PathBuf,
        /// Whose it is.
        owner: String,
        /// Who we are.
        user: String,
    },
    /// Postgres refuses to run as root, and the user it would run as cannot get at its folder.
    #[error(
        "Postgres runs as user {user}, who may not enter {}: run `chmod o+x {}`, or set a data \
         folder such as /var/lib/openclaw-panel",
        folder.display(),
        folder.display()
    )]
    NotEntered {
        /// The folder that keeps the user out.
        folder: PathBuf,
        /// The user.
        user: String,
    },
    /// Root, and nobody to run Postgres as.
    #[error(
        "Postgres refuses to run as root, and there is no user `postgres`: run `apt-get install \
         postgresql`, or start the panel as an ordinary user"
    )]
    NoAccount,
    /// The folder for the socket is not ours.
    #[error("{} exists but is not a folder of user {user} alone: remove it", folder.display())]
    SocketFolder {
        /// The folder.
        folder: PathBuf,
        /// Whose it should be.
        user: String,
    },
    /// A program of Postgres failed.
    #[error("{program} failed: {said}")]
    Program {
        /// Which.
        program: &'static str,
        /// Its last words.
        said: String,
    },
    /// Postgres ended at once or does not get ready.
    #[error("Postgres did not start: {said} (more in {})", log.display())]
    NotStarted {
        /// Its last words.
        said: String,
        /// Its log.
        log: PathBuf,
    },
    /// Another process starts or stops it, for ever.
    #[error(
        "another process has been starting or stopping the database in {} for too long: look at it, \
         then try again",
        folder.display()
    )]
    Locked {
        /// Where.
        folder: PathBuf,
    },
    /// It runs but cannot be connected to.
    #[error("the database was started but does not let the panel in")]
    Connect(#[source] sqlx::Error),
    /// It does not stop.
    #[error("Postgres (process {pid}) does not stop: end it by hand")]
    NotStopped {
        /// Its process.
        pid: i32,
    },
    /// A file or folder.
    #[error("{doing} {} failed", path.display())]
    File {
        /// What was tried: `making`.
        doing: &'static str,
        /// Where.
        path: PathBuf,
        /// Why.
        #[source]
        source: io::Error,
    },
}

/// For `map_err`: what was tried, and where.
pub(super) fn file(
    doing: &'static str,
    path: &Path,
) -> impl FnOnce(io::Error) -> ClusterError + use<> {
    let path = path.to_owned();
    move |source| ClusterError::File {
        doing,
        path,
        source,
    }
}
