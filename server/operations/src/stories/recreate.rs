//! Recreate: a new container from the compose folder in place of the old one, which is kept aside until
//! the new one has proved itself. Any failure before that puts the old one back.
//!
//! Old and new share ports and the state folder, so the old one is stopped first and never removed
//! before the end.
//!
//! What counts as a failure: a container that crashes, a gateway that does not get ready, and a gateway
//! that came back without the links or the channel it had (then it does not run on the old state folder).
//! An account that has its link but is not connected does NOT: link and credentials are the same ones in
//! the old container, WhatsApp's reason (logged out, taken over, away) would be the same too, and going
//! back would be one more stop. That ends well, with a note.

use std::time::Duration;

use domain::fact::{Container, ContainerState};
use domain::fault::{Boundary, Fault, FaultKind, Retry};
use domain::operation::{Cancel, Command};
use domain::time::Timestamp;
use domain::words;
use serde::{Deserialize, Serialize};

use super::look::{self, Before, Old};
use super::waiting::{self, Goal};
use super::{accounts, drain, refused};
use crate::step::Undo::{NoReturn, Nothing, With};
use crate::step::{Cx, Step, act, mins, secs, step};
use crate::story::Story;

/// See the module.
pub struct Recreate;

/// Decided before the first step.
#[derive(Debug, Serialize, Deserialize)]
pub struct Plan {
    before: Before,
    /// What the person saw when confirming.
    seen: Option<String>,
    /// What the compose folder said when the plan was made; the new container is made from this.
    fingerprint: String,
    fixed_hostname: bool,
    /// Where the old container waits.
    aside: String,
}

/// Kept between steps.
#[derive(Debug, Default, Serialize, Deserialize)]
pub struct State {
    new: Option<String>,
    /// When the old container was killed instead of stopped: its owner lease runs from then.
    killed_at: Option<Timestamp>,
    note: Option<String>,
}

impl Story for Recreate {
    const NAME: &'static str = "recreate";
    type Plan = Plan;
    type State = State;

    async fn plan(cx: &Cx, command: &Command) -> Result<Plan, Fault> {
        let seen = match command {
            Command::Recreate { seen, .. } => seen.clone(),
            _ => None,
        };
        let comparison = cx.containers.compare(&cx.gateway).await?;
        let name = &comparison.container_name;
        Ok(Plan {
            before: look::look(cx).await?,
            seen,
            aside: format!("{name}.before-{}", cx.operation.short()),
            fingerprint: comparison.fingerprint,
            fixed_hostname: comparison.fixed_hostname,
        })
    }

    #[rustfmt::skip]
    fn steps() -> Vec<Step<Plan, State>> {
        use Cancel::{AfterStep, Now, Refuse};
        vec![
            step("look",           "Compare with the compose folder", act!(compare),        Nothing,                               secs(60),        Now),
            step("drain",          "Ask it to finish its work",       act!(pause),          With(act!(resume), secs(60)),          secs(60),        AfterStep),
            step("stop_old",       "Stop the old container",          act!(stop_old),       With(act!(start_old), waiting::LIMIT), mins(3),         AfterStep),
            step("set_aside",      "Keep the old container aside",    act!(set_aside),      With(act!(put_back), secs(30)),        secs(30),        AfterStep),
            step("create_new",     "Create the new container",        act!(create_new),     With(act!(remove_new), mins(1)),       mins(1),         AfterStep),
            step("start_new",      "Start it",                        act!(start_new),      With(act!(stop_new), mins(3)),         mins(1),         AfterStep),
            step("await_live",     "Wait until it answers",           act!(await_live),     Nothing,                               waiting::LIMIT,  Now),
            step("await_ready",    "Wait until it is ready",          act!(await_ready),    Nothing,                               waiting::LIMIT,  Now),
            step("check_accounts", "Check the WhatsApp accounts",     act!(check_accounts), Nothing,                               accounts::LIMIT, Now),
            step("remove_old",     "Remove the old container",        act!(remove_old),     NoReturn,                              mins(1),         Refuse),
        ]
    }

    fn note(state: &State) -> Option<String> {
        state.note.clone()
    }

    fn todo(plan: &Plan, _: &State, step: &str) -> String {
        let (name, id) = match &plan.before.container {
            Some(old) => (old.name.as_str(), short(&old.id)),
            None => ("the gateway", "unknown"),
        };
        format!(
            "Putting back stopped at `{step}`. On the host: `docker ps -a` shows the old container {id} \
             (named {name} or {aside}). Remove what else has the name {name}, then `docker rename {id} \
             {name}` and `docker start {name}`. When the gateway runs, free it here.",
            aside = plan.aside
        )
    }
}

