//! Where people get mail about their own accounts. How far they have been told stands beside the alerts of managers.

use std::time::Duration;

use async_trait::async_trait;
use domain::audit::{Change, act};
use domain::mailbox::{MailAddress, Mailbox, OwnMailbox};
use domain::person::Actor;
use domain::ports::{Mailboxes, PeopleError, StoreError};
use sqlx::PgConnection;
use uuid::Uuid;

use super::change::{event, lock};
use super::second_factor::own;
use crate::rows::column;
use crate::store::Store;

/// Long enough ago for the next round to look.
const BEFORE: Duration = Duration::from_secs(3_600);

#[async_trait]
impl Mailboxes for Store {
    async fn of(&self, person: Uuid) -> Result<Option<OwnMailbox>, StoreError> {
        self.within("reading where somebody gets mail", async {
            let row = sqlx::query!(
                r#"SELECT m.address, a.failed AS "failed?"
                   FROM mailboxes AS m LEFT JOIN audit_alerts AS a ON a.recipient = $2
                   WHERE m.person_id = $1"#,
                person,
                Mailbox::recipient(person),
            )
            .fetch_optional(&self.pool)
            .await?;
            row.map(|row| {
                Ok(OwnMailbox {
                    address: read(&row.address)?,
                    failed: row.failed,
                })
            })
            .transpose()
        })
        .await
    }

    async fn set(
        &self,
        actor: &Actor,
        address: Option<&MailAddress>,
    ) -> Result<Option<MailAddress>, PeopleError> {
        let id = own(actor)?;
        let setting = async {
            let mut tx = self.begin_change().await?;
            let Some(person) = lock(&mut tx, id).await? else {
                return Ok(Err(PeopleError::Unknown));
            };
            let before =
                sqlx::query_scalar!("SELECT address FROM mailboxes WHERE person_id = $1", id)
                    .fetch_optional(&mut *tx)
                    .await?;
            let before = before.map(|kept| read(&kept)).transpose()?;
            if before.as_ref() == address {
                return Ok(Ok(before));
            }
            take(&mut tx, id).await?;
            if let Some(address) = address {
                sqlx::query!(
                    "INSERT INTO mailboxes (person_id, address, set_at) VALUES ($1, $2, $3)",
                    id,
                    address.as_str(),
                    column(self.clock.now()),
                )
                .execute(&mut *tx)
                .await?;
            }
            let mut event = event(actor.clone(), act::CHANGE_MAIL, &person, None);
            let [from, to] = [before.as_ref(), address].map(|one| one.map(MailAddress::as_str));
            event.changes = vec![Change::new("mail", from, to)];
            let event = self.write_audit(&mut tx, event).await?;
            if address.is_some() {
                // Everything from here on is told there. The trail is locked meanwhile, but a row takes no time.
                sqlx::query!(
                    "INSERT INTO audit_alerts (recipient, alerted_to, tried_at) VALUES ($1, $2, $3)",
                    Mailbox::recipient(id),
                    event.sequence,
                    column(self.clock.now().minus(BEFORE)),
                )
                .execute(&mut *tx)
                .await?;
            }
            tx.commit().await?;
            Ok(Ok(before))
        };
        self.within("setting where somebody gets mail", setting)
            .await?
    }

    async fn all(&self) -> Result<Vec<Mailbox>, StoreError> {
        self.within("reading where people get mail", async {
            let rows = sqlx::query!(
                "SELECT p.id, p.name, m.address
                 FROM mailboxes AS m JOIN people AS p ON p.id = m.person_id
                 WHERE p.disabled_at IS NULL ORDER BY p.id"
            )
            .fetch_all(&self.pool)
            .await?;
            let read = rows.into_iter().map(|row| {
                Ok(Mailbox {
                    person: row.id,
                    name: row.name,
                    address: read(&row.address)?,
                })
            });
            read.collect()
        })
        .await
    }
}

/// Takes somebody's away: another address is not told what happened before it was set.
async fn take(connection: &mut PgConnection, person: Uuid) -> sqlx::Result<()> {
    sqlx::query!(
        "DELETE FROM audit_alerts WHERE recipient = $1",
        Mailbox::recipient(person)
    )
    .execute(&mut *connection)
    .await?;
    sqlx::query!("DELETE FROM mailboxes WHERE person_id = $1", person)
        .execute(&mut *connection)
        .await
        .map(drop)
}

fn read(kept: &str) -> sqlx::Result<MailAddress> {
    kept.parse()
        .map_err(|error| sqlx::Error::Decode(Box::new(error)))
}
