//! What became of the WhatsApp accounts.

use std::collections::BTreeMap;
use std::time::Duration;

use async_trait::async_trait;
use domain::account_history::{AccountChange, Drops, Standing};
use domain::fact::FactKind;
use domain::gateway::{AccountId, GatewayId};
use domain::operation::{AT_ONCE, OperationId};
use domain::ports::{AccountHistory, StoreError};
use time::OffsetDateTime;
use uuid::Uuid;

use crate::rows::{column, gateway, moment, unknown};
use crate::store::Store;

const DAYS_30: Duration = Duration::from_secs(30 * 86_400);
/// The most changes of one page.
const PAGE: u32 = 500;

#[async_trait]
impl AccountHistory for Store {
    async fn changes(
        &self,
        gateway: &GatewayId,
        account: &AccountId,
        limit: u32,
    ) -> Result<Vec<AccountChange>, StoreError> {
        self.within("reading an account's changes", async {
            let rows = sqlx::query_as!(
                ChangeRow,
                "SELECT gateway_id, account_id, at, state, code, cause, operation_id, planned_by
                 FROM account_changes
                 WHERE gateway_id = $1 AND account_id = $2
                 ORDER BY id DESC
                 LIMIT $3",
                gateway.as_str(),
                account.as_str(),
                i64::from(limit.min(PAGE)),
            )
            .fetch_all(&self.pool)
            .await?;
            rows.into_iter().map(ChangeRow::read).collect()
        })
        .await
    }

    async fn drops(&self, gateway: &GatewayId, account: &AccountId) -> Result<Drops, StoreError> {
        self.within("counting an account's drops", async {
            let now = self.clock.now();
            // A drop is a connection that ended: what was away already drops no more.
            let row = sqlx::query!(
                r#"SELECT count(*) FILTER (WHERE at >= $3) AS "lately!", count(*) FILTER (WHERE at < $3) AS "before!"
                   FROM (
                       SELECT at, state, operation_id, lag(state) OVER (ORDER BY id) AS was
                       FROM account_changes
                       WHERE gateway_id = $1 AND account_id = $2
                   ) AS changes
                   WHERE was = 'connected' AND state <> 'connected' AND operation_id IS NULL AND at >= $4"#,
                gateway.as_str(),
                account.as_str(),
                column(now.minus(DAYS_30)),
                column(now.minus(DAYS_30 * 2)),
            )
            .fetch_one(&self.pool)
            .await?;
            let count = |number: i64| u32::try_from(number).unwrap_or(u32::MAX);
            Ok(Drops {
                lately: count(row.lately),
                before: count(row.before),
            })
        })
        .await
    }
}

impl Store {
    pub(crate) async fn write_account_change(&self, change: &AccountChange) -> sqlx::Result<()> {
        let cause = match change.operation {
            Some(id) => Some((id, change.planned_by.clone())),
            None if change.is_the_phones() => None,
            None => {
                let session = FactKind::Session;
                self.cause_of(&change.gateway, session, change.at, AT_ONCE)
                    .await?
            }
        };
        let (operation, planned_by) = cause.unzip();
        sqlx::query!(
            "INSERT INTO account_changes (gateway_id, account_id, at, state, code, cause, operation_id, planned_by)
             VALUES ($1, $2, $3, $4, $5, $6, $7, $8)",
            change.gateway.as_str(),
            change.account.as_str(),
            column(change.at),
            change.to.as_str(),
            change.code.map(i32::from),
            change.cause,
            operation.map(|id| id.0),
            planned_by.flatten(),
        )
        .execute(&self.pool)
        .await
        .map(drop)
    }

    pub(crate) async fn last_standings(
        &self,
        gateway: &GatewayId,
    ) -> sqlx::Result<BTreeMap<AccountId, Standing>> {
        let rows = sqlx::query!(
            "SELECT DISTINCT ON (account_id) account_id, state
             FROM account_changes
             WHERE gateway_id = $1
             ORDER BY account_id, id DESC",
            gateway.as_str(),
        )
        .fetch_all(&self.pool)
        .await?;
        rows.into_iter()
            .map(|row| Ok((account(row.account_id)?, standing(row.state)?)))
            .collect()
    }
}

struct ChangeRow {
    gateway_id: String,
    account_id: String,
    at: OffsetDateTime,
    state: String,
    code: Option<i32>,
    cause: String,
    operation_id: Option<Uuid>,
    planned_by: Option<String>,
}

impl ChangeRow {
    fn read(self) -> sqlx::Result<AccountChange> {
        Ok(AccountChange {
            gateway: gateway(self.gateway_id)?,
            account: account(self.account_id)?,
            at: moment(self.at),
            to: standing(self.state)?,
            code: self.code.and_then(|code| u16::try_from(code).ok()),
            cause: self.cause,
            operation: self.operation_id.map(OperationId),
            planned_by: self.planned_by,
        })
    }
}

fn account(word: String) -> sqlx::Result<AccountId> {
    word.parse()
        .map_err(|error| sqlx::Error::Decode(Box::new(error)))
}

fn standing(word: String) -> sqlx::Result<Standing> {
    Standing::parse(&word).ok_or_else(|| unknown("standing of an account", word))
}
