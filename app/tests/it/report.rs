//! The report of a month: what it says, to whom, and what is printed of the trail.

use std::sync::Arc;

use domain::person::Role;
use domain::report::Facts;

use crate::browser::Browser;
use crate::fakes::panel;
use crate::scenes::world;

#[tokio::test]
async fn the_last_whole_month_is_told_with_the_ways_to_others() {
    let world = Arc::new(world());
    let page = Browser::of(&world, Role::Admin).get("/audit/report").await;
    for said in [
        "Report of December 2026",
        "1,071 events were recorded in December 2026, of 1 person; 1 of 12 operations on gateways was not done.",
        "Gateways were down 2 times, 1 of them planned, 42 min in all.",
        "1 rotation was noted",
        "7 sign-ins were refused",
        "4 reviews were made; no question was open",
        "The chain was checked 124 times and was whole each time.",
        "Sign in 1,040 times, restart 12 times (1 failed)",
        "OpenClaw on vps-i1 2 1 42 min 41 min",
        "Gateway key , openclaw 2026-12-20 anna",
        "+4915112345642 7 times 2 addresses",
        "3 events waited longer than the policy allows, the oldest since 2026-12-20.",
        "744 checkpoints in the month",
        "abababababab",
    ] {
        assert!(page.says(said), "{said}: {}", page.text());
    }
    assert!(page.html.contains("href=\"/audit/report?month=2026-11\""));
    assert!(page.html.contains("href=\"/audit/report?month=2027-01\""));
    assert!(!page.html.contains("month=2027-02"));
    let present = Browser::of(&world, Role::Admin)
        .get("/audit/report?month=2027-01")
        .await;
    assert!(present.says("so far"), "{}", present.text());
}

#[tokio::test]
async fn numbers_are_masked_by_role() {
    let world = Arc::new(world());
    let page = Browser::of(&world, Role::Manager)
        .get("/audit/report")
        .await;
    assert!(!page.html.contains("4915112345642"), "{}", page.text());
    assert!(page.says("Report of December 2026"));
}

#[tokio::test]
async fn what_is_no_month_stays_in_its_field_with_what_helps() {
    let browser = Browser::of(&Arc::new(world()), Role::Manager);
    for (asked, said) in [
        ("octember", "Give a month as 2026-10."),
        ("2027-02", "That month has not begun yet."),
    ] {
        let page = browser.get(&format!("/audit/report?month={asked}")).await;
        assert!(page.says(said), "{}", page.text());
        assert!(page.html.contains(&format!("value=\"{asked}\"")));
        assert!(page.html.contains("aria-invalid=\"true\""));
    }
}

#[tokio::test]
async fn a_month_as_a_mail_is_whole_sentences_without_targets() {
    let world = Arc::new(world());
    let month = domain::report::Month::parse("2026-12").unwrap();
    let letter = app::report_letter(&panel(&world), month).await.unwrap();
    let letter = letter.unwrap();
    assert_eq!(letter.subject, "OpenClaw Panel: report of December 2026");
    for said in [
        "1,071 events were recorded in December 2026, of 1 person;",
        "Anna: sign in 1,040 times, restart 12 times (1 failed).",
        "OpenClaw on vps-i1 was down 2 times, 1 of them planned: 42 min in all, 41 min the longest.",
        "Gateway key of openclaw was rotated by anna on 2026-12-20.",
        "https://panel.example/audit/report?month=2026-12",
    ] {
        assert!(letter.text.contains(said), "{said}: {}", letter.text);
    }
    assert!(!letter.text.contains("4915112345642"), "{}", letter.text);
}

#[tokio::test]
async fn a_month_of_which_nothing_is_known_is_not_mailed() {
    let mut world = world();
    world.facts = Facts::default();
    let month = domain::report::Month::parse("2026-12").unwrap();
    let letter = app::report_letter(&panel(&Arc::new(world)), month).await;
    assert_eq!(letter.unwrap(), None);
}
