//! Who holds which gateway's lock, and which operation was its last, in memory: kept true by the journal's
//! notices.

use std::collections::BTreeMap;
use std::sync::{PoisonError, RwLock};

use domain::gateway::GatewayId;
use domain::operation::Operation;

/// The newest operation of each gateway: the lock's holder is always the newest one.
#[derive(Default)]
pub(crate) struct Holders(RwLock<BTreeMap<GatewayId, Operation>>);

impl Holders {
    /// The one that holds the lock.
    pub(crate) fn get(&self, gateway: &GatewayId) -> Option<Operation> {
        self.latest(gateway).filter(Operation::holds_lock)
    }

    /// The newest one, also when it has ended.
    pub(crate) fn latest(&self, gateway: &GatewayId) -> Option<Operation> {
        let known = self.0.read().unwrap_or_else(PoisonError::into_inner);
        known.get(gateway).cloned()
    }

    /// Takes note of an operation as it stands now.
    pub(crate) fn note(&self, operation: Operation) {
        let mut known = self.0.write().unwrap_or_else(PoisonError::into_inner);
        let gateway = operation.command.gateway().clone();
        let is_older = known
            .get(&gateway)
            .is_some_and(|known| known.id > operation.id);
        if operation.holds_lock() || !is_older {
            known.insert(gateway, operation);
        }
    }

    /// Takes note of the newest operation of a gateway, as read from the journal. A start that was noted
    /// since the reading is kept.
    pub(crate) fn learn(&self, gateway: &GatewayId, newest: Option<Operation>) {
        let Some(newest) = newest else { return };
        let mut known = self.0.write().unwrap_or_else(PoisonError::into_inner);
        if known.get(gateway).is_some_and(|known| known.id > newest.id) {
            return;
        }
        known.insert(gateway.clone(), newest);
    }
}
