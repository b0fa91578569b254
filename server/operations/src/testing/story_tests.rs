//! The generic tests. Every story passes them: `story_tests!(scenario)` in its test module.

use domain::operation::{Command, Event, OperationId, Outcome, Passing, Recorded};

use super::wrap::{self, Wrong};
use super::{Bench, CANARY, Crash, World};
use crate::step::{Back, Shape};
use crate::stories::Book;

/// A story to be tested: its command, the world it starts from, how the world looks when it succeeded
/// and when it was put back.
pub(crate) struct Scenario {
    pub(crate) command: Command,
    pub(crate) world: fn() -> World,
    pub(crate) done: fn(&World),
    pub(crate) undone: fn(&World),
}

macro_rules! story_tests {
    ($scenario:path) => {
        use $crate::testing::story_tests as generic;

        #[tokio::test(start_paused = true)]
        async fn steps_succeed_when_repeated() {
            generic::steps_succeed_when_repeated(&$scenario()).await;
        }

        #[tokio::test(start_paused = true)]
        async fn failure_at_each_step_is_undone() {
            generic::failure_at_each_step_is_undone(&$scenario()).await;
        }

        #[tokio::test(start_paused = true)]
        async fn undo_succeeds_when_repeated() {
            generic::undo_succeeds_when_repeated(&$scenario()).await;
        }

        #[tokio::test(start_paused = true)]
        async fn crash_after_each_event_is_recovered() {
            generic::crash_after_each_event_is_recovered(&$scenario()).await;
        }

        #[tokio::test(start_paused = true)]
        async fn crash_while_unwinding_is_recovered() {
            generic::crash_while_unwinding_is_recovered(&$scenario()).await;
        }

        #[tokio::test(start_paused = true)]
        async fn cancel_at_each_step_ends_or_is_refused() {
            generic::cancel_at_each_step_ends_or_is_refused(&$scenario()).await;
        }

        #[tokio::test(start_paused = true)]
        async fn no_secret_in_journal() {
            generic::no_secret_in_journal(&$scenario()).await;
        }

        #[tokio::test(start_paused = true)]
        async fn story_as_text() {
            insta::assert_snapshot!(generic::story_as_text(&$scenario()).await);
        }
    };
}
pub(crate) use story_tests;

impl Scenario {
    fn shapes(&self) -> Vec<Shape> {
        Book::default().story(&self.command).unwrap().shapes()
    }

    /// The steps up to and with this one.
    fn up_to(&self, step: &str) -> Vec<Shape> {
        let mut shapes = self.shapes();
        let at = shapes.iter().position(|shape| shape.name == step).unwrap();
        shapes.truncate(at + 1);
        shapes
    }

    /// Whether a wish to stop in this step comes too late.
    fn past_return(&self, step: &str) -> bool {
        let mut shapes = self.up_to(step).into_iter();
        shapes.any(|shape| shape.back == Back::NoReturn)
    }

    /// Whether something stays when this step fails: it is past the point of no return, or something that
    /// is not put back was done. `passed` are the steps that have nothing to do.
    fn stays(&self, step: &str, passed: &[String]) -> bool {
        let mut shapes = self.up_to(step).into_iter();
        shapes.any(|shape| match shape.back {
            Back::NoReturn => true,
            Back::Stays => shape.name == step || !passed.iter().any(|name| name == shape.name),
            Back::Undo(_) | Back::Nothing | Back::Settles => false,
        })
    }

    /// The steps that have nothing to do when all goes well.
    async fn passed(&self) -> Vec<String> {
        let (bench, id, _) = self.run(&[]).await;
        let entries = bench.journal.entries(id).into_iter();
        entries
            .filter_map(|entry| match entry.event {
                Event::Passed {
                    step,
                    how: Passing::NotNeeded,
                    ..
                } => Some(step),
                _ => None,
            })
            .collect()
    }

    /// The last step whose failure leaves everything as it was.
    async fn last_that_returns(&self) -> Option<&'static str> {
        let passed = self.passed().await;
        let mut shapes = self.shapes().into_iter().rev();
        let last = shapes.find(|shape| !self.stays(shape.name, &passed))?;
        Some(last.name)
    }

    async fn run(&self, wrong: &[Wrong]) -> (Bench, OperationId, Outcome) {
        let bench = Bench::new((self.world)());
        let book = wrap::book(&self.command, wrong);
        let (id, outcome) = bench.run(book, &self.command).await;
        (bench, id, outcome)
    }

    /// The world fits the outcome.
    fn check(&self, world: &World, outcome: &Outcome, context: &str) {
        match outcome {
            Outcome::Succeeded { .. } => (self.done)(world),
            Outcome::Undone { .. } | Outcome::Cancelled { .. } => (self.undone)(world),
            other => panic!("{context}: {other:?}"),
        }
    }
}

