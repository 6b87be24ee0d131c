//! What the keys of a configuration file mean: from parsed values to
//! [`Options`](super::Options), all mistakes reported together.

#[cfg(test)]
mod access_tests;
mod accounts;
mod authorization;
mod callout;
mod cycles;
mod domains;
mod draft;
mod explain;
mod exports;
mod field;
mod filled;
mod imports;
mod known;
mod listen;
mod lists;
mod mappings;
mod monitoring;
mod mqtt;
#[cfg(test)]
mod mqtt_tests;
mod ocsp;
#[cfg(test)]
mod ocsp_tests;
mod operator;
#[cfg(test)]
mod operator_tests;
mod permissions;
mod proxies;
mod settings;
mod shown;
mod streams;
#[cfg(test)]
mod streams_tests;
#[cfg(test)]
mod tests;
mod tls;
mod together;
mod users;
mod websocket;

use std::path::Path;

use self::field::Field;
use self::known::{Meaning, TOP_LEVEL, Table};
use super::fault::{Fault, Place};
use super::lang::Map;
use super::messages::{Feature, KeyProblem};
use super::options::Options;
use super::surroundings::Surroundings;

pub(crate) use explain::{Override, rows};
pub use explain::{Row, Source};
pub(crate) use known::nearest_word;
pub(crate) use listen::{parse_plain, parse_port};
pub(crate) use settings::{LANGS, LOG_FORMATS, SYSLOGS, one_of, parse_log_format};
pub use shown::{Shown, Unset};

/// Mistakes that are told one by one; nobody mends more in one go.
pub const ERRORS_SHOWN_MAX: usize = 100;

/// What was found while settings were read.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Findings {
    /// What must be mended before the server can start.
    pub errors: Vec<Fault>,
    /// What is probably not meant.
    pub warnings: Vec<Fault>,
}

/// Puts the settings of a file, which was read from `path`, into `options`. What is wrong is
/// added to `findings`; what is right is set all the same.
pub fn apply(
    map: &Map,
    path: &Path,
    options: &mut Options,
    surroundings: &dyn Surroundings,
    findings: &mut Findings,
) {
    if map.is_empty() {
        let file_start = Place {
            file: path.display().to_string().into(),
            line: 1,
            column: 1,
        };
        let warning = Fault::at(&file_start, KeyProblem::NothingInFile);
        findings.warnings.push(warning);
    }
    let mut settings = settings::Settings {
        options,
        draft: draft::Draft::default(),
        surroundings,
        findings,
    };
    for entry in map.entries() {
        if settings.findings.errors.len() >= ERRORS_SHOWN_MAX {
            let rest = Fault::at(&entry.place, KeyProblem::MoreMistakes);
            settings.findings.errors.push(rest);
            break;
        }
        let field = Field::of(entry);
        let result = match known::find(TOP_LEVEL, &entry.key) {
            Some(Meaning::Sets(key)) => settings.set(key, &field),
            Some(Meaning::NotYet(feature, off)) => not_yet(feature, off, &field),
            None if entry.used_as_variable => Ok(()),
            None => Err(unknown(&field, known::nearest(TOP_LEVEL, &entry.key))),
        };
        settings.findings.errors.extend(result.err());
    }
    let draft = settings.draft;
    together::settle(draft, options, findings);
}

/// Sets each key of a block; mistakes are added to `findings`.
fn read_block<K: Copy>(
    map: &Map,
    table: &Table<K>,
    findings: &mut Findings,
    mut set: impl FnMut(K, &Field<'_>, &mut Findings) -> Result<(), Fault>,
) {
    for entry in map.entries() {
        if findings.errors.len() >= ERRORS_SHOWN_MAX {
            break;
        }
        let inner = Field::of(entry);
        let result = match known::find(table, &entry.key) {
            Some(Meaning::Sets(key)) => set(key, &inner, findings),
            Some(Meaning::NotYet(feature, off)) => not_yet(feature, off, &inner),
            None if entry.used_as_variable => Ok(()),
            None => Err(unknown(&inner, known::nearest(table, &entry.key))),
        };
        findings.errors.extend(result.err());
    }
}

fn not_yet(feature: Feature, off: known::Off, field: &Field<'_>) -> Result<(), Fault> {
    if known::is_off(off, field) {
        return Ok(());
    }
    let key = field.key.to_owned();
    let problem = KeyProblem::NotYet { key, feature };
    Err(Fault::at(field.key_place, problem))
}

fn unknown(field: &Field<'_>, nearest: Option<String>) -> Fault {
    let key = field.key.to_owned();
    Fault::at(field.key_place, KeyProblem::UnknownKey { key, nearest })
}
