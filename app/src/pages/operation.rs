//! One operation: its steps while they run and after, how to stop it, what to do when it is stuck.

use core::time::Duration;

use domain::action::Action;
use domain::can;
use domain::operation::{Command, KEEP_NUMBER, OperationView, Outcome, StepState, StepView};
use domain::path;
use domain::person::Role;
use domain::scan::Scan;
use domain::time::Timestamp;
use domain::words;
use leptos::prelude::*;

use super::{Asked, Page};
use crate::call::Call;
use crate::codes;
use crate::error::{OrSay as _, PanelError};
use crate::forms::endpoint;
use crate::live::Fragment;
use crate::ui::{escape, moment};

pub(crate) async fn page(call: &Call, id: &str, asked: &Asked) -> Result<Page, PanelError> {
    let view = call.operation(id).await?;
    let gateway = view.operation.command.gateway().clone();
    codes::viewing(call.panel(), call.viewer(), &view)
        .await
        .or_say(|| call.error_id())?;
    let now = call.now();
    let scan = call.panel().scans.of(view.operation.id);
    let content = content(call.role_on(&gateway), &view, scan.as_ref(), asked, now);
    let title = view.operation.command.title();
    let events = path::operation_events(&view.operation.id);
    let page = Page::new(title, content).at("operations").of(gateway);
    let over = view.operation.outcome.is_some() && !view.operation.holds_lock();
    Ok(if over { page } else { page.live(events) })
}

fn content(
    role: Role,
    view: &OperationView,
    scan: Option<&Scan>,
    asked: &Asked,
    now: Timestamp,
) -> String {
    let gateway = view.operation.command.gateway();
    let list = escape(&path::operations(gateway));
    let title = escape(&view.operation.command.title());
    let problem = asked.problem_with("comment").map_or(String::new(), |why| {
        view! { <p class="error" role="alert">{why}</p> }.to_html()
    });
    let again = if view.operation.outcome.is_none() {
        r#"<noscript><meta http-equiv="refresh" content="3"></noscript>"#
    } else {
        ""
    };
    let fragments = fragments(role, view, scan, now);
    let [live, verdict, steps, why, stuck, scan] = fragments.as_slice() else {
        return String::new();
    };
    let markup = format!(
        r#"{again}<div class="crumb"><h1><a href="{list}">Operations</a> / {title}</h1><p class="live"><span id="link"></span> {}</p></div>{}{}{problem}{}<h2>Steps</h2>{}<h2>Why</h2>{}"#,
        live.open(),
        scan.open(),
        verdict.open(),
        stuck.open(),
        steps.open(),
        why.open(),
    );
    moment::fill(&markup, now)
}

/// What changes while it runs.
pub(crate) fn fragments(
    role: Role,
    view: &OperationView,
    scan: Option<&Scan>,
    now: Timestamp,
) -> Vec<Fragment> {
    vec![
        Fragment::new("checked", started(view, now)),
        Fragment::new("verdict", verdict(role, view, now)),
        Fragment::new("steps", steps(view)),
        Fragment::new("why", why(view)),
        Fragment::new("stuck", stuck(role, view)),
        Fragment::new(
            "scan",
            super::scan::card(role, view, scan, super::scan::Where::Panel),
        ),
    ]
}

fn started(view: &OperationView, now: Timestamp) -> String {
    let operation = &view.operation;
    let by = operation.asked_by.name().to_owned();
    let ended = operation.ended_at.map(|at| {
        let took = words::duration(operation.took(at));
        view! { ", ended "{moment::clock(at, now)}", took "{took} }
    });
    view! {
        <span id="checked">"started "{moment::clock(operation.created_at, now)}" by "{by}{ended}</span>
    }
    .to_html()
}

