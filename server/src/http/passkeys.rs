//! Passkeys over HTTP: the questions that pages fetch for the browser, and the sign-ins by an answer.

use std::net::SocketAddr;
use std::sync::Arc;

use app::{Call, Confirmed, Panel, Viewer};
use axum::extract::{ConnectInfo, Form, State};
use axum::http::{HeaderMap, StatusCode, header};
use axum::response::{IntoResponse as _, Response};
use axum::{Extension, Json};
use domain::passkey::{Answer, Question};
use domain::path;
use domain::ports::PeopleError;
use serde::Deserialize;
use tower_sessions::Session;

use super::sessions::{self, Origin};
use super::sign_in::{Desk, code_page, own_page, with_next};

/// What to ask whoever wants to sign in.
pub(crate) async fn ask_anybody(State(desk): State<Desk>) -> Response {
    asked(desk.passkeys.ask_anybody().await)
}

/// What to ask whoever typed the right password a moment ago.
pub(crate) async fn ask_half_way(State(desk): State<Desk>, session: Session) -> Response {
    let now = desk.door.clock.now();
    match sessions::got_half_way(&session, now).await {
        Ok(Some(half_way)) => asked(desk.passkeys.ask(half_way.person).await),
        Ok(None) => refused(
            StatusCode::FORBIDDEN,
            "That took too long. Begin again with name and password.",
        ),
        Err(error) => {
            tracing::error!(
                error = &*error as &dyn std::error::Error,
                "A session could not be read"
            );
            refused(
                StatusCode::SERVICE_UNAVAILABLE,
                "The panel's database does not answer. Try again in a moment.",
            )
        }
    }
}

/// What to ask whoever is to confirm that it is them.
pub(crate) async fn ask_own(
    State(panel): State<Panel>,
    Extension(viewer): Extension<Arc<Viewer>>,
) -> Response {
    asked(panel.passkeys.ask(viewer.person.id).await)
}

/// What to ask a device that is to make one.
pub(crate) async fn ask_new(
    State(panel): State<Panel>,
    Extension(viewer): Extension<Arc<Viewer>>,
) -> Response {
    let call = Call::new(panel.clone(), viewer.clone());
    if call.confirmed(Confirmed::ToAct).is_err() {
        return refused(
            StatusCode::FORBIDDEN,
            "You confirmed who you are too long ago. Load this page again.",
        );
    }
    asked(panel.passkeys.ask_to_add(&viewer.actor).await)
}

#[derive(Deserialize)]
pub(crate) struct Given {
    #[serde(default)]
    ceremony: String,
    #[serde(default)]
    credential: String,
    /// As [`super::sign_in::GivenCode`] has it.
    #[serde(default)]
    with: String,
    #[serde(default)]
    next: String,
}

/// Signs in without a password.
pub(crate) async fn sign_in(
    State(desk): State<Desk>,
    ConnectInfo(peer): ConnectInfo<SocketAddr>,
    session: Session,
    headers: HeaderMap,
    Form(given): Form<Given>,
) -> Response {
    let from = Origin {
        peer,
        headers: &headers,
    };
    let (address, browser) = desk.whence(&from);
    let answer = Answer {
        ceremony: given.ceremony,
        credential: given.credential,
    };
    let answer = desk.passkeys.sign_in(answer, address, browser).await;
    let next = own_page(&given.next);
    let back = |query: &str| with_next(path::SIGN_IN, query, next);
    desk.go_on(&session, from, next, answer, "refused=1", back)
        .await
}

/// In place of the code.
pub(crate) async fn second_step(
    State(desk): State<Desk>,
    ConnectInfo(peer): ConnectInfo<SocketAddr>,
    session: Session,
    headers: HeaderMap,
    Form(given): Form<Given>,
) -> Response {
    let next = own_page(&given.next);
    let half_way = match desk.half_way(&session, next).await {
        Ok(half_way) => half_way,
        Err(away) => return away,
    };
    let from = Origin {
        peer,
        headers: &headers,
    };
    let (address, browser) = desk.whence(&from);
    let answer = Answer {
        ceremony: given.ceremony,
        credential: given.credential,
    };
    let (id, epoch) = (half_way.person, half_way.epoch);
    let answer = desk
        .passkeys
        .second_step(id, epoch, answer, address, browser);
    let answer = answer.await;
    let back = |query: &str| code_page(query, &given.with, next);
    desk.go_on(&session, from, next, answer, "refused=1", back)
        .await
}

fn asked(question: Result<Question, PeopleError>) -> Response {
    match question {
        // A question is for one press.
        Ok(question) => ([(header::CACHE_CONTROL, "no-store")], Json(question)).into_response(),
        Err(PeopleError::Database(error)) => {
            tracing::error!(
                error = &error as &dyn std::error::Error,
                "A passkey could not be asked for"
            );
            let why = "The panel's database does not answer. Try again in a moment.";
            refused(StatusCode::SERVICE_UNAVAILABLE, why)
        }
        Err(why) => refused(StatusCode::CONFLICT, &why.to_string()),
    }
}

/// As text: the page shows it beside the button.
fn refused(status: StatusCode, why: &str) -> Response {
    (status, why.to_owned()).into_response()
}
