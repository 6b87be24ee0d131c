//! Chores of the project: tests, benchmarks, fuzzing.

fn main() {}
