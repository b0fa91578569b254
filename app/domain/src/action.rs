//! What can be done in the panel, one word each: used by the capability table, forms and audit alike.

use std::time::Duration;

use serde::{Deserialize, Serialize};

/// How long a typed password vouches for whoever holds the session.
pub const STEP_UP: Duration = Duration::from_secs(600);
/// What a form that was opened in time gets on top, so that nothing typed is lost.
pub const STEP_UP_GRACE: Duration = Duration::from_secs(300);

/// Something a person asks for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Action {
    /// See state, history and operations of a gateway.
    ViewGateway,
    /// See whole phone numbers.
    ViewPhoneNumbers,
    /// Read the gateway's log.
    ViewLogs,
    /// Read the audit trail.
    ViewAudit,
    /// Have the whole chain of the audit trail checked.
    VerifyAudit,
    /// Sign off what was done, or ask about it.
    ReviewAudit,
    /// See the people page.
    ViewPeople,
    /// Stop and start one account, keeping its link.
    Reconnect,
    /// Link one account by a scan.
    Relink,
    /// Take an account's link out of the gateway.
    Unlink,
    /// Empty the gateway's state folder.
    Wipe,
    /// Replace a link that may still work by a scan.
    ReplaceLink,
    /// Make a one-time link that shows such a code on another screen, and take it back.
    HandOff,
    /// See the code that links an account.
    ViewCode,
    /// Restart the container.
    Restart,
    /// Recreate the container.
    Recreate,
    /// First start of a gateway.
    Install,
    /// Install the WhatsApp plugin.
    InstallPlugin,
    /// Stop the container.
    Stop,
    /// Start the container.
    Start,
    /// Bring an account back with the gentlest step that helps.
    Recover,
    /// Keep an encrypted copy of the gateway's state.
    Backup,
    /// Bring an account's link back from a backup.
    Restore,
    /// Change the gateway's key.
    RotateKey,
    /// Change the panel's own identity at the gateway.
    RotateDevice,
    /// Say who has the gateway's new key by now, and who uses it at all.
    HandOverKey,
    /// Make the key that backups are encrypted to.
    MakeBackupKey,
    /// Cancel an operation that runs.
    CancelOperation,
    /// Free a gateway whose operation is stuck.
    AbandonOperation,
    /// Add, disable and change people.
    ManagePeople,
    /// See the register of credentials.
    ViewCredentials,
    /// Add and change credentials in the register, note rotations, say why one may wait.
    ManageCredentials,
    /// Take a credential out of the register.
    RetireCredential,
}

impl Action {
    /// Every action, in the order of the snapshot.
    pub const ALL: [Self; 33] = [
        Self::ViewGateway,
        Self::ViewPhoneNumbers,
        Self::ViewLogs,
        Self::ViewAudit,
        Self::VerifyAudit,
        Self::ReviewAudit,
        Self::ViewPeople,
        Self::Reconnect,
        Self::Relink,
        Self::Unlink,
        Self::Wipe,
        Self::ReplaceLink,
        Self::HandOff,
        Self::ViewCode,
        Self::Restart,
        Self::Recreate,
        Self::Install,
        Self::InstallPlugin,
        Self::Stop,
        Self::Start,
        Self::Recover,
        Self::Backup,
        Self::Restore,
        Self::RotateKey,
        Self::RotateDevice,
        Self::HandOverKey,
        Self::MakeBackupKey,
        Self::CancelOperation,
        Self::AbandonOperation,
        Self::ManagePeople,
        Self::ViewCredentials,
        Self::ManageCredentials,
        Self::RetireCredential,
    ];

    /// The word used in code, URLs and audit.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::ViewGateway => "view-gateway",
            Self::ViewPhoneNumbers => "view-phone-numbers",
            Self::ViewLogs => "view-logs",
            Self::ViewAudit => "view-audit",
            Self::VerifyAudit => "verify-audit",
            Self::ReviewAudit => "review-audit",
            Self::ViewPeople => "view-people",
            Self::Reconnect => "reconnect",
            Self::Relink => "relink",
            Self::Unlink => "unlink",
            Self::Wipe => "wipe",
            Self::ReplaceLink => "replace-link",
            Self::HandOff => "hand-off",
            Self::ViewCode => "view-code",
            Self::Restart => "restart",
            Self::Recreate => "recreate",
            Self::Install => "install",
            Self::InstallPlugin => "install-plugin",
            Self::Stop => "stop",
            Self::Start => "start",
            Self::Recover => "recover",
            Self::Backup => "backup",
            Self::Restore => "restore",
            Self::RotateKey => "rotate-key",
            Self::RotateDevice => "rotate-device",
            Self::HandOverKey => "hand-over-key",
            Self::MakeBackupKey => "make-backup-key",
            Self::CancelOperation => "cancel-operation",
            Self::AbandonOperation => "abandon-operation",
            Self::ManagePeople => "manage-people",
            Self::ViewCredentials => "view-credentials",
            Self::ManageCredentials => "manage-credentials",
            Self::RetireCredential => "retire-credential",
        }
    }

    /// Whether whoever asks must have typed their password lately, see [`STEP_UP`].
    pub const fn needs_step_up(self) -> bool {
        matches!(
            self,
            Self::Restore
                | Self::ReplaceLink
                | Self::Unlink
                | Self::Wipe
                | Self::RotateKey
                | Self::RotateDevice
                | Self::RetireCredential
                | Self::ManagePeople
        )
    }
}
