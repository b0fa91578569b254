//! Numbers in words a person can use: rounded, with units.

use std::time::Duration;

/// `38 ms`, `4 s`, `2 min 5 s`, `2 h 31 min`, `6 days`.
pub fn duration(of: Duration) -> String {
    let millis = of.as_millis();
    if millis < 1_000 {
        return format!("{millis} ms");
    }
    let seconds = of.as_secs();
    let (minutes, hours, days) = (seconds / 60, seconds / 3_600, seconds / 86_400);
    match seconds {
        0..60 => format!("{seconds} s"),
        60..600 if !seconds.is_multiple_of(60) => format!("{minutes} min {} s", seconds % 60),
        60..3_600 => format!("{minutes} min"),
        3_600..86_400 if !minutes.is_multiple_of(60) => format!("{hours} h {} min", minutes % 60),
        3_600..86_400 => format!("{hours} h"),
        86_400..172_800 => format!("1 day {} h", hours % 24),
        _ => format!("{days} days"),
    }
}

/// An age: like [`duration`], but anything under a second and a half is `now`.
pub fn age(of: Duration) -> String {
    if of < Duration::from_millis(1_500) {
        "now".to_owned()
    } else {
        duration(of)
    }
}

/// `743 MiB`, `1.9 GiB`.
pub fn bytes(count: u64) -> String {
    const KIB: u64 = 1 << 10;
    const MIB: u64 = 1 << 20;
    const GIB: u64 = 1 << 30;
    match count {
        0..KIB => format!("{count} B"),
        KIB..MIB => format!("{} KiB", count / KIB),
        MIB..GIB => format!("{} MiB", count / MIB),
        _ => format!("{}.{} GiB", count / GIB, (count % GIB) * 10 / GIB),
    }
}

/// `1 restart`, `3 restarts`.
pub fn count(number: u64, one: &str, many: &str) -> String {
    if number == 1 {
        format!("1 {one}")
    } else {
        format!("{number} {many}")
    }
}

/// A number as people read it: `12,345`.
pub fn thousands(number: u64) -> String {
    let digits = number.to_string();
    let mut text = String::with_capacity(digits.len() + digits.len() / 3);
    for (index, digit) in digits.chars().enumerate() {
        if index > 0 && (digits.len() - index).is_multiple_of(3) {
            text.push(',');
        }
        text.push(digit);
    }
    text
}

/// A phone number with its middle hidden: `+49 ••• ••42`. The country part stays, for recognition.
pub fn masked_phone(number: &str) -> String {
    let digits: Vec<char> = number.chars().filter(char::is_ascii_digit).collect();
    if digits.len() < 6 {
        return "••••".to_owned();
    }
    let head: String = digits.iter().take(2).collect();
    let tail: String = digits.iter().skip(digits.len() - 2).collect();
    format!("+{head} ••• ••{tail}")
}

/// A network address with its middle hidden: `94.•••.12`, `2001:•••:7`.
pub fn masked_address(address: &str) -> String {
    let between = if address.contains(':') { ':' } else { '.' };
    match (address.split_once(between), address.rsplit_once(between)) {
        (Some((head, _)), Some((_, tail))) => format!("{head}{between}•••{between}{tail}"),
        _ => "•••".to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn durations_are_rounded_to_what_a_person_can_use() {
        let said: Vec<String> = [
            0,
            38,
            999,
            4_200,
            125_000,
            600_000,
            9_060_000,
            7_200_000,
            90_000_000,
            520_000_000,
        ]
        .into_iter()
        .map(|ms| duration(Duration::from_millis(ms)))
        .collect();
        assert_eq!(
            said,
            [
                "0 ms",
                "38 ms",
                "999 ms",
                "4 s",
                "2 min 5 s",
                "10 min",
                "2 h 31 min",
                "2 h",
                "1 day 1 h",
                "6 days"
            ]
        );
    }

    #[test]
    fn bytes_keep_one_digit_only_where_it_helps() {
        assert_eq!(bytes(512), "512 B");
        assert_eq!(bytes(779_091_968), "743 MiB");
        assert_eq!(bytes(2_147_483_648), "2.0 GiB");
    }

    #[test]
    fn a_masked_address_tells_addresses_apart() {
        assert_eq!(masked_address("94.31.7.12"), "94.•••.12");
        assert_eq!(masked_address("2001:db8::7"), "2001:•••:7");
        assert_eq!(masked_address("localhost"), "•••");
    }

    #[test]
    fn a_masked_number_shows_country_and_two_last_digits() {
        assert_eq!(masked_phone("+4915112345642"), "+49 ••• ••42");
        assert_eq!(masked_phone("123"), "••••");
    }
}
