//! The code of an operation on another screen: the one-time link for whoever holds the phone, the question before it is
//! opened, and what the one device sees that has opened it.

use domain::action::Action;
use domain::hand_off::{HandOff, Standing};
use domain::operation::{OperationView, Outcome};
use domain::path;
use domain::person::Role;
use domain::scan::Scan;
use domain::time::Timestamp;
use leptos::prelude::*;
use secrecy::ExposeSecret as _;

use super::{Asked, Page, scan};
use crate::call::Call;
use crate::error::{OrSay as _, PanelError};
use crate::forms::endpoint;
use crate::live::Fragment;
use crate::panel::{Panel, Screen};
use crate::ui::{code, moment};

/// Whose code may be handed off: one that is shown now or will be.
fn shows(view: &OperationView) -> bool {
    view.operation.command.shows_code() && view.operation.outcome.is_none()
}

/// The links of an operation, and the new one once.
pub(crate) async fn links(call: &Call, id: &str, asked: &Asked) -> Result<Page, PanelError> {
    let view = call.operation(id).await?;
    let operation = view.operation.id;
    let gateway = view.operation.command.gateway().clone();
    call.permit(Action::HandOff, Some(&gateway)).await?;
    let now = call.now();
    let panel = call.panel();
    let made = panel.hand_offs.list(operation).await;
    let made = made.or_say(|| call.error_id())?;
    let fresh = panel.hand_off_links.take(call.viewer().person.id);
    let fresh = fresh.map(|fresh| {
        link(&format!(
            "{}{}",
            panel.public_url,
            fresh.secret.expose_secret()
        ))
    });
    let rows: Vec<_> = made
        .iter()
        .map(|made| row(made, operation.to_string(), now))
        .collect();
    let list = (!rows.is_empty()).then(|| {
        view! { <h2>"Links of this operation"</h2><ul class="card rows" role="list">{rows}</ul> }
    });
    let make = if shows(&view) {
        let strong = if fresh.is_some() {
            "btn"
        } else {
            "btn primary"
        };
        view! {
            <form class="actions" method="post" action=endpoint::HAND_OFF>
                <input type="hidden" name="id" value=operation.to_string()/>
                <button class=strong>"Make a link"</button>
            </form>
            {panel.mail.is_some().then(|| by_mail(operation.to_string(), asked))}
        }
        .into_any()
    } else {
        view! { <p class="card note">"This operation shows no code any more, so there is nothing to hand off."</p> }
            .into_any()
    };
    let mailed = (!asked.get("mailed").is_empty()).then(|| {
        view! { <div class="banner is-done" role="status"><p>"The mail is with the mail server."</p></div> }
    });
    let title = view.operation.command.title();
    let content = view! {
        <div class="crumb"><h1><a href=path::operation(&operation)>{title}</a>" / Show on another screen"</h1></div>
        {mailed}
        {fresh}
        <div class="card pad stack">
            <p>
                "A link shows the code of this one operation to whoever holds the phone, without a sign-in. It can be \
                 opened once, by one device, within ten minutes; that device then sees the code until the operation \
                 ends or you take the link back. Whoever scans the code links the account: send the link only to \
                 somebody you trust with it."
            </p>
            <p class="hint">"That you made it, and where it was opened, is written into the audit trail."</p>
            {make}
        </div>
        {list}
    }
    .to_html();
    let content = moment::fill(&content, now);
    Ok(Page::new("Show on another screen", content)
        .at("operations")
        .of(gateway))
}

/// A link for somebody whose address is known.
fn by_mail(operation: String, asked: &Asked) -> impl IntoView + use<> {
    let to = asked.get("to").to_owned();
    let wrong = asked.problem_with("to");
    let invalid = wrong.as_ref().map(|_| "true");
    let described = wrong.as_ref().map(|_| "to-error");
    let wrong = wrong.map(|why| view! { <p class="error" id="to-error" role="alert">{why}</p> });
    view! {
        <form class="form" method="post" action=endpoint::HAND_OFF>
            <input type="hidden" name="id" value=operation/>
            <div class="field">
                <label for="to">"Or make one and send it to this address"</label>
                <input id="to" name="to" type="email" autocomplete="email" required=true maxlength="200" value=to
                    aria-invalid=invalid aria-describedby=described/>
                {wrong}
            </div>
            <div class="actions"><button class="btn">"Make and send"</button></div>
        </form>
    }
}

