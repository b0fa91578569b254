//! Files that hold secrets: for their owner alone, written whole, then renamed.

use std::fs::{self, File, OpenOptions};
use std::io::{self, ErrorKind, Write as _};
use std::os::unix::fs::{DirBuilderExt as _, MetadataExt as _, OpenOptionsExt as _};
use std::path::{Path, PathBuf};

use rand::TryRngCore as _;

/// What is written and not whole yet.
const UNFINISHED: &str = ".panel-unfinished";

/// Replaces a file: the new one is there whole or not at all, belongs to `owner`, and only that one may read it.
pub(crate) fn replace(path: &Path, bytes: &[u8], owner: Option<Owner>) -> io::Result<()> {
    let unfinished = unfinished(path);
    remove(&unfinished)?;
    let written = write_new(&unfinished, bytes, owner).and_then(|()| fs::rename(&unfinished, path));
    if let Err(error) = written {
        // The first error is the one to be told.
        let _left_behind: io::Result<()> = remove(&unfinished);
        return Err(error);
    }
    sync_folder_of(path)
}

/// Removes what a crash in the middle of [`replace`] left.
pub(crate) fn clear_unfinished(path: &Path) -> io::Result<()> {
    remove(&unfinished(path))
}

fn unfinished(path: &Path) -> PathBuf {
    let mut name = path.as_os_str().to_owned();
    name.push(UNFINISHED);
    name.into()
}

/// Who owns a file.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Owner {
    pub(crate) user: u32,
    pub(crate) group: u32,
}

fn write_new(path: &Path, bytes: &[u8], owner: Option<Owner>) -> io::Result<()> {
    let mut file = OpenOptions::new()
        .write(true)
        .create_new(true)
        .mode(0o600)
        .open(path)?;
    if let Some(owner) = owner {
        let made = file.metadata()?;
        if (made.uid(), made.gid()) != (owner.user, owner.group) {
            std::os::unix::fs::fchown(&file, Some(owner.user), Some(owner.group))?;
        }
    }
    file.write_all(bytes)?;
    file.sync_all()
}

/// Removes a file; none is success.
pub(crate) fn remove(path: &Path) -> io::Result<()> {
    match fs::remove_file(path) {
        Err(error) if error.kind() != ErrorKind::NotFound => Err(error),
        _ => Ok(()),
    }
}

/// A rename is lasting when its folder is.
fn sync_folder_of(path: &Path) -> io::Result<()> {
    match path.parent() {
        Some(folder) => File::open(folder)?.sync_all(),
        None => Ok(()),
    }
}

/// Makes a folder for its owner alone.
pub(crate) fn make_folder(folder: &Path) -> io::Result<()> {
    fs::DirBuilder::new()
        .recursive(true)
        .mode(0o700)
        .create(folder)
}

/// A file that is made once: what is there, or `make`'s bytes, by whoever comes first.
pub(crate) fn load_or_make(
    path: &Path,
    make: impl FnOnce() -> io::Result<Vec<u8>>,
) -> io::Result<Vec<u8>> {
    match fs::read(path) {
        Err(error) if error.kind() == ErrorKind::NotFound => {}
        read => return read,
    }
    if let Some(folder) = path.parent() {
        make_folder(folder)?;
    }
    let mut own = path.as_os_str().to_owned();
    own.push(format!(".{}", std::process::id()));
    let own = PathBuf::from(own);
    remove(&own)?;
    write_new(&own, &make()?, None)?;
    // A link goes to no place that is taken: of two who come at once, one is the first.
    let placed = fs::hard_link(&own, path);
    remove(&own)?;
    match placed {
        Err(error) if error.kind() != ErrorKind::AlreadyExists => Err(error),
        _ => {
            sync_folder_of(path)?;
            fs::read(path)
        }
    }
}

/// Random bytes from the operating system.
pub(crate) fn random<const N: usize>() -> io::Result<[u8; N]> {
    let mut bytes = [0; N];
    rand::rngs::OsRng
        .try_fill_bytes(&mut bytes)
        .map_err(io::Error::other)?;
    Ok(bytes)
}
