//! Restart: the same container, a new process.

use domain::fact::ContainerState;
use domain::fault::Fault;
use domain::operation::{Cancel, Command};
use domain::words;
use serde::{Deserialize, Serialize};

use super::look::{self, Before};
use super::waiting::{self, Goal};
use super::{accounts, drain};
use crate::step::Undo::{NoReturn, Nothing, With};
use crate::step::{Cx, Step, act, mins, secs, step};
use crate::story::Story;

/// See the module.
pub struct Restart;

/// Decided before the first step.
#[derive(Debug, Serialize, Deserialize)]
pub struct Plan {
    before: Before,
}

/// Kept between steps.
#[derive(Debug, Default, Serialize, Deserialize)]
pub struct State {
    note: Option<String>,
}

impl Story for Restart {
    const NAME: &'static str = "restart";
    type Plan = Plan;
    type State = State;

    async fn plan(cx: &Cx, _command: &Command) -> Result<Plan, Fault> {
        let before = look::look(cx).await?;
        Ok(Plan { before })
    }

    // Once Docker restarts it there is nothing to go back to: the old process is gone.
    #[rustfmt::skip]
    fn steps() -> Vec<Step<Plan, State>> {
        use Cancel::{AfterStep, Now, Refuse};
        vec![
            step("look",           "Look at the gateway",           act!(look),           Nothing,                        secs(30),         Now),
            step("drain",          "Ask it to finish its work",     act!(pause),          With(act!(resume), secs(60)),   secs(60),         AfterStep),
            step("restart",        "Restart the container",         act!(restart),        NoReturn,                       mins(3),          Refuse),
            step("await_live",     "Wait until it answers",         act!(await_live),     Nothing,                        waiting::LIMIT,   Now),
            step("await_ready",    "Wait until it is ready",        act!(await_ready),    Nothing,                        waiting::LIMIT,   Now),
            step("check_accounts", "Check the WhatsApp accounts",   act!(check_accounts), Nothing,                        accounts::LIMIT,  Now),
        ]
    }

    fn note(state: &State) -> Option<String> {
        state.note.clone()
    }
}

async fn look(cx: &Cx, plan: &Plan, _: &mut State) -> Result<(), Fault> {
    let old = look::existing(&plan.before)?;
    if old.state != ContainerState::Running {
        cx.say.line(format!(
            "Before the restart: {}. The restart brings it up.",
            old.words()
        ));
    }
    if let Some(fault) = &plan.before.compose_fault {
        let grace = words::duration(plan.before.grace);
        cx.say.line(format!(
            "The compose folder cannot be read ({fault}); a restart does not need it. The stop leaves \
             the gateway {grace}."
        ));
    }
    look::say_accounts(cx, &plan.before);
    Ok(())
}

async fn pause(cx: &Cx, plan: &Plan, _: &mut State) -> Result<(), Fault> {
    drain::drain(cx, &plan.before).await
}

async fn resume(cx: &Cx, _: &Plan, _: &mut State) -> Result<(), Fault> {
    drain::resume(cx).await
}

/// Done already when the container was started since the plan was made.
async fn restart(cx: &Cx, plan: &Plan, _: &mut State) -> Result<(), Fault> {
    let old = look::existing(&plan.before)?;
    let now = cx.containers.find(&cx.gateway, &old.id).await?;
    let started = now.filter(|now| now.state == ContainerState::Running);
    if started.is_some_and(|now| now.started_at > old.started_at) {
        cx.say.line("It has been started anew already.");
        return Ok(());
    }
    let restarted = cx
        .containers
        .restart(&cx.gateway, &old.id, plan.before.grace)
        .await;
    if let Err(fault) = restarted {
        // The old process may have survived, paused by the drain: that must not stay so.
        if drain::resume(cx).await.is_err() {
            cx.say
                .line("Whether the gateway takes work again could not be made sure.");
        }
        return Err(fault);
    }
    Ok(())
}

async fn await_live(cx: &Cx, plan: &Plan, _: &mut State) -> Result<(), Fault> {
    let old = look::existing(&plan.before)?;
    waiting::wait(cx, &old.id, Goal::Live, None).await
}

async fn await_ready(cx: &Cx, plan: &Plan, _: &mut State) -> Result<(), Fault> {
    let old = look::existing(&plan.before)?;
    waiting::wait(cx, &old.id, Goal::Ready, None).await
}

async fn check_accounts(cx: &Cx, plan: &Plan, state: &mut State) -> Result<(), Fault> {
    state.note = accounts::check(cx, &plan.before).await?;
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::World;
    use crate::testing::story_tests::{Scenario, story_tests};

    fn scenario() -> Scenario {
        let runs = |world: &World| {
            world.assert_runs();
        };
        Scenario {
            command: Command::Restart {
                gateway: "openclaw".parse().unwrap(),
            },
            world: World::running,
            done: runs,
            undone: runs,
        }
    }

    story_tests!(scenario);
}
