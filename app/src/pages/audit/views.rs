//! Filters that somebody keeps by a name: links to them, and a form for the one that is set now.

use domain::audit::{Filter, SavedView, VIEW_NAME};
use domain::path;
use leptos::prelude::*;

use super::filters::{Told, query};
use crate::call::Call;
use crate::error::{OrSay as _, PanelError};
use crate::forms::endpoint;
use crate::pages::Asked;

pub(super) async fn bar(
    call: &Call,
    filter: &Filter,
    told: Told,
    asked: &Asked,
) -> Result<AnyView, PanelError> {
    let views = call.panel().views.of(call.viewer().person.id).await;
    let views = views.or_say(|| call.error_id())?;
    let now = query(filter, told, &[]);
    let current = views.iter().find(|view| view.query == now);
    let links: Vec<_> = views
        .iter()
        .map(|view| {
            let href = format!("{}?{}", path::AUDIT, view.query);
            let is_current = (view.query == now).then_some("true");
            view! { <a class="btn" href=href aria-current=is_current>{view.name.clone()}</a> }
        })
        .collect();
    let links = (!links.is_empty()).then(|| {
        view! { <nav class="filters" aria-label="Saved views">{links}</nav> }
    });
    let own = match current {
        Some(view) => Some(remove(view)),
        None if filter.is_open() => None,
        None => Some(save(now, asked)),
    };
    Ok(view! { {links}{own} }.into_any())
}

fn save(query: String, asked: &Asked) -> AnyView {
    let wrong = asked.problem_with("saved");
    let invalid = wrong.as_ref().map(|_| "true");
    let described = if wrong.is_some() {
        "saved-error saved-hint"
    } else {
        "saved-hint"
    };
    let open = wrong.is_some();
    let wrong = wrong.map(|why| view! { <p class="error" id="saved-error" role="alert">{why}</p> });
    view! {
        <details class="fold" open=open>
            <summary>"Save this view"</summary>
            <form class="form" method="post" action=endpoint::SAVE_VIEW>
                <input type="hidden" name="query" value=query/>
                <div class="field">
                    <label for="saved">"Name of the view"</label>
                    <input id="saved" name="name" required=true maxlength=VIEW_NAME.to_string() autocomplete="off"
                        value=asked.get("saved").to_owned() aria-invalid=invalid aria-describedby=described/>
                    {wrong}
                    <p class="hint" id="saved-hint">"For you alone. One of the same name is replaced."</p>
                </div>
                <div class="actions"><button class="btn">"Save"</button></div>
            </form>
        </details>
    }
    .into_any()
}

fn remove(view: &SavedView) -> AnyView {
    let said = format!("Delete the view “{}”", view.name);
    view! {
        <form class="actions" method="post" action=endpoint::REMOVE_VIEW>
            <input type="hidden" name="id" value=view.id.to_string()/>
            <button class="btn quiet">{said}</button>
        </form>
    }
    .into_any()
}
