//! A fresh database for every test, a clock that stands until moved, and ids in order.

use std::sync::Arc;
use std::sync::atomic::{AtomicI64, AtomicU64, Ordering};
use std::time::Duration;

use adapter_store::{DatabaseConfig, RelyingParty, SealingKey, Store};
use domain::action::Action;
use domain::can::{Permit, permit};
use domain::operation::{Command, Operation, OperationId};
use domain::person::{Actor, Role};
use domain::ports::{Clock, Ids, Journal as _, NewOperation, People as _};
use domain::time::Timestamp;
use secrecy::SecretString;
use sqlx::migrate::Migrator;
use sqlx::postgres::{PgConnectOptions, PgConnection};
use sqlx::{Connection as _, Executor as _};
use uuid::Uuid;

use crate::authenticator::ORIGIN;

static MIGRATIONS: Migrator = sqlx::migrate!("../../../migrations");

pub(crate) struct TestClock(AtomicI64);

impl TestClock {
    pub(crate) fn advance(&self, by: Duration) {
        self.0
            .fetch_add(i64::try_from(by.as_millis()).unwrap(), Ordering::SeqCst);
    }
}

impl Clock for TestClock {
    fn now(&self) -> Timestamp {
        Timestamp::from_millis(self.0.load(Ordering::SeqCst))
    }
}

/// In order, as version 7 ids are.
pub(crate) struct TestIds(AtomicU64);

impl Ids for TestIds {
    fn next(&self) -> Uuid {
        Uuid::from_u64_pair(0x019a_0000_0000_7000, self.0.fetch_add(1, Ordering::SeqCst))
    }
}

pub(crate) struct Database {
    pub(crate) url: String,
    pub(crate) clock: Arc<TestClock>,
    pub(crate) ids: Arc<TestIds>,
}

impl Database {
    pub(crate) fn at(url: String) -> Self {
        Self {
            url,
            clock: Arc::new(TestClock(AtomicI64::new(1_795_000_000_000))),
            ids: Arc::new(TestIds(AtomicU64::new(1))),
        }
    }

    /// A copy of the migrated template, under a name of its own.
    pub(crate) async fn fresh() -> Self {
        static NEXT: AtomicU64 = AtomicU64::new(1);
        let server = server_url();
        let mut admin = PgConnection::connect(&server).await.unwrap();
        let template = template(&mut admin, &server).await;
        let number = NEXT.fetch_add(1, Ordering::SeqCst);
        let name = format!("panel_test_{}_{number}", std::process::id());
        let drop = format!("DROP DATABASE IF EXISTS {name} WITH (FORCE)");
        admin.execute(drop.as_str()).await.unwrap();
        let create = format!("CREATE DATABASE {name} TEMPLATE {template}");
        admin.execute(create.as_str()).await.unwrap();
        admin.close().await.unwrap();
        Self::at(at_database(&server, &name))
    }

    pub(crate) async fn store(&self) -> Store {
        let url = SecretString::from(self.url.clone());
        self.store_with(DatabaseConfig::from_url(&url).unwrap())
            .await
    }

    pub(crate) async fn store_with(&self, config: DatabaseConfig) -> Store {
        let store = Store::connect(config, self.clock.clone(), self.ids.clone())
            .await
            .unwrap();
        store
            .sealed_under(SealingKey::new(&[7; 32]))
            .for_passkeys_of(RelyingParty::of(&ORIGIN.parse().unwrap()))
    }

    pub(crate) async fn sql(&self, statement: &str) -> Result<u64, sqlx::Error> {
        let mut connection = PgConnection::connect(&self.url).await?;
        let done = connection.execute(statement).await?;
        Ok(done.rows_affected())
    }

    pub(crate) async fn count(&self, from: &str) -> i64 {
        let mut connection = PgConnection::connect(&self.url).await.unwrap();
        let count = format!("SELECT count(*) FROM {from}");
        sqlx::query_scalar(&count)
            .fetch_one(&mut connection)
            .await
            .unwrap()
    }
}

