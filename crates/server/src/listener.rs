//! Listening sockets and the loop that accepts.

use std::io;
use std::net::{IpAddr, Ipv4Addr, SocketAddr, TcpStream, ToSocketAddrs};
use std::sync::Arc;
use std::time::{Duration, Instant};

use rustix::net::SocketFlags;
use socket2::{Domain, Protocol, SockRef, Socket, Type};
use tokio::io::Interest;
use tokio::sync::watch;

use crate::config::{MqttOptions, Options, Personality, WebsocketOptions};
use crate::engine::{Admission, Engine, Link, Way, serve};
use crate::error::StartError;
use crate::phase::Phase;
use crate::watched::watch;

/// Connections that may wait to be accepted: a flood of them should find room.
const BACKLOG: i32 = 4096;
/// Pause after accepting failed for want of descriptors or memory.
const ACCEPT_PAUSE: Duration = Duration::from_millis(50);
/// Time between two reports of failing accepts.
const REPORT_EVERY: Duration = Duration::from_secs(1);

/// An open listening socket.
pub(crate) struct Listener {
    socket: std::net::TcpListener,
    /// Where it listens.
    pub(crate) addr: SocketAddr,
    /// Host as it was configured, for INFO.
    pub(crate) host: String,
}

impl Listener {
    /// The socket, for who accepts in another way; it never blocks.
    pub(crate) fn into_socket(self) -> std::net::TcpListener {
        self.socket
    }
}

/// Opens the clients' socket, or takes the inherited one.
pub(crate) fn open_client(
    options: &Options,
    auth_required: bool,
    inherited: Option<std::net::TcpListener>,
) -> Result<Listener, StartError> {
    if let Some(socket) = inherited {
        socket
            .set_nonblocking(true)
            .and_then(|()| SockRef::from(&socket).set_tcp_nodelay(true))
            .map_err(StartError::Inherited)?;
        let addr = socket.local_addr().map_err(StartError::Inherited)?;
        return Ok(Listener {
            socket,
            addr,
            host: addr.ip().to_string(),
        });
    }
    let host = match &options.host {
        Some(host) => host.clone(),
        None if may_be_reached(options, auth_required) => Ipv4Addr::UNSPECIFIED.to_string(),
        None => Ipv4Addr::LOCALHOST.to_string(),
    };
    let addr = resolve(&host, options.port)?;
    check_reach(options, auth_required, &host, addr)?;
    open_at(addr, host)
}

/// Opens the socket for WebSocket clients: where the others are listened for, unless told otherwise.
pub(crate) fn open_websocket(
    options: &Options,
    websocket: &WebsocketOptions,
    auth_required: bool,
    clients: &Listener,
) -> Result<Listener, StartError> {
    let host = websocket.host.clone();
    let host = host.unwrap_or_else(|| clients.host.clone());
    let addr = resolve(&host, websocket.port)?;
    check_reach(options, auth_required, &host, addr)?;
    open_at(addr, host)
}

/// Opens the socket for MQTT clients, likewise.
pub(crate) fn open_mqtt(
    options: &Options,
    mqtt: &MqttOptions,
    auth_required: bool,
    clients: &Listener,
) -> Result<Listener, StartError> {
    let host = mqtt.host.clone().unwrap_or_else(|| clients.host.clone());
    let addr = resolve(&host, mqtt.port)?;
    check_reach(options, auth_required, &host, addr)?;
    open_at(addr, host)
}

/// Whether others than this machine may come: they are asked for a credential, or it was said that they need none.
fn may_be_reached(options: &Options, auth_required: bool) -> bool {
    auth_required || options.allow_anonymous || options.personality == Personality::NatsServer
}

/// Refuses an address that others can reach where they may not come: at the start, and when the configuration is read again.
pub(crate) fn check_reach(
    options: &Options,
    auth_required: bool,
    host: &str,
    addr: SocketAddr,
) -> Result<(), StartError> {
    match may_be_reached(options, auth_required) || addr.ip().to_canonical().is_loopback() {
        true => Ok(()),
        false => Err(StartError::OpenToEverybody {
            host: host.to_owned(),
        }),
    }
}

/// Opens a socket.
pub(crate) fn open_at(addr: SocketAddr, host: String) -> Result<Listener, StartError> {
    let socket = listen(addr).map_err(|source| StartError::Listen { addr, source })?;
    let addr = socket
        .local_addr()
        .map_err(|source| StartError::Listen { addr, source })?;
    Ok(Listener { socket, addr, host })
}

/// The address of a host or address text.
pub(crate) fn resolve(host: &str, port: u16) -> Result<SocketAddr, StartError> {
    let bare = host
        .strip_prefix('[')
        .and_then(|host| host.strip_suffix(']'))
        .unwrap_or(host);
    if let Ok(ip) = bare.parse::<IpAddr>() {
        return Ok((ip, port).into());
    }
    let failed = |source| StartError::Resolve {
        host: host.to_owned(),
        source,
    };
    let mut found = (host, port).to_socket_addrs().map_err(failed)?;
    found
        .next()
        .ok_or_else(|| failed(io::ErrorKind::NotFound.into()))
}

