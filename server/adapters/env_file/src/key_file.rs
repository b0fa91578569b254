//! Which line of `.env` holds the key, and how the file is replaced.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::io::{self, ErrorKind};
use std::os::unix::fs::MetadataExt as _;
use std::path::{Path, PathBuf};

use compose::env_file::EnvFile;
use compose::{Project, VariableSource};
use domain::fault::{Boundary, Fault, FaultKind};
use nix::unistd::{self, AccessFlags};
use secrecy::{ExposeSecret as _, SecretString};

use crate::fault::{file, invalid};
use crate::files::{self, Owner};

/// Takes the place of the key, to see whether a line decides it.
const PROBE: &str = "0000000000000000000000000000000000000000000000000000000000000000";
/// Bits of a mode that let others than the owner in.
const OTHERS: u32 = 0o077;

/// The `.env` of a compose folder, in which one line holds the gateway's key.
#[derive(Clone)]
pub struct KeyFile {
    folder: PathBuf,
    service: String,
    /// As the service's environment calls it.
    inside: String,
    /// Variables that win over `.env`.
    environment: BTreeMap<String, String>,
}

/// The file and the line, as they were found.
pub struct Found {
    /// The file itself, where `.env` is a link to it.
    pub(crate) path: PathBuf,
    pub(crate) text: SecretString,
    owner: Owner,
    /// The variable of `.env`.
    pub variable: String,
    /// The key.
    pub value: SecretString,
    /// What happens on the way, in sentences.
    pub notices: Vec<String>,
}

impl Found {
    /// The file, as people know it.
    pub fn file(&self) -> String {
        self.path.display().to_string()
    }

    /// Writes another text in the file's place, unless somebody changed it since it was self.
    pub(crate) fn replace(&self, text: &SecretString) -> Result<(), Fault> {
        let path = &self.path;
        let now = fs::read_to_string(path)
            .map_err(|error| file(Boundary::Compose, "reading", path, &error))?;
        if now != self.text.expose_secret() {
            return Err(invalid(format!(
                "Somebody else changed {} at the same moment.",
                path.display()
            ))
            .retryable());
        }
        files::replace(path, text.expose_secret().as_bytes(), Some(self.owner))
            .map_err(|error| file(Boundary::Compose, "writing", path, &error))
    }
}

impl KeyFile {
    /// The key that `service` of the compose file in `folder` gets as its variable `inside`.
    pub fn new(
        folder: PathBuf,
        service: String,
        inside: String,
        environment: BTreeMap<String, String>,
    ) -> Self {
        Self {
            folder,
            service,
            inside,
            environment,
        }
    }

    /// Finds the line.
    ///
    /// # Errors
    /// `Invalid` with what to do when there is none, there are two, or the file could not be replaced.
    pub fn look(&self) -> Result<Found, Fault> {
        let written = self.folder.join(".env");
        let reading = |path: &Path, error: &io::Error| match error.kind() {
            ErrorKind::NotFound => invalid(format!(
                "There is no {}. Copy .env.example there and write the key into it.",
                path.display()
            )),
            ErrorKind::InvalidData => invalid(format!("{} is not UTF-8 text.", path.display())),
            _ => file(Boundary::Compose, "reading", path, error),
        };
        let path = fs::canonicalize(&written).map_err(|error| reading(&written, &error))?;
        let meta = fs::metadata(&path).map_err(|error| reading(&path, &error))?;
        if !meta.is_file() {
            return Err(invalid(format!("{} is not a file.", path.display())));
        }
        let text = fs::read_to_string(&path).map_err(|error| reading(&path, &error))?;
        let (variable, value) = self.line(&text)?;
        let mut notices = Vec::new();
        let linked = fs::symlink_metadata(&written).is_ok_and(|meta| meta.file_type().is_symlink());
        if linked {
            notices.push(format!(
                "`.env` is a link to {}; that file is changed.",
                path.display()
            ));
        }
        if meta.mode() & OTHERS != 0 {
            notices.push(format!(
                "{} may be read by others than its owner (mode {:04o}); it becomes 0600.",
                path.display(),
                meta.mode() & 0o7777
            ));
        }
        let owner = Owner {
            user: meta.uid(),
            group: meta.gid(),
        };
        replaceable(&path, owner, meta.nlink())?;
        Ok(Found {
            path,
            text: SecretString::from(text),
            owner,
            variable,
            value: SecretString::from(value),
            notices,
        })
    }

    /// The key that a text of `.env` gives the service.
    pub(crate) fn value_in(&self, text: &str) -> Result<SecretString, Fault> {
        let project = self.project(text)?;
        self.inside(&project).map(SecretString::from)
    }

