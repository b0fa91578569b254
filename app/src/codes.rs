//! Who may be shown the code that links an account. Whoever scans it gets the link, so that showing it is
//! an act: written into the audit trail first, once for a person and an operation.

use std::collections::HashSet;
use std::sync::{Mutex, PoisonError};

use domain::action::Action;
use domain::audit::{AuditOutcome, NewAuditEvent, act};
use domain::operation::{OperationId, OperationView};
use domain::ports::StoreError;
use uuid::Uuid;

use crate::panel::{Panel, Viewer};

/// Who was shown the code of which operation, since the panel started.
#[derive(Default)]
pub struct Viewings(Mutex<HashSet<(OperationId, Uuid)>>);

impl Viewings {
    fn known(&self, viewing: &(OperationId, Uuid)) -> bool {
        let viewings = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        viewings.contains(viewing)
    }

    fn remember(&self, viewing: (OperationId, Uuid)) {
        let mut viewings = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        viewings.insert(viewing);
    }
}

/// To be called before an operation's page or stream is given to somebody.
///
/// # Errors
/// The audit trail could not be written: then nothing may be shown.
pub async fn viewing(
    panel: &Panel,
    viewer: &Viewer,
    view: &OperationView,
) -> Result<(), StoreError> {
    let operation = &view.operation;
    let command = &operation.command;
    let Some(account) = command.account().filter(|_| command.shows_code()) else {
        return Ok(());
    };
    let viewing = (operation.id, viewer.person.id);
    let gateway = command.gateway();
    let sees = viewer.permit(Action::ViewCode, Some(gateway)).is_ok();
    if !sees || operation.outcome.is_some() || panel.viewings.known(&viewing) {
        return Ok(());
    }
    let event = NewAuditEvent {
        gateway: Some(gateway.clone()),
        target: Some(account.to_string()),
        operation: Some(operation.id),
        ..NewAuditEvent::new(
            viewer.actor(Some(gateway)),
            act::VIEW_CODE,
            AuditOutcome::Succeeded,
        )
    };
    panel.audit.record(event).await?;
    panel.viewings.remember(viewing);
    Ok(())
}
