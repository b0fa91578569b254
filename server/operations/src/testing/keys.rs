//! The gateway's key, faked over the world: a number in `.env`, and the number that a container was made with.

use std::collections::BTreeMap;

use async_trait::async_trait;
use domain::can::Permit;
use domain::credential::Fingerprint;
use domain::fact::ContainerState;
use domain::fault::{Boundary, Fault, FaultKind};
use domain::gateway::GatewayId;
use domain::gateway_key::{Answer, Door, KeyLine, NextKey, Tried, WhichKey};
use domain::key_rotation::{Consumer, KeyRotation, NewConsumer, NewKeyRotation, Task};
use domain::operation::OperationId;
use domain::person::Actor;
use domain::ports::{
    Clock as _, GatewayKeys, KeyRotations, LogAccess, LogLine, Logged, RepositorySecrets,
    RotationLog, SecretAccess, StoreError,
};
use domain::time::Timestamp;
use secrecy::SecretString;
use uuid::Uuid;

use super::world::{CANARY, Inner, World};

/// See the module.
#[derive(Clone, Debug)]
pub struct FakeKeys {
    /// In `.env`.
    pub written: u32,
    /// What a container that is made now gets: the one in `.env`, unless compose takes it from elsewhere.
    pub reaches: u32,
    /// Compose does not take the key from `.env`.
    pub elsewhere: bool,
    /// The keys that operations replaced.
    pub sealed: BTreeMap<OperationId, u32>,
    /// A door that says nothing about any key.
    pub silent: Option<Door>,
    /// The gateway takes every key.
    pub careless: bool,
    /// What was noted as done.
    pub done: Vec<Task>,
    /// The repository has no secret and no log.
    pub alone: bool,
    /// The rotations that were noted.
    pub noted: Vec<NewKeyRotation>,
}

impl Default for FakeKeys {
    fn default() -> Self {
        Self {
            written: 1,
            reaches: 1,
            elsewhere: false,
            sealed: BTreeMap::new(),
            silent: None,
            careless: false,
            done: Vec::new(),
            alone: false,
            noted: Vec::new(),
        }
    }
}

impl FakeKeys {
    fn write(&mut self, key: u32) {
        self.written = key;
        if !self.elsewhere {
            self.reaches = key;
        }
    }
}

/// The fingerprint of a fake key.
fn mark(key: u32) -> Fingerprint {
    let mut hash = [0; 32];
    hash[..4].copy_from_slice(&key.to_be_bytes());
    Fingerprint::of_hash(&hash)
}

/// What the compose folder says changes with its `.env`.
fn write(inner: &mut Inner, key: u32) {
    inner.key.write(key);
    inner.comparison.fingerprint = format!("fp-{key}");
}

fn running(inner: &Inner) -> Option<u32> {
    let mut boxes = inner.boxes.iter();
    boxes
        .find(|found| found.state == ContainerState::Running)
        .map(|found| found.key)
}

#[async_trait]
impl GatewayKeys for World {
    async fn look(&self, _: &GatewayId) -> Result<KeyLine, Fault> {
        self.call("look_at_key", |inner, _| {
            Ok(KeyLine {
                file: "/srv/openclaw/.env".to_owned(),
                variable: "OPENCLAW_API_KEY".to_owned(),
                fingerprint: mark(inner.key.written),
                notices: Vec::new(),
            })
        })
        .await
    }

    async fn renew(
        &self,
        _: &GatewayId,
        operation: OperationId,
        next: NextKey,
    ) -> Result<Fingerprint, Fault> {
        self.call("renew_key", |inner, _| {
            let written = inner.key.written;
            let old = *inner.key.sealed.entry(operation).or_insert(written);
            if written == old {
                let next = match next {
                    NextKey::Random => old + 1,
                    NextKey::Before(rotation) => inner.key.sealed[&rotation],
                };
                write(inner, next);
                inner.changed("renew_key");
            }
            Ok(mark(inner.key.written))
        })
        .await
    }

    async fn kept(
        &self,
        _: &GatewayId,
        operation: OperationId,
    ) -> Result<Option<Fingerprint>, Fault> {
        self.call("look_at_kept_key", |inner, _| {
            Ok(inner.key.sealed.get(&operation).copied().map(mark))
        })
        .await
    }

    async fn put_back(
        &self,
        _: &GatewayId,
        operation: OperationId,
    ) -> Result<Option<Fingerprint>, Fault> {
        self.call("put_key_back", |inner, _| {
            let Some(old) = inner.key.sealed.get(&operation).copied() else {
                return Ok(None);
            };
            if inner.key.written != old {
                write(inner, old);
                inner.changed("put_key_back");
            }
            Ok(Some(mark(old)))
        })
        .await
    }

    async fn forget(&self, _: &GatewayId, operation: OperationId) -> Result<(), Fault> {
        self.call("forget_key", |inner, _| {
            if inner.key.sealed.remove(&operation).is_some() {
                inner.changed("forget_key");
            }
            Ok(())
        })
        .await
    }

    async fn in_container(&self, _: &GatewayId) -> Result<Option<Fingerprint>, Fault> {
        self.call("key_in_container", |inner, _| Ok(running(inner).map(mark)))
            .await
    }

