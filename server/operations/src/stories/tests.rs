//! What single stories promise beyond the generic tests.

use std::time::Duration;

use domain::fact::ContainerState;
use domain::fault::{Boundary, Fault, FaultKind};
use domain::operation::{Command, Outcome};
use domain::ports::Clock;

use super::Book;
use crate::testing::story_tests::tell;
use crate::testing::{Bench, Fate, NAME, World, gateway, logged_out};

const SECOND: Duration = Duration::from_secs(1);

fn restart() -> Command {
    Command::Restart { gateway: gateway() }
}

fn recreate() -> Command {
    Command::Recreate {
        gateway: gateway(),
        seen: Some("fp-1".to_owned()),
    }
}

fn install() -> Command {
    Command::Install { gateway: gateway() }
}

fn stop() -> Command {
    Command::Stop { gateway: gateway() }
}

fn start() -> Command {
    Command::Start { gateway: gateway() }
}

fn reconnect() -> Command {
    Command::Reconnect {
        gateway: gateway(),
        account: "default".parse().unwrap(),
    }
}

/// The outcome, and the journal as text.
async fn run(world: &World, command: Command) -> (Outcome, String) {
    let bench = Bench::new(world.clone());
    let (id, outcome) = bench.run(Book::default(), &command).await;
    let told = tell(&bench.journal.entries(id));
    (outcome, told)
}

/// It was refused for this reason, and nothing was changed.
async fn refused(world: &World, command: Command, because: &str) {
    let (outcome, told) = run(world, command).await;
    let Outcome::Undone { why } = outcome else {
        panic!("{told}");
    };
    assert!(why.message.contains(because), "{why}");
    assert_eq!(world.changes(), Vec::<String>::new(), "{told}");
}

/// It was put back for this reason: the old container runs.
async fn put_back(world: &World, because: &str) -> String {
    let (outcome, told) = run(world, recreate()).await;
    let Outcome::Undone { why } = outcome else {
        panic!("{told}");
    };
    assert!(why.message.contains(because), "{why}");
    assert!(world.assert_runs().starts_with("old"), "{told}");
    told
}

/// It succeeded with a note that says this.
async fn noted(world: &World, command: Command, note: &str) -> String {
    let (outcome, told) = run(world, command).await;
    let Outcome::Succeeded { note: Some(said) } = outcome else {
        panic!("{told}");
    };
    assert!(said.contains(note), "{said}");
    told
}

fn away() -> Fault {
    Fault::new(
        FaultKind::Unreachable,
        Boundary::Docker,
        "Docker does not answer",
    )
}

// ---- refusals -------------------------------------------------------------------------------------

#[tokio::test(start_paused = true)]
async fn without_a_container_only_install_works() {
    for command in [restart(), recreate(), stop(), start()] {
        refused(&World::empty(), command, "Use Install").await;
    }
    refused(
        &World::running(),
        install(),
        "Use Start to start it, or Recreate",
    )
    .await;
}

#[tokio::test(start_paused = true)]
async fn recreate_is_refused_when_the_folder_changed_since_the_look() {
    let world = World::running();
    "fp-2".clone_into(&mut world.lock().comparison.fingerprint);
    refused(&world, recreate(), "changed since you looked").await;
}

#[tokio::test(start_paused = true)]
async fn recreate_and_install_are_refused_without_the_image() {
    for (world, command) in [(World::running(), recreate()), (World::empty(), install())] {
        world.lock().comparison.image_id = None;
        refused(&world, command, "is not on the host").await;
    }
}

#[tokio::test(start_paused = true)]
async fn what_the_folder_asks_for_and_nobody_does_is_said() {
    for (world, command) in [(World::running(), recreate()), (World::empty(), install())] {
        let note = "The service depends on `db`, which does not run.".to_owned();
        world.lock().comparison.notes = vec![note.clone()];
        let (_, told) = run(&world, command).await;
        assert!(told.contains(&note), "{told}");
    }
}

#[tokio::test(start_paused = true)]
async fn reconnect_is_refused_where_it_cannot_help() {
    let world = World::running();
    world.lock().abilities.reconnect = false;
    refused(&world, reconnect(), "Use Restart instead").await;

    let world = World::running();
    world.account(|account| account.linked = false);
    refused(&world, reconnect(), "needs a new link").await;

    let world = World::running();
    world.lock().accounts = None;
    refused(&world, reconnect(), "plugin is not installed").await;

    let world = World::running();
    world.lock().accounts = Some(Vec::new());
    refused(&world, reconnect(), "no account default").await;
}

