//! Takes secrets out of text before it is kept or shown.

use std::sync::{Arc, PoisonError, RwLock, RwLockReadGuard};

/// What stands where a secret was.
pub const MASK: &str = "[hidden]";

/// Shorter values are not hidden: replacing them would tear ordinary text apart.
const SHORTEST: usize = 6;

/// Replaces known secrets and whatever looks like one. Clones share what they know.
#[derive(Clone, Default)]
pub struct Scrubber {
    known: Arc<RwLock<Vec<String>>>,
}

impl core::fmt::Debug for Scrubber {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        write!(f, "Scrubber({} known)", self.known().len())
    }
}

impl Scrubber {
    /// A scrubber that also knows these values. Values under six characters are ignored: replacing
    /// them would tear ordinary text apart.
    pub fn new(known: impl IntoIterator<Item = String>) -> Self {
        let scrubber = Self::default();
        for value in known {
            scrubber.learn(&value);
        }
        scrubber
    }

    /// Knows this value, too, from now on.
    pub fn learn(&self, value: &str) {
        if value.len() < SHORTEST {
            return;
        }
        let mut known = self.known.write().unwrap_or_else(PoisonError::into_inner);
        if known.iter().any(|other| other == value) {
            return;
        }
        // The longest first: one may be a part of another.
        let at = known.partition_point(|other| other.len() >= value.len());
        known.insert(at, value.to_owned());
    }

    fn known(&self) -> RwLockReadGuard<'_, Vec<String>> {
        self.known.read().unwrap_or_else(PoisonError::into_inner)
    }

    /// The text without secrets.
    pub fn scrub(&self, text: &str) -> String {
        let mut text = text.to_owned();
        for secret in self.known().iter() {
            if text.contains(secret.as_str()) {
                text = text.replace(secret.as_str(), MASK);
            }
        }
        scrub_patterns(&text)
    }
}

/// Words before `=` or `:` that announce a secret.
const ANNOUNCING: [&str; 10] = [
    "token",
    "secret",
    "password",
    "passwd",
    "api_key",
    "apikey",
    "api-key",
    "authorization",
    "cookie",
    "private_key",
];

fn scrub_patterns(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    let mut masks_next = false;
    for piece in text.split_inclusive(|c: char| c.is_whitespace() || matches!(c, ',' | '&' | ';')) {
        let word =
            piece.trim_end_matches(|c: char| c.is_whitespace() || matches!(c, ',' | '&' | ';'));
        let tail = &piece[word.len()..];
        let lower = word.to_ascii_lowercase();
        if masks_next && !word.is_empty() {
            if lower == "bearer" || lower == "basic" {
                out.push_str(piece);
                continue;
            }
            masks_next = false;
            if word.len() >= 6 {
                out.push_str(MASK);
                out.push_str(tail);
                continue;
            }
        }
        if lower == "bearer" {
            masks_next = true;
            out.push_str(piece);
            continue;
        }
        match announced(word, &lower) {
            Some((kept, "")) => {
                masks_next = true;
                out.push_str(kept);
            }
            Some((kept, _)) => {
                out.push_str(kept);
                out.push_str(MASK);
            }
            None if looks_like_key(word) => out.push_str(MASK),
            None => out.push_str(word),
        }
        out.push_str(tail);
    }
    out
}

/// Splits `OPENCLAW_TOKEN=value` or `"token":"value"` into what may stay and the value.
fn announced<'a>(word: &'a str, lower: &str) -> Option<(&'a str, &'a str)> {
    let at = word.find(['=', ':'])?;
    let name = &lower[..at];
    if word[at..].starts_with("://") || !ANNOUNCING.iter().any(|known| name.contains(known)) {
        return None;
    }
    let (kept, value) = word.split_at(at + 1);
    let quote = value.len() - value.trim_start_matches(['"', '\'']).len();
    Some((&word[..kept.len() + quote], &value[quote..]))
}

/// 32 hexadecimal digits or more that are no digest, or a JSON web token.
fn looks_like_key(word: &str) -> bool {
    let bare = word.trim_matches(|c: char| !c.is_ascii_alphanumeric());
    let hex = bare.len() >= 32 && bare.bytes().all(|b| b.is_ascii_hexdigit());
    let token = bare.starts_with("eyJ") && bare.matches('.').count() == 2;
    // WhatsApp's linking code carries a secret; it must never be kept.
    hex || token || word.contains("wa.me/settings/linked_devices")
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn known_values_and_announced_ones_are_hidden() {
        let scrubber = Scrubber::new(["s3cr3t-value".to_owned()]);
        for (given, kept) in [
            ("key is s3cr3t-value.", "key is [hidden]."),
            (
                "Authorization: Bearer abcdef123456 ok",
                "Authorization: Bearer [hidden] ok",
            ),
            (
                "OPENCLAW_GATEWAY_TOKEN=abcdefgh next",
                "OPENCLAW_GATEWAY_TOKEN=[hidden] next",
            ),
            (
                "{\"password\":\"hunter22\",\"a\":1}",
                "{\"password\":\"[hidden],\"a\":1}",
            ),
            ("0123456789abcdef0123456789abcdef01", "[hidden]"),
            (
                "https://example.org/token:// fine",
                "https://example.org/token:// fine",
            ),
            ("restarted in 31 s", "restarted in 31 s"),
        ] {
            assert_eq!(scrubber.scrub(given), kept, "{given}");
        }
    }

    #[test]
    fn what_is_learned_later_is_hidden_by_every_clone() {
        let scrubber = Scrubber::new(["s3cr3t-value".to_owned()]);
        let clone = scrubber.clone();
        scrubber.learn("s3cr3t-value-2");
        scrubber.learn("short");
        assert_eq!(
            clone.scrub("a s3cr3t-value-2 b s3cr3t-value short"),
            "a [hidden] b [hidden] short"
        );
    }

    #[test]
    fn an_image_digest_stays_readable() {
        let digest = "sha256:0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef";
        assert_eq!(Scrubber::default().scrub(digest), digest);
    }

    proptest! {
        #[test]
        fn a_known_secret_never_survives(before in ".{0,40}", secret in "[a-zA-Z0-9/+]{8,40}", after in ".{0,40}") {
            let scrubber = Scrubber::new([secret.clone()]);
            let scrubbed = scrubber.scrub(&format!("{before}{secret}{after}"));
            prop_assert!(!scrubbed.contains(&secret));
        }
    }
}
