//! The trail as a file: streamed, in one snapshot, with no more in memory than a piece of it.

use std::io;

use domain::audit::CSV_HEADER;
use domain::ports::StoreError;
use domain::time::Timestamp;
use futures::TryStreamExt as _;
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
}

impl Store {
    /// Writes the events from `from` on and before `to`, oldest first, and tells how many they were.
    ///
    /// # Errors
    /// When the database fails, or `write` does.
    pub async fn export_audit(
        &self,
        format: ExportFormat,
        from: Option<Timestamp>,
        to: Option<Timestamp>,
        mut write: impl FnMut(&[u8]) -> io::Result<()> + Send,
    ) -> Result<u64, StoreError> {
        let exporting = async {
            let mut connection = self.patient().await?;
            let mut tx = connection.begin().await?;
            tx.execute("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ, READ ONLY")
                .await?;
            let copy = format!(
                "COPY (SELECT {COLUMNS} FROM audit_events WHERE {} AND {} ORDER BY sequence) TO STDOUT (FORMAT binary)",
                limit("at >=", from),
                limit("at <", to),
            );
            let mut copied = Copied::default();
            let mut text = Vec::with_capacity(2 * PIECE);
            let mut count = 0_u64;
            if format == ExportFormat::Csv {
                text.extend_from_slice(CSV_HEADER.as_bytes());
            }
            let mut pieces = tx.copy_out_raw(&copy).await?;
            while let Some(piece) = pieces.try_next().await? {
                copied.feed(&piece, |record, hash| {
                    let written = match format {
                        ExportFormat::JsonLines => record.export(&hash, &mut text),
                        ExportFormat::Csv => record.csv(&hash, &mut text),
                    };
                    if format == ExportFormat::JsonLines {
                        text.push(b'\n');
                    }
                    count += 1;
                    written.map_err(|error| sqlx::Error::Decode(Box::new(error)))
                })?;
                if text.len() >= PIECE {
                    write(&text)?;
                    text.clear();
                }
            }
            drop(pieces);
            write(&text)?;
            tx.rollback().await?;
            connection.close().await?;
            Ok(count)
        };
        Box::pin(exporting)
            .await
            .map_err(|source: sqlx::Error| failed("exporting the audit trail", source))
    }
}

/// `COPY` takes no parameters; a number is none that could be anything else.
fn limit(what: &str, at: Option<Timestamp>) -> String {
    at.map_or("true".to_owned(), |at| {
        format!("{what} to_timestamp({} / 1000.0)", at.as_millis())
    })
}