#[tokio::test(start_paused = true)]
async fn start_is_refused_for_a_frozen_container() {
    let world = World::running();
    world.lock().boxes[0].state = ContainerState::Paused;
    refused(&world, start(), "Use Restart").await;
}

// ---- recreate puts back ---------------------------------------------------------------------------

#[tokio::test(start_paused = true)]
async fn a_new_gateway_that_never_gets_ready_is_put_back() {
    let world = World::running();
    world.lock().new_fate = Fate::NeverReady;
    let told = put_back(&world, "not ready (channels did not come up)").await;
    assert!(told.contains("log: "), "{told}");
}

#[tokio::test(start_paused = true)]
async fn a_new_gateway_that_docker_calls_unhealthy_is_put_back_at_once() {
    let world = World::running();
    world.lock().new_fate = Fate::Mute {
        unhealthy_after: SECOND * 30,
    };
    let told = put_back(
        &world,
        "Docker's health check calls the container unhealthy",
    )
    .await;
    assert!(told.contains("after 30 s"), "{told}");
}

#[tokio::test(start_paused = true)]
async fn a_new_container_that_crashes_is_put_back_at_once() {
    let world = World::running();
    world.lock().new_fate = Fate::Crashes {
        after: SECOND * 3,
        code: 127,
    };
    put_back(&world, "exit code 127, the command was not found").await;
    assert!(
        world.clock.elapsed() < SECOND * 60,
        "{:?}",
        world.clock.elapsed()
    );
}

#[tokio::test(start_paused = true)]
async fn a_new_gateway_without_the_old_state_is_put_back() {
    let world = World::running();
    world.lock().new_has_state = false;
    put_back(&world, "without the link of account default").await;
}

#[tokio::test(start_paused = true)]
async fn a_name_that_was_taken_meanwhile_is_stuck_not_removed() {
    let world = World::running();
    // Time for somebody to take the name.
    world.fail("create", [away()]);
    let foreign = {
        let mut inner = world.lock();
        let mut foreign = inner.boxes[0].clone();
        "foreign".clone_into(&mut foreign.id);
        "elsewhere".clone_into(&mut foreign.name);
        foreign.state = ContainerState::Exited;
        inner.boxes.push(foreign.clone());
        foreign.id
    };
    let bench = Bench::new(world.clone());
    let panel = bench.panel();
    let id = bench.ask(&panel, &recreate(), "key").await.unwrap();
    while !world.changes().contains(&"rename".to_owned()) {
        tokio::time::sleep(SECOND / 100).await;
    }
    world.lock().find(&foreign).unwrap().name = NAME.to_owned();
    let outcome = bench.ended(id).await;
    assert!(matches!(&outcome, Outcome::Stuck { .. }), "{outcome:?}");
    assert!(world.lock().find(&foreign).is_some());
    assert!(!world.changes().contains(&"remove".to_owned()));
}

#[tokio::test(start_paused = true)]
async fn a_recreate_of_a_stopped_gateway_that_fails_leaves_it_stopped() {
    let world = World::stopped();
    world.lock().new_fate = Fate::NeverReady;
    let (outcome, told) = run(&world, recreate()).await;
    assert!(matches!(outcome, Outcome::Undone { .. }), "{told}");
    assert_eq!(world.assert_one().state, ContainerState::Exited);
}

// ---- recreate goes on -----------------------------------------------------------------------------

#[tokio::test(start_paused = true)]
async fn a_killed_gateway_with_a_changing_host_name_is_waited_for_and_counted_down() {
    let world = World::running();
    {
        let mut inner = world.lock();
        inner.boxes[0].fate = Fate::Stubborn;
        "old000000000".clone_into(&mut inner.boxes[0].hostname);
        inner.comparison.fixed_hostname = false;
    }
    let (outcome, told) = run(&world, recreate()).await;
    assert_eq!(outcome, Outcome::Succeeded { note: None }, "{told}");
    for said in [
        "had to be killed",
        "keeps it from starting for up to 5 min",
        "Waiting for the owner lease to end: 3 min",
        "Live after 5 min",
    ] {
        assert!(told.contains(said), "{said}: {told}");
    }
    let lease = told.matches("its owner lease on the state folder is still active");
    assert_eq!(lease.count(), 1, "{told}");
    assert!(world.assert_runs().starts_with("new"));
}