fn verdict(role: Role, view: &OperationView, now: Timestamp) -> String {
    let operation = &view.operation;
    let (class, big, why) = said(view, now);
    let class = format!("card verdict {class}");
    let progress = operation.outcome.is_none().then(|| {
        let usual = operation.usually_ms.map(|millis| (millis / 1_000).max(1));
        usual.map(|usual| {
            let label = format!("usually {usual} s");
            view! {
                <progress class="bar" max=usual value=moment::seconds_since(operation.created_at)
                    data-from=operation.created_at.as_millis() aria-label=label></progress>
            }
        })
    });
    let act = if operation.outcome.is_none() {
        cancel(role, view)
    } else if operation.holds_lock() {
        ().into_any()
    } else {
        let id = operation.command.gateway();
        let gateway = path::gateway(id);
        let rotated = matches!(operation.command, Command::RotateKey { .. })
            && matches!(operation.outcome, Some(Outcome::Succeeded { .. }));
        if rotated {
            let next = super::new_key::next(id, &operation.id);
            view! { <div class="act sticky">{next}<a class="btn" href=gateway>"Back to the gateway"</a></div> }
                .into_any()
        } else {
            view! {
                <div class="act sticky"><a class="btn primary" href=gateway>"Back to the gateway"</a></div>
            }
            .into_any()
        }
    };
    let so_far = operation.outcome.is_none().then(|| {
        let usual = operation.usually_ms.map(|millis| {
            format!(
                " of about {}",
                words::duration(Duration::from_millis(millis))
            )
        });
        view! { {moment::age(operation.created_at)}{usual}". " }
    });
    view! {
        <section class=class id="verdict" aria-labelledby="verdict-said">
            <p class="big" id="verdict-said" aria-live="polite">{big}</p>
            <p class="why">{so_far}{why}</p>
            {progress}{act}
        </section>
    }
    .to_html()
}

/// Class, sentence and reason.
fn said(view: &OperationView, now: Timestamp) -> (&'static str, String, String) {
    let operation = &view.operation;
    let title = operation.command.title();
    let label = |name: &str| {
        let step = view.steps.iter().find(|step| step.outline.name == name);
        step.map_or_else(|| name.to_owned(), |step| step.outline.label.clone())
    };
    let took = words::duration(operation.took(now));
    match &operation.outcome {
        None if view.is_unwinding() => (
            "is-undone",
            format!("{title}: putting everything back"),
            fault(view),
        ),
        None => {
            let step = view.current().map_or_else(
                || "about to begin".to_owned(),
                |step| step.outline.label.clone(),
            );
            let why = question(view).unwrap_or_else(|| way_back(view));
            ("is-now", format!("{title}: {step}"), why)
        }
        Some(Outcome::Succeeded { note }) => (
            if note.is_some() { "is-warn" } else { "is-done" },
            format!("{title} is done"),
            note.clone().unwrap_or_else(|| format!("It took {took}.")),
        ),
        Some(Outcome::Undone { why } | Outcome::Failed { why, .. }) if recovers(view) => (
            "is-failed",
            format!("{title} did not help"),
            why.message.clone(),
        ),
        Some(Outcome::Undone { why }) => (
            "is-undone",
            format!("{title} failed, and everything was put back"),
            why.message.clone(),
        ),
        Some(Outcome::Cancelled { by }) => (
            "is-skipped",
            format!("{title} was stopped and put back"),
            if recovers(view) {
                format!("{by} asked for it. What was done before that step stays.")
            } else {
                format!("{by} asked for it. The gateway is as it was before.")
            },
        ),
        Some(Outcome::Failed { at, why }) => (
            "is-failed",
            format!("{title} failed at “{}”", label(at)),
            format!(
                "{} It was past the point of no return, so the new state stands.",
                why.message
            ),
        ),
        Some(Outcome::Stuck { at, why, todo }) => (
            "is-failed",
            format!("{title} is stuck: a person must look"),
            format!("At “{}”: {} {todo}", label(at), why.message),
        ),
        Some(Outcome::Abandoned { by, comment }) => (
            "is-skipped",
            format!("{title} was given up, and the gateway is free again"),
            format!("{by}: “{comment}”"),
        ),
    }
}

fn fault(view: &OperationView) -> String {
    let failed = view.steps.iter().find_map(|step| step.fault.as_ref());
    match (failed, &view.cancel_asked_by) {
        (Some(fault), _) => fault.message.clone(),
        (None, Some(by)) => format!("{by} asked to stop."),
        (None, None) => "A step did not go as it should.".to_owned(),
    }
}

