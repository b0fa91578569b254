//! The trail as a file: streamed, in one snapshot, with no more in memory than a piece of it.

use std::io;

use domain::audit::filter::{Acts, What};
use domain::audit::{CSV_HEADER, CSV_HEADER_WITHOUT_HASHES, Filter, Hash, NotCanonical, Record};
use domain::logs::without_numbers;
use domain::ports::{Place, StoreError};
use domain::time::Timestamp;
use domain::words;
use futures::future::{BoxFuture, ready};
use futures::{FutureExt as _, TryStreamExt as _};
use sqlx::{Connection as _, Executor as _};

use super::copy::{COLUMNS, Copied};
use crate::store::{Store, failed};

/// How much is written at once.
const PIECE: usize = 64 * 1_024;

/// In which form.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ExportFormat {
    /// One canonical JSON object a line, with its hash: all that a check needs.
    JsonLines,
    /// A table for people.
    Csv,
    /// The same with phone numbers and addresses masked, for those who need not see them, and without hashes.
    MaskedCsv,
}

impl ExportFormat {
    /// What comes before the first event.
    const fn header(self) -> &'static str {
        match self {
            Self::JsonLines => "",
            Self::Csv => CSV_HEADER,
            Self::MaskedCsv => CSV_HEADER_WITHOUT_HASHES,
        }
    }
}

impl Store {
    /// Writes the events that no archive up to number `after` holds, from `from` on and before `to`, oldest first, and tells
    /// how many they were.
    ///
    /// # Errors
    /// When the database fails, or `write` does.
    pub async fn export_audit(
        &self,
        format: ExportFormat,
        after: i64,
        from: Option<Timestamp>,
        to: Option<Timestamp>,
        mut write: impl FnMut(&[u8]) -> io::Result<()> + Send,
    ) -> Result<u64, StoreError> {
        let wanted = format!(
            "{} AND {} AND {}",
            not_archived(after),
            limit("at >=", from),
            limit("at <", to)
        );
        let write = |piece: Vec<u8>| ready(write(&piece)).boxed();
        self.export(format, wanted, write).await
    }

    /// Writes what a filter lets through of the events that no archive up to number `after` holds, oldest first, no faster
    /// than it is taken, and tells how many they were.
    ///
    /// # Errors
    /// When the database fails, or `write` does.
    pub async fn export_filtered(
        &self,
        format: ExportFormat,
        after: i64,
        filter: &Filter,
        write: impl FnMut(Vec<u8>) -> BoxFuture<'static, io::Result<()>> + Send,
    ) -> Result<u64, StoreError> {
        let wanted = self
            .within("reading the audit trail", self.condition(filter))
            .await?;
        let wanted = format!("{} AND {wanted}", not_archived(after));
        self.export(format, wanted, write).await
    }

    pub(super) async fn export(
        &self,
        format: ExportFormat,
        wanted: String,
        mut write: impl FnMut(Vec<u8>) -> BoxFuture<'static, io::Result<()>> + Send,
    ) -> Result<u64, StoreError> {
        let exporting = async {
            let mut connection = self.patient().await?;
            let mut tx = connection.begin().await?;
            tx.execute("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ, READ ONLY")
                .await?;
            let copy = format!(
                "COPY (SELECT {COLUMNS} FROM audit_events WHERE {wanted} ORDER BY sequence) TO STDOUT (FORMAT binary)"
            );
            let mut copied = Copied::default();
            let mut text = Vec::with_capacity(2 * PIECE);
            let mut count = 0_u64;
            text.extend_from_slice(format.header().as_bytes());
            let mut pieces = tx.copy_out_raw(&copy).await?;
            while let Some(piece) = pieces.try_next().await? {
                copied.feed(&piece, |record, hash| {
                    count += 1;
                    line(format, record, &hash, &mut text)
                        .map_err(|error| sqlx::Error::Decode(Box::new(error)))
                })?;
                if text.len() >= PIECE {
                    write(std::mem::replace(&mut text, Vec::with_capacity(2 * PIECE))).await?;
                }
            }
            drop(pieces);
            write(text).await?;
            tx.rollback().await?;
            connection.close().await?;
            Ok(count)
        };
        Box::pin(exporting)
            .await
            .map_err(|source: sqlx::Error| failed("exporting the audit trail", source))
    }

