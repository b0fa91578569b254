//! The one typed configuration: file, then environment, then defaults; checked at start.
//!
//! Every error names the key, the value and what to do. Secrets come by file or environment only and
//! never appear in an error.

mod audit;
mod check;
mod file;
mod identity_provider;
mod repository;
mod sign_in;

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::time::Duration;

use adapter_git::{Author, Place};
use adapter_github::{Api, Secret, Token};
use adapter_mail::SmtpMail;
use domain::gateway::GatewayId;
use secrecy::SecretString;
use url::Url;

pub(crate) use audit::AuditConfig;
pub(crate) use check::ConfigErrors;
pub(crate) use sign_in::SignInConfig;

/// Everything the panel can be told.
#[derive(Debug)]
pub(crate) struct Config {
    /// Where the panel listens. Loopback, unless it stands in a container of its own.
    pub(crate) listen: std::net::SocketAddr,
    /// Where Prometheus reads metrics; `None` for nowhere.
    pub(crate) metrics_listen: Option<std::net::SocketAddr>,
    /// The URL people use; decides cookies and which origin may change things.
    pub(crate) public_url: Url,
    /// Where the panel keeps what is its own: private cluster, device keys.
    pub(crate) data_dir: PathBuf,
    /// The built site (CSS, wasm).
    pub(crate) site_dir: PathBuf,
    /// Your Postgres; `None` starts a private cluster in the data folder.
    pub(crate) database_url: Option<SecretString>,
    /// The same database as the role that owns the tables; `None` when the panel's own role does.
    pub(crate) migration_url: Option<SecretString>,
    /// Where checkpoints of the audit trail are sent.
    pub(crate) audit: AuditConfig,
    /// How people sign in.
    pub(crate) sign_in: SignInConfig,
    /// The mail server; `None` when the panel sends no mail.
    pub(crate) mail: Option<SmtpMail>,
    /// Proxies whose `X-Forwarded-For` is believed.
    pub(crate) trusted_proxies: Vec<std::net::IpAddr>,
    /// What to log, as `tracing` filters it.
    pub(crate) log: String,
    /// To whom backups are encrypted, as `age1…`; `None` for a key that the panel makes.
    pub(crate) backup_recipient: Option<String>,
    /// How long backups are kept.
    pub(crate) backups_kept_for: Duration,
    /// GitHub's API.
    pub(crate) github_api: Api,
    /// The token for it; `None` where no gateway has a secret there.
    pub(crate) github_token: Option<Token>,
    /// In whose name the log of rotations is committed.
    pub(crate) rotation_log_author: Author,
    /// The gateways, in the order they are shown.
    pub(crate) gateways: Vec<GatewayConfig>,
    /// What blinds a part of the panel but is no reason not to run: said by `config check` and at start.
    pub(crate) warnings: Vec<String>,
}

/// One gateway.
#[derive(Debug, Clone)]
pub(crate) struct GatewayConfig {
    /// Its id in URLs and tables.
    pub(crate) id: GatewayId,
    /// Its name for people.
    pub(crate) name: String,
    /// Its Docker Engine.
    pub(crate) docker: DockerEndpoint,
    /// Folder with the compose file and `.env`.
    pub(crate) compose_dir: PathBuf,
    /// Service within the compose file.
    pub(crate) service: String,
    /// URL that the panel itself uses.
    pub(crate) internal_url: Url,
    /// URL that users use, through the proxy.
    pub(crate) public_url: Url,
    /// A CA to trust besides the usual ones for `public_url`.
    pub(crate) ca_file: Option<PathBuf>,
    /// Control address of WhatsApp's stand-in, for the demo and tests; `None` for the real WhatsApp.
    pub(crate) stand_in: Option<Url>,
    /// From where the gateway gets its WhatsApp plugin, as `openclaw plugins install` takes it.
    pub(crate) whatsapp_plugin: String,
    /// Time between probes of the process and the accounts (10 to 30 s; jitter is added).
    pub(crate) probe_interval: Duration,
    /// Time between probes of the public URL.
    pub(crate) edge_interval: Duration,
    /// The repository's secret that holds its key, too; `None` when there is none.
    pub(crate) github_secret: Option<Secret>,
    /// The log of rotations; `None` when there is none.
    pub(crate) rotation_log: Option<Place>,
    /// Whether its key is changed only when a second person agrees.
    pub(crate) rotate_key_needs_second_person: bool,
}

/// How to reach a Docker Engine.
#[derive(Debug, Clone)]
pub(crate) enum DockerEndpoint {
    /// A socket on this host.
    Unix(PathBuf),
    /// TCP with TLS both ways.
    Tcp {
        /// `https://host:2376`.
        url: Url,
        /// The CA that signed the engine's certificate.
        ca: PathBuf,
        /// The panel's certificate.
        cert: PathBuf,
        /// Its key.
        key: PathBuf,
    },
}

impl Config {
    /// Reads the configuration. `file` is required when given; without it `panel.toml` in the working
    /// folder or `/etc/openclaw-panel/panel.toml` is used.
    ///
    /// # Errors
    /// All that is wrong, at once.
    pub(crate) fn load(
        file: Option<&Path>,
        environment: &dyn Environment,
    ) -> Result<Self, ConfigErrors> {
        let raw = file::read(file, environment)?;
        check::check(raw, environment)
    }

    /// The gateways whose key is changed only when a second person agrees.
    pub(crate) fn second_person(&self) -> BTreeSet<GatewayId> {
        let asking = self.gateways.iter();
        let asking = asking.filter(|gateway| gateway.rotate_key_needs_second_person);
        asking.map(|gateway| gateway.id.clone()).collect()
    }
}

/// The process environment, as a value, so that tests can give their own.
pub(crate) trait Environment {
    /// The value of a variable; `None` when unset or not Unicode.
    fn get(&self, name: &str) -> Option<String>;
}

/// The real environment.
pub(crate) struct ProcessEnvironment;

impl Environment for ProcessEnvironment {
    #[expect(
        clippy::disallowed_methods,
        reason = "this is the one place where the environment is read"
    )]
    fn get(&self, name: &str) -> Option<String> {
        std::env::var(name).ok()
    }
}

impl Environment for std::collections::BTreeMap<String, String> {
    fn get(&self, name: &str) -> Option<String> {
        self.get(name).cloned()
    }
}

#[cfg(test)]
mod tests;