#[tokio::test(start_paused = true)]
async fn a_start_that_gives_up_on_a_busy_machine_is_said_once_and_waited_for() {
    let world = World::running();
    world.lock().new_fate = Fate::Starved {
        during: SECOND * 100,
    };
    let (outcome, told) = run(&world, recreate()).await;
    assert_eq!(outcome, Outcome::Succeeded { note: None }, "{told}");
    assert_eq!(told.matches("too busy").count(), 1, "{told}");
    assert!(!told.contains("owner lease"), "{told}");
    assert!(world.assert_runs().starts_with("new"));
}

#[tokio::test(start_paused = true)]
async fn a_machine_that_stays_too_busy_is_given_up_and_put_back() {
    let world = World::running();
    world.lock().new_fate = Fate::Starved {
        during: SECOND * 3600,
    };
    put_back(&world, "not live after 4 min").await;
}

#[tokio::test(start_paused = true)]
async fn a_killed_gateway_with_a_fixed_host_name_needs_no_wait() {
    let world = World::running();
    world.lock().boxes[0].fate = Fate::Stubborn;
    let (outcome, told) = run(&world, recreate()).await;
    assert_eq!(outcome, Outcome::Succeeded { note: None }, "{told}");
    assert!(world.clock.elapsed() < SECOND * 60);
}

#[tokio::test(start_paused = true)]
async fn a_gateway_killed_before_is_said_with_its_cost() {
    let world = World::running();
    let now = world.clock.now();
    {
        let mut inner = world.lock();
        "old000000000".clone_into(&mut inner.boxes[0].hostname);
        inner.kill(NAME, now);
    }
    let (outcome, told) = run(&world, recreate()).await;
    assert!(matches!(outcome, Outcome::Succeeded { .. }), "{told}");
    assert!(told.contains("The old container does not run"), "{told}");
    assert!(told.contains("owner lease"), "{told}");
}

#[tokio::test(start_paused = true)]
async fn docker_that_is_away_for_a_moment_changes_nothing() {
    for call in ["stop", "rename", "create", "start", "remove", "find"] {
        let world = World::running();
        world.fail(call, [away(), away()]);
        let (outcome, told) = run(&world, recreate()).await;
        assert_eq!(outcome, Outcome::Succeeded { note: None }, "{call}: {told}");
        assert!(world.assert_runs().starts_with("new"));
    }
}

#[tokio::test(start_paused = true)]
async fn docker_that_is_away_for_minutes_while_putting_back_is_waited_for() {
    let world = World::running();
    world.lock().new_fate = Fate::NeverReady;
    // The old one is never removed on this way: this is the new one.
    world.fail("remove", (0..40).map(|_| away()));
    put_back(&world, "not ready").await;
}

#[tokio::test(start_paused = true)]
async fn an_old_container_that_cannot_be_removed_is_a_note() {
    let world = World::running();
    world.fail(
        "remove",
        [Fault::new(FaultKind::Refused, Boundary::Docker, "in use")],
    );
    noted(&world, recreate(), "could not be removed (in use)").await;
}

// ---- accounts -------------------------------------------------------------------------------------

#[tokio::test(start_paused = true)]
async fn an_account_that_was_logged_out_is_a_note_and_not_waited_for() {
    for command in [restart(), recreate()] {
        let world = World::running();
        let bench = Bench::new(world.clone());
        let panel = bench.panel();
        let id = bench.ask(&panel, &command, "key").await.unwrap();
        tokio::time::sleep(SECOND * 10).await;
        world.account(|account| {
            account.connected = false;
            account.linked = false;
            account.last_disconnect = Some(logged_out());
        });
        let outcome = bench.ended(id).await;
        let Outcome::Succeeded { note: Some(note) } = outcome else {
            panic!("{outcome:?}");
        };
        assert_eq!(
            note,
            "It came back, but account default is not connected: it was logged out from the phone, and \
             needs a new link."
        );
        assert!(world.clock.elapsed() < SECOND * 60);
    }
}

