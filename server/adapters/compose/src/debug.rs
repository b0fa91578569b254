//! `Debug` of the types into which secrets are interpolated: names and counts, never values.

use std::collections::BTreeMap;
use std::fmt;

use crate::model::{Check, Healthcheck, Project, Service};

/// Prints the keys of a map and none of its values.
struct Names<'a>(&'a BTreeMap<String, String>);

impl fmt::Debug for Names<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_set().entries(self.0.keys()).finish()
    }
}

/// Prints how many words a command has.
struct Words<'a>(&'a Option<Vec<String>>);

impl fmt::Debug for Words<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.0 {
            Some(words) => write!(f, "[{} words]", words.len()),
            None => f.write_str("None"),
        }
    }
}

impl fmt::Debug for Project {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Project")
            .field("name", &self.name)
            .field("file", &self.file)
            .field("services", &self.services)
            .field("networks", &self.networks.keys())
            .field("volumes", &self.volumes.keys())
            .finish_non_exhaustive()
    }
}

impl fmt::Debug for Service {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Service")
            .field("image", &self.image)
            .field("container_name", &self.container_name)
            .field("hostname", &self.hostname)
            .field("restart", &self.restart)
            .field("ports", &self.ports)
            .field("environment", &Names(&self.environment))
            .field("environment_unset", &self.environment_unset)
            .field("labels", &Names(&self.labels))
            .field("mounts", &self.mounts)
            .field("networks", &self.networks)
            .field("network_mode", &self.network_mode)
            .field("command", &Words(&self.command))
            .field("entrypoint", &Words(&self.entrypoint))
            .field("healthcheck", &self.healthcheck)
            .finish_non_exhaustive()
    }
}

impl fmt::Debug for Healthcheck {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Disabled => f.write_str("Disabled"),
            Self::Check(check) => f.debug_tuple("Check").field(check).finish(),
        }
    }
}

impl fmt::Debug for Check {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Check")
            .field("test", &Words(&self.test))
            .field("interval", &self.interval)
            .field("timeout", &self.timeout)
            .field("start_period", &self.start_period)
            .field("start_interval", &self.start_interval)
            .field("retries", &self.retries)
            .finish()
    }
}
