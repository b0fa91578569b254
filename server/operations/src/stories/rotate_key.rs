//! Rotate the key: a new one is written into `.env`, the container is recreated with it, and it is proved at every door
//! that the new key is taken and the old one refused. Until that is proved, anything that goes wrong brings the old key
//! and the old container back.
//!
//! A restart would not do: a container keeps the environment that it was created with. The gateway has one key at a time,
//! so there is no overlap: whoever still sends the old key is refused from the moment the new container answers.
//!
//! Neither key is ever in a plan, a state or a line: the journal tells versions apart by fingerprints, the new key is in
//! `.env` alone, and the old one in a sealed copy of the file. That copy outlives the operation, so that the old key can
//! come back by another one while not everybody has the new one; after a leak it does not.

mod repository;
#[cfg(test)]
mod tests;

use std::time::Duration;

use domain::credential::{Cause, Fingerprint};
use domain::fact::ContainerState;
use domain::fault::{Boundary, Fault, FaultKind, Retry};
use domain::gateway_key::{self, Answer, KeyLine, NextKey, Tried, WhichKey};
use domain::key_rotation::NewKeyRotation;
use domain::operation::{Cancel, Command, OperationId, Passing};
use domain::ports::StoreError;
use serde::{Deserialize, Serialize};

use repository::{log, secret};

use super::look::{self, Before};
use super::recreate::{self, Recreate};
use super::refused;
use crate::step::Undo::{NoReturn, Nothing, With};
use crate::step::{Cx, Step, act, mins, secs, step};
use crate::story::Story;

/// Every door is tried with both keys; one that does not answer takes its time.
const PROVING: Duration = mins(3);
/// A wrong key is counted by the gateway, so it is not tried more often than this.
const TRIES: usize = 3;
/// Between two tries.
const PAUSE: Duration = secs(5);

/// See the module.
pub struct RotateKey;

/// Decided before the first step.
#[derive(Debug, Serialize, Deserialize)]
pub struct Plan {
    before: Before,
    line: KeyLine,
    in_container: Option<Fingerprint>,
    /// What the doors made of the present key.
    doors: Vec<Tried>,
    cause: Cause,
    #[serde(default)]
    skip_secret: bool,
    /// The rotation whose old key comes back.
    #[serde(default)]
    puts_back: Option<OperationId>,
}

impl Plan {
    fn next(&self) -> NextKey {
        self.puts_back.map_or(NextKey::Random, NextKey::Before)
    }
}

/// Kept between steps.
#[derive(Debug, Default, Serialize, Deserialize)]
pub struct State {
    /// The new key's.
    new: Option<Fingerprint>,
    /// Made once the new key is in `.env`: what the compose folder says has changed by it.
    plan: Option<recreate::Plan>,
    recreate: recreate::State,
    /// What was left behind, for people.
    left: Option<String>,
    /// How the step that ended last was passed, if it was.
    passed: Option<Passing>,
}

impl Story for RotateKey {
    const NAME: &'static str = "rotate-key";
    type Plan = Plan;
    type State = State;

    async fn plan(cx: &Cx, command: &Command) -> Result<Plan, Fault> {
        let Command::RotateKey {
            cause,
            skip_secret,
            puts_back,
            ..
        } = command
        else {
            let why = "this is no rotation";
            return Err(refused(FaultKind::Unexpected, Boundary::Panel, why));
        };
        let before = look::look(cx).await?;
        let line = cx.keys.look(&cx.gateway).await?;
        Ok(Plan {
            in_container: cx.keys.in_container(&cx.gateway).await?,
            doors: try_doors(cx, WhichKey::Present).await?,
            before,
            line,
            cause: *cause,
            skip_secret: *skip_secret,
            puts_back: *puts_back,
        })
    }

