//! Lines of the gateway's log, scrubbed.

mod numbers;
mod reading;

use serde::{Deserialize, Serialize};

pub use numbers::without_numbers;
pub use reading::{Mark, Missed, Reading, Seam};

use crate::time::Timestamp;

/// How loud a line is, guessed from its text.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Level {
    /// Error or fatal.
    Error,
    /// Warning.
    Warn,
    /// Everything else.
    Info,
    /// Debug or trace.
    Debug,
}

/// One line of the container's output. Secrets are replaced before it is built.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct LogLine {
    /// When Docker received it.
    pub at: Option<Timestamp>,
    /// How loud.
    pub level: Level,
    /// The text, without terminal colour codes.
    pub text: String,
}

impl Level {
    /// Guesses the level from a line, plain or JSON.
    pub fn guess(line: &str) -> Self {
        let head: String = line
            .chars()
            .take(160)
            .collect::<String>()
            .to_ascii_lowercase();
        let says = |words: &[&str]| words.iter().any(|word| contains_word(&head, word));
        if says(&["error", "fatal", "failed", "panic", "uncaught"]) {
            Self::Error
        } else if says(&["warn", "warning"]) {
            Self::Warn
        } else if says(&["debug", "trace"]) {
            Self::Debug
        } else {
            Self::Info
        }
    }

    /// The word used for classes and filters.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Error => "error",
            Self::Warn => "warn",
            Self::Info => "info",
            Self::Debug => "debug",
        }
    }
}

fn contains_word(text: &str, word: &str) -> bool {
    text.match_indices(word).any(|(at, _)| {
        let before = text[..at].chars().next_back();
        let after = text[at + word.len()..].chars().next();
        !before.is_some_and(char::is_alphanumeric) && !after.is_some_and(char::is_alphanumeric)
    })
}

/// Removes terminal colour codes (`ESC [ … letter`) and other control characters but tabs.
pub fn plain(line: &str) -> String {
    let mut text = String::with_capacity(line.len());
    let mut characters = line.chars().peekable();
    while let Some(c) = characters.next() {
        if c == '\u{1b}' {
            if characters.peek() == Some(&'[') {
                characters.next();
                while characters.next().is_some_and(|c| !c.is_ascii_alphabetic()) {}
            }
        } else if c == '\t' || !c.is_control() {
            text.push(c);
        }
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_level_is_a_whole_word() {
        assert_eq!(Level::guess("[gateway] ERROR: cannot bind"), Level::Error);
        assert_eq!(Level::guess("loaded terrors.json"), Level::Info);
        assert_eq!(Level::guess("{\"level\":\"warn\",\"m\":1}"), Level::Warn);
    }

    #[test]
    fn colour_codes_are_removed() {
        assert_eq!(plain("\u{1b}[31mred\u{1b}[0m\ttab"), "red\ttab");
        assert_eq!(plain("\u{1b}[31"), "");
    }
}
