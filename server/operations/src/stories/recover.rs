//! Recover (“Fix WhatsApp”): climbs the ladder of least harm for one account, only as far as needed.
//!
//! Each rung is a story of its own, run step by step inside this one. Its head looks anew, decides from
//! the facts alone whether the rung can help, says why and what it could cost, and audits it. A rung that
//! does not bring the proof (the account connected and the gateway ready) is noted, and the climb goes
//! on. It stops as soon as the proof holds.
//!
//! A failure is only: nothing that can be tried is left; a new container that does not work, which is put
//! back as in a recreate by itself; Docker or the audit trail away. A link that may work is never
//! replaced: the scan is for an account without one.

mod choose;
mod climb;
mod facts;
mod rungs;
#[cfg(test)]
mod scenarios;
#[cfg(test)]
mod tests;

use std::time::Duration;

use domain::fault::{Boundary, Fault, FaultKind};
use domain::gateway::AccountId;
use domain::operation::{Cancel, Command, Passing};
use serde::{Deserialize, Serialize};
use tokio::time::Instant;

use self::choose::{Climbed, matter, other_client};
use self::climb::{Tried, head, part, proof};
use self::facts::{Facts, STARTING, refusal};
use super::reconnect::Reconnect;
use super::recreate::Recreate;
use super::relink::Relink;
use super::restart::Restart;
use super::start::Start;
use super::waiting::{self, Goal};
use super::{accounts, gave_up, look, refused};
use crate::step::Undo::Nothing;
use crate::step::{Cx, Step, act, mins, secs, step};
use crate::story::Story;

/// Between two looks.
const POLL: Duration = secs(1);

/// See the module.
pub struct Recover;

/// Decided before the first step; each rung's own plan is made when its turn comes.
#[derive(Debug, Serialize, Deserialize)]
pub struct Plan {
    account: AccountId,
}

/// Kept between steps.
#[derive(Debug, Default, Serialize, Deserialize)]
#[serde(default)]
pub struct State {
    /// The proof holds: nothing more is tried.
    works: bool,
    /// It held from the beginning.
    worked_before: bool,
    /// How the step that ended last was passed.
    passed: Option<Passing>,
    start: Tried<Start>,
    reconnect: Tried<Reconnect>,
    restart: Tried<Restart>,
    recreate: Tried<Recreate>,
    relink: Tried<Relink>,
}

impl Story for Recover {
    const NAME: &'static str = "recover";
    type Plan = Plan;
    type State = State;

    async fn plan(_cx: &Cx, command: &Command) -> Result<Plan, Fault> {
        match command {
            Command::Recover { account, .. } => Ok(Plan {
                account: account.clone(),
            }),
            _ => Err(refused(
                FaultKind::Unexpected,
                Boundary::Panel,
                "this is not a recover",
            )),
        }
    }

    // A part is named by its rung and by the name it has in the rung's own story.
    #[rustfmt::skip]
    fn steps() -> Vec<Step<Plan, State>> {
        use Cancel::Now;
        vec![
            step("look", "Look at the facts",             act!(examine), Nothing, mins(1),  Now),
            step("wait", "Wait for what comes by itself", act!(wait),    Nothing, mins(14), Now).skippable(),

            head::<Start>("start", "Start"),
            part::<Start, 0>("start.look"),
            part::<Start, 1>("start.start"),
            part::<Start, 2>("start.await_live"),
            part::<Start, 3>("start.await_ready"),
            part::<Start, 4>("start.check_accounts"),
            proof::<Start>("start.prove"),

            head::<Reconnect>("reconnect", "Reconnect"),
            part::<Reconnect, 0>("reconnect.look"),
            part::<Reconnect, 1>("reconnect.stop_account"),
            part::<Reconnect, 2>("reconnect.start_account"),
            part::<Reconnect, 3>("reconnect.await_connect"),
            proof::<Reconnect>("reconnect.prove"),

            head::<Restart>("restart", "Restart"),
            part::<Restart, 0>("restart.look"),
            part::<Restart, 1>("restart.drain"),
            part::<Restart, 2>("restart.restart"),
            part::<Restart, 3>("restart.await_live"),
            part::<Restart, 4>("restart.await_ready"),
            part::<Restart, 5>("restart.check_accounts"),
            proof::<Restart>("restart.prove"),

            head::<Recreate>("recreate", "Recreate"),
            part::<Recreate, 0>("recreate.look"),
            part::<Recreate, 1>("recreate.drain"),
            part::<Recreate, 2>("recreate.stop_old"),
            part::<Recreate, 3>("recreate.set_aside"),
            part::<Recreate, 4>("recreate.create_new"),
            part::<Recreate, 5>("recreate.start_new"),
            part::<Recreate, 6>("recreate.await_live"),
            part::<Recreate, 7>("recreate.await_ready"),
            part::<Recreate, 8>("recreate.check_accounts"),
            part::<Recreate, 9>("recreate.remove_old"),
            proof::<Recreate>("recreate.prove"),

            head::<Relink>("relink", "Link anew by a scan"),
            part::<Relink, 0>("relink.look"),
            part::<Relink, 1>("relink.show_code"),
            part::<Relink, 2>("relink.connect"),
            proof::<Relink>("relink.prove"),

            step("prove", "Look whether WhatsApp works", act!(prove), Nothing, mins(1), Now),
        ]
    }

    fn note(state: &State) -> Option<String> {
        if state.worked_before {
            return Some(
                "Nothing to fix: the account is connected, and the gateway is ready. Nothing was touched."
                    .to_owned(),
            );
        }
        state.last_note()
    }

    fn passed(state: &State) -> Option<Passing> {
        state.passed
    }

