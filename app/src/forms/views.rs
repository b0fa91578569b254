//! Filters of the audit trail that somebody keeps by a name.

use domain::action::Action;
use domain::audit::{Filter, VIEWS, view_name};
use domain::path;
use leptos::prelude::*;

use crate::call::{Call, Went, redirect_back, redirect_to};
use crate::error::{OrSay as _, PanelError};
use crate::pages::Asked;
use crate::pages::audit::view_of;

/// Keeps a filter by a name.
///
/// # Errors
/// The name is missing or too long, there are too many, or the filter cannot be read.
#[server(prefix = "/api", endpoint = "audit/views/save")]
pub async fn save_view(
    #[server(default)] name: String,
    #[server(default)] query: String,
) -> Result<Went, PanelError> {
    let call = Call::current()?;
    call.permit(Action::ViewAudit, None).await?;
    let asked = Asked::of(Some(&query));
    let filter = Filter::read(|name| asked.get(name)).map_err(|_| {
        PanelError::gone("This filter cannot be read. Set it on the page of the audit trail.")
    })?;
    let query = view_of(&filter, &asked);
    let wrong = |why: String| {
        let mut typed: Vec<(&str, String)> = filter.pairs();
        typed.push(("saved", name.clone()));
        let typed: Vec<_> = typed
            .iter()
            .map(|(name, value)| (*name, value.as_str()))
            .collect();
        Ok(redirect_back(
            path::AUDIT,
            &typed,
            &PanelError::invalid("saved", why),
        ))
    };
    let Some(kept) = view_name(&name) else {
        return wrong("Give the view a name of 1 to 40 letters.".to_owned());
    };
    let saved = call
        .panel()
        .views
        .save(call.viewer().person.id, &kept, &query)
        .await;
    if !saved.or_say(|| call.error_id())? {
        return wrong(format!(
            "You keep {VIEWS} views. Delete one first, or take the name of one."
        ));
    }
    Ok(redirect_to(&format!("{}?{query}", path::AUDIT)))
}

/// Removes one.
///
/// # Errors
/// It is not one's own.
#[server(prefix = "/api", endpoint = "audit/views/remove")]
pub async fn remove_view(id: String) -> Result<Went, PanelError> {
    let call = Call::current()?;
    call.permit(Action::ViewAudit, None).await?;
    let gone = || PanelError::gone("There is no such view of yours.");
    let id = id.parse().map_err(|_| gone())?;
    let removed = call.panel().views.remove(call.viewer().person.id, id).await;
    if removed.or_say(|| call.error_id())? {
        Ok(redirect_to(path::AUDIT))
    } else {
        Err(gone())
    }
}
