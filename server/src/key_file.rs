//! Keys of the panel's own: 32 bytes, made once, each in a file that only the panel reads.

use std::fs::{self, DirBuilder, OpenOptions, Permissions};
use std::io::{self, Write as _};
use std::os::unix::fs::{DirBuilderExt as _, OpenOptionsExt as _, PermissionsExt as _};
use std::path::{Path, PathBuf};

/// The key file cannot be used; says what to do.
#[derive(Debug, thiserror::Error)]
pub(crate) enum KeyError {
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
        "{} is damaged: bring it back from a backup, or move it away; the panel then makes a new one, and {}",
        .path.display(), .lost
    )]
    Damaged {
        /// The file.
        path: PathBuf,
        /// What becomes of what the old one was for.
        lost: &'static str,
    },
}

/// The key in `path`, made when there is none. `lost` says what a new one could not do. Blocking: called once at start.
pub(crate) fn load_or_create(path: &Path, lost: &'static str) -> Result<[u8; 32], KeyError> {
    let failed = |source| KeyError::File {
        path: path.to_owned(),
        source,
    };
    let text = match fs::read_to_string(path) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => {
            make(path).map_err(failed)?;
            // Whichever of two panels that start at the same moment was first.
            fs::read_to_string(path)
        }
        read => read,
    };
    let text = text.map_err(failed)?;
    // A copy or a restore may have opened it to others.
    fs::set_permissions(path, Permissions::from_mode(0o600)).map_err(failed)?;
    let secret = hex::decode(text.trim()).ok();
    let secret = secret.and_then(|bytes| bytes.try_into().ok());
    secret.ok_or(KeyError::Damaged {
        path: path.to_owned(),
        lost,
    })
}

/// Written whole beside it, then given its name unless it has been taken.
fn make(path: &Path) -> io::Result<()> {
    let folder = path.parent().unwrap_or(Path::new("."));
    // As the private cluster makes it: passed through, not listed.
    DirBuilder::new()
        .recursive(true)
        .mode(0o711)
        .create(folder)?;
    let secret: [u8; 32] = rand::random();
    let mut beside = path.as_os_str().to_owned();
    beside.push(format!(".{:08x}.new", rand::random::<u32>()));
    let beside = PathBuf::from(beside);
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
    use super::*;

    #[test]
    fn the_key_is_made_once_and_only_its_owner_reads_it() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("key");
        let made = load_or_create(&path, "").unwrap();
        fs::set_permissions(&path, Permissions::from_mode(0o644)).unwrap();
        let read = load_or_create(&path, "").unwrap();
        assert_eq!(made, read);
        let mode = fs::metadata(&path).unwrap().permissions().mode();
        assert_eq!(mode & 0o777, 0o600);
        assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 1);
    }

    #[test]
    fn a_damaged_key_is_not_replaced() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("key");
        fs::write(&path, "abcd").unwrap();
        let error = load_or_create(&path, "nothing is lost").unwrap_err();
        assert!(matches!(error, KeyError::Damaged { .. }));
        assert!(error.to_string().contains("nothing is lost"), "{error}");
        assert!(!error.to_string().contains("abcd"));
        assert_eq!(fs::read_to_string(&path).unwrap(), "abcd");
    }
}
