//! How hard a password is to guess that somebody is about to choose: asked while they type.

use std::net::SocketAddr;
use std::sync::Arc;

use axum::Json;
use axum::extract::{ConnectInfo, Form, State};
use axum::http::{HeaderMap, StatusCode};
use axum::response::{IntoResponse as _, Response};
use domain::ports::{Invitations, StoreError};
use secrecy::SecretString;
use serde::Deserialize;
use tower_sessions::Session;

use super::sessions::{self, Door};

/// What the route here needs.
#[derive(Clone)]
pub(crate) struct Meter {
    pub(crate) door: Door,
    pub(crate) invitations: Arc<dyn Invitations>,
    pub(crate) store: adapter_store::Store,
}

#[derive(Deserialize)]
pub(crate) struct Typed {
    password: SecretString,
    /// The token of the one-time link by which it is chosen; empty for whoever is signed in.
    #[serde(default)]
    link: String,
    /// What the first admin chooses as name.
    #[serde(default)]
    name: String,
}

/// For whoever is about to choose one, and nobody else: it is work.
pub(crate) async fn measure(
    State(meter): State<Meter>,
    ConnectInfo(peer): ConnectInfo<SocketAddr>,
    session: Session,
    headers: HeaderMap,
    Form(typed): Form<Typed>,
) -> Response {
    let name = if typed.link.is_empty() {
        let viewer = sessions::viewer(&meter.door, &session, peer, &headers).await;
        viewer.map(|viewer| viewer.map(|viewer| viewer.person.name))
    } else {
        let invited = meter.invited(&typed.link).await;
        invited
            .map(|invited| invited.map(|name| name.unwrap_or(typed.name)))
            .map_err(anyhow::Error::from)
    };
    let name = match name {
        Ok(Some(name)) => name,
        Ok(None) => return StatusCode::FORBIDDEN.into_response(),
        Err(error) => {
            tracing::warn!(
                error = &*error as &dyn std::error::Error,
                "A password was not judged"
            );
            return StatusCode::SERVICE_UNAVAILABLE.into_response();
        }
    };
    match meter.store.judge_password(typed.password, name).await {
        Some(judged) => Json(judged).into_response(),
        None => StatusCode::SERVICE_UNAVAILABLE.into_response(),
    }
}

impl Meter {
    /// For whom a link is that still opens; within, no name when it is for the first admin.
    async fn invited(&self, link: &str) -> Result<Option<Option<String>>, StoreError> {
        let found = self.invitations.invitation(link).await?;
        let found = found.filter(|found| found.against(self.door.clock.now()).is_none());
        Ok(found.map(|found| found.name))
    }
}
