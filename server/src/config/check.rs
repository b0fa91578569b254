//! From the file's shape to the typed configuration, with every fault at once.

use std::fmt;
use std::net::IpAddr;
use std::path::{Path, PathBuf};
use std::time::Duration;

use adapter_backup::Vault;
use adapter_mail::{BadMailServer, SmtpMail};
use secrecy::SecretString;
use tracing_subscriber::EnvFilter;
use url::Url;

use super::audit;
use super::file::{Raw, RawGateway};
use super::repository;
use super::sign_in;
use super::{Config, DockerEndpoint, Environment, GatewayConfig};

/// All that is wrong with a configuration; one sentence each.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct ConfigErrors(Vec<String>);

impl ConfigErrors {
    pub(super) fn one(what: String) -> Self {
        Self(vec![what])
    }
}

impl fmt::Display for ConfigErrors {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0.join("\n"))
    }
}

impl std::error::Error for ConfigErrors {}

/// Collects faults, so that a person mends all of them in one go.
#[derive(Default)]
pub(super) struct Faults(pub(super) Vec<String>);

impl Faults {
    pub(super) fn add(&mut self, key: &str, value: &str, remedy: &str) {
        self.0.push(format!("{key} = {value:?}: {remedy}"));
    }

    pub(super) fn missing(&mut self, key: &str, remedy: &str) {
        self.0.push(format!("{key} is missing: {remedy}"));
    }
}

