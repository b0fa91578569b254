//! Second factors: codes of an authenticator (RFC 6238: SHA-1, six digits, 30 seconds, one step of skew either way),
//! each taken once, and recovery codes.

use argon2::password_hash::rand_core::{OsRng, RngCore as _};
use async_trait::async_trait;
use domain::action::Action;
use domain::audit::{AuditOutcome, Change, NewAuditEvent, act};
use domain::can::Permit;
use domain::person::{Actor, Person};
use domain::ports::{PeopleError, SecondFactors};
use domain::second_factor::{Duty, RECOVERY_CODES, SET_UP, SetUp};
use domain::time::Timestamp;
use secrecy::{ExposeSecret as _, SecretString};
use sha2::{Digest as _, Sha256};
use sqlx::{PgConnection, Postgres, Transaction};
use totp_rs::{Builder, Secret, Totp};
use uuid::Uuid;

use super::change::{Changed, event, lock};
use super::throttle::{self, Whose};
use crate::notices;
use crate::password::readable;
use crate::rows::{column, moment};
use crate::store::Store;

/// As RFC 4226 recommends.
const SECRET_BYTES: usize = 20;
/// Groups of five letters of a recovery code: 74 bits.
const GROUPS: usize = 3;

/// What a code was.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Code {
    /// The authenticator's.
    Authenticator,
    /// A recovery code; so many are left.
    Recovery(i64),
    /// One that was taken before.
    Used,
    /// None of theirs.
    Wrong,
    /// Of an authenticator whose secret is sealed under another key.
    SealedElsewhere,
}

impl Code {
    /// What stands in the audit trail.
    pub(super) fn note(self) -> String {
        match self {
            Self::Authenticator => "With a code of the authenticator.".to_owned(),
            Self::Recovery(1) => "With a recovery code; one is left.".to_owned(),
            Self::Recovery(left) => format!("With a recovery code; {left} are left."),
            Self::Used => "The code was used before.".to_owned(),
            Self::Wrong => "The code of the second factor was wrong.".to_owned(),
            Self::SealedElsewhere => {
                "The code could not be checked: the panel's sign-in key is another one.".to_owned()
            }
        }
    }

    /// Why it does not open the door, if it does not.
    pub(super) fn refusal(self) -> Option<PeopleError> {
        match self {
            Self::Authenticator | Self::Recovery(_) => None,
            Self::Used => Some(PeopleError::CodeUsed),
            Self::Wrong => Some(PeopleError::WrongCode),
            Self::SealedElsewhere => Some(PeopleError::SealedElsewhere),
        }
    }
}

#[async_trait]
impl SecondFactors for Store {
    async fn begin(&self, actor: &Actor) -> Result<(), PeopleError> {
        let id = own(actor)?;
        let key = self.sealing.clone().ok_or(PeopleError::SealedElsewhere)?;
        let mut secret = [0_u8; SECRET_BYTES];
        OsRng.fill_bytes(&mut secret);
        let beginning = async {
            let sealed = key.seal(id, &secret)?;
            let mut tx = self.begin_change().await?;
            let Some(person) = lock(&mut tx, id).await? else {
                return Ok(Err(PeopleError::Unknown));
            };
            sqlx::query!(
                "DELETE FROM authenticators WHERE person_id = $1 AND confirmed_at IS NULL",
                id
            )
            .execute(&mut *tx)
            .await?;
            sqlx::query!(
                "INSERT INTO authenticators (id, person_id, sealed, key_id, begun_at)
                 VALUES ($1, $2, $3, $4, $5)",
                self.ids.next(),
                id,
                sealed,
                key.id().as_slice(),
                column(self.clock.now()),
            )
            .execute(&mut *tx)
            .await?;
            let mut event = event(actor.clone(), act::SET_UP_SECOND_FACTOR, &person, None);
            event.outcome = AuditOutcome::Requested;
            self.write_audit(&mut tx, event).await?;
            tx.commit().await?;
            Ok(Ok(()))
        };
        self.within("beginning a second factor", beginning).await?
    }

    async fn begun(&self, person: Uuid) -> Result<Option<SetUp>, PeopleError> {
        let reading = async {
            let mut connection = self.pool.acquire().await?;
            find_begun(&mut connection, person).await
        };
        let begun = self.within("reading a second factor", reading).await?;
        let begun = begun.filter(|begun| begun.until() > self.clock.now());
        let Some(begun) = begun else {
            return Ok(None);
        };
        let secret = self.unsealed(person, &begun.sealed).map(Secret::from);
        let secret = secret.ok_or(PeopleError::SealedElsewhere)?;
        Ok(Some(SetUp {
            secret: secret.to_base32().into(),
            until: begun.until(),
        }))
    }

