//! From the cookie to who is looking; a disabled person, a changed role or a new password ends it at
//! the next request.

use std::collections::BTreeSet;
use std::net::SocketAddr;
use std::sync::Arc;

use anyhow::Context as _;
use app::forms::endpoint;
use app::{OwnSession, RenewError, Viewer};
use async_trait::async_trait;
use axum::extract::{ConnectInfo, Request, State};
use axum::http::{HeaderMap, Method, StatusCode, header};
use axum::middleware::Next;
use axum::response::{IntoResponse as _, Redirect, Response};
use domain::path;
use domain::person::{Actor, Person, Role};
use domain::ports::Clock;
use domain::second_factor::SECOND_STEP;
use domain::session::{Device as SessionDevice, PersonSession, SessionLimits};
use domain::time::Timestamp;
use futures::future::ready;
use futures::stream;
use serde::{Deserialize, Serialize};
use tower_sessions::{Session, SessionStore};
use uuid::Uuid;

use super::client;
use super::device::DeviceCookie;
use super::events;
use super::known_people::{Acquaintance, KnownPeople};
use super::reader::SIGNED_OUT;
use super::sorry;

/// Key of [`SignedIn`] within a session.
const KEY: &str = "signed-in";

/// What a session holds.
#[derive(Clone, Debug, Serialize, Deserialize)]
struct SignedIn {
    person: Uuid,
    /// Its row in the table of sessions.
    #[serde(default)]
    session: Option<Uuid>,
    epoch: i64,
    /// Of the row's turns.
    #[serde(default)]
    turn: i32,
    at: Timestamp,
    touched: Timestamp,
    /// When the password was typed again; not since sign-in, else.
    #[serde(default)]
    confirmed: Option<Timestamp>,
    /// When the identity provider said anew who it is, while the code of the second factor is awaited.
    #[serde(default)]
    half_confirmed: Option<Timestamp>,
}

impl SignedIn {
    fn confirmed_at(&self) -> Timestamp {
        self.confirmed.unwrap_or(self.at)
    }
}

/// What the layers here need.
#[derive(Clone)]
pub(crate) struct Door {
    pub(crate) people: Arc<KnownPeople>,
    pub(crate) clock: Arc<dyn Clock>,
    pub(crate) trusted_proxies: Arc<[std::net::IpAddr]>,
    /// Who must have a second factor.
    pub(crate) second_factor_for: Arc<BTreeSet<Role>>,
    /// How long sessions last.
    pub(crate) limits: SessionLimits,
    /// How browsers are known again.
    pub(crate) device: DeviceCookie,
    /// Sessions as the database has them, past the memory of this panel: another one may have ended them.
    pub(crate) records: Arc<dyn SessionStore>,
}

/// Key of [`HalfWay`] within a session.
const HALF_WAY: &str = "half-way";

/// Whose password was right, while their second factor's code is awaited.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(super) struct HalfWay {
    pub(super) person: Uuid,
    pub(super) epoch: i64,
    at: Timestamp,
}

/// Notes that the password was right; the id is new.
pub(super) async fn half_way(
    door: &Door,
    session: &Session,
    person: &Person,
) -> anyhow::Result<()> {
    leave(door, session).await?;
    session.flush().await?;
    let half_way = HalfWay {
        person: person.id,
        epoch: person.session_epoch,
        at: door.clock.now(),
    };
    session.insert(HALF_WAY, half_way).await?;
    Ok(())
}

/// Who got half the way, while the code may still come.
pub(super) async fn got_half_way(
    session: &Session,
    now: Timestamp,
) -> anyhow::Result<Option<HalfWay>> {
    let half_way = session.get::<HalfWay>(HALF_WAY).await?;
    Ok(half_way.filter(|half_way| now.since(half_way.at) < SECOND_STEP))
}

/// Where a request comes from.
pub(super) struct Origin<'a> {
    pub(super) peer: SocketAddr,
    pub(super) headers: &'a HeaderMap,
}

