//! What is written of what is said, and how it looks: can be changed while the log is in use.

use std::sync::atomic::{AtomicBool, Ordering};

use arc_swap::ArcSwap;

use super::clock::Clock;
use super::line::{Line, Style};
use crate::config::LogOptions;

/// The look of one log.
pub(super) struct Look {
    form: ArcSwap<Form>,
    debug: AtomicBool,
    trace: AtomicBool,
}

struct Form {
    style: Style,
    clock: Clock,
}

impl Look {
    pub(super) fn new(style: Style, options: &LogOptions) -> Self {
        Self {
            form: ArcSwap::from_pointee(Form {
                style,
                clock: Clock::new(options.utc),
            }),
            debug: AtomicBool::new(options.debug),
            trace: AtomicBool::new(options.trace),
        }
    }

    /// Looks like this from now on.
    pub(super) fn change(&self, style: Style, options: &LogOptions) {
        self.form.store(std::sync::Arc::new(Form {
            style,
            clock: Clock::new(options.utc),
        }));
        self.debug.store(options.debug, Ordering::Relaxed);
        self.trace.store(options.trace, Ordering::Relaxed);
    }

    pub(super) fn debug(&self) -> bool {
        self.debug.load(Ordering::Relaxed)
    }

    pub(super) fn trace(&self) -> bool {
        self.trace.load(Ordering::Relaxed)
    }

    pub(super) fn style(&self) -> Style {
        self.form.load().style
    }

    pub(super) fn clock(&self) -> Clock {
        self.form.load().clock.clone()
    }

    /// A whole line, with its newline.
    pub(super) fn render(&self, line: &Line<'_>) -> String {
        let form = self.form.load();
        form.style.render(form.clock.now(), line)
    }
}
