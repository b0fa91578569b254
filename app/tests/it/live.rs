//! What event streams push.

use std::sync::Arc;

use app::live;
use domain::person::Role;

use crate::browser::Browser;
use crate::fakes::{NOW, panel};
use crate::scenes::{ago, observation, operation, world};

#[tokio::test]
async fn a_new_look_that_found_the_same_changes_only_what_shows_its_age() {
    let id = "openclaw".parse().unwrap();
    let before = panel(&Arc::new(world()));
    let before = live::gateway_fragments(&before, Role::Admin, &id)
        .await
        .unwrap();
    let mut world = world();
    let mut seen = observation();
    seen.edge.checked_at = Some(ago(1));
    world.observation = Some(Arc::new(seen));
    let after = panel(&Arc::new(world));
    let after = live::gateway_fragments(&after, Role::Admin, &id)
        .await
        .unwrap();
    let changed = live::changed(&before.fragments, &after.fragments);
    let ids: Vec<&str> = changed.iter().map(|fragment| fragment.id).collect();
    assert_eq!(ids, ["checked", "fact-edge"]);
    let patch = live::patch(8, &changed, NOW);
    assert!(patch.starts_with(r#"{"revision":8,"now":1800000000000,"fragments":[{"id":"checked""#));
    assert!(
        !patch.contains('\u{e000}') && !patch.contains('\n'),
        "{patch}"
    );
}

#[tokio::test]
async fn two_views_share_one_rendering_and_every_fragment_is_on_the_page() {
    let id = "openclaw".parse().unwrap();
    let world = Arc::new(world());
    let panel = panel(&world);
    let one = live::gateway_fragments(&panel, Role::Admin, &id)
        .await
        .unwrap();
    let two = live::gateway_fragments(&panel, Role::Admin, &id)
        .await
        .unwrap();
    assert!(Arc::ptr_eq(&one, &two));
    let viewer = live::gateway_fragments(&panel, Role::Viewer, &id)
        .await
        .unwrap();
    assert!(!Arc::ptr_eq(&one, &viewer));
    let page = Browser::of(&world, Role::Admin)
        .get("/gateways/openclaw")
        .await;
    for fragment in &one.fragments {
        let id = format!("id=\"{}\"", fragment.id);
        assert_eq!(page.html.matches(&id).count(), 1, "{id}");
        let html = fragment.html(NOW);
        assert_eq!(html.matches(&id).count(), 1, "{html}");
        assert!(page.html.contains(&html), "{html}");
    }
}

#[tokio::test]
async fn the_list_of_operations_and_the_navigation_are_pushed_as_the_page_shows_them() {
    let mut world = world();
    world.holder = Some(operation(3, None));
    let world = Arc::new(world);
    let (panel, id) = (panel(&world), "openclaw".parse().unwrap());
    let page = Browser::of(&world, Role::Viewer)
        .get("/gateways/openclaw/operations")
        .await;
    assert!(
        page.html
            .contains("data-events=\"/events/gateways/openclaw/operations\"")
    );
    let mut fragments = live::operations_fragments(&panel, &id).await.unwrap();
    fragments.push(live::running(&panel, &id));
    for fragment in fragments {
        assert!(page.html.contains(&fragment.html(NOW)), "{}", fragment.id);
    }
    let older = Browser::of(&world, Role::Viewer)
        .get("/gateways/openclaw/operations?before=00000000-0000-0000-0000-000000000002")
        .await;
    assert!(!older.html.contains("data-events"));
}
