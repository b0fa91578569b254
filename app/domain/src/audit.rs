//! The audit trail: who did what, when, from where, why, with which outcome. Each event carries the hash of the one
//! before, so that nobody changes what was written unseen.

mod archive;
mod canonical;
mod chain;
mod change;
mod checkpoint;
mod csv;
pub mod filter;
mod json;
pub mod story;
mod timeline;
mod view;

use serde::{Deserialize, Serialize};
use uuid::Uuid;

use crate::gateway::GatewayId;
use crate::operation::OperationId;
use crate::person::Actor;
use crate::time::Timestamp;

pub use archive::{Archive, Doubt, SHORTEST_KEEP_DAYS, Stretch, archivable_before};
pub use canonical::Record;
pub use chain::{Check, Flaw, Found, Hash, Head, LISTED, Verifier};
pub use change::Change;
pub use checkpoint::{Checkpoint, PublicKey, Signature};
pub use csv::{CSV_HEADER, CSV_HEADER_WITHOUT_HASHES};
pub use filter::Filter;
pub use json::NotCanonical;
pub use timeline::{Timeline, Unit};
pub use view::{SavedView, VIEW_NAME, VIEWS, view_name};

/// Outcome of an audited act.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum AuditOutcome {
    /// Asked for; written before anything is done.
    Requested,
    /// Done.
    Succeeded,
    /// Not done, or not to the end.
    Failed,
    /// Refused by the capability table or by a wrong password.
    Denied,
    /// Failed and put back.
    Undone,
}

impl AuditOutcome {
    /// All outcomes.
    pub const ALL: [Self; 5] = [
        Self::Requested,
        Self::Succeeded,
        Self::Failed,
        Self::Denied,
        Self::Undone,
    ];

    /// The word used in tables and JSON.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Requested => "requested",
            Self::Succeeded => "succeeded",
            Self::Failed => "failed",
            Self::Denied => "denied",
            Self::Undone => "undone",
        }
    }

    /// Reads [`AuditOutcome::as_str`] back.
    pub fn parse(word: &str) -> Option<Self> {
        Self::ALL
            .into_iter()
            .find(|outcome| outcome.as_str() == word)
    }
}

