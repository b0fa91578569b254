//! Counts of events, told by person and by kind of operation.

use std::collections::BTreeMap;

use crate::audit::filter::is_operation;
use crate::audit::{AuditOutcome, act};
use crate::gateway::GatewayId;

/// How many events there are of one kind.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Counted {
    /// Who, by [`Actor::key`](crate::person::Actor::key).
    pub who: String,
    /// What was done.
    pub action: String,
    /// With which outcome.
    pub outcome: AuditOutcome,
    /// Where.
    pub gateway: Option<GatewayId>,
    /// How many.
    pub count: u64,
    /// How many of them only go on with what another one began, as the rungs of a recovery do.
    pub again: u64,
}

/// Events by outcome, in the order of [`AuditOutcome::ALL`].
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
struct Outcomes([u64; 5]);

impl Outcomes {
    fn add(&mut self, counted: &Counted) {
        let known = AuditOutcome::ALL.iter().zip(&mut self.0);
        for (_, slot) in known.filter(|(one, _)| **one == counted.outcome) {
            *slot += counted.count.saturating_sub(counted.again);
        }
    }

    fn of(self, outcome: AuditOutcome) -> u64 {
        let known = AuditOutcome::ALL.iter().zip(self.0);
        known
            .filter(|(one, _)| **one == outcome)
            .map(|(_, count)| count)
            .sum()
    }

    fn ended(self) -> u64 {
        self.of(AuditOutcome::Succeeded) + self.not_done()
    }

    fn not_done(self) -> u64 {
        self.of(AuditOutcome::Failed) + self.of(AuditOutcome::Undone)
    }

    /// How often it was tried: what was asked for and what became of it are one; a denial was never begun.
    fn tried(self) -> u64 {
        self.ended().max(self.of(AuditOutcome::Requested)) + self.of(AuditOutcome::Denied)
    }
}

/// What everybody did.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct People {
    /// Whoever did most first.
    pub each: Vec<Person>,
    refused_sign_ins: u64,
}

/// What one of them did.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Person {
    /// By [`Actor::key`](crate::person::Actor::key).
    pub key: String,
    /// In words.
    pub name: String,
    /// How many events there are of them.
    pub events: u64,
    /// How often each act was done or tried, the most first.
    pub acts: Vec<Acted>,
}

/// An act and how often.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Acted {
    /// Its name.
    pub action: String,
    /// How often.
    pub times: u64,
    /// How often of these it failed or was put back.
    pub failed: u64,
    /// How often it was denied.
    pub denied: u64,
}

impl People {
    /// All events.
    pub fn events(&self) -> u64 {
        self.each.iter().map(|one| one.events).sum()
    }

    /// How many of them are people who sign in.
    pub fn persons(&self) -> u64 {
        let persons = self.each.iter();
        persons.filter(|one| one.key.starts_with("person:")).count() as u64
    }

    /// How many sign-ins were refused.
    pub const fn refused_sign_ins(&self) -> u64 {
        self.refused_sign_ins
    }
}

/// Who did what; `names` are those of actors by their key.
pub fn people(counts: &[Counted], names: &[(String, String)]) -> People {
    let mut found: BTreeMap<&str, (u64, BTreeMap<&str, Outcomes>)> = BTreeMap::new();
    let mut refused_sign_ins = 0;
    for one in counts {
        let (events, acts) = found.entry(&one.who).or_default();
        *events += one.count;
        acts.entry(&one.action).or_default().add(one);
        if one.action == act::SIGN_IN && one.outcome == AuditOutcome::Denied {
            refused_sign_ins += one.count;
        }
    }
    let mut each: Vec<Person> = found
        .into_iter()
        .map(|(key, (events, acts))| person(key, events, acts, names))
        .collect();
    each.sort_by(|one, other| (other.events, &one.name).cmp(&(one.events, &other.name)));
    People {
        each,
        refused_sign_ins,
    }
}

fn person(
    key: &str,
    events: u64,
    acts: BTreeMap<&str, Outcomes>,
    names: &[(String, String)],
) -> Person {
    let name = names.iter().find(|(known, _)| known == key);
    let mut acts: Vec<Acted> = acts
        .into_iter()
        .map(|(action, outcomes)| Acted {
            action: action.to_owned(),
            times: outcomes.tried(),
            failed: outcomes.not_done(),
            denied: outcomes.of(AuditOutcome::Denied),
        })
        .collect();
    acts.sort_by(|one, other| (other.times, &one.action).cmp(&(one.times, &other.action)));
    Person {
        key: key.to_owned(),
        name: who(key, name.map_or("", |(_, name)| name)),
        events,
        acts,
    }
}

/// An actor in words, by key and by the name that they had last.
pub fn who(key: &str, name: &str) -> String {
    match key.split_once(':') {
        None if key == "panel" => "The panel itself".to_owned(),
        None => "Somebody not signed in".to_owned(),
        Some(("cli", user)) => format!("{user}, on the command line"),
        Some(_) if name.is_empty() => "Somebody unknown".to_owned(),
        Some(_) => name.to_owned(),
    }
}

/// One kind of operation and what became of it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Kind {
    /// Its name.
    pub action: String,
    outcomes: Outcomes,
}

impl Kind {
    /// How many ended with an outcome; of those that were asked for, how many have not ended in that time.
    pub fn of(&self, outcome: AuditOutcome) -> u64 {
        match outcome {
            AuditOutcome::Requested => {
                let asked = self.outcomes.of(AuditOutcome::Requested);
                asked.saturating_sub(self.outcomes.ended())
            }
            other => self.outcomes.of(other),
        }
    }

    /// All of them.
    pub fn total(&self) -> u64 {
        self.outcomes.tried()
    }

    /// Those that failed, were put back or were denied.
    pub fn not_done(&self) -> u64 {
        self.outcomes.not_done() + self.outcomes.of(AuditOutcome::Denied)
    }
}

/// Operations by kind, the most frequent first.
pub fn kinds(counts: &[Counted]) -> Vec<Kind> {
    let mut found: BTreeMap<&str, Outcomes> = BTreeMap::new();
    for one in counts.iter().filter(|one| is_operation(&one.action)) {
        found.entry(&one.action).or_default().add(one);
    }
    let mut kinds: Vec<Kind> = found
        .into_iter()
        .map(|(action, outcomes)| Kind {
            action: action.to_owned(),
            outcomes,
        })
        .collect();
    kinds.sort_by(|one, other| (other.total(), &one.action).cmp(&(one.total(), &other.action)));
    kinds
}
