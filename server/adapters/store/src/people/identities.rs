//! People who sign in by an identity provider. What it says was checked before; here stands what follows from it, and
//! whoever signs in is known by issuer and subject alone.

use async_trait::async_trait;
use domain::audit::{AuditOutcome, Change, NewAuditEvent, act};
use domain::can::Permit;
use domain::identity::{Claims, Refusal, Subject, follows};
use domain::person::{Actor, Person, Role};
use domain::ports::{
    ByProvider, Identities, PeopleError, Proofs, Proved, ProviderConfirms, SignIn, StoreError,
    Whence,
};
use domain::time::Timestamp;
use sqlx::{PgConnection, Postgres, Transaction};
use uuid::Uuid;

use super::change::{NO_PASSWORD, allowed, event, insert, is_last_admin, lock};
use super::second_factor::own;
use super::sign_in::audit;
use super::throttle;
use crate::notices;
use crate::rows::column;
use crate::store::Store;

#[async_trait]
impl Identities for Store {
    async fn count(&self, address: Option<&str>) -> Result<Option<Timestamp>, StoreError> {
        self.within("counting a sign-in", async {
            let mut tx = self.pool.begin().await?;
            let counted = throttle::count(&mut tx, self.clock.now(), &[], address).await?;
            tx.commit().await?;
            Ok(counted.err())
        })
        .await
    }

    async fn refuse(
        &self,
        provider: &str,
        refusal: Refusal,
        whence: Whence,
    ) -> Result<(), StoreError> {
        let denied = denied(None, provider, refusal, whence);
        self.within("noting a refused sign-in", async {
            let mut tx = self.pool.begin().await?;
            self.write_audit(&mut tx, denied).await?;
            tx.commit().await
        })
        .await
    }

    async fn sign_in(&self, proved: Proved, whence: Whence) -> Result<ByProvider, StoreError> {
        let signing = async {
            let mut tx = self.begin_change().await?;
            match find(&mut tx, &proved.claims.subject).await? {
                Some(person) => self.let_known_in(tx, person, proved, whence).await,
                None => self.let_new_in(tx, proved, whence).await,
            }
        };
        self.within("signing somebody in", signing).await
    }

    async fn confirm(
        &self,
        actor: &Actor,
        proved: Proved,
    ) -> Result<ProviderConfirms, PeopleError> {
        let id = own(actor)?;
        let confirming = async {
            let mut tx = self.begin_change().await?;
            let known = find(&mut tx, &proved.claims.subject).await?;
            let Some(person) = lock(&mut tx, id).await? else {
                return Ok(Err(PeopleError::Unknown));
            };
            let same = known.is_some_and(|known| known.id == id);
            let refusal = if !same {
                Some(Refusal::SomebodyElse)
            } else if person.disabled_at.is_some() {
                Some(Refusal::KeptOut)
            } else {
                against(&proved)
            };
            let (confirms, outcome, note) = match refusal {
                Some(refusal) => (
                    ProviderConfirms::Not(refusal),
                    AuditOutcome::Denied,
                    refusal.note(&proved.provider),
                ),
                None if person.second_factor.is_some() => (
                    ProviderConfirms::Half,
                    AuditOutcome::Requested,
                    by_half(&proved.provider),
                ),
                None => (
                    ProviderConfirms::Whole,
                    AuditOutcome::Succeeded,
                    by(&proved.provider),
                ),
            };
            if refusal.is_none() {
                throttle::take_back(&mut tx, actor.address()).await?;
            }
            let mut event = event(actor.clone(), act::CONFIRM_IDENTITY, &person, Some(note));
            event.outcome = outcome;
            self.write_audit(&mut tx, event).await?;
            tx.commit().await?;
            Ok(Ok(confirms))
        };
        self.within("confirming who somebody is", confirming)
            .await?
    }

    async fn of(&self, person: Uuid) -> Result<Proofs, StoreError> {
        self.within("reading who somebody is elsewhere", async {
            let subjects = sqlx::query_as!(
                Subject,
                "SELECT issuer, subject AS id FROM identities WHERE person_id = $1 ORDER BY issuer",
                person,
            )
            .fetch_all(&self.pool)
            .await?;
            let mut connection = self.pool.acquire().await?;
            let has_password = has_password(&mut connection, person).await?;
            Ok(Proofs {
                subjects,
                has_password,
            })
        })
        .await
    }

    async fn all(&self) -> Result<Vec<(Uuid, Subject)>, StoreError> {
        self.within("reading who is who elsewhere", async {
            let rows = sqlx::query!(
                "SELECT person_id, issuer, subject FROM identities ORDER BY person_id, issuer"
            )
            .fetch_all(&self.pool)
            .await?;
            let rows = rows.into_iter().map(|row| {
                let (issuer, id) = (row.issuer, row.subject);
                (row.person_id, Subject { issuer, id })
            });
            Ok(rows.collect())
        })
        .await
    }

