//! Two pairs of eyes: asked for, agreed to, declined, taken back, and never alone.

use std::sync::Arc;
use std::time::Duration;

use app::Viewer;
use app::forms::endpoint;
use async_trait::async_trait;
use domain::can::Permit;
use domain::credential::Cause;
use domain::gateway::GatewayId;
use domain::operation::{Command, OperationId};
use domain::person::{Actor, Role};
use domain::ports::{ProposalError, Proposals, StoreError};
use domain::proposal::{Decided, Decision, OPEN_FOR, Proposal, Standing};
use uuid::Uuid;

use crate::browser::Browser;
use crate::fake_people::person;
use crate::fakes::{Fake, NOW, World};
use crate::scenes::world;

const ROTATE: &str = "/gateways/openclaw/rotate-key";
const PAGE: &str = "/proposals/00000000-0000-0000-0000-00000000002f";
const ID: &str = "id=00000000-0000-0000-0000-00000000002f";

#[async_trait]
impl Proposals for Fake {
    async fn propose(
        &self,
        permit: Permit,
        command: Command,
        reason: Option<String>,
    ) -> Result<Proposal, ProposalError> {
        if let Some(waiting) = &self.0.proposal {
            return Err(ProposalError::Waits(Box::new(waiting.clone())));
        }
        let by = permit.actor().name();
        let title = command.title();
        self.0.note(format!("{by} proposed {title}, {reason:?}"));
        let mut asked = waiting(Duration::ZERO);
        asked.command = command;
        Ok(asked)
    }

    async fn latest_proposal(&self, _: &GatewayId) -> Result<Option<Proposal>, StoreError> {
        self.0.store(self.0.proposal.clone())
    }

    async fn proposal(&self, id: Uuid) -> Result<Option<Proposal>, StoreError> {
        let found = self.0.proposal.clone();
        self.0.store(found.filter(|found| found.id == id))
    }

    async fn decide(
        &self,
        permit: Permit,
        _: Uuid,
        decision: Decision,
        note: Option<String>,
    ) -> Result<Proposal, ProposalError> {
        let mut proposal = self.0.proposal.clone().ok_or(ProposalError::Unknown)?;
        proposal
            .may_decide(permit.actor(), decision)
            .map_err(ProposalError::NotYours)?;
        if proposal.standing(NOW) != Standing::Open {
            return Err(ProposalError::Over);
        }
        let by = permit.actor().name();
        let word = decision.as_str();
        self.0.note(format!("{by} {word}, {note:?}"));
        proposal.decided = Some(Decided {
            decision,
            by: permit.actor().clone(),
            at: NOW,
            note,
        });
        Ok(proposal)
    }

    async fn begun(&self, _: Uuid, operation: OperationId) -> Result<(), StoreError> {
        self.0.note(format!("begun as {operation}"));
        self.0.store(())
    }
}

fn actor(number: u128, name: &str) -> Actor {
    Actor::Person {
        id: Uuid::from_u128(number),
        name: name.to_owned(),
        role: Role::Admin,
        address: None,
        browser: None,
        session: None,
        token: None,
    }
}

/// Asked for by anna, so long ago.
pub(crate) fn waiting(ago: Duration) -> Proposal {
    Proposal {
        id: Uuid::from_u128(47),
        command: Command::RotateKey {
            gateway: "openclaw".parse().unwrap(),
            cause: Cause::PersonLeft,
            skip_secret: false,
            puts_back: None,
        },
        reason: Some("carla left".to_owned()),
        asked_by: actor(1, "anna"),
        asked_at: NOW.minus(ago),
        decided: None,
        operation: None,
    }
}

fn asked(ago: Duration) -> World {
    let mut world = world();
    world.second_person = true;
    world.proposal = Some(waiting(ago));
    world.people.push(person(3, "carl", Role::Admin));
    world
}

fn admin(world: &Arc<World>, number: u128, name: &str) -> Browser {
    let viewer = Viewer {
        actor: actor(number, name),
        person: person(number, name, Role::Admin),
        session: None,
        sessions: Arc::default(),
        signed_in_at: NOW,
        confirmed_at: NOW,
    };
    Browser::with(world, Some(viewer))
}

#[tokio::test]
async fn where_two_pairs_of_eyes_are_asked_for_nothing_begins_at_once() {
    let mut asking = world();
    asking.second_person = true;
    let asking = Arc::new(asking);
    let anna = admin(&asking, 1, "anna");
    let page = anna.get(ROTATE).await;
    assert!(page.says("Nothing begins when you send this"));
    assert!(page.html.contains("Ask a second person"));
    let form = "gateway=openclaw&cause=person-left&reason=carla+left&key=k1";
    let answer = anna.post(ROTATE, endpoint::ROTATE_KEY, form).await;
    assert_eq!(answer.location, PAGE);
    assert_eq!(
        asking.done(),
        ["anna proposed Rotate the API key, Some(\"carla left\")"]
    );
}

