//! What a person proves besides the password: a code of an authenticator, a passkey, or one of their recovery codes.

use core::time::Duration;

use secrecy::SecretString;
use serde::{Deserialize, Serialize};

use crate::time::Timestamp;

/// How long a set-up that was begun may be finished.
pub const SET_UP: Duration = Duration::from_secs(900);
/// How long after the password the code may come.
pub const SECOND_STEP: Duration = Duration::from_secs(300);
/// How many recovery codes a person gets.
pub const RECOVERY_CODES: u32 = 10;

/// A person's second factor, as it stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct SecondFactor {
    /// In use since.
    pub since: Timestamp,
    /// Whether an authenticator's codes are.
    pub authenticator: bool,
    /// How many passkeys are.
    pub passkeys: u32,
    /// Recovery codes that were not used yet.
    pub codes_left: u32,
}

/// Whether somebody may be without one.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Duty {
    /// They may.
    Free,
    /// Their role needs one.
    MustHave,
}

/// A set-up that was begun: what the authenticator has to be told.
#[derive(Clone, Debug)]
pub struct SetUp {
    /// The shared secret, base32 (RFC 4648) without padding, as authenticators take it.
    pub secret: SecretString,
    /// Until when the first code has to be typed.
    pub until: Timestamp,
}
