//! Every way in which connecting and sending can fail, caused for real: each has its own words
//! and its own exit status.

use std::io::{Read, Write};
use std::net::{TcpListener, TcpStream};
use std::os::unix::fs::PermissionsExt;

use nix::sys::signal::Signal;
use recado_conformance::{ServerBuilder, ServerProcess};

use crate::guard::guarded;
use crate::harness::{Ended, recado};

/// The commands that connect, each by a way of its own or the shared one.
const COMMANDS: [&[&str]; 5] = [
    &["pub", "a", "x"],
    &["sub", "a"],
    &["request", "a", "x"],
    &["reply", "a", "--echo"],
    &["ping"],
];

/// Expects the status and the words of every command.
fn all_fail(server: &str, more: &[&str], status: i32, words: &[&str]) {
    for command in COMMANDS {
        let ended = recado(server, command.iter().chain(more)).run();
        assert_eq!(ended.code, Some(status), "{command:?}: {ended:?}");
        says(&ended, words);
    }
}

fn says(ended: &Ended, words: &[&str]) {
    for words in words {
        assert!(
            ended.stderr.contains(words),
            "{words:?} is not in: {}",
            ended.stderr
        );
    }
    assert!(
        ended.stderr.contains("\n  → "),
        "it says what to do next: {}",
        ended.stderr
    );
}

/// Something that is not a NATS server, on a port of its own; what it does with each connection.
/// It lives as long as the tests.
fn stranger(behave: impl Fn(TcpStream) + Send + 'static) -> String {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap().to_string();
    std::thread::spawn(move || listener.incoming().flatten().for_each(behave));
    address
}

#[test]
fn a_closed_port() {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap().to_string();
    drop(listener);
    let words = [
        &format!("nothing is listening on {address}"),
        "recado-server",
        "--retry",
    ];
    all_fail(&address, &[], 5, &words);
}

#[test]
fn an_unknown_host() {
    let words = [
        "the name \"no-such-host.invalid\" is not known",
        "check the spelling",
    ];
    all_fail("nats://no-such-host.invalid:4222", &[], 6, &words);
}

#[test]
fn an_http_server_on_that_port() {
    let address = stranger(|mut stream| {
        let _ = stream.read(&mut [0; 1024]);
        let _ = stream.write_all(b"HTTP/1.1 400 Bad Request\r\nConnection: close\r\n\r\n");
    });
    let words = [&format!("{address} speaks HTTP"), "monitoring port"];
    all_fail(&address, &["--timeout", "200ms"], 8, &words);
}

#[test]
fn an_ssh_server_on_that_port() {
    let address = stranger(|mut stream| {
        let _ = stream.write_all(b"SSH-2.0-OpenSSH_9.9\r\n");
        let _ = stream.read(&mut [0; 1024]);
    });
    all_fail(
        &address,
        &[],
        8,
        &["is an SSH server (SSH-2.0-OpenSSH_9.9)", "4222"],
    );
}

#[test]
fn bytes_that_mean_nothing_on_that_port() {
    let address = stranger(|mut stream| {
        let _ = stream.write_all(b"\x1b[2Jwhatever\r\n");
        let _ = stream.read(&mut [0; 1024]);
    });
    let ended = recado(&address, ["ping"]).run();
    assert_eq!(ended.code, Some(8));
    says(
        &ended,
        &["does not speak the NATS protocol", "\\u{1b}[2Jwhatever"],
    );
    assert!(!ended.stderr.contains('\x1b'));
}

#[test]
fn a_server_that_says_nothing() {
    let server = ServerProcess::nats();
    server.signal(Signal::SIGSTOP);
    let words = [
        "accepted the connection but did not greet within 200 ms",
        "stopped",
    ];
    all_fail(&server.url(), &["--timeout", "200ms"], 7, &words);
    server.signal(Signal::SIGCONT);
}

#[test]
fn a_port_that_closes_at_once() {
    let address = stranger(drop);
    let ended = recado(&address, ["ping"]).run();
    assert_eq!(ended.code, Some(7), "{}", ended.stderr);
}

