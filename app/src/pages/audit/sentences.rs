//! Events and stories in words.

use domain::action::Action;
use domain::audit::filter::is_operation;
use domain::audit::story::{Kind, Story};
use domain::audit::{AuditEvent, AuditOutcome, NewAuditEvent, act};
use domain::words;

use crate::ui::said::capital;

/// An operation in words: what one wants to do, what one did, and to what when nothing is named.
const OPERATIONS: [(&str, &str, &str, &str); 16] = [
    ("reconnect", "reconnect", "reconnected", "WhatsApp"),
    ("relink", "link", "linked", "WhatsApp"),
    ("unlink", "unlink", "unlinked", "WhatsApp"),
    (
        "wipe",
        "wipe the state and link",
        "wiped the state and linked",
        "WhatsApp",
    ),
    (
        "replace-link",
        "replace the link of",
        "replaced the link of",
        "WhatsApp",
    ),
    ("restart", "restart", "restarted", "the gateway"),
    ("recreate", "recreate", "recreated", "the container"),
    ("install", "install", "installed", "the gateway"),
    (
        "install-plugin",
        "install",
        "installed",
        "the WhatsApp plugin",
    ),
    ("stop", "stop", "stopped", "the gateway"),
    ("start", "start", "started", "the gateway"),
    (
        "recover",
        "fix WhatsApp for",
        "fixed WhatsApp for",
        "the gateway",
    ),
    ("backup", "back up", "backed up", "the gateway"),
    ("restore", "restore", "restored", "the link"),
    ("rotate-key", "rotate", "rotated", "the API key"),
    (
        "rotate-device",
        "renew",
        "renewed",
        "the panel's device identity",
    ),
];

/// A story as its headline.
pub(super) fn headline(story: &Story) -> String {
    let Some(main) = story.main() else {
        return String::new();
    };
    match story.kind {
        Kind::Refused => refused(story),
        _ => sentence(main),
    }
}

/// `Sign-in refused 3 times for anna`, or for how many names, and from how many addresses.
fn refused(story: &Story) -> String {
    let count = story.events.len() as u64;
    let targets = story.targets();
    let unnamed = story
        .events
        .iter()
        .any(|event| event.event.target.is_none());
    let names = match (targets.first(), targets.len(), unnamed) {
        (Some(only), 1, false) => {
            let times = words::count(count, "time", "times");
            return format!("Sign-in refused {times} for {only}");
        }
        (None, ..) => "names that nobody has".to_owned(),
        (_, names, false) => words::count(names as u64, "name", "names"),
        (_, names, true) => format!(
            "{} and some that nobody has",
            words::count(names as u64, "name", "names")
        ),
    };
    let said = words::count(count, "sign-in was refused", "sign-ins were refused");
    match story.addresses().len() as u64 {
        0 => format!("{said}, for {names}"),
        from => format!(
            "{said}, for {names}, from {}",
            words::count(from, "address", "addresses")
        ),
    }
}

/// `Anna restarted the gateway on openclaw`.
pub(crate) fn sentence(event: &AuditEvent) -> String {
    let what = &event.event;
    let who = capital(what.actor.name());
    let gateway = what
        .gateway
        .as_ref()
        .map_or(String::new(), |gateway| format!(" on {gateway}"));
    let said = match OPERATIONS.iter().find(|(name, ..)| *name == what.action) {
        Some(operation) => operated(what, *operation),
        None => acted(what),
    };
    format!("{who} {said}{gateway}")
}

fn operated(
    what: &NewAuditEvent,
    (_, infinitive, past, object): (&str, &str, &str, &str),
) -> String {
    let target = what.target.as_deref().unwrap_or(object);
    match what.outcome {
        AuditOutcome::Requested => format!("asked to {infinitive} {target}"),
        AuditOutcome::Succeeded => format!("{past} {target}"),
        AuditOutcome::Failed | AuditOutcome::Undone => format!("tried to {infinitive} {target}"),
        AuditOutcome::Denied => format!("wanted to {infinitive} {target}"),
    }
}

