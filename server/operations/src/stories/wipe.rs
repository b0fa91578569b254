//! Wipe: the gateway's state folder is emptied, configuration and plugins are brought back, and a phone scans a code.
//! For a state that is beyond repair.
//!
//! The volume stays, so that its real name, its driver and whatever else hangs on it stay, too: what is in it is moved
//! aside within it, which takes no time and no room, and comes back when this does not end well. It is gone for good
//! only with the last step; the backup that was made first is kept.

use std::time::Duration;

use domain::fault::{Boundary, Fault, FaultKind};
use domain::operation::{Cancel, Command, Passing};
use domain::survey::Survey;
use domain::time::Timestamp;
use domain::words;
use serde::{Deserialize, Serialize};
use tokio::time::Instant;

use super::look::{self, Before, Old};
use super::waiting::{self, Goal};
use super::{backup, drain, gave_up, refused, relink};
use crate::step::Undo::{NoReturn, Nothing, With};
use crate::step::{Cx, Step, act, mins, secs, step};
use crate::story::Story;

/// A first pairing takes a few seconds: one command inside the container.
const PAIR: Duration = secs(90);
/// The step that a person can go on without.
const SHOW_CODE: &str = "show_code";
/// Between two looks.
const POLL: Duration = secs(1);

/// See the module.
pub struct Wipe;

/// Decided before the first step.
#[derive(Debug, Serialize, Deserialize)]
pub struct Plan {
    before: Before,
    relink: relink::Plan,
    /// Stands in the backup's name.
    begun: Timestamp,
    /// The gateway can write its own archive; else its folder is copied as it lies, once it is stopped.
    writes_archive: bool,
}

/// Kept between steps.
#[derive(Debug, Default, Serialize, Deserialize)]
pub struct State {
    relink: relink::State,
    /// The accounts whose links are gone, but for the one that is linked here.
    others: Vec<String>,
    /// Who said that the account is linked later.
    later_by: Option<String>,
    /// The step that ended last had nothing to do.
    idle: bool,
}

impl Story for Wipe {
    const NAME: &'static str = "wipe";
    type Plan = Plan;
    type State = State;

    async fn plan(cx: &Cx, command: &Command) -> Result<Plan, Fault> {
        let Command::Wipe { account, .. } = command else {
            let why = "this is not a wipe";
            return Err(refused(FaultKind::Unexpected, Boundary::Panel, why));
        };
        let before = look::look(cx).await?;
        // A gateway that does not answer, or no longer knows the account, is no reason to stop.
        let known = look::account(cx, account).await.ok();
        Ok(Plan {
            writes_archive: before.ready && before.connected.is_some(),
            before,
            relink: relink::Plan {
                before: known.as_ref().and_then(relink::last_digits),
                account: account.clone(),
            },
            begun: cx.clock.now(),
        })
    }

    #[rustfmt::skip]
    fn steps() -> Vec<Step<Plan, State>> {
        use Cancel::{AfterStep, Now, Refuse};
        vec![
            step("look",          "Look at what lives in the state folder",      act!(examine),       Nothing,                               mins(2),         Now),
            step("archive",       "Have the gateway write a backup",             act!(archive),       With(act!(clear_archive), secs(30)),   mins(5),         AfterStep),
            step("keep",          "Encrypt it and keep it",                      act!(keep),          Nothing,                               mins(10),        AfterStep),
            step("clear_archive", "Remove the archive from the container",       act!(clean_archive), Nothing,                               secs(30),        AfterStep),
            step("drain",         "Ask it to finish its work",                   act!(pause),         With(act!(resume), secs(60)),          secs(60),        AfterStep),
            step("stop",          "Stop the container",                          act!(stop),          With(act!(start_again), waiting::LIMIT), mins(3),       AfterStep),
            step("keep_folder",   "Back the folder up as it lies, if need be",   act!(keep_folder),   Nothing,                               mins(10),        AfterStep),
            step("set_aside",     "Move everything aside",                       act!(set_aside),     With(act!(put_back), mins(2)),         mins(2),         AfterStep),
            step("bring",         "Bring configuration and plugins back",        act!(bring),         Nothing,                               mins(5),         AfterStep),
            step("start",         "Start the container",                         act!(start),         With(act!(stop), mins(3)),             mins(1),         AfterStep),
            step("await_live",    "Wait until it answers",                       act!(await_live),    Nothing,                               waiting::LIMIT,  Now),
            step("pair",          "Pair the panel with it again",                act!(pair),          Nothing,                               mins(2),         Now),
            step("await_ready",   "Wait until it is ready",                      act!(await_ready),   Nothing,                               waiting::LIMIT,  Now),
            step(SHOW_CODE,      "Show the code until it is scanned",           act!(show_code),     With(act!(put_away), secs(30)),        mins(20),        Now).skippable(),
            step("connect",       "Wait until the account is connected",         act!(connect),       Nothing,                               mins(4),         Now),
            step("clear",         "Remove what was moved aside",                 act!(clean),         NoReturn,                              mins(5),         Refuse),
        ]
    }

