//! A clock that follows the runtime's (which tests pause), and ids that count.

use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use domain::ports::{Clock, Ids};
use domain::time::Timestamp;
use tokio::time::Instant;
use uuid::Uuid;

/// Begins at 2026-11-22T02:00:00Z.
#[derive(Debug)]
pub struct FakeClock(Instant);

impl Default for FakeClock {
    fn default() -> Self {
        Self(Instant::now())
    }
}

impl Clock for FakeClock {
    fn now(&self) -> Timestamp {
        Timestamp::from_millis(1_795_312_800_000).plus(self.0.elapsed())
    }
}

impl FakeClock {
    /// The time since it was made.
    pub fn elapsed(&self) -> Duration {
        self.0.elapsed()
    }
}

/// 1, 2, 3 …
#[derive(Debug, Default)]
pub struct FakeIds(AtomicU64);

impl Ids for FakeIds {
    fn next(&self) -> Uuid {
        Uuid::from_u128(u128::from(self.0.fetch_add(1, Ordering::SeqCst) + 1))
    }
}
