//! Splits `command: node index.js --port 1` into words, as compose does.
//!
//! Where compose silently drops the rest (`a; b`, `a | b`) or its versions differ (`\n` outside of
//! quotes), this refuses instead and points to the list form.

/// The words, or what is wrong with the text.
pub(crate) fn split(text: &str) -> Result<Vec<String>, &'static str> {
    let mut words = Vec::new();
    let mut word: Option<String> = None;
    let mut quote: Option<char> = None;
    let mut chars = text.chars();
    while let Some(c) = chars.next() {
        match (quote, c) {
            (Some('\''), '\'') | (Some('"'), '"') => quote = None,
            (None | Some('"'), '\\') => match chars.next() {
                None => return Err("ends in a backslash"),
                Some('n' | 't') => {
                    return Err("has `\\n` or `\\t`, which versions of compose read differently");
                }
                Some(escaped) => word.get_or_insert_default().push(escaped),
            },
            (None, '\'' | '"') => {
                quote = Some(c);
                word.get_or_insert_default();
            }
            (None, ' ' | '\t' | '\r' | '\n') => words.extend(word.take()),
            (None, ';' | '&' | '|' | '<' | '>' | '(' | ')' | '`') => {
                return Err("has a shell operator, but no shell reads it");
            }
            (_, c) => word.get_or_insert_default().push(c),
        }
    }
    if quote.is_some() {
        return Err("has a quote that is never closed");
    }
    words.extend(word);
    Ok(words)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_are_split_as_compose_splits_them() {
        let cases: &[(&str, &[&str])] = &[
            ("", &[]),
            ("a  b\nc", &["a", "b", "c"]),
            ("\"a b\" 'c d'", &["a b", "c d"]),
            ("a\"b c\"d", &["ab cd"]),
            ("a '' b", &["a", "", "b"]),
            ("a\\ b", &["a b"]),
            ("\"a\\\"b\" 'c\\d'", &["a\"b", "c\\d"]),
            ("'a'\\''b'", &["a'b"]),
            ("echo #x", &["echo", "#x"]),
            ("a\\;b", &["a;b"]),
            ("\"a;b\"", &["a;b"]),
            ("\"$(x y)\"", &["$(x y)"]),
            ("a\\\\b", &["a\\b"]),
        ];
        for (text, words) in cases {
            let words = words.iter().map(ToString::to_string).collect();
            assert_eq!(split(text), Ok(words), "{text}");
        }
    }

    #[test]
    fn what_needs_a_shell_is_refused() {
        for text in [
            "a; b", "a && b", "a | b", "a > b", "a `b`", "$(a)", "\"a", "a\\", "a\\tb",
        ] {
            assert!(split(text).is_err(), "{text}");
        }
    }
}
