//! Numbers of events, as what one review covers.

use std::collections::BTreeSet;

/// The most stretches of events that one review covers.
const MOST: usize = 1_000;

/// Numbers of events, as stretches without gaps, in order.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Stretches(Vec<(i64, i64)>);

impl Stretches {
    /// Of these numbers.
    pub fn of(numbers: impl IntoIterator<Item = i64>) -> Self {
        let mut numbers: Vec<i64> = numbers.into_iter().collect();
        numbers.sort_unstable();
        let mut stretches: Vec<(i64, i64)> = Vec::new();
        for number in numbers {
            match stretches.last_mut() {
                Some((_, last)) if number <= last.saturating_add(1) => *last = number,
                _ => stretches.push((number, number)),
            }
        }
        Self(stretches)
    }

    /// As many of these groups of numbers as one review can cover, from the first one on; and how many that are.
    pub fn of_groups(groups: impl IntoIterator<Item = Vec<i64>>) -> (Self, usize) {
        let mut numbers: BTreeSet<i64> = BTreeSet::new();
        let (mut stretches, mut taken) = (0, 0);
        for group in groups {
            let mut added = Vec::new();
            for number in group {
                // Beside none it is a stretch of its own; between two it makes them one.
                let beside = [number.checked_sub(1), number.checked_add(1)];
                let beside = beside.into_iter().flatten();
                let beside = beside.filter(|next| numbers.contains(next)).count();
                if numbers.insert(number) {
                    stretches = stretches + 1 - beside;
                    added.push(number);
                }
            }
            if stretches > MOST {
                for number in added {
                    numbers.remove(&number);
                }
                break;
            }
            taken += 1;
        }
        (Self::of(numbers), taken)
    }

    /// The newest of them, as far as one review can cover them.
    #[must_use]
    pub fn newest(mut self) -> Self {
        let beyond = self.0.len().saturating_sub(MOST);
        self.0.drain(..beyond);
        self
    }

    /// First and last of each.
    pub fn as_slice(&self) -> &[(i64, i64)] {
        &self.0
    }

    /// Whether a number is in one.
    pub fn contains(&self, number: i64) -> bool {
        self.0
            .iter()
            .any(|(first, last)| (*first..=*last).contains(&number))
    }

    /// The first number of all.
    pub fn first(&self) -> Option<i64> {
        self.0.first().map(|(first, _)| *first)
    }

    /// The last number of all.
    pub fn last(&self) -> Option<i64> {
        self.0.last().map(|(_, last)| *last)
    }

    /// How many numbers they hold.
    pub fn count(&self) -> u64 {
        self.0
            .iter()
            .map(|(first, last)| last.abs_diff(*first).saturating_add(1))
            .sum()
    }

    /// `7`, or `3-5,8`: in forms and in the audit trail.
    pub fn text(&self) -> String {
        let one = |(first, last): &(i64, i64)| {
            if first == last {
                first.to_string()
            } else {
                format!("{first}-{last}")
            }
        };
        self.0.iter().map(one).collect::<Vec<_>>().join(",")
    }

    /// Reads [`Stretches::text`] back.
    pub fn parse(text: &str) -> Option<Self> {
        let mut stretches: Vec<(i64, i64)> = Vec::new();
        for part in text.split(',') {
            let (first, last) = part.split_once('-').unwrap_or((part, part));
            let (first, last): (i64, i64) = (first.parse().ok()?, last.parse().ok()?);
            let follows = stretches.last().is_none_or(|(_, before)| *before < first);
            if first < 1 || last < first || !follows || stretches.len() == MOST {
                return None;
            }
            stretches.push((first, last));
        }
        Some(Self(stretches))
    }
}
