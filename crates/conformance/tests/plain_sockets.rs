//! Bare sockets, without any library, against `recado-server --plain`: the classic Python pair, `nc`,
//! and what a program that speaks over a socket by hand does.

#![forbid(unsafe_code)]

use std::io::{BufRead, BufReader, Read, Write};
use std::net::{Shutdown, SocketAddr, TcpStream};
use std::process::{Command, Stdio};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread::JoinHandle;
use std::time::Duration;

use recado_conformance::{PATIENCE, Peer, ServerBuilder, ServerProcess};

/// A server with these `--plain` listeners, each on a free port.
fn server(subjects: &[&str]) -> ServerProcess {
    let flags = subjects.iter().flat_map(|subject| match *subject {
        "" => ["--plain".to_owned(), "-1".to_owned()],
        subject => ["--plain".to_owned(), format!("-1:{subject}")],
    });
    ServerBuilder::recado().args(flags).start()
}

/// What the Python program prints after it sent this.
fn python(addr: SocketAddr, text: &str, options: &[&str]) -> String {
    let script = concat!(env!("CARGO_MANIFEST_DIR"), "/python/plain_client.py");
    let output = Command::new("python3")
        .args(["-B", script, &addr.port().to_string(), text])
        .args(options)
        .output()
        .expect("python3 is installed");
    let complaints = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{complaints}");
    String::from_utf8(output.stdout).expect("it was text")
}

/// A bare peer in this process.
struct Socket {
    stream: TcpStream,
    lines: BufReader<TcpStream>,
}

impl Socket {
    fn connect(addr: SocketAddr) -> Self {
        let stream = TcpStream::connect(addr).expect("the server listens for plain peers");
        stream
            .set_read_timeout(Some(PATIENCE))
            .expect("a positive timeout");
        let lines = BufReader::new(stream.try_clone().expect("an open socket"));
        Self { stream, lines }
    }

    fn send(&mut self, bytes: &str) {
        self.stream
            .write_all(bytes.as_bytes())
            .expect("the server reads");
    }

    fn line(&mut self) -> String {
        let mut line = String::new();
        self.lines.read_line(&mut line).expect("a line comes");
        line
    }

    fn rest(&mut self) -> String {
        let mut rest = String::new();
        self.lines.read_to_string(&mut rest).expect("the end comes");
        rest
    }
}

/// Answers so many requests on a subject with what `answer` makes of them; returns the requests.
fn respond(
    server: &ServerProcess,
    subject: &str,
    count: usize,
    answer: impl Fn(&str) -> String + Send + 'static,
) -> JoinHandle<Vec<String>> {
    let mut peer = Peer::plain(server);
    assert_eq!(peer.until_pong(format!("SUB {subject} 1\r\n")), "");
    std::thread::spawn(move || {
        let mut requests = Vec::new();
        for _ in 0..count {
            let request = peer.message();
            let text = String::from_utf8(request.payload).expect("it is text");
            let answer = answer(&text);
            let reply = request.reply.expect("a request has a reply subject");
            peer.send(format!("PUB {reply} {}\r\n{answer}\r\n", answer.len()));
            requests.push(text);
        }
        // All of it is sent once the server has answered.
        assert_eq!(peer.until_pong(""), "");
        requests
    })
}

#[test]
fn the_classic_python_client_gets_an_echo_where_nobody_else_answers() {
    let server = server(&[""]);
    assert_eq!(
        python(server.plain_addrs()[0], "Hello, world", &[]),
        "Hello, world"
    );
}

#[test]
fn the_classic_python_client_gets_the_answer_of_a_responder() {
    let server = server(&[""]);
    let responder = respond(&server, "plain", 1, |text| text.to_uppercase());
    assert_eq!(
        python(server.plain_addrs()[0], "¿Qué tal?", &[]),
        "¿QUÉ TAL?"
    );
    assert_eq!(responder.join().expect("it answered"), ["¿Qué tal?"]);
}

#[test]
fn netcat_is_answered_line_by_line() {
    let server = server(&["shout"]);
    let responder = respond(&server, "shout", 2, |text| format!("{text}!"));
    let addr = server.plain_addrs()[0];
    let flags = ["-N", "127.0.0.1", &addr.port().to_string()].map(str::to_owned);
    let mut nc = Command::new("nc");
    let started = nc
        .args(flags)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn();
    let answer = if let Ok(mut nc) = started {
        let mut stdin = nc.stdin.take().expect("it is piped");
        stdin.write_all("uno\ndos\n".as_bytes()).expect("nc reads");
        drop(stdin);
        let output = nc.wait_with_output().expect("nc ends");
        String::from_utf8(output.stdout).expect("it was text")
    } else {
        println!("nc is not installed: a Python program does the same in its place");
        python(addr, "uno\ndos\n", &["--to-the-end"])
    };
    assert_eq!(answer, "uno!\ndos!\n");
    assert_eq!(responder.join().expect("it answered"), ["uno", "dos"]);
}

#[test]
fn lines_are_answered_in_order_with_the_ends_that_they_had() {
    let server = server(&[""]);
    let mut socket = Socket::connect(server.plain_addrs()[0]);
    socket.send("one\ntwo\r\n\nthree\n");
    let lines = [(); 4].map(|()| socket.line());
    assert_eq!(lines, ["one\n", "two\r\n", "\n", "three\n"]);
}

