//! People who sign in by an identity provider (OpenID Connect): what it says of somebody, and what follows from that.
//!
//! A person is known again by issuer and subject alone, never by a name or a mail address: those change hands.

use core::time::Duration;
use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::person::Role;
use crate::time::Timestamp;

/// How long somebody may take at the provider.
pub const CEREMONY: Duration = Duration::from_secs(600);
/// The longest subject (OpenID Connect Core, 2).
pub const SUBJECT: usize = 255;

/// Who somebody is at a provider: one person here, whatever they are called there.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Subject {
    /// The provider's own URL.
    pub issuer: String,
    /// Its id of them.
    pub id: String,
}

impl Subject {
    /// Whether it can be kept.
    pub fn is_sound(&self) -> bool {
        !self.id.is_empty() && self.id.len() <= SUBJECT && !self.id.chars().any(char::is_control)
    }
}

/// What a provider says of somebody, its signature checked.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Claims {
    /// Who.
    pub subject: Subject,
    /// What they are called there.
    pub preferred_username: Option<String>,
    /// Their mail address.
    pub mail: Option<String>,
    /// Whether the provider has made sure of the address; `None` when it does not say.
    pub mail_verified: Option<bool>,
    /// The groups they are in.
    pub groups: Vec<String>,
    /// When they last proved to the provider who they are.
    pub proved_at: Option<Timestamp>,
}

impl Claims {
    /// An address that they did not prove to be theirs, where the provider says so.
    pub fn against(&self) -> Option<Refusal> {
        let unverified = self.mail.is_some() && self.mail_verified == Some(false);
        unverified.then_some(Refusal::UnverifiedMail)
    }

    /// What somebody new is called here: as there, or as in the address, which has to be verified for that.
    ///
    /// # Errors
    /// There is neither.
    pub fn name(&self) -> Result<String, Refusal> {
        let given = |name: &str| {
            let name = name.trim().to_lowercase();
            (!name.is_empty()).then_some(name)
        };
        if let Some(name) = self.preferred_username.as_deref().and_then(given) {
            return Ok(name);
        }
        let Some(mail) = &self.mail else {
            return Err(Refusal::NoName);
        };
        if self.mail_verified != Some(true) {
            return Err(Refusal::UnverifiedMail);
        }
        let local = mail.split_once('@').and_then(|(local, _)| given(local));
        local.ok_or(Refusal::NoName)
    }
}

/// Which role the members of a group have. Nobody becomes admin by it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct GroupRoles(BTreeMap<String, Role>);

/// A group would make admins.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("no group makes admins: an admin gives that role, on the page of people")]
pub struct NoAdmins;

impl GroupRoles {
    /// # Errors
    /// One of the roles is admin.
    pub fn new(roles: BTreeMap<String, Role>) -> Result<Self, NoAdmins> {
        if roles.values().any(|role| *role == Role::Admin) {
            return Err(NoAdmins);
        }
        Ok(Self(roles))
    }

    /// The strongest role of these groups; `None` when none of them has one.
    pub fn strongest(&self, groups: &[String]) -> Option<Role> {
        let roles = groups.iter().filter_map(|group| self.0.get(group));
        roles.copied().min()
    }
}

/// What somebody's role everywhere becomes at a sign-in: that of their groups, nothing without one. An admin stays
/// admin.
pub fn follows(present: Role, groups: Option<Role>) -> Role {
    match (present, groups) {
        (Role::Admin, _) => Role::Admin,
        // Not to be had by a group, whatever its map says.
        (_, Some(Role::Admin) | None) => Role::Nothing,
        (_, Some(role)) => role,
    }
}

/// What the browser is sent to the provider for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Purpose {
    /// To sign in.
    SignIn,
    /// To confirm that it is still whoever signed in: the provider has to ask them anew.
    Confirm,
}

/// What the panel remembers while somebody is at the provider: in their session, for [`CEREMONY`], and used once.
#[derive(Clone, Serialize, Deserialize)]
pub struct Asked {
    /// Why.
    pub purpose: Purpose,
    /// Comes back with the browser: the answer is to this question.
    pub state: String,
    /// Comes back within the signed token: the token is for this question.
    pub nonce: String,
    /// Proves that whoever exchanges the code asked for it (PKCE).
    pub verifier: String,
    /// When.
    pub at: Timestamp,
}

impl Asked {
    /// Whether the answer may still come.
    pub fn is_open(&self, now: Timestamp) -> bool {
        now.since(self.at) < CEREMONY
    }

    /// Whether the provider asked somebody anew who proved at that time who they are. It counts whole seconds.
    pub fn was_asked_anew(&self, proved_at: Option<Timestamp>) -> bool {
        let second = self.at.as_millis().div_euclid(1_000);
        proved_at.is_some_and(|proved| proved.as_millis().div_euclid(1_000) >= second)
    }
}

/// Without the secrets.
impl core::fmt::Debug for Asked {
    fn fmt(&self, out: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        out.debug_struct("Asked")
            .field("purpose", &self.purpose)
            .field("at", &self.at)
            .finish_non_exhaustive()
    }
}

