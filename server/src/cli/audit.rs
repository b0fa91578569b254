//! `panel audit …`: the audit trail, for a shell.

use std::process::ExitCode;

use clap::Subcommand;
use domain::ports::AuditTrail as _;

use super::out;
use crate::config::Config;
use crate::wire::Base;

#[derive(Subcommand)]
pub(super) enum Audit {
    /// The latest events, newest first.
    List {
        /// As JSON, one object a line.
        #[arg(long)]
        json: bool,
        /// How many.
        #[arg(long, default_value_t = 50)]
        limit: u32,
        /// Only events before this number.
        #[arg(long, value_name = "SEQUENCE")]
        before: Option<i64>,
    },
}

impl Audit {
    pub(super) async fn run(self, config: &Config) -> anyhow::Result<ExitCode> {
        let Self::List {
            json,
            limit,
            before,
        } = self;
        let base = Base::open(config).await?;
        let listed = base.store.list(before, limit.clamp(1, 10_000)).await;
        base.close().await;
        for event in listed? {
            if json {
                out::line(&serde_json::to_string(&event)?);
            } else {
                let what = &event.event;
                let on = what.gateway.as_ref().map_or("", |gateway| gateway.as_str());
                let reason = what
                    .reason
                    .as_deref()
                    .map(|reason| format!(" — {reason}"))
                    .unwrap_or_default();
                out::line(&format!(
                    "{:>8}  {}  {:<12} {:<16} {:<10} {on}{reason}",
                    event.sequence,
                    event.at,
                    what.actor.name(),
                    what.action,
                    what.outcome.as_str()
                ));
            }
        }
        Ok(ExitCode::SUCCESS)
    }
}
