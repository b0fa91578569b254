//! People who have a role on one gateway alone, or another one there than everywhere.

use std::sync::Arc;

use app::forms::endpoint;
use domain::audit::AuditOutcome;
use domain::gateway::{Gateway, GatewayId};
use domain::person::{Actor, Role, Roles};

use crate::browser::Browser;
use crate::fakes::World;
use crate::scenes::world;

fn id(gateway: &str) -> GatewayId {
    gateway.parse().unwrap()
}

/// Two gateways.
fn two() -> Arc<World> {
    let mut world = world();
    let first = world.gateways[0].clone();
    world.gateways.push(Gateway {
        id: id("second"),
        name: "Second gateway".to_owned(),
        ..first
    });
    Arc::new(world)
}

fn only(everywhere: Role, gateway: &str, there: Role) -> Roles {
    let mut roles = Roles::from(everywhere);
    roles.on.insert(id(gateway), there);
    roles
}

#[tokio::test]
async fn the_start_page_and_the_menu_have_only_what_is_open() {
    let world = two();
    let browser = Browser::of(&world, only(Role::Nothing, "second", Role::Operator));
    let home = browser.get("/").await;
    assert_eq!(home.location, "/gateways/second");
    let page = browser.get("/gateways/second").await;
    assert_eq!(page.status, 200);
    assert!(
        page.says("Signed in as anna ( operator )"),
        "{}",
        page.text()
    );
    for closed in ["href=\"/audit", "href=\"/people", "href=\"/credentials"] {
        assert!(!page.html.contains(closed), "{closed}");
    }
}

#[tokio::test]
async fn another_gateway_is_refused_and_that_is_audited() {
    let world = two();
    let browser = Browser::of(&world, only(Role::Nothing, "second", Role::Operator));
    let page = browser.get("/gateways/openclaw").await;
    assert_eq!(page.status, 403);
    assert!(page.says("You have no role on this gateway. Ask an admin for one."));
    let written = world.written.lock().unwrap();
    let event = written.last().unwrap();
    assert_eq!(event.outcome, AuditOutcome::Denied);
    assert_eq!(event.gateway, Some(id("openclaw")));
    assert!(matches!(
        event.actor,
        Actor::Person {
            role: Role::Nothing,
            ..
        }
    ));
}

#[tokio::test]
async fn less_on_one_gateway_counts_there() {
    let world = two();
    let browser = Browser::of(&world, only(Role::Operator, "second", Role::Viewer));
    let start = |gateway: &str| format!("gateway={gateway}&kind=restart&key=k");
    let sent = browser.post("/", endpoint::START, &start("second")).await;
    assert!(sent.location.contains("__err"), "{}", sent.location);
    assert!(world.done().is_empty(), "{:?}", world.done());
    let sent = browser.post("/", endpoint::START, &start("openclaw")).await;
    assert!(
        sent.location.starts_with("/operations/"),
        "{}",
        sent.location
    );
}

#[tokio::test]
async fn somebody_without_any_gateway_is_told_whom_to_ask() {
    let browser = Browser::of(&two(), Role::Nothing);
    let page = browser.get("/").await;
    assert_eq!(page.status, 200);
    assert!(page.says("No gateway is open to you"));
    assert!(page.says("Ask an admin for one"));
}

#[tokio::test]
async fn a_manager_of_one_gateway_reads_what_of_the_trail_is_about_it() {
    let world = two();
    let browser = Browser::of(&world, only(Role::Nothing, "second", Role::Manager));
    let all = browser.get("/audit?outcome=failed").await;
    assert_eq!(all.location, "/audit?outcome=failed&gateway=second");
    let own = browser.get("/audit?gateway=second").await;
    assert_eq!(own.status, 200);
    assert!(
        !own.says("Verify now"),
        "the chain is checked by who reads all of it"
    );
    assert!(
        !own.html.contains("href=\"/audit/report"),
        "the report is about everything"
    );
    assert!(
        !own.html.contains("value=\"openclaw\""),
        "another gateway is no choice"
    );
    for closed in [
        "/audit?gateway=openclaw",
        "/audit/print?gateway=openclaw",
        "/audit/print",
        "/audit/report",
        "/audit/review",
    ] {
        assert_eq!(browser.get(closed).await.status, 403, "{closed}");
    }
}

#[tokio::test]
async fn an_admin_gives_a_role_on_one_gateway() {
    let world = two();
    let browser = Browser::of(&world, Role::Admin);
    let page = browser.get("/people").await;
    assert!(page.html.contains("name=\"on[second]\""), "{}", page.html);
    let ben = world.people[1].id;
    let form = format!("id={ben}&role=none&on%5Bopenclaw%5D=&on%5Bsecond%5D=operator");
    let sent = browser.post("/people", endpoint::SET_ROLE, &form).await;
    assert_eq!(sent.location, "/people");
    let done = world.done();
    assert_eq!(done, [format!("role of {ben}: none (operator on second)")]);
    let form = format!("id={ben}&role=viewer&on%5Bsecond%5D=king");
    let sent = browser.post("/people", endpoint::SET_ROLE, &form).await;
    assert!(sent.location.contains("__err"), "{}", sent.location);
    assert_eq!(world.done().len(), 1);
}
