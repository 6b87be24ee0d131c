//! The effective settings of one server: what is left when the defaults, the configuration file
//! and the flags have been merged. Nothing here reads a file or the environment.

use std::collections::BTreeMap;
use std::ffi::OsStr;
use std::path::{Path, PathBuf};
use std::time::Duration;

use recado_auth::PermissionsSpec;

use super::access::{AccountOptions, CalloutOptions, Mapping, UserOptions};
use super::locale::Lang;
use super::monitoring::MonitoringOptions;
use super::mqtt::MqttOptions;
use super::ocsp::{OcspCacheOptions, OcspOptions};
use super::operator::OperatorOptions;
use super::streams::StreamsOptions;
use super::tls::TlsOptions;
use super::websocket::WebsocketOptions;

/// Whose manners the program has. It is decided by the name the program is called by.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Default)]
pub enum Personality {
    /// `recado-server`: safe defaults (loopback without a credential), log for people, own services.
    #[default]
    Recado,
    /// `nats-server`: its flags, defaults, listening address and log lines, for scripts that expect it.
    NatsServer,
}

impl Personality {
    /// The personality that a program called so has: `nats-server` in any directory, also as a
    /// link, is nats-server.
    pub fn from_program_name(argv0: &OsStr) -> Self {
        let name = Path::new(argv0).file_stem().unwrap_or(argv0);
        match name == "nats-server" {
            true => Self::NatsServer,
            false => Self::Recado,
        }
    }

    /// What the program calls itself in messages.
    pub fn program_name(self) -> &'static str {
        match self {
            Self::Recado => "recado-server",
            Self::NatsServer => "nats-server",
        }
    }
}

/// Everything the server can be told. `Default` is what `recado-server` does without arguments.
#[derive(Clone, Debug)]
pub struct Options {
    /// Whose manners the program has.
    pub personality: Personality,
    /// Language of the texts for people.
    pub lang: Lang,
    /// Address or host name to listen on. `None`: `0.0.0.0` with a credential (or
    /// `allow_anonymous`, or as `nats-server`), loopback otherwise.
    pub host: Option<String>,
    /// TCP port; 0 picks a free one (`-1` in flags and files).
    pub port: u16,
    /// Name in INFO; `None`: the server id.
    pub server_name: Option<String>,
    /// Words that the server is found by, in lower case (D30).
    pub server_tags: Vec<String>,
    /// What else is to be known of it.
    pub server_metadata: BTreeMap<String, String>,
    /// Flags of features that were turned on or off (ADR-53), known ones only.
    pub feature_flags: BTreeMap<String, bool>,
    /// `host[:port]` that INFO's `connect_urls` offers instead of the listening address.
    pub client_advertise: Option<String>,
    /// Who may connect.
    pub authorization: Authorization,
    /// TLS for clients; `None`: they come in clear.
    pub tls: Option<TlsOptions>,
    /// Whether the server's certificates are shown with what their responder says of them.
    pub ocsp: OcspOptions,
    /// What is remembered of whether clients' certificates were revoked.
    pub ocsp_cache: OcspCacheOptions,
    /// Serve clients that come in clear, too, where there is TLS.
    pub allow_non_tls: bool,
    /// Listen for WebSocket clients, too.
    pub websocket: Option<WebsocketOptions>,
    /// Listen for MQTT clients, too.
    pub mqtt: Option<MqttOptions>,
    /// Connections come through a proxy that says whose they are (PROXY protocol).
    pub proxy_protocol: bool,
    /// Accounts beside `$G`, which is for those that belong to no other.
    pub accounts: Vec<AccountOptions>,
    /// Accounts and users are signed by operators, and not configured here.
    pub operator: Option<OperatorOptions>,
    /// Who those are that present nothing (C18).
    pub no_auth_user: Option<String>,
    /// The account of the server itself; `None`: `$SYS`.
    pub system_account: Option<String>,
    /// There is no such account.
    pub no_system_account: bool,
    /// Public keys of proxies whose word is taken for a client's way (B12).
    pub trusted_proxies: Vec<String>,
    /// Accounts without streams, each with the domain that its requests to the streams' API go to.
    pub default_js_domain: BTreeMap<String, String>,
    /// Subjects of `$G` that are renamed when they are published.
    pub mappings: Vec<Mapping>,
    /// Listen beyond loopback although nobody is asked for a credential.
    pub allow_anonymous: bool,
    /// Bounds of connections.
    pub limits: Limits,
    /// Answer requests on `recado.*` and be found as a service (ADR-32).
    pub builtin_service: bool,
    /// Listeners for bare TCP peers.
    pub plain: Vec<PlainListener>,
    /// What is stored, and where.
    pub streams: StreamsOptions,
    /// Where the server can be watched.
    pub monitoring: MonitoringOptions,
    /// Where and how the log is written.
    pub log: LogOptions,
    /// File that holds the process id while the server runs.
    pub pid_file: Option<PathBuf>,
    /// Directory for `<program>_<pid>.ports`.
    pub ports_file_dir: Option<PathBuf>,
    /// How long clients are spread over when the server goes away (lame duck).
    pub lame_duck_duration: Duration,
    /// How long the lame duck waits before it disconnects the first client.
    pub lame_duck_grace_period: Duration,
    /// Digest of the configuration file that this comes from, to be shown.
    pub config_digest: Option<String>,
}

