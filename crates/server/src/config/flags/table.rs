//! Every flag that there is: what it sets, or which feature it belongs to that is not there yet.

use crate::config::messages::Feature;

/// A flag of this server.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Flag {
    Addr,
    AllowAnonymous,
    Auth,
    Check,
    ClientAdvertise,
    Config,
    Debug,
    DebugTrace,
    Help,
    HelpTls,
    HttpPort,
    HttpsPort,
    Jetstream,
    Lang,
    Log,
    LogFormat,
    LogSizeLimit,
    LogTime,
    LogTimeUtc,
    MaxTracedMsgLen,
    NoService,
    NoStreams,
    Pass,
    Pid,
    Plain,
    Port,
    PortsFileDir,
    Profile,
    RemoteSyslog,
    ServerName,
    Signal,
    StoreDir,
    Syslog,
    Tls,
    TlsCaCert,
    TlsCert,
    TlsKey,
    TlsVerify,
    TokenFile,
    Trace,
    User,
    Version,
}

/// What a flag does.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Meaning {
    /// Something of this server.
    Is(Flag),
    /// A switch of a feature that is not there yet.
    SwitchNotYet(Feature),
    /// A flag with a value of a feature that is not there yet.
    ValueNotYet(Feature),
}

use Meaning::{Is, SwitchNotYet, ValueNotYet};

/// Flags with their other names. In all of them `-` and `_` are the same.
pub(super) const FLAGS: &[(&[&str], Meaning)] = &[
    (&["addr", "a", "net"], Is(Flag::Addr)),
    (&["port", "p"], Is(Flag::Port)),
    (&["server_name", "n", "name"], Is(Flag::ServerName)),
    (&["client_advertise"], Is(Flag::ClientAdvertise)),
    (&["config", "c"], Is(Flag::Config)),
    (&["t"], Is(Flag::Check)),
    (&["pid", "P"], Is(Flag::Pid)),
    (&["ports_file_dir"], Is(Flag::PortsFileDir)),
    (&["signal", "sl"], Is(Flag::Signal)),
    (&["help", "h"], Is(Flag::Help)),
    (&["version", "v"], Is(Flag::Version)),
    (&["log", "l"], Is(Flag::Log)),
    (&["syslog", "s"], Is(Flag::Syslog)),
    (&["remote_syslog", "r"], Is(Flag::RemoteSyslog)),
    (&["logtime", "T"], Is(Flag::LogTime)),
    (&["logtime_utc"], Is(Flag::LogTimeUtc)),
    (&["debug", "D"], Is(Flag::Debug)),
    (&["trace", "V", "VV"], Is(Flag::Trace)),
    (&["DV", "DVV"], Is(Flag::DebugTrace)),
    (&["log_size_limit"], Is(Flag::LogSizeLimit)),
    (&["max_traced_msg_len"], Is(Flag::MaxTracedMsgLen)),
    (&["user"], Is(Flag::User)),
    (&["pass"], Is(Flag::Pass)),
    (&["auth"], Is(Flag::Auth)),
    (&["jetstream", "js"], Is(Flag::Jetstream)),
    (&["store_dir", "sd"], Is(Flag::StoreDir)),
    (&["http_port", "m"], Is(Flag::HttpPort)),
    (&["https_port", "ms"], Is(Flag::HttpsPort)),
    (&["profile"], Is(Flag::Profile)),
    (&["tls"], Is(Flag::Tls)),
    (&["tlscert"], Is(Flag::TlsCert)),
    (&["tlskey"], Is(Flag::TlsKey)),
    (&["tlscacert"], Is(Flag::TlsCaCert)),
    (&["tlsverify"], Is(Flag::TlsVerify)),
    (&["help_tls"], Is(Flag::HelpTls)),
    // Ours.
    (&["token-file"], Is(Flag::TokenFile)),
    (&["allow-anonymous"], Is(Flag::AllowAnonymous)),
    (&["plain"], Is(Flag::Plain)),
    (&["no-service"], Is(Flag::NoService)),
    (&["no-streams"], Is(Flag::NoStreams)),
    (&["log-format"], Is(Flag::LogFormat)),
    (&["lang"], Is(Flag::Lang)),
    // Not there yet.
    (
        &[
            "cluster",
            "cluster_listen",
            "cluster_name",
            "cluster_advertise",
        ],
        ValueNotYet(Feature::Cluster),
    ),
    (
        &["routes", "connect_retries"],
        ValueNotYet(Feature::Cluster),
    ),
    (&["no_advertise"], SwitchNotYet(Feature::Cluster)),
];

/// What a flag's name means.
pub(super) fn find(name: &str) -> Option<Meaning> {
    let name = name.replace('-', "_");
    FLAGS
        .iter()
        .find(|(names, _)| names.iter().any(|known| known.replace('-', "_") == name))
        .map(|(_, meaning)| *meaning)
}

impl Meaning {
    /// Whether it stands alone: then a value can only follow after `=`.
    pub(super) fn is_switch(self) -> bool {
        match self {
            SwitchNotYet(_) => true,
            ValueNotYet(_) => false,
            Is(flag) => matches!(
                flag,
                Flag::AllowAnonymous
                    | Flag::Check
                    | Flag::Debug
                    | Flag::DebugTrace
                    | Flag::Help
                    | Flag::HelpTls
                    | Flag::Jetstream
                    | Flag::LogTime
                    | Flag::LogTimeUtc
                    | Flag::NoService
                    | Flag::NoStreams
                    | Flag::Syslog
                    | Flag::Tls
                    | Flag::TlsVerify
                    | Flag::Trace
                    | Flag::Version
            ),
        }
    }
}

/// Names of the flags that an unknown one can be compared with, as they are written.
pub(super) fn names() -> impl Iterator<Item = &'static str> {
    FLAGS
        .iter()
        .flat_map(|(names, _)| names.iter().copied())
        .filter(|name| name.len() > 2)
}
