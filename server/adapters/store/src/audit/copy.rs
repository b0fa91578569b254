//! Events as `COPY … (FORMAT binary)` hands them over: read where they lie, without a value of their own for each.

use domain::audit::{Hash, Record};
use uuid::Uuid;

/// The columns, in the order in which [`Copied`] reads them.
pub(super) const COLUMNS: &str = "sequence, id, at, actor, actor_key, action, gateway_id, target, operation_id, reason, \
                                  outcome, note, changes, duration_ms, previous, hash";
const FIELDS: u16 = 16;
const SIGNATURE: &[u8] = b"PGCOPY\n\xff\r\n\0";
/// Signature, flags, and the length of an extension that nobody uses.
const HEADER: usize = 19;
/// Where Postgres' time begins: 2000-01-01, in microseconds since 1970.
const EPOCH: i64 = 946_684_800_000_000;

/// What Postgres sent is no row of the trail.
#[derive(Debug, thiserror::Error)]
#[error("the database sent what is no audit event")]
struct NoEvent;

/// Reads a stream that comes in pieces.
#[derive(Default)]
pub(super) struct Copied {
    /// What came of a row that has not come whole.
    rest: Vec<u8>,
    is_begun: bool,
}

impl Copied {
    /// Takes the next piece and gives each event that is whole, with its hash.
    pub(super) fn feed(
        &mut self,
        piece: &[u8],
        mut take: impl FnMut(&Record<'_>, Hash) -> sqlx::Result<()>,
    ) -> sqlx::Result<()> {
        let mut held = std::mem::take(&mut self.rest);
        let bytes = if held.is_empty() {
            piece
        } else {
            held.extend_from_slice(piece);
            &held
        };
        let mut left = bytes;
        if !self.is_begun {
            if left.len() < HEADER {
                self.rest = left.to_vec();
                return Ok(());
            }
            if !left.starts_with(SIGNATURE) {
                return Err(no_event());
            }
            left = &left[HEADER..];
            self.is_begun = true;
        }
        while let Some(length) = row_length(left)? {
            let (row, after) = left.split_at(length);
            left = after;
            if let Some((record, hash)) = read(row)? {
                take(&record, hash)?;
            }
        }
        self.rest = left.to_vec();
        Ok(())
    }
}

fn no_event() -> sqlx::Error {
    sqlx::Error::Decode(Box::new(NoEvent))
}

/// How long the next row is; `None` when it has not come whole.
fn row_length(bytes: &[u8]) -> sqlx::Result<Option<usize>> {
    let Some(count) = bytes.first_chunk::<2>() else {
        return Ok(None);
    };
    let mut at = 2;
    match u16::from_be_bytes(*count) {
        FIELDS => {}
        // The end.
        u16::MAX => return Ok(Some(at)),
        _ => return Err(no_event()),
    }
    for _ in 0..FIELDS {
        let Some(length) = bytes.get(at..).and_then(<[u8]>::first_chunk::<4>) else {
            return Ok(None);
        };
        at += 4 + usize::try_from(i32::from_be_bytes(*length)).unwrap_or(0);
    }
    Ok((at <= bytes.len()).then_some(at))
}

/// One whole row; `None` for the end of the stream.
fn read(row: &[u8]) -> sqlx::Result<Option<(Record<'_>, Hash)>> {
    if row.len() == 2 {
        return Ok(None);
    }
    let mut fields = Fields(&row[2..]);
    let record = Record {
        sequence: fields.number()?.ok_or_else(no_event)?,
        id: fields.id()?.ok_or_else(no_event)?,
        at: fields.number()?.ok_or_else(no_event)?.saturating_add(EPOCH),
        actor: fields.json()?.ok_or_else(no_event)?,
        actor_key: fields.text()?.ok_or_else(no_event)?,
        action: fields.text()?.ok_or_else(no_event)?,
        gateway: fields.text()?,
        target: fields.text()?,
        operation: fields.id()?,
        reason: fields.text()?,
        outcome: fields.text()?.ok_or_else(no_event)?,
        note: fields.text()?,
        changes: fields.json()?,
        duration_ms: fields.number()?,
        previous: super::hash(fields.bytes()?.unwrap_or_default()),
    };
    let hash = super::hash(fields.bytes()?.unwrap_or_default());
    Ok(Some((record, hash)))
}

struct Fields<'a>(&'a [u8]);

