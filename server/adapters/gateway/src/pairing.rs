//! The gateway's own list of devices: `device.pair.list`, `device.pair.reject`, `device.pair.remove`
//! (`docs/gateway/protocol/rpc-devices-nodes-and-approvals.md` and `docs/cli/devices.md` of the npm package `openclaw`
//! 2026.9.6; the command line's `devices remove DEVICE` calls the last one).
//!
//! They want `operator.pairing`, which `operator.admin` contains; with the latter a caller may remove other devices than
//! its own. A removed device is disconnected at once, and what it sends later is `NOT_PAIRED` (seen on 2026.3.31 and
//! 2026.9.6). So they are called by the connection of another device than the one that goes.

use std::time::Duration;

use domain::device::DeviceId;
use domain::fault::{Boundary, Fault, FaultKind};
use secrecy::SecretString;
use serde_json::{Value, json};

use crate::device::DeviceIdentity;
use crate::link::{self, Approver, GatewayLink, LinkConfig, LinkState, Visit};
use crate::protocol::ErrorShape;
use crate::protocol::refusal::is_request_id;

const LIST: &str = "device.pair.list";
const REJECT: &str = "device.pair.reject";
const REMOVE: &str = "device.pair.remove";
const LIMIT: Duration = Duration::from_secs(15);
/// An approval that changed nothing is tried this often.
const APPROVALS: usize = 3;

/// What the gateway has of one device.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Listed {
    /// It is paired.
    pub paired: bool,
    /// Its requests that wait for approval.
    pub requests: Vec<String>,
}

/// Comes as a device and has its request approved until it is known; known is success. An approval that fails is no
/// failure when the device is known all the same: one that a killed panel began goes on in the container.
///
/// # Errors
/// When it is not known in the end, or the gateway does not say.
pub async fn pair(
    config: &LinkConfig,
    device: &DeviceIdentity,
    key: Option<&SecretString>,
    approver: &dyn Approver,
) -> Result<(), Fault> {
    let fault = |kind, why: &str| Fault::new(kind, Boundary::Gateway, why);
    let mut refused = None;
    for tries in 0..=APPROVALS {
        match link::visit(config, device, key).await? {
            Visit::Known => return Ok(()),
            Visit::Unknown { .. } if tries == APPROVALS => break,
            Visit::Unknown {
                request_id: Some(request),
            } => refused = approver.approve(&request).await.err(),
            Visit::Unknown { request_id: None } => {
                let why = "The gateway wants the device approved but names no request of it.";
                return Err(fault(FaultKind::Unexpected, why));
            }
        }
    }
    let why = "The device was approved several times and is still unknown to the gateway.";
    Err(refused.unwrap_or_else(|| fault(FaultKind::Refused, why)))
}

/// Whether this gateway's version can be told to remove a device.
pub fn offered(state: &LinkState) -> bool {
    let all = [LIST, REJECT, REMOVE];
    all.into_iter().all(|method| state.methods.contains(method))
}

/// What the gateway has of a device.
///
/// # Errors
/// When it does not tell.
pub async fn find(link: &GatewayLink, device: &DeviceId) -> Result<Listed, Fault> {
    let list = link.call(LIST, json!({}), LIMIT).await?;
    read(&list, &device.to_string()).ok_or_else(|| {
        Fault::new(
            FaultKind::Unexpected,
            Boundary::Gateway,
            format!("The gateway answered {LIST} with something that is no list of devices."),
        )
    })
}

fn read(list: &Value, device: &str) -> Option<Listed> {
    let of_it = |entry: &&Value| entry.get("deviceId").and_then(Value::as_str) == Some(device);
    let paired = list.get("paired")?.as_array()?.iter().any(|it| of_it(&it));
    let pending = list.get("pending")?.as_array()?.iter().filter(of_it);
    let requests = pending
        .filter_map(|entry| entry.get("requestId").and_then(Value::as_str))
        .filter(|id| is_request_id(id))
        .map(str::to_owned);
    Some(Listed {
        paired,
        requests: requests.collect(),
    })
}

/// Turns down a request for approval; gone is success.
///
/// # Errors
/// When the gateway does not.
pub async fn reject(link: &GatewayLink, request_id: &str) -> Result<(), Fault> {
    let params = json!({ "requestId": request_id });
    done(link, REJECT, params, "unknown requestId").await
}

/// Removes a device; gone is success. Never the one that the panel is connected as: ask [`LinkState::device`] first.
///
/// # Errors
/// When the gateway does not.
pub async fn remove(link: &GatewayLink, device: &DeviceId) -> Result<(), Fault> {
    let params = json!({ "deviceId": device.to_string() });
    done(link, REMOVE, params, "unknown deviceId").await
}

async fn done(link: &GatewayLink, method: &str, params: Value, already: &str) -> Result<(), Fault> {
    let gone = |error: &ErrorShape| error.message.contains(already);
    match link.try_call(method, params, LIMIT).await? {
        Err(error) if !gone(&error) => Err(error.fault(method, &link.scrubber())),
        Ok(_) | Err(_) => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_device_is_found_among_others_with_its_requests() {
        let list = json!({
            "pending": [
                {"requestId": "r-1", "deviceId": "me"},
                {"requestId": "--all", "deviceId": "me"},
                {"requestId": "r-2", "deviceId": "you"},
            ],
            "paired": [{"deviceId": "you"}, {"displayName": "odd"}],
        });
        let mine = read(&list, "me").unwrap();
        assert_eq!(
            (mine.paired, mine.requests),
            (false, vec!["r-1".to_owned()])
        );
        assert!(read(&list, "you").unwrap().paired);
        assert_eq!(read(&list, "nobody"), Some(Listed::default()));
        assert_eq!(read(&json!({"paired": []}), "me"), None);
    }
}
