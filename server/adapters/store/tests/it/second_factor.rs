//! Second factors against a real Postgres: set up, asked for at the door and before dangerous acts, each code once.

use std::time::Duration;

use adapter_store::{DatabaseConfig, SealingKey, Store};
use domain::audit::AuditOutcome;
use domain::person::{Actor, Person, Role};
use domain::ports::{AuditTrail, Clock as _, Disabled, People, PeopleError, SecondFactors, SignIn};
use domain::second_factor::Duty;
use secrecy::{ExposeSecret as _, SecretString};
use totp_rs::{Builder, Secret};
use uuid::Uuid;

use crate::support::{Database, may_manage_people, person};

const STEP: Duration = Duration::from_secs(30);

/// A phone with an authenticator.
pub(crate) struct Phone(String);

impl Phone {
    /// The code that it shows now.
    pub(crate) fn code(&self, database: &Database) -> SecretString {
        let secret = Secret::try_from_base32(&self.0).unwrap();
        let totp = Builder::new().with_secret(secret).build().unwrap();
        let now = database.clock.now().as_millis() / 1_000;
        totp.generate(u64::try_from(now).unwrap())
            .to_string()
            .into()
    }
}

pub(crate) fn actor(id: Uuid, name: &str) -> Actor {
    Actor::Person {
        id,
        name: name.to_owned(),
        role: Role::Operator,
        address: None,
        browser: None,
        session: None,
        token: None,
    }
}

/// Scans what is shown.
pub(crate) async fn scan(store: &Store, actor: &Actor, id: Uuid) -> Phone {
    SecondFactors::begin(store, actor).await.unwrap();
    let set_up = store.begun(id).await.unwrap().unwrap();
    Phone(set_up.secret.expose_secret().to_owned())
}

/// Carla with her password, phone and recovery codes; the clock stands in the step after the first code's.
struct Carla {
    id: Uuid,
    own: Actor,
    password: SecretString,
    phone: Phone,
    codes: Vec<SecretString>,
    person: Person,
}

async fn carla(database: &Database, store: &Store) -> Carla {
    let (id, password) = person(store, "carla", Role::Operator).await;
    let own = actor(id, "carla");
    let phone = scan(store, &own, id).await;
    let (person, codes) = store.finish(&own, phone.code(database)).await.unwrap();
    database.clock.advance(STEP);
    Carla {
        id,
        own,
        password,
        phone,
        codes,
        person,
    }
}

async fn first_step(store: &Store, carla: &Carla) -> Person {
    let answer = store.sign_in("carla", carla.password.clone(), None, None);
    match answer.await.unwrap() {
        SignIn::SecondStep(person) => person,
        other => panic!("{other:?}"),
    }
}

async fn second_step(store: &Store, carla: &Carla, code: SecretString) -> SignIn {
    let epoch = carla.person.session_epoch;
    let answer = store.second_step(carla.id, epoch, code, None, None).await;
    answer.unwrap()
}

async fn last_note(store: &Store) -> (AuditOutcome, String) {
    let last = AuditTrail::list(store, None, 1).await.unwrap().remove(0);
    (last.event.outcome, last.event.note.unwrap_or_default())
}

#[tokio::test]
async fn a_password_alone_opens_nothing_and_each_code_opens_once() {
    let database = Database::fresh().await;
    let store = database.store().await;
    let carla = carla(&database, &store).await;
    assert_eq!(
        carla.person.session_epoch, 2,
        "other devices are signed out"
    );
    assert_eq!(carla.person.second_factor.unwrap().codes_left, 10);
    first_step(&store, &carla).await;
    let (outcome, note) = last_note(&store).await;
    assert_eq!(outcome, AuditOutcome::Requested);
    assert!(note.contains("second factor is asked for"), "{note}");
    let seen = store.find(carla.id).await.unwrap().unwrap().last_seen_at;
    assert_eq!(seen, None, "nobody was here yet");

    let wrong = second_step(&store, &carla, "000000".into()).await;
    assert!(matches!(wrong, SignIn::Refused));
    let code = carla.phone.code(&database);
    let welcome = second_step(&store, &carla, code.clone()).await;
    assert!(matches!(welcome, SignIn::Welcome(person) if person.id == carla.id));
    let (outcome, note) = last_note(&store).await;
    assert_eq!(outcome, AuditOutcome::Succeeded);
    assert_eq!(note, "With a code of the authenticator.");
    let again = second_step(&store, &carla, code).await;
    assert!(matches!(again, SignIn::Refused), "{again:?}");
    assert_eq!(last_note(&store).await.1, "The code was used before.");
}

