//! Environment, command, labels and the rest of what an image may bring.

use bollard::models::{
    ContainerConfig, ContainerCreateBody, ContainerInspectResponse, HealthConfig, ImageConfig,
};
use std::collections::BTreeMap;
use std::time::Duration;

use domain::words;

use super::{Collector, Side};

const DEFAULT_STOP_SECONDS: i64 = 10;

/// What Docker makes of a create request: the image fills what was left open.
pub(crate) fn merged(body: &ContainerCreateBody, image: Option<&ImageConfig>) -> ContainerConfig {
    let none = ImageConfig::default();
    let image = image.unwrap_or(&none);
    let mut env: BTreeMap<&str, &str> = pairs(image.env.as_ref());
    env.extend(pairs(body.env.as_ref()));
    for bare in body.env.iter().flatten().filter(|one| !one.contains('=')) {
        env.remove(bare.as_str());
    }
    let mut labels = image.labels.clone().unwrap_or_default();
    labels.extend(body.labels.clone().unwrap_or_default());
    let mut exposed = image.exposed_ports.clone().unwrap_or_default();
    exposed.extend(body.exposed_ports.clone().unwrap_or_default());
    let (mut cmd, mut entrypoint) = (body.cmd.clone(), body.entrypoint.clone());
    if entrypoint.as_ref().is_none_or(Vec::is_empty) {
        if cmd.as_ref().is_none_or(Vec::is_empty) {
            cmd.clone_from(&image.cmd);
        }
        if entrypoint.is_none() {
            entrypoint.clone_from(&image.entrypoint);
        }
    }
    ContainerConfig {
        hostname: body.hostname.clone(),
        domainname: body.domainname.clone(),
        user: filled(body.user.as_ref()).or_else(|| image.user.clone()),
        env: Some(
            env.into_iter()
                .map(|(name, value)| format!("{name}={value}"))
                .collect(),
        ),
        cmd,
        entrypoint,
        working_dir: filled(body.working_dir.as_ref()).or_else(|| image.working_dir.clone()),
        labels: Some(labels),
        tty: body.tty,
        open_stdin: body.open_stdin,
        stop_signal: filled(body.stop_signal.as_ref()).or_else(|| image.stop_signal.clone()),
        stop_timeout: body.stop_timeout,
        exposed_ports: Some(exposed),
        healthcheck: merged_health(body.healthcheck.as_ref(), image.healthcheck.as_ref()),
        ..ContainerConfig::default()
    }
}

/// Docker's default is the short id, new with every container: nobody asked for it. With the host's
/// network it is the host's name.
pub(super) fn forget_default_hostname(
    config: &mut ContainerConfig,
    inspect: &ContainerInspectResponse,
) {
    let host_mode = inspect
        .host_config
        .as_ref()
        .is_some_and(|host| host.network_mode.as_deref() == Some("host"));
    if host_mode || crate::inspect::hostname_is_default(inspect) {
        config.hostname = None;
    }
}

