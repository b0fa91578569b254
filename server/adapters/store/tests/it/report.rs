//! What is known of a month, and who got its report.

use std::time::Duration;

use domain::audit::{AuditOutcome, Filter, NewAuditEvent, act};
use domain::can;
use domain::fact::{FactKind, State};
use domain::history::Transition;
use domain::operation::OperationId;
use domain::person::Actor;
use domain::ports::{
    AuditTrail, Clock as _, Counts, History as _, Patience, Reports as _, Reviews,
};
use domain::report::{Month, kinds, outages, people};
use domain::review::{Draft, Stretches, Verdict};
use domain::time::Timestamp;

use crate::support::{Database, anna, ben};

const HOUR: Duration = Duration::from_secs(3_600);
const DAY: Duration = Duration::from_secs(86_400);
const WEEK: Duration = Duration::from_secs(7 * 86_400);

async fn record(store: &adapter_store::Store, event: NewAuditEvent) -> i64 {
    AuditTrail::record(store, event).await.unwrap().sequence
}

fn restart(outcome: AuditOutcome) -> NewAuditEvent {
    NewAuditEvent {
        gateway: "g1".parse().ok(),
        ..NewAuditEvent::new(anna(), "restart", outcome)
    }
}

fn refused(account: &str, address: &str) -> NewAuditEvent {
    let nobody = Actor::Nobody {
        address: Some(address.to_owned()),
    };
    NewAuditEvent {
        target: Some(account.to_owned()),
        ..NewAuditEvent::new(nobody, act::SIGN_IN, AuditOutcome::Denied)
    }
}

fn change(to: State, at: Timestamp) -> Transition {
    Transition {
        gateway: "g1".parse().unwrap(),
        fact: FactKind::Session,
        from: None,
        to,
        headline: String::new(),
        reason: String::new(),
        at,
        operation: None,
        planned_by: None,
    }
}

#[tokio::test]
async fn a_month_has_what_happened_in_it_and_nothing_else() {
    let database = Database::fresh().await;
    let store = database.store().await;
    // Before: one restart, and the session goes down.
    record(&store, restart(AuditOutcome::Succeeded)).await;
    let begin = database.clock.now().plus(HOUR);
    store
        .record_transition(&change(State::Down, begin.minus(HOUR)))
        .await
        .unwrap();
    database.clock.advance(2 * HOUR);
    for (outcome, times) in [
        (AuditOutcome::Requested, 3),
        (AuditOutcome::Succeeded, 2),
        (AuditOutcome::Failed, 1),
    ] {
        for _ in 0..times {
            record(&store, restart(outcome)).await;
        }
    }
    for address in ["192.0.2.7", "192.0.2.8", "192.0.2.8"] {
        record(&store, refused("anna", address)).await;
    }
    record(&store, refused("root", "192.0.2.9")).await;
    let marked = NewAuditEvent::new(anna(), act::NEW_DEVICE, AuditOutcome::Succeeded);
    let marked = record(&store, marked).await;
    let passkey = NewAuditEvent::new(anna(), act::ADD_PASSKEY, AuditOutcome::Succeeded);
    let passkey = record(&store, passkey).await;
    store
        .record_transition(&change(State::Ok, begin.plus(HOUR)))
        .await
        .unwrap();
    let end = begin.plus(DAY);
    database.clock.advance(2 * DAY);
    record(&store, restart(AuditOutcome::Succeeded)).await;

    let facts = store.facts(begin, end, WEEK).await.unwrap();
    let people = people(&facts.counts, &[]);
    assert_eq!((people.events(), people.refused_sign_ins()), (12, 4));
    let kinds = kinds(&facts.counts);
    assert_eq!((kinds[0].total(), kinds[0].not_done()), (3, 1));
    let told: Vec<_> = facts
        .refused
        .iter()
        .map(|one| (one.account.as_deref(), one.count, one.addresses))
        .collect();
    assert_eq!(told, [(Some("anna"), 3, 2), (Some("root"), 1, 1)]);
    let told: Vec<i64> = facts.marked.iter().map(|event| event.sequence).collect();
    assert_eq!(told, [passkey, marked]);
    let down = outages(&facts.transitions, begin, end);
    assert_eq!(down.len(), 1);
    assert_eq!(down[0].lasted(), HOUR);
    // Before everything there is nothing.
    let nothing = store.facts(begin.minus(DAY), begin.minus(2 * HOUR), WEEK);
    let nothing = nothing.await.unwrap();
    assert!(nothing.counts.is_empty() && nothing.refused.is_empty() && nothing.marked.is_empty());
}

