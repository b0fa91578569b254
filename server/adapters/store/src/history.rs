//! Transitions of facts, samples of probes, and the spans in which nobody looked.

use std::collections::BTreeMap;
use std::time::Duration;

use async_trait::async_trait;
use domain::account_history::{AccountChange, Standing};
use domain::fact::{FactKind, State};
use domain::gateway::{AccountId, GatewayId};
use domain::history::{Sample, Transition};
use domain::operation::{AFTERMATH, Command, OperationId};
use domain::person::Actor;
use domain::ports::{History, StoreError};
use domain::time::Timestamp;
use sqlx::types::Json;
use time::OffsetDateTime;
use uuid::Uuid;

use crate::rows::{column, fact, gateway, moment, state};
use crate::store::Store;

#[async_trait]
impl History for Store {
    async fn record_transition(&self, transition: &Transition) -> Result<(), StoreError> {
        self.within("writing a transition", self.write_transition(transition))
            .await
    }

    async fn record_samples(&self, samples: &[Sample]) -> Result<(), StoreError> {
        self.within("writing samples", self.write_samples(samples))
            .await
    }

    async fn transitions(
        &self,
        gateway: &GatewayId,
        from: Timestamp,
    ) -> Result<Vec<Transition>, StoreError> {
        self.within("reading transitions", self.transitions_since(gateway, from))
            .await
    }

    async fn unobserved(
        &self,
        gateway: &GatewayId,
        from: Timestamp,
    ) -> Result<Vec<(Timestamp, Timestamp)>, StoreError> {
        self.within("reading gaps", self.gaps_since(gateway, from))
            .await
    }

    async fn record_account_change(&self, change: &AccountChange) -> Result<(), StoreError> {
        self.within(
            "writing a change of an account",
            self.write_account_change(change),
        )
        .await
    }

    async fn account_standings(
        &self,
        gateway: &GatewayId,
    ) -> Result<BTreeMap<AccountId, Standing>, StoreError> {
        self.within("reading how accounts stood", self.last_standings(gateway))
            .await
    }

    async fn roll_up(&self, now: Timestamp) -> Result<(), StoreError> {
        self.within("rolling samples up", self.roll_up_samples(now))
            .await?;
        self.within("clearing out", self.clear_out(now)).await
    }
}

