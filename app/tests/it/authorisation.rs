//! Who may open which page and send which form: a golden list of all of them. A page or a form without its line here
//! fails the build.

use std::sync::Arc;
use std::time::Duration;

use app::PanelError;
use app::forms::endpoint;
use domain::credential::Cause;
use domain::person::{Role, Roles};

use crate::backups::kept;
use crate::browser::Browser;
use crate::fake_keys::rotated;
use crate::fake_people::{ANSWER, CODE};
use crate::fakes::{PASSWORD, World};
use crate::proposals::waiting;

const OPERATION: &str = "00000000-0000-0000-0000-000000000001";
const RUNNING: &str = "00000000-0000-0000-0000-000000000003";
const STUCK: &str = "00000000-0000-0000-0000-000000000002";
const CREDENTIAL: &str = "00000000-0000-0000-0000-00000000002a";
const PROPOSAL: &str = "00000000-0000-0000-0000-00000000002f";

/// A world in which there is something to be done everywhere.
pub(crate) fn rich() -> Arc<World> {
    let mut world = kept();
    world.keys.rotation = Some(rotated(Cause::Leak));
    world.proposal = Some(waiting(Duration::from_secs(60)));
    Arc::new(world)
}

/// A page's URL with its variable parts filled in.
fn filled(url: &str, world: &World) -> String {
    let of_gateway = url.starts_with("/gateways/");
    let id = match url {
        "/proposals/{id}" => PROPOSAL,
        _ if of_gateway => "openclaw",
        _ if url.starts_with("/credentials/") => CREDENTIAL,
        _ => OPERATION,
    };
    url.replace("{id}", id)
        .replace("{operation}", OPERATION)
        .replace("{kind}", "restart")
        .replace("{account}", "default")
        .replace("{name}", &world.backups.as_ref().unwrap()[0].name)
        .replace("{sequence}", "1")
}

/// What a form is sent with: enough to get as far as the question who may.
fn body(form: &str, person: &str) -> String {
    let gateway = "gateway=openclaw";
    let of_operation = format!("{gateway}&operation={OPERATION}");
    match form {
        endpoint::START => format!("{gateway}&kind=restart&key=k"),
        endpoint::CANCEL | endpoint::HAND_OFF => format!("id={RUNNING}"),
        endpoint::SKIP => format!("id={RUNNING}&step=wait"),
        endpoint::ABANDON => format!("id={STUCK}&comment=looked"),
        endpoint::REVOKE_HAND_OFF => format!("id={RUNNING}&link={OPERATION}"),
        endpoint::ADD_PERSON => "name=carla&role=viewer".to_owned(),
        endpoint::SET_ROLE => format!("id={person}&role=viewer"),
        endpoint::DISABLE_PERSON
        | endpoint::ENABLE_PERSON
        | endpoint::RESET_PASSWORD
        | endpoint::DISCONNECT_PERSON
        | endpoint::END_SESSIONS_OF
        | endpoint::END_SESSION
        | endpoint::ACKNOWLEDGE_SESSION
        | endpoint::RESET_SECOND_FACTOR
        | endpoint::REMOVE_PASSKEY
        | endpoint::REMOVE_VIEW
        | endpoint::REVOKE_TOKEN
        | endpoint::REVOKE_TOKENS_OF => format!("id={person}"),
        endpoint::FINISH_SECOND_FACTOR | endpoint::CONFIRM_BY_CODE => format!("code={CODE}"),
        endpoint::CHANGE_PASSWORD => {
            format!("old={PASSWORD}&new=four-words-of-her-own&again=four-words-of-her-own")
        }
        endpoint::CONFIRM_IDENTITY => format!("password={PASSWORD}"),
        endpoint::SET_MAIL => "mail=otto@example.org".to_owned(),
        endpoint::MAKE_BACKUP_KEY => gateway.to_owned(),
        endpoint::RESTORE => {
            format!("{gateway}&backup=b&account=default&identity=AGE-SECRET-KEY-1FAKE&key=k")
        }
        endpoint::WIPE => format!("{gateway}&account=default&typed=openclaw&key=k"),
        endpoint::ROTATE_KEY => format!("{gateway}&cause=leak&key=k"),
        endpoint::DECIDE_PROPOSAL => format!("id={PROPOSAL}&decision=approve"),
        endpoint::BEGIN_PROPOSAL => format!("id={PROPOSAL}"),
        endpoint::REVEAL_KEY => of_operation,
        endpoint::FINISH_KEY_TASK | endpoint::RETRY_KEY_TASK => {
            format!("{of_operation}&task=workstation")
        }
        endpoint::ADD_CONSUMER => format!("{of_operation}&name=n8n&owner=otto&how=there"),
        endpoint::REMOVE_CONSUMER => format!("{of_operation}&id={OPERATION}"),
        endpoint::ADD_CREDENTIAL => "title=SMTP&place=there&owner=otto&interval=90".to_owned(),
        endpoint::CHANGE_CREDENTIAL => {
            format!("id={CREDENTIAL}&title=SMTP&place=there&owner=otto&interval=90")
        }
        endpoint::NOTE_ROTATION => format!("id={CREDENTIAL}&rotated_on=2026-10-01&cause=scheduled"),
        endpoint::LOG_ROTATION => format!("id={CREDENTIAL}&rotation={OPERATION}"),
        endpoint::SNOOZE_CREDENTIAL => format!("id={CREDENTIAL}&days=7&why=later"),
        endpoint::RETIRE_CREDENTIAL => format!("id={CREDENTIAL}&reason=gone"),
        endpoint::MAKE_TOKEN => "name=deploys&role=viewer&days=90".to_owned(),
        endpoint::SAVE_VIEW => "name=wipes&query=what%3Dwipe".to_owned(),
        endpoint::ADD_PASSKEY => format!("name=phone&credential={ANSWER}"),
        endpoint::CONFIRM_BY_PASSKEY => format!("credential={ANSWER}"),
        endpoint::REVIEW_EVENTS => "covers=1&verdict=seen".to_owned(),
        endpoint::ANSWER_QUESTION => format!("review={OPERATION}&event=1&answer=because"),
        endpoint::VERIFY_AUDIT
        | endpoint::BEGIN_SECOND_FACTOR
        | endpoint::RENEW_RECOVERY_CODES
        | endpoint::REMOVE_SECOND_FACTOR
        | endpoint::END_OTHER_SESSIONS
        | endpoint::MAKE_CALENDAR_LINK
        | endpoint::REMOVE_CALENDAR_LINK => String::new(),
        other => panic!("{other} has no line in the golden list: say here what it is sent with"),
    }
}

