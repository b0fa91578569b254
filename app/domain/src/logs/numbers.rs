//! Phone numbers in lines of a log and in what people write, for those who need not see them.

use crate::words;

/// How many digits an international number has.
const LENGTH: core::ops::RangeInclusive<usize> = 8..=15;
/// How many digits a number has that begins with a 0.
const NATIONAL: core::ops::RangeInclusive<usize> = 9..=15;
/// Fewer digits before an `@` are no person's.
const SHORTEST_USER: usize = 5;
/// The most characters between two groups of digits: `) (`, ` - `.
const BETWEEN: usize = 3;
/// Where WhatsApp's addresses of people end; the part before is their number.
const HOSTS: [&str; 3] = ["@s.whatsapp.net", "@lid", "@c.us"];
/// Stands where digits were.
const MASK: char = '•';

/// The text with every `+4915112345642`, `+49 (0)151 123-45642`, `0151/12345642` and `4915112345642@s.whatsapp.net`
/// shortened to what tells people apart. Dates, times, versions, addresses of hosts, ids and hashes stay.
pub fn without_numbers(text: &str) -> String {
    let mut safe = String::with_capacity(text.len());
    let mut done = 0;
    let mut follows_number = false;
    while let Some(from) = text[done..].find(|c: char| c.is_ascii_digit()) {
        let start = done + from;
        let before = &text[..start];
        let between = &text[done..start];
        let rest = &text[start..];
        let first = digits_of(rest);
        let is_beside = follows_number && between.chars().all(is_between);
        let number = number(before, rest, is_beside);
        follows_number = number.is_some();
        match number {
            Some(Number { length, masked }) => {
                let number = &rest[..length];
                // The masked number brings its own plus, and has no brackets.
                let is_closed = number.contains(')') && !number.contains('(');
                let opened = between.strip_suffix('(').filter(|_| is_closed);
                let between = opened.unwrap_or(between);
                safe.push_str(between.strip_suffix('+').unwrap_or(between));
                safe.push_str(&masked);
                done = start + length;
            }
            None => {
                safe.push_str(between);
                safe.push_str(first);
                done = start + first.len();
            }
        }
    }
    safe.push_str(&text[done..]);
    safe
}

/// A number at the beginning of a text: how much of the text it is, and what is shown of it.
struct Number {
    length: usize,
    masked: String,
}

fn number(before: &str, rest: &str, is_beside: bool) -> Option<Number> {
    let first = digits_of(rest);
    let has_plus = before.ends_with('+') || before.ends_with("+(");
    if has_plus {
        // A zone of time, `+0200`, has no groups after it.
        let one_group = first.starts_with('0').then_some(first.len());
        let length = one_group.or_else(|| grouped(rest, &LENGTH));
        return length
            .filter(|length| LENGTH.contains(&count(&rest[..*length])))
            .map(|length| Number {
                length,
                masked: words::masked_phone(&rest[..length]),
            })
            .or_else(|| address(rest));
    }
    if let Some(found) = address(rest) {
        return Some(found);
    }
    if !first.starts_with('0') || !(is_beside || begins(before)) || is_other(rest) {
        return None;
    }
    let length = grouped(rest, &NATIONAL)?;
    let masked = words::masked_phone(&rest[..length]);
    Some(Number {
        length,
        masked: masked.trim_start_matches('+').to_owned(),
    })
}

/// The part before WhatsApp's host.
fn address(rest: &str) -> Option<Number> {
    let user = digits_of(rest);
    let after = &rest[user.len()..];
    (user.len() >= SHORTEST_USER && is_address(after)).then(|| Number {
        length: user.len(),
        masked: words::masked_phone(user),
    })
}

/// Whether what follows the digits makes them an address; a device may come first: `:12@s.whatsapp.net`.
fn is_address(after: &str) -> bool {
    let host = match after.strip_prefix([':', '.', '_']) {
        Some(device) => device.trim_start_matches(|c: char| c.is_ascii_digit()),
        None => after,
    };
    HOSTS.iter().any(|known| {
        host.strip_prefix(known)
            .is_some_and(|rest| !rest.starts_with(|c: char| c.is_ascii_alphabetic()))
    })
}

/// How long the groups of digits are that a text begins with and that make a number of so many digits: as many as can.
fn grouped(text: &str, length: &core::ops::RangeInclusive<usize>) -> Option<usize> {
    let mut end = digits_of(text).len();
    let mut digits = end;
    let mut found = length.contains(&digits).then_some(end);
    while digits <= *length.end() {
        let after = &text[end..];
        let Some(gap) = after.find(|c: char| c.is_ascii_digit()) else {
            break;
        };
        let next = &after[gap..];
        if !joins(&after[..gap]) || is_other(next) {
            break;
        }
        let group = digits_of(next).len();
        end += gap + group;
        digits += group;
        if length.contains(&digits) {
            found = Some(end);
        }
    }
    found
}

