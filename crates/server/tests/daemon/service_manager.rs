//! What a service manager is told over its socket.

use std::os::unix::net::UnixDatagram;
use std::path::PathBuf;

use nix::sys::signal::Signal;

use crate::program::{DEADLINE, PROGRAM, Running, command};

/// The manager's end.
struct Manager {
    socket: UnixDatagram,
    path: PathBuf,
    _directory: tempfile::TempDir,
}

impl Manager {
    fn new() -> Self {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("notify");
        let socket = UnixDatagram::bind(&path).unwrap();
        socket.set_read_timeout(Some(DEADLINE)).unwrap();
        Self {
            socket,
            path,
            _directory: directory,
        }
    }

    /// Starts the server as a service with these variables.
    fn start(&self, variables: &[(&str, &str)]) -> Running {
        Running::spawn(
            command(PROGRAM)
                .args(["-p", "-1"])
                .env("NOTIFY_SOCKET", &self.path)
                .envs(variables.iter().copied()),
        )
    }

    fn receive(&self) -> String {
        let mut datagram = [0; 1024];
        let n = self.socket.recv(&mut datagram).unwrap();
        String::from_utf8_lossy(&datagram[..n]).into_owned()
    }

    /// The next that is no sign of life.
    fn receive_news(&self) -> String {
        loop {
            let news = self.receive();
            if news != ALIVE {
                return news;
            }
        }
    }
}

const ALIVE: &str = "WATCHDOG=1\n";

#[test]
fn it_learns_when_the_server_is_ready_and_when_it_goes() {
    let manager = Manager::new();
    let server = manager.start(&[]);
    assert_eq!(manager.receive(), "READY=1\n");
    server.signal(Signal::SIGTERM);
    assert_eq!(manager.receive(), "STOPPING=1\n");
    assert_eq!(server.ended().0, Some(0));
}

#[test]
fn it_learns_again_and_again_that_the_server_is_alive_if_it_asks() {
    let manager = Manager::new();
    let server = manager.start(&[("WATCHDOG_USEC", "200000")]);
    assert_eq!(manager.receive_news(), "READY=1\n");
    for _ in 0..3 {
        assert_eq!(manager.receive(), ALIVE);
    }
    server.signal(Signal::SIGTERM);
    assert_eq!(manager.receive_news(), "STOPPING=1\n");
    let (code, lines) = server.ended();
    assert_eq!(code, Some(0), "{lines:#?}");
    assert!(!lines.iter().any(|line| line.contains("no answer")));
}

#[test]
fn a_watchdog_of_another_process_is_not_ours() {
    let manager = Manager::new();
    let server = manager.start(&[("WATCHDOG_USEC", "1000"), ("WATCHDOG_PID", "1")]);
    assert_eq!(manager.receive(), "READY=1\n");
    server.signal(Signal::SIGTERM);
    assert_eq!(manager.receive(), "STOPPING=1\n");
    assert_eq!(server.ended().0, Some(0));
}

#[test]
fn it_learns_when_a_reload_begins_and_when_it_is_over() {
    let manager = Manager::new();
    let server = manager.start(&[]);
    assert_eq!(manager.receive(), "READY=1\n");
    server.signal(Signal::SIGHUP);
    let begins = manager.receive();
    let since = begins.strip_prefix("RELOADING=1\nMONOTONIC_USEC=").unwrap();
    let since: u64 = since.trim_end().parse().unwrap();
    assert!(since > 0);
    assert_eq!(manager.receive(), "READY=1\n");
    server.signal(Signal::SIGTERM);
    assert_eq!(server.ended().0, Some(0));
}
