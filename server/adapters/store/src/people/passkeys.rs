//! Passkeys: questions and answers are those of WebAuthn Level 3 (<https://www.w3.org/TR/webauthn-3/>), checked by
//! `webauthn-rs`. An answer counts only from a device that has made sure of its owner (user verification).

mod ceremony;

use async_trait::async_trait;
use domain::audit::{AuditOutcome, Change, NewAuditEvent, act};
use domain::passkey::{Answer, MOST, NAME, Passkey, Question};
use domain::person::{Actor, Person};
use domain::ports::{Added, Passkeys, PeopleError, SignIn, StoreError};
use domain::second_factor::Duty;
use sqlx::PgConnection;
use time::OffsetDateTime;
use uuid::Uuid;
use webauthn_rs::prelude::{
    AuthenticationResult, DiscoverableAuthentication, Passkey as Credential, PasskeyAuthentication,
    PasskeyRegistration, PublicKeyCredential, RegisterPublicKeyCredential,
};

pub use ceremony::RelyingParty;
use ceremony::{Purpose, Refusal, question};

use super::change::{Changed, event, lock};
use super::second_factor::{own, write_codes};
use super::sign_in::{audit, with_turned_away};
use super::throttle::{self, Whose};
use crate::rows::{column, moment};
use crate::store::Store;

#[async_trait]
impl Passkeys for Store {
    fn possible(&self) -> bool {
        self.relying_party.is_some()
    }

    async fn of(&self, person: Uuid) -> Result<Vec<Passkey>, StoreError> {
        self.within("reading passkeys", async {
            let mut connection = self.pool.acquire().await?;
            let rows = rows_of(&mut connection, person).await?;
            Ok(rows.into_iter().map(Row::listed).collect())
        })
        .await
    }

    async fn ask_to_add(&self, actor: &Actor) -> Result<Question, PeopleError> {
        let id = own(actor)?;
        let asking = async {
            let mut connection = self.pool.acquire().await?;
            let Some(person) = super::read(&mut connection, id).await? else {
                return Ok(Err(PeopleError::Unknown));
            };
            let rows = rows_of(&mut connection, id).await?;
            if rows.len() >= MOST {
                return Ok(Err(PeopleError::TooManyPasskeys));
            }
            // A device that has one already says so instead of making another.
            let known = credentials(rows)?;
            let known = known.iter().map(|key| key.cred_id().clone()).collect();
            Ok(self.ask_new(&person, known))
        };
        self.within("asking for a passkey", asking).await?
    }

    async fn add(&self, actor: &Actor, name: &str, answer: Answer) -> Result<Added, PeopleError> {
        let id = own(actor)?;
        let name = name.trim().to_owned();
        if name.is_empty() || name.chars().count() > NAME {
            return Err(PeopleError::BadPasskeyName);
        }
        let party = self.party()?;
        let made: RegisterPublicKeyCredential = parsed(&answer.credential)?;
        // The library calls one that it was told to leave out an altered algorithm.
        let known = async {
            let mut connection = self.pool.acquire().await?;
            let mut rows = rows_of(&mut connection, id).await?.into_iter();
            Ok(rows.any(|row| row.credential_id == made.raw_id.as_slice()))
        };
        if self.within("reading passkeys", known).await? {
            return Err(PeopleError::PasskeyKnown);
        }
        let (state, _): (PasskeyRegistration, _) =
            self.opened(&answer.ceremony, Purpose::Add, id)?;
        let credential = party.finish_passkey_registration(&made, &state);
        let credential = credential.map_err(|error| Refusal::of(&error))?;
        let adding = self.keep(actor, id, &name, &credential);
        self.within("keeping a passkey", adding).await?
    }

    async fn remove(&self, actor: &Actor, id: Uuid, duty: Duty) -> Result<Person, PeopleError> {
        let owner = own(actor)?;
        let removing = async {
            let mut tx = self.begin_change().await?;
            let Some(person) = lock(&mut tx, owner).await? else {
                return Ok(Err(PeopleError::Unknown));
            };
            let removed = sqlx::query_scalar!(
                "DELETE FROM passkeys WHERE id = $1 AND person_id = $2 RETURNING name",
                id,
                owner,
            )
            .fetch_optional(&mut *tx)
            .await?;
            let Some(name) = removed else {
                return Ok(Err(PeopleError::NoSuchPasskey));
            };
            let now = lock(&mut tx, owner).await?;
            if now.is_some_and(|now| now.second_factor.is_none()) {
                if duty == Duty::MustHave {
                    return Ok(Err(PeopleError::LastSecondFactor));
                }
                sqlx::query!("DELETE FROM recovery_codes WHERE person_id = $1", owner)
                    .execute(&mut *tx)
                    .await?;
            }
            let note = format!("Called “{name}”.");
            let mut event = event(actor.clone(), act::REMOVE_PASSKEY, &person, Some(note));
            event.changes = vec![Change::hidden("passkey")];
            self.end_sessions(tx, person, event).await.map(Ok)
        };
        self.within("removing a passkey", removing).await?
    }

