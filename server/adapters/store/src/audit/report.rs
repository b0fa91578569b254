//! What the database knows of a month, and who got its report by mail. The events of a month lie together, so that one look
//! through them is cheaper than one into an index for each of thousands of kinds.

use std::time::Duration;

use async_trait::async_trait;
use domain::audit::filter::Span;
use domain::audit::{AuditEvent, AuditOutcome, Checkpoint, Filter, NewAuditEvent, act};
use domain::history::Transition;
use domain::person::Actor;
use domain::ports::{Counts, Patience, Place, Reports, StoreError};
use domain::report::{Counted, Facts, LISTED, Month, OUTAGE_OF, Refused};
use domain::time::Timestamp;

use super::checkpoints::CheckpointRow;
use super::read::Range;
use super::rows::{AuditRow, EVENT};
use crate::history::TransitionRow;
use crate::rows::{column, gateway, moment, unknown};
use crate::store::Store;

/// What is odd about sign-ins besides those that were refused: new browsers, and each way in that came or went.
const MARKED: [&str; 7] = [
    act::NEW_DEVICE,
    act::REMOVE_SECOND_FACTOR,
    act::RESET_PASSWORD,
    act::ADD_PASSKEY,
    act::REMOVE_PASSKEY,
    act::MAKE_TOKEN,
    act::CONNECT_IDENTITY,
];
/// Operations that are asked for once more with each rung. They are few, and found by their action; to look through what
/// was asked for of every kind takes half a second for a million events.
const IN_RUNGS: [&str; 1] = ["recover"];
/// How soon a mail is tried again that did not go out.
const AGAIN: Duration = Duration::from_secs(3_600);

#[async_trait]
impl Reports for Store {
    async fn facts(
        &self,
        from: Timestamp,
        to: Timestamp,
        review_within: Duration,
    ) -> Result<Facts, StoreError> {
        let mut facts = Facts::default();
        let events = self.within("counting events", self.numbers(Some(from), Some(to)));
        if let Some(range) = events.await? {
            facts.counts = self
                .within("counting events", self.counts_in(range))
                .await?;
            facts.refused = self
                .within("counting refused sign-ins", self.refused_in(range))
                .await?;
            facts.marked = self
                .within("reading the audit trail", self.marked_in(range))
                .await?;
        }
        let checks = self.within("reading checkpoints", self.checks_between(from, to));
        (
            facts.checkpoints,
            facts.checkpoint,
            facts.checks,
            facts.broken,
        ) = checks.await?;
        facts.transitions = self
            .within("reading transitions", self.outage_changes(from, to))
            .await?;
        facts.credentials = self
            .within("reading the register", self.register_at(to))
            .await?;
        facts.rotations = self
            .within("reading rotations", self.rotated_between(from, to))
            .await?;
        facts.reviews = self
            .within("reading reviews", self.reviews_between(from, to))
            .await?;
        let open = self.questions_at(column(to), one_more());
        facts.questions = self.within("reading questions", open).await?;
        let late = self.late_at(to, review_within);
        (facts.late, facts.late_since) = self.within("counting what waits", late).await?;
        Ok(facts)
    }

    async fn events_between(
        &self,
        filter: &Filter,
        edges: &[Timestamp],
        patience: Patience,
    ) -> Result<Counts, StoreError> {
        let counting = self.count_between(filter, edges, patience);
        self.within("counting events", counting).await
    }

    async fn changes(&self, from: Timestamp, to: Timestamp) -> Result<Vec<Transition>, StoreError> {
        self.within("reading transitions", self.outage_changes(from, to))
            .await
    }

    async fn waits(&self, month: Month, to: &str) -> Result<bool, StoreError> {
        let latest = column(self.clock.now().minus(AGAIN));
        self.within("asking who got a report", async {
            sqlx::query_scalar!(
                r#"SELECT NOT EXISTS (
                       SELECT FROM report_mails
                       WHERE month = $1 AND recipient = $2 AND (sent_at IS NOT NULL OR tried_at > $3)
                   ) AS "waits!""#,
                month.to_string(),
                to,
                latest,
            )
            .fetch_one(&self.pool)
            .await
        })
        .await
    }

    async fn claim(&self, month: Month, to: &str) -> Result<bool, StoreError> {
        let now = self.clock.now();
        // A panel that ends between this and its mail sends it an hour later: better late or twice than never.
        self.within("taking on the mail of a report", async {
            let mut tx = self.pool.begin().await?;
            let claimed = sqlx::query!(
                "INSERT INTO report_mails AS m (month, recipient, tried_at) VALUES ($1, $2, $3)
                 ON CONFLICT (month, recipient) DO UPDATE SET tried_at = $3
                 WHERE m.sent_at IS NULL AND m.tried_at <= $4",
                month.to_string(),
                to,
                column(now),
                column(now.minus(AGAIN)),
            )
            .execute(&mut *tx)
            .await?;
            if claimed.rows_affected() != 1 {
                return Ok(false);
            }
            let note = format!("By mail to {to}.");
            let event = mail_event(month, AuditOutcome::Requested, note);
            self.write_audit(&mut tx, event).await?;
            tx.commit().await?;
            Ok(true)
        })
        .await
    }

    async fn mailed(
        &self,
        month: Month,
        to: &str,
        outcome: Result<(), String>,
    ) -> Result<(), StoreError> {
        self.within("noting what became of a report", async {
            let failed = outcome.err();
            let mut tx = self.pool.begin().await?;
            let sent = failed.is_none().then(|| column(self.clock.now()));
            sqlx::query!(
                "UPDATE report_mails SET sent_at = $3, failed = $4
                 WHERE month = $1 AND recipient = $2 AND sent_at IS NULL",
                month.to_string(),
                to,
                sent,
                failed,
            )
            .execute(&mut *tx)
            .await?;
            let event = match failed {
                None => mail_event(month, AuditOutcome::Succeeded, format!("Mailed to {to}.")),
                Some(why) => mail_event(month, AuditOutcome::Failed, format!("To {to}: {why}")),
            };
            self.write_audit(&mut tx, event).await?;
            tx.commit().await
        })
        .await
    }
}

