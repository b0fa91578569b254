use std::time::Duration;

use domain::fact::{FactKind, State};
use domain::fault::{Boundary, Fault, FaultKind};
use domain::history::{Sample, Transition};
use domain::operation::Outcome;
use domain::ports::{Begun, Clock as _, History as _, Journal as _};
use domain::time::Timestamp;
use uuid::Uuid;

use crate::support::{Database, anna, relink, restart};

const MINUTE: Duration = Duration::from_secs(60);
const DAY: Duration = Duration::from_secs(24 * 3600);

fn change(fact: FactKind, to: State, at: Timestamp) -> Transition {
    Transition {
        gateway: "g1".parse().unwrap(),
        fact,
        from: None,
        to,
        headline: format!("{to:?}"),
        reason: String::new(),
        at,
        operation: None,
        planned_by: None,
    }
}

fn sample(at: Timestamp, state: State, latency_ms: Option<u32>) -> Sample {
    Sample {
        gateway: "g1".parse().unwrap(),
        fact: FactKind::Edge,
        at,
        state,
        latency_ms,
    }
}

#[tokio::test]
async fn changes_come_oldest_first_with_the_last_one_before_for_each_fact() {
    let database = Database::fresh().await;
    let store = database.store().await;
    let at = |minutes: u64| {
        database
            .clock
            .now()
            .plus(MINUTE * u32::try_from(minutes).unwrap())
    };
    for (fact, to, minutes) in [
        (FactKind::Edge, State::Warn, 1),
        (FactKind::Edge, State::Ok, 2),
        (FactKind::Session, State::Down, 3),
        (FactKind::Edge, State::Down, 10),
        (FactKind::Edge, State::Ok, 12),
    ] {
        store
            .record_transition(&change(fact, to, at(minutes)))
            .await
            .unwrap();
    }
    let gateway = "g1".parse().unwrap();
    let seen = store.transitions(&gateway, at(5)).await.unwrap();
    let seen: Vec<_> = seen.iter().map(|t| (t.fact, t.to)).collect();
    assert_eq!(
        seen,
        [
            (FactKind::Edge, State::Ok),
            (FactKind::Session, State::Down),
            (FactKind::Edge, State::Down),
            (FactKind::Edge, State::Ok),
        ]
    );
}

#[tokio::test]
async fn what_happens_during_and_shortly_after_an_operation_is_planned() {
    let database = Database::fresh().await;
    let store = database.store().await;
    let before = database.clock.now().minus(Duration::from_secs(1));
    let Begun::New(operation) = store
        .begin(restart(&database, anna(), "k"), Uuid::nil())
        .await
        .unwrap()
    else {
        panic!("not begun")
    };
    database.clock.advance(MINUTE);
    let during = database.clock.now();
    store
        .end(operation.id, 1, Outcome::Succeeded { note: None })
        .await
        .unwrap()
        .unwrap();
    for at in [
        before,
        during,
        during.plus(Duration::from_secs(14)),
        during.plus(Duration::from_secs(16)),
    ] {
        store
            .record_transition(&change(FactKind::Container, State::Down, at))
            .await
            .unwrap();
    }
    let seen = store
        .transitions(&"g1".parse().unwrap(), before)
        .await
        .unwrap();
    let planned: Vec<_> = seen.iter().map(|t| t.planned_by.as_deref()).collect();
    assert_eq!(
        planned,
        [None, Some("Restart by anna"), Some("Restart by anna"), None]
    );
    assert_eq!(seen[1].operation, Some(operation.id));
}

#[tokio::test]
async fn a_change_that_the_operation_cannot_have_caused_is_not_planned() {
    let database = Database::fresh().await;
    let store = database.store().await;
    let begun = store.begin(relink(&database, anna(), "k"), Uuid::nil());
    assert!(matches!(begun.await.unwrap(), Begun::New(_)));
    let now = database.clock.now();
    for fact in [FactKind::Container, FactKind::Session] {
        let change = change(fact, State::Down, now);
        store.record_transition(&change).await.unwrap();
    }
    let gateway = "g1".parse().unwrap();
    let seen = store.transitions(&gateway, now);
    let planned: Vec<_> = seen
        .await
        .unwrap()
        .into_iter()
        .map(|t| (t.fact, t.planned_by))
        .collect();
    assert_eq!(
        planned,
        [
            (FactKind::Container, None),
            (
                FactKind::Session,
                Some("Link account work by anna".to_owned())
            ),
        ]
    );
}

