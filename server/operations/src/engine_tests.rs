//! The engine on its own: locks, fencing, a database that is away, other releases, shutdown.

use std::time::Duration;

use domain::action::Action;
use domain::can;
use domain::operation::{Command, Event, OperationId, Outcome};
use domain::ports::{Journal, Operations, StartError};
use serde_json::json;
use tokio::time::sleep;
use uuid::Uuid;

use crate::engine::Engine;
use crate::stories::Book;
use crate::testing::story_tests::tell;
use crate::testing::wrap::{self, Wrong};
use crate::testing::{Bench, World, gateway, operator};

const SECOND: Duration = Duration::from_secs(1);

fn recreate() -> Command {
    Command::Recreate {
        gateway: gateway(),
        seen: None,
    }
}

fn restart() -> Command {
    Command::Restart { gateway: gateway() }
}

fn bench() -> Bench {
    Bench::new(World::running())
}

/// Waits until a step has begun.
async fn begun(bench: &Bench, id: OperationId, name: &str) {
    loop {
        let is = |event: &Event| matches!(event, Event::Started { step, .. } if step == name);
        if bench
            .journal
            .entries(id)
            .iter()
            .any(|entry| is(&entry.event))
        {
            return;
        }
        sleep(SECOND / 10).await;
    }
}

async fn cancel(panel: &Engine, id: OperationId) -> bool {
    let permit = can::permit(&operator(), Action::CancelOperation, Some(&gateway()));
    panel.cancel(permit.unwrap(), id).await.unwrap()
}

#[tokio::test(start_paused = true)]
async fn two_starts_give_one_busy_with_its_holder() {
    let bench = bench();
    let (here, there) = (bench.panel(), bench.panel());
    let first = bench.ask(&here, &recreate(), "a").await.unwrap();
    let second = bench.ask(&there, &restart(), "b").await;
    let Err(StartError::Busy { holder }) = second else {
        panic!("{second:?}");
    };
    assert_eq!(holder.id, first);
    assert_eq!(here.holder(&gateway()).unwrap().id, first);
    there.on_notice(first).await;
    assert_eq!(there.holder(&gateway()).unwrap().id, first);
    assert!(matches!(
        bench.ended(first).await,
        Outcome::Succeeded { .. }
    ));
    there.on_notice(first).await;
    sleep(SECOND).await;
    assert_eq!(here.holder(&gateway()), None);
    assert_eq!(there.holder(&gateway()), None);
    // What it causes may still show.
    for panel in [&here, &there] {
        let latest = panel.latest(&gateway()).unwrap();
        assert_eq!(latest.id, first);
        assert!(latest.ended_at.is_some());
    }
    assert!(bench.ask(&there, &restart(), "c").await.is_ok());
}

#[tokio::test(start_paused = true)]
async fn the_same_key_gives_the_same_operation() {
    let bench = bench();
    let panel = bench.panel();
    let first = bench.ask(&panel, &restart(), "a").await.unwrap();
    assert_eq!(bench.ask(&panel, &restart(), "a").await.unwrap(), first);
    bench.ended(first).await;
    assert_eq!(bench.ask(&panel, &restart(), "a").await.unwrap(), first);
    assert_eq!(bench.world.changes(), ["suspend", "stop", "start"]);
}

#[tokio::test(start_paused = true)]
async fn a_permit_for_something_else_is_refused() {
    let bench = bench();
    let panel = bench.panel();
    let other = "other".parse().unwrap();
    for permit in [
        can::permit(&operator(), Action::Stop, Some(&gateway())),
        can::permit(&operator(), Action::Restart, Some(&other)),
        can::permit(&operator(), Action::Restart, None),
    ] {
        let started = panel.start(permit.unwrap(), restart(), "k".to_owned(), None);
        let started = started.await;
        assert!(
            matches!(started, Err(StartError::NotPermitted)),
            "{started:?}"
        );
    }
    let unknown = Command::Restart {
        gateway: other.clone(),
    };
    let started = bench.ask(&panel, &unknown, "k").await;
    assert!(matches!(started, Err(StartError::UnknownGateway(id)) if id == other));
    assert_eq!(bench.world.changes(), Vec::<String>::new());
}

#[tokio::test(start_paused = true)]
async fn a_fenced_runner_stops_and_writes_nothing() {
    let bench = bench();
    let panel = bench.panel();
    let id = bench.ask(&panel, &recreate(), "a").await.unwrap();
    begun(&bench, id, "stop_old").await;
    let other = Uuid::from_u128(99);
    let adopted = bench.journal.adopt(id, other, Duration::ZERO).await;
    assert_eq!(adopted.unwrap(), Some(1));
    let entries = bench.journal.entries(id).len();
    for _ in 0..100 {
        bench.journal.heartbeat(other).await.unwrap();
        sleep(SECOND).await;
    }
    assert_eq!(bench.journal.entries(id).len(), entries);
    assert!(!bench.world.changes().contains(&"rename".to_owned()));
}