    fn note(state: &State) -> Option<String> {
        let mut notes = Vec::new();
        match &state.later_by {
            Some(by) => notes.push(format!(
                "Not linked: {by} links it later, from the accounts page."
            )),
            None => notes.extend(relink::Relink::note(&state.relink)),
        }
        if !state.others.is_empty() {
            let others = state.others.join(", ");
            notes.push(format!("Accounts that must be linked anew, too: {others}."));
        }
        (!notes.is_empty()).then(|| notes.join(" "))
    }

    fn passed(state: &State) -> Option<Passing> {
        state.idle.then_some(Passing::NotNeeded)
    }

    fn skip(state: &mut State, step: &str, by: &str) {
        state.idle = false;
        if step == SHOW_CODE {
            state.later_by = Some(by.to_owned());
        }
    }

    fn todo(plan: &Plan, _: &State, step: &str) -> String {
        let name = plan
            .before
            .container
            .as_ref()
            .map_or("the gateway", |old| &old.name);
        format!(
            "Putting back stopped at `{step}`. All that was in the gateway's state folder lies in its volume, under \
             `.panel-aside-…/files`. With {name} stopped, remove what is beside it, move those files up, remove the folder, \
             start {name}, then free the gateway here."
        )
    }
}

/// The container, which must be there.
fn container(plan: &Plan) -> Result<&Old, Fault> {
    look::existing(&plan.before)
}

async fn examine(cx: &Cx, plan: &Plan, state: &mut State) -> Result<(), Fault> {
    backup::need_key(cx).await?;
    container(plan)?;
    let survey = cx.folder.survey(&cx.gateway).await?;
    cx.say.line(holds(&survey));
    if !plan.writes_archive {
        cx.say.line(
            "The gateway is not well enough to write a backup; its folder is copied as it lies, once it is stopped.",
        );
    }
    state.others = survey.links;
    state.others.retain(|id| id != plan.relink.account.as_str());
    Ok(())
}

/// What lives in the folder, in a sentence.
fn holds(survey: &Survey) -> String {
    format!(
        "{} in {}: {}, {}, {} with their conversations, {}, {}.",
        words::bytes(survey.bytes),
        survey.volume,
        words::count(survey.links.len() as u64, "link", "links"),
        words::count(survey.devices, "paired device", "paired devices"),
        words::count(survey.agents.len() as u64, "agent", "agents"),
        words::count(survey.workspaces.len() as u64, "workspace", "workspaces"),
        words::count(survey.plugins.len() as u64, "plugin", "plugins"),
    )
}

async fn archive(cx: &Cx, plan: &Plan, state: &mut State) -> Result<(), Fault> {
    state.idle = !plan.writes_archive;
    if plan.writes_archive {
        backup::write(cx).await?;
    }
    Ok(())
}

async fn clear_archive(cx: &Cx, _: &Plan, _: &mut State) -> Result<(), Fault> {
    cx.backups.clear(&cx.gateway, cx.operation).await
}

async fn keep(cx: &Cx, plan: &Plan, _: &mut State) -> Result<(), Fault> {
    if plan.writes_archive {
        backup::encrypt(cx, plan.begun).await?;
    }
    Ok(())
}

