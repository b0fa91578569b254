//! What waits for a review and who is asked what, as last read for what must not wait for the database.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use domain::action::Action;
use domain::can;
use domain::path;
use domain::person::{Actor, Role};
use domain::ports::Waiting;
use domain::review::Review;
use domain::time::Timestamp;
use leptos::prelude::*;

use crate::error::counted;
use crate::panel::Panel;
use crate::ui::moment;
use crate::ui::said::capital;

/// How long it is believed as it was read.
const FRESH: Duration = Duration::from_secs(15);
/// The most that is counted.
pub(crate) const COUNTED: u32 = 200;

/// As last read.
#[derive(Default)]
pub(crate) struct Kept(Mutex<Known>);

/// What waits, and the questions that nobody has answered.
#[derive(Clone, Default)]
pub(crate) struct Known {
    at: Timestamp,
    waiting: Arc<Waiting>,
    questions: Arc<Vec<Review>>,
}

/// Asked for now and then; a database that is away costs only this.
pub(crate) async fn known(panel: &Panel, now: Timestamp) -> Known {
    let before = {
        let mut kept = lock(panel);
        if now.since(kept.at) < FRESH {
            return kept.clone();
        }
        // Whoever comes while this one asks gets what was known before.
        kept.at = now;
        kept.clone()
    };
    let waiting = panel.reviews.waiting(COUNTED).await;
    let questions = panel.reviews.questions().await;
    let (Ok(waiting), Ok(questions)) = (waiting, questions) else {
        return before;
    };
    let fresh = Known {
        at: now,
        waiting: Arc::new(waiting),
        questions: Arc::new(questions),
    };
    *lock(panel) = fresh.clone();
    fresh
}

/// To be read anew: somebody added to it.
pub(crate) fn forget(panel: &Panel) {
    lock(panel).at = Timestamp::default();
}

fn lock(panel: &Panel) -> MutexGuard<'_, Known> {
    let kept = &panel.rendered.reviews.0;
    kept.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Whether a role reviews.
pub(crate) fn may_review(role: Role) -> bool {
    can::role_may(Some(role), Action::ReviewAudit).is_ok()
}

/// `12 to review`, beside the entry of the navigation: without one's own acts, which one cannot sign off.
pub(crate) fn count(panel: &Panel, role: Role, actor: &Actor) -> impl IntoView + use<> {
    let kept = may_review(role).then(|| lock(panel).clone());
    let said = kept.and_then(|kept| {
        let key = actor.key();
        let events = kept.waiting.events.iter();
        let count = events
            .filter(|event| event.event.actor.key() != key)
            .count();
        let more = if kept.waiting.more { "+" } else { "" };
        (count > 0).then(|| format!("{count}{more} to review"))
    });
    view! { <span class="count">{said}</span> }
}

/// That somebody asks this person, above every page but the one where they answer.
pub(crate) fn banner(panel: &Panel, actor: &Actor, here: &str) -> Option<AnyView> {
    let questions = Arc::clone(&lock(panel).questions);
    let mut own = questions.iter().filter(|review| review.waits_for(actor));
    let first = own.next()?;
    let more = own.count();
    let href = path::audit_event(first.covers.first()?);
    if here == href {
        return None;
    }
    let said = match more {
        0 => format!(
            "{} asks you about something that was done.",
            first.by.name()
        ),
        more => format!(
            "{} asks you about something that was done, and {} more wait.",
            first.by.name(),
            counted(more, "question", "questions")
        ),
    };
    Some(
        view! { <div class="banner is-now"><p>{said}</p><a href=href>"Answer"</a></div> }
            .into_any(),
    )
}

/// Above the trail: how much waits, until when, and the way to it.
pub(crate) fn line(panel: &Panel, actor: &Actor, now: Timestamp) -> AnyView {
    let kept = lock(panel).clone();
    let key = actor.key();
    let events = kept.waiting.events.iter();
    let count = events
        .filter(|event| event.event.actor.key() != key)
        .count();
    if count == 0 {
        return view! { <p class="hint">"Nothing waits for your review. "<a href=path::REVIEW>"Reviews"</a></p> }
            .into_any();
    }
    let more = if kept.waiting.more { "more than " } else { "" };
    let said = match count {
        1 => format!("{more}1 event waits for review"),
        count => format!("{more}{count} events wait for review"),
    };
    let due = panel.review_policy.due(&kept.waiting);
    let (class, due) = match due {
        Some(at) if at <= now => (
            "banner is-warn",
            view! { ", overdue since "{moment::clock(at, now)} }.into_any(),
        ),
        Some(at) => (
            "banner is-now",
            view! { ", due "{moment::clock(at, now)} }.into_any(),
        ),
        None => ("banner is-now", ().into_any()),
    };
    view! {
        <div class=class>
            <p>{capital(&said)}{due}". Nobody signs off their own acts."</p>
            <a href=path::REVIEW>"Review them"</a>
        </div>
    }
    .into_any()
}
