//! What goes to the screen: results on standard output, everything else on standard error.
//!
//! Nothing that came over the network may control the terminal: control characters are shown,
//! not sent, except in `--raw` and `--json` (which escapes them itself).

use std::borrow::Cow;
use std::io::{self, BufWriter, ErrorKind, IsTerminal, Stdout, Write};
use std::sync::{Mutex, PoisonError};

use serde_json::{Value, json};

use crate::failure::Failure;
use crate::text::failures as text;

/// Standard output, buffered: [`Out::flush`] when there is nothing more to write for now.
pub(crate) struct Out {
    stdout: BufWriter<Stdout>,
    colour: bool,
}

impl Out {
    /// The program's standard output; coloured on a terminal unless `NO_COLOR` is set.
    pub(crate) fn new() -> Self {
        let colour = colour_wanted() && io::stdout().is_terminal();
        Self {
            stdout: BufWriter::with_capacity(64 * 1024, io::stdout()),
            colour,
        }
    }

    /// Writes a line.
    pub(crate) fn line(&mut self, line: &str) -> Result<(), Failure> {
        writeln!(self.stdout, "{line}").map_err(|error| output_failed(&error))
    }

    /// Writes bytes as they are.
    pub(crate) fn bytes(&mut self, bytes: &[u8]) -> Result<(), Failure> {
        self.stdout
            .write_all(bytes)
            .map_err(|error| output_failed(&error))
    }

    /// Writes an object on a line of its own.
    pub(crate) fn json(&mut self, value: &Value) -> Result<(), Failure> {
        self.line(&value.to_string())
    }

    /// Hands everything to whoever reads it.
    pub(crate) fn flush(&mut self) -> Result<(), Failure> {
        // Both may be the same terminal.
        erase();
        self.stdout.flush().map_err(|error| output_failed(&error))
    }

    /// `words` in a quiet colour: times, counts, what is not the message itself.
    pub(crate) fn dim(&self, words: &str) -> String {
        if self.colour {
            format!("\x1b[2m{words}\x1b[0m")
        } else {
            words.to_owned()
        }
    }

    /// `words` in the colour of what went well.
    pub(crate) fn good(&self, words: &str) -> String {
        if self.colour {
            format!("\x1b[32m{words}\x1b[0m")
        } else {
            words.to_owned()
        }
    }

    /// `words` standing out: subjects.
    pub(crate) fn bold(&self, words: &str) -> String {
        if self.colour {
            format!("\x1b[1m{words}\x1b[0m")
        } else {
            words.to_owned()
        }
    }
}

/// Where notices go while something of its own is on the terminal.
type Elsewhere = Box<dyn Fn(&str) + Send>;

static ELSEWHERE: Mutex<Option<Elsewhere>> = Mutex::new(None);

/// As long as it lives, notices go elsewhere; see [`divert`].
pub(crate) struct Diversion(());

/// Has notices shown by whoever holds the terminal (a line editor, a full screen): written straight
/// to it, they would garble what is there. `elsewhere` must not wait.
pub(crate) fn divert(elsewhere: impl Fn(&str) + Send + 'static) -> Diversion {
    *ELSEWHERE.lock().unwrap_or_else(PoisonError::into_inner) = Some(Box::new(elsewhere));
    Diversion(())
}

impl Drop for Diversion {
    fn drop(&mut self) {
        *ELSEWHERE.lock().unwrap_or_else(PoisonError::into_inner) = None;
    }
}

/// Tells the person something that is not a result.
pub(crate) fn notice(words: &str) {
    let elsewhere = ELSEWHERE.lock().unwrap_or_else(PoisonError::into_inner);
    if let Some(elsewhere) = &*elsewhere {
        elsewhere(words);
        return;
    }
    drop(elsewhere);
    erase();
    // Nobody may be reading standard error; that must not end the work.
    let _ = writeln!(io::stderr(), "{words}");
}

/// Whether a line that renews itself stands at the end of the terminal.
static RENEWED: Mutex<bool> = Mutex::new(false);

/// How wide a terminal is that does not say so.
const COLUMNS: usize = 80;

