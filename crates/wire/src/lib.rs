//! The NATS client protocol as pure functions over bytes: parse, write, subjects, headers, INFO
//! and CONNECT, and the literal error texts.
//!
//! No I/O, no clock, and no allocation on the hot path ([`parse`] borrows from its input). Both
//! programs use this crate, the server and the client; nothing here knows which one runs it.
#![forbid(unsafe_code)]
#![cfg_attr(
    not(test),
    deny(
        clippy::unwrap_used,
        clippy::expect_used,
        clippy::indexing_slicing,
        clippy::panic
    )
)]

mod connect;
mod error;
mod headers;
mod info;
mod parse;
mod server_frame;
mod subject;
mod transform;
mod write;

pub use connect::{BadConnect, Connect};
pub use error::{ProtocolError, Violation};
pub use headers::{HEADER_VERSION, Headers, no_responders_block};
pub use info::{ClientInfo, Info, PreparedInfo};
pub use parse::{Bare, Op, ParseLimits, Parsed, Publish, announced, parse, parse_publish};
pub use server_frame::{ServerFrame, ServerParsed, parse_server_frame};
pub use subject::{
    FILTER_TOKENS_MAX, InvalidFilter, filter_matches, has_wildcard, is_publish_subject, is_subset,
    tokens, validate_filter,
};
pub use transform::{Transform, TransformError};
pub use write::{push_decimal, push_err, push_message, push_publish};

/// Port of NATS servers.
pub const DEFAULT_PORT: u16 = 4222;
/// What a server says after an accepted operation to a verbose client.
pub const OK: &[u8] = b"+OK\r\n";
/// Keep-alive question.
pub const PING: &[u8] = b"PING\r\n";
/// Keep-alive answer.
pub const PONG: &[u8] = b"PONG\r\n";
