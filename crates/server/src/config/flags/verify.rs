//! `verify DIR [--salvage NEW] [--key-file FILE] [--json]`: its own few flags, which stand behind the word.

use std::ffi::OsString;
use std::path::PathBuf;

use super::arguments::{Flaglike, read_flag};
use crate::config::fault::Fault;
use crate::config::keys::nearest_word;
use crate::config::messages::FlagProblem;

/// Which store to check, and what to make of it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Verify {
    /// The directory that streams are stored in.
    pub directory: PathBuf,
    /// A directory that is not there yet, for a copy of all that is whole.
    pub salvage: Option<PathBuf>,
    /// A file with the key that the store is encrypted with.
    pub key_file: Option<PathBuf>,
    /// Report for programs: one JSON object a line.
    pub json: bool,
}

/// Reads what follows the word.
pub(super) fn read(words: &[OsString]) -> Result<Verify, Box<Fault>> {
    let fault = |problem| Box::new(Fault::anywhere(problem));
    let mut directory = None;
    let mut salvage = None;
    let mut key_file = None;
    let (mut json, mut only_words) = (false, false);
    let mut rest = words.iter();
    while let Some(word) = rest.next() {
        match read_flag(word) {
            Flaglike::End if !only_words => only_words = true,
            Flaglike::Named {
                name, value: None, ..
            } if !only_words && name == "json" => json = true,
            Flaglike::Named {
                name,
                value,
                written,
            } if !only_words && ["salvage", "key-file", "key_file"].contains(&name.as_str()) => {
                let value = value.or_else(|| rest.next().cloned());
                let value = value.filter(|value| !value.is_empty());
                let value = value.ok_or_else(|| fault(FlagProblem::NeedsValue(written)))?;
                let named = if name == "salvage" {
                    &mut salvage
                } else {
                    &mut key_file
                };
                *named = Some(PathBuf::from(value));
            }
            Flaglike::Named { written, name, .. } if !only_words => {
                let nearest = nearest_word(["salvage", "key-file", "json"].into_iter(), &name);
                return Err(fault(FlagProblem::UnknownFlag {
                    flag: written,
                    nearest: nearest.map(|name| format!("--{name}")),
                }));
            }
            _ if directory.is_some() || word.is_empty() => {
                return Err(fault(FlagProblem::VerifyDirectory));
            }
            _ => directory = Some(PathBuf::from(word)),
        }
    }
    let directory = directory.ok_or_else(|| fault(FlagProblem::VerifyDirectory))?;
    if salvage.as_ref() == Some(&directory) {
        let shown = directory.display().to_string();
        return Err(fault(FlagProblem::SalvageInPlace(shown)));
    }
    Ok(Verify {
        directory,
        salvage,
        key_file,
        json,
    })
}
