//! The panel over HTTP: pages and forms, event streams, files, and the layers around them.

mod api;
mod assets;
mod attachment;
mod audit_file;
mod backup_file;
mod calendar;
mod client;
mod device;
mod events;
mod hand_off;
mod headers;
mod hub;
mod identity;
mod known_people;
mod log_file;
mod log_stream;
mod metrics;
mod origin;
mod passkeys;
mod reader;
mod sessions;
mod sign_in;
mod sorry;
mod strength;
#[cfg(test)]
mod testing;
mod welcome;

use std::sync::Arc;

use anyhow::Context as _;
use app::{Panel, SiteFiles};
use axum::Router;
use axum::http::{StatusCode, header};
use axum::middleware::{from_fn, from_fn_with_state};
use axum::response::{IntoResponse as _, Response};
use axum::routing::{MethodRouter, get, post};
use domain::gateway::GatewayId;
use domain::path::{self, Served};
use tokio_util::sync::CancellationToken;
use tower_http::catch_panic::CatchPanicLayer;
use tower_http::compression::CompressionLayer;
use tower_sessions::cookie::SameSite;
use tower_sessions::{CachingSessionStore, Expiry, SessionManagerLayer};
use tower_sessions_moka_store::MokaStore;

pub(crate) use assets::{Assets, load as load_site};
pub(crate) use events::FollowLogs;
pub(crate) use hub::{Change, Hub, Look, Render, Topic};
pub(crate) use known_people::KnownPeople;
pub(crate) use metrics::{Measured, metrics};

use api::Api;
use calendar::Feed;
use events::Wires;
use hand_off::Screens;
use identity::Gate;
use sessions::Door;
use sign_in::Desk;
use strength::Meter;
use welcome::Reception;

/// Sessions kept in memory beside the database.
const SESSIONS_IN_MEMORY: u64 = 10_000;

/// What the router is made of.
pub(crate) struct Site {
    pub(crate) panel: Panel,
    pub(crate) assets: Assets,
    pub(crate) hub: Hub,
    pub(crate) people: Arc<KnownPeople>,
    pub(crate) logs: Arc<dyn FollowLogs>,
    pub(crate) gateways: Vec<GatewayId>,
    pub(crate) store: adapter_store::Store,
    pub(crate) public_url: url::Url,
    pub(crate) trusted_proxies: Vec<std::net::IpAddr>,
    pub(crate) stop: CancellationToken,
}

