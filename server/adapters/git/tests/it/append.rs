//! A row is committed alone, once, and put back when it cannot be.

use std::fs;
use std::os::unix::fs::{MetadataExt as _, PermissionsExt as _, chown, symlink};
use std::time::Duration;

use adapter_git::Push;
use domain::fault::{FaultKind, Retry};
use domain::ports::{LogLine, RotationLog as _};
use uuid::Uuid;

use crate::support::{Bench, FILE, HEAD, gateway, line, row, says};

#[tokio::test]
async fn a_first_row_makes_the_file_and_a_commit_with_a_clear_author() {
    let bench = Bench::new();
    let logged = bench.log().append(&gateway(), line(7)).await.unwrap();
    let text = bench.read(FILE);
    assert_eq!(text, format!("# Secrets rotation log\n\n{HEAD}{}", row(7)));
    assert_eq!(logged.commit, bench.git(&["rev-parse", "--short", "HEAD"]));
    assert_eq!(logged.note, None);
    assert_eq!(bench.status(), "");
    let told = bench.git(&["log", "-1", "--format=%an <%ae>|%cn|%at|%s|%b"]);
    let id = Uuid::from_u128(7);
    assert_eq!(
        told,
        format!(
            "OpenClaw Panel <panel@panel.example.org>|OpenClaw Panel|1795313645|Log the rotation of OpenClaw API key|Operation: {id}"
        )
    );
    assert_eq!(bench.git(&["show", "--name-only", "--format="]), FILE);
}

#[tokio::test]
async fn twice_it_is_one_row_and_one_commit() {
    let bench = Bench::new();
    let log = bench.log();
    let first = log.append(&gateway(), line(7)).await.unwrap();
    let second = log.append(&gateway(), line(8)).await.unwrap();
    assert_eq!(bench.commits(), 3);
    // Even while something else is going on.
    bench.put(FILE, "changed\n");
    let again = log.append(&gateway(), line(7)).await.unwrap();
    assert_eq!(again, first);
    assert_ne!(again, second);
    assert_eq!(
        (bench.commits(), bench.read(FILE).as_str()),
        (3, "changed\n")
    );
}

#[tokio::test]
async fn two_at_once_make_two_rows() {
    let bench = Bench::with_log(HEAD);
    let (one, two) = (bench.log(), bench.log());
    let gateway = gateway();
    let (a, b) = tokio::join!(one.append(&gateway, line(1)), two.append(&gateway, line(2)));
    assert_ne!(a.unwrap().commit, b.unwrap().commit);
    let text = bench.read(FILE);
    assert!(text.contains(&row(1)) && text.contains(&row(2)), "{text}");
    assert_eq!(bench.status(), "");
}

#[tokio::test]
async fn a_clone_without_a_commit_gets_its_first() {
    let bench = Bench::empty();
    bench.log().append(&gateway(), line(7)).await.unwrap();
    assert_eq!((bench.commits(), bench.status().as_str()), (1, ""));
}

#[tokio::test]
async fn the_files_own_style_stays() {
    let row = row(7);
    for (before, after) in [
        (
            HEAD.replace('\n', "\r\n"),
            format!("{HEAD}{row}").replace('\n', "\r\n"),
        ),
        (
            HEAD.trim_end().to_owned(),
            format!("{HEAD}{}", row.trim_end()),
        ),
        (
            format!("# Ours\n\n{HEAD}\nThe end.\n"),
            format!("# Ours\n\n{HEAD}{row}\nThe end.\n"),
        ),
    ] {
        let bench = Bench::with_log(&before);
        bench.log().append(&gateway(), line(7)).await.unwrap();
        assert_eq!(bench.read(FILE), after);
        assert_eq!(bench.status(), "");
    }
}

#[tokio::test]
async fn lines_that_git_ends_otherwise_stay_as_they_lie_there() {
    let bench = Bench::new();
    bench.git(&["config", "core.autocrlf", "true"]);
    bench.put(FILE, &HEAD.replace('\n', "\r\n"));
    bench.git(&["add", "."]);
    bench.git(&["commit", "--quiet", "-m", "Log"]);
    bench.log().append(&gateway(), line(7)).await.unwrap();
    assert_eq!(
        bench.read(FILE),
        format!("{HEAD}{}", row(7)).replace('\n', "\r\n")
    );
    assert_eq!(
        bench.git(&["show", &format!("HEAD:{FILE}")]),
        format!("{HEAD}{}", row(7)).trim_end()
    );
    assert_eq!(bench.status(), "");
}

#[tokio::test]
async fn owner_and_mode_stay() {
    let bench = Bench::with_log(HEAD);
    let path = bench.path(FILE);
    fs::set_permissions(&path, fs::Permissions::from_mode(0o664)).unwrap();
    // Only root can give files away.
    let owner = if fs::metadata(&path).unwrap().uid() == 0 {
        65_534
    } else {
        0
    };
    if owner != 0 {
        chown(&path, Some(owner), Some(owner)).unwrap();
    }
    let before = fs::metadata(&path).unwrap();
    bench.log().append(&gateway(), line(7)).await.unwrap();
    let after = fs::metadata(&path).unwrap();
    assert_eq!(
        (after.uid(), after.gid(), after.mode()),
        (before.uid(), before.gid(), before.mode())
    );
    assert_ne!(after.ino(), before.ino());
}

