//! Every gateway, as operations need it.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use domain::fact::{Account, Control};
use domain::fault::{Boundary, Fault, FaultKind};
use domain::gateway::{AccountId, GatewayId};
use domain::ports::{Abilities, ChannelOutcome, GatewayControl, LoginAnswer, Readiness};
use domain::scan::Code;
use serde_json::{Value, json};

use crate::link::{GatewayLink, Identity, Key};
use crate::login;
use crate::probe::Prober;
use crate::status::{CHANNEL, clipped};
use crate::suspend;

const START: &str = "channels.start";
const STOP: &str = "channels.stop";
const LOG_OUT: &str = "channels.logout";
/// A start waits for the account's hand-over, a stop for its connection to close.
const CHANNEL_LIMIT: Duration = Duration::from_secs(30);

/// What is needed to reach one gateway.
#[derive(Clone)]
pub struct Reach {
    /// Its socket.
    pub link: GatewayLink,
    /// Its probes.
    pub prober: Prober,
    /// Its key, for the details of `/readyz`.
    pub key: Arc<dyn Key>,
    /// Tells this panel's leases from others': the device's id is stable over restarts of the panel and unique among panels,
    /// and it is not renewed while an operation holds a lease.
    pub identity: Arc<dyn Identity>,
}

/// The gateways by id.
#[derive(Clone, Default)]
pub struct GatewayLinks {
    gateways: Arc<BTreeMap<GatewayId, Reach>>,
}

impl GatewayLinks {
    /// All of them.
    pub fn new(gateways: BTreeMap<GatewayId, Reach>) -> Self {
        Self {
            gateways: Arc::new(gateways),
        }
    }

    /// One of them.
    pub fn reach(&self, gateway: &GatewayId) -> Result<&Reach, Fault> {
        self.gateways.get(gateway).ok_or_else(|| {
            Fault::new(
                FaultKind::NotFound,
                Boundary::Panel,
                format!("There is no gateway `{gateway}`."),
            )
        })
    }

    /// Calls a method about one account, which this version must offer.
    async fn channel(
        &self,
        gateway: &GatewayId,
        method: &str,
        account: &AccountId,
    ) -> Result<Value, Fault> {
        let link = &self.reach(gateway)?.link;
        let params = json!({ "channel": CHANNEL, "accountId": account.as_str() });
        match link.call(method, params, CHANNEL_LIMIT).await {
            Err(fault) if fault.kind == FaultKind::NotOffered => Err(not_offered(
                "cannot stop or start a single account. Restart the gateway instead: its accounts reconnect by themselves",
            )),
            other => other,
        }
    }
}

fn not_offered(clause: &str) -> Fault {
    Fault::new(
        FaultKind::NotOffered,
        Boundary::Gateway,
        format!("This version of the gateway {clause}."),
    )
}

#[async_trait]
impl GatewayControl for GatewayLinks {
    async fn readiness(&self, gateway: &GatewayId) -> Result<Readiness, Fault> {
        let reach = self.reach(gateway)?;
        let token = reach.key.token().await;
        Ok(reach.prober.readiness(token.as_ref()).await)
    }

    async fn accounts(&self, gateway: &GatewayId) -> Result<Option<Vec<Account>>, Fault> {
        self.reach(gateway)?.link.accounts().await
    }

    async fn abilities(&self, gateway: &GatewayId) -> Result<Abilities, Fault> {
        let link = &self.reach(gateway)?.link;
        let state = link.ready(CHANNEL_LIMIT).await?;
        if let Control::ScopeMissing { .. } = state.control {
            // It offers them, but not to this device.
            return Ok(Abilities::default());
        }
        let offers = |method: &str| state.methods.contains(method);
        Ok(Abilities {
            reconnect: offers(START) && offers(STOP),
            suspend: offers(suspend::PREPARE),
            scan: offers(login::START) && offers(login::WAIT),
        })
    }

    async fn suspend(&self, gateway: &GatewayId, limit: Duration) -> Result<Option<String>, Fault> {
        let reach = self.reach(gateway)?;
        let state = reach.link.ready(limit).await?;
        if !state.methods.contains(suspend::PREPARE) {
            return Err(not_offered(
                "cannot be asked to finish its work first. Stop it with a grace period instead",
            ));
        }
        suspend::suspend(&reach.link, &lease(gateway, reach).await?, limit).await
    }

    async fn resume(&self, gateway: &GatewayId) -> Result<(), Fault> {
        let reach = self.reach(gateway)?;
        let state = reach.link.ready(CHANNEL_LIMIT).await?;
        if !state.methods.contains(suspend::PREPARE) {
            return Ok(());
        }
        suspend::resume(&reach.link, &lease(gateway, reach).await?).await
    }

    async fn stop_account(&self, gateway: &GatewayId, account: &AccountId) -> Result<(), Fault> {
        let payload = self.channel(gateway, STOP, account).await?;
        // `stopped` is true when nothing runs afterwards, also when nothing ran before.
        if payload.get("stopped").and_then(Value::as_bool) == Some(false) {
            return Err(Fault::new(
                FaultKind::Unexpected,
                Boundary::Gateway,
                format!("The gateway was asked to stop the account {account}, and it still runs."),
            )
            .retryable());
        }
        Ok(())
    }

    async fn log_out(&self, gateway: &GatewayId, account: &AccountId) -> Result<(), Fault> {
        // `cleared` is false when there was nothing (any more) to clear; how the account stands says the rest.
        self.channel(gateway, LOG_OUT, account).await.map(drop)
    }

