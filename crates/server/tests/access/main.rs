//! Who may connect and what they may do then, from outside: over bare sockets, with credentials that are made
//! here.

#[path = "../engine/peer.rs"]
mod peer;

mod accounts;
mod accounts_server;
mod callout;
mod claims;
mod operator;
mod resolver;
mod tracing;
