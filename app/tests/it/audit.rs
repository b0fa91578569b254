//! The audit page says whether the chain is whole, and has it checked.

use std::sync::Arc;

use app::forms::endpoint;
use domain::audit::{Archive, Check, Checkpoint, Flaw, Hash, PublicKey, Signature};
use domain::person::Role;
use domain::time::Timestamp;

use crate::browser::Browser;
use crate::scenes::{ago, world};

fn check(flaws: Vec<Flaw>, more: u64) -> Check {
    Check {
        at: ago(7_200),
        took_ms: 40,
        after: 0,
        events: 12_345,
        last: 12_345,
        checkpoints: 3,
        flaws,
        more,
    }
}

#[tokio::test]
async fn a_whole_chain_is_said_with_its_age() {
    let mut world = world();
    world.chain.last = Some(check(Vec::new(), 0));
    let page = Browser::of(&Arc::new(world), Role::Manager)
        .get("/audit")
        .await;
    assert!(
        page.says("The chain of 12,345 events is whole. Checked"),
        "{}",
        page.text()
    );
    assert!(page.says("2 h"), "{}", page.text());
    assert!(page.html.contains("banner is-ok"));
    assert!(page.says("Verify now"));
}

#[tokio::test]
async fn what_is_archived_is_said_with_its_file() {
    let mut world = world();
    let mut chain = check(Vec::new(), 0);
    (chain.after, chain.events) = (9_000, 3_345);
    world.chain.last = Some(chain);
    world.chain.archived = Some(Archive {
        first: 1,
        events: 9_000,
        before: Timestamp::parse_date("2025-10-01").unwrap(),
        file: "audit-000000000001-000000009000.jsonl".to_owned(),
        checkpoint: Checkpoint {
            sequence: 9_000,
            hash: Hash([1; 32]),
            at: ago(7_200),
            key: PublicKey([2; 32]),
            signature: Signature([3; 64]),
        },
    });
    world.chain.undelivered =
        vec!["Old events could not be archived: no room. They stay.".to_owned()];
    let page = Browser::of(&Arc::new(world), Role::Manager)
        .get("/audit")
        .await;
    for said in [
        "The chain of 3,345 events, from event 9,001 on, is whole.",
        "Events up to 9,000, of before 2025-10-01, are archived; the last file is audit-000000000001-000000009000.jsonl.",
        "Old events could not be archived: no room. They stay.",
    ] {
        assert!(page.says(said), "{said}: {}", page.text());
    }
}

#[tokio::test]
async fn a_broken_chain_is_named_and_all_of_it_is_listed() {
    let mut world = world();
    let flaws = vec![
        Flaw::Altered { sequence: 77 },
        Flaw::Removed { from: 80, to: 84 },
    ];
    world.chain.last = Some(check(flaws, 5));
    let page = Browser::of(&Arc::new(world), Role::Admin)
        .get("/audit")
        .await;
    for said in [
        "The chain is broken. Event 77 was altered: its content does not match its hash. And 6 flaws more.",
        "Events 80 to 84 were removed.",
        "And 5 more.",
    ] {
        assert!(page.says(said), "{said}: {}", page.text());
    }
    assert!(page.html.contains("banner is-failed"));
}

#[tokio::test]
async fn what_else_there_is_to_know_is_said() {
    let mut world = world();
    world.chain.is_unguarded = true;
    world.chain.checking_since = Some(ago(20));
    world.chain.undelivered =
        vec!["Checkpoints cannot be sent to the URL: nothing listens.".to_owned()];
    let page = Browser::of(&Arc::new(world), Role::Admin)
        .get("/audit")
        .await;
    for said in [
        "The chain was not checked yet.",
        "A check runs since",
        "The database lets the panel's own role change what was written.",
        "nothing listens.",
    ] {
        assert!(page.says(said), "{said}: {}", page.text());
    }
    assert!(page.html.contains("banner is-unknown"));
}

#[tokio::test]
async fn managers_and_admins_have_it_checked_and_others_do_not() {
    let mut with_check = world();
    with_check.chain.last = Some(check(Vec::new(), 0));
    let world = Arc::new(with_check);
    for role in [Role::Manager, Role::Admin] {
        let answer = Browser::of(&world, role)
            .post("/audit", endpoint::VERIFY_AUDIT, "")
            .await;
        assert_eq!((answer.status, answer.location.as_str()), (302, "/audit"));
    }
    assert_eq!(world.done(), ["verify by anna", "verify by anna"]);
    for role in [Role::Operator, Role::Viewer] {
        let answer = Browser::of(&world, role)
            .post("/audit", endpoint::VERIFY_AUDIT, "")
            .await;
        assert!(answer.location.contains("__err="), "{}", answer.location);
    }
    assert_eq!(world.done().len(), 2);
    let denied = world.written.lock().unwrap().clone();
    assert!(denied.iter().all(|event| event.action == "verify-audit"));
    assert_eq!(denied.len(), 2);
}

#[tokio::test]
async fn a_check_that_takes_longer_than_a_person_waits_goes_on() {
    let mut world = world();
    world.chain.checking_since = Some(ago(20));
    let browser = Browser::of(&Arc::new(world), Role::Manager);
    let answer = browser.post("/audit", endpoint::VERIFY_AUDIT, "").await;
    assert_eq!(answer.location, "/audit?checking=1");
    assert!(
        browser
            .get(&answer.location)
            .await
            .says("A check runs since")
    );
}

/// By the hash of the whole event, masked digits could be tried out.
#[tokio::test]
async fn hashes_of_an_event_are_for_whoever_sees_whole_numbers() {
    let world = Arc::new(world());
    for (role, sees) in [(Role::Admin, true), (Role::Manager, false)] {
        let page = Browser::of(&world, role).get("/audit/6").await;
        assert!(page.says("In the chain"), "{}", page.text());
        for hash in ["bb", "aa"] {
            assert_eq!(page.says(&hash.repeat(32)), sees, "{role:?}");
        }
    }
}
