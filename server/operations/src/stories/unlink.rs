//! Unlink: an account's link is taken out of the gateway, so that it can be linked anew, or not at all.
//!
//! WhatsApp is not told (seen on 2026.9.6: `channels.logout` only clears the gateway's own files), so the backup that
//! is made first brings the link back without a scan for as long as the phone lists the device.

use domain::fault::{Boundary, Fault, FaultKind};
use domain::gateway::AccountId;
use domain::operation::{Cancel, Command};
use domain::time::Timestamp;
use serde::{Deserialize, Serialize};

use super::{aside, backup, look, refused};
use crate::step::Undo::{NoReturn, Nothing, With};
use crate::step::{Cx, Step, act, mins, secs, step};
use crate::story::Story;

/// See the module.
pub struct Unlink;

/// Decided before the first step.
#[derive(Debug, Serialize, Deserialize)]
pub struct Plan {
    account: AccountId,
    /// Stands in the backup's name.
    begun: Timestamp,
    /// The account ran before, so it is started again when all is put back.
    ran: bool,
}

/// Nothing is kept between steps.
#[derive(Debug, Default, Serialize, Deserialize)]
pub struct State {}

impl Story for Unlink {
    const NAME: &'static str = "unlink";
    type Plan = Plan;
    type State = State;

    async fn plan(cx: &Cx, command: &Command) -> Result<Plan, Fault> {
        let Command::Unlink { account, .. } = command else {
            let why = "this does not unlink";
            return Err(refused(FaultKind::Unexpected, Boundary::Panel, why));
        };
        // A gateway that does not answer is named by the first step.
        let known = look::account(cx, account).await.ok();
        Ok(Plan {
            account: account.clone(),
            begun: cx.clock.now(),
            ran: known.is_some_and(|known| known.running),
        })
    }

    #[rustfmt::skip]
    fn steps() -> Vec<Step<Plan, State>> {
        use Cancel::{AfterStep, Now, Refuse};
        vec![
            step("look",          "Look at the account and the key for backups", act!(examine),       Nothing,                             secs(30), Now),
            step("archive",       "Have the gateway write a backup",             act!(archive),       With(act!(clear_archive), secs(30)), mins(5),  AfterStep),
            step("keep",          "Encrypt it and keep it",                      act!(keep),          Nothing,                             mins(10), AfterStep),
            step("clear_archive", "Remove the archive from the container",       act!(clean_archive), Nothing,                             secs(30), AfterStep),
            step("stop",          "Stop the account",                            act!(stop),          With(act!(start_again), secs(60)),   secs(30), AfterStep),
            step("set_aside",     "Keep the link aside",                         act!(set_aside),     With(act!(put_back), secs(60)),      secs(60), AfterStep),
            step("log_out",       "Have the gateway forget it",                  act!(log_out),       Nothing,                             secs(60), AfterStep),
            step("clear",         "Remove the link",                             act!(clean),         NoReturn,                            secs(60), Refuse),
        ]
    }

    fn todo(plan: &Plan, _: &State, step: &str) -> String {
        aside::todo(&plan.account, step)
    }
}

async fn examine(cx: &Cx, plan: &Plan, _: &mut State) -> Result<(), Fault> {
    backup::need_key(cx).await?;
    aside::need_single_account(cx).await?;
    let account = look::account(cx, &plan.account).await?;
    let id = &account.id;
    if !account.linked {
        let why = format!("Account {id} has no link, so there is nothing to take out.");
        return Err(refused(FaultKind::Invalid, Boundary::Gateway, why));
    }
    let state = if account.connected {
        "linked and connected"
    } else {
        "linked, not connected"
    };
    cx.say.line(format!("Account {id}: {state}."));
    Ok(())
}

async fn archive(cx: &Cx, _: &Plan, _: &mut State) -> Result<(), Fault> {
    backup::write(cx).await
}

async fn clear_archive(cx: &Cx, _: &Plan, _: &mut State) -> Result<(), Fault> {
    cx.backups.clear(&cx.gateway, cx.operation).await
}

async fn keep(cx: &Cx, plan: &Plan, _: &mut State) -> Result<(), Fault> {
    backup::encrypt(cx, plan.begun).await
}

async fn clean_archive(cx: &Cx, _: &Plan, _: &mut State) -> Result<(), Fault> {
    backup::remove(cx).await
}

async fn stop(cx: &Cx, plan: &Plan, _: &mut State) -> Result<(), Fault> {
    aside::stop(cx, &plan.account).await
}

async fn start_again(cx: &Cx, plan: &Plan, _: &mut State) -> Result<(), Fault> {
    aside::start_again(cx, &plan.account, plan.ran).await
}

async fn set_aside(cx: &Cx, plan: &Plan, _: &mut State) -> Result<(), Fault> {
    let account = &plan.account;
    cx.links.set_aside(&cx.gateway, account, cx.operation).await
}

async fn put_back(cx: &Cx, plan: &Plan, _: &mut State) -> Result<(), Fault> {
    let account = &plan.account;
    cx.links
        .put_back(&cx.gateway, account, cx.operation)
        .await?;
    cx.links.clear(&cx.gateway, cx.operation).await
}

async fn log_out(cx: &Cx, plan: &Plan, _: &mut State) -> Result<(), Fault> {
    cx.control.log_out(&cx.gateway, &plan.account).await?;
    let account = look::account(cx, &plan.account).await?;
    if account.linked {
        let why = "The gateway still says that the account is linked.";
        return Err(refused(FaultKind::Unexpected, Boundary::Gateway, why));
    }
    Ok(())
}

async fn clean(cx: &Cx, _: &Plan, _: &mut State) -> Result<(), Fault> {
    cx.say.line(
        "The phone still lists the device: remove it there under Linked devices, unless the link is to be restored.",
    );
    aside::clean(cx).await
}

#[cfg(test)]
mod tests {
    use domain::operation::Outcome;

    use super::*;
    use crate::stories::Book;
    use crate::testing::story_tests::{Scenario, story_tests};
    use crate::testing::{Bench, World, gateway};

    fn command() -> Command {
        Command::Unlink {
            gateway: gateway(),
            account: "default".parse().unwrap(),
        }
    }

    fn nothing_left_behind(world: &World) {
        world.assert_runs();
        let inner = world.lock();
        assert!(inner.aside.is_none() && inner.archives.is_empty());
    }

    fn scenario() -> Scenario {
        Scenario {
            command: command(),
            world: World::running,
            done: |world| {
                nothing_left_behind(world);
                world.account(|account| assert!(!account.linked));
                assert_eq!(world.lock().kept.len(), 1);
            },
            undone: |world| {
                nothing_left_behind(world);
                world.account(|account| assert!(account.linked && account.connected));
                assert_eq!(world.lock().stopped, Vec::<String>::new());
            },
        }
    }

    story_tests!(scenario);

    async fn refused_for(world: World, why: &str) {
        let bench = Bench::new(world);
        let (_, outcome) = bench.run(Book::default(), &command()).await;
        let Outcome::Undone { why: fault } = outcome else {
            panic!("{outcome:?}");
        };
        assert!(fault.message.contains(why), "{fault}");
        assert_eq!(bench.world.changes(), Vec::<String>::new());
    }

    #[tokio::test(start_paused = true)]
    async fn nothing_is_taken_out_that_could_not_be_brought_back() {
        let world = World::running();
        world.lock().backup_key = false;
        refused_for(world, "no key for backups").await;
    }

    #[tokio::test(start_paused = true)]
    async fn an_account_without_a_link_is_left_alone() {
        refused_for(World::unlinked(), "nothing to take out").await;
    }
}
