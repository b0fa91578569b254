//! Phone numbers in lines of a log, for those who need not see them.

use crate::words;

/// How many digits an international number has.
const LENGTH: core::ops::RangeInclusive<usize> = 8..=15;
/// Fewer digits before an `@` are no person's.
const SHORTEST_USER: usize = 5;
/// Where WhatsApp's addresses of people end; the part before is their number.
const HOSTS: [&str; 3] = ["@s.whatsapp.net", "@lid", "@c.us"];

/// The text with every `+4915112345642` and `4915112345642@s.whatsapp.net` shortened to what tells people
/// apart.
pub fn without_numbers(text: &str) -> String {
    let mut safe = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(from) = rest.find(|c: char| c.is_ascii_digit()) {
        let (before, digits) = rest.split_at(from);
        let end = digits
            .find(|c: char| !c.is_ascii_digit())
            .unwrap_or(digits.len());
        let (digits, after) = digits.split_at(end);
        let has_plus = before.ends_with('+') && LENGTH.contains(&digits.len());
        if has_plus || (digits.len() >= SHORTEST_USER && is_address(after)) {
            // The masked number brings its own plus.
            safe.push_str(before.strip_suffix('+').unwrap_or(before));
            safe.push_str(&words::masked_phone(digits));
        } else {
            safe.push_str(before);
            safe.push_str(digits);
        }
        rest = after;
    }
    safe.push_str(rest);
    safe
}

/// Whether what follows the digits makes them an address; a device may come first: `:12@s.whatsapp.net`.
fn is_address(after: &str) -> bool {
    let host = match after.strip_prefix([':', '.', '_']) {
        Some(device) => device.trim_start_matches(|c: char| c.is_ascii_digit()),
        None => after,
    };
    HOSTS.iter().any(|known| {
        host.strip_prefix(known)
            .is_some_and(|rest| !rest.starts_with(|c: char| c.is_ascii_alphanumeric()))
    })
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
        fn a_line_without_numbers_stays_as_it_is(line in "[^+@]{0,60}") {
            prop_assert_eq!(without_numbers(&line), line);
        }
    }
}
