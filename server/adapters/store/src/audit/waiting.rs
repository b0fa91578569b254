//! What nobody has signed off who may: found by the gaps between what was. What waited the last time is kept: what was settled
//! stays so, and only what came since is looked at. So it costs as much as what waits, and not as much as what was reviewed.

use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use domain::audit::AuditEvent;
use domain::review::{Agreed, ROUTINE, WAITS_FOR};
use domain::time::Timestamp;
use time::OffsetDateTime;

use super::read::Direction;
use super::rows::{AuditRow, EVENT};
use crate::rows::{column, moment};
use crate::store::Store;

/// An operation takes hours at most, so that what was agreed to before this has no event among those that wait.
const AGREED_BEFORE: Duration = Duration::from_secs(30 * 86_400);

/// The most events that are kept as waiting; where more wait, they are looked for each time.
const KEPT: usize = 5_000;
/// Reviews of so long before the last look are looked at again: clocks of panels differ, and what is begun is committed later.
const AGAIN: Duration = Duration::from_secs(86_400);

/// What waited the last time.
#[derive(Default)]
pub(crate) struct LastWaiting(Mutex<Option<Waited>>);

/// All that waited at a moment among the events up to a number, newest first.
#[derive(Clone)]
struct Waited {
    at: Timestamp,
    last: i64,
    numbers: Vec<i64>,
}

impl LastWaiting {
    fn lock(&self) -> MutexGuard<'_, Option<Waited>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Among which events is looked, and which reviews count.
#[derive(Clone, Copy, Debug)]
pub(super) struct Among {
    /// The first and the last number.
    pub(super) numbers: (i64, i64),
    /// Only reviews of before.
    pub(super) reviewed_before: Option<Timestamp>,
    /// When these events had waited for as long as they wait, or later.
    pub(super) now: Timestamp,
}

/// Which of the events that wait.
#[derive(Clone, Copy, Debug)]
pub(super) struct Wanted {
    pub(super) first: Direction,
    pub(super) limit: i64,
}

impl Store {
    /// The numbers of all events that wait, newest first; `None` when they are too many to keep.
    pub(super) async fn all_waiting(&self, among: Among) -> sqlx::Result<Option<Vec<i64>>> {
        let (_, last) = among.numbers;
        // A trail that is shorter than it was is another one.
        let before = self.last_waiting.lock().clone();
        let numbers = match before.filter(|before| before.last <= last) {
            Some(before) => self.still_waiting(&before, among).await?,
            None => self.waiting_numbers(among).await?,
        };
        let kept = (numbers.len() <= KEPT).then_some(numbers);
        *self.last_waiting.lock() = kept.clone().map(|numbers| Waited {
            at: among.now,
            last,
            numbers,
        });
        Ok(kept)
    }

    /// Found anew, and one more than can be kept where there are more.
    async fn waiting_numbers(&self, among: Among) -> sqlx::Result<Vec<i64>> {
        let query = format!(
            "{} SELECT sequence FROM found ORDER BY sequence DESC LIMIT $3",
            found(Direction::Back)
        );
        sqlx::query_scalar(&query)
            .bind(among.numbers.0)
            .bind(among.numbers.1)
            .bind(i64::try_from(KEPT).unwrap_or(i64::MAX).saturating_add(1))
            .bind(among.agreed_since())
            .bind(among.reviewed_before.map(column))
            .persistent(false)
            .fetch_all(&self.pool)
            .await
    }

