//! Backups, faked over the world.

use async_trait::async_trait;
use domain::backup::{self, Adopt, Backup, NewKey};
use domain::can::Permit;
use domain::fact::ContainerState;
use domain::fault::{Boundary, Fault, FaultKind};
use domain::gateway::{AccountId, GatewayId};
use domain::operation::OperationId;
use domain::ports::{Backups, LinkFiles};
use domain::time::Timestamp;
use secrecy::SecretString;
use uuid::Uuid;

use super::world::{CANARY, Inner, World, logged_out};

#[async_trait]
impl Backups for World {
    async fn recipient(&self) -> Result<Option<String>, Fault> {
        self.call("recipient", |inner, _| {
            Ok(inner.backup_key.then(|| "age1fake".to_owned()))
        })
        .await
    }

    fn new_key(&self) -> NewKey {
        unreachable!("no story makes a key")
    }

    async fn adopt_key(&self, _: Permit, _: &str, _: Adopt) -> Result<(), Fault> {
        unreachable!("no story makes a key")
    }

    async fn archive(&self, _: &GatewayId, operation: OperationId) -> Result<String, Fault> {
        self.call("archive", |inner, now| {
            if !inner.live(now) {
                return Err(Fault::new(
                    FaultKind::NotFound,
                    Boundary::Docker,
                    "The gateway's container does not run.",
                ));
            }
            if !inner.archives.contains(&operation) {
                inner.archives.push(operation);
                inner.changed("archive");
            }
            Ok(format!("Config and accounts. {CANARY}"))
        })
        .await
    }

    async fn keep(
        &self,
        gateway: &GatewayId,
        operation: OperationId,
        begun: Timestamp,
    ) -> Result<Backup, Fault> {
        self.call("keep", |inner, _| {
            if !inner.archives.contains(&operation) {
                return Err(Fault::new(
                    FaultKind::NotFound,
                    Boundary::Docker,
                    "There is no archive in the container.",
                ));
            }
            if !inner.kept.contains(&operation) {
                inner.kept.push(operation);
                inner.changed("keep");
            }
            Ok(Backup {
                name: backup::name(gateway, begun, operation),
                gateway: gateway.clone(),
                made_at: begun,
                bytes: 136_000,
            })
        })
        .await
    }

    async fn keep_folder(
        &self,
        gateway: &GatewayId,
        operation: OperationId,
        begun: Timestamp,
    ) -> Result<Backup, Fault> {
        self.call("keep_folder", |inner, _| {
            let runs = |state| state == ContainerState::Running;
            assert!(!inner.boxes.iter().any(|found| runs(found.state)));
            if !inner.kept.contains(&operation) {
                inner.kept.push(operation);
                inner.changed("keep_folder");
            }
            Ok(Backup {
                name: backup::name(gateway, begun, operation),
                gateway: gateway.clone(),
                made_at: begun,
                bytes: 90_000_000,
            })
        })
        .await
    }

    async fn clear(&self, _: &GatewayId, operation: OperationId) -> Result<(), Fault> {
        self.call("clear", |inner, _| {
            let before = inner.archives.len();
            inner.archives.retain(|found| *found != operation);
            if inner.archives.len() < before {
                inner.changed("clear");
            }
            Ok(())
        })
        .await
    }

    async fn forget(&self, _: &GatewayId, operation: OperationId) -> Result<(), Fault> {
        self.call("forget", |inner, _| {
            let before = inner.kept.len();
            inner.kept.retain(|found| *found != operation);
            if inner.kept.len() < before {
                inner.changed("forget");
            }
            Ok(())
        })
        .await
    }

    async fn list(&self, _: &GatewayId) -> Result<Vec<Backup>, Fault> {
        Ok(Vec::new())
    }

    async fn unlock(
        &self,
        _: &GatewayId,
        _: &AccountId,
        _: &str,
        _: SecretString,
    ) -> Result<Uuid, Fault> {
        unreachable!("no story unlocks a backup")
    }

    async fn bring(
        &self,
        _: &GatewayId,
        _: &AccountId,
        operation: OperationId,
        _: Uuid,
    ) -> Result<Option<String>, Fault> {
        self.call("bring", |inner, _| {
            if !inner.brought.contains(&operation) {
                inner.brought.push(operation);
                inner.changed("bring");
            }
            Ok(Some("5642".to_owned()))
        })
        .await
    }

    async fn read(&self, _: &GatewayId, _: &str) -> Result<Option<Vec<u8>>, Fault> {
        Ok(None)
    }
}

/// The link's files move only under an account that is stopped.
fn assert_stopped(inner: &Inner, account: &AccountId) {
    let runs = inner.accounts.iter().flatten().any(|found| {
        let stopped = inner.stopped.iter().any(|id| id == account.as_str());
        found.id == *account && found.running && !stopped
    });
    assert!(!runs, "the files of {account} were moved while it ran");
}

#[async_trait]
impl LinkFiles for World {
    async fn set_aside(
        &self,
        _: &GatewayId,
        account: &AccountId,
        _: OperationId,
    ) -> Result<(), Fault> {
        self.call("set_aside", |inner, _| {
            assert_stopped(inner, account);
            if inner.aside.is_none() {
                let ails = inner.ails;
                for found in inner.accounts.iter_mut().flatten() {
                    inner.aside = Some((found.clone(), ails));
                    found.linked = false;
                    found.running = false;
                    found.connected = false;
                }
                inner.changed("set_aside");
            }
            Ok(())
        })
        .await
    }

    async fn place(
        &self,
        _: &GatewayId,
        account: &AccountId,
        operation: OperationId,
    ) -> Result<(), Fault> {
        self.call("place", |inner, _| {
            assert_stopped(inner, account);
            assert!(inner.brought.contains(&operation) && inner.aside.is_some());
            let refused = inner.refuses_restored;
            for found in inner.accounts.iter_mut().flatten() {
                found.linked = !refused;
                found.running = !refused;
                found.connected = !refused;
                found.last_disconnect = refused.then(logged_out);
            }
            if !inner.stopped.iter().any(|id| id == account.as_str()) {
                inner.stopped.push(account.as_str().to_owned());
            }
            inner.changed("place");
            Ok(())
        })
        .await
    }

    async fn put_back(
        &self,
        _: &GatewayId,
        account: &AccountId,
        _: OperationId,
    ) -> Result<(), Fault> {
        self.call("put_back", |inner, _| {
            assert_stopped(inner, account);
            if let Some((before, ails)) = inner.aside.clone() {
                for found in inner.accounts.iter_mut().flatten() {
                    *found = before.clone();
                }
                inner.ails = ails;
                if !inner.stopped.iter().any(|id| id == account.as_str()) {
                    inner.stopped.push(account.as_str().to_owned());
                }
                inner.changed("put_back");
            }
            Ok(())
        })
        .await
    }

    async fn clear(&self, _: &GatewayId, operation: OperationId) -> Result<(), Fault> {
        self.call("clear_links", |inner, _| {
            let before = inner.brought.len();
            inner.brought.retain(|found| *found != operation);
            if inner.aside.take().is_some() || inner.brought.len() < before {
                inner.changed("clear_links");
            }
            Ok(())
        })
        .await
    }
}
