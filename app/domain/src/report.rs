//! The monthly report: who did what and how often, what was down, what was rotated, what was odd about sign-ins, and
//! whether the trail that all of it comes from is whole.

mod month;
mod outages;
mod tally;

use crate::audit::{AuditEvent, Checkpoint, Hash, PublicKey};
use crate::credential::{Credential, Due, Listed, Rotation};
use crate::gateway::{Gateway, GatewayId};
use crate::history::Transition;
use crate::ports::ChainStanding;
use crate::review::{Review, Verdict};
use crate::time::Timestamp;
use crate::words::{self, thousands};

pub use month::Month;
pub use outages::{OUTAGE_OF, Outage, outages};
pub use tally::{Acted, Counted, Kind, People, Person, kinds, people, who};

/// The most accounts whose refused sign-ins are listed, and the most events of a kind.
pub const LISTED: usize = 50;
/// The most events that are counted as not reviewed in time.
pub const COUNTED: u64 = 1_000;

/// What the database knows of a month.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Facts {
    /// Events by who, what, with which outcome and where.
    pub counts: Vec<Counted>,
    /// Refused sign-ins by account, the most first; one more than [`LISTED`] when there are more.
    pub refused: Vec<Refused>,
    /// New browsers, second factors removed and passwords reset, newest first; one more than [`LISTED`] when there are
    /// more.
    pub marked: Vec<AuditEvent>,
    /// How many checkpoints were made.
    pub checkpoints: u64,
    /// The last one of them.
    pub checkpoint: Option<Checkpoint>,
    /// How often the whole chain was checked.
    pub checks: u64,
    /// How many of these checks found something.
    pub broken: u64,
    /// Changes of facts, oldest first, with the last one of each before the month.
    pub transitions: Vec<Transition>,
    /// The register as it stood at the end of the month.
    pub credentials: Vec<Credential>,
    /// What was rotated, oldest first.
    pub rotations: Vec<Rotated>,
    /// Who reviewed how much.
    pub reviews: Vec<Reviewed>,
    /// Questions that nobody had answered at the end of the month, oldest first.
    pub questions: Vec<Review>,
    /// How many events nobody had reviewed in time by then; no more than [`COUNTED`] are counted.
    pub late: u64,
    /// When the oldest of them was.
    pub late_since: Option<Timestamp>,
}

/// Sign-ins that were refused.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Refused {
    /// For which account; `None` where none was named.
    pub account: Option<String>,
    /// How often.
    pub count: u64,
    /// From how many addresses.
    pub addresses: u64,
    /// The last time.
    pub last_at: Timestamp,
}

/// A credential that was rotated.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Rotated {
    /// Its title.
    pub title: String,
    /// Of which gateway.
    pub gateway: Option<GatewayId>,
    /// How.
    pub rotation: Rotation,
}

/// What somebody reviewed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Reviewed {
    /// Their name.
    pub by: String,
    /// What they said.
    pub verdict: Verdict,
    /// In how many reviews.
    pub reviews: u64,
    /// Of how many events.
    pub events: u64,
}

/// The outages of one gateway.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Down {
    /// Which one.
    pub gateway: Gateway,
    /// Oldest first.
    pub outages: Vec<Outage>,
}

impl Down {
    /// How many of them were the work of operations.
    pub fn planned(&self) -> u64 {
        self.outages.iter().filter(|one| one.planned).count() as u64
    }

    /// All of them together.
    pub fn total(&self) -> std::time::Duration {
        self.outages.iter().map(Outage::lasted).sum()
    }

    /// The longest.
    pub fn longest(&self) -> std::time::Duration {
        let each = self.outages.iter().map(Outage::lasted);
        each.max().unwrap_or_default()
    }
}

/// A month, told.
#[derive(Clone, Debug)]
pub struct Report {
    /// Which one.
    pub month: Month,
    /// When it was told: a month that is not over ends then.
    pub at: Timestamp,
    /// What the database knows of it.
    pub facts: Facts,
    /// Who did what, whoever did most first.
    pub people: People,
    /// What was done to gateways, by kind.
    pub operations: Vec<Kind>,
    /// What was down, by gateway.
    pub down: Vec<Down>,
    /// What was overdue at the end of the month.
    pub overdue: Vec<Listed>,
    /// What is known of the chain now.
    pub chain: ChainStanding,
}

impl Report {
    /// Tells a month. `credentials` is the register as of its end; `names` are those of actors by their key.
    pub fn new(
        month: Month,
        at: Timestamp,
        facts: Facts,
        names: &[(String, String)],
        gateways: Vec<Gateway>,
        credentials: Vec<Listed>,
        chain: ChainStanding,
    ) -> Self {
        let (from, to) = (month.begins(), month.ends().min(at));
        let down = gateways.into_iter().map(|gateway| {
            let own = facts.transitions.iter();
            let own: Vec<Transition> = own
                .filter(|change| change.gateway == gateway.id)
                .cloned()
                .collect();
            Down {
                outages: outages(&own, from, to),
                gateway,
            }
        });
        let is_overdue = |listed: &Listed| matches!(listed.due, Due::Overdue { .. });
        Self {
            month,
            at,
            people: people(&facts.counts, names),
            operations: kinds(&facts.counts),
            down: down.collect(),
            overdue: credentials.into_iter().filter(is_overdue).collect(),
            chain,
            facts,
        }
    }