    /// `text` with another key, and nothing else changed.
    pub(crate) fn with_key(
        &self,
        text: &str,
        variable: &str,
        key: &SecretString,
    ) -> Result<SecretString, Fault> {
        let told = |error: compose::env_file::EnvFileError| {
            invalid(format!("{}: {error}.", self.folder.join(".env").display()))
        };
        let mut env = EnvFile::parse(text).map_err(told)?;
        env.set(variable, key.expose_secret()).map_err(told)?;
        let changed = env.to_string();
        if self.value_in(&changed)?.expose_secret() != key.expose_secret() {
            return Err(invalid(format!(
                "The key would not reach the gateway: compose makes another value of `{variable}`. Write that line as \
                 NAME=value, without references."
            )));
        }
        Ok(SecretString::from(changed))
    }

    /// The variable of `.env` that decides the key, and the key.
    fn line(&self, text: &str) -> Result<(String, String), Fault> {
        let project = self.project(text)?;
        let value = self.inside(&project)?;
        let path = self.folder.join(".env");
        let env = EnvFile::parse(text)
            .map_err(|error| invalid(format!("{}: {error}.", path.display())))?;
        let named: BTreeSet<&str> = env.names().map(|(name, _)| name).collect();
        let used = project.env_names_used.iter();
        let used = used.filter(|(name, used)| {
            used.source == VariableSource::DotEnv && named.contains(name.as_str())
        });
        for (name, _) in used {
            let mut changed = env.clone();
            match changed.set(name, PROBE) {
                Ok(()) => {
                    // What a probe breaks is not the key's line.
                    let decides = self
                        .project(&changed.to_string())
                        .and_then(|project| self.inside(&project))
                        .is_ok_and(|value| value == PROBE);
                    if decides {
                        return Ok((name.clone(), value));
                    }
                }
                Err(error) if self.may_be(&env, name, &value) => {
                    return Err(invalid(format!("{}: {error}.", path.display())));
                }
                Err(_) => {}
            }
        }
        Err(invalid(format!(
            "{} does not take {inside} from a variable of .env, so the panel cannot change the key there. Write \
             `{inside}: ${{OPENCLAW_API_KEY}}` into the service's environment and OPENCLAW_API_KEY=… into .env.",
            project.file.display(),
            inside = self.inside
        )))
    }

    /// Whether a variable has the key's value: then what stands against changing it matters.
    fn may_be(&self, env: &EnvFile, name: &str, value: &str) -> bool {
        env.values(&self.environment)
            .is_ok_and(|values| values.get(name).is_some_and(|found| found == value))
    }

    fn inside(&self, project: &Project) -> Result<String, Fault> {
        let service = project.services.get(&self.service).ok_or_else(|| {
            invalid(format!(
                "{} has no service `{}`.",
                project.file.display(),
                self.service
            ))
        })?;
        let value = service.environment.get(&self.inside);
        value.filter(|value| !value.is_empty()).cloned().ok_or_else(|| {
            invalid(format!(
                "{} gives the service no {inside}: without a key of its own the gateway makes one up. Write \
                 `{inside}: ${{OPENCLAW_API_KEY}}` into its environment.",
                project.file.display(),
                inside = self.inside
            ))
        })
    }

    /// The folder as compose would read it with this text as its `.env`.
    fn project(&self, text: &str) -> Result<Project, Fault> {
        let env_file = self.folder.join(".env");
        let files = |path: &Path| {
            if path == env_file {
                Ok(text.to_owned())
            } else {
                fs::read_to_string(path)
            }
        };
        compose::read_project(&self.folder, &files, &self.environment)
            .map_err(|error| invalid(error.to_string()))
    }
}

/// Whether the panel can put another file in this one's place.
fn replaceable(path: &Path, owner: Owner, links: u64) -> Result<(), Fault> {
    let refused = |why: String| Err(Fault::new(FaultKind::Refused, Boundary::Compose, why));
    let shown = path.display();
    if links > 1 {
        return refused(format!(
            "{shown} has a second name (a hard link), which would keep the old key. Remove the second name."
        ));
    }
    let folder = path.parent().unwrap_or(path);
    if let Err(error) = unistd::access(folder, AccessFlags::W_OK | AccessFlags::X_OK) {
        return refused(format!(
            "The panel may not write into {}, so it cannot replace the file: {}.",
            folder.display(),
            io::Error::from(error)
        ));
    }
    let me = unistd::geteuid();
    if !me.is_root() && me.as_raw() != owner.user {
        return refused(format!(
            "{shown} belongs to another user (uid {}), and only root could keep it so. Make the panel's user (uid {me}) \
             its owner.",
            owner.user
        ));
    }
    Ok(())
}
