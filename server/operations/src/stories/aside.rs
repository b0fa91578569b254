//! What stories share that keep an account's link aside while they try another one.

use domain::fault::{Boundary, Fault, FaultKind};
use domain::gateway::AccountId;

use super::{look, refused};
use crate::step::Cx;

/// Refuses when the gateway cannot stop one account while it runs.
pub(super) async fn need_single_account(cx: &Cx) -> Result<(), Fault> {
    if cx.control.abilities(&cx.gateway).await?.reconnect {
        return Ok(());
    }
    Err(refused(
        FaultKind::NotOffered,
        Boundary::Gateway,
        "This version of the gateway cannot stop and start a single account, so its link cannot be replaced \
         while the gateway runs.",
    ))
}

/// Stops the account; what does not run needs no stop.
pub(super) async fn stop(cx: &Cx, account: &AccountId) -> Result<(), Fault> {
    if look::account(cx, account).await?.running {
        cx.control.stop_account(&cx.gateway, account).await?;
    }
    Ok(())
}

/// The way back from the stop, for an account that ran before.
pub(super) async fn start_again(cx: &Cx, account: &AccountId, ran: bool) -> Result<(), Fault> {
    if !ran || look::account(cx, account).await?.running {
        return Ok(());
    }
    let answer = cx.control.start_account(&cx.gateway, account).await?;
    cx.say.line(answer.explanation);
    Ok(())
}

/// Removes what was kept aside. The new link stands: what stays behind is no reason to give it up.
pub(super) async fn clean(cx: &Cx) -> Result<(), Fault> {
    if let Err(fault) = cx.links.clear(&cx.gateway, cx.operation).await {
        cx.say.line(format!(
            "{fault} The link from before stays in the gateway's state folder under `panel-link-…`; remove it by hand."
        ));
    }
    Ok(())
}

/// What to do when putting back stopped.
pub(super) fn todo(account: &AccountId, step: &str) -> String {
    format!(
        "Putting back stopped at `{step}`. The link from before lies in the gateway's state folder under \
         `panel-link-…/aside`. With account {account} stopped, copy it back to `credentials/whatsapp/{account}`, start \
         the account, then free the gateway here."
    )
}
