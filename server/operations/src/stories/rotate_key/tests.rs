//! The rotation: proved, put back, and what is left to a person.

use domain::can;
use domain::gateway_key::Door;
use domain::key_rotation::{NewKeyRotation, Task};
use domain::operation::Outcome;
use domain::person::{Actor, Role};
use domain::ports::{Operations as _, StartError};
use uuid::Uuid;

use super::*;
use crate::stories::Book;
use crate::testing::story_tests::{Scenario, story_tests, tell};
use crate::testing::{Bench, Fate, World, gateway};

fn command(cause: Cause) -> Command {
    Command::RotateKey {
        gateway: gateway(),
        cause,
        skip_secret: false,
        puts_back: None,
    }
}

fn scenario() -> Scenario {
    Scenario {
        command: command(Cause::Scheduled),
        world: World::running,
        done: |world| {
            assert!(world.assert_runs().starts_with("new"));
            let inner = world.lock();
            assert_eq!((inner.key.written, inner.boxes[0].key), (2, 2));
            // It can still come back.
            let sealed: Vec<u32> = inner.key.sealed.values().copied().collect();
            assert_eq!(sealed, [1]);
            assert_eq!(inner.key.noted.len(), 1);
            assert_eq!(inner.key.done, [Task::Secret, Task::Log]);
        },
        undone: |world| {
            assert!(world.assert_runs().starts_with("old"));
            let inner = world.lock();
            assert_eq!((inner.key.written, inner.boxes[0].key), (1, 1));
            assert_eq!(inner.key.noted, []);
            assert!(inner.key.sealed.is_empty());
        },
    }
}

story_tests!(scenario);

/// A rotation that was done before.
const BEFORE: OperationId = OperationId(Uuid::from_u128(41));

/// The old key comes back, by an operation of its own.
mod back {
    use super::*;

    fn scenario() -> Scenario {
        Scenario {
            command: back(),
            world: rotated,
            done: |world| {
                assert!(world.assert_runs().starts_with("new"));
                let inner = world.lock();
                assert_eq!((inner.key.written, inner.boxes[0].key), (1, 1));
                assert!(inner.key.sealed.is_empty());
                let last = inner.key.noted.last().map(|noted| noted.puts_back);
                assert_eq!(last, Some(Some(BEFORE)));
                assert_eq!(inner.key.done, [Task::Secret, Task::Log]);
            },
            undone: |world| {
                assert!(world.assert_runs().starts_with("old"));
                let inner = world.lock();
                assert_eq!((inner.key.written, inner.boxes[0].key), (2, 2));
                assert_eq!(inner.key.noted.len(), 1);
                assert_eq!(inner.key.sealed, [(BEFORE, 1)].into());
            },
        }
    }

    story_tests!(scenario);
}

fn back() -> Command {
    Command::RotateKey {
        gateway: gateway(),
        cause: Cause::PutBack,
        skip_secret: false,
        puts_back: Some(BEFORE),
    }
}

/// The gateway has a new key, and the old one is kept.
fn rotated() -> World {
    let world = World::running();
    let mut inner = world.lock();
    inner.key.written = 2;
    inner.key.reaches = 2;
    inner.boxes[0].key = 2;
    inner.key.sealed.insert(BEFORE, 1);
    inner.key.noted.push(NewKeyRotation {
        operation: BEFORE,
        gateway: gateway(),
        fingerprint: Fingerprint::of_hash(&[2; 32]),
        cause: Cause::Scheduled,
        puts_back: None,
        by: Actor::Panel,
    });
    drop(inner);
    world
}

async fn run(world: &World, cause: Cause) -> (Outcome, String) {
    run_command(world, &command(cause)).await
}

async fn run_command(world: &World, command: &Command) -> (Outcome, String) {
    let bench = Bench::new(world.clone());
    let (id, outcome) = bench.run(Book::default(), command).await;
    (outcome, tell(&bench.journal.entries(id)))
}

#[tokio::test(start_paused = true)]
async fn where_a_second_person_is_asked_for_nobody_changes_the_key_alone() {
    let mut bench = Bench::new(World::running());
    bench.second_person = [gateway()].into();
    let panel = bench.panel();
    let command = command(Cause::Scheduled);
    let alone = bench.ask(&panel, &command, "alone").await;
    assert!(matches!(alone, Err(StartError::NeedsSecondPerson)));
    let permit = |number| {
        let person = Actor::Person {
            id: Uuid::from_u128(number),
            name: format!("person-{number}"),
            role: Role::Admin,
            address: None,
            browser: None,
            session: None,
            token: None,
        };
        can::permit(&person, command.action(), Some(&gateway())).unwrap()
    };
    let agreed = permit(1).agreed_by(&permit(2)).unwrap();
    let started = panel
        .start(agreed, command.clone(), "two".to_owned(), None)
        .await;
    assert!(started.is_ok(), "{started:?}");
}

#[tokio::test(start_paused = true)]
async fn a_key_that_is_not_kept_or_not_the_last_one_does_not_come_back() {
    for (change, because) in [
        (
            (|world: &World| world.lock().key.sealed.clear()) as fn(&World),
            "not kept any more",
        ),
        (
            |world| {
                let mut inner = world.lock();
                let mut later = inner.key.noted[0].clone();
                later.operation = OperationId(Uuid::from_u128(42));
                inner.key.noted.push(later);
            },
            "rotated again since",
        ),
    ] {
        let world = rotated();
        change(&world);
        let (outcome, told) = run_command(&world, &back()).await;
        let Outcome::Undone { why } = outcome else {
            panic!("{told}");
        };
        assert!(why.message.contains(because), "{why}");
        assert_eq!(world.changes(), Vec::<String>::new(), "{told}");
    }
}

