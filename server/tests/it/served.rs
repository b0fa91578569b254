//! Who gets which event stream and which file: a golden list of all of them, asked of the running panel.

use domain::path::Served;

use crate::browser::{House, ORIGIN};

/// Each role everywhere, then one on the gateway alone, and nothing on it.
const PEOPLE: [(&str, &[&str]); 7] = [
    ("admin", &["--role", "admin"]),
    ("operator", &["--role", "operator"]),
    ("manager", &["--role", "manager"]),
    ("viewer", &["--role", "viewer"]),
    ("none", &["--role", "none"]),
    ("only-here", &["--role", "none", "--on", "g1=operator"]),
    ("not-here", &["--role", "operator", "--on", "g1=none"]),
];

#[test]
fn every_stream_every_file_and_every_role() {
    let house = House::with(&PEOPLE);
    let cookies = PEOPLE.map(|(name, _)| house.sign_in(name, None));
    let form = "gateway=g1&kind=backup&key=k";
    let begun = house.post(
        "/api/operations/start",
        form,
        Some(&cookies[0]),
        &[("origin", ORIGIN), ("referer", ORIGIN)],
    );
    let operation = begun.location.rsplit('/').next().unwrap();
    assert_eq!(operation.len(), 36, "{}", begun.location);

    let heads = PEOPLE.map(|(name, _)| name).join("\t");
    let mut lines = vec![format!("{:<42} {heads}", "")];
    for served in Served::ALL {
        let id = match served {
            Served::OperationEvents => operation,
            _ => "g1",
        };
        let mut url = served.route().replace("{id}", id);
        url = url.replace("{name}", "none.age");
        if served == Served::AuditFile {
            url.push_str("?format=csv");
        }
        let answers = cookies
            .each_ref()
            .map(|cookie| house.get(&url, Some(cookie)).status.to_string());
        lines.push(format!("{:<42} {}", served.route(), answers.join("\t")));
        // Who is not signed in is sent to the door, or told so on the stream.
        let nobody = house.get(&url, None);
        let expected = if url.starts_with("/events/") {
            200
        } else {
            303
        };
        assert_eq!(nobody.status, expected, "{url} for nobody");
    }
    insta::assert_snapshot!(lines.join("\n"));
}
