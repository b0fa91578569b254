//! Mails to a person about their own account: what happened to it, and what to do when it was not them.

use domain::audit::{AuditEvent, act};
use domain::path;
use domain::person::Role;
use domain::words;

use crate::pages::audit::rows::from;
use crate::reports::Letter;

/// One event as a mail.
pub fn letter(event: &AuditEvent, name: &str, public_url: &str) -> Letter {
    let what = &event.event;
    let mut lines = vec![
        format!("Hello {name},\n"),
        format!("{}.\n", sentence(event)),
        format!("When: {}.", event.at.utc_text()),
        format!("By: {}.", plain(what.actor.name())),
    ];
    // It is their own account: nothing of it is hidden from them.
    let came = from(&what.actor, Role::Admin);
    if !came.is_empty() {
        lines.push(format!("From: {}.", came.join(", ")));
    }
    lines.push(if_it_was_not_you(public_url));
    Letter {
        subject: format!("Your account: {}", heading(event)),
        text: lines.join("\n"),
    }
}

/// Several events as one mail: there were too many for one each.
pub fn folded(events: &[&AuditEvent], name: &str, public_url: &str) -> Letter {
    let count = words::count(events.len() as u64, "more event", "more events");
    let mut lines = vec![
        format!("Hello {name},\n"),
        format!("{count} of your account:\n"),
    ];
    lines.extend(events.iter().map(|event| {
        let by = plain(event.event.actor.name());
        format!("- {}: {}, by {by}.", event.at.utc_text(), heading(event))
    }));
    lines.push(if_it_was_not_you(public_url));
    Letter {
        subject: format!("Your account: {count}"),
        text: lines.join("\n"),
    }
}

/// The first mail to an address.
pub(crate) fn welcome(name: &str, public_url: &str) -> Letter {
    Letter {
        subject: "Your account: mail comes here from now on".to_owned(),
        text: format!(
            "Hello {name},\n\nfrom now on you are told here when somebody signs in as you with a new browser, when the password, \
             the second factor or the role of your account changes, and when a token is made for it.\n\nTo have it elsewhere, or not at all: \
             {public_url}{}\n\nIf you do not know this panel, somebody mistyped an address; nothing else will come once \
             they mend it.\n",
            path::ACCOUNT
        ),
    }
}

/// The last mail to an address.
pub(crate) fn moved(name: &str, public_url: &str) -> Letter {
    Letter {
        subject: "Your account: mail does not come here any more".to_owned(),
        text: format!(
            "Hello {name},\n\nmail about your account goes to another address from now on, or to none.\n{}",
            if_it_was_not_you(public_url)
        ),
    }
}

fn if_it_was_not_you(public_url: &str) -> String {
    let account = path::ACCOUNT;
    format!(
        "\nIf that was you, or you know of it, there is nothing to do. If not, somebody else is in your account: sign out \
         what is not yours, change the password at once, look through your passkeys and tokens, and tell an admin.\n{public_url}{account}\n"
    )
}

/// In a few words.
fn heading(event: &AuditEvent) -> &'static str {
    match event.event.action.as_str() {
        act::NEW_DEVICE => "signed in with a new browser",
        act::CHANGE_PASSWORD | act::ACCEPT_INVITATION => "the password was changed",
        act::RESET_PASSWORD => "the password was ended",
        act::CHANGE_ROLE => "the role was changed",
        act::ADD_PASSKEY => "a passkey was added",
        act::REMOVE_PASSKEY => "a passkey was removed",
        act::MAKE_TOKEN => "a token was made",
        act::SET_UP_SECOND_FACTOR => "the second factor was set up",
        act::REMOVE_SECOND_FACTOR => "the second factor was removed",
        act::RENEW_RECOVERY_CODES => "there are new recovery codes",
        act::CONNECT_IDENTITY => "it was connected with the identity provider",
        act::DISCONNECT_IDENTITY => "it was disconnected from the identity provider",
        _ => "it was changed",
    }
}

