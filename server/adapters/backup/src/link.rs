//! The link of one account within a gateway's archive: the files of `credentials/whatsapp/<account>`.
//!
//! Seen on 2026.9.6: `backup create` writes a gzipped tar whose files stand below
//! `<root>/payload/…/.openclaw/`, with the path that they had in the container.

use std::io::{self, Read};
use std::path::{Component, Path, PathBuf};

use domain::fault::{Fault, FaultKind};
use domain::gateway::AccountId;
use flate2::read::GzDecoder;
use secrecy::{ExposeSecret as _, SecretSlice};

use crate::fault::panel;

/// A link has some thousand small files at most.
const LARGEST: u64 = 64 << 20;
/// The file without which there is no link.
const CREDENTIALS: &str = "creds.json";

/// The files of an account's link.
pub struct Link {
    parts: Vec<Part>,
    /// The last digits of the number, when the credentials say it.
    pub digits: Option<String>,
}

/// Whose the files are to be, by the numbers that the container knows.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Owner {
    /// The user.
    pub user: u32,
    /// The group.
    pub group: u32,
}

/// A file of the link: its path below the account's folder, and what is in it.
struct Part {
    path: PathBuf,
    bytes: SecretSlice<u8>,
}

impl Link {
    /// Reads the whole archive, so that one that was damaged is found, and keeps the account's link.
    pub(crate) fn read(archive: impl Read, account: &AccountId) -> Result<Self, Fault> {
        let damaged = |error: io::Error| {
            panel(
                FaultKind::Refused,
                format!("The backup is damaged: {error}."),
            )
        };
        let mut archive = tar::Archive::new(GzDecoder::new(archive));
        let mut parts = Vec::new();
        let mut room = LARGEST;
        for entry in archive.entries().map_err(damaged)? {
            let mut entry = entry.map_err(damaged)?;
            let path = entry.path().map_err(damaged)?.into_owned();
            let Some(path) = below_account(&path, account) else {
                continue;
            };
            if !entry.header().entry_type().is_file() {
                continue;
            }
            let mut bytes = Vec::new();
            let read = (&mut entry).take(room + 1).read_to_end(&mut bytes);
            let read = read.map_err(damaged)? as u64;
            room = room.checked_sub(read).ok_or_else(|| {
                panel(
                    FaultKind::Refused,
                    "The backup's link is larger than any link can be.",
                )
            })?;
            parts.push(Part {
                path,
                bytes: bytes.into(),
            });
        }
        let credentials = parts
            .iter()
            .find(|part| part.path == Path::new(CREDENTIALS));
        let Some(credentials) = credentials else {
            return Err(panel(
                FaultKind::NotOffered,
                format!("This backup holds no link of account {account}."),
            ));
        };
        let digits = digits(credentials.bytes.expose_secret());
        Ok(Self { parts, digits })
    }

    /// A tar of the files, below the folder `new`, for `owner` alone.
    ///
    /// # Errors
    /// When a path is too strange for a tar.
    pub fn pack(&self, owner: Owner) -> Result<SecretSlice<u8>, Fault> {
        pack(&self.parts, owner).map(Into::into).map_err(|error| {
            panel(
                FaultKind::Unexpected,
                format!("The link could not be packed: {error}."),
            )
        })
    }
}

/// The rest of a path after `credentials/whatsapp/<account>`, when it lies below that and nowhere else.
fn below_account(path: &Path, account: &AccountId) -> Option<PathBuf> {
    let mut names = Vec::new();
    for part in path.components() {
        match part {
            Component::Normal(name) => names.push(name.to_str()?),
            Component::CurDir => {}
            _ => return None,
        }
    }
    let wanted = ["credentials", "whatsapp", account.as_str()];
    let at = names
        .windows(wanted.len())
        .position(|names| names == wanted)?;
    let rest: PathBuf = names[at + wanted.len()..].iter().collect();
    (!rest.as_os_str().is_empty()).then_some(rest)
}

/// Baileys' `me.id` is `4915112345642:12@s.whatsapp.net`.
fn digits(credentials: &[u8]) -> Option<String> {
    let credentials: serde_json::Value = serde_json::from_slice(credentials).ok()?;
    let id = credentials.get("me")?.get("id")?.as_str()?;
    let number = id.split([':', '@']).next()?;
    let last = number.get(number.len().checked_sub(4)?..)?;
    let digits = last.bytes().all(|byte| byte.is_ascii_digit());
    digits.then(|| last.to_owned())
}

