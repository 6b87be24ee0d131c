//! What a client sees of streams and consumers, over a bare socket: one test for each behaviour, with
//! the exact texts, codes and headers, each true of nats-server 2.15 (run with `RECADO_SERVER_BIN`
//! naming one to see it).
//!
//! Row ids in the comments are those of the list of facts that the tests were written from. What
//! takes time by its nature (an ack that is late, a heartbeat) waits for the event itself.

#![forbid(unsafe_code)]

mod acks;
mod api;
mod consumer_api;
mod consumers;
mod derived;
mod direct_get;
mod js;
mod kv_rules;
mod limits;
mod publish;
mod pull;
mod push;
mod retention;
mod snapshot;
mod stream_api;