    async fn connect(
        &self,
        permit: Permit,
        person: Uuid,
        subject: Subject,
    ) -> Result<Person, PeopleError> {
        let actor = allowed(permit)?;
        if !subject.is_sound() {
            return Err(PeopleError::BadSubject);
        }
        let connecting = async {
            let mut tx = match self.begin_change_by(&actor).await? {
                Ok(tx) => tx,
                Err(refused) => return Ok(Err(refused)),
            };
            let Some(person) = lock(&mut tx, person).await? else {
                return Ok(Err(PeopleError::Unknown));
            };
            if !self.link(&mut tx, &person, &subject).await? {
                return Ok(Err(PeopleError::IdentityTaken));
            }
            let note = format!("As {:?} of {}.", subject.id, subject.issuer);
            let event = event(actor, act::CONNECT_IDENTITY, &person, Some(note));
            let done = self.commit_change(tx, &person, event).await?;
            Ok(done.map(|()| person))
        };
        self.within("connecting a person", connecting).await?
    }

    async fn disconnect(&self, permit: Permit, person: Uuid) -> Result<(), PeopleError> {
        let actor = allowed(permit)?;
        let disconnecting = async {
            let mut tx = match self.begin_change_by(&actor).await? {
                Ok(tx) => tx,
                Err(refused) => return Ok(Err(refused)),
            };
            let Some(person) = lock(&mut tx, person).await? else {
                return Ok(Err(PeopleError::Unknown));
            };
            let gone = sqlx::query_as!(
                Subject,
                "DELETE FROM identities WHERE person_id = $1 RETURNING issuer, subject AS id",
                person.id,
            )
            .fetch_all(&mut *tx)
            .await?;
            if gone.is_empty() {
                return Ok(Ok(()));
            }
            if !has_password(&mut tx, person.id).await? && is_last_admin(&mut tx, &person).await? {
                return Ok(Err(PeopleError::LastAdmin));
            }
            sqlx::query!(
                "UPDATE people SET session_epoch = session_epoch + 1 WHERE id = $1",
                person.id,
            )
            .execute(&mut *tx)
            .await?;
            let gone = gone
                .iter()
                .map(|subject| format!("{:?} of {}", subject.id, subject.issuer));
            let note = format!("Was {}.", gone.collect::<Vec<_>>().join(", "));
            let event = event(actor, act::DISCONNECT_IDENTITY, &person, Some(note));
            self.commit_change(tx, &person, event).await
        };
        self.within("disconnecting a person", disconnecting).await?
    }
}

impl Store {
    /// Somebody who was here before.
    async fn let_known_in(
        &self,
        mut tx: Transaction<'static, Postgres>,
        person: Person,
        proved: Proved,
        whence: Whence,
    ) -> sqlx::Result<ByProvider> {
        let Proved { provider, role, .. } = &proved;
        let refusal = if person.disabled_at.is_some() {
            Some(Refusal::KeptOut)
        } else {
            against(&proved)
        };
        let mut events = Vec::new();
        let mut person = person;
        // Whatever else is wrong: who lost their groups loses what they had by them.
        if person.disabled_at.is_none() && (role.is_none() || refusal.is_none()) {
            let now = follows(person.roles.everywhere, *role);
            if now != person.roles.everywhere || role.is_none() {
                events.extend(self.follow(&mut tx, &person, now, provider).await?);
                person = lock(&mut tx, person.id).await?.unwrap_or(person);
            }
        }
        if let Some(refusal) = refusal {
            events.push(denied(Some(&person), provider, refusal, whence));
            self.commit_all(tx, &person, events).await?;
            return Ok(ByProvider::Not(refusal));
        }
        let subject = &proved.claims.subject;
        self.welcome(tx, person, events, provider, subject, whence)
            .await
    }

    /// Somebody who never was here.
    async fn let_new_in(
        &self,
        mut tx: Transaction<'static, Postgres>,
        proved: Proved,
        whence: Whence,
    ) -> sqlx::Result<ByProvider> {
        let Proved {
            provider, claims, ..
        } = &proved;
        let person = match self.newcomer(&proved) {
            Ok(person) if insert(&mut tx, &person, NO_PASSWORD).await? => person,
            Ok(_) => {
                return self
                    .turn_away(tx, &proved, Refusal::NameTaken, whence)
                    .await;
            }
            Err(refusal) => return self.turn_away(tx, &proved, refusal, whence).await,
        };
        self.link(&mut tx, &person, &claims.subject).await?;
        let note = format!("As {}, by {provider}.", person.roles);
        let added = event(Actor::Panel, act::ADD_PERSON, &person, Some(note));
        let subject = &claims.subject;
        self.welcome(tx, person, vec![added], provider, subject, whence)
            .await
    }

    fn newcomer(&self, proved: &Proved) -> Result<Person, Refusal> {
        if let Some(refusal) = against(proved) {
            return Err(refusal);
        }
        let role = proved.role.ok_or(Refusal::NoGroup)?;
        let role = follows(Role::Nothing, Some(role));
        let name = proved.claims.name()?;
        self.new_person(&name, role.into())
            .map_err(|_| Refusal::NoName)
    }

