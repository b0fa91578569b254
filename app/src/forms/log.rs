//! The rotation log, for rotations that a person noted.

use std::time::Duration;

use domain::action::Action;
use domain::credential::{Cause, Credential, Logging};
use domain::key_rotation::committed;
use domain::operation::OperationId;
use domain::path;
use domain::ports::{LogAccess, LogLine};
use domain::time::Timestamp;
use leptos::prelude::*;
use uuid::Uuid;

use crate::call::{Call, Went, redirect_to};
use crate::error::{OrSay as _, PanelError};
use crate::pages::credentials::one::SHOWN;

use super::credentials::{known_id, unknown};

/// Writes the row of a rotation that was noted, when that failed before.
///
/// # Errors
/// Not allowed, or there is no such rotation.
#[server(prefix = "/api", endpoint = "credentials/log")]
pub async fn log_rotation(id: String, rotation: String) -> Result<Went, PanelError> {
    let call = Call::current()?;
    call.permit(Action::ManageCredentials, None).await?;
    let id = known_id(&id)?;
    let panel = call.panel();
    let found = panel.register.find(id).await;
    let found = found.or_say(|| call.error_id())?.ok_or_else(unknown)?;
    let history = panel.register.history(id, SHOWN).await;
    let history = history.or_say(|| call.error_id())?;
    let mut history = history.into_iter();
    let gone = || PanelError::gone("There is no such rotation, or its row is written already.");
    let noted = history
        .find(|one| one.id.to_string() == rotation && matches!(one.log, Some(Logging::Failed(_))))
        .ok_or_else(gone)?;
    let done = match write_log(&call, &found, (noted.id, noted.at, noted.cause)).await? {
        Some(Logging::Committed(_)) => "logged",
        _ => "not-logged",
    };
    Ok(redirect_to(&format!(
        "{}?done={done}",
        path::credential(id)
    )))
}

/// Writes a row into the rotation log of the credential's gateway, or of the first that has one. `None` where there is
/// no log. That it failed is noted, and no reason to take the rotation back.
pub(super) async fn write_log(
    call: &Call,
    credential: &Credential,
    (rotation, at, cause): (Uuid, Timestamp, Cause),
) -> Result<Option<Logging>, PanelError> {
    let panel = call.panel();
    let known = panel.observations.gateways();
    let gateways = known.into_iter().map(|gateway| gateway.id);
    let gateways = gateways.filter(|id| credential.gateway.as_ref().is_none_or(|of| of == id));
    let mut with_log = None;
    for gateway in gateways {
        if !matches!(panel.rotation_log.check(&gateway).await, Ok(LogAccess::Off)) {
            with_log = Some(gateway);
            break;
        }
    }
    let Some(gateway) = with_log else {
        return Ok(None);
    };
    let of = credential.gateway.as_ref();
    let days = credential.interval_days.map(u64::from);
    let line = LogLine {
        at,
        credential: match of {
            Some(of) => format!("{} of {of}", credential.title),
            None => credential.title.clone(),
        },
        who: call.actor().name().to_owned(),
        why: cause.sentence().to_owned(),
        operation: OperationId(rotation),
        next_due: days.map(|days| at.plus(Duration::from_secs(days * 86_400))),
    };
    let log = match panel.rotation_log.append(&gateway, line).await {
        Ok(logged) => Logging::Committed(committed(&logged)),
        Err(fault) => Logging::Failed(fault.message),
    };
    let noted = panel.register.logged(rotation, log.clone()).await;
    noted.or_say(|| call.error_id())?;
    Ok(Some(log))
}
