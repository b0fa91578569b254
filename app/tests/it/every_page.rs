//! What holds for every page.

use std::sync::Arc;
use std::time::Duration;

use domain::credential::Cause;
use domain::path;
use domain::person::Role;

use crate::browser::Browser;
use crate::fake_keys::rotated;
use crate::proposals::waiting;
use crate::scenes::{logged_out, operation, stopped_account, world};

const PAGES: [&str; 53] = [
    "/sign-in",
    "/sign-in?failed=1",
    "/sign-in?throttled=30",
    "/sign-in?late=1",
    "/sign-in?oidc=away&next=/people",
    "/sign-in/code",
    "/welcome/token-47",
    "/welcome/token-47?wrong=short&name=",
    "/sign-in/code?failed=1",
    "/gateways/openclaw",
    "/gateways/nowhere",
    "/gateways/openclaw/logs",
    "/gateways/openclaw/logs?lines=30&search=whatsapp&level=error",
    "/gateways/openclaw/operations",
    "/gateways/openclaw/operations/new/restart",
    "/gateways/openclaw/operations/new/recreate",
    "/gateways/openclaw/operations/new/reconnect?account=default",
    "/gateways/openclaw/operations/new/relink?account=default",
    "/gateways/openclaw/operations/new/recover?account=default",
    "/gateways/openclaw/operations/new/rotate-device",
    "/gateways/openclaw/operations/new/explode",
    "/operations/00000000-0000-0000-0000-000000000001",
    "/operations/00000000-0000-0000-0000-000000000002",
    "/operations/00000000-0000-0000-0000-000000000003",
    "/people",
    "/account",
    "/account/second-factor",
    "/account/tokens",
    "/account/confirm?next=/gateways/openclaw",
    "/gateways/openclaw/backups",
    "/gateways/openclaw/accounts",
    "/gateways/openclaw/wipe",
    "/gateways/openclaw/rotate-key",
    "/gateways/openclaw/rotate-key/00000000-0000-0000-0000-000000000001",
    "/proposals/00000000-0000-0000-0000-00000000002f",
    "/credentials",
    "/credentials/new",
    "/credentials/00000000-0000-0000-0000-000000000028",
    "/credentials/00000000-0000-0000-0000-00000000002a",
    "/credentials/00000000-0000-0000-0000-00000000002a/retire",
    "/credentials/nothing",
    "/audit",
    "/audit?view=events&what=changes&span=week",
    "/audit?span=soon&outcome=great&text=%E2%80%A6",
    "/audit/5",
    "/audit/9",
    "/audit/review",
    "/audit/report",
    "/audit/report?month=2027-01",
    "/audit/report?month=soon",
    "/audit/print?span=week",
    "/audit/print?span=soon",
    "/nothing/here",
];

#[tokio::test]
async fn one_heading_one_strong_button_and_nothing_inline() {
    let mut worlds = vec![world()];
    let mut other = world();
    other.observation = None;
    worlds.push(other);
    let mut other = world();
    other.observation = Some(Arc::new(logged_out()));
    other.holder = Some(operation(3, None));
    worlds.push(other);
    let mut other = world();
    other.observation = Some(Arc::new(stopped_account()));
    worlds.push(other);
    let mut other = world();
    other.keys.rotation = Some(rotated(Cause::Leak));
    other.second_person = true;
    other.proposal = Some(waiting(Duration::from_secs(60)));
    other.provider = Some("Example");
    worlds.push(other);
    let mut other = world();
    other.database_away = true;
    worlds.push(other);
    for world in worlds.into_iter().map(Arc::new) {
        for role in Role::ALL {
            let browser = Browser::of(&world, role);
            for url in PAGES {
                let page = browser.get(url).await;
                let html = &page.html;
                let place = format!("{url} as {}: {html}", role.as_str());
                assert_eq!(html.matches("<h1").count(), 1, "headings: {place}");
                assert_eq!(html.matches("<main").count(), 1, "mains: {place}");
                let strong = html.matches("btn primary").count();
                assert!(strong <= 1, "strong buttons: {place}");
                assert!(!html.contains(" style="), "style attribute: {place}");
                assert!(!html.contains("<style"), "style element: {place}");
                assert!(!html.contains(" onclick="), "handler: {place}");
                for script in page.pieces("<script", "</script>") {
                    assert!(script.contains("src=\"/assets/"), "inline script: {place}");
                    assert!(script.ends_with('>'), "script with content: {place}");
                }
                assert!(html.contains("<title>"), "title: {place}");
                assert!(html.contains("<html lang=\"en\""), "language: {place}");
                for button in page.pieces("<button", "</button>") {
                    let disabled = button.contains(" disabled");
                    let reason = button
                        .split_once("aria-describedby=\"")
                        .and_then(|(_, rest)| rest.split_once('"'))
                        .map(|(id, _)| format!("id=\"{id}\""));
                    let told = reason.is_some_and(|id| html.contains(&id));
                    assert!(
                        !disabled || told,
                        "disabled without a reason: {button} {place}"
                    );
                }
                assert!(!html.contains('\u{e000}'), "an age was left open: {place}");
                assert!(
                    !html.contains("secret detail"),
                    "a cause was shown: {place}"
                );
            }
        }
    }
}

