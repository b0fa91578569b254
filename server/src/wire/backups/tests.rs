//! A key for backups that is new, in the audit trail and in the register.

use std::sync::Mutex;

use domain::audit::AuditEvent;
use domain::can;
use domain::ports::StoreError;

use super::*;

/// An audit trail, a register and a clock that stands; the register can be away.
#[derive(Default)]
struct Books {
    away: bool,
    written: Mutex<Vec<String>>,
    noted: Mutex<Vec<NewRotation>>,
}

const NOW: Timestamp = Timestamp::from_millis(1_800_000_000_000);

impl Clock for Books {
    fn now(&self) -> Timestamp {
        NOW
    }
}

#[async_trait]
impl AuditTrail for Books {
    async fn record(&self, event: NewAuditEvent) -> Result<AuditEvent, StoreError> {
        let mut written = self.written.lock().unwrap();
        written.push(format!("{} {}", event.action, event.outcome.as_str()));
        Ok(AuditEvent {
            sequence: 1,
            id: Uuid::nil(),
            at: NOW,
            event,
        })
    }

    async fn list(&self, _: Option<i64>, _: u32) -> Result<Vec<AuditEvent>, StoreError> {
        Ok(Vec::new())
    }
}

#[async_trait]
impl RotationNotes for Books {
    async fn note_rotation(&self, rotation: NewRotation) -> Result<(), StoreError> {
        if self.away {
            return Err(StoreError {
                doing: "being asked by a test",
                source: "away".into(),
            });
        }
        self.noted.lock().unwrap().push(rotation);
        Ok(())
    }
}

fn store(folder: &tempfile::TempDir, books: &Arc<Books>) -> BackupStore {
    let vault = Vault::new(folder.path().join("backups"), None, Duration::from_secs(1));
    BackupStore::new(
        DockerGateways::new(Vec::new()),
        vault,
        books.clone(),
        books.clone(),
        books.clone(),
    )
}

fn at_the_shell() -> Actor {
    Actor::CommandLine {
        user: "ben".to_owned(),
    }
}

async fn adopt(store: &BackupStore, recipient: &str, adopt: Adopt) -> Result<(), Fault> {
    let permit = can::permit(&at_the_shell(), Action::MakeBackupKey, None).unwrap();
    store.adopt_key(permit, recipient, adopt).await
}

#[tokio::test]
async fn every_new_key_is_a_rotation_in_the_register() {
    let folder = tempfile::tempdir().unwrap();
    let books = Arc::new(Books::default());
    let store = store(&folder, &books);
    let keys = [store.new_key().recipient, store.new_key().recipient];
    adopt(&store, &keys[0], Adopt::First).await.unwrap();
    adopt(&store, &keys[1], Adopt::Another).await.unwrap();
    let noted = books.noted.lock().unwrap().clone();
    assert_eq!(noted.len(), 2);
    for (noted, key) in noted.iter().zip(&keys) {
        assert_eq!((noted.kind, &noted.gateway), (Kind::BackupKey, &None));
        assert_eq!((noted.at, &noted.by), (NOW, &at_the_shell()));
        let told = noted.fingerprint.as_ref().unwrap().as_str();
        let hash = hex::encode(Sha256::digest(key.as_bytes()));
        assert_eq!(told, &hash[..12]);
    }
}

#[tokio::test]
async fn a_key_that_is_not_taken_is_no_rotation() {
    let folder = tempfile::tempdir().unwrap();
    let books = Arc::new(Books::default());
    let store = store(&folder, &books);
    let key = store.new_key().recipient;
    adopt(&store, &key, Adopt::First).await.unwrap();
    let other = store.new_key().recipient;
    let refused = adopt(&store, &other, Adopt::First).await.unwrap_err();
    assert_eq!(refused.kind, FaultKind::Refused);
    assert_eq!(books.noted.lock().unwrap().len(), 1);
    assert_eq!(store.recipient().await.unwrap(), Some(key));
}

#[tokio::test]
async fn a_key_that_could_not_be_noted_is_in_use_all_the_same() {
    let folder = tempfile::tempdir().unwrap();
    let books = Arc::new(Books {
        away: true,
        ..Books::default()
    });
    let store = store(&folder, &books);
    let key = store.new_key().recipient;
    adopt(&store, &key, Adopt::First).await.unwrap();
    assert_eq!(store.recipient().await.unwrap(), Some(key));
    assert_eq!(
        *books.written.lock().unwrap(),
        ["make-backup-key requested", "make-backup-key succeeded"]
    );
}
