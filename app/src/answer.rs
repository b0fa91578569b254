//! Answers requests for pages and forms.
//!
//! The server's router knows the pages: each is a function from a call to its markup, made whole before the first byte
//! goes out, so that its status is known.

use std::sync::Arc;

use axum::Router;
use axum::extract::{RawPathParams, Request};
use axum::http::StatusCode;
use axum::http::request::Parts;
use axum::response::{Html, IntoResponse as _, Redirect, Response};
use axum::routing::{get, post};
use domain::path;
use futures::future::BoxFuture;
use leptos::prelude::*;

use crate::call::Call;
use crate::error::PanelError;
use crate::pages::{self, Asked, Page, encoded};
use crate::panel::{Panel, Screen, Viewer};
use crate::register;
use crate::reviews;
use crate::shell;

/// The variable parts of a page's URL.
#[derive(Clone, Default)]
pub(crate) struct Of(Vec<(String, String)>);

impl Of {
    /// The part of that name.
    fn get(&self, name: &str) -> &str {
        let mut parts = self.0.iter();
        parts
            .find(|(key, _)| key == name)
            .map_or("", |(_, value)| value.as_str())
    }
}

/// Makes a page for somebody who is signed in.
type Make = for<'a> fn(&'a Call, &'a Of, &'a Asked) -> BoxFuture<'a, Result<Page, PanelError>>;

/// The table from URLs to pages.
#[rustfmt::skip]
const PAGES: [(&str, Make); 29] = [
    (path::HOME,                                  |call, _, _| Box::pin(async { home(call) })),
    ("/gateways/{id}",                            |call, of, _| Box::pin(pages::gateway::page(call, of.get("id")))),
    ("/gateways/{id}/logs",                       |call, of, asked| Box::pin(pages::logs::page(call, of.get("id"), asked))),
    ("/gateways/{id}/operations",                 |call, of, asked| Box::pin(pages::operations::page(call, of.get("id"), asked))),
    ("/gateways/{id}/operations/new/{kind}",      |call, of, asked| Box::pin(pages::confirm::page(call, of.get("id"), of.get("kind"), asked))),
    ("/gateways/{id}/accounts/{account}/relink",  |call, of, _| Box::pin(pages::relink::page(call, of.get("id"), of.get("account")))),
    ("/gateways/{id}/accounts",                   |call, of, _| Box::pin(pages::accounts::page(call, of.get("id")))),
    ("/gateways/{id}/backups",                    |call, of, _| Box::pin(pages::backups::page(call, of.get("id")))),
    ("/gateways/{id}/backups/{name}/restore",     |call, of, asked| Box::pin(pages::restore::page(call, of.get("id"), of.get("name"), asked))),
    ("/gateways/{id}/wipe",                       |call, of, asked| Box::pin(pages::wipe::page(call, of.get("id"), asked))),
    ("/gateways/{id}/rotate-key",                 |call, of, asked| Box::pin(pages::rotate_key::page(call, of.get("id"), asked))),
    ("/gateways/{id}/rotate-key/{operation}",     |call, of, asked| Box::pin(pages::new_key::page(call, of.get("id"), of.get("operation"), asked))),
    ("/proposals/{id}",                           |call, of, asked| Box::pin(pages::proposal::page(call, of.get("id"), asked))),
    ("/operations/{id}",                          |call, of, asked| Box::pin(pages::operation::page(call, of.get("id"), asked))),
    ("/operations/{id}/hand-off",                 |call, of, asked| Box::pin(pages::hand_off::links(call, of.get("id"), asked))),
    (path::PEOPLE,                                |call, _, asked| Box::pin(pages::people::page(call, asked))),
    (path::ACCOUNT,                               |call, _, asked| Box::pin(pages::account::page(call, asked))),
    (path::TOKENS,                                |call, _, asked| Box::pin(pages::tokens::page(call, asked))),
    (path::SECOND_FACTOR,                         |call, _, asked| Box::pin(pages::second_factor::page(call, asked))),
    (path::CONFIRM_IDENTITY,                      |call, _, asked| Box::pin(pages::confirm_identity::page(call, asked))),
    (path::CREDENTIALS,                           |call, _, _| Box::pin(pages::credentials::page(call))),
    (path::NEW_CREDENTIAL,                        |call, _, asked| Box::pin(pages::credentials::add::page(call, asked))),
    ("/credentials/{id}",                         |call, of, asked| Box::pin(pages::credentials::one::page(call, of.get("id"), asked))),
    ("/credentials/{id}/retire",                  |call, of, asked| Box::pin(pages::credentials::retire::page(call, of.get("id"), asked))),
    (path::AUDIT,                                 |call, _, asked| Box::pin(pages::audit::page(call, asked))),
    (path::REVIEW,                                |call, _, asked| Box::pin(pages::audit::packet::page(call, asked))),
    (path::AUDIT_REPORT,                          |call, _, asked| Box::pin(pages::audit::report::page(call, asked))),
    (path::AUDIT_PRINT,                           |call, _, asked| Box::pin(pages::audit::print::page(call, asked))),
    ("/audit/{sequence}",                         |call, of, asked| Box::pin(pages::audit::event::page(call, of.get("sequence"), asked))),
];

