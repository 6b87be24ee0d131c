//! Profiles from outside: what `go tool pprof` would be given, who waits for whom, and what is not there.

use std::collections::HashMap;
use std::io::{Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::sync::Mutex;
use std::sync::atomic::{AtomicBool, Ordering};

use flate2::read::GzDecoder;
use recado_server::Server;

use crate::http::{Answer, connect, get, request};
use crate::peer::Peer;
use crate::{builder, eventually};

/// A process has one profile made at a time, and these tests are one process.
static ALONE: Mutex<()> = Mutex::new(());

fn server(token: Option<&str>) -> (Server, SocketAddr) {
    let server = builder(|options| {
        options.monitoring.profile_port = Some(0);
        options.monitoring.token = token.map(str::to_owned);
    });
    let server = server.start().unwrap();
    let at = server.profiles_addr().unwrap();
    (server, at)
}

fn alone() -> std::sync::MutexGuard<'static, ()> {
    ALONE
        .lock()
        .unwrap_or_else(std::sync::PoisonError::into_inner)
}

/// Fields of a message of protocol buffers: number, and what it holds.
fn fields(mut bytes: &[u8]) -> Vec<(u64, Field<'_>)> {
    let mut all = Vec::new();
    while !bytes.is_empty() {
        let key = varint(&mut bytes);
        let field = match key & 7 {
            0 => Field::Number(varint(&mut bytes)),
            2 => {
                let length = varint(&mut bytes) as usize;
                let (inner, rest) = bytes.split_at(length);
                bytes = rest;
                Field::Bytes(inner)
            }
            kind => panic!("kind {kind} is not in a profile"),
        };
        all.push((key >> 3, field));
    }
    all
}

enum Field<'a> {
    Number(u64),
    Bytes(&'a [u8]),
}

fn varint(bytes: &mut &[u8]) -> u64 {
    let mut number = 0;
    for shift in (0..).step_by(7) {
        let (first, rest) = bytes.split_first().unwrap();
        *bytes = rest;
        number |= u64::from(first & 0x7f) << shift;
        if first & 0x80 == 0 {
            break;
        }
    }
    number
}

/// The first number under a field's number, or 0.
fn number(message: &[u8], field: u64) -> u64 {
    let found = fields(message)
        .into_iter()
        .find_map(|(key, held)| match held {
            Field::Number(number) if key == field => Some(number),
            _ => None,
        });
    found.unwrap_or(0)
}

/// All messages and texts under a field's number.
fn inner(message: &[u8], field: u64) -> Vec<&[u8]> {
    let all = fields(message).into_iter();
    all.filter_map(|(key, held)| match held {
        Field::Bytes(bytes) if key == field => Some(bytes),
        _ => None,
    })
    .collect()
}

/// Numbers in one field.
fn packed(mut bytes: &[u8]) -> Vec<u64> {
    let mut all = Vec::new();
    while !bytes.is_empty() {
        all.push(varint(&mut bytes));
    }
    all
}

/// A profile, as far as tests ask.
struct Profile {
    /// How often it was seen, the thread, and the functions from the innermost on.
    samples: Vec<(u64, String, Vec<String>)>,
    period_ns: u64,
}

fn read(profile: &[u8]) -> Profile {
    let mut bytes = Vec::new();
    GzDecoder::new(profile).read_to_end(&mut bytes).unwrap();
    let texts = inner(&bytes, 6);
    assert!(texts[0].is_empty());
    let text = |number: u64| String::from_utf8(texts[number as usize].to_vec()).unwrap();
    let functions: HashMap<u64, String> = inner(&bytes, 5)
        .iter()
        .map(|function| (number(function, 1), text(number(function, 2))))
        .collect();
    let places: HashMap<u64, Vec<String>> = inner(&bytes, 4)
        .iter()
        .map(|place| {
            let lines = inner(place, 4).into_iter();
            let names = lines.map(|line| functions[&number(line, 1)].clone());
            (number(place, 1), names.collect())
        })
        .collect();
    let samples = inner(&bytes, 2).into_iter().map(|sample| {
        let names = packed(inner(sample, 1)[0]).into_iter();
        let names = names.flat_map(|place| places[&place].clone());
        let values = packed(inner(sample, 2)[0]);
        let label = inner(sample, 3)[0];
        assert_eq!(text(number(label, 1)), "thread");
        assert_eq!(values[1], values[0] * 10_000_000);
        (values[0], text(number(label, 2)), names.collect())
    });
    let samples = samples.collect();
    Profile {
        samples,
        period_ns: number(&bytes, 12),
    }
}

/// A profile of so many seconds; nothing, and a word, where the kernel allows none.
fn profile(at: SocketAddr, seconds: u64, test: &str) -> Option<Vec<u8>> {
    let mut socket = ask(at, seconds);
    let mut bytes = Vec::new();
    socket.read_to_end(&mut bytes).unwrap();
    let end = bytes.windows(4).position(|four| four == b"\r\n\r\n");
    let (head, body) = bytes.split_at(end.unwrap() + 4);
    let head = String::from_utf8_lossy(head).to_ascii_lowercase();
    if head.starts_with("http/1.1 503") {
        let said = String::from_utf8_lossy(body);
        assert!(said.contains("CAP_PERFMON"), "{said}");
        println!("SKIPPED {test}: {said}");
        return None;
    }
    assert!(head.starts_with("http/1.1 200"), "{head}");
    assert!(head.contains("content-type: application/octet-stream"));
    assert!(!head.contains("access-control-allow-origin"), "{head}");
    Some(body.to_vec())
}

