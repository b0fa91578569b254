//! Tokens by which programs act for a person.

use async_trait::async_trait;
use domain::api_token::{ApiToken, LONGEST, NAME, NewToken, PREFIX, may_give};
use domain::audit::{AuditOutcome, Change, NewAuditEvent, act};
use domain::can::Permit;
use domain::person::{Actor, Person};
use domain::ports::{ApiTokens, PeopleError, Shown, StoreError};
use secrecy::{ExposeSecret as _, SecretString};
use time::OffsetDateTime;
use uuid::Uuid;

use super::change::{allowed, event, lock};
use super::sign_in::with_turned_away;
use super::throttle;
use crate::rows::{column, gateway, moment, role};
use crate::store::Store;
use crate::token::{hash, new_secret};

#[async_trait]
impl ApiTokens for Store {
    async fn make(
        &self,
        actor: &Actor,
        new: NewToken,
    ) -> Result<(ApiToken, SecretString), PeopleError> {
        let Actor::Person { id: own, .. } = actor else {
            return Err(PeopleError::Unknown);
        };
        let name = new.name.trim().to_owned();
        if name.is_empty() || name.chars().count() > NAME {
            return Err(PeopleError::BadTokenName);
        }
        if new.lasts.is_zero() || new.lasts > LONGEST {
            return Err(PeopleError::BadTokenTime);
        }
        let (_, secret) = new_secret();
        let secret = SecretString::from(format!("{PREFIX}{}", secret.expose_secret()));
        let making = async {
            let now = self.clock.now();
            let mut tx = self.begin_change().await?;
            let Some(person) = lock(&mut tx, *own).await? else {
                return Ok(Err(PeopleError::Unknown));
            };
            // As they now are, not as they were when the page was made.
            let given = match &new.gateway {
                Some(only) => may_give(person.roles.on(Some(only)), new.role),
                None => person.roles.all().any(|own| may_give(own, new.role)),
            };
            if !given {
                return Ok(Err(PeopleError::RoleNotYours));
            }
            let token = ApiToken {
                id: self.ids.next(),
                person: person.id,
                name,
                role: new.role,
                gateway: new.gateway,
                made_at: now,
                expires_at: now.plus(new.lasts),
                last_used_at: None,
                revoked_at: None,
            };
            sqlx::query!(
                "INSERT INTO api_tokens (id, person_id, name, role, gateway_id, token_hash, made_at, expires_at)
                 VALUES ($1, $2, $3, $4, $5, $6, $7, $8)",
                token.id,
                token.person,
                token.name,
                token.role.as_str(),
                token.gateway.as_ref().map(domain::gateway::GatewayId::as_str),
                hash(secret.expose_secret()),
                column(token.made_at),
                column(token.expires_at),
            )
            .execute(&mut *tx)
            .await?;
            let note = format!("As {}, until {}.", token.role.as_str(), token.expires_at);
            let event = NewAuditEvent {
                gateway: token.gateway.clone(),
                target: Some(token.name.clone()),
                note: Some(note),
                changes: vec![Change::hidden("token")],
                ..NewAuditEvent::new(actor.clone(), act::MAKE_TOKEN, AuditOutcome::Succeeded)
            };
            self.write_audit(&mut tx, event).await?;
            tx.commit().await?;
            Ok(Ok(token))
        };
        let token = self.within("making a token", making).await??;
        Ok((token, secret))
    }

    async fn of(&self, person: Uuid) -> Result<Vec<ApiToken>, StoreError> {
        self.within("reading tokens", async {
            let rows = sqlx::query_as!(
                TokenRow,
                "SELECT id, person_id, name, role, gateway_id, made_at, expires_at, last_used_at, revoked_at
                 FROM api_tokens WHERE person_id = $1 ORDER BY made_at DESC, id DESC LIMIT 200",
                person,
            )
            .fetch_all(&self.pool)
            .await?;
            rows.into_iter().map(TokenRow::read).collect()
        })
        .await
    }

