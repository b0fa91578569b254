//! Passkeys (WebAuthn Level 3): keys of a phone, a computer or a security key, which unlocks them for their owner only.
//! So one of them proves two things, what somebody has and who they are, and stands for password and second factor.

use core::time::Duration;

use serde::{Deserialize, Serialize};
use uuid::Uuid;

use crate::time::Timestamp;

/// How long a device may take.
pub const CEREMONY: Duration = Duration::from_secs(300);
/// The most letters of a name.
pub const NAME: usize = 60;
/// The most that one person has.
pub const MOST: usize = 20;

/// One passkey, as it is listed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Passkey {
    /// Its id here.
    pub id: Uuid,
    /// What its owner calls it.
    pub name: String,
    /// Since when.
    pub made_at: Timestamp,
    /// When it last let somebody in or confirmed who they are.
    pub last_used_at: Option<Timestamp>,
}

/// What the browser is asked, and what it brings back with the answer.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Question {
    /// `PublicKeyCredentialCreationOptionsJSON` or `PublicKeyCredentialRequestOptionsJSON`.
    pub options: serde_json::Value,
    /// What the panel has to remember of it: sealed, bound to whom and what it is for, and of no use twice.
    pub ceremony: String,
}

/// What the browser brought.
#[derive(Clone, Debug)]
pub struct Answer {
    /// [`Question::ceremony`].
    pub ceremony: String,
    /// `RegistrationResponseJSON` or `AuthenticationResponseJSON`, as text.
    pub credential: String,
}