    async fn turn_away(
        &self,
        mut tx: Transaction<'static, Postgres>,
        proved: &Proved,
        refusal: Refusal,
        whence: Whence,
    ) -> sqlx::Result<ByProvider> {
        let event = denied(None, &proved.provider, refusal, whence);
        self.write_audit(&mut tx, event).await?;
        tx.commit().await?;
        Ok(ByProvider::Not(refusal))
    }

    /// Gives somebody the role of their groups, and ends their sessions.
    async fn follow(
        &self,
        connection: &mut PgConnection,
        person: &Person,
        role: Role,
        provider: &str,
    ) -> sqlx::Result<Option<NewAuditEvent>> {
        sqlx::query!(
            "UPDATE people SET role = $2, session_epoch = session_epoch + 1 WHERE id = $1",
            person.id,
            role.as_str(),
        )
        .execute(connection)
        .await?;
        if role == person.roles.everywhere {
            return Ok(None);
        }
        let mut roles = person.roles.clone();
        roles.everywhere = role;
        let (from, to) = (person.roles.to_string(), roles.to_string());
        let note = format!("From {from} to {to}, as the groups at {provider} say.");
        let mut event = event(Actor::Panel, act::CHANGE_ROLE, person, Some(note));
        event.changes = vec![Change::new("role", Some(&from), Some(&to))];
        Ok(Some(event))
    }

    /// The end of a sign-in that was right.
    async fn welcome(
        &self,
        mut tx: Transaction<'static, Postgres>,
        person: Person,
        mut events: Vec<NewAuditEvent>,
        provider: &str,
        subject: &Subject,
        whence: Whence,
    ) -> sqlx::Result<ByProvider> {
        let now = self.clock.now();
        let second = person.second_factor.is_some();
        if !second {
            self.note_signed_in(&mut tx, &person).await?;
        }
        sqlx::query!(
            "UPDATE identities SET last_used_at = $3 WHERE issuer = $1 AND subject = $2",
            subject.issuer,
            subject.id,
            column(now),
        )
        .execute(&mut *tx)
        .await?;
        throttle::take_back(&mut tx, whence.address.as_deref()).await?;
        let mut signed_in = audit(Some(&person), true, whence.address, whence.browser);
        signed_in.note = Some(by(provider));
        if second {
            signed_in.outcome = AuditOutcome::Requested;
            signed_in.note = Some(by_half(provider));
        }
        events.push(signed_in);
        self.commit_all(tx, &person, events).await?;
        Ok(ByProvider::In(if second {
            SignIn::SecondStep(person)
        } else {
            SignIn::Welcome(Person {
                last_seen_at: Some(now),
                ..person
            })
        }))
    }

    /// The events last of all, and in their order.
    async fn commit_all(
        &self,
        mut tx: Transaction<'static, Postgres>,
        person: &Person,
        events: Vec<NewAuditEvent>,
    ) -> sqlx::Result<()> {
        notices::tell_person(&mut tx, person.id).await?;
        for event in events {
            self.write_audit(&mut tx, event).await?;
        }
        tx.commit().await
    }

    /// `false` when either of them has another half.
    async fn link(
        &self,
        connection: &mut PgConnection,
        person: &Person,
        subject: &Subject,
    ) -> sqlx::Result<bool> {
        let linked = sqlx::query!(
            "INSERT INTO identities (issuer, subject, person_id, connected_at)
             VALUES ($1, $2, $3, $4)
             ON CONFLICT DO NOTHING",
            subject.issuer,
            subject.id,
            person.id,
            column(self.clock.now()),
        )
        .execute(connection)
        .await?;
        Ok(linked.rows_affected() > 0)
    }
}

/// What speaks against somebody, known here or not.
fn against(proved: &Proved) -> Option<Refusal> {
    let no_group = proved.role.is_none().then_some(Refusal::NoGroup);
    Claims::against(&proved.claims).or(no_group)
}

/// What stands in the audit trail.
fn by(provider: &str) -> String {
    format!("By {provider}.")
}

fn by_half(provider: &str) -> String {
    format!("By {provider}. The second factor is asked for.")
}

fn denied(
    person: Option<&Person>,
    provider: &str,
    refusal: Refusal,
    whence: Whence,
) -> NewAuditEvent {
    NewAuditEvent {
        note: Some(refusal.note(provider)),
        ..audit(person, false, whence.address, whence.browser)
    }
}

async fn has_password(connection: &mut PgConnection, person: Uuid) -> sqlx::Result<bool> {
    sqlx::query_scalar!(
        r#"SELECT EXISTS (SELECT 1 FROM people WHERE id = $1 AND password_hash <> $2) AS "has!""#,
        person,
        NO_PASSWORD,
    )
    .fetch_one(connection)
    .await
}

/// Whose subject it is, locked.
async fn find(connection: &mut PgConnection, subject: &Subject) -> sqlx::Result<Option<Person>> {
    let id = sqlx::query_scalar!(
        "SELECT person_id FROM identities WHERE issuer = $1 AND subject = $2",
        subject.issuer,
        subject.id,
    )
    .fetch_optional(&mut *connection)
    .await?;
    match id {
        Some(id) => lock(connection, id).await,
        None => Ok(None),
    }
}