/// Asks for a profile and does not wait for it.
fn ask(at: SocketAddr, seconds: u64) -> TcpStream {
    let mut socket = connect(at);
    let path = format!("/debug/pprof/profile?seconds={seconds}");
    let request = format!("GET {path} HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n");
    socket.write_all(request.as_bytes()).unwrap();
    socket
}

/// Says that something is over, also when it panics.
struct Over<'a>(&'a AtomicBool);

impl Drop for Over<'_> {
    fn drop(&mut self) {
        self.0.store(true, Ordering::Relaxed);
    }
}

/// Publishes to a subscriber while something else is done.
fn under_load<T>(clients: SocketAddr, work: impl FnOnce() -> T) -> T {
    let is_done = AtomicBool::new(false);
    std::thread::scope(|scope| {
        scope.spawn(|| {
            let mut peer = Peer::connect(clients, "");
            peer.send("SUB a 1\r\n");
            let batch = "PUB a 5\r\nhello\r\n".repeat(1000);
            while !is_done.load(Ordering::Relaxed) {
                peer.send(&batch);
                peer.settle();
            }
        });
        let _over = Over(&is_done);
        work()
    })
}

#[test]
fn a_profile_says_in_which_functions_threads_were() {
    let _alone = alone();
    let (server, at) = server(None);
    let test = "a_profile_says_in_which_functions_threads_were";
    let taken = under_load(server.client_addr(), || profile(at, 1, test));
    let Some(taken) = taken else { return };
    let profile = read(&taken);
    assert_eq!(profile.period_ns, 10_000_000);
    assert!(!profile.samples.is_empty());
    let in_server = profile.samples.iter().any(|(count, thread, functions)| {
        let ours = |name: &String| name.contains("recado_server::engine::");
        *count > 0 && thread.starts_with("recado-") && functions.iter().any(ours)
    });
    let threads: Vec<&String> = profile.samples.iter().map(|(_, name, _)| name).collect();
    assert!(in_server, "{threads:?}");
    assert!(!threads.iter().any(|name| *name == "recado-sampler"));
}

#[test]
fn one_profile_is_made_at_a_time_and_none_for_who_went_away() {
    let _alone = alone();
    let (_server, at) = server(None);
    let test = "one_profile_is_made_at_a_time_and_none_for_who_went_away";
    if profile(at, 1, test).is_none() {
        return;
    }
    let samples = || {
        get(at, "/debug/pprof/threads")
            .body
            .contains("recado-sampler")
    };
    let first = ask(at, 300);
    eventually("the first to be sampled for", || samples().then_some(()));
    let second = get(at, "/debug/pprof/profile?seconds=1");
    assert_eq!(second.status, 409);
    assert!(second.body.contains("somebody else"), "{}", second.body);
    drop(first);
    eventually("sampling to end", || (!samples()).then_some(()));
    assert!(profile(at, 1, test).is_some());
}

#[test]
fn there_is_an_index_and_what_it_links_to() {
    let (_server, at) = server(None);
    for path in ["/debug/pprof/", "/debug/pprof"] {
        let index = get(at, path);
        assert_eq!(index.status, 200, "{path}");
        assert!(index.head.contains("content-type: text/html"));
        for name in ["profile", "threads", "cmdline"] {
            let link = format!("href=\"/debug/pprof/{name}\"");
            assert!(index.body.contains(&link), "{name}");
        }
    }
    let threads = get(at, "/debug/pprof/threads");
    assert!(threads.body.contains("recado-profiles"), "{}", threads.body);
    let own = std::env::args().next().unwrap();
    assert!(get(at, "/debug/pprof/cmdline").body.starts_with(&own));
}

#[test]
fn what_is_of_gos_runtime_is_said_not_to_be_there() {
    let (_server, at) = server(None);
    for name in ["heap", "goroutine", "block", "mutex", "allocs", "trace"] {
        let answer = get(at, &format!("/debug/pprof/{name}"));
        assert_eq!(answer.status, 404);
        let says = format!("{name} is of Go's runtime");
        assert!(answer.body.starts_with(&says), "{}", answer.body);
    }
    for path in ["/", "/varz", "/debug/pprof/none", "/debug/pprof/../cmdline"] {
        assert_eq!(get(at, path).status, 404, "{path}");
    }
}

#[test]
fn a_profile_has_bounds_and_a_reader() {
    let (_server, at) = server(None);
    for (query, says) in [
        ("seconds=301", "at most 300"),
        ("seconds=soon", "seconds"),
        ("seconds=99999999999999999999", "seconds"),
    ] {
        let answer = get(at, &format!("/debug/pprof/profile?{query}"));
        assert_eq!(answer.status, 400, "{query}");
        assert!(answer.body.contains(says), "{}", answer.body);
    }
    let refused = |answer: Answer, status| assert_eq!(answer.status, status);
    refused(request(at, "HEAD", "/debug/pprof/profile", ""), 400);
    refused(request(at, "POST", "/debug/pprof/profile", ""), 405);
}

#[test]
fn profiles_ask_for_the_token_of_monitoring_and_keep_to_this_machine() {
    let (_server, at) = server(Some("clave-larga"));
    assert!(at.ip().is_loopback());
    for path in ["/debug/pprof/", "/debug/pprof/cmdline", "/debug/pprof/heap"] {
        assert_eq!(get(at, path).status, 401, "{path}");
        let bearer = "Authorization: Bearer clave-larga\r\n";
        assert_ne!(request(at, "GET", path, bearer).status, 401, "{path}");
    }
}
