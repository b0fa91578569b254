//! Where people get mail about their own accounts, against a real Postgres.

use adapter_store::Store;
use domain::audit::{AuditOutcome, act};
use domain::mailbox::{Mailbox, TOLD};
use domain::person::Role;
use domain::ports::{Alerts, AuditTrail, Disabled, Mailboxes, People, PeopleError};
use uuid::Uuid;

use crate::second_factor::actor;
use crate::support::{Database, may_manage_people, person};

/// The numbers and acts that are to be told to somebody.
async fn untold(store: &Store, id: Uuid) -> Option<Vec<String>> {
    let key = Mailbox::recipient(id);
    let untold = Alerts::claim(store, &key, &TOLD).await.unwrap();
    untold.map(|untold| {
        let acts = untold.candidates.into_iter();
        acts.map(|one| one.event.event.action).collect()
    })
}

#[tokio::test]
async fn an_address_is_kept_changed_and_taken_away_each_with_its_event() {
    let database = Database::fresh().await;
    let store = database.store().await;
    let (ben, _) = person(&store, "ben", Role::Viewer).await;
    let own = actor(ben, "ben");
    assert_eq!(Mailboxes::of(&store, ben).await.unwrap(), None);
    let [first, second] = ["ben@example.org", "b@example.net"].map(|one| one.parse().unwrap());

    let before = store.set(&own, Some(&first)).await.unwrap();
    assert_eq!(before, None);
    let kept = Mailboxes::of(&store, ben).await.unwrap().unwrap();
    assert_eq!((kept.address, kept.failed), (first.clone(), None));
    let before = store.set(&own, Some(&second)).await.unwrap();
    assert_eq!(before, Some(first.clone()));
    let all = Mailboxes::all(&store).await.unwrap();
    assert_eq!(all.len(), 1);
    assert_eq!((all[0].name.as_str(), &all[0].address), ("ben", &second));

    let events = AuditTrail::list(&store, None, 2).await.unwrap();
    let changed = &events[0].event;
    assert_eq!(
        (changed.action.as_str(), changed.outcome),
        (act::CHANGE_MAIL, AuditOutcome::Succeeded)
    );
    let change = &changed.changes[0];
    assert_eq!(change.before(), Some("ben@example.org"));
    assert_eq!(change.after(), Some("b@example.net"));

    // The same once more is no change and no event.
    assert_eq!(
        store.set(&own, Some(&second)).await.unwrap(),
        Some(second.clone())
    );
    let latest = AuditTrail::list(&store, None, 1).await.unwrap();
    assert_eq!(latest[0].sequence, events[0].sequence);

    // Whoever is kept out is told nothing.
    store
        .set_disabled(may_manage_people(), ben, Disabled::Yes)
        .await
        .unwrap();
    assert!(Mailboxes::all(&store).await.unwrap().is_empty());
    store
        .set_disabled(may_manage_people(), ben, Disabled::No)
        .await
        .unwrap();
    assert_eq!(store.set(&own, None).await.unwrap(), Some(second));
    assert_eq!(Mailboxes::of(&store, ben).await.unwrap(), None);
    let nobody = store.set(&actor(Uuid::from_u128(9), "x"), None).await;
    assert!(matches!(nobody, Err(PeopleError::Unknown)), "{nobody:?}");
}

#[tokio::test]
async fn what_happens_after_an_address_was_set_is_told_there_and_nothing_of_before() {
    let database = Database::fresh().await;
    let store = database.store().await;
    let (ben, _) = person(&store, "ben", Role::Viewer).await;
    let own = actor(ben, "ben");
    store
        .reset_password(may_manage_people(), ben)
        .await
        .unwrap();
    store
        .set(&own, Some(&"ben@example.org".parse().unwrap()))
        .await
        .unwrap();
    // At once, and not at the next look but one.
    store
        .set_roles(may_manage_people(), ben, Role::Operator.into())
        .await
        .unwrap();
    assert_eq!(
        untold(&store, ben).await,
        Some(vec![act::CHANGE_ROLE.to_owned()])
    );

    // A failure is shown to its owner and is none of the managers'.
    let key = Mailbox::recipient(ben);
    Alerts::failed(&store, &key, "The mail server does not answer.")
        .await
        .unwrap();
    let kept = Mailboxes::of(&store, ben).await.unwrap().unwrap();
    assert_eq!(
        kept.failed.as_deref(),
        Some("The mail server does not answer.")
    );
    assert_eq!(store.alert_failure().await.unwrap(), None);

    // Another address begins anew.
    store
        .set(&own, Some(&"b@example.net".parse().unwrap()))
        .await
        .unwrap();
    let kept = Mailboxes::of(&store, ben).await.unwrap().unwrap();
    assert_eq!(kept.failed, None);
    assert_eq!(untold(&store, ben).await, None);
}
