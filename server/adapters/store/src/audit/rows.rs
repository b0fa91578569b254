//! Events between rows and the words of `domain`: as people read them, and as they are hashed.

use domain::audit::{AuditEvent, AuditOutcome, Change, Hash, NewAuditEvent, Record};
use domain::operation::OperationId;
use domain::person::Actor;
use sqlx::types::Json;
use time::OffsetDateTime;
use uuid::Uuid;

use crate::rows::{gateway, moment, unknown};

/// The columns of [`AuditRow`], of a table called `e`.
pub(crate) const EVENT: &str = "e.sequence, e.id, e.at, e.actor, e.action, e.gateway_id, e.target, e.operation_id, \
                                e.reason, e.outcome, e.note, e.changes, e.duration_ms";

/// An event as people read it.
#[derive(sqlx::FromRow)]
pub(crate) struct AuditRow {
    pub(super) sequence: i64,
    pub(super) id: Uuid,
    pub(super) at: OffsetDateTime,
    pub(super) actor: Json<Actor>,
    pub(super) action: String,
    pub(super) gateway_id: Option<String>,
    pub(super) target: Option<String>,
    pub(super) operation_id: Option<Uuid>,
    pub(super) reason: Option<String>,
    pub(super) outcome: String,
    pub(super) note: Option<String>,
    pub(super) changes: Option<Json<Vec<Change>>>,
    pub(super) duration_ms: Option<i64>,
}

impl AuditRow {
    pub(crate) fn read(self) -> sqlx::Result<AuditEvent> {
        let outcome = AuditOutcome::parse(&self.outcome)
            .ok_or_else(|| unknown("audit outcome", self.outcome))?;
        Ok(AuditEvent {
            sequence: self.sequence,
            id: self.id,
            at: moment(self.at),
            event: NewAuditEvent {
                gateway: self.gateway_id.map(gateway).transpose()?,
                target: self.target,
                operation: self.operation_id.map(OperationId),
                reason: self.reason,
                note: self.note,
                changes: self.changes.map_or_else(Vec::new, |changes| changes.0),
                duration_ms: self.duration_ms.and_then(|ms| u64::try_from(ms).ok()),
                ..NewAuditEvent::new(self.actor.0, &self.action, outcome)
            },
        })
    }
}

/// An event as it is hashed: JSON stays the text that the database has.
pub(super) struct SealRow {
    pub(super) sequence: i64,
    pub(super) id: Uuid,
    pub(super) at: OffsetDateTime,
    pub(super) actor: String,
    pub(super) actor_key: String,
    pub(super) action: String,
    pub(super) gateway_id: Option<String>,
    pub(super) target: Option<String>,
    pub(super) operation_id: Option<Uuid>,
    pub(super) reason: Option<String>,
    pub(super) outcome: String,
    pub(super) note: Option<String>,
    pub(super) changes: Option<String>,
    pub(super) duration_ms: Option<i64>,
}

impl SealRow {
    pub(super) fn record(&self, previous: Hash) -> Record<'_> {
        let micros = self.at.unix_timestamp_nanos().div_euclid(1_000);
        Record {
            sequence: self.sequence,
            id: self.id,
            at: i64::try_from(micros).unwrap_or(i64::MAX),
            actor: &self.actor,
            actor_key: &self.actor_key,
            action: &self.action,
            gateway: self.gateway_id.as_deref(),
            target: self.target.as_deref(),
            operation: self.operation_id,
            reason: self.reason.as_deref(),
            outcome: &self.outcome,
            note: self.note.as_deref(),
            changes: self.changes.as_deref(),
            duration_ms: self.duration_ms,
            previous,
        }
    }
}
