//! Every key that there is: what it sets, or which feature it belongs to that is not there yet.

use super::field::Field;
use crate::config::lang::{Data, Value};
use crate::config::messages::Feature;

/// A setting of this server.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Key {
    AllowAnonymous,
    Authorization,
    ClientAdvertise,
    Debug,
    Host,
    LameDuckDuration,
    LameDuckGracePeriod,
    Lang,
    Listen,
    LogFile,
    LogFormat,
    LogMaxNum,
    LogSizeLimit,
    LogTime,
    LogTimeUtc,
    MaxConnections,
    MaxControlLine,
    MaxPayload,
    MaxPending,
    MaxSubTokens,
    MaxSubscriptions,
    MaxTracedMsgLen,
    NoFastProducerStall,
    NoHeaderSupport,
    PidFile,
    PingInterval,
    PingMax,
    Plain,
    Port,
    PortsFileDir,
    ServerName,
    Service,
    TokenFile,
    Trace,
    TraceHeaders,
    TraceVerbose,
    WriteDeadline,
}

/// A setting inside `authorization { … }`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum AuthorizationKey {
    Password,
    Timeout,
    Token,
    TokenFile,
    User,
}

/// What a key does here.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Meaning<K> {
    /// Sets something.
    Sets(K),
    /// Belongs to a feature that is not there yet; only what says that it is off is true.
    NotYet(Feature, Off),
}

/// The values of a key of a missing feature that are true as they are: accepting them hides
/// nothing.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Off {
    /// None.
    Never,
    /// `false`.
    False,
    /// `true`, for a key that turns something off.
    True,
    /// Either, for a key that means nothing without its feature.
    Boolean,
    /// `0`, for a port or a rate.
    Zero,
    /// An empty block or list.
    Empty,
    /// One of these words.
    Words(&'static [&'static str]),
    /// What leaves JetStream off.
    Jetstream,
}

use Meaning::{NotYet, Sets};

/// Keys with their aliases, all in lower case, and what they do.
pub(super) type Table<K> = [(&'static [&'static str], Meaning<K>)];

