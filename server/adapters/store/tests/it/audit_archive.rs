//! Old events leave the database by an archive, and by nothing else.

use std::sync::{Arc, Mutex};
use std::time::Duration;

use adapter_store::{Archives, CheckWhen, Store};
use domain::audit::{
    Archive, AuditOutcome, Check, Checkpoint, Doubt, Flaw, Head, NewAuditEvent, PublicKey,
    Signature, Stretch, act,
};
use domain::person::Actor;
use domain::ports::{AuditTrail as _, Clock as _};
use domain::time::Timestamp;
use futures::FutureExt as _;

use crate::audit::event;
use crate::support::Database;

const DAY: Duration = Duration::from_secs(86_400);
const OWN: PublicKey = PublicKey([1; 32]);

/// By the panel's own key, as far as these tests have one.
fn signed(end: &Checkpoint) -> Result<(), Doubt> {
    if end.key == OWN {
        Ok(())
    } else {
        Err(Doubt::Key)
    }
}

async fn archives(store: &Store) -> Archives {
    store.archives(&signed).await.unwrap()
}

/// Drops what is left of the last archive; how many events went.
async fn dropped(store: &Store) -> u64 {
    let archive = archives(store).await.last.unwrap();
    match store.begin_drop(&archive).await.unwrap() {
        Some(mut lock) => store.drop_archived(&mut lock, &archive).await.unwrap(),
        None => 0,
    }
}

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
        // After all that these tests write.
        at: Timestamp::from_millis(1_800_000_000_000),
        key: OWN,
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
    let checked = store.check_audit(CheckWhen::Now, checkpoints.to_vec(), Vec::new(), signed);
    checked.await.unwrap().unwrap()
}

/// Archives what is older than `before`; what was written of it.
async fn do_archive(store: &Store, before: Timestamp) -> (Archive, String) {
    let archiving = store.begin_archive(before, &signed).await;
    let mut archiving = archiving.unwrap().unwrap();
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
    assert_eq!(archives(&store).await, Archives::default());

    let (first, text) = do_archive(&store, before).await;
    assert_eq!(
        (first.first, first.events, first.head().sequence),
        (1, 6, 6)
    );
    assert_eq!(text.lines().count(), 6);
    assert_eq!(archives(&store).await.last.unwrap(), first);
    // Noted and not yet gone: the check begins behind them all the same.
    assert_eq!(numbers(&store).await.len(), 11);
    assert_eq!(
        checked(&store, std::slice::from_ref(&first.checkpoint))
            .await
            .flaws,
        []
    );
    assert_eq!(dropped(&store).await, 6);
    assert_eq!(dropped(&store).await, 0);
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
    dropped(&store).await;
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
    let begin = async |store: &Store, before| {
        let begun = store.begin_archive(before, &signed).await;
        begun.unwrap()
    };
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

/// Puts in a row about the first `sequence` events, with the hash that the last of them has.
async fn make_up(database: &Database, sequence: i64, key: u8, at: Timestamp) {
    let key = format!("{key:02x}").repeat(32);
    database
        .sql(&format!(
            "INSERT INTO audit_archives (first, sequence, hash, events, before, file, at, key, signature)
             SELECT 1, sequence, hash, sequence, now(), 'made-up-{sequence}.jsonl', to_timestamp({} / 1000.0),
                    decode('{key}', 'hex'), decode('{key}{key}', 'hex')
             FROM audit_events WHERE sequence = {sequence}",
            at.as_millis()
        ))
        .await
        .unwrap();
}

fn not_believed(sequence: i64, why: Doubt) -> Flaw {
    Flaw::Archive {
        sequence,
        file: format!("made-up-{sequence}.jsonl"),
        why,
    }
}

const LATER: Timestamp = Timestamp::from_millis(1_800_000_000_000);

#[tokio::test]
async fn a_made_up_archive_is_not_believed_and_hides_no_beginning() {
    let (database, store, _) = ten_days().await;
    let first = database.clock.now().minus(DAY * 10);
    // A right hash, and another key; the panel's key, and no event; a checkpoint of when it was the last event.
    let cases = [
        (4, 7, LATER, Doubt::Key),
        (5, 1, LATER, Doubt::NoEvent),
        (6, 1, first.plus(DAY * 5), Doubt::Early),
    ];
    for (sequence, key, at, why) in cases {
        make_up(&database, sequence, key, at).await;
        if why == Doubt::Early {
            let archive = archives(&store).await.doubted.remove(0).0;
            store.record(archived(&archive)).await.unwrap();
        }
        let check = checked(&store, &[]).await;
        assert_eq!(check.after, 0, "{why:?}");
        assert!(check.flaws.contains(&not_believed(sequence, why)));
        assert_eq!(archives(&store).await.last, None);
    }
    // Whoever deletes what they say does not get past a check either.
    database
        .sql("DELETE FROM audit_events WHERE sequence <= 6")
        .await
        .unwrap();
    let check = checked(&store, &[]).await;
    assert!(
        check.flaws.contains(&Flaw::Removed { from: 1, to: 6 }),
        "{:?}",
        check.flaws
    );
}

#[tokio::test]
async fn behind_a_made_up_archive_the_last_real_one_counts() {
    let (database, store, before) = ten_days().await;
    let (real, _) = do_archive(&store, before).await;
    dropped(&store).await;
    make_up(&database, 8, 7, LATER).await;
    let found = archives(&store).await;
    assert_eq!(found.last.as_ref(), Some(&real));
    let check = checked(&store, &[]).await;
    assert_eq!(check.flaws, [not_believed(8, Doubt::Key)]);
    database
        .sql("DELETE FROM audit_events WHERE sequence <= 8")
        .await
        .unwrap();
    let check = checked(&store, &[real.checkpoint]).await;
    assert_eq!(
        check.flaws,
        [
            not_believed(8, Doubt::Key),
            Flaw::Removed { from: 7, to: 8 }
        ]
    );
}

/// Pages would show it: it is neither dropped without a word nor left aside.
#[tokio::test]
async fn what_is_put_in_where_archived_events_were_stays_and_is_named() {
    let (database, store, before) = ten_days().await;
    do_archive(&store, before).await;
    dropped(&store).await;
    database
        .sql(
            "ALTER TABLE audit_events DISABLE TRIGGER ALL;
             ALTER TABLE audit_events DROP CONSTRAINT audit_events_are_counted_from_one;
             INSERT INTO audit_events (sequence, id, at, actor, actor_key, action, outcome, previous, hash)
             SELECT number, gen_random_uuid(), at, actor, actor_key, action, outcome, previous, hash
             FROM audit_events CROSS JOIN (VALUES (-1), (3)) AS put_in (number) WHERE sequence = 7",
        )
        .await
        .unwrap();
    assert_eq!(dropped(&store).await, 0);
    let check = checked(&store, &[]).await;
    assert_eq!(
        check.flaws,
        [
            Flaw::PutIn { sequence: -1 },
            Flaw::Altered { sequence: 3 },
            Flaw::PutIn { sequence: 3 },
        ]
    );
}
