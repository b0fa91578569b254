//! Who holds which gateway's lock, and which operation was its last, in memory: kept true by the journal's
//! notices.

use std::collections::BTreeMap;

use domain::gateway::GatewayId;
use domain::operation::{Operation, OperationId};
use tokio::sync::watch;

/// The newest operation of each gateway: the lock's holder is always the newest one.
#[derive(Default)]
pub(crate) struct Holders(watch::Sender<BTreeMap<GatewayId, Operation>>);

impl Holders {
    /// The one that holds the lock.
    pub(crate) fn get(&self, gateway: &GatewayId) -> Option<Operation> {
        self.latest(gateway).filter(Operation::holds_lock)
    }

    /// The newest one, also when it has ended.
    pub(crate) fn latest(&self, gateway: &GatewayId) -> Option<Operation> {
        self.0.borrow().get(gateway).cloned()
    }

    /// Resolves when the newest one has ended and is another than `before`; with its id.
    pub(crate) async fn next_end(
        &self,
        gateway: &GatewayId,
        before: Option<OperationId>,
    ) -> OperationId {
        let mut known = self.0.subscribe();
        loop {
            let newest = known.borrow_and_update().get(gateway).cloned();
            match newest.filter(|newest| newest.ended_at.is_some()) {
                Some(newest) if Some(newest.id) != before => return newest.id,
                // Its sender is `self`: it comes to no end while this waits.
                _ => drop(known.changed().await),
            }
        }
    }

    /// Takes note of an operation as it stands now.
    pub(crate) fn note(&self, operation: Operation) {
        let gateway = operation.command.gateway().clone();
        self.0.send_if_modified(|known| {
            let is_older = known
                .get(&gateway)
                .is_some_and(|known| known.id > operation.id);
            let news = operation.holds_lock() || !is_older;
            if news {
                known.insert(gateway, operation);
            }
            news
        });
    }

    /// Takes note of the newest operation of a gateway, as read from the journal. A start that was noted
    /// since the reading is kept.
    pub(crate) fn learn(&self, gateway: &GatewayId, newest: Option<Operation>) {
        let Some(newest) = newest else { return };
        self.0.send_if_modified(|known| {
            let is_older = known.get(gateway).is_some_and(|known| known.id > newest.id);
            if !is_older {
                known.insert(gateway.clone(), newest);
            }
            !is_older
        });
    }
}

#[cfg(test)]
mod tests {
    use domain::operation::{Command, Outcome};
    use domain::person::Actor;
    use domain::time::Timestamp;
    use uuid::Uuid;

    use super::*;

    fn gateway() -> GatewayId {
        "openclaw".parse().unwrap()
    }

    fn restart(id: u128, ended: bool) -> Operation {
        Operation {
            id: OperationId(Uuid::from_u128(id)),
            command: Command::Restart { gateway: gateway() },
            asked_by: Actor::CommandLine {
                user: "anna".to_owned(),
            },
            reason: None,
            created_at: Timestamp::from_millis(1_000),
            ended_at: ended.then(|| Timestamp::from_millis(2_000)),
            outcome: ended.then_some(Outcome::Succeeded { note: None }),
            generation: 0,
            steps: Vec::new(),
            usually_ms: None,
        }
    }

    #[tokio::test]
    async fn the_end_of_the_newest_operation_is_awaited_and_told_once() {
        let holders = Holders::default();
        let gateway = gateway();
        let old = OperationId(Uuid::from_u128(1));
        holders.note(restart(1, true));
        assert_eq!(holders.next_end(&gateway, None).await, old);
        let next = holders.next_end(&gateway, Some(old));
        let world = async {
            holders.note(restart(1, true));
            holders.note(restart(2, false));
            tokio::task::yield_now().await;
            holders.note(restart(2, true));
        };
        let (told, ()) = tokio::join!(next, world);
        assert_eq!(told, OperationId(Uuid::from_u128(2)));
    }

    #[tokio::test]
    async fn an_older_operation_that_is_read_late_replaces_nothing() {
        let holders = Holders::default();
        holders.note(restart(2, false));
        holders.note(restart(1, true));
        holders.learn(&gateway(), Some(restart(1, true)));
        assert_eq!(
            holders.get(&gateway()).map(|one| one.id),
            Some(OperationId(Uuid::from_u128(2)))
        );
    }
}