    #[rustfmt::skip]
    fn steps() -> Vec<Step<Plan, State>> {
        use Cancel::{AfterStep, Now, Refuse};
        vec![
            step("look",     "Look at the present key",                        act!(examine),  Nothing,                        secs(60), Now),
            step("renew",    "Change the key in .env",                         act!(renew),    With(act!(put_back), PROVING),  secs(30), AfterStep),
            step("recreate", "Recreate the container with it",                 act!(compare),  Nothing,                        mins(2),  Now),
            part::<DRAIN>("recreate.drain"),
            part::<STOP_OLD>("recreate.stop_old"),
            part::<SET_ASIDE>("recreate.set_aside"),
            part::<CREATE_NEW>("recreate.create_new"),
            part::<START_NEW>("recreate.start_new"),
            part::<AWAIT_LIVE>("recreate.await_live"),
            part::<AWAIT_READY>("recreate.await_ready"),
            part::<CHECK_ACCOUNTS>("recreate.check_accounts"),
            step("prove",    "Prove that this key is taken and the one before refused", act!(prove), Nothing,                  PROVING,  Now),
            step("finish",   "Remove the old container",                       act!(finish),   NoReturn,                       mins(2),  Refuse),
            step("record",   "Note what is left to hand over",                 act!(record),   NoReturn,                       mins(10), Refuse),
            step("secret",   "Write the repository's secret on GitHub",        act!(secret),   NoReturn,                       mins(2),  Refuse),
            step("log",      "Write it into the rotation log",                 act!(log),      NoReturn,                       mins(2),  Refuse),
        ]
    }

    fn note(state: &State) -> Option<String> {
        let notes: Vec<String> = Recreate::note(&state.recreate)
            .into_iter()
            .chain(state.left.clone())
            .collect();
        (!notes.is_empty()).then(|| notes.join(" "))
    }

    fn passed(state: &State) -> Option<Passing> {
        state.passed
    }

    fn todo(plan: &Plan, state: &State, step: &str) -> String {
        let file = &plan.line.file;
        let variable = &plan.line.variable;
        if let Some((inner, made)) = step.strip_prefix("recreate.").zip(state.plan.as_ref()) {
            return format!(
                "{} Until then {file} holds the new key, and the old container the old one.",
                Recreate::todo(made, &state.recreate, inner)
            );
        }
        format!(
            "Putting the old key back stopped at `{step}`. Compare {variable} in {file} with the key in the running \
             container (`docker inspect`); when they differ, recreate the container, which then has the key of {file}. Then \
             free the gateway here."
        )
    }
}

// Places in the table of `recreate`.
const DRAIN: usize = 1;
const STOP_OLD: usize = 2;
const SET_ASIDE: usize = 3;
const CREATE_NEW: usize = 4;
const START_NEW: usize = 5;
const AWAIT_LIVE: usize = 6;
const AWAIT_READY: usize = 7;
const CHECK_ACCOUNTS: usize = 8;
const REMOVE_OLD: usize = 9;

/// One step of the recreate, as a part of this story.
fn part<const AT: usize>(name: &'static str) -> Step<Plan, State> {
    let inner = Recreate::steps().swap_remove(AT);
    Step {
        name,
        label: inner.label,
        act: act!(forward::<AT>),
        undo: match inner.undo {
            With(_, limit) => With(act!(back::<AT>), limit),
            _ => Nothing,
        },
        limit: inner.limit,
        cancel: inner.cancel,
        skippable: inner.skippable,
    }
}

async fn forward<const AT: usize>(cx: &Cx, plan: &Plan, state: &mut State) -> Result<(), Fault> {
    // Somebody may know the key: nothing is waited for that is not needed.
    state.passed = (AT == DRAIN && plan.cause == Cause::Leak).then_some(Passing::NotNeeded);
    if state.passed.is_some() {
        return Ok(());
    }
    let State { plan, recreate, .. } = state;
    let made = plan.as_ref().ok_or_else(unplanned)?;
    (Recreate::steps().swap_remove(AT).act)(cx, made, recreate).await
}

async fn back<const AT: usize>(cx: &Cx, _: &Plan, state: &mut State) -> Result<(), Fault> {
    let State { plan, recreate, .. } = state;
    let made = plan.as_ref().ok_or_else(unplanned)?;
    match Recreate::steps().swap_remove(AT).undo {
        With(undo, _) => undo(cx, made, recreate).await,
        _ => Ok(()),
    }
}

fn unplanned() -> Fault {
    let why = "the journal does not say how the container is recreated";
    refused(FaultKind::Unexpected, Boundary::Panel, why)
}

