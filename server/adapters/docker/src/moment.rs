//! Times to the nanosecond, as Docker gives and takes them.

use domain::time::Timestamp;

/// Seconds since the epoch, and nine digits of a fraction.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Moment(i64, String);

impl Moment {
    /// Reads RFC 3339 as Docker writes it.
    pub(crate) fn parse(text: &str) -> Option<Self> {
        let at = Timestamp::parse_rfc3339(text)?;
        let fraction = text.split_once('.').map_or("", |(_, rest)| rest);
        let digits: String = fraction.chars().take_while(char::is_ascii_digit).collect();
        Some(Self(at.as_millis() / 1_000, format!("{digits:0<9}")))
    }

    /// As Docker wants it in a query: `1795383305.099999999`.
    pub(crate) fn query(&self) -> String {
        format!("{}.{}", self.0, self.1)
    }

    /// Whole seconds since the epoch.
    pub(crate) fn seconds(&self) -> i32 {
        i32::try_from(self.0).unwrap_or(i32::MAX)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn moments_order_to_the_nanosecond() {
        let moment = |text| Moment::parse(text).unwrap();
        assert!(moment("2026-11-22T02:14:05.1Z") > moment("2026-11-22T02:14:05.099999999Z"));
        assert!(moment("2026-11-22T02:14:06Z") > moment("2026-11-22T02:14:05.9Z"));
        assert_eq!(Moment::parse("soon"), None);
        let asked = moment("2026-11-22T02:14:05.099Z").query();
        assert!(
            asked.ends_with(".099000000") && !asked.contains('-'),
            "{asked}"
        );
    }
}
