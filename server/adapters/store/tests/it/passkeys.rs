//! Passkeys against a real Postgres: made, used at the door and before dangerous acts, each answer once.

use std::time::Duration;

use adapter_store::Store;
use domain::audit::AuditOutcome;
use domain::passkey::{Answer, CEREMONY};
use domain::person::{Actor, Role};
use domain::ports::{AuditTrail, Disabled, Passkeys, People, PeopleError, SecondFactors, SignIn};
use domain::second_factor::Duty;
use secrecy::SecretString;
use uuid::Uuid;

use crate::authenticator::Device;
use crate::second_factor::actor;
use crate::support::{Database, may_manage_people, person};

/// Carla, with a passkey of her phone.
struct Carla {
    id: Uuid,
    own: Actor,
    password: SecretString,
    phone: Device,
    codes: Vec<SecretString>,
    epoch: i64,
}

async fn carla(store: &Store) -> Carla {
    let (id, password) = person(store, "carla", Role::Operator).await;
    let own = actor(id, "carla");
    let mut phone = Device::new(1);
    let answer = phone.make(&store.ask_to_add(&own).await.unwrap());
    let added = Passkeys::add(store, &own, " phone ", answer).await.unwrap();
    let factor = added.person.second_factor.unwrap();
    assert!(!factor.authenticator);
    assert_eq!((factor.passkeys, factor.codes_left), (1, 10));
    Carla {
        id,
        own,
        password,
        phone,
        codes: added.codes,
        epoch: added.person.session_epoch,
    }
}

async fn sign_in(store: &Store, answer: Answer) -> SignIn {
    let answer = Passkeys::sign_in(store, answer, Some("192.0.2.7".to_owned()), None);
    answer.await.unwrap()
}

async fn last_note(store: &Store) -> (AuditOutcome, String) {
    let last = AuditTrail::list(store, None, 1).await.unwrap().remove(0);
    (last.event.outcome, last.event.note.unwrap_or_default())
}

async fn refused(store: &Store, answer: Answer, why: &str) {
    let answer = sign_in(store, answer).await;
    assert!(matches!(answer, SignIn::Refused), "{why}: {answer:?}");
    let (outcome, note) = last_note(store).await;
    assert_eq!(outcome, AuditOutcome::Denied, "{why}");
    assert!(note.contains(why), "{note}");
}

#[tokio::test]
async fn a_passkey_signs_in_without_a_password_and_each_answer_once() {
    let database = Database::fresh().await;
    let store = database.store().await;
    let mut carla = carla(&store).await;
    let question = store.ask_anybody().await.unwrap();
    assert_eq!(question.options["allowCredentials"], serde_json::json!([]));
    let answer = carla.phone.sign(&question);
    match sign_in(&store, answer.clone()).await {
        SignIn::Welcome(person) => assert_eq!(person.id, carla.id),
        other => panic!("{other:?}"),
    }
    let (outcome, note) = last_note(&store).await;
    assert_eq!(outcome, AuditOutcome::Succeeded);
    assert_eq!(note, "With the passkey “phone”.");
    refused(&store, answer, "used before").await;
    let keys = Passkeys::of(&store, carla.id).await.unwrap();
    assert_eq!(keys[0].name, "phone");
    assert!(keys[0].last_used_at.is_some());
}

#[tokio::test]
async fn what_is_not_right_is_refused_and_said_in_the_trail() {
    let database = Database::fresh().await;
    let store = database.store().await;
    let mut carla = carla(&store).await;
    let question = store.ask_anybody().await.unwrap();

    let mut stranger = Device::new(9);
    let _made = stranger.make(&store.ask_to_add(&carla.own).await.unwrap());
    refused(&store, stranger.sign(&question), "not known").await;

    let mut unattended = carla.phone.clone();
    unattended.verifies = false;
    refused(&store, unattended.sign(&question), "did not make sure").await;

    let mut elsewhere = carla.phone.clone();
    elsewhere.origin = "https://panel.example.org.evil.example";
    refused(&store, elsewhere.sign(&question), "not right").await;

    // A question to Carla alone is none to anybody, and that of another panel is none at all.
    let own = store.ask(carla.id).await.unwrap();
    refused(&store, carla.phone.sign(&own), "another question").await;
    let mut planted = carla.phone.sign(&question);
    planted.ceremony = format!("{}A", planted.ceremony);
    refused(&store, planted, "another question").await;

    let answer = Answer {
        ceremony: question.ceremony.clone(),
        credential: "{}".to_owned(),
    };
    refused(&store, answer, "not right").await;

    // Its counter went on elsewhere: somebody has a copy.
    let mut copy = carla.phone.clone();
    assert!(matches!(
        sign_in(&store, carla.phone.sign(&question)).await,
        SignIn::Welcome(_)
    ));
    copy.counter = 0;
    database.clock.advance(Duration::from_secs(1));
    let later = store.ask_anybody().await.unwrap();
    refused(&store, copy.sign(&later), "a copy").await;

    database.clock.advance(CEREMONY + Duration::from_secs(1));
    refused(&store, carla.phone.sign(&later), "too late").await;
}

