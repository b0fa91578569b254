//! A strict reader of a Docker Compose file and its `.env`.
//!
//! Pure: no Docker, no network, and files only through [`Files`]. What the panel would not carry
//! out is an error that names file, line and key; nothing is silently left out. No error and no
//! `Debug` holds a value that could have come out of `.env`.
//!
//! What it accepts means what docker compose makes of it: interpolation, precedence, YAML scalars
//! (`010` is eight), names and labels. It knowingly differs where compose guesses or loses
//! something:
//! - a key or list entry twice, text after a closing quote in `.env`, shell operators in a
//!   `command` that no shell reads, and settings of an external network are refused;
//! - a message in `${NAME:?message}` is shown as written, because interpolated it could hold a
//!   secret;
//! - volumes without a name, and everything that adds to the compose file from elsewhere (override
//!   files, `include`, `extends`, `COMPOSE_FILE`), are refused;
//! - `build` is only noted when an `image` stands beside it, as the panel never builds.

mod config_hash;
mod debug;
pub mod env_file;
mod error;
mod fields;
mod interpolate;
mod labels;
mod model;
mod read;
mod shell_words;
mod units;
mod variables;
mod yaml;

use std::collections::BTreeMap;
use std::io;
use std::path::Path;

pub use error::{ComposeError, Place};
pub use model::{
    Check, Condition, Dependency, ExposedPort, ExtraHost, Healthcheck, Ipam, IpamPool, Logging,
    Mount, Network, NetworkMode, Port, Project, Protocol, PullPolicy, RestartPolicy, Service,
    ServiceNetwork, Ulimit, VariableSource, VariableUse, Volume,
};

/// Where the reader gets its files from. A closure `Fn(&Path) -> io::Result<String>` is one.
pub trait Files {
    /// The whole text of a file. A missing one is [`io::ErrorKind::NotFound`].
    fn read(&self, path: &Path) -> io::Result<String>;
}

impl<F: Fn(&Path) -> io::Result<String>> Files for F {
    fn read(&self, path: &Path) -> io::Result<String> {
        self(path)
    }
}

/// Reads the compose file in `folder` (`compose.yaml`, `compose.yml`, `docker-compose.yml` or
/// `docker-compose.yaml`, the first there is) with its `.env`. Names in `environment` win over
/// those in `.env`.
pub fn read_project(
    folder: &Path,
    files: &dyn Files,
    environment: &BTreeMap<String, String>,
) -> Result<Project, ComposeError> {
    read::project(folder, files, environment)
}
