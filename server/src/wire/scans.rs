//! What operations of this panel show to be scanned: in memory, gone with the operation.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};

use domain::gateway::{AccountId, GatewayId};
use domain::operation::OperationId;
use domain::ports::Scans;
use domain::scan::{Login, Scan};
use tokio::sync::broadcast;

/// What is shown now, and who wants to know of changes.
#[derive(Clone)]
pub(crate) struct ScanBoard(Arc<Inner>);

struct Inner {
    shown: Mutex<HashMap<OperationId, Scan>>,
    logins: Mutex<HashMap<(GatewayId, AccountId), Login>>,
    changes: broadcast::Sender<OperationId>,
}

impl Default for ScanBoard {
    fn default() -> Self {
        Self(Arc::new(Inner {
            shown: Mutex::default(),
            logins: Mutex::default(),
            changes: broadcast::Sender::new(64),
        }))
    }
}

impl ScanBoard {
    /// Resolves with every change. A receiver that lags behind looks at everything again.
    pub(crate) fn changes(&self) -> broadcast::Receiver<OperationId> {
        self.0.changes.subscribe()
    }
}

impl Scans for ScanBoard {
    fn show(&self, operation: OperationId, scan: Option<Scan>) {
        {
            let mut shown = self.0.shown.lock().unwrap_or_else(PoisonError::into_inner);
            match scan {
                Some(scan) => shown.insert(operation, scan),
                None => shown.remove(&operation),
            };
        }
        // Nobody looks: nothing to tell.
        let _readers = self.0.changes.send(operation);
    }

    fn of(&self, operation: OperationId) -> Option<Scan> {
        let shown = self.0.shown.lock().unwrap_or_else(PoisonError::into_inner);
        shown.get(&operation).cloned()
    }

    fn note_login(&self, gateway: &GatewayId, account: &AccountId, login: Option<Login>) {
        let of = (gateway.clone(), account.clone());
        let mut logins = self.0.logins.lock().unwrap_or_else(PoisonError::into_inner);
        match login {
            Some(login) => logins.insert(of, login),
            None => logins.remove(&of),
        };
    }

    fn login(&self, gateway: &GatewayId, account: &AccountId) -> Option<Login> {
        let logins = self.0.logins.lock().unwrap_or_else(PoisonError::into_inner);
        logins.get(&(gateway.clone(), account.clone())).copied()
    }
}
