//! The file itself: read, written whole and renamed, with owner and mode kept.

use std::fs::{self, File, OpenOptions};
use std::io::{self, ErrorKind, Read as _, Write as _};
use std::os::unix::fs::{MetadataExt as _, OpenOptionsExt as _, PermissionsExt as _, fchown};
use std::path::{Path, PathBuf};

use domain::fault::{Fault, FaultKind};
use nix::fcntl::OFlag;

use crate::fault::{self, repository};

/// Of a log; one of this size has some ten thousand rows.
pub(crate) const LARGEST: u64 = 4 * 1024 * 1024;

/// The text; `None` when there is no such file.
pub(crate) fn read(path: &Path) -> Result<Option<String>, Fault> {
    let opened = OpenOptions::new()
        .read(true)
        .custom_flags(OFlag::O_NOFOLLOW.bits())
        .open(path);
    let file = match opened {
        Ok(file) => file,
        Err(error) if error.kind() == ErrorKind::NotFound => return Ok(None),
        Err(error) => return Err(fault::file("reading", path, &error)),
    };
    let mut bytes = Vec::new();
    file.take(LARGEST + 1)
        .read_to_end(&mut bytes)
        .map_err(|error| fault::file("reading", path, &error))?;
    text(bytes, path).map(Some)
}

/// Bytes as the log's text.
pub(crate) fn text(bytes: Vec<u8>, path: &Path) -> Result<String, Fault> {
    let path = path.display();
    if bytes.len() as u64 > LARGEST {
        let why = format!("{path} is larger than 4 MB. Begin a new log (rotation_log_file).");
        return Err(repository(FaultKind::Invalid, why));
    }
    String::from_utf8(bytes).map_err(|_| {
        let why = format!(
            "{path} is no text in UTF-8. Convert it, or begin a new log (rotation_log_file)."
        );
        repository(FaultKind::Invalid, why)
    })
}

/// Who owns what, for a file that is new.
#[derive(Clone, Copy)]
pub(crate) struct Owner {
    pub(crate) user: u32,
    pub(crate) group: u32,
}

/// Writes the file whole and renames it. It keeps owner and mode; a new one is `otherwise`'s.
pub(crate) fn write(path: &Path, text: &str, otherwise: Owner) -> Result<(), Fault> {
    let (owner, mode) = match fs::metadata(path) {
        Ok(seen) => {
            let (user, group) = (seen.uid(), seen.gid());
            (Owner { user, group }, seen.permissions().mode() & 0o777)
        }
        Err(error) if error.kind() == ErrorKind::NotFound => (otherwise, 0o644),
        Err(error) => return Err(fault::file("looking at", path, &error)),
    };
    let unfinished = unfinished(path);
    let written = write_new(&unfinished, text, owner, mode)
        .and_then(|()| fs::rename(&unfinished, path))
        .and_then(|()| lasting(path));
    written.map_err(|error| {
        // What cannot be removed was not made.
        drop(fs::remove_file(&unfinished));
        fault::file("writing", path, &error)
    })
}

/// Folders that are missing on the way to a file; those that were made, innermost last.
pub(crate) fn make_folders(folder: &Path, owner: Owner) -> Result<Vec<PathBuf>, Fault> {
    let missing: Vec<&Path> = folder.ancestors().take_while(|at| !at.exists()).collect();
    let mut made = Vec::new();
    for at in missing.into_iter().rev() {
        let done = fs::create_dir(at)
            .and_then(|()| fchown(File::open(at)?, Some(owner.user), Some(owner.group)));
        made.push(at.to_owned());
        if let Err(error) = done {
            remove_folders(&made);
            return Err(fault::file("making", at, &error));
        }
    }
    Ok(made)
}

/// Removes them again; what somebody has put something into stays.
pub(crate) fn remove_folders(made: &[PathBuf]) {
    for folder in made.iter().rev() {
        if fs::remove_dir(folder).is_err() {
            break;
        }
    }
}

fn unfinished(path: &Path) -> PathBuf {
    let name = path.file_name().unwrap_or_default().to_string_lossy();
    path.with_file_name(format!(".{name}.unfinished"))
}

fn write_new(path: &Path, text: &str, owner: Owner, mode: u32) -> io::Result<()> {
    // Left by a panel that was killed; the lock says that nobody else is at it.
    match fs::remove_file(path) {
        Err(error) if error.kind() != ErrorKind::NotFound => return Err(error),
        _ => {}
    }
    let mut file = OpenOptions::new()
        .write(true)
        .create_new(true)
        .mode(0o600)
        .open(path)?;
    file.write_all(text.as_bytes())?;
    let made = file.metadata()?;
    if (made.uid(), made.gid()) != (owner.user, owner.group) {
        fchown(&file, Some(owner.user), Some(owner.group))?;
    }
    file.set_permissions(fs::Permissions::from_mode(mode))?;
    file.sync_all()
}

fn lasting(path: &Path) -> io::Result<()> {
    match path.parent() {
        Some(folder) => File::open(folder)?.sync_all(),
        None => Ok(()),
    }
}
