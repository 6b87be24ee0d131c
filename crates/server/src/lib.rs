//! The server: configuration, listeners, engine. As a library it runs inside another program.

pub mod config;
