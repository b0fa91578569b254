//! Brings an account's link back from a backup: which account, the key that opens the backup, and what it costs.

use domain::action::Action;
use domain::fact::Account;
use domain::path;
use domain::words;
use leptos::prelude::*;

use super::{Asked, Page};
use crate::call::Call;
use crate::error::PanelError;
use crate::forms::endpoint;
use crate::rungs::{self, Known};
use crate::ui::{ask, moment};

pub(crate) async fn page(
    call: &Call,
    id: &str,
    name: &str,
    asked: &Asked,
) -> Result<Page, PanelError> {
    let gateway = call.gateway(id).await?;
    call.permit_to_ask(Action::Restore, Some(&gateway.id))
        .await?;
    let now = call.now();
    let panel = call.panel();
    let kept = panel.backups.list(&gateway.id).await;
    let kept = kept.map_err(|fault| PanelError::Refused { why: fault.message })?;
    let backup = kept.into_iter().find(|kept| kept.name == name);
    let backup = backup.ok_or_else(|| PanelError::gone("There is no such backup any more."))?;
    let known = Known::of(call, &gateway.id).await;
    let accounts = known.accounts();
    let against = rungs::against(known.sight(), Action::Restore, None);
    let long = known.usual.get(Action::Restore.as_str()).map_or_else(
        || "It was not timed here yet; most of it is the connection to WhatsApp.".to_owned(),
        |usual| format!("It usually takes about {}.", words::duration(*usual)),
    );
    let works = accounts.iter().any(Account::has_working_link);
    let home = path::backups(&gateway.id);
    let button = ask::submit("Restore", "btn primary", against.as_ref());
    let content = view! {
        <div class="crumb">
            <h1><a href=home.clone()>{gateway.name.clone()}" / Backups"</a>" / Restore"</h1>
        </div>
        <form class="card confirm" method="post" action=endpoint::RESTORE autocomplete="off">
            <input type="hidden" name="gateway" value=gateway.id.to_string()/>
            <input type="hidden" name="backup" value=backup.name.clone()/>
            <input type="hidden" name="key" value=panel.ids.next().to_string()/>
            <div class="body">
                <h2>"Bring a link back from "{moment::clock(backup.made_at, now)}"?"</h2>
                <p>
                    "The account is stopped, its link is replaced by the one in the backup, and it is started again. \
                     No scan is needed while WhatsApp still accepts that link. "{long}
                </p>
                <p>
                    "Only this account's link is restored: configuration, messages and databases stay as they are. \
                     WhatsApp may refuse a link that has been out of use: then everything is put back, and a scan \
                     is left. After it, look at the first messages: an old link may need a scan all the same."
                </p>
                <p>"The present link is kept aside until the restored one is connected; if that fails, it comes back by itself."</p>
                {choice(accounts, asked)}
                {key(asked)}
                {works.then(|| consent(asked))}
                {ask::reason(asked.get("reason"))}
                {ask::against(against)}
            </div>
            <div class="actions"><a class="btn" href=home>"Not now"</a>{button}</div>
        </form>
    }
    .to_html();
    let content = moment::fill(&content, now);
    Ok(Page::new("Restore", content).at("backups").of(gateway.id))
}

fn choice(accounts: &[Account], asked: &Asked) -> impl IntoView + use<> {
    let wanted = asked.get("account");
    let options: Vec<_> = accounts
        .iter()
        .map(|account| {
            let id = account.id.to_string();
            let state = match (account.connected, account.has_working_link()) {
                (true, _) => "connected",
                (false, true) => "linked, not connected",
                (false, false) => "not linked",
            };
            let chosen = id == wanted;
            view! { <option value=id.clone() selected=chosen>{format!("{id} ({state})")}</option> }
        })
        .collect();
    let wrong = asked.problem_with("whose");
    let invalid = wrong.as_ref().map(|_| "true");
    let described = wrong.as_ref().map(|_| "account-error");
    let wrong =
        wrong.map(|why| view! { <p class="error" id="account-error" role="alert">{why}</p> });
    view! {
        <div class="field">
            <label for="account">"Account"</label>
            <select id="account" name="account" aria-invalid=invalid aria-describedby=described>{options}</select>
            {wrong}
        </div>
    }
}

fn key(asked: &Asked) -> impl IntoView + use<> {
    let wrong = asked.problem_with("identity");
    let invalid = wrong.as_ref().map(|_| "true");
    let described = if wrong.is_some() {
        "identity-error identity-hint"
    } else {
        "identity-hint"
    };
    let wrong =
        wrong.map(|why| view! { <p class="error" id="identity-error" role="alert">{why}</p> });
    view! {
        <div class="field">
            <label for="identity">"The key that opens backups"</label>
            <input id="identity" name="identity" type="password" autocomplete="off" required=true maxlength="200"
                spellcheck="false" autocapitalize="none" aria-invalid=invalid aria-describedby=described/>
            <p class="hint" id="identity-hint">
                "One line that begins with AGE-SECRET-KEY-1. It takes this one link out of the backup and is not kept."
            </p>
            {wrong}
        </div>
    }
}

fn consent(asked: &Asked) -> impl IntoView + use<> {
    let ticked = asked.get("replace") == "true";
    let wrong = asked.problem_with("replace");
    let invalid = wrong.as_ref().map(|_| "true");
    let described = wrong.as_ref().map(|_| "replace-error");
    let wrong =
        wrong.map(|why| view! { <p class="error" id="replace-error" role="alert">{why}</p> });
    view! {
        <div class="field">
            <label class="check">
                <input type="checkbox" name="replace" value="true" checked=ticked aria-invalid=invalid aria-describedby=described/>
                "Replace it even if its present link works"
            </label>
            {wrong}
        </div>
    }
}
