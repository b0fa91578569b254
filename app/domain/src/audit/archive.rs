//! Archives: stretches of the trail that lie in a signed file and are no longer in the database.

use serde::{Deserialize, Serialize};

use super::chain::Head;
use super::checkpoint::Checkpoint;
use crate::report::Month;
use crate::time::Timestamp;
use crate::words;

/// How long an event stays at least, in days.
pub const SHORTEST_KEEP_DAYS: u16 = 400;

const DAY_MS: u64 = 86_400_000;

/// Events that may go: those between two ends of the chain.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Stretch {
    /// The first one.
    pub first: i64,
    /// What the first one follows: the last event of the archive before, or [`Head::BEFORE_ALL`].
    pub after: Head,
    /// The last one.
    pub last: Head,
    /// All of them were written before this moment.
    pub before: Timestamp,
    /// When the event after the last one was written.
    pub followed_at: Timestamp,
}

/// A stretch that was archived.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Archive {
    /// The number of its first event.
    pub first: i64,
    /// How many events it has.
    pub events: u64,
    /// All of them were written before this moment.
    pub before: Timestamp,
    /// The file's name.
    pub file: String,
    /// Of its last event, signed when it was archived.
    pub checkpoint: Checkpoint,
}

impl Archive {
    /// Its last event, which the trail in the database follows.
    pub const fn head(&self) -> Head {
        Head {
            sequence: self.checkpoint.sequence,
            hash: self.checkpoint.hash,
        }
    }

    /// For people: which events, of when, and where they are.
    pub fn sentence(&self) -> String {
        let last = self.checkpoint.sequence;
        format!(
            "Events up to {}, of before {}, are archived; the last file is {}.",
            words::thousands(u64::try_from(last).unwrap_or(0)),
            self.before.utc_date(),
            self.file
        )
    }
}

/// Why what stands in the database as an archive is not believed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Doubt {
    /// Its checkpoint was not signed by the key that it names.
    Signature,
    /// That key is neither the panel's own nor one that somebody named.
    Key,
    /// Its checkpoint is not younger than the event after its last one: then that was the last event of all, and the
    /// checkpoint an ordinary one.
    Early,
    /// No event after it says that it was made.
    NoEvent,
}

impl Doubt {
    /// The end of a sentence about the archive.
    pub const fn words(self) -> &'static str {
        match self {
            Self::Signature => "it was not signed by the key that it names",
            Self::Key => {
                "it was signed by a key that is neither this panel's own nor named in audit.checkpoint_keys"
            }
            Self::Early => {
                "it was signed before the event after it was written, as a checkpoint and not as an archive"
            }
            Self::NoEvent => "no event after it says that it was made",
        }
    }
}

/// Before which moment events may go that are kept for `days`: whole months of UTC at a time.
pub fn archivable_before(now: Timestamp, days: u16) -> Timestamp {
    let keep = core::time::Duration::from_millis(u64::from(days) * DAY_MS);
    Month::of(now.minus(keep)).begins()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::audit::{Hash, PublicKey, Signature};

    fn day(text: &str) -> Timestamp {
        Timestamp::parse_date(text).unwrap()
    }

    #[test]
    fn whole_months_go_and_only_when_their_last_day_is_old_enough() {
        for (now, before) in [
            ("2026-11-27", "2025-10-01"),
            ("2026-11-04", "2025-09-01"),
            ("2026-11-05", "2025-10-01"),
        ] {
            assert_eq!(archivable_before(day(now), 400), day(before), "{now}");
        }
        let before = archivable_before(day("2026-11-27"), 730);
        assert_eq!(before, day("2024-11-01"));
    }

    #[test]
    fn an_archive_says_which_events_and_where() {
        let archive = Archive {
            first: 1,
            events: 12_345,
            before: day("2025-10-01"),
            file: "audit-000000000001-000000012345.jsonl".to_owned(),
            checkpoint: Checkpoint {
                sequence: 12_345,
                hash: Hash([1; 32]),
                at: day("2026-11-27"),
                key: PublicKey([2; 32]),
                signature: Signature([3; 64]),
            },
        };
        assert_eq!(
            archive.sentence(),
            "Events up to 12,345, of before 2025-10-01, are archived; the last file is \
             audit-000000000001-000000012345.jsonl."
        );
        assert_eq!(archive.head().sequence, 12_345);
    }
}
