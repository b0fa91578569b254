//! `panel status`: one fresh look at a gateway.

use std::process::ExitCode;
use std::time::Duration;

use anyhow::Context as _;
use clap::Args;
use domain::fact::FactKind;
use domain::gateway::GatewayId;
use domain::observation::Observation;
use domain::operation::Operation;
use domain::ports::Operations as _;
use domain::time::Timestamp;
use domain::verdict::{self, Standing, Verdict};
use domain::words;
use observe::Senses as _;
use serde_json::{Map, Value, json};
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

use super::{gateway, out};
use crate::config::Config;
use crate::wire::{Base, Outside};

/// The socket gets this long to connect before the look is taken without it.
const SETTLE: Duration = Duration::from_secs(8);

#[derive(Args)]
pub(super) struct Status {
    /// Which gateway [default: the only one].
    #[arg(long, value_name = "ID")]
    gateway: Option<GatewayId>,
    /// Print `{gateway, verdict, reason, next_action, facts: {edge, process, container, session, config}}`, each
    /// fact with `state`, `reason`, `age_ms`. These names are stable.
    #[arg(long)]
    json: bool,
}

impl Status {
    /// Exit code 0 when messages get through (also in part), 1 otherwise.
    pub(super) async fn run(self, config: &Config) -> anyhow::Result<ExitCode> {
        let id = gateway::choose(config, self.gateway.clone())?;
        let base = Base::open(config).await?;
        let stop = CancellationToken::new();
        let tracker = TaskTracker::new();
        let outside = Outside::build(config, &base, &tracker, &stop).await?;
        let done = self.look(&id, &base, &outside).await;
        stop.cancel();
        tracker.close();
        // A Docker call past its limit must not keep the terminal.
        let _in_time = tokio::time::timeout(super::LAST_WAIT, tracker.wait()).await;
        base.close().await;
        done
    }

    async fn look(
        &self,
        id: &GatewayId,
        base: &Base,
        outside: &Outside,
    ) -> anyhow::Result<ExitCode> {
        let gateway = outside
            .gateways
            .iter()
            .find(|one| one.id == *id)
            .context("the gateway is configured")?;
        let senses = outside.senses(id).context("the gateway is configured")?;
        outside.engine.refresh_holders().await;
        // What is seen here is printed, not stored: the panel that serves keeps the history.
        let (entries, _unread) = tokio::sync::mpsc::channel(64);
        let board = outside.board(gateway, base, entries).await;
        let (edge, container, deaths, compared, ()) = tokio::join!(
            senses.edge(),
            senses.container(),
            senses.deaths(),
            senses.compare(),
            senses.settle(SETTLE)
        );
        let (process, accounts) = tokio::join!(senses.process(), senses.accounts());
        board.enter(FactKind::Edge, |all| &mut all.edge, edge);
        board.enter(FactKind::Process, |all| &mut all.process, process);
        // Without Docker there is no container either, and the fact says so.
        board.recall_deaths(&deaths.unwrap_or_default());
        board.enter_container(container);
        board.enter_config(compared);
        board.enter_accounts(accounts);
        observe::look_for_lease(&board, &*senses).await;
        let seen = board.observation();
        let now = base.clock.now();
        let holder = outside.engine.holder(id);
        let verdict = verdict::verdict(&seen, holder.as_ref(), now);
        if self.json {
            let all = as_json(&seen, &verdict, holder.as_ref(), now);
            out::line(&serde_json::to_string_pretty(&all)?);
        } else {
            out::line(&format!("{}: {}", gateway.name, verdict.sentence));
            out::line(&verdict.reason);
            for fact in seen.facts() {
                let since = words::duration(now.since(fact.since));
                let state = fact.state.as_str();
                out::line(&format!(
                    "  {:<10} {state:<8} {} — {} (for {since})",
                    fact.kind.label(),
                    fact.headline,
                    fact.reason
                ));
            }
        }
        let works = matches!(verdict.standing, Standing::Working | Standing::Degraded);
        Ok(if works {
            ExitCode::SUCCESS
        } else {
            ExitCode::FAILURE
        })
    }
}

