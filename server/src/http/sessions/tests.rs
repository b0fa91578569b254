use std::time::Duration;

use axum::routing::{get, post};
use axum::{Extension, Router};
use domain::ports::Sessions as _;
use domain::second_factor::SecondFactor;

use super::*;
use crate::http::testing::{Browser, House, ROW, anna, house};

#[tokio::test]
async fn whoever_must_have_a_second_factor_is_let_to_their_account_only() {
    let mut house = house();
    house.door.second_factor_for = Arc::new(BTreeSet::from([Role::Admin]));
    let router = router(&house);
    let mut browser = Browser::new(&router);
    browser.post("/begin").await;
    let away = browser.get("/page").await;
    assert_eq!(away.status(), StatusCode::SEE_OTHER);
    assert_eq!(away.headers()[header::LOCATION], path::SECOND_FACTOR);
    for refused in ["/confirmed", "/accounting", endpoint::MAKE_TOKEN] {
        let answer = browser.post(refused).await;
        assert_eq!(answer.status(), StatusCode::FORBIDDEN, "{refused}");
    }
    let stream = browser.get("/events/gateways/openclaw").await;
    assert_eq!(stream.status(), StatusCode::FORBIDDEN);
    let own = browser.get("/account/second-factor").await;
    assert_eq!(own.status(), StatusCode::OK);
    // Whatever else their account has but its tokens is let through, and is not there in this house.
    for open in OPEN_WITHOUT
        .into_iter()
        .filter(|open| *open != path::SECOND_FACTOR)
    {
        let answer = browser.get(open).await;
        assert_eq!(answer.status(), StatusCode::NOT_FOUND, "{open}");
    }
    let tokens = browser.get(path::TOKENS).await;
    assert_eq!(tokens.headers()[header::LOCATION], path::SECOND_FACTOR);
    house.folks.all.lock().unwrap()[0].second_factor = Some(SecondFactor {
        since: house.clock.now(),
        authenticator: true,
        passkeys: 0,
        codes_left: 10,
    });
    house.door.people.forget(Some(anna().id));
    assert_eq!(browser.get("/page").await.status(), StatusCode::OK);
}

/// A sign-in, a page, and a form that changes the password.
fn router(house: &House) -> Router {
    let (folks, clock) = (house.folks.clone(), house.clock.clone());
    let change = move |Extension(own): Extension<Arc<dyn OwnSession>>| async move {
        own.renew(&folks.next_epoch(anna().id)).await.unwrap();
    };
    let begin = move |session: Session| async move {
        begin(&session, &anna(), None, clock.now()).await.unwrap();
    };
    let confirm = |Extension(own): Extension<Arc<dyn OwnSession>>| async move {
        own.confirm().await.unwrap();
    };
    let said = |Extension(viewer): Extension<Arc<Viewer>>| async move {
        let since_sign_in = viewer.confirmed_at.since(viewer.signed_in_at);
        since_sign_in.as_secs().to_string()
    };
    let inside = Router::new()
        .route("/page", get(|| async {}))
        .route("/account/second-factor", get(|| async {}))
        .route("/confirmed", get(said).post(confirm))
        .route("/events/gateways/openclaw", get(|| async {}))
        .route("/password", post(change))
        .layer(axum::middleware::from_fn_with_state(
            house.door.clone(),
            require,
        ));
    house.around(inside.route("/begin", post(begin)))
}

async fn signed_in(router: &Router) -> Browser {
    let mut browser = Browser::new(router);
    browser.post("/begin").await;
    assert_eq!(browser.get("/page").await.status(), StatusCode::OK);
    browser
}

#[tokio::test]
async fn a_new_password_renews_the_own_session_and_ends_all_others() {
    let house = house();
    let router = router(&house);
    let (mut phone, mut desktop) = (signed_in(&router).await, signed_in(&router).await);
    let mut thief = phone.clone();
    phone.post("/password").await;
    assert_ne!(phone.cookie, thief.cookie);
    assert_eq!(phone.get("/page").await.status(), StatusCode::OK);
    for other in [&mut desktop, &mut thief] {
        assert_eq!(other.get("/page").await.status(), StatusCode::SEE_OTHER);
    }
}

