//! Checkpoints in a file of the data folder: they outlive whatever is done to the database.

use std::fs::{self, OpenOptions};
use std::io::{self, Read as _, Seek as _, SeekFrom, Write as _};
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::{Path, PathBuf};

use domain::audit::{Checkpoint, Flaw};

/// The file within the data folder, one checkpoint a line.
const NAME: &str = "audit-checkpoints.jsonl";

/// The file.
pub(super) struct CheckpointFile(PathBuf);

impl CheckpointFile {
    pub(super) fn within(folder: &Path) -> Self {
        Self(folder.join(NAME))
    }

    /// Blocking. On the disk when it returns.
    pub(super) fn append(&self, checkpoint: &Checkpoint) -> io::Result<()> {
        let mut file = OpenOptions::new()
            .create(true)
            .append(true)
            .read(true)
            .mode(0o600)
            .open(&self.0)?;
        let mut line = serde_json::to_vec(checkpoint)?;
        line.push(b'\n');
        // One that a crash cut short stays a line of its own.
        if file.metadata()?.len() > 0 {
            let mut last = [0];
            file.seek(SeekFrom::End(-1))?;
            file.read_exact(&mut last)?;
            if last != *b"\n" {
                line.insert(0, b'\n');
            }
        }
        file.write_all(&line)?;
        file.sync_all()
    }

    /// Blocking. What is in it, and lines that are no checkpoints.
    pub(super) fn read(&self) -> io::Result<(Vec<Checkpoint>, Vec<Flaw>)> {
        let bytes = match fs::read(&self.0) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => Vec::new(),
            read => read?,
        };
        let (mut checkpoints, mut flaws) = (Vec::new(), Vec::new());
        let lines = bytes.split(|byte| *byte == b'\n').zip(1..);
        for (text, line) in lines.filter(|(text, _)| !text.is_empty()) {
            match serde_json::from_slice(text) {
                Ok(checkpoint) => checkpoints.push(checkpoint),
                // Written by halves when the power went: the text ends in the middle.
                Err(error) if error.is_eof() => {}
                Err(_) => flaws.push(Flaw::Line { line }),
            }
        }
        Ok((checkpoints, flaws))
    }
}

#[cfg(test)]
mod tests {
    use domain::audit::{Hash, PublicKey, Signature};
    use domain::time::Timestamp;

    use super::*;

    fn checkpoint(sequence: i64) -> Checkpoint {
        Checkpoint {
            sequence,
            hash: Hash([1; 32]),
            at: Timestamp::from_millis(1_795_000_000_000),
            key: PublicKey([2; 32]),
            signature: Signature([3; 64]),
        }
    }

    #[test]
    fn checkpoints_are_kept_line_by_line_and_half_a_line_spoils_no_other() {
        let folder = tempfile::tempdir().unwrap();
        let file = CheckpointFile::within(folder.path());
        assert_eq!(file.read().unwrap(), (Vec::new(), Vec::new()));
        file.append(&checkpoint(1)).unwrap();
        let half = serde_json::to_vec(&checkpoint(2)).unwrap();
        let path = folder.path().join(NAME);
        let mut open = OpenOptions::new().append(true).open(&path).unwrap();
        open.write_all(&half[..40]).unwrap();
        file.append(&checkpoint(3)).unwrap();
        let (kept, flaws) = file.read().unwrap();
        assert_eq!((kept, flaws), (vec![checkpoint(1), checkpoint(3)], vec![]));
    }

    #[test]
    fn a_line_that_somebody_wrote_is_named() {
        let folder = tempfile::tempdir().unwrap();
        let file = CheckpointFile::within(folder.path());
        file.append(&checkpoint(1)).unwrap();
        fs::write(folder.path().join(NAME), "{\"sequence\":1}\nnothing\n").unwrap();
        let (kept, flaws) = file.read().unwrap();
        assert_eq!(kept, []);
        assert_eq!(flaws, [Flaw::Line { line: 1 }, Flaw::Line { line: 2 }]);
    }
}
