//! `authorization { … }`: one token, one user with a password, or several users.

use std::path::PathBuf;
use std::time::Duration;

use super::Findings;
use super::draft::{Draft, Placed};
use super::field::Field;
use super::known::{AUTHORIZATION, AuthorizationKey};
use super::read_block;
use super::{callout, permissions, users};
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
    draft: &mut Draft,
    surroundings: &dyn Surroundings,
    findings: &mut Findings,
) -> Result<(), Fault> {
    let map = field.map()?;
    read_block(map, AUTHORIZATION, findings, |key, inner, findings| {
        set(key, inner, authorization, draft, surroundings, findings)
    });
    Ok(())
}

fn set(
    key: AuthorizationKey,
    field: &Field<'_>,
    authorization: &mut Authorization,
    draft: &mut Draft,
    surroundings: &dyn Surroundings,
    findings: &mut Findings,
) -> Result<(), Fault> {
    let warnings = &mut findings.warnings;
    match key {
        AuthorizationKey::User
        | AuthorizationKey::Password
        | AuthorizationKey::Timeout
        | AuthorizationKey::Token => set_single(key, field, authorization, findings)?,
        AuthorizationKey::TokenFile => {
            read_token_file(field, authorization, surroundings, warnings)?;
        }
        AuthorizationKey::Users => {
            draft.users = Some(Placed::at(field, users::read(field, findings)?));
        }
        AuthorizationKey::DefaultPermissions => {
            authorization.default_permissions = Some(permissions::read(field, findings)?);
        }
        AuthorizationKey::Callout => draft.callout = Some(callout::read(field, findings)?),
        AuthorizationKey::ProxyRequired => authorization.proxy_required = field.boolean()?,
    }
    Ok(())
}

/// What all share: a token, or one user, and the time to present it.
pub(super) fn set_single(
    key: AuthorizationKey,
    field: &Field<'_>,
    authorization: &mut Authorization,
    findings: &mut Findings,
) -> Result<(), Fault> {
    match key {
        AuthorizationKey::User => authorization.user = Some(field.text()?.to_owned()),
        AuthorizationKey::Password => authorization.password = Some(field.text()?.to_owned()),
        AuthorizationKey::Timeout => {
            let timeout = field.timeout()?;
            if timeout > TIMEOUT_USUAL_MAX {
                let warning = KeyProblem::LongTimeout(timeout);
                findings.warnings.push(field.fault(warning));
            }
            // As nats-server: 0 stands for the default.
            authorization.timeout = Some(timeout).filter(|timeout| !timeout.is_zero());
        }
        _ => set_token(field, authorization, field.text()?.to_owned())?,
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
    let (path, token) = token_in_file(field, surroundings, warnings)?;
    authorization.token_file = Some(path);
    set_token(field, authorization, token)
}

/// The file that is named, relative to the one that says so, and the token in it.
pub(super) fn token_in_file(
    field: &Field<'_>,
    surroundings: &dyn Surroundings,
    warnings: &mut Vec<Fault>,
) -> Result<(PathBuf, String), Fault> {
    let path = field.path()?;
    let (token, warning) =
        token::read(&path, surroundings).map_err(|problem| field.fault(problem))?;
    warnings.extend(warning.map(|problem| field.fault(problem)));
    Ok((path, token))
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
