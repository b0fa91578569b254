//! Relink: a phone scans a code, and the account gets a new link. The last rung.
//!
//! Only for an account without a link that works: a working one would be thrown away, and some numbers
//! cannot be linked again. The loop runs here and not in a browser, so that closing a page changes
//! nothing: when nobody waits while the phone scans, the gateway does not start the account.
//!
//! The gateway tells failures by nothing but a message. So what happened is read from which fields are
//! there, from how long the answer took, and from the account afterwards; the message is passed on.

use std::time::Duration;

use domain::disconnect;
use domain::fact::{Account, Disconnect};
use domain::fault::{Boundary, Fault, FaultKind};
use domain::gateway::AccountId;
use domain::operation::{Cancel, Command};
use domain::scan::{Code, Login, Scan};
use domain::time::Timestamp;
use domain::words;
use serde::{Deserialize, Serialize};
use tokio::time::Instant;

use super::{accounts, gave_up, look, refused};
use crate::step::Undo::{Nothing, With};
use crate::step::{Cx, Step, act, mins, secs, step};
use crate::story::Story;

/// A code can be scanned for so long after the login began; the gateway refuses a scan after 180 s,
/// when WhatsApp has already registered the device.
const GOOD_FOR: Duration = secs(175);
/// A login that is older than this is over for the gateway.
const OVER: Duration = secs(182);
/// Codes for a quarter of an hour, then a person has to ask again.
const ATTEMPTS: u32 = 5;
/// Logins that may end by themselves before it is given up.
const FAILURES: u32 = 3;
/// Between two logins, when the last one failed.
const PAUSE: Duration = secs(3);
/// One wait for news; a newer code is told at once.
const WAIT: Duration = secs(2);
/// An answer this much earlier than asked is no “still waiting”.
const EARLY: Duration = Duration::from_millis(300);
/// A login that was scanned and gets no end within that gets none; seen: 1 s. The phone has done its part by then.
const STALLED: Duration = secs(30);
/// What a link needs to be connected; seen: 1 s.
const FINISH: Duration = secs(60);
/// Between two looks.
const POLL: Duration = Duration::from_millis(250);

/// See the module.
pub struct Relink;

/// Decided before the first step.
#[derive(Debug, Serialize, Deserialize)]
pub struct Plan {
    pub(super) account: AccountId,
    /// The last digits of the number that was linked before, to tell another phone.
    pub(super) before: Option<String>,
}

/// Kept between steps.
#[derive(Debug, Default, Serialize, Deserialize)]
pub struct State {
    note: Option<String>,
}

impl Story for Relink {
    const NAME: &'static str = "relink";
    type Plan = Plan;
    type State = State;

    async fn plan(cx: &Cx, command: &Command) -> Result<Plan, Fault> {
        let Command::Relink { account, .. } = command else {
            return Err(refused(
                FaultKind::Unexpected,
                Boundary::Panel,
                "this is not a relink",
            ));
        };
        // A gateway that does not answer is named by the first step.
        let known = look::account(cx, account).await.ok();
        Ok(Plan {
            account: account.clone(),
            before: known.and_then(|account| last_digits(&account)),
        })
    }

    #[rustfmt::skip]
    fn steps() -> Vec<Step<Plan, State>> {
        use Cancel::Now;
        vec![
            step("look",      "Look at the account",                  act!(examine),      Nothing,                        secs(30), Now),
            step("show_code", "Show the code until it is scanned",    act!(show_code), With(act!(put_away), secs(30)), mins(20), Now),
            step("connect",   "Wait until the account is connected",  act!(connect),   With(act!(put_away), secs(30)), mins(4),  Now),
        ]
    }

    fn note(state: &State) -> Option<String> {
        state.note.clone()
    }
}

pub(super) fn last_digits(account: &Account) -> Option<String> {
    let phone = account.phone.as_deref()?;
    phone.get(phone.len().checked_sub(4)?..).map(str::to_owned)
}

/// Refuses when the gateway cannot show a code.
pub(super) async fn need_scan(cx: &Cx) -> Result<(), Fault> {
    if cx.control.abilities(&cx.gateway).await?.scan {
        return Ok(());
    }
    Err(refused(
        FaultKind::NotOffered,
        Boundary::Gateway,
        "This gateway offers no link by a scan over its socket: its version is too old, or the WhatsApp \
         plugin is not loaded.",
    ))
}

