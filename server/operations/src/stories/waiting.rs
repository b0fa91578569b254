//! Waits until the gateway in a container is live, then ready; gives up at once when Docker's own health check
//! does or the container crashes, unless all it waits for is the owner lease of a run that was killed, or the machine was too busy.

use std::time::Duration;

use domain::exit_code;
use domain::fact::{Container, ContainerState, Health};
use domain::fault::{Boundary, Fault, FaultKind, Retry};
use domain::logs::LogLine;
use domain::ports::Readiness;
use domain::time::Timestamp;
use domain::words;
use tokio::time::Instant;

use super::{gave_up, look, refused};
use crate::step::{Cx, mins, secs};

/// Between two looks.
const POLL: Duration = Duration::from_millis(250);
/// A start takes half a minute on two cores; a small host is slower.
const WITHIN: Duration = mins(4);
/// The gateway's lease on its state folder, see openclaw/openclaw #155644.
const LEASE: Duration = mins(5);
/// How it says so.
const LEASE_WORDS: &str = "owner lease is still active";
/// How a start gives up on a starved machine (exit code 1); the next one may well succeed.
const BUSY_WORDS: &str = "state lease heartbeat did not become ready";
/// Docker or the panel's way to it may be away that long (a restart of the daemon).
const AWAY: Duration = mins(1);
/// Limit for the table: the lease, the start, and the daemon away.
pub(crate) const LIMIT: Duration = mins(11);

/// Why an end of the gateway is no crash: it is started again and comes up.
#[derive(Clone, Copy)]
enum Excuse {
    /// The owner lease of a run that was killed.
    Lease,
    /// The machine was too busy for its start.
    Busy,
}

/// What is waited for.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Goal {
    /// The process answers.
    Live,
    /// It says it is ready.
    Ready,
}

/// Waits until the gateway in `container` is `goal`. `killed_at` is when the run before was killed.
pub(crate) async fn wait(
    cx: &Cx,
    container: &str,
    goal: Goal,
    killed_at: Option<Timestamp>,
) -> Result<(), Fault> {
    let now = Instant::now();
    let mut watch = Watch {
        cx,
        container,
        goal,
        killed_at,
        began: now,
        deadline: now + WITHIN,
        live_since: None,
        away_since: None,
        crashes_known: match goal {
            Goal::Live => Some(0),
            // What happened before was seen while it was waited to be live.
            Goal::Ready => None,
        },
        lease_until: None,
        busy_said: false,
        started_again_at: now,
    };
    while !watch.look().await? {
        tokio::time::sleep(POLL).await;
    }
    Ok(())
}

struct Watch<'a> {
    cx: &'a Cx,
    container: &'a str,
    goal: Goal,
    killed_at: Option<Timestamp>,
    began: Instant,
    deadline: Instant,
    live_since: Option<Instant>,
    away_since: Option<Instant>,
    /// Restarts by Docker that are explained; `None`: those before the first look.
    crashes_known: Option<u32>,
    lease_until: Option<Timestamp>,
    busy_said: bool,
    started_again_at: Instant,
}

