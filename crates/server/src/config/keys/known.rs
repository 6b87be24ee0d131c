//! Every key that there is: what it sets, or which feature it belongs to that is not there yet.

use super::field::Field;
use crate::config::lang::Data;
use crate::config::messages::Feature;

/// A setting of this server.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Key {
    Accounts,
    AllowAnonymous,
    AllowNonTls,
    Authorization,
    ClientAdvertise,
    Debug,
    DefaultJsDomain,
    Host,
    Jetstream,
    LameDuckDuration,
    LameDuckGracePeriod,
    Lang,
    Listen,
    LogFile,
    Syslog,
    RemoteSyslog,
    /// How often failures to reach other servers are told.
    ErrorReports,
    FeatureFlags,
    LogFormat,
    LogMaxNum,
    LogSizeLimit,
    LogTime,
    LogTimeUtc,
    Mappings,
    MaxConnections,
    MaxControlLine,
    MaxPayload,
    MaxPending,
    MaxSubTokens,
    MaxSubscriptions,
    MaxTracedMsgLen,
    Mqtt,
    Monitoring(MonitoringKey),
    NoAuthUser,
    NoFastProducerStall,
    DisableSublistCache,
    /// How often Go's scheduler notes who waits: changes nothing.
    ProfileBlockRate,
    NoHeaderSupport,
    NoSystemAccount,
    Ocsp,
    OcspCache,
    Operator(OperatorKey),
    PidFile,
    PingInterval,
    PingMax,
    Plain,
    Port,
    PortsFileDir,
    Proxies,
    ProxyProtocol,
    ServerName,
    ServerTags,
    ServerMetadata,
    Service,
    StoreDir,
    SystemAccount,
    Tls,
    TokenFile,
    Trace,
    TraceHeaders,
    TraceVerbose,
    Websocket,
    WriteDeadline,
    WriteTimeout,
}

/// A setting of monitoring over HTTP.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum MonitoringKey {
    Http,
    HttpBasePath,
    HttpPort,
    Https,
    HttpsPort,
    MaxClosedClients,
    ProfilePort,
    Token,
    TokenFile,
}

/// A setting of operator mode.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum OperatorKey {
    Operators,
    TrustedKeys,
    Resolver,
    Preload,
    PinnedAccounts,
    DefaultSentinel,
    ResolverTls,
}

/// A setting inside `authorization { … }`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum AuthorizationKey {
    Callout,
    DefaultPermissions,
    Password,
    ProxyRequired,
    Timeout,
    Token,
    TokenFile,
    User,
    Users,
}

/// A setting inside `jetstream { … }`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum StreamsKey {
    Cipher,
    Domain,
    Enabled,
    EncryptionKey,
    InfoQueueLimit,
    Limits,
    MaxBufferedBytes,
    MaxBufferedMessages,
    MaxFile,
    MaxMemory,
    PreviousKey,
    RequestQueueLimit,
    StoreDir,
    Strict,
    SyncInterval,
    /// Tunes what one server alone does not do: accepted, and warned of.
    ForSeveral(Form),
}

/// A setting inside `jetstream { limits { … } }`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum StreamsLimitsKey {
    Batch,
    DefaultMaxConsumers,
    DuplicateWindow,
    MaxAckPending,
    MaxRequestBatch,
    /// As [`StreamsKey::ForSeveral`].
    ForSeveral(Form),
}

/// A setting inside `jetstream { limits { batch { … } } }`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum BatchKey {
    MaxInflightPerStream,
    MaxInflightTotal,
    MaxMessages,
    Timeout,
}

/// A setting inside `tls { … }` of a listener.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum TlsKey {
    CaFile,
    CertFile,
    Certs,
    CipherSuites,
    ConnectionRateLimit,
    CurvePreferences,
    HandshakeFirst,
    KeyFile,
    MinVersion,
    OcspPeer,
    PinnedCerts,
    Timeout,
    Verify,
    VerifyAndMap,
    /// Only for links between servers.
    ForServers,
    /// Accepted, and warned of.
    ChangesNothing,
}

