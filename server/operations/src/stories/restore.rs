//! Restore: an account's link comes back from a backup, without a scan as long as WhatsApp accepts it.
//!
//! Only the files of the one link are brought; databases and configuration stay. The present link is kept aside and
//! comes back when the restored one does not connect: a link that WhatsApp refuses is worth less than the one before.

use std::time::Duration;

use domain::fault::{Boundary, Fault, FaultKind};
use domain::gateway::AccountId;
use domain::operation::{Cancel, Command};
use domain::words;
use serde::{Deserialize, Serialize};
use tokio::time::Instant;
use uuid::Uuid;

use super::{accounts, aside, gave_up, look, refused};
use crate::step::Undo::{NoReturn, Nothing, With};
use crate::step::{Cx, Step, act, mins, secs, step};
use crate::story::Story;

/// Seen: 2 s for a link that works.
const WITHIN: Duration = secs(60);
/// Between two looks.
const POLL: Duration = Duration::from_millis(250);

/// See the module.
pub struct Restore;

/// Decided before the first step.
#[derive(Debug, Serialize, Deserialize)]
pub struct Plan {
    account: AccountId,
    ticket: Uuid,
    /// Whether a link that works may be replaced.
    replace: bool,
    /// The account ran before, so it is started again when all is put back.
    ran: bool,
}

/// Nothing is kept between steps.
#[derive(Debug, Default, Serialize, Deserialize)]
pub struct State {}

impl Story for Restore {
    const NAME: &'static str = "restore";
    type Plan = Plan;
    type State = State;

    async fn plan(cx: &Cx, command: &Command) -> Result<Plan, Fault> {
        let Command::Restore {
            account,
            ticket,
            replace,
            ..
        } = command
        else {
            let why = "this is not a restore";
            return Err(refused(FaultKind::Unexpected, Boundary::Panel, why));
        };
        // A gateway that does not answer is named by the first step.
        let known = look::account(cx, account).await.ok();
        Ok(Plan {
            account: account.clone(),
            ticket: *ticket,
            replace: *replace,
            ran: known.is_some_and(|known| known.running),
        })
    }

    #[rustfmt::skip]
    fn steps() -> Vec<Step<Plan, State>> {
        use Cancel::{AfterStep, Now, Refuse};
        vec![
            step("look",      "Look at the account",                        act!(examine),   Nothing,                             secs(30), Now),
            step("bring",     "Open the backup and bring the link",         act!(bring),     With(act!(clear), secs(30)),         mins(2),  AfterStep),
            step("stop",      "Stop the account",                           act!(stop),      With(act!(start_again), secs(30)),   secs(30), AfterStep),
            step("set_aside", "Keep the present link aside",                act!(set_aside), With(act!(put_back), secs(60)),      secs(60), AfterStep),
            step("place",     "Put the link from the backup in its place",  act!(place),     Nothing,                             secs(60), AfterStep),
            step("connect",   "Start the account and wait",                 act!(connect),   With(act!(stop), secs(30)),          mins(2),  AfterStep),
            step("clear",     "Remove what was kept aside",                 act!(clean),     NoReturn,                             secs(30), Refuse),
        ]
    }

    fn todo(plan: &Plan, _: &State, step: &str) -> String {
        aside::todo(&plan.account, step)
    }
}

async fn examine(cx: &Cx, plan: &Plan, _: &mut State) -> Result<(), Fault> {
    aside::need_single_account(cx).await?;
    let account = look::account(cx, &plan.account).await?;
    let id = &account.id;
    if !account.enabled {
        let why = format!("Account {id} is switched off in the gateway's configuration.");
        return Err(refused(FaultKind::Invalid, Boundary::Gateway, why));
    }
    if account.has_working_link() && !plan.replace {
        let why = format!(
            "Account {id} has a link that may work, and restoring would replace it. Reconnect it first."
        );
        return Err(refused(FaultKind::Invalid, Boundary::Gateway, why));
    }
    let state = if account.connected {
        "connected now; it will be away for a moment".to_owned()
    } else {
        accounts::cause(&account)
    };
    cx.say.line(format!("Account {id}: {state}."));
    Ok(())
}

async fn bring(cx: &Cx, plan: &Plan, _: &mut State) -> Result<(), Fault> {
    let digits = cx
        .backups
        .bring(&cx.gateway, &plan.account, cx.operation, plan.ticket)
        .await?;
    cx.say.line(match digits {
        Some(digits) => format!("The backup holds the link of the number that ends in {digits}."),
        None => "The backup holds a link of this account.".to_owned(),
    });
    Ok(())
}

/// Also the way back from the start.
async fn stop(cx: &Cx, plan: &Plan, _: &mut State) -> Result<(), Fault> {
    aside::stop(cx, &plan.account).await
}

async fn start_again(cx: &Cx, plan: &Plan, _: &mut State) -> Result<(), Fault> {
    aside::start_again(cx, &plan.account, plan.ran).await
}

