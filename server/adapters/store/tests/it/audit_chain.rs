//! The chain: appended by several panels at once, and whatever an owner of the tables does to it, found and named.

use std::time::Duration;

use adapter_store::{CheckWhen, ExportFormat, Store, Way};
use domain::audit::{
    AuditOutcome, Change, Check, Checkpoint, Flaw, Hash, NewAuditEvent, PublicKey, Signature,
};
use domain::operation::Outcome;
use domain::person::{Actor, Role};
use domain::ports::{AuditTrail as _, Ids as _, Journal as _, People as _};
use proptest::strategy::{Strategy as _, ValueTree as _};
use proptest::test_runner::TestRunner;
use sqlx::postgres::PgConnection;
use sqlx::{Connection as _, Executor as _, Row as _};

use crate::audit::event;
use crate::support::{Database, anna, may_manage_people, person, restart};

async fn checked(store: &Store, checkpoints: &[Checkpoint]) -> Check {
    let checked = store.check_audit(CheckWhen::Now, checkpoints.to_vec(), Vec::new(), |_| Ok(()));
    checked.await.unwrap().unwrap()
}

/// Made of the last event; its signature is for others to look at.
async fn checkpoint(store: &Store) -> Checkpoint {
    let sign = |head: domain::audit::Head, at| Checkpoint {
        sequence: head.sequence,
        hash: head.hash,
        at,
        key: PublicKey([1; 32]),
        signature: Signature([2; 64]),
    };
    let made = store.make_checkpoint(Duration::ZERO, sign).await;
    made.unwrap().unwrap()
}

/// As the owner, with everything switched off that is in the way.
async fn tamper(database: &Database, statements: &str) {
    let mut connection = PgConnection::connect(&database.url).await.unwrap();
    let all = format!(
        "BEGIN;
         ALTER TABLE audit_events DISABLE TRIGGER ALL;
         ALTER TABLE audit_head DISABLE TRIGGER ALL;
         ALTER TABLE audit_checkpoints DISABLE TRIGGER ALL;
         {statements};
         COMMIT"
    );
    connection.execute(all.as_str()).await.unwrap();
}

/// A store with so many events.
async fn with_events(count: i64) -> (Database, Store) {
    let database = Database::fresh().await;
    let store = database.store().await;
    for number in 1..=count {
        let mut event = event(&number.to_string());
        event.operation = Some(domain::operation::OperationId(uuid::Uuid::from_u128(5)));
        event.reason = Some("reason".to_owned());
        event.note = Some("note".to_owned());
        event.changes = vec![Change::new("role", Some("a"), Some("b"))];
        event.duration_ms = Some(7);
        store.record(event).await.unwrap();
        database.clock.advance(Duration::from_secs(1));
    }
    (database, store)
}

#[tokio::test]
async fn two_panels_that_append_at_once_make_one_chain_without_a_gap() {
    let database = Database::fresh().await;
    let (one, other) = (database.store().await, database.store().await);
    let append = async |store: &Store, name: &str| {
        for _ in 0..10 {
            let batch = (0..100).map(|n| store.record(event(&format!("{name}{n}"))));
            futures::future::try_join_all(batch).await.unwrap();
        }
    };
    tokio::join!(append(&one, "a"), append(&other, "b"));
    let check = checked(&one, &[]).await;
    assert_eq!(check.flaws, []);
    assert_eq!((check.events, check.last), (2_000, 2_000));
}

