use std::time::Duration;

use domain::action::Action;
use domain::audit::AuditOutcome;
use domain::can::permit;
use domain::person::{Actor, Role, Roles};
use domain::ports::{
    AuditTrail, Clock as _, Disabled, Invitations as _, People, PeopleError, Sessions, SignIn,
};
use secrecy::SecretString;
use uuid::Uuid;

use crate::sessions::device;
use crate::support::{Database, anna, may_manage_people, person};

fn wrong() -> SecretString {
    SecretString::from("not the password")
}

fn from(last: u8) -> String {
    format!("192.0.2.{last}")
}

#[tokio::test]
async fn somebody_signs_in_with_the_one_time_password_and_it_is_audited() {
    let database = Database::fresh().await;
    let store = database.store().await;
    let (id, password) = person(&store, "Carla", Role::Operator).await;
    let welcome = store.sign_in(
        " CARLA ",
        password,
        Some(from(1)),
        Some("Firefox".to_owned()),
    );
    let SignIn::Welcome(carla) = welcome.await.unwrap() else {
        panic!("refused")
    };
    assert_eq!((carla.id, carla.name.as_str()), (id, "carla"));
    assert!(carla.password_is_one_time);
    assert_eq!(carla.session_epoch, 1);
    let trail = AuditTrail::list(&store, None, 1).await.unwrap();
    assert_eq!(trail[0].event.outcome, AuditOutcome::Succeeded);
    assert_eq!(trail[0].event.actor.name(), "carla");
}

#[tokio::test]
async fn unknown_wrong_and_kept_out_get_the_same_answer_and_all_are_audited() {
    let database = Database::fresh().await;
    let store = database.store().await;
    person(&store, "anna", Role::Admin).await;
    let (carla, password) = person(&store, "carla", Role::Viewer).await;
    store
        .set_disabled(may_manage_people(), carla, Disabled::Yes)
        .await
        .unwrap();
    for (name, given) in [
        ("my-password", wrong()),
        ("anna", wrong()),
        ("carla", password),
    ] {
        let answer = store
            .sign_in(name, given, Some(from(1)), None)
            .await
            .unwrap();
        assert!(matches!(answer, SignIn::Refused), "{name}");
    }
    let trail = AuditTrail::list(&store, None, 3).await.unwrap();
    let told: Vec<_> = trail
        .iter()
        .map(|event| event.event.target.as_deref())
        .collect();
    // What was typed as a name may have been a password.
    assert_eq!(told, [Some("carla"), Some("anna"), None]);
    assert!(
        trail
            .iter()
            .all(|event| event.event.outcome == AuditOutcome::Denied)
    );
    assert!(!format!("{trail:?}").contains("my-password"), "{trail:?}");
}

#[tokio::test]
async fn known_and_unknown_names_cost_the_same_rows_and_a_hash_each() {
    let database = Database::fresh().await;
    let store = database.store().await;
    person(&store, "anna", Role::Admin).await;
    // The first one pays for making the hash that stands in for the unknown.
    store.sign_in("warm", wrong(), None, None).await.unwrap();
    let mut took = Vec::new();
    for name in ["anna", "nobody"] {
        let before = database.count("sign_in_throttles").await;
        let begin = std::time::Instant::now();
        store.sign_in(name, wrong(), None, None).await.unwrap();
        took.push(begin.elapsed());
        assert_eq!(database.count("sign_in_throttles").await, before + 1);
    }
    // No timed test: only that neither skips the hash, which alone takes some milliseconds.
    assert!(
        took.iter().all(|took| *took > Duration::from_millis(5)),
        "{took:?}"
    );
}

