//! A month of the calendar, in UTC.

use crate::time::Timestamp;

const NAMES: [&str; 12] = [
    "January",
    "February",
    "March",
    "April",
    "May",
    "June",
    "July",
    "August",
    "September",
    "October",
    "November",
    "December",
];

/// A month of the calendar, in UTC, between 1970 and 9998.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Month {
    year: u16,
    /// 1 to 12.
    month: u8,
}

impl Month {
    fn new(year: u16, month: u8) -> Option<Self> {
        ((1_970..=9_998).contains(&year) && (1..=12).contains(&month))
            .then_some(Self { year, month })
    }

    /// Reads `2026-10`.
    pub fn parse(text: &str) -> Option<Self> {
        let (year, month) = text.trim().split_once('-')?;
        let is_whole = |part: &str, digits: usize| {
            part.len() == digits && part.bytes().all(|byte| byte.is_ascii_digit())
        };
        if !is_whole(year, 4) || !is_whole(month, 2) {
            return None;
        }
        Self::new(year.parse().ok()?, month.parse().ok()?)
    }

    /// The one that a moment lies in; the first of all for moments before it.
    pub fn of(at: Timestamp) -> Self {
        let date = at.utc_date();
        date.get(..7).and_then(Self::parse).unwrap_or(Self {
            year: 1_970,
            month: 1,
        })
    }

    /// The last one that is over.
    pub fn last_whole(now: Timestamp) -> Self {
        let present = Self::of(now);
        present.previous().unwrap_or(present)
    }

    /// The one before.
    pub fn previous(self) -> Option<Self> {
        match self.month {
            1 => Self::new(self.year - 1, 12),
            month => Self::new(self.year, month - 1),
        }
    }

    /// The one after.
    pub fn next(self) -> Option<Self> {
        match self.month {
            12 => Self::new(self.year + 1, 1),
            month => Self::new(self.year, month + 1),
        }
    }

    /// Its first moment.
    pub fn begins(self) -> Timestamp {
        Timestamp::parse_date(&format!("{self}-01")).unwrap_or_default()
    }

    /// The first moment after it.
    pub fn ends(self) -> Timestamp {
        let (year, month) = match self.month {
            12 => (self.year + 1, 1),
            month => (self.year, month + 1),
        };
        Timestamp::parse_date(&format!("{year:04}-{month:02}-01")).unwrap_or_default()
    }

    /// `October 2026`.
    pub fn title(self) -> String {
        let name = NAMES.get(usize::from(self.month) - 1).unwrap_or(&"");
        format!("{name} {}", self.year)
    }
}

/// `2026-10`, as [`Month::parse`] reads it.
impl core::fmt::Display for Month {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        write!(f, "{:04}-{:02}", self.year, self.month)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_month_reads_back_and_ends_where_the_next_one_begins() {
        let month = Month::parse("2026-12").unwrap();
        assert_eq!(month.to_string(), "2026-12");
        assert_eq!(month.title(), "December 2026");
        assert_eq!(month.begins().rfc3339(), "2026-12-01T00:00:00Z");
        assert_eq!(month.ends().rfc3339(), "2027-01-01T00:00:00Z");
        assert_eq!(month.next().unwrap().begins(), month.ends());
        assert_eq!(month.next().unwrap().previous(), Some(month));
        let now = Timestamp::parse_rfc3339("2027-01-01T00:00:00Z").unwrap();
        assert_eq!(Month::last_whole(now), month);
        assert_eq!(Month::of(now).to_string(), "2027-01");
    }

    #[test]
    fn what_is_no_month_is_refused_and_the_calendar_has_ends() {
        for bad in [
            "",
            "2026",
            "2026-13",
            "2026-00",
            "2026-1",
            "26-10",
            "+026-10",
            "1969-12",
            "9999-01",
            "2026-10-01",
        ] {
            assert_eq!(Month::parse(bad), None, "{bad}");
        }
        assert_eq!(Month::parse("1970-01").unwrap().previous(), None);
        let last = Month::parse("9998-12").unwrap();
        assert_eq!(last.next(), None);
        assert_eq!(last.ends().rfc3339(), "9999-01-01T00:00:00Z");
    }
}
