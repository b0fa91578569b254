//! What a filter lets through, page by page: the database finds what the rule of the domain does.

use std::sync::{Arc, Mutex};
use std::time::Duration;

use adapter_store::ExportFormat;
use domain::audit::filter::{Group, Span, What};
use domain::audit::{AuditEvent, AuditOutcome, Filter, Hash, NewAuditEvent, act};
use domain::fact::{FactKind, State};
use domain::history::Transition;
use domain::operation::OperationId;
use domain::person::Actor;
use domain::ports::{AuditReader as _, AuditTrail as _, Clock as _, History as _, Place};
use futures::FutureExt as _;
use sqlx::postgres::PgConnection;
use sqlx::{Connection as _, Executor as _};
use uuid::Uuid;

use crate::support::{Database, anna, ben};

const HOUR: Duration = Duration::from_secs(3_600);

/// Events of all kinds, an hour apart, and all of them newest first.
async fn trail(database: &Database, store: &adapter_store::Store) -> Vec<AuditEvent> {
    let nobody = Actor::Nobody {
        address: Some("192.0.2.9".to_owned()),
    };
    let mut events = Vec::new();
    for n in 0..60_u128 {
        let actor = [anna(), ben(), Actor::Panel, nobody.clone()][(n % 4) as usize].clone();
        let action = [
            "restart",
            act::SIGN_IN,
            act::CHANGE_ROLE,
            "view-people",
            act::REMIND,
        ];
        let outcome = AuditOutcome::ALL[(n % 3) as usize];
        let gateway = ["g1", "g2"][(n % 2) as usize];
        let event = NewAuditEvent {
            gateway: (n % 3 != 0).then(|| gateway.parse().unwrap()),
            operation: (n % 10 == 0).then(|| OperationId(Uuid::from_u128(1_000 + n / 20))),
            target: (n % 5 != 0)
                .then(|| format!("account {}", ["default", "work"][(n % 2) as usize])),
            reason: (n % 7 == 0).then(|| format!("it hung's \\ again, number {n}")),
            note: (n == 33).then(|| "Straße".to_owned()),
            ..NewAuditEvent::new(actor, action[(n % 5) as usize], outcome)
        };
        events.insert(0, store.record(event).await.unwrap());
        database.clock.advance(HOUR);
    }
    events
}

fn filters() -> Vec<Filter> {
    let mut filters = vec![Filter::default()];
    let people = [
        None,
        Some("person:00000000-0000-0000-0000-000000000001"),
        Some("panel"),
        Some("cli:otto"),
    ];
    let acts = [
        None,
        Some(What::Act("restart".to_owned())),
        Some(What::Act("nothing-like-it".to_owned())),
        Some(What::Group(Group::Changes)),
        Some(What::Group(Group::SignIns)),
    ];
    for person in people {
        for gateway in [None, Some("g1"), Some("g9")] {
            for what in &acts {
                for outcome in [None, Some(AuditOutcome::Failed)] {
                    for text in [
                        None,
                        Some("hung"),
                        Some("acc DEFAULT"),
                        Some("it hung's \\"),
                        Some("zebra"),
                    ] {
                        filters.push(Filter {
                            person: person.map(str::to_owned),
                            gateway: gateway.map(|id| id.parse().unwrap()),
                            what: what.clone(),
                            outcome,
                            text: text.map(str::to_owned),
                            ..Filter::default()
                        });
                    }
                }
            }
        }
    }
    filters
}

#[tokio::test]
async fn every_filter_finds_what_the_rule_says_and_nothing_else() {
    let database = Database::fresh().await;
    let store = database.store().await;
    let trail = trail(&database, &store).await;
    let now = database.clock.now();
    for filter in filters() {
        let wanted: Vec<i64> = trail
            .iter()
            .filter(|event| filter.takes(event, now))
            .map(|event| event.sequence)
            .collect();
        let found = store.page(&filter, Place::Newest, 100).await.unwrap();
        let found: Vec<i64> = found.events.iter().map(|event| event.sequence).collect();
        assert_eq!(found, wanted, "{filter:?}");
    }
}