/// Whether it is made of others, whose own changes stay when they are done.
fn recovers(view: &OperationView) -> bool {
    matches!(view.operation.command, Command::Recover { .. })
}

/// What a person is asked just now.
fn question(view: &OperationView) -> Option<String> {
    let step = view
        .current()
        .filter(|step| step.outline.name == KEEP_NUMBER)?;
    step.said.last().map(|(_, said)| said.clone())
}

/// What becomes of it when it fails.
fn way_back(view: &OperationView) -> String {
    if recovers(view) {
        return "It goes on only while WhatsApp does not work. If a new container fails, the old one comes back by \
                itself."
            .to_owned();
    }
    let mut returns = view.steps.iter().filter(|step| step.outline.no_return);
    let Some(first) = returns.next() else {
        return "If it fails, everything is put back by itself.".to_owned();
    };
    if first.state == StepState::Todo {
        format!(
            "If it fails, everything is put back by itself, until “{}”.",
            first.outline.label
        )
    } else {
        "It is past the point of no return: it only goes forward from here.".to_owned()
    }
}

fn cancel(role: Role, view: &OperationView) -> AnyView {
    let allowed = can::role_may(Some(role), Action::CancelOperation).map_err(|denied| denied.why);
    let against = allowed.and_then(|()| view.can_cancel()).err();
    let asked = view
        .cancel_asked_by
        .as_ref()
        .map(|by| format!("{by} asked to stop. "));
    match against {
        Some(why) => view! {
            <div class="act">
                <button class="btn" type="button" disabled=true aria-describedby="cancel-why">
                    "Stop and put back"
                </button>
                <span id="cancel-why">{asked}{why}</span>
            </div>
        }
        .into_any(),
        None => view! {
            <div class="act sticky">
                {skip(view)}
                <form method="post" action=endpoint::CANCEL>
                    <input type="hidden" name="id" value=view.operation.id.to_string()/>
                    <button class="btn">"Stop and put back"</button>
                </form>
            </div>
        }
        .into_any(),
    }
}

/// Goes on without the step that is waited for. Only for operations that have such steps.
fn skip(view: &OperationView) -> Option<AnyView> {
    if !view.has_skippable() {
        return None;
    }
    Some(match view.can_skip() {
        Ok(step) => {
            let label = match view.operation.command {
                Command::Wipe { .. } => "Link it later",
                _ if step.outline.name == KEEP_NUMBER => "Keep the new number",
                _ => "Skip this step",
            };
            view! {
                <form method="post" action=endpoint::SKIP>
                    <input type="hidden" name="id" value=view.operation.id.to_string()/>
                    <input type="hidden" name="step" value=step.outline.name.clone()/>
                    <button class="btn">{label}</button>
                </form>
            }
            .into_any()
        }
        Err(why) => view! { <small>{why}</small> }.into_any(),
    })
}

fn steps(view: &OperationView) -> String {
    let over = view.operation.outcome.is_some();
    let shown = view.steps.iter().filter(|step| is_shown(view, step));
    let items: Vec<_> = shown.map(|view| step(view, over)).collect();
    if items.is_empty() {
        return view! { <p class="card note" id="steps">"It has no steps yet."</p> }.to_html();
    }
    view! { <ol class="card steps" role="list" id="steps">{items}</ol> }.to_html()
}

/// The parts of a step are shown once it has begun, and those that had nothing to do are not.
fn is_shown(view: &OperationView, step: &StepView) -> bool {
    let Some((within, _)) = step.outline.name.split_once('.') else {
        return true;
    };
    let whole = view.steps.iter().find(|step| step.outline.name == within);
    let begun = whole.is_none_or(|whole| {
        !matches!(
            whole.state,
            StepState::Todo | StepState::NotNeeded | StepState::Running
        )
    });
    begun && step.state != StepState::NotNeeded
}

