use std::collections::BTreeMap;
use std::os::unix::fs::PermissionsExt as _;
use std::path::Path;

use adapter_git::{LogFile, Push};

use domain::person::Role;
use domain::review::Rule;

use super::*;

mod sign_in;

fn load(text: &str, environment: &BTreeMap<String, String>) -> Result<Config, ConfigErrors> {
    let folder = tempfile::tempdir().unwrap();
    std::fs::write(folder.path().join("site.json"), "{}").unwrap();
    let text = text.replace("HERE", &folder.path().display().to_string());
    let file = folder.path().join("panel.toml");
    std::fs::write(&file, text).unwrap();
    Config::load(Some(&file), environment)
}

const GOOD: &str = r#"
public_url = "https://panel.example.org"
data_dir = "HERE"
site_dir = "HERE"
[[gateways]]
id = "openclaw"
compose_dir = "HERE"
public_url = "https://openclaw.example.org"
"#;

#[test]
fn a_short_file_is_enough() {
    let config = load(GOOD, &BTreeMap::new()).unwrap();
    assert_eq!(config.listen.to_string(), "127.0.0.1:8700");
    assert_eq!(
        config.gateways[0].internal_url.as_str(),
        "http://127.0.0.1:18789/"
    );
    assert_eq!(config.gateways[0].service, "openclaw-gateway");
    assert!(config.database_url.is_none());
}

#[test]
fn the_environment_wins_over_the_file() {
    let environment = BTreeMap::from([("PANEL_LISTEN".to_owned(), "127.0.0.1:9999".to_owned())]);
    assert_eq!(load(GOOD, &environment).unwrap().listen.port(), 9999);
}

#[test]
fn metrics_are_shown_only_where_somebody_said() {
    assert_eq!(load(GOOD, &BTreeMap::new()).unwrap().metrics_listen, None);
    let text = format!("metrics_listen = \"127.0.0.1:8701\"{GOOD}");
    let config = load(&text, &BTreeMap::new()).unwrap();
    assert_eq!(config.metrics_listen.unwrap().port(), 8701);
    let environment = BTreeMap::from([("PANEL_METRICS_LISTEN".to_owned(), "8701".to_owned())]);
    let error = load(GOOD, &environment).unwrap_err().to_string();
    assert!(
        error.contains("PANEL_METRICS_LISTEN = \"8701\": give address and port"),
        "{error}"
    );
}

#[test]
fn what_the_panel_lists_by_itself_follows_from_its_configuration() {
    let listed = |text: &str| {
        let environment = BTreeMap::from([
            (
                "DATABASE_URL".to_owned(),
                "postgres://panel@localhost/panel".to_owned(),
            ),
            ("PANEL_GITHUB_TOKEN".to_owned(), "hunter22".to_owned()),
        ]);
        let known = crate::register::known(&load(text, &environment).unwrap());
        let words = known.iter().map(|known| known.kind.as_str());
        words.collect::<Vec<_>>().join(" ")
    };
    assert_eq!(
        listed(GOOD),
        "gateway-key whatsapp-session panel-device tls-certificate backup-key github-token database-password"
    );
    let plain = GOOD.replace("https://openclaw", "http://openclaw");
    assert!(!listed(&plain).contains("tls-certificate"));
    let known = crate::register::known(&load(GOOD, &BTreeMap::new()).unwrap());
    for absent in ["database-password", "github-token"] {
        assert!(known.iter().all(|known| known.kind.as_str() != absent));
    }
}

#[test]
fn every_fault_is_named_at_once_with_key_value_and_remedy() {
    let text = GOOD
        .replace("https://panel.example.org", "panel.example.org")
        .replace("\"openclaw\"", "\"Open Claw\"");
    let error = load(&text, &BTreeMap::new()).unwrap_err().to_string();
    assert!(
        error.contains("public_url = \"panel.example.org\": give http"),
        "{error}"
    );
    assert!(
        error.contains("gateways[0].id = \"Open Claw\": use 1 to 40"),
        "{error}"
    );
}

