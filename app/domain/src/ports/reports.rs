//! What the trail comes to: the monthly report, who got it by mail, and events over time.

use std::time::Duration;

use async_trait::async_trait;

use super::StoreError;
use crate::audit::Filter;
use crate::history::Transition;
use crate::report::{Facts, Month};
use crate::time::Timestamp;

/// What the trail comes to in a while.
#[async_trait]
pub trait Reports: Send + Sync {
    /// What happened from one moment on and before another one. What is not reviewed `review_within` that long is late.
    async fn facts(
        &self,
        from: Timestamp,
        to: Timestamp,
        review_within: Duration,
    ) -> Result<Facts, StoreError>;
    /// How many events of a filter lie between each two edges; `None` where counting them would take too long.
    async fn events_between(
        &self,
        filter: &Filter,
        edges: &[Timestamp],
    ) -> Result<Option<Vec<u64>>, StoreError>;
    /// Changes of the facts whose being down is an outage, oldest first, with the last one of each before.
    async fn changes(&self, from: Timestamp, to: Timestamp) -> Result<Vec<Transition>, StoreError>;
    /// Takes it upon this panel to mail a month's report to somebody. `false` when they have it, or another panel sees
    /// to it. One that did not go out may be taken again after an hour.
    async fn claim(&self, month: Month, to: &str) -> Result<bool, StoreError>;
    /// What became of that mail: it went out, or why not. What went out is audited.
    async fn mailed(
        &self,
        month: Month,
        to: &str,
        outcome: Result<(), String>,
    ) -> Result<(), StoreError>;
}
