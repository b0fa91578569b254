//! A command that waits for a second person: two pairs of eyes before what cannot be taken back.

use std::time::Duration;

use serde::{Deserialize, Serialize};
use uuid::Uuid;

use crate::operation::{Command, OperationId};
use crate::person::Actor;
use crate::time::Timestamp;

/// So long a second person can agree.
pub const OPEN_FOR: Duration = Duration::from_secs(24 * 3600);

/// See the module.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Proposal {
    /// Its id.
    pub id: Uuid,
    /// What is to be done.
    pub command: Command,
    /// Why, in the asker's own words.
    pub reason: Option<String>,
    /// Who asked, as they were then.
    pub asked_by: Actor,
    /// When.
    pub asked_at: Timestamp,
    /// What became of it; `None` while it waits.
    pub decided: Option<Decided>,
    /// The operation that it led to.
    pub operation: Option<OperationId>,
}

/// What became of a proposal.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Decided {
    /// What.
    pub decision: Decision,
    /// By whom.
    pub by: Actor,
    /// When.
    pub at: Timestamp,
    /// In their own words.
    pub note: Option<String>,
}

/// What can become of a proposal.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Decision {
    /// A second person agreed.
    Approved,
    /// A second person did not.
    Declined,
    /// Whoever asked took it back.
    Withdrawn,
}

impl Decision {
    /// All of them.
    pub const ALL: [Self; 3] = [Self::Approved, Self::Declined, Self::Withdrawn];

    /// The stored word.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Approved => "approved",
            Self::Declined => "declined",
            Self::Withdrawn => "withdrawn",
        }
    }

    /// The decision of a stored word.
    pub fn parse(word: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|one| one.as_str() == word)
    }
}

/// How a proposal stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Standing {
    /// It waits for a second person.
    Open,
    /// Nobody answered in time.
    Expired,
    /// A second person agreed, and it is not begun yet.
    Ready,
    /// It led to an operation.
    Begun,
    /// It was declined or withdrawn.
    Closed,
}

impl Proposal {
    /// Until when a second person can agree.
    pub fn open_until(&self) -> Timestamp {
        self.asked_at.plus(OPEN_FOR)
    }

    /// How it stands.
    pub fn standing(&self, now: Timestamp) -> Standing {
        let over = self.open_until() <= now;
        match &self.decided {
            _ if self.operation.is_some() => Standing::Begun,
            None if over => Standing::Expired,
            None => Standing::Open,
            Some(decided) if decided.decision != Decision::Approved => Standing::Closed,
            Some(_) if over => Standing::Expired,
            Some(_) => Standing::Ready,
        }
    }

    /// Whether somebody may decide this: only a second person agrees or declines, only the first takes it back.
    ///
    /// # Errors
    /// Why not, for the person.
    pub fn may_decide(&self, who: &Actor, decision: Decision) -> Result<(), &'static str> {
        let own = who.key() == self.asked_by.key();
        match decision {
            Decision::Withdrawn if !own => Err("Only whoever asked can take it back."),
            Decision::Approved | Decision::Declined if own => {
                Err("You asked for it yourself: a second person has to look at it.")
            }
            _ => Ok(()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::credential::Cause;
    use crate::person::Role;

    fn person(number: u128) -> Actor {
        Actor::Person {
            id: Uuid::from_u128(number),
            name: format!("person-{number}"),
            role: Role::Admin,
            address: None,
            browser: None,
            session: None,
            token: None,
        }
    }

    fn proposal() -> Proposal {
        Proposal {
            id: Uuid::nil(),
            command: Command::RotateKey {
                gateway: "openclaw".parse().unwrap(),
                cause: Cause::Scheduled,
                skip_secret: false,
                puts_back: None,
            },
            reason: None,
            asked_by: person(1),
            asked_at: Timestamp::from_millis(0),
            decided: None,
            operation: None,
        }
    }

    #[test]
    fn only_a_second_person_agrees_and_only_the_first_takes_it_back() {
        let proposal = proposal();
        // The same person from another place, with another role, is the same person.
        let again = Actor::Person {
            id: Uuid::from_u128(1),
            name: "renamed".to_owned(),
            role: Role::Operator,
            address: Some("192.0.2.7".to_owned()),
            browser: Some("Firefox".to_owned()),
            session: None,
            token: None,
        };
        for own in [person(1), again] {
            assert!(proposal.may_decide(&own, Decision::Approved).is_err());
            assert!(proposal.may_decide(&own, Decision::Declined).is_err());
            assert!(proposal.may_decide(&own, Decision::Withdrawn).is_ok());
        }
        assert!(proposal.may_decide(&person(2), Decision::Approved).is_ok());
        assert!(
            proposal
                .may_decide(&person(2), Decision::Withdrawn)
                .is_err()
        );
    }

    #[test]
    fn what_nobody_answered_in_time_is_over_and_so_is_what_nobody_began() {
        let mut proposal = proposal();
        let end = proposal.open_until();
        let before = end.minus(Duration::from_millis(1));
        assert_eq!(proposal.standing(before), Standing::Open);
        assert_eq!(proposal.standing(end), Standing::Expired);
        for (decision, standing) in [
            (Decision::Approved, Standing::Ready),
            (Decision::Declined, Standing::Closed),
            (Decision::Withdrawn, Standing::Closed),
        ] {
            proposal.decided = Some(Decided {
                decision,
                by: person(2),
                at: before,
                note: None,
            });
            assert_eq!(proposal.standing(before), standing);
        }
        proposal.decided = Some(Decided {
            decision: Decision::Approved,
            by: person(2),
            at: before,
            note: None,
        });
        assert_eq!(proposal.standing(end), Standing::Expired);
        proposal.operation = Some(OperationId(Uuid::nil()));
        assert_eq!(proposal.standing(end), Standing::Begun);
    }
}
