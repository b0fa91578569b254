//! An event as a row of a table, for people with a spreadsheet. What is to be checked is exported as JSON Lines.

use super::canonical::{Record, integer, moment};
use super::chain::Hash;
use super::json::{self, NotCanonical};

macro_rules! columns {
    ($more:literal) => {
        concat!(
            "sequence,at,actor_key,actor,action,gateway,target,operation,reason,outcome,note,changes,duration_ms,id",
            $more,
            "\r\n"
        )
    };
}

/// The names of the columns.
pub const CSV_HEADER: &str = columns!(",previous,hash");
/// The names of the columns without hashes.
pub const CSV_HEADER_WITHOUT_HASHES: &str = columns!("");

impl Record<'_> {
    /// Appends the event as a row as RFC 4180 has it. A text that a spreadsheet would take for a formula gets a `'` before
    /// it. Without `hash` the one before is left out, too: where something is masked, a hash of the whole would tell
    /// whoever tries all that it could be.
    ///
    /// # Errors
    /// When what is stored as JSON has no canonical form.
    pub fn csv(&self, hash: Option<&Hash>, out: &mut Vec<u8>) -> Result<(), NotCanonical> {
        integer(self.sequence, out);
        let mut at = Vec::new();
        moment(self.at, &mut at);
        out.push(b',');
        out.extend(at.iter().filter(|byte| **byte != b'"'));
        let mut actor = Vec::new();
        json::json(self.actor, &mut actor)?;
        let mut changes = Vec::new();
        if let Some(of) = self.changes {
            json::json(of, &mut changes)?;
        }
        let operation = self.operation.map(|id| id.to_string());
        let duration = self.duration_ms.map(|ms| ms.to_string());
        for field in [
            self.actor_key.as_bytes(),
            &actor,
            self.action.as_bytes(),
            self.gateway.unwrap_or_default().as_bytes(),
            self.target.unwrap_or_default().as_bytes(),
            operation.as_deref().unwrap_or_default().as_bytes(),
            self.reason.unwrap_or_default().as_bytes(),
            self.outcome.as_bytes(),
            self.note.unwrap_or_default().as_bytes(),
            &changes,
            duration.as_deref().unwrap_or_default().as_bytes(),
            self.id.to_string().as_bytes(),
        ] {
            out.push(b',');
            text(field, out);
        }
        if let Some(hash) = hash {
            for hash in [self.previous, *hash] {
                out.push(b',');
                text(hash.to_string().as_bytes(), out);
            }
        }
        out.extend_from_slice(b"\r\n");
        Ok(())
    }
}

fn text(field: &[u8], out: &mut Vec<u8>) {
    let formula = matches!(
        field.first(),
        Some(b'=' | b'+' | b'-' | b'@' | b'\t' | b'\r')
    );
    let quoted = field
        .iter()
        .any(|byte| matches!(byte, b'"' | b',' | b'\n' | b'\r'));
    if quoted {
        out.push(b'"');
    }
    if formula {
        out.push(b'\'');
    }
    for byte in field {
        if *byte == b'"' {
            out.push(b'"');
        }
        out.push(*byte);
    }
    if quoted {
        out.push(b'"');
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_row_keeps_commas_quotes_and_lines_apart_and_runs_nothing() {
        for (field, wanted) in [
            ("plain", "plain"),
            ("", ""),
            ("a,b", "\"a,b\""),
            ("say \"no\"", "\"say \"\"no\"\"\""),
            ("two\nlines", "\"two\nlines\""),
            ("=1+1", "'=1+1"),
            ("-1", "'-1"),
            ("@x,y", "\"'@x,y\""),
        ] {
            let mut out = Vec::new();
            text(field.as_bytes(), &mut out);
            assert_eq!(String::from_utf8(out).unwrap(), wanted);
        }
    }
}
