//! A position in a text that knows its line and column, and the few steps a reader takes.
//! It knows nothing of the language but which characters are blank.

use std::sync::Arc;

use crate::config::fault::Place;

/// A reader's position. Columns are counted while walking, so that asking for the place costs
/// nothing however long a line is.
pub(super) struct Cursor<'a> {
    rest: &'a str,
    file: Arc<str>,
    line: u32,
    column: u32,
}

impl<'a> Cursor<'a> {
    pub(super) fn new(text: &'a str, file: Arc<str>) -> Self {
        Self {
            // A byte order mark is how some editors begin a file, not something it says.
            rest: text.strip_prefix('\u{feff}').unwrap_or(text),
            file,
            line: 1,
            column: 1,
        }
    }

    pub(super) fn place(&self) -> Place {
        Place {
            file: self.file.clone(),
            line: self.line,
            column: self.column,
        }
    }

    pub(super) fn peek(&self) -> Option<char> {
        self.rest.chars().next()
    }

    pub(super) fn rest(&self) -> &'a str {
        self.rest
    }

    pub(super) fn starts_with(&self, prefix: &str) -> bool {
        self.rest.starts_with(prefix)
    }

    /// Takes one character.
    pub(super) fn next(&mut self) -> Option<char> {
        let mut chars = self.rest.chars();
        let found = chars.next()?;
        self.rest = chars.as_str();
        if found == '\n' {
            self.line = self.line.saturating_add(1);
            self.column = 1;
        } else {
            self.column = self.column.saturating_add(1);
        }
        Some(found)
    }

    /// Takes the character if it is the one expected.
    pub(super) fn eat(&mut self, expected: char) -> bool {
        let found = self.peek() == Some(expected);
        if found {
            self.next();
        }
        found
    }

    /// Takes characters as long as they are wanted.
    pub(super) fn take_while(&mut self, wanted: impl Fn(char) -> bool) -> &'a str {
        let start = self.rest;
        while self.peek().is_some_and(&wanted) {
            self.next();
        }
        &start[..start.len() - self.rest.len()]
    }

    /// Skips spaces and tabs.
    pub(super) fn skip_spaces(&mut self) {
        self.take_while(is_space);
    }

    /// Skips everything that is blank, line ends included.
    pub(super) fn skip_whitespace(&mut self) {
        self.take_while(char::is_whitespace);
    }

    /// Skips blanks, line ends and comments; says whether a line end was among them.
    pub(super) fn skip_blank(&mut self) -> bool {
        let mut line_end = false;
        loop {
            match self.peek() {
                Some(found) if found.is_whitespace() => {
                    line_end |= is_line_end(found);
                    self.next();
                }
                Some('#') => self.skip_comment(),
                Some('/') if self.starts_with("//") => self.skip_comment(),
                _ => return line_end,
            }
        }
    }

    fn skip_comment(&mut self) {
        self.take_while(|found| !is_line_end(found));
    }
}

pub(super) fn is_space(found: char) -> bool {
    matches!(found, ' ' | '\t')
}

pub(super) fn is_line_end(found: char) -> bool {
    matches!(found, '\n' | '\r')
}