    /// Of what waited and of what came since, what no review since counts for.
    async fn still_waiting(&self, before: &Waited, among: Among) -> sqlx::Result<Vec<i64>> {
        let wants = wants_review();
        let first_open = before.numbers.last().copied();
        let first_open = first_open.unwrap_or(before.last + 1);
        let query = format!(
            "WITH covered AS MATERIALIZED (
                 SELECT r.reviewer_key, range_agg(int8range(s.first, s.last, '[]')) AS numbers
                 FROM reviews AS r JOIN review_stretches AS s ON s.review_id = r.id
                 WHERE r.verdict IN ('seen', 'follow-up') AND r.reviewed_at >= $1 AND s.last >= $7
                 GROUP BY r.reviewer_key
             ),
             open AS MATERIALIZED (
                 SELECT sequence FROM unnest($2::bigint[]) AS waited (sequence) WHERE sequence >= $3
                 UNION ALL
                 SELECT sequence FROM audit_events WHERE {wants} AND sequence > $4 AND sequence BETWEEN $3 AND $5
             )
             SELECT e.sequence FROM open JOIN audit_events AS e USING (sequence)
             WHERE NOT EXISTS (
                 SELECT FROM covered
                 WHERE e.sequence <@ covered.numbers AND covered.reviewer_key <> e.actor_key
                   AND NOT EXISTS (
                       SELECT FROM proposals AS p
                       WHERE p.operation_id = e.operation_id
                         AND covered.reviewer_key = 'person:' || (p.decided_by ->> 'id')
                   )
             )
             ORDER BY e.sequence DESC LIMIT $6"
        );
        sqlx::query_scalar(&query)
            .bind(column(before.at.minus(AGAIN)))
            .bind(&before.numbers)
            .bind(among.numbers.0)
            .bind(before.last)
            .bind(among.numbers.1)
            .bind(i64::try_from(KEPT).unwrap_or(i64::MAX).saturating_add(1))
            .bind(first_open.max(among.numbers.0))
            .persistent(false)
            .fetch_all(&self.pool)
            .await
    }

    /// The events of these numbers, newest first.
    pub(super) async fn numbered(&self, numbers: &[i64]) -> sqlx::Result<Vec<AuditEvent>> {
        let query = format!(
            "SELECT {EVENT} FROM audit_events AS e WHERE e.sequence = ANY($1) ORDER BY e.sequence DESC"
        );
        let rows: Vec<AuditRow> = sqlx::query_as(&query)
            .bind(numbers)
            .fetch_all(&self.pool)
            .await?;
        rows.into_iter().map(AuditRow::read).collect()
    }

    /// Events that wait, from one end on.
    pub(super) async fn waiting_events(
        &self,
        among: Among,
        wanted: Wanted,
    ) -> sqlx::Result<Vec<AuditEvent>> {
        let order = wanted.first.sql();
        let query = format!(
            "{} SELECT {EVENT} FROM audit_events AS e JOIN found USING (sequence) ORDER BY e.sequence {order} LIMIT $3",
            found(wanted.first)
        );
        let rows: Vec<AuditRow> = sqlx::query_as(&query)
            .bind(among.numbers.0)
            .bind(among.numbers.1)
            .bind(wanted.limit)
            .bind(among.agreed_since())
            .bind(among.reviewed_before.map(column))
            .persistent(false)
            .fetch_all(&self.pool)
            .await?;
        rows.into_iter().map(AuditRow::read).collect()
    }

    /// How many events wait, up to a limit, and since when the oldest of them.
    pub(super) async fn count_waiting(
        &self,
        among: Among,
        limit: i64,
    ) -> sqlx::Result<(i64, Option<Timestamp>)> {
        let query = format!(
            "{} SELECT count(*), min(late.at) FROM (
                 SELECT e.at FROM audit_events AS e JOIN found USING (sequence) ORDER BY e.sequence LIMIT $3
             ) AS late",
            found(Direction::Forth)
        );
        let (count, oldest): (i64, Option<OffsetDateTime>) = sqlx::query_as(&query)
            .bind(among.numbers.0)
            .bind(among.numbers.1)
            .bind(limit)
            .bind(among.agreed_since())
            .bind(among.reviewed_before.map(column))
            .persistent(false)
            .fetch_one(&self.pool)
            .await?;
        Ok((count, oldest.map(moment)))
    }

    /// Who agreed to operations as the second person.
    pub(super) async fn second_persons(&self, operations: &[uuid::Uuid]) -> sqlx::Result<Agreed> {
        if operations.is_empty() {
            return Ok(Agreed::default());
        }
        let rows = sqlx::query!(
            r#"SELECT operation_id AS "operation_id!", decided_by AS "decided_by!: sqlx::types::Json<domain::person::Actor>"
               FROM proposals WHERE operation_id = ANY($1) AND decided_by IS NOT NULL"#,
            operations
        )
        .fetch_all(&self.pool)
        .await?;
        let agreed = rows.into_iter().map(|row| {
            let operation = domain::operation::OperationId(row.operation_id);
            (operation, row.decided_by.0.key())
        });
        Ok(agreed.collect())
    }
}

