//! What can be asked for, and what follows from that alone.

use serde::{Deserialize, Serialize};
use uuid::Uuid;

use crate::action::Action;
use crate::credential::Cause;
use crate::fact::FactKind;
use crate::gateway::{AccountId, GatewayId};
use crate::operation::OperationId;

/// What is to be done.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub enum Command {
    /// Stop and start one account without a scan.
    Reconnect {
        /// Which gateway.
        gateway: GatewayId,
        /// Which account.
        account: AccountId,
    },
    /// Link one account by a scan. Only for an account without a working link.
    Relink {
        /// Which gateway.
        gateway: GatewayId,
        /// Which account.
        account: AccountId,
    },
    /// Link one account by a scan though its link may still work; that is kept aside and backed up.
    ReplaceLink {
        /// Which gateway.
        gateway: GatewayId,
        /// Which account.
        account: AccountId,
    },
    /// Take an account's link out of the gateway; it is backed up first.
    Unlink {
        /// Which gateway.
        gateway: GatewayId,
        /// Which account.
        account: AccountId,
    },
    /// Empty the gateway's state folder, bring configuration and plugins back, and link one account by a scan.
    Wipe {
        /// Which gateway.
        gateway: GatewayId,
        /// The account that is linked afterwards.
        account: AccountId,
    },
    /// Install the WhatsApp plugin into a gateway that has none.
    InstallPlugin {
        /// Which gateway.
        gateway: GatewayId,
    },
    /// Restart the container.
    Restart {
        /// Which gateway.
        gateway: GatewayId,
    },
    /// Replace the container by a new one from the compose folder.
    Recreate {
        /// Which gateway.
        gateway: GatewayId,
        /// Fingerprint that the person saw when confirming; a file changed since is refused.
        seen: Option<String>,
    },
    /// First start of a gateway that has no container.
    Install {
        /// Which gateway.
        gateway: GatewayId,
    },
    /// Stop the container.
    Stop {
        /// Which gateway.
        gateway: GatewayId,
    },
    /// Start the container that is there.
    Start {
        /// Which gateway.
        gateway: GatewayId,
    },
    /// Keep an encrypted copy of the gateway's state.
    Backup {
        /// Which gateway.
        gateway: GatewayId,
    },
    /// Bring an account's link back from a backup.
    Restore {
        /// Which gateway.
        gateway: GatewayId,
        /// Which account.
        account: AccountId,
        /// The backup's name.
        backup: String,
        /// What [`crate::ports::Backups::unlock`] gave for it.
        ticket: Uuid,
        /// Whether a link that works may be replaced.
        replace: bool,
    },
    /// Change the gateway's key, and recreate the container with it.
    RotateKey {
        /// Which gateway.
        gateway: GatewayId,
        /// Why.
        cause: Cause,
        /// Leaves the repository's secret on GitHub to a person.
        #[serde(default)]
        skip_secret: bool,
        /// The rotation whose old key comes back, in place of a new one.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        puts_back: Option<OperationId>,
    },
    /// Change the panel's own identity at the gateway.
    RotateDevice {
        /// Which gateway.
        gateway: GatewayId,
        /// Why.
        cause: Cause,
    },
    /// Bring one account back with the gentlest step that helps.
    Recover {
        /// Which gateway.
        gateway: GatewayId,
        /// Which account.
        account: AccountId,
    },
}

impl Command {
    /// The gateway it acts on.
    pub fn gateway(&self) -> &GatewayId {
        match self {
            Self::Reconnect { gateway, .. }
            | Self::Relink { gateway, .. }
            | Self::ReplaceLink { gateway, .. }
            | Self::Unlink { gateway, .. }
            | Self::Wipe { gateway, .. }
            | Self::Recover { gateway, .. }
            | Self::RotateKey { gateway, .. }
            | Self::RotateDevice { gateway, .. }
            | Self::Restart { gateway }
            | Self::Recreate { gateway, .. }
            | Self::Install { gateway }
            | Self::InstallPlugin { gateway }
            | Self::Stop { gateway }
            | Self::Backup { gateway }
            | Self::Restore { gateway, .. }
            | Self::Start { gateway } => gateway,
        }
    }

