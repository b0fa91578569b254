//! The register of credentials: its pages and its forms.

use std::sync::Arc;
use std::time::Duration;

use app::Viewer;
use app::forms::endpoint;
use domain::action::{STEP_UP, STEP_UP_GRACE};
use domain::credential::{Cause, Kind, Logging, Reminder, Rotation, Snooze, Stage};
use domain::fault::{Boundary, Fault, FaultKind};
use domain::operation::OperationId;
use domain::person::{Actor, Role};
use domain::ports::CalendarLink;
use uuid::Uuid;

use crate::browser::Browser;
use crate::fake_people::person;
use crate::fakes::{NOW, World};
use crate::scenes::{ago, credential, world};

const KEY: &str = "/credentials/00000000-0000-0000-0000-000000000028";
const SESSION: &str = "/credentials/00000000-0000-0000-0000-000000000029";
const SMTP: &str = "/credentials/00000000-0000-0000-0000-00000000002a";
const SMTP_ID: &str = "id=00000000-0000-0000-0000-00000000002a";
const KEY_ID: &str = "id=00000000-0000-0000-0000-000000000028";

fn admin(world: &Arc<World>) -> Browser {
    Browser::of(world, Role::Admin)
}

#[tokio::test]
async fn the_register_says_of_each_how_it_stands_most_urgent_first() {
    let mut world = world();
    world
        .credentials
        .push(credential(44, Kind::GithubToken, 93));
    let page = admin(&Arc::new(world)).get("/credentials").await;
    let text = page.text();
    for said in [
        "4 credentials",
        "GitHub token the file that the panel's configuration names, or its environment overdue by 3 days 93 days otto",
        "OpenClaw API key OpenClaw on vps-i1 due in 12 days 168 days otto 2026-07-31 by ben 2027-01-27",
        "SMTP &lt;password&gt; the mail server due in 87 days 3 days",
        "WhatsApp sessions OpenClaw on vps-i1 no date",
    ] {
        assert!(page.says(said), "{said}: {text}");
    }
    let place = |said| text.find(said).unwrap();
    let body = place("Next due");
    assert!(body < place("GitHub token the file"), "{text}");
    assert!(place("GitHub token the") < place("OpenClaw API key OpenClaw"));
    assert!(page.html.contains("class=\"chip is-down\""));
    assert!(page.html.contains("class=\"chip is-warn\""));
    // The navigation says the worst of it, on every page.
    assert!(page.says("Credentials 1 overdue"), "{text}");
}

#[tokio::test]
async fn the_navigation_says_what_is_due_soon_when_nothing_is_overdue() {
    let world = Arc::new(world());
    let page = admin(&world).get("/account").await;
    assert!(page.says("Credentials due in 12 d"), "{}", page.text());
}

#[tokio::test]
async fn an_empty_register_says_what_it_is_for() {
    let mut world = world();
    world.credentials.clear();
    let page = admin(&Arc::new(world)).get("/credentials").await;
    assert!(page.says("Nothing is listed yet"), "{}", page.text());
    assert!(page.says("Add a credential"));
}

#[tokio::test]
async fn credentials_of_a_gateway_that_is_not_configured_are_not_listed() {
    let mut world = world();
    world.credentials[0].gateway = "elsewhere".parse().ok();
    let browser = admin(&Arc::new(world));
    let page = browser.get("/credentials").await;
    assert!(!page.says("OpenClaw API key"), "{}", page.text());
    assert_eq!(browser.get(KEY).await.status, 404);
}

#[tokio::test]
async fn a_viewer_learns_nothing_of_the_register() {
    let mut world = world();
    world.credentials = vec![credential(40, Kind::GatewayKey, 183)];
    let world = Arc::new(world);
    let viewer = Browser::of(&world, Role::Viewer);
    for url in ["/credentials", KEY, "/credentials/new"] {
        let page = viewer.get(url).await;
        assert_eq!(page.status, 403, "{url}");
        assert!(!page.says("OpenClaw API key"), "{url}");
    }
    let page = viewer.get("/gateways/openclaw").await;
    assert!(!page.says("overdue") && !page.says("Credentials"));
    let made = viewer
        .post("/credentials", endpoint::MAKE_CALENDAR_LINK, "")
        .await;
    assert!(made.location.contains("__err="), "{}", made.location);
    assert_eq!(world.done(), [""; 0]);
}

