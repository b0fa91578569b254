//! Operations and their journal. The lock of a gateway is a unique index, so taking it is inserting a row.

mod begin;
mod finish;
mod read;

use std::time::Duration;

use async_trait::async_trait;
use domain::gateway::GatewayId;
use domain::operation::{Event, Operation, OperationId, Outcome, Recorded};
use domain::person::Actor;
use domain::ports::{Begun, Fenced, Journal, NewOperation, StoreError};
use sqlx::PgConnection;
use sqlx::types::Json;
use uuid::Uuid;

use crate::notices;
use crate::process::Process;
use crate::rows::column;
use crate::store::Store;

#[async_trait]
impl Journal for Store {
    async fn begin(&self, new: NewOperation, runner: Uuid) -> Result<Begun, StoreError> {
        self.within("beginning an operation", self.begin_operation(new, runner))
            .await
    }

    async fn open(&self) -> Result<Vec<Operation>, StoreError> {
        self.within("reading the open operations", self.open_operations())
            .await
    }

    async fn adopt(
        &self,
        id: OperationId,
        runner: Uuid,
        silent_for: Duration,
    ) -> Result<Option<i32>, StoreError> {
        self.within("taking an operation over", async {
            let mut tx = self.pool.begin().await?;
            self.hear(&mut tx, runner).await?;
            // Whoever waits here for another panel that takes it over sees below what that one wrote: a statement
            // that waits goes on with the new row and the runners of before.
            sqlx::query!("SELECT id FROM operations WHERE id = $1 FOR UPDATE", id.0)
                .fetch_optional(&mut *tx)
                .await?;
            // A process that has ended writes nothing any more: no need to wait for its silence.
            let ended = self.ended_runner(&mut tx, id, runner).await?;
            // An own one that is not young, and that this panel does not run (else it would not ask),
            // was begun or taken over without the answer reaching us.
            let not_young = self.clock.now().minus(silent_for);
            let adopted = sqlx::query!(
                "UPDATE operations
                 SET generation = generation + 1, runner_id = $2, last_sequence = last_sequence + 1
                 WHERE id = $1
                   AND ended_at IS NULL
                   AND CASE runner_id
                       WHEN $2 THEN created_at <= $4
                       WHEN $5 THEN true
                       ELSE (SELECT heard_at FROM runners WHERE runners.id = runner_id)
                           <= clock_timestamp() - make_interval(secs => $3)
                   END
                 RETURNING generation, last_sequence, gateway_id",
                id.0,
                runner,
                silent_for.as_secs_f64(),
                column(not_young),
                ended,
            )
            .fetch_optional(&mut *tx)
            .await?;
            if let Some(row) = &adopted {
                let entry = Entry {
                    id,
                    gateway: &row.gateway_id,
                    generation: row.generation,
                    sequence: row.last_sequence,
                };
                let event = Event::Adopted {
                    generation: row.generation,
                };
                self.write_entry(&mut tx, entry, event).await?;
            }
            tx.commit().await?;
            Ok(adopted.map(|row| row.generation))
        })
        .await
    }

    async fn heartbeat(&self, runner: Uuid) -> Result<(), StoreError> {
        self.within("saying that this panel lives", async {
            let mut connection = self.pool.acquire().await?;
            self.hear(&mut connection, runner).await
        })
        .await
    }

