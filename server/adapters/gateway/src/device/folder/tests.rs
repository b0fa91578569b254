//! Identities on the disk: made once, taken over, replaced, put back.

use super::*;

fn gateway(name: &str) -> GatewayId {
    name.parse().unwrap()
}

fn operation(number: u128) -> OperationId {
    OperationId(uuid::Uuid::from_u128(number))
}

fn mode(path: &Path) -> u32 {
    fs::metadata(path).unwrap().permissions().mode() & 0o777
}

fn names(identities: &Identities) -> Vec<String> {
    let mut names: Vec<String> = fs::read_dir(&identities.folder)
        .unwrap()
        .map(|entry| entry.unwrap().file_name().into_string().unwrap())
        .collect();
    names.sort_unstable();
    names
}

#[test]
fn each_gateway_has_an_identity_of_its_own_that_only_its_owner_reads() {
    let data = tempfile::tempdir().unwrap();
    let folder = DeviceFolder::new(data.path());
    let (one, other) = (folder.of(&gateway("one")), folder.of(&gateway("other")));
    let made = one.present().unwrap();
    fs::set_permissions(one.path_of_present(), Permissions::from_mode(0o644)).unwrap();
    assert_eq!(one.present().unwrap().id(), made.id());
    assert_ne!(other.present().unwrap().id(), made.id());
    assert_eq!(mode(&one.path_of_present()), 0o600);
    assert_eq!(mode(&one.folder), 0o700);
    assert_eq!(names(&one), ["present.json"]);
}

#[test]
fn the_identity_of_an_earlier_release_becomes_the_first_of_every_gateway_once() {
    let data = tempfile::tempdir().unwrap();
    let known = DeviceIdentity::from_secret([7; 32]);
    let first = data.path().join("device.json");
    fs::write(&first, known.to_bytes().unwrap()).unwrap();
    let folder = DeviceFolder::new(data.path());
    let gateways = ["one", "other"].map(gateway);
    for _ in 0..2 {
        folder.settle(&gateways).unwrap();
        for gateway in &gateways {
            assert_eq!(folder.of(gateway).present().unwrap().id(), known.id());
        }
        assert!(!first.exists());
    }
    // A gateway that comes later is known to nobody yet.
    let late = folder.of(&gateway("late")).present().unwrap();
    assert_ne!(late.id(), known.id());
}

#[test]
fn what_comes_at_once_agrees_on_one_identity() {
    let data = tempfile::tempdir().unwrap();
    let identities = DeviceFolder::new(data.path()).of(&gateway("one"));
    let made: Vec<DeviceId> = std::thread::scope(|threads| {
        let all: Vec<_> = (0..8)
            .map(|_| threads.spawn(|| identities.present().unwrap().id().clone()))
            .collect();
        all.into_iter().map(|one| one.join().unwrap()).collect()
    });
    assert!(made.iter().all(|id| *id == made[0]), "{made:?}");
    assert_eq!(names(&identities), ["present.json"]);
}

#[test]
fn a_damaged_one_is_not_replaced() {
    let data = tempfile::tempdir().unwrap();
    let identities = DeviceFolder::new(data.path()).of(&gateway("one"));
    identities.present().unwrap();
    fs::write(identities.path_of_present(), "{}").unwrap();
    let error = identities.present().unwrap_err();
    assert!(matches!(error, DeviceError::Damaged { .. }), "{error}");
    assert_eq!(fs::read(identities.path_of_present()).unwrap(), b"{}");
}

#[test]
fn a_new_one_takes_the_place_of_the_old_one_which_is_kept_until_it_is_forgotten() {
    let data = tempfile::tempdir().unwrap();
    let identities = DeviceFolder::new(data.path()).of(&gateway("one"));
    let old = identities.present().unwrap();
    let new = identities.make(operation(1)).unwrap();
    assert_eq!(identities.make(operation(1)).unwrap().id(), new.id());
    let made = identities.made(operation(1)).unwrap();
    assert_eq!(made.unwrap().id(), new.id());
    assert_eq!(identities.present().unwrap().id(), old.id());
    for _ in 0..2 {
        identities.take_into_use(new.id()).unwrap();
        assert_eq!(identities.present().unwrap().id(), new.id());
        assert_eq!(identities.replaced().unwrap(), [old.id().clone()]);
        assert_eq!(identities.find(old.id()).unwrap().id(), old.id());
    }
    assert!(identities.made(operation(1)).unwrap().is_none());
    for _ in 0..2 {
        identities.forget(old.id()).unwrap();
        assert_eq!(names(&identities), ["present.json"]);
    }
    let gone = identities.find(old.id()).unwrap_err();
    assert!(matches!(gone, DeviceError::Missing { .. }), "{gone}");
}

#[test]
fn a_replacement_that_was_broken_off_is_done_by_the_next_try() {
    let data = tempfile::tempdir().unwrap();
    let identities = DeviceFolder::new(data.path()).of(&gateway("one"));
    let old = identities.present().unwrap();
    let new = identities.make(operation(1)).unwrap();
    // The old one is kept aside, and the new one is not in its place yet.
    fs::copy(
        identities.path_of_present(),
        identities.path_of_old(old.id()),
    )
    .unwrap();
    identities.take_into_use(new.id()).unwrap();
    assert_eq!(identities.present().unwrap().id(), new.id());
    assert_eq!(identities.replaced().unwrap(), [old.id().clone()]);
}

#[test]
fn one_that_was_replaced_is_put_back_also_half_way() {
    let data = tempfile::tempdir().unwrap();
    let identities = DeviceFolder::new(data.path()).of(&gateway("one"));
    let old = identities.present().unwrap();
    let new = identities.make(operation(1)).unwrap();
    fs::copy(
        identities.path_of_present(),
        identities.path_of_old(old.id()),
    )
    .unwrap();
    identities.put_back(old.id()).unwrap();
    assert_eq!(identities.replaced().unwrap(), []);
    identities.take_into_use(new.id()).unwrap();
    for _ in 0..2 {
        identities.put_back(old.id()).unwrap();
        assert_eq!(names(&identities), ["present.json"]);
        assert_eq!(identities.present().unwrap().id(), old.id());
    }
}

#[test]
fn one_that_is_discarded_leaves_the_one_in_use_and_nothing_else() {
    let data = tempfile::tempdir().unwrap();
    let identities = DeviceFolder::new(data.path()).of(&gateway("one"));
    identities.discard(operation(1)).unwrap();
    let present = identities.present().unwrap();
    let new = identities.make(operation(1)).unwrap();
    fs::write(identities.folder.join("x.json.12.unfinished"), "x").unwrap();
    for _ in 0..2 {
        identities.discard(operation(1)).unwrap();
        assert_eq!(names(&identities), ["present.json"]);
    }
    let gone = identities.take_into_use(new.id()).unwrap_err();
    assert!(matches!(gone, DeviceError::Missing { .. }), "{gone}");
    assert_eq!(identities.present().unwrap().id(), present.id());
}
