//! Reading operations and their journal.

use std::time::Duration;

use domain::gateway::GatewayId;
use domain::operation::{Command, Event, Operation, OperationId, Outcome, Recorded, StepOutline};
use domain::person::Actor;
use sqlx::types::Json;
use time::OffsetDateTime;
use uuid::Uuid;

use crate::rows::moment;
use crate::store::Store;

/// The most operations of one page.
const PAGE: u32 = 200;

struct OperationRow {
    id: Uuid,
    command: Json<Command>,
    asked_by: Json<Actor>,
    reason: Option<String>,
    created_at: OffsetDateTime,
    ended_at: Option<OffsetDateTime>,
    outcome: Option<Json<Outcome>>,
    generation: i32,
    steps: Json<Vec<StepOutline>>,
    usually_ms: Option<i64>,
}

impl From<OperationRow> for Operation {
    fn from(row: OperationRow) -> Self {
        Self {
            id: OperationId(row.id),
            command: row.command.0,
            asked_by: row.asked_by.0,
            reason: row.reason,
            created_at: moment(row.created_at),
            ended_at: row.ended_at.map(moment),
            outcome: row.outcome.map(|outcome| outcome.0),
            generation: row.generation,
            steps: row.steps.0,
            usually_ms: row.usually_ms.and_then(|millis| u64::try_from(millis).ok()),
        }
    }
}

/// The columns once; `$rest` is what comes after the table's name.
macro_rules! operations {
    ($rest:tt $(, $argument:expr)* $(,)?) => {
        sqlx::query_as!(
            OperationRow,
            r#"SELECT id, command AS "command: Json<Command>", asked_by AS "asked_by: Json<Actor>",
                      reason, created_at, ended_at, outcome_detail AS "outcome: Json<Outcome>",
                      generation, steps AS "steps: Json<Vec<StepOutline>>", usually_ms
               FROM operations "# + $rest,
            $($argument),*
        )
    };
}

impl Store {
    pub(super) async fn operation_by_id(&self, id: OperationId) -> sqlx::Result<Option<Operation>> {
        let row = operations!("WHERE id = $1", id.0)
            .fetch_optional(&self.pool)
            .await?;
        Ok(row.map(Operation::from))
    }

    pub(super) async fn operation_by_key(
        &self,
        actor_key: &str,
        idempotency_key: &str,
    ) -> sqlx::Result<Option<Operation>> {
        let row = operations!(
            "WHERE actor_key = $1 AND idempotency_key = $2",
            actor_key,
            idempotency_key,
        )
        .fetch_optional(&self.pool)
        .await?;
        Ok(row.map(Operation::from))
    }

    pub(super) async fn holder_of(&self, gateway: &GatewayId) -> sqlx::Result<Option<Operation>> {
        let row = operations!(
            "WHERE gateway_id = $1 AND (ended_at IS NULL OR outcome = 'stuck')",
            gateway.as_str(),
        )
        .fetch_optional(&self.pool)
        .await?;
        Ok(row.map(Operation::from))
    }

    pub(super) async fn open_operations(&self) -> sqlx::Result<Vec<Operation>> {
        let rows = operations!("WHERE ended_at IS NULL ORDER BY id")
            .fetch_all(&self.pool)
            .await?;
        Ok(rows.into_iter().map(Operation::from).collect())
    }

    pub(super) async fn latest_operations(
        &self,
        gateway: &GatewayId,
        before: Option<OperationId>,
        limit: u32,
    ) -> sqlx::Result<Vec<Operation>> {
        let rows = operations!(
            "WHERE gateway_id = $1 AND ($2::uuid IS NULL OR id < $2) ORDER BY id DESC LIMIT $3",
            gateway.as_str(),
            before.map(|id| id.0),
            i64::from(limit.min(PAGE)),
        )
        .fetch_all(&self.pool)
        .await?;
        Ok(rows.into_iter().map(Operation::from).collect())
    }

    pub(super) async fn events_after(
        &self,
        id: OperationId,
        after: i64,
    ) -> sqlx::Result<Vec<Recorded>> {
        let rows = sqlx::query!(
            r#"SELECT sequence, at, event AS "event: Json<Event>" FROM operation_events
               WHERE operation_id = $1 AND sequence > $2
               ORDER BY sequence"#,
            id.0,
            after,
        )
        .fetch_all(&self.pool)
        .await?;
        Ok(rows
            .into_iter()
            .map(|row| Recorded {
                sequence: row.sequence,
                at: moment(row.at),
                event: row.event.0,
            })
            .collect())
    }

    /// Of the last ten that succeeded.
    pub(super) async fn median_duration(
        &self,
        gateway: &GatewayId,
        name: &str,
    ) -> sqlx::Result<Option<Duration>> {
        let seconds = sqlx::query_scalar!(
            "SELECT percentile_cont(0.5) WITHIN GROUP (ORDER BY took) FROM (
                 SELECT extract(epoch FROM ended_at - created_at)::double precision AS took
                 FROM operations
                 WHERE gateway_id = $1 AND name = $2 AND outcome = 'succeeded'
                 ORDER BY id DESC
                 LIMIT 10
             ) AS latest",
            gateway.as_str(),
            name,
        )
        .fetch_one(&self.pool)
        .await?;
        Ok(seconds.and_then(|seconds| Duration::try_from_secs_f64(seconds).ok()))
    }
}

/// What a command aims at besides its gateway, for the audit trail.
pub(super) fn target(command: &Command) -> Option<String> {
    command
        .account()
        .map(|account| format!("account {account}"))
}
