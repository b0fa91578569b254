//! The trail as managers read it. Whatever is combined in a filter, a page costs a few looks into an index: the kinds of
//! events that the filter lets through are few, and each has its own list of numbers in `audit_events_by_kind`.

use async_trait::async_trait;
use domain::audit::{AuditEvent, Filter};
use domain::gateway::GatewayId;
use domain::operation::OperationId;
use domain::ports::{AuditReader, Chained, Found, Place, StoreError, Vocabulary};
use domain::time::Timestamp;
use sqlx::{Postgres, QueryBuilder};
use time::OffsetDateTime;
use uuid::Uuid;

use super::kinds;
use super::rows::{AuditRow, EVENT};
use super::{PAGE, hash};
use crate::rows::{column, moment};
use crate::store::Store;

/// The most events of operations that are read at once.
const OF_OPERATIONS: i64 = 5_000;
/// How many numbers are looked at first when several things are asked for at once.
const FIRST_LOOK: i64 = 1 << 16;
/// The facts whose being down is an outage.
const OUTAGES: [&str; 4] = ["edge", "process", "container", "session"];

/// What is looked for among the numbers of events, both ends included.
#[derive(Clone, Copy, Debug)]
pub(super) struct Range {
    pub(super) low: i64,
    pub(super) high: i64,
    pub(super) direction: Direction,
    pub(super) limit: i64,
}

/// From which end.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Direction {
    /// The newest first.
    Back,
    /// The oldest first.
    Forth,
}

impl Direction {
    pub(super) const fn sql(self) -> &'static str {
        match self {
            Self::Back => "DESC",
            Self::Forth => "ASC",
        }
    }
}

#[async_trait]
impl AuditReader for Store {
    async fn page(&self, filter: &Filter, place: Place, limit: u32) -> Result<Found, StoreError> {
        let limit = limit.min(PAGE);
        self.within("reading the audit trail", async {
            if let Some(operation) = filter.operation {
                let events = self.events_of(&[operation]).await?;
                let events = self.fitting_of(filter, events).await?;
                return Ok(within(events, place, limit));
            }
            // One more than asked for tells whether there are more.
            let Some(range) = self.range(filter, place, i64::from(limit) + 1).await? else {
                return Ok(Found::default());
            };
            let (mut events, searched_to) = match &filter.text {
                Some(text) => self.search(filter, text, range).await?,
                None => (self.listed_in(filter, range).await?, None),
            };
            let more = events.len() > limit as usize;
            events.truncate(limit as usize);
            if range.direction == Direction::Forth {
                events.reverse();
            }
            Ok(Found {
                events,
                more,
                searched_to,
            })
        })
        .await
    }

    async fn fitting(
        &self,
        filter: &Filter,
        events: Vec<AuditEvent>,
    ) -> Result<Vec<AuditEvent>, StoreError> {
        self.within("searching events", self.fitting_of(filter, events))
            .await
    }

    async fn event(&self, sequence: i64) -> Result<Option<Chained>, StoreError> {
        self.within("reading an audit event", async {
            let row: Option<AuditRow> = sqlx::query_as(&format!(
                "SELECT {EVENT} FROM audit_events AS e WHERE e.sequence = $1"
            ))
            .bind(sequence)
            .fetch_optional(&self.pool)
            .await?;
            let Some(row) = row else {
                return Ok(None);
            };
            let chain = sqlx::query!(
                "SELECT previous, hash FROM audit_events WHERE sequence = $1",
                sequence
            )
            .fetch_one(&self.pool)
            .await?;
            Ok(Some(Chained {
                event: row.read()?,
                previous: hash(&chain.previous.unwrap_or_default()),
                hash: hash(&chain.hash.unwrap_or_default()),
            }))
        })
        .await
    }

    async fn of_operations(&self, ids: &[OperationId]) -> Result<Vec<AuditEvent>, StoreError> {
        self.within("reading the audit trail", self.events_of(ids))
            .await
    }

