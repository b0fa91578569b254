//! The gateway, faked over the world.

use std::time::Duration;

use async_trait::async_trait;
use domain::fact::Account;
use domain::fault::{Boundary, Fault, FaultKind};
use domain::gateway::{AccountId, GatewayId};
use domain::operation::OperationId;
use domain::ports::{Abilities, ChannelOutcome, GatewayControl, LoginAnswer, Readiness, Scans};
use domain::scan::{Code, Picture, Scan};
use domain::time::Timestamp;

use super::world::{CANARY, Cure, NAME, Phone, World};

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
            inner.cure(Cure::Reconnect);
            inner.changed("start_account");
            Ok(ChannelOutcome {
                word: "handed-off".to_owned(),
                started: true,
                explanation: "The gateway is starting the account.".to_owned(),
            })
        })
        .await
    }

    async fn log_out(&self, _: &GatewayId, account: &AccountId) -> Result<(), Fault> {
        self.call("log_out", |inner, _| {
            inner.stopped.retain(|id| id != account.as_str());
            for found in inner.accounts.iter_mut().flatten() {
                found.linked = false;
                found.running = false;
                found.connected = false;
            }
            inner.changed("log_out");
            Ok(())
        })
        .await
    }

    async fn start_login(&self, _: &GatewayId, _: &AccountId) -> Result<LoginAnswer, Fault> {
        self.call("start_login", |inner, now| {
            if !inner.live(now) {
                return Err(away());
            }
            if inner.phone == Phone::Unreachable {
                return Ok(said(
                    "WhatsApp login failed: WebSocket Error (socket hang up)",
                ));
            }
            let given = inner.login.get_or_insert(1);
            Ok(LoginAnswer {
                code: Some(code(*given)),
                ..said("Scan this QR in WhatsApp → Linked Devices.")
            })
        })
        .await
    }

    async fn await_login(
        &self,
        _: &GatewayId,
        account: &AccountId,
        shown: Option<&Code>,
        limit: Duration,
    ) -> Result<LoginAnswer, Fault> {
        let idle = self
            .call("await_login", |inner, _| {
                Ok(inner.login.is_some() && (shown.is_none() || inner.phone == Phone::Away))
            })
            .await?;
        if idle {
            tokio::time::sleep(limit).await;
            return Ok(said("Still waiting for the QR scan."));
        }
        self.call("await_login", |inner, _| {
            let Some(given) = inner.login else {
                return Ok(said("No active WhatsApp login in progress."));
            };
            if given == 1 {
                inner.login = Some(2);
                return Ok(LoginAnswer {
                    code: Some(code(2)),
                    ..said("QR refreshed.")
                });
            }
            inner.login = None;
            let connects = inner.phone == Phone::Scans;
            let number = inner.scans_with.clone();
            if connects {
                inner.stopped.retain(|id| id != account.as_str());
                inner.cure(Cure::NewLink);
            }
            for found in inner.accounts.iter_mut().flatten() {
                if found.id == *account {
                    found.linked = true;
                    found.last_disconnect = None;
                    found.running = connects;
                    found.connected = connects;
                    if number.is_some() {
                        found.phone.clone_from(&number);
                    }
                }
            }
            inner.changed("link");
            Ok(LoginAnswer {
                connected: connects,
                ..said("Linked! WhatsApp is ready.")
            })
        })
        .await
    }
}

fn said(message: &str) -> LoginAnswer {
    LoginAnswer {
        code: None,
        connected: false,
        message: message.to_owned(),
    }
}

/// The secret in it must never get into a journal.
fn code(given: u32) -> Code {
    Code::new(format!("{CANARY}-{given}").into(), Picture::Image)
}

impl Scans for World {
    fn show(&self, _: OperationId, scan: Option<Scan>) {
        self.lock().shown = scan;
    }

    fn of(&self, _: OperationId) -> Option<Scan> {
        self.lock().shown.clone()
    }

    fn note_login(&self, _: &GatewayId, _: &AccountId, began: Option<Timestamp>) {
        self.lock().login_began = began;
    }

    fn login_began(&self, _: &GatewayId, _: &AccountId) -> Option<Timestamp> {
        self.lock().login_began
    }
}