fn server_url() -> String {
    let url = std::env::var_os("PANEL_TEST_DATABASE").and_then(|url| url.into_string().ok());
    url.expect(
        "PANEL_TEST_DATABASE is not set: run `make test`, or start a scratch database with \
         `.setup/test-postgres.sh start /tmp/panel-test` and set it to the URL that is printed",
    )
}

fn at_database(server: &str, name: &str) -> String {
    let (before, _) = server.rsplit_once('/').unwrap();
    format!("{before}/{name}")
}

/// Made by the first test that comes, named after the migrations in it.
async fn template(admin: &mut PgConnection, server: &str) -> String {
    let mut sum = 0_u64;
    for byte in MIGRATIONS.iter().flat_map(|step| step.checksum.iter()) {
        sum = sum.wrapping_mul(31).wrapping_add(u64::from(*byte));
    }
    let name = format!("panel_template_{sum:x}");
    admin
        .execute("SELECT pg_advisory_lock(7260)")
        .await
        .unwrap();
    let there: bool =
        sqlx::query_scalar("SELECT EXISTS (SELECT 1 FROM pg_database WHERE datname = $1)")
            .bind(&name)
            .fetch_one(&mut *admin)
            .await
            .unwrap();
    if !there {
        let unfinished = format!("{name}_unfinished");
        for statement in [
            format!("DROP DATABASE IF EXISTS {unfinished} WITH (FORCE)"),
            format!("CREATE DATABASE {unfinished}"),
        ] {
            admin.execute(statement.as_str()).await.unwrap();
        }
        let options: PgConnectOptions = at_database(server, &unfinished).parse().unwrap();
        let mut connection = PgConnection::connect_with(&options).await.unwrap();
        MIGRATIONS.run(&mut connection).await.unwrap();
        connection.close().await.unwrap();
        let rename = format!("ALTER DATABASE {unfinished} RENAME TO {name}");
        admin.execute(rename.as_str()).await.unwrap();
    }
    admin
        .execute("SELECT pg_advisory_unlock(7260)")
        .await
        .unwrap();
    name
}

pub(crate) fn anna() -> Actor {
    Actor::Person {
        id: Uuid::from_u128(1),
        name: "anna".to_owned(),
        role: Role::Admin,
        address: Some("192.0.2.7".to_owned()),
        browser: Some("Firefox".to_owned()),
        session: None,
        token: None,
    }
}

pub(crate) fn ben() -> Actor {
    Actor::CommandLine {
        user: "ben".to_owned(),
    }
}

pub(crate) fn restart(database: &Database, by: Actor, key: &str) -> NewOperation {
    NewOperation {
        second: None,
        operation: Operation {
            id: OperationId(database.ids.next()),
            command: Command::Restart {
                gateway: "g1".parse().unwrap(),
            },
            asked_by: by,
            reason: Some("it hangs".to_owned()),
            created_at: database.clock.now(),
            ended_at: None,
            outcome: None,
            generation: 1,
            steps: Vec::new(),
            usually_ms: Some(4_200),
        },
        idempotency_key: key.to_owned(),
    }
}

/// The same, but a link of one account.
pub(crate) fn relink(database: &Database, by: Actor, key: &str) -> NewOperation {
    let mut new = restart(database, by, key);
    new.operation.command = Command::Relink {
        gateway: "g1".parse().unwrap(),
        account: "work".parse().unwrap(),
    };
    new
}

pub(crate) fn may_manage_people() -> Permit {
    permit(&ben(), Action::ManagePeople, None).unwrap()
}

/// A person with their one-time password.
pub(crate) async fn person(store: &Store, name: &str, role: Role) -> (Uuid, SecretString) {
    let (person, password) = store
        .add(may_manage_people(), name, role.into())
        .await
        .unwrap();
    (person.id, password)
}

/// A link of an account that has begun.
pub(crate) async fn begun_relink(database: &Database, store: &Store) -> OperationId {
    let wanted = relink(database, anna(), "k");
    let id = wanted.operation.id;
    store.begin(wanted, database.ids.next()).await.unwrap();
    id
}
