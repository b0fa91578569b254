//! Fix WhatsApp: what each cause leads to, and what must not have happened.

use std::time::Duration;

use domain::action::Action;
use domain::can;
use domain::fact::{ContainerState, Disconnect};
use domain::fault::{Boundary, Fault, FaultKind};
use domain::operation::{Command, Event, Outcome, Passing};
use domain::ports::{Clock, Operations};

use crate::stories::Book;
use crate::testing::story_tests::tell;
use crate::testing::{Bench, Cure, Fate, NAME, Phone, World, gateway, operator};

const SECOND: Duration = Duration::from_secs(1);

fn recover() -> Command {
    Command::Recover {
        gateway: gateway(),
        account: "default".parse().unwrap(),
    }
}

/// What came of it.
struct Climb {
    outcome: Outcome,
    told: String,
    bench: Bench,
    /// The rungs that were not needed or not tried.
    passed: Vec<String>,
}

impl Climb {
    async fn of(world: World) -> Self {
        Self::on(Bench::new(world)).await
    }

    async fn on(bench: Bench) -> Self {
        let (id, outcome) = bench.run(Book::default(), &recover()).await;
        let entries = bench.journal.entries(id);
        let passed = entries.iter().filter_map(|entry| match &entry.event {
            Event::Passed {
                step,
                how: Passing::NotNeeded,
                ..
            } => Some(step.clone()),
            _ => None,
        });
        Self {
            outcome,
            told: tell(&entries),
            passed: passed.collect(),
            bench,
        }
    }

    fn says(&self, said: &str) {
        assert!(self.told.contains(said), "{said}: {}", self.told);
    }

    fn worked(&self) {
        assert_eq!(
            self.outcome,
            Outcome::Succeeded { note: None },
            "{}",
            self.told
        );
    }

    /// Why it failed.
    fn why(&self) -> &str {
        match &self.outcome {
            Outcome::Undone { why } | Outcome::Failed { why, .. } => &why.message,
            other => panic!("{other:?}: {}", self.told),
        }
    }

    fn changes(&self, expected: &[&str]) {
        assert_eq!(self.bench.world.changes(), expected, "{}", self.told);
    }

    /// The rungs that were audited.
    fn audited(&self, expected: &[&str]) {
        let events = self.bench.audit.events();
        let notes = events.iter().map(|event| {
            assert_eq!(event.action, "recover");
            assert_eq!(event.target.as_deref(), Some("account default"));
            assert_eq!(event.actor.name(), "olga");
            let note = event.note.as_deref().unwrap();
            note.split(':').next().unwrap()
        });
        assert_eq!(notes.collect::<Vec<_>>(), expected, "{}", self.told);
    }
}

// ---- nothing to do, or nothing that can be done ---------------------------------------------------

#[tokio::test(start_paused = true)]
async fn what_works_is_not_touched() {
    let climb = Climb::of(World::running()).await;
    let Outcome::Succeeded { note: Some(note) } = &climb.outcome else {
        panic!("{}", climb.told);
    };
    assert!(note.contains("Nothing to fix"), "{note}");
    climb.changes(&[]);
    climb.audited(&[]);
    assert!(climb.bench.world.clock.elapsed() < SECOND * 5);
}

#[tokio::test(start_paused = true)]
async fn what_no_rung_helps_against_is_refused_and_nothing_is_touched() {
    let plugin = World::running();
    plugin.lock().accounts = None;
    let unknown = World::running();
    unknown.lock().accounts = Some(Vec::new());
    let off = World::dropped(Cure::Nothing);
    off.account(|account| account.enabled = false);
    let banned = World::dropped(Cure::Nothing);
    last_word(&banned, 403);
    let removing = World::running();
    removing.lock().boxes[0].state = ContainerState::Removing;
    for (world, because) in [
        (World::empty(), "Use Install"),
        (removing, "is removing the container"),
        (plugin, "its plugin is not installed"),
        (unknown, "no account default"),
        (off, "switched off in the gateway's configuration"),
        (banned, "Open WhatsApp on the phone"),
    ] {
        let climb = Climb::of(world).await;
        assert!(
            matches!(climb.outcome, Outcome::Undone { .. }),
            "{}",
            climb.told
        );
        assert!(climb.why().contains(because), "{}", climb.told);
        climb.changes(&[]);
        climb.audited(&[]);
    }
}

#[tokio::test(start_paused = true)]
async fn without_docker_it_is_refused_with_its_sentence() {
    let world = World::dropped(Cure::Reconnect);
    let away = || {
        Fault::new(
            FaultKind::Unreachable,
            Boundary::Docker,
            "Docker does not answer.",
        )
    };
    world.fail("find", (0..50).map(|_| away()));
    let climb = Climb::of(world).await;
    assert_eq!(climb.why(), "Docker does not answer.");
    climb.changes(&[]);
    climb.audited(&[]);
}

