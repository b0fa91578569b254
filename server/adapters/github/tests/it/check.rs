//! Whether the secret could be written, and each reason why not with what to do.

use adapter_github::Token;
use domain::fault::{Boundary, FaultKind, Retry};
use domain::ports::{RepositorySecrets as _, SecretAccess};
use domain::time::Timestamp;
use secrecy::SecretString;

use crate::stand_in::{REPOSITORY, StandIn, TOKEN, Trouble, World};
use crate::support::{Bench, NAME, VALUE, adapter, gateway, says_no_secret, value};

#[tokio::test]
async fn a_secret_that_could_be_written_is_ready_and_nothing_is_changed() {
    let bench = Bench::start().await;
    let ready = |updated_at| SecretAccess::Ready {
        repository: REPOSITORY.to_owned(),
        name: NAME.to_owned(),
        updated_at,
    };
    assert_eq!(bench.github.check(&gateway()).await, Ok(ready(None)));
    let at = bench.github.put(&gateway(), &value()).await.unwrap();
    bench.stand_in.world(|world| world.seen.clear());
    assert_eq!(bench.github.check(&gateway()).await, Ok(ready(Some(at))));
    let requests = bench.stand_in.requests();
    assert!(
        requests.iter().all(|asked| asked.starts_with("GET ")),
        "{requests:?}"
    );
    bench.stand_in.world(|world| {
        for seen in &world.seen {
            assert_eq!(seen.headers["accept"], "application/vnd.github+json");
            assert_eq!(seen.headers["x-github-api-version"], "2022-11-28");
            assert!(seen.headers["user-agent"].starts_with("openclaw-panel/"));
        }
    });
}

#[tokio::test]
async fn a_gateway_without_a_secret_is_off_and_asks_nobody() {
    let bench = Bench::start().await;
    let other = "other".parse().unwrap();
    assert_eq!(bench.github.check(&other).await, Ok(SecretAccess::Off));
    assert_eq!(bench.github.by_hand(&other), None);
    let fault = bench.github.put(&other, &value()).await.unwrap_err();
    assert_eq!(fault.kind, FaultKind::NotOffered);
    assert!(bench.stand_in.requests().is_empty());
}

#[test]
fn by_hand_it_is_a_command_without_the_value() {
    for (url, command) in [
        (
            "https://api.github.com",
            "gh secret set OPENCLAW_API_KEY -R example/infra",
        ),
        (
            "https://github.example.org/api/v3",
            "gh secret set OPENCLAW_API_KEY -R github.example.org/example/infra",
        ),
    ] {
        let github = adapter(url, None, REPOSITORY);
        assert_eq!(github.by_hand(&gateway()).as_deref(), Some(command));
    }
}

