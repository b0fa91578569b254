//! The audit trail as a stream of lines.

use axum::Extension;
use axum::extract::{RawQuery, State};
use axum::http::StatusCode;
use axum::response::Response;
use utoipa::ToSchema;

use super::Api;
use super::answers::Problem;
use super::door::Program;
use crate::http::audit_file::{self, Files};

/// How the trail is written down.
#[derive(ToSchema)]
#[schema(rename_all = "lowercase")]
#[expect(dead_code, reason = "it is there for the document alone")]
enum Format {
    /// One event a line, with everything that the hashes cover.
    Jsonl,
    /// A table, without hashes where something is masked.
    Csv,
}

/// What the filter lets through, as JSON Lines or CSV, with the filter's words of the page `/audit` in the query.
#[utoipa::path(
    get,
    path = "/api/v1/audit",
    tag = "audit",
    params(("format" = inline(Format), Query, description = "`jsonl` or `csv`. A file of JSON Lines ends with a signed checkpoint and can be verified as a chain \
                  when no more than a time is asked for; with another filter each line by itself")),
    responses(
        (status = 200, content(
            (String = "application/x-ndjson"),
            (String = "text/csv; charset=utf-8"),
        ), description = "The events that the filter lets through, oldest first. What is masked for the role of the token is to be had \
             as CSV alone, without hashes"),
        Problem
    )
)]
pub(super) async fn export(
    State(api): State<Api>,
    Extension(program): Extension<Program>,
    RawQuery(query): RawQuery,
) -> Result<Response, Problem> {
    let gateway = audit_file::gateway(query.as_deref());
    program.reaches(gateway.as_ref())?;
    let reader = program.call.reads_audit(gateway.as_ref()).await?;
    let files = Files {
        panel: api.panel.clone(),
        store: api.store.clone(),
    };
    let made = audit_file::file(files, query.as_deref(), &reader).await;
    made.map_err(|no| match no.status {
        StatusCode::SERVICE_UNAVAILABLE => Problem::unavailable(),
        StatusCode::FORBIDDEN => Problem::new(no.status, "forbidden", no.why),
        StatusCode::NOT_FOUND => Problem::not_found(no.why),
        status => Problem::new(status, "invalid", no.why),
    })
}
