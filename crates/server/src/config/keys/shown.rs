//! How the effective value of each key is shown by `explain-config`. Each table of keys has a `match` here without a
//! catch-all, so that a key that nobody can be told about does not compile. A block or list with keys of its own
//! is shown as it was written ([`Show::AsWritten`]).

use std::path::Path;
use std::time::Duration;

use recado_log::Cipher;

use super::filled::Block as InnerBlock;
use super::known::{
    AuthorizationKey, BatchKey, Key, MonitoringKey, OperatorKey, StreamsKey, StreamsLimitsKey,
};
use crate::config::ocsp::OcspMode;
use crate::config::operator::{DirectoryKind, ResolverOptions};
use crate::config::options::{LogFormat, Options, Personality, SyslogTarget};
use crate::config::streams::SyncInterval;

/// A value as people and programs are shown it.
#[derive(Clone, Debug, PartialEq)]
pub enum Shown {
    /// A text.
    Text(String),
    /// Yes or no.
    Bool(bool),
    /// A number of things.
    Count(u64),
    /// A fraction.
    Number(f64),
    /// A number of bytes.
    Bytes(u64),
    /// A time.
    Time(Duration),
    /// There is one, and it is nobody's to see.
    Secret,
    /// Nothing was said, and that means this.
    Unset(Unset),
}

/// What it means that nothing was said.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Unset {
    /// There is none.
    Nothing,
    /// As many as may be.
    Unlimited,
    /// What the machine has room for: three quarters of the memory or disk.
    AsRoomAllows,
    /// The server makes one up.
    MadeUp,
    /// Standard error.
    StandardError,
    /// It is kept in memory.
    InMemory,
    /// What another key says.
    As(&'static str),
    /// Two values, one for atomic and one for fast batches.
    Batches(u64, u64),
}

/// How a key is shown.
pub(super) enum Show {
    /// By what the server will do.
    Effective(fn(&Options) -> Shown),
    /// By what the file says, each part with its place.
    AsWritten,
    /// A block with these keys, or several: what nobody wrote of them with its default.
    Inside(InnerBlock),
    /// A block with these keys, and what holds where there is none.
    InsideOr(InnerBlock, Shown),
    /// Blocks with these keys, under names of somebody's choice.
    Each(InnerBlock),
    /// Not at all: it sets what other keys are shown for.
    Elsewhere(&'static [&'static str]),
    /// A block whose keys have rows of their own.
    Block,
}

use Show::{AsWritten, Block, Each, Effective, Elsewhere, Inside, InsideOr};

fn path(path: Option<&Path>, none: Unset) -> Shown {
    path.map_or(Shown::Unset(none), |path| {
        Shown::Text(path.display().to_string())
    })
}

fn text(text: Option<&str>, none: Unset) -> Shown {
    text.map_or(Shown::Unset(none), |text| Shown::Text(text.to_owned()))
}

fn secret(secret: Option<&str>) -> Shown {
    secret.map_or(Shown::Unset(Unset::Nothing), |_| Shown::Secret)
}

fn count(number: usize) -> Shown {
    Shown::Count(number as u64)
}

/// 0 means any number.
fn any_or(number: usize) -> Shown {
    match number {
        0 => Shown::Unset(Unset::Unlimited),
        number => count(number),
    }
}

fn bytes(number: usize) -> Shown {
    Shown::Bytes(number as u64)
}

fn limit(limit: Option<u64>, none: Unset) -> Shown {
    limit.map_or(Shown::Unset(none), Shown::Count)
}

/// Where clients are listened for, if nobody named a host.
fn host(options: &Options) -> Shown {
    let open = options.asks_for_credential()
        || options.allow_anonymous
        || options.personality == Personality::NatsServer;
    let by_default = if open { "0.0.0.0" } else { "127.0.0.1" };
    Shown::Text(options.host.as_deref().unwrap_or(by_default).to_owned())
}

/// Where accounts are found.
fn resolver(options: &Options) -> Shown {
    let Some(operator) = &options.operator else {
        return Shown::Unset(Unset::Nothing);
    };
    Shown::Text(match &operator.resolver {
        ResolverOptions::Memory => "MEMORY".to_owned(),
        ResolverOptions::Url(url) => format!("URL({})", url.shown()),
        ResolverOptions::Directory(directory) => {
            let kind = match directory.kind {
                DirectoryKind::Full => "full",
                DirectoryKind::Cache => "cache",
            };
            format!("{kind} {}", directory.path.display())
        }
    })
}

