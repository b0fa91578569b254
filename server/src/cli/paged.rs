//! Lists that are longer than what the database gives at once.

use domain::ports::StoreError;

/// Reads on from the last entry until `limit` are there or no older one is.
pub(super) async fn all<T, K>(
    limit: u32,
    before: Option<K>,
    mut ask: impl AsyncFnMut(Option<K>, u32) -> Result<Vec<T>, StoreError>,
    key: impl Fn(&T) -> K,
) -> Result<Vec<T>, StoreError> {
    let mut all = Vec::new();
    let mut before = before;
    let mut left = limit;
    while left > 0 {
        let page = ask(before, left).await?;
        let Some(last) = page.last() else { break };
        before = Some(key(last));
        left = left.saturating_sub(u32::try_from(page.len()).unwrap_or(u32::MAX));
        all.extend(page);
    }
    Ok(all)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Seven entries, at most three at once, newest first.
    async fn of_seven(limit: u32, before: Option<u32>) -> Vec<u32> {
        let ask = async |before: Option<u32>, limit: u32| {
            let older = (1..=7_u32).rev().filter(|n| before.is_none_or(|b| *n < b));
            Ok(older.take(limit.min(3) as usize).collect())
        };
        all(limit, before, ask, |n| *n).await.unwrap()
    }

    #[tokio::test]
    async fn a_list_is_as_long_as_it_was_asked_for_and_has_each_entry_once() {
        assert_eq!(of_seven(5, None).await, [7, 6, 5, 4, 3]);
        assert_eq!(of_seven(5, Some(3)).await, [2, 1]);
        assert_eq!(of_seven(50, None).await.len(), 7);
    }
}