#[tokio::test]
async fn the_delay_for_a_name_rises_survives_a_restart_and_ends_with_a_success() {
    let database = Database::fresh().await;
    let store = database.store().await;
    let (_, password) = person(&store, "anna", Role::Admin).await;
    for last in 1..=5 {
        let answer = store
            .sign_in("anna", wrong(), Some(from(last)), None)
            .await
            .unwrap();
        assert!(matches!(answer, SignIn::Refused), "{last}");
    }
    store.close().await;
    let store = database.store().await;
    let wait = |answer| match answer {
        SignIn::Throttled { until } => until.since(database.clock.now()),
        other => panic!("{other:?}"),
    };
    let answer = store
        .sign_in("anna", password.clone(), Some(from(9)), None)
        .await
        .unwrap();
    assert_eq!(
        wait(answer),
        Duration::from_secs(5),
        "even the right password waits"
    );
    database.clock.advance(Duration::from_secs(5));
    store
        .sign_in("anna", wrong(), Some(from(9)), None)
        .await
        .unwrap();
    let answer = store
        .sign_in("anna", wrong(), Some(from(9)), None)
        .await
        .unwrap();
    assert_eq!(wait(answer), Duration::from_secs(10));
    database.clock.advance(Duration::from_secs(10));
    let answer = store
        .sign_in("anna", password, Some(from(9)), None)
        .await
        .unwrap();
    assert!(matches!(answer, SignIn::Welcome(_)));
    let trail = AuditTrail::list(&store, None, 1).await.unwrap();
    assert_eq!(
        trail[0].event.note.as_deref(),
        Some("1 tries before it were turned away unlooked at.")
    );
    let answer = store
        .sign_in("anna", wrong(), Some(from(9)), None)
        .await
        .unwrap();
    assert!(
        matches!(answer, SignIn::Refused),
        "a success forgives the name"
    );
}

#[tokio::test]
async fn many_names_from_one_address_are_slowed_down_but_not_other_addresses() {
    let database = Database::fresh().await;
    let store = database.store().await;
    for n in 0..21 {
        store
            .sign_in(&format!("name{n}"), wrong(), Some(from(1)), None)
            .await
            .unwrap();
    }
    let answer = store
        .sign_in("fresh", wrong(), Some(from(1)), None)
        .await
        .unwrap();
    assert!(matches!(answer, SignIn::Throttled { .. }));
    let answer = store
        .sign_in("fresh", wrong(), Some(from(2)), None)
        .await
        .unwrap();
    assert!(matches!(answer, SignIn::Refused));
}

#[tokio::test]
async fn tries_at_once_do_not_slip_past_the_throttle() {
    let database = Database::fresh().await;
    let store = database.store().await;
    person(&store, "anna", Role::Admin).await;
    let tries = (0..20).map(|n| store.sign_in("anna", wrong(), Some(from(n)), None));
    let answers = futures::future::join_all(tries).await;
    let looked_at = answers
        .iter()
        .filter(|answer| matches!(answer, Ok(SignIn::Refused)))
        .count();
    assert_eq!(looked_at, 5);
}

#[tokio::test]
async fn a_second_person_of_a_name_a_bad_name_and_a_wrong_permit_are_refused() {
    let database = Database::fresh().await;
    let store = database.store().await;
    person(&store, "anna", Role::Admin).await;
    let taken = store
        .add(may_manage_people(), "Anna", Role::Viewer.into())
        .await;
    assert!(matches!(taken, Err(PeopleError::NameTaken(name)) if name == "anna"));
    for bad in ["", "a", "a b", "ä-ö", &"x".repeat(41)] {
        let refused = store
            .add(may_manage_people(), bad, Role::Viewer.into())
            .await;
        assert!(matches!(refused, Err(PeopleError::BadName)), "{bad}");
    }
    let other = permit(&anna(), Action::ViewGateway, None).unwrap();
    let refused = store.add(other, "berta", Role::Viewer.into()).await;
    assert!(matches!(refused, Err(PeopleError::NotPermitted)));
    assert_eq!(database.count("people").await, 1);
    assert_eq!(database.count("audit_events").await, 1);
}

