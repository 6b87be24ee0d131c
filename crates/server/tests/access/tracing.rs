//! Messages that are traced and services that are measured, from outside: what whoever asked is told, and that a message
//! that is only traced reaches nobody.

use recado_server::Server;
use recado_server::config::{Machine, load_file};
use serde_json::Value;

use crate::peer::{Frame, Peer, Received};

const ACCOUNTS: &str = "
    A { users: [{user: a, password: a, permissions: {publish: {deny: [secret, no.trace, a.traces]}}}], jetstream: true
        mappings: {old: new}
        msg_trace: {dest: a.traces}
        exports: [{stream: 'news.>'}, {stream: 'open.>'}]
        imports: [{service: {account: B, subject: sum}, to: add}, {service: {account: B, subject: closed}}
                  {service: {account: B, subject: slow}}, {service: {account: B, subject: by.header}}] }
    B { users: [{user: b, password: b}]
        exports: [{service: sum, allow_trace: true, latency: {subject: took, sampling: 100%}}, {service: closed}
                  {service: slow, threshold: 200ms, latency: took}
                  {service: by.header, latency: {subject: took, sampling: headers}}]
        imports: [{stream: {account: A, subject: 'news.>'}, prefix: in}
                  {stream: {account: A, subject: 'open.>'}, allow_trace: true}] }
    SYS { users: [{user: root, password: r}] }";

struct World {
    server: Server,
    _directory: tempfile::TempDir,
}

impl World {
    fn new() -> Self {
        Self::of(ACCOUNTS)
    }

    fn of(accounts: &str) -> Self {
        let directory = tempfile::tempdir().unwrap();
        let store = directory.path().join("store");
        let text = format!(
            "port: -1, system_account: SYS, accounts {{ {accounts} }}, jetstream: {{store_dir: '{}'}}",
            store.display()
        );
        let file = directory.path().join("server.conf");
        std::fs::write(&file, text).unwrap();
        let configured = Server::builder().configure(|options| {
            let loaded = load_file(&file, options, &Machine).unwrap();
            assert_eq!(loaded.findings.errors, []);
            assert_eq!(loaded.findings.warnings, [], "all of it is observed");
        });
        Self {
            server: configured.start().unwrap(),
            _directory: directory,
        }
    }

    fn log_in(&self, user: &str, more: &str) -> Peer {
        let options = format!(
            "\"user\":\"{user}\",\"pass\":\"{user}\",\"headers\":true,\"no_responders\":true{more}"
        );
        Peer::connect(self.server.client_addr(), &options)
    }
}

fn publish(peer: &mut Peer, subject: &str, reply: &str, headers: &[&str], payload: &str) {
    let block = format!("NATS/1.0\r\n{}\r\n\r\n", headers.join("\r\n"));
    let reply = if reply.is_empty() {
        String::new()
    } else {
        format!("{reply} ")
    };
    let (head, all) = (block.len(), block.len() + payload.len());
    peer.send(&format!(
        "HPUB {subject} {reply}{head} {all}\r\n{block}{payload}\r\n"
    ));
}

fn message(peer: &mut Peer) -> Received {
    loop {
        match peer.next() {
            Some(Frame::Message(message)) => return message,
            Some(_) => {}
            None => panic!("closed"),
        }
    }
}

/// The next message, which must be on this subject, as JSON.
fn told(peer: &mut Peer, subject: &str) -> Value {
    let message = message(peer);
    assert_eq!(message.subject, subject);
    serde_json::from_slice(&message.payload).unwrap()
}

/// The events of a trace in short: their type, and what matters of each.
fn short(trace: &Value) -> Vec<String> {
    let events = trace["events"].as_array().unwrap();
    let one = |event: &Value| {
        let mut words = vec![event["type"].as_str().unwrap().to_owned()];
        for key in [
            "acc",
            "subj",
            "from",
            "to",
            "sub",
            "queue",
            "stream",
            "subject",
            "nointerest",
            "error",
        ] {
            match &event[key] {
                Value::Null => {}
                Value::String(text) => words.push(format!("{key}={text}")),
                other => words.push(format!("{key}={other}")),
            }
        }
        words.join(" ")
    };
    events.iter().map(one).collect()
}

