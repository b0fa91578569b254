use std::os::unix::fs::PermissionsExt as _;

use secrecy::ExposeSecret as _;
use tempfile::TempDir;
use uuid::Uuid;

use super::*;

const DAY: Duration = Duration::from_secs(86_400);

fn vault() -> (TempDir, Vault) {
    let folder = tempfile::tempdir().unwrap();
    let vault = Vault::new(folder.path().join("backups"), None, DAY * 30);
    (folder, vault)
}

fn key_of(vault: &Vault) -> SecretString {
    let key = Vault::new_key();
    vault.adopt_key(&key.recipient, Adopt::First).unwrap();
    key.secret
}

fn gateway() -> GatewayId {
    "openclaw".parse().unwrap()
}

fn operation(number: u128) -> OperationId {
    OperationId(Uuid::from_u128(number))
}

fn day(number: u64) -> Timestamp {
    Timestamp::from_millis(1_795_000_000_000).plus(DAY * u32::try_from(number).unwrap())
}

fn keep(vault: &Vault, number: u64) -> Backup {
    let mut from = "what the gateway knows".as_bytes();
    let kept = vault.keep(
        &gateway(),
        operation(u128::from(number)),
        day(number),
        &mut from,
    );
    kept.unwrap()
}

/// Fails after its first bytes, as a container does that is killed.
struct Breaks(bool);

impl Read for Breaks {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        if self.0 {
            return Err(io::Error::other("the container is gone"));
        }
        self.0 = true;
        buffer[0] = b'x';
        Ok(1)
    }
}

#[test]
fn what_is_kept_opens_with_the_key_and_with_no_other() {
    let (_folder, vault) = vault();
    let key = key_of(&vault);
    let kept = keep(&vault, 1);
    let file = || vault.open(&gateway(), &kept.name).unwrap().unwrap();

    let mut plain = Vec::new();
    Vault::decrypt(file(), &key, &mut plain).unwrap();
    assert_eq!(plain, b"what the gateway knows");

    let mut raw = Vec::new();
    file().read_to_end(&mut raw).unwrap();
    assert!(!raw.windows(8).any(|part| part == b"gateway "));

    let other = SecretString::from(Identity::generate().to_string().expose_secret().to_owned());
    let refused = Vault::decrypt(file(), &other, &mut Vec::new()).unwrap_err();
    assert!(refused.message.contains("does not open"), "{refused}");
}

#[test]
fn a_backup_that_was_changed_does_not_open() {
    let (_folder, vault) = vault();
    let key = key_of(&vault);
    let kept = keep(&vault, 1);
    let mut raw = Vec::new();
    let mut file = vault.open(&gateway(), &kept.name).unwrap().unwrap();
    file.read_to_end(&mut raw).unwrap();
    for at in [raw.len() - 1, raw.len() / 2] {
        let mut changed = raw.clone();
        changed[at] ^= 1;
        assert!(
            Vault::decrypt(&changed[..], &key, &mut Vec::new()).is_err(),
            "{at}"
        );
    }
    assert!(Vault::decrypt(&raw[..raw.len() - 3], &key, &mut Vec::new()).is_err());
}

#[test]
fn the_opening_half_of_the_key_is_not_in_the_folder() {
    let (folder, vault) = vault();
    let key = key_of(&vault);
    keep(&vault, 1);
    let mut folders = vec![folder.path().to_path_buf()];
    while let Some(next) = folders.pop() {
        for entry in fs::read_dir(next).unwrap() {
            let path = entry.unwrap().path();
            let mode = fs::metadata(&path).unwrap().permissions().mode() & 0o777;
            if path.is_dir() {
                assert_eq!(mode, 0o700, "{}", path.display());
                folders.push(path);
            } else {
                assert_eq!(mode, 0o600, "{}", path.display());
                let found = String::from_utf8_lossy(&fs::read(&path).unwrap()).into_owned();
                assert!(!found.contains(key.expose_secret()), "{}", path.display());
            }
        }
    }
}

#[test]
fn a_second_key_is_refused_and_a_configured_one_wins() {
    let (folder, vault) = vault();
    key_of(&vault);
    let before = vault.recipient().unwrap();
    let second = Vault::new_key();
    let refused = vault
        .adopt_key(&second.recipient, Adopt::First)
        .unwrap_err();
    assert!(refused.message.contains("--replace"), "{refused}");
    assert_eq!(vault.recipient().unwrap(), before);

    let own = Identity::generate();
    let configured = Some(own.to_public().to_string());
    let vault = Vault::new(folder.path().join("backups"), configured.clone(), DAY);
    assert_eq!(vault.recipient().unwrap(), configured);
    let kept = keep(&vault, 1);
    let file = vault.open(&gateway(), &kept.name).unwrap().unwrap();
    let key = SecretString::from(format!(
        "# made elsewhere\n{}\n",
        own.to_string().expose_secret()
    ));
    assert_eq!(Vault::decrypt(file, &key, &mut Vec::new()).unwrap(), 22);
}