// ---- the gentlest rung that helps -----------------------------------------------------------------

#[tokio::test(start_paused = true)]
async fn after_the_rung_that_helps_nothing_more_is_tried() {
    let climb = Climb::of(World::dropped(Cure::Reconnect)).await;
    climb.worked();
    climb.changes(&["stop_account", "start_account"]);
    climb.audited(&["Tries reconnect"]);
    climb.says(
        "The account is not connected: WhatsApp closed the connection (428). The link is kept",
    );
    climb.says("Not needed: it works.");
}

#[tokio::test(start_paused = true)]
async fn every_rung_is_audited_before_it_acts() {
    let climb = Climb::of(World::dropped(Cure::Recreate)).await;
    climb.worked();
    climb.audited(&["Tries reconnect", "Tries restart", "Tries recreate"]);
}

#[tokio::test(start_paused = true)]
async fn without_an_audit_trail_no_rung_is_tried() {
    let bench = Bench::new(World::dropped(Cure::Reconnect));
    bench.audit.go_away();
    let climb = Climb::on(bench).await;
    assert!(climb.why().contains("audit trail"), "{}", climb.told);
    climb.changes(&[]);
}

#[tokio::test(start_paused = true)]
async fn an_account_that_is_held_back_or_stopped_is_only_started() {
    let held = World::running();
    held.account(|account| account.breaker_tripped = true);
    let stopped = World::running();
    stopped.lock().stopped.push("default".to_owned());
    for world in [held, stopped] {
        let climb = Climb::of(world).await;
        climb.worked();
        climb.changes(&["start_account"]);
        climb.audited(&["Tries reconnect"]);
    }
}

#[tokio::test(start_paused = true)]
async fn a_version_without_reconnect_goes_on_to_the_restart() {
    let world = World::dropped(Cure::Reconnect);
    world.lock().abilities.reconnect = false;
    let climb = Climb::of(world).await;
    climb.worked();
    climb.says("not offered by this version of the gateway");
    climb.changes(&["suspend", "stop", "start"]);
    climb.audited(&["Tries restart"]);
}

#[tokio::test(start_paused = true)]
async fn a_stopped_container_is_started_and_not_restarted() {
    let climb = Climb::of(World::stopped()).await;
    climb.worked();
    climb.changes(&["start"]);
    climb.audited(&["Tries start"]);
}

#[tokio::test(start_paused = true)]
async fn a_start_that_does_not_help_is_not_followed_by_a_restart() {
    let world = World::stopped();
    world.lock().ails = Some(Cure::Recreate);
    let climb = Climb::of(world).await;
    climb.worked();
    climb.audited(&["Tries start", "Tries reconnect", "Tries recreate"]);
    climb.says("a restart is the same once more");
}

#[tokio::test(start_paused = true)]
async fn a_gateway_that_is_not_ready_is_restarted_though_its_account_is_connected() {
    let world = World::running();
    world.lock().boxes[0].fate = Fate::NeverReady;
    let climb = Climb::of(world).await;
    // The container is what ails, so only the new one is ready.
    climb.worked();
    climb.says("Not needed: The account is connected; it is the gateway that is not ready.");
    climb.audited(&["Tries restart", "Tries recreate"]);
    assert!(
        !climb
            .bench
            .world
            .changes()
            .contains(&"stop_account".to_owned())
    );
}

// ---- waiting --------------------------------------------------------------------------------------

#[tokio::test(start_paused = true)]
async fn a_gateway_that_is_starting_is_given_its_time() {
    let world = World::running();
    let now = world.clock.now();
    world.lock().boxes[0].started_at = Some(now);
    let climb = Climb::of(world).await;
    climb.worked();
    climb.changes(&[]);
    climb.says("was started a moment ago");
}

#[tokio::test(start_paused = true)]
async fn an_owner_lease_is_waited_for_and_counted_down() {
    let world = World::running();
    let now = world.clock.now();
    {
        let mut inner = world.lock();
        inner.kill(NAME, now.minus(SECOND * 60));
        inner.boxes[0].state = ContainerState::Running;
        inner.boxes[0].started_at = Some(now.minus(SECOND * 59));
        "another-name".clone_into(&mut inner.boxes[0].hostname);
    }
    let climb = Climb::of(world).await;
    climb.worked();
    climb.changes(&[]);
    climb.audited(&[]);
    climb.says("Waiting for the owner lease to end");
}

