//! What the server was told to do: defaults, configuration file and flags, merged into
//! [`Options`].
//!
//! The way of a setting: [`flags`] reads the command line; [`lang`] turns the file that it names
//! into values with their places; [`keys`] turns those into settings; the flags' own settings go on
//! top; [`Options::validate`] holds them against each other. Mistakes are collected on the way as
//! [`Fault`]s and reported together. Files and environment are reached only through
//! [`Surroundings`].

pub mod access;
mod duration;
mod fault;
pub(crate) mod features;
pub mod flags;
pub mod keys;
pub mod lang;
mod load;
mod locale;
pub mod messages;
mod monitoring;
mod mqtt;
mod ocsp;
pub mod operator;
mod options;
mod programs;
mod streams;
mod surroundings;
mod tls;
mod token;
mod validate;
mod websocket;

pub use fault::{Fault, Place};
pub use keys::Findings;
pub use load::{LoadedFile, load_file};
pub use locale::Lang;
pub use monitoring::MonitoringOptions;
pub use mqtt::MqttOptions;
pub use ocsp::{OcspCacheKept, OcspCacheOptions, OcspMode, OcspOptions, OcspPeerOptions};
pub use options::{
    Authorization, Limits, LogFormat, LogOptions, Options, Personality, PlainListener,
    SyslogTarget, WriteTimeout,
};
pub use programs::Programs;
pub(crate) use programs::shell_word;
pub use recado_log::{Cipher, Secret};
pub(crate) use streams::default_store;
pub use streams::{
    BatchLimits, StoreEncryption, StoreLayout, StreamsLimits, StreamsOptions, SyncInterval,
};
pub use surroundings::{FILE_BYTES_MAX, Loaded, Machine, Surroundings};
pub use tls::{
    CertificateFiles, CipherSuite, ClientCertificates, Curve, HandshakeFirst, TlsOptions,
    TlsVersion,
};
pub(crate) use token::generate as new_secret;
pub use websocket::WebsocketOptions;
