//! `panel audit archive`: old events into a signed file, out of the database.

use std::process::ExitCode;

use anyhow::bail;
use clap::Args;
use domain::audit::{SHORTEST_KEEP_DAYS, archivable_before};
use domain::time::Timestamp;
use domain::words;
use tokio_util::task::TaskTracker;

use super::export::moment;
use crate::audit::Custodian;
use crate::cli::operation::command_line;
use crate::cli::out;
use crate::config::Config;
use crate::wire::Base;

#[derive(Args)]
pub(crate) struct Archive {
    /// Events from before this day: 2025-10-01. Without it what `audit.keep_days` lets go, whole months of it.
    #[arg(long, value_parser = moment, value_name = "DAY")]
    before: Option<Timestamp>,
}

impl Archive {
    pub(super) async fn run(self, config: &Config) -> anyhow::Result<ExitCode> {
        let base = Base::open(config).await?;
        let done = self.archive(config, &base).await;
        base.close().await;
        out::line(&done?);
        Ok(ExitCode::SUCCESS)
    }

    async fn archive(&self, config: &Config, base: &Base) -> anyhow::Result<String> {
        let now = base.clock.now();
        let newest = archivable_before(now, SHORTEST_KEEP_DAYS);
        let before = match (self.before, config.audit.keep_days) {
            (Some(before), _) if before > newest => bail!(
                "Events stay for {SHORTEST_KEEP_DAYS} days at least, and go by whole months: give {} or an earlier day.",
                newest.utc_date()
            ),
            (Some(before), _) => before,
            (None, Some(days)) => archivable_before(now, days),
            (None, None) => bail!(
                "All events are kept: give a day, --before {}, or set audit.keep_days.",
                newest.utc_date()
            ),
        };
        let custodian = Custodian::open(config, base, &TaskTracker::new())?;
        let Some(archive) = custodian.archive(before, command_line()).await? else {
            return Ok(format!(
                "There are no events from before {} to archive.",
                before.utc_date()
            ));
        };
        Ok(format!(
            "{} archived in {}.",
            words::count(archive.events, "event", "events"),
            config.audit.archive_dir.join(&archive.file).display()
        ))
    }
}
