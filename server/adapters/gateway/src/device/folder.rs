//! The panel's identities on the disk: one folder a gateway, for the panel alone.
//!
//! `present.json` is the identity in use, `new-OPERATION.json` one that an operation has made, `old-DEVICE.json` one that was
//! replaced. Everything blocks: call it where that is allowed.

#[cfg(test)]
mod tests;

use std::fs::{self, File, OpenOptions, Permissions};
use std::io::{self, ErrorKind, Write as _};
use std::os::unix::fs::{DirBuilderExt as _, OpenOptionsExt as _, PermissionsExt as _};
use std::path::{Path, PathBuf};

use domain::device::DeviceId;
use domain::gateway::GatewayId;
use domain::operation::OperationId;

use super::{DeviceError, DeviceIdentity};

/// What is written and not whole yet.
const UNFINISHED: &str = ".unfinished";
/// How the names of all others end.
const KEPT: &str = ".json";
const NEW: &str = "new-";
const OLD: &str = "old-";

/// The identities at all gateways. Cheap to clone.
#[derive(Clone, Debug)]
pub struct DeviceFolder {
    folder: PathBuf,
    /// Where earlier releases kept the one identity that they had for all gateways.
    first: PathBuf,
}

impl DeviceFolder {
    /// In the panel's data folder.
    pub fn new(data: &Path) -> Self {
        Self {
            folder: data.join("devices"),
            first: data.join("device.json"),
        }
    }

    /// Gives every gateway an identity of its own. The one of an earlier release, which they all know, becomes the first
    /// of each, so that none must be paired anew; then it is there no more.
    ///
    /// # Errors
    /// When one cannot be read or written.
    pub fn settle<'a>(
        &self,
        gateways: impl IntoIterator<Item = &'a GatewayId>,
    ) -> Result<(), DeviceError> {
        for gateway in gateways {
            self.of(gateway).present()?;
        }
        remove(&self.first).map_err(DeviceError::file(&self.first, "removed"))
    }

    /// The identities at one gateway.
    pub fn of(&self, gateway: &GatewayId) -> Identities {
        Identities {
            folder: self.folder.join(gateway.as_str()),
            first: self.first.clone(),
        }
    }
}

/// The panel's identities at one gateway. Cheap to clone.
#[derive(Clone, Debug)]
pub struct Identities {
    folder: PathBuf,
    first: PathBuf,
}

impl Identities {
    /// The identity in use. When there is none, the one of an earlier release, else a new one.
    ///
    /// # Errors
    /// When it cannot be read or written, or is damaged.
    pub fn present(&self) -> Result<DeviceIdentity, DeviceError> {
        let path = self.path_of_present();
        if let Some(present) = load(&path)? {
            return Ok(present);
        }
        let first = load(&self.first)?;
        self.place(
            &path,
            &first.unwrap_or_else(|| DeviceIdentity::from_secret(rand::random())),
        )
    }

    /// A new identity beside the one in use; made before by this operation, it is that one.
    ///
    /// # Errors
    /// When it cannot be read or written.
    pub fn make(&self, operation: OperationId) -> Result<DeviceIdentity, DeviceError> {
        match self.made(operation)? {
            Some(made) => Ok(made),
            None => self.place(
                &self.path_of_new(operation),
                &DeviceIdentity::from_secret(rand::random()),
            ),
        }
    }

    /// The identity that an operation has made and not taken into use.
    ///
    /// # Errors
    /// When it cannot be read.
    pub fn made(&self, operation: OperationId) -> Result<Option<DeviceIdentity>, DeviceError> {
        load(&self.path_of_new(operation))
    }

    /// The identity of this id, whatever it is kept for.
    ///
    /// # Errors
    /// When one cannot be read, or there is none.
    pub fn find(&self, device: &DeviceId) -> Result<DeviceIdentity, DeviceError> {
        self.find_among("", device).map(|(_, found)| found)
    }

    /// Puts a new identity in the place of the one in use, which is kept aside.
    ///
    /// # Errors
    /// When it cannot be read or written, or there is none of that id.
    pub fn take_into_use(&self, new: &DeviceId) -> Result<(), DeviceError> {
        let present = self.present()?;
        if present.id() == new {
            return Ok(());
        }
        let (from, _) = self.find_among(NEW, new)?;
        let aside = self.path_of_old(present.id());
        self.place(&aside, &present)?;
        let to = self.path_of_present();
        fs::rename(&from, &to)
            .and_then(|()| self.sync())
            .map_err(DeviceError::file(&to, "written"))
    }

    /// Puts the identity back that [`Identities::take_into_use`] has replaced; the one that took its place is lost.
    ///
    /// # Errors
    /// When it cannot be read or written, or is not kept any more.
    pub fn put_back(&self, old: &DeviceId) -> Result<(), DeviceError> {
        let (aside, to) = (self.path_of_old(old), self.path_of_present());
        if self.present()?.id() == old {
            return self.delete(&aside);
        }
        self.find_among(OLD, old)?;
        fs::rename(&aside, &to)
            .and_then(|()| self.sync())
            .map_err(DeviceError::file(&to, "written"))
    }

    /// The identities that were replaced and are still kept.
    ///
    /// # Errors
    /// When the folder or one of them cannot be read.
    pub fn replaced(&self) -> Result<Vec<DeviceId>, DeviceError> {
        let mut replaced = Vec::new();
        for path in self.kept(OLD)? {
            replaced.extend(load(&path)?.map(|identity| identity.id().clone()));
        }
        replaced.sort_unstable();
        Ok(replaced)
    }

