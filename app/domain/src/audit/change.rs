//! What an act changed: one value before and after. A secret has no place here.

use serde::{Deserialize, Serialize};

/// One thing that an act changed. Values are given as text that may be read by whoever reads the trail: a
/// [`SecretString`](secrecy::SecretString) is none, so that a secret has only [`Change::hidden`].
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Change {
    what: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    before: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    after: Option<String>,
    #[serde(default, skip_serializing_if = "is_shown")]
    hidden: bool,
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde asks for it")]
fn is_shown(hidden: &bool) -> bool {
    !hidden
}

impl Change {
    /// From one value to another; `None` where there was or is none.
    pub fn new(what: &str, before: Option<&str>, after: Option<&str>) -> Self {
        Self {
            what: what.to_owned(),
            before: before.map(str::to_owned),
            after: after.map(str::to_owned),
            hidden: false,
        }
    }

    /// A secret was changed: only that it was.
    pub fn hidden(what: &str) -> Self {
        Self {
            what: what.to_owned(),
            before: None,
            after: None,
            hidden: true,
        }
    }

    /// What was changed: `role`, `owner`.
    pub fn what(&self) -> &str {
        &self.what
    }

    /// The value before.
    pub fn before(&self) -> Option<&str> {
        self.before.as_deref()
    }

    /// The value after.
    pub fn after(&self) -> Option<&str> {
        self.after.as_deref()
    }

    /// Whether the values are not told.
    pub fn is_hidden(&self) -> bool {
        self.hidden
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_there_is_none_of_is_left_out_and_a_secret_is_only_named() {
        let json = |change: &Change| serde_json::to_string(change).unwrap();
        let role = Change::new("role", Some("viewer"), Some("operator"));
        assert_eq!(
            json(&role),
            r#"{"what":"role","before":"viewer","after":"operator"}"#
        );
        let owner = Change::new("owner", None, Some("otto"));
        assert_eq!(json(&owner), r#"{"what":"owner","after":"otto"}"#);
        let password = Change::hidden("password");
        assert_eq!(json(&password), r#"{"what":"password","hidden":true}"#);
        for change in [role, owner, password] {
            let read: Change = serde_json::from_str(&json(&change)).unwrap();
            assert_eq!(read, change);
        }
    }
}
