//! What a board makes of looks, next to operations that run or have ended.

use std::sync::atomic::{AtomicI64, Ordering};

use async_trait::async_trait;
use domain::fault::{Boundary, FaultKind};
use domain::gateway::GatewayId;
use domain::operation::{Command, OperationId};
use domain::person::Actor;
use tokio::sync::mpsc::{self, Receiver};

use super::*;

#[derive(Default)]
struct World {
    seconds: AtomicI64,
    latest: Mutex<Option<Operation>>,
}

impl Clock for World {
    fn now(&self) -> Timestamp {
        Timestamp::from_millis(1_800_000_000_000 + self.seconds.load(Ordering::SeqCst) * 1_000)
    }
}

#[async_trait]
impl Planned for World {
    fn latest(&self, _: &GatewayId) -> Option<Operation> {
        self.latest.lock().unwrap().clone()
    }

    async fn next_end(&self, _: &GatewayId, _: Option<OperationId>) -> OperationId {
        std::future::pending().await
    }
}

impl World {
    fn at(&self, seconds: i64) -> Timestamp {
        self.seconds.store(seconds, Ordering::SeqCst);
        self.now()
    }

    /// The newest operation, begun at 100 s and ended at 130 s.
    fn operation(&self, command: Command, outcome: Option<Outcome>) {
        let origin = Timestamp::from_millis(1_800_000_000_000);
        let after = |seconds| origin.plus(Duration::from_secs(seconds));
        *self.latest.lock().unwrap() = Some(Operation {
            id: OperationId(uuid::Uuid::from_u128(7)),
            command,
            asked_by: Actor::CommandLine {
                user: "anna".to_owned(),
            },
            reason: None,
            created_at: after(100),
            ended_at: outcome.is_some().then(|| after(130)),
            outcome,
            generation: 0,
            steps: Vec::new(),
            usually_ms: None,
        });
    }
}

fn id() -> GatewayId {
    "openclaw".parse().unwrap()
}

fn restart() -> Command {
    Command::Restart { gateway: id() }
}

fn relink() -> Command {
    Command::Relink {
        gateway: id(),
        account: "default".parse().unwrap(),
    }
}

fn failed() -> Outcome {
    Outcome::Failed {
        at: "await_live".to_owned(),
        why: Fault::new(FaultKind::TimedOut, Boundary::Gateway, "not live"),
    }
}

fn board() -> (Arc<World>, Board, Receiver<Entry>) {
    let world = Arc::new(World::default());
    let gateway = Gateway {
        id: id(),
        name: "OpenClaw".to_owned(),
        public_url: "https://claw.test".to_owned(),
        stand_in: false,
    };
    let (keeper, kept) = mpsc::channel(100);
    let board = Board::new(
        gateway,
        world.clone(),
        world.clone(),
        keeper,
        Remembered::default(),
    );
    (world, board, kept)
}

/// A look at the process at this second.
fn look(world: &World, board: &Board, seconds: i64, state: State) {
    world.at(seconds);
    let seen = Seen {
        state,
        headline: format!("{state:?}"),
        reason: String::new(),
        latency_ms: None,
        detail: None,
    };
    board.enter(FactKind::Process, |all| &mut all.process, seen);
}

/// The transitions that were kept: state, and whether planned.
fn changes(kept: &mut Receiver<Entry>) -> Vec<(State, bool)> {
    let mut changes = Vec::new();
    while let Ok(entry) = kept.try_recv() {
        if let Entry::Transition(transition) = entry {
            changes.push((transition.to, transition.operation.is_some()));
        }
    }
    changes
}

#[test]
fn what_shows_just_after_an_operation_is_still_planned() {
    let (world, board, mut kept) = board();
    look(&world, &board, 1, State::Ok);
    world.operation(restart(), Some(Outcome::Succeeded { note: None }));
    look(&world, &board, 140, State::Down);
    look(&world, &board, 150, State::Ok);
    look(&world, &board, 160, State::Down);
    assert_eq!(
        changes(&mut kept),
        [
            (State::Ok, false),
            (State::Down, true),
            (State::Ok, false),
            (State::Down, false)
        ]
    );
}

