//! Single connections apart from the supervised socket: to ask whether a key is taken, and as whom the panel is known.

use domain::fault::{Boundary, Fault, FaultKind};
use domain::scrub::Scrubber;
use secrecy::{ExposeSecret as _, SecretString};
use serde_json::json;
use tokio::time::timeout;

use super::dial::{Dial, Wire};
use super::session::{self, Shut};
use super::{ACCOUNTS_LIMIT, LinkConfig};
use crate::device::DeviceIdentity;
use crate::probe::sentence;
use crate::protocol::{Hello, Refusal};

/// Whether the gateway's socket takes this key: `hello-ok` or `AUTH_TOKEN_MISMATCH`, seen on 2026.3 to 2026.9. The
/// connection is closed at once.
///
/// # Errors
/// When it cannot be told, in a sentence.
pub async fn takes_key(
    config: &LinkConfig,
    device: &DeviceIdentity,
    key: &SecretString,
) -> Result<bool, Fault> {
    match knock(config, device, Some(key)).await {
        Ok(_) => Ok(true),
        Err(Shut::Refused(Refusal::Key)) => Ok(false),
        Err(Shut::Refused(Refusal::Pairing { .. })) => Err(untold(
            FaultKind::Unreachable,
            "it does not know the panel's device, so it does not say what it makes of the key",
        )),
        Err(Shut::Refused(Refusal::Other(_))) => Err(untold(
            FaultKind::Unexpected,
            "it refused for another reason than the key",
        )),
        Err(shut) => Err(closed(shut)),
    }
}

/// What became of a visit.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Visit {
    /// It was let in, and was told the accounts.
    Known,
    /// The gateway does not know the device. The request that now waits for approval, when it named one.
    Unknown {
        /// Checked: it fits the vendor's pattern and belongs to this device.
        request_id: Option<String>,
    },
}

/// Comes as this device, asks for the accounts and leaves again. A device that is unknown leaves a request for approval
/// behind (seen on 2026.9.6).
///
/// # Errors
/// When it cannot be told, in a sentence.
pub async fn visit(
    config: &LinkConfig,
    device: &DeviceIdentity,
    key: Option<&SecretString>,
) -> Result<Visit, Fault> {
    let (mut wire, hello) = match knock(config, device, key).await {
        Ok(open) => open,
        Err(Shut::Refused(Refusal::Pairing { request_id })) => {
            return Ok(Visit::Unknown { request_id });
        }
        Err(Shut::Refused(Refusal::Key)) => {
            let why = "it refuses the key that the panel has for it";
            return Err(untold(FaultKind::Refused, why));
        }
        Err(shut) => return Err(closed(shut)),
    };
    if let Some(scope) = hello.missing_scope {
        let why = format!("it let the device in without the scope {scope}");
        return Err(untold(FaultKind::Refused, &why));
    }
    let method = "channels.status";
    let params = json!({ "probe": false });
    let asked = session::ask(&mut wire, method, &params);
    let answer = timeout(ACCOUNTS_LIMIT, asked)
        .await
        .map_err(|_| untold(FaultKind::TimedOut, "it did not tell the accounts in time"))?
        .map_err(|why| untold(FaultKind::Unreachable, &why))?;
    let told = answer.map_err(|error| error.fault(method, &scrubber(key)));
    told.map(|_| Visit::Known)
}

async fn knock(
    config: &LinkConfig,
    device: &DeviceIdentity,
    key: Option<&SecretString>,
) -> Result<(Wire, Hello), Shut> {
    let dial = Dial::new(config.url.clone(), &config.trust, &config.limits);
    let mut wire = dial.open().await.map_err(Shut::Broken)?;
    let scrubber = scrubber(key);
    let secret = key.map(SecretString::expose_secret);
    let hello = session::shake(&mut wire, device, secret, &config.limits, &scrubber).await?;
    Ok((wire, hello))
}

fn scrubber(key: Option<&SecretString>) -> Scrubber {
    Scrubber::new(key.map(|key| key.expose_secret().to_owned()))
}

fn untold(kind: FaultKind, clause: &str) -> Fault {
    Fault::new(kind, Boundary::Gateway, sentence(clause))
}

/// What a closed door means whatever is asked for.
fn closed(shut: Shut) -> Fault {
    match shut {
        Shut::Broken(why) => untold(FaultKind::Unreachable, &why),
        Shut::Refused(Refusal::Starting { .. }) => {
            untold(FaultKind::Unreachable, "it is still starting")
        }
        Shut::Refused(Refusal::RateLimited) => untold(
            FaultKind::Refused,
            "it counted too many wrong keys and lets nobody in for some minutes",
        ),
        Shut::Refused(Refusal::Protocol { .. }) => untold(
            FaultKind::NotOffered,
            "it speaks another protocol than the panel",
        ),
        Shut::Refused(Refusal::Other(why)) => untold(FaultKind::Unexpected, &why),
        Shut::Refused(Refusal::Key | Refusal::Pairing { .. }) => {
            untold(FaultKind::Unexpected, "it refused the panel")
        }
    }
}
