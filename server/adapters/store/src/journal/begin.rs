//! Beginning: the audit event “requested”, the row and the gateway's lock, or nothing at all.

use domain::audit::{AuditOutcome, NewAuditEvent};
use domain::ports::{Begun, NewOperation};
use sqlx::PgConnection;
use sqlx::types::Json;
use uuid::Uuid;

use crate::notices;
use crate::rows::column;
use crate::store::Store;

/// How often a begin is tried again because the holder ended between the refusal and the look at it.
const TRIES: u32 = 5;

impl Store {
    pub(super) async fn begin_operation(
        &self,
        new: NewOperation,
        runner: Uuid,
    ) -> sqlx::Result<Begun> {
        for _ in 0..TRIES {
            let mut tx = self.pool.begin().await?;
            self.hear(&mut tx, runner).await?;
            if insert(&mut tx, &new, runner).await? {
                let gateway = new.operation.command.gateway().as_str();
                notices::tell_operation(&mut tx, new.operation.id, 0, gateway).await?;
                self.write_audit(&mut tx, requested(&new)).await?;
                tx.commit().await?;
                return Ok(Begun::New(new.operation));
            }
            tx.rollback().await?;
            let key = new.operation.asked_by.key();
            if let Some(same) = self.operation_by_key(&key, &new.idempotency_key).await? {
                return Ok(Begun::Same(same));
            }
            let gateway = new.operation.command.gateway();
            if let Some(holder) = self.holder_of(gateway).await? {
                return Ok(Begun::Busy(holder));
            }
        }
        Err(sqlx::Error::Protocol(format!(
            "operation {} collides with one that cannot be found",
            new.operation.id
        )))
    }
}

/// `false` when the gateway is locked or the key was used: the unique indexes decide, waiting for a
/// begin of the same moment to commit or roll back.
async fn insert(
    connection: &mut PgConnection,
    new: &NewOperation,
    runner: Uuid,
) -> sqlx::Result<bool> {
    let operation = &new.operation;
    let result = sqlx::query!(
        "INSERT INTO operations (id, gateway_id, name, command, asked_by, actor_key, idempotency_key,
                                 reason, steps, usually_ms, created_at, runner_id, generation)
         VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13)
         ON CONFLICT DO NOTHING",
        operation.id.0,
        operation.command.gateway().as_str(),
        operation.command.name(),
        Json(&operation.command) as _,
        Json(&operation.asked_by) as _,
        operation.asked_by.key(),
        new.idempotency_key,
        operation.reason,
        Json(&operation.steps) as _,
        operation.usually_ms.and_then(|millis| i64::try_from(millis).ok()),
        column(operation.created_at),
        runner,
        operation.generation,
    )
    .execute(connection)
    .await?;
    Ok(result.rows_affected() == 1)
}

fn requested(new: &NewOperation) -> NewAuditEvent {
    let operation = &new.operation;
    let second = new.second.as_ref();
    NewAuditEvent {
        gateway: Some(operation.command.gateway().clone()),
        target: super::read::target(&operation.command),
        operation: Some(operation.id),
        reason: operation.reason.clone(),
        note: second.map(|second| format!("{} agreed to it.", second.name())),
        ..NewAuditEvent::new(
            operation.asked_by.clone(),
            operation.command.name(),
            AuditOutcome::Requested,
        )
    }
}
