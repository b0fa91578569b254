//! Filters of the audit trail that somebody keeps by a name.

use std::sync::Arc;

use app::forms::endpoint;
use domain::audit::SavedView;
use domain::path;
use domain::person::Role;
use uuid::Uuid;

use crate::authorisation::rich;
use crate::browser::Browser;

const PAGE: &str = path::AUDIT;

#[tokio::test]
async fn a_filter_is_kept_by_a_name_and_what_cannot_be_kept_is_said_at_the_field() {
    let world = rich();
    let browser = Browser::of(&world, Role::Manager);
    assert!(!browser.get(PAGE).await.says("Save this view"));
    let page = browser.get("/audit?what=wipe").await;
    assert!(page.says("Save this view"), "{}", page.text());
    let form = "name=+all++wipes&query=what%3Dwipe%26view%3Devents%26other%3D1";
    let kept = browser.post(PAGE, endpoint::SAVE_VIEW, form).await;
    assert_eq!(kept.location, "/audit?what=wipe&view=events");
    assert_eq!(world.done(), ["view all wipes: what=wipe&view=events"]);

    let nameless = "name=+&query=what%3Dwipe";
    let wrong = browser.post(PAGE, endpoint::SAVE_VIEW, nameless).await;
    let back = browser.get(&wrong.location).await;
    assert!(back.html.contains("id=\"saved-error\""), "{}", back.html);
    assert!(back.says("Give the view a name"));
    let many = "name=one+too+many&query=what%3Dwipe";
    let wrong = browser.post(PAGE, endpoint::SAVE_VIEW, many).await;
    let back = browser.get(&wrong.location).await;
    assert!(back.says("You keep 20 views"), "{}", back.text());
    assert!(
        back.html.contains("value=\"one too many\""),
        "{}",
        back.html
    );
}

#[tokio::test]
async fn a_kept_one_is_a_link_and_is_deleted_where_it_is_set() {
    let mut world = Arc::into_inner(rich()).unwrap();
    let id = Uuid::from_u128(5);
    world.saved_views = vec![SavedView {
        id,
        name: "all wipes".to_owned(),
        query: "what=wipe".to_owned(),
    }];
    let world = Arc::new(world);
    let browser = Browser::of(&world, Role::Manager);
    let page = browser.get(PAGE).await;
    assert!(
        page.html.contains("href=\"/audit?what=wipe\""),
        "{}",
        page.html
    );
    assert!(!page.says("Delete the view"));
    let set = browser.get("/audit?what=wipe").await;
    assert!(set.says("Delete the view “all wipes”"), "{}", set.text());
    assert!(!set.says("Save this view"));
    let form = format!("id={id}");
    let gone = browser.post(PAGE, endpoint::REMOVE_VIEW, &form).await;
    assert_eq!(gone.location, PAGE);
    let form = format!("id={}", Uuid::from_u128(6));
    let other = browser.post(PAGE, endpoint::REMOVE_VIEW, &form).await;
    let back = browser.get(&other.location).await;
    assert!(back.says("There is no such view"), "{}", back.text());
}
