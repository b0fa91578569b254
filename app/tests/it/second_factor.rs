//! One's second factor: set up, finished, renewed, taken away; and the code where it is asked for.

use std::sync::Arc;
use std::time::Duration;

use app::Viewer;
use app::forms::endpoint;
use domain::path;
use domain::person::{Actor, Role};
use domain::second_factor::{SecondFactor, SetUp};

use crate::browser::Browser;
use crate::fake_people::{CODE, person};
use crate::fakes::{NOW, PASSWORD, World};
use crate::scenes::world;

const PAGE: &str = path::SECOND_FACTOR;

fn begun() -> World {
    let mut world = world();
    world.set_up = Some(SetUp {
        secret: "JBSWY3DPEHPK3PXPJBSWY3DPEHPK3PXP".into(),
        until: NOW.plus(Duration::from_secs(800)),
    });
    world
}

/// Anna, who has a second factor and typed her password so long ago.
pub(crate) fn anna(role: Role, codes_left: u32, confirmed: Duration) -> Viewer {
    let mut anna = person(1, "anna", role);
    anna.second_factor = Some(SecondFactor {
        since: NOW.minus(Duration::from_secs(86_400)),
        authenticator: true,
        passkeys: 0,
        codes_left,
    });
    Viewer {
        actor: Actor::Person {
            id: anna.id,
            name: anna.name.clone(),
            role,
            address: None,
            browser: None,
            session: None,
            token: None,
        },
        person: anna,
        session: None,
        sessions: Arc::default(),
        signed_in_at: NOW.minus(Duration::from_secs(3_600)),
        confirmed_at: NOW.minus(confirmed),
    }
}

#[tokio::test]
async fn it_is_begun_scanned_finished_and_the_codes_are_shown_once() {
    let fresh = Arc::new(world());
    let browser = Browser::of(&fresh, Role::Operator);
    assert!(browser.get(PAGE).await.says("Set up"));
    let begun_at = browser.post(PAGE, endpoint::BEGIN_SECOND_FACTOR, "").await;
    assert_eq!(begun_at.location, PAGE);
    assert_eq!(fresh.done(), ["anna begins"]);

    let world = Arc::new(begun());
    let browser = Browser::of(&world, Role::Operator);
    let page = browser.get(PAGE).await;
    assert!(page.says("JBSW Y3DP EHPK 3PXP"), "{}", page.text());
    assert!(
        page.html
            .contains("otpauth://totp/OpenClaw%20Panel:anna%40")
    );
    let wrong = browser
        .post(PAGE, endpoint::FINISH_SECOND_FACTOR, "code=111111")
        .await;
    let again = browser.get(&wrong.location).await;
    assert!(again.says("The code is not right"), "{}", again.text());
    assert!(again.html.contains("id=\"code-error\""));
    let right = format!("code={CODE}");
    let done = browser
        .post(PAGE, endpoint::FINISH_SECOND_FACTOR, &right)
        .await;
    assert_eq!(done.location, PAGE);
    assert!(!done.location.contains("aaaaa"));
    assert!(browser.get(PAGE).await.says("aaaaa-bbbbb-ccccc"));
    assert!(!browser.get(PAGE).await.says("aaaaa-bbbbb-ccccc"));
}

#[tokio::test]
async fn it_asks_for_a_password_that_was_typed_lately() {
    let world = Arc::new(world());
    let late = anna(Role::Operator, 9, Duration::from_secs(601));
    let browser = Browser::with(&world, Some(late));
    let page = browser.get(PAGE).await;
    assert_eq!(
        page.location,
        "/account/confirm?next=%2Faccount%2Fsecond-factor"
    );
    let too_late = anna(Role::Operator, 9, Duration::from_secs(901));
    let browser = Browser::with(&world, Some(too_late));
    for form in [
        endpoint::BEGIN_SECOND_FACTOR,
        endpoint::FINISH_SECOND_FACTOR,
        endpoint::RENEW_RECOVERY_CODES,
        endpoint::REMOVE_SECOND_FACTOR,
    ] {
        browser.post(PAGE, form, "code=1").await;
    }
    assert!(world.done().is_empty(), "{:?}", world.done());
}

