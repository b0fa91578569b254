//! `panel audit export`: the trail as a file that a third party can check.

use std::io::Write as _;
use std::process::ExitCode;

use adapter_store::ExportFormat;
use clap::{Args, ValueEnum};
use domain::audit::{AuditOutcome, NewAuditEvent, act};
use domain::ports::{AuditChain, AuditTrail as _};
use domain::time::Timestamp;
use domain::words;
use tokio_util::task::TaskTracker;

use crate::audit::{Custodian, LastLine};
use crate::cli::operation::command_line;
use crate::cli::out;
use crate::config::Config;
use crate::wire::Base;

#[derive(Args)]
pub(crate) struct Export {
    /// Only events from this day or moment on: 2026-11-22, or 2026-11-22T02:14:05Z.
    #[arg(long, value_parser = moment)]
    from: Option<Timestamp>,
    /// Only events before this day or moment.
    #[arg(long, value_parser = moment)]
    to: Option<Timestamp>,
    /// JSON Lines, to be checked, with the checkpoint as the last line; or a table for people, with the checkpoint on
    /// standard error.
    #[arg(long, value_enum, default_value_t = Format::Jsonl)]
    format: Format,
}

#[derive(Clone, Copy, ValueEnum)]
enum Format {
    Jsonl,
    Csv,
}

pub(super) fn moment(text: &str) -> Result<Timestamp, String> {
    Timestamp::parse_date(text)
        .or_else(|| Timestamp::parse_rfc3339(text))
        .ok_or_else(|| "give a day, 2026-11-22, or a moment, 2026-11-22T02:14:05Z".to_owned())
}

impl Export {
    pub(super) async fn run(self, config: &Config) -> anyhow::Result<ExitCode> {
        let base = Base::open(config).await?;
        let done = self.export(config, &base).await;
        base.close().await;
        done.map(|()| ExitCode::SUCCESS)
    }

    async fn export(&self, config: &Config, base: &Base) -> anyhow::Result<()> {
        let custodian = Custodian::open(config, base, &TaskTracker::new())?;
        // No event, no export; it is the last one that the checkpoint knows.
        self.note(base, AuditOutcome::Requested, None).await?;
        let checkpoint = AuditChain::checkpoint(&custodian).await?;
        let format = match self.format {
            Format::Jsonl => ExportFormat::JsonLines,
            Format::Csv => ExportFormat::Csv,
        };
        let after = custodian.archived().await?;
        let after = after.map(|archive| archive.head());
        let write = |piece: &[u8]| std::io::stdout().write_all(piece);
        let exported = base
            .store
            .export_audit(
                format,
                after.map_or(0, |after| after.sequence),
                self.from,
                self.to,
                write,
            )
            .await;
        let (outcome, note) = match &exported {
            Ok(count) => {
                let count = words::count(*count, "event", "events");
                (AuditOutcome::Succeeded, format!("{count}."))
            }
            Err(_) => (AuditOutcome::Failed, "Not to the end.".to_owned()),
        };
        self.note(base, outcome, Some(note)).await?;
        exported?;
        let last = LastLine {
            checkpoint,
            after,
            from: self.from.map(Timestamp::rfc3339),
            to: self.to.map(Timestamp::rfc3339),
            filter: None,
        };
        let last = serde_json::to_string(&last)?;
        match self.format {
            Format::Jsonl => out::line(&last),
            Format::Csv => out::aside(&last),
        }
        Ok(())
    }

    async fn note(
        &self,
        base: &Base,
        outcome: AuditOutcome,
        note: Option<String>,
    ) -> anyhow::Result<()> {
        let limits = [("from", self.from), ("to", self.to)];
        let limits = limits
            .iter()
            .filter_map(|(word, at)| Some(format!("{word} {}", (*at)?)));
        let limits: Vec<String> = limits.collect();
        let event = NewAuditEvent {
            target: (!limits.is_empty()).then(|| limits.join(" ")),
            note,
            ..NewAuditEvent::new(command_line(), act::EXPORT_AUDIT, outcome)
        };
        base.store.record(event).await?;
        Ok(())
    }
}