    async fn outages(
        &self,
        asked: &[(GatewayId, Timestamp)],
    ) -> Result<Vec<Option<Timestamp>>, StoreError> {
        self.within("reading transitions", async {
            let gateways: Vec<String> = asked.iter().map(|(id, _)| id.to_string()).collect();
            let moments: Vec<OffsetDateTime> = asked.iter().map(|(_, at)| column(*at)).collect();
            let facts = OUTAGES.map(str::to_owned);
            let rows = sqlx::query!(
                r#"SELECT asked.n AS "n!", min(last.at) AS "since!"
                   FROM unnest($1::text[], $2::timestamptz[]) WITH ORDINALITY AS asked (gateway_id, at, n)
                   CROSS JOIN unnest($3::text[]) AS known (fact)
                   CROSS JOIN LATERAL (
                       SELECT to_state, at FROM transitions
                       WHERE gateway_id = asked.gateway_id AND fact = known.fact AND at <= asked.at
                       ORDER BY at DESC, id DESC LIMIT 1
                   ) AS last
                   WHERE last.to_state = 'down'
                   GROUP BY asked.n"#,
                &gateways,
                &moments,
                &facts[..],
            )
            .fetch_all(&self.pool)
            .await?;
            let mut since = vec![None; asked.len()];
            for row in rows {
                let place = usize::try_from(row.n - 1).ok();
                if let Some(slot) = place.and_then(|n| since.get_mut(n)) {
                    *slot = Some(moment(row.since));
                }
            }
            Ok(since)
        })
        .await
    }

    async fn new_addresses(&self, sequences: &[i64]) -> Result<Vec<i64>, StoreError> {
        self.within("reading where acts came from", async {
            // What came before the last day, as far back as tells enough.
            sqlx::query_scalar!(
                r#"SELECT e.sequence FROM audit_events AS e
                   WHERE e.sequence = ANY($1) AND e.actor ->> 'kind' = 'person' AND e.actor ->> 'address' IS NOT NULL
                     AND NOT EXISTS (
                         SELECT FROM (
                             SELECT past.actor, past.at FROM audit_events AS past
                             WHERE past.actor_key = e.actor_key AND past.sequence < e.sequence
                             ORDER BY past.sequence DESC LIMIT 1000
                         ) AS lately
                         WHERE lately.at < e.at - interval '1 day'
                           AND lately.actor ->> 'address' = e.actor ->> 'address'
                     )"#,
                sequences
            )
            .fetch_all(&self.pool)
            .await
        })
        .await
    }

    async fn vocabulary(&self) -> Result<Vocabulary, StoreError> {
        self.within("reading what the audit trail is made of", async {
            // From one to the next in the index: kinds are many more than people or actions.
            let people = sqlx::query!(
                r#"WITH RECURSIVE known AS (
                       (SELECT actor_key FROM audit_kinds ORDER BY actor_key LIMIT 1)
                       UNION ALL
                       SELECT (SELECT next.actor_key FROM audit_kinds AS next
                               WHERE next.actor_key > known.actor_key ORDER BY next.actor_key LIMIT 1)
                       FROM known WHERE known.actor_key IS NOT NULL
                   )
                   SELECT known.actor_key AS "actor_key!", last.actor_name AS "actor_name!"
                   FROM known CROSS JOIN LATERAL (
                       SELECT actor_name FROM audit_kinds AS kind
                       WHERE kind.actor_key = known.actor_key ORDER BY kind.first DESC LIMIT 1
                   ) AS last"#
            )
            .fetch_all(&self.pool)
            .await?;
            let mut people: Vec<(String, String)> = people
                .into_iter()
                .map(|row| (row.actor_key, row.actor_name))
                .collect();
            people.sort_by(|one, other| one.1.cmp(&other.1));
            let actions = sqlx::query_scalar!(
                r#"WITH RECURSIVE known AS (
                       (SELECT action FROM audit_kinds ORDER BY action LIMIT 1)
                       UNION ALL
                       SELECT (SELECT next.action FROM audit_kinds AS next
                               WHERE next.action > known.action ORDER BY next.action LIMIT 1)
                       FROM known WHERE known.action IS NOT NULL
                   )
                   SELECT action AS "action!" FROM known WHERE action IS NOT NULL"#
            )
            .fetch_all(&self.pool)
            .await?;
            Ok(Vocabulary { people, actions })
        })
        .await
    }
}

impl Store {
    async fn events_of(&self, ids: &[OperationId]) -> sqlx::Result<Vec<AuditEvent>> {
        let ids: Vec<Uuid> = ids.iter().map(|id| id.0).collect();
        let rows: Vec<AuditRow> = sqlx::query_as(&format!(
            "SELECT {EVENT} FROM audit_events AS e WHERE e.operation_id = ANY($1) ORDER BY e.sequence LIMIT $2"
        ))
        .bind(ids)
        .bind(OF_OPERATIONS)
        .fetch_all(&self.pool)
        .await?;
        rows.into_iter().map(AuditRow::read).collect()
    }

