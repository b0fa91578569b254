//! The Docker Engine, behind [`domain::ports::Containers`] and a few streams for the observer.
//!
//! One [`DockerGateways`] serves every gateway of the panel. Each call is bounded in time, and each
//! fault is a sentence: a daemon that is dead, hangs or talks nonsense is told, never waited for.

mod beside;
mod client;
mod compare;
mod containers;
mod create;
mod download;
mod events;
mod exec;
mod facet;
mod fault;
mod inspect;
mod lifecycle;
mod logs;
mod moment;
mod names;
mod plan;
mod project;
mod stats;
mod stream;
mod upload;

use std::collections::BTreeMap;
use std::io;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use domain::fault::{Boundary, Fault, FaultKind};
use domain::gateway::GatewayId;
use domain::logs::LogLine;
use domain::time::Timestamp;
use futures::Stream;
use secrecy::SecretString;

pub use events::Watch;
pub use exec::ExecOutput;
pub use inspect::Mount;
pub use stats::StatsSample;

use client::Host;

/// Where a Docker daemon listens.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Endpoint {
    /// A socket on this machine, usually `/var/run/docker.sock`.
    Unix(PathBuf),
    /// Another machine, over TLS with a certificate on both sides.
    Tcp {
        /// As in `tcp://vps-i1:2376`.
        url: String,
        /// The authority that signed the daemon's certificate.
        ca: PathBuf,
        /// The panel's certificate.
        cert: PathBuf,
        /// Its key.
        key: PathBuf,
    },
}

/// What the adapter must know of one gateway.
#[derive(Clone)]
pub struct GatewayDocker {
    /// Its id.
    pub id: GatewayId,
    /// The daemon that runs it.
    pub endpoint: Endpoint,
    /// The folder with its compose file and `.env`, absolute.
    pub compose_dir: PathBuf,
    /// Its service in that file.
    pub service: String,
    /// Variables that win over `.env`, as the shell's do for `docker compose`. Usually empty.
    pub environment: BTreeMap<String, String>,
}

/// Every gateway's Docker side. Cheap to clone.
#[derive(Clone)]
pub struct DockerGateways {
    hosts: Arc<BTreeMap<GatewayId, Arc<Host>>>,
}

impl DockerGateways {
    /// Knows these gateways. Connects to nothing yet, so a daemon that is down is no hindrance.
    pub fn new(gateways: Vec<GatewayDocker>) -> Self {
        let hosts = gateways
            .into_iter()
            .map(|gateway| (gateway.id.clone(), Arc::new(Host::new(gateway))))
            .collect();
        Self {
            hosts: Arc::new(hosts),
        }
    }

    /// Asks the daemon whether it is there.
    pub async fn ping(&self, gateway: &GatewayId) -> Result<(), Fault> {
        self.host(gateway)?.ping().await
    }

    /// What happens to the gateway's containers, also to ones made later. Never ends: it connects
    /// again after every loss, and each [`Watch::Connected`] asks the reader to inspect anew.
    pub fn watch(&self, gateway: &GatewayId) -> impl Stream<Item = Watch> + Send + use<> {
        events::watch(self.host(gateway))
    }

    /// When the gateway's containers ended within the last while, as far as Docker remembers.
    pub async fn deaths(
        &self,
        gateway: &GatewayId,
        within: Duration,
    ) -> Result<Vec<Timestamp>, Fault> {
        let host = self.host(gateway)?;
        events::deaths(&host, within).await
    }

    /// What the running container uses, about once a second, until it ends.
    pub fn stats(
        &self,
        gateway: &GatewayId,
    ) -> impl Stream<Item = Result<StatsSample, Fault>> + Send + use<> {
        stats::stats(self.host(gateway))
    }

    /// The last `tail` lines and all that follow, scrubbed, also those of a container that replaces
    /// this one. Never ends; meant to be read once a gateway and shared.
    pub fn follow_logs(
        &self,
        gateway: &GatewayId,
        tail: u32,
    ) -> impl Stream<Item = LogLine> + Send + use<> {
        logs::follow(self.host(gateway), tail)
    }

    /// Runs a program inside the container, without a shell and without input. Its output is not
    /// scrubbed: scrub it before any of it is kept.
    pub async fn exec(
        &self,
        gateway: &GatewayId,
        argv: &[&str],
        limit: Duration,
    ) -> Result<ExecOutput, Fault> {
        exec::exec(&*self.host(gateway)?, argv, limit).await
    }

    /// Runs a program on the volumes of a gateway that is stopped, in a container of its own from the same image, without a
    /// network. Its output is not scrubbed.
    pub async fn beside(
        &self,
        gateway: &GatewayId,
        argv: &[&str],
        limit: Duration,
    ) -> Result<ExecOutput, Fault> {
        beside::beside(&*self.host(gateway)?, argv, limit).await
    }

    /// What is mounted into the gateway's container: the folder inside, and what lies there: a volume's name or a folder
    /// of the host. Empty without a container.
    pub async fn mounts(&self, gateway: &GatewayId) -> Result<Vec<Mount>, Fault> {
        let found = self.host(gateway)?.inspect_current().await?;
        Ok(found.map_or_else(Vec::new, |found| inspect::mounts(&found)))
    }

    /// A file or folder of the container, running or not, as Docker hands it out: a tar archive that holds it alone.
    pub async fn download(
        &self,
        gateway: &GatewayId,
        path: &str,
    ) -> Result<impl Stream<Item = io::Result<Bytes>> + Send + Unpin + use<>, Fault> {
        download::download(&*self.host(gateway)?, path).await
    }

    /// Unpacks a tar archive into a folder of the running container.
    pub async fn upload(&self, gateway: &GatewayId, folder: &str, tar: Bytes) -> Result<(), Fault> {
        upload::upload(&*self.host(gateway)?, folder, tar).await
    }

    /// The value of a variable: the one that the running container was made with, else the one that
    /// compose would set; `None` when it is not set. The folder may have changed since, or be broken.
    pub async fn secret(
        &self,
        gateway: &GatewayId,
        name: &str,
    ) -> Result<Option<SecretString>, Fault> {
        // Without Docker the folder is as good a source as before.
        if let Ok(Some(value)) = self.running_secret(gateway, name).await {
            return Ok(Some(value));
        }
        let host = self.host(gateway)?;
        let read = project::read(&host.settings).await?;
        Ok(read
            .service()
            .environment
            .get(name)
            .filter(|value| !value.is_empty())
            .map(|value| SecretString::from(value.clone())))
    }

    /// The value of a variable that the running container was made with; `None` when it does not run or has none.
    pub async fn running_secret(
        &self,
        gateway: &GatewayId,
        name: &str,
    ) -> Result<Option<SecretString>, Fault> {
        let found = self.host(gateway)?.inspect_current().await?;
        Ok(found
            .filter(inspect::is_running)
            .and_then(|found| inspect::variable(&found, name))
            .map(SecretString::from))
    }

    fn host(&self, gateway: &GatewayId) -> Result<Arc<Host>, Fault> {
        self.hosts.get(gateway).cloned().ok_or_else(|| {
            Fault::new(
                FaultKind::Invalid,
                Boundary::Panel,
                format!("There is no gateway `{gateway}` in the configuration."),
            )
        })
    }
}
