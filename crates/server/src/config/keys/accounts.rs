//! `accounts { NAME { … } }` (D36).

use std::collections::HashSet;

use recado_auth::KeyKind;

use super::draft::{Draft, DraftAccount};
use super::exports::{self, literal};
use super::field::Field;
use super::filled::{Block, Part, Parts, of_table};
use super::known::{Meaning::Sets, Table};
use super::lists::{bound, read_list};
use super::mappings::{self, percent};
use super::read_block;
use super::shown::Shown;
use super::streams::{ignore, size};
use super::users::{self, nkey};
use super::{ERRORS_SHOWN_MAX, Findings, imports, one_of, permissions};
use crate::config::access::{AccountLimits, AccountOptions, AccountStreams, AccountTrace};
use crate::config::fault::{Fault, Place};
use crate::config::keys::known::Form;
use crate::config::lang::{Data, Map};
use crate::config::messages::{AccessProblem, Kind};

/// The words that turn an account's streams on and off.
const SWITCHES: &[&str] = &["enabled", "disabled"];
/// What `cluster_traffic` can be.
const TRAFFIC: Form = Form::Words(&["", "system", "owner"]);

#[derive(Clone, Copy)]
enum Key {
    Nkey,
    Users,
    Exports,
    Imports,
    Streams,
    DefaultPermissions,
    Mappings,
    Limits,
    Trace,
}

const KEYS: &Table<Key> = &[
    (&["nkey"], Sets(Key::Nkey)),
    (&["users"], Sets(Key::Users)),
    (&["exports"], Sets(Key::Exports)),
    (&["imports"], Sets(Key::Imports)),
    (&["jetstream"], Sets(Key::Streams)),
    (&["default_permissions"], Sets(Key::DefaultPermissions)),
    (&["mappings", "maps"], Sets(Key::Mappings)),
    (&["limits"], Sets(Key::Limits)),
    (&["msg_trace", "trace_dest"], Sets(Key::Trace)),
];

#[derive(Clone, Copy)]
enum LimitKey {
    Connections,
    Subscriptions,
    Payload,
    Leafnodes,
}

const LIMIT_KEYS: &Table<LimitKey> = &[
    (
        &["max_connections", "max_conn"],
        Sets(LimitKey::Connections),
    ),
    (
        &["max_subscriptions", "max_subs"],
        Sets(LimitKey::Subscriptions),
    ),
    (&["max_payload", "max_pay"], Sets(LimitKey::Payload)),
    (&["max_leafnodes", "max_leafs"], Sets(LimitKey::Leafnodes)),
];

#[derive(Clone, Copy)]
enum StreamsKey {
    Memory,
    Store,
    Streams,
    Consumers,
    BytesRequired,
    MemoryStream,
    StoreStream,
    AckPending,
    ClusterTraffic,
}

const STREAMS_KEYS: &Table<StreamsKey> = &[
    (
        &["max_memory", "max_mem", "mem", "memory"],
        Sets(StreamsKey::Memory),
    ),
    (
        &["max_store", "max_file", "max_disk", "store", "disk"],
        Sets(StreamsKey::Store),
    ),
    (&["max_streams", "streams"], Sets(StreamsKey::Streams)),
    (&["max_consumers", "consumers"], Sets(StreamsKey::Consumers)),
    (
        &["max_bytes_required", "max_stream_bytes", "max_bytes"],
        Sets(StreamsKey::BytesRequired),
    ),
    (
        &["memory_max_stream_bytes", "mem_max_stream_bytes"],
        Sets(StreamsKey::MemoryStream),
    ),
    (
        &["disk_max_stream_bytes", "store_max_stream_bytes"],
        Sets(StreamsKey::StoreStream),
    ),
    (&["max_ack_pending"], Sets(StreamsKey::AckPending)),
    (&["cluster_traffic"], Sets(StreamsKey::ClusterTraffic)),
];

#[derive(Clone, Copy)]
enum TraceKey {
    Destination,
    Sampling,
}

const TRACE_KEYS: &Table<TraceKey> = &[
    (&["dest"], Sets(TraceKey::Destination)),
    (&["sampling"], Sets(TraceKey::Sampling)),
];

