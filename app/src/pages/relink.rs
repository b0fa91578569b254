//! The address of linking an account: goes to the operation that does it, or to the page that starts one.

use domain::gateway::AccountId;
use domain::path;

use super::Page;
use crate::call::{Call, redirect_to};
use crate::error::PanelError;

pub(crate) fn page(call: &Call, id: &str, account: &str) -> Result<Page, PanelError> {
    let gateway = call.gateway(id)?;
    let account: AccountId = account
        .parse()
        .map_err(|_| PanelError::gone("There is no such account."))?;
    let running = call.panel().operations.holder(&gateway.id);
    let running = running.filter(|operation| {
        let command = &operation.command;
        command.shows_code() && command.account() == Some(&account)
    });
    match running {
        Some(operation) => redirect_to(&path::operation(&operation.id)),
        None => redirect_to(&format!(
            "{}?account={account}",
            path::confirm(&gateway.id, "relink")
        )),
    };
    Ok(Page::new("Link an account", String::new()))
}