#[tokio::test(start_paused = true)]
async fn a_database_that_is_away_for_20_s_loses_nothing() {
    for shape in Book::default().story(&recreate()).unwrap().shapes() {
        let bench = bench();
        bench.journal.away_at(shape.name, SECOND * 20);
        let (id, outcome) = bench.run(Book::default(), &recreate()).await;
        let told = tell(&bench.journal.entries(id));
        assert_eq!(outcome, Outcome::Succeeded { note: None }, "{told}");
        assert!(told.contains("Live after"), "{told}");
        assert!(bench.world.assert_runs().starts_with("new"));
    }
}

#[tokio::test(start_paused = true)]
async fn a_start_without_a_database_does_nothing() {
    let bench = bench();
    let panel = bench.panel();
    bench.journal.away_for(SECOND * 5);
    let started = bench.ask(&panel, &restart(), "a").await;
    assert!(
        matches!(started, Err(StartError::Database(_))),
        "{started:?}"
    );
    sleep(SECOND * 300).await;
    assert_eq!(bench.world.changes(), Vec::<String>::new());
    assert!(bench.ask(&panel, &restart(), "b").await.is_ok());
}

#[tokio::test(start_paused = true)]
async fn a_start_whose_answer_was_lost_is_ended_unbegun() {
    let bench = bench();
    let panel = bench.panel();
    bench.journal.lose_next_begin();
    let started = bench.ask(&panel, &restart(), "a").await;
    assert!(
        matches!(started, Err(StartError::Database(_))),
        "{started:?}"
    );
    sleep(SECOND * 60).await;
    let stored = panel.list(&gateway(), None, 5).await.unwrap();
    let outcome = stored[0].outcome.as_ref();
    assert!(
        matches!(outcome, Some(Outcome::Undone { .. })),
        "{outcome:?}"
    );
    assert_eq!(bench.world.changes(), Vec::<String>::new());
}

/// Runs recreate up to a step, kills the panel, changes what is stored; the outcome with another panel.
async fn after_a_change_of_release(
    book: Book,
    change: impl FnOnce(&mut domain::operation::Operation, &mut Vec<domain::operation::Recorded>),
) -> (Bench, Outcome) {
    let bench = bench();
    let first = bench.panel();
    let id = bench.ask(&first, &recreate(), "a").await.unwrap();
    begun(&bench, id, "await_live").await;
    first.kill_switch().cancel();
    bench.journal.change(id, change);
    let _second = bench.panel_with(book);
    let outcome = bench.ended(id).await;
    (bench, outcome)
}

fn assert_stuck(outcome: &Outcome, because: &str) {
    let Outcome::Stuck { why, todo, .. } = outcome else {
        panic!("{outcome:?}");
    };
    assert!(why.message.contains(because), "{why}");
    assert!(!todo.is_empty());
}

#[tokio::test(start_paused = true)]
async fn what_another_release_wrote_is_stuck_never_guessed() {
    let (_, outcome) = after_a_change_of_release(Book::of(Vec::new()), |_, _| {}).await;
    assert_stuck(&outcome, "does not know the operation `recreate`");

    let (_, outcome) = after_a_change_of_release(Book::default(), |operation, _| {
        "pull_image".clone_into(&mut operation.steps[0].name);
    })
    .await;
    assert_stuck(&outcome, "other steps");

    let (_, outcome) = after_a_change_of_release(Book::default(), |_, events| {
        for entry in events {
            if let Event::Started { step, .. } = &mut entry.event
                && step == "drain"
            {
                "hush".clone_into(step);
            }
        }
    })
    .await;
    assert_stuck(&outcome, "the step `hush`");

    let (bench, outcome) = after_a_change_of_release(Book::default(), |_, events| {
        for entry in events {
            if let Event::Planned { plan } = &mut entry.event {
                *plan = json!({"before": 1});
            }
        }
    })
    .await;
    assert_stuck(&outcome, "plan cannot be read");
    let changes = bench.world.changes();
    assert_eq!(
        changes.last().map(String::as_str),
        Some("start"),
        "{changes:?}"
    );
}

