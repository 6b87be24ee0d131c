//! Simulation: the streams' logic and the log, in one thread, on a disk and a clock that misbehave, against a
//! plain model of what was acknowledged. All of it follows from a seed.
#![forbid(unsafe_code)]

mod audit;
mod clients;
pub mod consumers;
pub mod dice;
mod handling;
pub mod machine;
pub mod model;
pub mod net;
mod run;
mod world;

pub use run::{Outcome, STEPS, run, shrink};
pub use world::{Broken, Counts, World};
