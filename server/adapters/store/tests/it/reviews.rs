//! Reviews are added, never changed; nobody's counts for their own acts; each is an audit event.

use std::time::Duration;

use domain::action::Action;
use domain::audit::{AuditEvent, AuditOutcome, NewAuditEvent, act};
use domain::can::{Permit, permit};
use domain::operation::OperationId;
use domain::person::{Actor, Role};
use domain::ports::{AuditTrail, Clock as _, Reports as _, ReviewError, Reviews as _};
use domain::review::{Asked, Draft, Policy, Review, Stretches, Verdict, waits};
use uuid::Uuid;

use crate::support::{Database, anna};

fn manager(number: u128) -> Actor {
    Actor::Person {
        id: Uuid::from_u128(number),
        name: format!("manager-{number}"),
        role: Role::Manager,
        address: None,
        browser: None,
        session: None,
        token: None,
    }
}

fn may(actor: &Actor) -> Permit {
    permit(actor, Action::ReviewAudit, None).unwrap()
}

fn seen(covers: &str) -> Draft {
    Draft::new(Stretches::parse(covers).unwrap(), Verdict::Seen, None, None).unwrap()
}

fn question(covers: &str, to: u128) -> Draft {
    let asked = Asked {
        id: Uuid::from_u128(to),
        name: "anna".to_owned(),
    };
    let covers = Stretches::parse(covers).unwrap();
    Draft::new(
        covers,
        Verdict::Question,
        Some("Why at night?".to_owned()),
        Some(asked),
    )
    .unwrap()
}

/// Six events: restarts by anna and by manager 2 in turn.
async fn six(database: &Database) -> adapter_store::Store {
    let store = database.store().await;
    for n in 0..6 {
        let actor = if n % 2 == 0 { anna() } else { manager(2) };
        let outcome = AuditOutcome::Succeeded;
        let event = NewAuditEvent::new(actor, "restart", outcome);
        store.record(event).await.unwrap();
    }
    store
}

async fn waiting(store: &adapter_store::Store) -> Vec<i64> {
    let waiting = store.waiting(500).await.unwrap();
    waiting.events.iter().map(|event| event.sequence).collect()
}

#[tokio::test]
async fn what_is_signed_off_waits_no_more_but_for_what_one_did_oneself() {
    let database = Database::fresh().await;
    let store = six(&database).await;
    assert_eq!(waiting(&store).await, [6, 5, 4, 3, 2, 1]);
    assert_eq!(store.waiting(1).await.unwrap().last_at, None);
    store.review(may(&manager(2)), seen("1-6")).await.unwrap();
    assert_eq!(waiting(&store).await, [6, 4, 2]);
    store.review(may(&manager(3)), seen("2,6")).await.unwrap();
    assert_eq!(waiting(&store).await, [4]);
    let cut = store.waiting(1).await.unwrap();
    assert!(!cut.more && cut.last_at.is_some());
    // A review is no act that wants a review.
    let events = AuditTrail::list(&store, None, 100).await.unwrap();
    assert_eq!(events.len(), 8);
    assert_eq!(events[0].event.action, act::REVIEW);
    assert_eq!(events[0].event.target.as_deref(), Some("events 2,6"));
    assert_eq!(events[1].event.actor, manager(2));
}

#[tokio::test]
async fn own_acts_what_is_not_there_and_another_permit_are_refused_without_a_trace() {
    let database = Database::fresh().await;
    let store = six(&database).await;
    let refused = |error: Result<Review, ReviewError>| error.unwrap_err().to_string();
    let own = store.review(may(&manager(2)), seen("2,4")).await;
    assert!(matches!(own, Err(ReviewError::Own)), "{own:?}");
    for covers in ["7", "1-7"] {
        let ahead = store.review(may(&manager(3)), seen(covers)).await;
        assert!(matches!(ahead, Err(ReviewError::Unknown)), "{ahead:?}");
    }
    let other = permit(&manager(3), Action::ViewAudit, None).unwrap();
    assert_eq!(
        refused(store.review(other, seen("1")).await),
        "The permission does not fit."
    );
    assert_eq!(database.count("reviews").await, 0);
    assert_eq!(database.count("audit_events").await, 6);
}

/// A person agreed to what was begun.
async fn agreed(database: &Database, operation: OperationId, person: u128) {
    // Whether the operation is one that was begun does not matter here.
    database
        .sql(&format!(
            "SET session_replication_role = replica;
             INSERT INTO proposals (id, gateway_id, name, command, asked_by, asked_at, decision, decided_by, decided_at, operation_id)
             VALUES (gen_random_uuid(), 'g1', 'relink', '{{}}', '{{}}', now(), 'approved', '{}',
                     to_timestamp({} / 1000.0), '{operation}')",
            serde_json::to_string(&manager(person)).unwrap(),
            database.clock.now().as_millis(),
        ))
        .await
        .unwrap();
}

