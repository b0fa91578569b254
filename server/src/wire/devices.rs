//! The panel's identities at its gateways: their files, the gateway's list of devices, and the connection that goes by them.

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use adapter_gateway::device::{DeviceError, DeviceFolder, DeviceIdentity, Identities};
use adapter_gateway::link::{self, GatewayLink, Key, LinkConfig, LinkState, Visit};
use adapter_gateway::pairing::{self, Listed};
use async_trait::async_trait;
use domain::audit::{AuditOutcome, act};
use domain::device::{DeviceId, Met};
use domain::fact::Control;
use domain::fault::{Boundary, Fault, FaultKind};
use domain::gateway::GatewayId;
use domain::operation::OperationId;
use domain::ports::PanelDevices;

use super::device::ContainerApprover;

/// For a connection with another identity: the gateway answers within a second, when it is not busy.
const CONNECTED: Duration = Duration::from_secs(40);
/// For a look: a panel that is not connected says so soon.
const LOOK: Duration = Duration::from_secs(15);
/// What was approved in the very moment in which it was turned down is looked at again.
const LOOKS: usize = 3;

/// Why devices come and go here, for the audit trail.
const RENEWAL: &str = "the panel's identity is being renewed";

/// What belongs to one gateway.
#[derive(Clone)]
struct OfGateway {
    identities: Identities,
    link: GatewayLink,
    socket: LinkConfig,
    key: Arc<dyn Key>,
    approver: ContainerApprover,
}

/// See the module. Cheap to clone.
#[derive(Clone)]
pub(crate) struct DeviceStore {
    folder: DeviceFolder,
    gateways: Arc<BTreeMap<GatewayId, OfGateway>>,
}

impl DeviceStore {
    /// Gives every gateway an identity of its own. Blocking: called once at start.
    pub(super) fn settled<'a>(
        data: &Path,
        gateways: impl IntoIterator<Item = &'a GatewayId>,
    ) -> Result<Self, DeviceError> {
        let folder = DeviceFolder::new(data);
        folder.settle(gateways)?;
        Ok(Self {
            folder,
            gateways: Arc::default(),
        })
    }

    /// The identities at a gateway.
    pub(super) fn identities(&self, gateway: &GatewayId) -> Identities {
        self.folder.of(gateway)
    }

    /// Knows this gateway, too.
    pub(super) fn add(
        &mut self,
        gateway: &GatewayId,
        link: GatewayLink,
        socket: LinkConfig,
        key: Arc<dyn Key>,
        approver: ContainerApprover,
    ) {
        let of = OfGateway {
            identities: self.identities(gateway),
            link,
            socket,
            key,
            approver,
        };
        Arc::make_mut(&mut self.gateways).insert(gateway.clone(), of);
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
}

impl OfGateway {
    /// Files are read and written away from the tasks that serve pages.
    async fn on_disk<T: Send + 'static>(
        &self,
        work: impl FnOnce(Identities) -> Result<T, DeviceError> + Send + 'static,
    ) -> Result<T, Fault> {
        let identities = self.identities.clone();
        let done = tokio::task::spawn_blocking(move || work(identities)).await;
        let broke = |_| {
            Fault::new(
                FaultKind::Unexpected,
                Boundary::Panel,
                "The panel failed while it worked on its device key; its own log says more.",
            )
        };
        Ok(done.map_err(broke)??)
    }

    async fn present(&self) -> Result<DeviceId, Fault> {
        self.on_disk(|identities| identities.present().map(|present| present.id().clone()))
            .await
    }

    /// The connection as the identity in use: another process of the panel may have renewed it.
    async fn connected(&self, limit: Duration) -> Result<(DeviceId, LinkState), Fault> {
        let present = self.present().await?;
        let state = self.link.connect_as(&present, limit).await?;
        Ok((present, state))
    }

    async fn identity(&self, device: &DeviceId) -> Result<DeviceIdentity, Fault> {
        let device = device.clone();
        self.on_disk(move |identities| identities.find(&device))
            .await
    }

    /// Removes a device that is paired, audited.
    async fn unpair(&self, operation: OperationId, device: &DeviceId) -> Result<(), Fault> {
        let audit = self.approver.in_operation(operation, RENEWAL);
        audit
            .audit(
                act::UNPAIR_DEVICE,
                Some(device),
                AuditOutcome::Requested,
                None,
            )
            .await?;
        let removed = pairing::remove(&self.link, device).await;
        let (outcome, note) = match &removed {
            Ok(()) => (AuditOutcome::Succeeded, None),
            Err(fault) => (AuditOutcome::Failed, Some(fault.message.clone())),
        };
        audit
            .audit(act::UNPAIR_DEVICE, Some(device), outcome, note)
            .await?;
        removed
    }
}

