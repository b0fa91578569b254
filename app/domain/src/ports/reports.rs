//! What the trail comes to: the monthly report, who got it by mail, and events over time.

use std::time::Duration;

use async_trait::async_trait;

use super::StoreError;
use crate::audit::Filter;
use crate::history::Transition;
use crate::report::{Facts, Month};
use crate::time::Timestamp;

/// How long somebody waits for a count.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Patience {
    /// As long as for a page of the trail.
    Page,
    /// Some seconds: they asked for it.
    Asked,
}

/// What counting comes to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Counts {
    /// How many lie between each two edges.
    Counted(Vec<u64>),
    /// So many that it takes longer than that.
    TooMany,
    /// A search in texts is not counted.
    Uncounted,
}

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
    /// How many events of a filter lie between each two edges.
    async fn events_between(
        &self,
        filter: &Filter,
        edges: &[Timestamp],
        patience: Patience,
    ) -> Result<Counts, StoreError>;
    /// Changes of the facts whose being down is an outage, oldest first, with the last one of each before.
    async fn changes(&self, from: Timestamp, to: Timestamp) -> Result<Vec<Transition>, StoreError>;
    /// Whether [`Reports::claim`] would be granted at this moment: a report that nobody waits for is not made.
    async fn waits(&self, month: Month, to: &str) -> Result<bool, StoreError>;
    /// Takes it upon this panel to mail a month's report to somebody, with its audit event “requested”. `false` when they
    /// have it, or another panel sees to it. One that did not go out may be taken again after an hour.
    async fn claim(&self, month: Month, to: &str) -> Result<bool, StoreError>;
    /// What became of that mail: it went out, or why not; audited.
    async fn mailed(
        &self,
        month: Month,
        to: &str,
        outcome: Result<(), String>,
    ) -> Result<(), StoreError>;
}