#[tokio::test]
async fn a_clock_that_is_half_a_minute_off_is_forgiven_and_an_older_code_is_no_way_back() {
    let database = Database::fresh().await;
    let store = database.store().await;
    let carla = carla(&database, &store).await;
    let early = carla.phone.code(&database);
    database.clock.advance(STEP);
    let now = carla.phone.code(&database);
    let late = second_step(&store, &carla, early.clone()).await;
    assert!(matches!(late, SignIn::Welcome(_)), "{late:?}");
    let next = second_step(&store, &carla, now).await;
    assert!(matches!(next, SignIn::Welcome(_)), "{next:?}");
    let back = second_step(&store, &carla, early).await;
    assert!(matches!(back, SignIn::Refused), "{back:?}");
    let old = carla.phone.code(&database);
    database.clock.advance(2 * STEP);
    let too_late = second_step(&store, &carla, old).await;
    assert!(matches!(too_late, SignIn::Refused), "{too_late:?}");
}

#[tokio::test]
async fn a_recovery_code_opens_the_door_once_however_it_is_typed() {
    let database = Database::fresh().await;
    let store = database.store().await;
    let carla = carla(&database, &store).await;
    let typed = carla.codes[3]
        .expose_secret()
        .to_uppercase()
        .replace('-', " ");
    let welcome = second_step(&store, &carla, typed.clone().into()).await;
    let SignIn::Welcome(person) = welcome else {
        panic!("{welcome:?}")
    };
    drop(person);
    let left = store.find(carla.id).await.unwrap().unwrap().second_factor;
    assert_eq!(left.unwrap().codes_left, 9);
    assert_eq!(
        last_note(&store).await.1,
        "With a recovery code; 9 are left."
    );
    let again = second_step(&store, &carla, typed.into()).await;
    assert!(matches!(again, SignIn::Refused));
    let renewed = store.renew_codes(&carla.own).await.unwrap();
    let old = second_step(&store, &carla, carla.codes[4].clone()).await;
    assert!(matches!(old, SignIn::Refused));
    let new = second_step(&store, &carla, renewed[0].clone()).await;
    assert!(matches!(new, SignIn::Welcome(_)));
}

#[tokio::test]
async fn guessing_codes_is_slowed_down_and_a_right_password_forgives_nothing() {
    let database = Database::fresh().await;
    let store = database.store().await;
    let carla = carla(&database, &store).await;
    for guess in 0..5 {
        first_step(&store, &carla).await;
        let wrong = second_step(&store, &carla, format!("00000{guess}").into()).await;
        assert!(matches!(wrong, SignIn::Refused), "{guess}: {wrong:?}");
    }
    first_step(&store, &carla).await;
    let right = carla.phone.code(&database);
    let waits = second_step(&store, &carla, right).await;
    assert!(matches!(waits, SignIn::Throttled { .. }), "{waits:?}");
}

#[tokio::test]
async fn to_confirm_who_one_is_is_no_way_to_guess_a_code_either() {
    let database = Database::fresh().await;
    let store = database.store().await;
    let carla = carla(&database, &store).await;
    let confirm =
        async |code| People::confirm(&store, &carla.own, carla.password.clone(), code).await;
    for guess in 0..5 {
        // Whoever knows the password may forgive its own counter at the door, and no other.
        first_step(&store, &carla).await;
        let wrong = confirm(format!("00000{guess}").into()).await;
        assert!(matches!(wrong, Err(PeopleError::WrongCode)), "{wrong:?}");
    }
    first_step(&store, &carla).await;
    let right = carla.phone.code(&database);
    let waits = confirm(right.clone()).await;
    assert!(
        matches!(waits, Err(PeopleError::TooManyTries { .. })),
        "{waits:?}"
    );
    let waits = second_step(&store, &carla, right).await;
    assert!(matches!(waits, SignIn::Throttled { .. }), "{waits:?}");
}

