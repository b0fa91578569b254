//! What became of a WhatsApp account: linked, connected, away, why, and through whom.

use serde::{Deserialize, Serialize};

use crate::disconnect;
use crate::fact::Account;
use crate::gateway::{AccountId, GatewayId};
use crate::operation::OperationId;
use crate::time::Timestamp;

/// How an account stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Standing {
    /// Linked and connected.
    Connected,
    /// Linked, not connected.
    Away,
    /// Without a link that works.
    Unlinked,
    /// The gateway could not be asked.
    Unknown,
}

impl Standing {
    /// All of them.
    pub const ALL: [Self; 4] = [Self::Connected, Self::Away, Self::Unlinked, Self::Unknown];

    /// The word used in tables and JSON.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Connected => "connected",
            Self::Away => "away",
            Self::Unlinked => "unlinked",
            Self::Unknown => "unknown",
        }
    }

    /// Reads [`Standing::as_str`] back.
    pub fn parse(word: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|found| found.as_str() == word)
    }

    /// How an account stands, as the gateway lists it.
    pub fn of(account: &Account) -> Self {
        if account.connected {
            Self::Connected
        } else if account.has_working_link() {
            Self::Away
        } else {
            Self::Unlinked
        }
    }
}

/// A change of an account's standing, stored.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct AccountChange {
    /// Of which gateway.
    pub gateway: GatewayId,
    /// Of which account.
    pub account: AccountId,
    /// When.
    pub at: Timestamp,
    /// How it stands from then on.
    pub to: Standing,
    /// WhatsApp's code, where there was one.
    pub code: Option<u16>,
    /// Why, as a clause; empty when connected.
    pub cause: String,
    /// The operation that caused it, when it was planned.
    pub operation: Option<OperationId>,
    /// A clause for people: `Restart by anna`.
    pub planned_by: Option<String>,
}

impl AccountChange {
    /// Whether the phone took the link away: nobody's doing here, whatever went on at the time.
    pub fn is_the_phones(&self) -> bool {
        by_phone(self.to, self.code)
    }
}

/// See [`AccountChange::is_the_phones`].
pub fn by_phone(to: Standing, code: Option<u16>) -> bool {
    to == Standing::Unlinked && code == Some(401)
}

/// How often an account dropped unplanned, in 30 days and in the 30 before.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Drops {
    /// In the last 30 days.
    pub lately: u32,
    /// In the 30 days before.
    pub before: u32,
}

/// When an account began to stand as it does, as far as the gateway says so and it fits what is known: after `after`
/// and not after `now`.
pub fn since(account: &Account, after: Timestamp, now: Timestamp) -> Option<Timestamp> {
    let told = match Standing::of(account) {
        Standing::Connected => account.connected_at,
        _ => account.last_disconnect.as_ref().and_then(|last| last.at),
    };
    told.filter(|at| *at > after && *at <= now)
}

/// Why an account stands as it does: WhatsApp's code, and a clause. A log-out from before `after` is not why a link went
/// since.
pub fn cause(account: &Account, after: Timestamp) -> (Option<u16>, String) {
    let last = account.last_disconnect.as_ref();
    let unlinked = Standing::of(account) == Standing::Unlinked;
    let last = last.filter(|last| !unlinked || last.at.is_none_or(|at| at > after));
    let code = last.and_then(|last| last.code);
    let clause = match Standing::of(account) {
        Standing::Connected => return (None, String::new()),
        _ if account.breaker_tripped => {
            return (
                None,
                "the gateway's restart-loop breaker keeps it from starting".to_owned(),
            );
        }
        _ if !account.enabled => return (None, "it is switched off in the gateway".to_owned()),
        Standing::Unlinked if last.is_none() => return (None, "it has no link".to_owned()),
        Standing::Away if !account.running => {
            return (None, "the gateway does not run its channel".to_owned());
        }
        _ => match (code, &account.last_error) {
            (Some(code), _) => disconnect::meaning(code).cause.to_owned(),
            (None, Some(error)) => error.clone(),
            (None, None) => "no reason was given".to_owned(),
        },
    };
    (code, clause)
}
