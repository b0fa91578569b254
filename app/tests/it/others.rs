//! The other pages in their states.

use std::sync::Arc;

use domain::person::Role;

use crate::browser::Browser;
use crate::fake_people::person;
use crate::fakes::no_docker;
use crate::scenes::world;

#[tokio::test]
async fn sign_in_never_says_which_of_the_two_was_wrong() {
    let browser = Browser::signed_out(&Arc::new(world()));
    let page = browser.get("/sign-in?failed=1&next=%2Fpeople").await;
    assert!(page.says("Name or password is not right."));
    assert!(page.html.contains("name=\"next\" value=\"/people\""));
    let page = browser
        .get("/sign-in?next=https%3A%2F%2Fevil.example")
        .await;
    assert!(!page.html.contains("evil"));
    let page = browser.get("/sign-in?throttled=90").await;
    assert!(page.says("Wait 1 min 30 s"));
}

#[tokio::test]
async fn recreate_shows_what_changes_and_carries_what_was_seen() {
    let browser = Browser::of(&Arc::new(world()), Role::Admin);
    let page = browser
        .get("/gateways/openclaw/operations/new/recreate")
        .await;
    assert!(
        page.says("openclaw:2026.9.5 openclaw:2026.9.6"),
        "{}",
        page.text()
    );
    assert!(page.html.contains("name=\"seen\" value=\"f1n9\""));
    assert!(page.says("It usually takes about 33 s."));
    assert!(page.says("the old one comes back by itself"));
}

#[tokio::test]
async fn a_compose_folder_that_cannot_be_read_disables_recreate_with_the_reason() {
    let mut world = world();
    world.comparison = Err(no_docker());
    let browser = Browser::of(&Arc::new(world), Role::Admin);
    let page = browser
        .get("/gateways/openclaw/operations/new/recreate")
        .await;
    assert!(page.says("Docker does not answer."));
    assert!(page.html.contains("aria-describedby=\"against\""));
}

#[tokio::test]
async fn an_operation_shows_its_steps_and_the_way_out() {
    let browser = Browser::of(&Arc::new(world()), Role::Operator);
    let page = browser
        .get("/operations/00000000-0000-0000-0000-000000000003")
        .await;
    for said in [
        "Recreate: Stop the old container",
        "19 s of about 33 s",
        "until “Remove the old container”",
        "Stop and put back",
        "no way back after this",
        "Output, 2 lines",
        "UTC image is",
    ] {
        assert!(page.says(said), "{said}: {}", page.text());
    }
    assert!(page.html.contains("http-equiv=\"refresh\""));
    assert!(page.html.contains("data-events=\"/events/operations/"));
}

#[tokio::test]
async fn a_stuck_operation_tells_an_admin_what_to_do_and_others_whom_to_ask() {
    let world = Arc::new(world());
    let url = "/operations/00000000-0000-0000-0000-000000000002";
    let admin = Browser::of(&world, Role::Admin).get(url).await;
    assert!(admin.says("Look at the containers"));
    assert!(admin.html.contains("/api/operations/abandon"));
    let operator = Browser::of(&world, Role::Operator).get(url).await;
    assert!(operator.says("Only an admin can free the gateway."));
    assert!(!operator.html.contains("/api/operations/abandon"));
}

#[tokio::test]
async fn a_search_in_the_log_works_without_javascript() {
    let browser = Browser::of(&Arc::new(world()), Role::Viewer);
    let page = browser
        .get("/gateways/openclaw/logs?lines=30&search=LOGGED&level=")
        .await;
    assert!(page.html.contains("<mark>logged</mark> out &lt;401&gt;"));
    assert!(!page.says("listening"));
    assert!(page.says("1 of the last 2 lines"));
    assert!(
        page.html
            .contains("data-follows=\"/events/gateways/openclaw/logs?search=LOGGED")
    );
    let none = browser.get("/gateways/openclaw/logs?search=zebra").await;
    assert!(none.says("No line fits"));
}

#[tokio::test]
async fn a_log_that_cannot_be_read_says_why() {
    let mut world = world();
    world.logs = Err(no_docker());
    let browser = Browser::of(&Arc::new(world), Role::Viewer);
    let page = browser.get("/gateways/openclaw/logs").await;
    assert!(page.says("The log could not be read"));
    assert!(page.html.contains("id=\"lines\""), "it recovers by itself");
    assert!(page.says("Docker does not answer."));
}

#[tokio::test]
async fn what_is_not_allowed_is_said_and_audited() {
    let world = Arc::new(world());
    let browser = Browser::of(&world, Role::Viewer);
    let page = browser.get("/people").await;
    assert_eq!(page.status, 403);
    assert!(page.says("Only an admin can do this."));
    assert!(!page.says("ben"));
    assert_eq!(world.written.lock().unwrap()[0].action, "view-people");
}

#[tokio::test]
async fn what_does_not_exist_is_a_404_within_the_frame() {
    let browser = Browser::of(&Arc::new(world()), Role::Viewer);
    for url in ["/nothing/here", "/gateways/nowhere", "/operations/7"] {
        let page = browser.get(url).await;
        assert_eq!(page.status, 404, "{url}");
        assert!(page.says("Not found"), "{url}");
        assert!(page.html.contains("aria-label=\"Main\""), "{url}");
    }
}

#[tokio::test]
async fn a_database_that_is_away_costs_only_what_needs_it() {
    let mut world = world();
    world.database_away = true;
    let browser = Browser::of(&Arc::new(world), Role::Admin);
    let page = browser.get("/gateways/openclaw").await;
    assert_eq!(page.status, 200);
    assert!(page.says("Messages get through"));
    let page = browser.get("/gateways/openclaw/operations").await;
    assert_eq!(page.status, 503);
    assert!(page.says("tell an admin the number"));
}

#[tokio::test]
async fn a_password_that_was_made_for_somebody_is_a_banner_everywhere() {
    let world = Arc::new(world());
    let mut anna = person(1, "anna", Role::Viewer);
    anna.password_is_one_time = true;
    let viewer = app::Viewer {
        actor: domain::person::Actor::Panel,
        person: anna,
        session: None,
        sessions: Arc::default(),
        signed_in_at: crate::fakes::NOW,
        confirmed_at: crate::fakes::NOW,
    };
    let browser = Browser::with(&world, Some(viewer));
    for url in ["/gateways/openclaw", "/account", "/nothing/here"] {
        assert!(
            browser.get(url).await.says("Choose one of your own"),
            "{url}"
        );
    }
}

#[tokio::test]
async fn the_start_page_goes_to_the_gateway() {
    let browser = Browser::of(&Arc::new(world()), Role::Viewer);
    let answer = browser.get("/").await;
    assert_eq!(
        (answer.status, answer.location.as_str()),
        (303, "/gateways/openclaw")
    );
}

#[tokio::test]
async fn every_press_on_the_people_page_says_first_what_it_does_and_how_to_get_back() {
    let page = Browser::of(&Arc::new(world()), Role::Admin)
        .get("/people")
        .await;
    for said in [
        "ben is signed out everywhere and signs in again with the new role. Set it back here.",
        "ben is signed out everywhere and cannot sign in until you let them in again here.",
        "the present password of ben ends, and with it every session.",
    ] {
        assert!(page.says(said), "{said}: {}", page.text());
    }
}
