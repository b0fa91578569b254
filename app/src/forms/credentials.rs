//! The register of credentials: what is listed, what was rotated elsewhere, what may wait, and the link to its calendar.

use std::collections::BTreeSet;
use std::time::Duration;

use domain::action::Action;
use domain::credential::{BadField, Cause, Logging, Terms, Typed};
use domain::path;
use domain::ports::ByHand;
use domain::time::Timestamp;
use leptos::prelude::*;
use secrecy::{ExposeSecret as _, SecretString};
use uuid::Uuid;

use crate::call::{Call, Went, redirect_back, redirect_to};
use crate::error::{OrSay as _, PanelError};
use crate::pages::credentials::one::{SNOOZES, checklist};
use crate::panel::Reveal;
use crate::register;

use super::log::write_log;
use super::operations::sentence;

/// Adds one, and goes to its page.
///
/// # Errors
/// Not allowed.
#[server(prefix = "/api", endpoint = "credentials/add")]
pub async fn add_credential(
    title: String,
    #[server(default)] place: String,
    #[server(default)] owner: String,
    #[server(default)] interval: String,
    #[server(default)] procedure: String,
) -> Result<Went, PanelError> {
    let call = Call::current()?;
    let permit = call.permit(Action::ManageCredentials, None).await?;
    let typed = Typed {
        title: &title,
        place: &place,
        owner: &owner,
        interval: &interval,
        procedure: &procedure,
    };
    let terms = match Terms::read(typed) {
        Ok(terms) => terms,
        Err(wrong) => return Ok(back(path::NEW_CREDENTIAL, typed, &wrong)),
    };
    let added = call.panel().register.add(permit, terms).await;
    let id = added.or_say(|| call.error_id())?;
    register::forget(call.panel());
    Ok(redirect_to(&path::credential(id)))
}

/// Changes what the register says of one.
///
/// # Errors
/// Not allowed, or there is no such credential.
#[server(prefix = "/api", endpoint = "credentials/change")]
pub async fn change_credential(
    id: String,
    #[server(default)] title: String,
    #[server(default)] place: String,
    #[server(default)] owner: String,
    #[server(default)] interval: String,
    #[server(default)] procedure: String,
) -> Result<Went, PanelError> {
    let call = Call::current()?;
    let permit = call.permit(Action::ManageCredentials, None).await?;
    let id = known_id(&id)?;
    let panel = call.panel();
    let found = panel.register.find(id).await;
    let found = found.or_say(|| call.error_id())?.ok_or_else(unknown)?;
    let named = found.kind.is_named_by_people();
    let typed = Typed {
        // The form of one that the panel knows by itself has no such fields.
        title: if named { &title } else { &found.title },
        place: if named { &place } else { &found.place },
        owner: &owner,
        interval: &interval,
        procedure: &procedure,
    };
    let page = path::credential(id);
    let terms = match Terms::read(typed) {
        Ok(terms) => terms,
        Err(wrong) => return Ok(back(&page, typed, &wrong)),
    };
    let changed = panel.register.change(permit, id, terms).await;
    changed.or_say(|| call.error_id())?;
    register::forget(panel);
    Ok(redirect_to(&format!("{page}?done=changed")))
}

/// Notes a rotation that was done elsewhere: the end of the guided checklist.
///
/// # Errors
/// Not allowed, or there is no such credential.
#[server(prefix = "/api", endpoint = "credentials/rotated")]
pub async fn note_rotation(
    id: String,
    rotated_on: String,
    cause: String,
    #[server(default)] note: String,
    #[server(default)] steps: Vec<String>,
) -> Result<Went, PanelError> {
    let call = Call::current()?;
    let permit = call.permit(Action::ManageCredentials, None).await?;
    let id = known_id(&id)?;
    let panel = call.panel();
    let found = panel.register.find(id).await;
    let found = found.or_say(|| call.error_id())?.ok_or_else(unknown)?;
    let page = path::credential(id);
    let ticked: BTreeSet<usize> = steps.iter().filter_map(|step| step.parse().ok()).collect();
    let back = |field, why: &str| {
        let names: Vec<_> = ticked
            .iter()
            .map(|step| (format!("steps[{step}]"), step.to_string()))
            .collect();
        let mut typed = vec![
            ("rotated_on", rotated_on.as_str()),
            ("cause", cause.as_str()),
            ("note", note.as_str()),
        ];
        typed.extend(
            names
                .iter()
                .map(|(name, step)| (name.as_str(), step.as_str())),
        );
        Ok(redirect_back(
            &page,
            &typed,
            &PanelError::invalid(field, why),
        ))
    };
    let all = checklist(&found).len();
    if (0..all).any(|step| !ticked.contains(&step)) {
        return back(
            "steps",
            "Not everything is ticked. A rotation is noted when all of it is done.",
        );
    }
    let now = call.now();
    let Some(at) = day(&rotated_on, now) else {
        return back("rotated_on", "Give a day that has come, like 2026-11-22.");
    };
    let cause = Cause::parse_offered(&cause)
        .ok_or_else(|| PanelError::invalid("cause", "Choose one of them."))?;
    let done = ByHand {
        at,
        cause,
        note: sentence(&note, 200),
    };
    let noted = panel.register.note_rotation_by_hand(permit, id, done).await;
    let noted = noted.or_say(|| call.error_id())?;
    register::forget(panel);
    let done = match write_log(&call, &found, (noted, at, cause)).await? {
        None => "rotated",
        Some(Logging::Committed(_)) => "logged",
        Some(Logging::Failed(_)) => "not-logged",
    };
    Ok(redirect_to(&format!("{page}?done={done}")))
}