/// The new link, to be scanned, copied or sent.
fn link(url: &str) -> AnyView {
    let drawn = code::of_link(url, "A code that opens the link");
    let mail = format!(
        "mailto:?subject={}&body={}",
        super::encoded("Please link WhatsApp"),
        super::encoded(&format!(
            "Please open this link within ten minutes on a screen beside the phone, and scan the code with WhatsApp \
             (Linked devices): {url}"
        ))
    );
    let shown = url.to_owned();
    view! {
        <section class="card scan" role="status" aria-labelledby="new-link">
            <h2 id="new-link">"The link, shown once"</h2>
            <div class="code">{drawn}</div>
            <div class="beside">
                <p>"Scan this with the camera of the other device, or send the link:"</p>
                <p><code class="long" id="link-text">{shown}</code></p>
                <div class="actions">
                    <button class="btn" type="button" hidden=true data-copy="link-text">"Copy"</button>
                    <button class="btn" type="button" hidden=true data-share="link-text">"Share"</button>
                    <a class="btn" href=mail>"Send by mail"</a>
                </div>
                <p class="hint">"It is kept nowhere. If it is lost, make another one and take this one back."</p>
            </div>
        </section>
    }
    .into_any()
}

fn row(made: &HandOff, operation: String, now: Timestamp) -> impl IntoView + use<> {
    let standing = made.standing(now);
    let (class, said) = match (standing, &made.opened) {
        (Standing::Waiting, _) => ("dot is-now", "waits to be opened".to_owned()),
        (Standing::Opened, Some((_, from))) => ("dot is-done", format!("opened from {from}")),
        (Standing::Opened, None) => ("dot is-done", "opened".to_owned()),
        (Standing::Expired, _) => ("dot is-skipped", "never opened, too old now".to_owned()),
        (Standing::Revoked, Some((_, from))) => (
            "dot is-skipped",
            format!("taken back; it was opened from {from}"),
        ),
        (Standing::Revoked, None) => ("dot is-skipped", "taken back".to_owned()),
    };
    let by = made.made_by.name().to_owned();
    let revoke = matches!(standing, Standing::Waiting | Standing::Opened).then(|| {
        view! {
            <form method="post" action=endpoint::REVOKE_HAND_OFF>
                <input type="hidden" name="id" value=operation/>
                <input type="hidden" name="link" value=made.id.to_string()/>
                <button class="btn quiet">"Take back"</button>
            </form>
        }
    });
    view! {
        <li>
            <b><span class=class aria-hidden="true"></span>" "{said}</b>
            <small>"made "{moment::clock(made.made_at, now)}" by "{by}</small>
            <div class="end">{revoke}</div>
        </li>
    }
}

/// The question before a link is opened: programs that look at links in mails must not use it up.
pub(crate) async fn ask(panel: &Panel, token: &str) -> Page {
    let found = panel.hand_offs.find(token).await;
    let now = panel.clock.now();
    let against = match found {
        Ok(Some(found)) => found.standing(now).against(),
        Ok(None) => Some("There is no such link. It may be cut off: copy the whole of it."),
        Err(error) => {
            tracing::error!(
                error = &error as &dyn core::error::Error,
                "A one-time link could not be read"
            );
            Some(
                "The panel's database does not answer. Try again in a moment; the link is not used up.",
            )
        }
    };
    let body = match against {
        Some(why) => view! { <p class="error" role="alert">{why}</p> }.into_any(),
        None => view! {
            <div class="stack">
            <p>
                "The next page shows a code to be scanned with WhatsApp: on the phone that holds the number, under \
                 Linked devices. Open it on a screen beside that phone, or on the phone itself."
            </p>
            <p class="hint">"The link works once, on this device alone."</p>
            <form class="form" method="post" action=path::open_hand_off(token)>
                <button class="btn primary">"Show the code here"</button>
            </form>
            </div>
        }
        .into_any(),
    };
    let content = view! {
        <p class="brand">"OpenClaw Panel"</p>
        <div class="card"><h1>"Link WhatsApp"</h1>{body}</div>
    }
    .to_html();
    Page::new("Link WhatsApp", content)
}

