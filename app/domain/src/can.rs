//! Who may do what: one table, used by the server to refuse and by pages to disable with a reason.

use crate::action::Action;
use crate::gateway::GatewayId;
use crate::person::{Actor, Role};

/// Why something may not be done; a sentence for the person.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Denied {
    /// What was asked for.
    pub action: Action,
    /// Why not.
    pub why: &'static str,
}

/// Proof that an actor may do an action on a gateway. Only [`permit`] makes one, so a function that
/// takes it cannot be reached without the check.
#[derive(Clone, Debug)]
pub struct Permit {
    actor: Actor,
    action: Action,
    gateway: Option<GatewayId>,
    second: Option<Actor>,
}

impl Permit {
    /// Who was permitted.
    pub fn actor(&self) -> &Actor {
        &self.actor
    }

    /// What was permitted.
    pub fn action(&self) -> Action {
        self.action
    }

    /// On which gateway; `None` for what belongs to no gateway.
    pub fn gateway(&self) -> Option<&GatewayId> {
        self.gateway.as_ref()
    }

    /// The second person who agreed.
    pub fn second(&self) -> Option<&Actor> {
        self.second.as_ref()
    }

    /// With the agreement of a second person, who may do the same.
    ///
    /// # Errors
    /// [`Denied`] when it is the same person, or their permit is for something else.
    pub fn agreed_by(self, second: &Self) -> Result<Self, Denied> {
        let denied = |why| {
            Err(Denied {
                action: self.action,
                why,
            })
        };
        if second.actor.key() == self.actor.key() {
            return denied("A second person has to agree, not the same one twice.");
        }
        if second.action != self.action || second.gateway != self.gateway {
            return denied("The permission does not fit.");
        }
        Ok(Self {
            second: Some(second.actor.clone()),
            ..self
        })
    }
}

/// Checks `actor` against the table.
///
/// # Errors
/// [`Denied`] with the reason to show and to audit.
pub fn permit(
    actor: &Actor,
    action: Action,
    gateway: Option<&GatewayId>,
) -> Result<Permit, Denied> {
    role_may(actor.role(), action).map(|()| Permit {
        actor: actor.clone(),
        action,
        gateway: gateway.cloned(),
        second: None,
    })
}

/// The table: whether a role may do an action, and if not, why.
///
/// # Errors
/// [`Denied`] with the reason.
pub fn role_may(role: Option<Role>, action: Action) -> Result<(), Denied> {
    let denied = |why| Err(Denied { action, why });
    let Some(role) = role else {
        return denied("Sign in first.");
    };
    match action {
        Action::ViewGateway | Action::ViewLogs => match role {
            Role::Admin | Role::Operator | Role::Manager | Role::Viewer => Ok(()),
            Role::Nothing => denied("You have no role on this gateway. Ask an admin for one."),
        },
        Action::ViewPhoneNumbers => match role {
            Role::Admin | Role::Operator => Ok(()),
            Role::Manager | Role::Viewer | Role::Nothing => {
                denied("Whole phone numbers are shown to operators and admins only.")
            }
        },
        Action::ViewAudit | Action::VerifyAudit | Action::ReviewAudit => match role {
            Role::Admin | Role::Manager => Ok(()),
            Role::Operator | Role::Viewer | Role::Nothing => denied(
                "The audit trail is for managers and admins. Ask an admin for the manager role.",
            ),
        },
        Action::ViewCredentials => match role {
            Role::Admin | Role::Operator | Role::Manager => Ok(()),
            Role::Viewer | Role::Nothing => denied(
                "The register of credentials is for operators, managers and admins. Ask an admin for another role.",
            ),
        },
        Action::ViewCode => match role {
            Role::Admin | Role::Operator => Ok(()),
            Role::Manager | Role::Viewer | Role::Nothing => denied(
                "The code is shown to operators and admins only: whoever scans it gets the link.",
            ),
        },
        Action::Reconnect
        | Action::Relink
        | Action::Unlink
        | Action::ReplaceLink
        | Action::HandOff
        | Action::Restart
        | Action::Recreate
        | Action::Install
        | Action::InstallPlugin
        | Action::Stop
        | Action::Start
        | Action::Recover
        | Action::Backup
        | Action::HandOverKey
        | Action::CancelOperation => match role {
            Role::Admin | Role::Operator => Ok(()),
            Role::Manager | Role::Viewer | Role::Nothing => {
                denied("Your role can look but not act. Ask an operator or an admin.")
            }
        },
        Action::AbandonOperation
        | Action::ViewPeople
        | Action::ManagePeople
        | Action::Restore
        | Action::Wipe
        | Action::RotateKey
        | Action::RotateDevice
        | Action::MakeBackupKey
        | Action::ManageCredentials
        | Action::RetireCredential => match role {
            Role::Admin => Ok(()),
            _ => denied("Only an admin can do this."),
        },
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_matrix_of_roles_and_actions() {
        let mut table = String::new();
        for action in Action::ALL {
            let row: Vec<&str> = Role::ALL
                .into_iter()
                .map(|role| {
                    if role_may(Some(role), action).is_ok() {
                        "yes"
                    } else {
                        "-"
                    }
                })
                .collect();
            table.push_str(
                &[
                    format!("{:<20} ", action.as_str()),
                    row.join("\t"),
                    "\n".to_owned(),
                ]
                .concat(),
            );
        }
        insta::assert_snapshot!(table);
    }

    #[test]
    fn a_second_person_is_another_one_who_may_do_the_same() {
        let person = |number| Actor::Person {
            id: uuid::Uuid::from_u128(number),
            name: "x".to_owned(),
            role: Role::Admin,
            address: None,
            browser: None,
            session: None,
            token: None,
        };
        let gateway: GatewayId = "openclaw".parse().unwrap();
        let other: GatewayId = "other".parse().unwrap();
        let of = |number, action, gateway| permit(&person(number), action, Some(gateway)).unwrap();
        let first = || of(1, Action::RotateKey, &gateway);
        let second = of(2, Action::RotateKey, &gateway);
        let agreed = first().agreed_by(&second).unwrap();
        assert_eq!(agreed.second(), Some(&person(2)));
        assert_eq!(agreed.actor(), &person(1));
        for not in [
            first(),
            of(2, Action::Wipe, &gateway),
            of(2, Action::RotateKey, &other),
        ] {
            assert!(first().agreed_by(&not).is_err(), "{not:?}");
        }
    }

    #[test]
    fn nobody_may_do_anything() {
        for action in Action::ALL {
            let nobody = Actor::Nobody { address: None };
            assert!(permit(&nobody, action, None).is_err(), "{action:?}");
        }
    }
}
