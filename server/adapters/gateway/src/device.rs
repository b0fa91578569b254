//! The panel's device identity: an Ed25519 key made once and kept in a file of its own.
//!
//! A caller that is not on the gateway's loopback keeps its scopes only with a paired device (seen on
//! 2026.9.6; `docs/gateway/protocol/auth.md`). `device.id` is the hex SHA-256 of the raw public key,
//! key and signature travel as base64url without padding.

use std::fs::{self, OpenOptions, Permissions};
use std::io::{self, Write};
use std::os::unix::fs::{OpenOptionsExt, PermissionsExt};
use std::path::{Path, PathBuf};

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use ed25519_dalek::{Signer, SigningKey};
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

/// The key file cannot be used; says what to do.
#[derive(Debug, thiserror::Error)]
pub enum DeviceError {
    /// Reading or writing failed.
    #[error("the panel's device key {} cannot be {doing}: {source}", .path.display())]
    File {
        /// The file.
        path: PathBuf,
        /// `read`, `written`.
        doing: &'static str,
        /// Why.
        #[source]
        source: io::Error,
    },
    /// The content is no key. It is not replaced by itself: a new key must be paired again.
    #[error(
        "the panel's device key {} is damaged: move it away and start again; the panel then makes a new one and pairs it",
        .path.display()
    )]
    Damaged {
        /// The file.
        path: PathBuf,
    },
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
    id: String,
}

impl core::fmt::Debug for DeviceIdentity {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        write!(f, "DeviceIdentity({})", self.id)
    }
}

impl DeviceIdentity {
    /// The identity in `path`, made when there is none: mode 0600, written whole, then renamed.
    /// Blocking: called once at start.
    pub fn load_or_create(path: &Path) -> Result<Self, DeviceError> {
        let file = |doing| {
            move |source| DeviceError::File {
                path: path.to_owned(),
                doing,
                source,
            }
        };
        match fs::read(path) {
            Ok(bytes) => {
                // A copy or a restore may have opened it to others.
                fs::set_permissions(path, Permissions::from_mode(0o600)).map_err(file("read"))?;
                Self::read(&bytes).ok_or_else(|| DeviceError::Damaged {
                    path: path.to_owned(),
                })
            }
            Err(error) if error.kind() == io::ErrorKind::NotFound => {
                let identity = Self::from_secret(rand::random());
                identity.write(path).map_err(file("written"))?;
                Ok(identity)
            }
            Err(error) => Err(file("read")(error)),
        }
    }

    /// The identity of 32 secret bytes.
    pub fn from_secret(secret: [u8; 32]) -> Self {
        let key = SigningKey::from_bytes(&secret);
        let id = hex::encode(Sha256::digest(key.verifying_key().as_bytes()));
        Self { key, id }
    }

    /// `device.id`.
    pub fn id(&self) -> &str {
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

    fn write(&self, path: &Path) -> io::Result<()> {
        let kept = Kept {
            version: 1,
            secret: URL_SAFE_NO_PAD.encode(self.key.to_bytes()),
        };
        let text = serde_json::to_vec_pretty(&kept).map_err(io::Error::other)?;
        let mut name = path.file_name().unwrap_or_default().to_owned();
        name.push(format!(".{:08x}.new", rand::random::<u32>()));
        let beside = path.with_file_name(name);
        let written = (|| {
            let mut file = OpenOptions::new()
                .write(true)
                .create_new(true)
                .mode(0o600)
                .open(&beside)?;
            file.write_all(&text)?;
            file.sync_all()?;
            fs::rename(&beside, path)
        })();
        if written.is_err() {
            drop(fs::remove_file(&beside));
        }
        written
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_key_is_made_once_and_only_its_owner_reads_it() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("device.json");
        let made = DeviceIdentity::load_or_create(&path).unwrap();
        fs::set_permissions(&path, Permissions::from_mode(0o644)).unwrap();
        let read = DeviceIdentity::load_or_create(&path).unwrap();
        assert_eq!(made.id(), read.id());
        assert_eq!(
            fs::metadata(&path).unwrap().permissions().mode() & 0o777,
            0o600
        );
        assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 1);
    }

    #[test]
    fn a_damaged_key_is_not_replaced() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("device.json");
        fs::write(&path, "{}").unwrap();
        let error = DeviceIdentity::load_or_create(&path).unwrap_err();
        assert!(matches!(error, DeviceError::Damaged { .. }));
        assert_eq!(fs::read(&path).unwrap(), b"{}");
    }

    #[test]
    fn nothing_of_the_key_is_printed() {
        let identity = DeviceIdentity::from_secret([7; 32]);
        let printed = format!("{identity:?}");
        assert_eq!(printed, format!("DeviceIdentity({})", identity.id()));
    }
}