    async fn finish(
        &self,
        actor: &Actor,
        code: SecretString,
    ) -> Result<(Person, Vec<SecretString>), PeopleError> {
        let id = own(actor)?;
        let finishing = async {
            let mut tx = self.begin_change().await?;
            let Some(person) = lock(&mut tx, id).await? else {
                return Ok(Err(PeopleError::Unknown));
            };
            let now = self.clock.now();
            let begun = find_begun(&mut tx, id).await?;
            let Some(begun) = begun.filter(|begun| begun.until() > now) else {
                return Ok(Err(PeopleError::SetUpOver));
            };
            let Some(secret) = self.unsealed(id, &begun.sealed) else {
                return Ok(Err(PeopleError::SealedElsewhere));
            };
            let Some(step) = step_of(secret, &plain(&code), now) else {
                return Ok(Err(PeopleError::WrongCode));
            };
            sqlx::query!(
                "DELETE FROM authenticators WHERE person_id = $1 AND id <> $2",
                id,
                begun.id
            )
            .execute(&mut *tx)
            .await?;
            sqlx::query!(
                "UPDATE authenticators SET confirmed_at = $2, last_step = $3 WHERE id = $1",
                begun.id,
                column(now),
                step,
            )
            .execute(&mut *tx)
            .await?;
            let codes = write_codes(&mut tx, id).await?;
            let mut event = event(actor.clone(), act::SET_UP_SECOND_FACTOR, &person, None);
            event.changes = vec![Change::hidden("authenticator")];
            let person = self.end_sessions(tx, person, event).await?;
            Ok(Ok((person, codes)))
        };
        self.within("setting up a second factor", finishing).await?
    }

    async fn renew_codes(&self, actor: &Actor) -> Result<Vec<SecretString>, PeopleError> {
        let id = own(actor)?;
        let renewing = async {
            let mut tx = self.begin_change().await?;
            let person = match with_factor(&mut tx, id).await? {
                Ok(person) => person,
                Err(refused) => return Ok(Err(refused)),
            };
            let codes = write_codes(&mut tx, id).await?;
            let mut event = event(actor.clone(), act::RENEW_RECOVERY_CODES, &person, None);
            event.changes = vec![Change::hidden("recovery codes")];
            let done = self.commit_change(tx, &person, event).await?;
            Ok(done.map(|()| codes))
        };
        self.within("renewing recovery codes", renewing).await?
    }

    async fn confirm(&self, actor: &Actor, code: SecretString) -> Result<(), PeopleError> {
        let id = own(actor)?;
        let confirming = async {
            // Apart from passwords, as when they sign in.
            let tried = match self.count_own(&[Whose::Factor(id)]).await? {
                Ok(tried) => tried,
                Err(refused) => return Ok(Err(refused)),
            };
            let mut tx = self.begin_change().await?;
            let person = match with_factor(&mut tx, id).await? {
                Ok(person) => person,
                Err(refused) => return Ok(Err(refused)),
            };
            let code = self.take_code(&mut tx, id, &code).await?;
            let refusal = code.refusal();
            if refusal.is_none() {
                throttle::forgive(&mut tx, &tried).await?;
            }
            let note = Some(code.note());
            let mut event = event(actor.clone(), act::CONFIRM_IDENTITY, &person, note);
            if refusal.is_some() {
                event.outcome = AuditOutcome::Denied;
            }
            self.write_audit(&mut tx, event).await?;
            tx.commit().await?;
            Ok(refusal.map_or(Ok(()), Err))
        };
        self.within("checking a second factor", confirming).await?
    }

    async fn remove(&self, actor: &Actor, duty: Duty) -> Result<Person, PeopleError> {
        let id = own(actor)?;
        let removing = self.remove_factor(actor.clone(), id, Which::Authenticator(duty));
        self.within("removing a second factor", removing).await?
    }

    async fn reset(&self, permit: Permit, id: Uuid) -> Result<(), PeopleError> {
        if permit.action() != Action::ManagePeople {
            return Err(PeopleError::NotPermitted);
        }
        let removing = self.remove_factor(permit.actor().clone(), id, Which::All);
        let removed = self.within("removing a second factor", removing).await?;
        removed.map(drop)
    }
}