#[tokio::test]
async fn a_role_that_needs_one_cannot_turn_it_off() {
    let mut strict = world();
    strict.second_factor_for = [Role::Admin].into();
    let strict = Arc::new(strict);
    let browser = Browser::with(&strict, Some(anna(Role::Admin, 2, Duration::ZERO)));
    let page = browser.get(PAGE).await;
    assert!(
        page.says("your role needs a second factor"),
        "{}",
        page.text()
    );
    assert!(page.says("few codes left"), "{}", page.text());
    browser.post(PAGE, endpoint::REMOVE_SECOND_FACTOR, "").await;
    assert!(strict.done().is_empty());

    let world = Arc::new(world());
    let browser = Browser::with(&world, Some(anna(Role::Admin, 10, Duration::ZERO)));
    let page = browser.get(PAGE).await;
    assert!(page.says("10 of 10 recovery codes are left"));
    assert!(page.says("password alone then opens your account"));
    browser.post(PAGE, endpoint::REMOVE_SECOND_FACTOR, "").await;
    browser.post(PAGE, endpoint::RENEW_RECOVERY_CODES, "").await;
    assert_eq!(world.done(), ["anna removes", "anna renews codes"]);
    assert!(browser.get(PAGE).await.says("ggggg-hhhhh-iiiii"));
}

#[tokio::test]
async fn whoever_has_one_types_its_code_to_confirm_too() {
    let world = Arc::new(world());
    let confirm = "/account/confirm?next=%2Fpeople";
    let without = Browser::of(&world, Role::Admin).get(confirm).await;
    assert!(!without.says("Code of your authenticator"));
    let browser = Browser::with(&world, Some(anna(Role::Admin, 9, Duration::ZERO)));
    assert!(
        browser
            .get(confirm)
            .await
            .says("Code of your authenticator")
    );
    let wrong = format!("password={PASSWORD}&code=111111&next=%2Fpeople");
    let back = browser
        .post(confirm, endpoint::CONFIRM_IDENTITY, &wrong)
        .await;
    let back = browser.get(&back.location).await;
    assert!(back.html.contains("id=\"code-error\""), "{}", back.html);
    assert!(!back.html.contains("id=\"password-error\""));
    assert!(!back.html.contains(PASSWORD));
    let right = format!("password={PASSWORD}&code={CODE}&next=%2Fpeople");
    let done = browser
        .post(confirm, endpoint::CONFIRM_IDENTITY, &right)
        .await;
    assert_eq!(done.location, "/people");
}

#[tokio::test]
async fn people_are_changed_only_after_a_confirmation_and_a_lost_factor_is_removed_there() {
    let mut world = world();
    world.people[1].second_factor = Some(SecondFactor {
        since: NOW,
        authenticator: true,
        passkeys: 0,
        codes_left: 10,
    });
    let id = world.people[1].id;
    let world = Arc::new(world);
    let late = anna(Role::Admin, 9, Duration::from_secs(601));
    let page = Browser::with(&world, Some(late)).get("/people").await;
    assert_eq!(page.status, 200);
    assert!(page.says("confirm that it is you"), "{}", page.text());
    assert!(!page.html.contains(endpoint::ADD_PERSON));
    let too_late = anna(Role::Admin, 9, Duration::from_secs(901));
    let browser = Browser::with(&world, Some(too_late));
    let form = format!("id={id}");
    browser
        .post("/people", endpoint::RESET_SECOND_FACTOR, &form)
        .await;
    assert!(world.done().is_empty());

    let browser = Browser::of(&world, Role::Admin);
    let page = browser.get("/people").await;
    assert!(page.says("Remove second factor"), "{}", page.text());
    assert!(page.says("second factor in use"));
    browser
        .post("/people", endpoint::RESET_SECOND_FACTOR, &form)
        .await;
    assert_eq!(world.done(), [format!("second factor of {id} removed")]);
}

#[tokio::test]
async fn the_code_is_asked_for_on_a_page_of_its_own() {
    let browser = Browser::signed_out(&Arc::new(world()));
    let page = browser.get("/sign-in/code?next=%2Faudit").await;
    assert!(page.says("Six digits"), "{}", page.text());
    assert!(page.html.contains("value=\"/audit\""));
    assert!(page.html.contains("one-time-code"));
    let failed = browser.get("/sign-in/code?failed=1").await;
    assert!(failed.says("The code is not right"));
    let waits = browser.get("/sign-in/code?throttled=30").await;
    assert!(waits.says("Too many tries. Wait 30 s"), "{}", waits.text());
    let late = browser.get("/sign-in?late=1").await;
    assert!(late.says("The code came too late"));
}
