//! People who sign in by an identity provider, against a real Postgres.

use std::time::Duration;

use adapter_store::Store;
use domain::action::Action;
use domain::audit::{AuditEvent, AuditOutcome, act};
use domain::can;
use domain::identity::{Claims, Refusal, Subject};
use domain::person::{Actor, Person, Role, Roles};
use domain::ports::{
    AuditTrail, ByProvider, Clock as _, Disabled, Identities, People, PeopleError, Proved,
    ProviderConfirms, SecondFactors, SignIn, Whence,
};
use uuid::Uuid;

use crate::second_factor::{actor, scan};
use crate::support::{Database, anna, may_manage_people, person};

pub(crate) const ISSUER: &str = "https://id.example.org";

pub(crate) fn subject(id: &str) -> Subject {
    Subject {
        issuer: ISSUER.to_owned(),
        id: id.to_owned(),
    }
}

/// What the provider says of a subject: the name, and the role of the groups.
pub(crate) fn proved(id: &str, name: &str, role: Option<Role>) -> Proved {
    Proved {
        provider: "Example".to_owned(),
        claims: Claims {
            subject: subject(id),
            preferred_username: Some(name.to_owned()),
            mail: None,
            mail_verified: None,
            groups: Vec::new(),
            proved_at: None,
        },
        role,
    }
}

fn whence() -> Whence {
    Whence {
        address: Some("192.0.2.7".to_owned()),
        browser: Some("Firefox".to_owned()),
    }
}

async fn sign_in(store: &Store, proved: Proved) -> ByProvider {
    Identities::sign_in(store, proved, whence()).await.unwrap()
}

async fn welcome(store: &Store, proved: Proved) -> Person {
    match sign_in(store, proved).await {
        ByProvider::In(SignIn::Welcome(person)) => person,
        other => panic!("{other:?}"),
    }
}

async fn refused(store: &Store, proved: Proved, why: Refusal) {
    match sign_in(store, proved).await {
        ByProvider::Not(refusal) => assert_eq!(refusal, why),
        ByProvider::In(other) => panic!("{why:?}: {other:?}"),
    }
    let last = latest(store, 1).await.remove(0).event;
    assert_eq!(last.action, act::SIGN_IN, "{why:?}");
    assert_eq!(last.outcome, AuditOutcome::Denied, "{why:?}");
    assert_eq!(last.note.unwrap(), why.note("Example"));
}

/// The latest first.
async fn latest(store: &Store, count: u32) -> Vec<AuditEvent> {
    AuditTrail::list(store, None, count).await.unwrap()
}

async fn now(store: &Store, id: Uuid) -> Person {
    People::find(store, id).await.unwrap().unwrap()
}

#[tokio::test]
async fn whoever_comes_first_is_added_without_a_password_and_known_by_the_subject_from_then_on() {
    let database = Database::fresh().await;
    let store = database.store().await;
    let ida = welcome(&store, proved("1", "Ida", Some(Role::Viewer))).await;
    assert_eq!(
        (ida.name.as_str(), &ida.roles),
        ("ida", &Role::Viewer.into())
    );
    assert_eq!(ida.last_seen_at, Some(database.clock.now()));
    let events = latest(&store, 2).await;
    let told: Vec<_> = events
        .iter()
        .rev()
        .map(|event| {
            let note = event.event.note.as_deref().unwrap_or_default();
            (event.event.action.as_str(), note, event.event.actor.name())
        })
        .collect();
    assert_eq!(
        told,
        [
            (act::ADD_PERSON, "As viewer, by Example.", "the panel"),
            (act::SIGN_IN, "By Example.", "ida"),
        ]
    );
    // Whatever they are called there by now.
    let again = welcome(&store, proved("1", "someone.new", Some(Role::Viewer))).await;
    assert_eq!((again.id, again.name.as_str()), (ida.id, "ida"));
    assert_eq!(again.session_epoch, ida.session_epoch);
    assert_eq!(
        Identities::of(&store, ida.id).await.unwrap().subjects,
        [subject("1")]
    );
    for guess in ["", " ", "password"] {
        let answer = People::sign_in(&store, "ida", guess.into(), None, None).await;
        assert!(matches!(answer.unwrap(), SignIn::Refused), "{guess:?}");
    }
}