/// Sign-ins, changes of people and operations lock other rows, too: none of them waits for another for ever.
#[tokio::test]
async fn acts_of_every_kind_at_once_do_not_wait_for_each_other_in_a_circle() {
    let database = Database::fresh().await;
    let (one, other) = (database.store().await, database.store().await);
    let (ben, password) = person(&one, "ben", Role::Viewer).await;
    let changes = async |store: &Store| {
        for role in [Role::Operator, Role::Viewer].into_iter().cycle().take(20) {
            store
                .set_roles(may_manage_people(), ben, role.into())
                .await
                .unwrap();
        }
    };
    let sign_ins = async |store: &Store| {
        for _ in 0..5 {
            store
                .sign_in("ben", password.clone(), None, None)
                .await
                .unwrap();
        }
    };
    let operations = async |store: &Store| {
        for n in 0..20 {
            let wanted = restart(&database, anna(), &format!("k{n}"));
            let id = wanted.operation.id;
            store.begin(wanted, database.ids.next()).await.unwrap();
            let outcome = Outcome::Succeeded { note: None };
            store.end(id, 1, outcome).await.unwrap().unwrap();
        }
    };
    tokio::join!(
        changes(&one),
        changes(&other),
        sign_ins(&one),
        sign_ins(&other),
        operations(&one),
    );
    let check = checked(&one, &[]).await;
    assert_eq!(check.flaws, []);
    assert_eq!(check.events, u64::try_from(check.last).unwrap());
}

#[tokio::test]
async fn an_event_that_is_rolled_back_leaves_no_gap() {
    let (database, store) = with_events(2).await;
    let wanted = restart(&database, anna(), "k");
    database
        .sql("ALTER TABLE operations ADD CONSTRAINT never CHECK (false) NOT VALID")
        .await
        .unwrap();
    assert!(store.begin(wanted, database.ids.next()).await.is_err());
    assert_eq!(store.record(event("3")).await.unwrap().sequence, 3);
    assert_eq!(checked(&store, &[]).await.flaws, []);
}

#[tokio::test]
async fn events_of_before_the_chain_are_chained_once_with_the_gaps_that_they_have() {
    let database = Database::fresh().await;
    // As they were before: no hash, numbers with gaps, members that nobody knows, microseconds.
    tamper(
        &database,
        "INSERT INTO audit_events (sequence, id, at, actor, actor_key, action, outcome, note)
         SELECT n * 3, gen_random_uuid(), '2026-01-01T00:00:00.123456Z'::timestamptz + n * interval '1 second',
                '{\"kind\": \"robot\", \"zz\": [1, {\"b\": null, \"a\": \"é\\n\"}], \"a\": true}', 'robot', 'restart',
                'succeeded', CASE WHEN n % 2 = 0 THEN 'say \"no\" \\ 1' END
         FROM generate_series(1, 12001) AS n;
         ALTER TABLE audit_events ENABLE ALWAYS TRIGGER audit_events_are_append_only;
         ALTER TABLE audit_events ENABLE TRIGGER audit_events_follow_the_head",
    )
    .await;
    let (store, other) = tokio::join!(database.store(), database.store());
    let check = checked(&store, &[]).await;
    assert_eq!(check.flaws, []);
    assert_eq!((check.events, check.last), (12_001, 36_003));
    assert_eq!(other.record(event("next")).await.unwrap().sequence, 36_004);
    assert!(
        database
            .sql("UPDATE audit_events SET note = ''")
            .await
            .is_err()
    );
    // A third start finds nothing to do.
    let again = database.store().await;
    assert_eq!(checked(&again, &[]).await.flaws, []);
}

