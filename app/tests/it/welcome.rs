//! What a one-time link opens, and how it is given away.

use std::sync::Arc;
use std::time::Duration;

use app::forms::endpoint;
use domain::invitation::Invitation;
use domain::person::Role;

use crate::browser::Browser;
use crate::fake_people::TOKEN;
use crate::fakes::{NOW, World};
use crate::scenes::world;

fn invited(name: Option<&str>) -> World {
    let mut world = world();
    world.invitation = Some(Invitation {
        name: name.map(str::to_owned),
        until: NOW.plus(Duration::from_secs(60)),
        used: false,
        overtaken: None,
    });
    world
}

fn link() -> String {
    domain::path::welcome(TOKEN)
}

#[tokio::test]
async fn whoever_is_invited_is_told_their_name_and_chooses_a_password() {
    let browser = Browser::signed_out(&Arc::new(invited(Some("carla"))));
    let page = browser.get(&link()).await;
    assert!(
        page.says("You sign in as carla . Choose your password."),
        "{}",
        page.text()
    );
    assert!(!page.html.contains("id=\"name\""));
    assert!(page.html.contains("value=\"carla\""));
    let wrong = format!("{}?wrong=easy&name=", link());
    let page = browser.get(&wrong).await;
    assert!(
        page.says("This password is easy to guess."),
        "{}",
        page.text()
    );
    assert!(
        page.html
            .contains("aria-describedby=\"password-error password-hint\"")
    );
}

#[tokio::test]
async fn the_first_admin_chooses_a_name_too_which_is_not_lost() {
    let browser = Browser::signed_out(&Arc::new(invited(None)));
    let page = browser.get(&link()).await;
    assert!(page.says("Become the first admin"), "{}", page.text());
    let wrong = format!("{}?wrong=again&name=ro%22ot", link());
    let page = browser.get(&wrong).await;
    assert!(page.html.contains("value=\"ro&quot;ot\""), "{}", page.html);
    assert!(page.html.contains("id=\"again-error\""));
}

#[tokio::test]
async fn a_link_that_opens_nothing_says_why() {
    let mut used = invited(Some("carla"));
    used.invitation.as_mut().unwrap().used = true;
    let mut old = invited(Some("carla"));
    old.invitation.as_mut().unwrap().until = NOW;
    let mut away = invited(Some("carla"));
    away.database_away = true;
    let mut unknown = world();
    unknown.invitation = None;
    for (world, said) in [
        (used, "was used already"),
        (old, "is too old"),
        (unknown, "no such link"),
        (away, "the link is not used up"),
    ] {
        let browser = Browser::signed_out(&Arc::new(world));
        let page = browser.get(&link()).await;
        assert!(page.says(said), "{said}: {}", page.text());
        assert!(!page.html.contains("type=\"password\""), "{said}");
    }
}

#[tokio::test]
async fn an_admin_is_shown_the_link_once_and_says_who_was_invited() {
    let mut world = world();
    world.people[1].invited_until = Some(NOW.plus(Duration::from_secs(3_600)));
    world.people[1].last_seen_at = None;
    let mut late = world.people[1].clone();
    late.name = "late".to_owned();
    late.invited_until = Some(NOW.minus(Duration::from_secs(1)));
    let mut elsewhere = world.people[1].clone();
    elsewhere.name = "elsewhere".to_owned();
    elsewhere.last_seen_at = Some(NOW);
    world.people.extend([late, elsewhere]);
    let world = Arc::new(world);
    let browser = Browser::of(&world, Role::Admin);
    let page = browser.get("/people").await;
    assert!(
        page.says("invited; the link opens until"),
        "{}",
        page.text()
    );
    assert!(page.says("invited; the link was not used and opens no more"));
    // By a provider, or before they were sent a new link.
    assert!(
        page.says("· a one-time link opens until"),
        "{}",
        page.text()
    );
    let done = browser
        .post("/people", endpoint::ADD_PERSON, "name=carla&role=viewer")
        .await;
    assert!(!done.location.contains(TOKEN), "{}", done.location);
    let page = browser.get("/people").await;
    assert!(page.says("The one-time link of carla"), "{}", page.text());
    assert!(page.html.contains(&link()));
    assert!(!browser.get("/people").await.html.contains(TOKEN));
}
