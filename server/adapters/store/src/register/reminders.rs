//! Reminders of credentials: claimed before they are given, so that no two panels give the same.

use std::time::Duration;

use async_trait::async_trait;
use domain::audit::{AuditOutcome, NewAuditEvent, act};
use domain::credential::{Reminder, Stage};
use domain::person::Actor;
use domain::ports::{Mailed, Reminders, StoreError};
use domain::time::Timestamp;
use time::OffsetDateTime;
use uuid::Uuid;

use super::change::event;
use crate::rows::{column, gateway, moment, unknown};
use crate::store::Store;

/// How soon a mail is tried again that did not go out.
const AGAIN: Duration = Duration::from_secs(3_600);

#[async_trait]
impl Reminders for Store {
    async fn claim(
        &self,
        credential: Uuid,
        due_at: Timestamp,
        stage: Stage,
        to: Option<&str>,
    ) -> Result<bool, StoreError> {
        let now = self.clock.now();
        // A panel that ends between this and its mail has sent none: better than two of them, and the page says it.
        self.within("claiming a reminder", async {
            let mut tx = self.pool.begin().await?;
            let claimed = sqlx::query!(
                "INSERT INTO credential_reminders AS r (credential_id, due_at, stage, given_at)
                 VALUES ($1, $2, $3, $4)
                 ON CONFLICT (credential_id, due_at, stage) DO UPDATE SET given_at = $4, failed = NULL
                 WHERE r.failed IS NOT NULL AND r.given_at <= $5",
                credential,
                column(due_at),
                stage.as_str(),
                column(now),
                column(now.minus(AGAIN)),
            )
            .execute(&mut *tx)
            .await?;
            if claimed.rows_affected() != 1 {
                return Ok(false);
            }
            if let Some(to) = to {
                let row = sqlx::query!(
                    "SELECT title, gateway_id FROM credentials WHERE id = $1",
                    credential,
                )
                .fetch_one(&mut *tx)
                .await?;
                let event = NewAuditEvent {
                    gateway: row.gateway_id.map(gateway).transpose()?,
                    target: Some(row.title),
                    outcome: AuditOutcome::Requested,
                    note: Some(format!("To {to}.")),
                    ..event(Actor::Panel, act::REMIND)
                };
                self.write_audit(&mut tx, event).await?;
            }
            tx.commit().await?;
            Ok(true)
        })
        .await
    }

    async fn mailed(
        &self,
        credential: Uuid,
        due_at: Timestamp,
        stage: Stage,
        outcome: Mailed,
    ) -> Result<(), StoreError> {
        self.within("noting what became of a reminder", async {
            let (to, failed) = match outcome {
                Mailed::To(to) => (to, None),
                Mailed::Failed { to, why } => (to, Some(why)),
            };
            let mut tx = self.pool.begin().await?;
            let row = sqlx::query!(
                "UPDATE credential_reminders r SET mailed_to = $4, failed = $5
                 FROM credentials c
                 WHERE c.id = $1 AND r.credential_id = $1 AND r.due_at = $2 AND r.stage = $3
                 RETURNING c.title, c.gateway_id",
                credential,
                column(due_at),
                stage.as_str(),
                failed.is_none().then_some(&to),
                failed,
            )
            .fetch_optional(&mut *tx)
            .await?;
            let Some(row) = row else {
                return Ok(());
            };
            let outcome = match failed {
                None => AuditOutcome::Succeeded,
                Some(_) => AuditOutcome::Failed,
            };
            let event = NewAuditEvent {
                gateway: row.gateway_id.map(gateway).transpose()?,
                target: Some(row.title),
                outcome,
                note: Some(match failed {
                    None => format!("To {to}."),
                    Some(why) => format!("To {to}: {why}"),
                }),
                ..event(Actor::Panel, act::REMIND)
            };
            self.write_audit(&mut tx, event).await?;
            tx.commit().await
        })
        .await
    }

    async fn given(&self, credential: Uuid, limit: u32) -> Result<Vec<Reminder>, StoreError> {
        self.within("reading reminders", async {
            let rows = sqlx::query_as!(
                ReminderRow,
                "SELECT stage, due_at, given_at, mailed_to, failed
                 FROM credential_reminders WHERE credential_id = $1
                 ORDER BY given_at DESC LIMIT $2",
                credential,
                i64::from(limit),
            )
            .fetch_all(&self.pool)
            .await?;
            rows.into_iter().map(ReminderRow::read).collect()
        })
        .await
    }
}

struct ReminderRow {
    stage: String,
    due_at: OffsetDateTime,
    given_at: OffsetDateTime,
    mailed_to: Option<String>,
    failed: Option<String>,
}

impl ReminderRow {
    fn read(self) -> sqlx::Result<Reminder> {
        Ok(Reminder {
            stage: Stage::parse(&self.stage)
                .ok_or_else(|| unknown("stage of a reminder", self.stage))?,
            due_at: moment(self.due_at),
            at: moment(self.given_at),
            mailed_to: self.mailed_to,
            failed: self.failed,
        })
    }
}
