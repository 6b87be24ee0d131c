//! Frames that are too long, too deep, too large, or no frames at all.

use std::io::{ErrorKind, Read};

use recado_conformance::{Peer, ServerBuilder, ServerProcess};

use crate::MIB;
use crate::witness::Witness;

/// Bytes that look random and are the same for a seed. (SplitMix64.)
struct Noise(u64);

impl Noise {
    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        z ^ (z >> 31)
    }

    fn below(&mut self, bound: usize) -> usize {
        usize::try_from(self.next() % bound as u64).expect("it is below a usize")
    }

    fn bytes(&mut self, count: usize) -> Vec<u8> {
        (0..count).map(|_| self.next().to_le_bytes()[0]).collect()
    }
}

/// A seed from the clock, printed so that a failure can be repeated: `RECADO_SEED` sets it.
fn seed() -> u64 {
    let given = std::env::var("RECADO_SEED")
        .ok()
        .and_then(|seed| seed.parse().ok());
    let now = std::time::UNIX_EPOCH
        .elapsed()
        .expect("the clock is past 1970");
    let seed = given.unwrap_or(u64::from(now.subsec_nanos()));
    println!("RECADO_SEED={seed}");
    seed
}

/// Sends it, says that this was all, and reads until the server closes the connection.
fn send_and_leave(server: &ServerProcess, input: &[u8]) {
    let mut peer = Peer::connect(server);
    // The server may have had enough before it got everything.
    let _ = peer.try_send(input);
    let _ = peer.socket().shutdown(std::net::Shutdown::Write);
    let mut said = Vec::new();
    match peer.socket().read_to_end(&mut said) {
        Ok(_) => {}
        Err(error) => assert_eq!(error.kind(), ErrorKind::ConnectionReset, "after {said:?}"),
    }
}

#[test]
fn noise_ends_connections_and_nothing_else() {
    let mut server = ServerProcess::nats();
    let witness = Witness::of(&server);
    let mut noise = Noise(seed());
    for round in 0..400 {
        let length = 1 + noise.below(2_000);
        let mut input = noise.bytes(length);
        if round % 2 == 0 {
            // Past the handshake, where more can be reached.
            input.splice(0..0, *b"CONNECT {\"verbose\":false,\"headers\":true}\r\n");
        }
        send_and_leave(&server, &input);
    }
    witness.was_served();
    assert!(server.is_running());
}

#[test]
fn damaged_protocol_ends_connections_and_nothing_else() {
    let mut server = ServerProcess::nats();
    let witness = Witness::of(&server);
    let mut noise = Noise(seed());
    let sound = concat!(
        "CONNECT {\"verbose\":true,\"headers\":true,\"no_responders\":true}\r\n",
        "SUB foo.* 1\r\nSUB foo.> group 2\r\nUNSUB 1 5\r\nPING\r\nPUB foo.bar 5\r\nhello\r\n",
        "HPUB foo.bar reply 18 20\r\nNATS/1.0\r\nA: b\r\n\r\nhi\r\nPUB foo.baz inbox 0\r\n\r\n",
        "UNSUB 2\r\nPONG\r\nPUB other 12\r\nPUB a 1\r\nx\r\n\r\n"
    );
    let hostile_bytes = b"\0\r\n\t .*>-+9\xff{}\"'";
    for _ in 0..600 {
        let mut input = sound.as_bytes().to_vec();
        for _ in 0..=noise.below(4) {
            let at = noise.below(input.len());
            match noise.below(4) {
                0 => input[at] = noise.next().to_le_bytes()[0],
                1 => input[at] = hostile_bytes[noise.below(hostile_bytes.len())],
                2 => drop(input.remove(at)),
                _ => input.insert(at, hostile_bytes[noise.below(hostile_bytes.len())]),
            }
        }
        send_and_leave(&server, &input);
    }
    witness.was_served();
    assert!(server.is_running());
}