/// Lets somebody in whose proofs were right: notes the session, begins it, and goes on to `next`. The answer holds the
/// cookie by which the browser is known again.
pub(super) async fn let_in(
    door: &Door,
    session: &Session,
    person: &Person,
    from: Origin<'_>,
    next: &str,
) -> anyhow::Result<Response> {
    let address = client::address(from.peer, from.headers, &door.trusted_proxies);
    let secret = door.device.secret(from.headers);
    let device = SessionDevice {
        secret: secret.clone(),
        address: Some(address.to_string()),
        browser: client::browser(from.headers),
    };
    leave(door, session).await?;
    let id = door.people.sessions().begin(person, device).await?;
    begin(session, person, Some(id), door.clock.now()).await?;
    // The database's notice may come later than the browser's next request.
    door.people.forget(Some(person.id));
    let mut answer = Redirect::to(next).into_response();
    let cookie = door.device.cookie(&secret)?;
    answer.headers_mut().append(header::SET_COOKIE, cookie);
    Ok(answer)
}

/// Notes the end of whatever this browser was signed in to before.
async fn leave(door: &Door, session: &Session) -> anyhow::Result<()> {
    let before = session.get::<SignedIn>(KEY).await?;
    if let Some(row) = before.and_then(|before| before.session) {
        door.people.sessions().close(row).await?;
    }
    Ok(())
}

/// Begins a session for a person; the id is new, so that a planted one is worth nothing.
pub(super) async fn begin(
    session: &Session,
    person: &Person,
    row: Option<Uuid>,
    now: Timestamp,
) -> anyhow::Result<()> {
    session.cycle_id().await?;
    session.remove::<HalfWay>(HALF_WAY).await?;
    session
        .insert(
            KEY,
            SignedIn {
                person: person.id,
                session: row,
                epoch: person.session_epoch,
                turn: 0,
                at: now,
                touched: now,
                confirmed: None,
                half_confirmed: None,
            },
        )
        .await?;
    Ok(())
}

/// A session goes on under a new id, as after a sign-in: one that was stolen is worth nothing from here on, here and at
/// other panels.
async fn go_on(
    door: &Door,
    session: &Session,
    with: impl FnOnce(SignedIn) -> SignedIn,
) -> anyhow::Result<()> {
    let known = session.get::<SignedIn>(KEY).await?;
    let mut on = with(known.context("the session has ended")?);
    if let Some(row) = on.session {
        on.turn = door.people.sessions().go_on(row, on.epoch).await?;
    }
    // The database's notice may come later than the browser's next request.
    door.people.forget(Some(on.person));
    session.cycle_id().await?;
    session.insert(KEY, on).await?;
    Ok(())
}

/// Notes that it was confirmed who they are.
pub(super) async fn confirm(door: &Door, session: &Session) -> anyhow::Result<()> {
    let now = door.clock.now();
    let confirmed = |known| SignedIn {
        confirmed: Some(now),
        half_confirmed: None,
        ..known
    };
    go_on(door, session, confirmed).await
}

/// Notes that the identity provider said anew who it is, which is half of a confirmation.
pub(super) async fn half_confirm(session: &Session, now: Timestamp) -> anyhow::Result<()> {
    let known = session.get::<SignedIn>(KEY).await?;
    let half_confirmed = SignedIn {
        half_confirmed: Some(now),
        ..known.context("the session has ended")?
    };
    session.insert(KEY, half_confirmed).await?;
    Ok(())
}

/// The session of one request, for the forms that end sessions and keep the one they came from.
struct Own {
    door: Door,
    session: Session,
}

#[async_trait]
impl OwnSession for Own {
    async fn renew(&self, person: &Person) -> Result<(), RenewError> {
        let renewing = async {
            // It lasts no longer for it, and confirms nothing: for a new password the old one was enough.
            let renewed = |known| SignedIn {
                epoch: person.session_epoch,
                half_confirmed: None,
                ..known
            };
            go_on(&self.door, &self.session, renewed).await
        };
        renewing
            .await
            .map_err(|error: anyhow::Error| RenewError(error.into()))
    }