#[tokio::test]
async fn every_refusal_has_its_own_sentence_with_what_to_do() {
    let reset = Timestamp::parse_rfc3339("2026-11-22T03:00:00Z")
        .unwrap()
        .as_millis()
        / 1000;
    let none = Vec::new;
    for (trouble, kind, said) in [
        (
            Trouble::Answer("GET", 401, none()),
            FaultKind::Refused,
            "Make a new one and put it into",
        ),
        (
            Trouble::Answer("public-key", 403, none()),
            FaultKind::Refused,
            "Secrets: read and write",
        ),
        (
            Trouble::Answer(NAME, 403, none()),
            FaultKind::Refused,
            "may not write the secrets of example/infra",
        ),
        (
            Trouble::Answer(
                "GET",
                403,
                vec![(
                    "x-github-sso",
                    "required; url=https://github.com/orgs/x/sso?authorization_request=hunter22"
                        .into(),
                )],
            ),
            FaultKind::Refused,
            "single sign-on: authorize the token",
        ),
        (
            Trouble::Answer(
                "GET",
                403,
                vec![
                    ("x-ratelimit-remaining", "0".into()),
                    ("x-ratelimit-reset", reset.to_string()),
                ],
            ),
            FaultKind::Refused,
            "Try again after 2026-11-22 03:00:00 UTC",
        ),
        (
            Trouble::Answer("GET", 429, vec![("retry-after", "60".into())]),
            FaultKind::Refused,
            "Try again in 60 seconds",
        ),
        (
            Trouble::Answer("GET", 404, none()),
            FaultKind::NotFound,
            "knows no repository example/infra, or does not show it to this token",
        ),
        (
            Trouble::Answer("public-key", 404, none()),
            FaultKind::NotFound,
            "does not show the secrets of example/infra",
        ),
        (
            Trouble::Answer("GET", 301, vec![("location", "http://127.0.0.1:9/".into())]),
            FaultKind::Invalid,
            "has moved. Put its present name into github_repository",
        ),
        (
            Trouble::Answer("GET", 500, none()),
            FaultKind::Unreachable,
            "trouble of its own (500)",
        ),
        (
            Trouble::Answer("GET", 418, none()),
            FaultKind::Unexpected,
            "answered 418",
        ),
        (
            Trouble::Says("GET", "<!doctype html>".into()),
            FaultKind::Unexpected,
            "Look at github_api_url",
        ),
        (
            Trouble::Says("GET", "x".repeat(300_000)),
            FaultKind::Unexpected,
            "Look at github_api_url",
        ),
        (
            Trouble::Says("public-key", r#"{"key_id":"1","key":"AAAA"}"#.into()),
            FaultKind::Unexpected,
            "Look at github_api_url",
        ),
        (
            Trouble::Hangs("public-key"),
            FaultKind::TimedOut,
            "did not answer in time",
        ),
    ] {
        let bench = Bench::start().await;
        bench.stand_in.has(trouble.clone());
        let fault = bench.github.check(&gateway()).await.unwrap_err();
        assert!(fault.message.contains(said), "{trouble:?}: {fault}");
        assert_eq!(
            (fault.kind, fault.at),
            (kind, Boundary::GitHub),
            "{trouble:?}: {fault}"
        );
        says_no_secret(&fault);
    }
}

#[tokio::test]
async fn a_token_goes_to_no_other_host() {
    let bench = Bench::start().await;
    let other = StandIn::start().await;
    let elsewhere = vec![("location", format!("{}/repos/example/infra", other.url))];
    for code in [301, 302, 307, 308] {
        bench
            .stand_in
            .has(Trouble::Answer("GET", code, elsewhere.clone()));
        bench.github.check(&gateway()).await.unwrap_err();
    }
    assert!(other.requests().is_empty());
}

#[tokio::test]
async fn who_may_only_read_and_a_token_without_the_scope_are_found_out_before() {
    type Change = fn(&mut World);
    let cases: [(Change, &str); 4] = [
        (|world| world.push = false, "may only read example/infra"),
        (|world| world.archived = true, "is archived"),
        (
            |world| world.scopes = Some("read:org, public_repo"),
            "Secrets: read and write",
        ),
        (|world| world.scopes = Some(""), "Secrets: read and write"),
    ];
    for (change, said) in cases {
        let bench = Bench::start().await;
        bench.stand_in.world(change);
        let fault = bench.github.check(&gateway()).await.unwrap_err();
        assert!(fault.message.contains(said), "{fault}");
        assert_eq!(fault.kind, FaultKind::Refused);
    }
    let bench = Bench::start().await;
    bench.stand_in.world(|world| {
        world.private = false;
        world.scopes = Some("public_repo");
    });
    assert!(bench.github.check(&gateway()).await.is_ok());
}

#[tokio::test]
async fn another_repository_than_the_tokens_is_not_found() {
    let bench = Bench::for_repository("example/other").await;
    let fault = bench.github.check(&gateway()).await.unwrap_err();
    assert_eq!(fault.kind, FaultKind::NotFound);
}

#[tokio::test]
async fn the_token_is_read_anew_each_time_and_never_quoted() {
    let bench = Bench::start().await;
    assert!(bench.github.check(&gateway()).await.is_ok());
    for (text, said) in [
        ("", "must hold the token for GitHub, and nothing else"),
        (
            "hunter22\nhunter22\n",
            "must hold the token for GitHub, and nothing else",
        ),
        ("github_pat_old_hunter22", "does not accept the token"),
    ] {
        std::fs::write(bench.token_file(), text).unwrap();
        let fault = bench.github.check(&gateway()).await.unwrap_err();
        assert!(fault.message.contains(said), "{fault}");
        assert!(fault.message.contains("/token"), "{fault}");
        says_no_secret(&fault);
    }
    std::fs::remove_file(bench.token_file()).unwrap();
    let fault = bench.github.check(&gateway()).await.unwrap_err();
    assert!(fault.message.contains("cannot be read from"), "{fault}");
    std::fs::write(bench.token_file(), TOKEN).unwrap();
    assert!(bench.github.check(&gateway()).await.is_ok());
}

#[tokio::test]
async fn a_token_of_the_environment_and_none_at_all() {
    let stand_in = StandIn::start().await;
    let given = Some(Token::Given(SecretString::from(TOKEN)));
    let github = adapter(&stand_in.url, given, REPOSITORY);
    assert!(github.check(&gateway()).await.is_ok());
    assert!(!format!("{github:?}").contains("hunter22"));
    let wrong = Some(Token::Given(SecretString::from(VALUE)));
    let fault = adapter(&stand_in.url, wrong, REPOSITORY)
        .check(&gateway())
        .await
        .unwrap_err();
    assert!(fault.message.contains("PANEL_GITHUB_TOKEN"), "{fault}");
    says_no_secret(&fault);
    let fault = adapter(&stand_in.url, None, REPOSITORY)
        .check(&gateway())
        .await
        .unwrap_err();
    assert!(fault.message.contains("github_token_file"), "{fault}");
}

#[tokio::test]
async fn a_host_that_does_not_listen_is_worth_another_try() {
    let github = adapter(
        "http://127.0.0.1:1",
        Some(Token::Given(SecretString::from(TOKEN))),
        REPOSITORY,
    );
    let fault = github.check(&gateway()).await.unwrap_err();
    assert_eq!(
        (fault.kind, fault.retry),
        (FaultKind::Unreachable, Retry::Yes)
    );
    assert!(
        fault
            .message
            .contains("GitHub (127.0.0.1) cannot be reached: Connection refused"),
        "{fault}"
    );
    says_no_secret(&fault);
}
