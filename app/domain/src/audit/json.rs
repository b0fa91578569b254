//! Any JSON text in the one form that is hashed: members sorted, no white space, each string escaped in one way only.

/// Why a JSON text has no canonical form. The panel writes none of these.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum NotCanonical {
    /// It is no JSON.
    #[error("it is no JSON")]
    NotJson,
    /// A number that is no integer: programs write those in different ways.
    #[error("a number in it is no integer")]
    Fraction,
    /// Two members of one object have the same name.
    #[error("a name stands in it twice")]
    Twice,
    /// Objects within objects, beyond any use.
    #[error("it is nested too deep")]
    TooDeep,
}

const DEEPEST: u32 = 32;
const HEX: &[u8; 16] = b"0123456789abcdef";

/// Appends the canonical form of a JSON text.
pub(super) fn json(text: &str, out: &mut Vec<u8>) -> Result<(), NotCanonical> {
    let mut reader = Reader {
        text: text.as_bytes(),
        at: 0,
    };
    reader.value(out, 0)?;
    reader.space();
    match reader.next() {
        None => Ok(()),
        Some(_) => Err(NotCanonical::NotJson),
    }
}

/// Appends a text as a JSON string.
pub(super) fn string(text: &str, out: &mut Vec<u8>) {
    out.push(b'"');
    escaped(text.as_bytes(), out);
    out.push(b'"');
}

/// Appends bytes as hexadecimal digits.
pub(super) fn hex(bytes: &[u8], out: &mut Vec<u8>) {
    for byte in bytes {
        out.push(HEX[usize::from(byte >> 4)]);
        out.push(HEX[usize::from(byte & 15)]);
    }
}

const fn is_plain(byte: u8) -> bool {
    byte >= 0x20 && byte != b'"' && byte != b'\\'
}

fn escaped(text: &[u8], out: &mut Vec<u8>) {
    let mut rest = text;
    while let Some(at) = rest.iter().position(|byte| !is_plain(*byte)) {
        out.extend_from_slice(&rest[..at]);
        let short = match rest[at] {
            b'"' => b'"',
            b'\\' => b'\\',
            0x08 => b'b',
            0x09 => b't',
            0x0a => b'n',
            0x0c => b'f',
            0x0d => b'r',
            other => {
                out.extend_from_slice(b"\\u00");
                hex(&[other], out);
                rest = &rest[at + 1..];
                continue;
            }
        };
        out.extend_from_slice(&[b'\\', short]);
        rest = &rest[at + 1..];
    }
    out.extend_from_slice(rest);
}

/// Where a member lies in what was written: its name without quotes, and its end.
struct Member {
    begin: usize,
    name_end: usize,
    end: usize,
}

impl Member {
    fn name<'a>(&self, out: &'a [u8]) -> &'a [u8] {
        &out[self.begin + 1..self.name_end - 1]
    }
}

struct Reader<'a> {
    text: &'a [u8],
    at: usize,
}

