//! What waits for a second person, as last read for what must not wait for the database.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use domain::gateway::GatewayId;
use domain::proposal::Proposal;
use domain::time::Timestamp;

use crate::panel::Panel;

/// How long it is believed as it was read.
const FRESH: Duration = Duration::from_secs(5);

type Known = HashMap<GatewayId, (Timestamp, Option<Arc<Proposal>>)>;

/// As last read.
#[derive(Default)]
pub(crate) struct Kept(Mutex<Known>);

/// The latest proposal of a gateway that asks for a second person, asked for now and then; a database that is away
/// costs only this.
pub(crate) async fn known(
    panel: &Panel,
    gateway: &GatewayId,
    now: Timestamp,
) -> Option<Arc<Proposal>> {
    if !panel.second_person.contains(gateway) {
        return None;
    }
    let before = {
        let mut kept = lock(panel);
        let known = kept.entry(gateway.clone()).or_default();
        if now.since(known.0) < FRESH {
            return known.1.clone();
        }
        // Whoever comes while this one asks gets what was known before.
        known.0 = now;
        known.1.clone()
    };
    let Ok(fresh) = panel.proposals.latest_proposal(gateway).await else {
        return before;
    };
    let same = before.as_deref() == fresh.as_ref();
    let fresh = if same { before } else { fresh.map(Arc::new) };
    lock(panel).insert(gateway.clone(), (now, fresh.clone()));
    fresh
}

/// To be read anew: somebody changed it.
pub(crate) fn forget(panel: &Panel, gateway: &GatewayId) {
    lock(panel).remove(gateway);
}

fn lock(panel: &Panel) -> MutexGuard<'_, Known> {
    let kept = &panel.rendered.second.0;
    kept.lock().unwrap_or_else(PoisonError::into_inner)
}