/// A setting inside `ocsp { … }`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum OcspKey {
    Mode,
    Url,
    Urls,
}

/// A setting inside `ocsp_cache { … }`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum OcspCacheKey {
    LocalStore,
    PreserveRevoked,
    SaveInterval,
    Type,
}

/// A setting inside `ocsp_peer { … }` of `tls { … }`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum OcspPeerKey {
    AllowWhenCaUnreachable,
    AllowedClockskew,
    CaTimeout,
    TtlWithoutNextUpdate,
    UnknownIsGood,
    Verify,
    WarnOnly,
}

/// A setting inside `websocket { … }`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum WebsocketKey {
    Advertise,
    AllowedOrigins,
    Authorization,
    Compression,
    HandshakeTimeout,
    Headers,
    Host,
    JwtCookie,
    Listen,
    NoAuthUser,
    NoTls,
    PassCookie,
    PingInterval,
    Port,
    SameOrigin,
    Tls,
    TokenCookie,
    UserCookie,
}

/// A setting inside `mqtt { … }`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum MqttKey {
    AckWait,
    ApiTimeout,
    Authorization,
    ConsumerInactiveThreshold,
    ConsumerMemoryStorage,
    Domain,
    DowngradeQos2Subscribe,
    Host,
    Listen,
    MaxAckPending,
    NoAuthUser,
    Port,
    RejectQos2Publish,
    Tls,
    /// Tunes what one server alone does not do: accepted, and warned of.
    ForSeveral(Form),
}

/// A setting inside an entry of `certs` in `tls { … }`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum CertificateKey {
    CertFile,
    KeyFile,
}

