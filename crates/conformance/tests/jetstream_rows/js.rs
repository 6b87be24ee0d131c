//! A connection that asks: JSON requests to the API, publishes with their acks, pulls with their
//! replies. It knows nothing of what a right answer is.

use std::collections::VecDeque;

use recado_conformance::{Message, Peer, ServerBuilder, ServerProcess};
use serde_json::{Value, json};

/// A server with streams, and one connection to it. Each thing asked has a subscription of its own, so
/// that answers cannot be taken for those of another question.
pub(crate) struct Js {
    server: ServerProcess,
    peer: Peer,
    inboxes: u64,
    kept: VecDeque<Message>,
}

/// A subscription, by its sid.
#[derive(Clone, Debug)]
pub(crate) struct Inbox {
    sid: String,
    /// What it listens to.
    pub(crate) subject: String,
}

/// An error as the API gives it: HTTP's code, its own code, its words.
pub(crate) type Error = (u64, u64, String);

/// What an API error is expected to be.
pub(crate) fn error(code: u64, err_code: u64, words: &str) -> Error {
    (code, err_code, words.to_owned())
}

impl Js {
    /// A fresh server.
    pub(crate) fn start() -> Self {
        Self::with(ServerBuilder::nats().jetstream())
    }

    /// A fresh server, of which more is asked than streams.
    pub(crate) fn with(builder: ServerBuilder) -> Self {
        let server = builder.start();
        let peer = Peer::plain(&server);
        Self {
            server,
            peer,
            inboxes: 0,
            kept: VecDeque::new(),
        }
    }

    /// Kills the server, starts it again where it was, and connects again.
    pub(crate) fn restart(&mut self) {
        self.server.restart();
        self.peer = Peer::plain(&self.server);
        self.kept.clear();
    }

    /// Asks the server to end in order.
    pub(crate) fn stop_server(&mut self) {
        self.server.signal(nix::sys::signal::Signal::SIGTERM);
    }

    /// A subscription to an address of its own.
    pub(crate) fn inbox(&mut self) -> Inbox {
        let subject = format!("_INBOX.row.{}", self.inboxes + 1);
        self.subscribe(&subject, "")
    }

    /// A subscription, of a queue group where one is named.
    pub(crate) fn subscribe(&mut self, subject: &str, queue: &str) -> Inbox {
        self.inboxes += 1;
        let sid = self.inboxes.to_string();
        self.peer.send(format!("SUB {subject} {queue} {sid}\r\n"));
        let subject = subject.to_owned();
        Inbox { sid, subject }
    }

    /// Ends a subscription; the server knows when this returns.
    pub(crate) fn unsubscribe(&mut self, inbox: &Inbox) {
        self.peer.send(format!("UNSUB {}\r\n", inbox.sid));
        self.settle();
    }

    /// Publishes, with a reply subject and headers where there are any.
    pub(crate) fn send(
        &mut self,
        subject: &str,
        reply: &str,
        headers: &[(&str, &str)],
        body: &[u8],
    ) {
        let mut frame = if headers.is_empty() {
            format!("PUB {subject} {reply} {}\r\n", body.len()).into_bytes()
        } else {
            let lines = headers
                .iter()
                .map(|(name, value)| format!("{name}: {value}\r\n"));
            let block = format!("NATS/1.0\r\n{}\r\n", lines.collect::<String>());
            let (head, total) = (block.len(), block.len() + body.len());
            format!("HPUB {subject} {reply} {head} {total}\r\n{block}").into_bytes()
        };
        frame.extend_from_slice(body);
        frame.extend_from_slice(b"\r\n");
        self.peer.send(frame);
    }

    /// The next message of a subscription.
    pub(crate) fn next(&mut self, inbox: &Inbox) -> Message {
        if let Some(at) = self.kept.iter().position(|kept| kept.sid == inbox.sid) {
            return self.kept.remove(at).expect("it was found there");
        }
        loop {
            let message = self.peer.message();
            if message.sid == inbox.sid {
                return message;
            }
            self.kept.push_back(message);
        }
    }

    /// So many messages of a subscription.
    pub(crate) fn next_many(&mut self, inbox: &Inbox, count: usize) -> Vec<Message> {
        (0..count).map(|_| self.next(inbox)).collect()
    }

    /// The number of messages that came to a subscription and were not looked at, up to now.
    pub(crate) fn waiting(&mut self, inbox: &Inbox) -> usize {
        self.settle();
        let of_it = self.kept.iter().filter(|kept| kept.sid == inbox.sid);
        of_it.count()
    }