fn acted(what: &NewAuditEvent) -> String {
    let target = what.target.as_deref();
    if what.outcome == AuditOutcome::Denied
        && let Some(wanted) = wanted(&what.action)
    {
        return match target {
            Some(name) if what.action == act::SIGN_IN => format!("{wanted} as {name}"),
            Some(owner) if what.action == act::USE_TOKEN => {
                format!("showed a token of {owner} that opens nothing")
            }
            Some(target) => format!("{wanted} {target}"),
            None => wanted.to_owned(),
        };
    }
    let (with, without) = said(&what.action);
    match (target, with.is_empty()) {
        (Some(target), false) => format!("{with} {target}"),
        (None, false) => without.to_owned(),
        // Acts of other panels go by their own names, which are words.
        (Some(target), true) => format!("{} {target}", plain(&what.action)),
        (None, true) => plain(&what.action),
    }
}

fn plain(action: &str) -> String {
    format!("did: {}", action.replace('-', " "))
}

/// An act before what it was done to, and without that.
fn said(action: &str) -> (&'static str, &'static str) {
    match action {
        act::SIGN_IN => ("signed in as", "signed in"),
        act::SIGN_OUT => ("signed out", "signed out"),
        act::CONFIRM_IDENTITY => ("confirmed to be", "confirmed who they are"),
        act::CHANGE_PASSWORD => ("changed the password of", "changed a password"),
        act::ADD_PERSON => ("added", "added a person"),
        act::DISABLE_PERSON => ("kept out", "kept a person out"),
        act::ENABLE_PERSON => ("let in again", "let a person in again"),
        act::RESET_PASSWORD => ("ended the password of", "ended a password"),
        act::MAKE_SET_UP_LINK => (
            "made the link for the first admin",
            "made the link for the first admin",
        ),
        act::ACCEPT_INVITATION => (
            "opened the one-time link and chose the password of",
            "opened a one-time link and chose a password",
        ),
        act::MAKE_TOKEN => ("made the token", "made a token"),
        act::REVOKE_TOKEN => ("took back the token", "took back a token"),
        act::NEW_DEVICE => (
            "signed in with a new browser as",
            "signed in with a new browser",
        ),
        act::END_SESSIONS => ("ended sessions of", "ended sessions"),
        act::ADD_PASSKEY => ("added a passkey of", "added a passkey"),
        act::REMOVE_PASSKEY => ("removed a passkey of", "removed a passkey"),
        act::SET_UP_SECOND_FACTOR => ("set up the second factor of", "set up a second factor"),
        act::REMOVE_SECOND_FACTOR => ("removed the second factor of", "removed a second factor"),
        act::RENEW_RECOVERY_CODES => ("made new recovery codes of", "made new recovery codes"),
        act::CHANGE_MAIL => ("changed the mail address of", "changed a mail address"),
        act::CONNECT_IDENTITY => (
            "connected with the identity provider",
            "connected a person with the identity provider",
        ),
        act::DISCONNECT_IDENTITY => (
            "disconnected from the identity provider",
            "disconnected a person from the identity provider",
        ),
        act::CHANGE_ROLE => ("changed the role of", "changed a role"),
        act::SKIP_STEP => ("asked to skip", "asked to skip a step"),
        act::DOWNLOAD_LOGS => ("downloaded the log of", "downloaded the log"),
        act::DOWNLOAD_BACKUP => ("downloaded the backup", "downloaded a backup"),
        act::MAKE_BACKUP_KEY => ("made the key for backups", "made the key for backups"),
        act::CANCEL_OPERATION => (
            "asked an operation to stop and put back",
            "asked an operation to stop and put back",
        ),
        act::ABANDON_OPERATION => (
            "freed the gateway of a stuck operation",
            "freed the gateway of a stuck operation",
        ),
        act::PAIR_DEVICE => (
            "paired the panel's own device",
            "paired the panel's own device",
        ),
        act::UNPAIR_DEVICE => (
            "removed the panel's own device",
            "removed the panel's own device",
        ),
        act::HAND_OFF => (
            "made a one-time link for the code of",
            "made a one-time link for the code",
        ),
        act::MAIL_HAND_OFF => ("mailed a one-time link to", "mailed a one-time link"),
        act::OPEN_HAND_OFF => ("opened the one-time link for", "opened a one-time link"),
        act::REVOKE_HAND_OFF => ("took back a one-time link for", "took back a one-time link"),
        act::VIEW_CODE => (
            "was shown the code that links",
            "was shown the code that links",
        ),
        act::REVEAL_KEY => ("was shown the new key of", "was shown the new key"),
        act::FINISH_KEY_TASK => (
            "noted of the new key:",
            "noted what was done with the new key",
        ),
        act::ADD_CONSUMER => ("added as a user of the key:", "added a user of the key"),
        act::REMOVE_CONSUMER => ("removed as a user of the key:", "removed a user of the key"),
        act::ADD_CREDENTIAL => ("added to the register:", "added a credential"),
        act::CHANGE_CREDENTIAL => ("changed what the register says of", "changed the register"),
        act::RETIRE_CREDENTIAL => (
            "took out of the register:",
            "took a credential out of the register",
        ),
        act::SNOOZE_CREDENTIAL => ("snoozed", "snoozed a credential"),
        act::NOTE_ROTATION => ("noted the rotation of", "noted a rotation"),
        act::REMIND => (
            "sent word that it is due:",
            "sent word that a credential is due",
        ),
        act::EXPORT_AUDIT => ("exported the audit trail", "exported the audit trail"),
        act::ARCHIVE_AUDIT => (
            "archived old events of the audit trail as",
            "archived old events of the audit trail",
        ),
        act::VERIFY_AUDIT => (
            "checked the chain of the audit trail",
            "checked the chain of the audit trail",
        ),
        act::MAKE_CALENDAR_LINK => (
            "made a secret link to the calendar of credentials",
            "made a secret link to the calendar of credentials",
        ),
        act::REMOVE_CALENDAR_LINK => (
            "took back the secret link to the calendar of credentials",
            "took back the secret link to the calendar of credentials",
        ),
        act::ASK_SECOND => ("asked for a second person:", "asked for a second person"),
        act::APPROVE => ("agreed to:", "agreed as the second person"),
        act::DECLINE => ("did not agree to:", "did not agree"),
        act::WITHDRAW => ("took back:", "took a request back"),
        act::REVIEW => ("reviewed", "reviewed the audit trail"),
        act::ANSWER_QUESTION => ("answered a question about", "answered a question"),
        _ => ("", ""),
    }
}