/// Whatever is written comes back from Postgres, its jsonb and its clock as the same text, and so does every line of an
/// export.
#[tokio::test]
async fn any_text_survives_the_database_and_the_export() {
    let database = Database::fresh().await;
    let store = database.store().await;
    let mut runner = TestRunner::deterministic();
    let texts = proptest::collection::vec("(?s).{0,40}", 6);
    for _ in 0..200 {
        let texts = texts.new_tree(&mut runner).unwrap().current();
        // The one character that Postgres does not take.
        let texts: Vec<String> = texts
            .iter()
            .map(|text| text.replace('\0', "\u{1}"))
            .collect();
        let actor = Actor::Person {
            id: uuid::Uuid::from_u128(1),
            name: texts[0].clone(),
            role: Role::Admin,
            address: None,
            browser: Some(texts[1].clone()),
            session: None,
            token: None,
        };
        let event = NewAuditEvent {
            target: Some(texts[2].clone()),
            reason: Some(texts[3].clone()),
            note: Some(texts[4].clone()),
            changes: vec![Change::new(&texts[5], Some(&texts[0]), None)],
            ..NewAuditEvent::new(actor, &texts[1], AuditOutcome::Succeeded)
        };
        store.record(event).await.unwrap();
        database.clock.advance(Duration::from_millis(1));
    }
    let check = checked(&store, &[]).await;
    assert_eq!((check.flaws, check.events), (vec![], 200));

    let mut export = Vec::new();
    let write = |piece: &[u8]| {
        export.extend_from_slice(piece);
        Ok(())
    };
    let count = store.export_audit(ExportFormat::JsonLines, 0, None, None, write);
    assert_eq!(count.await.unwrap(), 200);
    let mut previous = Hash::ZERO;
    for line in std::str::from_utf8(&export).unwrap().lines() {
        let mut event: std::collections::BTreeMap<String, serde_json::Value> =
            serde_json::from_str(line).unwrap();
        let hash = event.remove("hash").unwrap();
        assert_eq!(event["previous"], previous.to_string());
        previous = Hash::of(sorted(&serde_json::to_value(&event).unwrap()).as_bytes());
        assert_eq!(hash, previous.to_string());
    }
}

/// JSON with its members sorted, by somebody else's hand.
fn sorted(value: &serde_json::Value) -> String {
    match value {
        serde_json::Value::Object(members) => {
            let members: std::collections::BTreeMap<_, _> = members.iter().collect();
            let members = members.into_iter().map(|(name, value)| {
                format!(
                    "{}:{}",
                    serde_json::Value::from(name.as_str()),
                    sorted(value)
                )
            });
            format!("{{{}}}", members.collect::<Vec<_>>().join(","))
        }
        serde_json::Value::Array(values) => {
            let values: Vec<_> = values.iter().map(sorted).collect();
            format!("[{}]", values.join(","))
        }
        other => other.to_string(),
    }
}

/// For each column that there is, also for those that come later.
#[tokio::test]
async fn one_bit_in_any_column_is_found_and_named() {
    let (database, store) = with_events(5).await;
    let mut connection = PgConnection::connect(&database.url).await.unwrap();
    let columns = connection
        .fetch_all(
            "SELECT column_name::text, data_type::text FROM information_schema.columns
             WHERE table_name = 'audit_events' ORDER BY ordinal_position",
        )
        .await
        .unwrap();
    assert_eq!(columns.len(), 16);
    for column in columns {
        let (name, kind): (String, String) = (column.get(0), column.get(1));
        let flipped = match (name.as_str(), kind.as_str()) {
            ("sequence", _) => "sequence + 8".to_owned(),
            ("outcome", _) => "'failed'".to_owned(),
            (_, "bigint") => format!("({name}::bit(64) # 1::bit(64))::bigint"),
            (_, "uuid") => format!("overlay({name}::text placing 'f' from 36)::uuid"),
            (_, "timestamp with time zone") => format!("{name} + interval '1 microsecond'"),
            (_, "bytea") => format!("set_bit({name}, 77, 1 - get_bit({name}, 77))"),
            (_, "jsonb") => {
                format!("overlay({name}::text placing 'B' from length({name}::text) - 3)::jsonb")
            }
            _ => format!("chr(ascii({name}) # 1) || substr({name}, 2)"),
        };
        let before = "CREATE TABLE kept AS SELECT * FROM audit_events WHERE sequence = 3";
        tamper(
            &database,
            &format!("{before}; UPDATE audit_events SET {name} = {flipped} WHERE sequence = 3"),
        )
        .await;
        let check = checked(&store, &[]).await;
        let named = match name.as_str() {
            "sequence" => 11,
            _ => 3,
        };
        assert_eq!(
            check.flaws.first(),
            Some(&first_flaw(&name, named)),
            "{name}"
        );
        tamper(
            &database,
            "DELETE FROM audit_events WHERE id IN (SELECT id FROM kept) OR sequence IN (3, 11);
             INSERT INTO audit_events SELECT * FROM kept; DROP TABLE kept",
        )
        .await;
        assert_eq!(checked(&store, &[]).await.flaws, [], "{name} put back");
    }
}