async fn clean_archive(cx: &Cx, plan: &Plan, _: &mut State) -> Result<(), Fault> {
    if plan.writes_archive {
        backup::remove(cx).await?;
    }
    Ok(())
}

async fn pause(cx: &Cx, plan: &Plan, state: &mut State) -> Result<(), Fault> {
    state.idle = false;
    drain::drain(cx, &plan.before).await
}

async fn resume(cx: &Cx, _: &Plan, _: &mut State) -> Result<(), Fault> {
    drain::resume(cx).await
}

/// Also the way back from the start.
async fn stop(cx: &Cx, plan: &Plan, _: &mut State) -> Result<(), Fault> {
    let id = &container(plan)?.id;
    cx.containers.stop(&cx.gateway, id, plan.before.grace).await
}

/// Only what ran before is started again; only what was ready is waited for.
async fn start_again(cx: &Cx, plan: &Plan, _: &mut State) -> Result<(), Fault> {
    let old = container(plan)?;
    if !old.runs() {
        return Ok(());
    }
    cx.containers.start(&cx.gateway, &old.id).await?;
    if plan.before.ready {
        waiting::wait(cx, &old.id, Goal::Ready, None).await?;
    }
    cx.say.line("The gateway runs again on the state it had.");
    Ok(())
}

async fn keep_folder(cx: &Cx, plan: &Plan, state: &mut State) -> Result<(), Fault> {
    state.idle = plan.writes_archive;
    if plan.writes_archive {
        return Ok(());
    }
    let kept = cx
        .backups
        .keep_folder(&cx.gateway, cx.operation, plan.begun)
        .await?;
    let size = words::bytes(kept.bytes);
    cx.say.line(format!("{}, {size}.", kept.name));
    Ok(())
}

async fn set_aside(cx: &Cx, _: &Plan, state: &mut State) -> Result<(), Fault> {
    state.idle = false;
    cx.folder.set_aside(&cx.gateway, cx.operation).await?;
    cx.say
        .line("Everything is kept aside in the volume and comes back by itself if this does not end well.");
    Ok(())
}

async fn put_back(cx: &Cx, _: &Plan, _: &mut State) -> Result<(), Fault> {
    cx.folder.put_back(&cx.gateway, cx.operation).await
}

async fn bring(cx: &Cx, _: &Plan, _: &mut State) -> Result<(), Fault> {
    cx.folder.bring(&cx.gateway, cx.operation).await
}

async fn start(cx: &Cx, plan: &Plan, _: &mut State) -> Result<(), Fault> {
    cx.containers.start(&cx.gateway, &container(plan)?.id).await
}

async fn await_live(cx: &Cx, plan: &Plan, _: &mut State) -> Result<(), Fault> {
    waiting::wait(cx, &container(plan)?.id, Goal::Live, None).await
}

/// The pairing was in the folder. The socket asks for a new one by itself and approves it in the container.
async fn pair(cx: &Cx, _: &Plan, _: &mut State) -> Result<(), Fault> {
    let began = Instant::now();
    loop {
        let fault = match look::ask_accounts(cx).await {
            Ok(Some(_)) => {
                cx.say.line("The panel is paired with the gateway again.");
                return Ok(());
            }
            Ok(None) => gave_up(
                Boundary::Gateway,
                "The gateway came back without its WhatsApp channel: its plugin is not installed.",
            ),
            Err(fault) => fault,
        };
        if began.elapsed() >= PAIR {
            return Err(gave_up(Boundary::Gateway, fault.message));
        }
        cx.say.progress(fault.message);
        tokio::time::sleep(POLL).await;
    }
}

async fn await_ready(cx: &Cx, plan: &Plan, _: &mut State) -> Result<(), Fault> {
    waiting::wait(cx, &container(plan)?.id, Goal::Ready, None).await
}

async fn show_code(cx: &Cx, plan: &Plan, state: &mut State) -> Result<(), Fault> {
    relink::need_scan(cx).await?;
    relink::show_code(cx, &plan.relink, &mut state.relink).await
}

