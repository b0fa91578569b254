//! Old events leave the database: by a file that is signed, read back and checked before any of them goes.

use std::fs::{self, DirBuilder, File, OpenOptions};
use std::io::{self, BufRead as _, BufReader, Write as _};
use std::os::unix::fs::{DirBuilderExt as _, OpenOptionsExt as _};
use std::path::{Path, PathBuf};
use std::sync::{Mutex, PoisonError};

use adapter_store::CheckWhen;
use anyhow::{Context as _, bail, ensure};
use domain::audit::{
    Archive, AuditOutcome, Checkpoint, Hash, Head, NewAuditEvent, Stretch, act, archivable_before,
};
use domain::person::Actor;
use domain::time::Timestamp;
use domain::words;
use futures::FutureExt as _;
use serde::Serialize;
use tokio::sync::mpsc;

use super::Custodian;
use crate::config::Config;

/// Pieces of a file that wait for the disk.
const WAITING: usize = 4;

/// Where archives lie, and when events go there.
pub(super) struct Folder {
    path: PathBuf,
    keep_days: Option<u16>,
    /// Why the last try failed.
    failed: Mutex<Option<String>>,
}

/// The last line of an archive or an export: what a check needs to know of its two ends.
#[derive(Serialize)]
pub(crate) struct LastLine {
    pub(crate) checkpoint: Checkpoint,
    /// What the first event follows, when what came before is archived.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) after: Option<Head>,
    /// Only events from this moment on.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) from: Option<String>,
    /// Only events before this moment.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) to: Option<String>,
    /// Only what this lets through: no chain, but lines that can each be checked.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) filter: Option<String>,
}

impl Folder {
    pub(super) fn new(config: &Config) -> Self {
        Self {
            path: config.audit.archive_dir.clone(),
            keep_days: config.audit.keep_days,
            failed: Mutex::default(),
        }
    }

    /// Why old events could not be archived, as a sentence; `None` when they could.
    pub(super) fn failure(&self) -> Option<String> {
        let failed = self.failed.lock().unwrap_or_else(PoisonError::into_inner);
        let why = failed.as_ref()?;
        Some(format!(
            "Old events could not be archived: {why}. They stay."
        ))
    }

    fn note(&self, failed: Option<String>) {
        *self.failed.lock().unwrap_or_else(PoisonError::into_inner) = failed;
    }
}

impl Custodian {
    /// What the policy lets go, if there is one, and what is left of the last time.
    pub(super) async fn archive_if_due(&self) -> anyhow::Result<()> {
        let archived = self.let_go().await;
        let failed = archived.as_ref().err().map(|error| format!("{error:#}"));
        self.folder.note(failed);
        archived
    }

    async fn let_go(&self) -> anyhow::Result<()> {
        self.go_on_dropping().await?;
        if let Some(days) = self.folder.keep_days {
            let before = archivable_before(self.clock.now(), days);
            self.archive(before, Actor::Panel).await?;
        }
        Ok(())
    }

    /// Drops what is left of the last archive, when its file is here and holds it. An archive that is not believed lets
    /// nothing go, neither what it says that it holds nor anything else.
    async fn go_on_dropping(&self) -> anyhow::Result<()> {
        let archives = self.archives().await?;
        if let Some((archive, why)) = archives.doubted.first() {
            bail!(
                "the archive {} is not believed: {}",
                archive.file,
                why.words()
            );
        }
        let Some(archive) = archives.last else {
            return Ok(());
        };
        let Some(mut lock) = self.store.begin_drop(&archive).await? else {
            return Ok(());
        };
        let path = self.folder.path.join(&archive.file);
        let file = path.clone();
        let (last, events) = (archive.head(), archive.events);
        let read = tokio::task::spawn_blocking(move || check(&file, None, last, events)).await?;
        read.with_context(|| {
            format!("{} does not hold what it is the archive of", path.display())
        })?;
        self.store.drop_archived(&mut lock, &archive).await?;
        Ok(())
    }

