//! Which events somebody wants to see: read from a URL, written into one, and the same words for both.

use uuid::Uuid;

use super::{AuditEvent, AuditOutcome, act};
use crate::action::Action;
use crate::gateway::GatewayId;
use crate::operation::OperationId;
use crate::time::Timestamp;

const SECOND: i64 = 1_000;
const DAY: i64 = 86_400 * SECOND;
/// The longest text that is searched for.
pub const LONGEST_TEXT: usize = 200;
/// More digits in a row than this are part of a phone number, or of nothing that is searched for.
const FEW_DIGITS: usize = 4;

/// What a filter lets through; what is not set lets everything through.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Filter {
    /// When.
    pub span: Span,
    /// Who, by [`Actor::key`](crate::person::Actor::key).
    pub person: Option<String>,
    /// On which gateway.
    pub gateway: Option<GatewayId>,
    /// What was done.
    pub what: Option<What>,
    /// With which outcome.
    pub outcome: Option<AuditOutcome>,
    /// In which operation.
    pub operation: Option<OperationId>,
    /// Words of target, reason, note or name; each may be the beginning of a longer one.
    pub text: Option<String>,
}

/// When. Days and weeks are those of UTC, and a week begins on Monday.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Span {
    /// Ever.
    #[default]
    All,
    /// Since midnight.
    Today,
    /// The last 24 hours.
    Hours24,
    /// Since Monday.
    Week,
    /// The last seven days.
    Days7,
    /// The last thirty days.
    Days30,
    /// From a moment on, and before another one.
    Between(Option<Timestamp>, Option<Timestamp>),
}

impl Span {
    /// Those that have a name.
    pub const NAMED: [Self; 6] = [
        Self::All,
        Self::Today,
        Self::Hours24,
        Self::Week,
        Self::Days7,
        Self::Days30,
    ];

    /// The word in URLs.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::All => "all",
            Self::Today => "today",
            Self::Hours24 => "24h",
            Self::Week => "week",
            Self::Days7 => "7d",
            Self::Days30 => "30d",
            Self::Between(..) => "range",
        }
    }

    /// The words for people.
    pub fn title(self) -> String {
        let day = |at: Timestamp| match at.as_millis().rem_euclid(DAY) {
            0 => at.utc_date(),
            _ => at.utc_text(),
        };
        match self {
            Self::All => "Any time".to_owned(),
            Self::Today => "Today".to_owned(),
            Self::Hours24 => "Last 24 hours".to_owned(),
            Self::Week => "This week".to_owned(),
            Self::Days7 => "Last 7 days".to_owned(),
            Self::Days30 => "Last 30 days".to_owned(),
            Self::Between(Some(from), None) => format!("From {}", day(from)),
            Self::Between(None, Some(to)) => format!("Until {}", until(to)),
            Self::Between(Some(from), Some(to)) => format!("{} to {}", day(from), until(to)),
            Self::Between(None, None) => "From and to, below".to_owned(),
        }
    }

    /// From when on, and before when, at `now`.
    pub fn limits(self, now: Timestamp) -> (Option<Timestamp>, Option<Timestamp>) {
        let millis = now.as_millis();
        let midnight = millis - millis.rem_euclid(DAY);
        let from = match self {
            Self::All => return (None, None),
            Self::Between(from, to) => return (from, to),
            Self::Today => midnight,
            Self::Hours24 => millis - DAY,
            // The first day of 1970 was a Thursday.
            Self::Week => midnight - (midnight / DAY + 3).rem_euclid(7) * DAY,
            Self::Days7 => millis - 7 * DAY,
            Self::Days30 => millis - 30 * DAY,
        };
        (Some(Timestamp::from_millis(from)), None)
    }
}

/// The last day before a moment, or the moment itself when it is not midnight.
fn until(to: Timestamp) -> String {
    match to.as_millis().rem_euclid(DAY) {
        0 => Timestamp::from_millis(to.as_millis() - DAY).utc_date(),
        _ => to.rfc3339(),
    }
}

/// What was done: one act, or several of a kind.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum What {
    /// One act by its name.
    Act(String),
    /// Acts of a kind.
    Group(Group),
}