impl Among {
    fn agreed_since(&self) -> OffsetDateTime {
        column(self.now.minus(WAITS_FOR).minus(AGREED_BEFORE))
    }
}

/// The condition of the indexes `audit_events_to_review` and `audit_events_to_review_by_actor`, word by word: only so the
/// database uses them.
pub(super) fn wants_review() -> String {
    let routine: Vec<String> = ROUTINE.iter().map(|act| format!("'{act}'")).collect();
    format!(
        "outcome <> 'requested' AND (outcome = 'denied' OR action <> ALL (ARRAY[{}]))",
        routine.join(", ")
    )
}

/// The numbers of the first $3 events that wait among those from $1 to $2, as `found`: in the gaps that nobody signed off;
/// what the only one who signed it off did; and what those who did signed off did or agreed to, where they agreed since $4
/// as the second person. Reviews since $5 do not count, where it is set.
fn found(first: Direction) -> String {
    let wants = wants_review();
    let order = first.sql();
    format!(
        "WITH stretch AS MATERIALIZED (
             SELECT r.reviewer_key, int8range(s.first, s.last, '[]') AS numbers
             FROM reviews AS r JOIN review_stretches AS s ON s.review_id = r.id
             WHERE r.verdict IN ('seen', 'follow-up') AND s.last >= $1
               AND ($5::timestamptz IS NULL OR r.reviewed_at < $5)
         ),
         covered AS MATERIALIZED (
             SELECT reviewer_key, range_agg(numbers) AS numbers FROM stretch GROUP BY reviewer_key
         ),
         found AS MATERIALIZED (
             (SELECT e.sequence FROM (
                  SELECT lower(open.numbers) AS low, upper(open.numbers) - 1 AS high
                  FROM unnest(
                      int8multirange(int8range($1, $2, '[]'))
                      - coalesce((SELECT range_agg(numbers) FROM stretch), int8multirange())
                  ) AS open (numbers)
                  ORDER BY 1 {order}
              ) AS gap
              CROSS JOIN LATERAL (
                  SELECT sequence FROM audit_events
                  WHERE {wants} AND sequence BETWEEN gap.low AND gap.high
                  ORDER BY sequence {order} LIMIT $3
              ) AS e
              ORDER BY gap.low {order}, e.sequence {order} LIMIT $3)
             UNION
             (SELECT e.sequence FROM covered
              CROSS JOIN LATERAL (
                  SELECT sequence FROM audit_events
                  WHERE {wants} AND actor_key = covered.reviewer_key AND sequence BETWEEN $1 AND $2
                    AND sequence <@ covered.numbers
                    AND NOT EXISTS (
                        SELECT FROM covered AS other
                        WHERE other.reviewer_key <> covered.reviewer_key AND sequence <@ other.numbers
                    )
                  ORDER BY sequence {order} LIMIT $3
              ) AS e
              ORDER BY e.sequence {order} LIMIT $3)
             UNION
             (SELECT e.sequence FROM proposals AS p JOIN audit_events AS e ON e.operation_id = p.operation_id
              WHERE {wants} AND p.decided_at >= $4 AND e.sequence BETWEEN $1 AND $2
                AND NOT EXISTS (
                    SELECT FROM covered
                    WHERE e.sequence <@ covered.numbers AND covered.reviewer_key <> e.actor_key
                      AND covered.reviewer_key IS DISTINCT FROM 'person:' || (p.decided_by ->> 'id')
                )
              ORDER BY e.sequence {order} LIMIT $3)
         )"
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_indexes_of_the_migrations_have_the_list_of_the_domain() {
        let single_spaced = |text: &str| text.split_whitespace().collect::<Vec<_>>().join(" ");
        for migration in [
            include_str!("../../../../../migrations/0017_reviews.sql"),
            include_str!("../../../../../migrations/0030_review_ways.sql"),
        ] {
            let migration = single_spaced(migration)
                .replace("( ", "(")
                .replace(" )", ")");
            let migration = migration.replace("[ ", "[").replace(" ]", "]");
            assert!(migration.contains(&wants_review()), "{}", wants_review());
        }
    }
}