    async fn ask_anybody(&self) -> Result<Question, PeopleError> {
        let asked = self.party()?.start_discoverable_authentication();
        let (mut options, state) = asked.map_err(|error| Refusal::of(&error))?;
        // Asked for by a press of a button, not beside the name's field.
        options.mediation = None;
        let sealed = self.sealed(&state, Purpose::SignIn, Uuid::nil())?;
        question(&options.public_key, sealed)
    }

    async fn ask(&self, person: Uuid) -> Result<Question, PeopleError> {
        let party = self.party()?;
        let asking = async {
            let mut connection = self.pool.acquire().await?;
            credentials(rows_of(&mut connection, person).await?)
        };
        let known = self.within("asking for a passkey", asking).await?;
        if known.is_empty() {
            return Err(PeopleError::NoSuchPasskey);
        }
        let asked = party.start_passkey_authentication(&known);
        let (options, state) = asked.map_err(|error| Refusal::of(&error))?;
        let sealed = self.sealed(&state, Purpose::Prove, person)?;
        question(&options.public_key, sealed)
    }

    async fn sign_in(
        &self,
        answer: Answer,
        address: Option<String>,
        browser: Option<String>,
    ) -> Result<SignIn, StoreError> {
        let trying = async {
            let mut tx = self.pool.begin().await?;
            let proved = self.identify(&mut tx, &answer).await?;
            self.let_in(tx, proved, &[], address, browser).await
        };
        self.within("signing somebody in", trying).await
    }

    async fn second_step(
        &self,
        id: Uuid,
        epoch: i64,
        answer: Answer,
        address: Option<String>,
        browser: Option<String>,
    ) -> Result<SignIn, StoreError> {
        let trying = async {
            let mut tx = self.pool.begin().await?;
            let person = lock(&mut tx, id).await?;
            // Whatever ended their sessions since the password was typed ended this one, too.
            let person = person.filter(|person| person.session_epoch == epoch);
            let proved = match person {
                Some(person) => self.proved(&mut tx, person, &answer).await?,
                None => Proved::Not(None, Refusal::Late),
            };
            let whose = [Whose::Factor(id)];
            self.let_in(tx, proved, &whose, address, browser).await
        };
        self.within("checking a second factor", trying).await
    }

    async fn confirm(&self, actor: &Actor, answer: Answer) -> Result<(), PeopleError> {
        let id = own(actor)?;
        let confirming = async {
            let mut tx = self.begin_change().await?;
            let Some(person) = lock(&mut tx, id).await? else {
                return Ok(Err(PeopleError::Unknown));
            };
            let proved = self.proved(&mut tx, person.clone(), &answer).await?;
            let (note, refused) = match proved {
                Proved::By(_, name) => (with(&name), None),
                Proved::Not(_, refusal) => (refusal.note().to_owned(), Some(refusal)),
            };
            let action = act::CONFIRM_IDENTITY;
            let mut event = event(actor.clone(), action, &person, Some(note));
            if refused.is_some() {
                event.outcome = AuditOutcome::Denied;
            }
            self.write_audit(&mut tx, event).await?;
            tx.commit().await?;
            Ok(refused.map_or(Ok(()), |refusal| Err(refusal.into())))
        };
        self.within("checking a passkey", confirming).await?
    }
}

/// What came of an answer.
enum Proved {
    /// It is this person, with the passkey of this name.
    By(Person, String),
    /// Nobody; whose passkey it was, where that is known.
    Not(Option<Person>, Refusal),
}

