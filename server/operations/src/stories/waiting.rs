//! Waits until the gateway in a container is live, then ready; gives up at once when the container
//! crashes, unless all it waits for is the owner lease of a run that was killed.

use std::time::Duration;

use domain::exit_code;
use domain::fact::{Container, ContainerState};
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
/// Docker or the panel's way to it may be away that long (a restart of the daemon).
const AWAY: Duration = mins(1);
/// Limit for the table: the lease, the start, and the daemon away.
pub(crate) const LIMIT: Duration = mins(11);

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
        crashes_known: 0,
        lease_until: None,
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
    /// Restarts by Docker that the lease explains.
    crashes_known: u32,
    lease_until: Option<Timestamp>,
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

    /// Fails at once when the container crashed, unless the lease is the reason.
    async fn crashed(&mut self, container: &Container) -> Result<(), Fault> {
        let ended = matches!(
            container.state,
            ContainerState::Exited | ContainerState::Dead | ContainerState::Restarting
        );
        if !ended && container.restart_count <= self.crashes_known {
            return Ok(());
        }
        let lines = self.last_lines(200).await;
        let now = self.cx.clock.now();
        if !speaks_of_lease(&lines, now) {
            say_lines(self.cx, &lines);
            return Err(refused(
                FaultKind::Unexpected,
                Boundary::Docker,
                format!("The container crashed: {}.", crash(container)),
            ));
        }
        self.crashes_known = container.restart_count;
        self.wait_for_lease(now);
        self.start_again(container).await
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

/// Whether what a container said lately names the owner lease.
fn speaks_of_lease(lines: &[LogLine], now: Timestamp) -> bool {
    lines.iter().any(|line| {
        line.text.contains(LEASE_WORDS) && line.at.is_none_or(|at| now.since(at) < LEASE + WITHIN)
    })
}

/// Whether the owner lease is what keeps this container's gateway from starting.
pub(crate) async fn held_by_lease(cx: &Cx, container: &str) -> bool {
    let logs = cx.containers.logs(&cx.gateway, container, 200).await;
    logs.is_ok_and(|lines| speaks_of_lease(&lines, cx.clock.now()))
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
