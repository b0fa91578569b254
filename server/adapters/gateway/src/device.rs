//! The panel's device identity: an Ed25519 key, one for each gateway, kept in a file of its own.
//!
//! A caller that is not on the gateway's loopback keeps its scopes only with a paired device (seen on
//! 2026.9.6; `docs/gateway/protocol/auth.md`). `device.id` is the hex SHA-256 of the raw public key,
//! key and signature travel as base64url without padding.

mod folder;

use std::io;
use std::path::{Path, PathBuf};

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use domain::device::DeviceId;
use domain::fault::{Boundary, Fault, FaultKind};
use ed25519_dalek::{Signer, SigningKey};
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

pub use folder::{DeviceFolder, Identities};

use crate::probe::sentence;

/// The key file cannot be used; says what to do.
#[derive(Debug, thiserror::Error)]
pub enum DeviceError {
    /// Reading or writing failed.
    #[error("the panel's device key {} cannot be {doing}: {source}", .path.display())]
    File {
        /// The file.
        path: PathBuf,
        /// `read`, `written`, `deleted`.
        doing: &'static str,
        /// Why.
        #[source]
        source: io::Error,
    },
    /// The content is no key. It is not replaced by itself: a new key must be paired again.
    #[error(
        "the panel's device key {} is damaged: move it away; the panel then makes a new one and pairs it",
        .path.display()
    )]
    Damaged {
        /// The file.
        path: PathBuf,
    },
    /// There is none of that id.
    #[error("the key of device {device} is not in this panel's data folder")]
    Missing {
        /// Its id.
        device: DeviceId,
    },
}

impl DeviceError {
    fn file(path: &Path, doing: &'static str) -> impl Fn(io::Error) -> Self {
        let path = path.to_owned();
        move |source| Self::File {
            path: path.clone(),
            doing,
            source,
        }
    }
}

impl From<DeviceError> for Fault {
    fn from(error: DeviceError) -> Self {
        let kind = match &error {
            DeviceError::File { .. } => FaultKind::Refused,
            DeviceError::Damaged { .. } => FaultKind::Invalid,
            DeviceError::Missing { .. } => FaultKind::NotFound,
        };
        // Paths and the operating system's words: nothing of a key.
        Self::new(kind, Boundary::Panel, sentence(&error.to_string()))
    }
}

/// The content of the file.
#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Kept {
    version: u32,
    /// The 32 secret bytes, base64url.
    secret: String,
}

/// Who the panel is to a gateway. Signs; never prints its key.
#[derive(Clone)]
pub struct DeviceIdentity {
    key: SigningKey,
    id: DeviceId,
}

impl core::fmt::Debug for DeviceIdentity {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        write!(f, "DeviceIdentity({})", self.id)
    }
}

impl DeviceIdentity {
    /// The identity of 32 secret bytes.
    pub fn from_secret(secret: [u8; 32]) -> Self {
        let key = SigningKey::from_bytes(&secret);
        let hash = Sha256::digest(key.verifying_key().as_bytes());
        let id = DeviceId::of_hash(hash.into());
        Self { key, id }
    }

    /// `device.id`.
    pub fn id(&self) -> &DeviceId {
        &self.id
    }

    /// `device.publicKey`.
    pub fn public_key(&self) -> String {
        URL_SAFE_NO_PAD.encode(self.key.verifying_key().as_bytes())
    }

    /// `device.signature` of a text.
    pub fn sign(&self, text: &str) -> String {
        URL_SAFE_NO_PAD.encode(self.key.sign(text.as_bytes()).to_bytes())
    }

    fn read(bytes: &[u8]) -> Option<Self> {
        let kept: Kept = serde_json::from_slice(bytes).ok()?;
        let secret = URL_SAFE_NO_PAD.decode(kept.secret).ok()?;
        (kept.version == 1).then_some(Self::from_secret(secret.try_into().ok()?))
    }

    /// The content of its file.
    fn to_bytes(&self) -> io::Result<Vec<u8>> {
        let kept = Kept {
            version: 1,
            secret: URL_SAFE_NO_PAD.encode(self.key.to_bytes()),
        };
        serde_json::to_vec_pretty(&kept).map_err(io::Error::other)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_of_the_key_is_printed() {
        let identity = DeviceIdentity::from_secret([7; 32]);
        let printed = format!("{identity:?}");
        assert_eq!(printed, format!("DeviceIdentity({})", identity.id()));
    }

    #[test]
    fn what_cannot_be_used_is_said_in_a_sentence() {
        let path = PathBuf::from("/data/present.json");
        let fault = Fault::from(DeviceError::Damaged { path });
        assert_eq!(
            fault.message,
            "The panel's device key /data/present.json is damaged: move it away; the panel then makes a new one and pairs it."
        );
    }
}
