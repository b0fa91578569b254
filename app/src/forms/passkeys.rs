//! One's passkeys: add one, take one away, confirm by one that it is oneself.

use domain::passkey::Answer;
use domain::path;
use leptos::prelude::*;

use super::second_factor::{confirmed, go_on, show};
use crate::call::{Call, Went, redirect_to};
use crate::error::{OrSay as _, PanelError};

/// Adds a passkey that the device has just made. The first second factor brings recovery codes, which the page then
/// shows once.
///
/// # Errors
/// The password was typed too long ago, the name is missing, or the device's answer is not right.
#[server(prefix = "/api", endpoint = "account/passkeys/add")]
pub async fn add_passkey(
    #[server(default)] name: String,
    #[server(default)] ceremony: String,
    #[server(default)] credential: String,
) -> Result<Went, PanelError> {
    let call = confirmed()?;
    let session = Call::own_session();
    let answer = Answer {
        ceremony,
        credential,
    };
    let added = call.panel().passkeys.add(call.actor(), &name, answer).await;
    let added = added.or_say(|| call.error_id())?;
    if added.codes.is_empty() {
        return Ok(redirect_to(path::SECOND_FACTOR));
    }
    show(&call, &added.codes);
    Ok(go_on(session, &added.person).await)
}

/// Takes one of one's passkeys away.
///
/// # Errors
/// The role needs a second factor, and this is the last one.
#[server(prefix = "/api", endpoint = "account/passkeys/remove")]
pub async fn remove_passkey(id: String) -> Result<Went, PanelError> {
    let call = confirmed()?;
    let id = id
        .parse()
        .map_err(|_| PanelError::gone("There is no such passkey."))?;
    let factor = call.viewer().person.second_factor;
    let last = factor.is_some_and(|factor| !factor.authenticator && factor.passkeys < 2);
    if last && call.panel().must_have_second_factor(&call.viewer().person) {
        return Err(PanelError::Refused {
            why: "Your role needs a second factor, and this is your last one. Add another passkey or an authenticator \
                  first."
                .to_owned(),
        });
    }
    let session = Call::own_session();
    let duty = call.panel().duty(&call.viewer().person);
    let passkeys = &call.panel().passkeys;
    let removed = passkeys.remove(call.actor(), id, duty).await;
    let person = removed.or_say(|| call.error_id())?;
    Ok(go_on(session, &person).await)
}

/// Confirms by a passkey that it is still the person who signed in, and goes on to the page that asked.
///
/// # Errors
/// It is none of theirs, or its answer is not right.
#[server(prefix = "/api", endpoint = "account/confirm-by-passkey")]
pub async fn confirm_by_passkey(
    #[server(default)] ceremony: String,
    #[server(default)] credential: String,
    #[server(default)] next: String,
) -> Result<Went, PanelError> {
    let call = Call::current()?;
    let session = Call::own_session();
    let answer = Answer {
        ceremony,
        credential,
    };
    let confirmed = call.panel().passkeys.confirm(call.actor(), answer).await;
    confirmed.or_say(|| call.error_id())?;
    super::account::note_confirmed(&call, session, &next).await
}
