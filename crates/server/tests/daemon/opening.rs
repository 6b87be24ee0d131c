//! How it starts: the first line, ports in use, readiness, sockets from others.

use std::io::{Read, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::os::fd::OwnedFd;
use std::process::Stdio;

use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;

use crate::program::{Client, DEADLINE, PROGRAM, Running, command, eventually, outcome};

#[test]
fn without_a_credential_it_keeps_to_loopback_and_says_how_to_open_it() {
    let (mut server, address) = Running::start(&[]);
    assert!(address.ip().is_loopback());
    let line = server.line("no credential");
    assert!(line.contains("--token-file") && line.contains("--allow-anonymous"));
    let (_, _, refused) = outcome(command(PROGRAM).args(["-p", "-1", "-a", "0.0.0.0"]));
    assert!(refused.contains("credential"), "{refused}");
}

/// On a terminal the first line is for whoever has just started it. Python brings the terminal.
#[test]
fn on_a_terminal_the_first_line_is_an_invitation() {
    for (lang, says, asks) in [
        ("en", "is listening on 127.0.0.1:", "recado.echo hello"),
        ("es", "escucha en 127.0.0.1:", "recado.echo hola"),
    ] {
        let directory = tempfile::tempdir().unwrap();
        let pid_file = directory.path().join("pid");
        let mut terminal = command("python3")
            .args(["-c", "import pty, sys; pty.spawn(sys.argv[1:])", PROGRAM])
            .args(["-p", "-1", "--lang", lang, "-P"])
            .arg(&pid_file)
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let mut shown = String::new();
        let mut screen = terminal.stdout.take().unwrap();
        let first = eventually("the first line", || {
            let mut some = [0; 4096];
            let n = screen.read(&mut some).unwrap();
            assert!(n > 0, "it has ended: {shown}");
            shown.push_str(&String::from_utf8_lossy(&some[..n]));
            shown.split_once("\r\n").map(|(first, _)| first.to_owned())
        });
        let pid = std::fs::read_to_string(&pid_file).unwrap();
        kill(Pid::from_raw(pid.parse().unwrap()), Signal::SIGTERM).unwrap();
        assert!(terminal.wait().unwrap().success());
        assert!(first.starts_with("recado-server "), "{first:?}");
        assert!(first.contains(says), "{first:?}");
        assert!(first.contains("recado --server nats://127.0.0.1:"));
        assert!(first.ends_with(asks), "{first:?}");
    }
}

#[test]
fn a_port_in_use_names_who_holds_it_and_what_to_do() {
    let (holder, address) = Running::start(&[]);
    let port = address.port().to_string();
    let (code, _, said) = outcome(command(PROGRAM).args(["-p", &port]));
    assert_eq!(code, 1);
    let who = format!("held by recado-server (pid {}, user ", holder.pid());
    assert!(said.contains(&who), "{said}");
    assert!(said.contains("-p -1"), "{said}");
    let (_, _, said) = outcome(command(PROGRAM).args(["-p", &port, "--lang", "es"]));
    assert!(said.contains("lo tiene recado-server (pid"), "{said}");
}

#[test]
fn a_plain_port_in_use_is_told_from_the_clients_port() {
    let holder = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = holder.local_addr().unwrap().port().to_string();
    let (code, _, said) = outcome(command(PROGRAM).args(["-p", "-1", "--plain", &port]));
    assert_eq!(code, 1);
    assert!(said.contains("another port with --plain"), "{said}");
    let me = format!("(pid {}, ", std::process::id());
    assert!(said.contains(&me), "{said}");
}

#[test]
fn a_port_of_profiles_in_use_is_told_from_the_others() {
    let holder = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = holder.local_addr().unwrap().port().to_string();
    for (lang, says) in [
        ("en", "another port with --profile"),
        ("es", "otro puerto con --profile"),
    ] {
        let mut command = command(PROGRAM);
        let (code, _, said) =
            outcome(command.args(["-p", "-1", "--profile", &port, "--lang", lang]));
        assert_eq!(code, 1);
        assert!(said.contains(says), "{said}");
    }
}

#[test]
fn an_address_that_it_can_not_have_is_explained_in_the_users_language() {
    // A name of one part too long is refused without asking anybody; 192.0.2.1 is for examples.
    let nobody = "x".repeat(64);
    for (host, english, spanish) in [
        (
            "192.0.2.1",
            "192.0.2.1 is no address of this machine: give one of its own with -a",
            "192.0.2.1 no es una dirección de esta máquina: da una suya con -a",
        ),
        (
            &nobody,
            "has no address here",
            "no se conoce ninguna dirección del host x",
        ),
    ] {
        for (lang, words) in [("en_GB.UTF-8", english), ("es_ES.UTF-8", spanish)] {
            let (code, _, said) = outcome(
                command(PROGRAM)
                    .args(["-p", "-1", "--allow-anonymous", "-a", host])
                    .env_remove("LC_ALL")
                    .env("LANG", lang),
            );
            assert_eq!(code, 1, "{said}");
            assert!(said.contains(words), "{said}");
        }
    }
}

#[test]
fn plain_listeners_are_announced_with_their_subject() {
    let (mut server, _) = Running::start(&["--plain", "-1:sensors"]);
    let line = server.line("plain sockets");
    assert!(line.contains("subject sensors"), "{line}");
    let mut peer = TcpStream::connect(crate::program::address_in(&line)).unwrap();
    peer.set_read_timeout(Some(DEADLINE)).unwrap();
    peer.write_all(b"hello\n").unwrap();
    let mut answer = [0; 64];
    let n = peer.read(&mut answer).unwrap();
    assert_eq!(&answer[..n], b"hello\n");
}

/// Runs the server through a shell that moves its standard input to descriptor 3, where socket
/// activation begins.
fn activated(socket: impl Into<OwnedFd>, listen_pid: &str) -> Running {
    let script = format!("exec 3<&0 0</dev/null; LISTEN_PID={listen_pid} LISTEN_FDS=1 exec \"$@\"");
    Running::spawn(
        command("sh")
            .args(["-c", &script, "sh", PROGRAM, "-p", "-1"])
            .stdin(Stdio::from(socket.into())),
    )
}

#[test]
fn a_socket_that_was_opened_before_is_served() {
    let socket = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = socket.local_addr().unwrap();
    let mut server = activated(socket, "$$");
    let line = server.line("is listening on");
    assert_eq!(crate::program::address_in(&line), address);
    assert!(Client::connect(address).is_answered());
    server.signal(Signal::SIGTERM);
    assert_eq!(server.ended().0, Some(0));
}

#[test]
fn a_socket_for_another_process_is_not_touched() {
    let socket = TcpListener::bind("127.0.0.1:0").unwrap();
    let theirs = socket.local_addr().unwrap();
    let mut server = activated(socket, "1");
    let ours: SocketAddr = crate::program::address_in(&server.line("is listening on"));
    assert_ne!(ours, theirs);
}

#[test]
fn a_descriptor_that_is_no_listening_socket_is_refused() {
    let file = tempfile::tempfile().unwrap();
    let (code, lines) = activated(file, "$$").ended();
    assert_eq!(code, Some(1));
    assert!(lines[0].contains("descriptor 3"), "{lines:?}");
}

#[test]
fn mistakes_on_the_command_line_and_in_files_have_their_own_exit_codes() {
    let (code, _, said) = outcome(command(PROGRAM).arg("--no-such-flag"));
    assert_eq!(code, 2, "{said}");
    let file = tempfile::NamedTempFile::new().unwrap();
    std::fs::write(file.path(), "prt: 4222\n").unwrap();
    let check = |path| outcome(command(PROGRAM).args(["-t", "-c"]).arg(path));
    let (code, _, said) = check(file.path());
    assert_eq!(code, 1);
    assert!(said.contains("port"), "the nearest key is named: {said}");
    std::fs::write(file.path(), "port: 4222\n").unwrap();
    let (code, _, said) = check(file.path());
    assert_eq!(code, 0, "{said}");
    // Nor would it start without these.
    let tls = "tls {cert_file: '/none/cert.pem', key_file: '/none/key.pem'}\n";
    std::fs::write(file.path(), tls).unwrap();
    let (code, _, said) = check(file.path());
    assert_eq!(code, 1, "{said}");
    assert!(said.contains("/none/cert.pem"), "{said}");
}

#[test]
fn help_and_version_survive_a_reader_that_has_gone() {
    for flag in ["--help", "--version"] {
        let (read, write) = std::io::pipe().unwrap();
        drop(read);
        let status = command(PROGRAM).arg(flag).stdout(write).status().unwrap();
        assert_eq!(status.code(), Some(0));
    }
}
