//! The backups page in its states, and the key that is shown once.

use std::sync::Arc;

use app::forms::endpoint;
use domain::backup::{self, Backup};
use domain::fault::{Boundary, Fault, FaultKind};
use domain::operation::OperationId;
use domain::person::Role;
use uuid::Uuid;

use crate::browser::Browser;
use crate::fakes::{NOW, World};
use crate::scenes::world;

const PAGE: &str = "/gateways/openclaw/backups";

pub(crate) fn kept() -> World {
    let gateway: domain::gateway::GatewayId = "openclaw".parse().unwrap();
    let id = OperationId(Uuid::from_u128(0x9c1f_04ab));
    let mut world = world();
    world.backups = Ok(vec![Backup {
        name: backup::name(&gateway, NOW, id),
        gateway,
        made_at: NOW,
        bytes: 48_128,
    }]);
    world
}

fn without_key() -> World {
    let mut world = world();
    world.recipient = None;
    world
}

#[tokio::test]
async fn what_is_kept_is_listed_and_downloaded_by_those_who_may_act() {
    let world = Arc::new(kept());
    for role in [Role::Admin, Role::Operator] {
        let page = Browser::of(&world, role).get(PAGE).await;
        assert!(page.says("47 KiB"), "{}", page.text());
        assert!(page.says("Back up now"));
        assert!(page.html.contains("9c1f04ab.tar.gz.age/download"));
    }
    for role in [Role::Manager, Role::Viewer] {
        let page = Browser::of(&world, role).get(PAGE).await;
        assert!(page.says("47 KiB"), "{}", page.text());
        assert!(page.says("Your role can look but not act."));
        assert!(!page.html.contains("/download"));
        assert!(!page.says("Back up now"));
    }
}

#[tokio::test]
async fn without_a_key_only_an_admin_can_make_one_and_nothing_is_backed_up() {
    let world = Arc::new(without_key());
    let page = Browser::of(&world, Role::Admin).get(PAGE).await;
    assert!(page.says("Nothing is kept yet") && page.says("Make the key"));
    assert!(!page.says("Back up now"));
    let browser = Browser::of(&world, Role::Operator);
    assert!(browser.get(PAGE).await.says("An admin makes it."));
    let form = "gateway=openclaw";
    let answer = browser.post(PAGE, endpoint::MAKE_BACKUP_KEY, form).await;
    assert!(answer.location.contains("__err="), "{}", answer.location);
    assert_eq!(world.done(), [""; 0]);
}

#[tokio::test]
async fn a_new_key_is_shown_to_its_maker_once() {
    let world = Arc::new(without_key());
    let browser = Browser::of(&world, Role::Admin);
    let answer = browser
        .post(PAGE, endpoint::MAKE_BACKUP_KEY, "gateway=openclaw")
        .await;
    assert_eq!(answer.location, PAGE);
    assert_eq!(world.done(), ["anna adopts age1fake"]);
    assert!(browser.get(PAGE).await.says("AGE-SECRET-KEY-1FAKE"));
    assert!(!browser.get(PAGE).await.says("AGE-SECRET-KEY"));
}

#[tokio::test]
async fn a_key_that_was_not_taken_is_not_shown() {
    let world = Arc::new(world());
    let browser = Browser::of(&world, Role::Admin);
    let answer = browser
        .post(PAGE, endpoint::MAKE_BACKUP_KEY, "gateway=openclaw")
        .await;
    let page = browser.get(&answer.location).await;
    assert!(page.says("There is a key already."), "{}", page.text());
    assert!(!page.says("AGE-SECRET-KEY"));
}

#[tokio::test]
async fn a_folder_that_cannot_be_read_is_said() {
    let mut world = world();
    let why = "The panel failed while reading the folder.";
    world.backups = Err(Fault::new(FaultKind::Refused, Boundary::Panel, why));
    let page = Browser::of(&Arc::new(world), Role::Admin).get(PAGE).await;
    assert!(page.says(why), "{}", page.text());
    assert!(!page.says("Nothing is kept yet"));
}