pub(crate) async fn steps_succeed_when_repeated(scenario: &Scenario) {
    let (bench, _, outcome) = scenario.run(&[Wrong::ActTwice]).await;
    assert_eq!(outcome, Outcome::Succeeded { note: None });
    (scenario.done)(&bench.world);
}

pub(crate) async fn failure_at_each_step_is_undone(scenario: &Scenario) {
    let passed = scenario.passed().await;
    for shape in scenario.shapes() {
        for wrong in [
            Wrong::FailBefore(shape.name),
            Wrong::FailAfter(shape.name),
            Wrong::Panic(shape.name),
        ] {
            let (bench, _, outcome) = scenario.run(&[wrong]).await;
            if scenario.stays(shape.name, &passed) {
                let at = shape.name;
                assert!(
                    matches!(&outcome, Outcome::Failed { at: failed, .. } if failed == at),
                    "{wrong:?}: {outcome:?}"
                );
            } else {
                assert!(
                    matches!(outcome, Outcome::Undone { .. }),
                    "{wrong:?}: {outcome:?}"
                );
                scenario.check(&bench.world, &outcome, &format!("{wrong:?}"));
            }
        }
    }
}

pub(crate) async fn undo_succeeds_when_repeated(scenario: &Scenario) {
    let passed = scenario.passed().await;
    for shape in scenario.shapes() {
        if scenario.stays(shape.name, &passed) {
            continue;
        }
        for wrong in [Wrong::FailBefore(shape.name), Wrong::FailAfter(shape.name)] {
            let (bench, _, outcome) = scenario.run(&[wrong, Wrong::UndoTwice]).await;
            assert!(matches!(outcome, Outcome::Undone { .. }), "{outcome:?}");
            scenario.check(&bench.world, &outcome, &format!("{wrong:?} twice"));
        }
    }
}

/// Kills the panel before and after every entry of the journal, and in every call that changes the world
/// (after its effect, before its answer); another panel must bring it to the same end.
pub(crate) async fn crash_after_each_event_is_recovered(scenario: &Scenario) {
    let (bench, id, _) = scenario.run(&[]).await;
    let entries = bench.journal.entries(id);
    let changes = bench.world.changes().len();
    for at in (1..=entries.len()).filter(|at| !is_idle(&entries, at - 1)) {
        for crash in [Crash::Before(at), Crash::After(at)] {
            let outcome = crashed(scenario, &[], |bench, panel| {
                bench.journal.crash(crash.clone(), panel);
            });
            let (_, outcome) = outcome.await;
            assert!(
                matches!(outcome, Outcome::Succeeded { .. }),
                "{crash:?}: {outcome:?}"
            );
        }
    }
    for at in 1..=changes {
        let (_, outcome) = crashed(scenario, &[], |bench, panel| {
            bench.world.lock().crash_in = Some((at, panel));
        })
        .await;
        assert!(
            matches!(outcome, Outcome::Succeeded { .. }),
            "in change {at}: {outcome:?}"
        );
    }
}

/// The same, on the way back from the last step that has one.
pub(crate) async fn crash_while_unwinding_is_recovered(scenario: &Scenario) {
    let wrong = [Wrong::FailAfter(
        scenario.last_that_returns().await.unwrap(),
    )];
    let (bench, id, _) = scenario.run(&wrong).await;
    let entries = bench.journal.entries(id);
    let changes = bench.world.changes().len();
    for at in (1..=entries.len()).filter(|at| !is_idle(&entries, at - 1)) {
        let (_, outcome) = crashed(scenario, &wrong, |bench, panel| {
            bench.journal.crash(Crash::After(at), panel);
        })
        .await;
        assert!(
            matches!(outcome, Outcome::Undone { .. }),
            "{at}: {outcome:?}"
        );
    }
    for at in 1..=changes {
        let (_, outcome) = crashed(scenario, &wrong, |bench, panel| {
            bench.world.lock().crash_in = Some((at, panel));
        })
        .await;
        assert!(
            matches!(outcome, Outcome::Undone { .. }),
            "in change {at}: {outcome:?}"
        );
    }
}

