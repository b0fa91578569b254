//! The register of credentials: what is listed, what is noted, who is reminded, and whom a link lets read.

use std::time::Duration;

use adapter_store::Store;
use domain::action::Action;
use domain::audit::{AuditEvent, AuditOutcome};
use domain::can::{self, Permit};
use domain::credential::{
    BuiltIn, Cause, Credential, Fingerprint, Kind, Logging, NewRotation, Stage, Terms,
};
use domain::operation::OperationId;
use domain::person::{Actor, Role};
use domain::ports::{
    AuditTrail, ByHand, Calendars as _, Clock as _, Disabled, Mailed, People as _, Register,
    RegisterError, Reminders as _, RotationNotes as _,
};
use domain::time::Timestamp;
use secrecy::ExposeSecret as _;
use uuid::Uuid;

use crate::support::{Database, anna, begun_relink, ben, may_manage_people, person};

const DAY: Duration = Duration::from_secs(86_400);

fn may(action: Action) -> Permit {
    can::permit(&anna(), action, None).unwrap()
}

fn manage() -> Permit {
    may(Action::ManageCredentials)
}

fn known() -> Vec<BuiltIn> {
    let of = |kind, gateway: Option<&str>| BuiltIn {
        kind,
        gateway: gateway.map(|id| id.parse().unwrap()),
    };
    vec![
        of(Kind::GithubToken, None),
        of(Kind::GatewayKey, Some("g1")),
        of(Kind::GatewayKey, Some("g2")),
    ]
}

fn terms(title: &str) -> Terms {
    Terms {
        title: title.to_owned(),
        place: "the mail server".to_owned(),
        owner: "otto".to_owned(),
        interval_days: Some(90),
        procedure: "1. change it".to_owned(),
    }
}

async fn listed(store: &Store) -> Vec<Credential> {
    Register::list(store).await.unwrap()
}

async fn the(store: &Store, kind: Kind) -> Credential {
    let mut listed = listed(store).await.into_iter();
    listed.find(|credential| credential.kind == kind).unwrap()
}

async fn latest_event(store: &Store) -> AuditEvent {
    AuditTrail::list(store, None, 1).await.unwrap().remove(0)
}

/// A database, its store, and what the panel knows by itself.
async fn seeded() -> (Database, Store) {
    let database = Database::fresh().await;
    let store = database.store().await;
    store.seed(&known()).await.unwrap();
    (database, store)
}

fn rotation(database: &Database, operation: Option<OperationId>) -> NewRotation {
    NewRotation {
        kind: Kind::GatewayKey,
        gateway: "g1".parse().ok(),
        at: database.clock.now(),
        by: ben(),
        cause: Cause::Leak,
        operation,
        fingerprint: Some(Fingerprint::of_hash(&[0xab; 32])),
        puts_back: None,
    }
}

#[tokio::test]
async fn what_the_panel_knows_by_itself_is_listed_once_in_the_order_of_kinds() {
    let (_database, store) = seeded().await;
    store.seed(&known()).await.unwrap();
    let said: Vec<_> = listed(&store)
        .await
        .into_iter()
        .map(|one| (one.kind, one.gateway.map(|id| id.to_string())))
        .collect();
    assert_eq!(
        said,
        [
            (Kind::GatewayKey, Some("g1".to_owned())),
            (Kind::GatewayKey, Some("g2".to_owned())),
            (Kind::GithubToken, None),
        ]
    );
    assert_eq!(the(&store, Kind::GatewayKey).await.interval_days, Some(180));
}

#[tokio::test]
async fn panels_that_start_at_once_list_everything_once() {
    let database = Database::fresh().await;
    let store = database.store().await;
    let seeding = (0..6).map(|_| {
        let store = store.clone();
        async move { store.seed(&known()).await.unwrap() }
    });
    futures::future::join_all(seeding).await;
    assert_eq!(listed(&store).await.len(), 3);
}