#[test]
fn an_unknown_key_is_refused() {
    let error = load(&format!("lisen = \"x\"\n{GOOD}"), &BTreeMap::new())
        .unwrap_err()
        .to_string();
    assert!(error.contains("lisen"), "{error}");
}

#[test]
fn a_bad_database_url_is_not_quoted() {
    let environment = BTreeMap::from([(
        "DATABASE_URL".to_owned(),
        "mysql://u:hunter22@h/d".to_owned(),
    )]);
    let error = load(GOOD, &environment).unwrap_err().to_string();
    assert!(
        error.contains("postgres://") && !error.contains("hunter22"),
        "{error}"
    );
}

#[test]
fn docker_over_tcp_needs_tls() {
    let text = format!("{GOOD}docker = \"tcp://10.0.0.1:2375\"\n");
    let error = load(&text, &BTreeMap::new()).unwrap_err().to_string();
    assert!(
        error.contains("without TLS is root for everybody"),
        "{error}"
    );
}

#[test]
fn a_file_that_is_not_there_is_named() {
    let error =
        Config::load(Some(Path::new("/nonexistent/panel.toml")), &BTreeMap::new()).unwrap_err();
    assert!(error.to_string().contains("/nonexistent/panel.toml"));
}

#[test]
fn a_fault_of_a_variable_names_the_variable() {
    for (variable, value) in [
        ("PANEL_LISTEN", "nowhere"),
        ("PANEL_PUBLIC_URL", "panel.example.org"),
        ("PANEL_DATA_DIR", "data"),
        ("PANEL_SITE_DIR", "/nonexistent"),
        ("PANEL_LOG", "panel=loud"),
    ] {
        let environment = BTreeMap::from([(variable.to_owned(), value.to_owned())]);
        let error = load(GOOD, &environment).unwrap_err().to_string();
        let said = format!("{variable} = {value:?}: ");
        assert!(error.contains(&said), "{error}");
    }
}

#[test]
fn a_log_filter_that_means_nothing_is_refused() {
    let error = load(&format!("log = \"panel=loud\"\n{GOOD}"), &BTreeMap::new())
        .unwrap_err()
        .to_string();
    assert!(
        error.contains("log = \"panel=loud\": give a level"),
        "{error}"
    );
}

#[test]
fn backups_want_a_recipient_and_days_that_mean_something() {
    for (line, said) in [
        (
            "backup_recipient = \"age1nonsense\"",
            "backup_recipient = \"age1nonsense\": give the public half",
        ),
        (
            "backup_days = 0",
            "backup_days = \"0\": give 1 to 3650 days",
        ),
    ] {
        let error = load(&format!("{line}\n{GOOD}"), &BTreeMap::new()).unwrap_err();
        assert!(error.to_string().contains(said), "{error}");
    }
    let key = adapter_backup::Vault::new_key().recipient;
    let text = format!("backup_recipient = {key:?}\nbackup_days = 7\n{GOOD}");
    let config = load(&text, &BTreeMap::new()).unwrap();
    assert_eq!(config.backup_recipient, Some(key));
    assert_eq!(config.backups_kept_for, Duration::from_secs(7 * 86_400));
}

#[test]
fn a_line_that_is_no_toml_is_numbered_and_not_quoted() {
    let text = format!("{GOOD}password = hunter22\n");
    let error = load(&text, &BTreeMap::new()).unwrap_err().to_string();
    assert!(error.contains("line 9: "), "{error}");
    assert!(!error.contains("hunter22"), "{error}");
}

#[test]
fn what_blinds_one_gateway_keeps_nobody_from_starting() {
    let text = GOOD.replace("compose_dir = \"HERE\"", "compose_dir = \"/nonexistent\"");
    let text = format!(
        "{text}ca_file = \"/nonexistent/ca.pem\"\ndocker = \"tcp://h:2376\"\ndocker_ca = \"/nonexistent/1\"\n\
         docker_cert = \"/nonexistent/2\"\ndocker_key = \"/nonexistent/3\"\n"
    );
    let config = load(&text, &BTreeMap::new()).unwrap();
    assert_eq!(config.gateways.len(), 1);
    let warnings = config.warnings.join("\n");
    for key in [
        "compose_dir",
        "ca_file",
        "docker_ca",
        "docker_cert",
        "docker_key",
    ] {
        assert!(
            warnings.contains(&format!("gateways[0].{key} = \"/nonexistent")),
            "{warnings}"
        );
    }
    assert_eq!(load(GOOD, &BTreeMap::new()).unwrap().warnings, [""; 0]);
}

