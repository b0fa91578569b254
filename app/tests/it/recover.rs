//! Fix WhatsApp: its question, its steps as they are shown, its code.

use std::sync::Arc;
use std::time::Duration;

use app::forms::endpoint;
use domain::fault::{Boundary, Fault, FaultKind};
use domain::operation::{
    Cancel, Command, OperationView, Outcome, StepOutline, StepState, StepView,
};
use domain::person::Role;
use domain::scan::{Code, Picture, Scan};
use domain::time::Timestamp;

use crate::browser::{Answer, Browser};
use crate::fakes::World;
use crate::scenes::{ago, logged_out, operation, stopped_account, world};

const QUESTION: &str = "/gateways/openclaw/operations/new/recover?account=default";
const PAGE: &str = "/operations/00000000-0000-0000-0000-000000000003";

fn recover() -> Command {
    Command::Recover {
        gateway: "openclaw".parse().unwrap(),
        account: "default".parse().unwrap(),
    }
}

fn step(name: &str, label: &str, state: StepState, said: &[&str]) -> StepView {
    let begun = state != StepState::Todo;
    let ended = !matches!(state, StepState::Todo | StepState::Running);
    StepView {
        outline: StepOutline {
            name: name.to_owned(),
            label: label.to_owned(),
            no_return: false,
            cancel: Cancel::Now,
            limit: Duration::from_secs(60),
            skippable: name.contains("await"),
        },
        started_at: begun.then(|| ago(10)),
        ended_at: ended.then(|| ago(8)),
        state,
        said: said
            .iter()
            .map(|said| (ago(9), (*said).to_owned()))
            .collect(),
        fault: None,
        attempts: 1,
        skip_asked_by: None,
    }
}

/// It restarts, after a reconnect in vain.
fn restarting() -> World {
    use StepState::{Done, Fruitless, NotNeeded, Running, Todo};
    let mut world = world();
    let mut at_work = operation(3, None);
    at_work.command = recover();
    world.views[0] = OperationView {
        operation: at_work,
        steps: vec![
            step("look", "Look at the facts", Done, &["It is away."]),
            step(
                "start",
                "Start",
                NotNeeded,
                &["Not needed: it is not stopped."],
            ),
            step("start.start", "Start the container", NotNeeded, &[]),
            step("reconnect", "Reconnect", Done, &["It may help."]),
            step(
                "reconnect.await_connect",
                "Wait for it",
                Fruitless,
                &["It did not."],
            ),
            step("reconnect.prove", "Look whether it helped", NotNeeded, &[]),
            step("restart", "Restart", Done, &["It may help."]),
            step("restart.await_live", "Wait until it answers", Running, &[]),
            step("restart.prove", "Look whether that helped", Todo, &[]),
            step("relink", "Link anew by a scan", Todo, &[]),
            step("relink.show_code", "Show the code", Todo, &[]),
        ],
        cancel_asked_by: None,
        sequence: 40,
    };
    world
}

async fn shown(world: World, role: Role, url: &str) -> Answer {
    Browser::of(&Arc::new(world), role).get(url).await
}

