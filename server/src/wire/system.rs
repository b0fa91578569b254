//! The real clock and the real ids: the only place that asks the machine for either.

use std::time::{SystemTime, UNIX_EPOCH};

use domain::ports::{Clock, Ids};
use domain::time::Timestamp;
use uuid::Uuid;

/// The machine's clock.
pub(crate) struct SystemClock;

impl Clock for SystemClock {
    #[expect(
        clippy::disallowed_methods,
        reason = "this is the clock that everybody else is given"
    )]
    fn now(&self) -> Timestamp {
        let since = SystemTime::now()
            .duration_since(UNIX_EPOCH)
            .unwrap_or_default();
        Timestamp::from_millis(i64::try_from(since.as_millis()).unwrap_or(i64::MAX))
    }
}

/// Version 7 UUIDs from the system's randomness.
pub(crate) struct SystemIds;

impl Ids for SystemIds {
    #[expect(
        clippy::disallowed_methods,
        reason = "these are the ids that everybody else is given"
    )]
    fn next(&self) -> Uuid {
        Uuid::now_v7()
    }
}