/// Says what will change; refuses what cannot work before anything is touched.
async fn compare(cx: &Cx, plan: &Plan, _: &mut State) -> Result<(), Fault> {
    let old = look::existing(&plan.before)?;
    let comparison = cx.containers.compare(&cx.gateway).await?;
    let seen = plan.seen.as_ref().unwrap_or(&plan.fingerprint);
    if *seen != comparison.fingerprint || plan.fingerprint != comparison.fingerprint {
        return Err(refused(
            FaultKind::Invalid,
            Boundary::Compose,
            "The compose folder changed since you looked. Look at the differences again, then confirm.",
        ));
    }
    if comparison.image_id.is_none() {
        return Err(refused(
            FaultKind::NotFound,
            Boundary::Docker,
            format!(
                "The image {} is not on the host. Pull or build it first; nothing was changed.",
                comparison.image
            ),
        ));
    }
    if comparison.differences.is_empty() {
        cx.say
            .line("The container is what the compose folder says; the new one will be the same.");
    }
    for difference in &comparison.differences {
        cx.say.line(format!(
            "{}: {} → {}",
            difference.what, difference.running, difference.wanted
        ));
    }
    look::say_notes(cx, &comparison);
    if !old.runs() {
        cx.say
            .line(format!("The old container does not run: {}.", old.words()));
    }
    if let Some(killed_at) = lease_from(plan, old.exit_code, old.finished_at) {
        say_lease(cx, killed_at);
    }
    look::say_accounts(cx, &plan.before);
    Ok(())
}

/// When the last run was killed and the new container will have another host name: since when its owner
/// lease runs.
fn lease_from(
    plan: &Plan,
    exit_code: Option<i64>,
    finished_at: Option<Timestamp>,
) -> Option<Timestamp> {
    let old = plan.before.container.as_ref()?;
    let renamed = old.hostname_is_default || !plan.fixed_hostname;
    (exit_code == Some(137) && renamed)
        .then_some(finished_at)
        .flatten()
}

fn say_lease(cx: &Cx, killed_at: Timestamp) {
    let left = mins(5).saturating_sub(cx.clock.now().since(killed_at));
    if left > Duration::ZERO {
        cx.say.line(format!(
            "The last run was killed, and the new container has another host name: the gateway's owner \
             lease keeps it from starting for up to {}. It is waited for.",
            words::duration(left)
        ));
    }
}

async fn pause(cx: &Cx, plan: &Plan, _: &mut State) -> Result<(), Fault> {
    drain::drain(cx, &plan.before).await
}

async fn resume(cx: &Cx, _: &Plan, _: &mut State) -> Result<(), Fault> {
    drain::resume(cx).await
}

async fn stop_old(cx: &Cx, plan: &Plan, state: &mut State) -> Result<(), Fault> {
    let old = look::existing(&plan.before)?;
    cx.containers
        .stop(&cx.gateway, &old.id, plan.before.grace)
        .await?;
    let now = cx.containers.find(&cx.gateway, &old.id).await?;
    let now = now.ok_or_else(|| old_is_gone(old))?;
    state.killed_at = lease_from(plan, now.exit_code, now.finished_at);
    if now.exit_code == Some(137) && old.runs() {
        let grace = words::duration(plan.before.grace);
        cx.say.line(format!(
            "It did not stop within {grace} and had to be killed."
        ));
        if let Some(killed_at) = state.killed_at {
            say_lease(cx, killed_at);
        }
    }
    Ok(())
}

/// Starts it only if it ran before, and waits until it is as good as it was.
async fn start_old(cx: &Cx, plan: &Plan, state: &mut State) -> Result<(), Fault> {
    let old = look::existing(&plan.before)?;
    if !old.runs() {
        return Ok(());
    }
    cx.containers.start(&cx.gateway, &old.id).await?;
    if !plan.before.ready {
        cx.say
            .line("The old container runs again. It was not ready before either.");
        return Ok(());
    }
    waiting::wait(cx, &old.id, Goal::Ready, state.killed_at).await?;
    cx.say.line("The old container runs and is ready again.");
    Ok(())
}

async fn set_aside(cx: &Cx, plan: &Plan, _: &mut State) -> Result<(), Fault> {
    let old = look::existing(&plan.before)?;
    cx.containers
        .rename(&cx.gateway, &old.id, &plan.aside)
        .await
}

async fn put_back(cx: &Cx, plan: &Plan, _: &mut State) -> Result<(), Fault> {
    let old = look::existing(&plan.before)?;
    cx.containers.rename(&cx.gateway, &old.id, &old.name).await
}

