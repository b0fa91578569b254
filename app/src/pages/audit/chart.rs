//! What the filter lets through over time, with the outages beneath: an SVG from the server, and the same as a table.

use core::fmt::Write as _;

use domain::audit::{Filter, Timeline, Unit};
use domain::history::Transition;
use domain::ports::{Counts, Patience};
use domain::report::{Outage, outages};
use domain::time::Timestamp;
use domain::words::{self, thousands};
use leptos::prelude::*;

use super::filters::{Told, url};
use crate::call::Call;
use crate::error::{OrSay as _, PanelError};
use crate::pages::Asked;
use crate::ui::said::{capital, escape};

/// How wide a stretch is drawn, and how high the highest.
const WIDE: i64 = 10;
const HIGH: u64 = 60;
/// The line of outages beneath.
const LINE: u64 = 6;

/// What the page is asked for by whoever waits for the chart.
const ASKED: &str = "all";

/// The chart; a sentence where there is none, with the way to it if counting is only slow, and nothing where there is no
/// time to show.
pub(super) async fn chart(
    call: &Call,
    filter: &Filter,
    told: Told,
    asked: &Asked,
) -> Result<Option<AnyView>, PanelError> {
    let Some(timeline) = Timeline::of(filter.span, call.now()) else {
        return Ok(None);
    };
    let (Some(from), Some(to)) = (timeline.edges.first(), timeline.edges.last()) else {
        return Ok(None);
    };
    let (from, to) = (*from, (*to).min(call.now()));
    let reports = &call.panel().reports;
    let patience = match asked.get("chart") {
        ASKED => Patience::Asked,
        _ => Patience::Page,
    };
    let counts = reports.events_between(filter, &timeline.edges, patience);
    let counts = match counts.await.or_say(|| call.error_id())? {
        Counts::Counted(counts) => counts,
        Counts::Uncounted => {
            return Ok(Some(
                view! { <p class="hint">"There is no chart of a search in texts."</p> }.into_any(),
            ));
        }
        Counts::TooMany if patience == Patience::Page => {
            let way = url(filter, told, &[("chart", ASKED.to_owned())]);
            return Ok(Some(
                view! {
                    <p class="hint">
                        "There is no chart yet: so many events take some seconds to count. "
                        <a href=way>"Count them"</a>
                    </p>
                }
                .into_any(),
            ));
        }
        Counts::TooMany => {
            return Ok(Some(
                view! { <p class="hint">"There is no chart: these are more than a million events. A shorter time or one condition less brings it."</p> }
                    .into_any(),
            ));
        }
    };
    let changes = reports.changes(from, to).await;
    let changes = changes.or_say(|| call.error_id())?;
    let down = down(call, filter, &changes, from, to);
    Ok(Some(drawn(&timeline, &counts, &down, call.now())))
}

/// The outages of the gateways that the filter is about, oldest first.
fn down(
    call: &Call,
    filter: &Filter,
    changes: &[Transition],
    from: Timestamp,
    to: Timestamp,
) -> Vec<(String, Outage)> {
    let gateways = call.panel().observations.gateways().into_iter();
    let mut down: Vec<(String, Outage)> = gateways
        .filter(|gateway| filter.gateway.as_ref().is_none_or(|id| *id == gateway.id))
        .flat_map(|gateway| {
            let own = changes.iter().filter(|change| change.gateway == gateway.id);
            let own: Vec<Transition> = own.cloned().collect();
            let found = outages(&own, from, to).into_iter();
            found
                .map(|outage| (gateway.name.clone(), outage))
                .collect::<Vec<_>>()
        })
        .collect();
    down.sort_by_key(|(_, outage)| outage.from);
    down
}

fn name(at: Timestamp, unit: Unit) -> String {
    match unit {
        Unit::Hour => format!("{} {} UTC", at.utc_date(), at.utc_clock()),
        Unit::Day => at.utc_date(),
        Unit::Week => format!("week from {}", at.utc_date()),
    }
}

