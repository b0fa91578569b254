//! The machine's Postgres programs: from the PATH, from Debian's folders, or as `pg_config` says.

use std::ffi::OsStr;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Stdio;

use tokio::process::Command;

use super::error::ClusterError;

const DEBIANS: &str = "/usr/lib/postgresql";

#[derive(Clone, Debug)]
pub(super) struct Programs {
    folder: PathBuf,
}

impl Programs {
    /// Those that fit the cluster there is (`made_by`), or else the first that are found.
    pub(super) async fn find(
        given: Option<&Path>,
        made_by: Option<String>,
        data: &Path,
    ) -> Result<Self, ClusterError> {
        let mut other_version = None;
        for folder in candidates(given).await {
            let programs = Self { folder };
            let Some(found) = programs.version().await else {
                continue;
            };
            match &made_by {
                Some(made_by) if *made_by != found => other_version = other_version.or(Some(found)),
                _ => return Ok(programs),
            }
        }
        Err(match (other_version, made_by) {
            (Some(found), Some(made_by)) => ClusterError::OtherVersion {
                folder: data.to_owned(),
                made_by,
                found,
            },
            _ => ClusterError::NoPrograms,
        })
    }

    pub(super) fn postgres(&self) -> PathBuf {
        self.folder.join("postgres")
    }

    pub(super) fn initdb(&self) -> PathBuf {
        self.folder.join("initdb")
    }

    /// `15`; `None` when these are no Postgres programs.
    async fn version(&self) -> Option<String> {
        if !self.initdb().is_file() {
            return None;
        }
        let said = ask(&self.postgres(), "--version").await?;
        major(&said).map(str::to_owned)
    }
}

/// `postgres (PostgreSQL) 15.14 (Debian 15.14-0+deb12u1)`: `15`.
fn major(said: &str) -> Option<&str> {
    let number = said
        .split_whitespace()
        .find(|word| word.starts_with(|letter: char| letter.is_ascii_digit()))?;
    number.split(|letter: char| !letter.is_ascii_digit()).next()
}

async fn candidates(given: Option<&Path>) -> Vec<PathBuf> {
    if let Some(given) = given {
        return vec![given.to_owned()];
    }
    let path = std::env::var_os("PATH").unwrap_or_default();
    let mut folders: Vec<PathBuf> = std::env::split_paths(&path).collect();
    folders.extend(debians());
    if let Some(folder) = ask(Path::new("pg_config"), "--bindir").await {
        folders.push(PathBuf::from(folder.trim()));
    }
    folders
}

/// Newest first.
fn debians() -> Vec<PathBuf> {
    let entries = fs::read_dir(DEBIANS).into_iter().flatten().flatten();
    let mut versions: Vec<(u32, PathBuf)> = entries
        .filter_map(|entry| {
            let version = entry.file_name().to_str()?.parse().ok()?;
            Some((version, entry.path().join("bin")))
        })
        .collect();
    versions.sort_by_key(|(version, _)| core::cmp::Reverse(*version));
    versions.into_iter().map(|(_, folder)| folder).collect()
}

async fn ask(program: &Path, question: &str) -> Option<String> {
    let answer = Command::new(AsRef::<OsStr>::as_ref(program))
        .arg(question)
        .stdin(Stdio::null())
        .stderr(Stdio::null())
        .output()
        .await
        .ok()?;
    answer
        .status
        .success()
        .then(|| String::from_utf8_lossy(&answer.stdout).into_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_major_version_is_read_from_what_postgres_says() {
        assert_eq!(
            major("postgres (PostgreSQL) 15.14 (Debian 15.14-0+deb12u1)"),
            Some("15")
        );
        assert_eq!(major("postgres (PostgreSQL) 18beta1"), Some("18"));
        assert_eq!(major("something else"), None);
    }
}
