//! Reconnect: stop and start one account, keeping its link. The gentlest rung after waiting.

use std::time::Duration;

use domain::fault::{Boundary, Fault, FaultKind};
use domain::gateway::AccountId;
use domain::operation::{Cancel, Command};
use domain::words;
use serde::{Deserialize, Serialize};
use tokio::time::Instant;

use super::{accounts, gave_up, look, refused};
use crate::step::Undo::{Nothing, With};
use crate::step::{Cx, Step, act, secs, step};
use crate::story::Story;

/// What a connection may take.
const WITHIN: Duration = secs(60);
/// Between two looks.
const POLL: Duration = Duration::from_millis(500);

/// See the module.
pub struct Reconnect;

/// Decided before the first step.
#[derive(Debug, Serialize, Deserialize)]
pub struct Plan {
    account: AccountId,
}

/// Nothing is kept between steps.
#[derive(Debug, Default, Serialize, Deserialize)]
pub struct State {}

impl Story for Reconnect {
    const NAME: &'static str = "reconnect";
    type Plan = Plan;
    type State = State;

    async fn plan(_cx: &Cx, command: &Command) -> Result<Plan, Fault> {
        match command {
            Command::Reconnect { account, .. } => Ok(Plan {
                account: account.clone(),
            }),
            _ => Err(refused(
                FaultKind::Unexpected,
                Boundary::Panel,
                "this is not a reconnect",
            )),
        }
    }

    #[rustfmt::skip]
    fn steps() -> Vec<Step<Plan, State>> {
        use Cancel::{AfterStep, Now};
        vec![
            step("look",          "Look at the account",                act!(examine),          Nothing,                               secs(30), Now),
            step("stop_account",  "Stop the account, keeping its link", act!(stop_account),  With(act!(start_account), secs(30)),   secs(30), AfterStep),
            step("start_account", "Start the account",                  act!(start_account), Nothing,                               secs(30), AfterStep),
            step("await_connect", "Wait until it is connected",         act!(await_connect), Nothing,                               secs(90), Now),
        ]
    }
}

async fn examine(cx: &Cx, plan: &Plan, _: &mut State) -> Result<(), Fault> {
    if !cx.control.abilities(&cx.gateway).await?.reconnect {
        return Err(refused(
            FaultKind::NotOffered,
            Boundary::Gateway,
            "This version of the gateway cannot stop and start a single account. Use Restart instead.",
        ));
    }
    let account = look::account(cx, &plan.account).await?;
    let id = &account.id;
    if !account.connected && !account.has_working_link() {
        let why = format!(
            "Account {id} has no link, so there is nothing to reconnect: it needs a new link."
        );
        return Err(refused(FaultKind::Invalid, Boundary::Gateway, why));
    }
    if !account.enabled {
        let why = format!("Account {id} is switched off in the gateway's configuration.");
        return Err(refused(FaultKind::Invalid, Boundary::Gateway, why));
    }
    if account.connected {
        cx.say.line(format!(
            "Account {id} is connected now; it will be away for a moment."
        ));
    } else {
        cx.say.line(format!(
            "Account {id} is not connected: {}.",
            accounts::cause(&account)
        ));
    }
    Ok(())
}

/// An account that does not run, or that the breaker holds back, needs only the start.
async fn stop_account(cx: &Cx, plan: &Plan, _: &mut State) -> Result<(), Fault> {
    let account = look::account(cx, &plan.account).await?;
    if !account.running || account.breaker_tripped {
        cx.say
            .line("The gateway does not run it, so there is nothing to stop.");
        return Ok(());
    }
    cx.control.stop_account(&cx.gateway, &plan.account).await
}

/// Also the way back from the stop: an account that runs already is left alone.
async fn start_account(cx: &Cx, plan: &Plan, _: &mut State) -> Result<(), Fault> {
    if look::account(cx, &plan.account).await?.running {
        return Ok(());
    }
    let answer = cx.control.start_account(&cx.gateway, &plan.account).await?;
    if answer.started || look::account(cx, &plan.account).await?.running {
        cx.say.line(answer.explanation);
        return Ok(());
    }
    Err(refused(
        FaultKind::Refused,
        Boundary::Gateway,
        format!(
            "The gateway did not start the account (`{}`): {}",
            answer.word, answer.explanation
        ),
    ))
}

async fn await_connect(cx: &Cx, plan: &Plan, _: &mut State) -> Result<(), Fault> {
    let began = Instant::now();
    loop {
        let found = look::account(cx, &plan.account).await;
        let after = words::duration(began.elapsed());
        let cause = match found {
            Ok(account) if account.connected => {
                cx.say.line(format!("Connected after {after}."));
                return Ok(());
            }
            Ok(account) if !account.linked => {
                return Err(gave_up(
                    Boundary::Gateway,
                    format!("It is not connected: {}.", accounts::cause(&account)),
                ));
            }
            Ok(account) => accounts::cause(&account),
            Err(fault) if fault.kind == FaultKind::NotFound => return Err(fault),
            Err(fault) => fault.message,
        };
        if began.elapsed() >= WITHIN {
            return Err(gave_up(
                Boundary::Gateway,
                format!("It was not connected after {after}: {cause}."),
            ));
        }
        cx.say
            .progress(format!("Not connected after {after}: {cause}."));
        tokio::time::sleep(POLL).await;
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::World;
    use crate::testing::story_tests::{Scenario, story_tests};

    fn connected(world: &World) {
        world.assert_runs();
        assert_eq!(world.lock().stopped, Vec::<String>::new());
    }

    fn scenario() -> Scenario {
        Scenario {
            command: Command::Reconnect {
                gateway: "openclaw".parse().unwrap(),
                account: "default".parse().unwrap(),
            },
            world: World::running,
            done: connected,
            undone: connected,
        }
    }

    story_tests!(scenario);
}
