//! The audit trail: events are only ever added, each with the hash of the one before; the database refuses everything
//! else.

mod alerts;
mod archive;
mod checkpoints;
mod copy;
mod export;
mod kinds;
mod rare;
mod read;
mod report;
mod reviewed;
mod reviews;
mod rows;
mod seal;
mod timeline;
mod verify;
mod views;
mod waiting;
mod words;

use async_trait::async_trait;
use domain::audit::{AuditEvent, Change, Hash, Head, NewAuditEvent, Record};
use domain::gateway::GatewayId;
use domain::person::Actor;
use domain::ports::{AuditTrail, StoreError};
use sqlx::PgConnection;
use sqlx::types::Json;

pub use archive::{ArchiveLock, Archives, Archiving, Signed};
pub use checkpoints::{Delivery, StoredCheckpoint, Way};
pub use export::ExportFormat;
pub(crate) use seal::seal;
pub use verify::CheckWhen;
pub(crate) use waiting::LastWaiting;

use self::rows::AuditRow;
use crate::rows::column;
use crate::store::Store;

/// The most events of one page.
const PAGE: u32 = 500;
const MICROS_PER_MILLI: i64 = 1_000;

#[async_trait]
impl AuditTrail for Store {
    async fn record(&self, event: NewAuditEvent) -> Result<AuditEvent, StoreError> {
        self.within("writing an audit event", async {
            let mut tx = self.pool.begin().await?;
            let written = self.write_audit(&mut tx, event).await?;
            tx.commit().await?;
            Ok(written)
        })
        .await
    }

    async fn list(&self, before: Option<i64>, limit: u32) -> Result<Vec<AuditEvent>, StoreError> {
        self.within("reading the audit trail", async {
            let rows = sqlx::query_as!(
                AuditRow,
                r#"SELECT sequence, id, at, actor AS "actor: Json<Actor>", action, gateway_id, target,
                          operation_id, reason, outcome, note, changes AS "changes: Json<Vec<Change>>",
                          duration_ms
                   FROM audit_events
                   WHERE $1::bigint IS NULL OR sequence < $1
                   ORDER BY sequence DESC
                   LIMIT $2"#,
                before,
                i64::from(limit.min(PAGE)),
            )
            .fetch_all(&self.pool)
            .await?;
            rows.into_iter().map(AuditRow::read).collect()
        })
        .await
    }
}

impl Store {
    /// Writes an event within the caller's transaction, so that it stands or falls with the act.
    ///
    /// It is the last thing that a transaction does: from here to the commit every other event waits, and whoever
    /// asked for another lock now could wait for somebody who waits for this one.
    pub(crate) async fn write_audit(
        &self,
        connection: &mut PgConnection,
        event: NewAuditEvent,
    ) -> sqlx::Result<AuditEvent> {
        let head = lock_head(connection).await?;
        // With the lock: whatever comes later in the chain is not earlier by this panel's clock.
        let (id, at) = (self.ids.next(), self.clock.now());
        let sequence = head.sequence + 1;
        let actor = as_json(&event.actor)?;
        let changes = match event.changes.as_slice() {
            [] => None,
            changes => Some(as_json(changes)?),
        };
        let duration_ms = event
            .duration_ms
            .map(|duration| i64::try_from(duration).unwrap_or(i64::MAX));
        let actor_key = event.actor.key();
        let record = Record {
            sequence,
            id,
            at: at.as_millis().saturating_mul(MICROS_PER_MILLI),
            actor: &actor,
            actor_key: &actor_key,
            action: &event.action,
            gateway: event.gateway.as_ref().map(GatewayId::as_str),
            target: event.target.as_deref(),
            operation: event.operation.map(|operation| operation.0),
            reason: event.reason.as_deref(),
            outcome: event.outcome.as_str(),
            note: event.note.as_deref(),
            changes: changes.as_deref(),
            duration_ms,
            previous: head.hash,
        };
        let mut text = Vec::with_capacity(1_024);
        record
            .encode(&mut text)
            .map_err(|error| sqlx::Error::Encode(Box::new(error)))?;
        let hash = Hash::of(&text);
        sqlx::query!(
            "INSERT INTO audit_events (sequence, id, at, actor, actor_key, action, gateway_id, target,
                                       operation_id, reason, outcome, note, changes, duration_ms,
                                       previous, hash)
             VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16)",
            sequence,
            id,
            column(at),
            Json(&event.actor) as _,
            actor_key,
            event.action,
            record.gateway,
            event.target,
            record.operation,
            event.reason,
            record.outcome,
            event.note,
            changes.is_some().then_some(Json(&event.changes)) as _,
            duration_ms,
            record.previous.0.as_slice(),
            hash.0.as_slice(),
        )
        .execute(connection)
        .await?;
        Ok(AuditEvent {
            sequence,
            id,
            at,
            event,
        })
    }
}

/// The last event; nobody else appends until the transaction ends.
async fn lock_head(connection: &mut PgConnection) -> sqlx::Result<Head> {
    let row =
        sqlx::query!(r#"SELECT sequence AS "sequence!", hash AS "hash!" FROM lock_audit_head()"#)
            .fetch_one(connection)
            .await?;
    Ok(Head {
        sequence: row.sequence,
        hash: hash(&row.hash),
    })
}

/// A hash as a column has it; one of another length, which only a hand that tampers writes, is none.
fn hash(bytes: &[u8]) -> Hash {
    bytes.try_into().map_or(Hash::ZERO, Hash)
}

fn as_json<T: serde::Serialize + ?Sized>(value: &T) -> sqlx::Result<String> {
    serde_json::to_string(value).map_err(|error| sqlx::Error::Encode(Box::new(error)))
}