impl Reader<'_> {
    fn peek(&self) -> Option<u8> {
        self.text.get(self.at).copied()
    }

    fn next(&mut self) -> Option<u8> {
        let byte = self.peek()?;
        self.at += 1;
        Some(byte)
    }

    fn space(&mut self) {
        while matches!(self.peek(), Some(b' ' | b'\t' | b'\n' | b'\r')) {
            self.at += 1;
        }
    }

    /// The next byte that is no white space.
    fn sign(&mut self) -> Result<u8, NotCanonical> {
        self.space();
        self.next().ok_or(NotCanonical::NotJson)
    }

    fn value(&mut self, out: &mut Vec<u8>, depth: u32) -> Result<(), NotCanonical> {
        if depth > DEEPEST {
            return Err(NotCanonical::TooDeep);
        }
        self.space();
        match self.peek() {
            Some(b'{') => self.object(out, depth),
            Some(b'[') => self.array(out, depth),
            Some(b'"') => self.string(out),
            Some(b'-' | b'0'..=b'9') => self.number(out),
            Some(b't') => self.word(b"true", out),
            Some(b'f') => self.word(b"false", out),
            Some(b'n') => self.word(b"null", out),
            _ => Err(NotCanonical::NotJson),
        }
    }

    fn word(&mut self, word: &[u8], out: &mut Vec<u8>) -> Result<(), NotCanonical> {
        if !self.text[self.at..].starts_with(word) {
            return Err(NotCanonical::NotJson);
        }
        self.at += word.len();
        out.extend_from_slice(word);
        Ok(())
    }

    fn number(&mut self, out: &mut Vec<u8>) -> Result<(), NotCanonical> {
        let begin = self.at;
        let sign = usize::from(self.peek() == Some(b'-'));
        self.at += sign;
        while matches!(self.peek(), Some(b'0'..=b'9')) {
            self.at += 1;
        }
        if matches!(self.peek(), Some(b'.' | b'e' | b'E')) {
            return Err(NotCanonical::Fraction);
        }
        let digits = &self.text[begin + sign..self.at];
        let begins_with_zero = digits.first() == Some(&b'0');
        if digits.is_empty() || (begins_with_zero && digits.len() + sign > 1) {
            return Err(NotCanonical::NotJson);
        }
        out.extend_from_slice(&self.text[begin..self.at]);
        Ok(())
    }

    fn array(&mut self, out: &mut Vec<u8>, depth: u32) -> Result<(), NotCanonical> {
        self.at += 1;
        out.push(b'[');
        self.space();
        if self.peek() == Some(b']') {
            self.at += 1;
            out.push(b']');
            return Ok(());
        }
        loop {
            self.value(out, depth + 1)?;
            let sign = self.sign()?;
            out.push(sign);
            match sign {
                b',' => {}
                b']' => return Ok(()),
                _ => return Err(NotCanonical::NotJson),
            }
        }
    }

    fn object(&mut self, out: &mut Vec<u8>, depth: u32) -> Result<(), NotCanonical> {
        self.at += 1;
        out.push(b'{');
        self.space();
        if self.peek() == Some(b'}') {
            self.at += 1;
            out.push(b'}');
            return Ok(());
        }
        let first = out.len();
        let mut members = Vec::with_capacity(8);
        loop {
            self.space();
            let begin = out.len();
            self.string(out)?;
            let name_end = out.len();
            if self.sign()? != b':' {
                return Err(NotCanonical::NotJson);
            }
            out.push(b':');
            self.value(out, depth + 1)?;
            let end = out.len();
            members.push(Member {
                begin,
                name_end,
                end,
            });
            match self.sign()? {
                b',' => {}
                b'}' => break,
                _ => return Err(NotCanonical::NotJson),
            }
        }
        sort(&members, first, out)?;
        out.push(b'}');
        Ok(())
    }

    fn string(&mut self, out: &mut Vec<u8>) -> Result<(), NotCanonical> {
        if self.next() != Some(b'"') {
            return Err(NotCanonical::NotJson);
        }
        out.push(b'"');
        loop {
            let rest = &self.text[self.at..];
            let plain = rest.iter().position(|byte| !is_plain(*byte));
            let plain = plain.ok_or(NotCanonical::NotJson)?;
            out.extend_from_slice(&rest[..plain]);
            self.at += plain + 1;
            match rest[plain] {
                b'"' => break,
                b'\\' => {
                    let meant = self.escape()?;
                    escaped(meant.encode_utf8(&mut [0; 4]).as_bytes(), out);
                }
                _ => return Err(NotCanonical::NotJson),
            }
        }
        out.push(b'"');
        Ok(())
    }

    /// The character behind a backslash.
    fn escape(&mut self) -> Result<char, NotCanonical> {
        Ok(match self.next().ok_or(NotCanonical::NotJson)? {
            sign @ (b'"' | b'\\' | b'/') => char::from(sign),
            b'b' => '\u{8}',
            b'f' => '\u{c}',
            b'n' => '\n',
            b'r' => '\r',
            b't' => '\t',
            b'u' => {
                let unit = self.unit()?;
                if !(0xd800..0xdc00).contains(&unit) {
                    return char::from_u32(unit).ok_or(NotCanonical::NotJson);
                }
                if (self.next(), self.next()) != (Some(b'\\'), Some(b'u')) {
                    return Err(NotCanonical::NotJson);
                }
                let low = self.unit()?;
                let low = low.checked_sub(0xdc00).filter(|low| *low < 0x400);
                let low = low.ok_or(NotCanonical::NotJson)?;
                let whole = 0x1_0000 + ((unit - 0xd800) << 10) + low;
                return char::from_u32(whole).ok_or(NotCanonical::NotJson);
            }
            _ => return Err(NotCanonical::NotJson),
        })
    }

    fn unit(&mut self) -> Result<u32, NotCanonical> {
        let mut unit = 0;
        for _ in 0..4 {
            let digit = self.next().and_then(|byte| char::from(byte).to_digit(16));
            unit = unit * 16 + digit.ok_or(NotCanonical::NotJson)?;
        }
        Ok(unit)
    }
}