#[test]
fn a_mail_server_is_never_quoted_and_needs_tls_and_a_sender() {
    let server = |url: &str| BTreeMap::from([("PANEL_MAIL_SERVER".to_owned(), url.to_owned())]);
    let from = format!("mail_from = \"OpenClaw Panel <panel@example.org>\"\n{GOOD}");
    let clear = server("smtp://u:hunter22@mail.example.org");
    let error = load(&from, &clear).unwrap_err().to_string();
    assert!(error.contains("?tls=required"), "{error}");
    assert!(!error.contains("hunter22"), "{error}");
    let private = server("smtps://u:hunter22@mail.example.org");
    let error = load(GOOD, &private).unwrap_err().to_string();
    assert!(error.contains("mail_from is missing"), "{error}");
    let config = load(&from, &private).unwrap();
    assert!(config.mail.is_some() && !format!("{config:?}").contains("hunter22"));
}

#[test]
fn a_secret_on_github_needs_a_repository_and_a_token_that_is_never_quoted() {
    let token = |value: &str| BTreeMap::from([("PANEL_GITHUB_TOKEN".to_owned(), value.to_owned())]);
    let text = format!("{GOOD}github_repository = \"example/infra\"\n");
    let config = load(&text, &token("hunter22")).unwrap();
    let secret = config.gateways[0].github_secret.clone().unwrap();
    assert_eq!(secret.repository.to_string(), "example/infra");
    assert_eq!(secret.name.to_string(), "OPENCLAW_API_KEY");
    assert!(!format!("{config:?}").contains("hunter22"));
    assert_eq!(
        load(GOOD, &token("hunter22")).unwrap().gateways[0].github_secret,
        None
    );

    let error = load(&text, &BTreeMap::new()).unwrap_err().to_string();
    assert!(error.contains("github_token_file is missing"), "{error}");
    for (line, said) in [
        (
            "github_repository = \"infra\"",
            "gateways[0].github_repository = \"infra\": give owner/name",
        ),
        (
            "github_secret = \"OTHER_KEY\"",
            "gateways[0].github_secret = \"OTHER_KEY\": say in which repository",
        ),
        (
            "github_repository = \"example/infra\"\ngithub_secret = \"GITHUB_KEY\"",
            "gateways[0].github_secret = \"GITHUB_KEY\": use A-Z",
        ),
    ] {
        let error = load(&format!("{GOOD}{line}\n"), &token("hunter22")).unwrap_err();
        assert!(error.to_string().contains(said), "{error}");
        assert!(!error.to_string().contains("hunter22"), "{error}");
    }
}

#[test]
fn githubs_token_goes_nowhere_in_the_clear_and_its_file_belongs_to_the_panel_alone() {
    for (url, said) in [
        ("http://github.example.org/api/v3", "use https"),
        ("https://github.com", "its API is https://api.github.com"),
        (
            "https://u:hunter22@github.example.org",
            "github_api_url: give https",
        ),
    ] {
        let text = format!("github_api_url = {url:?}\n{GOOD}");
        let error = load(&text, &BTreeMap::new()).unwrap_err().to_string();
        assert!(
            error.contains(said) && !error.contains("hunter22"),
            "{error}"
        );
    }
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("token");
    std::fs::write(&file, "hunter22").unwrap();
    let text =
        format!("github_token_file = {file:?}\n{GOOD}github_repository = \"example/infra\"\n");
    for (mode, said) in [(0o640, "others on this host may read it"), (0o600, "")] {
        std::fs::set_permissions(&file, std::fs::Permissions::from_mode(mode)).unwrap();
        let warnings = load(&text, &BTreeMap::new()).unwrap().warnings.join("\n");
        assert_eq!(warnings.is_empty(), said.is_empty(), "{warnings}");
        assert!(warnings.contains(said), "{warnings}");
    }
    std::fs::remove_file(&file).unwrap();
    let warnings = load(&text, &BTreeMap::new()).unwrap().warnings.join("\n");
    assert!(
        warnings.contains("github_token_file = ") && warnings.contains("cannot be read"),
        "{warnings}"
    );
}

