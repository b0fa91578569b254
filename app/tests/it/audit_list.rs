//! The trail as it is listed: filters in the URL, stories, masks.

use std::sync::Arc;

use domain::person::Role;

use crate::browser::Browser;
use crate::scenes::{ago, world};

#[tokio::test]
async fn a_chart_shows_events_over_time_with_outages_and_says_the_same_in_words() {
    let mut world = world();
    let down = |at, to| domain::history::Transition {
        at,
        to,
        ..world.facts.transitions[0].clone()
    };
    let day = 86_400;
    let changes = vec![
        down(ago(3 * day), domain::fact::State::Down),
        down(ago(3 * day - 3_600), domain::fact::State::Ok),
    ];
    world.facts.transitions = changes;
    let browser = Browser::of(&Arc::new(world), Role::Manager);
    let page = browser.get("/audit?span=30d").await;
    for said in [
        "6 events from 2026-12-16 to 2027-01-15, at most 6 in a day; 1 outage, 1 h in all.",
        "The same as a table",
        "2027-01-15 6",
        "OpenClaw on vps-i1: 1 h from 2027-01-12 08:00:00 UTC",
    ] {
        assert!(page.says(said), "{said}: {}", page.text());
    }
    assert_eq!(page.html.matches("<rect class=\"is-down\"").count(), 1);
    let page = browser.get("/audit?text=anna").await;
    assert!(
        page.says("There is no chart of a search in texts"),
        "{}",
        page.text()
    );
    // Many take a while: whoever wants it asks.
    let page = browser.get("/audit?outcome=denied&view=events").await;
    assert!(
        page.says("so many events take some seconds to count"),
        "{}",
        page.text()
    );
    let way = "/audit?outcome=denied&amp;view=events&amp;chart=all";
    assert!(page.html.contains(way), "{}", page.html);
    let page = browser
        .get("/audit?outcome=denied&view=events&chart=all")
        .await;
    assert!(page.says("The same as a table"), "{}", page.text());
    let page = browser.get("/audit?before=4").await;
    assert!(!page.says("The same as a table"), "{}", page.text());
}

#[tokio::test]
async fn an_operation_is_one_story_with_what_came_before_and_how_long_it_took() {
    let mut world = world();
    world.down_since = Some(ago(7_200 + 2_460));
    let browser = Browser::of(&Arc::new(world), Role::Admin);
    let page = browser.get("/audit").await;
    for said in [
        "Carla linked account work on openclaw",
        "took 3 min · after 41 min of outage · “the phone was changed”",
        "Steps, 2 events",
        "Sign-in refused 3 times for anna",
    ] {
        assert!(page.says(said), "{said}: {}", page.text());
    }
    assert!(!page.says("asked to link"), "{}", page.text());
    let events = browser.get("/audit?view=events").await;
    assert!(events.says("Carla asked to link account work on openclaw"));
    assert!(events.says("Somebody not signed in was refused a sign-in as anna"));
    assert!(!events.says("Steps, 2 events"));
}

#[tokio::test]
async fn every_filter_stands_in_the_url_and_can_be_taken_off() {
    let browser = Browser::of(&Arc::new(world()), Role::Manager);
    let page = browser
        .get("/audit?span=30d&what=relink&outcome=succeeded&text=phone")
        .await;
    assert!(page.says("Carla linked account work"), "{}", page.text());
    assert!(!page.says("Sign-in refused"));
    for (label, href) in [
        (
            "Last 30 days",
            "/audit?what=relink&amp;outcome=succeeded&amp;text=phone",
        ),
        (
            "Relink",
            "/audit?span=30d&amp;outcome=succeeded&amp;text=phone",
        ),
        ("Done", "/audit?span=30d&amp;what=relink&amp;text=phone"),
        (
            "“phone”",
            "/audit?span=30d&amp;what=relink&amp;outcome=succeeded",
        ),
    ] {
        let chip = page.pieces("<li><span>", "</li>");
        let chip = chip.iter().find(|chip| chip.starts_with(label));
        assert!(
            chip.is_some_and(|chip| chip.contains(&format!("href=\"{href}\""))),
            "{label}: {chip:?}"
        );
    }
    assert!(page.html.contains("<option value=\"relink\" selected"));
    let none = browser.get("/audit?text=zebra").await;
    assert!(none.says("No event fits"));
    assert!(none.html.contains("value=\"zebra\""));
}