#[tokio::test]
async fn what_people_changed_or_took_out_stays_so_when_the_panel_starts_again() {
    let (database, store) = seeded().await;
    let token = the(&store, Kind::GithubToken).await;
    store
        .retire(
            may(Action::RetireCredential),
            token.id,
            Some("no GitHub here".to_owned()),
        )
        .await
        .unwrap();
    let key = the(&store, Kind::GatewayKey).await;
    store
        .change(manage(), key.id, terms("another name"))
        .await
        .unwrap();
    store.seed(&known()).await.unwrap();
    let now = the(&store, Kind::GatewayKey).await;
    assert_eq!((now.owner.as_str(), now.interval_days), ("otto", Some(90)));
    // What the panel calls by its name keeps it.
    assert_eq!((now.title, now.place), (key.title, key.place));
    assert!(store.find_credential(token.id).await.is_none());
    let retired = "audit_events WHERE action = 'retire-credential' AND reason = 'no GitHub here'";
    assert_eq!(database.count(retired).await, 1);
    let changed = latest_event(&store).await.event;
    assert_eq!(changed.action, "change-credential");
    assert_eq!(changed.gateway, "g1".parse().ok());
    assert_eq!(
        changed.note.as_deref(),
        Some("Owner from nobody to otto, interval from 180 days to 90 days, another procedure.")
    );
}

#[tokio::test]
async fn what_is_there_anyway_cannot_be_taken_out() {
    let (database, store) = seeded().await;
    let key = the(&store, Kind::GatewayKey).await;
    let refused = store.retire(may(Action::RetireCredential), key.id, None);
    assert!(matches!(refused.await, Err(RegisterError::Stays)));
    assert_eq!(listed(&store).await.len(), 3);
    assert_eq!(database.count("audit_events").await, 0);
}

#[tokio::test]
async fn one_that_a_person_adds_is_listed_changed_and_taken_out() {
    let (database, store) = seeded().await;
    let id = Register::add(&store, manage(), terms("SMTP password"))
        .await
        .unwrap();
    assert_eq!(latest_event(&store).await.event.action, "add-credential");
    assert_eq!(the(&store, Kind::Other).await.title, "SMTP password");
    store
        .change(manage(), id, terms("Mail password"))
        .await
        .unwrap();
    assert_eq!(the(&store, Kind::Other).await.title, "Mail password");
    let events = database.count("audit_events").await;
    // The same again changes nothing, and nothing is written about it.
    store
        .change(manage(), id, terms("Mail password"))
        .await
        .unwrap();
    assert_eq!(database.count("audit_events").await, events);
    let retire = || may(Action::RetireCredential);
    store.retire(retire(), id, None).await.unwrap();
    let again = store.retire(retire(), id, None).await;
    assert!(matches!(again, Err(RegisterError::Unknown)));
    let gone = store.change(manage(), id, terms("x")).await;
    assert!(matches!(gone, Err(RegisterError::Unknown)));
    assert_eq!(listed(&store).await.len(), 3);
}

#[tokio::test]
async fn a_permit_for_something_else_changes_nothing() {
    let (database, store) = seeded().await;
    let id = the(&store, Kind::GithubToken).await.id;
    let wrong = || may(Action::ViewCredentials);
    let by_hand = ByHand {
        at: database.clock.now(),
        cause: Cause::Scheduled,
        note: None,
    };
    let until = database.clock.now().plus(DAY);
    for refused in [
        Register::add(&store, wrong(), terms("x")).await.map(drop),
        store.change(wrong(), id, terms("x")).await,
        store.retire(manage(), id, None).await,
        store.snooze(wrong(), id, until, "x".to_owned()).await,
        store
            .note_rotation_by_hand(wrong(), id, by_hand)
            .await
            .map(drop),
        store.make_link(manage()).await,
    ] {
        assert!(
            matches!(refused, Err(RegisterError::NotPermitted)),
            "{refused:?}"
        );
    }
    assert_eq!(database.count("audit_events").await, 0);
    assert_eq!(database.count("rotations").await, 0);
    assert_eq!(database.count("credentials").await, 3);
}

#[tokio::test]
async fn the_same_operation_noted_twice_is_one_rotation_and_one_event() {
    let (database, store) = seeded().await;
    let operation = begun_relink(&database, &store).await;
    let noting = (0..6).map(|_| {
        let (store, rotation) = (store.clone(), rotation(&database, Some(operation)));
        async move { store.note_rotation(rotation).await.unwrap() }
    });
    futures::future::join_all(noting).await;
    let key = the(&store, Kind::GatewayKey).await;
    let last = key.last.unwrap();
    assert_eq!(
        (last.at, last.by, last.cause),
        (database.clock.now(), ben(), Cause::Leak)
    );
    assert_eq!(last.operation, Some(operation));
    assert_eq!(last.fingerprint.unwrap().as_str(), "abababababab");
    assert_eq!(store.history(key.id, 10).await.unwrap().len(), 1);
    assert_eq!(
        database
            .count("audit_events WHERE action = 'note-rotation'")
            .await,
        1
    );
    // The other gateway's key is another one.
    let other = listed(&store).await;
    let other = other.iter().find(|one| one.gateway == "g2".parse().ok());
    assert_eq!(other.unwrap().last, None);
}

