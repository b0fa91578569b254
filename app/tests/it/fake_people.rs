//! People and their second factors, as pages see them.

use async_trait::async_trait;
use domain::api_token::{ApiToken, LONGEST, NewToken};
use domain::can::Permit;
use domain::invitation::Invitation;
use domain::mailbox::{MailAddress, Mailbox, OwnMailbox};
use domain::passkey::{Answer, Passkey, Question};
use domain::person::{Actor, Person, Role, Roles};
use domain::ports::{
    Added, ApiTokens, Chosen, Disabled, Invitations, Mailboxes, Passkeys, People, PeopleError,
    SecondFactors, Sessions, Shown, SignIn, StoreError,
};
use domain::second_factor::Duty;
use domain::second_factor::SetUp;
use domain::session::{Device, PersonSession};
use secrecy::{ExposeSecret as _, SecretString};
use uuid::Uuid;

use crate::fakes::{Fake, NOW, PASSWORD};

/// The authenticator's present code.
pub(crate) const CODE: &str = "287082";

pub(crate) fn person(id: u128, name: &str, role: Role) -> Person {
    Person {
        id: Uuid::from_u128(id),
        name: name.to_owned(),
        roles: role.into(),
        disabled_at: None,
        password_is_one_time: false,
        invited_until: None,
        last_seen_at: None,
        created_at: NOW,
        session_epoch: 0,
        second_factor: None,
    }
}

#[async_trait]
impl People for Fake {
    async fn sign_in(
        &self,
        _: &str,
        _: SecretString,
        _: Option<String>,
        _: Option<String>,
    ) -> Result<SignIn, StoreError> {
        self.0.store(SignIn::Refused)
    }
    async fn second_step(
        &self,
        _: Uuid,
        _: i64,
        _: SecretString,
        _: Option<String>,
        _: Option<String>,
    ) -> Result<SignIn, StoreError> {
        self.0.store(SignIn::Refused)
    }
    async fn list(&self) -> Result<Vec<Person>, StoreError> {
        self.0.store(self.0.people.clone())
    }
    async fn find(&self, id: Uuid) -> Result<Option<Person>, StoreError> {
        let found = self.0.people.iter().find(|person| person.id == id);
        self.0.store(found.cloned())
    }
    async fn note_seen(&self, _: Uuid) -> Result<(), StoreError> {
        self.0.store(())
    }
    async fn add(
        &self,
        _: Permit,
        name: &str,
        roles: Roles,
    ) -> Result<(Person, SecretString), PeopleError> {
        if name == "ben" {
            return Err(PeopleError::NameTaken(name.to_owned()));
        }
        self.0.note(format!("added {name}"));
        Ok((
            Person {
                roles,
                ..person(7, name, Role::Viewer)
            },
            SecretString::from("one-time-word-42"),
        ))
    }
    async fn set_disabled(&self, _: Permit, id: Uuid, to: Disabled) -> Result<(), PeopleError> {
        self.0.note(format!("disabled {id}: {to:?}"));
        Ok(())
    }
    async fn reset_password(&self, _: Permit, id: Uuid) -> Result<SecretString, PeopleError> {
        self.0.note(format!("reset {id}"));
        Ok(SecretString::from("another-word-43"))
    }
    async fn set_roles(&self, _: Permit, id: Uuid, roles: Roles) -> Result<(), PeopleError> {
        self.0.note(format!("role of {id}: {roles}"));
        Ok(())
    }
    async fn confirm(
        &self,
        actor: &Actor,
        password: SecretString,
        code: SecretString,
    ) -> Result<Person, PeopleError> {
        if password.expose_secret() != PASSWORD {
            return Err(PeopleError::WrongPassword);
        }
        if !code.expose_secret().is_empty() && code.expose_secret() != CODE {
            return Err(PeopleError::WrongCode);
        }
        self.0.note(format!("{} confirmed", actor.name()));
        Ok(person(1, actor.name(), Role::Viewer))
    }
    async fn change_password(
        &self,
        actor: &Actor,
        old: SecretString,
        _: SecretString,
    ) -> Result<Person, PeopleError> {
        if old.expose_secret() != PASSWORD {
            return Err(PeopleError::WrongPassword);
        }
        self.0
            .note(format!("{} changed the password", actor.name()));
        let mut changed = person(1, actor.name(), Role::Viewer);
        changed.session_epoch = 5;
        Ok(changed)
    }
}

/// What opens the link of the one who is invited.
pub(crate) const TOKEN: &str = "token-47";

