//! What is left to do once the gateway has a new key: everybody who sends it needs to have it.

use std::time::Duration;

use serde::{Deserialize, Serialize};
use uuid::Uuid;

use crate::credential::{Cause, Fingerprint};
use crate::gateway::GatewayId;
use crate::logs::LogLine;
use crate::operation::OperationId;
use crate::person::Actor;
use crate::ports::{LogLine as Row, Logged};
use crate::time::Timestamp;

/// So long the old key can come back after a rotation, while not everybody has the new one.
pub const OLD_KEY_KEPT: Duration = Duration::from_secs(7 * 24 * 3600);

/// What is noted of a secret that GitHub has taken.
pub fn written(at: Timestamp) -> String {
    format!("GitHub says that it was written at {}.", at.utc_text())
}

/// What is noted of a row in the rotation log.
pub fn committed(logged: &Logged) -> String {
    match &logged.note {
        Some(note) => format!("Committed as {}. {note}", logged.commit),
        None => format!("Committed as {}.", logged.commit),
    }
}

/// A key that was rotated, and how far its hand-over is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct KeyRotation {
    /// The operation that did it.
    pub operation: OperationId,
    /// Of which gateway.
    pub gateway: GatewayId,
    /// The new key's.
    pub fingerprint: Fingerprint,
    /// Why.
    pub cause: Cause,
    /// The rotation whose old key came back by this one.
    pub puts_back: Option<OperationId>,
    /// When the new key was proved.
    pub at: Timestamp,
    /// When the next one is due, as the register of credentials says; not known of a key that came back.
    pub next_due: Option<Timestamp>,
    /// When the key was shown, and to whom.
    pub revealed: Option<Done>,
    /// What is done of the rest.
    pub done: Vec<(Task, Done)>,
}

impl KeyRotation {
    /// Its row in the rotation log; `who` asked for it.
    pub fn log_line(&self, who: String) -> Row {
        Row {
            at: self.at,
            credential: format!("OpenClaw API key of {}", self.gateway),
            who,
            why: self.cause.sentence().to_owned(),
            operation: self.operation,
            next_due: self.next_due,
        }
    }

    /// Whether everybody who sends the key has it: the workstation, the consumers, and the repository's secret where
    /// there is one.
    pub fn is_handed_over(&self, consumers: &[Consumer], has_secret: bool) -> bool {
        let secret = has_secret.then_some(Task::Secret);
        let consumers = consumers.iter().map(|consumer| Task::Consumer(consumer.id));
        let mut tasks = secret
            .into_iter()
            .chain([Task::Workstation])
            .chain(consumers);
        tasks.all(|task| self.done(task).is_some())
    }

    /// When the key that it replaced goes, at the latest. After a leak, and of a key that came back, nothing is kept.
    pub fn keeps_old_key_until(&self) -> Option<Timestamp> {
        let kept = self.cause != Cause::Leak && self.puts_back.is_none();
        kept.then(|| self.at.plus(OLD_KEY_KEPT))
    }

    /// Whether and when a task was done.
    pub fn done(&self, task: Task) -> Option<&Done> {
        let found = self.done.iter().find(|(known, _)| *known == task);
        found.map(|(_, done)| done)
    }
}

/// A key that has just been proved.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NewKeyRotation {
    /// The operation that did it.
    pub operation: OperationId,
    /// Of which gateway.
    pub gateway: GatewayId,
    /// The new key's.
    pub fingerprint: Fingerprint,
    /// Why.
    pub cause: Cause,
    /// The rotation whose old key came back by this one.
    pub puts_back: Option<OperationId>,
    /// Who asked for it.
    pub by: Actor,
}

/// Somebody did it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Done {
    /// When.
    pub at: Timestamp,
    /// Who, as they were called then.
    pub by: String,
    /// A sentence more: the date that GitHub says, the commit.
    pub note: Option<String>,
}

