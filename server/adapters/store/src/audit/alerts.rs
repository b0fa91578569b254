//! How far acts have been told, to each manager by address and to other people by their ids: a row that follows the numbers of the trail. These have
//! no gaps and the order of the commits, so that nothing is passed over.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use async_trait::async_trait;
use domain::audit::act;
use domain::credential::Cause;
use domain::mailbox::RECIPIENT;
use domain::operation::Command;
use domain::ports::{Alerts, Candidate, StoreError, Untold};
use sqlx::types::Json;

use super::rows::{AuditRow, EVENT};
use crate::rows::column;
use crate::store::Store;

/// Between two rounds of mails to somebody, of whichever panel.
const PAUSE: Duration = Duration::from_secs(60);
/// The same after a mail that did not go out.
const AGAIN: Duration = Duration::from_secs(300);
/// What is older is told no more: it is in the report, and waits for its review.
const OLDEST: Duration = Duration::from_secs(7 * 86_400);
/// The most events that are looked at in a round.
const AT_ONCE: i64 = 200;
/// How many sign-ins before tell where somebody comes from.
const BEFORE: i64 = 200;

#[derive(sqlx::FromRow)]
struct CandidateRow {
    #[sqlx(flatten)]
    event: AuditRow,
    command: Option<Json<Command>>,
}

impl CandidateRow {
    fn read(self) -> sqlx::Result<Candidate> {
        let event = self.event.read()?;
        let leaked = |command: Json<Command>| {
            matches!(
                command.0,
                Command::RotateKey {
                    cause: Cause::Leak,
                    ..
                }
            )
        };
        // By hand: the cause stands in the note.
        let by_hand = event.event.action == act::NOTE_ROTATION
            && event.event.operation.is_none()
            && event
                .event
                .note
                .as_deref()
                .is_some_and(|note| note.ends_with(Cause::Leak.sentence()));
        Ok(Candidate {
            leak: by_hand || self.command.is_some_and(leaked),
            addresses: Vec::new(),
            event,
        })
    }
}

#[async_trait]
impl Alerts for Store {
    async fn claim(&self, to: &str, acts: &[&str]) -> Result<Option<Untold>, StoreError> {
        let now = self.clock.now();
        self.within("looking for what is to be told", async {
            let told = sqlx::query_scalar!(
                "INSERT INTO audit_alerts AS a (recipient, alerted_to, tried_at)
                 SELECT $1, head.sequence, $2 FROM audit_head AS head
                 ON CONFLICT (recipient) DO UPDATE SET tried_at = $2
                 WHERE a.alerted_to < excluded.alerted_to
                   AND a.tried_at <= CASE WHEN a.failed IS NULL THEN $3::timestamptz ELSE $4::timestamptz END
                 RETURNING alerted_to",
                to,
                column(now),
                column(now.minus(PAUSE)),
                column(now.minus(AGAIN)),
            )
            .fetch_optional(&self.pool)
            .await?;
            let Some(from) = told else {
                return Ok(None);
            };
            let nothing = |to| Untold {
                from,
                to,
                candidates: Vec::new(),
            };
            // First, how far: what comes meanwhile is for the next round.
            let head = sqlx::query_scalar!("SELECT sequence FROM audit_head")
                .fetch_one(&self.pool)
                .await?;
            let young = self.first_since(now.minus(OLDEST)).await?;
            let Some(young) = young.filter(|_| from < head) else {
                return Ok(Some(nothing(head.max(from))));
            };
            let candidates = self.candidates(acts, young.max(from + 1), head).await?;
            let is_all = i64::try_from(candidates.len()).is_ok_and(|found| found < AT_ONCE);
            let last = candidates.last().map(|last| last.event.sequence);
            Ok(Some(Untold {
                candidates,
                ..nothing(last.filter(|_| !is_all).unwrap_or(head))
            }))
        })
        .await
    }

    async fn hold(&self, to: &str, told: i64) -> Result<bool, StoreError> {
        self.within("keeping on telling", async {
            let held = sqlx::query!(
                "UPDATE audit_alerts SET tried_at = $3 WHERE recipient = $1 AND alerted_to = $2",
                to,
                told,
                column(self.clock.now()),
            )
            .execute(&self.pool)
            .await?;
            Ok(held.rows_affected() == 1)
        })
        .await
    }

    async fn told(&self, to: &str, told: i64, up_to: i64) -> Result<bool, StoreError> {
        self.within("noting what was told", async {
            let noted = sqlx::query!(
                "UPDATE audit_alerts SET alerted_to = $3, failed = NULL
                 WHERE recipient = $1 AND alerted_to = $2 AND $3 >= $2",
                to,
                told,
                up_to,
            )
            .execute(&self.pool)
            .await?;
            Ok(noted.rows_affected() == 1)
        })
        .await
    }

