//! The line that is being typed, on a terminal: what is shown meanwhile appears above it.
//!
//! The editor waits for keys on a thread of its own; another one prints, so that a terminal that
//! is stopped (Ctrl-S) stops neither the conversation nor Ctrl-C. However the conversation ends,
//! dropping the editor gives the terminal back as it was.

use std::io::{self, Write};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::{self as blocking, Receiver, SyncSender, TrySendError};
use std::thread;

use nix::sys::termios::{SetArg, Termios, tcgetattr, tcsetattr};
use rustyline::error::ReadlineError;
use rustyline::{Config, DefaultEditor, ExternalPrinter};
use tokio::sync::mpsc;

use crate::text::chat as text;

/// How many lines may wait to be printed; more than that are counted instead.
const PRINT_AHEAD_MAX: usize = 1000;

/// How many lines of history the arrow keys go through.
const HISTORY_MAX: usize = 1000;

/// What the person did.
#[derive(Debug)]
pub(super) enum Typed {
    /// Enter.
    Line(String),
    /// Ctrl-D on an empty line, or Ctrl-C.
    End,
}

/// A terminal whose last line is being edited.
pub(super) struct Editor {
    typed: mpsc::Receiver<Typed>,
    prompts: SyncSender<String>,
    lines: SyncSender<String>,
    skipped: u64,
    /// As the terminal was before.
    modes: Termios,
    /// Whether a line is being edited now.
    editing: Arc<AtomicBool>,
}

impl Editor {
    /// Takes the terminal over; none if it is none, or one that can't do it. Nothing is read
    /// before the first [`resume`](Self::resume).
    pub(super) fn start(history: &[String]) -> Option<Self> {
        let modes = tcgetattr(io::stdin()).ok()?;
        let config = Config::builder()
            .max_history_size(HISTORY_MAX)
            .ok()?
            .auto_add_history(true)
            .bracketed_paste(true)
            .build();
        let mut editor = DefaultEditor::with_config(config).ok()?;
        for line in history {
            editor.add_history_entry(line).ok()?;
        }
        let printer = editor.create_external_printer().ok()?;
        let (lines, to_print) = blocking::sync_channel(PRINT_AHEAD_MAX);
        thread::spawn(move || print(printer, &to_print));
        let (prompts, next_prompt) = blocking::sync_channel(1);
        let (sender, typed) = mpsc::channel(1);
        let editing = Arc::new(AtomicBool::new(false));
        let theirs = Arc::clone(&editing);
        thread::spawn(move || edit(editor, &next_prompt, &sender, &theirs));
        Some(Self {
            typed,
            prompts,
            lines,
            skipped: 0,
            modes,
            editing,
        })
    }

    /// Lets the next line be typed.
    pub(super) fn resume(&self, prompt: String) {
        // Full or closed only when the person has ended it already.
        let _ = self.prompts.try_send(prompt);
    }

    /// Where lines for [`show`](Self::show) can be handed in from elsewhere.
    pub(super) fn lines(&self) -> SyncSender<String> {
        self.lines.clone()
    }

    /// Shows a line above the one that is being typed.
    pub(super) fn show(&mut self, line: String) {
        if self.skipped > 0 {
            let told = self.lines.try_send(text::skipped(self.skipped));
            if told.is_ok() {
                self.skipped = 0;
            }
        }
        if let Err(TrySendError::Full(_)) = self.lines.try_send(line) {
            self.skipped += 1;
        }
    }

    /// What the person does next. Dropping the future loses nothing.
    pub(super) async fn next(&mut self) -> Typed {
        self.typed.recv().await.unwrap_or(Typed::End)
    }
}

impl Drop for Editor {
    fn drop(&mut self) {
        if self.editing.load(Ordering::SeqCst) {
            // The thread still waits for keys and will not do it any more. If the terminal has
            // gone, there is nothing to give back.
            let _ = tcsetattr(io::stdin(), SetArg::TCSANOW, &self.modes);
            let _ = io::stdout().write_all(b"\x1b[?2004l\n");
            let _ = io::stdout().flush();
        }
    }
}

fn edit(
    mut editor: DefaultEditor,
    prompts: &Receiver<String>,
    typed: &mpsc::Sender<Typed>,
    editing: &AtomicBool,
) {
    while let Ok(prompt) = prompts.recv() {
        editing.store(true, Ordering::SeqCst);
        let line = editor.readline(&prompt);
        editing.store(false, Ordering::SeqCst);
        let (what, is_end) = match line {
            Ok(line) => (Typed::Line(line), false),
            Err(ReadlineError::Signal(_)) => (Typed::Line(String::new()), false),
            // A terminal that can't be read any more is gone.
            Err(_) => (Typed::End, true),
        };
        if typed.blocking_send(what).is_err() || is_end {
            return;
        }
    }
}

fn print(mut printer: impl ExternalPrinter, lines: &Receiver<String>) {
    while let Ok(line) = lines.recv() {
        if printer.print(line + "\n").is_err() {
            return;
        }
    }
}
