//! Reviews of the trail and answers to their questions: rows that are only added, each with its audit event.

use std::collections::BTreeMap;

use async_trait::async_trait;
use domain::action::Action;
use domain::audit::{AuditOutcome, NewAuditEvent, act};
use domain::can::Permit;
use domain::operation::OperationId;
use domain::person::Actor;
use domain::ports::{ReviewError, Reviews, StoreError, Waiting};
use domain::review::{Agreed, Answer, Asked, Draft, Review, Stretches, Verdict, WAITS_FOR};
use domain::words;
use sqlx::types::Json;
use time::OffsetDateTime;
use uuid::Uuid;

use super::read::Direction;
use super::waiting::{Among, Wanted};
use crate::rows::{column, moment, unknown};
use crate::store::Store;

/// The longest list of numbers in an audit event.
const LISTED: usize = 120;

/// The columns once; `$rest` is what comes after the table's name.
macro_rules! reviews {
    ($rest:tt $(, $argument:expr)* $(,)?) => {
        sqlx::query_as!(
            ReviewRow,
            r#"SELECT id, verdict, comment, asked_id, asked_name, reviewed_by AS "reviewed_by: Json<Actor>", reviewed_at
               FROM reviews AS r "# + $rest,
            $($argument),*
        )
    };
}

#[async_trait]
impl Reviews for Store {
    async fn review(&self, permit: Permit, draft: Draft) -> Result<Review, ReviewError> {
        if permit.action() != Action::ReviewAudit {
            return Err(ReviewError::NotPermitted);
        }
        let actor = permit.actor();
        self.within("writing a review", async {
            let mut tx = self.pool.begin().await?;
            let (first, last) = split(&draft.covers);
            // Own is also what one agreed to as the second person.
            let found = sqlx::query!(
                r#"SELECT count(*) AS "there!",
                          count(*) FILTER (WHERE e.actor_key <> $3 AND NOT EXISTS (
                              SELECT FROM proposals AS p
                              WHERE p.operation_id = e.operation_id AND p.decided_by ->> 'id' = $4
                          )) AS "others!"
                   FROM unnest($1::bigint[], $2::bigint[]) AS covered (first, last)
                   JOIN audit_events AS e ON e.sequence BETWEEN covered.first AND covered.last"#,
                &first,
                &last,
                actor.key(),
                own_id(actor),
            )
            .fetch_one(&mut *tx)
            .await?;
            // Nobody signs off what has not happened yet.
            if u64::try_from(found.there) != Ok(draft.covers.count()) {
                return Ok(Err(ReviewError::Unknown));
            }
            if found.others == 0 {
                return Ok(Err(ReviewError::Own));
            }
            let review = Review {
                id: self.ids.next(),
                covers: draft.covers,
                verdict: draft.verdict,
                comment: draft.comment,
                asked: draft.asked,
                by: actor.clone(),
                at: self.clock.now(),
                answers: Vec::new(),
            };
            sqlx::query!(
                "INSERT INTO reviews (id, verdict, comment, asked_id, asked_name, reviewed_by, reviewer_key, reviewed_at)
                 VALUES ($1, $2, $3, $4, $5, $6, $7, $8)",
                review.id,
                review.verdict.as_str(),
                review.comment,
                review.asked.as_ref().map(|asked| asked.id),
                review.asked.as_ref().map(|asked| asked.name.as_str()),
                Json(&review.by) as _,
                review.by.key(),
                column(review.at),
            )
            .execute(&mut *tx)
            .await?;
            sqlx::query!(
                "INSERT INTO review_stretches (review_id, first, last)
                 SELECT $1, covered.first, covered.last FROM unnest($2::bigint[], $3::bigint[]) AS covered (first, last)",
                review.id,
                &first,
                &last,
            )
            .execute(&mut *tx)
            .await?;
            self.write_audit(&mut tx, reviewed(&review)).await?;
            tx.commit().await?;
            Ok(Ok(review))
        })
        .await?
    }

