//! Credentials: what somebody has to change now and then, and what is known of when that was done.
//!
//! No value of a credential is ever part of these types; versions are told apart by a [`Fingerprint`].

mod built_in;
pub mod calendar;
mod due;
mod entry;
mod listed;
mod seen;
#[cfg(test)]
mod tests;

use core::fmt;

use serde::{Deserialize, Serialize};

use crate::gateway::GatewayId;
use crate::operation::OperationId;
use crate::person::Actor;
use crate::time::Timestamp;

pub use built_in::BuiltIn;
pub use due::{Due, Stage};
pub use entry::{
    BadField, Credential, LONGEST_INTERVAL, LONGEST_LINE, LONGEST_PROCEDURE, Logging, Reminder,
    Rotation, Snooze, Terms, Typed,
};
pub use listed::{Listed, listed};
pub use seen::{Ends, Seen};

/// What kind of credential it is. All but [`Kind::Other`] are known to the panel by themselves.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Kind {
    /// The gateway's API key, in its `.env`.
    GatewayKey,
    /// The WhatsApp sessions of a gateway: renewed by an event, not by a date.
    WhatsappSession,
    /// The panel's own device identity at the gateway.
    PanelDevice,
    /// The token that writes the repository's secrets.
    GithubToken,
    /// The password of the panel's database.
    DatabasePassword,
    /// The key that opens backups.
    BackupKey,
    /// The TLS certificate of a public URL.
    TlsCertificate,
    /// One that a person added.
    Other,
}

impl Kind {
    /// Every kind, in the order in which they are listed.
    pub const ALL: [Self; 8] = [
        Self::GatewayKey,
        Self::WhatsappSession,
        Self::PanelDevice,
        Self::GithubToken,
        Self::DatabasePassword,
        Self::BackupKey,
        Self::TlsCertificate,
        Self::Other,
    ];

    /// The word that is stored, and used in URLs and metrics.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::GatewayKey => "gateway-key",
            Self::WhatsappSession => "whatsapp-session",
            Self::PanelDevice => "panel-device",
            Self::GithubToken => "github-token",
            Self::DatabasePassword => "database-password",
            Self::BackupKey => "backup-key",
            Self::TlsCertificate => "tls-certificate",
            Self::Other => "other",
        }
    }

    /// The kind of a stored word.
    pub fn parse(word: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|kind| kind.as_str() == word)
    }
}

/// Why a credential is rotated.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Cause {
    /// Its time is over.
    Scheduled,
    /// Somebody who knew it has left.
    PersonLeft,
    /// Somebody may know it who should not.
    Leak,
    /// The one before came back: no reason for a new one.
    PutBack,
}

impl Cause {
    /// Every cause.
    pub const ALL: [Self; 4] = [Self::Scheduled, Self::PersonLeft, Self::Leak, Self::PutBack];
    /// Why somebody wants a new one, in the order in which it is offered.
    pub const OFFERED: [Self; 3] = [Self::Scheduled, Self::PersonLeft, Self::Leak];

    /// The word that is stored and used on the command line.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Scheduled => "scheduled",
            Self::PersonLeft => "person-left",
            Self::Leak => "leak",
            Self::PutBack => "put-back",
        }
    }

    /// The cause of a stored word.
    pub fn parse(word: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|cause| cause.as_str() == word)
    }

    /// The cause of a word, when it is one that is offered.
    pub fn parse_offered(word: &str) -> Option<Self> {
        Self::parse(word).filter(|cause| Self::OFFERED.contains(cause))
    }

    /// The cause in a sentence.
    pub const fn sentence(self) -> &'static str {
        match self {
            Self::Scheduled => "Its time is over.",
            Self::PersonLeft => "Somebody who knew it has left.",
            Self::Leak => "Somebody may know it who should not.",
            Self::PutBack => "The one before came back.",
        }
    }
}

/// Tells versions of a credential apart without saying anything about its value: the first 12 hexadecimal digits of a
/// hash (HMAC-SHA-256) under a key that only this panel has; of a public key, of its plain SHA-256.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Fingerprint(String);

/// Digits of a fingerprint: enough to tell versions apart, too few to be taken for a key.
const DIGITS: usize = 12;

impl Fingerprint {
    /// Of a whole hash.
    pub fn of_hash(hash: &[u8; 32]) -> Self {
        let digits = hash[..DIGITS / 2]
            .iter()
            .flat_map(|byte| [byte >> 4, byte & 0xf])
            .filter_map(|digit| char::from_digit(digit.into(), 16))
            .collect();
        Self(digits)
    }

    /// Its digits.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl TryFrom<String> for Fingerprint {
    type Error = NotAFingerprint;

    fn try_from(text: String) -> Result<Self, NotAFingerprint> {
        let fits = text.len() == DIGITS && text.bytes().all(|byte| byte.is_ascii_hexdigit());
        if fits {
            Ok(Self(text))
        } else {
            Err(NotAFingerprint)
        }
    }
}

impl From<Fingerprint> for String {
    fn from(fingerprint: Fingerprint) -> Self {
        fingerprint.0
    }
}

impl fmt::Display for Fingerprint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// A text that is no fingerprint.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("a fingerprint has {DIGITS} hexadecimal digits")]
pub struct NotAFingerprint;

/// A rotation that has happened.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NewRotation {
    /// What was rotated.
    pub kind: Kind,
    /// Of which gateway; `None` for what belongs to no gateway.
    pub gateway: Option<GatewayId>,
    /// When.
    pub at: Timestamp,
    /// Who asked for it.
    pub by: Actor,
    /// Why.
    pub cause: Cause,
    /// The operation that did it; `None` when it was done elsewhere and noted here.
    pub operation: Option<OperationId>,
    /// The new version's, when the panel knows the value.
    pub fingerprint: Option<Fingerprint>,
    /// The rotation whose old version came back: it counts no more.
    pub puts_back: Option<OperationId>,
}

#[cfg(test)]
mod word_tests {
    use super::*;

    #[test]
    fn words_are_read_back() {
        for kind in Kind::ALL {
            assert_eq!(Kind::parse(kind.as_str()), Some(kind));
        }
        for cause in Cause::ALL {
            assert_eq!(Cause::parse(cause.as_str()), Some(cause));
        }
        assert_eq!(Kind::parse("gateway_key"), None);
    }

    #[test]
    fn a_fingerprint_is_too_short_to_be_taken_for_a_key() {
        let fingerprint = Fingerprint::of_hash(&[0xab; 32]);
        assert_eq!(fingerprint.as_str(), "abababababab");
        assert_eq!(
            Fingerprint::try_from("abababababab".to_owned()),
            Ok(fingerprint)
        );
        assert!(Fingerprint::try_from("xbababababab".to_owned()).is_err());
        assert!(Fingerprint::try_from("ab".to_owned()).is_err());
    }
}
