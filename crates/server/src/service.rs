//! The built-in service `recado`: so that one server and one client are enough for a first
//! question and answer. `recado.echo`, `recado.time` and `recado.whoami`, found through `$SRV.*`
//! like any NATS service (ADR-32).

use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;
use std::time::{Duration, Instant};

use recado_streams::api::header::REQUEST_INFO;
use recado_wire::{Headers, push_publish};
use serde_json::{Value, json};
use tokio::io::AsyncWriteExt;
use tokio::net::UnixStream;
use tokio::sync::watch;

use crate::engine::Engine;
use crate::internal_client::{self, CONNECTION_LOST, FrameReader, Message, Restarts};
use crate::phase::Phase;
use crate::version::VERSION;

/// Name that the service is found by.
const NAME: &str = "recado";
/// Queue group of its endpoints, the default of ADR-32.
const QUEUE: &str = "q";
const DESCRIPTION: &str = "The server's own answers: echo, time and whoami";

/// One endpoint and what it has done.
struct Endpoint {
    name: &'static str,
    subject: &'static str,
    answer: fn(&Message<'_>) -> Vec<u8>,
    requests: u64,
    processing: Duration,
}

/// The service's own state.
struct Service {
    id: String,
    started: jiff::Timestamp,
    endpoints: [Endpoint; 3],
}

/// Starts the service; it ends with the server.
pub(crate) fn start(engine: &Arc<Engine>, phase: watch::Receiver<Phase>) {
    let engine = Arc::clone(engine);
    let mut service = Service::new();
    let mut restarts = Restarts::new("built-in service", phase);
    tokio::spawn(async move {
        loop {
            let why = match internal_client::connect(&engine, true) {
                Ok(stream) => {
                    service.serve(stream).await;
                    CONNECTION_LOST.to_owned()
                }
                Err(error) => error.to_string(),
            };
            if !restarts.again(&why).await {
                return;
            }
        }
    });
}

impl Service {
    fn new() -> Self {
        let endpoint = |name, subject, answer| Endpoint {
            name,
            subject,
            answer,
            requests: 0,
            processing: Duration::ZERO,
        };
        Self {
            // The key's text is random, unique, and safe in a subject.
            id: nkeys::KeyPair::new_server().public_key(),
            started: jiff::Timestamp::now(),
            endpoints: [
                endpoint("echo", "recado.echo", |message| message.payload.to_vec()),
                endpoint("time", "recado.time", |_| time().into_bytes()),
                endpoint("whoami", "recado.whoami", |message| {
                    whoami(message).to_string().into()
                }),
            ],
        }
    }

    /// Answers until the connection ends.
    async fn serve(&mut self, stream: UnixStream) {
        let (read, mut write) = stream.into_split();
        let mut out = self.subscriptions().into_bytes();
        let mut frames = FrameReader::new(read);
        loop {
            if !out.is_empty() && write.write_all(&out).await.is_err() {
                return;
            }
            out.clear();
            let handle = |message: &Message<'_>, out: &mut Vec<u8>| self.handle(message, out);
            if frames.batch(&mut out, handle).await.is_none() {
                return;
            }
        }
    }

    /// SUB lines: an endpoint's sid is its number; discovery is told apart by its subject.
    fn subscriptions(&self) -> String {
        let endpoints = self
            .endpoints
            .iter()
            .map(|endpoint| format!("{} {QUEUE}", endpoint.subject));
        let targets = [
            String::new(),
            format!(".{NAME}"),
            format!(".{NAME}.{}", self.id),
        ];
        let discovery = ["PING", "INFO", "STATS"].into_iter().flat_map(|verb| {
            targets
                .iter()
                .map(move |target| format!("$SRV.{verb}{target}"))
        });
        let numbered = endpoints.chain(discovery).enumerate();
        numbered
            .map(|(sid, subject)| format!("SUB {subject} {sid}\r\n"))
            .collect()
    }

