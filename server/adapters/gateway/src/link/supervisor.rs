//! Keeps the socket: tries, waits, tries again, and says where it stands.

use std::sync::Arc;
use std::time::Duration;

use domain::fact::Control;
use secrecy::{ExposeSecret, SecretString};
use tokio::sync::mpsc;
use tokio::time::{Instant, sleep, timeout};

use super::dial::Dial;
use super::session::{self, Shut};
use super::{Approver, Identity, Key, Limits, Patience, Shared};
use crate::device::DeviceIdentity;
use crate::probe::sentence;
use crate::protocol::{Hello, Refusal};

/// Two tries are never closer than this, whoever asks.
const LEAST_GAP: Duration = Duration::from_millis(300);
/// A connection that lived this long was good: the next failure starts with a short wait again.
const GOOD_LIFE: Duration = Duration::from_secs(10);
/// How often a refused key is compared with the present one.
const KEY_LOOK: Duration = Duration::from_secs(5);
/// Approvals in a row that changed nothing.
const MOST_APPROVALS: u32 = 3;

pub(super) struct Supervisor {
    pub(super) dial: Dial,
    pub(super) limits: Limits,
    pub(super) key: Arc<dyn Key>,
    pub(super) approver: Arc<dyn Approver>,
    pub(super) identity: Arc<dyn Identity>,
    pub(super) shared: Arc<Shared>,
}

/// What to do after an attempt.
enum Then {
    /// Try again after this, or when woken.
    Retry(Duration),
    /// Wait for another key, or for long.
    NewKey,
    /// Only time or a person helps.
    Long,
    /// At once: the device was just approved, or is another one by now.
    Now,
}

impl Supervisor {
    pub(super) async fn run(self) {
        let mut failures = 0;
        let mut approvals = 0;
        let mut renewed = self.shared.renewed.subscribe();
        loop {
            renewed.borrow_and_update();
            let token = self.key.token().await;
            let then = tokio::select! {
                then = self.attempt(token.as_ref(), &mut failures, &mut approvals) => then,
                _ = renewed.changed() => self.renew(),
            };
            let wait = async {
                match then {
                    Then::Now => sleep(LEAST_GAP).await,
                    Then::Retry(wait) => self.rest(wait).await,
                    Then::NewKey => self.await_key(token.as_ref()).await,
                    Then::Long => sleep(self.limits.refused_wait).await,
                }
            };
            tokio::select! {
                () = wait => {}
                _ = renewed.changed() => {}
            }
        }
    }

    /// The connection was dropped, to come back as somebody else. Not an ended attempt: callers wait for what comes.
    fn renew(&self) -> Then {
        self.shared.line.send_replace(None);
        self.shared.state.send_modify(|state| {
            state.control = Control::Connecting;
            state.patience = Patience::Short;
        });
        Then::Now
    }

    async fn attempt(
        &self,
        token: Option<&SecretString>,
        failures: &mut u32,
        approvals: &mut u32,
    ) -> Then {
        let secret = token.map(ExposeSecret::expose_secret);
        if let Some(secret) = secret {
            self.shared.learn_secret(secret);
        }
        let device = match self.identity.present().await {
            Ok(device) => device,
            Err(fault) => return self.failed(&fault.message, failures),
        };
        let mut wire = match self.dial.open().await {
            Ok(wire) => wire,
            Err(why) => return self.failed(&why, failures),
        };
        let scrubber = self.shared.scrubber();
        let shaken = session::shake(&mut wire, &device, secret, &self.limits, &scrubber).await;
        let hello = match shaken {
            Ok(hello) => hello,
            Err(Shut::Broken(why)) => return self.failed(&why, failures),
            Err(Shut::Refused(refusal)) => {
                // The gateway closes a refused socket; keeping it would not help either.
                drop(wire);
                return self.refused(refusal, &device, failures, approvals).await;
            }
        };
        *approvals = 0;
        let begun = Instant::now();
        let (line, mut calls) = mpsc::channel(32);
        self.welcome(&hello, &device, line);
        let why = session::carry(&mut wire, &mut calls, hello.tick).await;
        self.shared.line.send_replace(None);
        if begun.elapsed() >= GOOD_LIFE {
            *failures = 0;
        }
        let why = sentence(&why);
        tracing::info!(why, "The control socket is not connected any more");
        self.again(why, failures)
    }

    fn welcome(&self, hello: &Hello, device: &DeviceIdentity, line: super::Line) {
        tracing::info!(
            gateway.version = hello.version.as_deref().unwrap_or("unknown"),
            gateway.protocol = hello.protocol,
            "The control socket is connected"
        );
        self.shared.line.send_replace(Some(line));
        self.shared.state.send_modify(|state| {
            state.control = match hello.missing_scope {
                Some(scope) => Control::ScopeMissing {
                    scope: scope.to_owned(),
                },
                None => Control::Connected,
            };
            state.version.clone_from(&hello.version);
            state.protocol = Some(hello.protocol);
            state.methods = Arc::new(hello.methods.clone());
            state.device = Some(device.id().clone());
            state.patience = Patience::Short;
        });
    }

