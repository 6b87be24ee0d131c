//! What `/metrics` tells; that it can be read is tested with the parser of Prometheus (conformance).

use crate::http::{get, request};
use crate::peer::Peer;
use crate::{eventually, server};

/// The value of a sample, by everything that stands before it.
fn sample(text: &str, name: &str) -> Option<f64> {
    text.lines()
        .find_map(|line| line.strip_prefix(name)?.strip_prefix(' ')?.parse().ok())
}

#[test]
fn metrics_count_what_passes_and_how_long_it_takes() {
    let (server, watch) = server(|_| {});
    let mut peer = Peer::connect(server.client_addr(), "");
    peer.send("SUB s 1\r\n");
    peer.settle();
    peer.send(&"PUB s 2\r\nhi\r\n".repeat(10));
    peer.settle();
    let answer = get(watch, "/metrics");
    assert!(
        answer
            .head
            .contains("content-type: application/openmetrics-text; version=1.0.0"),
        "{}",
        answer.head
    );
    let text = &answer.body;
    for (name, value) in [
        ("recado_connections", 1.0),
        ("recado_received_messages_total", 10.0),
        ("recado_received_bytes_total", 20.0),
        ("recado_sent_messages_total", 10.0),
        ("recado_lame_duck", 0.0),
    ] {
        assert_eq!(sample(text, name), Some(value), "{name}\n{text}");
    }
    assert!(sample(text, "recado_delivery_seconds_sum") > Some(0.0));
    // What parts of the server publish counts, too.
    let delivered = sample(text, "recado_delivery_seconds_count");
    assert!(delivered >= Some(10.0), "{text}");
    let all = sample(text, "recado_delivery_seconds_bucket{le=\"+Inf\"}");
    assert_eq!(all, delivered);
    assert!(sample(text, "recado_routes_resolved_total") > Some(0.0));
    assert!(text.ends_with("# EOF\n"));
    // There are no streams: nothing is made up of them.
    assert!(!text.contains("recado_stream"), "{text}");
}

#[test]
fn who_takes_only_the_older_format_gets_it() {
    let (_server, watch) = server(|_| {});
    let answer = request(
        watch,
        "GET",
        "/metrics",
        "Accept: text/plain;version=0.0.4\r\n",
    );
    assert!(
        answer
            .head
            .contains("content-type: text/plain; version=0.0.4"),
        "{}",
        answer.head
    );
    assert!(
        answer
            .body
            .contains("# TYPE recado_sent_bytes_total counter\n")
    );
    assert!(!answer.body.contains("# EOF"));
}

#[test]
fn what_is_stored_is_measured_from_taking_it_to_its_acknowledgement() {
    let directory = tempfile::tempdir().unwrap();
    let server = crate::builder(|_| {})
        .store_dir(directory.path())
        .start()
        .unwrap();
    let (_, watch) = server.monitoring_addr().unwrap();
    let mut peer = Peer::connect(server.client_addr(), "");
    let config = r#"{"name":"S","subjects":["s"]}"#;
    peer.send(&format!(
        "SUB answer 1\r\nPUB $JS.API.STREAM.CREATE.S answer {}\r\n{config}\r\n",
        config.len()
    ));
    for _ in 0..5 {
        peer.send("PUB s answer 1\r\nx\r\n");
    }
    eventually("five acknowledgements and the answer", || {
        let text = get(watch, "/metrics").body;
        let acks = sample(&text, "recado_durable_seconds_count");
        assert!(acks <= Some(6.0), "{text}");
        (acks == Some(6.0)).then_some(())
    });
    let text = get(watch, "/metrics").body;
    for (name, value) in [
        ("recado_streams", 1.0),
        ("recado_streams_answered", 1.0),
        ("recado_stream_messages{account=\"$G\",stream=\"S\"}", 5.0),
        (
            "recado_stream_last_sequence{account=\"$G\",stream=\"S\"}",
            5.0,
        ),
        ("recado_series_left_out{kind=\"stream\"}", 0.0),
        ("recado_store_stopped", 0.0),
    ] {
        assert_eq!(sample(&text, name), Some(value), "{name}\n{text}");
    }
    for name in [
        "recado_store_syncs_total",
        "recado_store_free_bytes",
        "recado_store_segments",
    ] {
        assert!(sample(&text, name) > Some(0.0), "{name}\n{text}");
    }
}
