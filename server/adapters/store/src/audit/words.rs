//! The search for words. The index knows each word together with the number of the bucket, of 16,384 events each, that it
//! is in: buckets are searched from one end on, until there are enough hits.

use std::collections::BTreeSet;
use std::time::{Duration, Instant};

use domain::audit::filter::{Acts, What};
use domain::audit::{AuditEvent, Filter};
use sqlx::{Postgres, QueryBuilder};

use super::rare::{Rare, Term, terms};
use super::read::{Direction, Range};
use super::rows::{AuditRow, EVENT};
use crate::store::Store;

/// As in the function `audit_words` of the database.
pub(super) const BUCKET_BITS: i64 = 14;
/// What the index is of.
pub(super) const FUNCTION: &str =
    "audit_words(sequence, actor, actor_key, action, gateway_id, outcome, target, reason, note)";
/// How many buckets are searched at once, at most.
const AT_ONCE: i64 = 256;
/// After this a search ends, though it may not have seen everything; it can be gone on with.
const SEARCH_FOR: Duration = Duration::from_millis(400);

impl Store {
    /// The events that hold all words of `text`, and before which event the search ended if it ended early.
    pub(super) async fn search(
        &self,
        filter: &Filter,
        text: &str,
        range: Range,
    ) -> sqlx::Result<(Vec<AuditEvent>, Option<i64>)> {
        let words = self.words_of(text).await?;
        if words.is_empty() {
            return Ok((Vec::new(), None));
        }
        let began = Instant::now();
        let mut found = Vec::new();
        let mut left = range;
        let mut at_once = 1;
        let mut rare = Rare::new(filter, &words);
        while left.low <= left.high {
            let part = next(left, at_once);
            let missing = range.limit - i64::try_from(found.len()).unwrap_or(i64::MAX);
            let part = Range {
                limit: missing,
                ..part
            };
            // Where a first look finds hardly any, one of the terms may be rare.
            let is_scarce = at_once > 1
                && i64::try_from(found.len()).is_ok_and(|count| count * 8 < range.limit);
            let by_rare = if is_scarce {
                self.hits_by_rare(filter, &words, part, &mut rare).await?
            } else {
                None
            };
            found.extend(match by_rare {
                Some(hits) => hits,
                None => self.hits(filter, &words, part).await?,
            });
            match range.direction {
                Direction::Back => left.high = part.low - 1,
                Direction::Forth => left.low = part.high + 1,
            }
            if i64::try_from(found.len()).is_ok_and(|count| count >= range.limit) {
                break;
            }
            if began.elapsed() > SEARCH_FOR
                && range.direction == Direction::Back
                && left.low <= left.high
            {
                return Ok((found, Some(part.low)));
            }
            at_once = (at_once * 4).min(AT_ONCE);
        }
        Ok((found, None))
    }

    /// Those of these events that the filter lets through, by the same words as in a search.
    pub(super) async fn fitting_of(
        &self,
        filter: &Filter,
        mut events: Vec<AuditEvent>,
    ) -> sqlx::Result<Vec<AuditEvent>> {
        let now = self.clock.now();
        let rest = Filter {
            text: None,
            ..filter.clone()
        };
        events.retain(|event| rest.takes(event, now));
        let Some(text) = &filter.text else {
            return Ok(events);
        };
        let words = self.words_of(text).await?;
        if words.is_empty() || events.is_empty() {
            return Ok(Vec::new());
        }
        let numbers: Vec<i64> = events.iter().map(|event| event.sequence).collect();
        let whole = Range {
            low: 1,
            high: i64::MAX,
            direction: Direction::Back,
            limit: i64::try_from(numbers.len()).unwrap_or(i64::MAX),
        };
        let hits = self.among(filter, &words, whole, &numbers).await?;
        let hits: BTreeSet<i64> = hits.iter().map(|event| event.sequence).collect();
        events.retain(|event| hits.contains(&event.sequence));
        Ok(events)
    }

    /// A text taken apart as the index does it.
    pub(super) async fn words_of(&self, text: &str) -> sqlx::Result<Vec<String>> {
        sqlx::query_scalar!(
            r#"SELECT lexeme AS "lexeme!" FROM unnest(to_tsvector('pg_catalog.simple', $1::text))"#,
            text
        )
        .fetch_all(&self.pool)
        .await
    }

