//! What lives in the folder in which a gateway keeps all it knows: what a wipe would take.

use serde::{Deserialize, Serialize};

/// The contents of a gateway's state folder. Read from the files, so it is known of a gateway that does not run, too.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct Survey {
    /// The folder, in the container.
    pub folder: String,
    /// Where it really lies: the volume's name, or the host's folder of a bind mount.
    pub volume: String,
    /// How much all files take, in bytes.
    pub bytes: u64,
    /// Whether there is a configuration.
    pub config: bool,
    /// The accounts that have the files of a link.
    pub links: Vec<String>,
    /// Devices that are paired with the gateway, this panel's included.
    pub devices: u64,
    /// Agents, whose conversations go with them.
    pub agents: Vec<String>,
    /// Their workspaces: folders that begin with `workspace`.
    pub workspaces: Vec<String>,
    /// Plugins that were installed.
    pub plugins: Vec<String>,
}