/// What the browser brought back.
#[derive(Clone, Default)]
pub struct Answer {
    /// [`Asked::state`].
    pub state: String,
    /// What the provider gives a token for.
    pub code: Option<String>,
    /// Which provider says that it answered (RFC 9207).
    pub issuer: Option<String>,
    /// Why there is no code.
    pub error: Option<String>,
}

/// Why an identity provider opened nothing.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Refusal {
    /// The provider does not answer.
    Away,
    /// Nobody asked for this answer, or too long ago, or it was given before.
    Late,
    /// Whoever was asked did not want to, or the provider did not let them.
    Declined,
    /// The answer is not from the provider, not for the panel, or not to what was asked.
    Untrusted,
    /// The provider did not ask them anew.
    NotAskedAnew,
    /// It was somebody else than the person who is signed in.
    SomebodyElse,
    /// The mail address is not proved to be theirs.
    UnverifiedMail,
    /// There is nothing that they could be called here.
    NoName,
    /// Somebody here has the name.
    NameTaken,
    /// No group of theirs has a role.
    NoGroup,
    /// They are kept out.
    KeptOut,
}

impl Refusal {
    /// All of them.
    pub const ALL: [Self; 11] = [
        Self::Away,
        Self::Late,
        Self::Declined,
        Self::Untrusted,
        Self::NotAskedAnew,
        Self::SomebodyElse,
        Self::UnverifiedMail,
        Self::NoName,
        Self::NameTaken,
        Self::NoGroup,
        Self::KeptOut,
    ];

