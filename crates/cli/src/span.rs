//! Lengths of time as people write and read them: `500ms`, `2s`, `1.5m`.

use std::time::Duration;

use crate::text::usage as text;

/// Reads `250us`, `500ms`, `2s`, `1.5m`, `1h`, `7d`; a bare number means seconds.
pub(crate) fn parse(written: &str) -> Result<Duration, String> {
    let written = written.trim();
    let digits = written
        .find(|c: char| !c.is_ascii_digit() && c != '.')
        .unwrap_or(written.len());
    let (number, unit) = written.split_at(digits);
    let seconds = match unit.trim() {
        "us" | "µs" => 1e-6,
        "ms" => 1e-3,
        "" | "s" => 1.0,
        "m" | "min" => 60.0,
        "h" => 3600.0,
        "d" => 86_400.0,
        _ => return Err(text::bad_span(written)),
    };
    let number: f64 = number.parse().map_err(|_| text::bad_span(written))?;
    Duration::try_from_secs_f64(number * seconds).map_err(|_| text::bad_span(written))
}

/// A limit, or a time that need not be exact: `500 ms`, `1.5 s`, `1 min 30 s`.
pub(crate) fn show(span: Duration) -> String {
    let seconds = span.as_secs();
    if span < Duration::from_millis(1) {
        format!("{} µs", span.as_micros())
    } else if seconds == 0 {
        format!("{} ms", span.as_millis())
    } else if seconds < 60 {
        format!("{} s", trim(span.as_secs_f64()))
    } else if seconds < 3600 {
        format!("{} min {} s", seconds / 60, seconds % 60)
    } else if seconds < 2 * 86_400 {
        format!("{} h {} min", seconds / 3600, seconds / 60 % 60)
    } else {
        format!("{} d {} h", seconds / 86_400, seconds / 3600 % 24)
    }
}

/// A measured time in milliseconds with microseconds behind the point: `0.412 ms`.
pub(crate) fn millis(span: Duration) -> String {
    format!("{:.3} ms", span.as_secs_f64() * 1e3)
}

/// The same as a number, for `--json`.
pub(crate) fn millis_number(span: Duration) -> f64 {
    (span.as_secs_f64() * 1e6).round() / 1e3
}

fn trim(number: f64) -> String {
    let fixed = format!("{number:.3}");
    fixed.trim_end_matches('0').trim_end_matches('.').to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn spans_are_read_in_every_unit() {
        assert_eq!(parse("250us"), Ok(Duration::from_micros(250)));
        assert_eq!(parse("500ms"), Ok(Duration::from_millis(500)));
        assert_eq!(parse("2"), Ok(Duration::from_secs(2)));
        assert_eq!(parse("1.5s"), Ok(Duration::from_millis(1500)));
        assert_eq!(parse("2m"), Ok(Duration::from_secs(120)));
        assert_eq!(parse("1h"), Ok(Duration::from_secs(3600)));
        assert_eq!(parse("7d"), Ok(Duration::from_secs(7 * 86_400)));
    }

    #[test]
    fn nonsense_is_refused() {
        for written in [
            "",
            "s",
            "-1s",
            "2 weeks",
            "1e9s",
            "nan",
            "99999999999999999999h",
        ] {
            assert!(parse(written).is_err(), "{written}");
        }
    }

    #[test]
    fn limits_are_shown_without_needless_zeros() {
        assert_eq!(show(Duration::from_millis(500)), "500 ms");
        assert_eq!(show(Duration::from_millis(1500)), "1.5 s");
        assert_eq!(show(Duration::from_secs(2)), "2 s");
        assert_eq!(show(Duration::from_secs(90)), "1 min 30 s");
        assert_eq!(show(Duration::from_secs(3660)), "1 h 1 min");
        assert_eq!(show(Duration::from_secs(7 * 86_400)), "7 d 0 h");
        assert_eq!(millis(Duration::from_micros(412)), "0.412 ms");
    }
}
