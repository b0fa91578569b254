//! Have the chain of the audit trail checked; review what was done, and answer what a reviewer asks.

use domain::action::Action;
use domain::path;
use domain::ports::{ReviewError, Verified};
use domain::review::{Asked, Draft, LONGEST, Stretches, Verdict};
use leptos::prelude::*;
use uuid::Uuid;

use super::operations::sentence;
use crate::call::{Call, Went, redirect_back, redirect_to};
use crate::error::{OrSay as _, PanelError};
use crate::pages::own_page;
use crate::reviews;

/// Checks the whole chain; the page then tells what was found.
///
/// # Errors
/// Not allowed, or the database does not answer.
#[server(prefix = "/api", endpoint = "audit/verify")]
pub async fn verify_audit() -> Result<Went, PanelError> {
    let call = Call::current()?;
    let permit = call.permit(Action::VerifyAudit, None).await?;
    let verified = call.panel().chain.verify(permit).await;
    let to = match verified.or_say(|| call.error_id())? {
        Verified::Done(_) => path::AUDIT.to_owned(),
        Verified::GoesOn => format!("{}?checking=1", path::AUDIT),
    };
    Ok(redirect_to(&to))
}

/// Signs events off, asks about them, or notes that they are followed up; then goes `back`.
///
/// # Errors
/// Not allowed, one's own acts, events that are not there, or the database does not answer.
#[server(prefix = "/api", endpoint = "audit/review")]
pub async fn review_events(
    covers: String,
    verdict: String,
    #[server(default)] comment: String,
    #[server(default)] asked: String,
    #[server(default)] back: String,
) -> Result<Went, PanelError> {
    let call = Call::current()?;
    let permit = call.permit(Action::ReviewAudit, None).await?;
    let nothing = || PanelError::gone(ReviewError::Unknown.to_string());
    let stretches = Stretches::parse(&covers).ok_or_else(nothing)?;
    let page = stretches
        .last()
        .map_or(path::AUDIT.to_owned(), path::audit_event);
    let typed = [
        ("verdict", verdict.as_str()),
        ("comment", comment.as_str()),
        ("asked", asked.as_str()),
        ("back", back.as_str()),
    ];
    let wrong = |field, why: &str| {
        let page = own_page(&back)
            .filter(|back| is_event(back))
            .unwrap_or(&page);
        Ok(redirect_back(
            page,
            &typed,
            &PanelError::invalid(field, why),
        ))
    };
    let Some(verdict) = Verdict::parse(&verdict) else {
        return wrong("verdict", "Choose one of them.");
    };
    let person = match asked.parse::<Uuid>() {
        Ok(id) if verdict == Verdict::Question => {
            let found = call.panel().people.find(id).await;
            let found = found.or_say(|| call.error_id())?;
            let found = found.filter(|person| person.disabled_at.is_none());
            if found
                .as_ref()
                .is_some_and(|person| person.id == call.viewer().person.id)
            {
                return wrong("asked", "You cannot ask yourself.");
            }
            found
        }
        _ => None,
    };
    let person = person.map(|person| Asked {
        id: person.id,
        name: person.name,
    });
    let draft = match Draft::new(stretches, verdict, sentence(&comment, LONGEST), person) {
        Ok(draft) => draft,
        Err(bad) => return wrong(bad.field, bad.why),
    };
    let reviewed = call.panel().reviews.review(permit, draft).await;
    reviews::forget(call.panel());
    reviewed.map_err(|error| said(&call, error))?;
    Ok(redirect_to(own_page(&back).unwrap_or(&page)))
}

/// Answers a question, as the person who is asked.
///
/// # Errors
/// Somebody else is asked, there is no such question, or the database does not answer.
#[server(prefix = "/api", endpoint = "audit/answer")]
pub async fn answer_question(
    review: String,
    event: i64,
    #[server(default)] answer: String,
) -> Result<Went, PanelError> {
    let call = Call::current()?;
    let page = path::audit_event(event);
    let Some(text) = sentence(&answer, LONGEST) else {
        let error = PanelError::invalid("answer", "Write an answer.");
        return Ok(redirect_back(&page, &[], &error));
    };
    let unknown = || PanelError::gone(ReviewError::Unknown.to_string());
    let review = review.parse().map_err(|_| unknown())?;
    // The store knows who is asked, and lets nobody else answer.
    let answered = call
        .panel()
        .reviews
        .answer(call.actor(), review, text)
        .await;
    reviews::forget(call.panel());
    answered.map_err(|error| said(&call, error))?;
    Ok(redirect_to(&page))
}

/// Whether a page has the whole form of a review.
fn is_event(page: &str) -> bool {
    let number = page
        .strip_prefix(path::AUDIT)
        .and_then(|rest| rest.strip_prefix('/'));
    number.is_some_and(|number| number.parse::<i64>().is_ok())
}

fn said(call: &Call, error: ReviewError) -> PanelError {
    match error {
        ReviewError::Database(error) => match Err::<(), _>(error).or_say(|| call.error_id()) {
            Err(said) => said,
            Ok(()) => PanelError::gone("Nothing was done."),
        },
        ReviewError::Unknown => PanelError::gone(error.to_string()),
        other => PanelError::Refused {
            why: other.to_string(),
        },
    }
}
