//! One's second factor: begin and finish its set-up, new recovery codes, take it away. Each asks for a password that was
//! typed lately.

use domain::path;
use domain::person::Person;
use leptos::prelude::*;
use secrecy::{ExposeSecret, SecretString};

use crate::call::{Call, Confirmed, Went, redirect_to};
use crate::error::{OrSay as _, PanelError};
use crate::panel::{OwnSession, Reveal};

/// Begins the set-up of a second factor, or begins it anew.
///
/// # Errors
/// The password was typed too long ago.
#[server(prefix = "/api", endpoint = "account/second-factor/begin")]
pub async fn begin_second_factor() -> Result<Went, PanelError> {
    let call = confirmed()?;
    let begun = call.panel().second_factors.begin(call.actor()).await;
    begun.or_say(|| call.error_id())?;
    Ok(redirect_to(path::SECOND_FACTOR))
}

/// Finishes it with the first code; the page then shows the recovery codes once.
///
/// # Errors
/// The code is wrong, or the set-up was begun too long ago.
#[server(prefix = "/api", endpoint = "account/second-factor/finish")]
pub async fn finish_second_factor(code: String) -> Result<Went, PanelError> {
    let call = confirmed()?;
    let session = Call::own_session();
    let factors = &call.panel().second_factors;
    let finished = factors.finish(call.actor(), code.into()).await;
    let (person, codes) = finished.or_say(|| call.error_id())?;
    show(&call, &codes);
    Ok(go_on(session, &person).await)
}

/// Makes new recovery codes, which the page then shows once.
///
/// # Errors
/// There is no second factor.
#[server(prefix = "/api", endpoint = "account/second-factor/codes")]
pub async fn renew_recovery_codes() -> Result<Went, PanelError> {
    let call = confirmed()?;
    let renewed = call.panel().second_factors.renew_codes(call.actor()).await;
    show(&call, &renewed.or_say(|| call.error_id())?);
    Ok(redirect_to(path::SECOND_FACTOR))
}

/// Takes one's authenticator away.
///
/// # Errors
/// The role needs one.
#[server(prefix = "/api", endpoint = "account/second-factor/remove")]
pub async fn remove_second_factor() -> Result<Went, PanelError> {
    let call = confirmed()?;
    let factor = call.viewer().person.second_factor;
    let last = factor.is_none_or(|factor| factor.passkeys == 0);
    if last && call.panel().must_have_second_factor(&call.viewer().person) {
        return Err(PanelError::Refused {
            why: "Your role needs a second factor. To change the phone, use another authenticator."
                .to_owned(),
        });
    }
    let session = Call::own_session();
    let duty = call.panel().duty(&call.viewer().person);
    let factors = &call.panel().second_factors;
    let removed = factors.remove(call.actor(), duty).await;
    let person = removed.or_say(|| call.error_id())?;
    Ok(go_on(session, &person).await)
}

pub(super) fn confirmed() -> Result<Call, PanelError> {
    let call = Call::current()?;
    call.confirmed(Confirmed::ToAct)?;
    Ok(call)
}

pub(super) fn show(call: &Call, codes: &[SecretString]) {
    let lines: Vec<&str> = codes.iter().map(ExposeSecret::expose_secret).collect();
    let reveal = Reveal {
        name: call.viewer().person.name.clone(),
        secret: lines.join("\n").into(),
    };
    call.panel()
        .factor_codes
        .put(call.viewer().person.id, reveal);
}

/// Every session of this person has ended; this one alone goes on.
pub(super) async fn go_on(
    session: Option<std::sync::Arc<dyn OwnSession>>,
    person: &Person,
) -> Went {
    if let Some(session) = session
        && let Err(error) = session.renew(person).await
    {
        tracing::error!(
            error = &*error.0 as &dyn core::error::Error,
            "A second factor was changed, but its owner could not be kept signed in"
        );
        return redirect_to(&format!("{}?ended=1", path::SIGN_IN));
    }
    redirect_to(path::SECOND_FACTOR)
}