/// Acts of a kind.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Group {
    /// Whatever changed something: neither sign-ins nor looks, nor what reviews add.
    Changes,
    /// What was done to gateways.
    Operations,
    /// Signing in and out, and typing the password again.
    SignIns,
    /// Reviews, and the answers to their questions.
    Reviews,
}

/// The actions of a group, as a list of what is in it or of what is not.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Acts {
    /// These.
    Only(&'static [&'static str]),
    /// All others.
    AllBut(&'static [&'static str]),
}

const SIGN_INS: &[&str] = &[act::SIGN_IN, act::SIGN_OUT, act::CONFIRM_IDENTITY];
const REVIEWS: &[&str] = &[act::REVIEW, act::ANSWER_QUESTION];
const OPERATIONS: &[&str] = &[
    "reconnect",
    "relink",
    "unlink",
    "wipe",
    "replace-link",
    "restart",
    "recreate",
    "install",
    "install-plugin",
    "stop",
    "start",
    "recover",
    "backup",
    "restore",
    "rotate-key",
    "rotate-device",
];
const NO_CHANGES: &[&str] = &[
    act::SIGN_IN,
    act::SIGN_OUT,
    act::CONFIRM_IDENTITY,
    act::VIEW_CODE,
    act::DOWNLOAD_LOGS,
    act::REMIND,
    act::VERIFY_AUDIT,
    act::EXPORT_AUDIT,
    act::ARCHIVE_AUDIT,
    act::REVIEW,
    act::ANSWER_QUESTION,
    "view-gateway",
    "view-phone-numbers",
    "view-logs",
    "view-audit",
    "view-people",
    "view-credentials",
    "review-audit",
];

impl Group {
    /// All of them.
    pub const ALL: [Self; 4] = [
        Self::Changes,
        Self::Operations,
        Self::SignIns,
        Self::Reviews,
    ];

    /// The word in URLs; no act has one of these.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Changes => "changes",
            Self::Operations => "operations",
            Self::SignIns => "sign-ins",
            Self::Reviews => "reviews",
        }
    }

    /// The words for people.
    pub const fn title(self) -> &'static str {
        match self {
            Self::Changes => "Changes only",
            Self::Operations => "Operations only",
            Self::SignIns => "Sign-ins only",
            Self::Reviews => "Reviews only",
        }
    }

    /// The actions that it is made of.
    pub const fn acts(self) -> Acts {
        match self {
            Self::Changes => Acts::AllBut(NO_CHANGES),
            Self::Operations => Acts::Only(OPERATIONS),
            Self::SignIns => Acts::Only(SIGN_INS),
            Self::Reviews => Acts::Only(REVIEWS),
        }
    }
}

impl What {
    /// The word in URLs.
    pub fn as_str(&self) -> &str {
        match self {
            Self::Act(act) => act,
            Self::Group(group) => group.as_str(),
        }
    }

    fn takes(&self, action: &str) -> bool {
        match self {
            Self::Act(act) => act == action,
            Self::Group(group) => match group.acts() {
                Acts::Only(acts) => acts.contains(&action),
                Acts::AllBut(acts) => !acts.contains(&action),
            },
        }
    }

    fn parse(word: &str) -> Option<Self> {
        if let Some(group) = Group::ALL.into_iter().find(|group| group.as_str() == word) {
            return Some(Self::Group(group));
        }
        // Acts of panels to come are words like these, too.
        let fits = word.len() <= 40
            && word.starts_with(|c: char| c.is_ascii_lowercase())
            && word
                .chars()
                .all(|c| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '-');
        fits.then(|| Self::Act(word.to_owned()))
    }
}

/// What is wrong with one field of a filter.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct BadField {
    /// Its name in the URL.
    pub field: &'static str,
    /// What is wrong and what helps.
    pub why: &'static str,
}

impl Filter {
    /// The names of its fields in a URL.
    pub const FIELDS: [&'static str; 9] = [
        "span",
        "from",
        "to",
        "person",
        "gateway",
        "what",
        "outcome",
        "operation",
        "text",
    ];

