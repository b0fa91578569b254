//! What is looked at now and then for as long as the panel runs.

use std::time::Duration;

use tokio::time::{Interval, MissedTickBehavior};
use tokio_util::sync::CancellationToken;

/// A round at once, and then one every so often.
pub(crate) struct Rounds {
    ticks: Interval,
    stop: CancellationToken,
}

impl Rounds {
    pub(crate) fn every(every: Duration, stop: CancellationToken) -> Self {
        let mut ticks = tokio::time::interval(every);
        ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
        Self { ticks, stop }
    }

    /// Waits for the next one; `false` when it is time to stop. It does not break off a round that has begun: a mail that
    /// is on its way is not dropped half way.
    pub(crate) async fn next(&mut self) -> bool {
        tokio::select! {
            () = self.stop.cancelled() => false,
            _ = self.ticks.tick() => true,
        }
    }

    /// Says what a round could not do; the next one tries again.
    pub(crate) fn say<E: std::error::Error + 'static>(&self, what: &str, done: Result<(), E>) {
        if let Err(error) = done {
            tracing::warn!(
                error = &error as &dyn std::error::Error,
                "{what}; tried again in {} s",
                self.ticks.period().as_secs()
            );
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test(start_paused = true)]
    async fn there_is_one_at_once_and_one_every_so_often_until_the_end() {
        let stop = CancellationToken::new();
        let every = Duration::from_secs(20);
        let since = tokio::time::Instant::now();
        let mut rounds = Rounds::every(every, stop.clone());
        assert!(rounds.next().await);
        assert_eq!(since.elapsed(), Duration::ZERO);
        assert!(rounds.next().await);
        assert_eq!(since.elapsed(), every);
        stop.cancel();
        assert!(!rounds.next().await);
        assert_eq!(since.elapsed(), every);
    }
}