#[tokio::test]
async fn which_of_given_events_fit_is_said_by_the_same_words_as_on_a_page() {
    let database = Database::fresh().await;
    let store = database.store().await;
    let mut trail = trail(&database, &store).await;
    let odd = NewAuditEvent {
        reason: Some("v1.2-beta of host.example.org, re-linked by a.b@example.org".to_owned()),
        ..NewAuditEvent::new(anna(), "restart", AuditOutcome::Succeeded)
    };
    trail.insert(0, store.record(odd).await.unwrap());
    for text in [
        "anna",
        "nna",
        "re-linked",
        "linked",
        "inked",
        "example",
        "host.example.org",
        "a.b",
        "beta",
        "1.2",
        "…",
    ] {
        let filter = Filter {
            text: Some(text.to_owned()),
            ..Filter::default()
        };
        let found = store.page(&filter, Place::Newest, 100).await.unwrap();
        let fitting = store.fitting(&filter, trail.clone()).await.unwrap();
        assert_eq!(fitting, found.events, "{text}");
    }
}

/// The same trail with room between its events, and many more of one kind after it: what is searched bit by bit, by
/// frequent terms and by rare ones.
async fn stretch(database: &Database) {
    let mut owner = PgConnection::connect(&database.url).await.unwrap();
    owner
        .execute(
            r"ALTER TABLE audit_events DISABLE TRIGGER USER;
              UPDATE audit_events SET sequence = sequence * 1000;
              ALTER TABLE audit_events ENABLE TRIGGER audit_events_are_of_a_kind;
              INSERT INTO audit_events (sequence, id, at, actor, actor_key, action, gateway_id, target, reason, outcome,
                                        note, previous, hash)
              SELECT 100000 + n * 30, gen_random_uuid(), e.at + interval '60 hours', e.actor, e.actor_key, 'restart', 'g1',
                     'account default', CASE WHEN n % 400 = 7 THEN 'it hung''s \ again' END,
                     CASE WHEN n = 9 THEN 'failed' ELSE e.outcome END, 'one of many', e.previous, e.hash
              FROM audit_events AS e CROSS JOIN generate_series(1, 1500) AS n
              WHERE e.sequence = 1000",
        )
        .await
        .unwrap();
}

#[tokio::test]
async fn frequent_terms_and_rare_ones_find_the_same_however_far_apart_they_lie() {
    let database = Database::fresh().await;
    let store = database.store().await;
    trail(&database, &store).await;
    stretch(&database).await;
    let now = database.clock.now();
    let mut trail = Vec::new();
    let mut place = Place::Newest;
    while let Some(last) = {
        let page = store.page(&Filter::default(), place, 500).await.unwrap();
        trail.extend(page.events);
        page.more.then(|| trail.last().unwrap().sequence)
    } {
        place = Place::Before(last);
    }
    assert_eq!(trail.len(), 1_560);
    let mut texts: Vec<Filter> = filters();
    texts.retain(|filter| filter.text.is_some());
    for text in [
        "account number",
        "many default",
        "many hung",
        "straße account",
    ] {
        texts.push(Filter {
            text: Some(text.to_owned()),
            ..Filter::default()
        });
    }
    for filter in texts {
        let wanted = trail.iter().filter(|event| filter.takes(event, now));
        let wanted: Vec<i64> = wanted.map(|event| event.sequence).collect();
        for (place, limit) in [
            (Place::Newest, 500),
            (Place::Newest, 3),
            (Place::Before(60_000), 5),
        ] {
            let below = |at: &i64| !matches!(place, Place::Before(before) if *at >= before);
            let wanted = wanted.iter().copied().filter(below);
            let wanted: Vec<i64> = wanted.take(limit as usize).collect();
            let found = store.page(&filter, place, limit).await.unwrap();
            let found: Vec<i64> = found.events.iter().map(|event| event.sequence).collect();
            assert_eq!(found, wanted, "{filter:?} {place:?}");
        }
    }
}

