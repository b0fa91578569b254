//! Secret links to the register's calendar. They open it for as long as their owner may read the register.

use async_trait::async_trait;
use domain::action::Action;
use domain::audit::act;
use domain::can::{self, Permit};
use domain::person::{Actor, Person};
use domain::ports::{CalendarLink, Calendars, People, RegisterError, StoreError};
use secrecy::SecretString;
use uuid::Uuid;

use super::change::{allowed, event};
use crate::rows::{column, moment};
use crate::store::Store;
use crate::token::{hash, new_secret};

#[async_trait]
impl Calendars for Store {
    async fn make(&self, permit: Permit) -> Result<SecretString, RegisterError> {
        let (actor, person) = owner(permit)?;
        let (token, secret) = new_secret();
        let making = async {
            let mut tx = self.pool.begin().await?;
            sqlx::query!(
                "INSERT INTO calendar_links (person_id, token_hash, made_at) VALUES ($1, $2, $3)
                 ON CONFLICT (person_id) DO UPDATE SET token_hash = $2, made_at = $3, used_at = NULL",
                person,
                token,
                column(self.clock.now()),
            )
            .execute(&mut *tx)
            .await?;
            self.write_audit(&mut tx, event(actor, act::MAKE_CALENDAR_LINK))
                .await?;
            tx.commit().await
        };
        self.within("making a link to the calendar", making).await?;
        Ok(secret)
    }

    async fn remove(&self, permit: Permit) -> Result<bool, RegisterError> {
        let (actor, person) = owner(permit)?;
        let removing = async {
            let mut tx = self.pool.begin().await?;
            let removed = sqlx::query!("DELETE FROM calendar_links WHERE person_id = $1", person)
                .execute(&mut *tx)
                .await?;
            if removed.rows_affected() == 0 {
                return Ok(false);
            }
            self.write_audit(&mut tx, event(actor, act::REMOVE_CALENDAR_LINK))
                .await?;
            tx.commit().await?;
            Ok(true)
        };
        let removed = self.within("taking a link to the calendar back", removing);
        Ok(removed.await?)
    }

    async fn link_of(&self, actor: &Actor) -> Result<Option<CalendarLink>, StoreError> {
        let Actor::Person { id, .. } = actor else {
            return Ok(None);
        };
        self.within("reading a link to the calendar", async {
            let row = sqlx::query!(
                "SELECT made_at, used_at FROM calendar_links WHERE person_id = $1",
                id
            )
            .fetch_optional(&self.pool)
            .await?;
            Ok(row.map(|row| CalendarLink {
                made_at: moment(row.made_at),
                used_at: row.used_at.map(moment),
            }))
        })
        .await
    }

    async fn open(&self, token: &str) -> Result<Option<Person>, StoreError> {
        let hash = hash(token);
        let of = self
            .within("reading whose link to the calendar it is", async {
                sqlx::query_scalar!(
                    "SELECT person_id FROM calendar_links WHERE token_hash = $1",
                    hash
                )
                .fetch_optional(&self.pool)
                .await
            })
            .await?;
        let Some(of) = of else {
            return Ok(None);
        };
        let owner = People::find(self, of).await?;
        let Some(owner) = owner.filter(may_read) else {
            return Ok(None);
        };
        self.within("noting that a link to the calendar was used", async {
            sqlx::query!(
                "UPDATE calendar_links SET used_at = $2 WHERE token_hash = $1",
                hash,
                column(self.clock.now()),
            )
            .execute(&self.pool)
            .await
            .map(drop)
        })
        .await?;
        Ok(Some(owner))
    }
}

/// Whose link a permit is about.
fn owner(permit: Permit) -> Result<(Actor, Uuid), RegisterError> {
    let actor = allowed(permit, Action::ViewCredentials)?;
    match actor {
        Actor::Person { id, .. } => Ok((actor, id)),
        _ => Err(RegisterError::NotPermitted),
    }
}

/// Whoever is kept out, or may not read the register any more, reads it by no link either.
fn may_read(person: &Person) -> bool {
    person.disabled_at.is_none()
        && can::role_may(Some(person.roles.everywhere), Action::ViewCredentials).is_ok()
}
