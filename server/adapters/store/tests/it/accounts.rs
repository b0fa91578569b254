//! What became of accounts: kept in order, with who caused it, and counted.

use std::time::Duration;

use domain::account_history::{AccountChange, Drops, Standing};
use domain::ports::{AccountHistory as _, Clock as _, History as _};

use crate::support::{Database, begun_relink};

const DAY: Duration = Duration::from_secs(86_400);

fn change(database: &Database, account: &str, to: Standing) -> AccountChange {
    AccountChange {
        gateway: "g1".parse().unwrap(),
        account: account.parse().unwrap(),
        at: database.clock.now(),
        to,
        code: (to == Standing::Away).then_some(428),
        cause: "WhatsApp closed the connection".to_owned(),
        operation: None,
        planned_by: None,
    }
}

#[tokio::test]
async fn changes_are_kept_newest_first_and_the_last_one_is_how_it_stands() {
    let database = Database::fresh().await;
    let store = database.store().await;
    let gateway = "g1".parse().unwrap();
    for (account, to) in [
        ("work", Standing::Connected),
        ("home", Standing::Unlinked),
        ("work", Standing::Away),
    ] {
        let change = change(&database, account, to);
        store.record_account_change(&change).await.unwrap();
        database.clock.advance(Duration::from_secs(10));
    }
    let work = "work".parse().unwrap();
    let changes = store.changes(&gateway, &work, 10).await.unwrap();
    let standings: Vec<_> = changes.iter().map(|change| change.to).collect();
    assert_eq!(standings, [Standing::Away, Standing::Connected]);
    assert_eq!(changes[0].code, Some(428));
    let last = store.account_standings(&gateway).await.unwrap();
    let last: Vec<_> = last
        .into_iter()
        .map(|(id, to)| (id.to_string(), to))
        .collect();
    let home = ("home".to_owned(), Standing::Unlinked);
    assert_eq!(last, [home, ("work".to_owned(), Standing::Away)]);
}

#[tokio::test]
async fn drops_are_ends_of_a_connection_that_nobody_planned() {
    let database = Database::fresh().await;
    let store = database.store().await;
    let (gateway, work) = ("g1".parse().unwrap(), "work".parse().unwrap());
    // 40 days ago one drop, then two, one of which is told in two changes.
    for (to, days) in [
        (Standing::Connected, 0),
        (Standing::Away, 20),
        (Standing::Connected, 0),
        (Standing::Unknown, 0),
        (Standing::Away, 0),
        (Standing::Connected, 0),
        (Standing::Unlinked, 20),
    ] {
        store
            .record_account_change(&change(&database, "work", to))
            .await
            .unwrap();
        database.clock.advance(DAY * days);
    }
    let drops = store.drops(&gateway, &work).await.unwrap();
    let expected = Drops {
        lately: 2,
        before: 1,
    };
    assert_eq!(drops, expected);
}

#[tokio::test]
async fn what_an_operation_does_is_its_doing_and_no_drop() {
    let database = Database::fresh().await;
    let store = database.store().await;
    let (gateway, work) = ("g1".parse().unwrap(), "work".parse().unwrap());
    let connected = change(&database, "work", Standing::Connected);
    store.record_account_change(&connected).await.unwrap();
    let operation = begun_relink(&database, &store).await;
    let away = change(&database, "work", Standing::Away);
    store.record_account_change(&away).await.unwrap();
    let changes = store.changes(&gateway, &work, 1).await.unwrap();
    assert_eq!(changes[0].operation, Some(operation));
    assert_eq!(
        changes[0].planned_by.as_deref(),
        Some("Link account work by anna")
    );
    assert_eq!(
        store.drops(&gateway, &work).await.unwrap(),
        Drops::default()
    );
}
