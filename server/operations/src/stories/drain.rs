//! Asks the gateway to finish its work before it is stopped, where its version can be asked.

use std::time::Duration;

use domain::fault::Fault;
use domain::words;

use super::look::Before;
use crate::step::Cx;

/// What the gateway is given to finish.
const DRAIN: Duration = Duration::from_secs(20);
/// For an answer about its abilities.
const ANSWER: Duration = Duration::from_secs(10);

/// A gateway that cannot be asked, or does not answer, keeps nobody from stopping it: that is said.
pub(crate) async fn drain(cx: &Cx, before: &Before) -> Result<(), Fault> {
    let runs = before
        .container
        .as_ref()
        .is_some_and(super::look::Old::runs);
    if !runs {
        cx.say.line("Nothing to drain: the gateway does not run.");
        return Ok(());
    }
    let grace = words::duration(before.grace);
    let asked = tokio::time::timeout(ANSWER, cx.control.abilities(&cx.gateway)).await;
    match asked {
        Ok(Ok(abilities)) if abilities.suspend => {}
        Ok(Ok(_)) => {
            cx.say.line(format!(
                "This version cannot be asked to finish its work first; the stop leaves it {grace}."
            ));
            return Ok(());
        }
        Ok(Err(_)) | Err(_) => {
            cx.say.line(format!(
                "The gateway cannot be asked to finish its work first (it does not answer); the stop \
                 leaves it {grace}."
            ));
            return Ok(());
        }
    }
    let suspended = cx.control.suspend(&cx.gateway, DRAIN);
    match tokio::time::timeout(DRAIN + ANSWER, suspended).await {
        Ok(Ok(None)) => cx
            .say
            .line("The gateway takes no new work and has finished what it had."),
        Ok(Ok(Some(busy))) => cx.say.line(format!("Still busy after the wait: {busy}")),
        Ok(Err(fault)) => cx.say.line(format!(
            "The gateway could not be paused ({}); the stop leaves it {grace}.",
            fault.message
        )),
        Err(_) => cx.say.line(format!(
            "The gateway did not answer the wish to pause; the stop leaves it {grace}."
        )),
    }
    Ok(())
}

/// Takes the pause back. A process that has ended since forgot about it by itself.
pub(crate) async fn resume(cx: &Cx) -> Result<(), Fault> {
    if !cx.control.readiness(&cx.gateway).await?.live {
        return Ok(());
    }
    let asked = tokio::time::timeout(ANSWER, cx.control.abilities(&cx.gateway)).await;
    match asked {
        Ok(Ok(abilities)) if abilities.suspend => cx.control.resume(&cx.gateway).await,
        Ok(Ok(_)) | Err(_) => Ok(()),
        Ok(Err(fault)) => Err(fault),
    }
}
