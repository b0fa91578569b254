use domain::action::Action;
use domain::can;
use domain::operation::{OperationId, Outcome};
use domain::ports::{Clock as _, Operations as _};

use super::*;
use crate::engine::Engine;
use crate::testing::story_tests::{Scenario, story_tests};
use crate::testing::{Bench, Phone, World, gateway, operator};

fn command() -> Command {
    Command::Relink {
        gateway: "openclaw".parse().unwrap(),
        account: "default".parse().unwrap(),
    }
}

fn put_away(world: &World) {
    world.assert_runs();
    assert_eq!(world.lock().shown, None);
}

fn scenario() -> Scenario {
    Scenario {
        command: command(),
        world: World::unlinked,
        done: |world| {
            put_away(world);
            world.account(|account| assert!(account.linked && account.connected));
        },
        undone: put_away,
    }
}

story_tests!(scenario);

async fn outcome(world: World) -> (Outcome, Bench) {
    let bench = Bench::new(world);
    let panel = bench.panel();
    let id = bench.ask(&panel, &command(), "key").await.unwrap();
    (bench.ended(id).await, bench)
}

fn why(outcome: &Outcome) -> &str {
    match outcome {
        Outcome::Undone { why } => &why.message,
        other => panic!("{other:?}"),
    }
}

#[tokio::test(start_paused = true)]
async fn a_link_that_may_work_is_not_replaced() {
    let world = World::running();
    world.account(|account| account.connected = false);
    let (outcome, bench) = outcome(world).await;
    assert!(why(&outcome).contains("still has its link"), "{outcome:?}");
    assert_eq!(bench.world.changes(), Vec::<String>::new());
}

#[tokio::test(start_paused = true)]
async fn a_connected_account_needs_no_scan() {
    let (outcome, _) = outcome(World::running()).await;
    assert!(why(&outcome).contains("no scan is needed"), "{outcome:?}");
}

#[tokio::test(start_paused = true)]
async fn nobody_scans_and_it_ends_after_the_last_code() {
    let world = World::unlinked();
    world.lock().phone = Phone::Away;
    let (outcome, bench) = outcome(world).await;
    assert!(
        why(&outcome).contains("Nobody scanned a code"),
        "{outcome:?}"
    );
    assert_eq!(bench.world.lock().shown, None);
}

/// The panel's page, after so many seconds.
async fn shown(bench: &Bench, after: u64) -> Option<Scan> {
    tokio::time::sleep(secs(after)).await;
    bench.world.lock().shown.clone()
}

/// The phone has logged the account out, and scans a code that WhatsApp does not finish.
fn hangs() -> Bench {
    let world = World::logged_out();
    world.account(|account| account.linked = true);
    world.lock().phone = Phone::Hangs;
    Bench::new(world)
}

async fn stop(bench: &Bench, panel: &Engine, id: OperationId) {
    let permit = can::permit(&operator(), Action::CancelOperation, Some(&gateway()));
    panel.cancel(permit.unwrap(), id).await.unwrap();
    bench.ended(id).await;
}

#[tokio::test(start_paused = true)]
async fn a_scan_that_hangs_is_told_though_the_account_was_logged_out_and_its_link_is_started() {
    let bench = hangs();
    let id = bench.ask(&bench.panel(), &command(), "key").await.unwrap();
    assert_eq!(shown(&bench, 5).await, Some(Scan::Scanned));
    let outcome = bench.ended(id).await;
    assert_eq!(outcome, Outcome::Succeeded { note: None });
    bench.world.account(|account| assert!(account.connected));
}

#[tokio::test(start_paused = true)]
async fn a_code_that_was_scanned_is_not_shown_again_until_the_gateway_has_another() {
    let bench = hangs();
    let began = bench.world.clock.now();
    let panel = bench.panel();
    let first = bench.ask(&panel, &command(), "first").await.unwrap();
    assert_eq!(shown(&bench, 10).await, Some(Scan::Scanned));
    stop(&bench, &panel, first).await;
    // Unlinked meanwhile: only the panel remembers the scan.
    bench.world.account(|account| account.linked = false);
    let second = bench.ask(&panel, &command(), "second").await.unwrap();
    let Some(Scan::Spent { until }) = shown(&bench, 2).await else {
        panic!("{:?}", bench.world.lock().shown);
    };
    let of = |after| began.plus(OVER).plus(after);
    assert!(until >= of(secs(0)) && until < of(secs(5)), "{until}");
    assert_eq!(shown(&bench, 160).await, Some(Scan::Spent { until }));
    bench.world.lock().phone = Phone::Away;
    let fresh = shown(&bench, 15).await;
    let Some(Scan::Showing {
        attempt: 1,
        good_until,
        ..
    }) = fresh
    else {
        panic!("{fresh:?}");
    };
    assert!(good_until > until.plus(secs(160)), "{good_until} {until}");
    stop(&bench, &panel, second).await;
}