const TO_T: &str = "Nats-Trace-Dest: t";
const ONLY: &str = "Nats-Trace-Only: true";

#[test]
fn a_trace_names_whoever_a_message_reached_and_whom_not() {
    let world = World::new();
    let mut a = world.log_in("a", ",\"echo\":false,\"name\":\"ana\"");
    let mut other = world.log_in("a", "");
    a.send("SUB new 1\r\n");
    a.settle();
    other.send("SUB t 1\r\nSUB new 2\r\nSUB new q 3\r\n");
    other.settle();
    publish(&mut a, "old", "", &[TO_T, "X: y"], "abc");
    let trace = told(after(&mut other, 2), "t");
    assert_eq!(
        sorted(&trace),
        [
            "in acc=A subj=old",
            "eg sub=new",
            "eg sub=new error=Not delivered because of no echo",
            "eg sub=new queue=q",
            "sm to=new",
        ]
    );
    assert_eq!(trace["events"][0]["name"], "ana");
    assert_eq!(trace["events"][0]["kind"], 0);
    assert_eq!(trace["request"]["header"]["X"][0], "y");
    assert_eq!(trace["request"]["msgsize"], 41);
    assert_eq!(
        trace["server"]["id"],
        world.server.info().server_id.as_str()
    );
}

/// The peer, when it has had so many messages.
fn after(peer: &mut Peer, count: usize) -> &mut Peer {
    for _ in 0..count {
        message(peer);
    }
    peer
}

/// A trace in short, in an order that does not depend on who is asked first.
fn sorted(trace: &Value) -> Vec<String> {
    let mut short = short(trace);
    if let Some(rest) = short.get_mut(1..) {
        rest.sort();
    }
    short
}

#[test]
fn a_refused_message_is_told_with_the_reason() {
    let world = World::new();
    let (mut a, mut other) = (world.log_in("a", ""), world.log_in("a", ""));
    other.send("SUB t 1\r\nSUB no.trace 2\r\nSUB seen 3\r\n");
    other.settle();
    publish(&mut a, "secret", "", &[TO_T], "x");
    let denied = "in acc=A subj=secret error=Permissions Violation for Publish to \"secret\"";
    assert_eq!(short(&told(&mut other, "t")), [denied]);
    assert!(matches!(a.next(), Some(Frame::Error(text)) if text.contains("secret")));
    publish(&mut a, "seen", "_R_.x", &[TO_T], "x");
    let reserved =
        "in acc=A subj=seen error=Permissions Violation for Publish with Reply of \"_R_.x\"";
    assert_eq!(short(&told(&mut other, "t")), [reserved]);
    assert!(matches!(a.next(), Some(Frame::Error(_))));
    // Whoever may not publish where the trace would go publishes nothing.
    publish(&mut a, "seen", "", &["Nats-Trace-Dest: no.trace"], "x");
    assert!(matches!(a.next(), Some(Frame::Error(text)) if text.contains("no.trace")));
    // No subject: the message goes on untraced, or nowhere.
    publish(&mut a, "seen", "", &["Nats-Trace-Dest: t.*"], "1");
    publish(&mut a, "seen", "", &["Nats-Trace-Dest: t.*", ONLY], "2");
    publish(
        &mut a,
        "seen",
        "",
        &["Nats-Trace-Dest: trace disabled", ONLY],
        "3",
    );
    publish(&mut a, "seen", "", &[ONLY], "4");
    a.settle();
    let came: Vec<_> = other.settle().into_iter().map(|one| one.payload).collect();
    assert_eq!(came, [b"1", b"3", b"4"]);
}