    async fn is_half_confirmed(&self) -> Result<bool, RenewError> {
        let known = self.session.get::<SignedIn>(KEY).await;
        let known = known.map_err(|error| RenewError(error.into()))?;
        let at = known.and_then(|known| known.half_confirmed);
        let now = self.door.clock.now();
        Ok(at.is_some_and(|at| now.since(at) < SECOND_STEP))
    }

    async fn confirm(&self) -> Result<(), RenewError> {
        confirm(&self.door, &self.session)
            .await
            .map_err(|error| RenewError(error.into()))
    }
}

/// Who is looking, if anybody.
pub(crate) async fn viewer(
    door: &Door,
    session: &Session,
    peer: SocketAddr,
    headers: &HeaderMap,
) -> anyhow::Result<Option<Viewer>> {
    let address = client::address(peer, headers, &door.trusted_proxies).to_string();
    let Some(Known {
        person,
        sessions,
        signed_in,
    }) = person(door, session, &address).await?
    else {
        return Ok(None);
    };
    let actor = Actor::Person {
        id: person.id,
        name: person.name.clone(),
        role: person.roles.everywhere,
        address: Some(address),
        browser: client::browser(headers),
        session: signed_in.session,
        token: None,
    };
    Ok(Some(Viewer {
        actor,
        person,
        session: signed_in.session,
        sessions,
        signed_in_at: signed_in.at,
        confirmed_at: signed_in.confirmed_at(),
    }))
}

/// What a session says, while it lasts.
struct Known {
    person: Person,
    sessions: Arc<[PersonSession]>,
    signed_in: SignedIn,
}

/// Whose session it is, while it lasts.
async fn person(door: &Door, session: &Session, address: &str) -> anyhow::Result<Option<Known>> {
    let Some(mut signed_in) = session.get::<SignedIn>(KEY).await? else {
        return Ok(None);
    };
    let now = door.clock.now();
    if now.since(signed_in.at) > door.limits.absolute {
        session.flush().await?;
        return Ok(None);
    }
    let Some(Acquaintance { person, sessions }) = door.people.find(signed_in.person).await? else {
        return Ok(None);
    };
    let ended = is_ended(&sessions, signed_in.session);
    if ended || person.disabled_at.is_some() || person.session_epoch != signed_in.epoch {
        session.flush().await?;
        return Ok(None);
    }
    // By an id of before, which this panel remembers: the record itself is gone already.
    let row = sessions
        .iter()
        .find(|row| Some(row.id) == signed_in.session);
    if row.is_some_and(|row| row.turn > signed_in.turn) {
        return Ok(None);
    }
    if now.since(signed_in.touched) > door.limits.touch() {
        signed_in.touched = now;
        session.insert(KEY, signed_in.clone()).await?;
        let (id, row) = (person.id, signed_in.session);
        door.people.note_seen(id, row, address.to_owned()).await;
    }
    Ok(Some(Known {
        person,
        sessions,
        signed_in,
    }))
}

/// Whether its owner or an admin ended it. One that is not in the list has just begun.
pub(super) fn is_ended(sessions: &[PersonSession], row: Option<Uuid>) -> bool {
    let row = sessions.iter().find(|session| Some(session.id) == row);
    row.is_some_and(|session| session.ended_at.is_some())
}