#[tokio::test]
async fn a_stuck_operation_plans_nothing_any_more() {
    let database = Database::fresh().await;
    let store = database.store().await;
    let Begun::New(operation) = store
        .begin(restart(&database, anna(), "k"), Uuid::nil())
        .await
        .unwrap()
    else {
        panic!("not begun")
    };
    let outcome = Outcome::Stuck {
        at: "start".to_owned(),
        why: Fault::new(FaultKind::TimedOut, Boundary::Docker, "too slow"),
        todo: "look".to_owned(),
    };
    store.end(operation.id, 1, outcome).await.unwrap().unwrap();
    database.clock.advance(MINUTE);
    let now = database.clock.now();
    store
        .record_transition(&change(FactKind::Session, State::Down, now))
        .await
        .unwrap();
    let seen = store
        .transitions(&"g1".parse().unwrap(), now)
        .await
        .unwrap();
    assert_eq!(seen[0].operation, None);
}

#[tokio::test]
async fn samples_become_minutes_and_hours_and_none_is_lost_or_counted_twice() {
    let database = Database::fresh().await;
    let store = database.store().await;
    let begin = database.clock.now();
    let samples: Vec<Sample> = (0..100_u32)
        .map(|n| {
            let state = if n % 10 == 0 { State::Down } else { State::Ok };
            let latency = (n % 2 == 0).then_some(n);
            sample(begin.plus(Duration::from_secs(30) * n), state, latency)
        })
        .collect();
    store.record_samples(&samples).await.unwrap();
    store.record_samples(&samples).await.unwrap();
    assert_eq!(database.count("samples_raw").await, 100);
    // A cut through a minute, then all, twice.
    let two_days = DAY * 2;
    let cut = begin.plus(two_days).plus(Duration::from_secs(1000));
    for now in [cut, begin.plus(DAY * 3), begin.plus(DAY * 3)] {
        store.roll_up(now).await.unwrap();
    }
    assert_eq!(database.count("samples_raw").await, 0);
    assert_eq!(sum(&database, "ok", "samples_minute").await, 90);
    assert_eq!(sum(&database, "down", "samples_minute").await, 10);
    // A straggler joins its minute.
    let late = sample(begin.plus(Duration::from_secs(7)), State::Warn, Some(1000));
    store.record_samples(&[late]).await.unwrap();
    store.roll_up(begin.plus(DAY * 3)).await.unwrap();
    store.roll_up(begin.plus(DAY * 40)).await.unwrap();
    assert_eq!(database.count("samples_minute").await, 0);
    assert_eq!(
        sum(&database, "ok + warn + down + unknown", "samples_hour").await,
        101
    );
    assert_eq!(sum(&database, "latency_count", "samples_hour").await, 51);
    let total = sum(&database, "latency_avg_ms * latency_count", "samples_hour").await;
    assert_eq!(total, 3450);
    store.roll_up(begin.plus(DAY * 800)).await.unwrap();
    assert_eq!(database.count("samples_hour").await, 0);
}

async fn sum(database: &Database, what: &str, table: &str) -> i64 {
    let doubled = format!("(SELECT round(sum({what}))::bigint AS total FROM {table}) AS t");
    let mut connection = <sqlx::PgConnection as sqlx::Connection>::connect(&database.url)
        .await
        .unwrap();
    sqlx::query_scalar(&format!("SELECT total FROM {doubled}"))
        .fetch_one(&mut connection)
        .await
        .unwrap()
}

#[tokio::test]
async fn a_time_in_which_nobody_looked_is_found_in_raw_and_rolled_up_samples_alike() {
    let database = Database::fresh().await;
    let store = database.store().await;
    let begin = database.clock.now();
    let at = |minutes: u32| begin.plus(MINUTE * minutes);
    let looked = (0..30).chain(50..60);
    let samples: Vec<Sample> = looked.map(|n| sample(at(n), State::Ok, None)).collect();
    store.record_samples(&samples).await.unwrap();
    database.clock.advance(MINUTE * 75);
    let gateway = "g1".parse().unwrap();
    let gaps = store.unobserved(&gateway, begin).await.unwrap();
    assert_eq!(gaps, [(at(29), at(50)), (at(59), at(75))]);
    store.roll_up(at(0).plus(DAY * 3)).await.unwrap();
    let gaps = store.unobserved(&gateway, begin).await.unwrap();
    assert_eq!(gaps.len(), 2, "{gaps:?}");
    let other = "g2".parse().unwrap();
    assert_eq!(
        store.unobserved(&other, begin).await.unwrap(),
        [(begin, at(75))]
    );
}
