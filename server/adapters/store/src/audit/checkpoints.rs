//! Checkpoints, and how far they have left the house.

use std::time::Duration;

use domain::audit::{Checkpoint, Hash, Head, PublicKey, Signature};
use domain::ports::StoreError;
use domain::time::Timestamp;
use sqlx::PgConnection;
use time::OffsetDateTime;

use super::hash;
use crate::rows::{column, moment};
use crate::store::Store;

/// How checkpoints leave the house.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Way {
    /// Each one, posted to a URL.
    Url,
    /// The latest one of a day, by mail.
    Mail,
}

impl Way {
    const fn word(self) -> &'static str {
        match self {
            Self::Url => "url",
            Self::Mail => "mail",
        }
    }
}

/// How far checkpoints have come on a way.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Delivery {
    /// The last one that arrived; 0 for none.
    pub checkpoint: i64,
    /// When it did.
    pub delivered_at: Option<Timestamp>,
    /// Why the last try failed; `None` when it did not.
    pub failed: Option<String>,
    /// When the last try was.
    pub tried_at: Option<Timestamp>,
}

/// A checkpoint as it lies in the database.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StoredCheckpoint {
    /// 1, 2, 3 …, as they were made.
    pub id: i64,
    /// It.
    pub checkpoint: Checkpoint,
}

