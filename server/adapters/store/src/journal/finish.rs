//! Ending, asking to stop, and freeing what is stuck: state, journal and audit change together.

use domain::audit::{AuditOutcome, NewAuditEvent, act};
use domain::operation::{Command, Event, OperationId, Outcome};
use domain::person::Actor;
use domain::ports::Fenced;
use sqlx::PgConnection;
use sqlx::types::Json;

use super::Entry;
use super::read::target;
use crate::rows::{column, gateway, moment};
use crate::store::Store;

impl Store {
    pub(super) async fn end_operation(
        &self,
        id: OperationId,
        generation: i32,
        outcome: Outcome,
    ) -> sqlx::Result<Result<(), Fenced>> {
        let now = self.clock.now();
        let mut tx = self.pool.begin().await?;
        let ended = sqlx::query!(
            r#"UPDATE operations
               SET ended_at = $3, outcome = $4, outcome_detail = $5, last_sequence = last_sequence + 1
               WHERE id = $1 AND generation = $2 AND ended_at IS NULL
               RETURNING gateway_id, last_sequence, asked_by AS "asked_by: Json<Actor>",
                         command AS "command: Json<Command>", reason, created_at"#,
            id.0,
            generation,
            column(now),
            outcome.as_str(),
            Json(&outcome) as _,
        )
        .fetch_optional(&mut *tx)
        .await?;
        let Some(row) = ended else {
            return ended_alike(&mut tx, id, generation, &outcome).await;
        };
        let (audited, note) = in_audit(&outcome);
        let took = now.since(moment(row.created_at));
        let closing = NewAuditEvent {
            target: target(&row.command),
            gateway: Some(gateway(row.gateway_id.clone())?),
            operation: Some(id),
            reason: row.reason,
            note,
            duration_ms: u64::try_from(took.as_millis()).ok(),
            ..NewAuditEvent::new(row.asked_by.0, row.command.name(), audited)
        };
        let entry = Entry {
            id,
            gateway: &row.gateway_id,
            generation,
            sequence: row.last_sequence,
        };
        self.write_entry(&mut tx, entry, Event::Ended { outcome })
            .await?;
        self.write_audit(&mut tx, closing).await?;
        tx.commit().await?;
        Ok(Ok(()))
    }