    /// The numbers between which the events of a filter's time are; `None` when there are none. Whoever appends does so
    /// with a lock, so that numbers and times have the same order, as far as the clocks of several panels agree.
    pub(super) async fn range(
        &self,
        filter: &Filter,
        place: Place,
        limit: i64,
    ) -> sqlx::Result<Option<Range>> {
        let (from, to) = filter.span.limits(self.clock.now());
        let mut range = Range {
            low: 1,
            high: i64::MAX,
            direction: Direction::Back,
            limit,
        };
        if let Some(from) = from {
            match self.first_since(from).await? {
                Some(first) => range.low = first,
                None => return Ok(None),
            }
        }
        let last = match to {
            Some(to) => {
                sqlx::query_scalar!(
                    "SELECT sequence FROM audit_events WHERE at < $1 ORDER BY at DESC, sequence DESC LIMIT 1",
                    column(to)
                )
                .fetch_optional(&self.pool)
                .await?
            }
            None => sqlx::query_scalar!("SELECT sequence FROM audit_events ORDER BY sequence DESC LIMIT 1")
                .fetch_optional(&self.pool)
                .await?,
        };
        let Some(last) = last else {
            return Ok(None);
        };
        range.high = last;
        match place {
            Place::Newest => {}
            Place::Before(number) => range.high = range.high.min(number.saturating_sub(1)),
            Place::After(number) => {
                range.low = range.low.max(number.saturating_add(1));
                range.direction = Direction::Forth;
            }
        }
        Ok((range.low <= range.high).then_some(range))
    }

    /// The first event since a moment.
    pub(super) async fn first_since(&self, from: Timestamp) -> sqlx::Result<Option<i64>> {
        sqlx::query_scalar!(
            "SELECT sequence FROM audit_events WHERE at >= $1 ORDER BY at, sequence LIMIT 1",
            column(from)
        )
        .fetch_optional(&self.pool)
        .await
    }

    /// Without a search for words. Many kinds are many lists: at first only their ends are looked at, where what is asked
    /// for mostly is.
    async fn listed_in(&self, filter: &Filter, range: Range) -> sqlx::Result<Vec<AuditEvent>> {
        if kinds::set(filter).len() < 2 {
            return self.events_in(filter, range).await;
        }
        let mut found = Vec::new();
        let mut left = range;
        for wide in [FIRST_LOOK, 16 * FIRST_LOOK, i64::MAX] {
            let missing = range.limit - i64::try_from(found.len()).unwrap_or(i64::MAX);
            if left.low > left.high || missing <= 0 {
                break;
            }
            let mut part = Range {
                limit: missing,
                ..left
            };
            match range.direction {
                Direction::Back => {
                    part.low = left.low.max(left.high.saturating_sub(wide));
                    left.high = part.low - 1;
                }
                Direction::Forth => {
                    part.high = left.high.min(left.low.saturating_add(wide));
                    left.low = part.high + 1;
                }
            }
            found.extend(self.events_in(filter, part).await?);
        }
        Ok(found)
    }

    /// The events of one part of the trail.
    async fn events_in(&self, filter: &Filter, range: Range) -> sqlx::Result<Vec<AuditEvent>> {
        let mut query =
            QueryBuilder::<Postgres>::new(format!("SELECT {EVENT} FROM audit_events AS e "));
        let order = range.direction.sql();
        match kinds::set(filter).as_slice() {
            [] => kinds::push_range(&mut query, "WHERE", "e", range),
            columns => {
                query.push("JOIN (SELECT hit.sequence FROM ");
                kinds::push_lists(&mut query, filter, columns, range);
                query.push(format!(" AS hit ORDER BY hit.sequence {order} LIMIT "));
                query
                    .push_bind(range.limit)
                    .push(") AS hits USING (sequence)");
            }
        }
        query.push(format!(" ORDER BY e.sequence {order} LIMIT "));
        query.push_bind(range.limit);
        // Planned for these values and no others: a plan for any value would be one for none.
        let rows = query.build_query_as::<AuditRow>().persistent(false);
        let rows = rows.fetch_all(&self.pool).await?;
        rows.into_iter().map(AuditRow::read).collect()
    }
}

/// A page of the events of one operation, oldest first: they are few.
fn within(events: Vec<AuditEvent>, place: Place, limit: u32) -> Found {
    let mut events: Vec<AuditEvent> = events
        .into_iter()
        .filter(|event| match place {
            Place::Newest => true,
            Place::Before(number) => event.sequence < number,
            Place::After(number) => event.sequence > number,
        })
        .collect();
    let limit = limit as usize;
    let more = events.len() > limit;
    if !matches!(place, Place::After(_)) {
        events.reverse();
    }
    events.truncate(limit);
    if matches!(place, Place::After(_)) {
        events.reverse();
    }
    Found {
        events,
        more,
        searched_to: None,
    }
}
