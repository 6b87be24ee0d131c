//! A real terminal for `recado`: a pty of a given size, whose screen is read as a person reads it.
//!
//! Keys go in as the bytes that a terminal sends; what the screen shows is waited for, never slept
//! for. What a program asks the terminal (where the cursor is, which kind it is of) is answered.

#![allow(
    dead_code,
    reason = "a terminal has more keys and sides than the tests of today use"
)]

use std::io::{ErrorKind, Read, Write};
use std::num::NonZeroU16;
use std::os::unix::process::ExitStatusExt;
use std::process::{Child, Command};
use std::sync::{Arc, Condvar, Mutex, MutexGuard};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use nix::sys::signal::{Signal, kill};
use nix::sys::termios::{LocalFlags, tcgetattr};
use nix::unistd::Pid;
use pty_process::blocking::Pty;
use recado_conformance::PATIENCE;

/// What a terminal sends for keys that have no letter.
pub(crate) mod key {
    pub(crate) const ENTER: &str = "\r";
    pub(crate) const CTRL_C: &str = "\x03";
    pub(crate) const CTRL_D: &str = "\x04";
    pub(crate) const UP: &str = "\x1b[A";
    pub(crate) const BACKSPACE: &str = "\x7f";
}

/// A program that runs in a terminal of its own. Dropping it kills the program.
pub(crate) struct Screen {
    child: Child,
    pty: Arc<Pty>,
    shared: Arc<Shared>,
    reader: Option<JoinHandle<()>>,
}

/// How a run in a terminal ended, and what it left there.
#[derive(Debug)]
pub(crate) struct Left {
    /// The exit status; a death by a signal counts as in a shell.
    pub(crate) code: i32,
    /// The screen as it stayed.
    pub(crate) screen: String,
    /// Every byte that was written to it.
    pub(crate) written: String,
    /// Whether the terminal is as a shell expects it: typed letters appear, lines are edited by
    /// the kernel, the cursor is seen, the screen is the ordinary one.
    pub(crate) restored: bool,
}

struct Shared {
    terminal: Mutex<Terminal>,
    changed: Condvar,
}

struct Terminal {
    parser: vt100::Parser<Answers>,
    written: Vec<u8>,
}

/// The answers to what the program asked the terminal, to be typed for it.
#[derive(Default)]
struct Answers(Vec<u8>);

impl vt100::Callbacks for Answers {
    fn unhandled_csi(
        &mut self,
        screen: &mut vt100::Screen,
        mark: Option<u8>,
        _: Option<u8>,
        parameters: &[&[u16]],
        last: char,
    ) {
        match (mark, last, parameters) {
            (None, 'n', [[6]]) => {
                let (row, column) = screen.cursor_position();
                let answer = format!("\x1b[{};{}R", row + 1, column + 1);
                self.0.extend_from_slice(answer.as_bytes());
            }
            (None, 'c', _) => self.0.extend_from_slice(b"\x1b[?1;2c"),
            _ => {}
        }
    }
}

impl Screen {
    /// Starts a program in a terminal of this size.
    pub(crate) fn start(mut command: Command, rows: u16, columns: u16) -> Self {
        command.env("TERM", "xterm-256color");
        let (pty, pts) = pty_process::blocking::open().expect("a pty");
        pty.resize(pty_process::Size::new(rows, columns))
            .expect("a pty has a size");
        let child = pty_process::blocking::Command::from(command)
            .spawn(pts)
            .expect("the program starts");
        let pty = Arc::new(pty);
        let terminal = Terminal {
            parser: vt100::Parser::new_with_callbacks(
                size(rows),
                size(columns),
                0,
                Answers::default(),
            ),
            written: Vec::new(),
        };
        let shared = Arc::new(Shared {
            terminal: Mutex::new(terminal),
            changed: Condvar::new(),
        });
        let (theirs, screen) = (Arc::clone(&pty), Arc::clone(&shared));
        let reader = std::thread::spawn(move || follow(&theirs, &screen));
        Self {
            child,
            pty,
            shared,
            reader: Some(reader),
        }
    }

    /// Types, as a person does; see [`key`] for what is no letter.
    pub(crate) fn types(&self, keys: &str) {
        (&*self.pty)
            .write_all(keys.as_bytes())
            .expect("a terminal takes what is typed");
    }

    /// Waits until the screen shows these words in one line, and returns the whole screen.
    pub(crate) fn shows(&self, words: &str) -> String {
        self.until(&format!("{words:?} to appear"), |screen| {
            screen.contains(words)
        })
    }