/// Whether there is a terminal for a line that renews itself.
pub(crate) fn renews() -> bool {
    let elsewhere = ELSEWHERE.lock().unwrap_or_else(PoisonError::into_inner);
    elsewhere.is_none()
        && io::stderr().is_terminal()
        && std::env::var_os("TERM").is_none_or(|term| term != "dumb")
}

/// Shows `words` in a line that the next one takes the place of; nothing without a terminal.
pub(crate) fn renew(words: &str) {
    if !renews() {
        return;
    }
    let columns = match terminal_size::terminal_size_of(io::stderr()) {
        Some((width, _)) => usize::from(width.0),
        None => COLUMNS,
    };
    // A line that wraps could not be erased as a whole.
    let fitting = columns.saturating_sub(1);
    let mut shown: String = harmless(words).chars().take(fitting).collect();
    if shown.chars().count() < words.chars().count() {
        shown.pop();
        shown.push('…');
    }
    let mut renewed = RENEWED.lock().unwrap_or_else(PoisonError::into_inner);
    *renewed = true;
    let _ = write!(io::stderr(), "\r\x1b[2K{shown}");
}

/// Takes the line that renews itself away, if there is one.
pub(crate) fn erase() {
    let mut renewed = RENEWED.lock().unwrap_or_else(PoisonError::into_inner);
    if std::mem::take(&mut *renewed) {
        let _ = write!(io::stderr(), "\r\x1b[2K");
    }
}

/// Prints a failure: what happened, then what to do next.
pub(crate) fn complain(failure: &Failure, as_json: bool) {
    let (what, next) = (failure.what(), failure.next());
    if as_json {
        let status = failure.status();
        let mut error = json!({
            "status": status.code(), "name": status.name(), "message": what, "next": next,
        });
        if let Some(number) = failure.err_code() {
            error["err_code"] = number.into();
        }
        notice(&json!({ "error": error }).to_string());
        return;
    }
    let red = colour_wanted() && io::stderr().is_terminal();
    let mark = if red {
        format!("\x1b[31m{}\x1b[0m", text::error())
    } else {
        text::error().into()
    };
    let mut words = format!("{mark} {}", harmless(&what));
    for line in next.lines() {
        words.push_str("\n  → ");
        words.push_str(&harmless(line));
    }
    notice(&words);
}

/// Text from elsewhere, with control characters but line ends and tabs spelled out, and so are those
/// that turn the direction of writing or end a line in another way.
pub(crate) fn harmless(words: &str) -> Cow<'_, str> {
    let harmful = |c: char| match c {
        '\n' | '\t' => false,
        '\u{061c}' | '\u{200e}' | '\u{200f}' => true,
        '\u{2028}'..='\u{202e}' | '\u{2066}'..='\u{2069}' => true,
        c => c.is_control(),
    };
    if !words.contains(harmful) {
        return Cow::Borrowed(words);
    }
    let mut shown = String::with_capacity(words.len() + 16);
    for c in words.chars() {
        if harmful(c) {
            shown.extend(c.escape_default());
        } else {
            shown.push(c);
        }
    }
    Cow::Owned(shown)
}

fn colour_wanted() -> bool {
    std::env::var_os("NO_COLOR").is_none_or(|value| value.is_empty())
        && std::env::var_os("TERM").is_none_or(|term| term != "dumb")
}

fn output_failed(error: &io::Error) -> Failure {
    if error.kind() == ErrorKind::BrokenPipe {
        return Failure::OutputClosed;
    }
    Failure::Local {
        what: text::output_failed(&error.to_string()),
        next: text::output_failed_next().to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn control_characters_are_shown_and_ordinary_text_is_untouched() {
        assert_eq!(harmless("¡hola!\n\tqué tal"), "¡hola!\n\tqué tal");
        assert_eq!(harmless("\x1b[2Jx\r"), "\\u{1b}[2Jx\\r");
        assert_eq!(harmless("\u{202e}olleh\u{2028}"), "\\u{202e}olleh\\u{2028}");
    }
}