impl Store {
    async fn keep(
        &self,
        actor: &Actor,
        id: Uuid,
        name: &str,
        credential: &Credential,
    ) -> Changed<Added> {
        let mut tx = self.begin_change().await?;
        let Some(person) = lock(&mut tx, id).await? else {
            return Ok(Err(PeopleError::Unknown));
        };
        let kept = sqlx::query!(
            "INSERT INTO passkeys (id, person_id, name, credential_id, credential, made_at)
             VALUES ($1, $2, $3, $4, $5, $6)
             ON CONFLICT (credential_id) DO NOTHING",
            self.ids.next(),
            id,
            name,
            credential.cred_id().as_slice(),
            written(credential)?,
            column(self.clock.now()),
        )
        .execute(&mut *tx)
        .await?;
        if kept.rows_affected() == 0 {
            return Ok(Err(PeopleError::PasskeyKnown));
        }
        let note = format!("Called “{name}”.");
        let mut event = event(actor.clone(), act::ADD_PASSKEY, &person, Some(note));
        event.changes = vec![Change::hidden("passkey")];
        if person.second_factor.is_some() {
            let done = self.commit_change(tx, &person, event).await?;
            let codes = Vec::new();
            return Ok(done.map(|()| Added { person, codes }));
        }
        let codes = write_codes(&mut tx, id).await?;
        let person = self.end_sessions(tx, person, event).await?;
        Ok(Ok(Added { person, codes }))
    }

    /// Whose passkey answered a question that was asked of anybody.
    async fn identify(
        &self,
        connection: &mut PgConnection,
        answer: &Answer,
    ) -> sqlx::Result<Proved> {
        let Some(party) = &self.relying_party else {
            return Ok(Proved::Not(None, Refusal::Wrong));
        };
        let Ok(given) = serde_json::from_str::<PublicKeyCredential>(&answer.credential) else {
            return Ok(Proved::Not(None, Refusal::Wrong));
        };
        let Ok((owner, credential_id)) = party.identify_discoverable_authentication(&given) else {
            return Ok(Proved::Not(None, Refusal::Wrong));
        };
        let row = sqlx::query_as!(
            Row,
            "SELECT id, name, credential_id, credential, made_at, last_used_at, last_asked_at FROM passkeys
             WHERE credential_id = $1 AND person_id = $2",
            credential_id,
            owner,
        )
        .fetch_optional(&mut *connection)
        .await?;
        let (Some(row), Some(person)) = (row, lock(connection, owner).await?) else {
            return Ok(Proved::Not(None, Refusal::Unknown));
        };
        let opened = self.opened(&answer.ceremony, Purpose::SignIn, Uuid::nil());
        let (state, asked_at): (DiscoverableAuthentication, _) = match opened {
            Ok(opened) => opened,
            Err(refusal) => return Ok(Proved::Not(Some(person), refusal)),
        };
        if row.was_taken(asked_at) {
            return Ok(Proved::Not(Some(person), Refusal::Taken));
        }
        let credential = row.read()?;
        match party.finish_discoverable_authentication_v2(&given, state, &credential) {
            Ok(result) => self.take(connection, person, row, &result, asked_at).await,
            Err(error) => Ok(Proved::Not(Some(person), Refusal::of(&error))),
        }
    }

    /// Whether somebody who is known answered with a passkey of theirs.
    async fn proved(
        &self,
        connection: &mut PgConnection,
        person: Person,
        answer: &Answer,
    ) -> sqlx::Result<Proved> {
        let Some(party) = &self.relying_party else {
            return Ok(Proved::Not(Some(person), Refusal::Wrong));
        };
        let Ok(given) = serde_json::from_str::<PublicKeyCredential>(&answer.credential) else {
            return Ok(Proved::Not(Some(person), Refusal::Wrong));
        };
        let opened = self.opened(&answer.ceremony, Purpose::Prove, person.id);
        let (state, asked_at): (PasskeyAuthentication, _) = match opened {
            Ok(opened) => opened,
            Err(refusal) => return Ok(Proved::Not(Some(person), refusal)),
        };
        let mut rows = rows_of(connection, person.id).await?.into_iter();
        // It may have been removed since the question was asked.
        let Some(row) = rows.find(|row| row.credential_id == given.get_credential_id()) else {
            return Ok(Proved::Not(Some(person), Refusal::Unknown));
        };
        if row.was_taken(asked_at) {
            return Ok(Proved::Not(Some(person), Refusal::Taken));
        }
        match party.finish_passkey_authentication(&given, &state) {
            Ok(result) => self.take(connection, person, row, &result, asked_at).await,
            Err(error) => Ok(Proved::Not(Some(person), Refusal::of(&error))),
        }
    }