#[tokio::test]
async fn a_name_that_somebody_has_is_nobodys_door() {
    let database = Database::fresh().await;
    let store = database.store().await;
    let (ida, _) = person(&store, "ida", Role::Admin).await;
    let people = database.count("people").await;
    refused(
        &store,
        proved("1", "ida", Some(Role::Operator)),
        Refusal::NameTaken,
    )
    .await;
    refused(
        &store,
        proved("1", " IDA ", Some(Role::Operator)),
        Refusal::NameTaken,
    )
    .await;
    let mut by_mail = proved("1", "", Some(Role::Operator));
    by_mail.claims.mail = Some("ida@example.org".to_owned());
    by_mail.claims.mail_verified = Some(true);
    refused(&store, by_mail, Refusal::NameTaken).await;
    assert_eq!(database.count("people").await, people);
    assert_eq!(database.count("identities").await, 0);
    assert_eq!(now(&store, ida).await.session_epoch, 1);
}

#[tokio::test]
async fn an_admin_says_who_somebody_is_there_and_each_is_one() {
    let database = Database::fresh().await;
    let store = database.store().await;
    let (ida, _) = person(&store, "ida", Role::Operator).await;
    let (otto, _) = person(&store, "otto", Role::Viewer).await;
    let connect = |person, id: &str| {
        let (store, subject) = (store.clone(), subject(id));
        async move { Identities::connect(&store, may_manage_people(), person, subject).await }
    };
    connect(ida, "1").await.unwrap();
    let last = latest(&store, 1).await.remove(0).event;
    assert_eq!(last.action, act::CONNECT_IDENTITY);
    assert_eq!(last.note.unwrap(), "As \"1\" of https://id.example.org.");
    for (person, id) in [(otto, "1"), (ida, "2")] {
        let taken = connect(person, id).await.unwrap_err();
        assert!(matches!(taken, PeopleError::IdentityTaken), "{taken}");
    }
    for bad in ["", "a\nb"] {
        let bad = connect(otto, bad).await.unwrap_err();
        assert!(matches!(bad, PeopleError::BadSubject), "{bad}");
    }
    let nobody = connect(Uuid::from_u128(77), "3").await.unwrap_err();
    assert!(matches!(nobody, PeopleError::Unknown), "{nobody}");
    let other = can::permit(&anna(), Action::ViewPeople, None).unwrap();
    let refused = Identities::connect(&store, other, otto, subject("3")).await;
    assert!(matches!(refused, Err(PeopleError::NotPermitted)));
    let came = welcome(&store, proved("1", "whoever", Some(Role::Operator))).await;
    assert_eq!(came.id, ida);
    assert_eq!(store.all().await.unwrap(), [(ida, subject("1"))]);
}

#[tokio::test]
async fn an_admin_takes_back_who_somebody_is_there_and_their_sessions_end() {
    let database = Database::fresh().await;
    let store = database.store().await;
    let ida = welcome(&store, proved("1", "ida", Some(Role::Viewer))).await;
    let proofs = Identities::of(&store, ida.id).await.unwrap();
    assert_eq!(
        (proofs.subjects, proofs.has_password),
        (vec![subject("1")], false)
    );
    let before = now(&store, ida.id).await.session_epoch;
    Identities::disconnect(&store, may_manage_people(), ida.id)
        .await
        .unwrap();
    assert_eq!(now(&store, ida.id).await.session_epoch, before + 1);
    let last = latest(&store, 1).await.remove(0).event;
    assert_eq!(last.action, act::DISCONNECT_IDENTITY);
    assert_eq!(last.note.unwrap(), "Was \"1\" of https://id.example.org.");
    assert_eq!(store.all().await.unwrap(), []);
    refused(
        &store,
        proved("1", "ida", Some(Role::Viewer)),
        Refusal::NameTaken,
    )
    .await;

    // Again it does nothing, and says nothing.
    let events = database.count("audit_events").await;
    Identities::disconnect(&store, may_manage_people(), ida.id)
        .await
        .unwrap();
    assert_eq!(database.count("audit_events").await, events);
    let other = can::permit(&anna(), Action::ViewPeople, None).unwrap();
    let denied = Identities::disconnect(&store, other, ida.id).await;
    assert!(matches!(denied, Err(PeopleError::NotPermitted)));
    let nobody = Identities::disconnect(&store, may_manage_people(), Uuid::from_u128(77)).await;
    assert!(matches!(nobody, Err(PeopleError::Unknown)));
}

