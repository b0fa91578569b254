//! How often the trail is reviewed, and by whom.

use std::time::Duration;

use crate::ports::Waiting;
use crate::time::Timestamp;

const DAY: Duration = Duration::from_secs(86_400);
/// What is older waits no more: nobody has to begin with the trail of years. It stays in the trail without a review.
pub const WAITS_FOR: Duration = Duration::from_secs(90 * 86_400);

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
    /// When the next review is due; `None` while nothing waits for one. It counts from the oldest event that waits,
    /// whatever else was signed off since.
    pub fn due(&self, waiting: &Waiting) -> Option<Timestamp> {
        let oldest = waiting.oldest?;
        Some(oldest.plus(DAY * u32::from(self.every_days)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_review_is_due_a_while_after_the_oldest_event_that_waits() {
        let policy = Policy::default();
        let at = |days: u32| Timestamp::default().plus(DAY * days);
        let mut waiting = Waiting::default();
        assert_eq!(policy.due(&waiting), None);
        waiting.oldest = Some(at(10));
        assert_eq!(policy.due(&waiting), Some(at(17)));
        // That something else was signed off does not move it.
        waiting.last_at = Some(at(16));
        assert_eq!(policy.due(&waiting), Some(at(17)));
    }
}
