//! Backups: copies of a gateway's state, encrypted on the panel's host.
//!
//! A name says all there is to know of one, so that a folder of them needs no index:
//! `openclaw-20261124T201500Z-9c1f04ab.tar.gz.age`, the gateway, the time in UTC and the operation.

use secrecy::SecretString;
use serde::{Deserialize, Serialize};

use crate::gateway::GatewayId;
use crate::operation::OperationId;
use crate::time::Timestamp;

/// How every name ends.
const ENDING: &str = ".tar.gz.age";

/// A backup that is kept.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Backup {
    /// Its file's name, see the module.
    pub name: String,
    /// Of which gateway.
    pub gateway: GatewayId,
    /// When it was made.
    pub made_at: Timestamp,
    /// How large it is, encrypted.
    pub bytes: u64,
}

/// A key that was made and is not in use yet.
#[derive(Clone, Debug)]
pub struct NewKey {
    /// The half that backups are encrypted to, as `age1…`.
    pub recipient: String,
    /// The half that opens them, as `AGE-SECRET-KEY-1…`. Once it is lost, so are they.
    pub secret: SecretString,
}

/// Whether there may be a key already.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Adopt {
    /// This is the first one.
    First,
    /// It takes the place of one whose other half is lost or known to others. What was kept before needs that one.
    Another,
}

/// The name of a backup that `operation` made.
pub fn name(gateway: &GatewayId, made_at: Timestamp, operation: OperationId) -> String {
    let at = made_at.rfc3339().replace(['-', ':'], "");
    format!("{gateway}-{at}-{}{ENDING}", operation.short())
}

/// Reads a name back: gateway, time, and the short form of the operation's id. `None` for any other file.
pub fn read_name(name: &str) -> Option<(GatewayId, Timestamp, String)> {
    let rest = name.strip_suffix(ENDING)?;
    let (rest, operation) = rest.rsplit_once('-')?;
    let (gateway, at) = rest.rsplit_once('-')?;
    let hex = operation.len() == 8 && operation.bytes().all(|byte| byte.is_ascii_hexdigit());
    let digits = |range| {
        at.get(range)
            .filter(|part: &&str| part.bytes().all(|byte| byte.is_ascii_digit()))
    };
    if !hex || at.len() != 16 || at.get(8..9) != Some("T") || !at.ends_with('Z') {
        return None;
    }
    let (date, time) = (digits(0..8)?, digits(9..15)?);
    let at = format!(
        "{}-{}-{}T{}:{}:{}Z",
        &date[..4],
        &date[4..6],
        &date[6..],
        &time[..2],
        &time[2..4],
        &time[4..]
    );
    let gateway = gateway.parse().ok()?;
    Some((
        gateway,
        Timestamp::parse_rfc3339(&at)?,
        operation.to_owned(),
    ))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use uuid::Uuid;

    use super::*;

    #[test]
    fn a_name_says_gateway_time_and_operation() {
        let id = OperationId(Uuid::from_u128(0x9c1f_04ab));
        let at = Timestamp::parse_rfc3339("2026-11-24T20:15:00Z").unwrap();
        let name = name(&"vps-i1".parse().unwrap(), at, id);
        assert_eq!(name, "vps-i1-20261124T201500Z-9c1f04ab.tar.gz.age");
    }

    proptest! {
        #[test]
        fn every_name_is_read_back(seconds in 1_i64..4_000_000_000, id: u128, gateway in "[a-z][a-z0-9-]{0,20}[a-z0-9]") {
            let gateway: GatewayId = gateway.parse().unwrap();
            let at = Timestamp::from_millis(seconds * 1000);
            let id = OperationId(Uuid::from_u128(id));
            prop_assert_eq!(read_name(&name(&gateway, at, id)), Some((gateway, at, id.short())));
        }

        #[test]
        fn no_text_breaks_the_reader(text in "\\PC{0,60}") {
            if let Some((gateway, at, _)) = read_name(&text) {
                prop_assert!(text.starts_with(gateway.as_str()));
                prop_assert!(at.as_millis() % 1000 == 0);
            }
        }
    }
}
