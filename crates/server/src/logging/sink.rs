//! The bounded buffer between whoever logs and the thread that writes.
//!
//! Lines are appended to one buffer under a short lock; the writer takes it whole. When it is full
//! the first line waits [`ROOM_WAIT`] for room and is lost if there is none, and from then on lines
//! are lost without waiting until the writer moves again: a terminal that is scrolled back or a
//! full pipe must not stop the server. The number of lost lines is written once there is room.

use std::io::{self, Write};
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::{Duration, Instant};

use parking_lot::{Condvar, Mutex};
use tracing::Level;

use super::PENDING_BYTES_MAX;
use super::line::{Line, Value};
use super::look::Look;
use super::rotation::LogFile;
use super::syslog::Syslog;

/// How long one line waits for room before lines are lost.
pub(super) const ROOM_WAIT: Duration = Duration::from_millis(20);

/// How long a write that makes no progress is repeated before its lines count as lost.
const WRITE_PATIENCE: Duration = Duration::from_secs(2);

pub(super) struct Sink {
    state: Mutex<State>,
    /// There is something to write, or to reopen. The writer waits for it.
    work: Condvar,
    /// The buffer was taken, or everything is written. Loggers and `flush` wait for it.
    progress: Condvar,
    has_file: AtomicBool,
    lost_total: AtomicU64,
}

#[derive(Default)]
struct State {
    pending: Vec<u8>,
    /// The writer has taken a buffer and is not done with it.
    writing: bool,
    /// A line waited in vain since the writer last took the buffer.
    stalled: bool,
    reopen: bool,
    /// Where lines go from now on.
    switch: Option<Output>,
    /// Lines lost since the last notice.
    lost: u64,
}

impl Sink {
    /// Starts the thread that writes to `output`. It lives as long as the process: a log is opened
    /// once.
    pub(super) fn start(output: Output, look: Arc<Look>) -> Arc<Self> {
        let sink = Arc::new(Self {
            state: Mutex::default(),
            work: Condvar::new(),
            progress: Condvar::new(),
            has_file: AtomicBool::new(matches!(output, Output::File(_))),
            lost_total: AtomicU64::new(0),
        });
        let mut writer = Writer {
            sink: Arc::clone(&sink),
            output,
            look,
        };
        let started = std::thread::Builder::new()
            .name("log".to_owned())
            .spawn(move || writer.run());
        if let Err(error) = started {
            // Without threads the server can't start either, and will say why by itself.
            eprintln!("no log: its thread can't be started: {error}");
        }
        sink
    }

    /// Hands whole lines to the writer.
    pub(super) fn push(&self, lines: &[u8]) {
        let mut state = self.state.lock();
        if state.pending.len() + lines.len() > PENDING_BYTES_MAX && !state.stalled {
            let deadline = Instant::now() + ROOM_WAIT;
            while state.pending.len() + lines.len() > PENDING_BYTES_MAX {
                if self.progress.wait_until(&mut state, deadline).timed_out() {
                    break;
                }
            }
        }
        if state.pending.len() + lines.len() > PENDING_BYTES_MAX {
            state.stalled = true;
            state.lost += 1;
            self.lost_total.fetch_add(1, Ordering::Relaxed);
            return;
        }
        let was_idle = state.pending.is_empty();
        state.pending.extend_from_slice(lines);
        drop(state);
        if was_idle {
            self.work.notify_one();
        }
    }

    pub(super) fn reopen(&self) -> bool {
        let has_file = self.has_file.load(Ordering::Relaxed);
        if has_file {
            self.state.lock().reopen = true;
            self.work.notify_one();
        }
        has_file
    }

    /// What is said from now on goes there.
    pub(super) fn switch(&self, output: Output) {
        let is_file = matches!(output, Output::File(_));
        self.has_file.store(is_file, Ordering::Relaxed);
        self.state.lock().switch = Some(output);
        self.work.notify_one();
    }

    pub(super) fn flush(&self, limit: Duration) -> bool {
        let deadline = Instant::now() + limit;
        let mut state = self.state.lock();
        while state.writing || state.reopen || state.switch.is_some() || !state.pending.is_empty() {
            if self.progress.wait_until(&mut state, deadline).timed_out() {
                return false;
            }
        }
        true
    }

    pub(super) fn lines_lost(&self) -> u64 {
        self.lost_total.load(Ordering::Relaxed)
    }
}

/// Where lines end up.
pub(super) enum Output {
    Stream(Box<dyn Write + Send>),
    File(LogFile),
    Syslog(Syslog),
}

impl Output {
    pub(super) fn stderr() -> Self {
        Self::Stream(Box::new(io::stderr()))
    }

    pub(super) fn file(path: &Path, size_limit: u64, kept_max: usize) -> io::Result<Self> {
        LogFile::open(path, size_limit, kept_max).map(Self::File)
    }
}

/// What the writer is to do besides writing.
struct Work {
    reopen: bool,
    switch: Option<Output>,
    /// Lines lost since the last notice.
    lost: u64,
}

