//! The page between a button and an operation: what will happen, how long, what is lost, how to get back.

use domain::action::Action;
use domain::compare::Comparison;
use domain::credential::Cause;
use domain::operation::Command;
use domain::path;
use domain::words;
use leptos::prelude::*;

use super::{Asked, Page};
use crate::call::Call;
use crate::error::PanelError;
use crate::forms::{command, endpoint};
use crate::rungs::{self, Known, Usual};
use crate::ui::{ask, moment};

pub(crate) async fn page(
    call: &Call,
    id: &str,
    kind: &str,
    asked: &Asked,
) -> Result<Page, PanelError> {
    let gateway = call.gateway(id).await?;
    let cause = Cause::parse_offered(asked.get("cause")).unwrap_or(Cause::Scheduled);
    let wanted = command(
        kind,
        gateway.id.clone(),
        asked.get("account"),
        String::new(),
        cause.as_str(),
    )?;
    let action = wanted.action();
    call.permit_to_ask(action, Some(&gateway.id)).await?;
    let now = call.now();
    let known = Known::of(call, &gateway.id).await;
    let sight = known.sight();
    let account = wanted.account().cloned();
    let mut against = rungs::against(sight, action, account.as_ref());
    let compared = match action {
        Action::Recreate => match call.panel().operations.compare(&gateway.id).await {
            Ok(compared) => Some(compared),
            Err(fault) => {
                against = against.or(Some(fault.message));
                None
            }
        },
        Action::ReplaceLink | Action::Unlink => {
            let key = call.panel().backups.recipient().await;
            against = against.or(match key {
                Ok(Some(_)) => None,
                Ok(None) => Some(
                    "There is no key for backups yet, and the present link must be backed up first. An admin makes the \
                     key on the backups page."
                        .to_owned(),
                ),
                Err(fault) => Some(fault.message),
            });
            None
        }
        _ => None,
    };
    let fields = Fields {
        gateway: gateway.id.to_string(),
        kind: wanted.name(),
        account: account.map(|account| account.to_string()),
        seen: compared
            .as_ref()
            .map(|compared| compared.fingerprint.clone()),
        key: call.panel().ids.next().to_string(),
    };
    let home = path::gateway(&gateway.id);
    let title = wanted.title();
    let content = view! {
        <div class="crumb"><h1><a href=home.clone()>{gateway.name.clone()}</a>" / "{title.clone()}</h1></div>
        {form(&wanted, fields, compared, &known.usual, against, home)}
    }
    .to_html();
    let content = moment::fill(&content, now);
    Ok(Page::new(title, content).at("gateway").of(gateway.id))
}

struct Fields {
    gateway: String,
    kind: &'static str,
    account: Option<String>,
    seen: Option<String>,
    key: String,
}

fn form(
    wanted: &Command,
    fields: Fields,
    compared: Option<Comparison>,
    usual: &Usual,
    against: Option<String>,
    home: String,
) -> impl IntoView + use<> {
    let action = wanted.action();
    let said = Said::of(wanted);
    let long = usual.get(action.as_str()).map_or_else(
        || "It was not timed here yet.".to_owned(),
        |usual| format!("It usually takes about {}.", words::duration(*usual)),
    );
    let hidden = |name: &'static str, value: Option<String>| {
        value.map(|value| view! { <input type="hidden" name=name value=value/> })
    };
    let button = rungs::button(action);
    let strong = ask::submit(button, "btn primary", against.as_ref());
    view! {
        <form class="card confirm" method="post" action=endpoint::START>
            {hidden("gateway", Some(fields.gateway))}
            {hidden("kind", Some(fields.kind.to_owned()))}
            {hidden("account", fields.account)}
            {hidden("seen", fields.seen)}
            {hidden("key", Some(fields.key))}
            <div class="body">
                <h2>{said.question}</h2>
                <p>{said.happens}" "{long}</p>
                {(action == Action::Recover).then(rungs_of_recover)}
                <p>{said.lost}</p>
                <p>{said.back}</p>
                {compared.map(differences)}
                {cause(wanted)}
                {ask::reason("")}
                {ask::against(against)}
            </div>
            <div class="actions"><a class="btn" href=home>"Not now"</a>{strong}</div>
        </form>
    }
}

