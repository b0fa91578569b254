//! Events as stories: what belongs to one operation is one, and a row of the same refused sign-ins is one.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use super::filter::is_operation;
use super::{AuditEvent, AuditOutcome, act};
use crate::operation::OperationId;
use crate::person::Actor;
use crate::time::Timestamp;

/// Events that are told as one.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Story {
    /// What makes them one.
    pub kind: Kind,
    /// Oldest first; never empty when made by [`stories`].
    pub events: Vec<AuditEvent>,
    /// How long a gateway had been down when its operation was asked for.
    pub outage: Option<Duration>,
}

/// What makes events one story.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// There is only one.
    Single,
    /// They belong to an operation.
    Operation(OperationId),
    /// Sign-ins were refused: the same one time after the other, or all that were ([`fold_refused`]).
    Refused,
}

/// Tells `listed` (newest first) as stories, newest first. `whole` are all events of the operations in it; an operation is
/// told where its newest event is listed, and not again where `is_told` says that this one was on a page before.
pub fn stories(
    listed: Vec<AuditEvent>,
    whole: Vec<AuditEvent>,
    is_told: impl Fn(&AuditEvent) -> bool,
) -> Vec<Story> {
    let mut operations: BTreeMap<OperationId, Vec<AuditEvent>> = BTreeMap::new();
    for event in whole {
        if let Some(id) = event.event.operation {
            operations.entry(id).or_default().push(event);
        }
    }
    let mut seen = BTreeSet::new();
    let mut told: Vec<Story> = Vec::new();
    for event in listed {
        if let Some(id) = event.event.operation {
            if !seen.insert(id) {
                continue;
            }
            let mut events = operations.remove(&id).unwrap_or_default();
            if events.iter().any(&is_told) {
                continue;
            }
            if events.is_empty() {
                events.push(event);
            }
            events.sort_by_key(|event| event.sequence);
            told.push(Story::of(Kind::Operation(id), events));
        } else if let Some(last) = told.last_mut().filter(|last| last.goes_on_with(&event)) {
            last.kind = Kind::Refused;
            last.events.insert(0, event);
        } else {
            told.push(Story::of(Kind::Single, vec![event]));
        }
    }
    told
}

/// The same with all refused sign-ins as one story, where the newest of them is: who tries many names in turn makes one
/// row, and not one for each name.
pub fn fold_refused(told: Vec<Story>) -> Vec<Story> {
    let mut folded: Vec<Story> = Vec::new();
    let mut refused: Option<usize> = None;
    for story in told {
        let is_refused = story.events.iter().all(is_refused_sign_in);
        match refused.filter(|_| is_refused) {
            Some(first) => {
                if let Some(first) = folded.get_mut(first) {
                    first.kind = Kind::Refused;
                    first.events.extend(story.events);
                }
            }
            None => {
                if is_refused {
                    refused = Some(folded.len());
                }
                folded.push(story);
            }
        }
    }
    if let Some(story) = refused.and_then(|first| folded.get_mut(first)) {
        story.events.sort_by_key(|event| event.sequence);
    }
    folded
}

fn is_refused_sign_in(event: &AuditEvent) -> bool {
    event.event.action == act::SIGN_IN && event.event.outcome == AuditOutcome::Denied
}

impl Story {
    fn of(kind: Kind, events: Vec<AuditEvent>) -> Self {
        Self {
            kind,
            events,
            outage: None,
        }
    }

    /// Whether an older event is the same refused sign-in.
    fn goes_on_with(&self, older: &AuditEvent) -> bool {
        let same = |event: &AuditEvent| event.event.target == older.event.target;
        is_refused_sign_in(older)
            && self
                .events
                .iter()
                .all(|event| is_refused_sign_in(event) && same(event))
    }

    /// The event that tells the most: how an operation ended, or the newest one.
    pub fn main(&self) -> Option<&AuditEvent> {
        let ended = |event: &&AuditEvent| {
            is_operation(&event.event.action) && event.event.outcome != AuditOutcome::Requested
        };
        let asked = |event: &&AuditEvent| is_operation(&event.event.action);
        match self.kind {
            Kind::Operation(_) => self
                .events
                .iter()
                .rfind(ended)
                .or_else(|| self.events.iter().find(asked))
                .or(self.events.last()),
            _ => self.events.last(),
        }
    }

    /// When it began: an operation when it was asked for.
    pub fn began(&self) -> Timestamp {
        self.events
            .first()
            .map_or(Timestamp::default(), |event| event.at)
    }

    /// Who asked for it.
    pub fn actor(&self) -> Option<&Actor> {
        self.main().map(|event| &event.event.actor)
    }

    /// The reason that was given.
    pub fn reason(&self) -> Option<&str> {
        self.main()?.event.reason.as_deref()
    }

    /// How long it took.
    pub fn took(&self) -> Option<Duration> {
        self.main()?.event.duration_ms.map(Duration::from_millis)
    }

    /// What else was said, oldest first, each once.
    pub fn notes(&self) -> Vec<&str> {
        let mut notes: Vec<&str> = Vec::new();
        for event in &self.events {
            if let Some(note) = event.event.note.as_deref()
                && !notes.contains(&note)
            {
                notes.push(note);
            }
        }
        notes
    }

    /// When its last event was.
    pub fn ended(&self) -> Timestamp {
        self.events
            .last()
            .map_or(Timestamp::default(), |event| event.at)
    }

    /// The names that its events were about, each once.
    pub fn targets(&self) -> BTreeSet<&str> {
        let targets = self.events.iter();
        targets
            .filter_map(|event| event.event.target.as_deref())
            .collect()
    }

