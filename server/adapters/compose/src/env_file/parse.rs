//! Takes an env file apart, following the reader in compose-go.
//!
//! Stricter than it in two places, because both lose or invent a variable there: text after a
//! closing quote, and a line without a name.

use super::value::Quote;
use super::{Assignment, EnvFileError, Part};

pub(super) fn parse(text: &str) -> Result<Vec<Part>, EnvFileError> {
    let mut reader = Reader {
        text,
        at: 0,
        line: 1,
    };
    let mut parts = Vec::new();
    loop {
        let filling = reader.filling();
        if !filling.is_empty() {
            parts.push(Part::Filling(filling.to_owned()));
        }
        if reader.rest().is_empty() {
            return Ok(parts);
        }
        parts.push(reader.statement()?);
    }
}

struct Reader<'a> {
    text: &'a str,
    at: usize,
    line: usize,
}

impl<'a> Reader<'a> {
    fn rest(&self) -> &'a str {
        &self.text[self.at..]
    }

    /// Moves on by so many bytes and returns them.
    fn take(&mut self, bytes: usize) -> &'a str {
        let taken = &self.text[self.at..self.at + bytes];
        self.at += bytes;
        self.line += taken.matches('\n').count();
        taken
    }

    /// Blank lines, comments and the indentation of the next statement; at the very start also a
    /// byte order mark.
    fn filling(&mut self) -> &'a str {
        let start = self.at;
        if start == 0 && self.rest().starts_with('\u{feff}') {
            self.take('\u{feff}'.len_utf8());
        }
        loop {
            let blanks = self.rest().len() - self.rest().trim_start().len();
            self.take(blanks);
            if !self.rest().starts_with('#') {
                return &self.text[start..self.at];
            }
            self.take(self.rest().find('\n').unwrap_or(self.rest().len()));
        }
    }

    /// One `NAME=value`, `export NAME=value`, `NAME: value` or `NAME`, with its line end.
    fn statement(&mut self) -> Result<Part, EnvFileError> {
        let line = self.line;
        let start = self.at;
        self.take(export(self.rest()));
        let rest = self.rest();
        let end = rest.find(['=', ':', '\n']).unwrap_or(rest.len());
        let name = name(&rest[..end], line)?;
        if end == rest.len() || rest[end..].starts_with('\n') {
            self.take((end + 1).min(rest.len()));
            return Ok(Part::Inherited {
                line,
                name,
                text: self.text[start..self.at].to_owned(),
            });
        }
        self.take(end + 1);
        let blanks = self.rest().len() - self.rest().trim_start_matches(is_blank).len();
        self.take(blanks);
        let before = self.text[start..self.at].to_owned();
        let (quote, raw, after) = match self.rest().as_bytes().first() {
            Some(b'"') => self.quoted(Quote::Double, line)?,
            Some(b'\'') => self.quoted(Quote::Single, line)?,
            _ => self.unquoted(),
        };
        Ok(Part::Assignment(Assignment {
            line,
            name,
            before,
            quote,
            raw,
            after,
        }))
    }

    /// Up to a ` #` or the end of the line, without blanks at the end.
    fn unquoted(&mut self) -> (Quote, String, String) {
        let rest = self.rest();
        let line = &rest[..rest.find('\n').map_or(rest.len(), |end| end + 1)];
        let value = line.split(" #").next().unwrap_or_default().trim_end();
        let raw = self.take(value.len()).to_owned();
        let after = self.take(line.len() - value.len()).to_owned();
        (Quote::None, raw, after)
    }

    /// Up to the same quote again, unless a backslash stands before it; may span lines.
    fn quoted(
        &mut self,
        quote: Quote,
        line: usize,
    ) -> Result<(Quote, String, String), EnvFileError> {
        let inner = &self.rest()[1..];
        let mut escaped = false;
        let end = inner.bytes().position(|byte| {
            let closes = !escaped && quote.text().as_bytes() == [byte];
            escaped = !escaped && byte == b'\\';
            closes
        });
        let Some(end) = end else {
            return Err(syntax(
                line,
                "the value starts with a quote that is never closed",
            ));
        };
        let raw = inner[..end].to_owned();
        self.take(end + 2);
        let rest = self.rest();
        let after = &rest[..rest.find('\n').map_or(rest.len(), |end| end + 1)];
        if !after.trim_start().is_empty() && !after.trim_start().starts_with('#') {
            let line = self.line;
            return Err(syntax(
                line,
                "there is text after the closing quote; start a new line",
            ));
        }
        let after = self.take(after.len()).to_owned();
        Ok((quote, raw, after))
    }
}

/// The length of `export` with the blanks after it, where it is the keyword and not a name.
fn export(text: &str) -> usize {
    let rest = text.strip_prefix("export").unwrap_or(text);
    let name = rest.trim_start_matches(is_blank);
    if rest.len() == text.len() || name.len() == rest.len() {
        return 0;
    }
    text.len() - name.len()
}

fn name(text: &str, line: usize) -> Result<String, EnvFileError> {
    let name = text.trim_end();
    if name.is_empty() {
        return Err(syntax(
            line,
            "there is no name before the sign; write `NAME=value`",
        ));
    }
    let allowed = |c: char| c.is_alphanumeric() || "_.-[]".contains(c);
    if name.chars().all(allowed) {
        return Ok(name.to_owned());
    }
    Err(syntax(
        line,
        "a name may have letters, digits, `_`, `.` and `-`; write `NAME=value`, and put `#` before \
         a comment",
    ))
}

fn syntax(line: usize, problem: &str) -> EnvFileError {
    EnvFileError::Syntax {
        line,
        problem: problem.to_owned(),
    }
}

/// White space other than the line feed.
fn is_blank(c: char) -> bool {
    c != '\n'
        && matches!(
            c,
            '\t' | '\u{b}' | '\u{c}' | '\r' | ' ' | '\u{85}' | '\u{a0}'
        )
}
