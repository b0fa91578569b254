//! The renewal: proved, put back, and what is refused.

use domain::operation::Outcome;

use super::*;
use crate::stories::Book;
use crate::testing::story_tests::{Scenario, story_tests, tell};
use crate::testing::{Bench, World, gateway};

fn command() -> Command {
    Command::RotateDevice {
        gateway: gateway(),
        cause: Cause::Leak,
    }
}

fn scenario() -> Scenario {
    Scenario {
        command: command(),
        world: World::running,
        done: |world| {
            world.assert_runs();
            let inner = world.lock();
            let devices = &inner.devices;
            assert!(devices.present > 1, "{devices:?}");
            assert_eq!(devices.connected, devices.present);
            assert_eq!(devices.paired, [devices.present]);
            assert!(devices.asking.is_empty(), "{devices:?}");
            assert_eq!(devices.made, None);
            assert!(devices.kept.is_empty(), "{devices:?}");
            assert_eq!(devices.noted.len(), 1);
            assert_eq!(devices.noted[0].kind, Kind::PanelDevice);
            assert_eq!(devices.noted[0].cause, Cause::Leak);
        },
        undone: |world| {
            world.assert_runs();
            let inner = world.lock();
            let devices = &inner.devices;
            assert_eq!((devices.present, devices.connected), (1, 1), "{devices:?}");
            assert_eq!(devices.paired, [1]);
            assert!(devices.asking.is_empty(), "{devices:?}");
            assert_eq!(devices.made, None);
            assert!(devices.kept.is_empty(), "{devices:?}");
            assert_eq!(devices.noted, []);
        },
    }
}

story_tests!(scenario);

async fn run(world: &World) -> (Outcome, String) {
    let bench = Bench::new(world.clone());
    let (id, outcome) = bench.run(Book::default(), &command()).await;
    (outcome, tell(&bench.journal.entries(id)))
}

/// It was undone for this reason, and the old identity is in use.
async fn undone(world: &World, because: &str) {
    let (outcome, told) = run(world).await;
    let Outcome::Undone { why } = outcome else {
        panic!("{told}");
    };
    assert!(why.message.contains(because), "{why}");
    (scenario().undone)(world);
}

fn no(why: &str) -> Fault {
    Fault::new(FaultKind::Refused, Boundary::Gateway, why)
}

#[tokio::test(start_paused = true)]
async fn a_gateway_that_does_not_run_is_not_asked() {
    let world = World::stopped();
    let (outcome, told) = run(&world).await;
    let Outcome::Undone { why } = outcome else {
        panic!("{told}");
    };
    assert!(why.message.contains("Start it first"), "{why}");
    assert_eq!(world.changes(), Vec::<String>::new());
}

#[tokio::test(start_paused = true)]
async fn an_old_gateway_is_left_alone() {
    let world = World::running();
    let cannot = "This version of the gateway cannot be told to remove a device.";
    world.fail(
        "look_at_device",
        [Fault::new(FaultKind::NotOffered, Boundary::Gateway, cannot)],
    );
    undone(&world, cannot).await;
    assert_eq!(world.changes(), Vec::<String>::new());
}

#[tokio::test(start_paused = true)]
async fn a_device_that_is_not_approved_leaves_nothing_behind() {
    let world = World::running();
    world.fail("approve_device", [no("The gateway did not approve it.")]);
    undone(&world, "did not approve it").await;
}

#[tokio::test(start_paused = true)]
async fn a_new_device_that_the_gateway_does_not_know_is_not_taken_into_use() {
    let world = World::running();
    world.lock().devices.forgetful = true;
    undone(&world, "though it was approved").await;
    let changes = world.changes();
    assert!(!changes.contains(&"use_device".to_owned()), "{changes:?}");
}

#[tokio::test(start_paused = true)]
async fn a_connection_that_does_not_come_back_brings_the_old_identity_back() {
    let world = World::running();
    world.fail("connect_as", [no("The gateway lets nobody in.")]);
    undone(&world, "lets nobody in").await;
    let changes = world.changes();
    assert!(changes.contains(&"use_device".to_owned()), "{changes:?}");
}

#[tokio::test(start_paused = true)]
async fn an_old_device_that_is_still_let_in_is_told_and_does_not_stay() {
    let world = World::running();
    world.lock().devices.open_door = true;
    let (outcome, told) = run(&world).await;
    let Outcome::Failed { at, why, .. } = outcome else {
        panic!("{told}");
    };
    assert_eq!(at, "refused");
    assert!(why.message.contains("although it was removed"), "{why}");
    let inner = world.lock();
    assert_eq!(inner.devices.paired, [inner.devices.present]);
    assert_eq!(inner.devices.kept, [1]);
    assert_eq!(inner.devices.noted, []);
}

#[tokio::test(start_paused = true)]
async fn what_an_earlier_renewal_left_behind_goes_with_it() {
    let world = World::running();
    {
        let mut inner = world.lock();
        inner.devices.kept = vec![90];
        inner.devices.paired = vec![90, 1];
    }
    let (outcome, told) = run(&world).await;
    assert_eq!(outcome, Outcome::Succeeded { note: None }, "{told}");
    assert!(told.contains("earlier renewal has left device"), "{told}");
    (scenario().done)(&world);
}

#[tokio::test(start_paused = true)]
async fn a_file_that_cannot_be_deleted_is_left_to_a_person() {
    let world = World::running();
    world.fail("forget_device", [no("The disk is read-only.")]);
    let (outcome, told) = run(&world).await;
    let Outcome::Succeeded { note: Some(note) } = outcome else {
        panic!("{told}");
    };
    assert!(note.contains("The disk is read-only."), "{note}");
    assert_eq!(world.lock().devices.noted.len(), 1);
}