/// Something that has to be done with a new key.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Task {
    /// The secret of the repository.
    Secret,
    /// The copy on the workstation.
    Workstation,
    /// A consumer.
    Consumer(Uuid),
    /// The row in the rotation log.
    Log,
}

impl Task {
    /// The word that is stored and that forms carry.
    pub fn word(self) -> String {
        match self {
            Self::Secret => "secret".to_owned(),
            Self::Workstation => "workstation".to_owned(),
            Self::Consumer(id) => format!("consumer-{id}"),
            Self::Log => "log".to_owned(),
        }
    }

    /// The task of a stored word.
    pub fn parse(word: &str) -> Option<Self> {
        match word {
            "secret" => Some(Self::Secret),
            "workstation" => Some(Self::Workstation),
            "log" => Some(Self::Log),
            _ => {
                let id = word.strip_prefix("consumer-")?;
                id.parse().ok().map(Self::Consumer)
            }
        }
    }
}

/// Something that sends the key: a workflow, a script.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Consumer {
    /// Its id.
    pub id: Uuid,
    /// What it is called: `n8n, workflow Orders`.
    pub name: String,
    /// Who looks after it.
    pub owner: String,
    /// How its key is changed.
    pub how: String,
    /// By what the gateway's log names it: an address or a part of its user agent. Empty when it cannot be told.
    pub seen_as: String,
}

/// A consumer to be added.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NewConsumer {
    /// See [`Consumer`].
    pub name: String,
    /// See [`Consumer`].
    pub owner: String,
    /// See [`Consumer`].
    pub how: String,
    /// See [`Consumer`].
    pub seen_as: String,
}

/// Somebody who came with a wrong key.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Straggler {
    /// When, last.
    pub at: Option<Timestamp>,
    /// From which address.
    pub address: String,
    /// What it calls itself.
    pub agent: Option<String>,
    /// How often.
    pub times: u32,
}

impl Straggler {
    /// Whether it is this consumer, as far as its note says.
    pub fn is(&self, consumer: &Consumer) -> bool {
        let by = consumer.seen_as.trim();
        if by.is_empty() {
            return false;
        }
        let agent = self.agent.as_deref().unwrap_or_default();
        self.address == by || agent.to_lowercase().contains(&by.to_lowercase())
    }

    /// In words: `10.0.0.7 (n8n/1.2)`.
    pub fn words(&self) -> String {
        match &self.agent {
            Some(agent) => format!("{} ({agent})", self.address),
            None => self.address.clone(),
        }
    }
}

/// Longest agent that is shown.
const AGENT: usize = 60;

/// Who came with a wrong key since `from`, the latest first. Read from the lines `[ws] unauthorized … remote=ADDRESS … ua=AGENT
/// reason=token_mismatch` (seen on 2026.9.6). Refusals over plain HTTP are not in the gateway's log.
pub fn stragglers<'a>(
    lines: impl IntoIterator<Item = &'a LogLine>,
    from: Timestamp,
) -> Vec<Straggler> {
    let mut found: Vec<Straggler> = Vec::new();
    let lines = lines.into_iter();
    for line in lines.filter(|line| line.at.is_none_or(|at| at >= from)) {
        let Some((address, agent)) = refused(&line.text) else {
            continue;
        };
        let known = found
            .iter_mut()
            .find(|known| known.address == address && known.agent == agent);
        match known {
            Some(known) => {
                known.at = known.at.max(line.at);
                known.times += 1;
            }
            None => found.push(Straggler {
                at: line.at,
                address,
                agent,
                times: 1,
            }),
        }
    }
    found.sort_by_key(|one| core::cmp::Reverse(one.at));
    found
}

