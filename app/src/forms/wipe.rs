//! Empties a gateway's state folder.

use domain::action::Action;
use domain::gateway::AccountId;
use domain::operation::Command;
use domain::path;
use leptos::prelude::*;

use crate::call::{Call, Went, redirect_back, redirect_to};
use crate::error::{OrSay as _, PanelError};

use super::operations::{key_of, sentence};

/// Starts it, and goes to the operation's page.
///
/// # Errors
/// Not allowed, not confirmed, busy, or the gateway's name was not typed.
#[server(prefix = "/api", endpoint = "gateways/wipe")]
pub async fn wipe_gateway(
    gateway: String,
    account: String,
    #[server(default)] typed: String,
    #[server(default)] reason: String,
    key: String,
) -> Result<Went, PanelError> {
    let call = Call::current()?;
    let gateway = call.gateway(&gateway).await?;
    let permit = call.permit(Action::Wipe, Some(&gateway.id)).await?;
    let key = key_of(key)?;
    let reason = sentence(&reason, 200);
    if typed.trim() != gateway.name {
        let why = format!("That is not the gateway's name. Type {}.", gateway.name);
        let fields = [
            ("account", account.as_str()),
            ("typed", typed.as_str()),
            ("reason", reason.as_deref().unwrap_or_default()),
        ];
        let page = path::wipe(&gateway.id);
        return Ok(redirect_back(
            &page,
            &fields,
            &PanelError::invalid("typed", why),
        ));
    }
    let command = Command::Wipe {
        gateway: gateway.id,
        account: account
            .parse::<AccountId>()
            .map_err(|_| PanelError::invalid("account", "Say which account to link afterwards."))?,
    };
    let operations = &call.panel().operations;
    let started = operations.start(permit, command, key, reason).await;
    let id = started.or_say(|| call.error_id())?;
    Ok(redirect_to(&path::operation(&id)))
}
