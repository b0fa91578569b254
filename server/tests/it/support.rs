//! A database with two roles, a folder, and the program.

use std::process::{Child, Command, Output, Stdio};
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};

use adapter_store::{DatabaseConfig, Store};
use domain::ports::{Clock, Ids};
use domain::time::Timestamp;
use secrecy::SecretString;
use tempfile::TempDir;

/// A panel that has never run.
pub(crate) struct Panel {
    pub(crate) folder: TempDir,
    owner: String,
    worker: String,
    more: String,
    mail_server: Option<String>,
}

impl Panel {
    /// `more` comes before the gateways of its configuration.
    pub(crate) fn new(more: &str) -> Self {
        static NEXT: AtomicU32 = AtomicU32::new(1);
        let server = std::env::var_os("PANEL_TEST_DATABASE").and_then(|url| url.into_string().ok());
        let server = server.expect("PANEL_TEST_DATABASE is not set: run `make test`");
        let number = NEXT.fetch_add(1, Ordering::SeqCst);
        let name = format!("panel_program_{}_{number}", std::process::id());
        psql(
            &server,
            &format!("DROP DATABASE IF EXISTS {name} WITH (FORCE)"),
        );
        psql(&server, &format!("CREATE DATABASE {name}"));
        psql(
            &server,
            "DO $$ BEGIN CREATE ROLE panel_program LOGIN; EXCEPTION WHEN duplicate_object OR unique_violation THEN NULL; END $$",
        );
        let (before, _) = server.rsplit_once('/').unwrap();
        let owner = format!("{before}/{name}");
        let worker = owner.replace("postgres@", "panel_program@");
        let panel = Self {
            folder: TempDir::new().unwrap(),
            owner,
            worker,
            more: more.to_owned(),
            mail_server: None,
        };
        panel.configure();
        panel
    }

    /// With a mail server.
    pub(crate) fn mailing_through(mut self, url: String) -> Self {
        self.mail_server = Some(url);
        self
    }

    /// Its store, as a panel had it that ran at that moment.
    pub(crate) async fn store_of(&self, then: Timestamp) -> Store {
        let config = DatabaseConfig::from_url(&SecretString::from(self.worker.clone()));
        let config = config
            .unwrap()
            .owned_by(&SecretString::from(self.owner.clone()));
        let then = Arc::new(Then(then, AtomicU32::new(1)));
        Store::connect(config.unwrap(), then.clone(), then)
            .await
            .unwrap()
    }

    fn configure(&self) {
        let here = self.folder.path().display();
        let site = self.folder.path().join("site");
        std::fs::create_dir(&site).unwrap();
        std::fs::create_dir(self.folder.path().join("data")).unwrap();
        std::fs::write(site.join("site.json"), r#"{"css":"panel-1.css"}"#).unwrap();
        std::fs::write(site.join("panel-1.css"), "").unwrap();
        let more = &self.more;
        let text = format!(
            r#"public_url = "http://127.0.0.1:8700"
data_dir = "{here}/data"
site_dir = "{here}/site"
{more}
[[gateways]]
id = "g1"
docker = "unix://{here}/no-docker.sock"
compose_dir = "{here}"
public_url = "http://127.0.0.1:1"
internal_url = "http://127.0.0.1:1"
"#
        );
        std::fs::write(self.folder.path().join("panel.toml"), text).unwrap();
    }

    fn command(&self, arguments: &[&str]) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_panel"));
        command
            .env("DATABASE_URL", &self.worker)
            .env("MIGRATION_DATABASE_URL", &self.owner)
            .arg("--config")
            .arg(self.folder.path().join("panel.toml"))
            .args(arguments);
        if let Some(url) = &self.mail_server {
            command.env("PANEL_MAIL_SERVER", url);
        }
        command
    }

    pub(crate) fn run(&self, arguments: &[&str]) -> Output {
        self.command(arguments).output().unwrap()
    }

    /// What it said, when it was done.
    pub(crate) fn done(&self, arguments: &[&str]) -> String {
        let output = self.run(arguments);
        assert!(output.status.success(), "{arguments:?}: {}", said(&output));
        String::from_utf8(output.stdout).unwrap()
    }

    /// With one role for everything, as before there were two.
    pub(crate) fn run_with_one_role(&self, arguments: &[&str]) -> Output {
        let mut command = self.command(arguments);
        command
            .env("DATABASE_URL", &self.owner)
            .env_remove("MIGRATION_DATABASE_URL");
        command.output().unwrap()
    }

    pub(crate) fn serve(&self) -> Serving {
        let mut command = self.command(&["serve"]);
        command.stdout(Stdio::null()).stderr(Stdio::null());
        Serving(command.spawn().unwrap())
    }

    /// As the owner of the database; what it answered.
    pub(crate) fn sql(&self, statements: &str) -> String {
        psql(&self.owner, statements)
    }

    /// As the owner, past everything that is in the way.
    pub(crate) fn tamper(&self, statements: &str) {
        let off = "ALTER TABLE audit_events DISABLE TRIGGER ALL; ALTER TABLE audit_head DISABLE TRIGGER ALL;
                   ALTER TABLE audit_checkpoints DISABLE TRIGGER ALL;";
        let on = "ALTER TABLE audit_events ENABLE TRIGGER ALL; ALTER TABLE audit_head ENABLE TRIGGER ALL;
                  ALTER TABLE audit_checkpoints ENABLE TRIGGER ALL;";
        self.sql(&format!("{off} {statements}; {on}"));
    }
}

/// A clock that stands still, and ids that are counted.
struct Then(Timestamp, AtomicU32);

impl Clock for Then {
    fn now(&self) -> Timestamp {
        self.0
    }
}

impl Ids for Then {
    fn next(&self) -> uuid::Uuid {
        uuid::Uuid::from_u128(self.1.fetch_add(1, Ordering::SeqCst).into())
    }
}

/// Ended however the test ends.
pub(crate) struct Serving(Child);

impl Drop for Serving {
    fn drop(&mut self) {
        let _ended = self.0.kill();
        let _waited = self.0.wait();
    }
}

pub(crate) fn said(output: &Output) -> String {
    let out = String::from_utf8_lossy(&output.stdout);
    format!("{out}{}", String::from_utf8_lossy(&output.stderr))
}

fn psql(url: &str, statement: &str) -> String {
    let output = Command::new("psql")
        .args([
            "--no-psqlrc",
            "--quiet",
            "--tuples-only",
            "--no-align",
            "--set",
            "ON_ERROR_STOP=1",
            "--dbname",
            url,
        ])
        .args(["--command", statement])
        .output()
        .unwrap();
    assert!(output.status.success(), "{statement}: {}", said(&output));
    String::from_utf8(output.stdout).unwrap()
}
