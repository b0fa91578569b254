//! Rotations of gateways' keys, and who uses them.

use std::time::Duration;

use async_trait::async_trait;
use domain::audit::{AuditOutcome, NewAuditEvent, act};
use domain::can::Permit;
use domain::credential::{Cause, Fingerprint, Kind, NewRotation};
use domain::gateway::GatewayId;
use domain::key_rotation::{Consumer, Done, KeyRotation, NewConsumer, NewKeyRotation, Task};
use domain::operation::OperationId;
use domain::person::Actor;
use domain::ports::{KeyRotations, RotationNotes as _, StoreError};
use sqlx::{Postgres, Transaction};
use time::OffsetDateTime;
use uuid::Uuid;

use crate::rows::{column, moment};
use crate::store::Store;

const DAY: Duration = Duration::from_secs(24 * 3600);

/// The columns once; `$rest` is what comes after the table's name.
macro_rules! rotations {
    ($rest:tt, $argument:expr) => {
        sqlx::query_as!(
            RotationRow,
            r#"SELECT operation_id, key_rotations.gateway_id, fingerprint, cause, puts_back, at, revealed_at, revealed_by,
                      interval_days AS "interval_days?"
               FROM key_rotations
               LEFT JOIN credentials ON credentials.kind = 'gateway-key' AND retired_at IS NULL
                                    AND credentials.gateway_id = key_rotations.gateway_id "#
                + $rest,
            $argument
        )
    };
}

#[async_trait]
impl KeyRotations for Store {
    async fn begin(&self, rotation: NewKeyRotation) -> Result<(), StoreError> {
        let now = self.clock.now();
        let noted = NewRotation {
            kind: Kind::GatewayKey,
            gateway: Some(rotation.gateway.clone()),
            at: now,
            by: rotation.by,
            cause: rotation.cause,
            operation: Some(rotation.operation),
            fingerprint: Some(rotation.fingerprint.clone()),
            puts_back: rotation.puts_back,
        };
        self.within("noting a rotated key", async {
            sqlx::query!(
                "INSERT INTO key_rotations (operation_id, gateway_id, fingerprint, cause, puts_back, at)
                 VALUES ($1, $2, $3, $4, $5, $6) ON CONFLICT (operation_id) DO NOTHING",
                rotation.operation.0,
                rotation.gateway.as_str(),
                rotation.fingerprint.as_str(),
                rotation.cause.as_str(),
                rotation.puts_back.map(|operation| operation.0),
                column(now),
            )
            .execute(&self.pool)
            .await?;
            Ok(())
        })
        .await?;
        // Whoever fails here tries both again, and neither is noted twice.
        self.note_rotation(noted).await
    }

    async fn of(&self, operation: OperationId) -> Result<Option<KeyRotation>, StoreError> {
        self.within("reading a rotation", async {
            let row = rotations!("WHERE operation_id = $1", operation.0)
                .fetch_optional(&self.pool)
                .await?;
            self.whole(row).await
        })
        .await
    }

    async fn latest(&self, gateway: &GatewayId) -> Result<Option<KeyRotation>, StoreError> {
        self.within("reading the latest rotation", async {
            let row = rotations!(
                "WHERE key_rotations.gateway_id = $1 ORDER BY at DESC LIMIT 1",
                gateway.as_str()
            )
            .fetch_optional(&self.pool)
            .await?;
            self.whole(row).await
        })
        .await
    }

    async fn reveal(&self, permit: Permit, operation: OperationId) -> Result<bool, StoreError> {
        self.within("noting that a key is shown", async {
            let mut tx = self.pool.begin().await?;
            let shown = sqlx::query!(
                "UPDATE key_rotations SET revealed_at = $2, revealed_by = $3
                 WHERE operation_id = $1 AND revealed_at IS NULL",
                operation.0,
                column(self.clock.now()),
                permit.actor().name(),
            )
            .execute(&mut *tx)
            .await?
            .rows_affected()
                == 1;
            let mut event = event(permit.actor(), act::REVEAL_KEY, permit.gateway());
            event.operation = Some(operation);
            if !shown {
                event.outcome = AuditOutcome::Denied;
                event.note = Some("It was shown before.".to_owned());
            }
            self.write_audit(&mut tx, event).await?;
            tx.commit().await?;
            Ok(shown)
        })
        .await
    }

    async fn finish(
        &self,
        by: &Actor,
        operation: OperationId,
        task: Task,
        note: Option<String>,
    ) -> Result<(), StoreError> {
        self.within("noting what was done with a new key", async {
            let mut tx = self.pool.begin().await?;
            let new = sqlx::query!(
                "INSERT INTO key_tasks (operation_id, task, at, by_name, note) VALUES ($1, $2, $3, $4, $5)
                 ON CONFLICT (operation_id, task) DO NOTHING",
                operation.0,
                task.word(),
                column(self.clock.now()),
                by.name(),
                note,
            )
            .execute(&mut *tx)
            .await?
            .rows_affected()
                == 1;
            if new {
                let gateway = gateway_of(&mut tx, operation).await?;
                let mut event = event(by, act::FINISH_KEY_TASK, gateway.as_ref());
                event.operation = Some(operation);
                event.target = Some(target(&mut tx, task).await?);
                event.note = note;
                self.write_audit(&mut tx, event).await?;
            }
            tx.commit().await?;
            Ok(())
        })
        .await
    }

    async fn consumers(&self, gateway: &GatewayId) -> Result<Vec<Consumer>, StoreError> {
        self.within("reading who uses a key", async {
            let found = sqlx::query_as!(
                Consumer,
                "SELECT id, name, owner, how, seen_as FROM key_consumers
                 WHERE gateway_id = $1 AND removed_at IS NULL ORDER BY name, id",
                gateway.as_str(),
            )
            .fetch_all(&self.pool)
            .await?;
            Ok(found)
        })
        .await
    }

