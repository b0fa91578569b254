//! Fingerprints of keys.

use std::path::PathBuf;

use domain::credential::Fingerprint;
use domain::fault::{Boundary, Fault, FaultKind};
use hmac::{Hmac, Mac as _};
use secrecy::{ExposeSecret as _, SecretString};
use sha2::Sha256;

use crate::fault::file;
use crate::files;

/// Bytes of the panel's key for fingerprints.
const BYTES: usize = 32;

/// Makes fingerprints under a key of the panel, kept in a file of its own: without it nobody can try guesses against a
/// fingerprint.
#[derive(Clone)]
pub struct Marks {
    path: PathBuf,
}

impl Marks {
    /// With the key in this file, which is made when it is needed.
    pub fn new(path: PathBuf) -> Self {
        Self { path }
    }

    /// The fingerprint of a value.
    ///
    /// # Errors
    /// When the key cannot be read or made.
    pub fn of(&self, value: &SecretString) -> Result<Fingerprint, Fault> {
        let key = files::load_or_make(&self.path, || files::random::<BYTES>().map(Vec::from))
            .map_err(|error| file(Boundary::Panel, "reading", &self.path, &error))?;
        let damaged = || {
            Fault::new(
                FaultKind::Invalid,
                Boundary::Panel,
                format!(
                    "The panel's key for fingerprints, {}, is damaged: move it away, and the panel makes a new one. \
                     Fingerprints of before then fit nothing any more.",
                    self.path.display()
                ),
            )
        };
        if key.len() != BYTES {
            return Err(damaged());
        }
        let mut mac = Hmac::<Sha256>::new_from_slice(&key).map_err(|_| damaged())?;
        mac.update(value.expose_secret().as_bytes());
        Ok(Fingerprint::of_hash(&mac.finalize().into_bytes().into()))
    }
}
