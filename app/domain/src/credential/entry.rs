//! What the register keeps of a credential, and what a person may say of one.

use uuid::Uuid;

use super::due::{self, Due};
use super::seen::Seen;
use super::{Cause, Fingerprint, Kind};
use crate::gateway::GatewayId;
use crate::operation::OperationId;
use crate::person::Actor;
use crate::time::Timestamp;

/// A credential, as the register lists it. Never its value.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Credential {
    /// Its id.
    pub id: Uuid,
    /// What it is.
    pub kind: Kind,
    /// Of which gateway; `None` for what belongs to no gateway.
    pub gateway: Option<GatewayId>,
    /// What people call it.
    pub title: String,
    /// Where it is kept.
    pub place: String,
    /// Who sees to it: a name, or an address to which reminders are mailed. Empty for nobody.
    pub owner: String,
    /// After how many days it is to be changed; `None` when no date says so.
    pub interval_days: Option<u16>,
    /// How it is changed, in Markdown. The items of its first list are the steps.
    pub procedure: String,
    /// Since when the register lists it.
    pub added_at: Timestamp,
    /// Its latest rotation.
    pub last: Option<Rotation>,
    /// Why it may wait, and for how long.
    pub snoozed: Option<Snooze>,
}

impl Credential {
    /// When it has to be changed.
    pub fn due(&self, seen: Seen, now: Timestamp) -> Due {
        due::due(self, seen, now)
    }

    /// Since when there is its present version, as far as that is known.
    pub fn begun(&self, seen: Seen) -> Option<Timestamp> {
        self.last.as_ref().map(|last| last.at).max(seen.since)
    }

    /// `12 days`: how old its present version is.
    pub fn age(&self, seen: Seen, now: Timestamp) -> Option<String> {
        self.begun(seen).map(|begun| due::span(now.since(begun)))
    }

    /// Where reminders go: the owner, when that is a mail address.
    pub fn mail_address(&self) -> Option<&str> {
        let owner = self.owner.trim();
        let (name, host) = owner.split_once('@')?;
        let plain = |text: &str| {
            !text.is_empty() && !text.contains(|c: char| c.is_whitespace() || c == '@')
        };
        (plain(name) && plain(host)).then_some(owner)
    }
}

/// A rotation that was noted.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Rotation {
    /// Its id.
    pub id: Uuid,
    /// When.
    pub at: Timestamp,
    /// By whom.
    pub by: Actor,
    /// Why.
    pub cause: Cause,
    /// The operation that did it; `None` when it was done elsewhere.
    pub operation: Option<OperationId>,
    /// The new version's.
    pub fingerprint: Option<Fingerprint>,
    /// What else there was to say.
    pub note: Option<String>,
    /// What became of its row in the rotation log, when a person noted it and there is such a log.
    pub log: Option<Logging>,
}

/// What became of a row in the rotation log.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Logging {
    /// It is there; in a sentence.
    Committed(String),
    /// It is not; why.
    Failed(String),
}

/// Why a credential may wait that is due.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Snooze {
    /// Until then.
    pub until: Timestamp,
    /// Why.
    pub why: String,
    /// Who said so.
    pub by: Actor,
}

impl Snooze {
    pub(super) fn until(&self) -> Timestamp {
        self.until
    }
}

/// A reminder that was given.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Reminder {
    /// How near the date was.
    pub stage: due::Stage,
    /// For which date.
    pub due_at: Timestamp,
    /// When it was given.
    pub at: Timestamp,
    /// To whom it was mailed.
    pub mailed_to: Option<String>,
    /// Why the mail did not go out.
    pub failed: Option<String>,
}

/// What a person says of a credential, checked.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Terms {
    /// What people call it.
    pub title: String,
    /// Where it is kept.
    pub place: String,
    /// Who sees to it.
    pub owner: String,
    /// After how many days it is to be changed.
    pub interval_days: Option<u16>,
    /// How it is changed, in Markdown.
    pub procedure: String,
}

/// A field that was not filled in right.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{why}")]
pub struct BadField {
    /// Its name in forms.
    pub field: &'static str,
    /// What is wrong and what helps.
    pub why: &'static str,
}

/// As the form's fields say it.
#[derive(Clone, Copy, Debug)]
pub struct Typed<'a> {
    /// What people call it.
    pub title: &'a str,
    /// Where it is kept.
    pub place: &'a str,
    /// Who sees to it.
    pub owner: &'a str,
    /// After how many days; empty for no date.
    pub interval: &'a str,
    /// How it is changed.
    pub procedure: &'a str,
}

/// The longest procedure, in characters.
pub const LONGEST_PROCEDURE: usize = 4_000;
/// The longest of the other texts.
pub const LONGEST_LINE: usize = 120;
/// The longest interval, in days: ten years.
pub const LONGEST_INTERVAL: u16 = 3_650;

impl Terms {
    /// Checks what was typed.
    ///
    /// # Errors
    /// The first field that is not right.
    pub fn read(typed: Typed<'_>) -> Result<Self, BadField> {
        let bad = |field, why| Err(BadField { field, why });
        let title = line(typed.title);
        let place = line(typed.place);
        let owner = line(typed.owner);
        if title.is_empty() {
            return bad("title", "Say what people call it.");
        }
        for (field, text) in [("title", &title), ("place", &place), ("owner", &owner)] {
            if text.chars().count() > LONGEST_LINE {
                return bad(field, "Use 120 characters at most.");
            }
        }
        let interval_days = match typed.interval.trim() {
            "" => None,
            days => match days.parse() {
                Ok(days) if (1..=LONGEST_INTERVAL).contains(&days) => Some(days),
                _ => {
                    return bad(
                        "interval",
                        "Give 1 to 3650 days, or leave it empty when no date says when.",
                    );
                }
            },
        };
        // Browsers send CR LF.
        let procedure = typed.procedure.replace("\r\n", "\n");
        let procedure = procedure.trim_end();
        if procedure.chars().count() > LONGEST_PROCEDURE {
            return bad("procedure", "Use 4000 characters at most.");
        }
        if procedure.contains('\0') {
            return bad("procedure", "Leave out the characters that nobody can see.");
        }
        Ok(Self {
            title,
            place,
            owner,
            interval_days,
            procedure: procedure.to_owned(),
        })
    }
}

/// One line, without what no line has.
fn line(typed: &str) -> String {
    let words = typed.split(|c: char| c.is_whitespace() || c.is_control());
    let words: Vec<_> = words.filter(|word| !word.is_empty()).collect();
    words.join(" ")
}
