//! Backups: the archive that the gateway writes in its container, taken out and encrypted on the way to the disk.

#[cfg(test)]
mod tests;

use std::collections::HashMap;
use std::io;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use adapter_backup::{Link, Vault};
use adapter_docker::DockerGateways;
use async_trait::async_trait;
use domain::action::Action;
use domain::audit::{AuditOutcome, NewAuditEvent, act};
use domain::backup::{Adopt, Backup, NewKey};
use domain::can::Permit;
use domain::credential::{Cause, Fingerprint, Kind, NewRotation};
use domain::fault::{Boundary, Fault, FaultKind};
use domain::gateway::{AccountId, GatewayId};
use domain::operation::OperationId;
use domain::person::Actor;
use domain::ports::{AuditTrail, Backups, Clock, Ids as _, RotationNotes, StateFolder as _};
use domain::time::Timestamp;
use flate2::Compression;
use flate2::read::GzEncoder;
use secrecy::{ExposeSecret as _, SecretString};
use sha2::{Digest as _, Sha256};
use tokio_util::io::{StreamReader, SyncIoBridge};
use uuid::Uuid;

use super::SystemIds;
use super::link_files::LinkStore;
use super::state_folder::FolderStore;

/// Writing and verifying took 5 s on two cores with little in it.
const ARCHIVE_LIMIT: Duration = Duration::from_secs(4 * 60);
const QUICK: Duration = Duration::from_secs(20);

/// How long an unlocked link waits for the operation that brings it.
const UNLOCKED_FOR: Duration = Duration::from_secs(600);

/// Backups of every gateway, on this host.
#[derive(Clone)]
pub(crate) struct BackupStore {
    docker: DockerGateways,
    links: LinkStore,
    folder: FolderStore,
    vault: Vault,
    audit: Arc<dyn AuditTrail>,
    register: Arc<dyn RotationNotes>,
    clock: Arc<dyn Clock>,
    unlocked: Arc<Mutex<HashMap<Uuid, Arc<Unlocked>>>>,
}

/// A link out of a backup; the key that opened it is gone already.
struct Unlocked {
    gateway: GatewayId,
    account: AccountId,
    link: Link,
}

impl BackupStore {
    pub(crate) fn new(
        docker: DockerGateways,
        vault: Vault,
        audit: Arc<dyn AuditTrail>,
        register: Arc<dyn RotationNotes>,
        clock: Arc<dyn Clock>,
    ) -> Self {
        Self {
            links: LinkStore::new(docker.clone()),
            folder: FolderStore::new(docker.clone()),
            docker,
            vault,
            audit,
            register,
            clock,
            unlocked: Arc::default(),
        }
    }

    /// Keeps a link for the operation that is about to begin.
    fn deposit(&self, unlocked: Unlocked) -> Uuid {
        let ticket = SystemIds.next();
        self.deposits().insert(ticket, Arc::new(unlocked));
        let store = self.clone();
        tokio::spawn(async move {
            tokio::time::sleep(UNLOCKED_FOR).await;
            store.deposits().remove(&ticket);
        });
        ticket
    }

    fn deposits(&self) -> MutexGuard<'_, HashMap<Uuid, Arc<Unlocked>>> {
        self.unlocked.lock().unwrap_or_else(PoisonError::into_inner)
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

    /// Runs a program in the container; `failed` says what it did not do.
    async fn run(
        &self,
        gateway: &GatewayId,
        argv: &[&str],
        limit: Duration,
        failed: &str,
    ) -> Result<String, Fault> {
        let output = self.docker.exec(gateway, argv, limit).await?;
        if output.exit_code == 0 {
            return Ok(output.stdout);
        }
        // What it complains about may quote its configuration.
        let code = output.exit_code;
        let why = format!("{failed} (exit code {code}).");
        Err(Fault::new(FaultKind::Refused, Boundary::Gateway, why))
    }

    /// A new key is a rotation of the one before; the register tells them apart by a hash of the public half.
    async fn note_key(&self, by: Actor, recipient: &str) {
        let hash = Sha256::digest(recipient.as_bytes());
        let rotation = NewRotation {
            kind: Kind::BackupKey,
            gateway: None,
            at: self.clock.now(),
            by,
            cause: Cause::Scheduled,
            operation: None,
            fingerprint: Some(Fingerprint::of_hash(&hash.into())),
            puts_back: None,
        };
        if let Err(error) = self.register.note_rotation(rotation).await {
            tracing::error!(
                error = &error as &dyn std::error::Error,
                "The new key for backups is in use and is not in the register: note it there by hand"
            );
        }
    }

