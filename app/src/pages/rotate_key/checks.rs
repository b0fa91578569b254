//! What a look at the key found, line by line.

use domain::compare::Comparison;
use domain::credential::Fingerprint;
use domain::fault::Fault;
use domain::gateway::GatewayId;
use domain::gateway_key::{self, Answer, KeyLine, Tried, WhichKey};
use domain::ports::{LogAccess, SecretAccess};
use leptos::prelude::*;

use super::super::Asked;
use crate::call::Call;

/// How a check came out.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum State {
    Fine,
    /// Worth to be known.
    Odd,
    /// Nothing is begun like this.
    Against,
}

/// One line of what was found.
pub(super) struct Check {
    what: &'static str,
    pub(super) state: State,
    pub(super) said: String,
}

impl Check {
    pub(super) fn new(what: &'static str, state: State, said: impl Into<String>) -> Self {
        Self {
            what,
            state,
            said: said.into(),
        }
    }

    pub(super) fn row(self) -> impl IntoView + use<> {
        let (class, word) = match self.state {
            State::Fine => ("dot is-done", "Fine"),
            State::Odd => ("dot is-warn", "Note"),
            State::Against => ("dot is-failed", "In the way"),
        };
        view! {
            <li>
                <b><span class=class aria-hidden="true"></span>" "{self.what}</b>
                <small>{self.said}</small>
                <div class="end">{word}</div>
            </li>
        }
    }
}

/// What a look at the key found.
pub(super) struct Seen {
    line: Result<KeyLine, Fault>,
    in_container: Result<Option<Fingerprint>, Fault>,
    doors: Result<Vec<Tried>, Fault>,
    comparison: Result<Comparison, Fault>,
    secret: Result<SecretAccess, Fault>,
    log: Result<LogAccess, Fault>,
}

impl Seen {
    pub(super) async fn of(call: &Call, gateway: &GatewayId) -> Self {
        let panel = call.panel();
        let line = panel.keys.look(gateway).await;
        // A key that cannot be found cannot be tried.
        let doors = match &line {
            Ok(_) => panel.keys.try_doors(gateway, WhichKey::Present).await,
            Err(fault) => Err(fault.clone()),
        };
        Self {
            line,
            doors,
            in_container: panel.keys.in_container(gateway).await,
            comparison: panel.operations.compare(gateway).await,
            secret: panel.secrets.check(gateway).await,
            log: panel.rotation_log.check(gateway).await,
        }
    }

    pub(super) fn checks(&self) -> Vec<Check> {
        let mut checks = Vec::new();
        let line = match &self.line {
            Ok(line) => line,
            Err(fault) => {
                checks.push(Check::new(
                    "The line in .env",
                    State::Against,
                    &fault.message,
                ));
                return checks;
            }
        };
        checks.push(Check::new(
            "The line in .env",
            State::Fine,
            format!(
                "{} in {}, fingerprint {}. Only its value will change.",
                line.variable, line.file, line.fingerprint
            ),
        ));
        for notice in &line.notices {
            checks.push(Check::new("The file", State::Odd, notice));
        }
        checks.push(match &self.in_container {
            Ok(Some(inside)) if *inside == line.fingerprint => {
                Check::new("The running container", State::Fine, "It has the key of .env.")
            }
            Ok(Some(_)) => Check::new(
                "The running container",
                State::Against,
                "It has another key than .env says: the file was changed and the container not recreated. Recreate it first.",
            ),
            Ok(None) => Check::new(
                "The running container",
                State::Against,
                "The gateway does not run, so a change of its key could not be proved. Start it first.",
            ),
            Err(fault) => Check::new("The running container", State::Against, &fault.message),
        });
        match &self.doors {
            Ok(tried) => checks.extend(doors(tried)),
            Err(fault) => checks.push(Check::new("The doors", State::Against, &fault.message)),
        }
        checks.extend(self.repository());
        checks
    }

    /// What goes wrong in the repository is no reason against a rotation: it can be done later, and by hand.
    fn repository(&self) -> Vec<Check> {
        let what = "The secret on GitHub";
        let secret = match &self.secret {
            Ok(SecretAccess::Off) => None,
            Ok(SecretAccess::Ready {
                repository,
                name,
                updated_at,
            }) => {
                let last = updated_at.map_or_else(
                    || "There is none yet.".to_owned(),
                    |at| format!("Last written at {}.", at.utc_text()),
                );
                let said = format!("{name} in {repository} will be written. {last}");
                Some(Check::new(what, State::Fine, said))
            }
            Err(fault) => Some(Check::new(
                what,
                State::Odd,
                format!(
                    "{} It can be done after the rotation, by hand too.",
                    fault.message
                ),
            )),
        };
        let what = "The rotation log";
        let log = match &self.log {
            Ok(LogAccess::Off) => None,
            Ok(LogAccess::Ready { file, pushes }) => {
                let pushed = if *pushes { " and pushed" } else { "" };
                let said = format!("A row in {file} will be committed{pushed}.");
                Some(Check::new(what, State::Fine, said))
            }
            Err(fault) => Some(Check::new(
                what,
                State::Odd,
                format!("{} It can be done after the rotation.", fault.message),
            )),
        };
        secret.into_iter().chain(log).collect()
    }

    pub(super) fn may_skip_secret(&self, asked: &Asked) -> AnyView {
        if matches!(self.secret, Ok(SecretAccess::Off)) {
            return ().into_any();
        }
        let ticked = asked.get("skip_secret") == "true";
        view! {
            <div class="field">
                <label class="check">
                    <input type="checkbox" name="skip_secret" value="true" checked=ticked/>
                    "Leave the secret on GitHub to me"
                </label>
            </div>
        }
        .into_any()
    }

    /// What else a recreate brings: it applies the whole compose folder.
    pub(super) fn also_applied(&self) -> AnyView {
        let Ok(comparison) = &self.comparison else {
            return ().into_any();
        };
        if comparison.differences.is_empty() {
            return ().into_any();
        }
        let rows: Vec<_> = comparison
            .differences
            .iter()
            .map(|difference| {
                view! {
                    <li>{format!("{}: {} → {}", difference.what, difference.running, difference.wanted)}</li>
                }
            })
            .collect();
        view! {
            <p><b>"What else changes. "</b>"The compose folder was changed since the container was made, and a recreate applies that, too:"</p>
            <ul class="prose" id="also">{rows}</ul>
        }
        .into_any()
    }
}

/// One line for the doors that take it, one for each of the others.
fn doors(tried: &[Tried]) -> Vec<Check> {
    let taken = gateway_key::those(tried, |answer| *answer == Answer::Takes);
    let taken = taken.map(|doors| Check::new(KEY, State::Fine, format!("Taken by {doors}.")));
    let others = tried.iter().filter_map(other_door);
    taken.into_iter().chain(others).collect()
}

/// What is tried at the doors.
const KEY: &str = "The present key";

fn other_door(tried: &Tried) -> Option<Check> {
    let place = tried.door.words();
    let inside = tried.door.is_internal();
    match &tried.answer {
        Answer::Takes => None,
        Answer::Refuses if inside => Some(Check::new(
            KEY,
            State::Against,
            format!("Refused by {place}."),
        )),
        Answer::Refuses => Some(Check::new(
            KEY,
            State::Odd,
            format!(
                "Refused by {place}: another gateway, or a proxy with a key of its own, answers there."
            ),
        )),
        Answer::Untold(why) => Some(Check::new(
            KEY,
            if inside { State::Against } else { State::Odd },
            format!("Not proved at {place}: {why}"),
        )),
    }
}
