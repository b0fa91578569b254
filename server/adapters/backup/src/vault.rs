//! The folder: its key, and its files, written whole and renamed.

use std::fs::{self, File, OpenOptions};
use std::io::{self, ErrorKind, Read, Write};
use std::os::unix::fs::{DirBuilderExt as _, OpenOptionsExt as _};
use std::path::{Path, PathBuf};
use std::time::Duration;

use age::secrecy::ExposeSecret as _;
use age::x25519::{Identity, Recipient};
use domain::backup::{self, Adopt, Backup, NewKey};
use domain::fault::{Fault, FaultKind};
use domain::gateway::{AccountId, GatewayId};
use domain::operation::OperationId;
use domain::time::Timestamp;
use secrecy::SecretString;

use crate::fault::{file, panel};
use crate::link::Link;

/// The file with the recipient that the panel made.
const RECIPIENT: &str = "recipient";
/// What is written and not whole yet.
const UNFINISHED: &str = ".unfinished";

/// The folder of backups. Cheap to clone.
#[derive(Clone, Debug)]
pub struct Vault {
    folder: PathBuf,
    configured: Option<String>,
    keep_for: Duration,
}

impl Vault {
    /// A vault in `folder`, which is made when it is needed. `recipient` wins over the panel's own key.
    /// Backups older than `keep_for` are removed when a newer one is kept.
    pub fn new(folder: PathBuf, recipient: Option<String>, keep_for: Duration) -> Self {
        Self {
            folder,
            configured: recipient,
            keep_for,
        }
    }

    /// Whether a text is a recipient that backups can be encrypted to.
    pub fn is_recipient(text: &str) -> bool {
        text.parse::<Recipient>().is_ok()
    }

    /// To whom backups are encrypted; `None` when there is no key yet.
    ///
    /// # Errors
    /// When the folder cannot be read, or holds something else.
    pub fn recipient(&self) -> Result<Option<String>, Fault> {
        if let Some(configured) = &self.configured {
            return Ok(Some(configured.clone()));
        }
        let path = self.folder.join(RECIPIENT);
        match fs::read_to_string(&path) {
            Ok(text) => Ok(Some(text.trim().to_owned())),
            Err(error) if error.kind() == ErrorKind::NotFound => Ok(None),
            Err(error) => Err(file("reading", &path, &error)),
        }
    }

    /// Makes a key; nothing is encrypted to it yet.
    pub fn new_key() -> NewKey {
        let identity = Identity::generate();
        NewKey {
            recipient: identity.to_public().to_string(),
            secret: SecretString::from(identity.to_string().expose_secret().to_owned()),
        }
    }

    /// Encrypts to `recipient` from now on.
    ///
    /// # Errors
    /// `Refused` when there is a key and this is to be the first one, or the configuration names one.
    pub fn adopt_key(&self, recipient: &str, adopt: Adopt) -> Result<(), Fault> {
        if self.configured.is_some() {
            return Err(panel(
                FaultKind::Refused,
                "The configuration says to whom backups are encrypted (backup_recipient): change it there.",
            ));
        }
        make_folder(&self.folder)?;
        let path = self.folder.join(RECIPIENT);
        let unfinished = with_ending(&path);
        remove(&unfinished)?;
        let failed = |error: io::Error| file("writing", &path, &error);
        write_new(&unfinished)
            .and_then(|mut new| {
                writeln!(new, "{recipient}")?;
                new.sync_all()
            })
            .map_err(failed)?;
        let placed = match adopt {
            // A link goes to no place that is taken: of two who come at once, one is the first.
            Adopt::First => fs::hard_link(&unfinished, &path),
            Adopt::Another => fs::rename(&unfinished, &path),
        };
        remove(&unfinished)?;
        match placed {
            Err(error) if error.kind() == ErrorKind::AlreadyExists => Err(panel(
                FaultKind::Refused,
                "There is a key already. `panel backup key --replace` makes another one; what was kept before still \
                 needs the old one.",
            )),
            placed => placed.map_err(failed).and_then(|()| sync(&self.folder)),
        }
    }

