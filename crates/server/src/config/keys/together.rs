//! Users and accounts held against each other, once all of them were read: reference rows C42 to C47, D47.

use std::collections::{HashMap, HashSet};

use recado_auth::{NameOrKey, PermissionsSpec};
use recado_streams::config::is_subset;

use super::cycles;
use super::domains;
use super::draft::{Draft, DraftAccount, DraftCallout, Named, Placed};
use super::{ERRORS_SHOWN_MAX, Findings};
use crate::config::access::{Import, Kind, UserOptions};
use crate::config::fault::{Fault, Place};
use crate::config::keys::nearest_word;
use crate::config::messages::AccessProblem;
use crate::config::options::Options;
use crate::engine::imported_filter;

/// Most imports of one account.
const IMPORTS_MAX: usize = 4_096;

/// Checks what was read, and puts it into `options`. What is wrong is added to `findings`.
pub(super) fn settle(mut draft: Draft, options: &mut Options, findings: &mut Findings) {
    let mut problems = Vec::new();
    users(&draft, options, &mut problems);
    references(&draft, &mut problems);
    crossings(&draft, &mut problems);
    domains::check(&draft, &mut problems);
    draft.check_operator(options, &mut problems);
    problems.truncate(ERRORS_SHOWN_MAX.saturating_sub(findings.errors.len()));
    findings.errors.extend(problems);
    let system_account = draft.system_account.take().map(|name| name.value);
    options.system_account = system_account;
    findings.warnings.extend(draft.warning_of_resolver_tls());
    draft.take_over_operator(options);
    domains::take_over(&mut draft, options, findings);
    take_over(draft, options);
}

/// Every user once, and none beside a token or a single user.
fn users(draft: &Draft, options: &Options, problems: &mut Vec<Fault>) {
    let mut seen = HashSet::new();
    for user in draft.all_users() {
        let name = user.value.name.as_str();
        if !seen.insert(name) {
            let problem = AccessProblem::UserTwice(name.to_owned());
            problems.push(Fault::at(&user.place, problem));
        }
    }
    let authorization = &options.authorization;
    let single = authorization.user.is_some() || authorization.token.is_some();
    let own = draft.users.as_ref().map(|users| &users.place);
    let others = draft.all_users().next().map(|user| &user.place);
    if let Some(place) = own.or(others).filter(|_| single) {
        problems.push(Fault::at(place, AccessProblem::UsersAndSingle));
    }
    let of_listeners = [&draft.websocket_single, &draft.mqtt_single];
    for own in of_listeners.into_iter().flatten() {
        if draft.all_users().next().is_some() {
            problems.push(Fault::at(&own.place, AccessProblem::UsersAndSingle));
        }
    }
    for name in draft
        .no_auth_user
        .iter()
        .chain(&draft.websocket_no_auth_user)
        .chain(&draft.mqtt_no_auth_user)
    {
        if !draft.has_user(&name.value) {
            problems.push(unknown_user(draft, name));
        }
    }
}

/// Names of accounts and users that must be there.
fn references(draft: &Draft, problems: &mut Vec<Fault>) {
    // Accounts that operators sign are not in the file.
    let signed = draft.is_operator_mode();
    let unknown = |named: &&Named| !draft.has_account(&named.value);
    let exports = draft.accounts.iter().flat_map(|account| &account.exports);
    let listed = exports.flat_map(|export| &export.accounts);
    let callout: Vec<&Named> = draft
        .callout
        .iter()
        .flat_map(DraftCallout::named_accounts)
        .collect();
    let all = listed
        .chain(callout)
        .chain(draft.system_account.iter().filter(|_| !signed));
    problems.extend(
        all.filter(unknown)
            .map(|named| unknown_account(draft, &named.value, &named.place)),
    );
    let auth_users = draft.callout.iter().flat_map(|callout| &callout.auth_users);
    let missing = auth_users.filter(|name| !draft.has_user(&name.value));
    problems.extend(missing.map(|name| unknown_user(draft, name)));
}

impl DraftCallout {
    fn named_accounts(&self) -> impl Iterator<Item = &Named> {
        self.account.iter().chain(&self.allowed_accounts)
    }
}

