//! Pushing: what the panel wrote, to where the branch follows, never by force; a failure is a note.

use std::fs;
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};
use std::time::Duration;

use domain::ports::RotationLog as _;

use crate::support::{Bench, FILE, HEAD, gateway, line};

/// A clone whose branch follows one of a bare repository beside it.
fn with_remote() -> (Bench, PathBuf) {
    let bench = Bench::with_log(HEAD);
    let remote = bench.folder().join("remote.git");
    let path = remote.to_str().unwrap();
    bench.git(&["init", "--quiet", "--bare", "--initial-branch=main", path]);
    bench.git(&["remote", "add", "origin", path]);
    bench.git(&["push", "--quiet", "--set-upstream", "origin", "main"]);
    (bench, remote)
}

fn heads(bench: &Bench, remote: &Path) -> (String, String) {
    let there = bench.git_in(remote, &["rev-parse", "main"]);
    (bench.git(&["rev-parse", "main"]), there)
}

#[tokio::test]
async fn a_commit_is_pushed_where_configured_and_only_there() {
    let (bench, remote) = with_remote();
    assert_eq!(
        bench.log().append(&gateway(), line(7)).await.unwrap().note,
        None
    );
    let (here, there) = heads(&bench, &remote);
    assert_ne!(here, there);
    assert_eq!(
        bench
            .pushing()
            .append(&gateway(), line(8))
            .await
            .unwrap()
            .note,
        None
    );
    let (here, there) = heads(&bench, &remote);
    assert_eq!(here, there);
}

#[tokio::test]
async fn a_branch_of_another_name_is_pushed_to_what_it_follows() {
    let (bench, remote) = with_remote();
    bench.git(&["branch", "--quiet", "-m", "main", "work"]);
    bench.git(&["config", "push.default", "nothing"]);
    assert_eq!(
        bench
            .pushing()
            .append(&gateway(), line(7))
            .await
            .unwrap()
            .note,
        None
    );
    let there = bench.git_in(&remote, &["rev-parse", "main"]);
    assert_eq!(bench.git(&["rev-parse", "work"]), there);
    assert_eq!(bench.git_in(&remote, &["branch"]), "* main");
}

#[tokio::test]
async fn what_could_not_be_pushed_is_pushed_the_next_time() {
    let (bench, remote) = with_remote();
    let away = remote.with_extension("away");
    fs::rename(&remote, &away).unwrap();
    let logged = bench.pushing().append(&gateway(), line(7)).await.unwrap();
    let note = logged.note.unwrap();
    assert!(
        note.contains("but not pushed: the remote cannot be reached"),
        "{note}"
    );
    assert_eq!(logged.commit, bench.git(&["rev-parse", "--short", "HEAD"]));
    fs::rename(&away, &remote).unwrap();
    // The same once more: there is no second row, and the push is made up for.
    assert_eq!(
        bench
            .pushing()
            .append(&gateway(), line(7))
            .await
            .unwrap()
            .note,
        None
    );
    let (here, there) = heads(&bench, &remote);
    assert_eq!(here, there);
    assert_eq!(bench.read(FILE).matches("anna").count(), 1);
}

#[tokio::test]
async fn a_remote_that_went_on_is_not_overwritten() {
    let (bench, remote) = with_remote();
    let other = bench.folder().join("other");
    bench.git(&[
        "clone",
        "--quiet",
        remote.to_str().unwrap(),
        other.to_str().unwrap(),
    ]);
    fs::write(other.join("theirs.txt"), "theirs\n").unwrap();
    bench.git_in(&other, &["add", "."]);
    bench.git_in(&other, &["commit", "--quiet", "-m", "Theirs"]);
    bench.git_in(&other, &["push", "--quiet"]);
    let before = bench.git_in(&remote, &["rev-parse", "main"]);
    // Not even where the configuration forces.
    bench.git(&["config", "remote.origin.push", "+refs/heads/*:refs/heads/*"]);
    let note = bench
        .pushing()
        .append(&gateway(), line(7))
        .await
        .unwrap()
        .note
        .unwrap();
    assert!(
        note.contains("the remote has commits that are not here. Run git pull --rebase"),
        "{note}"
    );
    assert_eq!(bench.git_in(&remote, &["rev-parse", "main"]), before);
}

#[tokio::test]
async fn commits_of_others_are_not_published() {
    let (bench, remote) = with_remote();
    bench.put("draft.txt", "not yet\n");
    bench.git(&["add", "."]);
    bench.git(&["commit", "--quiet", "-m", "Draft"]);
    let before = bench.git_in(&remote, &["rev-parse", "main"]);
    let note = bench
        .pushing()
        .append(&gateway(), line(7))
        .await
        .unwrap()
        .note
        .unwrap();
    assert!(note.contains("the branch has commits of others"), "{note}");
    assert_eq!(bench.git_in(&remote, &["rev-parse", "main"]), before);
}

#[tokio::test]
async fn a_branch_that_follows_none_and_a_remote_that_refuses_are_notes() {
    let bench = Bench::with_log(HEAD);
    let note = bench
        .pushing()
        .append(&gateway(), line(7))
        .await
        .unwrap()
        .note
        .unwrap();
    assert!(
        note.contains("the branch follows none of a remote"),
        "{note}"
    );

    let (bench, remote) = with_remote();
    let hook = remote.join("hooks/pre-receive");
    fs::write(&hook, "#!/bin/sh\necho no hunter22 >&2\nexit 1\n").unwrap();
    fs::set_permissions(&hook, fs::Permissions::from_mode(0o755)).unwrap();
    let note = bench
        .pushing()
        .append(&gateway(), line(7))
        .await
        .unwrap()
        .note
        .unwrap();
    assert!(note.contains("the remote refuses it, by a hook"), "{note}");
    assert!(!note.contains("hunter22"), "{note}");

    // Nobody listens, and the URL has a password.
    let (bench, _remote) = with_remote();
    bench.git(&[
        "remote",
        "set-url",
        "origin",
        "http://anna:hunter22@127.0.0.1:1/infra.git",
    ]);
    let note = bench
        .pushing()
        .append(&gateway(), line(7))
        .await
        .unwrap()
        .note
        .unwrap();
    assert!(note.contains("but not pushed"), "{note}");
    assert!(!note.contains("hunter22"), "{note}");
}

#[tokio::test]
async fn a_remote_that_does_not_answer_is_a_note() {
    let (bench, remote) = with_remote();
    let hook = remote.join("hooks/pre-receive");
    fs::write(&hook, "#!/bin/sh\nexec sleep 600\n").unwrap();
    fs::set_permissions(&hook, fs::Permissions::from_mode(0o755)).unwrap();
    let log = bench.pushing().with_limit(Duration::from_secs(3));
    let note = log.append(&gateway(), line(7)).await.unwrap().note.unwrap();
    assert!(note.contains("the remote did not answer in time"), "{note}");
}