    /// What a filter lets through, as a condition.
    async fn condition(&self, filter: &Filter) -> sqlx::Result<String> {
        let Some(range) = self.range(filter, Place::Newest, 1).await? else {
            return Ok("false".to_owned());
        };
        // Without a beginning what has no business below the first one is in it, too, for whoever checks the file.
        let low = if range.low > 1 { range.low } else { i64::MIN };
        let mut all = vec![format!("sequence BETWEEN {low} AND {}", range.high)];
        let mut add = |column: &str, value: Option<String>| {
            all.extend(value.map(|value| format!("{column} = {}", literal(&value))));
        };
        add("actor_key", filter.person.clone());
        add(
            "gateway_id",
            filter.gateway.as_ref().map(ToString::to_string),
        );
        add(
            "outcome",
            filter.outcome.map(|outcome| outcome.as_str().to_owned()),
        );
        add("operation_id", filter.operation.map(|id| id.to_string()));
        let list = |acts: &[&str]| {
            acts.iter()
                .map(|act| literal(act))
                .collect::<Vec<_>>()
                .join(", ")
        };
        all.extend(filter.what.as_ref().map(|what| match what {
            What::Act(act) => format!("action = {}", literal(act)),
            What::Group(group) => match group.acts() {
                Acts::Only(acts) => format!("action IN ({})", list(acts)),
                Acts::AllBut(acts) => format!("action NOT IN ({})", list(acts)),
            },
        }));
        if let Some(text) = &filter.text {
            let words = self.words_of(text).await?;
            let query = super::words::query_of(filter, &words, range.low, range.high);
            all.push(query.map_or("false".to_owned(), |query| {
                format!(
                    "sequence IN (WITH hits AS MATERIALIZED (SELECT sequence FROM audit_events WHERE {} @@ {}::tsquery)
                                  SELECT sequence FROM hits)",
                    super::words::FUNCTION,
                    literal(&query)
                )
            }));
        }
        Ok(all.join(" AND "))
    }
}

fn line(
    format: ExportFormat,
    record: &Record<'_>,
    hash: &Hash,
    text: &mut Vec<u8>,
) -> Result<(), NotCanonical> {
    match format {
        ExportFormat::JsonLines => {
            record.export(hash, text)?;
            text.push(b'\n');
            Ok(())
        }
        ExportFormat::Csv => record.csv(Some(hash), text),
        ExportFormat::MaskedCsv => masked(record, text),
    }
}

fn masked(record: &Record<'_>, text: &mut Vec<u8>) -> Result<(), NotCanonical> {
    let without = |of: Option<&str>| of.map(without_numbers);
    let (target, reason) = (without(record.target), without(record.reason));
    let (note, changes) = (without(record.note), without(record.changes));
    let mut actor: serde_json::Value = serde_json::from_str(record.actor).unwrap_or_default();
    if let Some(address) = actor.get_mut("address")
        && let Some(given) = address.as_str()
    {
        *address = words::masked_address(given).into();
    }
    let actor = actor.to_string();
    Record {
        actor: &actor,
        target: target.as_deref(),
        reason: reason.as_deref(),
        note: note.as_deref(),
        changes: changes.as_deref(),
        ..*record
    }
    .csv(None, text)
}

/// What is dropped of an archive goes from its beginning on, and may be under way.
fn not_archived(after: i64) -> String {
    format!("NOT sequence BETWEEN 1 AND {after}")
}

/// `COPY` takes no parameters; a number is none that could be anything else.
fn limit(what: &str, at: Option<Timestamp>) -> String {
    at.map_or("true".to_owned(), |at| {
        format!("{what} to_timestamp({} / 1000.0)", at.as_millis())
    })
}

/// A text as SQL has it; Postgres takes a backslash for what it is.
fn literal(text: &str) -> String {
    format!("'{}'", text.replace('\'', "''"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_text_cannot_leave_its_quotes() {
        assert_eq!(literal("it's \\ all"), "'it''s \\ all'");
    }
}