    async fn add_consumer(&self, permit: Permit, new: NewConsumer) -> Result<(), StoreError> {
        self.within("adding somebody who uses a key", async {
            let mut tx = self.pool.begin().await?;
            let gateway = permit.gateway().map_or("", GatewayId::as_str);
            sqlx::query!(
                "INSERT INTO key_consumers (id, gateway_id, name, owner, how, seen_as, added_at)
                 VALUES ($1, $2, $3, $4, $5, $6, $7)",
                self.ids.next(),
                gateway,
                new.name,
                new.owner,
                new.how,
                new.seen_as,
                column(self.clock.now()),
            )
            .execute(&mut *tx)
            .await?;
            let mut event = event(permit.actor(), act::ADD_CONSUMER, permit.gateway());
            event.target = Some(new.name);
            self.write_audit(&mut tx, event).await?;
            tx.commit().await?;
            Ok(())
        })
        .await
    }

    async fn remove_consumer(&self, permit: Permit, id: Uuid) -> Result<bool, StoreError> {
        self.within("removing somebody who uses a key", async {
            let mut tx = self.pool.begin().await?;
            let gateway = permit.gateway().map_or("", GatewayId::as_str);
            let removed = sqlx::query_scalar!(
                "UPDATE key_consumers SET removed_at = $3
                 WHERE id = $1 AND gateway_id = $2 AND removed_at IS NULL RETURNING name",
                id,
                gateway,
                column(self.clock.now()),
            )
            .fetch_optional(&mut *tx)
            .await?;
            let Some(name) = removed else {
                return Ok(false);
            };
            let mut event = event(permit.actor(), act::REMOVE_CONSUMER, permit.gateway());
            event.target = Some(name);
            self.write_audit(&mut tx, event).await?;
            tx.commit().await?;
            Ok(true)
        })
        .await
    }
}

impl Store {
    /// With what is done.
    async fn whole(&self, row: Option<RotationRow>) -> Result<Option<KeyRotation>, sqlx::Error> {
        let Some(row) = row else { return Ok(None) };
        let tasks = sqlx::query!(
            "SELECT task, at, by_name, note FROM key_tasks WHERE operation_id = $1 ORDER BY at",
            row.operation_id,
        )
        .fetch_all(&self.pool)
        .await?;
        let done = tasks
            .into_iter()
            .filter_map(|row| {
                let done = Done {
                    at: moment(row.at),
                    by: row.by_name,
                    note: row.note,
                };
                Some((Task::parse(&row.task)?, done))
            })
            .collect();
        row.read(done).map(Some)
    }
}

struct RotationRow {
    operation_id: Uuid,
    gateway_id: String,
    fingerprint: String,
    cause: String,
    puts_back: Option<Uuid>,
    at: OffsetDateTime,
    revealed_at: Option<OffsetDateTime>,
    revealed_by: Option<String>,
    interval_days: Option<i32>,
}

impl RotationRow {
    fn read(self, done: Vec<(Task, Done)>) -> Result<KeyRotation, sqlx::Error> {
        let odd = |what: &str| sqlx::Error::Decode(format!("an unknown {what}").into());
        // A key that came back is older than that.
        let days = self.interval_days.filter(|_| self.puts_back.is_none());
        let days = days.and_then(|days| u32::try_from(days).ok());
        let revealed = self.revealed_at.zip(self.revealed_by);
        Ok(KeyRotation {
            operation: OperationId(self.operation_id),
            gateway: self.gateway_id.parse().map_err(|_| odd("gateway"))?,
            fingerprint: Fingerprint::try_from(self.fingerprint).map_err(|_| odd("fingerprint"))?,
            cause: Cause::parse(&self.cause).ok_or_else(|| odd("cause"))?,
            puts_back: self.puts_back.map(OperationId),
            at: moment(self.at),
            next_due: days.map(|days| moment(self.at).plus(days * DAY)),
            revealed: revealed.map(|(at, by)| Done {
                at: moment(at),
                by,
                note: None,
            }),
            done,
        })
    }
}

async fn gateway_of(
    tx: &mut Transaction<'_, Postgres>,
    operation: OperationId,
) -> Result<Option<GatewayId>, sqlx::Error> {
    let id = sqlx::query_scalar!(
        "SELECT gateway_id FROM key_rotations WHERE operation_id = $1",
        operation.0
    )
    .fetch_optional(&mut **tx)
    .await?;
    Ok(id.and_then(|id| id.parse().ok()))
}

/// What a task is called in the audit trail.
async fn target(tx: &mut Transaction<'_, Postgres>, task: Task) -> Result<String, sqlx::Error> {
    Ok(match task {
        Task::Secret => "the repository's secret".to_owned(),
        Task::Workstation => "the workstation's copy".to_owned(),
        Task::Log => "the rotation log".to_owned(),
        Task::Consumer(id) => {
            sqlx::query_scalar!("SELECT name FROM key_consumers WHERE id = $1", id)
                .fetch_optional(&mut **tx)
                .await?
                .map_or_else(
                    || format!("consumer {id}"),
                    |name| format!("consumer {name}"),
                )
        }
    })
}

fn event(actor: &Actor, action: &str, gateway: Option<&GatewayId>) -> NewAuditEvent {
    NewAuditEvent {
        gateway: gateway.cloned(),
        ..NewAuditEvent::new(actor.clone(), action, AuditOutcome::Succeeded)
    }
}