    /// Takes an answer, once, and keeps what the device told of itself.
    async fn take(
        &self,
        connection: &mut PgConnection,
        person: Person,
        row: Row,
        result: &AuthenticationResult,
        asked_at: OffsetDateTime,
    ) -> sqlx::Result<Proved> {
        let mut credential = row.read()?;
        credential.update_credential(result);
        let taken = sqlx::query!(
            "UPDATE passkeys SET credential = $2, last_used_at = $3, last_asked_at = $4
             WHERE id = $1 AND (last_asked_at IS NULL OR last_asked_at < $4)",
            row.id,
            written(&credential)?,
            column(self.clock.now()),
            asked_at,
        )
        .execute(connection)
        .await?;
        Ok(match taken.rows_affected() {
            // Of two at once.
            0 => Proved::Not(Some(person), Refusal::Taken),
            _ => Proved::By(person, row.name),
        })
    }

    /// The end of a sign-in, either way. What was refused is counted: against the address, and against
    /// whoever's is tried.
    async fn let_in(
        &self,
        mut tx: sqlx::Transaction<'static, sqlx::Postgres>,
        proved: Proved,
        whose: &[Whose<'_>],
        address: Option<String>,
        browser: Option<String>,
    ) -> sqlx::Result<SignIn> {
        let now = self.clock.now();
        let proved = match proved {
            Proved::By(person, _) if person.disabled_at.is_some() => {
                Proved::Not(Some(person), Refusal::KeptOut)
            }
            other => other,
        };
        let (person, refusal) = match proved {
            Proved::By(person, key) => {
                self.note_signed_in(&mut tx, &person).await?;
                let mut event = audit(Some(&person), true, address, browser);
                event.note = Some(with(&key));
                self.write_audit(&mut tx, event).await?;
                tx.commit().await?;
                return Ok(SignIn::Welcome(Person {
                    last_seen_at: Some(now),
                    ..person
                }));
            }
            Proved::Not(person, refusal) => (person, refusal),
        };
        let tried = match throttle::count(&mut tx, now, whose, address.as_deref()).await? {
            Ok(tried) => tried,
            Err(until) => {
                tx.commit().await?;
                return Ok(SignIn::Throttled { until });
            }
        };
        let event = NewAuditEvent {
            note: Some(refusal.note().to_owned()),
            ..audit(person.as_ref(), false, address, browser)
        };
        self.write_audit(&mut tx, with_turned_away(event, tried.turned_away))
            .await?;
        tx.commit().await?;
        Ok(SignIn::Refused)
    }
}

/// What stands in the audit trail.
fn with(name: &str) -> String {
    format!("With the passkey “{name}”.")
}

fn parsed<T: serde::de::DeserializeOwned>(text: &str) -> Result<T, Refusal> {
    serde_json::from_str(text).map_err(|_| Refusal::Wrong)
}

struct Row {
    id: Uuid,
    name: String,
    credential_id: Vec<u8>,
    credential: serde_json::Value,
    made_at: OffsetDateTime,
    last_used_at: Option<OffsetDateTime>,
    last_asked_at: Option<OffsetDateTime>,
}

impl Row {
    fn read(&self) -> sqlx::Result<Credential> {
        serde_json::from_value(self.credential.clone())
            .map_err(|error| sqlx::Error::Decode(Box::new(error)))
    }

    /// Whether it answered a question of that time, or a later one.
    fn was_taken(&self, asked_at: OffsetDateTime) -> bool {
        self.last_asked_at.is_some_and(|last| last >= asked_at)
    }

    fn listed(self) -> Passkey {
        Passkey {
            id: self.id,
            name: self.name,
            made_at: moment(self.made_at),
            last_used_at: self.last_used_at.map(moment),
        }
    }
}

fn credentials(rows: Vec<Row>) -> sqlx::Result<Vec<Credential>> {
    rows.iter().map(Row::read).collect()
}

fn written(credential: &Credential) -> sqlx::Result<serde_json::Value> {
    serde_json::to_value(credential).map_err(|error| sqlx::Error::Encode(Box::new(error)))
}

async fn rows_of(connection: &mut PgConnection, person: Uuid) -> sqlx::Result<Vec<Row>> {
    sqlx::query_as!(
        Row,
        "SELECT id, name, credential_id, credential, made_at, last_used_at, last_asked_at FROM passkeys
         WHERE person_id = $1 ORDER BY made_at, id",
        person,
    )
    .fetch_all(connection)
    .await
}
