//! One-time links against a real Postgres.

use std::time::Duration;

use adapter_store::Store;
use domain::invitation::{OPEN_FOR, Overtaken};
use domain::person::Role;
use domain::ports::{
    AuditTrail, Chosen, Clock as _, Disabled, Invitations, People, PeopleError, SecondFactors,
    SignIn,
};
use secrecy::{ExposeSecret as _, SecretString};

use crate::second_factor::{actor, scan};
use crate::support::{Database, may_manage_people, person};

const PASSWORD: &str = "four words of her own";

fn chosen(name: &str, password: &str) -> Chosen {
    Chosen {
        name: name.to_owned(),
        password: password.into(),
        address: Some("192.0.2.7".to_owned()),
        browser: None,
    }
}

async fn accept(store: &Store, token: &SecretString) -> Result<SignIn, PeopleError> {
    let given = chosen("ignored", PASSWORD);
    store.accept(token.expose_secret(), given).await
}

async fn signs_in(store: &Store, name: &str, password: &str) -> bool {
    let answer = store.sign_in(name, password.into(), None, None).await;
    matches!(answer.unwrap(), SignIn::Welcome(_))
}

#[tokio::test]
async fn whoever_is_invited_chooses_a_password_once_and_is_in() {
    let database = Database::fresh().await;
    let store = database.store().await;
    let invited = store.invite(may_manage_people(), " Carla ", Role::Operator.into());
    let (carla, token) = invited.await.unwrap();
    let until = database.clock.now().plus(OPEN_FOR);
    let found = store.find(carla.id).await.unwrap().unwrap();
    assert_eq!(found.invited_until, Some(until));
    assert!(
        !signs_in(&store, "carla", "").await,
        "nobody knows no password"
    );
    let link = store
        .invitation(token.expose_secret())
        .await
        .unwrap()
        .unwrap();
    assert_eq!(link.name.as_deref(), Some("carla"));
    assert_eq!(link.until, until);

    let easy = store
        .accept(token.expose_secret(), chosen("", "carlacarla12"))
        .await;
    assert!(
        matches!(easy, Err(PeopleError::PasswordEasy { .. })),
        "{easy:?}"
    );
    let welcome = accept(&store, &token).await.unwrap();
    assert!(matches!(welcome, SignIn::Welcome(person) if person.id == carla.id));
    let last = AuditTrail::list(&store, None, 1).await.unwrap().remove(0);
    assert_eq!(last.event.action, "accept-invitation");
    assert_eq!(last.event.actor.name(), "carla");
    assert!(signs_in(&store, "carla", PASSWORD).await);
    let found = store.find(carla.id).await.unwrap().unwrap();
    assert_eq!(found.invited_until, None);
    assert!(!found.password_is_one_time);

    let again = store.accept(
        token.expose_secret(),
        chosen("", "another of her own words"),
    );
    assert!(matches!(again.await, Err(PeopleError::LinkOver)));
    assert!(signs_in(&store, "carla", PASSWORD).await);
    let used = store
        .invitation(token.expose_secret())
        .await
        .unwrap()
        .unwrap();
    assert!(
        used.against(database.clock.now())
            .unwrap()
            .contains("used already")
    );
}

#[tokio::test]
async fn a_link_is_used_by_one_of_two_at_the_same_moment() {
    let database = Database::fresh().await;
    let store = database.store().await;
    let invited = store.invite(may_manage_people(), "carla", Role::Operator.into());
    let (_, token) = invited.await.unwrap();
    let (one, two) = tokio::join!(accept(&store, &token), accept(&store, &token));
    let over = [one, two]
        .into_iter()
        .filter(|answer| matches!(answer, Err(PeopleError::LinkOver)))
        .count();
    assert_eq!(over, 1);
}