    /// Reads what `get` says of each of [`Filter::FIELDS`]; the empty text says nothing.
    ///
    /// # Errors
    /// Every field that cannot be read.
    pub fn read<'a>(get: impl Fn(&'static str) -> &'a str) -> Result<Self, Vec<BadField>> {
        let mut wrong = Vec::new();
        let get = |name| get(name).trim();
        let filter = Self {
            span: span(get("span"), get("from"), get("to"), &mut wrong),
            person: field(
                get("person"),
                "person",
                "Choose one of them.",
                &mut wrong,
                person,
            ),
            gateway: field(
                get("gateway"),
                "gateway",
                "There is no gateway of that name.",
                &mut wrong,
                |id| id.parse().ok(),
            ),
            what: field(
                get("what"),
                "what",
                "Choose one of them.",
                &mut wrong,
                What::parse,
            ),
            outcome: field(
                get("outcome"),
                "outcome",
                "Choose one of them.",
                &mut wrong,
                AuditOutcome::parse,
            ),
            operation: field(
                get("operation"),
                "operation",
                "Give the whole id of an operation, as it stands at the end of the address of its page.",
                &mut wrong,
                |id| id.parse::<Uuid>().ok().map(OperationId),
            ),
            text: field(
                get("text"),
                "text",
                "Search for something with letters or digits, 200 characters at most.",
                &mut wrong,
                |text| {
                    let fits = text.chars().count() <= LONGEST_TEXT
                        && text.chars().any(char::is_alphanumeric);
                    fits.then(|| text.to_owned())
                },
            ),
        };
        if wrong.is_empty() {
            Ok(filter)
        } else {
            Err(wrong)
        }
    }

    /// Names and values for a URL; [`Filter::read`] makes the same filter of them.
    pub fn pairs(&self) -> Vec<(&'static str, String)> {
        let mut pairs = Vec::new();
        match self.span {
            Span::All => {}
            Span::Between(from, to) => {
                pairs.push(("span", self.span.as_str().to_owned()));
                let from = from.map(|from| match from.as_millis().rem_euclid(DAY) {
                    0 => from.utc_date(),
                    _ => from.rfc3339(),
                });
                pairs.extend(from.map(|from| ("from", from)));
                pairs.extend(to.map(|to| ("to", until(to))));
            }
            named => pairs.push(("span", named.as_str().to_owned())),
        }
        let rest = [
            ("person", self.person.clone()),
            ("gateway", self.gateway.as_ref().map(ToString::to_string)),
            (
                "what",
                self.what.as_ref().map(|what| what.as_str().to_owned()),
            ),
            (
                "outcome",
                self.outcome.map(|outcome| outcome.as_str().to_owned()),
            ),
            ("operation", self.operation.map(|id| id.to_string())),
            ("text", self.text.clone()),
        ];
        pairs.extend(
            rest.into_iter()
                .filter_map(|(name, value)| Some((name, value?))),
        );
        pairs
    }

    /// Whether everything is let through.
    pub fn is_open(&self) -> bool {
        *self == Self::default()
    }

    /// Whether it searches for what may be a part of a phone number, which not everybody may see.
    pub fn seeks_number(&self) -> bool {
        let mut digits = 0;
        self.text.iter().flat_map(|text| text.chars()).any(|c| {
            digits = if c.is_ascii_digit() { digits + 1 } else { 0 };
            digits > FEW_DIGITS
        })
    }

    /// Whether an event is let through. A search in the database takes words apart in its own way, so that where it counts
    /// the database is asked; this one finds what has, for every word that is searched for, one that begins like it.
    pub fn takes(&self, event: &AuditEvent, now: Timestamp) -> bool {
        let what = &event.event;
        let (from, to) = self.span.limits(now);
        from.is_none_or(|from| event.at >= from)
            && to.is_none_or(|to| event.at < to)
            && self
                .person
                .as_ref()
                .is_none_or(|key| *key == what.actor.key())
            && self
                .gateway
                .as_ref()
                .is_none_or(|id| what.gateway.as_ref() == Some(id))
            && self
                .what
                .as_ref()
                .is_none_or(|wanted| wanted.takes(&what.action))
            && self.outcome.is_none_or(|outcome| outcome == what.outcome)
            && self.operation.is_none_or(|id| what.operation == Some(id))
            && self.text.as_ref().is_none_or(|text| has_words(event, text))
    }
}