#[tokio::test(start_paused = true)]
async fn an_undo_that_fails_is_stuck_and_keeps_the_lock_until_freed() {
    let bench = bench();
    let wrong = [Wrong::FailAfter("start_new"), Wrong::UndoFails("set_aside")];
    let panel = bench.panel_with(wrap::book(&recreate(), &wrong));
    let id = bench.ask(&panel, &recreate(), "a").await.unwrap();
    let outcome = bench.ended(id).await;
    let Outcome::Stuck { at, todo, .. } = outcome else {
        panic!("{outcome:?}");
    };
    assert_eq!(at, "set_aside");
    assert!(todo.contains("docker rename old000000000"), "{todo}");
    let busy = bench.ask(&panel, &recreate(), "b").await;
    assert!(matches!(busy, Err(StartError::Busy { holder }) if holder.id == id));
    sleep(SECOND * 30).await;
    assert_eq!(panel.holder(&gateway()).unwrap().id, id);

    let admin = domain::person::Actor::Panel;
    let permit = can::permit(&admin, Action::AbandonOperation, Some(&gateway())).unwrap();
    let comment = "renamed by hand".to_owned();
    assert!(panel.abandon(permit, id, comment).await.unwrap());
    assert_eq!(panel.holder(&gateway()), None);
    assert!(bench.ask(&panel, &recreate(), "c").await.is_ok());
}

#[tokio::test(start_paused = true)]
async fn a_shutdown_in_a_wait_is_gone_on_with_by_the_next_panel() {
    for step in ["stop_old", "await_live", "check_accounts"] {
        let bench = bench();
        let first = bench.panel();
        let id = bench.ask(&first, &recreate(), "a").await.unwrap();
        begun(&bench, id, step).await;
        first.quiesce().await;
        let refused = bench.ask(&first, &restart(), "b").await;
        assert!(
            matches!(refused, Err(StartError::ShuttingDown)),
            "{refused:?}"
        );
        let entries = bench.journal.entries(id).len();
        sleep(SECOND * 10).await;
        assert_eq!(bench.journal.entries(id).len(), entries, "it went on");

        let _second = bench.panel();
        assert_eq!(bench.ended(id).await, Outcome::Succeeded { note: None });
        assert!(bench.world.assert_runs().starts_with("new"));
        let told = tell(&bench.journal.entries(id));
        assert!(told.contains("taken over (1)"), "{told}");
        assert_eq!(told.contains("(again: 2)"), step != "stop_old", "{told}");
    }
}

#[tokio::test(start_paused = true)]
async fn a_wish_to_stop_reaches_the_panel_that_runs_it() {
    let bench = bench();
    let (here, there) = (bench.panel(), bench.panel());
    let id = bench.ask(&here, &recreate(), "a").await.unwrap();
    begun(&bench, id, "await_live").await;
    assert!(cancel(&there, id).await);
    let by = "olga".to_owned();
    assert_eq!(bench.ended(id).await, Outcome::Cancelled { by });
    assert!(bench.world.assert_runs().starts_with("old"));
    assert!(!cancel(&there, id).await, "it has ended");
    let view = here.view(id).await.unwrap().unwrap();
    assert_eq!(view.cancel_asked_by.as_deref(), Some("olga"));
}

#[tokio::test(start_paused = true)]
async fn a_wish_to_stop_needs_its_own_permit() {
    let bench = bench();
    let panel = bench.panel();
    let id = bench.ask(&panel, &recreate(), "a").await.unwrap();
    let wrong = can::permit(&operator(), Action::Restart, Some(&gateway())).unwrap();
    assert!(!panel.cancel(wrong, id).await.unwrap());
    assert!(matches!(bench.ended(id).await, Outcome::Succeeded { .. }));
}

#[tokio::test(start_paused = true)]
async fn a_living_runner_is_not_taken_over() {
    let bench = bench();
    let (here, _there) = (bench.panel(), bench.panel());
    let id = bench.ask(&here, &recreate(), "a").await.unwrap();
    bench.ended(id).await;
    let told = tell(&bench.journal.entries(id));
    assert!(!told.contains("taken over"), "{told}");
}

#[tokio::test(start_paused = true)]
async fn usual_durations_come_from_what_succeeded() {
    let bench = bench();
    let panel = bench.panel();
    let id = bench.ask(&panel, &restart(), "a").await.unwrap();
    bench.ended(id).await;
    let usual = panel.usual_durations(&gateway()).await.unwrap();
    assert!(usual["restart"] > SECOND * 30, "{usual:?}");
    let next = bench.ask(&panel, &restart(), "b").await.unwrap();
    let view = panel.view(next).await.unwrap().unwrap();
    assert!(view.operation.usually_ms.is_some());
}