#[test]
fn a_token_that_is_missing_or_wrong_and_one_that_is_right() {
    let server = ServerBuilder::nats()
        .args(["--auth", "open-sesame"])
        .start();
    let url = server.url();
    all_fail(
        &url,
        &[],
        9,
        &["asks for credentials and none were given", "--token-file"],
    );
    let words = ["did not accept the credentials from --token", "check"];
    all_fail(&url, &["--token", "hush-hush"], 9, &words);
    let file = tempfile::NamedTempFile::new().unwrap();
    let path = file.path().to_str().unwrap();
    std::fs::write(path, "hush-hush\n").unwrap();
    let ended = recado(&url, ["ping", "--token-file", path]).run();
    assert_eq!(ended.code, Some(9));
    says(
        &ended,
        &[&format!("did not accept the credentials from {path}")],
    );
    for secret in ["open-sesame", "hush-hush"] {
        assert!(
            !ended.stderr.contains(secret),
            "no secret is shown: {}",
            ended.stderr
        );
    }

    std::fs::write(path, "open-sesame\n").unwrap();
    recado(&url, ["ping", "-c", "1", "--token-file", path]).succeed();
    recado(&url, ["ping", "-c", "1"])
        .env("RECADO_TOKEN", "open-sesame")
        .succeed();
    recado(&url, ["ping", "-c", "1"])
        .env("NATS_TOKEN", "open-sesame")
        .succeed();
    let with_token = url.replace("//", "//open-sesame@");
    recado(&with_token, ["pub", "a", "x"]).succeed();
    let listening = recado(&with_token, ["sub", "a", "--timeout", "1ms"]).run();
    assert_eq!(listening.code, Some(4));
    assert!(
        !listening.stderr.contains("open-sesame"),
        "{}",
        listening.stderr
    );
}

#[test]
fn a_token_file_that_others_can_read_works_but_is_pointed_out() {
    let server = ServerBuilder::nats()
        .args(["--auth", "open-sesame"])
        .start();
    let file = tempfile::NamedTempFile::new().unwrap();
    let path = file.path().to_str().unwrap();
    std::fs::write(path, "open-sesame").unwrap();
    for (mode, pointed_out) in [(0o600, false), (0o640, true)] {
        std::fs::set_permissions(path, std::fs::Permissions::from_mode(mode)).unwrap();
        let ended = recado(&server.url(), ["pub", "a", "x", "--token-file", path]).run();
        assert_eq!(ended.code, Some(0), "{}", ended.stderr);
        assert_eq!(
            ended.stderr.contains("chmod 600"),
            pointed_out,
            "{}",
            ended.stderr
        );
    }
}

#[test]
fn a_user_and_a_password() {
    let server = ServerBuilder::nats()
        .args(["--user", "ana", "--pass", "p@ss/w"])
        .start();
    let url = server.url();
    all_fail(
        &url,
        &["--user", "ana", "--password", "no"],
        9,
        &["credentials from --user"],
    );
    recado(
        &url,
        ["ping", "-c", "1", "--user", "ana", "--password", "p@ss/w"],
    )
    .succeed();
    let user_from_environment = recado(&url, ["pub", "a", "x"]).env("NATS_USER", "ana");
    user_from_environment
        .env("NATS_PASSWORD", "p@ss/w")
        .succeed();
    let in_url = url.replace("//", "//ana:p%40ss%2Fw@");
    recado(&in_url, ["ping", "-c", "1"]).succeed();
    let ended = recado(&in_url, ["request", "nobody", "x"]).run();
    assert_eq!(ended.code, Some(3), "{}", ended.stderr);
}

#[test]
fn a_subject_that_is_not_permitted() {
    let server = ServerProcess::nats();
    let url = guarded(server.addr(), &["open.", "_INBOX."]);
    for command in [
        &["pub", "shut", "x"][..],
        &["pub", "shut", "--lines"],
        &["sub", "shut"],
        &["request", "shut", "x"],
        &["reply", "shut", "--echo"],
    ] {
        let ended = recado(&url, command).input("a line\n").run();
        assert_eq!(ended.code, Some(10), "{command:?}: {ended:?}");
        says(&ended, &["Permissions Violation", "\"shut\""]);
    }
    recado(&url, ["pub", "open.door", "x"]).succeed();
}