#[tokio::test]
async fn the_last_admin_cannot_be_lost_even_to_two_changes_at_once() {
    let database = Database::fresh().await;
    let (one, two) = (database.store().await, database.store().await);
    let (anna, _) = person(&one, "anna", Role::Admin).await;
    let (berta, _) = person(&one, "berta", Role::Admin).await;
    let (a, b) = tokio::join!(
        one.set_roles(may_manage_people(), anna, Role::Viewer.into()),
        two.set_disabled(may_manage_people(), berta, Disabled::Yes),
    );
    let refused = [a, b]
        .into_iter()
        .filter(|result| matches!(result, Err(PeopleError::LastAdmin)))
        .count();
    assert_eq!(refused, 1);
    let admins = "people WHERE role = 'admin' AND disabled_at IS NULL";
    assert_eq!(database.count(admins).await, 1);
}

fn admin(id: Uuid, name: &str, session: Option<Uuid>) -> Actor {
    Actor::Person {
        id,
        name: name.to_owned(),
        role: Role::Admin,
        address: None,
        browser: None,
        session,
        token: None,
    }
}

#[tokio::test]
async fn of_two_admins_who_reset_each_other_at_once_one_keeps_the_way_in() {
    let database = Database::fresh().await;
    let (one, two) = (database.store().await, database.store().await);
    let (anna, _) = person(&one, "anna", Role::Admin).await;
    let (berta, _) = person(&one, "berta", Role::Admin).await;
    let manages = async |id: Uuid, name: &str| {
        let person = one.find(id).await.unwrap().unwrap();
        let session = Sessions::begin(&one, &person, device(name)).await.unwrap();
        permit(&admin(id, name, Some(session)), Action::ManagePeople, None).unwrap()
    };
    let (annas, bertas) = (manages(anna, "anna").await, manages(berta, "berta").await);
    let (a, b) = tokio::join!(
        one.invite_again(annas, berta),
        two.invite_again(bertas, anna)
    );
    let overtaken = [a, b]
        .into_iter()
        .filter(|result| matches!(result, Err(PeopleError::Overtaken)))
        .count();
    assert_eq!(overtaken, 1);
    assert_eq!(database.count("people WHERE password_hash <> ''").await, 1);
}

#[tokio::test]
async fn whoever_was_demoted_or_kept_out_meanwhile_makes_no_admin_any_more() {
    let database = Database::fresh().await;
    let store = database.store().await;
    let (anna, _) = person(&store, "anna", Role::Admin).await;
    person(&store, "berta", Role::Admin).await;
    let by = admin(anna, "anna", None);
    let before = || permit(&by, Action::ManagePeople, None).unwrap();
    let operator = store.set_roles(may_manage_people(), anna, Role::Operator.into());
    operator.await.unwrap();
    let refused = store.invite(before(), "otto", Role::Admin.into()).await;
    assert!(
        matches!(refused, Err(PeopleError::Overtaken)),
        "{refused:?}"
    );
    assert_eq!(database.count("people").await, 2);
}

#[tokio::test]
async fn an_admin_who_was_only_invited_does_not_count_as_another_one() {
    let database = Database::fresh().await;
    let store = database.store().await;
    let (anna, _) = person(&store, "anna", Role::Admin).await;
    let invited = store.invite(may_manage_people(), "berta", Role::Admin.into());
    invited.await.unwrap();
    for refused in [
        store
            .set_disabled(may_manage_people(), anna, Disabled::Yes)
            .await,
        store
            .set_roles(may_manage_people(), anna, Role::Viewer.into())
            .await,
    ] {
        assert!(
            matches!(refused, Err(PeopleError::LastAdmin)),
            "{refused:?}"
        );
    }
}

