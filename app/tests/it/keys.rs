//! Rotating the gateway's key: what is found before, and who has the new one afterwards.

use std::sync::Arc;
use std::time::Duration;

use app::forms::endpoint;
use domain::action::{STEP_UP, STEP_UP_GRACE};
use domain::credential::Cause;
use domain::fault::{Boundary, Fault, FaultKind};
use domain::gateway_key::Answer;
use domain::key_rotation::Task;
use domain::logs::{Level, LogLine};
use domain::person::Role;

use crate::browser::Browser;
use crate::fake_keys::{NEW_KEY, consumer, done, fingerprint, rotated};
use crate::fakes::{NOW, World};
use crate::restore::admin;
use crate::scenes::world;

const PAGE: &str = "/gateways/openclaw/rotate-key";
const AFTER: &str = "/gateways/openclaw/rotate-key/00000000-0000-0000-0000-000000000001";
const ROTATION: &str = "gateway=openclaw&operation=00000000-0000-0000-0000-000000000001";

/// The world after a rotation, with two consumers.
fn after(cause: Cause) -> World {
    let mut world = world();
    world.keys.rotation = Some(rotated(cause));
    world.keys.consumers = vec![
        consumer(7, "n8n, workflow Orders", "n8n"),
        consumer(8, "nightly report", ""),
    ];
    world.logs = Ok(Vec::new());
    world
}

/// As the gateway writes it of somebody with a wrong key.
fn refusal(address: &str, agent: &str) -> LogLine {
    LogLine {
        at: Some(NOW),
        level: Level::Info,
        text: format!(
            "[ws] unauthorized conn=1 peer=x remote={address} client=c ua={agent} reason=token_mismatch guidance=x"
        ),
    }
}

#[tokio::test]
async fn the_page_says_what_was_found_and_what_is_interrupted() {
    let world = Arc::new(world());
    let page = admin(&world, Duration::ZERO).get(PAGE).await;
    for part in [
        "OPENCLAW_API_KEY in /opt/openclaw/.env, fingerprint a1a1a1a1a1a1.",
        "It has the key of .env.",
        "Taken by HTTP at the internal URL, the socket at the internal URL, HTTP at the public URL, the socket at the public URL.",
        "The gateway has one key at a time",
        "Nobody is in the register of those who use it yet",
    ] {
        assert!(page.says(part), "{part}: {}", page.text());
    }
}

#[tokio::test]
async fn what_is_in_the_way_is_said_and_no_button_is_offered() {
    let mut broken = world();
    let why = "`OPENCLAW_API_KEY` is set on lines [2, 5]; keep one of them.";
    broken.keys.line = Err(Fault::new(FaultKind::Invalid, Boundary::Compose, why));
    let mut stale = world();
    stale.keys.inside = fingerprint(0xc3);
    for (world, because) in [(broken, why), (stale, "the container not recreated")] {
        let page = admin(&Arc::new(world), Duration::ZERO).get(PAGE).await;
        assert!(page.says(because), "{because}: {}", page.text());
        let buttons = page.pieces("<button", "</button>");
        let rotate = buttons.iter().find(|button| button.contains(">Rotate"));
        assert!(rotate.is_some_and(|button| button.contains(" disabled")));
    }
}

#[tokio::test]
async fn a_public_url_that_tells_nothing_is_noted_and_does_not_hinder() {
    let mut world = world();
    world.keys.public = Answer::Untold("It answered 403.".to_owned());
    let page = admin(&Arc::new(world), Duration::ZERO).get(PAGE).await;
    assert!(page.says("Not proved at HTTP at the public URL: It answered 403."));
    let buttons = page.pieces("<button", "</button>");
    let rotate = buttons.iter().find(|button| button.contains(">Rotate"));
    assert!(rotate.is_some_and(|button| !button.contains(" disabled")));
}

#[tokio::test]
async fn it_starts_for_an_admin_whose_password_was_typed_lately_with_the_cause() {
    let world = Arc::new(world());
    let form = "gateway=openclaw&cause=leak&reason=in+a+chat&key=k1";
    let operator = Browser::of(&world, Role::Operator);
    assert_eq!(operator.get(PAGE).await.status, 403);
    operator.post(PAGE, endpoint::ROTATE_KEY, form).await;
    let stale = admin(&world, STEP_UP + STEP_UP_GRACE + Duration::from_secs(1));
    stale.post(PAGE, endpoint::ROTATE_KEY, form).await;
    assert_eq!(world.done(), Vec::<String>::new());
    let fresh = admin(&world, Duration::ZERO);
    let answer = fresh.post(PAGE, endpoint::ROTATE_KEY, form).await;
    assert!(
        answer.location.starts_with("/operations/"),
        "{}",
        answer.location
    );
    let done = world.done();
    assert!(done[0].contains("Rotate the API key (Leak)"), "{done:?}");
}

