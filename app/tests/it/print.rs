//! Events as a document: oldest first, audited, and signed at its end.

use std::sync::Arc;

use domain::audit::{AuditEvent, AuditOutcome, NewAuditEvent, act};
use domain::person::{Actor, Role};
use uuid::Uuid;

use crate::browser::Browser;
use crate::scenes::{ago, world};

fn many(count: i64) -> Vec<AuditEvent> {
    (1..=count)
        .map(|sequence| AuditEvent {
            sequence,
            id: Uuid::nil(),
            at: ago(10_000),
            event: NewAuditEvent {
                reason: Some(format!("reason {sequence} of +4915112345642")),
                ..NewAuditEvent::new(Actor::Panel, "restart", AuditOutcome::Succeeded)
            },
        })
        .collect()
}

#[tokio::test]
async fn it_is_oldest_first_says_who_printed_what_and_ends_with_the_signature() {
    let mut world = world();
    world.audit = many(3);
    let world = Arc::new(world);
    let page = Browser::of(&world, Role::Admin)
        .get("/audit/print?what=restart")
        .await;
    for said in [
        "What Restart.",
        "3 events, from number 1 to number 3 , oldest first",
        "Printed by anna (admin)",
        "“reason 1 of +4915112345642”",
        "Last event 1234 , signed",
        "Signature (Ed25519) fefefe",
        "Public key 010101",
    ] {
        assert!(page.says(said), "{said}: {}", page.text());
    }
    let (first, last) = (page.html.find("reason 1 "), page.html.find("reason 3 "));
    assert!(first < last);
    let written = world.written.lock().unwrap().clone();
    let written: Vec<_> = written
        .iter()
        .map(|event| (event.action.as_str(), event.outcome))
        .collect();
    assert_eq!(
        written,
        [
            (act::EXPORT_AUDIT, AuditOutcome::Requested),
            (act::EXPORT_AUDIT, AuditOutcome::Succeeded)
        ]
    );
}

#[tokio::test]
async fn numbers_are_masked_by_role() {
    let mut world = world();
    world.audit = many(1);
    let page = Browser::of(&Arc::new(world), Role::Manager)
        .get("/audit/print")
        .await;
    assert!(!page.html.contains("4915112345642"), "{}", page.text());
    assert!(page.says("as this role sees them"), "{}", page.text());
    assert!(page.says("Everything, without a filter."));
}

#[tokio::test]
async fn what_is_too_long_says_so_and_goes_on_in_another_document() {
    let mut world = world();
    world.audit = many(2_001);
    let browser = Browser::of(&Arc::new(world), Role::Admin);
    let page = browser.get("/audit/print?what=restart").await;
    assert!(page.says("2000 events, from number 1 to number 2000"));
    assert!(page.says("This is not all: a document holds 2,000 events, and there are more."));
    let on = "/audit/print?what=restart&amp;after=2000";
    assert!(page.html.contains(on), "the next document");
    let rest = browser.get(&on.replace("&amp;", "&")).await;
    assert!(rest.says("1 event, from number 2001 to number 2001"));
    assert!(!rest.says("This is not all"));
}

#[tokio::test]
async fn nothing_is_printed_where_it_cannot_be_audited_or_is_not_for_one() {
    let mut away = world();
    away.audit = many(1);
    away.database_away = true;
    let page = Browser::of(&Arc::new(away), Role::Admin)
        .get("/audit/print")
        .await;
    assert!(page.status >= 500, "{}", page.status);
    assert!(!page.html.contains("reason 1"));
    let world = Arc::new(world());
    let page = Browser::of(&world, Role::Operator)
        .get("/audit/print")
        .await;
    assert_eq!(page.status, 403);
    let written = world.written.lock().unwrap().clone();
    assert!(
        written
            .iter()
            .all(|event| event.outcome == AuditOutcome::Denied)
    );
    let page = Browser::of(&world, Role::Admin)
        .get("/audit/print?span=soon&text=x")
        .await;
    assert_eq!(page.status, 400);
    assert!(page.html.contains("/audit?span=soon&amp;text=x"));
}