/// Why a credential is changed: the register keeps it.
fn cause(wanted: &Command) -> Option<impl IntoView + use<>> {
    let Command::RotateDevice { cause: wanted, .. } = wanted else {
        return None;
    };
    let choices: Vec<_> = Cause::OFFERED
        .into_iter()
        .map(|cause| {
            view! {
                <label class="check">
                    <input type="radio" name="cause" value=cause.as_str() checked=cause == *wanted/>
                    <span>{cause.sentence()}</span>
                </label>
            }
        })
        .collect();
    Some(view! {
        <fieldset class="field"><legend>"Why now"</legend><div class="choices">{choices}</div></fieldset>
    })
}

/// What each rung does, how long it takes and what it costs.
fn rungs_of_recover() -> impl IntoView {
    view! {
        <ol class="prose">
            <li><b>"Wait"</b>", if the gateway is starting or waits for its own lock: up to 5 min."</li>
            <li>
                <b>"Reconnect"</b>" the account: a few seconds, a minute at most. Other accounts notice nothing."
            </li>
            <li>
                <b>"Restart"</b>" the container, or start it if it is stopped: about half a minute, for all accounts."
            </li>
            <li>
                <b>"Recreate"</b>" the container from the compose folder: about a minute, for all accounts. Changes in \
                 .env and compose take effect."
            </li>
            <li>
                <b>"Link anew"</b>", only if the account has no link that works: you need the phone. On numbers for \
                 which WhatsApp demands a passkey, linking through this gateway fails today."
            </li>
        </ol>
    }
}

fn differences(compared: Comparison) -> AnyView {
    if compared.differences.is_empty() {
        return view! {
            <p>"The container is already what "<code>{compared.file}</code>" says; a new one is made all the same."</p>
        }
        .into_any();
    }
    let count = words::count(
        compared.differences.len() as u64,
        "thing changes",
        "things change",
    );
    let rows: Vec<_> = compared
        .differences
        .into_iter()
        .map(|difference| {
            view! {
                <tr>
                    <th scope="row">{difference.what}</th>
                    <td data-label="Now"><del>{difference.running}</del></td>
                    <td data-label="After"><ins>{difference.wanted}</ins></td>
                </tr>
            }
        })
        .collect();
    view! {
        <div class="card">
            <table>
                <caption>{count}", read now from "{compared.file}</caption>
                <thead>
                    <tr><th scope="col">"What"</th><th scope="col">"Now"</th><th scope="col">"After"</th></tr>
                </thead>
                <tbody>{rows}</tbody>
            </table>
        </div>
    }
    .into_any()
}

/// The words of the page.
struct Said {
    question: String,
    happens: &'static str,
    lost: &'static str,
    back: &'static str,
}

