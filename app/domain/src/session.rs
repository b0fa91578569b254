//! Where a person is signed in.

use core::time::Duration;

use secrecy::SecretString;
use uuid::Uuid;

use crate::person::Person;
use crate::time::Timestamp;

/// How long sessions last.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct SessionLimits {
    /// Without a use for this long a session ends.
    pub idle: Duration,
    /// It ends this long after its sign-in, used or not; [`LONGEST`] at most.
    pub absolute: Duration,
}

/// More than this no session lasts, whatever is configured.
pub const LONGEST: Duration = Duration::from_secs(30 * 86_400);
/// How often a session in use is noted as such, where its limit of idleness allows it.
const TOUCH: Duration = Duration::from_secs(600);

impl Default for SessionLimits {
    fn default() -> Self {
        Self {
            idle: Duration::from_secs(12 * 3_600),
            absolute: Duration::from_secs(7 * 86_400),
        }
    }
}

impl SessionLimits {
    /// How often a session in use is noted as such: not at every page, and well before it would end.
    pub fn touch(&self) -> Duration {
        TOUCH.min(self.idle / 6)
    }
}

/// How long a browser is known again.
pub const KNOWN_FOR: Duration = Duration::from_secs(400 * 86_400);

/// Where somebody signs in from.
#[derive(Clone, Debug)]
pub struct Device {
    /// What the browser keeps to be known again; kept as a hash.
    pub secret: SecretString,
    /// The address, as far as trusted proxies tell.
    pub address: Option<String>,
    /// A short name of the browser.
    pub browser: Option<String>,
}

/// One session of a person, from the sign-in to its end.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PersonSession {
    /// Its id, which is no secret: the cookie holds another one.
    pub id: Uuid,
    /// In which epoch of the person's sessions.
    pub epoch: i64,
    /// How often its cookie was changed while it went on.
    pub turn: i32,
    /// Since when.
    pub begun_at: Timestamp,
    /// Last use, as exactly as [`SessionLimits::touch`] says.
    pub seen_at: Timestamp,
    /// Ended by its owner or by an admin.
    pub ended_at: Option<Timestamp>,
    /// From where it was last used.
    pub address: Option<String>,
    /// With which browser.
    pub browser: Option<String>,
    /// This browser had not signed in for this person before, and they have not said that it was them.
    pub is_new: bool,
}

impl PersonSession {
    /// Whether it goes on.
    pub fn is_open(&self, person: &Person, limits: SessionLimits, now: Timestamp) -> bool {
        self.ended_at.is_none()
            && self.epoch == person.session_epoch
            && now.since(self.begun_at) <= limits.absolute
            && now.since(self.seen_at) <= limits.idle
    }
}
