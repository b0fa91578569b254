use std::time::Duration;

use domain::audit::AuditOutcome;
use domain::fault::{Boundary, Fault, FaultKind};
use domain::operation::{Event, Operation, Outcome, Recorded};
use domain::ports::{AuditTrail, Begun, Clock as _, Fenced, Ids as _, Journal as _};
use uuid::Uuid;

use crate::support::{Database, anna, ben, relink, restart};

fn started() -> Event {
    Event::Started {
        step: "stop".to_owned(),
        attempt: 1,
    }
}

fn done() -> Outcome {
    Outcome::Succeeded { note: None }
}

fn stuck() -> Outcome {
    Outcome::Stuck {
        at: "start".to_owned(),
        why: Fault::new(
            FaultKind::TimedOut,
            Boundary::Docker,
            "Docker did not answer.",
        ),
        todo: "Look at Docker.".to_owned(),
    }
}

fn new(begun: Begun) -> Operation {
    match begun {
        Begun::New(operation) => operation,
        other => panic!("not new: {other:?}"),
    }
}

#[tokio::test]
async fn an_operation_comes_back_as_it_was_begun_and_is_audited_as_requested() {
    let database = Database::fresh().await;
    let store = database.store().await;
    let wanted = restart(&database, anna(), "k");
    let begun = new(store
        .begin(wanted.clone(), database.ids.next())
        .await
        .unwrap());
    assert_eq!(begun, wanted.operation);
    assert_eq!(
        store.operation(begun.id).await.unwrap(),
        Some(begun.clone())
    );
    assert_eq!(store.open().await.unwrap(), std::slice::from_ref(&begun));
    let trail = AuditTrail::list(&store, None, 10).await.unwrap();
    assert_eq!(trail.len(), 1);
    assert_eq!(trail[0].event.outcome, AuditOutcome::Requested);
    assert_eq!(trail[0].event.action, "restart");
    assert_eq!(trail[0].event.operation, Some(begun.id));
    assert_eq!(trail[0].event.actor, anna());
}

#[tokio::test]
async fn the_audit_names_the_account_from_begin_to_end() {
    let database = Database::fresh().await;
    let store = database.store().await;
    let begun = new(store
        .begin(relink(&database, anna(), "k"), database.ids.next())
        .await
        .unwrap());
    store.end(begun.id, 1, done()).await.unwrap().unwrap();
    let trail = AuditTrail::list(&store, None, 10).await.unwrap();
    let targets: Vec<_> = trail.iter().map(|it| it.event.target.as_deref()).collect();
    assert_eq!(targets, [Some("account work"), Some("account work")]);
}

#[tokio::test]
async fn two_begins_at_once_give_one_new_and_one_busy_with_its_holder() {
    let database = Database::fresh().await;
    let (one, two) = (database.store().await, database.store().await);
    for round in 0..10 {
        let (a, b) = (
            restart(&database, anna(), &format!("a{round}")),
            restart(&database, ben(), &format!("b{round}")),
        );
        let (a, b) = tokio::join!(
            one.begin(a, Uuid::from_u128(11)),
            two.begin(b, Uuid::from_u128(12))
        );
        let (winner, holder) = match (a.unwrap(), b.unwrap()) {
            (Begun::New(new), Begun::Busy(holder)) | (Begun::Busy(holder), Begun::New(new)) => {
                (new, holder)
            }
            other => panic!("{other:?}"),
        };
        assert_eq!(winner.id, holder.id);
        store_ends(&one, &winner).await;
    }
    assert_eq!(database.count("operations").await, 10);
    assert_eq!(
        database
            .count("audit_events WHERE outcome = 'requested'")
            .await,
        10
    );
}

async fn store_ends(store: &adapter_store::Store, operation: &Operation) {
    let ended = store.end(operation.id, operation.generation, done()).await;
    assert_eq!(ended.unwrap(), Ok(()));
}