#[test]
fn a_line_without_end_is_refused_before_it_fills_memory() {
    let server = ServerProcess::nats();
    let witness = Witness::of(&server);
    let before = server.resident_bytes();
    for start in ["PUB ", "SUB ", "CONNECT {\"name\":\"", "HPUB ", "UNSUB "] {
        for filler in ["x", "\0", "ñ", "."] {
            let line = format!("{start}{}", filler.repeat(1024 * 1024 / filler.len()));
            let said = Peer::plain(&server).until_closed(line);
            assert_eq!(
                said, "-ERR 'maximum control line exceeded'\r\n",
                "{start}{filler}…"
            );
        }
    }
    witness.was_served();
    let grown = server.resident_bytes().saturating_sub(before);
    assert!(grown < 16 * MIB, "25 lines of 1 MiB left {grown} bytes");
}

#[test]
fn a_connect_with_deep_or_giant_json_ends_at_most_its_connection() {
    let config = "max_control_line: 4MB, max_payload: 1MB";
    let mut server = ServerBuilder::nats().config(config).start();
    let witness = Witness::of(&server);
    let deep = "[".repeat(500_000);
    let deep_but_sound = format!("{}{}", "[".repeat(100_000), "]".repeat(100_000));
    let long = "x".repeat(2_000_000);
    let wide = (0..100_000)
        .map(|n| format!("\"key{n}\":{n},"))
        .collect::<String>();
    for json in [
        format!("{{\"name\":{deep}"),
        format!("{{\"unknown\":{deep_but_sound}}}"),
        deep,
        format!("{{\"name\":\"{long}\"}}"),
        format!("{{{wide}\"verbose\":false}}"),
        format!("{{\"protocol\":{}}}", "9".repeat(100_000)),
        format!("{{\"name\":\"{}\"}}", "\\ud800".repeat(100_000)),
    ] {
        send_and_leave(&server, format!("CONNECT {json}\r\nPING\r\n").as_bytes());
    }
    witness.was_served();
    assert!(server.is_running());
}

#[test]
fn the_deepest_subject_that_fits_into_a_line_is_matched() {
    let server = ServerProcess::nats();
    let witness = Witness::of(&server);
    let mut peer = Peer::plain(&server);
    let deep = vec!["a"; 2_000].join(".");
    let filters = format!("SUB {deep} 1\r\nSUB {deep}.> 2\r\nSUB {deep}.* 3\r\n");
    assert!(peer.until_pong(filters).is_empty(), "they are taken");
    let said = peer.until_pong(format!("PUB {deep} 0\r\n\r\nPUB {deep}.b 0\r\n\r\n"));
    assert_eq!(said.matches(" 1 0\r\n").count(), 1, "the whole subject");
    assert_eq!(said.matches(" 2 0\r\n").count(), 1, "one token more");
    assert_eq!(said.matches(" 3 0\r\n").count(), 1, "any token more");
    witness.was_served();
}

#[test]
fn subjects_of_a_hundred_thousand_tokens_are_matched_or_refused() {
    let mut server = ServerBuilder::nats()
        .config("max_control_line: 1MB")
        .start();
    let witness = Witness::of(&server);
    let mut peer = Peer::plain(&server);
    let deep = vec!["a"; 100_000].join(".");
    let refused = "too many tokens'\r\n";
    let taken = !peer
        .until_pong(format!("SUB {deep} 1\r\n"))
        .ends_with(refused);
    let said = peer.until_pong(format!("PUB {deep} 0\r\n\r\n"));
    assert_eq!(
        said.ends_with(" 1 0\r\n\r\n"),
        taken,
        "what is taken is matched"
    );
    assert!(peer.until_pong("UNSUB 1\r\n").is_empty());
    witness.was_served();
    assert!(server.is_running());
}

