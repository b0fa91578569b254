//! The panel as a device that a gateway knows.

use core::fmt;

use serde::{Deserialize, Serialize};

use crate::credential::Fingerprint;

/// The public name of a device at a gateway: the SHA-256 of its public key. It says nothing about the secret half.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct DeviceId([u8; 32]);

impl DeviceId {
    /// Of the hash of a public key.
    pub const fn of_hash(hash: [u8; 32]) -> Self {
        Self(hash)
    }

    /// For the register: the first digits of the name, as the gateway lists it, too.
    pub fn fingerprint(&self) -> Fingerprint {
        Fingerprint::of_hash(&self.0)
    }
}

impl fmt::Display for DeviceId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.iter().try_for_each(|byte| write!(f, "{byte:02x}"))
    }
}

impl From<DeviceId> for String {
    fn from(id: DeviceId) -> Self {
        id.to_string()
    }
}

impl TryFrom<String> for DeviceId {
    type Error = NoDeviceId;

    fn try_from(text: String) -> Result<Self, NoDeviceId> {
        let digits: Option<Vec<u8>> = text
            .bytes()
            .map(|digit| match digit {
                b'0'..=b'9' => Some(digit - b'0'),
                b'a'..=b'f' => Some(digit - b'a' + 10),
                _ => None,
            })
            .collect();
        let bytes: Vec<u8> = digits
            .filter(|digits| digits.len() == 64)
            .ok_or(NoDeviceId)?
            .chunks_exact(2)
            .map(|pair| pair[0] << 4 | pair[1])
            .collect();
        bytes.try_into().map(Self).map_err(|_| NoDeviceId)
    }
}

/// A text that names no device.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("a device's id has 64 hexadecimal digits")]
pub struct NoDeviceId;

/// What became of the panel when it came to a gateway as one of its devices.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Met {
    /// It was let in, and was told the accounts.
    Known,
    /// The gateway does not know that device.
    Unknown,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_id_is_read_back_and_nothing_else_is_read() {
        let id = DeviceId::of_hash([0xa7; 32]);
        let text = id.to_string();
        assert_eq!(text, "a7".repeat(32));
        assert_eq!(DeviceId::try_from(text.clone()), Ok(id.clone()));
        assert_eq!(id.fingerprint().as_str(), "a7a7a7a7a7a7");
        assert!(text.starts_with(id.fingerprint().as_str()));
        for bad in ["", "a7", &text.to_uppercase(), &"+1".repeat(32), &text[1..]] {
            assert_eq!(DeviceId::try_from(bad.to_owned()), Err(NoDeviceId), "{bad}");
        }
    }
}