#[tokio::test]
async fn the_key_is_shown_to_whoever_asked_once_and_to_nobody_else() {
    let world = Arc::new(after(Cause::Scheduled));
    let browser = admin(&world, Duration::ZERO);
    let page = browser.get(AFTER).await;
    assert!(!page.html.contains(NEW_KEY) && page.says("Show the key once"));
    let answer = browser.post(AFTER, endpoint::REVEAL_KEY, ROTATION).await;
    assert_eq!(answer.location, AFTER);
    assert!(
        !Browser::of(&world, Role::Operator)
            .get(AFTER)
            .await
            .html
            .contains(NEW_KEY)
    );
    let shown = browser.get(AFTER).await;
    assert!(shown.html.contains(NEW_KEY), "{}", shown.html);
    assert!(!browser.get(AFTER).await.html.contains(NEW_KEY));
    assert_eq!(world.done().len(), 1);
}

#[tokio::test]
async fn a_key_that_was_shown_or_replaced_is_not_shown_again() {
    let mut shown = after(Cause::Scheduled);
    if let Some(rotation) = &mut shown.keys.rotation {
        rotation.revealed = Some(done("anna"));
    }
    let mut replaced = after(Cause::Scheduled);
    if let Some(rotation) = &mut replaced.keys.rotation {
        rotation.fingerprint = fingerprint(0xd4);
    }
    for (world, because) in [(shown, "shown before"), (replaced, "another one by now")] {
        let world = Arc::new(world);
        let browser = admin(&world, Duration::ZERO);
        let answer = browser.post(AFTER, endpoint::REVEAL_KEY, ROTATION).await;
        let page = browser.get(&answer.location).await;
        assert!(page.says(because), "{because}: {}", page.text());
        assert!(!page.html.contains(NEW_KEY));
        assert_eq!(world.done(), Vec::<String>::new());
    }
}

#[tokio::test]
async fn only_an_admin_sees_the_key() {
    let world = Arc::new(after(Cause::Scheduled));
    for role in [Role::Operator, Role::Manager, Role::Viewer] {
        let browser = Browser::of(&world, role);
        browser.post(AFTER, endpoint::REVEAL_KEY, ROTATION).await;
        assert!(!browser.get(AFTER).await.html.contains(NEW_KEY), "{role:?}");
    }
    assert_eq!(world.done(), Vec::<String>::new());
}

#[tokio::test]
async fn who_still_sends_the_old_key_is_named() {
    let mut world = after(Cause::Scheduled);
    if let Some(rotation) = &mut world.keys.rotation {
        let consumer = Task::Consumer(world.keys.consumers[0].id);
        rotation.done.push((consumer, done("ben")));
    }
    world.logs = Ok(vec![
        refusal("10.0.0.7", "n8n/1.2"),
        refusal("10.0.0.9", "curl/8"),
    ]);
    let page = admin(&Arc::new(world), Duration::ZERO).get(AFTER).await;
    for part in [
        "n8n, workflow Orders at 10.0.0.7 and 1 other still uses the old key",
        "1 of 2 consumers updated.",
        "10.0.0.9 (curl/8)",
        "Not in the register.",
    ] {
        assert!(page.says(part), "{part}: {}", page.text());
    }
}

#[tokio::test]
async fn whoever_came_before_they_were_said_to_have_it_is_not_late() {
    let mut world = after(Cause::Scheduled);
    let mut before = refusal("10.0.0.7", "n8n/1.2");
    before.at = Some(NOW.minus(Duration::from_secs(120)));
    world.logs = Ok(vec![before]);
    let page = admin(&Arc::new(world), Duration::ZERO).get(AFTER).await;
    assert!(page.says("still uses the old key"), "{}", page.text());
    let mut world = after(Cause::Scheduled);
    let mut before = refusal("10.0.0.7", "n8n/1.2");
    before.at = Some(NOW.minus(Duration::from_secs(120)));
    world.logs = Ok(vec![before]);
    if let Some(rotation) = &mut world.keys.rotation {
        let consumer = Task::Consumer(world.keys.consumers[0].id);
        rotation.done.push((consumer, done("ben")));
    }
    let page = admin(&Arc::new(world), Duration::ZERO).get(AFTER).await;
    assert!(!page.says("still uses the old key"), "{}", page.text());
    assert!(page.says("Has the new key."), "{}", page.text());
}

