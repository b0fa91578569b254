//! A new key in the file's place, and the old one back.

use domain::credential::Fingerprint;
use domain::fault::{Boundary, Fault, FaultKind};
use domain::gateway_key::{KeyLine, NextKey};
use domain::operation::OperationId;
use secrecy::{ExposeSecret as _, SecretString};

use crate::{Found, KeyFile, Marks, Seals, files};

/// Bytes of a new key, written as twice as many hexadecimal digits.
const KEY_BYTES: usize = 32;

/// Everything that is needed to change the key of one gateway.
#[derive(Clone)]
pub struct Rotator {
    file: KeyFile,
    seals: Seals,
    marks: Marks,
}

impl Rotator {
    /// For the key in `file`.
    pub fn new(file: KeyFile, seals: Seals, marks: Marks) -> Self {
        Self { file, seals, marks }
    }

    /// The line that holds the key.
    ///
    /// # Errors
    /// Those of [`KeyFile::look`].
    pub fn look(&self) -> Result<KeyLine, Fault> {
        let found = self.file.look()?;
        Ok(KeyLine {
            fingerprint: self.marks.of(&found.value)?,
            file: found.file(),
            variable: found.variable,
            notices: found.notices,
        })
    }

    /// Seals the file as it is and writes another key into it; done before for this operation, it is done. That key.
    ///
    /// # Errors
    /// Those of [`KeyFile::look`], a key that is not kept any more, and what the disk says; the file is then as it was.
    pub fn renew(&self, operation: OperationId, next: NextKey) -> Result<SecretString, Fault> {
        let found = self.file.look()?;
        match self.previous(operation)? {
            Some(previous) if !same(&previous, &found.value) => return Ok(found.value),
            Some(_) => {}
            None => self.seals.seal(operation, &found.text)?,
        }
        let key = match next {
            NextKey::Random => new_key()?,
            NextKey::Before(rotation) => self.previous(rotation)?.ok_or_else(not_kept)?,
        };
        let text = self
            .file
            .with_key(found.text.expose_secret(), &found.variable, &key)?;
        found.replace(&text)?;
        Ok(key)
    }

    /// Puts back what [`Rotator::renew`] replaced: the whole file when nothing else was changed in it since, else the
    /// key alone. The key that stands there then; `None` when nothing was replaced.
    ///
    /// # Errors
    /// Those of [`KeyFile::look`], and what the disk says.
    pub fn put_back(&self, operation: OperationId) -> Result<Option<SecretString>, Fault> {
        let Some(sealed) = self.seals.open(operation)? else {
            return Ok(None);
        };
        let before = sealed.expose_secret();
        let previous = self.file.value_in(before)?;
        let found = self.file.look()?;
        if same(&previous, &found.value) {
            return Ok(Some(previous));
        }
        let untouched = self
            .file
            .with_key(before, &found.variable, &found.value)
            .is_ok_and(|renewed| same(&renewed, &found.text));
        let text = if untouched {
            sealed.clone()
        } else {
            self.file
                .with_key(found.text.expose_secret(), &found.variable, &previous)?
        };
        found.replace(&text)?;
        Ok(Some(previous))
    }

    /// Removes the sealed copy; none is success.
    ///
    /// # Errors
    /// What the disk says.
    pub fn forget(&self, operation: OperationId) -> Result<(), Fault> {
        self.seals.forget(operation)
    }

    /// The key in the file.
    ///
    /// # Errors
    /// Those of [`KeyFile::look`].
    pub fn present(&self) -> Result<SecretString, Fault> {
        self.file.look().map(|found: Found| found.value)
    }

    /// The key that this operation replaced; `None` when it replaced none.
    ///
    /// # Errors
    /// When the sealed copy cannot be opened.
    pub fn previous(&self, operation: OperationId) -> Result<Option<SecretString>, Fault> {
        let sealed = self.seals.open(operation)?;
        sealed
            .map(|text| self.file.value_in(text.expose_secret()))
            .transpose()
    }

    /// The fingerprint of a key.
    ///
    /// # Errors
    /// Those of [`Marks::of`].
    pub fn mark(&self, key: &SecretString) -> Result<Fingerprint, Fault> {
        self.marks.of(key)
    }
}

fn not_kept() -> Fault {
    Fault::new(
        FaultKind::Invalid,
        Boundary::Panel,
        "The key that was replaced then is not kept any more.",
    )
}

fn same(one: &SecretString, other: &SecretString) -> bool {
    one.expose_secret() == other.expose_secret()
}

/// Random bytes of the operating system, in hexadecimal.
fn new_key() -> Result<SecretString, Fault> {
    let bytes = files::random::<KEY_BYTES>().map_err(|error| {
        Fault::new(
            FaultKind::Unexpected,
            Boundary::Panel,
            format!("The operating system gives no random bytes: {error}."),
        )
    })?;
    Ok(SecretString::from(hex::encode(bytes)))
}