#[tokio::test(start_paused = true)]
async fn an_account_that_was_not_connected_before_is_still_not() {
    let world = World::running();
    world.account(|account| {
        account.connected = false;
        account.last_error = Some("getaddrinfo ENOTFOUND web.whatsapp.com".to_owned());
    });
    let note = "account default is still not connected: getaddrinfo ENOTFOUND";
    noted(&world, recreate(), note).await;
}

#[tokio::test(start_paused = true)]
async fn the_restart_loop_breaker_is_cured_on_the_way() {
    let world = World::running();
    world.account(|account| account.breaker_tripped = true);
    let (outcome, told) = run(&world, restart()).await;
    assert_eq!(outcome, Outcome::Succeeded { note: None }, "{told}");
    assert!(
        told.contains("kept account default from starting; started it"),
        "{told}"
    );
}

#[tokio::test(start_paused = true)]
async fn a_gateway_without_the_plugin_is_said() {
    let world = World::running();
    world.lock().accounts = None;
    noted(&world, restart(), "no WhatsApp channel").await;
}

// ---- restart, stop, reconnect ---------------------------------------------------------------------

#[tokio::test(start_paused = true)]
async fn a_restart_that_crashes_fails_with_the_last_lines() {
    let world = World::running();
    let bench = Bench::new(world.clone());
    let panel = bench.panel();
    let id = bench.ask(&panel, &restart(), "key").await.unwrap();
    while !world.changes().contains(&"start".to_owned()) {
        tokio::time::sleep(SECOND / 10).await;
    }
    world.lock().boxes[0].fate = Fate::Crashes {
        after: SECOND * 5,
        code: 1,
    };
    let outcome = bench.ended(id).await;
    let told = tell(&bench.journal.entries(id));
    assert!(
        matches!(&outcome, Outcome::Failed { at, .. } if at == "await_live"),
        "{told}"
    );
    assert!(told.contains("log: gateway key [hidden]"), "{told}");
}

#[tokio::test(start_paused = true)]
async fn a_version_that_cannot_drain_is_said() {
    let world = World::running();
    world.lock().abilities.suspend = false;
    let (outcome, told) = run(&world, restart()).await;
    assert_eq!(outcome, Outcome::Succeeded { note: None });
    assert!(told.contains("cannot be asked to finish its work first; the stop leaves it 30 s"));
    assert!(!world.changes().contains(&"suspend".to_owned()));
}

#[tokio::test(start_paused = true)]
async fn a_restart_that_docker_refuses_leaves_no_paused_gateway() {
    let world = World::running();
    world.fail(
        "restart",
        [Fault::new(
            FaultKind::Refused,
            Boundary::Docker,
            "no permission",
        )],
    );
    let (outcome, told) = run(&world, restart()).await;
    assert!(matches!(outcome, Outcome::Failed { .. }), "{told}");
    assert!(world.assert_runs().starts_with("old"));
}

#[tokio::test(start_paused = true)]
async fn a_frozen_gateway_is_restarted() {
    let world = World::running();
    world.lock().boxes[0].state = ContainerState::Paused;
    let (outcome, told) = run(&world, restart()).await;
    assert_eq!(outcome, Outcome::Succeeded { note: None }, "{told}");
    assert!(told.contains("it is frozen"), "{told}");
}

#[tokio::test(start_paused = true)]
async fn a_stop_that_had_to_kill_says_so() {
    let world = World::running();
    world.lock().boxes[0].fate = Fate::Stubborn;
    noted(&world, stop(), "It did not stop by itself").await;
    let world = World::stopped();
    noted(&world, stop(), "It did not run before either").await;
}

#[tokio::test(start_paused = true)]
async fn a_reconnect_that_does_not_connect_says_why() {
    let world = World::running();
    world.account(|account| {
        account.connected = false;
        account.last_error = Some("getaddrinfo ENOTFOUND".to_owned());
    });
    let (outcome, told) = run(&world, reconnect()).await;
    let Outcome::Undone { why } = outcome else {
        panic!("{told}");
    };
    assert!(why.message.contains("ENOTFOUND"), "{why}");
    assert_eq!(world.lock().stopped, Vec::<String>::new());
}
