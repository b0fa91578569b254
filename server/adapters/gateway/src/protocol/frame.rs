//! Frames: `req`, `res`, `event` (`RequestFrame`, `ResponseFrame`, `EventFrame` in
//! `protocol.schema.json`). Unknown fields and unknown kinds of frames are no error: newer gateways
//! may add them.

use std::borrow::Cow;

use serde::Deserialize;
use serde_json::value::RawValue;
use serde_json::{Value, json};

use super::refusal::ErrorShape;

/// A frame from the gateway.
#[derive(Debug)]
pub enum Frame<'a> {
    /// An answer to the request with this id.
    Response {
        /// Our id.
        id: Cow<'a, str>,
        /// What it answered.
        outcome: Result<Value, ErrorShape>,
    },
    /// Something the gateway tells everybody. Its payload is parsed only when somebody reads it.
    Event {
        /// Its name.
        name: Cow<'a, str>,
        /// Its payload.
        payload: Option<&'a RawValue>,
    },
    /// A kind of frame that this panel does not know.
    Other,
}

/// Not a frame.
#[derive(Debug, thiserror::Error)]
#[error("it sent something that is no frame of the gateway's protocol")]
pub struct BadFrame;

#[derive(Deserialize)]
struct Envelope<'a> {
    #[serde(borrow, rename = "type")]
    kind: Cow<'a, str>,
    #[serde(borrow, default)]
    id: Option<Cow<'a, str>>,
    #[serde(default)]
    ok: Option<bool>,
    #[serde(borrow, default)]
    payload: Option<&'a RawValue>,
    #[serde(default)]
    error: Option<ErrorShape>,
    #[serde(borrow, default)]
    event: Option<Cow<'a, str>>,
}

impl<'a> Frame<'a> {
    /// Reads a frame. Never panics, whatever the text.
    pub fn parse(text: &'a str) -> Result<Self, BadFrame> {
        let envelope: Envelope<'a> = serde_json::from_str(text).map_err(|_| BadFrame)?;
        match envelope.kind.as_ref() {
            "res" => {
                let id = envelope.id.ok_or(BadFrame)?;
                let outcome = if envelope.ok.ok_or(BadFrame)? {
                    match envelope.payload {
                        Some(raw) => Ok(serde_json::from_str(raw.get()).map_err(|_| BadFrame)?),
                        None => Ok(Value::Null),
                    }
                } else {
                    Err(envelope.error.unwrap_or_default())
                };
                Ok(Self::Response { id, outcome })
            }
            "event" => Ok(Self::Event {
                name: envelope.event.ok_or(BadFrame)?,
                payload: envelope.payload,
            }),
            _ => Ok(Self::Other),
        }
    }
}

/// A request as text.
pub fn request(id: &str, method: &str, params: &Value) -> String {
    json!({"type": "req", "id": id, "method": method, "params": params}).to_string()
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn the_three_kinds_are_read() {
        let text = r#"{"type":"res","id":"7","ok":true,"payload":{"a":1},"new":"field"}"#;
        let Ok(Frame::Response { id, outcome }) = Frame::parse(text) else {
            panic!("no response");
        };
        assert_eq!((id.as_ref(), outcome.unwrap()), ("7", json!({"a":1})));
        let text = r#"{"type":"res","id":"7","ok":false,"error":{"code":"X","message":"no"}}"#;
        let Ok(Frame::Response { outcome, .. }) = Frame::parse(text) else {
            panic!("no response");
        };
        assert_eq!(outcome.unwrap_err().code, "X");
        assert!(matches!(
            Frame::parse(r#"{"type":"event","event":"ti\u0063k","seq":1}"#),
            Ok(Frame::Event { name, payload: None }) if name == "tick"
        ));
        assert!(matches!(
            Frame::parse(r#"{"type":"new"}"#),
            Ok(Frame::Other)
        ));
    }

    #[test]
    fn what_is_no_frame_is_refused() {
        for text in [
            "",
            "{",
            "null",
            "[]",
            "{\"type\":\"res\"}",
            "{\"type\":1}",
            "{\"type\":\"event\"}",
        ] {
            assert!(Frame::parse(text).is_err(), "{text}");
        }
        assert!(Frame::parse(&"[".repeat(100_000)).is_err());
    }

    proptest! {
        #[test]
        fn no_text_upsets_it(text in ".{0,200}") {
            drop(Frame::parse(&text));
        }

        #[test]
        fn no_json_upsets_it(
            kind in prop_oneof![Just("res"), Just("event"), Just("req")],
            field in "(id|ok|payload|error|event)",
            value in prop_oneof![Just("1"), Just("null"), Just("\"x\""), Just("{}"), Just("[[]]"), Just("true")],
        ) {
            drop(Frame::parse(&format!(r#"{{"type":"{kind}","{field}":{value}}}"#)));
        }

        #[test]
        fn a_request_reads_back(method in ".{0,30}", value in ".{0,30}") {
            let text = request("1", &method, &json!({"v": value}));
            let back: Value = serde_json::from_str(&text).unwrap();
            prop_assert_eq!(&back["method"], &json!(method));
            prop_assert_eq!(&back["params"]["v"], &json!(value));
        }
    }
}
