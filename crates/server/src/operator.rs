//! Accounts that operators sign: read from where they are kept, and made into options like configured ones.
//!
//! One that can't be read or is not trusted is told in the log, and left out; the others are served.

use std::sync::Arc;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use jiff::Timestamp;
use jiff::tz::TimeZone;
use recado_auth::jwt::{
    AccountClaims, Claims, ExportClaims, ImportClaims, LatencyClaims, MappingClaims, NotImported,
    StreamsLimits,
};
use recado_auth::{InvalidOperator, Operator, OperatorOptions as Trust, TrustedProxies};
use recado_wire::Transform;

use crate::config::Options;
use crate::config::access::{
    AccountLimits, AccountOptions, AccountStreams, AccountTrace, Destination, Export, Import,
    ImportName, Kind, Latency, Mapping, ResponseType, Sampling,
};
use crate::config::operator::OperatorOptions;
use crate::engine::imported_filter;
use crate::resolver::Resolver;

/// Accounts that an operator signed, as far as they are found now.
pub(crate) struct Signed {
    pub(crate) operator: Arc<Operator>,
    pub(crate) accounts: Vec<AccountOptions>,
}

/// Reads the accounts of operator mode; `None` without it. `before` is who knew accounts until now: those that nobody can
/// bring but a resolver that is asked stay.
///
/// # Errors
/// When there is nobody to trust, which the reading of a file has refused already.
pub(crate) fn read(
    options: &Options,
    resolver: &Resolver,
    before: Option<&Operator>,
) -> Result<Option<Signed>, InvalidOperator> {
    let Some(configured) = &options.operator else {
        return Ok(None);
    };
    let operator = trusting(options, configured)?;
    let now_s = now_s();
    let mut add = |name: &str, token: &str| match operator.add_account(token, now_s) {
        Ok(claims) if claims.subject == name => claims.expiry_s(),
        Ok(claims) => {
            operator.remove_account(&claims.subject);
            tracing::warn!(
                account = name,
                found = claims.subject,
                "this is another account's JWT"
            );
            None
        }
        Err(why) => {
            tracing::warn!(account = name, reason = %why, "the account's JWT is not accepted");
            None
        }
    };
    resolver.read_all(now_s, &mut add);
    for (name, token) in &configured.preload {
        add(name, token);
    }
    resolver.keep_preloaded(&operator, &configured.preload, now_s);
    if let Some(before) = before.filter(|_| resolver.is_asked()) {
        operator.adopt(before);
    }
    // Somebody must be able to bring the others.
    if resolver.takes_accounts() && configured.operators.len() == 1 && operator.bootstrap() {
        tracing::warn!(
            account = operator.system_account().map(|name| &**name),
            "the system account's JWT is not known yet: users that its own key signed are let in until it is"
        );
    }
    let accounts = all_as_options(&operator, now_s);
    Ok(Some(Signed {
        operator: Arc::new(operator),
        accounts,
    }))
}

fn trusting(options: &Options, configured: &OperatorOptions) -> Result<Operator, InvalidOperator> {
    let operators = configured.operators.iter();
    let operators = operators.filter_map(|token| Claims::decode_operator(token).ok());
    let trusted_proxies =
        TrustedProxies::new(&options.trusted_proxies).map_err(InvalidOperator::TrustedKey)?;
    Operator::new(Trust {
        operators: operators.collect(),
        trusted_keys: configured.trusted_keys.clone(),
        pinned_accounts: configured.pinned_accounts.clone(),
        system_account: options.system_account.clone(),
        default_sentinel: configured.default_sentinel.clone(),
        trusted_proxies,
        utc_offset,
    })
}

/// All accounts that are known, in order, as if they were configured.
fn all_as_options(operator: &Operator, now_s: u64) -> Vec<AccountOptions> {
    let mut known = operator.accounts();
    known.sort_by(|one, other| one.subject.cmp(&other.subject));
    let find = |name: &str| operator.account(name);
    known
        .iter()
        .map(|account| as_options(account, &find, now_s))
        .collect()
}