    async fn append(
        &self,
        id: OperationId,
        generation: i32,
        event: Event,
    ) -> Result<Result<Recorded, Fenced>, StoreError> {
        self.within("writing the journal", async {
            let at = self.clock.now();
            // One statement: the number, the fence, the entry and the notification, or nothing.
            let sequence = sqlx::query_scalar!(
                r#"WITH fenced AS (
                       UPDATE operations SET last_sequence = last_sequence + 1
                       WHERE id = $1 AND generation = $2 AND ended_at IS NULL
                       RETURNING id, gateway_id, generation, last_sequence
                   ), written AS (
                       INSERT INTO operation_events
                           (operation_id, sequence, gateway_id, generation, at, event)
                       SELECT id, last_sequence, gateway_id, generation, $3, $4 FROM fenced
                       RETURNING operation_id, sequence, gateway_id
                   ), told AS MATERIALIZED (
                       SELECT sequence,
                              pg_notify('panel_operations',
                                        operation_id || ' ' || sequence || ' ' || gateway_id) AS said
                       FROM written
                   )
                   SELECT sequence AS "sequence!" FROM told WHERE said IS NOT NULL"#,
                id.0,
                generation,
                column(at),
                Json(&event) as _,
            )
            .fetch_optional(&self.pool)
            .await?;
            Ok(sequence
                .map(|sequence| Recorded {
                    sequence,
                    at,
                    event,
                })
                .ok_or(Fenced))
        })
        .await
    }

    async fn end(
        &self,
        id: OperationId,
        generation: i32,
        outcome: Outcome,
    ) -> Result<Result<(), Fenced>, StoreError> {
        self.within(
            "ending an operation",
            self.end_operation(id, generation, outcome),
        )
        .await
    }

    async fn operation(&self, id: OperationId) -> Result<Option<Operation>, StoreError> {
        self.within("reading an operation", self.operation_by_id(id))
            .await
    }

    async fn events(&self, id: OperationId, after: i64) -> Result<Vec<Recorded>, StoreError> {
        self.within("reading the journal", self.events_after(id, after))
            .await
    }

    async fn list(
        &self,
        gateway: &GatewayId,
        before: Option<OperationId>,
        limit: u32,
    ) -> Result<Vec<Operation>, StoreError> {
        self.within(
            "reading the operations",
            self.latest_operations(gateway, before, limit),
        )
        .await
    }

    async fn ask_cancel(&self, id: OperationId, by: &Actor) -> Result<bool, StoreError> {
        self.within(
            "asking an operation to stop",
            self.ask_operation_to_stop(id, by),
        )
        .await
    }

    async fn ask_skip(&self, id: OperationId, step: &str, by: &Actor) -> Result<bool, StoreError> {
        self.within(
            "asking an operation to skip a step",
            self.ask_operation_to_skip(id, step, by),
        )
        .await
    }

    async fn abandon(
        &self,
        id: OperationId,
        by: &Actor,
        comment: &str,
    ) -> Result<bool, StoreError> {
        self.within(
            "freeing a stuck operation",
            self.abandon_operation(id, by, comment),
        )
        .await
    }

    async fn usual_duration(
        &self,
        gateway: &GatewayId,
        name: &str,
    ) -> Result<Option<Duration>, StoreError> {
        self.within(
            "reading the usual duration",
            self.median_duration(gateway, name),
        )
        .await
    }
}

/// The place of a journal entry whose number was just taken from the operation's row.
struct Entry<'row> {
    id: OperationId,
    gateway: &'row str,
    generation: i32,
    sequence: i64,
}

impl Store {
    /// By the database's clock, so that panels on several hosts agree on who is silent.
    async fn hear(&self, connection: &mut PgConnection, runner: Uuid) -> sqlx::Result<()> {
        let process = self.process.as_deref();
        sqlx::query!(
            "INSERT INTO runners (id, machine, pid, started) VALUES ($1, $2, $3, $4)
             ON CONFLICT (id) DO UPDATE SET heard_at = clock_timestamp()",
            runner,
            process.map(|process| process.machine.as_str()),
            process.map(|process| process.pid),
            process.map(|process| process.started),
        )
        .execute(connection)
        .await
        .map(drop)
    }

    /// The operation's runner, when it is another one than `me` and its process on this machine has
    /// ended: then it is returned, so that a take-over in between is not mistaken for it.
    async fn ended_runner(
        &self,
        connection: &mut PgConnection,
        id: OperationId,
        me: Uuid,
    ) -> sqlx::Result<Option<Uuid>> {
        let Some(here) = self.process.as_deref() else {
            return Ok(None);
        };
        let row = sqlx::query!(
            "SELECT runners.id, machine, pid, started
             FROM runners JOIN operations ON runner_id = runners.id
             WHERE operations.id = $1 AND runners.id <> $2",
            id.0,
            me,
        )
        .fetch_optional(connection)
        .await?;
        Ok(row.and_then(|row| {
            let process = Process {
                machine: row.machine?,
                pid: row.pid?,
                started: row.started?,
            };
            process.has_ended(here).then_some(row.id)
        }))
    }

    /// Writes an entry and its notification within the caller's transaction.
    async fn write_entry(
        &self,
        connection: &mut PgConnection,
        entry: Entry<'_>,
        event: Event,
    ) -> sqlx::Result<()> {
        sqlx::query!(
            "INSERT INTO operation_events (operation_id, sequence, gateway_id, generation, at, event)
             VALUES ($1, $2, $3, $4, $5, $6)",
            entry.id.0,
            entry.sequence,
            entry.gateway,
            entry.generation,
            column(self.clock.now()),
            Json(&event) as _,
        )
        .execute(&mut *connection)
        .await?;
        notices::tell_operation(connection, entry.id, entry.sequence, entry.gateway).await
    }
}
