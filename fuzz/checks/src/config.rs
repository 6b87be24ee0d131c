//! The configuration language, and the keys written in it.

use std::io;
use std::path::{Component, Path, PathBuf};

use recado_server::config::lang::{Data, Map, Value, digest, parse_file, parse_text};
use recado_server::config::{Fault, Lang, Loaded, Options, Surroundings, load_file};

/// The file that is read.
const MAIN: &str = "main.conf";
/// Parts two and three of an input are these files, the rest these variables.
const FILES: [&str; 2] = ["f", "g"];
const VARIABLES: [&str; 2] = ["E", "F"];
/// Between the parts of an input.
const BREAK: &[u8] = b"\n---\n";
/// Values and bytes of a configuration that is written out again. Variables that double each
/// other make large ones out of a few lines.
const WRITTEN_OUT_MAX: usize = 1 << 16;

/// The input is the file; behind lines of `---` may follow the files `f` and `g` and the
/// environment's `E` and `F`.
///
/// It is read or refused, always in the same way and with a text for people in every language;
/// what was read, written out without includes and variables, reads the same; its keys set
/// options or are refused.
pub fn config(input: &[u8]) {
    let world = World::of(input);
    let parsed = match parse_file(Path::new(MAIN), &world) {
        Ok(parsed) => parsed,
        Err(fault) => return told(&fault),
    };
    parsed.warnings.iter().for_each(told);

    let mut budget = WRITTEN_OUT_MAX;
    if !affordable_map(&parsed.map, &mut budget) {
        return;
    }
    let mut text = String::from("\n");
    write_entries(&mut text, &parsed.map);
    match parse_text(&text, Path::new("again"), &World::default()) {
        Ok(again) => {
            assert_eq!(again.map, parsed.map, "{text}");
            assert_eq!(digest(&again.map), digest(&parsed.map), "{text}");
        }
        Err(fault) => panic!("written out it was refused: {fault}\n{text}"),
    }
    keys(&world, &digest(&parsed.map));
}

fn keys(world: &World, digest: &str) {
    let mut options = Options::default();
    match load_file(Path::new(MAIN), &mut options, world) {
        Ok(file) => {
            assert_eq!(file.digest, digest);
            let validated = options.validate();
            for findings in [&file.findings, &validated] {
                findings.errors.iter().for_each(told);
                findings.warnings.iter().for_each(told);
            }
        }
        Err(fault) => panic!("what was read before was refused: {fault}"),
    }
}

/// A fault has words in every language, on one line whatever they quote.
fn told(fault: &Fault) {
    let texts = [Lang::En, Lang::Es].map(|lang| fault.text(lang));
    assert!(texts.iter().all(|text| !text.trim().is_empty()));
    assert!(texts.iter().all(|text| !text.contains(char::is_control)));
    assert_ne!(texts[0], texts[1]);
}

/// The files and variables that an input brings along.
#[derive(Default)]
struct World {
    files: Vec<(PathBuf, Vec<u8>)>,
    variables: Vec<(&'static str, String)>,
}

impl World {
    fn of(input: &[u8]) -> Self {
        let (mut parts, mut rest) = (Vec::new(), input);
        while let Some(at) = rest.windows(BREAK.len()).position(|bytes| bytes == BREAK) {
            parts.push(&rest[..at]);
            rest = &rest[at + BREAK.len()..];
        }
        parts.push(rest);
        let mut parts = parts.into_iter();
        let files = [MAIN].into_iter().chain(FILES);
        let files = files
            .zip(parts.by_ref())
            .map(|(name, bytes)| (name.into(), bytes.to_vec()))
            .collect();
        let variables = VARIABLES
            .into_iter()
            .zip(parts)
            // No system lets a NUL into the environment.
            .map(|(name, bytes)| (name, String::from_utf8_lossy(bytes).replace('\0', "")))
            .collect();
        Self { files, variables }
    }
}

impl Surroundings for World {
    fn load(&self, path: &Path) -> io::Result<Loaded> {
        // Enough of a file system to see that `./f` and `f` are one file.
        let identity: PathBuf = path
            .components()
            .filter(|part| *part != Component::CurDir)
            .collect();
        let found = self.files.iter().find(|(name, _)| *name == identity);
        let (_, bytes) = found.ok_or(io::ErrorKind::NotFound)?;
        Ok(Loaded {
            identity,
            bytes: bytes.clone(),
            mode: 0o600,
        })
    }

    fn variable(&self, name: &str) -> Option<String> {
        let found = self.variables.iter().find(|(known, _)| *known == name);
        found.map(|(_, value)| value.clone())
    }
}

/// Whether everything written out stays within the budget, of which it takes its part.
fn affordable(value: &Value, budget: &mut usize) -> bool {
    let size = match &value.data {
        Data::String(text) => 1 + text.len(),
        _ => 1,
    };
    let Some(left) = budget.checked_sub(size) else {
        return false;
    };
    *budget = left;
    match &value.data {
        Data::Array(array) => array.values().iter().all(|value| affordable(value, budget)),
        Data::Map(map) => affordable_map(map, budget),
        _ => true,
    }
}

fn affordable_map(map: &Map, budget: &mut usize) -> bool {
    map.entries().iter().all(|entry| {
        *budget = budget.saturating_sub(entry.key.len());
        affordable(&entry.value, budget)
    })
}

fn write_entries(text: &mut String, map: &Map) {
    for entry in map.entries() {
        write_key(text, &entry.key);
        text.push_str(": ");
        write_value(text, &entry.value);
        text.push('\n');
    }
}

/// Keys have no escapes. One that holds both quotes was written without any.
fn write_key(text: &mut String, key: &str) {
    let quote = match (key.contains('"'), key.contains('\'')) {
        (false, _) => "\"",
        (true, false) => "'",
        (true, true) => "",
    };
    text.extend([quote, key, quote]);
}

fn write_value(text: &mut String, value: &Value) {
    match &value.data {
        Data::String(string) => write_string(text, string),
        Data::Integer(number) => text.push_str(&number.to_string()),
        Data::Float(number) => {
            let digits = number.to_string();
            text.push_str(&digits);
            if !digits.contains('.') {
                text.push_str(".0");
            }
        }
        Data::Bool(value) => text.push_str(if *value { "yes" } else { "off" }),
        Data::Datetime(time) => text.push_str(&time.to_string()),
        Data::Array(array) => {
            text.push('[');
            for value in array.values() {
                write_value(text, value);
                text.push_str(", ");
            }
            text.push(']');
        }
        Data::Map(map) => {
            text.push_str("{\n");
            write_entries(text, map);
            text.push('}');
        }
    }
}

fn write_string(text: &mut String, string: &str) {
    text.push('"');
    for found in string.chars() {
        match found {
            '"' => text.push_str("\\\""),
            '\\' => text.push_str("\\\\"),
            '\0'..='\u{1f}' => text.push_str(&format!("\\x{:02x}", found as u32)),
            _ => text.push(found),
        }
    }
    text.push('"');
}