/// Seconds since 1970.
pub(crate) fn now_s() -> u64 {
    let since_1970 = SystemTime::now().duration_since(UNIX_EPOCH);
    since_1970.unwrap_or_default().as_secs()
}

/// How far a zone is ahead of UTC.
pub(crate) fn utc_offset(zone: Option<&str>, at_s: u64) -> Option<i32> {
    let at = Timestamp::from_second(i64::try_from(at_s).ok()?).ok()?;
    let zone = match zone {
        Some(name) => TimeZone::get(name).ok()?,
        None => TimeZone::system(),
    };
    Some(zone.to_offset(at).seconds())
}

/// An account as if it were configured. Imports without an export that lets them are left out, and told.
/// `find` says what is known of exporters.
pub(crate) fn as_options(
    account: &Claims<AccountClaims>,
    find: &dyn Fn(&str) -> Option<Arc<Claims<AccountClaims>>>,
    now_s: u64,
) -> AccountOptions {
    let claims = &account.nats;
    let (mut imports, mut idle_imports) = (Vec::new(), Vec::new());
    for claimed in &claims.imports {
        let import = as_import(claimed);
        match may_import(account, claimed, &import, find, now_s) {
            Ok(()) => imports.push(import),
            Err(why) => {
                let (exporter, subject) = (&claimed.account, &claimed.subject);
                tracing::warn!(account = account.subject, exporter, subject, reason = %why, "an import is left out");
                idle_imports.push((import, why));
            }
        }
    }
    let turns = claims.imports.iter();
    let turns = turns.filter_map(|import| import.turns_after_s(now_s));
    let mappings = claims.mappings.iter().map(as_mapping).filter(|mapping| {
        let fits = mapping
            .destinations
            .iter()
            .try_for_each(|one| Transform::parse(&mapping.source, &one.dest).map(drop));
        if let Err(why) = &fits {
            tracing::warn!(account = account.subject, source = mapping.source, %why, "a mapping is left out");
        }
        fits.is_ok()
    });
    let trace = claims.trace.as_ref().filter(|trace| !trace.dest.is_empty());
    AccountOptions {
        name: account.subject.clone(),
        nkey: Some(account.subject.clone()),
        users: Vec::new(),
        imports,
        idle_imports,
        imports_turn_s: turns.min(),
        exports: exports_of(account),
        mappings: mappings.collect(),
        default_permissions: claims.default_permissions.spec(),
        limits: AccountLimits {
            max_connections: bound(claims.limits.conn),
            max_subscriptions: bound(claims.limits.subs),
            max_payload: bound(claims.limits.payload),
            max_leafnodes: bound(claims.limits.leaf),
        },
        streams: as_streams(account),
        trace: trace.map(|trace| AccountTrace {
            destination: trace.dest.clone(),
            // As nats-server has it, 0 is no bound.
            sampling_percent: u8::try_from(trace.sampling)
                .ok()
                .filter(|percent| (1..=100).contains(percent))
                .unwrap_or(100),
        }),
    }
}

/// Whether an import has an effect now.
fn may_import(
    account: &Claims<AccountClaims>,
    claimed: &ImportClaims,
    import: &Import,
    find: &dyn Fn(&str) -> Option<Arc<Claims<AccountClaims>>>,
    now_s: u64,
) -> Result<(), NotImported> {
    let exporter = find(&claimed.account).ok_or(NotImported::UnknownExporter)?;
    exporter.export_for(&account.subject, claimed, now_s)?;
    imported_filter(&import.subject, &import.local()).map_err(|_| NotImported::Misnamed)?;
    Ok(())
}

/// Below 0 there is no bound.
fn bound<N: TryFrom<i64>>(number: i64) -> Option<N> {
    N::try_from(number).ok().filter(|_| number >= 0)
}

