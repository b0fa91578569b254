//! Forms as a browser without JavaScript posts them.

use std::sync::Arc;

use app::forms::endpoint;
use app::{OwnSession, RenewError};
use async_trait::async_trait;
use domain::person::{Person, Role};

use crate::browser::Browser;
use crate::fakes::PASSWORD;
use crate::scenes::{operation, world};

const RESTART: &str = "gateway=openclaw&kind=restart&reason=memory+after+import&key=k1";
const PAGE: &str = "/gateways/openclaw/operations/new/restart";

#[tokio::test]
async fn an_operator_starts_an_operation_and_lands_on_its_page() {
    let world = Arc::new(world());
    let browser = Browser::of(&world, Role::Operator);
    let answer = browser.post(PAGE, endpoint::START, RESTART).await;
    assert_eq!(answer.status, 302);
    assert_eq!(
        answer.location,
        "/operations/00000000-0000-0000-0000-000000000009"
    );
    assert_eq!(
        world.done(),
        ["anna started Restart (k1) because Some(\"memory after import\")"]
    );
}

#[tokio::test]
async fn a_viewer_starts_nothing_and_the_try_is_audited() {
    let world = Arc::new(world());
    let browser = Browser::of(&world, Role::Viewer);
    let answer = browser.post(PAGE, endpoint::START, RESTART).await;
    assert!(answer.location.contains("__err="), "{}", answer.location);
    assert_eq!(world.done(), [""; 0]);
    let written = world.written.lock().unwrap().clone();
    assert_eq!(written.len(), 1);
    assert_eq!(written[0].action, "restart");
}

#[tokio::test]
async fn nobody_signed_out_changes_anything() {
    let world = Arc::new(world());
    let browser = Browser::signed_out(&world);
    for to in endpoint::ALL {
        let form = format!("{RESTART}&id=1&name=x&role=admin&old=a&new=b&again=b&comment=c");
        browser.post("/", to, &form).await;
    }
    assert_eq!(world.done(), [""; 0]);
}

#[tokio::test]
async fn a_busy_gateway_says_whose_it_is_on_the_page_that_asked() {
    let mut world = world();
    world.holder = Some(operation(3, None));
    let browser = Browser::of(&Arc::new(world), Role::Operator);
    let answer = browser.post(PAGE, endpoint::START, RESTART).await;
    let page = browser.get(&answer.location).await;
    assert!(page.says("Recreate by ben since"));
    assert!(
        page.html
            .contains("/operations/00000000-0000-0000-0000-000000000003")
    );
}

#[tokio::test]
async fn a_taken_name_is_told_beside_its_field_once() {
    let world = Arc::new(world());
    let browser = Browser::of(&world, Role::Admin);
    let typed = "name=ben&role=manager&on[openclaw]=operator";
    let answer = browser.post("/people", endpoint::ADD_PERSON, typed).await;
    let page = browser.get(&answer.location).await;
    assert!(page.html.contains("aria-describedby=\"name-error\""));
    // What was typed is still there.
    let (_, form) = page.html.split_once("Invite a person").unwrap();
    assert!(form.contains("value=\"ben\""), "{form}");
    for chosen in ["manager", "operator"] {
        let option = format!("<option value=\"{chosen}\" selected");
        assert_eq!(form.matches(&option).count(), 1, "{form}");
    }
    assert_eq!(
        page.text()
            .matches("There is already somebody called")
            .count(),
        1
    );
}

#[tokio::test]
async fn a_wrong_password_is_told_and_not_repeated_in_the_url() {
    let world = Arc::new(world());
    let browser = Browser::of(&world, Role::Viewer);
    let form = "old=hunter2hunter2&new=correct-horse-1&again=correct-horse-1";
    let answer = browser
        .post("/account", endpoint::CHANGE_PASSWORD, form)
        .await;
    assert!(!answer.location.contains("hunter2"));
    let page = browser.get(&answer.location).await;
    assert!(page.says("The present password is not right."));
}

#[tokio::test]
async fn a_stuck_operation_is_freed_only_with_a_comment() {
    let world = Arc::new(world());
    let browser = Browser::of(&world, Role::Admin);
    let page = "/operations/00000000-0000-0000-0000-000000000002";
    let id = "id=00000000-0000-0000-0000-000000000002";
    let refused = browser.post(page, endpoint::ABANDON, id).await;
    let shown = browser.get(&refused.location).await;
    assert!(shown.says("Write what you found and did"));
    assert_eq!(world.done(), [""; 0]);
    let form = format!("{id}&comment=removed+the+old+one");
    let answer = browser.post(page, endpoint::ABANDON, &form).await;
    assert_eq!(answer.location, page);
    assert!(world.done()[0].ends_with("removed the old one"));
}

#[tokio::test]
async fn what_has_ended_cannot_be_cancelled() {
    let world = Arc::new(world());
    let browser = Browser::of(&world, Role::Admin);
    let page = "/operations/00000000-0000-0000-0000-000000000001";
    let id = "id=00000000-0000-0000-0000-000000000001";
    let answer = browser.post(page, endpoint::CANCEL, id).await;
    assert!(browser.get(&answer.location).await.says("It has ended."));
    assert_eq!(world.done(), [""; 0]);
}

/// Notes with which epoch it was renewed.
#[derive(Default)]
struct Renewed(std::sync::Mutex<Vec<i64>>);

#[async_trait]
impl OwnSession for Renewed {
    async fn renew(&self, person: &Person) -> Result<(), RenewError> {
        self.0.lock().unwrap().push(person.session_epoch);
        Ok(())
    }

    async fn is_half_confirmed(&self) -> Result<bool, RenewError> {
        Ok(false)
    }

    async fn confirm(&self) -> Result<(), RenewError> {
        Ok(())
    }
}

#[tokio::test]
async fn whoever_changes_the_password_stays_signed_in_and_is_told_that_others_are_not() {
    let (world, session) = (Arc::new(world()), Arc::new(Renewed::default()));
    let browser = Browser::of(&world, Role::Viewer).in_session(session.clone());
    let form = format!("old={PASSWORD}&new=a-much-longer-one&again=a-much-longer-one");
    let answer = browser
        .post("/account", endpoint::CHANGE_PASSWORD, &form)
        .await;
    assert_eq!(answer.location, "/account?done=password");
    assert_eq!(*session.0.lock().unwrap(), [5]);
    let page = browser.get(&answer.location).await;
    assert!(page.says("Your password is changed. Other devices are signed out."));
}

#[tokio::test]
async fn a_wrong_present_password_renews_nothing() {
    let (world, session) = (Arc::new(world()), Arc::new(Renewed::default()));
    let browser = Browser::of(&world, Role::Viewer).in_session(session.clone());
    let form = "old=wrong&new=a-much-longer-one&again=a-much-longer-one";
    let answer = browser
        .post("/account", endpoint::CHANGE_PASSWORD, form)
        .await;
    let page = browser.get(&answer.location).await;
    assert!(page.says("The present password is not right."));
    assert_eq!(*session.0.lock().unwrap(), [0; 0]);
}