#[test]
fn a_log_of_rotations_is_a_file_of_a_clone_with_an_author() {
    assert_eq!(
        load(GOOD, &BTreeMap::new()).unwrap().gateways[0].rotation_log,
        None
    );
    let clone = format!("{GOOD}rotation_log_repository = \"HERE\"\n");
    let config = load(&clone, &BTreeMap::new()).unwrap();
    let author = config.rotation_log_author.to_string();
    assert_eq!(author, "OpenClaw Panel <panel@panel.example.org>");
    let place = config.gateways[0].rotation_log.clone().unwrap();
    assert_eq!(place.push, Push::Never);
    assert_eq!(place.file, LogFile::DEFAULT.parse().unwrap());
    let text =
        format!("rotation_log_author = \"P <p@example.org>\"\n{clone}rotation_log_push = true\n");
    let config = load(&text, &BTreeMap::new()).unwrap();
    assert_eq!(config.rotation_log_author.to_string(), "P <p@example.org>");
    let place = config.gateways[0].rotation_log.clone().unwrap();
    assert_eq!(place.push, Push::ToUpstream);
    for (text, said) in [
        (
            format!("rotation_log_author = \"panel\"\n{clone}"),
            "rotation_log_author = \"panel\": give a name and an address",
        ),
        (
            format!("{clone}rotation_log_file = \"../log.md\"\n"),
            "gateways[0].rotation_log_file = \"../log.md\": give a path inside the repository",
        ),
        (
            format!("{GOOD}rotation_log_repository = \"infra\"\n"),
            "gateways[0].rotation_log_repository = \"infra\": give an absolute path",
        ),
        (
            format!("{GOOD}rotation_log_push = true\n"),
            "gateways[0].rotation_log_push = \"true\": say where the clone is",
        ),
    ] {
        let error = load(&text, &BTreeMap::new()).unwrap_err().to_string();
        assert!(error.contains(said), "{error}");
    }
    let text = format!("{GOOD}rotation_log_repository = \"/nonexistent\"\n");
    let warnings = load(&text, &BTreeMap::new()).unwrap().warnings.join("\n");
    assert!(
        warnings.contains("rotation_log_repository = \"/nonexistent\""),
        "{warnings}"
    );
}

#[test]
fn a_gateway_may_ask_for_a_second_person() {
    let alone = load(GOOD, &BTreeMap::new()).unwrap();
    assert!(alone.second_person().is_empty());
    let text = format!("{GOOD}rotate_key_needs_second_person = true\n");
    let asking = load(&text, &BTreeMap::new()).unwrap();
    assert_eq!(
        asking.second_person(),
        [asking.gateways[0].id.clone()].into()
    );
}

