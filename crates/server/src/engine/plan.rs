//! What accounts are to be like, as somebody configured it, and how they become so: while clients are connected,
//! as a whole or not at all.

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use hashbrown::HashMap;
use recado_auth::jwt::NotImported;
use recado_router::Subscription as _;
use recado_streams::config::is_subset;
use recado_wire::TransformError;

use super::account::{Account, AccountLimits, Terms};
use super::crossing::{RESPONSE_THRESHOLD, Renaming, ResponseType, ServiceImport, StreamImport};
use super::latency::LatencyPlan;
use super::mapping::{Mappings, Weighted};
use super::shared::Engine;
use super::subscription::Subscription;
use crate::system::OFFERED;

/// What an account offers to others, or takes of them.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Kind {
    /// Messages, from the exporter to the importer.
    Stream,
    /// Requests, from the importer to the exporter, and their answers.
    Service,
}

/// One account.
#[derive(Clone, Debug, Default)]
pub(crate) struct AccountPlan {
    pub(crate) name: String,
    pub(crate) limits: AccountLimits,
    /// Source and destinations.
    pub(crate) mappings: Vec<(String, Vec<Weighted>)>,
    pub(crate) exports: Vec<ExportPlan>,
    pub(crate) imports: Vec<ImportPlan>,
    /// Imports that nobody lets it, and why: they have no effect, and are told to whoever asks.
    pub(crate) idle_imports: Vec<(ImportPlan, NotImported)>,
    /// When one of its activation tokens begins or ends to hold next, in seconds since 1970.
    pub(crate) imports_turn_s: Option<u64>,
    pub(crate) trace: Option<TracePlan>,
}

/// Which messages that other systems trace are traced here, too, and where that is told (A123).
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct TracePlan {
    pub(crate) destination: String,
    /// So many of a hundred.
    pub(crate) percent: u8,
}

impl TracePlan {
    /// Whether the next one is; by chance.
    pub(crate) fn takes(&self, chance: u64) -> bool {
        ((chance >> 32) * 100) >> 32 < u64::from(self.percent)
    }
}

/// One export.
#[derive(Clone, Debug)]
pub(crate) struct ExportPlan {
    pub(crate) kind: Kind,
    pub(crate) subject: String,
    /// Who may import it; `None`: everybody.
    pub(crate) accounts: Option<Vec<String>>,
    /// Whoever imports it needs a token that lets it, which was looked at before (C46).
    pub(crate) needs_activation: bool,
    /// This token of the subject, from 1, must be the importer's name (C45).
    pub(crate) token_position: Option<usize>,
    pub(crate) response_type: ResponseType,
    pub(crate) response_threshold: Option<Duration>,
    /// Traces of requests go on in this account.
    pub(crate) allow_trace: bool,
    pub(crate) latency: Option<LatencyPlan>,
}

/// One import.
#[derive(Clone, Debug)]
pub(crate) struct ImportPlan {
    pub(crate) kind: Kind,
    /// The exporter.
    pub(crate) account: String,
    /// Its subject there.
    pub(crate) subject: String,
    /// Its subject here; empty: the same.
    pub(crate) to: String,
    /// Requests say who made them.
    pub(crate) share: bool,
    /// Traces of messages go on in this account.
    pub(crate) allow_trace: bool,
}

/// Why accounts can't be as planned.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum PlanError {
    /// No export of that account is wide enough, or it is not for this account.
    NotExported {
        importer: String,
        exporter: String,
        kind: Kind,
        subject: String,
    },
    /// The names of a subject on both sides do not fit each other.
    Import {
        importer: String,
        subject: String,
        to: String,
        why: TransformError,
    },
    /// Source and destination of a renaming do not fit each other.
    Mapping {
        account: String,
        source: String,
        why: TransformError,
    },
}

