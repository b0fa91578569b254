//! Backups, faked over the world.

use async_trait::async_trait;
use domain::backup::{self, Adopt, Backup, NewKey};
use domain::can::Permit;
use domain::fault::{Boundary, Fault, FaultKind};
use domain::gateway::GatewayId;
use domain::operation::OperationId;
use domain::ports::Backups;
use domain::time::Timestamp;

use super::world::{CANARY, World};

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

    async fn read(&self, _: &GatewayId, _: &str) -> Result<Option<Vec<u8>>, Fault> {
        Ok(None)
    }
}