    /// Encrypts what `from` gives and keeps it. Kept twice for one operation, it is one backup.
    ///
    /// # Errors
    /// When there is no key, the source fails, or the disk does.
    pub fn keep(
        &self,
        gateway: &GatewayId,
        operation: OperationId,
        begun: Timestamp,
        from: &mut dyn Read,
    ) -> Result<Backup, Fault> {
        let recipient = self.key()?;
        let folder = self.of(gateway);
        make_folder(&folder)?;
        let path = folder.join(backup::name(gateway, begun, operation));
        let unfinished = with_ending(&path);
        remove(&unfinished)?;
        let written = encrypt(&recipient, from, &unfinished);
        if let Err(error) = written.and_then(|()| fs::rename(&unfinished, &path)) {
            remove(&unfinished)?;
            return Err(file("writing", &path, &error));
        }
        sync(&folder)?;
        self.prune(gateway, begun)?;
        read(&path)?.ok_or_else(|| panel(FaultKind::Unexpected, "The backup is gone again."))
    }

    /// Removes what was kept for an operation.
    ///
    /// # Errors
    /// When a file cannot be removed.
    pub fn forget(&self, gateway: &GatewayId, operation: OperationId) -> Result<(), Fault> {
        let wanted = operation.short();
        for kept in self.list(gateway)? {
            if backup::read_name(&kept.name).is_some_and(|(_, _, of)| of == wanted) {
                remove(&self.of(gateway).join(kept.name))?;
            }
        }
        Ok(())
    }

    /// What is kept of a gateway, newest first.
    ///
    /// # Errors
    /// When the folder cannot be read.
    pub fn list(&self, gateway: &GatewayId) -> Result<Vec<Backup>, Fault> {
        let folder = self.of(gateway);
        let entries = match fs::read_dir(&folder) {
            Ok(entries) => entries,
            Err(error) if error.kind() == ErrorKind::NotFound => return Ok(Vec::new()),
            Err(error) => return Err(file("reading", &folder, &error)),
        };
        let mut found = Vec::new();
        for entry in entries {
            let entry = entry.map_err(|error| file("reading", &folder, &error))?;
            found.extend(read(&entry.path())?);
        }
        found.sort_by(|one, other| (other.made_at, &other.name).cmp(&(one.made_at, &one.name)));
        Ok(found)
    }

    /// A kept backup as it lies there, encrypted. `None` when none has that name.
    ///
    /// # Errors
    /// When it cannot be read.
    pub fn open(&self, gateway: &GatewayId, name: &str) -> Result<Option<File>, Fault> {
        // A name that is read back has no way out of the folder.
        if backup::read_name(name).is_none_or(|(of, _, _)| of != *gateway) {
            return Ok(None);
        }
        let path = self.of(gateway).join(name);
        match File::open(&path) {
            Ok(found) => Ok(Some(found)),
            Err(error) if error.kind() == ErrorKind::NotFound => Ok(None),
            Err(error) => Err(file("reading", &path, &error)),
        }
    }

    /// Opens an encrypted backup with the key's other half, `AGE-SECRET-KEY-1…`, into `to`. Nothing that was
    /// changed since passes: each part of the file is authenticated.
    ///
    /// # Errors
    /// When it is no such key, another one, or the file is damaged.
    pub fn decrypt(
        from: impl Read,
        identity: &SecretString,
        to: &mut dyn Write,
    ) -> Result<u64, Fault> {
        let mut plain = opened(from, identity)?;
        io::copy(&mut plain, to).map_err(|error| {
            panel(
                FaultKind::Refused,
                format!("The backup is damaged or cannot be written: {error}."),
            )
        })
    }

    /// The link of `account` in a backup, opened with the key's other half. The whole backup is read.
    ///
    /// # Errors
    /// `NotFound` when there is no such backup, `NotOffered` when it holds no such link; when it is no such key,
    /// another one, or the file is damaged.
    pub fn link(
        &self,
        gateway: &GatewayId,
        name: &str,
        identity: &SecretString,
        account: &AccountId,
    ) -> Result<Link, Fault> {
        let file = self
            .open(gateway, name)?
            .ok_or_else(|| panel(FaultKind::NotFound, "There is no such backup any more."))?;
        Link::read(opened(file, identity)?, account)
    }

