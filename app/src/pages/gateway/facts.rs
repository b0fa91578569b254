//! The five facts side by side, each with its age and its day.

use domain::fact::{FactKind, State};
use domain::history::{Incident, Strip};
use domain::observation::FactSummary;
use domain::words;
use leptos::prelude::*;

use crate::live::Fragment;
use crate::rungs::Sight;
use crate::ui::{class_of, moment, strip};

/// Ids of the five elements, in the order of the page.
pub(super) const IDS: [&str; 5] = [
    "fact-edge",
    "fact-process",
    "fact-container",
    "fact-session",
    "fact-config",
];

/// The five.
pub(super) fn all(sight: Sight<'_>, strips: &[Strip], incidents: &[Incident]) -> Vec<Fragment> {
    let facts = sight.seen.map(domain::observation::Observation::facts);
    FactKind::ALL
        .into_iter()
        .zip(IDS)
        .enumerate()
        .map(|(index, (kind, id))| {
            let strip = strips.iter().find(|strip| strip.fact == kind);
            let own: Vec<&Incident> = incidents.iter().filter(|i| i.fact == kind).collect();
            let fact = facts.as_ref().map(|facts| &facts[index]);
            let markup = match fact.filter(|fact| fact.checked_at.is_some()) {
                Some(fact) => known(id, fact, sight, strip, &own),
                None => asking(id, kind, strip),
            };
            Fragment::new(id, markup)
        })
        .collect()
}

fn known(
    id: &'static str,
    fact: &FactSummary,
    sight: Sight<'_>,
    strip: Option<&Strip>,
    incidents: &[&Incident],
) -> String {
    let stale = sight
        .seen
        .is_some_and(|seen| seen.is_stale(fact.kind, sight.now));
    let class = if stale { "fact is-stale" } else { "fact" };
    let value = format!("value {}", class_of(fact.state));
    let word = match fact.state {
        State::Ok => "ok: ",
        State::Warn => "warning: ",
        State::Down => "down: ",
        State::Unknown => "unknown: ",
    };
    let since = (fact.state == State::Unknown).then(|| {
        view! { "unknown since "{moment::clock(fact.since, sight.now)}". " }
    });
    let old = stale.then_some("Not seen lately; this was the last answer. ");
    view! {
        <div class=class id=id>
            <dt>{fact.kind.label()}" "<span class="age">{fact.checked_at.map(moment::age)}</span></dt>
            <dd class=value title=format!("from {}", fact.source)>
                <span><span class="sr">{word}</span>{fact.headline.clone()}</span>
            </dd>
            <dd class="more">{old}{since}{fact.reason.clone()}</dd>
            <dd class="day">{day(fact.kind, sight, strip, incidents)}</dd>
        </div>
    }
    .to_html()
}

/// The strip; it opens to the list that a mouse gets by hovering.
fn day(
    kind: FactKind,
    sight: Sight<'_>,
    of: Option<&Strip>,
    incidents: &[&Incident],
) -> impl IntoView + use<> {
    let label = match incidents.len() {
        0 if of.is_none() => format!("{}, last 24 hours: nothing recorded yet", kind.label()),
        0 => format!("{}, last 24 hours: no trouble", kind.label()),
        several => format!(
            "{}, last 24 hours: {}",
            kind.label(),
            words::count(several as u64, "incident", "incidents")
        ),
    };
    let list = if of.is_none() {
        view! { <p class="none">"Nothing is recorded yet."</p> }.into_any()
    } else if incidents.is_empty() {
        view! { <p class="none">"No trouble in 24 hours."</p> }.into_any()
    } else {
        let items: Vec<_> = incidents
            .iter()
            .take(12)
            .map(|incident| {
                let lasted = incident.to.map_or_else(
                    || "open".to_owned(),
                    |to| words::duration(to.since(incident.from)),
                );
                let planned = incident.planned_by.as_ref().map(|by| format!(" (planned: {by})"));
                view! {
                    <li>
                        <span class="muted">{moment::clock(incident.from, sight.now)}" · "{lasted}</span>
                        <span>{incident.headline.clone()}{planned}</span>
                    </li>
                }
            })
            .collect();
        view! { <ul role="list">{items}</ul> }.into_any()
    };
    view! {
        <details>
            <summary inner_html=strip::svg(of, &label)></summary>
            {list}
        </details>
    }
}

fn asking(id: &'static str, kind: FactKind, of: Option<&Strip>) -> String {
    let label = format!("{}, last 24 hours", kind.label());
    view! {
        <div class="fact is-loading" id=id>
            <dt>{kind.label()}" "<span class="age">"–"</span></dt>
            <dd class="value is-unknown">"Asking"</dd>
            <dd class="more">"first answer in a moment"</dd>
            <dd class="day" inner_html=strip::svg(of, &label)></dd>
        </div>
    }
    .to_html()
}
