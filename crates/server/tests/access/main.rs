//! Who may connect and what they may do then, from outside: over bare sockets, with credentials that are made
//! here.

#[path = "../engine/peer.rs"]
#[expect(dead_code, reason = "the tests of the engine use more of it")]
mod peer;

mod operator;