#[tokio::test]
async fn the_last_admin_is_not_shut_out_by_it() {
    let database = Database::fresh().await;
    let store = database.store().await;
    let ida = welcome(&store, proved("1", "ida", Some(Role::Viewer))).await;
    store
        .set_roles(may_manage_people(), ida.id, Role::Admin.into())
        .await
        .unwrap();
    let refused = Identities::disconnect(&store, may_manage_people(), ida.id).await;
    assert!(matches!(refused, Err(PeopleError::LastAdmin)));
    assert_eq!(store.all().await.unwrap().len(), 1);
    // With another one who gets in it is done.
    person(&store, "otto", Role::Admin).await;
    Identities::disconnect(&store, may_manage_people(), ida.id)
        .await
        .unwrap();
}

#[tokio::test]
async fn the_role_everywhere_follows_the_groups_and_ends_sessions_of_before() {
    let database = Database::fresh().await;
    let store = database.store().await;
    let ida = welcome(&store, proved("1", "ida", Some(Role::Viewer))).await;
    let mut roles = Roles::from(Role::Viewer);
    roles.on.insert("g1".parse().unwrap(), Role::Operator);
    store
        .set_roles(may_manage_people(), ida.id, roles)
        .await
        .unwrap();
    let before = now(&store, ida.id).await.session_epoch;
    let after = welcome(&store, proved("1", "ida", Some(Role::Operator))).await;
    assert!(after.session_epoch > before);
    assert_eq!(after.roles.everywhere, Role::Operator);
    // What was said of a gateway stays, also where it is no exception for a while.
    assert_eq!(after.roles.on.len(), 1);
    let events = latest(&store, 2).await;
    assert_eq!(events[1].event.action, act::CHANGE_ROLE);
    assert_eq!(events[1].event.actor, Actor::Panel);
    assert_eq!(events[1].event.changes.len(), 1);
    let note = events[1].event.note.clone().unwrap();
    assert!(note.ends_with("as the groups at Example say."), "{note}");
    let back = welcome(&store, proved("1", "ida", Some(Role::Viewer))).await;
    assert_eq!(back.roles.everywhere, Role::Viewer);
    assert_eq!(back.roles.on, after.roles.on);
}

#[tokio::test]
async fn whoever_lost_the_groups_is_refused_and_every_session_ends() {
    let database = Database::fresh().await;
    let store = database.store().await;
    let ida = welcome(&store, proved("1", "ida", Some(Role::Operator))).await;
    refused(&store, proved("1", "ida", None), Refusal::NoGroup).await;
    let then = now(&store, ida.id).await;
    assert!(then.session_epoch > ida.session_epoch);
    assert_eq!(then.roles, Role::Nothing.into());
    // Somebody new in no group is not even added.
    refused(&store, proved("2", "nora", None), Refusal::NoGroup).await;
    assert_eq!(database.count("people").await, 1);
    let again = welcome(&store, proved("1", "ida", Some(Role::Viewer))).await;
    assert_eq!(again.roles, Role::Viewer.into());
}

