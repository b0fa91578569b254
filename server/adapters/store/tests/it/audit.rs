use domain::audit::{AuditOutcome, NewAuditEvent, act};
use domain::ports::AuditTrail as _;

use crate::support::{Database, anna};

fn event(target: &str) -> NewAuditEvent {
    NewAuditEvent {
        actor: anna(),
        action: act::DOWNLOAD_LOGS.to_owned(),
        gateway: Some("g1".parse().unwrap()),
        target: Some(target.to_owned()),
        operation: None,
        reason: None,
        outcome: AuditOutcome::Succeeded,
        note: None,
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
    let first = store.list(None, 2).await.unwrap();
    let rest = store.list(Some(first[1].sequence), 10).await.unwrap();
    let sequences: Vec<i64> = first
        .iter()
        .chain(&rest)
        .map(|event| event.sequence)
        .collect();
    assert_eq!(sequences, [5, 4, 3, 2, 1]);
    assert_eq!(rest[2].event, event("1"));
}

#[tokio::test]
async fn the_database_refuses_to_change_delete_or_empty_the_trail() {
    let database = Database::fresh().await;
    let store = database.store().await;
    store.record(event("one")).await.unwrap();
    for statement in [
        "UPDATE audit_events SET note = 'nothing happened'",
        "DELETE FROM audit_events",
        "TRUNCATE audit_events",
        "TRUNCATE audit_events CASCADE",
        "SET session_replication_role = replica; DELETE FROM audit_events",
        "INSERT INTO audit_events (sequence, id, at, actor, actor_key, action, outcome)
         VALUES (9, gen_random_uuid(), now(), '{}', 'x', 'x', 'failed')",
    ] {
        assert!(database.sql(statement).await.is_err(), "{statement}");
    }
    let left = store.list(None, 10).await.unwrap();
    assert_eq!(left.len(), 1);
    assert_eq!(left[0].event, event("one"));
}