/// The credential that clients must present: none, a token, one user and password, or that of one of several users.
#[derive(Clone, Default, PartialEq)]
pub struct Authorization {
    /// Token, plain or bcrypt.
    pub token: Option<String>,
    /// File that the token is from, to be shown in hints.
    pub token_file: Option<PathBuf>,
    /// User name.
    pub user: Option<String>,
    /// Password, plain or bcrypt.
    pub password: Option<String>,
    /// Time a client has to authenticate; `None`: 2 s.
    pub timeout: Option<Duration>,
    /// Users of `$G`.
    pub users: Vec<UserOptions>,
    /// For users of `$G` without permissions of their own; already filled in there.
    pub default_permissions: Option<PermissionsSpec>,
    /// A service that decides on logins.
    pub callout: Option<CalloutOptions>,
    /// Whether the token, or the one user, must come through a trusted proxy.
    pub proxy_required: bool,
}

/// Secrets never reach a log through `{:?}`.
impl std::fmt::Debug for Authorization {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Authorization")
            .field("token", &self.token.as_ref().map(|_| "[redacted]"))
            .field("token_file", &self.token_file)
            .field("user", &self.user)
            .field("password", &self.password.as_ref().map(|_| "[redacted]"))
            .field("timeout", &self.timeout)
            .field("users", &self.users)
            .field("default_permissions", &self.default_permissions)
            .field("callout", &self.callout)
            .field("proxy_required", &self.proxy_required)
            .finish()
    }
}

/// Bounds of connections; reference rows A60 to A68.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Limits {
    /// Largest payload (headers included) of one message, in bytes.
    pub max_payload: usize,
    /// Longest protocol line, in bytes.
    pub max_control_line: usize,
    /// Unsent bytes after which a subscriber is cut off.
    pub max_pending: usize,
    /// Connections at once; `None`: the machine's own limit.
    pub max_connections: Option<usize>,
    /// Subscriptions of one connection; 0: unlimited.
    pub max_subscriptions: usize,
    /// Tokens of one subscription's subject; 0: unlimited.
    pub max_sub_tokens: usize,
    /// Time between keep-alive PINGs.
    pub ping_interval: Duration,
    /// Unanswered PINGs after which a connection is stale.
    pub ping_max: u32,
    /// Time without progress after which a blocked write ends its connection.
    pub write_deadline: Duration,
    /// What becomes of those who read too slowly for it.
    pub write_timeout: WriteTimeout,
    /// Do not slow publishers down for slow subscribers.
    pub no_fast_producer_stall: bool,
    /// No thread remembers where messages go beyond the batch that it routes. Fixed while the server runs.
    pub disable_sublist_cache: bool,
    /// Serve without headers, as servers before 2.2.
    pub no_header_support: bool,
}

/// What happens when not all that waited for a client was written within the write deadline (`write_timeout`). Who took
/// nothing at all meanwhile is cut off, whatever was chosen.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum WriteTimeout {
    /// As `Close`.
    #[default]
    Default,
    /// Nothing more.
    Close,
    /// It is counted and named as a slow consumer, and so is that it has recovered.
    Retry,
}

impl WriteTimeout {
    /// What it is called in a configuration.
    pub fn word(self) -> &'static str {
        match self {
            Self::Default => "default",
            Self::Close => "close",
            Self::Retry => "retry",
        }
    }

    /// Which of them a word names.
    pub fn from_word(word: &str) -> Option<Self> {
        let all = [Self::Default, Self::Close, Self::Retry];
        all.into_iter().find(|one| one.word() == word)
    }
}

/// One `--plain PORT[:SUBJECT]`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PlainListener {
    /// TCP port; 0 picks a free one.
    pub port: u16,
    /// Subject that what arrives is requested on.
    pub subject: String,
}

/// How a log line looks.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Default)]
pub enum LogFormat {
    /// `Text` on a terminal, in a pipe and in a file alike; `Nats` as `nats-server`.
    #[default]
    Auto,
    /// For people.
    Text,
    /// One JSON object a line.
    Json,
    /// `[pid] YYYY/MM/DD HH:MM:SS.micros [INF] …`
    Nats,
}

