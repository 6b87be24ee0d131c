//! Times of the day at which a user may be connected.

use super::permissions::TimeRange;
use super::token::InvalidToken;

/// How many seconds a time zone is ahead of UTC at a time (seconds since 1970). Without a name it is the server's own
/// zone; `None` if there is no such zone. Zones need a table, which this crate has not: the caller brings it.
pub type UtcOffset = fn(zone: Option<&str>, at_s: u64) -> Option<i32>;

const DAY_S: i64 = 24 * 60 * 60;

/// How long (in seconds) the user may stay, at least one second; `None` if it may not connect now. Of ranges that overlap, the
/// longest counts.
pub(super) fn left_s(ranges: &[TimeRange], local_s: i64) -> Option<i64> {
    let now = local_s.rem_euclid(DAY_S);
    let within = ranges.iter().filter_map(|range| {
        let (start, end) = (seconds(&range.start)?, seconds(&range.end)?);
        if start < now && now < end {
            return Some(end - now);
        }
        // Over midnight: before it, or behind it.
        if start > end {
            if now < end {
                return Some(end - now);
            }
            if start < now {
                return Some(end + DAY_S - now);
            }
        }
        None
    });
    within.max()
}

/// Whether every range can be understood.
pub(super) fn check(ranges: &[TimeRange]) -> Result<(), InvalidToken> {
    let valid = |range: &TimeRange| seconds(&range.start).and(seconds(&range.end)).is_some();
    match ranges.iter().all(valid) {
        true => Ok(()),
        false => Err(InvalidToken::Invalid(
            "its times are not written as hours:minutes:seconds".to_owned(),
        )),
    }
}

/// `15:04:05` as seconds since midnight.
fn seconds(text: &str) -> Option<i64> {
    let mut parts = text.split(':').map(|part| {
        let digits =
            (1..=2).contains(&part.len()) && part.bytes().all(|byte| byte.is_ascii_digit());
        part.parse::<i64>().ok().filter(|_| digits)
    });
    let (hours, minutes, seconds) = (parts.next()??, parts.next()??, parts.next()??);
    let valid = parts.next().is_none() && hours < 24 && minutes < 60 && seconds < 60;
    valid.then_some(hours * 3600 + minutes * 60 + seconds)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn left(start: &str, end: &str, now: &str) -> Option<i64> {
        let range = TimeRange {
            start: start.into(),
            end: end.into(),
        };
        left_s(&[range], 20_000 * DAY_S + seconds(now).unwrap())
    }

    #[test]
    fn a_range_holds_between_its_ends() {
        assert_eq!(left("11:00:00", "22:00:00", "13:00:00"), Some(9 * 3600));
        assert_eq!(left("11:00:00", "22:00:00", "11:00:00"), None);
        assert_eq!(left("11:00:00", "22:00:00", "22:00:00"), None);
    }

    #[test]
    fn a_range_may_go_over_midnight() {
        assert_eq!(left("22:00:00", "06:00:00", "05:00:00"), Some(3600));
        assert_eq!(
            left("22:00:00", "06:00:00", "23:30:00"),
            Some(6 * 3600 + 1800)
        );
        assert_eq!(left("22:00:00", "06:00:00", "12:00:00"), None);
    }

    #[test]
    fn times_are_read_strictly() {
        for bad in [
            "", "1", "24:00:00", "1:2", "1:60:0", "1:2:3:4", "+1:2:3", "a:b:c",
        ] {
            assert_eq!(seconds(bad), None, "{bad}");
        }
        assert_eq!(seconds("1:2:3"), Some(3723));
    }
}
