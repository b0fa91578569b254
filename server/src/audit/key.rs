//! The key that signs checkpoints: made once, in a file of its own that only the panel reads.

use std::fs::{self, DirBuilder, OpenOptions, Permissions};
use std::io::{self, Write as _};
use std::os::unix::fs::{DirBuilderExt as _, OpenOptionsExt as _, PermissionsExt as _};
use std::path::{Path, PathBuf};

use domain::audit::{Checkpoint, Head, PublicKey, Signature};
use domain::time::Timestamp;
use ed25519_dalek::{Signer as _, SigningKey, VerifyingKey};

/// The key's file within the data folder.
const NAME: &str = "audit-key";

/// The key file cannot be used; says what to do.
#[derive(Debug, thiserror::Error)]
pub(super) enum KeyError {
    /// Reading or writing failed.
    #[error("{} cannot be read or written: {source}", .path.display())]
    File {
        /// The file.
        path: PathBuf,
        /// Why.
        #[source]
        source: io::Error,
    },
    /// The content is no key.
    #[error(
        "{} is damaged: bring it back from a backup, or move it away; the panel then makes a new one, and what was \
         signed before stays signed by the old one",
        .path.display()
    )]
    Damaged {
        /// The file.
        path: PathBuf,
    },
}

/// Signs checkpoints; never prints its secret.
pub(super) struct AuditKey(SigningKey);

impl AuditKey {
    /// Blocking: called once at start.
    pub(super) fn load_or_create(folder: &Path) -> Result<Self, KeyError> {
        let path = folder.join(NAME);
        let failed = |source| KeyError::File {
            path: path.clone(),
            source,
        };
        let text = match fs::read_to_string(&path) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => {
                make(folder, &path).map_err(failed)?;
                // Whichever of two panels that start at the same moment was first.
                fs::read_to_string(&path)
            }
            read => read,
        };
        let text = text.map_err(failed)?;
        // A copy or a restore may have opened it to others.
        fs::set_permissions(&path, Permissions::from_mode(0o600)).map_err(failed)?;
        let secret = hex::decode(text.trim()).ok();
        let secret = secret.and_then(|bytes| bytes.try_into().ok());
        let secret: [u8; 32] = secret.ok_or(KeyError::Damaged { path })?;
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

/// Written whole beside it, then given its name unless it has been taken.
fn make(folder: &Path, path: &Path) -> io::Result<()> {
    // As the private cluster makes it: passed through, not listed.
    DirBuilder::new()
        .recursive(true)
        .mode(0o711)
        .create(folder)?;
    let secret: [u8; 32] = rand::random();
    let beside = folder.join(format!("{NAME}.{:08x}.new", rand::random::<u32>()));
    let written = (|| {
        let mut file = OpenOptions::new()
            .write(true)
            .create_new(true)
            .mode(0o600)
            .open(&beside)?;
        writeln!(file, "{}", hex::encode(secret))?;
        file.sync_all()?;
        match fs::hard_link(&beside, path) {
            Err(error) if error.kind() != io::ErrorKind::AlreadyExists => Err(error),
            _ => Ok(()),
        }
    })();
    match fs::remove_file(&beside) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => written.and(Err(error)),
        _ => written,
    }
}

#[cfg(test)]
mod tests {
    use domain::audit::Hash;

    use super::*;

    #[test]
    fn the_key_is_made_once_and_only_its_owner_reads_it() {
        let folder = tempfile::tempdir().unwrap();
        let made = AuditKey::load_or_create(folder.path()).unwrap();
        let path = folder.path().join(NAME);
        fs::set_permissions(&path, Permissions::from_mode(0o644)).unwrap();
        let read = AuditKey::load_or_create(folder.path()).unwrap();
        assert_eq!(made.public(), read.public());
        let mode = fs::metadata(&path).unwrap().permissions().mode();
        assert_eq!(mode & 0o777, 0o600);
        assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 1);
    }

    #[test]
    fn a_damaged_key_is_not_replaced() {
        let folder = tempfile::tempdir().unwrap();
        fs::write(folder.path().join(NAME), "abcd").unwrap();
        let error = AuditKey::load_or_create(folder.path()).err().unwrap();
        assert!(matches!(error, KeyError::Damaged { .. }));
        assert!(!error.to_string().contains("abcd"));
    }

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
