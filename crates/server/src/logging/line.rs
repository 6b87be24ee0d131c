//! How one line looks, in each format. Pure: no clock, no output.

use std::fmt::Write as _;

use tracing::Level;

use crate::config::LogFormat;

use super::FATAL;
use super::clock::Moment;
use super::escape;
use crate::visible::visible;

/// What a line is made of.
pub(super) struct Line<'a> {
    pub(super) level: Level,
    pub(super) target: &'a str,
    pub(super) message: &'a str,
    pub(super) fields: &'a [(&'static str, Value)],
}

/// A field's value. Numbers and booleans stay what they are in JSON.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Value {
    Text(String),
    Signed(i64),
    Unsigned(u64),
    Float(f64),
    Bool(bool),
}

/// The format of all lines of one log.
#[derive(Clone, Copy, Debug)]
pub(super) struct Style {
    /// `Text`, `Json` or `Nats`; `Auto` has been decided before.
    pub(super) format: LogFormat,
    pub(super) colour: bool,
    /// Without the date: whoever looks at a terminal knows which day it is.
    pub(super) short_time: bool,
    pub(super) with_time: bool,
    /// With what a log daemon wants to know first (`<30>`).
    pub(super) with_priority: bool,
}

impl Style {
    /// The whole line, with its newline.
    pub(super) fn render(self, now: Moment<'_>, line: &Line<'_>) -> String {
        let mut out = String::with_capacity(128 + line.message.len());
        if self.with_priority {
            let _ = write!(out, "<{}>", priority(line));
        }
        match self.format {
            LogFormat::Json => self.json(&mut out, now, line),
            LogFormat::Nats => self.nats(&mut out, now, line),
            LogFormat::Text | LogFormat::Auto => self.text(&mut out, now, line),
        }
        out.push('\n');
        out
    }

    fn text(self, out: &mut String, now: Moment<'_>, line: &Line<'_>) {
        let (dim, plain) = if self.colour { (DIM, PLAIN) } else { ("", "") };
        if self.with_time {
            out.push_str(dim);
            if self.short_time {
                now.push_short(out);
            } else {
                now.push_long(out);
            }
            out.push_str(plain);
            out.push(' ');
        }
        let (word, colour) = word_and_colour(line);
        if self.colour {
            let _ = write!(out, "{colour}{word:<5}{plain} ");
        } else {
            let _ = write!(out, "{word:<5} ");
        }
        out.push_str(&visible(line.message));
        if !line.fields.is_empty() {
            out.push_str("  ");
            out.push_str(dim);
            push_fields(out, line.fields);
            out.push_str(plain);
        }
    }

    fn nats(self, out: &mut String, now: Moment<'_>, line: &Line<'_>) {
        if !self.with_priority {
            let _ = write!(out, "[{}] ", std::process::id());
        }
        if self.with_time {
            now.push_nats(out);
            out.push(' ');
        }
        let label = match line.level {
            Level::ERROR if line.target == FATAL => "FTL",
            Level::ERROR => "ERR",
            Level::WARN => "WRN",
            Level::INFO => "INF",
            Level::DEBUG => "DBG",
            Level::TRACE => "TRC",
        };
        let _ = write!(out, "[{label}] ");
        out.push_str(&visible(line.message));
        if !line.fields.is_empty() {
            out.push(' ');
            push_fields(out, line.fields);
        }
    }

    /// `ts` comes first and is always UTC; `fields` is an object of its own, so that no field can
    /// take the place of what every line has.
    fn json(self, out: &mut String, now: Moment<'_>, line: &Line<'_>) {
        out.push('{');
        if self.with_time {
            out.push_str("\"ts\":\"");
            now.push_rfc3339(out);
            out.push_str("\",");
        }
        let level = match line.level {
            Level::ERROR if line.target == FATAL => "fatal",
            Level::ERROR => "error",
            Level::WARN => "warn",
            Level::INFO => "info",
            Level::DEBUG => "debug",
            Level::TRACE => "trace",
        };
        let _ = write!(out, "\"level\":\"{level}\",\"message\":");
        escape::push_json(out, line.message);
        if !line.fields.is_empty() {
            out.push_str(",\"fields\":{");
            for (index, (name, value)) in line.fields.iter().enumerate() {
                if index > 0 {
                    out.push(',');
                }
                escape::push_json(out, name);
                out.push(':');
                push_json_value(out, value);
            }
            out.push('}');
        }
        out.push_str(",\"target\":");
        escape::push_json(out, line.target);
        out.push('}');
    }
}

/// Of a daemon's message (RFC 3164): facility and severity.
fn priority(line: &Line<'_>) -> u8 {
    const DAEMON: u8 = 3;
    let severity = match line.level {
        Level::ERROR if line.target == FATAL => 2,
        Level::ERROR => 3,
        Level::WARN => 4,
        Level::INFO => 5,
        Level::DEBUG | Level::TRACE => 7,
    };
    DAEMON * 8 + severity
}

const DIM: &str = "\u{1b}[2m";
const PLAIN: &str = "\u{1b}[0m";

fn word_and_colour(line: &Line<'_>) -> (&'static str, &'static str) {
    match line.level {
        Level::ERROR if line.target == FATAL => ("FATAL", "\u{1b}[1;31m"),
        Level::ERROR => ("ERROR", "\u{1b}[31m"),
        Level::WARN => ("WARN", "\u{1b}[33m"),
        Level::INFO => ("INFO", "\u{1b}[32m"),
        Level::DEBUG => ("DEBUG", "\u{1b}[34m"),
        Level::TRACE => ("TRACE", "\u{1b}[35m"),
    }
}

fn push_fields(out: &mut String, fields: &[(&'static str, Value)]) {
    for (index, (name, value)) in fields.iter().enumerate() {
        if index > 0 {
            out.push(' ');
        }
        out.push_str(name);
        out.push('=');
        match value {
            Value::Text(text) => escape::push_value(out, text),
            Value::Signed(number) => {
                let _ = write!(out, "{number}");
            }
            Value::Unsigned(number) => {
                let _ = write!(out, "{number}");
            }
            Value::Float(number) => {
                let _ = write!(out, "{number}");
            }
            Value::Bool(yes) => {
                let _ = write!(out, "{yes}");
            }
        }
    }
}

fn push_json_value(out: &mut String, value: &Value) {
    let _ = match value {
        Value::Text(text) => {
            escape::push_json(out, text);
            Ok(())
        }
        Value::Signed(number) => write!(out, "{number}"),
        Value::Unsigned(number) => write!(out, "{number}"),
        // JSON has no NaN and no infinity.
        Value::Float(number) if number.is_finite() => write!(out, "{number}"),
        Value::Float(_) => write!(out, "null"),
        Value::Bool(yes) => write!(out, "{yes}"),
    };
}