fn step(step: &StepView, over: bool) -> impl IntoView + use<> {
    let (class, word) = match step.state {
        StepState::Todo if over => ("is-skipped", ", skipped"),
        StepState::Todo => ("is-todo", ", to do"),
        StepState::Running => ("is-now", ", running"),
        StepState::Done => ("is-done", ", done"),
        StepState::NotNeeded => ("is-skipped", ", not needed"),
        StepState::Fruitless => ("is-undone", ", did not help"),
        StepState::Skipped => ("is-skipped", ", skipped"),
        StepState::Failed => ("is-failed", ", failed"),
        StepState::Undoing => ("is-undone", ", being put back"),
        StepState::Undone => ("is-undone", ", put back"),
        StepState::UndoFailed => ("is-failed", ", could not be put back"),
    };
    let current = matches!(step.state, StepState::Running | StepState::Undoing);
    let mut class = match (step.outline.no_return, &step.state) {
        (true, StepState::Todo) => format!("{class} no-return"),
        _ => class.to_owned(),
    };
    if step.outline.name.contains('.') {
        class.push_str(" part");
    }
    let time = match (step.started_at, step.ended_at) {
        _ if step.state == StepState::NotNeeded => "not needed".into_any(),
        (Some(from), Some(to)) => words::duration(to.since(from)).into_any(),
        (Some(from), None) => moment::age(from).into_any(),
        _ if step.outline.no_return && !over => "no way back after this".into_any(),
        _ => ().into_any(),
    };
    let last = step.said.last().map(|(_, said)| said.clone());
    let again = (step.attempts > 1).then(|| {
        let times = words::count(step.attempts.into(), "time", "times");
        view! { <small>"begun "{times}": the panel was started again in between"</small> }
    });
    let fault = step
        .fault
        .as_ref()
        .map(|fault| view! { <small>{fault.message.clone()}</small> });
    let output = (step.said.len() > 1).then(|| {
        let lines: Vec<_> = step
            .said
            .iter()
            .map(|(at, said)| {
                let said = format!(" {said}\n");
                view! { {moment::clock_to_the_second(*at)}{said} }
            })
            .collect();
        let count = words::count(lines.len() as u64, "line", "lines");
        view! {
            <details class="output"><summary>"Output, "{count}</summary><pre>{lines}</pre></details>
        }
    });
    view! {
        <li class=class aria-current=current.then_some("step")>
            <span class="what">{step.outline.label.clone()}<span class="sr">{word}</span></span>
            <span class="t">{time}</span>
            {last.map(|said| view! { <small>{said}</small> })}
            {fault}{again}{output}
        </li>
    }
}

fn why(view: &OperationView) -> String {
    let operation = &view.operation;
    let reason = operation.reason.as_ref().map_or_else(
        || "No reason was given".to_owned(),
        |reason| format!("“{reason}”"),
    );
    let lock = if operation.holds_lock() {
        " · locked for others until it ends"
    } else {
        ""
    };
    let id = operation.id;
    view! {
        <p class="card note" id="why">
            {reason}{lock}" · number "<code title=id.to_string()>{id.short()}</code>
        </p>
    }
    .to_html()
}

/// When it is stuck: what to do, and the way to free the gateway.
fn stuck(role: Role, view: &OperationView) -> String {
    let Some(Outcome::Stuck { todo, .. }) = &view.operation.outcome else {
        return view! { <div id="stuck"></div> }.to_html();
    };
    let id = view.operation.id.to_string();
    let form = match can::role_may(Some(role), Action::AbandonOperation) {
        Ok(()) => view! {
            <form class="card pad form" method="post" action=endpoint::ABANDON>
                <input type="hidden" name="id" value=id/>
                <div class="field">
                    <label for="comment">"What you found and did"</label>
                    <textarea id="comment" name="comment" rows="2" required=true maxlength="500"></textarea>
                    <p class="hint">"The gateway is free for others afterwards; nothing is put back."</p>
                </div>
                <div class="actions"><button class="btn primary">"Free the gateway"</button></div>
            </form>
        }
        .into_any(),
        Err(denied) => view! {
            <p class="card note">"Only an admin can free the gateway. "{denied.why}</p>
        }
        .into_any(),
    };
    view! { <div id="stuck"><h2>"What to do"</h2><p>{todo.clone()}</p>{form}</div> }.to_html()
}
