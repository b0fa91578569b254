//! Passwords: hashed with argon2id, off the async threads, few at a time, with a short queue.

use std::sync::{Arc, LazyLock};

use argon2::password_hash::rand_core::{OsRng, RngCore as _};
use argon2::password_hash::{PasswordHash, PasswordHasher as _, PasswordVerifier as _, SaltString};
use argon2::{Algorithm, Argon2, Params, Version};
use domain::password::{Judged, SHORTEST, Strength};
use domain::ports::PeopleError;
use secrecy::{ExposeSecret as _, SecretString};
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use zxcvbn::feedback::Feedback;
use zxcvbn::zxcvbn;

/// Longer ones are no passwords; hashing them would be work for free for whoever sends them.
const LONGEST_BYTES: usize = 1024;
/// How many checks may wait. Whoever comes later is told to try again in a moment.
const QUEUE: usize = 32;
/// The same for people who are signed in, or who choose a password: a flood at the door takes none of their places.
const INNER_QUEUE: usize = 8;

/// What OWASP recommends for argon2id: 19 MiB, two passes, one lane.
static ARGON2: LazyLock<Argon2<'static>> = LazyLock::new(|| {
    let params = Params::new(19 * 1024, 2, 1, None).unwrap_or_default();
    Argon2::new(Algorithm::Argon2id, Version::V0x13, params)
});

/// Verified when there is nobody of the name, so that the answer takes as long. Nobody knows its password.
static DUMMY: LazyLock<Option<String>> = LazyLock::new(|| hash_now(&one_time()).ok());

/// The queue is full.
#[derive(Debug, thiserror::Error)]
#[error("too many password checks at once")]
pub(crate) struct Overloaded;

/// Hashing failed: a programming error, or no memory.
#[derive(Debug, thiserror::Error)]
#[error("a password could not be hashed: {0}")]
pub(crate) struct HashFailed(String);

impl From<HashFailed> for sqlx::Error {
    fn from(error: HashFailed) -> Self {
        Self::Encode(Box::new(error))
    }
}

/// Hashes and verifies within limits, so that a flood of sign-ins takes a fixed share of the machine.
#[derive(Clone)]
pub(crate) struct Hasher {
    queue: Arc<Semaphore>,
    inner_queue: Arc<Semaphore>,
    workers: Arc<Semaphore>,
}

/// A place in the queue; taken before anything else is done for a sign-in.
pub(crate) struct Place {
    workers: Arc<Semaphore>,
    _place: OwnedSemaphorePermit,
}

impl Hasher {
    pub(crate) fn new(at_once: usize) -> Self {
        let at_once = at_once.max(1);
        Self {
            queue: Arc::new(Semaphore::new(QUEUE + at_once)),
            inner_queue: Arc::new(Semaphore::new(INNER_QUEUE)),
            workers: Arc::new(Semaphore::new(at_once)),
        }
    }

    /// Makes what unknown names are checked against; otherwise the first of them would take twice as long
    /// and so be told apart.
    pub(crate) async fn prepare(&self) {
        let turn = Arc::clone(&self.workers).acquire_owned().await;
        let made = tokio::task::spawn_blocking(move || {
            let _turn = turn;
            DUMMY.is_some()
        });
        if !made.await.unwrap_or(false) {
            tracing::warn!("No hash could be made for names that nobody has");
        }
    }

    pub(crate) fn place(&self) -> Result<Place, Overloaded> {
        self.place_in(&self.queue)
    }

    /// The same for somebody who is signed in.
    pub(crate) fn inner_place(&self) -> Result<Place, Overloaded> {
        self.place_in(&self.inner_queue)
    }

    fn place_in(&self, queue: &Arc<Semaphore>) -> Result<Place, Overloaded> {
        let place = Arc::clone(queue).try_acquire_owned();
        Ok(Place {
            workers: Arc::clone(&self.workers),
            _place: place.map_err(|_| Overloaded)?,
        })
    }

    /// How hard a password is to guess; `None` when too many are looked at at once.
    pub(crate) async fn judge(&self, password: SecretString, name: String) -> Option<Judged> {
        let place = self.inner_place().ok()?;
        let turn = Arc::clone(&place.workers).acquire_owned().await;
        let judging = tokio::task::spawn_blocking(move || {
            let _turn = (turn, place);
            judge(&password, &name)
        });
        judging.await.ok()
    }

    /// A new hash; waits for its turn, whatever the queue: only people who are signed in come here.
    pub(crate) async fn hash(&self, password: SecretString) -> Result<String, HashFailed> {
        let turn = Arc::clone(&self.workers).acquire_owned().await;
        tokio::task::spawn_blocking(move || {
            let _turn = turn;
            hash_now(&password)
        })
        .await
        .unwrap_or_else(|error| Err(HashFailed(error.to_string())))
    }
}

impl Place {
    /// Whether `password` fits `hash`; without a hash it takes as long and does not fit.
    pub(crate) async fn verify(self, password: SecretString, hash: Option<String>) -> bool {
        let turn = Arc::clone(&self.workers).acquire_owned().await;
        let checking = tokio::task::spawn_blocking(move || {
            let _turn = (turn, self);
            // Whoever was invited has no password yet, and takes as long.
            let known = hash.as_ref().is_some_and(|hash| !hash.is_empty());
            let fits = hash
                .as_deref()
                .filter(|hash| !hash.is_empty())
                .or(DUMMY.as_deref())
                .is_some_and(|hash| verify_now(&password, hash));
            known && fits
        });
        checking.await.unwrap_or(false)
    }
}

