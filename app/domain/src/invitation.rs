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
    /// Why it opens nothing although nobody has used it and its time is not over.
    pub overtaken: Option<Overtaken>,
}

/// What happened to a link before it was used.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Overtaken {
    /// Whoever it is for is kept out.
    KeptOut,
    /// It is for the first admin, and somebody was added by another way.
    NotTheFirst,
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
    /// It is too long.
    Long,
    /// It is easy to guess.
    Easy,
    /// It was not typed twice the same.
    Again,
}

impl Wrong {
    /// All of them.
    pub const ALL: [Self; 6] = [
        Self::Name,
        Self::Taken,
        Self::Short,
        Self::Long,
        Self::Easy,
        Self::Again,
    ];

    /// The word in the URL.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Name => "name",
            Self::Taken => "taken",
            Self::Short => "short",
            Self::Long => "long",
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
            Self::Short | Self::Long | Self::Easy => "password",
            Self::Again => "again",
        }
    }

    /// What is said.
    pub const fn sentence(self) -> &'static str {
        match self {
            Self::Name => "Use 2 to 40 letters, digits, `.`, `-` or `_` for the name.",
            Self::Taken => "There is somebody of that name already. Choose another name.",
            Self::Short => "Use at least 12 characters for the password.",
            Self::Long => "Use at most 1,000 letters for the password.",
            Self::Easy => {
                "This password is easy to guess. Take four or more words that do not belong together, or let a \
                 password manager make one."
            }
            Self::Again => "The two passwords are not the same.",
        }
    }
}

impl Overtaken {
    const fn sentence(self) -> &'static str {
        match self {
            Self::KeptOut => {
                "An admin keeps you out at the moment, so this link opens nothing. Ask them to let you in again."
            }
            Self::NotTheFirst => {
                "Somebody was added by another way already, so this link makes no admin any more. Ask them for a link \
                 of your own."
            }
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
            self.overtaken.map(Overtaken::sentence)
        }
    }
}
