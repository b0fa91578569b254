//! The key that signs checkpoints: made once, in a file of its own that only the panel reads.

use std::path::Path;

use domain::audit::{Checkpoint, Head, PublicKey, Signature};
use domain::time::Timestamp;
use ed25519_dalek::{Signer as _, SigningKey, VerifyingKey};

use crate::key_file::{self, KeyError};

/// The key's file within the data folder.
const NAME: &str = "audit-key";

/// Signs checkpoints; never prints its secret.
pub(super) struct AuditKey(SigningKey);

impl AuditKey {
    /// Blocking: called once at start.
    pub(super) fn load_or_create(folder: &Path) -> Result<Self, KeyError> {
        let lost = "what was signed before stays signed by the old one";
        let secret = key_file::load_or_create(&folder.join(NAME), lost)?;
        Ok(Self(SigningKey::from_bytes(&secret)))
    }

    /// The half that checks signatures.
    pub(super) fn public(&self) -> PublicKey {
        PublicKey(self.0.verifying_key().to_bytes())
    }

    /// A checkpoint of an event.
    pub(super) fn sign(&self, head: Head, at: Timestamp) -> Checkpoint {
        let key = self.public();
        let text = Checkpoint::signed_text(head.sequence, &head.hash, at, &key);
        Checkpoint {
            sequence: head.sequence,
            hash: head.hash,
            at,
            key,
            signature: Signature(self.0.sign(&text).to_bytes()),
        }
    }
}

/// Whether a checkpoint was signed by the key that it names.
pub(super) fn is_signed(checkpoint: &Checkpoint) -> bool {
    let signature = ed25519_dalek::Signature::from_bytes(&checkpoint.signature.0);
    VerifyingKey::from_bytes(&checkpoint.key.0)
        .is_ok_and(|key| key.verify_strict(&checkpoint.text(), &signature).is_ok())
}

#[cfg(test)]
mod tests {
    use domain::audit::Hash;

    use super::*;

    #[test]
    fn any_change_of_a_checkpoint_breaks_its_signature() {
        let folder = tempfile::tempdir().unwrap();
        let key = AuditKey::load_or_create(folder.path()).unwrap();
        let head = Head {
            sequence: 7,
            hash: Hash([1; 32]),
        };
        let signed = key.sign(head, Timestamp::from_millis(1_795_000_000_000));
        assert!(is_signed(&signed));
        let changes: [fn(&mut Checkpoint); 5] = [
            |checkpoint| checkpoint.sequence += 1,
            |checkpoint| checkpoint.hash.0[31] ^= 1,
            |checkpoint| checkpoint.at = Timestamp::from_millis(0),
            |checkpoint| checkpoint.key.0[0] ^= 1,
            |checkpoint| checkpoint.signature.0[0] ^= 1,
        ];
        for change in changes {
            let mut changed = signed.clone();
            change(&mut changed);
            assert!(!is_signed(&changed), "{changed:?}");
        }
    }
}