impl Watch<'_> {
    /// One look; whether the goal is reached.
    async fn look(&mut self) -> Result<bool, Fault> {
        let seen = match self.ask().await {
            Ok(seen) => {
                self.away_since = None;
                seen
            }
            Err(fault) => {
                self.be_patient(fault)?;
                return Ok(false);
            }
        };
        let (said, container) = seen;
        if self.reached(&said) {
            return Ok(true);
        }
        if let Some(container) = container {
            self.crashed(&container).await?;
            self.unhealthy(&container).await?;
            self.tell(&said, &container);
        } else {
            return Err(refused(
                FaultKind::NotFound,
                Boundary::Docker,
                "The container is gone: somebody removed it while it was waited for.",
            ));
        }
        if Instant::now() < self.deadline {
            return Ok(false);
        }
        self.say_last_lines().await;
        let after = words::duration(self.began.elapsed());
        let what = match self.goal {
            Goal::Live => "live".to_owned(),
            Goal::Ready if said.failing.is_empty() => "ready".to_owned(),
            Goal::Ready => format!("ready ({} did not come up)", said.failing.join(", ")),
        };
        Err(gave_up(
            Boundary::Gateway,
            format!("The gateway was not {what} after {after}."),
        ))
    }

    async fn ask(&self) -> Result<(Readiness, Option<Container>), Fault> {
        let gateway = &self.cx.gateway;
        let container = self.cx.containers.find(gateway, self.container).await?;
        let runs = container
            .as_ref()
            .is_some_and(|container| container.state == ContainerState::Running);
        // Whatever answers while this container does not run is not this gateway.
        let said = if runs {
            self.cx.control.readiness(gateway).await?
        } else {
            Readiness::default()
        };
        Ok((said, container))
    }

    /// Docker may be restarting; anything else is final.
    fn be_patient(&mut self, fault: Fault) -> Result<(), Fault> {
        let since = *self.away_since.get_or_insert_with(Instant::now);
        if fault.retry == Retry::No || since.elapsed() >= AWAY {
            return Err(Fault {
                retry: Retry::No,
                ..fault
            });
        }
        self.cx.say.progress(&fault.message);
        Ok(())
    }

    fn reached(&mut self, said: &Readiness) -> bool {
        let after = || words::duration(self.began.elapsed());
        match self.goal {
            Goal::Live if said.live => {
                self.cx.say.line(format!("Live after {}.", after()));
                true
            }
            Goal::Ready if said.live && said.ready => {
                self.cx.say.line(format!("Ready after {}.", after()));
                true
            }
            _ => false,
        }
    }

    /// Fails at once when the container crashed, unless it ended for a reason that passes.
    async fn crashed(&mut self, container: &Container) -> Result<(), Fault> {
        let ended = matches!(
            container.state,
            ContainerState::Exited | ContainerState::Dead | ContainerState::Restarting
        );
        let known = *self.crashes_known.get_or_insert(container.restart_count);
        if !ended && container.restart_count <= known {
            return Ok(());
        }
        let lines = self.last_lines(200).await;
        let now = self.cx.clock.now();
        let Some(excuse) = excuse(&lines, container, now) else {
            say_lines(self.cx, &lines);
            return Err(refused(
                FaultKind::Unexpected,
                Boundary::Docker,
                format!("The container crashed: {}.", crash(container)),
            ));
        };
        self.crashes_known = Some(container.restart_count);
        match excuse {
            Excuse::Lease => self.wait_for_lease(now),
            Excuse::Busy => self.say_busy(),
        }
        self.start_again(container).await
    }

    /// The compose file says how often and how long a gateway may fail its health check: no wait beyond that.
    /// Docker says the same of every container that has just ended, which is for [`Watch::crashed`].
    async fn unhealthy(&self, container: &Container) -> Result<(), Fault> {
        let runs = container.state == ContainerState::Running;
        if self.goal != Goal::Live || !runs || container.health != Some(Health::Unhealthy) {
            return Ok(());
        }
        self.say_last_lines().await;
        let after = words::duration(self.began.elapsed());
        Err(gave_up(
            Boundary::Gateway,
            format!(
                "The gateway did not answer, and after {after} Docker's health check calls the container unhealthy."
            ),
        ))
    }

    fn say_busy(&mut self) {
        if !self.busy_said {
            self.busy_said = true;
            self.cx.say.line(
                "The machine is too busy just now: the gateway gave its start up, and is started again.",
            );
        }
    }

    fn wait_for_lease(&mut self, now: Timestamp) {
        if self.lease_until.is_some() {
            return;
        }
        let counted = self
            .killed_at
            .map(|at| at.plus(LEASE))
            .filter(|at| *at > now);
        let until = counted.unwrap_or_else(|| now.plus(LEASE));
        self.lease_until = Some(until);
        self.deadline = Instant::now() + until.since(now) + WITHIN;
        self.cx.say.line(format!(
            "The run before was killed, and its owner lease on the state folder is still active under \
             another host name: the gateway starts when it ends, in {} at most.",
            words::duration(until.since(now))
        ));
    }

    /// Docker starts it again by its policy; one without a policy is started again here.
    async fn start_again(&mut self, container: &Container) -> Result<(), Fault> {
        let due = self.started_again_at.elapsed() >= secs(10);
        if container.state != ContainerState::Exited || !due {
            return Ok(());
        }
        self.started_again_at = Instant::now();
        let id = &container.id;
        self.cx.containers.start(&self.cx.gateway, id).await
    }

    fn tell(&mut self, said: &Readiness, container: &Container) {
        let now = self.cx.clock.now();
        if !said.live {
            self.live_since = None;
            match self.lease_until {
                Some(until) if until > now => self.cx.say.progress(format!(
                    "Waiting for the owner lease to end: {} at most.",
                    words::duration(until.since(now))
                )),
                _ if container.state == ContainerState::Paused => {
                    self.cx
                        .say
                        .progress("The container is frozen (docker pause).");
                }
                _ => self
                    .cx
                    .say
                    .progress(format!("Waiting for an answer{}.", since(self.began))),
            }
            return;
        }
        let live_since = *self.live_since.get_or_insert_with(Instant::now);
        let rest = if said.failing.is_empty() {
            String::new()
        } else {
            format!(", starting: {}", said.failing.join(", "))
        };
        let since = since(live_since);
        self.cx.say.progress(format!("Live{since}{rest}."));
    }

    async fn last_lines(&self, count: u32) -> Vec<LogLine> {
        let logs = self
            .cx
            .containers
            .logs(&self.cx.gateway, self.container, count);
        logs.await.unwrap_or_default()
    }

    async fn say_last_lines(&self) {
        say_lines(self.cx, &self.last_lines(LAST).await);
    }
}