#[tokio::test]
async fn a_role_on_one_gateway_is_kept_beside_the_one_everywhere() {
    let database = Database::fresh().await;
    let store = database.store().await;
    person(&store, "anna", Role::Admin).await;
    let mut roles = Roles::from(Role::Nothing);
    roles.on.insert("openclaw".parse().unwrap(), Role::Operator);
    roles.on.insert("other".parse().unwrap(), Role::Nothing);
    let invited = store.invite(may_manage_people(), "carla", roles.clone());
    let id = invited.await.unwrap().0.id;
    let known = async || store.find(id).await.unwrap().unwrap();
    assert_eq!(
        known().await.roles.to_string(),
        "none (operator on openclaw)"
    );

    // The same in other words changes nothing; less on one gateway does, and ends the sessions.
    store
        .set_roles(may_manage_people(), id, roles.clone())
        .await
        .unwrap();
    assert_eq!(known().await.session_epoch, 1);
    roles.on.insert("openclaw".parse().unwrap(), Role::Viewer);
    store
        .set_roles(may_manage_people(), id, roles)
        .await
        .unwrap();
    let carla = known().await;
    assert_eq!(carla.roles.to_string(), "none (viewer on openclaw)");
    assert_eq!(carla.session_epoch, 2);
    let trail = AuditTrail::list(&store, None, 1).await.unwrap();
    let changed = &trail[0].event.changes[0];
    assert_eq!(changed.before(), Some("none (operator on openclaw)"));
    assert_eq!(changed.after(), Some("none (viewer on openclaw)"));

    let everywhere = Role::Manager.into();
    store
        .set_roles(may_manage_people(), id, everywhere)
        .await
        .unwrap();
    assert_eq!(known().await.roles, Role::Manager.into());
    assert_eq!(database.count("roles_on_gateways").await, 0);
}

#[tokio::test]
async fn the_last_admin_may_do_less_on_one_gateway_and_stays_admin() {
    let database = Database::fresh().await;
    let store = database.store().await;
    let (id, _) = person(&store, "anna", Role::Admin).await;
    let mut roles = Roles::from(Role::Admin);
    roles.on.insert("openclaw".parse().unwrap(), Role::Viewer);
    store
        .set_roles(may_manage_people(), id, roles)
        .await
        .unwrap();
    let mut roles = Roles::from(Role::Viewer);
    roles.on.insert("openclaw".parse().unwrap(), Role::Admin);
    let refused = store.set_roles(may_manage_people(), id, roles).await;
    assert!(matches!(refused, Err(PeopleError::LastAdmin)));
}

#[tokio::test]
async fn what_ends_sessions_raises_the_epoch_and_doing_nothing_does_not() {
    let database = Database::fresh().await;
    let store = database.store().await;
    person(&store, "anna", Role::Admin).await;
    let (id, _) = person(&store, "carla", Role::Viewer).await;
    let epoch = async || store.find(id).await.unwrap().unwrap().session_epoch;
    store
        .set_roles(may_manage_people(), id, Role::Operator.into())
        .await
        .unwrap();
    assert_eq!(epoch().await, 2);
    store
        .set_roles(may_manage_people(), id, Role::Operator.into())
        .await
        .unwrap();
    assert_eq!(epoch().await, 2);
    store.reset_password(may_manage_people(), id).await.unwrap();
    assert_eq!(epoch().await, 3);
    store
        .set_disabled(may_manage_people(), id, Disabled::Yes)
        .await
        .unwrap();
    assert_eq!(epoch().await, 4);
    let actions: Vec<String> = AuditTrail::list(&store, None, 3)
        .await
        .unwrap()
        .into_iter()
        .map(|event| event.event.action)
        .collect();
    assert_eq!(actions, ["disable-person", "reset-password", "change-role"]);
}

#[tokio::test]
async fn a_password_is_changed_by_who_knows_the_old_one() {
    let database = Database::fresh().await;
    let store = database.store().await;
    let (id, old) = person(&store, "carla", Role::Viewer).await;
    let carla = Actor::Person {
        id,
        name: "carla".to_owned(),
        role: Role::Viewer,
        address: None,
        browser: None,
        session: None,
        token: None,
    };
    let new = SecretString::from("a much longer one");
    let refused = store.change_password(&carla, wrong(), new.clone()).await;
    assert!(matches!(refused, Err(PeopleError::WrongPassword)));
    let refused = store
        .change_password(&carla, old.clone(), SecretString::from("elevenchars"))
        .await;
    assert!(matches!(refused, Err(PeopleError::PasswordTooShort)));
    let changed = store
        .change_password(&carla, old.clone(), new.clone())
        .await
        .unwrap();
    assert_eq!(changed.session_epoch, 2);
    let answer = store.sign_in("carla", old, None, None).await.unwrap();
    assert!(matches!(answer, SignIn::Refused));
    let SignIn::Welcome(person) = store.sign_in("carla", new, None, None).await.unwrap() else {
        panic!("refused")
    };
    assert!(!person.password_is_one_time);
    assert_eq!(person.session_epoch, 2);
}

