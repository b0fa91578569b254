//! `panel operation show`: one operation with its steps, as its page has them.

use std::process::ExitCode;

use anyhow::bail;
use clap::Args;
use domain::operation::{OperationId, OperationView, StepState, StepView};
use domain::ports::Journal as _;
use domain::time::Timestamp;
use domain::words;
use uuid::Uuid;

use super::super::out;
use super::in_words;
use crate::config::Config;
use crate::wire::Base;

#[derive(Args)]
pub(crate) struct Show {
    /// Which operation, as `panel operation list` prints it.
    id: Uuid,
    /// As JSON.
    #[arg(long)]
    json: bool,
}

impl Show {
    pub(super) async fn run(self, config: &Config) -> anyhow::Result<ExitCode> {
        let base = Base::open(config).await?;
        let view = read(&base, OperationId(self.id)).await;
        let now = base.clock.now();
        base.close().await;
        let Some(view) = view? else {
            bail!("there is no operation {}", self.id);
        };
        if self.json {
            out::line(&serde_json::to_string_pretty(&view)?);
        } else {
            out::line(&told(&view, now));
        }
        Ok(ExitCode::SUCCESS)
    }
}

async fn read(base: &Base, id: OperationId) -> anyhow::Result<Option<OperationView>> {
    let Some(operation) = base.store.operation(id).await? else {
        return Ok(None);
    };
    let events = base.store.events(id, 0).await?;
    Ok(Some(OperationView::fold(operation, &events)))
}

fn told(view: &OperationView, now: Timestamp) -> String {
    let operation = &view.operation;
    let title = operation.command.title();
    let mut lines = vec![format!(
        "{title} on {} by {}, {}",
        operation.command.gateway(),
        operation.asked_by.name(),
        operation.created_at
    )];
    if let Some(reason) = &operation.reason {
        lines.push(format!("Reason: {reason}"));
    }
    for step in &view.steps {
        lines.push(format!("  {:<11} {}", word(step), step.outline.label));
        lines.extend(step.said.iter().map(|(_, said)| format!("    {said}")));
        if let Some(fault) = &step.fault {
            lines.push(format!("    failed: {fault}"));
        }
    }
    let took = words::duration(operation.took(now));
    lines.push(match (&operation.outcome, &view.cancel_asked_by) {
        (Some(outcome), _) => format!("{} It took {took}.", in_words(&title, outcome).0),
        (None, Some(by)) => format!("Running for {took}; {by} asked to stop and put back."),
        (None, None) => format!("Running for {took}."),
    });
    lines.join("\n")
}

fn word(step: &StepView) -> &'static str {
    match step.state {
        StepState::Todo => "to do",
        StepState::Running => "running",
        StepState::Done => "done",
        StepState::Failed => "failed",
        StepState::Undoing => "going back",
        StepState::Undone => "put back",
        StepState::UndoFailed => "not back",
        StepState::NotNeeded => "not needed",
        StepState::Fruitless => "no help",
        StepState::Skipped => "skipped",
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use domain::fault::{Boundary, Fault, FaultKind};
    use domain::operation::{Cancel, Command, Event, Operation, Outcome, Recorded, StepOutline};
    use domain::person::Actor;

    use super::*;

    #[test]
    fn an_operation_is_told_with_its_steps_and_its_end() {
        let at = |seconds: i64| Timestamp::from_millis(1_800_000_000_000 + seconds * 1_000);
        let step = |name: &str, label: &str| StepOutline {
            name: name.to_owned(),
            label: label.to_owned(),
            no_return: false,
            cancel: Cancel::Now,
            skippable: false,
            limit: Duration::from_secs(60),
        };
        let operation = Operation {
            id: OperationId(Uuid::nil()),
            command: Command::Restart {
                gateway: "openclaw".parse().unwrap(),
            },
            asked_by: Actor::CommandLine {
                user: "anna".to_owned(),
            },
            reason: Some("it hangs".to_owned()),
            created_at: at(0),
            ended_at: None,
            outcome: None,
            generation: 0,
            steps: vec![
                step("restart", "Restart the container"),
                step("await_live", "Wait until it answers"),
                step("await_ready", "Wait until it is ready"),
            ],
            usually_ms: None,
        };
        let name = |name: &str| name.to_owned();
        let why = Fault::new(FaultKind::TimedOut, Boundary::Gateway, "It was not live.");
        let events = [
            Event::Started {
                step: name("restart"),
                attempt: 1,
            },
            Event::Succeeded {
                step: name("restart"),
                state: serde_json::Value::Null,
            },
            Event::Started {
                step: name("await_live"),
                attempt: 1,
            },
            Event::Progressed {
                step: name("await_live"),
                said: name("Waiting for an answer."),
            },
            Event::Failed {
                step: name("await_live"),
                fault: why.clone(),
            },
            Event::Ended {
                outcome: Outcome::Failed {
                    at: name("await_live"),
                    why,
                },
            },
        ];
        let journal: Vec<Recorded> = (1..)
            .zip(events)
            .map(|(sequence, event)| Recorded {
                sequence,
                at: at(sequence),
                event,
            })
            .collect();
        let view = OperationView::fold(operation, &journal);
        insta::assert_snapshot!(told(&view, at(90)), @r#"
        Restart on openclaw by anna, 2027-01-15T08:00:00Z
        Reason: it hangs
          done        Restart the container
          failed      Wait until it answers
            Waiting for an answer.
            failed: It was not live.
          to do       Wait until it is ready
        Restart failed: It was not live. It took 6 s.
        "#);
    }
}