#[tokio::test]
async fn what_strangers_try_at_the_door_keeps_nobody_inside_from_confirming() {
    let database = Database::fresh().await;
    let store = database.store().await;
    let carla = carla(&database, &store).await;
    for _ in 0..6 {
        let wrong = SecretString::from("not the password");
        let refused = store.sign_in("carla", wrong, None, None).await.unwrap();
        assert!(!matches!(refused, SignIn::Welcome(_)));
    }
    let door = store.sign_in("carla", carla.password.clone(), None, None);
    assert!(matches!(door.await.unwrap(), SignIn::Throttled { .. }));
    let code = carla.phone.code(&database);
    let confirmed = People::confirm(&store, &carla.own, carla.password.clone(), code).await;
    assert!(confirmed.is_ok(), "{confirmed:?}");
}

#[tokio::test]
async fn a_code_opens_one_door_of_two_that_it_is_typed_at_in_the_same_moment() {
    let database = Database::fresh().await;
    let (one, two) = (database.store().await, database.store().await);
    let carla = carla(&database, &one).await;
    for code in [carla.phone.code(&database), carla.codes[0].clone()] {
        let epoch = carla.person.session_epoch;
        let (a, b) = tokio::join!(
            one.second_step(carla.id, epoch, code.clone(), None, None),
            two.second_step(carla.id, epoch, code.clone(), None, None),
        );
        let opened = [a, b]
            .into_iter()
            .filter(|answer| matches!(answer, Ok(SignIn::Welcome(_))))
            .count();
        assert_eq!(opened, 1);
    }
}

#[tokio::test]
async fn whoever_must_have_a_second_factor_keeps_the_last_one() {
    let database = Database::fresh().await;
    let store = database.store().await;
    let carla = carla(&database, &store).await;
    let kept = SecondFactors::remove(&store, &carla.own, Duty::MustHave).await;
    assert!(
        matches!(kept, Err(PeopleError::LastSecondFactor)),
        "{kept:?}"
    );
    assert_eq!(database.count("authenticators").await, 1);
    let removed = SecondFactors::remove(&store, &carla.own, Duty::Free).await;
    assert_eq!(removed.unwrap().second_factor, None);
}

#[tokio::test]
async fn what_ended_the_sessions_meanwhile_ends_the_way_in_too() {
    let database = Database::fresh().await;
    let store = database.store().await;
    let carla = carla(&database, &store).await;
    first_step(&store, &carla).await;
    store
        .set_disabled(may_manage_people(), carla.id, Disabled::Yes)
        .await
        .unwrap();
    let kept_out = second_step(&store, &carla, carla.phone.code(&database)).await;
    assert!(matches!(kept_out, SignIn::Refused), "{kept_out:?}");
    store
        .set_disabled(may_manage_people(), carla.id, Disabled::No)
        .await
        .unwrap();
    let old_epoch = second_step(&store, &carla, carla.phone.code(&database)).await;
    assert!(matches!(old_epoch, SignIn::Refused), "{old_epoch:?}");
}

#[tokio::test]
async fn the_old_phone_counts_until_the_new_ones_first_code_and_no_longer() {
    let database = Database::fresh().await;
    let store = database.store().await;
    let mut carla = carla(&database, &store).await;
    let new = scan(&store, &carla.own, carla.id).await;
    let old = second_step(&store, &carla, carla.phone.code(&database)).await;
    assert!(matches!(old, SignIn::Welcome(_)), "{old:?}");
    let refused = store.finish(&carla.own, "000000".into()).await.unwrap_err();
    assert!(matches!(refused, PeopleError::WrongCode), "{refused}");
    let (person, _) = store.finish(&carla.own, new.code(&database)).await.unwrap();
    assert_eq!(person.session_epoch, carla.person.session_epoch + 1);
    carla.person = person;
    database.clock.advance(STEP);
    let old = second_step(&store, &carla, carla.phone.code(&database)).await;
    assert!(matches!(old, SignIn::Refused), "{old:?}");
    let new = second_step(&store, &carla, new.code(&database)).await;
    assert!(matches!(new, SignIn::Welcome(_)), "{new:?}");
}

