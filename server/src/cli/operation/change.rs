//! `panel operation cancel` and `abandon`: what an operation's page offers, with the same permits and audit.

use std::process::ExitCode;

use anyhow::bail;
use clap::Args;
use domain::action::Action;
use domain::can::{self, Permit};
use domain::operation::{OperationId, OperationView};
use domain::ports::Operations as _;
use uuid::Uuid;

use super::super::out;
use super::{command_line, with_engine};
use crate::config::Config;
use crate::wire::Outside;

#[derive(Args)]
pub(crate) struct Cancel {
    /// Which operation, as `panel operation list` prints it.
    id: Uuid,
}

#[derive(Args)]
pub(crate) struct Abandon {
    /// Which operation, as `panel operation list` prints it.
    id: Uuid,
    /// What you found and did; stands in the audit trail.
    #[arg(long, value_name = "TEXT")]
    comment: String,
}

impl Cancel {
    /// Asks the panel that runs it, whichever that is.
    pub(super) async fn run(self, config: &Config) -> anyhow::Result<ExitCode> {
        with_engine(config, async |_, outside| {
            let id = OperationId(self.id);
            let (view, permit) = find(outside, id, Action::CancelOperation).await?;
            if let Err(why) = view.can_cancel() {
                bail!("it cannot be stopped: {why}");
            }
            if !outside.engine.cancel(permit, id).await? {
                bail!("it cannot be stopped: It has ended.");
            }
            let title = view.operation.command.title();
            out::line(&format!(
                "{title} was asked to stop and put back; `panel operation show {id}` says how far it is."
            ));
            Ok(ExitCode::SUCCESS)
        })
        .await
    }
}

impl Abandon {
    /// Frees the gateway of a stuck operation.
    pub(super) async fn run(self, config: &Config) -> anyhow::Result<ExitCode> {
        let comment = self.comment.trim().to_owned();
        if comment.is_empty() {
            bail!("say with --comment what you found and did");
        }
        with_engine(config, async |_, outside| {
            let id = OperationId(self.id);
            let (view, permit) = find(outside, id, Action::AbandonOperation).await?;
            if !outside.engine.abandon(permit, id, comment).await? {
                bail!("it is not stuck, so it holds no gateway");
            }
            let gateway = view.operation.command.gateway();
            out::line(&format!("Gateway {gateway} is free again."));
            Ok(ExitCode::SUCCESS)
        })
        .await
    }
}

/// The operation, and the permit for what is to be done with it.
async fn find(
    outside: &Outside,
    id: OperationId,
    action: Action,
) -> anyhow::Result<(OperationView, Permit)> {
    let Some(view) = outside.engine.view(id).await? else {
        bail!("there is no operation {id}");
    };
    let gateway = view.operation.command.gateway();
    match can::permit(&command_line(), action, Some(gateway)) {
        Ok(permit) => Ok((view, permit)),
        Err(denied) => bail!("{}", denied.why),
    }
}
