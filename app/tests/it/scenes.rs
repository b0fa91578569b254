//! States of the world that pages are shown in.

use std::collections::BTreeSet;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use domain::compare::{Comparison, Difference};
use domain::credential::{BuiltIn, Cause, Credential, Kind, Rotation};
use domain::fact::{
    Account, Config, Container, ContainerState, Control, Disconnect, Edge, Fact, FactKind, Plugin,
    Port, Process, Session, State,
};
use domain::fault::{Boundary, Fault, FaultKind};
use domain::gateway::Gateway;
use domain::history::{Bar, Incident, Strip};
use domain::invitation::Invitation;
use domain::logs::{Level, LogLine};
use domain::observation::Observation;
use domain::operation::{
    Cancel, Command, Operation, OperationId, OperationView, Outcome, StepOutline, StepState,
    StepView,
};
use domain::person::{Actor, Role};
use domain::ports::{ChainStanding, Proofs};
use domain::review::Agreed;
use domain::time::Timestamp;
use uuid::Uuid;

use crate::fake_keys::FakeKeys;
use crate::fake_people::person;
use crate::fake_reports::facts;
use crate::fakes::{NOW, World};
use crate::reviews::trail;

pub(crate) fn ago(seconds: u64) -> Timestamp {
    NOW.minus(Duration::from_secs(seconds))
}

fn fact<D>(state: State, headline: &str, detail: D) -> Fact<D> {
    Fact {
        state,
        headline: headline.to_owned(),
        reason: String::new(),
        source: "a test".to_owned(),
        since: ago(9_000),
        checked_at: Some(ago(8)),
        detail: Some(detail),
    }
}

fn gateway() -> Gateway {
    Gateway {
        id: "openclaw".parse().unwrap(),
        name: "OpenClaw on vps-i1".to_owned(),
        public_url: "https://openclaw.example".to_owned(),
        stand_in: false,
    }
}

fn account() -> Account {
    Account {
        id: "default".parse().unwrap(),
        enabled: true,
        configured: true,
        linked: true,
        running: true,
        connected: true,
        phone: Some("+4915112345642".to_owned()),
        connected_at: Some(ago(600)),
        reconnect_attempts: 0,
        last_disconnect: None,
        last_error: None,
        last_inbound_at: Some(ago(40)),
        last_outbound_at: None,
        credential_age_ms: Some(518_400_000),
        health_state: None,
        breaker_tripped: false,
    }
}

/// Everything works.
pub(crate) fn observation() -> Observation {
    Observation {
        gateway: gateway(),
        edge: fact(
            State::Ok,
            "200 in 38 ms",
            Edge {
                status: Some(200),
                latency_ms: 38,
                tls_begins_at: None,
                tls_expires_at: None,
            },
        ),
        process: fact(
            State::Ok,
            "Live and ready",
            Process {
                live: true,
                started: Some(true),
                ready: Some(true),
                failing: Vec::new(),
                latency_ms: 3,
                version: Some("2026.9.5".to_owned()),
                protocol: Some(4),
                event_loop_ms: Some(2.0),
                uptime_ms: None,
                control: Control::Connected,
            },
        ),
        container: fact(
            State::Ok,
            "Running 6 days",
            Container {
                id: "abc".to_owned(),
                name: "openclaw-openclaw-gateway-1".to_owned(),
                state: ContainerState::Running,
                started_at: Some(ago(520_000)),
                finished_at: None,
                exit_code: None,
                oom_killed: false,
                restart_count: 0,
                restarts_last_hour: 0,
                health: None,
                image: "openclaw:2026.9.5".to_owned(),
                image_id: "sha256:7f3a7f3a7f3a7f3a".to_owned(),
                image_digest: None,
                ports: vec![Port {
                    container_port: 18_789,
                    bound: Some("127.0.0.1:18789".to_owned()),
                }],
                memory_bytes: Some(412 << 20),
                memory_limit_bytes: Some(1_536 << 20),
                cpu_percent: Some(1.2),
                volumes: vec!["openclaw_session_data → /data".to_owned()],
                hostname: "openclaw".to_owned(),
                hostname_is_default: false,
            },
        ),
        session: fact(
            State::Ok,
            "Connected",
            Session {
                plugin: Plugin::Present,
                accounts: vec![account()],
            },
        ),
        config: fact(
            State::Ok,
            "As written",
            Config {
                file: "docker-compose.yml".to_owned(),
                differences: Vec::new(),
            },
        ),
        lease: None,
        revision: 7,
    }
}

