//! The ways to the identity provider, and what pages say when it opened nothing.

use std::sync::{Arc, Mutex};
use std::time::Duration;

use app::{OwnSession, RenewError};
use async_trait::async_trait;
use domain::identity::{Refusal, Subject};
use domain::path;
use domain::person::{Person, Role};
use domain::second_factor::SecondFactor;

use app::forms::endpoint;

use crate::browser::Browser;
use crate::fake_people::CODE;
use crate::fakes::{NOW, World};
use crate::scenes::world;
use crate::second_factor::anna;

fn with_provider(known: bool) -> Arc<World> {
    let mut world = world();
    world.provider = Some("Example");
    if known {
        world.proofs.subjects = vec![Subject {
            issuer: "https://id.example.org".to_owned(),
            id: "248289761001".to_owned(),
        }];
    }
    Arc::new(world)
}

#[tokio::test]
async fn the_door_offers_it_where_there_is_one_and_by_a_plain_link() {
    let none = Arc::new(world());
    let door = Browser::signed_out(&none)
        .get("/sign-in?oidc=away&next=/people")
        .await;
    assert!(!door.html.contains(path::SIGN_IN_PROVIDER), "{}", door.html);
    assert!(!door.says("does not answer"), "{}", door.text());

    let browser = Browser::signed_out(&with_provider(false));
    let door = browser.get("/sign-in?next=/people").await;
    assert!(
        door.html.contains("href=\"/sign-in/oidc?next=%2Fpeople\""),
        "{}",
        door.html
    );
    assert!(door.says("Sign in with Example"), "{}", door.text());
    let door = browser.get("/sign-in?next=//evil.example").await;
    assert!(
        door.html.contains("href=\"/sign-in/oidc\""),
        "{}",
        door.html
    );
}

#[tokio::test]
async fn every_refusal_is_said_on_the_page_and_alerts() {
    let browser = Browser::signed_out(&with_provider(false));
    for refusal in Refusal::ALL {
        let door = browser
            .get(&format!("/sign-in?oidc={}", refusal.as_str()))
            .await;
        let said = refusal.sentence("Example");
        assert!(door.says(&said), "{said}: {}", door.text());
        assert_eq!(door.html.matches("role=\"alert\"").count(), 1);
    }
    let door = browser.get("/sign-in?oidc=nonsense").await;
    assert!(!door.html.contains("role=\"alert\""), "{}", door.html);
}

#[tokio::test]
async fn who_has_no_password_is_not_asked_for_it_and_told_the_way_to_one() {
    let mut world = world();
    world.provider = Some("Example");
    world.proofs.has_password = false;
    let lost = Arc::new(world);
    let browser = Browser::of(&lost, Role::Operator);
    let account = browser.get(path::ACCOUNT).await;
    assert!(account.says("without a password"), "{}", account.text());
    assert!(account.says("ask an admin for a one-time link"));
    let page = browser.get(path::CONFIRM_IDENTITY).await;
    for page in [&account, &page] {
        assert!(!page.html.contains("type=\"password\""), "{}", page.html);
    }
    assert!(page.says("Not now"), "{}", page.text());
    assert!(
        page.says("nothing else that confirms it is you"),
        "{}",
        page.text()
    );

    let known = with_provider(true);
    let account = Browser::of(&known, Role::Operator).get(path::ACCOUNT).await;
    assert!(
        account.says("by Example, or by the password"),
        "{}",
        account.text()
    );
    assert!(account.html.contains("type=\"password\""));
}

#[tokio::test]
async fn people_tells_who_signs_in_by_it_and_an_admin_takes_that_back() {
    let known = with_provider(true);
    let browser = Browser::of(&known, Role::Admin);
    let page = browser.get(path::PEOPLE).await;
    assert!(page.says("signs in by Example"), "{}", page.text());
    assert!(page.says("Disconnect from Example"), "{}", page.text());
    let ben = uuid::Uuid::from_u128(2);
    let form = format!("id={ben}");
    browser
        .post(path::PEOPLE, endpoint::DISCONNECT_PERSON, &form)
        .await;
    assert!(known.done().contains(&format!("{ben} disconnected")));

    let page = Browser::of(&with_provider(false), Role::Admin)
        .get(path::PEOPLE)
        .await;
    assert!(!page.says("Disconnect from"), "{}", page.text());
}

