//! One's passkeys as pages show them, and the places where one stands for password and code.

use std::sync::Arc;
use std::time::Duration;

use app::Viewer;
use app::forms::endpoint;
use domain::passkey::Passkey;
use domain::path;
use domain::person::Role;
use domain::second_factor::SecondFactor;
use uuid::Uuid;

use crate::browser::Browser;
use crate::fake_people::ANSWER;
use crate::fakes::{NOW, World};
use crate::scenes::world;
use crate::second_factor::anna;

const PAGE: &str = path::SECOND_FACTOR;

fn with_keys(names: &[&str]) -> World {
    let mut world = world();
    let keys = names.iter().zip(1..).map(|(name, number)| Passkey {
        id: Uuid::from_u128(number),
        name: (*name).to_owned(),
        made_at: NOW.minus(Duration::from_secs(86_400)),
        last_used_at: None,
    });
    world.passkeys = keys.collect();
    world
}

/// Anna, who has nothing but passkeys besides her password.
fn keyed(role: Role, passkeys: u32, confirmed: Duration) -> Viewer {
    let mut anna = anna(role, 9, confirmed);
    anna.person.second_factor = Some(SecondFactor {
        since: NOW,
        authenticator: false,
        passkeys,
        codes_left: 9,
    });
    anna
}

#[tokio::test]
async fn the_first_one_brings_recovery_codes_which_are_shown_once() {
    let world = Arc::new(world());
    let browser = Browser::of(&world, Role::Operator);
    let page = browser.get(PAGE).await;
    let question = format!("data-passkey=\"{}\"", path::NEW_PASSKEY);
    assert!(page.html.contains(&question), "{}", page.html);
    let wrong = browser
        .post(PAGE, endpoint::ADD_PASSKEY, "name=phone&credential=no")
        .await;
    let again = browser.get(&wrong.location).await;
    assert!(again.html.contains("id=\"passkey-error\""));
    let nameless = format!("credential={ANSWER}");
    let wrong = browser.post(PAGE, endpoint::ADD_PASSKEY, &nameless).await;
    let again = browser.get(&wrong.location).await;
    assert!(again.says("Give the passkey a name"), "{}", again.text());
    let right = format!("name=phone&credential={ANSWER}");
    let done = browser.post(PAGE, endpoint::ADD_PASSKEY, &right).await;
    assert_eq!(done.location, PAGE);
    assert_eq!(world.done(), ["anna adds phone"]);
    assert!(browser.get(PAGE).await.says("aaaaa-bbbbb-ccccc"));
    assert!(!browser.get(PAGE).await.says("aaaaa-bbbbb-ccccc"));
}

#[tokio::test]
async fn the_last_one_stays_where_the_role_needs_a_second_factor() {
    let mut strict = with_keys(&["phone"]);
    strict.second_factor_for = [Role::Admin].into();
    let strict = Arc::new(strict);
    let remove = format!("id={}", Uuid::from_u128(1));
    let browser = Browser::with(&strict, Some(keyed(Role::Admin, 1, Duration::ZERO)));
    assert!(browser.get(PAGE).await.says("your last one: it stays"));
    browser.post(PAGE, endpoint::REMOVE_PASSKEY, &remove).await;
    assert!(strict.done().is_empty());

    let mut two = with_keys(&["phone", "key"]);
    two.second_factor_for = [Role::Admin].into();
    let two = Arc::new(two);
    let browser = Browser::with(&two, Some(keyed(Role::Admin, 2, Duration::ZERO)));
    let page = browser.get(PAGE).await;
    assert!(page.html.contains("Remove phone"), "{}", page.html);
    browser.post(PAGE, endpoint::REMOVE_PASSKEY, &remove).await;
    assert_eq!(two.done(), [format!("anna removes {}", Uuid::from_u128(1))]);
}

#[tokio::test]
async fn they_are_changed_only_after_a_confirmation() {
    let world = Arc::new(with_keys(&["phone", "key"]));
    let late = keyed(Role::Operator, 2, Duration::from_secs(901));
    let browser = Browser::with(&world, Some(late));
    let add = format!("name=phone&credential={ANSWER}");
    browser.post(PAGE, endpoint::ADD_PASSKEY, &add).await;
    let remove = format!("id={}", Uuid::from_u128(1));
    browser.post(PAGE, endpoint::REMOVE_PASSKEY, &remove).await;
    assert!(world.done().is_empty(), "{:?}", world.done());
}

#[tokio::test]
async fn one_confirms_who_one_is_in_place_of_password_and_code() {
    let world = Arc::new(with_keys(&["phone"]));
    let confirm = "/account/confirm?next=%2Fpeople";
    let without = Browser::of(&world, Role::Admin).get(confirm).await;
    assert!(!without.html.contains(path::OWN_PASSKEY));
    let browser = Browser::with(&world, Some(keyed(Role::Admin, 1, Duration::ZERO)));
    let page = browser.get(confirm).await;
    assert!(page.html.contains(path::OWN_PASSKEY), "{}", page.html);
    assert!(!page.says("Code of your authenticator"));
    let form = "credential=no&next=%2Fpeople";
    let wrong = browser
        .post(confirm, endpoint::CONFIRM_BY_PASSKEY, form)
        .await;
    let again = browser.get(&wrong.location).await;
    assert!(
        again.says("The passkey was not accepted"),
        "{}",
        again.text()
    );
    let form = format!("credential={ANSWER}&next=%2Fpeople");
    let done = browser
        .post(confirm, endpoint::CONFIRM_BY_PASSKEY, &form)
        .await;
    assert_eq!(done.location, "/people");
    assert_eq!(world.done(), ["anna confirms"]);
}

#[tokio::test]
async fn the_doors_offer_one_where_browsers_make_any() {
    let mut plain = world();
    plain.passkeys_possible = false;
    let plain = Arc::new(plain);
    let door = Browser::signed_out(&plain).get(path::SIGN_IN).await;
    assert!(!door.html.contains("data-passkey"));
    let page = Browser::of(&plain, Role::Operator).get(PAGE).await;
    assert!(
        page.says("they need a host name and https"),
        "{}",
        page.text()
    );

    let world = Arc::new(world());
    let browser = Browser::signed_out(&world);
    let door = browser.get(path::SIGN_IN).await;
    assert!(door.html.contains(path::SIGN_IN_PASSKEY), "{}", door.html);
    let refused = browser.get("/sign-in?refused=1").await;
    assert!(refused.says("The passkey was not accepted"));
    let code = browser.get("/sign-in/code").await;
    assert!(!code.html.contains("data-passkey"));
    let both = browser.get("/sign-in/code?with=both").await;
    assert!(both.html.contains(path::SIGN_IN_CODE_PASSKEY));
    assert!(both.says("Code of your authenticator"));
    // A try that was refused comes back to the same page.
    let kept = "name=\"with\" value=\"passkey\"";
    let alone = browser.get("/sign-in/code?with=passkey").await;
    assert_eq!(alone.html.matches(kept).count(), 2, "{}", alone.html);
    assert!(alone.says("A recovery code"), "{}", alone.text());
}
