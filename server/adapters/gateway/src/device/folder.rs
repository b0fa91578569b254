//! The panel's identities on the disk: one folder a gateway, for the panel alone.
//!
//! `present.json` is the identity in use, `new-OPERATION.json` one that an operation has made, `old-DEVICE.json` one that was
//! replaced. Everything blocks: call it where that is allowed.

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

#[cfg(test)]
mod tests {
    use super::*;

    fn gateway(name: &str) -> GatewayId {
        name.parse().unwrap()
    }

    fn operation(number: u128) -> OperationId {
        OperationId(uuid::Uuid::from_u128(number))
    }

    fn mode(path: &Path) -> u32 {
        fs::metadata(path).unwrap().permissions().mode() & 0o777
    }

    fn names(identities: &Identities) -> Vec<String> {
        let mut names: Vec<String> = fs::read_dir(&identities.folder)
            .unwrap()
            .map(|entry| entry.unwrap().file_name().into_string().unwrap())
            .collect();
        names.sort_unstable();
        names
    }

    #[test]
    fn each_gateway_has_an_identity_of_its_own_that_only_its_owner_reads() {
        let data = tempfile::tempdir().unwrap();
        let folder = DeviceFolder::new(data.path());
        let (one, other) = (folder.of(&gateway("one")), folder.of(&gateway("other")));
        let made = one.present().unwrap();
        fs::set_permissions(one.path_of_present(), Permissions::from_mode(0o644)).unwrap();
        assert_eq!(one.present().unwrap().id(), made.id());
        assert_ne!(other.present().unwrap().id(), made.id());
        assert_eq!(mode(&one.path_of_present()), 0o600);
        assert_eq!(mode(&one.folder), 0o700);
        assert_eq!(names(&one), ["present.json"]);
    }

    #[test]
    fn the_identity_of_an_earlier_release_becomes_the_first_of_every_gateway_once() {
        let data = tempfile::tempdir().unwrap();
        let known = DeviceIdentity::from_secret([7; 32]);
        let first = data.path().join("device.json");
        fs::write(&first, known.to_bytes().unwrap()).unwrap();
        let folder = DeviceFolder::new(data.path());
        let gateways = ["one", "other"].map(gateway);
        for _ in 0..2 {
            folder.settle(&gateways).unwrap();
            for gateway in &gateways {
                assert_eq!(folder.of(gateway).present().unwrap().id(), known.id());
            }
            assert!(!first.exists());
        }
        // A gateway that comes later is known to nobody yet.
        let late = folder.of(&gateway("late")).present().unwrap();
        assert_ne!(late.id(), known.id());
    }

    #[test]
    fn what_comes_at_once_agrees_on_one_identity() {
        let data = tempfile::tempdir().unwrap();
        let identities = DeviceFolder::new(data.path()).of(&gateway("one"));
        let made: Vec<DeviceId> = std::thread::scope(|threads| {
            let all: Vec<_> = (0..8)
                .map(|_| threads.spawn(|| identities.present().unwrap().id().clone()))
                .collect();
            all.into_iter().map(|one| one.join().unwrap()).collect()
        });
        assert!(made.iter().all(|id| *id == made[0]), "{made:?}");
        assert_eq!(names(&identities), ["present.json"]);
    }

    #[test]
    fn a_damaged_one_is_not_replaced() {
        let data = tempfile::tempdir().unwrap();
        let identities = DeviceFolder::new(data.path()).of(&gateway("one"));
        identities.present().unwrap();
        fs::write(identities.path_of_present(), "{}").unwrap();
        let error = identities.present().unwrap_err();
        assert!(matches!(error, DeviceError::Damaged { .. }), "{error}");
        assert_eq!(fs::read(identities.path_of_present()).unwrap(), b"{}");
    }

    #[test]
    fn a_new_one_takes_the_place_of_the_old_one_which_is_kept_until_it_is_forgotten() {
        let data = tempfile::tempdir().unwrap();
        let identities = DeviceFolder::new(data.path()).of(&gateway("one"));
        let old = identities.present().unwrap();
        let new = identities.make(operation(1)).unwrap();
        assert_eq!(identities.make(operation(1)).unwrap().id(), new.id());
        let made = identities.made(operation(1)).unwrap();
        assert_eq!(made.unwrap().id(), new.id());
        assert_eq!(identities.present().unwrap().id(), old.id());
        for _ in 0..2 {
            identities.take_into_use(new.id()).unwrap();
            assert_eq!(identities.present().unwrap().id(), new.id());
            assert_eq!(identities.replaced().unwrap(), [old.id().clone()]);
            assert_eq!(identities.find(old.id()).unwrap().id(), old.id());
        }
        assert!(identities.made(operation(1)).unwrap().is_none());
        for _ in 0..2 {
            identities.forget(old.id()).unwrap();
            assert_eq!(names(&identities), ["present.json"]);
        }
        let gone = identities.find(old.id()).unwrap_err();
        assert!(matches!(gone, DeviceError::Missing { .. }), "{gone}");
    }

    #[test]
    fn a_replacement_that_was_broken_off_is_done_by_the_next_try() {
        let data = tempfile::tempdir().unwrap();
        let identities = DeviceFolder::new(data.path()).of(&gateway("one"));
        let old = identities.present().unwrap();
        let new = identities.make(operation(1)).unwrap();
        // The old one is kept aside, and the new one is not in its place yet.
        fs::copy(
            identities.path_of_present(),
            identities.path_of_old(old.id()),
        )
        .unwrap();
        identities.take_into_use(new.id()).unwrap();
        assert_eq!(identities.present().unwrap().id(), new.id());
        assert_eq!(identities.replaced().unwrap(), [old.id().clone()]);
    }

    #[test]
    fn one_that_was_replaced_is_put_back_also_half_way() {
        let data = tempfile::tempdir().unwrap();
        let identities = DeviceFolder::new(data.path()).of(&gateway("one"));
        let old = identities.present().unwrap();
        let new = identities.make(operation(1)).unwrap();
        fs::copy(
            identities.path_of_present(),
            identities.path_of_old(old.id()),
        )
        .unwrap();
        identities.put_back(old.id()).unwrap();
        assert_eq!(identities.replaced().unwrap(), []);
        identities.take_into_use(new.id()).unwrap();
        for _ in 0..2 {
            identities.put_back(old.id()).unwrap();
            assert_eq!(names(&identities), ["present.json"]);
            assert_eq!(identities.present().unwrap().id(), old.id());
        }
    }

    #[test]
    fn one_that_is_discarded_leaves_the_one_in_use_and_nothing_else() {
        let data = tempfile::tempdir().unwrap();
        let identities = DeviceFolder::new(data.path()).of(&gateway("one"));
        identities.discard(operation(1)).unwrap();
        let present = identities.present().unwrap();
        let new = identities.make(operation(1)).unwrap();
        fs::write(identities.folder.join("x.json.12.unfinished"), "x").unwrap();
        for _ in 0..2 {
            identities.discard(operation(1)).unwrap();
            assert_eq!(names(&identities), ["present.json"]);
        }
        let gone = identities.take_into_use(new.id()).unwrap_err();
        assert!(matches!(gone, DeviceError::Missing { .. }), "{gone}");
        assert_eq!(identities.present().unwrap().id(), present.id());
    }
}
