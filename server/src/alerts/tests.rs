use std::sync::Mutex;

use async_trait::async_trait;
use domain::audit::{AuditOutcome, NewAuditEvent, act};
use domain::person::{Actor, Role};
use domain::ports::Untold;
use domain::time::Timestamp;
use uuid::Uuid;

use super::*;
use crate::register::testing::Listing;

const MIA: &str = "mia@example.org";

/// The row of one address, and the events of the trail.
struct Row {
    told: Mutex<i64>,
    failed: Mutex<Option<String>>,
    /// What another panel tells as soon as this one has told something.
    overtaken: bool,
    events: Vec<Candidate>,
}

impl Row {
    fn of(events: Vec<Candidate>) -> Arc<Self> {
        Arc::new(Self {
            told: Mutex::new(0),
            failed: Mutex::default(),
            overtaken: false,
            events,
        })
    }

    fn told(&self) -> i64 {
        *self.told.lock().unwrap()
    }
}

#[async_trait]
impl Alerts for Row {
    async fn claim(&self, _: &str, acts: &[&str]) -> Result<Option<Untold>, StoreError> {
        assert!(acts.contains(&act::CHANGE_ROLE));
        let from = self.told();
        let events = self.events.iter();
        Ok(Some(Untold {
            from,
            to: 100,
            candidates: events
                .filter(|one| one.event.sequence > from)
                .cloned()
                .collect(),
        }))
    }
    async fn hold(&self, _: &str, told: i64) -> Result<bool, StoreError> {
        Ok(self.told() == told)
    }
    async fn told(&self, _: &str, told: i64, up_to: i64) -> Result<bool, StoreError> {
        let mut now = self.told.lock().unwrap();
        if *now != told {
            return Ok(false);
        }
        *now = if self.overtaken { 100 } else { up_to };
        *self.failed.lock().unwrap() = None;
        Ok(true)
    }
    async fn failed(&self, _: &str, why: &str) -> Result<(), StoreError> {
        *self.failed.lock().unwrap() = Some(why.to_owned());
        Ok(())
    }
}

fn candidate(sequence: i64, action: &str, addresses: &[&str]) -> Candidate {
    let anna = Actor::Person {
        id: Uuid::nil(),
        name: "anna".to_owned(),
        role: Role::Admin,
        address: Some("94.31.7.12".to_owned()),
        browser: None,
        session: None,
        token: None,
    };
    Candidate {
        event: AuditEvent {
            sequence,
            id: Uuid::nil(),
            // A Wednesday.
            at: Timestamp::parse_rfc3339("2026-11-18T11:06:40Z").unwrap(),
            event: NewAuditEvent {
                target: Some(format!("person {sequence}")),
                ..NewAuditEvent::new(anna, action, AuditOutcome::Succeeded)
            },
        },
        leak: false,
        addresses: addresses.iter().map(|at| (*at).to_owned()).collect(),
    }
}

fn roles(count: i64) -> Vec<Candidate> {
    (1..=count)
        .map(|sequence| candidate(sequence, act::CHANGE_ROLE, &[]))
        .collect()
}

fn alerting(row: &Arc<Row>, listing: &Arc<Listing>) -> Alerting {
    Alerting {
        post: Post {
            alerts: row.clone(),
            mail: listing.clone(),
        },
        office_hours: OfficeHours::parse("Mon-Tue 07:00-20:00", "UTC").map(Arc::new),
        public_url: "https://panel.example".into(),
        to: vec![MIA.to_owned()],
        used: Rule::ALL.into(),
    }
}

fn subjects(listing: &Listing) -> Vec<String> {
    let done = listing.done();
    let subject = |mail: &String| mail.split(": ").nth(2).unwrap_or_default().to_owned();
    done.iter().map(subject).collect()
}

#[tokio::test]
async fn each_event_is_told_once_and_many_are_folded() {
    let (row, listing) = (Row::of(roles(10)), Arc::new(Listing::default()));
    alerting(&row, &listing).round().await.unwrap();
    assert_eq!(
        subjects(&listing),
        [
            "Anna changed the role of person 1",
            "Anna changed the role of person 2",
            "Anna changed the role of person 3",
            "7 more events",
        ]
    );
    assert_eq!(row.told(), 100);
    // Neither after a restart nor by another panel.
    alerting(&row, &listing).round().await.unwrap();
    assert_eq!(listing.done().len(), 4);
}

#[tokio::test]
async fn what_did_not_go_out_is_noted_and_tried_again() {
    let row = Row::of(roles(2));
    let mut away = Listing::of(Vec::new());
    away.no_mail = true;
    let away = Arc::new(away);
    alerting(&row, &away).round().await.unwrap();
    assert_eq!((row.told(), away.done().len()), (0, 1));
    let failed = row.failed.lock().unwrap().clone();
    assert_eq!(failed.as_deref(), Some("The mail server does not answer."));
    let back = Arc::new(Listing::default());
    alerting(&row, &back).round().await.unwrap();
    assert_eq!((row.told(), back.done().len()), (100, 2));
    assert_eq!(*row.failed.lock().unwrap(), None);
}

#[tokio::test]
async fn a_panel_that_was_overtaken_stops() {
    let row = Arc::new(Row {
        told: Mutex::new(0),
        failed: Mutex::default(),
        overtaken: true,
        events: roles(3),
    });
    let listing = Arc::new(Listing::default());
    alerting(&row, &listing).round().await.unwrap();
    assert_eq!(listing.done().len(), 1);
}

#[tokio::test]
async fn sign_ins_are_told_for_their_hour_and_their_network() {
    let events = vec![
        candidate(1, act::SIGN_IN, &["94.31.99.1"]),
        candidate(2, act::SIGN_IN, &["185.0.2.7"]),
    ];
    let (row, listing) = (Row::of(events), Arc::new(Listing::default()));
    let mut panel = alerting(&row, &listing);
    panel.round().await.unwrap();
    let done = listing.done();
    assert!(done[0].contains("outside of the hours"), "{done:?}");
    assert!(!done[0].contains("a network"), "{done:?}");
    assert!(done[1].contains("a network that is new"), "{done:?}");
    // Without hours nothing is after them.
    let row = Row::of(vec![candidate(1, act::SIGN_IN, &["94.31.99.1"])]);
    panel.post.alerts = row.clone();
    panel.office_hours = None;
    panel.round().await.unwrap();
    assert_eq!((listing.done().len(), row.told()), (2, 100));
}
