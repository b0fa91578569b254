//! Restoring a link from a backup: the question, the key, and the password that is asked for again.

use std::sync::Arc;
use std::time::Duration;

use app::Viewer;
use app::forms::endpoint;
use domain::action::{STEP_UP, STEP_UP_GRACE};
use domain::person::{Actor, Role};

use crate::backups::kept;
use crate::browser::{Answer, Browser};
use crate::fake_people::person;
use crate::fakes::{NOW, PASSWORD, World};
use crate::scenes::logged_out;

const KEY: &str = "AGE-SECRET-KEY-1FAKE";

/// The account was logged out, and a backup is kept.
fn lost() -> Arc<World> {
    let mut world = kept();
    world.observation = Some(Arc::new(logged_out()));
    Arc::new(world)
}

fn name(world: &World) -> String {
    world.backups.as_ref().unwrap()[0].name.clone()
}

fn page(world: &World) -> String {
    format!("/gateways/openclaw/backups/{}/restore", name(world))
}

/// An admin who typed the password so long ago.
pub(crate) fn admin(world: &Arc<World>, ago: Duration) -> Browser {
    let anna = person(1, "anna", Role::Admin);
    let viewer = Viewer {
        actor: Actor::Person {
            id: anna.id,
            name: anna.name.clone(),
            role: anna.roles.everywhere,
            address: None,
            browser: None,
            session: None,
            token: None,
        },
        person: anna,
        session: None,
        sessions: Arc::default(),
        signed_in_at: NOW.minus(Duration::from_secs(3600)),
        confirmed_at: NOW.minus(ago),
    };
    Browser::with(world, Some(viewer))
}

async fn send(browser: &Browser, world: &World, key: &str, more: &str) -> Answer {
    let form = format!(
        "gateway=openclaw&backup={}&account=default&identity={key}&key=k1&reason=phone+lost{more}",
        name(world)
    );
    browser.post(&page(world), endpoint::RESTORE, &form).await
}

#[tokio::test]
async fn a_link_is_restored_with_the_key_and_the_key_goes_no_further() {
    let world = lost();
    let browser = admin(&world, Duration::ZERO);
    let question = browser.get(&page(&world)).await;
    assert!(question.says("default (not linked)"), "{}", question.text());
    assert!(!question.says("Replace it even if"), "{}", question.text());
    let answer = send(&browser, &world, KEY, "").await;
    assert!(
        answer.location.starts_with("/operations/"),
        "{}",
        answer.location
    );
    let done = world.done();
    assert!(
        done[0].contains("with ticket 77, replace false"),
        "{done:?}"
    );
    assert!(!done[0].contains(KEY));
}

#[tokio::test]
async fn a_wrong_key_is_said_at_the_field_and_what_was_typed_stays() {
    let world = lost();
    let browser = admin(&world, Duration::ZERO);
    let answer = send(&browser, &world, "AGE-SECRET-KEY-1WRONG", "").await;
    assert!(!answer.location.contains("WRONG"), "{}", answer.location);
    let again = browser.get(&answer.location).await;
    assert!(
        again.says("This key does not open this backup."),
        "{}",
        again.text()
    );
    assert!(again.html.contains("phone lost"));
    assert_eq!(world.done(), [""; 0]);
}

#[tokio::test]
async fn a_link_that_may_work_is_replaced_with_consent_only() {
    let world = Arc::new(kept());
    let browser = admin(&world, Duration::ZERO);
    let question = browser.get(&page(&world)).await;
    assert!(question.says("Replace it even if its present link works"));
    let answer = send(&browser, &world, KEY, "").await;
    let again = browser.get(&answer.location).await;
    assert!(
        again.says("Reconnect it first; tick this box"),
        "{}",
        again.text()
    );
    assert_eq!(world.done(), [""; 0]);
    send(&browser, &world, KEY, "&replace=true").await;
    assert!(world.done()[0].contains("replace true"));
}

#[tokio::test]
async fn whoever_typed_the_password_long_ago_types_it_again_first() {
    let world = lost();
    let browser = admin(&world, STEP_UP);
    let asked = browser.get(&page(&world)).await;
    assert_eq!(asked.status, 303);
    assert!(
        asked
            .location
            .starts_with("/account/confirm?next=%2Fgateways%2Fopenclaw%2Fbackups%2F"),
        "{}",
        asked.location
    );
    // A form that was opened in time can still be sent.
    send(&browser, &world, KEY, "").await;
    assert_eq!(world.done().len(), 1);
    let late = admin(&world, STEP_UP + STEP_UP_GRACE);
    let refused = send(&late, &world, KEY, "").await;
    assert!(refused.location.contains("__err="), "{}", refused.location);
    assert_eq!(world.done().len(), 1);
}

#[tokio::test]
async fn the_right_password_goes_on_to_the_page_that_asked_and_nowhere_else() {
    let world = lost();
    let browser = admin(&world, STEP_UP);
    let confirm = "/account/confirm?next=%2Fgateways%2Fopenclaw";
    let wrong = format!("password=wrong&next={}", page(&world));
    let answer = browser
        .post(confirm, endpoint::CONFIRM_IDENTITY, &wrong)
        .await;
    let again = browser.get(&answer.location).await;
    assert!(
        again.says("The present password is not right."),
        "{}",
        again.text()
    );
    let right = format!("password={PASSWORD}&next={}", page(&world));
    let answer = browser
        .post(confirm, endpoint::CONFIRM_IDENTITY, &right)
        .await;
    assert_eq!(answer.location, page(&world));
    let elsewhere = format!("password={PASSWORD}&next=https://evil.example");
    let answer = browser
        .post(confirm, endpoint::CONFIRM_IDENTITY, &elsewhere)
        .await;
    assert_eq!(answer.location, "/");
}

#[tokio::test]
async fn only_an_admin_is_offered_it() {
    let world = lost();
    for role in [Role::Operator, Role::Manager, Role::Viewer] {
        let browser = Browser::of(&world, role);
        let list = browser.get("/gateways/openclaw/backups").await;
        assert!(!list.html.contains("/restore"), "{}", list.text());
        assert_eq!(browser.get(&page(&world)).await.status, 403);
        send(&browser, &world, KEY, "").await;
        assert_eq!(world.done(), [""; 0]);
    }
}
