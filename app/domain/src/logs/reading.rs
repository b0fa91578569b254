//! How far a log was read, so that a page that was away goes on where it stopped: without a line twice,
//! and without a silent gap.

use core::fmt;

use super::LogLine;
use crate::time::Timestamp;

/// The moment of the last line that was read, and how many lines bear that moment.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Mark {
    millis: i64,
    lines: u32,
}

impl Mark {
    /// Before every line.
    pub const START: Self = Self {
        millis: 0,
        lines: 0,
    };

    /// After these lines, oldest first.
    pub fn after(lines: &[LogLine]) -> Self {
        lines.iter().fold(Self::START, Self::then)
    }

    /// `1800000000000.1`, as [`Display`](fmt::Display) writes it.
    pub fn parse(text: &str) -> Option<Self> {
        let (millis, lines) = text.split_once('.')?;
        Some(Self {
            millis: millis.parse().ok()?,
            lines: lines.parse().ok()?,
        })
    }

    /// After one more line. Times may go back a little: two outputs of a container are one log.
    fn then(self, line: &LogLine) -> Self {
        match line.at.map(Timestamp::as_millis) {
            Some(millis) if millis > self.millis => Self { millis, lines: 1 },
            Some(millis) if millis == self.millis => Self {
                millis,
                lines: self.lines.saturating_add(1),
            },
            _ => self,
        }
    }
}

impl fmt::Display for Mark {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}.{}", self.millis, self.lines)
    }
}

/// Whether what was read before and what is read now meet.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Seam {
    /// Nothing is missing.
    Closed,
    /// Lines may be missing.
    Open,
}

/// What was written since a mark.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Missed {
    /// Whether it reaches back to the mark.
    pub seam: Seam,
    /// Oldest first.
    pub lines: Vec<LogLine>,
}

/// Reads a log on from a mark: first its past, then what comes. Both are asked for at once, so that the
/// first lines that come may be of the past; those are left out.
#[derive(Debug)]
pub struct Reading {
    mark: Mark,
    /// The texts of the last moment of the past, while lines that come may still repeat them.
    overlap: Option<Vec<String>>,
}

impl Reading {
    /// Goes on after `mark`.
    pub fn after(mark: Mark) -> Self {
        Self {
            mark,
            overlap: Some(Vec::new()),
        }
    }

    /// How far it has got.
    pub fn mark(&self) -> Mark {
        self.mark
    }

    /// Takes the last `asked` lines, and leaves what is new among them.
    pub fn past(&mut self, mut last: Vec<LogLine>, asked: usize) -> Missed {
        let first = last.iter().find_map(|line| line.at);
        let reaches = first.is_some_and(|at| at.as_millis() <= self.mark.millis);
        let seam = if last.len() >= asked && self.mark != Mark::START && !reaches {
            Seam::Open
        } else {
            Seam::Closed
        };
        let lines = last.split_off(self.known(&last));
        self.mark = lines.iter().fold(self.mark, Mark::then);
        let millis = self.mark.millis;
        let at_mark = |line: &&LogLine| line.at.is_some_and(|at| at.as_millis() == millis);
        let texts = last.iter().chain(&lines).filter(at_mark);
        self.overlap = Some(texts.map(|line| line.text.clone()).collect());
        Missed { seam, lines }
    }

    /// A line that came; `None` when the past had it.
    pub fn came(&mut self, line: LogLine) -> Option<LogLine> {
        if let (Some(overlap), Some(at)) = (&mut self.overlap, line.at) {
            let millis = at.as_millis();
            if millis < self.mark.millis {
                return None;
            }
            if millis > self.mark.millis {
                self.overlap = None;
            } else if let Some(same) = overlap.iter().position(|text| *text == line.text) {
                overlap.swap_remove(same);
                return None;
            }
        }
        self.mark = self.mark.then(&line);
        Some(line)
    }

    /// How many of these lines were read before.
    fn known(&self, lines: &[LogLine]) -> usize {
        let mut at_mark = 0;
        let new = lines.iter().position(|line| {
            let Some(at) = line.at else { return false };
            let millis = at.as_millis();
            if millis == self.mark.millis {
                at_mark += 1;
            }
            millis > self.mark.millis || at_mark > self.mark.lines
        });
        new.unwrap_or(lines.len())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::logs::Level;

    fn line(millis: i64, text: &str) -> LogLine {
        LogLine {
            at: Some(Timestamp::from_millis(millis)),
            level: Level::Info,
            text: text.to_owned(),
        }
    }

    fn lines(all: &[(i64, &str)]) -> Vec<LogLine> {
        all.iter().map(|(at, text)| line(*at, text)).collect()
    }

    fn texts(missed: &Missed) -> Vec<&str> {
        missed.lines.iter().map(|line| line.text.as_str()).collect()
    }

    #[test]
    fn a_mark_survives_a_url() {
        let mark = Mark::after(&lines(&[(5, "a"), (7, "b"), (7, "c"), (6, "late")]));
        assert_eq!(mark.to_string(), "7.2");
        assert_eq!(Mark::parse("7.2"), Some(mark));
        assert_eq!(Mark::parse("seven"), None);
    }

    #[test]
    fn what_was_written_meanwhile_comes_once_even_within_one_moment() {
        let mut reading = Reading::after(Mark::after(&lines(&[(5, "a"), (7, "b")])));
        let past = lines(&[(5, "a"), (7, "b"), (7, "c"), (9, "d")]);
        let missed = reading.past(past, 1_000);
        assert_eq!(texts(&missed), ["c", "d"]);
        assert_eq!(missed.seam, Seam::Closed);
        // The stream was joined before the past was read, and repeats its end.
        for (millis, text, new) in [
            (7, "c", false),
            (9, "d", false),
            (9, "e", true),
            (10, "f", true),
            // Two outputs of one container: a little late, and new all the same.
            (9, "g", true),
        ] {
            let came = reading.came(line(millis, text));
            assert_eq!(came.is_some(), new, "{text}");
        }
        assert_eq!(reading.mark().to_string(), "10.1");
    }

    #[test]
    fn a_past_that_does_not_reach_back_is_said_to_have_a_gap() {
        let mark = Mark::after(&lines(&[(5, "a")]));
        let mut reading = Reading::after(mark);
        let missed = reading.past(lines(&[(8, "y"), (9, "z")]), 2);
        assert_eq!(missed.seam, Seam::Open);
        assert_eq!(texts(&missed), ["y", "z"]);
        // Fewer than asked for is all there is: a container that was replaced begins anew.
        let missed = Reading::after(mark).past(lines(&[(8, "y"), (9, "z")]), 3);
        assert_eq!(missed.seam, Seam::Closed);
        // A page that showed nothing misses nothing before what it gets.
        let missed = Reading::after(Mark::START).past(lines(&[(8, "y"), (9, "z")]), 2);
        assert_eq!(missed.seam, Seam::Closed);
    }

    #[test]
    fn without_a_past_every_line_after_the_mark_comes() {
        let mut reading = Reading::after(Mark::after(&lines(&[(5, "a")])));
        assert_eq!(reading.came(line(4, "old")), None);
        assert!(reading.came(line(6, "new")).is_some());
        let own = LogLine {
            at: None,
            ..line(0, "[panel] says")
        };
        assert!(reading.came(own).is_some());
    }
}
