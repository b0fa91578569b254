//! What a written value means, and how to write one.

/// How a value is quoted.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Quote {
    None,
    /// Literal, but for `\'`.
    Single,
    /// With escapes and references.
    Double,
}

impl Quote {
    pub(super) fn text(self) -> &'static str {
        match self {
            Self::None => "",
            Self::Single => "'",
            Self::Double => "\"",
        }
    }
}

/// The text to interpolate, or `None` for a literal value.
pub(super) fn template(quote: Quote, raw: &str) -> Option<String> {
    match quote {
        Quote::None => Some(raw.to_owned()),
        Quote::Single => None,
        Quote::Double => Some(unescape(raw)),
    }
}

/// A value in single quotes: the backslash escapes the quote and nothing else.
pub(super) fn literal(raw: &str) -> String {
    let mut out = String::with_capacity(raw.len());
    let mut chars = raw.chars();
    while let Some(c) = chars.next() {
        match (c, chars.clone().next()) {
            ('\\', Some('\'')) => {
                chars.next();
                out.push('\'');
            }
            ('\\', Some(next)) => {
                chars.next();
                out.push('\\');
                out.push(next);
            }
            _ => out.push(c),
        }
    }
    out
}

/// A value in double quotes. `\$` becomes `$$`, which interpolation makes a dollar again; an
/// escape that is none stays as it is.
fn unescape(raw: &str) -> String {
    let mut out = String::with_capacity(raw.len());
    let mut rest = raw;
    while let Some(at) = rest.find('\\') {
        out.push_str(&rest[..at]);
        let after = &rest[at + 1..];
        let Some(next) = after.chars().next() else {
            out.push('\\');
            return out;
        };
        let mut used = next.len_utf8();
        match next {
            'a' => out.push('\u{7}'),
            'b' => out.push('\u{8}'),
            'f' => out.push('\u{c}'),
            'n' => out.push('\n'),
            'r' => out.push('\r'),
            't' => out.push('\t'),
            'v' => out.push('\u{b}'),
            '"' | '\\' => out.push(next),
            '$' => out.push_str("$$"),
            '0' => {
                let digits: String = after[1..]
                    .chars()
                    .take(3)
                    .take_while(char::is_ascii_digit)
                    .collect();
                used += digits.len();
                match u8::from_str_radix(&digits, 8) {
                    Ok(code) if digits.len() == 3 => out.push(char::from(code)),
                    // As compose does: the zero is gone, the rest stays.
                    _ => {
                        out.push('\\');
                        out.push_str(&digits);
                    }
                }
            }
            _ => {
                out.push('\\');
                out.push(next);
            }
        }
        rest = &after[used..];
    }
    out.push_str(rest);
    out
}

/// Writes a literal value so that it is read back the same: in the present quotes where they can
/// hold it, else in those that can. `after` is what follows it in the file.
pub(super) fn write(
    present: Quote,
    value: &str,
    after: &str,
) -> Result<(Quote, String), &'static str> {
    if value.contains('\0') {
        return Err("it has a NUL byte, which no environment can hold");
    }
    // Nothing before ` # comment` would make the comment the value.
    let ends_line = after.is_empty() || after.starts_with('\n');
    let bare = is_bare(value) && (!value.is_empty() || ends_line);
    let written = match present {
        Quote::None if bare => (Quote::None, value.to_owned()),
        Quote::None | Quote::Single if is_single(value) => (Quote::Single, value.to_owned()),
        _ => (Quote::Double, escape(value)),
    };
    Ok(written)
}

/// Means the same in a shell, in compose and without quotes.
fn is_bare(value: &str) -> bool {
    value
        .chars()
        .all(|c| c.is_ascii_alphanumeric() || "_-.:/@%+,=".contains(c))
}

fn is_single(value: &str) -> bool {
    !value.contains(['\'', '\\', '\n', '\r'])
}

fn escape(value: &str) -> String {
    let mut out = String::with_capacity(value.len() + 8);
    for c in value.chars() {
        match c {
            '\n' => out.push_str("\\n"),
            '\r' => out.push_str("\\r"),
            '\t' => out.push_str("\\t"),
            '"' | '\\' | '$' => {
                out.push('\\');
                out.push(c);
            }
            _ => out.push(c),
        }
    }
    out
}
