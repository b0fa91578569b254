use insta::assert_snapshot;
use proptest::prelude::*;

use super::*;

fn environment() -> BTreeMap<String, String> {
    BTreeMap::from([("HOME".to_owned(), "/root".to_owned())])
}

/// `NAME=value` of every variable, or the error.
fn read(text: &str) -> Result<Vec<String>, String> {
    EnvFile::parse(text)
        .and_then(|file| file.values(&environment()))
        .map(|values| {
            values
                .iter()
                .map(|(name, value)| format!("{name}={value}"))
                .collect()
        })
        .map_err(|error| error.to_string())
}

fn changed(text: &str, name: &str, value: &str) -> Result<String, EnvFileError> {
    let mut file = EnvFile::parse(text)?;
    file.set(name, value)?;
    Ok(file.to_string())
}

#[test]
fn values_are_read_as_compose_reads_them() {
    let cases: &[(&str, &[&str])] = &[
        ("A=b", &["A=b"]),
        ("A=", &["A="]),
        ("A=  ", &["A="]),
        ("A = b ", &["A=b"]),
        ("A: b", &["A=b"]),
        ("export A=b\nexport\tB=c", &["A=b", "B=c"]),
        ("export=5", &["export=5"]),
        ("A=x=y", &["A=x=y"]),
        ("A=b\nA=c", &["A=c"]),
        ("# c\n\n  A=b\n", &["A=b"]),
        ("A=b # c", &["A=b"]),
        ("A=b#c", &["A=b#c"]),
        ("A=b\t#c", &["A=b\t#c"]),
        ("A= #c", &["A=#c"]),
        ("A=\"x\" # c\nB=d", &["A=x", "B=d"]),
        ("A=\"x\"#c", &["A=x"]),
        ("A=b\r\nC=d\r\n", &["A=b", "C=d"]),
        ("\u{feff}A=b", &["A=b"]),
        ("A.B-c[0]=1", &["A.B-c[0]=1"]),
        ("A=it's", &["A=it's"]),
        ("A=a\\#b\\", &["A=a\\#b\\"]),
        ("A={x}", &["A={x}"]),
    ];
    for (text, expected) in cases {
        assert_eq!(read(text).unwrap(), *expected, "{text:?}");
    }
}

#[test]
fn double_quotes_know_escapes_and_lines() {
    for (text, expected) in [
        ("A=\"a\\\"b\"", "A=a\"b"),
        ("A=\"a\\nb\\t\\r\"", "A=a\nb\t\r"),
        ("A=\"\\a\\b\\f\\v\"", "A=\u{7}\u{8}\u{c}\u{b}"),
        ("A=\"a\\$b\"", "A=a$b"),
        ("A=\"a\\\\b\"", "A=a\\b"),
        ("A=\"a\\\\\"", "A=a\\"),
        ("A=\"a\\\\n\"", "A=a\\n"),
        ("A=\"a\\0101b\"", "A=aAb"),
        ("A=\"a\\01b\"", "A=a\\1b"),
        ("A=\"a\\0777b\"", "A=a\\777b"),
        ("A=\"a\\cb\\x\"", "A=a\\cb\\x"),
        ("A=\"l1\nl2\"", "A=l1\nl2"),
        ("A=\"x\\\ny\"", "A=x\\\ny"),
    ] {
        assert_eq!(read(text).unwrap(), [expected], "{text:?}");
    }
}

#[test]
fn single_quotes_are_literal() {
    for (text, expected) in [
        ("A='$B \"x\" #'", "A=$B \"x\" #"),
        ("A='a\\'b'", "A=a'b"),
        ("A='a\\\\b\\n'", "A=a\\\\b\\n"),
        ("A='l1\nl2'", "A=l1\nl2"),
    ] {
        assert_eq!(read(text).unwrap(), [expected], "{text:?}");
    }
}

#[test]
fn references_see_the_environment_first_and_then_the_lines_above() {
    assert_eq!(read("B=1\nA=$B").unwrap(), ["A=1", "B=1"]);
    assert_eq!(read("A=$B\nB=1").unwrap(), ["A=", "B=1"]);
    assert_eq!(read("HOME=/x\nA=$HOME").unwrap(), ["A=/root", "HOME=/x"]);
    assert_eq!(read("A=\"${B:-x y}\"").unwrap(), ["A=x y"]);
    assert_eq!(read("A=a$$b$").unwrap(), ["A=a$b$"]);
}

#[test]
fn a_name_alone_is_taken_over_from_the_environment() {
    assert_eq!(read("HOME\nNOWHERE\n").unwrap(), ["HOME=/root"]);
    assert_eq!(read("export HOME").unwrap(), ["HOME=/root"]);
}

