//! What other accounts call by a subject that is asked about, and why it does not cross: an export that is not imported, an
//! import under another name, an import that nobody lets.
//!
//! Who may not see all learns of what is offered to its account, and of its own imports; never of what is kept for others.

use std::sync::Arc;

use recado_auth::jwt::NotImported;
use recado_wire::filter_matches;
use serde::Serialize;

use super::account::{Account, Terms};
use super::crossing::{Renaming, imported_filter};
use super::plan::{ExportPlan, ImportPlan, Kind};
use super::shared::Engine;

/// Entries that are told of.
const ELSEWHERE_MAX: usize = 64;

/// Something that another account has under this subject, or that this one was to have of it.
#[derive(Debug, PartialEq, Eq, Serialize)]
pub(crate) struct Elsewhere {
    /// `stream` or `service`.
    kind: &'static str,
    /// The account that exports, or was to.
    pub(crate) account: String,
    /// The account that would import; absent: the one that is asked about.
    #[serde(skip_serializing_if = "Option::is_none")]
    importer: Option<String>,
    /// The filter of the export or import, as the exporter calls it.
    subject: String,
    /// Why it does not cross.
    pub(crate) why: &'static str,
    /// What the importer calls the subject.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) here: Option<String>,
}

/// All of it for `subject` in `account`. `sees_all`: also what other accounts may not know.
pub(super) fn elsewhere(
    engine: &Engine,
    account: &Arc<Account>,
    subject: &[u8],
    sees_all: bool,
) -> Vec<Elsewhere> {
    let terms = account.terms();
    let mut found = Vec::new();
    for (import, why) in &terms.plan.idle_imports {
        if is_named(import, subject) && found.len() < ELSEWHERE_MAX {
            found.push(Elsewhere::idle(import, word_of(*why, sees_all)));
        }
    }
    for other in engine.accounts.all() {
        if Arc::ptr_eq(&other, account) {
            continue;
        }
        let theirs = other.terms();
        let exports = theirs.plan.exports.iter();
        let exports = exports.filter(|export| matches(&export.subject, subject));
        for export in exports {
            let told = unimported(
                &terms,
                &account.name,
                &other.name,
                export,
                subject,
                sees_all,
            );
            found.extend(told);
        }
        if sees_all {
            let from_here = |import: &ImportPlan| import.account == *account.name;
            let idle = theirs.plan.idle_imports.iter();
            let idle = idle.filter(|(import, _)| from_here(import) && is_named(import, subject));
            found.extend(idle.map(|(import, why)| Elsewhere {
                importer: Some(other.name.as_ref().to_owned()),
                ..Elsewhere::idle(import, word_of(*why, true))
            }));
        }
        if found.len() >= ELSEWHERE_MAX {
            break;
        }
    }
    found.truncate(ELSEWHERE_MAX);
    found.sort_by(|one, other| (&one.account, &one.subject).cmp(&(&other.account, &other.subject)));
    found
}

/// An export that covers the subject, if the account has it not, or under another name.
fn unimported(
    terms: &Terms,
    importer: &str,
    exporter: &str,
    export: &ExportPlan,
    subject: &[u8],
    sees_all: bool,
) -> Option<Elsewhere> {
    let told = |why, here| {
        Some(Elsewhere {
            kind: word(export.kind),
            account: exporter.to_owned(),
            importer: None,
            subject: export.subject.clone(),
            why,
            here,
        })
    };
    let covers = |import: &&ImportPlan| {
        import.kind == export.kind
            && import.account == *exporter
            && matches(&import.subject, subject)
    };
    let idle = { terms.plan.idle_imports.iter() }.map(|(import, _)| import);
    if { idle }.any(|import| covers(&import)) {
        // It is told as what it is.
        return None;
    }
    let mut imports = terms.plan.imports.iter().filter(covers).peekable();
    if imports.peek().is_some() {
        let names = imports.map(|import| here(import, subject));
        let names: Vec<_> = names.collect();
        let is_same = |name: &Option<String>| name.as_deref().map(str::as_bytes) == Some(subject);
        return match names.iter().any(is_same) {
            true => None,
            false => told("other_name", names.into_iter().flatten().next()),
        };
    }
    match is_offered(export, importer, subject) {
        true => told("not_imported", None),
        false if sees_all => told("not_granted", None),
        false => None,
    }
}