/// What the device sees that has opened a link; it is kept live.
pub(crate) async fn screen(panel: &Panel, screen: Option<&Screen>) -> Page {
    let now = panel.clock.now();
    let Some(Screen(opened)) = screen else {
        return over("This device has no link open. Open the one that you were sent.");
    };
    if let Standing::Revoked = opened.standing(now) {
        return over("This link was taken back. Ask for a new one.");
    }
    let view = match panel.operations.view(opened.operation).await {
        Ok(Some(view)) => view,
        Ok(None) => return over("What this link was for is gone."),
        Err(error) => {
            tracing::error!(
                error = &error as &dyn core::error::Error,
                "An operation could not be read for another screen"
            );
            return over("The panel's database does not answer. Load this page again in a moment.");
        }
    };
    let shown = panel.scans.of(opened.operation);
    let again = if view.operation.outcome.is_none() {
        r#"<noscript><meta http-equiv="refresh" content="3"></noscript>"#
    } else {
        ""
    };
    let parts = fragments(&view, shown.as_ref());
    let open: Vec<&str> = parts.iter().map(Fragment::open).collect();
    let content = format!(
        r#"{again}<p class="brand">OpenClaw Panel</p>{}<p class="live"><span id="link"></span> one-time link</p>"#,
        open.concat()
    );
    Page::new("Link WhatsApp", moment::fill(&content, now)).live(path::HANDED_OFF_EVENTS.to_owned())
}

fn over(why: &str) -> Page {
    let content = view! {
        <p class="brand">"OpenClaw Panel"</p>
        <div class="card"><h1>"Link WhatsApp"</h1><p class="error" role="alert">{why.to_owned()}</p></div>
    }
    .to_html();
    Page::new("Link WhatsApp", content)
}

/// What changes on that screen.
pub(crate) fn fragments(view: &OperationView, shown: Option<&Scan>) -> Vec<Fragment> {
    vec![
        Fragment::new("said", said(view)),
        // Whoever was given the link may see the code.
        Fragment::new(
            "scan",
            scan::card(Role::Operator, view, shown, scan::Where::OtherScreen),
        ),
    ]
}

/// What takes their place once the link is taken back.
pub(crate) fn taken_back() -> Vec<Fragment> {
    let said = view! {
        <div class="card" id="said">
            <h1>"Link WhatsApp"</h1>
            <p class="error" role="alert">"This link was taken back. Ask for a new one."</p>
        </div>
    }
    .to_html();
    vec![
        Fragment::new("said", said),
        Fragment::new("scan", view! { <div id="scan"></div> }.to_html()),
    ]
}

/// How it stands, without anything about the gateway: whoever holds the phone need not know more.
fn said(view: &OperationView) -> String {
    let (class, big, more) = match &view.operation.outcome {
        None if view.is_unwinding() => (
            "verdict is-undone",
            "It is being stopped",
            "The code is not needed any more.",
        ),
        None => (
            "verdict is-now",
            "Link WhatsApp",
            "Scan the code below with the phone that holds the number. The page goes on by itself.",
        ),
        Some(Outcome::Succeeded { note: None }) => (
            "verdict is-done",
            "Linked and connected",
            "That is all: you can close this page.",
        ),
        Some(Outcome::Succeeded { note: Some(_) }) => (
            "verdict is-warn",
            "Linked, with something left to look at",
            "Tell whoever sent the link; you can close this page.",
        ),
        Some(Outcome::Cancelled { .. }) => (
            "verdict is-skipped",
            "It was stopped",
            "Nothing was linked. Ask for a new link if it is to go on.",
        ),
        Some(_) => (
            "verdict is-failed",
            "It did not work",
            "Tell whoever sent the link: they see why.",
        ),
    };
    let class = format!("card {class}");
    view! {
        <section class=class id="said" aria-labelledby="said-big">
            <h1 class="big" id="said-big" aria-live="polite">{big}</h1>
            <p class="why">{more}</p>
        </section>
    }
    .to_html()
}