#[tokio::test]
async fn a_link_that_is_old_replaced_or_for_somebody_kept_out_opens_nothing() {
    let database = Database::fresh().await;
    let store = database.store().await;
    let invited = store.invite(may_manage_people(), "carla", Role::Operator.into());
    let (carla, first) = invited.await.unwrap();
    let second = store
        .invite_again(may_manage_people(), carla.id)
        .await
        .unwrap();
    assert_eq!(store.invitation(first.expose_secret()).await.unwrap(), None);
    assert!(matches!(
        accept(&store, &first).await,
        Err(PeopleError::LinkOver)
    ));
    store
        .set_disabled(may_manage_people(), carla.id, Disabled::Yes)
        .await
        .unwrap();
    assert!(matches!(
        accept(&store, &second).await,
        Err(PeopleError::LinkOver)
    ));
    let found = store.invitation(second.expose_secret()).await.unwrap();
    assert_eq!(found.unwrap().overtaken, Some(Overtaken::KeptOut));
    store
        .set_disabled(may_manage_people(), carla.id, Disabled::No)
        .await
        .unwrap();
    database.clock.advance(OPEN_FOR);
    assert!(matches!(
        accept(&store, &second).await,
        Err(PeopleError::LinkOver)
    ));
    let third = store
        .invite_again(may_manage_people(), carla.id)
        .await
        .unwrap();
    database.clock.advance(Duration::from_secs(24 * 3_600 - 1));
    assert!(accept(&store, &third).await.is_ok());
}

#[tokio::test]
async fn a_new_link_ends_password_and_sessions_and_a_second_factor_is_still_asked_for() {
    let database = Database::fresh().await;
    let store = database.store().await;
    let (id, password) = person(&store, "carla", Role::Operator).await;
    let own = actor(id, "carla");
    let phone = scan(&store, &own, id).await;
    let (before, _) = SecondFactors::finish(&store, &own, phone.code(&database))
        .await
        .unwrap();
    let token = store.invite_again(may_manage_people(), id).await.unwrap();
    let after = store.find(id).await.unwrap().unwrap();
    assert!(after.session_epoch > before.session_epoch);
    let old = store.sign_in("carla", password, None, None).await.unwrap();
    assert!(matches!(old, SignIn::Refused), "{old:?}");
    let answer = accept(&store, &token).await.unwrap();
    assert!(matches!(answer, SignIn::SecondStep(_)), "{answer:?}");
}

#[tokio::test]
async fn the_first_admin_is_made_by_a_link_and_only_while_there_is_nobody() {
    let database = Database::fresh().await;
    let store = database.store().await;
    let lost = store.set_up().await.unwrap().unwrap();
    let token = store.set_up().await.unwrap().unwrap();
    assert!(matches!(
        accept(&store, &lost).await,
        Err(PeopleError::LinkOver)
    ));
    let open = store
        .invitation(token.expose_secret())
        .await
        .unwrap()
        .unwrap();
    assert_eq!(open.name, None);
    let bad = store.accept(token.expose_secret(), chosen("a b", PASSWORD));
    assert!(matches!(bad.await, Err(PeopleError::BadName)));
    let made = store.accept(token.expose_secret(), chosen("Root", PASSWORD));
    let SignIn::Welcome(admin) = made.await.unwrap() else {
        panic!("no second factor yet")
    };
    assert_eq!(
        (admin.name.as_str(), admin.roles),
        ("root", Role::Admin.into())
    );
    assert!(signs_in(&store, "root", PASSWORD).await);
    assert!(store.set_up().await.unwrap().is_none());

    let other = Database::fresh().await;
    let store = other.store().await;
    let token = store.set_up().await.unwrap().unwrap();
    person(&store, "anna", Role::Admin).await;
    let late = store.accept(token.expose_secret(), chosen("root", PASSWORD));
    assert!(matches!(late.await, Err(PeopleError::LinkOver)));
    let found = store.invitation(token.expose_secret()).await.unwrap();
    assert_eq!(found.unwrap().overtaken, Some(Overtaken::NotTheFirst));
    assert_eq!(People::list(&store).await.unwrap().len(), 1);
}

#[tokio::test]
async fn no_token_can_be_read_in_the_database() {
    let database = Database::fresh().await;
    let store = database.store().await;
    let invited = store.invite(may_manage_people(), "carla", Role::Operator.into());
    let (_, token) = invited.await.unwrap();
    for table in ["invitations", "people", "audit_events"] {
        let found = format!("{table} t WHERE t::text LIKE '%{}%'", token.expose_secret());
        assert_eq!(database.count(&found).await, 0, "{table}");
    }
}