/// The address and the agent of a refusal.
fn refused(text: &str) -> Option<(String, Option<String>)> {
    let (_, rest) = text.split_once("[ws] unauthorized ")?;
    rest.contains(" reason=token_mismatch").then_some(())?;
    let address = rest.split_once(" remote=")?.1.split(' ').next()?;
    let agent = rest.split_once(" ua=").and_then(|(_, rest)| {
        let (agent, _) = rest.split_once(" reason=")?;
        let agent: String = agent.trim().chars().take(AGENT).collect();
        (!agent.is_empty() && agent != "n/a").then_some(agent)
    });
    let plain: String = address.chars().take(AGENT).collect();
    (!plain.is_empty()).then_some((plain, agent))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::logs::Level;

    fn line(at: i64, text: &str) -> LogLine {
        LogLine {
            at: Some(Timestamp::from_millis(at)),
            level: Level::Info,
            text: text.to_owned(),
        }
    }

    /// As the gateway 2026.9.6 writes it.
    fn refusal(at: i64, remote: &str, agent: &str) -> LogLine {
        let text = format!(
            "2026-11-26T10:13:40.389+00:00 [ws] unauthorized conn=3e57 peer=127.0.0.1:39586->127.0.0.1:18789 \
             remote={remote} client=gateway-client backend v1 role=operator scopes=0 auth=token device=no platform=linux \
             instance=n/a host=127.0.0.1:18789 origin=n/a ua={agent} reason=token_mismatch guidance=unauthorized: gateway \
             token mismatch (provide gateway auth token)"
        );
        line(at, &text)
    }

    #[test]
    fn who_still_sends_the_old_key_is_named_once_with_the_last_time() {
        let lines = [
            refusal(5, "10.0.0.1", "old"),
            refusal(20, "10.0.0.7", "n8n/1.2 (linux; x64)"),
            line(
                21,
                "2026-11-26T10:13:40.420+00:00 [ws] closed before connect conn=3e57 remote=127.0.0.1",
            ),
            refusal(30, "10.0.0.8", "n/a"),
            refusal(40, "10.0.0.7", "n8n/1.2 (linux; x64)"),
        ];
        let found = stragglers(&lines, Timestamp::from_millis(10));
        assert_eq!(found.len(), 2, "{found:?}");
        assert_eq!(found[0].words(), "10.0.0.7 (n8n/1.2 (linux; x64))");
        assert_eq!(
            (found[0].times, found[0].at),
            (2, Some(Timestamp::from_millis(40)))
        );
        assert_eq!(found[1].words(), "10.0.0.8");
    }

    #[test]
    fn a_consumer_is_known_by_its_address_or_a_part_of_its_agent() {
        let lines = [refusal(20, "10.0.0.7", "n8n/1.2")];
        let found = stragglers(&lines, Timestamp::from_millis(0)).remove(0);
        let consumer = |seen_as: &str| Consumer {
            id: Uuid::nil(),
            name: "n8n".to_owned(),
            owner: "anna".to_owned(),
            how: String::new(),
            seen_as: seen_as.to_owned(),
        };
        for (seen_as, is) in [
            ("N8N", true),
            ("10.0.0.7", true),
            ("10.0.0.", false),
            ("", false),
        ] {
            assert_eq!(found.is(&consumer(seen_as)), is, "{seen_as}");
        }
    }

    #[test]
    fn tasks_are_read_back() {
        let id = Uuid::from_u128(5);
        for task in [
            Task::Secret,
            Task::Workstation,
            Task::Consumer(id),
            Task::Log,
        ] {
            assert_eq!(Task::parse(&task.word()), Some(task));
        }
        assert_eq!(Task::parse("consumer-x"), None);
    }

    proptest! {
        #[test]
        fn any_text_is_read_without_harm(text in "(\\[ws\\] unauthorized )?(( remote=)|( ua=)|( reason=token_mismatch)|[a-z0-9. ]{0,5}){0,8}") {
            for found in stragglers(&[line(1, &text)], Timestamp::from_millis(0)) {
                prop_assert!(!found.address.is_empty());
            }
        }
    }
}
