//! Puts the panel together: which adapter stands behind which port.

mod backups;
mod complaint;
mod device;
mod devices;
mod gateway_keys;
mod link_files;
mod observations;
mod plugins;
mod render;
mod scans;
mod senses;
mod shared_log;
mod state_folder;
mod system;

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use adapter_backup::Vault;
use adapter_docker::{DockerGateways, Endpoint, GatewayDocker};
use adapter_gateway::control::{GatewayLinks, Reach};
use adapter_gateway::http::{Trust, TrustError};
use adapter_gateway::link::{GatewayLink, Identity, Key, LinkConfig};
use adapter_gateway::probe::Prober;
use adapter_git::GitLog;
use adapter_github::GitHub;
use adapter_identity::Provider;
use adapter_store::{Cluster, ClusterConfig, DatabaseConfig, RelyingParty, SealingKey, Store};
use anyhow::Context as _;
use domain::gateway::{Gateway, GatewayId};
use domain::path;
use domain::ports::{Clock, IdentityProvider, Ids, Journal, RepositorySecrets, RotationLog};
use domain::scrub::Scrubber;
use observe::{Board, Observers, Pace, Remembered};
use operations::{Engine, Parts};
use secrecy::ExposeSecret as _;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

use crate::config::{Config, DockerEndpoint, GatewayConfig};
use crate::key_file;

pub(crate) use backups::BackupStore;
use devices::DeviceStore;
pub(crate) use gateway_keys::KeyStore;
use link_files::LinkStore;
pub(crate) use observations::Boards;
use plugins::PluginStore;
pub(crate) use render::Renderer;
pub(crate) use scans::ScanBoard;
pub(crate) use state_folder::FolderStore;
pub(crate) use system::{SystemClock, SystemIds};

/// The variable of the service's environment that holds the gateway's key.
const KEY_VARIABLE: &str = "OPENCLAW_GATEWAY_TOKEN";

/// Operations that may explain what Docker tells of the last hour.
const LATEST: u32 = 50;

/// What every command of the panel needs: time, ids and the database.
pub(crate) struct Base {
    pub(crate) clock: Arc<dyn Clock>,
    pub(crate) ids: Arc<dyn Ids>,
    pub(crate) store: Store,
    cluster: Option<Cluster>,
}

impl Base {
    /// Opens the database: yours, or the private cluster, started when it does not run.
    pub(crate) async fn open(config: &Config) -> anyhow::Result<Self> {
        let clock: Arc<dyn Clock> = Arc::new(SystemClock);
        let ids: Arc<dyn Ids> = Arc::new(SystemIds);
        let (database, cluster) = match &config.database_url {
            Some(url) => {
                let database = DatabaseConfig::from_url(url)?;
                let owned = match &config.migration_url {
                    Some(owner) => database.owned_by(owner)?,
                    None => database,
                };
                (owned, None)
            }
            None => {
                let cluster = Cluster::open(ClusterConfig {
                    data_folder: config.data_dir.clone(),
                    programs: None,
                })
                .await
                .context("the panel's private Postgres could not be started")?;
                (cluster.database(), Some(cluster))
            }
        };
        let store = Store::connect(database, clock.clone(), ids.clone())
            .await
            .context("the panel's database could not be prepared")?;
        let lost = "authenticators of before fit no more; recovery codes still do";
        let key = key_file::load_or_create(&config.sign_in.key_file, lost)
            .context("the key of second factors cannot be used")?;
        let store = store
            .sealed_under(SealingKey::new(&key))
            .for_passkeys_of(RelyingParty::of(&config.public_url));
        Ok(Self {
            clock,
            ids,
            store,
            cluster,
        })
    }

    /// Closes the database; stops the private cluster when nobody else uses it.
    pub(crate) async fn close(self) {
        self.store.close().await;
        if let Some(cluster) = self.cluster
            && let Err(error) = cluster.stop().await
        {
            tracing::warn!(
                error = &error as &dyn std::error::Error,
                "The private Postgres did not stop cleanly"
            );
        }
    }
}

