//! Changes to people, one at a time in the whole database: so the last admin cannot be lost to two
//! changes of the same moment.

use std::time::Duration;

use domain::action::Action;
use domain::audit::{AuditOutcome, Change, NewAuditEvent, act};
use domain::can::Permit;
use domain::person::{Actor, Person, Role, Roles};
use domain::ports::{Disabled, PeopleError};
use secrecy::SecretString;
use sqlx::{PgConnection, Postgres, Transaction};
use uuid::Uuid;

use super::throttle::{self, Whose};
use crate::notices;
use crate::password::{acceptable, one_time};
use crate::rows::column;
use crate::store::Store;

/// Fits no password: whoever was invited has none.
pub(super) const NO_PASSWORD: &str = "";

/// What a change found out within its transaction.
pub(super) type Changed<T> = sqlx::Result<Result<T, PeopleError>>;

/// One's own password, as it was typed.
struct Tried {
    counted: throttle::Tried,
    /// The hash that it was held against.
    hash: Option<String>,
    fits: bool,
}

impl Store {
    pub(super) async fn add_person(
        &self,
        permit: Permit,
        name: &str,
        roles: Roles,
    ) -> Result<(Person, SecretString), PeopleError> {
        let actor = allowed(permit)?;
        let person = Person {
            password_is_one_time: true,
            ..self.new_person(name, roles)?
        };
        let password = one_time();
        let adding = self.insert_person(actor, &person, password.clone());
        self.within("adding a person", adding).await??;
        Ok((person, password))
    }

    async fn insert_person(
        &self,
        actor: Actor,
        person: &Person,
        password: SecretString,
    ) -> Changed<()> {
        let hash = self.hasher.hash(password).await?;
        let mut tx = match self.begin_change_by(&actor).await? {
            Ok(tx) => tx,
            Err(refused) => return Ok(Err(refused)),
        };
        if !insert(&mut tx, person, &hash).await? {
            return Ok(Err(PeopleError::NameTaken(person.name.clone())));
        }
        let note = format!("As {}.", person.roles);
        let event = event(actor, act::ADD_PERSON, person, Some(note));
        self.commit_change(tx, person, event).await
    }

    pub(super) async fn disable_person(
        &self,
        permit: Permit,
        id: Uuid,
        disabled: Disabled,
    ) -> Result<(), PeopleError> {
        let actor = allowed(permit)?;
        let changing = async {
            let mut tx = match self.begin_change_by(&actor).await? {
                Ok(tx) => tx,
                Err(refused) => return Ok(Err(refused)),
            };
            let Some(person) = lock(&mut tx, id).await? else {
                return Ok(Err(PeopleError::Unknown));
            };
            let (action, disabled_at) = match disabled {
                Disabled::Yes => (act::DISABLE_PERSON, Some(column(self.clock.now()))),
                Disabled::No => (act::ENABLE_PERSON, None),
            };
            if person.disabled_at.is_some() == disabled_at.is_some() {
                return Ok(Ok(()));
            }
            if disabled == Disabled::Yes && is_last_admin(&mut tx, &person).await? {
                return Ok(Err(PeopleError::LastAdmin));
            }
            sqlx::query!(
                "UPDATE people SET disabled_at = $2, session_epoch = session_epoch + 1 WHERE id = $1",
                id,
                disabled_at,
            )
            .execute(&mut *tx)
            .await?;
            let (before, after) = match disabled {
                Disabled::Yes => ("let in", "kept out"),
                Disabled::No => ("kept out", "let in"),
            };
            let mut event = event(actor, action, &person, None);
            event.changes = vec![Change::new("sign-in", Some(before), Some(after))];
            self.commit_change(tx, &person, event).await
        };
        self.within("changing whether a person may sign in", changing)
            .await?
    }