async fn create_new(cx: &Cx, plan: &Plan, state: &mut State) -> Result<(), Fault> {
    let created = cx
        .containers
        .create(&cx.gateway, cx.operation, &plan.fingerprint);
    state.new = Some(created.await?);
    Ok(())
}

async fn remove_new(cx: &Cx, plan: &Plan, state: &mut State) -> Result<(), Fault> {
    let old = look::existing(&plan.before)?;
    let made = match &state.new {
        Some(id) => cx.containers.find(&cx.gateway, id).await?,
        // The step ended before it could say what it made.
        None => unsaid(cx, old).await?,
    };
    if let Some(new) = made {
        let grace = plan.before.grace;
        cx.containers.stop(&cx.gateway, &new.id, grace).await?;
        cx.containers.remove(&cx.gateway, &new.id).await?;
    }
    Ok(())
}

/// What has the gateway's name and is not the old container. Only what never ran can be ours: starting
/// it is a later step.
async fn unsaid(cx: &Cx, old: &Old) -> Result<Option<Container>, Fault> {
    let found = cx.containers.current(&cx.gateway).await?;
    let Some(found) = found.filter(|found| found.id != old.id) else {
        return Ok(None);
    };
    if found.state == ContainerState::Created {
        return Ok(Some(found));
    }
    Err(refused(
        FaultKind::Refused,
        Boundary::Docker,
        format!(
            "A container that this operation did not make has the name {}.",
            found.name
        ),
    ))
}

async fn start_new(cx: &Cx, _: &Plan, state: &mut State) -> Result<(), Fault> {
    cx.containers.start(&cx.gateway, new(state)?).await
}

/// With grace, so that it gives its owner lease back.
async fn stop_new(cx: &Cx, plan: &Plan, state: &mut State) -> Result<(), Fault> {
    let found = cx.containers.find(&cx.gateway, new(state)?).await?;
    match found {
        Some(found) => {
            let grace = plan.before.grace;
            cx.containers.stop(&cx.gateway, &found.id, grace).await
        }
        None => Ok(()),
    }
}

async fn await_live(cx: &Cx, _: &Plan, state: &mut State) -> Result<(), Fault> {
    waiting::wait(cx, new(state)?, Goal::Live, state.killed_at).await
}

async fn await_ready(cx: &Cx, _: &Plan, state: &mut State) -> Result<(), Fault> {
    waiting::wait(cx, new(state)?, Goal::Ready, state.killed_at).await
}

async fn check_accounts(cx: &Cx, plan: &Plan, state: &mut State) -> Result<(), Fault> {
    state.note = accounts::check(cx, &plan.before).await?;
    Ok(())
}

/// The new gateway works; an old container that cannot be removed is worth a note, not a failure.
async fn remove_old(cx: &Cx, plan: &Plan, state: &mut State) -> Result<(), Fault> {
    let old = look::existing(&plan.before)?;
    match cx.containers.remove(&cx.gateway, &old.id).await {
        Ok(()) => Ok(()),
        Err(fault) if fault.retry == Retry::Yes => Err(fault),
        Err(fault) => {
            let left = format!(
                "The old container {} could not be removed ({}); remove it by hand.",
                plan.aside,
                cx.say.scrub(&fault.message)
            );
            cx.say.line(&left);
            state.note = Some(match state.note.take() {
                Some(note) => format!("{note} {left}"),
                None => left,
            });
            Ok(())
        }
    }
}

fn new(state: &State) -> Result<&str, Fault> {
    state.new.as_deref().ok_or_else(|| {
        refused(
            FaultKind::Unexpected,
            Boundary::Panel,
            "the journal does not say which container is the new one",
        )
    })
}

fn old_is_gone(old: &Old) -> Fault {
    refused(
        FaultKind::NotFound,
        Boundary::Docker,
        format!(
            "The old container {} is gone: somebody removed it in the meantime.",
            old.name
        ),
    )
}

/// A container id as people know it.
fn short(id: &str) -> &str {
    id.get(..12).unwrap_or(id)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::World;
    use crate::testing::story_tests::{Scenario, story_tests};

    fn scenario() -> Scenario {
        Scenario {
            command: Command::Recreate {
                gateway: "openclaw".parse().unwrap(),
                seen: Some("fp-1".to_owned()),
            },
            world: World::running,
            done: |world| assert!(world.assert_runs().starts_with("new")),
            undone: |world| assert!(world.assert_runs().starts_with("old")),
        }
    }

    story_tests!(scenario);
}
