//! The program's log: what the rest says through `tracing`, one line each, on standard error, in
//! a file that is rotated and reopened, or to the system's log daemon.
//!
//! Writing never holds the engine up for long: lines go through a bounded buffer to a thread of
//! their own, and what does not fit is counted and said. Nothing that came from a client can end
//! a line, start one or reach the terminal as a control sequence. Secrets have no way in: they are
//! of types whose `Debug` hides them, and nobody else formats them.

mod clock;
mod escape;
mod layer;
mod line;
mod look;
mod rotation;
mod sink;
mod syslog;

use std::io::{self, IsTerminal};
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use tracing_subscriber::prelude::*;

use crate::config::{LogFormat, LogOptions, Personality};

use self::layer::LogLayer;
use self::line::Style;
use self::look::Look;
use self::sink::{Output, Sink};
use self::syslog::Syslog;

/// `tracing` target of an error that ends the program: `[FTL]` in nats-server's format.
pub const FATAL: &str = "recado::fatal";

/// Bytes of waiting lines beyond which further ones are lost.
pub const PENDING_BYTES_MAX: usize = 4 * 1024 * 1024;

/// Bytes of one message or field that are shown.
pub const VALUE_BYTES_MAX: usize = 64 * 1024;

/// The log can't be opened.
#[derive(Debug)]
pub struct OpenError {
    /// Which file, or where the daemon should be.
    pub path: PathBuf,
    /// Why.
    pub source: io::Error,
}

/// How a log is to go on.
pub(crate) struct Prepared {
    /// Where lines go, if that changes.
    output: Option<Output>,
    options: LogOptions,
}

/// A running log. Clones are handles of the same one.
#[derive(Clone)]
pub struct Log {
    sink: Arc<Sink>,
    look: Arc<Look>,
    personality: Personality,
}

impl Log {
    /// Opens the file (or the way to the daemon, or standard error) and starts the writing thread. Nothing arrives in it
    /// before [`install`](Self::install).
    pub fn open(options: &LogOptions, personality: Personality) -> Result<Self, OpenError> {
        let output = Self::output(options, personality)?;
        let look = Arc::new(Look::new(style_of(options, personality), options));
        Ok(Self {
            sink: Sink::start(output, Arc::clone(&look)),
            look,
            personality,
        })
    }

    fn output(options: &LogOptions, personality: Personality) -> Result<Output, OpenError> {
        let failed = |path: PathBuf| move |source| OpenError { path, source };
        if let Some(path) = &options.file {
            let opened = Output::file(path, options.size_limit, options.max_num);
            return opened.map_err(failed(path.clone()));
        }
        let Some(target) = options.syslog_target() else {
            return Ok(Output::stderr());
        };
        let tag = match personality {
            Personality::Recado => "recado-server",
            Personality::NatsServer => "nats-server",
        };
        let opened = Syslog::open(&target, tag);
        opened
            .map(Output::Syslog)
            .map_err(failed(syslog::place(&target)))
    }

    /// Makes ready to go on as these options say, `before` being those that it had; [`Log::apply`] does it.
    ///
    /// # Errors
    /// When another file is named and can't be opened.
    pub(crate) fn prepare(
        &self,
        before: &LogOptions,
        options: &LogOptions,
    ) -> Result<Prepared, OpenError> {
        let place = |options: &LogOptions| {
            let LogOptions {
                file,
                size_limit,
                max_num,
                ..
            } = options;
            let syslog = options.syslog_target();
            (file.clone(), *size_limit, *max_num, syslog)
        };
        let moves = place(before) != place(options);
        Ok(Prepared {
            output: moves
                .then(|| Self::output(options, self.personality))
                .transpose()?,
            options: options.clone(),
        })
    }

    /// Goes on as was prepared.
    pub(crate) fn apply(&self, prepared: Prepared) {
        let Prepared { output, options } = prepared;
        if let Some(output) = output {
            self.sink.switch(output);
        }
        self.look
            .change(style_of(&options, self.personality), &options);
        // What is never said was left out for good where it would be said.
        tracing::callsite::rebuild_interest_cache();
    }

    /// Makes this the log of the whole process, panics included. `false`: it has one already.
    pub fn install(&self) -> bool {
        if tracing::subscriber::set_global_default(self.subscriber()).is_err() {
            return false;
        }
        let log = self.clone();
        let shown = std::panic::take_hook();
        std::panic::set_hook(Box::new(move |panic| {
            let place = panic.location().map(ToString::to_string);
            let payload = panic.payload();
            let reason = (payload.downcast_ref::<&str>().copied())
                .or_else(|| payload.downcast_ref::<String>().map(String::as_str))
                .unwrap_or("no reason given");
            tracing::error!(
                place,
                reason,
                "a thread of the server failed, please report it"
            );
            log.flush(Duration::from_millis(500));
            shown(panic);
        }));
        true
    }

    /// The `tracing` subscriber that writes here, for [`install`](Self::install) and tests.
    pub fn subscriber(&self) -> impl tracing::Subscriber + Send + Sync + use<> {
        tracing_subscriber::registry().with(LogLayer::new(
            Arc::clone(&self.sink),
            Arc::clone(&self.look),
        ))
    }

    /// Whether people read this log on a terminal as it is written.
    pub fn is_for_people_on_a_terminal(&self) -> bool {
        self.look.style().short_time && self.look.style().format == LogFormat::Text
    }

    /// Whether each line is a JSON object.
    pub fn is_for_machines(&self) -> bool {
        self.look.style().format == LogFormat::Json
    }

    /// Writes text of ours as it is, in order with the lines. Only for a terminal.
    pub fn print(&self, text: &str) {
        let mut text = text.to_owned();
        text.push('\n');
        self.sink.push(text.as_bytes());
    }

    /// Closes the file and opens it by its name again, once what was logged so far is in the old
    /// one. `false`: there is no file.
    pub fn reopen(&self) -> bool {
        self.sink.reopen()
    }

    /// Waits until everything logged so far is written; `false` if that took longer than `limit`.
    pub fn flush(&self, limit: Duration) -> bool {
        self.sink.flush(limit)
    }

    /// Lines that could not be written since the start.
    pub fn lines_lost(&self) -> u64 {
        self.sink.lines_lost()
    }
}

fn style_of(options: &LogOptions, personality: Personality) -> Style {
    let to_daemon = options.file.is_none() && options.syslog_target().is_some();
    let on_terminal = options.file.is_none() && !to_daemon && io::stderr().is_terminal();
    Style {
        with_priority: to_daemon,
        format: effective_format(options.format, personality),
        colour: on_terminal && colours_wanted(|name| std::env::var_os(name)),
        short_time: on_terminal,
        // The daemon writes its own.
        with_time: !options.no_time && !to_daemon,
    }
}

fn effective_format(asked: LogFormat, personality: Personality) -> LogFormat {
    match (asked, personality) {
        (LogFormat::Auto, Personality::Recado) => LogFormat::Text,
        (LogFormat::Auto, Personality::NatsServer) => LogFormat::Nats,
        (format, _) => format,
    }
}

/// The convention of no-color.org, and terminals that know no colours.
fn colours_wanted(variable: impl Fn(&str) -> Option<std::ffi::OsString>) -> bool {
    variable("NO_COLOR").is_none_or(|value| value.is_empty())
        && variable("TERM").is_none_or(|value| value != "dumb")
}

#[cfg(test)]
mod tests;