async fn examine(cx: &Cx, plan: &Plan, _: &mut State) -> Result<(), Fault> {
    need_scan(cx).await?;
    let account = look::account(cx, &plan.account).await?;
    let id = &account.id;
    if !account.enabled {
        let why = format!("Account {id} is switched off in the gateway's configuration.");
        return Err(refused(FaultKind::Invalid, Boundary::Gateway, why));
    }
    if account.connected {
        let why = format!("Account {id} is linked and connected: no scan is needed.");
        return Err(refused(FaultKind::Invalid, Boundary::Gateway, why));
    }
    if account.has_working_link() {
        let why = format!(
            "Account {id} still has its link, and a new one would throw it away: {}. Reconnect it first, then \
             restart. If only a new link is left, replace the link: the present one is backed up first.",
            accounts::cause(&account)
        );
        return Err(refused(FaultKind::Invalid, Boundary::Gateway, why));
    }
    cx.say
        .line(format!("Account {id}: {}.", accounts::cause(&account)));
    Ok(())
}

/// Puts away what is shown when the step ends, however it ends: a cancel drops it where it stands.
struct OnDisplay<'a>(&'a Cx);

impl OnDisplay<'_> {
    fn show(&self, scan: Scan) {
        self.0.scans.show(self.0.operation, Some(scan));
    }
}

impl Drop for OnDisplay<'_> {
    fn drop(&mut self) {
        self.0.scans.show(self.0.operation, None);
    }
}

/// How one login ended.
enum Ended {
    Linked,
    /// Nobody scanned it in time, unless WhatsApp ended something meanwhile.
    TooOld(Option<Disconnect>),
    /// It was scanned, and the gateway still waits for the end: its login lives on.
    Stalled,
    Failed(String),
}

pub(super) async fn show_code(cx: &Cx, plan: &Plan, _: &mut State) -> Result<(), Fault> {
    let display = OnDisplay(cx);
    let mut failures = 0;
    for attempt in 1..=ATTEMPTS {
        display.show(Scan::Preparing);
        let mut left = collect(cx, plan).await?;
        if let Left::Spent(until) = left {
            left = outlast(cx, plan, &display, until).await?;
        }
        let active = match left {
            Left::Link => return Ok(()),
            Left::Login => true,
            Left::Spent(_) | Left::Nothing => false,
        };
        let ended = login(cx, plan, &display, attempt, active).await?;
        // Not when somebody stops it, which drops this: the gateway's login goes on then.
        if !matches!(ended, Ended::Stalled) {
            cx.scans.note_login(&cx.gateway, &plan.account, None);
        }
        match ended {
            Ended::Linked | Ended::Stalled => return Ok(()),
            Ended::TooOld(None) => cx
                .say
                .line("Nobody scanned it in time; here is a new one."),
            Ended::TooOld(Some(end)) => cx.say.line(format!(
                "A phone may have scanned it, and WhatsApp ended that login: {}. If the phone lists a new device now, \
                 remove it there; here is a new code.",
                why(&end)
            )),
            Ended::Failed(message) => {
                failures += 1;
                let explained = explained(&message);
                if failures == FAILURES {
                    return Err(gave_up(Boundary::Gateway, cx.say.scrub(&explained)));
                }
                cx.say.line(explained);
                tokio::time::sleep(PAUSE).await;
            }
        }
    }
    Err(gave_up(
        Boundary::Gateway,
        format!(
            "Nobody scanned a code within {}. Nothing was changed; ask for a new one when the phone is at hand.",
            words::duration(GOOD_FOR * ATTEMPTS)
        ),
    ))
}

/// Takes what an earlier login left behind: its failure would else be the answer to the next one, and
/// its dead code would be given again.
async fn collect(cx: &Cx, plan: &Plan) -> Result<Left, Fault> {
    let asked = Instant::now();
    let left = cx
        .control
        .await_login(&cx.gateway, &plan.account, None, secs(1))
        .await?;
    // Only a login that waits for its scan is waited for.
    let waited = asked.elapsed() + EARLY >= secs(1);
    let account = look::account(cx, &plan.account).await?;
    if left.connected || account.has_working_link() {
        return Ok(Left::Link);
    }
    if !waited {
        return Ok(Left::Nothing);
    }
    let now = cx.clock.now();
    let known = cx.scans.login(&cx.gateway, &plan.account);
    let known = known.filter(|login| now.since(login.began) < OVER);
    // Another panel may have seen the scan, or none: files beside a login that waits are those of its scan.
    if known.is_some_and(|login| login.spent) || account.linked {
        let began = known.map_or(now, |login| login.began);
        return Ok(Left::Spent(began.plus(OVER)));
    }
    Ok(Left::Login)
}