#[tokio::test]
async fn the_same_key_twice_is_the_same_operation_even_after_its_end() {
    let database = Database::fresh().await;
    let store = database.store().await;
    let first = new(store
        .begin(restart(&database, anna(), "k"), Uuid::nil())
        .await
        .unwrap());
    let again = store
        .begin(restart(&database, anna(), "k"), Uuid::nil())
        .await
        .unwrap();
    assert!(matches!(again, Begun::Same(operation) if operation.id == first.id));
    store_ends(&store, &first).await;
    let again = store
        .begin(restart(&database, anna(), "k"), Uuid::nil())
        .await
        .unwrap();
    assert!(matches!(again, Begun::Same(operation) if operation.id == first.id));
    // Another person's key of the same text is another wish.
    new(store
        .begin(restart(&database, ben(), "k"), Uuid::nil())
        .await
        .unwrap());
    assert_eq!(database.count("operations").await, 2);
}

#[tokio::test]
async fn if_the_audit_event_cannot_be_written_nothing_is_begun() {
    let database = Database::fresh().await;
    let store = database.store().await;
    database
        .sql("ALTER TABLE audit_events ADD CONSTRAINT broken CHECK (action <> 'restart')")
        .await
        .unwrap();
    let error = store
        .begin(restart(&database, anna(), "k"), Uuid::nil())
        .await;
    assert_eq!(error.unwrap_err().doing, "beginning an operation");
    assert_eq!(database.count("operations").await, 0);
    assert_eq!(database.count("runners").await, 0);
}

#[tokio::test]
async fn entries_are_numbered_and_read_from_any_place() {
    let database = Database::fresh().await;
    let store = database.store().await;
    let operation = new(store
        .begin(restart(&database, anna(), "k"), Uuid::nil())
        .await
        .unwrap());
    for sequence in 1..=3 {
        let recorded = store.append(operation.id, 1, started()).await.unwrap();
        let at = database.clock.now();
        let event = started();
        assert_eq!(
            recorded,
            Ok(Recorded {
                sequence,
                at,
                event
            })
        );
    }
    let late = store.events(operation.id, 2).await.unwrap();
    assert_eq!(late.len(), 1);
    assert_eq!(late[0].sequence, 3);
}

#[tokio::test]
async fn a_runner_that_was_replaced_can_neither_write_nor_end() {
    let database = Database::fresh().await;
    let store = database.store().await;
    let (dead, next) = (Uuid::from_u128(11), Uuid::from_u128(12));
    let operation = new(store
        .begin(restart(&database, anna(), "k"), dead)
        .await
        .unwrap());
    let generation = store
        .adopt(operation.id, next, Duration::ZERO)
        .await
        .unwrap();
    assert_eq!(generation, Some(2));
    assert_eq!(
        store.append(operation.id, 1, started()).await.unwrap(),
        Err(Fenced)
    );
    assert_eq!(
        store.end(operation.id, 1, done()).await.unwrap(),
        Err(Fenced)
    );
    let written = store
        .append(operation.id, 2, started())
        .await
        .unwrap()
        .unwrap();
    assert_eq!(
        written.sequence, 2,
        "after the entry that says it was adopted"
    );
    let journal = store.events(operation.id, 0).await.unwrap();
    assert_eq!(journal[0].event, Event::Adopted { generation: 2 });
    assert!(
        store
            .operation(operation.id)
            .await
            .unwrap()
            .unwrap()
            .outcome
            .is_none()
    );
}

#[tokio::test]
async fn only_an_operation_whose_runner_is_silent_is_adopted_and_by_one_only() {
    let database = Database::fresh().await;
    let store = database.store().await;
    let (dead, one, two) = (
        Uuid::from_u128(11),
        Uuid::from_u128(12),
        Uuid::from_u128(13),
    );
    let silence = Duration::from_secs(600);
    let operation = new(store
        .begin(restart(&database, anna(), "k"), dead)
        .await
        .unwrap());
    assert_eq!(store.adopt(operation.id, one, silence).await.unwrap(), None);
    let long_ago = "UPDATE runners SET heard_at = heard_at - interval '601 seconds'";
    database.sql(long_ago).await.unwrap();
    store.heartbeat(dead).await.unwrap();
    assert_eq!(store.adopt(operation.id, one, silence).await.unwrap(), None);
    database.sql(long_ago).await.unwrap();
    let (a, b) = tokio::join!(
        store.adopt(operation.id, one, silence),
        store.adopt(operation.id, two, silence)
    );
    let adopted: Vec<i32> = [a.unwrap(), b.unwrap()].into_iter().flatten().collect();
    assert_eq!(adopted, [2]);
}