/// The identity provider, where there is one. Nothing is asked of it yet.
pub(crate) fn provider(
    config: &Config,
    base: &Base,
) -> anyhow::Result<Option<Arc<dyn IdentityProvider>>> {
    let Some(provider) = &config.sign_in.provider else {
        return Ok(None);
    };
    let trust = match Trust::load(provider.ca_file.as_deref()) {
        Ok(trust) => trust,
        Err(error @ TrustError::Setup(_)) => return Err(error.into()),
        Err(error) => {
            // People still sign in with their passwords.
            tracing::error!(
                error = &error as &dyn std::error::Error,
                "The identity provider's certificate authority cannot be used"
            );
            Trust::load(None).context("the certificate authorities of this machine")?
        }
    };
    let client = adapter_gateway::http::client(&trust)?;
    let back = config.public_url.join(path::FROM_PROVIDER)?;
    let settings = provider.settings.clone();
    let provider = Provider::new(settings, back.into(), client, base.clock.clone())?;
    Ok(Some(Arc::new(provider)))
}

/// The gateways and what reaches them.
pub(crate) struct Outside {
    pub(crate) gateways: Vec<Gateway>,
    pub(crate) docker: DockerGateways,
    pub(crate) engine: Engine,
    /// The gateways' own answers.
    pub(crate) links: GatewayLinks,
    /// What is shown to be scanned.
    pub(crate) scans: ScanBoard,
    /// Where backups are kept.
    pub(crate) backups: BackupStore,
    /// The gateways' state folders.
    pub(crate) folder: FolderStore,
    /// The gateways' keys.
    pub(crate) keys: KeyStore,
    /// The repositories' secrets.
    pub(crate) secrets: Arc<dyn RepositorySecrets>,
    /// The logs of rotations.
    pub(crate) log: Arc<dyn RotationLog>,
    reaches: BTreeMap<GatewayId, Reach>,
}