/// Imports rest on exports, fit them, and lead nowhere in a circle.
fn crossings(draft: &Draft, problems: &mut Vec<Fault>) {
    let by_name: HashMap<&str, &DraftAccount> = draft
        .accounts
        .iter()
        .map(|account| (account.options.name.as_str(), account))
        .collect();
    for importer in &draft.accounts {
        if let Some(one_more) = importer.imports.get(IMPORTS_MAX) {
            let problem = AccessProblem::TooManyImports(IMPORTS_MAX);
            problems.push(Fault::at(&one_more.place, problem));
            return;
        }
        let mut seen = HashSet::new();
        for import in &importer.imports {
            let found = check_import(importer, import, &by_name, draft);
            problems.extend(found.err());
            let one = &import.value;
            // A stream must not come twice; a service must not go to one account twice.
            let subject = match one.kind {
                Kind::Stream => one.subject.clone(),
                Kind::Service => one.local(),
            };
            if !seen.insert((one.kind == Kind::Stream, one.from_account.as_str(), subject)) {
                let problem = AccessProblem::ImportTwice(one.subject.clone());
                problems.push(Fault::at(&import.place, problem));
            }
        }
    }
    for circle in cycles::find(&draft.accounts) {
        let problem = AccessProblem::ImportCycle(circle.accounts);
        problems.push(Fault::at(circle.place, problem));
    }
}

fn check_import(
    importer: &DraftAccount,
    import: &Placed<Import>,
    accounts: &HashMap<&str, &DraftAccount>,
    draft: &Draft,
) -> Result<(), Fault> {
    let one = &import.value;
    let Some(exporter) = accounts.get(one.from_account.as_str()) else {
        return Err(unknown_account(draft, &one.from_account, &import.place));
    };
    if !is_exported(exporter, one, &importer.options.name) {
        let problem = AccessProblem::NotExported {
            exporter: one.from_account.clone(),
            importer: importer.options.name.clone(),
            kind: one.kind,
            subject: one.subject.clone(),
        };
        return Err(Fault::at(&import.place, problem));
    }
    let named = imported_filter(&one.subject, &one.local());
    named.map(drop).map_err(|why| {
        let problem = AccessProblem::ImportNames {
            subject: one.subject.clone(),
            to: one.local(),
            why: why.to_string(),
        };
        Fault::at(&import.place, problem)
    })
}

/// Whether an export of the account is wide enough, and for the importer.
fn is_exported(exporter: &DraftAccount, import: &Import, importer: &str) -> bool {
    exporter.exports.iter().any(|draft| {
        let export = &draft.export.value;
        let listed = |names: &Vec<String>| names.iter().any(|name| name == importer);
        // The subject that was exported itself names no importer.
        let positioned = export.token_position.is_none_or(|position| {
            let token = import.subject.split('.').nth(position.saturating_sub(1));
            token == Some(importer)
        });
        export.kind == import.kind
            && is_subset(&import.subject, &export.subject)
            && positioned
            && (export.token_position.is_some() || export.accounts.as_ref().is_none_or(listed))
    })
}

pub(super) fn unknown_account(draft: &Draft, name: &str, place: &Place) -> Fault {
    let names = draft
        .accounts
        .iter()
        .map(|account| account.options.name.as_str());
    let problem = AccessProblem::UnknownAccount {
        name: name.to_owned(),
        nearest: nearest_word(names, name),
    };
    Fault::at(place, problem)
}

fn unknown_user(draft: &Draft, named: &Named) -> Fault {
    let names = draft.all_users().filter_map(|user| match &user.value.name {
        NameOrKey::Name(name) => Some(name.as_str()),
        NameOrKey::Nkey(_) => None,
    });
    let problem = AccessProblem::UnknownUser {
        name: named.value.clone(),
        nearest: nearest_word(names, &named.value),
    };
    Fault::at(&named.place, problem)
}

fn take_over(draft: Draft, options: &mut Options) {
    let default = options.authorization.default_permissions.clone();
    let own = draft.users.map(|users| users.value).unwrap_or_default();
    options.authorization.users = with_defaults(own, default.as_ref());
    options.authorization.callout = draft.callout.map(|callout| callout.options);
    options.no_auth_user = draft.no_auth_user.map(|name| name.value);
    let accounts = draft.accounts.into_iter().map(|draft| {
        let mut account = draft.options;
        let default = account.default_permissions.as_ref();
        account.users = with_defaults(draft.users, default);
        account.exports = draft
            .exports
            .into_iter()
            .map(|one| one.export.value)
            .collect();
        account.imports = draft.imports.into_iter().map(|one| one.value).collect();
        account
    });
    options.accounts = accounts.collect();
}

/// Users without permissions of their own have those by default (C34).
fn with_defaults(
    users: Vec<Placed<UserOptions>>,
    default: Option<&PermissionsSpec>,
) -> Vec<UserOptions> {
    let users = users.into_iter().map(|user| user.value);
    let filled = users.map(|mut user| {
        if user.permissions.is_none() {
            user.permissions = default.cloned();
        }
        user
    });
    filled.collect()
}