#[tokio::test]
async fn a_field_that_cannot_be_read_says_so_beside_it_and_nothing_is_lost() {
    let browser = Browser::of(&Arc::new(world()), Role::Manager);
    let page = browser
        .get("/audit?from=yesterday&person=otto&operation=7&text=phone&outcome=failed")
        .await;
    assert_eq!(page.status, 200);
    for id in ["from-error", "person-error", "operation-error"] {
        assert!(page.html.contains(&format!("id=\"{id}\"")), "{id}");
        assert!(
            page.html.contains(&format!("aria-describedby=\"{id}\"")),
            "{id}"
        );
    }
    for kept in [
        "value=\"yesterday\"",
        "value=\"otto\"",
        "value=\"7\"",
        "value=\"phone\"",
        "value=\"failed\" selected",
    ] {
        assert!(page.html.contains(kept), "{kept}");
    }
    let folds = page.pieces("<details", ">");
    assert!(
        folds
            .iter()
            .any(|fold| fold.contains("fold") && fold.contains("open")),
        "{folds:?}"
    );
    assert!(page.says("Nothing is shown"));
    assert!(!page.says("linked account"));
}

#[tokio::test]
async fn pages_are_linked_both_ways() {
    let mut world = world();
    let first = world.audit[0].clone();
    for number in 100..220 {
        let mut event = first.clone();
        event.sequence = number;
        event.event.operation = None;
        "snooze-credential".clone_into(&mut event.event.action);
        world.audit.push(event);
    }
    let browser = Browser::of(&Arc::new(world), Role::Admin);
    let newest = browser.get("/audit?what=snooze-credential").await;
    assert!(
        newest
            .html
            .contains("href=\"/audit?what=snooze-credential&amp;before=170\""),
        "{}",
        newest.html
    );
    assert!(!newest.says("Newer"));
    let second = browser
        .get("/audit?what=snooze-credential&before=170")
        .await;
    assert!(second.html.contains("before=120"));
    assert!(second.html.contains("after=169"));
    let back = browser.get("/audit?what=snooze-credential&after=169").await;
    assert!(
        back.html.contains("before=170") && !back.html.contains("after="),
        "{}",
        back.html
    );
}

#[tokio::test]
async fn numbers_and_addresses_are_masked_for_those_who_need_not_see_them() {
    let world = Arc::new(world());
    for (role, shown) in [(Role::Admin, true), (Role::Manager, false)] {
        let browser = Browser::of(&world, role);
        for url in ["/audit", "/audit/5", "/audit?view=events", "/audit/review"] {
            let page = browser.get(url).await;
            for secret in ["+4915112345642", "94.31.7.12"] {
                assert_eq!(page.says(secret), shown, "{url} {secret}: {}", page.text());
            }
        }
        let search = browser.get("/audit?text=4915112").await;
        assert_eq!(search.says("four digits in a row at most"), !shown);
        assert_eq!(search.says("Carla linked"), shown, "{}", search.text());
    }
}

#[tokio::test]
async fn what_is_shown_can_be_downloaded_as_the_role_may_see_it() {
    let world = Arc::new(world());
    let csv = "href=\"/audit/download?format=csv&amp;span=week&amp;text=phone\"";
    for (role, lines) in [(Role::Admin, true), (Role::Manager, false)] {
        let page = Browser::of(&world, role)
            .get("/audit?span=week&text=phone")
            .await;
        assert!(page.html.contains(csv), "{}", page.html);
        assert_eq!(page.html.contains("format=jsonl"), lines);
    }
}

#[tokio::test]
async fn a_search_that_ended_early_says_so_and_goes_on() {
    let mut world = world();
    world.searched_to = Some(4_000);
    let page = Browser::of(&Arc::new(world), Role::Manager)
        .get("/audit?text=zebra")
        .await;
    assert!(page.says("The search ended before it had seen everything."));
    assert!(page.html.contains("/audit?text=zebra&amp;before=4000"));
}