/// Puts `Arc<Viewer>` into the request, or sends the browser to the sign-in page. Paths that anybody may
/// open are outside this layer.
pub(crate) async fn require(
    State(door): State<Door>,
    session: Session,
    ConnectInfo(peer): ConnectInfo<SocketAddr>,
    mut request: Request,
    next: Next,
) -> Response {
    match viewer(&door, &session, peer, request.headers()).await {
        Ok(Some(viewer)) if lacks_second_factor(&door, &viewer, &request) => {
            no_second_factor(&request)
        }
        Ok(Some(viewer)) => {
            request.extensions_mut().insert(Arc::new(viewer));
            // Only forms change sessions; a look need not carry one.
            if *request.method() == Method::POST {
                let own: Arc<dyn OwnSession> = Arc::new(Own { door, session });
                request.extensions_mut().insert(own);
            }
            next.run(request).await
        }
        Ok(None) => signed_out(&request),
        Err(error) => {
            tracing::error!(
                error = &*error as &dyn std::error::Error,
                "The session could not be read"
            );
            let text = "The panel's database does not answer, so it cannot tell who you are. The gateway itself is \
                        not affected. Load this page again in a moment.";
            sorry::say(
                StatusCode::SERVICE_UNAVAILABLE,
                "The panel could not answer",
                text,
            )
        }
    }
}

/// Whether somebody must set up a second factor before they go on. Their own account is open to them: that is where it
/// is done.
fn lacks_second_factor(door: &Door, viewer: &Viewer, request: &Request) -> bool {
    let person = &viewer.person;
    let path = request.uri().path();
    person.second_factor.is_none()
        && app::must_have(&door.second_factor_for, person)
        && !OPEN_WITHOUT.contains(&path)
}

/// What is open without one: setting it up and what that takes, and the rest of one's account. No tokens: they would be the
/// way around it.
const OPEN_WITHOUT: [&str; 19] = [
    path::ACCOUNT,
    path::SECOND_FACTOR,
    path::NEW_PASSKEY,
    path::OWN_PASSKEY,
    path::CONFIRM_IDENTITY,
    endpoint::BEGIN_SECOND_FACTOR,
    endpoint::FINISH_SECOND_FACTOR,
    endpoint::RENEW_RECOVERY_CODES,
    endpoint::REMOVE_SECOND_FACTOR,
    endpoint::ADD_PASSKEY,
    endpoint::REMOVE_PASSKEY,
    endpoint::CONFIRM_IDENTITY,
    endpoint::CONFIRM_BY_CODE,
    endpoint::CONFIRM_BY_PASSKEY,
    endpoint::CHANGE_PASSWORD,
    endpoint::SET_MAIL,
    endpoint::END_SESSION,
    endpoint::END_OTHER_SESSIONS,
    endpoint::ACKNOWLEDGE_SESSION,
];

fn no_second_factor(request: &Request) -> Response {
    if *request.method() == Method::GET && !request.uri().path().starts_with("/events/") {
        return Redirect::to(path::SECOND_FACTOR).into_response();
    }
    let text =
        "Your role needs a second factor. Set it up on the page of your account, then try again.";
    sorry::say(StatusCode::FORBIDDEN, "Set up a second factor first", text)
}

fn signed_out(request: &Request) -> Response {
    if request.uri().path().starts_with("/events/") {
        // An event source cannot read a refusal, and would knock for ever.
        return events::answer(stream::once(ready(SIGNED_OUT)));
    }
    let wants_page = *request.method() == Method::GET && !request.uri().path().starts_with("/api/");
    if wants_page {
        let next = request
            .uri()
            .path_and_query()
            .map_or("/", axum::http::uri::PathAndQuery::as_str);
        let next: String = url::form_urlencoded::byte_serialize(next.as_bytes()).collect();
        return Redirect::to(&format!("{}?next={next}", path::SIGN_IN)).into_response();
    }
    if *request.method() == Method::POST {
        // A form without JavaScript lands on the sign-in page with a word about what happened.
        return Redirect::to(&format!("{}?ended=1", path::SIGN_IN)).into_response();
    }
    (
        StatusCode::UNAUTHORIZED,
        "Your session has ended. Sign in again.",
    )
        .into_response()
}

#[cfg(test)]
mod tests;
