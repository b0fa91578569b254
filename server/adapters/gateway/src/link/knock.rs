//! One connection to ask whether a key is taken, apart from the supervised socket.

use domain::fault::{Boundary, Fault, FaultKind};
use domain::scrub::Scrubber;
use secrecy::{ExposeSecret as _, SecretString};

use super::LinkConfig;
use super::dial::Dial;
use super::session::{self, Shut};
use crate::device::DeviceIdentity;
use crate::probe::sentence;
use crate::protocol::Refusal;

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
    let untold = |kind, clause: &str| Fault::new(kind, Boundary::Gateway, sentence(clause));
    let key = key.expose_secret();
    let scrubber = Scrubber::new([key.to_owned()]);
    let dial = Dial::new(config.url.clone(), &config.trust, &config.limits);
    let mut wire = dial
        .open()
        .await
        .map_err(|why| untold(FaultKind::Unreachable, &why))?;
    match session::shake(&mut wire, device, Some(key), &config.limits, &scrubber).await {
        Ok(_) => Ok(true),
        Err(Shut::Refused(Refusal::Key)) => Ok(false),
        Err(Shut::Refused(refusal)) => Err(match refusal {
            Refusal::Starting { .. } => untold(FaultKind::Unreachable, "it is still starting"),
            Refusal::RateLimited => untold(
                FaultKind::Refused,
                "it counted too many wrong keys and lets nobody in for some minutes",
            ),
            Refusal::Pairing { .. } => untold(
                FaultKind::Unreachable,
                "it does not know the panel's device, so it does not say what it makes of the key",
            ),
            Refusal::Protocol { .. } => untold(
                FaultKind::NotOffered,
                "it speaks another protocol than the panel",
            ),
            Refusal::Key | Refusal::Other(_) => untold(
                FaultKind::Unexpected,
                "it refused for another reason than the key",
            ),
        }),
        Err(Shut::Broken(why)) => Err(untold(FaultKind::Unreachable, &why)),
    }
}
