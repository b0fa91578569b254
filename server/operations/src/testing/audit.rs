//! The audit trail, in memory; it can be away.

use std::sync::{Mutex, PoisonError};

use async_trait::async_trait;
use domain::audit::{AuditEvent, NewAuditEvent};
use domain::ports::{AuditTrail, StoreError};
use domain::time::Timestamp;
use uuid::Uuid;

/// The audit trail.
#[derive(Default)]
pub struct MemoryAudit(Mutex<Inner>);

#[derive(Default)]
struct Inner {
    events: Vec<NewAuditEvent>,
    away: bool,
}

impl MemoryAudit {
    /// What was written, oldest first.
    pub fn events(&self) -> Vec<NewAuditEvent> {
        self.with(|inner| inner.events.clone())
    }

    /// From now on nothing can be written.
    pub fn go_away(&self) {
        self.with(|inner| inner.away = true);
    }

    fn with<T>(&self, of: impl FnOnce(&mut Inner) -> T) -> T {
        of(&mut self.0.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

#[async_trait]
impl AuditTrail for MemoryAudit {
    async fn record(&self, event: NewAuditEvent) -> Result<AuditEvent, StoreError> {
        self.with(|inner| {
            if inner.away {
                return Err(StoreError {
                    doing: "writing an audit event",
                    source: "connection refused".into(),
                });
            }
            inner.events.push(event.clone());
            Ok(AuditEvent {
                sequence: i64::try_from(inner.events.len()).unwrap_or(i64::MAX),
                id: Uuid::nil(),
                at: Timestamp::default(),
                event,
            })
        })
    }

    async fn list(&self, _: Option<i64>, _: u32) -> Result<Vec<AuditEvent>, StoreError> {
        Ok(Vec::new())
    }
}
