//! What is right.

use domain::identity::{Purpose, Refusal};
use domain::person::Role;
use domain::ports::IdentityProvider as _;
use serde_json::json;

use crate::scripted::{NOW, World};

#[tokio::test]
async fn somebody_signs_in_and_is_read_from_the_signed_token() {
    let world = World::new().await;
    let (asked, query) = world.begin(Purpose::SignIn).await;
    assert_eq!(query["response_type"], "code");
    assert_eq!(query["code_challenge_method"], "S256");
    assert_eq!(query["scope"], "openid profile email");
    assert_eq!(query["client_id"], "panel");
    assert_eq!(
        query["redirect_uri"],
        "https://panel.example.org/sign-in/oidc/return"
    );
    assert_eq!(
        (&query["state"], &query["nonce"]),
        (&asked.state, &asked.nonce)
    );
    assert!(!query.contains_key("prompt") && !query.contains_key("max_age"));
    let answer = world.answer(&asked);
    let claims = world.provider.finish(&asked, answer).await.unwrap();
    assert_eq!(claims.subject.issuer, world.issuer());
    assert_eq!(claims.subject.id, "248289761001");
    assert_eq!(claims.name().unwrap(), "ida");
    assert_eq!(claims.groups, ["ops", "chess"]);
    assert_eq!(claims.against(), None);
    assert_eq!(world.provider.role(&claims.groups), Some(Role::Operator));
    assert_eq!(world.provider.role(&["chess".to_owned()]), None);
    let seen = world.script.lock().unwrap().seen.clone();
    assert_eq!(seen.len(), 1);
    assert!(!seen[0].contains_key("client_secret"), "not in the body");
}

#[tokio::test]
async fn every_question_is_another_one() {
    let world = World::new().await;
    let (first, _) = world.begin(Purpose::SignIn).await;
    let (second, _) = world.begin(Purpose::SignIn).await;
    assert_ne!(first.state, second.state);
    assert_ne!(first.nonce, second.nonce);
    assert_ne!(first.verifier, second.verifier);
}

#[tokio::test]
async fn what_the_token_leaves_out_is_asked_for() {
    let world = World::new().await;
    world.set(|script| {
        script.claims = json!({
            "preferred_username": null, "email": null, "email_verified": null, "groups": null,
        });
        script.more = Some(json!({
            "sub": "248289761001",
            "email": "ida@example.org",
            "email_verified": false,
            "groups": "staff",
        }));
    });
    let claims = world.sign_in().await.unwrap();
    assert_eq!(claims.groups, ["staff"]);
    assert_eq!(claims.mail.as_deref(), Some("ida@example.org"));
    // An address that is not verified stays one.
    assert_eq!(claims.against(), Some(Refusal::UnverifiedMail));
    assert_eq!(claims.name(), Err(Refusal::UnverifiedMail));
    // Of somebody else nothing is taken.
    world.set(|script| {
        script.more = Some(json!({ "sub": "999", "groups": ["ops"] }));
    });
    let refused = world.sign_in().await.unwrap_err();
    assert_eq!(refused.refusal, Refusal::Untrusted, "{refused}");
}

#[tokio::test]
async fn to_confirm_the_provider_has_to_ask_anew() {
    let world = World::new().await;
    let (asked, query) = world.begin(Purpose::Confirm).await;
    assert_eq!(query["prompt"], "login");
    assert_eq!(query["max_age"], "0");
    for (proved, anew) in [
        (json!(null), false),
        (json!(NOW - 1), false),
        (json!(NOW), true),
        (json!(NOW + 20), true),
    ] {
        let (asked, _) = world.begin(Purpose::Confirm).await;
        world.set(|script| script.claims = json!({ "auth_time": proved }));
        let answer = world.answer(&asked);
        let claims = world.provider.finish(&asked, answer).await;
        assert_eq!(claims.is_ok(), anew, "{proved}: {claims:?}");
        if let Err(error) = claims {
            assert_eq!(error.refusal, Refusal::NotAskedAnew, "{error}");
        }
    }
    assert!(asked.is_open(asked.at));
}