/// What somebody wanted who was not let.
fn wanted(action: &str) -> Option<&'static str> {
    if action == act::SIGN_IN {
        return Some("was refused a sign-in");
    }
    if action == act::USE_TOKEN {
        return Some("showed a token that opens nothing");
    }
    let action = Action::ALL.into_iter().find(|one| one.as_str() == action)?;
    Some(match action {
        Action::ViewGateway => "wanted to look at the gateway",
        Action::ViewPhoneNumbers => "wanted to see whole phone numbers",
        Action::ViewLogs => "wanted to read the log",
        Action::ViewAudit => "wanted to read the audit trail",
        Action::VerifyAudit => "wanted to check the chain of the audit trail",
        Action::ReviewAudit => "wanted to review the audit trail",
        Action::ViewPeople => "wanted to look at the people",
        Action::ManagePeople => "wanted to change who may sign in, or as what",
        Action::ViewCredentials => "wanted to look at the credentials",
        Action::ManageCredentials => "wanted to change the register of credentials",
        Action::RetireCredential => "wanted to take a credential out of the register",
        Action::ViewCode => "wanted to see the code that links",
        Action::CancelOperation => "wanted to stop an operation",
        Action::AbandonOperation => "wanted to free the gateway of a stuck operation",
        Action::HandOff => "wanted to make a one-time link for the code",
        Action::HandOverKey => "wanted to note what was done with a key",
        Action::MakeBackupKey => "wanted to make the key for backups",
        _ => return None,
    })
}

/// An action for a list to choose from: `Change role`.
pub(crate) fn title(action: &str) -> String {
    let said = capital(&action.replace('-', " "));
    if is_operation(action) || !action.starts_with("view-") {
        said
    } else {
        format!("{said} (denied)")
    }
}

#[cfg(test)]
mod tests {
    use domain::audit::filter::operations;
    use domain::person::Actor;
    use domain::time::Timestamp;
    use uuid::Uuid;

    use super::*;
    use AuditOutcome::{Denied, Failed, Requested, Succeeded, Undone};

    fn event(action: &str, target: Option<&str>, outcome: AuditOutcome) -> AuditEvent {
        AuditEvent {
            sequence: 1,
            id: Uuid::nil(),
            at: Timestamp::from_millis(0),
            event: NewAuditEvent {
                gateway: "openclaw".parse().ok(),
                target: target.map(str::to_owned),
                ..NewAuditEvent::new(Actor::Panel, action, outcome)
            },
        }
    }