#[test]
fn checkpoints_go_only_where_they_are_safe_on_the_way() {
    let with = |line: &str| {
        let text = GOOD.replace("[[gateways]]", &format!("[audit]\n{line}\n[[gateways]]"));
        let mail = BTreeMap::from([(
            "PANEL_MAIL_SERVER".to_owned(),
            "smtp://127.0.0.1:1025".to_owned(),
        )]);
        load(&format!("mail_from = \"panel@example.org\"\n{text}"), &mail)
    };
    let config = with("checkpoint_url = \"https://elsewhere.example.org/x\"").unwrap();
    let url = config.audit.checkpoint_url.unwrap();
    assert_eq!(url.as_str(), "https://elsewhere.example.org/x");
    assert!(with("checkpoint_url = \"http://127.0.0.1:9000/x\"").is_ok());
    assert!(with("mail_to = \"auditor@example.org\"").is_ok());
    for bad in [
        "http://elsewhere.example.org/t0k3n",
        "t0k3n",
        "ftp://127.0.0.1/",
    ] {
        let error = with(&format!("checkpoint_url = \"{bad}\""))
            .unwrap_err()
            .to_string();
        assert!(
            error.contains("audit.checkpoint_url: give https://"),
            "{error}"
        );
        assert!(!error.contains("t0k3n"), "{error}");
    }
    let reviews = "review_every_days = 14\nreview_by = \"mia\"\noffice_hours = \"Mon-Fri 07:00-20:00\"\noffice_zone = \"CET-1CEST,M3.5.0,M10.5.0/3\"";
    let audit = with(reviews).unwrap().audit;
    assert_eq!(audit.policy.every_days, 14);
    assert_eq!(audit.policy.by.as_deref(), Some("mia"));
    assert!(audit.office_hours.is_some());
    let reports = with("report_to = [\"mia@example.org\", \"mia@example.org\"]");
    assert_eq!(reports.unwrap().audit.report_to, ["mia@example.org"]);
    let alerts = with("alert_to = [\"mia@example.org\"]\nalert_on = [\"wipe\", \"leak\"]");
    let alerts = alerts.unwrap().audit;
    assert_eq!(alerts.alert_to, ["mia@example.org"]);
    assert_eq!(alerts.alert_on, [Rule::Wipe, Rule::Leak].into());
    let audit = with("").unwrap().audit;
    assert_eq!(audit.alert_on, Rule::ALL.into());
    assert_eq!(audit.keep_days, None, "everything is kept");
    assert!(audit.archive_dir.ends_with("audit-archive"));
    let audit = with("keep_days = 400\narchive_dir = \"/mnt/archive\"");
    let audit = audit.unwrap().audit;
    assert_eq!(audit.keep_days, Some(400));
    assert_eq!(audit.archive_dir, Path::new("/mnt/archive"));
    for (bad, said) in [
        (
            "alert_on = [\"everything\"]",
            "give some of wipe, leak, role-change",
        ),
        ("report_to = [\"mia\"]", "give mail addresses"),
        ("review_every_days = 0", "give 1 to 366 days"),
        (
            "checkpoint_keys = [\"abc\"]",
            "give public keys of 64 hexadecimal digits",
        ),
        (
            "keep_days = 399",
            "audit.keep_days = \"399\": give 400 days or more",
        ),
        ("archive_dir = \"here\"", "give the whole path of a folder"),
        ("office_hours = \"always\"", "give days and hours"),
    ] {
        let error = with(bad).unwrap_err().to_string();
        assert!(error.contains(said), "{error}");
    }
    let error = with("mail_to = \"nobody\"").unwrap_err().to_string();
    assert!(error.contains("give mail addresses"), "{error}");
    let text = GOOD.replace("[[gateways]]", "[audit]\nmail_to = \"a@b.c\"\n[[gateways]]");
    let error = load(&text, &BTreeMap::new()).unwrap_err().to_string();
    assert!(error.contains("set mail_server_file, too"), "{error}");
}

#[test]
fn the_owner_of_the_tables_is_of_a_database_of_yours() {
    let owner = (
        "MIGRATION_DATABASE_URL",
        "postgres://owner:hunter22@localhost/panel",
    );
    let own = ("DATABASE_URL", "postgres://panel@localhost/panel");
    let environment = |pairs: &[(&str, &str)]| -> BTreeMap<String, String> {
        let pairs = pairs
            .iter()
            .map(|(name, value)| ((*name).to_owned(), (*value).to_owned()));
        pairs.collect()
    };
    let config = load(GOOD, &environment(&[owner, own])).unwrap();
    assert!(config.migration_url.is_some());
    let error = load(GOOD, &environment(&[owner])).unwrap_err().to_string();
    assert!(error.contains("database_url_file is missing"), "{error}");
    let wrong = ("MIGRATION_DATABASE_URL", "mysql://hunter22");
    let error = load(GOOD, &environment(&[wrong, own]))
        .unwrap_err()
        .to_string();
    assert!(error.contains("MIGRATION_DATABASE_URL"), "{error}");
    assert!(!error.contains("hunter22"), "{error}");
}
