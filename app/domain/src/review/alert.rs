//! What managers are told of at once, by mail: a small list of rules, each of which a configuration may leave out.

use core::net::IpAddr;
use std::collections::BTreeSet;

use crate::audit::{AuditEvent, AuditOutcome, act};
use crate::person::Actor;

/// What marks an event.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Rule {
    /// Somebody had the state of a gateway emptied, or wanted to.
    Wipe,
    /// A key was changed because it may have leaked.
    Leak,
    /// A role was changed.
    RoleChange,
    /// A check found that the audit trail was changed.
    BrokenChain,
    /// Somebody removed the second factor of somebody else.
    SecondFactor,
    /// Somebody signed in outside of the hours of work.
    AfterHours,
    /// Somebody signed in from a network that they had not used before.
    NewNetwork,
}

impl Rule {
    /// All of them.
    pub const ALL: [Self; 7] = [
        Self::Wipe,
        Self::Leak,
        Self::RoleChange,
        Self::BrokenChain,
        Self::SecondFactor,
        Self::AfterHours,
        Self::NewNetwork,
    ];

    /// The word in the configuration.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Wipe => "wipe",
            Self::Leak => "leak",
            Self::RoleChange => "role-change",
            Self::BrokenChain => "broken-chain",
            Self::SecondFactor => "second-factor-removed",
            Self::AfterHours => "after-hours",
            Self::NewNetwork => "new-network",
        }
    }

    /// Reads [`Rule::as_str`] back.
    pub fn parse(word: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|rule| rule.as_str() == word)
    }

    /// The words for people, as a clause.
    pub const fn title(self) -> &'static str {
        match self {
            Self::Wipe => "the state of a gateway is emptied",
            Self::Leak => "a key may have leaked",
            Self::RoleChange => "a role was changed",
            Self::BrokenChain => "the audit trail does not fit its chain",
            Self::SecondFactor => "somebody else removed a second factor",
            Self::AfterHours => "a sign-in outside of the hours of work",
            Self::NewNetwork => "a sign-in from a network that is new for this person",
        }
    }

    /// The acts among whose events it looks.
    pub const fn acts(self) -> &'static [&'static str] {
        match self {
            Self::Wipe => &["wipe"],
            Self::Leak => &["rotate-key", act::NOTE_ROTATION],
            Self::RoleChange => &[act::CHANGE_ROLE],
            Self::BrokenChain => &[act::VERIFY_AUDIT],
            Self::SecondFactor => &[act::REMOVE_SECOND_FACTOR],
            Self::AfterHours | Self::NewNetwork => &[act::SIGN_IN],
        }
    }
}

/// What has to be known of an event besides itself.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Known {
    /// A key was changed because it may have leaked.
    pub leak: bool,
    /// It was outside of the hours of work.
    pub after_hours: bool,
    /// The person signed in before, and never from this network.
    pub new_network: bool,
}

/// The rules that mark an event, of those that are in use; none for most.
pub fn marks(event: &AuditEvent, known: Known, used: &BTreeSet<Rule>) -> Vec<Rule> {
    let what = &event.event;
    let is_person = matches!(what.actor, Actor::Person { .. });
    let holds = |rule: &Rule| match rule {
        // When it is asked for: what comes of it may take hours, or a panel that runs.
        Rule::Wipe => matches!(what.outcome, AuditOutcome::Requested | AuditOutcome::Denied),
        Rule::Leak => {
            known.leak
                && match what.action.as_str() {
                    act::NOTE_ROTATION => what.operation.is_none(),
                    _ => what.outcome == AuditOutcome::Requested,
                }
        }
        Rule::RoleChange => what.outcome == AuditOutcome::Succeeded,
        Rule::BrokenChain => what.outcome == AuditOutcome::Failed,
        Rule::SecondFactor => {
            what.outcome == AuditOutcome::Succeeded
                && !(is_person && what.target.as_deref() == Some(what.actor.name()))
        }
        Rule::AfterHours => {
            known.after_hours && is_person && what.outcome == AuditOutcome::Succeeded
        }
        Rule::NewNetwork => {
            known.new_network && is_person && what.outcome == AuditOutcome::Succeeded
        }
    };
    let rules = used.iter().copied();
    rules
        .filter(|rule| rule.acts().contains(&what.action.as_str()))
        .filter(holds)
        .collect()
}

/// The network of an address, as far as it tells places apart: the first 16 bits of IPv4, the first 32 of IPv6. `None`
/// for what is no address.
pub fn network(address: &str) -> Option<Vec<u8>> {
    let address: IpAddr = address.trim().parse().ok()?;
    Some(match address.to_canonical() {
        IpAddr::V4(four) => four.octets()[..2].to_vec(),
        IpAddr::V6(six) => six.octets()[..4].to_vec(),
    })
}

