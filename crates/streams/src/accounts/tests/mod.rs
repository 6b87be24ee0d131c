//! Tests of several accounts on one log.

mod elsewhere;
mod isolation;
mod lasting;
mod limits;
mod long_subjects;
mod serving;
mod watching;
mod world;
