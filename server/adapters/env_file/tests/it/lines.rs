//! Which line holds the key, and that nothing but its value changes.

use std::fs;
use std::os::unix::fs::{MetadataExt as _, PermissionsExt as _, symlink};

use domain::gateway_key::NextKey;
use proptest::prelude::*;
use secrecy::ExposeSecret as _;

use super::{COMPOSE, Folder, OLD, operation};

#[test]
fn only_the_value_changes_whatever_the_file_looks_like() {
    for (before, after) in [
        (
            "OPENCLAW_API_KEY=an-old-key-1\n",
            "OPENCLAW_API_KEY=<new>\n",
        ),
        ("OPENCLAW_API_KEY=an-old-key-1", "OPENCLAW_API_KEY=<new>"),
        (
            "# c\r\nOPENCLAW_API_KEY=an-old-key-1\r\nA=b\r\n",
            "# c\r\nOPENCLAW_API_KEY=<new>\r\nA=b\r\n",
        ),
        (
            "export OPENCLAW_API_KEY=an-old-key-1 # the key\n",
            "export OPENCLAW_API_KEY=<new> # the key\n",
        ),
        (
            "OPENCLAW_API_KEY='an-old-key-1'\n",
            "OPENCLAW_API_KEY='<new>'\n",
        ),
        (
            "\u{feff}  OPENCLAW_API_KEY = \"an-old-key-1\"  # c\nZ=\n",
            "\u{feff}  OPENCLAW_API_KEY = \"<new>\"  # c\nZ=\n",
        ),
        (
            "#OPENCLAW_API_KEY=x\nOPENCLAW_API_KEY=an-old-key-1\n",
            "#OPENCLAW_API_KEY=x\nOPENCLAW_API_KEY=<new>\n",
        ),
    ] {
        let folder = Folder::new(before);
        let key = folder
            .rotator()
            .renew(operation(), NextKey::Random)
            .unwrap();
        assert_eq!(
            folder.read(),
            after.replace("<new>", key.expose_secret()),
            "{before:?}"
        );
        folder.rotator().put_back(operation()).unwrap();
        assert_eq!(folder.read(), before);
    }
}

#[test]
fn the_line_is_found_by_what_it_decides_not_by_its_name() {
    let compose = COMPOSE.replace("OPENCLAW_API_KEY", "GATEWAY_SECRET");
    let folder = Folder::with(
        &compose,
        "OPENCLAW_API_KEY=another\nGATEWAY_SECRET=an-old-key-1\n",
    );
    let line = folder.rotator().look().unwrap();
    assert_eq!(line.variable, "GATEWAY_SECRET");
    assert_eq!(folder.key(), OLD);
}

#[test]
fn what_cannot_be_changed_is_refused_with_what_to_do() {
    let two = Folder::new("OPENCLAW_API_KEY=a-key-12345\nOPENCLAW_API_KEY=an-old-key-1\n");
    assert!(
        two.against().contains("keep one of them"),
        "{}",
        two.against()
    );
    let fixed = Folder::with(
        &COMPOSE.replace("${OPENCLAW_API_KEY:?write it}", "written-here"),
        "OPENCLAW_API_KEY=x\n",
    );
    assert!(
        fixed.against().contains("${OPENCLAW_API_KEY}"),
        "{}",
        fixed.against()
    );
    let prefixed = Folder::with(
        &COMPOSE.replace("${OPENCLAW_API_KEY:?write it}", "a-${OPENCLAW_API_KEY}"),
        "OPENCLAW_API_KEY=x\n",
    );
    assert!(
        prefixed.against().contains("does not take"),
        "{}",
        prefixed.against()
    );
    let none = Folder::new("OPENCLAW_API_KEY=x\n");
    fs::remove_file(none.env()).unwrap();
    assert!(
        none.against().contains("Copy .env.example"),
        "{}",
        none.against()
    );
    let twice = Folder::new("OPENCLAW_API_KEY=an-old-key-1\n");
    fs::hard_link(twice.env(), twice.compose().join("copy")).unwrap();
    assert!(
        twice.against().contains("second name"),
        "{}",
        twice.against()
    );
    let binary = Folder::new("");
    fs::write(binary.env(), [0xff, 0xfe]).unwrap();
    assert!(
        binary.against().contains("not UTF-8"),
        "{}",
        binary.against()
    );
    for folder in [two, fixed, prefixed, twice] {
        let before = folder.read();
        folder
            .rotator()
            .renew(operation(), NextKey::Random)
            .unwrap_err();
        assert_eq!(folder.read(), before);
    }
}