/// The phone logged the account out.
pub(crate) fn logged_out() -> Observation {
    let mut seen = observation();
    seen.session.state = State::Down;
    "Logged out".clone_into(&mut seen.session.headline);
    if let Some(session) = &mut seen.session.detail {
        let account = &mut session.accounts[0];
        account.linked = false;
        account.connected = false;
        account.last_disconnect = Some(Disconnect {
            code: Some(401),
            at: Some(ago(9_000)),
            logged_out: true,
        });
    }
    seen
}

/// The account is stopped: a reconnect helps.
pub(crate) fn stopped_account() -> Observation {
    let mut seen = observation();
    if let Some(session) = &mut seen.session.detail {
        session.accounts[0].connected = false;
        session.accounts[0].running = false;
    }
    seen
}

pub(crate) fn world() -> World {
    let bars = (0..48)
        .map(|bar| Bar {
            from: ago(86_400 - bar * 1_800),
            to: ago(86_400 - (bar + 1) * 1_800),
            state: Some(if bar == 30 { State::Down } else { State::Ok }),
            said: if bar == 30 {
                "No answer <502>".to_owned()
            } else {
                String::new()
            },
            planned: false,
        })
        .collect();
    World {
        gateways: vec![gateway()],
        observation: Some(Arc::new(observation())),
        strips: Arc::new(vec![Strip {
            fact: FactKind::Edge,
            bars,
        }]),
        incidents: Arc::new(vec![Incident {
            fact: FactKind::Edge,
            state: State::Down,
            headline: "No answer <502>".to_owned(),
            reason: "bad gateway".to_owned(),
            from: ago(32_000),
            to: Some(ago(31_956)),
            planned_by: Some("Restart by ben".to_owned()),
        }]),
        holder: None,
        scan: None,
        folder_fault: None,
        keys: FakeKeys::default(),
        second_person: false,
        proposal: None,
        hand_offs: Vec::new(),
        account_changes: Vec::new(),
        recipient: Some("age1fake".to_owned()),
        backups: Ok(Vec::new()),
        views: vec![
            view(3, None),
            view(2, Some(stuck())),
            view(1, Some(Outcome::Succeeded { note: None })),
        ],
        logs: Ok(vec![
            line(Level::Info, "[gateway] listening"),
            line(Level::Error, "[whatsapp] logged out <401>"),
        ]),
        comparison: Ok(Comparison {
            file: "/srv/openclaw/docker-compose.yml".to_owned(),
            project: "openclaw".to_owned(),
            container_name: "openclaw-openclaw-gateway-1".to_owned(),
            image: "openclaw:2026.9.6".to_owned(),
            image_id: None,
            fingerprint: "f1n9".to_owned(),
            fixed_hostname: true,
            stop_grace_seconds: 30,
            notes: Vec::new(),
            differences: vec![Difference {
                what: "image".to_owned(),
                running: "openclaw:2026.9.5".to_owned(),
                wanted: "openclaw:2026.9.6".to_owned(),
            }],
        }),
        tokens: Vec::new(),
        invitation: Some(Invitation {
            name: None,
            until: NOW.plus(Duration::from_secs(60)),
            used: false,
            overtaken: None,
        }),
        set_up: None,
        passkeys: Vec::new(),
        passkeys_possible: true,
        provider: None,
        mailbox: None,
        proofs: Proofs {
            subjects: Vec::new(),
            has_password: true,
        },
        saved_views: Vec::new(),
        second_factor_for: BTreeSet::new(),
        people: vec![
            person(1, "anna", Role::Admin),
            person(2, "ben", Role::Operator),
        ],
        audit: trail(),
        reviews: Vec::new(),
        agreed: Agreed::default(),
        unsaid: None,
        down_since: None,
        new_addresses: Vec::new(),
        searched_to: None,
        office_hours: None,
        chain: ChainStanding::default(),
        facts: facts(),
        credentials: credentials(),
        rotations: Vec::new(),
        reminders: Vec::new(),
        calendar_link: None,
        database_away: false,
        done: Mutex::default(),
        written: Mutex::default(),
    }
}