fn drawn(
    timeline: &Timeline,
    counts: &[u64],
    down: &[(String, Outage)],
    now: Timestamp,
) -> AnyView {
    let unit = timeline.unit;
    let total: u64 = counts.iter().sum();
    let highest = counts.iter().copied().max().unwrap_or_default();
    let first = timeline.edges.first().copied().unwrap_or(now);
    let last = timeline.edges.last().map_or(now, |last| (*last).min(now));
    let outages = match down.len() as u64 {
        0 => "no outage".to_owned(),
        number => {
            let lasted = down.iter().map(|(_, outage)| outage.lasted()).sum();
            let number = words::count(number, "outage", "outages");
            format!("{number}, {} in all", words::duration(lasted))
        }
    };
    let events = format!(
        "{} {}",
        thousands(total),
        if total == 1 { "event" } else { "events" }
    );
    let part = if timeline.is_part { "of late: " } else { "" };
    let said = format!(
        "{part}{events} from {} to {}, at most {} in a {}; {outages}",
        first.utc_date(),
        last.utc_date(),
        thousands(highest),
        unit.name()
    );
    let svg = svg(timeline, counts, highest, down, &said);
    let pairs = timeline.edges.iter().zip(counts);
    let rows: Vec<_> = pairs
        .filter(|(_, count)| **count > 0)
        .map(|(at, count)| {
            view! { <tr><th scope="row">{name(*at, unit)}</th><td data-label="Events">{thousands(*count)}</td></tr> }
        })
        .collect();
    let lines: Vec<_> = down
        .iter()
        .map(|(gateway, outage)| {
            let planned = if outage.planned { ", planned" } else { "" };
            let lasted = words::duration(outage.lasted());
            let said = format!(
                "{gateway}: {lasted} from {}{planned}",
                outage.from.utc_text()
            );
            view! { <li>{said}</li> }
        })
        .collect();
    let lines = (!lines.is_empty()).then(|| view! { <p><b>"Outages"</b></p><ul>{lines}</ul> });
    view! {
        <figure class="card timeline">
            <div inner_html=svg></div>
            <figcaption>{format!("{}.", capital(&said))}</figcaption>
            <details>
                <summary>"The same as a table"</summary>
                <table>
                    <thead><tr><th scope="col">{capital(unit.name())}</th><th scope="col">"Events"</th></tr></thead>
                    <tbody>{rows}</tbody>
                </table>
                {lines}
            </details>
        </figure>
    }
    .into_any()
}

fn svg(
    timeline: &Timeline,
    counts: &[u64],
    highest: u64,
    down: &[(String, Outage)],
    label: &str,
) -> String {
    let wide = WIDE * i64::try_from(counts.len()).unwrap_or(0);
    let high = HIGH + 2 + LINE;
    let mut svg = format!(
        r#"<svg viewBox="0 0 {wide} {high}" preserveAspectRatio="none" role="img" aria-label="{}">"#,
        escape(label)
    );
    for ((at, count), x) in timeline.edges.iter().zip(counts).zip((0..).step_by(10)) {
        if *count == 0 {
            continue;
        }
        // One event among thousands is still to be seen.
        let tall = (count * HIGH / highest.max(1)).max(1);
        let title = format!("{}: {}", name(*at, timeline.unit), thousands(*count));
        let top = HIGH - tall;
        let drawn = write!(
            svg,
            r#"<rect x="{x}" y="{top}" width="8" height="{tall}"><title>{}</title></rect>"#,
            escape(&title)
        );
        if drawn.is_err() {
            break;
        }
    }
    let first = timeline.edges.first().map_or(0, |at| at.as_millis());
    let span = timeline.edges.last().map_or(1, |at| at.as_millis() - first);
    for (gateway, outage) in down {
        // In hundredths: an attribute takes no more exact a number than a screen can show.
        let place = |at: Timestamp| (at.as_millis() - first) * wide * 100 / span.max(1);
        let (from, to) = (place(outage.from), place(outage.to));
        let width = (to - from).max(100);
        let class = if outage.planned { "is-warn" } else { "is-down" };
        let title = format!(
            "{gateway}: down for {} from {}",
            words::duration(outage.lasted()),
            outage.from.utc_text()
        );
        let drawn = write!(
            svg,
            r#"<rect class="{class}" x="{}.{:02}" y="{}" width="{}.{:02}" height="{LINE}"><title>{}</title></rect>"#,
            from / 100,
            from % 100,
            HIGH + 2,
            width / 100,
            width % 100,
            escape(&title)
        );
        if drawn.is_err() {
            break;
        }
    }
    svg.push_str("</svg>");
    svg
}
