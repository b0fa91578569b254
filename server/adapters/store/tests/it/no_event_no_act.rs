//! If the audit trail cannot be written, nothing is done: for everything that the store changes on somebody's behalf.

use std::fmt::Display;
use std::time::Duration;

use adapter_store::Archives;
use domain::action::Action;
use domain::api_token::NewToken;
use domain::audit::{AuditOutcome, NewAuditEvent, act};
use domain::can::{self, Permit};
use domain::credential::{BuiltIn, Cause, Kind, NewRotation, Stage, Terms};
use domain::fault::{Boundary, Fault, FaultKind};
use domain::identity::Refusal;
use domain::key_rotation::{NewConsumer, NewKeyRotation, Task};
use domain::operation::{Command, OperationId, Outcome};
use domain::person::{Actor, Role};
use domain::ports::{
    ApiTokens, AuditTrail, ByHand, Calendars, Chosen, Clock as _, Disabled, HandOffs, Identities,
    Ids as _, Invitations as _, Journal, KeyRotations, Mailboxes as _, Mailed, Opener, Passkeys,
    People, Proposals as _, Register, Reminders, Reports, Reviews, RotationNotes as _,
    SecondFactors, Sessions, Whence,
};
use domain::proposal::{Decision, OPEN_FOR};
use domain::report::Month;
use domain::review::{Asked, Draft, Stretches, Verdict};
use domain::second_factor::Duty;
use domain::session::Device;
use secrecy::{ExposeSecret as _, SecretString};
use sqlx::postgres::PgConnection;
use sqlx::{Connection as _, Executor as _, Row as _};
use uuid::Uuid;

use crate::audit_archive::{archive, archived};
use crate::authenticator::Device as Passkey;
use crate::identities::{proved, subject};
use crate::second_factor::{actor, scan};
use crate::support::{Database, anna, begun_relink, ben, may_manage_people, person, restart};

fn may(action: Action) -> Permit {
    can::permit(&ben(), action, None).unwrap()
}

