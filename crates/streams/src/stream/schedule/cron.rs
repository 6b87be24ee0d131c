//! Cron patterns of six fields, seconds first (ADR-51): which moments they mean. Pure.

use super::zone::{Civil, Zone, weekday};
use crate::time::SECOND;

/// Years that are searched for a moment.
const YEARS_MAX: i64 = 5;
const MONTHS: [&str; 12] = [
    "jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec",
];
const WEEKDAYS: [&str; 7] = ["sun", "mon", "tue", "wed", "thu", "fri", "sat"];

/// A pattern that was read: a bit for each value that fits.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Cron {
    seconds: u64,
    minutes: u64,
    hours: u64,
    days: Days,
    months: u64,
}

/// Days fit by both fields where one of them is any day, else by either.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Days {
    of_month: u64,
    of_week: u64,
    both: bool,
}

/// What may stand in a field.
struct Bounds {
    min: u32,
    max: u32,
    names: &'static [&'static str],
}

impl Bounds {
    const fn new(min: u32, max: u32, names: &'static [&'static str]) -> Self {
        Self { min, max, names }
    }
}

impl Cron {
    /// Reads a pattern, or one of the predefined ones (`@hourly` and so on).
    pub(super) fn parse(text: &str) -> Option<Self> {
        let text = match text {
            "@yearly" | "@annually" => "0 0 0 1 1 *",
            "@monthly" => "0 0 0 1 * *",
            "@weekly" => "0 0 0 * * 0",
            "@daily" | "@midnight" => "0 0 0 * * *",
            "@hourly" => "0 0 * * * *",
            text => text,
        };
        let fields: Vec<&str> = text.split_whitespace().collect();
        let [second, minute, hour, day, month, weekday] = fields.as_slice() else {
            return None;
        };
        let (of_month, any_day) = field(day, &Bounds::new(1, 31, &[]))?;
        let (of_week, any_weekday) = field(weekday, &Bounds::new(0, 6, &WEEKDAYS))?;
        Some(Self {
            seconds: field(second, &Bounds::new(0, 59, &[]))?.0,
            minutes: field(minute, &Bounds::new(0, 59, &[]))?.0,
            hours: field(hour, &Bounds::new(0, 23, &[]))?.0,
            days: Days {
                of_month,
                of_week,
                both: any_day || any_weekday,
            },
            months: field(month, &Bounds::new(1, 12, &MONTHS))?.0,
        })
    }

    /// The first moment behind this one that fits, on a whole second; none within five years.
    pub(super) fn next_after(&self, time_ns: i64, zone: &Zone) -> Option<i64> {
        let mut at = time_ns.div_euclid(SECOND) + 1;
        let last_year = zone.local(at).year + YEARS_MAX;
        loop {
            let local = zone.local(at);
            if local.year > last_year {
                return None;
            }
            let next = if !has(self.months, local.month) {
                zone.moment(local.first_of_next_month())
            } else if !self.day_fits(&local) {
                zone.moment(local.next_midnight())
            } else if !has(self.hours, local.hour) {
                at + 3_600 - local.minute * 60 - local.second
            } else if !has(self.minutes, local.minute) {
                at + 60 - local.second
            } else if !has(self.seconds, local.second) {
                at + 1
            } else {
                return at.checked_mul(SECOND);
            };
            // Where clocks are set, a local time may lie before: never turn back.
            at = next.max(at + 1);
        }
    }

    fn day_fits(&self, local: &Civil) -> bool {
        let of_month = has(self.days.of_month, local.day);
        let of_week = has(self.days.of_week, weekday(local));
        match self.days.both {
            true => of_month && of_week,
            false => of_month || of_week,
        }
    }
}

fn has(bits: u64, value: i64) -> bool {
    u32::try_from(value).is_ok_and(|value| bits.checked_shr(value).unwrap_or(0) & 1 == 1)
}

/// The values of a field's parts, and whether one of the parts is any value.
fn field(text: &str, bounds: &Bounds) -> Option<(u64, bool)> {
    let mut parts = text.split(',').filter(|part| !part.is_empty());
    let (bits, any) = parts.try_fold((0, false), |(bits, any), part| {
        let (more, is_any) = range(part, bounds)?;
        Some((bits | more, any || is_any))
    })?;
    // Commas alone: no moment would fit, and the search for one would not end soon.
    (bits != 0).then_some((bits, any))
}