#[tokio::test]
async fn managers_and_operators_read_and_change_nothing() {
    for role in [Role::Manager, Role::Operator] {
        let world = Arc::new(world());
        let browser = Browser::of(&world, role);
        assert_eq!(browser.get("/credentials").await.status, 200);
        let page = browser.get(SMTP).await;
        assert_eq!(page.status, 200);
        assert!(page.says("An admin notes rotations"), "{}", page.text());
        assert!(!page.html.contains("/api/credentials/"));
        assert_eq!(browser.get("/credentials/new").await.status, 403);
        for to in [
            endpoint::ADD_CREDENTIAL,
            endpoint::CHANGE_CREDENTIAL,
            endpoint::NOTE_ROTATION,
            endpoint::SNOOZE_CREDENTIAL,
            endpoint::RETIRE_CREDENTIAL,
        ] {
            let form = format!(
                "{SMTP_ID}&title=x&days=7&why=x&rotated_on=2027-01-15&cause=leak&steps[0]=0&steps[1]=1"
            );
            let answer = browser.post(SMTP, to, &form).await;
            assert!(answer.location.contains("__err="), "{to}");
        }
        assert_eq!(world.done(), [""; 0], "{}", role.as_str());
        assert_eq!(world.written.lock().unwrap().len(), 6);
    }
}

#[tokio::test]
async fn a_credentials_page_shows_its_procedure_as_markup_and_nothing_that_runs() {
    let page = admin(&Arc::new(world())).get(SMTP).await;
    assert!(
        page.html.contains("<li>Make <code>one</code></li>"),
        "{}",
        page.html
    );
    assert!(page.html.contains("&lt;b&gt;there&lt;/b&gt;"));
    assert!(!page.html.contains("<b>there</b>"));
    assert!(page.says("Due in 87 days"));
    assert!(page.says("Rotated on 2027-01-12 by ben, to be rotated every 90 days."));
}

#[tokio::test]
async fn the_gateways_key_is_rotated_on_a_page_of_its_own() {
    let page = admin(&Arc::new(world())).get(KEY).await;
    assert!(
        page.html
            .contains("href=\"/gateways/openclaw/rotate-key\" class=\"btn primary\""),
        "{}",
        page.html
    );
    let session = admin(&Arc::new(world())).get(SESSION).await;
    assert!(session.html.contains("/gateways/openclaw/accounts\">See"));
    assert!(session.says("No date"));
}

#[tokio::test]
async fn the_panels_identity_is_renewed_by_an_operation_of_an_admin_who_has_confirmed() {
    const DEVICE: &str = "/credentials/00000000-0000-0000-0000-00000000002b";
    const QUESTION: &str = "/gateways/openclaw/operations/new/rotate-device";
    const ASKED: &str = "gateway=openclaw&kind=rotate-device&key=k1&reason=copied";
    let of = |role| {
        let mut world = world();
        world
            .credentials
            .push(credential(43, Kind::PanelDevice, 400));
        let world = Arc::new(world);
        (Browser::of(&world, role), world)
    };
    let (browser, world) = of(Role::Admin);
    let page = browser.get(DEVICE).await;
    let link = format!("href=\"{QUESTION}\" class=\"btn primary\"");
    assert!(page.html.contains(&link), "{}", page.html);
    assert!(page.says("By hand, when the panel cannot"));
    let page = browser.get(QUESTION).await;
    for said in [
        "Renew the panel's device identity?",
        "Nothing is lost, and no message waits",
        "Until the old device is removed it can be stopped",
        "Somebody may know it who should not.",
    ] {
        assert!(page.says(said), "{said}: {}", page.text());
    }
    let why_not = browser.post(QUESTION, endpoint::START, ASKED).await;
    assert!(why_not.location.contains("__err="), "{}", why_not.location);
    assert_eq!(world.done(), [""; 0]);
    let asked = format!("{ASKED}&cause=leak");
    let answer = browser.post(QUESTION, endpoint::START, &asked).await;
    assert!(
        answer.location.starts_with("/operations/"),
        "{}",
        answer.location
    );
    assert_eq!(
        world.done(),
        ["anna started Renew the panel's device identity (Leak) (k1) because Some(\"copied\")"]
    );
    let (browser, world) = of(Role::Operator);
    assert!(!browser.get(DEVICE).await.html.contains(QUESTION));
    let answer = browser.post(QUESTION, endpoint::START, &asked).await;
    assert!(answer.location.contains("__err="), "{}", answer.location);
    assert_eq!(world.done(), [""; 0]);
}

