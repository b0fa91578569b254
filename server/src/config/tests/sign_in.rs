//! How people sign in, as the file says it.

use domain::session::SessionLimits;

use super::*;

#[test]
fn admins_need_a_second_factor_unless_somebody_said_otherwise() {
    let config = load(GOOD, &BTreeMap::new()).unwrap();
    assert_eq!(config.sign_in.second_factor_for, [Role::Admin].into());
    assert_eq!(config.sign_in.key_file, config.data_dir.join("sign-in-key"));
    let with = |line: &str| {
        let (before, after) = GOOD.split_once("[[gateways]]").unwrap();
        let text = format!("{before}[sign_in]\n{line}\n[[gateways]]{after}");
        load(&text, &BTreeMap::new())
    };
    let none = with("second_factor_for = []").unwrap();
    assert!(none.sign_in.second_factor_for.is_empty());
    assert_eq!(none.sign_in.limits, SessionLimits::default());
    let short = with("idle_minutes = 15\nabsolute_hours = 10").unwrap();
    let minutes = |minutes: u64| Duration::from_secs(minutes * 60);
    assert_eq!(short.sign_in.limits.idle, minutes(15));
    assert_eq!(short.sign_in.limits.absolute, minutes(600));
    let a_shift = with("absolute_hours = 8").unwrap().sign_in.limits;
    assert_eq!(
        (a_shift.idle, a_shift.absolute),
        (minutes(480), minutes(480))
    );
    for (line, said) in [
        ("idle_minutes = 4", "sign_in.idle_minutes"),
        (
            "idle_minutes = 90\nabsolute_hours = 1",
            "sign_in.idle_minutes",
        ),
        ("absolute_hours = 721", "sign_in.absolute_hours"),
        ("absolute_hours = 0", "sign_in.absolute_hours"),
    ] {
        let wrong = with(line).unwrap_err().to_string();
        assert!(wrong.contains(said), "{line}: {wrong}");
    }
    let wrong = with("second_factor_for = [\"boss\"]").unwrap_err();
    assert!(
        wrong.to_string().contains("name roles: admin, operator"),
        "{wrong}"
    );
}

#[test]
fn an_identity_provider_is_told_where_it_is_and_makes_no_admins() {
    assert!(
        load(GOOD, &BTreeMap::new())
            .unwrap()
            .sign_in
            .provider
            .is_none()
    );
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("secret");
    std::fs::write(&file, "hunter22").unwrap();
    std::fs::set_permissions(&file, std::fs::Permissions::from_mode(0o600)).unwrap();
    let good = [
        ("issuer", "\"https://id.example.org/realms/a\"".to_owned()),
        ("client_id", "\"panel\"".to_owned()),
        ("client_secret_file", format!("{file:?}")),
        ("name", "\"Example\"".to_owned()),
        (
            "roles",
            "{ ops = \"operator\", staff = \"viewer\" }".to_owned(),
        ),
    ];
    let with = |change: &str, value: Option<&str>| {
        let lines = good.iter().filter(|(key, _)| *key != change);
        let lines = lines.fold(String::new(), |mut lines, (key, value)| {
            lines.extend([*key, " = ", value, "\n"]);
            lines
        });
        let changed = value.map(|value| format!("{change} = {value}\n"));
        let (before, after) = GOOD.split_once("[[gateways]]").unwrap();
        let changed = changed.unwrap_or_default();
        let text = format!("{before}[sign_in.oidc]\n{lines}{changed}[[gateways]]{after}");
        load(&text, &BTreeMap::new())
    };
    let config = with("groups_claim", Some("\"teams\"")).unwrap();
    assert!(config.warnings.is_empty(), "{:?}", config.warnings);
    assert!(!format!("{config:?}").contains("hunter22"));
    let settings = config.sign_in.provider.unwrap().settings;
    assert_eq!(settings.issuer, "https://id.example.org/realms/a");
    assert_eq!(settings.groups_claim, "teams");
    assert_eq!(settings.scopes, ["profile", "email"]);
    let of = |group: &str| settings.roles.strongest(&[group.to_owned()]);
    assert_eq!((of("ops"), of("root")), (Some(Role::Operator), None));
    for local in ["http://127.0.0.1:3000", "http://id.localhost:3000"] {
        let local = format!("\"{local}\"");
        assert!(with("issuer", Some(&local)).is_ok(), "{local}");
    }
    for (change, value, said) in [
        (
            "issuer",
            Some("\"http://id.example.org\""),
            "give an https URL",
        ),
        (
            "issuer",
            Some("\"https://id.example.org/?a=b\""),
            "give an https URL",
        ),
        (
            "issuer",
            Some("\"https://u:p@id.example.org\""),
            "give an https URL",
        ),
        ("issuer", None, "sign_in.oidc.issuer is missing"),
        ("client_id", None, "sign_in.oidc.client_id is missing"),
        (
            "client_secret_file",
            None,
            "sign_in.oidc.client_secret_file is missing",
        ),
        (
            "client_secret_file",
            Some("\"secret\""),
            "give an absolute path",
        ),
        ("name", Some("\" \""), "sign_in.oidc.name is missing"),
        ("roles", None, "sign_in.oidc.roles is missing"),
        (
            "roles",
            Some("{ ops = \"admin\" }"),
            "no group makes admins",
        ),
        ("roles", Some("{ ops = \"boss\" }"), "name a role: operator"),
        ("scopes", Some("[\"a b\"]"), "give single words"),
        ("ca_file", Some("\"ca.pem\""), "give an absolute path"),
    ] {
        let error = with(change, value).unwrap_err().to_string();
        assert!(error.contains(said), "{change}: {error}");
    }
    std::fs::set_permissions(&file, std::fs::Permissions::from_mode(0o644)).unwrap();
    let warnings = with("groups_claim", None).unwrap().warnings.join("\n");
    assert!(
        warnings.contains("others on this host may read it"),
        "{warnings}"
    );
}