    async fn answer(&self, by: &Actor, review: Uuid, text: String) -> Result<Review, ReviewError> {
        self.within("writing an answer", async {
            // Before the transaction: one connection each must be enough. What is read here never changes.
            let row = reviews!("WHERE r.id = $1", review)
                .fetch_optional(&self.pool)
                .await?;
            let Some(row) = row else {
                return Ok(Err(ReviewError::Unknown));
            };
            let mut review = self.whole_reviews(vec![row]).await?;
            let Some(mut review) = review.pop() else {
                return Ok(Err(ReviewError::Unknown));
            };
            if let Err(why) = review.may_answer(by) {
                return Ok(Err(ReviewError::NotYours(why)));
            }
            let at = self.clock.now();
            let mut tx = self.pool.begin().await?;
            sqlx::query!(
                "INSERT INTO review_answers (id, review_id, answered_by, answered_at, answer)
                 VALUES ($1, $2, $3, $4, $5)",
                self.ids.next(),
                review.id,
                Json(by) as _,
                column(at),
                text,
            )
            .execute(&mut *tx)
            .await?;
            let event = NewAuditEvent {
                target: Some(covered(&review.covers)),
                reason: Some(text.clone()),
                note: Some(format!("Asked by {}.", review.by.name())),
                ..NewAuditEvent::new(by.clone(), act::ANSWER_QUESTION, AuditOutcome::Succeeded)
            };
            self.write_audit(&mut tx, event).await?;
            tx.commit().await?;
            review.answers.push(Answer {
                by: by.clone(),
                at,
                text,
            });
            Ok(Ok(review))
        })
        .await?
    }

    async fn of_events(&self, sequences: &[i64]) -> Result<Vec<Review>, StoreError> {
        self.within("reading reviews", async {
            let rows = reviews!(
                "WHERE r.id IN (
                     SELECT covered.review_id FROM unnest($1::bigint[]) AS event (sequence)
                     JOIN review_stretches AS covered
                         ON covered.last >= event.sequence AND covered.first <= event.sequence
                 )
                 ORDER BY r.reviewed_at, r.id",
                sequences,
            )
            .fetch_all(&self.pool)
            .await?;
            self.whole_reviews(rows).await
        })
        .await
    }

    async fn agreed(&self, operations: &[OperationId]) -> Result<Agreed, StoreError> {
        let operations: Vec<Uuid> = operations.iter().map(|operation| operation.0).collect();
        self.within(
            "reading who agreed to operations",
            self.second_persons(&operations),
        )
        .await
    }

    async fn questions(&self) -> Result<Vec<Review>, StoreError> {
        self.within("reading questions", async {
            let rows = reviews!(
                "WHERE r.verdict = 'question'
                   AND NOT EXISTS (SELECT FROM review_answers AS given WHERE given.review_id = r.id)
                 ORDER BY r.reviewed_at, r.id LIMIT 500",
            )
            .fetch_all(&self.pool)
            .await?;
            self.whole_reviews(rows).await
        })
        .await
    }

    async fn waiting(&self, limit: u32) -> Result<Waiting, StoreError> {
        self.within("reading what waits for a review", async {
            let last = sqlx::query_scalar!(
                "SELECT max(reviewed_at) FROM reviews WHERE verdict IN ('seen', 'follow-up')"
            )
            .fetch_one(&self.pool)
            .await?;
            let mut waiting = Waiting {
                last_at: last.map(moment),
                ..Waiting::default()
            };
            let now = self.clock.now();
            let Some(numbers) = self.numbers(Some(now.minus(WAITS_FOR)), None).await? else {
                return Ok(waiting);
            };
            let among = Among {
                numbers: (numbers.low, numbers.high),
                reviewed_before: None,
                now,
            };
            if let Some(numbers) = self.all_waiting(among).await? {
                waiting.more = numbers.len() > limit as usize;
                let newest = numbers.iter().take(limit as usize);
                let shown: Vec<i64> = newest.chain(numbers.last()).copied().collect();
                waiting.events = self.numbered(&shown).await?;
                waiting.oldest = waiting.events.last().map(|event| event.at);
            } else {
                let wanted = |first, limit| Wanted { first, limit };
                let newest = wanted(Direction::Back, i64::from(limit) + 1);
                waiting.events = self.waiting_events(among, newest).await?;
                waiting.more = waiting.events.len() > limit as usize;
                let oldest = wanted(Direction::Forth, 1);
                let oldest = self.waiting_events(among, oldest).await?;
                waiting.oldest = oldest.first().map(|event| event.at);
            }
            waiting.events.truncate(limit as usize);
            let events = waiting.events.iter();
            let operations: Vec<Uuid> = events
                .filter_map(|event| event.event.operation)
                .map(|operation| operation.0)
                .collect();
            waiting.agreed = self.second_persons(&operations).await?;
            Ok(waiting)
        })
        .await
    }
}

