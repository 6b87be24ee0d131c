//! Lists, and bounds of accounts.

use super::field::Field;
use super::{ERRORS_SHOWN_MAX, Findings};
use crate::config::fault::Fault;
use crate::config::lang::Data;
use crate::config::messages::Kind;

/// Takes each value of a list; mistakes are added to `findings`.
pub(super) fn read_list(
    field: &Field<'_>,
    findings: &mut Findings,
    mut take: impl FnMut(&Field<'_>, &mut Findings) -> Result<(), Fault>,
) -> Result<(), Fault> {
    let Data::Array(array) = &field.value.data else {
        return Err(field.wrong_kind(Kind::List));
    };
    for value in array.values() {
        if findings.errors.len() >= ERRORS_SHOWN_MAX {
            break;
        }
        let result = take(&field.with(value), findings);
        findings.errors.extend(result.err());
    }
    Ok(())
}

/// One text or a list of them.
pub(super) fn texts(field: &Field<'_>, findings: &mut Findings) -> Result<Vec<String>, Fault> {
    if matches!(field.value.data, Data::String(_)) {
        return Ok(vec![field.text()?.to_owned()]);
    }
    let mut texts = Vec::new();
    read_list(field, findings, |one, _| {
        texts.push(one.text()?.to_owned());
        Ok(())
    })?;
    Ok(texts)
}

/// A bound: none for what is below 0.
pub(super) fn bound<N: TryFrom<i64>>(field: &Field<'_>) -> Result<Option<N>, Fault> {
    let number = field.integer(i64::MIN, i64::MAX)?;
    Ok(N::try_from(number).ok().filter(|_| number >= 0))
}
