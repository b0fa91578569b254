//! What runs against what the compose folder says, before a recreate.

use serde::{Deserialize, Serialize};

/// One difference, each side in words. Environment values are never shown, only that they differ.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Difference {
    /// What differs: `image`, `environment OPENCLAW_GATEWAY_TOKEN`, `memory limit`.
    pub what: String,
    /// As the container runs now; `not set` when absent.
    pub running: String,
    /// As the compose folder says; `not set` when absent.
    pub wanted: String,
}

/// The container that the compose folder asks for, and how the present one differs from it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Comparison {
    /// The compose file that was read.
    pub file: String,
    /// The compose project.
    pub project: String,
    /// Name the container must have.
    pub container_name: String,
    /// Image named by the file.
    pub image: String,
    /// Id of that image on the host; `None` when it is not there.
    pub image_id: Option<String>,
    /// Fingerprint of the whole wanted configuration, secrets included (hashed): the plan holds it, so
    /// that a file changed between look and act is noticed.
    pub fingerprint: String,
    /// Whether the file fixes the host name (see the owner lease).
    pub fixed_hostname: bool,
    /// Seconds that a stop may take before the container is killed.
    pub stop_grace_seconds: u32,
    /// Every difference to the container that runs; empty when there is none or they match.
    pub differences: Vec<Difference>,
    /// What the file asks for and the panel does not do, as sentences.
    #[serde(default)]
    pub notes: Vec<String>,
}
