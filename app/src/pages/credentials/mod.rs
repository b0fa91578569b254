//! The register of credentials: what has to be changed, when, and who sees to it.

pub(crate) mod add;
mod calendar;
mod fields;
pub(crate) mod one;
pub(crate) mod retire;

use domain::action::Action;
use domain::credential::{Due, Listed};
use domain::path;
use domain::time::Timestamp;
use leptos::prelude::*;

use super::Page;
use crate::call::Call;
use crate::error::{OrSay as _, PanelError, counted};
use crate::register;
use crate::ui::moment;

pub(crate) async fn page(call: &Call) -> Result<Page, PanelError> {
    call.permit(Action::ViewCredentials, None).await?;
    let now = call.now();
    let panel = call.panel();
    let listed = register::read(panel, now).await;
    let listed = listed.or_say(|| call.error_id())?;
    let calendar = calendar::section(call).await?;
    let count = counted(listed.len(), "credential", "credentials");
    let list = if listed.is_empty() {
        view! {
            <div class="card empty">
                <h2>"Nothing is listed yet"</h2>
                <p>"The panel lists what it knows by itself when it starts. What else has to be changed now and then can be added."</p>
            </div>
        }
        .into_any()
    } else {
        let rows: Vec<_> = listed.iter().map(|one| row(one, now)).collect();
        view! {
            <div class="card">
                <table>
                    <thead>
                        <tr>
                            <th scope="col">"Credential"</th>
                            <th scope="col">"State"</th>
                            <th scope="col">"Age"</th>
                            <th scope="col">"Owner"</th>
                            <th scope="col">"Last rotated"</th>
                            <th scope="col">"Next due"</th>
                        </tr>
                    </thead>
                    <tbody>{rows}</tbody>
                </table>
            </div>
        }
        .into_any()
    };
    let add = match call.may(Action::ManageCredentials) {
        Ok(()) => view! {
            <p class="actions"><a class="btn primary" href=path::NEW_CREDENTIAL>"Add a credential"</a></p>
        }
        .into_any(),
        Err(_) => view! { <p class="actions hint">"An admin adds and changes credentials."</p> }.into_any(),
    };
    let content = view! {
        <div class="crumb"><h1>"Credentials"</h1><p class="live">{count}</p></div>
        {list}
        {add}
        {calendar}
    }
    .to_html();
    let content = moment::fill(&content, now);
    Ok(Page::new("Credentials", content).at("credentials"))
}

fn row(listed: &Listed, now: Timestamp) -> impl IntoView + use<> {
    let credential = &listed.credential;
    let gateway = listed.gateway.as_ref().map(|gateway| gateway.name.clone());
    let place = gateway.unwrap_or_else(|| match credential.place.as_str() {
        "" => "of no gateway".to_owned(),
        place => place.to_owned(),
    });
    let class = format!("chip {}", register::class(listed.due));
    let age = listed.age(now).unwrap_or_else(|| "not known".to_owned());
    let owner = match credential.owner.as_str() {
        "" => "nobody".to_owned(),
        owner => owner.to_owned(),
    };
    let last = match &credential.last {
        Some(last) => {
            let by = format!("by {}", last.by.name());
            view! { {day(last.at)}<small>{by}</small> }.into_any()
        }
        None => "not noted".into_any(),
    };
    let next = match listed.due.at() {
        Some(at) => {
            let latest = matches!(listed.due, Due::Unknown { .. })
                .then(|| view! { <small>"at the latest"</small> });
            view! { {day(at)}{latest} }.into_any()
        }
        None => "–".into_any(),
    };
    view! {
        <tr>
            <th scope="row">
                <a href=path::credential(credential.id)>{credential.title.clone()}</a>
                <small>{place}</small>
            </th>
            <td data-label="State"><span class=class>{listed.due.short(now)}</span></td>
            <td data-label="Age"><span class="nowrap">{age}</span></td>
            <td data-label="Owner">{owner}</td>
            <td data-label="Rotated">{last}</td>
            <td data-label="Next due">{next}</td>
        </tr>
    }
}

/// `2026-11-22`.
fn day(at: Timestamp) -> impl IntoView + use<> {
    view! { <time datetime=at.utc_date() title=at.utc_text()>{at.utc_date()}</time> }
}
