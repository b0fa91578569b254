//! One event: everything about it, what was changed, what chains it, and what reviewers say of it.

use domain::action::Action;
use domain::audit::{AuditEvent, Change};
use domain::path;
use domain::person::{Actor, Person, Role};
use domain::ports::Chained;
use domain::review::{Agreed, LONGEST, Review, Verdict, may_review, waits};
use domain::time::Timestamp;
use domain::words;
use leptos::prelude::*;
use uuid::Uuid;

use super::filters::word;
use super::rows::{class, place};
use super::sentences::sentence;
use crate::call::Call;
use crate::error::{OrSay as _, PanelError};
use crate::forms::endpoint;
use crate::pages::{Asked, Page};
use crate::ui::said::{capital, phones};
use crate::ui::{in_text_area, moment};

pub(crate) async fn page(call: &Call, number: &str, asked: &Asked) -> Result<Page, PanelError> {
    let gone = || PanelError::gone("There is no event of that number in the audit trail.");
    let sequence: Option<i64> = number.parse().ok();
    let all = match sequence {
        Some(sequence) => {
            let reviews = call.panel().reviews.of_events(&[sequence]).await;
            reviews.or_say(|| call.error_id())?
        }
        None => Vec::new(),
    };
    let found = match sequence {
        Some(sequence) => call
            .panel()
            .trail
            .event(sequence)
            .await
            .or_say(|| call.error_id())?,
        None => None,
    };
    let gateway = found.as_ref();
    let gateway = gateway.and_then(|found| found.event.event.gateway.as_ref());
    let reads_all = call.reads_all_audit();
    let of = gateway.filter(|_| !reads_all);
    let reads_all = reads_all || of.is_some_and(|of| call.may_on(Action::ViewAudit, of).is_ok());
    // Whoever is asked reads what they are asked about, and only that.
    let is_asked = all
        .iter()
        .any(|review| review.may_answer(call.actor()).is_ok());
    if !reads_all && !is_asked {
        call.permit(Action::ViewAudit, None).await?;
    }
    let role = call.viewer().role(of);
    let sees_numbers = domain::can::role_may(Some(role), Action::ViewPhoneNumbers).is_ok();
    let found = found.ok_or_else(gone)?;
    let reviews: Vec<Review> = all
        .into_iter()
        .filter(|review| reads_all || review.may_answer(call.actor()).is_ok())
        .collect();
    let people = match call.may(Action::ReviewAudit) {
        Ok(()) => call
            .panel()
            .people
            .list()
            .await
            .or_say(|| call.error_id())?,
        Err(_) => Vec::new(),
    };
    let operation: Vec<_> = found.event.event.operation.into_iter().collect();
    let agreed = call.panel().reviews.agreed(&operation).await;
    let agreed = agreed.or_say(|| call.error_id())?;
    let now = call.now();
    let event = &found.event;
    let back = if reads_all {
        view! { <a href=path::AUDIT>"Audit"</a>" / " }.into_any()
    } else {
        ().into_any()
    };
    let content = view! {
        <div class="crumb">
            <h1>{back}{format!("Event {}", event.sequence)}</h1>
            <p class="live">{moment::clock(event.at, now)}" ("{moment::age(event.at)}")"</p>
        </div>
        <section class=format!("card verdict {}", class(event.event.outcome))>
            <p class="big">{phones(&sentence(event), role)}</p>
            <p class="why">{capital(word(event.event.outcome))}"."</p>
        </section>
        {changes(&event.event.changes, role)}
        <h2>"About it"</h2>
        {facts(event, role, now)}
        {said(call, &reviews, &agreed, asked, event, role)}
        {form(call, event, &reviews, &agreed, &people, asked)}
        {chained(&found, reads_all, sees_numbers)}
    }
    .to_html();
    let title = format!("Event {} of the audit trail", event.sequence);
    Ok(Page::new(title, moment::fill(&content, now)).at("audit"))
}

fn changes(changes: &[Change], role: Role) -> Option<AnyView> {
    if changes.is_empty() {
        return None;
    }
    let rows: Vec<_> = changes
        .iter()
        .map(|change| {
            let value = |of: Option<&str>| match (change.is_hidden(), of) {
                (true, _) => "not shown".to_owned(),
                (false, Some(text)) => phones(text, role),
                (false, None) => "–".to_owned(),
            };
            view! {
                <tr>
                    <th scope="row">{change.what().to_owned()}</th>
                    <td data-label="Before"><del>{value(change.before())}</del></td>
                    <td data-label="After"><ins>{value(change.after())}</ins></td>
                </tr>
            }
        })
        .collect();
    Some(
        view! {
            <h2>"What was changed"</h2>
            <div class="card">
                <table>
                    <thead><tr><th scope="col">"What"</th><th scope="col">"Before"</th><th scope="col">"After"</th></tr></thead>
                    <tbody>{rows}</tbody>
                </table>
            </div>
        }
        .into_any(),
    )
}