    /// Waits for the answer of the API's slowest part to something harmless: what was sent before is
    /// done, and what it led to at once is here.
    pub(crate) fn settle(&mut self) {
        self.ask("$JS.API.INFO", &[], b"");
    }

    /// Publishes and returns the first reply.
    pub(crate) fn ask(&mut self, subject: &str, headers: &[(&str, &str)], body: &[u8]) -> Message {
        let inbox = self.inbox();
        self.send(subject, &inbox.subject, headers, body);
        let reply = self.next(&inbox);
        self.peer.send(format!("UNSUB {}\r\n", inbox.sid));
        reply
    }

    /// An API request with this text, and the reply as it is.
    pub(crate) fn api_raw(&mut self, subject: &str, headers: &[(&str, &str)], body: &str) -> Value {
        let reply = self.ask(&format!("$JS.API.{subject}"), headers, body.as_bytes());
        let text = String::from_utf8_lossy(&reply.payload).into_owned();
        serde_json::from_str(&text).unwrap_or_else(|error| panic!("{subject}: {error} in {text:?}"))
    }

    /// An API request with this JSON (none for null), and the reply as it is.
    pub(crate) fn reply(&mut self, subject: &str, body: Value) -> Value {
        let text = if body.is_null() {
            String::new()
        } else {
            body.to_string()
        };
        self.api_raw(subject, &[], &text)
    }

    /// An API request that is to succeed.
    pub(crate) fn ok(&mut self, subject: &str, body: Value) -> Value {
        let reply = self.reply(subject, body);
        assert!(reply["error"].is_null(), "{subject}: {reply}");
        reply
    }

    /// An API request that is to fail.
    pub(crate) fn error(&mut self, subject: &str, body: Value) -> Error {
        let reply = self.reply(subject, body);
        error_of(&reply)
    }

    /// Creates a stream that takes `<name in lower case>.>`, and whatever else the configuration says.
    pub(crate) fn stream(&mut self, name: &str, config: Value) -> Value {
        let config = stream_config(name, config);
        self.ok(&format!("STREAM.CREATE.{name}"), config)
    }

    /// The stream as STREAM.INFO tells it.
    pub(crate) fn stream_info(&mut self, name: &str) -> Value {
        self.ok(&format!("STREAM.INFO.{name}"), Value::Null)
    }

    /// The sequences that a stream holds, by looking at each.
    pub(crate) fn sequences(&mut self, name: &str) -> Vec<u64> {
        let state = self.stream_info(name)["state"].clone();
        let last = state["last_seq"].as_u64().expect("a number");
        let there = |seq: &u64| {
            let reply = self.reply(&format!("STREAM.MSG.GET.{name}"), json!({ "seq": seq }));
            reply["message"].is_object()
        };
        (1..=last).filter(there).collect()
    }

    /// Creates a durable consumer with explicit acks, and whatever else the configuration says.
    pub(crate) fn consumer(&mut self, stream: &str, name: &str, config: Value) -> Value {
        let request = consumer_request(stream, name, config);
        self.ok(&format!("CONSUMER.CREATE.{stream}.{name}"), request)
    }

    /// The consumer as CONSUMER.INFO tells it.
    pub(crate) fn consumer_info(&mut self, stream: &str, name: &str) -> Value {
        self.ok(&format!("CONSUMER.INFO.{stream}.{name}"), Value::Null)
    }

    /// Publishes and returns the ack's JSON.
    pub(crate) fn publish_with(
        &mut self,
        subject: &str,
        headers: &[(&str, &str)],
        body: &str,
    ) -> Value {
        let reply = self.ask(subject, headers, body.as_bytes());
        let text = String::from_utf8_lossy(&reply.payload).into_owned();
        serde_json::from_str(&text).unwrap_or_else(|error| panic!("{subject}: {error} in {text:?}"))
    }

    /// Publishes and returns the sequence that it got.
    pub(crate) fn publish(&mut self, subject: &str, body: &str) -> u64 {
        let ack = self.publish_with(subject, &[], body);
        assert!(ack["error"].is_null(), "{subject}: {ack}");
        ack["seq"].as_u64().expect("an ack has a sequence")
    }

    /// Sends a pull request.
    pub(crate) fn pull(&mut self, stream: &str, consumer: &str, body: &str) -> Inbox {
        let inbox = self.inbox();
        let subject = format!("$JS.API.CONSUMER.MSG.NEXT.{stream}.{consumer}");
        self.send(&subject, &inbox.subject, &[], body.as_bytes());
        inbox
    }

