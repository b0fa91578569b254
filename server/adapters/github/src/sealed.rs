//! The sealed box (libsodium's `crypto_box_seal`): only GitHub can open it.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use crypto_box::aead::OsRng;
use domain::fault::{Fault, FaultKind};
use secrecy::{ExposeSecret as _, SecretString};
use serde::Deserialize;

use crate::fault;

/// GitHub's own limit.
const LONGEST: usize = 48 * 1024;

/// A repository's public key, as the API writes it.
#[derive(Debug, Deserialize)]
pub(crate) struct PublicKey {
    pub(crate) key_id: String,
    key: String,
}

impl PublicKey {
    pub(crate) fn read(&self) -> Option<crypto_box::PublicKey> {
        let bytes = STANDARD.decode(&self.key).ok()?;
        crypto_box::PublicKey::from_slice(&bytes).ok()
    }
}

/// The value in a box, in base64.
pub(crate) fn seal(key: &PublicKey, value: &SecretString) -> Result<String, Fault> {
    let value = value.expose_secret().as_bytes();
    if value.is_empty() || value.len() > LONGEST {
        let why = "GitHub takes secrets of 1 byte to 48 kB; this value is none of that size.";
        return Err(fault(FaultKind::Invalid, why));
    }
    key.read()
        .and_then(|key| key.seal(&mut OsRng, value).ok())
        .map(|sealed| STANDARD.encode(sealed))
        .ok_or_else(|| {
            let why = "The secret could not be sealed for GitHub's public key. Set it by hand.";
            fault(FaultKind::Unexpected, why)
        })
}

#[cfg(test)]
mod tests {
    use crypto_box::SecretKey;

    use super::*;

    fn key() -> SecretKey {
        let bytes = STANDARD.decode("L605/v1/o+IAqcYm7vWZ5hotBVxIqCiKTn5MS8o5KPg=");
        SecretKey::from_slice(&bytes.unwrap()).unwrap()
    }

    #[test]
    fn the_box_is_libsodiums() {
        // Made by libsodium 1.0.22's crypto_box_seal.
        let sealed = "7RxPC0p+5XyR4F3AXKRZbbajmj0LNnVvBPBws7x8+Xvwvb4pcJ0k/mQZ4zsN1zbjwteb2jZvPeMylSI7r/gpPtlVave+08d3aeg=";
        let opened = key().unseal(&STANDARD.decode(sealed).unwrap()).unwrap();
        assert_eq!(opened, b"a value for the repository");
    }

    #[test]
    fn what_is_sealed_opens_and_no_box_is_like_another() {
        let public = PublicKey {
            key_id: "1".to_owned(),
            key: STANDARD.encode(key().public_key().as_bytes()),
        };
        let value = SecretString::from("hunter22hunter22");
        let [one, two] = [(); 2].map(|()| seal(&public, &value).unwrap());
        assert_ne!(one, two);
        let opened = key().unseal(&STANDARD.decode(one).unwrap()).unwrap();
        assert_eq!(opened, b"hunter22hunter22");
    }
}
