//! One-time links that show the code of an operation on another screen.

use domain::action::Action;
use domain::path;
use leptos::prelude::*;
use secrecy::{ExposeSecret as _, SecretString};

use crate::call::{Call, Went, redirect_to};
use crate::error::{OrSay as _, PanelError};
use crate::panel::Reveal;

/// Makes a link; the page then shows it, once.
///
/// # Errors
/// Not allowed, or the operation shows no code any more.
#[server(prefix = "/api", endpoint = "operations/hand-off")]
pub async fn hand_off(id: String) -> Result<Went, PanelError> {
    let call = Call::current()?;
    let view = call.operation(&id).await?;
    let operation = &view.operation;
    let gateway = operation.command.gateway();
    let permit = call.permit(Action::HandOff, Some(gateway)).await?;
    if operation.outcome.is_some() || !operation.command.shows_code() {
        return Err(PanelError::Refused {
            why: "This operation shows no code any more, so there is nothing to hand off."
                .to_owned(),
        });
    }
    let panel = call.panel();
    let made = panel.hand_offs.make(permit, operation.id).await;
    let (_, token) = made.or_say(|| call.error_id())?;
    let reveal = Reveal {
        name: "link".to_owned(),
        secret: SecretString::from(path::open_hand_off(token.expose_secret())),
    };
    panel.hand_off_links.put(call.viewer().person.id, reveal);
    Ok(redirect_to(&path::hand_offs(&operation.id)))
}

/// Takes a link back; the device that opened it sees the code no more.
///
/// # Errors
/// Not allowed, or there is no such link.
#[server(prefix = "/api", endpoint = "operations/revoke-hand-off")]
pub async fn revoke_hand_off(id: String, link: String) -> Result<Went, PanelError> {
    let call = Call::current()?;
    let view = call.operation(&id).await?;
    let operation = &view.operation;
    let gateway = operation.command.gateway();
    let permit = call.permit(Action::HandOff, Some(gateway)).await?;
    let link = link
        .parse()
        .map_err(|_| PanelError::gone("There is no such link."))?;
    let hand_offs = &call.panel().hand_offs;
    let revoked = hand_offs.revoke(permit, operation.id, link).await;
    if revoked.or_say(|| call.error_id())? {
        Ok(redirect_to(&path::hand_offs(&operation.id)))
    } else {
        Err(PanelError::Refused {
            why: "It was taken back already.".to_owned(),
        })
    }
}
