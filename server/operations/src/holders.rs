//! Who holds which gateway's lock, in memory: kept true by the journal's notices.

use std::collections::BTreeMap;
use std::sync::{PoisonError, RwLock};

use domain::gateway::GatewayId;
use domain::operation::Operation;

#[derive(Default)]
pub(crate) struct Holders(RwLock<BTreeMap<GatewayId, Operation>>);

impl Holders {
    pub(crate) fn get(&self, gateway: &GatewayId) -> Option<Operation> {
        let held = self.0.read().unwrap_or_else(PoisonError::into_inner);
        held.get(gateway).cloned()
    }

    /// Takes note of an operation as it stands now.
    pub(crate) fn note(&self, operation: Operation) {
        let mut held = self.0.write().unwrap_or_else(PoisonError::into_inner);
        let gateway = operation.command.gateway().clone();
        if operation.holds_lock() {
            held.insert(gateway, operation);
        } else if held
            .get(&gateway)
            .is_some_and(|held| held.id == operation.id)
        {
            held.remove(&gateway);
        }
    }

    /// Takes note of the newest operation of a gateway, as read from the journal. The lock's holder is
    /// always the newest one; a start that was noted since the reading is kept.
    pub(crate) fn learn(&self, gateway: &GatewayId, newest: Option<Operation>) {
        let Some(newest) = newest else { return };
        let mut held = self.0.write().unwrap_or_else(PoisonError::into_inner);
        if held.get(gateway).is_some_and(|held| held.id > newest.id) {
            return;
        }
        if newest.holds_lock() {
            held.insert(gateway.clone(), newest);
        } else {
            held.remove(gateway);
        }
    }
}
