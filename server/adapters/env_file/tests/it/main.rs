//! The key in a compose folder on the disk.

#![expect(clippy::unwrap_used, reason = "a test says by a panic what is wrong")]

mod lines;
mod rotation;

use std::collections::BTreeMap;
use std::fs;
use std::path::PathBuf;

use adapter_env_file::{KeyFile, Marks, Rotator, Seals};
use domain::operation::OperationId;
use secrecy::ExposeSecret as _;
use tempfile::TempDir;
use uuid::Uuid;

const COMPOSE: &str = "services:
  gateway:
    image: openclaw:1
    environment:
      OPENCLAW_GATEWAY_TOKEN: ${OPENCLAW_API_KEY:?write it}
      PUBLIC_URL: ${PUBLIC_URL:-http://127.0.0.1}
";
const OLD: &str = "an-old-key-1";

/// A compose folder and the panel's own.
struct Folder {
    root: TempDir,
}

impl Folder {
    fn new(env: &str) -> Self {
        Self::with(COMPOSE, env)
    }

    fn with(compose: &str, env: &str) -> Self {
        let root = tempfile::tempdir().unwrap();
        fs::create_dir(root.path().join("openclaw")).unwrap();
        fs::write(root.path().join("openclaw/compose.yaml"), compose).unwrap();
        fs::write(root.path().join("openclaw/.env"), env).unwrap();
        Self { root }
    }

    fn compose(&self) -> PathBuf {
        self.root.path().join("openclaw")
    }

    fn env(&self) -> PathBuf {
        self.compose().join(".env")
    }

    fn read(&self) -> String {
        fs::read_to_string(self.env()).unwrap()
    }

    fn rotator(&self) -> Rotator {
        let file = KeyFile::new(
            self.compose(),
            "gateway".to_owned(),
            "OPENCLAW_GATEWAY_TOKEN".to_owned(),
            BTreeMap::new(),
        );
        let data = self.root.path().join("data");
        let seals = Seals::new(data.join("sealed"));
        Rotator::new(file, seals, Marks::new(data.join("fingerprint.key")))
    }

    /// Why the key cannot be changed here.
    fn against(&self) -> String {
        self.rotator().look().unwrap_err().message
    }

    fn key(&self) -> String {
        self.rotator().present().unwrap().expose_secret().to_owned()
    }
}

fn operation() -> OperationId {
    OperationId(Uuid::from_u128(7))
}
