//! Metrics as text: OpenMetrics 1.0, or the older format of Prometheus for who does not take it. They differ in
//! little: the family of a counter is called without `_total` in the one and with it in the other, and only
//! the one has units and an end.

use std::fmt::Write;

use crate::engine::{BOUNDS_US, Distribution};

/// Which text.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Format {
    /// OpenMetrics 1.0.
    OpenMetrics,
    /// Prometheus 0.0.4.
    Prometheus,
}

impl Format {
    /// The one that a request's `Accept` asks for; OpenMetrics where it leaves it open.
    pub(crate) fn of_accept(accept: Option<&str>) -> Self {
        match accept {
            Some(accept)
                if accept.contains("text/plain")
                    && !accept.contains("openmetrics")
                    && !accept.trim_start().starts_with("*/*") =>
            {
                Self::Prometheus
            }
            _ => Self::OpenMetrics,
        }
    }

    /// Its name in HTTP.
    pub(crate) fn content_type(self) -> &'static str {
        match self {
            Self::OpenMetrics => "application/openmetrics-text; version=1.0.0; charset=utf-8",
            Self::Prometheus => "text/plain; version=0.0.4; charset=utf-8",
        }
    }
}

/// What a family of metrics is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    Gauge,
    Counter,
    Info,
    Histogram,
}

/// The text while it is written.
pub(super) struct Exposition {
    format: Format,
    text: String,
    /// The family that is being written.
    family: &'static str,
    kind: Kind,
}

/// Names and values that tell the samples of a family apart.
pub(super) type Labels<'a> = &'a [(&'static str, &'a str)];

impl Exposition {
    pub(super) fn new(format: Format) -> Self {
        Self {
            format,
            text: String::new(),
            family: "",
            kind: Kind::Gauge,
        }
    }

    /// Begins a family. A name that ends in `_seconds` or `_bytes` has that unit.
    pub(super) fn family(&mut self, name: &'static str, kind: Kind, help: &str) -> &mut Self {
        (self.family, self.kind) = (name, kind);
        let (suffix, word) = match (kind, self.format) {
            (Kind::Gauge, _) => ("", "gauge"),
            (Kind::Histogram, _) => ("", "histogram"),
            (Kind::Counter, Format::OpenMetrics) => ("", "counter"),
            (Kind::Counter, Format::Prometheus) => ("_total", "counter"),
            (Kind::Info, Format::OpenMetrics) => ("", "info"),
            (Kind::Info, Format::Prometheus) => ("_info", "gauge"),
        };
        // Writing to a string can't fail.
        let _ = writeln!(self.text, "# TYPE {name}{suffix} {word}");
        let unit = ["seconds", "bytes"]
            .into_iter()
            .find(|unit| name.ends_with(&format!("_{unit}")));
        if let (Some(unit), Format::OpenMetrics) = (unit, self.format) {
            let _ = writeln!(self.text, "# UNIT {name} {unit}");
        }
        let _ = writeln!(self.text, "# HELP {name}{suffix} {}", escaped(help));
        self
    }

    /// A sample of the family.
    pub(super) fn sample(&mut self, labels: Labels<'_>, value: impl Into<Value>) -> &mut Self {
        let suffix = match self.kind {
            Kind::Counter => "_total",
            Kind::Info => "_info",
            Kind::Gauge | Kind::Histogram => "",
        };
        self.line(suffix, labels, None, value.into())
    }

    /// A family of one sample.
    pub(super) fn one(
        &mut self,
        name: &'static str,
        kind: Kind,
        help: &str,
        value: impl Into<Value>,
    ) {
        self.family(name, kind, help).sample(&[], value);
    }

    /// A family that is a histogram of durations.
    pub(super) fn histogram(&mut self, name: &'static str, help: &str, read: &Distribution) {
        self.family(name, Kind::Histogram, help);
        let mut sum = 0_u64;
        for (at, count) in read.buckets.iter().enumerate() {
            sum = sum.saturating_add(*count);
            let upper = match BOUNDS_US.get(at) {
                Some(micros) => bound(*micros),
                None => "+Inf".to_owned(),
            };
            self.line("_bucket", &[], Some(&upper), sum.into());
        }
        self.line("_sum", &[], None, (read.sum_ns as f64 / 1e9).into());
        self.line("_count", &[], None, sum.into());
    }