/// The state of the writing thread.
struct Writer {
    sink: Arc<Sink>,
    output: Output,
    look: Arc<Look>,
}

impl Writer {
    fn run(&mut self) {
        let mut batch = Vec::new();
        loop {
            let Work {
                reopen,
                switch,
                lost,
            } = self.wait_for_work(&mut batch);
            self.write(&batch);
            batch.clear();
            if lost > 0 {
                self.say(
                    Level::WARN,
                    "log lines were lost because the log is written too slowly",
                    &[("lines", Value::Unsigned(lost))],
                );
            }
            if reopen {
                self.reopen();
            }
            if let Some(output) = switch {
                self.output = output;
            }
            let mut state = self.sink.state.lock();
            state.writing = false;
            drop(state);
            self.sink.progress.notify_all();
        }
    }

    /// Takes everything that waits; the cleared `batch` becomes the next buffer, so that two
    /// buffers serve for ever.
    fn wait_for_work(&mut self, batch: &mut Vec<u8>) -> Work {
        let mut state = self.sink.state.lock();
        while state.pending.is_empty() && !state.reopen && state.switch.is_none() {
            self.sink.work.wait(&mut state);
        }
        std::mem::swap(&mut state.pending, batch);
        state.writing = true;
        state.stalled = false;
        let taken = Work {
            reopen: std::mem::take(&mut state.reopen),
            switch: state.switch.take(),
            lost: std::mem::take(&mut state.lost),
        };
        drop(state);
        self.sink.progress.notify_all();
        taken
    }

    fn write(&mut self, batch: &[u8]) {
        let lost = match &mut self.output {
            Output::Stream(stream) => lines(write_patiently(stream, batch)),
            Output::Syslog(syslog) => syslog.write(batch),
            Output::File(file) if file.has_room_for(batch) => lines(write_patiently(file, batch)),
            Output::File(_) => batch
                .split_inclusive(|byte| *byte == b'\n')
                .map(|line| self.write_line_to_rotating_file(line))
                .sum(),
        };
        if lost > 0 {
            self.sink.lost_total.fetch_add(lost, Ordering::Relaxed);
            // Said with the next batch that can be written.
            self.sink.state.lock().lost += lost;
        }
    }

    /// Lines lost: 0 or 1.
    fn write_line_to_rotating_file(&mut self, line: &[u8]) -> u64 {
        let Output::File(file) = &mut self.output else {
            return 0;
        };
        let rotated = file
            .must_rotate_before(line)
            .then(|| file.rotate(&self.look.clock()));
        match rotated {
            None => {}
            Some(Ok(backup)) => {
                let text = format!("Rotated log, backup saved as {backup:?}");
                self.say(Level::INFO, &text, &[]);
            }
            Some(Err(error)) => self.say(
                Level::ERROR,
                "the log file can't be rotated, it goes on growing",
                &[("error", Value::Text(error.to_string()))],
            ),
        }
        match &mut self.output {
            Output::File(file) => lines(write_patiently(file, line)),
            Output::Stream(_) | Output::Syslog(_) => 0,
        }
    }

    fn reopen(&mut self) {
        let Output::File(file) = &mut self.output else {
            return;
        };
        match file.reopen() {
            Ok(()) => self.say(Level::INFO, "File log re-opened", &[]),
            Err(error) => self.say(
                Level::ERROR,
                "the log file can't be reopened, the one that was open stays in use",
                &[("error", Value::Text(error.to_string()))],
            ),
        }
    }

    /// A line of the log's own, written at once.
    fn say(&mut self, level: Level, message: &str, fields: &[(&'static str, Value)]) {
        let line = Line {
            level,
            target: "recado::log",
            message,
            fields,
        };
        let text = self.look.render(&line);
        let text = text.as_bytes();
        match &mut self.output {
            Output::Stream(stream) => drop(write_patiently(stream, text)),
            Output::File(file) => drop(write_patiently(file, text)),
            Output::Syslog(syslog) => drop(syslog.write(text)),
        }
    }
}

/// Writes all it can and returns what it could not. A terminal that another program made
/// non-blocking, or an interrupted call, is no reason to lose a line.
fn write_patiently<'a>(to: &mut impl Write, mut bytes: &'a [u8]) -> &'a [u8] {
    let mut give_up_at = Instant::now() + WRITE_PATIENCE;
    while !bytes.is_empty() {
        match to.write(bytes) {
            Ok(0) => return bytes,
            Ok(written) => {
                bytes = &bytes[written..];
                give_up_at = Instant::now() + WRITE_PATIENCE;
            }
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(error) if error.kind() == io::ErrorKind::WouldBlock => {
                if Instant::now() >= give_up_at {
                    return bytes;
                }
                std::thread::sleep(Duration::from_millis(5));
            }
            Err(_) => return bytes,
        }
    }
    bytes
}

fn lines(bytes: &[u8]) -> u64 {
    bytes.iter().filter(|byte| **byte == b'\n').count() as u64
}
