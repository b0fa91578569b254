//! Old events leave the database: written to a file, signed, noted, and only then dropped.

use std::io;

use domain::audit::{Archive, Checkpoint, Doubt, Head, NewAuditEvent, Stretch, act};
use domain::ports::StoreError;
use domain::time::Timestamp;
use futures::future::BoxFuture;
use sqlx::{Connection as _, PgConnection};

use super::checkpoints::CheckpointRow;
use super::export::ExportFormat;
use super::hash;
use crate::rows::{column, moment};
use crate::store::{Store, failed};

const ARCHIVING: &str = "archiving the audit trail";
const DROPPING: &str = "dropping archived audit events";
/// Events that are dropped in one transaction: short enough that nothing waits for it.
const BATCH: i64 = 2_000;

/// Says of the checkpoint of an archive why its signature does not count: the store knows no keys.
pub type Signed<'a> = &'a (dyn Fn(&Checkpoint) -> Result<(), Doubt> + Send + Sync);

/// What stands in the database as archives, and what of it is believed.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Archives {
    /// The last one that is believed; the trail here follows it.
    pub last: Option<Archive>,
    /// Those after it, the last one first, and why they are not.
    pub doubted: Vec<(Archive, Doubt)>,
}

impl Archives {
    /// What the first event here follows.
    pub(super) fn head(&self) -> Head {
        self.last.as_ref().map_or(Head::BEFORE_ALL, Archive::head)
    }
}

/// Nobody else archives or drops while this lives.
pub struct ArchiveLock(PgConnection);

/// What is to be archived, and the right to do so.
pub struct Archiving {
    /// Held until the events are gone.
    pub lock: ArchiveLock,
    /// What is to be archived.
    pub stretch: Stretch,
}

impl Store {
    /// The events from before `before` that are still here, and the right to archive them; `None` when there are none, or
    /// another panel is at it. The last event of all stays.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn begin_archive(
        &self,
        before: Timestamp,
        signed: Signed<'_>,
    ) -> Result<Option<Archiving>, StoreError> {
        let beginning = async {
            let mut connection = self.pool.acquire().await?;
            let after = archives(&mut connection, signed).await?.head();
            let oldest = sqlx::query_scalar!(
                "SELECT at FROM audit_events WHERE sequence > $1 ORDER BY sequence LIMIT 1",
                after.sequence,
            )
            .fetch_optional(&mut *connection)
            .await?;
            drop(connection);
            if oldest.is_none_or(|oldest| moment(oldest) >= before) {
                return Ok(None);
            }
            let Some(mut lock) = self.archive_lock().await? else {
                return Ok(None);
            };
            // Again with the lock, as another panel may have been faster.
            let after = archives(&mut lock.0, signed).await?.head();
            let stretch = stretch(&mut lock.0, after, before).await?;
            Ok(stretch.map(|stretch| Archiving { lock, stretch }))
        };
        Box::pin(beginning)
            .await
            .map_err(|source: sqlx::Error| failed(ARCHIVING, source))
    }

    /// As the owner of the tables; `None` when another panel has it.
    async fn archive_lock(&self) -> sqlx::Result<Option<ArchiveLock>> {
        let mut connection = self.as_owner().await?;
        let free = sqlx::query_scalar!(
            r#"SELECT pg_try_advisory_lock(hashtextextended('panel archives the audit', 0)) AS "free!""#
        )
        .fetch_one(&mut connection)
        .await?;
        Ok(free.then_some(ArchiveLock(connection)))
    }

    /// Writes the events of a stretch as JSON Lines, oldest first, no faster than they are taken, and tells how many they
    /// were.
    ///
    /// # Errors
    /// When the database fails, or `write` does.
    pub async fn export_stretch(
        &self,
        stretch: &Stretch,
        write: impl FnMut(Vec<u8>) -> BoxFuture<'static, io::Result<()>> + Send,
    ) -> Result<u64, StoreError> {
        let wanted = format!(
            "sequence > {} AND sequence <= {}",
            stretch.after.sequence, stretch.last.sequence
        );
        self.export(ExportFormat::JsonLines, wanted, write).await
    }

    /// Notes that a stretch lies in a file, with `event`. From here on its events may go.
    ///
    /// # Errors
    /// When the database fails; then nothing was noted.
    pub async fn note_archive(
        &self,
        archiving: &mut Archiving,
        archive: &Archive,
        event: NewAuditEvent,
    ) -> Result<(), StoreError> {
        let noting = async {
            let mut tx = archiving.lock.0.begin().await?;
            let end = &archive.checkpoint;
            sqlx::query!(
                "INSERT INTO audit_archives (first, sequence, hash, events, before, file, at, key, signature)
                 VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9)",
                archive.first,
                end.sequence,
                end.hash.0.as_slice(),
                i64::try_from(archive.events).unwrap_or(i64::MAX),
                column(archive.before),
                archive.file,
                column(end.at),
                end.key.0.as_slice(),
                end.signature.0.as_slice(),
            )
            .execute(&mut *tx)
            .await?;
            self.write_audit(&mut tx, event).await?;
            tx.commit().await
        };
        Box::pin(noting)
            .await
            .map_err(|source: sqlx::Error| failed(ARCHIVING, source))
    }

    /// The right to drop what is left of an archive; `None` when nothing is, or another panel is at it.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn begin_drop(&self, archive: &Archive) -> Result<Option<ArchiveLock>, StoreError> {
        let beginning = async {
            // Nearly always there is nothing to do.
            let left = is_left(&mut *self.pool.acquire().await?, archive.head()).await?;
            if !left {
                return Ok(None);
            }
            self.archive_lock().await
        };
        Box::pin(beginning)
            .await
            .map_err(|source: sqlx::Error| failed(DROPPING, source))
    }

    /// Drops events that lie in an archive, a few at a time, the oldest first, and tells how many went. While its last
    /// one is here it goes on where one stopped that was cut short; after that, whatever has such a number was put in, and
    /// stays for a check to find.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn drop_archived(
        &self,
        lock: &mut ArchiveLock,
        archive: &Archive,
    ) -> Result<u64, StoreError> {
        let dropping = async {
            let mut dropped = 0;
            while is_left(&mut lock.0, archive.head()).await? {
                let went = sqlx::query!(
                    "DELETE FROM audit_events WHERE sequence IN (
                         SELECT sequence FROM audit_events WHERE sequence BETWEEN 1 AND $1
                         ORDER BY sequence LIMIT $2
                     )",
                    archive.head().sequence,
                    BATCH,
                )
                .execute(&mut lock.0)
                .await?;
                dropped += went.rows_affected();
            }
            Ok(dropped)
        };
        Box::pin(dropping)
            .await
            .map_err(|source: sqlx::Error| failed(DROPPING, source))
    }

    /// What stands here as archives, and what of it is believed.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn archives(&self, signed: Signed<'_>) -> Result<Archives, StoreError> {
        self.within("reading which audit events are archived", async {
            let mut connection = self.pool.acquire().await?;
            archives(&mut connection, signed).await
        })
        .await
    }
}

