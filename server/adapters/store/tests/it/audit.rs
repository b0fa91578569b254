//! The trail is only added to, by transactions that stand or fall with it.

use std::time::Duration;

use domain::audit::{AuditOutcome, Change, NewAuditEvent, act};
use domain::operation::Outcome;
use domain::person::Role;
use domain::ports::{AuditTrail, Disabled, Ids as _, Journal as _, People as _};

use crate::support::{Database, anna, may_manage_people, person, restart};

pub(crate) fn event(target: &str) -> NewAuditEvent {
    NewAuditEvent {
        gateway: Some("g1".parse().unwrap()),
        target: Some(target.to_owned()),
        ..NewAuditEvent::new(anna(), act::DOWNLOAD_LOGS, AuditOutcome::Succeeded)
    }
}

#[tokio::test]
async fn events_are_numbered_in_order_and_read_newest_first_in_pages() {
    let database = Database::fresh().await;
    let store = database.store().await;
    for n in 1..=5 {
        let written = store.record(event(&n.to_string())).await.unwrap();
        assert_eq!(written.sequence, n);
    }
    let first = AuditTrail::list(&store, None, 2).await.unwrap();
    let rest = AuditTrail::list(&store, Some(first[1].sequence), 10)
        .await
        .unwrap();
    let sequences: Vec<i64> = first
        .iter()
        .chain(&rest)
        .map(|event| event.sequence)
        .collect();
    assert_eq!(sequences, [5, 4, 3, 2, 1]);
    assert_eq!(rest[2].event, event("1"));
}

#[tokio::test]
async fn what_was_changed_and_how_long_it_took_come_back() {
    let database = Database::fresh().await;
    let store = database.store().await;
    let (ben, _) = person(&store, "ben", Role::Viewer).await;
    store
        .set_roles(may_manage_people(), ben, Role::Operator.into())
        .await
        .unwrap();
    store
        .set_disabled(may_manage_people(), ben, Disabled::Yes)
        .await
        .unwrap();
    store
        .reset_password(may_manage_people(), ben)
        .await
        .unwrap();
    let wanted = restart(&database, anna(), "k");
    let id = wanted.operation.id;
    store.begin(wanted, database.ids.next()).await.unwrap();
    database.clock.advance(Duration::from_millis(1_500));
    let outcome = Outcome::Succeeded { note: None };
    store.end(id, 1, outcome).await.unwrap().unwrap();
    let listed = AuditTrail::list(&store, None, 10).await.unwrap();
    let changes: Vec<_> = listed
        .iter()
        .map(|event| event.event.changes.clone())
        .collect();
    assert_eq!(
        changes,
        [
            vec![],
            vec![],
            vec![Change::hidden("password")],
            vec![Change::new("sign-in", Some("let in"), Some("kept out"))],
            vec![Change::new("role", Some("viewer"), Some("operator"))],
            vec![],
        ]
    );
    assert_eq!(listed[0].event.duration_ms, Some(1_500));
    assert_eq!(listed[1].event.duration_ms, None);
}

#[tokio::test]
async fn the_database_refuses_to_change_delete_or_empty_the_trail() {
    let database = Database::fresh().await;
    let store = database.store().await;
    store.record(event("one")).await.unwrap();
    let zeros = "decode(repeat('00', 32), 'hex')";
    let forged = |sequence: i64| {
        format!(
            "INSERT INTO audit_events (sequence, id, at, actor, actor_key, action, outcome, previous, hash)
             VALUES ({sequence}, gen_random_uuid(), now(), '{{}}', 'x', 'x', 'failed', {zeros}, {zeros})"
        )
    };
    let checkpoint = format!(
        "INSERT INTO audit_checkpoints (sequence, hash, at, key, signature)
         VALUES (1, {zeros}, now(), {zeros}, {zeros} || {zeros})"
    );
    database.sql(&checkpoint).await.unwrap();
    for statement in [
        "UPDATE audit_events SET note = 'nothing happened'",
        "DELETE FROM audit_events",
        "TRUNCATE audit_events",
        "TRUNCATE audit_events CASCADE",
        "SET session_replication_role = replica; DELETE FROM audit_events",
        "UPDATE audit_checkpoints SET sequence = 2",
        "DELETE FROM audit_checkpoints",
        "TRUNCATE audit_checkpoints",
        "DELETE FROM audit_checks",
        "DELETE FROM audit_head",
        "TRUNCATE audit_head",
        "INSERT INTO audit_head (there_is_one, sequence, hash) VALUES (false, 0, '')",
        // In the place of the first one, out of order, and in the right place without the hash of the one before.
        &forged(1),
        &forged(9),
        &forged(2),
    ] {
        assert!(database.sql(statement).await.is_err(), "{statement}");
    }
    let left = AuditTrail::list(&store, None, 10).await.unwrap();
    assert_eq!(left.len(), 1);
    assert_eq!(left[0].event, event("one"));
}
