//! Where the cluster lives, and as whom it runs.
//!
//! `<data folder>/postgres/` holds `data` (Postgres' own), `run` (the socket), `postgres.log`,
//! `password` and two lock files; it belongs to the user that Postgres runs as.

use std::fs::{self, DirBuilder, OpenOptions, Permissions};
use std::io::{self, Write as _};
use std::os::unix::fs::{
    DirBuilderExt as _, MetadataExt as _, OpenOptionsExt as _, PermissionsExt as _, chown,
};
use std::path::{Path, PathBuf};

use nix::sys::statvfs::statvfs;
use nix::unistd::{Gid, Uid, User};
use sha2::{Digest as _, Sha256};

use super::error::{ClusterError, file};

/// Only part of the socket's name: nothing listens on TCP.
pub(super) const PORT: u16 = 5432;
/// What the kernel takes for the path of a socket, less the closing zero.
const LONGEST_SOCKET: usize = 107;
const WANTED_MB: u64 = 200;

/// The user that Postgres runs as.
#[derive(Clone, Debug)]
pub(super) struct Account {
    pub(super) uid: u32,
    pub(super) gid: u32,
    name: String,
    /// Postgres is started as another user than the panel.
    pub(super) is_other: bool,
}

#[derive(Clone, Debug)]
pub(super) struct Place {
    folder: PathBuf,
    socket_folder: PathBuf,
    pub(super) account: Account,
}

impl Place {
    /// Makes the folders that are missing and checks owner, way in and disk.
    pub(super) fn prepare(data_folder: &Path) -> Result<Self, ClusterError> {
        make_folder(data_folder, 0o711)?;
        let data_folder = data_folder
            .canonicalize()
            .map_err(file("entering", data_folder))?;
        let folder = data_folder.join("postgres");
        let account = Account::for_folder(&folder)?;
        has_room(&data_folder)?;
        if account.is_other {
            let_through(&data_folder)?;
            account.can_enter(&data_folder)?;
        }
        make_folder(&folder, 0o700)?;
        account.take(&folder)?;
        let folder = folder.canonicalize().map_err(file("entering", &folder))?;
        let socket_folder = socket_folder(&folder, &account);
        Ok(Self {
            folder,
            socket_folder,
            account,
        })
    }

    pub(super) fn data(&self) -> PathBuf {
        self.folder.join("data")
    }

    /// Where a cluster is made before it gets its name: half a cluster is never taken for one.
    pub(super) fn unfinished(&self) -> PathBuf {
        self.folder.join("data.unfinished")
    }

    pub(super) fn folder(&self) -> &Path {
        &self.folder
    }

    pub(super) fn socket_folder(&self) -> &Path {
        &self.socket_folder
    }

    /// Under the start lock.
    pub(super) fn make_socket_folder(&self) -> Result<(), ClusterError> {
        let folder = &self.socket_folder;
        make_folder(folder, 0o700)?;
        self.account.take(folder)?;
        // In /tmp anybody could have been there first.
        let found = fs::symlink_metadata(folder).map_err(file("looking at", folder))?;
        if !found.is_dir() || found.uid() != self.account.uid || found.mode() & 0o077 != 0 {
            return Err(ClusterError::SocketFolder {
                folder: folder.clone(),
                user: self.account.name.clone(),
            });
        }
        Ok(())
    }

    /// Under the start lock, after the stop: what lies outside of the data folder is not left behind.
    pub(super) fn remove_far_socket_folder(&self) -> Result<(), ClusterError> {
        if self.socket_folder.starts_with(&self.folder) {
            return Ok(());
        }
        match fs::remove_dir_all(&self.socket_folder) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => {
                Err(file("removing", &self.socket_folder)(error))
            }
            _ => Ok(()),
        }
    }

    pub(super) fn log(&self) -> PathBuf {
        self.folder.join("postgres.log")
    }

    pub(super) fn start_lock(&self) -> PathBuf {
        self.folder.join("start.lock")
    }

    pub(super) fn users_lock(&self) -> PathBuf {
        self.folder.join("users.lock")
    }

    /// The major version that made the cluster; `None` before there is one.
    pub(super) fn version(&self) -> Result<Option<String>, ClusterError> {
        let path = self.data().join("PG_VERSION");
        match fs::read_to_string(&path) {
            Ok(text) => Ok(Some(text.trim().to_owned())),
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
            Err(error) => Err(file("reading", &path)(error)),
        }
    }

    pub(super) fn password(&self) -> Result<String, ClusterError> {
        let path = self.password_file();
        fs::read_to_string(&path).map_err(file("reading", &path))
    }

    /// Written before the cluster is made, so that there is no cluster without its password.
    pub(super) fn keep_password(&self, password: &str) -> Result<(), ClusterError> {
        write_private(&self.password_file(), password)
    }

    /// Under the start lock: the password of the role that the panel works as, made when there is none.
    pub(super) fn worker_password(&self) -> Result<String, ClusterError> {
        let path = self.folder.join("worker-password");
        match fs::read_to_string(&path) {
            Ok(password) if is_whole(&password) => Ok(password),
            Err(error) if error.kind() != io::ErrorKind::NotFound => {
                Err(file("reading", &path)(error))
            }
            _ => {
                let password = super::make::password();
                write_private(&path, &password)?;
                Ok(password)
            }
        }
    }

    fn password_file(&self) -> PathBuf {
        self.folder.join("password")
    }

    /// The password where `initdb`, which runs as the other user, can read it for a moment.
    pub(super) fn lend_password(&self, password: &str) -> Result<PathBuf, ClusterError> {
        let path = self.folder.join("password.initdb");
        write_private(&path, password)?;
        self.account.take(&path)?;
        Ok(path)
    }
}

