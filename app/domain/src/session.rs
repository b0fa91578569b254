//! Where a person is signed in.

use core::time::Duration;

use secrecy::SecretString;
use uuid::Uuid;

use crate::person::Person;
use crate::time::Timestamp;

/// A session ends this long after its sign-in, used or not.
pub const ABSOLUTE: Duration = Duration::from_secs(7 * 86_400);
/// Without a use for this long it ends.
pub const IDLE: Duration = Duration::from_secs(12 * 3_600);
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
    /// Since when.
    pub begun_at: Timestamp,
    /// Last use, to ten minutes.
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
    pub fn is_open(&self, person: &Person, now: Timestamp) -> bool {
        self.ended_at.is_none()
            && self.epoch == person.session_epoch
            && now.since(self.begun_at) <= ABSOLUTE
            && now.since(self.seen_at) <= IDLE
    }
}