#[test]
fn wildcards_in_every_combination_are_all_matched() {
    let server = ServerProcess::nats();
    let witness = Witness::of(&server);
    let mut peer = Peer::plain(&server);
    let filters = (0..4096_u32).map(|bits| {
        let tokens = (0..12).map(|at| if bits >> at & 1 == 1 { "*" } else { "a" });
        format!("SUB {} {bits}\r\n", tokens.collect::<Vec<_>>().join("."))
    });
    assert_eq!(peer.until_pong(filters.collect::<String>()), "");
    let subject = ["a"; 12].join(".");
    let said = peer.until_pong(format!("PUB {subject} 0\r\n\r\n"));
    assert_eq!(said.matches("MSG ").count(), 4096);
    witness.was_served();
}

#[test]
fn headers_by_the_hundred_thousand_pass_as_they_are_and_take_no_more_memory_than_their_bytes() {
    let mut server = ServerProcess::nats();
    let witness = Witness::of(&server);
    let mut peer = Peer::with(&server, r#"{"verbose":false,"headers":true}"#);
    assert_eq!(peer.until_pong("SUB bomb 1\r\n"), "");
    let before = server.resident_bytes();
    let many = "a:\r\n".repeat(200_000);
    for block in [
        format!("NATS/1.0\r\n{many}\r\n"),
        // One that never ends, one without a name, the same name, continued lines, no colon, zeros.
        format!("NATS/1.0\r\nA: {}\r\n\r\n", "x".repeat(800_000)),
        format!("NATS/1.0\r\n{}: x\r\n\r\n", "A".repeat(800_000)),
        format!("NATS/1.0\r\n{}\r\n", ":\r\n".repeat(200_000)),
        format!("NATS/1.0\r\nA: b\r\n{}\r\n", " c\r\n".repeat(200_000)),
        format!("NATS/1.0\r\n{}\r\n", "no colon\r\n".repeat(80_000)),
        format!("NATS/1.0\r\n{}\r\n\r\n", "\0".repeat(800_000)),
        format!("NATS/1.0 503{}\r\n\r\n", " 503".repeat(200_000)),
    ] {
        for _ in 0..3 {
            let size = block.len();
            peer.send(format!("HPUB bomb {size} {}\r\n{block}hi\r\n", size + 2));
            let message = peer.message();
            assert!(message.headers.as_deref() == Some(&*block), "byte for byte");
            assert_eq!(message.payload, b"hi");
        }
    }
    let grown = server.resident_bytes().saturating_sub(before);
    assert!(grown < 16 * MIB, "blocks of 800 KB left {grown} bytes");
    // More than a message may have is no header either.
    let said = peer.until_closed("HPUB bomb 1048577 1048577\r\n");
    assert_eq!(said, "-ERR 'Maximum Payload Violation'\r\n");
    witness.was_served();
    assert!(server.is_running());
}

#[test]
fn payloads_that_are_announced_and_never_sent_take_no_memory() {
    const PEERS: u64 = 300;
    let server = ServerProcess::nats();
    let witness = Witness::of(&server);
    let before = server.resident_bytes();
    let mut peers: Vec<Peer> = (0..PEERS).map(|_| Peer::plain(&server)).collect();
    for peer in &mut peers {
        peer.send("PUB a 1048576\r\n");
        peer.send("some of it");
    }
    // Each gets its turn before the witness's last.
    witness.was_served();
    let mut last = Peer::plain(&server);
    assert_eq!(last.until_pong(""), "");
    let grown = server.resident_bytes().saturating_sub(before);
    assert!(
        grown < PEERS * MIB / 8,
        "{PEERS} announcements of 1 MiB took {grown} bytes"
    );
    for size in ["1048577", "4294967296", "9223372036854775807"] {
        let said = Peer::plain(&server).until_closed(format!("PUB a {size}\r\n"));
        assert!(
            said == "-ERR 'Maximum Payload Violation'\r\n" || said.is_empty(),
            "{said}"
        );
    }
}
