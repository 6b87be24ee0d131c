//! Monitoring from outside, over bare sockets: what the documents tell, and what a stranger can't do.

mod documents;
mod http;
mod metrics;
#[path = "../engine/peer.rs"]
#[allow(dead_code, reason = "the engine's tests use the rest")]
mod peer;
mod profiles;
mod strangers;
mod streams;

use std::net::SocketAddr;
use std::time::{Duration, Instant};

use recado_server::config::Options;
use recado_server::{Server, ServerBuilder};

/// Ample for a slow machine; met only by a failing test.
const DEADLINE: Duration = Duration::from_secs(30);

/// A server that is watched at a free port.
fn builder(change: impl FnOnce(&mut Options)) -> ServerBuilder {
    Server::builder().configure(|options| {
        options.monitoring.port = Some(0);
        change(options);
    })
}

/// The same, started.
fn server(change: impl FnOnce(&mut Options)) -> (Server, SocketAddr) {
    let server = builder(change).start().unwrap();
    let (_, addr) = server.monitoring_addr().unwrap();
    (server, addr)
}

/// Repeats until there is something.
fn eventually<T>(what: &str, mut look: impl FnMut() -> Option<T>) -> T {
    let deadline = Instant::now() + DEADLINE;
    loop {
        if let Some(found) = look() {
            return found;
        }
        assert!(Instant::now() < deadline, "waited in vain for {what}");
        std::thread::sleep(Duration::from_millis(5));
    }
}
