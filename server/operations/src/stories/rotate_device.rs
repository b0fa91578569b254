//! Renew the panel's own identity at the gateway: a new one is made beside the one in use, paired and proved; then it takes
//! the other's place, and the gateway is told to forget the old one and is seen to refuse it.
//!
//! The gateway goes on working all the while: only the panel connects anew. Until the old device is removed, anything that
//! goes wrong brings the old identity back and takes the new device out of the gateway; from then on it goes forward, since
//! the gateway does not know the old one any more.
//!
//! The secret halves stay in the panel's data folder: the journal knows devices by their ids, which are public.

#[cfg(test)]
mod tests;

use domain::credential::{Cause, Kind, NewRotation};
use domain::device::{DeviceId, Met};
use domain::fact::ContainerState;
use domain::fault::{Boundary, Fault, FaultKind, Retry};
use domain::operation::{Cancel, Command};
use serde::{Deserialize, Serialize};

use super::look::{self, Before};
use super::refused;
use crate::step::Undo::{NoReturn, Nothing, With};
use crate::step::{Cx, Step, act, mins, secs, step};
use crate::story::Story;

/// See the module.
pub struct RotateDevice;

/// Decided before the first step.
#[derive(Debug, Serialize, Deserialize)]
pub struct Plan {
    before: Before,
    cause: Cause,
}

/// Kept between steps.
#[derive(Debug, Default, Serialize, Deserialize)]
pub struct State {
    /// The device that is replaced.
    old: Option<DeviceId>,
    /// Those that earlier renewals replaced and did not get rid of.
    left: Vec<DeviceId>,
    /// The device that takes its place.
    new: Option<DeviceId>,
    /// What is left to a person.
    note: Option<String>,
}

impl Story for RotateDevice {
    const NAME: &'static str = "rotate-device";
    type Plan = Plan;
    type State = State;

    async fn plan(cx: &Cx, command: &Command) -> Result<Plan, Fault> {
        let Command::RotateDevice { cause, .. } = command else {
            let why = "this renews no identity";
            return Err(refused(FaultKind::Unexpected, Boundary::Panel, why));
        };
        Ok(Plan {
            before: look::look(cx).await?,
            cause: *cause,
        })
    }

    #[rustfmt::skip]
    fn steps() -> Vec<Step<Plan, State>> {
        use Cancel::{AfterStep, Now, Refuse};
        vec![
            step("look",    "Look at the present identity",                act!(examine),       Nothing,                         mins(2), Now),
            step("make",    "Make a new identity beside it",               act!(make),          With(act!(discard), secs(30)),   secs(30), AfterStep),
            step("pair",    "Pair the new identity with the gateway",      act!(pair),          With(act!(unpair), mins(2)),     mins(4), AfterStep),
            step("prove",   "Prove that the gateway takes it",             act!(prove),         Nothing,                         mins(2), Now),
            step("use",     "Take it into use",                            act!(take_into_use), With(act!(put_back), mins(2)),   mins(2), AfterStep),
            step("remove",  "Remove the old device from the gateway",      act!(remove),        NoReturn,                        mins(10), Refuse),
            step("refused", "Prove that the gateway refuses the old one",  act!(see_refused),   NoReturn,                        mins(10), Refuse),
            step("finish",  "Delete the old identity",                     act!(finish),        NoReturn,                        mins(2), Refuse),
            step("record",  "Note it in the register of credentials",      act!(record),        NoReturn,                        mins(10), Refuse),
        ]
    }

    fn note(state: &State) -> Option<String> {
        state.note.clone()
    }

    fn todo(_: &Plan, state: &State, step: &str) -> String {
        let new = match &state.new {
            Some(new) => format!(
                " Device {new} is the new one: remove it with `openclaw devices remove` in the gateway's container."
            ),
            None => String::new(),
        };
        format!(
            "Putting the old identity back stopped at `{step}`. The gateway itself is not touched by this.{new} Then free the \
             gateway here, and look that the panel is connected."
        )
    }
}

fn unknown() -> Fault {
    let why = "the journal does not say which device it is about";
    refused(FaultKind::Unexpected, Boundary::Panel, why)
}

/// The device that takes the other's place.
fn new(state: &State) -> Result<&DeviceId, Fault> {
    state.new.as_ref().ok_or_else(unknown)
}

/// The devices that the gateway is to forget.
fn replaced(state: &State) -> Result<Vec<DeviceId>, Fault> {
    let old = state.old.clone().ok_or_else(unknown)?;
    Ok(core::iter::once(old).chain(state.left.clone()).collect())
}

async fn examine(cx: &Cx, plan: &Plan, state: &mut State) -> Result<(), Fault> {
    if look::existing(&plan.before)?.state != ContainerState::Running {
        return Err(refused(
            FaultKind::Invalid,
            Boundary::Gateway,
            "The gateway does not run, so it cannot be asked to know the panel anew. Start it first.",
        ));
    }
    let old = cx.devices.look(&cx.gateway).await?;
    look::ask_accounts(cx).await?;
    cx.say.line(format!(
        "The gateway knows the panel as device {}.",
        old.fingerprint()
    ));
    state.left = cx.devices.replaced(&cx.gateway).await?;
    // A renewal that broke off may have kept the one that is in use.
    state.left.retain(|device| *device != old);
    for device in &state.left {
        cx.say.line(format!(
            "An earlier renewal has left device {} behind; it is removed, too.",
            device.fingerprint()
        ));
    }
    state.old = Some(old);
    Ok(())
}