#[test]
fn who_may_not_use_an_inbox_can_still_listen() {
    let server = ServerProcess::nats();
    let url = guarded(server.addr(), &["open."]);
    let listener = recado(&url, ["sub", "open.door", "--count", "1", "--raw"]).spawn();
    listener.told("Listening on open.door");
    recado(&url, ["pub", "open.door", "come in"]).succeed();
    let ended = listener.end();
    assert_eq!(
        (ended.code, ended.stdout.as_slice()),
        (Some(0), b"come in\n".as_slice())
    );
}

#[test]
fn a_message_that_is_too_large() {
    let server = ServerBuilder::nats().config("max_payload: 1024").start();
    let url = server.url();
    for command in ["pub", "request"] {
        let ended = recado(&url, [command, "a"]).input(vec![b'x'; 1025]).run();
        assert_eq!(ended.code, Some(11), "{ended:?}");
        says(&ended, &["1025 bytes", "1024 (max_payload)"]);
        let headers = recado(&url, [command, "a", "-H", "a:b"])
            .input(vec![b'x'; 1020])
            .run();
        assert_eq!(headers.code, Some(11), "headers count too: {headers:?}");
    }
    recado(&url, ["pub", "a"]).input(vec![b'x'; 1024]).succeed();
}

#[test]
fn a_server_that_dies_while_lines_are_sent() {
    let mut server = ServerProcess::nats();
    let mut publisher = recado(&server.url(), ["pub", "a", "--lines"]).spawn_with_input();
    let listener = recado(&server.url(), ["sub", "a", "--count", "1"]).spawn();
    listener.told("Listening");
    publisher.types("one\n");
    listener.shows("one");
    server.kill();
    let ended = publisher.end();
    assert_eq!(ended.code, Some(12), "{}", ended.stderr);
    says(&ended, &["the connection to ", "messages not confirmed: "]);
}

#[test]
fn files_that_can_not_be_read() {
    let server = ServerProcess::nats();
    let url = server.url();
    for args in [
        ["pub", "a", "--file", "/no/such/file"],
        ["ping", "-c1", "--token-file", "/no/such/file"],
    ] {
        let ended = recado(&url, args).run();
        assert_eq!(ended.code, Some(1), "{ended:?}");
        says(&ended, &["can't read /no/such/file"]);
    }
    let empty = tempfile::NamedTempFile::new().unwrap();
    let mode = std::fs::metadata(empty.path())
        .unwrap()
        .permissions()
        .mode();
    assert_eq!(mode & 0o077, 0, "a token file is its owner's alone");
    let ended = recado(
        &url,
        ["ping", "--token-file", empty.path().to_str().unwrap()],
    )
    .run();
    assert_eq!(ended.code, Some(1));
    says(&ended, &["holds no token"]);
}

#[test]
fn an_output_that_is_full() {
    let server = ServerProcess::nats();
    let full = std::fs::OpenOptions::new()
        .write(true)
        .open("/dev/full")
        .unwrap();
    let ended = std::process::Command::new(env!("CARGO_BIN_EXE_recado"))
        .args(["ping", "-c", "1", "--server", &server.url()])
        .env_clear()
        .stdout(full)
        .output()
        .unwrap();
    assert_eq!(ended.status.code(), Some(1));
    let stderr = String::from_utf8(ended.stderr).unwrap();
    assert!(stderr.contains("can't write the output"), "{stderr}");
}

#[test]
fn with_json_a_failure_is_an_object_too() {
    let ended = recado("127.0.0.1:1", ["pub", "a", "x", "--json"]).run();
    assert_eq!(ended.code, Some(5));
    for words in [
        "\"status\":5",
        "\"name\":\"refused\"",
        "\"message\":\"nothing is listening",
    ] {
        assert!(ended.stderr.contains(words), "{}", ended.stderr);
    }
    let ended = recado("127.0.0.1:1", ["pub", "--json"]).run();
    assert!(
        ended.stderr.contains("\"name\":\"usage\""),
        "{}",
        ended.stderr
    );
}
