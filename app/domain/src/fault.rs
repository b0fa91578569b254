//! What went wrong, as data that a person can read: stored in the journal, shown on pages.

use core::fmt;

use serde::{Deserialize, Serialize};

/// Where a fault was met.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Boundary {
    /// The Docker Engine.
    Docker,
    /// The gateway (HTTP or socket).
    Gateway,
    /// The compose folder (files).
    Compose,
    /// The panel's database.
    Database,
    /// The panel itself.
    Panel,
    /// GitHub's API.
    #[serde(rename = "github")]
    GitHub,
    /// The infrastructure's repository (git, files).
    Repository,
}

/// What kind of fault it is; decides what the page offers.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum FaultKind {
    /// The other side could not be reached.
    Unreachable,
    /// It did not finish within its limit.
    TimedOut,
    /// The thing is not there (container, image, account).
    NotFound,
    /// It was refused: no permission, wrong key, conflicting name.
    Refused,
    /// What was asked for cannot be done as it stands (bad compose file, changed since planned).
    Invalid,
    /// This gateway's version does not offer it.
    NotOffered,
    /// Something nobody foresaw.
    Unexpected,
}

/// Whether trying the same again soon may help.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Retry {
    /// It may.
    Yes,
    /// It will not.
    No,
}

/// A fault: kind, place and one sentence. Never holds a secret: adapters scrub before they build one.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Fault {
    /// What kind.
    pub kind: FaultKind,
    /// Where.
    pub at: Boundary,
    /// One sentence for a person; says what to do where that is known.
    pub message: String,
    /// Whether the same may work later.
    pub retry: Retry,
}

impl Fault {
    /// A fault of `kind` met at `at`; transport faults may be retried, the others not.
    pub fn new(kind: FaultKind, at: Boundary, message: impl Into<String>) -> Self {
        let retry = match kind {
            FaultKind::Unreachable | FaultKind::TimedOut => Retry::Yes,
            _ => Retry::No,
        };
        Self {
            kind,
            at,
            message: message.into(),
            retry,
        }
    }

    /// The same fault, marked as worth another try.
    #[must_use]
    pub fn retryable(mut self) -> Self {
        self.retry = Retry::Yes;
        self
    }
}

impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.message)
    }
}

impl core::error::Error for Fault {}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_words_that_are_stored_stay_what_they_are() {
        for (boundary, word) in [
            (Boundary::Docker, "docker"),
            (Boundary::Gateway, "gateway"),
            (Boundary::Compose, "compose"),
            (Boundary::Database, "database"),
            (Boundary::Panel, "panel"),
            (Boundary::GitHub, "github"),
            (Boundary::Repository, "repository"),
        ] {
            assert_eq!(serde_json::to_value(boundary).unwrap(), word);
        }
    }
}