/// What `explain-config` shows of an account.
pub(super) fn parts() -> Parts {
    of_table(KEYS, |key| match key {
        Key::Nkey => Part::NONE,
        Key::Users => Part::Inside(Block::User),
        Key::Exports => Part::Inside(Block::Export),
        Key::Imports => Part::Inside(Block::Import),
        Key::Streams => Part::Inside(Block::AccountStreams),
        Key::DefaultPermissions => Part::Inside(Block::Permissions),
        Key::Mappings => Part::Each(Block::Mapping),
        Key::Limits => Part::Inside(Block::AccountLimits),
        Key::Trace => Part::Inside(Block::Trace),
    })
}

pub(super) fn limit_parts() -> Parts {
    of_table(LIMIT_KEYS, |key| match key {
        LimitKey::Connections
        | LimitKey::Subscriptions
        | LimitKey::Payload
        | LimitKey::Leafnodes => Part::ANY,
    })
}

pub(super) fn streams_parts() -> Parts {
    of_table(STREAMS_KEYS, |key| match key {
        StreamsKey::BytesRequired => Part::FALSE,
        StreamsKey::ClusterTraffic => Part::IfWritten,
        StreamsKey::Memory
        | StreamsKey::Store
        | StreamsKey::Streams
        | StreamsKey::Consumers
        | StreamsKey::MemoryStream
        | StreamsKey::StoreStream
        | StreamsKey::AckPending => Part::ANY,
    })
}

pub(super) fn trace_parts() -> Parts {
    of_table(TRACE_KEYS, |key| match key {
        TraceKey::Destination => Part::NONE,
        TraceKey::Sampling => Part::Value(Shown::Count(100)),
    })
}

/// Reads a block of accounts, or a list of names; mistakes in it are added to `findings`.
pub(super) fn read(
    field: &Field<'_>,
    draft: &mut Draft,
    findings: &mut Findings,
) -> Result<(), Fault> {
    let Data::Map(map) = &field.value.data else {
        let mut seen = HashSet::new();
        return read_list(field, findings, |one, _| {
            let name = one.text()?;
            if !seen.insert(name.to_owned()) {
                return Err(one.trouble(AccessProblem::AccountTwice(name.to_owned())));
            }
            draft.accounts.push(named(name, &one.value.place)?);
            Ok(())
        });
    };
    for entry in map.entries() {
        if findings.errors.len() >= ERRORS_SHOWN_MAX {
            break;
        }
        // A variable that stands between the accounts is none.
        if entry.used_as_variable {
            continue;
        }
        let account = named(&entry.key, &entry.place)
            .and_then(|account| read_one(&Field::of(entry), account, findings));
        match account {
            Ok(account) => draft.accounts.push(account),
            Err(fault) => findings.errors.push(fault),
        }
    }
    Ok(())
}

fn named(name: &str, place: &Place) -> Result<DraftAccount, Fault> {
    if name == recado_auth::DEFAULT_ACCOUNT {
        let problem = AccessProblem::ReservedAccount(name.to_owned());
        return Err(Fault::at(place, problem));
    }
    Ok(DraftAccount {
        options: AccountOptions {
            idle_imports: Vec::new(),
            imports_turn_s: None,
            name: name.to_owned(),
            ..AccountOptions::default()
        },
        users: Vec::new(),
        exports: Vec::new(),
        imports: Vec::new(),
    })
}

fn read_one(
    field: &Field<'_>,
    mut account: DraftAccount,
    findings: &mut Findings,
) -> Result<DraftAccount, Fault> {
    read_block(field.map()?, KEYS, findings, |key, inner, findings| {
        set(key, inner, &mut account, findings)
    });
    Ok(account)
}

