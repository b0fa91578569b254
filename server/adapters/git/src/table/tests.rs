use domain::operation::OperationId;
use proptest::prelude::*;
use pulldown_cmark::{Event, Options, Parser, Tag, TagEnd};
use uuid::Uuid;

use super::*;

fn line(who: &str, why: &str) -> LogLine {
    LogLine {
        at: Timestamp::parse_rfc3339("2026-11-22T02:14:05Z").unwrap(),
        credential: "OpenClaw API key".to_owned(),
        who: who.to_owned(),
        why: why.to_owned(),
        operation: OperationId(Uuid::from_u128(7)),
        next_due: Timestamp::parse_rfc3339("2027-05-21T02:14:05Z"),
    }
}

const ID: &str = "00000000-0000-0000-0000-000000000007";
const HEAD: &str =
    "| Date (UTC) | Credential | Who | Why | Operation | Next due |\n|---|---|---|---|---|---|\n";

#[test]
fn a_row_says_all_and_reads_well_as_it_stands() {
    let said = row(&line("anna", "Its time is over."));
    assert_eq!(
        said,
        format!(
            "| 2026-11-22 02:14:05 | OpenClaw API key | anna | Its time is over. | {ID} | 2027-05-21 |"
        )
    );
    let never = LogLine {
        next_due: None,
        ..line("anna", "")
    };
    assert!(row(&never).ends_with(&format!("| anna | – | {ID} | – |")));
}

#[test]
fn what_a_person_said_is_text_and_no_key_is_in_it() {
    for (said, written) in [
        ("a|b", r"a\|b"),
        (r"a\|b", r"a&#92;\|b"),
        ("one\r\ntwo\u{2028}three\tfour", "one two three four"),
        ("<b>&amp;</b>", "&lt;b&gt;&amp;amp;&lt;/b&gt;"),
        (
            "*x* _y_ `z` [l](u) ~s~",
            r"\*x\* \_y\_ \`z\` \[l\](u) \~s\~",
        ),
        ("OPENCLAW_API_KEY", "OPENCLAW_API_KEY"),
        ("turned \u{202e}round", "turned round"),
        ("  ", "–"),
    ] {
        assert_eq!(cell(said), written, "{said:?}");
    }
    assert_eq!(cell(&"x".repeat(999)).chars().count(), LONGEST + 1);
    let key = "0f1e2d3c4b5a69788796a5b4c3d2e1f00f1e2d3c4b5a69788796a5b4c3d2e1f0";
    let said = row(&line("anna", &format!("was {key} before")));
    assert!(said.contains(r"was \[hidden\] before"), "{said}");
}

#[test]
fn a_file_is_begun_with_a_title_and_the_table() {
    assert_eq!(
        insert("", "| r |"),
        format!("# Secrets rotation log\n\n{HEAD}| r |\n")
    );
}

#[test]
fn a_row_goes_to_the_end_of_the_table_in_the_files_own_style() {
    for (before, after) in [
        (format!("{HEAD}| 1 |\n"), format!("{HEAD}| 1 |\n| r |\n")),
        (HEAD.to_owned(), format!("{HEAD}| r |\n")),
        (format!("{HEAD}| 1 |"), format!("{HEAD}| 1 |\n| r |")),
        (
            format!("# Log\n\n{HEAD}| 1 |\n\nThe end.\n"),
            format!("# Log\n\n{HEAD}| 1 |\n| r |\n\nThe end.\n"),
        ),
        // Another table is left alone, and so is one that is only shown.
        (
            "| A | B |\n|---|---|\n| 1 | 2 |\n".to_owned(),
            format!("| A | B |\n|---|---|\n| 1 | 2 |\n\n{HEAD}| r |\n"),
        ),
        (
            format!("```\n{HEAD}```\n"),
            format!("```\n{HEAD}```\n\n{HEAD}| r |\n"),
        ),
        ("text".to_owned(), format!("text\n\n{HEAD}| r |\n")),
        ("text\n\n".to_owned(), format!("text\n\n{HEAD}| r |\n")),
    ] {
        assert_eq!(insert(&before, "| r |"), after, "{before:?}");
        let crlf = |text: &str| text.replace('\n', "\r\n");
        if before.contains('\n') {
            assert_eq!(insert(&crlf(&before), "| r |"), crlf(&after), "{before:?}");
        }
    }
}

