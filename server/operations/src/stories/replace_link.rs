//! Replace a link: a phone scans a code though the account has a link that may still work. With consent only.
//!
//! WhatsApp is not told of the old link's end, so it stays good until the new one is made: it is backed up, kept aside
//! in the gateway's state folder, and comes back whenever this does not end with a link that is wanted.

use std::time::Duration;

use domain::fault::{Boundary, Fault, FaultKind};
use domain::operation::{Cancel, Command, KEEP_NUMBER};
use domain::time::Timestamp;
use serde::{Deserialize, Serialize};
use tokio::time::Instant;

use super::{accounts, aside, backup, look, refused, relink};
use crate::step::Undo::{NoReturn, Nothing, With};
use crate::step::{Cx, Step, act, mins, secs, step};
use crate::story::Story;

/// How long a person has to say whether another number is kept.
const DECIDE: Duration = mins(10);
/// Between two looks.
const POLL: Duration = secs(1);

/// See the module.
pub struct ReplaceLink;

/// Decided before the first step.
#[derive(Debug, Serialize, Deserialize)]
pub struct Plan {
    relink: relink::Plan,
    /// Stands in the backup's name.
    begun: Timestamp,
    /// The account ran before, so it is started again when all is put back.
    ran: bool,
}

/// Kept between steps.
#[derive(Debug, Default, Serialize, Deserialize)]
pub struct State {
    relink: relink::State,
    /// Who said that another number is kept.
    kept_by: Option<String>,
}

impl Story for ReplaceLink {
    const NAME: &'static str = "replace-link";
    type Plan = Plan;
    type State = State;

    async fn plan(cx: &Cx, command: &Command) -> Result<Plan, Fault> {
        let Command::ReplaceLink { account, .. } = command else {
            let why = "this does not replace a link";
            return Err(refused(FaultKind::Unexpected, Boundary::Panel, why));
        };
        // A gateway that does not answer is named by the first step.
        let known = look::account(cx, account).await.ok();
        Ok(Plan {
            ran: known.as_ref().is_some_and(|known| known.running),
            relink: relink::Plan {
                account: account.clone(),
                before: known.as_ref().and_then(relink::last_digits),
            },
            begun: cx.clock.now(),
        })
    }

    #[rustfmt::skip]
    fn steps() -> Vec<Step<Plan, State>> {
        use Cancel::{AfterStep, Now, Refuse};
        vec![
            step("look",      "Look at the account and the key for backups",    act!(examine),   Nothing,                           secs(30), Now),
            step("archive",   "Have the gateway write a backup",                act!(archive),   With(act!(clear_archive), secs(30)), mins(5), AfterStep),
            step("keep",      "Encrypt it and keep it",                         act!(keep),      Nothing,                           mins(10), AfterStep),
            step("clear_archive", "Remove the archive from the container",      act!(clean_archive), Nothing,                       secs(30), AfterStep),
            step("stop",      "Stop the account",                               act!(stop),      With(act!(start_again), secs(60)), secs(30), AfterStep),
            step("set_aside", "Keep the present link aside",                    act!(set_aside), With(act!(put_back), secs(60)),    secs(60), AfterStep),
            step("show_code", "Show the code until it is scanned",              act!(show_code), With(act!(put_away), secs(30)),    mins(20), Now),
            step("connect",   "Wait until the account is connected",            act!(connect),   With(act!(stop), secs(30)),        mins(4),  Now),
            step(KEEP_NUMBER, "Ask whether another number is kept",             act!(ask),       Nothing,                           mins(12), Now).skippable(),
            step("clear",     "Remove the link from before",                    act!(clean),     NoReturn,                           secs(60), Refuse),
        ]
    }

    fn note(state: &State) -> Option<String> {
        relink::Relink::note(&state.relink)
    }

    fn skip(state: &mut State, step: &str, by: &str) {
        if step == KEEP_NUMBER {
            state.kept_by = Some(by.to_owned());
        }
    }

    fn todo(plan: &Plan, _: &State, step: &str) -> String {
        aside::todo(&plan.relink.account, step)
    }
}