/// What `--json` prints; its names and words are promised to scripts.
fn as_json(
    seen: &Observation,
    verdict: &Verdict,
    holder: Option<&Operation>,
    now: Timestamp,
) -> Value {
    let facts: Map<String, Value> = seen
        .facts()
        .into_iter()
        .map(|fact| {
            let age = fact
                .checked_at
                .map(|at| u64::try_from(now.since(at).as_millis()).unwrap_or(u64::MAX));
            let value = json!({
                "state": fact.state.as_str(),
                "headline": fact.headline,
                "reason": fact.reason,
                "since": fact.since.rfc3339(),
                "age_ms": age,
            });
            (fact.kind.as_str().to_owned(), value)
        })
        .collect();
    json!({
        "gateway": seen.gateway.id,
        "verdict": verdict.standing.as_str(),
        "sentence": verdict.sentence,
        "reason": verdict.reason,
        "since": verdict.since.rfc3339(),
        "next_action": verdict.next,
        "operation": holder.map(|operation| operation.id),
        "facts": facts,
    })
}

#[cfg(test)]
mod tests {
    use domain::fact::State;
    use domain::gateway::Gateway;
    use domain::verdict::Next;

    use super::*;

    #[test]
    fn the_json_keeps_its_names_and_words() {
        let at = |seconds: i64| Timestamp::from_millis(1_800_000_000_000 + seconds * 1_000);
        let gateway = Gateway {
            id: "openclaw".parse().unwrap(),
            name: "OpenClaw".to_owned(),
            public_url: "https://openclaw.example.org".to_owned(),
            stand_in: false,
        };
        let mut seen = Observation::blank(gateway, at(0));
        seen.edge.state = State::Ok;
        seen.edge.checked_at = Some(at(2));
        let verdict = Verdict {
            standing: Standing::Down,
            sentence: "No messages get through".to_owned(),
            reason: "The account is stopped.".to_owned(),
            since: at(1),
            next: Next::Reconnect {
                account: "default".parse().unwrap(),
            },
        };
        let json = as_json(&seen, &verdict, None, at(10));
        insta::assert_snapshot!(serde_json::to_string_pretty(&json).unwrap(), @r#"
        {
          "facts": {
            "config": {
              "age_ms": null,
              "headline": "Not checked yet",
              "reason": "",
              "since": "2027-01-15T08:00:00Z",
              "state": "unknown"
            },
            "container": {
              "age_ms": null,
              "headline": "Not checked yet",
              "reason": "",
              "since": "2027-01-15T08:00:00Z",
              "state": "unknown"
            },
            "edge": {
              "age_ms": 8000,
              "headline": "Not checked yet",
              "reason": "",
              "since": "2027-01-15T08:00:00Z",
              "state": "ok"
            },
            "process": {
              "age_ms": null,
              "headline": "Not checked yet",
              "reason": "",
              "since": "2027-01-15T08:00:00Z",
              "state": "unknown"
            },
            "session": {
              "age_ms": null,
              "headline": "Not checked yet",
              "reason": "",
              "since": "2027-01-15T08:00:00Z",
              "state": "unknown"
            }
          },
          "gateway": "openclaw",
          "next_action": {
            "account": "default",
            "kind": "reconnect"
          },
          "operation": null,
          "reason": "The account is stopped.",
          "sentence": "No messages get through",
          "since": "2027-01-15T08:00:01Z",
          "verdict": "down"
        }
        "#);
        let wait = Next::Wait {
            until: Some(at(60)),
        };
        let wait = serde_json::to_string(&wait).unwrap();
        insta::assert_snapshot!(wait, @r#"{"kind":"wait","until":1800000060000}"#);
    }
}