async fn set_aside(cx: &Cx, plan: &Plan, _: &mut State) -> Result<(), Fault> {
    cx.links
        .set_aside(&cx.gateway, &plan.account, cx.operation)
        .await
}

async fn place(cx: &Cx, plan: &Plan, _: &mut State) -> Result<(), Fault> {
    cx.links
        .place(&cx.gateway, &plan.account, cx.operation)
        .await
}

async fn put_back(cx: &Cx, plan: &Plan, _: &mut State) -> Result<(), Fault> {
    cx.links
        .put_back(&cx.gateway, &plan.account, cx.operation)
        .await
}

async fn connect(cx: &Cx, plan: &Plan, _: &mut State) -> Result<(), Fault> {
    if !look::account(cx, &plan.account).await?.running {
        let answer = cx.control.start_account(&cx.gateway, &plan.account).await?;
        cx.say.line(answer.explanation);
    }
    let began = Instant::now();
    loop {
        let found = look::account(cx, &plan.account).await;
        let after = words::duration(began.elapsed());
        let cause = match found {
            Ok(account) if account.connected => {
                cx.say.line(format!(
                    "Connected after {after}. Look at the first messages: if they cannot be read, the link is out of \
                     step and a scan is needed."
                ));
                return Ok(());
            }
            Ok(account) if !account.running && !account.has_working_link() => {
                return Err(gave_up(
                    Boundary::Gateway,
                    format!(
                        "WhatsApp no longer accepts the link in this backup ({}). Only a scan is left.",
                        accounts::cause(&account)
                    ),
                ));
            }
            Ok(account) => accounts::cause(&account),
            Err(fault) if fault.kind == FaultKind::NotFound => return Err(fault),
            Err(fault) => fault.message,
        };
        if began.elapsed() >= WITHIN {
            return Err(gave_up(
                Boundary::Gateway,
                format!("The restored link was not connected after {after}: {cause}."),
            ));
        }
        cx.say
            .progress(format!("Not connected after {after}: {cause}."));
        tokio::time::sleep(POLL).await;
    }
}

async fn clean(cx: &Cx, _: &Plan, _: &mut State) -> Result<(), Fault> {
    aside::clean(cx).await
}

/// The way back from what was brought.
async fn clear(cx: &Cx, _: &Plan, _: &mut State) -> Result<(), Fault> {
    cx.links.clear(&cx.gateway, cx.operation).await
}

#[cfg(test)]
mod tests {
    use domain::operation::Outcome;

    use super::*;
    use crate::stories::Book;
    use crate::testing::story_tests::{Scenario, story_tests};
    use crate::testing::{Bench, World, gateway};

    fn command(replace: bool) -> Command {
        Command::Restore {
            gateway: gateway(),
            account: "default".parse().unwrap(),
            backup: "openclaw-20261124T201500Z-9c1f04ab.tar.gz.age".to_owned(),
            ticket: Uuid::nil(),
            replace,
        }
    }

    fn nothing_left_behind(world: &World) {
        world.assert_runs();
        let inner = world.lock();
        assert!(inner.brought.is_empty() && inner.aside.is_none());
    }

    fn scenario() -> Scenario {
        Scenario {
            command: command(false),
            world: World::logged_out,
            done: |world| {
                nothing_left_behind(world);
                world.account(|account| assert!(account.linked && account.connected));
            },
            undone: |world| {
                nothing_left_behind(world);
                world.account(|account| assert!(!account.linked));
            },
        }
    }

    story_tests!(scenario);

    async fn why(world: World, replace: bool) -> (String, Bench) {
        let bench = Bench::new(world);
        let (_, outcome) = bench.run(Book::default(), &command(replace)).await;
        match outcome {
            Outcome::Undone { why } => (why.message, bench),
            other => panic!("{other:?}"),
        }
    }

    #[tokio::test(start_paused = true)]
    async fn a_link_that_works_is_not_replaced_unasked() {
        let (why, bench) = why(World::running(), false).await;
        assert!(why.contains("Reconnect it first"), "{why}");
        assert_eq!(bench.world.changes(), Vec::<String>::new());
    }

    #[tokio::test(start_paused = true)]
    async fn a_refused_link_gives_way_to_the_one_before() {
        let world = World::running();
        world.lock().refuses_restored = true;
        let (why, bench) = why(world, true).await;
        assert!(why.contains("no longer accepts"), "{why}");
        nothing_left_behind(&bench.world);
        bench
            .world
            .account(|account| assert!(account.linked && account.connected));
        assert_eq!(bench.world.lock().stopped, Vec::<String>::new());
    }

    #[tokio::test(start_paused = true)]
    async fn a_key_that_went_with_a_panel_changes_nothing() {
        let world = World::logged_out();
        world.fail(
            "bring",
            [Fault::new(
                FaultKind::NotFound,
                Boundary::Panel,
                "The key was kept in memory only.",
            )],
        );
        let (why, bench) = why(world, false).await;
        assert!(why.contains("in memory only"), "{why}");
        nothing_left_behind(&bench.world);
    }
}
