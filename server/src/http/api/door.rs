//! From the token to who acts.

use std::collections::HashMap;
use std::collections::hash_map::Entry;
use std::net::SocketAddr;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use app::{Call, Viewer};
use axum::extract::{ConnectInfo, Request, State};
use axum::http::{HeaderMap, HeaderValue, StatusCode, header};
use axum::middleware::Next;
use axum::response::{IntoResponse as _, Response};
use domain::api_token::{ApiToken, PREFIX};
use domain::audit::{AuditOutcome, NewAuditEvent, act};
use domain::gateway::{Gateway, GatewayId};
use domain::person::{Actor, Person};
use domain::ports::Shown;
use domain::time::Timestamp;
use secrecy::SecretString;
use uuid::Uuid;

use super::Api;
use super::answers::Problem;
use crate::http::client;

/// How often a token that opens nothing is written down.
const DENIED_EVERY: Duration = Duration::from_secs(3_600);

/// A program that was let in.
#[derive(Clone)]
pub(super) struct Program {
    pub(super) call: Call,
    token: ApiToken,
}

impl Program {
    /// The gateway of a URL, if the token reaches it. One that it does not reach is not there for it.
    pub(super) async fn gateway(&self, id: &str) -> Result<Gateway, Problem> {
        if let Ok(id) = id.parse() {
            self.reach(&id)?;
        }
        Ok(self.call.gateway(id).await?)
    }

    /// Whether the token reaches a gateway.
    pub(super) fn reach(&self, gateway: &GatewayId) -> Result<(), Problem> {
        if self.token.reaches(gateway) {
            Ok(())
        } else {
            Err(Problem::not_found(
                "There is no gateway of that name for this token.",
            ))
        }
    }

    /// Whether the token is for what is asked for: of one gateway, or of all.
    pub(super) fn reaches(&self, gateway: Option<&GatewayId>) -> Result<(), Problem> {
        match (&self.token.gateway, gateway) {
            (Some(only), None) => {
                let title = format!("This token is for one gateway: ask with `gateway={only}`.");
                Err(Problem::new(StatusCode::FORBIDDEN, "forbidden", title))
            }
            (_, Some(gateway)) => self.reach(gateway),
            (None, None) => Ok(()),
        }
    }
}

/// Puts the [`Program`] into the request, or says why not.
pub(super) async fn require(
    State(api): State<Api>,
    ConnectInfo(peer): ConnectInfo<SocketAddr>,
    mut request: Request,
    next: Next,
) -> Response {
    match let_in(&api, peer, request.headers()).await {
        Ok(program) => {
            request.extensions_mut().insert(program);
            next.run(request).await
        }
        Err(problem) => {
            let mut answer = problem.into_response();
            if answer.status() == StatusCode::UNAUTHORIZED {
                let how = HeaderValue::from_static("Bearer");
                answer.headers_mut().insert(header::WWW_AUTHENTICATE, how);
            }
            answer
        }
    }
}

/// A token that was taken back and still knocks may be in the wrong hands. Once an hour: a forgotten job would fill the
/// trail.
async fn note_denied(api: &Api, token: &ApiToken, person: &Person, address: &str, why: &str) {
    if !api.denied.is_first(token.id, api.panel.clock.now()) {
        return;
    }
    let nobody = Actor::Nobody {
        address: Some(address.to_owned()),
    };
    let event = NewAuditEvent {
        target: Some(person.name.clone()),
        note: Some(format!(
            "With the token “{}”. {why} More tries within the hour are not written.",
            token.name
        )),
        ..NewAuditEvent::new(nobody, act::USE_TOKEN, AuditOutcome::Denied)
    };
    // Nothing is done by it, so a refusal stands whether or not it can be written down.
    if let Err(error) = api.panel.audit.record(event).await {
        tracing::warn!(
            error = &error as &dyn std::error::Error,
            "A token that opens nothing was refused without an audit event"
        );
    }
}

/// When a token that opens nothing was last written down.
#[derive(Debug, Default)]
pub(crate) struct Denied(Mutex<HashMap<Uuid, Timestamp>>);

