//! The gateway's key, faked for pages.

use async_trait::async_trait;
use domain::can::Permit;
use domain::credential::{Cause, Fingerprint};
use domain::fault::{Boundary, Fault, FaultKind};
use domain::gateway::GatewayId;
use domain::gateway_key::{Answer, Door, KeyLine, NextKey, Tried, WhichKey};
use domain::key_rotation::{Consumer, Done, KeyRotation, NewConsumer, NewKeyRotation, Task};
use domain::operation::OperationId;
use domain::person::Actor;
use domain::ports::{
    GatewayKeys, KeyRotations, LogAccess, LogLine, Logged, RepositorySecrets, RotationLog,
    SecretAccess, StoreError,
};
use domain::time::Timestamp;
use secrecy::SecretString;
use uuid::Uuid;

use crate::fakes::{Fake, NOW};

/// The key that is shown once.
pub(crate) const NEW_KEY: &str = "5ecre7-new-key-0123456789";

/// What there is to know of the key.
#[derive(Clone)]
pub(crate) struct FakeKeys {
    pub(crate) line: Result<KeyLine, Fault>,
    pub(crate) inside: Fingerprint,
    pub(crate) public: Answer,
    pub(crate) rotation: Option<KeyRotation>,
    /// Whether the old key is kept.
    pub(crate) kept: bool,
    pub(crate) consumers: Vec<Consumer>,
    /// Off, ready, or why not.
    pub(crate) repository: Option<Result<(), Fault>>,
}

pub(crate) fn fingerprint(byte: u8) -> Fingerprint {
    Fingerprint::of_hash(&[byte; 32])
}

impl Default for FakeKeys {
    fn default() -> Self {
        Self {
            line: Ok(KeyLine {
                file: "/opt/openclaw/.env".to_owned(),
                variable: "OPENCLAW_API_KEY".to_owned(),
                fingerprint: fingerprint(0xa1),
                notices: Vec::new(),
            }),
            inside: fingerprint(0xa1),
            public: Answer::Takes,
            rotation: None,
            kept: false,
            consumers: Vec::new(),
            repository: None,
        }
    }
}

/// A key that was rotated an hour ago by the first operation.
pub(crate) fn rotated(cause: Cause) -> KeyRotation {
    KeyRotation {
        operation: OperationId(Uuid::from_u128(1)),
        gateway: "openclaw".parse().unwrap(),
        fingerprint: fingerprint(0xb2),
        cause,
        puts_back: None,
        at: NOW.minus(std::time::Duration::from_secs(3600)),
        next_due: None,
        revealed: None,
        done: Vec::new(),
    }
}

pub(crate) fn consumer(number: u128, name: &str, seen_as: &str) -> Consumer {
    Consumer {
        id: Uuid::from_u128(number),
        name: name.to_owned(),
        owner: "ben".to_owned(),
        how: "Credentials, then save.".to_owned(),
        seen_as: seen_as.to_owned(),
    }
}

#[async_trait]
impl GatewayKeys for Fake {
    async fn look(&self, _: &GatewayId) -> Result<KeyLine, Fault> {
        self.0.keys.line.clone()
    }

    async fn renew(&self, _: &GatewayId, _: OperationId, _: NextKey) -> Result<Fingerprint, Fault> {
        unreachable!("pages only look")
    }

    async fn kept(&self, _: &GatewayId, _: OperationId) -> Result<Option<Fingerprint>, Fault> {
        Ok(self.0.keys.kept.then(|| fingerprint(0xa1)))
    }

    async fn put_back(&self, _: &GatewayId, _: OperationId) -> Result<Option<Fingerprint>, Fault> {
        unreachable!("pages only look")
    }

    async fn forget(&self, _: &GatewayId, operation: OperationId) -> Result<(), Fault> {
        self.0.note(format!("forget what {operation} replaced"));
        Ok(())
    }

    async fn in_container(&self, _: &GatewayId) -> Result<Option<Fingerprint>, Fault> {
        Ok(Some(self.0.keys.inside.clone()))
    }

    async fn try_doors(&self, _: &GatewayId, _: WhichKey) -> Result<Vec<Tried>, Fault> {
        let tried = Door::ALL.into_iter().map(|door| Tried {
            door,
            answer: if door.is_internal() {
                Answer::Takes
            } else {
                self.0.keys.public.clone()
            },
        });
        Ok(tried.collect())
    }