fn set(
    key: Key,
    field: &Field<'_>,
    account: &mut DraftAccount,
    findings: &mut Findings,
) -> Result<(), Fault> {
    let options = &mut account.options;
    match key {
        Key::Nkey => options.nkey = Some(nkey(field, KeyKind::Account)?),
        Key::Users => account.users = users::read(field, findings)?,
        Key::Exports => account.exports = exports::read(field, findings)?,
        Key::Imports => account.imports = imports::read(field, findings)?,
        Key::Streams => options.streams = streams(field, findings)?,
        Key::DefaultPermissions => {
            options.default_permissions = Some(permissions::read(field, findings)?);
        }
        Key::Mappings => options.mappings = mappings::read(field, findings)?,
        Key::Limits => options.limits = limits(field.map()?, findings),
        Key::Trace => options.trace = trace(field, findings)?,
    }
    Ok(())
}

fn limits(map: &Map, findings: &mut Findings) -> AccountLimits {
    let mut limits = AccountLimits::default();
    read_block(map, LIMIT_KEYS, findings, |key, inner, _| {
        let place = match key {
            LimitKey::Connections => &mut limits.max_connections,
            LimitKey::Subscriptions => &mut limits.max_subscriptions,
            LimitKey::Payload => &mut limits.max_payload,
            LimitKey::Leafnodes => &mut limits.max_leafnodes,
        };
        *place = bound(inner)?;
        Ok(())
    });
    limits
}

/// A switch, or a block of bounds, which turns streams on.
fn streams(field: &Field<'_>, findings: &mut Findings) -> Result<Option<AccountStreams>, Fault> {
    let map = match &field.value.data {
        Data::Bool(enabled) => return Ok(enabled.then(AccountStreams::default)),
        Data::String(word) => {
            return match word.to_lowercase().as_str() {
                "enabled" | "enable" => Ok(Some(AccountStreams::default())),
                "disabled" | "disable" => Ok(None),
                _ => Err(field.fault(one_of(field.key, SWITCHES, word))),
            };
        }
        Data::Map(map) => map,
        _ => return Err(field.wrong_kind(Kind::Streams)),
    };
    let mut streams = AccountStreams::default();
    read_block(map, STREAMS_KEYS, findings, |key, inner, findings| {
        set_streams(key, inner, &mut streams, findings)
    });
    Ok(Some(streams))
}

fn set_streams(
    key: StreamsKey,
    field: &Field<'_>,
    streams: &mut AccountStreams,
    findings: &mut Findings,
) -> Result<(), Fault> {
    // Below 0 there is no bound.
    let bytes = |field: &Field<'_>| size(field).map(|number| u64::try_from(number).ok());
    match key {
        StreamsKey::Memory => streams.max_memory_bytes = bytes(field)?,
        StreamsKey::Store => streams.max_store_bytes = bytes(field)?,
        StreamsKey::Streams => streams.max_streams = bound(field)?,
        StreamsKey::Consumers => streams.max_consumers = bound(field)?,
        StreamsKey::BytesRequired => streams.max_bytes_required = field.boolean()?,
        StreamsKey::MemoryStream => streams.memory_max_stream_bytes = bytes(field)?,
        StreamsKey::StoreStream => streams.store_max_stream_bytes = bytes(field)?,
        StreamsKey::AckPending => streams.max_ack_pending = bound(field)?,
        StreamsKey::ClusterTraffic => ignore(TRAFFIC, field, findings)?,
    }
    Ok(())
}

/// A subject, or a block with a subject and a part of a hundred.
fn trace(field: &Field<'_>, findings: &mut Findings) -> Result<Option<AccountTrace>, Fault> {
    let (mut destination, mut sampling) = (None, None);
    match &field.value.data {
        Data::String(_) => destination = Some(literal(field)?),
        Data::Map(map) => read_block(map, TRACE_KEYS, findings, |key, inner, _| {
            match key {
                TraceKey::Destination => destination = Some(literal(inner)?),
                TraceKey::Sampling => sampling = Some(percent(inner, 1)?),
            }
            Ok(())
        }),
        _ => return Err(field.wrong_kind(Kind::Destination)),
    }
    if destination.is_none() && sampling.is_some() {
        let warning = AccessProblem::TraceNowhere;
        findings.warnings.push(field.trouble(warning));
    }
    Ok(destination.map(|destination| AccountTrace {
        destination,
        sampling_percent: sampling.unwrap_or(100),
    }))
}
