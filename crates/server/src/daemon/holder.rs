//! Who holds a port that we would have liked: found the way `ss -ltnp` finds it, from the kernel's
//! table of sockets to the process that has that socket open.

use std::net::{IpAddr, SocketAddr};

use procfs::net::{TcpNetEntry, TcpState, tcp, tcp6};
use procfs::process::{FDTarget, all_processes};

/// The process behind a listening socket, as far as we may see it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Holder {
    /// This process.
    Process {
        /// Name it was started by.
        program: String,
        /// Process id.
        pid: i32,
        /// Its user's name, or number.
        user: String,
    },
    /// A process of another user: which one, the kernel shows only to root.
    SomebodyOf {
        /// User's name, or number.
        user: String,
    },
}

/// The holder of a socket that listens where `wanted` would; `None` when there is none, or the
/// system does not tell.
pub(super) fn holder_of(wanted: SocketAddr) -> Option<Holder> {
    let entries = tcp()
        .unwrap_or_default()
        .into_iter()
        .chain(tcp6().unwrap_or_default());
    let socket = entries
        .filter(|entry| entry.state == TcpState::Listen)
        .find(|entry| stands_in_the_way(entry, wanted))?;
    let user = user_name(socket.uid);
    Some(match process_with(socket.inode) {
        Some((program, pid)) => Holder::Process { program, pid, user },
        None => Holder::SomebodyOf { user },
    })
}

/// Same port, and same address or one of the two is "every address".
fn stands_in_the_way(entry: &TcpNetEntry, wanted: SocketAddr) -> bool {
    let held = entry.local_address;
    let (held_ip, wanted_ip) = (plain(held.ip()), plain(wanted.ip()));
    held.port() == wanted.port()
        && (held_ip == wanted_ip || held_ip.is_unspecified() || wanted_ip.is_unspecified())
}

/// `::ffff:1.2.3.4` is 1.2.3.4.
fn plain(ip: IpAddr) -> IpAddr {
    ip.to_canonical()
}

fn process_with(inode: u64) -> Option<(String, i32)> {
    // Processes come and go while we look, and others' are closed to us: both are passed over.
    all_processes()
        .ok()?
        .filter_map(Result::ok)
        .find(|process| {
            process.fd().is_ok_and(|mut descriptors| {
                descriptors.any(|fd| {
                    fd.is_ok_and(
                        |fd| matches!(fd.target, FDTarget::Socket(found) if found == inode),
                    )
                })
            })
        })
        .map(|process| {
            let name = process.stat().map_or_else(|_| "?".to_owned(), |s| s.comm);
            (name, process.pid())
        })
}

fn user_name(uid: u32) -> String {
    nix::unistd::User::from_uid(nix::unistd::Uid::from_raw(uid))
        .ok()
        .flatten()
        .map_or_else(|| uid.to_string(), |user| user.name)
}

#[cfg(test)]
mod tests {
    use std::net::TcpListener;

    use super::*;

    fn my_pid() -> i32 {
        i32::try_from(std::process::id()).unwrap()
    }

    #[test]
    fn a_listening_socket_leads_to_its_process() {
        let held = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = held.local_addr().unwrap();
        let everywhere = SocketAddr::from(([0, 0, 0, 0], address.port()));
        for wanted in [address, everywhere] {
            match holder_of(wanted) {
                Some(Holder::Process { pid, program, user }) => {
                    assert_eq!(pid, my_pid());
                    assert!(!program.is_empty() && !user.is_empty());
                }
                other => panic!("{other:?}"),
            }
        }
    }

    #[test]
    fn a_free_port_has_no_holder() {
        let free = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = free.local_addr().unwrap();
        drop(free);
        assert_eq!(holder_of(address), None);
    }

    #[test]
    fn another_address_with_the_same_port_is_not_in_the_way() {
        let held = TcpListener::bind("127.0.0.1:0").unwrap();
        let port = held.local_addr().unwrap().port();
        assert_eq!(holder_of(SocketAddr::from(([127, 0, 0, 2], port))), None);
    }
}
