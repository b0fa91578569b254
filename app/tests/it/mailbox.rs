//! Where mail about one's own account goes.

use std::sync::Arc;
use std::time::Duration;

use app::forms::endpoint;
use domain::mailbox::OwnMailbox;
use domain::path;
use domain::person::Role;

use crate::browser::Browser;
use crate::fakes::World;
use crate::scenes::world;
use crate::second_factor::anna;

const HEADING: &str = "Mail about your account";

fn with(address: &str, failed: Option<&str>) -> Arc<World> {
    let mut world = world();
    world.mailbox = Some(OwnMailbox {
        address: address.parse().unwrap(),
        failed: failed.map(str::to_owned),
    });
    Arc::new(world)
}

#[tokio::test]
async fn an_address_is_set_changed_and_taken_away_and_both_get_a_mail() {
    let world = Arc::new(world());
    let browser = Browser::of(&world, Role::Viewer);
    assert!(browser.get(path::ACCOUNT).await.says(HEADING));
    let form = "mail=+otto%40example.org+";
    let sent = browser.post(path::ACCOUNT, endpoint::SET_MAIL, form).await;
    assert_eq!(sent.location, "/account?done=mail");
    assert!(browser.get(&sent.location).await.says("One is on its way."));
    assert_eq!(
        world.done(),
        [
            "anna's mail goes to otto@example.org",
            "mailed https://panel.example/account to otto@example.org"
        ]
    );

    let world = with("otto@example.org", None);
    let browser = Browser::of(&world, Role::Viewer);
    let page = browser.get(path::ACCOUNT).await;
    assert!(
        page.html.contains("value=\"otto@example.org\""),
        "{}",
        page.html
    );
    let sent = browser
        .post(path::ACCOUNT, endpoint::SET_MAIL, "mail=")
        .await;
    assert_eq!(sent.location, "/account?done=mail-gone");
    assert_eq!(
        world.done(),
        [
            "anna's mail goes to nowhere",
            "mailed https://panel.example/account to otto@example.org"
        ]
    );
}

#[tokio::test]
async fn what_is_no_address_is_told_beside_the_field_with_what_was_typed() {
    let world = Arc::new(world());
    let browser = Browser::of(&world, Role::Viewer);
    let form = "mail=otto%40example.org%2C+ben%40example.org";
    let sent = browser.post(path::ACCOUNT, endpoint::SET_MAIL, form).await;
    let back = browser.get(&sent.location).await;
    assert!(back.html.contains("id=\"mail-error\""), "{}", back.html);
    assert!(back.says("That is no mail address. It looks like anna@example.org."));
    assert!(
        back.html
            .contains("value=\"otto@example.org, ben@example.org\"")
    );
    assert!(world.done().is_empty());
}

#[tokio::test]
async fn a_mail_that_does_not_go_out_is_said_and_changes_nothing_else() {
    let world = Arc::new(world());
    let browser = Browser::of(&world, Role::Viewer);
    let sent = browser
        .post(
            path::ACCOUNT,
            endpoint::SET_MAIL,
            "mail=nobody%40example.org",
        )
        .await;
    assert_eq!(sent.location, "/account?done=mail-later");
    let page = browser.get(&sent.location).await;
    assert!(page.says("The address is kept, but the first mail to it did not go out"));
    assert_eq!(world.done(), ["anna's mail goes to nobody@example.org"]);

    let failing = with("anna@example.org", Some("The mail server does not answer."));
    let page = Browser::of(&failing, Role::Viewer).get(path::ACCOUNT).await;
    assert!(page.says("is tried again: The mail server does not answer."));
}

#[tokio::test]
async fn whoever_has_not_confirmed_lately_sees_it_and_changes_nothing() {
    let world = with("anna@example.org", None);
    let late = anna(Role::Viewer, 9, Duration::from_secs(901));
    let browser = Browser::with(&world, Some(late));
    let page = browser.get(path::ACCOUNT).await;
    assert!(page.says("It goes to anna@example.org."), "{}", page.text());
    assert!(!page.html.contains(endpoint::SET_MAIL));
    browser
        .post(path::ACCOUNT, endpoint::SET_MAIL, "mail=otto%40example.org")
        .await;
    assert!(world.done().is_empty());
}