#[tokio::test]
async fn nobody_becomes_admin_by_groups_and_an_admin_stays_one() {
    let database = Database::fresh().await;
    let store = database.store().await;
    // Whatever the map says: the store does not make admins either.
    let made = welcome(&store, proved("1", "ida", Some(Role::Admin))).await;
    assert_eq!(made.roles, Role::Nothing.into());
    let again = welcome(&store, proved("1", "ida", Some(Role::Admin))).await;
    assert_eq!(again.roles, Role::Nothing.into());

    let (otto, _) = person(&store, "otto", Role::Admin).await;
    let permit = may_manage_people();
    Identities::connect(&store, permit, otto, subject("2"))
        .await
        .unwrap();
    let came = welcome(&store, proved("2", "otto", Some(Role::Viewer))).await;
    assert_eq!(came.roles, Role::Admin.into());
    assert_eq!(came.session_epoch, 1, "nothing changed");
    refused(&store, proved("2", "otto", None), Refusal::NoGroup).await;
    let then = now(&store, otto).await;
    assert_eq!(then.roles, Role::Admin.into());
    assert!(then.session_epoch > 1, "sessions end all the same");
}

#[tokio::test]
async fn whoever_is_kept_out_stays_out() {
    let database = Database::fresh().await;
    let store = database.store().await;
    let ida = welcome(&store, proved("1", "ida", Some(Role::Viewer))).await;
    store
        .set_disabled(may_manage_people(), ida.id, Disabled::Yes)
        .await
        .unwrap();
    refused(
        &store,
        proved("1", "ida", Some(Role::Operator)),
        Refusal::KeptOut,
    )
    .await;
    assert_eq!(now(&store, ida.id).await.roles, Role::Viewer.into());
}

#[tokio::test]
async fn an_address_that_is_not_verified_lets_nobody_in() {
    let database = Database::fresh().await;
    let store = database.store().await;
    let mut unverified = proved("1", "ida", Some(Role::Viewer));
    unverified.claims.mail = Some("ida@example.org".to_owned());
    unverified.claims.mail_verified = Some(false);
    refused(&store, unverified.clone(), Refusal::UnverifiedMail).await;
    assert_eq!(database.count("people").await, 0);
    let mut unsaid = proved("1", "", Some(Role::Viewer));
    unsaid.claims.mail = Some("ida@example.org".to_owned());
    refused(&store, unsaid, Refusal::UnverifiedMail).await;
    let nameless = proved("1", "?!", Some(Role::Viewer));
    refused(&store, nameless, Refusal::NoName).await;
    // Not even somebody who was here before.
    let ida = welcome(&store, proved("1", "ida", Some(Role::Viewer))).await;
    unverified.role = Some(Role::Operator);
    refused(&store, unverified, Refusal::UnverifiedMail).await;
    assert_eq!(now(&store, ida.id).await.roles, Role::Viewer.into());
}