/// The fixed vocabulary of audited acts besides operations (those use their own name).
pub mod act {
    /// Somebody signed in.
    pub const SIGN_IN: &str = "sign-in";
    /// Somebody signed out.
    pub const SIGN_OUT: &str = "sign-out";
    /// A password was changed by its owner.
    pub const CHANGE_PASSWORD: &str = "change-password";
    /// Somebody signed in with a browser that they had not signed in with before.
    pub const NEW_DEVICE: &str = "new-device";
    /// Sessions were ended by their owner or by an admin.
    pub const END_SESSIONS: &str = "end-sessions";
    /// A token was made by which programs act for somebody.
    pub const MAKE_TOKEN: &str = "make-token";
    /// Such tokens were taken back.
    pub const REVOKE_TOKEN: &str = "revoke-token";
    /// Somebody showed a token that opens nothing. Only denied: what a token does stands there under its own act.
    pub const USE_TOKEN: &str = "use-token";
    /// A passkey was added.
    pub const ADD_PASSKEY: &str = "add-passkey";
    /// A passkey was removed.
    pub const REMOVE_PASSKEY: &str = "remove-passkey";
    /// Somebody gets mail about their account elsewhere, or no more.
    pub const CHANGE_MAIL: &str = "change-mail";
    /// Somebody was said to be somebody at an identity provider.
    pub const CONNECT_IDENTITY: &str = "connect-identity";
    /// Somebody is nobody at identity providers any more.
    pub const DISCONNECT_IDENTITY: &str = "disconnect-identity";
    /// A second factor was set up.
    pub const SET_UP_SECOND_FACTOR: &str = "set-up-second-factor";
    /// Somebody's second factor was taken away.
    pub const REMOVE_SECOND_FACTOR: &str = "remove-second-factor";
    /// Recovery codes were made in place of the old ones.
    pub const RENEW_RECOVERY_CODES: &str = "renew-recovery-codes";
    /// Somebody who is signed in typed their password again, for an act that asks for it.
    pub const CONFIRM_IDENTITY: &str = "confirm-identity";
    /// A person was added.
    pub const ADD_PERSON: &str = "add-person";
    /// The link was made by which the first admin chooses name and password.
    pub const MAKE_SET_UP_LINK: &str = "make-set-up-link";
    /// Somebody opened their one-time link and chose a password.
    pub const ACCEPT_INVITATION: &str = "accept-invitation";
    /// A person was kept out.
    pub const DISABLE_PERSON: &str = "disable-person";
    /// A person was let in again.
    pub const ENABLE_PERSON: &str = "enable-person";
    /// A person got a new one-time password.
    pub const RESET_PASSWORD: &str = "reset-password";
    /// A role was changed.
    pub const CHANGE_ROLE: &str = "change-role";
    /// An operation was asked to stop.
    pub const CANCEL_OPERATION: &str = "cancel-operation";
    /// An operation was asked to go on without waiting for a step.
    pub const SKIP_STEP: &str = "skip-step";
    /// A stuck operation was freed.
    pub const ABANDON_OPERATION: &str = "abandon-operation";
    /// The panel approved its own device in the gateway.
    pub const PAIR_DEVICE: &str = "pair-device";
    /// The panel removed one of its own devices from the gateway.
    pub const UNPAIR_DEVICE: &str = "unpair-device";
    /// The gateway's log was downloaded.
    pub const DOWNLOAD_LOGS: &str = "download-logs";
    /// The key was made that backups are encrypted to.
    pub const MAKE_BACKUP_KEY: &str = "make-backup-key";
    /// An encrypted backup was downloaded.
    pub const DOWNLOAD_BACKUP: &str = "download-backup";
    /// A one-time link was made that shows a code on another screen.
    pub const HAND_OFF: &str = "hand-off";
    /// Such a link was sent by mail.
    pub const MAIL_HAND_OFF: &str = "mail-hand-off";
    /// Such a link was opened, or somebody tried in vain.
    pub const OPEN_HAND_OFF: &str = "open-hand-off";
    /// Such a link was taken back.
    pub const REVOKE_HAND_OFF: &str = "revoke-hand-off";
    /// A person was shown the code that links an account.
    pub const VIEW_CODE: &str = "view-code";
    /// A person was shown a new key, the one time that it is shown.
    pub const REVEAL_KEY: &str = "reveal-key";
    /// Something was done with a new key: a consumer has it, or the rotation log.
    pub const FINISH_KEY_TASK: &str = "finish-key-task";
    /// Somebody asked for a second person before a command is carried out.
    pub const ASK_SECOND: &str = "ask-second-person";
    /// A second person agreed.
    pub const APPROVE: &str = "approve";
    /// A second person did not agree.
    pub const DECLINE: &str = "decline";
    /// Whoever asked took it back.
    pub const WITHDRAW: &str = "withdraw";
    /// Somebody who uses a gateway's key was added to the register.
    pub const ADD_CONSUMER: &str = "add-consumer";
    /// Somebody who uses a gateway's key was removed from the register.
    pub const REMOVE_CONSUMER: &str = "remove-consumer";
    /// A credential was added to the register.
    pub const ADD_CREDENTIAL: &str = "add-credential";
    /// What the register says of a credential was changed.
    pub const CHANGE_CREDENTIAL: &str = "change-credential";
    /// A credential was taken out of the register.
    pub const RETIRE_CREDENTIAL: &str = "retire-credential";
    /// Somebody said why a credential may wait that is due.
    pub const SNOOZE_CREDENTIAL: &str = "snooze-credential";
    /// The rotation of a credential was noted.
    pub const NOTE_ROTATION: &str = "note-rotation";
    /// A reminder of a credential was mailed.
    pub const REMIND: &str = "remind";
    /// A secret link to the calendar of credentials was made.
    pub const MAKE_CALENDAR_LINK: &str = "make-calendar-link";
    /// Such a link was taken back.
    pub const REMOVE_CALENDAR_LINK: &str = "remove-calendar-link";
    /// The audit trail was written to a file.
    pub const EXPORT_AUDIT: &str = "export-audit";
    /// Somebody had the chain of the audit trail checked.
    pub const VERIFY_AUDIT: &str = "verify-audit";
    /// Old events were written to a signed file, and may leave the database.
    pub const ARCHIVE_AUDIT: &str = "archive-audit";
    /// A manager signed events off, asked about one, or wants to follow one up.
    pub const REVIEW: &str = "review";
    /// Somebody answered what a manager asked.
    pub const ANSWER_QUESTION: &str = "answer-question";
}

/// An event to be written.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct NewAuditEvent {
    /// Who.
    pub actor: Actor,
    /// What: an operation's name or one of [`act`], or `view-…` for denials.
    pub action: String,
    /// On which gateway.
    pub gateway: Option<GatewayId>,
    /// On what else: a person's name, an account.
    pub target: Option<String>,
    /// In which operation.
    pub operation: Option<OperationId>,
    /// Why, in the person's own words.
    pub reason: Option<String>,
    /// With which outcome.
    pub outcome: AuditOutcome,
    /// One sentence more, scrubbed.
    pub note: Option<String>,
    /// What was changed, value by value.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub changes: Vec<Change>,
    /// How long it took, where it took any time.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub duration_ms: Option<u64>,
}

impl NewAuditEvent {
    /// The least that an event tells; the rest is set on top: `NewAuditEvent { target, ..NewAuditEvent::new(…) }`.
    pub fn new(actor: Actor, action: &str, outcome: AuditOutcome) -> Self {
        Self {
            actor,
            action: action.to_owned(),
            gateway: None,
            target: None,
            operation: None,
            reason: None,
            outcome,
            note: None,
            changes: Vec::new(),
            duration_ms: None,
        }
    }
}

/// An event as stored.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct AuditEvent {
    /// 1, 2, 3 …, as written.
    pub sequence: i64,
    /// Its id.
    pub id: Uuid,
    /// When.
    pub at: Timestamp,
    /// What was written.
    #[serde(flatten)]
    pub event: NewAuditEvent,
}

#[cfg(test)]
mod tests;
