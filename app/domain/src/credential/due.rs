//! When a credential has to be changed: decided from what is known of it and the time alone.

use std::time::Duration;

use super::entry::{Credential, Snooze};
use super::seen::{Ends, Seen};
use crate::fact::State;
use crate::time::Timestamp;

/// A day.
const DAY: Duration = Duration::from_secs(86_400);

/// How near it is, as far as somebody is reminded.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Stage {
    /// Within 30 days.
    Month,
    /// Within 14 days.
    Fortnight,
    /// Within 7 days.
    Week,
    /// Within a day.
    Day,
    /// Over.
    Overdue,
}

impl Stage {
    /// Every stage, in the order in which they come.
    pub const ALL: [Self; 5] = [
        Self::Month,
        Self::Fortnight,
        Self::Week,
        Self::Day,
        Self::Overdue,
    ];

    /// How many days before it is due; none once it is over.
    pub const fn days(self) -> u16 {
        match self {
            Self::Month => 30,
            Self::Fortnight => 14,
            Self::Week => 7,
            Self::Day => 1,
            Self::Overdue => 0,
        }
    }

    /// The word that is stored.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Month => "30-days",
            Self::Fortnight => "14-days",
            Self::Week => "7-days",
            Self::Day => "1-day",
            Self::Overdue => "overdue",
        }
    }

    /// The stage of a stored word.
    pub fn parse(word: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|stage| stage.as_str() == word)
    }
}

/// Whether a credential has to be changed, and when.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Due {
    /// By no date: something else says when.
    Never,
    /// Nobody told when it was last changed, and the panel cannot see it.
    Unknown {
        /// At the latest then: counted from when the register began to list it.
        at_latest: Option<Timestamp>,
    },
    /// Then, and nobody need think of it yet.
    Fine {
        /// When.
        at: Timestamp,
    },
    /// Then, and that is soon.
    Soon {
        /// When.
        at: Timestamp,
        /// How near that is.
        stage: Stage,
    },
    /// It should have been changed.
    Overdue {
        /// When.
        since: Timestamp,
    },
    /// It is due soon or overdue, and somebody said why that can wait.
    Snoozed {
        /// Until then.
        until: Timestamp,
        /// When it is due.
        at: Timestamp,
    },
}

impl Due {
    /// When it is due, as far as that is known.
    pub const fn at(self) -> Option<Timestamp> {
        match self {
            Self::Never => None,
            Self::Unknown { at_latest } => at_latest,
            Self::Fine { at } | Self::Soon { at, .. } | Self::Snoozed { at, .. } => Some(at),
            Self::Overdue { since } => Some(since),
        }
    }

    /// The reminder that is due now.
    pub const fn stage(self) -> Option<Stage> {
        match self {
            Self::Soon { stage, .. } => Some(stage),
            Self::Overdue { .. } => Some(Stage::Overdue),
            Self::Never | Self::Unknown { .. } | Self::Fine { .. } | Self::Snoozed { .. } => None,
        }
    }

    /// As the state of a fact; `None` where there is nothing to be good or bad.
    pub const fn state(self) -> Option<State> {
        match self {
            Self::Never | Self::Snoozed { .. } => None,
            Self::Unknown { .. } => Some(State::Unknown),
            Self::Fine { .. } => Some(State::Ok),
            Self::Soon { .. } => Some(State::Warn),
            Self::Overdue { .. } => Some(State::Down),
        }
    }

    /// `due in 12 days`, `overdue by 3 days`, `snoozed`: as short as can be.
    pub fn short(self, now: Timestamp) -> String {
        match self {
            Self::Unknown { .. } => "age not known".to_owned(),
            Self::Snoozed { .. } => "snoozed".to_owned(),
            Self::Never | Self::Fine { .. } | Self::Soon { .. } | Self::Overdue { .. } => {
                self.words(now)
            }
        }
    }

    /// The same with all that there is to say.
    pub fn words(self, now: Timestamp) -> String {
        match self {
            Self::Never => "no date".to_owned(),
            Self::Unknown { at_latest: None } => "not known".to_owned(),
            Self::Unknown {
                at_latest: Some(at),
            } => format!("age not known, {} at the latest", against(at, now)),
            Self::Fine { at } | Self::Soon { at, .. } => against(at, now),
            Self::Overdue { since } => against(since, now),
            Self::Snoozed { until, at } => {
                format!("snoozed until {}, {}", until.utc_date(), against(at, now))
            }
        }
    }
}

/// When `credential` has to be changed.
pub(super) fn due(credential: &Credential, seen: Seen, now: Timestamp) -> Due {
    let (at, interval) = match (seen.ends, credential.interval_days) {
        (Some(Ends::InGoodTime(at)), _) => return Due::Fine { at },
        (Some(Ends::Soon(at)), _) => (at, None),
        (None, _) if credential.kind.ends_by_itself() => {
            return Due::Unknown { at_latest: None };
        }
        (None, None) => return Due::Never,
        (None, Some(days)) => {
            let begun = credential.begun(seen);
            let from = begun.unwrap_or(credential.added_at);
            let at = from.plus(DAY * u32::from(days));
            if begun.is_none() && stage(at, Some(days), now).is_none() {
                return Due::Unknown {
                    at_latest: Some(at),
                };
            }
            (at, Some(days))
        }
    };
    let near = match stage(at, interval, now) {
        None => return Due::Fine { at },
        Some(Stage::Overdue) => Due::Overdue { since: at },
        Some(stage) => Due::Soon { at, stage },
    };
    match credential.snoozed.as_ref().map(Snooze::until) {
        Some(until) if until > now => Due::Snoozed { until, at },
        _ => near,
    }
}

/// How near `at` is. What is changed every fortnight is not called due a fortnight before.
fn stage(at: Timestamp, interval: Option<u16>, now: Timestamp) -> Option<Stage> {
    if at <= now {
        return Some(Stage::Overdue);
    }
    let left = at.since(now);
    let mut nearest_first = Stage::ALL.into_iter().rev();
    nearest_first.find(|stage| {
        interval.is_none_or(|interval| stage.days() < interval)
            && left <= DAY * u32::from(stage.days())
    })
}

/// `due in 12 days` or `overdue by 3 days`.
fn against(at: Timestamp, now: Timestamp) -> String {
    if at > now {
        format!("due in {}", left(at.since(now)))
    } else {
        format!("overdue by {}", span(now.since(at)))
    }
}

/// Days that have begun count: what is due in thirty days is so on the whole of that day.
fn left(of: Duration) -> String {
    if of < DAY {
        span(of)
    } else {
        crate::words::count(of.as_secs().div_ceil(DAY.as_secs()), "day", "days")
    }
}

/// In days; in hours and minutes only when it is less than one.
pub(super) fn span(of: Duration) -> String {
    let minutes = of.as_secs() / 60;
    match minutes {
        0..60 => crate::words::count(minutes.max(1), "minute", "minutes"),
        60..1_440 => crate::words::count(minutes / 60, "hour", "hours"),
        _ => crate::words::count(minutes / 1_440, "day", "days"),
    }
}