fn sentence(event: &AuditEvent) -> String {
    match event.event.action.as_str() {
        act::NEW_DEVICE => {
            "somebody signed in as you with a browser that you had not used here before".to_owned()
        }
        act::CHANGE_PASSWORD => "the password of your account was changed".to_owned(),
        act::ACCEPT_INVITATION => {
            "a password was chosen for your account by a one-time link".to_owned()
        }
        act::RESET_PASSWORD => {
            "the password of your account was ended by an admin, who hands you a one-time link or password"
                .to_owned()
        }
        act::MAKE_TOKEN => format!(
            "a token was made by which a program acts as you: {}",
            plain(event.event.target.as_deref().unwrap_or("without a name"))
        ),
        act::CHANGE_ROLE => match event.event.changes.first() {
            Some(change) => format!(
                "the role of your account was changed from {} to {}",
                plain(change.before().unwrap_or("none")),
                plain(change.after().unwrap_or("none"))
            ),
            None => "the role of your account was changed".to_owned(),
        },
        _ => format!(
            "something about your account was changed: {}",
            heading(event)
        ),
    }
}

/// As one line.
fn plain(text: &str) -> String {
    let text = text.chars().take(200);
    text.map(|c| if c.is_control() { ' ' } else { c }).collect()
}

#[cfg(test)]
mod tests {
    use domain::audit::{AuditOutcome, Change, NewAuditEvent};
    use domain::mailbox::TOLD;
    use domain::person::Actor;
    use domain::time::Timestamp;
    use uuid::Uuid;

    use super::*;

    const URL: &str = "https://panel.example";

    fn event(action: &str) -> AuditEvent {
        let anna = Actor::Person {
            id: Uuid::nil(),
            name: "anna".to_owned(),
            role: Role::Viewer,
            address: Some("94.31.7.12".to_owned()),
            browser: Some("Firefox on Linux".to_owned()),
            session: None,
            token: None,
        };
        AuditEvent {
            sequence: 7,
            id: Uuid::nil(),
            at: Timestamp::parse_rfc3339("2026-11-18T11:06:40Z").unwrap(),
            event: NewAuditEvent::new(anna, action, AuditOutcome::Succeeded),
        }
    }

    #[test]
    fn a_new_browser_is_told_with_where_from_and_what_to_do() {
        let letter = letter(&event(act::NEW_DEVICE), "anna", URL);
        assert_eq!(letter.subject, "Your account: signed in with a new browser");
        for said in [
            "Hello anna,",
            "somebody signed in as you with a browser that you had not used here before.",
            "When: 2026-11-18 11:06:40 UTC.",
            "From: 94.31.7.12, Firefox on Linux.",
            "change the password at once",
            "https://panel.example/account\n",
        ] {
            assert!(letter.text.contains(said), "{said}: {}", letter.text);
        }
    }

    #[test]
    fn every_act_that_is_told_has_words_of_its_own() {
        for action in TOLD {
            let heading = heading(&event(action));
            assert_ne!(heading, "it was changed", "{action}");
        }
    }

    #[test]
    fn a_role_is_told_with_before_and_after_and_on_one_line() {
        let mut changed = event(act::CHANGE_ROLE);
        changed.event.changes = vec![Change::new("role", Some("viewer"), Some("admin\r\nBcc: x"))];
        let letter = letter(&changed, "anna", URL);
        let said = "was changed from viewer to admin  Bcc: x.";
        assert!(letter.text.contains(said), "{}", letter.text);
    }

    #[test]
    fn many_are_told_in_one() {
        let events = [event(act::NEW_DEVICE), event(act::CHANGE_PASSWORD)];
        let letter = folded(&events.iter().collect::<Vec<_>>(), "anna", URL);
        assert_eq!(letter.subject, "Your account: 2 more events");
        let said = "- 2026-11-18 11:06:40 UTC: the password was changed, by anna.";
        assert!(letter.text.contains(said), "{}", letter.text);
    }
}
