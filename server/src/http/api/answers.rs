//! What the API answers. Names and words are promised to programs.

use std::collections::BTreeMap;

use app::PanelError;
use axum::Json;
use axum::extract::rejection::JsonRejection;
use axum::http::{HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use domain::observation::Observation;
use domain::operation::{Operation, OperationView, StepState};
use domain::time::Timestamp;
use domain::verdict::Verdict;
use serde::Serialize;
use utoipa::openapi::{ContentBuilder, Ref, RefOr, ResponseBuilder, response};
use utoipa::{IntoResponses, ToSchema};
use uuid::Uuid;

/// What a [`Problem`] is sent as.
const PROBLEM: &str = "application/problem+json";

/// What went wrong (RFC 9457).
#[derive(Clone, Debug, Serialize, ToSchema)]
pub(super) struct Problem {
    /// A word for programs.
    #[schema(example = "busy")]
    code: &'static str,
    /// A sentence for people.
    title: String,
    /// The HTTP status.
    status: u16,
    /// When to try again, in seconds.
    #[serde(skip_serializing_if = "Option::is_none")]
    retry_after: Option<u64>,
}

impl Problem {
    pub(super) fn new(status: StatusCode, code: &'static str, title: impl Into<String>) -> Self {
        Self {
            code,
            title: title.into(),
            status: status.as_u16(),
            retry_after: None,
        }
    }

    pub(super) fn not_found(title: &str) -> Self {
        Self::new(StatusCode::NOT_FOUND, "not-found", title)
    }

    pub(super) fn bad_method() -> Self {
        let title = "This path takes another method. /api/v1/openapi.json has them all.";
        Self::new(StatusCode::METHOD_NOT_ALLOWED, "method", title)
    }

    pub(super) fn unavailable() -> Self {
        let title =
            "The panel's database does not answer, so nothing was done. Try again in a moment.";
        Self::new(StatusCode::SERVICE_UNAVAILABLE, "unavailable", title)
    }

    pub(super) fn later(self, seconds: u64) -> Self {
        Self {
            retry_after: Some(seconds.max(1)),
            ..self
        }
    }
}

impl IntoResponses for Problem {
    fn responses() -> BTreeMap<String, RefOr<response::Response>> {
        let of = |description: &str| {
            let schema = Ref::from_schema_name(Self::name());
            let content = ContentBuilder::new().schema(Some(schema)).build();
            let described = ResponseBuilder::new().description(description);
            RefOr::T(described.content(PROBLEM, content).build())
        };
        [
            ("4XX".to_owned(), of("Why not, and what to do")),
            ("5XX".to_owned(), of("The panel cannot tell just now")),
        ]
        .into()
    }
}

impl IntoResponse for Problem {
    fn into_response(self) -> Response {
        let status = StatusCode::from_u16(self.status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
        let retry_after = self.retry_after;
        let mut answer = (status, Json(self)).into_response();
        let headers = answer.headers_mut();
        headers.insert(header::CONTENT_TYPE, HeaderValue::from_static(PROBLEM));
        if let Some(seconds) = retry_after {
            headers.insert(header::RETRY_AFTER, HeaderValue::from(seconds));
        }
        answer
    }
}

impl From<PanelError> for Problem {
    fn from(error: PanelError) -> Self {
        let (status, code) = match &error {
            PanelError::SignedOut => (StatusCode::UNAUTHORIZED, "unauthorized"),
            PanelError::NotAllowed { .. } => (StatusCode::FORBIDDEN, "forbidden"),
            PanelError::Unconfirmed => {
                let title = "This asks a person to confirm who they are: do it in the panel.";
                return Self::new(StatusCode::FORBIDDEN, "needs-a-person", title);
            }
            PanelError::Busy { .. } => (StatusCode::CONFLICT, "busy"),
            PanelError::Invalid { .. } => (StatusCode::UNPROCESSABLE_ENTITY, "invalid"),
            PanelError::Refused { .. } => (StatusCode::CONFLICT, "refused"),
            PanelError::Gone { .. } => (StatusCode::NOT_FOUND, "not-found"),
            PanelError::Unavailable { .. } => (StatusCode::SERVICE_UNAVAILABLE, "unavailable"),
        };
        Self::new(status, code, error.sentence())
    }
}

impl From<JsonRejection> for Problem {
    fn from(rejection: JsonRejection) -> Self {
        Self::new(rejection.status(), "invalid", rejection.body_text())
    }
}

/// One gateway as it is known now.
#[derive(Serialize, ToSchema)]
pub(super) struct GatewayStatus {
    /// Its id.
    #[schema(example = "openclaw")]
    id: String,
    /// Its name for people.
    name: String,
    /// `working`, `degraded`, `down` or `unknown`.
    #[schema(example = "working")]
    verdict: &'static str,
    /// What is the matter, in one sentence.
    sentence: String,
    /// Why, and what helps.
    reason: String,
    /// Since when, RFC 3339.
    since: String,
    /// The operation that holds its lock.
    operation: Option<Uuid>,
    /// What each probe knows, by the fact's name.
    facts: BTreeMap<&'static str, FactStatus>,
}

/// One fact.
#[derive(Serialize, ToSchema)]
pub(super) struct FactStatus {
    /// `ok`, `degraded`, `down` or `unknown`.
    state: &'static str,
    /// In a few words.
    headline: String,
    /// Why.
    reason: String,
    /// Since when, RFC 3339.
    since: String,
    /// How old the last look is, in milliseconds.
    age_ms: Option<u64>,
}

impl GatewayStatus {
    pub(super) fn of(
        seen: &Observation,
        verdict: &Verdict,
        holder: Option<&Operation>,
        now: Timestamp,
    ) -> Self {
        let facts = seen.facts().into_iter().map(|fact| {
            let age = fact.checked_at.map(|at| now.since(at).as_millis());
            let status = FactStatus {
                state: fact.state.as_str(),
                headline: fact.headline,
                reason: fact.reason,
                since: fact.since.rfc3339(),
                age_ms: age.map(|age| u64::try_from(age).unwrap_or(u64::MAX)),
            };
            (fact.kind.as_str(), status)
        });
        Self {
            id: seen.gateway.id.to_string(),
            name: seen.gateway.name.clone(),
            verdict: verdict.standing.as_str(),
            sentence: verdict.sentence.clone(),
            reason: verdict.reason.clone(),
            since: verdict.since.rfc3339(),
            operation: holder.map(|holder| holder.id.0),
            facts: facts.collect(),
        }
    }
}

/// One operation.
#[derive(Serialize, ToSchema)]
pub(super) struct OperationStatus {
    /// Its id.
    id: Uuid,
    /// On which gateway.
    gateway: String,
    /// What: `restart`, `recreate`, ….
    kind: &'static str,
    /// What, in words.
    title: String,
    /// Who asked for it.
    asked_by: String,
    /// Why.
    reason: Option<String>,
    /// When, RFC 3339.
    created_at: String,
    /// When it ended, RFC 3339.
    ended_at: Option<String>,
    /// `succeeded`, `undone`, `cancelled`, `failed`, `stuck` or `abandoned`; nothing while it runs.
    outcome: Option<&'static str>,
    /// Its steps; in lists they are left out.
    #[serde(skip_serializing_if = "Option::is_none")]
    steps: Option<Vec<StepStatus>>,
}

/// One step of an operation.
#[derive(Serialize, ToSchema)]
pub(super) struct StepStatus {
    /// Its name.
    name: String,
    /// In words.
    label: String,
    /// How far it is.
    state: &'static str,
    /// What it said, oldest first.
    said: Vec<String>,
    /// Why it failed.
    fault: Option<String>,
}

impl OperationStatus {
    pub(super) fn of(operation: &Operation) -> Self {
        Self {
            id: operation.id.0,
            gateway: operation.command.gateway().to_string(),
            kind: operation.command.name(),
            title: operation.command.title(),
            asked_by: operation.asked_by.name().to_owned(),
            reason: operation.reason.clone(),
            created_at: operation.created_at.rfc3339(),
            ended_at: operation.ended_at.map(Timestamp::rfc3339),
            outcome: operation
                .outcome
                .as_ref()
                .map(domain::operation::Outcome::as_str),
            steps: None,
        }
    }

    pub(super) fn whole(view: &OperationView) -> Self {
        let steps = view.steps.iter().map(|step| StepStatus {
            name: step.outline.name.clone(),
            label: step.outline.label.clone(),
            state: word(&step.state),
            said: step.said.iter().map(|(_, said)| said.clone()).collect(),
            fault: step.fault.as_ref().map(|fault| fault.message.clone()),
        });
        Self {
            steps: Some(steps.collect()),
            ..Self::of(&view.operation)
        }
    }
}

fn word(state: &StepState) -> &'static str {
    match state {
        StepState::Todo => "todo",
        StepState::Running => "running",
        StepState::Done => "done",
        StepState::Failed => "failed",
        StepState::Undoing => "undoing",
        StepState::Undone => "undone",
        StepState::Skipped => "skipped",
        StepState::NotNeeded => "not-needed",
        StepState::Fruitless => "fruitless",
        StepState::UndoFailed => "undo-failed",
    }
}
