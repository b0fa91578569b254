//! The file's own shape: everything optional, unknown keys refused.

use std::path::{Path, PathBuf};

use serde::Deserialize;

use super::Environment;
use super::audit::RawAudit;
use super::check::ConfigErrors;
use super::sign_in::RawSignIn;

#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Raw {
    pub(super) listen: Option<String>,
    pub(super) metrics_listen: Option<String>,
    pub(super) public_url: Option<String>,
    pub(super) data_dir: Option<PathBuf>,
    pub(super) site_dir: Option<PathBuf>,
    pub(super) database_url_file: Option<PathBuf>,
    pub(super) migration_url_file: Option<PathBuf>,
    pub(super) trusted_proxies: Option<Vec<String>>,
    pub(super) log: Option<String>,
    pub(super) backup_recipient: Option<String>,
    pub(super) backup_days: Option<u32>,
    pub(super) mail_server_file: Option<PathBuf>,
    pub(super) mail_from: Option<String>,
    pub(super) github_token_file: Option<PathBuf>,
    pub(super) github_api_url: Option<String>,
    pub(super) rotation_log_author: Option<String>,
    #[serde(default)]
    pub(super) audit: RawAudit,
    #[serde(default)]
    pub(super) sign_in: RawSignIn,
    #[serde(default)]
    pub(super) gateways: Vec<RawGateway>,
    #[serde(skip)]
    pub(super) read_from: String,
}

#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct RawGateway {
    pub(super) id: Option<String>,
    pub(super) name: Option<String>,
    pub(super) docker: Option<String>,
    pub(super) docker_ca: Option<PathBuf>,
    pub(super) docker_cert: Option<PathBuf>,
    pub(super) docker_key: Option<PathBuf>,
    pub(super) compose_dir: Option<PathBuf>,
    pub(super) service: Option<String>,
    pub(super) internal_url: Option<String>,
    pub(super) public_url: Option<String>,
    pub(super) ca_file: Option<PathBuf>,
    pub(super) stand_in: Option<String>,
    pub(super) whatsapp_plugin: Option<String>,
    pub(super) probe_seconds: Option<u64>,
    pub(super) edge_seconds: Option<u64>,
    pub(super) github_repository: Option<String>,
    pub(super) github_secret: Option<String>,
    pub(super) rotation_log_repository: Option<PathBuf>,
    pub(super) rotation_log_file: Option<String>,
    pub(super) rotation_log_push: Option<bool>,
    pub(super) rotate_key_needs_second_person: Option<bool>,
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
        // Without the line itself, which the whole error would quote: it may hold a secret.
        let line = error.span().and_then(|span| text.get(..span.start));
        let line = line.map_or(1, |before| before.matches('\n').count() + 1);
        let why = error.message();
        ConfigErrors::one(format!(
            "{shown} is not a valid configuration, line {line}: {why}"
        ))
    })?;
    raw.read_from = shown.to_string();
    Ok(raw)
}
