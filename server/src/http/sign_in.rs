//! Signing in and out: plain forms, the same answer and time whatever was wrong.

use std::net::SocketAddr;
use std::sync::Arc;

use axum::extract::{ConnectInfo, Form, State};
use axum::http::{HeaderMap, StatusCode};
use axum::response::{IntoResponse as _, Redirect, Response};
use domain::audit::{AuditOutcome, NewAuditEvent, act};
use domain::path;
use domain::person::Person;
use domain::ports::{AuditTrail, Passkeys, People, SignIn, StoreError};
use domain::time::Timestamp;
use secrecy::SecretString;
use serde::Deserialize;
use tower_sessions::Session;

use super::client;
use super::sessions::{self, Door, HalfWay, Origin};
use super::sorry;

/// What signing in needs.
#[derive(Clone)]
pub(crate) struct Desk {
    pub(crate) people: Arc<dyn People>,
    pub(crate) audit: Arc<dyn AuditTrail>,
    pub(crate) passkeys: Arc<dyn Passkeys>,
    pub(crate) door: Door,
}

#[derive(Deserialize)]
pub(crate) struct Given {
    name: String,
    password: SecretString,
    #[serde(default)]
    next: String,
}

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
    let answer = desk
        .people
        .sign_in(&given.name, given.password, address, browser);
    let answer = answer.await;
    let next = own_page(&given.next);
    let back = |query: &str| with_next(path::SIGN_IN, query, next);
    desk.go_on(&session, from, next, answer, "failed=1", back)
        .await
}

#[derive(Deserialize)]
pub(crate) struct GivenCode {
    code: SecretString,
    /// See [`with`]: for the page that asks again.
    #[serde(default)]
    with: String,
    #[serde(default)]
    next: String,
}

/// The second factor's code, from whoever typed the right password a moment ago.
pub(crate) async fn second_step(
    State(desk): State<Desk>,
    ConnectInfo(peer): ConnectInfo<SocketAddr>,
    session: Session,
    headers: HeaderMap,
    Form(given): Form<GivenCode>,
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
    let (id, epoch) = (half_way.person, half_way.epoch);
    let answer = desk
        .people
        .second_step(id, epoch, given.code, address, browser);
    let answer = answer.await;
    let back = |query: &str| code_page(query, &given.with, next);
    desk.go_on(&session, from, next, answer, "failed=1", back)
        .await
}

impl Desk {
    /// From which address and with which browser.
    pub(super) fn whence(&self, from: &Origin<'_>) -> (Option<String>, Option<String>) {
        let address = client::address(from.peer, from.headers, &self.door.trusted_proxies);
        (Some(address.to_string()), client::browser(from.headers))
    }

    /// What a page is told whose visitor has to wait until then.
    pub(super) fn throttled(&self, until: Timestamp) -> String {
        let seconds = until.since(self.door.clock.now()).as_secs().max(1);
        format!("throttled={seconds}")
    }

    /// Who typed the right password a moment ago; or where else to go.
    pub(super) async fn half_way(
        &self,
        session: &Session,
        next: &str,
    ) -> Result<HalfWay, Response> {
        match sessions::got_half_way(session, self.door.clock.now()).await {
            Ok(Some(half_way)) => Ok(half_way),
            Ok(None) => {
                Err(Redirect::to(&with_next(path::SIGN_IN, "late=1", next)).into_response())
            }
            Err(error) => Err(unavailable(&*error)),
        }
    }

    /// In, to the second step, or `back` to the page that asked, with what it has to say.
    pub(super) async fn go_on(
        &self,
        session: &Session,
        from: Origin<'_>,
        next: &str,
        answer: Result<SignIn, StoreError>,
        refused: &str,
        back: impl Fn(&str) -> String,
    ) -> Response {
        let back = |query: &str| Redirect::to(&back(query)).into_response();
        match answer {
            Ok(SignIn::Welcome(person)) => {
                let answer = sessions::let_in(&self.door, session, &person, from, next).await;
                answer.unwrap_or_else(|error| unavailable(&*error))
            }
            Ok(SignIn::SecondStep(person)) => {
                match sessions::half_way(&self.door, session, &person).await {
                    Ok(()) => {
                        let page = with_next(path::SIGN_IN_CODE, with(&person), next);
                        Redirect::to(&page).into_response()
                    }
                    Err(error) => unavailable(&*error),
                }
            }
            Ok(SignIn::Refused) => back(refused),
            Ok(SignIn::Throttled { until }) => back(&self.throttled(until)),
            Err(error) => unavailable(&error),
        }
    }
}

