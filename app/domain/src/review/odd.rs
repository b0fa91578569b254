//! What a reviewer looks at first, with the reason in words.

use crate::audit::{AuditEvent, AuditOutcome, act};

/// What is known around an event that makes it odd.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Around {
    /// The person had not acted from that address before this day.
    pub new_address: bool,
    /// A key was changed because it may have leaked.
    pub leak: bool,
    /// It was outside working hours.
    pub after_hours: bool,
}

/// Why an event is odd; nothing when it is not.
pub fn odd(event: &AuditEvent, around: Around) -> Vec<&'static str> {
    let what = &event.event;
    let mut why = Vec::new();
    match what.outcome {
        AuditOutcome::Denied => why.push("denied"),
        AuditOutcome::Failed => why.push("failed"),
        AuditOutcome::Undone => why.push("failed and put back"),
        AuditOutcome::Requested | AuditOutcome::Succeeded => {}
    }
    why.extend(match what.action.as_str() {
        "relink" | "replace-link" => Some("linked anew"),
        "unlink" => Some("unlinked"),
        "wipe" => Some("wiped"),
        "restore" => Some("an old link came back"),
        act::CHANGE_ROLE => Some("a role was changed"),
        act::ADD_PERSON | act::ENABLE_PERSON => Some("somebody more may sign in"),
        act::RESET_PASSWORD => Some("a password was ended"),
        act::REMOVE_SECOND_FACTOR => Some("a second factor was removed"),
        act::MAKE_TOKEN => Some("a program may act for somebody"),
        act::NEW_DEVICE => Some("a new browser"),
        act::ABANDON_OPERATION => Some("a stuck operation was given up"),
        _ => None,
    });
    why.extend(around.leak.then_some("a leak was suspected"));
    why.extend(around.new_address.then_some("first time from this address"));
    why.extend(around.after_hours.then_some("after hours"));
    why
}

#[cfg(test)]
mod tests {
    use uuid::Uuid;

    use super::*;
    use crate::audit::NewAuditEvent;
    use crate::person::Actor;
    use crate::time::Timestamp;
    use AuditOutcome::{Denied, Failed, Succeeded, Undone};

    #[test]
    fn what_is_odd_is_said_and_what_is_not_is_not() {
        let none = Around::default();
        let new = Around {
            new_address: true,
            leak: true,
            after_hours: true,
        };
        for (action, outcome, around, wanted) in [
            ("restart", Succeeded, none, vec![]),
            (act::NOTE_ROTATION, Succeeded, none, vec![]),
            ("restart", Failed, none, vec!["failed"]),
            (
                "relink",
                Undone,
                none,
                vec!["failed and put back", "linked anew"],
            ),
            (act::SIGN_IN, Denied, none, vec!["denied"]),
            (
                "rotate-key",
                Succeeded,
                new,
                vec![
                    "a leak was suspected",
                    "first time from this address",
                    "after hours",
                ],
            ),
            (
                act::CHANGE_ROLE,
                Succeeded,
                none,
                vec!["a role was changed"],
            ),
        ] {
            let event = AuditEvent {
                sequence: 1,
                id: Uuid::nil(),
                at: Timestamp::default(),
                event: NewAuditEvent::new(Actor::Panel, action, outcome),
            };
            assert_eq!(odd(&event, around), wanted, "{action} {outcome:?}");
        }
    }
}