#[tokio::test]
async fn a_recovery_with_two_rungs_is_one_operation_that_ended() {
    let database = Database::fresh().await;
    let store = database.store().await;
    let begin = database.clock.now();
    for (operation, outcomes) in [
        (1, vec![AuditOutcome::Requested; 3]),
        (1, vec![AuditOutcome::Succeeded]),
        (2, vec![AuditOutcome::Requested]),
    ] {
        for outcome in outcomes {
            let event = NewAuditEvent {
                gateway: "g1".parse().ok(),
                operation: Some(OperationId(uuid::Uuid::from_u128(operation))),
                ..NewAuditEvent::new(anna(), "recover", outcome)
            };
            record(&store, event).await;
        }
    }
    // Two mails of one operation are two.
    for _ in 0..2 {
        let event = NewAuditEvent {
            operation: Some(OperationId(uuid::Uuid::from_u128(1))),
            ..NewAuditEvent::new(anna(), act::MAIL_HAND_OFF, AuditOutcome::Requested)
        };
        record(&store, event).await;
    }
    let facts = store.facts(begin, begin.plus(DAY), WEEK).await.unwrap();
    let recover = kinds(&facts.counts).remove(0);
    assert_eq!(
        (
            recover.total(),
            recover.of(AuditOutcome::Succeeded),
            recover.of(AuditOutcome::Requested)
        ),
        (2, 1, 1)
    );
    let anna = people(&facts.counts, &[]).each.remove(0);
    assert_eq!(anna.events, 7);
    let times: Vec<u64> = anna.acts.iter().map(|act| act.times).collect();
    assert_eq!(times, [2, 2]);
}

#[tokio::test]
async fn what_was_reviewed_and_what_waited_too_long_is_as_it_was_at_the_end() {
    let database = Database::fresh().await;
    let store = database.store().await;
    let begin = database.clock.now();
    let first = record(&store, restart(AuditOutcome::Succeeded)).await;
    record(&store, restart(AuditOutcome::Failed)).await;
    let own = NewAuditEvent::new(ben(), act::CHANGE_ROLE, AuditOutcome::Succeeded);
    let own = record(&store, own).await;
    database.clock.advance(2 * WEEK);
    let by_ben = || can::permit(&ben(), domain::action::Action::ReviewAudit, None).unwrap();
    let seen = Draft::new(Stretches::of([first, own]), Verdict::Seen, None, None).unwrap();
    let before = database.clock.now();
    Reviews::review(&store, by_ben(), seen).await.unwrap();
    database.clock.advance(HOUR);
    let end = database.clock.now();

    let late = store.facts(begin, before, WEEK).await.unwrap();
    assert_eq!((late.late, late.late_since), (3, Some(begin)));
    assert!(late.reviews.is_empty());
    // What ben says counts for what anna did; not for his own act.
    let facts = store.facts(begin, end, WEEK).await.unwrap();
    assert_eq!(facts.late, 2);
    let told = &facts.reviews[0];
    assert_eq!(
        (told.by.as_str(), told.verdict, told.reviews, told.events),
        ("ben", Verdict::Seen, 1, 2)
    );
    let in_time = store.facts(begin, end, 3 * WEEK).await.unwrap();
    assert_eq!((in_time.late, in_time.late_since), (0, None));
}