fn first_flaw(column: &str, sequence: i64) -> Flaw {
    match column {
        // Moved behind the last one: the place where it was is what shows first.
        "sequence" => Flaw::Removed { from: 3, to: 3 },
        _ => Flaw::Altered { sequence },
    }
}

#[tokio::test]
async fn what_is_removed_put_in_moved_or_cut_off_is_found_and_named() {
    let cases: [(&str, &str, &[Flaw]); 8] = [
        (
            "the last five",
            "DELETE FROM audit_events WHERE sequence > 5",
            &[Flaw::Truncated { last: 5, known: 10, checkpoint: None }],
        ),
        (
            "the last five, and the head set back",
            "DELETE FROM audit_events WHERE sequence > 5;
             UPDATE audit_head SET sequence = 5, hash = (SELECT hash FROM audit_events WHERE sequence = 5)",
            &[],
        ),
        (
            "the middle",
            "DELETE FROM audit_events WHERE sequence BETWEEN 4 AND 6",
            &[Flaw::Removed { from: 4, to: 6 }],
        ),
        (
            "all of them",
            "DELETE FROM audit_events",
            &[Flaw::Truncated { last: 0, known: 10, checkpoint: None }],
        ),
        (
            "two that are swapped",
            "UPDATE audit_events SET sequence = 99 WHERE sequence = 4;
             UPDATE audit_events SET sequence = 4 WHERE sequence = 5;
             UPDATE audit_events SET sequence = 5 WHERE sequence = 99",
            &[
                Flaw::Altered { sequence: 4 },
                Flaw::NotFollowing { sequence: 4, before: 3 },
                Flaw::Altered { sequence: 5 },
                Flaw::NotFollowing { sequence: 5, before: 4 },
                Flaw::NotFollowing { sequence: 6, before: 5 },
            ],
        ),
        (
            "one put in at the end",
            "INSERT INTO audit_events (sequence, id, at, actor, actor_key, action, outcome, previous, hash)
             SELECT 11, gen_random_uuid(), at, actor, actor_key, action, outcome, hash, hash
             FROM audit_events WHERE sequence = 10",
            &[Flaw::Altered { sequence: 11 }, Flaw::Head { last: 11, sequence: 10 }],
        ),
        (
            "one put in before the first",
            "ALTER TABLE audit_events DROP CONSTRAINT audit_events_are_counted_from_one;
             INSERT INTO audit_events (sequence, id, at, actor, actor_key, action, outcome, previous, hash)
             SELECT -5, gen_random_uuid(), at, actor, actor_key, action, outcome, previous, hash
             FROM audit_events WHERE sequence = 1",
            &[Flaw::PutIn { sequence: -5 }],
        ),
        (
            "the first one, moved to 0",
            "ALTER TABLE audit_events DROP CONSTRAINT audit_events_are_counted_from_one;
             UPDATE audit_events SET sequence = 0 WHERE sequence = 1",
            &[Flaw::PutIn { sequence: 0 }, Flaw::Removed { from: 1, to: 1 }],
        ),
    ];
    for (what, statements, flaws) in cases {
        let (database, store) = with_events(10).await;
        let known = checkpoint(&store).await;
        tamper(&database, statements).await;
        let check = checked(&store, &[]).await;
        assert_eq!(check.flaws, flaws, "{what}");
        if check.last < 10 {
            let check = checked(&store, std::slice::from_ref(&known)).await;
            let cut = Flaw::Truncated {
                last: check.last,
                known: 10,
                checkpoint: Some(known.at),
            };
            assert!(check.flaws.contains(&cut), "{what}: {:?}", check.flaws);
        }
    }
}

