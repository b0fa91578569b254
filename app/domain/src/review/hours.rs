//! When people are at work: what somebody does at other times is looked at first.

use jiff::civil::Weekday;
use jiff::tz::TimeZone;

use crate::time::Timestamp;

const DAYS: [(&str, Weekday); 7] = [
    ("Mon", Weekday::Monday),
    ("Tue", Weekday::Tuesday),
    ("Wed", Weekday::Wednesday),
    ("Thu", Weekday::Thursday),
    ("Fri", Weekday::Friday),
    ("Sat", Weekday::Saturday),
    ("Sun", Weekday::Sunday),
];

/// When people are at work, in their own zone.
#[derive(Clone, Debug, PartialEq)]
pub struct OfficeHours {
    days: (usize, usize),
    /// Minutes of the day, the end excluded.
    minutes: (i16, i16),
    zone: TimeZone,
}

impl OfficeHours {
    /// Reads `Mon-Fri 07:00-20:00`, in the zone of a POSIX rule: `CET-1CEST,M3.5.0,M10.5.0/3`, or `UTC`.
    pub fn parse(text: &str, zone: &str) -> Option<Self> {
        let (days, hours) = text.trim().split_once(' ')?;
        let (first, last) = days.split_once('-').unwrap_or((days, days));
        let day = |name: &str| DAYS.iter().position(|(known, _)| *known == name);
        let days = (day(first)?, day(last)?);
        let (from, to) = hours.trim().split_once('-')?;
        let minutes = (minute(from)?, minute(to)?);
        let zone = match zone {
            "UTC" => TimeZone::UTC,
            rule => TimeZone::posix(rule).ok()?,
        };
        (minutes.0 < minutes.1).then_some(Self {
            days,
            minutes,
            zone,
        })
    }

    /// Whether a moment lies within them.
    pub fn contain(&self, at: Timestamp) -> bool {
        let Ok(moment) = jiff::Timestamp::from_millisecond(at.as_millis()) else {
            return false;
        };
        let local = moment.to_zoned(self.zone.clone());
        let day = DAYS.iter().position(|(_, day)| *day == local.weekday());
        let (first, last) = self.days;
        // A week may begin anywhere: `Sun-Thu`.
        let is_day = day.is_some_and(|day| {
            if first <= last {
                (first..=last).contains(&day)
            } else {
                day >= first || day <= last
            }
        });
        let minute = i16::from(local.hour()) * 60 + i16::from(local.minute());
        is_day && (self.minutes.0..self.minutes.1).contains(&minute)
    }
}

fn minute(text: &str) -> Option<i16> {
    let (hour, minute) = text.split_once(':')?;
    if hour.len() != 2 || minute.len() != 2 {
        return None;
    }
    let (hour, minute): (i16, i16) = (hour.parse().ok()?, minute.parse().ok()?);
    let all = hour * 60 + minute;
    ((0..60).contains(&minute) && (0..=24 * 60).contains(&all)).then_some(all)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn hours_are_those_of_the_zone_in_summer_and_in_winter() {
        let berlin =
            OfficeHours::parse("Mon-Fri 07:00-20:00", "CET-1CEST,M3.5.0,M10.5.0/3").unwrap();
        for (at, within) in [
            // Winter: one hour ahead of UTC. A Friday, then a Saturday.
            ("2026-11-20T05:59:00Z", false),
            ("2026-11-20T06:00:00Z", true),
            ("2026-11-20T18:59:00Z", true),
            ("2026-11-20T19:00:00Z", false),
            ("2026-11-21T12:00:00Z", false),
            // Summer: two hours ahead.
            ("2026-07-17T05:00:00Z", true),
            ("2026-07-17T18:00:00Z", false),
        ] {
            let moment = Timestamp::parse_rfc3339(at).unwrap();
            assert_eq!(berlin.contain(moment), within, "{at}");
        }
        let cairo = OfficeHours::parse("Sun-Thu 08:00-24:00", "UTC").unwrap();
        let sunday = Timestamp::parse_rfc3339("2026-11-22T23:59:00Z").unwrap();
        assert!(cairo.contain(sunday));
        let friday = Timestamp::parse_rfc3339("2026-11-20T12:00:00Z").unwrap();
        assert!(!cairo.contain(friday));
    }

    #[test]
    fn what_is_no_window_or_no_zone_is_refused() {
        for (text, zone) in [
            ("", "UTC"),
            ("Mon-Fri", "UTC"),
            ("Mon-Fry 07:00-20:00", "UTC"),
            ("Mon 7-20", "UTC"),
            ("Mon 20:00-07:00", "UTC"),
            ("Mon 07:60-20:00", "UTC"),
            ("Mon 07:00-25:00", "UTC"),
            ("Mon-Fri 07:00-20:00", "Berlin!"),
        ] {
            assert!(OfficeHours::parse(text, zone).is_none(), "{text} {zone}");
        }
    }
}