impl Outside {
    /// Connects nothing yet but the gateways' sockets, which connect by themselves.
    pub(crate) async fn build(
        config: &Config,
        base: &Base,
        tracker: &TaskTracker,
        stop: &CancellationToken,
    ) -> anyhow::Result<Self> {
        let docker = DockerGateways::new(config.gateways.iter().map(docker_side).collect());
        let ids = config.gateways.iter().map(|gateway| &gateway.id);
        let mut devices =
            DeviceStore::settled(&config.data_dir, ids).context("the panel's device keys")?;
        let mut reaches = BTreeMap::new();
        let scrubber = Scrubber::default();
        let mut keys = KeyStore::new(docker.clone(), scrubber.clone());
        for gateway in &config.gateways {
            let key: Arc<dyn Key> =
                Arc::new(device::ComposeKey::new(docker.clone(), gateway.id.clone()));
            if let Some(token) = key.token().await {
                scrubber.learn(token.expose_secret());
            }
            let approver = device::ContainerApprover::new(
                docker.clone(),
                gateway.id.clone(),
                base.store.clone(),
            );
            let trust = trust(gateway).context("the certificate authorities of this machine")?;
            let socket = LinkConfig::new(gateway.internal_url.clone(), trust.clone());
            let identities = devices.identities(&gateway.id);
            let identity: Arc<dyn Identity> = Arc::new(identities.clone());
            let link = GatewayLink::spawn(
                socket.clone(),
                key.clone(),
                Arc::new(approver.clone()),
                Arc::clone(&identity),
                tracker,
                stop.clone(),
            );
            let prober = Prober::new(
                gateway.internal_url.clone(),
                gateway.public_url.clone(),
                &trust,
                base.clock.clone(),
            )?;
            devices.add(
                &gateway.id,
                link.clone(),
                socket.clone(),
                key.clone(),
                approver,
            );
            keys.add(config, gateway, prober.clone(), socket, identities);
            reaches.insert(
                gateway.id.clone(),
                Reach {
                    link,
                    prober,
                    key,
                    identity,
                },
            );
        }
        let links = GatewayLinks::new(reaches.clone());
        let scans = ScanBoard::default();
        let backups = backups(config, base);
        let folder = FolderStore::new(docker.clone());
        let sources = config.gateways.iter();
        let sources = sources
            .map(|gateway| (gateway.id.clone(), gateway.whatsapp_plugin.clone()))
            .collect();
        let (secrets, log) = repository(config)?;
        let parts = Parts {
            journal: Arc::new(base.store.clone()),
            containers: Arc::new(docker.clone()),
            control: Arc::new(links.clone()),
            scans: Arc::new(scans.clone()),
            backups: Arc::new(backups.clone()),
            links: Arc::new(LinkStore::new(docker.clone())),
            folder: Arc::new(folder.clone()),
            plugins: Arc::new(PluginStore::new(docker.clone(), sources)),
            keys: Arc::new(keys.clone()),
            devices: Arc::new(devices),
            rotations: Arc::new(base.store.clone()),
            register: Arc::new(base.store.clone()),
            secrets: Arc::clone(&secrets),
            log: Arc::clone(&log),
            audit: Arc::new(base.store.clone()),
            clock: base.clock.clone(),
            ids: base.ids.clone(),
            scrubber,
            gateways: config
                .gateways
                .iter()
                .map(|gateway| gateway.id.clone())
                .collect(),
            second_person: config.second_person(),
        };
        let engine = Engine::new(parts, tracker.clone());
        let gateways = config.gateways.iter().map(shown).collect();
        Ok(Self {
            gateways,
            docker,
            engine,
            links,
            scans,
            backups,
            folder,
            keys,
            secrets,
            log,
            reaches,
        })
    }

    /// The senses of one gateway, for its observer and for `panel status`.
    pub(crate) fn senses(&self, gateway: &GatewayId) -> Option<Arc<senses::Senses>> {
        let reach = self.reaches.get(gateway)?.clone();
        Some(Arc::new(senses::Senses::new(
            gateway.clone(),
            self.docker.clone(),
            reach,
        )))
    }

    /// Starts to observe every gateway.
    pub(crate) async fn observe(
        &self,
        config: &Config,
        base: &Base,
        tracker: &TaskTracker,
        stop: &CancellationToken,
    ) -> Arc<Boards> {
        let ids = self.gateways.iter().map(|gateway| gateway.id.clone());
        let (leads, racing) = base.store.lead(ids.collect(), stop.clone());
        tracker.spawn(racing);
        let (keeper, entries) =
            observe::Keeper::new(Arc::new(base.store.clone()), base.clock.clone(), leads);
        tracker.spawn(keeper.run(stop.clone()));
        let observers = Observers::new(tracker.clone(), stop.clone());
        let mut boards = Vec::new();
        for (gateway, settings) in self.gateways.iter().zip(&config.gateways) {
            let board = Arc::new(self.board(gateway, base, entries.clone()).await);
            let pace = Pace {
                probe: settings.probe_interval,
                edge: settings.edge_interval,
                container: Duration::from_secs(15),
                config: Duration::from_secs(60),
            };
            if let Some(senses) = self.senses(&gateway.id) {
                observers.observe(board.clone(), senses, pace);
            }
            boards.push(board);
        }
        Arc::new(Boards::new(boards, self.docker.clone()))
    }

