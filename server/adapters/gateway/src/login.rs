//! `web.login.start` and `web.login.wait`: a link by a scan.
//!
//! Seen on 2026.9.6: answers are `ok:true` whatever happened; a code comes as `qrDataUrl`, a link as
//! `connected:true`, a failure as nothing but a `message`. Other keys than the documented ones are
//! refused. A wait without `currentQrDataUrl` is not told of newer codes. `timeoutMs` has a floor of 5 s
//! for a start and of 1 s for a wait.

use std::time::Duration;

use domain::fault::Fault;
use domain::gateway::AccountId;
use domain::ports::LoginAnswer;
use domain::scan::Code;
use secrecy::SecretString;
use serde_json::{Value, json};

use crate::link::GatewayLink;
use crate::qr;
use crate::status::{CHANNEL, clipped};

pub(crate) const START: &str = "web.login.start";
pub(crate) const WAIT: &str = "web.login.wait";

/// How long the gateway may wait for WhatsApp's first code.
const CODE_LIMIT: Duration = Duration::from_secs(20);
/// What an answer may take beyond the limit it was asked for.
const LATENCY: Duration = Duration::from_secs(10);
/// A picture is some 5 kB; a message a sentence.
const LONGEST_PICTURE: usize = 256 * 1024;
const LONGEST_MESSAGE: usize = 300;

/// Never with `force`: that deletes credentials that may work.
pub(crate) async fn start(link: &GatewayLink, account: &AccountId) -> Result<LoginAnswer, Fault> {
    let params = json!({
        "channel": CHANNEL,
        "accountId": account.as_str(),
        "timeoutMs": millis(CODE_LIMIT),
    });
    let payload = link.call(START, params, CODE_LIMIT + LATENCY).await?;
    Ok(answer(&payload))
}

pub(crate) async fn wait(
    link: &GatewayLink,
    account: &AccountId,
    shown: Option<&Code>,
    limit: Duration,
) -> Result<LoginAnswer, Fault> {
    let mut params = json!({
        "channel": CHANNEL,
        "accountId": account.as_str(),
        "timeoutMs": millis(limit),
    });
    if let Some(shown) = shown {
        params["currentQrDataUrl"] = json!(shown.image());
    }
    let payload = link.call(WAIT, params, limit + LATENCY).await?;
    Ok(answer(&payload))
}

fn millis(limit: Duration) -> u64 {
    u64::try_from(limit.as_millis()).unwrap_or(u64::MAX)
}

fn answer(payload: &Value) -> LoginAnswer {
    let text = |name: &str| payload.get(name).and_then(Value::as_str);
    let image = text("qrDataUrl").filter(|image| image.len() <= LONGEST_PICTURE);
    LoginAnswer {
        code: image.map(|image| Code::new(SecretString::from(image), qr::picture(image))),
        connected: payload.get("connected").and_then(Value::as_bool) == Some(true),
        message: clipped(
            text("message").unwrap_or("It gave no reason."),
            LONGEST_MESSAGE,
        ),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn answers_are_read_by_their_fields() {
        let linked = answer(&json!({"connected": true, "message": "✅ Linked!"}));
        assert!(linked.connected && linked.code.is_none());
        let failed = answer(&json!({"message": "WhatsApp login failed: Connection Terminated"}));
        assert!(!failed.connected && failed.code.is_none());
        assert!(failed.message.contains("Terminated"));
        let showing =
            answer(&json!({"qrDataUrl": "data:image/png;base64,AAAA", "message": "Scan"}));
        assert_eq!(showing.code.unwrap().image(), "data:image/png;base64,AAAA");
        assert_eq!(answer(&json!(null)).message, "It gave no reason.");
    }

    #[test]
    fn a_picture_beyond_all_measure_is_no_code() {
        let image = format!("data:image/png;base64,{}", "A".repeat(LONGEST_PICTURE));
        assert_eq!(answer(&json!({ "qrDataUrl": image })).code, None);
    }
}
