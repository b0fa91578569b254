//! Tokens by which programs act for oneself: make one, take one back, take back all of somebody.

use core::time::Duration;

use domain::action::Action;
use domain::api_token::NewToken;
use domain::path;
use domain::person::Role;
use leptos::prelude::*;
use secrecy::ExposeSecret as _;

use crate::call::{Call, Confirmed, Went, redirect_back, redirect_to};
use crate::error::{OrSay as _, PanelError};
use crate::panel::Reveal;

/// Makes a token; the page then shows it once.
///
/// # Errors
/// The password was typed too long ago, or a field is wrong.
#[server(prefix = "/api", endpoint = "account/tokens/make")]
pub async fn make_token(
    #[server(default)] name: String,
    role: String,
    #[server(default)] gateway: String,
    days: String,
) -> Result<Went, PanelError> {
    let call = Call::current()?;
    call.confirmed(Confirmed::ToAct)?;
    let typed = [
        ("name", name.as_str()),
        ("role", role.as_str()),
        ("gateway", gateway.as_str()),
        ("days", days.as_str()),
    ];
    let wrong = |error: &PanelError| Ok(redirect_back(path::TOKENS, &typed, error));
    let Some(as_role) = Role::parse(&role) else {
        return wrong(&PanelError::invalid("role", "Choose one of the roles."));
    };
    let only = match gateway.as_str() {
        "" => None,
        id => Some(call.gateway(id).await?.id),
    };
    let Ok(lasts) = days.trim().parse::<u32>() else {
        return wrong(&PanelError::invalid("days", "Choose 1 to 366 days."));
    };
    let new = NewToken {
        name: name.clone(),
        role: as_role,
        gateway: only,
        lasts: Duration::from_secs(u64::from(lasts) * 86_400),
    };
    let made = call.panel().tokens.make(call.actor(), new).await;
    let (token, secret) = match made.or_say(|| call.error_id()) {
        Ok(made) => made,
        Err(error @ PanelError::Invalid { .. }) => return wrong(&error),
        Err(error) => return Err(error),
    };
    let reveal = Reveal {
        name: token.name,
        secret: secret.expose_secret().to_owned().into(),
    };
    call.panel().new_tokens.put(call.viewer().person.id, reveal);
    Ok(redirect_to(path::TOKENS))
}

/// Takes one of one's own tokens back.
///
/// # Errors
/// There is none of that id.
#[server(prefix = "/api", endpoint = "account/tokens/revoke")]
pub async fn revoke_token(id: String) -> Result<Went, PanelError> {
    let call = Call::current()?;
    let gone = || PanelError::gone("There is no such token, or it was taken back already.");
    let id = id.parse().map_err(|_| gone())?;
    let revoked = call.panel().tokens.revoke(call.actor(), id).await;
    if revoked.or_say(|| call.error_id())? {
        Ok(redirect_to(path::TOKENS))
    } else {
        Err(gone())
    }
}

/// Takes all tokens of a person back.
///
/// # Errors
/// Not allowed, or nobody of that id.
#[server(prefix = "/api", endpoint = "people/tokens")]
pub async fn revoke_tokens_of(id: String) -> Result<Went, PanelError> {
    let call = Call::current()?;
    let permit = call.permit(Action::ManagePeople, None).await?;
    let id = id
        .parse()
        .map_err(|_| PanelError::gone("There is nobody of that name."))?;
    let revoked = call.panel().tokens.revoke_all(permit, id).await;
    revoked.or_say(|| call.error_id())?;
    Ok(redirect_to(path::PEOPLE))
}
