//! Where people are signed in.

use std::time::Duration;

use async_trait::async_trait;
use domain::audit::{AuditOutcome, NewAuditEvent, act};
use domain::can::Permit;
use domain::person::{Actor, Person};
use domain::ports::{PeopleError, Sessions, StoreError};
use domain::session::{Device, KNOWN_FOR, LONGEST, PersonSession};
use secrecy::ExposeSecret as _;
use sqlx::PgConnection;
use time::OffsetDateTime;
use uuid::Uuid;

use super::change::{allowed, event, lock};
use crate::notices;
use crate::rows::{column, moment};
use crate::store::Store;
use crate::token::hash;

#[async_trait]
impl Sessions for Store {
    async fn begin(&self, person: &Person, device: Device) -> Result<Uuid, StoreError> {
        self.within("noting a session", async {
            let (id, now) = (self.ids.next(), column(self.clock.now()));
            let known_since = column(self.clock.now().minus(KNOWN_FOR));
            let digest = hash(device.secret.expose_secret());
            let mut tx = self.pool.begin().await?;
            sqlx::query!(
                "DELETE FROM person_sessions WHERE person_id = $1 AND begun_at < $2",
                person.id,
                known_since,
            )
            .execute(&mut *tx)
            .await?;
            let before = sqlx::query!(
                r#"SELECT count(*) AS "all!", count(*) FILTER (WHERE device = $2) AS "here!"
                   FROM person_sessions WHERE person_id = $1"#,
                person.id,
                digest,
            )
            .fetch_one(&mut *tx)
            .await?;
            // The first sign-in of all is no news.
            let is_new = before.all > 0 && before.here == 0;
            sqlx::query!(
                "INSERT INTO person_sessions (id, person_id, epoch, begun_at, seen_at, address, browser,
                                              device, is_new)
                 VALUES ($1, $2, $3, $4, $4, $5, $6, $7, $8)",
                id,
                person.id,
                person.session_epoch,
                now,
                device.address,
                device.browser,
                digest,
                is_new,
            )
            .execute(&mut *tx)
            .await?;
            notices::tell_person(&mut tx, person.id).await?;
            if is_new {
                let actor = Actor::Person {
                    id: person.id,
                    name: person.name.clone(),
                    role: person.roles.everywhere,
                    address: device.address,
                    browser: device.browser, session: Some(id), token: None, };
                let event = event(actor, act::NEW_DEVICE, person, None);
                self.write_audit(&mut tx, event).await?;
            }
            tx.commit().await?;
            Ok(id)
        })
        .await
    }

    async fn go_on(&self, id: Uuid, epoch: i64) -> Result<i32, StoreError> {
        self.within("noting that a session goes on", async {
            let mut tx = self.pool.begin().await?;
            let on = sqlx::query!(
                "UPDATE person_sessions SET epoch = $2, turn = turn + 1 WHERE id = $1 RETURNING turn, person_id",
                id,
                epoch
            )
            .fetch_one(&mut *tx)
            .await?;
            notices::tell_person(&mut tx, on.person_id).await?;
            tx.commit().await?;
            Ok(on.turn)
        })
        .await
    }

    async fn note_seen(&self, id: Uuid, address: Option<String>) -> Result<(), StoreError> {
        self.within("noting the use of a session", async {
            sqlx::query!(
                "UPDATE person_sessions SET seen_at = $2, address = coalesce($3, address) WHERE id = $1",
                id,
                column(self.clock.now()),
                address,
            )
            .execute(&self.pool)
            .await
            .map(drop)
        })
        .await
    }

    async fn of(&self, person: Uuid) -> Result<Vec<PersonSession>, StoreError> {
        // A little longer than they last: whatever is ended stays known as such.
        let since = self.clock.now().minus(LONGEST + Duration::from_secs(3_600));
        self.within("reading the sessions of a person", async {
            let rows = sqlx::query_as!(
                SessionRow,
                "SELECT id, epoch, turn, begun_at, seen_at, ended_at, address, browser, is_new
                 FROM person_sessions WHERE person_id = $1 AND begun_at > $2
                 ORDER BY begun_at DESC, id DESC",
                person,
                column(since),
            )
            .fetch_all(&self.pool)
            .await?;
            Ok(rows.into_iter().map(SessionRow::read).collect())
        })
        .await
    }

    async fn close(&self, id: Uuid) -> Result<(), StoreError> {
        self.within("noting a sign-out", async {
            let mut tx = self.pool.begin().await?;
            let closed = sqlx::query_scalar!(
                "UPDATE person_sessions SET ended_at = $2 WHERE id = $1 AND ended_at IS NULL RETURNING person_id",
                id,
                column(self.clock.now()),
            )
            .fetch_optional(&mut *tx)
            .await?;
            if let Some(person) = closed {
                // Another panel may remember the session by its cookie.
                notices::tell_person(&mut tx, person).await?;
            }
            tx.commit().await
        })
        .await
    }

    async fn end_one(&self, actor: &Actor, id: Uuid) -> Result<bool, PeopleError> {
        let Actor::Person { id: own, .. } = actor else {
            return Err(PeopleError::Unknown);
        };
        let ending = async {
            let mut tx = self.pool.begin().await?;
            let ended = sqlx::query!(
                "UPDATE person_sessions SET ended_at = $3
                 WHERE id = $1 AND person_id = $2 AND ended_at IS NULL
                 RETURNING browser, address",
                id,
                own,
                column(self.clock.now()),
            )
            .fetch_optional(&mut *tx)
            .await?;
            let Some(ended) = ended else {
                return Ok(false);
            };
            notices::tell_person(&mut tx, *own).await?;
            let event = NewAuditEvent {
                target: Some(actor.name().to_owned()),
                note: Some(place(ended.browser.as_deref(), ended.address.as_deref())),
                ..NewAuditEvent::new(actor.clone(), act::END_SESSIONS, AuditOutcome::Succeeded)
            };
            self.write_audit(&mut tx, event).await?;
            tx.commit().await?;
            Ok(true)
        };
        Ok(self.within("ending a session", ending).await?)
    }

    async fn end_others(&self, actor: &Actor, but: Option<Uuid>) -> Result<u64, PeopleError> {
        let Actor::Person { id: own, .. } = actor else {
            return Err(PeopleError::Unknown);
        };
        let ending = async {
            let mut tx = self.pool.begin().await?;
            let ended = sqlx::query!(
                "UPDATE person_sessions SET ended_at = $3
                 WHERE person_id = $1 AND id IS DISTINCT FROM $2 AND ended_at IS NULL",
                own,
                but,
                column(self.clock.now()),
            )
            .execute(&mut *tx)
            .await?
            .rows_affected();
            notices::tell_person(&mut tx, *own).await?;
            let event = NewAuditEvent {
                target: Some(actor.name().to_owned()),
                note: Some("All but the one that asked.".to_owned()),
                ..NewAuditEvent::new(actor.clone(), act::END_SESSIONS, AuditOutcome::Succeeded)
            };
            self.write_audit(&mut tx, event).await?;
            tx.commit().await?;
            Ok(ended)
        };
        Ok(self.within("ending sessions", ending).await?)
    }

    async fn acknowledge(&self, actor: &Actor, id: Uuid) -> Result<(), PeopleError> {
        let Actor::Person { id: own, .. } = actor else {
            return Err(PeopleError::Unknown);
        };
        let noting = async {
            let mut tx = self.pool.begin().await?;
            sqlx::query!(
                "UPDATE person_sessions SET is_new = false WHERE id = $1 AND person_id = $2",
                id,
                own,
            )
            .execute(&mut *tx)
            .await?;
            notices::tell_person(&mut tx, *own).await?;
            tx.commit().await
        };
        Ok(self.within("noting a known browser", noting).await?)
    }

    async fn end_all(&self, permit: Permit, person: Uuid) -> Result<(), PeopleError> {
        let actor = allowed(permit)?;
        let ending = async {
            let mut tx = match self.begin_change_by(&actor).await? {
                Ok(tx) => tx,
                Err(refused) => return Ok(Err(refused)),
            };
            let Some(person) = lock(&mut tx, person).await? else {
                return Ok(Err(PeopleError::Unknown));
            };
            next_epoch(&mut tx, person.id).await?;
            let event = event(actor, act::END_SESSIONS, &person, None);
            self.commit_change(tx, &person, event).await
        };
        self.within("ending all sessions of a person", ending)
            .await?
    }
}

async fn next_epoch(connection: &mut PgConnection, person: Uuid) -> sqlx::Result<()> {
    sqlx::query!(
        "UPDATE people SET session_epoch = session_epoch + 1 WHERE id = $1",
        person
    )
    .execute(connection)
    .await
    .map(drop)
}

/// `Firefox on Linux, 192.0.2.7`.
fn place(browser: Option<&str>, address: Option<&str>) -> String {
    let parts: Vec<&str> = [browser, address].into_iter().flatten().collect();
    parts.join(", ")
}

struct SessionRow {
    id: Uuid,
    epoch: i64,
    turn: i32,
    begun_at: OffsetDateTime,
    seen_at: OffsetDateTime,
    ended_at: Option<OffsetDateTime>,
    address: Option<String>,
    browser: Option<String>,
    is_new: bool,
}

impl SessionRow {
    fn read(self) -> PersonSession {
        PersonSession {
            id: self.id,
            epoch: self.epoch,
            turn: self.turn,
            begun_at: moment(self.begun_at),
            seen_at: moment(self.seen_at),
            ended_at: self.ended_at.map(moment),
            address: self.address,
            browser: self.browser,
            is_new: self.is_new,
        }
    }
}