#[tokio::test]
async fn a_report_goes_to_each_once_and_what_failed_is_tried_again_an_hour_later() {
    let database = Database::fresh().await;
    let (one, other) = (database.store().await, database.store().await);
    let month = Month::parse("2026-10").unwrap();
    let (mia, otto) = ("mia@example.org", "otto@example.org");
    assert!(one.claim(month, mia).await.unwrap());
    assert!(!other.claim(month, mia).await.unwrap());
    assert!(other.claim(month, otto).await.unwrap());
    one.mailed(month, mia, Ok(())).await.unwrap();
    other
        .mailed(month, otto, Err("It is away.".to_owned()))
        .await
        .unwrap();
    let failure = one.report_failure(month).await.unwrap();
    assert_eq!(failure.as_deref(), Some("It is away."));
    let next = month.next().unwrap();
    let failure = one.report_failure(next).await.unwrap();
    assert_eq!(failure, None, "nobody tries the one before any more");
    assert!(!one.waits(month, otto).await.unwrap());
    database.clock.advance(HOUR);
    assert!(one.waits(month, otto).await.unwrap());
    assert!(!one.waits(month, mia).await.unwrap());
    assert!(!one.claim(month, mia).await.unwrap());
    assert!(one.claim(month, otto).await.unwrap());
    assert!(!other.claim(month, otto).await.unwrap());
    one.mailed(month, otto, Ok(())).await.unwrap();
    assert_eq!(one.report_failure(month).await.unwrap(), None);
    let told = AuditTrail::list(&one, None, 10).await.unwrap();
    let told: Vec<_> = told
        .iter()
        .rev()
        .map(|event| (event.event.outcome, event.event.note.as_deref().unwrap()))
        .collect();
    assert_eq!(
        told,
        [
            (AuditOutcome::Requested, "By mail to mia@example.org."),
            (AuditOutcome::Requested, "By mail to otto@example.org."),
            (AuditOutcome::Succeeded, "Mailed to mia@example.org."),
            (AuditOutcome::Failed, "To otto@example.org: It is away."),
            (AuditOutcome::Requested, "By mail to otto@example.org."),
            (AuditOutcome::Succeeded, "Mailed to otto@example.org."),
        ]
    );
    // Another month is another report.
    assert!(one.claim(next, mia).await.unwrap());
}

#[tokio::test]
async fn events_over_time_are_counted_between_the_edges_as_the_filter_has_it() {
    let database = Database::fresh().await;
    let store = database.store().await;
    let begin = database.clock.now();
    let edges = [0, 1, 2, 3].map(|days| begin.plus(DAY * days));
    for (day, outcomes) in [
        (0, vec![AuditOutcome::Succeeded, AuditOutcome::Failed]),
        (1, vec![]),
        (2, vec![AuditOutcome::Failed; 3]),
    ] {
        database
            .clock
            .advance(edges[day].since(database.clock.now()));
        for outcome in outcomes {
            record(&store, restart(outcome)).await;
            record(&store, refused("anna", "192.0.2.7")).await;
        }
    }
    for (asked, wanted) in [
        (vec![], Some(vec![4, 0, 6])),
        (vec![("outcome", "failed")], Some(vec![1, 0, 3])),
        (
            vec![("what", "restart"), ("gateway", "g1")],
            Some(vec![2, 0, 3]),
        ),
        (
            vec![("what", "changes"), ("outcome", "succeeded")],
            Some(vec![1, 0, 0]),
        ),
        (vec![("person", "nobody")], Some(vec![2, 0, 3])),
        (vec![("person", "cli:root")], Some(vec![0, 0, 0])),
        (vec![("from", "2030-01-01")], Some(vec![0, 0, 0])),
        (vec![("text", "anna")], None),
    ] {
        let get = |name: &str| asked.iter().find(|(known, _)| *known == name);
        let filter = Filter::read(|name| get(name).map_or("", |(_, value)| value)).unwrap();
        for patience in [Patience::Page, Patience::Asked] {
            let counts = store
                .events_between(&filter, &edges, patience)
                .await
                .unwrap();
            let wanted = wanted.clone().map_or(Counts::Uncounted, Counts::Counted);
            assert_eq!(counts, wanted, "{asked:?}");
        }
    }
}