#[tokio::test]
async fn many_wrong_ones_from_one_address_are_turned_away_unlooked_at() {
    let database = Database::fresh().await;
    let store = database.store().await;
    let question = store.ask_anybody().await.unwrap();
    let mut stranger = Device::new(9);
    let mut turned_away = 0;
    for _ in 0..40 {
        if let SignIn::Throttled { .. } = sign_in(&store, stranger.sign(&question)).await {
            turned_away += 1;
        }
    }
    assert!(turned_away > 10, "{turned_away}");
    let events = database
        .count("audit_events WHERE action = 'sign-in'")
        .await;
    assert!(events < 30, "{events}");
}

#[tokio::test]
async fn it_stands_for_the_code_after_the_password_and_a_recovery_code_stands_for_it() {
    let database = Database::fresh().await;
    let store = database.store().await;
    let mut carla = carla(&store).await;
    let first = People::sign_in(&store, "carla", carla.password.clone(), None, None);
    assert!(matches!(first.await.unwrap(), SignIn::SecondStep(_)));
    let answer = carla.phone.sign(&store.ask(carla.id).await.unwrap());
    let old = Passkeys::second_step(
        &store,
        carla.id,
        carla.epoch - 1,
        answer.clone(),
        None,
        None,
    );
    assert!(matches!(old.await.unwrap(), SignIn::Refused));
    let now = Passkeys::second_step(&store, carla.id, carla.epoch, answer.clone(), None, None);
    assert!(matches!(now.await.unwrap(), SignIn::Welcome(_)));
    let again = Passkeys::second_step(&store, carla.id, carla.epoch, answer, None, None);
    assert!(matches!(again.await.unwrap(), SignIn::Refused));
    let code = carla.codes[0].clone();
    let by_code = People::second_step(&store, carla.id, carla.epoch, code, None, None);
    assert!(matches!(by_code.await.unwrap(), SignIn::Welcome(_)));
    // Six digits are an authenticator's, and she has none.
    let digits = "123456".into();
    let by_digits = People::second_step(&store, carla.id, carla.epoch, digits, None, None);
    assert!(matches!(by_digits.await.unwrap(), SignIn::Refused));
}

#[tokio::test]
async fn it_confirms_who_one_is_and_nobody_elses_does() {
    let database = Database::fresh().await;
    let store = database.store().await;
    let mut carla = carla(&store).await;
    let (other, _) = person(&store, "dora", Role::Viewer).await;
    let answer = carla.phone.sign(&store.ask(carla.id).await.unwrap());
    let refused = Passkeys::confirm(&store, &actor(other, "dora"), answer.clone()).await;
    assert!(
        matches!(refused, Err(PeopleError::PasskeyLate)),
        "{refused:?}"
    );
    Passkeys::confirm(&store, &carla.own, answer.clone())
        .await
        .unwrap();
    let again = Passkeys::confirm(&store, &carla.own, answer).await;
    assert!(matches!(again, Err(PeopleError::PasskeyLate)), "{again:?}");
    let (outcome, _) = last_note(&store).await;
    assert_eq!(outcome, AuditOutcome::Denied);
}