#[tokio::test]
async fn a_rotation_of_what_is_not_listed_lists_it() {
    let database = Database::fresh().await;
    let store = database.store().await;
    store
        .note_rotation(rotation(&database, None))
        .await
        .unwrap();
    let key = the(&store, Kind::GatewayKey).await;
    assert_eq!(key.title, "OpenClaw API key");
    assert!(key.last.is_some());
    // One that was taken out comes back: it is in use.
    store.seed(&known()).await.unwrap();
    let token = the(&store, Kind::GithubToken).await;
    store
        .retire(may(Action::RetireCredential), token.id, None)
        .await
        .unwrap();
    let of_token = NewRotation {
        kind: Kind::GithubToken,
        gateway: None,
        ..rotation(&database, None)
    };
    store.note_rotation(of_token).await.unwrap();
    assert_eq!(the(&store, Kind::GithubToken).await.id, token.id);
    let of_any = NewRotation {
        kind: Kind::Other,
        gateway: None,
        ..rotation(&database, None)
    };
    assert!(store.note_rotation(of_any).await.is_err());
}

#[tokio::test]
async fn a_register_of_an_earlier_release_says_where_the_panels_identity_lies_now() {
    let database = Database::fresh().await;
    let store = database.store().await;
    let of = |gateway: &str| BuiltIn {
        kind: Kind::PanelDevice,
        gateway: gateway.parse().ok(),
    };
    store.seed(&[of("g1"), of("g2")]).await.unwrap();
    // As it was: once untouched, once with a procedure that somebody has written.
    for (gateway, procedure) in [
        ("g1", "2. Move `device.json` in its data folder aside"),
        ("g2", "Ask otto."),
    ] {
        let old = format!(
            "UPDATE credentials SET place = 'device.json in the panel''s data folder', procedure = '{procedure}'
             WHERE gateway_id = '{gateway}'"
        );
        database.sql(&old).await.unwrap();
    }
    let migration = include_str!("../../../../../migrations/0014_device_identity.sql");
    database.sql(migration).await.unwrap();
    let listed = listed(&store).await;
    let terms = of("g1").terms();
    let said: Vec<_> = listed
        .iter()
        .map(|one| (one.place.as_str(), one.procedure.as_str()))
        .collect();
    let place = terms.place.as_str();
    assert_eq!(
        said,
        [(place, terms.procedure.as_str()), (place, "Ask otto.")]
    );
}

#[tokio::test]
async fn a_rotation_done_elsewhere_is_noted_with_its_day_and_audited() {
    let (database, store) = seeded().await;
    let token = the(&store, Kind::GithubToken).await;
    let now = database.clock.now();
    let done = |at| ByHand {
        at,
        cause: Cause::PersonLeft,
        note: Some("after carla left".to_owned()),
    };
    let early = store
        .note_rotation_by_hand(manage(), token.id, done(now.plus(DAY)))
        .await;
    assert!(matches!(early, Err(RegisterError::NotYet)));
    assert_eq!(database.count("rotations").await, 0);
    store
        .note_rotation_by_hand(manage(), token.id, done(now.minus(DAY)))
        .await
        .unwrap();
    let last = the(&store, Kind::GithubToken).await.last.unwrap();
    assert_eq!((last.at, last.by), (now.minus(DAY), anna()));
    assert_eq!(last.note.as_deref(), Some("after carla left"));
    let event = latest_event(&store).await.event;
    assert_eq!(event.target.as_deref(), Some("GitHub token"));
    assert_eq!(event.reason.as_deref(), Some("after carla left"));
    // An older one is history, not the latest.
    store
        .note_rotation_by_hand(manage(), token.id, done(now.minus(DAY * 9)))
        .await
        .unwrap();
    let token = the(&store, Kind::GithubToken).await;
    assert_eq!(token.last.unwrap().at, now.minus(DAY));
    let history = store.history(token.id, 10).await.unwrap();
    let days: Vec<_> = history.iter().map(|one| one.at).collect();
    assert_eq!(days, [now.minus(DAY), now.minus(DAY * 9)]);
    assert_eq!(store.history(token.id, 1).await.unwrap().len(), 1);
    // What became of its row in the rotation log.
    let oldest = || async { store.history(token.id, 10).await.unwrap().pop().unwrap() };
    assert_eq!(oldest().await.log, None);
    let id = oldest().await.id;
    for log in [
        Logging::Failed("A merge is in progress.".to_owned()),
        Logging::Committed("Committed as 1a2b3c4.".to_owned()),
    ] {
        store.logged(id, log.clone()).await.unwrap();
        assert_eq!(oldest().await.log, Some(log));
    }
}