impl<'a> Fields<'a> {
    fn bytes(&mut self) -> sqlx::Result<Option<&'a [u8]>> {
        let (length, rest) = self.0.split_first_chunk::<4>().ok_or_else(no_event)?;
        let Ok(length) = usize::try_from(i32::from_be_bytes(*length)) else {
            self.0 = rest;
            return Ok(None);
        };
        let (field, rest) = rest.split_at_checked(length).ok_or_else(no_event)?;
        self.0 = rest;
        Ok(Some(field))
    }

    fn text(&mut self) -> sqlx::Result<Option<&'a str>> {
        let field = self.bytes()?;
        let text = field.map(std::str::from_utf8).transpose();
        text.map_err(|_| no_event())
    }

    /// Its first byte is a version.
    fn json(&mut self) -> sqlx::Result<Option<&'a str>> {
        let Some(text) = self.text()? else {
            return Ok(None);
        };
        text.strip_prefix('\u{1}').map(Some).ok_or_else(no_event)
    }

    fn number(&mut self) -> sqlx::Result<Option<i64>> {
        let field = self.bytes()?;
        let number = field.map(|bytes| bytes.try_into().map(i64::from_be_bytes));
        number.transpose().map_err(|_| no_event())
    }

    fn id(&mut self) -> sqlx::Result<Option<Uuid>> {
        let field = self.bytes()?;
        let id = field.map(|bytes| bytes.try_into().map(Uuid::from_bytes));
        id.transpose().map_err(|_| no_event())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn stream() -> Vec<u8> {
        let mut stream = [SIGNATURE, &[0; 8]].concat();
        for sequence in 1..=3_i64 {
            stream.extend(FIELDS.to_be_bytes());
            let fields: [Option<&[u8]>; FIELDS as usize] = [
                Some(&sequence.to_be_bytes()),
                Some(&[7; 16]),
                Some(&1_000_i64.to_be_bytes()),
                Some(b"\x01{\"kind\": \"panel\"}"),
                Some(b"panel"),
                Some(b"sign-in"),
                None,
                Some("zoë".as_bytes()),
                None,
                None,
                Some(b"succeeded"),
                Some(b""),
                None,
                Some(&5_i64.to_be_bytes()),
                Some(&[1; 32]),
                Some(&[2; 32]),
            ];
            for field in fields {
                match field {
                    None => stream.extend((-1_i32).to_be_bytes()),
                    Some(bytes) => {
                        stream.extend(i32::try_from(bytes.len()).unwrap().to_be_bytes());
                        stream.extend(bytes);
                    }
                }
            }
        }
        stream.extend(u16::MAX.to_be_bytes());
        stream
    }

    #[test]
    fn events_are_read_however_the_stream_is_cut() {
        let stream = stream();
        for size in [1, 2, 7, 64, 300, stream.len()] {
            let mut copied = Copied::default();
            let mut seen = Vec::new();
            for piece in stream.chunks(size) {
                let taken = copied.feed(piece, |record, hash| {
                    assert_eq!(hash, Hash([2; 32]));
                    assert_eq!(record.at, EPOCH + 1_000);
                    assert_eq!(record.actor, "{\"kind\": \"panel\"}");
                    assert_eq!((record.target, record.note), (Some("zoë"), Some("")));
                    assert_eq!((record.gateway, record.duration_ms), (None, Some(5)));
                    seen.push(record.sequence);
                    Ok(())
                });
                taken.unwrap();
            }
            assert_eq!(seen, [1, 2, 3], "in pieces of {size}");
        }
    }

    #[test]
    fn what_is_no_event_is_an_error() {
        let stream = stream();
        let mut strange = stream.clone();
        strange[HEADER + 1] = 9;
        for bytes in [b"SQLITE 3 is not Postgres".as_slice(), &strange] {
            let fed = Copied::default().feed(bytes, |_, _| Ok(()));
            assert!(fed.is_err());
        }
    }
}
