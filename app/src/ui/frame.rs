//! What surrounds every page: name, navigation, who is signed in, and what went wrong with a form.

use domain::action::Action;
use domain::gateway::Gateway;
use domain::operation::Operation;
use domain::path;
use leptos::prelude::*;

use crate::call::Call;
use crate::error::PanelError;
use crate::pages::account::sessions;
use crate::pages::{Asked, Page};
use crate::register;
use crate::reviews;
use crate::ui::moment;

/// The side bar, or on a phone the top bar with its menu.
pub(crate) fn top(call: &Call, page: &Page) -> String {
    let gateways = call.gateways();
    let of = page.gateway.as_ref();
    let gateway = gateways
        .iter()
        .find(|gateway| of == Some(&gateway.id))
        .or_else(|| gateways.first());
    let person = &call.viewer().person;
    let role = person.roles.on(gateway.map(|gateway| &gateway.id));
    let (name, role) = (person.name.clone(), role.as_str());
    let account = (page.place == "account").then_some("page");
    view! {
        <a class="brand" href=path::HOME>
            "OpenClaw Panel"<small>{gateway.map(|gateway| gateway.name.clone())}</small>
            {gateway.filter(|gateway| gateway.stand_in).map(|_| {
                view! { <span class="chip is-warn">"WhatsApp is a stand-in"</span> }
            })}
        </a>
        <details class="menu"><summary>"Menu"</summary></details>
        <nav aria-label="Main">
            <ul class="places" role="list">{places(call, page, gateway)}</ul>
            <div class="me">
                "Signed in as "{name}" ("{role}")"<br/>
                <a href=path::ACCOUNT aria-current=account>"Account"</a>" · "
                <form method="post" action=path::SIGN_OUT><button class="link">"Sign out"</button></form>
            </div>
        </nav>
    }
    .to_html()
}

fn places(call: &Call, page: &Page, gateway: Option<&Gateway>) -> impl IntoView + use<> {
    let mut places: Vec<(&str, &str, String)> = Vec::new();
    if let Some(gateway) = gateway {
        places.push(("gateway", "Gateway", path::gateway(&gateway.id)));
        places.push(("accounts", "Accounts", path::accounts(&gateway.id)));
        places.push(("logs", "Log", path::logs(&gateway.id)));
        places.push(("operations", "Operations", path::operations(&gateway.id)));
        places.push(("backups", "Backups", path::backups(&gateway.id)));
    }
    if register::may_see(call.role()) {
        places.push(("credentials", "Credentials", path::CREDENTIALS.to_owned()));
    }
    if call.reads_all_audit() || !call.audited_gateways().is_empty() {
        places.push(("audit", "Audit", path::AUDIT.to_owned()));
    }
    if call.may(Action::ViewPeople).is_ok() {
        places.push(("people", "People", path::PEOPLE.to_owned()));
    }
    let holder = gateway.and_then(|gateway| call.panel().operations.holder(&gateway.id));
    let items: Vec<_> = places
        .into_iter()
        .map(|(place, said, href)| {
            let current = (place == page.place).then_some("page");
            let count = match place {
                "operations" => Some(count(holder.as_ref()).into_any()),
                "credentials" => {
                    Some(register::count(call.panel(), call.role(), call.now()).into_any())
                }
                "audit" => Some(reviews::count(call.panel(), call.role(), call.actor()).into_any()),
                _ => None,
            };
            view! { <li><a href=href aria-current=current>{said.to_owned()}" "{count}</a></li> }
        })
        .collect();
    items
}

/// Whether something runs, beside the entry of the operations; live like the page.
fn count(holder: Option<&Operation>) -> impl IntoView + use<> {
    let said = holder.map(|holder| match holder.outcome {
        None => "1 running",
        Some(_) => "1 stuck",
    });
    view! { <span class="count" id="running">{said}</span> }
}

/// The markup of [`count`].
pub(crate) fn running(holder: Option<&Operation>) -> String {
    count(holder).to_html()
}

/// Sentences above the page: a password to change, a question to answer, a form that came back.
pub(crate) fn notices(call: &Call, page: &Page, asked: &Asked, here: &str) -> String {
    let one_time = call.viewer().person.password_is_one_time.then(|| {
        let link = (page.place != "account").then(|| {
            view! { <a href=path::ACCOUNT>"Change it"</a> }
        });
        view! {
            <div class="banner is-warn no-print">
                <p>"Your password was made for you: whoever handed it over may know it. Choose one of your own."</p>{link}
            </div>
        }
    });
    let problem = asked.unsaid_problem();
    let problem = problem.map(|problem| {
        let see = match &problem {
            PanelError::Busy { see, .. } if see.starts_with("/operations/") => Some(see.clone()),
            _ => None,
        };
        let see = see.map(|href| view! { <a href=href>"See it"</a> });
        view! { <div class="banner is-down no-print" role="alert"><p>{problem.sentence()}</p>{see}</div> }
    });
    let question = reviews::banner(call.panel(), call.actor(), here);
    let new_device = sessions::new_device(call);
    let notices = view! { {new_device}{one_time}{question}{problem} }.to_html();
    moment::fill(&notices, call.now())
}
