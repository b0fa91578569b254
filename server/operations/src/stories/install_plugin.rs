//! Install the WhatsApp plugin: into a gateway that has none, and so no WhatsApp channel at all.
//!
//! The gateway's own command fetches it into the state folder, and a new start loads it. When the channel does not come
//! up with it, the plugin is removed again and the gateway started as it was.

use std::time::Duration;

use domain::fact::ContainerState;
use domain::fault::{Boundary, Fault, FaultKind};
use domain::operation::{Cancel, Command};
use serde::{Deserialize, Serialize};
use tokio::time::Instant;

use super::look::{self, Before};
use super::waiting::{self, Goal};
use super::{gave_up, refused};
use crate::step::Undo::{Nothing, With};
use crate::step::{Cx, Step, act, mins, secs, step};
use crate::story::Story;

/// The channel is there when the gateway is ready; its answer may be a moment old.
const WITHIN: Duration = secs(30);
/// A gateway that loads plugins while it runs has done so by now.
const AT_ONCE: Duration = secs(5);
/// Between two looks.
const POLL: Duration = secs(1);

/// See the module.
pub struct InstallPlugin;

/// Decided before the first step.
#[derive(Debug, Serialize, Deserialize)]
pub struct Plan {
    before: Before,
}

/// Kept between steps.
#[derive(Debug, Default, Serialize, Deserialize)]
pub struct State {
    /// The gateway has loaded it without a new start.
    loaded: bool,
}

impl Story for InstallPlugin {
    const NAME: &'static str = "install-plugin";
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
            step("look",        "Look at the gateway",                  act!(examine),     Nothing,                              secs(30),        Now),
            step("install",     "Have the gateway fetch the plugin",    act!(install),     With(act!(remove), waiting::LIMIT),   mins(10),        AfterStep),
            step("stop",        "Stop the container",                   act!(stop),        Nothing,                              mins(3),         AfterStep),
            step("start",       "Start it",                             act!(start),       With(act!(stop), mins(3)),            mins(1),         AfterStep),
            step("await_live",  "Wait until it answers",                act!(await_live),  Nothing,                              waiting::LIMIT,  Now),
            step("await_ready", "Wait until it is ready",               act!(await_ready), Nothing,                              waiting::LIMIT,  Now),
            step("check",       "See whether WhatsApp is there",        act!(check),       Nothing,                              mins(1),         Now),
        ]
    }
}

async fn examine(cx: &Cx, plan: &Plan, _: &mut State) -> Result<(), Fault> {
    let old = look::existing(&plan.before)?;
    if old.state != ContainerState::Running {
        return Err(refused(
            FaultKind::Invalid,
            Boundary::Gateway,
            "The gateway does not run, and its own command fetches the plugin. Start it first.",
        ));
    }
    if look::ask_accounts(cx).await?.is_some() {
        return Err(refused(
            FaultKind::Invalid,
            Boundary::Gateway,
            "The gateway has its WhatsApp channel: the plugin is installed.",
        ));
    }
    Ok(())
}

async fn install(cx: &Cx, _: &Plan, state: &mut State) -> Result<(), Fault> {
    let installed = cx.plugins.install_whatsapp(&cx.gateway).await?;
    cx.say.line(format!("{installed} is in the state folder."));
    // Versions of 2026.9 load it at once; but what a socket offers is fixed when it connects, and a link needs its methods.
    state.loaded = channel(cx, AT_ONCE).await.is_ok()
        && cx
            .control
            .abilities(&cx.gateway)
            .await
            .is_ok_and(|abilities| abilities.scan);
    if state.loaded {
        cx.say.line("The gateway has loaded it, without a restart.");
    }
    Ok(())
}

/// Also starts the gateway again, when it was stopped since.
async fn remove(cx: &Cx, plan: &Plan, _: &mut State) -> Result<(), Fault> {
    cx.plugins.remove_whatsapp(&cx.gateway).await?;
    let id = &look::existing(&plan.before)?.id;
    let now = cx.containers.find(&cx.gateway, id).await?;
    if now.is_some_and(|now| now.state == ContainerState::Running) {
        return Ok(());
    }
    cx.containers.start(&cx.gateway, id).await?;
    if plan.before.ready {
        waiting::wait(cx, id, Goal::Ready, None).await?;
    }
    cx.say.line("The gateway runs again as before.");
    Ok(())
}