#[tokio::test]
async fn a_download_holds_what_the_filter_lets_through_masked_where_it_must_be() {
    let database = Database::fresh().await;
    let store = database.store().await;
    let trail = trail(&database, &store).await;
    let event = NewAuditEvent {
        note: Some("Linked as +4915112345642, it's \\ \"done\".".to_owned()),
        ..NewAuditEvent::new(anna(), "relink", AuditOutcome::Succeeded)
    };
    store.record(event).await.unwrap();
    let now = database.clock.now();
    for filter in filters().into_iter().step_by(7) {
        let wanted = trail
            .iter()
            .filter(|event| filter.takes(event, now))
            .count();
        let wanted = wanted + usize::from(filter == Filter::default());
        let text = downloaded(&store, ExportFormat::JsonLines, &filter).await;
        assert_eq!(text.lines().count(), wanted, "{filter:?}");
    }
    let relink = Filter {
        what: Some(What::Act("relink".to_owned())),
        ..Filter::default()
    };
    let whole = downloaded(&store, ExportFormat::Csv, &relink).await;
    let masked = downloaded(&store, ExportFormat::MaskedCsv, &relink).await;
    for secret in ["4915112345642", "192.0.2.7"] {
        assert!(
            whole.contains(secret) && !masked.contains(secret),
            "{masked}"
        );
    }
    assert!(
        masked.contains("192.•••.7") && masked.contains("+49 ••• ••42"),
        "{masked}"
    );
    // By a hash of the whole the masked digits could be tried out.
    let hash = Hash::ZERO.to_string().len();
    let has_one = |table: &str| {
        let mut digits = table.split(|c: char| !c.is_ascii_hexdigit());
        table.contains("hash") && digits.any(|digits| digits.len() == hash)
    };
    assert!(has_one(&whole) && !has_one(&masked), "{masked}");
    let columns = |table: &str| table.lines().next().unwrap().split(',').count();
    assert_eq!(columns(&masked) + 2, columns(&whole));
}

async fn downloaded(store: &adapter_store::Store, format: ExportFormat, filter: &Filter) -> String {
    let text = Arc::new(Mutex::new(Vec::new()));
    let count = store
        .export_filtered(format, 0, filter, |piece| {
            text.lock().unwrap().extend(piece);
            futures::future::ready(Ok(())).boxed()
        })
        .await
        .unwrap();
    let text = String::from_utf8(text.lock().unwrap().clone()).unwrap();
    if format == ExportFormat::JsonLines {
        assert_eq!(text.lines().count() as u64, count);
    }
    text
}

#[tokio::test]
async fn time_and_operation_are_filters_too() {
    let database = Database::fresh().await;
    let store = database.store().await;
    let trail = trail(&database, &store).await;
    let now = database.clock.now();
    let (early, late) = (now.minus(HOUR * 40), now.minus(HOUR * 10));
    let spans = [
        Span::Hours24,
        Span::Today,
        Span::Week,
        Span::Between(Some(early), Some(late)),
        Span::Between(None, Some(early)),
        Span::Between(Some(late), None),
        Span::Between(Some(now.plus(HOUR)), None),
        Span::Between(None, Some(now.minus(HOUR * 1_000))),
    ];
    let mut filters: Vec<Filter> = spans
        .map(|span| Filter {
            span,
            ..Filter::default()
        })
        .to_vec();
    let operation = Some(OperationId(Uuid::from_u128(1_001)));
    filters.extend([
        Filter {
            operation,
            ..Filter::default()
        },
        Filter {
            operation,
            person: Some("panel".to_owned()),
            ..Filter::default()
        },
        Filter {
            operation: Some(OperationId(Uuid::nil())),
            ..Filter::default()
        },
    ]);
    for filter in filters {
        let wanted: Vec<i64> = trail
            .iter()
            .filter(|event| filter.takes(event, now))
            .map(|event| event.sequence)
            .collect();
        let found = store.page(&filter, Place::Newest, 100).await.unwrap();
        let found: Vec<i64> = found.events.iter().map(|event| event.sequence).collect();
        assert_eq!(found, wanted, "{filter:?}");
    }
}

