//! Signing in by an identity provider, and confirming by it who one is: there, and back. The way there and the way back are
//! plain links, which need no JavaScript.

use std::net::SocketAddr;
use std::sync::Arc;

use app::Viewer;
use axum::Router;
use axum::extract::{ConnectInfo, Query, State};
use axum::http::HeaderMap;
use axum::response::{IntoResponse as _, Redirect, Response};
use axum::routing::get;
use domain::audit::{AuditOutcome, NewAuditEvent, act};
use domain::identity::{Answer, Asked, Purpose, Refusal};
use domain::path;
use domain::ports::{
    ByProvider, Identities, IdentityProvider, PeopleError, Proved, ProviderConfirms, ProviderError,
    Whence,
};
use serde::{Deserialize, Serialize};
use tower_sessions::Session;

use super::sessions::{self, Origin};
use super::sign_in::{Desk, own_page, unavailable, with_next};

/// Key of [`Errand`] within a session.
const KEY: &str = "identity-provider";

/// What the page for confirming is told when the provider has said who it is, and a code is asked for besides.
const CODE_WANTED: &str = "half=1";

/// What is remembered while somebody is at the provider.
#[derive(Serialize, Deserialize)]
struct Errand {
    asked: Asked,
    next: String,
}

/// What the routes here need.
#[derive(Clone)]
pub(crate) struct Gate {
    pub(crate) desk: Desk,
    pub(crate) identities: Arc<dyn Identities>,
    pub(crate) provider: Arc<dyn IdentityProvider>,
}

/// There and back.
pub(crate) fn routes(gate: Gate) -> Router {
    Router::new()
        .route(path::SIGN_IN_PROVIDER, get(sign_in))
        .route(path::CONFIRM_BY_PROVIDER, get(confirm))
        .route(path::FROM_PROVIDER, get(back))
        .with_state(gate)
}

#[derive(Deserialize)]
struct Wanted {
    #[serde(default)]
    next: String,
}

/// Sends the browser to the provider.
async fn sign_in(
    State(gate): State<Gate>,
    ConnectInfo(peer): ConnectInfo<SocketAddr>,
    session: Session,
    headers: HeaderMap,
    Query(wanted): Query<Wanted>,
) -> Response {
    let from = Origin {
        peer,
        headers: &headers,
    };
    gate.send(Purpose::SignIn, &session, &from, &wanted.next)
        .await
}

/// The same for whoever is signed in, to prove anew who they are.
async fn confirm(
    State(gate): State<Gate>,
    ConnectInfo(peer): ConnectInfo<SocketAddr>,
    session: Session,
    headers: HeaderMap,
    Query(wanted): Query<Wanted>,
) -> Response {
    let from = Origin {
        peer,
        headers: &headers,
    };
    match gate.viewer(&session, &from).await {
        Err(away) => away,
        Ok(_) => {
            gate.send(Purpose::Confirm, &session, &from, &wanted.next)
                .await
        }
    }
}

#[derive(Deserialize)]
struct Brought {
    #[serde(default)]
    state: String,
    code: Option<String>,
    iss: Option<String>,
    error: Option<String>,
}

/// Takes what the browser brought back from the provider, once.
async fn back(
    State(gate): State<Gate>,
    ConnectInfo(peer): ConnectInfo<SocketAddr>,
    session: Session,
    headers: HeaderMap,
    Query(brought): Query<Brought>,
) -> Response {
    let from = Origin {
        peer,
        headers: &headers,
    };
    let errand = match taken(&session).await {
        Ok(Some(errand)) => errand,
        Ok(None) => return gate.unasked(&from).await,
        Err(error) => return unavailable(&error),
    };
    let answer = Answer {
        state: brought.state,
        code: brought.code,
        issuer: brought.iss,
        error: brought.error,
    };
    let claims = match gate.provider.finish(&errand.asked, answer).await {
        Ok(claims) => claims,
        Err(error) => return gate.refused(&session, from, &errand, &error).await,
    };
    let proved = Proved {
        provider: gate.provider.name().to_owned(),
        role: gate.provider.role(&claims.groups),
        claims,
    };
    match errand.asked.purpose {
        Purpose::SignIn => gate.let_in(&session, from, proved, &errand.next).await,
        Purpose::Confirm => gate.confirmed(&session, &from, proved, &errand.next).await,
    }
}

impl Gate {
    async fn send(
        &self,
        purpose: Purpose,
        session: &Session,
        from: &Origin<'_>,
        next: &str,
    ) -> Response {
        let next = own_page(next);
        let errand = match self.provider.begin(purpose).await {
            Ok(errand) => errand,
            Err(error) => {
                note(&error);
                return answered(purpose, error.refusal, next);
            }
        };
        // After the provider was asked: while it is away, nobody's tries with a password are used up.
        if let Err(away) = self.count(purpose, &self.whence(from), next).await {
            return away;
        }
        let kept = Errand {
            asked: errand.asked,
            next: next.to_owned(),
        };
        match session.insert(KEY, kept).await {
            Ok(()) => Redirect::to(&errand.url).into_response(),
            Err(error) => unavailable(&error),
        }
    }

