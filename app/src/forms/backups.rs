//! The key for backups.

use domain::action::Action;
use domain::backup::Adopt;
use domain::path;
use leptos::prelude::*;

use crate::call::{Call, Went, redirect_to};
use crate::error::PanelError;
use crate::panel::Reveal;

/// Makes the key; the page then shows the half that opens backups, once.
///
/// # Errors
/// Not allowed, or there is one.
#[server(prefix = "/api", endpoint = "backups/key")]
pub async fn make_backup_key(gateway: String) -> Result<Went, PanelError> {
    let call = Call::current()?;
    let gateway = call.gateway(&gateway)?.id;
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