/// Whether an address is of a network that is none of those. The first one of all is not new: there is nothing to hold
/// it against.
pub fn is_new_network<'a>(address: &str, before: impl IntoIterator<Item = &'a str>) -> bool {
    let Some(network_now) = network(address) else {
        return false;
    };
    let mut before = before.into_iter().filter_map(network).peekable();
    before.peek().is_some() && before.all(|known| known != network_now)
}

#[cfg(test)]
mod tests {
    use uuid::Uuid;

    use super::*;
    use crate::audit::NewAuditEvent;
    use crate::operation::OperationId;
    use crate::person::Role;
    use crate::time::Timestamp;
    use AuditOutcome::{Denied, Failed, Requested, Succeeded};

    fn anna() -> Actor {
        Actor::Person {
            id: Uuid::nil(),
            name: "anna".to_owned(),
            role: Role::Admin,
            address: None,
            browser: None,
            session: None,
            token: None,
        }
    }

    fn event(actor: Actor, action: &str, outcome: AuditOutcome, target: &str) -> AuditEvent {
        AuditEvent {
            sequence: 1,
            id: Uuid::nil(),
            at: Timestamp::default(),
            event: NewAuditEvent {
                target: Some(target.to_owned()),
                ..NewAuditEvent::new(actor, action, outcome)
            },
        }
    }

    #[test]
    fn what_is_marked_is_marked_once_and_what_is_not_is_not() {
        let none = Known::default();
        let all = Known {
            leak: true,
            after_hours: true,
            new_network: true,
        };
        let used: BTreeSet<Rule> = Rule::ALL.into();
        let cli = || Actor::CommandLine {
            user: "root".to_owned(),
        };
        for (event, known, wanted) in [
            (
                event(anna(), "wipe", Requested, "a"),
                none,
                vec![Rule::Wipe],
            ),
            (event(anna(), "wipe", Succeeded, "a"), all, vec![]),
            (event(anna(), "wipe", Denied, "a"), none, vec![Rule::Wipe]),
            (event(anna(), "rotate-key", Requested, "a"), none, vec![]),
            (
                event(anna(), "rotate-key", Requested, "a"),
                all,
                vec![Rule::Leak],
            ),
            (event(anna(), "rotate-key", Succeeded, "a"), all, vec![]),
            (
                event(anna(), act::CHANGE_ROLE, Succeeded, "ben"),
                none,
                vec![Rule::RoleChange],
            ),
            (
                event(Actor::Panel, act::VERIFY_AUDIT, Failed, ""),
                none,
                vec![Rule::BrokenChain],
            ),
            (event(anna(), act::VERIFY_AUDIT, Succeeded, ""), all, vec![]),
            (
                event(anna(), act::REMOVE_SECOND_FACTOR, Succeeded, "anna"),
                all,
                vec![],
            ),
            (
                event(anna(), act::REMOVE_SECOND_FACTOR, Succeeded, "ben"),
                none,
                vec![Rule::SecondFactor],
            ),
            (
                event(cli(), act::REMOVE_SECOND_FACTOR, Succeeded, "root"),
                none,
                vec![Rule::SecondFactor],
            ),
            (event(anna(), act::SIGN_IN, Succeeded, "anna"), none, vec![]),
            (
                event(anna(), act::SIGN_IN, Succeeded, "anna"),
                all,
                vec![Rule::AfterHours, Rule::NewNetwork],
            ),
            (event(anna(), act::SIGN_IN, Denied, "anna"), all, vec![]),
            (event(anna(), "restart", Succeeded, ""), all, vec![]),
        ] {
            assert_eq!(marks(&event, known, &used), wanted, "{event:?}");
            assert_eq!(marks(&event, known, &BTreeSet::new()), []);
        }
        // What an operation did was told when it was asked for.
        let mut noted = event(Actor::Panel, act::NOTE_ROTATION, Succeeded, "key");
        assert_eq!(marks(&noted, all, &used), [Rule::Leak]);
        noted.event.operation = Some(OperationId(Uuid::nil()));
        assert_eq!(marks(&noted, all, &used), []);
    }

    #[test]
    fn networks_are_told_apart_as_wide_as_a_provider_has_them() {
        let before = ["94.31.7.12", "2001:db8:1::7"];
        for (address, new) in [
            ("94.31.200.1", false),
            ("::ffff:94.31.1.1", false),
            ("2001:db8:ffff::1", false),
            ("94.32.7.12", true),
            ("2001:db9::1", true),
            ("somewhere", false),
        ] {
            assert_eq!(is_new_network(address, before), new, "{address}");
        }
        assert!(!is_new_network("94.31.7.12", []));
        assert!(!is_new_network("94.31.7.12", ["somewhere"]));
    }

    #[test]
    fn every_rule_reads_back() {
        for rule in Rule::ALL {
            assert_eq!(Rule::parse(rule.as_str()), Some(rule));
            assert!(!rule.acts().is_empty());
        }
        assert_eq!(Rule::parse("everything"), None);
    }
}