    /// Whether the month is over.
    pub fn is_whole(&self) -> bool {
        self.month.ends() <= self.at
    }

    /// Whether anything was recorded in it.
    pub fn is_empty(&self) -> bool {
        self.facts.counts.is_empty()
    }

    /// The month in some sentences.
    pub fn summary(&self) -> Vec<String> {
        vec![
            self.acts_in_words(),
            self.outages_in_words(),
            self.credentials_in_words(),
            self.sign_ins_in_words(),
            self.reviews_in_words(),
            self.chain_in_words(),
        ]
    }

    fn acts_in_words(&self) -> String {
        let month = self.month.title();
        if self.is_empty() {
            return format!("Nothing was recorded in {month}.");
        }
        let events = count(
            self.people.events(),
            "event was recorded",
            "events were recorded",
        );
        let by = words::count(self.people.persons(), "person", "people");
        let operations: u64 = self.operations.iter().map(Kind::total).sum();
        let bad: u64 = self.operations.iter().map(Kind::not_done).sum();
        let done = match (operations, bad) {
            (0, _) => "no gateway was touched".to_owned(),
            (1, 0) => "the one operation on a gateway was done".to_owned(),
            (all, 0) => format!("all {} operations on gateways were done", thousands(all)),
            (all, bad) => format!(
                "{} of {} on gateways {} not done",
                thousands(bad),
                count(all, "operation", "operations"),
                if bad == 1 { "was" } else { "were" },
            ),
        };
        format!("{events} in {month}, of {by}; {done}.")
    }

    fn outages_in_words(&self) -> String {
        let outages: u64 = self.down.iter().map(|one| one.outages.len() as u64).sum();
        let planned: u64 = self.down.iter().map(Down::planned).sum();
        let total: std::time::Duration = self.down.iter().map(Down::total).sum();
        match (outages, planned) {
            (0, _) => "No gateway was down.".to_owned(),
            (all, 0) => format!(
                "Gateways were down {}, {} in all.",
                count(all, "time", "times"),
                words::duration(total)
            ),
            (all, planned) => format!(
                "Gateways were down {}, {} of them planned, {} in all.",
                count(all, "time", "times"),
                thousands(planned),
                words::duration(total),
            ),
        }
    }

    fn credentials_in_words(&self) -> String {
        let rotated = match self.facts.rotations.len() as u64 {
            0 => "No credential was rotated".to_owned(),
            number => count(number, "rotation was noted", "rotations were noted"),
        };
        let end = if self.is_whole() { "at its end" } else { "now" };
        match self.overdue.len() as u64 {
            0 => format!("{rotated}, and none was overdue {end}."),
            1 => format!("{rotated}, and 1 credential was overdue {end}."),
            number => format!("{rotated}, and {number} credentials were overdue {end}."),
        }
    }

    fn sign_ins_in_words(&self) -> String {
        let refused = self.people.refused_sign_ins();
        let refused = match refused {
            0 => "No sign-in was refused".to_owned(),
            number => count(number, "sign-in was refused", "sign-ins were refused"),
        };
        match self.facts.marked.len() {
            0 => format!("{refused}."),
            number if number > LISTED => {
                format!("{refused}; more than {LISTED} new browsers and changed ways in.")
            }
            number => format!(
                "{refused}; {} about new browsers and ways in.",
                count(number as u64, "event", "events")
            ),
        }
    }

    fn reviews_in_words(&self) -> String {
        let reviews: u64 = self.facts.reviews.iter().map(|one| one.reviews).sum();
        let reviews = match reviews {
            0 => "Nothing was reviewed".to_owned(),
            number => count(number, "review was made", "reviews were made"),
        };
        let open = match self.facts.questions.len() as u64 {
            0 => "no question was open".to_owned(),
            number => count(number, "question was open", "questions were open"),
        };
        let late = match self.facts.late {
            0 => "no event waited too long".to_owned(),
            number if number >= COUNTED => {
                format!("{} events or more waited too long", thousands(COUNTED))
            }
            number => count(number, "event waited too long", "events waited too long"),
        };
        format!("{reviews}; {open}, and {late}.")
    }

    fn chain_in_words(&self) -> String {
        let checks = match (self.facts.checks, self.facts.broken) {
            (0, _) => "The chain was not checked in that time.".to_owned(),
            (checks, 0) => format!(
                "The chain was checked {} and was whole each time.",
                count(checks, "time", "times")
            ),
            (checks, broken) => format!(
                "The chain was checked {} and was broken in {} of them.",
                count(checks, "time", "times"),
                thousands(broken)
            ),
        };
        match &self.chain.last {
            None => checks,
            Some(last) => format!("{checks} Now: {}", last.sentence()),
        }
    }
}

/// `1 event`, `1,234 events`.
fn count(number: u64, one: &str, many: &str) -> String {
    format!(
        "{} {}",
        thousands(number),
        if number == 1 { one } else { many }
    )
}

/// What tells public keys apart at a glance: the first 16 digits of the SHA-256 of the key's bytes, in fours.
pub fn fingerprint(key: &PublicKey) -> String {
    let digits = Hash::of(&key.0).to_string();
    let digits = digits.get(..16).unwrap_or_default();
    let fours = digits.as_bytes().chunks(4);
    let fours: Vec<_> = fours.map(String::from_utf8_lossy).collect();
    fours.join(" ")
}

#[cfg(test)]
mod tests;