    async fn hits(
        &self,
        filter: &Filter,
        words: &[String],
        part: Range,
    ) -> sqlx::Result<Vec<AuditEvent>> {
        let Some(wanted) = query_of(filter, words, part.low, part.high) else {
            return Ok(Vec::new());
        };
        let order = part.direction.sql();
        // By the index alone, and only then by number: with both at once the database may read every event for its words.
        let mut query = QueryBuilder::<Postgres>::new(format!(
            "WITH hits AS MATERIALIZED (SELECT sequence FROM audit_events WHERE {FUNCTION} @@ "
        ));
        query.push_bind(wanted).push("::tsquery) ");
        query.push(format!(
            "SELECT {EVENT} FROM audit_events AS e JOIN (SELECT sequence FROM hits WHERE sequence BETWEEN "
        ));
        query.push_bind(part.low).push(" AND ").push_bind(part.high);
        query.push(format!(" ORDER BY sequence {order} LIMIT "));
        query.push_bind(part.limit);
        query.push(format!(
            ") AS found USING (sequence) ORDER BY e.sequence {order}"
        ));
        let rows = query.build_query_as::<AuditRow>().persistent(false);
        let rows = rows.fetch_all(&self.pool).await?;
        rows.into_iter().map(AuditRow::read).collect()
    }
}

/// What the events between two numbers must hold, as a `tsquery`; `None` when there is nothing to search for.
pub(super) fn query_of(filter: &Filter, words: &[String], low: i64, high: i64) -> Option<String> {
    let buckets = (low >> BUCKET_BITS)..=(high >> BUCKET_BITS);
    let wanted: Vec<String> = buckets
        .map(|bucket| wanted(filter, words, &bucket.to_string()))
        .collect();
    (!words.is_empty()).then(|| wanted.join(" | "))
}

/// The part of a range that is searched next.
fn next(left: Range, buckets: i64) -> Range {
    match left.direction {
        Direction::Back => {
            let lowest = (left.high >> BUCKET_BITS) - (buckets - 1);
            Range {
                low: left.low.max(lowest << BUCKET_BITS),
                ..left
            }
        }
        Direction::Forth => {
            let beyond = (left.low >> BUCKET_BITS) + buckets;
            Range {
                high: left.high.min((beyond << BUCKET_BITS) - 1),
                ..left
            }
        }
    }
}

/// What an event of a bucket must hold, as a `tsquery`.
pub(super) fn wanted(filter: &Filter, words: &[String], bucket: &str) -> String {
    let terms = terms(filter, words).into_iter();
    let mut all: Vec<String> = terms.map(|term| term.in_bucket(bucket)).collect();
    if let Some(What::Group(group)) = &filter.what {
        let any = |acts: &[&str]| {
            let acts = acts.iter().map(|act| Term::of('x', act).in_bucket(bucket));
            format!("({})", acts.collect::<Vec<_>>().join(" | "))
        };
        all.push(match group.acts() {
            Acts::Only(acts) => any(acts),
            Acts::AllBut(acts) => format!("!{}", any(acts)),
        });
    }
    format!("({})", all.join(" & "))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn buckets_are_taken_from_the_end_that_is_asked_for() {
        let bucket = 1 << BUCKET_BITS;
        let range = |direction| Range {
            low: 5,
            high: 3 * bucket + 7,
            direction,
            limit: 1,
        };
        let back = next(range(Direction::Back), 1);
        assert_eq!((back.low, back.high), (3 * bucket, 3 * bucket + 7));
        let back = next(range(Direction::Back), 256);
        assert_eq!((back.low, back.high), (5, 3 * bucket + 7));
        let forth = next(range(Direction::Forth), 1);
        assert_eq!((forth.low, forth.high), (5, bucket - 1));
        let forth = next(range(Direction::Forth), 4);
        assert_eq!((forth.low, forth.high), (5, 3 * bucket + 7));
    }

    #[test]
    fn what_is_searched_for_cannot_leave_its_quotes() {
        let words = ["it's".to_owned(), "a\\b".to_owned()];
        let said = wanted(&Filter::default(), &words, "3");
        assert_eq!(said, r"('3 wit''s':* & '3 wa\\b':*)");
    }
}
