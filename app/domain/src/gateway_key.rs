//! The gateway's key: where it is written down, and which doors of the gateway take it.

use serde::{Deserialize, Serialize};

use crate::credential::Fingerprint;
use crate::operation::OperationId;

/// The line of `.env` that holds the key.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct KeyLine {
    /// The file: `/opt/p24-infra/openclaw/.env`.
    pub file: String,
    /// The variable: `OPENCLAW_API_KEY`.
    pub variable: String,
    /// Of the key that stands there.
    pub fingerprint: Fingerprint,
    /// What a rotation does on the way, or what is odd, in sentences: `The file may be read by others (mode 0644); it
    /// becomes 0600.`
    pub notices: Vec<String>,
}

/// Which key comes into `.env`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum NextKey {
    /// A new one, of random bytes.
    Random,
    /// The one that this operation replaced, as long as it is kept.
    Before(OperationId),
}

/// Which key is tried.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum WhichKey {
    /// The one in `.env`.
    Present,
    /// The one that this operation replaced.
    Previous(OperationId),
}

/// A way into the gateway that asks for the key.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Door {
    /// HTTP, where the panel reaches the process.
    InternalHttp,
    /// The socket, there.
    InternalSocket,
    /// HTTP through the public URL.
    PublicHttp,
    /// The socket through the public URL.
    PublicSocket,
}

impl Door {
    /// Every door, the nearest first.
    pub const ALL: [Self; 4] = [
        Self::InternalHttp,
        Self::InternalSocket,
        Self::PublicHttp,
        Self::PublicSocket,
    ];

    /// As a clause's object: `HTTP at the internal URL`.
    pub const fn words(self) -> &'static str {
        match self {
            Self::InternalHttp => "HTTP at the internal URL",
            Self::InternalSocket => "the socket at the internal URL",
            Self::PublicHttp => "HTTP at the public URL",
            Self::PublicSocket => "the socket at the public URL",
        }
    }

    /// Whether the process itself stands behind it, and no proxy.
    pub const fn is_internal(self) -> bool {
        matches!(self, Self::InternalHttp | Self::InternalSocket)
    }
}

/// What a door made of a key.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Answer {
    /// It takes it.
    Takes,
    /// It refuses it.
    Refuses,
    /// It could not be told; why, in a sentence.
    Untold(String),
}

/// A door that was tried.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Tried {
    /// Which.
    pub door: Door,
    /// What it made of the key.
    pub answer: Answer,
}

/// The doors with this answer, in words: `HTTP at the internal URL, the socket at the internal URL`.
pub fn those(tried: &[Tried], wanted: impl Fn(&Answer) -> bool) -> Option<String> {
    let doors: Vec<&str> = tried
        .iter()
        .filter(|tried| wanted(&tried.answer))
        .map(|tried| tried.door.words())
        .collect();
    (!doors.is_empty()).then(|| doors.join(", "))
}

/// Whether a rotation reached the process: the new key is taken and the old one refused at every door that could be asked
/// `before`, at the internal ones in any case. What could not be told at the others is in the sentences.
///
/// # Errors
/// What is not so, in a sentence.
pub fn proof(before: &[Tried], new: &[Tried], old: &[Tried]) -> Result<Vec<String>, String> {
    let mut said = Vec::new();
    for door in Door::ALL {
        let of = |tried: &[Tried]| {
            let found = tried.iter().find(|one| one.door == door);
            found.map(|one| one.answer.clone())
        };
        let needed = door.is_internal() || of(before) == Some(Answer::Takes);
        let place = door.words();
        match (of(new), of(old)) {
            (Some(Answer::Refuses), _) => {
                return Err(format!("The key of .env is refused by {place}."));
            }
            (_, Some(Answer::Takes)) => {
                return Err(format!("The key before it is still taken by {place}."));
            }
            (Some(Answer::Takes), Some(Answer::Refuses)) => {
                said.push(format!(
                    "The key of .env is taken and the one before it refused by {place}."
                ));
            }
            (Some(Answer::Untold(why)), _) | (_, Some(Answer::Untold(why))) if needed => {
                return Err(format!("It could not be proved at {place}: {why}"));
            }
            (Some(Answer::Untold(why)), _) | (_, Some(Answer::Untold(why))) => {
                said.push(format!(
                    "Not proved at {place}, as little as before the change: {why}"
                ));
            }
            (None, _) | (_, None) if needed => {
                return Err(format!("It was not proved at {place}."));
            }
            (None, _) | (_, None) => {}
        }
    }
    Ok(said)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn all(answer: &Answer) -> Vec<Tried> {
        Door::ALL
            .into_iter()
            .map(|door| Tried {
                door,
                answer: answer.clone(),
            })
            .collect()
    }

    fn but(mut tried: Vec<Tried>, door: Door, answer: Answer) -> Vec<Tried> {
        for one in &mut tried {
            if one.door == door {
                one.answer = answer.clone();
            }
        }
        tried
    }

    #[test]
    fn both_keys_must_be_answered_everywhere() {
        let (takes, refuses) = (all(&Answer::Takes), all(&Answer::Refuses));
        assert_eq!(proof(&takes, &takes, &refuses).unwrap().len(), 4);
        for door in Door::ALL {
            let new = but(takes.clone(), door, Answer::Refuses);
            assert!(
                proof(&takes, &new, &refuses)
                    .unwrap_err()
                    .contains("key of .env is refused")
            );
            let old = but(refuses.clone(), door, Answer::Takes);
            assert!(
                proof(&takes, &takes, &old)
                    .unwrap_err()
                    .contains("before it is still taken")
            );
            let silent = Answer::Untold("It is away.".to_owned());
            let new = but(takes.clone(), door, silent.clone());
            assert!(
                proof(&takes, &new, &refuses)
                    .unwrap_err()
                    .contains("It is away.")
            );
            let old = but(refuses.clone(), door, silent);
            assert!(proof(&takes, &takes, &old).is_err());
        }
        assert!(proof(&takes, &[], &[]).is_err());
    }

    #[test]
    fn a_public_url_that_said_nothing_before_is_not_needed() {
        let silent = Answer::Untold("The panel cannot reach it.".to_owned());
        let before = but(all(&Answer::Takes), Door::PublicHttp, silent.clone());
        let new = but(all(&Answer::Takes), Door::PublicHttp, silent.clone());
        let old = but(all(&Answer::Refuses), Door::PublicHttp, silent.clone());
        let said = proof(&before, &new, &old).unwrap();
        assert!(
            said.iter()
                .any(|line| line.starts_with("Not proved at HTTP at the public URL"))
        );
        // A door of the process itself is needed, whatever it said before.
        let before = but(all(&Answer::Takes), Door::InternalHttp, silent.clone());
        let new = but(all(&Answer::Takes), Door::InternalHttp, silent);
        assert!(proof(&before, &new, &all(&Answer::Refuses)).is_err());
    }
}
