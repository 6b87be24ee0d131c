//! The program `recado` as a user gets it: run as a process of its own against a server that is
//! one too, judged by its output and its exit status.

#![forbid(unsafe_code)]

mod ask;
mod failures;
mod guard;
mod harness;
mod language;
mod latency;
mod ping;
mod publish;
mod subscribe;
mod tls;
mod waiting;
