//! Bare TCP peers: the way a first exercise talks, with no protocol at all.
//!
//! What a peer sends (a line, or what has come 50 ms after the first byte of it when no newline has)
//! becomes a request on the listener's subject, and the answer goes back on the same socket. Where nobody answers on
//! the subject, the server echoes. Each peer also has a subject of its own, on which it is
//! written to. One internal client ([`gateway`]) carries all of a listener's requests.

mod gateway;
mod input;
mod peer;

use std::net::{Ipv4Addr, SocketAddr};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use tokio::net::TcpStream;
use tokio::sync::watch;

use crate::config::{Options, PlainListener};
use crate::engine::Engine;
use crate::error::StartError;
use crate::listener::{self, Listener};
use crate::phase::Phase;
use gateway::Gateway;

/// Peers of one listener at once.
const PEERS_MAX: usize = 1024;

/// An open listener for bare peers and the subject that it asks on.
pub(crate) struct Plain {
    pub(crate) listener: Listener,
    pub(crate) subject: String,
}

/// Opens a listener. Bare peers show no credential: it stays on loopback unless anonymous clients
/// are allowed.
pub(crate) fn open(options: &Options, plain: &PlainListener) -> Result<Plain, StartError> {
    let loopback = Ipv4Addr::LOCALHOST.to_string();
    let host = match &options.host {
        Some(host) if options.allow_anonymous => host.clone(),
        None if options.allow_anonymous => Ipv4Addr::UNSPECIFIED.to_string(),
        _ => loopback,
    };
    let addr = listener::resolve(&host, plain.port)?;
    Ok(Plain {
        listener: listener::open_at(addr, host)?,
        subject: plain.subject.clone(),
    })
}

/// Starts serving a listener; it ends when the server leaves its running phase.
pub(crate) fn start(engine: &Arc<Engine>, plain: Plain, phase: watch::Receiver<Phase>) {
    let Plain { listener, subject } = plain;
    if engine.manner().authenticator.is_required() {
        tracing::warn!(
            addr = %listener.addr,
            %subject,
            "the plain listener asks for no credential: any program that reaches it may use it"
        );
    }
    let gateway = Gateway::start(engine, subject, phase.clone());
    let open = Arc::new(AtomicUsize::new(0));
    tokio::spawn(listener::accept_each(
        listener,
        phase,
        move |stream, address: SocketAddr| {
            if open.fetch_add(1, Ordering::AcqRel) >= PEERS_MAX {
                open.fetch_sub(1, Ordering::AcqRel);
                tracing::warn!(peer = %address, limit = PEERS_MAX, "plain peer refused: too many peers");
                return;
            }
            let (gateway, open) = (gateway.clone(), Arc::clone(&open));
            tokio::spawn(async move {
                match TcpStream::from_std(stream) {
                    Ok(stream) => peer::serve(gateway, stream, address).await,
                    Err(error) => {
                        tracing::error!(peer = %address, %error, "cannot watch a plain peer's socket")
                    }
                }
                open.fetch_sub(1, Ordering::AcqRel);
            });
        },
    ));
}