    fn handle(&mut self, message: &Message<'_>, out: &mut Vec<u8>) {
        if message.reply.is_empty() {
            return;
        }
        let endpoint = std::str::from_utf8(message.sid)
            .ok()
            .and_then(|sid| sid.parse::<usize>().ok())
            .and_then(|number| self.endpoints.get_mut(number));
        let answer = match endpoint {
            Some(endpoint) => endpoint.handle(message),
            None => self.discovery(message.subject).to_string().into_bytes(),
        };
        push_publish(out, message.reply, b"", None, &answer);
    }

    fn discovery(&self, subject: &[u8]) -> Value {
        let verb = subject
            .split(|&byte| byte == b'.')
            .nth(1)
            .unwrap_or_default();
        let kind = match verb {
            b"INFO" => "info",
            b"STATS" => "stats",
            _ => "ping",
        };
        let mut answer = json!({
            "type": format!("io.nats.micro.v1.{kind}_response"),
            "name": NAME,
            "id": self.id,
            "version": VERSION,
            "metadata": {},
        });
        let endpoints: Vec<Value> = self.endpoints.iter().map(|e| e.describe(kind)).collect();
        match kind {
            "info" => {
                answer["description"] = DESCRIPTION.into();
                answer["endpoints"] = endpoints.into();
            }
            "stats" => {
                answer["started"] = self.started.to_string().into();
                answer["endpoints"] = endpoints.into();
            }
            _ => {}
        }
        answer
    }
}

impl Endpoint {
    fn handle(&mut self, message: &Message<'_>) -> Vec<u8> {
        let start = Instant::now();
        let answer = (self.answer)(message);
        self.requests += 1;
        self.processing += start.elapsed();
        answer
    }

    fn describe(&self, kind: &str) -> Value {
        let mut entry = json!({
            "name": self.name,
            "subject": self.subject,
            "queue_group": QUEUE,
        });
        if kind == "stats" {
            let total = self.processing.as_nanos() as u64;
            entry["num_requests"] = self.requests.into();
            entry["num_errors"] = 0.into();
            entry["last_error"] = "".into();
            entry["processing_time"] = total.into();
            entry["average_processing_time"] = (total / self.requests.max(1)).into();
        } else {
            entry["metadata"] = json!({});
        }
        entry
    }
}

/// The server's clock, RFC 3339 in UTC with microseconds.
fn time() -> String {
    jiff::Timestamp::now()
        .strftime("%Y-%m-%dT%H:%M:%S.%6fZ")
        .to_string()
}

/// Who asks, as the server sees it: taken from the header that the engine put in.
fn whoami(message: &Message<'_>) -> Value {
    let origin: Value = Headers::new(message.headers)
        .iter()
        .filter(|(name, _)| *name == REQUEST_INFO)
        // The engine appends its line: one that the client sent itself stands before it.
        .last()
        .and_then(|(_, value)| serde_json::from_str(value).ok())
        .unwrap_or_default();
    let round_trip_ns = origin["rtt"].as_u64().filter(|&rtt| rtt > 0);
    json!({
        "client_id": origin["id"],
        "name": origin["name"].as_str().unwrap_or_default(),
        "address": address(&origin),
        "round_trip_us": round_trip_ns.map(|rtt| rtt / 1000),
    })
}

/// Where who asks comes from; nothing for a part of the server itself.
fn address(origin: &Value) -> Option<String> {
    let host: IpAddr = origin["host"].as_str()?.parse().ok()?;
    let port = u16::try_from(origin["port"].as_u64()?).ok()?;
    Some(SocketAddr::new(host, port).to_string())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::engine::CloseReason;
    use crate::internal_client::tests::{TestClient, engine, run};

    #[test]
    fn a_service_that_was_cut_off_answers_again() {
        run(async {
            let engine = engine();
            let (running, phase) = watch::channel(Phase::Running);
            start(&engine, phase);
            let mut client = TestClient::new(&engine);
            assert_eq!(client.ask("recado.echo", "one").await, b"one");
            let others = engine.connections.all().into_iter();
            let service = others.filter(|other| other.id != client.connection);
            for connection in service {
                connection.close(CloseReason::SlowConsumerPending);
            }
            assert_eq!(client.ask("recado.echo", "two").await, b"two");
            drop(running);
        });
    }
}