/// A key that is due, a session without a date, and one that a person added.
fn credentials() -> Vec<Credential> {
    vec![
        credential(40, Kind::GatewayKey, 168),
        credential(41, Kind::WhatsappSession, 0),
        credential(42, Kind::Other, 3),
    ]
}

/// One that was rotated so many days ago; its id is `id`.
pub(crate) fn credential(id: u128, kind: Kind, days: u64) -> Credential {
    let terms = BuiltIn {
        kind,
        gateway: None,
    }
    .terms();
    let (title, place, procedure) = match kind {
        Kind::Other => (
            "SMTP <password>".to_owned(),
            "the mail server".to_owned(),
            "1. Make `one`\n2. Put it <b>there</b>".to_owned(),
        ),
        _ => (terms.title, terms.place, terms.procedure),
    };
    Credential {
        id: Uuid::from_u128(id),
        kind,
        gateway: kind.is_of_a_gateway().then(|| gateway().id),
        title,
        place,
        owner: "otto".to_owned(),
        interval_days: match kind {
            Kind::Other => Some(90),
            _ => terms.interval_days,
        },
        procedure,
        added_at: ago(200 * 86_400),
        last: Some(Rotation {
            id: Uuid::from_u128(id + 100),
            at: ago(days * 86_400),
            by: Actor::CommandLine {
                user: "ben".to_owned(),
            },
            cause: Cause::Scheduled,
            operation: None,
            fingerprint: None,
            note: None,
            log: None,
        }),
        snoozed: None,
    }
}

fn line(level: Level, text: &str) -> LogLine {
    LogLine {
        at: Some(ago(60)),
        level,
        text: text.to_owned(),
    }
}

fn stuck() -> Outcome {
    Outcome::Stuck {
        at: "stop_old".to_owned(),
        why: Fault::new(
            FaultKind::TimedOut,
            Boundary::Docker,
            "Docker was too slow.",
        ),
        todo: "Look at the containers, then free the gateway.".to_owned(),
    }
}

pub(crate) fn operation(id: u128, outcome: Option<Outcome>) -> Operation {
    Operation {
        id: OperationId(Uuid::from_u128(id)),
        command: Command::Recreate {
            gateway: "openclaw".parse().unwrap(),
            seen: None,
        },
        asked_by: Actor::CommandLine {
            user: "ben".to_owned(),
        },
        reason: Some("updating to 2026.9.6".to_owned()),
        created_at: ago(19),
        ended_at: outcome.is_some().then_some(NOW),
        outcome,
        generation: 1,
        steps: Vec::new(),
        usually_ms: Some(33_000),
    }
}

fn view(id: u128, outcome: Option<Outcome>) -> OperationView {
    let step = |name: &str, label: &str, state, no_return| StepView {
        outline: StepOutline {
            name: name.to_owned(),
            label: label.to_owned(),
            no_return,
            cancel: Cancel::AfterStep,
            limit: Duration::from_secs(60),
            skippable: false,
        },
        started_at: (state != StepState::Todo).then(|| ago(10)),
        ended_at: (state == StepState::Done).then(|| ago(8)),
        state,
        said: vec![
            (ago(9), "image is present".to_owned()),
            (ago(8), "grace 30 s".to_owned()),
        ],
        fault: None,
        attempts: 1,
        skip_asked_by: None,
    };
    OperationView {
        operation: operation(id, outcome),
        steps: vec![
            step("check", "Check that it can be done", StepState::Done, false),
            step(
                "stop_old",
                "Stop the old container",
                StepState::Running,
                false,
            ),
            step(
                "remove_old",
                "Remove the old container",
                StepState::Todo,
                true,
            ),
        ],
        cancel_asked_by: None,
        sequence: 4,
    }
}
