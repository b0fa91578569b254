//! How far marked acts have been told: once to each, by whichever panel, and nothing is passed over.

use std::time::Duration;

use domain::audit::{AuditOutcome, NewAuditEvent, act};
use domain::credential::Cause;
use domain::operation::{Command, OperationId};
use domain::person::{Actor, Role};
use domain::ports::{Alerts, AuditTrail, Journal as _};
use uuid::Uuid;

use crate::support::{Database, anna, restart};

const MINUTE: Duration = Duration::from_secs(60);
const MIA: &str = "mia@example.org";
const ACTS: [&str; 4] = [
    act::CHANGE_ROLE,
    act::SIGN_IN,
    "rotate-key",
    act::NOTE_ROTATION,
];

async fn record(store: &adapter_store::Store, event: NewAuditEvent) -> i64 {
    AuditTrail::record(store, event).await.unwrap().sequence
}

fn role() -> NewAuditEvent {
    NewAuditEvent::new(anna(), act::CHANGE_ROLE, AuditOutcome::Succeeded)
}

fn sign_in(address: &str) -> NewAuditEvent {
    let person = Actor::Person {
        id: Uuid::from_u128(9),
        name: "ben".to_owned(),
        role: Role::Operator,
        address: Some(address.to_owned()),
        browser: None,
        session: None,
        token: None,
    };
    NewAuditEvent::new(person, act::SIGN_IN, AuditOutcome::Succeeded)
}

#[tokio::test]
async fn who_is_new_is_told_of_what_comes_and_of_each_event_once() {
    let database = Database::fresh().await;
    let (one, other) = (database.store().await, database.store().await);
    let before = record(&one, role()).await;
    let untold = Alerts::claim(&one, MIA, &ACTS).await.unwrap().unwrap();
    assert_eq!((untold.from, untold.to), (before, before));
    assert!(untold.candidates.is_empty());
    let first = record(&one, role()).await;
    record(
        &one,
        NewAuditEvent::new(anna(), act::SIGN_OUT, AuditOutcome::Succeeded),
    )
    .await;
    let last = record(&other, role()).await;
    // One panel a minute.
    assert_eq!(Alerts::claim(&other, MIA, &ACTS).await.unwrap(), None);
    database.clock.advance(MINUTE);
    let untold = Alerts::claim(&other, MIA, &ACTS).await.unwrap().unwrap();
    assert_eq!(Alerts::claim(&one, MIA, &ACTS).await.unwrap(), None);
    let numbers: Vec<i64> = untold
        .candidates
        .iter()
        .map(|candidate| candidate.event.sequence)
        .collect();
    assert_eq!((numbers, untold.to), (vec![first, last], last));
    assert!(other.hold(MIA, before).await.unwrap());
    assert!(other.told(MIA, before, first).await.unwrap());
    // Whoever comes too late tells nothing any more, and nobody goes back.
    assert!(!one.hold(MIA, before).await.unwrap());
    assert!(!one.told(MIA, before, last).await.unwrap());
    assert!(!other.told(MIA, first, before).await.unwrap());
    assert!(other.told(MIA, first, last).await.unwrap());
    database.clock.advance(MINUTE);
    assert_eq!(Alerts::claim(&one, MIA, &ACTS).await.unwrap(), None);
}

#[tokio::test]
async fn a_mail_that_failed_is_tried_again_later_and_the_reason_stands_until_then() {
    let database = Database::fresh().await;
    let store = database.store().await;
    Alerts::claim(&store, MIA, &ACTS).await.unwrap().unwrap();
    let event = record(&store, role()).await;
    database.clock.advance(MINUTE);
    Alerts::claim(&store, MIA, &ACTS).await.unwrap().unwrap();
    store.failed(MIA, "It is away.").await.unwrap();
    let failure = store.alert_failure().await.unwrap();
    assert_eq!(failure.as_deref(), Some("It is away."));
    database.clock.advance(MINUTE);
    assert_eq!(Alerts::claim(&store, MIA, &ACTS).await.unwrap(), None);
    database.clock.advance(4 * MINUTE);
    let untold = Alerts::claim(&store, MIA, &ACTS).await.unwrap().unwrap();
    assert_eq!(untold.candidates[0].event.sequence, event);
    assert!(store.told(MIA, untold.from, untold.to).await.unwrap());
    assert_eq!(store.alert_failure().await.unwrap(), None);
    // What lies more than a week back is told no more.
    record(&store, role()).await;
    database.clock.advance(MINUTE * 60 * 24 * 8);
    let newest = record(&store, role()).await;
    let untold = Alerts::claim(&store, MIA, &ACTS).await.unwrap().unwrap();
    assert_eq!(untold.candidates.len(), 1);
    assert_eq!(untold.candidates[0].event.sequence, newest);
}

#[tokio::test]
async fn sign_ins_come_with_the_addresses_before_and_rotations_with_their_cause() {
    let database = Database::fresh().await;
    let store = database.store().await;
    record(&store, sign_in("94.31.7.12")).await;
    Alerts::claim(&store, MIA, &ACTS).await.unwrap().unwrap();
    record(&store, sign_in("94.31.7.12")).await;
    record(&store, sign_in("185.0.2.7")).await;
    let refused = NewAuditEvent {
        outcome: AuditOutcome::Denied,
        ..sign_in("198.51.100.1")
    };
    record(&store, refused).await;
    record(&store, sign_in("185.0.2.8")).await;
    for (cause, key) in [(Cause::Scheduled, "one"), (Cause::Leak, "two")] {
        let mut new = restart(&database, anna(), key);
        new.operation.command = Command::RotateKey {
            gateway: format!("g-{key}").parse().unwrap(),
            cause,
            skip_secret: false,
            puts_back: None,
        };
        store.begin(new, Uuid::nil()).await.unwrap();
    }
    let by_hand = NewAuditEvent {
        note: Some(format!("Done by hand. {}", Cause::Leak.sentence())),
        ..NewAuditEvent::new(anna(), act::NOTE_ROTATION, AuditOutcome::Succeeded)
    };
    record(&store, by_hand.clone()).await;
    let by_operation = NewAuditEvent {
        operation: Some(OperationId(Uuid::nil())),
        ..by_hand
    };
    record(&store, by_operation).await;
    database.clock.advance(MINUTE);
    let untold = Alerts::claim(&store, MIA, &ACTS).await.unwrap().unwrap();
    let told: Vec<(&str, usize, bool)> = untold
        .candidates
        .iter()
        .map(|one| {
            let event = &one.event.event;
            (event.action.as_str(), one.addresses.len(), one.leak)
        })
        .collect();
    assert_eq!(
        told,
        [
            (act::SIGN_IN, 1, false),
            (act::SIGN_IN, 2, false),
            (act::SIGN_IN, 3, false),
            ("rotate-key", 0, false),
            ("rotate-key", 0, true),
            (act::NOTE_ROTATION, 0, true),
            (act::NOTE_ROTATION, 0, false),
        ]
    );
    assert_eq!(
        untold.candidates[2].addresses,
        ["94.31.7.12", "94.31.7.12", "185.0.2.7"]
    );
}
