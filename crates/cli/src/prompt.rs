//! Questions to the person at the terminal, and answers that the screen must not show.
//!
//! Nothing is ever asked without a terminal, and however a question ends, the terminal shows again
//! what is typed.

use std::io::{IsTerminal, Read, Write, stdin};

use nix::sys::termios::{LocalFlags, SetArg, Termios, tcgetattr, tcsetattr};
use tokio::sync::oneshot;

use crate::failure::Failure;
use crate::interrupt::Interrupt;
use crate::text::{failures, login as text};

/// The longest answer, in bytes.
const ANSWER_BYTES_MAX: u64 = 64 * 1024;

/// Whether there is somebody to ask.
pub(crate) fn possible() -> bool {
    stdin().is_terminal() && std::io::stderr().is_terminal()
}

/// Asks for something that may be seen.
pub(crate) async fn open(question: &str, interrupt: &mut Interrupt) -> Result<String, Failure> {
    ask(question, interrupt).await
}

/// Asks for a secret: what is typed does not appear.
pub(crate) async fn hidden(question: &str, interrupt: &mut Interrupt) -> Result<String, Failure> {
    let _hidden = Hidden::new()?;
    ask(question, interrupt).await
}

async fn ask(question: &str, interrupt: &mut Interrupt) -> Result<String, Failure> {
    let mut stderr = std::io::stderr();
    // Whoever can't see the question does not answer it.
    let _ = write!(stderr, "{question} ").and_then(|()| stderr.flush());
    let (sender, answer) = oneshot::channel();
    // A thread, for reading a terminal can't be broken off; it ends with the program.
    std::thread::spawn(move || sender.send(line()));
    let line = tokio::select! {
        line = answer => line.unwrap_or(Ok(None)),
        () = interrupt.asked() => {
            let _ = writeln!(stderr);
            return Err(Failure::Interrupted);
        }
    };
    match line {
        Ok(Some(line)) => Ok(line),
        Ok(None) => {
            let _ = writeln!(stderr);
            Err(Failure::Usage {
                what: text::nothing_typed().to_owned(),
                next: text::nothing_typed_next().to_owned(),
            })
        }
        Err(error) => Err(machine_failed(&error)),
    }
}

/// One line of standard input, without reading what follows it; `None` at its end.
fn line() -> std::io::Result<Option<String>> {
    let mut bytes = Vec::new();
    for byte in stdin().lock().take(ANSWER_BYTES_MAX).bytes() {
        match byte? {
            b'\n' => return Ok(Some(words(bytes))),
            byte => bytes.push(byte),
        }
    }
    Ok(Some(words(bytes)).filter(|line| !line.is_empty()))
}

fn words(bytes: Vec<u8>) -> String {
    let line = String::from_utf8_lossy(&bytes);
    line.trim_end_matches('\r').to_owned()
}

/// A terminal that does not show what is typed, until this is dropped.
struct Hidden(Termios);

impl Hidden {
    fn new() -> Result<Self, Failure> {
        let failed = |error: nix::Error| machine_failed(&error.into());
        let before = tcgetattr(stdin()).map_err(failed)?;
        let mut modes = before.clone();
        modes.local_flags.remove(LocalFlags::ECHO);
        // The line end is shown, so that what follows stands on a line of its own.
        modes
            .local_flags
            .insert(LocalFlags::ECHONL | LocalFlags::ICANON);
        tcsetattr(stdin(), SetArg::TCSANOW, &modes).map_err(failed)?;
        Ok(Self(before))
    }
}

impl Drop for Hidden {
    fn drop(&mut self) {
        // It worked a moment ago; if the terminal is gone, nothing needs to be put back.
        let _ = tcsetattr(stdin(), SetArg::TCSANOW, &self.0);
    }
}

fn machine_failed(error: &std::io::Error) -> Failure {
    Failure::Local {
        what: failures::machine_failed(&error.to_string()),
        next: failures::machine_failed_next().to_owned(),
    }
}
