//! Say where one gets mail about one's own account.

use domain::mailbox::MailAddress;
use domain::path;
use leptos::prelude::*;

use super::second_factor::confirmed;
use crate::call::{Call, Went, redirect_back, redirect_to};
use crate::error::{OrSay as _, PanelError};
use crate::own_mail;
use crate::reports::Letter;

/// Sets the address, or takes it away when the field is empty. The new one gets a mail, and so does the old one.
///
/// # Errors
/// It is no address, or the panel sends no mail.
#[server(prefix = "/api", endpoint = "account/mail")]
pub async fn set_mail(#[server(default)] mail: String) -> Result<Went, PanelError> {
    let call = confirmed()?;
    let address = match mail.trim() {
        "" => None,
        typed => match typed.parse::<MailAddress>() {
            Ok(address) => Some(address),
            Err(error) => {
                let error = PanelError::invalid("mail", error.to_string());
                return Ok(redirect_back(path::ACCOUNT, &[("mail", typed)], &error));
            }
        },
    };
    if call.panel().mail.is_none() && address.is_some() {
        return Err(PanelError::Refused {
            why: "This panel sends no mail: an admin sets mail_server_file.".to_owned(),
        });
    }
    let mailboxes = &call.panel().mailboxes;
    let before = mailboxes.set(call.actor(), address.as_ref()).await;
    let before = before.or_say(|| call.error_id())?;
    let name = &call.viewer().person.name;
    let url = &call.panel().public_url;
    if let Some(before) = before.filter(|before| Some(before) != address.as_ref()) {
        // Whoever changed it must not be the only one who knows.
        let letter = own_mail::moved(name, url);
        if let Err(why) = send(&call, &before, &letter).await {
            tracing::warn!("The old mail address of {name} could not be told of the change: {why}");
        }
    }
    let done = match &address {
        None => "mail-gone",
        Some(address) => match send(&call, address, &own_mail::welcome(name, url)).await {
            Ok(()) => "mail",
            Err(why) => {
                tracing::warn!("The first mail to {name} did not go out: {why}");
                "mail-later"
            }
        },
    };
    Ok(redirect_to(&format!("{}?done={done}", path::ACCOUNT)))
}

async fn send(call: &Call, to: &MailAddress, letter: &Letter) -> Result<(), String> {
    let Some(mail) = &call.panel().mail else {
        return Err("this panel sends no mail".to_owned());
    };
    let sent = mail.send(to.as_str(), &letter.subject, &letter.text).await;
    sent.map_err(|fault| fault.message)
}
