//! Outages of a gateway: the stretches in which at least one of its facts was down.

use std::collections::BTreeMap;
use std::time::Duration;

use crate::fact::{FactKind, State};
use crate::history::Transition;
use crate::time::Timestamp;

/// The facts whose being down is an outage.
pub const OUTAGE_OF: [FactKind; 4] = [
    FactKind::Edge,
    FactKind::Process,
    FactKind::Container,
    FactKind::Session,
];

/// A stretch in which a gateway was down.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Outage {
    /// Since when, within the span that was asked for.
    pub from: Timestamp,
    /// Until when, within it.
    pub to: Timestamp,
    /// All of it was the work of operations.
    pub planned: bool,
}

impl Outage {
    /// How long it lasted.
    pub fn lasted(&self) -> Duration {
        self.to.since(self.from)
    }
}

/// The outages between two moments. `transitions` are those of one gateway, oldest first; the last ones before `from`
/// included, so that what was down then is known.
pub fn outages(transitions: &[Transition], from: Timestamp, to: Timestamp) -> Vec<Outage> {
    let mut down: BTreeMap<&'static str, bool> = BTreeMap::new();
    let mut found = Vec::new();
    let mut open: Option<(Timestamp, bool)> = None;
    let own = transitions
        .iter()
        .filter(|change| OUTAGE_OF.contains(&change.fact) && change.at < to);
    for change in own {
        if change.to == State::Down {
            down.insert(change.fact.as_str(), change.operation.is_some());
        } else {
            down.remove(change.fact.as_str());
        }
        let planned = down.values().all(|planned| *planned);
        open = match (open, down.is_empty()) {
            (None, true) => None,
            (None, false) => Some((change.at, planned)),
            (Some((since, before)), false) => Some((since, before && planned)),
            (Some((since, planned)), true) => {
                found.extend(clipped(since, change.at, planned, from, to));
                None
            }
        };
    }
    if let Some((since, planned)) = open {
        found.extend(clipped(since, to, planned, from, to));
    }
    found
}

/// The part of it that lies between two moments.
fn clipped(
    since: Timestamp,
    until: Timestamp,
    planned: bool,
    from: Timestamp,
    to: Timestamp,
) -> Option<Outage> {
    let (since, until) = (since.max(from), until.min(to));
    (since < until).then_some(Outage {
        from: since,
        to: until,
        planned,
    })
}

#[cfg(test)]
mod tests {
    use uuid::Uuid;

    use super::*;
    use crate::operation::OperationId;

    fn change(at: i64, fact: FactKind, to: State, planned: bool) -> Transition {
        Transition {
            gateway: "g".parse().unwrap(),
            fact,
            from: None,
            to,
            headline: String::new(),
            reason: String::new(),
            at: Timestamp::from_millis(at),
            operation: planned.then_some(OperationId(Uuid::nil())),
            planned_by: None,
        }
    }

    fn told(changes: &[Transition], from: i64, to: i64) -> Vec<(i64, i64, bool)> {
        outages(
            changes,
            Timestamp::from_millis(from),
            Timestamp::from_millis(to),
        )
        .iter()
        .map(|one| (one.from.as_millis(), one.to.as_millis(), one.planned))
        .collect()
    }

    #[test]
    fn facts_that_are_down_together_are_one_outage_and_other_facts_are_none() {
        use FactKind::{Config, Edge, Session};
        use State::{Down, Ok, Warn};
        let changes = [
            change(5, Edge, Down, false),
            change(20, Session, Down, true),
            change(30, Edge, Ok, false),
            change(40, Session, Warn, false),
            change(50, Config, Down, false),
            change(60, Edge, Down, true),
            change(70, Edge, Ok, true),
            change(90, Session, Down, false),
        ];
        // What was down before counts from the beginning on, and what lasts counts to the end.
        assert_eq!(
            told(&changes, 10, 100),
            [(10, 40, false), (60, 70, true), (90, 100, false)]
        );
        assert_eq!(told(&changes, 40, 60), []);
        assert_eq!(told(&[], 0, 100), []);
    }
}
