//! Empties a gateway's state folder: what lives in it and will be gone, and the gateway's name to be typed.

use domain::action::Action;
use domain::fact::Account;
use domain::path;
use domain::survey::Survey;
use domain::words;
use leptos::prelude::*;

use super::{Asked, Page};
use crate::call::Call;
use crate::error::PanelError;
use crate::forms::endpoint;
use crate::rungs::{self, Known};
use crate::ui::ask;

pub(crate) async fn page(call: &Call, id: &str, asked: &Asked) -> Result<Page, PanelError> {
    let gateway = call.gateway(id).await?;
    call.permit_to_ask(Action::Wipe, Some(&gateway.id)).await?;
    let panel = call.panel();
    let known = Known::of(call, &gateway.id).await;
    let against = rungs::against(known.sight(), Action::Wipe, None);
    let against = against.or(match panel.backups.recipient().await {
        Ok(Some(_)) => None,
        Ok(None) => Some(
            "There is no key for backups yet, and the state must be backed up first. Make the key on the backups page."
                .to_owned(),
        ),
        Err(fault) => Some(fault.message),
    });
    // Looked up only when it can be done: it takes a moment.
    let (lost, against) = match against {
        Some(why) => (None, Some(why)),
        None => match panel.folder.survey(&gateway.id).await {
            Ok(survey) => (Some(lost(&survey)), None),
            Err(fault) => (None, Some(fault.message)),
        },
    };
    let accounts = known.accounts();
    let long = known.usual.get(Action::Wipe.as_str()).map_or_else(
        || "Two stops and starts and a scan: about two minutes.".to_owned(),
        |usual| format!("It usually takes about {}.", words::duration(*usual)),
    );
    let home = path::accounts(&gateway.id);
    let button = ask::submit("Wipe", "btn danger", against.as_ref());
    let content = view! {
        <div class="crumb">
            <h1><a href=home.clone()>{gateway.name.clone()}" / Accounts"</a>" / Wipe"</h1>
        </div>
        <form class="card confirm" method="post" action=endpoint::WIPE autocomplete="off">
            <input type="hidden" name="gateway" value=gateway.id.to_string()/>
            <input type="hidden" name="key" value=panel.ids.next().to_string()/>
            <div class="body">
                <h2>"Wipe all that "{gateway.name.clone()}" knows?"</h2>
                <p>
                    "For a gateway whose state is beyond repair. For one account that is out of order, unlink that account \
                     instead: everything else stays."
                </p>
                <p>
                    "The state is backed up, the gateway is stopped, its state folder is emptied, and configuration and \
                     plugins are brought back. Then it is started, this panel is paired with it again, and a code is shown \
                     for WhatsApp on the phone to scan. "{long}
                </p>
                {lost}
                <p>
                    "Until the last step it can be stopped, and everything comes back as it was, without a scan. If nobody \
                     scans the code, everything comes back, too; whoever has no phone at hand can go on without and link \
                     the account later. Afterwards there is the backup: it brings a link back, and holds the databases."
                </p>
                {choice(accounts, asked)}
                {typed(&gateway.name, asked)}
                {ask::reason(asked.get("reason"))}
                {ask::against(against)}
            </div>
            <div class="actions"><a class="btn" href=home>"Not now"</a>{button}</div>
        </form>
    }
    .to_html();
    Ok(Page::new("Wipe", content).at("accounts").of(gateway.id))
}

/// What is in the folder: what goes, and what is brought back.
fn lost(survey: &Survey) -> impl IntoView + use<> {
    let named = |names: &[String], one: &str, many: &str| {
        let count = words::count(names.len() as u64, one, many);
        if names.is_empty() {
            count
        } else {
            format!("{count}: {}", names.join(", "))
        }
    };
    let lost = [
        named(&survey.links, "link to WhatsApp", "links to WhatsApp"),
        format!(
            "{}; this panel pairs itself again, others ask anew",
            words::count(survey.devices, "paired device", "paired devices")
        ),
        format!(
            "{}, with all they remember",
            named(&survey.agents, "agent's data", "agents' data")
        ),
        named(
            &survey.workspaces,
            "workspace with its files",
            "workspaces with their files",
        ),
        "databases, scheduled jobs, media, caches and logs of the gateway".to_owned(),
    ];
    let lost: Vec<_> = lost
        .into_iter()
        .filter(|what| !what.starts_with("0 "))
        .map(|what| view! { <li>{what}</li> })
        .collect();
    let config = if survey.config {
        "the configuration"
    } else {
        "no configuration: there is none"
    };
    let kept = format!(
        "Brought back: {config}, and {}.",
        named(&survey.plugins, "plugin", "plugins")
    );
    let place = format!("In {}, {}:", survey.volume, words::bytes(survey.bytes));
    view! {
        <p><b>"What is lost. "</b>{place}</p>
        <ul class="prose" id="lost">{lost}</ul>
        <p>{kept}</p>
    }
}

fn choice(accounts: &[Account], asked: &Asked) -> AnyView {
    let wanted = asked.get("account");
    if accounts.len() < 2 {
        let only = accounts
            .first()
            .map_or("default", |account| account.id.as_str());
        return view! { <input type="hidden" name="account" value=only.to_owned()/> }.into_any();
    }
    let options: Vec<_> = accounts
        .iter()
        .map(|account| {
            let id = account.id.to_string();
            let chosen = id == wanted;
            view! { <option value=id.clone() selected=chosen>{id.clone()}</option> }
        })
        .collect();
    view! {
        <div class="field">
            <label for="account">"Account to link afterwards"</label>
            <select id="account" name="account">{options}</select>
            <p class="hint">"The others are linked from the accounts page after it."</p>
        </div>
    }
    .into_any()
}

fn typed(name: &str, asked: &Asked) -> impl IntoView + use<> {
    let wrong = asked.problem_with("typed");
    let invalid = wrong.as_ref().map(|_| "true");
    let described = wrong.as_ref().map(|_| "typed-error");
    let wrong = wrong.map(|why| view! { <p class="error" id="typed-error" role="alert">{why}</p> });
    let before = asked.get("typed").to_owned();
    view! {
        <div class="field">
            <label for="typed">"Type the gateway's name, "<b>{name.to_owned()}</b>", to go on"</label>
            <input id="typed" name="typed" value=before required=true maxlength="100" autocomplete="off"
                spellcheck="false" autocapitalize="none" aria-invalid=invalid aria-describedby=described/>
            {wrong}
        </div>
    }
}
