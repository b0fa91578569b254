//! The key for backups.

use domain::action::Action;
use domain::audit::{AuditOutcome, NewAuditEvent, act};
use domain::path;
use leptos::prelude::*;

use crate::call::{Call, Went, redirect_to};
use crate::error::{OrSay as _, PanelError};
use crate::panel::Reveal;

/// Makes the key; the page then shows the half that opens backups, once.
///
/// # Errors
/// Not allowed, or there is one.
#[server(prefix = "/api", endpoint = "backups/key")]
pub async fn make_backup_key(gateway: String) -> Result<Went, PanelError> {
    let call = Call::current()?;
    let gateway = call.gateway(&gateway)?.id;
    call.permit(Action::MakeBackupKey, None).await?;
    let event = |outcome, note| NewAuditEvent {
        actor: call.viewer().actor.clone(),
        action: act::MAKE_BACKUP_KEY.to_owned(),
        gateway: None,
        target: None,
        operation: None,
        reason: None,
        outcome,
        note,
    };
    // No audit row, no key.
    let audit = &call.panel().audit;
    let intent = audit.record(event(AuditOutcome::Requested, None)).await;
    intent.or_say(|| call.error_id())?;
    let made = call.panel().backups.make_key().await;
    let outcome = match &made {
        Ok(_) => event(AuditOutcome::Succeeded, None),
        Err(fault) => event(AuditOutcome::Failed, Some(fault.message.clone())),
    };
    // The intent stands, whether or not its outcome can be written down: the key must reach its maker.
    if let Err(error) = audit.record(outcome).await {
        tracing::error!(
            error = &error as &dyn std::error::Error,
            "The outcome could not be audited"
        );
    }
    let key = made.map_err(|fault| PanelError::Refused { why: fault.message })?;
    let reveal = Reveal {
        name: "backups".to_owned(),
        password: key,
    };
    let keys = &call.panel().backup_keys;
    keys.put(call.viewer().person.id, reveal);
    Ok(redirect_to(&path::backups(&gateway)))
}