    /// All that a consumer has now, up to so many.
    pub(crate) fn fetch(&mut self, stream: &str, consumer: &str, batch: usize) -> Vec<Message> {
        let request = json!({ "batch": batch, "no_wait": true }).to_string();
        let inbox = self.pull(stream, consumer, &request);
        let mut got = Vec::new();
        while got.len() < batch {
            let message = self.next(&inbox);
            if status(&message).is_some() {
                break;
            }
            got.push(message);
        }
        got
    }

    /// So many messages of a consumer, as soon as they are there.
    pub(crate) fn take(&mut self, stream: &str, consumer: &str, count: usize) -> Vec<Message> {
        let request = json!({ "batch": count, "expires": 20_000_000_000_u64 });
        let inbox = self.pull(stream, consumer, &request.to_string());
        self.next_many(&inbox, count)
    }

    /// The first reply to a pull request, which is to be a status.
    pub(crate) fn pull_status(&mut self, stream: &str, consumer: &str, body: &str) -> String {
        let inbox = self.pull(stream, consumer, body);
        let message = self.next(&inbox);
        status(&message).unwrap_or_else(|| panic!("a message came: {message:?}"))
    }

    /// Sends an ack of whatever form, and waits for the server's word that it is done.
    pub(crate) fn ack(&mut self, message: &Message, form: &str) {
        let subject = message.reply.clone().expect("a delivery can be acked");
        let answer = self.ask(&subject, &[], form.as_bytes());
        assert_eq!((answer.headers, answer.payload.len()), (None, 0));
    }
}

/// The configuration of a stream that takes `<name in lower case>.>`.
pub(crate) fn stream_config(name: &str, more: Value) -> Value {
    let mut config = json!({ "name": name, "subjects": [format!("{}.>", name.to_lowercase())] });
    merge(&mut config, more);
    config
}

/// The request for a durable consumer with explicit acks.
pub(crate) fn consumer_request(stream: &str, name: &str, more: Value) -> Value {
    let mut config = json!({ "durable_name": name, "ack_policy": "explicit" });
    merge(&mut config, more);
    json!({ "stream_name": stream, "config": config })
}

fn merge(into: &mut Value, more: Value) {
    if let (Value::Object(into), Value::Object(more)) = (into, more) {
        into.extend(more);
    }
}

/// The error in a reply.
pub(crate) fn error_of(reply: &Value) -> Error {
    let error = &reply["error"];
    let number = |name: &str| {
        error[name]
            .as_u64()
            .unwrap_or_else(|| panic!("no error: {reply}"))
    };
    let words = error["description"].as_str().expect("an error has words");
    (number("code"), number("err_code"), words.to_owned())
}

/// The status line of a message without its version, such as `404 No Messages`.
pub(crate) fn status(message: &Message) -> Option<String> {
    let line = message.headers.as_deref()?.lines().next()?;
    let status = line.strip_prefix("NATS/1.0")?.trim();
    (!status.is_empty()).then(|| status.to_owned())
}

/// The first header of this name.
pub(crate) fn header(message: &Message, name: &str) -> Option<String> {
    let lines = message.headers.as_deref()?.lines();
    let found = lines
        .filter_map(|line| line.split_once(':'))
        .find(|(n, _)| *n == name);
    found.map(|(_, value)| value.trim().to_owned())
}

/// What the payload says.
pub(crate) fn text(message: &Message) -> String {
    String::from_utf8_lossy(&message.payload).into_owned()
}

/// What the payloads say.
pub(crate) fn texts(messages: &[Message]) -> Vec<String> {
    messages.iter().map(text).collect()
}

/// What an ack subject tells about a delivery.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Delivery {
    pub(crate) delivered: u64,
    pub(crate) stream_seq: u64,
    pub(crate) consumer_seq: u64,
    pub(crate) pending: u64,
}

/// Takes the ack subject apart.
pub(crate) fn delivery(message: &Message) -> Delivery {
    let reply = message.reply.as_deref().expect("a delivery can be acked");
    let tokens: Vec<&str> = reply.split('.').collect();
    assert_eq!(
        (tokens.len(), tokens[0], tokens[1]),
        (9, "$JS", "ACK"),
        "{reply}"
    );
    let number = |at: usize| tokens[at].parse().expect("a number");
    Delivery {
        delivered: number(4),
        stream_seq: number(5),
        consumer_seq: number(6),
        pending: number(8),
    }
}