async fn make(cx: &Cx, _: &Plan, state: &mut State) -> Result<(), Fault> {
    let new = cx.devices.make(&cx.gateway, cx.operation).await?;
    cx.say
        .line(format!("The new one is device {}.", new.fingerprint()));
    state.new = Some(new);
    Ok(())
}

async fn discard(cx: &Cx, _: &Plan, _: &mut State) -> Result<(), Fault> {
    cx.devices.discard(&cx.gateway, cx.operation).await?;
    cx.say.line("The new identity is deleted.");
    Ok(())
}

async fn pair(cx: &Cx, _: &Plan, state: &mut State) -> Result<(), Fault> {
    let new = new(state)?;
    cx.devices.pair(&cx.gateway, cx.operation, new).await?;
    cx.say.line(format!(
        "Device {} is approved in the gateway.",
        new.fingerprint()
    ));
    Ok(())
}

/// By the connection of the old one.
async fn unpair(cx: &Cx, _: &Plan, state: &mut State) -> Result<(), Fault> {
    let new = new(state)?;
    cx.devices.remove(&cx.gateway, cx.operation, new).await?;
    cx.say.line(format!(
        "The gateway has forgotten device {}.",
        new.fingerprint()
    ));
    Ok(())
}

async fn prove(cx: &Cx, _: &Plan, state: &mut State) -> Result<(), Fault> {
    let new = new(state)?;
    if cx.devices.meet(&cx.gateway, new).await? == Met::Unknown {
        return Err(refused(
            FaultKind::Refused,
            Boundary::Gateway,
            "The gateway does not know the new device, though it was approved.",
        ));
    }
    cx.say.line(format!(
        "The gateway lets device {} in and tells it the accounts.",
        new.fingerprint()
    ));
    Ok(())
}

async fn take_into_use(cx: &Cx, _: &Plan, state: &mut State) -> Result<(), Fault> {
    let new = new(state)?;
    cx.devices.take_into_use(&cx.gateway, new).await?;
    look::ask_accounts(cx).await?;
    cx.say.line(format!(
        "The panel is connected as device {}.",
        new.fingerprint()
    ));
    Ok(())
}

async fn put_back(cx: &Cx, _: &Plan, state: &mut State) -> Result<(), Fault> {
    let old = state.old.as_ref().ok_or_else(unknown)?;
    cx.devices.put_back(&cx.gateway, old).await?;
    cx.say.line(format!(
        "The panel is connected as device {} again.",
        old.fingerprint()
    ));
    Ok(())
}

/// By the connection of the new one.
async fn remove(cx: &Cx, _: &Plan, state: &mut State) -> Result<(), Fault> {
    for old in replaced(state)? {
        cx.devices.remove(&cx.gateway, cx.operation, &old).await?;
        cx.say.line(format!(
            "The gateway has forgotten device {}.",
            old.fingerprint()
        ));
    }
    Ok(())
}

async fn see_refused(cx: &Cx, _: &Plan, state: &mut State) -> Result<(), Fault> {
    for old in replaced(state)? {
        let met = cx.devices.meet(&cx.gateway, &old).await?;
        // Whoever is refused has asked to be let in; and whoever was let in nevertheless must not stay.
        cx.devices.remove(&cx.gateway, cx.operation, &old).await?;
        let old = old.fingerprint();
        if met == Met::Known {
            return Err(refused(
                FaultKind::Refused,
                Boundary::Gateway,
                format!(
                    "The gateway let device {old} in although it was removed: it approves by itself whoever comes from the \
                     panel's address, so an identity keeps nobody out there. It was removed once more, and the new \
                     identity is in use."
                ),
            ));
        }
        cx.say.line(format!("The gateway refuses device {old}."));
    }
    Ok(())
}

/// The new identity works; what cannot be deleted is worth a note, not a failure.
async fn finish(cx: &Cx, _: &Plan, state: &mut State) -> Result<(), Fault> {
    for old in replaced(state)? {
        match cx.devices.forget(&cx.gateway, &old).await {
            Ok(()) => {}
            Err(fault) if fault.retry == Retry::Yes => return Err(fault),
            Err(fault) => {
                let left = format!("The old identity could not be deleted: {fault}");
                let left = cx.say.scrub(&left);
                cx.say.line(&left);
                state.note = Some(left);
            }
        }
    }
    Ok(())
}

async fn record(cx: &Cx, plan: &Plan, state: &mut State) -> Result<(), Fault> {
    let rotation = NewRotation {
        kind: Kind::PanelDevice,
        gateway: Some(cx.gateway.clone()),
        at: cx.clock.now(),
        by: cx.asked_by.clone(),
        cause: plan.cause,
        operation: Some(cx.operation),
        fingerprint: Some(new(state)?.fingerprint()),
        puts_back: None,
    };
    cx.register.note_rotation(rotation).await.map_err(|error| {
        tracing::warn!(
            operation.id = %cx.operation,
            error = &error as &dyn core::error::Error,
            "A renewed identity could not be noted yet"
        );
        let why = "The panel's database does not answer.";
        Fault::new(FaultKind::Unreachable, Boundary::Database, why)
    })
}