#[tokio::test]
async fn a_snooze_has_a_reason_for_others_and_ends_with_the_next_rotation() {
    let (database, store) = seeded().await;
    let now = database.clock.now();
    let by_hand = |at| ByHand {
        at,
        cause: Cause::Scheduled,
        note: None,
    };
    let id = the(&store, Kind::GatewayKey).await.id;
    store
        .note_rotation_by_hand(manage(), id, by_hand(now.minus(DAY)))
        .await
        .unwrap();
    let why = "otto is away".to_owned();
    store
        .snooze(manage(), id, now.plus(DAY * 5), why.clone())
        .await
        .unwrap();
    let snoozed = the(&store, Kind::GatewayKey).await.snoozed.unwrap();
    assert_eq!((snoozed.until, &snoozed.why), (now.plus(DAY * 5), &why));
    let event = latest_event(&store).await.event;
    assert_eq!(event.action, "snooze-credential");
    assert_eq!(event.reason, Some(why));
    // What happened before does not end it.
    store
        .note_rotation_by_hand(manage(), id, by_hand(now.minus(DAY * 3)))
        .await
        .unwrap();
    assert!(the(&store, Kind::GatewayKey).await.snoozed.is_some());
    store
        .note_rotation(rotation(&database, None))
        .await
        .unwrap();
    assert_eq!(the(&store, Kind::GatewayKey).await.snoozed, None);
}

#[tokio::test]
async fn a_reminder_is_given_once_for_a_date_however_many_panels_there_are() {
    let (database, store) = seeded().await;
    let id = the(&store, Kind::GatewayKey).await.id;
    let due_at = database.clock.now().plus(DAY * 7);
    let claiming = (0..6).map(|_| {
        let store = store.clone();
        async move { store.claim(id, due_at, Stage::Week, None).await.unwrap() }
    });
    let claimed = futures::future::join_all(claiming).await;
    assert_eq!(claimed.into_iter().filter(|claimed| *claimed).count(), 1);
    database.clock.advance(DAY);
    assert!(!store.claim(id, due_at, Stage::Week, None).await.unwrap());
    assert!(store.claim(id, due_at, Stage::Day, None).await.unwrap());
    assert!(
        store
            .claim(id, due_at.plus(DAY), Stage::Week, None)
            .await
            .unwrap()
    );
}

#[tokio::test]
async fn a_mail_that_did_not_go_out_is_tried_again_after_an_hour_and_one_that_did_is_not() {
    let (database, store) = seeded().await;
    let id = the(&store, Kind::GatewayKey).await.id;
    let due_at = database.clock.now();
    let to = || "otto@example.org".to_owned();
    let claim = async || {
        let claimed = store.claim(id, due_at, Stage::Overdue, Some("otto@example.org"));
        claimed.await.unwrap()
    };
    assert!(claim().await);
    let asked = latest_event(&store).await.event;
    assert_eq!(asked.outcome, AuditOutcome::Requested, "before it goes out");
    assert_eq!(asked.note.as_deref(), Some("To otto@example.org."));
    let failed = Mailed::Failed {
        to: to(),
        why: "The mail server does not answer.".to_owned(),
    };
    store
        .mailed(id, due_at, Stage::Overdue, failed)
        .await
        .unwrap();
    let event = latest_event(&store).await.event;
    assert_eq!(
        (event.actor, event.outcome),
        (Actor::Panel, AuditOutcome::Failed)
    );
    assert!(!claim().await, "at once");
    database.clock.advance(Duration::from_secs(3_600));
    assert!(claim().await, "after an hour");
    store
        .mailed(id, due_at, Stage::Overdue, Mailed::To(to()))
        .await
        .unwrap();
    database.clock.advance(DAY);
    assert!(!claim().await, "it went out");
    let given = store.given(id, 10).await.unwrap();
    assert_eq!(given.len(), 1);
    assert_eq!(given[0].mailed_to, Some(to()));
    assert_eq!(given[0].failed, None);
}

