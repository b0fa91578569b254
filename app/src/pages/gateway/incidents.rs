//! What was not well in the last 24 hours, newest first.

use domain::history::Incident;
use domain::time::Timestamp;
use domain::words;
use leptos::prelude::*;

use crate::ui::{class_of, moment};

/// How many are listed; the strips show the rest.
const SHOWN: usize = 12;

pub(super) fn list(incidents: &[Incident], now: Timestamp) -> String {
    if incidents.is_empty() {
        return view! {
            <div class="card empty" id="incidents">
                <h3>"A quiet day"</h3>
                <p>"Nothing was out of order in the last 24 hours."</p>
            </div>
        }
        .to_html();
    }
    let more = incidents.len().saturating_sub(SHOWN);
    let more = (more > 0).then(|| {
        let said = words::count(more as u64, "earlier one", "earlier ones");
        view! { <li><span></span><small>{said}": open a strip above to read them."</small></li> }
    });
    let items: Vec<_> = incidents
        .iter()
        .take(SHOWN)
        .map(|incident| item(incident, now))
        .collect();
    view! { <ul class="card log" role="list" id="incidents">{items}{more}</ul> }.to_html()
}

fn item(incident: &Incident, now: Timestamp) -> impl IntoView + use<> {
    let class = class_of(incident.state);
    let fact = incident.fact.label();
    let lasted = incident.to.map_or_else(
        || "still open".to_owned(),
        |to| words::duration(to.since(incident.from)),
    );
    let reason = Some(&incident.reason).filter(|reason| !reason.is_empty());
    let reason = reason.map(|reason| format!(" · {reason}"));
    let planned = incident
        .planned_by
        .as_ref()
        .map(|by| format!(" · planned: {by}"));
    view! {
        <li>
            {moment::clock(incident.from, now)}
            <div>
                <span class=class>{fact}": "{incident.headline.clone()}</span>
                <small>{lasted}{reason}{planned}</small>
            </div>
        </li>
    }
}