    #[test]
    fn every_act_is_a_sentence_and_a_denial_one_of_its_own() {
        let account = Some("account work");
        for (action, target, outcome, said) in [
            (
                act::PAIR_DEVICE,
                None,
                Succeeded,
                "paired the panel's own device",
            ),
            (
                act::VIEW_CODE,
                Some("default"),
                Succeeded,
                "was shown the code that links default",
            ),
            (
                act::VIEW_CODE,
                None,
                Denied,
                "wanted to see the code that links",
            ),
            ("view-people", None, Denied, "wanted to look at the people"),
            ("restart", None, Denied, "wanted to restart the gateway"),
            ("restart", None, Requested, "asked to restart the gateway"),
            ("relink", account, Succeeded, "linked account work"),
            ("relink", account, Failed, "tried to link account work"),
            ("rotate-key", None, Undone, "tried to rotate the API key"),
            (
                act::SIGN_IN,
                Some("anna"),
                Denied,
                "was refused a sign-in as anna",
            ),
            (act::SIGN_IN, None, Denied, "was refused a sign-in"),
            (
                act::USE_TOKEN,
                Some("carla"),
                Denied,
                "showed a token of carla that opens nothing",
            ),
            (
                act::USE_TOKEN,
                None,
                Denied,
                "showed a token that opens nothing",
            ),
            ("unheard-of", Some("it"), Succeeded, "did: unheard of it"),
        ] {
            let sentence = sentence(&event(action, target, outcome));
            assert_eq!(sentence, format!("The panel {said} on openclaw"));
        }
    }

    #[test]
    fn no_act_of_the_vocabulary_is_shown_by_its_raw_name() {
        let acts = [
            act::SIGN_IN,
            act::SIGN_OUT,
            act::CONFIRM_IDENTITY,
            act::CHANGE_PASSWORD,
            act::ADD_PERSON,
            act::DISABLE_PERSON,
            act::ENABLE_PERSON,
            act::RESET_PASSWORD,
            act::CHANGE_ROLE,
            act::CHANGE_MAIL,
            act::CONNECT_IDENTITY,
            act::DISCONNECT_IDENTITY,
            act::SKIP_STEP,
            act::CANCEL_OPERATION,
            act::ABANDON_OPERATION,
            act::PAIR_DEVICE,
            act::UNPAIR_DEVICE,
            act::DOWNLOAD_LOGS,
            act::DOWNLOAD_BACKUP,
            act::MAKE_BACKUP_KEY,
            act::HAND_OFF,
            act::MAIL_HAND_OFF,
            act::OPEN_HAND_OFF,
            act::REVOKE_HAND_OFF,
            act::VIEW_CODE,
            act::REVEAL_KEY,
            act::FINISH_KEY_TASK,
            act::ADD_CONSUMER,
            act::REMOVE_CONSUMER,
            act::ADD_CREDENTIAL,
            act::CHANGE_CREDENTIAL,
            act::RETIRE_CREDENTIAL,
            act::SNOOZE_CREDENTIAL,
            act::NOTE_ROTATION,
            act::REMIND,
            act::EXPORT_AUDIT,
            act::ARCHIVE_AUDIT,
            act::VERIFY_AUDIT,
            act::MAKE_CALENDAR_LINK,
            act::REMOVE_CALENDAR_LINK,
            act::ASK_SECOND,
            act::APPROVE,
            act::DECLINE,
            act::WITHDRAW,
            act::MAKE_SET_UP_LINK,
            act::ACCEPT_INVITATION,
            act::NEW_DEVICE,
            act::END_SESSIONS,
            act::ADD_PASSKEY,
            act::REMOVE_PASSKEY,
            act::SET_UP_SECOND_FACTOR,
            act::REMOVE_SECOND_FACTOR,
            act::RENEW_RECOVERY_CODES,
            act::REVIEW,
            act::ANSWER_QUESTION,
        ];
        for action in acts {
            let said = sentence(&event(action, None, Succeeded));
            assert!(!said.contains("did:"), "{said}");
        }
        for action in operations() {
            assert!(
                OPERATIONS.iter().any(|(name, ..)| *name == action),
                "{action}"
            );
        }
    }
}