#[tokio::test(start_paused = true)]
async fn the_next_rotation_forgets_what_the_one_before_replaced_and_a_leak_forgets_all() {
    let world = rotated();
    run(&world, Cause::Scheduled).await;
    let sealed: Vec<u32> = world.lock().key.sealed.values().copied().collect();
    assert_eq!(sealed, [2]);
    run(&world, Cause::Leak).await;
    assert!(world.lock().key.sealed.is_empty());
}

/// It was undone for this reason, and the old key and container are there.
async fn undone(world: &World, because: &str) {
    let (outcome, told) = run(world, Cause::Scheduled).await;
    let Outcome::Undone { why } = outcome else {
        panic!("{told}");
    };
    assert!(why.message.contains(because), "{why}");
    (scenario().undone)(world);
}

#[tokio::test(start_paused = true)]
async fn what_could_not_be_proved_is_not_begun() {
    for (change, because) in [
        (
            (|world: &World| world.lock().key.written = 3) as fn(&World),
            "another key than /srv/openclaw/.env says",
        ),
        (
            |world| world.lock().key.silent = Some(Door::InternalSocket),
            "could not be tried by the socket at the internal URL",
        ),
        (
            |world| world.lock().boxes[0].state = ContainerState::Exited,
            "Start it first",
        ),
    ] {
        let world = World::running();
        change(&world);
        let (outcome, told) = run(&world, Cause::Scheduled).await;
        let Outcome::Undone { why } = outcome else {
            panic!("{told}");
        };
        assert!(why.message.contains(because), "{why}");
        assert_eq!(world.changes(), Vec::<String>::new(), "{told}");
    }
}

#[tokio::test(start_paused = true)]
async fn a_new_gateway_that_never_gets_ready_brings_the_old_key_back() {
    let world = World::running();
    world.lock().new_fate = Fate::NeverReady;
    undone(&world, "not ready").await;
}

#[tokio::test(start_paused = true)]
async fn a_key_that_does_not_reach_the_process_is_put_back() {
    let world = World::running();
    world.lock().key.elsewhere = true;
    undone(&world, "did not reach the process").await;
}

#[tokio::test(start_paused = true)]
async fn an_old_key_that_is_still_taken_is_put_back() {
    let world = World::running();
    world.lock().key.careless = true;
    undone(&world, "before it is still taken").await;
}

#[tokio::test(start_paused = true)]
async fn a_public_url_that_said_nothing_before_does_not_hinder() {
    let world = World::running();
    world.lock().key.silent = Some(Door::PublicHttp);
    let (outcome, told) = run(&world, Cause::Scheduled).await;
    assert_eq!(outcome, Outcome::Succeeded { note: None });
    assert!(
        told.contains("Not proved at HTTP at the public URL"),
        "{told}"
    );
}

#[tokio::test(start_paused = true)]
async fn after_a_leak_the_gateway_is_not_asked_to_finish_its_work() {
    let world = World::running();
    let (outcome, _) = run(&world, Cause::Leak).await;
    assert_eq!(outcome, Outcome::Succeeded { note: None });
    let changes = world.changes();
    assert!(!changes.contains(&"suspend".to_owned()), "{changes:?}");
}

#[tokio::test(start_paused = true)]
async fn what_github_or_git_refuse_is_left_to_a_person_and_the_rotation_stays_good() {
    let world = World::running();
    let no = |why: &str| Fault::new(FaultKind::Refused, Boundary::GitHub, why);
    world.fail("put_secret", [no("GitHub refuses the token.")]);
    world.fail("append_log", [no("A merge is in progress.")]);
    let (outcome, told) = run(&world, Cause::Scheduled).await;
    let Outcome::Succeeded { note: Some(note) } = outcome else {
        panic!("{told}");
    };
    assert!(
        note.contains("still has the old key: GitHub refuses the token."),
        "{note}"
    );
    assert!(
        note.contains("not in the rotation log: A merge is in progress."),
        "{note}"
    );
    assert!(world.assert_runs().starts_with("new"));
    assert_eq!(world.lock().key.done, []);
}

#[tokio::test(start_paused = true)]
async fn without_a_repository_nothing_is_written_there() {
    let world = World::running();
    world.lock().key.alone = true;
    let (outcome, _) = run(&world, Cause::Scheduled).await;
    assert_eq!(outcome, Outcome::Succeeded { note: None });
    let changes = world.changes();
    assert!(!changes.contains(&"put_secret".to_owned()), "{changes:?}");
    assert!(!changes.contains(&"append_log".to_owned()), "{changes:?}");
}

#[tokio::test(start_paused = true)]
async fn an_unwritable_file_is_told_and_nothing_else_is_touched() {
    let world = World::running();
    let why = "The panel failed while writing `/srv/openclaw/.env`: no space left.";
    let full = Fault::new(FaultKind::Refused, Boundary::Compose, why);
    world.fail("renew_key", [full]);
    undone(&world, "no space left").await;
    assert_eq!(world.changes(), Vec::<String>::new());
}
