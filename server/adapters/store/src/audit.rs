//! The audit trail: events are only ever added; the database refuses everything else.

use async_trait::async_trait;
use domain::audit::{AuditEvent, AuditOutcome, NewAuditEvent};
use domain::operation::OperationId;
use domain::person::Actor;
use domain::ports::{AuditTrail, StoreError};
use sqlx::PgConnection;
use sqlx::types::Json;
use time::OffsetDateTime;
use uuid::Uuid;

use crate::rows::{column, gateway, moment, unknown};
use crate::store::Store;

/// The most events of one page.
const PAGE: u32 = 500;

#[async_trait]
impl AuditTrail for Store {
    async fn record(&self, event: NewAuditEvent) -> Result<AuditEvent, StoreError> {
        self.within("writing an audit event", async {
            let mut connection = self.pool.acquire().await?;
            self.write_audit(&mut connection, event).await
        })
        .await
    }

    async fn list(&self, before: Option<i64>, limit: u32) -> Result<Vec<AuditEvent>, StoreError> {
        self.within("reading the audit trail", async {
            let rows = sqlx::query_as!(
                AuditRow,
                r#"SELECT sequence, id, at, actor AS "actor: Json<Actor>", action, gateway_id, target,
                          operation_id, reason, outcome, note
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
    pub(crate) async fn write_audit(
        &self,
        connection: &mut PgConnection,
        event: NewAuditEvent,
    ) -> sqlx::Result<AuditEvent> {
        let (id, at) = (self.ids.next(), self.clock.now());
        let sequence = sqlx::query_scalar!(
            "INSERT INTO audit_events (id, at, actor, actor_key, action, gateway_id, target,
                                       operation_id, reason, outcome, note)
             VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11)
             RETURNING sequence",
            id,
            column(at),
            Json(&event.actor) as _,
            event.actor.key(),
            event.action,
            event
                .gateway
                .as_ref()
                .map(domain::gateway::GatewayId::as_str),
            event.target,
            event.operation.map(|operation| operation.0),
            event.reason,
            event.outcome.as_str(),
            event.note,
        )
        .fetch_one(connection)
        .await?;
        Ok(AuditEvent {
            sequence,
            id,
            at,
            event,
        })
    }
}

struct AuditRow {
    sequence: i64,
    id: Uuid,
    at: OffsetDateTime,
    actor: Json<Actor>,
    action: String,
    gateway_id: Option<String>,
    target: Option<String>,
    operation_id: Option<Uuid>,
    reason: Option<String>,
    outcome: String,
    note: Option<String>,
}

impl AuditRow {
    fn read(self) -> sqlx::Result<AuditEvent> {
        Ok(AuditEvent {
            sequence: self.sequence,
            id: self.id,
            at: moment(self.at),
            event: NewAuditEvent {
                actor: self.actor.0,
                action: self.action,
                gateway: self.gateway_id.map(gateway).transpose()?,
                target: self.target,
                operation: self.operation_id.map(OperationId),
                reason: self.reason,
                outcome: AuditOutcome::parse(&self.outcome)
                    .ok_or_else(|| unknown("audit outcome", self.outcome))?,
                note: self.note,
            },
        })
    }
}
