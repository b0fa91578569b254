//! Secrets that must be read again are sealed under a key that is not in the database: XChaCha20-Poly1305, bound to whom
//! they belong to.

use argon2::password_hash::rand_core::{OsRng, RngCore as _};
use chacha20poly1305::aead::{Aead as _, Payload};
use chacha20poly1305::{KeyInit as _, XChaCha20Poly1305, XNonce};
use sha2::{Digest as _, Sha256};
use uuid::Uuid;

const NONCE: usize = 24;

/// The key; never printed.
pub struct SealingKey {
    cipher: XChaCha20Poly1305,
    id: [u8; 8],
}

impl SealingKey {
    /// From its 32 bytes.
    pub fn new(secret: &[u8; 32]) -> Self {
        let mut digest = Sha256::new_with_prefix(b"openclaw-panel sealing key ");
        digest.update(secret);
        let digest: [u8; 32] = digest.finalize().into();
        let mut id = [0; 8];
        id.copy_from_slice(&digest[..8]);
        Self {
            cipher: XChaCha20Poly1305::new(secret.into()),
            id,
        }
    }

    /// Tells keys apart, and nothing more.
    pub(crate) fn id(&self) -> &[u8; 8] {
        &self.id
    }

    pub(crate) fn seal(&self, owner: Uuid, secret: &[u8]) -> sqlx::Result<Vec<u8>> {
        let mut nonce = [0_u8; NONCE];
        OsRng.fill_bytes(&mut nonce);
        let payload = Payload {
            msg: secret,
            aad: owner.as_bytes(),
        };
        let sealed = self.cipher.encrypt(XNonce::from_slice(&nonce), payload);
        let sealed = sealed.map_err(|_| sqlx::Error::Encode("a secret cannot be sealed".into()))?;
        Ok([nonce.as_slice(), &sealed].concat())
    }

    /// `None` when it was sealed under another key, for somebody else, or was changed.
    pub(crate) fn open(&self, owner: Uuid, sealed: &[u8]) -> Option<Vec<u8>> {
        let (nonce, msg) = sealed.split_at_checked(NONCE)?;
        let aad = owner.as_bytes();
        let payload = Payload { msg, aad };
        self.cipher.decrypt(XNonce::from_slice(nonce), payload).ok()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_secret_is_read_by_its_key_for_its_owner_and_unchanged_only() {
        let (anna, ben) = (Uuid::from_u128(1), Uuid::from_u128(2));
        let key = SealingKey::new(&[7; 32]);
        let sealed = key.seal(anna, b"secret").unwrap();
        assert_eq!(key.open(anna, &sealed).unwrap(), b"secret");
        assert_ne!(sealed, key.seal(anna, b"secret").unwrap());
        assert_eq!(key.open(ben, &sealed), None);
        assert_eq!(SealingKey::new(&[8; 32]).open(anna, &sealed), None);
        for at in 0..sealed.len() {
            let mut changed = sealed.clone();
            changed[at] ^= 1;
            assert_eq!(key.open(anna, &changed), None, "{at}");
            assert_eq!(key.open(anna, &sealed[..at]), None, "{at}");
        }
    }
}