fn hash_now(password: &SecretString) -> Result<String, HashFailed> {
    let salt = SaltString::generate(&mut OsRng);
    ARGON2
        .hash_password(password.expose_secret().as_bytes(), &salt)
        .map(|hash| hash.to_string())
        .map_err(|error| HashFailed(error.to_string()))
}

fn verify_now(password: &SecretString, hash: &str) -> bool {
    let password = password.expose_secret().as_bytes();
    // The same work for a monster as for anybody, on its first bytes; it never fits.
    let looked_at = &password[..password.len().min(LONGEST_BYTES)];
    let fits =
        PasswordHash::new(hash).is_ok_and(|hash| ARGON2.verify_password(looked_at, &hash).is_ok());
    fits && password.len() <= LONGEST_BYTES
}

/// Whether somebody of that name may choose it.
///
/// # Errors
/// It is too short, too long, or one of the first that a guesser would try.
pub(crate) fn acceptable(password: &SecretString, name: &str) -> Result<(), PeopleError> {
    if password.expose_secret().len() > LONGEST_BYTES {
        return Err(PeopleError::PasswordTooLong);
    }
    match estimate(password, name) {
        (Strength::Short, _) => Err(PeopleError::PasswordTooShort),
        (Strength::Easy, why) => Err(PeopleError::PasswordEasy { why }),
        (Strength::Fair | Strength::Strong, _) => Ok(()),
    }
}

/// The same for somebody who is still typing.
pub(crate) fn judge(password: &SecretString, name: &str) -> Judged {
    match estimate(password, name) {
        (Strength::Short, _) => Judged::short(password.expose_secret().chars().count()),
        (strength, why) => Judged::of(strength, &why),
    }
}

/// How hard it is to guess, and what a guesser would try.
fn estimate(password: &SecretString, name: &str) -> (Strength, String) {
    let password = password.expose_secret();
    if password.chars().count() < SHORTEST {
        return (Strength::Short, String::new());
    }
    // Common passwords, names and words are in the estimate's own lists. What is long enough for a hundred letters is
    // not made weak by more.
    let looked_at: String = password.chars().take(100).collect();
    let estimate = zxcvbn(
        &looked_at,
        &[name, "openclaw", "panel", "whatsapp", "gateway"],
    );
    let warning = estimate.feedback().and_then(Feedback::warning);
    let warning = warning.map(|warning| warning.to_string());
    (
        Strength::of(estimate.guesses_log10()),
        warning.unwrap_or_default(),
    )
}

/// A password to be typed once: 99 bits.
pub(crate) fn one_time() -> SecretString {
    readable(4)
}

/// Groups of five letters without look-alikes, each group of 24.7 bits.
pub(crate) fn readable(groups: usize) -> SecretString {
    const LETTERS: &[u8; 31] = b"abcdefghjkmnpqrstuvwxyz23456789";
    let mut text = String::with_capacity(groups * 6);
    let mut letters = 0;
    while letters < groups * 5 {
        let mut byte = [0_u8; 1];
        OsRng.fill_bytes(&mut byte);
        // 8 × 31: beyond it the first letters would come more often.
        if byte[0] >= 248 {
            continue;
        }
        if letters > 0 && letters % 5 == 0 {
            text.push('-');
        }
        text.push(char::from(LETTERS[usize::from(byte[0]) % LETTERS.len()]));
        letters += 1;
    }
    SecretString::from(text)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_hash_is_argon2id_with_the_recommended_parameters_and_fits_its_password_only() {
        let password = SecretString::from("correct horse battery");
        let hash = hash_now(&password).unwrap();
        assert!(
            hash.starts_with("$argon2id$v=19$m=19456,t=2,p=1$"),
            "{hash}"
        );
        assert!(verify_now(&password, &hash));
        assert!(!verify_now(&SecretString::from("wrong"), &hash));
    }

    #[test]
    fn a_one_time_password_is_long_readable_and_another_each_time() {
        let (one, two) = (one_time(), one_time());
        assert_eq!(one.expose_secret().len(), 23);
        assert_ne!(one.expose_secret(), two.expose_secret());
        assert!(acceptable(&one, "anna").is_ok());
    }

    #[test]
    fn what_a_guesser_tries_first_is_refused_with_a_reason() {
        for easy in [
            "password1234",
            "qwertyuiop123",
            "aaaaaaaaaaaaaaaa",
            "annaannaanna",
            "openclawpanel",
            "123456789012",
        ] {
            let refused = acceptable(&easy.into(), "anna").unwrap_err();
            assert!(
                matches!(refused, PeopleError::PasswordEasy { .. }),
                "{easy}"
            );
            assert!(refused.to_string().contains("easy to guess"), "{refused}");
        }
        for good in [
            "correct horse battery staple",
            "petra-chooses-her-own",
            "Żółta łódź podwodna",
            "kq7#Vd!pR2mz",
        ] {
            assert!(acceptable(&good.into(), "anna").is_ok(), "{good}");
        }
        let long = "x7".repeat(600);
        let refused = acceptable(&long.into(), "anna").unwrap_err();
        assert!(matches!(refused, PeopleError::PasswordTooLong));
    }

    #[tokio::test]
    async fn a_flood_is_turned_away_instead_of_queueing_without_end() {
        let hasher = Hasher::new(1);
        let places: Vec<Place> = (0..=QUEUE).map(|_| hasher.place().unwrap()).collect();
        assert!(hasher.place().is_err());
        // Who is signed in waits beside it.
        assert!(hasher.inner_place().is_ok());
        drop(places);
        assert!(hasher.place().is_ok());
    }
}