/// Refuses what could not be proved afterwards, before anything is touched.
async fn examine(cx: &Cx, plan: &Plan, _: &mut State) -> Result<(), Fault> {
    let old = look::existing(&plan.before)?;
    let line = &plan.line;
    if old.state != ContainerState::Running {
        return Err(refused(
            FaultKind::Invalid,
            Boundary::Gateway,
            "The gateway does not run, so a change of its key could not be proved. Start it first.",
        ));
    }
    if plan.in_container.as_ref() != Some(&line.fingerprint) {
        return Err(refused(
            FaultKind::Invalid,
            Boundary::Compose,
            format!(
                "The gateway runs with another key than {} says: the file was changed and the container not recreated. \
                 Recreate it first; then rotate.",
                line.file
            ),
        ));
    }
    let now = cx.keys.look(&cx.gateway).await?;
    if now.fingerprint != line.fingerprint {
        let why = format!("Somebody changed the key in {} just now.", line.file);
        return Err(refused(FaultKind::Invalid, Boundary::Compose, why));
    }
    if let Err(why) = taken_inside(&plan.doors) {
        let why = format!("The present key is not proved, so a new one could not be either. {why}");
        return Err(refused(FaultKind::Invalid, Boundary::Gateway, why));
    }
    cx.say.line(format!(
        "{} in {}, fingerprint {}.",
        line.variable, line.file, line.fingerprint
    ));
    if let Some(rotation) = plan.puts_back {
        may_come_back(cx, rotation).await?;
    }
    if let Some(doors) = gateway_key::those(&plan.doors, |answer| *answer == Answer::Takes) {
        cx.say.line(format!("The present key is taken by {doors}."));
    }
    for notice in &line.notices {
        cx.say.line(notice);
    }
    Ok(())
}

/// Only what the latest rotation replaced comes back: who was told of a later key would be asked to go back twice.
async fn may_come_back(cx: &Cx, rotation: OperationId) -> Result<(), Fault> {
    let latest = cx.rotations.latest(&cx.gateway).await;
    let latest = latest.or_else(|error| noted(cx, Err(error)).map(|()| None))?;
    if latest.is_none_or(|latest| latest.operation != rotation) {
        let why = "The key was rotated again since, so the one before that does not come back.";
        return Err(refused(FaultKind::Invalid, Boundary::Panel, why));
    }
    match cx.keys.kept(&cx.gateway, rotation).await? {
        Some(kept) => {
            cx.say
                .line(format!("The old key is kept, fingerprint {kept}."));
            Ok(())
        }
        None => Err(refused(
            FaultKind::Invalid,
            Boundary::Panel,
            "The old key is not kept any more: it goes once everybody has the new one, and after 7 days.",
        )),
    }
}

async fn renew(cx: &Cx, plan: &Plan, state: &mut State) -> Result<(), Fault> {
    let new = cx
        .keys
        .renew(&cx.gateway, cx.operation, plan.next())
        .await?;
    let file = &plan.line.file;
    cx.say.line(match plan.next() {
        NextKey::Random => format!(
            "A new key stands in {file}, fingerprint {new}. The container still has the old one."
        ),
        NextKey::Before(_) => format!(
            "The old key stands in {file} again, fingerprint {new}. The container still has the new one."
        ),
    });
    state.new = Some(new);
    Ok(())
}

/// The old key comes back, and is proved when the gateway runs.
async fn put_back(cx: &Cx, plan: &Plan, _: &mut State) -> Result<(), Fault> {
    if cx.keys.put_back(&cx.gateway, cx.operation).await?.is_none() {
        return Ok(());
    }
    cx.say.line(format!(
        "The key of before stands in {} again.",
        plan.line.file
    ));
    let inside = cx.keys.in_container(&cx.gateway).await?;
    match inside {
        None => cx
            .say
            .line("The container does not run, so the old key is not proved."),
        Some(inside) if inside != plan.line.fingerprint => {
            return Err(refused(
                FaultKind::Invalid,
                Boundary::Docker,
                "The running container has another key than the one that was put back.",
            ));
        }
        Some(_) => {
            let mut left = TRIES;
            while let Err(why) = taken_inside(&try_doors(cx, WhichKey::Present).await?) {
                again(cx, &mut left, &why).await?;
            }
            cx.say.line("The key of before is taken again.");
        }
    }
    cx.keys.forget(&cx.gateway, cx.operation).await
}

/// Plans the recreate from the folder as it now is, and says what it changes.
async fn compare(cx: &Cx, _: &Plan, state: &mut State) -> Result<(), Fault> {
    let command = Command::Recreate {
        gateway: cx.gateway.clone(),
        seen: None,
    };
    let made = Recreate::plan(cx, &command).await?;
    let look = Recreate::steps().swap_remove(0);
    (look.act)(cx, &made, &mut state.recreate).await?;
    state.plan = Some(made);
    Ok(())
}

