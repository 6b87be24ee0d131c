//! `proxies { trusted [ { key } ] }`: whose word is taken for a client's way (B12).

use recado_auth::KeyKind;

use super::Findings;
use super::field::Field;
use super::known::{Meaning::Sets, Table};
use super::lists::read_list;
use super::read_block;
use crate::config::fault::Fault;
use crate::config::messages::AccessProblem;

const KEYS: &Table<()> = &[(&["trusted"], Sets(()))];
const TRUSTED_KEYS: &Table<()> = &[(&["key", "public_key"], Sets(()))];

/// The public keys of trusted proxies; mistakes are added to `findings`.
pub(super) fn read(field: &Field<'_>, findings: &mut Findings) -> Result<Vec<String>, Fault> {
    let mut keys = Vec::new();
    read_block(field.map()?, KEYS, findings, |(), trusted, findings| {
        read_list(trusted, findings, |one, findings| {
            read_block(one.map()?, TRUSTED_KEYS, findings, |(), inner, _| {
                keys.push(key(inner)?);
                Ok(())
            });
            Ok(())
        })
    });
    Ok(keys)
}

/// Any key that can sign.
fn key(field: &Field<'_>) -> Result<String, Fault> {
    let text = field.text()?;
    match KeyKind::of(text) {
        Some(kind) if kind != KeyKind::Curve => Ok(text.to_owned()),
        _ => Err(field.trouble(AccessProblem::BadNkey {
            value: text.to_owned(),
            kind: KeyKind::Other,
        })),
    }
}
