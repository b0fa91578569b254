//! The gateway's own commands for its plugins, run in its container.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use adapter_docker::{DockerGateways, ExecOutput};
use async_trait::async_trait;
use domain::fact::ContainerState;
use domain::fault::{Boundary, Fault, FaultKind};
use domain::gateway::GatewayId;
use domain::ports::{Containers as _, Plugins};

/// Fetching took 16 s on two cores with a registry at hand; a slow line takes longer.
const FETCH: Duration = Duration::from_secs(8 * 60);
/// Node and the gateway's own code need some seconds to start.
const QUICK: Duration = Duration::from_secs(90);
/// What the gateway calls the plugin.
const WHATSAPP: &str = "whatsapp";

/// See the module.
#[derive(Clone)]
pub(crate) struct PluginStore {
    docker: DockerGateways,
    /// From where each gateway gets its WhatsApp plugin.
    sources: Arc<BTreeMap<GatewayId, String>>,
}

impl PluginStore {
    pub(crate) fn new(docker: DockerGateways, sources: BTreeMap<GatewayId, String>) -> Self {
        Self {
            docker,
            sources: Arc::new(sources),
        }
    }

    /// A package without a version is wanted in the gateway's own: another one may not load.
    async fn source(&self, gateway: &GatewayId) -> Result<String, Fault> {
        let wanted = self.sources.get(gateway).map_or("", String::as_str);
        if !lacks_version(wanted) {
            return Ok(wanted.to_owned());
        }
        let argv = ["node", "dist/index.js", "--version"];
        let output = self.docker.exec(gateway, &argv, QUICK).await?;
        let version = version(&output.stdout).ok_or_else(|| {
            Fault::new(
                FaultKind::Unexpected,
                Boundary::Gateway,
                "The gateway does not say which version it is, so which plugin fits is not known. Name one in the panel's \
                 configuration: whatsapp_plugin.",
            )
        })?;
        Ok(format!("{wanted}@{version}"))
    }

    async fn is_installed(&self, gateway: &GatewayId, runs: bool) -> Result<bool, Fault> {
        let argv = ["node", "dist/index.js", "plugins", "list", "--json"];
        let output = self.run(gateway, runs, &argv).await?;
        Ok(lists_whatsapp(&output.stdout))
    }

    async fn run(
        &self,
        gateway: &GatewayId,
        runs: bool,
        argv: &[&str],
    ) -> Result<ExecOutput, Fault> {
        if runs {
            self.docker.exec(gateway, argv, QUICK).await
        } else {
            self.docker.beside(gateway, argv, QUICK).await
        }
    }
}

/// Whether this names a package of a registry without saying which version.
fn lacks_version(source: &str) -> bool {
    let package = source.trim_start_matches("npm:");
    // The scope begins with an @, too.
    !package.get(1..).is_some_and(|rest| rest.contains('@'))
}

/// `OpenClaw 2026.9.6 (eb377ac)`, or the number alone.
fn version(said: &str) -> Option<&str> {
    let mut words = said.split_whitespace();
    words.find(|word| {
        let mut parts = word.split(['.', '-']);
        let year = parts.next().is_some_and(|year| year.len() == 4);
        let allowed = |c: char| c.is_ascii_alphanumeric() || c == '.' || c == '-';
        year && word.starts_with("20") && word.contains('.') && word.chars().all(allowed)
    })
}

/// Whether a list of plugins names an installed one for WhatsApp.
fn lists_whatsapp(said: &str) -> bool {
    let said: serde_json::Value = serde_json::from_str(said.trim()).unwrap_or_default();
    let plugins = said.get("plugins").and_then(serde_json::Value::as_array);
    plugins.into_iter().flatten().any(|plugin| {
        let text = |name: &str| plugin.get(name).and_then(serde_json::Value::as_str);
        text("id") == Some(WHATSAPP) && text("origin") != Some("bundled")
    })
}

/// Why the command failed: its last line, which names the cause. A path or a package in it is no secret; what could be a
/// value of the configuration is not in it.
fn why(output: &ExecOutput) -> String {
    let lines = output.stderr.lines().chain(output.stdout.lines());
    let told: Vec<&str> = lines
        .map(str::trim)
        .filter(|line| {
            let lower = line.to_lowercase();
            [
                "error",
                "fail",
                "npm",
                "not found",
                "enotfound",
                "timed out",
            ]
            .iter()
            .any(|word| lower.contains(word))
        })
        .collect();
    let told = told.first().copied().unwrap_or("it did not say why");
    told.chars().take(200).collect()
}

#[async_trait]
impl Plugins for PluginStore {
    async fn install_whatsapp(&self, gateway: &GatewayId) -> Result<String, Fault> {
        let source = self.source(gateway).await?;
        let argv = ["node", "dist/index.js", "plugins", "install", &source];
        let mut output = self.docker.exec(gateway, &argv, FETCH).await?;
        // Asked afterwards, as it takes as long as the rest: one that is there already is refused.
        if output.exit_code == 0 || self.is_installed(gateway, true).await? {
            // One that was removed before stays switched off, seen on 2026.9.6.
            let argv = ["node", "dist/index.js", "plugins", "enable", WHATSAPP];
            output = self.docker.exec(gateway, &argv, QUICK).await?;
        }
        if output.exit_code == 0 {
            return Ok(source);
        }
        Err(Fault::new(
            FaultKind::Refused,
            Boundary::Gateway,
            format!(
                "The gateway could not install {source}: {}. It needs a way to the npm registry, or whatsapp_plugin in the \
                 panel's configuration names another source.",
                why(&output)
            ),
        ))
    }

    async fn remove_whatsapp(&self, gateway: &GatewayId) -> Result<(), Fault> {
        let found = self.docker.current(gateway).await?;
        let runs = found.is_some_and(|found| found.state == ContainerState::Running);
        let argv = [
            "node",
            "dist/index.js",
            "plugins",
            "uninstall",
            WHATSAPP,
            "--force",
        ];
        let output = self.run(gateway, runs, &argv).await?;
        if output.exit_code == 0 || !self.is_installed(gateway, runs).await? {
            return Ok(());
        }
        Err(Fault::new(
            FaultKind::Refused,
            Boundary::Gateway,
            format!("The plugin could not be removed again: {}.", why(&output)),
        ))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_package_without_a_version_gets_the_gateways() {
        for (source, lacks) in [
            ("npm:@openclaw/whatsapp", true),
            ("npm:whatsapp", true),
            ("npm:@openclaw/whatsapp@2026.9.6", false),
            ("npm:whatsapp@1", false),
        ] {
            assert_eq!(lacks_version(source), lacks, "{source}");
        }
        assert_eq!(version("OpenClaw 2026.9.6 (eb377ac)\n"), Some("2026.9.6"));
        assert_eq!(version("2026.5.28"), Some("2026.5.28"));
        assert_eq!(version("2026.9.6-beta.1"), Some("2026.9.6-beta.1"));
        assert_eq!(version("command not found"), None);
        assert_eq!(version("2026;rm"), None);
    }

    #[test]
    fn a_bundled_plugin_is_not_an_installed_one() {
        let list = |origin: &str| {
            format!(
                r#"{{"plugins":[{{"id":"a2a","origin":"bundled"}},{{"id":"whatsapp","origin":"{origin}"}}]}}"#
            )
        };
        assert!(lists_whatsapp(&list("global")));
        assert!(!lists_whatsapp(&list("bundled")));
        assert!(!lists_whatsapp("not json"));
    }
}
