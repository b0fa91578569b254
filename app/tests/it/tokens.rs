//! Tokens by which programs act for oneself.

use std::sync::Arc;
use std::time::Duration;

use app::Viewer;
use app::forms::endpoint;
use domain::api_token::ApiToken;
use domain::path;
use domain::person::{Actor, Role};
use uuid::Uuid;

use crate::browser::Browser;
use crate::fake_people::person;
use crate::fakes::{NOW, World};
use crate::scenes::world;

const PAGE: &str = path::TOKENS;

fn token(id: u128, name: &str, role: Role) -> ApiToken {
    ApiToken {
        id: Uuid::from_u128(id),
        person: Uuid::from_u128(1),
        name: name.to_owned(),
        role,
        gateway: "openclaw".parse().ok(),
        made_at: NOW.minus(Duration::from_secs(3_600)),
        expires_at: NOW.plus(Duration::from_secs(3_600)),
        last_used_at: None,
        revoked_at: None,
    }
}

fn with(tokens: Vec<ApiToken>) -> Arc<World> {
    let mut world = world();
    world.tokens = tokens;
    Arc::new(world)
}

#[tokio::test]
async fn a_token_is_made_and_shown_once() {
    let world = with(Vec::new());
    let browser = Browser::of(&world, Role::Operator);
    let page = browser.get(PAGE).await;
    assert!(page.says("No program acts for you"), "{}", page.text());
    // An operator gives no manager's or admin's token.
    assert!(!page.html.contains("value=\"admin\""));
    assert!(!page.html.contains("value=\"manager\""));
    let form = "name=deploys&role=viewer&gateway=openclaw&days=90";
    let done = browser.post(PAGE, endpoint::MAKE_TOKEN, form).await;
    assert_eq!(done.location, PAGE);
    assert_eq!(world.done(), ["anna makes deploys as viewer"]);
    assert!(browser.get(PAGE).await.says("ocp_fake"));
    assert!(!browser.get(PAGE).await.says("ocp_fake"));
}

#[tokio::test]
async fn what_is_typed_wrong_is_told_beside_its_field_with_all_that_was_typed() {
    let world = with(Vec::new());
    let browser = Browser::of(&world, Role::Admin);
    for days in ["0", "400", "soon"] {
        let form = format!("name=de%22ploys&role=operator&gateway=openclaw&days={days}");
        let back = browser.post(PAGE, endpoint::MAKE_TOKEN, &form).await;
        let page = browser.get(&back.location).await;
        assert!(
            page.html.contains("id=\"days-error\""),
            "{days}: {}",
            page.html
        );
        assert!(page.html.contains("value=\"de&quot;ploys\""), "{days}");
    }
    assert!(world.done().is_empty());
}

#[tokio::test]
async fn each_says_how_it_stands_and_is_taken_back() {
    let mut over = token(2, "old", Role::Viewer);
    over.expires_at = NOW;
    let mut revoked = token(3, "gone", Role::Viewer);
    revoked.revoked_at = Some(NOW);
    let changed = token(4, "was admin", Role::Admin);
    let world = with(vec![
        token(1, "deploys", Role::Viewer),
        over,
        revoked,
        changed,
    ]);
    let browser = Browser::of(&world, Role::Operator);
    let page = browser.get(PAGE).await;
    for said in [
        "in use",
        "over",
        "taken back",
        "opens nothing: your role changed",
    ] {
        assert!(page.says(said), "{said}: {}", page.text());
    }
    let id = format!("id={}", Uuid::from_u128(1));
    browser.post(PAGE, endpoint::REVOKE_TOKEN, &id).await;
    let late = format!("id={}", Uuid::from_u128(200));
    let gone = browser.post(PAGE, endpoint::REVOKE_TOKEN, &late).await;
    assert!(browser.get(&gone.location).await.says("taken back already"));
}

#[tokio::test]
async fn it_asks_for_a_password_that_was_typed_lately() {
    let anna = person(1, "anna", Role::Admin);
    let viewer = Viewer {
        actor: Actor::Panel,
        person: anna,
        session: None,
        sessions: Arc::default(),
        signed_in_at: NOW,
        confirmed_at: NOW.minus(Duration::from_secs(901)),
    };
    let world = with(Vec::new());
    let browser = Browser::with(&world, Some(viewer));
    let page = browser.get(PAGE).await;
    assert!(
        page.location.starts_with("/account/confirm"),
        "{}",
        page.location
    );
    let form = "name=deploys&role=viewer&days=90";
    browser.post(PAGE, endpoint::MAKE_TOKEN, form).await;
    assert!(world.done().is_empty());
}
