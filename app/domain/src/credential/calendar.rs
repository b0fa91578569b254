//! The register's dates as a calendar (RFC 5545), for whoever has the secret link.

use super::{Credential, Due};
use crate::path;
use crate::time::Timestamp;

/// Octets of a line, its end not counted.
const LINE: usize = 75;

/// What a calendar shows of a credential.
#[derive(Clone, Copy, Debug)]
pub struct Dated<'a> {
    /// The credential.
    pub credential: &'a Credential,
    /// The name of its gateway.
    pub gateway: Option<&'a str>,
    /// When it is due.
    pub due: Due,
}

/// The calendar: a day for each credential that is due at one. `panel` is where browsers reach the panel, without a
/// slash at the end.
pub fn calendar<'a>(
    dated: impl IntoIterator<Item = Dated<'a>>,
    panel: &str,
    now: Timestamp,
) -> String {
    let mut calendar = Lines::default();
    calendar.raw("BEGIN:VCALENDAR");
    calendar.raw("VERSION:2.0");
    calendar.raw("PRODID:-//OpenClaw Panel//Credentials//EN");
    calendar.raw("CALSCALE:GREGORIAN");
    calendar.raw("METHOD:PUBLISH");
    calendar.text("X-WR-CALNAME", "OpenClaw Panel: credentials");
    // How often it is worth to ask again.
    calendar.raw("REFRESH-INTERVAL;VALUE=DURATION:PT6H");
    calendar.raw("X-PUBLISHED-TTL:PT6H");
    for dated in dated {
        if let Some(at) = dated.due.at() {
            event(&mut calendar, dated, at, panel, now);
        }
    }
    calendar.raw("END:VCALENDAR");
    calendar.0
}

fn event(calendar: &mut Lines, dated: Dated<'_>, at: Timestamp, panel: &str, now: Timestamp) {
    let Dated {
        credential,
        gateway,
        due,
    } = dated;
    let of = gateway.map_or(String::new(), |name| format!(" of {name}"));
    let day = |at: Timestamp| at.utc_date().replace('-', "");
    let day_after = at.plus(std::time::Duration::from_secs(86_400));
    calendar.raw("BEGIN:VEVENT");
    calendar.raw(&format!("UID:{}@openclaw-panel", credential.id));
    calendar.raw(&format!("DTSTAMP:{}", moment(now)));
    calendar.raw(&format!("DTSTART;VALUE=DATE:{}", day(at)));
    calendar.raw(&format!("DTEND;VALUE=DATE:{}", day(day_after)));
    calendar.text("SUMMARY", &format!("Rotate {}{of}", credential.title));
    let mut more = format!("Where: {}", credential.place);
    if !credential.owner.is_empty() {
        more.extend(["\nOwner: ", &credential.owner]);
    }
    if let Due::Snoozed { until, .. } = due {
        more.extend(["\nSnoozed until ", &until.utc_date()]);
    }
    calendar.text("DESCRIPTION", &more);
    let page = format!("{panel}{}", path::credential(credential.id));
    calendar.line(&format!("URL:{page}"));
    calendar.raw("TRANSP:TRANSPARENT");
    calendar.raw("END:VEVENT");
}

/// `20261122T021405Z`.
fn moment(at: Timestamp) -> String {
    at.rfc3339().replace(['-', ':'], "")
}

/// Content lines, as they are written.
#[derive(Default)]
struct Lines(String);

impl Lines {
    /// A line that is short and holds nothing to be escaped.
    fn raw(&mut self, line: &str) {
        self.line(line);
    }

    /// A property with a text as its value.
    fn text(&mut self, name: &str, value: &str) {
        self.line(&format!("{name}:{}", escaped(value)));
    }

    /// Folded: no line is longer than [`LINE`] octets, and none ends within a character.
    fn line(&mut self, line: &str) {
        let mut room = LINE;
        for c in line.chars() {
            if c.len_utf8() > room {
                self.0.push_str("\r\n ");
                // The space counts.
                room = LINE - 1;
            }
            self.0.push(c);
            room -= c.len_utf8();
        }
        self.0.push_str("\r\n");
    }
}

/// A text as a value: RFC 5545, 3.3.11. Controls have no place in one.
fn escaped(text: &str) -> String {
    let mut safe = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '\\' | ';' | ',' => safe.extend(['\\', c]),
            '\n' => safe.push_str("\\n"),
            c if c.is_control() => {}
            c => safe.push(c),
        }
    }
    safe
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::super::tests::credential;
    use super::*;

    const NOW: Timestamp = Timestamp::from_millis(1_800_000_000_000);

    fn shown(credential: &Credential) -> String {
        let dated = Dated {
            credential,
            gateway: Some("OpenClaw on vps-i1"),
            due: Due::Fine { at: NOW },
        };
        calendar([dated], "https://panel.example", NOW)
    }

    /// Content lines, unfolded as a calendar does it.
    fn unfolded(calendar: &str) -> Vec<String> {
        let whole = calendar.replace("\r\n ", "");
        whole.split_terminator("\r\n").map(str::to_owned).collect()
    }

    /// The text that stood in a value.
    fn read(value: &str) -> String {
        let mut text = String::new();
        let mut characters = value.chars();
        while let Some(c) = characters.next() {
            match (c, c == '\\') {
                (_, true) => match characters.next() {
                    Some('n') => text.push('\n'),
                    Some(c) => text.push(c),
                    None => panic!("a backslash at the end"),
                },
                (c, false) => text.push(c),
            }
        }
        text
    }

    #[test]
    fn a_credential_is_a_day() {
        let mut credential = credential();
        "anna".clone_into(&mut credential.owner);
        let calendar = shown(&credential);
        insta::assert_snapshot!(calendar.replace('\r', ""));
    }

    #[test]
    fn what_has_no_date_is_no_day() {
        let credential = credential();
        let dated = Dated {
            credential: &credential,
            gateway: None,
            due: Due::Never,
        };
        let calendar = calendar([dated], "https://panel.example", NOW);
        assert!(!calendar.contains("VEVENT"), "{calendar}");
    }

    proptest! {
        #[test]
        fn no_line_is_too_long_and_every_text_is_read_back(title in "\\PC{0,200}", place in any::<String>()) {
            let mut credential = credential();
            credential.title = title.clone();
            credential.place = place.clone();
            let calendar = shown(&credential);
            prop_assert!(calendar.ends_with("END:VCALENDAR\r\n"));
            for line in calendar.split_terminator("\r\n") {
                prop_assert!(line.len() <= 75, "{} octets: {line:?}", line.len());
                prop_assert!(!line.contains(['\r', '\n']), "{line:?}");
            }
            let lines = unfolded(&calendar);
            let value = |name: &str| {
                let found = lines.iter().find_map(|line| line.strip_prefix(name));
                read(found.unwrap())
            };
            let without_controls = |text: &str| -> String {
                text.chars().filter(|c| *c == '\n' || !c.is_control()).collect()
            };
            prop_assert_eq!(value("SUMMARY:"), without_controls(&format!("Rotate {title} of OpenClaw on vps-i1")));
            prop_assert_eq!(value("DESCRIPTION:"), without_controls(&format!("Where: {place}")));
            // Nothing that was typed makes a line of its own.
            let begins = lines.iter().filter(|line| line.starts_with("BEGIN:")).count();
            prop_assert_eq!(begins, 2);
        }
    }
}