#[tokio::test]
async fn the_question_tells_every_rung_with_its_time_and_cost_and_the_way_out() {
    let mut world = world();
    world.observation = Some(Arc::new(stopped_account()));
    let page = shown(world, Role::Operator, QUESTION).await;
    let text = page.text();
    let mut from = 0;
    for said in [
        "Fix WhatsApp for account default?",
        "the gentlest first",
        "Wait ,",
        "Reconnect the account: a few seconds",
        "Restart the container",
        "about half a minute",
        "Recreate the container",
        "Link anew , only if the account has no link that works",
        "A link that works is never replaced",
        "You can stop it at any time",
    ] {
        let at = text[from..]
            .find(said)
            .unwrap_or_else(|| panic!("{said}: {text}"));
        from += at;
    }
    assert!(
        page.html
            .contains(r#"<button class="btn primary">Fix WhatsApp</button>"#)
    );
}

#[tokio::test]
async fn it_is_not_offered_to_those_who_only_look_nor_where_nothing_is_to_fix() {
    let page = shown(world(), Role::Operator, QUESTION).await;
    assert!(page.says("Not needed: the account is connected, and the gateway is ready."));
    let page = shown(world(), Role::Viewer, QUESTION).await;
    assert_eq!(page.status, 403);
}

#[tokio::test]
async fn the_form_starts_it_for_the_account() {
    let mut gone = world();
    gone.observation = Some(Arc::new(logged_out()));
    let gone = Arc::new(gone);
    let form = "gateway=openclaw&kind=recover&account=default&key=k1";
    let browser = Browser::of(&gone, Role::Operator);
    let answer = browser.post(QUESTION, endpoint::START, form).await;
    assert_eq!(answer.status, 302);
    assert_eq!(gone.done(), ["anna started Fix WhatsApp (k1) because None"]);
}

#[tokio::test]
async fn a_rung_shows_its_parts_when_its_turn_has_come_and_reads_calmly_when_it_was_not_needed() {
    let page = shown(restarting(), Role::Operator, PAGE).await;
    for said in [
        "Fix WhatsApp: Wait until it answers",
        "Start , not needed",
        "Not needed: it is not stopped.",
        "Wait for it , did not help",
        "Look whether that helped",
        "Link anew by a scan , to do",
    ] {
        assert!(page.says(said), "{said}: {}", page.text());
    }
    for hidden in [
        "Start the container",
        "Look whether it helped",
        "Show the code",
    ] {
        assert!(!page.says(hidden), "{hidden}: {}", page.text());
    }
    assert!(page.html.contains("is-now part"));
}

#[tokio::test]
async fn a_step_that_waits_can_be_skipped_by_those_who_may_stop_it() {
    let world = Arc::new(restarting());
    let browser = Browser::of(&world, Role::Operator);
    let page = browser.get(PAGE).await;
    assert!(page.html.contains("Skip this step"));
    assert!(
        page.html
            .contains("name=\"step\" value=\"restart.await_live\"")
    );
    let id = "id=00000000-0000-0000-0000-000000000003";
    let late = format!("{id}&step=reconnect.await_connect");
    let answer = browser.post(PAGE, endpoint::SKIP, &late).await;
    let told = browser.get(&answer.location).await;
    assert!(told.says("That step has ended already."), "{}", told.text());
    assert_eq!(world.done(), [""; 0]);
    let form = format!("{id}&step=restart.await_live");
    let answer = browser.post(PAGE, endpoint::SKIP, &form).await;
    assert_eq!(answer.location, PAGE);
    assert_eq!(world.done().len(), 1);
    assert!(world.done()[0].ends_with("at restart.await_live"));
    let viewer = Browser::of(&world, Role::Viewer);
    assert!(!viewer.get(PAGE).await.html.contains("Skip this step"));
    viewer.post(PAGE, endpoint::SKIP, &form).await;
    assert_eq!(world.done().len(), 1);
}

#[tokio::test]
async fn a_step_that_acts_cannot_be_skipped_and_the_page_says_so() {
    let mut world = restarting();
    world.views[0].steps[7].outline.skippable = false;
    let page = shown(world, Role::Operator, PAGE).await;
    assert!(!page.html.contains("Skip this step"));
    assert!(page.says("This step cannot be skipped."));
    // What has no such steps does not speak of it.
    let page = shown(crate::scenes::world(), Role::Operator, PAGE).await;
    assert!(!page.says("skipped"), "{}", page.text());
}

#[tokio::test]
async fn what_was_tried_in_vain_is_told_without_a_word_of_putting_back() {
    let mut world = restarting();
    let why = Fault::new(
        FaultKind::TimedOut,
        Boundary::Gateway,
        "Only a new link is left.",
    );
    world.views[0].operation.outcome = Some(Outcome::Failed {
        at: "prove".to_owned(),
        why,
    });
    let page = shown(world, Role::Operator, PAGE).await;
    assert!(page.says("Fix WhatsApp did not help"));
    assert!(page.says("Only a new link is left."));
    assert!(!page.says("point of no return"));
    let mut world = restarting();
    let by = "ben".to_owned();
    world.views[0].operation.outcome = Some(Outcome::Cancelled { by });
    let page = shown(world, Role::Operator, PAGE).await;
    assert!(!page.says("as it was before"), "{}", page.text());
}

#[tokio::test]
async fn its_code_is_shown_to_those_who_may_see_it_and_audited() {
    let showing = || {
        let mut world = restarting();
        world.scan = Some(Scan::Showing {
            code: Code::new("data:image/png;base64,SECRET".into(), Picture::Image),
            good_until: Timestamp::from_millis(i64::MAX / 2),
            attempt: 1,
            attempts: 5,
        });
        Arc::new(world)
    };
    let world = showing();
    let page = Browser::of(&world, Role::Operator).get(PAGE).await;
    assert!(page.says("Scan this code with WhatsApp"), "{}", page.text());
    assert_eq!(world.written.lock().unwrap()[0].action, "view-code");
    let page = Browser::of(&showing(), Role::Viewer).get(PAGE).await;
    assert!(!page.html.contains("SECRET"));
    assert!(page.says("operators and admins only"));
}