impl Account {
    fn for_folder(folder: &Path) -> Result<Self, ClusterError> {
        let me = Uid::effective();
        let data = folder.join("data");
        let owner = match fs::metadata(&data).or_else(|_| fs::metadata(folder)) {
            Ok(metadata) => Some((metadata.uid(), metadata.gid())),
            Err(error) if error.kind() == io::ErrorKind::NotFound => None,
            Err(error) => return Err(file("looking at", &data)(error)),
        };
        if !me.is_root() {
            return match owner {
                Some((uid, _)) if uid != me.as_raw() => Err(ClusterError::WrongOwner {
                    folder: folder.to_owned(),
                    owner: name_of(uid),
                    user: name_of(me.as_raw()),
                }),
                _ => Ok(Self {
                    uid: me.as_raw(),
                    gid: Gid::effective().as_raw(),
                    name: name_of(me.as_raw()),
                    is_other: false,
                }),
            };
        }
        let (uid, gid) = match owner {
            Some((0, _)) | None => {
                let user = User::from_name("postgres").ok().flatten();
                let user = user.ok_or(ClusterError::NoAccount)?;
                (user.uid.as_raw(), user.gid.as_raw())
            }
            Some(owner) => owner,
        };
        let account = Self {
            uid,
            gid,
            name: name_of(uid),
            is_other: true,
        };
        match owner {
            Some((0, _)) if data.exists() => Err(ClusterError::WrongOwner {
                folder: folder.to_owned(),
                owner: name_of(0),
                user: account.name,
            }),
            _ => Ok(account),
        }
    }

    /// Gives a file or folder to this user.
    pub(super) fn take(&self, path: &Path) -> Result<(), ClusterError> {
        if self.is_other {
            chown(path, Some(self.uid), Some(self.gid)).map_err(file("giving away", path))?;
        }
        Ok(())
    }

    /// Every folder on the way must let the user through.
    fn can_enter(&self, folder: &Path) -> Result<(), ClusterError> {
        for step in folder.ancestors() {
            let metadata = fs::metadata(step).map_err(file("looking at", step))?;
            let may = match metadata.mode() {
                mode if metadata.uid() == self.uid => mode & 0o100,
                mode if metadata.gid() == self.gid => mode & 0o010,
                mode => mode & 0o001,
            };
            if may == 0 {
                return Err(ClusterError::NotEntered {
                    folder: step.to_owned(),
                    user: self.name.clone(),
                });
            }
        }
        Ok(())
    }
}

/// The panel's own data folder may be passed through, not listed; its files guard themselves.
fn let_through(data_folder: &Path) -> Result<(), ClusterError> {
    let metadata = fs::metadata(data_folder).map_err(file("looking at", data_folder))?;
    let mode = metadata.mode() & 0o7777;
    if metadata.uid() == 0 && mode & 0o001 == 0 {
        fs::set_permissions(data_folder, Permissions::from_mode(mode | 0o011))
            .map_err(file("opening the way through", data_folder))?;
    }
    Ok(())
}

fn has_room(folder: &Path) -> Result<(), ClusterError> {
    let disk =
        statvfs(folder).map_err(|errno| file("looking at the disk of", folder)(errno.into()))?;
    let free_mb = disk.blocks_available().saturating_mul(disk.fragment_size()) / 1_000_000;
    if free_mb < WANTED_MB {
        return Err(ClusterError::DiskFull {
            folder: folder.to_owned(),
            free_mb,
            wanted_mb: WANTED_MB,
        });
    }
    Ok(())
}

/// In the cluster's folder, or where paths are short when that one is too deep. The name follows from
/// the folder, so that every process finds it.
fn socket_folder(folder: &Path, account: &Account) -> PathBuf {
    let near = folder.join("run");
    if fits_a_socket(&near) {
        return near;
    }
    let digest = Sha256::digest(folder.as_os_str().as_encoded_bytes());
    let name = digest[..8]
        .iter()
        .fold("openclaw-panel-".to_owned(), |name, byte| {
            format!("{name}{byte:02x}")
        });
    Path::new(if account.is_other { "/run" } else { "/tmp" }).join(name)
}

fn fits_a_socket(folder: &Path) -> bool {
    let name = format!("/.s.PGSQL.{PORT}");
    folder.as_os_str().len() + name.len() <= LONGEST_SOCKET
}

fn make_folder(path: &Path, mode: u32) -> Result<(), ClusterError> {
    if path.is_dir() {
        return Ok(());
    }
    if let Some(parent) = path.parent() {
        fs::create_dir_all(parent).map_err(file("making", parent))?;
    }
    match DirBuilder::new().mode(mode).create(path) {
        Err(error) if error.kind() == io::ErrorKind::AlreadyExists => Ok(()),
        result => result.map_err(file("making", path)),
    }
}

/// A crash may have cut it short.
fn is_whole(password: &str) -> bool {
    password.len() == 64 && password.bytes().all(|byte| byte.is_ascii_hexdigit())
}

fn write_private(path: &Path, text: &str) -> Result<(), ClusterError> {
    match fs::remove_file(path) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => {
            return Err(file("replacing", path)(error));
        }
        _ => {}
    }
    OpenOptions::new()
        .write(true)
        .create_new(true)
        .mode(0o600)
        .open(path)
        .and_then(|mut file| {
            file.write_all(text.as_bytes())?;
            file.sync_all()
        })
        .map_err(file("writing", path))
}

fn name_of(uid: u32) -> String {
    let user = User::from_uid(Uid::from_raw(uid)).ok().flatten();
    user.map_or_else(|| uid.to_string(), |user| user.name)
}
