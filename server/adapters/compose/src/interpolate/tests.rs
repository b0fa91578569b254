use proptest::prelude::*;

use super::*;

/// `S` is `val`, `E` is empty, everything else is unset.
fn replaced(text: &str) -> Result<String, Problem> {
    interpolate(text, &mut |name| match name {
        "S" => Some("val".to_owned()),
        "E" => Some(String::new()),
        _ => None,
    })
}

#[test]
fn references_are_replaced_as_compose_replaces_them() {
    let cases = [
        ("$S and ${S}", "val and val"),
        ("$A_B$S", "val"),
        ("$$S", "$S"),
        ("$$$S", "$val"),
        ("$$$$", "$$"),
        ("${A-x}", "x"),
        ("${A:-x}", "x"),
        ("${E-x}", ""),
        ("${E:-x}", "x"),
        ("${S-x}${S:-x}", "valval"),
        ("${S+x}", "x"),
        ("${E+x}", "x"),
        ("${E:+x}", ""),
        ("${A+x}", ""),
        ("${E?m}", ""),
        ("${S:?m}", "val"),
        ("${A-}", ""),
        ("${A:-a:b}", "a:b"),
        ("${A-:b}", ":b"),
        ("${A:-a-b}", "a-b"),
        ("${A:-x?y}", "x?y"),
        ("${A:-a}b${A:-c}", "abc"),
        ("{${S}}", "{val}"),
        ("${A:-}}", "}"),
    ];
    for (text, expected) in cases {
        assert_eq!(replaced(text).as_deref(), Ok(expected), "{text}");
    }
}

#[test]
fn defaults_nest() {
    for (text, expected) in [
        ("${A:-${B:-${S}}}", "val"),
        ("${S:+${S}!}", "val!"),
        ("${A:-${S}-${S}}", "val-val"),
        ("${A:-{\"a\":1}}", "{\"a\":1}"),
        ("${A:-$S-$$S}", "val-$S"),
        ("${A:-{}} t", "{} t"),
    ] {
        assert_eq!(replaced(text).as_deref(), Ok(expected), "{text}");
    }
}

#[test]
fn a_default_that_is_not_needed_is_not_looked_at() {
    let mut asked = Vec::new();
    let result = interpolate("${S:-${NO:?never}}", &mut |name| {
        asked.push(name.to_owned());
        Some("val".to_owned())
    });
    assert_eq!(result.as_deref(), Ok("val"));
    assert_eq!(asked, ["S"]);
}

#[test]
fn a_dollar_that_starts_no_name_stays() {
    for text in ["$", "a$", "5$ b", "$1", "$(date)", "$-"] {
        assert_eq!(replaced(text).as_deref(), Ok(text));
    }
}

#[test]
fn a_missing_value_carries_the_message_as_written() {
    let missing = |name: &str, message: &str| {
        Err(Problem::Missing {
            name: name.to_owned(),
            message: message.to_owned(),
        })
    };
    assert_eq!(replaced("${A:?set it}"), missing("A", "set it"));
    assert_eq!(replaced("${E:?}"), missing("E", ""));
    assert_eq!(replaced("${A?m}"), missing("A", "m"));
    assert_eq!(replaced("${A:-${B:?deep}}"), missing("B", "deep"));
    // Not `needs val`: a message must never show a value.
    assert_eq!(replaced("${A:?needs $S}"), missing("A", "needs $S"));
}

#[test]
fn what_is_no_reference_is_refused() {
    for text in [
        "${", "${}", "${ A}", "${A }", "${1A}", "${A:}", "${A:x}", "${A:=x}", "${S",
    ] {
        assert!(
            matches!(replaced(text), Err(Problem::Malformed(_))),
            "{text}"
        );
    }
    assert!(replaced("${A:-x\ny}").is_err());
}

#[test]
fn nesting_without_end_is_refused() {
    let deep = format!("{}{}", "${A:-".repeat(5_000), "}".repeat(5_000));
    assert!(matches!(replaced(&deep), Err(Problem::Malformed(_))));
}

proptest! {
    #[test]
    fn no_text_panics(text in "\\PC{0,40}") {
        let _ignored = replaced(&text);
    }

    #[test]
    fn no_heap_of_marks_panics(text in "[${}SAE:?+é -]{0,24}") {
        let _ignored = replaced(&text);
    }

    #[test]
    fn text_without_dollars_stays(text in "[^$]{0,40}") {
        prop_assert_eq!(replaced(&text), Ok(text));
    }

    #[test]
    fn doubled_dollars_hide_everything(text in "\\PC{0,40}") {
        prop_assert_eq!(replaced(&text.replace('$', "$$")), Ok(text));
    }
}