impl fmt::Display for PlanError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NotExported {
                importer,
                exporter,
                kind,
                subject,
            } => {
                let kind = match kind {
                    Kind::Stream => "stream",
                    Kind::Service => "service",
                };
                write!(
                    f,
                    "account {importer} imports the {kind} {subject:?} of account {exporter}, which does not export it to {importer}: add it to the exports of {exporter}"
                )
            }
            Self::Import {
                importer,
                subject,
                to,
                why,
            } => write!(
                f,
                "account {importer} can't import {subject:?} as {to:?}: {why}; every wildcard must be used, once"
            ),
            Self::Mapping {
                account,
                source,
                why,
            } => write!(f, "account {account} can't map {source:?}: {why}"),
        }
    }
}

impl std::error::Error for PlanError {}

/// Accounts as they are to be.
pub(crate) struct Prepared(Vec<(Arc<Account>, Terms)>);

impl Engine {
    /// What accounts become by these plans; those that are not spoken of have nothing configured any more. Nothing
    /// changes yet.
    ///
    /// # Errors
    /// When an import is not exported, or names do not fit each other.
    pub(crate) fn prepare_accounts(&self, plans: &[AccountPlan]) -> Result<Prepared, PlanError> {
        let by_name: HashMap<&str, &AccountPlan> = plans
            .iter()
            .map(|plan| (plan.name.as_str(), plan))
            .collect();
        let mut ready = Vec::new();
        for plan in plans {
            let account = self.accounts.get_or_add(&plan.name);
            let terms = self.terms(&account, plan, &by_name)?;
            ready.push((account, terms));
        }
        for account in self.accounts.all() {
            if !by_name.contains_key(&*account.name) {
                let terms = self.bare_terms(&account);
                ready.push((account, terms));
            }
        }
        Ok(Prepared(ready))
    }

    /// The same for some accounts: `changed` are to be as in `plans`, which holds those that they import from, too, and
    /// those that are not in it have nothing configured any more. All others stay as they are.
    ///
    /// # Errors
    /// As [`Self::prepare_accounts`].
    pub(crate) fn prepare_some(
        &self,
        plans: &[AccountPlan],
        changed: &[&str],
    ) -> Result<Prepared, PlanError> {
        let by_name: HashMap<&str, &AccountPlan> = plans
            .iter()
            .map(|plan| (plan.name.as_str(), plan))
            .collect();
        let ready = changed.iter().map(|name| {
            let account = self.accounts.get_or_add(name);
            let terms = match by_name.get(name) {
                Some(plan) => self.terms(&account, plan, &by_name)?,
                None => self.bare_terms(&account),
            };
            Ok((account, terms))
        });
        Ok(Prepared(ready.collect::<Result<_, _>>()?))
    }

    /// Of an account that nothing is configured for.
    fn bare_terms(&self, account: &Arc<Account>) -> Terms {
        Terms {
            services: self.system_services(account),
            ..Terms::default()
        }
    }

    /// Makes accounts as they were prepared.
    pub(crate) fn put_accounts_in_force(&self, prepared: Prepared) {
        for (account, terms) in prepared.0 {
            self.put_in_force(&account, terms);
        }
    }

    fn terms(
        &self,
        account: &Arc<Account>,
        plan: &AccountPlan,
        plans: &HashMap<&str, &AccountPlan>,
    ) -> Result<Terms, PlanError> {
        let mut terms = Terms {
            limits: plan.limits.clone(),
            mappings: Mappings::default(),
            stream_imports: Vec::new(),
            services: Vec::new(),
            plan: plan.clone(),
            trace: plan.trace.clone(),
        };
        for (source, destinations) in &plan.mappings {
            let added = terms.mappings.add(source, destinations);
            added.map_err(|why| PlanError::Mapping {
                account: plan.name.clone(),
                source: source.clone(),
                why,
            })?;
        }
        terms.services.extend(self.system_services(account));
        for import in &plan.imports {
            let exported = plans
                .get(import.account.as_str())
                .and_then(|exporter| export_for(exporter, import, &plan.name));
            let export = exported.ok_or_else(|| PlanError::NotExported {
                importer: plan.name.clone(),
                exporter: import.account.clone(),
                kind: import.kind,
                subject: import.subject.clone(),
            })?;
            let renaming = Renaming::new(&import.subject, &import.to);
            let renaming = renaming.map_err(|why| PlanError::Import {
                importer: plan.name.clone(),
                subject: import.subject.clone(),
                to: import.to.clone(),
                why,
            })?;
            let exporter = self.accounts.get_or_add(&import.account);
            match import.kind {
                Kind::Stream => terms.stream_imports.push(Arc::new(StreamImport {
                    exporter,
                    importer: Arc::clone(account),
                    renaming,
                    allow_trace: import.allow_trace,
                })),
                Kind::Service => {
                    let service = Subscription::for_service(Arc::new(ServiceImport {
                        exporter,
                        importer: Arc::clone(account),
                        renaming,
                        share: import.share,
                        response_type: export.response_type,
                        threshold: export.response_threshold.unwrap_or(RESPONSE_THRESHOLD),
                        allow_trace: export.allow_trace,
                        latency: export.latency.clone(),
                    }));
                    terms.services.push(Arc::new(service));
                }
            }
        }
        Ok(terms)
    }

