use std::sync::Mutex;
use std::time::Duration;

use async_trait::async_trait;
use axum::http::{StatusCode, header};
use axum::routing::post;
use domain::can::Permit;
use domain::identity::{CEREMONY, Claims, Subject};
use domain::person::{Actor, Person, Role};
use domain::ports::{Clock, Proofs, SignIn, StoreError};
use domain::second_factor::SECOND_STEP;
use domain::time::Timestamp;
use uuid::Uuid;

use super::*;
use crate::http::testing::{Browser, House, anna, house};

/// A provider that knows anna, or is away.
struct Example {
    clock: Arc<dyn Clock>,
    away: Mutex<bool>,
    begun: Mutex<u32>,
}

fn failed(refusal: Refusal) -> ProviderError {
    ProviderError {
        refusal,
        detail: "as told".to_owned(),
    }
}

#[async_trait]
impl IdentityProvider for Example {
    fn name(&self) -> &'static str {
        "Example"
    }
    fn role(&self, groups: &[String]) -> Option<Role> {
        groups.contains(&"ops".to_owned()).then_some(Role::Operator)
    }
    async fn begin(&self, purpose: Purpose) -> Result<domain::ports::Errand, ProviderError> {
        if *self.away.lock().unwrap() {
            return Err(failed(Refusal::Away));
        }
        let mut begun = self.begun.lock().unwrap();
        *begun += 1;
        Ok(domain::ports::Errand {
            url: format!("https://id.example.org/authorize?state=state-{begun}"),
            asked: Asked {
                purpose,
                state: format!("state-{begun}"),
                nonce: "nonce".to_owned(),
                verifier: "verifier".to_owned(),
                at: self.clock.now(),
            },
        })
    }
    async fn finish(&self, asked: &Asked, answer: Answer) -> Result<Claims, ProviderError> {
        if answer.state != asked.state || !asked.is_open(self.clock.now()) {
            return Err(failed(Refusal::Late));
        }
        if answer
            .issuer
            .is_some_and(|issuer| issuer != "https://id.example.org")
        {
            return Err(failed(Refusal::Untrusted));
        }
        let code = answer.code.ok_or_else(|| failed(Refusal::Declined))?;
        Ok(Claims {
            subject: Subject {
                issuer: "https://id.example.org".to_owned(),
                id: code,
            },
            preferred_username: None,
            mail: None,
            mail_verified: None,
            groups: vec!["ops".to_owned()],
            proved_at: None,
        })
    }
}

/// Who is who: the code is the subject, and anna's is `anna`.
#[derive(Default)]
struct Known {
    counted: Mutex<u32>,
    refused: Mutex<Vec<Refusal>>,
    until: Mutex<Option<Timestamp>>,
}

#[async_trait]
impl Identities for Known {
    async fn count(&self, _: Option<&str>) -> Result<Option<Timestamp>, StoreError> {
        *self.counted.lock().unwrap() += 1;
        Ok(*self.until.lock().unwrap())
    }
    async fn refuse(&self, _: &str, refusal: Refusal, _: Whence) -> Result<(), StoreError> {
        self.refused.lock().unwrap().push(refusal);
        Ok(())
    }
    async fn sign_in(&self, proved: Proved, _: Whence) -> Result<ByProvider, StoreError> {
        assert_eq!(proved.role, Some(Role::Operator));
        Ok(match proved.claims.subject.id.as_str() {
            "anna" => ByProvider::In(SignIn::Welcome(anna())),
            "two-steps" => ByProvider::In(SignIn::SecondStep(anna())),
            _ => ByProvider::Not(Refusal::NameTaken),
        })
    }
    async fn confirm(&self, _: &Actor, proved: Proved) -> Result<ProviderConfirms, PeopleError> {
        Ok(match proved.claims.subject.id.as_str() {
            "anna" => ProviderConfirms::Whole,
            "two-steps" => ProviderConfirms::Half,
            _ => ProviderConfirms::Not(Refusal::SomebodyElse),
        })
    }
    async fn of(&self, _: Uuid) -> Result<Proofs, StoreError> {
        Ok(Proofs::default())
    }
    async fn all(&self) -> Result<Vec<(Uuid, Subject)>, StoreError> {
        Ok(Vec::new())
    }
    async fn connect(&self, _: Permit, _: Uuid, _: Subject) -> Result<Person, PeopleError> {
        Err(PeopleError::NotPermitted)
    }
    async fn disconnect(&self, _: Permit, _: Uuid) -> Result<(), PeopleError> {
        Ok(())
    }
}

struct World {
    house: House,
    provider: Arc<Example>,
    known: Arc<Known>,
    router: Router,
}

