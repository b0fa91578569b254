use std::fmt::Write as _;

use insta::assert_snapshot;
use proptest::prelude::*;

use super::*;

fn tree(text: &str) -> Result<String, String> {
    read(text, Path::new("compose.yaml"))
        .map(|node| {
            let mut out = String::new();
            outline(&node, 0, &mut out);
            out
        })
        .map_err(|error| error.to_string())
}

/// One value a line, with the line it stands on.
fn outline(node: &Node, depth: usize, out: &mut String) {
    let indent = "  ".repeat(depth);
    match &node.value {
        Value::List(items) => {
            for item in items {
                writeln!(out, "{indent}-").expect("writing to a string");
                outline(item, depth + 1, out);
            }
        }
        Value::Map(entries) => {
            for entry in entries {
                writeln!(out, "{indent}{} ({})", entry.key, entry.at.line).expect("writing");
                outline(&entry.value, depth + 1, out);
            }
        }
        scalar => writeln!(
            out,
            "{indent}{} {:?} ({})",
            scalar.kind(),
            scalar.scalar_text().unwrap_or_default(),
            node.at.line
        )
        .expect("writing to a string"),
    }
}

#[test]
fn every_value_knows_its_line() {
    let text = "\
# a comment
a: 1

b:
  - x
  - \"010\"
c: |
  two
  lines
";
    assert_snapshot!(tree(text).unwrap(), @r#"
    a (2)
      a number "1" (2)
    b (4)
      -
        text "x" (5)
      -
        text "010" (6)
    c (7)
      text "two\nlines\n" (8)
    "#);
}

#[test]
fn merge_keys_fill_in_what_is_missing() {
    let text = "\
base: &base {a: 1, b: 2}
other: &other {b: 3, c: 4}
one:
  <<: *base
  a: 9
two:
  <<: [*base, *other]
";
    assert_snapshot!(tree(text).unwrap(), @r#"
    base (1)
      a (1)
        a number "1" (1)
      b (1)
        a number "2" (1)
    other (2)
      b (2)
        a number "3" (2)
      c (2)
        a number "4" (2)
    one (3)
      a (5)
        a number "9" (5)
      b (1)
        a number "2" (1)
    two (6)
      a (1)
        a number "1" (1)
      b (1)
        a number "2" (1)
      c (2)
        a number "4" (2)
    "#);
}

#[test]
fn a_key_twice_is_refused_with_both_lines() {
    assert_snapshot!(tree("a: 1\nb: 2\na: 3\n").unwrap_err(),
        @"compose.yaml, line 3, column 1: `a` is already on line 1; keep one of them");
    assert!(tree("a: 1\n<<: {x: 1}\n<<: {y: 1}\n").is_err());
}

#[test]
fn a_key_that_is_no_text_is_refused() {
    assert_snapshot!(tree("80: a\n").unwrap_err(),
        @"compose.yaml, line 1, column 1: this is not valid YAML (a key is a number and must be text, so put it in quotes); correct it");
    assert!(tree("on: a\n").is_ok());
}

#[test]
fn broken_yaml_names_its_line() {
    assert_snapshot!(tree("a:\n  - [1\nb: 2\n").unwrap_err(), @"compose.yaml, line 3, column 2: this is not valid YAML (invalid indentation); correct it");
    assert_snapshot!(tree("a: *nowhere\n").unwrap_err(), @"compose.yaml, line 1, column 4: this is not valid YAML (while parsing node, found unknown anchor); correct it");
}

#[test]
fn an_alias_inside_its_own_anchor_is_refused() {
    assert_snapshot!(tree("a: &a [*a]\n").unwrap_err(), @"compose.yaml, line 1, column 8: this is not valid YAML (an alias stands inside its own anchor); correct it");
}

#[test]
fn an_empty_file_is_refused() {
    for text in ["", "# nothing\n", "---\n"] {
        assert!(
            tree(text).is_err() || tree(text).unwrap().contains("nothing"),
            "{text:?}"
        );
    }
}

#[test]
fn a_second_document_is_refused() {
    assert_snapshot!(tree("a: 1\n---\nb: 2\n").unwrap_err(), @"compose.yaml, line 2, column 1: a second document in one file is not supported by the panel; keep one document and remove the `---` line");
}

#[test]
fn tags_are_refused_but_for_text() {
    assert_snapshot!(tree("a: !reset null\n").unwrap_err(), @"compose.yaml, line 1, column 11: a YAML tag (`!…`) is not supported by the panel; write the value without it, in quotes if it is text");
    assert_snapshot!(tree("a: !!str 010\n").unwrap(), @r#"
    a (1)
      text "010" (1)
    "#);
}

#[test]
fn a_byte_order_mark_is_skipped() {
    assert_eq!(tree("\u{feff}a: 1\n"), tree("a: 1\n"));
}

#[test]
fn aliases_of_aliases_end() {
    let mut text = "a0: &a0 [x, x, x, x, x, x, x, x, x]\n".to_owned();
    for level in 1..12 {
        let below = format!("*a{}, ", level - 1).repeat(9);
        writeln!(text, "a{level}: &a{level} [{below}]").expect("writing to a string");
    }
    assert_snapshot!(tree(&text).unwrap_err(), @"compose.yaml, line 5, column 35: this is not valid YAML (it has too many values, perhaps aliases of aliases); correct it");
}

#[test]
fn nesting_without_end_is_refused() {
    assert!(tree(&"[".repeat(100_000)).is_err());
    assert!(tree(&format!("{}x{}", "[".repeat(100), "]".repeat(100))).is_err());
    assert!(tree(&"a: ".repeat(10_000)).is_err());
    assert!(tree(&"- ".repeat(10_000)).is_err());
}

#[test]
fn a_file_of_megabytes_is_refused() {
    assert!(tree(&"a".repeat(2 << 20)).is_err());
}

proptest! {
    #[test]
    fn no_text_panics(text in "\\PC{0,80}") {
        let _ignored = tree(&text);
    }

    #[test]
    fn no_heap_of_marks_panics(text in "[-:a *&<>|?!%@`'\"#,\\[\\]{}\\n\\t\\r~0.]{0,60}") {
        let _ignored = tree(&text);
    }

    #[test]
    fn no_broken_line_of_a_real_file_panics(
        from in 0usize..40,
        cut in 0usize..60,
        put in "[-:a *&<>|?!'\"#,\\[\\]{}\\n ]{0,6}",
    ) {
        let mut text: String = include_str!("../read/tests/gateway.yml").to_owned();
        let start = text.lines().take(from).map(|line| line.len() + 1).sum::<usize>();
        let at = (start + cut).min(text.len());
        text.insert_str(at, &put);
        let _ignored = tree(&text);
    }
}