/// Puts the members that were written from `first` on into the order of their names.
fn sort(members: &[Member], first: usize, out: &mut Vec<u8>) -> Result<(), NotCanonical> {
    let mut order: Vec<&Member> = members.iter().collect();
    order.sort_by(|a, b| compare(a.name(out), b.name(out)));
    if order
        .windows(2)
        .any(|pair| pair[0].name(out) == pair[1].name(out))
    {
        return Err(NotCanonical::Twice);
    }
    let begin = out.len();
    for (index, member) in order.into_iter().enumerate() {
        if index > 0 {
            out.push(b',');
        }
        out.extend_from_within(member.begin..member.end);
    }
    out.drain(first..begin);
    Ok(())
}

/// By code points. What is written with an escape comes where its character does.
fn compare(a: &[u8], b: &[u8]) -> core::cmp::Ordering {
    if !a.contains(&b'\\') && !b.contains(&b'\\') {
        return a.cmp(b);
    }
    let meant = |name: &[u8]| {
        let quoted = [b"\"", name, b"\""].concat();
        serde_json::from_slice::<String>(&quoted).unwrap_or_default()
    };
    meant(a).cmp(&meant(b))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn canonical(text: &str) -> Result<String, NotCanonical> {
        let mut out = Vec::new();
        json(text, &mut out).map(|()| String::from_utf8(out).unwrap())
    }

    #[test]
    fn members_are_sorted_at_every_depth_and_white_space_is_dropped() {
        for (text, wanted) in [
            (
                r#" { "b" : [ 1 , -20, {"z": null, "a" : true} ], "a": "x" } "#,
                r#"{"a":"x","b":[1,-20,{"a":true,"z":null}]}"#,
            ),
            ("{}", "{}"),
            ("[ ]", "[]"),
            (r#"{"\u0009": 1, "A": 2, "": 3}"#, r#"{"":3,"\t":1,"A":2}"#),
            (r#"{"z": 1, "é": 2, "aa": 3}"#, r#"{"aa":3,"z":1,"é":2}"#),
        ] {
            assert_eq!(canonical(text).as_deref(), Ok(wanted), "{text}");
        }
    }

    #[test]
    fn a_string_has_one_spelling() {
        for text in [
            r#""a\u00e9\/\uD83D\uDE00""#,
            r#""aé/😀""#,
            r#""\u0061\u00E9/\ud83d\ude00""#,
        ] {
            assert_eq!(canonical(text).as_deref(), Ok("\"aé/😀\""), "{text}");
        }
        let all: String = (0..0x20_u8)
            .map(char::from)
            .chain("\"\\\u{7f}".chars())
            .collect();
        let text = serde_json::to_string(&all).unwrap();
        assert_eq!(canonical(&text).as_deref(), Ok(text.as_str()));
        let mut out = Vec::new();
        string(&all, &mut out);
        assert_eq!(String::from_utf8(out).unwrap(), text);
    }

    #[test]
    fn what_has_no_canonical_form_is_refused() {
        for (text, why) in [
            ("1.0", NotCanonical::Fraction),
            ("[1e3]", NotCanonical::Fraction),
            (r#"{"a":1,"a":1}"#, NotCanonical::Twice),
            (r#"{"a":1,"\u0061":2}"#, NotCanonical::Twice),
            (&"[".repeat(100), NotCanonical::TooDeep),
            ("01", NotCanonical::NotJson),
            ("-0", NotCanonical::NotJson),
            ("", NotCanonical::NotJson),
            ("{", NotCanonical::NotJson),
            ("{}x", NotCanonical::NotJson),
            ("\"a", NotCanonical::NotJson),
            ("\"\u{1}\"", NotCanonical::NotJson),
            (r#""\ud800""#, NotCanonical::NotJson),
            (r#""\udc00""#, NotCanonical::NotJson),
            (r#""\ud800\u0041""#, NotCanonical::NotJson),
            ("tru", NotCanonical::NotJson),
            ("[1 2]", NotCanonical::NotJson),
        ] {
            assert_eq!(canonical(text), Err(why), "{text}");
        }
    }
}
