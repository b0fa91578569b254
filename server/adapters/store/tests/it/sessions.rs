//! Where people are signed in, against a real Postgres.

use std::time::Duration;

use adapter_store::Store;
use domain::person::{Person, Role};
use domain::ports::{AuditTrail, People, Sessions};
use domain::session::{Device, LONGEST, SessionLimits};
use uuid::Uuid;

use crate::second_factor::actor;
use crate::support::{Database, may_manage_people, person};

pub(crate) fn device(secret: &str) -> Device {
    Device {
        secret: secret.into(),
        address: Some("192.0.2.7".to_owned()),
        browser: Some("Firefox on Linux".to_owned()),
    }
}

async fn carla(store: &Store) -> Person {
    let (id, _) = person(store, "carla", Role::Operator).await;
    store.find(id).await.unwrap().unwrap()
}

async fn begin(store: &Store, person: &Person, secret: &str) -> Uuid {
    Sessions::begin(store, person, device(secret))
        .await
        .unwrap()
}

#[tokio::test]
async fn a_browser_is_new_once_and_the_first_sign_in_of_all_is_no_news() {
    let database = Database::fresh().await;
    let store = database.store().await;
    let carla = carla(&store).await;
    let first = begin(&store, &carla, "laptop").await;
    let again = begin(&store, &carla, "laptop").await;
    let phone = begin(&store, &carla, "phone").await;
    let new = async || {
        let all = store.of(carla.id).await.unwrap();
        let new = all.into_iter().filter(|session| session.is_new);
        new.map(|session| session.id).collect::<Vec<_>>()
    };
    assert_eq!(new().await, [phone]);
    let last = AuditTrail::list(&store, None, 1).await.unwrap().remove(0);
    assert_eq!(last.event.action, "new-device");
    let own = actor(carla.id, "carla");
    let stranger = actor(Uuid::from_u128(99), "otto");
    store.acknowledge(&stranger, phone).await.unwrap();
    assert_eq!(new().await, [phone]);
    store.acknowledge(&own, phone).await.unwrap();
    assert!(new().await.is_empty());
    let newest_first: Vec<Uuid> = store
        .of(carla.id)
        .await
        .unwrap()
        .into_iter()
        .map(|session| session.id)
        .collect();
    assert_eq!(newest_first, [phone, again, first]);
}

#[tokio::test]
async fn one_ends_ones_own_sessions_only() {
    let database = Database::fresh().await;
    let store = database.store().await;
    let carla = carla(&store).await;
    let own = actor(carla.id, "carla");
    let stranger = actor(Uuid::from_u128(99), "otto");
    let laptop = begin(&store, &carla, "laptop").await;
    let phone = begin(&store, &carla, "phone").await;
    let tablet = begin(&store, &carla, "tablet").await;
    assert!(!store.end_one(&stranger, laptop).await.unwrap());
    assert!(store.end_one(&own, laptop).await.unwrap());
    assert!(!store.end_one(&own, laptop).await.unwrap(), "it is over");
    let last = AuditTrail::list(&store, None, 1).await.unwrap().remove(0);
    assert_eq!(
        last.event.note.as_deref(),
        Some("Firefox on Linux, 192.0.2.7")
    );
    assert_eq!(store.end_others(&own, Some(phone)).await.unwrap(), 1);
    let open = store.of(carla.id).await.unwrap();
    let open: Vec<Uuid> = open
        .into_iter()
        .filter(|session| session.ended_at.is_none())
        .map(|session| session.id)
        .collect();
    assert_eq!(open, [phone]);
    assert_ne!(open, [tablet]);
}

#[tokio::test]
async fn a_session_follows_its_person_into_another_epoch_or_ends_with_the_old_one() {
    let database = Database::fresh().await;
    let store = database.store().await;
    let carla = carla(&store).await;
    let laptop = begin(&store, &carla, "laptop").await;
    begin(&store, &carla, "phone").await;
    store.end_all(may_manage_people(), carla.id).await.unwrap();
    let now = store.find(carla.id).await.unwrap().unwrap();
    assert_eq!(now.session_epoch, carla.session_epoch + 1);
    let turn = store.go_on(laptop, now.session_epoch).await.unwrap();
    let kept = store.of(carla.id).await.unwrap();
    let kept = kept.into_iter().find(|session| session.id == laptop);
    assert_eq!((turn, kept.unwrap().turn), (1, 1));
    let clock = domain::ports::Clock::now(&*database.clock);
    let open: Vec<Uuid> = store
        .of(carla.id)
        .await
        .unwrap()
        .into_iter()
        .filter(|session| session.is_open(&now, SessionLimits::default(), clock))
        .map(|session| session.id)
        .collect();
    assert_eq!(open, [laptop]);
}

#[tokio::test]
async fn use_is_noted_and_what_is_long_over_is_not_listed() {
    let database = Database::fresh().await;
    let store = database.store().await;
    let carla = carla(&store).await;
    let laptop = begin(&store, &carla, "laptop").await;
    database.clock.advance(Duration::from_secs(900));
    let moved = Some("198.51.100.4".to_owned());
    Sessions::note_seen(&store, laptop, moved.clone())
        .await
        .unwrap();
    let seen = store.of(carla.id).await.unwrap().remove(0);
    assert_eq!(seen.seen_at.since(seen.begun_at), Duration::from_secs(900));
    assert_eq!(seen.address, moved);
    Sessions::close(&store, laptop).await.unwrap();
    assert!(store.of(carla.id).await.unwrap()[0].ended_at.is_some());
    database.clock.advance(LONGEST + Duration::from_secs(3_600));
    assert!(store.of(carla.id).await.unwrap().is_empty());
    begin(&store, &carla, "laptop").await;
    let new = store.of(carla.id).await.unwrap();
    assert!(!new[0].is_new, "the browser is still known");
}
