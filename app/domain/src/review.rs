//! Reviews: a manager looks at what was done and signs it off, asks about it, or wants to follow it up. Nobody signs off
//! their own acts, and nothing that was said is changed: it is only followed by more.

mod alert;
mod hours;
mod odd;
mod own;
mod policy;
mod stretches;

use serde::{Deserialize, Serialize};
use uuid::Uuid;

use crate::audit::{AuditEvent, AuditOutcome, act};
use crate::person::Actor;
use crate::time::Timestamp;

pub use alert::{Known, Rule, is_new_network, marks, network};
pub use hours::OfficeHours;
pub use odd::{Around, odd};
pub use own::{Agreed, OWN, may_review};
pub use policy::{Policy, WAITS_FOR};
pub use stretches::Stretches;

/// The longest comment, and the longest answer.
pub const LONGEST: usize = 1_000;

/// What wants no review unless it was denied: whatever is not in this list does. Asking for something is no act yet, so
/// only what became of it is reviewed.
pub const ROUTINE: [&str; 22] = [
    act::SIGN_IN,
    act::SIGN_OUT,
    act::CONFIRM_IDENTITY,
    act::VIEW_CODE,
    act::DOWNLOAD_LOGS,
    act::HAND_OFF,
    act::MAIL_HAND_OFF,
    act::OPEN_HAND_OFF,
    act::REVOKE_HAND_OFF,
    act::PAIR_DEVICE,
    act::UNPAIR_DEVICE,
    act::ASK_SECOND,
    act::DECLINE,
    act::WITHDRAW,
    act::REMIND,
    act::VERIFY_AUDIT,
    act::REVIEW,
    act::ANSWER_QUESTION,
    act::ACCEPT_INVITATION,
    act::SET_UP_SECOND_FACTOR,
    act::RENEW_RECOVERY_CODES,
    act::END_SESSIONS,
];

/// Whether such an event is to be reviewed.
pub fn wants_review(action: &str, outcome: AuditOutcome) -> bool {
    match outcome {
        AuditOutcome::Requested => false,
        AuditOutcome::Denied => true,
        _ => !ROUTINE.contains(&action),
    }
}

/// What a review says.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Verdict {
    /// Seen, and fine.
    Seen,
    /// A question to a person; the event waits on.
    Question,
    /// Seen, and something is to be done about it.
    FollowUp,
}

impl Verdict {
    /// All of them.
    pub const ALL: [Self; 3] = [Self::Seen, Self::Question, Self::FollowUp];

    /// The stored word.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Seen => "seen",
            Self::Question => "question",
            Self::FollowUp => "follow-up",
        }
    }

    /// Reads [`Verdict::as_str`] back.
    pub fn parse(word: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|one| one.as_str() == word)
    }

    /// The words for people.
    pub const fn title(self) -> &'static str {
        match self {
            Self::Seen => "Seen, fine",
            Self::Question => "Question",
            Self::FollowUp => "Follow up",
        }
    }

    /// Whether an event with it waits for nobody any more.
    pub const fn settles(self) -> bool {
        matches!(self, Self::Seen | Self::FollowUp)
    }
}

/// A review as stored.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Review {
    /// Its id.
    pub id: Uuid,
    /// The events that it covers.
    pub covers: Stretches,
    /// What it says.
    pub verdict: Verdict,
    /// In the reviewer's own words.
    pub comment: Option<String>,
    /// Who is asked; only with a question.
    pub asked: Option<Asked>,
    /// Who reviewed.
    pub by: Actor,
    /// When.
    pub at: Timestamp,
    /// What was answered, oldest first.
    pub answers: Vec<Answer>,
}

/// Who is asked.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Asked {
    /// Their id.
    pub id: Uuid,
    /// Their name then.
    pub name: String,
}

/// An answer to a question.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Answer {
    /// Who answered.
    pub by: Actor,
    /// When.
    pub at: Timestamp,
    /// In their own words.
    pub text: String,
}

impl Review {
    /// Whether it counts for an event: nobody's review counts for their own acts.
    pub fn counts_for(&self, event: &AuditEvent, agreed: &Agreed) -> bool {
        self.covers.contains(event.sequence) && may_review(&self.by, event, agreed).is_ok()
    }

    /// Whether it is a question that waits for `who`.
    pub fn waits_for(&self, who: &Actor) -> bool {
        self.answers.is_empty() && self.may_answer(who).is_ok()
    }

    /// Whether somebody may answer: only the person who is asked, and as often as they want to add something.
    ///
    /// # Errors
    /// Why not, for the person.
    pub fn may_answer(&self, who: &Actor) -> Result<(), &'static str> {
        match (&self.asked, who) {
            (Some(asked), Actor::Person { id, .. }) if asked.id == *id => Ok(()),
            (Some(_), _) => Err("Only the person who is asked can answer."),
            (None, _) => Err("Nothing was asked here."),
        }
    }
}

/// Whether an event waits for a review, by the reviews of it.
pub fn waits<'a>(
    event: &AuditEvent,
    reviews: impl IntoIterator<Item = &'a Review>,
    agreed: &Agreed,
) -> bool {
    wants_review(&event.event.action, event.event.outcome)
        && !reviews
            .into_iter()
            .any(|review| review.verdict.settles() && review.counts_for(event, agreed))
}

/// A review as somebody wants to make it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Draft {
    /// The events that it covers.
    pub covers: Stretches,
    /// What it says.
    pub verdict: Verdict,
    /// In the reviewer's own words.
    pub comment: Option<String>,
    /// Who is asked.
    pub asked: Option<Asked>,
}

/// What is wrong with one field of a review.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct BadField {
    /// Its name.
    pub field: &'static str,
    /// What is wrong and what helps.
    pub why: &'static str,
}

impl Draft {
    /// What was filled in, when it makes sense.
    ///
    /// # Errors
    /// What does not.
    pub fn new(
        covers: Stretches,
        verdict: Verdict,
        comment: Option<String>,
        asked: Option<Asked>,
    ) -> Result<Self, BadField> {
        let bad = |field, why| Err(BadField { field, why });
        if covers.count() == 0 {
            return bad("covers", "There is nothing to review.");
        }
        match verdict {
            Verdict::Question if comment.is_none() => {
                bad("comment", "Write what you want to know.")
            }
            Verdict::Question if asked.is_none() => bad("asked", "Choose who is asked."),
            Verdict::FollowUp if comment.is_none() => bad("comment", "Write what is to be done."),
            _ => Ok(Self {
                covers,
                verdict,
                comment,
                asked: asked.filter(|_| verdict == Verdict::Question),
            }),
        }
    }
}

#[cfg(test)]
mod tests;
