//! Backups: the archive that the gateway writes in its container, taken out and encrypted on the way to the disk.

use std::io;
use std::time::Duration;

use adapter_backup::Vault;
use adapter_docker::DockerGateways;
use async_trait::async_trait;
use domain::backup::Backup;
use domain::fault::{Boundary, Fault, FaultKind};
use domain::gateway::GatewayId;
use domain::operation::OperationId;
use domain::ports::Backups;
use domain::time::Timestamp;
use secrecy::SecretString;
use tokio_util::io::{StreamReader, SyncIoBridge};

/// Writing and verifying took 5 s on two cores with little in it.
const ARCHIVE_LIMIT: Duration = Duration::from_secs(4 * 60);
const QUICK: Duration = Duration::from_secs(20);

/// Backups of every gateway, on this host.
#[derive(Clone)]
pub(crate) struct BackupStore {
    docker: DockerGateways,
    vault: Vault,
}

impl BackupStore {
    pub(crate) fn new(docker: DockerGateways, vault: Vault) -> Self {
        Self { docker, vault }
    }

    /// Files are written and read away from the tasks that serve pages.
    async fn vault<T: Send + 'static>(
        &self,
        work: impl FnOnce(Vault) -> Result<T, Fault> + Send + 'static,
    ) -> Result<T, Fault> {
        let vault = self.vault.clone();
        let done = tokio::task::spawn_blocking(move || work(vault)).await;
        done.map_err(|error| unexpected(format!("The work on a backup broke off: {error}.")))?
    }

    async fn run(
        &self,
        gateway: &GatewayId,
        argv: &[&str],
        limit: Duration,
    ) -> Result<String, Fault> {
        let output = self.docker.exec(gateway, argv, limit).await?;
        if output.exit_code == 0 {
            return Ok(output.stdout);
        }
        // What it complains about may quote its configuration.
        Err(Fault::new(
            FaultKind::Refused,
            Boundary::Gateway,
            format!(
                "The gateway did not write the archive (exit code {}). Its own log may say why.",
                output.exit_code
            ),
        ))
    }
}

/// Where the archive lies in the container: in memory or the container's own layer, never in the volume,
/// whose next backup would hold it.
fn path(operation: OperationId) -> String {
    format!("/tmp/panel-backup-{operation}.tar.gz")
}

fn unexpected(why: String) -> Fault {
    Fault::new(FaultKind::Unexpected, Boundary::Panel, why)
}

#[async_trait]
impl Backups for BackupStore {
    async fn recipient(&self) -> Result<Option<String>, Fault> {
        self.vault(|vault| vault.recipient()).await
    }

    async fn make_key(&self) -> Result<SecretString, Fault> {
        self.vault(|vault| vault.make_key()).await
    }

    async fn archive(&self, gateway: &GatewayId, operation: OperationId) -> Result<String, Fault> {
        // It does not write over one that a killed panel left.
        self.clear(gateway, operation).await?;
        let path = path(operation);
        let argv = [
            "node",
            "dist/index.js",
            "backup",
            "create",
            "--json",
            "--verify",
            "--output",
            &path,
        ];
        let said = self.run(gateway, &argv, ARCHIVE_LIMIT).await?;
        let said: serde_json::Value = serde_json::from_str(said.trim()).unwrap_or_default();
        if said.get("verified").and_then(serde_json::Value::as_bool) != Some(true) {
            return Err(Fault::new(
                FaultKind::Unexpected,
                Boundary::Gateway,
                "The gateway wrote an archive and did not say that it is whole.",
            ));
        }
        Ok("Written and verified by the gateway: config, credentials, sessions and databases. Plugins and caches are not in it.".to_owned())
    }

    async fn keep(
        &self,
        gateway: &GatewayId,
        operation: OperationId,
        begun: Timestamp,
    ) -> Result<Backup, Fault> {
        let parts = self.docker.download(gateway, &path(operation)).await?;
        let reader = SyncIoBridge::new(StreamReader::new(parts));
        let gateway = gateway.clone();
        self.vault(move |vault| {
            let mut archive = tar::Archive::new(reader);
            let broken = |error: io::Error| {
                unexpected(format!(
                    "The archive could not be taken out of the container: {error}."
                ))
            };
            let mut entries = archive.entries().map_err(broken)?;
            let mut file = entries
                .next()
                .ok_or_else(|| unexpected("Docker gave an empty archive.".to_owned()))?
                .map_err(broken)?;
            let kept = vault.keep(&gateway, operation, begun, &mut file)?;
            Ok(kept)
        })
        .await
    }

    async fn clear(&self, gateway: &GatewayId, operation: OperationId) -> Result<(), Fault> {
        let path = path(operation);
        match self.run(gateway, &["rm", "-f", &path], QUICK).await {
            // What does not run any more has nothing in memory; another container never had it.
            Err(fault) if fault.kind == FaultKind::NotFound => Ok(()),
            done => done.map(drop),
        }
    }

    async fn forget(&self, gateway: &GatewayId, operation: OperationId) -> Result<(), Fault> {
        let gateway = gateway.clone();
        self.vault(move |vault| vault.forget(&gateway, operation))
            .await
    }

    async fn list(&self, gateway: &GatewayId) -> Result<Vec<Backup>, Fault> {
        let gateway = gateway.clone();
        self.vault(move |vault| vault.list(&gateway)).await
    }

    async fn read(&self, gateway: &GatewayId, name: &str) -> Result<Option<Vec<u8>>, Fault> {
        let (gateway, name) = (gateway.clone(), name.to_owned());
        self.vault(move |vault| {
            let Some(mut file) = vault.open(&gateway, &name)? else {
                return Ok(None);
            };
            let mut bytes = Vec::new();
            io::Read::read_to_end(&mut file, &mut bytes)
                .map_err(|error| unexpected(format!("The backup could not be read: {error}.")))?;
            Ok(Some(bytes))
        })
        .await
    }
}
