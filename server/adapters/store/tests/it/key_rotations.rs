//! What is left to do with a new key: shown once, each task done once, who uses it.

use std::time::Duration;

use adapter_store::Store;
use domain::action::Action;
use domain::can::{self, Permit};
use domain::credential::{Cause, Fingerprint, Kind};
use domain::gateway::GatewayId;
use domain::key_rotation::{KeyRotation, NewConsumer, NewKeyRotation, Task};
use domain::operation::{OperationId, Outcome};
use domain::ports::{Ids as _, Journal, KeyRotations, Register};

use crate::support::{Database, anna, begun_relink, ben, relink};

fn gateway() -> GatewayId {
    "g1".parse().unwrap()
}

fn permit(action: Action) -> Permit {
    can::permit(&anna(), action, Some(&gateway())).unwrap()
}

fn rotation(operation: OperationId) -> NewKeyRotation {
    NewKeyRotation {
        operation,
        gateway: gateway(),
        fingerprint: Fingerprint::of_hash(&[7; 32]),
        cause: Cause::PersonLeft,
        puts_back: None,
        by: anna(),
    }
}

/// A database, its store, and an operation that has rotated the key.
async fn rotated() -> (Database, Store, OperationId) {
    let database = Database::fresh().await;
    let store = database.store().await;
    // Whatever it did: rotations belong to an operation.
    let operation = begun_relink(&database, &store).await;
    KeyRotations::begin(&store, rotation(operation))
        .await
        .unwrap();
    (database, store, operation)
}

async fn of(store: &Store, operation: OperationId) -> KeyRotation {
    KeyRotations::of(store, operation).await.unwrap().unwrap()
}

/// An operation that has ended: the next one has the gateway.
async fn next_operation(database: &Database, store: &Store, before: OperationId) -> OperationId {
    Journal::end(store, before, 1, Outcome::Succeeded { note: None })
        .await
        .unwrap()
        .unwrap();
    let wanted = relink(database, anna(), &database.ids.next().to_string());
    let id = wanted.operation.id;
    Journal::begin(store, wanted, database.ids.next())
        .await
        .unwrap();
    id
}

#[tokio::test]
async fn a_key_that_came_back_is_as_old_as_it_was() {
    let (database, store, first) = rotated().await;
    let day = Duration::from_secs(24 * 3600);
    let key = async || {
        let listed = Register::list(&store).await.unwrap();
        let key = listed.into_iter().find(|one| one.kind == Kind::GatewayKey);
        key.unwrap()
    };
    let since = key().await.last.map(|last| last.at);
    assert!(since.is_some());
    database.clock.advance(day);
    let second = next_operation(&database, &store, first).await;
    KeyRotations::begin(&store, rotation(second)).await.unwrap();
    assert_ne!(key().await.last.map(|last| last.at), since);
    database.clock.advance(day);
    let third = next_operation(&database, &store, second).await;
    let back = NewKeyRotation {
        cause: Cause::PutBack,
        puts_back: Some(second),
        ..rotation(third)
    };
    for _ in 0..2 {
        KeyRotations::begin(&store, back.clone()).await.unwrap();
    }
    assert_eq!(key().await.last.map(|last| last.at), since);
    let of_third = of(&store, third).await;
    assert_eq!(of_third.puts_back, Some(second));
    // How old the key is that came back is not the rotation's to say.
    assert_eq!(of_third.next_due, None);
    let history = store.history(key().await.id, 10).await.unwrap();
    let causes: Vec<Cause> = history.iter().map(|one| one.cause).collect();
    assert_eq!(
        causes,
        [Cause::PutBack, Cause::PersonLeft, Cause::PersonLeft]
    );
}