#[test]
fn what_is_only_traced_reaches_nobody_and_is_not_stored() {
    let world = World::new();
    let (mut a, mut other) = (world.log_in("a", ""), world.log_in("a", ""));
    other.send("SUB t 1\r\nSUB kept.> 2\r\nSUB _INBOX.o 3\r\n");
    let request = |peer: &mut Peer, call: &str, body: &str| -> Value {
        peer.send(&format!(
            "PUB $JS.API.{call} _INBOX.o {}\r\n{body}\r\n",
            body.len()
        ));
        told(peer, "_INBOX.o")
    };
    let create = r#"{"name":"S","subjects":["kept.>"],"max_msg_size":200}"#;
    assert!(request(&mut other, "STREAM.CREATE.S", create)["error"].is_null());
    let create = r#"{"name":"W","subjects":["wanted"],"retention":"interest"}"#;
    assert!(request(&mut other, "STREAM.CREATE.W", create)["error"].is_null());

    publish(&mut a, "kept.a", "", &[TO_T, ONLY], "x");
    let stored = "js stream=S subject=kept.a";
    assert_eq!(
        sorted(&told(&mut other, "t")),
        ["in acc=A subj=kept.a", "eg sub=kept.>", stored]
    );
    publish(&mut a, "kept.a", "", &[TO_T], "x");
    assert_eq!(message(&mut other).subject, "kept.a");
    assert_eq!(
        sorted(&told(&mut other, "t")),
        ["in acc=A subj=kept.a", "eg sub=kept.>", stored]
    );
    publish(&mut a, "wanted", "", &[TO_T], "x");
    let unwanted = "js stream=W subject=wanted nointerest=true";
    assert_eq!(
        short(&told(&mut other, "t")),
        ["in acc=A subj=wanted", unwanted]
    );
    publish(&mut a, "kept.a", "", &[TO_T, ONLY], &"x".repeat(300));
    let refused = "js stream=S error=message size exceeds maximum allowed";
    assert_eq!(sorted(&told(&mut other, "t"))[2], refused);
    publish(
        &mut a,
        "kept.a",
        "",
        &[TO_T, ONLY, "Nats-Expected-Last-Sequence: 7"],
        "x",
    );
    assert_eq!(
        sorted(&told(&mut other, "t"))[2],
        "js stream=S error=wrong last sequence: 1"
    );

    let state = request(&mut other, "STREAM.INFO.S", "");
    assert_eq!(
        state["state"]["messages"], 1,
        "the one that was not only traced"
    );
    let kept = request(&mut other, "STREAM.MSG.GET.S", r#"{"seq":1}"#);
    let headers = kept["message"]["hdrs"].as_str().unwrap();
    assert!(!headers.is_empty() && kept["message"]["subject"] == "kept.a");
    publish(&mut a, "$JS.API.STREAM.PURGE.S", "", &[TO_T, ONLY], "");
    let trace = told(&mut other, "t");
    assert_eq!(short(&trace).len(), 1, "a call that is only traced is none");
    assert_eq!(
        request(&mut other, "STREAM.INFO.S", "")["state"]["messages"],
        1
    );
}

#[test]
fn a_trace_crosses_where_it_is_allowed_to() {
    let world = World::new();
    let (mut a, mut b) = (world.log_in("a", ""), world.log_in("b", ""));
    a.send("SUB t 1\r\nSUB answer 2\r\n");
    b.send("SUB sum q 1\r\nSUB closed 2\r\nSUB in.news.> 3\r\nSUB open.> 4\r\nSUB took 5\r\nSUB t 6\r\n");
    a.settle();
    b.settle();
    for only in [true, false] {
        let headers = if only { &[TO_T, ONLY][..] } else { &[TO_T][..] };
        publish(&mut a, "add", "answer", headers, "1");
        let crossed = [
            "in acc=A subj=add",
            "si acc=B from=add to=sum",
            "eg acc=B sub=sum queue=q",
        ];
        assert_eq!(short(&told(&mut a, "t")), crossed);
        publish(&mut a, "closed", "answer", headers, "1");
        let ends = ["in acc=A subj=closed", "si acc=B from=closed to=closed"];
        assert_eq!(short(&told(&mut a, "t")), ends);
        publish(&mut a, "news.x", "", headers, "1");
        assert_eq!(
            short(&told(&mut a, "t")),
            ["in acc=A subj=news.x", "se acc=B to=in.news.x"]
        );
        publish(&mut a, "open.x", "", headers, "1");
        let open = [
            "in acc=A subj=open.x",
            "se acc=B to=open.x",
            "eg acc=B sub=open.>",
        ];
        assert_eq!(short(&told(&mut a, "t")), open);
        let came = b.settle();
        let subjects: Vec<_> = came.iter().map(|one| one.subject.as_str()).collect();
        match only {
            true => assert_eq!(subjects, Vec::<&str>::new()),
            false => assert_eq!(subjects, ["sum", "closed", "in.news.x", "open.x"]),
        }
        let quiet = came
            .iter()
            .filter(|one| one.headers.contains("trace disabled"));
        assert_eq!(
            quiet.count(),
            if only { 0 } else { 2 },
            "where it is not followed"
        );
    }
}

#[test]
fn a_sampled_message_of_another_system_is_told_to_its_account() {
    let world = World::new();
    let (mut a, mut b) = (world.log_in("a", ""), world.log_in("b", ""));
    a.send("SUB a.traces 1\r\nSUB x 2\r\n");
    a.settle();
    let parent = |flags: &str| {
        format!("TraceParent: 00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-{flags}")
    };
    publish(&mut a, "x", "", &[&parent("00")], "1");
    publish(&mut a, "x", "", &[&parent("01"), ONLY], "2");
    assert_eq!(message(&mut a).payload, b"1");
    assert_eq!(
        message(&mut a).payload,
        b"2",
        "another system can't ask for less"
    );
    assert_eq!(
        short(&told(&mut a, "a.traces")),
        ["in acc=A subj=x", "eg sub=x"]
    );
    publish(&mut b, "x", "", &[&parent("01")], "1");
    b.settle();
    assert_eq!(a.settle(), [], "it is the account's to ask");
}

#[test]
fn what_is_only_traced_is_not_stored_however_many_wait_to_be_told() {
    const MANY: usize = 1_500;
    let world = World::new();
    let mut a = world.log_in("a", "");
    let body = "{\"name\":\"S\",\"subjects\":[\"stored\"]}";
    let size = body.len();
    a.send(&format!(
        "SUB r 1\r\nPUB $JS.API.STREAM.CREATE.S r {size}\r\n{body}\r\n"
    ));
    assert!(message(&mut a).payload.starts_with(b"{\"type\""));
    // In one piece: more than may wait for what streams make of them.
    let block = format!("NATS/1.0\r\n{TO_T}\r\n{ONLY}\r\n\r\n");
    let one = format!("HPUB stored {} {}\r\n{block}\r\n", block.len(), block.len());
    a.send(&one.repeat(MANY));
    publish(&mut a, "stored", "r", &["A: b"], "kept");
    let ack = message(&mut a);
    let ack: Value = serde_json::from_slice(&ack.payload).unwrap();
    assert_eq!(ack["seq"], 1, "{ack}");
}

#[test]
fn a_trace_comes_compressed_for_whoever_wants_that() {
    let world = World::new();
    let mut a = world.log_in("a", "");
    a.send("SUB t 1\r\n");
    publish(&mut a, "x", "", &[TO_T, "Accept-Encoding: gzip"], "1");
    let packed = message(&mut a);
    assert!(packed.headers.contains("Content-Encoding: gzip"));
    assert!(packed.payload.starts_with(&[0x1f, 0x8b]));
    publish(&mut a, "x", "", &[TO_T, "Accept-Encoding: snappy"], "1");
    let packed = message(&mut a);
    assert!(packed.headers.contains("Content-Encoding: snappy"));
    assert!(packed.payload.starts_with(b"\xff\x06\x00\x00sNaPpY"));
}

#[test]
fn a_measured_request_is_told_of_with_who_asked_and_who_answered() {
    let world = World::new();
    let (mut a, mut b) = (
        world.log_in("a", ""),
        world.log_in("b", ",\"name\":\"bea\""),
    );
    let mut watch = world.log_in("b", "");
    watch.send("SUB took 1\r\n");
    watch.settle();
    a.send("SUB answer 1\r\n");
    a.settle();

    a.send("PUB add answer 1\r\n?\r\n");
    let unserved = told(&mut watch, "took");
    assert_eq!(
        (&unserved["status"], &unserved["description"]),
        (&503.into(), &"Service Unavailable".into())
    );
    assert!(message(&mut a).headers.contains("503"));

    b.send("SUB sum 1\r\nSUB slow 2\r\nSUB by.header 3\r\n");
    b.settle();
    a.send("PUB add 1\r\n?\r\n");
    assert_eq!(told(&mut watch, "took")["status"], 400);
    message(&mut b);
    a.send("PUB add answer 1\r\n?\r\n");
    let reply = message(&mut b).reply;
    b.send(&format!("PUB {reply} 1\r\n!\r\n"));
    assert_eq!(message(&mut a).payload, b"!");
    let event = told(&mut watch, "took");
    assert_eq!(event["type"], "io.nats.server.metric.v1.service_latency");
    assert_eq!(event["status"], 200);
    assert_eq!(event["responder"]["name"], "bea");
    let server = &world.server.info().server_name;
    assert_eq!(event["responder"]["server"], **server);
    assert_eq!(event["requestor"]["acc"], "A");
    for kept in ["name", "server"] {
        assert!(event["requestor"][kept].is_null(), "that is not shared");
    }
    let nanos = |key: &str| event[key].as_u64().unwrap();
    assert!(nanos("total") >= nanos("service") && nanos("service") > 0);

    // Only those whose headers ask for it.
    a.send("PUB by.header answer 1\r\n?\r\n");
    message(&mut b);
    publish(&mut a, "by.header", "answer", &["b3: 1"], "?");
    let reply = message(&mut b).reply;
    b.send(&format!("PUB {reply} 1\r\n!\r\n"));
    assert_eq!(told(&mut watch, "took")["header"]["B3"][0], "1");
    message(&mut a);

    // Nobody answers in time; and whoever asked is gone.
    a.send("PUB slow answer 1\r\n?\r\n");
    assert_eq!(told(&mut watch, "took")["status"], 504);
    a.send("PUB add answer 1\r\n?\r\n");
    a.settle();
    drop(a);
    assert_eq!(told(&mut watch, "took")["status"], 408);
}

#[test]
fn accounts_that_measure_each_other_in_a_circle_come_to_an_end() {
    let accounts = "
        A { users: [{user: a, password: a}], exports: [{service: q, latency: x}]
            imports: [{service: {account: B, subject: r}, to: x}] }
        B { users: [{user: b, password: b}], exports: [{service: r, latency: y}]
            imports: [{service: {account: A, subject: q}, to: y}] }
        SYS { users: [{user: root, password: r}] }";
    let world = World::of(accounts);
    let (mut a, mut b) = (world.log_in("a", ""), world.log_in("b", ""));
    a.send("SUB q 1\r\nSUB x 2\r\n");
    a.settle();
    b.send("PUB y 1\r\n?\r\n");
    b.settle();
    assert_eq!(told(&mut a, "x")["status"], 400);
    assert_eq!(message(&mut a).subject, "q");
    assert_eq!(a.settle(), []);
}