/// Whether a number may begin after this text: not within a word, an id, a date or a fraction.
fn begins(before: &str) -> bool {
    let mut back = before.chars().rev();
    match back.next() {
        None => true,
        Some(MASK | '+') => false,
        Some('-' | '/' | '_' | '.') => !back.next().is_some_and(|c| c.is_ascii_alphanumeric()),
        Some(':') => !back.next().is_some_and(|c| c.is_ascii_digit()),
        Some(last) => !last.is_ascii_alphanumeric(),
    }
}

/// Whether what stands between two groups of digits keeps them one number: single spaces, hyphens, slashes and brackets.
fn joins(between: &str) -> bool {
    let is_doubled = || {
        let pairs = between.chars().zip(between.chars().skip(1));
        pairs.into_iter().any(|(one, next)| one == next)
    };
    (1..=BETWEEN).contains(&between.chars().count())
        && between.chars().all(is_between)
        && !is_doubled()
}

const fn is_between(c: char) -> bool {
    matches!(c, ' ' | '\u{a0}' | '-' | '/' | '(' | ')')
}

/// Whether the digits that a text begins with are something else: a date, a time, a fraction, an address of a host, a
/// UUID, or a part of a word.
fn is_other(text: &str) -> bool {
    let digits = digits_of(text);
    let mut after = text[digits.len()..].chars();
    let (next, second) = (after.next(), after.next());
    let goes_on = second.is_some_and(|c| c.is_ascii_digit());
    match next {
        Some(':') if goes_on && digits.len() <= 2 => true,
        Some('.' | ',') if goes_on && digits.len() <= 3 => true,
        Some('_') => second.is_some_and(|c| c.is_ascii_alphanumeric()),
        Some(c) if c.is_ascii_alphabetic() => true,
        _ => is_date(text) || is_uuid(text),
    }
}

/// `2026-11-27`, `27-11-2026` or `27/11/2026`.
fn is_date(text: &str) -> bool {
    let parts = |lengths: [usize; 3]| {
        let mut rest = text;
        let mut parts = [0; 3];
        let mut between = None;
        for (place, length) in lengths.into_iter().enumerate() {
            if place > 0 {
                let sign = rest.chars().next().filter(|c| matches!(c, '-' | '/'))?;
                if *between.get_or_insert(sign) != sign {
                    return None;
                }
                rest = &rest[1..];
            }
            let digits = digits_of(rest);
            if digits.len() != length {
                return None;
            }
            *parts.get_mut(place)? = digits.parse::<u16>().ok()?;
            rest = &rest[length..];
        }
        Some(parts)
    };
    let is_day = |year, month, day| {
        (1900..2100).contains(&year) && (1..=12).contains(&month) && (1..=31).contains(&day)
    };
    let year_first = parts([4, 2, 2]).is_some_and(|[y, m, d]| is_day(y, m, d));
    let year_last = parts([2, 2, 4]).is_some_and(|[a, b, y]| is_day(y, b, a) || is_day(y, a, b));
    year_first || year_last
}

fn is_uuid(text: &str) -> bool {
    let mut letters = text.chars();
    for (place, length) in [8, 4, 4, 4, 12].into_iter().enumerate() {
        if place > 0 && letters.next() != Some('-') {
            return false;
        }
        if letters
            .by_ref()
            .take(length)
            .filter(char::is_ascii_hexdigit)
            .count()
            != length
        {
            return false;
        }
    }
    true
}

fn digits_of(text: &str) -> &str {
    let end = text.find(|c: char| !c.is_ascii_digit());
    &text[..end.unwrap_or(text.len())]
}

