//! The panel's identities, faked over the world: a number each.

use async_trait::async_trait;
use domain::credential::NewRotation;
use domain::device::{DeviceId, Met};
use domain::fault::{Boundary, Fault, FaultKind};
use domain::gateway::GatewayId;
use domain::operation::OperationId;
use domain::ports::{PanelDevices, RotationNotes, StoreError};

use super::control::away;
use super::world::{Inner, World};

/// See the module.
#[derive(Clone, Debug)]
pub struct FakeDevices {
    /// In use, by its file.
    pub present: u32,
    /// As whom the panel is connected.
    pub connected: u32,
    /// The operation that made one, and that one.
    pub made: Option<(OperationId, u32)>,
    /// Those that were replaced and are still kept.
    pub kept: Vec<u32>,
    /// Those that the gateway knows.
    pub paired: Vec<u32>,
    /// Those that have asked it to be known.
    pub asking: Vec<u32>,
    /// The gateway forgets whom it has approved.
    pub forgetful: bool,
    /// The gateway approves whoever comes.
    pub open_door: bool,
    /// What was noted in the register.
    pub noted: Vec<NewRotation>,
    ever: u32,
}

impl Default for FakeDevices {
    fn default() -> Self {
        Self {
            present: 1,
            connected: 1,
            made: None,
            kept: Vec::new(),
            paired: vec![1],
            asking: Vec::new(),
            forgetful: false,
            open_door: false,
            noted: Vec::new(),
            ever: 1,
        }
    }
}

/// The id of a fake device.
fn id(device: u32) -> DeviceId {
    let mut hash = [0; 32];
    hash[..4].copy_from_slice(&device.to_be_bytes());
    DeviceId::of_hash(hash)
}

fn wrong(why: &str) -> Fault {
    Fault::new(FaultKind::Unexpected, Boundary::Panel, why)
}

impl FakeDevices {
    /// The one of that id whose secret half the panel has.
    fn own(&self, device: &DeviceId) -> Result<u32, Fault> {
        let made = self.made.map(|(_, made)| made);
        let all = [self.present].into_iter().chain(made);
        let mut all = all.chain(self.kept.iter().copied());
        all.find(|one| id(*one) == *device)
            .ok_or_else(|| wrong("there is no such identity"))
    }

    fn come(&mut self, device: u32) -> Met {
        if self.open_door && !self.paired.contains(&device) {
            self.paired.push(device);
        }
        if self.paired.contains(&device) {
            return Met::Known;
        }
        if !self.asking.contains(&device) {
            self.asking.push(device);
        }
        Met::Unknown
    }
}

/// As whom the panel is connected after it has connected anew.
fn connect(inner: &mut Inner) -> Result<(), Fault> {
    let devices = &mut inner.devices;
    if !devices.paired.contains(&devices.present) {
        return Err(wrong("the panel has lost its own gateway"));
    }
    devices.connected = devices.present;
    Ok(())
}

#[async_trait]
impl PanelDevices for World {
    async fn look(&self, _: &GatewayId) -> Result<DeviceId, Fault> {
        self.call("look_at_device", |inner, now| {
            if !inner.live(now) {
                return Err(away());
            }
            Ok(id(inner.devices.present))
        })
        .await
    }

    async fn make(&self, _: &GatewayId, operation: OperationId) -> Result<DeviceId, Fault> {
        self.call("make_device", |inner, _| {
            if let Some((_, made)) = inner.devices.made.filter(|(by, _)| *by == operation) {
                return Ok(id(made));
            }
            inner.devices.ever += 1;
            let made = inner.devices.ever;
            inner.devices.made = Some((operation, made));
            inner.changed("make_device");
            Ok(id(made))
        })
        .await
    }

