//! The gateway, faked over the world.

use std::time::Duration;

use async_trait::async_trait;
use domain::fact::Account;
use domain::fault::{Boundary, Fault, FaultKind};
use domain::gateway::{AccountId, GatewayId};
use domain::ports::{Abilities, ChannelOutcome, GatewayControl, Readiness};

use super::world::{CANARY, NAME, World};

fn away() -> Fault {
    Fault::new(
        FaultKind::Unreachable,
        Boundary::Gateway,
        format!("the gateway does not answer (key {CANARY})"),
    )
}

#[async_trait]
impl GatewayControl for World {
    async fn readiness(&self, _: &GatewayId) -> Result<Readiness, Fault> {
        self.call("readiness", |inner, now| {
            let (live, ready) = (inner.live(now), inner.ready(now));
            let failing = if live && !ready {
                vec!["channels".to_owned()]
            } else {
                Vec::new()
            };
            Ok(Readiness {
                live,
                ready,
                failing,
            })
        })
        .await
    }

    async fn accounts(&self, _: &GatewayId) -> Result<Option<Vec<Account>>, Fault> {
        self.call("accounts", |inner, now| {
            if inner.live(now) {
                Ok(inner.list_accounts(now))
            } else {
                Err(away())
            }
        })
        .await
    }

    async fn abilities(&self, _: &GatewayId) -> Result<Abilities, Fault> {
        self.call("abilities", |inner, now| {
            if inner.live(now) {
                Ok(inner.abilities)
            } else {
                Err(away())
            }
        })
        .await
    }

    async fn suspend(&self, _: &GatewayId, _: Duration) -> Result<Option<String>, Fault> {
        self.call("suspend", |inner, _| {
            if let Some(found) = inner.find(NAME) {
                found.suspended = true;
            }
            inner.changed("suspend");
            Ok(Some(format!("one call to a model, key {CANARY}")))
        })
        .await
    }

    async fn resume(&self, _: &GatewayId) -> Result<(), Fault> {
        self.call("resume", |inner, _| {
            if let Some(found) = inner.find(NAME) {
                found.suspended = false;
            }
            inner.changed("resume");
            Ok(())
        })
        .await
    }

    async fn stop_account(&self, _: &GatewayId, account: &AccountId) -> Result<(), Fault> {
        self.call("stop_account", |inner, _| {
            inner.stopped.push(account.as_str().to_owned());
            inner.changed("stop_account");
            Ok(())
        })
        .await
    }

    async fn start_account(
        &self,
        _: &GatewayId,
        account: &AccountId,
    ) -> Result<ChannelOutcome, Fault> {
        self.call("start_account", |inner, _| {
            inner.stopped.retain(|id| id != account.as_str());
            for found in inner.accounts.iter_mut().flatten() {
                if found.id == *account {
                    found.breaker_tripped = false;
                }
            }
            inner.changed("start_account");
            Ok(ChannelOutcome {
                word: "handed-off".to_owned(),
                started: true,
                explanation: "The gateway is starting the account.".to_owned(),
            })
        })
        .await
    }
}
