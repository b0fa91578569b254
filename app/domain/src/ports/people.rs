//! People and their passwords.

use std::time::Duration;

use async_trait::async_trait;
use secrecy::SecretString;
use uuid::Uuid;

use super::StoreError;
use crate::can::Permit;
use crate::person::{Actor, Person, Roles};
use crate::time::Timestamp;

/// Result of a sign-in.
#[derive(Clone, Debug)]
pub enum SignIn {
    /// Name and password fit.
    Welcome(Person),
    /// They do, and a code of the second factor is wanted: [`People::second_step`].
    SecondStep(Person),
    /// They do not, or the person is kept out. The same answer and time for all.
    Refused,
    /// Too many tries: wait until then.
    Throttled {
        /// When to try again.
        until: Timestamp,
    },
}

/// Why a change to a person was refused; sentences for the field where it was typed.
#[derive(Debug, thiserror::Error)]
pub enum PeopleError {
    /// The name is taken.
    #[error("There is already somebody called `{0}`. Choose another name.")]
    NameTaken(String),
    /// The name cannot be used.
    #[error("Use 2 to 40 letters, digits, `.`, `-` or `_` for the name.")]
    BadName,
    /// The password is too short.
    #[error("Use at least 12 characters for the password.")]
    PasswordTooShort,
    /// It is too long.
    #[error("Use at most 1,000 letters for the password.")]
    PasswordTooLong,
    /// The password can be guessed.
    #[error("{}", easy_to_guess(why))]
    PasswordEasy {
        /// What a guesser would try; a sentence, or nothing.
        why: String,
    },
    /// The link opens nothing.
    #[error("This link opens nothing any more. Ask an admin for a new one.")]
    LinkOver,
    /// The old password is wrong.
    #[error("The present password is not right.")]
    WrongPassword,
    /// The old password was guessed at.
    #[error("Too many tries. Wait {}, then try again.", crate::words::duration(*.wait))]
    TooManyTries {
        /// How long.
        wait: Duration,
    },
    /// Too many passwords are checked at once.
    #[error("Many passwords are checked at this moment. Try again in a few seconds.")]
    Busy,
    /// The code is wrong.
    #[error(
        "The code is not right. Type the one that the authenticator shows now, or a recovery code."
    )]
    WrongCode,
    /// The code was taken before.
    #[error("This code was used already. Wait for the next one; it comes within 30 seconds.")]
    CodeUsed,
    /// Nothing was begun, or too long ago.
    #[error("The set-up was begun too long ago. Begin it again.")]
    SetUpOver,
    /// A token of a role that its maker may not give.
    #[error("Choose a role that is yours there, or viewer.")]
    RoleNotYours,
    /// The name of a token is missing or too long.
    #[error("Say what the token is for, in 1 to 60 letters.")]
    BadTokenName,
    /// It lasts too long, or no time at all.
    #[error("Choose 1 to 366 days.")]
    BadTokenTime,
    /// Browsers make no passkeys for this panel's address.
    #[error("Passkeys need a host name and https in `public_url`.")]
    PasskeysImpossible,
    /// It is not theirs, or was removed.
    #[error("This passkey is not known here. Use another one, or the password.")]
    NoSuchPasskey,
    /// It was added before.
    #[error("This passkey is here already.")]
    PasskeyKnown,
    /// The answer came too late or was used before.
    #[error("That took too long, or was answered before. Try again.")]
    PasskeyLate,
    /// The device did not ask for a finger, a face or a PIN.
    #[error(
        "The device did not make sure that it is you. Set up its screen lock or PIN, then try again."
    )]
    PasskeyUnverified,
    /// It was not right.
    #[error("The passkey was not accepted. Try again, or use the password.")]
    PasskeyRefused,
    /// The name of a passkey is missing or too long.
    #[error("Give the passkey a name of 1 to 60 letters.")]
    BadPasskeyName,
    /// There are too many.
    #[error("You have 20 passkeys. Remove one first.")]
    TooManyPasskeys,
    /// The subject belongs to somebody, or the person has another one there.
    #[error("That subject is connected already, or this person is connected to another one.")]
    IdentityTaken,
    /// It cannot be one.
    #[error("Give the subject as the provider has it: 1 to 255 characters.")]
    BadSubject,
    /// Whose role needs a second factor keeps the last one.
    #[error("Your role needs a second factor, and this is your last one. Add another one first.")]
    LastSecondFactor,
    /// There is no second factor.
    #[error("There is no second factor.")]
    NoSecondFactor,
    /// The secret was sealed under another key.
    #[error(
        "This panel cannot check codes of authenticators: its sign-in key is another one than the one they were set up \
         with. A recovery code works; an admin can bring the key's file back or remove the second factor."
    )]
    SealedElsewhere,
    /// The last admin cannot be disabled or demoted. Whoever was invited and has not come yet is none.
    #[error(
        "This is the last admin who can sign in. Make somebody else admin first, who has used their one-time link."
    )]
    LastAdmin,
    /// Whoever acts was changed by somebody else in the same moment.
    #[error(
        "Your own role or session was changed at this moment, so nothing was done. Load the page again."
    )]
    Overtaken,
    /// There is no such person.
    #[error("There is nobody of that name.")]
    Unknown,
    /// The permit was for something else: a programming error, refused all the same.
    #[error("The permission does not fit.")]
    NotPermitted,
    /// The database failed.
    #[error("The panel's database does not answer, so nothing was changed.")]
    Database(#[from] StoreError),
}

