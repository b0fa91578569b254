//! Where one is signed in, and what a new browser leads to.

use std::sync::Arc;
use std::time::Duration;

use app::Viewer;
use app::forms::endpoint;
use domain::path;
use domain::person::{Actor, Role};
use domain::session::PersonSession;
use uuid::Uuid;

use crate::browser::Browser;
use crate::fake_people::person;
use crate::fakes::{NOW, World};
use crate::scenes::world;

fn session(id: u128, browser: &str) -> PersonSession {
    PersonSession {
        id: Uuid::from_u128(id),
        epoch: 0,
        turn: 0,
        begun_at: NOW.minus(Duration::from_secs(3_600)),
        seen_at: NOW.minus(Duration::from_secs(600)),
        ended_at: None,
        address: Some("192.0.2.7".to_owned()),
        browser: Some(browser.to_owned()),
        is_new: false,
    }
}

/// Anna on her phone; her sessions besides.
fn anna(world: &Arc<World>, others: Vec<PersonSession>) -> Browser {
    let anna = person(1, "anna", Role::Viewer);
    let mut sessions = others;
    sessions.push(session(1, "Firefox on Android"));
    let viewer = Viewer {
        actor: Actor::Person {
            id: anna.id,
            name: anna.name.clone(),
            role: Role::Viewer,
            address: None,
            browser: None,
            session: None,
            token: None,
        },
        person: anna,
        session: Some(Uuid::from_u128(1)),
        sessions: sessions.into(),
        signed_in_at: NOW,
        confirmed_at: NOW,
    };
    Browser::with(world, Some(viewer))
}

#[tokio::test]
async fn open_sessions_are_listed_and_ended_one_by_one_or_all_others() {
    let world = Arc::new(world());
    let mut ended = session(3, "Ended");
    ended.ended_at = Some(NOW);
    let mut idle = session(4, "Idle");
    idle.seen_at = NOW.minus(Duration::from_secs(13 * 3_600));
    let mut before = session(5, "Before the new password");
    before.epoch = -1;
    let others = vec![session(2, "Safari on iPhone"), ended, idle, before];
    let browser = anna(&world, others);
    let page = browser.get(path::ACCOUNT).await;
    let text = page.text();
    assert!(
        text.find("this one") < text.find("Safari on iPhone"),
        "{text}"
    );
    for gone in ["Ended", "Idle", "Before the new password"] {
        assert!(!page.says(gone), "{gone}");
    }
    assert!(
        !page.says("Sign out everywhere else"),
        "one other: its own button is enough"
    );
    let many = vec![
        session(2, "Safari on iPhone"),
        session(6, "Edge on Windows"),
    ];
    let page = anna(&world, many).get(path::ACCOUNT).await;
    assert!(page.says("Sign out everywhere else"));

    let id = format!("id={}", Uuid::from_u128(2));
    let done = browser
        .post(path::ACCOUNT, endpoint::END_SESSION, &id)
        .await;
    let page = browser.get(&done.location).await;
    assert!(page.says("change your password now"), "{}", page.text());
    let late = format!("id={}", Uuid::from_u128(200));
    let over = browser
        .post(path::ACCOUNT, endpoint::END_SESSION, &late)
        .await;
    assert!(browser.get(&over.location).await.says("over already"));
    browser
        .post(path::ACCOUNT, endpoint::END_OTHER_SESSIONS, "")
        .await;
    let own = Uuid::from_u128(1);
    let done = world.done();
    assert_eq!(
        done[2],
        format!("anna ends all but Some({own})"),
        "{done:?}"
    );
}

#[tokio::test]
async fn a_new_browser_is_told_on_every_page_until_it_is_answered() {
    let world = Arc::new(world());
    let mut new = session(2, "Chrome on <Linux>");
    new.is_new = true;
    let browser = anna(&world, vec![new.clone()]);
    for url in ["/gateways/openclaw", path::ACCOUNT, "/nothing/here"] {
        let page = browser.get(url).await;
        assert!(page.says("Somebody signed in as you with"), "{url}");
        assert!(page.says("Was it you?"), "{url}");
        assert!(!page.html.contains('\u{e000}'), "{url}");
    }
    let id = format!("id={}", Uuid::from_u128(2));
    browser
        .post(path::ACCOUNT, endpoint::ACKNOWLEDGE_SESSION, &id)
        .await;
    assert_eq!(world.done(), [format!("anna knows {}", new.id)]);
    let mut own = session(1, "Chrome on Linux");
    own.is_new = true;
    let itself = anna(&world, vec![own]).get(path::ACCOUNT).await;
    assert!(!itself.says("Was it you?"), "the new browser is not asked");
    new.ended_at = Some(NOW);
    let ended = anna(&world, vec![new]).get(path::ACCOUNT).await;
    assert!(!ended.says("Was it you?"));
}

#[tokio::test]
async fn an_admin_signs_somebody_out_everywhere() {
    let world = Arc::new(world());
    let id = world.people[1].id;
    let browser = Browser::of(&world, Role::Admin);
    assert!(browser.get("/people").await.says("Sign out everywhere"));
    let form = format!("id={id}");
    browser
        .post("/people", endpoint::END_SESSIONS_OF, &form)
        .await;
    assert_eq!(world.done(), [format!("{id} signed out everywhere")]);
    let viewer = Browser::of(&world, Role::Viewer);
    viewer
        .post("/people", endpoint::END_SESSIONS_OF, &form)
        .await;
    assert_eq!(world.done().len(), 1);
}