    /// The account it acts on; `None` when it acts on the whole gateway.
    pub const fn account(&self) -> Option<&AccountId> {
        match self {
            Self::Reconnect { account, .. }
            | Self::Relink { account, .. }
            | Self::ReplaceLink { account, .. }
            | Self::Unlink { account, .. }
            | Self::Wipe { account, .. }
            | Self::Restore { account, .. }
            | Self::Recover { account, .. } => Some(account),
            Self::Restart { .. }
            | Self::Recreate { .. }
            | Self::Install { .. }
            | Self::InstallPlugin { .. }
            | Self::Stop { .. }
            | Self::Backup { .. }
            | Self::RotateKey { .. }
            | Self::RotateDevice { .. }
            | Self::Start { .. } => None,
        }
    }

    /// Whether it may show a code that links its account.
    pub const fn shows_code(&self) -> bool {
        matches!(
            self,
            Self::Relink { .. }
                | Self::ReplaceLink { .. }
                | Self::Wipe { .. }
                | Self::Recover { .. }
        )
    }

    /// Whether it may change this fact: what else changes meanwhile is not its doing.
    pub fn disturbs(&self, fact: FactKind) -> bool {
        match self {
            Self::Reconnect { .. }
            | Self::Relink { .. }
            | Self::ReplaceLink { .. }
            | Self::Unlink { .. }
            | Self::Restore { .. } => fact == FactKind::Session,
            // The panel connects anew, and asks for the accounts by that connection.
            Self::RotateDevice { .. } => matches!(fact, FactKind::Process | FactKind::Session),
            Self::Backup { .. } => false,
            _ => true,
        }
    }

    /// The action that the actor must be permitted.
    pub const fn action(&self) -> Action {
        match self {
            Self::Reconnect { .. } => Action::Reconnect,
            Self::Relink { .. } => Action::Relink,
            Self::ReplaceLink { .. } => Action::ReplaceLink,
            Self::Unlink { .. } => Action::Unlink,
            Self::Wipe { .. } => Action::Wipe,
            Self::Restart { .. } => Action::Restart,
            Self::Recreate { .. } => Action::Recreate,
            Self::Install { .. } => Action::Install,
            Self::InstallPlugin { .. } => Action::InstallPlugin,
            Self::Stop { .. } => Action::Stop,
            Self::Backup { .. } => Action::Backup,
            Self::Restore { .. } => Action::Restore,
            Self::RotateKey { .. } => Action::RotateKey,
            Self::RotateDevice { .. } => Action::RotateDevice,
            Self::Start { .. } => Action::Start,
            Self::Recover { .. } => Action::Recover,
        }
    }

    /// The stored name of its story: `restart`.
    pub const fn name(&self) -> &'static str {
        self.action().as_str()
    }

    /// The title shown to people: `Restart`, `Reconnect account default`.
    pub fn title(&self) -> String {
        match self {
            Self::Reconnect { account, .. } => format!("Reconnect account {account}"),
            Self::Relink { account, .. } => format!("Link account {account}"),
            Self::Unlink { account, .. } => format!("Unlink account {account}"),
            Self::Wipe { .. } => "Wipe the gateway's state".to_owned(),
            Self::ReplaceLink { account, .. } => format!("Replace the link of account {account}"),
            Self::Restart { .. } => "Restart".to_owned(),
            Self::Recreate { .. } => "Recreate".to_owned(),
            Self::Install { .. } => "Install".to_owned(),
            Self::InstallPlugin { .. } => "Install the WhatsApp plugin".to_owned(),
            Self::Stop { .. } => "Stop".to_owned(),
            Self::Backup { .. } => "Back up".to_owned(),
            Self::Start { .. } => "Start".to_owned(),
            Self::RotateKey {
                puts_back: None, ..
            } => "Rotate the API key".to_owned(),
            Self::RotateKey { .. } => "Put the old API key back".to_owned(),
            Self::RotateDevice { .. } => "Renew the panel's device identity".to_owned(),
            Self::Restore { account, .. } => format!("Restore account {account}"),
            // The account that a gateway has by itself needs no name.
            Self::Recover { account, .. } if account.as_str() == "default" => {
                "Fix WhatsApp".to_owned()
            }
            Self::Recover { account, .. } => format!("Fix WhatsApp for account {account}"),
        }
    }
}
