//! One-time links: opened once, by one device, in time, until they are taken back.

use std::time::Duration;

use domain::action::Action;
use domain::can::{self, Permit};
use domain::hand_off::{OPENS_WITHIN, Standing};
use domain::operation::OperationId;
use domain::ports::{Clock as _, HandOffs as _, Opener};
use secrecy::{ExposeSecret as _, SecretString};

use crate::support::{Database, anna, begun_relink};

fn permit() -> Permit {
    let gateway = "g1".parse().unwrap();
    can::permit(&anna(), Action::HandOff, Some(&gateway)).unwrap()
}

fn phone(address: &str) -> Opener {
    Opener {
        address: address.to_owned(),
        browser: Some("Firefox on Android".to_owned()),
    }
}

/// A database, its store, an operation and a link for it.
async fn made() -> (Database, adapter_store::Store, OperationId, SecretString) {
    let database = Database::fresh().await;
    let store = database.store().await;
    let operation = begun_relink(&database, &store).await;
    let (link, token) = store.make(permit(), operation).await.unwrap();
    assert_eq!(link.standing(database.clock.now()), Standing::Waiting);
    (database, store, operation, token)
}

#[tokio::test]
async fn a_link_is_opened_once_by_one_device() {
    let (database, store, operation, token) = made().await;
    let token = token.expose_secret();
    let (opened, secret) = store
        .open(token, phone("192.0.2.8"))
        .await
        .unwrap()
        .unwrap();
    assert_eq!(opened.operation, operation);
    let device = store.of_device(secret.expose_secret()).await.unwrap();
    assert_eq!(device.unwrap().id, opened.id);
    assert!(
        store
            .open(token, phone("192.0.2.9"))
            .await
            .unwrap()
            .is_none()
    );
    assert!(store.of_device(token).await.unwrap().is_none());
    let now = store.find(token).await.unwrap().unwrap();
    assert_eq!(now.opened.unwrap().1, "192.0.2.8, Firefox on Android");
    let events = "audit_events WHERE action = 'open-hand-off' AND outcome";
    assert_eq!(database.count(&format!("{events} = 'succeeded'")).await, 1);
    assert_eq!(database.count(&format!("{events} = 'denied'")).await, 1);
    assert_eq!(
        database
            .count("audit_events WHERE action = 'hand-off'")
            .await,
        1
    );
}

#[tokio::test]
async fn of_many_devices_at_once_one_is_the_first() {
    let (_database, store, _, token) = made().await;
    let opening = (0..8).map(|number| {
        let (store, token) = (store.clone(), token.clone());
        async move {
            let from = phone(&format!("192.0.2.{number}"));
            store
                .open(token.expose_secret(), from)
                .await
                .unwrap()
                .is_some()
        }
    });
    let opened = futures::future::join_all(opening).await;
    assert_eq!(opened.into_iter().filter(|opened| *opened).count(), 1);
}

#[tokio::test]
async fn nobody_opens_a_link_too_late_or_after_it_was_taken_back() {
    let (database, store, operation, token) = made().await;
    let (taken, other) = store.make(permit(), operation).await.unwrap();
    assert!(store.revoke(permit(), operation, taken.id).await.unwrap());
    assert!(!store.revoke(permit(), operation, taken.id).await.unwrap());
    assert!(
        store
            .open(other.expose_secret(), phone("192.0.2.8"))
            .await
            .unwrap()
            .is_none()
    );
    database
        .clock
        .advance(OPENS_WITHIN + Duration::from_secs(1));
    assert!(
        store
            .open(token.expose_secret(), phone("192.0.2.8"))
            .await
            .unwrap()
            .is_none()
    );
    let standing: Vec<_> = store.list(operation).await.unwrap();
    let now = database.clock.now();
    let standing: Vec<_> = standing.iter().map(|link| link.standing(now)).collect();
    assert_eq!(standing, [Standing::Revoked, Standing::Expired]);
}

#[tokio::test]
async fn a_device_is_told_when_its_link_is_taken_back() {
    let (database, store, operation, token) = made().await;
    let opened = store.open(token.expose_secret(), phone("192.0.2.8")).await;
    let (link, secret) = opened.unwrap().unwrap();
    store.revoke(permit(), operation, link.id).await.unwrap();
    let device = store
        .of_device(secret.expose_secret())
        .await
        .unwrap()
        .unwrap();
    assert_eq!(device.standing(database.clock.now()), Standing::Revoked);
}

#[tokio::test]
async fn no_other_operation_takes_a_link_back_and_no_token_is_kept() {
    let (database, store, operation, token) = made().await;
    let link = store.list(operation).await.unwrap().remove(0);
    let elsewhere = OperationId(uuid::Uuid::from_u128(99));
    assert!(!store.revoke(permit(), elsewhere, link.id).await.unwrap());
    for table in ["hand_offs", "audit_events"] {
        let holds = format!(
            "{table} AS found WHERE found::text LIKE '%{}%'",
            token.expose_secret()
        );
        assert_eq!(database.count(&holds).await, 0, "{table}");
    }
}