#[async_trait]
impl Invitations for Fake {
    async fn invite(
        &self,
        _: Permit,
        name: &str,
        roles: Roles,
    ) -> Result<(Person, SecretString), PeopleError> {
        if name == "ben" {
            return Err(PeopleError::NameTaken(name.to_owned()));
        }
        self.0.note(format!("invited {name}"));
        Ok((
            Person {
                roles,
                ..person(7, name, Role::Viewer)
            },
            SecretString::from(TOKEN),
        ))
    }
    async fn invite_again(&self, _: Permit, id: Uuid) -> Result<SecretString, PeopleError> {
        self.0.note(format!("reset {id}"));
        Ok(SecretString::from("token-48"))
    }
    async fn set_up(&self) -> Result<Option<SecretString>, StoreError> {
        self.0.store(None)
    }
    async fn invitation(&self, token: &str) -> Result<Option<Invitation>, StoreError> {
        let known = self.0.invitation.clone().filter(|_| token == TOKEN);
        self.0.store(known)
    }
    async fn accept(&self, _: &str, _: Chosen) -> Result<SignIn, PeopleError> {
        Err(PeopleError::LinkOver)
    }
}

#[async_trait]
impl Sessions for Fake {
    async fn begin(&self, _: &Person, _: Device) -> Result<Uuid, StoreError> {
        unreachable!("the server begins sessions")
    }
    async fn go_on(&self, _: Uuid, _: i64) -> Result<i32, StoreError> {
        unreachable!("the server renews sessions")
    }
    async fn note_seen(&self, _: Uuid, _: Option<String>) -> Result<(), StoreError> {
        unreachable!("the server notes visits")
    }
    async fn of(&self, _: Uuid) -> Result<Vec<PersonSession>, StoreError> {
        unreachable!("the server reads them")
    }
    async fn close(&self, _: Uuid) -> Result<(), StoreError> {
        unreachable!("the server ends sessions")
    }
    async fn end_one(&self, actor: &Actor, id: Uuid) -> Result<bool, PeopleError> {
        self.0.note(format!("{} ends {id}", actor.name()));
        Ok(id.as_u128() < 100)
    }
    async fn end_others(&self, actor: &Actor, but: Option<Uuid>) -> Result<u64, PeopleError> {
        self.0
            .note(format!("{} ends all but {but:?}", actor.name()));
        Ok(2)
    }
    async fn acknowledge(&self, actor: &Actor, id: Uuid) -> Result<(), PeopleError> {
        self.0.note(format!("{} knows {id}", actor.name()));
        Ok(())
    }
    async fn end_all(&self, _: Permit, person: Uuid) -> Result<(), PeopleError> {
        self.0.note(format!("{person} signed out everywhere"));
        Ok(())
    }
}

#[async_trait]
impl ApiTokens for Fake {
    async fn make(
        &self,
        actor: &Actor,
        new: NewToken,
    ) -> Result<(ApiToken, SecretString), PeopleError> {
        if new.lasts.is_zero() || new.lasts > LONGEST {
            return Err(PeopleError::BadTokenTime);
        }
        let role = new.role.as_str();
        self.0
            .note(format!("{} makes {} as {role}", actor.name(), new.name));
        let token = ApiToken {
            id: Uuid::from_u128(61),
            person: Uuid::from_u128(1),
            name: new.name,
            role: new.role,
            gateway: new.gateway,
            made_at: NOW,
            expires_at: NOW.plus(new.lasts),
            last_used_at: None,
            revoked_at: None,
        };
        Ok((token, SecretString::from("ocp_fake")))
    }
    async fn of(&self, _: Uuid) -> Result<Vec<ApiToken>, StoreError> {
        self.0.store(self.0.tokens.clone())
    }
    async fn revoke(&self, actor: &Actor, id: Uuid) -> Result<bool, PeopleError> {
        self.0.note(format!("{} revokes {id}", actor.name()));
        Ok(id.as_u128() < 100)
    }
    async fn revoke_all(&self, _: Permit, person: Uuid) -> Result<u64, PeopleError> {
        self.0.note(format!("tokens of {person} revoked"));
        Ok(2)
    }
    async fn show(&self, _: &SecretString, _: Option<String>) -> Result<Shown, StoreError> {
        unreachable!("the server looks at tokens")
    }
}

/// What a device says that the fake believes.
pub(crate) const ANSWER: &str = "signed";

impl Fake {
    /// What a page fetches is made by the server's own handlers.
    fn believed(answer: &Answer) -> Result<(), PeopleError> {
        if answer.credential == ANSWER {
            Ok(())
        } else {
            Err(PeopleError::PasskeyRefused)
        }
    }
}

