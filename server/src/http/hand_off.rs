//! The device that a code was handed off to: it opens the one-time link, is known by a cookie of its own from then on,
//! and is told what changes.

use std::net::SocketAddr;
use std::pin::pin;
use std::sync::Arc;
use std::time::Duration;

use app::Screen;
use axum::body::Bytes;
use axum::extract::{ConnectInfo, Path, Request, State};
use axum::http::{HeaderMap, HeaderValue, StatusCode, header};
use axum::middleware::Next;
use axum::response::{IntoResponse as _, Redirect, Response};
use domain::hand_off::{HandOff, Standing};
use domain::path;
use domain::person::Role;
use domain::ports::{HandOffs, Opener};
use futures::Stream;
use secrecy::ExposeSecret as _;
use tower_sessions::cookie::{Cookie, SameSite, time::Duration as CookieAge};

use super::client;
use super::events::{self, HELLO, TICK, Wires};
use super::hub::{Next as Said, Topic};
use super::sorry;

/// A code is shown for a quarter of an hour at most.
const KNOWN_FOR: CookieAge = CookieAge::hours(1);
/// How soon a link that was taken back shows nothing more.
const LOOK: Duration = Duration::from_secs(1);

/// What the routes here need.
#[derive(Clone)]
pub(crate) struct Screens {
    pub(crate) hand_offs: Arc<dyn HandOffs>,
    pub(crate) wires: Wires,
    pub(crate) https: bool,
}

impl Screens {
    /// `__Host-` binds the cookie to this host and to HTTPS.
    fn cookie_name(&self) -> &'static str {
        if self.https {
            "__Host-screen"
        } else {
            "screen"
        }
    }

    /// By what a device is known.
    fn secret(&self, headers: &HeaderMap) -> Option<String> {
        client::cookie(headers, self.cookie_name())
    }

    /// The link that a device has opened.
    async fn opened(&self, secret: Option<&str>) -> Result<Option<HandOff>, Response> {
        match secret {
            Some(secret) => {
                let opened = self.hand_offs.of_device(secret).await;
                opened.map_err(|error| unavailable(&error))
            }
            None => Ok(None),
        }
    }
}

/// Puts `Arc<Screen>` into the request of a device that has opened a link.
pub(crate) async fn know(
    State(screens): State<Screens>,
    mut request: Request,
    next: Next,
) -> Response {
    let secret = screens.secret(request.headers());
    match screens.opened(secret.as_deref()).await {
        Ok(opened) => {
            if let Some(opened) = opened {
                request.extensions_mut().insert(Arc::new(Screen(opened)));
            }
            next.run(request).await
        }
        Err(answer) => answer,
    }
}

/// Opens a link on this device, and on no other from then on.
pub(crate) async fn open(
    State(screens): State<Screens>,
    Path(token): Path<String>,
    ConnectInfo(peer): ConnectInfo<SocketAddr>,
    headers: HeaderMap,
) -> Response {
    let from = Opener {
        address: client::address(peer, &headers, &screens.wires.door.trusted_proxies).to_string(),
        browser: client::browser(&headers),
    };
    let secret = match screens.hand_offs.open(&token, from).await {
        Ok(Some((_, secret))) => secret,
        // The page of the link says why.
        Ok(None) => return Redirect::to(&path::open_hand_off(&token)).into_response(),
        Err(error) => return unavailable(&error),
    };
    let cookie = Cookie::build((screens.cookie_name(), secret.expose_secret().to_owned()))
        .path("/")
        .http_only(true)
        .secure(screens.https)
        .same_site(SameSite::Strict)
        .max_age(KNOWN_FOR)
        .build();
    let mut answer = Redirect::to(path::HANDED_OFF).into_response();
    match HeaderValue::from_str(&cookie.to_string()) {
        Ok(cookie) => {
            answer.headers_mut().insert(header::SET_COOKIE, cookie);
            answer
        }
        Err(_) => StatusCode::INTERNAL_SERVER_ERROR.into_response(),
    }
}

/// What changes on the device's screen.
pub(crate) async fn follow(State(screens): State<Screens>, headers: HeaderMap) -> Response {
    let secret = screens.secret(&headers);
    let opened = match screens.opened(secret.as_deref()).await {
        Ok(Some(opened)) if opened.revoked_at.is_none() => opened,
        // An event source that is told so knocks no more.
        Ok(_) => return StatusCode::NO_CONTENT.into_response(),
        Err(answer) => return answer,
    };
    events::answer(patches(screens, opened, secret))
}

fn patches(
    screens: Screens,
    opened: HandOff,
    secret: Option<String>,
) -> impl Stream<Item = Bytes> + Send {
    async_stream::stream! {
        let wires = &screens.wires;
        let topic = Topic::HandedOff(opened.operation);
        let mut seat = wires.hub.join(topic, Role::Operator);
        let mut ticks = tokio::time::interval(TICK);
        let mut looks = tokio::time::interval(LOOK);
        let mut stopped = pin!(wires.stop.cancelled());
        let mut revoked = false;
        yield HELLO;
        yield seat.whole().await;
        loop {
            tokio::select! {
                () = &mut stopped => return,
                _ = ticks.tick() => yield events::tick(&*wires.clock),
                _ = looks.tick(), if !revoked => {
                    let now = wires.clock.now();
                    // A database that is away takes nothing back.
                    revoked = matches!(
                        screens.opened(secret.as_deref()).await,
                        Ok(Some(opened)) if opened.standing(now) == Standing::Revoked
                    );
                    if revoked {
                        let parts = app::live::taken_back();
                        let parts: Vec<_> = parts.iter().collect();
                        let patch = app::live::patch(0, &parts, now);
                        yield Bytes::from(format!("event: patch\ndata: {patch}\n\n"));
                    }
                }
                next = seat.next(), if !revoked => match next {
                    Said::Patch(bytes) => yield bytes,
                    Said::Ended => return,
                },
            }
        }
    }
}

fn unavailable(error: &(dyn std::error::Error + 'static)) -> Response {
    tracing::error!(error, "A one-time link could not be looked at");
    let text = "The panel's database does not answer, so the link cannot be looked at just now. It is not used up. \
                Try again in a moment.";
    sorry::say(
        StatusCode::SERVICE_UNAVAILABLE,
        "The panel could not answer",
        text,
    )
}
