//! An answer to a probe: status, the body as far as it is worth reading, the certificate's end.

use domain::time::Timestamp;
use reqwest::Response;
use serde_json::Value;

use crate::http::BODY_LIMIT;

/// What a body was.
#[derive(Clone, Debug, PartialEq)]
pub enum Body {
    /// JSON.
    Json(Value),
    /// A web page.
    Html,
    /// Nothing.
    Empty,
    /// Something else, or more than [`BODY_LIMIT`].
    Other,
}

/// The validity of a certificate.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Validity {
    /// From when.
    pub begins: Timestamp,
    /// Until when.
    pub ends: Timestamp,
}

/// One answer.
#[derive(Clone, Debug, PartialEq)]
pub struct Answer {
    /// HTTP status.
    pub status: u16,
    /// Where a redirect leads.
    pub location: Option<String>,
    /// The body.
    pub body: Body,
    /// Time to the first byte of the answer.
    pub latency_ms: u32,
    /// Of the certificate that was shown.
    pub certificate: Option<Validity>,
}

impl Answer {
    pub(super) async fn read(
        mut response: Response,
        latency_ms: u32,
    ) -> Result<Self, reqwest::Error> {
        let status = response.status().as_u16();
        let location = response
            .headers()
            .get("location")
            .and_then(|value| value.to_str().ok())
            .map(|text| text.chars().take(200).collect());
        let certificate = response
            .extensions()
            .get::<reqwest::tls::TlsInfo>()
            .and_then(reqwest::tls::TlsInfo::peer_certificate)
            .and_then(validity);
        let mut bytes = Vec::new();
        let mut whole = true;
        while let Some(chunk) = response.chunk().await? {
            if bytes.len() + chunk.len() > BODY_LIMIT {
                whole = false;
                break;
            }
            bytes.extend_from_slice(&chunk);
        }
        Ok(Self {
            status,
            location,
            body: if whole {
                classify(&bytes)
            } else {
                too_long(&bytes)
            },
            latency_ms,
            certificate,
        })
    }

    /// The body when it is a JSON object.
    pub fn json(&self) -> Option<&serde_json::Map<String, Value>> {
        match &self.body {
            Body::Json(Value::Object(object)) => Some(object),
            _ => None,
        }
    }
}

fn classify(bytes: &[u8]) -> Body {
    if bytes.iter().all(u8::is_ascii_whitespace) {
        return Body::Empty;
    }
    match serde_json::from_slice(bytes) {
        Ok(value) => Body::Json(value),
        Err(_) => too_long(bytes),
    }
}

fn too_long(bytes: &[u8]) -> Body {
    let start: String = String::from_utf8_lossy(&bytes[..bytes.len().min(512)])
        .trim_start()
        .to_ascii_lowercase();
    if start.starts_with("<!doctype html") || start.starts_with("<html") {
        Body::Html
    } else {
        Body::Other
    }
}

fn validity(der: &[u8]) -> Option<Validity> {
    let (_, certificate) = x509_parser::parse_x509_certificate(der).ok()?;
    let validity = certificate.validity();
    let moment = |seconds: i64| Timestamp::from_millis(seconds.saturating_mul(1000));
    Some(Validity {
        begins: moment(validity.not_before.timestamp()),
        ends: moment(validity.not_after.timestamp()),
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn bodies_are_told_apart() {
        assert_eq!(classify(b" \n"), Body::Empty);
        assert_eq!(classify(b"<!DOCTYPE html><p>hi"), Body::Html);
        assert_eq!(classify(b"\xff\xfe\x00"), Body::Other);
        assert!(matches!(classify(b"{\"ok\":true}"), Body::Json(_)));
    }

    proptest! {
        #[test]
        fn no_body_and_no_certificate_upsets_it(bytes in proptest::collection::vec(any::<u8>(), 0..600)) {
            let _body = classify(&bytes);
            let _validity = validity(&bytes);
        }
    }
}