/// The whole panel as one router.
pub(crate) fn router(site: Site) -> anyhow::Result<Router> {
    let files = site.panel.site.clone();
    let https = site.public_url.scheme() == "https";
    let own = origin::OwnOrigin(site.public_url.origin().ascii_serialization().into());
    let door = Door {
        people: site.people.clone(),
        clock: site.panel.clock.clone(),
        trusted_proxies: site.trusted_proxies.into(),
        second_factor_for: site.panel.second_factor_for.clone(),
        limits: site.panel.session_limits,
        device: device::DeviceCookie { https },
        records: Arc::new(site.store.sessions()),
    };
    let desk = Desk {
        people: site.panel.people.clone(),
        audit: site.panel.audit.clone(),
        passkeys: site.panel.passkeys.clone(),
        door: door.clone(),
    };
    let api = Api {
        panel: site.panel.clone(),
        store: site.store.clone(),
        tokens: site.panel.tokens.clone(),
        trusted_proxies: door.trusted_proxies.clone(),
        denied: Arc::default(),
    };
    let reception = Reception {
        invitations: site.panel.invitations.clone(),
        door: door.clone(),
    };
    let meter = Meter {
        door: door.clone(),
        invitations: site.panel.invitations.clone(),
        store: site.store.clone(),
    };
    // Off where no provider is configured: then there are no such pages.
    let identity = site.panel.provider.clone().map(|provider| {
        identity::routes(Gate {
            desk: desk.clone(),
            identities: site.panel.identities.clone(),
            provider,
        })
    });
    let wires = Wires {
        panel: site.panel.clone(),
        hub: site.hub,
        door: door.clone(),
        clock: site.panel.clock.clone(),
        logs: site.logs,
        gateways: site.gateways.clone().into(),
        stop: site.stop,
    };
    let screens = Screens {
        hand_offs: site.panel.hand_offs.clone(),
        wires: wires.clone(),
        https,
    };

    // Behind the sign-in: pages, forms, and what the server answers itself.
    let answer = |served| -> MethodRouter {
        let panel = site.panel.clone();
        match served {
            Served::GatewayEvents => get(events::gateway).with_state(wires.clone()),
            Served::LogEvents => get(events::logs).with_state(wires.clone()),
            Served::OperationsEvents => get(events::operations).with_state(wires.clone()),
            Served::OperationEvents => get(events::operation).with_state(wires.clone()),
            Served::LogFile => get(log_file::download).with_state(panel),
            Served::BackupFile => get(backup_file::download).with_state(panel),
            Served::AuditFile => get(audit_file::download).with_state(audit_file::Files {
                panel,
                store: site.store.clone(),
            }),
            Served::OwnPasskey => get(passkeys::ask_own).with_state(panel),
            Served::NewPasskey => get(passkeys::ask_new).with_state(panel),
        }
    };
    let inside = Served::ALL
        .into_iter()
        .fold(app::inside(&site.panel), |inside, served| {
            inside.route(served.route(), answer(served))
        })
        .layer(from_fn_with_state(door, sessions::require));

    // Open to everybody.
    let outside = Router::new()
        .route(path::SIGN_IN, post(sign_in::sign_in))
        .route(path::SIGN_IN_CODE, post(sign_in::second_step))
        .route(
            path::SIGN_IN_PASSKEY,
            get(passkeys::ask_anybody).post(passkeys::sign_in),
        )
        .route(
            path::SIGN_IN_CODE_PASSKEY,
            get(passkeys::ask_half_way).post(passkeys::second_step),
        )
        .route(path::SIGN_OUT, post(sign_in::sign_out))
        .with_state(desk)
        .merge(identity.unwrap_or_default())
        .merge(
            Router::new()
                .route(&path::welcome("{token}"), post(welcome::accept))
                .with_state(reception),
        )
        .route(
            path::PASSWORD_STRENGTH,
            post(strength::measure).with_state(meter),
        )
        .merge(
            Router::new()
                .route(&path::open_hand_off("{token}"), post(hand_off::open))
                .route(path::HANDED_OFF_EVENTS, get(hand_off::follow))
                .with_state(screens.clone()),
        )
        .merge(app::outside(&site.panel).layer(from_fn_with_state(screens, hand_off::know)))
        .merge(
            Router::new()
                .route("/assets/{name}", get(assets::serve))
                .with_state(site.assets),
        )
        .route(
            &path::calendar("{token}"),
            get(calendar::follow).with_state(Feed::of(&site.panel)),
        )
        .route("/healthz", get(health));

    let cache = CachingSessionStore::new(
        MokaStore::new(Some(SESSIONS_IN_MEMORY)),
        site.store.sessions(),
    );
    let idle = time::Duration::try_from(site.panel.session_limits.idle)
        .context("the idle limit of sessions")?;
    let sessions = SessionManagerLayer::new(cache)
        // `__Host-` binds the cookie to this host and to HTTPS.
        .with_name(if https { "__Host-panel" } else { "panel" })
        .with_secure(https)
        .with_http_only(true)
        .with_same_site(SameSite::Lax)
        .with_path("/")
        .with_expiry(Expiry::OnInactivity(idle));

    Ok(Router::new()
        .merge(inside)
        .merge(outside)
        .layer(sessions)
        .layer(from_fn_with_state(own, origin::check))
        // By a token and by no cookie: no other site can make a browser use it.
        .nest(api::ROOT, api::router(api))
        .layer(CatchPanicLayer::custom(|_| crashed()))
        .layer(from_fn_with_state(files, sorry::dress))
        .layer(
            CompressionLayer::new()
                .br(true)
                .gzip(true)
                .quality(tower_http::CompressionLevel::Fastest),
        )
        .layer(from_fn_with_state(headers::Https(https), headers::add))
        .layer(from_fn(log)))
}

/// Whether the panel itself answers; says nothing about gateways.
async fn health() -> Response {
    (
        [(header::CONTENT_TYPE, "application/json")],
        r#"{"ok":true}"#,
    )
        .into_response()
}

fn crashed() -> Response {
    tracing::error!("A page crashed");
    let text = "The panel failed while making this page. The gateway itself is not affected. Go back and try again; \
                the log of the panel has the rest.";
    sorry::say(StatusCode::INTERNAL_SERVER_ERROR, "The panel failed", text)
}

async fn log(request: axum::extract::Request, next: axum::middleware::Next) -> Response {
    let method = request.method().clone();
    // The path only: a query may hold what somebody typed.
    let path = without_secrets(request.uri().path()).to_owned();
    let begun = tokio::time::Instant::now();
    let response = next.run(request).await;
    let status = response.status().as_u16();
    let took_ms = u64::try_from(begun.elapsed().as_millis()).unwrap_or(u64::MAX);
    if status >= 500 {
        tracing::warn!(http.method = %method, http.path = path, http.status = status, took_ms, "Answered with an error");
    } else {
        tracing::debug!(http.method = %method, http.path = path, http.status = status, took_ms, "Answered");
    }
    response
}

/// One-time links and links to the calendar are secrets.
fn without_secrets(path: &str) -> &str {
    let secret = [path::HANDED_OFF, path::CALENDAR, path::WELCOME];
    secret
        .into_iter()
        .find(|secret| path.starts_with(secret))
        .unwrap_or(path)
}

/// The names of the site's files, for pages.
pub(crate) fn site_files(files: SiteFiles) -> Arc<SiteFiles> {
    Arc::new(files)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_secret_of_a_link_is_logged() {
        for link in [
            path::open_hand_off("token-44"),
            path::calendar("token-44"),
            path::welcome("token-44"),
        ] {
            assert!(!without_secrets(&link).contains("44"), "{link}");
        }
        assert_eq!(without_secrets("/people"), "/people");
    }
}
