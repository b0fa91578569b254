//! The monthly report: what the database knows of a month, and who got it by mail.

use std::time::Duration;

use async_trait::async_trait;

use super::StoreError;
use crate::report::{Facts, Month};
use crate::time::Timestamp;

/// The monthly report.
#[async_trait]
pub trait Reports: Send + Sync {
    /// What happened from one moment on and before another one. What is not reviewed `review_within` that long is late.
    async fn facts(
        &self,
        from: Timestamp,
        to: Timestamp,
        review_within: Duration,
    ) -> Result<Facts, StoreError>;
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