pub(super) fn collect(side: &Side<'_>, to: &mut Collector) {
    let none = ImageConfig::default();
    // When the old image is gone nobody can tell what it brought: then nothing counts as asked for.
    let known = side.image.is_some();
    let image = side.image.unwrap_or(&none);
    let config = side.config;

    let brought = pairs(image.env.as_ref());
    for (name, value) in pairs(config.env.as_ref()) {
        let explicit = known && brought.get(name) != Some(&value);
        to.add_secret(format!("environment {name}"), value, explicit);
    }
    for (name, value) in config.labels.iter().flatten() {
        let bookkeeping = ["com.docker.compose.", "desktop.docker.io/", "panel."];
        if bookkeeping.iter().any(|start| name.starts_with(start)) {
            continue;
        }
        let own = image.labels.as_ref().and_then(|labels| labels.get(name)) == Some(value);
        to.add_secret(format!("label {name}"), value.as_str(), known && !own);
    }
    let published = side.host.port_bindings.clone().unwrap_or_default();
    for port in config.exposed_ports.iter().flatten() {
        if !published.contains_key(port) {
            let own = image
                .exposed_ports
                .iter()
                .flatten()
                .any(|exposed| exposed == port);
            to.add(format!("exposed port {port}"), "exposed", known && !own);
        }
    }
    for (what, given, own) in [
        ("command", &config.cmd, &image.cmd),
        ("entrypoint", &config.entrypoint, &image.entrypoint),
    ] {
        if let Some(argv) = given.as_ref().filter(|argv| !argv.is_empty()) {
            to.add(what, written(argv), known && Some(argv) != own.as_ref());
        }
    }
    for (what, given, own) in [
        ("user", &config.user, &image.user),
        ("working folder", &config.working_dir, &image.working_dir),
    ] {
        if let Some(value) = filled(given.as_ref()) {
            let explicit = known && Some(&value) != own.as_ref();
            to.add(what, value, explicit);
        }
    }
    let signal = |signal: &Option<String>| {
        let bare = filled(signal.as_ref())
            .unwrap_or_else(|| "TERM".to_owned())
            .to_ascii_uppercase();
        let bare = bare.strip_prefix("SIG").unwrap_or(&bare).to_owned();
        if bare == "15" {
            "TERM".to_owned()
        } else {
            bare
        }
    };
    let (given, own) = (signal(&config.stop_signal), signal(&image.stop_signal));
    let explicit = given != own;
    to.add("stop signal", format!("SIG{given}"), explicit);
    let grace = config.stop_timeout.unwrap_or(DEFAULT_STOP_SECONDS);
    to.add(
        "stop grace period",
        format!("{grace} s"),
        grace != DEFAULT_STOP_SECONDS,
    );
    to.asked("host name", filled(config.hostname.as_ref()));
    to.asked("domain name", filled(config.domainname.as_ref()));
    to.asked("terminal", config.tty.filter(|on| *on).map(|_| "on"));
    to.asked(
        "standard input",
        config.open_stdin.filter(|on| *on).map(|_| "open"),
    );
    if let Some(check) = config.healthcheck.as_ref().and_then(health) {
        let own = image.healthcheck.as_ref().and_then(health);
        let explicit = known && Some(&check) != own.as_ref();
        to.add("health check", check, explicit);
    }
}

fn merged_health(
    asked: Option<&HealthConfig>,
    image: Option<&HealthConfig>,
) -> Option<HealthConfig> {
    let Some(asked) = asked else {
        return image.cloned();
    };
    let Some(image) = image else {
        return Some(asked.clone());
    };
    let number = |asked: Option<i64>, image: Option<i64>| asked.filter(|n| *n != 0).or(image);
    Some(HealthConfig {
        test: asked
            .test
            .clone()
            .filter(|test| !test.is_empty())
            .or_else(|| image.test.clone()),
        interval: number(asked.interval, image.interval),
        timeout: number(asked.timeout, image.timeout),
        retries: number(asked.retries, image.retries),
        start_period: number(asked.start_period, image.start_period),
        start_interval: number(asked.start_interval, image.start_interval),
    })
}

/// A health check in words; `None` when there is none.
fn health(check: &HealthConfig) -> Option<String> {
    let test = check.test.as_ref().filter(|test| !test.is_empty())?;
    if test.first().is_some_and(|word| word == "NONE") {
        return Some("off".to_owned());
    }
    let mut said = vec![written(test)];
    let times = [
        ("every", check.interval),
        ("at most", check.timeout),
        ("start period", check.start_period),
        ("start interval", check.start_interval),
    ];
    for (name, nanos) in times {
        if let Some(nanos) = nanos
            .and_then(|n| u64::try_from(n).ok())
            .filter(|n| *n != 0)
        {
            said.push(format!(
                "{name} {}",
                words::duration(Duration::from_nanos(nanos))
            ));
        }
    }
    if let Some(retries) = check.retries.filter(|n| *n != 0) {
        said.push(format!("{retries} tries"));
    }
    Some(said.join(", "))
}

/// A name without `=` sets nothing: it only takes away what the image sets.
fn pairs(env: Option<&Vec<String>>) -> BTreeMap<&str, &str> {
    env.into_iter()
        .flatten()
        .filter_map(|pair| pair.split_once('='))
        .collect()
}

fn filled(text: Option<&String>) -> Option<String> {
    text.filter(|text| !text.is_empty()).cloned()
}

/// Words as JSON, so that `["a b"]` and `["a","b"]` do not look the same.
fn written(argv: &[String]) -> String {
    serde_json::to_string(argv).unwrap_or_default()
}
