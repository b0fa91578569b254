//! One-time links by which people choose their password.

use async_trait::async_trait;
use domain::audit::{AuditOutcome, Change, NewAuditEvent, act};
use domain::can::Permit;
use domain::invitation::{Invitation, OPEN_FOR, Overtaken};
use domain::person::{Actor, Person, Role, Roles};
use domain::ports::{Chosen, Invitations, PeopleError, SignIn, StoreError};
use secrecy::SecretString;
use sqlx::{PgConnection, Postgres, Transaction};
use uuid::Uuid;

use super::change::{
    Changed, NO_PASSWORD, OneTime, allowed, event, insert, is_name, lock, set_password,
};
use crate::password::acceptable;
use crate::rows::{column, moment};
use crate::store::Store;
use crate::token::{hash, new_secret};

#[async_trait]
impl Invitations for Store {
    async fn invite(
        &self,
        permit: Permit,
        name: &str,
        roles: Roles,
    ) -> Result<(Person, SecretString), PeopleError> {
        let actor = allowed(permit)?;
        let person = self.new_person(name, roles)?;
        let inviting = async {
            let mut tx = match self.begin_change_by(&actor).await? {
                Ok(tx) => tx,
                Err(refused) => return Ok(Err(refused)),
            };
            if !insert(&mut tx, &person, NO_PASSWORD).await? {
                return Ok(Err(PeopleError::NameTaken(person.name.clone())));
            }
            let token = self.write_link(&mut tx, Some(person.id)).await?;
            let note = format!("As {}, by a one-time link.", person.roles);
            let event = event(actor, act::ADD_PERSON, &person, Some(note));
            let done = self.commit_change(tx, &person, event).await?;
            Ok(done.map(|()| token))
        };
        let token = self.within("inviting a person", inviting).await??;
        let until = self.clock.now().plus(OPEN_FOR);
        let person = Person {
            invited_until: Some(until),
            ..person
        };
        Ok((person, token))
    }

    async fn invite_again(&self, permit: Permit, id: Uuid) -> Result<SecretString, PeopleError> {
        let actor = allowed(permit)?;
        let inviting = async {
            let mut tx = match self.begin_change_by(&actor).await? {
                Ok(tx) => tx,
                Err(refused) => return Ok(Err(refused)),
            };
            let Some(person) = lock(&mut tx, id).await? else {
                return Ok(Err(PeopleError::Unknown));
            };
            set_password(&mut tx, id, NO_PASSWORD, OneTime::No).await?;
            let token = self.write_link(&mut tx, Some(id)).await?;
            let note = Some("By a one-time link.".to_owned());
            let mut event = event(actor, act::RESET_PASSWORD, &person, note);
            event.changes = vec![Change::hidden("password")];
            let done = self.commit_change(tx, &person, event).await?;
            Ok(done.map(|()| token))
        };
        self.within("making a new link for a person", inviting)
            .await?
    }

    async fn set_up(&self) -> Result<Option<SecretString>, StoreError> {
        self.within("making the first link", async {
            let mut tx = self.begin_change().await?;
            if is_anybody(&mut tx).await? {
                return Ok(None);
            }
            let token = self.write_link(&mut tx, None).await?;
            let event = NewAuditEvent {
                note: Some("The one-time link by which the first admin is made.".to_owned()),
                ..NewAuditEvent::new(Actor::Panel, act::MAKE_SET_UP_LINK, AuditOutcome::Succeeded)
            };
            self.write_audit(&mut tx, event).await?;
            tx.commit().await?;
            Ok(Some(token))
        })
        .await
    }

    async fn invitation(&self, token: &str) -> Result<Option<Invitation>, StoreError> {
        self.within("reading a one-time link", async {
            let mut connection = self.pool.acquire().await?;
            let link = find(&mut connection, token).await?;
            Ok(link.map(|link| link.invitation))
        })
        .await
    }

    async fn accept(&self, token: &str, chosen: Chosen) -> Result<SignIn, PeopleError> {
        let invited = self.invitation(token).await?;
        let invited = invited.filter(|invited| invited.against(self.clock.now()).is_none());
        let invited = invited.ok_or(PeopleError::LinkOver)?;
        let name = invited.name.as_deref().unwrap_or(&chosen.name).to_owned();
        let first = match invited.name {
            None => Some(self.new_person(&name, Role::Admin.into())?),
            Some(_) => None,
        };
        acceptable(&chosen.password, &name)?;
        let accepting = async {
            let hash = self.hasher.hash(chosen.password.clone()).await?;
            let mut tx = self.begin_change().await?;
            let person = match self.take_link(&mut tx, token, first, &hash).await? {
                Ok(person) => person,
                Err(refused) => return Ok(Err(refused)),
            };
            let actor = Actor::Person {
                id: person.id,
                name: person.name.clone(),
                role: person.roles.everywhere,
                address: chosen.address.clone(),
                browser: chosen.browser.clone(),
                session: None,
                token: None,
            };
            let mut event = event(actor, act::ACCEPT_INVITATION, &person, None);
            event.changes = vec![Change::hidden("password")];
            let done = self.commit_change(tx, &person, event).await?;
            Ok(done.map(|()| person))
        };
        let person = self.within("using a one-time link", accepting).await??;
        Ok(match person.second_factor {
            Some(_) => SignIn::SecondStep(person),
            None => SignIn::Welcome(person),
        })
    }
}

