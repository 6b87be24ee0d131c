//! What must hold for any input, however malformed: one function for each thing that reads what
//! others wrote. It takes bytes and panics when something is not so.
//!
//! The fuzz targets call these functions with what a fuzzer makes up; the tests beside them, with
//! the inputs kept in `fuzz/seeds` and changes of those. Nothing here touches a socket, a file or
//! a clock, and what a function does depends on its input alone.
#![forbid(unsafe_code)]

mod config;
mod connect;
mod cuts;
mod headers;
mod mqtt;
mod parse;
mod router;
mod server_frame;
mod session;
mod subject;

pub use config::config;
pub use connect::connect;
pub use headers::headers;
pub use mqtt::mqtt;
pub use parse::parse;
pub use router::router;
pub use server_frame::server_frame;
pub use session::session;
pub use subject::subject;

/// Takes any bytes, and panics when something that must hold of them does not.
pub type Check = fn(&[u8]);

/// Every check, by the name of its fuzz target and of its folder of seeds.
pub const CHECKS: [(&str, Check); 9] = [
    ("config", config),
    ("connect", connect),
    ("headers", headers),
    ("mqtt", mqtt),
    ("parse", parse),
    ("router", router),
    ("server_frame", server_frame),
    ("session", session),
    ("subject", subject),
];
