//! Choosing a password by a one-time link, which signs in.

use std::net::SocketAddr;
use std::sync::Arc;

use axum::extract::{ConnectInfo, Form, Path, State};
use axum::http::HeaderMap;
use axum::response::{IntoResponse as _, Redirect, Response};
use domain::invitation::Wrong;
use domain::path;
use domain::ports::{Chosen, Invitations, PeopleError, SignIn};
use secrecy::{ExposeSecret as _, SecretString};
use serde::Deserialize;
use tower_sessions::Session;

use super::client;
use super::sessions::{self, Door, Origin};
use super::sign_in::{unavailable, with, with_next};

/// What the route here needs.
#[derive(Clone)]
pub(crate) struct Reception {
    pub(crate) invitations: Arc<dyn Invitations>,
    pub(crate) door: Door,
}

#[derive(Deserialize)]
pub(crate) struct Given {
    #[serde(default)]
    name: String,
    password: SecretString,
    again: SecretString,
}

/// Uses the link up, or goes back to its page with what is wrong.
pub(crate) async fn accept(
    State(reception): State<Reception>,
    Path(token): Path<String>,
    ConnectInfo(peer): ConnectInfo<SocketAddr>,
    session: Session,
    headers: HeaderMap,
    Form(given): Form<Given>,
) -> Response {
    let back = |wrong: Wrong| {
        let query = url::form_urlencoded::Serializer::new(String::new())
            .append_pair("wrong", wrong.as_str())
            .append_pair("name", &given.name)
            .finish();
        Redirect::to(&format!("{}?{query}", path::welcome(&token))).into_response()
    };
    if given.password.expose_secret() != given.again.expose_secret() {
        return back(Wrong::Again);
    }
    let door = &reception.door;
    let chosen = Chosen {
        name: given.name.clone(),
        password: given.password.clone(),
        address: Some(client::address(peer, &headers, &door.trusted_proxies).to_string()),
        browser: client::browser(&headers),
    };
    let from = Origin {
        peer,
        headers: &headers,
    };
    let answer = match reception.invitations.accept(&token, chosen).await {
        Ok(SignIn::Welcome(person)) => {
            sessions::let_in(door, &session, &person, from, path::HOME).await
        }
        Ok(SignIn::SecondStep(person)) => {
            let half_way = sessions::half_way(door, &session, &person).await;
            let page = with_next(path::SIGN_IN_CODE, with(&person), path::HOME);
            half_way.map(|()| Redirect::to(&page).into_response())
        }
        // The page of the link says why.
        Ok(SignIn::Refused | SignIn::Throttled { .. }) | Err(PeopleError::LinkOver) => {
            return Redirect::to(&path::welcome(&token)).into_response();
        }
        Err(PeopleError::Database(error)) => return unavailable(&error),
        Err(PeopleError::BadName) => return back(Wrong::Name),
        Err(PeopleError::NameTaken(_)) => return back(Wrong::Taken),
        Err(PeopleError::PasswordTooShort) => return back(Wrong::Short),
        Err(PeopleError::PasswordTooLong) => return back(Wrong::Long),
        Err(PeopleError::PasswordEasy { .. }) => return back(Wrong::Easy),
        Err(error) => {
            tracing::error!(
                error = &error as &dyn std::error::Error,
                "A one-time link was not used"
            );
            return Redirect::to(&path::welcome(&token)).into_response();
        }
    };
    answer.unwrap_or_else(|error| unavailable(&*error))
}
