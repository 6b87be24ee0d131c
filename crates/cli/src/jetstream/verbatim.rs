//! The options of a stream and of a consumer that give parts of its configuration as they are: a whole file,
//! notes, and the fields that have no option of their own.

use std::path::{Path, PathBuf};

use clap::Args;
use serde_json::{Map, Value};

use super::fields;
use crate::failure::Failure;
use crate::payload;
use crate::text::{help, jetstream as text};

/// The options. The file comes before all others, so that they can change what is in it.
#[derive(Debug, Args)]
pub(crate) struct Verbatim {
    #[arg(long, value_name = text::value_pair(), value_parser = fields::pair,
        help = text::metadata())]
    metadata: Vec<(String, String)>,
    #[arg(long, value_name = text::value_setting(), value_parser = fields::setting,
        help = text::set())]
    set: Vec<(String, Value)>,
    #[arg(long, value_name = help::value_file(), help = text::config())]
    config: Option<PathBuf>,
}

impl Verbatim {
    /// What `--config` says. Read once: from a pipe it comes only once.
    pub(crate) fn read(&self) -> Result<Map<String, Value>, Failure> {
        match &self.config {
            Some(path) => file(path),
            None => Ok(Map::new()),
        }
    }

    /// Puts the notes and single fields into a configuration: after what any other option says.
    pub(crate) fn apply(&self, config: &mut Map<String, Value>) {
        fields::add_metadata(config, &self.metadata);
        config.extend(self.set.iter().cloned());
    }
}

/// A configuration from a file; what `recado stream info --json` writes is understood too.
fn file(path: &Path) -> Result<Map<String, Value>, Failure> {
    let content = payload::content_of(path)?;
    let no_config = |detail: &str| Failure::Local {
        what: text::bad_config(&path.display().to_string(), detail),
        next: text::bad_config_next().to_owned(),
    };
    let read = serde_json::from_slice(&content).map_err(|error| no_config(&error.to_string()))?;
    match read {
        Value::Object(mut object) => match object.remove("config") {
            Some(config) if config.is_object() => Ok(fields::own(&config)),
            _ => Ok(fields::own(&Value::Object(object))),
        },
        _ => Err(no_config(text::no_object())),
    }
}
