//! What the server has of its own, beside what nats-server has: its honest name, and a small service
//! that answers a first question. Both through a client that knows nothing about it.

#![forbid(unsafe_code)]

use std::time::Duration;

use async_nats::{Client, ConnectOptions, HeaderMap, RequestErrorKind};
use jiff::{SignedDuration, Timestamp};
use recado_conformance::{Peer, ServerBuilder, ServerProcess};
use serde_json::Value;

async fn connect(server: &ServerProcess, name: &str) -> Client {
    let options = ConnectOptions::new().name(name);
    options
        .connect(server.url())
        .await
        .expect("the server lets everyone in")
}

async fn ask(client: &Client, subject: &str, payload: &str) -> String {
    let answer = client
        .request(subject.to_owned(), payload.to_owned().into())
        .await;
    let payload = answer
        .unwrap_or_else(|error| panic!("{subject}: {error}"))
        .payload;
    String::from_utf8(payload.to_vec()).expect("it is text")
}

async fn ask_json(client: &Client, subject: &str) -> Value {
    serde_json::from_str(&ask(client, subject, "").await).expect("it is JSON")
}

#[test]
fn info_names_the_server_honestly_under_either_name() {
    for builder in [ServerBuilder::recado(), ServerBuilder::nats()] {
        let server = builder.start();
        let peer = Peer::connect(&server);
        assert_eq!(peer.info()["server"], "recado");
        assert!(peer.info()["server_version"].is_string(), "{}", peer.info());
    }
}

#[test]
fn info_tells_of_streams_where_there_are_any() {
    for (builder, has_streams) in [
        (ServerBuilder::nats().jetstream(), true),
        (ServerBuilder::nats(), false),
    ] {
        let server = builder.start();
        let peer = Peer::connect(&server);
        assert_eq!(peer.info().get("jetstream").is_some(), has_streams);
        assert_eq!(peer.info()["api_lvl"], 5, "as in nats-server, in any case");
    }
}

#[tokio::test]
async fn echo_gives_back_what_it_got() {
    let server = ServerBuilder::recado().start();
    let client = connect(&server, "").await;
    for payload in ["", "¿hay alguien?", "two\r\nlines"] {
        assert_eq!(ask(&client, "recado.echo", payload).await, payload);
    }
}

#[tokio::test]
async fn time_is_the_clock_of_the_server() {
    let server = ServerBuilder::recado().start();
    let client = connect(&server, "").await;
    let before = Timestamp::now();
    let text = ask(&client, "recado.time", "").await;
    let after = Timestamp::now();
    let told: Timestamp = text.parse().expect("it is RFC 3339");
    // It is told in microseconds, cut off.
    let earliest = before - SignedDuration::from_micros(1);
    assert!(earliest <= told && told <= after, "{before} {text} {after}");
}

#[tokio::test]
async fn whoami_tells_the_server_s_view_of_who_asks() {
    let server = ServerBuilder::recado().start();
    let (ana, eva) = (connect(&server, "ana").await, connect(&server, "eva").await);
    for (client, name) in [(&ana, "ana"), (&eva, "eva")] {
        let answer = ask_json(client, "recado.whoami").await;
        assert_eq!(answer["name"], name);
        assert_eq!(answer["client_id"], client.server_info().client_id);
        let address = answer["address"].as_str().expect("an address");
        assert!(address.starts_with("127.0.0.1:"), "{address}");
    }
}

#[tokio::test]
async fn whoami_does_not_believe_what_a_client_says_of_itself() {
    let server = ServerBuilder::recado().start();
    let client = connect(&server, "ana").await;
    let mut headers = HeaderMap::new();
    headers.insert(
        "Nats-Request-Info",
        r#"{"id":1,"name":"root","host":"10.0.0.1:1"}"#,
    );
    let asked = client
        .request_with_headers("recado.whoami", headers, "".into())
        .await;
    let answer: Value = serde_json::from_slice(&asked.expect("an answer").payload).expect("JSON");
    assert_eq!(answer["name"], "ana");
    assert_eq!(answer["client_id"], client.server_info().client_id);
}

/// How long to wait for the server's own round trip to be known; its first PING comes some seconds
/// after the connection.
const ROUND_TRIP_KNOWN_MAX: Duration = Duration::from_secs(20);

#[tokio::test]
async fn whoami_knows_the_round_trip_once_the_client_has_answered_a_ping() {
    let server = ServerBuilder::recado().start();
    let client = connect(&server, "").await;
    let known = async {
        while !ask_json(&client, "recado.whoami").await["round_trip_us"].is_u64() {
            tokio::task::yield_now().await;
        }
    };
    let waited = tokio::time::timeout(ROUND_TRIP_KNOWN_MAX, known).await;
    waited.expect("the round trip becomes known");
}

#[tokio::test]
async fn the_service_is_found_and_counts_what_it_did() {
    let server = ServerBuilder::recado().start();
    let client = connect(&server, "").await;
    let ping = ask_json(&client, "$SRV.PING").await;
    assert_eq!(ping["type"], "io.nats.micro.v1.ping_response");
    assert_eq!(ping["name"], "recado");
    let id = ping["id"].as_str().expect("an id");

    let info = ask_json(&client, &format!("$SRV.INFO.recado.{id}")).await;
    assert_eq!(info["type"], "io.nats.micro.v1.info_response");
    let endpoints = info["endpoints"].as_array().expect("a list");
    let subjects: Vec<&str> = endpoints
        .iter()
        .filter_map(|e| e["subject"].as_str())
        .collect();
    assert_eq!(subjects, ["recado.echo", "recado.time", "recado.whoami"]);

    for _ in 0..3 {
        ask(&client, "recado.echo", "x").await;
    }
    let stats = ask_json(&client, "$SRV.STATS.recado").await;
    assert_eq!(stats["type"], "io.nats.micro.v1.stats_response");
    assert_eq!(stats["endpoints"][0]["num_requests"], 3);
    assert_eq!(stats["endpoints"][1]["num_requests"], 0);
}

#[tokio::test]
async fn the_service_is_absent_when_turned_off_or_called_nats_server() {
    for builder in [
        ServerBuilder::recado().args(["--no-service"]),
        ServerBuilder::nats(),
    ] {
        let server = builder.start();
        let client = connect(&server, "").await;
        for subject in ["recado.echo", "recado.time", "recado.whoami", "$SRV.PING"] {
            let error = client
                .request(subject, "".into())
                .await
                .expect_err("nobody answers");
            assert_eq!(error.kind(), RequestErrorKind::NoResponders, "{subject}");
        }
    }
}