/// Each role everywhere, and then people with a role on one gateway alone: the one that the lists are about, or another.
fn cases() -> Vec<(String, Roles)> {
    let mut cases: Vec<(String, Roles)> = Role::ALL
        .map(|role| (role.as_str().to_owned(), role.into()))
        .to_vec();
    let only = [
        ("openclaw", Role::Admin),
        ("openclaw", Role::Manager),
        ("other", Role::Admin),
    ];
    for (gateway, role) in only {
        let mut roles = Roles::from(Role::Nothing);
        roles.on.insert(gateway.parse().unwrap(), role);
        let name = format!("{} on {gateway}", role.as_str());
        cases.push((name, roles));
    }
    cases
}

fn heads() -> Vec<String> {
    cases().into_iter().map(|(name, _)| name).collect()
}

fn line(what: &str, answers: Vec<String>) -> String {
    format!("{what:<46} {}\n", answers.join("\t"))
}

#[tokio::test]
async fn every_page_and_every_role() {
    let mut table = line("", heads());
    for url in app::urls() {
        let mut answers = Vec::new();
        for (_, roles) in cases() {
            let world = rich();
            let page = Browser::of(&world, roles).get(&filled(url, &world)).await;
            answers.push(match page.status {
                200 => "yes".to_owned(),
                403 => "-".to_owned(),
                303 => format!("to {}", page.location.split('?').next().unwrap()),
                other => other.to_string(),
            });
        }
        table.push_str(&line(url, answers));
    }
    insta::assert_snapshot!(table);
}

#[tokio::test]
async fn every_form_and_every_role() {
    let mut table = line("", heads());
    for form in endpoint::ALL {
        let mut answers = Vec::new();
        for (case, roles) in cases() {
            let world = rich();
            let person = world.people[1].id.to_string();
            let sent = Browser::of(&world, roles)
                .post("/account", form, &body(form, &person))
                .await;
            let query = sent.location.split_once('?').map_or("", |(_, query)| query);
            let error = url::form_urlencoded::parse(query.as_bytes())
                .find(|(name, _)| name == "__err")
                .map(|(_, error)| {
                    leptos::server_fn::error::ServerFnUrlError::<PanelError>::decode_err(&error)
                });
            let incomplete =
                matches!(&error, Some(PanelError::Invalid { field, .. }) if field == "form");
            assert!(!incomplete, "{form}: a field is missing");
            let denied = matches!(error, Some(PanelError::NotAllowed { .. }));
            let done = world.done();
            assert!(!denied || done.is_empty(), "{form} as {case}: {done:?}");
            answers.push(if denied { "-" } else { "yes" }.to_owned());
        }
        table.push_str(&line(form, answers));
    }
    insta::assert_snapshot!(table);
}

#[tokio::test]
async fn signed_out_nothing_is_shown_and_nothing_is_done() {
    let world = rich();
    let browser = Browser::signed_out(&world);
    for url in app::urls() {
        let page = browser.get(&filled(url, &world)).await;
        assert_eq!(page.status, 303, "{url}");
    }
    for form in endpoint::ALL {
        let sent = browser.post("/account", form, &body(form, OPERATION)).await;
        assert!(!sent.html.contains("openclaw"), "{form}");
    }
    assert!(world.done().is_empty(), "{:?}", world.done());
}
