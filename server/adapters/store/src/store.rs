//! The store: a pool of connections, the tables brought up to date, and limits on every call.

use std::io;
use std::sync::Arc;
use std::time::Duration;

use domain::password::Judged;
use domain::ports::{Clock, Ids, StoreError};
use secrecy::SecretString;
use sqlx::Connection as _;
use sqlx::migrate::Migrator;
use sqlx::postgres::{PgConnectOptions, PgConnection, PgPool, PgPoolOptions};
use tower_sessions_sqlx_store::PostgresStore;

use crate::audit::{LastWaiting, seal};
use crate::config::DatabaseConfig;
use crate::password::Hasher;
use crate::people::RelyingParty;
use crate::process::Process;
use crate::roles::grant;
use crate::sealing::SealingKey;

static MIGRATIONS: Migrator = sqlx::migrate!("../../../migrations");

/// In milliseconds.
const IDLE_IN_CHANGE: &str = "15000";

/// Everything the panel keeps. Cheap to clone.
#[derive(Clone)]
pub struct Store {
    pub(crate) pool: PgPool,
    pub(crate) clock: Arc<dyn Clock>,
    pub(crate) ids: Arc<dyn Ids>,
    pub(crate) hasher: Hasher,
    /// Seals secrets of second factors; without it there are none.
    pub(crate) sealing: Option<Arc<SealingKey>>,
    /// Whom passkeys are made for; without it there are none.
    pub(crate) relying_party: Option<Arc<webauthn_rs::Webauthn>>,
    /// This panel's process, where the system tells.
    pub(crate) process: Option<Arc<Process>>,
    call_timeout: Duration,
    /// What waited for a review the last time.
    pub(crate) last_waiting: Arc<LastWaiting>,
    /// As whom tables are brought up to date; the panel itself when it has no other role.
    pub(crate) owner: Option<Arc<PgConnectOptions>>,
}

impl Store {
    /// Connects, brings the tables up to date and keeps connections ready.
    ///
    /// # Errors
    /// When the database cannot be reached, or was made by a newer panel.
    pub async fn connect(
        config: DatabaseConfig,
        clock: Arc<dyn Clock>,
        ids: Arc<dyn Ids>,
    ) -> Result<Self, StoreError> {
        migrate(&config)
            .await
            .map_err(|source| failed("preparing the tables", source))?;
        let statement_timeout = config.statement_timeout.as_millis().to_string();
        let options = config.options.options([
            ("statement_timeout", statement_timeout.as_str()),
            // A panel that is lost in the middle of a change must not keep the others from appending to the audit trail.
            ("idle_in_transaction_session_timeout", IDLE_IN_CHANGE),
            // A page waits for milliseconds: compiling its statement or starting workers for it takes longer.
            ("jit", "off"),
            ("max_parallel_workers_per_gather", "0"),
        ]);
        let pool = PgPoolOptions::new()
            .max_connections(config.connections)
            .acquire_timeout(config.acquire_timeout)
            .idle_timeout(Duration::from_secs(300))
            .connect_lazy_with(options);
        Ok(Self {
            pool,
            clock,
            ids,
            hasher: Hasher::new(config.password_checks),
            sealing: None,
            relying_party: None,
            process: Process::this().map(Arc::new),
            call_timeout: config.call_timeout,
            last_waiting: Arc::default(),
            owner: config.owner.map(Arc::new),
        })
    }

    /// The same, with the key that secrets of second factors are sealed under.
    #[must_use]
    pub fn sealed_under(self, key: SealingKey) -> Self {
        Self {
            sealing: Some(Arc::new(key)),
            ..self
        }
    }

    /// The same, for the host whose passkeys it takes.
    #[must_use]
    pub fn for_passkeys_of(self, party: Option<RelyingParty>) -> Self {
        Self {
            relying_party: party.map(RelyingParty::into_inner),
            ..self
        }
    }

    /// To be called once before people sign in: then every refusal takes the same time.
    pub async fn prepare_sign_ins(&self) {
        self.hasher.prepare().await;
    }

    /// How hard a password is to guess that somebody of that name is about to choose; `None` when too many ask at once.
    pub async fn judge_password(&self, password: SecretString, name: String) -> Option<Judged> {
        self.hasher.judge(password, name).await
    }

    /// Where the HTTP layer keeps its sessions: the table `tower_sessions`.
    pub fn sessions(&self) -> PostgresStore {
        let sessions = PostgresStore::new(self.pool.clone());
        sessions
            .with_schema_name("public")
            .and_then(|sessions| sessions.with_table_name("tower_sessions"))
            .unwrap_or_else(|_| PostgresStore::new(self.pool.clone()))
    }

    /// Whether the database answers, for readiness and metrics.
    ///
    /// # Errors
    /// When it does not.
    pub async fn ping(&self) -> Result<(), StoreError> {
        self.within("asking for a sign of life", async {
            self.pool.acquire().await?.ping().await
        })
        .await
    }

    /// Closes every connection; what runs is finished first.
    pub async fn close(&self) {
        self.pool.close().await;
    }

    /// Runs `work`, but not for ever: a database that accepts and never answers must not hold a page.
    pub(crate) async fn within<T>(
        &self,
        doing: &'static str,
        work: impl Future<Output = sqlx::Result<T>>,
    ) -> Result<T, StoreError> {
        let limited = tokio::time::timeout(self.call_timeout, Box::pin(work)).await;
        let result = limited.unwrap_or_else(|_| Err(no_answer(self.call_timeout)));
        result.map_err(|source| failed(doing, source))
    }
}

/// On a connection of its own: a migration may take longer than any statement of a running panel.
/// Several panels that start at once wait for each other here.
async fn migrate(config: &DatabaseConfig) -> Result<(), sqlx::Error> {
    let options = config.owner.as_ref().unwrap_or(&config.options);
    let connecting = PgConnection::connect_with(options);
    let mut connection = tokio::time::timeout(config.call_timeout, connecting)
        .await
        .unwrap_or_else(|_| Err(no_answer(config.call_timeout)))?;
    MIGRATIONS.run(&mut connection).await?;
    seal(&mut connection).await?;
    if config.owner.is_some() {
        grant(&mut connection, config.options.get_username()).await?;
    }
    connection.close().await
}

fn no_answer(limit: Duration) -> sqlx::Error {
    let limit = limit.as_secs_f32();
    sqlx::Error::Io(io::Error::new(
        io::ErrorKind::TimedOut,
        format!("the database did not answer within {limit} s"),
    ))
}

pub(crate) fn failed(
    doing: &'static str,
    source: impl Into<Box<dyn core::error::Error + Send + Sync>>,
) -> StoreError {
    StoreError {
        doing,
        source: source.into(),
    }
}