impl Said {
    fn of(wanted: &Command) -> Self {
        let question = match wanted {
            Command::Reconnect { account, .. } => format!("Reconnect account {account}?"),
            Command::Relink { account, .. } => format!("Link account {account} by a scan?"),
            Command::ReplaceLink { account, .. } => {
                format!("Replace the link of account {account} by a scan?")
            }
            Command::Unlink { account, .. } => format!("Unlink account {account}?"),
            Command::Wipe { .. } => "Wipe the gateway's state?".to_owned(),
            Command::Restore { account, .. } => format!("Restore account {account}?"),
            Command::Restart { .. } => "Restart the gateway?".to_owned(),
            Command::Recreate { .. } => "Recreate the gateway's container?".to_owned(),
            Command::Install { .. } => "Install the gateway?".to_owned(),
            Command::InstallPlugin { .. } => "Install the WhatsApp plugin?".to_owned(),
            Command::Stop { .. } => "Stop the gateway?".to_owned(),
            Command::Start { .. } => "Start the gateway?".to_owned(),
            Command::Backup { .. } => "Back up the gateway?".to_owned(),
            Command::RotateKey { .. } => format!("{}?", wanted.title()),
            Command::RotateDevice { .. } => "Renew the panel's device identity?".to_owned(),
            Command::Recover { account, .. } => format!("Fix WhatsApp for account {account}?"),
        };
        let (happens, lost, back) = match wanted.action() {
            Action::Reconnect => (
                "The gateway stops this account and starts it again.",
                "The link to WhatsApp is kept; no scan is needed. Messages wait meanwhile.",
                "If it does not connect again, nothing else was changed: the gateway goes on trying.",
            ),
            Action::Relink => (
                "A code is shown here, and WhatsApp on the phone scans it. Codes are renewed by themselves for a \
                 quarter of an hour. You need the phone that holds the number.",
                "No link that works is replaced. For some numbers WhatsApp asks for a passkey, which this gateway \
                 cannot give: then the number stays unlinked. An old entry for this gateway stays listed on the \
                 phone under Linked devices: remove it there.",
                "Until the scan it can be stopped, and nothing is changed. After the scan, the phone takes the link \
                 away again under Linked devices.",
            ),
            Action::Unlink => (
                "The gateway's state is backed up, the account is stopped, and its link is taken out of the gateway.",
                "No messages get through on this account until it is linked again by a scan. On numbers for which \
                 WhatsApp demands a passkey, linking through this gateway fails today, and the number may stay \
                 unlinked. WhatsApp is not told: the phone goes on listing the device under Linked devices.",
                "A restore from that backup brings the link back without a scan, as long as the phone lists the device \
                 and the backup is not old.",
            ),
            Action::ReplaceLink => (
                "The gateway's state is backed up, the present link is kept aside, and a code is shown here for WhatsApp \
                 on the phone to scan. You need the phone that holds the number.",
                "This is the last thing to try: the present link may still work, and everything gentler keeps it. No \
                 messages get through from the moment that the code is prepared. On numbers for which WhatsApp demands \
                 a passkey, linking through this gateway fails today, and once the old device is removed on the phone \
                 the number may stay unlinked.",
                "Until the scan, stopping it or letting the codes run out brings the present link back, without a scan. \
                 If another number is scanned than before, the page asks whether to keep it.",
            ),
            Action::Recover => (
                "The panel looks at the facts, then tries these steps, the gentlest first. It stops as soon as the \
                 account is connected and the gateway is ready; a step that cannot help is not tried.",
                "A link that works is never replaced. No messages get through while the container is restarted or \
                 recreated. When all was tried in vain, the page says what was found and what is left.",
                "You can stop it at any time: the step that runs is put back, what was done before it stays. If a \
                 new container does not become ready, the old one comes back by itself.",
            ),
            Action::Restart => (
                "The gateway is asked to finish its work, then its container is restarted.",
                "No messages get through meanwhile. The link to WhatsApp is kept.",
                "A restart cannot be taken back, but it changes nothing else.",
            ),
            Action::Recreate => (
                "The old container is stopped and set aside, and a new one is made from the compose folder.",
                "No messages get through meanwhile. The link to WhatsApp and the volumes are kept.",
                "If the new one does not become ready, the old one comes back by itself.",
            ),
            Action::Install => (
                "A container is made from the compose folder and started.",
                "Nothing is lost: there is no container yet. Volumes that exist are used again.",
                "If it does not become ready, the new container is removed again.",
            ),
            Action::InstallPlugin => (
                "The gateway fetches the plugin of its own version from the npm registry, or from where the panel's \
                 configuration says, and is restarted to load it.",
                "Nothing is lost: without the plugin no messages get through anyway. Other channels of the gateway wait \
                 while it restarts.",
                "If WhatsApp does not come up with it, the plugin is removed again by itself. Afterwards an account is \
                 linked by a scan.",
            ),
            Action::Backup => (
                "The gateway writes an archive of its configuration, credentials, sessions and databases and checks \
                 it. The panel encrypts it and keeps it on its own host.",
                "Nothing is lost: the gateway goes on working. Plugins and caches are not in it.",
                "A backup that is not whole is removed again.",
            ),
            Action::RotateDevice => (
                "The panel makes a new identity, pairs it with the gateway and proves it. Then it connects by it, and the \
                 gateway is told to forget the old one, which is proved, too.",
                "Nothing is lost, and no message waits: the gateway goes on, only the panel connects anew. Whoever copied \
                 the old identity is refused afterwards.",
                "Until the old device is removed it can be stopped, and the old identity comes back; so it does by itself \
                 when anything goes wrong. After that there is no way back but another renewal, and none is needed.",
            ),
            Action::Stop => (
                "The gateway is asked to finish its work, then its container is stopped.",
                "No messages get through until somebody starts it. The link to WhatsApp is kept.",
                "Start brings it back.",
            ),
            _ => (
                "The container that is there is started as it is.",
                "Nothing is lost.",
                "Stop takes it back.",
            ),
        };
        Self {
            question,
            happens,
            lost,
            back,
        }
    }
}
