//! The gateways' keys: the file that holds one, the container that has it, and the doors that ask for it.

use std::collections::BTreeMap;
use std::sync::Arc;

use adapter_docker::DockerGateways;
use adapter_env_file::{KeyFile, Marks, Rotator, Seals};
use adapter_gateway::device::Identities;
use adapter_gateway::link::{self, Identity, LinkConfig};
use adapter_gateway::probe::Prober;
use async_trait::async_trait;
use domain::credential::Fingerprint;
use domain::fault::{Boundary, Fault, FaultKind};
use domain::gateway::GatewayId;
use domain::gateway_key::{Answer, Door, KeyLine, NextKey, Tried, WhichKey};
use domain::operation::OperationId;
use domain::ports::GatewayKeys;
use domain::scrub::Scrubber;
use secrecy::{ExposeSecret as _, SecretString};

use super::KEY_VARIABLE;
use crate::config::{Config, GatewayConfig};

/// What belongs to one gateway.
#[derive(Clone)]
struct OfGateway {
    rotator: Rotator,
    prober: Prober,
    internal: LinkConfig,
    public: LinkConfig,
    identities: Identities,
}

/// See the module. Cheap to clone.
#[derive(Clone)]
pub(crate) struct KeyStore {
    docker: DockerGateways,
    /// Learns every key that is seen here, so that no line of an operation shows one.
    scrubber: Scrubber,
    gateways: Arc<BTreeMap<GatewayId, OfGateway>>,
}

impl KeyStore {
    pub(super) fn new(docker: DockerGateways, scrubber: Scrubber) -> Self {
        Self {
            docker,
            scrubber,
            gateways: Arc::default(),
        }
    }

    /// Knows this gateway, too.
    pub(super) fn add(
        &mut self,
        config: &Config,
        gateway: &GatewayConfig,
        prober: Prober,
        internal: LinkConfig,
        identities: Identities,
    ) {
        let file = KeyFile::new(
            gateway.compose_dir.clone(),
            gateway.service.clone(),
            KEY_VARIABLE.to_owned(),
            BTreeMap::new(),
        );
        let rotator = Rotator::new(
            file,
            Seals::new(config.data_dir.join("sealed")),
            Marks::new(config.data_dir.join("fingerprint.key")),
        );
        let public = LinkConfig::new(gateway.public_url.clone(), internal.trust.clone());
        let of = OfGateway {
            rotator,
            prober,
            internal,
            public,
            identities,
        };
        Arc::make_mut(&mut self.gateways).insert(gateway.id.clone(), of);
    }

    fn of(&self, gateway: &GatewayId) -> Result<&OfGateway, Fault> {
        self.gateways.get(gateway).ok_or_else(|| {
            Fault::new(
                FaultKind::NotFound,
                Boundary::Panel,
                format!("There is no gateway `{gateway}`."),
            )
        })
    }

    /// Files are read and written away from the tasks that serve pages.
    async fn on_disk<T: Send + 'static>(
        &self,
        gateway: &GatewayId,
        work: impl FnOnce(Rotator) -> Result<T, Fault> + Send + 'static,
    ) -> Result<T, Fault> {
        let rotator = self.of(gateway)?.rotator.clone();
        let done = tokio::task::spawn_blocking(move || work(rotator)).await;
        done.unwrap_or_else(|_| {
            Err(Fault::new(
                FaultKind::Unexpected,
                Boundary::Panel,
                "The panel failed while it worked on the key's file; its own log says more.",
            ))
        })
    }

    fn learn(&self, key: &SecretString) {
        self.scrubber.learn(key.expose_secret());
    }

    async fn mark(&self, gateway: &GatewayId, key: SecretString) -> Result<Fingerprint, Fault> {
        self.learn(&key);
        self.on_disk(gateway, move |rotator| rotator.mark(&key))
            .await
    }
}