    /// What every account reaches of the system account (A115).
    fn system_services(&self, account: &Arc<Account>) -> Vec<Arc<Subscription>> {
        let system = self.accounts.system();
        if Arc::ptr_eq(account, &system) {
            return Vec::new();
        }
        let offered = OFFERED.iter().filter_map(|subject| {
            Some(Arc::new(Subscription::for_service(Arc::new(
                ServiceImport {
                    exporter: Arc::clone(&system),
                    importer: Arc::clone(account),
                    renaming: Renaming::new(subject, "").ok()?,
                    share: false,
                    response_type: ResponseType::Singleton,
                    threshold: RESPONSE_THRESHOLD,
                    allow_trace: false,
                    latency: None,
                },
            ))))
        });
        offered.collect()
    }

    fn put_in_force(&self, account: &Arc<Account>, terms: Terms) {
        let services = terms.services.clone();
        let imports = terms.stream_imports.clone();
        self.accounts.note_turn(terms.plan.imports_turn_s);
        let before = account.set_terms(terms);
        exchange_services(account, &before.services, services);
        // Whoever reads the configuration again for something else interrupts nobody.
        if are_the_same(&before.stream_imports, &imports) {
            return;
        }
        for connection in self.connections.all() {
            if Arc::ptr_eq(&connection.account(), account) {
                let subs: Vec<_> = connection.subscriptions.lock().iter().cloned().collect();
                for sub in subs {
                    account.recast_shadows(&sub);
                    // It may have ended meanwhile: nothing may stand for it then.
                    if connection.subscriptions.lock().get(sub.sid()).is_none() {
                        account.leave(&sub);
                    }
                }
            }
        }
    }
}

/// Puts services in the places of those that were there: a request meanwhile reaches one of them, neither both nor none.
fn exchange_services(
    account: &Account,
    before: &[Arc<Subscription>],
    services: Vec<Arc<Subscription>>,
) {
    let mut old: Vec<&Arc<Subscription>> = before.iter().collect();
    for service in services {
        match old.iter().position(|one| one.filter() == service.filter()) {
            Some(at) => account.router.replace(old.swap_remove(at), service),
            None => account.router.insert(service),
        }
    }
    for gone in old {
        account.router.remove(gone);
    }
}

fn are_the_same(before: &[Arc<StreamImport>], now: &[Arc<StreamImport>]) -> bool {
    before.len() == now.len()
        && before.iter().zip(now).all(|(one, other)| {
            Arc::ptr_eq(&one.exporter, &other.exporter)
                && one.renaming == other.renaming
                && one.allow_trace == other.allow_trace
        })
}

/// The export that an import rests on.
fn export_for<'a>(
    exporter: &'a AccountPlan,
    import: &ImportPlan,
    importer: &str,
) -> Option<&'a ExportPlan> {
    exporter.exports.iter().find(|export| {
        let allowed = export.accounts.as_ref();
        export.kind == import.kind
            && is_subset(&import.subject, &export.subject)
            && allowed.is_none_or(|names| names.iter().any(|name| name == importer))
            && export.token_position.is_none_or(|at| {
                import.subject.split('.').nth(at.saturating_sub(1)) == Some(importer)
            })
    })
}

#[cfg(test)]
#[path = "plan_tests.rs"]
mod tests;
