//! From the options to accounts: what they may do, what crosses between them, and which have streams.

use std::sync::Arc;

use recado_streams::config::{AccountLimits as StreamsLimits, is_valid_literal};
use recado_wire::filter_matches;

use crate::config::Options;
use crate::config::access::{
    AccountOptions, AccountStreams, Export, Import, Kind as ConfiguredKind, Latency, Mapping,
    ResponseType as ConfiguredResponseType, Sampling,
};
use crate::engine::{
    AccountLimits, AccountPlan, Accounts, Engine, ExportPlan, GLOBAL_ACCOUNT, ImportPlan, Kind,
    LatencyPlan, ResponseType, SYSTEM_ACCOUNT, TracePlan, Weighted,
};
use crate::streams::ServedAccount;

/// Name of the account of the server itself.
pub(crate) fn system_name(options: &Options) -> &str {
    options.system_account.as_deref().unwrap_or(SYSTEM_ACCOUNT)
}

/// What all accounts are to be like.
pub(crate) fn plans(options: &Options) -> Vec<AccountPlan> {
    let global = AccountPlan {
        name: GLOBAL_ACCOUNT.to_owned(),
        mappings: options.mappings.iter().map(mapping).collect(),
        ..AccountPlan::default()
    };
    let mut plans: Vec<AccountPlan> = options.accounts.iter().map(plan).collect();
    match plans.iter_mut().find(|plan| plan.name == GLOBAL_ACCOUNT) {
        Some(plan) => plan.mappings.extend(global.mappings),
        None => plans.push(global),
    }
    for plan in &mut plans {
        let mut configured = options.accounts.iter();
        let account = configured.find(|account| account.name == plan.name);
        add_domains(options, account, plan);
    }
    plans
}

/// What an account that an operator signed is to be like.
pub(crate) fn signed_plan(options: &Options, account: &AccountOptions) -> AccountPlan {
    let mut plan = plan(account);
    add_domains(options, Some(account), &mut plan);
    plan
}

fn add_domains(options: &Options, account: Option<&AccountOptions>, plan: &mut AccountPlan) {
    let has_streams = account.is_some_and(|account| account.streams.is_some());
    match options.default_js_domain.get(&plan.name) {
        // An operator's claims say so, which may be newer than the configuration. As with nats-server they count.
        Some(domain) if has_streams => {
            let account = &plan.name;
            tracing::warn!(%account, %domain, "the account has streams itself: its default_js_domain changes nothing");
        }
        Some(domain) => plan.mappings.extend(into_domain(domain)),
        None => {}
    }
    if let Some(domain) = &options.streams.domain {
        plan.mappings.extend(out_of_domain(domain));
    }
}

/// What every client of streams asks first (E01).
const ACCOUNT_INFO: &[u8] = b"$JS.API.INFO";
/// What is written to buckets of keys and of objects.
const BUCKETS: [&str; 2] = ["$KV.>", "$OBJ.>"];

/// What clients ask streams, buckets of keys and of objects for, and what that is called in a domain (D28).
fn into_domain(domain: &str) -> impl Iterator<Item = (String, Vec<Weighted>)> {
    const OF_API: [&str; 7] = [
        "INFO",
        "STREAM.>",
        "CONSUMER.>",
        "DIRECT.>",
        "META.>",
        "SERVER.>",
        "ACCOUNT.>",
    ];
    let api = OF_API.map(|what| (format!("$JS.API.{what}"), what));
    let buckets = BUCKETS.map(|what| (what.to_owned(), what));
    let all = api.into_iter().chain(buckets);
    all.map(move |(source, what)| (source, renamed_to(format!("$JS.{domain}.API.{what}"))))
}

/// What clients that name this server's domain call buckets of keys and of objects (ADR-19), and what those are. The API has
/// its other name for itself.
fn out_of_domain(domain: &str) -> impl Iterator<Item = (String, Vec<Weighted>)> {
    let named = |what: &str| {
        (
            format!("$JS.{domain}.API.{what}"),
            renamed_to(what.to_owned()),
        )
    };
    BUCKETS.map(named).into_iter()
}

fn renamed_to(dest: String) -> Vec<Weighted> {
    vec![Weighted { dest, weight: 100 }]
}

/// What one account is to be like.
fn plan(account: &AccountOptions) -> AccountPlan {
    AccountPlan {
        name: account.name.clone(),
        limits: AccountLimits {
            max_connections: account.limits.max_connections,
            max_subscriptions: account.limits.max_subscriptions,
            max_payload: account.limits.max_payload,
        },
        mappings: account.mappings.iter().map(mapping).collect(),
        exports: account.exports.iter().map(export).collect(),
        imports: account.imports.iter().map(import).collect(),
        idle_imports: { account.idle_imports.iter() }
            .map(|(idle, why)| (import(idle), *why))
            .collect(),
        imports_turn_s: account.imports_turn_s,
        trace: account.trace.as_ref().map(|trace| TracePlan {
            destination: trace.destination.clone(),
            percent: trace.sampling_percent,
        }),
    }
}

