//! What a filter of the audit trail lets through, as a file: streamed as fast as the browser takes it, and audited.

use std::io;
use std::sync::Arc;

use adapter_store::{ExportFormat, Store};
use app::{Call, Panel, Viewer};
use axum::Extension;
use axum::body::Body;
use axum::extract::{RawQuery, State};
use axum::http::StatusCode;
use axum::response::Response;
use domain::action::Action;
use domain::audit::filter::Span;
use domain::audit::{Archive, AuditOutcome, Checkpoint, Filter, NewAuditEvent, act};
use domain::can;
use domain::gateway::GatewayId;
use domain::person::Actor;
use domain::ports::StoreError;
use domain::time::Timestamp;
use domain::words;
use futures::{FutureExt as _, StreamExt as _, stream};

use super::attachment::attachment;
use super::sorry;
use crate::audit::LastLine;

/// Pieces that wait for the browser; each is some 64 kB.
const WAITING: usize = 8;

/// From where files are made.
#[derive(Clone)]
pub(crate) struct Files {
    pub(crate) panel: Panel,
    pub(crate) store: Store,
}

pub(crate) async fn download(
    State(files): State<Files>,
    RawQuery(query): RawQuery,
    Extension(viewer): Extension<Arc<Viewer>>,
) -> Response {
    // A refusal is in the audit trail itself, like that of a form.
    let call = Call::new(files.panel.clone(), viewer.clone());
    let gateway = gateway(query.as_deref());
    let reader = match call.reads_audit(gateway.as_ref()).await {
        Ok(reader) => reader,
        Err(denied) => return refused(StatusCode::FORBIDDEN, denied.sentence()),
    };
    let made = file(files, query.as_deref(), &reader).await;
    made.unwrap_or_else(|no| refused(no.status, no.why))
}

/// Why no file is made.
pub(super) struct NoFile {
    pub(super) status: StatusCode,
    /// In a sentence.
    pub(super) why: &'static str,
}

impl NoFile {
    fn of(status: StatusCode, why: &'static str) -> Self {
        Self { status, why }
    }
}

/// The gateway that a query names, as a filter reads it.
pub(super) fn gateway(query: Option<&str>) -> Option<GatewayId> {
    let pairs = url::form_urlencoded::parse(query.unwrap_or_default().as_bytes());
    let last = pairs.filter(|(key, _)| key == "gateway").last();
    last.and_then(|(_, value)| value.parse().ok())
}