async fn prove(cx: &Cx, plan: &Plan, state: &mut State) -> Result<(), Fault> {
    state.passed = None;
    let inside = cx.keys.in_container(&cx.gateway).await?;
    if inside.is_none() || inside != state.new {
        return Err(refused(
            FaultKind::Invalid,
            Boundary::Docker,
            format!(
                "The new container does not have the key of {}: the change did not reach the process.",
                plan.line.file
            ),
        ));
    }
    cx.say.line(format!(
        "The key inside the running container is the one in {}.",
        plan.line.file
    ));
    let mut left = TRIES;
    let said = loop {
        let new = try_doors(cx, WhichKey::Present).await?;
        let old = try_doors(cx, WhichKey::Previous(cx.operation)).await?;
        match gateway_key::proof(&plan.doors, &new, &old) {
            Ok(said) => break said,
            Err(why) => again(cx, &mut left, &why).await?,
        }
    };
    for line in said {
        cx.say.line(line);
    }
    look::ask_accounts(cx).await?;
    cx.say.line("The panel's own pairing still works.");
    Ok(())
}

async fn try_doors(cx: &Cx, which: WhichKey) -> Result<Vec<Tried>, Fault> {
    cx.keys.try_doors(&cx.gateway, which).await
}

/// Whether the process itself takes the key that was tried; else why not.
fn taken_inside(tried: &[Tried]) -> Result<(), String> {
    let mut inside = tried.iter().filter(|tried| tried.door.is_internal());
    inside.try_for_each(|tried| match &tried.answer {
        Answer::Takes => Ok(()),
        Answer::Refuses => Err(format!("The key is refused by {}.", tried.door.words())),
        Answer::Untold(why) => Err(format!(
            "It could not be tried by {}: {why}",
            tried.door.words()
        )),
    })
}

/// Waits for another try, unless there were enough: the gateway counts wrong keys.
async fn again(cx: &Cx, left: &mut usize, why: &str) -> Result<(), Fault> {
    *left -= 1;
    if *left == 0 {
        let why = cx.say.scrub(why);
        return Err(refused(FaultKind::Refused, Boundary::Gateway, why));
    }
    cx.say.progress(why);
    tokio::time::sleep(PAUSE).await;
    Ok(())
}

/// The new key works; what cannot be removed is worth a note, not a failure.
async fn finish(cx: &Cx, plan: &Plan, state: &mut State) -> Result<(), Fault> {
    let State {
        plan: made,
        recreate,
        ..
    } = &mut *state;
    let made = made.as_ref().ok_or_else(unplanned)?;
    (Recreate::steps().swap_remove(REMOVE_OLD).act)(cx, made, recreate).await?;
    let latest = cx.rotations.latest(&cx.gateway).await;
    let latest = latest.or_else(|error| noted(cx, Err(error)).map(|()| None))?;
    let before = latest
        .map(|latest| latest.operation)
        .filter(|before| *before != cx.operation);
    let comes_back = plan.cause != Cause::Leak && plan.puts_back.is_none();
    let gone = before
        .into_iter()
        .chain((!comes_back).then_some(cx.operation));
    for operation in gone {
        match cx.keys.forget(&cx.gateway, operation).await {
            Ok(()) => {}
            Err(fault) if fault.retry == Retry::Yes => return Err(fault),
            Err(fault) => {
                let left = format!("The sealed copy of an old key could not be removed: {fault}");
                let left = cx.say.scrub(&left);
                cx.say.line(&left);
                leave(state, left);
            }
        }
    }
    if comes_back {
        cx.say.line(
            "The old key is kept, sealed, and can come back until everybody has the new one; 7 days at most.",
        );
    }
    Ok(())
}

/// From here on people go on: whoever sends the key needs the new one.
async fn record(cx: &Cx, plan: &Plan, state: &mut State) -> Result<(), Fault> {
    state.passed = None;
    let fingerprint = state.new.clone().ok_or_else(unplanned)?;
    let rotation = NewKeyRotation {
        operation: cx.operation,
        gateway: cx.gateway.clone(),
        fingerprint,
        cause: plan.cause,
        puts_back: plan.puts_back,
        by: cx.asked_by.clone(),
    };
    noted(cx, cx.rotations.begin(rotation).await)
}

/// The database may be away for a moment.
fn noted(cx: &Cx, written: Result<(), StoreError>) -> Result<(), Fault> {
    written.map_err(|error| {
        tracing::warn!(
            operation.id = %cx.operation,
            error = &error as &dyn core::error::Error,
            "What was done with a new key could not be noted yet"
        );
        let why = "The panel's database does not answer.";
        Fault::new(FaultKind::Unreachable, Boundary::Database, why)
    })
}

/// Notes what is left to a person.
fn leave(state: &mut State, what: String) {
    state.left = Some(match state.left.take() {
        Some(left) => format!("{left} {what}"),
        None => what,
    });
}