/// Whether an event is here.
async fn is_left(connection: &mut PgConnection, event: Head) -> sqlx::Result<bool> {
    sqlx::query_scalar!(
        r#"SELECT EXISTS (SELECT 1 FROM audit_events WHERE sequence = $1 AND hash = $2) AS "left!""#,
        event.sequence,
        event.hash.0.as_slice(),
    )
    .fetch_one(connection)
    .await
}

pub(super) async fn archives(
    connection: &mut PgConnection,
    signed: Signed<'_>,
) -> sqlx::Result<Archives> {
    let rows = sqlx::query!(
        r#"SELECT id, first, sequence, hash AS "hash!", events, before, file, at, key, signature,
                  EXISTS (
                      SELECT FROM audit_events AS event
                      WHERE event.action = $1 AND event.sequence > archive.sequence
                        AND event.outcome = 'succeeded' AND event.target = archive.file
                  ) AS "is_noted!",
                  (SELECT event.at FROM audit_events AS event WHERE event.sequence > archive.sequence
                   ORDER BY event.sequence LIMIT 1) AS followed_at
           FROM audit_archives AS archive ORDER BY sequence DESC"#,
        act::ARCHIVE_AUDIT,
    )
    .fetch_all(connection)
    .await?;
    let mut found = Archives::default();
    for row in rows {
        let followed_at = row.followed_at.map(moment);
        let end = CheckpointRow {
            id: row.id,
            sequence: row.sequence,
            hash: row.hash,
            at: row.at,
            key: row.key,
            signature: row.signature,
        };
        let archive = Archive {
            first: row.first,
            events: u64::try_from(row.events).unwrap_or(0),
            before: moment(row.before),
            file: row.file,
            checkpoint: end.read().checkpoint,
        };
        let doubt = match signed(&archive.checkpoint) {
            Err(doubt) => doubt,
            // Whoever owns the tables has checkpoints that the panel signed at hand: of an event that was the last one.
            Ok(()) if followed_at.is_some_and(|at| at >= archive.checkpoint.at) => Doubt::Early,
            Ok(()) if !row.is_noted => Doubt::NoEvent,
            Ok(()) => {
                found.last = Some(archive);
                break;
            }
        };
        found.doubted.push((archive, doubt));
    }
    Ok(found)
}

/// Every event after `after`, up to the one before the first that is not older than `before`: a clock that was turned
/// back makes it shorter, never longer.
async fn stretch(
    connection: &mut PgConnection,
    after: Head,
    before: Timestamp,
) -> sqlx::Result<Option<Stretch>> {
    let row = sqlx::query!(
        r#"WITH young AS (
               SELECT coalesce(
                   (SELECT min(sequence) FROM audit_events WHERE sequence > $1 AND at >= $2),
                   (SELECT max(sequence) FROM audit_events)
               ) AS sequence
           )
           SELECT event.sequence, event.hash AS "hash!",
                  (SELECT min(sequence) FROM audit_events WHERE sequence > $1) AS "first!",
                  (SELECT at FROM audit_events AS next WHERE next.sequence > event.sequence
                   ORDER BY next.sequence LIMIT 1) AS "followed_at!"
           FROM audit_events AS event
           WHERE event.sequence > $1 AND event.sequence < (SELECT sequence FROM young)
           ORDER BY event.sequence DESC LIMIT 1"#,
        after.sequence,
        column(before),
    )
    .fetch_optional(connection)
    .await?;
    Ok(row.map(|row| Stretch {
        first: row.first,
        after,
        last: Head {
            sequence: row.sequence,
            hash: hash(&row.hash),
        },
        before,
        followed_at: moment(row.followed_at),
    }))
}
