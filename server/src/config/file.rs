//! The file's own shape: everything optional, unknown keys refused.

use std::path::{Path, PathBuf};

use serde::Deserialize;

use super::Environment;
use super::check::ConfigErrors;

#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Raw {
    pub listen: Option<String>,
    pub public_url: Option<String>,
    pub data_dir: Option<PathBuf>,
    pub site_dir: Option<PathBuf>,
    pub database_url_file: Option<PathBuf>,
    pub trusted_proxies: Option<Vec<String>>,
    pub log: Option<String>,
    #[serde(default)]
    pub gateways: Vec<RawGateway>,
    #[serde(skip)]
    pub read_from: String,
}

#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct RawGateway {
    pub id: Option<String>,
    pub name: Option<String>,
    pub docker: Option<String>,
    pub docker_ca: Option<PathBuf>,
    pub docker_cert: Option<PathBuf>,
    pub docker_key: Option<PathBuf>,
    pub compose_dir: Option<PathBuf>,
    pub service: Option<String>,
    pub internal_url: Option<String>,
    pub public_url: Option<String>,
    pub ca_file: Option<PathBuf>,
    pub probe_seconds: Option<u64>,
    pub edge_seconds: Option<u64>,
}

const PLACES: [&str; 2] = ["panel.toml", "/etc/openclaw-panel/panel.toml"];

pub(super) fn read(
    file: Option<&Path>,
    environment: &dyn Environment,
) -> Result<Raw, ConfigErrors> {
    let given = file
        .map(Path::to_path_buf)
        .or_else(|| environment.get("PANEL_CONFIG").map(PathBuf::from));
    let path = match given {
        Some(path) => path,
        None => match PLACES
            .iter()
            .map(PathBuf::from)
            .find(|place| place.exists())
        {
            Some(path) => path,
            None => {
                return Err(ConfigErrors::one(format!(
                    "no configuration: neither {} exists; write one (the README has a table) or name it with --config",
                    PLACES.join(" nor ")
                )));
            }
        },
    };
    let shown = path.display();
    let text = std::fs::read_to_string(&path).map_err(|error| {
        ConfigErrors::one(format!("cannot read the configuration {shown}: {error}"))
    })?;
    let mut raw: Raw = toml::from_str(&text).map_err(|error| {
        ConfigErrors::one(format!("{shown} is not a valid configuration: {error}"))
    })?;
    raw.read_from = shown.to_string();
    Ok(raw)
}