#[tokio::test]
async fn what_became_of_it_is_told_with_who_and_why() {
    let mut world = world();
    world.rotations = vec![Rotation {
        id: Uuid::from_u128(1),
        at: ago(3 * 86_400),
        by: Actor::CommandLine {
            user: "ben".to_owned(),
        },
        cause: Cause::Leak,
        operation: Some(OperationId(Uuid::from_u128(3))),
        fingerprint: "abcdef012345".to_owned().try_into().ok(),
        note: Some("seen in a chat".to_owned()),
        log: None,
    }];
    world.reminders = vec![Reminder {
        stage: Stage::Week,
        due_at: NOW,
        at: ago(7 * 86_400),
        mailed_to: Some("otto@example.org".to_owned()),
        failed: None,
    }];
    let page = admin(&Arc::new(world)).get(SMTP).await;
    for said in [
        "Rotated by ben",
        "Somebody may know it who should not. · “seen in a chat” · fingerprint abcdef012345",
        "Due within 7 days",
        "mailed to otto@example.org",
    ] {
        assert!(page.says(said), "{said}: {}", page.text());
    }
    assert!(
        page.html
            .contains("/operations/00000000-0000-0000-0000-000000000003")
    );
}

const DONE: &str = "rotated_on=2027-01-14&cause=person-left&note=after+carla+left";

#[tokio::test]
async fn a_rotation_done_elsewhere_is_noted_once_every_step_is_ticked() {
    let world = Arc::new(world());
    let browser = admin(&world);
    let form = format!("{SMTP_ID}&{DONE}&steps[0]=0");
    let answer = browser.post(SMTP, endpoint::NOTE_ROTATION, &form).await;
    let page = browser.get(&answer.location).await;
    assert_eq!(page.text().matches("Not everything is ticked.").count(), 1);
    assert!(page.html.contains("aria-describedby=\"steps-error\""));
    // What was filled in is there still.
    assert!(page.html.contains("after carla left"));
    assert!(page.html.contains("value=\"2027-01-14\""));
    let ticks = page.pieces("type=\"checkbox\"", ">");
    let ticked: Vec<_> = ticks.iter().map(|tick| tick.contains(" checked")).collect();
    assert_eq!(ticked, [true, false]);
    assert_eq!(world.done(), [""; 0]);
    let form = format!("{SMTP_ID}&{DONE}&steps[0]=0&steps[1]=1");
    let answer = browser.post(SMTP, endpoint::NOTE_ROTATION, &form).await;
    assert_eq!(answer.location, format!("{SMTP}?done=rotated"));
    assert_eq!(
        world.done(),
        ["anna rotated 42 on 2027-01-14, person-left, Some(\"after carla left\")"]
    );
    let page = browser.get(&answer.location).await;
    assert!(page.says("The rotation is noted, here and in the audit trail."));
}