async fn ended(store: &adapter_store::Store, operation: OperationId) -> i64 {
    let ended = NewAuditEvent {
        operation: Some(operation),
        ..NewAuditEvent::new(anna(), "relink", AuditOutcome::Succeeded)
    };
    store.record(ended).await.unwrap().sequence
}

#[tokio::test]
async fn who_agreed_as_the_second_person_does_not_sign_it_off() {
    let database = Database::fresh().await;
    let store = six(&database).await;
    let operation = crate::support::begun_relink(&database, &store).await;
    agreed(&database, operation, 2).await;
    let refused = store.review(may(&manager(2)), seen("7")).await;
    assert!(matches!(refused, Err(ReviewError::Own)), "{refused:?}");
    store.review(may(&manager(3)), seen("7")).await.unwrap();
}

#[tokio::test]
async fn who_agreed_as_the_second_person_does_not_sign_it_off_together_with_others_either() {
    let database = Database::fresh().await;
    let store = six(&database).await;
    let operation = crate::support::begun_relink(&database, &store).await;
    agreed(&database, operation, 2).await;
    let done = ended(&store, operation).await;
    let begin = database.clock.now();
    store.review(may(&manager(2)), seen("1-8")).await.unwrap();
    assert_eq!(waiting(&store).await, [done, 6, 4, 2]);
    let own = store.waiting(100).await.unwrap();
    let key = manager(2).key();
    assert!(
        own.events
            .iter()
            .all(|event| own.agreed.is_own(&key, event))
    );
    // Whoever did it does not settle it either, and the report counts it as late.
    store.review(may(&anna()), seen("1-8")).await.unwrap();
    assert_eq!(waiting(&store).await, [done]);
    let week = Duration::from_secs(7 * 86_400);
    database.clock.advance(2 * week);
    let facts = store.facts(begin, database.clock.now(), week).await;
    assert_eq!(facts.unwrap().late, 1);
    store.review(may(&manager(3)), seen("8")).await.unwrap();
    assert!(waiting(&store).await.is_empty());
}

#[tokio::test]
async fn the_oldest_of_all_that_waits_is_known_however_many_wait() {
    let database = Database::fresh().await;
    let store = database.store().await;
    let began = database.clock.now();
    for _ in 0..201 {
        let event = NewAuditEvent::new(anna(), "restart", AuditOutcome::Succeeded);
        store.record(event).await.unwrap();
        database.clock.advance(Duration::from_secs(3_600));
    }
    let waiting = store.waiting(200).await.unwrap();
    assert!(waiting.more && waiting.events.len() == 200);
    assert_eq!(waiting.oldest, Some(began));
    let due = Policy::default().due(&waiting).unwrap();
    assert!(due < database.clock.now());
    // That something newer is signed off moves nothing.
    store
        .review(may(&manager(2)), seen("150-201"))
        .await
        .unwrap();
    let waiting = store.waiting(200).await.unwrap();
    assert!(!waiting.more && waiting.events.len() == 149);
    assert_eq!(Policy::default().due(&waiting), Some(due));
}