/// A trail into which somebody put such an event must not keep the panel from starting: nobody would look at it.
#[tokio::test]
async fn no_number_below_one_is_taken_and_one_that_is_there_stops_no_migration() {
    let (database, _) = with_events(1).await;
    let put_in = "INSERT INTO audit_events (sequence, id, at, actor, actor_key, action, outcome, previous, hash)
                  SELECT -5, gen_random_uuid(), at, actor, actor_key, action, outcome, previous, hash FROM audit_events";
    let off = "ALTER TABLE audit_events DISABLE TRIGGER ALL";
    let refused = database.sql(&format!("{off}; {put_in}")).await;
    let said = refused.unwrap_err().to_string();
    assert!(said.contains("audit_events_are_counted_from_one"), "{said}");
    let gone = "ALTER TABLE audit_events DROP CONSTRAINT audit_events_are_counted_from_one";
    tamper(&database, &format!("{gone}; {put_in}")).await;
    let migration = include_str!("../../../../../migrations/0029_audit_numbers.sql");
    database.sql(migration).await.unwrap();
}

#[tokio::test]
async fn an_event_that_is_put_in_between_is_found() {
    let (database, store) = with_events(6).await;
    tamper(
        &database,
        "UPDATE audit_events SET sequence = sequence + 1000 WHERE sequence >= 4;
         UPDATE audit_events SET sequence = sequence - 999 WHERE sequence > 1000;
         INSERT INTO audit_events SELECT 4, gen_random_uuid(), at, actor, actor_key, action, gateway_id, target,
             operation_id, reason, outcome, note, changes, duration_ms, hash, hash FROM audit_events WHERE sequence = 3;
         UPDATE audit_head SET sequence = 7",
    )
    .await;
    let check = checked(&store, &[]).await;
    assert_eq!(check.flaws.first(), Some(&Flaw::Altered { sequence: 4 }));
    assert!(check.flaws.contains(&Flaw::Altered { sequence: 5 }));
}

/// Rewritten from one event on with right hashes: only who knew a later hash can tell.
#[tokio::test]
async fn an_old_dump_and_a_trail_that_was_written_anew_do_not_fit_the_checkpoints() {
    let (database, store) = with_events(10).await;
    let known = checkpoint(&store).await;
    assert_eq!(
        checked(&store, std::slice::from_ref(&known)).await.flaws,
        []
    );
    // As restoring a dump does that was made after the seventh: events, head and checkpoints of then.
    tamper(
        &database,
        "DELETE FROM audit_events WHERE sequence > 7; DELETE FROM audit_checkpoints;
         UPDATE audit_head SET sequence = 7, hash = (SELECT hash FROM audit_events WHERE sequence = 7);
         ALTER TABLE audit_events ENABLE TRIGGER ALL",
    )
    .await;
    assert_eq!(checked(&store, &[]).await.flaws, []);
    let check = checked(&store, std::slice::from_ref(&known)).await;
    let cut = Flaw::Truncated {
        last: 7,
        known: 10,
        checkpoint: Some(known.at),
    };
    assert_eq!(check.flaws, [cut]);
    // And whoever goes on from there has other events of the same numbers.
    for n in 0..5 {
        store.record(event(&format!("other {n}"))).await.unwrap();
    }
    let check = checked(&store, std::slice::from_ref(&known)).await;
    let other = Flaw::Checkpoint {
        sequence: 10,
        at: known.at,
    };
    assert_eq!(check.flaws, [other]);
    assert_ne!(known.hash, Hash::ZERO);
}

