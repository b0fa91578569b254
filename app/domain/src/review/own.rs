//! What is somebody's own: what they did, and what they agreed to as the second person.

use std::collections::BTreeMap;

use crate::audit::AuditEvent;
use crate::operation::OperationId;
use crate::person::Actor;

/// Why somebody may not review their own acts.
pub const OWN: &str = "Nobody signs off their own acts. Agreeing as the second person is one, too. Another manager or admin has to \
                       look at this.";

/// Who agreed to operations as the second person.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Agreed(BTreeMap<OperationId, String>);

impl FromIterator<(OperationId, String)> for Agreed {
    /// Operations, each with the key of whoever agreed to it.
    fn from_iter<T: IntoIterator<Item = (OperationId, String)>>(agreed: T) -> Self {
        Self(agreed.into_iter().collect())
    }
}

impl Agreed {
    /// Whether an event is the own act of whoever has this key.
    pub fn is_own(&self, key: &str, event: &AuditEvent) -> bool {
        let second = event.event.operation.and_then(|id| self.0.get(&id));
        event.event.actor.key() == key || second.is_some_and(|second| second == key)
    }
}

/// Whether somebody may review an event.
///
/// # Errors
/// Why not, for the person.
pub fn may_review(who: &Actor, event: &AuditEvent, agreed: &Agreed) -> Result<(), &'static str> {
    if agreed.is_own(&who.key(), event) {
        Err(OWN)
    } else {
        Ok(())
    }
}
