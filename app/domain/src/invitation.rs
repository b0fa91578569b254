//! One-time links by which people choose their password.

use core::time::Duration;

use crate::time::Timestamp;

/// How long a link opens.
pub const OPEN_FOR: Duration = Duration::from_secs(24 * 3_600);

/// What a link is for, as its page says it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Invitation {
    /// Whose password is chosen; `None` for the first admin, who chooses a name, too.
    pub name: Option<String>,
    /// Until when it opens.
    pub until: Timestamp,
    /// Whether it was used.
    pub used: bool,
}

/// What is wrong with what was chosen, as the page says it: a word in its URL, never a text that somebody could put
/// there.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Wrong {
    /// The name cannot be used.
    Name,
    /// Somebody has it.
    Taken,
    /// The password is too short.
    Short,
    /// It is easy to guess.
    Easy,
    /// It was not typed twice the same.
    Again,
}

impl Wrong {
    /// All of them.
    pub const ALL: [Self; 5] = [
        Self::Name,
        Self::Taken,
        Self::Short,
        Self::Easy,
        Self::Again,
    ];

    /// The word in the URL.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Name => "name",
            Self::Taken => "taken",
            Self::Short => "short",
            Self::Easy => "easy",
            Self::Again => "again",
        }
    }

    /// Reads [`Wrong::as_str`] back.
    pub fn parse(word: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|wrong| wrong.as_str() == word)
    }

    /// The field that it is said beside.
    pub const fn field(self) -> &'static str {
        match self {
            Self::Name | Self::Taken => "name",
            Self::Short | Self::Easy => "password",
            Self::Again => "again",
        }
    }

    /// What is said.
    pub const fn sentence(self) -> &'static str {
        match self {
            Self::Name => "Use 2 to 40 letters, digits, `.`, `-` or `_` for the name.",
            Self::Taken => "There is somebody of that name already. Choose another name.",
            Self::Short => "Use at least 12 characters for the password.",
            Self::Easy => {
                "This password is easy to guess. Take four or more words that do not belong together, or let a \
                 password manager make one."
            }
            Self::Again => "The two passwords are not the same.",
        }
    }
}

impl Invitation {
    /// Why it does not open now, if it does not.
    pub fn against(&self, now: Timestamp) -> Option<&'static str> {
        if self.used {
            Some(
                "This link was used already. Sign in with the password that was chosen, or ask an admin for a new link.",
            )
        } else if self.until <= now {
            Some("This link is too old. Ask an admin for a new one.")
        } else {
            None
        }
    }
}
