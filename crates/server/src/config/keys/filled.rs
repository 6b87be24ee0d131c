//! What `explain-config` shows inside blocks that may be there several times or not at all: every key, those that nobody
//! wrote with their defaults. Each table of keys has a `match` without a catch-all, here or beside it.

use std::time::Duration;

use super::known::{
    AuthorizationKey, CERTIFICATE, CertificateKey, MQTT, Meaning, MqttKey, OCSP, OCSP_CACHE,
    OCSP_PEER, OcspCacheKey, OcspKey, OcspPeerKey, TLS, Table, TlsKey, WEBSOCKET,
    WEBSOCKET_AUTHORIZATION, WebsocketKey,
};
use super::shown::{Shown, Unset};
use super::{accounts, callout, exports, imports, mappings, operator, permissions, users};
use crate::config::mqtt::MqttOptions;
use crate::config::ocsp::{OcspCacheKept, OcspMode, OcspPeerOptions};
use crate::config::tls::TlsOptions;
use crate::config::websocket::WebsocketOptions;

/// What a key of a block holds.
#[derive(Clone, Debug)]
pub(super) enum Part {
    /// A value: this one where nobody says another.
    Value(Shown),
    /// The same, but only beside this key, by any of its names.
    Beside(&'static [&'static str], Shown),
    /// It is shown where it was written only.
    IfWritten,
    /// A block, or several in a list.
    Inside(Block),
    /// The same, and where there is none it is as this other key says.
    InsideOr(Block, &'static str),
    /// The same, and nothing where there is none.
    IfWrittenInside(Block),
    /// The same under names of somebody's choice.
    Each(Block),
}

impl Part {
    /// There is none where nobody says one.
    pub(super) const NONE: Self = Self::Value(Shown::Unset(Unset::Nothing));
    /// As many as may be.
    pub(super) const ANY: Self = Self::Value(Shown::Unset(Unset::Unlimited));
    pub(super) const FALSE: Self = Self::Value(Shown::Bool(false));

    /// What that other key says.
    pub(super) const fn as_key(key: &'static str) -> Self {
        Self::Value(Shown::Unset(Unset::As(key)))
    }

    pub(super) fn text(text: &str) -> Self {
        Self::Value(Shown::Text(text.to_owned()))
    }
}

/// A kind of block.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Block {
    Account,
    AccountLimits,
    AccountStreams,
    Callout,
    Certificate,
    Export,
    Import,
    Latency,
    Mapping,
    Mqtt,
    Ocsp,
    OcspCache,
    OcspPeer,
    Permissions,
    Plain,
    Resolver,
    Responses,
    Source,
    Tls,
    Trace,
    User,
    Websocket,
    WebsocketAuthorization,
}

/// Names of a key, and what it holds.
pub(super) type Parts = Vec<(&'static [&'static str], Part)>;

impl Block {
    /// Its keys, in their order.
    pub(super) fn parts(self) -> Parts {
        match self {
            Self::Account => accounts::parts(),
            Self::AccountLimits => accounts::limit_parts(),
            Self::AccountStreams => accounts::streams_parts(),
            Self::Trace => accounts::trace_parts(),
            Self::Callout => callout::parts(),
            Self::Certificate => of_table(CERTIFICATE, |key| match key {
                CertificateKey::CertFile | CertificateKey::KeyFile => Part::NONE,
            }),
            Self::Export => exports::parts(),
            Self::Latency => exports::latency_parts(),
            Self::Import => imports::parts(),
            Self::Source => imports::source_parts(),
            Self::Mapping => mappings::parts(),
            Self::Mqtt => of_table(MQTT, mqtt),
            Self::Ocsp => of_table(OCSP, ocsp),
            Self::OcspCache => of_table(OCSP_CACHE, ocsp_cache),
            Self::OcspPeer => of_table(OCSP_PEER, ocsp_peer),
            Self::Permissions => permissions::parts(),
            Self::Responses => permissions::responses_parts(),
            Self::Plain => vec![(&["port"], Part::NONE), (&["subject"], Part::text("plain"))],
            Self::Resolver => operator::resolver_parts(),
            Self::Tls => of_table(TLS, tls),
            Self::User => users::parts(),
            Self::Websocket => of_table(WEBSOCKET, websocket),
            Self::WebsocketAuthorization => {
                of_table(WEBSOCKET_AUTHORIZATION, websocket_authorization)
            }
        }
    }
}

/// The keys of a table that can be set; of what is not there yet only "off" is accepted.
pub(super) fn of_table<K: Copy>(table: &'static Table<K>, part: impl Fn(K) -> Part) -> Parts {
    let parts = table.iter().map(|(names, meaning)| match meaning {
        Meaning::Sets(key) => (*names, part(*key)),
        Meaning::NotYet(..) => (*names, Part::IfWritten),
    });
    parts.collect()
}