impl Store {
    async fn write_transition(&self, transition: &Transition) -> sqlx::Result<()> {
        let cause = match transition.operation {
            Some(id) => Some((id, transition.planned_by.clone())),
            None => {
                let (gateway, fact) = (&transition.gateway, transition.fact);
                self.cause_of(gateway, fact, transition.at, AFTERMATH)
                    .await?
            }
        };
        let (operation, planned_by) = cause.unzip();
        sqlx::query!(
            "INSERT INTO transitions (gateway_id, fact, from_state, to_state, headline, reason, at,
                                      operation_id, planned_by)
             VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9)",
            transition.gateway.as_str(),
            transition.fact.as_str(),
            transition.from.map(State::as_str),
            transition.to.as_str(),
            transition.headline,
            transition.reason,
            column(transition.at),
            operation.map(|id| id.0),
            planned_by.flatten(),
        )
        .execute(&self.pool)
        .await
        .map(drop)
    }

    /// The operation that ran then, or had just ended, if it touches the fact. A stuck one holds the lock for as long as it
    /// takes somebody to look, but plans nothing any more: what breaks meanwhile must alert.
    pub(crate) async fn cause_of(
        &self,
        gateway: &GatewayId,
        fact: FactKind,
        at: Timestamp,
        aftermath: Duration,
    ) -> sqlx::Result<Option<(OperationId, Option<String>)>> {
        let row = sqlx::query!(
            r#"SELECT id, command AS "command: Json<Command>", asked_by AS "asked_by: Json<Actor>"
               FROM operations
               WHERE gateway_id = $1
                 AND created_at <= $2
                 AND (ended_at IS NULL OR ended_at >= $3)
               ORDER BY id DESC
               LIMIT 1"#,
            gateway.as_str(),
            column(at),
            column(at.minus(aftermath)),
        )
        .fetch_optional(&self.pool)
        .await?;
        let row = row.filter(|row| row.command.disturbs(fact));
        Ok(row.map(|row| {
            let by = format!("{} by {}", row.command.title(), row.asked_by.name());
            (OperationId(row.id), Some(by))
        }))
    }

    async fn transitions_since(
        &self,
        gateway: &GatewayId,
        from: Timestamp,
    ) -> sqlx::Result<Vec<Transition>> {
        let facts: Vec<String> = FactKind::ALL.map(|fact| fact.as_str().to_owned()).to_vec();
        let rows = sqlx::query_as!(
            TransitionRow,
            r#"SELECT gateway_id AS "gateway_id!", fact AS "fact!", from_state, to_state AS "to_state!",
                      headline AS "headline!", reason AS "reason!", at AS "at!", operation_id, planned_by
               FROM (
                   SELECT carried.*
                   FROM unnest($3::text[]) AS known (fact)
                   CROSS JOIN LATERAL (
                       SELECT * FROM transitions
                       WHERE gateway_id = $1 AND transitions.fact = known.fact AND at < $2
                       ORDER BY at DESC, id DESC
                       LIMIT 1
                   ) AS carried
                   UNION ALL
                   SELECT * FROM transitions
                   WHERE gateway_id = $1 AND fact = ANY ($3) AND at >= $2
               ) AS wanted
               ORDER BY at, id"#,
            gateway.as_str(),
            column(from),
            &facts,
        )
        .fetch_all(&self.pool)
        .await?;
        rows.into_iter().map(TransitionRow::read).collect()
    }

    async fn write_samples(&self, samples: &[Sample]) -> sqlx::Result<()> {
        let gateways: Vec<String> = samples
            .iter()
            .map(|sample| sample.gateway.to_string())
            .collect();
        let facts: Vec<String> = samples
            .iter()
            .map(|sample| sample.fact.as_str().to_owned())
            .collect();
        let times: Vec<OffsetDateTime> = samples.iter().map(|sample| column(sample.at)).collect();
        let states: Vec<String> = samples
            .iter()
            .map(|sample| sample.state.as_str().to_owned())
            .collect();
        let latencies: Vec<Option<i32>> = samples
            .iter()
            .map(|sample| {
                sample
                    .latency_ms
                    .map(|millis| i32::try_from(millis).unwrap_or(i32::MAX))
            })
            .collect();
        sqlx::query!(
            "INSERT INTO samples_raw (gateway_id, fact, at, state, latency_ms)
             SELECT * FROM unnest($1::text[], $2::text[], $3::timestamptz[], $4::text[], $5::integer[])
             ON CONFLICT DO NOTHING",
            &gateways,
            &facts,
            &times,
            &states,
            &latencies as &[Option<i32>],
        )
        .execute(&self.pool)
        .await
        .map(drop)
    }

    /// Spans of more than ten minutes between two samples of any fact, the last one open to now.
    async fn gaps_since(
        &self,
        gateway: &GatewayId,
        from: Timestamp,
    ) -> sqlx::Result<Vec<(Timestamp, Timestamp)>> {
        // A rolled-up row stands for its whole minute or hour. The hour before says whether somebody
        // looked at the begin.
        let rows = sqlx::query!(
            r#"WITH looked AS (
                   SELECT at FROM samples_raw
                   WHERE gateway_id = $1 AND at BETWEEN $2::timestamptz - interval '1 hour' AND $3
                   UNION
                   SELECT edge FROM samples_minute,
                       LATERAL (VALUES (at), (at + interval '59 seconds')) AS minute (edge)
                   WHERE gateway_id = $1 AND at BETWEEN $2::timestamptz - interval '1 hour' AND $3
                   UNION
                   SELECT edge FROM samples_hour,
                       LATERAL generate_series(at, at + interval '59 minutes', interval '9 minutes')
                           AS hour (edge)
                   WHERE gateway_id = $1 AND at BETWEEN $2::timestamptz - interval '1 hour' AND $3
                   UNION
                   SELECT $3
               ), pairs AS (
                   SELECT at AS until, lag(at, 1, $2 - interval '1 hour') OVER (ORDER BY at) AS since
                   FROM looked
               )
               SELECT greatest(since, $2) AS "since!", until AS "until!" FROM pairs
               WHERE until - since > interval '10 minutes' AND until > $2
               ORDER BY until"#,
            gateway.as_str(),
            column(from),
            column(self.clock.now()),
        )
        .fetch_all(&self.pool)
        .await?;
        Ok(rows
            .into_iter()
            .map(|row| (moment(row.since), moment(row.until)))
            .collect())
    }
}

pub(crate) struct TransitionRow {
    pub(crate) gateway_id: String,
    pub(crate) fact: String,
    pub(crate) from_state: Option<String>,
    pub(crate) to_state: String,
    pub(crate) headline: String,
    pub(crate) reason: String,
    pub(crate) at: OffsetDateTime,
    pub(crate) operation_id: Option<Uuid>,
    pub(crate) planned_by: Option<String>,
}

impl TransitionRow {
    pub(crate) fn read(self) -> sqlx::Result<Transition> {
        Ok(Transition {
            gateway: gateway(self.gateway_id)?,
            fact: fact(self.fact)?,
            from: self.from_state.map(state).transpose()?,
            to: state(self.to_state)?,
            headline: self.headline,
            reason: self.reason,
            at: moment(self.at),
            operation: self.operation_id.map(OperationId),
            planned_by: self.planned_by,
        })
    }
}
