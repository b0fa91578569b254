//! Server-sent events: what changed on a gateway's or an operation's page, and the lines of a log.

use std::pin::pin;
use std::sync::Arc;
use std::time::Duration;

use app::{Call, Filter, Panel, Viewer};
use axum::Extension;
use axum::body::{Body, Bytes};
use axum::extract::{Path, Query, State};
use axum::http::{StatusCode, header};
use axum::response::{IntoResponse as _, Response};
use domain::action::Action;
use domain::fault::Fault;
use domain::gateway::GatewayId;
use domain::logs::{LogLine, Mark};
use domain::operation::OperationId;
use domain::person::Role;
use domain::ports::{Clock, StoreError};
use futures::stream::{BoxStream, Stream, StreamExt as _};
use tokio_util::sync::CancellationToken;
use tower_sessions::Session;
use uuid::Uuid;

use super::hub::{Hub, Next, Seat, Topic};
use super::log_stream::{self, Following};
use super::reader::Reader;
use super::sessions::Door;

/// A sign of life at this pace: the page says “connection lost” after three missed ones.
pub(super) const TICK: Duration = Duration::from_secs(10);

/// Follows the log of a gateway.
pub(crate) trait FollowLogs: Send + Sync {
    /// Lines as they come, scrubbed.
    fn follow(&self, gateway: &GatewayId) -> BoxStream<'static, LogLine>;
}

/// What event streams need.
#[derive(Clone)]
pub(crate) struct Wires {
    pub(crate) panel: Panel,
    pub(crate) hub: Hub,
    pub(crate) door: Door,
    pub(crate) clock: Arc<dyn Clock>,
    pub(crate) logs: Arc<dyn FollowLogs>,
    pub(crate) gateways: Arc<[GatewayId]>,
    pub(crate) stop: CancellationToken,
}

pub(crate) async fn gateway(
    State(wires): State<Wires>,
    Path(id): Path<GatewayId>,
    Extension(viewer): Extension<Arc<Viewer>>,
    session: Session,
) -> Response {
    of_gateway(wires, id, Topic::Gateway, &viewer, &session).await
}

pub(crate) async fn operations(
    State(wires): State<Wires>,
    Path(id): Path<GatewayId>,
    Extension(viewer): Extension<Arc<Viewer>>,
    session: Session,
) -> Response {
    of_gateway(wires, id, Topic::Operations, &viewer, &session).await
}

async fn of_gateway(
    wires: Wires,
    id: GatewayId,
    topic: fn(GatewayId) -> Topic,
    viewer: &Arc<Viewer>,
    session: &Session,
) -> Response {
    if !wires.gateways.contains(&id) {
        return (StatusCode::NOT_FOUND, "There is no gateway of that name.").into_response();
    }
    if let Err(denied) = permit(&wires, viewer, Action::ViewGateway, &id).await {
        return denied;
    }
    let role = viewer.role(Some(&id));
    let seat = wires.hub.join(topic(id), role);
    let reader = Reader::new(&wires.door, session, viewer);
    answer(patches(seat, reader, wires))
}

pub(crate) async fn operation(
    State(wires): State<Wires>,
    Path(id): Path<Uuid>,
    Extension(viewer): Extension<Arc<Viewer>>,
    session: Session,
) -> Response {
    let id = OperationId(id);
    let view = match wires.panel.operations.view(id).await {
        Ok(Some(view)) => view,
        Ok(None) => return (StatusCode::NOT_FOUND, "There is no such operation.").into_response(),
        Err(error) => return unopened(&error),
    };
    let gateway = view.operation.command.gateway();
    if let Err(denied) = permit(&wires, &viewer, Action::ViewGateway, gateway).await {
        return denied;
    }
    // A code may be shown on it: no audit row, no stream.
    if let Err(error) = app::codes::viewing(&wires.panel, &viewer, &view).await {
        return unopened(&error);
    }
    let role = viewer.role(Some(gateway));
    let seat = wires.hub.join(Topic::Operation(id), role);
    let reader = Reader::new(&wires.door, &session, &viewer);
    answer(patches(seat, reader, wires))
}