#[tokio::test]
async fn a_set_up_has_to_be_finished_in_time() {
    let database = Database::fresh().await;
    let store = database.store().await;
    let (id, _) = person(&store, "carla", Role::Operator).await;
    let own = actor(id, "carla");
    let none = store.finish(&own, "000000".into()).await.unwrap_err();
    assert!(matches!(none, PeopleError::SetUpOver), "{none}");
    let phone = scan(&store, &own, id).await;
    database.clock.advance(Duration::from_secs(900));
    assert!(store.begun(id).await.unwrap().is_none());
    let late = store.finish(&own, phone.code(&database)).await.unwrap_err();
    assert!(matches!(late, PeopleError::SetUpOver), "{late}");
    assert_eq!(store.find(id).await.unwrap().unwrap().second_factor, None);
}

#[tokio::test]
async fn confirming_who_one_is_asks_for_the_code_and_says_which_of_the_two_was_wrong() {
    let database = Database::fresh().await;
    let store = database.store().await;
    let carla = carla(&database, &store).await;
    let confirm = async |password: &SecretString, code: SecretString| {
        let own = carla.own.clone();
        People::confirm(&store, &own, password.clone(), code).await
    };
    let code = carla.phone.code(&database);
    let wrong = SecretString::from("not the password");
    let refused = confirm(&wrong, code.clone()).await.unwrap_err();
    assert!(matches!(refused, PeopleError::WrongPassword), "{refused}");
    let refused = confirm(&carla.password, "".into()).await.unwrap_err();
    assert!(matches!(refused, PeopleError::WrongCode), "{refused}");
    confirm(&carla.password, code.clone()).await.unwrap();
    let refused = confirm(&carla.password, code).await.unwrap_err();
    assert!(matches!(refused, PeopleError::CodeUsed), "{refused}");
}

#[tokio::test]
async fn taken_away_the_password_is_enough_again_and_every_session_has_ended() {
    let database = Database::fresh().await;
    let store = database.store().await;
    let carla = carla(&database, &store).await;
    store.reset(may_manage_people(), carla.id).await.unwrap();
    let found = store.find(carla.id).await.unwrap().unwrap();
    assert_eq!(found.second_factor, None);
    assert_eq!(found.session_epoch, carla.person.session_epoch + 1);
    let answer = store.sign_in("carla", carla.password.clone(), None, None);
    assert!(matches!(answer.await.unwrap(), SignIn::Welcome(_)));
    for table in ["authenticators", "recovery_codes"] {
        assert_eq!(database.count(table).await, 0, "{table}");
    }
    let none = store
        .reset(may_manage_people(), carla.id)
        .await
        .unwrap_err();
    assert!(matches!(none, PeopleError::NoSecondFactor), "{none}");
}

#[tokio::test]
async fn another_sealing_key_is_told_from_a_wrong_code_and_recovery_codes_still_work() {
    let database = Database::fresh().await;
    let store = database.store().await;
    let carla = carla(&database, &store).await;
    store.close().await;
    let url = SecretString::from(database.url.clone());
    let config = DatabaseConfig::from_url(&url).unwrap();
    let other = database.store_with(config).await;
    let other = other.sealed_under(SealingKey::new(&[8; 32]));
    let code = carla.phone.code(&database);
    let confirm = People::confirm(&other, &carla.own, carla.password.clone(), code);
    let refused = confirm.await.unwrap_err();
    assert!(matches!(refused, PeopleError::SealedElsewhere), "{refused}");
    let recovery = second_step(&other, &carla, carla.codes[0].clone()).await;
    assert!(matches!(recovery, SignIn::Welcome(_)), "{recovery:?}");
}

#[tokio::test]
async fn neither_secret_nor_recovery_code_can_be_read_in_the_database() {
    let database = Database::fresh().await;
    let store = database.store().await;
    let carla = carla(&database, &store).await;
    let secret = Secret::try_from_base32(&carla.phone.0).unwrap();
    let hex = secret.as_bytes().iter().fold(String::new(), |hex, byte| {
        use core::fmt::Write as _;
        let mut hex = hex;
        write!(hex, "{byte:02x}").unwrap();
        hex
    });
    let mut needles = vec![hex, carla.phone.0.clone()];
    needles.extend(
        carla
            .codes
            .iter()
            .map(|code| code.expose_secret().to_owned()),
    );
    for needle in needles {
        for table in ["authenticators", "recovery_codes", "audit_events", "people"] {
            let like = format!(
                "{table} t WHERE lower(t::text) LIKE '%{}%'",
                needle.to_lowercase()
            );
            assert_eq!(database.count(&like).await, 0, "{table}");
        }
    }
}
