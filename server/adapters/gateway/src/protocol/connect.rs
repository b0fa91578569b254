//! The hand-shake: `connect.challenge` → `connect` → `hello-ok`
//! (`docs/gateway/protocol/handshake.md`, `ConnectParams` and `HelloOk` in `protocol.schema.json`).

use std::collections::BTreeSet;
use std::time::Duration;

use serde::Deserialize;
use serde_json::{Value, json};

use super::{ADMIN, PROTOCOLS, SCOPES};
use crate::device::DeviceIdentity;

const CLIENT_ID: &str = "gateway-client";
const CLIENT_MODE: &str = "backend";
const ROLE: &str = "operator";
const PLATFORM: &str = "linux";
/// What the reference client assumes until it is told (`versioning.md`, client constants).
const USUAL_TICK: Duration = Duration::from_secs(30);

/// The gateway's first frame.
#[derive(Clone, Debug, Deserialize)]
pub struct Challenge {
    /// To be signed.
    pub nonce: String,
    /// The gateway's clock; becomes `signedAt`, so that the panel's own clock does not matter.
    pub ts: u64,
}

/// The parameters of `connect`, signed by the device.
pub fn params(challenge: &Challenge, device: &DeviceIdentity, token: Option<&str>) -> Value {
    let text = signed_text(
        challenge,
        &device.id().to_string(),
        token.unwrap_or_default(),
    );
    let mut params = json!({
        "minProtocol": PROTOCOLS.start(),
        "maxProtocol": PROTOCOLS.end(),
        "client": {
            "id": CLIENT_ID,
            "displayName": "OpenClaw Panel",
            "version": env!("CARGO_PKG_VERSION"),
            "platform": PLATFORM,
            "mode": CLIENT_MODE,
        },
        "role": ROLE,
        "scopes": SCOPES,
        "caps": [],
        "device": {
            "id": device.id().to_string(),
            "publicKey": device.public_key(),
            "signature": device.sign(&text),
            "signedAt": challenge.ts,
            "nonce": challenge.nonce,
        },
    });
    if let Some(token) = token {
        params["auth"] = json!({ "token": token });
    }
    params
}

/// `v3|deviceId|clientId|clientMode|role|scopes|signedAt|token|nonce|platform|deviceFamily`, as
/// `buildDeviceAuthPayloadV3` of `@openclaw/gateway-client` writes it; the family is empty.
fn signed_text(challenge: &Challenge, device_id: &str, token: &str) -> String {
    format!(
        "v3|{device_id}|{CLIENT_ID}|{CLIENT_MODE}|{ROLE}|{}|{}|{token}|{}|{PLATFORM}|",
        SCOPES.join(","),
        challenge.ts,
        challenge.nonce,
    )
}

/// What the gateway says when it lets the panel in.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Hello {
    /// The protocol agreed.
    pub protocol: u32,
    /// The gateway's version (`server.version`).
    pub version: Option<String>,
    /// The methods it offers (`features.methods`).
    pub methods: BTreeSet<String>,
    /// A scope that was asked for and not given.
    pub missing_scope: Option<&'static str>,
    /// How often it gives a sign of life (`policy.tickIntervalMs`).
    pub tick: Duration,
}

/// It answered the connect with something else than `hello-ok`.
#[derive(Debug, thiserror::Error)]
pub enum BadHello {
    /// No `hello-ok`.
    #[error("it answered the connect with something that is no `hello-ok`")]
    NoHello,
    /// A protocol that was not offered.
    #[error("it insists on protocol {0}, and this panel speaks 3 and 4")]
    Protocol(u32),
}

impl Hello {
    /// Reads the payload of the answer; only `type` and `protocol` are indispensable.
    pub fn read(payload: &Value) -> Result<Self, BadHello> {
        if payload.get("type").and_then(Value::as_str) != Some("hello-ok") {
            return Err(BadHello::NoHello);
        }
        let protocol = payload
            .get("protocol")
            .and_then(Value::as_u64)
            .and_then(|number| u32::try_from(number).ok())
            .ok_or(BadHello::NoHello)?;
        if !PROTOCOLS.contains(&protocol) {
            return Err(BadHello::Protocol(protocol));
        }
        let tick = payload
            .pointer("/policy/tickIntervalMs")
            .and_then(Value::as_u64)
            .filter(|millis| *millis > 0)
            .map_or(USUAL_TICK, Duration::from_millis);
        Ok(Self {
            protocol,
            version: payload
                .pointer("/server/version")
                .and_then(Value::as_str)
                .map(|version| version.chars().take(64).collect()),
            methods: words(payload.pointer("/features/methods")).collect(),
            missing_scope: missing(payload.pointer("/auth/scopes")),
            tick,
        })
    }
}

