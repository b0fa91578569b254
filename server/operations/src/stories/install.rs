//! Install: the first container of a gateway, from the compose folder.

use domain::fact::ContainerState;
use domain::fault::{Boundary, Fault, FaultKind};
use domain::operation::{Cancel, Command};
use domain::words;
use serde::{Deserialize, Serialize};

use super::look::{self, Before};
use super::waiting::{self, Goal};
use super::{accounts, refused};
use crate::step::Undo::{Nothing, With};
use crate::step::{Cx, Step, act, mins, secs, step};
use crate::story::Story;

/// See the module.
pub struct Install;

/// Decided before the first step.
#[derive(Debug, Serialize, Deserialize)]
pub struct Plan {
    before: Before,
    fingerprint: String,
}

/// Kept between steps.
#[derive(Debug, Default, Serialize, Deserialize)]
pub struct State {
    new: Option<String>,
    note: Option<String>,
}

impl Story for Install {
    const NAME: &'static str = "install";
    type Plan = Plan;
    type State = State;

    async fn plan(cx: &Cx, _command: &Command) -> Result<Plan, Fault> {
        let comparison = cx.containers.compare(&cx.gateway).await?;
        Ok(Plan {
            before: look::look(cx).await?,
            fingerprint: comparison.fingerprint,
        })
    }

    #[rustfmt::skip]
    fn steps() -> Vec<Step<Plan, State>> {
        use Cancel::{AfterStep, Now};
        vec![
            step("look",           "Read the compose folder",     act!(read),           Nothing,                         secs(60),        Now),
            step("create",         "Create the container",        act!(create),         With(act!(remove), mins(1)),     mins(1),         AfterStep),
            step("start",          "Start it",                    act!(start),          With(act!(stop), mins(3)),       mins(1),         AfterStep),
            step("await_live",     "Wait until it answers",       act!(await_live),     Nothing,                         waiting::LIMIT,  Now),
            step("await_ready",    "Wait until it is ready",      act!(await_ready),    Nothing,                         waiting::LIMIT,  Now),
            step("check_accounts", "Check the WhatsApp accounts", act!(check_accounts), Nothing,                         accounts::LIMIT, Now),
        ]
    }

    fn note(state: &State) -> Option<String> {
        state.note.clone()
    }
}

async fn read(cx: &Cx, plan: &Plan, _: &mut State) -> Result<(), Fault> {
    if let Some(old) = &plan.before.container {
        return Err(refused(
            FaultKind::Invalid,
            Boundary::Docker,
            format!(
                "The container {} is there already. Use Start to start it, or Recreate to replace it.",
                old.name
            ),
        ));
    }
    let comparison = cx.containers.compare(&cx.gateway).await?;
    if comparison.fingerprint != plan.fingerprint {
        return Err(refused(
            FaultKind::Invalid,
            Boundary::Compose,
            "The compose folder changed a moment ago. Try again.",
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
    cx.say.line(format!(
        "{} from {}: image {}, a stop leaves it {}.",
        comparison.container_name,
        comparison.file,
        comparison.image,
        words::duration(plan.before.grace)
    ));
    look::say_notes(cx, &comparison);
    if !comparison.fixed_hostname {
        cx.say.line(
            "The compose file fixes no host name: after a kill, a new container would have to wait up to \
             5 min for the owner lease. Set `hostname` there.",
        );
    }
    Ok(())
}

async fn create(cx: &Cx, plan: &Plan, state: &mut State) -> Result<(), Fault> {
    let created = cx
        .containers
        .create(&cx.gateway, cx.operation, &plan.fingerprint);
    state.new = Some(created.await?);
    Ok(())
}

async fn remove(cx: &Cx, plan: &Plan, state: &mut State) -> Result<(), Fault> {
    let made = match &state.new {
        Some(id) => cx.containers.find(&cx.gateway, id).await?,
        // The step ended before it could say what it made; what runs is not ours, starting is a later
        // step.
        None => cx
            .containers
            .current(&cx.gateway)
            .await?
            .filter(|found| found.state == ContainerState::Created),
    };
    if let Some(made) = made {
        let grace = plan.before.grace;
        cx.containers.stop(&cx.gateway, &made.id, grace).await?;
        cx.containers.remove(&cx.gateway, &made.id).await?;
    }
    Ok(())
}

async fn start(cx: &Cx, _: &Plan, state: &mut State) -> Result<(), Fault> {
    cx.containers.start(&cx.gateway, new(state)?).await
}

async fn stop(cx: &Cx, plan: &Plan, state: &mut State) -> Result<(), Fault> {
    match cx.containers.find(&cx.gateway, new(state)?).await? {
        Some(found) => {
            let grace = plan.before.grace;
            cx.containers.stop(&cx.gateway, &found.id, grace).await
        }
        None => Ok(()),
    }
}

async fn await_live(cx: &Cx, _: &Plan, state: &mut State) -> Result<(), Fault> {
    waiting::wait(cx, new(state)?, Goal::Live, None).await
}

async fn await_ready(cx: &Cx, _: &Plan, state: &mut State) -> Result<(), Fault> {
    waiting::wait(cx, new(state)?, Goal::Ready, None).await
}

/// A fresh gateway has no account; on a state folder from before there may be some.
async fn check_accounts(cx: &Cx, plan: &Plan, state: &mut State) -> Result<(), Fault> {
    state.note = accounts::check(cx, &plan.before).await?;
    Ok(())
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::World;
    use crate::testing::story_tests::{Scenario, story_tests};

    fn scenario() -> Scenario {
        Scenario {
            command: Command::Install {
                gateway: "openclaw".parse().unwrap(),
            },
            world: World::empty,
            done: |world| assert!(world.assert_runs().starts_with("new")),
            undone: |world| assert!(world.lock().boxes.is_empty()),
        }
    }

    story_tests!(scenario);
}
