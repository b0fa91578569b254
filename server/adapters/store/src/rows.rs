//! Between columns and the words of `domain`.

use domain::fact::{FactKind, State};
use domain::gateway::GatewayId;
use domain::person::Role;
use domain::time::Timestamp;
use time::OffsetDateTime;

const NANOS_PER_MILLI: i128 = 1_000_000;

/// A moment as a column. Moments beyond the calendar become its end.
pub(crate) fn column(at: Timestamp) -> OffsetDateTime {
    OffsetDateTime::from_unix_timestamp_nanos(i128::from(at.as_millis()) * NANOS_PER_MILLI)
        .unwrap_or(OffsetDateTime::UNIX_EPOCH)
}

/// A column as a moment.
pub(crate) fn moment(at: OffsetDateTime) -> Timestamp {
    let millis = at.unix_timestamp_nanos().div_euclid(NANOS_PER_MILLI);
    Timestamp::from_millis(i64::try_from(millis).unwrap_or(i64::MAX))
}

/// A column that holds none of the words it should.
#[derive(Debug, thiserror::Error)]
#[error("`{word}` is no {what}")]
struct UnknownWord {
    what: &'static str,
    word: String,
}

pub(crate) fn unknown(what: &'static str, word: String) -> sqlx::Error {
    sqlx::Error::Decode(Box::new(UnknownWord { what, word }))
}

pub(crate) fn gateway(word: String) -> sqlx::Result<GatewayId> {
    word.parse()
        .map_err(|error| sqlx::Error::Decode(Box::new(error)))
}

pub(crate) fn role(word: String) -> sqlx::Result<Role> {
    Role::parse(&word).ok_or_else(|| unknown("role", word))
}

pub(crate) fn fact(word: String) -> sqlx::Result<FactKind> {
    FactKind::parse(&word).ok_or_else(|| unknown("fact", word))
}

pub(crate) fn state(word: String) -> sqlx::Result<State> {
    State::parse(&word).ok_or_else(|| unknown("state", word))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_moment_comes_back_from_its_column() {
        for millis in [0, 1, 1_763_777_645_123, -1] {
            let at = Timestamp::from_millis(millis);
            assert_eq!(moment(column(at)), at);
        }
    }
}
