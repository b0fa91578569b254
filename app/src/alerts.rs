//! Marked acts as mails to managers: what was done, by whom, why it is told, and where to read on. Numbers and addresses
//! are masked as they are on pages for managers.

use domain::audit::AuditEvent;
use domain::path;
use domain::person::Role;
use domain::review::Rule;
use domain::words;

use crate::pages::audit::rows::from;
use crate::pages::audit::sentences::sentence;
use crate::reports::Letter;
use crate::ui::said::phones;

/// Whoever gets these mails sees no more than a manager does.
const READER: Role = Role::Manager;
/// The longest text of a person in a mail.
const LONGEST: usize = 300;
/// The most events that are named when several are told in one.
const NAMED: usize = 50;

/// One event as a mail.
pub fn letter(event: &AuditEvent, rules: &[Rule], public_url: &str) -> Letter {
    let what = &event.event;
    let mut lines = vec![
        format!("{}.\n", told(event)),
        format!("Why this mail: {}.", titles(rules)),
        format!("When: {}.", event.at.utc_text()),
        format!("Outcome: {}.", what.outcome.as_str()),
    ];
    let came = from(&what.actor, READER);
    if !came.is_empty() {
        lines.push(format!("From: {}.", came.join(", ")));
    }
    let reason = what.reason.as_deref();
    lines.extend(reason.map(|reason| format!("The reason given: “{}”", shown(reason))));
    let note = what.note.as_deref();
    lines.extend(note.map(|note| format!("Noted: {}", shown(note))));
    let page = path::audit_event(event.sequence);
    lines.push(format!(
        "\nIt is event {} of the audit trail:\n{public_url}{page}\n",
        event.sequence
    ));
    Letter {
        subject: format!("Alert: {}", told(event)),
        text: lines.join("\n"),
    }
}

/// Several events as one mail: there were too many for one each.
pub fn folded(marked: &[(AuditEvent, Vec<Rule>)], public_url: &str) -> Letter {
    let count = words::count(marked.len() as u64, "more event", "more events");
    let mut lines = vec![format!("{count} that managers are told of:\n")];
    lines.extend(marked.iter().take(NAMED).map(|(event, rules)| {
        format!(
            "- {}: {} ({}).\n  {public_url}{}",
            event.at.utc_text(),
            told(event),
            titles(rules),
            path::audit_event(event.sequence)
        )
    }));
    let rest = marked.len().saturating_sub(NAMED);
    if rest > 0 {
        let rest = words::count(rest as u64, "more is", "more are");
        let page = path::AUDIT;
        lines.push(format!("\n{rest} in the audit trail:\n{public_url}{page}"));
    }
    lines.push(String::new());
    Letter {
        subject: format!("Alert: {count}"),
        text: lines.join("\n"),
    }
}

fn titles(rules: &[Rule]) -> String {
    let titles: Vec<&str> = rules.iter().map(|rule| rule.title()).collect();
    titles.join("; ")
}

/// As one line without what managers do not see.
fn told(event: &AuditEvent) -> String {
    shown(&sentence(event))
}

fn shown(text: &str) -> String {
    let text = phones(text, READER);
    let plain = text.chars().map(|c| if c.is_control() { ' ' } else { c });
    let mut short: String = plain.clone().take(LONGEST).collect();
    if plain.count() > LONGEST {
        short.push('…');
    }
    short
}

#[cfg(test)]
mod tests {
    use domain::audit::{AuditOutcome, NewAuditEvent, act};
    use domain::person::Actor;
    use domain::time::Timestamp;
    use uuid::Uuid;

    use super::*;

    fn event(sequence: i64) -> AuditEvent {
        let anna = Actor::Person {
            id: Uuid::nil(),
            name: "anna".to_owned(),
            role: Role::Admin,
            address: Some("94.31.7.12".to_owned()),
            browser: Some("Firefox on Linux".to_owned()),
            session: None,
            token: Some("deploys".to_owned()),
        };
        AuditEvent {
            sequence,
            id: Uuid::nil(),
            at: Timestamp::parse_rfc3339("2026-11-18T11:06:40Z").unwrap(),
            event: NewAuditEvent {
                target: Some("ben\r\nBcc: all@example.org".to_owned()),
                reason: Some("his phone is +4915112345642".to_owned()),
                ..NewAuditEvent::new(anna, act::CHANGE_ROLE, AuditOutcome::Succeeded)
            },
        }
    }

    #[test]
    fn a_mail_tells_what_was_done_and_hides_what_managers_do_not_see() {
        let letter = letter(&event(7), &[Rule::RoleChange], "https://panel.example");
        assert_eq!(
            letter.subject,
            "Alert: Anna changed the role of ben  Bcc: all@example.org"
        );
        for said in [
            "Why this mail: a role was changed.",
            "When: 2026-11-18 11:06:40 UTC.",
            "94.•••.12, Firefox on Linux, by the token “deploys”.",
            "The reason given: “his phone is",
            "https://panel.example/audit/7",
        ] {
            assert!(letter.text.contains(said), "{said}: {}", letter.text);
        }
        assert!(!letter.text.contains("4915112345642"), "{}", letter.text);
        assert!(!letter.text.contains("94.31.7.12"), "{}", letter.text);
    }

    #[test]
    fn many_are_told_in_one_and_the_rest_is_counted() {
        let marked: Vec<_> = (1..=52)
            .map(|sequence| (event(sequence), vec![Rule::RoleChange]))
            .collect();
        let letter = folded(&marked, "https://panel.example");
        assert_eq!(letter.subject, "Alert: 52 more events");
        assert!(letter.text.contains("https://panel.example/audit/50\n"));
        assert!(!letter.text.contains("https://panel.example/audit/51\n"));
        assert!(letter.text.contains("2 more are in the audit trail"));
    }
}