    /// Deletes the identity that an operation has made and not taken into use; none is success.
    ///
    /// # Errors
    /// When it cannot be deleted.
    pub fn discard(&self, operation: OperationId) -> Result<(), DeviceError> {
        self.delete(&self.path_of_new(operation))
    }

    /// Deletes an identity that was replaced; none is success.
    ///
    /// # Errors
    /// When it cannot be deleted.
    pub fn forget(&self, device: &DeviceId) -> Result<(), DeviceError> {
        self.delete(&self.path_of_old(device))
    }

    fn path_of_present(&self) -> PathBuf {
        self.folder.join(format!("present{KEPT}"))
    }

    fn path_of_new(&self, operation: OperationId) -> PathBuf {
        self.folder.join(format!("{NEW}{operation}{KEPT}"))
    }

    fn path_of_old(&self, device: &DeviceId) -> PathBuf {
        self.folder.join(format!("{OLD}{device}{KEPT}"))
    }

    fn find_among(
        &self,
        prefix: &str,
        device: &DeviceId,
    ) -> Result<(PathBuf, DeviceIdentity), DeviceError> {
        for path in self.kept(prefix)? {
            if let Some(found) = load(&path)?.filter(|identity| identity.id() == device) {
                return Ok((path, found));
            }
        }
        Err(DeviceError::Missing {
            device: device.clone(),
        })
    }

    /// The files of identities whose names begin so.
    fn kept(&self, prefix: &str) -> Result<Vec<PathBuf>, DeviceError> {
        self.files()
            .map(|files| {
                let fits = |name: &str| name.starts_with(prefix) && name.ends_with(KEPT);
                files.into_iter().filter(|path| named(path, fits)).collect()
            })
            .map_err(DeviceError::file(&self.folder, "read"))
    }

    fn files(&self) -> io::Result<Vec<PathBuf>> {
        match fs::read_dir(&self.folder) {
            Ok(entries) => entries
                .map(|entry| entry.map(|entry| entry.path()))
                .collect(),
            Err(error) if error.kind() == ErrorKind::NotFound => Ok(Vec::new()),
            Err(error) => Err(error),
        }
    }

    /// Writes an identity whole to a place where there is none; what is there by then, of two who come at once.
    fn place(&self, path: &Path, identity: &DeviceIdentity) -> Result<DeviceIdentity, DeviceError> {
        let placed = (|| {
            fs::DirBuilder::new()
                .recursive(true)
                .mode(0o700)
                .create(&self.folder)?;
            let mut own = path.as_os_str().to_owned();
            own.push(format!(".{:08x}{UNFINISHED}", rand::random::<u32>()));
            let own = PathBuf::from(own);
            // A link goes to no place that is taken.
            let linked =
                write(&own, &identity.to_bytes()?).and_then(|()| fs::hard_link(&own, path));
            remove(&own)?;
            match linked {
                Err(error) if error.kind() != ErrorKind::AlreadyExists => Err(error),
                _ => self.sync(),
            }
        })();
        placed.map_err(DeviceError::file(path, "written"))?;
        load(path)?.ok_or_else(|| DeviceError::Missing {
            device: identity.id().clone(),
        })
    }

    /// Deletes a file, and whatever a crash in the middle of writing one has left.
    fn delete(&self, path: &Path) -> Result<(), DeviceError> {
        let deleted = (|| {
            let left = self.files()?;
            let unfinished = |name: &str| name.ends_with(UNFINISHED);
            for path in left.iter().filter(|path| named(path, unfinished)) {
                remove(path)?;
            }
            remove(path)?;
            if self.folder.is_dir() {
                self.sync()?;
            }
            Ok(())
        })();
        deleted.map_err(DeviceError::file(path, "deleted"))
    }

    /// What was linked, renamed or deleted is lasting when its folder is.
    fn sync(&self) -> io::Result<()> {
        File::open(&self.folder)?.sync_all()
    }
}

fn named(path: &Path, fits: impl Fn(&str) -> bool) -> bool {
    path.file_name()
        .and_then(|name| name.to_str())
        .is_some_and(fits)
}

/// The identity in a file; `None` when there is no such file.
fn load(path: &Path) -> Result<Option<DeviceIdentity>, DeviceError> {
    let bytes = match fs::read(path) {
        Ok(bytes) => bytes,
        Err(error) if error.kind() == ErrorKind::NotFound => return Ok(None),
        Err(error) => return Err(DeviceError::file(path, "read")(error)),
    };
    // A copy or a restore may have opened it to others.
    match fs::set_permissions(path, Permissions::from_mode(0o600)) {
        // It was moved or deleted this moment: what was read was whole.
        Err(error) if error.kind() == ErrorKind::NotFound => {}
        set => set.map_err(DeviceError::file(path, "read"))?,
    }
    let identity = DeviceIdentity::read(&bytes);
    identity.map(Some).ok_or_else(|| DeviceError::Damaged {
        path: path.to_owned(),
    })
}

fn write(path: &Path, bytes: &[u8]) -> io::Result<()> {
    let mut file = OpenOptions::new()
        .write(true)
        .create_new(true)
        .mode(0o600)
        .open(path)?;
    file.write_all(bytes)?;
    file.sync_all()
}

/// Removes a file; none is success.
fn remove(path: &Path) -> io::Result<()> {
    match fs::remove_file(path) {
        Err(error) if error.kind() != ErrorKind::NotFound => Err(error),
        _ => Ok(()),
    }
}
