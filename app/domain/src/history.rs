//! What was: transitions, samples and the strips made of them.

use serde::{Deserialize, Serialize};

use crate::fact::{FactKind, State};
use crate::gateway::GatewayId;
use crate::operation::OperationId;
use crate::time::Timestamp;

/// A change of a fact's state, stored.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Transition {
    /// Of which gateway.
    pub gateway: GatewayId,
    /// Of which fact.
    pub fact: FactKind,
    /// Before; `None` for the first one ever.
    pub from: Option<State>,
    /// After.
    pub to: State,
    /// The headline after the change.
    pub headline: String,
    /// Why, in words.
    pub reason: String,
    /// When.
    pub at: Timestamp,
    /// The operation that caused it, when it was planned: such changes alert nobody.
    pub operation: Option<OperationId>,
    /// A clause for people: `Restart by anna`.
    pub planned_by: Option<String>,
}

/// One probe's result, to be rolled up.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Sample {
    /// Of which gateway.
    pub gateway: GatewayId,
    /// Of which fact.
    pub fact: FactKind,
    /// When.
    pub at: Timestamp,
    /// What it found.
    pub state: State,
    /// Latency in milliseconds, where there is one.
    pub latency_ms: Option<u32>,
}

/// One bar of a strip: the worst state within its span.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Bar {
    /// Begin of the span.
    pub from: Timestamp,
    /// End of the span.
    pub to: Timestamp,
    /// Worst state; `None` when nothing was recorded (panel not running).
    pub state: Option<State>,
    /// What to say on hover: headlines of the incidents in it; empty when all was well.
    pub said: String,
    /// All that was bad in it was planned.
    pub planned: bool,
}

/// 24 hours of one fact.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Strip {
    /// Which fact.
    pub fact: FactKind,
    /// 48 bars of half an hour, oldest first.
    pub bars: Vec<Bar>,
}

/// A stretch of time in which a fact was not well.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Incident {
    /// Which fact.
    pub fact: FactKind,
    /// How bad.
    pub state: State,
    /// In words.
    pub headline: String,
    /// Why.
    pub reason: String,
    /// Since.
    pub from: Timestamp,
    /// Until; `None` while it lasts.
    pub to: Option<Timestamp>,
    /// `Restart by anna` when planned.
    pub planned_by: Option<String>,
}

/// Makes the strips of `window` (newest bar ends at `now`) from transitions (oldest first; the last one
/// before the window included, so that its state carries in) and the spans in which nothing was observed.
pub fn strip(
    fact: FactKind,
    transitions: &[Transition],
    unobserved: &[(Timestamp, Timestamp)],
    now: Timestamp,
    bars: u32,
    bar_millis: i64,
) -> Strip {
    let start = now.as_millis() - i64::from(bars) * bar_millis;
    let bars = (0..i64::from(bars))
        .map(|index| {
            let from = start + index * bar_millis;
            let to = from + bar_millis;
            bar(
                fact,
                transitions,
                unobserved,
                Timestamp::from_millis(from),
                Timestamp::from_millis(to),
                now,
            )
        })
        .collect();
    Strip { fact, bars }
}

fn bar(
    fact: FactKind,
    transitions: &[Transition],
    unobserved: &[(Timestamp, Timestamp)],
    from: Timestamp,
    to: Timestamp,
    now: Timestamp,
) -> Bar {
    let hidden = unobserved
        .iter()
        .any(|(begin, end)| *begin <= from && *end >= to);
    let own = || transitions.iter().filter(|t| t.fact == fact);
    let carried = own().rfind(|t| t.at <= from);
    let within = own().filter(|t| t.at > from && t.at < to.min(now));
    let seen: Vec<&Transition> = carried.into_iter().chain(within).collect();
    if hidden || seen.is_empty() {
        return Bar {
            from,
            to,
            state: None,
            said: String::new(),
            planned: false,
        };
    }
    let rank = |state: State| match state {
        State::Ok => 0,
        State::Unknown => 1,
        State::Warn => 2,
        State::Down => 3,
    };
    let worst = seen.iter().map(|t| t.to).max_by_key(|state| rank(*state));
    let bad: Vec<&&Transition> = seen.iter().filter(|t| t.to != State::Ok).collect();
    let mut said: Vec<String> = Vec::new();
    for transition in &bad {
        let line = match &transition.planned_by {
            Some(by) => format!("{} (planned: {by})", transition.headline),
            None => transition.headline.clone(),
        };
        if !said.contains(&line) {
            said.push(line);
        }
    }
    Bar {
        from,
        to,
        state: worst,
        said: said.join("; "),
        planned: !bad.is_empty() && bad.iter().all(|t| t.operation.is_some()),
    }
}

/// The stretches that were not well, newest first.
pub fn incidents(transitions: &[Transition]) -> Vec<Incident> {
    let mut open: Vec<Incident> = Vec::new();
    let mut closed: Vec<Incident> = Vec::new();
    for transition in transitions {
        if let Some(at) = open
            .iter()
            .position(|incident| incident.fact == transition.fact)
        {
            let mut incident = open.remove(at);
            incident.to = Some(transition.at);
            closed.push(incident);
        }
        if matches!(transition.to, State::Warn | State::Down) {
            open.push(Incident {
                fact: transition.fact,
                state: transition.to,
                headline: transition.headline.clone(),
                reason: transition.reason.clone(),
                from: transition.at,
                to: None,
                planned_by: transition.planned_by.clone(),
            });
        }
    }
    closed.extend(open);
    closed.sort_by_key(|incident| core::cmp::Reverse(incident.from));
    closed
}

#[cfg(test)]
mod tests {
    use super::*;

    fn change(at: i64, to: State) -> Transition {
        Transition {
            gateway: "g".parse().unwrap(),
            fact: FactKind::Edge,
            from: None,
            to,
            headline: format!("{to:?}"),
            reason: String::new(),
            at: Timestamp::from_millis(at),
            operation: None,
            planned_by: None,
        }
    }

    #[test]
    fn a_bar_shows_the_worst_state_and_carries_the_last_one_in() {
        let changes = [
            change(5, State::Ok),
            change(25, State::Down),
            change(28, State::Ok),
        ];
        let strip = strip(
            FactKind::Edge,
            &changes,
            &[],
            Timestamp::from_millis(50),
            5,
            10,
        );
        let states: Vec<Option<State>> = strip.bars.iter().map(|bar| bar.state).collect();
        assert_eq!(
            states,
            [
                Some(State::Ok),
                Some(State::Ok),
                Some(State::Down),
                Some(State::Ok),
                Some(State::Ok)
            ]
        );
        assert_eq!(strip.bars[2].said, "Down");
    }

    #[test]
    fn a_time_without_the_panel_is_empty_not_green() {
        let hidden = [(Timestamp::from_millis(10), Timestamp::from_millis(20))];
        let strip = strip(
            FactKind::Edge,
            &[change(1, State::Ok)],
            &hidden,
            Timestamp::from_millis(30),
            2,
            10,
        );
        assert_eq!(strip.bars[0].state, None);
        assert_eq!(strip.bars[1].state, Some(State::Ok));
    }

    #[test]
    fn incidents_end_with_the_next_change_and_the_newest_comes_first() {
        let found = incidents(&[
            change(1, State::Ok),
            change(2, State::Warn),
            change(4, State::Down),
            change(9, State::Ok),
        ]);
        let spans: Vec<(i64, Option<i64>)> = found
            .iter()
            .map(|i| (i.from.as_millis(), i.to.map(Timestamp::as_millis)))
            .collect();
        assert_eq!(spans, [(4, Some(9)), (2, Some(4))]);
    }
}
