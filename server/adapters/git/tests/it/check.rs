//! Whether a row could be written, and each reason why not with what to do.

use std::fs;

use adapter_git::{LogFile, Push};
use domain::fault::FaultKind;
use domain::ports::{LogAccess, RotationLog as _};

use crate::support::{Bench, FILE, HEAD, gateway, line, log_at, says};

#[tokio::test]
async fn a_log_that_could_be_written_is_ready_and_nothing_is_changed() {
    let bench = Bench::new();
    let head = bench.git(&["rev-parse", "HEAD"]);
    for (log, pushes) in [(bench.log(), false), (bench.pushing(), true)] {
        let file = fs::canonicalize(bench.clone_folder()).unwrap().join(FILE);
        let file = file.display().to_string();
        assert_eq!(
            log.check(&gateway()).await,
            Ok(LogAccess::Ready { file, pushes })
        );
    }
    assert_eq!(
        (bench.status(), bench.git(&["rev-parse", "HEAD"])),
        (String::new(), head)
    );
    assert!(!bench.path("docs").exists());
}

#[tokio::test]
async fn a_gateway_without_a_log_is_off() {
    let bench = Bench::new();
    let other = "other".parse().unwrap();
    assert_eq!(bench.log().check(&other).await, Ok(LogAccess::Off));
    let fault = bench.log().append(&other, line(7)).await.unwrap_err();
    assert_eq!(fault.kind, FaultKind::NotOffered);
}

#[tokio::test]
async fn other_files_do_not_matter() {
    let bench = Bench::with_log(HEAD);
    bench.put("compose.yml", "changed\n");
    bench.put("new.txt", "new\n");
    assert!(bench.log().check(&gateway()).await.is_ok());
}

#[tokio::test]
async fn what_is_no_clone_is_named() {
    let bench = Bench::new();
    let bare = bench.folder().join("bare.git");
    bench.git(&["init", "--quiet", "--bare", bare.to_str().unwrap()]);
    fs::create_dir(bench.path("sub")).unwrap();
    for (folder, said) in [
        (bench.folder().join("none"), "does not exist"),
        (
            bench.path("compose.yml"),
            "is not the top folder of a clone",
        ),
        (
            bench.folder().to_owned(),
            "is not the top folder of a clone",
        ),
        (bench.path("sub"), "is not the top folder of a clone"),
        (bench.path(".git"), "is not the top folder of a clone"),
        (bare, "is not the top folder of a clone"),
    ] {
        let log = log_at(folder.clone(), LogFile::DEFAULT, Push::Never);
        let fault = log.check(&gateway()).await.unwrap_err();
        says(&fault, said);
        assert_eq!(fault.kind, FaultKind::NotFound, "{}", folder.display());
    }
}

#[tokio::test]
async fn every_state_that_is_in_the_way_has_its_own_sentence() {
    type Change = fn(&Bench);
    let cases: [(Change, &str); 8] = [
        (
            |bench| bench.put(FILE, "changed\n"),
            "has changes that are not committed. Commit them",
        ),
        (
            |bench| {
                bench.put(FILE, "staged\n");
                bench.git(&["add", "."]);
            },
            "has changes that are not committed",
        ),
        (
            |bench| fs::remove_file(bench.path(FILE)).unwrap(),
            "was deleted",
        ),
        (
            |bench| {
                bench.git(&["rm", "--quiet", "--cached", FILE]);
                bench.git(&["commit", "--quiet", "-m", "Forgotten"]);
            },
            "was never committed",
        ),
        (
            |bench| {
                bench.git(&["rm", "--quiet", FILE]);
                bench.put(".gitignore", "docs/\n");
                bench.git(&["add", "."]);
                bench.git(&["commit", "--quiet", "-m", "Ignored"]);
            },
            "The repository ignores",
        ),
        (
            |bench| {
                bench.git(&["checkout", "--quiet", "--detach"]);
            },
            "No branch is checked out",
        ),
        (
            |bench| {
                diverge(bench);
                assert!(!bench.try_git(&bench.clone_folder(), &["merge", "other"]).0);
            },
            "A merge is in progress",
        ),
        (
            |bench| {
                diverge(bench);
                assert!(!bench.try_git(&bench.clone_folder(), &["rebase", "other"]).0);
            },
            "A rebase is in progress",
        ),
    ];
    for (change, said) in cases {
        let bench = Bench::with_log(HEAD);
        change(&bench);
        let before = bench.status();
        for fault in [
            bench.log().check(&gateway()).await.unwrap_err(),
            bench.log().append(&gateway(), line(7)).await.unwrap_err(),
        ] {
            says(&fault, said);
            assert_eq!(fault.kind, FaultKind::Invalid);
        }
        assert_eq!(bench.status(), before);
    }
}

#[tokio::test]
async fn a_conflict_in_the_log_without_a_merge_is_found() {
    let bench = Bench::with_log(HEAD);
    bench.put(FILE, "mine\n");
    bench.git(&["stash", "--quiet"]);
    bench.put(FILE, "theirs\n");
    bench.git(&["commit", "--quiet", "-am", "Theirs"]);
    assert!(!bench.try_git(&bench.clone_folder(), &["stash", "pop"]).0);
    let fault = bench.log().check(&gateway()).await.unwrap_err();
    says(&fault, "has a conflict that nobody has resolved");
}

#[tokio::test]
async fn a_folder_that_may_not_be_written_in_is_found_out_before() {
    use std::os::unix::fs::PermissionsExt as _;
    let bench = Bench::new();
    let inner = bench.path(".git");
    fs::set_permissions(&inner, fs::Permissions::from_mode(0o555)).unwrap();
    // Root may write everywhere.
    if fs::write(inner.join("probe"), "").is_err() {
        let fault = bench.log().check(&gateway()).await.unwrap_err();
        says(&fault, "Make it the owner of the clone");
        assert_eq!(fault.kind, FaultKind::Refused);
    }
    fs::set_permissions(&inner, fs::Permissions::from_mode(0o755)).unwrap();
}

/// Two branches that changed the log in two ways.
fn diverge(bench: &Bench) {
    bench.git(&["checkout", "--quiet", "-b", "other"]);
    bench.put(FILE, "theirs\n");
    bench.git(&["commit", "--quiet", "-am", "Theirs"]);
    bench.git(&["checkout", "--quiet", "main"]);
    bench.put(FILE, "mine\n");
    bench.git(&["commit", "--quiet", "-am", "Mine"]);
}