#[test]
fn what_an_operation_cannot_have_caused_is_not_planned() {
    let (world, board, mut kept) = board();
    look(&world, &board, 1, State::Ok);
    world.operation(relink(), None);
    look(&world, &board, 110, State::Down);
    assert_eq!(
        changes(&mut kept),
        [(State::Ok, false), (State::Down, false)]
    );
    world.at(111);
    board.note_death(world.now());
    assert_eq!(board.deaths_last_hour(), 1);
    world.operation(restart(), None);
    board.note_death(world.at(112));
    assert_eq!(board.deaths_last_hour(), 1);
}

#[test]
fn what_a_failed_operation_leaves_broken_is_nobodys_plan() {
    let (world, board, mut kept) = board();
    look(&world, &board, 1, State::Ok);
    world.operation(restart(), None);
    look(&world, &board, 110, State::Down);
    world.operation(restart(), Some(failed()));
    look(&world, &board, 140, State::Down);
    assert_eq!(
        changes(&mut kept),
        [(State::Ok, false), (State::Down, true)]
    );
    look(&world, &board, 146, State::Down);
    look(&world, &board, 150, State::Down);
    assert_eq!(changes(&mut kept), [(State::Down, false)]);
}

#[test]
fn what_an_operation_meant_to_break_stays_planned() {
    let (world, board, mut kept) = board();
    look(&world, &board, 1, State::Ok);
    let stop = Command::Stop { gateway: id() };
    world.operation(stop, Some(Outcome::Succeeded { note: None }));
    look(&world, &board, 120, State::Down);
    look(&world, &board, 900, State::Down);
    assert_eq!(
        changes(&mut kept),
        [(State::Ok, false), (State::Down, true)]
    );
}

#[test]
fn ends_that_docker_tells_of_afterwards_count_once_and_not_when_planned() {
    let (world, board, _kept) = board();
    world.operation(restart(), Some(Outcome::Succeeded { note: None }));
    let [early, planned, late] = [50, 120, 4_000].map(|seconds| world.at(seconds));
    board.note_death(late);
    board.recall_deaths(&[early, planned, late]);
    board.recall_deaths(&[early, planned, late]);
    world.at(3_600);
    assert_eq!(board.deaths_last_hour(), 2);
    world.at(3_700);
    assert_eq!(board.deaths_last_hour(), 1);
}

#[test]
fn an_operation_of_before_the_panel_came_explains_its_ends() {
    let (world, board, _kept) = board();
    world.operation(restart(), Some(Outcome::Succeeded { note: None }));
    let restart = world.latest.lock().unwrap().take();
    let at = world.at(120);
    board.recall_deaths(&[at]);
    assert_eq!(board.deaths_last_hour(), 1);

    let (_, board, _kept) = self::board();
    board.lock().before = restart.into_iter().collect();
    board.recall_deaths(&[at]);
    board.note_death(at);
    assert_eq!(board.lock().deaths.len(), 1);
    assert!(board.lock().deaths[0].planned);
}

fn account(connected: bool, linked: bool, code: Option<u16>) -> Account {
    Account {
        id: "default".parse().unwrap(),
        enabled: true,
        configured: true,
        linked,
        running: linked,
        connected,
        phone: None,
        connected_at: None,
        reconnect_attempts: 0,
        last_disconnect: code.map(|code| domain::fact::Disconnect {
            code: Some(code),
            at: None,
            logged_out: code == 401,
        }),
        last_error: None,
        last_inbound_at: None,
        last_outbound_at: None,
        credential_age_ms: None,
        health_state: None,
        breaker_tripped: false,
    }
}

/// The changes of accounts that were kept: standing, code, and whether planned.
fn account_changes(kept: &mut Receiver<Entry>) -> Vec<(Standing, Option<u16>, bool)> {
    let mut changes = Vec::new();
    while let Ok(entry) = kept.try_recv() {
        if let Entry::Account(change) = entry {
            changes.push((change.to, change.code, change.operation.is_some()));
        }
    }
    changes
}

