//! WebSocket (RFC 6455) as a layer: frames of clients become the bytes of the protocol, and back.
//! Nothing here touches a socket.
//!
//! What a client sends may be cut into frames and messages in any way; only the bytes count. What it is
//! sent are binary messages of one frame each.

mod deflate;
mod frame;
mod receiver;
mod upgrade;

pub(super) use frame::{CloseCode, push_close, push_data, push_pong};
pub(super) use receiver::Receiver;
pub(super) use upgrade::{Cookies, Refusal, parse};

/// Longest request line and headers of an upgrade; browsers send cookies along.
pub(super) const REQUEST_BYTES_MAX: usize = 16 * 1024;