    async fn refused(
        &self,
        refusal: Refusal,
        device: &DeviceIdentity,
        failures: &mut u32,
        approvals: &mut u32,
    ) -> Then {
        match refusal {
            Refusal::Starting { after } => {
                self.ended(Control::Connecting, Patience::Short);
                Then::Retry(after)
            }
            Refusal::Key => {
                self.ended(Control::KeyRefused, Patience::Long);
                Then::NewKey
            }
            Refusal::RateLimited => {
                self.shut_out("it counted too many wrong keys and lets nobody in for some minutes")
            }
            Refusal::Protocol { wants } => {
                let wants = wants.map_or_else(|| "another".to_owned(), |number| number.to_string());
                self.shut_out(&format!(
                    "it speaks protocol {wants}, and this panel speaks 3 and 4"
                ))
            }
            Refusal::Other(why) => self.failed(&why, failures),
            Refusal::Pairing { request_id: None } => self.shut_out(
                "it wants the panel's device approved but names no request of this device",
            ),
            Refusal::Pairing {
                request_id: Some(_),
            } if *approvals >= MOST_APPROVALS => {
                *approvals = 0;
                self.shut_out(
                    "the panel's device was approved several times and is still unknown to it",
                )
            }
            Refusal::Pairing {
                request_id: Some(id),
            } => {
                // One that was replaced meanwhile is unknown to the gateway on purpose.
                let present = self.identity.present().await;
                if !present.is_ok_and(|present| present.id() == device.id()) {
                    return Then::Now;
                }
                *approvals += 1;
                self.approve(&id, failures).await
            }
        }
    }

    async fn approve(&self, request_id: &str, failures: &mut u32) -> Then {
        // Not an ended attempt: callers wait for what comes of it.
        self.shared.state.send_modify(|state| {
            state.control = Control::Pairing;
            state.patience = Patience::Short;
        });
        match timeout(self.limits.approval, self.approver.approve(request_id)).await {
            Ok(Ok(())) => {
                tracing::info!("The gateway approved the panel's device");
                Then::Now
            }
            Ok(Err(fault)) => self.failed(
                &format!("the panel's device could not be approved: {fault}"),
                failures,
            ),
            Err(_) => self.failed("approving the panel's device took too long", failures),
        }
    }

    fn failed(&self, clause: &str, failures: &mut u32) -> Then {
        let why = sentence(clause);
        let failed = failures.saturating_add(1);
        // While a gateway starts there are three tries a second: the first ones and then ever fewer are said, so that an
        // outage fills no log.
        if failed.is_power_of_two() {
            tracing::info!(why, failed, "The control socket is not connected");
        } else {
            tracing::debug!(why, failed, "The control socket is not connected");
        }
        self.again(why, failures)
    }

    fn again(&self, why: String, failures: &mut u32) -> Then {
        self.ended(Control::Failing { why }, Patience::Short);
        let wait = self
            .limits
            .shortest_wait
            .saturating_mul(1 << (*failures).min(10))
            .min(self.limits.longest_wait);
        *failures = failures.saturating_add(1);
        // Half of the wait is left to chance, so that many panels do not knock at once.
        Then::Retry(wait.mul_f32(0.5 + rand::random::<f32>() / 2.0))
    }

    fn shut_out(&self, clause: &str) -> Then {
        let why = sentence(clause);
        tracing::warn!(why, "The gateway shuts the panel out");
        self.ended(Control::Failing { why }, Patience::Long);
        Then::Long
    }

    fn ended(&self, control: Control, patience: Patience) {
        self.shared.state.send_modify(|state| {
            state.control = control;
            state.patience = patience;
            state.attempts += 1;
        });
    }

    async fn rest(&self, wait: Duration) {
        sleep(LEAST_GAP.min(wait)).await;
        let rest = wait.saturating_sub(LEAST_GAP);
        // Woken or not, the next thing is to try.
        drop(timeout(rest, self.shared.wake.notified()).await);
    }

    async fn await_key(&self, refused: Option<&SecretString>) {
        let refused = refused.map(ExposeSecret::expose_secret);
        let until = Instant::now() + self.limits.refused_wait;
        let look = KEY_LOOK.min(self.limits.refused_wait / 4);
        while Instant::now() < until {
            sleep(look).await;
            let now = self.key.token().await;
            if now.as_ref().map(ExposeSecret::expose_secret) != refused {
                return;
            }
        }
    }
}
