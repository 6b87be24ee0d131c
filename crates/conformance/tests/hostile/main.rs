//! What nobody should send, and what happens then: the process stays up, its memory stays within a
//! bound that is written down here, and a client that behaves is served all the while.
//!
//! Bounds of memory are those of a build for tests; they are generous on purpose, and far below
//! what a server would need that takes what it is told at its word.

#![forbid(unsafe_code)]

mod floods;
mod frames;
mod stalls;
mod witness;

const MIB: u64 = 1024 * 1024;