fn world() -> World {
    let house = house();
    let provider = Arc::new(Example {
        clock: house.clock.clone(),
        away: Mutex::default(),
        begun: Mutex::default(),
    });
    let known = Arc::new(Known::default());
    let routes = routes(Gate {
        desk: house.desk(),
        identities: known.clone(),
        provider: provider.clone(),
    });
    let clock = house.clock.clone();
    let begin = move |session: Session| async move {
        sessions::begin(&session, &anna(), None, clock.now())
            .await
            .unwrap();
    };
    let said = |axum::Extension(viewer): axum::Extension<Arc<Viewer>>| async move {
        let since = viewer.confirmed_at.since(viewer.signed_in_at);
        since.as_secs().to_string()
    };
    let half = |axum::Extension(own): axum::Extension<Arc<dyn app::OwnSession>>| async move {
        own.is_half_confirmed().await.unwrap().to_string()
    };
    let inside = Router::new()
        .route("/page", get(said))
        .route("/half", post(half))
        .layer(axum::middleware::from_fn_with_state(
            house.door.clone(),
            sessions::require,
        ));
    let router = house.around(routes.merge(inside).route("/begin", post(begin)));
    World {
        house,
        provider,
        known,
        router,
    }
}

fn location(answer: &Response) -> &str {
    assert_eq!(answer.status(), StatusCode::SEE_OTHER);
    answer.headers()[header::LOCATION].to_str().unwrap()
}

/// Where an answer of the provider leads.
async fn back(browser: &mut Browser, query: &str) -> String {
    let answer = browser.get(&format!("/sign-in/oidc/return?{query}")).await;
    location(&answer).to_owned()
}

async fn goes(browser: &mut Browser, way: &str) -> String {
    let answer = browser.get(way).await;
    location(&answer).to_owned()
}

async fn is_in(browser: &mut Browser) -> bool {
    browser.get("/page").await.status() == StatusCode::OK
}

#[tokio::test]
async fn there_and_back_and_in_under_a_new_session() {
    let world = world();
    let mut browser = Browser::new(&world.router);
    let there = goes(&mut browser, "/sign-in/oidc?next=%2Fpeople").await;
    assert_eq!(there, "https://id.example.org/authorize?state=state-1");
    let waiting = browser.cookie.clone();
    assert!(!is_in(&mut browser.clone()).await);
    assert_eq!(
        back(&mut browser, "state=state-1&code=anna").await,
        "/people"
    );
    assert!(is_in(&mut browser).await);
    assert!(waiting.is_some());
    let mut planted = Browser::new(&world.router);
    planted.cookie = waiting;
    assert!(
        !is_in(&mut planted).await,
        "the session of before is worth nothing"
    );
    assert_eq!(*world.known.counted.lock().unwrap(), 1);
}

#[tokio::test]
async fn nobody_is_sent_elsewhere_afterwards() {
    let world = world();
    let mut browser = Browser::new(&world.router);
    goes(&mut browser, "/sign-in/oidc?next=%2F%2Fevil.example").await;
    assert_eq!(back(&mut browser, "state=state-1&code=anna").await, "/");
}

#[tokio::test]
async fn an_answer_is_taken_once_and_in_its_own_session_only() {
    let world = world();
    let late = "/sign-in?oidc=late&next=%2F";
    let mut browser = Browser::new(&world.router);
    goes(&mut browser, "/sign-in/oidc").await;
    let mut thief = Browser::new(&world.router);
    assert_eq!(back(&mut thief, "state=state-1&code=anna").await, late);
    goes(&mut thief, "/sign-in/oidc").await;
    // A planted answer: of another question, in a session that asked one of its own.
    assert_eq!(back(&mut thief, "state=state-1&code=anna").await, late);
    assert_eq!(
        back(&mut thief, "state=state-2&code=anna").await,
        late,
        "used up"
    );
    assert!(!is_in(&mut thief).await);

    let again = browser.clone();
    assert_eq!(back(&mut browser, "state=state-1&code=anna").await, "/");
    for mut browser in [browser, again] {
        assert_eq!(back(&mut browser, "state=state-1&code=anna").await, late);
    }
    let refused = world.known.refused.lock().unwrap().clone();
    assert_eq!(refused, [Refusal::Late; 5]);
}

#[tokio::test]
async fn an_answer_that_comes_too_late_or_of_another_provider_opens_nothing() {
    let world = world();
    let mut browser = Browser::new(&world.router);
    goes(&mut browser, "/sign-in/oidc").await;
    world.house.clock.forward(CEREMONY);
    let said = back(&mut browser, "state=state-1&code=anna").await;
    assert_eq!(said, "/sign-in?oidc=late&next=%2F");
    goes(&mut browser, "/sign-in/oidc").await;
    let mixed = "state=state-2&code=anna&iss=https%3A%2F%2Fevil.example";
    let said = back(&mut browser, mixed).await;
    assert_eq!(said, "/sign-in?oidc=untrusted&next=%2F");
    goes(&mut browser, "/sign-in/oidc?next=%2Fpeople").await;
    let said = back(&mut browser, "state=state-3&error=access_denied").await;
    assert_eq!(said, "/sign-in?oidc=declined&next=%2Fpeople");
    goes(&mut browser, "/sign-in/oidc").await;
    let said = back(&mut browser, "state=state-4&code=ben").await;
    assert_eq!(said, "/sign-in?oidc=taken&next=%2F");
    assert!(!is_in(&mut browser).await);
}

