//! Backups of a gateway: what is kept, how to make one, and the key that opens them.

use domain::action::Action;
use domain::backup::Backup;
use domain::gateway::GatewayId;
use domain::path;
use domain::time::Timestamp;
use domain::words;
use leptos::prelude::*;
use secrecy::ExposeSecret as _;

use super::Page;
use crate::call::Call;
use crate::error::{PanelError, counted};
use crate::forms::endpoint;
use crate::panel::Reveal;
use crate::ui::moment;

pub(crate) async fn page(call: &Call, id: &str) -> Result<Page, PanelError> {
    let gateway = call.gateway(id).await?;
    let now = call.now();
    let panel = call.panel();
    let refused = |fault: domain::fault::Fault| PanelError::Refused { why: fault.message };
    let recipient = panel.backups.recipient().await.map_err(refused)?;
    let kept = panel.backups.list(&gateway.id).await.map_err(refused)?;
    let reveal = panel
        .backup_keys
        .take(call.viewer().person.id)
        .map(revealed);
    let may = May {
        download: call.may_on(Action::Backup, &gateway.id).is_ok(),
        restore: call.may_on(Action::Restore, &gateway.id).is_ok(),
    };
    let count = counted(kept.len(), "backup", "backups");
    let list = if kept.is_empty() {
        view! {
            <div class="card empty">
                <h2>"Nothing is kept yet"</h2>
                <p>
                    "A backup holds the gateway's configuration, its accounts' credentials, sessions and databases. \
                     The gateway goes on working while it is made."
                </p>
            </div>
        }
        .into_any()
    } else {
        let rows: Vec<_> = kept.iter().map(|backup| row(backup, may, now)).collect();
        view! { <ul class="card rows" role="list">{rows}</ul> }.into_any()
    };
    let make = match (&recipient, may.download) {
        (Some(_), true) => {
            let href = path::confirm(&gateway.id, Action::Backup.as_str());
            view! { <p class="actions"><a class="btn primary" href=href>"Back up now"</a></p> }.into_any()
        }
        (Some(_), false) => view! {
            <p class="hint">"Your role can look but not act. Ask an operator or an admin for a backup."</p>
        }
        .into_any(),
        (None, _) => ().into_any(),
    };
    let key = key(call, &gateway.id, recipient);
    let content = view! {
        <div class="crumb">
            <h1><a href=path::gateway(&gateway.id)>{gateway.name.clone()}</a>" / Backups"</h1>
            <p class="live">{count}</p>
        </div>
        {reveal}
        {list}
        {make}
        {key}
    }
    .to_html();
    let content = moment::fill(&content, now);
    Ok(Page::new("Backups", content).at("backups").of(gateway.id))
}

/// What the viewer may do with a backup.
#[derive(Clone, Copy)]
struct May {
    download: bool,
    restore: bool,
}

fn row(backup: &Backup, may: May, now: Timestamp) -> impl IntoView + use<> {
    let restore = may.restore.then(|| {
        let href = path::restore(&backup.gateway, &backup.name);
        let label = format!("Restore a link from {}", backup.name);
        view! { <a class="btn quiet" href=href aria-label=label>"Restore"</a> }
    });
    let download = may.download.then(|| {
        let href = path::backup_download(&backup.gateway, &backup.name);
        let label = format!("Download {}", backup.name);
        view! { <a class="btn quiet" href=href download=backup.name.clone() aria-label=label>"Download"</a> }
    });
    view! {
        <li>
            <b>{moment::clock(backup.made_at, now)}</b>
            <small>{words::bytes(backup.bytes)}" · "<code>{backup.name.clone()}</code></small>
            <div class="end">{restore}{download}</div>
        </li>
    }
}

/// The one time that the opening half of the key is shown.
fn revealed(reveal: Reveal) -> AnyView {
    view! {
        <section class="card pad stack" role="status">
            <p><b>"The key that opens "{reveal.name}</b></p>
            <p><code>{reveal.secret.expose_secret().to_owned()}</code></p>
            <p class="hint">
                "Shown now and never again, and kept nowhere in the panel. Put it where you keep passwords, away from \
                 this host: without it no backup can be opened."
            </p>
        </section>
    }
    .into_any()
}

fn key(call: &Call, gateway: &GatewayId, recipient: Option<String>) -> AnyView {
    if let Some(recipient) = recipient {
        return view! {
            <h2>"Encrypted to"</h2>
            <div class="card pad stack">
                <p><code>{recipient}</code></p>
                <p class="hint">
                    "Only the other half of this key opens backups; it is not on this host. To open one: "
                    <code>"panel backup open NAME --identity-file KEY --output FILE"</code>
                    ", or any age program. If it is lost: "
                    <code>"panel backup key --replace --identity-file KEY"</code>
                    " makes another key; what was kept before still needs the old one."
                </p>
            </div>
        }
        .into_any();
    }
    let act = match call.may(Action::MakeBackupKey) {
        Ok(()) => view! {
            <form class="actions" method="post" action=endpoint::MAKE_BACKUP_KEY>
                <input type="hidden" name="gateway" value=gateway.to_string()/>
                <button class="btn primary">"Make the key"</button>
            </form>
        }
        .into_any(),
        Err(_) => view! { <p class="hint">"An admin makes it."</p> }.into_any(),
    };
    view! {
        <h2>"First, a key"</h2>
        <div class="card pad stack">
            <p>
                "Backups are encrypted to a key whose other half is not on this host: whoever gets at the host gets \
                 no credentials from them. That half is shown once, for you to keep."
            </p>
            {act}
        </div>
    }
    .into_any()
}