#[tokio::test]
async fn what_a_person_noted_goes_into_the_rotation_log_and_what_fails_is_tried_again() {
    let form = format!("{SMTP_ID}&{DONE}&steps[0]=0&steps[1]=1");
    let mut logged = world();
    logged.keys.repository = Some(Ok(()));
    let logged = Arc::new(logged);
    let browser = admin(&logged);
    let answer = browser.post(SMTP, endpoint::NOTE_ROTATION, &form).await;
    assert_eq!(answer.location, format!("{SMTP}?done=logged"));
    assert_eq!(
        logged.done()[1..],
        [
            "logged for anna",
            "51: Committed(\"Committed as 1a2b3c4.\")"
        ]
    );

    let mut failed = world();
    let why = "A merge is in progress.";
    failed.keys.repository = Some(Err(Fault::new(FaultKind::Refused, Boundary::Compose, why)));
    let mut noted = failed.credentials[2].last.clone().unwrap();
    noted.log = Some(Logging::Failed(why.to_owned()));
    let again = format!("{SMTP_ID}&rotation={}", noted.id);
    failed.rotations = vec![noted];
    let failed = Arc::new(failed);
    let browser = admin(&failed);
    let answer = browser.post(SMTP, endpoint::NOTE_ROTATION, &form).await;
    let page = browser.get(&answer.location).await;
    assert!(page.says("It is not in the rotation log yet; below is why."));
    assert!(
        page.says("Not in the rotation log: A merge is in progress."),
        "{}",
        page.text()
    );
    assert!(page.says("Try the log again"));
    let answer = browser.post(SMTP, endpoint::LOG_ROTATION, &again).await;
    assert_eq!(answer.location, format!("{SMTP}?done=not-logged"));
    assert_eq!(failed.done().len(), 3, "{:?}", failed.done());
}

#[tokio::test]
async fn a_day_that_has_not_come_is_told_beside_its_field() {
    let world = Arc::new(world());
    let browser = admin(&world);
    for day in ["2027-01-16", "soon"] {
        let form = format!("{SMTP_ID}&rotated_on={day}&cause=leak&steps[0]=0&steps[1]=1");
        let answer = browser.post(SMTP, endpoint::NOTE_ROTATION, &form).await;
        let page = browser.get(&answer.location).await;
        assert!(
            page.html.contains("aria-describedby=\"rotated_on-error\""),
            "{day}"
        );
        assert_eq!(page.text().matches("Give a day that has come").count(), 1);
    }
    assert_eq!(world.done(), [""; 0]);
}

#[tokio::test]
async fn a_procedure_without_steps_is_one_tick() {
    let mut world = world();
    "Ask the hoster.".clone_into(&mut world.credentials[2].procedure);
    let world = Arc::new(world);
    let browser = admin(&world);
    let page = browser.get(SMTP).await;
    assert_eq!(page.pieces("type=\"checkbox\"", ">").len(), 1);
    let form = format!("{SMTP_ID}&rotated_on=2027-01-15&cause=leak&steps[0]=0");
    browser.post(SMTP, endpoint::NOTE_ROTATION, &form).await;
    assert_eq!(world.done(), ["anna rotated 42 on 2027-01-15, leak, None"]);
}

#[tokio::test]
async fn a_snooze_needs_a_reason() {
    let world = Arc::new(world());
    let browser = admin(&world);
    let form = format!("{SMTP_ID}&days=30&why=++");
    let answer = browser.post(SMTP, endpoint::SNOOZE_CREDENTIAL, &form).await;
    let page = browser.get(&answer.location).await;
    assert!(page.html.contains("aria-describedby=\"why-error\""));
    assert_eq!(page.text().matches("Say why it can wait").count(), 1);
    assert!(
        page.html.contains("<option value=\"30\" selected"),
        "{}",
        page.html
    );
    assert_eq!(world.done(), [""; 0]);
    let form = format!("{SMTP_ID}&days=30&why=otto+is+away");
    browser.post(SMTP, endpoint::SNOOZE_CREDENTIAL, &form).await;
    let form = format!("{SMTP_ID}&days=4000&why=otto+is+away");
    browser.post(SMTP, endpoint::SNOOZE_CREDENTIAL, &form).await;
    assert_eq!(world.done(), ["snoozed 42 until 2027-02-14: otto is away"]);
}

