//! The key for backups, and what is brought back from one.

use domain::action::Action;
use domain::backup::Adopt;
use domain::fault::FaultKind;
use domain::gateway::AccountId;
use domain::operation::Command;
use domain::path;
use leptos::prelude::*;
use secrecy::SecretString;

use crate::call::{Call, Went, redirect_back, redirect_to};
use crate::error::{OrSay as _, PanelError};
use crate::panel::Reveal;

use super::operations::{key_of, sentence};

/// Makes the key; the page then shows the half that opens backups, once.
///
/// # Errors
/// Not allowed, or there is one.
#[server(prefix = "/api", endpoint = "backups/key")]
pub async fn make_backup_key(gateway: String) -> Result<Went, PanelError> {
    let call = Call::current()?;
    let gateway = call.gateway(&gateway).await?.id;
    let permit = call.permit(Action::MakeBackupKey, None).await?;
    let panel = call.panel();
    let maker = call.viewer().person.id;
    let key = panel.backups.new_key();
    let reveal = Reveal {
        name: "backups".to_owned(),
        secret: key.secret,
    };
    // First where its maker finds it, then in use.
    panel.backup_keys.put(maker, reveal);
    let adopted = panel
        .backups
        .adopt_key(permit, &key.recipient, Adopt::First)
        .await;
    adopted.map_err(|fault| {
        panel.backup_keys.take(maker);
        PanelError::Refused { why: fault.message }
    })?;
    Ok(redirect_to(&path::backups(&gateway)))
}

/// Brings an account's link back from a backup, and goes to the operation's page.
///
/// # Errors
/// Not allowed, not confirmed, busy, or the key does not open the backup.
#[server(prefix = "/api", endpoint = "backups/restore")]
pub async fn restore_backup(
    gateway: String,
    backup: String,
    account: String,
    identity: String,
    #[server(default)] replace: bool,
    #[server(default)] reason: String,
    key: String,
) -> Result<Went, PanelError> {
    let identity = SecretString::from(identity);
    let call = Call::current()?;
    let gateway = call.gateway(&gateway).await?.id;
    let permit = call.permit(Action::Restore, Some(&gateway)).await?;
    let key = key_of(key)?;
    let reason = sentence(&reason, 200);
    let page = path::restore(&gateway, &backup);
    // What was typed comes back with what is wrong with it, but for the key.
    let back = |error: PanelError| {
        let (replace, reason) = (replace.to_string(), reason.clone().unwrap_or_default());
        let typed = [
            ("account", account.as_str()),
            ("replace", replace.as_str()),
            ("reason", reason.as_str()),
        ];
        redirect_back(&page, &typed, &error)
    };
    let Ok(wanted) = account.parse::<AccountId>() else {
        let why = "Say which account to restore.";
        return Ok(back(PanelError::invalid("whose", why)));
    };
    let panel = call.panel();
    // Before anything else is looked at: what is typed wrong is said where it was typed.
    let known = panel.observations.observation(&gateway);
    let works = known.as_ref().is_some_and(|seen| {
        let session = seen.session.detail.as_ref();
        session.is_some_and(|session| {
            let mut accounts = session.accounts.iter();
            accounts.any(|known| known.id == wanted && known.has_working_link())
        })
    });
    if works && !replace {
        let why = "This account has a link that may work. Reconnect it first; tick this box if the backup is to \
                   replace it.";
        return Ok(back(PanelError::invalid("replace", why)));
    }
    let unlocking = panel.backups.unlock(&gateway, &wanted, &backup, identity);
    let ticket = match unlocking.await {
        Ok(ticket) => ticket,
        Err(fault) if fault.kind == FaultKind::NotOffered => {
            return Ok(back(PanelError::invalid("whose", fault.message)));
        }
        Err(fault) if fault.kind == FaultKind::NotFound => {
            return Err(PanelError::gone(fault.message));
        }
        Err(fault) if matches!(fault.kind, FaultKind::Invalid | FaultKind::Refused) => {
            return Ok(back(PanelError::invalid("identity", fault.message)));
        }
        Err(fault) => return Err(PanelError::Refused { why: fault.message }),
    };
    let command = Command::Restore {
        gateway,
        account: wanted,
        backup,
        ticket,
        replace,
    };
    let started = panel.operations.start(permit, command, key, reason).await;
    let id = started.or_say(|| call.error_id())?;
    Ok(redirect_to(&path::operation(&id)))
}
