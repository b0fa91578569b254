//! The gateway's log as a file: scrubbed, audited, searched and filtered like the page it is taken from.

use std::fmt::Write as _;
use std::sync::Arc;

use app::{Call, Panel, Viewer};
use axum::Extension;
use axum::extract::{Path, Query, State};
use axum::http::StatusCode;
use axum::response::Response;
use domain::action::Action;
use domain::audit::{AuditOutcome, NewAuditEvent, act};
use domain::gateway::GatewayId;
use domain::words;

use super::attachment::attachment;
use super::events::Wanted;
use super::sorry;

/// As many lines as a person can use and a browser can save in a moment.
const LINES: u32 = 5_000;

pub(crate) async fn download(
    State(panel): State<Panel>,
    Path(id): Path<GatewayId>,
    Query(wanted): Query<Wanted>,
    Extension(viewer): Extension<Arc<Viewer>>,
) -> Response {
    if panel.observations.observation(&id).is_none() {
        return refused(StatusCode::NOT_FOUND, "There is no gateway of that name.");
    }
    let call = Call::new(panel.clone(), Arc::clone(&viewer));
    if let Err(denied) = call.permit(Action::ViewLogs, Some(&id)).await {
        return refused(StatusCode::FORBIDDEN, denied.sentence());
    }
    let event = |outcome, note| NewAuditEvent {
        gateway: Some(id.clone()),
        note,
        ..NewAuditEvent::new(viewer.actor(Some(&id)), act::DOWNLOAD_LOGS, outcome)
    };
    // No audit row, no file: the intent before Docker is asked, what became of it afterwards.
    let intent = event(AuditOutcome::Requested, None);
    if let Err(error) = panel.audit.record(intent).await {
        tracing::error!(
            error = &error as &dyn std::error::Error,
            "A download of the log could not be audited"
        );
        let text = "The panel's database does not answer, so the download could not be audited and was not made.";
        return refused(StatusCode::SERVICE_UNAVAILABLE, text);
    }
    let found = panel.observations.logs(&id, LINES).await;
    let filter = wanted.filter(viewer.role(Some(&id)));
    let lines = found.map(|lines| {
        let shown = lines.iter().filter_map(|line| filter.shown(line));
        shown.collect::<Vec<_>>()
    });
    let outcome = match &lines {
        Ok(lines) => {
            let given = words::count(lines.len() as u64, "line", "lines");
            event(AuditOutcome::Succeeded, Some(format!("{given}.")))
        }
        Err(fault) => event(AuditOutcome::Failed, Some(fault.message.clone())),
    };
    // The intent stands whether or not its outcome can be written down.
    if let Err(error) = panel.audit.record(outcome).await {
        tracing::error!(
            error = &error as &dyn std::error::Error,
            "The outcome of a download could not be audited"
        );
    }
    let lines = match lines {
        Ok(lines) => lines,
        Err(fault) => return refused(StatusCode::BAD_GATEWAY, fault.message),
    };
    let mut text = String::new();
    for line in lines {
        let at = line
            .at
            .map(domain::time::Timestamp::rfc3339)
            .unwrap_or_default();
        if writeln!(text, "{at} {}", line.text).is_err() {
            break;
        }
    }
    let at = panel.clock.now().rfc3339().replace(':', "");
    attachment("text/plain; charset=utf-8", &format!("{id}-{at}.log"), text)
}

fn refused(status: StatusCode, why: impl Into<String>) -> Response {
    sorry::say(status, "The log could not be downloaded", why)
}
