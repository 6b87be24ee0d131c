//! The process at the other end of a connection, if it runs on this machine and we may look at it.
//!
//! The kernel's table of sockets names the other end of ours by its inode; whoever has that inode open
//! is the server. That is right also where another program opened the port for it, and wrong nowhere:
//! a proxy in between is found instead, and shown by its name.

use std::net::{IpAddr, SocketAddr, TcpStream};
use std::time::Duration;

use nix::time::{ClockId, clock_getcpuclockid};
use nix::unistd::Pid;
use procfs::net::{TcpNetEntry, tcp, tcp6};
use procfs::process::{FDTarget, all_processes};

/// A process whose CPU time can be read.
#[derive(Debug, Clone)]
pub(crate) struct LocalServer {
    /// Its process id.
    pub(crate) pid: i32,
    /// Its program's name.
    pub(crate) name: String,
    clock: ClockId,
}

/// Why the server's process can't be looked at.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Hidden {
    /// The other end is not a socket of this machine (or of this network namespace).
    Elsewhere,
    /// The process belongs to somebody else.
    NotOurs,
}

impl LocalServer {
    /// The process behind a connection.
    pub(crate) fn behind(socket: &TcpStream) -> Result<Self, Hidden> {
        let ours = socket.local_addr().map_err(|_| Hidden::Elsewhere)?;
        let theirs = socket.peer_addr().map_err(|_| Hidden::Elsewhere)?;
        let inode = inode(theirs, ours).ok_or(Hidden::Elsewhere)?;
        let (pid, name) = owner(inode).ok_or(Hidden::NotOurs)?;
        let clock = clock_getcpuclockid(Pid::from_raw(pid)).map_err(|_| Hidden::NotOurs)?;
        Ok(Self { pid, name, clock })
    }

    /// The CPU time that it has used, user and system, of all its threads; `None` once it has gone.
    pub(crate) fn cpu(&self) -> Option<Duration> {
        self.clock.now().map(Duration::from).ok()
    }
}

/// The CPU time that this program has used.
pub(crate) fn own_cpu() -> Option<Duration> {
    let clock = ClockId::CLOCK_PROCESS_CPUTIME_ID;
    clock.now().map(Duration::from).ok()
}

/// The inode of the socket with these two ends.
fn inode(local: SocketAddr, remote: SocketAddr) -> Option<u64> {
    let sockets: Vec<TcpNetEntry> = [tcp(), tcp6()].into_iter().flatten().flatten().collect();
    let is_it = |entry: &&TcpNetEntry| {
        plain(entry.local_address) == plain(local) && plain(entry.remote_address) == plain(remote)
    };
    let found = sockets.iter().find(is_it)?;
    (found.inode != 0).then_some(found.inode)
}

/// A server that listens on both families has its IPv4 connections as IPv6 ones.
fn plain(address: SocketAddr) -> (IpAddr, u16) {
    (address.ip().to_canonical(), address.port())
}

fn owner(inode: u64) -> Option<(i32, String)> {
    for process in all_processes().ok()?.flatten() {
        // Others' descriptors can't be listed: then it is not found among them.
        let Ok(mut descriptors) = process.fd() else {
            continue;
        };
        let is_it = |target| matches!(target, FDTarget::Socket(found) if found == inode);
        if descriptors.any(|descriptor| descriptor.is_ok_and(|found| is_it(found.target))) {
            let name = process.stat().map(|stat| stat.comm).unwrap_or_default();
            return Some((process.pid(), name));
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use std::net::TcpListener;

    use super::*;

    #[test]
    fn the_process_at_the_other_end_is_found() {
        for address in ["127.0.0.1:0", "[::1]:0"] {
            // A machine without IPv6 has one case less.
            let Ok(listener) = TcpListener::bind(address) else {
                continue;
            };
            let socket = TcpStream::connect(listener.local_addr().unwrap()).unwrap();
            let (_accepted, _) = listener.accept().unwrap();
            let found = LocalServer::behind(&socket).expect("it is this very process");
            assert_eq!(found.pid as u32, std::process::id());
            assert!(found.cpu() > Some(Duration::ZERO) && own_cpu().is_some());
        }
    }
}