#[tokio::test]
async fn without_anybody_in_the_register_the_page_asks_for_them() {
    let mut world = after(Cause::Scheduled);
    world.keys.consumers.clear();
    let page = Browser::of(&Arc::new(world), Role::Operator)
        .get(AFTER)
        .await;
    for part in [
        "Nobody is in the register of those who use it yet. The key is proved",
        "Add what uses the key",
    ] {
        assert!(page.says(part), "{part}: {}", page.text());
    }
}

#[tokio::test]
async fn an_operator_ticks_consumers_off_and_keeps_the_register() {
    let world = Arc::new(after(Cause::Scheduled));
    let browser = Browser::of(&world, Role::Operator);
    let tick = format!("{ROTATION}&task=consumer-00000000-0000-0000-0000-000000000008");
    browser.post(AFTER, endpoint::FINISH_KEY_TASK, &tick).await;
    let add = format!("{ROTATION}&name=invoices&owner=anna&how=ask+her&seen_as=10.0.0.3");
    browser.post(AFTER, endpoint::ADD_CONSUMER, &add).await;
    let remove = format!("{ROTATION}&id=00000000-0000-0000-0000-000000000007");
    browser
        .post(AFTER, endpoint::REMOVE_CONSUMER, &remove)
        .await;
    let told = world.done().join("\n");
    for part in [
        "finish consumer-",
        "invoices",
        "10.0.0.3",
        "remove consumer",
    ] {
        assert!(told.contains(part), "{part}: {told}");
    }
    let nameless = format!("{ROTATION}&name=+&owner=anna");
    let answer = browser.post(AFTER, endpoint::ADD_CONSUMER, &nameless).await;
    let page = browser.get(&answer.location).await;
    assert!(page.says("Say what it is") && page.html.contains("value=\"anna\""));
    let unknown = format!("{ROTATION}&task=consumer-00000000-0000-0000-0000-000000000099");
    browser
        .post(AFTER, endpoint::FINISH_KEY_TASK, &unknown)
        .await;
    assert_eq!(world.done().len(), 3, "{told}");
}

#[tokio::test]
async fn after_a_leak_there_is_a_list_of_what_else_to_do() {
    let page = admin(&Arc::new(after(Cause::Leak)), Duration::ZERO)
        .get(AFTER)
        .await;
    assert!(page.says("a pairing outlives a change of the key"));
    let page = admin(&Arc::new(after(Cause::Scheduled)), Duration::ZERO)
        .get(AFTER)
        .await;
    assert!(!page.says("After a leak"));
}

#[tokio::test]
async fn a_log_that_cannot_be_read_is_told() {
    let mut world = after(Cause::Scheduled);
    let why = "Docker does not answer.";
    world.logs = Err(Fault::new(FaultKind::Unreachable, Boundary::Docker, why));
    let page = admin(&Arc::new(world), Duration::ZERO).get(AFTER).await;
    assert!(
        page.says("cannot be told now: Docker does not answer."),
        "{}",
        page.text()
    );
}

#[tokio::test]
async fn the_repository_is_looked_at_before_and_never_in_the_way() {
    let mut ready = world();
    ready.keys.repository = Some(Ok(()));
    let page = admin(&Arc::new(ready), Duration::ZERO).get(PAGE).await;
    for part in [
        "OPENCLAW_API_KEY in p24/infra will be written. There is none yet.",
        "A row in /srv/infra/docs/secrets-rotation-log.md will be committed.",
        "Leave the secret on GitHub to me",
    ] {
        assert!(page.says(part), "{part}: {}", page.text());
    }
    let mut broken = world();
    let why = "GitHub refuses the token.";
    let fault = Fault::new(FaultKind::Refused, Boundary::GitHub, why);
    broken.keys.repository = Some(Err(fault));
    let page = admin(&Arc::new(broken), Duration::ZERO).get(PAGE).await;
    assert!(page.says("GitHub refuses the token. It can be done after the rotation, by hand too."));
    let buttons = page.pieces("<button", "</button>");
    let rotate = buttons.iter().find(|button| button.contains(">Rotate"));
    assert!(rotate.is_some_and(|button| !button.contains(" disabled")));
}