impl Store {
    /// Makes a checkpoint of the last event with what `sign` makes of it, once in the whole database: `None` when there
    /// is no event since the last one, or when that one is younger than `every`.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn make_checkpoint(
        &self,
        every: Duration,
        sign: impl FnOnce(Head, Timestamp) -> Checkpoint + Send,
    ) -> Result<Option<Checkpoint>, StoreError> {
        self.within("making a checkpoint of the audit trail", async {
            let mut tx = self.pool.begin().await?;
            sqlx::query!("SELECT pg_advisory_xact_lock(hashtextextended('panel checkpoints the audit', 0))")
                .execute(&mut *tx)
                .await?;
            // Before the head is read: no event after it is older than the checkpoint, by which one is told from an archive.
            let now = self.clock.now();
            let head = read_head(&mut tx).await?;
            let last = sqlx::query!("SELECT sequence, at FROM audit_checkpoints ORDER BY id DESC LIMIT 1")
                .fetch_optional(&mut *tx)
                .await?;
            let is_due = last.is_none_or(|last| {
                last.sequence < head.sequence && moment(last.at) <= now.minus(every)
            });
            if head.sequence == 0 || !is_due {
                return Ok(None);
            }
            let made = sign(head, now);
            sqlx::query!(
                "INSERT INTO audit_checkpoints (sequence, hash, at, key, signature) VALUES ($1, $2, $3, $4, $5)",
                made.sequence,
                made.hash.0.as_slice(),
                column(made.at),
                made.key.0.as_slice(),
                made.signature.0.as_slice(),
            )
            .execute(&mut *tx)
            .await?;
            tx.commit().await?;
            Ok(Some(made))
        })
        .await
    }

    /// Every checkpoint after `after`, in the order in which they were made.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn checkpoints(&self, after: i64) -> Result<Vec<StoredCheckpoint>, StoreError> {
        self.within("reading the checkpoints of the audit trail", async {
            let rows = sqlx::query_as!(
                CheckpointRow,
                "SELECT id, sequence, hash, at, key, signature FROM audit_checkpoints WHERE id > $1 ORDER BY id",
                after,
            )
            .fetch_all(&self.pool)
            .await?;
            Ok(rows.into_iter().map(CheckpointRow::read).collect())
        })
        .await
    }

    /// The last checkpoint of all.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn last_checkpoint(&self) -> Result<Option<Checkpoint>, StoreError> {
        self.within("reading the last checkpoint of the audit trail", async {
            let row = sqlx::query_as!(
                CheckpointRow,
                "SELECT id, sequence, hash, at, key, signature FROM audit_checkpoints ORDER BY id DESC LIMIT 1",
            )
            .fetch_optional(&self.pool)
            .await?;
            Ok(row.map(|row| row.read().checkpoint))
        })
        .await
    }

    /// How far checkpoints have come on a way.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn delivery(&self, way: Way) -> Result<Option<Delivery>, StoreError> {
        self.within("reading what became of checkpoints", async {
            let row = sqlx::query!(
                "SELECT checkpoint_id, delivered_at, failed, tried_at FROM audit_deliveries WHERE way = $1",
                way.word(),
            )
            .fetch_optional(&self.pool)
            .await?;
            Ok(row.map(|row| Delivery {
                checkpoint: row.checkpoint_id,
                delivered_at: row.delivered_at.map(moment),
                failed: row.failed,
                tried_at: row.tried_at.map(moment),
            }))
        })
        .await
    }

    /// Takes a delivery on, so that no two panels make the same; `false` when another one tried within `pause`.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn claim_delivery(&self, way: Way, pause: Duration) -> Result<bool, StoreError> {
        self.within("taking on a delivery of checkpoints", async {
            let now = self.clock.now();
            let claimed = sqlx::query!(
                "INSERT INTO audit_deliveries AS d (way, tried_at) VALUES ($1, $2)
                 ON CONFLICT (way) DO UPDATE SET tried_at = $2
                 WHERE d.tried_at IS NULL OR d.tried_at <= $3",
                way.word(),
                column(now),
                column(now.minus(pause)),
            )
            .execute(&self.pool)
            .await?;
            Ok(claimed.rows_affected() == 1)
        })
        .await
    }

    /// Notes what became of a delivery: everything up to a checkpoint arrived, or why nothing did.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn note_delivery(
        &self,
        way: Way,
        result: Result<i64, String>,
    ) -> Result<(), StoreError> {
        self.within("noting what became of checkpoints", async {
            let (arrived, failed) = match result {
                Ok(checkpoint) => (Some(checkpoint), None),
                Err(why) => (None, Some(why)),
            };
            sqlx::query!(
                "UPDATE audit_deliveries
                 SET checkpoint_id = coalesce($2, checkpoint_id), failed = $3,
                     delivered_at = CASE WHEN $2 IS NULL THEN delivered_at ELSE $4 END
                 WHERE way = $1",
                way.word(),
                arrived,
                failed,
                column(self.clock.now()),
            )
            .execute(&self.pool)
            .await
            .map(drop)
        })
        .await
    }

    /// The number of the last event; 0 before the first one.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn last_audit_event(&self) -> Result<i64, StoreError> {
        self.within("reading the head of the audit trail", async {
            let mut connection = self.pool.acquire().await?;
            Ok(read_head(&mut connection).await?.sequence)
        })
        .await
    }

    /// Whether the database would let the panel's own role change what was written, or take away what forbids it.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn may_change_the_trail(&self) -> Result<bool, StoreError> {
        self.within("asking what the panel's role may do", async {
            sqlx::query_scalar!(
                r#"SELECT bool_or(
                       pg_has_role(relowner, 'MEMBER') OR has_table_privilege(oid, 'UPDATE')
                       OR has_table_privilege(oid, 'DELETE') OR has_table_privilege(oid, 'TRUNCATE')
                   ) AS "may!"
                   FROM pg_class
                   WHERE oid IN ('audit_events'::regclass, 'audit_head'::regclass, 'audit_checkpoints'::regclass,
                                 'audit_checks'::regclass, 'audit_archives'::regclass, 'audit_kinds'::regclass,
                                 'reviews'::regclass, 'review_stretches'::regclass, 'review_answers'::regclass)"#
            )
            .fetch_one(&self.pool)
            .await
        })
        .await
    }
}

/// The last event as it is known at this moment.
async fn read_head(connection: &mut PgConnection) -> sqlx::Result<Head> {
    let row = sqlx::query!("SELECT sequence, hash FROM audit_head")
        .fetch_one(connection)
        .await?;
    Ok(Head {
        sequence: row.sequence,
        hash: hash(&row.hash),
    })
}

pub(super) struct CheckpointRow {
    pub(super) id: i64,
    pub(super) sequence: i64,
    pub(super) hash: Vec<u8>,
    pub(super) at: OffsetDateTime,
    pub(super) key: Vec<u8>,
    pub(super) signature: Vec<u8>,
}

impl CheckpointRow {
    pub(super) fn read(self) -> StoredCheckpoint {
        // Of another length only when somebody tampered: then no signature fits.
        let key: Hash = hash(&self.key);
        let signature = self.signature.as_slice().try_into().unwrap_or([0; 64]);
        StoredCheckpoint {
            id: self.id,
            checkpoint: Checkpoint {
                sequence: self.sequence,
                hash: hash(&self.hash),
                at: moment(self.at),
                key: PublicKey(key.0),
                signature: Signature(signature),
            },
        }
    }
}
