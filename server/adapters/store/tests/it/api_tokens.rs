//! Tokens by which programs act for people, against a real Postgres.

use std::time::Duration;

use adapter_store::Store;
use domain::api_token::{ApiToken, LONGEST, NewToken, PREFIX};
use domain::person::Role;
use domain::ports::{ApiTokens, AuditTrail, Clock as _, PeopleError, Shown};
use secrecy::{ExposeSecret as _, SecretString};
use uuid::Uuid;

use crate::second_factor::actor;
use crate::support::{Database, may_manage_people, person};

const DAY: Duration = Duration::from_secs(86_400);

fn new(name: &str, role: Role) -> NewToken {
    NewToken {
        name: name.to_owned(),
        role,
        gateway: "g1".parse().ok(),
        lasts: DAY,
    }
}

async fn shown(store: &Store, token: &SecretString) -> Option<ApiToken> {
    match store.show(token, None).await.unwrap() {
        Shown::Known(known) => Some(known.0),
        Shown::Unknown | Shown::Throttled { .. } => None,
    }
}

#[tokio::test]
async fn a_token_is_shown_once_known_by_its_hash_and_its_use_is_noted() {
    let database = Database::fresh().await;
    let store = database.store().await;
    let (id, _) = person(&store, "carla", Role::Operator).await;
    let own = actor(id, "carla");
    let made = ApiTokens::make(&store, &own, new(" deploys ", Role::Operator));
    let (token, secret) = made.await.unwrap();
    assert_eq!(token.name, "deploys");
    assert!(secret.expose_secret().starts_with(PREFIX));
    let last = AuditTrail::list(&store, None, 1).await.unwrap().remove(0);
    assert_eq!(last.event.action, "make-token");
    assert!(last.event.note.unwrap().starts_with("As operator, until "));
    assert_eq!(shown(&store, &secret).await.unwrap().last_used_at, None);
    let used = shown(&store, &secret).await.unwrap();
    assert_eq!(used.last_used_at, Some(database.clock.now()));
    assert_eq!(used.gateway, "g1".parse().ok());
    let like = format!("'%{}%'", secret.expose_secret());
    for table in ["api_tokens", "audit_events"] {
        let found = format!("{table} t WHERE t::text LIKE {like}");
        assert_eq!(database.count(&found).await, 0, "{table}");
    }
}

#[tokio::test]
async fn nobody_gives_more_than_they_have() {
    let database = Database::fresh().await;
    let store = database.store().await;
    let (id, _) = person(&store, "carla", Role::Operator).await;
    let own = actor(id, "carla");
    for role in [Role::Admin, Role::Manager] {
        let refused = ApiTokens::make(&store, &own, new("x", role)).await;
        assert!(
            matches!(refused, Err(PeopleError::RoleNotYours)),
            "{role:?}"
        );
    }
    let long = NewToken {
        lasts: LONGEST + DAY,
        ..new("x", Role::Viewer)
    };
    let refused = ApiTokens::make(&store, &own, long).await;
    assert!(matches!(refused, Err(PeopleError::BadTokenTime)));
    let refused = ApiTokens::make(&store, &own, new("  ", Role::Viewer)).await;
    assert!(matches!(refused, Err(PeopleError::BadTokenName)));
    assert_eq!(database.count("api_tokens").await, 0);
}

#[tokio::test]
async fn ones_own_are_taken_back_one_by_one_and_all_by_an_admin() {
    let database = Database::fresh().await;
    let store = database.store().await;
    let (id, _) = person(&store, "carla", Role::Operator).await;
    let own = actor(id, "carla");
    let stranger = actor(Uuid::from_u128(99), "otto");
    let (first, _) = ApiTokens::make(&store, &own, new("one", Role::Viewer))
        .await
        .unwrap();
    for name in ["two", "three"] {
        ApiTokens::make(&store, &own, new(name, Role::Viewer))
            .await
            .unwrap();
    }
    assert!(
        !ApiTokens::revoke(&store, &stranger, first.id)
            .await
            .unwrap()
    );
    assert!(ApiTokens::revoke(&store, &own, first.id).await.unwrap());
    assert!(!ApiTokens::revoke(&store, &own, first.id).await.unwrap());
    assert_eq!(store.revoke_all(may_manage_people(), id).await.unwrap(), 2);
    let all = ApiTokens::of(&store, id).await.unwrap();
    assert!(
        all.iter().all(|token| token.revoked_at.is_some()),
        "{all:?}"
    );
}

#[tokio::test]
async fn a_flood_of_unknown_tokens_is_slowed_down_and_known_ones_go_on() {
    let database = Database::fresh().await;
    let store = database.store().await;
    let (id, _) = person(&store, "carla", Role::Operator).await;
    let own = actor(id, "carla");
    let made = ApiTokens::make(&store, &own, new("deploys", Role::Viewer));
    let (_, secret) = made.await.unwrap();
    let address = || Some("192.0.2.66".to_owned());
    let mut throttled = false;
    for guess in 0..30 {
        let unknown = SecretString::from(format!("{PREFIX}{guess}"));
        let answer = store.show(&unknown, address()).await.unwrap();
        throttled |= matches!(answer, Shown::Throttled { .. });
    }
    assert!(throttled);
    // Those that were looked at are told, and no flood of them.
    let told = database
        .count("audit_events WHERE action = 'use-token'")
        .await;
    assert!((20..25).contains(&told), "{told}");
    let known = store.show(&secret, address()).await.unwrap();
    assert!(matches!(known, Shown::Known(_)), "{known:?}");
}