impl Store {
    /// A new link; the one of before opens nothing more.
    async fn write_link(
        &self,
        connection: &mut PgConnection,
        person: Option<Uuid>,
    ) -> sqlx::Result<SecretString> {
        let now = self.clock.now();
        let until = now.plus(OPEN_FOR);
        sqlx::query!(
            "DELETE FROM invitations WHERE person_id IS NOT DISTINCT FROM $1 AND used_at IS NULL",
            person,
        )
        .execute(&mut *connection)
        .await?;
        let (token, secret) = new_secret();
        sqlx::query!(
            "INSERT INTO invitations (id, person_id, token_hash, made_at, expires_at)
             VALUES ($1, $2, $3, $4, $5)",
            self.ids.next(),
            person,
            token,
            column(now),
            column(until),
        )
        .execute(&mut *connection)
        .await?;
        sqlx::query!(
            "UPDATE people SET invited_until = $2 WHERE id = $1",
            person,
            column(until)
        )
        .execute(connection)
        .await?;
        Ok(secret)
    }

    /// Marks the link as used and gives the password to whom it is for; the person as they now are.
    async fn take_link(
        &self,
        tx: &mut Transaction<'static, Postgres>,
        token: &str,
        first: Option<Person>,
        password: &str,
    ) -> Changed<Person> {
        let now = self.clock.now();
        let link = find(tx, token).await?;
        let Some(link) = link.filter(|link| link.invitation.against(now).is_none()) else {
            return Ok(Err(PeopleError::LinkOver));
        };
        let id = match (link.person, &first) {
            (Some(id), _) => {
                if lock(tx, id).await?.is_none() {
                    return Ok(Err(PeopleError::LinkOver));
                }
                set_password(tx, id, password, OneTime::No).await?;
                id
            }
            (None, Some(first)) => {
                insert(tx, first, password).await?;
                first.id
            }
            (None, None) => return Ok(Err(PeopleError::LinkOver)),
        };
        sqlx::query!(
            "UPDATE invitations SET used_at = $2, person_id = $3 WHERE id = $1",
            link.id,
            column(now),
            id,
        )
        .execute(&mut **tx)
        .await?;
        sqlx::query!(
            "UPDATE people SET invited_until = NULL, last_seen_at = $2 WHERE id = $1",
            id,
            column(now),
        )
        .execute(&mut **tx)
        .await?;
        Ok(lock(tx, id).await?.ok_or(PeopleError::Unknown))
    }

    /// Somebody who is to be added.
    pub(super) fn new_person(&self, name: &str, roles: Roles) -> Result<Person, PeopleError> {
        let name = name.trim().to_lowercase();
        if !is_name(&name) {
            return Err(PeopleError::BadName);
        }
        Ok(Person {
            id: self.ids.next(),
            name,
            roles: roles.tidy(),
            disabled_at: None,
            password_is_one_time: false,
            invited_until: None,
            last_seen_at: None,
            created_at: self.clock.now(),
            session_epoch: 1,
            second_factor: None,
        })
    }
}

/// A link as it is kept.
struct Link {
    id: Uuid,
    person: Option<Uuid>,
    invitation: Invitation,
}

async fn find(connection: &mut PgConnection, token: &str) -> sqlx::Result<Option<Link>> {
    let row = sqlx::query!(
        r#"SELECT link.id, person_id, expires_at, used_at, people.name AS "name?",
                  coalesce(people.disabled_at IS NOT NULL, false) AS "kept_out!",
                  person_id IS NULL AND EXISTS (SELECT 1 FROM people) AS "not_the_first!"
           FROM invitations AS link LEFT JOIN people ON people.id = person_id
           WHERE token_hash = $1"#,
        hash(token),
    )
    .fetch_optional(connection)
    .await?;
    Ok(row.map(|row| Link {
        id: row.id,
        person: row.person_id,
        invitation: Invitation {
            name: row.name,
            until: moment(row.expires_at),
            used: row.used_at.is_some(),
            overtaken: if row.kept_out {
                Some(Overtaken::KeptOut)
            } else {
                row.not_the_first.then_some(Overtaken::NotTheFirst)
            },
        },
    }))
}

async fn is_anybody(connection: &mut PgConnection) -> sqlx::Result<bool> {
    sqlx::query_scalar!(r#"SELECT EXISTS (SELECT 1 FROM people) AS "is_anybody!""#)
        .fetch_one(connection)
        .await
}