#[test]
fn what_cannot_be_read_names_its_line() {
    assert_snapshot!(read("A=1\nB=\"open\n\n").unwrap_err(), @"line 2: the value starts with a quote that is never closed");
    assert_snapshot!(read("A=1\n\nB C=1").unwrap_err(), @"line 3: a name may have letters, digits, `_`, `.` and `-`; write `NAME=value`, and put `#` before a comment");
    assert_snapshot!(read("=x").unwrap_err(), @"line 1: there is no name before the sign; write `NAME=value`");
    assert_snapshot!(read("A=\"x\" y").unwrap_err(), @"line 1: there is text after the closing quote; start a new line");
    assert_snapshot!(read("A=${B").unwrap_err(), @"line 1: `A` has a `${` without its closing `}`; write the value in single quotes if it is meant literally");
    assert_snapshot!(read("\nA=${B:?tell the admin}").unwrap_err(), @"line 2: `B` is missing a value (tell the admin); set it above that line");
}

#[test]
fn no_error_and_no_debug_shows_a_value() {
    for text in [
        "A=hunter2\nB=${A",
        "A='hunter2",
        "hunter2 x=1",
        "A=\"a\" hunter2",
        "=hunter2",
    ] {
        assert!(!read(text).unwrap_err().contains("hunter2"), "{text:?}");
    }
    let file = EnvFile::parse("A=hunter2\n#hunter2\n").unwrap();
    assert_eq!(format!("{file:?}"), r#"EnvFile { names: ["A"], .. }"#);
}

#[test]
fn set_changes_the_value_and_nothing_else() {
    let text = "# keys\r\nexport KEY = old # of the gateway\r\nOTHER=\"x\"\r\n";
    assert_eq!(
        changed(text, "KEY", "new").unwrap(),
        "# keys\r\nexport KEY = new # of the gateway\r\nOTHER=\"x\"\r\n"
    );
}

#[test]
fn set_keeps_the_quotes_that_can_hold_the_value() {
    for (text, value, expected) in [
        ("A=old", "new", "A=new"),
        ("A='old'", "new", "A='new'"),
        ("A=\"old\"", "new", "A=\"new\""),
        ("A=old", "a b", "A='a b'"),
        ("A=old", "a$b", "A='a$b'"),
        ("A=old", "it's", "A=\"it's\""),
        ("A='old'", "it's $5", "A=\"it's \\$5\""),
        ("A='old'", "l1\nl2", "A=\"l1\\nl2\""),
        ("A=\"old\"", "\"\\$", "A=\"\\\"\\\\\\$\""),
        ("A=old # c", "", "A='' # c"),
        ("A=old", "", "A="),
        ("A=", "new", "A=new"),
    ] {
        assert_eq!(changed(text, "A", value).unwrap(), expected);
    }
}

#[test]
fn set_refuses_what_is_not_there_or_there_twice() {
    assert_snapshot!(changed("#A=1\nB=2\n", "A", "x").unwrap_err().to_string(), @"no line sets `A`; add a line `A=` first");
    assert_snapshot!(changed("A=1\nB=2\nexport A=3\n", "A", "x").unwrap_err().to_string(), @"`A` is set on lines [1, 3]; keep one of them");
    assert!(matches!(
        changed("A\n", "A", "x"),
        Err(EnvFileError::NotThere { .. })
    ));
    assert!(matches!(
        changed("A\nA=1\n", "A", "x"),
        Err(EnvFileError::Ambiguous { .. })
    ));
    assert_snapshot!(changed("A=1\n", "A", "x\0y").unwrap_err().to_string(), @"the new value of `A` cannot be written to an env file: it has a NUL byte, which no environment can hold");
}

#[test]
fn names_come_with_their_lines() {
    let file = EnvFile::parse("A=\"1\n2\"\n\nB=3\nC\n").unwrap();
    assert_eq!(
        file.names().collect::<Vec<_>>(),
        [("A", 1), ("B", 4), ("C", 5)]
    );
}

/// A die with a seed: ten thousand files through proptest's strategies take a minute.
struct Dice(u64);

impl Dice {
    fn below(&mut self, sides: usize) -> usize {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut mixed = self.0;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        usize::try_from((mixed ^ (mixed >> 31)) % sides as u64).expect("fits")
    }

    fn one<'a>(&mut self, of: &[&'a str]) -> &'a str {
        of[self.below(of.len())]
    }

    fn some(&mut self, of: &[&str], most: usize) -> String {
        (0..self.below(most + 1)).map(|_| self.one(of)).collect()
    }

    /// A value in one of the ways people write them, without references.
    fn written(&mut self) -> String {
        let plain = ["a", "Z", "0", "_", ".", "/", ":", "@", "+", "-"];
        let quoted = ["a", "Z", "0", " ", "#", "=", " # ", "é"];
        let escaped = [
            "a", "Z", " ", "#", "\n", "\r\n", "\\\"", "\\n", "\\\\", "\\$", "'",
        ];
        match self.below(3) {
            0 => self.some(&plain, 12),
            1 => format!("'{}'", self.some(&quoted, 12)),
            _ => format!("\"{}\"", self.some(&escaped, 12)),
        }
    }

    fn assignment(&mut self, name: &str) -> String {
        let before = self.one(&["", "  ", "export ", "\texport  "]);
        let sign = self.one(&["=", " = ", "= ", ": "]);
        let value = self.written();
        let after = self.one(&["", " ", " # a comment", "  # it's \"quoted\"", "\t"]);
        format!("{before}{name}{sign}{value}{after}")
    }

    fn other_line(&mut self, name: &str) -> String {
        match self.below(8) {
            0..3 => self
                .one(&[
                    "",
                    "   ",
                    "# it's \"quoted\" = $",
                    "#TARGET=old",
                    "\t# TARGET",
                ])
                .to_owned(),
            3 => name.to_owned(),
            _ => self.assignment(name),
        }
    }

    /// A file in which one line sets `TARGET`, with either line end, with or without the last one.
    fn file(&mut self) -> String {
        let (above, below) = (self.below(6), self.below(6));
        let mut lines: Vec<String> = (0..above)
            .map(|at| self.other_line(&format!("ABOVE_{at}")))
            .collect();
        lines.push(self.assignment("TARGET"));
        lines.extend((0..below).map(|at| self.other_line(&format!("BELOW_{at}"))));
        let mark = self.one(&["", "\u{feff}"]);
        let end = self.one(&["\n", "\r\n"]);
        let last = self.one(&["", end]);
        format!("{mark}{}{last}", lines.join(end))
    }

    fn new_value(&mut self) -> String {
        let marks = [
            "a", "Z", "9", "_", "-", " ", "#", " #", "=", "'", "\"", "\\", "$", "${", "}", "$$",
            "\n", "\r", "\t", "é", "\u{a0}", "`", "\\n", "export ", "~",
        ];
        match self.below(2) {
            0 => self.some(&["a", "Z", "9", "_", "-"], 40),
            _ => self.some(&marks, 12),
        }
    }
}