fn easy_to_guess(why: &str) -> String {
    let advice =
        "Take four or more words that do not belong together, or let a password manager make one.";
    if why.is_empty() {
        format!("This password is easy to guess. {advice}")
    } else {
        format!("This password is easy to guess. {why} {advice}")
    }
}

/// People and their passwords. Every change writes its audit event in the same transaction.
#[async_trait]
pub trait People: Send + Sync {
    /// Checks name and password, with throttling per name and per address; audited either way.
    async fn sign_in(
        &self,
        name: &str,
        password: SecretString,
        address: Option<String>,
        browser: Option<String>,
    ) -> Result<SignIn, StoreError>;
    /// Checks the code of whoever got as far as [`SignIn::SecondStep`] in the `epoch` of their sessions; throttled and
    /// audited as the first step is.
    async fn second_step(
        &self,
        id: Uuid,
        epoch: i64,
        code: SecretString,
        address: Option<String>,
        browser: Option<String>,
    ) -> Result<SignIn, StoreError>;
    /// Everybody, by name.
    async fn list(&self) -> Result<Vec<Person>, StoreError>;
    /// One person by id.
    async fn find(&self, id: Uuid) -> Result<Option<Person>, StoreError>;
    /// Notes that somebody was here, to the minute.
    async fn note_seen(&self, id: Uuid) -> Result<(), StoreError>;
    /// Adds a person; the one-time password is returned once.
    async fn add(
        &self,
        permit: Permit,
        name: &str,
        roles: Roles,
    ) -> Result<(Person, SecretString), PeopleError>;
    /// Keeps a person out (and ends their sessions) or lets them in again.
    async fn set_disabled(
        &self,
        permit: Permit,
        id: Uuid,
        disabled: Disabled,
    ) -> Result<(), PeopleError>;
    /// Gives a new one-time password and ends their sessions.
    async fn reset_password(&self, permit: Permit, id: Uuid) -> Result<SecretString, PeopleError>;
    /// Changes roles; takes effect on open sessions at once.
    async fn set_roles(&self, permit: Permit, id: Uuid, roles: Roles) -> Result<(), PeopleError>;
    /// Checks the password of whoever is signed in, and the code of their second factor if they have one, throttled like a sign-in and audited either way; the
    /// person as they now are.
    async fn confirm(
        &self,
        actor: &Actor,
        password: SecretString,
        code: SecretString,
    ) -> Result<Person, PeopleError>;
    /// Changes one's own password, which ends every session; the person as they now are, so that the
    /// caller's own session can go on.
    async fn change_password(
        &self,
        actor: &Actor,
        old: SecretString,
        new: SecretString,
    ) -> Result<Person, PeopleError>;
}

/// Whether a person is kept out.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Disabled {
    /// Kept out.
    Yes,
    /// Let in.
    No,
}