pub(super) fn check(raw: Raw, environment: &dyn Environment) -> Result<Config, ConfigErrors> {
    let mut faults = Faults::default();
    let mut warnings = Faults::default();
    // A value with the name under which it was given: that is where it has to be mended.
    let pick = |variable: &'static str, key: &'static str, value: Option<String>| match environment
        .get(variable)
    {
        Some(value) => (variable, Some(value)),
        None => (key, value),
    };

    let (key, listen) = pick("PANEL_LISTEN", "listen", raw.listen);
    let listen = listen.unwrap_or_else(|| "127.0.0.1:8700".to_owned());
    let listen_address = listen.parse().ok();
    if listen_address.is_none() {
        faults.add(
            key,
            &listen,
            "give address and port, for example 127.0.0.1:8700",
        );
    }
    let (key, metrics) = pick("PANEL_METRICS_LISTEN", "metrics_listen", raw.metrics_listen);
    let metrics_listen = metrics.and_then(|given| {
        let address = given.parse().ok();
        if address.is_none() {
            let remedy = "give address and port, for example 127.0.0.1:8701";
            faults.add(key, &given, remedy);
        }
        address
    });
    let public_url = match pick("PANEL_PUBLIC_URL", "public_url", raw.public_url) {
        (key, Some(value)) => web_url(key, &value, &mut faults),
        (_, None) => {
            faults.missing(
                "public_url",
                "the URL people open, for example https://panel.example.org",
            );
            None
        }
    };
    let written = |path: Option<PathBuf>| path.map(|path| path.display().to_string());
    let (key, data_dir) = pick("PANEL_DATA_DIR", "data_dir", written(raw.data_dir));
    let data_dir = data_dir.unwrap_or_else(|| "/var/lib/openclaw-panel".to_owned());
    let data_dir = PathBuf::from(data_dir);
    if !data_dir.is_absolute() {
        faults.add(
            key,
            &data_dir.display().to_string(),
            "give an absolute path",
        );
    }
    let (key, site_dir) = pick("PANEL_SITE_DIR", "site_dir", written(raw.site_dir));
    let site_dir = site_dir.unwrap_or_else(|| "/usr/share/openclaw-panel/site".to_owned());
    let site_dir = PathBuf::from(site_dir);
    if !site_dir.join("site.json").is_file() {
        faults.add(
            key,
            &site_dir.display().to_string(),
            "there is no built site (site.json) in it; `make site` builds one",
        );
    }
    let given = raw.database_url_file.as_deref();
    let database_url = database(&DATABASE, given, environment, &mut faults);
    let given = raw.migration_url_file.as_deref();
    let migration_url = database(&MIGRATION, given, environment, &mut faults);
    if migration_url.is_some() && database_url.is_none() && faults.0.is_empty() {
        faults.missing(
            "database_url_file",
            "migration_url_file names the owner of a database of yours, and there is none",
        );
    }
    let trusted_proxies = proxies(raw.trusted_proxies.unwrap_or_default(), &mut faults);
    let (key, log) = pick("PANEL_LOG", "log", raw.log);
    let log = log.unwrap_or_else(|| "info".to_owned());
    if let Err(error) = EnvFilter::try_new(&log) {
        let remedy = format!("give a level or a filter, for example info or panel=debug ({error})");
        faults.add(key, &log, &remedy);
    }
    let backup_recipient = raw.backup_recipient.filter(|given| {
        let fits = Vault::is_recipient(given);
        if !fits {
            let remedy = "give the public half of an age key, one word that begins with age1";
            faults.add("backup_recipient", given, remedy);
        }
        fits
    });
    let backup_days = raw.backup_days.unwrap_or(30);
    if !(1..=3650).contains(&backup_days) {
        faults.add(
            "backup_days",
            &backup_days.to_string(),
            "give 1 to 3650 days",
        );
    }

    let mail = mail(
        raw.mail_server_file.as_deref(),
        raw.mail_from.as_deref(),
        environment,
        &mut faults,
    );
    let audit = audit::check(raw.audit, mail.as_ref(), &data_dir, &mut faults);
    let sign_in = sign_in::check(raw.sign_in, &data_dir, &mut faults, &mut warnings);

    let github_api = repository::api(raw.github_api_url.as_deref(), &mut faults);
    let github_token = repository::token(
        raw.github_token_file,
        environment,
        &mut faults,
        &mut warnings,
    );
    let given = raw.rotation_log_author.as_deref();
    let rotation_log_author = repository::author(given, public_url.as_ref(), &mut faults);

    if raw.gateways.is_empty() {
        faults.missing(
            "[[gateways]]",
            "describe at least one gateway (the README has an example)",
        );
    }
    let mut gateways: Vec<GatewayConfig> = Vec::new();
    for (index, gateway) in raw.gateways.into_iter().enumerate() {
        if let Some(gateway) = check_gateway(index, gateway, &mut faults, &mut warnings) {
            if gateways.iter().any(|other| other.id == gateway.id) {
                faults.add(
                    &format!("gateways[{index}].id"),
                    gateway.id.as_str(),
                    "another gateway has this id",
                );
            }
            gateways.push(gateway);
        }
    }
    if github_token.is_none()
        && gateways
            .iter()
            .any(|gateway| gateway.github_secret.is_some())
    {
        faults.missing(
            "github_token_file",
            "the file with the token that may write the secret of github_repository",
        );
    }
    match (listen_address, public_url, github_api, rotation_log_author) {
        (Some(listen), Some(public_url), Some(github_api), Some(rotation_log_author))
            if faults.0.is_empty() =>
        {
            Ok(Config {
                listen,
                metrics_listen,
                public_url,
                data_dir,
                site_dir,
                database_url,
                migration_url,
                audit,
                sign_in,
                trusted_proxies,
                log,
                backup_recipient,
                backups_kept_for: Duration::from_secs(u64::from(backup_days) * 86_400),
                mail,
                github_api,
                github_token,
                rotation_log_author,
                gateways,
                warnings: warnings.0,
            })
        }
        _ => {
            let mut all = vec![format!("{} cannot be used:", raw.read_from)];
            all.extend(faults.0);
            all.extend(warnings.0);
            Err(ConfigErrors(all))
        }
    }
}

/// How a URL of a database is given.
struct DatabaseKey {
    variable: &'static str,
    file: &'static str,
    without: &'static str,
}

const DATABASE: DatabaseKey = DatabaseKey {
    variable: "DATABASE_URL",
    file: "database_url_file",
    without: "to let the panel run a private cluster",
};

/// The owner's.
const MIGRATION: DatabaseKey = DatabaseKey {
    variable: "MIGRATION_DATABASE_URL",
    file: "migration_url_file",
    without: "where the panel's own role owns the tables",
};

