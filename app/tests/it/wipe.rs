//! Wiping a gateway's state: what is lost is listed, and the gateway's name is typed.

use std::sync::Arc;
use std::time::Duration;

use app::forms::endpoint;
use domain::action::{STEP_UP, STEP_UP_GRACE};
use domain::person::Role;

use crate::backups::kept;
use crate::browser::{Answer, Browser};
use crate::fakes::{World, no_docker};
use crate::restore::admin;

const PAGE: &str = "/gateways/openclaw/wipe";

async fn send(browser: &Browser, typed: &str) -> Answer {
    let form = format!("gateway=openclaw&account=default&typed={typed}&key=k1&reason=state+broken");
    browser.post(PAGE, endpoint::WIPE, &form).await
}

fn world() -> Arc<World> {
    Arc::new(kept())
}

#[tokio::test]
async fn the_page_lists_what_is_lost_and_what_comes_back() {
    let world = world();
    let page = admin(&world, Duration::ZERO).get(PAGE).await;
    for part in [
        "In volume openclaw_session_data, 80 MiB:",
        "2 links to WhatsApp: default, work",
        "2 paired devices; this panel pairs itself again, others ask anew",
        "1 agent's data: main, with all they remember",
        "1 workspace with its files: workspace",
        "Brought back: the configuration, and 1 plugin: @openclaw/whatsapp.",
    ] {
        assert!(page.says(part), "{part}: {}", page.text());
    }
}

#[tokio::test]
async fn it_starts_only_with_the_gateways_name_and_keeps_what_was_typed() {
    let world = world();
    let browser = admin(&world, Duration::ZERO);
    let answer = send(&browser, "openclaw").await;
    let again = browser.get(&answer.location).await;
    assert!(
        again.says("That is not the gateway's name. Type OpenClaw on vps-i1."),
        "{}",
        again.text()
    );
    assert!(again.says("state broken"), "{}", again.text());
    assert_eq!(world.done(), Vec::<String>::new());
    let answer = send(&browser, "+OpenClaw+on+vps-i1+").await;
    assert!(
        answer.location.starts_with("/operations/"),
        "{}",
        answer.location
    );
    let done = world.done();
    assert!(done[0].contains("Wipe"), "{done:?}");
}

#[tokio::test]
async fn without_a_key_for_backups_it_says_so_and_offers_no_button() {
    let mut world = kept();
    world.recipient = None;
    let world = Arc::new(world);
    let page = admin(&world, Duration::ZERO).get(PAGE).await;
    assert!(
        page.says("There is no key for backups yet"),
        "{}",
        page.text()
    );
    assert!(!page.says("What is lost."), "{}", page.text());
}

#[tokio::test]
async fn a_folder_that_cannot_be_looked_at_is_told_and_no_button_is_offered() {
    let mut world = kept();
    world.folder_fault = Some(no_docker());
    let page = admin(&Arc::new(world), Duration::ZERO).get(PAGE).await;
    assert!(page.says("Docker does not answer."), "{}", page.text());
    let buttons = page.pieces("<button", "</button>");
    let wipe = buttons.iter().find(|button| button.contains(">Wipe"));
    assert!(
        wipe.is_some_and(|button| button.contains(" disabled")),
        "{wipe:?}"
    );
    assert!(!page.says("What is lost."), "{}", page.text());
}

#[tokio::test]
async fn it_wants_an_admin_and_a_password_that_was_typed_lately() {
    let world = world();
    let operator = Browser::of(&world, Role::Operator);
    assert_eq!(operator.get(PAGE).await.status, 403);
    send(&operator, "OpenClaw+on+vps-i1").await;
    let stale = admin(&world, STEP_UP + STEP_UP_GRACE + Duration::from_secs(1));
    let asked = stale.get(PAGE).await;
    assert!(
        asked.location.starts_with("/account/confirm"),
        "{}",
        asked.location
    );
    send(&stale, "OpenClaw+on+vps-i1").await;
    let done = world.done();
    assert!(!done.iter().any(|line| line.contains("Wipe")), "{done:?}");
}