/// What the value of a key that changes nothing must look like all the same.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Form {
    Boolean,
    /// An integer between these two.
    Integer(i64, i64),
    Size,
    Text,
    /// One of these words.
    Words(&'static [&'static str]),
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
    /// An empty block or list.
    Empty,
    /// One of these words.
    Words(&'static [&'static str]),
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
    (&["accounts"], Sets(Key::Accounts)),
    (&["no_auth_user"], Sets(Key::NoAuthUser)),
    (&["system_account", "system"], Sets(Key::SystemAccount)),
    (
        &["no_system_account", "no_system", "no_sys_acc"],
        Sets(Key::NoSystemAccount),
    ),
    (&["mappings", "maps"], Sets(Key::Mappings)),
    (&["proxies"], Sets(Key::Proxies)),
    (
        &[
            "operator",
            "operators",
            "root",
            "roots",
            "root_operator",
            "root_operators",
        ],
        Sets(Key::Operator(OperatorKey::Operators)),
    ),
    (
        &["trusted", "trusted_keys"],
        Sets(Key::Operator(OperatorKey::TrustedKeys)),
    ),
    (
        &["resolver", "account_resolver", "accounts_resolver"],
        Sets(Key::Operator(OperatorKey::Resolver)),
    ),
    (
        &["resolver_preload"],
        Sets(Key::Operator(OperatorKey::Preload)),
    ),
    (
        &["resolver_pinned_accounts"],
        Sets(Key::Operator(OperatorKey::PinnedAccounts)),
    ),
    (
        &["default_sentinel"],
        Sets(Key::Operator(OperatorKey::DefaultSentinel)),
    ),
    (
        &["resolver_tls"],
        Sets(Key::Operator(OperatorKey::ResolverTls)),
    ),
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
    (&["write_timeout"], Sets(Key::WriteTimeout)),
    (&["no_fast_producer_stall"], Sets(Key::NoFastProducerStall)),
    (
        &["disable_sublist_cache", "no_sublist_cache"],
        Sets(Key::DisableSublistCache),
    ),
    (
        &["prof_port"],
        Sets(Key::Monitoring(MonitoringKey::ProfilePort)),
    ),
    (&["prof_block_rate"], Sets(Key::ProfileBlockRate)),
    (&["no_header_support"], Sets(Key::NoHeaderSupport)),
    (&["debug"], Sets(Key::Debug)),
    (&["trace"], Sets(Key::Trace)),
    (&["trace_verbose"], Sets(Key::TraceVerbose)),
    (&["trace_headers"], Sets(Key::TraceHeaders)),
    (&["logtime"], Sets(Key::LogTime)),
    (&["logtime_utc"], Sets(Key::LogTimeUtc)),
    (&["log_file", "logfile"], Sets(Key::LogFile)),
    (&["syslog"], Sets(Key::Syslog)),
    (&["remote_syslog"], Sets(Key::RemoteSyslog)),
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
    (&["jetstream"], Sets(Key::Jetstream)),
    (&["store_dir", "storedir"], Sets(Key::StoreDir)),
    (&["http"], Sets(Key::Monitoring(MonitoringKey::Http))),
    (&["https"], Sets(Key::Monitoring(MonitoringKey::Https))),
    (
        &["https_port"],
        Sets(Key::Monitoring(MonitoringKey::HttpsPort)),
    ),
    (
        &["http_port", "monitor_port"],
        Sets(Key::Monitoring(MonitoringKey::HttpPort)),
    ),
    (
        &["http_base_path"],
        Sets(Key::Monitoring(MonitoringKey::HttpBasePath)),
    ),
    (
        &["max_closed_clients"],
        Sets(Key::Monitoring(MonitoringKey::MaxClosedClients)),
    ),
    (&["tls"], Sets(Key::Tls)),
    (&["allow_non_tls"], Sets(Key::AllowNonTls)),
    (&["proxy_protocol"], Sets(Key::ProxyProtocol)),
    (&["websocket", "ws"], Sets(Key::Websocket)),
    (&["mqtt"], Sets(Key::Mqtt)),
    // Ours.
    (&["allow_anonymous"], Sets(Key::AllowAnonymous)),
    (&["lang"], Sets(Key::Lang)),
    (&["log_format"], Sets(Key::LogFormat)),
    (
        &["monitor_token"],
        Sets(Key::Monitoring(MonitoringKey::Token)),
    ),
    (
        &["monitor_token_file"],
        Sets(Key::Monitoring(MonitoringKey::TokenFile)),
    ),
    (&["plain"], Sets(Key::Plain)),
    (&["service"], Sets(Key::Service)),
    (&["token_file"], Sets(Key::TokenFile)),
    (&["ocsp"], Sets(Key::Ocsp)),
    (&["ocsp_cache"], Sets(Key::OcspCache)),
    (
        &["connect_error_reports", "reconnect_error_reports"],
        Sets(Key::ErrorReports),
    ),
    (&["default_js_domain"], Sets(Key::DefaultJsDomain)),
    // Not there yet.
    (&["cluster"], NotYet(Feature::Cluster, Off::Empty)),
    (&["gateway"], NotYet(Feature::Gateways, Off::Empty)),
    (
        &["leafnodes", "leaf"],
        NotYet(Feature::Leafnodes, Off::Empty),
    ),
    (&["server_tags"], Sets(Key::ServerTags)),
    (&["server_metadata"], Sets(Key::ServerMetadata)),
    (&["feature_flags"], Sets(Key::FeatureFlags)),
];

/// Keys of `authorization { … }`.
pub(super) const AUTHORIZATION: &Table<AuthorizationKey> = &[
    (&["user", "username"], Sets(AuthorizationKey::User)),
    (&["password", "pass"], Sets(AuthorizationKey::Password)),
    (&["token"], Sets(AuthorizationKey::Token)),
    (&["token_file"], Sets(AuthorizationKey::TokenFile)),
    (&["timeout"], Sets(AuthorizationKey::Timeout)),
    (&["users"], Sets(AuthorizationKey::Users)),
    (
        &["default_permissions", "default_permission", "permissions"],
        Sets(AuthorizationKey::DefaultPermissions),
    ),
    (
        &["auth_callout", "auth_hook"],
        Sets(AuthorizationKey::Callout),
    ),
    (&["proxy_required"], Sets(AuthorizationKey::ProxyRequired)),
];