/// Keys of the file itself.
pub(super) fn top_level(key: Key) -> Show {
    match key {
        Key::Listen => Elsewhere(&["host", "port"]),
        Key::TokenFile => Elsewhere(&["authorization.token_file", "authorization.token"]),
        Key::StoreDir => Elsewhere(&["jetstream.store_dir"]),
        Key::TraceVerbose => Elsewhere(&["trace"]),
        Key::Authorization | Key::Jetstream => Block,
        Key::Accounts => Each(InnerBlock::Account),
        Key::Mappings => Each(InnerBlock::Mapping),
        Key::Mqtt => Inside(InnerBlock::Mqtt),
        Key::Ocsp => InsideOr(
            InnerBlock::Ocsp,
            Shown::Text(OcspMode::default().word().to_owned()),
        ),
        Key::OcspCache => InsideOr(InnerBlock::OcspCache, Shown::Unset(Unset::InMemory)),
        Key::Plain => Inside(InnerBlock::Plain),
        Key::Tls => Inside(InnerBlock::Tls),
        Key::Websocket => Inside(InnerBlock::Websocket),
        Key::Operator(OperatorKey::ResolverTls) => Inside(InnerBlock::Tls),
        Key::Operator(OperatorKey::DefaultSentinel) => Effective(|o| {
            let operator = o.operator.as_ref();
            secret(operator.and_then(|operator| operator.default_sentinel.as_deref()))
        }),
        // It may hold a password.
        Key::Operator(OperatorKey::Resolver) => Effective(resolver),
        Key::ErrorReports | Key::Proxies | Key::Operator(_) => AsWritten,
        Key::Monitoring(key) => monitoring(key),
        Key::Host => Effective(host),
        Key::Port => Effective(|o| Shown::Count(o.port.into())),
        Key::ServerTags | Key::ServerMetadata | Key::FeatureFlags | Key::DefaultJsDomain => {
            AsWritten
        }
        Key::ServerName => Effective(|o| text(o.server_name.as_deref(), Unset::MadeUp)),
        Key::ClientAdvertise => Effective(|o| text(o.client_advertise.as_deref(), Unset::Nothing)),
        Key::AllowAnonymous => Effective(|o| Shown::Bool(o.allow_anonymous)),
        Key::AllowNonTls => Effective(|o| Shown::Bool(o.allow_non_tls)),
        Key::ProxyProtocol => Effective(|o| Shown::Bool(o.proxy_protocol)),
        Key::NoAuthUser => Effective(|o| text(o.no_auth_user.as_deref(), Unset::Nothing)),
        Key::NoSystemAccount => Effective(|o| Shown::Bool(o.no_system_account)),
        Key::SystemAccount => {
            Effective(|o| Shown::Text(o.system_account.as_deref().unwrap_or("$SYS").to_owned()))
        }
        Key::Service => Effective(|o| Shown::Bool(o.builtin_service)),
        Key::PidFile => Effective(|o| path(o.pid_file.as_deref(), Unset::Nothing)),
        Key::PortsFileDir => Effective(|o| path(o.ports_file_dir.as_deref(), Unset::Nothing)),
        Key::LameDuckDuration => Effective(|o| Shown::Time(o.lame_duck_duration)),
        Key::LameDuckGracePeriod => Effective(|o| Shown::Time(o.lame_duck_grace_period)),
        Key::Lang => Effective(|o| Shown::Text(o.lang.code().to_owned())),
        Key::ProfileBlockRate => AsWritten,
        Key::MaxConnections
        | Key::MaxControlLine
        | Key::MaxPayload
        | Key::MaxPending
        | Key::MaxSubTokens
        | Key::MaxSubscriptions
        | Key::NoFastProducerStall
        | Key::DisableSublistCache
        | Key::NoHeaderSupport
        | Key::PingInterval
        | Key::PingMax
        | Key::WriteDeadline
        | Key::WriteTimeout => limits(key),
        Key::Debug
        | Key::LogFile
        | Key::Syslog
        | Key::RemoteSyslog
        | Key::LogFormat
        | Key::LogMaxNum
        | Key::LogSizeLimit
        | Key::LogTime
        | Key::LogTimeUtc
        | Key::MaxTracedMsgLen
        | Key::Trace
        | Key::TraceHeaders => log(key),
    }
}

fn limits(key: Key) -> Show {
    Effective(match key {
        Key::MaxConnections => |o| match o.limits.max_connections {
            None => Shown::Unset(Unset::Unlimited),
            Some(most) => count(most),
        },
        Key::MaxControlLine => |o| bytes(o.limits.max_control_line),
        Key::MaxPayload => |o| bytes(o.limits.max_payload),
        Key::MaxPending => |o| bytes(o.limits.max_pending),
        Key::MaxSubTokens => |o| any_or(o.limits.max_sub_tokens),
        Key::MaxSubscriptions => |o| any_or(o.limits.max_subscriptions),
        Key::NoFastProducerStall => |o| Shown::Bool(o.limits.no_fast_producer_stall),
        Key::DisableSublistCache => |o| Shown::Bool(o.limits.disable_sublist_cache),
        Key::NoHeaderSupport => |o| Shown::Bool(o.limits.no_header_support),
        Key::PingInterval => |o| Shown::Time(o.limits.ping_interval),
        Key::PingMax => |o| Shown::Count(o.limits.ping_max.into()),
        Key::WriteTimeout => |o| Shown::Text(o.limits.write_timeout.word().to_owned()),
        _ => |o| Shown::Time(o.limits.write_deadline),
    })
}