#[tokio::test]
async fn what_the_repository_still_needs_is_tried_again_or_ticked() {
    let mut world = after(Cause::Scheduled);
    world.keys.repository = Some(Ok(()));
    let world = Arc::new(world);
    let browser = Browser::of(&world, Role::Operator);
    let page = browser.get(AFTER).await;
    assert!(
        page.says("gh secret set OPENCLAW_API_KEY -R p24/infra"),
        "{}",
        page.text()
    );
    for task in ["secret", "log"] {
        let form = format!("{ROTATION}&task={task}");
        let answer = browser.post(AFTER, endpoint::RETRY_KEY_TASK, &form).await;
        assert_eq!(answer.location, AFTER);
    }
    let told = world.done().join("\n");
    for part in ["put secret", "finish secret", "logged for", "finish log"] {
        assert!(told.contains(part), "{part}: {told}");
    }
    let mut broken = after(Cause::Scheduled);
    let fault = Fault::new(
        FaultKind::Refused,
        Boundary::GitHub,
        "GitHub refuses the token.",
    );
    broken.keys.repository = Some(Err(fault));
    let broken = Arc::new(broken);
    let browser = Browser::of(&broken, Role::Operator);
    let form = format!("{ROTATION}&task=secret");
    let answer = browser.post(AFTER, endpoint::RETRY_KEY_TASK, &form).await;
    let page = browser.get(&answer.location).await;
    assert!(page.says("GitHub refuses the token."), "{}", page.text());
    assert_eq!(broken.done(), Vec::<String>::new());
}

#[tokio::test]
async fn the_old_key_comes_back_while_it_is_kept_and_only_that_of_the_latest_rotation() {
    let mut kept = after(Cause::Scheduled);
    kept.keys.kept = true;
    let back = format!("{PAGE}?puts_back=00000000-0000-0000-0000-000000000001");
    let kept = Arc::new(kept);
    let fresh = admin(&kept, Duration::ZERO);
    let page = fresh.get(AFTER).await;
    assert!(
        page.html.contains(&format!("href=\"{back}\"")),
        "{}",
        page.html
    );
    let page = fresh.get(&back).await;
    assert!(page.says("It is kept, fingerprint a1a1a1a1a1a1."));
    let form = "gateway=openclaw&puts_back=00000000-0000-0000-0000-000000000001&key=k1&reason=n8n+cannot+be+changed";
    let answer = fresh.post(&back, endpoint::ROTATE_KEY, form).await;
    assert!(
        answer.location.starts_with("/operations/"),
        "{}",
        answer.location
    );
    let done = kept.done();
    assert!(
        done[0].contains("Put the old API key back (PutBack)"),
        "{done:?}"
    );

    let gone = Arc::new(after(Cause::Scheduled));
    let page = admin(&gone, Duration::ZERO).get(&back).await;
    assert!(page.says("It is not kept any more"), "{}", page.text());
    let buttons = page.pieces("<button", "</button>");
    let put = buttons
        .iter()
        .find(|button| button.contains(">Put the old"));
    assert!(put.is_some_and(|button| button.contains(" disabled")));
    let other = format!("{PAGE}?puts_back=00000000-0000-0000-0000-000000000002");
    let page = fresh.get(&other).await;
    assert!(page.says("The key was rotated again since"));
    assert!(
        !admin(&gone, Duration::ZERO)
            .get(AFTER)
            .await
            .says("Put the old key back")
    );
}

#[tokio::test]
async fn nobody_says_that_a_new_key_is_an_old_one() {
    let world = Arc::new(world());
    let form = "gateway=openclaw&cause=put-back&key=k1";
    let fresh = admin(&world, Duration::ZERO);
    fresh.post(PAGE, endpoint::ROTATE_KEY, form).await;
    assert_eq!(world.done(), Vec::<String>::new());
}

#[tokio::test]
async fn what_is_said_of_a_key_that_came_back_is_not_what_is_said_of_a_new_one() {
    let mut world = after(Cause::PutBack);
    if let Some(rotation) = &mut world.keys.rotation {
        rotation.puts_back = Some(rotation.operation);
    }
    let page = admin(&Arc::new(world), Duration::ZERO).get(AFTER).await;
    for part in [
        "The old key works again; it is not everywhere yet",
        "Needs the old key again.",
    ] {
        assert!(page.says(part), "{part}: {}", page.text());
    }
    assert!(!page.says("new key"), "{}", page.text());
}

#[tokio::test]
async fn once_everybody_has_the_new_key_the_old_one_goes() {
    let mut nearly = after(Cause::Scheduled);
    if let Some(rotation) = &mut nearly.keys.rotation {
        rotation.done.push((Task::Workstation, done("anna")));
        for consumer in &nearly.keys.consumers {
            rotation
                .done
                .push((Task::Consumer(consumer.id), done("ben")));
        }
    }
    let nearly = Arc::new(nearly);
    let tick = format!("{ROTATION}&task=workstation");
    let browser = Browser::of(&nearly, Role::Operator);
    browser.post(AFTER, endpoint::FINISH_KEY_TASK, &tick).await;
    let told = nearly.done().join("\n");
    assert!(told.contains("forget what"), "{told}");

    let early = Arc::new(after(Cause::Scheduled));
    let browser = Browser::of(&early, Role::Operator);
    browser.post(AFTER, endpoint::FINISH_KEY_TASK, &tick).await;
    assert!(!early.done().join("\n").contains("forget"));
}
