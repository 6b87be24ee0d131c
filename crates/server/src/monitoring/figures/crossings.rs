//! What an account exports, imports and renames, as `/accountz` shows it.

use std::collections::BTreeMap;

use serde::Serialize;
use serde_json::Value;

use super::moments::Moment;

use crate::engine::{AccountPlan, ExportPlan, ImportPlan, Kind, LatencyPlan, ResponseType};

/// An export.
#[derive(Serialize)]
pub(super) struct Export {
    pub(super) subject: String,
    #[serde(rename = "type")]
    kind: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    response_type: Option<&'static str>,
    /// In nanoseconds.
    #[serde(skip_serializing_if = "Option::is_none")]
    response_threshold: Option<u64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    account_token_position: Option<usize>,
    #[serde(skip_serializing_if = "Option::is_none")]
    service_latency: Option<ServiceLatency>,
    /// Who may import it; absent: everybody.
    /// Whoever imports it needs a token that lets it.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    token_req: bool,
    /// Tokens that hold no more: of which account, and issued up to when.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub(super) revoked_activations: BTreeMap<String, Moment>,
    #[serde(skip_serializing_if = "Option::is_none")]
    approved_accounts: Option<Vec<String>>,
}

/// How a service is measured.
#[derive(Serialize)]
struct ServiceLatency {
    /// So many of a hundred requests, or `"headers"`: those that ask for it.
    sampling: Value,
    /// The subject that is told.
    results: String,
}

impl ServiceLatency {
    fn of(plan: &LatencyPlan) -> Self {
        Self {
            sampling: match plan.percent {
                0 => "headers".into(),
                percent => percent.into(),
            },
            results: plan.subject.clone(),
        }
    }
}

/// An import.
#[derive(Serialize)]
pub(super) struct Import {
    subject: String,
    account: String,
    /// Of a service the same as `local_subject`, which took its place.
    #[serde(skip_serializing_if = "Option::is_none")]
    to: Option<String>,
    #[serde(skip_serializing_if = "String::is_empty")]
    local_subject: String,
    #[serde(rename = "type")]
    kind: &'static str,
    invalid: bool,
    share: bool,
    tracking: bool,
}

/// Where a part of what is published on a subject goes.
#[derive(Serialize)]
pub(super) struct Mapped {
    subject: String,
    /// Percent.
    weight: u32,
}

pub(super) fn exports(plan: &AccountPlan) -> Vec<Export> {
    plan.exports.iter().map(export).collect()
}

fn export(export: &ExportPlan) -> Export {
    let is_service = export.kind == Kind::Service;
    let response_type = match export.response_type {
        ResponseType::Singleton => "Singleton",
        ResponseType::Streamed => "Streamed",
    };
    let threshold = export.response_threshold;
    Export {
        subject: export.subject.clone(),
        kind: word(export.kind),
        response_type: is_service.then_some(response_type),
        response_threshold: threshold
            .map(|span| u64::try_from(span.as_nanos()).unwrap_or(u64::MAX)),
        account_token_position: export.token_position,
        service_latency: export.latency.as_ref().map(ServiceLatency::of),
        token_req: export.needs_activation,
        revoked_activations: BTreeMap::new(),
        approved_accounts: export.accounts.clone(),
    }
}

pub(super) fn imports(plan: &AccountPlan) -> Vec<Import> {
    let used = plan.imports.iter().map(|one| import(one, false));
    let idle = plan.idle_imports.iter().map(|(one, _)| import(one, true));
    used.chain(idle).collect()
}

fn import(import: &ImportPlan, invalid: bool) -> Import {
    Import {
        subject: import.subject.clone(),
        account: import.account.clone(),
        to: (import.kind == Kind::Service).then(|| import.to.clone()),
        local_subject: import.to.clone(),
        kind: word(import.kind),
        invalid,
        share: import.share,
        tracking: false,
    }
}

pub(super) fn mappings(plan: &AccountPlan) -> BTreeMap<String, Vec<Mapped>> {
    let mapped = plan.mappings.iter().map(|(source, destinations)| {
        let destinations = destinations.iter().map(|one| Mapped {
            subject: one.dest.clone(),
            weight: one.weight,
        });
        (source.clone(), destinations.collect())
    });
    mapped.collect()
}

fn word(kind: Kind) -> &'static str {
    match kind {
        Kind::Stream => "stream",
        Kind::Service => "service",
    }
}
