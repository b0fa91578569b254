//! A gateway (one OpenClaw installation) and its WhatsApp accounts, by name.

use core::fmt;
use core::str::FromStr;

use serde::{Deserialize, Serialize};

/// Why a name was refused; the text says what is allowed.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("`{given}` cannot be a {what}: use 1 to {max} of a-z, 0-9, `-`{extra}")]
pub struct BadName {
    given: String,
    what: &'static str,
    max: usize,
    extra: &'static str,
}

/// Names a gateway in URLs, tables and configuration: 1 to 40 of `a-z 0-9 -`.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct GatewayId(String);

/// Names a WhatsApp account of a gateway as the gateway does: 1 to 64 of `A-Z a-z 0-9 - _ .`, no dot first.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct AccountId(String);

macro_rules! name {
    ($type:ident, $what:literal, $max:literal, $extra:literal, $allowed:expr) => {
        impl $type {
            /// The name as text.
            pub fn as_str(&self) -> &str {
                &self.0
            }
        }
        impl FromStr for $type {
            type Err = BadName;
            fn from_str(given: &str) -> Result<Self, BadName> {
                // A name may become a part of a path: `..` must never be one.
                let fits = (1..=$max).contains(&given.len())
                    && given.chars().all($allowed)
                    && !given.starts_with('.');
                if fits {
                    Ok(Self(given.to_owned()))
                } else {
                    let given = given.chars().take(80).collect();
                    Err(BadName {
                        given,
                        what: $what,
                        max: $max,
                        extra: $extra,
                    })
                }
            }
        }
        impl TryFrom<String> for $type {
            type Error = BadName;
            fn try_from(given: String) -> Result<Self, BadName> {
                given.parse()
            }
        }
        impl From<$type> for String {
            fn from(name: $type) -> String {
                name.0
            }
        }
        impl fmt::Display for $type {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(&self.0)
            }
        }
    };
}

name!(GatewayId, "gateway id", 40, "", |c: char| c
    .is_ascii_lowercase()
    || c.is_ascii_digit()
    || c == '-');
name!(
    AccountId,
    "account id",
    64,
    ", `_`, `.` and capitals",
    |c: char| c.is_ascii_alphanumeric() || matches!(c, '-' | '_' | '.')
);

/// What a page says about a gateway before anything was observed.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Gateway {
    /// Its id.
    pub id: GatewayId,
    /// Its name for people, for example `OpenClaw on vps-i1`.
    pub name: String,
    /// The URL that users reach it by, without a trailing slash.
    pub public_url: String,
    /// Whether a stand-in plays WhatsApp (demo and tests): pages say so.
    pub stand_in: bool,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_checked_where_they_enter() {
        assert!("vps-i1".parse::<GatewayId>().is_ok());
        for bad in ["", "VPS", "a/b", "ä", &"x".repeat(41)] {
            assert!(bad.parse::<GatewayId>().is_err(), "{bad}");
        }
        assert!("default".parse::<AccountId>().is_ok());
        for bad in [".", "..", ".hidden", "a/b", ""] {
            assert!(bad.parse::<AccountId>().is_err(), "{bad}");
        }
        assert!(serde_json::from_str::<GatewayId>("\"../etc\"").is_err());
    }
}
