//! Stop: the container stays, its process ends.

use domain::exit_code;
use domain::fault::Fault;
use domain::operation::{Cancel, Command};
use serde::{Deserialize, Serialize};

use super::drain;
use super::look::{self, Before};
use super::waiting::{self, Goal};
use crate::step::Undo::{Nothing, With};
use crate::step::{Cx, Step, act, mins, secs, step};
use crate::story::Story;

/// See the module.
pub struct Stop;

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

impl Story for Stop {
    const NAME: &'static str = "stop";
    type Plan = Plan;
    type State = State;

    async fn plan(cx: &Cx, _command: &Command) -> Result<Plan, Fault> {
        let before = look::look(cx).await?;
        Ok(Plan { before })
    }

    #[rustfmt::skip]
    fn steps() -> Vec<Step<Plan, State>> {
        use Cancel::{AfterStep, Now};
        vec![
            step("look",  "Look at the gateway",       act!(look),  Nothing,                                secs(30), Now),
            step("drain", "Ask it to finish its work", act!(pause), With(act!(resume), secs(60)),           secs(60), AfterStep),
            step("stop",  "Stop the container",        act!(stop),  With(act!(start_again), waiting::LIMIT), mins(3),  AfterStep),
        ]
    }

    fn note(state: &State) -> Option<String> {
        state.note.clone()
    }
}

async fn look(cx: &Cx, plan: &Plan, _: &mut State) -> Result<(), Fault> {
    let old = look::existing(&plan.before)?;
    if !old.runs() {
        cx.say.line(format!("It does not run: {}.", old.words()));
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

async fn stop(cx: &Cx, plan: &Plan, state: &mut State) -> Result<(), Fault> {
    let old = look::existing(&plan.before)?;
    cx.containers
        .stop(&cx.gateway, &old.id, plan.before.grace)
        .await?;
    if !old.runs() {
        state.note = Some("It did not run before either.".to_owned());
        return Ok(());
    }
    let now = cx.containers.find(&cx.gateway, &old.id).await?;
    if let Some(code @ 137) = now.and_then(|now| now.exit_code) {
        state.note = Some(format!(
            "It did not stop by itself: {}. Start brings it back at once; a recreate may have to wait for \
             its owner lease.",
            exit_code::meaning(code, false)
        ));
    }
    Ok(())
}

/// Only what ran before is started again.
async fn start_again(cx: &Cx, plan: &Plan, _: &mut State) -> Result<(), Fault> {
    let old = look::existing(&plan.before)?;
    if !old.runs() {
        return Ok(());
    }
    cx.containers.start(&cx.gateway, &old.id).await?;
    if plan.before.ready {
        waiting::wait(cx, &old.id, Goal::Ready, None).await?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use domain::fact::ContainerState;

    use super::*;
    use crate::testing::World;
    use crate::testing::story_tests::{Scenario, story_tests};

    fn scenario() -> Scenario {
        Scenario {
            command: Command::Stop {
                gateway: "openclaw".parse().unwrap(),
            },
            world: World::running,
            done: |world| assert_eq!(world.assert_one().state, ContainerState::Exited),
            undone: |world| assert!(world.assert_runs().starts_with("old")),
        }
    }

    story_tests!(scenario);
}
