//! `channels.status` as accounts. Fields as seen on 2026.3.31 to 2026.9.6; older versions leave some
//! out, so that nothing but the account's id is indispensable.

use std::collections::BTreeMap;

use domain::fact::{Account, Disconnect};
use domain::gateway::AccountId;
use domain::scrub::Scrubber;
use domain::time::Timestamp;
use serde_json::{Map, Value};

/// The name of the channel.
pub const CHANNEL: &str = "whatsapp";

/// More accounts than this are not read.
const MOST_ACCOUNTS: usize = 200;
const LONGEST_ERROR: usize = 500;

/// The answer is no `channels.status`.
#[derive(Debug, thiserror::Error)]
#[error("the gateway answered channels.status with something that holds no channels")]
pub struct BadStatus;

/// The WhatsApp accounts in the answer; `None` when there is no such channel (plugin missing).
pub fn accounts(payload: &Value, scrubber: &Scrubber) -> Result<Option<Vec<Account>>, BadStatus> {
    let lists = payload.get("channelAccounts").and_then(Value::as_object);
    let channels = payload.get("channels").and_then(Value::as_object);
    if lists.is_none() && channels.is_none() {
        return Err(BadStatus);
    }
    let list = lists
        .and_then(|it| it.get(CHANNEL))
        .and_then(Value::as_array);
    let channel = channels
        .and_then(|it| it.get(CHANNEL))
        .and_then(Value::as_object);
    if list.is_none() && channel.is_none() {
        return Ok(None);
    }
    let default = payload
        .pointer("/channelDefaultAccountId/whatsapp")
        .and_then(Value::as_str)
        .unwrap_or("default");
    let empty = Map::new();
    let mut found = BTreeMap::new();
    for entry in list.into_iter().flatten().filter_map(Value::as_object) {
        let id = entry.get("accountId").and_then(Value::as_str);
        let Some(id) = id.and_then(|id| id.parse::<AccountId>().ok()) else {
            continue;
        };
        if found.len() == MOST_ACCOUNTS {
            break;
        }
        // Number and age of the credentials of the default account stand with the channel only.
        let more = if id.as_str() == default {
            channel
        } else {
            None
        };
        let fields = Fields {
            own: entry,
            more: more.unwrap_or(&empty),
        };
        found.insert(id.clone(), account(id, &fields, scrubber));
    }
    // A version that lists no accounts still describes the default one.
    if found.is_empty()
        && list.is_none()
        && let (Some(channel), Ok(id)) = (channel, default.parse::<AccountId>())
    {
        let fields = Fields {
            own: channel,
            more: &empty,
        };
        found.insert(id.clone(), account(id, &fields, scrubber));
    }
    Ok(Some(found.into_values().collect()))
}

/// The account's own fields first, then those of the channel.
struct Fields<'a> {
    own: &'a Map<String, Value>,
    more: &'a Map<String, Value>,
}

impl<'a> Fields<'a> {
    fn get(&self, name: &str) -> Option<&'a Value> {
        let there = |map: &'a Map<String, Value>| map.get(name).filter(|value| !value.is_null());
        there(self.own).or_else(|| there(self.more))
    }

    fn is(&self, name: &str) -> Option<bool> {
        self.get(name).and_then(Value::as_bool)
    }

    fn text(&self, name: &str) -> Option<&'a str> {
        self.get(name).and_then(Value::as_str)
    }

    fn moment(&self, name: &str) -> Option<Timestamp> {
        self.get(name).and_then(moment)
    }
}

fn account(id: AccountId, fields: &Fields<'_>, scrubber: &Scrubber) -> Account {
    let error = fields.text("lastError").filter(|text| !text.is_empty());
    Account {
        id,
        enabled: fields.is("enabled").unwrap_or(true),
        // Seen on 2026.3.31: `configured` is absent there; a linked account is set up.
        configured: fields
            .is("configured")
            .unwrap_or_else(|| fields.is("linked").unwrap_or(false)),
        linked: fields.is("linked").unwrap_or(false),
        running: fields.is("running").unwrap_or(false),
        connected: fields.is("connected").unwrap_or(false),
        phone: fields
            .get("self")
            .and_then(|it| it.get("e164"))
            .and_then(Value::as_str)
            .filter(|number| is_number(number))
            .map(str::to_owned),
        connected_at: fields.moment("lastConnectedAt"),
        reconnect_attempts: fields
            .get("reconnectAttempts")
            .and_then(whole)
            .and_then(|count| u32::try_from(count).ok())
            .unwrap_or(0),
        last_disconnect: fields.get("lastDisconnect").and_then(disconnect),
        breaker_tripped: error.is_some_and(|text| text.contains("restart-loop breaker")),
        last_error: error.map(|text| scrubber.scrub(&clipped(text, LONGEST_ERROR))),
        last_inbound_at: fields
            .moment("lastInboundAt")
            .or_else(|| fields.moment("lastMessageAt")),
        last_outbound_at: fields.moment("lastOutboundAt"),
        credential_age_ms: fields
            .get("authAgeMs")
            .or_else(|| fields.get("authAge"))
            .and_then(whole),
        health_state: fields
            .text("healthState")
            .or_else(|| fields.text("stateReason"))
            .map(|word| clipped(word, 60)),
    }
}

/// `{at, status?, error?, loggedOut?}`; some versions give a text, which tells nothing to decide by.
fn disconnect(value: &Value) -> Option<Disconnect> {
    let fields = value.as_object()?;
    let code = fields
        .get("status")
        .and_then(whole)
        .and_then(|code| u16::try_from(code).ok());
    Some(Disconnect {
        code,
        at: fields.get("at").and_then(moment),
        logged_out: fields
            .get("loggedOut")
            .and_then(Value::as_bool)
            .unwrap_or(code == Some(401)),
    })
}

fn moment(value: &Value) -> Option<Timestamp> {
    let millis = i64::try_from(whole(value)?).ok()?;
    (millis > 0).then_some(Timestamp::from_millis(millis))
}

/// A whole number that is not negative; the gateway writes some with a fraction (`authAgeMs` 415.5).
#[expect(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    clippy::cast_precision_loss,
    reason = "bounds are checked, the fraction is meant to go"
)]
pub(crate) fn whole(value: &Value) -> Option<u64> {
    value.as_u64().or_else(|| {
        value
            .as_f64()
            .filter(|number| (0.0..i64::MAX as f64).contains(number))
            .map(|number| number as u64)
    })
}

fn is_number(text: &str) -> bool {
    text.len() <= 20
        && text
            .strip_prefix('+')
            .is_some_and(|digits| !digits.is_empty() && digits.bytes().all(|b| b.is_ascii_digit()))
}

/// At most `most` characters, on one line.
pub(crate) fn clipped(text: &str, most: usize) -> String {
    text.chars()
        .map(|c| if c.is_control() { ' ' } else { c })
        .take(most)
        .collect()
}

#[cfg(test)]
mod tests;