#[tokio::test]
async fn an_operation_whose_runners_process_has_ended_is_adopted_at_once() {
    let database = Database::fresh().await;
    let store = database.store().await;
    let (dead, other) = (Uuid::from_u128(11), Uuid::from_u128(12));
    let silence = Duration::from_secs(600);
    let operation = new(store
        .begin(restart(&database, anna(), "k"), dead)
        .await
        .unwrap());
    assert_eq!(
        store.adopt(operation.id, other, silence).await.unwrap(),
        None,
        "its process lives"
    );
    // The same number, started at another time: another process has it now.
    database
        .sql(
            "UPDATE runners SET started = started - 1, machine = 'elsewhere'
             WHERE id = '00000000-0000-0000-0000-00000000000b'",
        )
        .await
        .unwrap();
    assert_eq!(
        store.adopt(operation.id, other, silence).await.unwrap(),
        None,
        "of another machine's processes nothing is known"
    );
    database
        .sql(
            "UPDATE runners SET machine = (SELECT machine FROM runners
                                           WHERE id = '00000000-0000-0000-0000-00000000000c')",
        )
        .await
        .unwrap();
    let adopted = store.adopt(operation.id, other, silence).await.unwrap();
    assert_eq!(adopted, Some(2));
}

#[tokio::test]
async fn a_begin_whose_answer_was_lost_is_adopted_by_its_own_runner_when_it_is_old() {
    let database = Database::fresh().await;
    let store = database.store().await;
    let (own, limit) = (Uuid::from_u128(11), Duration::from_secs(30));
    let operation = new(store
        .begin(restart(&database, anna(), "k"), own)
        .await
        .unwrap());
    assert_eq!(store.adopt(operation.id, own, limit).await.unwrap(), None);
    database.clock.advance(limit);
    assert_eq!(
        store.adopt(operation.id, own, limit).await.unwrap(),
        Some(2)
    );
}

#[tokio::test]
async fn an_end_frees_the_gateway_is_audited_and_may_be_said_twice() {
    let database = Database::fresh().await;
    let store = database.store().await;
    let operation = new(store
        .begin(restart(&database, anna(), "k"), Uuid::nil())
        .await
        .unwrap());
    let why = Fault::new(FaultKind::TimedOut, Boundary::Docker, "It did not stop.");
    let outcome = Outcome::Undone { why };
    assert_eq!(
        store.end(operation.id, 1, outcome.clone()).await.unwrap(),
        Ok(())
    );
    assert_eq!(
        store.end(operation.id, 1, outcome.clone()).await.unwrap(),
        Ok(())
    );
    assert_eq!(
        store.end(operation.id, 1, done()).await.unwrap(),
        Err(Fenced)
    );
    assert_eq!(
        store.append(operation.id, 1, started()).await.unwrap(),
        Err(Fenced)
    );
    let row = store.operation(operation.id).await.unwrap().unwrap();
    assert_eq!(row.outcome, Some(outcome.clone()));
    let journal = store.events(operation.id, 0).await.unwrap();
    assert_eq!(journal.len(), 1);
    assert_eq!(journal[0].event, Event::Ended { outcome });
    let trail = AuditTrail::list(&store, None, 10).await.unwrap();
    assert_eq!(trail.len(), 2);
    assert_eq!(trail[0].event.outcome, AuditOutcome::Undone);
    assert_eq!(trail[0].event.note.as_deref(), Some("It did not stop."));
    new(store
        .begin(restart(&database, anna(), "next"), Uuid::nil())
        .await
        .unwrap());
}

#[tokio::test]
async fn a_stuck_operation_keeps_the_gateway_until_somebody_frees_it() {
    let database = Database::fresh().await;
    let store = database.store().await;
    let operation = new(store
        .begin(restart(&database, anna(), "k"), Uuid::nil())
        .await
        .unwrap());
    assert!(!store.abandon(operation.id, &ben(), "looked").await.unwrap());
    assert_eq!(store.end(operation.id, 1, stuck()).await.unwrap(), Ok(()));
    let busy = store
        .begin(restart(&database, ben(), "k2"), Uuid::nil())
        .await
        .unwrap();
    assert!(matches!(busy, Begun::Busy(holder) if holder.id == operation.id));
    assert!(store.abandon(operation.id, &ben(), "looked").await.unwrap());
    assert!(!store.abandon(operation.id, &ben(), "again").await.unwrap());
    new(store
        .begin(restart(&database, ben(), "k3"), Uuid::nil())
        .await
        .unwrap());
    let trail = AuditTrail::list(&store, None, 10).await.unwrap();
    assert_eq!(trail[1].event.action, "abandon-operation");
    assert_eq!(trail[1].event.reason.as_deref(), Some("looked"));
    assert_eq!(trail[1].event.actor, ben());
}

