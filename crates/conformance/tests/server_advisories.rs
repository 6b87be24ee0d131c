//! Advisories about the server as a whole. nats-server tells them to its system account; this server tells `$G`, too,
//! where no other account has JetStream. Over bare sockets.

#![forbid(unsafe_code)]

use recado_conformance::{Peer, ServerBuilder, ServerProcess};
use serde_json::Value;

fn with_streams(config: &str) -> ServerProcess {
    ServerBuilder::nats().config(config).jetstream().start()
}

fn json(payload: &[u8]) -> Value {
    serde_json::from_slice(payload).expect("JSON")
}

// E13, E220
#[test]
fn requests_beyond_the_limit_are_dropped_and_told_and_the_rest_is_answered() {
    const SENT: i64 = 20_000;
    const LIMIT: i64 = 10;
    let server = with_streams(&format!(
        "server_name: here\njetstream {{ request_queue_limit: {LIMIT} }}"
    ));
    let mut peer = Peer::plain(&server);
    peer.send("SUB $JS.EVENT.ADVISORY.API.LIMIT_REACHED told\r\nSUB r answer\r\n");
    let mut other = Peer::plain(&server);
    other.send("PUB $JS.API.STREAM.NAMES r 0\r\n\r\n".repeat(SENT as usize));
    let (mut answered, mut dropped) = (0, 0);
    while answered + dropped < SENT {
        let message = peer.message();
        let body = json(&message.payload);
        if message.sid == "answer" {
            answered += 1;
            assert_eq!(
                body["type"],
                "io.nats.jetstream.api.v1.stream_names_response"
            );
            continue;
        }
        assert_eq!(
            body["type"],
            "io.nats.jetstream.advisory.v1.api_limit_reached"
        );
        assert_eq!(body["server"], "here");
        assert_eq!(body["dropped"], LIMIT);
        dropped += LIMIT;
    }
    assert_eq!(answered + dropped, SENT);
    assert!(answered > 0 && dropped > 0, "{answered} and {dropped}");
    peer.send("PUB $JS.API.STREAM.NAMES r 0\r\n\r\n");
    assert_eq!(peer.message().sid, "answer", "it is calm again");
}
