//! The chain: each event carries the hash of the one before, and whoever reads them in order finds what does not fit.

use core::fmt;

use serde::de::Error as _;
use serde::{Deserialize, Deserializer, Serialize, Serializer};
use sha2::{Digest as _, Sha256};

use super::archive::Doubt;
use super::canonical::Record;
use super::checkpoint::Checkpoint;
use crate::time::Timestamp;
use crate::words;

/// How many flaws of one check are listed; the rest is counted.
pub const LISTED: usize = 20;

/// A SHA-256.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Hash(pub [u8; 32]);

impl Hash {
    /// What the first event has before it.
    pub const ZERO: Self = Self([0; 32]);

    /// The hash of an event's canonical text.
    pub fn of(text: &[u8]) -> Self {
        Self(Sha256::digest(text).into())
    }

    /// Reads 64 hexadecimal digits.
    pub fn parse(text: &str) -> Option<Self> {
        unhex(text).map(Self)
    }
}

impl fmt::Display for Hash {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&super::checkpoint::to_hex(&self.0))
    }
}

impl Serialize for Hash {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for Hash {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        Self::parse(&text).ok_or_else(|| D::Error::custom("a hash has 64 hexadecimal digits"))
    }
}

/// Reads as many bytes as are asked for from hexadecimal digits, and nothing else.
pub(super) fn unhex<const N: usize>(text: &str) -> Option<[u8; N]> {
    let digits = text.as_bytes();
    let mut bytes = [0; N];
    if digits.len() != 2 * N || !text.bytes().all(|digit| digit.is_ascii_hexdigit()) {
        return None;
    }
    for (byte, pair) in bytes.iter_mut().zip(digits.chunks_exact(2)) {
        *byte = u8::from_str_radix(core::str::from_utf8(pair).ok()?, 16).ok()?;
    }
    Some(bytes)
}

/// An event by number and hash: the last one that was written, as the panel noted it beside the trail, or an end of an
/// archive.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub struct Head {
    /// Its number; 0 before the first one.
    pub sequence: i64,
    /// Its hash.
    pub hash: Hash,
}

impl Head {
    /// What the very first event follows.
    pub const BEFORE_ALL: Self = Self {
        sequence: 0,
        hash: Hash::ZERO,
    };
}

/// Something that does not fit.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "flaw", rename_all = "snake_case")]
pub enum Flaw {
    /// An event was altered: its content does not match its hash.
    Altered {
        /// It.
        sequence: i64,
    },
    /// An event does not follow the one before, and no number is missing between them.
    NotFollowing {
        /// It.
        sequence: i64,
        /// The one before; 0 for none.
        before: i64,
    },
    /// An event has a number that none has: below the first one, or one whose event left the database with an archive.
    PutIn {
        /// It.
        sequence: i64,
    },
    /// Events were removed.
    Removed {
        /// The first number that is missing.
        from: i64,
        /// The last one.
        to: i64,
    },
    /// Events at the end are gone: a later one was known.
    Truncated {
        /// The last one that is there; 0 for none.
        last: i64,
        /// The one that was known.
        known: i64,
        /// When a checkpoint knew it; `None` when the head of the chain does.
        checkpoint: Option<Timestamp>,
    },
    /// The head of the chain is not the last event.
    Head {
        /// The last event.
        last: i64,
        /// What the head names.
        sequence: i64,
    },
    /// A checkpoint has another hash than its event, or knows an event that is not there.
    Checkpoint {
        /// The event.
        sequence: i64,
        /// When the checkpoint was made.
        at: Timestamp,
    },
    /// A checkpoint was not signed by the key that it names.
    Signature {
        /// The event that it names.
        sequence: i64,
        /// When it says that it was made.
        at: Timestamp,
    },
    /// A checkpoint was signed by a key that nobody named as one of the panel's.
    Key {
        /// The event that it names.
        sequence: i64,
        /// When it says that it was made.
        at: Timestamp,
    },
    /// An archive is not believed, so that the trail is not let begin after it.
    Archive {
        /// The last event that it is said to hold.
        sequence: i64,
        /// Its file.
        file: String,
        /// Why.
        why: Doubt,
    },
    /// A line of the checkpoints' file is no checkpoint.
    Line {
        /// Which one.
        line: u64,
    },
}

