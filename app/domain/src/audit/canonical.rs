//! The one text of an event that is hashed.
//!
//! A JSON object as RFC 8785 has it: members sorted by name, no white space, integers only, what there is none of left
//! out, so that a member which comes later changes no hash of before. It is made from the row as it is stored, not
//! from [`AuditEvent`](super::AuditEvent): what this program does not know of is hashed all the same.

use std::io::Write as _;

use uuid::Uuid;

use super::chain::Hash;
use super::json::{NotCanonical, hex, json, string};

const MICROS_PER_SECOND: i64 = 1_000_000;
const SECONDS_PER_DAY: i64 = 86_400;

/// An event as it lies in the database.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Record<'a> {
    /// Its number.
    pub sequence: i64,
    /// Its id.
    pub id: Uuid,
    /// When, in microseconds since 1970.
    pub at: i64,
    /// Who, as JSON.
    pub actor: &'a str,
    /// The key that tells actors apart.
    pub actor_key: &'a str,
    /// What.
    pub action: &'a str,
    /// On which gateway.
    pub gateway: Option<&'a str>,
    /// On what else.
    pub target: Option<&'a str>,
    /// In which operation.
    pub operation: Option<Uuid>,
    /// Why.
    pub reason: Option<&'a str>,
    /// With which outcome.
    pub outcome: &'a str,
    /// One sentence more.
    pub note: Option<&'a str>,
    /// What was changed, as JSON.
    pub changes: Option<&'a str>,
    /// How long it took.
    pub duration_ms: Option<i64>,
    /// The hash of the event before.
    pub previous: Hash,
}

impl Record<'_> {
    /// Appends the text that is hashed.
    ///
    /// # Errors
    /// When what is stored as JSON has no canonical form.
    pub fn encode(&self, out: &mut Vec<u8>) -> Result<(), NotCanonical> {
        self.write(None, out)
    }

    /// Appends the same with the event's hash in it, as exports have it.
    ///
    /// # Errors
    /// When what is stored as JSON has no canonical form.
    pub fn export(&self, hash: &Hash, out: &mut Vec<u8>) -> Result<(), NotCanonical> {
        self.write(Some(hash), out)
    }

    fn write(&self, hash: Option<&Hash>, out: &mut Vec<u8>) -> Result<(), NotCanonical> {
        out.extend_from_slice(b"{\"action\":");
        string(self.action, out);
        out.extend_from_slice(b",\"actor\":");
        json(self.actor, out)?;
        text("actor_key", Some(self.actor_key), out);
        name("at", out);
        moment(self.at, out);
        if let Some(changes) = self.changes {
            name("changes", out);
            json(changes, out)?;
        }
        if let Some(duration) = self.duration_ms {
            name("duration_ms", out);
            integer(duration, out);
        }
        text("gateway", self.gateway, out);
        if let Some(hash) = hash {
            hashed("hash", hash, out);
        }
        id("id", self.id, out);
        text("note", self.note, out);
        if let Some(operation) = self.operation {
            id("operation", operation, out);
        }
        text("outcome", Some(self.outcome), out);
        hashed("previous", &self.previous, out);
        text("reason", self.reason, out);
        name("sequence", out);
        integer(self.sequence, out);
        text("target", self.target, out);
        out.push(b'}');
        Ok(())
    }
}

/// `"2026-11-22T02:14:05.123456Z"`. A moment outside of the years 0 to 9999, which only a hand that tampers writes, is
/// the bare number of microseconds.
pub(super) fn moment(micros: i64, out: &mut Vec<u8>) {
    let seconds = micros.div_euclid(MICROS_PER_SECOND);
    let days = seconds.div_euclid(SECONDS_PER_DAY);
    let (year, month, day) = civil(days);
    if !(0..=9_999).contains(&year) {
        return integer(micros, out);
    }
    let second = seconds.rem_euclid(SECONDS_PER_DAY);
    out.push(b'"');
    digits(year, 4, b'-', out);
    digits(month, 2, b'-', out);
    digits(day, 2, b'T', out);
    digits(second / 3_600, 2, b':', out);
    digits(second / 60 % 60, 2, b':', out);
    digits(second % 60, 2, b'.', out);
    digits(micros.rem_euclid(MICROS_PER_SECOND), 6, b'Z', out);
    out.push(b'"');
}

/// Year, month and day of a day since 1970. Written out, since it is done for every event of a verification. Years are
/// taken from March on, so that the leap day comes last.
fn civil(days: i64) -> (i64, i64, i64) {
    let from_year_0 = days + 719_468;
    let era = from_year_0.div_euclid(146_097);
    let day_of_era = from_year_0.rem_euclid(146_097);
    let year_of_era =
        (day_of_era - day_of_era / 1_460 + day_of_era / 36_524 - day_of_era / 146_096) / 365;
    let day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    let month_from_march = (5 * day_of_year + 2) / 153;
    let day = day_of_year - (153 * month_from_march + 2) / 5 + 1;
    let month = (month_from_march + 2) % 12 + 1;
    let year = year_of_era + era * 400 + i64::from(month <= 2);
    (year, month, day)
}

fn digits(number: i64, count: usize, then: u8, out: &mut Vec<u8>) {
    let begin = out.len();
    out.resize(begin + count, b'0');
    let mut rest = number;
    for place in out[begin..].iter_mut().rev() {
        *place = b"0123456789"[usize::try_from(rest % 10).unwrap_or(0)];
        rest /= 10;
    }
    out.push(then);
}

fn name(name: &str, out: &mut Vec<u8>) {
    out.extend_from_slice(b",\"");
    out.extend_from_slice(name.as_bytes());
    out.extend_from_slice(b"\":");
}

fn text(of: &str, value: Option<&str>, out: &mut Vec<u8>) {
    if let Some(value) = value {
        name(of, out);
        string(value, out);
    }
}

pub(super) fn integer(number: i64, out: &mut Vec<u8>) {
    // Writing into memory does not fail.
    let _written = write!(out, "{number}");
}

fn id(of: &str, value: Uuid, out: &mut Vec<u8>) {
    name(of, out);
    let mut place = [0; 36];
    let value = value.hyphenated().encode_lower(&mut place);
    out.push(b'"');
    out.extend_from_slice(value.as_bytes());
    out.push(b'"');
}

fn hashed(of: &str, hash: &Hash, out: &mut Vec<u8>) {
    name(of, out);
    out.push(b'"');
    hex(&hash.0, out);
    out.push(b'"');
}