#[tokio::test]
async fn it_confirms_whom_it_knows() {
    let confirm = "/account/confirm?next=%2Fpeople";
    let way = "href=\"/sign-in/oidc/confirm?next=%2Fpeople\"";
    let known = with_provider(true);
    let page = Browser::of(&known, Role::Operator).get(confirm).await;
    assert!(page.html.contains(way), "{}", page.html);
    assert!(page.says("Confirm with Example"), "{}", page.text());
    let refused = Browser::of(&known, Role::Operator)
        .get(&format!("{confirm}&oidc=somebody-else"))
        .await;
    assert!(refused.says("You are somebody else at Example than here."));

    let stranger = with_provider(false);
    let page = Browser::of(&stranger, Role::Operator).get(confirm).await;
    assert!(!page.html.contains(path::CONFIRM_BY_PROVIDER));

    let mut keyed = anna(Role::Operator, 9, Duration::ZERO);
    for (authenticator, passkeys) in [(true, 0), (false, 1)] {
        keyed.person.second_factor = Some(SecondFactor {
            since: NOW,
            authenticator,
            passkeys,
            codes_left: 9,
        });
        let page = Browser::with(&known, Some(keyed.clone()))
            .get(confirm)
            .await;
        assert!(page.html.contains(way), "{}", page.html);
        assert!(page.says("for the code of your second factor"));
    }
}

/// A session of whom the provider has just said who it is, or not.
struct Half {
    said: bool,
    confirmed: Mutex<u32>,
}

#[async_trait]
impl OwnSession for Half {
    async fn renew(&self, _: &Person) -> Result<(), RenewError> {
        Ok(())
    }
    async fn is_half_confirmed(&self) -> Result<bool, RenewError> {
        Ok(self.said)
    }
    async fn confirm(&self) -> Result<(), RenewError> {
        *self.confirmed.lock().unwrap() += 1;
        Ok(())
    }
}

#[tokio::test]
async fn a_code_completes_what_the_provider_said_and_nothing_else() {
    let mut world = world();
    world.provider = Some("Example");
    world.proofs.has_password = false;
    let world = Arc::new(world);
    let half = "/account/confirm?half=1&next=%2Fpeople";
    for (said, code, confirmed, then) in [
        (true, CODE, 1, None),
        (true, "111111", 0, Some("is not right")),
        (false, CODE, 0, Some("took too long. Begin again")),
    ] {
        let session = Arc::new(Half {
            said,
            confirmed: Mutex::default(),
        });
        let ida = anna(Role::Admin, 9, Duration::from_secs(700));
        let browser = Browser::with(&world, Some(ida)).in_session(session.clone());
        let page = browser.get(half).await;
        assert!(page.says("Example says that it is you"), "{}", page.text());
        assert!(!page.html.contains("type=\"password\""), "{}", page.html);
        let form = format!("code={code}&next=%2Fpeople");
        let sent = browser.post(half, endpoint::CONFIRM_BY_CODE, &form).await;
        assert_eq!(
            *session.confirmed.lock().unwrap(),
            confirmed,
            "{said} {code}"
        );
        match then {
            None => assert_eq!(sent.location, "/people"),
            Some(then) => {
                let back = browser.get(&sent.location).await;
                assert!(back.says(then), "{}", back.text());
                assert!(
                    back.html.contains("name=\"next\" value=\"/people\""),
                    "{}",
                    back.html
                );
            }
        }
    }

    // Who has no second factor is never asked for its code, whatever the address says.
    let page = Browser::of(&world, Role::Admin).get(half).await;
    assert!(
        !page.html.contains(endpoint::CONFIRM_BY_CODE),
        "{}",
        page.html
    );
}
