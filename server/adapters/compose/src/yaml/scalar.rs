//! What an unquoted YAML scalar means, and how compose writes it back as text.
//!
//! go-yaml mixes YAML 1.1 and 1.2: `010` is eight, `0o17` is fifteen, `1_000` is a thousand, but
//! `yes`, `off` and `1:30` stay text.

use super::Value;

/// Resolves an unquoted scalar.
pub(super) fn resolve(text: &str) -> Value {
    match text {
        "" | "~" | "null" | "Null" | "NULL" => return Value::Null,
        "true" | "True" | "TRUE" => return Value::Flag(true),
        "false" | "False" | "FALSE" => return Value::Flag(false),
        ".nan" | ".NaN" | ".NAN" => return Value::Number(f64::NAN),
        ".inf" | ".Inf" | ".INF" | "+.inf" | "+.Inf" | "+.INF" => {
            return Value::Number(f64::INFINITY);
        }
        "-.inf" | "-.Inf" | "-.INF" => return Value::Number(f64::NEG_INFINITY),
        _ => {}
    }
    number(text).unwrap_or_else(|| Value::Text(text.to_owned()))
}

fn number(text: &str) -> Option<Value> {
    if text.starts_with('.') {
        return float(text);
    }
    if !text.starts_with(|c: char| c.is_ascii_digit() || c == '+' || c == '-') {
        return None;
    }
    if is_date(text) {
        return Some(Value::Date);
    }
    let plain = text.replace('_', "");
    whole(&plain).map(Value::Whole).or_else(|| float(&plain))
}

/// A whole number with the prefixes of Go, also `010` for eight.
fn whole(text: &str) -> Option<i128> {
    let (negative, digits) = match text.as_bytes().first()? {
        b'-' => (true, &text[1..]),
        b'+' => (false, &text[1..]),
        _ => (false, text),
    };
    let prefix = digits.get(..2).unwrap_or_default().to_ascii_lowercase();
    let (radix, digits) = match prefix.as_str() {
        "0x" => (16, &digits[2..]),
        "0o" => (8, &digits[2..]),
        "0b" => (2, &digits[2..]),
        _ if digits.len() > 1 && digits.starts_with('0') => (8, &digits[1..]),
        _ => (10, digits),
    };
    // from_str_radix would take another sign.
    if !digits.starts_with(|c: char| c.is_ascii_alphanumeric()) {
        return None;
    }
    let size = u64::from_str_radix(digits, radix).ok()?;
    let number = if negative {
        -i128::from(size)
    } else {
        i128::from(size)
    };
    (number >= i128::from(i64::MIN)).then_some(number)
}

/// `[-+]?(\.[0-9]+|[0-9]+(\.[0-9]*)?)([eE][-+]?[0-9]+)?`
fn float(text: &str) -> Option<Value> {
    let unsigned = text.strip_prefix(['-', '+']).unwrap_or(text);
    let (mantissa, exponent) = match unsigned.split_once(['e', 'E']) {
        Some((mantissa, exponent)) => (mantissa, Some(exponent)),
        None => (unsigned, None),
    };
    let all_digits = |text: &str| text.bytes().all(|byte| byte.is_ascii_digit());
    let (before, after) = mantissa.split_once('.').unwrap_or((mantissa, ""));
    let mantissa_ok = all_digits(before)
        && all_digits(after)
        && (!before.is_empty() || !after.is_empty())
        && mantissa.len() > usize::from(mantissa.contains('.'));
    let exponent_ok = exponent.is_none_or(|exponent| {
        let digits = exponent.strip_prefix(['-', '+']).unwrap_or(exponent);
        !digits.is_empty() && all_digits(digits)
    });
    if !(mantissa_ok && exponent_ok) {
        return None;
    }
    let number: f64 = text.parse().ok()?;
    number.is_finite().then_some(Value::Number(number))
}