/// Keys of `tls { … }` of a listener.
pub(super) const TLS: &Table<TlsKey> = &[
    (&["cert_file"], Sets(TlsKey::CertFile)),
    (&["key_file"], Sets(TlsKey::KeyFile)),
    (&["ca_file"], Sets(TlsKey::CaFile)),
    (&["certs"], Sets(TlsKey::Certs)),
    (&["verify"], Sets(TlsKey::Verify)),
    (&["verify_and_map"], Sets(TlsKey::VerifyAndMap)),
    (
        &["handshake_first", "first", "immediate"],
        Sets(TlsKey::HandshakeFirst),
    ),
    (&["timeout"], Sets(TlsKey::Timeout)),
    (&["min_version"], Sets(TlsKey::MinVersion)),
    (&["cipher_suites"], Sets(TlsKey::CipherSuites)),
    (&["curve_preferences"], Sets(TlsKey::CurvePreferences)),
    (&["pinned_certs"], Sets(TlsKey::PinnedCerts)),
    (
        &["connection_rate_limit"],
        Sets(TlsKey::ConnectionRateLimit),
    ),
    (
        &["verify_cert_and_check_known_urls"],
        Sets(TlsKey::ForServers),
    ),
    // A server does not verify itself; and of the suites that Go calls insecure there is none.
    (
        &["insecure", "allow_insecure_cipher_suites"],
        Sets(TlsKey::ChangesNothing),
    ),
    (&["ocsp_peer"], Sets(TlsKey::OcspPeer)),
    (
        &[
            "cert_store",
            "cert_match_by",
            "cert_match",
            "ca_certs_match",
            "cert_match_skip_invalid",
        ],
        NotYet(Feature::CertificateStores, Off::Words(&[""])),
    ),
];

/// Keys of `ocsp { … }`.
pub(super) const OCSP: &Table<OcspKey> = &[
    (&["mode"], Sets(OcspKey::Mode)),
    (&["url"], Sets(OcspKey::Url)),
    (&["urls"], Sets(OcspKey::Urls)),
];

/// Keys of `ocsp_cache { … }`.
pub(super) const OCSP_CACHE: &Table<OcspCacheKey> = &[
    (&["type"], Sets(OcspCacheKey::Type)),
    (&["local_store"], Sets(OcspCacheKey::LocalStore)),
    (&["preserve_revoked"], Sets(OcspCacheKey::PreserveRevoked)),
    (&["save_interval"], Sets(OcspCacheKey::SaveInterval)),
];

/// Keys of `ocsp_peer { … }`.
pub(super) const OCSP_PEER: &Table<OcspPeerKey> = &[
    (&["verify"], Sets(OcspPeerKey::Verify)),
    (&["allowed_clockskew"], Sets(OcspPeerKey::AllowedClockskew)),
    (&["ca_timeout"], Sets(OcspPeerKey::CaTimeout)),
    (
        &["cache_ttl_when_next_update_unset"],
        Sets(OcspPeerKey::TtlWithoutNextUpdate),
    ),
    (&["warn_only"], Sets(OcspPeerKey::WarnOnly)),
    (&["unknown_is_good"], Sets(OcspPeerKey::UnknownIsGood)),
    (
        &["allow_when_ca_unreachable"],
        Sets(OcspPeerKey::AllowWhenCaUnreachable),
    ),
];

/// Keys of `websocket { … }`.
pub(super) const WEBSOCKET: &Table<WebsocketKey> = &[
    (&["listen"], Sets(WebsocketKey::Listen)),
    (&["host", "net"], Sets(WebsocketKey::Host)),
    (&["port"], Sets(WebsocketKey::Port)),
    (&["advertise"], Sets(WebsocketKey::Advertise)),
    (&["no_tls"], Sets(WebsocketKey::NoTls)),
    (&["tls"], Sets(WebsocketKey::Tls)),
    (&["compression"], Sets(WebsocketKey::Compression)),
    (&["same_origin"], Sets(WebsocketKey::SameOrigin)),
    (
        &[
            "allowed_origins",
            "allowed_origin",
            "allow_origins",
            "allow_origin",
            "origins",
            "origin",
        ],
        Sets(WebsocketKey::AllowedOrigins),
    ),
    (&["jwt_cookie"], Sets(WebsocketKey::JwtCookie)),
    (&["user_cookie"], Sets(WebsocketKey::UserCookie)),
    (&["pass_cookie"], Sets(WebsocketKey::PassCookie)),
    (&["token_cookie"], Sets(WebsocketKey::TokenCookie)),
    (&["headers"], Sets(WebsocketKey::Headers)),
    (&["handshake_timeout"], Sets(WebsocketKey::HandshakeTimeout)),
    (&["ping_interval"], Sets(WebsocketKey::PingInterval)),
    (&["no_auth_user"], Sets(WebsocketKey::NoAuthUser)),
    (
        &["authorization", "authentication"],
        Sets(WebsocketKey::Authorization),
    ),
];