fn answered(takes: Result<bool, Fault>) -> Answer {
    match takes {
        Ok(true) => Answer::Takes,
        Ok(false) => Answer::Refuses,
        Err(fault) => Answer::Untold(fault.message),
    }
}

#[async_trait]
impl GatewayKeys for KeyStore {
    async fn look(&self, gateway: &GatewayId) -> Result<KeyLine, Fault> {
        let (line, key) = self
            .on_disk(gateway, |rotator| Ok((rotator.look()?, rotator.present()?)))
            .await?;
        self.learn(&key);
        Ok(line)
    }

    async fn renew(
        &self,
        gateway: &GatewayId,
        operation: OperationId,
        next: NextKey,
    ) -> Result<Fingerprint, Fault> {
        let key = self
            .on_disk(gateway, move |rotator| rotator.renew(operation, next))
            .await?;
        self.mark(gateway, key).await
    }

    async fn kept(
        &self,
        gateway: &GatewayId,
        operation: OperationId,
    ) -> Result<Option<Fingerprint>, Fault> {
        let kept = self
            .on_disk(gateway, move |rotator| rotator.previous(operation))
            .await?;
        match kept {
            Some(key) => self.mark(gateway, key).await.map(Some),
            None => Ok(None),
        }
    }

    async fn put_back(
        &self,
        gateway: &GatewayId,
        operation: OperationId,
    ) -> Result<Option<Fingerprint>, Fault> {
        let back = self
            .on_disk(gateway, move |rotator| rotator.put_back(operation))
            .await?;
        match back {
            Some(key) => self.mark(gateway, key).await.map(Some),
            None => Ok(None),
        }
    }

    async fn forget(&self, gateway: &GatewayId, operation: OperationId) -> Result<(), Fault> {
        self.on_disk(gateway, move |rotator| rotator.forget(operation))
            .await
    }

    async fn in_container(&self, gateway: &GatewayId) -> Result<Option<Fingerprint>, Fault> {
        match self.docker.running_secret(gateway, KEY_VARIABLE).await? {
            Some(key) => self.mark(gateway, key).await.map(Some),
            None => Ok(None),
        }
    }

    async fn try_doors(&self, gateway: &GatewayId, which: WhichKey) -> Result<Vec<Tried>, Fault> {
        let key = self
            .on_disk(gateway, move |rotator| match which {
                WhichKey::Present => rotator.present(),
                WhichKey::Previous(operation) => rotator.previous(operation)?.ok_or_else(|| {
                    Fault::new(
                        FaultKind::NotFound,
                        Boundary::Panel,
                        "The sealed copy of the old key is not in this panel's folder, so the old key cannot be tried.",
                    )
                }),
            })
            .await?;
        self.learn(&key);
        let of = self.of(gateway)?;
        let device = Identity::present(&of.identities).await?;
        let (http, socket, public_http, public_socket) = tokio::join!(
            of.prober.takes_key(&key),
            link::takes_key(&of.internal, &device, &key),
            of.prober.takes_key_publicly(&key),
            link::takes_key(&of.public, &device, &key),
        );
        let tried = [
            (Door::InternalHttp, http),
            (Door::InternalSocket, socket),
            (Door::PublicHttp, public_http),
            (Door::PublicSocket, public_socket),
        ];
        Ok(tried
            .into_iter()
            .map(|(door, takes)| Tried {
                door,
                answer: answered(takes),
            })
            .collect())
    }

    async fn read(
        &self,
        gateway: &GatewayId,
        fingerprint: &Fingerprint,
    ) -> Result<SecretString, Fault> {
        let wanted = fingerprint.clone();
        let key = self
            .on_disk(gateway, move |rotator| {
                let key = rotator.present()?;
                if rotator.mark(&key)? == wanted {
                    return Ok(key);
                }
                Err(Fault::new(
                    FaultKind::Invalid,
                    Boundary::Compose,
                    "The key in .env is another one by now: it was changed after this rotation.",
                ))
            })
            .await?;
        self.learn(&key);
        Ok(key)
    }
}