fn count(text: &str) -> usize {
    text.chars().filter(char::is_ascii_digit).count()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn numbers_and_addresses_are_shortened_and_nothing_else_is() {
        for (line, safe) in [
            ("from +4915112345642 to +1", "from +49 ••• ••42 to +1"),
            (
                "4915112345642@s.whatsapp.net up",
                "+49 ••• ••42@s.whatsapp.net up",
            ),
            ("4915112345642:17@lid,", "+49 ••• ••42:17@lid,"),
            ("(12025550143@c.us)", "(+12 ••• ••43@c.us)"),
            ("1799999999999 ms", "1799999999999 ms"),
            ("12025550143@c.usa", "12025550143@c.usa"),
            ("120363041234567890@g.us", "120363041234567890@g.us"),
            ("+1234567890123456", "+1234567890123456"),
            ("12:00:00+02:00 äöü", "12:00:00+02:00 äöü"),
        ] {
            assert_eq!(without_numbers(line), safe);
        }
    }

    #[test]
    fn numbers_as_people_write_them_are_shortened_as_well() {
        for (line, safe) in [
            ("call +49 151 12345642.", "call +49 ••• ••42."),
            ("+49-151-12345642, please", "+49 ••• ••42, please"),
            ("+49 (0)151 123 456-42", "+49 ••• ••42"),
            ("+(49) 151 12345642", "+49 ••• ••42"),
            ("+1 202-555-0143 at 14:30", "+12 ••• ••43 at 14:30"),
            ("0151 12345642", "01 ••• ••42"),
            ("his phone:0151/12345642!", "his phone:01 ••• ••42!"),
            ("(0151) 12345642", "01 ••• ••42"),
            ("(0151 12345642)", "(01 ••• ••42)"),
            ("0049 151 - 12345642", "00 ••• ••42"),
            ("01 51 23 45 64", "01 ••• ••64"),
            // Two, one after the other, and one with something else behind it.
            ("0151 12345642/0151 12345643", "01 ••• ••42/01 ••• ••43"),
            ("+49 151 12345642 14:30", "+49 ••• ••42 14:30"),
            ("+49 151 12345642 2026-11-27", "+49 ••• ••42 2026-11-27"),
        ] {
            assert_eq!(without_numbers(line), safe);
        }
    }

    #[test]
    fn what_only_looks_like_a_number_stays() {
        for line in [
            "2026-11-27 02:14:05",
            "05/11/2026 14:30",
            "05-11-2026 06-11-2026",
            "UTC+1 2026-11-27",
            "Fri, 27 Nov 2026 12:00:00 +0100 12345678",
            "0.123456789 s, 0.012345678 s",
            "10.0.0.12 and 094.031.007.012:18789",
            "2026.09.05-01234567890",
            "backup-2026-11-27-021405123",
            "01900000-0000-7000-8000-000000000012",
            "event 12345678, events 10000001-10000009",
            "sha256:0151123456a2",
            "took 00:00:01.500, after 01 h 30 min 12345678 times",
            "0123 4567",
        ] {
            assert_eq!(without_numbers(line), line);
        }
    }

    proptest! {
        #[test]
        fn no_number_stays_whole_wherever_it_stands(
            before in "[^0-9+]{0,20}",
            number in "[1-9][0-9]{7,14}",
            host in prop::sample::select(&HOSTS[..]),
            after in "[^0-9a-zA-Z]{0,20}",
        ) {
            for line in [
                format!("{before}+{number}{after}"),
                format!("{before}{number}{host}{after}"),
                format!("{before}{number}:3{host}{after}"),
            ] {
                let safe = without_numbers(&line);
                prop_assert!(!safe.contains(&number), "{}", safe);
                prop_assert_eq!(without_numbers(&safe), safe);
            }
        }

        #[test]
        fn no_number_in_groups_keeps_seven_digits(
            before in "([^0-9a-zA-Z+•]{0,20}[ (,])?",
            head in "[1-9][0-9]{2}",
            tail in "[0-9]{7,8}",
            sign in prop::sample::select(&[" ", "-", "/", ") ", ")", " - "][..]),
            after in "[^0-9a-zA-Z]{0,20}",
        ) {
            let spaced = format!("{} {}", &tail[..4], &tail[4..]);
            for number in [
                format!("+49 {head}{sign}{tail}"),
                format!("+49 (0){head} {tail}"),
                format!("+49-{head}-{spaced}"),
                format!("0{head}{sign}{tail}"),
                format!("(0{head}) {spaced}"),
                format!("0049 {head} {tail}"),
                format!("0{head}{tail}"),
            ] {
                let safe = without_numbers(&format!("{before}{number}{after}"));
                prop_assert!(count(&safe) < 7, "{}: {}", number, safe);
                prop_assert_eq!(without_numbers(&safe), safe);
            }
        }

        #[test]
        fn shortened_twice_is_shortened_once(line in "([0-9]{1,5}|[ +()/:.@a•-]|0151 12345642|@lid){0,16}") {
            let safe = without_numbers(&line);
            prop_assert_eq!(without_numbers(&safe), safe);
        }

        #[test]
        fn dates_times_ids_hashes_and_durations_stay(
            (year, month, day) in (1_970_u16..2_070, 1_u8..=12, 1_u8..=31),
            (hour, minute, second) in (0_u8..24, 0_u8..60, 0_u8..60),
            id in any::<u128>(),
            hash in "[0-9a-f]{15}[a-f][0-9a-f]{48}",
            amount in 0_u64..100_000_000,
            unit in prop::sample::select(&["ms", "s", "min", "h", "days", "MiB", "events"][..]),
        ) {
            let date = format!("{year}-{month:02}-{day:02}");
            let time = format!("{hour:02}:{minute:02}:{second:02}");
            let id = uuid::Uuid::from_u128(id);
            for line in [
                format!("{date} {time}"),
                format!("{date}T{time}.012345Z"),
                format!("{day:02}/{month:02}/{year} {time}"),
                format!("at {time} on {date}: {id}"),
                format!("{id} {hash}"),
                format!("{time} {amount} {unit}, {amount}{unit}"),
            ] {
                prop_assert_eq!(without_numbers(&line), line);
            }
        }

        #[test]
        fn a_line_without_numbers_stays_as_it_is(line in "[^+@0]{0,60}") {
            prop_assert_eq!(without_numbers(&line), line);
        }
    }
}