#[tokio::test]
async fn a_new_password_confirms_nothing_and_makes_no_session_last_longer() {
    let house = house();
    let router = router(&house);
    let mut browser = signed_in(&router).await;
    house.clock.forward(Duration::from_secs(90));
    browser.post("/confirmed").await;
    let limit = house.door.limits.absolute;
    // In steps in which it is used, so that it is never idle for long.
    for _ in 0..8 {
        house.clock.forward(limit / 10);
        browser.post("/password").await;
        let said = browser.get("/confirmed").await;
        assert_eq!(said.status(), StatusCode::OK);
        let said = axum::body::to_bytes(said.into_body(), 100).await.unwrap();
        assert_eq!(&said[..], b"90", "since its sign-in");
    }
    house.clock.forward(limit / 10 * 3);
    let over = browser.get("/page").await;
    assert_eq!(over.status(), StatusCode::SEE_OTHER);
}

#[tokio::test]
async fn an_event_stream_without_a_session_says_so_in_words_that_it_can_carry() {
    let house = house();
    let mut browser = Browser::new(&router(&house));
    let answer = browser.get("/events/gateways/openclaw").await;
    assert_eq!(answer.status(), StatusCode::OK);
    let kind = answer.headers()[header::CONTENT_TYPE].to_str().unwrap();
    assert!(kind.starts_with("text/event-stream"), "{kind}");
    let body = axum::body::to_bytes(answer.into_body(), 1_000).await;
    assert_eq!(body.unwrap(), SIGNED_OUT);
}

#[tokio::test]
async fn a_password_typed_again_renews_the_session_and_is_known_from_then_on() {
    let house = house();
    let router = router(&house);
    let mut browser = signed_in(&router).await;
    let mut thief = browser.clone();
    house.clock.forward(Duration::from_secs(90));
    browser.post("/confirmed").await;
    assert_ne!(browser.cookie, thief.cookie);
    let said = browser.get("/confirmed").await;
    let said = axum::body::to_bytes(said.into_body(), 100).await.unwrap();
    assert_eq!(&said[..], b"90");
    let refused = thief.get("/confirmed").await;
    assert_eq!(refused.status(), StatusCode::SEE_OTHER);
}

#[tokio::test]
async fn an_older_cookie_of_a_session_that_went_on_elsewhere_opens_nothing() {
    let house = house();
    let (clock, folks) = (house.clock.clone(), house.folks.clone());
    let begin = move |session: Session| async move {
        let now = clock.now();
        folks.sessions.lock().unwrap().push(PersonSession {
            id: ROW,
            epoch: 1,
            turn: 0,
            begun_at: now,
            seen_at: now,
            ended_at: None,
            address: None,
            browser: None,
            is_new: false,
        });
        begin(&session, &anna(), Some(ROW), now).await.unwrap();
    };
    let inside =
        Router::new()
            .route("/page", get(|| async {}))
            .layer(axum::middleware::from_fn_with_state(
                house.door.clone(),
                require,
            ));
    let router = house.around(inside.route("/begin", post(begin)));
    let mut browser = signed_in(&router).await;
    // Another panel changed its id, and this one remembers the old one.
    house.folks.go_on(ROW, 1).await.unwrap();
    house.door.people.forget(Some(anna().id));
    assert_eq!(browser.get("/page").await.status(), StatusCode::SEE_OTHER);
}

#[tokio::test]
async fn a_visit_is_noted_when_the_session_is_prolonged_and_not_at_every_page() {
    let house = house();
    let mut browser = signed_in(&router(&house)).await;
    assert!(house.folks.seen.lock().unwrap().is_empty());
    house
        .clock
        .forward(house.door.limits.touch() + Duration::from_secs(1));
    for _ in 0..2 {
        browser.get("/page").await;
    }
    assert_eq!(*house.folks.seen.lock().unwrap(), [anna().id]);
}
