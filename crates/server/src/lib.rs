//! The server: configuration, listeners, engine. As a library it runs inside another program.

#![forbid(unsafe_code)]

pub mod config;
pub mod daemon;
pub mod logging;
