//! Splits a command line into flags with their values and words, as Go programs do: one dash or
//! two, `-p 4222` or `--port=4222`, switches without a value or with `=true` and `=false`, and the
//! first word ends the flags.

use std::ffi::{OsStr, OsString};

use super::table::{self, Flag, Meaning};
use crate::config::fault::Fault;
use crate::config::keys::nearest_word;
use crate::config::messages::FlagProblem;

/// The flag that also stands behind a command's word.
const LANG: &str = "lang";

/// One flag as it was given.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Given {
    pub(super) meaning: Meaning,
    /// As it was written, dashes included, without the value.
    pub(super) written: String,
    /// Its value; `true` for a switch without one.
    pub(super) value: OsString,
}

/// A command line taken apart.
#[derive(Debug, Default)]
pub(super) struct Arguments {
    pub(super) flags: Vec<Given>,
    /// The first word and all that follows it.
    pub(super) words: Vec<OsString>,
    pub(super) errors: Vec<Fault>,
}

/// Takes the arguments apart, without the program's name.
pub(super) fn split(arguments: impl IntoIterator<Item = OsString>) -> Arguments {
    let mut found = Arguments::default();
    let mut rest = arguments.into_iter().peekable();
    while let Some(argument) = rest.next() {
        match read_flag(&argument) {
            Flaglike::End => break,
            Flaglike::Word => {
                found.words.push(argument);
                break;
            }
            Flaglike::Named {
                written,
                name,
                value,
            } => match table::find(&name) {
                None => {
                    let nearest = nearest_word(table::names(), &name);
                    // One mistake is told once: what was meant as its value is no command.
                    if value.is_none() && nearest.as_deref().is_some_and(takes_value) {
                        rest.next_if(|next| matches!(read_flag(next), Flaglike::Word));
                    }
                    found.errors.push(unknown(written, nearest));
                }
                Some(meaning) => {
                    let value = value
                        .or_else(|| meaning.is_switch().then(|| "true".into()))
                        .or_else(|| rest.next());
                    match value {
                        Some(value) => found.flags.push(Given {
                            meaning,
                            written,
                            value,
                        }),
                        None => found
                            .errors
                            .push(Fault::anywhere(FlagProblem::NeedsValue(written))),
                    }
                }
            },
        }
    }
    take_words(rest, &mut found);
    found
}

/// What follows the first word is a command's own, but for the language, which may be asked for anywhere.
fn take_words(mut rest: impl Iterator<Item = OsString>, found: &mut Arguments) {
    while let Some(argument) = rest.next() {
        match read_flag(&argument) {
            Flaglike::End => {
                found.words.push(argument);
                return found.words.extend(rest);
            }
            Flaglike::Named {
                written,
                name,
                value,
            } if name == LANG => match value.or_else(|| rest.next()) {
                Some(value) => found.flags.push(Given {
                    meaning: Meaning::Is(Flag::Lang),
                    written,
                    value,
                }),
                None => {
                    let problem = FlagProblem::NeedsValue(written);
                    found.errors.push(Fault::anywhere(problem));
                }
            },
            _ => found.words.push(argument),
        }
    }
}

/// What one argument looks like.
pub(super) enum Flaglike {
    /// `--`
    End,
    /// No flag.
    Word,
    /// `-name`, `--name`, `-name=value`, …
    Named {
        written: String,
        name: String,
        value: Option<OsString>,
    },
}

pub(super) fn read_flag(argument: &OsStr) -> Flaglike {
    // A flag's name is ASCII, its value (a path) need not be text at all.
    let bytes = argument.as_encoded_bytes();
    let dashes = match bytes {
        b"--" => return Flaglike::End,
        [b'-', b'-', ..] => 2,
        [b'-', _, ..] => 1,
        _ => return Flaglike::Word,
    };
    let equals = bytes.iter().position(|byte| *byte == b'=');
    let end = equals.unwrap_or(bytes.len());
    let written = String::from_utf8_lossy(&bytes[..end]).into_owned();
    let name = written.get(dashes..).unwrap_or_default().to_owned();
    let value = equals.map(|equals| value_after(argument, equals));
    Flaglike::Named {
        written,
        name,
        value,
    }
}

#[cfg(unix)]
fn value_after(argument: &OsStr, equals: usize) -> OsString {
    use std::os::unix::ffi::OsStrExt;
    let bytes = argument.as_bytes().get(equals + 1..).unwrap_or_default();
    OsStr::from_bytes(bytes).to_owned()
}

#[cfg(not(unix))]
fn value_after(argument: &OsStr, equals: usize) -> OsString {
    let text = argument.to_string_lossy();
    text.get(equals + 1..).unwrap_or_default().into()
}

fn takes_value(name: &str) -> bool {
    table::find(name).is_some_and(|meaning| !meaning.is_switch())
}

fn unknown(written: String, nearest: Option<String>) -> Fault {
    Fault::anywhere(FlagProblem::UnknownFlag {
        flag: written,
        nearest: nearest.map(|name| format!("--{name}")),
    })
}
