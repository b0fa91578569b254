//! One-time links that show the code of an operation on another screen.

use domain::action::Action;
use domain::audit::{AuditOutcome, NewAuditEvent, act};
use domain::operation::Operation;
use domain::path;
use leptos::prelude::*;
use secrecy::{ExposeSecret as _, SecretString};

use crate::call::{Call, Went, redirect_back, redirect_to};
use crate::error::{OrSay as _, PanelError};
use crate::panel::Reveal;

/// Makes a link, and sends it when there is somebody to send it `to`; the page then shows it, once.
///
/// # Errors
/// Not allowed, or the operation shows no code any more.
#[server(prefix = "/api", endpoint = "operations/hand-off")]
pub async fn hand_off(id: String, #[server(default)] to: String) -> Result<Went, PanelError> {
    let call = Call::current()?;
    let view = call.operation(&id).await?;
    let operation = &view.operation;
    let gateway = operation.command.gateway();
    let permit = call.permit(Action::HandOff, Some(gateway)).await?;
    if operation.outcome.is_some() || !operation.command.shows_code() {
        return Err(PanelError::Refused {
            why: "This operation shows no code any more, so there is nothing to hand off."
                .to_owned(),
        });
    }
    let panel = call.panel();
    let made = panel.hand_offs.make(permit, operation.id).await;
    let (_, token) = made.or_say(|| call.error_id())?;
    let reveal = Reveal {
        name: "link".to_owned(),
        secret: SecretString::from(path::open_hand_off(token.expose_secret())),
    };
    let page = path::hand_offs(&operation.id);
    let link = format!("{}{}", panel.public_url, reveal.secret.expose_secret());
    panel.hand_off_links.put(call.viewer().person.id, reveal);
    if to.trim().is_empty() {
        return Ok(redirect_to(&page));
    }
    // The link is made: it is shown whatever becomes of the mail.
    match mail(&call, operation, &to, &link).await {
        Ok(()) => Ok(redirect_to(&format!("{page}?mailed=1"))),
        Err(why) => {
            let error = PanelError::invalid("to", why);
            Ok(redirect_back(&page, &[("to", to.as_str())], &error))
        }
    }
}

/// Sends a link to somebody, audited before and after.
async fn mail(call: &Call, operation: &Operation, to: &str, link: &str) -> Result<(), String> {
    let panel = call.panel();
    let Some(mail) = &panel.mail else {
        return Err("This panel has no mail server: an admin sets mail_server_file.".to_owned());
    };
    let gateway = Some(operation.command.gateway());
    let event = |outcome, note: Option<String>| NewAuditEvent {
        gateway: gateway.cloned(),
        target: Some(to.trim().chars().take(200).collect()),
        operation: Some(operation.id),
        note,
        ..NewAuditEvent::new(call.viewer().actor(gateway), act::MAIL_HAND_OFF, outcome)
    };
    let requested = panel
        .audit
        .record(event(AuditOutcome::Requested, None))
        .await;
    if requested.or_say(|| call.error_id()).is_err() {
        return Err("The panel's database does not answer, so nothing was sent.".to_owned());
    }
    let sent = mail.send(to, "Please link WhatsApp", &words(link)).await;
    let outcome = match &sent {
        Ok(()) => event(AuditOutcome::Succeeded, None),
        Err(fault) => event(AuditOutcome::Failed, Some(fault.message.clone())),
    };
    if panel
        .audit
        .record(outcome)
        .await
        .or_say(|| call.error_id())
        .is_err()
    {
        tracing::warn!("What became of a mail could not be audited");
    }
    sent.map_err(|fault| fault.message)
}

fn words(link: &str) -> String {
    format!(
        "Please open this link within ten minutes, on a screen beside the phone that holds the number:\n\n{link}\n\n\
         It shows a code. On the phone, open WhatsApp, Linked devices, Link a device, and hold the phone to the code.\n\
         The link works once, on the device that opens it first.\n"
    )
}

/// Takes a link back; the device that opened it sees the code no more.
///
/// # Errors
/// Not allowed, or there is no such link.
#[server(prefix = "/api", endpoint = "operations/revoke-hand-off")]
pub async fn revoke_hand_off(id: String, link: String) -> Result<Went, PanelError> {
    let call = Call::current()?;
    let view = call.operation(&id).await?;
    let operation = &view.operation;
    let gateway = operation.command.gateway();
    let permit = call.permit(Action::HandOff, Some(gateway)).await?;
    let link = link
        .parse()
        .map_err(|_| PanelError::gone("There is no such link."))?;
    let hand_offs = &call.panel().hand_offs;
    let revoked = hand_offs.revoke(permit, operation.id, link).await;
    if revoked.or_say(|| call.error_id())? {
        Ok(redirect_to(&path::hand_offs(&operation.id)))
    } else {
        Err(PanelError::Refused {
            why: "It was taken back already.".to_owned(),
        })
    }
}