fn tls(key: TlsKey) -> Part {
    match key {
        TlsKey::CaFile | TlsKey::CertFile | TlsKey::KeyFile | TlsKey::PinnedCerts => Part::NONE,
        TlsKey::Certs => Part::Inside(Block::Certificate),
        TlsKey::OcspPeer => Part::Inside(Block::OcspPeer),
        TlsKey::CipherSuites | TlsKey::CurvePreferences | TlsKey::ConnectionRateLimit => Part::ANY,
        TlsKey::HandshakeFirst | TlsKey::Verify | TlsKey::VerifyAndMap => Part::FALSE,
        TlsKey::MinVersion => Part::text("1.2"),
        TlsKey::Timeout => Part::Value(Shown::Time(TlsOptions::default().timeout)),
        TlsKey::ForServers | TlsKey::ChangesNothing => Part::IfWritten,
    }
}

fn ocsp(key: OcspKey) -> Part {
    match key {
        OcspKey::Mode => Part::text(OcspMode::default().word()),
        OcspKey::Url | OcspKey::Urls => Part::NONE,
    }
}

fn ocsp_cache(key: OcspCacheKey) -> Part {
    let OcspCacheKept::InDirectory {
        directory,
        save_interval,
    } = OcspCacheKept::in_default_directory()
    else {
        return Part::NONE;
    };
    match key {
        OcspCacheKey::Type => Part::text("local"),
        OcspCacheKey::LocalStore => Part::text(&directory.display().to_string()),
        OcspCacheKey::PreserveRevoked => Part::FALSE,
        OcspCacheKey::SaveInterval => Part::Value(Shown::Time(save_interval)),
    }
}

fn ocsp_peer(key: OcspPeerKey) -> Part {
    let defaults = OcspPeerOptions::default();
    match key {
        OcspPeerKey::AllowedClockskew => Part::Value(Shown::Time(defaults.allowed_clockskew)),
        OcspPeerKey::CaTimeout => Part::Value(Shown::Time(defaults.ca_timeout)),
        OcspPeerKey::TtlWithoutNextUpdate => {
            Part::Value(Shown::Time(defaults.ttl_without_next_update))
        }
        OcspPeerKey::Verify
        | OcspPeerKey::WarnOnly
        | OcspPeerKey::UnknownIsGood
        | OcspPeerKey::AllowWhenCaUnreachable => Part::FALSE,
    }
}

fn websocket(key: WebsocketKey) -> Part {
    match key {
        WebsocketKey::Advertise
        | WebsocketKey::JwtCookie
        | WebsocketKey::UserCookie
        | WebsocketKey::PassCookie
        | WebsocketKey::TokenCookie
        | WebsocketKey::Headers
        | WebsocketKey::Port => Part::NONE,
        WebsocketKey::Listen => Part::IfWritten,
        WebsocketKey::Host => Part::as_key("host"),
        WebsocketKey::PingInterval => Part::as_key("ping_interval"),
        WebsocketKey::NoAuthUser => Part::as_key("no_auth_user"),
        WebsocketKey::AllowedOrigins => Part::ANY,
        WebsocketKey::NoTls | WebsocketKey::Compression | WebsocketKey::SameOrigin => Part::FALSE,
        WebsocketKey::HandshakeTimeout => {
            Part::Value(Shown::Time(WebsocketOptions::default().handshake_timeout))
        }
        WebsocketKey::Tls => Part::Inside(Block::Tls),
        WebsocketKey::Authorization => Part::Inside(Block::WebsocketAuthorization),
    }
}

fn mqtt(key: MqttKey) -> Part {
    let defaults = MqttOptions::default();
    match key {
        MqttKey::Port | MqttKey::Domain => Part::NONE,
        MqttKey::Listen | MqttKey::ForSeveral(_) => Part::IfWritten,
        MqttKey::Host => Part::as_key("host"),
        MqttKey::NoAuthUser => Part::as_key("no_auth_user"),
        MqttKey::AckWait => Part::Value(Shown::Time(defaults.ack_wait)),
        MqttKey::ApiTimeout => Part::Value(Shown::Time(defaults.js_api_timeout)),
        MqttKey::MaxAckPending => Part::Value(Shown::Count(defaults.max_ack_pending.into())),
        MqttKey::ConsumerInactiveThreshold => Part::NONE,
        MqttKey::ConsumerMemoryStorage
        | MqttKey::RejectQos2Publish
        | MqttKey::DowngradeQos2Subscribe => Part::FALSE,
        MqttKey::Tls => Part::Inside(Block::Tls),
        MqttKey::Authorization => Part::Inside(Block::WebsocketAuthorization),
    }
}

fn websocket_authorization(key: AuthorizationKey) -> Part {
    match key {
        AuthorizationKey::Timeout => Part::as_key("authorization.timeout"),
        AuthorizationKey::User
        | AuthorizationKey::Password
        | AuthorizationKey::Token
        | AuthorizationKey::TokenFile
        | AuthorizationKey::Callout
        | AuthorizationKey::DefaultPermissions
        | AuthorizationKey::ProxyRequired
        | AuthorizationKey::Users => Part::NONE,
    }
}

/// A written number, as what its key counts.
pub(super) fn counted(number: f64, default: &Shown) -> Shown {
    let time = Duration::try_from_secs_f64(number).ok();
    match (default, time) {
        (Shown::Time(_), Some(time)) => Shown::Time(time),
        _ => Shown::Number(number),
    }
}
