//! The gateway's page in its states.

use std::sync::Arc;

use domain::fact::{ContainerState, Health, Plugin, State};
use domain::observation::Observation;
use domain::person::Role;

use crate::browser::{Answer, Browser};
use crate::scenes::{ago, logged_out, observation, operation, stopped_account, world};

async fn look(seen: Option<Observation>, role: Role) -> Answer {
    let mut world = world();
    world.observation = seen.map(Arc::new);
    Browser::of(&Arc::new(world), role)
        .get("/gateways/openclaw")
        .await
}

#[tokio::test]
async fn a_gateway_that_works_says_so_first_and_offers_no_strong_button() {
    let page = look(Some(observation()), Role::Admin).await;
    assert_eq!(page.status, 200);
    let text = page.text();
    let verdict = text.find("Messages get through").unwrap();
    assert!(verdict < text.find("What we know").unwrap());
    assert!(!page.html.contains("btn primary"));
    for said in [
        "200 in 38 ms",
        "8 s",
        "412 MiB",
        "of 1.5 GiB",
        "18789 on 127.0.0.1:18789",
        "about 31 s",
        "+4915112345642",
        "2026.9.5",
    ] {
        assert!(page.says(said), "{said}: {text}");
    }
}

#[tokio::test]
async fn what_is_known_of_container_and_accounts_is_shown() {
    let mut seen = observation();
    if let Some(container) = &mut seen.container.detail {
        container.restart_count = 4;
        container.restarts_last_hour = 1;
        container.health = Some(Health::Unhealthy);
        container.hostname_is_default = true;
        container.image_digest = Some("ghcr.io/claw@sha256:5c1e5c1e5c1e5c1e".to_owned());
    }
    if let Some(session) = &mut seen.session.detail {
        session.accounts[0].connected_at = Some(ago(0));
    }
    let page = look(Some(seen), Role::Viewer).await;
    for said in [
        "4 by Docker since it was made, 1 unplanned end in the last hour",
        "Health check fails",
        "changes at every recreate",
        "2026.9.5, protocol 4",
        "digest sha256:5c1e5c1e5c1e",
        "connected since",
        "late at worst (99th percentile)",
    ] {
        assert!(page.says(said), "{said}: {}", page.text());
    }
    let plain = look(Some(observation()), Role::Viewer).await;
    assert!(
        plain.says("image id sha256:7f3a7f3a7f3a"),
        "{}",
        plain.text()
    );
    assert!(!plain.says("changes at every recreate"));
}

#[tokio::test]
async fn the_strip_says_its_incident_to_mouse_finger_and_ear() {
    let page = look(Some(observation()), Role::Viewer).await;
    assert!(
        page.html.contains("No answer &lt;502&gt;</title>"),
        "{}",
        page.html
    );
    assert!(
        page.html
            .contains("aria-label=\"Edge, last 24 hours: 1 incident\"")
    );
    assert!(page.says("(planned: Restart by ben)"));
    // Runs of equal half hours are one rectangle each.
    let strip = page.pieces("last 24 hours: 1 incident", "</svg>")[0];
    assert_eq!(strip.matches("<rect").count(), 3);
}

#[tokio::test]
async fn a_viewer_sees_masked_numbers_and_nothing_to_press() {
    for role in [Role::Viewer, Role::Manager] {
        let page = look(Some(stopped_account()), role).await;
        assert!(!page.html.contains("4915112345642"));
        assert!(page.says("+49 ••• ••42"));
        assert!(!page.html.contains("/operations/new/"), "{}", page.html);
        assert!(page.says("Your role can look but not act."));
    }
}

#[tokio::test]
async fn the_one_strong_button_is_what_the_verdict_advises() {
    let page = look(Some(stopped_account()), Role::Operator).await;
    let mut strong = page.pieces("<a ", "</a>");
    strong.retain(|link| link.contains("btn primary"));
    assert_eq!(strong.len(), 1);
    assert!(strong[0].contains("/operations/new/recover?account=default"));
    assert!(strong[0].ends_with("Fix WhatsApp"));
    assert!(page.says("tries the gentlest step first"));
    // The single steps stay below it.
    assert!(
        page.html
            .contains("/operations/new/reconnect?account=default")
    );
}

#[tokio::test]
async fn what_is_the_containers_own_matter_keeps_its_own_strong_button() {
    let mut seen = stopped_account();
    if let Some(container) = &mut seen.container.detail {
        container.state = ContainerState::Exited;
    }
    let page = look(Some(seen), Role::Operator).await;
    let mut strong = page.pieces("<a ", "</a>");
    strong.retain(|link| link.contains("btn primary"));
    assert_eq!(strong.len(), 1);
    assert!(strong[0].ends_with("Start"), "{}", strong[0]);
    assert!(!page.html.contains("/operations/new/recover"));
}

#[tokio::test]
async fn a_broken_link_is_explained_and_the_strong_button_leads_to_the_scan() {
    let page = look(Some(logged_out()), Role::Admin).await;
    assert!(page.says("WhatsApp is not linked"));
    assert!(page.says("Have the phone at hand"));
    assert!(page.says("Cannot help: the account is not linked"));
    let mut strong = page.pieces("<a ", "</a>");
    strong.retain(|link| link.contains("btn primary"));
    assert_eq!(strong.len(), 1);
    assert!(strong[0].contains("/operations/new/recover?account=default"));
    assert!(page.html.contains("/operations/new/relink?account=default"));
    assert!(page.says("this device was logged out from the phone (401)"));
}

#[tokio::test]
async fn before_the_first_look_nothing_is_green_and_nothing_can_be_pressed() {
    for seen in [
        None,
        Some(Observation::blank(observation().gateway, ago(0))),
    ] {
        let page = look(seen, Role::Admin).await;
        assert!(page.says("Looking"));
        assert!(page.says("The panel is still looking at the gateway."));
        let verdict_and_facts = page.html.split("last-24").next().unwrap_or_default();
        assert!(!verdict_and_facts.contains("value is-ok"));
        assert!(!page.html.contains("/operations/new/"));
    }
}

#[tokio::test]
async fn a_stale_fact_says_that_it_is_old() {
    let mut seen = observation();
    seen.edge.checked_at = Some(ago(600));
    let page = look(Some(seen), Role::Admin).await;
    assert_eq!(page.html.matches("fact is-stale").count(), 1);
    assert!(page.says("this was the last answer"));
}

#[tokio::test]
async fn a_blind_docker_disables_every_act_with_its_reason() {
    let mut seen = observation();
    seen.container.state = State::Unknown;
    seen.container.detail = None;
    let page = look(Some(seen), Role::Admin).await;
    assert!(page.says("Docker does not answer, so nothing can be changed now."));
    assert!(page.says("unknown since"));
    assert!(page.says("No container to measure"));
    assert!(!page.html.contains("/operations/new/"));
}

#[tokio::test]
async fn without_the_plugin_the_page_says_so() {
    let mut seen = observation();
    if let Some(session) = &mut seen.session.detail {
        session.plugin = Plugin::Missing;
        session.accounts.clear();
    }
    let page = look(Some(seen), Role::Admin).await;
    assert!(page.says("No WhatsApp here"));
}

#[tokio::test]
async fn who_holds_the_gateway_is_named_and_others_wait() {
    let mut world = world();
    world.holder = Some(operation(3, None));
    let page = Browser::of(&Arc::new(world), Role::Admin)
        .get("/gateways/openclaw")
        .await;
    assert!(page.says("Recreate by ben since"));
    assert!(page.says("“updating to 2026.9.6”"));
    assert!(!page.html.contains("/operations/new/"));
    assert!(page.says("1 running"));
}
