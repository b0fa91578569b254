//! Old events leave the database by an archive, and by nothing else.

use std::sync::{Arc, Mutex};
use std::time::Duration;

use adapter_store::{CheckWhen, Store};
use domain::audit::{
    Archive, AuditOutcome, Check, Checkpoint, Flaw, Head, NewAuditEvent, PublicKey, Signature,
    Stretch, act,
};
use domain::person::Actor;
use domain::ports::{AuditTrail as _, Clock as _};
use domain::time::Timestamp;
use futures::FutureExt as _;

use crate::audit::event;
use crate::support::Database;

const DAY: Duration = Duration::from_secs(86_400);

/// Ten events, one a day; the moment before which the first six were written.
async fn ten_days() -> (Database, Store, Timestamp) {
    let database = Database::fresh().await;
    let store = database.store().await;
    let mut middle = database.clock.now();
    for number in 1..=10 {
        if number == 7 {
            middle = database.clock.now();
        }
        store.record(event(&number.to_string())).await.unwrap();
        database.clock.advance(DAY);
    }
    (database, store, middle)
}

fn checkpoint(head: Head) -> Checkpoint {
    Checkpoint {
        sequence: head.sequence,
        hash: head.hash,
        at: Timestamp::from_millis(1_795_000_000_000),
        key: PublicKey([1; 32]),
        signature: Signature([2; 64]),
    }
}

pub(crate) fn archive(stretch: &Stretch, events: u64) -> Archive {
    Archive {
        first: stretch.first,
        events,
        before: stretch.before,
        file: format!("audit-{}.jsonl", stretch.last.sequence),
        checkpoint: checkpoint(stretch.last),
    }
}

pub(crate) fn archived(archive: &Archive) -> NewAuditEvent {
    NewAuditEvent {
        target: Some(archive.file.clone()),
        ..NewAuditEvent::new(Actor::Panel, act::ARCHIVE_AUDIT, AuditOutcome::Succeeded)
    }
}

async fn numbers(store: &Store) -> Vec<i64> {
    let mut all: Vec<i64> = store
        .list(None, 100)
        .await
        .unwrap()
        .iter()
        .map(|event| event.sequence)
        .collect();
    all.reverse();
    all
}

async fn checked(store: &Store, checkpoints: &[Checkpoint]) -> Check {
    let checked = store.check_audit(CheckWhen::Now, checkpoints, Vec::new());
    checked.await.unwrap().unwrap()
}

/// Archives what is older than `before`; what was written of it.
async fn do_archive(store: &Store, before: Timestamp) -> (Archive, String) {
    let mut archiving = store.begin_archive(before).await.unwrap().unwrap();
    let stretch = archiving.stretch;
    let text = Arc::new(Mutex::new(Vec::new()));
    let taken = Arc::clone(&text);
    let write = move |piece: Vec<u8>| {
        taken.lock().unwrap().extend(piece);
        async { Ok(()) }.boxed()
    };
    let events = store.export_stretch(&stretch, write).await.unwrap();
    let done = archive(&stretch, events);
    let noted = store
        .note_archive(&mut archiving, &done, archived(&done))
        .await;
    noted.unwrap();
    let text = text.lock().unwrap().clone();
    (done, String::from_utf8(text).unwrap())
}

#[tokio::test]
async fn what_was_archived_goes_and_the_chain_goes_on_from_there() {
    let (database, store, before) = ten_days().await;
    let whole = checked(&store, &[]).await;
    assert_eq!((whole.after, whole.events), (0, 10));
    assert_eq!(store.last_archive().await.unwrap(), None);

    let (first, text) = do_archive(&store, before).await;
    assert_eq!(
        (first.first, first.events, first.head().sequence),
        (1, 6, 6)
    );
    assert_eq!(text.lines().count(), 6);
    assert_eq!(store.last_archive().await.unwrap().unwrap(), first);
    // Noted and not yet gone: the check begins behind them all the same.
    assert_eq!(numbers(&store).await.len(), 11);
    assert_eq!(
        checked(&store, std::slice::from_ref(&first.checkpoint))
            .await
            .flaws,
        []
    );
    assert_eq!(store.drop_archived().await.unwrap(), 6);
    assert_eq!(store.drop_archived().await.unwrap(), 0);
    assert_eq!(numbers(&store).await, [7, 8, 9, 10, 11]);
    let check = checked(&store, std::slice::from_ref(&first.checkpoint)).await;
    assert_eq!(check.flaws, []);
    assert_eq!((check.after, check.events, check.last), (6, 5, 11));
    assert_eq!(
        check.sentence(),
        "The chain of 5 events, from event 7 on, is whole."
    );

    // The next one follows it, and the last event of all stays.
    let now = database.clock.now().plus(DAY);
    let (second, _) = do_archive(&store, now).await;
    assert_eq!((second.first, second.head().sequence), (7, 10));
    store.drop_archived().await.unwrap();
    assert_eq!(numbers(&store).await, [11, 12]);
    assert_eq!(
        checked(&store, &[first.checkpoint, second.checkpoint])
            .await
            .flaws,
        []
    );
}

#[tokio::test]
async fn nothing_goes_that_is_young_or_that_another_panel_is_at() {
    let (database, store, before) = ten_days().await;
    let begin = async |store: &Store, before| store.begin_archive(before).await.unwrap();
    let oldest = before.minus(DAY * 6);
    assert!(begin(&store, oldest).await.is_none(), "nothing is older");
    let held = begin(&store, before).await.unwrap();
    let other = database.store().await;
    assert!(begin(&other, before).await.is_none());
    drop(held);
    // A clock that was turned back: what came before that event is all that goes.
    database.clock.advance(DAY * 5);
    store.record(event("late")).await.unwrap();
    let now = database.clock.now();
    let stretch = begin(&store, now.minus(DAY)).await.unwrap().stretch;
    assert_eq!(stretch.last.sequence, 10);
}

#[tokio::test]
async fn not_even_the_owner_deletes_what_is_not_archived_or_changes_what_is() {
    let (database, store, before) = ten_days().await;
    let refused = async |statement: &str| {
        let refused = database.sql(statement).await.unwrap_err().to_string();
        assert!(refused.contains("append-only"), "{statement}: {refused}");
    };
    refused("DELETE FROM audit_events WHERE sequence = 1").await;
    do_archive(&store, before).await;
    for statement in [
        "DELETE FROM audit_events WHERE sequence >= 6",
        "UPDATE audit_events SET note = 'x' WHERE sequence = 1",
        "TRUNCATE audit_events",
        "UPDATE audit_archives SET sequence = 9",
        "DELETE FROM audit_archives",
        "TRUNCATE audit_archives",
    ] {
        refused(statement).await;
    }
    assert_eq!(numbers(&store).await.len(), 11);
}

#[tokio::test]
async fn an_archive_that_somebody_made_up_does_not_fit() {
    let (database, store, before) = ten_days().await;
    let (real, _) = do_archive(&store, before).await;
    store.drop_archived().await.unwrap();
    database
        .sql(
            "ALTER TABLE audit_events DISABLE TRIGGER ALL;
             DELETE FROM audit_events WHERE sequence <= 8;
             INSERT INTO audit_archives (first, sequence, hash, events, before, file, at, key, signature)
             SELECT 7, 8, decode(repeat('07', 32), 'hex'), 2, before, 'x', at, key, signature FROM audit_archives",
        )
        .await
        .unwrap();
    let check = checked(&store, &[real.checkpoint]).await;
    assert_eq!(
        check.flaws,
        [Flaw::NotFollowing {
            sequence: 9,
            before: 8
        }]
    );
}
