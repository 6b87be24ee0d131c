//! Times and durations as the API writes them: RFC 3339 with nanoseconds, and Go's durations. Times are
//! Unix nanoseconds in an `i64` (years 1677 to 2262); nothing here knows what time it is.

use serde::Serializer;

/// Nanoseconds of a millisecond.
pub const MILLISECOND: i64 = 1_000_000;
/// Nanoseconds of a second.
pub const SECOND: i64 = 1_000 * MILLISECOND;
/// Nanoseconds of a minute.
pub const MINUTE: i64 = 60 * SECOND;
const HOUR: i64 = 60 * MINUTE;

/// Stands for "never", which the API writes as `0001-01-01T00:00:00Z` (too early for Unix nanoseconds).
pub const ZERO_TIME: i64 = i64::MIN;

const ZERO_TEXT: &str = "0001-01-01T00:00:00Z";

/// Writes a time in UTC, the fraction without trailing zeros.
pub fn format_rfc3339(unix_ns: i64) -> String {
    if unix_ns == ZERO_TIME {
        return ZERO_TEXT.to_owned();
    }
    let (seconds, nanos) = (unix_ns.div_euclid(SECOND), unix_ns.rem_euclid(SECOND));
    let (days, second) = (seconds.div_euclid(86_400), seconds.rem_euclid(86_400));
    let (year, month, day) = civil_from_days(days);
    let (hour, minute, second) = (second / 3_600, second / 60 % 60, second % 60);
    let mut text = format!("{year:04}-{month:02}-{day:02}T{hour:02}:{minute:02}:{second:02}");
    if nanos != 0 {
        let fraction = format!(".{nanos:09}");
        text.push_str(fraction.trim_end_matches('0'));
    }
    text.push('Z');
    text
}

/// Reads a time as Go's RFC 3339 does: `T` and `Z` in capitals, any offset, any fraction (beyond
/// nanoseconds it is cut). What lies outside an `i64` of nanoseconds becomes the nearest that does not.
pub fn parse_rfc3339(text: &str) -> Option<i64> {
    let bytes = text.as_bytes();
    let number = |from: usize, to: usize| -> Option<i64> {
        let digits = bytes.get(from..to)?;
        let digit = |sum: i64, byte: &u8| {
            byte.is_ascii_digit()
                .then(|| sum * 10 + i64::from(byte - b'0'))
        };
        digits.iter().try_fold(0, digit)
    };
    let literal = |at: usize, wanted: u8| bytes.get(at) == Some(&wanted);
    let separated = literal(4, b'-') && literal(7, b'-') && literal(10, b'T');
    if !(separated && literal(13, b':') && literal(16, b':')) {
        return None;
    }
    let (year, month, day) = (number(0, 4)?, number(5, 7)?, number(8, 10)?);
    let (hour, minute, second) = (number(11, 13)?, number(14, 16)?, number(17, 19)?);
    let in_range = (1..=12).contains(&month) && (1..=days_in_month(year, month)).contains(&day);
    if !in_range || hour > 23 || minute > 59 || second > 59 {
        return None;
    }
    let (nanos, rest) = fraction(text.get(19..)?)?;
    let seconds = days_from_civil(year, month, day) * 86_400 + hour * 3_600 + minute * 60 + second
        - offset(rest)?;
    if text.starts_with("0001-01-01T00:00:00") && nanos == 0 && rest == "Z" {
        return Some(ZERO_TIME);
    }
    let whole = i128::from(seconds) * i128::from(SECOND) + i128::from(nanos);
    let nearest = whole.clamp(i128::from(i64::MIN + 1), i128::from(i64::MAX));
    i64::try_from(nearest).ok()
}

/// Nanoseconds of a fraction such as `.25`, if there is one, and what follows.
fn fraction(text: &str) -> Option<(i64, &str)> {
    let Some(digits) = text.strip_prefix('.') else {
        return Some((0, text));
    };
    let end = digits.find(|c: char| !c.is_ascii_digit())?;
    let (digits, rest) = digits.split_at(end);
    if digits.is_empty() {
        return None;
    }
    let nanos = (0..9).fold(0, |sum, at| {
        let digit = digits.as_bytes().get(at).map_or(0, |byte| byte - b'0');
        sum * 10 + i64::from(digit)
    });
    Some((nanos, rest))
}

/// Seconds east of UTC: `Z`, `+02:00`.
fn offset(text: &str) -> Option<i64> {
    if text == "Z" {
        return Some(0);
    }
    let (sign, rest) = match text.split_at_checked(1)? {
        ("+", rest) => (1, rest),
        ("-", rest) => (-1, rest),
        _ => return None,
    };
    let (hours, minutes) = rest.split_once(':')?;
    let two_digits = |part: &str| -> Option<i64> {
        (part.len() == 2 && part.bytes().all(|b| b.is_ascii_digit())).then(|| part.parse().ok())?
    };
    let (hours, minutes) = (two_digits(hours)?, two_digits(minutes)?);
    (hours <= 23 && minutes <= 59).then_some(sign * (hours * 3_600 + minutes * 60))
}