    /// Writes the events from before `before` into a file, signs it, reads it back, and drops them; `None` when there are
    /// none, or another panel is at it. When anything of it fails, they stay.
    pub(crate) async fn archive(
        &self,
        before: Timestamp,
        actor: Actor,
    ) -> anyhow::Result<Option<Archive>> {
        let signed = |end: &Checkpoint| self.signed(end);
        let Some(mut archiving) = self.store.begin_archive(before, &signed).await? else {
            return Ok(None);
        };
        let stretch = archiving.stretch;
        let began = self.clock.now();
        ensure!(
            stretch.followed_at < began,
            "event {} was written after this moment, as the clocks say",
            stretch.last.sequence.saturating_add(1)
        );
        let check = self.check(CheckWhen::Now, &[]).await?;
        let check = check.context("the chain was not checked")?;
        if !check.is_whole() {
            bail!("a broken chain is not archived ({})", check.sentence());
        }
        let name = format!(
            "audit-{:012}-{:012}.jsonl",
            stretch.first, stretch.last.sequence
        );
        let checkpoint = self.key.sign(stretch.last, began);
        let path = self.folder.path.join(&name);
        let written = self.write(&path, stretch, checkpoint.clone()).await;
        let events = written.with_context(|| format!("{} cannot be written", path.display()))?;
        let archive = Archive {
            first: stretch.first,
            events,
            before,
            file: name.clone(),
            checkpoint: checkpoint.clone(),
        };
        let event = NewAuditEvent {
            target: Some(name),
            note: Some(format!(
                "{}, {} to {}, from before {}. They leave the database.",
                words::count(events, "event", "events"),
                archive.first,
                checkpoint.sequence,
                before.utc_date(),
            )),
            duration_ms: u64::try_from(self.clock.now().since(began).as_millis()).ok(),
            ..NewAuditEvent::new(actor, act::ARCHIVE_AUDIT, AuditOutcome::Succeeded)
        };
        self.keep(checkpoint).await?;
        self.store
            .note_archive(&mut archiving, &archive, event)
            .await?;
        self.store
            .drop_archived(&mut archiving.lock, &archive)
            .await?;
        tracing::info!(
            audit.events = events,
            audit.file = %path.display(),
            "Archived audit events {} to {} and dropped them",
            archive.first,
            archive.head().sequence
        );
        Ok(Some(archive))
    }

    /// On the disk, read back and checked when it returns; how many events it has.
    async fn write(
        &self,
        path: &Path,
        stretch: Stretch,
        checkpoint: Checkpoint,
    ) -> anyhow::Result<u64> {
        let part = path.with_extension("part");
        let (send, mut pieces) = mpsc::channel::<Vec<u8>>(WAITING);
        let begun = part.clone();
        let writing = tokio::task::spawn_blocking(move || {
            let mut file = begin(&begun)?;
            while let Some(piece) = pieces.blocking_recv() {
                file.write_all(&piece)?;
            }
            io::Result::Ok(file)
        });
        let write = move |piece| {
            let send = send.clone();
            async move {
                let sent = send.send(piece).await;
                sent.map_err(|_| io::Error::other("the file took no more"))
            }
            .boxed()
        };
        let exported = self.store.export_stretch(&stretch, write).await;
        // What the disk says comes first: it is why the other ended.
        let mut file = writing.await??;
        let events = exported?;
        let last = LastLine {
            checkpoint,
            after: (stretch.after.sequence > 0).then_some(stretch.after),
            from: None,
            to: None,
            filter: None,
        };
        let path = path.to_owned();
        tokio::task::spawn_blocking(move || {
            serde_json::to_writer(&mut file, &last)?;
            file.write_all(b"\n")?;
            file.sync_all()?;
            check(&part, Some(stretch.after.hash), stretch.last, events)?;
            fs::rename(&part, &path)?;
            if let Some(folder) = path.parent() {
                File::open(folder)?.sync_all()?;
            }
            Ok(events)
        })
        .await?
    }
}

/// A file that only the panel reads, in a folder likewise. What a crash left of an earlier one goes.
fn begin(part: &Path) -> io::Result<File> {
    if let Some(folder) = part.parent() {
        DirBuilder::new()
            .recursive(true)
            .mode(0o700)
            .create(folder)?;
    }
    OpenOptions::new()
        .write(true)
        .create(true)
        .truncate(true)
        .mode(0o600)
        .open(part)
}

/// Whether what lies on the disk ends with `last` and goes to it event by event: as a third party would check it. `after`
/// is what the first one follows, where that is known.
fn check(path: &Path, after: Option<Hash>, last: Head, events: u64) -> anyhow::Result<()> {
    let (mut before, mut end, mut count) = (after, None, 0);
    for line in BufReader::new(File::open(path)?).lines() {
        let mut line: serde_json::Value = serde_json::from_str(&line?)?;
        let event = line.as_object_mut().context("a line is no object")?;
        if event.contains_key("checkpoint") {
            break;
        }
        let hash = |value: Option<&serde_json::Value>| value?.as_str().and_then(Hash::parse);
        let stored = hash(event.remove("hash").as_ref()).context("an event has no hash")?;
        let follows = before.is_none_or(|before| hash(event.get("previous")) == Some(before));
        let sequence = event.get("sequence").and_then(serde_json::Value::as_i64);
        let sequence = sequence.context("an event has no number")?;
        // Members are sorted by name, as in the canonical text.
        let is_itself = Hash::of(&serde_json::to_vec(&line)?) == stored;
        ensure!(
            follows && is_itself,
            "event {sequence} came back otherwise than it was written"
        );
        end = Some(Head {
            sequence,
            hash: stored,
        });
        before = Some(stored);
        count += 1;
    }
    ensure!(
        end == Some(last) && count == events,
        "{count} events came back of {events}"
    );
    Ok(())
}