/// The file for whoever may see the trail, or what of it the filter lets through.
pub(super) async fn file(
    files: Files,
    query: Option<&str>,
    actor: &Actor,
) -> Result<Response, NoFile> {
    let panel = files.panel.clone();
    let sees_numbers = can::permit(actor, Action::ViewPhoneNumbers, None).is_ok();
    let pairs: Vec<(String, String)> =
        url::form_urlencoded::parse(query.unwrap_or_default().as_bytes())
            .into_owned()
            .collect();
    let get = |name: &str| {
        let mut pairs = pairs.iter().rev();
        pairs
            .find(|(key, _)| key == name)
            .map_or("", |(_, value)| value.as_str())
    };
    let (format, ending, kind) = match (get("format"), sees_numbers) {
        ("csv", true) => (ExportFormat::Csv, "csv", "text/csv; charset=utf-8"),
        ("csv", false) => (ExportFormat::MaskedCsv, "csv", "text/csv; charset=utf-8"),
        ("jsonl", true) => (ExportFormat::JsonLines, "jsonl", "application/x-ndjson"),
        ("jsonl", false) => {
            let why = "It holds whole phone numbers, which the hashes cover and which your role need not see. Download CSV, \
                       or ask an admin.";
            return Err(NoFile::of(StatusCode::FORBIDDEN, why));
        }
        _ => {
            let why = "There is no such format: ask for csv or jsonl.";
            return Err(NoFile::of(StatusCode::NOT_FOUND, why));
        }
    };
    let mut filter = match Filter::read(|name| get(name)) {
        Ok(filter) if sees_numbers || !filter.seeks_number() => filter,
        _ => {
            let why = "The filter cannot be read. Set it on the page of the audit trail.";
            return Err(NoFile::of(StatusCode::BAD_REQUEST, why));
        }
    };
    let set: Vec<String> = filter
        .pairs()
        .into_iter()
        .map(|(name, value)| format!("{name} {value}"))
        .collect();
    let (from, to) = filter.span.limits(panel.clock.now());
    if filter.span != Span::All {
        // As its last line will say.
        filter.span = Span::Between(from, to);
    }
    let is_chain = filter
        == Filter {
            span: filter.span,
            ..Filter::default()
        };
    let chosen = (!is_chain).then(|| set.join(", "));
    let actor = actor.clone();
    let event = move |outcome, note| NewAuditEvent {
        target: (!set.is_empty()).then(|| set.join(", ")),
        note,
        ..NewAuditEvent::new(actor.clone(), act::EXPORT_AUDIT, outcome)
    };
    // No audit row, no file; what became of it is written at its end, and not at all when the browser went away.
    if let Err(error) = panel
        .audit
        .record(event(
            AuditOutcome::Requested,
            Some(format!("As {ending}.")),
        ))
        .await
    {
        tracing::error!(
            error = &error as &dyn std::error::Error,
            "A download of the audit trail could not be audited"
        );
        let why = "The panel's database does not answer, so the download could not be audited and was not made.";
        return Err(NoFile::of(StatusCode::SERVICE_UNAVAILABLE, why));
    }
    let (checkpoint, archived) = match ends(&panel).await {
        Ok(ends) => ends,
        Err(error) => {
            tracing::error!(
                error = &error as &dyn std::error::Error,
                "A download of the audit trail could not be made"
            );
            note(&panel, event(AuditOutcome::Failed, None)).await;
            let why = "No checkpoint of the audit trail could be made, so the download was not made either.";
            return Err(NoFile::of(StatusCode::SERVICE_UNAVAILABLE, why));
        }
    };
    let after = archived.map(|archive| archive.head());
    let last = LastLine {
        checkpoint,
        after,
        from: from.map(Timestamp::rfc3339),
        to: to.map(Timestamp::rfc3339),
        filter: chosen,
    };
    let name = format!(
        "audit-{}.{ending}",
        panel.clock.now().rfc3339().replace(':', "")
    );
    let (sender, receiver) = tokio::sync::mpsc::channel::<io::Result<Vec<u8>>>(WAITING);
    let writing = async move {
        let exported = files
            .store
            .export_filtered(
                format,
                after.map_or(0, |after| after.sequence),
                &filter,
                |piece| {
                    let sender = sender.clone();
                    async move { sender.send(Ok(piece)).await.map_err(io::Error::other) }.boxed()
                },
            )
            .await;
        if exported.is_ok() && format == ExportFormat::JsonLines {
            let line = serde_json::to_vec(&last).map_err(io::Error::other);
            let line = line.map(|line| [line, b"\n".to_vec()].concat());
            // Whoever went away before it has no whole file, as its missing tells.
            let _gone = sender.send(line).await;
        }
        let outcome = match &exported {
            Ok(count) => {
                let count = words::count(*count, "event", "events");
                event(AuditOutcome::Succeeded, Some(format!("{count}.")))
            }
            Err(_) => event(AuditOutcome::Failed, Some("Not to the end.".to_owned())),
        };
        note(&panel, outcome).await;
        // A file that is not whole must not look as if it were.
        exported.err().map(|error| Err(io::Error::other(error)))
    };
    let pieces = stream::unfold(receiver, async |mut receiver| {
        receiver.recv().await.map(|piece| (piece, receiver))
    });
    let end = stream::once(writing).filter_map(futures::future::ready);
    let body = stream::select(pieces.boxed(), end.boxed());
    Ok(attachment(kind, &name, Body::from_stream(body)))
}

/// A checkpoint of this moment, and the archive that the trail follows.
async fn ends(panel: &Panel) -> Result<(Checkpoint, Option<Archive>), StoreError> {
    let checkpoint = panel.chain.checkpoint().await?;
    Ok((checkpoint, panel.chain.archived().await?))
}

async fn note(panel: &Panel, outcome: NewAuditEvent) {
    if let Err(error) = panel.audit.record(outcome).await {
        tracing::error!(
            error = &error as &dyn std::error::Error,
            "The outcome of a download could not be audited"
        );
    }
}

fn refused(status: StatusCode, why: impl Into<String>) -> Response {
    sorry::say(status, "The audit trail could not be downloaded", why)
}
