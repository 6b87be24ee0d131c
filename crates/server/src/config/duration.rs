//! Durations as configuration files write them: Go's `2m`, `1h30m`, `1.5s`, `300ms`.

use std::time::Duration;

const UNITS: [(&str, u128); 8] = [
    // Longer names first: `ms` and `m` begin alike.
    ("ns", 1),
    ("us", 1_000),
    ("µs", 1_000),
    ("μs", 1_000),
    ("ms", 1_000_000),
    ("s", 1_000_000_000),
    ("m", 60_000_000_000),
    ("h", 3_600_000_000_000),
];

/// The longest duration: Go's, some 292 years.
const NANOS_MAX: u128 = i64::MAX as u128;

/// Reads a duration; `None` for what is none, is negative, or does not fit 63 bits of nanoseconds.
/// `0` needs no unit.
pub(super) fn parse_duration(text: &str) -> Option<Duration> {
    let mut rest = text.strip_prefix('+').unwrap_or(text);
    if rest == "0" {
        return Some(Duration::ZERO);
    }
    if rest.is_empty() {
        return None;
    }
    let mut total = 0_u128;
    while !rest.is_empty() {
        let (nanos, after) = parse_part(rest)?;
        total = total.checked_add(nanos).filter(|sum| *sum <= NANOS_MAX)?;
        rest = after;
    }
    let seconds = u64::try_from(total / 1_000_000_000).ok()?;
    let nanos = u32::try_from(total % 1_000_000_000).ok()?;
    Some(Duration::new(seconds, nanos))
}

/// One number with its unit, in nanoseconds, and what follows it.
fn parse_part(text: &str) -> Option<(u128, &str)> {
    let (whole, rest) = split_digits(text);
    let (fraction, rest) = match rest.strip_prefix('.') {
        Some(rest) => split_digits(rest),
        None => ("", rest),
    };
    if whole.is_empty() && fraction.is_empty() {
        return None;
    }
    let (unit, rest) = UNITS
        .iter()
        .find_map(|(name, nanos)| Some((*nanos, rest.strip_prefix(name)?)))?;
    let whole = match whole {
        "" => 0,
        digits => digits.parse::<u64>().ok()?,
    };
    let mut nanos = u128::from(whole) * unit;
    // Digits below a nanosecond add nothing.
    let mut weight = unit;
    for digit in fraction.bytes() {
        weight /= 10;
        nanos += u128::from(digit - b'0') * weight;
    }
    Some((nanos, rest))
}

fn split_digits(text: &str) -> (&str, &str) {
    let end = text
        .find(|found: char| !found.is_ascii_digit())
        .unwrap_or(text.len());
    text.split_at(end)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn durations_read_as_in_go() {
        for (text, expected) in [
            ("0", Duration::ZERO),
            ("2m", Duration::from_secs(120)),
            ("1h30m", Duration::from_secs(5400)),
            ("1.5s", Duration::from_millis(1500)),
            (".5s", Duration::from_millis(500)),
            ("1.s", Duration::from_secs(1)),
            ("300ms", Duration::from_millis(300)),
            ("100us", Duration::from_micros(100)),
            ("100µs", Duration::from_micros(100)),
            ("100μs", Duration::from_micros(100)),
            ("7ns", Duration::from_nanos(7)),
            ("1m0.25s", Duration::from_millis(60_250)),
            ("+3s", Duration::from_secs(3)),
            ("0.0000000001s", Duration::ZERO),
        ] {
            assert_eq!(parse_duration(text), Some(expected), "{text}");
        }
    }

    #[test]
    fn what_is_no_duration_is_refused() {
        for text in [
            "",
            "5",
            "s",
            ".",
            "1d",
            "-2s",
            "1s2",
            "1 s",
            "9999999999h",
            "1e3s",
            "+",
            "1.2.3s",
        ] {
            assert_eq!(parse_duration(text), None, "{text}");
        }
    }
}