/// What an earlier login left behind.
enum Left {
    /// The account has its link already.
    Link,
    /// It still waits for its scan, and the next one joins it.
    Login,
    /// It was scanned and not finished: until then the next one would be given its code again.
    Spent(Timestamp),
    Nothing,
}

/// Waits until a login that was scanned is over. WhatsApp may still finish it.
async fn outlast(
    cx: &Cx,
    plan: &Plan,
    display: &OnDisplay<'_>,
    until: Timestamp,
) -> Result<Left, Fault> {
    display.show(Scan::Spent { until });
    cx.say.line(format!(
        "A phone has scanned the code that the gateway still holds, and no code can be scanned twice: a new one comes \
         within {}, unless WhatsApp finishes that link.",
        words::duration(until.since(cx.clock.now()))
    ));
    while cx.clock.now() < until {
        let asked = Instant::now();
        let limit = WAIT.min(until.since(cx.clock.now())).max(secs(1));
        let answer = cx
            .control
            .await_login(&cx.gateway, &plan.account, None, limit)
            .await?;
        if answer.connected {
            return Ok(Left::Link);
        }
        if asked.elapsed() + EARLY < limit {
            break;
        }
    }
    display.show(Scan::Preparing);
    Ok(Left::Nothing)
}

async fn login(
    cx: &Cx,
    plan: &Plan,
    display: &OnDisplay<'_>,
    attempt: u32,
    active: bool,
) -> Result<Ended, Fault> {
    let (asked, asked_at) = (Instant::now(), cx.clock.now());
    let known = cx.scans.login(&cx.gateway, &plan.account);
    // One that somebody stopped lives on in the gateway: its age counts, not when it was joined. One that must be over
    // by now is another.
    let lives_on = |began: &Timestamp| active && asked_at.since(*began) < OVER;
    let known = known.map(|login| login.began).filter(lives_on);
    let began_at = known.unwrap_or(asked_at);
    let joined_at = asked_at.since(began_at);
    let note = |spent| {
        let login = Login {
            began: began_at,
            spent,
        };
        cx.scans.note_login(&cx.gateway, &plan.account, Some(login));
    };
    note(false);
    let before = last_end(cx, plan).await;
    let answer = cx.control.start_login(&cx.gateway, &plan.account).await?;
    let show = |code: &Code| {
        display.show(Scan::Showing {
            code: code.clone(),
            good_until: began_at.plus(GOOD_FOR),
            attempt,
            attempts: ATTEMPTS,
        });
    };
    let Some(mut code) = answer.code else {
        return Ok(
            if answer.connected || look::account(cx, &plan.account).await?.has_working_link() {
                Ended::Linked
            } else {
                Ended::Failed(answer.message)
            },
        );
    };
    show(&code);
    // Of an account that the phone logged out, the gateway says so until its channel starts again, whatever is linked
    // meanwhile. But the files of the old link are gone once a code is given; new ones are those of a scan.
    let none_left = !look::account(cx, &plan.account).await?.linked;
    let is_scanned =
        |account: &Account| account.has_working_link() || (none_left && account.linked);
    cx.say.line(format!(
        "The code is on the page, to be scanned within {}.",
        words::duration(GOOD_FOR.saturating_sub(joined_at))
    ));
    let mut scanned_at: Option<Instant> = None;
    loop {
        let age = joined_at + asked.elapsed();
        if scanned_at.is_none() && age >= GOOD_FOR {
            display.show(Scan::Renewing);
            tokio::time::sleep(OVER.saturating_sub(age)).await;
            let end = last_end(cx, plan).await;
            let news = end != before;
            return Ok(Ended::TooOld(end.filter(|_| news)));
        }
        let limit = WAIT.min(GOOD_FOR.saturating_sub(age)).max(secs(1));
        let asked = Instant::now();
        let answer = cx
            .control
            .await_login(&cx.gateway, &plan.account, Some(&code), limit)
            .await?;
        if answer.connected {
            return Ok(Ended::Linked);
        }
        if let Some(newer) = answer.code {
            if scanned_at.is_some() && !look::account(cx, &plan.account).await?.linked {
                scanned_at = None;
                note(false);
                cx.say.line(
                    "WhatsApp did not let the scanned device in, and the gateway has cleared it. If the phone lists it \
                     now, remove it there; here is a new code.",
                );
            }
            if scanned_at.is_none() {
                show(&newer);
            }
            code = newer;
            continue;
        }
        let ended = asked.elapsed() + EARLY < limit;
        if is_scanned(&look::account(cx, &plan.account).await?) {
            if ended {
                return Ok(Ended::Linked);
            }
            let since = *scanned_at.get_or_insert_with(|| {
                note(true);
                display.show(Scan::Scanned);
                cx.say.line("Scanned; WhatsApp finishes the link.");
                Instant::now()
            });
            if since.elapsed() >= STALLED {
                return Ok(Ended::Stalled);
            }
        } else if ended {
            return Ok(Ended::Failed(answer.message));
        }
    }
}

