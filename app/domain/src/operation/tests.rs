use super::*;
use crate::fault::{Boundary, FaultKind};

fn operation() -> Operation {
    let outline = |name: &str, no_return| StepOutline {
        name: name.to_owned(),
        label: name.to_owned(),
        no_return,
        cancel: Cancel::AfterStep,
        limit: Duration::from_secs(1),
        skippable: name == "one",
    };
    Operation {
        id: OperationId(Uuid::nil()),
        command: Command::Restart {
            gateway: "g".parse().unwrap(),
        },
        asked_by: Actor::Panel,
        reason: None,
        created_at: Timestamp::from_millis(0),
        ended_at: None,
        outcome: None,
        generation: 0,
        steps: vec![outline("one", false), outline("two", true)],
        usually_ms: None,
    }
}

fn journal(events: Vec<Event>) -> Vec<Recorded> {
    (1..)
        .zip(events)
        .map(|(n, event)| Recorded {
            sequence: n,
            at: Timestamp::from_millis(n),
            event,
        })
        .collect()
}

#[test]
fn a_failed_step_that_was_put_back_keeps_its_reason() {
    let fault = Fault::new(FaultKind::TimedOut, Boundary::Docker, "too slow");
    let step = || "one".to_owned();
    let view = OperationView::fold(
        operation(),
        &journal(vec![
            Event::Started {
                step: step(),
                attempt: 1,
            },
            Event::Failed {
                step: step(),
                fault: fault.clone(),
            },
            Event::UndoStarted { step: step() },
            Event::UndoFinished { step: step() },
        ]),
    );
    assert_eq!(view.steps[0].state, StepState::Undone);
    assert_eq!(view.steps[0].fault.as_ref(), Some(&fault));
    assert!(view.is_unwinding());
    assert_eq!(view.can_cancel(), Err("It is being put back already."));
}

#[test]
fn a_change_is_planned_while_it_runs_and_shortly_after() {
    let (gateway, account) = ("g".parse().unwrap(), "default".parse().unwrap());
    let mut restart = operation();
    restart.created_at = Timestamp::from_millis(1_000);
    restart.ended_at = Some(Timestamp::from_millis(5_000));
    let relink = Operation {
        command: Command::Relink { gateway, account },
        ended_at: None,
        ..restart.clone()
    };
    for (operation, fact, at, planned) in [
        (&restart, FactKind::Process, 999, false),
        (&restart, FactKind::Process, 1_000, true),
        (&restart, FactKind::Edge, 20_000, true),
        (&restart, FactKind::Edge, 20_001, false),
        (&relink, FactKind::Session, 900_000, true),
        (&relink, FactKind::Container, 2_000, false),
    ] {
        let said = operation.plans(fact, Timestamp::from_millis(at));
        assert_eq!(said, planned, "{fact:?} at {at}");
    }
}

#[test]
fn only_a_step_that_waits_can_be_skipped_and_only_once() {
    let started = |step: &str| Event::Started {
        step: step.to_owned(),
        attempt: 1,
    };
    let asked = || Event::SkipAsked {
        step: "one".to_owned(),
        by: "anna".to_owned(),
    };
    let skippable = |events| {
        let view = OperationView::fold(operation(), &journal(events));
        view.can_skip().map(|step| step.outline.name.clone())
    };
    assert_eq!(skippable(vec![started("one")]).as_deref(), Ok("one"));
    for (events, why) in [
        (Vec::new(), "This step cannot be skipped."),
        (vec![started("two")], "This step cannot be skipped."),
        (
            vec![started("one"), asked()],
            "Somebody asked to skip this step already.",
        ),
        (
            vec![
                started("one"),
                Event::CancelAsked {
                    by: "ben".to_owned(),
                },
            ],
            "It is being stopped.",
        ),
    ] {
        assert_eq!(skippable(events), Err(why));
    }
}

#[test]
fn past_the_point_of_no_return_cancel_is_refused() {
    let view = OperationView::fold(
        operation(),
        &journal(vec![Event::Started {
            step: "two".to_owned(),
            attempt: 1,
        }]),
    );
    assert!(view.can_cancel().is_err());
}
