//! The gateway, faked over the world.

use std::time::Duration;

use async_trait::async_trait;
use domain::fact::{Account, Disconnect};
use domain::fault::{Boundary, Fault, FaultKind};
use domain::gateway::{AccountId, GatewayId};
use domain::operation::OperationId;
use domain::ports::{Abilities, ChannelOutcome, GatewayControl, LoginAnswer, Readiness, Scans};
use domain::scan::{Code, Login, Picture, Scan};

use super::world::{CANARY, Cure, NAME, Phone, World, logged_out};

/// A login is over after that, whatever became of it.
const LOGIN: Duration = Duration::from_secs(180);

pub(super) fn away() -> Fault {
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
        self.call("start_account", |inner, now| {
            inner.stopped.retain(|id| id != account.as_str());
            for found in inner.accounts.iter_mut().flatten() {
                if found.id == *account {
                    found.breaker_tripped = false;
                    if inner.login == Some(3) {
                        let refused = inner.phone == Phone::Passkey;
                        found.running = !refused;
                        found.connected = !refused;
                        found.last_disconnect = refused.then(|| Disconnect {
                            at: Some(now),
                            ..logged_out()
                        });
                    }
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
            let given = inner.login.unwrap_or(1);
            if inner.login.is_none() {
                inner.login = Some(given);
                inner.login_at = Some(now);
                // It tries with the files of the old link first, and they go when WhatsApp refuses them.
                for found in inner.accounts.iter_mut().flatten() {
                    found.linked &= found
                        .last_disconnect
                        .as_ref()
                        .is_none_or(|last| !last.logged_out);
                }
            }
            Ok(LoginAnswer {
                code: Some(code(given)),
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
            .call("await_login", |inner, now| {
                let old = |began| now.since(began) >= LOGIN;
                if inner.login == Some(3) && inner.login_at.is_some_and(old) {
                    inner.login = None;
                    inner.login_at = None;
                }
                let unfinished = [Phone::Hangs, Phone::Passkey, Phone::Refused];
                if inner.login == Some(2) && unfinished.contains(&inner.phone) && shown.is_some() {
                    inner.login = Some(3);
                    inner.scanned_at = now;
                    for found in inner.accounts.iter_mut().flatten() {
                        found.linked |= found.id == *account;
                    }
                }
                Ok(match inner.login {
                    None => false,
                    Some(3) if now.since(inner.scanned_at) < 2 * limit => true,
                    Some(3) => ![Phone::Scans, Phone::Refused].contains(&inner.phone),
                    Some(_) => shown.is_none() || inner.phone == Phone::Away,
                })
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
            if inner.phone == Phone::Refused {
                inner.phone = Phone::Scans;
                inner.login = Some(2);
                for found in inner.accounts.iter_mut().flatten() {
                    found.linked &= found.id != *account;
                }
                return Ok(LoginAnswer {
                    code: Some(code(4)),
                    ..said("QR refreshed.")
                });
            }
            inner.login = None;
            inner.login_at = None;
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

    fn note_login(&self, _: &GatewayId, _: &AccountId, login: Option<Login>) {
        self.lock().known_login = login;
    }

    fn login(&self, _: &GatewayId, _: &AccountId) -> Option<Login> {
        self.lock().known_login
    }
}
