//! From what Docker and the gateway say to a fact's state and words. Pure.

use std::time::Duration;

use domain::compare::Comparison;
use domain::disconnect;
use domain::exit_code;
use domain::fact::{
    API_PORT, Account, Config, Container, ContainerState, Health, Plugin, Session, State,
};
use domain::fault::Fault;
use domain::time::Timestamp;
use domain::words;

use crate::senses::Seen;

fn seen<D>(
    state: State,
    headline: impl Into<String>,
    reason: impl Into<String>,
    detail: Option<D>,
) -> Seen<D> {
    Seen {
        state,
        headline: headline.into(),
        reason: reason.into(),
        latency_ms: None,
        detail,
    }
}

/// A look that failed.
pub(crate) fn blind<D>(fault: &Fault) -> Seen<D> {
    seen(
        State::Unknown,
        "Cannot be seen",
        fault.message.clone(),
        None,
    )
}

/// The container.
pub(crate) fn container(found: Option<Container>, now: Timestamp) -> Seen<Container> {
    let Some(found) = found else {
        return seen(
            State::Down,
            "No container",
            "Docker knows no container of this gateway.",
            Some(missing()),
        );
    };
    let (state, headline, reason) = words_of(&found, now);
    seen(state, headline, reason, Some(found))
}

fn missing() -> Container {
    Container {
        id: String::new(),
        name: String::new(),
        state: ContainerState::Missing,
        started_at: None,
        finished_at: None,
        exit_code: None,
        oom_killed: false,
        restart_count: 0,
        restarts_last_hour: 0,
        health: None,
        image: String::new(),
        image_id: String::new(),
        image_digest: None,
        ports: Vec::new(),
        memory_bytes: None,
        memory_limit_bytes: None,
        cpu_percent: None,
        volumes: Vec::new(),
        hostname: String::new(),
        hostname_is_default: false,
    }
}

fn words_of(container: &Container, now: Timestamp) -> (State, String, String) {
    let ended = || {
        let code = container.exit_code.unwrap_or_default();
        let meaning = exit_code::meaning(code, container.oom_killed);
        (
            if container.oom_killed {
                "Out of memory".to_owned()
            } else {
                format!("Exited with {code}")
            },
            meaning,
        )
    };
    let often = || {
        words::count(
            container.restarts_last_hour.into(),
            "unplanned end",
            "unplanned ends",
        )
    };
    match container.state {
        ContainerState::Running => running(container, now),
        ContainerState::Paused => (
            State::Down,
            "Frozen".to_owned(),
            "paused by somebody (docker pause)".to_owned(),
        ),
        ContainerState::Restarting => {
            let (_, meaning) = ended();
            let state = if container.restarts_last_hour >= 3 {
                State::Down
            } else {
                State::Warn
            };
            (
                state,
                "Being started again".to_owned(),
                format!("{meaning}; {} in the last hour", often()),
            )
        }
        ContainerState::Exited => {
            let (headline, meaning) = ended();
            (State::Down, headline, meaning)
        }
        ContainerState::Created => (
            State::Down,
            "Never started".to_owned(),
            "it exists but was not started".to_owned(),
        ),
        ContainerState::Removing => (State::Down, "Being removed".to_owned(), String::new()),
        ContainerState::Dead => (
            State::Down,
            "Dead".to_owned(),
            "Docker could not clean it up".to_owned(),
        ),
        ContainerState::Missing => (State::Down, "No container".to_owned(), String::new()),
    }
}

fn running(container: &Container, now: Timestamp) -> (State, String, String) {
    let up = container
        .started_at
        .map_or(Duration::ZERO, |at| now.since(at));
    let headline = format!("Running {}", up_words(up));
    let api = container
        .ports
        .iter()
        .find(|port| port.container_port == API_PORT);
    if api.is_some_and(|port| port.bound.is_none()) {
        return (
            State::Warn,
            headline,
            format!("port {API_PORT} is not bound on the host"),
        );
    }
    if let (Some(used), Some(limit)) = (container.memory_bytes, container.memory_limit_bytes)
        && limit > 0
        && used > limit / 100 * 92
    {
        let (used, limit) = (words::bytes(used), words::bytes(limit));
        return (
            State::Warn,
            headline,
            format!("memory nearly used up: {used} of {limit}"),
        );
    }
    if container.health == Some(Health::Unhealthy) {
        return (
            State::Warn,
            headline,
            "Docker's own health check fails".to_owned(),
        );
    }
    let reason = match container.restarts_last_hour {
        0 => "no unplanned end in the last hour".to_owned(),
        often => format!(
            "{} in the last hour",
            words::count(often.into(), "unplanned end", "unplanned ends")
        ),
    };
    let state = if container.restarts_last_hour > 0 {
        State::Warn
    } else {
        State::Ok
    };
    (state, headline, reason)
}

/// Running times in steps that do not change with every look.
fn up_words(up: Duration) -> String {
    match up.as_secs() {
        0..60 => "under a minute".to_owned(),
        60..3_600 => format!("{} min", up.as_secs() / 60),
        3_600..86_400 => format!("{} h", up.as_secs() / 3_600),
        _ => words::count(up.as_secs() / 86_400, "day", "days"),
    }
}