    pub(super) async fn change_roles(
        &self,
        permit: Permit,
        id: Uuid,
        roles: Roles,
    ) -> Result<(), PeopleError> {
        let actor = allowed(permit)?;
        let roles = roles.tidy();
        let changing = async {
            let mut tx = match self.begin_change_by(&actor).await? {
                Ok(tx) => tx,
                Err(refused) => return Ok(Err(refused)),
            };
            let Some(person) = lock(&mut tx, id).await? else {
                return Ok(Err(PeopleError::Unknown));
            };
            if person.roles == roles {
                return Ok(Ok(()));
            }
            let demoted = roles.everywhere != Role::Admin;
            if demoted && is_last_admin(&mut tx, &person).await? {
                return Ok(Err(PeopleError::LastAdmin));
            }
            sqlx::query!(
                "UPDATE people SET role = $2, session_epoch = session_epoch + 1 WHERE id = $1",
                id,
                roles.everywhere.as_str(),
            )
            .execute(&mut *tx)
            .await?;
            set_exceptions(&mut tx, id, &roles).await?;
            let (from, to) = (person.roles.to_string(), roles.to_string());
            let note = format!("From {from} to {to}.");
            let mut event = event(actor, act::CHANGE_ROLE, &person, Some(note));
            event.changes = vec![Change::new("role", Some(&from), Some(&to))];
            self.commit_change(tx, &person, event).await
        };
        self.within("changing a role", changing).await?
    }

    pub(super) async fn reset_persons_password(
        &self,
        permit: Permit,
        id: Uuid,
    ) -> Result<SecretString, PeopleError> {
        let actor = allowed(permit)?;
        let password = one_time();
        let changing = async {
            let hash = self.hasher.hash(password.clone()).await?;
            let mut tx = match self.begin_change_by(&actor).await? {
                Ok(tx) => tx,
                Err(refused) => return Ok(Err(refused)),
            };
            let Some(person) = lock(&mut tx, id).await? else {
                return Ok(Err(PeopleError::Unknown));
            };
            set_password(&mut tx, id, &hash, OneTime::Yes).await?;
            sqlx::query!(
                "DELETE FROM invitations WHERE person_id = $1 AND used_at IS NULL",
                id
            )
            .execute(&mut *tx)
            .await?;
            let mut event = event(actor, act::RESET_PASSWORD, &person, None);
            event.changes = vec![Change::hidden("password")];
            self.commit_change(tx, &person, event).await
        };
        self.within("resetting a password", changing).await??;
        Ok(password)
    }

    pub(super) async fn change_own_password(
        &self,
        actor: &Actor,
        old: SecretString,
        new: SecretString,
    ) -> Result<Person, PeopleError> {
        let Actor::Person { id, name, .. } = actor else {
            return Err(PeopleError::Unknown);
        };
        acceptable(&new, name)?;
        let changing = async {
            let whose = [Whose::Password(*id)];
            let tried = match self.try_own_password(&whose, name, old).await? {
                Ok(tried) => tried,
                Err(refused) => return Ok(Err(refused)),
            };
            let new_hash = self.hasher.hash(new).await?;
            let found = self
                .prove(&tried, actor, *id, act::CHANGE_PASSWORD, None)
                .await?;
            let (mut tx, person) = match found {
                Ok(found) => found,
                Err(refused) => return Ok(Err(refused)),
            };
            set_password(&mut tx, *id, &new_hash, OneTime::No).await?;
            let mut event = event(actor.clone(), act::CHANGE_PASSWORD, &person, None);
            event.changes = vec![Change::hidden("password")];
            let done = self.commit_change(tx, &person, event).await?;
            // The row was locked: nobody else moved the epoch in between.
            Ok(done.map(|()| Person {
                password_is_one_time: false,
                session_epoch: person.session_epoch + 1,
                ..person
            }))
        };
        self.within("changing a password", changing).await?
    }

    pub(super) async fn confirm_identity(
        &self,
        actor: &Actor,
        password: SecretString,
        code: &SecretString,
    ) -> Result<Person, PeopleError> {
        let Actor::Person { id, name, .. } = actor else {
            return Err(PeopleError::Unknown);
        };
        let confirming = async {
            // The code, too: a right password at the door forgives none of these.
            let whose = [Whose::Password(*id), Whose::Factor(*id)];
            let tried = match self.try_own_password(&whose, name, password).await? {
                Ok(tried) => tried,
                Err(refused) => return Ok(Err(refused)),
            };
            let proved = self
                .prove(&tried, actor, *id, act::CONFIRM_IDENTITY, Some(code))
                .await?;
            let (mut tx, person) = match proved {
                Ok(found) => found,
                Err(refused) => return Ok(Err(refused)),
            };
            let event = event(actor.clone(), act::CONFIRM_IDENTITY, &person, None);
            self.write_audit(&mut tx, event).await?;
            tx.commit().await?;
            Ok(Ok(person))
        };
        self.within("checking a password", confirming).await?
    }