    /// A board that remembers the last 24 hours.
    pub(crate) async fn board(
        &self,
        gateway: &Gateway,
        base: &Base,
        entries: tokio::sync::mpsc::Sender<observe::Entry>,
    ) -> Board {
        use domain::ports::History as _;
        let from = base.clock.now().minus(Duration::from_secs(86_400));
        let log = |error: domain::ports::StoreError| {
            tracing::warn!(
                error = &error as &dyn std::error::Error,
                gateway.id = %gateway.id,
                "The last 24 hours could not be read; strips begin now"
            );
        };
        let operations = Journal::list(&base.store, &gateway.id, None, LATEST)
            .await
            .map_err(log)
            .unwrap_or_default();
        let transitions = base
            .store
            .transitions(&gateway.id, from)
            .await
            .map_err(log)
            .unwrap_or_default();
        let unobserved = base
            .store
            .unobserved(&gateway.id, from)
            .await
            .map_err(log)
            .unwrap_or_default();
        let accounts = base
            .store
            .account_standings(&gateway.id)
            .await
            .map_err(log)
            .unwrap_or_default();
        let planned = Arc::new(observations::Latest(self.engine.clone()));
        Board::new(
            gateway.clone(),
            base.clock.clone(),
            planned,
            entries,
            Remembered {
                transitions,
                unobserved,
                operations,
                accounts,
            },
        )
    }
}

/// The infrastructure's repository: its secrets on GitHub, and the log of rotations in it.
fn repository(
    config: &Config,
) -> anyhow::Result<(Arc<dyn RepositorySecrets>, Arc<dyn RotationLog>)> {
    let gateways = config.gateways.iter();
    let secrets = gateways
        .clone()
        .filter_map(|gateway| Some((gateway.id.clone(), gateway.github_secret.clone()?)));
    let places =
        gateways.filter_map(|gateway| Some((gateway.id.clone(), gateway.rotation_log.clone()?)));
    let secrets = GitHub::new(
        config.github_api.clone(),
        config.github_token.clone(),
        secrets,
    )?;
    let log = GitLog::new(config.rotation_log_author.clone(), places);
    Ok((Arc::new(secrets), Arc::new(log)))
}

/// Backups, for those who need nothing else of the gateways.
pub(crate) fn backups(config: &Config, base: &Base) -> BackupStore {
    let docker = DockerGateways::new(config.gateways.iter().map(docker_side).collect());
    BackupStore::new(
        docker,
        vault(config),
        Arc::new(base.store.clone()),
        Arc::new(base.store.clone()),
        base.clock.clone(),
    )
}

/// The folder of backups.
pub(crate) fn vault(config: &Config) -> Vault {
    Vault::new(
        config.data_dir.join("backups"),
        config.backup_recipient.clone(),
        config.backups_kept_for,
    )
}

fn shown(gateway: &GatewayConfig) -> Gateway {
    Gateway {
        id: gateway.id.clone(),
        name: gateway.name.clone(),
        public_url: gateway.public_url.as_str().trim_end_matches('/').to_owned(),
        stand_in: gateway.stand_in.is_some(),
    }
}

fn docker_side(gateway: &GatewayConfig) -> GatewayDocker {
    let endpoint = match &gateway.docker {
        DockerEndpoint::Unix(path) => Endpoint::Unix(path.clone()),
        DockerEndpoint::Tcp { url, ca, cert, key } => Endpoint::Tcp {
            url: url.to_string(),
            ca: ca.clone(),
            cert: cert.clone(),
            key: key.clone(),
        },
    };
    GatewayDocker {
        id: gateway.id.clone(),
        endpoint,
        compose_dir: gateway.compose_dir.clone(),
        service: gateway.service.clone(),
        environment: BTreeMap::new(),
    }
}

/// The usual authorities and the gateway's own; without the latter's file the edge shows the TLS error,
/// and the panel runs all the same.
fn trust(gateway: &GatewayConfig) -> Result<Trust, TrustError> {
    Trust::load(gateway.ca_file.as_deref()).or_else(|error| {
        tracing::warn!(
            error = &error as &dyn std::error::Error,
            gateway.id = %gateway.id,
            "ca_file cannot be used; the public URL is checked against the usual authorities only"
        );
        Trust::load(None)
    })
}
