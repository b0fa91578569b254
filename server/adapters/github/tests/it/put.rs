//! The value arrives intact, and nowhere else; its date proves it.

use domain::fault::{FaultKind, Retry};
use domain::ports::RepositorySecrets as _;
use secrecy::SecretString;

use crate::stand_in::Trouble;
use crate::support::{Bench, NAME, VALUE, gateway, says_no_secret, value};

fn arrived(bench: &Bench) -> Option<Vec<u8>> {
    bench
        .stand_in
        .world(|world| world.secrets.get(NAME).map(|(value, _)| value.clone()))
}

#[tokio::test]
async fn the_value_arrives_intact_and_its_date_is_read_back() {
    let bench = Bench::start().await;
    let at = bench.github.put(&gateway(), &value()).await.unwrap();
    assert_eq!(arrived(&bench).as_deref(), Some(VALUE.as_bytes()));
    assert_eq!(at.rfc3339(), "2026-11-22T02:24:05Z");
}

#[tokio::test]
async fn twice_it_is_the_same_secret_with_a_later_date() {
    let bench = Bench::start().await;
    let first = bench.github.put(&gateway(), &value()).await.unwrap();
    let second = bench.github.put(&gateway(), &value()).await.unwrap();
    assert!(second > first);
    assert_eq!(arrived(&bench).as_deref(), Some(VALUE.as_bytes()));
}

#[tokio::test]
async fn bytes_of_every_kind_arrive() {
    let bench = Bench::start().await;
    for text in ["x", "zażółć\n\"' $HOME \\", &"k".repeat(48 * 1024)] {
        bench
            .github
            .put(&gateway(), &SecretString::from(text))
            .await
            .unwrap();
        assert_eq!(arrived(&bench).as_deref(), Some(text.as_bytes()));
    }
    for text in ["", &"k".repeat(48 * 1024 + 1)] {
        let fault = bench
            .github
            .put(&gateway(), &SecretString::from(text))
            .await
            .unwrap_err();
        assert_eq!(fault.kind, FaultKind::Invalid, "{fault}");
    }
}

#[tokio::test]
async fn a_refusal_changes_nothing_and_repeats_nothing() {
    for (code, kind, retry) in [
        (401, FaultKind::Refused, Retry::No),
        (403, FaultKind::Refused, Retry::No),
        (404, FaultKind::NotFound, Retry::No),
        (422, FaultKind::Invalid, Retry::Yes),
        (500, FaultKind::Unreachable, Retry::Yes),
    ] {
        let bench = Bench::start().await;
        bench.stand_in.has(Trouble::Answer("PUT", code, Vec::new()));
        let fault = bench.github.put(&gateway(), &value()).await.unwrap_err();
        assert_eq!((fault.kind, fault.retry), (kind, retry), "{code}: {fault}");
        says_no_secret(&fault);
        assert_eq!(arrived(&bench), None);
    }
    let bench = Bench::start().await;
    bench.stand_in.has(Trouble::Hangs("PUT"));
    let fault = bench.github.put(&gateway(), &value()).await.unwrap_err();
    assert_eq!((fault.kind, fault.retry), (FaultKind::TimedOut, Retry::Yes));
    says_no_secret(&fault);
}

#[tokio::test]
async fn a_date_that_does_not_follow_is_no_success() {
    for (trouble, said) in [
        (
            Trouble::Forgets,
            "still shows the old date (2026-11-22 02:24:05 UTC)",
        ),
        (Trouble::GoesBack, "shows an earlier date than before"),
    ] {
        let bench = Bench::start().await;
        bench.github.put(&gateway(), &value()).await.unwrap();
        bench.stand_in.has(trouble);
        let fault = bench.github.put(&gateway(), &value()).await.unwrap_err();
        assert!(fault.message.contains(said), "{fault}");
        assert_eq!(fault.retry, Retry::Yes);
    }
    let bench = Bench::start().await;
    bench.stand_in.has(Trouble::Loses);
    let fault = bench.github.put(&gateway(), &value()).await.unwrap_err();
    assert!(fault.message.contains("does not list it"), "{fault}");
}
