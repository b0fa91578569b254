//! Secrets that stand in links: known to their holders alone, kept as hashes.

use argon2::password_hash::rand_core::{OsRng, RngCore as _};
use secrecy::SecretString;
use sha2::{Digest as _, Sha256};

/// A new secret of 256 bits, as text, and its hash.
pub(crate) fn new_secret() -> (Vec<u8>, SecretString) {
    let mut bytes = [0_u8; 32];
    OsRng.fill_bytes(&mut bytes);
    let text = bytes.iter().fold(String::new(), |mut text, byte| {
        for half in [byte >> 4, byte & 15] {
            text.extend(char::from_digit(half.into(), 16));
        }
        text
    });
    (hash(&text), SecretString::from(text))
}

/// Secrets of 256 random bits need no slow hash.
pub(crate) fn hash(secret: &str) -> Vec<u8> {
    Sha256::digest(secret.as_bytes()).to_vec()
}
