//! People, their roles, and who acts.

use serde::{Deserialize, Serialize};
use uuid::Uuid;

use crate::second_factor::SecondFactor;
use crate::time::Timestamp;

/// What a person may do, see [`crate::can`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Role {
    /// Everything, people included.
    Admin,
    /// Every operation on a gateway.
    Operator,
    /// Reads everything, audit included; changes nothing.
    Manager,
    /// Sees state and logs; no phone numbers, no audit.
    Viewer,
}

impl Role {
    /// All roles, strongest first.
    pub const ALL: [Self; 4] = [Self::Admin, Self::Operator, Self::Manager, Self::Viewer];

    /// The word used in code, tables, forms and JSON.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Admin => "admin",
            Self::Operator => "operator",
            Self::Manager => "manager",
            Self::Viewer => "viewer",
        }
    }

    /// Reads [`Role::as_str`] back.
    pub fn parse(word: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|role| role.as_str() == word)
    }
}

/// A person who may sign in.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Person {
    /// Id, never reused.
    pub id: Uuid,
    /// Sign-in name, lower case.
    pub name: String,
    /// Role.
    pub role: Role,
    /// Kept out since; `None` while allowed in.
    pub disabled_at: Option<Timestamp>,
    /// The password is the one that was printed once at set-up or by an admin.
    pub password_is_one_time: bool,
    /// They have no password yet; the link by which they choose one opens, or opened, until then.
    #[serde(default)]
    pub invited_until: Option<Timestamp>,
    /// Last request seen, to the minute.
    pub last_seen_at: Option<Timestamp>,
    /// When the person was added.
    pub created_at: Timestamp,
    /// Sessions carry the epoch they were made in; a higher one here ends them.
    pub session_epoch: i64,
    /// What they prove besides the password; `None` when the password is all.
    #[serde(default)]
    pub second_factor: Option<SecondFactor>,
}

/// Who acts: stored with operations and audit events as it was at that moment.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub enum Actor {
    /// A signed-in person.
    Person {
        /// Their id.
        id: Uuid,
        /// Their name then.
        name: String,
        /// Their role then.
        role: Role,
        /// Address they came from, as far as trusted proxies tell.
        address: Option<String>,
        /// A short name of the browser.
        browser: Option<String>,
        /// Which of their sessions: its row's id, which opens nothing.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        session: Option<Uuid>,
        /// By which of their tokens a program acted for them.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        token: Option<String>,
    },
    /// Somebody with a shell on the host, through `panel …`.
    CommandLine {
        /// Their Unix user name.
        user: String,
    },
    /// The panel itself.
    Panel,
    /// Somebody not signed in (failed sign-ins).
    Nobody {
        /// Address they came from.
        address: Option<String>,
    },
}

impl Actor {
    /// The name shown to people.
    pub fn name(&self) -> &str {
        match self {
            Self::Person { name, .. } => name,
            Self::CommandLine { user } => user,
            Self::Panel => "the panel",
            Self::Nobody { .. } => "somebody not signed in",
        }
    }

    /// From where they came, as far as that is known.
    pub fn address(&self) -> Option<&str> {
        match self {
            Self::Person { address, .. } | Self::Nobody { address } => address.as_deref(),
            Self::CommandLine { .. } | Self::Panel => None,
        }
    }

    /// The role that decides what this actor may do; the host's shell counts as admin.
    pub const fn role(&self) -> Option<Role> {
        match self {
            Self::Person { role, .. } => Some(*role),
            Self::CommandLine { .. } | Self::Panel => Some(Role::Admin),
            Self::Nobody { .. } => None,
        }
    }

    /// A stable key that tells actors apart (idempotency keys are per actor).
    pub fn key(&self) -> String {
        match self {
            Self::Person { id, .. } => format!("person:{id}"),
            Self::CommandLine { user } => format!("cli:{user}"),
            Self::Panel => "panel".to_owned(),
            Self::Nobody { .. } => "nobody".to_owned(),
        }
    }
}
