//! Change one's own password, or type it again for an act that asks for it.

use domain::path;
use leptos::prelude::*;
use secrecy::SecretString;

use crate::call::{Call, Went, redirect_to};
use crate::error::{OrSay as _, PanelError};
use crate::pages::own_page;
use crate::panel::{OwnSession, RenewError};

const TOO_LATE: &str = "That took too long. Begin again.";

/// Changes the password of whoever is signed in.
///
/// # Errors
/// The present one is wrong, or the new one is too short or not typed twice the same.
#[server(prefix = "/api", endpoint = "account/password")]
pub async fn change_password(old: String, new: String, again: String) -> Result<Went, PanelError> {
    let call = Call::current()?;
    if new != again {
        return Err(PanelError::invalid(
            "again",
            "The two new passwords are not the same.",
        ));
    }
    let session = Call::own_session();
    let (old, new) = (SecretString::from(old), SecretString::from(new));
    let people = &call.panel().people;
    let changed = people.change_password(call.actor(), old, new).await;
    let person = changed.or_say(|| call.error_id())?;
    // Every session of this person has ended with the old password; this one alone goes on.
    if let Some(session) = session
        && let Err(error) = session.renew(&person).await
    {
        tracing::error!(
            error = &*error.0 as &dyn core::error::Error,
            "A password was changed, but its owner could not be kept signed in"
        );
        return Ok(redirect_to(&format!("{}?ended=1", path::SIGN_IN)));
    }
    Ok(redirect_to(&format!("{}?done=password", path::ACCOUNT)))
}

/// Confirms that it is still the person who signed in, and goes on to the page that asked.
///
/// # Errors
/// The password or the code of the second factor is wrong, or was tried too often.
#[server(prefix = "/api", endpoint = "account/confirm")]
pub async fn confirm_identity(
    password: String,
    #[server(default)] code: String,
    #[server(default)] next: String,
) -> Result<Went, PanelError> {
    let call = Call::current()?;
    let session = Call::own_session();
    let people = &call.panel().people;
    let confirmed = people
        .confirm(call.actor(), password.into(), code.into())
        .await;
    confirmed
        .or_say(|| call.error_id())
        .map_err(|error| match error {
            PanelError::Invalid { field, why } if field != "code" => {
                PanelError::invalid("password", why)
            }
            other => other,
        })?;
    note_confirmed(&call, session, &next).await
}

/// Confirms it by a code, for whom the identity provider has said so just before.
///
/// # Errors
/// The provider has not, or too long ago; the code is wrong, or was tried too often.
#[server(prefix = "/api", endpoint = "account/confirm-code")]
pub async fn confirm_by_code(
    code: String,
    #[server(default)] next: String,
) -> Result<Went, PanelError> {
    let call = Call::current()?;
    let session = Call::own_session();
    let half = match &session {
        Some(session) => session.is_half_confirmed().await,
        None => Ok(false),
    };
    if !half.map_err(|error| unwritten(&call, &error))? {
        return Err(PanelError::invalid("half", TOO_LATE));
    }
    let factors = &call.panel().second_factors;
    let confirmed = factors.confirm(call.actor(), code.into()).await;
    confirmed
        .or_say(|| call.error_id())
        .map_err(|error| match error {
            PanelError::Invalid { why, .. } => PanelError::invalid("code", why),
            other => other,
        })?;
    note_confirmed(&call, session, &next).await
}

/// Notes that it was confirmed, and goes on.
pub(super) async fn note_confirmed(
    call: &Call,
    session: Option<std::sync::Arc<dyn OwnSession>>,
    next: &str,
) -> Result<Went, PanelError> {
    if let Some(session) = session
        && let Err(error) = session.confirm().await
    {
        return Err(unwritten(call, &error));
    }
    Ok(redirect_to(own_page(next).unwrap_or(path::HOME)))
}

fn unwritten(call: &Call, error: &RenewError) -> PanelError {
    tracing::error!(
        error = &*error.0 as &dyn core::error::Error,
        "Somebody confirmed who they are, but the session could not be read or written"
    );
    PanelError::Unavailable {
        id: call.error_id(),
    }
}