/// What an import that has an effect calls the subject.
fn here(import: &ImportPlan, subject: &[u8]) -> Option<String> {
    let renaming = Renaming::new(&import.subject, &import.to).ok()?;
    let named = renaming.inward.apply(subject, 0)?;
    Some(String::from_utf8_lossy(&named).into_owned())
}

/// Whether an account may know of an export: it is for everybody, or for it by name.
fn is_offered(export: &ExportPlan, importer: &str, subject: &[u8]) -> bool {
    let mut tokens = subject.split(|byte| *byte == b'.');
    let named = export.token_position.map(|at| {
        let token = tokens.nth(at.saturating_sub(1));
        token == Some(importer.as_bytes())
    });
    let listed = export.accounts.as_ref();
    let listed = listed.map(|names| names.iter().any(|name| name == importer));
    match (named, listed) {
        (None, None) => !export.needs_activation,
        (named, listed) => named.unwrap_or(true) && listed.unwrap_or(true),
    }
}

/// Whether an import is about the subject, as either side calls it.
fn is_named(import: &ImportPlan, subject: &[u8]) -> bool {
    matches(&import.subject, subject)
        || imported_filter(&import.subject, &import.to).is_ok_and(|ours| matches(&ours, subject))
}

fn matches(filter: &str, subject: &[u8]) -> bool {
    filter_matches(filter.as_bytes(), subject)
}

impl Elsewhere {
    fn idle(import: &ImportPlan, why: &'static str) -> Self {
        Self {
            kind: word(import.kind),
            account: import.account.clone(),
            importer: None,
            subject: import.subject.clone(),
            why,
            here: imported_filter(&import.subject, &import.to).ok(),
        }
    }
}

fn word(kind: Kind) -> &'static str {
    match kind {
        Kind::Stream => "stream",
        Kind::Service => "service",
    }
}

/// Never change: programs read them. Whether there is such an account, or such an export of its, is not for everybody.
fn word_of(why: NotImported, sees_all: bool) -> &'static str {
    match why {
        NotImported::UnknownExporter if sees_all => "exporter_unknown",
        NotImported::OfOthers if sees_all => "not_granted",
        NotImported::UnknownExporter | NotImported::NotExported | NotImported::OfOthers => {
            "not_exported"
        }
        NotImported::NoActivation => "no_activation",
        NotImported::ActivationRevoked => "activation_revoked",
        NotImported::ActivationOver => "activation_over",
        NotImported::ActivationNotYet => "activation_not_yet",
        NotImported::Misnamed => "misnamed",
    }
}

#[cfg(test)]
mod tests {
    use super::super::crossing::ResponseType;
    use super::*;

    #[test]
    fn an_export_is_told_to_those_that_may_import_it_by_all_that_it_asks() {
        let offered = |names: Option<&[&str]>, token_position, needs_activation| {
            let export = ExportPlan {
                kind: Kind::Service,
                subject: "svc.*".to_owned(),
                accounts: names.map(|names| names.iter().map(ToString::to_string).collect()),
                needs_activation,
                token_position,
                response_type: ResponseType::Singleton,
                response_threshold: None,
                allow_trace: false,
                latency: None,
            };
            is_offered(&export, "A", b"svc.A")
        };
        assert!(offered(None, None, false));
        assert!(!offered(None, None, true));
        assert!(offered(Some(&["A"]), None, false) && !offered(Some(&["C"]), None, false));
        assert!(offered(None, Some(2), false) && !offered(None, Some(1), false));
        assert!(offered(Some(&["A"]), Some(2), false) && !offered(Some(&["C"]), Some(2), false));
    }
}