#[tokio::test]
async fn nothing_in_a_url_becomes_markup() {
    let mut world = world();
    world.keys.rotation = Some(rotated(Cause::Leak));
    let world = Arc::new(world);
    let browser = Browser::of(&world, Role::Admin);
    let mut shown = 0;
    for url in PAGES {
        let mut asked = url.split('?').next().unwrap_or(url).to_owned();
        for (index, name) in [
            "reason",
            "comment",
            "name",
            "how",
            "seen_as",
            "note",
            "why",
            "procedure",
            "title",
            "place",
            "owner",
            "interval",
            "days",
            "rotated_on",
            "typed",
            "account",
            "to",
            "search",
            "next",
            "text",
            "from",
            "operation",
            "asked",
            "month",
        ]
        .into_iter()
        .enumerate()
        {
            let before = if index == 0 { "?" } else { "&" };
            asked.extend([before, name, "=%22%3E%3C%2Ftextarea%3E%3Ci%20id%3Dmark%3E"]);
        }
        let page = browser.get(&asked).await;
        assert!(!page.html.contains("<i id=mark>"), "{url}: {}", page.html);
        shown += page.html.matches("&lt;i id=mark&gt;").count();
    }
    assert!(shown > 5, "what is typed comes back: {shown}");
}

#[tokio::test]
async fn whoever_is_signed_out_is_sent_to_the_sign_in_page_and_back() {
    let world = Arc::new(world());
    let browser = Browser::signed_out(&world);
    let open = ["/sign-in", path::WELCOME];
    let inside = |url: &&str| !open.iter().any(|open| url.starts_with(open));
    for url in PAGES.into_iter().filter(inside) {
        let answer = browser.get(url).await;
        assert_eq!(answer.status, 303, "{url}");
        assert!(
            answer.location.starts_with("/sign-in?next=%2F"),
            "{}",
            answer.location
        );
        assert!(!answer.says("OpenClaw on vps-i1"), "{url}");
    }
}

#[test]
fn every_url() {
    let gateway = "openclaw".parse().unwrap();
    let operation = domain::operation::OperationId(uuid::Uuid::nil());
    let mut routes: Vec<&str> = app::urls().collect();
    routes.sort_unstable();
    let mut urls = vec![
        path::HOME.to_owned(),
        path::SIGN_IN.to_owned(),
        path::SIGN_IN_CODE.to_owned(),
        path::welcome("TOKEN"),
        path::SIGN_OUT.to_owned(),
        path::PEOPLE.to_owned(),
        path::AUDIT.to_owned(),
        path::audit_event(7),
        path::AUDIT_DOWNLOAD.to_owned(),
        path::AUDIT_PRINT.to_owned(),
        path::AUDIT_REPORT.to_owned(),
        path::REVIEW.to_owned(),
        path::ACCOUNT.to_owned(),
        path::CONFIRM_IDENTITY.to_owned(),
        path::SECOND_FACTOR.to_owned(),
        path::TOKENS.to_owned(),
        path::CREDENTIALS.to_owned(),
        path::NEW_CREDENTIAL.to_owned(),
        path::credential(uuid::Uuid::nil()),
        path::retire_credential(uuid::Uuid::nil()),
        path::calendar("TOKEN"),
        path::rotate_key(&gateway),
        path::accounts(&gateway),
        path::backups(&gateway),
        path::backup_download(&gateway, "NAME"),
        path::restore(&gateway, "NAME"),
        path::wipe(&gateway),
        path::rotate_key(&gateway),
        path::new_key(&gateway, &operation),
        path::gateway(&gateway),
        path::logs(&gateway),
        path::log_download(&gateway),
        path::operations(&gateway),
        path::confirm(&gateway, "restart"),
        path::operation(&operation),
        path::gateway_events(&gateway),
        path::operations_events(&gateway),
        path::operation_events(&operation),
        path::log_events(&gateway),
    ];
    urls.extend(app::forms::endpoint::ALL.map(str::to_owned));
    insta::assert_snapshot!(format!("{}\n---\n{}", urls.join("\n"), routes.join("\n")));
}