    /// Counted like a sign-in: an open session must be no way to guess the password.
    async fn try_own_password(
        &self,
        whose: &[Whose<'_>],
        name: &str,
        password: SecretString,
    ) -> Changed<Tried> {
        let Ok(place) = self.hasher.inner_place() else {
            return Ok(Err(PeopleError::Busy));
        };
        let counted = match self.count_own(whose).await? {
            Ok(counted) => counted,
            Err(refused) => return Ok(Err(refused)),
        };
        let (_, hash) = self.with_hash(name).await?.unzip();
        let fits = place.verify(password, hash.clone()).await;
        Ok(Ok(Tried {
            counted,
            hash,
            fits,
        }))
    }

    /// Counts a try of somebody who is signed in.
    pub(super) async fn count_own(&self, whose: &[Whose<'_>]) -> Changed<throttle::Tried> {
        let now = self.clock.now();
        let mut tx = self.pool.begin().await?;
        let counted = throttle::count(&mut tx, now, whose, None).await?;
        tx.commit().await?;
        Ok(counted.map_err(|until| PeopleError::TooManyTries {
            wait: Duration::from_secs(until.since(now).as_secs().max(1)),
        }))
    }

    /// The locked row of whoever typed their own password, and the code of their second factor where one is asked for
    /// and they have one; a wrong one is audited as `action`.
    async fn prove(
        &self,
        tried: &Tried,
        actor: &Actor,
        id: Uuid,
        action: &str,
        code: Option<&SecretString>,
    ) -> Changed<(Transaction<'static, Postgres>, Person)> {
        let mut tx = self.begin_change().await?;
        let Some(person) = lock(&mut tx, id).await? else {
            return Ok(Err(PeopleError::Unknown));
        };
        let refused = if !tried.fits || !still_has(&mut tx, id, tried.hash.as_deref()).await? {
            let note = "The present password was wrong.".to_owned();
            Some((PeopleError::WrongPassword, note))
        } else if let Some(code) = code.filter(|_| person.second_factor.is_some()) {
            let code = self.take_code(&mut tx, id, code).await?;
            code.refusal().map(|refusal| (refusal, code.note()))
        } else {
            None
        };
        if let Some((refusal, note)) = refused {
            let mut denied = event(actor.clone(), action, &person, Some(note));
            denied.outcome = AuditOutcome::Denied;
            self.write_audit(&mut tx, denied).await?;
            tx.commit().await?;
            return Ok(Err(refusal));
        }
        throttle::forgive(&mut tx, &tried.counted).await?;
        Ok(Ok((tx, person)))
    }

    /// Begins what somebody does to other people, if they still may: what they were permitted by was read before, and
    /// another admin may have acted since.
    pub(super) async fn begin_change_by(
        &self,
        actor: &Actor,
    ) -> Changed<Transaction<'static, Postgres>> {
        let mut tx = self.begin_change().await?;
        let Actor::Person { id, session, .. } = actor else {
            return Ok(Ok(tx));
        };
        let still = sqlx::query_scalar!(
            r#"SELECT EXISTS (
                   SELECT 1 FROM people
                   WHERE id = $1 AND role = 'admin' AND disabled_at IS NULL
                     AND NOT EXISTS (
                         SELECT 1 FROM person_sessions AS own
                         WHERE own.id = $2 AND (own.ended_at IS NOT NULL OR own.epoch <> people.session_epoch)
                     )
               ) AS "still!""#,
            id,
            *session,
        )
        .fetch_one(&mut *tx)
        .await?;
        Ok(if still {
            Ok(tx)
        } else {
            Err(PeopleError::Overtaken)
        })
    }

    pub(super) async fn begin_change(&self) -> sqlx::Result<Transaction<'static, Postgres>> {
        let mut tx = self.pool.begin().await?;
        sqlx::query!("SELECT pg_advisory_xact_lock(hashtextextended('panel people', 0))")
            .execute(&mut *tx)
            .await?;
        Ok(tx)
    }

    pub(super) async fn commit_change(
        &self,
        mut tx: Transaction<'static, Postgres>,
        person: &Person,
        event: NewAuditEvent,
    ) -> Changed<()> {
        notices::tell_person(&mut tx, person.id).await?;
        self.write_audit(&mut tx, event).await?;
        tx.commit().await?;
        Ok(Ok(()))
    }
}

/// The permit is a value that only the capability table makes; one for something else is refused.
pub(super) fn allowed(permit: Permit) -> Result<Actor, PeopleError> {
    if permit.action() == Action::ManagePeople {
        Ok(permit.actor().clone())
    } else {
        Err(PeopleError::NotPermitted)
    }
}

