//! Answers requests for pages and forms.
//!
//! Not by `leptos_routes`: what Leptos writes behind a page (data for resources that we do not use) is
//! inline script, which the Content-Security-Policy rightly refuses.

use core::pin::Pin;

use axum::Router;
use axum::body::Body;
use axum::extract::Request;
use axum::response::{IntoResponse as _, Response};
use axum::routing::{get, post};
use domain::path;
use futures::stream::{Stream, StreamExt as _, once};
use leptos::prelude::*;

use crate::panel::Panel;
use crate::shell::shell;

/// Pages and forms for people who are signed in; whatever is not found is answered here too. Requests
/// carry their `Arc<Viewer>` as an extension; without it a page sends the browser to sign in.
pub fn inside(panel: &Panel) -> Router {
    // Leptos chooses its executor while it lists the routes; without one a page crashes.
    let _routes = crate::shell::routes();
    let (pages, forms) = (panel.clone(), panel.clone());
    Router::new()
        .route(
            "/api/{*form}",
            post(move |request: Request| form(forms.clone(), request)),
        )
        .fallback(move |request: Request| page(pages.clone(), request))
}

/// The pages for everybody.
pub fn outside(panel: &Panel) -> Router {
    let panel = panel.clone();
    Router::new().route(
        path::SIGN_IN,
        get(move |request: Request| page(panel.clone(), request)),
    )
}

async fn form(panel: Panel, request: Request) -> Response {
    let context = move || provide_context(panel.clone());
    leptos_axum::handle_server_fns_with_context(context, request)
        .await
        .into_response()
}

async fn page(panel: Panel, request: Request) -> Response<Body> {
    let site = panel.site.clone();
    let context = move || provide_context(panel.clone());
    let app = move || shell(site);
    leptos_axum::handle_response_inner(context, app, request, |app, _, _| {
        Box::pin(async move {
            // Whole, so that the status is known before the first byte goes out.
            let markup = app.to_html_stream_in_order().collect::<String>().await;
            let stream: Pin<Box<dyn Stream<Item = String> + Send>> =
                Box::pin(once(async move { markup }));
            stream
        })
    })
    .await
}
