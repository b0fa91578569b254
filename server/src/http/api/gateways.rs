//! Gateways as they are known now, from memory.

use axum::extract::{Path, State};
use axum::{Extension, Json};
use domain::gateway::GatewayId;
use domain::verdict;

use super::Api;
use super::answers::{GatewayStatus, Problem};
use super::door::Program;

/// Every gateway that the token reaches.
#[utoipa::path(
    get,
    path = "/api/v1/gateways",
    tag = "gateways",
    responses((status = 200, body = [GatewayStatus]), Problem)
)]
pub(super) async fn list(
    State(api): State<Api>,
    Extension(program): Extension<Program>,
) -> Result<Json<Vec<GatewayStatus>>, Problem> {
    let gateways = program.call.gateways().into_iter();
    let known = gateways.filter_map(|gateway| status(&api, &gateway.id));
    Ok(Json(known.collect()))
}

/// One gateway: verdict, facts with their ages, and the operation that holds it.
#[utoipa::path(
    get,
    path = "/api/v1/gateways/{gateway}",
    tag = "gateways",
    params(("gateway" = String, Path, description = "Its id")),
    responses((status = 200, body = GatewayStatus), Problem)
)]
pub(super) async fn one(
    State(api): State<Api>,
    Extension(program): Extension<Program>,
    Path(id): Path<String>,
) -> Result<Json<GatewayStatus>, Problem> {
    let gateway = program.gateway(&id).await?;
    let status = status(&api, &gateway.id);
    status
        .map(Json)
        .ok_or_else(|| Problem::not_found("Nothing is known of this gateway yet."))
}

fn status(api: &Api, gateway: &GatewayId) -> Option<GatewayStatus> {
    let now = api.panel.clock.now();
    let seen = api.panel.observations.observation(gateway)?;
    let holder = api.panel.operations.holder(gateway);
    let verdict = verdict::verdict(&seen, holder.as_ref(), now);
    Some(GatewayStatus::of(&seen, &verdict, holder.as_ref(), now))
}
