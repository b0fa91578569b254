//! `panel audit verify`: whether the chain is whole, and if not, what is wrong with it.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use anyhow::{Context as _, ensure};
use clap::Args;
use domain::audit::{Check, Checkpoint};
use domain::words;
use serde::Serialize;
use tokio_util::task::TaskTracker;

use crate::audit::Custodian;
use crate::cli::operation::command_line;
use crate::cli::out;
use crate::config::Config;
use crate::wire::Base;

#[derive(Args)]
pub(crate) struct Verify {
    /// As one JSON object.
    #[arg(long)]
    json: bool,
    /// Checkpoints that were sent away before, one a line, as they came by mail or by POST: they are held against the trail,
    /// too.
    #[arg(long, value_name = "FILE")]
    checkpoints: Option<PathBuf>,
}

/// What `--json` prints.
#[derive(Serialize)]
struct Verdict<'a> {
    whole: bool,
    sentence: String,
    /// Whether the database would let the panel's own role change the trail.
    unguarded: bool,
    #[serde(flatten)]
    check: &'a Check,
}

impl Verify {
    pub(super) async fn run(self, config: &Config) -> anyhow::Result<ExitCode> {
        let brought = match &self.checkpoints {
            Some(path) => brought(path)?,
            None => Vec::new(),
        };
        let base = Base::open(config).await?;
        let checked = check(config, &base, &brought).await;
        base.close().await;
        let (check, unguarded) = checked?;
        if self.json {
            let verdict = Verdict {
                whole: check.is_whole(),
                sentence: check.sentence(),
                unguarded,
                check: &check,
            };
            out::line(&serde_json::to_string(&verdict)?);
        } else {
            for line in lines(&check, unguarded) {
                out::line(&line);
            }
        }
        Ok(if check.is_whole() {
            ExitCode::SUCCESS
        } else {
            ExitCode::FAILURE
        })
    }
}

/// A file with none would look as if the trail had been held against some.
fn brought(path: &Path) -> anyhow::Result<Vec<Checkpoint>> {
    let name = path.display();
    let text = fs::read_to_string(path).with_context(|| format!("{name} cannot be read"))?;
    let lines = text.lines().zip(1..);
    let lines = lines.filter(|(line, _)| !line.trim().is_empty());
    let checkpoints = lines.map(|(line, number)| {
        serde_json::from_str(line)
            .with_context(|| format!("line {number} of {name} is no checkpoint"))
    });
    let checkpoints = checkpoints.collect::<anyhow::Result<Vec<_>>>()?;
    ensure!(!checkpoints.is_empty(), "{name} has no checkpoint");
    Ok(checkpoints)
}

async fn check(
    config: &Config,
    base: &Base,
    brought: &[Checkpoint],
) -> anyhow::Result<(Check, bool)> {
    let custodian = Custodian::open(config, base, &TaskTracker::new())?;
    let check = custodian.check_for(command_line(), brought).await?;
    Ok((check, custodian.is_unguarded().await?))
}

fn lines(check: &Check, unguarded: bool) -> Vec<String> {
    let mut lines = Vec::new();
    if check.is_whole() {
        lines.push(check.sentence());
    } else {
        lines.push("The chain is broken.".to_owned());
        lines.extend(check.flaws.iter().map(domain::audit::Flaw::sentence));
        if check.more > 0 {
            lines.push(format!(
                "And {} more.",
                words::count(check.more, "flaw", "flaws")
            ));
        }
    }
    lines.push(format!(
        "Last event: {}. Held against {}.",
        check.last,
        words::count(check.checkpoints, "checkpoint", "checkpoints")
    ));
    if unguarded {
        lines.push(UNGUARDED.to_owned());
    }
    lines
}

const UNGUARDED: &str = "The panel's own role could change the trail: it owns the tables. Name their owner in \
                         migration_url_file, and give the panel another role.";

#[cfg(test)]
mod tests {
    use domain::audit::Flaw;
    use domain::time::Timestamp;

    use super::*;

    #[test]
    fn what_is_wrong_is_said_with_its_number() {
        let mut check = Check {
            at: Timestamp::from_millis(0),
            took_ms: 4,
            after: 0,
            events: 12_345,
            last: 12_345,
            checkpoints: 1,
            flaws: Vec::new(),
            more: 0,
        };
        assert_eq!(
            lines(&check, false),
            [
                "The chain of 12,345 events is whole.",
                "Last event: 12345. Held against 1 checkpoint."
            ]
        );
        check.flaws.push(Flaw::Altered { sequence: 77 });
        check.more = 3;
        let said = lines(&check, true).join("\n");
        for part in [
            "The chain is broken.",
            "Event 77 was altered",
            "And 3 flaws more.",
            "migration_url_file",
        ] {
            assert!(said.contains(part), "{part}: {said}");
        }
    }
}
