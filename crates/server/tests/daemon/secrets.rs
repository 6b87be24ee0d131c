//! A token stays where it belongs.

use std::fs;
use std::os::unix::fs::PermissionsExt;

use nix::sys::signal::Signal;

use crate::program::{Client, PROGRAM, Running, command, outcome};

fn answer_to(address: std::net::SocketAddr, token: &str) -> String {
    let mut client = Client::connect(address);
    client.send(&format!(
        "CONNECT {{\"verbose\":false,\"auth_token\":\"{token}\"}}\r\nPING\r\n"
    ));
    client.line()
}

#[test]
fn a_token_file_shows_neither_in_the_process_list_nor_in_the_log() {
    let directory = tempfile::tempdir().unwrap();
    let file = directory.path().join("recado.token");
    let (code, _, said) = outcome(command(PROGRAM).args(["token", "new"]).arg(&file));
    assert_eq!(code, 0, "{said}");
    let mode = fs::metadata(&file).unwrap().permissions().mode();
    assert_eq!(mode & 0o777, 0o600);
    let token = fs::read_to_string(&file).unwrap().trim().to_owned();
    assert!(!said.contains(&token));

    let path = file.to_str().unwrap();
    let (server, address) = Running::start(&["-DV", "-a", "127.0.0.1", "--token-file", path]);
    assert_eq!(answer_to(address, &token), "PONG");
    assert!(answer_to(address, "wr0ng-t0ken").starts_with("-ERR"));
    for shown in ["cmdline", "environ"] {
        let shown = fs::read(format!("/proc/{}/{shown}", server.pid())).unwrap();
        assert!(!String::from_utf8_lossy(&shown).contains(&token));
    }
    server.signal(Signal::SIGTERM);
    let (_, lines) = server.ended();
    assert!(lines.len() > 5, "it was to trace: {lines:#?}");
    for secret in [token.as_str(), "wr0ng-t0ken"] {
        assert!(
            !lines.iter().any(|line| line.contains(secret)),
            "{lines:#?}"
        );
    }
}

#[test]
fn a_token_is_not_written_over_unless_told_to() {
    let directory = tempfile::tempdir().unwrap();
    let file = directory.path().join("recado.token");
    let new = |more: &[&str]| {
        outcome(
            command(PROGRAM)
                .args(["token", "new"])
                .arg(&file)
                .args(more),
        )
        .0
    };
    assert_eq!(new(&[]), 0);
    let first = fs::read_to_string(&file).unwrap();
    assert_eq!(new(&[]), 1);
    assert_eq!(fs::read_to_string(&file).unwrap(), first);
    assert_eq!(new(&["--force"]), 0);
    assert_ne!(fs::read_to_string(&file).unwrap(), first);
}