#[test]
fn a_line_may_be_long() {
    let server = server(&[""]);
    let responder = respond(&server, "plain", 1, |text| text.len().to_string());
    let mut socket = Socket::connect(server.plain_addrs()[0]);
    let line = "x".repeat(40_000);
    socket.send(&format!("{line}\n"));
    assert_eq!(socket.line(), "40000\n");
    assert_eq!(responder.join().expect("it answered"), [line]);
}

#[test]
fn last_words_without_a_newline_are_answered_before_the_end() {
    let server = server(&[""]);
    let mut socket = Socket::connect(server.plain_addrs()[0]);
    socket.send("first\nlast words");
    socket
        .stream
        .shutdown(Shutdown::Write)
        .expect("an open socket");
    assert_eq!(socket.rest(), "first\nlast words");
}

#[test]
fn a_peer_that_drips_is_answered_for_what_has_come() {
    let server = server(&[""]);
    let mut socket = Socket::connect(server.plain_addrs()[0]);
    let mut drips = socket.stream.try_clone().expect("an open socket");
    let answered = Arc::new(AtomicBool::new(false));
    let stop = Arc::clone(&answered);
    // Never 50 ms without a byte, unless this machine stumbles, and never a newline.
    let dripping = std::thread::spawn(move || {
        while !stop.load(Ordering::Acquire) && drips.write_all(b"x").is_ok() {
            std::thread::sleep(Duration::from_millis(5));
        }
    });
    let mut first = [0];
    let read = socket.lines.read_exact(&mut first);
    answered.store(true, Ordering::Release);
    dripping.join().expect("it ended");
    read.expect("an answer comes while it drips");
    assert_eq!(&first, b"x");
}

#[test]
fn each_listener_asks_on_its_own_subject() {
    let server = server(&["", "upper", "math.double"]);
    let upper = respond(&server, "upper", 1, |text| text.to_uppercase());
    let double = respond(&server, "math.double", 1, |text| {
        (2 * text.parse::<u32>().expect("a number")).to_string()
    });
    let addrs = server.plain_addrs();
    assert_eq!(addrs.len(), 3);
    let ask = |at: usize, text: &str| {
        let mut socket = Socket::connect(addrs[at]);
        socket.send(text);
        socket.line()
    };
    assert_eq!(ask(0, "same\n"), "same\n");
    assert_eq!(ask(1, "loud\n"), "LOUD\n");
    assert_eq!(ask(2, "21\n"), "42\n");
    upper.join().expect("it answered");
    double.join().expect("it answered");
}

#[test]
fn a_peer_is_written_to_on_its_own_subject_and_has_one_line_of_log() {
    let server = server(&[""]);
    let mut socket = Socket::connect(server.plain_addrs()[0]);
    let line = server.wait_for_log("plain peer connected");
    let own = socket.stream.local_addr().expect("an address").to_string();
    assert!(line.contains(&own), "{line} names {own}");
    let subject = line
        .split_whitespace()
        .find_map(|field| field.strip_prefix("write_to="));
    let subject = subject.expect("it says where to write").trim_matches('"');
    let mut client = Peer::plain(&server);
    assert_eq!(
        client.until_pong(format!("PUB {subject} 5\r\nhello\r\n")),
        ""
    );
    assert_eq!(socket.line(), "hello\n");
    socket.send("still here\n");
    assert_eq!(socket.line(), "still here\n", "it can ask all the same");
    drop(socket);
    // Nobody is written to once it is gone.
    let deadline = std::time::Instant::now() + PATIENCE;
    assert_eq!(client.until_pong("SUB reply 1\r\n"), "");
    while !client
        .until_pong(format!("PUB {subject} reply 0\r\n\r\n"))
        .contains(" 503\r\n")
    {
        assert!(
            std::time::Instant::now() < deadline,
            "{subject} outlives its peer"
        );
    }
    let lines = server
        .log()
        .lines()
        .filter(|line| line.contains(&own))
        .count();
    assert_eq!(lines, 1, "{}", server.log());
}

#[test]
fn many_peers_at_once_get_each_its_own_answers() {
    let server = server(&[""]);
    let addr = server.plain_addrs()[0];
    let responder = respond(&server, "plain", 50 * 20, |text| format!("<{text}>"));
    std::thread::scope(|scope| {
        for peer in 0..50 {
            scope.spawn(move || {
                let mut socket = Socket::connect(addr);
                for number in 0..20 {
                    socket.send(&format!("{peer}/{number}\n"));
                    assert_eq!(socket.line(), format!("<{peer}/{number}>\n"));
                }
            });
        }
    });
    assert_eq!(responder.join().expect("it answered").len(), 1_000);
}

#[test]
fn a_responder_that_never_answers_is_not_waited_for_without_end() {
    let server = server(&[""]);
    let mut mute = Peer::plain(&server);
    assert_eq!(mute.until_pong("SUB plain 1\r\n"), "");
    let mut socket = Socket::connect(server.plain_addrs()[0]);
    socket.send("anybody?\n");
    let answer = socket.line();
    assert!(
        answer.starts_with("-ERR 'no answer on \"plain\""),
        "{answer}"
    );
}

#[test]
fn a_token_for_clients_does_not_concern_bare_peers_on_this_machine() {
    let flags = ["--auth", "s3cret", "--plain", "-1"];
    let server = ServerBuilder::recado().args(flags).start();
    assert_eq!(python(server.plain_addrs()[0], "hola", &[]), "hola");
}