impl Store {
    async fn remove_factor(&self, actor: Actor, id: Uuid, which: Which) -> Changed<Person> {
        let begun = match which {
            Which::Authenticator(_) => Ok(self.begin_change().await?),
            Which::All => self.begin_change_by(&actor).await?,
        };
        let mut tx = match begun {
            Ok(tx) => tx,
            Err(refused) => return Ok(Err(refused)),
        };
        let person = match with_factor(&mut tx, id).await? {
            Ok(person) => person,
            Err(refused) => return Ok(Err(refused)),
        };
        sqlx::query!("DELETE FROM authenticators WHERE person_id = $1", id)
            .execute(&mut *tx)
            .await?;
        let passkeys = person.second_factor.map_or(0, |factor| factor.passkeys);
        if which == Which::Authenticator(Duty::MustHave) && passkeys == 0 {
            return Ok(Err(PeopleError::LastSecondFactor));
        }
        let mut changes = vec![Change::hidden("authenticator")];
        if which == Which::All && passkeys > 0 {
            sqlx::query!("DELETE FROM passkeys WHERE person_id = $1", id)
                .execute(&mut *tx)
                .await?;
            changes.push(Change::hidden("passkeys"));
        }
        if which == Which::All || passkeys == 0 {
            sqlx::query!("DELETE FROM recovery_codes WHERE person_id = $1", id)
                .execute(&mut *tx)
                .await?;
        }
        let mut event = event(actor, act::REMOVE_SECOND_FACTOR, &person, None);
        event.changes = changes;
        self.end_sessions(tx, person, event).await.map(Ok)
    }

    /// Every session of the person ends; they are read again as they now are.
    pub(super) async fn end_sessions(
        &self,
        mut tx: Transaction<'static, Postgres>,
        person: Person,
        event: NewAuditEvent,
    ) -> sqlx::Result<Person> {
        sqlx::query!(
            "UPDATE people SET session_epoch = session_epoch + 1 WHERE id = $1",
            person.id
        )
        .execute(&mut *tx)
        .await?;
        let changed = lock(&mut tx, person.id).await?.unwrap_or(person);
        // Nothing is refused from here on.
        let _done = self.commit_change(tx, &changed, event).await?;
        Ok(changed)
    }

    /// What a code is, used up if it opens the door.
    pub(super) async fn take_code(
        &self,
        connection: &mut PgConnection,
        person: Uuid,
        code: &SecretString,
    ) -> sqlx::Result<Code> {
        let typed = plain(code);
        if typed.len() != 6 || !typed.bytes().all(|byte| byte.is_ascii_digit()) {
            return take_recovery_code(connection, person, &typed, self.clock.now()).await;
        }
        let row = sqlx::query!(
            "SELECT sealed, last_step FROM authenticators
             WHERE person_id = $1 AND confirmed_at IS NOT NULL
             FOR UPDATE",
            person,
        )
        .fetch_optional(&mut *connection)
        .await?;
        let Some(row) = row else {
            return Ok(Code::Wrong);
        };
        let Some(secret) = self.unsealed(person, &row.sealed) else {
            return Ok(Code::SealedElsewhere);
        };
        let Some(step) = step_of(secret, &typed, self.clock.now()) else {
            return Ok(Code::Wrong);
        };
        if row.last_step.is_some_and(|last| step <= last) {
            return Ok(Code::Used);
        }
        sqlx::query!(
            "UPDATE authenticators SET last_step = $2
             WHERE person_id = $1 AND confirmed_at IS NOT NULL",
            person,
            step,
        )
        .execute(connection)
        .await?;
        Ok(Code::Authenticator)
    }

    fn unsealed(&self, person: Uuid, sealed: &[u8]) -> Option<Vec<u8>> {
        self.sealing.as_ref()?.open(person, sealed)
    }
}

/// What is taken away.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Which {
    /// The authenticator; passkeys stay, and with them the recovery codes. It may be the last one, or not.
    Authenticator(Duty),
    /// Everything: somebody lost it.
    All,
}

/// A set-up that was begun.
struct Begun {
    id: Uuid,
    sealed: Vec<u8>,
    at: Timestamp,
}

impl Begun {
    fn until(&self) -> Timestamp {
        self.at.plus(SET_UP)
    }
}

async fn find_begun(connection: &mut PgConnection, person: Uuid) -> sqlx::Result<Option<Begun>> {
    let row = sqlx::query!(
        "SELECT id, sealed, begun_at FROM authenticators
         WHERE person_id = $1 AND confirmed_at IS NULL",
        person,
    )
    .fetch_optional(connection)
    .await?;
    Ok(row.map(|row| Begun {
        id: row.id,
        sealed: row.sealed,
        at: moment(row.begun_at),
    }))
}