/// Whatever covers what, the database finds what the rules of the domain say.
#[tokio::test]
async fn what_waits_is_what_no_review_counts_for() {
    let database = Database::fresh().await;
    let store = database.store().await;
    let mut seed = 7_u64;
    let mut thrown = |below: u64| {
        seed = seed
            .wrapping_mul(6_364_136_223_846_793_005)
            .wrapping_add(11);
        (seed >> 33) % below
    };
    let operations: Vec<OperationId> = (1..=12).map(Uuid::from_u128).map(OperationId).collect();
    for _ in 0..90 {
        let actor = manager(u128::from(1 + thrown(4)));
        let operation = operations
            .get(usize::try_from(thrown(36)).unwrap())
            .copied();
        let action = if thrown(3) == 0 {
            act::SIGN_OUT
        } else {
            "restart"
        };
        let event = NewAuditEvent {
            operation,
            ..NewAuditEvent::new(actor, action, AuditOutcome::Succeeded)
        };
        store.record(event).await.unwrap();
    }
    for operation in operations.iter().step_by(2) {
        agreed(&database, *operation, u128::from(1 + thrown(5))).await;
    }
    let agreed = store.agreed(&operations).await.unwrap();
    let mut reviews: Vec<Review> = Vec::new();
    for _ in 0..24 {
        // Another panel has to find out; this one knows what waited the last time.
        database.clock.advance(Duration::from_secs(3 * 3_600));
        let event = NewAuditEvent::new(manager(1), "restart", AuditOutcome::Succeeded);
        store.record(event).await.unwrap();
        let other = database.store().await;
        assert_eq!(waiting(&other).await, waiting(&store).await);
        let events = AuditTrail::list(&store, None, 500).await.unwrap();
        let waits = |event: &&AuditEvent| waits(event, &reviews, &agreed);
        let expected: Vec<i64> = events
            .iter()
            .filter(waits)
            .map(|one| one.sequence)
            .collect();
        assert_eq!(waiting(&store).await, expected);
        let few = store.waiting(3).await.unwrap();
        let numbers: Vec<i64> = few.events.iter().map(|event| event.sequence).collect();
        assert_eq!(numbers, expected[..expected.len().min(3)]);
        let oldest = events.iter().rfind(waits).map(|event| event.at);
        assert_eq!(few.oldest, oldest);
        let by = manager(u128::from(1 + thrown(5)));
        let covers = (0..40).map(|_| 1 + i64::try_from(thrown(90)).unwrap());
        let covers = Stretches::of(covers);
        let draft = Draft::new(covers, Verdict::Seen, None, None).unwrap();
        if let Ok(review) = store.review(may(&by), draft).await {
            reviews.push(review);
        }
    }
    assert!(reviews.len() > 20);
}

#[tokio::test]
async fn a_question_waits_for_the_person_who_is_asked_and_the_answer_is_a_further_entry() {
    let database = Database::fresh().await;
    let store = six(&database).await;
    let asked = store
        .review(may(&manager(2)), question("5", 1))
        .await
        .unwrap();
    assert_eq!(waiting(&store).await, [6, 5, 4, 3, 2, 1]);
    assert_eq!(
        store.questions().await.unwrap(),
        std::slice::from_ref(&asked)
    );
    for stranger in [manager(2), manager(3), Actor::Panel] {
        let refused = store.answer(&stranger, asked.id, "x".to_owned()).await;
        assert!(
            matches!(refused, Err(ReviewError::NotYours(_))),
            "{refused:?}"
        );
    }
    let unknown = store.answer(&anna(), Uuid::nil(), "x".to_owned()).await;
    assert!(matches!(unknown, Err(ReviewError::Unknown)));
    store
        .answer(&anna(), asked.id, "It hung.".to_owned())
        .await
        .unwrap();
    store
        .answer(&anna(), asked.id, "And again.".to_owned())
        .await
        .unwrap();
    assert!(store.questions().await.unwrap().is_empty());
    let reviews = store.of_events(&[5]).await.unwrap();
    let said: Vec<&str> = reviews[0]
        .answers
        .iter()
        .map(|answer| answer.text.as_str())
        .collect();
    assert_eq!(said, ["It hung.", "And again."]);
    assert!(store.of_events(&[4]).await.unwrap().is_empty());
    assert_eq!(
        database
            .count("audit_events WHERE action = 'answer-question'")
            .await,
        2
    );
}

#[tokio::test]
async fn of_two_managers_at_once_both_stand() {
    let database = Database::fresh().await;
    let store = six(&database).await;
    let (one, other) = (manager(3), manager(4));
    let (one, other) = tokio::join!(
        store.review(may(&one), seen("1-6")),
        store.review(may(&other), seen("1-6")),
    );
    assert!(one.is_ok() && other.is_ok());
    assert_eq!(store.of_events(&[1]).await.unwrap().len(), 2);
    assert!(waiting(&store).await.is_empty());
}

#[tokio::test]
async fn the_database_refuses_to_change_or_delete_a_review() {
    let database = Database::fresh().await;
    let store = six(&database).await;
    let asked = store
        .review(may(&manager(2)), question("5", 1))
        .await
        .unwrap();
    store
        .answer(&anna(), asked.id, "It hung.".to_owned())
        .await
        .unwrap();
    for table in ["reviews", "review_stretches", "review_answers"] {
        for statement in [
            format!("DELETE FROM {table}"),
            format!("TRUNCATE {table} CASCADE"),
        ] {
            assert!(database.sql(&statement).await.is_err(), "{statement}");
        }
    }
    for statement in [
        "UPDATE reviews SET verdict = 'seen'",
        "UPDATE review_stretches SET last = 9",
        "UPDATE review_answers SET answer = ''",
    ] {
        assert!(database.sql(statement).await.is_err(), "{statement}");
    }
}
