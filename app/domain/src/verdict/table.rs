//! The table of cases: what is changed in a gateway that works, and what must be said then. The words
//! themselves are in the snapshot, to be read by a person.

use std::fmt::Write as _;
use std::time::Duration;

use uuid::Uuid;

use super::*;
use crate::compare::Difference;
use crate::fact::{Account, Config, Disconnect, Edge, Fact, Plugin, Port, Process, Session};
use crate::gateway::Gateway;
use crate::observation::OwnerLease;
use crate::operation::{Command, OperationId, Outcome};
use crate::person::Actor;

const NOW: Timestamp = Timestamp::from_millis(1_800_000_000_000);

fn ago(seconds: u64) -> Timestamp {
    NOW.minus(Duration::from_secs(seconds))
}

fn known<D>(detail: D) -> Fact<D> {
    Fact {
        state: State::Ok,
        headline: String::new(),
        reason: String::new(),
        source: String::new(),
        since: ago(86_400),
        checked_at: Some(ago(4)),
        detail: Some(detail),
    }
}

fn account(id: &str) -> Account {
    Account {
        id: id.parse().unwrap(),
        enabled: true,
        configured: true,
        linked: true,
        running: true,
        connected: true,
        phone: Some("+4915112345642".to_owned()),
        connected_at: Some(ago(86_000)),
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

/// A gateway that works.
fn working() -> Observation {
    let gateway = Gateway {
        id: "openclaw".parse().unwrap(),
        name: "OpenClaw".to_owned(),
        public_url: "https://openclaw.example.org".to_owned(),
        stand_in: false,
    };
    let edge = Edge {
        status: Some(200),
        latency_ms: 38,
        tls_begins_at: Some(NOW.minus(Duration::from_secs(29 * 86_400))),
        tls_expires_at: Some(NOW.plus(Duration::from_secs(61 * 86_400))),
    };
    let process = Process {
        live: true,
        started: Some(true),
        ready: Some(true),
        failing: Vec::new(),
        latency_ms: 3,
        version: Some("2026.9.6".to_owned()),
        protocol: Some(4),
        event_loop_ms: None,
        uptime_ms: None,
        control: Control::Connected,
    };
    let container = Container {
        id: "abc".to_owned(),
        name: "openclaw-openclaw-gateway-1".to_owned(),
        state: ContainerState::Running,
        started_at: Some(ago(86_400)),
        finished_at: None,
        exit_code: None,
        oom_killed: false,
        restart_count: 0,
        restarts_last_hour: 0,
        health: None,
        image: "openclaw".to_owned(),
        image_id: "sha256:1".to_owned(),
        image_digest: None,
        ports: vec![Port {
            container_port: 18_789,
            bound: Some("127.0.0.1:18789".to_owned()),
        }],
        memory_bytes: Some(700 << 20),
        memory_limit_bytes: Some(2 << 30),
        cpu_percent: Some(1.2),
        volumes: Vec::new(),
        hostname: "openclaw-gateway".to_owned(),
        hostname_is_default: false,
    };
    Observation {
        gateway,
        edge: known(edge),
        process: known(process),
        container: known(container),
        session: known(Session {
            plugin: Plugin::Present,
            accounts: vec![account("default")],
        }),
        config: known(Config {
            file: "docker-compose.yml".to_owned(),
            differences: Vec::new(),
        }),
        lease: None,
        revision: 1,
    }
}

fn container_of(seen: &mut Observation) -> &mut Container {
    seen.container.detail.as_mut().unwrap()
}

fn process_of(seen: &mut Observation) -> &mut Process {
    seen.process.detail.as_mut().unwrap()
}

fn first(seen: &mut Observation) -> &mut Account {
    &mut seen.session.detail.as_mut().unwrap().accounts[0]
}

fn stopped(seen: &mut Observation, code: i64, oom: bool) {
    let container = container_of(seen);
    container.state = ContainerState::Exited;
    container.exit_code = Some(code);
    container.oom_killed = oom;
    seen.container.state = State::Down;
    process_of(seen).live = false;
}

fn silent(seen: &mut Observation) {
    let process = process_of(seen);
    process.live = false;
    process.ready = None;
    seen.process.state = State::Down;
    seen.session.state = State::Unknown;
}

fn dropped(seen: &mut Observation, code: u16, seconds_ago: u64) {
    let account = first(seen);
    account.connected = false;
    account.reconnect_attempts = 2;
    account.last_disconnect = Some(Disconnect {
        code: Some(code),
        at: Some(ago(seconds_ago)),
        logged_out: code == 401,
    });
    seen.session.state = State::Down;
    seen.session.since = ago(seconds_ago);
}

fn unlinked(seen: &mut Observation, code: Option<u16>) {
    let account = first(seen);
    account.linked = false;
    account.connected = false;
    account.running = false;
    account.last_disconnect = code.map(|code| Disconnect {
        code: Some(code),
        at: Some(ago(9_060)),
        logged_out: true,
    });
    seen.session.state = State::Down;
}

fn old<D>(fact: &mut Fact<D>) {
    fact.checked_at = Some(ago(3_600));
}

fn unknown<D>(fact: &mut Fact<D>, why: &str) {
    fact.state = State::Unknown;
    fact.reason = why.to_owned();
}

fn starting(seen: &mut Observation) {
    container_of(seen).started_at = Some(ago(10));
}

fn differs(seen: &mut Observation) {
    seen.config.detail.as_mut().unwrap().differences = vec![Difference {
        what: "environment OPENCLAW_GATEWAY_TOKEN".to_owned(),
        running: "another value".to_owned(),
        wanted: "set in .env".to_owned(),
    }];
}

fn second(seen: &mut Observation) -> &mut Account {
    let accounts = &mut seen.session.detail.as_mut().unwrap().accounts;
    accounts.push(account("work"));
    &mut accounts[1]
}

fn restarting(seen: &mut Observation, often: u32) {
    stopped(seen, 1, false);
    let container = container_of(seen);
    container.state = ContainerState::Restarting;
    container.restarts_last_hour = often;
}

type Case = (&'static str, fn(&mut Observation), Standing, &'static str);

use Standing::{Degraded, Down, Unknown, Working};

#[rustfmt::skip] // one case, one line
const CASES: &[Case] = &[
    // All is well, or nearly.
    ("all is well", |_| {}, Working, "nothing"),
    ("the container differs from the compose folder", differs, Working, "nothing"),
    ("the config fact is unknown", |s| unknown(&mut s.config, "no such file"), Working, "nothing"),
    ("the compose folder cannot be used", |s| { s.config.state = State::Down; s.config.detail = None; s.config.reason = "There is no compose file in /srv/openclaw.".to_owned(); }, Working, "nothing"),
    ("an account is switched off on purpose", |s| { let a = second(s); a.enabled = false; a.connected = false; }, Working, "nothing"),
    ("a drop long ago, connected since", |s| { dropped(s, 428, 900); first(s).connected = true; s.session.state = State::Ok; }, Working, "nothing"),
    ("the socket reconnects just now, accounts fresh", |s| process_of(s).control = Control::Connecting, Working, "nothing"),
    ("the socket fails, accounts fresh", |s| { process_of(s).control = Control::Failing { why: "closed".to_owned(), } }, Working, "nothing"),
    ("an older version without /startupz", |s| process_of(s).started = None, Working, "nothing"),
    ("memory at half", |s| container_of(s).memory_bytes = Some(1 << 30), Working, "nothing"),
    ("no memory limit", |s| container_of(s).memory_limit_bytes = None, Working, "nothing"),
    ("two accounts, both connected", |s| { second(s); }, Working, "nothing"),
    ("no certificate over plain HTTP", |s| s.edge.detail.as_mut().unwrap().tls_expires_at = None, Working, "nothing"),
    // Works, but.
    ("the public address is down", |s| { s.edge.state = State::Down; s.edge.reason = "502 from the proxy.".to_owned(); }, Degraded, "check_proxy"),
    ("a certificate of twelve hours that is renewed in time", |s| { let edge = s.edge.detail.as_mut().unwrap(); edge.tls_begins_at = Some(NOW.minus(Duration::from_secs(6 * 3_600))); edge.tls_expires_at = Some(NOW.plus(Duration::from_secs(6 * 3_600))) }, Working, "nothing"),
    ("a certificate of twelve hours that nobody renewed", |s| { let edge = s.edge.detail.as_mut().unwrap(); edge.tls_begins_at = Some(NOW.minus(Duration::from_secs(10 * 3_600))); edge.tls_expires_at = Some(NOW.plus(Duration::from_secs(2 * 3_600))) }, Degraded, "check_proxy"),
    ("the certificate ends in three days", |s| { s.edge.detail.as_mut().unwrap().tls_expires_at = Some(NOW.plus(Duration::from_secs(3 * 86_400))) }, Degraded, "check_proxy"),
    ("memory nearly used up", |s| container_of(s).memory_bytes = Some(2 << 30), Degraded, "recreate"),
    ("connected but not ready", |s| { process_of(s).ready = Some(false); s.process.reason = "failing: sidecars.".to_owned(); }, Degraded, "restart"),
    ("Docker does not answer", |s| unknown(&mut s.container, "connection refused"), Degraded, "check_docker"),
    ("the container was not looked at for an hour", |s| old(&mut s.container), Degraded, "check_docker"),
    ("one of two accounts logged out", |s| { second(s); unlinked(s, Some(401)); }, Degraded, "relink"),
    ("one of two accounts stopped", |s| { let a = second(s); a.connected = false; a.running = false; }, Degraded, "reconnect"),
    ("one of two accounts reconnecting", |s| { second(s); dropped(s, 428, 10); }, Degraded, "wait"),
    // Container.
    ("no container", |s| { container_of(s).state = ContainerState::Missing; s.container.state = State::Down; }, Down, "install"),
    ("stopped as asked", |s| stopped(s, 143, false), Down, "start"),
    ("ended by itself", |s| stopped(s, 0, false), Down, "start"),
    ("killed", |s| stopped(s, 137, false), Down, "start"),
    ("killed for memory", |s| stopped(s, 137, true), Down, "start"),
    ("out of JavaScript heap", |s| stopped(s, 134, false), Down, "start"),
    ("crashed", |s| stopped(s, 139, false), Down, "start"),
    ("an unknown exit code", |s| stopped(s, 3, false), Down, "start"),
    ("an exit without a code", |s| { stopped(s, 0, false); container_of(s).exit_code = None; }, Down, "start"),
    ("never started", |s| { stopped(s, 0, false); container_of(s).state = ContainerState::Created; }, Down, "start"),
    ("frozen", |s| { silent(s); container_of(s).state = ContainerState::Paused; s.container.state = State::Down; }, Down, "restart"),
    ("being removed", |s| { silent(s); container_of(s).state = ContainerState::Removing; s.container.state = State::Down; }, Down, "wait"),
    ("dead", |s| { silent(s); container_of(s).state = ContainerState::Dead; s.container.state = State::Down; }, Down, "recreate"),
    ("started again once by Docker", |s| restarting(s, 1), Down, "wait"),
    ("a crash loop", |s| restarting(s, 5), Down, "read_logs"),
    ("a crash loop seen while it runs", |s| { silent(s); starting(s); container_of(s).restarts_last_hour = 3; }, Down, "read_logs"),
    ("two crashes, and it starts again", |s| { silent(s); starting(s); container_of(s).restarts_last_hour = 2; }, Degraded, "wait"),
    ("crashes before, but it answers now", |s| container_of(s).restarts_last_hour = 5, Working, "nothing"),
    ("running between two failed starts while the owner lease lasts", |s| { silent(s); starting(s); container_of(s).restarts_last_hour = 5; s.lease = Some(OwnerLease { ends_at: NOW.plus(Duration::from_secs(130)), }); }, Down, "wait"),
    ("restarting while the owner lease lasts", |s| { restarting(s, 5); s.lease = Some(OwnerLease { ends_at: NOW.plus(Duration::from_secs(130)), }); }, Down, "wait"),
    ("exited while the owner lease lasts", |s| { stopped(s, 1, false); s.lease = Some(OwnerLease { ends_at: NOW.plus(Duration::from_secs(130)), }); }, Down, "wait"),
    ("a lease that has ended is no excuse", |s| { restarting(s, 5); s.lease = Some(OwnerLease { ends_at: ago(1) }); }, Down, "read_logs"),
    ("a lease with a live process is forgotten", |s| { s.lease = Some(OwnerLease { ends_at: NOW.plus(Duration::from_secs(60)), }) }, Working, "nothing"),
    // Process.
    ("just started, silent", |s| { silent(s); starting(s); }, Degraded, "wait"),
    ("just started, starting up", |s| { process_of(s).started = Some(false); process_of(s).ready = Some(false); starting(s); }, Degraded, "wait"),
    ("draining before a stop", |s| process_of(s).started = Some(false), Degraded, "wait"),
    ("live but not ready right after start", |s| { process_of(s).ready = Some(false); starting(s); }, Degraded, "wait"),
    ("logged out, not ready and just started", |s| { unlinked(s, Some(401)); process_of(s).ready = Some(false); starting(s); }, Down, "relink"),
    ("logged out before a start whose accounts nobody has seen yet", |s| { unlinked(s, Some(401)); process_of(s).ready = Some(false); starting(s); s.session.checked_at = Some(ago(12)); }, Degraded, "wait"),
    ("one of two accounts logged out right after start", |s| { second(s); unlinked(s, Some(401)); process_of(s).ready = Some(false); starting(s); }, Degraded, "wait"),
    ("silent because its port is not published", |s| { silent(s); container_of(s).ports[0].bound = None; }, Down, "recreate"),
    ("its port is not published, but the panel reaches it another way", |s| container_of(s).ports[0].bound = None, Working, "nothing"),
    ("hung: runs, but silent", silent, Down, "restart"),
    ("the probes never ran", |s| { s.process = Fact::not_yet("x", NOW); s.session = Fact::not_yet("x", NOW); }, Unknown, "wait"),
    ("the probes are old", |s| old(&mut s.process), Unknown, "wait"),
    ("Docker blind and process silent", |s| { unknown(&mut s.container, "refused"); silent(s); }, Down, "check_docker"),
    ("the panel is being approved", |s| { process_of(s).control = Control::Pairing; s.session.state = State::Unknown; }, Unknown, "wait"),
    ("the key is refused", |s| process_of(s).control = Control::KeyRefused, Unknown, "check_key"),
    ("the key is refused and .env has changed", |s| { differs(s); process_of(s).control = Control::KeyRefused; }, Unknown, "recreate"),
    ("a scope is missing", |s| { process_of(s).control = Control::ScopeMissing { scope: "operator.read".to_owned(), } }, Unknown, "check_key"),
    ("the socket fails from the start", |s| { process_of(s).control = Control::Failing { why: "garbage".to_owned(), }; s.session = Fact::not_yet("x", NOW); }, Unknown, "wait"),
    // Session.
    ("the accounts are old", |s| old(&mut s.session), Unknown, "wait"),
    ("the accounts cannot be read", |s| unknown(&mut s.session, "timed out"), Unknown, "wait"),
    ("the plugin is missing", |s| s.session.detail.as_mut().unwrap().plugin = Plugin::Missing, Down, "install_plugin"),
    ("no account at all", |s| s.session.detail.as_mut().unwrap().accounts.clear(), Down, "configure"),
    ("all accounts switched off", |s| first(s).enabled = false, Down, "configure"),
    ("never linked", |s| unlinked(s, None), Down, "relink"),
    ("logged out from the phone", |s| unlinked(s, Some(401)), Down, "relink"),
    ("logged out, and the gateway still has the files of the link", |s| { unlinked(s, Some(401)); first(s).linked = true; }, Down, "relink"),
    ("logged out while /readyz is green", |s| { unlinked(s, Some(401)); process_of(s).ready = Some(true); }, Down, "relink"),
    ("logged out and not ready", |s| { unlinked(s, Some(401)); process_of(s).ready = Some(false); }, Down, "relink"),
    ("linked but stopped", |s| { first(s).connected = false; first(s).running = false; }, Down, "reconnect"),
    ("held back by the restart-loop breaker", |s| { let a = first(s); a.connected = false; a.running = false; a.breaker_tripped = true; }, Down, "reconnect"),
    ("connecting for ten seconds", |s| { first(s).connected = false; s.session.since = ago(10); }, Degraded, "wait"),
    ("connecting for an hour", |s| { first(s).connected = false; s.session.since = ago(3_600); }, Down, "reconnect"),
    ("408 for ten seconds", |s| dropped(s, 408, 10), Degraded, "wait"),
    ("408 for ten minutes", |s| dropped(s, 408, 600), Down, "reconnect"),
    ("428 for ten seconds", |s| dropped(s, 428, 10), Degraded, "wait"),
    ("428 for ten minutes", |s| dropped(s, 428, 600), Down, "reconnect"),
    ("503 for ten seconds", |s| dropped(s, 503, 10), Degraded, "wait"),
    ("503 for ten minutes", |s| dropped(s, 503, 600), Down, "reconnect"),
    ("515 for ten seconds", |s| dropped(s, 515, 10), Degraded, "wait"),
    ("515 that never ended", |s| dropped(s, 515, 600), Down, "reconnect"),
    ("499 from the watchdog", |s| dropped(s, 499, 10), Down, "reconnect"),
    ("440 replaced by another client", |s| dropped(s, 440, 10), Down, "find_other_client"),
    ("409 two clients at once", |s| dropped(s, 409, 10), Down, "find_other_client"),
    ("403 banned", |s| dropped(s, 403, 10), Down, "look_at_phone"),
    ("402 temporarily banned", |s| dropped(s, 402, 10), Down, "look_at_phone"),
    ("411 multi-device mismatch", |s| dropped(s, 411, 10), Down, "relink"),
    ("500 damaged session", |s| dropped(s, 500, 10), Down, "relink"),
    ("an unknown code", |s| dropped(s, 599, 10), Down, "reconnect"),
    ("two accounts, both logged out", |s| { let a = second(s); a.linked = false; a.connected = false; unlinked(s, Some(401)); }, Down, "relink"),
    ("two accounts, one reconnecting and one logged out", |s| { let a = second(s); a.linked = false; a.connected = false; dropped(s, 428, 10); }, Down, "relink"),
];

fn kind(next: &Next) -> String {
    let json = serde_json::to_value(next).unwrap();
    json["kind"].as_str().unwrap().to_owned()
}

#[test]
fn the_table_has_at_least_sixty_cases_and_each_holds() {
    assert!(CASES.len() >= 60, "{}", CASES.len());
    let mut read = String::new();
    let mut wrong = Vec::new();
    for (name, change, standing, next) in CASES {
        let mut seen = working();
        change(&mut seen);
        let said = verdict(&seen, None, NOW);
        if (said.standing, kind(&said.next).as_str()) != (*standing, *next) {
            wrong.push(format!(
                "{name}: {:?} / {} instead of {standing:?} / {next}",
                said.standing,
                kind(&said.next)
            ));
        }
        writeln!(
            read,
            "{name}\n    {:?}: {}\n    {}\n    → {next}",
            said.standing, said.sentence, said.reason
        )
        .unwrap();
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
    insta::assert_snapshot!(read);
}

fn running(outcome: Option<Outcome>) -> Operation {
    Operation {
        id: OperationId(Uuid::nil()),
        command: Command::Restart {
            gateway: "openclaw".parse().unwrap(),
        },
        asked_by: Actor::CommandLine {
            user: "anna".to_owned(),
        },
        reason: None,
        created_at: ago(5),
        ended_at: None,
        outcome,
        generation: 0,
        steps: Vec::new(),
        usually_ms: None,
    }
}

#[test]
fn an_operation_is_said_first_and_is_no_alarm() {
    let mut seen = working();
    silent(&mut seen);
    let said = verdict(&seen, Some(&running(None)), NOW);
    assert_eq!((said.standing, said.next), (Degraded, Next::Watch));
    assert_eq!(said.sentence, "Restart is running");
    assert!(said.reason.starts_with("Started by anna."));
}

#[test]
fn a_stuck_operation_does_not_hide_the_truth() {
    let fault = crate::fault::Fault::new(
        crate::fault::FaultKind::Refused,
        crate::fault::Boundary::Docker,
        "no",
    );
    let stuck = Outcome::Stuck {
        at: "stop_old".to_owned(),
        why: fault,
        todo: "look".to_owned(),
    };
    let mut seen = working();
    silent(&mut seen);
    let said = verdict(&seen, Some(&running(Some(stuck))), NOW);
    assert_eq!((said.standing, said.next), (Down, Next::Watch));
    assert!(said.reason.contains("stuck"));
}

#[test]
fn relink_is_never_proposed_while_a_gentler_rung_can_help() {
    for (name, change, ..) in CASES {
        let mut seen = working();
        change(&mut seen);
        let said = verdict(&seen, None, NOW);
        if let Next::Relink { account } = &said.next {
            let session = seen.session.detail.as_ref().unwrap();
            let account = session
                .accounts
                .iter()
                .find(|one| one.id == *account)
                .unwrap();
            let lost = account
                .last_disconnect
                .as_ref()
                .is_some_and(|drop| matches!(drop.code, Some(411 | 500)));
            assert!(!account.has_working_link() || lost, "{name}");
        }
    }
}