fn database(
    key: &DatabaseKey,
    file: Option<&Path>,
    environment: &dyn Environment,
    faults: &mut Faults,
) -> Option<SecretString> {
    let secret = match (environment.get(key.variable), file) {
        (Some(value), _) => value,
        (None, Some(path)) => match std::fs::read_to_string(path) {
            Ok(text) => text.trim().to_owned(),
            Err(error) => {
                let remedy =
                    format!("cannot be read ({error}); it must hold one line, the database URL");
                faults.add(key.file, &path.display().to_string(), &remedy);
                return None;
            }
        },
        (None, None) => return None,
    };
    // The value may hold a password: never quote it.
    if secret.starts_with("postgres://") || secret.starts_with("postgresql://") {
        Some(SecretString::from(secret))
    } else {
        faults.0.push(format!(
            "{} (or the file named by {}) must begin with postgres://; leave it out {}",
            key.variable, key.file, key.without
        ));
        None
    }
}

/// The value may hold a password: it is never quoted.
fn mail(
    file: Option<&Path>,
    from: Option<&str>,
    environment: &dyn Environment,
    faults: &mut Faults,
) -> Option<SmtpMail> {
    let server = match (environment.get("PANEL_MAIL_SERVER"), file) {
        (Some(value), _) => value,
        (None, Some(path)) => match std::fs::read_to_string(path) {
            Ok(text) => text.trim().to_owned(),
            Err(error) => {
                let remedy =
                    format!("cannot be read ({error}); it must hold one line, the server's URL");
                faults.add("mail_server_file", &path.display().to_string(), &remedy);
                return None;
            }
        },
        (None, None) => return None,
    };
    let Some(from) = from else {
        faults.missing(
            "mail_from",
            "who the panel's mail is from, for example panel@example.org",
        );
        return None;
    };
    match SmtpMail::new(&SecretString::from(server), from) {
        Ok(mail) => Some(mail),
        Err(BadMailServer::Sender) => {
            faults.add("mail_from", from, &BadMailServer::Sender.to_string());
            None
        }
        Err(error) => {
            faults.0.push(format!(
                "PANEL_MAIL_SERVER (or the file named by mail_server_file): {error}"
            ));
            None
        }
    }
}

fn proxies(given: Vec<String>, faults: &mut Faults) -> Vec<IpAddr> {
    let mut proxies = Vec::new();
    for value in given {
        match value.parse() {
            Ok(address) => proxies.push(address),
            Err(_) => faults.add(
                "trusted_proxies",
                &value,
                "give IP addresses, for example 127.0.0.1",
            ),
        }
    }
    proxies
}