/// Top-level keys.
pub(super) const TOP_LEVEL: &Table<Key> = &[
    (&["listen"], Sets(Key::Listen)),
    (&["host", "net"], Sets(Key::Host)),
    (&["port"], Sets(Key::Port)),
    (&["server_name"], Sets(Key::ServerName)),
    (&["client_advertise"], Sets(Key::ClientAdvertise)),
    (&["authorization"], Sets(Key::Authorization)),
    (&["max_connections", "max_conn"], Sets(Key::MaxConnections)),
    (&["max_control_line"], Sets(Key::MaxControlLine)),
    (&["max_payload"], Sets(Key::MaxPayload)),
    (&["max_pending"], Sets(Key::MaxPending)),
    (
        &["max_subscriptions", "max_subs"],
        Sets(Key::MaxSubscriptions),
    ),
    (
        &["max_sub_tokens", "max_subscription_tokens"],
        Sets(Key::MaxSubTokens),
    ),
    (&["ping_interval"], Sets(Key::PingInterval)),
    (&["ping_max"], Sets(Key::PingMax)),
    (&["write_deadline"], Sets(Key::WriteDeadline)),
    (&["no_fast_producer_stall"], Sets(Key::NoFastProducerStall)),
    (&["no_header_support"], Sets(Key::NoHeaderSupport)),
    (&["debug"], Sets(Key::Debug)),
    (&["trace"], Sets(Key::Trace)),
    (&["trace_verbose"], Sets(Key::TraceVerbose)),
    (&["trace_headers"], Sets(Key::TraceHeaders)),
    (&["logtime"], Sets(Key::LogTime)),
    (&["logtime_utc"], Sets(Key::LogTimeUtc)),
    (&["log_file", "logfile"], Sets(Key::LogFile)),
    (
        &["log_size_limit", "logfile_size_limit"],
        Sets(Key::LogSizeLimit),
    ),
    (&["log_max_num", "logfile_max_num"], Sets(Key::LogMaxNum)),
    (&["max_traced_msg_len"], Sets(Key::MaxTracedMsgLen)),
    (&["pid_file", "pidfile"], Sets(Key::PidFile)),
    (&["ports_file_dir"], Sets(Key::PortsFileDir)),
    (&["lame_duck_duration"], Sets(Key::LameDuckDuration)),
    (&["lame_duck_grace_period"], Sets(Key::LameDuckGracePeriod)),
    // Ours.
    (&["allow_anonymous"], Sets(Key::AllowAnonymous)),
    (&["lang"], Sets(Key::Lang)),
    (&["log_format"], Sets(Key::LogFormat)),
    (&["plain"], Sets(Key::Plain)),
    (&["service"], Sets(Key::Service)),
    (&["token_file"], Sets(Key::TokenFile)),
    // Not there yet.
    (&["accounts"], NotYet(Feature::Accounts, Off::Empty)),
    (&["no_auth_user"], NotYet(Feature::Users, Off::Never)),
    (
        &["default_sentinel"],
        NotYet(Feature::OperatorMode, Off::Never),
    ),
    (
        &["system_account", "system"],
        NotYet(Feature::SystemAccount, Off::Never),
    ),
    (
        &["no_system_account", "no_system", "no_sys_acc"],
        NotYet(Feature::SystemAccount, Off::True),
    ),
    (
        &[
            "operator",
            "operators",
            "root",
            "roots",
            "root_operator",
            "root_operators",
        ],
        NotYet(Feature::OperatorMode, Off::Never),
    ),
    (
        &[
            "resolver",
            "account_resolver",
            "accounts_resolver",
            "resolver_tls",
        ],
        NotYet(Feature::OperatorMode, Off::Never),
    ),
    (
        &[
            "resolver_preload",
            "resolver_pinned_accounts",
            "trusted",
            "trusted_keys",
        ],
        NotYet(Feature::OperatorMode, Off::Empty),
    ),
    (&["tls"], NotYet(Feature::Tls, Off::Never)),
    (&["allow_non_tls"], NotYet(Feature::Tls, Off::Boolean)),
    (&["ocsp", "ocsp_cache"], NotYet(Feature::Tls, Off::False)),
    (
        &["write_timeout"],
        NotYet(Feature::WriteRetry, Off::Words(&["default", "close"])),
    ),
    (
        &["max_closed_clients"],
        NotYet(Feature::Monitoring, Off::Zero),
    ),
    (
        &["disable_sublist_cache", "no_sublist_cache"],
        NotYet(Feature::RouteCacheOff, Off::False),
    ),
    (
        &["http", "https", "http_port", "monitor_port", "https_port"],
        NotYet(Feature::Monitoring, Off::Zero),
    ),
    (
        &["http_base_path"],
        NotYet(Feature::Monitoring, Off::Words(&["", "/"])),
    ),
    (
        &["prof_port", "prof_block_rate"],
        NotYet(Feature::Profiling, Off::Zero),
    ),
    (&["syslog"], NotYet(Feature::Syslog, Off::False)),
    (
        &["remote_syslog"],
        NotYet(Feature::Syslog, Off::Words(&[""])),
    ),
    (
        &["connect_error_reports", "reconnect_error_reports"],
        NotYet(Feature::Cluster, Off::Never),
    ),
    (&["jetstream"], NotYet(Feature::Jetstream, Off::Jetstream)),
    (
        &["store_dir", "storedir"],
        NotYet(Feature::Jetstream, Off::Never),
    ),
    (
        &["default_js_domain"],
        NotYet(Feature::Jetstream, Off::Empty),
    ),
    (&["mappings", "maps"], NotYet(Feature::Mappings, Off::Empty)),
    (&["cluster"], NotYet(Feature::Cluster, Off::Empty)),
    (&["gateway"], NotYet(Feature::Gateways, Off::Empty)),
    (
        &["leafnodes", "leaf"],
        NotYet(Feature::Leafnodes, Off::Empty),
    ),
    (&["websocket", "ws"], NotYet(Feature::Websocket, Off::Empty)),
    (&["mqtt"], NotYet(Feature::Mqtt, Off::Empty)),
    (
        &["server_tags", "server_metadata"],
        NotYet(Feature::Tags, Off::Empty),
    ),
    (
        &["feature_flags"],
        NotYet(Feature::FeatureFlags, Off::Empty),
    ),
    (&["proxies"], NotYet(Feature::ProxyProtocol, Off::Empty)),
    (
        &["proxy_protocol"],
        NotYet(Feature::ProxyProtocol, Off::False),
    ),
];

