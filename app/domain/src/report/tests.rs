use std::time::Duration;

use super::*;
use crate::audit::{AuditOutcome, Check, act};
use AuditOutcome::{Denied, Failed, Requested, Succeeded, Undone};

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

fn counts() -> Vec<Counted> {
    vec![
        counted("person:1", "restart", Requested, 12),
        counted("person:1", "restart", Succeeded, 10),
        counted("person:1", "restart", Failed, 1),
        counted("person:1", "restart", Denied, 2),
        counted("person:2", "relink", Requested, 1),
        counted("person:2", "relink", Undone, 1),
        counted("person:2", act::SIGN_IN, Succeeded, 1_200),
        counted("nobody", act::SIGN_IN, Denied, 7),
        counted("cli:root", act::ADD_PERSON, Succeeded, 1),
        counted("panel", act::CANCEL_OPERATION, Requested, 3),
    ]
}

#[test]
fn what_was_asked_for_and_what_became_of_it_are_counted_once() {
    let names = [
        ("person:1".to_owned(), "anna".to_owned()),
        ("person:2".to_owned(), "ben".to_owned()),
    ];
    let people = people(&counts(), &names);
    let told: Vec<(&str, u64)> = people
        .each
        .iter()
        .map(|one| (one.name.as_str(), one.events))
        .collect();
    assert_eq!(
        told,
        [
            ("ben", 1_202),
            ("anna", 25),
            ("Somebody not signed in", 7),
            ("The panel itself", 3),
            ("root, on the command line", 1),
        ]
    );
    assert_eq!((people.events(), people.persons()), (1_238, 2));
    assert_eq!(people.refused_sign_ins(), 7);
    let anna = &people.each[1].acts[0];
    assert_eq!((anna.times, anna.failed, anna.denied), (14, 1, 2));
    // What has no end of its own counts as it was asked for.
    assert_eq!(people.each[3].acts[0].times, 3);
}

#[test]
fn operations_are_told_by_kind_and_outcome() {
    let kinds = kinds(&counts());
    let told: Vec<(&str, u64, u64)> = kinds
        .iter()
        .map(|kind| (kind.action.as_str(), kind.total(), kind.not_done()))
        .collect();
    assert_eq!(told, [("restart", 14, 3), ("relink", 1, 1)]);
    // Twelve were asked for and eleven have ended.
    assert_eq!(kinds[0].of(Requested), 1);
    assert_eq!(kinds[0].of(Succeeded), 10);
}

/// Each rung is an event of its own; the recovery is one operation.
#[test]
fn the_rungs_of_a_recovery_are_events_and_no_operations() {
    let asked = Counted {
        again: 2,
        ..counted("person:1", "recover", Requested, 3)
    };
    let counts = [asked, counted("person:1", "recover", Succeeded, 1)];
    let recover = kinds(&counts).remove(0);
    assert_eq!(
        (
            recover.total(),
            recover.of(Succeeded),
            recover.of(Requested)
        ),
        (1, 1, 0)
    );
    let anna = people(&counts, &[]).each.remove(0);
    assert_eq!((anna.events, anna.acts[0].times), (4, 1));
}

fn report(facts: Facts, at: &str) -> Report {
    let chain = ChainStanding {
        last: Some(Check {
            at: Timestamp::default(),
            took_ms: 1,
            after: 0,
            events: 9,
            last: 9,
            checkpoints: 1,
            flaws: Vec::new(),
            more: 0,
        }),
        ..ChainStanding::default()
    };
    let month = Month::parse("2026-10").unwrap();
    let at = Timestamp::parse_rfc3339(at).unwrap();
    Report::new(month, at, facts, &[], Vec::new(), Vec::new(), chain)
}

#[test]
fn a_month_is_told_in_sentences() {
    let told = report(
        Facts {
            counts: counts(),
            checks: 124,
            late: COUNTED,
            ..Facts::default()
        },
        "2026-11-02T00:00:00Z",
    );
    assert!(told.is_whole());
    assert_eq!(
        told.summary(),
        [
            "1,238 events were recorded in October 2026, of 2 people; 4 of 15 operations on gateways were not done.",
            "No gateway was down.",
            "No credential was rotated, and none was overdue at its end.",
            "7 sign-ins were refused.",
            "Nothing was reviewed; no question was open, and 1,000 events or more waited too long.",
            "The chain was checked 124 times and was whole each time. Now: The chain of 9 events is whole.",
        ]
    );
    let so_far = report(Facts::default(), "2026-10-02T00:00:00Z");
    assert!(!so_far.is_whole());
    assert!(so_far.is_empty());
    let said = so_far.summary().join(" ");
    for part in [
        "Nothing was recorded in October 2026.",
        "none was overdue now.",
        "The chain was not checked in that time.",
    ] {
        assert!(said.contains(part), "{part}: {said}");
    }
}

#[test]
fn outages_add_up() {
    let at = Timestamp::from_millis;
    let outage = |from, to, planned| Outage {
        from: at(from),
        to: at(to),
        planned,
    };
    let down = Down {
        gateway: Gateway {
            id: "g".parse().unwrap(),
            name: "G".to_owned(),
            public_url: String::new(),
            stand_in: false,
        },
        outages: vec![outage(0, 60_000, true), outage(90_000, 210_000, false)],
    };
    assert_eq!(down.planned(), 1);
    assert_eq!(down.total(), Duration::from_secs(180));
    assert_eq!(down.longest(), Duration::from_secs(120));
    let mut told = report(Facts::default(), "2026-11-02T00:00:00Z");
    told.down.push(down);
    assert!(
        told.summary()
            .contains(&"Gateways were down 2 times, 1 of them planned, 3 min in all.".to_owned())
    );
}

#[test]
fn a_key_has_a_short_name() {
    let (one, other) = (
        fingerprint(&PublicKey([1; 32])),
        fingerprint(&PublicKey([2; 32])),
    );
    assert_eq!(one.len(), 19);
    assert_ne!(one, other);
}
