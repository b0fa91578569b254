//! Docker's names for the parts of a project, and the labels by which docker compose finds them.

use std::collections::BTreeMap;

use crate::model::{Condition, Project, ServiceNetwork};

/// What `com.docker.compose.version` says about containers made by the panel.
const VERSION: &str = concat!("openclaw-panel-", env!("CARGO_PKG_VERSION"));

impl Project {
    /// The name of the service's one container: `container_name`, else `<project>-<service>-1`.
    pub fn container_name(&self, service: &str) -> String {
        self.services
            .get(service)
            .and_then(|service| service.container_name.clone())
            .unwrap_or_else(|| format!("{}-{service}-1", self.name))
    }

    /// Docker's name of a network, by its key in the file: `name:`, else `<project>_<key>`.
    pub fn network_name(&self, key: &str) -> String {
        self.networks.get(key).map_or_else(
            || format!("{}_{key}", self.name),
            |network| network.name.clone(),
        )
    }

    /// Docker's name of a volume, by its key in the file: `name:`, else `<project>_<key>`.
    pub fn volume_name(&self, key: &str) -> String {
        self.volumes.get(key).map_or_else(
            || format!("{}_{key}", self.name),
            |volume| volume.name.clone(),
        )
    }

    /// What the container is called on a network, as compose does it: its own name, the name of the
    /// service, then the aliases written in the file, each once.
    pub fn network_aliases(&self, service: &str, network: &ServiceNetwork) -> Vec<String> {
        let mut aliases = vec![self.container_name(service)];
        for alias in std::iter::once(service).chain(network.aliases.iter().map(String::as_str)) {
            if !aliases.iter().any(|other| other == alias) {
                aliases.push(alias.to_owned());
            }
        }
        aliases
    }

    /// The labels of the service's container: those of the file, and the ones docker compose finds
    /// its containers by. Compose also sets `com.docker.compose.image` to the id of the image,
    /// which only the daemon knows.
    pub fn labels(&self, service: &str) -> BTreeMap<String, String> {
        let Some(definition) = self.services.get(service) else {
            return BTreeMap::new();
        };
        let mut labels = definition.labels.clone();
        let dependencies: Vec<String> = definition
            .depends_on
            .iter()
            .map(|(name, dependency)| {
                let condition = condition(dependency.condition);
                format!("{name}:{condition}:{}", dependency.restart)
            })
            .collect();
        for (label, value) in [
            ("project", self.name.clone()),
            ("service", service.to_owned()),
            ("container-number", "1".to_owned()),
            ("oneoff", "False".to_owned()),
            ("project.working_dir", self.folder.display().to_string()),
            ("project.config_files", self.file.display().to_string()),
            ("config-hash", self.config_hash(service).unwrap_or_default()),
            ("depends_on", dependencies.join(",")),
            ("version", VERSION.to_owned()),
        ] {
            labels.insert(format!("com.docker.compose.{label}"), value);
        }
        labels
    }

    /// The labels of a network that compose would recognise as its own.
    pub fn network_labels(&self, key: &str) -> BTreeMap<String, String> {
        let written = self.networks.get(key).map(|network| &network.labels);
        self.part_labels("network", key, written)
    }

    /// The labels of a volume that compose would recognise as its own.
    pub fn volume_labels(&self, key: &str) -> BTreeMap<String, String> {
        let written = self.volumes.get(key).map(|volume| &volume.labels);
        self.part_labels("volume", key, written)
    }

    fn part_labels(
        &self,
        kind: &str,
        key: &str,
        written: Option<&BTreeMap<String, String>>,
    ) -> BTreeMap<String, String> {
        let mut labels = written.cloned().unwrap_or_default();
        for (label, value) in [
            ("project", self.name.as_str()),
            (kind, key),
            ("version", VERSION),
        ] {
            labels.insert(format!("com.docker.compose.{label}"), value.to_owned());
        }
        labels
    }
}

fn condition(condition: Condition) -> &'static str {
    match condition {
        Condition::Started => "service_started",
        Condition::Healthy => "service_healthy",
        Condition::CompletedSuccessfully => "service_completed_successfully",
    }
}

#[cfg(test)]
mod tests;
