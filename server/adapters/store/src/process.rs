//! Which process a panel is, so that another panel on the same machine can tell at once that it ended.

use std::fs;
use std::io::ErrorKind;

use nix::errno::Errno;
use nix::sys::signal::kill;
use nix::unistd::Pid;

/// A process of one machine.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Process {
    /// One boot of one machine, and one process namespace of it.
    pub(crate) machine: String,
    pub(crate) pid: i32,
    /// Clock ticks from boot to its start (proc(5), `/proc/PID/stat`, field 22).
    pub(crate) started: i64,
}

impl Process {
    /// The one that asks; `None` where `/proc` does not tell.
    pub(crate) fn this() -> Option<Self> {
        let boot = fs::read_to_string("/proc/sys/kernel/random/boot_id").ok()?;
        let namespace = fs::read_link("/proc/self/ns/pid").ok()?;
        let pid = i32::try_from(std::process::id()).ok()?;
        Some(Self {
            machine: format!("{} {}", boot.trim(), namespace.display()),
            pid,
            started: Stat::of(pid).ok()??.started,
        })
    }

    /// Whether `self` has surely ended, as seen from `here`. A process of another machine may live.
    pub(crate) fn has_ended(&self, here: &Self) -> bool {
        if self.machine != here.machine {
            return false;
        }
        match Stat::of(self.pid) {
            // A zombie runs nothing any more; another start time is another process.
            Ok(Some(stat)) => stat.started != self.started || matches!(stat.state, 'Z' | 'X'),
            // A `/proc` mounted with `hidepid` hides what lives under another user: the kernel is asked.
            Ok(None) => kill(Pid::from_raw(self.pid), None) == Err(Errno::ESRCH),
            Err(_) => false,
        }
    }
}

/// What `/proc/PID/stat` says.
#[derive(Debug, PartialEq, Eq)]
struct Stat {
    state: char,
    started: i64,
}

impl Stat {
    /// `Ok(None)` when there is no such process.
    fn of(pid: i32) -> std::io::Result<Option<Self>> {
        match fs::read_to_string(format!("/proc/{pid}/stat")) {
            Ok(line) => Self::parse(&line)
                .map(Some)
                .ok_or_else(|| ErrorKind::InvalidData.into()),
            Err(error) if error.kind() == ErrorKind::NotFound => Ok(None),
            Err(error) => Err(error),
        }
    }

    /// The name in field 2 may hold anything, brackets and spaces included: what counts begins after
    /// the last bracket.
    fn parse(line: &str) -> Option<Self> {
        let mut fields = line.rsplit_once(')')?.1.split_whitespace();
        let state = fields.next()?.chars().next()?;
        let started = fields.nth(18)?.parse().ok()?;
        Some(Self { state, started })
    }
}

#[cfg(test)]
mod tests {
    use std::process::{Command, Stdio};

    use super::*;

    fn of(pid: u32, like: &Process) -> Process {
        let pid = i32::try_from(pid).unwrap();
        Process {
            machine: like.machine.clone(),
            pid,
            started: Stat::of(pid).unwrap().unwrap().started,
        }
    }

    #[test]
    fn a_process_that_lives_has_not_ended_and_one_that_was_killed_has() {
        let here = Process::this().unwrap();
        assert!(!here.has_ended(&here));
        let mut child = Command::new("sleep")
            .arg("600")
            .stdin(Stdio::null())
            .spawn()
            .unwrap();
        let other = of(child.id(), &here);
        assert!(!other.has_ended(&here));
        child.kill().unwrap();
        child.wait().unwrap();
        assert!(other.has_ended(&here));
    }

    #[test]
    fn another_process_with_the_same_number_is_another_one() {
        let here = Process::this().unwrap();
        let earlier = Process {
            started: here.started - 1,
            ..here.clone()
        };
        assert!(earlier.has_ended(&here));
    }

    #[test]
    fn of_another_machine_nothing_is_known() {
        let here = Process::this().unwrap();
        let elsewhere = Process {
            machine: "another".to_owned(),
            pid: i32::MAX,
            started: 1,
        };
        assert!(!elsewhere.has_ended(&here));
    }

    #[test]
    fn a_name_may_hold_brackets_and_spaces() {
        let line = "7 (a) b (c)) S 1 7 7 0 -1 4194560 1 0 0 0 5 6 0 0 20 0 1 0 4711 8 9";
        let stat = Stat::parse(line);
        assert_eq!(
            stat,
            Some(Stat {
                state: 'S',
                started: 4711
            })
        );
        assert_eq!(Stat::parse("nonsense"), None);
    }
}