#[tokio::test]
async fn whoever_has_a_second_factor_here_goes_on_to_it_and_confirms_by_it() {
    let database = Database::fresh().await;
    let store = database.store().await;
    let ida = welcome(&store, proved("1", "ida", Some(Role::Operator))).await;
    let own = actor(ida.id, "ida");
    let mine = || proved("1", "ida", Some(Role::Operator));
    let confirms = store_confirm(&store, &own, mine()).await;
    assert_eq!(confirms, ProviderConfirms::Whole);
    let last = latest(&store, 1).await.remove(0).event;
    assert_eq!(
        (last.action.as_str(), last.outcome),
        (act::CONFIRM_IDENTITY, AuditOutcome::Succeeded)
    );
    let somebody = proved("2", "nora", Some(Role::Operator));
    let somebody_else = ProviderConfirms::Not(Refusal::SomebodyElse);
    let confirms = store_confirm(&store, &own, somebody.clone()).await;
    assert_eq!(confirms, somebody_else);
    welcome(&store, somebody.clone()).await;
    let confirms = store_confirm(&store, &own, somebody).await;
    assert_eq!(confirms, somebody_else);
    let last = latest(&store, 1).await.remove(0).event;
    assert_eq!(last.outcome, AuditOutcome::Denied);
    let no_group = store_confirm(&store, &own, proved("1", "ida", None)).await;
    assert_eq!(no_group, ProviderConfirms::Not(Refusal::NoGroup));

    let phone = scan(&store, &own, ida.id).await;
    let (with, _) = SecondFactors::finish(&store, &own, phone.code(&database))
        .await
        .unwrap();
    match sign_in(&store, mine()).await {
        ByProvider::In(SignIn::SecondStep(person)) => {
            assert_eq!(person.session_epoch, with.session_epoch);
        }
        other => panic!("{other:?}"),
    }
    let last = latest(&store, 1).await.remove(0).event;
    assert_eq!(last.outcome, AuditOutcome::Requested);
    let half = store_confirm(&store, &own, mine()).await;
    assert_eq!(half, ProviderConfirms::Half);
    let last = latest(&store, 1).await.remove(0).event;
    assert_eq!(
        (last.action.as_str(), last.outcome),
        (act::CONFIRM_IDENTITY, AuditOutcome::Requested)
    );
    // The other half: each code once, and wrong ones are slowed down.
    let code = || phone.code(&database);
    let confirm = |code| SecondFactors::confirm(&store, &own, code);
    database.clock.advance(Duration::from_secs(30));
    confirm(code()).await.unwrap();
    let last = latest(&store, 1).await.remove(0).event;
    assert_eq!(
        (last.action.as_str(), last.outcome),
        (act::CONFIRM_IDENTITY, AuditOutcome::Succeeded)
    );
    let used = confirm(code()).await.unwrap_err();
    assert!(matches!(used, PeopleError::CodeUsed), "{used}");
    let mut slowed = 0;
    for _ in 0..10 {
        match confirm("000000".into()).await.unwrap_err() {
            PeopleError::TooManyTries { .. } => slowed += 1,
            PeopleError::WrongCode => {
                let last = latest(&store, 1).await.remove(0).event;
                assert_eq!(last.outcome, AuditOutcome::Denied);
            }
            other => panic!("{other}"),
        }
    }
    assert!(slowed > 4, "{slowed}");
    let nobody = SecondFactors::confirm(&store, &actor(Uuid::from_u128(9), "x"), code()).await;
    assert!(matches!(nobody, Err(PeopleError::Unknown)), "{nobody:?}");
}

async fn store_confirm(store: &Store, actor: &Actor, proved: Proved) -> ProviderConfirms {
    Identities::confirm(store, actor, proved).await.unwrap()
}

#[tokio::test]
async fn many_tries_from_one_address_have_to_wait_and_a_right_one_is_taken_back() {
    let database = Database::fresh().await;
    let store = database.store().await;
    let ida = || proved("1", "ida", Some(Role::Viewer));
    let count = || Identities::count(&store, Some("192.0.2.7"));
    for _ in 0..40 {
        assert_eq!(count().await.unwrap(), None);
        welcome(&store, ida()).await;
    }
    // As are those by which somebody confirms who they are.
    let person = welcome(&store, ida()).await;
    let own = Actor::Person {
        id: person.id,
        name: person.name,
        role: Role::Viewer,
        address: Some("192.0.2.7".to_owned()),
        browser: None,
        session: None,
        token: None,
    };
    for _ in 0..40 {
        assert_eq!(count().await.unwrap(), None);
        let confirms = store_confirm(&store, &own, ida()).await;
        assert_eq!(confirms, ProviderConfirms::Whole);
    }
    let mut waits = 0;
    for _ in 0..40 {
        waits += u32::from(count().await.unwrap().is_some());
    }
    assert!(waits > 15, "{waits}");
    let elsewhere = Identities::count(&store, Some("192.0.2.8")).await;
    assert_eq!(elsewhere.unwrap(), None);
}
