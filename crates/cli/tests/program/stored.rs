//! A server with streams (JetStream) for the tests that need one: the one under test where it has them, else a
//! real nats-server; where there is neither, the test is left out, and that is said by name.

use std::io::{BufRead, BufReader, Write};
use std::net::TcpStream;
use std::process::{Command, Stdio};

use recado_conformance::{ServerBuilder, ServerProcess, server_program};
use serde_json::Value;
use tempfile::TempDir;

use crate::harness::{Ended, recado};

/// A server with an empty store of its own.
pub(crate) struct Store {
    server: ServerProcess,
    /// Removed together with it.
    _folder: TempDir,
}

impl Store {
    /// Starts one, if there is one to start.
    pub(crate) fn start() -> Option<Self> {
        let folder = TempDir::new().unwrap();
        let arguments = [
            "-js".to_owned(),
            "-sd".to_owned(),
            folder.path().to_str().unwrap().to_owned(),
        ];
        if takes_streams(&folder, &arguments) {
            let server = ServerBuilder::nats().args(arguments.clone()).start();
            if has_streams(&server) {
                let _folder = folder;
                return Some(Self { server, _folder });
            }
        }
        let server = ServerBuilder::genuine()?.args(arguments).start();
        assert!(has_streams(&server), "it was asked to have JetStream");
        let _folder = folder;
        Some(Self { server, _folder })
    }

    /// Kills the server and starts it again, with what it has stored.
    pub(crate) fn restart(&mut self) {
        self.server.restart();
    }

    pub(crate) fn url(&self) -> String {
        self.server.url()
    }

    /// Runs a command line of words without blanks, and expects success.
    pub(crate) fn run(&self, line: &str) -> String {
        recado(&self.url(), line.split(' ')).succeed()
    }

    /// The same; each line of its output as JSON.
    pub(crate) fn json(&self, line: &str) -> Vec<Value> {
        let shown = recado(&self.url(), line.split(' ').chain(["--json"])).succeed();
        let read = |line: &str| serde_json::from_str(line).unwrap();
        shown.lines().map(read).collect()
    }

    /// The same, and expects this status.
    pub(crate) fn fails(&self, line: &str, status: i32) -> Ended {
        let ended = recado(&self.url(), line.split(' ')).run();
        assert_eq!(ended.code, Some(status), "{line}: {ended:?}");
        assert!(
            ended.stderr.contains("\n  → "),
            "{line} says what to do next: {}",
            ended.stderr
        );
        ended
    }
}

/// Whether the server under test can be started with these flags: it says so when it checks them.
fn takes_streams(folder: &TempDir, arguments: &[String]) -> bool {
    // They check flags only together with a file.
    let file = folder.path().join("server.conf");
    std::fs::write(&file, "max_payload: 1MB\n").unwrap();
    let checked = Command::new(server_program())
        .args(arguments)
        .args(["-t", "-c", file.to_str().unwrap()])
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .status();
    checked.is_ok_and(|status| status.success())
}

/// Whether its greeting says that it has streams.
fn has_streams(server: &ServerProcess) -> bool {
    let mut stream = TcpStream::connect(server.addr()).unwrap();
    let mut greeting = String::new();
    BufReader::new(stream.try_clone().unwrap())
        .read_line(&mut greeting)
        .unwrap();
    // So that nothing about a connection that broke is in its log.
    let _ = stream.write_all(b"CONNECT {}\r\n");
    let info = greeting.strip_prefix("INFO ").unwrap();
    let info: Value = serde_json::from_str(info).unwrap();
    info["jetstream"] == true
}

/// The server to test with, or the end of the test.
macro_rules! store {
    () => {
        match $crate::stored::Store::start() {
            Some(store) => store,
            None => return,
        }
    };
}
pub(crate) use store;