/// A denial is an event, as on a page.
async fn permit(
    wires: &Wires,
    viewer: &Arc<Viewer>,
    action: Action,
    gateway: &GatewayId,
) -> Result<(), Response> {
    let call = Call::new(wires.panel.clone(), Arc::clone(viewer));
    let permit = call.permit(action, Some(gateway)).await;
    permit
        .map(drop)
        .map_err(|denied| (StatusCode::FORBIDDEN, denied.sentence()).into_response())
}

fn unopened(error: &StoreError) -> Response {
    tracing::error!(
        error = error as &dyn std::error::Error,
        "An operation's stream was not opened"
    );
    let text = "The panel's database does not answer.";
    (StatusCode::SERVICE_UNAVAILABLE, text).into_response()
}

/// Which lines the log page shows.
#[derive(serde::Deserialize)]
pub(crate) struct Wanted {
    #[serde(default)]
    search: String,
    #[serde(default)]
    level: String,
    /// How far the page has read.
    #[serde(default)]
    after: String,
}

impl Wanted {
    /// The page's own filter.
    pub(crate) fn filter(&self, role: Role) -> Filter {
        Filter::new(&self.search, &self.level, role)
    }
}

pub(crate) async fn logs(
    State(wires): State<Wires>,
    Path(id): Path<GatewayId>,
    Query(wanted): Query<Wanted>,
    Extension(viewer): Extension<Arc<Viewer>>,
    session: Session,
) -> Response {
    if !wires.gateways.contains(&id) {
        return (StatusCode::NOT_FOUND, "There is no gateway of that name.").into_response();
    }
    if let Err(denied) = permit(&wires, &viewer, Action::ViewLogs, &id).await {
        return denied;
    }
    let reader = Reader::new(&wires.door, &session, &viewer);
    answer(log_stream::lines(Following {
        // Joined before the past is read: nothing can fall in between.
        live: wires.logs.follow(&id),
        filter: wanted.filter(viewer.role(Some(&id))),
        past: Box::pin(past(wires.panel.clone(), id)),
        after: Mark::parse(&wanted.after).unwrap_or(Mark::START),
        reader,
        clock: wires.clock,
        stop: wires.stop,
    }))
}

async fn past(panel: Panel, id: GatewayId) -> Result<Vec<LogLine>, Fault> {
    panel.observations.logs(&id, log_stream::PAST).await
}

/// A stream of events as an answer.
pub(super) fn answer(stream: impl Stream<Item = Bytes> + Send + 'static) -> Response {
    let headers = [
        (header::CONTENT_TYPE, "text/event-stream; charset=utf-8"),
        (header::CACHE_CONTROL, "no-store"),
        // Proxies that buffer by default are asked not to.
        (header::HeaderName::from_static("x-accel-buffering"), "no"),
    ];
    let body = Body::from_stream(stream.map(Ok::<Bytes, std::convert::Infallible>));
    (headers, body).into_response()
}

pub(super) fn tick(clock: &dyn Clock) -> Bytes {
    Bytes::from(format!(
        "event: tick\ndata: {}\n\n",
        app::live::tick(clock.now())
    ))
}

pub(super) const HELLO: Bytes = Bytes::from_static(b"retry: 1000\n\n");

/// The time, then the whole page once, then what moves.
fn patches(seat: Seat, reader: Reader, wires: Wires) -> impl Stream<Item = Bytes> + Send {
    async_stream::stream! {
        let mut seat = seat;
        let mut left = pin!(reader.left());
        let mut ticks = tokio::time::interval(TICK);
        yield HELLO;
        yield seat.whole().await;
        loop {
            tokio::select! {
                () = wires.stop.cancelled() => return,
                _ = ticks.tick() => yield tick(&*wires.clock),
                last = &mut left => {
                    if let Some(last) = last {
                        yield last;
                    }
                    return;
                }
                next = seat.next() => match next {
                    Next::Patch(bytes) => yield bytes,
                    Next::Ended => return,
                },
            }
        }
    }
}
