//! The `tracing` layer: decides what is logged and turns an event into a line for the sink.

use std::fmt::{self, Write as _};
use std::sync::Arc;

use tracing::field::{Field, Visit};
use tracing::level_filters::LevelFilter;
use tracing::{Event, Level, Metadata, Subscriber};
use tracing_subscriber::Layer;
use tracing_subscriber::layer::Context;

use super::VALUE_BYTES_MAX;
use super::line::{Line, Value};
use super::look::Look;
use super::sink::Sink;

pub(super) struct LogLayer {
    sink: Arc<Sink>,
    look: Arc<Look>,
}

impl LogLayer {
    pub(super) fn new(sink: Arc<Sink>, look: Arc<Look>) -> Self {
        Self { sink, look }
    }

    /// Debug and trace are asked for one by one, as with nats-server, and are about this server:
    /// the libraries below it stay silent.
    fn wants(&self, metadata: &Metadata<'_>) -> bool {
        match *metadata.level() {
            Level::DEBUG => self.look.debug() && metadata.target().starts_with("recado"),
            Level::TRACE => self.look.trace() && metadata.target().starts_with("recado"),
            _ => true,
        }
    }
}

impl<S: Subscriber> Layer<S> for LogLayer {
    fn register_callsite(
        &self,
        metadata: &'static Metadata<'static>,
    ) -> tracing::subscriber::Interest {
        if metadata.is_event() && self.wants(metadata) {
            tracing::subscriber::Interest::always()
        } else {
            tracing::subscriber::Interest::never()
        }
    }

    fn enabled(&self, metadata: &Metadata<'_>, _: Context<'_, S>) -> bool {
        metadata.is_event() && self.wants(metadata)
    }

    fn max_level_hint(&self) -> Option<LevelFilter> {
        Some(match (self.look.debug(), self.look.trace()) {
            (_, true) => LevelFilter::TRACE,
            (true, false) => LevelFilter::DEBUG,
            (false, false) => LevelFilter::INFO,
        })
    }

    fn on_event(&self, event: &Event<'_>, _: Context<'_, S>) {
        let mut found = Found::default();
        event.record(&mut found);
        let line = Line {
            level: *event.metadata().level(),
            target: event.metadata().target(),
            message: &found.message,
            fields: &found.fields,
        };
        let text = self.look.render(&line);
        self.sink.push(text.as_bytes());
    }
}

#[derive(Default)]
struct Found {
    message: String,
    fields: Vec<(&'static str, Value)>,
}

impl Found {
    fn text(&mut self, field: &Field, text: String) {
        if field.name() == "message" {
            self.message = text;
        } else {
            self.fields.push((field.name(), Value::Text(text)));
        }
    }
}

impl Visit for Found {
    fn record_debug(&mut self, field: &Field, value: &dyn fmt::Debug) {
        let mut text = Bounded::default();
        // Fails when the bound is met: what fits has been kept.
        let _ = write!(text, "{value:?}");
        self.text(field, text.finish());
    }

    fn record_str(&mut self, field: &Field, value: &str) {
        let mut text = Bounded::default();
        let _ = text.write_str(value);
        self.text(field, text.finish());
    }

    fn record_i64(&mut self, field: &Field, value: i64) {
        self.fields.push((field.name(), Value::Signed(value)));
    }

    fn record_u64(&mut self, field: &Field, value: u64) {
        self.fields.push((field.name(), Value::Unsigned(value)));
    }

    fn record_f64(&mut self, field: &Field, value: f64) {
        self.fields.push((field.name(), Value::Float(value)));
    }

    fn record_bool(&mut self, field: &Field, value: bool) {
        self.fields.push((field.name(), Value::Bool(value)));
    }
}

/// Text that stops growing at [`VALUE_BYTES_MAX`] and says so.
#[derive(Default)]
struct Bounded {
    text: String,
    cut: bool,
}

impl Bounded {
    fn finish(mut self) -> String {
        if self.cut {
            self.text.push_str("…[cut]");
        }
        self.text
    }
}

impl fmt::Write for Bounded {
    fn write_str(&mut self, piece: &str) -> fmt::Result {
        let room = VALUE_BYTES_MAX - self.text.len();
        if piece.len() <= room {
            self.text.push_str(piece);
            return Ok(());
        }
        let end = (0..=room).rev().find(|&at| piece.is_char_boundary(at));
        self.text.push_str(&piece[..end.unwrap_or(0)]);
        self.cut = true;
        Err(fmt::Error)
    }
}
