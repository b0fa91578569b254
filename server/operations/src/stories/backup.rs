//! Back up: an encrypted copy of the gateway's state, made while it runs.
//!
//! The gateway writes and verifies the archive itself: its databases must not be copied under a process that
//! writes to them. The archive passes the panel as a stream and reaches the disk encrypted.

use domain::fact::ContainerState;
use domain::fault::{Boundary, Fault, FaultKind};
use domain::operation::{Cancel, Command};
use domain::time::Timestamp;
use domain::words;
use serde::{Deserialize, Serialize};

use super::{gave_up, refused};
use crate::step::Undo::{Nothing, With};
use crate::step::{Cx, Step, act, mins, secs, step};
use crate::story::Story;

/// See the module.
pub struct BackUp;

/// Decided before the first step.
#[derive(Debug, Serialize, Deserialize)]
pub struct Plan {
    /// Stands in the backup's name.
    begun: Timestamp,
}

/// Nothing is kept between steps.
#[derive(Debug, Default, Serialize, Deserialize)]
pub struct State {}

impl Story for BackUp {
    const NAME: &'static str = "backup";
    type Plan = Plan;
    type State = State;

    async fn plan(cx: &Cx, _command: &Command) -> Result<Plan, Fault> {
        let begun = cx.clock.now();
        Ok(Plan { begun })
    }

    #[rustfmt::skip]
    fn steps() -> Vec<Step<Plan, State>> {
        use Cancel::{AfterStep, Now};
        vec![
            step("look",    "Look at the gateway and the key",        act!(look),    Nothing,                        secs(30), Now),
            step("archive", "Have the gateway write an archive",      act!(archive), With(act!(clear), secs(30)),    mins(5),  AfterStep),
            step("keep",    "Encrypt it and keep it",                 act!(keep),    With(act!(forget), secs(30)),   mins(10), AfterStep),
            step("clear",   "Remove the archive from the container",  act!(clean),   Nothing,                        secs(30), AfterStep),
        ]
    }
}

async fn look(cx: &Cx, _: &Plan, _: &mut State) -> Result<(), Fault> {
    need_key(cx).await?;
    let container = cx.containers.current(&cx.gateway).await?;
    let runs = container.is_some_and(|container| container.state == ContainerState::Running);
    if !runs {
        return Err(refused(
            FaultKind::Invalid,
            Boundary::Gateway,
            "The gateway does not run, and only it can copy its databases safely. Start it first.",
        ));
    }
    if !cx.control.readiness(&cx.gateway).await?.live {
        return Err(gave_up(
            Boundary::Gateway,
            "The gateway does not answer. A backup of a gateway that is not well may be worth little: fix it first.",
        ));
    }
    Ok(())
}

/// Refuses when nothing could be encrypted.
pub(super) async fn need_key(cx: &Cx) -> Result<(), Fault> {
    if cx.backups.recipient().await?.is_some() {
        return Ok(());
    }
    Err(refused(
        FaultKind::Refused,
        Boundary::Panel,
        "There is no key for backups yet. An admin makes it on the backups page, or with `panel backup key`.",
    ))
}

async fn archive(cx: &Cx, _: &Plan, _: &mut State) -> Result<(), Fault> {
    write(cx).await
}

/// Has the gateway write its archive.
pub(super) async fn write(cx: &Cx) -> Result<(), Fault> {
    let holds = cx.backups.archive(&cx.gateway, cx.operation).await?;
    cx.say.line(holds);
    Ok(())
}

async fn keep(cx: &Cx, plan: &Plan, _: &mut State) -> Result<(), Fault> {
    encrypt(cx, plan.begun).await
}

/// Takes the archive out and keeps it.
pub(super) async fn encrypt(cx: &Cx, begun: Timestamp) -> Result<(), Fault> {
    let kept = cx.backups.keep(&cx.gateway, cx.operation, begun).await?;
    let size = words::bytes(kept.bytes);
    cx.say.line(format!("{}, {size}.", kept.name));
    Ok(())
}

/// The backup is kept: an archive that stays behind is no reason to give it up.
async fn clean(cx: &Cx, _: &Plan, _: &mut State) -> Result<(), Fault> {
    remove(cx).await
}

/// Removes the archive from the container, if that is possible.
pub(super) async fn remove(cx: &Cx) -> Result<(), Fault> {
    if let Err(fault) = cx.backups.clear(&cx.gateway, cx.operation).await {
        cx.say.line(format!(
            "{fault} It stays in the container's /tmp and goes with the container at the next recreate."
        ));
    }
    Ok(())
}

/// The way back from the archive.
async fn clear(cx: &Cx, _: &Plan, _: &mut State) -> Result<(), Fault> {
    cx.backups.clear(&cx.gateway, cx.operation).await
}

async fn forget(cx: &Cx, _: &Plan, _: &mut State) -> Result<(), Fault> {
    cx.backups.forget(&cx.gateway, cx.operation).await
}

#[cfg(test)]
mod tests {
    use domain::operation::Outcome;

    use super::*;
    use crate::stories::Book;
    use crate::testing::story_tests::{Scenario, story_tests};
    use crate::testing::{Bench, World, gateway};

    fn kept(world: &World) {
        world.assert_runs();
        let inner = world.lock();
        assert_eq!((inner.archives.len(), inner.kept.len()), (0, 1));
    }

    fn nothing_kept(world: &World) {
        world.assert_runs();
        let inner = world.lock();
        assert_eq!((inner.archives.len(), inner.kept.len()), (0, 0));
    }

    fn command() -> Command {
        Command::Backup { gateway: gateway() }
    }

    fn scenario() -> Scenario {
        Scenario {
            command: command(),
            world: World::running,
            done: kept,
            undone: nothing_kept,
        }
    }

    story_tests!(scenario);

    async fn refused_for(world: World, why: &str) {
        let bench = Bench::new(world);
        let (_, outcome) = bench.run(Book::default(), &command()).await;
        let Outcome::Undone { why: fault } = outcome else {
            panic!("{outcome:?}");
        };
        assert!(fault.message.contains(why), "{fault}");
        assert_eq!(bench.world.changes(), Vec::<String>::new());
    }

    #[tokio::test(start_paused = true)]
    async fn without_a_key_nothing_is_begun() {
        let world = World::running();
        world.lock().backup_key = false;
        refused_for(world, "An admin makes it").await;
    }

    #[tokio::test(start_paused = true)]
    async fn a_gateway_that_does_not_run_is_not_copied() {
        let world = World::running();
        world.lock().boxes[0].state = ContainerState::Exited;
        refused_for(world, "Start it first").await;
    }
}
