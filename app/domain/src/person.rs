//! People, their roles, and who acts.

use std::collections::BTreeMap;
use std::fmt;

use serde::{Deserialize, Serialize};
use uuid::Uuid;

use crate::gateway::GatewayId;
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
    /// Nothing: for gateways that somebody has nothing to do with.
    #[serde(rename = "none")]
    Nothing,
}

impl Role {
    /// All roles, strongest first.
    pub const ALL: [Self; 5] = [
        Self::Admin,
        Self::Operator,
        Self::Manager,
        Self::Viewer,
        Self::Nothing,
    ];

    /// The word used in code, tables, forms and JSON.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Admin => "admin",
            Self::Operator => "operator",
            Self::Manager => "manager",
            Self::Viewer => "viewer",
            Self::Nothing => "none",
        }
    }

    /// Reads [`Role::as_str`] back.
    pub fn parse(word: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|role| role.as_str() == word)
    }
}

/// What a person may do on every gateway, and where they may do something else.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct Roles {
    /// On all gateways, those to come included, and in what belongs to none: people, credentials, the audit trail.
    #[serde(rename = "role")]
    pub everywhere: Role,
    /// On these gateways instead, be it more or less.
    #[serde(rename = "role_on", default)]
    pub on: BTreeMap<GatewayId, Role>,
}

impl Roles {
    /// The role that decides: on a gateway, or in what belongs to none.
    pub fn on(&self, gateway: Option<&GatewayId>) -> Role {
        let there = gateway.and_then(|gateway| self.on.get(gateway));
        there.copied().unwrap_or(self.everywhere)
    }

    /// Every role they have anywhere.
    pub fn all(&self) -> impl Iterator<Item = Role> {
        core::iter::once(self.everywhere).chain(self.on.values().copied())
    }

    /// Without the exceptions that are none.
    #[must_use]
    pub fn tidy(mut self) -> Self {
        self.on.retain(|_, role| *role != self.everywhere);
        self
    }
}

impl From<Role> for Roles {
    fn from(everywhere: Role) -> Self {
        Self {
            everywhere,
            on: BTreeMap::new(),
        }
    }
}

/// `viewer (operator on g1, none on g2)`.
impl fmt::Display for Roles {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str(self.everywhere.as_str())?;
        let on: Vec<String> = (self.on.iter())
            .map(|(gateway, role)| format!("{} on {gateway}", role.as_str()))
            .collect();
        if on.is_empty() {
            return Ok(());
        }
        write!(out, " ({})", on.join(", "))
    }
}

/// A person who may sign in.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Person {
    /// Id, never reused.
    pub id: Uuid,
    /// Sign-in name, lower case.
    pub name: String,
    /// What they may do.
    #[serde(flatten)]
    pub roles: Roles,
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
        /// Their role then: on the gateway that it was about, if it was about one.
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
    /// The same with the role that decides about a gateway, or about what belongs to none.
    #[must_use]
    pub fn with(mut self, acting: Role) -> Self {
        if let Self::Person { role, .. } = &mut self {
            *role = acting;
        }
        self
    }

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

#[cfg(test)]
mod tests {
    use super::*;

    fn gateway(id: &str) -> GatewayId {
        id.parse().unwrap()
    }

    #[test]
    fn what_is_said_of_a_gateway_counts_there_be_it_more_or_less() {
        let mut roles = Roles::from(Role::Viewer);
        roles.on.insert(gateway("g1"), Role::Operator);
        roles.on.insert(gateway("g2"), Role::Nothing);
        assert_eq!(roles.on(None), Role::Viewer);
        assert_eq!(roles.on(Some(&gateway("g1"))), Role::Operator);
        assert_eq!(roles.on(Some(&gateway("g2"))), Role::Nothing);
        assert_eq!(roles.on(Some(&gateway("g3"))), Role::Viewer);
        assert_eq!(roles.to_string(), "viewer (operator on g1, none on g2)");
    }

    #[test]
    fn an_exception_that_is_none_is_not_kept() {
        let mut roles = Roles::from(Role::Viewer);
        roles.on.insert(gateway("g1"), Role::Viewer);
        roles.on.insert(gateway("g2"), Role::Nothing);
        assert_eq!(roles.tidy().to_string(), "viewer (none on g2)");
    }

    #[test]
    fn the_words_of_roles_are_read_back() {
        for role in Role::ALL {
            assert_eq!(Role::parse(role.as_str()), Some(role));
            let json = serde_json::to_string(&role).unwrap();
            assert_eq!(json, format!("\"{}\"", role.as_str()));
        }
    }
}
