//! Where one is signed in: end one session or all others, or say that a new browser was one's own.

use domain::action::Action;
use domain::path;
use leptos::prelude::*;
use uuid::Uuid;

use crate::call::{Call, Went, redirect_to};
use crate::error::{OrSay as _, PanelError};

/// Ends one of one's own sessions.
///
/// # Errors
/// There is none of that id.
#[server(prefix = "/api", endpoint = "account/sessions/end")]
pub async fn end_session(id: String) -> Result<Went, PanelError> {
    let call = Call::current()?;
    let ended = call
        .panel()
        .sessions
        .end_one(call.actor(), known(&id)?)
        .await;
    if ended.or_say(|| call.error_id())? {
        Ok(redirect_to(&format!("{}?done=session", path::ACCOUNT)))
    } else {
        Err(over())
    }
}

/// Ends all of one's sessions but this one.
///
/// # Errors
/// The database failed.
#[server(prefix = "/api", endpoint = "account/sessions/end-others")]
pub async fn end_other_sessions() -> Result<Went, PanelError> {
    let call = Call::current()?;
    let own = call.viewer().session;
    let ended = call.panel().sessions.end_others(call.actor(), own).await;
    ended.or_say(|| call.error_id())?;
    Ok(redirect_to(&format!("{}?done=sessions", path::ACCOUNT)))
}

/// Notes that a new browser was one's own.
///
/// # Errors
/// The database failed.
#[server(prefix = "/api", endpoint = "account/sessions/mine")]
pub async fn acknowledge_session(id: String) -> Result<Went, PanelError> {
    let call = Call::current()?;
    let noted = call
        .panel()
        .sessions
        .acknowledge(call.actor(), known(&id)?)
        .await;
    noted.or_say(|| call.error_id())?;
    Ok(redirect_to(path::ACCOUNT))
}

/// Signs a person out everywhere.
///
/// # Errors
/// Not allowed, or nobody of that id.
#[server(prefix = "/api", endpoint = "people/end-sessions")]
pub async fn end_sessions_of(id: String) -> Result<Went, PanelError> {
    let call = Call::current()?;
    let permit = call.permit(Action::ManagePeople, None).await?;
    let ended = call.panel().sessions.end_all(permit, known(&id)?).await;
    ended.or_say(|| call.error_id())?;
    Ok(redirect_to(path::PEOPLE))
}

fn known(id: &str) -> Result<Uuid, PanelError> {
    id.parse().map_err(|_| over())
}

fn over() -> PanelError {
    PanelError::Refused {
        why: "That session is over already.".to_owned(),
    }
}
