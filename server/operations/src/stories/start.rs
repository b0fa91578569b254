//! Start: the container that is there.

use domain::fact::ContainerState;
use domain::fault::{Boundary, Fault, FaultKind};
use domain::operation::{Cancel, Command};
use serde::{Deserialize, Serialize};

use super::look::{self, Before};
use super::waiting::{self, Goal};
use super::{accounts, refused};
use crate::step::Undo::{NoReturn, Nothing};
use crate::step::{Cx, Step, act, mins, secs, step};
use crate::story::Story;

/// See the module.
pub struct Start;

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

impl Story for Start {
    const NAME: &'static str = "start";
    type Plan = Plan;
    type State = State;

    async fn plan(cx: &Cx, _command: &Command) -> Result<Plan, Fault> {
        let before = look::look(cx).await?;
        Ok(Plan { before })
    }

    // A gateway that is slow to come up is better left running than stopped again: no way back.
    #[rustfmt::skip]
    fn steps() -> Vec<Step<Plan, State>> {
        use Cancel::{Now, Refuse};
        vec![
            step("look",           "Look at the gateway",         act!(look),           Nothing,  secs(30),        Now),
            step("start",          "Start the container",         act!(start),          NoReturn, mins(1),         Refuse),
            step("await_live",     "Wait until it answers",       act!(await_live),     Nothing,  waiting::LIMIT,  Now),
            step("await_ready",    "Wait until it is ready",      act!(await_ready),    Nothing,  waiting::LIMIT,  Now),
            step("check_accounts", "Check the WhatsApp accounts", act!(check_accounts), Nothing,  accounts::LIMIT, Now),
        ]
    }

    fn note(state: &State) -> Option<String> {
        state.note.clone()
    }
}

async fn look(cx: &Cx, plan: &Plan, _: &mut State) -> Result<(), Fault> {
    let old = look::existing(&plan.before)?;
    if old.state == ContainerState::Paused {
        return Err(refused(
            FaultKind::Invalid,
            Boundary::Docker,
            "The container is frozen (docker pause), not stopped. Use Restart, which wakes it.",
        ));
    }
    cx.say.line(format!("Before the start: {}.", old.words()));
    Ok(())
}

async fn start(cx: &Cx, plan: &Plan, _: &mut State) -> Result<(), Fault> {
    let old = look::existing(&plan.before)?;
    cx.containers.start(&cx.gateway, &old.id).await
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
        Scenario {
            command: Command::Start {
                gateway: "openclaw".parse().unwrap(),
            },
            world: World::stopped,
            done: |world| assert!(world.assert_runs().starts_with("old")),
            undone: |world| assert_eq!(world.assert_one().state, ContainerState::Exited),
        }
    }

    story_tests!(scenario);
}
