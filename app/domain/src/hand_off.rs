//! Hand-offs: one-time links that show the code of one operation on another screen, without a sign-in there.
//!
//! A link is opened once, by one device, within ten minutes; from then on that device sees the code until the operation
//! ends or somebody takes the link back.

use std::time::Duration;

use serde::{Deserialize, Serialize};
use uuid::Uuid;

use crate::operation::OperationId;
use crate::person::Actor;
use crate::time::Timestamp;

/// How long a link can be opened.
pub const OPENS_WITHIN: Duration = Duration::from_secs(600);

/// A link that was made, without what opens it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct HandOff {
    /// Its id.
    pub id: Uuid,
    /// Whose code it shows.
    pub operation: OperationId,
    /// Who made it.
    pub made_by: Actor,
    /// When.
    pub made_at: Timestamp,
    /// It cannot be opened after this.
    pub expires_at: Timestamp,
    /// When it was opened, and from where: address and browser.
    pub opened: Option<(Timestamp, String)>,
    /// When somebody took it back.
    pub revoked_at: Option<Timestamp>,
}

/// What a link is good for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Standing {
    /// It can be opened.
    Waiting,
    /// One device has opened it.
    Opened,
    /// Nobody opened it in time.
    Expired,
    /// Somebody took it back.
    Revoked,
}

impl HandOff {
    /// What it is good for at `now`; whether its operation still runs is another question.
    pub fn standing(&self, now: Timestamp) -> Standing {
        if self.revoked_at.is_some() {
            Standing::Revoked
        } else if self.opened.is_some() {
            Standing::Opened
        } else if now >= self.expires_at {
            Standing::Expired
        } else {
            Standing::Waiting
        }
    }
}

impl Standing {
    /// Why a link cannot be opened, as a sentence for whoever has it; `None` when it can.
    pub const fn against(self) -> Option<&'static str> {
        match self {
            Self::Waiting => None,
            Self::Opened => Some(
                "This link was opened on a device already, and it works once. If that was not you, tell whoever sent it.",
            ),
            Self::Expired => Some("This link is older than ten minutes. Ask for a new one."),
            Self::Revoked => Some("This link was taken back. Ask for a new one."),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_link_is_good_once_in_time_until_it_is_taken_back() {
        let made_at = Timestamp::from_millis(1_800_000_000_000);
        let made = HandOff {
            id: Uuid::nil(),
            operation: OperationId(Uuid::nil()),
            made_by: Actor::Panel,
            made_at,
            expires_at: made_at.plus(OPENS_WITHIN),
            opened: None,
            revoked_at: None,
        };
        assert_eq!(made.standing(made_at), Standing::Waiting);
        assert_eq!(made.standing(made.expires_at), Standing::Expired);
        let opened = HandOff {
            opened: Some((made_at, "10.0.0.1".to_owned())),
            ..made.clone()
        };
        assert_eq!(opened.standing(made.expires_at), Standing::Opened);
        let revoked = HandOff {
            revoked_at: Some(made_at),
            ..opened
        };
        assert_eq!(revoked.standing(made_at), Standing::Revoked);
        assert!(Standing::Waiting.against().is_none());
    }
}
