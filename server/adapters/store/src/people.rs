//! People, their roles and passwords. Every change writes its audit event in the same transaction.

/// The columns once; `$rest` is what comes after the table's name.
macro_rules! people {
    ($rest:tt $(, $argument:expr)* $(,)?) => {
        sqlx::query_as!(
            $crate::people::PersonRow,
            r#"SELECT id, name, role,
                    (SELECT jsonb_object_agg(gateway_id, role) FROM roles_on_gateways
                     WHERE person_id = people.id) AS "roles_on: crate::people::RolesOn", password_is_one_time, invited_until, disabled_at, session_epoch, last_seen_at,
                    created_at,
                    (SELECT confirmed_at FROM authenticators
                     WHERE person_id = people.id AND confirmed_at IS NOT NULL) AS second_factor_since,
                    (SELECT min(made_at) FROM passkeys WHERE person_id = people.id) AS passkeys_since,
                    (SELECT count(*) FROM passkeys WHERE person_id = people.id) AS "passkeys!",
                    (SELECT count(*) FROM recovery_codes
                     WHERE person_id = people.id AND used_at IS NULL) AS "codes_left!"
             FROM people "# + $rest,
            $($argument),*
        )
    };
}

mod api_tokens;
mod change;
mod identities;
mod invitations;
mod mailboxes;
mod passkeys;
mod second_factor;
mod sessions;
mod sign_in;
mod throttle;

use std::collections::BTreeMap;

use async_trait::async_trait;
use domain::can::Permit;
use domain::person::{Actor, Person, Roles};
use domain::ports::{Disabled, People, PeopleError, SignIn, StoreError};
use domain::second_factor::SecondFactor;
use secrecy::SecretString;
use sqlx::PgConnection;
use sqlx::types::Json;
use time::OffsetDateTime;
use uuid::Uuid;

use crate::rows::{column, gateway, moment, role};
use crate::store::Store;

pub use passkeys::RelyingParty;

#[async_trait]
impl People for Store {
    async fn sign_in(
        &self,
        name: &str,
        password: SecretString,
        address: Option<String>,
        browser: Option<String>,
    ) -> Result<SignIn, StoreError> {
        let trying = self.try_sign_in(name, password, address, browser);
        self.within("signing somebody in", trying).await
    }

    async fn second_step(
        &self,
        id: Uuid,
        epoch: i64,
        code: SecretString,
        address: Option<String>,
        browser: Option<String>,
    ) -> Result<SignIn, StoreError> {
        let trying = self.try_second_step(id, epoch, code, address, browser);
        self.within("checking a second factor", trying).await
    }

    async fn list(&self) -> Result<Vec<Person>, StoreError> {
        self.within("reading the people", async {
            let rows = people!("ORDER BY name").fetch_all(&self.pool).await?;
            rows.into_iter().map(PersonRow::read).collect()
        })
        .await
    }

    async fn find(&self, id: Uuid) -> Result<Option<Person>, StoreError> {
        self.within("reading a person", self.read_person(id)).await
    }

    async fn note_seen(&self, id: Uuid) -> Result<(), StoreError> {
        self.within("noting that somebody was here", async {
            sqlx::query!(
                "UPDATE people SET last_seen_at = $2
                 WHERE id = $1
                   AND (last_seen_at IS NULL OR last_seen_at < $2::timestamptz - interval '1 minute')",
                id,
                column(self.clock.now()),
            )
            .execute(&self.pool)
            .await
            .map(drop)
        })
        .await
    }

    async fn add(
        &self,
        permit: Permit,
        name: &str,
        roles: Roles,
    ) -> Result<(Person, SecretString), PeopleError> {
        self.add_person(permit, name, roles).await
    }

    async fn set_disabled(
        &self,
        permit: Permit,
        id: Uuid,
        disabled: Disabled,
    ) -> Result<(), PeopleError> {
        self.disable_person(permit, id, disabled).await
    }

    async fn reset_password(&self, permit: Permit, id: Uuid) -> Result<SecretString, PeopleError> {
        self.reset_persons_password(permit, id).await
    }

    async fn set_roles(&self, permit: Permit, id: Uuid, roles: Roles) -> Result<(), PeopleError> {
        self.change_roles(permit, id, roles).await
    }

    async fn confirm(
        &self,
        actor: &Actor,
        password: SecretString,
        code: SecretString,
    ) -> Result<Person, PeopleError> {
        self.confirm_identity(actor, password, &code).await
    }

    async fn change_password(
        &self,
        actor: &Actor,
        old: SecretString,
        new: SecretString,
    ) -> Result<Person, PeopleError> {
        self.change_own_password(actor, old, new).await
    }
}

impl Store {
    async fn read_person(&self, id: Uuid) -> sqlx::Result<Option<Person>> {
        read(&mut *self.pool.acquire().await?, id).await
    }
}

/// A person as they are now, without keeping others from changing them.
async fn read(connection: &mut PgConnection, id: Uuid) -> sqlx::Result<Option<Person>> {
    let row = people!("WHERE id = $1", id)
        .fetch_optional(connection)
        .await?;
    row.map(PersonRow::read).transpose()
}

/// Roles by the gateways on which they are others.
type RolesOn = Json<BTreeMap<String, String>>;

struct PersonRow {
    id: Uuid,
    name: String,
    role: String,
    roles_on: Option<RolesOn>,
    password_is_one_time: bool,
    invited_until: Option<OffsetDateTime>,
    disabled_at: Option<OffsetDateTime>,
    session_epoch: i64,
    last_seen_at: Option<OffsetDateTime>,
    created_at: OffsetDateTime,
    second_factor_since: Option<OffsetDateTime>,
    passkeys_since: Option<OffsetDateTime>,
    passkeys: i64,
    codes_left: i64,
}

impl PersonRow {
    fn read(self) -> sqlx::Result<Person> {
        let since = [self.second_factor_since, self.passkeys_since];
        let since = since.into_iter().flatten().min();
        let on = self.roles_on.map(|on| on.0).unwrap_or_default().into_iter();
        let on = on.map(|(on, word)| Ok((gateway(on)?, role(word)?)));
        Ok(Person {
            id: self.id,
            name: self.name,
            roles: Roles {
                everywhere: role(self.role)?,
                on: on.collect::<sqlx::Result<_>>()?,
            },
            disabled_at: self.disabled_at.map(moment),
            password_is_one_time: self.password_is_one_time,
            invited_until: self.invited_until.map(moment),
            last_seen_at: self.last_seen_at.map(moment),
            created_at: moment(self.created_at),
            session_epoch: self.session_epoch,
            second_factor: since.map(|since| SecondFactor {
                since: moment(since),
                authenticator: self.second_factor_since.is_some(),
                passkeys: u32::try_from(self.passkeys).unwrap_or_default(),
                codes_left: u32::try_from(self.codes_left).unwrap_or_default(),
            }),
        })
    }
}
