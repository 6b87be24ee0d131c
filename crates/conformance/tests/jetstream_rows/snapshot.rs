//! Backup and restore by the API: chunks out, chunks in.

use serde_json::{Value, json};

use crate::js::{Js, error, status, texts};

/// A stream S with messages and a consumer that has got on with them.
fn start() -> Js {
    let mut js = Js::start();
    js.stream("S", json!({ "metadata": { "a": "b" } }));
    for number in 0..20 {
        js.publish_with("s.a", &[("N", "n")], &format!("m{number}"));
    }
    // So much that is hard to compress that it does not fit in one chunk.
    let mut noise = 1_u64;
    let mut digits = || {
        noise = noise
            .wrapping_mul(6_364_136_223_846_793_005)
            .wrapping_add(1);
        format!("{noise:016x}")
    };
    let large: String = (0..500).map(|_| digits()).collect();
    js.publish("s.b", &large);
    js.ok("STREAM.MSG.DELETE.S", json!({ "seq": 7 }));
    js.consumer("S", "c", json!({}));
    for message in js.fetch("S", "c", 5) {
        js.ack(&message, "");
    }
    js
}

/// Asks for a snapshot and answers each chunk. Returns the first reply and the chunks.
fn snapshot(js: &mut Js, chunk_size: u64) -> (Value, Vec<Vec<u8>>) {
    let here = js.inbox();
    let request = json!({ "deliver_subject": here.subject, "chunk_size": chunk_size });
    let reply = js.ok("STREAM.SNAPSHOT.S", request);
    let mut chunks = Vec::new();
    loop {
        let chunk = js.next(&here);
        if chunk.payload.is_empty() {
            assert_eq!(
                (status(&chunk).as_deref(), &chunk.reply),
                (Some("204"), &None)
            );
            return (reply, chunks);
        }
        if let Some(ack) = &chunk.reply {
            assert!(ack.starts_with("$JS.SNAPSHOT.ACK.S."), "{ack}");
            js.send(ack, "", &[], b"");
        }
        assert!(chunk.payload.len() as u64 <= chunk_size);
        chunks.push(chunk.payload);
    }
}

// E30, E190
#[test]
fn a_snapshot_comes_in_chunks_and_ends_with_204() {
    let mut js = start();
    let (reply, chunks) = snapshot(&mut js, 1024);
    assert_eq!(
        reply["type"],
        "io.nats.jetstream.api.v1.stream_snapshot_response"
    );
    assert_eq!(reply["config"]["name"], "S");
    assert_eq!(reply["state"]["messages"], 20);
    assert!(chunks.len() > 3, "{} chunks", chunks.len());
}

// E30
#[test]
fn a_snapshot_needs_a_stream_and_a_place_to_go() {
    let mut js = start();
    let got = js.error("STREAM.SNAPSHOT.Z", json!({ "deliver_subject": "x" }));
    assert_eq!(got, error(404, 10059, "stream not found"));
    assert_eq!(
        js.error("STREAM.SNAPSHOT.S", json!({})),
        error(400, 10003, "bad request")
    );
    let got = js.error("STREAM.SNAPSHOT.S", json!({ "deliver_subject": "a..b" }));
    assert_eq!(got, error(400, 10015, "deliver subject not valid"));
}

// E31, E191
#[test]
fn a_restored_stream_is_the_one_that_was_saved() {
    let mut js = start();
    let before = js.stream_info("S");
    let (reply, chunks) = snapshot(&mut js, 1024);
    let request = json!({ "config": reply["config"], "state": reply["state"] });
    let got = js.error("STREAM.RESTORE.S", request.clone());
    assert_eq!(got.1, 10130, "it is still there: {got:?}");
    js.ok("STREAM.DELETE.S", Value::Null);

    let accepted = js.ok("STREAM.RESTORE.S", request);
    assert_eq!(
        accepted["type"],
        "io.nats.jetstream.api.v1.stream_restore_response"
    );
    let to = accepted["deliver_subject"]
        .as_str()
        .expect("a subject")
        .to_owned();
    assert!(to.starts_with("$JS.SNAPSHOT.RESTORE.S."), "{to}");
    for chunk in &chunks {
        let answer = js.ask(&to, &[], chunk);
        assert!(
            answer.payload.is_empty() && status(&answer).is_none(),
            "{answer:?}"
        );
    }
    let end = js.ask(&to, &[], b"");
    let restored: Value = serde_json::from_slice(&end.payload).expect("JSON");
    assert_eq!(
        restored["type"],
        "io.nats.jetstream.api.v1.stream_create_response"
    );
    assert_eq!(restored["state"]["messages"], 20);

    let after = js.stream_info("S");
    for name in [
        "messages",
        "bytes",
        "first_seq",
        "first_ts",
        "last_seq",
        "last_ts",
    ] {
        assert_eq!(after["state"][name], before["state"][name], "{name}");
    }
    assert_eq!(after["config"]["metadata"]["a"], "b");
    assert_eq!(js.consumer_info("S", "c")["ack_floor"]["stream_seq"], 5);
    assert_eq!(texts(&js.fetch("S", "c", 2)), ["m5", "m7"]);
}