    async fn record(&self, event: NewAuditEvent) -> Result<(), Fault> {
        self.audit.record(event).await.map(drop).map_err(|error| {
            tracing::error!(
                error = &error as &dyn std::error::Error,
                "The key for backups could not be audited"
            );
            Fault::new(
                FaultKind::Unreachable,
                Boundary::Database,
                "The panel's database does not answer, so the key could not be audited and was not taken.",
            )
        })
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

    fn new_key(&self) -> NewKey {
        Vault::new_key()
    }

    async fn adopt_key(&self, permit: Permit, recipient: &str, adopt: Adopt) -> Result<(), Fault> {
        if permit.action() != Action::MakeBackupKey {
            return Err(unexpected(
                "The permission does not fit a key for backups.".to_owned(),
            ));
        }
        let event = |outcome, note| NewAuditEvent {
            note,
            ..NewAuditEvent::new(permit.actor().clone(), act::MAKE_BACKUP_KEY, outcome)
        };
        // No audit row, no key.
        self.record(event(AuditOutcome::Requested, None)).await?;
        let wanted = recipient.to_owned();
        let adopted = self
            .vault(move |vault| vault.adopt_key(&wanted, adopt))
            .await;
        let outcome = match &adopted {
            Ok(()) => event(AuditOutcome::Succeeded, Some(format!("{recipient}."))),
            Err(fault) => event(AuditOutcome::Failed, Some(fault.message.clone())),
        };
        // The key is in use, whether or not that can be written down: its other half must reach its maker.
        if adopted.is_ok() {
            self.note_key(permit.actor().clone(), recipient).await;
        }
        let _logged = self.record(outcome).await;
        adopted
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
        let said = self
            .run(
                gateway,
                &argv,
                ARCHIVE_LIMIT,
                "The gateway did not write the archive; its own log may say why",
            )
            .await?;
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
            vault.keep(&gateway, operation, begun, &mut file)
        })
        .await
    }

    async fn keep_folder(
        &self,
        gateway: &GatewayId,
        operation: OperationId,
        begun: Timestamp,
    ) -> Result<Backup, Fault> {
        let folder = self.folder.survey(gateway).await?.folder;
        let parts = self.docker.download(gateway, &folder).await?;
        let reader = SyncIoBridge::new(StreamReader::new(parts));
        let gateway = gateway.clone();
        self.vault(move |vault| {
            // As the gateway's own archives are.
            let mut packed = GzEncoder::new(reader, Compression::fast());
            vault.keep(&gateway, operation, begun, &mut packed)
        })
        .await
    }

    async fn clear(&self, gateway: &GatewayId, operation: OperationId) -> Result<(), Fault> {
        let path = path(operation);
        let argv = ["rm", "-f", &path];
        let failed = "The archive could not be removed from the container";
        match self.run(gateway, &argv, QUICK, failed).await {
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

    async fn unlock(
        &self,
        gateway: &GatewayId,
        account: &AccountId,
        name: &str,
        identity: SecretString,
    ) -> Result<Uuid, Fault> {
        let (of, whose, name) = (gateway.clone(), account.clone(), name.to_owned());
        let link = self
            .vault(move |vault| vault.link(&of, &name, &identity, &whose))
            .await?;
        Ok(self.deposit(Unlocked {
            gateway: gateway.clone(),
            account: account.clone(),
            link,
        }))
    }

    async fn bring(
        &self,
        gateway: &GatewayId,
        account: &AccountId,
        operation: OperationId,
        ticket: Uuid,
    ) -> Result<Option<String>, Fault> {
        let unlocked = self.deposits().get(&ticket).cloned();
        let unlocked = unlocked
            .filter(|unlocked| unlocked.gateway == *gateway && unlocked.account == *account)
            .ok_or_else(|| {
                Fault::new(
                    FaultKind::NotFound,
                    Boundary::Panel,
                    "What the key opened was kept in the panel's memory only, and is gone: the panel was restarted, or \
                     ten minutes went by. Restore again.",
                )
            })?;
        let place = self.links.prepare(gateway, operation).await?;
        let files = unlocked.link.pack(place.owner())?;
        let files = files.expose_secret().to_vec();
        self.docker
            .upload(gateway, &place.folder, files.into())
            .await?;
        Ok(unlocked.link.digits.clone())
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