fn listen(addr: SocketAddr) -> io::Result<std::net::TcpListener> {
    let socket = Socket::new(Domain::for_address(addr), Type::STREAM, Some(Protocol::TCP))?;
    // A server that was just stopped may start again at once.
    socket.set_reuse_address(true)?;
    if addr.is_ipv6() {
        // `::` listens for both families, as nats-server does; where the system has no say, so be it.
        let _ = socket.set_only_v6(false);
    }
    socket.set_nonblocking(true)?;
    // Answers are small and wanted at once. Accepted sockets inherit it.
    socket.set_tcp_nodelay(true)?;
    socket.bind(&addr.into())?;
    socket.listen(BACKLOG)?;
    Ok(socket.into())
}

/// Accepts clients until the server leaves its running phase.
pub(crate) async fn accept(
    listener: Listener,
    engine: Arc<Engine>,
    way: Way,
    phase: watch::Receiver<Phase>,
) {
    accept_each(listener, phase, |stream, peer| {
        let serving = Arc::clone(&engine);
        match engine.threads.place() {
            None => serve_client(serving, stream, peer, way),
            Some(other) => {
                drop(other.spawn(async move { serve_client(serving, stream, peer, way) }))
            }
        }
    })
    .await;
}

fn serve_client(engine: Arc<Engine>, stream: TcpStream, peer: SocketAddr, way: Way) {
    match Link::tcp(stream) {
        Ok((link, read)) => drop(serve(engine, link, read, Admission::Outside(peer, way))),
        Err(error) => tracing::error!(%peer, %error, "cannot watch a client's socket"),
    }
}

/// Accepts until the server leaves its running phase, and hands every socket on, in non-blocking mode.
pub(crate) async fn accept_each(
    listener: Listener,
    mut phase: watch::Receiver<Phase>,
    mut accepted: impl FnMut(TcpStream, SocketAddr),
) {
    let addr = listener.addr;
    let socket = match watch(listener.socket, Interest::READABLE) {
        Ok(socket) => socket,
        Err(error) => return tracing::error!(%addr, %error, "cannot accept connections"),
    };
    let mut reporter = Reporter {
        last: None,
        held_back: 0,
    };
    loop {
        let accept = tokio::select! {
            _ = phase.wait_for(|phase| *phase > Phase::Running) => return,
            accept = socket.async_io(Interest::READABLE, accept_one) => accept,
        };
        match accept {
            Ok((stream, peer)) => accepted(stream, peer),
            Err(error) if is_momentary(&error) => {}
            Err(error) => {
                reporter.report(addr, &error, Instant::now());
                tokio::time::sleep(ACCEPT_PAUSE).await;
            }
        }
    }
}

/// Accepts one connection, without a second system call to make it non-blocking.
fn accept_one(listener: &std::net::TcpListener) -> io::Result<(TcpStream, SocketAddr)> {
    let flags = SocketFlags::CLOEXEC | SocketFlags::NONBLOCK;
    let (socket, peer) = rustix::net::acceptfrom_with(listener, flags)?;
    let peer = peer.and_then(|peer| SocketAddr::try_from(peer).ok());
    // It was connected from somewhere; should the other side be gone already, reading will say so.
    let peer = peer.unwrap_or_else(|| (Ipv4Addr::UNSPECIFIED, 0).into());
    Ok((socket.into(), peer))
}

/// The connection failed before it was accepted: nothing to do with us.
fn is_momentary(error: &io::Error) -> bool {
    use io::ErrorKind::{ConnectionAborted, ConnectionReset, Interrupted};
    matches!(
        error.kind(),
        ConnectionAborted | ConnectionReset | Interrupted
    )
}

/// Says that accepting fails, once a second at most.
struct Reporter {
    last: Option<Instant>,
    held_back: u64,
}

impl Reporter {
    fn report(&mut self, addr: SocketAddr, error: &io::Error, now: Instant) {
        if self
            .last
            .is_some_and(|last| now.duration_since(last) < REPORT_EVERY)
        {
            self.held_back += 1;
            return;
        }
        self.last = Some(now);
        let not_reported = std::mem::take(&mut self.held_back);
        // EMFILE, ENFILE: the numbers are Linux's own and never change.
        let advice = match error.raw_os_error() {
            Some(24) => "out of file descriptors: raise `ulimit -n`, or lower max_connections",
            Some(23) => "the whole machine is out of file descriptors",
            _ => "connections that are open are served on",
        };
        tracing::error!(%addr, %error, not_reported, "cannot accept a connection; {advice}");
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn without_a_credential_only_loopback_is_listened_on() {
        let mut options = Options {
            port: 0,
            ..Options::default()
        };
        let listener = open_client(&options, false, None).unwrap();
        assert!(listener.addr.ip().is_loopback());
        options.host = Some("0.0.0.0".to_owned());
        assert!(matches!(
            open_client(&options, false, None),
            Err(StartError::OpenToEverybody { .. })
        ));
        options.allow_anonymous = true;
        assert!(
            open_client(&options, false, None)
                .unwrap()
                .addr
                .ip()
                .is_unspecified()
        );
    }

    #[test]
    fn a_host_without_an_address_is_named() {
        let error = resolve("no such host", 1).unwrap_err();
        assert!(error.to_string().contains("no such host"), "{error}");
    }
}