/// The page of the second step again; it goes on to know what somebody has besides the password, as [`with`] told it.
pub(super) fn code_page(query: &str, has: &str, next: &str) -> String {
    let has = match has {
        "both" => "&with=both",
        "passkey" => "&with=passkey",
        _ => "",
    };
    with_next(path::SIGN_IN_CODE, &format!("{query}{has}"), next)
}

/// What the page of the second step is told of somebody whose password was right.
pub(super) fn with(person: &Person) -> &'static str {
    match person.second_factor {
        Some(factor) if factor.passkeys > 0 && factor.authenticator => "with=both",
        Some(factor) if factor.passkeys > 0 => "with=passkey",
        _ => "",
    }
}

/// A page of the sign-in, with what it has to say and where it goes on to.
pub(super) fn with_next(page: &str, query: &str, next: &str) -> String {
    let wanted: String = url::form_urlencoded::byte_serialize(next.as_bytes()).collect();
    let and = if query.is_empty() { "" } else { "&" };
    format!("{page}?{query}{and}next={wanted}")
}

pub(crate) async fn sign_out(
    State(desk): State<Desk>,
    ConnectInfo(peer): ConnectInfo<SocketAddr>,
    session: Session,
    headers: HeaderMap,
) -> Response {
    let viewer = sessions::viewer(&desk.door, &session, peer, &headers).await;
    if let Ok(Some(viewer)) = viewer {
        if let Some(row) = viewer.session
            && let Err(error) = desk.door.people.sessions().close(row).await
        {
            tracing::warn!(
                error = &error as &dyn std::error::Error,
                "A sign-out could not be noted"
            );
        }
        let event = NewAuditEvent::new(viewer.actor, act::SIGN_OUT, AuditOutcome::Succeeded);
        if let Err(error) = desk.audit.record(event).await {
            tracing::error!(
                error = &error as &dyn std::error::Error,
                "A sign-out could not be audited"
            );
        }
    }
    let ended = session.id();
    if let Err(error) = session.flush().await {
        return unavailable(&error);
    }
    // Other tabs of this browser show nothing more from now on.
    if let Some(id) = ended {
        desk.door.people.signed_out(id);
    }
    // Pages kept by the back button go too.
    (
        [("clear-site-data", "\"cache\"")],
        Redirect::to(path::SIGN_IN),
    )
        .into_response()
}

/// Only pages of this panel: an absolute path, not `//elsewhere`.
pub(super) fn own_page(next: &str) -> &str {
    let own = next.starts_with('/')
        && !next.starts_with("//")
        && !next.contains('\\')
        && !next.chars().any(char::is_control)
        && !next.starts_with(path::SIGN_IN);
    if own { next } else { path::HOME }
}

pub(super) fn unavailable(error: &(dyn std::error::Error + 'static)) -> Response {
    tracing::error!(error, "Signing in or out failed");
    let text = "The panel's database does not answer, so nobody can sign in or out just now. The gateway itself is \
                not affected. Try again in a moment.";
    sorry::say(
        StatusCode::SERVICE_UNAVAILABLE,
        "The panel could not answer",
        text,
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn after_sign_in_nobody_is_sent_elsewhere() {
        assert_eq!(
            own_page("/gateways/openclaw?lines=200"),
            "/gateways/openclaw?lines=200"
        );
        for bad in [
            "https://evil.example",
            "//evil.example",
            "/\\evil.example",
            "",
            "/\r\nSet-Cookie: a=b",
            "/sign-in",
        ] {
            assert_eq!(own_page(bad), "/", "{bad:?}");
        }
    }
}