/// The URLs of all pages for people who are signed in.
pub fn pages() -> impl Iterator<Item = &'static str> {
    PAGES.into_iter().map(|(url, _)| url)
}

/// Pages and forms for people who are signed in; whatever is not found is answered here too. Requests
/// carry their `Arc<Viewer>` as an extension; without it a page sends the browser to sign in.
pub fn inside(panel: &Panel) -> Router {
    let mut router = Router::new();
    for (url, make) in PAGES {
        let panel = panel.clone();
        let answer = move |of: RawPathParams, request: Request| page(panel, make, of, request);
        router = router.route(url, get(answer));
    }
    let (forms, nothing) = (panel.clone(), panel.clone());
    router
        .route(
            "/api/{*form}",
            post(move |request: Request| form(forms.clone(), request)),
        )
        .fallback(move |request: Request| not_found(nothing.clone(), request))
}

/// The pages for everybody.
pub fn outside(panel: &Panel) -> Router {
    let (sign_in, screen, link) = (panel.clone(), panel.clone(), panel.clone());
    let (code, welcome) = (panel.clone(), panel.clone());
    Router::new()
        .route(
            path::SIGN_IN,
            get(move |request: Request| async move {
                let asked = Asked::of(request.uri().query());
                alone(
                    &sign_in,
                    pages::sign_in::page(
                        &asked,
                        sign_in.passkeys.possible(),
                        sign_in.provider_name(),
                    ),
                )
            }),
        )
        .route(
            path::SIGN_IN_CODE,
            get(move |request: Request| async move {
                let asked = Asked::of(request.uri().query());
                alone(&code, pages::sign_in_code::page(&asked))
            }),
        )
        .route(
            &path::welcome("{token}"),
            get(move |of: RawPathParams, request: Request| async move {
                let asked = Asked::of(request.uri().query());
                let page = pages::welcome::page(&welcome, parts(&of).get("token"), &asked).await;
                alone(&welcome, page)
            }),
        )
        .route(
            path::HANDED_OFF,
            get(move |request: Request| async move {
                let opened = request.extensions().get::<Arc<Screen>>();
                let page = pages::hand_off::screen(&screen, opened.map(|opened| &**opened)).await;
                alone(&screen, page)
            }),
        )
        .route(
            &path::open_hand_off("{token}"),
            get(move |of: RawPathParams| async move {
                let page = pages::hand_off::ask(&link, parts(&of).get("token")).await;
                alone(&link, page)
            }),
        )
}

async fn form(panel: Panel, request: Request) -> Response {
    let context = move || provide_context(panel.clone());
    leptos_axum::handle_server_fns_with_context(context, request)
        .await
        .into_response()
}

async fn page(panel: Panel, make: Make, of: RawPathParams, request: Request) -> Response {
    answer(panel, request, make, &parts(&of)).await
}

async fn not_found(panel: Panel, request: Request) -> Response {
    let nothing: Make =
        |_, _, _| Box::pin(async { Err(PanelError::gone("There is no such page.")) });
    answer(panel, request, nothing, &Of::default()).await
}

async fn answer(panel: Panel, request: Request, make: Make, of: &Of) -> Response {
    let (
        Parts {
            uri, extensions, ..
        },
        _,
    ) = request.into_parts();
    let Some(viewer) = extensions.get::<Arc<Viewer>>().cloned() else {
        let here = encoded(uri.path());
        return Redirect::to(&format!("{}?next={here}", path::SIGN_IN)).into_response();
    };
    let call = Call::new(panel, viewer);
    let asked = Asked::of(uri.query());
    let page = match make(&call, of, &asked).await {
        Ok(page) => page,
        Err(PanelError::Unconfirmed) => {
            let here = encoded(&asked.url(uri.path()));
            Page::redirect(format!("{}?next={here}", path::CONFIRM_IDENTITY))
        }
        Err(error) => pages::answer::page(&error, &call),
    };
    if let Some(elsewhere) = &page.elsewhere {
        return Redirect::to(elsewhere).into_response();
    }
    // For the navigation, which waits for nothing.
    if register::may_see(call.role()) {
        register::known(call.panel(), call.now()).await;
    }
    reviews::known(call.panel(), call.now()).await;
    document(
        page.status,
        shell::in_frame(&call, page, &asked, uri.path()),
    )
}

fn alone(panel: &Panel, page: Page) -> Response {
    document(page.status, shell::alone(&panel.site, page))
}

fn document(status: StatusCode, markup: String) -> Response {
    (status, Html(markup)).into_response()
}

fn parts(of: &RawPathParams) -> Of {
    let parts = of.iter();
    Of(parts
        .map(|(name, value)| (name.to_owned(), value.to_owned()))
        .collect())
}

/// The start page goes to the first gateway that one may look at.
fn home(call: &Call) -> Result<Page, PanelError> {
    if let Some(first) = call.gateways().first() {
        return Ok(Page::redirect(path::gateway(&first.id)));
    }
    if call.panel().observations.gateways().is_empty() {
        let why = "No gateway is configured. Add one to the panel's configuration.";
        return Err(PanelError::gone(why));
    }
    Ok(pages::answer::no_gateway(call))
}
