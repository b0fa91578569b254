//! Before the gateway's key is changed: what stands in the way, what it will interrupt, and why it is done.

use domain::action::Action;
use domain::compare::Comparison;
use domain::credential::{Cause, Fingerprint};
use domain::fault::Fault;
use domain::gateway::GatewayId;
use domain::gateway_key::{self, Answer, KeyLine, Tried, WhichKey};
use domain::key_rotation::{Consumer, KeyRotation};
use domain::path;
use domain::ports::{LogAccess, SecretAccess};
use domain::words;
use leptos::prelude::*;

use super::{Asked, Page};
use crate::call::Call;
use crate::error::{OrSay as _, PanelError};
use crate::forms::endpoint;
use crate::rungs::{self, Known};
use crate::ui::{ask, moment};

pub(crate) async fn page(call: &Call, id: &str, asked: &Asked) -> Result<Page, PanelError> {
    let gateway = call.gateway(id)?;
    call.permit_to_ask(Action::RotateKey, Some(&gateway.id))
        .await?;
    let (panel, now) = (call.panel(), call.now());
    let known = Known::of(call, &gateway.id).await;
    let seen = Seen::of(call, &gateway.id).await;
    let consumers = panel.rotations.consumers(&gateway.id).await;
    let consumers = consumers.or_say(|| call.error_id())?;
    let latest = panel.rotations.latest(&gateway.id).await;
    let latest = latest.or_say(|| call.error_id())?;
    let checks = seen.checks();
    let against = rungs::against(known.sight(), Action::RotateKey, None).or_else(|| {
        let mut against = checks.iter().filter(|check| check.state == State::Against);
        against.next().map(|check| check.said.clone())
    });
    let home = path::gateway(&gateway.id);
    let button = ask::submit("Rotate the key", "btn danger", against.as_ref());
    let usual = known.usual.get(Action::RotateKey.as_str());
    let usual = usual.or_else(|| known.usual.get(Action::Recreate.as_str()));
    let gap = usual.map_or_else(
        || "the time of a stop and a start, not timed here yet".to_owned(),
        |usual| format!("about {}", words::duration(*usual)),
    );
    let rows: Vec<_> = checks.into_iter().map(Check::row).collect();
    let content = view! {
        <div class="crumb"><h1><a href=home.clone()>{gateway.name.clone()}</a>" / Rotate the API key"</h1></div>
        {latest.as_ref().map(|latest| before(latest, now))}
        <h2>"What the panel found"</h2>
        <div class="stack">
        <ul class="card rows" role="list" id="checks">{rows}</ul>
        <form class="card confirm" method="post" action=endpoint::ROTATE_KEY autocomplete="off">
            <input type="hidden" name="gateway" value=gateway.id.to_string()/>
            <input type="hidden" name="key" value=panel.ids.next().to_string()/>
            <div class="body">
                <h2>"Give "{gateway.name.clone()}" a new API key?"</h2>
                <p>
                    "A new key is written into .env, the container is recreated with it, and it is proved that the new key \
                     is taken and the old one refused. Then the key is shown to you once, for those who use it."
                </p>
                <p>
                    <b>"What is interrupted. "</b>
                    "No messages get through for "{gap}". The gateway has one key at a time: whoever uses the API fails from \
                     the moment that the new container answers until they have the new key. "
                    {known_by(&consumers)}
                </p>
                {seen.also_applied()}
                <p>
                    <b>"How to get back. "</b>
                    "Until the proof it can be stopped, and the old key and the old container come back; so they do by \
                     themselves when anything goes wrong. After it there is no way back but another rotation."
                </p>
                {causes(asked)}
                {seen.may_skip_secret(asked)}
                {ask::reason(asked.get("reason"))}
                {ask::against(against)}
            </div>
            <div class="actions"><a class="btn" href=home>"Not now"</a>{button}</div>
        </form>
        </div>
    }
    .to_html();
    let content = moment::fill(&content, now);
    Ok(Page::new("Rotate the API key", content)
        .at("credentials")
        .of(gateway.id))
}

/// The rotation before, with a way to what is left of it.
fn before(latest: &KeyRotation, now: domain::time::Timestamp) -> impl IntoView + use<> {
    let href = path::new_key(&latest.gateway, &latest.operation);
    view! {
        <p class="hint">
            "Last rotated "{moment::clock(latest.at, now)}", fingerprint "<code>{latest.fingerprint.to_string()}</code>". "
            <a href=href>"Who has that key by now"</a>
        </p>
    }
}

fn known_by(consumers: &[Consumer]) -> String {
    let names: Vec<&str> = consumers
        .iter()
        .map(|consumer| consumer.name.as_str())
        .collect();
    if names.is_empty() {
        return "Nobody is in the register of those who use it yet; the page after the rotation has it.".to_owned();
    }
    format!("In the register: {}.", names.join(", "))
}

fn causes(asked: &Asked) -> impl IntoView + use<> {
    let wanted = Cause::parse(asked.get("cause")).unwrap_or(Cause::Scheduled);
    let choices: Vec<_> = Cause::ALL
        .into_iter()
        .map(|cause| {
            let more = match cause {
                Cause::Scheduled | Cause::PersonLeft => None,
                Cause::Leak => Some(view! {
                    <small>
                        "The gateway is not asked to finish its work first, and a list of what else to do follows."
                    </small>
                }),
            };
            view! {
                <label class="check">
                    <input type="radio" name="cause" value=cause.as_str() checked=cause == wanted/>
                    <span>{cause.sentence()}</span>
                    {more}
                </label>
            }
        })
        .collect();
    view! { <fieldset class="field"><legend>"Why now"</legend><div class="choices">{choices}</div></fieldset> }
}

/// How a check came out.
#[derive(Clone, Copy, PartialEq, Eq)]
enum State {
    Fine,
    /// Worth to be known.
    Odd,
    /// Nothing is begun like this.
    Against,
}

/// One line of what was found.
struct Check {
    what: &'static str,
    state: State,
    said: String,
}

impl Check {
    fn new(what: &'static str, state: State, said: impl Into<String>) -> Self {
        Self {
            what,
            state,
            said: said.into(),
        }
    }

    fn row(self) -> impl IntoView + use<> {
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
struct Seen {
    line: Result<KeyLine, Fault>,
    in_container: Result<Option<Fingerprint>, Fault>,
    doors: Result<Vec<Tried>, Fault>,
    comparison: Result<Comparison, Fault>,
    secret: Result<SecretAccess, Fault>,
    log: Result<LogAccess, Fault>,
}

impl Seen {
    async fn of(call: &Call, gateway: &GatewayId) -> Self {
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

    fn checks(&self) -> Vec<Check> {
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

    fn may_skip_secret(&self, asked: &Asked) -> AnyView {
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
    fn also_applied(&self) -> AnyView {
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