/// A permit of somebody who signs in.
fn reader(id: Uuid, name: &str, role: Role) -> Permit {
    let actor = Actor::Person {
        id,
        name: name.to_owned(),
        role,
        address: None,
        browser: None,
        session: None,
        token: None,
    };
    can::permit(&actor, Action::ViewCredentials, None).unwrap()
}

#[tokio::test]
async fn a_calendar_link_opens_until_it_is_replaced_or_taken_back() {
    let (database, store) = seeded().await;
    let (carla, _) = person(&store, "carla", Role::Manager).await;
    let permit = || reader(carla, "carla", Role::Manager);
    let first = store.make_calendar(permit()).await;
    let opened = store.open(&first).await.unwrap();
    assert_eq!(opened.unwrap().name, "carla");
    let link = store.link_of(permit().actor()).await.unwrap().unwrap();
    assert_eq!(link.used_at, Some(database.clock.now()));
    let second = store.make_calendar(permit()).await;
    assert!(store.open(&first).await.unwrap().is_none());
    assert!(store.open(&second).await.unwrap().is_some());
    assert!(store.remove(permit()).await.unwrap());
    assert!(!store.remove(permit()).await.unwrap());
    assert!(store.open(&second).await.unwrap().is_none());
    assert_eq!(store.link_of(permit().actor()).await.unwrap(), None);
    for (action, count) in [("make-calendar-link", 2), ("remove-calendar-link", 1)] {
        let events = format!("audit_events WHERE action = '{action}'");
        assert_eq!(database.count(&events).await, count, "{action}");
    }
}

#[tokio::test]
async fn whoever_may_not_read_the_register_any_more_reads_it_by_no_link() {
    let (database, store) = seeded().await;
    let (carla, _) = person(&store, "carla", Role::Manager).await;
    let (dora, _) = person(&store, "dora", Role::Operator).await;
    let carlas = store
        .make_calendar(reader(carla, "carla", Role::Manager))
        .await;
    let doras = store
        .make_calendar(reader(dora, "dora", Role::Operator))
        .await;
    store
        .set_disabled(may_manage_people(), carla, Disabled::Yes)
        .await
        .unwrap();
    store
        .set_roles(may_manage_people(), dora, Role::Viewer.into())
        .await
        .unwrap();
    for token in [&carlas, &doras] {
        assert!(store.open(token).await.unwrap().is_none());
        for table in ["calendar_links", "audit_events"] {
            let holds = format!("{table} AS found WHERE found::text LIKE '%{token}%'");
            assert_eq!(database.count(&holds).await, 0, "{table}");
        }
    }
    assert_eq!(
        database.count("calendar_links WHERE used_at IS NULL").await,
        2
    );
}

/// What tests ask in one word.
trait Short {
    async fn find_credential(&self, id: Uuid) -> Option<Credential>;
    async fn make_link(&self, permit: Permit) -> Result<(), RegisterError>;
    async fn make_calendar(&self, permit: Permit) -> String;
}

impl Short for Store {
    async fn find_credential(&self, id: Uuid) -> Option<Credential> {
        Register::find(self, id).await.unwrap()
    }

    async fn make_link(&self, permit: Permit) -> Result<(), RegisterError> {
        self.make(permit).await.map(drop)
    }

    async fn make_calendar(&self, permit: Permit) -> String {
        let token = self.make(permit).await.unwrap();
        token.expose_secret().to_owned()
    }
}

#[tokio::test]
async fn a_moment_in_the_register_is_read_as_it_was_written() {
    let (database, store) = seeded().await;
    let at = Timestamp::from_millis(database.clock.now().as_millis() - 123);
    let id = the(&store, Kind::GithubToken).await.id;
    let done = ByHand {
        at,
        cause: Cause::Scheduled,
        note: None,
    };
    store
        .note_rotation_by_hand(manage(), id, done)
        .await
        .unwrap();
    assert_eq!(the(&store, Kind::GithubToken).await.last.unwrap().at, at);
}
