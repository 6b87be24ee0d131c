//! The engine from outside, over bare sockets: who gets what, in which order, and what becomes of
//! those who do not read.

mod delivery;
mod peer;
mod slow;
