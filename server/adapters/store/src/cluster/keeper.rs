//! Keeps Postgres running: when it dies while it is used, it is started again.

use std::time::Duration;

use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;
use tracing::{error, warn};

use super::error::ClusterError;
use super::lock;
use super::server::{Running, Server};

const FIRST_PAUSE: Duration = Duration::from_millis(200);
const LONGEST_PAUSE: Duration = Duration::from_secs(10);

pub(super) struct Keeper {
    server: Server,
    stop: CancellationToken,
    task: JoinHandle<()>,
}

impl Keeper {
    pub(super) fn start(server: Server, running: Running, stop: CancellationToken) -> Self {
        let task = tokio::spawn(keep(server.clone(), running, stop.clone()));
        Self { server, stop, task }
    }

    /// Nobody starts it again from now on.
    pub(super) async fn stop(self) -> Server {
        self.stop.cancel();
        if let Err(error) = self.task.await {
            error!(%error, "What keeps Postgres running had failed");
        }
        self.server
    }
}

async fn keep(server: Server, mut running: Running, stop: CancellationToken) {
    loop {
        tokio::select! {
            () = stop.cancelled() => return,
            () = running.gone(&server) => {}
        }
        warn!("Postgres ended; starting it again");
        running = tokio::select! {
            () = stop.cancelled() => return,
            again = start_again(&server) => again,
        };
    }
}

async fn start_again(server: &Server) -> Running {
    let mut pause = FIRST_PAUSE;
    loop {
        match ensure(server).await {
            Ok(running) => return running,
            Err(error) => {
                let error: &dyn core::error::Error = &error;
                error!(error, "Postgres could not be started again");
            }
        }
        tokio::time::sleep(pause).await;
        pause = (pause * 2).min(LONGEST_PAUSE);
    }
}

/// Another process that uses the cluster may have been quicker.
async fn ensure(server: &Server) -> Result<Running, ClusterError> {
    let _starting = lock::exclusive(&server.place().start_lock()).await?;
    server.ensure().await
}
