//! `default_js_domain { ACCOUNT: domain }`: accounts without streams whose clients speak to those of a domain (D28).
//!
//! The requests that they make as if the streams were theirs are renamed to those of the domain, as with the account's own
//! `mappings`. On one server something comes of it where the account imports that domain's API from another account.

use recado_auth::{DEFAULT_ACCOUNT, KeyKind};

use super::Findings;
use super::draft::{Draft, Placed};
use super::field::Field;
use super::together::unknown_account;
use crate::config::fault::Fault;
use crate::config::lang::Data;
use crate::config::messages::{AccessProblem, KeyProblem};
use crate::config::options::Options;
use crate::config::streams::is_domain;

/// Reads the block. An empty domain means none.
pub(super) fn read(field: &Field<'_>) -> Result<Vec<Placed<(String, String)>>, Fault> {
    let mut domains = Vec::new();
    for entry in field.map()?.entries() {
        if entry.used_as_variable {
            continue;
        }
        let inner = Field::of(entry);
        let domain = match &inner.value.data {
            Data::String(text) if text.is_empty() => "",
            _ => inner.text()?,
        };
        if !domain.is_empty() && !is_domain(domain) {
            return Err(inner.fault(KeyProblem::BadDomain(domain.to_owned())));
        }
        let one = (entry.key.to_string(), domain.to_owned());
        domains.push(Placed::at(&inner, one));
    }
    Ok(domains)
}

/// The accounts are there, and neither the system's nor any that has streams itself.
pub(super) fn check(draft: &Draft, problems: &mut Vec<Fault>) {
    let system = draft.system_account.as_ref().map(|name| &*name.value);
    let system = system.or_else(|| draft.operators_system_accounts().next());
    let system = system.unwrap_or("$SYS");
    for one in &draft.default_domains {
        let (account, domain) = &one.value;
        let has_streams = draft
            .accounts
            .iter()
            .any(|known| known.options.name == *account && known.options.streams.is_some());
        let problem = if account == system {
            Fault::at(&one.place, AccessProblem::DomainOfSystem(account.clone()))
        } else if draft.is_operator_mode() {
            // What else there is to say of them stands in their claims.
            let (value, kind) = (account.clone(), KeyKind::Account);
            match KeyKind::of(account) {
                Some(KeyKind::Account) => continue,
                _ => Fault::at(&one.place, AccessProblem::BadNkey { value, kind }),
            }
        } else if !draft.has_account(account) {
            unknown_account(draft, account, &one.place)
        } else if has_streams && !domain.is_empty() {
            Fault::at(
                &one.place,
                AccessProblem::DomainBesideStreams(account.clone()),
            )
        } else {
            continue;
        };
        problems.push(problem);
    }
}

/// Puts into `options` what has an effect. Where there are no other accounts, `$G` has the streams.
pub(super) fn take_over(draft: &mut Draft, options: &mut Options, findings: &mut Findings) {
    let system = options.system_account.as_deref().unwrap_or("$SYS");
    let others = draft.accounts.iter().map(|account| &*account.options.name);
    let is_alone = others
        .filter(|name| ![DEFAULT_ACCOUNT, system].contains(name))
        .count()
        == 0;
    for one in draft.default_domains.drain(..) {
        let (account, domain) = one.value;
        if is_alone && account == DEFAULT_ACCOUNT {
            let useless = AccessProblem::DomainChangesNothing(account);
            findings.warnings.push(Fault::at(&one.place, useless));
        } else if !domain.is_empty() {
            options.default_js_domain.insert(account, domain);
        }
    }
}