    async fn read(&self, _: &GatewayId, wanted: &Fingerprint) -> Result<SecretString, Fault> {
        if *wanted == fingerprint(0xb2) {
            return Ok(SecretString::from(NEW_KEY));
        }
        let why = "The key in .env is another one by now.";
        Err(Fault::new(FaultKind::Invalid, Boundary::Compose, why))
    }
}

#[async_trait]
impl KeyRotations for Fake {
    async fn begin(&self, _: NewKeyRotation) -> Result<(), StoreError> {
        unreachable!("pages only look")
    }

    async fn of(&self, operation: OperationId) -> Result<Option<KeyRotation>, StoreError> {
        let found = self.0.keys.rotation.clone();
        self.0
            .store(found.filter(|found| found.operation == operation))
    }

    async fn latest(&self, _: &GatewayId) -> Result<Option<KeyRotation>, StoreError> {
        self.0.store(self.0.keys.rotation.clone())
    }

    async fn reveal(&self, permit: Permit, operation: OperationId) -> Result<bool, StoreError> {
        let first = self
            .0
            .keys
            .rotation
            .as_ref()
            .is_some_and(|found| found.revealed.is_none());
        if first {
            let by = permit.actor().name();
            self.0.note(format!("reveal {operation} to {by}"));
        }
        self.0.store(first)
    }

    async fn finish(
        &self,
        by: &Actor,
        _: OperationId,
        task: Task,
        _: Option<String>,
    ) -> Result<(), StoreError> {
        self.0
            .note(format!("finish {} by {}", task.word(), by.name()));
        self.0.store(())
    }

    async fn consumers(&self, _: &GatewayId) -> Result<Vec<Consumer>, StoreError> {
        self.0.store(self.0.keys.consumers.clone())
    }

    async fn add_consumer(&self, _: Permit, new: NewConsumer) -> Result<(), StoreError> {
        self.0.note(format!("add consumer {new:?}"));
        self.0.store(())
    }

    async fn remove_consumer(&self, _: Permit, id: Uuid) -> Result<bool, StoreError> {
        self.0.note(format!("remove consumer {id}"));
        let mut known = self.0.keys.consumers.iter();
        self.0.store(known.any(|consumer| consumer.id == id))
    }
}

/// Somebody did it a minute ago.
pub(crate) fn done(by: &str) -> Done {
    Done {
        at: NOW.minus(std::time::Duration::from_secs(60)),
        by: by.to_owned(),
        note: None,
    }
}

#[async_trait]
impl RepositorySecrets for Fake {
    async fn check(&self, _: &GatewayId) -> Result<SecretAccess, Fault> {
        match self.0.keys.repository.clone() {
            None => Ok(SecretAccess::Off),
            Some(ready) => ready.map(|()| SecretAccess::Ready {
                repository: "p24/infra".to_owned(),
                name: "OPENCLAW_API_KEY".to_owned(),
                updated_at: None,
            }),
        }
    }

    async fn put(&self, _: &GatewayId, _: &SecretString) -> Result<Timestamp, Fault> {
        self.0.keys.repository.clone().unwrap_or(Ok(()))?;
        self.0.note("put secret".to_owned());
        Ok(NOW)
    }

    fn by_hand(&self, _: &GatewayId) -> Option<String> {
        let configured = self.0.keys.repository.as_ref();
        configured.map(|_| "gh secret set OPENCLAW_API_KEY -R p24/infra".to_owned())
    }
}

#[async_trait]
impl RotationLog for Fake {
    async fn check(&self, _: &GatewayId) -> Result<LogAccess, Fault> {
        match self.0.keys.repository.clone() {
            None => Ok(LogAccess::Off),
            Some(ready) => ready.map(|()| LogAccess::Ready {
                file: "/srv/infra/docs/secrets-rotation-log.md".to_owned(),
                pushes: false,
            }),
        }
    }

    async fn append(&self, _: &GatewayId, line: LogLine) -> Result<Logged, Fault> {
        self.0.keys.repository.clone().unwrap_or(Ok(()))?;
        self.0.note(format!("logged for {}", line.who));
        Ok(Logged {
            commit: "1a2b3c4".to_owned(),
            note: None,
        })
    }
}
