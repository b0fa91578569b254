//! Old events leave the database: written to a file, signed, noted, and only then dropped.

use std::io;

use domain::audit::{Archive, Head, NewAuditEvent, Stretch};
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
/// Events that are dropped in one transaction: short enough that nothing waits for it.
const BATCH: i64 = 2_000;

/// Nobody else archives while this lives.
pub struct Archiving {
    connection: PgConnection,
    /// What is to be archived.
    pub stretch: Stretch,
}

impl Store {
    /// The events from before `before` that are still here, and the right to archive them; `None` when there are none, or
    /// another panel is at it. The last event of all stays.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn begin_archive(&self, before: Timestamp) -> Result<Option<Archiving>, StoreError> {
        let beginning = async {
            let after = archived(&self.pool).await?.map(|archive| archive.head());
            let oldest = sqlx::query_scalar!(
                "SELECT at FROM audit_events WHERE sequence > $1 ORDER BY sequence LIMIT 1",
                after.map_or(0, |after| after.sequence),
            )
            .fetch_optional(&self.pool)
            .await?;
            if oldest.is_none_or(|oldest| moment(oldest) >= before) {
                return Ok(None);
            }
            let mut connection = self.as_owner().await?;
            let free = sqlx::query_scalar!(
                r#"SELECT pg_try_advisory_lock(hashtextextended('panel archives the audit', 0)) AS "free!""#
            )
            .fetch_one(&mut connection)
            .await?;
            if !free {
                return Ok(None);
            }
            // Again with the lock, as another panel may have been faster.
            let after = archived(&mut connection)
                .await?
                .map(|archive| archive.head());
            let stretch =
                stretch(&mut connection, after.unwrap_or(Head::BEFORE_ALL), before).await?;
            Ok(stretch.map(|stretch| Archiving {
                connection,
                stretch,
            }))
        };
        Box::pin(beginning)
            .await
            .map_err(|source: sqlx::Error| failed(ARCHIVING, source))
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
            let mut tx = archiving.connection.begin().await?;
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

    /// Drops events that lie in archives, a few at a time, and tells how many went. Goes on where one that was cut short
    /// stopped.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn drop_archived(&self) -> Result<u64, StoreError> {
        let dropping = async {
            // Nearly always there is nothing to do.
            let left = sqlx::query_scalar!(
                r#"SELECT EXISTS (
                       SELECT 1 FROM audit_events WHERE sequence <= (SELECT max(sequence) FROM audit_archives)
                   ) AS "left!""#
            )
            .fetch_one(&self.pool)
            .await?;
            if !left {
                return Ok(0);
            }
            let mut connection = self.as_owner().await?;
            let mut dropped = 0;
            loop {
                let went = sqlx::query!(
                    "DELETE FROM audit_events WHERE sequence IN (
                         SELECT sequence FROM audit_events
                         WHERE sequence <= (SELECT max(sequence) FROM audit_archives)
                         ORDER BY sequence LIMIT $1
                     )",
                    BATCH,
                )
                .execute(&mut connection)
                .await?
                .rows_affected();
                if went == 0 {
                    connection.close().await?;
                    return Ok(dropped);
                }
                dropped += went;
            }
        };
        Box::pin(dropping)
            .await
            .map_err(|source: sqlx::Error| failed("dropping archived audit events", source))
    }

    /// The last archive; the trail in the database begins after it.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn last_archive(&self) -> Result<Option<Archive>, StoreError> {
        self.within(
            "reading which audit events are archived",
            archived(&self.pool),
        )
        .await
    }
}

pub(super) async fn archived(executor: impl sqlx::PgExecutor<'_>) -> sqlx::Result<Option<Archive>> {
    let row = sqlx::query!(
        "SELECT id, first, sequence, hash, events, before, file, at, key, signature
         FROM audit_archives ORDER BY sequence DESC LIMIT 1"
    )
    .fetch_optional(executor)
    .await?;
    Ok(row.map(|row| {
        let end = CheckpointRow {
            id: row.id,
            sequence: row.sequence,
            hash: row.hash,
            at: row.at,
            key: row.key,
            signature: row.signature,
        };
        Archive {
            first: row.first,
            events: u64::try_from(row.events).unwrap_or(0),
            before: moment(row.before),
            file: row.file,
            checkpoint: end.read().checkpoint,
        }
    }))
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
                  (SELECT min(sequence) FROM audit_events WHERE sequence > $1) AS "first!"
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
    }))
}