    async fn pair(&self, _: &GatewayId, _: OperationId, device: &DeviceId) -> Result<(), Fault> {
        let known = self
            .call("ask_device_in", |inner, now| {
                if !inner.live(now) {
                    return Err(away());
                }
                let device = inner.devices.own(device)?;
                let met = inner.devices.come(device);
                inner.changed("ask_device_in");
                Ok(met == Met::Known)
            })
            .await?;
        if known {
            return Ok(());
        }
        self.call("approve_device", |inner, _| {
            let device = inner.devices.own(device)?;
            inner.devices.asking.retain(|one| *one != device);
            if !inner.devices.forgetful {
                inner.devices.paired.push(device);
            }
            inner.changed("approve_device");
            Ok(())
        })
        .await
    }

    async fn meet(&self, _: &GatewayId, device: &DeviceId) -> Result<Met, Fault> {
        self.call("meet", |inner, now| {
            if !inner.live(now) {
                return Err(away());
            }
            let device = inner.devices.own(device)?;
            let met = inner.devices.come(device);
            inner.changed("meet");
            Ok(met)
        })
        .await
    }

    async fn take_into_use(&self, _: &GatewayId, new: &DeviceId) -> Result<(), Fault> {
        self.call("use_device", |inner, _| {
            let devices = &mut inner.devices;
            let new = devices.own(new)?;
            if devices.present != new {
                devices.kept.push(devices.present);
                devices.present = new;
                devices.made = None;
                inner.changed("use_device");
            }
            Ok(())
        })
        .await?;
        self.call("connect_as", |inner, _| connect(inner)).await
    }

    async fn put_back(&self, _: &GatewayId, old: &DeviceId) -> Result<(), Fault> {
        self.call("put_device_back", |inner, _| {
            let devices = &mut inner.devices;
            let old = devices.own(old)?;
            devices.kept.retain(|one| *one != old);
            if devices.present != old {
                devices.present = old;
                inner.changed("put_device_back");
            }
            connect(inner)
        })
        .await
    }

    async fn replaced(&self, _: &GatewayId) -> Result<Vec<DeviceId>, Fault> {
        self.call("replaced_devices", |inner, _| {
            Ok(inner.devices.kept.iter().map(|one| id(*one)).collect())
        })
        .await
    }

    async fn remove(&self, _: &GatewayId, _: OperationId, device: &DeviceId) -> Result<(), Fault> {
        self.call("remove_device", |inner, now| {
            if !inner.live(now) {
                return Err(away());
            }
            connect(inner)?;
            let devices = &mut inner.devices;
            if id(devices.present) == *device {
                return Err(wrong("the panel was to remove itself"));
            }
            let known = devices.paired.len() + devices.asking.len();
            devices.paired.retain(|one| id(*one) != *device);
            devices.asking.retain(|one| id(*one) != *device);
            if devices.paired.len() + devices.asking.len() < known {
                inner.changed("remove_device");
            }
            Ok(())
        })
        .await
    }

    async fn discard(&self, _: &GatewayId, operation: OperationId) -> Result<(), Fault> {
        self.call("discard_device", |inner, _| {
            let made = &mut inner.devices.made;
            if made.take_if(|(by, _)| *by == operation).is_some() {
                inner.changed("discard_device");
            }
            Ok(())
        })
        .await
    }

    async fn forget(&self, _: &GatewayId, device: &DeviceId) -> Result<(), Fault> {
        self.call("forget_device", |inner, _| {
            let before = inner.devices.kept.len();
            inner.devices.kept.retain(|one| id(*one) != *device);
            if inner.devices.kept.len() < before {
                inner.changed("forget_device");
            }
            Ok(())
        })
        .await
    }
}

#[async_trait]
impl RotationNotes for World {
    async fn note_rotation(&self, rotation: NewRotation) -> Result<(), StoreError> {
        let noted = self.call("note_in_register", |inner, _| {
            let mut noted = inner.devices.noted.iter();
            if !noted.any(|one| one.operation == rotation.operation) {
                inner.devices.noted.push(rotation);
                inner.changed("note_in_register");
            }
            Ok(())
        });
        noted.await.map_err(|fault| StoreError {
            doing: "noting a rotation",
            source: fault.into(),
        })
    }
}