impl Store {
    /// Why the report of a month did not go out to somebody; `None` when it did to all. Of another month nobody asks any
    /// more: only the last whole one is tried again.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn report_failure(&self, month: Month) -> Result<Option<String>, StoreError> {
        self.within("reading what became of reports", async {
            let failed = sqlx::query_scalar!(
                "SELECT failed FROM report_mails WHERE month = $1 AND sent_at IS NULL AND failed IS NOT NULL
                 ORDER BY tried_at DESC LIMIT 1",
                month.to_string(),
            )
            .fetch_optional(&self.pool)
            .await?;
            Ok(failed.flatten())
        })
        .await
    }

    /// The numbers of the events between two moments.
    pub(super) async fn numbers(
        &self,
        from: Option<Timestamp>,
        to: Option<Timestamp>,
    ) -> sqlx::Result<Option<Range>> {
        let filter = Filter {
            span: Span::Between(from, to),
            ..Filter::default()
        };
        self.range(&filter, Place::Newest, 1).await
    }

    async fn counts_in(&self, range: Range) -> sqlx::Result<Vec<Counted>> {
        let rows = sqlx::query!(
            r#"SELECT actor_key, action, outcome, gateway_id, count(*) AS "count!"
               FROM audit_events WHERE sequence BETWEEN $1 AND $2
               GROUP BY actor_key, action, outcome, gateway_id"#,
            range.low,
            range.high,
        )
        .fetch_all(&self.pool)
        .await?;
        let counted = rows.into_iter().map(|row| {
            Ok(Counted {
                who: row.actor_key,
                action: row.action,
                outcome: AuditOutcome::parse(&row.outcome)
                    .ok_or_else(|| unknown("audit outcome", row.outcome))?,
                gateway: row.gateway_id.map(gateway).transpose()?,
                count: count(row.count),
                again: 0,
            })
        });
        let mut counted = counted.collect::<sqlx::Result<Vec<_>>>()?;
        self.mark_rungs(range, &mut counted).await?;
        Ok(counted)
    }

    /// What asks for an operation once more goes on with it: it is no other one.
    async fn mark_rungs(&self, range: Range, counted: &mut [Counted]) -> sqlx::Result<()> {
        let rows = sqlx::query!(
            r#"SELECT actor_key, action, gateway_id, count(*) - count(DISTINCT operation_id) AS "again!"
               FROM audit_events
               WHERE sequence BETWEEN $1 AND $2 AND outcome = 'requested' AND operation_id IS NOT NULL
                 AND action = ANY($3)
               GROUP BY actor_key, action, gateway_id HAVING count(*) > count(DISTINCT operation_id)"#,
            range.low,
            range.high,
            &IN_RUNGS.map(str::to_owned)[..],
        )
        .fetch_all(&self.pool)
        .await?;
        for row in rows {
            let gateway = row.gateway_id.map(gateway).transpose()?;
            let asked = counted.iter_mut().find(|one| {
                one.outcome == AuditOutcome::Requested
                    && (&one.who, &one.action) == (&row.actor_key, &row.action)
                    && one.gateway == gateway
            });
            if let Some(asked) = asked {
                asked.again = count(row.again);
            }
        }
        Ok(())
    }

    async fn refused_in(&self, range: Range) -> sqlx::Result<Vec<Refused>> {
        let rows = sqlx::query!(
            r#"SELECT target, count(*) AS "count!", count(DISTINCT actor ->> 'address') AS "addresses!",
                      max(at) AS "last_at!"
               FROM audit_events
               WHERE action = $1 AND outcome = 'denied' AND sequence BETWEEN $2 AND $3
               GROUP BY target ORDER BY count(*) DESC, target LIMIT $4"#,
            act::SIGN_IN,
            range.low,
            range.high,
            one_more(),
        )
        .fetch_all(&self.pool)
        .await?;
        let refused = rows.into_iter().map(|row| Refused {
            account: row.target,
            count: count(row.count),
            addresses: count(row.addresses),
            last_at: moment(row.last_at),
        });
        Ok(refused.collect())
    }

    async fn marked_in(&self, range: Range) -> sqlx::Result<Vec<AuditEvent>> {
        // Each act by itself, and its numbers as a stretch of `audit_events_by_action`: for the newest of what is rare, all
        // events of the month would be looked through.
        let rows: Vec<AuditRow> = sqlx::query_as(&format!(
            "SELECT {EVENT} FROM unnest($1::text[]) AS wanted (action)
             CROSS JOIN LATERAL (
                 SELECT * FROM audit_events AS x
                 WHERE (x.action, x.sequence) >= (wanted.action, $2) AND (x.action, x.sequence) <= (wanted.action, $3)
                   AND x.outcome = 'succeeded'
                 ORDER BY x.action DESC, x.sequence DESC LIMIT $4
             ) AS e
             ORDER BY e.sequence DESC LIMIT $4"
        ))
        .bind(MARKED.map(str::to_owned).to_vec())
        .bind(range.low)
        .bind(range.high)
        .bind(one_more())
        .fetch_all(&self.pool)
        .await?;
        rows.into_iter().map(AuditRow::read).collect()
    }

    /// How many checkpoints, the last of them, how many checks, and how many of these found something.
    async fn checks_between(
        &self,
        from: Timestamp,
        to: Timestamp,
    ) -> sqlx::Result<(u64, Option<Checkpoint>, u64, u64)> {
        let (from, to) = (column(from), column(to));
        let made = sqlx::query_scalar!(
            r#"SELECT count(*) AS "count!" FROM audit_checkpoints WHERE at >= $1 AND at < $2"#,
            from,
            to,
        )
        .fetch_one(&self.pool)
        .await?;
        let last = sqlx::query_as!(
            CheckpointRow,
            "SELECT id, sequence, hash, at, key, signature FROM audit_checkpoints
             WHERE at >= $1 AND at < $2 ORDER BY id DESC LIMIT 1",
            from,
            to,
        )
        .fetch_optional(&self.pool)
        .await?;
        let checks = sqlx::query!(
            r#"SELECT count(*) AS "all!",
                      count(*) FILTER (WHERE result -> 'flaws' <> '[]'::jsonb) AS "broken!"
               FROM audit_checks WHERE at >= $1 AND at < $2"#,
            from,
            to,
        )
        .fetch_one(&self.pool)
        .await?;
        let last = last.map(|row| row.read().checkpoint);
        Ok((count(made), last, count(checks.all), count(checks.broken)))
    }

    /// Changes of the facts whose being down is an outage, of every gateway, oldest first, with the last ones before.
    pub(super) async fn outage_changes(
        &self,
        from: Timestamp,
        to: Timestamp,
    ) -> sqlx::Result<Vec<Transition>> {
        let facts = OUTAGE_OF.map(|fact| fact.as_str().to_owned()).to_vec();
        let rows = sqlx::query_as!(
            TransitionRow,
            r#"WITH RECURSIVE known AS (
                   (SELECT gateway_id FROM transitions ORDER BY gateway_id LIMIT 1)
                   UNION ALL
                   SELECT (SELECT next.gateway_id FROM transitions AS next
                           WHERE next.gateway_id > known.gateway_id ORDER BY next.gateway_id LIMIT 1)
                   FROM known WHERE known.gateway_id IS NOT NULL
               )
               SELECT gateway_id AS "gateway_id!", fact AS "fact!", from_state, to_state AS "to_state!",
                      headline AS "headline!", reason AS "reason!", at AS "at!", operation_id, planned_by
               FROM (
                   SELECT wanted.*
                   FROM known CROSS JOIN unnest($3::text[]) AS asked (fact)
                   CROSS JOIN LATERAL (
                       (SELECT * FROM transitions AS t
                        WHERE t.gateway_id = known.gateway_id AND t.fact = asked.fact AND t.at < $1
                        ORDER BY t.at DESC, t.id DESC LIMIT 1)
                       UNION ALL
                       SELECT * FROM transitions AS t
                       WHERE t.gateway_id = known.gateway_id AND t.fact = asked.fact AND t.at >= $1 AND t.at < $2
                   ) AS wanted
               ) AS found
               ORDER BY at, id"#,
            column(from),
            column(to),
            &facts,
        )
        .fetch_all(&self.pool)
        .await?;
        rows.into_iter().map(TransitionRow::read).collect()
    }
}

fn mail_event(month: Month, outcome: AuditOutcome, note: String) -> NewAuditEvent {
    NewAuditEvent {
        target: Some(format!("report of {}", month.title())),
        note: Some(note),
        ..NewAuditEvent::new(Actor::Panel, act::EXPORT_AUDIT, outcome)
    }
}

/// One more than is listed tells that there are more.
fn one_more() -> i64 {
    i64::try_from(LISTED).map_or(i64::MAX, |listed| listed.saturating_add(1))
}

/// A count.
pub(super) fn count(of: i64) -> u64 {
    u64::try_from(of).unwrap_or_default()
}