#[test]
fn a_row_is_found_by_its_operation_alone() {
    let text = insert(HEAD, &row(&line("anna", "x")));
    assert!(holds(&text, ID));
    assert!(!holds(&text, "00000000-0000-0000-0000-000000000008"));
    let other = LogLine {
        operation: OperationId(Uuid::from_u128(9)),
        ..line("anna", &format!("again, after {ID}"))
    };
    assert!(!holds(&insert(HEAD, &row(&other)), ID));
}

/// The rows of the first table and everything else, as a reader of Markdown sees them.
fn read(text: &str) -> (Vec<Vec<String>>, Vec<String>) {
    // All that makes markup of characters, but for what makes typographic ones of them.
    let options = Options::all() - Options::ENABLE_SMART_PUNCTUATION;
    let (mut rows, mut others) = (Vec::new(), Vec::new());
    let mut in_cell = false;
    for event in Parser::new_ext(text, options) {
        match event {
            Event::Start(Tag::Table(_))
            | Event::End(TagEnd::Table | TagEnd::TableHead | TagEnd::TableRow) => {}
            Event::Start(Tag::TableHead | Tag::TableRow) => rows.push(Vec::new()),
            Event::Start(Tag::TableCell) => {
                in_cell = true;
                rows.last_mut().unwrap().push(String::new());
            }
            Event::End(TagEnd::TableCell) => in_cell = false,
            Event::Text(text) if in_cell => {
                rows.last_mut().unwrap().last_mut().unwrap().push_str(&text);
            }
            other => others.push(format!("{other:?}")),
        }
    }
    (rows, others)
}

/// What is hard for a table, more often than chance would bring it.
fn hard() -> impl Strategy<Value = String> {
    let piece = prop_oneof![
        Just("|".to_owned()),
        Just("\\".to_owned()),
        Just("\n".to_owned()),
        Just("\r\n".to_owned()),
        Just("`".to_owned()),
        Just("<b>".to_owned()),
        Just("<!--".to_owned()),
        Just("&#124;".to_owned()),
        Just("![x](y)".to_owned()),
        Just("**".to_owned()),
        Just("__".to_owned()),
        Just("~~".to_owned()),
        Just("$$".to_owned()),
        Just("[^1]".to_owned()),
        Just("{#a .b}".to_owned()),
        "[a-z ]{1,6}",
        any::<char>().prop_map(String::from),
    ];
    proptest::collection::vec(piece, 0..12).prop_map(|pieces| pieces.concat())
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(2_000))]

    #[test]
    fn a_row_is_one_row_of_six_cells_that_say_what_was_said(who in hard(), why in hard()) {
        let written = format!("| d | c | {} | {} | {ID} | n |", cell(&who), cell(&why));
        prop_assert_eq!(written.lines().count(), 1);
        prop_assert_eq!(cells(&written).len(), 6);
        prop_assert!(holds(&written, ID));
        let (rows, others) = read(&insert(HEAD, &written));
        prop_assert_eq!(others, Vec::<String>::new());
        prop_assert_eq!(rows.len(), 2);
        let shown = |text: &str| {
            let text: String = text.chars().map(|c| if is_gap(c) { ' ' } else { c }).collect();
            let text = text.split(' ').filter(|word| !word.is_empty()).collect::<Vec<_>>().join(" ");
            if text.is_empty() { "–".to_owned() } else { text }
        };
        prop_assert_eq!(&rows[1], &["d".to_owned(), "c".to_owned(), shown(&who), shown(&why), ID.to_owned(), "n".to_owned()]);
    }

    #[test]
    fn a_whole_row_has_six_cells_whatever_is_said(who in ".{0,400}", why in hard(), credential in hard()) {
        let line = LogLine { credential, ..line(&who, &why) };
        let text = insert(HEAD, &row(&line));
        let (rows, others) = read(&text);
        prop_assert_eq!(others, Vec::<String>::new());
        prop_assert_eq!((rows.len(), rows[1].len()), (2, 6));
        prop_assert!(holds(&text, ID));
    }

    #[test]
    fn nothing_but_the_row_is_added(before in "[a-z|#\\- \n]{0,80}") {
        let text = format!("{before}\n\n{HEAD}| 1 |\n\n{before}");
        let after = insert(&text, "| ROW |");
        prop_assert_eq!(after.len(), text.len() + "| ROW |\n".len());
        prop_assert_eq!(after.replacen("| ROW |\n", "", 1), text);
    }
}