#[tokio::test]
async fn as_root_git_runs_as_the_folders_owner() {
    let bench = Bench::new();
    if fs::metadata(bench.clone_folder()).unwrap().uid() != 0 {
        return;
    }
    fs::set_permissions(bench.folder(), fs::Permissions::from_mode(0o755)).unwrap();
    let nobody = Some(65_534);
    let mut folders = vec![bench.clone_folder()];
    while let Some(folder) = folders.pop() {
        chown(&folder, nobody, nobody).unwrap();
        for entry in fs::read_dir(&folder).unwrap() {
            let path = entry.unwrap().path();
            chown(&path, nobody, nobody).unwrap();
            if path.is_dir() {
                folders.push(path);
            }
        }
    }
    // What its owner has configured is carried out, but never as root.
    bench.git(&["config", "filter.who.clean", "id -u >> \"$PWD/who\"; cat"]);
    bench.put(".gitattributes", "*.md filter=who\n");
    chown(bench.path(".gitattributes"), nobody, nobody).unwrap();
    chown(bench.path(".git/config"), nobody, nobody).unwrap();
    bench.log().append(&gateway(), line(7)).await.unwrap();
    let who = bench.read("who");
    assert!(
        !who.is_empty() && who.lines().all(|user| user == "65534"),
        "{who}"
    );
    let mut folders = vec![bench.clone_folder()];
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(&folder).unwrap() {
            let path = entry.unwrap().path();
            let seen = fs::symlink_metadata(&path).unwrap();
            assert_eq!(seen.uid(), 65_534, "{}", path.display());
            if seen.is_dir() {
                folders.push(path);
            }
        }
    }
}

#[tokio::test]
async fn what_others_have_begun_is_left_alone() {
    let bench = Bench::with_log(HEAD);
    bench.put("compose.yml", "services: {a: {}}\n");
    bench.put("staged.txt", "staged\n");
    bench.git(&["add", "staged.txt"]);
    bench.put("new.txt", "new\n");
    let before = bench.status();
    bench.log().append(&gateway(), line(7)).await.unwrap();
    assert_eq!(bench.status(), before);
    assert_eq!(bench.git(&["show", "--name-only", "--format="]), FILE);
}

#[tokio::test]
async fn a_row_that_a_killed_panel_left_is_committed() {
    for begun in [Some(HEAD), None] {
        let bench = match begun {
            Some(text) => Bench::with_log(text),
            None => Bench::new(),
        };
        let log = bench.log();
        log.append(&gateway(), line(7)).await.unwrap();
        // Back to the moment before the commit, with another clock when it is done again.
        bench.git(&["reset", "--quiet", "--soft", "HEAD~1"]);
        bench.git(&["reset", "--quiet"]);
        let later = LogLine {
            at: line(7).at.plus(Duration::from_secs(60)),
            ..line(7)
        };
        let commits = bench.commits();
        log.append(&gateway(), later).await.unwrap();
        assert_eq!(
            (bench.commits(), bench.status().as_str()),
            (commits + 1, "")
        );
        assert_eq!(bench.read(FILE).matches("anna").count(), 1);
    }
}

#[tokio::test]
async fn neither_hooks_nor_identity_nor_signing_are_the_repositorys() {
    let bench = Bench::new();
    let hook = bench.path(".git/hooks/pre-commit");
    for name in [
        "pre-commit",
        "commit-msg",
        "prepare-commit-msg",
        "post-commit",
    ] {
        let hook = hook.with_file_name(name);
        fs::write(&hook, "#!/bin/sh\ntouch \"$PWD/hooked\"\nexit 1\n").unwrap();
        fs::set_permissions(&hook, fs::Permissions::from_mode(0o755)).unwrap();
    }
    for (key, value) in [
        ("user.useConfigOnly", "true"),
        ("commit.gpgSign", "true"),
        ("gpg.program", "/bin/false"),
        ("core.fsmonitor", "touch hooked"),
        ("core.editor", "/bin/false"),
    ] {
        bench.git(&["config", key, value]);
    }
    bench.log().append(&gateway(), line(7)).await.unwrap();
    bench.git(&["config", "--unset", "core.fsmonitor"]);
    assert!(!bench.path("hooked").exists());
    assert_eq!(bench.commits(), 2);
}

