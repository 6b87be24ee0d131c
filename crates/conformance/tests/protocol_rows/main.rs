//! What a client sees of the protocol, byte by byte: one test for each behaviour, each true of
//! nats-server 2.15 (run with `RECADO_SERVER_BIN` naming one to see it).
//!
//! Row ids in the comments are those of the list of facts that the tests were written from. No test
//! here may depend on timing other than the limits that it is about.

#![forbid(unsafe_code)]

mod delivery;
mod handshake;
mod lame_duck;
mod limits;
mod liveness;
mod verbs;