    async fn start_account(
        &self,
        gateway: &GatewayId,
        account: &AccountId,
    ) -> Result<ChannelOutcome, Fault> {
        let payload = self.channel(gateway, START, account).await?;
        Ok(outcome(&payload))
    }

    async fn start_login(
        &self,
        gateway: &GatewayId,
        account: &AccountId,
    ) -> Result<LoginAnswer, Fault> {
        login::start(&self.reach(gateway)?.link, account).await
    }

    async fn await_login(
        &self,
        gateway: &GatewayId,
        account: &AccountId,
        shown: Option<&Code>,
        limit: Duration,
    ) -> Result<LoginAnswer, Fault> {
        login::wait(&self.reach(gateway)?.link, account, shown, limit).await
    }
}

/// A name for this panel's suspension of this gateway, at most 128 characters.
async fn lease(gateway: &GatewayId, reach: &Reach) -> Result<String, Fault> {
    let device = reach.identity.present().await?.id().to_string();
    let panel: String = device.chars().take(32).collect();
    Ok(format!("openclaw-panel-{panel}-{gateway}"))
}

/// `{started, outcome: {status, reason?}}`: statuses and reasons from `docs/cli/channels.md`, section
/// “Per-account recovery”. Versions before the outcome say `started` only.
fn outcome(payload: &Value) -> ChannelOutcome {
    let started = payload.get("started").and_then(Value::as_bool) == Some(true);
    let part = |name: &str| {
        payload
            .pointer(&format!("/outcome/{name}"))
            .and_then(Value::as_str)
            .map(|word| clipped(word, 60))
    };
    let status = part("status");
    let reason = part("reason");
    let explanation = match (status.as_deref(), reason.as_deref()) {
        (Some("handed-off"), _) => "The account is being started.".to_owned(),
        (Some("retry"), Some("task-owned")) if started => "The account runs already.".to_owned(),
        (Some("retry"), Some("task-owned" | "start-in-flight")) => {
            "A start of this account is under way already.".to_owned()
        }
        (Some("retry"), Some("stop-in-flight")) => {
            "The account is still being stopped; try again in a moment.".to_owned()
        }
        (Some("retry"), _) => "Something else holds the account; try again in a moment.".to_owned(),
        (Some("skipped"), Some(reason)) => skipped(reason),
        (Some("skipped"), None) => {
            "The gateway did not start the account and gave no reason.".to_owned()
        }
        (Some(word), _) => format!("The gateway answered `{word}`."),
        (None, _) if started => "The account is being started.".to_owned(),
        (None, _) => "The gateway did not start the account and gave no reason.".to_owned(),
    };
    let under_way = matches!(
        (status.as_deref(), reason.as_deref()),
        (Some("handed-off"), _) | (Some("retry"), Some("task-owned" | "start-in-flight"))
    );
    ChannelOutcome {
        started: started || under_way,
        word: status.unwrap_or_else(|| if started { "started" } else { "not-started" }.to_owned()),
        explanation,
    }
}

fn skipped(reason: &str) -> String {
    match reason {
        "disabled" => {
            "The account is switched off in the gateway's configuration: switch it on there."
        }
        "unconfigured" => "The account is not set up in the gateway's configuration.",
        "unlinked" => "The account is not linked to a phone: a start cannot help, only a scan.",
        "unsupported" => {
            "The gateway's WhatsApp plugin cannot start a single account: restart the gateway."
        }
        "autostart-suppressed" => {
            "The gateway holds automatic starts back after crashes; restart it when this stays."
        }
        "ambient-suppressed" => "The gateway was started with its channels switched off.",
        "secret-unavailable" => {
            "A secret that the account's configuration names is not available to the gateway."
        }
        "manual-stop" => "The account was stopped by hand and is held stopped.",
        other => return format!("The gateway did not start the account: {other}."),
    }
    .to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn outcomes_are_explained() {
        for (payload, started, word, part) in [
            (
                json!({"started":true,"outcome":{"status":"handed-off"}}),
                true,
                "handed-off",
                "being started",
            ),
            (
                json!({"started":true,"outcome":{"status":"retry","reason":"task-owned"}}),
                true,
                "retry",
                "runs already",
            ),
            (
                json!({"started":false,"outcome":{"status":"retry","reason":"stop-in-flight"}}),
                false,
                "retry",
                "being stopped",
            ),
            (
                json!({"started":false,"outcome":{"status":"skipped","reason":"unlinked"}}),
                false,
                "skipped",
                "only a scan",
            ),
            (
                json!({"started":false,"outcome":{"status":"skipped","reason":"brand-new"}}),
                false,
                "skipped",
                "brand-new",
            ),
            (json!({"started":true}), true, "started", "being started"),
            (json!(null), false, "not-started", "no reason"),
        ] {
            let outcome = outcome(&payload);
            assert_eq!(
                (outcome.started, outcome.word.as_str()),
                (started, word),
                "{payload}"
            );
            assert!(outcome.explanation.contains(part), "{outcome:?}");
        }
    }

    proptest! {
        #[test]
        fn every_outcome_has_an_explanation(status in ".{0,80}", reason in ".{0,80}") {
            let outcome = outcome(&json!({"outcome":{"status":status,"reason":reason}}));
            prop_assert!(!outcome.explanation.is_empty());
        }
    }
}
