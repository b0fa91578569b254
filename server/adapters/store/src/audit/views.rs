//! Filters of the trail that people keep by a name.

use async_trait::async_trait;
use domain::audit::{SavedView, VIEWS};
use domain::ports::{SavedViews, StoreError};
use uuid::Uuid;

use crate::store::Store;

#[async_trait]
impl SavedViews for Store {
    async fn of(&self, person: Uuid) -> Result<Vec<SavedView>, StoreError> {
        self.within("reading saved views", async {
            sqlx::query_as!(
                SavedView,
                "SELECT id, name, query FROM saved_views WHERE person_id = $1 ORDER BY name",
                person,
            )
            .fetch_all(&self.pool)
            .await
        })
        .await
    }

    async fn save(&self, person: Uuid, name: &str, query: &str) -> Result<bool, StoreError> {
        self.within("keeping a view", async {
            let saved = sqlx::query!(
                "INSERT INTO saved_views (id, person_id, name, query)
                 SELECT $1, $2, $3, $4
                 WHERE (SELECT count(*) FROM saved_views WHERE person_id = $2 AND name <> $3) < $5
                 ON CONFLICT (person_id, name) DO UPDATE SET query = $4",
                self.ids.next(),
                person,
                name,
                query,
                i64::try_from(VIEWS).unwrap_or(i64::MAX),
            )
            .execute(&self.pool)
            .await?;
            Ok(saved.rows_affected() > 0)
        })
        .await
    }

    async fn remove(&self, person: Uuid, id: Uuid) -> Result<bool, StoreError> {
        self.within("removing a view", async {
            let removed = sqlx::query!(
                "DELETE FROM saved_views WHERE id = $1 AND person_id = $2",
                id,
                person,
            )
            .execute(&self.pool)
            .await?;
            Ok(removed.rows_affected() > 0)
        })
        .await
    }
}