    async fn revoke(&self, actor: &Actor, id: Uuid) -> Result<bool, PeopleError> {
        let Actor::Person { id: own, .. } = actor else {
            return Err(PeopleError::Unknown);
        };
        let revoking = async {
            let mut tx = self.pool.begin().await?;
            let revoked = sqlx::query_scalar!(
                "UPDATE api_tokens SET revoked_at = $3
                 WHERE id = $1 AND person_id = $2 AND revoked_at IS NULL
                 RETURNING name",
                id,
                own,
                column(self.clock.now()),
            )
            .fetch_optional(&mut *tx)
            .await?;
            let Some(name) = revoked else {
                return Ok(false);
            };
            let event = NewAuditEvent {
                target: Some(name),
                ..NewAuditEvent::new(actor.clone(), act::REVOKE_TOKEN, AuditOutcome::Succeeded)
            };
            self.write_audit(&mut tx, event).await?;
            tx.commit().await?;
            Ok(true)
        };
        Ok(self.within("taking a token back", revoking).await?)
    }

    async fn revoke_all(&self, permit: Permit, person: Uuid) -> Result<u64, PeopleError> {
        let actor = allowed(permit)?;
        let revoking = async {
            let mut tx = match self.begin_change_by(&actor).await? {
                Ok(tx) => tx,
                Err(refused) => return Ok(Err(refused)),
            };
            let Some(person) = lock(&mut tx, person).await? else {
                return Ok(Err(PeopleError::Unknown));
            };
            let revoked = sqlx::query!(
                "UPDATE api_tokens SET revoked_at = $2 WHERE person_id = $1 AND revoked_at IS NULL",
                person.id,
                column(self.clock.now()),
            )
            .execute(&mut *tx)
            .await?
            .rows_affected();
            let note = Some("All of them.".to_owned());
            let event = event(actor, act::REVOKE_TOKEN, &person, note);
            self.write_audit(&mut tx, event).await?;
            tx.commit().await?;
            Ok(Ok(revoked))
        };
        self.within("taking tokens back", revoking).await?
    }

    async fn show(
        &self,
        token: &SecretString,
        address: Option<String>,
    ) -> Result<Shown, StoreError> {
        self.within("reading a token", async {
            let now = self.clock.now();
            let row = sqlx::query_as!(
                TokenRow,
                "SELECT id, person_id, name, role, gateway_id, made_at, expires_at, last_used_at, revoked_at
                 FROM api_tokens WHERE token_hash = $1",
                hash(token.expose_secret()),
            )
            .fetch_optional(&self.pool)
            .await?;
            let Some(row) = row else {
                // Nobody guesses 256 bits; what floods is slowed down all the same.
                let mut tx = self.pool.begin().await?;
                let counted = throttle::count(&mut tx, now, &[], address.as_deref()).await?;
                let shown = match counted {
                    Ok(tried) => {
                        let denied = NewAuditEvent {
                            note: Some("The token that was shown is nobody's.".to_owned()),
                            ..NewAuditEvent::new(
                                Actor::Nobody { address },
                                act::USE_TOKEN,
                                AuditOutcome::Denied,
                            )
                        };
                        self.write_audit(&mut tx, with_turned_away(denied, tried.turned_away))
                            .await?;
                        Shown::Unknown
                    }
                    Err(until) => Shown::Throttled { until },
                };
                tx.commit().await?;
                return Ok(shown);
            };
            let token = row.read()?;
            let person: Option<Person> = self.read_person(token.person).await?;
            let Some(person) = person else {
                return Ok(Shown::Unknown);
            };
            sqlx::query!(
                "UPDATE api_tokens SET last_used_at = $2
                 WHERE id = $1 AND (last_used_at IS NULL OR last_used_at < $2::timestamptz - interval '1 minute')",
                token.id,
                column(now),
            )
            .execute(&self.pool)
            .await?;
            Ok(Shown::Known(Box::new((token, person))))
        })
        .await
    }
}

struct TokenRow {
    id: Uuid,
    person_id: Uuid,
    name: String,
    role: String,
    gateway_id: Option<String>,
    made_at: OffsetDateTime,
    expires_at: OffsetDateTime,
    last_used_at: Option<OffsetDateTime>,
    revoked_at: Option<OffsetDateTime>,
}

impl TokenRow {
    fn read(self) -> sqlx::Result<ApiToken> {
        Ok(ApiToken {
            id: self.id,
            person: self.person_id,
            name: self.name,
            role: role(self.role)?,
            gateway: self.gateway_id.map(gateway).transpose()?,
            made_at: moment(self.made_at),
            expires_at: moment(self.expires_at),
            last_used_at: self.last_used_at.map(moment),
            revoked_at: self.revoked_at.map(moment),
        })
    }
}