#[test]
fn in_ten_thousand_files_only_the_value_changes() {
    for seed in 0..10_000 {
        let mut dice = Dice(seed);
        let text = dice.file();
        let value = dice.new_value();
        let told = || format!("seed {seed}: {text:?} takes {value:?}");

        let mut file = EnvFile::parse(&text).expect(&text);
        assert_eq!(file.to_string(), text, "{}", told());
        let before = file.values(&environment()).expect(&text);
        file.set("TARGET", &value).expect(&text);
        let written = file.to_string();

        // What is read back differs in this one value, which is exactly the new one.
        let again = EnvFile::parse(&written).expect(&written);
        assert_eq!(again.to_string(), written, "{}", told());
        let mut after = again.values(&environment()).expect(&written);
        assert_eq!(after["TARGET"], value, "{}", told());
        after.insert("TARGET".to_owned(), before["TARGET"].clone());
        assert_eq!(after, before, "{}", told());

        // Every byte outside of it is where it was, counted from the start and from the end.
        assert_eq!(around_target(&text), around_target(&written), "{}", told());
    }
}

/// The bytes before the value of `TARGET` and those after it.
fn around_target(text: &str) -> (String, String) {
    let file = EnvFile::parse(text).expect("well-formed");
    let at = file
        .parts
        .iter()
        .position(|part| matches!(part, Part::Assignment(one) if one.name == "TARGET"))
        .expect("it is there");
    let whole = |parts: &[Part]| {
        EnvFile {
            parts: parts.to_vec(),
        }
        .to_string()
    };
    let Part::Assignment(target) = &file.parts[at] else {
        unreachable!("just found")
    };
    (
        whole(&file.parts[..at]) + &target.before,
        target.after.clone() + &whole(&file.parts[at + 1..]),
    )
}

proptest! {
    #[test]
    fn any_text_is_refused_or_kept_byte_for_byte(text in "\\PC{0,60}") {
        if let Ok(file) = EnvFile::parse(&text) {
            prop_assert_eq!(file.to_string(), text);
        }
    }

    #[test]
    fn any_heap_of_marks_is_refused_or_kept_byte_for_byte(
        text in "[AB= \t\r\n#'\"\\\\$:{}é\u{feff}]{0,40}",
    ) {
        if let Ok(file) = EnvFile::parse(&text) {
            prop_assert_eq!(file.to_string(), text);
            let _ignored = file.values(&environment());
        }
    }
}