// ---- what is useless is not tried -----------------------------------------------------------------

fn last_word(world: &World, code: u16) {
    world.account(|account| {
        account.last_disconnect = Some(Disconnect {
            code: Some(code),
            at: None,
            logged_out: false,
        });
    });
}

#[tokio::test(start_paused = true)]
async fn what_was_logged_out_goes_straight_to_the_scan() {
    for world in [World::logged_out(), World::unlinked()] {
        let climb = Climb::of(world).await;
        climb.worked();
        climb.changes(&["link"]);
        climb.audited(&["Tries relink"]);
        climb.says("Not tried: There is no link that works");
        climb.says("Not tried: It does not bring a link back");
        climb.says("demands a passkey");
    }
}

#[tokio::test(start_paused = true)]
async fn nobody_scans_and_nothing_was_changed() {
    let world = World::logged_out();
    world.lock().phone = Phone::Away;
    let climb = Climb::of(world).await;
    assert!(
        matches!(climb.outcome, Outcome::Undone { .. }),
        "{}",
        climb.told
    );
    assert!(
        climb.why().contains("Nobody scanned a code"),
        "{}",
        climb.told
    );
    climb.changes(&[]);
    assert_eq!(climb.bench.world.lock().shown, None);
}

#[tokio::test(start_paused = true)]
async fn a_link_that_stalls_after_the_scan_names_the_passkey() {
    let world = World::logged_out();
    world.lock().phone = Phone::Stalls;
    let climb = Climb::of(world).await;
    assert!(
        matches!(climb.outcome, Outcome::Failed { .. }),
        "{}",
        climb.told
    );
    assert!(climb.why().contains("passkey"), "{}", climb.told);
}

#[tokio::test(start_paused = true)]
async fn another_client_is_named_and_nothing_is_restarted() {
    let world = World::dropped(Cure::Nothing);
    last_word(&world, 440);
    let climb = Climb::of(world).await;
    assert!(
        climb.why().contains("Find the other client"),
        "{}",
        climb.told
    );
    climb.changes(&["stop_account", "start_account"]);
    climb.audited(&["Tries reconnect"]);
}

#[tokio::test(start_paused = true)]
async fn a_link_that_whatsapp_no_longer_takes_is_named_and_not_replaced() {
    let world = World::dropped(Cure::Nothing);
    last_word(&world, 411);
    let climb = Climb::of(world).await;
    assert!(
        climb.why().contains("only a new link is left"),
        "{}",
        climb.told
    );
    climb.changes(&[]);
    climb.audited(&[]);
    climb.bench.world.account(|account| assert!(account.linked));
}

#[tokio::test(start_paused = true)]
async fn at_the_end_of_the_ladder_a_working_link_is_kept_and_all_is_told() {
    let climb = Climb::of(World::dropped(Cure::Nothing)).await;
    let Outcome::Failed { at, why } = &climb.outcome else {
        panic!("{}", climb.told);
    };
    assert_eq!(at, "prove");
    for said in [
        "Reconnect: It was not connected after 1 min",
        "Restart: It came back, but account default is",
        "Recreate: It came back, but account default is",
        "“Replace the link” on the gateway's page",
        "passkey",
    ] {
        assert!(why.message.contains(said), "{said}: {}", why.message);
    }
    climb.says("Not tried: The account still has its link, which a new one would throw away.");
    assert!(!climb.bench.world.changes().contains(&"link".to_owned()));
    assert!(climb.bench.world.assert_runs().starts_with("new"));
    assert!(!climb.passed.contains(&"recreate".to_owned()));
}

// ---- what fails -----------------------------------------------------------------------------------

#[tokio::test(start_paused = true)]
async fn a_new_container_that_does_not_work_is_put_back_and_the_restart_stays() {
    let world = World::dropped(Cure::Recreate);
    world.lock().new_fate = Fate::NeverReady;
    let climb = Climb::of(world).await;
    let Outcome::Failed { at, why } = &climb.outcome else {
        panic!("{}", climb.told);
    };
    assert_eq!(at, "recreate.await_ready");
    assert!(why.message.contains("not ready"), "{why}");
    assert!(climb.bench.world.assert_runs().starts_with("old"));
}

#[tokio::test(start_paused = true)]
async fn a_recreate_that_is_refused_is_told_with_the_rest() {
    let world = World::dropped(Cure::Recreate);
    world.lock().comparison.image_id = None;
    let climb = Climb::of(world).await;
    assert!(climb.why().contains("is not on the host"), "{}", climb.told);
    assert!(climb.why().contains("Restart: "), "{}", climb.told);
    assert!(climb.bench.world.assert_runs().starts_with("old"));
}