    fn skip(state: &mut State, step: &str, by: &str) {
        let (rung, step) = step.split_once('.').unwrap_or((step, ""));
        match rung {
            "start" => state.start.skip(step, by),
            "reconnect" => state.reconnect.skip(step, by),
            "restart" => state.restart.skip(step, by),
            "recreate" => state.recreate.skip(step, by),
            _ => {}
        }
    }

    fn todo(_: &Plan, state: &State, step: &str) -> String {
        let within = step.strip_prefix("recreate.").unwrap_or(step);
        state.recreate.todo(within)
    }
}

impl State {
    fn climbed(&self) -> Climbed {
        Climbed {
            started: self.start.was_tried(),
        }
    }

    /// The note of the rung that helped: the last one that was tried.
    fn last_note(&self) -> Option<String> {
        let rungs = [
            (self.relink.was_tried(), self.relink.note()),
            (self.recreate.was_tried(), self.recreate.note()),
            (self.restart.was_tried(), self.restart.note()),
            (self.reconnect.was_tried(), self.reconnect.note()),
            (self.start.was_tried(), self.start.note()),
        ];
        rungs.into_iter().find(|(tried, _)| *tried)?.1
    }

    /// What was tried and what came of it.
    fn in_vain(&self) -> Vec<String> {
        let rungs = [
            ("Start", &self.start.found),
            ("Reconnect", &self.reconnect.found),
            ("Restart", &self.restart.found),
            ("Recreate", &self.recreate.found),
            ("Link anew", &self.relink.found),
        ];
        rungs
            .into_iter()
            .filter_map(|(name, found)| Some(format!("{name}: {}", found.as_ref()?)))
            .collect()
    }
}

async fn examine(cx: &Cx, plan: &Plan, state: &mut State) -> Result<(), Fault> {
    let facts = Facts::of(cx, &plan.account).await?;
    if facts.work() {
        (state.works, state.worked_before) = (true, true);
        cx.say
            .line("Nothing to fix: the account is connected, and the gateway is ready.");
        return Ok(());
    }
    if let Some(refused) = refusal(&facts, &plan.account) {
        return Err(refused);
    }
    cx.say.line(matter(&facts));
    Ok(())
}

/// Waiting is the gentlest of all: for a gateway that is starting, and for the owner lease of a run that
/// was killed.
async fn wait(cx: &Cx, plan: &Plan, state: &mut State) -> Result<(), Fault> {
    let began = Instant::now();
    let mut waited = false;
    let facts = loop {
        let facts = Facts::of(cx, &plan.account).await?;
        if facts.lease {
            return wait_for_lease(cx, plan, state).await;
        }
        if facts.work() || !facts.is_starting() || began.elapsed() >= STARTING {
            break facts;
        }
        waited = true;
        cx.say.progress(format!(
            "The gateway was started a moment ago and is given the time it needs. {}",
            matter(&facts)
        ));
        tokio::time::sleep(POLL).await;
    };
    state.works = facts.work();
    state.passed = match (waited, state.works) {
        (false, _) => Some(Passing::NotNeeded),
        (true, true) => None,
        (true, false) => Some(Passing::Fruitless),
    };
    cx.say.line(match (waited, state.works) {
        (false, true) => "Not needed: it works.".to_owned(),
        (false, false) => "Not needed: nothing is about to come by itself.".to_owned(),
        (true, true) => "It works now.".to_owned(),
        (true, false) => matter(&facts),
    });
    Ok(())
}

/// Counts down until the lease ends, then gives the accounts their time.
async fn wait_for_lease(cx: &Cx, plan: &Plan, state: &mut State) -> Result<(), Fault> {
    state.passed = Some(Passing::Fruitless);
    let before = look::look(cx).await?;
    let old = look::existing(&before)?;
    if let Err(fault) = waiting::wait(cx, &old.id, Goal::Ready, None).await {
        cx.say.line(&fault.message);
        return Ok(());
    }
    let came = accounts::check(cx, &before).await;
    let facts = Facts::of(cx, &plan.account).await?;
    if facts.work() {
        state.works = true;
        state.passed = None;
    } else {
        let missing = came.ok().flatten();
        cx.say.line(missing.unwrap_or_else(|| matter(&facts)));
    }
    Ok(())
}

/// The last look; tells what was tried in vain, and what is left.
async fn prove(cx: &Cx, plan: &Plan, state: &mut State) -> Result<(), Fault> {
    state.passed = None;
    let facts = Facts::of(cx, &plan.account).await?;
    if facts.work() {
        cx.say
            .line("The account is connected, and the gateway is ready.");
        return Ok(());
    }
    if let Some(refused) = refusal(&facts, &plan.account) {
        return Err(refused);
    }
    let mut told = vec![matter(&facts)];
    let tried = state.in_vain();
    if tried.is_empty() {
        told.push("Nothing that the panel does could help, so nothing was touched.".to_owned());
    } else {
        told.push("What was tried did not help.".to_owned());
        told.extend(tried);
    }
    told.extend(left_to_do(&facts));
    Err(gave_up(Boundary::Gateway, cx.say.scrub(&told.join(" "))))
}

/// What a person can do when the ladder is at its end.
fn left_to_do(facts: &Facts) -> Option<String> {
    let account = facts.known().filter(|account| !account.connected)?;
    if !account.has_working_link() {
        return None;
    }
    if other_client(account).is_some() {
        return Some(
            "Find the other client that uses this session and stop it, or they throw each other out; then fix \
             it again."
                .to_owned(),
        );
    }
    Some(
        "If WhatsApp or the network is away, wait: the gateway goes on trying by itself. Else only a new link is \
         left: “Replace the link” on the gateway's page backs the present one up and brings it back if nothing comes \
         of the scan. On numbers for which WhatsApp demands a passkey, linking through this gateway fails today."
            .to_owned(),
    )
}