/// Today is now; an earlier day is its noon. `None` for what is no day, and for one that has not come.
fn day(typed: &str, now: Timestamp) -> Option<Timestamp> {
    let begins = Timestamp::parse_date(typed.trim())?;
    if begins.utc_date() == now.utc_date() {
        return Some(now);
    }
    let noon = begins.plus(Duration::from_secs(12 * 3_600));
    (noon < now).then_some(noon)
}

/// Keeps quiet about one for some days.
///
/// # Errors
/// Not allowed, or there is no such credential.
#[server(prefix = "/api", endpoint = "credentials/snooze")]
pub async fn snooze_credential(
    id: String,
    days: String,
    #[server(default)] why: String,
) -> Result<Went, PanelError> {
    let call = Call::current()?;
    let permit = call.permit(Action::ManageCredentials, None).await?;
    let id = known_id(&id)?;
    let page = path::credential(id);
    let Some(reason) = sentence(&why, 200) else {
        let wrong = PanelError::invalid("why", "Say why it can wait: others will ask.");
        return Ok(redirect_back(&page, &[("days", days.as_str())], &wrong));
    };
    let days = SNOOZES
        .into_iter()
        .find(|known| known.to_string() == days)
        .ok_or_else(|| PanelError::invalid("days", "Choose one of the spans."))?;
    let until = call
        .now()
        .plus(Duration::from_secs(u64::from(days) * 86_400));
    let panel = call.panel();
    let snoozed = panel.register.snooze(permit, id, until, reason).await;
    snoozed.or_say(|| call.error_id())?;
    register::forget(panel);
    Ok(redirect_to(&format!("{page}?done=snoozed")))
}

/// Takes one out of the register.
///
/// # Errors
/// Not allowed, not confirmed, or one that stays.
#[server(prefix = "/api", endpoint = "credentials/retire")]
pub async fn retire_credential(
    id: String,
    #[server(default)] reason: String,
) -> Result<Went, PanelError> {
    let call = Call::current()?;
    let permit = call.permit(Action::RetireCredential, None).await?;
    let panel = call.panel();
    let reason = sentence(&reason, 200);
    let retired = panel.register.retire(permit, known_id(&id)?, reason).await;
    retired.or_say(|| call.error_id())?;
    register::forget(panel);
    Ok(redirect_to(path::CREDENTIALS))
}

/// Makes one's secret link to the calendar, or replaces it; the page then shows it once.
///
/// # Errors
/// Not allowed.
#[server(prefix = "/api", endpoint = "credentials/calendar")]
pub async fn make_calendar_link() -> Result<Went, PanelError> {
    let call = Call::current()?;
    let permit = call.permit(Action::ViewCredentials, None).await?;
    let panel = call.panel();
    let token = panel.calendars.make(permit).await;
    let token = token.or_say(|| call.error_id())?;
    let reveal = Reveal {
        name: "calendar".to_owned(),
        secret: SecretString::from(path::calendar(token.expose_secret())),
    };
    panel.calendar_links.put(call.viewer().person.id, reveal);
    Ok(redirect_to(path::CREDENTIALS))
}

/// Takes it back.
///
/// # Errors
/// Not allowed, or there was none.
#[server(prefix = "/api", endpoint = "credentials/remove-calendar")]
pub async fn remove_calendar_link() -> Result<Went, PanelError> {
    let call = Call::current()?;
    let permit = call.permit(Action::ViewCredentials, None).await?;
    let removed = call.panel().calendars.remove(permit).await;
    if removed.or_say(|| call.error_id())? {
        Ok(redirect_to(path::CREDENTIALS))
    } else {
        Err(PanelError::Refused {
            why: "There is no link of yours to take back.".to_owned(),
        })
    }
}

fn back(page: &str, typed: Typed<'_>, wrong: &BadField) -> Went {
    let fields = [
        ("title", typed.title),
        ("place", typed.place),
        ("owner", typed.owner),
        ("interval", typed.interval),
        ("procedure", typed.procedure),
    ];
    redirect_back(page, &fields, &PanelError::invalid(wrong.field, wrong.why))
}

pub(super) fn known_id(id: &str) -> Result<Uuid, PanelError> {
    id.parse().map_err(|_| unknown())
}

pub(super) fn unknown() -> PanelError {
    PanelError::gone("There is no such credential in the register, or not any more.")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn today_is_now_and_no_day_is_ahead() {
        let now = Timestamp::parse_rfc3339("2026-11-22T09:00:00Z").unwrap();
        assert_eq!(day("2026-11-22", now), Some(now));
        let before = day(" 2026-11-20", now).map(Timestamp::rfc3339);
        assert_eq!(before.as_deref(), Some("2026-11-20T12:00:00Z"));
        for bad in ["2026-11-23", "", "yesterday"] {
            assert_eq!(day(bad, now), None, "{bad}");
        }
    }
}