fn facts(event: &AuditEvent, role: Role, now: Timestamp) -> impl IntoView + use<> {
    let what = &event.event;
    let as_role = match &what.actor {
        Actor::Person { role, .. } => format!(", {} then", role.as_str()),
        _ => String::new(),
    };
    let came = place(&what.actor, role);
    let (session, token) = match &what.actor {
        Actor::Person { session, token, .. } => (session.map(short), token.as_ref()),
        _ => (None, None),
    };
    let text = |of: Option<&String>| of.map(|text| phones(text, role));
    let took = what.duration_ms.map(std::time::Duration::from_millis);
    let rows = [
        ("Who", Some(format!("{}{as_role}", what.actor.name()))),
        ("From", (!came.is_empty()).then(|| came.join(" · "))),
        (
            "Token",
            text(token).map(|name| format!("“{name}”, with which a program acted for them")),
        ),
        ("Session", session),
        ("Act", Some(what.action.clone())),
        ("Where", what.gateway.as_ref().map(ToString::to_string)),
        ("Target", text(what.target.as_ref())),
        (
            "Reason",
            text(what.reason.as_ref()).map(|reason| format!("“{reason}”")),
        ),
        ("Note", text(what.note.as_ref())),
        ("Took", took.map(words::duration)),
    ];
    let rows: Vec<_> = rows
        .into_iter()
        .filter_map(|(name, value)| Some((name, value?)))
        .map(|(name, value)| view! { <li><b>{name}</b><small>{value}</small></li> })
        .collect();
    let operation = what.operation.map(|id| {
        view! { <li><a class="go" href=path::operation(&id)>"Operation"</a><small>{id.to_string()}</small></li> }
    });
    view! {
        <ul class="card rows" role="list">
            <li><b>"When"</b><small>{event.at.utc_text()}", here "{moment::clock(event.at, now)}</small></li>
            {rows}
            {operation}
        </ul>
    }
}

/// What tells sessions apart: the part of the id that has no time in it.
fn short(session: Uuid) -> String {
    let id = session.simple().to_string();
    id.chars().skip(id.len() - 8).collect()
}

/// What was said of it, oldest first, and the answer of whoever is asked.
fn said(
    call: &Call,
    reviews: &[Review],
    agreed: &Agreed,
    asked: &Asked,
    event: &AuditEvent,
    role: Role,
) -> Option<AnyView> {
    let (actor, now) = (call.actor(), call.now());
    if reviews.is_empty() {
        return None;
    }
    let rows: Vec<_> = reviews
        .iter()
        .map(|review| {
            let to = review.asked.as_ref().map(|asked| format!(" to {}", asked.name));
            let more = review.covers.count() - 1;
            let more = (more > 0).then(|| format!(" · together with {}", words::count(more, "other event", "other events")));
            let own = (!review.counts_for(event, agreed))
                .then_some(" · does not count: nobody signs off their own acts");
            let comment = review.comment.as_ref();
            let comment = comment.map(|comment| format!(" · “{}”", phones(comment, role)));
            let answers: Vec<_> = review
                .answers
                .iter()
                .map(|answer| {
                    let text = format!(" · “{}”", phones(&answer.text, role));
                    view! { <li><b>{answer.by.name().to_owned()}" answered"</b><small>{moment::clock(answer.at, now)}{text}</small></li> }
                })
                .collect();
            let form = review.may_answer(actor).is_ok().then(|| answer(review, asked, event));
            view! {
                <li>
                    <b>{review.by.name().to_owned()}": "{review.verdict.title()}{to}</b>
                    <small>{moment::clock(review.at, now)}{comment}{more}{own}</small>
                </li>
                {answers}
                {form}
            }
        })
        .collect();
    Some(view! { <h2>"Reviews"</h2><ol class="card rows" role="list">{rows}</ol> }.into_any())
}

fn answer(review: &Review, asked: &Asked, event: &AuditEvent) -> impl IntoView + use<> {
    let why = asked.problem_with("answer");
    let label = if review.answers.is_empty() {
        "Your answer"
    } else {
        "Add to your answer"
    };
    let id = format!("answer-{}", review.id);
    let error = why.as_ref().map(|_| format!("{id}-error"));
    view! {
        <li>
            <form class="form" method="post" action=endpoint::ANSWER_QUESTION>
                <input type="hidden" name="review" value=review.id.to_string()/>
                <input type="hidden" name="event" value=event.sequence.to_string()/>
                <div class="field">
                    <label for=id.clone()>{label}</label>
                    <textarea id=id name="answer" rows="2" maxlength=LONGEST.to_string()
                        aria-invalid=why.as_ref().map(|_| "true") aria-describedby=error.clone()>{in_text_area("")}</textarea>
                    {why.map(|why| view! { <p class="error" id=error role="alert">{why}</p> })}
                </div>
                <div class="actions"><button class="btn">"Answer"</button></div>
            </form>
        </li>
    }
}