#[tokio::test]
async fn asking_to_stop_is_noted_once_audited_each_time_and_refused_after_the_end() {
    let database = Database::fresh().await;
    let store = database.store().await;
    let operation = new(store
        .begin(restart(&database, anna(), "k"), Uuid::nil())
        .await
        .unwrap());
    assert!(store.ask_cancel(operation.id, &ben()).await.unwrap());
    assert!(store.ask_cancel(operation.id, &anna()).await.unwrap());
    let journal = store.events(operation.id, 0).await.unwrap();
    assert_eq!(journal.len(), 1);
    assert_eq!(
        journal[0].event,
        Event::CancelAsked {
            by: "ben".to_owned()
        }
    );
    assert_eq!(
        database
            .count("audit_events WHERE action = 'cancel-operation'")
            .await,
        2
    );
    store_ends(&store, &operation).await;
    assert!(!store.ask_cancel(operation.id, &ben()).await.unwrap());
    assert_eq!(
        database
            .count("audit_events WHERE action = 'cancel-operation'")
            .await,
        2
    );
}

#[tokio::test]
async fn asking_to_skip_a_step_is_noted_and_audited_and_refused_after_the_end() {
    let database = Database::fresh().await;
    let store = database.store().await;
    let operation = new(store
        .begin(restart(&database, anna(), "k"), Uuid::nil())
        .await
        .unwrap());
    let by = ben();
    let skip = || store.ask_skip(operation.id, "await_live", &by);
    assert!(skip().await.unwrap());
    let journal = store.events(operation.id, 0).await.unwrap();
    let asked = Event::SkipAsked {
        step: "await_live".to_owned(),
        by: "ben".to_owned(),
    };
    assert_eq!(journal[0].event, asked);
    let trail = AuditTrail::list(&store, None, 1).await.unwrap();
    assert_eq!(trail[0].event.action, "skip-step");
    assert_eq!(trail[0].event.target.as_deref(), Some("step await_live"));
    store_ends(&store, &operation).await;
    assert!(!skip().await.unwrap());
}

#[tokio::test]
async fn the_usual_duration_is_the_median_of_the_last_ten_that_succeeded() {
    let database = Database::fresh().await;
    let store = database.store().await;
    let gateway = "g1".parse().unwrap();
    assert_eq!(
        store.usual_duration(&gateway, "restart").await.unwrap(),
        None
    );
    for (n, seconds) in [900, 900, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10]
        .into_iter()
        .enumerate()
    {
        let wish = restart(&database, anna(), &n.to_string());
        let operation = new(store.begin(wish, Uuid::nil()).await.unwrap());
        database.clock.advance(Duration::from_secs(seconds));
        store_ends(&store, &operation).await;
    }
    let usual = store.usual_duration(&gateway, "restart").await.unwrap();
    assert_eq!(usual, Some(Duration::from_millis(5_500)));
    assert_eq!(
        store.usual_duration(&gateway, "recreate").await.unwrap(),
        None
    );
}

#[tokio::test]
async fn operations_are_listed_newest_first_in_pages() {
    let database = Database::fresh().await;
    let store = database.store().await;
    let mut ids = Vec::new();
    for n in 0..5 {
        let wish = restart(&database, anna(), &n.to_string());
        let operation = new(store.begin(wish, Uuid::nil()).await.unwrap());
        store_ends(&store, &operation).await;
        ids.insert(0, operation.id);
    }
    let gateway = "g1".parse().unwrap();
    let first = domain::ports::Journal::list(&store, &gateway, None, 2)
        .await
        .unwrap();
    let second = domain::ports::Journal::list(&store, &gateway, Some(first[1].id), 9)
        .await
        .unwrap();
    let seen: Vec<_> = first
        .iter()
        .chain(&second)
        .map(|operation| operation.id)
        .collect();
    assert_eq!(seen, ids);
    let other = "g2".parse().unwrap();
    assert!(
        domain::ports::Journal::list(&store, &other, None, 9)
            .await
            .unwrap()
            .is_empty()
    );
}