fn has_words(event: &AuditEvent, text: &str) -> bool {
    let what = &event.event;
    let parts = [
        Some(what.actor.name()),
        what.target.as_deref(),
        what.reason.as_deref(),
        what.note.as_deref(),
    ];
    let words_of = |text: &str| -> Vec<String> {
        let text = text.to_lowercase();
        let words = text.split(|c: char| !c.is_alphanumeric());
        words
            .filter(|word| !word.is_empty())
            .map(str::to_owned)
            .collect()
    };
    let there: Vec<String> = parts.into_iter().flatten().flat_map(words_of).collect();
    words_of(text)
        .iter()
        .all(|word| there.iter().any(|one| one.starts_with(word)))
}

fn field<T>(
    value: &str,
    name: &'static str,
    why: &'static str,
    wrong: &mut Vec<BadField>,
    read: impl Fn(&str) -> Option<T>,
) -> Option<T> {
    if value.is_empty() {
        return None;
    }
    let read = read(value);
    if read.is_none() {
        wrong.push(BadField { field: name, why });
    }
    read
}

fn person(key: &str) -> Option<String> {
    let is_key = match key.split_once(':') {
        Some(("person", id)) => id.parse::<Uuid>().is_ok(),
        Some(("cli", user)) => !user.is_empty() && user.len() <= 64,
        Some(_) => false,
        None => matches!(key, "panel" | "nobody"),
    };
    is_key.then(|| key.to_owned())
}

const NO_MOMENT: &str =
    "Give a day, like 2026-11-22, or a moment, like 2026-11-22T02:14:05Z. Days are those of UTC.";

fn span(word: &str, from: &str, to: &str, wrong: &mut Vec<BadField>) -> Span {
    let named = Span::NAMED.into_iter().find(|span| span.as_str() == word);
    let days = !from.is_empty() || !to.is_empty();
    match (word, named) {
        ("" | "range", _) if !days && word.is_empty() => Span::All,
        ("" | "range", _) => {
            let begins = field(from, "from", NO_MOMENT, wrong, |text| moment(text, 0));
            let ends = field(to, "to", NO_MOMENT, wrong, |text| moment(text, DAY));
            if let (Some(from), Some(to)) = (begins, ends)
                && from >= to
            {
                wrong.push(BadField {
                    field: "to",
                    why: "This is before the day from which on you want to see events.",
                });
            }
            Span::Between(begins, ends)
        }
        (_, Some(_)) if days => {
            wrong.push(BadField {
                field: "span",
                why: "Choose “From and to, below”, or empty the two days.",
            });
            Span::All
        }
        (_, Some(named)) => named,
        (_, None) => {
            wrong.push(BadField {
                field: "span",
                why: "Choose one of them.",
            });
            Span::All
        }
    }
}

/// A day as the moment that lies `on` after its beginning, or a moment to the second.
fn moment(text: &str, on: i64) -> Option<Timestamp> {
    let day = Timestamp::parse_date(text);
    let moment = || Timestamp::parse_rfc3339(text);
    let millis = match day {
        Some(day) => day.as_millis() + on,
        None => moment()?.as_millis(),
    };
    // What the calendar of forms and columns has.
    let fits = (0..253_402_300_800_000).contains(&millis);
    fits.then(|| Timestamp::from_millis(millis - millis.rem_euclid(SECOND)))
}

/// The acts that a person may choose from by name: operations and the vocabulary; denials go by what was wanted.
pub fn operations() -> impl Iterator<Item = &'static str> {
    OPERATIONS.iter().copied()
}

/// Whether an action is one that [`Action`] knows as an operation on a gateway.
pub fn is_operation(action: &str) -> bool {
    OPERATIONS.contains(&action)
        && Action::ALL
            .into_iter()
            .any(|known| known.as_str() == action)
}

#[cfg(test)]
mod tests;