#[tokio::test]
async fn a_rotation_noted_twice_is_one_here_and_in_the_register() {
    let (database, store, operation) = rotated().await;
    let first = of(&store, operation).await;
    database.clock.advance(Duration::from_secs(60));
    KeyRotations::begin(&store, rotation(operation))
        .await
        .unwrap();
    assert_eq!(of(&store, operation).await, first);
    assert_eq!(store.latest(&gateway()).await.unwrap(), Some(first.clone()));
    let days = Duration::from_secs(180 * 24 * 3600);
    assert_eq!(first.next_due, Some(first.at.plus(days)));
    let listed = Register::list(&store).await.unwrap();
    let key = listed
        .iter()
        .find(|credential| credential.kind == Kind::GatewayKey)
        .unwrap();
    let history = store.history(key.id, 10).await.unwrap();
    assert_eq!(history.len(), 1);
    assert_eq!(history[0].operation, Some(operation));
    assert_eq!(history[0].fingerprint, Some(first.fingerprint));
}

#[tokio::test]
async fn the_key_is_shown_once_and_both_tries_are_audited() {
    let (database, store, operation) = rotated().await;
    assert!(
        store
            .reveal(permit(Action::RotateKey), operation)
            .await
            .unwrap()
    );
    assert!(
        !store
            .reveal(permit(Action::RotateKey), operation)
            .await
            .unwrap()
    );
    let revealed = of(&store, operation).await.revealed.unwrap();
    assert_eq!(revealed.by, "anna");
    let events = "audit_events WHERE action = 'reveal-key' AND outcome =";
    assert_eq!(database.count(&format!("{events} 'succeeded'")).await, 1);
    assert_eq!(database.count(&format!("{events} 'denied'")).await, 1);
}

#[tokio::test]
async fn of_two_who_ask_for_the_key_at_once_one_sees_it() {
    let (_database, store, operation) = rotated().await;
    let (one, other) = tokio::join!(
        store.reveal(permit(Action::RotateKey), operation),
        store.reveal(permit(Action::RotateKey), operation),
    );
    assert_ne!(one.unwrap(), other.unwrap());
}

#[tokio::test]
async fn a_task_is_done_once_and_the_first_who_did_it_stays() {
    let (database, store, operation) = rotated().await;
    let note = Some("Committed as 1a2b3c4.".to_owned());
    store
        .finish(&anna(), operation, Task::Log, note.clone())
        .await
        .unwrap();
    database.clock.advance(Duration::from_secs(60));
    store
        .finish(&ben(), operation, Task::Log, None)
        .await
        .unwrap();
    let found = of(&store, operation).await;
    let done = found.done(Task::Log).unwrap();
    assert_eq!((done.by.as_str(), &done.note), ("anna", &note));
    assert!(found.done(Task::Secret).is_none());
    let audited = "audit_events WHERE action = 'finish-key-task' AND target = 'the rotation log'";
    assert_eq!(database.count(audited).await, 1);
}

#[tokio::test]
async fn who_uses_a_key_is_kept_for_its_gateway_until_they_are_removed() {
    let (database, store, operation) = rotated().await;
    let new = NewConsumer {
        name: "n8n, workflow Orders".to_owned(),
        owner: "ben".to_owned(),
        how: "Credentials".to_owned(),
        seen_as: "n8n".to_owned(),
    };
    store
        .add_consumer(permit(Action::HandOverKey), new)
        .await
        .unwrap();
    let known = store.consumers(&gateway()).await.unwrap();
    assert_eq!(known.len(), 1);
    assert!(
        store
            .consumers(&"g2".parse().unwrap())
            .await
            .unwrap()
            .is_empty()
    );
    let id = known[0].id;
    store
        .finish(&ben(), operation, Task::Consumer(id), None)
        .await
        .unwrap();
    assert!(
        of(&store, operation)
            .await
            .done(Task::Consumer(id))
            .is_some()
    );
    let named = "audit_events WHERE target = 'consumer n8n, workflow Orders'";
    assert_eq!(database.count(named).await, 1);
    let other: GatewayId = "g2".parse().unwrap();
    let foreign = can::permit(&anna(), Action::HandOverKey, Some(&other)).unwrap();
    assert!(!store.remove_consumer(foreign, id).await.unwrap());
    assert!(
        store
            .remove_consumer(permit(Action::HandOverKey), id)
            .await
            .unwrap()
    );
    assert!(
        !store
            .remove_consumer(permit(Action::HandOverKey), id)
            .await
            .unwrap()
    );
    assert!(store.consumers(&gateway()).await.unwrap().is_empty());
}