#[tokio::test(start_paused = true)]
async fn a_gateway_that_does_not_start_the_account_is_restarted() {
    let world = World::dropped(Cure::Restart);
    let no = || Fault::new(FaultKind::Refused, Boundary::Gateway, "not now");
    world.fail("start_account", [no(), no()]);
    let climb = Climb::of(world).await;
    climb.worked();
    climb.audited(&["Tries reconnect", "Tries restart"]);
}

#[tokio::test(start_paused = true)]
async fn a_panel_that_dies_while_a_new_container_is_put_back_is_gone_on_with() {
    for step in ["stop_old", "create_new", "remove", "rename"] {
        let world = World::dropped(Cure::Recreate);
        world.lock().new_fate = Fate::NeverReady;
        let bench = Bench::new(world.clone());
        let first = bench.panel();
        let id = bench.ask(&first, &recover(), "key").await.unwrap();
        let count = match step {
            "stop_old" => 7,
            "create_new" => 9,
            "remove" => 12,
            _ => 13,
        };
        while world.changes().len() < count {
            tokio::time::sleep(SECOND / 10).await;
        }
        first.kill_switch().cancel();
        let _second = bench.panel();
        let outcome = bench.ended(id).await;
        assert!(matches!(outcome, Outcome::Failed { .. }), "{outcome:?}");
        assert!(world.assert_runs().starts_with("old"));
    }
}

// ---- skipping -------------------------------------------------------------------------------------

/// Asks to skip a step once it has begun; by another panel than the one that runs it.
async fn skipping(world: World, step: &str) -> Climb {
    let bench = Bench::new(world);
    let (here, there) = (bench.panel(), bench.panel());
    let id = bench.ask(&here, &recover(), "key").await.unwrap();
    let begun = |event: &Event| matches!(event, Event::Started { step: name, .. } if name == step);
    let has_begun = || {
        bench
            .journal
            .entries(id)
            .iter()
            .any(|entry| begun(&entry.event))
    };
    while !has_begun() {
        tokio::time::sleep(SECOND / 10).await;
    }
    let permit = can::permit(&operator(), Action::CancelOperation, Some(&gateway())).unwrap();
    assert!(there.skip(permit, id, step).await.unwrap());
    let outcome = bench.ended(id).await;
    let told = tell(&bench.journal.entries(id));
    Climb {
        outcome,
        told,
        bench,
        passed: Vec::new(),
    }
}

#[tokio::test(start_paused = true)]
async fn a_wait_that_is_skipped_is_dropped_and_the_climb_goes_on() {
    let climb = skipping(World::dropped(Cure::Restart), "reconnect.await_connect").await;
    climb.worked();
    climb.says("olga asks to skip reconnect.await_connect");
    climb.audited(&["Tries reconnect", "Tries restart"]);
    let elapsed = climb.bench.world.clock.elapsed();
    assert!(elapsed < SECOND * 50, "{elapsed:?}");
}

#[tokio::test(start_paused = true)]
async fn who_skipped_is_told_at_the_end() {
    let climb = skipping(World::dropped(Cure::Nothing), "restart.check_accounts").await;
    assert!(
        climb.why().contains("Restart: Skipped by olga."),
        "{}",
        climb.told
    );
}

#[tokio::test(start_paused = true)]
async fn a_new_container_whose_accounts_are_not_waited_for_is_kept() {
    let climb = skipping(World::dropped(Cure::Nothing), "recreate.check_accounts").await;
    assert!(
        matches!(&climb.outcome, Outcome::Failed { at, .. } if at == "prove"),
        "{}",
        climb.told
    );
    assert!(climb.bench.world.assert_runs().starts_with("new"));
}

#[tokio::test(start_paused = true)]
async fn a_step_that_acts_or_that_could_not_be_left_like_this_is_not_skipped() {
    for step in ["restart.restart", "recreate.await_ready"] {
        let climb = skipping(World::dropped(Cure::Recreate), step).await;
        climb.worked();
        assert!(climb.bench.world.assert_runs().starts_with("new"));
    }
}

#[tokio::test(start_paused = true)]
async fn a_gateway_whose_abilities_cannot_be_had_is_not_taken_for_an_old_one() {
    let world = World::dropped(Cure::Restart);
    let away = || {
        Fault::new(
            FaultKind::Unreachable,
            Boundary::Gateway,
            "the socket is away",
        )
    };
    // Looked at twice before the first rung, and once by it and by the start.
    world.fail("abilities", (0..4).map(|_| away()));
    let climb = Climb::of(world).await;
    climb.worked();
    climb.says("Not tried: the socket is away");
    assert!(!climb.told.contains("not offered by this version"));
}