#[tokio::test]
async fn an_open_session_is_no_way_to_guess_the_password() {
    let database = Database::fresh().await;
    let store = database.store().await;
    let (id, old) = person(&store, "carla", Role::Viewer).await;
    let carla = Actor::Person {
        id,
        name: "carla".to_owned(),
        role: Role::Viewer,
        address: None,
        browser: None,
        session: None,
        token: None,
    };
    let new = SecretString::from("a much longer one");
    for _ in 0..5 {
        let refused = store.change_password(&carla, wrong(), new.clone()).await;
        assert!(matches!(refused, Err(PeopleError::WrongPassword)));
    }
    // Even the right one has to wait now, and then clears the way.
    let refused = store
        .change_password(&carla, old.clone(), new.clone())
        .await;
    let Err(PeopleError::TooManyTries { wait }) = refused else {
        panic!("not throttled: {refused:?}")
    };
    database.clock.advance(wait);
    let changed = store.change_password(&carla, old, new.clone()).await;
    assert!(changed.is_ok());
    let refused = store.change_password(&carla, wrong(), new).await;
    assert!(matches!(refused, Err(PeopleError::WrongPassword)));
}

#[tokio::test]
async fn if_the_audit_event_cannot_be_written_nobody_is_changed() {
    let database = Database::fresh().await;
    let store = database.store().await;
    let (id, _) = person(&store, "carla", Role::Viewer).await;
    database
        .sql("ALTER TABLE audit_events ADD CONSTRAINT broken CHECK (action <> 'change-role')")
        .await
        .unwrap();
    let refused = store
        .set_roles(may_manage_people(), id, Role::Admin.into())
        .await;
    assert!(matches!(refused, Err(PeopleError::Database(_))));
    assert_eq!(
        store.find(id).await.unwrap().unwrap().roles,
        Role::Viewer.into()
    );
}

#[tokio::test]
async fn the_password_is_stored_as_argon2id_only_and_a_visit_is_noted_to_the_minute() {
    let database = Database::fresh().await;
    let store = database.store().await;
    let (id, _) = person(&store, "carla", Role::Viewer).await;
    let hashed = "people WHERE password_hash LIKE '$argon2id$v=19$m=19456,t=2,p=1$%'";
    assert_eq!(database.count(hashed).await, 1);
    People::note_seen(&store, id).await.unwrap();
    let seen = store.find(id).await.unwrap().unwrap().last_seen_at;
    assert_eq!(seen, Some(database.clock.now()));
    database.clock.advance(Duration::from_secs(30));
    People::note_seen(&store, id).await.unwrap();
    assert_eq!(store.find(id).await.unwrap().unwrap().last_seen_at, seen);
}

#[tokio::test]
async fn a_password_typed_again_is_audited_and_throttled_like_a_sign_in() {
    let database = Database::fresh().await;
    let store = database.store().await;
    let (id, password) = person(&store, "carla", Role::Admin).await;
    let carla = admin(id, "carla", None);
    let confirmed = store
        .confirm(&carla, password.clone(), "".into())
        .await
        .unwrap();
    assert_eq!(confirmed.session_epoch, 1);
    for _ in 0..5 {
        let refused = store.confirm(&carla, wrong(), "".into()).await;
        assert!(matches!(refused, Err(PeopleError::WrongPassword)));
    }
    let refused = store.confirm(&carla, password, "".into()).await;
    assert!(matches!(refused, Err(PeopleError::TooManyTries { .. })));
    let events = "audit_events WHERE action = 'confirm-identity' AND outcome";
    assert_eq!(database.count(&format!("{events} = 'succeeded'")).await, 1);
    assert_eq!(database.count(&format!("{events} = 'denied'")).await, 5);
}
