//! What a rotation does outside the gateway: the repository's secret on GitHub, and the rotation log.

use domain::fault::Fault;
use domain::key_rotation::{self, Task};
use domain::operation::Passing;
use domain::ports::{LogAccess, SecretAccess};

use super::{Plan, State, leave, noted, unplanned};
use crate::step::Cx;

/// A rotation that is proved stays good, whatever GitHub says: what fails here is left to a person.
pub(super) async fn secret(cx: &Cx, plan: &Plan, state: &mut State) -> Result<(), Fault> {
    state.passed = Some(Passing::NotNeeded);
    let access = cx.secrets.check(&cx.gateway).await;
    if matches!(access, Ok(SecretAccess::Off)) {
        cx.say.line("No repository has this key as a secret.");
        return Ok(());
    }
    if plan.skip_secret {
        let by_hand = cx.secrets.by_hand(&cx.gateway).unwrap_or_default();
        cx.say.line(format!("Left to you: {by_hand}"));
        leave(state, "The secret on GitHub is left to you.".to_owned());
        return Ok(());
    }
    let fingerprint = state.new.clone().ok_or_else(unplanned)?;
    let written = async {
        access?;
        let key = cx.keys.read(&cx.gateway, &fingerprint).await?;
        cx.secrets.put(&cx.gateway, &key).await
    };
    match written.await {
        Ok(at) => {
            let said = key_rotation::written(at);
            cx.say.line(&said);
            state.passed = None;
            finished(cx, Task::Secret, Some(said)).await
        }
        Err(fault) => {
            let why = cx.say.scrub(&fault.message);
            cx.say.line(&why);
            leave(
                state,
                format!("The secret on GitHub still has the old key: {why}"),
            );
            state.passed = Some(Passing::Fruitless);
            Ok(())
        }
    }
}

/// Likewise.
pub(super) async fn log(cx: &Cx, _: &Plan, state: &mut State) -> Result<(), Fault> {
    state.passed = Some(Passing::NotNeeded);
    let access = cx.log.check(&cx.gateway).await;
    if matches!(access, Ok(LogAccess::Off)) {
        cx.say.line("No rotation log is configured.");
        return Ok(());
    }
    let rotation = cx.rotations.of(cx.operation).await;
    let rotation = rotation.or_else(|error| noted(cx, Err(error)).map(|()| None))?;
    let rotation = rotation.ok_or_else(unplanned)?;
    let line = rotation.log_line(cx.asked_by.name().to_owned());
    let written = async {
        access?;
        cx.log.append(&cx.gateway, line).await
    };
    match written.await {
        Ok(logged) => {
            let said = cx.say.scrub(&key_rotation::committed(&logged));
            if logged.note.is_some() {
                leave(state, said.clone());
            }
            cx.say.line(&said);
            state.passed = None;
            finished(cx, Task::Log, Some(said)).await
        }
        Err(fault) => {
            let why = cx.say.scrub(&fault.message);
            cx.say.line(&why);
            leave(state, format!("It is not in the rotation log: {why}"));
            state.passed = Some(Passing::Fruitless);
            Ok(())
        }
    }
}

async fn finished(cx: &Cx, task: Task, note: Option<String>) -> Result<(), Fault> {
    let written = cx
        .rotations
        .finish(&cx.asked_by, cx.operation, task, note)
        .await;
    noted(cx, written)
}