/// The latest reason in the log that passes by itself.
fn excuse(lines: &[LogLine], container: &Container, now: Timestamp) -> Option<Excuse> {
    lines.iter().rev().find_map(|line| {
        let within = |limit| line.at.is_none_or(|at| now.since(at) < limit);
        let failed = container.exit_code.is_none_or(|code| code == 1);
        if names_lease(line, now) {
            Some(Excuse::Lease)
        } else if line.text.contains(BUSY_WORDS) && failed && within(WITHIN) {
            Some(Excuse::Busy)
        } else {
            None
        }
    })
}

/// Whether a line, not too old, names the owner lease.
fn names_lease(line: &LogLine, now: Timestamp) -> bool {
    line.text.contains(LEASE_WORDS) && line.at.is_none_or(|at| now.since(at) < LEASE + WITHIN)
}

/// Whether the owner lease is what keeps this container's gateway from starting.
pub(crate) async fn held_by_lease(cx: &Cx, container: &str) -> bool {
    let logs = cx.containers.logs(&cx.gateway, container, 200).await;
    logs.is_ok_and(|lines| {
        let now = cx.clock.now();
        lines.iter().any(|line| names_lease(line, now))
    })
}

/// ` since 5 s`, or nothing in the first second.
pub(crate) fn since(began: Instant) -> String {
    let elapsed = began.elapsed();
    if elapsed < secs(1) {
        return String::new();
    }
    format!(" since {}", words::duration(elapsed))
}

/// Lines that are said of a crash.
const LAST: u32 = 15;

fn say_lines(cx: &Cx, lines: &[LogLine]) {
    let skip = lines.len().saturating_sub(LAST as usize);
    for line in &lines[skip..] {
        cx.say.line(format!("log: {}", line.text));
    }
}

/// How it crashed, as a clause.
fn crash(container: &Container) -> String {
    match container.exit_code {
        Some(code) if !look::runs(container.state) || code != 0 => {
            let meaning = exit_code::meaning(code, container.oom_killed);
            format!("exit code {code}, {meaning}")
        }
        _ => format!(
            "Docker had to start it again {}",
            words::count(u64::from(container.restart_count), "time", "times")
        ),
    }
}
