//! A configuration file from its path to its settings.

use std::path::Path;

use super::fault::Fault;
use super::keys::{self, Findings};
use super::lang;
use super::options::Options;
use super::surroundings::Surroundings;

/// What a configuration file said.
#[derive(Clone, Debug)]
pub struct LoadedFile {
    /// Tells this configuration from others, whatever its comments and layout.
    pub digest: String,
    /// Mistakes and warnings; settings without mistakes are in the options all the same.
    pub findings: Findings,
}

/// Reads a configuration file, with what it includes, into `options`.
///
/// What isn't the configuration language comes back as an error; what is wrong about keys and
/// values comes back in the findings, all of it.
pub fn load_file(
    path: &Path,
    options: &mut Options,
    surroundings: &dyn Surroundings,
) -> Result<LoadedFile, Box<Fault>> {
    let parsed = lang::parse_file(path, surroundings).map_err(Box::new)?;
    let mut findings = Findings {
        errors: Vec::new(),
        warnings: parsed.warnings,
    };
    keys::apply(&parsed.map, path, options, surroundings, &mut findings);
    Ok(LoadedFile {
        digest: lang::digest(&parsed.map),
        findings,
    })
}
