//! The server: configuration, listeners, engine. As a library it runs inside another program.
#![forbid(unsafe_code)]

mod access;
mod accounts;
mod builder;
pub mod config;
pub mod daemon;
mod encoding;
mod engine;
mod error;
mod http_client;
mod identity;
mod internal_client;
mod lame_duck;
mod listener;
pub mod logging;
mod monitoring;
mod mqtt;
mod operator;
mod phase;
mod plain;
mod profiling;
mod pulse;
mod reload;
mod resolver;
mod server;
mod service;
mod store_dir;
mod streams;
mod system;
mod tls;
mod version;
mod visible;
mod watched;

pub use builder::ServerBuilder;
pub use error::StartError;
pub use reload::{ReloadError, Reloaded};
pub use server::{Inherited, Server, ServerHandle, check_certificates};
pub use streams::Opened;
pub use system::ReloadRequest;
pub use tls::TlsProblem;
pub use version::{NATS_VERSION, VERSION};
