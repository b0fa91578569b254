//! Saved views against a real Postgres: one's own, by name, and not without end.

use domain::audit::VIEWS;
use domain::person::Role;
use domain::ports::SavedViews;

use crate::support::{Database, person};

#[tokio::test]
async fn a_view_is_kept_by_its_name_for_its_owner_alone() {
    let database = Database::fresh().await;
    let store = database.store().await;
    let (anna, _) = person(&store, "anna", Role::Manager).await;
    let (ben, _) = person(&store, "ben", Role::Manager).await;
    assert!(
        SavedViews::save(&store, anna, "wipes", "action=wipe")
            .await
            .unwrap()
    );
    assert!(
        SavedViews::save(&store, anna, "denied", "outcome=denied")
            .await
            .unwrap()
    );
    assert!(
        SavedViews::save(&store, anna, "wipes", "action=wipe&span=week")
            .await
            .unwrap()
    );
    let views = SavedViews::of(&store, anna).await.unwrap();
    let told: Vec<_> = views
        .iter()
        .map(|view| (&*view.name, &*view.query))
        .collect();
    assert_eq!(
        told,
        [
            ("denied", "outcome=denied"),
            ("wipes", "action=wipe&span=week")
        ]
    );
    assert!(SavedViews::of(&store, ben).await.unwrap().is_empty());
    assert!(!SavedViews::remove(&store, ben, views[0].id).await.unwrap());
    assert!(SavedViews::remove(&store, anna, views[0].id).await.unwrap());
    assert!(!SavedViews::remove(&store, anna, views[0].id).await.unwrap());
}

#[tokio::test]
async fn there_are_not_more_than_can_be_looked_over() {
    let database = Database::fresh().await;
    let store = database.store().await;
    let (anna, _) = person(&store, "anna", Role::Manager).await;
    for number in 0..VIEWS {
        let name = format!("view {number}");
        assert!(
            SavedViews::save(&store, anna, &name, "span=week")
                .await
                .unwrap()
        );
    }
    assert!(
        !SavedViews::save(&store, anna, "one more", "span=week")
            .await
            .unwrap()
    );
    assert!(
        SavedViews::save(&store, anna, "view 3", "span=today")
            .await
            .unwrap()
    );
    assert_eq!(SavedViews::of(&store, anna).await.unwrap().len(), VIEWS);
}