/// Days since 1970-01-01 of a date of the Gregorian calendar, counted in eras of 400 years that begin
/// on the first of March, so that the leap day is the last of its year.
pub(crate) fn days_from_civil(year: i64, month: i64, day: i64) -> i64 {
    let year = if month <= 2 { year - 1 } else { year };
    let era = year.div_euclid(400);
    let year_of_era = year.rem_euclid(400);
    let month_from_march = (month + 9) % 12;
    let day_of_year = (153 * month_from_march + 2) / 5 + day - 1;
    let day_of_era = year_of_era * 365 + year_of_era / 4 - year_of_era / 100 + day_of_year;
    era * 146_097 + day_of_era - 719_468
}

/// The other way round: year, month, day.
pub(crate) fn civil_from_days(days: i64) -> (i64, i64, i64) {
    let days = days + 719_468;
    let era = days.div_euclid(146_097);
    let day_of_era = days.rem_euclid(146_097);
    let leaps = day_of_era / 1_460 - day_of_era / 36_524 + day_of_era / 146_096;
    let year_of_era = (day_of_era - leaps) / 365;
    let day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    let month_from_march = (5 * day_of_year + 2) / 153;
    let day = day_of_year - (153 * month_from_march + 2) / 5 + 1;
    let month = (month_from_march + 2) % 12 + 1;
    let year = year_of_era + era * 400 + i64::from(month <= 2);
    (year, month, day)
}

fn days_in_month(year: i64, month: i64) -> i64 {
    match month {
        4 | 6 | 9 | 11 => 30,
        2 if year % 4 == 0 && (year % 100 != 0 || year % 400 == 0) => 29,
        2 => 28,
        _ => 31,
    }
}

/// Writes a duration as Go prints it: `0s`, `1.5ms`, `2m0s`, `1h0m0.5s`.
pub fn format_duration(ns: i64) -> String {
    let sign = if ns < 0 { "-" } else { "" };
    let size = ns.unsigned_abs();
    let second = SECOND.unsigned_abs();
    let decimal = |unit: u64, digits: usize| {
        let fraction = format!("{:0digits$}", size % unit);
        let fraction = fraction.trim_end_matches('0');
        let dot = if fraction.is_empty() { "" } else { "." };
        (size / unit, format!("{dot}{fraction}"))
    };
    let text = match size {
        0 => "0s".to_owned(),
        1..1_000 => format!("{size}ns"),
        1_000..1_000_000 => {
            let (whole, fraction) = decimal(1_000, 3);
            format!("{whole}{fraction}µs")
        }
        1_000_000..1_000_000_000 => {
            let (whole, fraction) = decimal(1_000_000, 6);
            format!("{whole}{fraction}ms")
        }
        _ => {
            let (whole, fraction) = decimal(second, 9);
            match (whole / 3_600, whole / 60 % 60, whole % 60) {
                (0, 0, s) => format!("{s}{fraction}s"),
                (0, m, s) => format!("{m}m{s}{fraction}s"),
                (h, m, s) => format!("{h}h{m}m{s}{fraction}s"),
            }
        }
    };
    format!("{sign}{text}")
}

/// Reads a duration as Go does: `1h2m3s`, `-1.5s`, `100us`. A number without a unit is none, but for `0`.
pub fn parse_duration(text: &str) -> Option<i64> {
    let (negative, mut rest) = match text.split_at_checked(1)? {
        ("-", rest) => (true, rest),
        ("+", rest) => (false, rest),
        _ => (false, text),
    };
    if rest == "0" {
        return Some(0);
    }
    if rest.is_empty() {
        return None;
    }
    let mut sum: i128 = 0;
    while !rest.is_empty() {
        let (whole, after) = digits(rest);
        let (fraction, after) = match after.strip_prefix('.') {
            Some(tail) => digits(tail),
            None => ("", after),
        };
        if whole.is_empty() && fraction.is_empty() {
            return None;
        }
        let end = after.find(|c: char| c == '.' || c.is_ascii_digit());
        let (unit, tail) = after.split_at(end.unwrap_or(after.len()));
        let unit = unit_ns(unit)?;
        let whole: i64 = if whole.is_empty() {
            0
        } else {
            whole.parse().ok()?
        };
        sum += i128::from(whole) * i128::from(unit) + part_of(unit, fraction);
        if sum > i128::from(i64::MAX) + i128::from(negative) {
            return None;
        }
        rest = tail;
    }
    i64::try_from(if negative { -sum } else { sum }).ok()
}

fn digits(text: &str) -> (&str, &str) {
    let end = text.find(|c: char| !c.is_ascii_digit());
    text.split_at(end.unwrap_or(text.len()))
}

fn unit_ns(unit: &str) -> Option<i64> {
    Some(match unit {
        "ns" => 1,
        "us" | "µs" | "μs" => 1_000,
        "ms" => MILLISECOND,
        "s" => SECOND,
        "m" => MINUTE,
        "h" => HOUR,
        _ => return None,
    })
}