    /// The word in URLs.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Away => "away",
            Self::Late => "late",
            Self::Declined => "declined",
            Self::Untrusted => "untrusted",
            Self::NotAskedAnew => "not-anew",
            Self::SomebodyElse => "somebody-else",
            Self::UnverifiedMail => "mail",
            Self::NoName => "no-name",
            Self::NameTaken => "taken",
            Self::NoGroup => "group",
            Self::KeptOut => "kept-out",
        }
    }

    /// Reads [`Refusal::as_str`] back.
    pub fn parse(word: &str) -> Option<Self> {
        Self::ALL
            .into_iter()
            .find(|refusal| refusal.as_str() == word)
    }

    /// For whoever wanted in.
    pub fn sentence(self, provider: &str) -> String {
        match self {
            Self::Away => {
                format!("{provider} does not answer. Use your password, or try again in a moment.")
            }
            Self::Late => {
                format!("The answer of {provider} came too late, or was used before. Begin again.")
            }
            Self::Declined => {
                format!("{provider} did not let you in. Try again, or use your password.")
            }
            Self::Untrusted => format!(
                "The answer of {provider} could not be trusted, so nobody was let in. Try again; if it stays so, tell an \
                 admin."
            ),
            Self::NotAskedAnew => format!(
                "{provider} did not ask you anew who you are. Try again, or use your password."
            ),
            Self::SomebodyElse => format!(
                "You are somebody else at {provider} than here. Sign out there, then try again."
            ),
            Self::UnverifiedMail => format!(
                "Your mail address is not verified at {provider}. Verify it there, then try again."
            ),
            Self::NoName => format!(
                "{provider} does not tell what you are called, so you cannot be added here. Ask an admin."
            ),
            Self::NameTaken => format!(
                "Somebody here has the name that {provider} knows you by. Ask an admin to connect you, or to choose \
                 another name."
            ),
            Self::NoGroup => {
                format!("You are in no group at {provider} that may use this panel. Ask an admin.")
            }
            Self::KeptOut => "You are kept out of this panel. Ask an admin.".to_owned(),
        }
    }

    /// For the audit trail.
    pub fn note(self, provider: &str) -> String {
        match self {
            Self::Away => format!("{provider} did not answer."),
            Self::Late => {
                format!("An answer of {provider} that was not asked for, or came too late.")
            }
            Self::Declined => format!("{provider} did not let them in."),
            Self::Untrusted => format!("An answer of {provider} that could not be trusted."),
            Self::NotAskedAnew => format!("{provider} did not ask anew who they are."),
            Self::SomebodyElse => format!("By {provider}, where it was somebody else."),
            Self::UnverifiedMail => format!("By {provider}, with a mail address not verified."),
            Self::NoName => format!("By {provider}, which tells no name that can be used here."),
            Self::NameTaken => format!("By {provider}, with a name that is taken here."),
            Self::NoGroup => format!("By {provider}, in no group that has a role here."),
            Self::KeptOut => format!("By {provider}. This person is kept out."),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn claims() -> Claims {
        Claims {
            subject: Subject {
                issuer: "https://id.example.org".to_owned(),
                id: "248289761001".to_owned(),
            },
            preferred_username: None,
            mail: None,
            mail_verified: None,
            groups: Vec::new(),
            proved_at: None,
        }
    }

    fn roles(pairs: &[(&str, Role)]) -> Result<GroupRoles, NoAdmins> {
        let pairs = pairs
            .iter()
            .map(|(group, role)| ((*group).to_owned(), *role));
        GroupRoles::new(pairs.collect())
    }

    #[test]
    fn the_strongest_role_of_all_groups_counts_and_none_makes_an_admin() {
        let map = roles(&[
            ("ops", Role::Operator),
            ("staff", Role::Viewer),
            ("audit", Role::Manager),
        ])
        .unwrap();
        let of = |groups: &[&str]| {
            let groups: Vec<_> = groups.iter().map(|group| (*group).to_owned()).collect();
            map.strongest(&groups)
        };
        assert_eq!(of(&["staff", "ops", "audit"]), Some(Role::Operator));
        assert_eq!(of(&["audit", "staff"]), Some(Role::Manager));
        assert_eq!(of(&["staff", "else"]), Some(Role::Viewer));
        assert_eq!(
            of(&["Ops", "ops "]),
            None,
            "groups are words, not likenesses"
        );
        assert_eq!(of(&[]), None);
        assert_eq!(roles(&[("root", Role::Admin)]), Err(NoAdmins));
    }

    #[test]
    fn roles_follow_groups_but_an_admin_stays_one_and_nobody_becomes_one() {
        for present in Role::ALL {
            for groups in Role::ALL.into_iter().map(Some).chain([None]) {
                let now = follows(present, groups);
                assert_eq!(
                    now == Role::Admin,
                    present == Role::Admin,
                    "{present:?} {groups:?}"
                );
            }
        }
        assert_eq!(follows(Role::Viewer, Some(Role::Operator)), Role::Operator);
        assert_eq!(follows(Role::Operator, Some(Role::Viewer)), Role::Viewer);
        assert_eq!(follows(Role::Operator, None), Role::Nothing);
    }

    #[test]
    fn a_name_comes_from_the_provider_or_from_a_verified_address() {
        let mut somebody = claims();
        assert_eq!(somebody.name(), Err(Refusal::NoName));
        somebody.mail = Some("Ida.Berg@example.org".to_owned());
        assert_eq!(somebody.name(), Err(Refusal::UnverifiedMail));
        somebody.mail_verified = Some(false);
        assert_eq!(somebody.name(), Err(Refusal::UnverifiedMail));
        somebody.mail_verified = Some(true);
        assert_eq!(somebody.name().unwrap(), "ida.berg");
        somebody.preferred_username = Some(" Ida ".to_owned());
        assert_eq!(somebody.name().unwrap(), "ida");
        somebody.preferred_username = Some("  ".to_owned());
        assert_eq!(somebody.name().unwrap(), "ida.berg");
        somebody.mail = Some("@example.org".to_owned());
        assert_eq!(somebody.name(), Err(Refusal::NoName));
    }

    #[test]
    fn an_address_that_is_not_verified_refuses_whatever_the_name_is() {
        let mut somebody = claims();
        somebody.preferred_username = Some("ida".to_owned());
        assert_eq!(somebody.against(), None);
        somebody.mail = Some("ida@example.org".to_owned());
        assert_eq!(somebody.against(), None, "the provider says nothing of it");
        somebody.mail_verified = Some(false);
        assert_eq!(somebody.against(), Some(Refusal::UnverifiedMail));
    }

    #[test]
    fn a_question_is_open_for_ten_minutes_and_answered_by_a_proof_that_is_younger() {
        let asked = Asked {
            purpose: Purpose::Confirm,
            state: "state-1".to_owned(),
            nonce: "nonce-1".to_owned(),
            verifier: "verifier-1".to_owned(),
            at: Timestamp::from_millis(1_800_000_000_700),
        };
        assert!(asked.is_open(asked.at.plus(Duration::from_secs(599))));
        assert!(!asked.is_open(asked.at.plus(CEREMONY)));
        assert!(asked.was_asked_anew(Some(Timestamp::from_millis(1_800_000_000_000))));
        assert!(!asked.was_asked_anew(Some(Timestamp::from_millis(1_799_999_999_000))));
        assert!(!asked.was_asked_anew(None));
        let shown = format!("{asked:?}");
        assert!(!shown.contains("-1"), "{shown}");
    }

    #[test]
    fn every_refusal_is_a_sentence_and_its_word_is_read_back() {
        for refusal in Refusal::ALL {
            assert_eq!(Refusal::parse(refusal.as_str()), Some(refusal));
            for said in [refusal.sentence("Example"), refusal.note("Example")] {
                assert!(said.ends_with('.'), "{said}");
            }
        }
        assert_eq!(
            Refusal::Away.sentence("Example"),
            "Example does not answer. Use your password, or try again in a moment."
        );
    }

    #[test]
    fn a_subject_is_short_and_plain() {
        let subject = |id: &str| Subject {
            issuer: "https://id.example.org".to_owned(),
            id: id.to_owned(),
        };
        assert!(subject("248289761001").is_sound());
        assert!(subject(&"x".repeat(255)).is_sound());
        for bad in ["", "a\nb", &"x".repeat(256)] {
            assert!(!subject(bad).is_sound(), "{bad:?}");
        }
    }
}
