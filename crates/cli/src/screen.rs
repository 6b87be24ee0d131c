//! The whole terminal while it is a command's own. However the command ends, it is given back as it was.

use crossterm::event::{KeyCode, KeyEvent, KeyModifiers};
use ratatui::{DefaultTerminal, Frame};

use crate::failure::Failure;
use crate::text::{failures, top as text};

/// The terminal while it is ours.
pub(crate) struct Screen(DefaultTerminal);

impl Drop for Screen {
    fn drop(&mut self) {
        ratatui::restore();
    }
}

impl Screen {
    /// Takes it.
    pub(crate) fn take() -> Result<Self, Failure> {
        ratatui::try_init()
            .map(Self)
            .map_err(|error| failed(&error))
    }

    /// Draws a picture; a new size is asked for by itself.
    pub(crate) fn draw(&mut self, picture: impl FnOnce(&mut Frame<'_>)) -> Result<(), Failure> {
        self.0
            .draw(picture)
            .map(|_| ())
            .map_err(|error| failed(&error))
    }
}

/// Why there is no picture.
pub(crate) fn failed(error: &std::io::Error) -> Failure {
    Failure::Local {
        what: text::screen_failed(&error.to_string()),
        next: failures::machine_failed_next().to_owned(),
    }
}

/// Whether a key asks for the end: `q`, Esc, Ctrl-C or Ctrl-D.
pub(crate) fn is_end(key: KeyEvent) -> bool {
    match key.code {
        KeyCode::Char('c' | 'd') => key.modifiers.contains(KeyModifiers::CONTROL),
        KeyCode::Char('q') | KeyCode::Esc => true,
        _ => false,
    }
}