/// Where and how the log is written; reference rows D26 and D61.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct LogOptions {
    /// How a line looks.
    pub format: LogFormat,
    /// Write `[DBG]` lines.
    pub debug: bool,
    /// Write `[TRC]` lines: the protocol as it passes, secrets redacted.
    pub trace: bool,
    /// Trace the headers of messages instead of their payloads (`trace_headers`).
    pub trace_headers: bool,
    /// Leave the time out of each line (`logtime: false`).
    pub no_time: bool,
    /// Times in UTC instead of local time.
    pub utc: bool,
    /// File instead of standard error.
    pub file: Option<PathBuf>,
    /// The log daemon of this machine instead of standard error.
    pub syslog: bool,
    /// A log daemon, here or elsewhere.
    pub remote_syslog: Option<SyslogTarget>,
    /// Size in bytes after which the file is rotated; 0: never.
    pub size_limit: u64,
    /// Rotated files that are kept; 0: all.
    pub max_num: usize,
    /// Bytes of a traced message that are shown; 0: all.
    pub max_traced_msg_len: usize,
}

/// Where a log daemon listens.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum SyslogTarget {
    /// On this machine, in its usual place.
    Local,
    /// At this socket.
    Unix(PathBuf),
    /// At this address, by UDP.
    Udp(String),
    /// At this address, by TCP.
    Tcp(String),
}

impl SyslogTarget {
    /// Reads `udp://HOST:PORT`, `tcp://HOST:PORT` or `unix:///PATH`.
    pub fn parse(text: &str) -> Option<Self> {
        let (scheme, place) = text.split_once("://")?;
        let address = || {
            let (host, port) = place.rsplit_once(':')?;
            let fits = !host.is_empty() && port.parse::<u16>().is_ok_and(|port| port > 0);
            fits.then(|| place.to_owned())
        };
        match scheme {
            "udp" => address().map(Self::Udp),
            "tcp" => address().map(Self::Tcp),
            "unix" if place.starts_with('/') => Some(Self::Unix(place.into())),
            _ => None,
        }
    }
}

impl LogOptions {
    /// The daemon that it goes to, unless it goes to a file.
    pub fn syslog_target(&self) -> Option<SyslogTarget> {
        let remote = self.remote_syslog.clone();
        remote.or(self.syslog.then_some(SyslogTarget::Local))
    }
}

impl Options {
    /// What a program of this personality does without arguments.
    pub fn of(personality: Personality) -> Self {
        let defaults = Self {
            personality,
            ..Self::default()
        };
        match personality {
            Personality::Recado => defaults,
            Personality::NatsServer => Self {
                host: Some("0.0.0.0".to_owned()),
                builtin_service: false,
                streams: StreamsOptions::of(personality),
                log: LogOptions {
                    format: LogFormat::Nats,
                    ..LogOptions::default()
                },
                ..defaults
            },
        }
    }
}

impl Options {
    /// Whether clients must present something.
    pub fn asks_for_credential(&self) -> bool {
        self.no_auth_user.is_none() && self.knows_credentials()
    }

    /// Whether there is anything that clients could present.
    pub fn knows_credentials(&self) -> bool {
        let authorization = &self.authorization;
        authorization.token.is_some()
            || authorization.user.is_some()
            || self.users().next().is_some()
            || self.operator.is_some()
    }

    /// All users, each with the account that it belongs to.
    pub fn users(&self) -> impl Iterator<Item = (&str, &UserOptions)> {
        let global = self.authorization.users.iter();
        let global = global.map(|user| (recado_auth::DEFAULT_ACCOUNT, user));
        global.chain(self.accounts.iter().flat_map(|account| {
            let of = |user| (account.name.as_str(), user);
            account.users.iter().map(of)
        }))
    }
}

impl Default for Options {
    fn default() -> Self {
        Self {
            personality: Personality::Recado,
            lang: Lang::En,
            host: None,
            port: 4222,
            server_name: None,
            server_tags: Vec::new(),
            server_metadata: BTreeMap::new(),
            feature_flags: BTreeMap::new(),
            client_advertise: None,
            authorization: Authorization::default(),
            tls: None,
            ocsp: OcspOptions::default(),
            ocsp_cache: OcspCacheOptions::default(),
            allow_non_tls: false,
            websocket: None,
            mqtt: None,
            proxy_protocol: false,
            accounts: Vec::new(),
            operator: None,
            no_auth_user: None,
            system_account: None,
            no_system_account: false,
            trusted_proxies: Vec::new(),
            default_js_domain: BTreeMap::new(),
            mappings: Vec::new(),
            allow_anonymous: false,
            limits: Limits::default(),
            builtin_service: true,
            plain: Vec::new(),
            streams: StreamsOptions::default(),
            monitoring: MonitoringOptions::default(),
            log: LogOptions::default(),
            pid_file: None,
            ports_file_dir: None,
            lame_duck_duration: Duration::from_secs(120),
            lame_duck_grace_period: Duration::from_secs(10),
            config_digest: None,
        }
    }
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            max_payload: 1024 * 1024,
            max_control_line: 4096,
            max_pending: 64 * 1024 * 1024,
            max_connections: Some(65_536),
            max_subscriptions: 0,
            max_sub_tokens: 0,
            ping_interval: Duration::from_secs(120),
            ping_max: 2,
            write_deadline: Duration::from_secs(10),
            write_timeout: WriteTimeout::Default,
            no_fast_producer_stall: false,
            disable_sublist_cache: false,
            no_header_support: false,
        }
    }
}