fn log(key: Key) -> Show {
    Effective(match key {
        Key::Debug => |o| Shown::Bool(o.log.debug),
        Key::Syslog => |o| Shown::Bool(o.log.syslog),
        Key::RemoteSyslog => |o| {
            let place = o.log.remote_syslog.as_ref().map(|target| match target {
                SyslogTarget::Local => "unix:///dev/log".to_owned(),
                SyslogTarget::Unix(path) => format!("unix://{}", path.display()),
                SyslogTarget::Udp(address) => format!("udp://{address}"),
                SyslogTarget::Tcp(address) => format!("tcp://{address}"),
            });
            text(place.as_deref(), Unset::Nothing)
        },
        Key::LogFile => |o| path(o.log.file.as_deref(), Unset::StandardError),
        Key::LogFormat => |o| {
            let word = match o.log.format {
                LogFormat::Auto => "auto",
                LogFormat::Text => "text",
                LogFormat::Json => "json",
                LogFormat::Nats => "nats",
            };
            Shown::Text(word.to_owned())
        },
        Key::LogMaxNum => |o| any_or(o.log.max_num),
        Key::LogSizeLimit => |o| match o.log.size_limit {
            0 => Shown::Unset(Unset::Unlimited),
            limit => Shown::Bytes(limit),
        },
        Key::LogTime => |o| Shown::Bool(!o.log.no_time),
        Key::LogTimeUtc => |o| Shown::Bool(o.log.utc),
        Key::MaxTracedMsgLen => |o| match o.log.max_traced_msg_len {
            0 => Shown::Unset(Unset::Unlimited),
            limit => bytes(limit),
        },
        Key::Trace => |o| Shown::Bool(o.log.trace),
        _ => |o| Shown::Bool(o.log.trace_headers),
    })
}

fn monitoring(key: MonitoringKey) -> Show {
    match key {
        MonitoringKey::HttpPort => Elsewhere(&["http"]),
        MonitoringKey::HttpsPort => Elsewhere(&["https"]),
        MonitoringKey::Http => Effective(|o| monitoring_address(o, o.monitoring.port)),
        MonitoringKey::Https => Effective(|o| monitoring_address(o, o.monitoring.https_port)),
        MonitoringKey::ProfilePort => Effective(|o| match o.monitoring.profile_port {
            Some(port) => Shown::Count(port.into()),
            None => Shown::Unset(Unset::Nothing),
        }),
        MonitoringKey::HttpBasePath => Effective(|o| match o.monitoring.base_path.as_str() {
            "" => Shown::Text("/".to_owned()),
            path => Shown::Text(path.to_owned()),
        }),
        MonitoringKey::MaxClosedClients => Effective(|o| count(o.monitoring.max_closed_clients)),
        MonitoringKey::Token => Effective(|o| secret(o.monitoring.token.as_deref())),
        MonitoringKey::TokenFile => {
            Effective(|o| path(o.monitoring.token_file.as_deref(), Unset::Nothing))
        }
    }
}

/// Where monitoring listens with this port.
fn monitoring_address(options: &Options, port: Option<u16>) -> Shown {
    let Some(port) = port else {
        return Shown::Unset(Unset::Nothing);
    };
    let clients_host = options.host.as_deref();
    let host = options
        .monitoring
        .host_for(options.personality, clients_host);
    Shown::Text(match host.contains(':') {
        true => format!("[{host}]:{port}"),
        false => format!("{host}:{port}"),
    })
}

/// Keys of `authorization { … }`.
pub(super) fn authorization(key: AuthorizationKey) -> Show {
    Effective(match key {
        AuthorizationKey::Callout => return Inside(InnerBlock::Callout),
        AuthorizationKey::DefaultPermissions => return Inside(InnerBlock::Permissions),
        AuthorizationKey::Users => return Inside(InnerBlock::User),
        AuthorizationKey::ProxyRequired => return AsWritten,
        AuthorizationKey::User => |o| text(o.authorization.user.as_deref(), Unset::Nothing),
        AuthorizationKey::Password => |o| secret(o.authorization.password.as_deref()),
        AuthorizationKey::Token => |o| secret(o.authorization.token.as_deref()),
        AuthorizationKey::TokenFile => {
            |o| path(o.authorization.token_file.as_deref(), Unset::Nothing)
        }
        AuthorizationKey::Timeout => {
            |o| Shown::Time(o.authorization.timeout.unwrap_or(AUTHORIZATION_TIMEOUT))
        }
    })
}

