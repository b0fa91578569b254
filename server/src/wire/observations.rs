//! The boards of all gateways, as pages ask them.

use std::sync::Arc;

use adapter_docker::DockerGateways;
use async_trait::async_trait;
use domain::fault::{Boundary, Fault, FaultKind};
use domain::gateway::{Gateway, GatewayId};
use domain::history::{Incident, Strip};
use domain::logs::LogLine;
use domain::observation::Observation;
use domain::operation::{Operation, OperationId};
use domain::ports::{Containers as _, Observations};
use futures::stream::BoxStream;
use observe::Board;
use operations::Engine;

use super::shared_log::SharedLogs;
use crate::http::FollowLogs;

/// Lines that were written while the log is attached to: readers leave out what they know.
const TAIL: u32 = 200;

/// What a gateway's newest operation is, from the engine's memory.
pub(super) struct Latest(pub(super) Engine);

#[async_trait]
impl observe::Planned for Latest {
    fn latest(&self, gateway: &GatewayId) -> Option<Operation> {
        self.0.latest(gateway)
    }

    async fn next_end(&self, gateway: &GatewayId, before: Option<OperationId>) -> OperationId {
        self.0.next_end(gateway, before).await
    }
}

/// Every gateway's board.
pub(crate) struct Boards {
    each: Vec<Arc<Board>>,
    docker: DockerGateways,
    logs: SharedLogs,
}

impl Boards {
    pub(super) fn new(boards: Vec<Arc<Board>>, docker: DockerGateways) -> Self {
        Self {
            each: boards,
            docker,
            logs: SharedLogs::default(),
        }
    }

    /// All of them.
    pub(crate) fn all(&self) -> &[Arc<Board>] {
        &self.each
    }

    fn board(&self, gateway: &GatewayId) -> Option<&Arc<Board>> {
        self.each
            .iter()
            .find(|board| board.observation().gateway.id == *gateway)
    }
}

#[async_trait]
impl Observations for Boards {
    fn gateways(&self) -> Vec<Gateway> {
        self.each
            .iter()
            .map(|board| board.observation().gateway.clone())
            .collect()
    }

    fn observation(&self, gateway: &GatewayId) -> Option<Arc<Observation>> {
        self.board(gateway).map(|board| board.observation())
    }

    fn strips(&self, gateway: &GatewayId) -> Arc<Vec<Strip>> {
        self.board(gateway)
            .map(|board| board.strips())
            .unwrap_or_default()
    }

    fn incidents(&self, gateway: &GatewayId) -> Arc<Vec<Incident>> {
        self.board(gateway)
            .map(|board| board.incidents())
            .unwrap_or_default()
    }

    async fn logs(&self, gateway: &GatewayId, lines: u32) -> Result<Vec<LogLine>, Fault> {
        let Some(container) = self.docker.current(gateway).await? else {
            return Err(Fault::new(
                FaultKind::NotFound,
                Boundary::Docker,
                "There is no container, so there is no log. Install makes one.",
            ));
        };
        self.docker.logs(gateway, &container.id, lines).await
    }
}

impl FollowLogs for Boards {
    fn follow(&self, gateway: &GatewayId) -> BoxStream<'static, LogLine> {
        self.logs
            .follow(gateway, || self.docker.follow_logs(gateway, TAIL))
    }
}
