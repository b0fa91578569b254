//! A gateway that was killed waits for its own lease on the state folder (openclaw/openclaw #155644): found
//! in the last lines of its log.

use std::time::Duration;

use domain::fact::{ContainerState, State};
use domain::logs::LogLine;
use domain::observation::{Observation, OwnerLease};
use domain::time::Timestamp;

use crate::board::Board;
use crate::senses::Senses;

/// The lease lasts this long after a kill.
const LEASE: Duration = Duration::from_secs(300);
/// How the gateway says that it may not start yet.
const WORDS: &str = "owner lease is still active";

/// Looks for the lease when the container and the process, as the board knows them, are as with one.
pub async fn look_for_lease(board: &Board, senses: &dyn Senses) {
    let seen = board.observation();
    if is_live(&seen) {
        board.adjust(|all| all.lease = None);
        return;
    }
    let now = board.now();
    let is_known = seen.lease.is_some_and(|lease| lease.ends_at > now);
    if is_known || !may_be_held(&seen) {
        return;
    }
    let Ok(lines) = senses.last_lines().await else {
        return;
    };
    if let Some(found) = find(&lines, seen.lease, now) {
        board.adjust(|all| all.lease = Some(found));
    }
}

fn is_live(seen: &Observation) -> bool {
    let process = seen.process.detail.as_ref();
    process.is_some_and(|process| process.live)
}

fn may_be_held(seen: &Observation) -> bool {
    let container = seen.container.detail.as_ref();
    let container = container.filter(|_| seen.container.state != State::Unknown);
    container.is_some_and(|container| match container.state {
        ContainerState::Restarting | ContainerState::Running => true,
        ContainerState::Exited => container.exit_code == Some(1),
        _ => false,
    })
}

/// The first start that was refused and is not explained by a lease that is over: older lines may tell of
/// an earlier kill, and those before the end of `ended` told of that one.
fn find(lines: &[LogLine], ended: Option<OwnerLease>, now: Timestamp) -> Option<OwnerLease> {
    lines
        .iter()
        .filter(|line| line.text.contains(WORDS))
        .map(|line| line.at.unwrap_or(now))
        .filter(|at| ended.is_none_or(|ended| *at > ended.ends_at))
        .map(|at| at.plus(LEASE))
        .find(|ends_at| *ends_at > now)
        .map(|ends_at| OwnerLease { ends_at })
}

#[cfg(test)]
mod tests {
    use domain::logs::Level;

    use super::*;

    fn at(seconds: i64) -> Timestamp {
        Timestamp::from_millis(1_800_000_000_000 + seconds * 1_000)
    }

    fn log(seconds: &[i64]) -> Vec<LogLine> {
        let line = |at, text: &str| LogLine {
            at,
            level: Level::Error,
            text: text.to_owned(),
        };
        let refused = "Gateway failed to start: Another Gateway owner lease is still active for this state directory";
        seconds
            .iter()
            .flat_map(|seconds| {
                [
                    line(Some(at(*seconds)), "starting"),
                    line(Some(at(*seconds)), refused),
                ]
            })
            .collect()
    }

    #[test]
    fn the_first_refused_start_counts() {
        let found = find(&log(&[20, 40, 60]), None, at(70)).unwrap();
        assert_eq!(found.ends_at, at(320));
    }

    #[test]
    fn the_lines_of_an_earlier_kill_do_not_hide_a_later_one() {
        let found = find(&log(&[20, 40, 1_000, 1_020]), None, at(1_030)).unwrap();
        assert_eq!(found.ends_at, at(1_300));
        assert_eq!(find(&log(&[20, 40]), None, at(1_030)), None);
    }

    #[test]
    fn a_lease_that_has_ended_is_not_made_longer_by_its_own_lines() {
        let ended = Some(OwnerLease { ends_at: at(320) });
        assert_eq!(find(&log(&[20, 40, 300]), ended, at(330)), None);
        let again = find(&log(&[20, 40, 300, 400]), ended, at(410)).unwrap();
        assert_eq!(again.ends_at, at(700));
    }

    #[test]
    fn a_line_without_a_time_is_taken_as_of_now() {
        let mut lines = log(&[20]);
        for line in &mut lines {
            line.at = None;
        }
        assert_eq!(find(&lines, None, at(70)).unwrap().ends_at, at(370));
    }
}