    async fn try_doors(&self, _: &GatewayId, which: WhichKey) -> Result<Vec<Tried>, Fault> {
        self.call("try_doors", |inner, now| {
            let key = match which {
                WhichKey::Present => inner.key.written,
                WhichKey::Previous(operation) => {
                    inner.key.sealed.get(&operation).copied().unwrap_or(0)
                }
            };
            let live = inner.live(now);
            let taken = running(inner) == Some(key) || inner.key.careless;
            let tried = Door::ALL.into_iter().map(|door| Tried {
                door,
                answer: if !live || inner.key.silent == Some(door) {
                    Answer::Untold(format!("It does not answer. {CANARY}"))
                } else if taken {
                    Answer::Takes
                } else {
                    Answer::Refuses
                },
            });
            Ok(tried.collect())
        })
        .await
    }

    async fn read(&self, _: &GatewayId, fingerprint: &Fingerprint) -> Result<SecretString, Fault> {
        self.call("read_key", |inner, _| {
            if mark(inner.key.written) != *fingerprint {
                let why = "another key";
                return Err(Fault::new(FaultKind::Invalid, Boundary::Compose, why));
            }
            Ok(SecretString::from(format!(
                "{CANARY}-{}",
                inner.key.written
            )))
        })
        .await
    }
}

fn whole(noted: &NewKeyRotation, at: Timestamp) -> KeyRotation {
    KeyRotation {
        operation: noted.operation,
        gateway: noted.gateway.clone(),
        fingerprint: noted.fingerprint.clone(),
        cause: noted.cause,
        puts_back: noted.puts_back,
        at,
        next_due: None,
        revealed: None,
        done: Vec::new(),
    }
}

/// Stories note a rotation and what was done with it; the rest is for pages.
#[async_trait]
impl KeyRotations for World {
    async fn begin(&self, rotation: NewKeyRotation) -> Result<(), StoreError> {
        let noted = self.call("note_rotation", |inner, _| {
            if !inner.key.noted.contains(&rotation) {
                inner.key.noted.push(rotation);
                inner.changed("note_rotation");
            }
            Ok(())
        });
        noted.await.map_err(|fault| StoreError {
            doing: "noting a rotation",
            source: fault.into(),
        })
    }

    async fn of(&self, operation: OperationId) -> Result<Option<KeyRotation>, StoreError> {
        let inner = self.lock();
        let mut noted = inner.key.noted.iter();
        let found = noted.find(|noted| noted.operation == operation);
        Ok(found.map(|noted| whole(noted, self.clock.now())))
    }

    async fn latest(&self, _: &GatewayId) -> Result<Option<KeyRotation>, StoreError> {
        let last = self.lock().key.noted.last().cloned();
        Ok(last.map(|noted| whole(&noted, self.clock.now())))
    }

    async fn reveal(&self, _: Permit, _: OperationId) -> Result<bool, StoreError> {
        Ok(false)
    }

    async fn finish(
        &self,
        _: &Actor,
        _: OperationId,
        task: Task,
        _: Option<String>,
    ) -> Result<(), StoreError> {
        let mut inner = self.lock();
        if !inner.key.done.contains(&task) {
            inner.key.done.push(task);
        }
        Ok(())
    }

    async fn consumers(&self, _: &GatewayId) -> Result<Vec<Consumer>, StoreError> {
        Ok(Vec::new())
    }

    async fn add_consumer(&self, _: Permit, _: NewConsumer) -> Result<(), StoreError> {
        Ok(())
    }

    async fn remove_consumer(&self, _: Permit, _: Uuid) -> Result<bool, StoreError> {
        Ok(false)
    }
}

#[async_trait]
impl RepositorySecrets for World {
    async fn check(&self, _: &GatewayId) -> Result<SecretAccess, Fault> {
        if self.lock().key.alone {
            return Ok(SecretAccess::Off);
        }
        Ok(SecretAccess::Ready {
            repository: "p24/infra".to_owned(),
            name: "OPENCLAW_API_KEY".to_owned(),
            updated_at: None,
        })
    }

    async fn put(&self, _: &GatewayId, _: &SecretString) -> Result<Timestamp, Fault> {
        self.call("put_secret", |inner, now| {
            inner.changed("put_secret");
            Ok(now)
        })
        .await
    }

    fn by_hand(&self, _: &GatewayId) -> Option<String> {
        Some("gh secret set OPENCLAW_API_KEY -R p24/infra".to_owned())
    }
}

#[async_trait]
impl RotationLog for World {
    async fn check(&self, _: &GatewayId) -> Result<LogAccess, Fault> {
        if self.lock().key.alone {
            return Ok(LogAccess::Off);
        }
        Ok(LogAccess::Ready {
            file: "/srv/infra/docs/secrets-rotation-log.md".to_owned(),
            pushes: false,
        })
    }

    async fn append(&self, _: &GatewayId, _: LogLine) -> Result<Logged, Fault> {
        self.call("append_log", |inner, _| {
            inner.changed("append_log");
            Ok(Logged {
                commit: "1a2b3c4".to_owned(),
                note: None,
            })
        })
        .await
    }
}
