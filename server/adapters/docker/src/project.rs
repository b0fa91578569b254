//! The compose folder of a gateway.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use compose::env_file::EnvFile;
use compose::{ComposeError, Project, Service};
use domain::fault::{Boundary, Fault, FaultKind};
use domain::scrub::Scrubber;

use crate::GatewayDocker;
use crate::client::QUICK;

/// A compose file that has the gateway's service.
pub(crate) struct Read {
    pub(crate) project: Project,
    service: String,
    /// Secrets of `.env`, also those that no service uses.
    of_env_file: BTreeSet<String>,
}

impl Read {
    /// Fails when the file has no such service.
    pub(crate) fn new(project: Project, service: &str) -> Result<Self, Fault> {
        if !project.services.contains_key(service) {
            let there: Vec<&str> = project.services.keys().map(String::as_str).collect();
            return Err(invalid(format!(
                "{} has no service `{service}`, only {}: correct the service of this gateway.",
                project.file.display(),
                there.join(", ")
            )));
        }
        Ok(Self {
            project,
            service: service.to_owned(),
            of_env_file: BTreeSet::new(),
        })
    }

    pub(crate) fn name(&self) -> &str {
        &self.service
    }

    pub(crate) fn service(&self) -> &Service {
        // Checked when it was built.
        &self.project.services[&self.service]
    }

    pub(crate) fn container_name(&self) -> String {
        self.project.container_name(&self.service)
    }

    /// Values that must not be shown: those of variables whose name says so, in every service and
    /// in `.env`.
    pub(crate) fn secrets(&self) -> BTreeSet<String> {
        self.project
            .services
            .values()
            .flat_map(|service| &service.environment)
            .filter(|(name, _)| names_a_secret(name))
            .map(|(_, value)| value)
            .chain(&self.of_env_file)
            .cloned()
            .collect()
    }

    pub(crate) fn scrubber(&self) -> Scrubber {
        Scrubber::new(self.secrets())
    }
}

/// Whether a variable's name says that its value is a secret.
pub(crate) fn names_a_secret(name: &str) -> bool {
    let name = name.to_ascii_uppercase();
    ["TOKEN", "KEY", "SECRET", "PASSWORD", "PASSWD", "CREDENTIAL"]
        .iter()
        .any(|word| name.contains(word))
}

/// Reads the folder anew. Off the async threads and bounded: it may lie on a network drive.
pub(crate) async fn read(settings: &GatewayDocker) -> Result<Read, Fault> {
    let folder = settings.compose_dir.clone();
    let environment = settings.environment.clone();
    let reading = tokio::task::spawn_blocking(move || -> Result<_, ComposeError> {
        let files = |path: &Path| std::fs::read_to_string(path);
        let project = compose::read_project(&folder, &files, &environment)?;
        Ok((project, env_file_secrets(&folder, &environment)))
    });
    match tokio::time::timeout(QUICK, reading).await {
        Ok(Ok(Ok((project, secrets)))) => Ok(Read {
            of_env_file: secrets,
            ..Read::new(project, &settings.service)?
        }),
        Ok(Ok(Err(error))) => Err(unreadable(&error)),
        Ok(Err(_)) => Err(Fault::new(
            FaultKind::Unexpected,
            Boundary::Compose,
            "The panel failed while it read the compose folder; its own log says more.",
        )),
        Err(_) => Err(Fault::new(
            FaultKind::TimedOut,
            Boundary::Compose,
            format!(
                "The compose folder {} cannot be read: the disk does not answer.",
                settings.compose_dir.display()
            ),
        )),
    }
}

/// The reader has read the file already, so what is wrong with it was told.
fn env_file_secrets(folder: &Path, environment: &BTreeMap<String, String>) -> BTreeSet<String> {
    let text = std::fs::read_to_string(folder.join(".env")).unwrap_or_default();
    let values = EnvFile::parse(&text).and_then(|file| file.values(environment));
    values
        .unwrap_or_default()
        .into_iter()
        .filter(|(name, _)| names_a_secret(name))
        .map(|(_, value)| value)
        .collect()
}

fn unreadable(error: &ComposeError) -> Fault {
    let kind = match error {
        ComposeError::NoComposeFile { .. } => FaultKind::NotFound,
        ComposeError::Unreadable { .. } => FaultKind::Refused,
        _ => FaultKind::Invalid,
    };
    Fault::new(kind, Boundary::Compose, error.to_string())
}

/// Something in the compose folder cannot be carried out.
pub(crate) fn invalid(message: impl Into<String>) -> Fault {
    Fault::new(FaultKind::Invalid, Boundary::Compose, message)
}
