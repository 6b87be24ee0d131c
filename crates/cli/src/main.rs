//! The program `recado`: the client.

fn main() {}
