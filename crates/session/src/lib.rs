//! One client connection as a state machine without I/O.
//!
//! Bytes and the time go in; steps for the engine and a next deadline come out. The session
//! knows the handshake, the flags of CONNECT, keep-alive and what breaks the protocol; it does not
//! know sockets, other connections, or who is subscribed to what.
#![forbid(unsafe_code)]

mod keep_alive;
mod rights;
mod session;

pub use rights::Rights;
pub use session::{
    Goodbye, Session, Settings, Step, Tick, publish_violation, subscription_violation,
};