#[tokio::test]
async fn a_second_factor_is_asked_for_as_after_a_password() {
    let world = world();
    let mut browser = Browser::new(&world.router);
    goes(&mut browser, "/sign-in/oidc?next=%2Fpeople").await;
    let said = back(&mut browser, "state=state-1&code=two-steps").await;
    assert!(said.starts_with("/sign-in/code?"), "{said}");
    assert!(!is_in(&mut browser).await);
}

#[tokio::test]
async fn while_the_provider_is_away_no_try_is_used_up() {
    let world = world();
    *world.provider.away.lock().unwrap() = true;
    let mut browser = Browser::new(&world.router);
    let said = goes(&mut browser, "/sign-in/oidc?next=%2Fpeople").await;
    assert_eq!(said, "/sign-in?oidc=away&next=%2Fpeople");
    assert_eq!(*world.known.counted.lock().unwrap(), 0);
    assert!(browser.cookie.is_none(), "nothing is remembered");
}

#[tokio::test]
async fn whoever_tried_too_often_waits_and_nothing_is_remembered() {
    let world = world();
    let until = world.house.clock.now().plus(Duration::from_secs(30));
    *world.known.until.lock().unwrap() = Some(until);
    let mut browser = Browser::new(&world.router);
    for way in ["/sign-in/oidc", "/sign-in/oidc/return?state=a&code=b"] {
        let said = goes(&mut browser, way).await;
        assert_eq!(said, "/sign-in?throttled=30&next=%2F");
    }
    assert!(browser.cookie.is_none());
    assert!(world.known.refused.lock().unwrap().is_empty());
}

#[tokio::test]
async fn one_confirms_who_one_is_by_the_same_way() {
    let world = world();
    let mut browser = Browser::new(&world.router);
    let nobody = goes(&mut browser, "/sign-in/oidc/confirm?next=%2Fpeople").await;
    assert_eq!(nobody, "/sign-in?ended=1");
    browser.post("/begin").await;
    world.house.clock.forward(Duration::from_secs(90));
    goes(&mut browser, "/sign-in/oidc/confirm?next=%2Fpeople").await;
    let other = back(&mut browser, "state=state-1&code=ben").await;
    assert_eq!(other, "/account/confirm?oidc=somebody-else&next=%2Fpeople");
    goes(&mut browser, "/sign-in/oidc/confirm?next=%2Fpeople").await;
    let mut before = browser.clone();
    assert_eq!(
        back(&mut browser, "state=state-2&code=anna").await,
        "/people"
    );
    let said = browser.get("/page").await;
    let said = axum::body::to_bytes(said.into_body(), 100).await.unwrap();
    assert_eq!(&said[..], b"90");
    assert!(!is_in(&mut before).await, "the id is new");
}

#[tokio::test]
async fn who_has_a_second_factor_is_half_confirmed_by_it_for_some_minutes() {
    async fn read(browser: &mut Browser, page: &str) -> String {
        // The own session is given to forms alone.
        let said = match page {
            "/half" => browser.post(page).await,
            _ => browser.get(page).await,
        };
        let said = axum::body::to_bytes(said.into_body(), 100).await.unwrap();
        String::from_utf8(said.to_vec()).unwrap()
    }
    let world = world();
    let mut browser = Browser::new(&world.router);
    browser.post("/begin").await;
    assert_eq!(read(&mut browser, "/half").await, "false");
    world.house.clock.forward(Duration::from_secs(90));
    goes(&mut browser, "/sign-in/oidc/confirm?next=%2Fpeople").await;
    let said = back(&mut browser, "state=state-1&code=two-steps").await;
    assert_eq!(said, "/account/confirm?half=1&next=%2Fpeople");
    assert_eq!(read(&mut browser, "/page").await, "0", "not confirmed yet");
    assert_eq!(read(&mut browser, "/half").await, "true");
    world.house.clock.forward(SECOND_STEP);
    assert_eq!(read(&mut browser, "/half").await, "false");

    // Whoever signs in over it begins with nothing.
    goes(&mut browser, "/sign-in/oidc/confirm").await;
    back(&mut browser, "state=state-2&code=two-steps").await;
    browser.post("/begin").await;
    assert_eq!(read(&mut browser, "/half").await, "false");
}