impl Denied {
    fn is_first(&self, token: Uuid, now: Timestamp) -> bool {
        let mut lately = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        lately.retain(|_, at| now.since(*at) < DENIED_EVERY);
        match lately.entry(token) {
            Entry::Occupied(_) => false,
            Entry::Vacant(place) => {
                place.insert(now);
                true
            }
        }
    }
}

async fn let_in(api: &Api, peer: SocketAddr, headers: &HeaderMap) -> Result<Program, Problem> {
    let refused = |title: &str| Problem::new(StatusCode::UNAUTHORIZED, "unauthorized", title);
    let token = bearer(headers).ok_or_else(|| {
        refused("Send a token: `Authorization: Bearer ocp_…`. You make one on the page of your account.")
    })?;
    let address = client::address(peer, headers, &api.trusted_proxies).to_string();
    let now = api.panel.clock.now();
    let shown = api.tokens.show(&token, Some(address.clone())).await;
    let (token, mut person) = match shown {
        Ok(Shown::Known(known)) => *known,
        Ok(Shown::Unknown) => return Err(refused("This token is not known.")),
        Ok(Shown::Throttled { until }) => {
            let title = "Too many unknown tokens came from this address.";
            let problem = Problem::new(StatusCode::TOO_MANY_REQUESTS, "throttled", title);
            return Err(problem.later(until.since(now).as_secs()));
        }
        Err(error) => {
            tracing::error!(
                error = &error as &dyn std::error::Error,
                "A token could not be looked at"
            );
            return Err(Problem::unavailable());
        }
    };
    let Some(roles) = token.roles_of(&person, now) else {
        let title = "This token opens nothing any more: it is over, was taken back, or its person may do less by now.";
        note_denied(api, &token, &person, &address, title).await;
        return Err(refused(title));
    };
    // By all roles of theirs: a token of a smaller one must be no way around it.
    if person.second_factor.is_none() && api.panel.must_have_second_factor(&person) {
        let title =
            "This token's owner must set up a second factor first, on the page of their account.";
        note_denied(api, &token, &person, &address, title).await;
        return Err(refused(title));
    }
    let role = roles.everywhere;
    person.roles = roles;
    let actor = Actor::Person {
        id: person.id,
        name: person.name.clone(),
        role,
        address: Some(address),
        browser: None,
        session: None,
        token: Some(token.name.clone()),
    };
    let viewer = Viewer {
        actor,
        person,
        session: None,
        sessions: Arc::default(),
        signed_in_at: token.made_at,
        // Never: what asks people to confirm who they are is not for programs.
        confirmed_at: Timestamp::from_millis(0),
    };
    Ok(Program {
        call: Call::new(api.panel.clone(), Arc::new(viewer)),
        token,
    })
}

/// The token of the request's header.
fn bearer(headers: &HeaderMap) -> Option<SecretString> {
    let value = headers.get(header::AUTHORIZATION)?.to_str().ok()?;
    let (scheme, token) = value.split_once(' ')?;
    let token = token.trim();
    (scheme.eq_ignore_ascii_case("bearer") && token.starts_with(PREFIX) && token.len() < 200)
        .then(|| SecretString::from(token))
}

#[cfg(test)]
mod tests {
    use secrecy::ExposeSecret as _;

    use super::*;

    #[test]
    fn only_a_bearer_token_of_ours_is_looked_up() {
        let of = |value: &'static str| {
            let mut headers = HeaderMap::new();
            headers.insert(header::AUTHORIZATION, HeaderValue::from_static(value));
            bearer(&headers).map(|token| token.expose_secret().to_owned())
        };
        assert_eq!(of("Bearer ocp_12").as_deref(), Some("ocp_12"));
        assert_eq!(of("bearer  ocp_12 ").as_deref(), Some("ocp_12"));
        for other in ["Basic ocp_12", "Bearer ghp_12", "ocp_12", "Bearer"] {
            assert_eq!(of(other), None, "{other}");
        }
    }
}