#[tokio::test]
async fn a_snooze_is_told_with_its_reason_and_warns_nobody() {
    let mut world = world();
    let mut key = credential(40, Kind::GatewayKey, 183);
    key.snoozed = Some(Snooze {
        until: NOW.plus(Duration::from_secs(5 * 86_400)),
        why: "otto is away".to_owned(),
        by: Actor::Panel,
    });
    world.credentials = vec![key];
    let browser = admin(&Arc::new(world));
    let page = browser.get(KEY).await;
    assert!(
        page.says("Snoozed until 2027-01-20, overdue by 3 days"),
        "{}",
        page.text()
    );
    assert!(page.says("Snoozed by the panel: “otto is away”"));
    let page = browser.get("/gateways/openclaw").await;
    assert!(!page.says("overdue"), "{}", page.text());
}

#[tokio::test]
async fn what_is_overdue_is_a_warning_on_the_gateways_page() {
    let mut world = world();
    world.credentials = vec![
        credential(40, Kind::GatewayKey, 183),
        credential(44, Kind::GithubToken, 1),
    ];
    let world = Arc::new(world);
    for role in [Role::Admin, Role::Operator, Role::Manager] {
        let page = Browser::of(&world, role).get("/gateways/openclaw").await;
        assert!(
            page.says("OpenClaw API key: overdue by 3 days. See it"),
            "{}",
            page.text()
        );
        assert!(!page.says("GitHub token"));
        assert!(page.html.contains(KEY));
    }
}

#[tokio::test]
async fn a_register_that_cannot_be_read_costs_only_its_own_pages() {
    let mut world = world();
    world.database_away = true;
    let browser = admin(&Arc::new(world));
    assert_eq!(browser.get("/gateways/openclaw").await.status, 200);
    for url in ["/credentials", KEY] {
        let page = browser.get(url).await;
        assert_eq!(page.status, 503, "{url}");
        assert!(page.says("tell an admin the number"), "{url}");
    }
}

#[tokio::test]
async fn what_is_typed_wrong_comes_back_with_its_error_beside_its_field() {
    let world = Arc::new(world());
    let browser = admin(&world);
    let form = "title=SMTP+password&place=vault&owner=otto&interval=soon&procedure=1.+change+it";
    let answer = browser
        .post("/credentials/new", endpoint::ADD_CREDENTIAL, form)
        .await;
    let page = browser.get(&answer.location).await;
    assert!(
        page.html
            .contains("aria-describedby=\"interval-hint interval-error\"")
    );
    assert_eq!(page.text().matches("Give 1 to 3650 days").count(), 1);
    for kept in ["value=\"SMTP password\"", "value=\"vault\"", "1. change it"] {
        assert!(page.html.contains(kept), "{kept}: {}", page.html);
    }
    assert_eq!(world.done(), [""; 0]);
    let form = form.replace("soon", "90");
    let answer = browser
        .post("/credentials/new", endpoint::ADD_CREDENTIAL, &form)
        .await;
    assert_eq!(
        answer.location,
        "/credentials/00000000-0000-0000-0000-00000000002b"
    );
    assert_eq!(world.done().len(), 1);
    assert!(world.done()[0].contains("interval_days: Some(90)"));
}

#[tokio::test]
async fn a_change_that_is_wrong_opens_the_form_again_as_it_was_typed() {
    let world = Arc::new(world());
    let browser = admin(&world);
    let before = browser.get(SMTP).await;
    assert!(
        before
            .html
            .contains("<details class=\"card pad\"><summary>")
    );
    let form = format!("{SMTP_ID}&title=&place=x&owner=&interval=&procedure=");
    let answer = browser.post(SMTP, endpoint::CHANGE_CREDENTIAL, &form).await;
    let page = browser.get(&answer.location).await;
    assert!(
        page.html.contains("<details open class=\"card pad\">"),
        "{}",
        page.html
    );
    assert!(page.says("Say what people call it."));
    assert!(
        page.html.contains("name=\"owner\" value=\"\""),
        "{}",
        page.html
    );
    assert_eq!(world.done(), [""; 0]);
}