fn words(list: Option<&Value>) -> impl Iterator<Item = String> {
    list.and_then(Value::as_array)
        .into_iter()
        .flatten()
        .filter_map(Value::as_str)
        .filter(|word| word.len() <= 128)
        .take(5_000)
        .map(str::to_owned)
}

/// Versions that do not tell the scopes get the benefit of the doubt: the first call shows it.
fn missing(granted: Option<&Value>) -> Option<&'static str> {
    let granted: BTreeSet<String> = words(Some(granted?)).collect();
    if granted.contains(ADMIN) {
        return None;
    }
    SCOPES.into_iter().find(|scope| !granted.contains(*scope))
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn challenge() -> Challenge {
        Challenge {
            nonce: "4f1f2f7c-0000-4000-8000-000000000001".to_owned(),
            ts: 1_795_374_453_059,
        }
    }

    /// Made with `buildDeviceAuthPayloadV3` of `@openclaw/gateway-client` 2026.9.1 and Node's Ed25519,
    /// secret 32 times 0x07.
    #[test]
    fn the_signature_is_that_of_the_vendors_reference_client() {
        const ID: &str = "fe812c12f3ab4ce6ac5db69ac352f906cb1b11ef43fb33e252ef7ff552263889";
        let device = DeviceIdentity::from_secret([7; 32]);
        assert_eq!(device.id().to_string(), ID);
        assert_eq!(
            device.public_key(),
            "6kpsY-KcUgq-9VB7Ey7F-ZVHdq6-vnuSQh7qaRRG0iw"
        );
        assert_eq!(
            signed_text(&challenge(), ID, "a-token"),
            format!(
                "v3|{ID}|gateway-client|backend|operator|operator.read,operator.admin|1795374453059|a-token|4f1f2f7c-0000-4000-8000-000000000001|linux|"
            )
        );
        let params = params(&challenge(), &device, Some("a-token"));
        assert_eq!(
            params["device"]["signature"],
            "40Rj5RXA9xpd7XloirYxGHerY95xY74WBKi81izTuQIV3gyUvkghEwiqx_BylyjqwHLVlNKBOdk-9TRzKDQ3CA"
        );
    }

    #[test]
    fn hello_is_read_with_and_without_the_optional_parts() {
        let hello = Hello::read(&json!({"type":"hello-ok","protocol":3})).unwrap();
        assert_eq!((hello.protocol, hello.tick), (3, USUAL_TICK));
        assert_eq!(hello.missing_scope, None);
        let hello = Hello::read(&json!({
            "type":"hello-ok","protocol":4,"server":{"version":"2026.9.6"},
            "features":{"methods":["channels.start", 4]},
            "auth":{"scopes":["operator.read"]},"policy":{"tickIntervalMs":15000}
        }))
        .unwrap();
        assert_eq!(hello.version.as_deref(), Some("2026.9.6"));
        assert_eq!(hello.missing_scope, Some(ADMIN));
        assert_eq!(hello.tick, Duration::from_secs(15));
        assert!(hello.methods.contains("channels.start"));
    }

    #[test]
    fn a_protocol_nobody_offered_is_refused() {
        let hello = Hello::read(&json!({"type":"hello-ok","protocol":5}));
        assert!(matches!(hello, Err(BadHello::Protocol(5))));
    }

    proptest! {
        #[test]
        fn no_nonce_upsets_the_connect(nonce in ".{0,80}", ts in any::<u64>()) {
            let device = DeviceIdentity::from_secret([9; 32]);
            let given = params(&Challenge { nonce: nonce.clone(), ts }, &device, Some("t"));
            prop_assert_eq!(&given["device"]["nonce"], &json!(nonce));
        }
    }
}