    /// Waits until the screen no longer shows these words, and returns the whole screen.
    pub(crate) fn clears(&self, words: &str) -> String {
        self.until(&format!("{words:?} to go"), |screen| {
            !screen.contains(words)
        })
    }

    /// Waits until the screen is as described, and returns it.
    pub(crate) fn until(&self, awaited: &str, is_so: impl Fn(&str) -> bool) -> String {
        let deadline = Instant::now() + PATIENCE;
        let mut terminal = self.terminal();
        loop {
            let screen = terminal.parser.screen().contents();
            if is_so(&screen) {
                return screen;
            }
            let left = deadline.saturating_duration_since(Instant::now());
            assert!(!left.is_zero(), "waited for {awaited}, in:\n{screen}");
            terminal = self
                .shared
                .changed
                .wait_timeout(terminal, left)
                .expect("no panic inside")
                .0;
        }
    }

    /// What the screen shows now.
    pub(crate) fn contents(&self) -> String {
        self.terminal().parser.screen().contents()
    }

    /// The row in which the cursor stands, up to its end.
    pub(crate) fn cursor_line(&self) -> String {
        let terminal = self.terminal();
        let screen = terminal.parser.screen();
        let (row, _) = screen.cursor_position();
        let (_, columns) = screen.size();
        let line = screen.rows(0, columns.get()).nth(row.into());
        line.unwrap_or_default()
    }

    /// Changes the size, as dragging a window's corner does.
    pub(crate) fn resize(&self, rows: u16, columns: u16) {
        self.terminal().parser.set_size(size(rows), size(columns));
        self.pty
            .resize(pty_process::Size::new(rows, columns))
            .expect("a pty has a size");
    }

    /// Whether letters that are typed now would be seen.
    pub(crate) fn echoes(&self) -> bool {
        let modes = tcgetattr(&*self.pty).expect("a pty has modes");
        modes.local_flags.contains(LocalFlags::ECHO)
    }

    /// Sends a signal to the program alone; Ctrl-C is [`key::CTRL_C`].
    pub(crate) fn signal(&self, signal: Signal) {
        let pid = i32::try_from(self.child.id()).expect("process ids are small");
        kill(Pid::from_raw(pid), signal).expect("a child can be signalled");
    }

    /// Waits for the end of the program.
    pub(crate) fn end(mut self) -> Left {
        let deadline = Instant::now() + PATIENCE;
        let status = loop {
            if let Some(status) = self.child.try_wait().expect("a child can be asked") {
                break status;
            }
            assert!(
                Instant::now() < deadline,
                "it does not end; the screen:\n{}",
                self.contents()
            );
            std::thread::sleep(Duration::from_millis(2));
        };
        if let Some(reader) = self.reader.take() {
            reader.join().expect("the reader does not panic");
        }
        let modes = tcgetattr(&*self.pty).expect("a pty has modes");
        let cooked = LocalFlags::ECHO | LocalFlags::ICANON | LocalFlags::ISIG;
        let terminal = self.terminal();
        let screen = terminal.parser.screen();
        Left {
            code: status
                .code()
                .or_else(|| status.signal().map(|signal| 128 + signal))
                .expect("it ended"),
            screen: screen.contents(),
            written: String::from_utf8_lossy(&terminal.written).into_owned(),
            restored: modes.local_flags.contains(cooked)
                && !screen.hide_cursor()
                && !screen.alternate_screen()
                && !screen.bracketed_paste(),
        }
    }

    fn terminal(&self) -> MutexGuard<'_, Terminal> {
        self.shared.terminal.lock().expect("no panic inside")
    }
}

impl Drop for Screen {
    fn drop(&mut self) {
        // Both fail only when it has ended already, which is as good.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// Shows what the program writes until nobody holds its side of the terminal any more.
fn follow(pty: &Pty, shared: &Shared) {
    let mut chunk = [0; 4096];
    loop {
        let count = match (&*pty).read(&mut chunk) {
            Ok(0) => return,
            Ok(count) => count,
            Err(error) if error.kind() == ErrorKind::Interrupted => continue,
            // The kernel's way to say that the other side is closed.
            Err(_) => return,
        };
        let answers = {
            let mut terminal = shared.terminal.lock().expect("no panic inside");
            terminal.written.extend_from_slice(&chunk[..count]);
            terminal.parser.process(&chunk[..count]);
            std::mem::take(&mut terminal.parser.callbacks_mut().0)
        };
        shared.changed.notify_all();
        // It may have ended without waiting for the answer.
        let _ = (&*pty).write_all(&answers);
    }
}

fn size(cells: u16) -> NonZeroU16 {
    NonZeroU16::new(cells).expect("a terminal has at least one cell")
}