#[async_trait]
impl PanelDevices for DeviceStore {
    async fn look(&self, gateway: &GatewayId) -> Result<DeviceId, Fault> {
        let (present, state) = self.of(gateway)?.connected(LOOK).await?;
        if let Control::ScopeMissing { scope } = &state.control {
            return Err(Fault::new(
                FaultKind::Refused,
                Boundary::Gateway,
                format!(
                    "The panel's device lacks the scope {scope}, so it could not remove another device. Approve it again in the gateway."
                ),
            ));
        }
        if !pairing::offered(&state) {
            return Err(Fault::new(
                FaultKind::NotOffered,
                Boundary::Gateway,
                "This version of the gateway cannot be told to remove a device. Renew the identity by hand: the register of \
                 credentials says how.",
            ));
        }
        Ok(present)
    }

    async fn make(&self, gateway: &GatewayId, operation: OperationId) -> Result<DeviceId, Fault> {
        self.of(gateway)?
            .on_disk(move |identities| identities.make(operation).map(|made| made.id().clone()))
            .await
    }

    async fn pair(
        &self,
        gateway: &GatewayId,
        operation: OperationId,
        device: &DeviceId,
    ) -> Result<(), Fault> {
        let of = self.of(gateway)?;
        let identity = of.identity(device).await?;
        let key = of.key.token().await;
        let approver = of.approver.in_operation(operation, RENEWAL);
        pairing::pair(&of.socket, &identity, key.as_ref(), &approver).await
    }

    async fn meet(&self, gateway: &GatewayId, device: &DeviceId) -> Result<Met, Fault> {
        let of = self.of(gateway)?;
        let identity = of.identity(device).await?;
        let key = of.key.token().await;
        let visited = link::visit(&of.socket, &identity, key.as_ref()).await?;
        Ok(match visited {
            Visit::Known => Met::Known,
            Visit::Unknown { .. } => Met::Unknown,
        })
    }

    async fn take_into_use(&self, gateway: &GatewayId, new: &DeviceId) -> Result<(), Fault> {
        let of = self.of(gateway)?;
        let wanted = new.clone();
        of.on_disk(move |identities| identities.take_into_use(&wanted))
            .await?;
        of.connected(CONNECTED).await.map(drop)
    }

    async fn put_back(&self, gateway: &GatewayId, old: &DeviceId) -> Result<(), Fault> {
        let of = self.of(gateway)?;
        let wanted = old.clone();
        of.on_disk(move |identities| identities.put_back(&wanted))
            .await?;
        of.connected(CONNECTED).await.map(drop)
    }

    async fn replaced(&self, gateway: &GatewayId) -> Result<Vec<DeviceId>, Fault> {
        self.of(gateway)?
            .on_disk(|identities| identities.replaced())
            .await
    }

    async fn remove(
        &self,
        gateway: &GatewayId,
        operation: OperationId,
        device: &DeviceId,
    ) -> Result<(), Fault> {
        let of = self.of(gateway)?;
        let (present, _) = of.connected(CONNECTED).await?;
        // It would be the last thing that the panel says to this gateway.
        if present == *device {
            return Err(Fault::new(
                FaultKind::Invalid,
                Boundary::Panel,
                "This is the identity that the panel uses, so it does not remove it.",
            ));
        }
        for _ in 0..LOOKS {
            let listed = pairing::find(&of.link, device).await?;
            if listed == Listed::default() {
                return Ok(());
            }
            for request in &listed.requests {
                pairing::reject(&of.link, request).await?;
            }
            if listed.paired {
                of.unpair(operation, device).await?;
            }
        }
        let why = "The gateway was told to forget the device and goes on to list it.";
        Err(Fault::new(FaultKind::Unexpected, Boundary::Gateway, why).retryable())
    }

    async fn discard(&self, gateway: &GatewayId, operation: OperationId) -> Result<(), Fault> {
        self.of(gateway)?
            .on_disk(move |identities| identities.discard(operation))
            .await
    }

    async fn forget(&self, gateway: &GatewayId, device: &DeviceId) -> Result<(), Fault> {
        let device = device.clone();
        self.of(gateway)?
            .on_disk(move |identities| identities.forget(&device))
            .await
    }
}