/// Time to present a credential, unless said otherwise (A67).
const AUTHORIZATION_TIMEOUT: Duration = Duration::from_secs(2);

/// A secret that is nobody's to see.
fn hidden(there: bool) -> Shown {
    match there {
        true => Shown::Secret,
        false => Shown::Unset(Unset::Nothing),
    }
}

/// Keys of `jetstream { … }`.
pub(super) fn streams(key: StreamsKey) -> Show {
    Effective(match key {
        StreamsKey::Limits => return Block,
        StreamsKey::ForSeveral(_) => return AsWritten,
        StreamsKey::EncryptionKey => |o| hidden(o.streams.encryption.key.is_some()),
        StreamsKey::PreviousKey => |o| hidden(o.streams.encryption.previous.is_some()),
        StreamsKey::Cipher => |o| match o.streams.encryption.cipher.unwrap_or_default() {
            Cipher::ChaCha20 => Shown::Text("chacha".to_owned()),
            Cipher::Aes256 => Shown::Text("aes".to_owned()),
        },
        StreamsKey::Enabled => |o| Shown::Bool(o.streams.enabled),
        StreamsKey::StoreDir => |o| path(o.streams.store_dir.as_deref(), Unset::Nothing),
        StreamsKey::Domain => |o| text(o.streams.domain.as_deref(), Unset::Nothing),
        StreamsKey::Strict => |o| Shown::Bool(o.streams.strict),
        StreamsKey::SyncInterval => |o| match o.streams.sync_interval {
            SyncInterval::Always => Shown::Text("always".to_owned()),
            SyncInterval::Every(time) => Shown::Time(time),
        },
        StreamsKey::MaxFile => |o| match o.streams.max_file_bytes {
            None => Shown::Unset(Unset::AsRoomAllows),
            Some(most) => Shown::Bytes(most),
        },
        StreamsKey::MaxMemory => |o| match o.streams.max_memory_bytes {
            None => Shown::Unset(Unset::AsRoomAllows),
            Some(most) => Shown::Bytes(most),
        },
        StreamsKey::MaxBufferedBytes => |o| Shown::Bytes(o.streams.max_buffered_bytes),
        StreamsKey::MaxBufferedMessages => |o| Shown::Count(o.streams.max_buffered_messages),
        StreamsKey::RequestQueueLimit => |o| Shown::Count(o.streams.request_queue_limit),
        StreamsKey::InfoQueueLimit => {
            |o| limit(o.streams.info_queue_limit, Unset::As("request_queue_limit"))
        }
    })
}

/// Keys of `jetstream { limits { … } }`.
pub(super) fn streams_limits(key: StreamsLimitsKey) -> Show {
    Effective(match key {
        StreamsLimitsKey::Batch => return Block,
        StreamsLimitsKey::ForSeveral(_) => return AsWritten,
        StreamsLimitsKey::DuplicateWindow => |o| match o.streams.limits.duplicate_window {
            None => Shown::Unset(Unset::Unlimited),
            Some(window) => Shown::Time(window),
        },
        StreamsLimitsKey::MaxAckPending => {
            |o| limit(o.streams.limits.max_ack_pending, Unset::Unlimited)
        }
        StreamsLimitsKey::DefaultMaxConsumers => {
            |o| limit(o.streams.limits.default_max_consumers, Unset::Unlimited)
        }
        StreamsLimitsKey::MaxRequestBatch => {
            |o| limit(o.streams.limits.max_request_batch, Unset::Unlimited)
        }
    })
}

/// Keys of `jetstream { limits { batch { … } } }`.
pub(super) fn batch(key: BatchKey) -> Show {
    Effective(match key {
        BatchKey::MaxInflightPerStream => |o| {
            let limits = &o.streams.limits.batch;
            limit(limits.max_inflight_per_stream, Unset::Batches(50, 1000))
        },
        BatchKey::MaxInflightTotal => |o| {
            let limits = &o.streams.limits.batch;
            limit(limits.max_inflight_total, Unset::Batches(1000, 50_000))
        },
        BatchKey::MaxMessages => {
            |o| Shown::Count(o.streams.limits.batch.max_messages.unwrap_or(1000))
        }
        BatchKey::Timeout => |o| {
            let timeout = o.streams.limits.batch.timeout;
            Shown::Time(timeout.unwrap_or(Duration::from_secs(10)))
        },
    })
}