    async fn failed(&self, to: &str, why: &str) -> Result<(), StoreError> {
        self.within("noting why an alert did not go out", async {
            sqlx::query!(
                "UPDATE audit_alerts SET failed = $2 WHERE recipient = $1",
                to,
                why,
            )
            .execute(&self.pool)
            .await
            .map(drop)
        })
        .await
    }
}

impl Store {
    /// Why the last alert to managers that did not go out did not; `None` when all of them did. What was to go to an address that is
    /// told nothing any more is no failure for long.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn alert_failure(&self) -> Result<Option<String>, StoreError> {
        self.within("reading what became of alerts", async {
            let failed = sqlx::query_scalar!(
                "SELECT failed FROM audit_alerts
                 WHERE failed IS NOT NULL AND tried_at > $1 AND recipient NOT LIKE $2 || '%'
                 ORDER BY tried_at DESC LIMIT 1",
                column(self.clock.now().minus(OLDEST)),
                RECIPIENT,
            )
            .fetch_optional(&self.pool)
            .await?;
            Ok(failed.flatten())
        })
        .await
    }

    async fn candidates(&self, acts: &[&str], low: i64, high: i64) -> sqlx::Result<Vec<Candidate>> {
        let acts: BTreeSet<String> = acts.iter().map(|act| (*act).to_owned()).collect();
        let acts: Vec<String> = acts.into_iter().collect();
        // Each act by itself: by the numbers alone, everything would be looked through after a long time without mail. And
        // without what was refused: whoever guesses passwords must not keep anything back.
        let rows: Vec<CandidateRow> = sqlx::query_as(&format!(
            "SELECT {EVENT}, o.command
             FROM unnest($1::text[]) AS wanted (action)
             CROSS JOIN LATERAL (
                 SELECT * FROM audit_events AS x
                 WHERE (x.action, x.sequence) >= (wanted.action, $2) AND (x.action, x.sequence) <= (wanted.action, $3)
                   AND (x.action <> $5 OR x.outcome = 'succeeded')
                 ORDER BY x.action, x.sequence LIMIT $4
             ) AS e
             LEFT JOIN operations AS o ON o.id = e.operation_id
             ORDER BY e.sequence LIMIT $4"
        ))
        .bind(acts)
        .bind(low)
        .bind(high)
        .bind(AT_ONCE)
        .bind(act::SIGN_IN)
        .fetch_all(&self.pool)
        .await?;
        let candidates: sqlx::Result<Vec<Candidate>> =
            rows.into_iter().map(CandidateRow::read).collect();
        let mut candidates = candidates?;
        let is_sign_in = |one: &Candidate| one.event.event.action == act::SIGN_IN;
        let people = candidates.iter().filter(|one| is_sign_in(one));
        let people: BTreeSet<String> = people.map(|one| one.event.event.actor.key()).collect();
        let mut known = self.addresses_before(people, low).await?;
        for one in candidates.iter_mut().filter(|one| is_sign_in(one)) {
            let actor = &one.event.event.actor;
            let known = known.entry(actor.key()).or_default();
            one.addresses.clone_from(known);
            known.extend(actor.address().map(str::to_owned));
        }
        Ok(candidates)
    }

    /// From where people had signed in before an event, each once.
    async fn addresses_before(
        &self,
        people: BTreeSet<String>,
        low: i64,
    ) -> sqlx::Result<BTreeMap<String, Vec<String>>> {
        let people: Vec<String> = people.into_iter().collect();
        let rows = sqlx::query!(
            r#"SELECT DISTINCT who.key AS "key!", past.actor ->> 'address' AS "address!"
               FROM unnest($1::text[]) AS who (key)
               CROSS JOIN LATERAL (
                   SELECT p.actor FROM audit_events AS p
                   WHERE p.actor_key = who.key AND p.action = $2 AND p.outcome = 'succeeded' AND p.gateway_id IS NULL
                     AND p.sequence < $3
                   ORDER BY p.sequence DESC LIMIT $4
               ) AS past
               WHERE past.actor ->> 'address' IS NOT NULL"#,
            &people,
            act::SIGN_IN,
            low,
            BEFORE,
        )
        .fetch_all(&self.pool)
        .await?;
        let mut known: BTreeMap<String, Vec<String>> = BTreeMap::new();
        for row in rows {
            known.entry(row.key).or_default().push(row.address);
        }
        Ok(known)
    }
}
