//! One connection: the hand-shake, then calls out and answers in, with a watchdog on silence.

use std::collections::HashMap;

use domain::scrub::Scrubber;
use serde_json::value::RawValue;
use tokio::sync::{mpsc, oneshot};
use tokio::time::{Duration, Instant, sleep_until, timeout};

use super::dial::Wire;
use super::{Call, Limits};
use crate::device::DeviceIdentity;
use crate::protocol::{Challenge, ErrorShape, Frame, Hello, Refusal, connect, frame};
use crate::status::clipped;

/// Calls under way at once; more means that answers have stopped coming.
const MOST_PENDING: usize = 256;
const CONNECT_ID: &str = "connect";
const ASK_ID: &str = "ask";

/// Why the panel was not let in.
pub(super) enum Shut {
    /// The gateway said no.
    Refused(Refusal),
    /// It did not behave like a gateway, or the connection broke; a clause.
    Broken(String),
}

/// The hand-shake of `docs/gateway/protocol/handshake.md`.
pub(super) async fn shake(
    wire: &mut Wire,
    device: &DeviceIdentity,
    token: Option<&str>,
    limits: &Limits,
    scrubber: &Scrubber,
) -> Result<Hello, Shut> {
    let challenge = timeout(limits.handshake, challenged(wire))
        .await
        .map_err(|_| Shut::Broken("it accepted the connection and then said nothing".to_owned()))?
        .map_err(Shut::Broken)?;
    let params = connect::params(&challenge, device, token);
    wire.send(frame::request(CONNECT_ID, "connect", &params))
        .await
        .map_err(Shut::Broken)?;
    let outcome = timeout(limits.handshake, answered(wire, CONNECT_ID))
        .await
        .map_err(|_| Shut::Broken("it did not answer the connect".to_owned()))?
        .map_err(Shut::Broken)?;
    match outcome {
        Ok(payload) => Hello::read(&payload).map_err(|bad| Shut::Broken(bad.to_string())),
        Err(error) => Err(Shut::Refused(
            error.refusal(&device.id().to_string(), scrubber),
        )),
    }
}

async fn challenged(wire: &mut Wire) -> Result<Challenge, String> {
    loop {
        let text = wire.next().await?;
        if let Frame::Event { name, payload } = parse(&text)?
            && name == "connect.challenge"
        {
            return payload
                .map(RawValue::get)
                .and_then(|raw| serde_json::from_str(raw).ok())
                .ok_or_else(|| "its challenge has no nonce or no time".to_owned());
        }
    }
}

async fn answered(
    wire: &mut Wire,
    wanted: &str,
) -> Result<Result<serde_json::Value, ErrorShape>, String> {
    loop {
        let text = wire.next().await?;
        if let Frame::Response { id, outcome } = parse(&text)?
            && id == wanted
        {
            return Ok(outcome);
        }
    }
}

/// One call on a connection that carries no others; the outer error is a clause.
pub(super) async fn ask(
    wire: &mut Wire,
    method: &str,
    params: &serde_json::Value,
) -> Result<Result<serde_json::Value, ErrorShape>, String> {
    wire.send(frame::request(ASK_ID, method, params)).await?;
    answered(wire, ASK_ID).await
}

/// Carries calls until the connection ends; says why it did, as a clause.
pub(super) async fn carry(
    wire: &mut Wire,
    calls: &mut mpsc::Receiver<Call>,
    tick: Duration,
) -> String {
    let mut pending = Pending::default();
    let mut parting = None;
    // The reference client gives up after two missed ticks; half a tick more forgives a busy loop.
    let silence = tick.mul_f32(2.5).max(Duration::from_millis(200));
    let mut heard = Instant::now();
    loop {
        tokio::select! {
            text = wire.next() => {
                heard = Instant::now();
                let handled = text.and_then(|text| pending.take(&text));
                match handled {
                    Ok(Some(words)) => parting = Some(words),
                    Ok(None) => {}
                    Err(why) => return parting.unwrap_or(why),
                }
            }
            Some(call) = calls.recv() => {
                let Some(text) = pending.add(call) else {
                    return "it no longer answers calls".to_owned();
                };
                if let Err(why) = wire.send(text).await {
                    return why;
                }
            }
            () = sleep_until(heard + silence) => {
                return format!("it was silent for {:.0} seconds", silence.as_secs_f32());
            }
        }
    }
}

/// Calls whose answers are awaited.
#[derive(Default)]
struct Pending {
    next: u64,
    waiting: HashMap<String, oneshot::Sender<Result<serde_json::Value, ErrorShape>>>,
}

impl Pending {
    fn add(&mut self, call: Call) -> Option<String> {
        self.waiting.retain(|_, answer| !answer.is_closed());
        if self.waiting.len() >= MOST_PENDING {
            return None;
        }
        self.next += 1;
        let id = self.next.to_string();
        let text = frame::request(&id, &call.method, &call.params);
        self.waiting.insert(id, call.answer);
        Some(text)
    }

    /// Hands an answer on; a parting word of the gateway is returned.
    fn take(&mut self, text: &str) -> Result<Option<String>, String> {
        match parse(text)? {
            Frame::Response { id, outcome } => {
                // Nobody waits for it any more: too late, and that is all.
                if let Some(answer) = self.waiting.remove(id.as_ref()) {
                    drop(answer.send(outcome));
                }
                Ok(None)
            }
            Frame::Event { name, payload } if name == "shutdown" => Ok(Some(parting(payload))),
            Frame::Event { .. } | Frame::Other => Ok(None),
        }
    }
}

/// The event `shutdown` `{reason, restartExpectedMs?}` precedes a wanted end (`ShutdownEvent` in
/// `protocol.schema.json`).
fn parting(payload: Option<&RawValue>) -> String {
    let reason = payload
        .and_then(|raw| serde_json::from_str::<serde_json::Value>(raw.get()).ok())
        .and_then(|value| value.get("reason")?.as_str().map(|it| clipped(it, 100)));
    match reason {
        Some(reason) => format!("it said that it shuts down ({reason})"),
        None => "it said that it shuts down".to_owned(),
    }
}

fn parse(text: &str) -> Result<Frame<'_>, String> {
    Frame::parse(text).map_err(|bad| bad.to_string())
}