#[tokio::test]
async fn pages_go_both_ways_without_a_gap() {
    let database = Database::fresh().await;
    let store = database.store().await;
    let trail = trail(&database, &store).await;
    let now = database.clock.now();
    for filter in [
        Filter::default(),
        Filter {
            person: Some("panel".to_owned()),
            ..Filter::default()
        },
        Filter {
            what: Some(What::Group(Group::Changes)),
            outcome: Some(AuditOutcome::Failed),
            ..Filter::default()
        },
        Filter {
            text: Some("account".to_owned()),
            ..Filter::default()
        },
    ] {
        let wanted: Vec<i64> = trail
            .iter()
            .filter(|event| filter.takes(event, now))
            .map(|event| event.sequence)
            .collect();
        let mut pages: Vec<Vec<i64>> = Vec::new();
        let mut place = Place::Newest;
        loop {
            let found = store.page(&filter, place, 7).await.unwrap();
            pages.push(found.events.iter().map(|event| event.sequence).collect());
            if !found.more {
                break;
            }
            place = Place::Before(found.events.last().unwrap().sequence);
        }
        assert_eq!(pages.concat(), wanted);
        for pair in pages.windows(2) {
            let newer = store
                .page(&filter, Place::After(pair[1][0]), 7)
                .await
                .unwrap();
            let numbers: Vec<i64> = newer.events.iter().map(|event| event.sequence).collect();
            assert_eq!(numbers, pair[0], "{filter:?}");
        }
    }
}

#[tokio::test]
async fn what_there_is_to_choose_from_comes_from_the_trail_with_the_last_name() {
    let database = Database::fresh().await;
    let store = database.store().await;
    trail(&database, &store).await;
    let renamed = Actor::Person {
        id: Uuid::from_u128(1),
        name: "anna-maria".to_owned(),
        role: domain::person::Role::Viewer,
        address: None,
        browser: None,
        session: None,
        token: None,
    };
    let event = NewAuditEvent::new(renamed, act::SIGN_OUT, AuditOutcome::Succeeded);
    store.record(event).await.unwrap();
    let known = store.vocabulary().await.unwrap();
    let names: Vec<&str> = known.people.iter().map(|(_, name)| name.as_str()).collect();
    assert_eq!(names, ["", "", "anna-maria", "ben"]);
    assert!(known.actions.contains(&act::SIGN_OUT.to_owned()));
}

#[tokio::test]
async fn an_event_comes_with_its_hash_and_the_one_before() {
    let database = Database::fresh().await;
    let store = database.store().await;
    let trail = trail(&database, &store).await;
    let second = store.event(2).await.unwrap().unwrap();
    let third = store.event(3).await.unwrap().unwrap();
    assert_eq!(second.event, trail[58]);
    assert_eq!(third.previous, second.hash);
    assert_ne!(third.hash, second.hash);
    assert_eq!(store.event(61).await.unwrap(), None);
    let operation = OperationId(Uuid::from_u128(1_000));
    let whole = store.of_operations(&[operation]).await.unwrap();
    let numbers: Vec<i64> = whole.iter().map(|event| event.sequence).collect();
    assert_eq!(numbers, [1, 11]);
}

#[tokio::test]
async fn how_long_a_gateway_was_down_before_is_known_from_its_transitions() {
    let database = Database::fresh().await;
    let store = database.store().await;
    let begin = database.clock.now();
    let transition = |fact, to, at| Transition {
        gateway: "g1".parse().unwrap(),
        fact,
        from: None,
        to,
        headline: "x".to_owned(),
        reason: String::new(),
        at,
        operation: None,
        planned_by: None,
    };
    for (fact, to, hours) in [
        (FactKind::Session, State::Down, 1),
        (FactKind::Edge, State::Down, 2),
        (FactKind::Edge, State::Ok, 3),
        (FactKind::Session, State::Ok, 5),
        (FactKind::Config, State::Down, 6),
    ] {
        let transition = transition(fact, to, begin.plus(HOUR * hours));
        store.record_transition(&transition).await.unwrap();
    }
    let asked = |hours: u32| ("g1".parse().unwrap(), begin.plus(HOUR * hours));
    let mut questions: Vec<_> = [0, 1, 4, 5, 7].map(asked).into();
    questions.push(("g2".parse().unwrap(), begin.plus(HOUR * 4)));
    let outages = store.outages(&questions).await.unwrap();
    let since = Some(begin.plus(HOUR));
    assert_eq!(outages, [None, since, since, None, None, None]);
}