impl Flaw {
    /// For people, in words, with the numbers.
    pub fn sentence(&self) -> String {
        match self {
            Self::Altered { sequence } => {
                format!("Event {sequence} was altered: its content does not match its hash.")
            }
            Self::NotFollowing {
                sequence,
                before: 0,
            } => format!("Event {sequence} is the first one there is, but it followed another."),
            Self::NotFollowing { sequence, before } => format!(
                "Event {sequence} does not follow event {before}: one was put in, moved, or written anew."
            ),
            Self::PutIn { sequence } if *sequence < 1 => {
                format!("Event {sequence} was put in: numbers begin with 1.")
            }
            Self::PutIn { sequence } => {
                format!("Event {sequence} was put in: the one of that number lies in an archive.")
            }
            Self::Removed { from, to } if from == to => format!("Event {from} was removed."),
            Self::Removed { from, to } => format!("Events {from} to {to} were removed."),
            Self::Truncated {
                last,
                known,
                checkpoint,
            } => {
                let by = checkpoint.map_or("the head of the chain".to_owned(), |at| {
                    format!("the checkpoint of {}", at.utc_text())
                });
                format!(
                    "The end was cut off: the last event is {last}, but {by} knows event {known}."
                )
            }
            Self::Head { last, sequence } => format!(
                "The head of the chain is not the last event: it names event {sequence}, and the last one is {last}."
            ),
            Self::Checkpoint { sequence, at } => format!(
                "The checkpoint of {} knows another event {sequence}: the trail was written anew.",
                at.utc_text()
            ),
            Self::Signature { sequence, at } => format!(
                "The checkpoint of event {sequence}, {}, was not signed by the key that it names.",
                at.utc_text()
            ),
            Self::Key { sequence, at } => format!(
                "The checkpoint of event {sequence}, {}, was signed by a key that audit.checkpoint_keys does not name.",
                at.utc_text()
            ),
            Self::Archive {
                sequence,
                file,
                why,
            } => format!(
                "The archive {file}, which is said to hold the events up to {sequence}, is not believed: {}.",
                why.words()
            ),
            Self::Line { line } => {
                format!("Line {line} of the file with the checkpoints is no checkpoint.")
            }
        }
    }
}

/// What a check of the whole chain found.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Check {
    /// When it began.
    pub at: Timestamp,
    /// How long it took.
    pub took_ms: u64,
    /// The last event that lies in an archive, which the first one here follows; 0 for none.
    #[serde(default)]
    pub after: i64,
    /// How many events there are.
    pub events: u64,
    /// The last one; 0 for none.
    pub last: i64,
    /// How many checkpoints were held against them.
    pub checkpoints: u64,
    /// What does not fit, the first [`LISTED`] of it.
    pub flaws: Vec<Flaw>,
    /// How many more flaws there are.
    pub more: u64,
}

impl Check {
    /// Whether everything fits.
    pub fn is_whole(&self) -> bool {
        self.flaws.is_empty()
    }

    /// For people, without the time.
    pub fn sentence(&self) -> String {
        let Some(first) = self.flaws.first() else {
            let events = if self.events == 1 { "event" } else { "events" };
            let count = words::thousands(self.events);
            let first = words::thousands(u64::try_from(self.after.saturating_add(1)).unwrap_or(1));
            return match self.after {
                0 => format!("The chain of {count} {events} is whole."),
                _ => format!("The chain of {count} {events}, from event {first} on, is whole."),
            };
        };
        let others = self.more + (self.flaws.len() as u64).saturating_sub(1);
        match others {
            0 => format!("The chain is broken. {}", first.sentence()),
            _ => format!(
                "The chain is broken. {} And {} more.",
                first.sentence(),
                words::count(others, "flaw", "flaws")
            ),
        }
    }
}

/// Takes events in the order of their numbers.
pub struct Verifier<'a> {
    /// By number.
    checkpoints: &'a [Checkpoint],
    after: Head,
    /// The last one of those that lie in the archive and are still here.
    left: Option<Head>,
    last: Head,
    events: u64,
    flaws: Vec<Flaw>,
    more: u64,
    text: Vec<u8>,
}