fn pack(parts: &[Part], owner: Owner) -> io::Result<Vec<u8>> {
    let mut tar = tar::Builder::new(Vec::new());
    let header = |kind: tar::EntryType, mode: u32, size: u64| {
        let mut header = tar::Header::new_gnu();
        header.set_entry_type(kind);
        header.set_mode(mode);
        header.set_size(size);
        header.set_uid(owner.user.into());
        header.set_gid(owner.group.into());
        header
    };
    let mut folders = vec![PathBuf::from("new")];
    for part in parts {
        let path = Path::new("new").join(&part.path);
        let mut above: Vec<_> = path.ancestors().skip(1).map(Path::to_path_buf).collect();
        above.reverse();
        for folder in above {
            if !folder.as_os_str().is_empty() && !folders.contains(&folder) {
                folders.push(folder);
            }
        }
    }
    for folder in folders {
        let mut folder_header = header(tar::EntryType::Directory, 0o700, 0);
        tar.append_data(&mut folder_header, folder, io::empty())?;
    }
    for part in parts {
        let bytes = part.bytes.expose_secret();
        let mut file = header(tar::EntryType::Regular, 0o600, bytes.len() as u64);
        tar.append_data(&mut file, Path::new("new").join(&part.path), bytes)?;
    }
    tar.into_inner()
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;
    use std::io::Write as _;

    use super::*;
    use flate2::write::GzEncoder;
    use proptest::prelude::*;

    const STATE: &str = "openclaw-backup/payload/posix/home/node/.openclaw";

    fn account() -> AccountId {
        "default".parse().unwrap()
    }

    fn archive(files: &[(&str, &str)]) -> Vec<u8> {
        let mut tar = tar::Builder::new(GzEncoder::new(Vec::new(), flate2::Compression::fast()));
        for (path, text) in files {
            let mut header = tar::Header::new_gnu();
            header.set_size(text.len() as u64);
            tar.append_data(&mut header, format!("{STATE}/{path}"), text.as_bytes())
                .unwrap();
        }
        tar.into_inner().unwrap().finish().unwrap()
    }

    fn unpacked(link: &Link) -> BTreeMap<String, String> {
        let owner = Owner {
            user: 1000,
            group: 1001,
        };
        let files = link.pack(owner).unwrap();
        let mut tar = tar::Archive::new(files.expose_secret());
        let entries = tar.entries().unwrap().map(Result::unwrap);
        entries
            .filter(|entry| entry.header().entry_type().is_file())
            .map(|mut entry| {
                let header = entry.header();
                assert_eq!((header.uid().unwrap(), header.gid().unwrap()), (1000, 1001));
                let path = entry.path().unwrap().display().to_string();
                let mut text = String::new();
                entry.read_to_string(&mut text).unwrap();
                (path, text)
            })
            .collect()
    }

    #[test]
    fn the_files_of_one_account_are_taken_and_of_no_other() {
        let creds = r#"{"me":{"id":"4915112345642:12@s.whatsapp.net"}}"#;
        let archive = archive(&[
            ("openclaw.json", "{}"),
            ("credentials/whatsapp/work/creds.json", "another's"),
            ("credentials/whatsapp/default/creds.json", creds),
            ("credentials/whatsapp/default/keys/1.json", "one"),
        ]);
        let link = Link::read(&*archive, &account()).unwrap();
        assert_eq!(link.digits.as_deref(), Some("5642"));
        let expected = [("new/creds.json", creds), ("new/keys/1.json", "one")];
        let expected = expected.map(|(path, text)| (path.to_owned(), text.to_owned()));
        assert_eq!(unpacked(&link), BTreeMap::from(expected));
    }

    #[test]
    fn an_archive_without_the_link_says_so() {
        let archive = archive(&[("credentials/whatsapp/work/creds.json", "{}")]);
        let fault = Link::read(&*archive, &account()).err().unwrap();
        assert!(fault.message.contains("no link of account default"));
    }

    #[test]
    fn credentials_without_a_number_are_a_link_all_the_same() {
        for creds in [
            "{}",
            "",
            r#"{"me":{"id":"x"}}"#,
            r#"{"me":{"id":"ab12:1@s"}}"#,
        ] {
            let archive = archive(&[("credentials/whatsapp/default/creds.json", creds)]);
            assert_eq!(Link::read(&*archive, &account()).unwrap().digits, None);
        }
    }

    #[test]
    fn a_cut_archive_is_damaged() {
        let whole = archive(&[("credentials/whatsapp/default/creds.json", "{}")]);
        let fault = Link::read(&whole[..whole.len() / 2], &account()).err();
        assert!(fault.unwrap().message.contains("damaged"));
    }

    #[test]
    fn a_path_that_climbs_out_is_not_followed() {
        let mut tar = tar::Builder::new(GzEncoder::new(Vec::new(), flate2::Compression::fast()));
        let mut header = tar::Header::new_gnu();
        header.set_size(1);
        let name = b"credentials/whatsapp/default/../../../x";
        header.as_gnu_mut().unwrap().name[..name.len()].copy_from_slice(name);
        header.set_cksum();
        tar.append(&header, &b"x"[..]).unwrap();
        let mut gzip = tar.into_inner().unwrap();
        gzip.flush().unwrap();
        let archive = gzip.finish().unwrap();
        assert!(Link::read(&*archive, &account()).is_err());
    }

    proptest! {
        #[test]
        fn no_path_leads_out_of_the_accounts_folder(path in "[a-z./]{0,40}") {
            let whole = Path::new("credentials/whatsapp/default").join(path);
            if let Some(rest) = below_account(&whole, &account()) {
                prop_assert!(rest.components().all(|part| matches!(part, Component::Normal(_))));
            }
        }
    }
}