async fn examine(cx: &Cx, plan: &Plan, _: &mut State) -> Result<(), Fault> {
    relink::need_scan(cx).await?;
    backup::need_key(cx).await?;
    aside::need_single_account(cx).await?;
    let account = look::account(cx, &plan.relink.account).await?;
    let id = &account.id;
    let refusal = if !account.enabled {
        Some(format!(
            "Account {id} is switched off in the gateway's configuration."
        ))
    } else if account.connected {
        Some(format!(
            "Account {id} is linked and connected: no scan is needed."
        ))
    } else if !account.has_working_link() {
        Some(format!(
            "Account {id} has no link that works, so there is nothing to replace: link it instead."
        ))
    } else {
        None
    };
    if let Some(why) = refusal {
        return Err(refused(FaultKind::Invalid, Boundary::Gateway, why));
    }
    cx.say
        .line(format!("Account {id}: {}.", accounts::cause(&account)));
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

/// Also the way back from the new link.
async fn stop(cx: &Cx, plan: &Plan, _: &mut State) -> Result<(), Fault> {
    aside::stop(cx, &plan.relink.account).await
}

async fn start_again(cx: &Cx, plan: &Plan, _: &mut State) -> Result<(), Fault> {
    aside::start_again(cx, &plan.relink.account, plan.ran).await
}

async fn set_aside(cx: &Cx, plan: &Plan, _: &mut State) -> Result<(), Fault> {
    let account = &plan.relink.account;
    cx.links
        .set_aside(&cx.gateway, account, cx.operation)
        .await?;
    cx.say.line(
        "The link from before is kept aside and comes back by itself if nothing comes of the new one.",
    );
    Ok(())
}

async fn put_back(cx: &Cx, plan: &Plan, _: &mut State) -> Result<(), Fault> {
    let account = &plan.relink.account;
    // A link made in the last moment may have started the account.
    aside::stop(cx, account).await?;
    cx.links
        .put_back(&cx.gateway, account, cx.operation)
        .await?;
    cx.links.clear(&cx.gateway, cx.operation).await
}

async fn show_code(cx: &Cx, plan: &Plan, state: &mut State) -> Result<(), Fault> {
    relink::show_code(cx, &plan.relink, &mut state.relink).await
}

async fn put_away(cx: &Cx, plan: &Plan, state: &mut State) -> Result<(), Fault> {
    relink::put_away(cx, &plan.relink, &mut state.relink).await
}

async fn connect(cx: &Cx, plan: &Plan, state: &mut State) -> Result<(), Fault> {
    relink::connect(cx, &plan.relink, &mut state.relink).await
}

/// Waits for a person only when another number was linked than before.
async fn ask(cx: &Cx, plan: &Plan, state: &mut State) -> Result<(), Fault> {
    let began = Instant::now();
    loop {
        let now = look::account(cx, &plan.relink.account).await.ok();
        let now = now.as_ref().and_then(relink::last_digits);
        let (Some(before), Some(now)) = (&plan.relink.before, now) else {
            return Ok(());
        };
        if *before == now || state.kept_by.is_some() {
            return Ok(());
        }
        if began.elapsed() >= DECIDE {
            cx.say.line(
                "Nobody decided: the new number stays. The backup holds the link from before.",
            );
            return Ok(());
        }
        cx.say.progress(format!(
            "Another number is linked: it ends in {now}, and the one before ended in {before}. Keep it, or stop and put \
             the link from before back."
        ));
        tokio::time::sleep(POLL).await;
    }
}

async fn clean(cx: &Cx, _: &Plan, state: &mut State) -> Result<(), Fault> {
    if let Some(by) = &state.kept_by {
        cx.say.line(format!("{by} keeps the new number."));
    }
    cx.say
        .line("The phone still lists the old device: remove it there, under Linked devices.");
    aside::clean(cx).await
}

#[cfg(test)]
mod tests {
    use domain::operation::Outcome;

    use super::*;
    use crate::stories::Book;
    use crate::testing::story_tests::{Scenario, story_tests};
    use crate::testing::{Bench, Cure, Phone, World, gateway};

    fn command() -> Command {
        Command::ReplaceLink {
            gateway: gateway(),
            account: "default".parse().unwrap(),
        }
    }

    /// The account has a link and does not connect; the new link does.
    fn dropped() -> World {
        World::dropped(Cure::NewLink)
    }

    fn in_order(world: &World) {
        world.assert_runs();
        let inner = world.lock();
        assert_eq!(inner.shown, None);
        assert!(inner.aside.is_none() && inner.archives.is_empty());
        assert_eq!(inner.stopped, Vec::<String>::new());
    }

    fn scenario() -> Scenario {
        Scenario {
            command: command(),
            world: dropped,
            done: |world| {
                in_order(world);
                assert_eq!(world.lock().ails, None);
                assert_eq!(world.lock().kept.len(), 1);
            },
            undone: |world| {
                in_order(world);
                world.account(|account| assert!(account.linked));
                assert_eq!(world.lock().ails, Some(Cure::NewLink));
            },
        }
    }

    story_tests!(scenario);

    async fn why(world: World) -> (String, Bench) {
        let bench = Bench::new(world);
        let (_, outcome) = bench.run(Book::default(), &command()).await;
        match outcome {
            Outcome::Undone { why } => (why.message, bench),
            other => panic!("{other:?}"),
        }
    }

    #[tokio::test(start_paused = true)]
    async fn nobody_scans_and_the_link_from_before_is_back() {
        let world = dropped();
        world.lock().phone = Phone::Away;
        let (why, bench) = why(world).await;
        assert!(why.contains("Nobody scanned"), "{why}");
        in_order(&bench.world);
        bench.world.account(|account| assert!(account.linked));
    }

    #[tokio::test(start_paused = true)]
    async fn without_a_key_for_backups_nothing_is_begun() {
        let world = dropped();
        world.lock().backup_key = false;
        let (why, bench) = why(world).await;
        assert!(why.contains("no key for backups"), "{why}");
        assert_eq!(bench.world.changes(), Vec::<String>::new());
    }

    #[tokio::test(start_paused = true)]
    async fn a_connected_account_is_left_alone() {
        let (why, bench) = why(World::running()).await;
        assert!(why.contains("no scan is needed"), "{why}");
        assert_eq!(bench.world.changes(), Vec::<String>::new());
    }

    #[tokio::test(start_paused = true)]
    async fn another_number_waits_for_a_decision_and_stays_when_nobody_decides() {
        let world = dropped();
        world.lock().scans_with = Some("+4915112340000".to_owned());
        let bench = Bench::new(world);
        let (id, outcome) = bench.run(Book::default(), &command()).await;
        assert!(
            matches!(outcome, Outcome::Succeeded { note: Some(_) }),
            "{outcome:?}"
        );
        let told = bench.journal.dump();
        assert!(told.contains("Keep it, or stop"), "{id}: {told}");
        in_order(&bench.world);
    }
}