#[tokio::test]
async fn owner_interval_and_procedure_of_what_the_panel_knows_are_changed_and_its_name_is_not() {
    let world = Arc::new(world());
    let browser = admin(&world);
    let page = browser.get(KEY).await;
    assert!(!page.html.contains("name=\"title\""));
    let form = format!("{KEY_ID}&owner=otto%40example.org&interval=90&procedure=x");
    let answer = browser.post(KEY, endpoint::CHANGE_CREDENTIAL, &form).await;
    assert_eq!(answer.location, format!("{KEY}?done=changed"));
    let done = world.done();
    assert!(done[0].contains("title: \"OpenClaw API key\""), "{done:?}");
    assert!(done[0].contains("owner: \"otto@example.org\""), "{done:?}");
}

/// An admin whose password was typed so long ago.
fn confirmed(world: &Arc<World>, ago: Duration) -> Browser {
    let person = person(1, "anna", Role::Admin);
    let viewer = Viewer {
        actor: Actor::Person {
            id: person.id,
            name: person.name.clone(),
            role: Role::Admin,
            address: None,
            browser: None,
            session: None,
            token: None,
        },
        person,
        session: None,
        sessions: Arc::default(),
        signed_in_at: NOW,
        confirmed_at: NOW.minus(ago),
    };
    Browser::with(world, Some(viewer))
}

#[tokio::test]
async fn one_that_a_person_added_is_taken_out_with_a_password_that_was_typed_lately() {
    let world = Arc::new(world());
    let retire = format!("{SMTP}/retire");
    let stale = confirmed(&world, STEP_UP + STEP_UP_GRACE + Duration::from_secs(1));
    let asked = stale.get(&retire).await;
    assert!(
        asked.location.starts_with("/account/confirm"),
        "{}",
        asked.location
    );
    let form = format!("{SMTP_ID}&reason=not+used+any+more");
    stale
        .post(&retire, endpoint::RETIRE_CREDENTIAL, &form)
        .await;
    assert_eq!(world.done(), [""; 0]);
    let fresh = confirmed(&world, Duration::ZERO);
    let page = fresh.get(&retire).await;
    assert!(
        page.says("Take SMTP &lt;password&gt; out of the register?"),
        "{}",
        page.text()
    );
    let answer = fresh
        .post(&retire, endpoint::RETIRE_CREDENTIAL, &form)
        .await;
    assert_eq!(answer.location, "/credentials");
    assert_eq!(
        world.done(),
        ["retired SMTP <password>: Some(\"not used any more\")"]
    );
}

#[tokio::test]
async fn what_is_there_anyway_cannot_be_taken_out_and_the_page_says_why() {
    let world = Arc::new(world());
    let browser = admin(&world);
    assert!(!browser.get(KEY).await.html.contains("/retire"));
    let retire = format!("{KEY}/retire");
    let page = browser.get(&retire).await;
    assert!(page.says("This one is there whether or not the register lists it."));
    let answer = browser
        .post(&retire, endpoint::RETIRE_CREDENTIAL, KEY_ID)
        .await;
    let page = browser.get(&answer.location).await;
    assert_eq!(page.text().matches("Snooze it instead.").count(), 2);
    assert_eq!(world.done(), [""; 0]);
}

#[tokio::test]
async fn a_calendar_link_is_shown_once_and_never_in_a_url() {
    let world = Arc::new(world());
    let browser = Browser::of(&world, Role::Manager);
    let answer = browser
        .post("/credentials", endpoint::MAKE_CALENDAR_LINK, "")
        .await;
    assert_eq!(answer.location, "/credentials");
    let link = "https://panel.example/calendar/calendar-token-45/credentials.ics";
    assert!(browser.get("/credentials").await.says(link));
    assert!(!browser.get("/credentials").await.says("calendar-token-45"));
}

#[tokio::test]
async fn a_calendar_link_says_when_it_was_used_and_is_taken_back() {
    let mut world = world();
    world.calendar_link = Some(CalendarLink {
        made_at: ago(86_400),
        used_at: Some(ago(60)),
    });
    let world = Arc::new(world);
    let browser = admin(&world);
    let page = browser.get("/credentials").await;
    assert!(page.says("last used 07:59 UTC"), "{}", page.text());
    assert!(page.says("Replace it"));
    browser
        .post("/credentials", endpoint::REMOVE_CALENDAR_LINK, "")
        .await;
    assert_eq!(world.done(), ["anna removed the calendar link"]);
}
