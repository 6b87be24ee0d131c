//! `authorization { … }`: one token, or one user with a password.

use std::path::Path;
use std::time::Duration;

use super::field::Field;
use super::known::{self, AUTHORIZATION, AuthorizationKey, Meaning};
use super::{ERRORS_SHOWN_MAX, Findings};
use crate::config::fault::Fault;
use crate::config::messages::KeyProblem;
use crate::config::options::Authorization;
use crate::config::surroundings::Surroundings;
use crate::config::token;

/// A longer time to authenticate is probably a mistake of units.
const TIMEOUT_USUAL_MAX: Duration = Duration::from_secs(60);

/// Reads the block; mistakes in it are added to `findings`.
pub(super) fn read(
    field: &Field<'_>,
    authorization: &mut Authorization,
    surroundings: &dyn Surroundings,
    findings: &mut Findings,
) -> Result<(), Fault> {
    for entry in field.map()?.entries() {
        if findings.errors.len() >= ERRORS_SHOWN_MAX {
            break;
        }
        let inner = Field::of(entry);
        let warnings = &mut findings.warnings;
        let result = match known::find(AUTHORIZATION, &entry.key) {
            Some(Meaning::Sets(key)) => set(key, &inner, authorization, surroundings, warnings),
            Some(Meaning::NotYet(feature, off)) => super::not_yet(feature, off, &inner),
            None if entry.used_as_variable => Ok(()),
            None => {
                let nearest = known::nearest(AUTHORIZATION, &entry.key);
                Err(super::unknown(&inner, nearest))
            }
        };
        findings.errors.extend(result.err());
    }
    Ok(())
}

fn set(
    key: AuthorizationKey,
    field: &Field<'_>,
    authorization: &mut Authorization,
    surroundings: &dyn Surroundings,
    warnings: &mut Vec<Fault>,
) -> Result<(), Fault> {
    match key {
        AuthorizationKey::User => authorization.user = Some(field.text()?.to_owned()),
        AuthorizationKey::Password => authorization.password = Some(field.text()?.to_owned()),
        AuthorizationKey::Timeout => {
            let timeout = field.timeout()?;
            if timeout > TIMEOUT_USUAL_MAX {
                warnings.push(field.fault(KeyProblem::LongTimeout(timeout)));
            }
            // As nats-server: 0 stands for the default.
            authorization.timeout = Some(timeout).filter(|timeout| !timeout.is_zero());
        }
        AuthorizationKey::Token => {
            set_token(field, authorization, field.text()?.to_owned())?;
        }
        AuthorizationKey::TokenFile => {
            read_token_file(field, authorization, surroundings, warnings)?;
        }
    }
    Ok(())
}

/// `token_file`, relative to the file that says so.
pub(super) fn read_token_file(
    field: &Field<'_>,
    authorization: &mut Authorization,
    surroundings: &dyn Surroundings,
    warnings: &mut Vec<Fault>,
) -> Result<(), Fault> {
    let written_in = Path::new(field.key_place.file.as_ref());
    let directory = written_in.parent().unwrap_or(Path::new(""));
    let path = directory.join(field.text()?);
    let (token, warning) =
        token::read(&path, surroundings).map_err(|problem| field.fault(problem))?;
    warnings.extend(warning.map(|problem| field.fault(problem)));
    authorization.token_file = Some(path);
    set_token(field, authorization, token)
}

fn set_token(
    field: &Field<'_>,
    authorization: &mut Authorization,
    token: String,
) -> Result<(), Fault> {
    match authorization.token.replace(token) {
        Some(_) => Err(field.fault(KeyProblem::TokenTwice)),
        None => Ok(()),
    }
}
