//! How hard a password is to guess is told to whoever is about to choose one.

use crate::browser::House;

#[test]
fn a_password_is_judged_for_who_is_signed_in_or_has_a_link_and_for_nobody_else() {
    let house = House::with(&[("anna", &["--role", "viewer"])]);
    let url = "/password-strength";
    let cookie = house.sign_in("anna", None);
    let said = |form: &str, cookie| {
        let (status, body) = house.answer(url, form, cookie);
        assert_eq!(status, 200, "{body}");
        serde_json::from_str::<serde_json::Value>(&body).unwrap()
    };
    let short = said("password=abc", Some(&*cookie));
    assert_eq!(short["strength"], "short");
    assert_eq!(short["said"], "Too short: 9 more characters.");
    let easy = said("password=password1234", Some(&*cookie));
    assert_eq!(easy["strength"], "easy");
    let strong = said("password=four+words+of+her+own", Some(&*cookie));
    assert_eq!(strong["strength"], "strong", "{strong}");

    assert_eq!(house.answer(url, "password=abc", None).0, 403);
    let invited = house
        .panel
        .done(&["user", "add", "ben", "--role", "viewer"]);
    let link = invited.trim().rsplit('/').next().unwrap();
    let own = said(&format!("password=abc&link={link}"), None);
    assert_eq!(own["strength"], "short");
    let made_up = "password=abc&link=made-up";
    assert_eq!(house.answer(url, made_up, None).0, 403);
}
