//! The table of causes and rungs.

use std::fmt::Write as _;

use domain::fact::Disconnect;
use domain::ports::{Abilities, Readiness};

use super::*;

fn account() -> Account {
    Account {
        id: "default".parse().unwrap(),
        enabled: true,
        configured: true,
        linked: true,
        running: true,
        connected: false,
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

fn running(change: impl FnOnce(&mut Account)) -> Facts {
    let mut account = account();
    change(&mut account);
    Facts {
        state: ContainerState::Running,
        stands: "it is running".to_owned(),
        young: false,
        lease: false,
        readiness: Readiness {
            live: true,
            ready: true,
            failing: Vec::new(),
        },
        abilities: Abilities {
            reconnect: true,
            suspend: true,
            scan: true,
        },
        account: Asked::Known(Box::new(account)),
    }
}

fn silent(state: ContainerState) -> Facts {
    Facts {
        state,
        stands: "as it stands".to_owned(),
        readiness: Readiness::default(),
        abilities: Abilities::default(),
        account: Asked::Silent("The gateway does not answer.".to_owned()),
        ..running(|_| {})
    }
}

fn code(code: u16) -> impl FnOnce(&mut Account) {
    move |account| {
        account.last_disconnect = Some(Disconnect {
            code: Some(code),
            at: None,
            logged_out: code == 401,
        });
    }
}

/// Every cause, and what becomes of every rung; the words are to be read by a person.
#[test]
fn the_table_of_causes_and_rungs() {
    let with = |change: fn(&mut Facts)| {
        let mut facts = running(code(428));
        change(&mut facts);
        facts
    };
    let cases = [
        ("dropped", running(code(428)), false),
        (
            "not running",
            running(|account| account.running = false),
            false,
        ),
        (
            "restart-loop breaker",
            running(|account| account.breaker_tripped = true),
            false,
        ),
        (
            "never linked",
            running(|account| (account.linked, account.running) = (false, false)),
            false,
        ),
        (
            "logged out, files left",
            running(|account| {
                code(401)(account);
                account.running = false;
            }),
            false,
        ),
        ("link not taken (411)", running(code(411)), false),
        ("another client (440)", running(code(440)), false),
        (
            "old version",
            with(|facts| facts.abilities.reconnect = false),
            false,
        ),
        (
            "connected, not ready",
            with(|facts| {
                facts.readiness.ready = false;
                if let Asked::Known(account) = &mut facts.account {
                    account.connected = true;
                }
            }),
            false,
        ),
        (
            "key refused",
            with(|facts| facts.account = Asked::Refuses("The key is refused.".to_owned())),
            false,
        ),
        ("does not answer", silent(ContainerState::Running), false),
        ("frozen", silent(ContainerState::Paused), false),
        ("stopped", silent(ContainerState::Exited), false),
        ("started in vain", silent(ContainerState::Exited), true),
        ("started, dropped", running(code(428)), true),
        ("crash loop", silent(ContainerState::Restarting), false),
        ("dead", silent(ContainerState::Dead), false),
        (
            "owner lease, wait skipped",
            Facts {
                lease: true,
                ..silent(ContainerState::Restarting)
            },
            false,
        ),
    ];
    let mut table = String::new();
    for (cause, facts, started) in cases {
        writeln!(table, "{cause}").unwrap();
        for kind in [
            Kind::Start,
            Kind::Reconnect,
            Kind::Restart,
            Kind::Recreate,
            Kind::Relink,
        ] {
            let said = match choose(kind, &facts, Climbed { started }) {
                Choice::Try(why) => format!("TRY: {why}"),
                Choice::NotNeeded(why) => format!("not needed: {why}"),
                Choice::NotTried(why) => format!("not tried: {why}"),
            };
            writeln!(table, "  {:<9} {said}", kind.word()).unwrap();
        }
    }
    insta::assert_snapshot!(table);
}

#[test]
fn a_link_that_may_work_is_never_replaced() {
    for last in [401, 408, 411, 428, 440, 499, 500, 503, 515] {
        let facts = running(code(last));
        let choice = choose(Kind::Relink, &facts, Climbed::default());
        assert!(matches!(choice, Choice::NotTried(_)), "{last}: {choice:?}");
    }
}