impl<'a> Verifier<'a> {
    /// Holds the events that follow `after`, the end of an archive that is believed, against these checkpoints, which are
    /// sorted by their numbers. Those of events before it are left aside; one of `after` itself must fit.
    pub fn new(after: Head, checkpoints: &'a [Checkpoint]) -> Self {
        let mut verifier = Self {
            checkpoints: &[],
            after,
            left: None,
            last: after,
            events: 0,
            flaws: Vec::new(),
            more: 0,
            text: Vec::with_capacity(2_048),
        };
        let old = checkpoints.partition_point(|checkpoint| checkpoint.sequence < after.sequence);
        verifier.checkpoints = &checkpoints[old..];
        if after.sequence > 0 {
            verifier.hold_against(after.sequence, after.hash);
        }
        verifier
    }

    /// Notes a flaw that was found elsewhere.
    pub fn note(&mut self, flaw: Flaw) {
        if self.flaws.len() < LISTED {
            self.flaws.push(flaw);
        } else {
            self.more += 1;
        }
    }

    /// The next event of all that there are, with the hash that is stored with it.
    pub fn take(&mut self, record: &Record<'_>, stored: Hash) {
        let sequence = record.sequence;
        if sequence < 1 {
            self.note(Flaw::PutIn { sequence });
            return;
        }
        self.text.clear();
        let encoded = record.encode(&mut self.text);
        if encoded.is_err() || Hash::of(&self.text) != stored {
            self.note(Flaw::Altered { sequence });
        }
        // From here on by what is stored: each flaw is told once, not by every event after it.
        let this = Head {
            sequence,
            hash: stored,
        };
        if sequence <= self.after.sequence {
            // Archived events go from the oldest on: what the first one that is left follows is gone.
            if let Some(before) = self.left.replace(this) {
                self.must_follow(before, record);
            }
            return;
        }
        self.end_of_what_is_left();
        self.events += 1;
        self.must_follow(self.last, record);
        self.hold_against(sequence, stored);
        self.last = this;
    }

    fn must_follow(&mut self, last: Head, record: &Record<'_>) {
        let (sequence, before) = (record.sequence, last.sequence);
        if record.previous == last.hash {
            return;
        }
        self.note(if sequence > before.saturating_add(1) {
            Flaw::Removed {
                from: before.saturating_add(1),
                to: sequence.saturating_sub(1),
            }
        } else {
            Flaw::NotFollowing { sequence, before }
        });
    }

    /// What is left of an archive goes to its end, or did not come from it.
    fn end_of_what_is_left(&mut self) {
        if let Some(left) = self.left.take()
            && left != self.after
        {
            self.note(Flaw::PutIn {
                sequence: left.sequence,
            });
        }
    }

    fn hold_against(&mut self, sequence: i64, stored: Hash) {
        while let Some((checkpoint, rest)) = self.checkpoints.split_first() {
            if checkpoint.sequence > sequence {
                return;
            }
            self.checkpoints = rest;
            if checkpoint.sequence < sequence || checkpoint.hash != stored {
                self.note(Flaw::Checkpoint {
                    sequence: checkpoint.sequence,
                    at: checkpoint.at,
                });
            }
        }
    }

    /// All events were taken; `head` is what was noted of the last one at that moment, `None` when that is gone.
    pub fn finish(mut self, head: Option<Head>) -> Found {
        self.end_of_what_is_left();
        let last = self.last;
        let head = head.unwrap_or(Head::BEFORE_ALL);
        if head.sequence > last.sequence {
            self.note(Flaw::Truncated {
                last: last.sequence,
                known: head.sequence,
                checkpoint: None,
            });
        } else if head != last {
            self.note(Flaw::Head {
                last: last.sequence,
                sequence: head.sequence,
            });
        }
        if let Some(latest) = self.checkpoints.last() {
            self.note(Flaw::Truncated {
                last: last.sequence,
                known: latest.sequence,
                checkpoint: Some(latest.at),
            });
        }
        Found {
            after: self.after.sequence,
            events: self.events,
            last,
            flaws: self.flaws,
            more: self.more,
        }
    }
}

/// What a [`Verifier`] found.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Found {
    /// The last event before those that were taken; 0 for none.
    pub after: i64,
    /// How many events there are.
    pub events: u64,
    /// The last one.
    pub last: Head,
    /// What does not fit.
    pub flaws: Vec<Flaw>,
    /// How many more flaws there are.
    pub more: u64,
}