/// How the account's last connection ended.
async fn last_end(cx: &Cx, plan: &Plan) -> Option<Disconnect> {
    let account = look::account(cx, &plan.account).await.ok()?;
    account.last_disconnect
}

/// Why a connection ended, as a clause.
fn why(end: &Disconnect) -> String {
    end.code.map_or_else(
        || "it gave no reason".to_owned(),
        |code| format!("{} ({code})", disconnect::meaning(code).cause),
    )
}

/// What a failure means and what to do; the gateway's own words stay beside it, since versions differ.
fn explained(message: &str) -> String {
    let means = [
        (
            "WebSocket Error",
            "The gateway cannot reach WhatsApp's servers: look at the host's network and name resolution.",
        ),
        (
            "Timed out waiting",
            "WhatsApp's server took the connection and gave no code: try again in a few minutes.",
        ),
        (
            "refs attempts ended",
            "WhatsApp gave no more codes for this attempt.",
        ),
        (
            "Connection Terminated",
            "The connection to WhatsApp broke while the code was shown.",
        ),
        (
            "Invalid account signature",
            "The scan was not confirmed as the phone's own: do not scan again before the phone and this page were checked.",
        ),
        (
            "certificate",
            "Whoever answers for WhatsApp's server could not prove to be it: look at the host's network.",
        ),
        (
            "logged out",
            "WhatsApp had removed the old device; the gateway has cleared it.",
        ),
        (
            "no longer active",
            "The scan came too late: remove the device that the phone now lists, then scan the new code.",
        ),
    ];
    let means = means.iter().find(|(words, _)| message.contains(words));
    let means = means.map_or("The gateway ended the login.", |(_, means)| means);
    format!("{means} The gateway says: “{message}”")
}

pub(super) async fn put_away(cx: &Cx, _: &Plan, _: &mut State) -> Result<(), Fault> {
    cx.scans.show(cx.operation, None);
    Ok(())
}

/// The link is made and stays, so this never fails: what is missing becomes the note.
pub(super) async fn connect(cx: &Cx, plan: &Plan, state: &mut State) -> Result<(), Fault> {
    let display = OnDisplay(cx);
    display.show(Scan::Scanned);
    let began = Instant::now();
    let mut started = false;
    let mut before = None;
    loop {
        let mut turned_away = false;
        let cause = match look::account(cx, &plan.account).await {
            Ok(account) if account.connected => {
                let after = words::duration(began.elapsed());
                cx.say.line(format!("Linked and connected after {after}."));
                state.note = another_number(plan, &account);
                return Ok(());
            }
            Ok(account) => {
                // When nobody waited while the phone scanned, the gateway does not start it.
                if !account.running && !started && account.linked {
                    started = true;
                    before.clone_from(&account.last_disconnect);
                    match cx.control.start_account(&cx.gateway, &plan.account).await {
                        Ok(answer) => cx.say.line(answer.explanation),
                        Err(fault) => cx.say.line(fault.message),
                    }
                } else if started {
                    let news = account.last_disconnect != before;
                    turned_away = news && !account.has_working_link();
                }
                accounts::cause(&account)
            }
            Err(fault) => fault.message,
        };
        if turned_away || began.elapsed() >= FINISH {
            let missing = format!(
                "The phone scanned the code and the link is stored, but account {} is not connected: {cause}. If the \
                 phone asks to continue on another device, this number wants a passkey, which this gateway cannot give: \
                 remove the device on the phone. Else reconnect the account.",
                plan.account
            );
            state.note = Some(cx.say.scrub(&missing));
            return Ok(());
        }
        cx.say.progress(format!("Not connected yet: {cause}."));
        tokio::time::sleep(POLL).await;
    }
}

fn another_number(plan: &Plan, account: &Account) -> Option<String> {
    let (before, now) = (plan.before.as_ref()?, last_digits(account)?);
    (*before != now).then(|| {
        format!(
            "Another number than before is linked now: it ends with {now}, and the one before ended with {before}. If \
             that is wrong, remove the device on the phone and link the right one."
        )
    })
}

#[cfg(test)]
mod tests;
