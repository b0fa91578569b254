//! A month as the fakes know it.

use std::time::Duration;

use async_trait::async_trait;
use domain::audit::{AuditOutcome, Checkpoint, Filter, Hash, PublicKey, Signature, act};
use domain::credential::{Cause, Rotation};
use domain::fact::{FactKind, State};
use domain::history::Transition;
use domain::person::Actor;
use domain::ports::{Counts, Patience, Reports, StoreError};
use domain::report::{Counted, Facts, Month, Refused, Reviewed, Rotated};
use domain::review::Verdict;
use domain::time::Timestamp;
use uuid::Uuid;

use crate::fakes::{Fake, NOW};
use crate::reviews::trail;

pub(crate) fn checkpoint() -> Checkpoint {
    Checkpoint {
        sequence: 1_234,
        hash: Hash([0xab; 32]),
        at: NOW,
        key: PublicKey([1; 32]),
        signature: Signature([0xfe; 64]),
    }
}

fn at(text: &str) -> Timestamp {
    Timestamp::parse_rfc3339(text).unwrap()
}

fn counted(who: &str, action: &str, outcome: AuditOutcome, count: u64) -> Counted {
    Counted {
        who: who.to_owned(),
        action: action.to_owned(),
        outcome,
        gateway: None,
        count,
        again: 0,
    }
}

fn change(when: &str, to: State, by: Option<&str>) -> Transition {
    Transition {
        gateway: "openclaw".parse().unwrap(),
        fact: FactKind::Session,
        from: None,
        to,
        headline: String::new(),
        reason: String::new(),
        at: at(when),
        operation: by.map(|_| domain::operation::OperationId(Uuid::nil())),
        planned_by: by.map(str::to_owned),
    }
}

/// December 2026.
pub(crate) fn facts() -> Facts {
    use AuditOutcome::{Denied, Failed, Requested, Succeeded};
    let anna = Actor::Person {
        id: Uuid::from_u128(1),
        name: "anna".to_owned(),
        role: domain::person::Role::Admin,
        address: None,
        browser: None,
        session: None,
        token: None,
    };
    let anna_key = anna.key();
    let marked = trail();
    let marked = marked
        .into_iter()
        .filter(|event| event.event.action == act::CHANGE_ROLE);
    Facts {
        counts: vec![
            counted(&anna_key, "restart", Requested, 12),
            counted(&anna_key, "restart", Succeeded, 11),
            counted(&anna_key, "restart", Failed, 1),
            counted(&anna_key, act::SIGN_IN, Succeeded, 1_040),
            counted("nobody", act::SIGN_IN, Denied, 7),
        ],
        refused: vec![Refused {
            account: Some("+4915112345642".to_owned()),
            count: 7,
            addresses: 2,
            last_at: at("2026-12-03T02:14:05Z"),
        }],
        marked: marked.collect(),
        checkpoints: 744,
        checkpoint: Some(checkpoint()),
        checks: 124,
        broken: 0,
        transitions: vec![
            change("2026-12-03T10:00:00Z", State::Down, None),
            change("2026-12-03T10:41:00Z", State::Ok, None),
            change("2026-12-09T10:00:00Z", State::Down, Some("Restart by anna")),
            change("2026-12-09T10:01:00Z", State::Ok, Some("Restart by anna")),
        ],
        credentials: Vec::new(),
        rotations: vec![Rotated {
            title: "Gateway key".to_owned(),
            gateway: "openclaw".parse().ok(),
            rotation: Rotation {
                id: Uuid::nil(),
                at: at("2026-12-20T08:00:00Z"),
                by: anna,
                cause: Cause::Leak,
                operation: None,
                fingerprint: None,
                note: None,
                log: None,
            },
        }],
        reviews: vec![Reviewed {
            by: "mia".to_owned(),
            verdict: Verdict::Seen,
            reviews: 4,
            events: 31,
        }],
        questions: Vec::new(),
        late: 3,
        late_since: Some(at("2026-12-20T08:00:00Z")),
    }
}

#[async_trait]
impl Reports for Fake {
    async fn facts(&self, _: Timestamp, _: Timestamp, _: Duration) -> Result<Facts, StoreError> {
        let mut facts = self.0.facts.clone();
        facts.credentials.clone_from(&self.0.credentials);
        self.0.store(facts)
    }
    async fn events_between(
        &self,
        filter: &Filter,
        edges: &[Timestamp],
        patience: Patience,
    ) -> Result<Counts, StoreError> {
        if filter.text.is_some() {
            return self.0.store(Counts::Uncounted);
        }
        if patience == Patience::Page && filter.outcome.is_some() {
            return self.0.store(Counts::TooMany);
        }
        let events = self.0.audit.iter();
        let events: Vec<Timestamp> = events
            .filter(|event| filter.takes(event, NOW))
            .map(|event| event.at)
            .collect();
        let counts = edges.windows(2).map(|pair| {
            let within = events.iter().filter(|at| (pair[0]..pair[1]).contains(at));
            within.count() as u64
        });
        self.0.store(Counts::Counted(counts.collect()))
    }
    async fn changes(&self, _: Timestamp, _: Timestamp) -> Result<Vec<Transition>, StoreError> {
        self.0.store(self.0.facts.transitions.clone())
    }
    async fn waits(&self, _: Month, _: &str) -> Result<bool, StoreError> {
        unreachable!("pages mail no report")
    }
    async fn claim(&self, _: Month, _: &str) -> Result<bool, StoreError> {
        unreachable!("pages mail no report")
    }
    async fn mailed(&self, _: Month, _: &str, _: Result<(), String>) -> Result<(), StoreError> {
        unreachable!("pages mail no report")
    }
}