#[test]
fn each_change_of_an_account_is_kept_once_with_its_code_and_whose_doing_it_was() {
    let (world, board, mut kept) = board();
    let away = || {
        Err(Fault::new(
            FaultKind::Unreachable,
            Boundary::Gateway,
            "no answer",
        ))
    };
    let look = |seconds, told: Result<Option<Vec<Account>>, Fault>| {
        world.at(seconds);
        board.enter_accounts(told);
    };
    // Before the gateway has told anything, that it cannot be asked is no news.
    look(0, away());
    look(1, Ok(Some(vec![account(true, true, None)])));
    look(2, Ok(Some(vec![account(true, true, None)])));
    look(3, Ok(Some(vec![account(false, true, Some(428))])));
    look(4, Ok(Some(vec![account(true, true, Some(428))])));
    world.operation(restart(), None);
    look(110, away());
    look(120, Ok(Some(vec![account(true, true, Some(428))])));
    world.operation(restart(), Some(Outcome::Succeeded { note: None }));
    look(500, Ok(Some(vec![account(false, false, Some(401))])));
    assert_eq!(
        account_changes(&mut kept),
        [
            (Standing::Connected, None, false),
            (Standing::Away, Some(428), false),
            (Standing::Connected, None, false),
            (Standing::Unknown, None, true),
            (Standing::Connected, None, true),
            (Standing::Unlinked, Some(401), false),
        ]
    );
}

#[test]
fn a_drop_just_after_an_operation_is_nobodys_plan_when_the_gateway_says_when_it_was() {
    let (world, board, mut kept) = board();
    let dropped = |at: i64| {
        let mut told = account(false, true, Some(428));
        let last = told.last_disconnect.as_mut().unwrap();
        last.at = Some(Timestamp::from_millis(1_800_000_000_000 + at * 1_000));
        told
    };
    world.at(1);
    board.enter_accounts(Ok(Some(vec![account(true, true, None)])));
    world.operation(restart(), Some(Outcome::Succeeded { note: None }));
    // Ended at 130 s.
    world.at(136);
    board.enter_accounts(Ok(Some(vec![dropped(134)])));
    world.at(137);
    board.enter_accounts(Ok(Some(vec![account(true, true, None)])));
    world.at(138);
    board.enter_accounts(Ok(Some(vec![dropped(125)])));
    let changes = account_changes(&mut kept);
    assert_eq!(
        changes[1..],
        [
            (Standing::Away, Some(428), false),
            (Standing::Connected, None, true),
            // That moment is before the last look: it says nothing of this drop.
            (Standing::Away, Some(428), true),
        ]
    );
}

#[test]
fn a_link_that_the_phone_takes_away_is_nobodys_plan_even_just_after_an_operation() {
    let (world, board, mut kept) = board();
    world.at(1);
    board.enter_accounts(Ok(Some(vec![account(true, true, None)])));
    world.operation(restart(), Some(Outcome::Succeeded { note: None }));
    world.at(131);
    board.enter_accounts(Ok(Some(vec![account(false, false, Some(401))])));
    let changes = account_changes(&mut kept);
    assert_eq!(changes[1..], [(Standing::Unlinked, Some(401), false)]);
}

#[test]
fn a_log_out_of_long_ago_is_not_why_a_link_went() {
    let (world, board, mut kept) = board();
    let told = |connected, linked| {
        let mut told = account(connected, linked, Some(401));
        let last = told.last_disconnect.as_mut().unwrap();
        last.at = Some(Timestamp::from_millis(1_800_000_000_000));
        told
    };
    world.at(1);
    board.enter_accounts(Ok(Some(vec![told(true, true)])));
    world.at(110);
    board.enter_accounts(Ok(Some(vec![told(true, true)])));
    world.operation(restart(), None);
    world.at(115);
    board.enter_accounts(Ok(Some(vec![told(false, false)])));
    let changes = account_changes(&mut kept);
    assert_eq!(changes[1..], [(Standing::Unlinked, None, true)]);
}
