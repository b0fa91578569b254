//! Tokens by which programs act for a person.

use core::time::Duration;

use uuid::Uuid;

use crate::gateway::GatewayId;
use crate::person::{Person, Role, Roles};
use crate::time::Timestamp;

/// What a token begins with, so that whoever finds one knows what it is.
pub const PREFIX: &str = "ocp_";
/// The longest that one may last.
pub const LONGEST: Duration = Duration::from_secs(366 * 86_400);
/// The most letters of its name.
pub const NAME: usize = 60;

/// A token as it is to be made.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NewToken {
    /// What it is for.
    pub name: String,
    /// The most that it may do.
    pub role: Role,
    /// On which gateway alone; `None` for all.
    pub gateway: Option<GatewayId>,
    /// For how long.
    pub lasts: Duration,
}

/// A token as it is kept: everything but itself.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ApiToken {
    /// Its id.
    pub id: Uuid,
    /// For whom it acts.
    pub person: Uuid,
    /// What it is for.
    pub name: String,
    /// The most that it may do.
    pub role: Role,
    /// On which gateway alone; `None` for all.
    pub gateway: Option<GatewayId>,
    /// Since when.
    pub made_at: Timestamp,
    /// Until when.
    pub expires_at: Timestamp,
    /// Last use, to the minute.
    pub last_used_at: Option<Timestamp>,
    /// Taken back since.
    pub revoked_at: Option<Timestamp>,
}

impl ApiToken {
    /// As what it acts now: as what it was made for, wherever its person may do all of that. `None` when it opens nothing.
    pub fn roles_of(&self, person: &Person, now: Timestamp) -> Option<Roles> {
        let opens = self.revoked_at.is_none()
            && self.expires_at > now
            && self.person == person.id
            && person.disabled_at.is_none();
        let given = |own: Role| {
            if may_give(own, self.role) {
                self.role
            } else {
                Role::Nothing
            }
        };
        let roles = match &self.gateway {
            Some(only) => Roles {
                everywhere: Role::Nothing,
                on: [(only.clone(), given(person.roles.on(Some(only))))].into(),
            },
            None => Roles {
                everywhere: given(person.roles.everywhere),
                on: (person.roles.on.iter())
                    .map(|(gateway, own)| (gateway.clone(), given(*own)))
                    .collect(),
            },
        };
        let anything = roles.all().any(|role| role != Role::Nothing);
        (opens && anything).then(|| roles.tidy())
    }

    /// Whether it may be used on a gateway at all.
    pub fn reaches(&self, gateway: &GatewayId) -> bool {
        self.gateway.as_ref().is_none_or(|only| only == gateway)
    }
}

/// Whether somebody of a role may make a token of another: an admin any, everybody one of their own role or one that only
/// looks.
pub fn may_give(own: Role, given: Role) -> bool {
    let less = own == Role::Admin || own == given || given == Role::Viewer;
    less && own != Role::Nothing && given != Role::Nothing
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(seconds: i64) -> Timestamp {
        Timestamp::from_millis(1_795_000_000_000 + seconds * 1_000)
    }

    fn gateway(id: &str) -> GatewayId {
        id.parse().unwrap()
    }

    fn anna(role: Role) -> Person {
        Person {
            id: Uuid::from_u128(1),
            name: "anna".to_owned(),
            roles: role.into(),
            disabled_at: None,
            password_is_one_time: false,
            invited_until: None,
            last_seen_at: None,
            created_at: at(0),
            session_epoch: 1,
            second_factor: None,
        }
    }

    fn token(role: Role) -> ApiToken {
        ApiToken {
            id: Uuid::from_u128(9),
            person: Uuid::from_u128(1),
            name: "deploys".to_owned(),
            role,
            gateway: "g1".parse().ok(),
            made_at: at(0),
            expires_at: at(100),
            last_used_at: None,
            revoked_at: None,
        }
    }

    #[test]
    fn a_token_never_does_more_than_its_person_and_never_more_than_it_was_made_for() {
        for (token_role, person_role, acts_as) in [
            (Role::Admin, Role::Admin, Some(Role::Admin)),
            (Role::Admin, Role::Viewer, None),
            (Role::Viewer, Role::Admin, Some(Role::Viewer)),
            (Role::Viewer, Role::Operator, Some(Role::Viewer)),
            // A manager may not operate, and an operator may not read the audit trail.
            (Role::Operator, Role::Manager, None),
            (Role::Manager, Role::Operator, None),
        ] {
            let roles = token(token_role).roles_of(&anna(person_role), at(1));
            let role = roles.map(|roles| roles.on(Some(&gateway("g1"))));
            assert_eq!(role, acts_as, "{token_role:?} of {person_role:?}");
        }
    }

    #[test]
    fn it_acts_where_its_person_may_do_as_much_and_nowhere_else() {
        let mut anna = anna(Role::Viewer);
        anna.roles.on.insert(gateway("g1"), Role::Operator);
        anna.roles.on.insert(gateway("g2"), Role::Nothing);
        let acts = |token: ApiToken| token.roles_of(&anna, at(1)).map(|roles| roles.to_string());
        let everywhere = |role| ApiToken {
            gateway: None,
            ..token(role)
        };
        assert_eq!(
            acts(token(Role::Operator)).unwrap(),
            "none (operator on g1)"
        );
        assert_eq!(
            acts(everywhere(Role::Operator)).unwrap(),
            "none (operator on g1)"
        );
        assert_eq!(
            acts(everywhere(Role::Viewer)).unwrap(),
            "viewer (none on g2)"
        );
        assert_eq!(acts(everywhere(Role::Admin)), None);
    }

    #[test]
    fn it_opens_nothing_when_it_is_over_or_its_person_is_kept_out() {
        let anna = anna(Role::Admin);
        let token = token(Role::Admin);
        assert_eq!(token.roles_of(&anna, at(100)), None);
        let revoked = ApiToken {
            revoked_at: Some(at(1)),
            ..token.clone()
        };
        assert_eq!(revoked.roles_of(&anna, at(2)), None);
        let mut out = anna.clone();
        out.disabled_at = Some(at(1));
        assert_eq!(token.roles_of(&out, at(2)), None);
        let mut ben = anna;
        ben.id = Uuid::from_u128(2);
        assert_eq!(token.roles_of(&ben, at(2)), None);
    }

    #[test]
    fn it_reaches_its_gateway_only() {
        let token = token(Role::Admin);
        assert!(token.reaches(&"g1".parse().unwrap()));
        assert!(!token.reaches(&"g2".parse().unwrap()));
    }
}