/// `*`, `n`, `n-m`, each with `/step` behind it or not.
fn range(text: &str, bounds: &Bounds) -> Option<(u64, bool)> {
    let (span, step) = match text.split_once('/') {
        Some((span, step)) => (span, Some(number(step)?)),
        None => (text, None),
    };
    let (low, high) = match span.split_once('-') {
        Some((low, high)) => (low, Some(high)),
        None => (span, None),
    };
    let is_any = matches!(low, "*" | "?");
    let (start, end) = if is_any {
        (bounds.min, bounds.max)
    } else {
        let start = value(low, bounds)?;
        let end = match (high, step) {
            (Some(high), _) => value(high, bounds)?,
            // `n/step` goes on to the end.
            (None, Some(_)) => bounds.max,
            (None, None) => start,
        };
        (start, end)
    };
    let step = step.unwrap_or(1);
    if start < bounds.min || end > bounds.max || start > end || step == 0 {
        return None;
    }
    let values = (start..=end).step_by(step as usize);
    Some((
        values.fold(0, |bits, one| bits | 1 << one),
        is_any && step == 1,
    ))
}

fn value(text: &str, bounds: &Bounds) -> Option<u32> {
    let lower = text.to_lowercase();
    match bounds.names.iter().position(|name| *name == lower) {
        Some(place) => Some(place as u32 + bounds.min),
        None => number(text),
    }
}

fn number(text: &str) -> Option<u32> {
    text.parse().ok()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::time::{format_rfc3339, parse_rfc3339};

    fn next(pattern: &str, from: &str, zone: &str) -> String {
        let zone = Zone::find(zone).expect("a zone");
        let from = parse_rfc3339(from).expect("a time");
        let next = Cron::parse(pattern)
            .expect("a pattern")
            .next_after(from, &zone);
        next.map_or("never".to_owned(), format_rfc3339)
    }

    #[test]
    fn the_next_moment_is_the_first_that_fits() {
        for (pattern, from, expected) in [
            (
                "* * * * * *",
                "2026-01-01T00:00:00.5Z",
                "2026-01-01T00:00:01Z",
            ),
            (
                "0 */5 * * * *",
                "2026-01-01T00:00:00Z",
                "2026-01-01T00:05:00Z",
            ),
            (
                "30 10 2 * * *",
                "2026-01-01T02:10:30Z",
                "2026-01-02T02:10:30Z",
            ),
            ("@hourly", "2026-12-31T23:30:00Z", "2027-01-01T00:00:00Z"),
            ("@weekly", "2026-11-26T12:00:00Z", "2026-11-29T00:00:00Z"),
            ("@monthly", "2026-11-26T12:00:00Z", "2026-12-01T00:00:00Z"),
            ("@yearly", "2026-11-26T12:00:00Z", "2027-01-01T00:00:00Z"),
            (
                "0 0 0 29 feb *",
                "2026-01-01T00:00:00Z",
                "2028-02-29T00:00:00Z",
            ),
            (
                "0 0 12 * * MON-FRI",
                "2026-11-27T12:00:00Z",
                "2026-11-30T12:00:00Z",
            ),
            // Either of two restricted days is enough.
            (
                "0 0 0 13 * fri",
                "2026-11-26T00:00:00Z",
                "2026-11-27T00:00:00Z",
            ),
            ("0 0 0 30 2 *", "2026-01-01T00:00:00Z", "never"),
            (
                "5/20,0 0 0 * * *",
                "2026-01-01T00:00:05Z",
                "2026-01-01T00:00:25Z",
            ),
        ] {
            assert_eq!(next(pattern, from, "UTC"), expected, "{pattern}");
        }
    }

    #[test]
    fn what_is_no_pattern_is_refused() {
        for wrong in [
            "",
            "* * * * *",
            "* * * * * * *",
            "60 * * * * *",
            "* * 24 * * *",
            "* * * 0 * *",
            "* * * * 13 *",
            "* * * * * 7",
            "5-1 * * * * *",
            "*/0 * * * * *",
            "a * * * * *",
            "1-2-3 * * * * *",
            "1/2/3 * * * * *",
            "@never",
            ", * * * * *",
        ] {
            assert_eq!(Cron::parse(wrong), None, "{wrong:?}");
        }
    }

    proptest! {
        #[test]
        fn it_never_turns_back_nor_stumbles(
            pattern in "[0-9*/, -]{1,20}", from in 0i64..4_000_000_000_000_000_000,
        ) {
            if let Some(cron) = Cron::parse(&pattern)
                && let Some(next) = cron.next_after(from, &Zone::utc())
            {
                prop_assert!(next > from);
            }
        }
    }
}
