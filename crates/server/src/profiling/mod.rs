//! Profiles over HTTP (B65): where the server's time goes, for `go tool pprof` and whatever else reads its format.
//!
//! [`pages`] says what there is under `/debug/pprof/`, on a port of its own, served like monitoring and with its
//! token. [`cpu`] samples, and only while somebody waits for what comes of it; one at a time. What nats-server
//! shows there of Go's runtime besides, this server does not have.

mod command_line;
#[cfg(any(target_arch = "x86_64", target_arch = "aarch64"))]
mod cpu;
#[cfg(not(any(target_arch = "x86_64", target_arch = "aarch64")))]
#[path = "no_cpu.rs"]
mod cpu;
mod pages;
mod threads;
mod trouble;

pub(crate) use pages::{Profiles, open};