fn may_on_g1(action: Action) -> Permit {
    let gateway = "g1".parse().unwrap();
    can::permit(&anna(), action, Some(&gateway)).unwrap()
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

/// Everything that there is, but for counters of tries, which are no acts.
async fn everything(database: &Database) -> Vec<(String, String)> {
    let mut connection = PgConnection::connect(&database.url).await.unwrap();
    let tables = connection
        .fetch_all(
            "SELECT tablename::text FROM pg_tables
             WHERE schemaname = 'public' AND tablename <> 'sign_in_throttles' ORDER BY tablename",
        )
        .await
        .unwrap();
    let mut all = Vec::new();
    for table in tables {
        let name: String = table.get(0);
        let rows = format!(
            "SELECT coalesce(string_agg(t::text, '\n' ORDER BY t::text), '') FROM {name} t"
        );
        let rows = connection.fetch_one(rows.as_str()).await.unwrap();
        all.push((name, rows.get(0)));
    }
    all
}

/// The act fails with a sentence, and nothing of it is there.
async fn refused<T, E: Display>(
    database: &Database,
    what: &str,
    act: impl Future<Output = Result<T, E>>,
) {
    let before = everything(database).await;
    let Err(error) = act.await else {
        panic!("{what} was done without its event")
    };
    assert!(error.to_string().contains("database"), "{what}: {error}");
    let after = everything(database).await;
    for (before, after) in before.iter().zip(&after) {
        assert_eq!(before, after, "{what}");
    }
}

/// The trail takes no event from now on.
async fn close_the_trail(database: &Database) {
    database
        .sql("ALTER TABLE audit_events ADD CONSTRAINT closed CHECK (false) NOT VALID")
        .await
        .unwrap();
}

#[tokio::test]
async fn people_and_sign_ins() {
    let database = Database::fresh().await;
    let store = database.store().await;
    let (ben, password) = person(&store, "ben", Role::Viewer).await;
    let (carla, _) = person(&store, "carla", Role::Operator).await;
    store
        .set_disabled(may_manage_people(), carla, Disabled::Yes)
        .await
        .unwrap();
    let ben_now = People::find(&store, ben).await.unwrap().unwrap();
    let known = Device {
        secret: "laptop".into(),
        address: None,
        browser: None,
    };
    let session = Sessions::begin(&store, &ben_now, known).await.unwrap();
    let of_ben = NewToken {
        name: "backups".to_owned(),
        role: Role::Viewer,
        gateway: None,
        lasts: Duration::from_secs(86_400),
    };
    let by_ben = actor(ben, "ben");
    let (of_ben, _) = ApiTokens::make(&store, &by_ben, of_ben).await.unwrap();
    let invited = store.invite(may_manage_people(), "nora", Role::Viewer.into());
    let (_, token) = invited.await.unwrap();
    close_the_trail(&database).await;
    let own = Actor::Person {
        id: ben,
        name: "ben".to_owned(),
        role: Role::Viewer,
        address: None,
        browser: None,
        session: None,
        token: None,
    };
    let wrong = SecretString::from("wrong-password-45");
    let new = SecretString::from("another-password-46");
    let permit = may_manage_people;
    refused(
        &database,
        "add",
        People::add(&store, permit(), "otto", Role::Admin.into()),
    )
    .await;
    refused(
        &database,
        "disable",
        store.set_disabled(permit(), ben, Disabled::Yes),
    )
    .await;
    refused(
        &database,
        "enable",
        store.set_disabled(permit(), carla, Disabled::No),
    )
    .await;
    refused(&database, "reset", store.reset_password(permit(), ben)).await;
    refused(
        &database,
        "role",
        store.set_roles(permit(), ben, Role::Admin.into()),
    )
    .await;
    let phone = Device {
        secret: "phone".into(),
        address: None,
        browser: None,
    };
    let new_device = Sessions::begin(&store, &ben_now, phone);
    refused(&database, "new device", new_device).await;
    refused(&database, "end", store.end_one(&own, session)).await;
    refused(&database, "end others", store.end_others(&own, None)).await;
    refused(&database, "end all", store.end_all(permit(), ben)).await;
    let for_deploys = NewToken {
        name: "deploys".to_owned(),
        role: Role::Viewer,
        gateway: None,
        lasts: Duration::from_secs(86_400),
    };
    let make = ApiTokens::make(&store, &own, for_deploys);
    refused(&database, "token", make).await;
    let revoke = ApiTokens::revoke(&store, &own, of_ben.id);
    refused(&database, "take a token back", revoke).await;
    refused(&database, "take all back", store.revoke_all(permit(), ben)).await;
    let invite = store.invite(permit(), "otto", Role::Viewer.into());
    refused(&database, "invite", invite).await;
    refused(&database, "new link", store.invite_again(permit(), ben)).await;
    let accept = Chosen {
        name: String::new(),
        password: "four words of her own".into(),
        address: None,
        browser: None,
    };
    let accept = store.accept(token.expose_secret(), accept);
    refused(&database, "accept", accept).await;
    let sign_in = People::sign_in(&store, "ben", password.clone(), None, None);
    refused(&database, "sign-in", sign_in).await;
    let sign_in = People::sign_in(&store, "ben", wrong.clone(), None, None);
    refused(&database, "refused sign-in", sign_in).await;
    let confirm = People::confirm(&store, &own, password.clone(), "".into());
    refused(&database, "confirm", confirm).await;
    let change = store.change_password(&own, password, new.clone());
    refused(&database, "change", change).await;
    let change = store.change_password(&own, wrong, new);
    refused(&database, "refused change", change).await;
}

#[tokio::test]
async fn the_first_link() {
    let database = Database::fresh().await;
    let store = database.store().await;
    close_the_trail(&database).await;
    refused(&database, "set-up link", store.set_up()).await;
}

#[tokio::test]
async fn second_factors() {
    let database = Database::fresh().await;
    let store = database.store().await;
    let (ben, password) = person(&store, "ben", Role::Operator).await;
    let own = actor(ben, "ben");
    let phone = scan(&store, &own, ben).await;
    let (now, _) = SecondFactors::finish(&store, &own, phone.code(&database))
        .await
        .unwrap();
    let new = scan(&store, &own, ben).await;
    database.clock.advance(Duration::from_secs(30));
    close_the_trail(&database).await;
    let code = || phone.code(&database);
    refused(&database, "begin", SecondFactors::begin(&store, &own)).await;
    let finish = SecondFactors::finish(&store, &own, new.code(&database));
    refused(&database, "finish", finish).await;
    refused(&database, "codes", store.renew_codes(&own)).await;
    refused(
        &database,
        "remove",
        SecondFactors::remove(&store, &own, Duty::Free),
    )
    .await;
    let reset = SecondFactors::reset(&store, may_manage_people(), ben);
    refused(&database, "reset", reset).await;
    let first = People::sign_in(&store, "ben", password.clone(), None, None);
    refused(&database, "first step", first).await;
    let second = People::second_step(&store, ben, now.session_epoch, code(), None, None);
    refused(&database, "second step", second).await;
    let second = People::second_step(&store, ben, now.session_epoch, "000000".into(), None, None);
    refused(&database, "refused second step", second).await;
    let confirm = People::confirm(&store, &own, password, code());
    refused(&database, "confirm", confirm).await;
    let address = "ben@example.org".parse().unwrap();
    let set = store.set(&own, Some(&address));
    refused(&database, "mail address", set).await;
    let confirm = SecondFactors::confirm(&store, &own, code());
    refused(&database, "confirm by a code", confirm).await;
    let confirm = SecondFactors::confirm(&store, &own, "000000".into());
    refused(&database, "refused confirmation by a code", confirm).await;
}

#[tokio::test]
async fn passkeys() {
    let database = Database::fresh().await;
    let store = database.store().await;
    let (ben, _) = person(&store, "ben", Role::Operator).await;
    let own = actor(ben, "ben");
    let mut phone = Passkey::new(1);
    let answer = phone.make(&store.ask_to_add(&own).await.unwrap());
    let added = Passkeys::add(&store, &own, "phone", answer).await.unwrap();
    let epoch = added.person.session_epoch;
    let key = Passkeys::of(&store, ben).await.unwrap().remove(0);
    let another = Passkey::new(2).make(&store.ask_to_add(&own).await.unwrap());
    close_the_trail(&database).await;
    let add = Passkeys::add(&store, &own, "key", another);
    refused(&database, "another passkey", add).await;
    let remove = Passkeys::remove(&store, &own, key.id, Duty::Free);
    refused(&database, "passkey away", remove).await;
    let answer = phone.sign(&store.ask_anybody().await.unwrap());
    let sign_in = Passkeys::sign_in(&store, answer.clone(), None, None);
    refused(&database, "sign-in by passkey", sign_in).await;
    let wrong = Passkeys::second_step(&store, ben, epoch, answer, None, None);
    refused(&database, "refused second step by passkey", wrong).await;
    let answer = phone.sign(&store.ask(ben).await.unwrap());
    let second = Passkeys::second_step(&store, ben, epoch, answer.clone(), None, None);
    refused(&database, "second step by passkey", second).await;
    let confirm = Passkeys::confirm(&store, &own, answer);
    refused(&database, "confirm by passkey", confirm).await;
}

#[tokio::test]
async fn an_identity_provider() {
    let database = Database::fresh().await;
    let store = database.store().await;
    let (ben, _) = person(&store, "ben", Role::Operator).await;
    let connect = |id: &str| {
        let store = store.clone();
        let subject = subject(id);
        async move { Identities::connect(&store, may_manage_people(), ben, subject).await }
    };
    connect("1").await.unwrap();
    let own = actor(ben, "ben");
    close_the_trail(&database).await;
    let sign_in = |proved| Identities::sign_in(&store, proved, Whence::default());
    let known = proved("1", "ben", Some(Role::Operator));
    refused(&database, "sign-in by a provider", sign_in(known.clone())).await;
    let other_role = proved("1", "ben", Some(Role::Viewer));
    refused(&database, "role by groups", sign_in(other_role)).await;
    let no_group = proved("1", "ben", None);
    refused(&database, "no group any more", sign_in(no_group)).await;
    let new = proved("2", "nora", Some(Role::Viewer));
    refused(&database, "somebody new", sign_in(new)).await;
    let taken = proved("2", "ben", Some(Role::Viewer));
    refused(&database, "a taken name", sign_in(taken)).await;
    let no = Identities::refuse(&store, "Example", Refusal::Late, Whence::default());
    refused(&database, "refusal", no).await;
    let confirm = Identities::confirm(&store, &own, known);
    refused(&database, "confirm by a provider", confirm).await;
    let disconnect = Identities::disconnect(&store, may_manage_people(), ben);
    refused(&database, "disconnect", disconnect).await;
    database.sql("DELETE FROM identities").await.unwrap();
    refused(&database, "connect", connect("3")).await;
}

#[tokio::test]
async fn the_register_and_its_calendar() {
    let database = Database::fresh().await;
    let store = database.store().await;
    let manage = || may(Action::ManageCredentials);
    let id = Register::add(&store, manage(), terms("SMTP"))
        .await
        .unwrap();
    let (id_of_ben, _) = person(&store, "ben", Role::Admin).await;
    let ben = Actor::Person {
        id: id_of_ben,
        name: "ben".to_owned(),
        role: Role::Admin,
        address: None,
        browser: None,
        session: None,
        token: None,
    };
    let seen = || can::permit(&ben, Action::ViewCredentials, None).unwrap();
    let now = database.clock.now();
    store.seed(&[]).await.unwrap();
    let known = BuiltIn {
        kind: Kind::GatewayKey,
        gateway: "g1".parse().ok(),
    };
    store.seed(&[known]).await.unwrap();
    let otto = Some("otto@example.org");
    let claimed = Reminders::claim(&store, id, now, Stage::Week, otto).await;
    assert!(claimed.unwrap());
    Calendars::make(&store, seen()).await.unwrap();
    close_the_trail(&database).await;
    refused(
        &database,
        "add",
        Register::add(&store, manage(), terms("x")),
    )
    .await;
    refused(&database, "change", store.change(manage(), id, terms("y"))).await;
    let retire = store.retire(may(Action::RetireCredential), id, None);
    refused(&database, "retire", retire).await;
    let until = now.plus(Duration::from_secs(86_400));
    let snooze = store.snooze(manage(), id, until, "later".to_owned());
    refused(&database, "snooze", snooze).await;
    let done = ByHand {
        at: now,
        cause: Cause::Leak,
        note: None,
    };
    let by_hand = store.note_rotation_by_hand(manage(), id, done);
    refused(&database, "rotation by hand", by_hand).await;
    let rotation = NewRotation {
        kind: Kind::GatewayKey,
        gateway: "g1".parse().ok(),
        at: now,
        by: anna(),
        cause: Cause::Leak,
        operation: None,
        fingerprint: None,
        puts_back: None,
    };
    refused(&database, "rotation", store.note_rotation(rotation)).await;
    let claim = Reminders::claim(&store, id, now, Stage::Day, otto);
    refused(&database, "a reminder that is to be mailed", claim).await;
    let mailed = Mailed::To("otto@example.org".to_owned());
    let mailed = Reminders::mailed(&store, id, now, Stage::Week, mailed);
    refused(&database, "reminder", mailed).await;
    refused(&database, "link", Calendars::make(&store, seen())).await;
    refused(&database, "link back", Calendars::remove(&store, seen())).await;
}

#[tokio::test]
async fn a_report_that_was_mailed() {
    let database = Database::fresh().await;
    let store = database.store().await;
    let (month, mia) = (Month::parse("2026-10").unwrap(), "mia@example.org");
    assert!(Reports::claim(&store, month, mia).await.unwrap());
    close_the_trail(&database).await;
    let mailed = Reports::mailed(&store, month, mia, Ok(()));
    refused(&database, "report", mailed).await;
    // Nor is it sent again without an event: whoever may not take it on does not send it.
    database.clock.advance(Duration::from_secs(3_600));
    let again = Reports::claim(&store, month, mia);
    refused(&database, "the report once more", again).await;
    let other = Reports::claim(&store, month, "otto@example.org");
    refused(&database, "a report to another", other).await;
}

#[tokio::test]
async fn reviews_and_answers() {
    let database = Database::fresh().await;
    let store = database.store().await;
    let (id, _) = person(&store, "ben", Role::Manager).await;
    let ben = actor(id, "ben");
    let event = store.record(crate::audit::event("1")).await.unwrap();
    let covers = || Stretches::of([event.sequence]);
    let may = || can::permit(&mia(), Action::ReviewAudit, None).unwrap();
    let asked = Asked {
        id,
        name: "ben".to_owned(),
    };
    let why = Some("Why?".to_owned());
    let question = Draft::new(covers(), Verdict::Question, why, Some(asked)).unwrap();
    let question = Reviews::review(&store, may(), question).await.unwrap();
    close_the_trail(&database).await;
    let seen = Draft::new(covers(), Verdict::Seen, None, None).unwrap();
    refused(&database, "review", Reviews::review(&store, may(), seen)).await;
    let answer = Reviews::answer(&store, &ben, question.id, "So.".to_owned());
    refused(&database, "answer", answer).await;
}

fn mia() -> Actor {
    Actor::Person {
        id: Uuid::from_u128(77),
        name: "mia".to_owned(),
        role: Role::Manager,
        address: None,
        browser: None,
        session: None,
        token: None,
    }
}

#[tokio::test]
async fn an_archive_of_old_events() {
    let database = Database::fresh().await;
    let store = database.store().await;
    for target in ["1", "2"] {
        store.record(crate::audit::event(target)).await.unwrap();
    }
    let later = database.clock.now().plus(Duration::from_secs(1));
    let archiving = store.begin_archive(later, &|_| Ok(())).await;
    let mut archiving = archiving.unwrap().unwrap();
    let archive = archive(&archiving.stretch, 1);
    close_the_trail(&database).await;
    let noted = store.note_archive(&mut archiving, &archive, archived(&archive));
    refused(&database, "archive", noted).await;
    let archives = store.archives(&|_| Ok(())).await.unwrap();
    assert_eq!(archives, Archives::default(), "so that nothing is dropped");
}

fn phone() -> Opener {
    Opener {
        address: "192.0.2.8".to_owned(),
        browser: None,
    }
}

#[tokio::test]
async fn operations_and_what_hangs_on_them() {
    let database = Database::fresh().await;
    let store = database.store().await;
    let running = begun_relink(&database, &store).await;
    let (link, token) = HandOffs::make(&store, may_on_g1(Action::HandOff), running)
        .await
        .unwrap();
    let rotation = NewKeyRotation {
        operation: running,
        gateway: "g1".parse().unwrap(),
        fingerprint: domain::credential::Fingerprint::of_hash(&[7; 32]),
        cause: Cause::Leak,
        puts_back: None,
        by: anna(),
    };
    KeyRotations::begin(&store, rotation).await.unwrap();
    let rotate = || may_on_g1(Action::RotateKey);
    let consumer = |name: &str| NewConsumer {
        name: name.to_owned(),
        owner: "otto".to_owned(),
        how: "curl".to_owned(),
        seen_as: "curl".to_owned(),
    };
    let add = store.add_consumer(may_on_g1(Action::HandOverKey), consumer("billing"));
    add.await.unwrap();
    let gateway = "g1".parse().unwrap();
    let consumers = store.consumers(&gateway).await.unwrap();
    let command = || Command::RotateKey {
        gateway: "g1".parse().unwrap(),
        cause: Cause::Leak,
        skip_secret: false,
        puts_back: None,
    };
    let proposed = store.propose(rotate(), command(), None).await.unwrap();
    close_the_trail(&database).await;

    let mut other = restart(&database, anna(), "other");
    other.operation.command = Command::Restart {
        gateway: "g2".parse().unwrap(),
    };
    refused(
        &database,
        "begin",
        Journal::begin(&store, other, Uuid::nil()),
    )
    .await;
    let outcome = || Outcome::Succeeded { note: None };
    refused(
        &database,
        "end",
        Journal::end(&store, running, 1, outcome()),
    )
    .await;
    refused(&database, "cancel", store.ask_cancel(running, &anna())).await;
    refused(&database, "skip", store.ask_skip(running, "drain", &anna())).await;
    let make = HandOffs::make(&store, may_on_g1(Action::HandOff), running);
    refused(&database, "hand-off", make).await;
    let open = HandOffs::open(&store, token.expose_secret(), phone());
    refused(&database, "opening a hand-off", open).await;
    let revoke = HandOffs::revoke(&store, may_on_g1(Action::HandOff), running, link.id);
    refused(&database, "taking a hand-off back", revoke).await;
    refused(&database, "reveal", store.reveal(rotate(), running)).await;
    let withdraw = store.decide(rotate(), proposed.id, Decision::Withdrawn, None);
    refused(&database, "answer to whoever asked", withdraw).await;
    database.clock.advance(OPEN_FOR);
    let propose = store.propose(rotate(), command(), None);
    refused(&database, "asking for a second person", propose).await;
    let anna = &anna();
    let finish = KeyRotations::finish(&store, anna, running, Task::Workstation, None);
    refused(&database, "key task", finish).await;
    let add = store.add_consumer(may_on_g1(Action::HandOverKey), consumer("shop"));
    refused(&database, "consumer", add).await;
    let remove = store.remove_consumer(may_on_g1(Action::HandOverKey), consumers[0].id);
    refused(&database, "consumer gone", remove).await;
    let event = NewAuditEvent::new(anna.clone(), act::DOWNLOAD_LOGS, AuditOutcome::Requested);
    refused(&database, "event", AuditTrail::record(&store, event)).await;
}

#[tokio::test]
async fn freeing_a_stuck_operation() {
    let database = Database::fresh().await;
    let store = database.store().await;
    let wanted = restart(&database, anna(), "k");
    let id: OperationId = wanted.operation.id;
    Journal::begin(&store, wanted, database.ids.next())
        .await
        .unwrap();
    let stuck = Outcome::Stuck {
        at: "drain".to_owned(),
        why: Fault::new(FaultKind::Unreachable, Boundary::Docker, "Docker is away."),
        todo: "Look.".to_owned(),
    };
    Journal::end(&store, id, 1, stuck).await.unwrap().unwrap();
    close_the_trail(&database).await;
    let anna = &anna();
    refused(&database, "abandon", store.abandon(id, anna, "I looked")).await;
}