fn check_gateway(
    index: usize,
    raw: RawGateway,
    faults: &mut Faults,
    warnings: &mut Faults,
) -> Option<GatewayConfig> {
    let before = faults.0.len();
    let key = |name: &str| format!("gateways[{index}].{name}");
    let id = match raw.id.as_deref().map(|id| (id, id.parse())) {
        Some((_, Ok(id))) => Some(id),
        Some((given, Err(_))) => {
            faults.add(&key("id"), given, "use 1 to 40 of a-z, 0-9 and `-`");
            None
        }
        None => {
            faults.missing(&key("id"), "a short name for URLs, for example openclaw");
            None
        }
    };
    let docker = docker(&key("docker"), &raw, faults);
    let compose_dir = match raw.compose_dir {
        Some(path) => {
            // The panel shows as much, and all else of this and every other gateway.
            if !path.is_dir() {
                let shown = path.display().to_string();
                warnings.add(&key("compose_dir"), &shown, "there is no such folder");
            }
            Some(path)
        }
        None => {
            faults.missing(
                &key("compose_dir"),
                "the folder with docker-compose.yml and .env",
            );
            None
        }
    };
    let internal_url = raw
        .internal_url
        .unwrap_or_else(|| "http://127.0.0.1:18789".to_owned());
    let internal_url = web_url(&key("internal_url"), &internal_url, faults);
    let public_url = match raw.public_url {
        Some(value) => web_url(&key("public_url"), &value, faults),
        None => {
            faults.missing(
                &key("public_url"),
                "the URL that users reach the gateway by",
            );
            None
        }
    };
    if let Some(path) = raw.ca_file.as_deref()
        && !path.is_absolute()
    {
        faults.add(
            &key("ca_file"),
            &path.display().to_string(),
            "give an absolute path",
        );
    }
    let stand_in = raw
        .stand_in
        .and_then(|value| web_url(&key("stand_in"), &value, faults));
    let whatsapp_plugin = raw
        .whatsapp_plugin
        .clone()
        .unwrap_or_else(|| "npm:@openclaw/whatsapp".to_owned());
    let strange = |c: char| c.is_whitespace() || c.is_control();
    // One from a path is loaded, and then not trusted with what WhatsApp needs (seen on 2026.9.6).
    if !whatsapp_plugin.starts_with("npm:") || whatsapp_plugin.contains(strange) {
        faults.add(
            &key("whatsapp_plugin"),
            &whatsapp_plugin,
            "give a package like npm:@openclaw/whatsapp, with @version if it is not to be the gateway's own",
        );
    }
    for (name, path) in [
        ("ca_file", &raw.ca_file),
        ("docker_ca", &raw.docker_ca),
        ("docker_cert", &raw.docker_cert),
        ("docker_key", &raw.docker_key),
    ] {
        if let Some(path) = path
            && let Err(error) = std::fs::File::open(path)
        {
            let shown = path.display().to_string();
            warnings.add(&key(name), &shown, &format!("cannot be read ({error})"));
        }
    }
    let probe = seconds(
        &key("probe_seconds"),
        raw.probe_seconds.unwrap_or(10),
        5,
        60,
        faults,
    );
    let edge = seconds(
        &key("edge_seconds"),
        raw.edge_seconds.unwrap_or(20),
        5,
        300,
        faults,
    );
    let github_secret = repository::secret(
        key,
        raw.github_repository.as_deref(),
        raw.github_secret.as_deref(),
        faults,
    );
    let rotation_log = repository::log(
        key,
        raw.rotation_log_repository,
        raw.rotation_log_file.as_deref(),
        raw.rotation_log_push,
        faults,
        warnings,
    );
    if faults.0.len() > before {
        return None;
    }
    let id: domain::gateway::GatewayId = id?;
    Some(GatewayConfig {
        name: raw.name.unwrap_or_else(|| id.to_string()),
        id,
        docker: docker?,
        compose_dir: compose_dir?,
        service: raw.service.unwrap_or_else(|| "openclaw-gateway".to_owned()),
        internal_url: internal_url?,
        public_url: public_url?,
        ca_file: raw.ca_file,
        stand_in,
        whatsapp_plugin,
        probe_interval: probe,
        edge_interval: edge,
        github_secret,
        rotation_log,
        rotate_key_needs_second_person: raw.rotate_key_needs_second_person.unwrap_or(false),
    })
}

fn docker(key: &str, raw: &RawGateway, faults: &mut Faults) -> Option<DockerEndpoint> {
    let given = raw
        .docker
        .clone()
        .unwrap_or_else(|| "unix:///var/run/docker.sock".to_owned());
    if let Some(path) = given.strip_prefix("unix://") {
        if path.starts_with('/') {
            return Some(DockerEndpoint::Unix(PathBuf::from(path)));
        }
    } else if let (Some(rest), Some(ca), Some(cert), Some(private)) = (
        given.strip_prefix("tcp://"),
        &raw.docker_ca,
        &raw.docker_cert,
        &raw.docker_key,
    ) && let Ok(url) = Url::parse(&format!("https://{rest}"))
    {
        return Some(DockerEndpoint::Tcp {
            url,
            ca: ca.clone(),
            cert: cert.clone(),
            key: private.clone(),
        });
    }
    faults.add(
        key,
        &given,
        "give unix:///path/to/docker.sock, or tcp://host:2376 with docker_ca, docker_cert and docker_key \
         (a Docker port without TLS is root for everybody who reaches it)",
    );
    None
}

fn web_url(key: &str, value: &str, faults: &mut Faults) -> Option<Url> {
    match Url::parse(value) {
        Ok(url)
            if matches!(url.scheme(), "http" | "https")
                && url.host().is_some()
                && url.path() == "/" =>
        {
            Some(url)
        }
        _ => {
            faults.add(key, value, "give http:// or https://, a host and no path, for example https://panel.example.org");
            None
        }
    }
}

fn seconds(key: &str, value: u64, least: u64, most: u64, faults: &mut Faults) -> Duration {
    if !(least..=most).contains(&value) {
        faults.add(
            key,
            &value.to_string(),
            &format!("give {least} to {most} seconds"),
        );
    }
    Duration::from_secs(value)
}