#[tokio::test(start_paused = true)]
async fn a_link_that_whatsapp_does_not_let_in_is_given_up_at_once_and_the_passkey_is_named() {
    let bench = hangs();
    bench.world.lock().phone = Phone::Passkey;
    let began = bench.world.clock.now();
    let id = bench.ask(&bench.panel(), &command(), "key").await.unwrap();
    let outcome = bench.ended(id).await;
    let Outcome::Succeeded { note: Some(note) } = &outcome else {
        panic!("{outcome:?}")
    };
    assert!(note.contains("passkey"), "{note}");
    assert!(bench.world.clock.now().since(began) < STALLED + secs(15));
}

#[tokio::test(start_paused = true)]
async fn a_scanned_device_that_is_not_let_in_is_told_and_the_next_code_links() {
    let bench = hangs();
    bench.world.lock().phone = Phone::Refused;
    let id = bench.ask(&bench.panel(), &command(), "key").await.unwrap();
    let mut seen = Vec::new();
    while bench.world.lock().phone == Phone::Refused {
        seen.push(shown(&bench, 1).await);
    }
    assert!(seen.contains(&Some(Scan::Scanned)), "{seen:?}");
    let outcome = bench.ended(id).await;
    assert_eq!(outcome, Outcome::Succeeded { note: None });
    let told = bench.journal.dump();
    assert!(told.contains("did not let the scanned device in"), "{told}");
}

/// The panel was started anew after the scan, and remembers nothing.
#[tokio::test(start_paused = true)]
async fn a_login_that_waits_beside_new_files_was_scanned() {
    let bench = hangs();
    let began = bench.world.clock.now();
    let panel = bench.panel();
    let first = bench.ask(&panel, &command(), "first").await.unwrap();
    assert_eq!(shown(&bench, 10).await, Some(Scan::Scanned));
    stop(&bench, &panel, first).await;
    bench.world.lock().known_login = None;
    let second = bench.ask(&panel, &command(), "second").await.unwrap();
    let waits = shown(&bench, 2).await;
    assert!(matches!(waits, Some(Scan::Spent { .. })), "{waits:?}");
    // What WhatsApp finishes after all needs no code.
    bench.world.lock().phone = Phone::Scans;
    bench.ended(second).await;
    bench.world.account(|account| assert!(account.connected));
    assert!(bench.world.clock.now().since(began) < secs(60));
}

/// Somebody stops it while the code is shown, and asks for it again: the gateway's login has gone on meanwhile.
#[tokio::test(start_paused = true)]
async fn a_login_that_was_stopped_is_joined_with_the_time_that_it_has_left() {
    let world = World::unlinked();
    world.lock().phone = Phone::Away;
    let bench = Bench::new(world);
    let panel = bench.panel();
    let shown = async |key: &str, after: u64| {
        let id = bench.ask(&panel, &command(), key).await.unwrap();
        tokio::time::sleep(secs(after)).await;
        let shown = bench.world.lock().shown.clone();
        let Some(Scan::Showing {
            good_until,
            attempt: 1,
            ..
        }) = shown
        else {
            panic!("{shown:?}");
        };
        stop(&bench, &panel, id).await;
        good_until
    };
    let first = shown("first", 30).await;
    assert_eq!(shown("second", 5).await, first);
    // The gateway's answer is late, as if it still waited for a scan: that is another login than the one of old.
    tokio::time::sleep(OVER).await;
    assert!(shown("third", 5).await > first);
}

#[tokio::test(start_paused = true)]
async fn a_server_that_cannot_be_reached_is_named_with_the_gateways_words() {
    let world = World::unlinked();
    world.lock().phone = Phone::Unreachable;
    let (outcome, _) = outcome(world).await;
    let why = why(&outcome);
    assert!(
        why.contains("cannot reach WhatsApp") && why.contains("socket hang up"),
        "{why}"
    );
}

#[tokio::test(start_paused = true)]
async fn a_link_that_stalls_is_kept_and_the_passkey_is_named() {
    let world = World::unlinked();
    world.lock().phone = Phone::Stalls;
    let (outcome, bench) = outcome(world).await;
    let Outcome::Succeeded { note: Some(note) } = &outcome else {
        panic!("{outcome:?}")
    };
    assert!(note.contains("passkey"), "{note}");
    bench.world.account(|account| assert!(account.linked));
}

#[test]
fn every_failure_keeps_the_gateways_words() {
    for message in ["", "WhatsApp login failed: something new", "logged out"] {
        assert!(explained(message).contains(&format!("“{message}”")));
    }
}