    /// The addresses that it came from, each once.
    pub fn addresses(&self) -> BTreeSet<&str> {
        let actors = self.events.iter();
        actors
            .filter_map(|event| event.event.actor.address())
            .collect()
    }

    /// The numbers of its events, oldest first.
    pub fn sequences(&self) -> Vec<i64> {
        self.events.iter().map(|event| event.sequence).collect()
    }
}

#[cfg(test)]
mod tests {
    use uuid::Uuid;

    use super::*;
    use crate::audit::NewAuditEvent;

    fn event(
        sequence: i64,
        action: &str,
        operation: Option<u128>,
        outcome: AuditOutcome,
    ) -> AuditEvent {
        AuditEvent {
            sequence,
            id: Uuid::from_u128(sequence.unsigned_abs().into()),
            at: Timestamp::from_millis(sequence * 1_000),
            event: NewAuditEvent {
                operation: operation.map(|id| OperationId(Uuid::from_u128(id))),
                target: Some("anna".to_owned()),
                note: Some(format!("note {}", sequence % 2)),
                duration_ms: (outcome == AuditOutcome::Succeeded).then_some(1_500),
                ..NewAuditEvent::new(Actor::Panel, action, outcome)
            },
        }
    }

    fn numbers(stories: &[Story]) -> Vec<Vec<i64>> {
        stories.iter().map(Story::sequences).collect()
    }

    #[test]
    fn an_operation_is_one_story_with_all_of_it_where_its_newest_event_is() {
        let whole = vec![
            event(1, "restart", Some(7), AuditOutcome::Requested),
            event(3, act::CANCEL_OPERATION, Some(7), AuditOutcome::Requested),
            event(5, "restart", Some(7), AuditOutcome::Succeeded),
        ];
        let listed = vec![
            event(6, act::SIGN_OUT, None, AuditOutcome::Succeeded),
            whole[2].clone(),
            event(4, act::SIGN_IN, None, AuditOutcome::Succeeded),
            whole[1].clone(),
        ];
        let told = stories(listed.clone(), whole.clone(), |_| false);
        assert_eq!(numbers(&told), [vec![6], vec![1, 3, 5], vec![4]]);
        let story = &told[1];
        assert_eq!(story.main().map(|event| event.sequence), Some(5));
        assert_eq!(story.took(), Some(Duration::from_millis(1_500)));
        assert_eq!(story.notes(), ["note 1"]);
        assert_eq!(story.began(), Timestamp::from_millis(1_000));
        // On the page before.
        let told = stories(listed, whole, |event| event.sequence >= 5);
        assert_eq!(numbers(&told), [vec![6], vec![4]]);
    }

    #[test]
    fn one_that_runs_is_told_by_what_was_asked_for() {
        let whole = vec![
            event(1, "restart", Some(7), AuditOutcome::Requested),
            event(3, act::CANCEL_OPERATION, Some(7), AuditOutcome::Requested),
        ];
        let told = stories(vec![whole[1].clone()], whole, |_| false);
        assert_eq!(told[0].main().map(|event| event.sequence), Some(1));
        // What the database does not know any more is told by what is listed.
        let alone = stories(
            vec![event(3, "restart", Some(8), AuditOutcome::Failed)],
            Vec::new(),
            |_| false,
        );
        assert_eq!(numbers(&alone), [vec![3]]);
    }

    #[test]
    fn the_same_refused_sign_in_is_folded_and_another_one_is_not() {
        let refused = |sequence| event(sequence, act::SIGN_IN, None, AuditOutcome::Denied);
        let mut other = refused(4);
        other.event.target = Some("ben".to_owned());
        let listed = vec![
            refused(9),
            refused(8),
            event(7, act::SIGN_IN, None, AuditOutcome::Succeeded),
            refused(6),
            refused(5),
            other,
            refused(3),
        ];
        let told = stories(listed, Vec::new(), |_| false);
        assert_eq!(
            numbers(&told),
            [vec![8, 9], vec![7], vec![5, 6], vec![4], vec![3]]
        );
        assert_eq!(told[0].kind, Kind::Refused);
        assert_eq!(told[4].kind, Kind::Single);
    }

    #[test]
    fn refused_sign_ins_are_one_story_whatever_names_were_tried_and_whatever_came_between() {
        let refused = |sequence: i64, name: &str, address: &str| {
            let mut event = event(sequence, act::SIGN_IN, None, AuditOutcome::Denied);
            event.event.target = Some(name.to_owned());
            event.event.actor = Actor::Nobody {
                address: Some(address.to_owned()),
            };
            event
        };
        let listed = vec![
            event(9, "restart", None, AuditOutcome::Succeeded),
            refused(8, "anna", "192.0.2.7"),
            refused(7, "ben", "192.0.2.7"),
            event(6, "restart", None, AuditOutcome::Succeeded),
            refused(5, "anna", "192.0.2.8"),
            refused(4, "ben", "192.0.2.8"),
        ];
        let told = fold_refused(stories(listed, Vec::new(), |_| false));
        assert_eq!(numbers(&told), [vec![9], vec![4, 5, 7, 8], vec![6]]);
        let story = &told[1];
        assert_eq!(story.kind, Kind::Refused);
        assert_eq!((story.targets().len(), story.addresses().len()), (2, 2));
        assert_eq!(story.main().map(|event| event.sequence), Some(8));
        assert_eq!(story.ended(), Timestamp::from_millis(8_000));
        // One alone stays what it is.
        let alone = stories(vec![refused(3, "anna", "192.0.2.7")], Vec::new(), |_| false);
        assert_eq!(fold_refused(alone.clone()), alone);
    }
}