/// `2026-11-22`, alone or followed by a time. go-yaml makes a date of it, which compose refuses.
fn is_date(text: &str) -> bool {
    let (date, time) = match text.find(['T', 't', ' ']) {
        Some(end) => (&text[..end], Some(text[end + 1..].trim_start())),
        None => (text, None),
    };
    let parts: Vec<&str> = date.split('-').collect();
    let [year, month, day] = parts.as_slice() else {
        return false;
    };
    let within = |text: &str, from: u8, to: u8| {
        (1..=2).contains(&text.len())
            && text
                .parse()
                .is_ok_and(|number: u8| (from..=to).contains(&number))
    };
    year.len() == 4
        && year.bytes().all(|byte| byte.is_ascii_digit())
        && within(month, 1, 12)
        && within(day, 1, 31)
        && time.is_none_or(|time| time.starts_with(|c: char| c.is_ascii_digit()))
}

/// A number as Go prints it: `1.10` becomes `1.1`, a million becomes `1e+06`.
pub(super) fn number_text(number: f64) -> String {
    if number.is_nan() {
        return "NaN".to_owned();
    }
    if number.is_infinite() {
        return if number > 0.0 { "+Inf" } else { "-Inf" }.to_owned();
    }
    // Rust's `{:e}` gives the shortest digits that read back the same, as Go's do.
    let shortest = format!("{number:e}");
    let Some((digits, exponent)) = shortest.split_once('e') else {
        return shortest;
    };
    match exponent.parse::<i32>() {
        // Go turns to exponents from a million on.
        Ok(-4..6) => format!("{number}"),
        Ok(exponent) => {
            let sign = if exponent < 0 { '-' } else { '+' };
            format!("{digits}e{sign}{:02}", exponent.unsigned_abs())
        }
        Err(_) => shortest,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Left: what stands in the file. Right: what docker compose 2.40 hands to the container.
    const SEEN: &[(&str, &str)] = &[
        ("1.10", "1.1"),
        ("010", "8"),
        ("0x10", "16"),
        ("1_000", "1000"),
        ("yes", "yes"),
        ("off", "off"),
        ("True", "true"),
        ("FALSE", "false"),
        ("tRue", "tRue"),
        ("1e3", "1000"),
        ("1e5", "100000"),
        (".5", "0.5"),
        ("+.5", "0.5"),
        ("1:30", "1:30"),
        ("0o17", "15"),
        ("-0o17", "-15"),
        ("0b11", "3"),
        ("-0b11", "-3"),
        ("-0x10", "-16"),
        (".inf", "+Inf"),
        ("-.inf", "-Inf"),
        (".NaN", "NaN"),
        ("-0", "0"),
        ("+5", "5"),
        ("123456789.0", "1.23456789e+08"),
        ("1234567.0", "1.234567e+06"),
        ("1e21", "1e+21"),
        ("1.0", "1"),
        ("1.", "1"),
        ("08", "8"),
        ("0777", "511"),
        ("00", "0"),
        ("9223372036854775808", "9223372036854775808"),
        ("18446744073709551616", "1.8446744073709552e+19"),
        ("0.1e-7", "1e-08"),
        ("0.00001", "1e-05"),
        ("0.0001", "0.0001"),
        ("0_1", "1"),
        ("1__0", "10"),
        ("_1", "_1"),
        ("1_", "1"),
        ("1._5", "1.5"),
        ("0x", "0x"),
        ("0xG", "0xG"),
        ("e3", "e3"),
        ("12e", "12e"),
        ("=", "="),
        ("-1.10", "-1.1"),
        ("3.141592653589793238", "3.141592653589793"),
        ("2024-13-01", "2024-13-01"),
        ("1.2.3", "1.2.3"),
        ("--5", "--5"),
        ("+-5", "+-5"),
        ("-", "-"),
        (".", "."),
    ];

    #[test]
    fn scalars_become_what_compose_makes_of_them() {
        for (text, expected) in SEEN {
            assert_eq!(
                resolve(text).scalar_text().as_deref(),
                Some(*expected),
                "{text}"
            );
        }
    }

    #[test]
    fn nothing_is_null() {
        for text in ["", "~", "null", "Null", "NULL"] {
            assert!(resolve(text) == Value::Null, "{text}");
        }
    }

    #[test]
    fn dates_are_told_apart_from_text() {
        for text in [
            "2024-01-01",
            "2024-1-1",
            "2024-01-01T00:00:00Z",
            "2024-01-01 10:00:00",
        ] {
            assert!(resolve(text) == Value::Date, "{text}");
        }
        assert!(resolve("2024-01") == Value::Text("2024-01".to_owned()));
    }
}
