//! How often the trail is reviewed, and by whom.

use std::time::Duration;

use crate::ports::Waiting;
use crate::time::Timestamp;

const DAY: Duration = Duration::from_secs(86_400);

/// How often the trail is reviewed, and by whom.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Policy {
    /// Days from one review to the next.
    pub every_days: u16,
    /// Who sees to it, in words or as a mail address.
    pub by: Option<String>,
}

impl Default for Policy {
    fn default() -> Self {
        Self {
            every_days: 7,
            by: None,
        }
    }
}

impl Policy {
    /// When the next review is due; `None` while nothing waits for one. It counts from the last sign-off, or from the
    /// first event when that is later or there was none.
    pub fn due(&self, waiting: &Waiting) -> Option<Timestamp> {
        let oldest = waiting.events.last()?.at;
        let since = waiting.last_at.map_or(oldest, |last| last.max(oldest));
        Some(since.plus(DAY * u32::from(self.every_days)))
    }
}

#[cfg(test)]
mod tests {
    use uuid::Uuid;

    use super::*;
    use crate::audit::{AuditEvent, AuditOutcome, NewAuditEvent};
    use crate::person::Actor;

    #[test]
    fn a_review_is_due_a_while_after_the_last_one_or_after_the_first_event() {
        let policy = Policy::default();
        let at = |days: u32| Timestamp::default().plus(DAY * days);
        let mut waiting = Waiting::default();
        assert_eq!(policy.due(&waiting), None);
        waiting.events = [20, 10]
            .map(|days| AuditEvent {
                sequence: days.into(),
                id: Uuid::nil(),
                at: at(days),
                event: NewAuditEvent::new(Actor::Panel, "restart", AuditOutcome::Succeeded),
            })
            .into();
        assert_eq!(policy.due(&waiting), Some(at(17)));
        waiting.last_at = Some(at(12));
        assert_eq!(policy.due(&waiting), Some(at(19)));
        waiting.last_at = Some(at(2));
        assert_eq!(policy.due(&waiting), Some(at(17)));
    }
}
