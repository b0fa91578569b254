//! The address of linking an account: goes to the operation that does it, or to the page that starts one.

use domain::action::Action;
use domain::gateway::{AccountId, GatewayId};
use domain::path;

use super::Page;
use crate::call::Call;
use crate::error::PanelError;
use crate::rungs;

pub(crate) async fn page(call: &Call, id: &str, account: &str) -> Result<Page, PanelError> {
    let gateway = call.gateway(id).await?;
    let account: AccountId = account
        .parse()
        .map_err(|_| PanelError::gone("There is no such account."))?;
    let running = call.panel().operations.holder(&gateway.id);
    let running = running.filter(|operation| {
        let command = &operation.command;
        command.shows_code() && command.account() == Some(&account)
    });
    Ok(Page::redirect(match running {
        Some(operation) => path::operation(&operation.id),
        None => format!(
            "{}?account={account}",
            path::confirm(&gateway.id, how(call, &gateway.id, &account).as_str())
        ),
    }))
}

/// A link that may still work is replaced with more care.
fn how(call: &Call, gateway: &GatewayId, account: &AccountId) -> Action {
    let seen = call.panel().observations.observation(gateway);
    let known = seen.as_ref().and_then(|seen| {
        let mut accounts = seen.session.detail.as_ref()?.accounts.iter();
        accounts.find(|known| known.id == *account)
    });
    known.map_or(Action::Relink, rungs::link)
}