#[tokio::test]
async fn one_device_has_one_and_belongs_to_one_person() {
    let database = Database::fresh().await;
    let store = database.store().await;
    let mut carla = carla(&store).await;
    let question = store.ask_to_add(&carla.own).await.unwrap();
    let excluded = &question.options["excludeCredentials"];
    assert_eq!(excluded.as_array().unwrap().len(), 1);
    let twice = Passkeys::add(&store, &carla.own, "again", carla.phone.make(&question)).await;
    assert!(matches!(twice, Err(PeopleError::PasskeyKnown)), "{twice:?}");
    let (other, _) = person(&store, "dora", Role::Viewer).await;
    let dora = actor(other, "dora");
    let stolen = Passkeys::add(&store, &dora, "mine", Device::new(3).make(&question)).await;
    assert!(
        matches!(stolen, Err(PeopleError::PasskeyLate)),
        "{stolen:?}"
    );
    for name in ["", "  ", &"n".repeat(61)] {
        let nameless = Passkeys::add(&store, &carla.own, name, carla.phone.make(&question)).await;
        assert!(matches!(nameless, Err(PeopleError::BadPasskeyName)));
    }
    // A further one signs nobody out and shows no codes again.
    let mut key = Device::new(4);
    let answer = key.make(&store.ask_to_add(&carla.own).await.unwrap());
    let added = Passkeys::add(&store, &carla.own, "key", answer)
        .await
        .unwrap();
    assert!(added.codes.is_empty());
    assert_eq!(added.person.session_epoch, carla.epoch);
}

#[tokio::test]
async fn one_that_is_removed_opens_nothing_and_with_the_last_the_codes_go() {
    let database = Database::fresh().await;
    let store = database.store().await;
    let mut carla = carla(&store).await;
    let question = store.ask_anybody().await.unwrap();
    let (other, _) = person(&store, "dora", Role::Viewer).await;
    let key = Passkeys::of(&store, carla.id).await.unwrap().remove(0);
    let foreign = Passkeys::remove(&store, &actor(other, "dora"), key.id, Duty::Free).await;
    assert!(matches!(foreign, Err(PeopleError::NoSuchPasskey)));
    let kept = Passkeys::remove(&store, &carla.own, key.id, Duty::MustHave).await;
    assert!(
        matches!(kept, Err(PeopleError::LastSecondFactor)),
        "{kept:?}"
    );
    let after = Passkeys::remove(&store, &carla.own, key.id, Duty::Free)
        .await
        .unwrap();
    assert_eq!(after.second_factor, None);
    assert_eq!(after.session_epoch, carla.epoch + 1);
    assert_eq!(database.count("recovery_codes").await, 0);
    refused(&store, carla.phone.sign(&question), "not known").await;
    let first = People::sign_in(&store, "carla", carla.password.clone(), None, None);
    assert!(matches!(first.await.unwrap(), SignIn::Welcome(_)));
}

#[tokio::test]
async fn of_two_passkeys_that_are_removed_at_once_whoever_must_have_one_keeps_the_other() {
    let database = Database::fresh().await;
    let (store, other) = (database.store().await, database.store().await);
    let carla = carla(&store).await;
    let mut key = Device::new(4);
    let answer = key.make(&store.ask_to_add(&carla.own).await.unwrap());
    let added = Passkeys::add(&store, &carla.own, "key", answer).await;
    added.unwrap();
    let keys = Passkeys::of(&store, carla.id).await.unwrap();
    let (one, two) = tokio::join!(
        Passkeys::remove(&store, &carla.own, keys[0].id, Duty::MustHave),
        Passkeys::remove(&other, &carla.own, keys[1].id, Duty::MustHave),
    );
    let refused = [one, two]
        .into_iter()
        .filter(|removed| matches!(removed, Err(PeopleError::LastSecondFactor)))
        .count();
    assert_eq!(refused, 1);
    assert_eq!(database.count("passkeys").await, 1);
}

#[tokio::test]
async fn an_admin_removes_all_that_somebody_lost_and_who_is_kept_out_stays_out() {
    let database = Database::fresh().await;
    let store = database.store().await;
    let mut carla = carla(&store).await;
    let question = store.ask_anybody().await.unwrap();
    let permit = may_manage_people;
    store
        .set_disabled(permit(), carla.id, Disabled::Yes)
        .await
        .unwrap();
    refused(&store, carla.phone.sign(&question), "kept out").await;
    store
        .set_disabled(permit(), carla.id, Disabled::No)
        .await
        .unwrap();
    SecondFactors::reset(&store, permit(), carla.id)
        .await
        .unwrap();
    assert!(Passkeys::of(&store, carla.id).await.unwrap().is_empty());
    assert_eq!(
        store.find(carla.id).await.unwrap().unwrap().second_factor,
        None
    );
}