/// The accounts.
pub(crate) fn session(accounts: Option<Vec<Account>>) -> Seen<Session> {
    let Some(accounts) = accounts else {
        let detail = Session {
            plugin: Plugin::Missing,
            accounts: Vec::new(),
        };
        return seen(
            State::Down,
            "Plugin missing",
            "this gateway has no WhatsApp channel",
            Some(detail),
        );
    };
    let wanted: Vec<&Account> = accounts.iter().filter(|account| account.enabled).collect();
    let connected = wanted.iter().filter(|account| account.connected).count();
    let (state, headline, reason) = match wanted.as_slice() {
        [] => (
            State::Down,
            "Not set up".to_owned(),
            "no WhatsApp account is switched on".to_owned(),
        ),
        [only] => account(only),
        several if connected == several.len() => (
            State::Ok,
            format!("{connected} accounts connected"),
            String::new(),
        ),
        several => {
            let worst = several.iter().find(|account| !account.connected);
            let (_, headline, _) = worst
                .map_or((State::Down, String::new(), String::new()), |one| {
                    account(one)
                });
            let state = if connected == 0 {
                State::Down
            } else {
                State::Warn
            };
            let id = worst.map_or("", |one| one.id.as_str());
            (
                state,
                format!("{connected} of {} connected", several.len()),
                format!("{id}: {}", headline.to_lowercase()),
            )
        }
    };
    seen(
        state,
        headline,
        reason,
        Some(Session {
            plugin: Plugin::Present,
            accounts,
        }),
    )
}

fn account(account: &Account) -> (State, String, String) {
    let code = account.last_disconnect.as_ref().and_then(|drop| drop.code);
    let cause = code.map_or(String::new(), |code| {
        format!("{} ({code})", disconnect::meaning(code).cause)
    });
    if account.connected {
        (State::Ok, "Connected".to_owned(), String::new())
    } else if !account.has_working_link() {
        let logged_out = account
            .last_disconnect
            .as_ref()
            .is_some_and(|drop| drop.logged_out || drop.code == Some(401));
        let headline = if logged_out {
            "Logged out"
        } else {
            "Not linked"
        };
        (State::Down, headline.to_owned(), cause)
    } else if account.breaker_tripped {
        (
            State::Down,
            "Held back".to_owned(),
            "the gateway's restart-loop breaker tripped".to_owned(),
        )
    } else if !account.running {
        (
            State::Down,
            "Stopped".to_owned(),
            "linked, but the gateway does not run it".to_owned(),
        )
    } else if account.reconnect_attempts > 0 {
        let tries = words::count(account.reconnect_attempts.into(), "try", "tries");
        (
            State::Warn,
            "Reconnecting".to_owned(),
            format!("{tries}; {cause}")
                .trim_end_matches("; ")
                .to_owned(),
        )
    } else {
        (State::Warn, "Connecting".to_owned(), cause)
    }
}

/// The compose folder against the container.
pub(crate) fn config(compared: Result<Comparison, Fault>) -> Seen<Config> {
    let compared = match compared {
        Ok(compared) => compared,
        Err(fault) if fault.at == domain::fault::Boundary::Compose => {
            return seen(State::Down, "Compose folder unusable", fault.message, None);
        }
        Err(fault) => return blind(&fault),
    };
    let count = compared.differences.len();
    let first = compared
        .differences
        .first()
        .map(|one| one.what.clone())
        .unwrap_or_default();
    let detail = Some(Config {
        file: compared.file,
        differences: compared.differences,
    });
    match count {
        0 => seen(
            State::Ok,
            "Matches",
            "the container is what the compose folder says",
            detail,
        ),
        1 => seen(
            State::Warn,
            "1 difference",
            format!("{first} differs from the compose folder"),
            detail,
        ),
        more => seen(
            State::Warn,
            format!("{more} differences"),
            format!("{first} and {} more", more - 1),
            detail,
        ),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn account_of(connected: bool, linked: bool) -> Account {
        Account {
            id: "default".parse().unwrap(),
            enabled: true,
            configured: true,
            linked,
            running: true,
            connected,
            phone: None,
            connected_at: None,
            reconnect_attempts: 0,
            last_disconnect: None,
            last_error: None,
            last_inbound_at: None,
            last_outbound_at: None,
            credential_age_ms: None,
            health_state: None,
            breaker_tripped: false,
        }
    }

    #[test]
    fn a_container_without_its_port_is_no_green_light() {
        let mut found = missing();
        found.state = ContainerState::Running;
        found.ports = vec![domain::fact::Port {
            container_port: API_PORT,
            bound: None,
        }];
        assert_eq!(
            container(Some(found), Timestamp::from_millis(5)).state,
            State::Warn
        );
    }

    #[test]
    fn one_of_two_accounts_is_a_warning_that_names_the_other() {
        let mut other = account_of(false, false);
        other.id = "work".parse().unwrap();
        let seen = session(Some(vec![account_of(true, true), other]));
        assert_eq!(
            (seen.state, seen.headline.as_str()),
            (State::Warn, "1 of 2 connected")
        );
        assert_eq!(seen.reason, "work: not linked");
    }

    #[test]
    fn no_whatsapp_channel_is_named() {
        let seen = session(None);
        assert_eq!(
            (seen.state, seen.headline.as_str()),
            (State::Down, "Plugin missing")
        );
    }

    #[test]
    fn an_exit_says_what_its_code_means() {
        let mut found = missing();
        found.state = ContainerState::Exited;
        found.exit_code = Some(137);
        found.oom_killed = true;
        let seen = container(Some(found), Timestamp::from_millis(5));
        assert_eq!(seen.headline, "Out of memory");
        assert!(seen.reason.contains("more memory than its limit"));
    }
}
