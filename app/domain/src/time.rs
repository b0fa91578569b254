//! Points in time, in milliseconds since the Unix epoch, UTC.

use core::fmt;
use std::time::Duration;

use serde::{Deserialize, Serialize};

/// A moment: milliseconds since 1970-01-01T00:00:00Z. Taken from [`crate::ports::Clock`] only.
#[derive(
    Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, Default,
)]
#[serde(transparent)]
pub struct Timestamp(i64);

impl Timestamp {
    /// A moment from milliseconds since the epoch.
    pub const fn from_millis(millis: i64) -> Self {
        Self(millis)
    }

    /// Milliseconds since the epoch.
    pub const fn as_millis(self) -> i64 {
        self.0
    }

    /// The time from `earlier` to this moment; zero when `earlier` lies in the future (clock skew).
    pub fn since(self, earlier: Self) -> Duration {
        Duration::from_millis(u64::try_from(self.0.saturating_sub(earlier.0)).unwrap_or(0))
    }

    /// This moment moved forward by `by`.
    #[must_use]
    pub fn plus(self, by: Duration) -> Self {
        Self(
            self.0
                .saturating_add(i64::try_from(by.as_millis()).unwrap_or(i64::MAX)),
        )
    }

    /// This moment moved back by `by`.
    #[must_use]
    pub fn minus(self, by: Duration) -> Self {
        Self(
            self.0
                .saturating_sub(i64::try_from(by.as_millis()).unwrap_or(i64::MAX)),
        )
    }

    fn civil(self) -> jiff::civil::DateTime {
        jiff::Timestamp::from_millisecond(self.0)
            .unwrap_or(jiff::Timestamp::UNIX_EPOCH)
            .to_zoned(jiff::tz::TimeZone::UTC)
            .datetime()
    }

    /// `2026-11-22T02:14:05Z`: for `datetime` attributes, JSON and logs.
    pub fn rfc3339(self) -> String {
        self.civil().strftime("%Y-%m-%dT%H:%M:%SZ").to_string()
    }

    /// `2026-11-22 02:14:05 UTC`: for people, where the viewer's zone is not known.
    pub fn utc_text(self) -> String {
        self.civil().strftime("%Y-%m-%d %H:%M:%S UTC").to_string()
    }

    /// `02:14`: the time of day in UTC.
    pub fn utc_clock(self) -> String {
        self.civil().strftime("%H:%M").to_string()
    }

    /// `2026-11-22`: the day in UTC, as date fields of forms have it.
    pub fn utc_date(self) -> String {
        self.civil().strftime("%Y-%m-%d").to_string()
    }

    /// The beginning of a day in UTC, from [`Timestamp::utc_date`].
    pub fn parse_date(text: &str) -> Option<Self> {
        let day: jiff::civil::Date = text.parse().ok()?;
        let begins = day.to_zoned(jiff::tz::TimeZone::UTC).ok()?;
        Some(Self(begins.timestamp().as_millisecond()))
    }

    /// Reads an RFC 3339 moment as Docker writes it; its zero time (`0001-01-01…`) is `None`.
    pub fn parse_rfc3339(text: &str) -> Option<Self> {
        let at: jiff::Timestamp = text.parse().ok()?;
        let millis = at.as_millisecond();
        (millis > 0).then_some(Self(millis))
    }
}

impl fmt::Display for Timestamp {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.rfc3339())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_moment_prints_in_utc_and_reads_back() {
        let at = Timestamp::parse_rfc3339("2026-11-22T02:14:05.123456789Z").unwrap();
        assert_eq!(at.rfc3339(), "2026-11-22T02:14:05Z");
        assert_eq!(at.utc_clock(), "02:14");
    }

    #[test]
    fn a_day_prints_in_utc_and_begins_at_midnight() {
        let at = Timestamp::parse_rfc3339("2026-11-22T23:14:05Z").unwrap();
        assert_eq!(at.utc_date(), "2026-11-22");
        let begins = Timestamp::parse_date(&at.utc_date()).unwrap();
        assert_eq!(begins.rfc3339(), "2026-11-22T00:00:00Z");
        for bad in ["", "tomorrow", "2026-13-01", "2026-11-31"] {
            assert_eq!(Timestamp::parse_date(bad), None, "{bad}");
        }
    }

    #[test]
    fn dockers_zero_time_is_no_time() {
        assert_eq!(Timestamp::parse_rfc3339("0001-01-01T00:00:00Z"), None);
        assert_eq!(Timestamp::parse_rfc3339("soon"), None);
    }

    #[test]
    fn a_clock_that_went_back_gives_no_negative_age() {
        let now = Timestamp::from_millis(1_000);
        assert_eq!(now.since(Timestamp::from_millis(5_000)), Duration::ZERO);
    }
}
