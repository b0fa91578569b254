//! A new key, the old one back, and what a crash in between leaves.

use std::fs;

use domain::gateway_key::NextKey;
use domain::operation::OperationId;
use secrecy::ExposeSecret as _;
use uuid::Uuid;

use super::{Folder, OLD, operation};

#[test]
fn a_new_key_is_64_hexadecimal_digits_and_never_the_same() {
    let one = Folder::new("OPENCLAW_API_KEY=an-old-key-1\n");
    let other = Folder::new("OPENCLAW_API_KEY=an-old-key-1\n");
    let one = one.rotator().renew(operation(), NextKey::Random).unwrap();
    let other = other.rotator().renew(operation(), NextKey::Random).unwrap();
    for key in [&one, &other] {
        let key = key.expose_secret();
        assert!(key.len() == 64 && key.bytes().all(|byte| byte.is_ascii_hexdigit()));
    }
    assert_ne!(one.expose_secret(), other.expose_secret());
}

#[test]
fn renewed_twice_for_one_operation_is_one_new_key() {
    let folder = Folder::new("OPENCLAW_API_KEY=an-old-key-1\n");
    let first = folder
        .rotator()
        .renew(operation(), NextKey::Random)
        .unwrap();
    let second = folder
        .rotator()
        .renew(operation(), NextKey::Random)
        .unwrap();
    assert_eq!(first.expose_secret(), second.expose_secret());
    let previous = folder.rotator().previous(operation()).unwrap().unwrap();
    assert_eq!(previous.expose_secret(), OLD);
}

#[test]
fn what_was_sealed_and_not_yet_replaced_is_replaced_when_repeated() {
    let folder = Folder::new("OPENCLAW_API_KEY=an-old-key-1\n");
    folder
        .rotator()
        .renew(operation(), NextKey::Random)
        .unwrap();
    // As if the panel had ended between the two.
    fs::write(folder.env(), "OPENCLAW_API_KEY=an-old-key-1\n").unwrap();
    let key = folder
        .rotator()
        .renew(operation(), NextKey::Random)
        .unwrap();
    assert_ne!(key.expose_secret(), OLD);
    assert_eq!(folder.key(), key.expose_secret());
}

#[test]
fn putting_back_twice_does_no_harm_and_nothing_is_put_back_for_another_operation() {
    let text = "A=1 # keep\nOPENCLAW_API_KEY='an-old-key-1'";
    let folder = Folder::new(text);
    folder
        .rotator()
        .renew(operation(), NextKey::Random)
        .unwrap();
    let other = OperationId(Uuid::from_u128(8));
    assert!(folder.rotator().put_back(other).unwrap().is_none());
    for _ in 0..2 {
        let back = folder.rotator().put_back(operation()).unwrap().unwrap();
        assert_eq!(back.expose_secret(), OLD);
        assert_eq!(folder.read(), text);
    }
}

#[test]
fn the_key_of_before_comes_back_by_another_operation_as_long_as_it_is_kept() {
    let text = "OPENCLAW_API_KEY=an-old-key-1\n";
    let folder = Folder::new(text);
    let new = folder
        .rotator()
        .renew(operation(), NextKey::Random)
        .unwrap();
    let later = OperationId(Uuid::from_u128(8));
    for _ in 0..2 {
        let back = folder
            .rotator()
            .renew(later, NextKey::Before(operation()))
            .unwrap();
        assert_eq!(back.expose_secret(), OLD);
        assert_eq!(folder.read(), text);
    }
    // What that operation replaced is the new one, to be tried at the doors, and to be put back if it fails.
    let replaced = folder.rotator().previous(later).unwrap().unwrap();
    assert_eq!(replaced.expose_secret(), new.expose_secret());
    folder.rotator().put_back(later).unwrap();
    assert_eq!(folder.key(), new.expose_secret());

    folder.rotator().forget(operation()).unwrap();
    let third = OperationId(Uuid::from_u128(9));
    let gone = folder
        .rotator()
        .renew(third, NextKey::Before(operation()))
        .unwrap_err();
    assert!(gone.message.contains("not kept any more"), "{gone}");
    assert_eq!(folder.key(), new.expose_secret());
}

#[test]
fn what_a_person_changed_meanwhile_stays_when_the_key_is_put_back() {
    let folder = Folder::new("OPENCLAW_API_KEY=an-old-key-1\nPUBLIC_URL=http://a\n");
    let key = folder
        .rotator()
        .renew(operation(), NextKey::Random)
        .unwrap();
    let changed = folder.read().replace("http://a", "http://b");
    fs::write(folder.env(), &changed).unwrap();
    folder.rotator().put_back(operation()).unwrap();
    assert_eq!(folder.read(), changed.replace(key.expose_secret(), OLD));
}

#[test]
fn a_disk_that_refuses_leaves_the_file_as_it_was() {
    let text = "OPENCLAW_API_KEY=an-old-key-1\n";
    let folder = Folder::new(text);
    // Nothing can be written beside it.
    fs::create_dir(folder.compose().join(".env.panel-unfinished")).unwrap();
    let fault = folder
        .rotator()
        .renew(operation(), NextKey::Random)
        .unwrap_err();
    assert!(fault.message.contains(".env"), "{fault}");
    assert_eq!(folder.read(), text);
    fs::remove_dir(folder.compose().join(".env.panel-unfinished")).unwrap();
    folder
        .rotator()
        .renew(operation(), NextKey::Random)
        .unwrap();
    assert_ne!(folder.read(), text);
}

#[test]
fn nothing_beside_the_file_holds_a_key() {
    let folder = Folder::new("OPENCLAW_API_KEY=an-old-key-1\n");
    let key = folder
        .rotator()
        .renew(operation(), NextKey::Random)
        .unwrap();
    let mut seen = 0;
    let mut folders = vec![folder.root.path().to_owned()];
    while let Some(next) = folders.pop() {
        for entry in fs::read_dir(next).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                folders.push(path);
            } else if path != folder.env() {
                let bytes = fs::read(&path).unwrap();
                for secret in [OLD, key.expose_secret()] {
                    assert!(
                        !bytes
                            .windows(secret.len())
                            .any(|found| found == secret.as_bytes()),
                        "{path:?}"
                    );
                }
                seen += 1;
            }
        }
    }
    // The compose file, the seal and its key.
    assert_eq!(seen, 3);
    folder.rotator().forget(operation()).unwrap();
    assert!(folder.rotator().previous(operation()).unwrap().is_none());
}

#[test]
fn fingerprints_tell_keys_apart_and_stay_the_same_for_one_panel() {
    let folder = Folder::new("OPENCLAW_API_KEY=an-old-key-1\n");
    let before = folder.rotator().look().unwrap().fingerprint;
    assert_eq!(folder.rotator().look().unwrap().fingerprint, before);
    folder
        .rotator()
        .renew(operation(), NextKey::Random)
        .unwrap();
    assert_ne!(folder.rotator().look().unwrap().fingerprint, before);
    let other = Folder::new("OPENCLAW_API_KEY=an-old-key-1\n");
    assert_ne!(other.rotator().look().unwrap().fingerprint, before);
}
