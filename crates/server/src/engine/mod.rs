//! The engine: connections, and the way of a message between them.
//!
//! One task reads a connection, one batch a turn ([`reader`]; [`operations`] and [`farewell`] are
//! the rest of it). Before the first it passes what its [`door`] asks for ([`opening`]), and between it and
//! its socket may be [`layers`]. A batch is parsed, routed ([`deliver`]) and staged ([`stage`]) per destination with
//! the thread's [`worker`], then each destination is written to at once; what its socket does not
//! take waits in the destination's [`outbox`] for a writer task. Each of the [`threads`] has a runtime of
//! its own, and connections move where there is room. Nothing here
//! knows where settings come from or how a log line looks.

mod client;
mod connection;
mod deliver;
mod door;
mod farewell;
mod frames;
mod insider;
mod intake;
mod layers;
mod link;
mod load;
mod newcomers;
mod opening;
mod operations;
mod outbox;
mod reader;
mod registry;
mod route;
mod shared;
mod stage;
mod subscription;
mod threads;
mod tls;
mod trace;
mod worker;

pub(crate) use connection::{CloseReason, Connection};
pub(crate) use door::{Door, Rules};
pub(crate) use insider::Insider;
pub(crate) use intake::Intake;
pub(crate) use link::{Link, Socket};
pub(crate) use reader::{Admission, serve};
pub(crate) use shared::{Engine, EngineSettings};
pub(crate) use subscription::Origin;
#[cfg(test)]
pub(crate) use threads::Threads;
pub(crate) use threads::start as start_threads;