/// Also the way back from the start: what the gateway loaded while it runs, it drops when it is removed.
async fn stop(cx: &Cx, plan: &Plan, state: &mut State) -> Result<(), Fault> {
    if state.loaded {
        return Ok(());
    }
    let id = &look::existing(&plan.before)?.id;
    cx.containers.stop(&cx.gateway, id, plan.before.grace).await
}

async fn start(cx: &Cx, plan: &Plan, _: &mut State) -> Result<(), Fault> {
    let id = &look::existing(&plan.before)?.id;
    cx.containers.start(&cx.gateway, id).await
}

async fn await_live(cx: &Cx, plan: &Plan, _: &mut State) -> Result<(), Fault> {
    let id = &look::existing(&plan.before)?.id;
    waiting::wait(cx, id, Goal::Live, None).await
}

async fn await_ready(cx: &Cx, plan: &Plan, _: &mut State) -> Result<(), Fault> {
    let id = &look::existing(&plan.before)?.id;
    waiting::wait(cx, id, Goal::Ready, None).await
}

async fn check(cx: &Cx, _: &Plan, _: &mut State) -> Result<(), Fault> {
    channel(cx, WITHIN).await?;
    cx.say
        .line("WhatsApp is there. Next, link an account by a scan.");
    Ok(())
}

/// Waits until the WhatsApp channel is there.
async fn channel(cx: &Cx, within: Duration) -> Result<(), Fault> {
    let began = Instant::now();
    loop {
        let fault = match look::ask_accounts(cx).await {
            Ok(Some(_)) => return Ok(()),
            Ok(None) => gave_up(
                Boundary::Gateway,
                "The plugin was installed, and the gateway came back without a WhatsApp channel all the same; its log may \
                 say why.",
            ),
            Err(fault) => fault,
        };
        if began.elapsed() >= within {
            return Err(fault);
        }
        tokio::time::sleep(POLL).await;
    }
}

#[cfg(test)]
mod tests {
    use domain::operation::Outcome;

    use super::*;
    use crate::stories::Book;
    use crate::testing::story_tests::{Scenario, story_tests};
    use crate::testing::{Bench, World, gateway};

    fn command() -> Command {
        Command::InstallPlugin { gateway: gateway() }
    }

    fn without() -> World {
        let world = World::unlinked();
        let mut inner = world.lock();
        inner.plugin.installed = false;
        inner.plugin.loaded = false;
        drop(inner);
        world
    }

    fn scenario() -> Scenario {
        Scenario {
            command: command(),
            world: without,
            done: |world| {
                world.assert_runs();
                assert!(world.lock().plugin.installed);
            },
            undone: |world| {
                world.assert_runs();
                assert!(!world.lock().plugin.installed);
            },
        }
    }

    story_tests!(scenario);

    #[tokio::test(start_paused = true)]
    async fn a_gateway_that_loads_it_at_once_is_not_restarted() {
        let world = without();
        world.lock().plugin.loads_at_once = true;
        let bench = Bench::new(world);
        let (_, outcome) = bench.run(Book::default(), &command()).await;
        assert_eq!(outcome, Outcome::Succeeded { note: None });
        assert_eq!(bench.world.changes(), ["install_plugin"]);
    }

    #[tokio::test(start_paused = true)]
    async fn a_gateway_that_has_its_channel_is_left_alone() {
        let bench = Bench::new(World::running());
        let (_, outcome) = bench.run(Book::default(), &command()).await;
        let Outcome::Undone { why } = outcome else {
            panic!("{outcome:?}");
        };
        assert!(why.message.contains("the plugin is installed"), "{why}");
        assert_eq!(bench.world.changes(), Vec::<String>::new());
    }
}