/// One server alone keeps everything once, so of tiers the first counts.
pub(crate) fn as_streams(account: &Claims<AccountClaims>) -> Option<AccountStreams> {
    let limits = &account.nats.limits;
    let tier = limits.tiered_limits.get("R1");
    let of: &StreamsLimits = tier.unwrap_or(&limits.streams);
    let above_zero = |number: i64| bound(number).filter(|number| *number > 0);
    of.is_enabled().then(|| AccountStreams {
        max_memory_bytes: bound(of.mem_storage),
        max_store_bytes: bound(of.disk_storage),
        max_streams: bound(of.streams),
        max_consumers: bound(of.consumer),
        max_bytes_required: of.max_bytes_required,
        memory_max_stream_bytes: above_zero(of.mem_max_stream_bytes),
        store_max_stream_bytes: above_zero(of.disk_max_stream_bytes),
        max_ack_pending: above_zero(of.max_ack_pending),
    })
}

fn kind(text: &str) -> Kind {
    match text {
        "service" => Kind::Service,
        _ => Kind::Stream,
    }
}

/// What an account offers.
pub(crate) fn exports_of(account: &Claims<AccountClaims>) -> Vec<Export> {
    account.nats.exports.iter().map(as_export).collect()
}

/// Who may import was decided where the imports were read: what they name is exported to everybody.
fn as_export(export: &ExportClaims) -> Export {
    let threshold = u64::try_from(export.response_threshold).unwrap_or(0);
    Export {
        kind: kind(&export.r#type),
        subject: export.subject.clone(),
        accounts: None,
        needs_activation: export.token_req && export.account_token_position == 0,
        response_type: match export.response_type.as_str() {
            "Stream" => ResponseType::Stream,
            "Chunked" => ResponseType::Chunked,
            _ => ResponseType::Singleton,
        },
        response_threshold: Some(Duration::from_nanos(threshold)).filter(|time| !time.is_zero()),
        latency: export.service_latency.as_ref().map(as_latency),
        token_position: Some(export.account_token_position).filter(|position| *position > 0),
        allow_trace: export.allow_trace,
    }
}

fn as_latency(latency: &LatencyClaims) -> Latency {
    let percent = latency
        .sampling
        .as_u64()
        .and_then(|number| u8::try_from(number).ok());
    Latency {
        subject: latency.results.clone(),
        sampling: match percent {
            Some(percent @ 1..=100) => Sampling::Percent(percent),
            _ => Sampling::Headers,
        },
    }
}

/// Claims name a service as its users call it, and a stream as its exporter does.
pub(crate) fn as_import(import: &ImportClaims) -> Import {
    let kind = kind(&import.r#type);
    let named = |name: &str| match name.is_empty() {
        true => ImportName::Same,
        false => ImportName::To(name.to_owned()),
    };
    let name = match (kind, import.local_subject.as_str(), import.to.as_str()) {
        (Kind::Stream, "", prefix) if !prefix.is_empty() => ImportName::Prefix(prefix.to_owned()),
        (Kind::Service, "", to) if !to.is_empty() => named(&import.subject),
        (_, local, _) => named(local),
    };
    Import {
        kind,
        from_account: import.account.clone(),
        subject: import.exporters_subject().to_owned(),
        name,
        share: import.share,
        allow_trace: import.allow_trace,
    }
}

fn as_mapping((source, destinations): (&String, &Vec<MappingClaims>)) -> Mapping {
    let destinations = destinations.iter().map(|one| Destination {
        dest: one.subject.clone(),
        weight_percent: match one.weight {
            0 => 100,
            weight => weight.min(100),
        },
        cluster: Some(one.cluster.clone()).filter(|cluster| !cluster.is_empty()),
    });
    Mapping {
        source: source.clone(),
        destinations: destinations.collect(),
    }
}

#[cfg(test)]
#[path = "operator_tests.rs"]
mod tests;
