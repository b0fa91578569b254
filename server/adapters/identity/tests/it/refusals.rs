//! What is not right opens nothing.

use std::time::Duration;

use domain::identity::{Answer, CEREMONY, Purpose, Refusal};
use domain::ports::IdentityProvider as _;
use serde_json::{Value, json};

use crate::scripted::{NOW, Signed, World};

/// A token with these claims is refused for this.
async fn token_refused(claims: Value, why: &str) {
    let world = World::new().await;
    world.set(|script| script.claims = claims.clone());
    let refused = world.sign_in().await.unwrap_err();
    assert_eq!(refused.refusal, Refusal::Untrusted, "{claims}: {refused}");
    assert!(refused.detail.contains(why), "{claims}: {refused}");
}

#[tokio::test]
async fn a_token_for_another_question_or_none() {
    token_refused(json!({ "nonce": "another" }), "nonce").await;
    token_refused(json!({ "nonce": null }), "nonce").await;
}

#[tokio::test]
async fn a_token_for_somebody_else() {
    token_refused(json!({ "aud": "another" }), "audience").await;
    token_refused(json!({ "aud": ["panel", "another"] }), "audience").await;
    token_refused(json!({ "azp": "another" }), "another party").await;
}

#[tokio::test]
async fn a_token_of_another_issuer() {
    token_refused(json!({ "iss": "https://evil.example" }), "issuer").await;
}

#[tokio::test]
async fn a_token_that_is_over_or_not_yet() {
    token_refused(json!({ "exp": NOW }), "expired").await;
    token_refused(json!({ "iat": NOW + 301 }), "future").await;
}

#[tokio::test]
async fn a_token_that_names_another_access_token() {
    token_refused(
        json!({ "at_hash": "AAAAAAAAAAAAAAAAAAAAAA" }),
        "access token",
    )
    .await;
}

#[tokio::test]
async fn a_token_that_nobody_signed_who_may() {
    for (what, header, signed) in [
        (
            "another key",
            json!({ "alg": "EdDSA", "kid": "1" }),
            Signed::ByAnother,
        ),
        (
            "an unknown key",
            json!({ "alg": "EdDSA", "kid": "2" }),
            Signed::ByAnother,
        ),
        ("no signature", json!({ "alg": "none" }), Signed::Not),
        (
            "a cut signature",
            json!({ "alg": "EdDSA", "kid": "1" }),
            Signed::Not,
        ),
        (
            "the panel's own secret",
            json!({ "alg": "HS256" }),
            Signed::ByItself,
        ),
    ] {
        let world = World::new().await;
        world.set(|script| {
            script.header = header;
            script.signed = signed;
        });
        let refused = world.sign_in().await.unwrap_err();
        assert_eq!(refused.refusal, Refusal::Untrusted, "{what}: {refused}");
    }
}

#[tokio::test]
async fn an_answer_to_another_session_or_after_too_long() {
    let world = World::new().await;
    let (asked, _) = world.begin(Purpose::SignIn).await;
    let (other, _) = world.begin(Purpose::SignIn).await;
    let planted = world.answer(&other);
    let refused = world.provider.finish(&asked, planted).await.unwrap_err();
    assert_eq!(refused.refusal, Refusal::Late, "{refused}");
    let empty = Answer::default();
    let refused = world.provider.finish(&asked, empty).await.unwrap_err();
    assert_eq!(refused.refusal, Refusal::Late, "{refused}");
    world.clock.forward(CEREMONY);
    let late = world.answer(&other);
    let refused = world.provider.finish(&other, late).await.unwrap_err();
    assert_eq!(refused.refusal, Refusal::Late, "{refused}");
    // None of them reached the provider.
    assert!(world.script.lock().unwrap().seen.is_empty());
}

#[tokio::test]
async fn a_mix_up_gives_no_code_away() {
    let world = World::new().await;
    let (asked, _) = world.begin(Purpose::SignIn).await;
    for issuer in [Some("https://evil.example".to_owned()), None] {
        let answer = Answer {
            issuer,
            ..world.answer(&asked)
        };
        let refused = world.provider.finish(&asked, answer).await.unwrap_err();
        assert_eq!(refused.refusal, Refusal::Untrusted, "{refused}");
    }
    assert!(world.script.lock().unwrap().seen.is_empty());
    // A provider that never says it may leave it out, but not say another.
    world.set(|script| {
        script.metadata = json!({ "authorization_response_iss_parameter_supported": null });
    });
    let answer = Answer {
        issuer: None,
        ..world.answer(&asked)
    };
    assert!(world.provider.finish(&asked, answer).await.is_ok());
}

#[tokio::test]
async fn a_code_that_another_proof_is_for_or_that_was_used() {
    let world = World::new().await;
    let (mut asked, _) = world.begin(Purpose::SignIn).await;
    asked.verifier = "a-verifier-that-somebody-made-up-on-their-own-1".to_owned();
    let answer = world.answer(&asked);
    let refused = world.provider.finish(&asked, answer).await.unwrap_err();
    assert_eq!(refused.refusal, Refusal::Untrusted, "{refused}");
    assert!(refused.detail.contains("invalid_grant"), "{refused}");

    let (asked, _) = world.begin(Purpose::SignIn).await;
    let answer = world.answer(&asked);
    assert!(world.provider.finish(&asked, answer.clone()).await.is_ok());
    let refused = world.provider.finish(&asked, answer).await.unwrap_err();
    assert_eq!(refused.refusal, Refusal::Untrusted, "{refused}");
}

#[tokio::test]
async fn whoever_said_no_there() {
    let world = World::new().await;
    let (asked, _) = world.begin(Purpose::SignIn).await;
    let answer = Answer {
        code: None,
        error: Some("access_denied\n".to_owned()),
        ..world.answer(&asked)
    };
    let refused = world.provider.finish(&asked, answer).await.unwrap_err();
    assert_eq!(refused.refusal, Refusal::Declined, "{refused}");
    assert!(!refused.detail.contains("\\n"), "{refused}");
}

#[tokio::test]
async fn one_that_is_away_is_said_to_be_on_both_ways() {
    let world = World::new().await;
    let (asked, _) = world.begin(Purpose::SignIn).await;
    world.set(|script| script.down = true);
    // What it said a moment ago is still good for the way there.
    assert!(world.provider.begin(Purpose::SignIn).await.is_ok());
    let answer = world.answer(&asked);
    let refused = world.provider.finish(&asked, answer).await.unwrap_err();
    assert_eq!(refused.refusal, Refusal::Away, "{refused}");
    world.clock.forward(Duration::from_secs(61));
    let refused = world.provider.begin(Purpose::SignIn).await.unwrap_err();
    assert_eq!(refused.refusal, Refusal::Away, "{refused}");
}

#[tokio::test]
async fn one_that_describes_another_or_speaks_in_the_clear() {
    for metadata in [
        json!({ "issuer": "https://evil.example" }),
        json!({ "token_endpoint": "http://id.example.org/token" }),
        json!({ "userinfo_endpoint": "http://id.example.org/more" }),
        json!({ "authorization_endpoint": "http://id.example.org/authorize" }),
    ] {
        let world = World::new().await;
        world.set(|script| script.metadata = metadata.clone());
        let refused = world.provider.begin(Purpose::SignIn).await.unwrap_err();
        assert_eq!(refused.refusal, Refusal::Untrusted, "{metadata}: {refused}");
    }
}

#[tokio::test]
async fn a_subject_that_cannot_be_kept() {
    token_refused(json!({ "sub": "" }), "subject").await;
    token_refused(json!({ "sub": "x".repeat(256) }), "subject").await;
}
