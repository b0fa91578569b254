//! Sizes, durations and CPUs, as compose writes them.

use std::time::Duration;

/// `512m`, `1.5g`, `64kb`, `10 MiB` or a number of bytes; always powers of 1024.
pub(crate) fn bytes(text: &str) -> Option<u64> {
    let end = text
        .find(|c: char| !(c.is_ascii_digit() || c == '.'))
        .unwrap_or(text.len());
    let (number, unit) = text.split_at(end);
    let unit = unit.strip_prefix(' ').unwrap_or(unit).to_ascii_lowercase();
    let power = match unit.as_str() {
        "" | "b" => 0,
        "k" | "kb" | "kib" => 1,
        "m" | "mb" | "mib" => 2,
        "g" | "gb" | "gib" => 3,
        "t" | "tb" | "tib" => 4,
        "p" | "pb" | "pib" => 5,
        _ => return None,
    };
    let billionths = decimal(number)?;
    let bytes = billionths.checked_mul(1024_u128.checked_pow(power)?)? / BILLION;
    u64::try_from(bytes)
        .ok()
        .filter(|bytes| i64::try_from(*bytes).is_ok())
}

/// `1m30s`, `500ms`, `1.5h`; also days and weeks, as compose allows.
pub(crate) fn duration(text: &str) -> Option<Duration> {
    let mut rest = text;
    let mut total = Duration::ZERO;
    if rest == "0" {
        return Some(total);
    }
    loop {
        let end = rest.find(|c: char| !(c.is_ascii_digit() || c == '.'))?;
        let number = decimal(&rest[..end])?;
        let unit_end = rest[end..]
            .find(|c: char| c.is_ascii_digit() || c == '.')
            .map_or(rest.len(), |length| end + length);
        let nanos_per_unit: u128 = match &rest[end..unit_end] {
            "ns" => 1,
            "us" | "µs" | "μs" => 1_000,
            "ms" => 1_000_000,
            "s" => BILLION,
            "m" => 60 * BILLION,
            "h" => 3_600 * BILLION,
            "d" => 86_400 * BILLION,
            "w" => 604_800 * BILLION,
            _ => return None,
        };
        let nanos = number.checked_mul(nanos_per_unit)? / BILLION;
        // Docker counts nanoseconds in 63 bits.
        let nanos = u64::try_from(nanos)
            .ok()
            .filter(|nanos| i64::try_from(*nanos).is_ok())?;
        total = total.checked_add(Duration::from_nanos(nanos))?;
        rest = &rest[unit_end..];
        if rest.is_empty() {
            return i64::try_from(total.as_nanos()).is_ok().then_some(total);
        }
    }
}

/// `0.5` is half a billion.
pub(crate) fn nano_cpus(text: &str) -> Option<u64> {
    u64::try_from(decimal(text)?).ok()
}

const BILLION: u128 = 1_000_000_000;

/// A decimal number in billionths; more digits than that are dropped.
fn decimal(text: &str) -> Option<u128> {
    let (whole, fraction) = text.split_once('.').unwrap_or((text, ""));
    let digits = |text: &str| text.bytes().all(|byte| byte.is_ascii_digit());
    if !digits(whole) || !digits(fraction) || (whole.is_empty() && fraction.is_empty()) {
        return None;
    }
    let whole: u128 = if whole.is_empty() {
        0
    } else {
        whole.parse().ok()?
    };
    let fraction: String = fraction
        .chars()
        .chain("000000000".chars())
        .take(9)
        .collect();
    whole
        .checked_mul(BILLION)?
        .checked_add(fraction.parse().ok()?)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sizes_are_powers_of_1024() {
        assert_eq!(bytes("2g"), Some(2 << 30));
        assert_eq!(bytes("512m"), Some(512 << 20));
        assert_eq!(bytes("1.5G"), Some(3 << 29));
        assert_eq!(bytes("64 KiB"), Some(64 << 10));
        assert_eq!(bytes("1048576"), Some(1 << 20));
        assert_eq!(bytes("7b"), Some(7));
        assert_eq!(bytes("0"), Some(0));
    }

    #[test]
    fn what_is_no_size_is_refused() {
        for text in [
            "", "m", "1.2.3g", "-1", "1x", "1 g b", "9999999p", "٣m", "1e3",
        ] {
            assert_eq!(bytes(text), None, "{text}");
        }
    }

    #[test]
    fn durations_add_up() {
        assert_eq!(duration("1m30s"), Some(Duration::from_secs(90)));
        assert_eq!(duration("1.5h"), Some(Duration::from_secs(5400)));
        assert_eq!(duration("500ms"), Some(Duration::from_millis(500)));
        assert_eq!(duration("10us"), Some(Duration::from_micros(10)));
        assert_eq!(duration("1d"), Some(Duration::from_secs(86_400)));
        assert_eq!(duration("0s"), Some(Duration::ZERO));
        assert_eq!(duration("0"), Some(Duration::ZERO));
    }

    #[test]
    fn what_is_no_duration_is_refused() {
        for text in [
            "",
            "10",
            "s",
            "1x",
            "-1s",
            "1m30",
            "1 m",
            "99999999999w",
            "1..5s",
        ] {
            assert_eq!(duration(text), None, "{text}");
        }
    }

    #[test]
    fn cpus_are_counted_in_billionths() {
        assert_eq!(nano_cpus("0.5"), Some(500_000_000));
        assert_eq!(nano_cpus("2"), Some(2_000_000_000));
        assert_eq!(nano_cpus(".25"), Some(250_000_000));
        assert_eq!(nano_cpus("half"), None);
        assert_eq!(nano_cpus(""), None);
    }
}
