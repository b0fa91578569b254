//! Signing in: the same steps, answer and time whether the name is known or not.

use std::time::Duration;

use domain::audit::{AuditOutcome, NewAuditEvent, act};
use domain::person::{Actor, Person};
use domain::ports::SignIn;
use secrecy::SecretString;
use sqlx::PgConnection;
use uuid::Uuid;

use super::change::lock;
use super::throttle::{self, Whose};
use crate::rows::column;
use crate::store::Store;

/// When the queue of password checks is full.
const OVERLOAD_PAUSE: Duration = Duration::from_secs(5);

impl Store {
    pub(super) async fn try_sign_in(
        &self,
        name: &str,
        password: SecretString,
        address: Option<String>,
        browser: Option<String>,
    ) -> sqlx::Result<SignIn> {
        let name = name.trim().to_lowercase();
        let now = self.clock.now();
        // First of all, and in memory: a flood must not reach the database either.
        let Ok(place) = self.hasher.place() else {
            return Ok(SignIn::Throttled {
                until: now.plus(OVERLOAD_PAUSE),
            });
        };
        let mut tx = self.pool.begin().await?;
        let whose = [Whose::Name(&name)];
        let tried = throttle::count(&mut tx, now, &whose, address.as_deref()).await?;
        tx.commit().await?;
        let tried = match tried {
            Ok(tried) => tried,
            Err(until) => return Ok(SignIn::Throttled { until }),
        };

        let (known, hash) = self.with_hash(&name).await?.unzip();
        let fits = place.verify(password, hash).await;

        let welcome = known
            .as_ref()
            .filter(|person| fits && person.disabled_at.is_none());
        let second = welcome.is_some_and(|person| person.second_factor.is_some());
        let mut tx = self.pool.begin().await?;
        if let Some(person) = welcome {
            // The person before the counters, as everywhere: two sign-ins must not wait for each other.
            if !second {
                self.note_signed_in(&mut tx, person).await?;
            }
            throttle::forgive(&mut tx, &tried).await?;
        }
        let mut event = audit(known.as_ref(), welcome.is_some(), address, browser);
        if second {
            event.outcome = AuditOutcome::Requested;
            event.note = Some("The password was right; the second factor is asked for.".to_owned());
        }
        self.write_audit(&mut tx, with_turned_away(event, tried.turned_away))
            .await?;
        tx.commit().await?;
        Ok(match welcome {
            Some(person) if second => SignIn::SecondStep(person.clone()),
            Some(person) => SignIn::Welcome(Person {
                last_seen_at: Some(now),
                ..person.clone()
            }),
            None => SignIn::Refused,
        })
    }

    pub(super) async fn try_second_step(
        &self,
        id: Uuid,
        epoch: i64,
        code: SecretString,
        address: Option<String>,
        browser: Option<String>,
    ) -> sqlx::Result<SignIn> {
        let now = self.clock.now();
        let whose = [Whose::Factor(id)];
        let mut tx = self.pool.begin().await?;
        let tried = throttle::count(&mut tx, now, &whose, address.as_deref()).await?;
        tx.commit().await?;
        let tried = match tried {
            Ok(tried) => tried,
            Err(until) => return Ok(SignIn::Throttled { until }),
        };
        let mut tx = self.pool.begin().await?;
        let person = lock(&mut tx, id).await?;
        // Whatever ended their sessions since the password was typed ended this one, too.
        let person = person.filter(|person| {
            person.disabled_at.is_none()
                && person.session_epoch == epoch
                && person.second_factor.is_some()
        });
        let Some(person) = person else {
            return Ok(SignIn::Refused);
        };
        let code = self.take_code(&mut tx, id, &code).await?;
        let fits = code.refusal().is_none();
        if fits {
            self.note_signed_in(&mut tx, &person).await?;
            throttle::forgive(&mut tx, &tried).await?;
        }
        let mut event = audit(Some(&person), fits, address, browser);
        event.note = Some(code.note());
        self.write_audit(&mut tx, with_turned_away(event, tried.turned_away))
            .await?;
        tx.commit().await?;
        Ok(if fits {
            SignIn::Welcome(Person {
                last_seen_at: Some(now),
                ..person
            })
        } else {
            SignIn::Refused
        })
    }

    /// A person by name with the hash of their password.
    pub(super) async fn with_hash(&self, name: &str) -> sqlx::Result<Option<(Person, String)>> {
        let row = people!("WHERE name = $1", name)
            .fetch_optional(&self.pool)
            .await?;
        let hash = sqlx::query_scalar!("SELECT password_hash FROM people WHERE name = $1", name)
            .fetch_optional(&self.pool)
            .await?;
        let person = row.map(super::PersonRow::read).transpose()?;
        Ok(person.zip(hash))
    }

    pub(super) async fn note_signed_in(
        &self,
        connection: &mut PgConnection,
        person: &Person,
    ) -> sqlx::Result<()> {
        sqlx::query!(
            "UPDATE people SET last_seen_at = $2 WHERE id = $1",
            person.id,
            column(self.clock.now()),
        )
        .execute(connection)
        .await
        .map(drop)
    }
}

/// A name that nobody has is not written: people type passwords into the name field.
pub(super) fn audit(
    person: Option<&Person>,
    welcome: bool,
    address: Option<String>,
    browser: Option<String>,
) -> NewAuditEvent {
    let (actor, outcome) = match person {
        Some(person) if welcome => {
            let actor = Actor::Person {
                id: person.id,
                name: person.name.clone(),
                role: person.roles.everywhere,
                address,
                browser,
                session: None,
                token: None,
            };
            (actor, AuditOutcome::Succeeded)
        }
        _ => (Actor::Nobody { address }, AuditOutcome::Denied),
    };
    let note = match person {
        _ if welcome => None,
        None => Some("There is nobody of the name that was given."),
        Some(person) if person.disabled_at.is_some() => Some("This person is kept out."),
        Some(_) => Some("The password was wrong."),
    };
    NewAuditEvent {
        target: person.map(|person| person.name.clone()),
        note: note.map(str::to_owned),
        ..NewAuditEvent::new(actor, act::SIGN_IN, outcome)
    }
}

/// Tries that were turned away write nothing of their own: a flood must not fill the trail.
pub(super) fn with_turned_away(mut event: NewAuditEvent, turned_away: i32) -> NewAuditEvent {
    if turned_away > 0 {
        let note = event.note.take().unwrap_or_default();
        let more = format!("{note} {turned_away} tries before it were turned away unlooked at.");
        event.note = Some(more.trim().to_owned());
    }
    event
}
