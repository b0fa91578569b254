//! Operations: looked at, started, stopped.

use app::{PanelError, forms};
use axum::extract::rejection::JsonRejection;
use axum::extract::{Path, State};
use axum::http::{HeaderMap, StatusCode};
use axum::{Extension, Json};
use domain::operation::OperationView;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use uuid::Uuid;

use super::Api;
use super::answers::{OperationStatus, Problem};
use super::door::Program;

/// The longest list.
const LISTED: u32 = 50;
/// Whoever sends the same key again gets the operation of before.
const KEY: &str = "idempotency-key";

/// What is to be done.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct Start {
    /// What to do.
    kind: Kind,
    /// Which account, for what is done to one.
    #[serde(default = "default_account")]
    #[schema(default = "default", pattern = "^[A-Za-z0-9._-]{1,64}$")]
    account: String,
    /// Why: it is kept with the operation and in the audit trail.
    #[serde(default)]
    #[schema(max_length = 200)]
    reason: String,
}

/// The one that a gateway has from the beginning.
fn default_account() -> String {
    "default".to_owned()
}

/// What a program may start. What asks people to confirm who they are is not among it.
#[derive(Clone, Copy, Deserialize, ToSchema)]
#[serde(rename_all = "kebab-case")]
enum Kind {
    /// An account's connection is begun anew, without touching its link.
    Reconnect,
    /// The container is restarted.
    Restart,
    /// The container is made anew from the compose file.
    Recreate,
    /// Whatever helps an account, the mildest first.
    Recover,
    /// The container is started.
    Start,
    /// The container is stopped.
    Stop,
    /// A backup is written.
    Backup,
    /// The gateway's container is made for the first time.
    Install,
    /// The WhatsApp plugin is installed.
    InstallPlugin,
    /// A code is shown on the operation's page, for a person to scan.
    Relink,
}

impl Kind {
    fn as_str(self) -> &'static str {
        match self {
            Self::Reconnect => "reconnect",
            Self::Restart => "restart",
            Self::Recreate => "recreate",
            Self::Recover => "recover",
            Self::Start => "start",
            Self::Stop => "stop",
            Self::Backup => "backup",
            Self::Install => "install",
            Self::InstallPlugin => "install-plugin",
            Self::Relink => "relink",
        }
    }
}

/// What was begun.
#[derive(Serialize, ToSchema)]
pub(super) struct Started {
    /// The operation.
    id: Uuid,
    /// Where its page is.
    page: String,
}

/// The latest operations of a gateway, newest first.
#[utoipa::path(
    get,
    path = "/api/v1/gateways/{gateway}/operations",
    tag = "operations",
    params(("gateway" = String, Path, description = "Its id")),
    responses((status = 200, body = [OperationStatus]), Problem)
)]
pub(super) async fn list(
    State(api): State<Api>,
    Extension(program): Extension<Program>,
    Path(id): Path<String>,
) -> Result<Json<Vec<OperationStatus>>, Problem> {
    let gateway = program.gateway(&id).await?.id;
    let listed = api.panel.operations.list(&gateway, None, LISTED).await;
    let listed = listed.map_err(|error| {
        tracing::error!(
            error = &error as &dyn std::error::Error,
            "Operations could not be listed"
        );
        Problem::unavailable()
    })?;
    Ok(Json(listed.iter().map(OperationStatus::of).collect()))
}

/// Starts an operation. It goes on when the caller goes away.
#[utoipa::path(
    post,
    path = "/api/v1/gateways/{gateway}/operations",
    tag = "operations",
    params(
        ("gateway" = String, Path, description = "Its id"),
        ("Idempotency-Key" = Option<String>, Header, description = "The same key again gives the same operation"),
    ),
    request_body = Start,
    responses((status = 202, body = Started), Problem)
)]
pub(super) async fn start(
    State(api): State<Api>,
    Extension(program): Extension<Program>,
    Path(id): Path<String>,
    headers: HeaderMap,
    asked: Result<Json<Start>, JsonRejection>,
) -> Result<(StatusCode, Json<Started>), Problem> {
    let Json(asked) = asked?;
    let gateway = program.gateway(&id).await?.id;
    let key = match headers.get(KEY).map(|key| key.to_str()) {
        None => api.panel.ids.next().to_string(),
        Some(Ok(key)) if (1..=64).contains(&key.len()) => key.to_owned(),
        Some(_) => {
            let title = "Give 1 to 64 printable characters as Idempotency-Key.";
            return Err(Problem::new(
                StatusCode::UNPROCESSABLE_ENTITY,
                "invalid",
                title,
            ));
        }
    };
    let id = forms::start(
        &program.call,
        gateway,
        asked.kind.as_str(),
        &asked.account,
        &asked.reason,
        key,
    )
    .await?;
    let started = Started {
        id: id.0,
        page: format!("{}{}", api.panel.public_url, domain::path::operation(&id)),
    };
    Ok((StatusCode::ACCEPTED, Json(started)))
}

/// One operation with its steps.
#[utoipa::path(
    get,
    path = "/api/v1/operations/{operation}",
    tag = "operations",
    params(("operation" = Uuid, Path, description = "Its id")),
    responses((status = 200, body = OperationStatus), Problem)
)]
pub(super) async fn one(
    Extension(program): Extension<Program>,
    Path(id): Path<String>,
) -> Result<Json<OperationStatus>, Problem> {
    let view = look(&program, &id).await?;
    Ok(Json(OperationStatus::whole(&view)))
}

/// Asks an operation to stop and put back.
#[utoipa::path(
    post,
    path = "/api/v1/operations/{operation}/cancel",
    tag = "operations",
    params(("operation" = Uuid, Path, description = "Its id")),
    responses((status = 202, body = OperationStatus), Problem)
)]
pub(super) async fn cancel(
    Extension(program): Extension<Program>,
    Path(id): Path<String>,
) -> Result<(StatusCode, Json<OperationStatus>), Problem> {
    look(&program, &id).await?;
    forms::cancel(&program.call, &id).await?;
    let view = look(&program, &id).await?;
    Ok((StatusCode::ACCEPTED, Json(OperationStatus::whole(&view))))
}

async fn look(program: &Program, id: &str) -> Result<OperationView, Problem> {
    let view = program.call.operation(id).await;
    view.map_err(|error| match error {
        // What a token does not reach is not there for it.
        PanelError::NotAllowed { .. } => {
            Problem::not_found("There is no such operation for this token.")
        }
        other => other.into(),
    })
}
