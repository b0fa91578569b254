//! The file as it was before: encrypted, in the panel's own folder.
//!
//! The key lies beside it, for the panel alone: the copy must be opened without a person when a crash is recovered from.
//! What it is safe from is whoever gets at one file, at a backup of the compose folder, or at the journal.

use std::fs;
use std::io::{self, ErrorKind, Read as _, Write as _};
use std::path::PathBuf;

use age::secrecy::ExposeSecret as _;
use age::x25519::Identity;
use domain::fault::{Boundary, Fault, FaultKind};
use domain::operation::OperationId;
use secrecy::SecretString;

use crate::fault::file;
use crate::files;

/// The file with the key.
const IDENTITY: &str = "identity";

/// A folder of sealed copies, one for an operation.
#[derive(Clone)]
pub struct Seals {
    folder: PathBuf,
}

impl Seals {
    /// In this folder, which is made when it is needed.
    pub fn new(folder: PathBuf) -> Self {
        Self { folder }
    }

    /// Where the copy of an operation lies.
    pub fn place(&self, operation: OperationId) -> PathBuf {
        self.folder.join(format!("{operation}.env.age"))
    }

    pub(crate) fn seal(&self, operation: OperationId, text: &SecretString) -> Result<(), Fault> {
        let path = self.place(operation);
        let failed = |error: io::Error| file(Boundary::Panel, "writing", &path, &error);
        let recipient = self.identity()?.to_public();
        let recipients = std::iter::once(&recipient as &dyn age::Recipient);
        let mut sealed = Vec::new();
        age::Encryptor::with_recipients(recipients)
            .map_err(io::Error::other)
            .and_then(|encryptor| {
                let mut writer = encryptor.wrap_output(&mut sealed)?;
                writer.write_all(text.expose_secret().as_bytes())?;
                writer.finish()?;
                Ok(())
            })
            .map_err(failed)?;
        files::replace(&path, &sealed, None).map_err(failed)
    }

    pub(crate) fn open(&self, operation: OperationId) -> Result<Option<SecretString>, Fault> {
        let path = self.place(operation);
        let sealed = match fs::read(&path) {
            Ok(sealed) => sealed,
            Err(error) if error.kind() == ErrorKind::NotFound => return Ok(None),
            Err(error) => return Err(file(Boundary::Panel, "reading", &path, &error)),
        };
        let damaged = || {
            Fault::new(
                FaultKind::Invalid,
                Boundary::Panel,
                format!(
                    "The sealed copy {} cannot be opened: it, or the key beside it, is damaged.",
                    path.display()
                ),
            )
        };
        let identity = self.identity()?;
        let mut text = String::new();
        age::Decryptor::new(sealed.as_slice())
            .and_then(|opened| opened.decrypt(std::iter::once(&identity as &dyn age::Identity)))
            .map_err(|_| damaged())?
            .read_to_string(&mut text)
            .map_err(|_| damaged())?;
        Ok(Some(SecretString::from(text)))
    }

    pub(crate) fn forget(&self, operation: OperationId) -> Result<(), Fault> {
        let path = self.place(operation);
        files::remove(&path)
            .and_then(|()| files::clear_unfinished(&path))
            .map_err(|error| file(Boundary::Panel, "removing", &path, &error))
    }

    fn identity(&self) -> Result<Identity, Fault> {
        let path = self.folder.join(IDENTITY);
        let made = files::load_or_make(&path, || {
            let identity = Identity::generate().to_string();
            Ok(identity.expose_secret().as_bytes().to_vec())
        });
        let bytes = made.map_err(|error| file(Boundary::Panel, "reading", &path, &error))?;
        let text = String::from_utf8(bytes).ok();
        text.and_then(|text| text.trim().parse().ok()).ok_or_else(|| {
            Fault::new(
                FaultKind::Invalid,
                Boundary::Panel,
                format!(
                    "The panel's key for sealed copies, {}, is damaged: move it away, and the panel makes a new one.",
                    path.display()
                ),
            )
        })
    }
}