    fn line(
        &mut self,
        suffix: &str,
        labels: Labels<'_>,
        bound: Option<&str>,
        value: Value,
    ) -> &mut Self {
        self.text.push_str(self.family);
        self.text.push_str(suffix);
        let bound = bound.map(|bound| ("le", bound));
        let mut opened = false;
        for (name, value) in labels.iter().copied().chain(bound) {
            let mark = if opened { ',' } else { '{' };
            opened = true;
            let _ = write!(self.text, "{mark}{name}=\"{}\"", escaped(value));
        }
        let end = if opened { "} " } else { " " };
        let _ = match value {
            Value::Count(count) => writeln!(self.text, "{end}{count}"),
            Value::Number(number) => writeln!(self.text, "{end}{number:?}"),
        };
        self
    }

    /// The whole text.
    pub(super) fn finish(mut self) -> String {
        if self.format == Format::OpenMetrics {
            self.text.push_str("# EOF\n");
        }
        self.text
    }
}

/// A sample's value.
#[derive(Clone, Copy, Debug)]
pub(super) enum Value {
    Count(u64),
    Number(f64),
}

impl From<u64> for Value {
    fn from(count: u64) -> Self {
        Self::Count(count)
    }
}

impl From<usize> for Value {
    fn from(count: usize) -> Self {
        Self::Count(count as u64)
    }
}

impl From<bool> for Value {
    fn from(is: bool) -> Self {
        Self::Count(u64::from(is))
    }
}

impl From<f64> for Value {
    fn from(number: f64) -> Self {
        Self::Number(number)
    }
}

/// Microseconds as seconds, always with a point and never with an exponent.
fn bound(micros: u64) -> String {
    let (whole, rest) = (micros / 1_000_000, micros % 1_000_000);
    let fraction = format!("{rest:06}");
    let fraction = match fraction.trim_end_matches('0') {
        "" => "0",
        some => some,
    };
    format!("{whole}.{fraction}")
}

/// A text as it may stand in a label or behind HELP.
fn escaped(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for letter in text.chars() {
        match letter {
            '\\' => out.push_str("\\\\"),
            '"' => out.push_str("\\\""),
            '\n' => out.push_str("\\n"),
            other => out.push(other),
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    fn written(format: Format) -> String {
        let mut out = Exposition::new(format);
        out.one("a_bytes", Kind::Gauge, "how much", 7_u64);
        out.family("b", Kind::Counter, "how often")
            .sample(&[("x", "1\"\\\n"), ("y", "z")], 2_u64);
        out.family("c", Kind::Info, "what")
            .sample(&[("v", "1")], 1_u64);
        out.finish()
    }

    #[test]
    fn counters_units_and_the_end_are_written_as_each_format_has_them() {
        assert_eq!(
            written(Format::OpenMetrics),
            "# TYPE a_bytes gauge\n# UNIT a_bytes bytes\n# HELP a_bytes how much\na_bytes 7\n\
             # TYPE b counter\n# HELP b how often\nb_total{x=\"1\\\"\\\\\\n\",y=\"z\"} 2\n\
             # TYPE c info\n# HELP c what\nc_info{v=\"1\"} 1\n# EOF\n"
        );
        assert_eq!(
            written(Format::Prometheus),
            "# TYPE a_bytes gauge\n# HELP a_bytes how much\na_bytes 7\n\
             # TYPE b_total counter\n# HELP b_total how often\nb_total{x=\"1\\\"\\\\\\n\",y=\"z\"} 2\n\
             # TYPE c_info gauge\n# HELP c_info what\nc_info{v=\"1\"} 1\n"
        );
    }

    #[test]
    fn buckets_are_added_up_to_the_last_which_holds_all() {
        let mut read = Distribution::default();
        (read.buckets[0], read.buckets[1], read.sum_ns) = (3, 4, 1_500_000_000);
        *read.buckets.last_mut().unwrap() = 5;
        let mut out = Exposition::new(Format::OpenMetrics);
        out.histogram("t_seconds", "how long", &read);
        let text = out.finish();
        for line in [
            "t_seconds_bucket{le=\"0.00001\"} 3",
            "t_seconds_bucket{le=\"0.000025\"} 7",
            "t_seconds_bucket{le=\"10.0\"} 7",
            "t_seconds_bucket{le=\"+Inf\"} 12",
            "t_seconds_sum 1.5",
            "t_seconds_count 12",
        ] {
            assert!(text.lines().any(|one| one == line), "{line}\n{text}");
        }
    }

    #[test]
    fn the_older_format_is_for_who_takes_nothing_else() {
        for (accept, format) in [
            (None, Format::OpenMetrics),
            (Some("*/*"), Format::OpenMetrics),
            (
                Some("application/openmetrics-text;version=1.0.0,text/plain;version=0.0.4"),
                Format::OpenMetrics,
            ),
            (Some("text/plain;version=0.0.4"), Format::Prometheus),
            (Some("text/plain, */*;q=0.1"), Format::Prometheus),
        ] {
            assert_eq!(Format::of_accept(accept), format, "{accept:?}");
        }
    }
}
