//! Proofs that `recado-server` is what clients think it is: it is started as a program of its own
//! and driven over sockets, by bare bytes and by other people's clients and test suites.
//!
//! Nothing in here may link the server's code: what is tested is the program, as a user gets it.
//! The variable `RECADO_SERVER_BIN` picks another program to hold the same expectations against,
//! for instance a real nats-server.

#![forbid(unsafe_code)]

mod clients;
mod credentials;
mod peer;
mod process;
mod program;
mod released_crate;
mod skips;
mod suite;

pub use clients::{browser, node_suite, python_suite};
pub use credentials::Credentials;
pub use peer::{Message, Peer};
pub use process::{ServerBuilder, ServerProcess};
pub use program::{is_genuine, profile_dir, server_program};
pub use released_crate::{Mending, build_tests};
pub use skips::Skips;
pub use suite::Suite;

/// How long a test waits for something that should happen at once before it gives up. Only ever
/// reached by a failing test, so it is generous towards slow machines.
pub const PATIENCE: std::time::Duration = std::time::Duration::from_secs(20);