async fn put_away(cx: &Cx, plan: &Plan, state: &mut State) -> Result<(), Fault> {
    relink::put_away(cx, &plan.relink, &mut state.relink).await
}

async fn connect(cx: &Cx, plan: &Plan, state: &mut State) -> Result<(), Fault> {
    state.idle = state.later_by.is_some();
    if state.idle {
        return Ok(());
    }
    relink::connect(cx, &plan.relink, &mut state.relink).await
}

/// The new state stands: what stays behind is no reason to give it up.
async fn clean(cx: &Cx, _: &Plan, state: &mut State) -> Result<(), Fault> {
    state.idle = false;
    if let Err(fault) = cx.folder.clear(&cx.gateway, cx.operation).await {
        cx.say.line(format!(
            "{fault} What was in the folder stays in its volume under `.panel-aside-…`; remove it by hand."
        ));
    }
    cx.say
        .line("The phone still lists the old device: remove it there, under Linked devices.");
    Ok(())
}

#[cfg(test)]
mod tests {
    use domain::fact::ContainerState;
    use domain::operation::Outcome;

    use super::*;
    use crate::stories::Book;
    use crate::testing::story_tests::{Scenario, story_tests};
    use crate::testing::{Bench, Phone, World, gateway};

    fn command() -> Command {
        Command::Wipe {
            gateway: gateway(),
            account: "default".parse().unwrap(),
        }
    }

    fn in_order(world: &World) {
        world.assert_runs();
        let inner = world.lock();
        assert_eq!(inner.shown, None);
        assert!(inner.wiped.is_none() && inner.archives.is_empty());
    }

    fn scenario() -> Scenario {
        Scenario {
            command: command(),
            world: World::running,
            done: |world| {
                in_order(world);
                assert_eq!(world.lock().kept.len(), 1);
                world.account(|account| {
                    assert!(account.linked && account.credential_age_ms == Some(0));
                });
            },
            undone: |world| {
                in_order(world);
                world.account(|account| {
                    assert!(account.linked && account.credential_age_ms.is_none());
                });
            },
        }
    }

    story_tests!(scenario);

    #[tokio::test(start_paused = true)]
    async fn nobody_scans_and_everything_is_back() {
        let world = World::running();
        world.lock().phone = Phone::Away;
        let bench = Bench::new(world);
        let (_, outcome) = bench.run(Book::default(), &command()).await;
        assert!(matches!(outcome, Outcome::Undone { .. }), "{outcome:?}");
        (scenario().undone)(&bench.world);
    }

    #[tokio::test(start_paused = true)]
    async fn who_links_later_keeps_the_empty_state() {
        let world = World::running();
        world.lock().phone = Phone::Away;
        let bench = Bench::new(world);
        bench.journal.skip_at(SHOW_CODE);
        let (_, outcome) = bench.run(Book::default(), &command()).await;
        let Outcome::Succeeded { note: Some(note) } = outcome else {
            panic!("{outcome:?}");
        };
        assert!(note.contains("anna links it later"), "{note}");
        in_order(&bench.world);
        bench.world.account(|account| assert!(!account.linked));
    }

    #[tokio::test(start_paused = true)]
    async fn a_gateway_that_does_not_answer_is_copied_as_it_lies() {
        let world = World::running();
        world.lock().boxes[0].state = ContainerState::Exited;
        let bench = Bench::new(world);
        let (_, outcome) = bench.run(Book::default(), &command()).await;
        assert!(matches!(outcome, Outcome::Succeeded { .. }), "{outcome:?}");
        let changes = bench.world.changes();
        assert!(changes.contains(&"keep_folder".to_owned()), "{changes:?}");
        assert!(!changes.contains(&"archive".to_owned()), "{changes:?}");
    }

    #[tokio::test(start_paused = true)]
    async fn without_a_key_for_backups_nothing_is_begun() {
        let world = World::running();
        world.lock().backup_key = false;
        let bench = Bench::new(world);
        let (_, outcome) = bench.run(Book::default(), &command()).await;
        assert!(matches!(outcome, Outcome::Undone { .. }), "{outcome:?}");
        assert_eq!(bench.world.changes(), Vec::<String>::new());
    }
}