/// Which accounts have streams, and how many (C48): where only the two that every server has are configured, the
/// global one has them all.
pub(crate) fn served(options: &Options, engine: &Engine) -> Vec<ServedAccount> {
    let system = system_name(options);
    let others =
        |account: &&AccountOptions| account.name != GLOBAL_ACCOUNT && account.name != system;
    let alone = options.operator.is_none() && options.accounts.iter().filter(others).count() == 0;
    // Who asks another account's streams is answered there, and by nobody else.
    let is_told = |account: &&AccountOptions| {
        account.streams.is_some() || account.name == system || !imports_the_api(account)
    };
    let mut served: Vec<ServedAccount> = options
        .accounts
        .iter()
        .filter(is_told)
        .map(|account| {
            of(
                &engine.accounts,
                &account.name,
                system,
                account.streams.as_ref().map(limits),
            )
        })
        .collect();
    match served
        .iter_mut()
        .find(|one| &*one.account.name == GLOBAL_ACCOUNT)
    {
        Some(global) if alone && global.limits.is_none() => {
            global.limits = Some(StreamsLimits::default());
        }
        Some(_) => {}
        None => {
            let limits = alone.then(StreamsLimits::default);
            served.push(of(&engine.accounts, GLOBAL_ACCOUNT, system, limits));
        }
    }
    if !served.iter().any(|one| one.is_system) {
        served.push(of(&engine.accounts, system, system, None));
    }
    served
}

/// Whether an account's requests to the streams' API are another account's to answer.
pub(crate) fn imports_the_api(account: &AccountOptions) -> bool {
    let mut imports = account.imports.iter();
    imports.any(|import| {
        import.kind == ConfiguredKind::Service
            && filter_matches(import.local().as_bytes(), ACCOUNT_INFO)
    })
}

fn of(
    accounts: &Accounts,
    name: &str,
    system: &str,
    limits: Option<StreamsLimits>,
) -> ServedAccount {
    ServedAccount {
        account: Arc::clone(&accounts.get_or_add(name)),
        is_system: name == system,
        limits,
    }
}

fn limits(streams: &AccountStreams) -> StreamsLimits {
    let number = |limit: Option<u64>| limit.map_or(-1, |limit| limit.cast_signed().max(0));
    StreamsLimits {
        max_memory: number(streams.max_memory_bytes),
        max_storage: number(streams.max_store_bytes),
        max_streams: number(streams.max_streams),
        max_consumers: number(streams.max_consumers),
        max_ack_pending: number(streams.max_ack_pending),
        memory_max_stream_bytes: number(streams.memory_max_stream_bytes),
        storage_max_stream_bytes: number(streams.store_max_stream_bytes),
        max_bytes_required: streams.max_bytes_required,
    }
}

/// Destinations that are for the servers of a cluster only don't concern a server that is in none.
fn mapping(mapping: &Mapping) -> (String, Vec<Weighted>) {
    let destinations = mapping.destinations.iter();
    let ours = destinations.filter(|destination| destination.cluster.is_none());
    let weighted = ours.map(|destination| Weighted {
        dest: destination.dest.clone(),
        weight: u32::from(destination.weight_percent),
    });
    (mapping.source.clone(), weighted.collect())
}

fn kind(kind: ConfiguredKind) -> Kind {
    match kind {
        ConfiguredKind::Stream => Kind::Stream,
        ConfiguredKind::Service => Kind::Service,
    }
}

fn export(export: &Export) -> ExportPlan {
    // Claims may name a subject that nothing can be published to.
    let literal = |latency: &&Latency| is_valid_literal(&latency.subject);
    let measured = export.latency.as_ref().filter(literal);
    ExportPlan {
        kind: kind(export.kind),
        subject: export.subject.clone(),
        accounts: export.accounts.clone(),
        needs_activation: export.needs_activation,
        token_position: export.token_position,
        response_type: match export.response_type {
            ConfiguredResponseType::Singleton => ResponseType::Singleton,
            ConfiguredResponseType::Stream | ConfiguredResponseType::Chunked => {
                ResponseType::Streamed
            }
        },
        response_threshold: export.response_threshold,
        allow_trace: export.allow_trace,
        latency: measured.map(|latency| LatencyPlan {
            subject: latency.subject.clone(),
            percent: match latency.sampling {
                Sampling::Percent(percent) => percent,
                Sampling::Headers => 0,
            },
        }),
    }
}

fn import(import: &Import) -> ImportPlan {
    ImportPlan {
        kind: kind(import.kind),
        account: import.from_account.clone(),
        subject: import.subject.clone(),
        to: import.local(),
        share: import.share,
        allow_trace: import.allow_trace,
    }
}