#[tokio::test]
async fn checkpoints_are_made_once_when_there_is_something_new_and_time_has_passed() {
    let database = Database::fresh().await;
    let (store, other) = (database.store().await, database.store().await);
    let hour = Duration::from_secs(3_600);
    let sign = |head: domain::audit::Head, at| Checkpoint {
        sequence: head.sequence,
        hash: head.hash,
        at,
        key: PublicKey([1; 32]),
        signature: Signature([2; 64]),
    };
    assert_eq!(
        store.make_checkpoint(hour, sign).await.unwrap(),
        None,
        "nothing yet"
    );
    store.record(event("1")).await.unwrap();
    let (one, two) = tokio::join!(
        store.make_checkpoint(hour, sign),
        other.make_checkpoint(hour, sign)
    );
    let made = [one.unwrap(), two.unwrap()];
    assert_eq!(made.iter().flatten().count(), 1, "{made:?}");
    store.record(event("2")).await.unwrap();
    assert_eq!(
        store.make_checkpoint(hour, sign).await.unwrap(),
        None,
        "too soon"
    );
    database.clock.advance(hour);
    let second = store.make_checkpoint(hour, sign).await.unwrap().unwrap();
    assert_eq!(second.sequence, 2);
    database.clock.advance(hour);
    assert_eq!(
        store.make_checkpoint(hour, sign).await.unwrap(),
        None,
        "nothing new"
    );
    let stored = store.checkpoints(0).await.unwrap();
    assert_eq!(stored.len(), 2);
    assert_eq!(stored[1].checkpoint, second);
    assert_eq!(store.checkpoints(stored[0].id).await.unwrap().len(), 1);
}

#[tokio::test]
async fn a_check_that_is_due_is_made_by_one_panel_and_kept() {
    let database = Database::fresh().await;
    let (store, other) = (database.store().await, database.store().await);
    store.record(event("1")).await.unwrap();
    assert_eq!(store.last_audit_check().await.unwrap(), None);
    let due = CheckWhen::Due(Duration::from_secs(3_600));
    let (one, two) = tokio::join!(
        store.check_audit(due, Vec::new(), Vec::new(), |_| Ok(())),
        other.check_audit(due, Vec::new(), Vec::new(), |_| Ok(()))
    );
    let made: Vec<_> = [one.unwrap(), two.unwrap()].into_iter().flatten().collect();
    assert_eq!(made.len(), 1);
    assert_eq!(
        store.last_audit_check().await.unwrap().as_ref(),
        made.first()
    );
    database.clock.advance(Duration::from_secs(3_601));
    let flaw = Flaw::Line { line: 3 };
    let check = other
        .check_audit(due, Vec::new(), vec![flaw.clone()], |_| Ok(()))
        .await
        .unwrap();
    assert_eq!(check.unwrap().flaws, [flaw]);
}

#[tokio::test]
async fn a_delivery_is_taken_on_by_one_panel_and_what_became_of_it_is_kept() {
    let database = Database::fresh().await;
    let (store, other) = (database.store().await, database.store().await);
    let minute = Duration::from_secs(60);
    assert_eq!(store.delivery(Way::Url).await.unwrap(), None);
    let (one, two) = tokio::join!(
        store.claim_delivery(Way::Url, minute),
        other.claim_delivery(Way::Url, minute)
    );
    assert_ne!(one.unwrap(), two.unwrap());
    let failed = Err("nothing listens.".to_owned());
    store.note_delivery(Way::Url, failed).await.unwrap();
    let delivery = other.delivery(Way::Url).await.unwrap().unwrap();
    assert_eq!(delivery.failed.as_deref(), Some("nothing listens."));
    assert_eq!((delivery.checkpoint, delivery.delivered_at), (0, None));
    assert!(!other.claim_delivery(Way::Url, minute).await.unwrap());
    assert!(other.claim_delivery(Way::Mail, minute).await.unwrap());
    database.clock.advance(minute);
    assert!(other.claim_delivery(Way::Url, minute).await.unwrap());
    other.note_delivery(Way::Url, Ok(7)).await.unwrap();
    let delivery = store.delivery(Way::Url).await.unwrap().unwrap();
    assert_eq!((delivery.checkpoint, delivery.failed), (7, None));
    assert_eq!(delivery.delivered_at, delivery.tried_at);
}