/// Keys of `mqtt { … }`.
pub(super) const MQTT: &Table<MqttKey> = &[
    (&["listen"], Sets(MqttKey::Listen)),
    (&["host", "net"], Sets(MqttKey::Host)),
    (&["port"], Sets(MqttKey::Port)),
    (&["tls"], Sets(MqttKey::Tls)),
    (
        &["authorization", "authentication"],
        Sets(MqttKey::Authorization),
    ),
    (&["no_auth_user"], Sets(MqttKey::NoAuthUser)),
    (&["ack_wait", "ackwait"], Sets(MqttKey::AckWait)),
    (
        &["max_ack_pending", "max_pending", "max_inflight"],
        Sets(MqttKey::MaxAckPending),
    ),
    (
        &["js_api_timeout", "api_timeout"],
        Sets(MqttKey::ApiTimeout),
    ),
    (&["js_domain"], Sets(MqttKey::Domain)),
    (
        &["stream_replicas", "consumer_replicas"],
        Sets(MqttKey::ForSeveral(Form::Integer(0, i64::MAX))),
    ),
    (
        &["consumer_memory_storage"],
        Sets(MqttKey::ConsumerMemoryStorage),
    ),
    (
        &["consumer_inactive_threshold", "consumer_auto_cleanup"],
        Sets(MqttKey::ConsumerInactiveThreshold),
    ),
    (&["reject_qos2_publish"], Sets(MqttKey::RejectQos2Publish)),
    (
        &["downgrade_qos2_subscribe"],
        Sets(MqttKey::DowngradeQos2Subscribe),
    ),
];

/// Keys of `authorization { … }` in `websocket { … }` and `mqtt { … }`: users are for the whole server.
pub(super) const WEBSOCKET_AUTHORIZATION: &Table<AuthorizationKey> = &[
    (&["user", "username"], Sets(AuthorizationKey::User)),
    (&["pass", "password"], Sets(AuthorizationKey::Password)),
    (&["token"], Sets(AuthorizationKey::Token)),
    (&["timeout"], Sets(AuthorizationKey::Timeout)),
];

/// Keys of an entry of `certs` in `tls { … }`.
pub(super) const CERTIFICATE: &Table<CertificateKey> = &[
    (&["cert_file"], Sets(CertificateKey::CertFile)),
    (&["key_file"], Sets(CertificateKey::KeyFile)),
];

use StreamsKey::ForSeveral;