    /// Counts a try of an address; or says that it has to wait.
    async fn count(&self, purpose: Purpose, whence: &Whence, next: &str) -> Result<(), Response> {
        match self.identities.count(whence.address.as_deref()).await {
            Ok(None) => Ok(()),
            Ok(Some(until)) => Err(to(purpose, &self.desk.throttled(until), next)),
            Err(error) => Err(unavailable(&error)),
        }
    }

    fn whence(&self, from: &Origin<'_>) -> Whence {
        let (address, browser) = self.desk.whence(from);
        Whence { address, browser }
    }

    async fn viewer(&self, session: &Session, from: &Origin<'_>) -> Result<Viewer, Response> {
        let viewer = sessions::viewer(&self.desk.door, session, from.peer, from.headers).await;
        match viewer {
            Ok(Some(viewer)) => Ok(viewer),
            Ok(None) => {
                let page = format!("{}?ended=1", path::SIGN_IN);
                Err(Redirect::to(&page).into_response())
            }
            Err(error) => Err(unavailable(&*error)),
        }
    }

    /// An answer that nobody here asked for.
    async fn unasked(&self, from: &Origin<'_>) -> Response {
        let whence = self.whence(from);
        if let Err(away) = self.count(Purpose::SignIn, &whence, path::HOME).await {
            return away;
        }
        let refused = self
            .identities
            .refuse(self.provider.name(), Refusal::Late, whence);
        match refused.await {
            Ok(()) => answered(Purpose::SignIn, Refusal::Late, path::HOME),
            Err(error) => unavailable(&error),
        }
    }

    /// What the provider's answer was refused for, in the log and in the audit trail.
    async fn refused(
        &self,
        session: &Session,
        from: Origin<'_>,
        errand: &Errand,
        error: &ProviderError,
    ) -> Response {
        note(error);
        let name = self.provider.name();
        let purpose = errand.asked.purpose;
        let written = match purpose {
            Purpose::SignIn => {
                let whence = self.whence(&from);
                self.identities.refuse(name, error.refusal, whence).await
            }
            Purpose::Confirm => match self.viewer(session, &from).await {
                Ok(viewer) => {
                    let (action, denied) = (act::CONFIRM_IDENTITY, AuditOutcome::Denied);
                    let event = NewAuditEvent {
                        target: Some(viewer.person.name),
                        note: Some(error.refusal.note(name)),
                        ..NewAuditEvent::new(viewer.actor, action, denied)
                    };
                    self.desk.audit.record(event).await.map(drop)
                }
                Err(away) => return away,
            },
        };
        match written {
            Ok(()) => answered(purpose, error.refusal, &errand.next),
            Err(error) => unavailable(&error),
        }
    }

    async fn let_in(
        &self,
        session: &Session,
        from: Origin<'_>,
        proved: Proved,
        next: &str,
    ) -> Response {
        match self.identities.sign_in(proved, self.whence(&from)).await {
            Ok(ByProvider::In(answer)) => {
                let back = |query: &str| with_next(path::SIGN_IN, query, next);
                let going = self.desk.go_on(session, from, next, Ok(answer), "", back);
                going.await
            }
            Ok(ByProvider::Not(refusal)) => answered(Purpose::SignIn, refusal, next),
            Err(error) => unavailable(&error),
        }
    }

    async fn confirmed(
        &self,
        session: &Session,
        from: &Origin<'_>,
        proved: Proved,
        next: &str,
    ) -> Response {
        let viewer = match self.viewer(session, from).await {
            Ok(viewer) => viewer,
            Err(away) => return away,
        };
        match self.identities.confirm(&viewer.actor, proved).await {
            Ok(ProviderConfirms::Whole) => {
                match sessions::confirm(&self.desk.door, session).await {
                    Ok(()) => Redirect::to(next).into_response(),
                    Err(error) => unavailable(&*error),
                }
            }
            Ok(ProviderConfirms::Half) => {
                let now = self.desk.door.clock.now();
                match sessions::half_confirm(session, now).await {
                    Ok(()) => to(Purpose::Confirm, CODE_WANTED, next),
                    Err(error) => unavailable(&*error),
                }
            }
            Ok(ProviderConfirms::Not(refusal)) => answered(Purpose::Confirm, refusal, next),
            Err(PeopleError::Database(error)) => unavailable(&error),
            Err(error) => unavailable(&error),
        }
    }
}

/// What is remembered is forgotten before it is looked at: no answer is taken twice.
async fn taken(session: &Session) -> Result<Option<Errand>, tower_sessions::session::Error> {
    let errand = session.remove(KEY).await?;
    if errand.is_some() {
        session.save().await?;
    }
    Ok(errand)
}

fn note(error: &ProviderError) {
    tracing::warn!(
        why = error.refusal.as_str(),
        error = error as &dyn std::error::Error,
        "The identity provider opened nothing"
    );
}

fn answered(purpose: Purpose, refusal: Refusal, next: &str) -> Response {
    to(purpose, &format!("oidc={}", refusal.as_str()), next)
}

/// The page that asked, with what it has to say.
fn to(purpose: Purpose, query: &str, next: &str) -> Response {
    let page = match purpose {
        Purpose::SignIn => path::SIGN_IN,
        Purpose::Confirm => path::CONFIRM_IDENTITY,
    };
    Redirect::to(&with_next(page, query, next)).into_response()
}

#[cfg(test)]
mod tests;