async fn crashed(
    scenario: &Scenario,
    wrong: &[Wrong],
    arrange: impl FnOnce(&Bench, tokio_util::sync::CancellationToken),
) -> (Bench, Outcome) {
    let bench = Bench::new((scenario.world)());
    let first = bench.panel_with(wrap::book(&scenario.command, wrong));
    arrange(&bench, first.kill_switch());
    let id = bench.ask(&first, &scenario.command, "key").await.unwrap();
    let second = async {
        first.kill_switch().cancelled().await;
        bench.panel_with(wrap::book(&scenario.command, wrong))
    };
    let (outcome, second) = tokio::join!(bench.ended(id), second);
    scenario.check(&bench.world, &outcome, "after a crash");
    second.kill_switch().cancel();
    (bench, outcome)
}

pub(crate) async fn cancel_at_each_step_ends_or_is_refused(scenario: &Scenario) {
    for shape in scenario.shapes() {
        let bench = Bench::new((scenario.world)());
        bench.journal.cancel_at(shape.name);
        let (_, outcome) = bench.run(Book::default(), &scenario.command).await;
        if scenario.past_return(shape.name) {
            assert!(
                matches!(outcome, Outcome::Succeeded { .. }),
                "{}: {outcome:?}",
                shape.name
            );
        } else {
            let by = "anna".to_owned();
            assert_eq!(outcome, Outcome::Cancelled { by }, "{}", shape.name);
        }
        scenario.check(&bench.world, &outcome, shape.name);
    }
}

pub(crate) async fn no_secret_in_journal(scenario: &Scenario) {
    let mut all = vec![Vec::new()];
    for shape in scenario.shapes() {
        all.push(vec![Wrong::FailAfter(shape.name)]);
        all.push(vec![
            Wrong::FailAfter(shape.name),
            Wrong::UndoFails(shape.name),
        ]);
    }
    for wrong in all {
        let (bench, _, _) = scenario.run(&wrong).await;
        assert!(!bench.journal.dump().contains(CANARY), "{wrong:?}");
    }
}

pub(crate) async fn story_as_text(scenario: &Scenario) -> String {
    let (bench, id, _) = scenario.run(&[]).await;
    let mut text = tell(&bench.journal.entries(id));
    if let Some(last) = scenario.last_that_returns().await {
        let (bench, id, _) = scenario.run(&[Wrong::FailAfter(last)]).await;
        text.push_str(&["\nWhen `", last, "` fails:\n"].concat());
        text += &tell(&bench.journal.entries(id));
    }
    text
}

/// Whether the entry is of a step that had nothing to do and nothing to say.
fn is_idle(journal: &[Recorded], at: usize) -> bool {
    let begins = |at: usize| match journal.get(at..at + 2).unwrap_or_default() {
        [begun, ended] => {
            let how = Passing::NotNeeded;
            matches!(&begun.event, Event::Started { .. })
                && matches!(&ended.event, Event::Passed { how: passed, .. } if *passed == how)
        }
        _ => false,
    };
    begins(at) || at.checked_sub(1).is_some_and(begins)
}

/// A journal as people would tell it.
pub(crate) fn tell(journal: &[Recorded]) -> String {
    let begun = journal.first().map(|entry| entry.at).unwrap_or_default();
    let mut text = String::new();
    for (at, entry) in journal.iter().enumerate() {
        if is_idle(journal, at) {
            continue;
        }
        let seconds = entry.at.since(begun).as_secs();
        let line = match &entry.event {
            Event::Planned { .. } => "planned".to_owned(),
            Event::Started { step, attempt: 1 } => step.clone(),
            Event::Started { step, attempt } => format!("{step} (again: {attempt})"),
            Event::Progressed { said, .. } => format!("  {said}"),
            Event::Succeeded { .. } => "  ok".to_owned(),
            Event::Passed { how, .. } => match how {
                Passing::NotNeeded => "  not needed".to_owned(),
                Passing::Fruitless => "  in vain".to_owned(),
                Passing::Skipped => "  skipped".to_owned(),
            },
            Event::Failed { fault, .. } => format!("  failed: {fault}"),
            Event::CancelAsked { by } => format!("{by} asks to stop"),
            Event::SkipAsked { step, by } => format!("{by} asks to skip {step}"),
            Event::UndoStarted { step } => format!("back: {step}"),
            Event::UndoFinished { .. } => "  put back".to_owned(),
            Event::UndoFailed { fault, .. } => format!("  could not be put back: {fault}"),
            Event::Adopted { generation } => format!("taken over ({generation})"),
            Event::Ended { outcome } => format!("ended: {outcome:?}"),
        };
        text.push_str(&[format!("{seconds:>4} s  "), line, "\n".to_owned()].concat());
    }
    text
}