#[test]
fn another_key_takes_the_place_of_a_lost_one_and_each_opens_its_own() {
    let (folder, vault) = vault();
    let first = key_of(&vault);
    let old = keep(&vault, 1);
    let another = Vault::new_key();
    vault.adopt_key(&another.recipient, Adopt::Another).unwrap();
    let new = keep(&vault, 2);
    for (kept, key, other) in [
        (old, &first, &another.secret),
        (new, &another.secret, &first),
    ] {
        let file = || vault.open(&gateway(), &kept.name).unwrap().unwrap();
        assert!(Vault::decrypt(file(), key, &mut Vec::new()).is_ok());
        assert!(Vault::decrypt(file(), other, &mut Vec::new()).is_err());
    }
    let files = fs::read_dir(folder.path().join("backups")).unwrap();
    assert_eq!(files.count(), 2, "the gateway's folder and one recipient");
}

#[test]
fn half_a_key_of_a_panel_that_was_killed_is_no_hindrance() {
    let (folder, vault) = vault();
    fs::create_dir(folder.path().join("backups")).unwrap();
    fs::write(folder.path().join("backups/recipient.unfinished"), "age1ha").unwrap();
    assert_eq!(vault.recipient().unwrap(), None);
    key_of(&vault);
    keep(&vault, 1);
}

#[test]
fn without_a_key_nothing_is_kept_and_the_fault_says_what_to_do() {
    let (_folder, vault) = vault();
    let kept = vault.keep(&gateway(), operation(1), day(1), &mut "x".as_bytes());
    assert!(kept.unwrap_err().message.contains("An admin makes it"));
    assert_eq!(vault.list(&gateway()).unwrap(), []);
}

#[test]
fn a_source_that_fails_leaves_nothing_behind() {
    let (_folder, vault) = vault();
    key_of(&vault);
    let kept = vault.keep(&gateway(), operation(1), day(1), &mut Breaks(false));
    assert!(kept.unwrap_err().message.contains("the container is gone"));
    assert_eq!(fs::read_dir(vault.of(&gateway())).unwrap().count(), 0);
    // And half a file of a panel that was killed is no hindrance.
    fs::write(
        with_ending(
            &vault
                .of(&gateway())
                .join(backup::name(&gateway(), day(1), operation(1))),
        ),
        "half",
    )
    .unwrap();
    keep(&vault, 1);
    assert_eq!(fs::read_dir(vault.of(&gateway())).unwrap().count(), 1);
}

#[test]
fn keeping_twice_for_one_operation_is_one_backup_and_forgetting_takes_only_that() {
    let (_folder, vault) = vault();
    key_of(&vault);
    keep(&vault, 1);
    keep(&vault, 2);
    keep(&vault, 2);
    assert_eq!(vault.list(&gateway()).unwrap().len(), 2);
    for _ in 0..2 {
        vault.forget(&gateway(), operation(2)).unwrap();
        assert_eq!(vault.list(&gateway()).unwrap().len(), 1);
    }
}

#[test]
fn what_is_too_old_goes_but_never_the_newest() {
    let (_folder, vault) = vault();
    key_of(&vault);
    keep(&vault, 1);
    keep(&vault, 20);
    assert_eq!(vault.list(&gateway()).unwrap().len(), 2);
    let newest = keep(&vault, 90);
    assert_eq!(vault.list(&gateway()).unwrap(), [newest]);
}

#[test]
fn a_name_leads_nowhere_else() {
    let (folder, vault) = vault();
    key_of(&vault);
    let kept = keep(&vault, 1);
    fs::write(folder.path().join("secret"), "s").unwrap();
    let other: GatewayId = "other".parse().unwrap();
    for (gateway, name) in [
        (gateway(), "../recipient".to_owned()),
        (gateway(), "../../secret".to_owned()),
        (gateway(), format!("../openclaw/{}", kept.name)),
        (other, kept.name.clone()),
    ] {
        assert!(vault.open(&gateway, &name).unwrap().is_none(), "{name}");
    }
}
