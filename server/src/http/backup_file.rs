//! A kept backup as a file: encrypted as it lies there, and audited.

use std::sync::Arc;

use app::{Call, Panel, Viewer};
use axum::Extension;
use axum::extract::{Path, State};
use axum::http::StatusCode;
use axum::response::Response;
use domain::action::Action;
use domain::audit::{AuditOutcome, NewAuditEvent, act};
use domain::gateway::GatewayId;

use super::attachment::attachment;
use super::sorry;

pub(crate) async fn download(
    State(panel): State<Panel>,
    Path((id, name)): Path<(GatewayId, String)>,
    Extension(viewer): Extension<Arc<Viewer>>,
) -> Response {
    // A refusal is in the audit trail, like that of a form.
    let call = Call::new(panel.clone(), viewer.clone());
    if let Err(denied) = call.permit(Action::Backup, Some(&id)).await {
        return refused(StatusCode::FORBIDDEN, denied.sentence());
    }
    let bytes = match panel.backups.read(&id, &name).await {
        Ok(Some(bytes)) => bytes,
        Ok(None) => return refused(StatusCode::NOT_FOUND, "There is no backup of that name."),
        Err(fault) => return refused(StatusCode::INTERNAL_SERVER_ERROR, fault.message),
    };
    let event = NewAuditEvent {
        gateway: Some(id.clone()),
        target: Some(name.clone()),
        ..NewAuditEvent::new(
            viewer.actor(Some(&id)),
            act::DOWNLOAD_BACKUP,
            AuditOutcome::Succeeded,
        )
    };
    // No audit row, no file.
    if let Err(error) = panel.audit.record(event).await {
        tracing::error!(
            error = &error as &dyn std::error::Error,
            "A download of a backup could not be audited"
        );
        let text = "The panel's database does not answer, so the download could not be audited and was not made.";
        return refused(StatusCode::SERVICE_UNAVAILABLE, text);
    }
    attachment("application/octet-stream", &name, bytes)
}

fn refused(status: StatusCode, why: impl Into<String>) -> Response {
    sorry::say(status, "The backup could not be downloaded", why)
}