/// `fraction` are the digits after the point; what is less than a nanosecond is cut.
fn part_of(unit: i64, fraction: &str) -> i128 {
    let mut place = i128::from(unit);
    let mut sum = 0;
    let mut scale = 1;
    for digit in fraction.bytes().take(18) {
        scale *= 10;
        sum = sum * 10 + i128::from(digit - b'0');
    }
    place *= sum;
    place / scale
}

/// For serde: a time as text.
pub(crate) fn as_rfc3339<S: Serializer>(unix_ns: &i64, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.serialize_str(&format_rfc3339(*unix_ns))
}

/// For serde: a time that may be missing; put `skip_serializing_if` beside it.
pub(crate) fn as_optional_rfc3339<S: Serializer>(
    unix_ns: &Option<i64>,
    serializer: S,
) -> Result<S::Ok, S::Error> {
    match unix_ns {
        Some(unix_ns) => as_rfc3339(unix_ns, serializer),
        None => serializer.serialize_none(),
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn times_are_written_as_go_writes_them() {
        assert_eq!(format_rfc3339(0), "1970-01-01T00:00:00Z");
        assert_eq!(format_rfc3339(-1), "1969-12-31T23:59:59.999999999Z");
        let leap = 1_709_210_096 * SECOND + 120_000_000;
        assert_eq!(format_rfc3339(leap), "2024-02-29T12:34:56.12Z");
        assert_eq!(format_rfc3339(ZERO_TIME), "0001-01-01T00:00:00Z");
        assert_eq!(parse_rfc3339("0001-01-01T00:00:00Z"), Some(ZERO_TIME));
    }

    #[test]
    fn offsets_and_long_fractions_are_read() {
        let utc = parse_rfc3339("2024-02-29T12:34:56.1234567899Z");
        assert_eq!(utc, Some(1_709_210_096 * SECOND + 123_456_789));
        assert_eq!(parse_rfc3339("2024-02-29T14:34:56.123456789+02:00"), utc);
        assert_eq!(parse_rfc3339("2024-02-29T07:04:56.123456789-05:30"), utc);
    }

    #[test]
    fn what_is_no_time_is_refused() {
        for bad in [
            "",
            "2024-02-30T00:00:00Z",
            "2023-02-29T00:00:00Z",
            "2024-13-01T00:00:00Z",
            "2024-01-01T24:00:00Z",
            "2024-01-01 00:00:00Z",
            "2024-01-01T00:00:00",
            "2024-01-01T00:00:00.Z",
            "2024-01-01T00:00:00,5Z",
            "2024-01-01T00:00:00+2:00",
            "2024-01-01T00:00:00z",
            "2024-01-01T0é:00:00Z",
        ] {
            assert_eq!(parse_rfc3339(bad), None, "{bad:?}");
        }
    }

    #[test]
    fn times_too_far_away_become_the_nearest() {
        assert_eq!(parse_rfc3339("9999-12-31T23:59:59Z"), Some(i64::MAX));
        assert_eq!(parse_rfc3339("0100-01-01T00:00:00Z"), Some(i64::MIN + 1));
    }

    #[test]
    fn durations_are_written_and_read_as_go_does() {
        for (ns, text) in [
            (0, "0s"),
            (1, "1ns"),
            (1_500, "1.5µs"),
            (100 * MILLISECOND, "100ms"),
            (1_500 * MILLISECOND, "1.5s"),
            (2 * MINUTE, "2m0s"),
            (HOUR + SECOND / 2, "1h0m0.5s"),
            (-3 * SECOND, "-3s"),
            (i64::MAX, "2562047h47m16.854775807s"),
            (i64::MIN, "-2562047h47m16.854775808s"),
        ] {
            assert_eq!(format_duration(ns), text);
            assert_eq!(parse_duration(text), Some(ns), "{text}");
        }
        assert_eq!(
            parse_duration("1h2m3s"),
            Some(HOUR + 2 * MINUTE + 3 * SECOND)
        );
        assert_eq!(parse_duration(".5s"), Some(SECOND / 2));
        assert_eq!(parse_duration("+1us"), Some(1_000));
        for bad in ["", "-", "1", "s", "1x", ".s", "1.5", "2562048h", "1 s", "é"] {
            assert_eq!(parse_duration(bad), None, "{bad:?}");
        }
    }

    proptest! {
        #[test]
        fn every_time_reads_back_as_it_was_written(ns: i64) {
            prop_assert_eq!(parse_rfc3339(&format_rfc3339(ns)), Some(ns));
        }

        #[test]
        fn every_duration_reads_back_as_it_was_written(ns: i64) {
            prop_assert_eq!(parse_duration(&format_duration(ns)), Some(ns));
        }

        #[test]
        fn no_text_makes_the_readers_stumble(text in ".{0,40}") {
            let _ = (parse_rfc3339(&text), parse_duration(&text));
        }

        #[test]
        fn later_days_are_later_dates(day in -100_000i64..100_000) {
            prop_assert!(civil_from_days(day) < civil_from_days(day + 1));
            let (year, month, date) = civil_from_days(day);
            prop_assert_eq!(days_from_civil(year, month, date), day);
        }
    }
}
