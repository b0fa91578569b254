//! How hard a password is to guess.

use serde::Serialize;

/// Fewer characters are too short for a password that people choose.
pub const SHORTEST: usize = 12;

/// How hard it is to guess, from the number of guesses after which it is found.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Strength {
    /// Too short; not looked at further.
    Short,
    /// A slow attack at the door gets there: refused.
    Easy,
    /// Taken.
    Fair,
    /// Taken, and out of reach also for whoever has its hash.
    Strong,
}

impl Strength {
    /// Of what takes a guesser ten to the power of so many guesses. Below eight is what zxcvbn calls at most "somewhat
    /// guessable", and from ten on "very unguessable".
    pub fn of(guesses_log10: f64) -> Self {
        match guesses_log10 {
            few if few < 8.0 => Self::Easy,
            some if some < 10.0 => Self::Fair,
            _ => Self::Strong,
        }
    }
}

/// What is said of a password while it is typed.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Judged {
    /// How hard it is to guess.
    pub strength: Strength,
    /// In a sentence.
    pub said: String,
}

impl Judged {
    /// Of one that has so many characters.
    pub fn short(characters: usize) -> Self {
        let missing = SHORTEST.saturating_sub(characters);
        let missing = crate::words::count(missing as u64, "more character", "more characters");
        Self {
            strength: Strength::Short,
            said: format!("Too short: {missing}."),
        }
    }

    /// Of one that is long enough; `why` is what a guesser would try, a sentence or nothing.
    pub fn of(strength: Strength, why: &str) -> Self {
        let said = match strength {
            Strength::Short | Strength::Easy => format!("Easy to guess. {why}"),
            Strength::Fair => "Good enough.".to_owned(),
            Strength::Strong => "Hard to guess.".to_owned(),
        };
        Self {
            strength,
            said: said.trim_end().to_owned(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_typed_is_judged_in_a_sentence() {
        assert_eq!(Judged::short(11).said, "Too short: 1 more character.");
        assert_eq!(Judged::short(2).said, "Too short: 10 more characters.");
        let easy = Judged::of(Strength::of(7.9), "This is a common password.");
        assert_eq!(easy.said, "Easy to guess. This is a common password.");
        assert_eq!(Judged::of(Strength::Easy, "").said, "Easy to guess.");
        assert_eq!(Strength::of(8.0), Strength::Fair);
        assert_eq!(Strength::of(10.0), Strength::Strong);
    }
}
