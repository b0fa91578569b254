//! The gateway's page: the verdict, the evidence, the actions.

mod accounts;
mod credentials;
mod facts;
mod incidents;
mod ladder;
mod resources;
mod verdict;

use std::sync::Arc;

use domain::credential::Listed;
use domain::gateway::Gateway;
use domain::history::{Incident, Strip};
use domain::operation::Operation;
use domain::path;
use domain::proposal::Proposal;
use domain::time::Timestamp;
use leptos::prelude::*;

use super::Page;
use crate::call::Call;
use crate::error::PanelError;
use crate::live::{self, Fragment};
use crate::rungs::Sight;
use crate::ui::moment;

/// The page of the gateway called `id`.
pub(crate) async fn page(call: &Call, id: &str) -> Result<Page, PanelError> {
    let gateway = call.gateway(id).await?;
    let role = call.role_on(&gateway.id);
    let fragments = live::gateway_fragments(call.panel(), role, &gateway.id).await;
    let fragments = fragments.ok_or_else(|| PanelError::gone("There is no such gateway."))?;
    let events = path::gateway_events(&gateway.id);
    Ok(Page::new(gateway.name.clone(), fragments.page(call.now()))
        .at("gateway")
        .of(gateway.id)
        .live(events))
}

/// Everything on it that changes, in the order of the page.
pub(crate) fn fragments(
    sight: Sight<'_>,
    strips: &Arc<Vec<Strip>>,
    seen_incidents: &Arc<Vec<Incident>>,
    register: &[Listed],
    proposal: Option<&Proposal>,
) -> Vec<Fragment> {
    let mut fragments = vec![
        checked(sight),
        banner(sight),
        second_person(sight, proposal),
        credentials::warning(sight, register),
        Fragment::new("verdict", verdict::section(sight)),
    ];
    fragments.extend(facts::all(sight, strips, seen_incidents));
    fragments.push(Fragment::new("ladder", ladder::list(sight)));
    fragments.push(Fragment::new("accounts", accounts::list(sight)));
    fragments.push(Fragment::new(
        "incidents",
        incidents::list(seen_incidents, sight.now),
    ));
    fragments.push(Fragment::new("resources", resources::card(sight)));
    fragments
}

/// Puts the fragments in their places.
pub(crate) fn compose(gateway: &Gateway, fragments: &[Fragment]) -> String {
    let part = |id: &str| {
        fragments
            .iter()
            .find(|fragment| fragment.id == id)
            .map_or("", Fragment::open)
    };
    let facts: String = facts::IDS.iter().map(|id| part(id)).collect();
    let name = crate::ui::escape(&gateway.name);
    format!(
        r#"<div class="crumb"><h1>{name}</h1><p class="live"><span id="link"></span> {checked}</p></div>{banner}{second}{verdict}{credentials}<h2 id="know">What we know</h2><dl class="card facts" aria-labelledby="know">{facts}</dl><div class="two"><div><h2>Actions, gentlest first</h2>{ladder}<h2>WhatsApp accounts</h2>{accounts}</div><div><h2>Last 24 hours</h2>{incidents}<h2>Resources</h2>{resources}</div></div>"#,
        checked = part("checked"),
        banner = part("banner"),
        second = part("second"),
        credentials = part("credentials"),
        verdict = part("verdict"),
        ladder = part("ladder"),
        accounts = part("accounts"),
        incidents = part("incidents"),
        resources = part("resources"),
    )
}

/// Whoever waits for a second person.
fn second_person(sight: Sight<'_>, proposal: Option<&Proposal>) -> Fragment {
    let said = proposal.and_then(|proposal| super::proposal::banner(proposal, sight.now));
    Fragment::new("second", view! { <div id="second">{said}</div> }.to_html())
}

/// `checked 2 s ago`: the newest look at anything.
fn checked(sight: Sight<'_>) -> Fragment {
    let newest = sight.seen.and_then(|seen| {
        let looks = seen.facts().into_iter().map(|fact| fact.checked_at);
        looks.max().flatten()
    });
    let said = match newest {
        Some(at) => view! { "last look: "{moment::age(at)} }.into_any(),
        None => "first look".into_any(),
    };
    Fragment::new(
        "checked",
        view! { <span id="checked">{said}</span> }.to_html(),
    )
}

/// The sentence of [`holder_sentence`](crate::error::holder_sentence), its time in the viewer's zone.
fn held(holder: &Operation, now: Timestamp) -> impl IntoView + use<> {
    let reason = holder.reason.as_ref().map(|reason| format!(": “{reason}”"));
    let stuck = holder.outcome.as_ref().map(|_| ", and it is stuck");
    let by = format!(
        "{} by {} since ",
        holder.command.title(),
        holder.asked_by.name()
    );
    view! { {by}{moment::clock(holder.created_at, now)}{reason}{stuck}"." }
}

/// Who is at work, or where the panel is blind.
fn banner(sight: Sight<'_>) -> Fragment {
    let stuck = sight.holder.is_some_and(|holder| holder.outcome.is_some());
    let class = if stuck {
        "banner is-warn"
    } else {
        "banner is-now"
    };
    let banner = sight.holder.map(|holder| {
        view! {
            <div class=class>
                <p>{held(holder, sight.now)}" Other actions wait until it ends."</p>
                <a href=path::operation(&holder.id)>"See it"</a>
            </div>
        }
    });
    Fragment::new(
        "banner",
        view! { <div id="banner">{banner}</div> }.to_html(),
    )
}