    fn key(&self) -> Result<Recipient, Fault> {
        let text = self.recipient()?.ok_or_else(|| {
            panel(
                FaultKind::Refused,
                "There is no key for backups yet. An admin makes it on the backups page, or with `panel backup key`.",
            )
        })?;
        text.parse().map_err(|_| {
            panel(
                FaultKind::Invalid,
                "The recipient of backups is no age key: it must be one line that begins with age1.",
            )
        })
    }

    /// What is too old goes, but never the newest.
    fn prune(&self, gateway: &GatewayId, now: Timestamp) -> Result<(), Fault> {
        for old in self.list(gateway)?.into_iter().skip(1) {
            if now.since(old.made_at) > self.keep_for {
                remove(&self.of(gateway).join(old.name))?;
            }
        }
        Ok(())
    }

    fn of(&self, gateway: &GatewayId) -> PathBuf {
        self.folder.join(gateway.as_str())
    }
}

/// What is in an encrypted file.
fn opened(from: impl Read, identity: &SecretString) -> Result<impl Read, Fault> {
    use secrecy::ExposeSecret as _;
    let key = identity
        .expose_secret()
        .lines()
        .map(str::trim)
        .find(|line| !line.is_empty() && !line.starts_with('#'))
        .and_then(|line| line.parse::<Identity>().ok());
    let Some(key) = key else {
        return Err(panel(
            FaultKind::Invalid,
            "That is no key. It is one line that begins with AGE-SECRET-KEY-1.",
        ));
    };
    let refused = |why: String| panel(FaultKind::Refused, why);
    let opened = age::Decryptor::new_buffered(io::BufReader::new(from))
        .map_err(|error| refused(format!("The file is no backup: {error}.")))?;
    opened
        .decrypt(std::iter::once(&key as &dyn age::Identity))
        .map_err(|_| refused("This key does not open this backup.".to_owned()))
}

fn encrypt(recipient: &Recipient, from: &mut dyn Read, to: &Path) -> io::Result<()> {
    let mut file = write_new(to)?;
    let recipients = std::iter::once(recipient as &dyn age::Recipient);
    let encryptor = age::Encryptor::with_recipients(recipients).map_err(io::Error::other)?;
    let mut writer = encryptor.wrap_output(&mut file)?;
    io::copy(from, &mut writer)?;
    writer.finish()?;
    file.sync_all()
}

fn read(path: &Path) -> Result<Option<Backup>, Fault> {
    let name = path.file_name().and_then(|name| name.to_str());
    let Some(name) = name else { return Ok(None) };
    let Some((gateway, made_at, _)) = backup::read_name(name) else {
        return Ok(None);
    };
    let bytes = match fs::metadata(path) {
        Ok(found) => found.len(),
        Err(error) if error.kind() == ErrorKind::NotFound => return Ok(None),
        Err(error) => return Err(file("reading", path, &error)),
    };
    Ok(Some(Backup {
        name: name.to_owned(),
        gateway,
        made_at,
        bytes,
    }))
}

fn with_ending(path: &Path) -> PathBuf {
    let mut name = path.as_os_str().to_owned();
    name.push(UNFINISHED);
    name.into()
}

/// For the owner alone, and only when it is not there.
fn write_new(path: &Path) -> io::Result<File> {
    OpenOptions::new()
        .write(true)
        .create_new(true)
        .mode(0o600)
        .open(path)
}

fn make_folder(folder: &Path) -> Result<(), Fault> {
    fs::DirBuilder::new()
        .recursive(true)
        .mode(0o700)
        .create(folder)
        .map_err(|error| file("making", folder, &error))
}

fn remove(path: &Path) -> Result<(), Fault> {
    match fs::remove_file(path) {
        Err(error) if error.kind() != ErrorKind::NotFound => Err(file("removing", path, &error)),
        _ => Ok(()),
    }
}

/// A rename is lasting when its folder is.
fn sync(folder: &Path) -> Result<(), Fault> {
    File::open(folder)
        .and_then(|folder| folder.sync_all())
        .map_err(|error| file("writing", folder, &error))
}

#[cfg(test)]
mod tests;
