//! The JetStream API in types: which call a subject is, what its body asks, what the answer holds, status lines
//! and advisories. Bytes in, values out and back; nothing here acts.

mod info;
mod response;

pub use info::*;
pub use response::*;
