//! The code that links an account: who is shown it, and what is written down about it.

use std::sync::Arc;
use std::time::Duration;

use domain::audit::act;
use domain::operation::{Command, Outcome};
use domain::person::Role;
use domain::scan::{Code, Picture, Scan};
use domain::time::Timestamp;

use crate::browser::Browser;
use crate::fakes::{NOW, World};
use crate::scenes::{logged_out, operation, world};

pub(crate) const PAGE: &str = "/operations/00000000-0000-0000-0000-000000000003";
const SECRET: &str = "https://wa.me/settings/linked_devices#2@secret";

fn code() -> Code {
    Code::new(
        format!("data:image/png;base64,{SECRET}").into(),
        Picture::Modules {
            side: 2,
            dark: vec![true, false, false, true],
            link: SECRET.into(),
        },
    )
}

fn relink() -> Command {
    Command::Relink {
        gateway: "openclaw".parse().unwrap(),
        account: "default".parse().unwrap(),
    }
}

fn showing(scan: Scan) -> World {
    let mut world = world();
    world.views[0].operation.command = relink();
    world.scan = Some(scan);
    world
}

pub(crate) fn now_showing() -> World {
    showing(Scan::Showing {
        code: code(),
        good_until: Timestamp::from_millis(i64::MAX / 2),
        attempt: 2,
        attempts: 5,
    })
}

#[tokio::test]
async fn operators_and_admins_are_shown_the_code_and_that_is_written_down_once() {
    for role in [Role::Operator, Role::Admin] {
        let world = Arc::new(now_showing());
        let browser = Browser::of(&world, role);
        for _ in 0..2 {
            let page = browser.get(PAGE).await;
            assert!(
                page.html.contains("M0 0h1v1h-1zM1 1h1v1h-1z"),
                "{}",
                page.html
            );
            assert!(page.says("attempt 2 of 5"), "{}", page.html);
        }
        let written = world.written.lock().unwrap();
        let viewings: Vec<_> = written
            .iter()
            .filter(|event| event.action == act::VIEW_CODE)
            .collect();
        assert_eq!(viewings.len(), 1);
        assert!(!format!("{written:?}").contains("secret"));
    }
}

#[tokio::test]
async fn nobody_else_is_shown_it_on_any_page() {
    for role in [Role::Manager, Role::Viewer] {
        let world = Arc::new(now_showing());
        let browser = Browser::of(&world, role);
        for url in [
            PAGE,
            "/gateways/openclaw",
            "/gateways/openclaw/operations",
            "/gateways/openclaw/accounts/default/relink",
            "/gateways/openclaw/operations/new/relink?account=default",
            "/audit",
        ] {
            let html = browser.get(url).await.html;
            assert!(
                !html.contains("secret") && !html.contains("M0 0h1v1h-1z"),
                "{url}: {html}"
            );
        }
        let html = browser.get(PAGE).await.html;
        assert!(html.contains("operators and admins only"), "{html}");
    }
}

#[tokio::test]
async fn without_an_audit_trail_no_code_is_shown() {
    let mut world = now_showing();
    world.database_away = true;
    let html = Browser::of(&Arc::new(world), Role::Admin)
        .get(PAGE)
        .await
        .html;
    assert!(!html.contains("secret"), "{html}");
}

#[tokio::test]
async fn no_code_is_left_when_it_was_scanned_or_is_over() {
    let spent = Scan::Spent {
        until: NOW.plus(Duration::from_secs(90)),
    };
    for scan in [Scan::Preparing, Scan::Renewing, spent, Scan::Scanned] {
        let world = Arc::new(showing(scan));
        let html = Browser::of(&world, Role::Admin).get(PAGE).await.html;
        assert!(html.contains(r#"class="code is-empty""#), "{html}");
    }
    let mut world = now_showing();
    world.views[0].operation.outcome = Some(Outcome::Succeeded { note: None });
    let html = Browser::of(&Arc::new(world), Role::Admin)
        .get(PAGE)
        .await
        .html;
    assert!(!html.contains("secret"), "{html}");
}

#[tokio::test]
async fn the_address_of_linking_goes_to_the_operation_or_to_the_page_that_starts_one() {
    const HERE: &str = "/gateways/openclaw/accounts/default/relink";
    let mut running = now_showing();
    let mut holder = operation(3, None);
    holder.command = relink();
    running.holder = Some(holder);
    let page = Browser::of(&Arc::new(running), Role::Operator)
        .get(HERE)
        .await;
    assert_eq!(page.location.as_str(), PAGE);
    let page = Browser::of(&Arc::new(world()), Role::Operator)
        .get(HERE)
        .await;
    assert_eq!(
        page.location.as_str(),
        "/gateways/openclaw/operations/new/relink?account=default"
    );
}

#[tokio::test]
async fn linking_is_offered_when_the_link_is_gone_and_not_before() {
    const START: &str = "/gateways/openclaw/operations/new/relink?account=default";
    let html = Browser::of(&Arc::new(world()), Role::Operator)
        .get(START)
        .await
        .html;
    assert!(
        html.contains("Not needed: the account is linked and connected."),
        "{html}"
    );
    let mut gone = world();
    gone.observation = Some(Arc::new(logged_out()));
    let html = Browser::of(&Arc::new(gone), Role::Operator)
        .get(START)
        .await
        .html;
    assert!(
        html.contains(r#"<button class="btn primary">Link</button>"#),
        "{html}"
    );
}