impl Store {
    /// The questions that nobody had answered before a moment, oldest first.
    pub(super) async fn questions_at(
        &self,
        moment: OffsetDateTime,
        limit: i64,
    ) -> sqlx::Result<Vec<Review>> {
        let rows = reviews!(
            "WHERE r.verdict = 'question' AND r.reviewed_at < $1
               AND NOT EXISTS (
                   SELECT FROM review_answers AS given WHERE given.review_id = r.id AND given.answered_at < $1
               )
             ORDER BY r.reviewed_at, r.id LIMIT $2",
            moment,
            limit,
        )
        .fetch_all(&self.pool)
        .await?;
        self.whole_reviews(rows).await
    }

    /// With the stretches that they cover and the answers that were given.
    async fn whole_reviews(&self, rows: Vec<ReviewRow>) -> sqlx::Result<Vec<Review>> {
        let ids: Vec<Uuid> = rows.iter().map(|row| row.id).collect();
        let mut covers: BTreeMap<Uuid, Vec<String>> = BTreeMap::new();
        let stretches = sqlx::query!(
            "SELECT review_id, first, last FROM review_stretches WHERE review_id = ANY($1) ORDER BY review_id, first",
            &ids
        )
        .fetch_all(&self.pool)
        .await?;
        for row in stretches {
            let part = format!("{}-{}", row.first, row.last);
            covers.entry(row.review_id).or_default().push(part);
        }
        let mut answers: BTreeMap<Uuid, Vec<Answer>> = BTreeMap::new();
        let given = sqlx::query!(
            r#"SELECT review_id, answered_by AS "answered_by: Json<Actor>", answered_at, answer
               FROM review_answers WHERE review_id = ANY($1) ORDER BY answered_at, id"#,
            &ids
        )
        .fetch_all(&self.pool)
        .await?;
        for row in given {
            answers.entry(row.review_id).or_default().push(Answer {
                by: row.answered_by.0,
                at: moment(row.answered_at),
                text: row.answer,
            });
        }
        rows.into_iter()
            .map(|row| {
                let stretches = covers.remove(&row.id).unwrap_or_default().join(",");
                let asked = row.asked_id.zip(row.asked_name);
                Ok(Review {
                    id: row.id,
                    covers: Stretches::parse(&stretches)
                        .ok_or_else(|| unknown("list of events", stretches))?,
                    verdict: Verdict::parse(&row.verdict)
                        .ok_or_else(|| unknown("verdict", row.verdict))?,
                    comment: row.comment,
                    asked: asked.map(|(id, name)| Asked { id, name }),
                    by: row.reviewed_by.0,
                    at: moment(row.reviewed_at),
                    answers: answers.remove(&row.id).unwrap_or_default(),
                })
            })
            .collect()
    }
}

struct ReviewRow {
    id: Uuid,
    verdict: String,
    comment: Option<String>,
    asked_id: Option<Uuid>,
    asked_name: Option<String>,
    reviewed_by: Json<Actor>,
    reviewed_at: OffsetDateTime,
}

fn split(covers: &Stretches) -> (Vec<i64>, Vec<i64>) {
    covers.as_slice().iter().copied().unzip()
}

fn own_id(actor: &Actor) -> Option<String> {
    match actor {
        Actor::Person { id, .. } => Some(id.to_string()),
        _ => None,
    }
}

/// `event 7`, `events 3-5,8`, or how many there are between which.
fn covered(covers: &Stretches) -> String {
    let text = covers.text();
    match (covers.count(), covers.first(), covers.last()) {
        (1, ..) => format!("event {text}"),
        (count, Some(first), Some(last)) if text.len() > LISTED => {
            format!(
                "{} from {first} to {last}",
                words::count(count, "event", "events")
            )
        }
        _ => format!("events {text}"),
    }
}

fn reviewed(review: &Review) -> NewAuditEvent {
    let asked = review.asked.as_ref();
    let asked = asked.map_or(String::new(), |asked| format!(" to {}", asked.name));
    NewAuditEvent {
        target: Some(covered(&review.covers)),
        reason: review.comment.clone(),
        note: Some(format!("{}{asked}.", review.verdict.title())),
        ..NewAuditEvent::new(review.by.clone(), act::REVIEW, AuditOutcome::Succeeded)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn long_lists_are_named_by_their_ends() {
        let said = |numbers: &[i64]| covered(&Stretches::of(numbers.iter().copied()));
        assert_eq!(said(&[7]), "event 7");
        assert_eq!(said(&[3, 4, 8]), "events 3-4,8");
        let many: Vec<i64> = (0..200).map(|n| 1_000 + 2 * n).collect();
        assert_eq!(said(&many), "200 events from 1000 to 1398");
    }
}
