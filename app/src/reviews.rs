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
    /// `None` while it is not known.
    waiting: Option<Arc<Waiting>>,
    questions: Arc<Vec<Review>>,
}

/// Asked for now and then. Where the database does not say, what waits is not known; what was asked of people is believed
/// to be as it was.
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
    let fresh = Known {
        at: now,
        waiting: waiting.ok().map(Arc::new),
        questions: questions.map_or(before.questions, Arc::new),
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
        let Some(waiting) = kept.waiting else {
            return Some("? to review".to_owned());
        };
        let count = of_others(&waiting, actor);
        let more = if waiting.more { "+" } else { "" };
        (count > 0).then(|| format!("{count}{more} to review"))
    });
    view! { <span class="count">{said}</span> }
}

fn of_others(waiting: &Waiting, actor: &Actor) -> usize {
    let key = actor.key();
    let events = waiting.events.iter();
    events
        .filter(|event| !waiting.agreed.is_own(&key, event))
        .count()
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
        view! { <div class="banner is-now no-print"><p>{said}</p><a href=href>"Answer"</a></div> }
            .into_any(),
    )
}

/// Above the trail: how much waits, until when, and the way to it.
pub(crate) fn line(panel: &Panel, actor: &Actor, now: Timestamp) -> AnyView {
    let kept = lock(panel).waiting.clone();
    let Some(waiting) = kept else {
        return view! {
            <div class="banner is-warn">
                <p>"It is not known at the moment what waits for your review: the panel's database did not say."</p>
                <a href=path::REVIEW>"Reviews"</a>
            </div>
        }
        .into_any();
    };
    let count = of_others(&waiting, actor);
    if count == 0 {
        return view! { <p class="hint">"Nothing waits for your review. "<a href=path::REVIEW>"Reviews"</a></p> }
            .into_any();
    }
    let more = if waiting.more { "more than " } else { "" };
    let said = match count {
        1 => format!("{more}1 event waits for review"),
        count => format!("{more}{count} events wait for review"),
    };
    let due = panel.review_policy.due(&waiting);
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
