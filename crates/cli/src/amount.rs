//! Numbers of things as people write and read them: `10k`, `1M`, `1,000,000`; sizes like `4KiB`.

use crate::lang::{Lang, current};
use crate::text::usage as text;

/// Reads `1000`, `1_000`, `10k`, `2.5M`: at least one.
pub(crate) fn parse(written: &str) -> Result<u64, String> {
    let factors = [("k", 1e3), ("K", 1e3), ("M", 1e6), ("G", 1e9), ("", 1.0)];
    match scaled(written, &factors) {
        Some(number @ 1..) => Ok(number),
        _ => Err(text::bad_amount(written)),
    }
}

/// Reads a number of bytes: `128`, `4k`, `4KB`, `4KiB`, `1MiB`; 0 is one too.
pub(crate) fn parse_size(written: &str) -> Result<usize, String> {
    let factors = [
        ("GiB", 1024.0 * 1024.0 * 1024.0),
        ("KiB", 1024.0),
        ("MiB", 1024.0 * 1024.0),
        ("KB", 1e3),
        ("kB", 1e3),
        ("MB", 1e6),
        ("GB", 1e9),
        ("k", 1e3),
        ("K", 1e3),
        ("M", 1e6),
        ("G", 1e9),
        ("B", 1.0),
        ("", 1.0),
    ];
    scaled(written, &factors)
        .and_then(|size| usize::try_from(size).ok())
        .ok_or_else(|| text::bad_size(written))
}

fn scaled(written: &str, factors: &[(&str, f64)]) -> Option<u64> {
    let written = written.trim();
    let (digits, factor) = factors
        .iter()
        .find_map(|(unit, factor)| Some((written.strip_suffix(unit)?, factor)))?;
    let digits = digits.trim_end().replace('_', "");
    let plain = |c: char| c.is_ascii_digit() || c == '.';
    if !digits.starts_with(|c: char| c.is_ascii_digit()) || !digits.chars().all(plain) {
        return None;
    }
    let number = digits.parse::<f64>().ok()? * factor;
    // Beyond that a float no longer holds every whole number; and nobody means it.
    (number.fract() == 0.0 && number <= 1e15).then_some(number as u64)
}

/// A whole number with its thousands set apart, as the language of this run does it.
pub(crate) fn show(number: u64) -> String {
    let apart = match current() {
        Lang::En => ',',
        Lang::Es => ' ',
    };
    let digits = number.to_string();
    let mut shown = String::with_capacity(digits.len() + digits.len() / 3);
    for (place, digit) in digits.chars().enumerate() {
        if place > 0 && (digits.len() - place).is_multiple_of(3) {
            shown.push(apart);
        }
        shown.push(digit);
    }
    shown
}

/// A number of bytes with three digits and a unit: `17 B`, `1.21 MiB`.
pub(crate) fn show_size(bytes: u64) -> String {
    const UNITS: [&str; 5] = ["KiB", "MiB", "GiB", "TiB", "PiB"];
    if bytes < 1024 {
        return format!("{bytes} B");
    }
    let mut value = bytes as f64 / 1024.0;
    let mut unit = 0;
    while value >= 999.5 && unit + 1 < UNITS.len() {
        value /= 1024.0;
        unit += 1;
    }
    let digits = match value {
        value if value >= 99.95 => 0,
        value if value >= 9.995 => 1,
        _ => 2,
    };
    format!("{value:.digits$} {}", UNITS.get(unit).unwrap_or(&""))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn amounts_are_read_with_and_without_a_unit() {
        for (written, number) in [
            ("1", 1),
            ("1_000", 1000),
            ("10k", 10_000),
            ("2.5M", 2_500_000),
            ("1G", 1_000_000_000),
        ] {
            assert_eq!(parse(written), Ok(number), "{written}");
        }
        for (written, size) in [
            ("0", 0),
            ("128", 128),
            ("128B", 128),
            ("4k", 4000),
            ("4KB", 4000),
            ("4KiB", 4096),
            ("1 MiB", 1 << 20),
        ] {
            assert_eq!(parse_size(written), Ok(size), "{written}");
        }
    }

    #[test]
    fn nonsense_is_refused() {
        for written in [
            "",
            "0",
            "-1",
            "1.5",
            "k",
            "1kk",
            "1e3",
            "inf",
            "NaN",
            "99999999G",
            "+1",
        ] {
            assert!(parse(written).is_err(), "{written}");
        }
        for written in ["", "-1", "0.5", "KiB", "1e3", "9999999999999M"] {
            assert!(parse_size(written).is_err(), "{written}");
        }
    }

    #[test]
    fn sizes_are_shown_with_three_digits() {
        for (bytes, shown) in [
            (0, "0 B"),
            (1023, "1023 B"),
            (1536, "1.50 KiB"),
            (1_048_575, "1.00 MiB"),
            (150 << 30, "150 GiB"),
        ] {
            assert_eq!(show_size(bytes), shown);
        }
    }

    #[test]
    fn thousands_stand_apart() {
        for (number, shown) in [
            (0, "0"),
            (999, "999"),
            (1000, "1,000"),
            (1234567, "1,234,567"),
        ] {
            assert_eq!(show(number), shown);
        }
    }
}
