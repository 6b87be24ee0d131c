//! The program `recado-server`.

fn main() {}
