//! A code on another screen: the link for it, the question before it is opened, and what that screen shows.

use std::sync::Arc;

use app::forms::endpoint;
use domain::hand_off::HandOff;
use domain::operation::{OperationId, Outcome};
use domain::person::{Actor, Role};
use uuid::Uuid;

use crate::browser::Browser;
use crate::fakes::{NOW, World, hand_off};
use crate::scan::{PAGE, now_showing};

const ID: &str = "id=00000000-0000-0000-0000-000000000003";
const DRAWN: &str = "M0 0h1v1h-1zM1 1h1v1h-1z";

fn links() -> String {
    format!("{PAGE}/hand-off")
}

fn made() -> HandOff {
    let ben = Actor::CommandLine {
        user: "ben".to_owned(),
    };
    hand_off(ben, OperationId(Uuid::from_u128(3)))
}

fn with(made: HandOff) -> World {
    let mut world = now_showing();
    world.hand_offs = vec![made];
    world
}

fn opened() -> HandOff {
    HandOff {
        opened: Some((NOW, "10.0.0.7, Firefox on Android".to_owned())),
        ..made()
    }
}

#[tokio::test]
async fn whoever_may_see_the_code_makes_a_link_that_is_shown_once() {
    let world = Arc::new(now_showing());
    let browser = Browser::of(&world, Role::Operator);
    assert!(browser.get(PAGE).await.html.contains(&links()));
    let answer = browser.post(&links(), endpoint::HAND_OFF, ID).await;
    assert_eq!(answer.location, links());
    let page = browser.get(&links()).await;
    assert!(
        page.says("https://panel.example/hand-off/token-44"),
        "{}",
        page.text()
    );
    assert!(page.html.contains("<svg"));
    assert!(!browser.get(&links()).await.html.contains("token-44"));
    assert_eq!(world.done().len(), 1);
}

#[tokio::test]
async fn nobody_else_makes_one_and_none_is_made_for_what_has_ended() {
    for role in [Role::Manager, Role::Viewer] {
        let world = Arc::new(now_showing());
        let browser = Browser::of(&world, role);
        assert_eq!(browser.get(&links()).await.status, 403);
        browser.post(&links(), endpoint::HAND_OFF, ID).await;
        assert_eq!(world.done(), [""; 0]);
    }
    let mut world = now_showing();
    world.views[0].operation.outcome = Some(Outcome::Succeeded { note: None });
    let world = Arc::new(world);
    let browser = Browser::of(&world, Role::Admin);
    assert!(browser.get(&links()).await.says("nothing to hand off"));
    browser.post(&links(), endpoint::HAND_OFF, ID).await;
    assert_eq!(world.done(), [""; 0]);
}

#[tokio::test]
async fn the_list_says_where_each_was_opened_and_takes_it_back() {
    let world = Arc::new(with(opened()));
    let browser = Browser::of(&world, Role::Operator);
    let page = browser.get(&links()).await;
    assert!(
        page.says("opened from 10.0.0.7, Firefox on Android"),
        "{}",
        page.text()
    );
    let form = format!("{ID}&link=00000000-0000-0000-0000-000000000005");
    browser
        .post(&links(), endpoint::REVOKE_HAND_OFF, &form)
        .await;
    assert!(world.done()[0].starts_with("took back"));
}

#[tokio::test]
async fn a_link_asks_before_it_is_used_up_and_says_why_it_cannot_be_opened() {
    let cases = [
        (made(), "Show the code here"),
        (opened(), "was opened on a device already"),
        (
            HandOff {
                expires_at: NOW,
                ..made()
            },
            "older than ten minutes",
        ),
        (
            HandOff {
                revoked_at: Some(NOW),
                ..made()
            },
            "was taken back",
        ),
    ];
    for (link, words) in cases {
        let browser = Browser::signed_out(&Arc::new(with(link)));
        let page = browser.get("/hand-off/token-44").await;
        assert!(page.says(words), "{}", page.text());
        assert!(!page.html.contains(DRAWN));
    }
    let browser = Browser::signed_out(&Arc::new(with(made())));
    assert!(
        browser
            .get("/hand-off/other")
            .await
            .says("There is no such link")
    );
}

#[tokio::test]
async fn the_device_that_opened_it_sees_the_code_and_nothing_of_the_gateway() {
    let world = Arc::new(with(opened()));
    let page = Browser::signed_out(&world)
        .screen(opened())
        .get("/hand-off")
        .await;
    assert!(page.html.contains(DRAWN), "{}", page.html);
    assert!(page.html.contains("data-events=\"/events/hand-off\""));
    for kept in [
        "vps-i1",
        "ben",
        "Stop and put back",
        "Show on another screen",
    ] {
        assert!(!page.says(kept), "{kept}: {}", page.text());
    }
    let other = Browser::signed_out(&world).get("/hand-off").await;
    assert!(other.says("has no link open") && !other.html.contains(DRAWN));
    let back = HandOff {
        revoked_at: Some(NOW),
        ..opened()
    };
    let revoked = Browser::signed_out(&world)
        .screen(back)
        .get("/hand-off")
        .await;
    assert!(revoked.says("was taken back") && !revoked.html.contains(DRAWN));
}

#[tokio::test]
async fn it_says_how_it_ended() {
    let mut world = with(opened());
    world.views[0].operation.outcome = Some(Outcome::Succeeded { note: None });
    let page = Browser::signed_out(&Arc::new(world))
        .screen(opened())
        .get("/hand-off")
        .await;
    assert!(page.says("Linked and connected"), "{}", page.text());
    assert!(!page.html.contains(DRAWN));
}

#[tokio::test]
async fn a_link_is_mailed_and_audited_and_shown_whatever_becomes_of_the_mail() {
    let world = Arc::new(now_showing());
    let browser = Browser::of(&world, Role::Operator);
    let form = format!("{ID}&to=otto@example.org");
    let answer = browser.post(&links(), endpoint::HAND_OFF, &form).await;
    let page = browser.get(&answer.location).await;
    assert!(
        page.says("The mail is with the mail server."),
        "{}",
        page.text()
    );
    assert!(page.html.contains("token-44"));
    let mailed = "mailed https://panel.example/hand-off/token-44 to otto@example.org";
    assert_eq!(world.done()[1], mailed);
    let form = format!("{ID}&to=otto");
    let answer = browser.post(&links(), endpoint::HAND_OFF, &form).await;
    assert!(!answer.location.contains("token"), "{}", answer.location);
    let page = browser.get(&answer.location).await;
    assert!(page.says("That is no mail address."), "{}", page.text());
    assert!(page.html.contains("value=\"otto\"") && page.html.contains("token-44"));
    let written = world.written.lock().unwrap();
    let mails = written
        .iter()
        .filter(|event| event.action == "mail-hand-off");
    let mails: Vec<_> = mails.map(|event| event.outcome.as_str()).collect();
    assert_eq!(mails, ["requested", "succeeded", "requested", "failed"]);
    assert!(!format!("{written:?}").contains("token-44"));
}
