//! The register of credentials, as pages show it, and as last read for what must not wait for the database.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use domain::action::Action;
use domain::can;
use domain::credential::{Due, Listed, listed};
use domain::gateway::GatewayId;
use domain::person::Role;
use domain::ports::StoreError;
use domain::time::Timestamp;
use leptos::prelude::*;

use crate::panel::Panel;
use crate::ui::class_of;

/// How long the register is believed as it was read.
const FRESH: Duration = Duration::from_secs(30);

/// The register as last read.
#[derive(Default)]
pub(crate) struct Kept(Mutex<(Timestamp, Arc<Vec<Listed>>)>);

/// The register, read now.
pub(crate) async fn read(panel: &Panel, now: Timestamp) -> Result<Arc<Vec<Listed>>, StoreError> {
    let credentials = panel.register.list().await?;
    let fresh = Arc::new(listed(credentials, &*panel.observations, now));
    let mut kept = lock(panel);
    if *kept.1 != *fresh {
        kept.1 = Arc::clone(&fresh);
    }
    kept.0 = now;
    Ok(Arc::clone(&kept.1))
}

/// The register as last read, asked for now and then; a database that is away costs only this.
pub(crate) async fn known(panel: &Panel, now: Timestamp) -> Arc<Vec<Listed>> {
    {
        let mut kept = lock(panel);
        if now.since(kept.0) < FRESH {
            return Arc::clone(&kept.1);
        }
        // Whoever comes while this one asks gets what was known before.
        kept.0 = now;
    }
    match read(panel, now).await {
        Ok(fresh) => fresh,
        Err(_) => Arc::clone(&lock(panel).1),
    }
}

/// To be read anew: somebody changed it.
pub(crate) fn forget(panel: &Panel) {
    lock(panel).0 = Timestamp::default();
}

fn lock(panel: &Panel) -> std::sync::MutexGuard<'_, (Timestamp, Arc<Vec<Listed>>)> {
    let kept = &panel.rendered.register.0;
    kept.lock().unwrap_or_else(PoisonError::into_inner)
}

/// What a role may know of the register.
pub(crate) fn may_see(role: Role) -> bool {
    can::role_may(Some(role), Action::ViewCredentials).is_ok()
}

/// The class that gives its state shape and colour; the word stands beside it.
pub(crate) fn class(due: Due) -> &'static str {
    due.state().map_or("is-skipped", class_of)
}

/// What is overdue of a gateway, and of the panel itself.
pub(crate) fn overdue<'a>(
    register: &'a [Listed],
    gateway: &'a GatewayId,
) -> impl Iterator<Item = &'a Listed> {
    register.iter().filter(move |listed| {
        let of = listed.credential.gateway.as_ref();
        matches!(listed.due, Due::Overdue { .. }) && of.is_none_or(|of| of == gateway)
    })
}

/// `due in 9 d`: there is little room.
fn soon(at: Timestamp, now: Timestamp) -> String {
    let seconds = at.since(now).as_secs();
    match seconds {
        0..86_400 => format!("due in {} h", seconds / 3_600),
        // Days that have begun count, as everywhere.
        _ => format!("due in {} d", seconds.div_ceil(86_400)),
    }
}

/// The most urgent of it beside the entry of the navigation: `1 overdue`, `due in 9 d`.
pub(crate) fn count(panel: &Panel, role: Role, now: Timestamp) -> impl IntoView + use<> {
    let register = may_see(role).then(|| Arc::clone(&lock(panel).1));
    let register = register.unwrap_or_default();
    let overdue = register.iter();
    let overdue = overdue.filter(|listed| matches!(listed.due, Due::Overdue { .. }));
    let said = match overdue.count() {
        // Most urgent first.
        0 => register.first().and_then(|first| match first.due {
            Due::Soon { at, .. } => Some(soon(at, now)),
            _ => None,
        }),
        count => Some(format!("{count} overdue")),
    };
    view! { <span class="count">{said}</span> }
}