#[tokio::test]
async fn whoever_asks_for_what_waits_already_is_led_to_it() {
    let world = Arc::new(asked(Duration::from_secs(60)));
    let form = "gateway=openclaw&cause=leak&key=k1";
    let carl = admin(&world, 3, "carl");
    let answer = carl.post(ROTATE, endpoint::ROTATE_KEY, form).await;
    assert_eq!(answer.location, PAGE);
    for page in [ROTATE, "/gateways/openclaw"] {
        let page = carl.get(page).await;
        assert!(
            page.says("Rotate the API key: anna asks for a second person."),
            "{}",
            page.text()
        );
    }
}

#[tokio::test]
async fn a_second_person_agrees_and_it_begins_in_the_name_of_the_first() {
    let world = Arc::new(asked(Duration::from_secs(60)));
    let carl = admin(&world, 3, "carl");
    let page = carl.get(PAGE).await;
    for part in [
        "A second person is asked for",
        "carla left",
        "Somebody who knew it has left.",
        "Agree and begin: Rotate the API key",
        "Decline",
    ] {
        assert!(page.says(part), "{part}: {}", page.text());
    }
    let form = format!("{ID}&decision=approved&note=I+know+of+it");
    let answer = carl.post(PAGE, endpoint::DECIDE_PROPOSAL, &form).await;
    assert!(
        answer.location.starts_with("/operations/"),
        "{}",
        answer.location
    );
    let done = world.done();
    assert_eq!(done[0], "carl approved, Some(\"I know of it\")");
    assert!(
        done[1].starts_with("anna and carl started Rotate the API key (PersonLeft) (00000000-"),
        "{done:?}"
    );
    assert!(done[2].starts_with("begun as "), "{done:?}");
}

#[tokio::test]
async fn nobody_agrees_with_themselves() {
    let world = Arc::new(asked(Duration::from_secs(60)));
    let anna = admin(&world, 1, "anna");
    let page = anna.get(PAGE).await;
    assert!(page.says("Waiting for a second person") && page.says("Take it back"));
    assert!(!page.html.contains("Agree and begin"));
    let form = format!("{ID}&decision=approved");
    let answer = anna.post(PAGE, endpoint::DECIDE_PROPOSAL, &form).await;
    let page = anna.get(&answer.location).await;
    assert!(
        page.says("You asked for it yourself: a second person has to look at it."),
        "{}",
        page.text()
    );
    assert_eq!(world.done(), Vec::<String>::new());
    let form = format!("{ID}&decision=withdrawn");
    anna.post(PAGE, endpoint::DECIDE_PROPOSAL, &form).await;
    assert_eq!(world.done(), ["anna withdrawn, None"]);
}

#[tokio::test]
async fn who_may_not_rotate_may_not_agree_either() {
    let world = Arc::new(asked(Duration::from_secs(60)));
    let operator = Browser::of(&world, Role::Operator);
    let page = operator.get(PAGE).await;
    assert!(page.says("Only an admin can do this."), "{}", page.text());
    assert!(!page.html.contains("Agree and begin"));
    let form = format!("{ID}&decision=approved");
    operator.post(PAGE, endpoint::DECIDE_PROPOSAL, &form).await;
    assert_eq!(world.done(), Vec::<String>::new());
}

#[tokio::test]
async fn what_is_over_cannot_be_agreed_to_or_begun() {
    let world = Arc::new(asked(OPEN_FOR));
    let carl = admin(&world, 3, "carl");
    assert!(carl.get(PAGE).await.says("Over: nobody began it in time"));
    let form = format!("{ID}&decision=approved");
    carl.post(PAGE, endpoint::DECIDE_PROPOSAL, &form).await;
    carl.post(PAGE, endpoint::BEGIN_PROPOSAL, ID).await;
    assert_eq!(world.done(), Vec::<String>::new());
}

#[tokio::test]
async fn what_was_agreed_to_begins_later_only_while_both_may_still_do_it() {
    let mut ready = asked(Duration::from_secs(60));
    if let Some(proposal) = &mut ready.proposal {
        proposal.decided = Some(Decided {
            decision: Decision::Approved,
            by: actor(3, "carl"),
            at: NOW,
            note: None,
        });
    }
    let mut without = asked(Duration::from_secs(60));
    without.proposal.clone_from(&ready.proposal);
    for person in &mut without.people {
        if person.name == "carl" {
            person.roles = Role::Operator.into();
        }
    }
    let ready = Arc::new(ready);
    let anna = admin(&ready, 1, "anna");
    assert!(anna.get(PAGE).await.says("Agreed to, and not begun yet"));
    let answer = anna.post(PAGE, endpoint::BEGIN_PROPOSAL, ID).await;
    assert!(answer.location.starts_with("/operations/"));

    let without = Arc::new(without);
    let anna = admin(&without, 1, "anna");
    let answer = anna.post(PAGE, endpoint::BEGIN_PROPOSAL, ID).await;
    let page = anna.get(&answer.location).await;
    assert!(
        page.says("carl may not do this any more, so it does not begin."),
        "{}",
        page.text()
    );
    assert_eq!(without.done(), Vec::<String>::new());
}
