//! What an observer sees, by the Docker and the gateway adapters.

use std::time::Duration;

use adapter_docker::{DockerGateways, Watch};
use adapter_gateway::control::Reach;
use adapter_gateway::probe::Look;
use async_trait::async_trait;
use domain::compare::Comparison;
use domain::fact::{Account, Container, Edge, Process};
use domain::fault::Fault;
use domain::gateway::GatewayId;
use domain::logs::LogLine;
use domain::ports::Containers as _;
use domain::time::Timestamp;
use futures::StreamExt as _;
use futures::stream::BoxStream;
use observe::{ContainerNews, Resources, Seen};

/// Lines in which the cause of a crash is looked for.
const LAST_LINES: u32 = 60;
const HOUR: Duration = Duration::from_secs(3_600);

pub(crate) struct Senses {
    gateway: GatewayId,
    docker: DockerGateways,
    reach: Reach,
}

impl Senses {
    pub(super) fn new(gateway: GatewayId, docker: DockerGateways, reach: Reach) -> Self {
        Self {
            gateway,
            docker,
            reach,
        }
    }

    /// Waits until the socket has connected or given its reason once, so that one look is a fair one.
    pub(crate) async fn settle(&self, limit: Duration) {
        // A failure is part of what is then seen.
        let _state = self.reach.link.ready(limit).await;
    }
}

fn seen<D>(look: Look<D>, latency_ms: Option<u32>) -> Seen<D> {
    let Look {
        state,
        headline,
        reason,
        detail,
    } = look;
    Seen {
        state,
        headline,
        reason,
        latency_ms,
        detail,
    }
}

#[async_trait]
impl observe::Senses for Senses {
    async fn edge(&self) -> Seen<Edge> {
        let look = self.reach.prober.edge().await;
        let latency = look.detail.as_ref().map(|edge| edge.latency_ms);
        seen(look, latency)
    }

    async fn process(&self) -> Seen<Process> {
        let token = self.reach.key.token().await;
        let look = self
            .reach
            .prober
            .process(token.as_ref(), &self.reach.link.state())
            .await;
        let latency = look
            .detail
            .as_ref()
            .filter(|process| process.live)
            .map(|process| process.latency_ms);
        seen(look, latency)
    }

    async fn accounts(&self) -> Result<Option<Vec<Account>>, Fault> {
        self.reach.link.accounts().await
    }

    async fn container(&self) -> Result<Option<Container>, Fault> {
        self.docker.current(&self.gateway).await
    }

    async fn compare(&self) -> Result<Comparison, Fault> {
        self.docker.compare(&self.gateway).await
    }

    async fn last_lines(&self) -> Result<Vec<LogLine>, Fault> {
        let Some(container) = self.docker.current(&self.gateway).await? else {
            return Ok(Vec::new());
        };
        self.docker
            .logs(&self.gateway, &container.id, LAST_LINES)
            .await
    }

    async fn deaths(&self) -> Result<Vec<Timestamp>, Fault> {
        self.docker.deaths(&self.gateway, HOUR).await
    }

    fn news(&self) -> BoxStream<'static, ContainerNews> {
        self.docker
            .watch(&self.gateway)
            .map(|watch| match watch {
                Watch::Connected => ContainerNews::Connected,
                Watch::Event { action, at, .. } => ContainerNews::Changed { action, at },
                Watch::Lost(fault) => ContainerNews::Lost(fault),
            })
            .boxed()
    }

    fn resources(&self) -> BoxStream<'static, Result<Resources, Fault>> {
        self.docker
            .stats(&self.gateway)
            .map(|sample| {
                sample.map(|sample| Resources {
                    memory_bytes: sample.memory_bytes,
                    cpu_percent: sample.cpu_percent,
                })
            })
            .boxed()
    }

    async fn socket_changed(&self) {
        let mut control = self.reach.link.control();
        if control.changed().await.is_err() {
            // The panel is stopping: nothing will change any more.
            std::future::pending::<()>().await;
        }
    }
}