/// Keys of `authorization { … }`.
pub(super) const AUTHORIZATION: &Table<AuthorizationKey> = &[
    (&["user", "username"], Sets(AuthorizationKey::User)),
    (&["password", "pass"], Sets(AuthorizationKey::Password)),
    (&["token"], Sets(AuthorizationKey::Token)),
    (&["token_file"], Sets(AuthorizationKey::TokenFile)),
    (&["timeout"], Sets(AuthorizationKey::Timeout)),
    (&["users"], NotYet(Feature::Users, Off::Empty)),
    (
        &["default_permissions", "default_permission", "permissions"],
        NotYet(Feature::Permissions, Off::Empty),
    ),
    (
        &["auth_callout", "auth_hook"],
        NotYet(Feature::AuthCallout, Off::Never),
    ),
    (
        &["proxy_required"],
        NotYet(Feature::ProxyProtocol, Off::False),
    ),
];

/// What a table says about a key, in whatever case it was written.
pub(super) fn find<K: Copy>(table: &Table<K>, key: &str) -> Option<Meaning<K>> {
    let key = key.to_lowercase();
    table
        .iter()
        .find(|(names, _)| names.contains(&key.as_str()))
        .map(|(_, meaning)| *meaning)
}

/// The known key that an unknown one looks most like; `None` when it looks like none.
pub(super) fn nearest<K>(table: &Table<K>, key: &str) -> Option<String> {
    let names = table.iter().flat_map(|(names, _)| names.iter().copied());
    nearest_word(names, &key.to_lowercase())
}

/// The word of a list that another looks most like.
pub(crate) fn nearest_word<'a>(words: impl Iterator<Item = &'a str>, word: &str) -> Option<String> {
    // A key that is pages long looks like none, and comparing costs length times length.
    if word.chars().count() > 64 {
        return None;
    }
    words
        .map(|known| (strsim::normalized_damerau_levenshtein(known, word), known))
        .max_by(|a, b| a.0.total_cmp(&b.0))
        .filter(|(likeness, _)| *likeness >= 0.5)
        .map(|(_, known)| known.to_owned())
}

/// Whether a value says that the missing feature is off.
pub(super) fn is_off(off: Off, field: &Field<'_>) -> bool {
    let data = &field.value.data;
    match off {
        Off::Never => false,
        Off::False => matches!(data, Data::Bool(false)),
        Off::True => matches!(data, Data::Bool(true)),
        Off::Boolean => matches!(data, Data::Bool(_)),
        Off::Zero => matches!(data, Data::Integer(0)),
        Off::Empty => match data {
            Data::Map(map) => map.is_empty(),
            Data::Array(array) => array.values().is_empty(),
            _ => false,
        },
        Off::Words(words) => match data {
            Data::String(found) => words.contains(&found.as_ref()),
            _ => false,
        },
        Off::Jetstream => is_jetstream_off(field.value),
    }
}

/// `false`, `"disabled"`, or a block that says `enabled: false`.
fn is_jetstream_off(value: &Value) -> bool {
    match &value.data {
        Data::Bool(on) => !on,
        Data::String(word) => ["disabled", "disable"]
            .iter()
            .any(|off| word.eq_ignore_ascii_case(off)),
        Data::Map(map) => map.entries().iter().any(|entry| {
            let key = entry.key.to_lowercase();
            matches!(key.as_str(), "enabled" | "enable")
                && matches!(entry.value.data, Data::Bool(false))
        }),
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use super::*;

    #[test]
    fn no_key_is_in_the_table_twice() {
        let mut seen = HashSet::new();
        for (names, _) in TOP_LEVEL {
            for name in *names {
                assert!(seen.insert(name), "{name}");
                assert_eq!(*name, name.to_lowercase());
            }
        }
    }

    #[test]
    fn a_typing_error_finds_the_key_that_was_meant() {
        let near = |key| nearest(TOP_LEVEL, key);
        assert_eq!(near("max_paylod").as_deref(), Some("max_payload"));
        assert_eq!(near("prot").as_deref(), Some("port"));
        assert_eq!(near("Max_Connection").as_deref(), Some("max_connections"));
        assert_eq!(near("xyzzy"), None);
        assert_eq!(near(&"x".repeat(1_000_000)), None);
    }
}