#[async_trait]
impl Passkeys for Fake {
    fn possible(&self) -> bool {
        self.0.passkeys_possible
    }
    async fn of(&self, _: Uuid) -> Result<Vec<Passkey>, StoreError> {
        self.0.store(self.0.passkeys.clone())
    }
    async fn ask_to_add(&self, _: &Actor) -> Result<Question, PeopleError> {
        unreachable!("the server asks")
    }
    async fn add(&self, actor: &Actor, name: &str, answer: Answer) -> Result<Added, PeopleError> {
        if name.trim().is_empty() {
            return Err(PeopleError::BadPasskeyName);
        }
        Self::believed(&answer)?;
        self.0.note(format!("{} adds {name}", actor.name()));
        let person = person(1, actor.name(), Role::Viewer);
        let first = self.0.passkeys.is_empty();
        let codes = first.then(|| SecretString::from("aaaaa-bbbbb-ccccc"));
        Ok(Added {
            person,
            codes: codes.into_iter().collect(),
        })
    }
    async fn remove(&self, actor: &Actor, id: Uuid, _: Duty) -> Result<Person, PeopleError> {
        self.0.note(format!("{} removes {id}", actor.name()));
        Ok(person(1, actor.name(), Role::Viewer))
    }
    async fn ask_anybody(&self) -> Result<Question, PeopleError> {
        unreachable!("the server asks")
    }
    async fn ask(&self, _: Uuid) -> Result<Question, PeopleError> {
        unreachable!("the server asks")
    }
    async fn sign_in(
        &self,
        _: Answer,
        _: Option<String>,
        _: Option<String>,
    ) -> Result<SignIn, StoreError> {
        unreachable!("the server signs in")
    }
    async fn second_step(
        &self,
        _: Uuid,
        _: i64,
        _: Answer,
        _: Option<String>,
        _: Option<String>,
    ) -> Result<SignIn, StoreError> {
        unreachable!("the server signs in")
    }
    async fn confirm(&self, actor: &Actor, answer: Answer) -> Result<(), PeopleError> {
        Self::believed(&answer)?;
        self.0.note(format!("{} confirms", actor.name()));
        Ok(())
    }
}

#[async_trait]
impl Mailboxes for Fake {
    async fn of(&self, _: Uuid) -> Result<Option<OwnMailbox>, StoreError> {
        self.0.store(self.0.mailbox.clone())
    }
    async fn set(
        &self,
        actor: &Actor,
        address: Option<&MailAddress>,
    ) -> Result<Option<MailAddress>, PeopleError> {
        let to = address.map_or("nowhere", MailAddress::as_str);
        self.0.note(format!("{}'s mail goes to {to}", actor.name()));
        Ok(self.0.mailbox.clone().map(|own| own.address))
    }
    async fn all(&self) -> Result<Vec<Mailbox>, StoreError> {
        unreachable!("pages ask for their own")
    }
}

#[async_trait]
impl SecondFactors for Fake {
    async fn begin(&self, actor: &Actor) -> Result<(), PeopleError> {
        self.0.note(format!("{} begins", actor.name()));
        Ok(())
    }
    async fn begun(&self, _: Uuid) -> Result<Option<SetUp>, PeopleError> {
        Ok(self.0.store(self.0.set_up.clone())?)
    }
    async fn finish(
        &self,
        actor: &Actor,
        code: SecretString,
    ) -> Result<(Person, Vec<SecretString>), PeopleError> {
        if code.expose_secret() != CODE {
            return Err(PeopleError::WrongCode);
        }
        self.0.note(format!("{} finishes", actor.name()));
        let codes = ["aaaaa-bbbbb-ccccc", "ddddd-eeeee-fffff"];
        let mut person = person(1, actor.name(), Role::Viewer);
        person.session_epoch = 5;
        Ok((person, codes.map(SecretString::from).to_vec()))
    }
    async fn renew_codes(&self, actor: &Actor) -> Result<Vec<SecretString>, PeopleError> {
        self.0.note(format!("{} renews codes", actor.name()));
        Ok(vec![SecretString::from("ggggg-hhhhh-iiiii")])
    }
    async fn confirm(&self, actor: &Actor, code: SecretString) -> Result<(), PeopleError> {
        if code.expose_secret() != CODE {
            return Err(PeopleError::WrongCode);
        }
        self.0.note(format!("{} confirms by a code", actor.name()));
        Ok(())
    }
    async fn remove(&self, actor: &Actor, _: Duty) -> Result<Person, PeopleError> {
        self.0.note(format!("{} removes", actor.name()));
        Ok(person(1, actor.name(), Role::Viewer))
    }
    async fn reset(&self, _: Permit, id: Uuid) -> Result<(), PeopleError> {
        self.0.note(format!("second factor of {id} removed"));
        Ok(())
    }
}
