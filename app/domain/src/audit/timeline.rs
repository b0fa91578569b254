//! Events over time: into which stretches a span is cut, so that a chart of it can be read.

use super::filter::Span;
use crate::time::Timestamp;

const HOUR: i64 = 3_600_000;
const DAY: i64 = 24 * HOUR;
/// Up to this long, hours are counted.
const SHORT: i64 = 3 * DAY;
/// The most stretches.
const MOST: i64 = 92;
/// What is shown of a span without a beginning.
const USUAL: i64 = 30 * DAY;

/// A span, cut into stretches of whole hours, days or weeks.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Timeline {
    /// Where one ends and the next begins, oldest first: one more than there are stretches.
    pub edges: Vec<Timestamp>,
    /// How long each is.
    pub unit: Unit,
    /// Only the end of what the filter lets through.
    pub is_part: bool,
}

/// How long a stretch is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Unit {
    /// An hour.
    Hour,
    /// A day.
    Day,
    /// Seven days.
    Week,
}

impl Unit {
    const fn millis(self) -> i64 {
        match self {
            Self::Hour => HOUR,
            Self::Day => DAY,
            Self::Week => 7 * DAY,
        }
    }

    /// `hour`, `day`, `week`.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Hour => "hour",
            Self::Day => "day",
            Self::Week => "week",
        }
    }
}

impl Timeline {
    /// Of what a filter's span lets through until `now`; `None` when that is nothing.
    pub fn of(span: Span, now: Timestamp) -> Option<Self> {
        let (from, to) = span.limits(now);
        let to = to.map_or(now, |to| to.min(now)).as_millis();
        let from = from.map(Timestamp::as_millis);
        let begin = from.unwrap_or(to.saturating_sub(USUAL));
        if begin >= to {
            return None;
        }
        let unit = match to.saturating_sub(begin) {
            ..=SHORT => Unit::Hour,
            long if long <= MOST * DAY => Unit::Day,
            _ => Unit::Week,
        };
        let step = unit.millis();
        let last = to.div_euclid(step) + i64::from(to.rem_euclid(step) > 0);
        let first = begin.div_euclid(step).max(last - MOST);
        let edges = (first..=last).map(|edge| Timestamp::from_millis(edge.saturating_mul(step)));
        Some(Self {
            edges: edges.collect(),
            unit,
            is_part: from.is_none_or(|from| from < first.saturating_mul(step)),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(text: &str) -> Timestamp {
        Timestamp::parse_rfc3339(text).unwrap()
    }

    fn cut(span: Span) -> Option<(usize, &'static str, bool)> {
        let timeline = Timeline::of(span, at("2026-11-18T11:06:40Z"))?;
        let edges = &timeline.edges;
        assert!(edges.windows(2).all(|pair| pair[0] < pair[1]));
        Some((edges.len() - 1, timeline.unit.name(), timeline.is_part))
    }

    #[test]
    fn a_span_is_cut_into_as_many_stretches_as_can_be_read() {
        assert_eq!(cut(Span::Today), Some((12, "hour", false)));
        assert_eq!(cut(Span::Hours24), Some((25, "hour", false)));
        assert_eq!(cut(Span::Days7), Some((8, "day", false)));
        assert_eq!(cut(Span::Days30), Some((31, "day", false)));
        assert_eq!(cut(Span::All), Some((31, "day", true)));
        let year = Span::Between(Some(at("2025-11-18T00:00:00Z")), None);
        assert_eq!(cut(year), Some((53, "week", false)));
        let long = Span::Between(Some(at("2001-01-01T00:00:00Z")), None);
        assert_eq!(cut(long), Some((92, "week", true)));
        let future = Span::Between(Some(at("2027-01-01T00:00:00Z")), None);
        assert_eq!(cut(future), None);
        let day = Span::Between(
            Some(at("2026-11-01T00:00:00Z")),
            Some(at("2026-11-02T00:00:00Z")),
        );
        assert_eq!(cut(day), Some((24, "hour", false)));
    }
}