    pub(super) async fn ask_operation_to_stop(
        &self,
        id: OperationId,
        by: &Actor,
    ) -> sqlx::Result<bool> {
        let mut tx = self.pool.begin().await?;
        let Some(open) = lock_open(&mut tx, id).await? else {
            return Ok(false);
        };
        let asked_before = sqlx::query_scalar!(
            r#"SELECT EXISTS (
                   SELECT 1 FROM operation_events
                   WHERE operation_id = $1 AND event ->> 'event' = 'cancel_asked'
               ) AS "asked!""#,
            id.0,
        )
        .fetch_one(&mut *tx)
        .await?;
        if !asked_before {
            let by = by.name().to_owned();
            self.write_wish(&mut tx, id, &open, Event::CancelAsked { by })
                .await?;
        }
        let asked = NewAuditEvent {
            gateway: Some(gateway(open.gateway_id)?),
            operation: Some(id),
            note: asked_before.then(|| "Somebody had asked for it already.".to_owned()),
            ..NewAuditEvent::new(by.clone(), act::CANCEL_OPERATION, AuditOutcome::Requested)
        };
        self.write_audit(&mut tx, asked).await?;
        tx.commit().await?;
        Ok(true)
    }

    pub(super) async fn ask_operation_to_skip(
        &self,
        id: OperationId,
        step: &str,
        by: &Actor,
    ) -> sqlx::Result<bool> {
        let mut tx = self.pool.begin().await?;
        let Some(open) = lock_open(&mut tx, id).await? else {
            return Ok(false);
        };
        let wish = Event::SkipAsked {
            step: step.to_owned(),
            by: by.name().to_owned(),
        };
        self.write_wish(&mut tx, id, &open, wish).await?;
        let asked = NewAuditEvent {
            gateway: Some(gateway(open.gateway_id)?),
            target: Some(format!("step {step}")),
            operation: Some(id),
            ..NewAuditEvent::new(by.clone(), act::SKIP_STEP, AuditOutcome::Requested)
        };
        self.write_audit(&mut tx, asked).await?;
        tx.commit().await?;
        Ok(true)
    }

    /// What somebody wishes of an operation whose row is locked, whoever runs it.
    async fn write_wish(
        &self,
        connection: &mut PgConnection,
        id: OperationId,
        open: &Open,
        wish: Event,
    ) -> sqlx::Result<()> {
        sqlx::query!(
            "UPDATE operations SET last_sequence = last_sequence + 1 WHERE id = $1",
            id.0,
        )
        .execute(&mut *connection)
        .await?;
        let entry = Entry {
            id,
            gateway: &open.gateway_id,
            generation: open.generation,
            sequence: open.last_sequence + 1,
        };
        self.write_entry(connection, entry, wish).await
    }

    pub(super) async fn abandon_operation(
        &self,
        id: OperationId,
        by: &Actor,
        comment: &str,
    ) -> sqlx::Result<bool> {
        let outcome = Outcome::Abandoned {
            by: by.name().to_owned(),
            comment: comment.to_owned(),
        };
        let mut tx = self.pool.begin().await?;
        let freed = sqlx::query!(
            "UPDATE operations
             SET ended_at = $2, outcome = $3, outcome_detail = $4, last_sequence = last_sequence + 1
             WHERE id = $1 AND outcome = 'stuck'
             RETURNING gateway_id, generation, last_sequence",
            id.0,
            column(self.clock.now()),
            outcome.as_str(),
            Json(&outcome) as _,
        )
        .fetch_optional(&mut *tx)
        .await?;
        let Some(row) = freed else {
            return Ok(false);
        };
        let entry = Entry {
            id,
            gateway: &row.gateway_id,
            generation: row.generation,
            sequence: row.last_sequence,
        };
        self.write_entry(&mut tx, entry, Event::Ended { outcome })
            .await?;
        let abandoned = NewAuditEvent {
            gateway: Some(gateway(row.gateway_id)?),
            operation: Some(id),
            reason: Some(comment.to_owned()),
            ..NewAuditEvent::new(by.clone(), act::ABANDON_OPERATION, AuditOutcome::Succeeded)
        };
        self.write_audit(&mut tx, abandoned).await?;
        tx.commit().await?;
        Ok(true)
    }
}

/// An operation that has not ended.
struct Open {
    gateway_id: String,
    generation: i32,
    last_sequence: i64,
}

/// Locks its row, so that nothing else is written meanwhile; `None` when it has ended.
async fn lock_open(connection: &mut PgConnection, id: OperationId) -> sqlx::Result<Option<Open>> {
    sqlx::query_as!(
        Open,
        "SELECT gateway_id, generation, last_sequence FROM operations
             WHERE id = $1 AND ended_at IS NULL
             FOR UPDATE",
        id.0,
    )
    .fetch_optional(connection)
    .await
}

/// The answer to an end may be lost on its way: the same end said again by the same runner is done.
async fn ended_alike(
    connection: &mut PgConnection,
    id: OperationId,
    generation: i32,
    outcome: &Outcome,
) -> sqlx::Result<Result<(), Fenced>> {
    let ended = sqlx::query_scalar!(
        r#"SELECT outcome_detail AS "outcome: Json<Outcome>" FROM operations
           WHERE id = $1 AND generation = $2"#,
        id.0,
        generation,
    )
    .fetch_optional(connection)
    .await?
    .flatten();
    Ok(match ended {
        Some(stored) if stored.0 == *outcome => Ok(()),
        _ => Err(Fenced),
    })
}

/// How an end is told to those who review: the outcome and one sentence.
fn in_audit(outcome: &Outcome) -> (AuditOutcome, Option<String>) {
    match outcome {
        Outcome::Succeeded { note } => (AuditOutcome::Succeeded, note.clone()),
        Outcome::Undone { why } => (AuditOutcome::Undone, Some(why.message.clone())),
        Outcome::Cancelled { by } => (AuditOutcome::Undone, Some(format!("Cancelled by {by}."))),
        Outcome::Failed { at, why } => (AuditOutcome::Failed, Some(format!("At step {at}: {why}"))),
        Outcome::Stuck { at, why, todo } => (
            AuditOutcome::Failed,
            Some(format!("Stuck at step {at}: {why} To do: {todo}")),
        ),
        Outcome::Abandoned { by, comment } => (
            AuditOutcome::Failed,
            Some(format!("Freed by {by}: {comment}")),
        ),
    }
}