/// The locked row of somebody who has a second factor.
async fn with_factor(connection: &mut PgConnection, id: Uuid) -> Changed<Person> {
    let Some(person) = lock(connection, id).await? else {
        return Ok(Err(PeopleError::Unknown));
    };
    if person.second_factor.is_none() {
        return Ok(Err(PeopleError::NoSecondFactor));
    }
    Ok(Ok(person))
}

pub(super) async fn write_codes(
    connection: &mut PgConnection,
    person: Uuid,
) -> sqlx::Result<Vec<SecretString>> {
    sqlx::query!("DELETE FROM recovery_codes WHERE person_id = $1", person)
        .execute(&mut *connection)
        .await?;
    let codes: Vec<SecretString> = (0..RECOVERY_CODES).map(|_| readable(GROUPS)).collect();
    for code in &codes {
        sqlx::query!(
            "INSERT INTO recovery_codes (person_id, digest) VALUES ($1, $2)",
            person,
            digest(&plain(code)),
        )
        .execute(&mut *connection)
        .await?;
    }
    Ok(codes)
}

async fn take_recovery_code(
    connection: &mut PgConnection,
    person: Uuid,
    typed: &str,
    now: Timestamp,
) -> sqlx::Result<Code> {
    let digest = digest(typed);
    let taken = sqlx::query!(
        "UPDATE recovery_codes SET used_at = $3
         WHERE person_id = $1 AND digest = $2 AND used_at IS NULL",
        person,
        digest,
        column(now),
    )
    .execute(&mut *connection)
    .await?;
    let known = sqlx::query!(
        r#"SELECT count(*) FILTER (WHERE used_at IS NULL) AS "left!",
                  count(*) FILTER (WHERE digest = $2) AS "known!"
           FROM recovery_codes WHERE person_id = $1"#,
        person,
        digest,
    )
    .fetch_one(&mut *connection)
    .await?;
    if taken.rows_affected() > 0 {
        // Pages say how many are left.
        notices::tell_person(connection, person).await?;
    }
    Ok(match (taken.rows_affected(), known.known) {
        (1.., _) => Code::Recovery(known.left),
        (0, 1..) => Code::Used,
        (0, _) => Code::Wrong,
    })
}

/// As it is compared: people type spaces, dashes and capitals.
fn plain(code: &SecretString) -> String {
    let code = code.expose_secret().chars();
    code.filter(|c| !c.is_whitespace() && *c != '-')
        .map(|c| c.to_ascii_lowercase())
        .collect()
}

fn digest(code: &str) -> Vec<u8> {
    Sha256::digest(code).to_vec()
}

/// The step whose code this is, one step of skew either way.
fn step_of(secret: Vec<u8>, code: &str, now: Timestamp) -> Option<i64> {
    let totp: Totp = Builder::new()
        .with_secret(Secret::from(secret))
        .build_noncompliant();
    let seconds = u64::try_from(now.as_millis() / 1_000).ok()?;
    totp.check(code, seconds)
        .and_then(|step| i64::try_from(step).ok())
}

/// Only a person has a second factor.
pub(super) fn own(actor: &Actor) -> Result<Uuid, PeopleError> {
    match actor {
        Actor::Person { id, .. } => Ok(*id),
        _ => Err(PeopleError::Unknown),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// RFC 6238, appendix B, cut to six digits.
    #[test]
    fn codes_are_those_of_the_rfc() {
        let secret = b"12345678901234567890".to_vec();
        for (seconds, code) in [
            (59, "287082"),
            (1_111_111_109, "081804"),
            (1_234_567_890, "005924"),
            (20_000_000_000, "353130"),
        ] {
            let now = Timestamp::from_millis(seconds * 1_000);
            assert_eq!(step_of(secret.clone(), code, now), Some(seconds / 30));
            let skewed = Timestamp::from_millis((seconds + 30) * 1_000);
            assert_eq!(step_of(secret.clone(), code, skewed), Some(seconds / 30));
            let late = Timestamp::from_millis((seconds + 60) * 1_000);
            assert_eq!(step_of(secret.clone(), code, late), None);
        }
    }

    #[test]
    fn a_code_is_compared_as_it_is_meant() {
        let typed = SecretString::from(" ABCde-FGHjk mnpqr ");
        assert_eq!(plain(&typed), "abcdefghjkmnpqr");
    }
}