#[tokio::test]
async fn when_no_commit_comes_of_it_everything_is_as_it_was() {
    for begun in [Some(HEAD), None] {
        let bench = match begun {
            Some(text) => Bench::with_log(text),
            None => Bench::new(),
        };
        bench.put(".git/index.lock", "");
        let fault = bench.log().append(&gateway(), line(7)).await.unwrap_err();
        says(&fault, "Another git is at work");
        assert_eq!(fault.retry, Retry::Yes);
        fs::remove_file(bench.path(".git/index.lock")).unwrap();
        assert_eq!(bench.status(), "");
        assert_eq!(bench.path(FILE).exists(), begun.is_some());
        assert_eq!(bench.path("docs").exists(), begun.is_some());
        // And then it works.
        bench.log().append(&gateway(), line(7)).await.unwrap();
        assert_eq!(bench.status(), "");
    }
}

#[tokio::test]
async fn a_commit_that_fails_late_is_taken_back_whole() {
    // The branch cannot move: its lock is held.
    for begun in [Some(HEAD), None] {
        let bench = match begun {
            Some(text) => Bench::with_log(text),
            None => Bench::new(),
        };
        bench.put(".git/refs/heads/main.lock", "");
        let fault = bench.log().append(&gateway(), line(7)).await.unwrap_err();
        says(&fault, "main.lock");
        fs::remove_file(bench.path(".git/refs/heads/main.lock")).unwrap();
        assert_eq!(bench.status(), "");
        assert_eq!(bench.path(FILE).exists(), begun.is_some());
    }
}

#[tokio::test]
async fn a_file_that_somebody_has_changed_is_refused_and_kept() {
    let bench = Bench::with_log(HEAD);
    let mine = format!("{HEAD}| mine |\n");
    bench.put(FILE, &mine);
    let fault = bench.log().append(&gateway(), line(7)).await.unwrap_err();
    says(&fault, "has changes that are not committed");
    assert_eq!(fault.kind, FaultKind::Invalid);
    assert_eq!((bench.read(FILE), bench.commits()), (mine, 2));
}

#[tokio::test]
async fn nothing_is_written_through_a_link() {
    let bench = Bench::new();
    let outside = bench.folder().join("outside");
    fs::create_dir(&outside).unwrap();
    fs::write(outside.join("log.md"), "theirs\n").unwrap();
    symlink(&outside, bench.path("docs")).unwrap();
    symlink(outside.join("log.md"), bench.path("log.md")).unwrap();
    fs::create_dir(bench.path("folder.md")).unwrap();
    bench.git(&["add", "."]);
    bench.git(&["commit", "--quiet", "-m", "Links"]);
    for file in [
        "docs/log.md",
        "docs/new/log.md",
        "log.md",
        "folder.md",
        "compose.yml/log.md",
    ] {
        let fault = bench
            .log_of(file, Push::Never)
            .append(&gateway(), line(7))
            .await
            .unwrap_err();
        says(&fault, "is no plain file in plain folders");
    }
    assert_eq!(
        fs::read_to_string(outside.join("log.md")).unwrap(),
        "theirs\n"
    );
    assert_eq!(fs::read_dir(&outside).unwrap().count(), 1);
}

#[tokio::test]
async fn a_log_that_is_no_text_or_too_large_is_refused() {
    let bench = Bench::with_log(HEAD);
    for (bytes, said) in [
        (vec![0xff, 0xfe, 0x00], "is no text in UTF-8"),
        (vec![b'x'; 4 * 1024 * 1024 + 1], "is larger than 4 MB"),
    ] {
        fs::write(bench.path(FILE), bytes).unwrap();
        bench.git(&["commit", "--quiet", "-am", "Odd"]);
        let fault = bench.log().append(&gateway(), line(7)).await.unwrap_err();
        says(&fault, said);
    }
    assert_eq!(bench.status(), "");
}

#[tokio::test]
async fn a_git_that_hangs_is_ended_with_all_that_it_started() {
    let bench = Bench::with_log(HEAD);
    bench.put(".gitattributes", "*.md filter=slow\n");
    bench.git(&["add", "."]);
    bench.git(&["commit", "--quiet", "-m", "Attributes"]);
    let pid = bench.folder().join("pid");
    let slow = format!("echo $$ > {}; exec sleep 600", pid.display());
    bench.git(&["config", "filter.slow.clean", &slow]);
    let log = bench.log().with_limit(Duration::from_secs(2));
    let fault = log.append(&gateway(), line(7)).await.unwrap_err();
    says(&fault, "git was not done in");
    assert_eq!((fault.kind, fault.retry), (FaultKind::TimedOut, Retry::Yes));
    let pid = fs::read_to_string(pid).unwrap();
    // A child that nobody has waited for yet is a zombie, which runs no more.
    let state = fs::read_to_string(format!("/proc/{}/stat", pid.trim())).unwrap_or_default();
    assert!(state.is_empty() || state.contains(") Z "), "{state}");
    bench.git(&["config", "--unset", "filter.slow.clean"]);
    assert_eq!(
        (bench.status(), bench.read(FILE)),
        (String::new(), HEAD.to_owned())
    );
    assert_eq!(bench.commits(), 3);
}
