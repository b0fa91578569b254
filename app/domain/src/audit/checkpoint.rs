//! Checkpoints: which event was the last one at a moment, signed, and kept in more places than the trail.

use serde::de::Error as _;
use serde::{Deserialize, Deserializer, Serialize, Serializer};

use super::canonical::{integer, moment};
use super::chain::{Hash, unhex};
use super::json;
use crate::time::Timestamp;

const MICROS_PER_MILLI: i64 = 1_000;

/// The public half of the Ed25519 key that a panel signs its checkpoints with.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct PublicKey(pub [u8; 32]);

impl PublicKey {
    /// Reads 64 hexadecimal digits.
    pub fn parse(text: &str) -> Option<Self> {
        unhex(text).map(Self)
    }
}

/// An Ed25519 signature.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Signature(pub [u8; 64]);

macro_rules! as_hex {
    ($name:ident, $what:literal) => {
        impl core::fmt::Display for $name {
            fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
                f.write_str(&to_hex(&self.0))
            }
        }

        impl Serialize for $name {
            fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
                serializer.collect_str(self)
            }
        }

        impl<'de> Deserialize<'de> for $name {
            fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
                let text = String::deserialize(deserializer)?;
                unhex(&text).map(Self).ok_or_else(|| {
                    D::Error::custom(concat!($what, " is written in hexadecimal digits"))
                })
            }
        }
    };
}

as_hex!(PublicKey, "a key");
as_hex!(Signature, "a signature");

pub(super) fn to_hex(bytes: &[u8]) -> String {
    let mut text = Vec::with_capacity(2 * bytes.len());
    json::hex(bytes, &mut text);
    String::from_utf8(text).unwrap_or_default()
}

/// The last event at a moment, signed. As JSON: in the checkpoints' file, at the end of an export, and as it is sent.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Checkpoint {
    /// The event's number.
    pub sequence: i64,
    /// The event's hash.
    pub hash: Hash,
    /// When the checkpoint was made.
    #[serde(serialize_with = "write_moment", deserialize_with = "read_moment")]
    pub at: Timestamp,
    /// Whose key signed it.
    pub key: PublicKey,
    /// Over [`Checkpoint::signed_text`].
    pub signature: Signature,
}

impl Checkpoint {
    /// The text that is signed: `{"at":"…","hash":"…","key":"…","sequence":12}`, written as events are.
    pub fn signed_text(sequence: i64, hash: &Hash, at: Timestamp, key: &PublicKey) -> Vec<u8> {
        let mut text = b"{\"at\":".to_vec();
        moment(at.as_millis().saturating_mul(MICROS_PER_MILLI), &mut text);
        text.extend_from_slice(b",\"hash\":\"");
        json::hex(&hash.0, &mut text);
        text.extend_from_slice(b"\",\"key\":\"");
        json::hex(&key.0, &mut text);
        text.extend_from_slice(b"\",\"sequence\":");
        integer(sequence, &mut text);
        text.push(b'}');
        text
    }

    /// The same of this one.
    pub fn text(&self) -> Vec<u8> {
        Self::signed_text(self.sequence, &self.hash, self.at, &self.key)
    }
}

#[cfg_attr(
    target_pointer_width = "64",
    expect(clippy::trivially_copy_pass_by_ref, reason = "serde asks for it")
)]
fn write_moment<S: Serializer>(at: &Timestamp, serializer: S) -> Result<S::Ok, S::Error> {
    let mut text = Vec::new();
    moment(at.as_millis().saturating_mul(MICROS_PER_MILLI), &mut text);
    let text = String::from_utf8(text).unwrap_or_default();
    serializer.serialize_str(text.trim_matches('"'))
}

fn read_moment<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Timestamp, D::Error> {
    let text = String::deserialize(deserializer)?;
    Timestamp::parse_rfc3339(&text).ok_or_else(|| D::Error::custom("no moment as RFC 3339 has it"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_checkpoint_is_one_line_of_json_that_reads_back() {
        let checkpoint = Checkpoint {
            sequence: 12,
            hash: Hash([0xab; 32]),
            at: Timestamp::from_millis(1_795_000_000_123),
            key: PublicKey([1; 32]),
            signature: Signature([0xfe; 64]),
        };
        let line = serde_json::to_string(&checkpoint).unwrap();
        assert_eq!(
            serde_json::from_str::<Checkpoint>(&line).unwrap(),
            checkpoint
        );
        let (ab, one) = ("ab".repeat(32), "01".repeat(32));
        assert_eq!(
            String::from_utf8(checkpoint.text()).unwrap(),
            format!(
                r#"{{"at":"2026-11-18T11:06:40.123000Z","hash":"{ab}","key":"{one}","sequence":12}}"#
            )
        );
        for bad in ["", "ab", &"0g".repeat(32), &"é".repeat(32)] {
            assert_eq!(Hash::parse(bad), None, "{bad}");
        }
    }
}