/// Adds a row, unless the name is taken.
pub(super) async fn insert(
    connection: &mut PgConnection,
    person: &Person,
    hash: &str,
) -> sqlx::Result<bool> {
    let inserted = sqlx::query!(
        "INSERT INTO people (id, name, role, password_hash, password_is_one_time, created_at,
                             session_epoch)
         VALUES ($1, $2, $3, $4, $5, $6, $7)
         ON CONFLICT (name) DO NOTHING",
        person.id,
        person.name,
        person.roles.everywhere.as_str(),
        hash,
        person.password_is_one_time,
        column(person.created_at),
        person.session_epoch,
    )
    .execute(&mut *connection)
    .await?;
    let is_new = inserted.rows_affected() > 0;
    if is_new {
        set_exceptions(connection, person.id, &person.roles).await?;
    }
    Ok(is_new)
}

/// Where their role is another one, instead of where it was.
async fn set_exceptions(
    connection: &mut PgConnection,
    id: Uuid,
    roles: &Roles,
) -> sqlx::Result<()> {
    sqlx::query!("DELETE FROM roles_on_gateways WHERE person_id = $1", id)
        .execute(&mut *connection)
        .await?;
    let (gateways, words): (Vec<String>, Vec<String>) = (roles.on.iter())
        .map(|(gateway, role)| (gateway.to_string(), role.as_str().to_owned()))
        .unzip();
    sqlx::query!(
        "INSERT INTO roles_on_gateways (person_id, gateway_id, role)
         SELECT $1, gateway, role FROM unnest($2::text[], $3::text[]) AS given (gateway, role)",
        id,
        &gateways,
        &words,
    )
    .execute(connection)
    .await
    .map(drop)
}

pub(super) fn is_name(name: &str) -> bool {
    (2..=40).contains(&name.len())
        && name
            .bytes()
            .all(|byte| matches!(byte, b'a'..=b'z' | b'0'..=b'9' | b'.' | b'-' | b'_'))
}

pub(super) async fn lock(connection: &mut PgConnection, id: Uuid) -> sqlx::Result<Option<Person>> {
    let row = people!("WHERE id = $1 FOR UPDATE", id)
        .fetch_optional(connection)
        .await?;
    row.map(super::PersonRow::read).transpose()
}

/// Whether nobody else is admin who has a way in: whoever was only invited may never come.
pub(super) async fn is_last_admin(
    connection: &mut PgConnection,
    person: &Person,
) -> sqlx::Result<bool> {
    if person.roles.everywhere != Role::Admin || person.disabled_at.is_some() {
        return Ok(false);
    }
    let others = sqlx::query_scalar!(
        r#"SELECT EXISTS (
               SELECT 1 FROM people
               WHERE role = 'admin' AND disabled_at IS NULL AND id <> $1
                 AND (password_hash <> $2
                      OR EXISTS (SELECT 1 FROM passkeys WHERE person_id = people.id)
                      OR EXISTS (SELECT 1 FROM identities WHERE person_id = people.id))
           ) AS "others!""#,
        person.id,
        NO_PASSWORD,
    )
    .fetch_one(connection)
    .await?;
    Ok(!others)
}

#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum OneTime {
    Yes,
    No,
}

pub(super) async fn set_password(
    connection: &mut PgConnection,
    id: Uuid,
    hash: &str,
    one_time: OneTime,
) -> sqlx::Result<()> {
    sqlx::query!(
        "UPDATE people
         SET password_hash = $2, password_is_one_time = $3, invited_until = NULL,
             session_epoch = session_epoch + 1
         WHERE id = $1",
        id,
        hash,
        one_time == OneTime::Yes,
    )
    .execute(connection)
    .await
    .map(drop)
}

/// Whether the hash that was verified is still the one: a reset in between must win.
async fn still_has(
    connection: &mut PgConnection,
    id: Uuid,
    hash: Option<&str>,
) -> sqlx::Result<bool> {
    let now = sqlx::query_scalar!("SELECT password_hash FROM people WHERE id = $1", id)
        .fetch_optional(connection)
        .await?;
    Ok(now.is_some() && now.as_deref() == hash)
}

pub(super) fn event(
    actor: Actor,
    action: &str,
    person: &Person,
    note: Option<String>,
) -> NewAuditEvent {
    NewAuditEvent {
        target: Some(person.name.clone()),
        note,
        ..NewAuditEvent::new(actor, action, AuditOutcome::Succeeded)
    }
}
