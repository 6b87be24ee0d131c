//! The time of a log line, local or UTC.

use std::fmt::Write as _;

use jiff::Timestamp;
use jiff::tz::TimeZone;

/// Reads the time and writes it in the shapes that log lines need.
#[derive(Clone)]
pub(super) struct Clock {
    /// Looked up once: finding the system's zone reads files.
    zone: TimeZone,
}

impl Clock {
    pub(super) fn new(utc: bool) -> Self {
        Self {
            zone: if utc {
                TimeZone::UTC
            } else {
                TimeZone::system()
            },
        }
    }

    pub(super) fn now(&self) -> Moment<'_> {
        self.at(Timestamp::now())
    }

    fn at(&self, instant: Timestamp) -> Moment<'_> {
        Moment {
            instant,
            zone: &self.zone,
        }
    }
}

/// One point in time and the zone that it is shown in.
#[derive(Clone, Copy)]
pub(super) struct Moment<'a> {
    instant: Timestamp,
    zone: &'a TimeZone,
}

impl Moment<'_> {
    /// `10:11:12.131`
    pub(super) fn push_short(self, out: &mut String) {
        let t = self.zone.to_datetime(self.instant);
        let (h, m, s, ms) = (t.hour(), t.minute(), t.second(), t.millisecond());
        let _ = write!(out, "{h:02}:{m:02}:{s:02}.{ms:03}");
    }

    /// `2026-11-23 10:11:12.131`
    pub(super) fn push_long(self, out: &mut String) {
        let t = self.zone.to_datetime(self.instant);
        let _ = write!(out, "{:04}-{:02}-{:02} ", t.year(), t.month(), t.day());
        self.push_short(out);
    }

    /// `2026/11/23 10:11:12.131415`, as nats-server writes it.
    pub(super) fn push_nats(self, out: &mut String) {
        let t = self.zone.to_datetime(self.instant);
        let micros = t.subsec_nanosecond() / 1_000;
        let (h, m, s) = (t.hour(), t.minute(), t.second());
        let _ = write!(
            out,
            "{:04}/{:02}/{:02} {h:02}:{m:02}:{s:02}.{micros:06}",
            t.year(),
            t.month(),
            t.day()
        );
    }

    /// `2026-11-23T10:11:12.131415Z`: always UTC, for machines.
    pub(super) fn push_rfc3339(self, out: &mut String) {
        let _ = write!(out, "{:.6}", self.instant);
    }

    /// `2026.11.23.10.11.12.131415161`, the end of a rotated file's name.
    pub(super) fn push_file_suffix(self, out: &mut String) {
        let t = self.zone.to_datetime(self.instant);
        let (h, m, s, ns) = (t.hour(), t.minute(), t.second(), t.subsec_nanosecond());
        let _ = write!(
            out,
            "{:04}.{:02}.{:02}.{h:02}.{m:02}.{s:02}.{ns:09}",
            t.year(),
            t.month(),
            t.day()
        );
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn written(push: impl Fn(Moment<'_>, &mut String), zone: TimeZone) -> String {
        let clock = Clock { zone };
        let mut out = String::new();
        push(
            clock.at("2026-03-09T04:05:06.000789012Z".parse().unwrap()),
            &mut out,
        );
        out
    }

    #[test]
    fn every_shape_is_padded() {
        let utc = || TimeZone::UTC;
        assert_eq!(written(|m, out| m.push_short(out), utc()), "04:05:06.000");
        assert_eq!(
            written(|m, out| m.push_long(out), utc()),
            "2026-03-09 04:05:06.000"
        );
        assert_eq!(
            written(|m, out| m.push_nats(out), utc()),
            "2026/03/09 04:05:06.000789"
        );
        assert_eq!(
            written(|m, out| m.push_rfc3339(out), utc()),
            "2026-03-09T04:05:06.000789Z"
        );
        assert_eq!(
            written(|m, out| m.push_file_suffix(out), utc()),
            "2026.03.09.04.05.06.000789012"
        );
    }

    #[test]
    fn machines_get_utc_whatever_the_zone() {
        let zone = || TimeZone::fixed(jiff::tz::offset(-5));
        assert_eq!(
            written(|m, out| m.push_nats(out), zone()),
            "2026/03/08 23:05:06.000789"
        );
        assert_eq!(
            written(|m, out| m.push_rfc3339(out), zone()),
            "2026-03-09T04:05:06.000789Z"
        );
    }
}