/// Keys of `jetstream { … }`.
///
/// nats-server takes those that tune clusters on a single server, too, where they change nothing:
/// they are accepted here with a warning, so that its configurations work as they are. What would
/// silently leave data unencrypted is refused instead.
pub(super) const STREAMS: &Table<StreamsKey> = &[
    (&["enabled", "enable"], Sets(StreamsKey::Enabled)),
    (
        &["store_dir", "storedir", "store"],
        Sets(StreamsKey::StoreDir),
    ),
    (
        &["max_memory_store", "max_mem_store", "max_mem"],
        Sets(StreamsKey::MaxMemory),
    ),
    (&["max_file_store", "max_file"], Sets(StreamsKey::MaxFile)),
    (&["sync_interval", "sync"], Sets(StreamsKey::SyncInterval)),
    (&["strict"], Sets(StreamsKey::Strict)),
    (&["domain"], Sets(StreamsKey::Domain)),
    (
        &["max_buffered_msgs"],
        Sets(StreamsKey::MaxBufferedMessages),
    ),
    (&["max_buffered_size"], Sets(StreamsKey::MaxBufferedBytes)),
    (
        &["request_queue_limit"],
        Sets(StreamsKey::RequestQueueLimit),
    ),
    (&["info_queue_limit"], Sets(StreamsKey::InfoQueueLimit)),
    (&["limits"], Sets(StreamsKey::Limits)),
    // Placement and catching up among the servers of a cluster, and compaction of what they agree on.
    (&["unique_tag"], Sets(ForSeveral(Form::Text))),
    (&["max_outstanding_catchup"], Sets(ForSeveral(Form::Size))),
    (
        &["meta_compact"],
        Sets(ForSeveral(Form::Integer(0, i64::MAX))),
    ),
    (&["meta_compact_size"], Sets(ForSeveral(Form::Size))),
    (&["meta_compact_sync"], Sets(ForSeveral(Form::Boolean))),
    // Whether a leaf node's streams are the hub's.
    (
        &["extension_hint"],
        Sets(ForSeveral(Form::Words(&["no_extend", "will_extend"]))),
    ),
    // One committer writes for all streams: there is nothing to hold back.
    (
        &["max_concurrent_io"],
        Sets(ForSeveral(Form::Integer(4, 8192))),
    ),
    (
        &["key", "ek", "encryption_key"],
        Sets(StreamsKey::EncryptionKey),
    ),
    (
        &["prev_key", "prev_ek", "prev_encryption_key"],
        Sets(StreamsKey::PreviousKey),
    ),
    (&["cipher"], Sets(StreamsKey::Cipher)),
    (&["tpm"], NotYet(Feature::Tpm, Off::Empty)),
];

/// Keys of `jetstream { limits { … } }`.
pub(super) const STREAMS_LIMITS: &Table<StreamsLimitsKey> = &[
    (&["max_ack_pending"], Sets(StreamsLimitsKey::MaxAckPending)),
    (
        &["max_request_batch"],
        Sets(StreamsLimitsKey::MaxRequestBatch),
    ),
    (
        &["default_max_consumers"],
        Sets(StreamsLimitsKey::DefaultMaxConsumers),
    ),
    (
        &["duplicate_window"],
        Sets(StreamsLimitsKey::DuplicateWindow),
    ),
    (&["batch"], Sets(StreamsLimitsKey::Batch)),
    // Counts what is kept on several servers.
    (
        &["max_ha_assets"],
        Sets(StreamsLimitsKey::ForSeveral(Form::Integer(
            i64::MIN,
            i64::MAX,
        ))),
    ),
];

/// Keys of `jetstream { limits { batch { … } } }`.
pub(super) const BATCH: &Table<BatchKey> = &[
    (
        &["max_inflight_per_stream"],
        Sets(BatchKey::MaxInflightPerStream),
    ),
    (&["max_inflight_total"], Sets(BatchKey::MaxInflightTotal)),
    (&["max_msgs"], Sets(BatchKey::MaxMessages)),
    (&["timeout"], Sets(BatchKey::Timeout)),
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
        Off::Empty => match data {
            Data::Map(map) => map.is_empty(),
            Data::Array(array) => array.values().is_empty(),
            _ => false,
        },
        Off::Words(words) => match data {
            Data::String(found) => words.contains(&found.as_ref()),
            _ => false,
        },
    }
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use super::*;

    fn names_are_told_apart<K>(table: &Table<K>) {
        let mut seen = HashSet::new();
        for (names, _) in table {
            for name in *names {
                assert!(seen.insert(name), "{name}");
                assert_eq!(*name, name.to_lowercase());
            }
        }
    }

    #[test]
    fn no_key_is_in_a_table_twice() {
        names_are_told_apart(TOP_LEVEL);
        names_are_told_apart(AUTHORIZATION);
        names_are_told_apart(STREAMS);
        names_are_told_apart(STREAMS_LIMITS);
        names_are_told_apart(BATCH);
        names_are_told_apart(TLS);
        names_are_told_apart(CERTIFICATE);
        names_are_told_apart(WEBSOCKET);
        names_are_told_apart(MQTT);
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
