//! The JSON API for programs, under `/api/v1`: what the pages show and do, by a token instead of a sign-in.
//!
//! No cookie opens it, so no other site can make a browser use it. What asks people to confirm who they are is not
//! to be had here: a token cannot.

mod answers;
mod door;
mod gateways;
mod operations;
mod trail;

use std::sync::Arc;

use app::Panel;
use axum::middleware::from_fn_with_state;
use axum::routing::{get, post};
use axum::{Json, Router};
use domain::ports::ApiTokens;
use utoipa::openapi::security::{HttpAuthScheme, HttpBuilder, SecurityScheme};
use utoipa::{Modify, OpenApi};

use answers::Problem;
pub(crate) use door::Denied;

/// Where it is.
pub(crate) const ROOT: &str = "/api/v1";

/// What the routes here need.
#[derive(Clone)]
pub(crate) struct Api {
    pub(crate) panel: Panel,
    pub(crate) store: adapter_store::Store,
    pub(crate) tokens: Arc<dyn ApiTokens>,
    pub(crate) trusted_proxies: Arc<[std::net::IpAddr]>,
    /// Tokens that open nothing, as far as they were written down lately.
    pub(crate) denied: Arc<Denied>,
}

#[derive(OpenApi)]
#[openapi(
    info(
        title = "OpenClaw Panel",
        version = "1",
        description = "What the panel shows and does, for programs. Send a token that you made on the page of your \
                       account: `Authorization: Bearer ocp_…`. A token does what its role may do on its gateway, and never \
                       what asks people to confirm who they are."
    ),
    paths(
        gateways::list,
        gateways::one,
        operations::list,
        operations::start,
        operations::one,
        operations::cancel,
        trail::export,
    ),
    components(schemas(Problem)),
    modifiers(&Token),
    security(("token" = []))
)]
struct Document;

/// How programs prove who they are.
struct Token;

impl Modify for Token {
    fn modify(&self, openapi: &mut utoipa::openapi::OpenApi) {
        let components = openapi.components.get_or_insert_default();
        let scheme = HttpBuilder::new().scheme(HttpAuthScheme::Bearer).build();
        components.add_security_scheme("token", SecurityScheme::Http(scheme));
    }
}

/// The routes, each behind the token's door but for the document that describes them.
pub(crate) fn router(api: Api) -> Router {
    let door = from_fn_with_state(api.clone(), door::require);
    Router::new()
        .route("/gateways", get(gateways::list))
        .route("/gateways/{gateway}", get(gateways::one))
        .route(
            "/gateways/{gateway}/operations",
            get(operations::list).post(operations::start),
        )
        .route("/operations/{operation}", get(operations::one))
        .route("/operations/{operation}/cancel", post(operations::cancel))
        .route("/audit", get(trail::export))
        .layer(door)
        .route("/openapi.json", get(document))
        .fallback(async || Problem::not_found("There is no such path."))
        .method_not_allowed_fallback(async || Problem::bad_method())
        .with_state(api)
}

/// The document, made from the code.
async fn document() -> Json<utoipa::openapi::OpenApi> {
    Json(Document::openapi())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_document_is_promised_to_programs() {
        insta::assert_snapshot!(Document::openapi().to_pretty_json().unwrap());
    }
}
