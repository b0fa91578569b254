//! Checking the whole chain: one pass over the trail, in one snapshot, on a connection of its own.

use std::time::Duration;

use domain::audit::{Check, Checkpoint, Doubt, Flaw, Found, Head, Verifier};
use domain::ports::StoreError;
use futures::TryStreamExt as _;
use sqlx::types::Json;
use sqlx::{ConnectOptions as _, Connection as _, Executor as _, PgConnection};
use tokio::runtime::Builder;
use tokio_util::sync::CancellationToken;

use super::archive::{Signed, archives};
use super::copy::{COLUMNS, Copied};
use super::hash;
use crate::rows::column;
use crate::store::{Store, failed};

const CHECKING: &str = "checking the audit trail";

/// When the chain is to be checked.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum CheckWhen {
    /// Now.
    Now,
    /// When the last check is this old, and no other panel is at it.
    Due(Duration),
}

impl Store {
    /// Checks the whole chain against `checkpoints` and keeps the result. `flaws` are what the checkpoints themselves
    /// have; read them before: one that is made later may know an event that this does not see. `signed` says whose
    /// archives the trail may begin after. `None` when it is not due. Dropped, it stops.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn check_audit(
        &self,
        when: CheckWhen,
        checkpoints: Vec<Checkpoint>,
        flaws: Vec<Flaw>,
        signed: impl Fn(&Checkpoint) -> Result<(), Doubt> + Send + Sync + 'static,
    ) -> Result<Option<Check>, StoreError> {
        let store = self.clone();
        let stop = CancellationToken::new();
        let stopped = stop.clone();
        let _stops_when_dropped = stop.drop_guard();
        // A thread and a runtime of its own: no page waits for its arithmetic, and no news of its socket goes from one
        // thread to another, which costs a third more.
        let checking = tokio::task::spawn_blocking(move || {
            let runtime = Builder::new_current_thread().enable_all().build()?;
            runtime.block_on(async {
                tokio::select! {
                    checked = store.check_here(when, &checkpoints, flaws, &signed) => checked,
                    () = stopped.cancelled() => Err(sqlx::Error::WorkerCrashed),
                }
            })
        });
        let checked = checking.await;
        checked
            .unwrap_or(Err(sqlx::Error::WorkerCrashed))
            .map_err(|source| failed(CHECKING, source))
    }

    async fn check_here(
        &self,
        when: CheckWhen,
        checkpoints: &[Checkpoint],
        flaws: Vec<Flaw>,
        signed: Signed<'_>,
    ) -> sqlx::Result<Option<Check>> {
        let mut connection = self.patient().await?;
        if let CheckWhen::Due(every) = when
            && !self.is_due(&mut connection, every).await?
        {
            return Ok(None);
        }
        let at = self.clock.now();
        let found = found(&mut connection, checkpoints, flaws, signed).await?;
        let took = self.clock.now().since(at);
        let check = Check {
            at,
            took_ms: u64::try_from(took.as_millis()).unwrap_or(u64::MAX),
            after: found.after,
            events: found.events,
            last: found.last.sequence,
            checkpoints: checkpoints.len() as u64,
            flaws: found.flaws,
            more: found.more,
        };
        sqlx::query!(
            "INSERT INTO audit_checks (at, result) VALUES ($1, $2)",
            column(at),
            Json(&check) as _,
        )
        .execute(&mut connection)
        .await?;
        // Its locks go with it.
        connection.close().await?;
        Ok(Some(check))
    }

    /// What the last check found.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn last_audit_check(&self) -> Result<Option<Check>, StoreError> {
        self.within("reading the last check of the audit trail", async {
            let result = sqlx::query_scalar!(
                r#"SELECT result AS "result: Json<Check>" FROM audit_checks ORDER BY id DESC LIMIT 1"#
            )
            .fetch_optional(&self.pool)
            .await?;
            Ok(result.map(|result| result.0))
        })
        .await
    }

    /// A connection on which a statement may take as long as it takes.
    pub(super) async fn patient(&self) -> sqlx::Result<PgConnection> {
        let options = self.pool.connect_options().as_ref().clone();
        options
            .options([("statement_timeout", "0")])
            .connect()
            .await
    }

    /// Such a connection of the role that owns the tables.
    pub(super) async fn as_owner(&self) -> sqlx::Result<PgConnection> {
        match &self.owner {
            Some(owner) => owner.connect().await,
            None => self.patient().await,
        }
    }

    /// The lock is held as long as the connection is.
    async fn is_due(&self, connection: &mut PgConnection, every: Duration) -> sqlx::Result<bool> {
        let latest = column(self.clock.now().minus(every));
        let free = sqlx::query_scalar!(
            r#"SELECT pg_try_advisory_lock(hashtextextended('panel checks the audit', 0)) AS "free!""#
        )
        .fetch_one(&mut *connection)
        .await?;
        let done = sqlx::query_scalar!(
            r#"SELECT EXISTS (SELECT 1 FROM audit_checks WHERE at > $1) AS "done!""#,
            latest,
        )
        .fetch_one(connection)
        .await?;
        Ok(free && !done)
    }
}

async fn found(
    connection: &mut PgConnection,
    checkpoints: &[Checkpoint],
    flaws: Vec<Flaw>,
    signed: Signed<'_>,
) -> sqlx::Result<Found> {
    let mut sorted = checkpoints.to_vec();
    sorted.sort_by_key(|checkpoint| checkpoint.sequence);
    // Events that are written meanwhile are for the next time.
    let mut tx = connection.begin().await?;
    tx.execute("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ, READ ONLY")
        .await?;
    let archives = archives(&mut tx, signed).await?;
    let mut verifier = Verifier::new(archives.head(), &sorted);
    // First: what is missing where the trail does not begin may fill the list.
    let doubted = archives.doubted.into_iter();
    let doubted = doubted.map(|(archive, why)| Flaw::Archive {
        sequence: archive.head().sequence,
        file: archive.file,
        why,
    });
    for flaw in doubted.chain(flaws) {
        verifier.note(flaw);
    }
    let head = sqlx::query!("SELECT sequence, hash FROM audit_head")
        .fetch_optional(&mut *tx)
        .await?;
    let head = head.map(|row| Head {
        sequence: row.sequence,
        hash: hash(&row.hash),
    });
    // All that there are: what has no business below the first one is read on pages, too.
    let copy = format!(
        "COPY (SELECT {COLUMNS} FROM audit_events ORDER BY sequence) TO STDOUT (FORMAT binary)"
    );
    let mut copied = Copied::default();
    let mut pieces = tx.copy_out_raw(&copy).await?;
    while let Some(piece) = pieces.try_next().await? {
        copied.feed(&piece, |record, hash| {
            verifier.take(record, hash);
            Ok(())
        })?;
    }
    drop(pieces);
    tx.rollback().await?;
    Ok(verifier.finish(head))
}
