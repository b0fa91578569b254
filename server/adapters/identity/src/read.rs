//! From claims to what the panel wants to know.

use domain::identity::{Claims, Subject};
use domain::time::Timestamp;
use serde_json::Value;

use crate::{More, Token};

/// The most groups that are looked at.
const GROUPS: usize = 1_000;

/// Whether the token says all that is needed.
pub(crate) fn is_enough(token: &Token, groups: &str) -> bool {
    let named = token.preferred_username().is_some() || token.email().is_some();
    named && token.additional_claims().all.contains_key(groups)
}

/// What the provider says: in the token, and else where it tells more.
pub(crate) fn said(token: &Token, more: Option<&More>, groups: &str) -> Claims {
    let name = token.preferred_username();
    let name = name.or_else(|| more.and_then(|more| more.preferred_username()));
    let in_token = (token.email(), token.email_verified());
    let told = more.map(|more| (more.email(), more.email_verified()));
    // An address with what is said of that same address.
    let (mail, mail_verified) = match (in_token, told) {
        ((Some(mail), Some(verified)), _) => (Some(mail), Some(verified)),
        ((Some(mail), None), Some((Some(told), verified))) if mail == told => {
            (Some(mail), verified)
        }
        ((Some(mail), None), _) => (Some(mail), None),
        ((None, _), Some((mail, verified))) => (mail, verified),
        ((None, _), None) => (None, None),
    };
    let listed = token.additional_claims().all.get(groups);
    let listed = listed.or_else(|| more.and_then(|more| more.additional_claims().all.get(groups)));
    let proved_at = token.auth_time();
    Claims {
        subject: Subject {
            issuer: token.issuer().as_str().to_owned(),
            id: token.subject().as_str().to_owned(),
        },
        preferred_username: name.map(|name| name.as_str().to_owned()),
        mail: mail.map(|mail| mail.as_str().to_owned()),
        mail_verified,
        groups: listed.map(list).unwrap_or_default(),
        proved_at: proved_at.map(|at| Timestamp::from_millis(at.timestamp_millis())),
    }
}

/// A list of words, or one word.
fn list(groups: &Value) -> Vec<String> {
    match groups {
        Value::String(one) => vec![one.clone()],
        Value::Array(all) => {
            let all = all.iter().take(GROUPS).filter_map(Value::as_str);
            all.map(str::to_owned).collect()
        }
        _ => Vec::new(),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn groups_are_a_list_of_words_or_one_word_and_nothing_else() {
        assert_eq!(list(&json!(["ops", 7, "staff"])), ["ops", "staff"]);
        assert_eq!(list(&json!("ops")), ["ops"]);
        for strange in [json!({"ops": true}), json!(null), json!(true)] {
            assert!(list(&strange).is_empty(), "{strange}");
        }
    }
}