fn form(
    call: &Call,
    event: &AuditEvent,
    reviews: &[Review],
    agreed: &Agreed,
    people: &[Person],
    asked: &Asked,
) -> Option<AnyView> {
    if call.may(Action::ReviewAudit).is_err() {
        return None;
    }
    if let Err(why) = may_review(call.actor(), event, agreed) {
        return Some(view! { <h2>"Review"</h2><p class="hint">{why}</p> }.into_any());
    }
    let state = if waits(event, reviews, agreed) {
        "This waits for a review."
    } else {
        "This does not wait for a review; what is said is added all the same."
    };
    let chosen = Verdict::parse(asked.get("verdict")).unwrap_or(Verdict::Seen);
    let verdicts: Vec<_> = Verdict::ALL
        .into_iter()
        .map(|verdict| {
            let hint = match verdict {
                Verdict::Seen => "It waits no more.",
                Verdict::Question => "Goes to one person, who sees it on every page and answers here. It waits on.",
                Verdict::FollowUp => "It waits no more; write what is to be done.",
            };
            view! {
                <label class="check">
                    <input type="radio" name="verdict" value=verdict.as_str() checked=verdict == chosen/>
                    <span>{verdict.title()}</span><small>{hint}</small>
                </label>
            }
        })
        .collect();
    // Whoever did it is the one to ask, unless another one was chosen before.
    let default = match (&event.event.actor, asked.get("asked")) {
        (Actor::Person { id, .. }, "") => id.to_string(),
        (_, before) => before.to_owned(),
    };
    let own = call.viewer().person.id;
    let people: Vec<_> = people
        .iter()
        .filter(|person| person.disabled_at.is_none() && person.id != own)
        .map(|person| {
            let id = person.id.to_string();
            let selected = id == default;
            view! { <option value=id selected=selected>{person.name.clone()}</option> }
        })
        .collect();
    let verdict_error = asked.problem_with("verdict");
    let asked_error = asked.problem_with("asked");
    let comment_error = asked.problem_with("comment");
    let error = |id: &'static str, why: Option<String>| {
        why.map(|why| view! { <p class="error" id=id role="alert">{why}</p> })
    };
    Some(
        view! {
            <h2>"Review"</h2>
            <form class="card pad form" method="post" action=endpoint::REVIEW_EVENTS autocomplete="off">
                <input type="hidden" name="covers" value=event.sequence.to_string()/>
                <p class="hint">{state}" What is said here stands for good and is an audit event itself."</p>
                <fieldset class="field">
                    <legend>"What you say"</legend>
                    <div class="choices">{verdicts}</div>
                    {error("verdict-error", verdict_error)}
                </fieldset>
                <div class="field">
                    <label for="asked">"Who is asked (with a question)"</label>
                    <select id="asked" name="asked" aria-invalid=asked_error.as_ref().map(|_| "true")
                        aria-describedby=asked_error.as_ref().map(|_| "asked-error")>
                        <option value="">"Nobody"</option>
                        {people}
                    </select>
                    {error("asked-error", asked_error)}
                </div>
                <div class="field">
                    <label for="comment">"Comment"</label>
                    <textarea id="comment" name="comment" rows="3" maxlength=LONGEST.to_string()
                        aria-invalid=comment_error.as_ref().map(|_| "true")
                        aria-describedby=comment_error.as_ref().map(|_| "comment-error")>{in_text_area(asked.get("comment"))}</textarea>
                    {error("comment-error", comment_error)}
                </div>
                <div class="actions"><button class="btn primary">"Add the review"</button></div>
            </form>
        }
        .into_any(),
    )
}

/// Without its hashes for whoever sees numbers masked: by them the masked digits could be tried out.
fn chained(found: &Chained, reads_all: bool, sees_numbers: bool) -> Option<AnyView> {
    let hashes = sees_numbers.then(|| {
        view! {
            <li><b>"Hash of this event"</b><small><code class="long">{found.hash.to_string()}</code></small></li>
            <li><b>"Hash of the one before"</b><small><code class="long">{found.previous.to_string()}</code></small></li>
        }
    });
    reads_all.then(|| {
        view! {
            <h2>"In the chain"</h2>
            <ul class="card rows" role="list">
                {hashes}
                <li><b>"Id"</b><small><code class="long">{found.event.id.to_string()}</code></small></li>
            </ul>
        }
        .into_any()
    })
}
