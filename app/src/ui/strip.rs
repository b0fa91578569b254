//! 24 hours of one fact: one rectangle for each run of equal half hours.

use core::fmt::Write as _;

use domain::fact::State;
use domain::history::{Bar, Strip};

use super::{class_of, escape};

/// The strip as SVG. `summary` says in words what it shows.
pub(crate) fn svg(strip: Option<&Strip>, label: &str) -> String {
    let label = escape(label);
    let mut svg = format!(
        r#"<svg class="strip" viewBox="0 0 48 22" preserveAspectRatio="none" role="img" aria-label="{label}">"#
    );
    let bars = strip.map_or(&[][..], |strip| strip.bars.as_slice());
    if bars.is_empty() {
        svg.push_str(r#"<rect class="is-unknown" width="48"/>"#);
    }
    let mut at = 0;
    for run in bars.chunk_by(same) {
        let class = class_of(run[0].state.unwrap_or(State::Unknown));
        let width = run.len();
        let title = title(run);
        if write!(
            svg,
            r#"<rect class="{class}" x="{at}" width="{width}">{title}</rect>"#
        )
        .is_err()
        {
            break;
        }
        at += width;
    }
    svg.push_str("</svg>");
    svg
}

fn same(one: &Bar, next: &Bar) -> bool {
    one.state == next.state && one.said == next.said
}

fn title(run: &[Bar]) -> String {
    let (Some(first), Some(last)) = (run.first(), run.last()) else {
        return String::new();
    };
    let said = match (first.state, first.said.as_str()) {
        (None, _) => "nothing was recorded",
        (Some(State::Ok), "") => return String::new(),
        (_, said) => said,
    };
    let (from, to) = (first.from.utc_clock(), last.to.utc_clock());
    format!("<title>{from}–{to} UTC: {}</title>", escape(said))
}
