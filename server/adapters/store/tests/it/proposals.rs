//! Commands that wait for a second person.

use domain::action::Action;
use domain::can::{self, Permit};
use domain::credential::Cause;
use domain::operation::Command;
use domain::person::{Actor, Role};
use domain::ports::{AuditTrail as _, Clock as _, ProposalError, Proposals as _};
use domain::proposal::{Decision, OPEN_FOR, Proposal, Standing};
use uuid::Uuid;

use crate::support::{Database, begun_relink};

fn person(number: u128) -> Actor {
    Actor::Person {
        id: Uuid::from_u128(number),
        name: format!("person-{number}"),
        role: Role::Admin,
        address: None,
        browser: None,
        session: None,
        token: None,
    }
}

fn permit(number: u128) -> Permit {
    let gateway = "g1".parse().unwrap();
    can::permit(&person(number), Action::RotateKey, Some(&gateway)).unwrap()
}

fn command() -> Command {
    Command::RotateKey {
        gateway: "g1".parse().unwrap(),
        cause: Cause::PersonLeft,
        skip_secret: true,
        puts_back: None,
    }
}

async fn asked(store: &adapter_store::Store) -> Proposal {
    let reason = Some("carla left".to_owned());
    store.propose(permit(1), command(), reason).await.unwrap()
}

#[tokio::test]
async fn what_is_asked_for_is_read_back_and_waits_once() {
    let database = Database::fresh().await;
    let store = database.store().await;
    let first = asked(&store).await;
    assert_eq!(store.proposal(first.id).await.unwrap(), Some(first.clone()));
    let again = store.propose(permit(2), command(), None).await;
    assert!(
        matches!(again, Err(ProposalError::Waits(waiting)) if *waiting == first),
        "another one waits"
    );
    // Nobody answers: after a day it may be asked for anew.
    database.clock.advance(OPEN_FOR);
    let second = store.propose(permit(2), command(), None).await.unwrap();
    let gateway = "g1".parse().unwrap();
    assert_eq!(store.latest_proposal(&gateway).await.unwrap(), Some(second));
}

#[tokio::test]
async fn of_two_who_ask_or_answer_at_once_one_is_the_first() {
    let database = Database::fresh().await;
    let store = database.store().await;
    let (one, other) = tokio::join!(
        store.propose(permit(1), command(), None),
        store.propose(permit(2), command(), None)
    );
    let asked: Vec<Proposal> = [one, other].into_iter().filter_map(Result::ok).collect();
    assert_eq!(asked.len(), 1);
    let id = asked[0].id;
    let (one, other) = tokio::join!(
        store.decide(permit(3), id, Decision::Approved, None),
        store.decide(permit(4), id, Decision::Declined, None)
    );
    let results = [one, other];
    assert_eq!(results.iter().filter(|one| one.is_ok()).count(), 1);
    let refused = results.into_iter().find_map(Result::err);
    assert!(matches!(refused, Some(ProposalError::Over)), "{refused:?}");
}

#[tokio::test]
async fn a_decision_is_another_persons_in_time_once_and_audited() {
    let database = Database::fresh().await;
    let store = database.store().await;
    let asked = asked(&store).await;
    let own = store.decide(permit(1), asked.id, Decision::Approved, None);
    assert!(matches!(own.await, Err(ProposalError::NotYours(_))));
    let gateway = "g1".parse().unwrap();
    let other = can::permit(&person(2), Action::Wipe, Some(&gateway)).unwrap();
    let other = store.decide(other, asked.id, Decision::Approved, None);
    assert!(matches!(other.await, Err(ProposalError::NotPermitted)));
    let note = Some("I know of it".to_owned());
    let decided = store.decide(permit(2), asked.id, Decision::Approved, note);
    let decided = decided.await.unwrap();
    assert_eq!(decided.standing(database.clock.now()), Standing::Ready);
    assert_eq!(store.proposal(asked.id).await.unwrap(), Some(decided));
    let operation = begun_relink(&database, &store).await;
    store.begun(asked.id, operation).await.unwrap();
    let begun = store.proposal(asked.id).await.unwrap().unwrap();
    assert_eq!(begun.standing(database.clock.now()), Standing::Begun);
    let events = store.list(None, 10).await.unwrap();
    let told: Vec<_> = events
        .iter()
        .rev()
        .map(|event| (event.event.actor.name(), event.event.action.as_str()))
        .collect();
    assert_eq!(
        told[..2],
        [("person-1", "ask-second-person"), ("person-2", "approve")]
    );
    let unknown = store.decide(permit(2), Uuid::nil(), Decision::Declined, None);
    assert!(matches!(unknown.await, Err(ProposalError::Unknown)));
}
