//! The first start: nobody can sign in yet, and one link lets somebody become the first admin.

use std::io::{self, IsTerminal as _, Write as _};
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::Path;

use domain::path;
use domain::ports::Invitations;
use secrecy::ExposeSecret as _;

use crate::cli::out;
use crate::config::Config;

/// Where the link lies for whoever has a shell on the host, while there is nobody.
const NAME: &str = "set-up-link";

/// Prints the link at a terminal, else writes it to a file of the data folder: a log is no place for it.
pub(crate) async fn link(config: &Config, invitations: &dyn Invitations) {
    let file = config.data_dir.join(NAME);
    let token = match invitations.set_up().await {
        Ok(Some(token)) => token,
        Ok(None) => {
            // Whoever is there by now made it useless.
            match std::fs::remove_file(&file) {
                Err(error) if error.kind() != io::ErrorKind::NotFound => {
                    tracing::warn!(
                        error = &error as &dyn std::error::Error,
                        "{} cannot be removed; it opens nothing any more",
                        file.display()
                    );
                }
                _ => {}
            }
            return;
        }
        Err(error) => {
            tracing::warn!(
                error = &error as &dyn std::error::Error,
                "No link for the first admin could be made; `panel user add` adds one"
            );
            return;
        }
    };
    let base = config.public_url.as_str().trim_end_matches('/');
    let link = format!("{base}{}", path::welcome(token.expose_secret()));
    if io::stdout().is_terminal() {
        out::line(
            "Nobody can sign in yet. Whoever opens this link within 24 hours becomes the first admin:",
        );
        out::line(&link);
        return;
    }
    match write(&file, &link) {
        Ok(()) => tracing::info!(
            "Nobody can sign in yet. The link in {} makes the first admin, once, within 24 hours",
            file.display()
        ),
        Err(error) => tracing::warn!(
            error = &error as &dyn std::error::Error,
            "The link for the first admin cannot be written to {}; `panel user add` adds one",
            file.display()
        ),
    }
}

fn write(file: &Path, link: &str) -> io::Result<()> {
    match std::fs::remove_file(file) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
        _ => {}
    }
    let mut file = std::fs::OpenOptions::new()
        .write(true)
        .create_new(true)
        .mode(0o600)
        .open(file)?;
    writeln!(file, "{link}")?;
    file.sync_all()
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::PermissionsExt as _;

    use super::*;

    #[test]
    fn the_file_is_for_its_owner_alone_and_holds_the_newest_link() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join(NAME);
        for link in ["https://panel/welcome/1", "https://panel/welcome/2"] {
            write(&file, link).unwrap();
            assert_eq!(std::fs::read_to_string(&file).unwrap().trim(), link);
        }
        let mode = std::fs::metadata(&file).unwrap().permissions().mode();
        assert_eq!(mode & 0o777, 0o600);
    }
}