#[test]
fn no_error_shows_a_value() {
    let folder = Folder::new("OPENCLAW_API_KEY=s3cr3t-${\nOPENCLAW_API_KEY=s3cr3t-2\n");
    assert!(!folder.against().contains("s3cr3t"), "{}", folder.against());
    let folder = Folder::new("OPENCLAW_API_KEY=s3cr3t-1\nOPENCLAW_API_KEY=s3cr3t-2\n");
    assert!(!folder.against().contains("s3cr3t"), "{}", folder.against());
}

#[test]
fn a_link_is_followed_and_stays_a_link() {
    let folder = Folder::new("OPENCLAW_API_KEY=an-old-key-1\n");
    let real = folder.compose().join("real.env");
    fs::rename(folder.env(), &real).unwrap();
    symlink(&real, folder.env()).unwrap();
    let line = folder.rotator().look().unwrap();
    assert!(
        line.notices.iter().any(|said| said.contains("is a link")),
        "{line:?}"
    );
    folder
        .rotator()
        .renew(operation(), NextKey::Random)
        .unwrap();
    assert!(fs::symlink_metadata(folder.env()).unwrap().is_symlink());
    assert_ne!(folder.key(), OLD);
}

#[test]
fn the_file_ends_up_for_its_owner_alone_and_that_is_said_first() {
    let folder = Folder::new("OPENCLAW_API_KEY=an-old-key-1\n");
    fs::set_permissions(folder.env(), fs::Permissions::from_mode(0o644)).unwrap();
    let owner = fs::metadata(folder.env()).unwrap();
    let line = folder.rotator().look().unwrap();
    assert!(
        line.notices
            .iter()
            .any(|said| said.contains("becomes 0600")),
        "{line:?}"
    );
    folder
        .rotator()
        .renew(operation(), NextKey::Random)
        .unwrap();
    let now = fs::metadata(folder.env()).unwrap();
    assert_eq!(now.mode() & 0o7777, 0o600);
    assert_eq!((now.uid(), now.gid()), (owner.uid(), owner.gid()));
    assert_eq!(
        folder.rotator().look().unwrap().notices,
        Vec::<String>::new()
    );
}

/// A line that is not the key's.
fn other() -> impl Strategy<Value = String> {
    prop_oneof![
        "# [a-zA-Z =$'\"]{0,20}",
        "[A-NP-Z][A-Z_]{0,8}=[a-zA-Z0-9./:@-]{0,20}",
        "export [A-NP-Z][A-Z_]{0,8}='[a-zA-Z0-9 $#\"]{0,20}'",
        "[A-NP-Z][A-Z_]{0,8}=\"[a-zA-Z0-9 #']{0,20}\" # [a-z]{0,5}",
        "[ \t]{0,4}",
    ]
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 10_000, ..ProptestConfig::default() })]

    #[test]
    fn in_any_file_only_the_value_changes(
        above in prop::collection::vec(other(), 0..6),
        below in prop::collection::vec(other(), 0..6),
        indent in "[ \t]{0,2}",
        export in prop_oneof![Just(""), Just("export ")],
        quote in prop_oneof![Just(""), Just("'"), Just("\"")],
        comment in prop_oneof![Just(""), Just(" # the gateway's key")],
        end in prop_oneof![Just("\n"), Just("\r\n")],
        last in any::<bool>(),
    ) {
        let line = format!("{indent}{export}OPENCLAW_API_KEY={quote}an-old-key-1{quote}{comment}");
        let mut lines = above;
        lines.push(line);
        lines.extend(below);
        let mut text = lines.join(end);
        if last {
            text.push_str(end);
        }
        let mut file = compose::env_file::EnvFile::parse(&text).unwrap();
        let key = "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef";
        file.set("OPENCLAW_API_KEY", key).unwrap();
        prop_assert_eq!(file.to_string(), text.replace(OLD, key));
    }
}
