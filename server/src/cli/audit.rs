//! `panel audit …`: the audit trail, for a shell.

mod archive;
mod export;
mod verify;

use std::process::ExitCode;

use clap::Subcommand;
use domain::audit::AuditEvent;
use domain::person::Actor;
use domain::ports::AuditTrail as _;

use super::{out, paged};
use crate::config::Config;
use crate::wire::Base;

/// More than this is a job for the database itself.
const MOST: u32 = 10_000;

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
    /// Checks the whole chain; exit code 0 only when it is whole.
    Verify(verify::Verify),
    /// Writes old events into a signed file and drops them from the database.
    Archive(archive::Archive),
    /// Writes the trail to standard output, oldest event first.
    Export(export::Export),
}

impl Audit {
    pub(super) async fn run(self, config: &Config) -> anyhow::Result<ExitCode> {
        let (json, limit, before) = match self {
            Self::List {
                json,
                limit,
                before,
            } => (json, limit, before),
            Self::Archive(archive) => return archive.run(config).await,
            Self::Verify(verify) => return verify.run(config).await,
            Self::Export(export) => return export.run(config).await,
        };
        let base = Base::open(config).await?;
        let store = &base.store;
        let listed = paged::all(
            limit.clamp(1, MOST),
            before,
            async |before, limit| store.list(before, limit).await,
            |event| event.sequence,
        )
        .await;
        base.close().await;
        for event in listed? {
            out::line(&if json {
                serde_json::to_string(&event)?
            } else {
                row(&event)
            });
        }
        Ok(ExitCode::SUCCESS)
    }
}

/// Who, what, with which outcome, on what, from where, by which token, why and what else.
fn row(event: &AuditEvent) -> String {
    let what = &event.event;
    let mut row = format!(
        "{:>8}  {}  {:<12} {:<16} {:<10}",
        event.sequence,
        event.at,
        what.actor.name(),
        what.action,
        what.outcome.as_str()
    );
    let gateway = what.gateway.as_ref().map(ToString::to_string);
    for part in gateway.into_iter().chain(what.target.clone()) {
        row = row + " " + &part;
    }
    let (from, token) = match &what.actor {
        Actor::Person {
            address,
            browser,
            token,
            ..
        } => ([address.clone(), browser.clone()], token.as_deref()),
        Actor::Nobody { address } => ([address.clone(), None], None),
        Actor::CommandLine { .. } | Actor::Panel => ([None, None], None),
    };
    let from: Vec<String> = from.into_iter().flatten().collect();
    if !from.is_empty() {
        row = row + " from " + &from.join(", ");
    }
    if let Some(token) = token {
        row = row + " by the token “" + token + "”";
    }
    for said in what.reason.iter().chain(&what.note) {
        row = row + " — " + said;
    }
    row
}

#[cfg(test)]
mod tests {
    use domain::audit::{AuditOutcome, NewAuditEvent};
    use domain::person::Role;
    use domain::time::Timestamp;
    use uuid::Uuid;

    use super::*;

    #[test]
    fn a_row_says_on_what_from_where_why_and_what_else() {
        let mut event = AuditEvent {
            sequence: 7,
            id: Uuid::nil(),
            at: Timestamp::from_millis(0),
            event: NewAuditEvent {
                target: Some("ben".to_owned()),
                note: Some("From viewer to operator.".to_owned()),
                ..NewAuditEvent::new(
                    Actor::Person {
                        id: Uuid::nil(),
                        name: "anna".to_owned(),
                        role: Role::Admin,
                        address: Some("192.0.2.7".to_owned()),
                        browser: Some("Firefox on Linux".to_owned()),
                        session: None,
                        token: None,
                    },
                    "change-role",
                    AuditOutcome::Succeeded,
                )
            },
        };
        let said = row(&event);
        assert!(
            said.ends_with(
                "succeeded  ben from 192.0.2.7, Firefox on Linux — From viewer to operator."
            ),
            "{said}"
        );
        if let Actor::Person { browser, token, .. } = &mut event.event.actor {
            *browser = None;
            *token = Some("deploys".to_owned());
        }
        let said = row(&event);
        assert!(
            said.contains("ben from 192.0.2.7 by the token “deploys” — From"),
            "{said}"
        );
    }
}
