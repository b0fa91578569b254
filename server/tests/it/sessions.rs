//! Sessions that were planted, copied, ended, or used by another site, tried on the running panel.

use crate::browser::{House, ORIGIN};

fn house() -> House {
    House::with(&[
        ("anna", &["--role", "admin"]),
        ("mallory", &["--role", "viewer"]),
    ])
}

/// Whether a cookie opens the list of people.
fn opens(house: &House, cookie: &str) -> bool {
    match house.get("/people", Some(cookie)).status {
        200 => true,
        303 | 403 => false,
        other => panic!("{other}"),
    }
}

#[test]
fn a_session_that_was_planted_before_the_sign_in_is_not_the_one_after_it() {
    let house = house();
    let planted = house.sign_in("mallory", None);
    let own = house.sign_in("anna", Some(&planted));
    assert_ne!(own, planted);
    assert!(opens(&house, &own));
    assert!(!opens(&house, &planted), "mallory rides along");
    // Nor is one that the panel never gave.
    let made_up = "panel=AAAAAAAAAAAAAAAAAAAAAA";
    let own = house.sign_in("anna", Some(made_up));
    assert_ne!(own, made_up);
    assert!(!opens(&house, made_up));
}

#[test]
fn a_copy_of_a_cookie_ends_with_its_owners_session() {
    let house = house();
    let cookie = house.sign_in("anna", None);
    assert!(opens(&house, &cookie));
    let out = house.post("/sign-out", "", Some(&cookie), &[("origin", ORIGIN)]);
    assert_eq!(out.location, "/sign-in");
    assert!(!opens(&house, &cookie));
}

#[test]
fn a_session_and_its_streams_are_over_when_somebody_gets_another_role_or_is_kept_out() {
    let house = house();
    let ends: [&[&str]; 3] = [
        &["user", "role", "mallory", "operator"],
        &["user", "role", "mallory", "operator", "--on", "g1=viewer"],
        &["user", "disable", "mallory"],
    ];
    for end in ends {
        let cookie = house.sign_in("mallory", None);
        assert_eq!(house.get("/account", Some(&cookie)).status, 200);
        let stream = house.follow("/events/gateways/g1", &cookie);
        house.panel.done(end);
        // The panel hears of it from the database, and ends the stream itself.
        stream.until_it_ends();
        assert_eq!(house.get("/account", Some(&cookie)).status, 303, "{end:?}");
    }
}

#[test]
fn no_other_site_makes_a_browser_change_anything() {
    let house = house();
    let cookie = house.sign_in("anna", None);
    let elsewhere: [&[(&str, &str)]; 8] = [
        &[],
        &[("origin", "null")],
        &[("origin", "https://evil.example")],
        &[("origin", "http://evil.127.0.0.1:8700")],
        &[("origin", "http://127.0.0.1:8701")],
        &[("origin", "https://127.0.0.1:8700")],
        &[("origin", ORIGIN), ("sec-fetch-site", "same-site")],
        &[("referer", ORIGIN)],
    ];
    let password = house.password("mallory");
    let forms = [
        ("/api/people/add", "name=eve&role=admin".to_owned()),
        (
            "/api/operations/start",
            "gateway=g1&kind=stop&key=k".to_owned(),
        ),
        ("/sign-out", String::new()),
        ("/sign-in", format!("name=mallory&password={password}")),
    ];
    for more in elsewhere {
        for (to, form) in &forms {
            let sent = house.post(to, form, Some(&cookie), more);
            assert_eq!(sent.status, 403, "{to} with {more:?}");
            assert_eq!(sent.cookie, None, "{to} with {more:?}");
        }
    }
    assert!(opens(&house, &cookie), "still signed in");
    let people = house.panel.done(&["user", "list"]);
    assert_eq!(people.lines().count(), 2, "{people}");
}
