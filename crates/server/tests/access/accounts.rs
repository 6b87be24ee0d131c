//! Configured accounts from outside: what crosses, what is refused and in which words, what a new configuration means
//! for those who are connected, and what the system account is told.

use std::time::{Duration, Instant};

use recado_server::config::{Machine, Options, load_file};
use recado_server::{ReloadError, Server};
use serde_json::Value;

use crate::peer::{Frame, Peer};

const STOCK: &str = "STOCK { users: [{user: keeper, password: k}]
    exports: [{stream: 'moved.>'}, {service: count, latency: {sampling: 100%, subject: took}}] }";
const SALES: &str = "SALES { users: [
        {user: ana, password: a, permissions: {publish: {deny: 'secret.*'}, subscribe: {deny: 'in.moved.x'}}}
        {user: eva, password: e, permissions: {publish: 'count', subscribe: ['_INBOX.>', 'work q'], allow_responses: true}}]
    imports: [{stream: {account: STOCK, subject: 'moved.>'}, prefix: in}, {service: {account: STOCK, subject: count}}]
    mappings: {old: new} }";

/// The options that a configuration of these accounts makes, on top of `more`.
fn read(options: &mut Options, accounts: &str, more: &str) {
    let text = format!(
        "port: -1, jetstream: false, system_account: SYS, {more}
         accounts {{ {accounts}\n SYS {{ users: [{{user: root, password: r}}] }} }}"
    );
    let directory = tempfile::tempdir().unwrap();
    let file = directory.path().join("server.conf");
    std::fs::write(&file, text).unwrap();
    let loaded = load_file(&file, options, &Machine).unwrap();
    assert_eq!(loaded.findings.errors, []);
}

fn server() -> Server {
    let configured =
        Server::builder().configure(|options| read(options, &format!("{STOCK}\n{SALES}"), ""));
    configured.start().unwrap()
}

/// What the server would be told now; what its builder says stays as it was.
fn told(accounts: &str, more: &str) -> Options {
    let mut told = None;
    let _ = Server::builder().configure(|options| {
        read(options, accounts, more);
        told = Some(options.clone());
    });
    told.unwrap()
}

fn log_in(server: &Server, user: &str, password: &str) -> Peer {
    let options = format!(
        "\"user\":\"{user}\",\"pass\":\"{password}\",\"headers\":true,\"no_responders\":true"
    );
    Peer::connect(server.client_addr(), &options)
}

/// What came until the server had handled everything: subjects of messages, and errors.
fn heard(peer: &mut Peer) -> Vec<String> {
    peer.send("PING\r\n");
    let mut heard = Vec::new();
    loop {
        match peer.next() {
            Some(Frame::Message(message)) => heard.push(message.subject),
            Some(Frame::Error(text)) => heard.push(format!("-ERR {text}")),
            Some(Frame::Pong) => return heard,
            Some(Frame::Other) => {}
            None => {
                heard.push("closed".to_owned());
                return heard;
            }
        }
    }
}

#[test]
fn only_what_is_exported_and_imported_crosses() {
    let server = server();
    let (mut keeper, mut ana) = (log_in(&server, "keeper", "k"), log_in(&server, "ana", "a"));
    ana.send("SUB in.> 1\r\nSUB answers 2\r\nSUB new 3\r\n");
    keeper.send("SUB > 1\r\n");
    assert_eq!(heard(&mut ana), Vec::<String>::new());
    assert_eq!(heard(&mut keeper), Vec::<String>::new());
    keeper.send("PUB moved.a 1\r\nx\r\nPUB moved.x 1\r\nx\r\nPUB other 1\r\nx\r\n");
    assert_eq!(heard(&mut keeper), ["moved.a", "moved.x", "other"]);
    assert_eq!(
        heard(&mut ana),
        ["in.moved.a"],
        "the other is denied to her"
    );
    ana.send("PUB count answers 1\r\n?\r\nPUB old 1\r\nx\r\nPUB other 1\r\nx\r\n");
    assert_eq!(heard(&mut ana), ["new"]);
    keeper.send("PING\r\n");
    let Some(Frame::Message(request)) = keeper.next() else {
        panic!("no request");
    };
    assert_eq!(request.subject, "count");
    assert_eq!(keeper.next(), Some(Frame::Pong));
}

/// What the server answers to a request, which is whoever asks' next message.
fn answered(peer: &mut Peer, subject: &str, body: &str) -> Value {
    peer.send(&format!(
        "PUB {subject} answer {}\r\n{body}\r\n",
        body.len()
    ));
    loop {
        if let Frame::Message(told) = peer.next().expect("an answer") {
            return serde_json::from_slice(&told.payload).unwrap();
        }
    }
}

#[test]
fn a_message_that_permissions_keep_from_a_subscriber_is_told_to_who_asks_after_it() {
    let server = server();
    let (mut keeper, mut ana) = (log_in(&server, "keeper", "k"), log_in(&server, "ana", "a"));
    ana.send("SUB in.> 1\r\nSUB answer 2\r\n");
    assert_eq!(heard(&mut ana), Vec::<String>::new());
    keeper.send("PUB moved.x 1\r\nx\r\nPUB moved.x 1\r\nx\r\n");
    assert_eq!(heard(&mut keeper), Vec::<String>::new());
    let asked = "$SYS.REQ.ACCOUNT.PING.EXPLAIN";
    let told = answered(&mut ana, asked, "{\"subject\":\"in.moved.x\"}");
    let drop = &told["data"]["drops"][0];
    assert_eq!(drop["why"], "delivery_denied", "{told}");
    assert_eq!(drop["times"], 2);
}

#[test]
fn subscriptions_of_a_subject_are_counted_and_what_is_not_here_is_said() {
    let server = server();
    let (mut root, mut ana) = (log_in(&server, "root", "r"), log_in(&server, "ana", "a"));
    ana.send("SUB foo.bar 1\r\nSUB foo.* q 2\r\nSUB foo.> 3\r\n");
    ana.settle();
    root.send("SUB answer 1\r\nSUB foo.bar q 2\r\n");
    root.settle();
    let asked = "$SYS.REQ.ACCOUNT.NSUBS";
    for (subject, queue, number) in [
        ("foo.bar", "", 3),
        ("foo.*", "", 2),
        ("foo.>", "", 3),
        ("foo.bar", "cQ==", 1),
        ("other", "", 0),
    ] {
        let body = serde_json::json!({"acc": "SALES", "subject": subject, "queue": queue});
        assert_eq!(
            answered(&mut root, asked, &body.to_string()),
            number,
            "{body}"
        );
    }
    assert_eq!(
        answered(&mut root, "$SYS.DEBUG.SUBSCRIBERS", "foo.bar q"),
        1
    );
    assert_eq!(answered(&mut root, "$SYS.DEBUG.SUBSCRIBERS", ""), 0);
    let mut about = |what: &str| answered(&mut root, &format!("$SYS.REQ.SERVER.PING.{what}"), "");
    assert_eq!(about("RAFTZ")["data"], serde_json::json!({}));
    assert_eq!(about("IPQUEUESZ")["data"], serde_json::json!({}));
    assert!(about("PROFILEZ")["data"]["error"].is_string());
    assert_eq!(about("EXPVARZ")["error"]["code"], 501);
    let request = "NATS/1.0\r\nAccept-Encoding: snappy\r\n\r\n";
    let size = request.len();
    root.send(&format!(
        "HPUB $SYS.REQ.SERVER.PING.VARZ answer {size} {size}\r\n{request}\r\n"
    ));
    let told = std::iter::from_fn(|| root.next()).find_map(|frame| match frame {
        Frame::Message(told) => Some(told),
        _ => None,
    });
    let told = told.unwrap();
    assert!(
        told.headers.contains("Content-Encoding: snappy"),
        "{}",
        told.headers
    );
    assert!(told.payload.starts_with(b"\xff\x06\x00\x00sNaPpY"));
}

#[test]
fn what_is_not_allowed_is_refused_in_the_words_that_clients_match() {
    let server = server();
    let mut eva = log_in(&server, "eva", "e");
    eva.send("SUB _INBOX.> 1\r\nSUB work q 2\r\nSUB work 3\r\nSUB work other 4\r\nPUB no 1\r\nx\r\nPUB count 1\r\nx\r\n");
    assert_eq!(
        heard(&mut eva),
        [
            "-ERR Permissions Violation for Subscription to \"work\"",
            "-ERR Permissions Violation for Subscription to \"work\" using queue \"other\"",
            "-ERR Permissions Violation for Publish to \"no\"",
        ]
    );
    let mut ana = log_in(&server, "ana", "a");
    ana.send("SUB r 1\r\nPUB work r 1\r\nx\r\n");
    assert_eq!(heard(&mut ana), Vec::<String>::new());
    assert_eq!(heard(&mut eva), ["work"]);
    eva.send("PUB r 1\r\n1\r\nPUB r 1\r\n2\r\n");
    let refused = "-ERR Permissions Violation for Publish to \"r\"";
    assert_eq!(heard(&mut eva), [refused], "one answer a message");
    assert_eq!(heard(&mut ana), ["r"]);
}

#[test]
fn a_new_configuration_takes_back_what_it_no_longer_allows() {
    let server = server();
    let (mut ana, mut eva) = (log_in(&server, "ana", "a"), log_in(&server, "eva", "e"));
    ana.send("SUB news 1\r\nSUB in.> 2\r\n");
    assert_eq!(heard(&mut ana), Vec::<String>::new());
    let narrowed = SALES
        .replace("deny: 'in.moved.x'", "deny: ['in.moved.x', news]")
        .replace("password: e", "password: other");
    let reloaded = server
        .reload(told(&format!("{STOCK}\n{narrowed}"), ""))
        .unwrap();
    assert_eq!(
        (reloaded.changed, reloaded.dismissed),
        (vec!["accounts"], 1)
    );
    assert_eq!(
        heard(&mut ana),
        ["-ERR Permissions Violation for Subscription to \"news\" (sid \"1\")"]
    );
    assert_eq!(heard(&mut eva), ["-ERR Authorization Violation", "closed"]);
    ana.send("PUB news 1\r\nx\r\n");
    assert_eq!(heard(&mut ana), Vec::<String>::new());
    let fixed = server.reload(told(&format!("{STOCK}\n{SALES}"), "max_pending: 2000000"));
    assert!(
        matches!(&fixed, Err(ReloadError::Fixed(names)) if *names == ["max_pending"]),
        "{fixed:?}"
    );
    assert_eq!(
        heard(&mut ana),
        Vec::<String>::new(),
        "she is still connected"
    );
}

#[test]
fn the_system_account_hears_who_comes_and_anybody_may_ask_who_they_are() {
    let server = server();
    let mut root = log_in(&server, "root", "r");
    root.send("SUB $SYS.ACCOUNT.*.CONNECT 1\r\nSUB $SYS.ACCOUNT.*.DISCONNECT 2\r\n");
    assert_eq!(heard(&mut root), Vec::<String>::new());
    let mut ana = log_in(&server, "ana", "a");
    let Some(Frame::Message(event)) = root.next() else {
        panic!("no event");
    };
    assert_eq!(event.subject, "$SYS.ACCOUNT.SALES.CONNECT");
    let event: Value = serde_json::from_slice(&event.payload).unwrap();
    let client = &event["client"];
    assert_eq!(client["user"], "ana");
    assert_eq!(client["client_type"], "nats");
    assert!(client["start"].as_str().unwrap().ends_with('Z'), "{client}");
    assert_eq!(client.get("port"), None, "the schema has no such thing");
    ana.send("SUB me 1\r\nPUB $SYS.REQ.USER.INFO me 0\r\n\r\n");
    let Some(Frame::Message(told)) =
        std::iter::from_fn(|| ana.next()).find(|frame| matches!(frame, Frame::Message(_)))
    else {
        panic!("no answer");
    };
    let told: Value = serde_json::from_slice(&told.payload).unwrap();
    assert_eq!(told["data"]["account"], "SALES");
    assert_eq!(
        told["data"]["permissions"]["publish"]["deny"][0],
        "secret.*"
    );
    ana.send("PUB $SYS.REQ.SERVER.PING me 0\r\n\r\n");
    assert_eq!(heard(&mut ana), ["me"], "nobody is there for her: 503");
    drop(ana);
    let Some(Frame::Message(event)) = root.next() else {
        panic!("no event");
    };
    assert_eq!(event.subject, "$SYS.ACCOUNT.SALES.DISCONNECT");
    let gone: Value = serde_json::from_slice(&event.payload).unwrap();
    assert_eq!(gone["client"]["start"], client["start"]);
    let moment =
        |key: &str| -> jiff::Timestamp { gone["client"][key].as_str().unwrap().parse().unwrap() };
    assert!(moment("stop") > moment("start"), "{gone}");
}

#[test]
fn the_system_account_hears_who_was_refused() {
    let server = server();
    let mut root = log_in(&server, "root", "r");
    root.send("SUB $SYS.SERVER.*.CLIENT.AUTH.ERR 1\r\n");
    assert_eq!(heard(&mut root), Vec::<String>::new());
    let mut stranger = Peer::bare(server.client_addr());
    stranger.send("CONNECT {\"user\":\"ana\",\"pass\":\"guessed\"}\r\n");
    let Some(Frame::Message(event)) = root.next() else {
        panic!("no event");
    };
    let event: Value = serde_json::from_slice(&event.payload).unwrap();
    assert_eq!(event["reason"], "Authentication Failure");
    assert_eq!(event["client"]["user"], "ana", "whom it claimed to be");
    assert_eq!(event["client"]["acc"], "$G");
}

#[test]
fn a_shared_request_tells_the_service_who_asks() {
    let sales = "SALES { users: [{user: ana, password: a}]
        imports: [{service: {account: STOCK, subject: count}, share: true}] }";
    let server = Server::builder()
        .configure(|options| read(options, &format!("{STOCK}\n{sales}"), "server_name: one,"))
        .start()
        .unwrap();
    let (mut keeper, mut ana) = (log_in(&server, "keeper", "k"), log_in(&server, "ana", "a"));
    keeper.send("SUB count 1\r\n");
    assert_eq!(heard(&mut keeper), Vec::<String>::new());
    ana.send("PUB count answers 1\r\n?\r\n");
    let Some(Frame::Message(request)) = keeper.next() else {
        panic!("no request");
    };
    let (_, told) = request.headers.split_once("Nats-Request-Info: ").unwrap();
    let told: Value = serde_json::from_str(told.trim()).unwrap();
    assert_eq!(told["user"], "ana");
    assert_eq!(told["acc"], "SALES");
    assert_eq!(told["server"], "one");
    let start: Result<jiff::Timestamp, _> = told["start"].as_str().unwrap().parse();
    assert!(start.is_ok(), "{told}");
}

#[test]
fn who_has_more_subscriptions_than_it_may_have_from_now_on_has_to_go() {
    let server = server();
    let (mut ana, mut keeper) = (log_in(&server, "ana", "a"), log_in(&server, "keeper", "k"));
    ana.send("SUB a 1\r\nSUB b 2\r\n");
    keeper.send("SUB a 1\r\n");
    assert_eq!(heard(&mut ana), Vec::<String>::new());
    assert_eq!(heard(&mut keeper), Vec::<String>::new());
    let limited =
        |account: &str| account.replace("{ users", "{ limits: {max_subscriptions: 1}, users");
    let accounts = format!("{}\n{}", limited(STOCK), limited(SALES));
    server.reload(told(&accounts, "")).unwrap();
    assert_eq!(
        heard(&mut ana),
        ["-ERR maximum subscriptions exceeded", "closed"]
    );
    keeper.send("SUB b 2\r\n");
    assert_eq!(heard(&mut keeper), ["-ERR maximum subscriptions exceeded"]);
}

#[test]
fn streams_may_be_allowed_more_while_the_server_runs_and_not_less() {
    let store = tempfile::tempdir().unwrap();
    let with = |file_bytes: u64| {
        let store = store.path().display().to_string();
        move |options: &mut Options| {
            options.streams.enabled = true;
            options.streams.store_dir = Some(store.into());
            options.streams.max_file_bytes = Some(file_bytes);
        }
    };
    let told = |file_bytes: u64| {
        let mut told = None;
        let _ = Server::builder().configure(|options| {
            with(file_bytes)(options);
            told = Some(options.clone());
        });
        told.unwrap()
    };
    let server = Server::builder().configure(with(1 << 20)).start().unwrap();
    let mut peer = Peer::connect(server.client_addr(), "");
    peer.send("SUB r 1\r\n");
    let mut made = |name: &str| {
        let body = format!(
            "{{\"name\":\"{name}\",\"subjects\":[\"{name}\"],\"storage\":\"file\",\"max_bytes\":4000000}}"
        );
        let size = body.len();
        peer.send(&format!(
            "PUB $JS.API.STREAM.CREATE.{name} r {size}\r\n{body}\r\n"
        ));
        loop {
            if let Some(Frame::Message(answer)) = peer.next() {
                let answer: Value = serde_json::from_slice(&answer.payload).unwrap();
                return answer["error"]["err_code"].as_u64();
            }
        }
    };
    assert_eq!(made("A"), Some(10047), "insufficient storage");
    let reloaded = server.reload(told(8 << 20)).unwrap();
    assert_eq!(reloaded.changed, ["jetstream's max_file_store"]);
    assert_eq!(made("A"), None);
    let lower = server.reload(told(2 << 20));
    assert!(
        matches!(&lower, Err(ReloadError::Fixed(names)) if *names == ["jetstream's max_file_store"]),
        "{lower:?}"
    );
}

#[test]
fn a_server_is_found_by_its_tags() {
    let tagged = |tags: &str| {
        let more = format!("server_tags: {tags}, server_metadata: {{rack: '7'}}");
        move |options: &mut Options| read(options, "", &more)
    };
    let server = Server::builder()
        .configure(tagged("[Madrid, ssd]"))
        .start()
        .unwrap();
    let mut root = log_in(&server, "root", "r");
    root.send("SUB no 1\r\nSUB yes 2\r\n");
    for (reply, tags) in [("no", "\"lisbon\",\"ssd\""), ("yes", "\"madrid\",\"SSD\"")] {
        let body = format!("{{\"tags\":[{tags}]}}");
        let size = body.len();
        root.send(&format!(
            "PUB $SYS.REQ.SERVER.PING {reply} {size}\r\n{body}\r\n"
        ));
    }
    // Requests are answered in their order: had the first been, it would be here.
    let told = std::iter::from_fn(|| root.next()).find(|frame| matches!(frame, Frame::Message(_)));
    let Some(Frame::Message(told)) = told else {
        panic!("no answer");
    };
    assert_eq!(told.subject, "yes");
    let told: Value = serde_json::from_slice(&told.payload).unwrap();
    assert_eq!(told["server"]["tags"], serde_json::json!(["madrid", "ssd"]));
    assert_eq!(told["server"]["metadata"]["rack"], "7");
}

#[test]
fn what_an_account_exports_imports_and_renames_is_told() {
    let server = server();
    let mut root = log_in(&server, "root", "r");
    root.send("SUB r 1\r\n");
    let mut asked = |account: &str| {
        root.send(&format!("PUB $SYS.REQ.ACCOUNT.{account}.INFO r 0\r\n\r\n"));
        loop {
            if let Frame::Message(told) = root.next().expect("an answer") {
                let told: Value = serde_json::from_slice(&told.payload).unwrap();
                return told["data"].clone();
            }
        }
    };
    let stock = asked("STOCK");
    assert_eq!(
        stock["exports"],
        serde_json::json!([
            {"subject": "moved.>", "type": "stream"},
            {"subject": "count", "type": "service", "response_type": "Singleton",
             "service_latency": {"sampling": 100, "results": "took"}},
        ])
    );
    let sales = asked("SALES");
    assert_eq!(sales["imports"][0]["account"], "STOCK");
    assert_eq!(sales["imports"][0]["local_subject"], "in.moved.>");
    assert_eq!(sales["imports"][1]["type"], "service");
    assert_eq!(sales["mappings"]["old"][0]["subject"], "new");
    assert_eq!(sales["mappings"]["old"][0]["weight"], 100);
}

#[test]
fn what_is_asked_of_one_account_is_answered_in_nats_server_s_forms() {
    let server = server();
    let (mut root, mut ana) = (log_in(&server, "root", "r"), log_in(&server, "ana", "a"));
    ana.send("SUB a 1\r\nPUB a 2\r\nhi\r\n");
    assert_eq!(heard(&mut ana), ["a"]);
    root.send("SUB r 1\r\n");
    let mut asked = |what: &str| -> Value {
        root.send(&format!("PUB $SYS.REQ.ACCOUNT.{what} r 0\r\n\r\n"));
        loop {
            if let Frame::Message(told) = root.next().expect("an answer") {
                return serde_json::from_slice(&told.payload).unwrap();
            }
        }
    };
    // The same as the event, without an envelope.
    let count = asked("SALES.CONNS");
    let kind = "io.nats.server.advisory.v1.account_connections";
    assert_eq!(count["type"], kind);
    assert_eq!(
        (&count["conns"], &count["acc"]),
        (&1.into(), &"SALES".into())
    );
    assert_eq!(count["received"]["msgs"], 1);
    assert_eq!(count["sent"]["bytes"], 2);
    assert!(count["server"]["id"].is_string() && count["id"].is_string());
    assert_eq!(asked("NONE.CONNS")["error"]["code"], 404);
    let subs = asked("SALES.SUBSZ");
    assert_eq!(subs["data"]["subscriptions_list"][0]["subject"], "a");
    assert_eq!(
        subs["data"]["subscriptions_list"][0]["account_tag"],
        "SALES"
    );
    assert_eq!(asked("SALES.LEAFZ")["data"]["leafs"], serde_json::json!([]));
    let streams = asked("SALES.JSZ");
    assert_eq!(streams["error"]["code"], 500);
    let why = "account \"SALES\" not jetstream enabled";
    assert_eq!(streams["error"]["description"], why);
}

#[test]
fn the_system_account_hears_that_the_server_sends_its_clients_away_and_that_it_stops() {
    let configured = Server::builder().configure(|options| {
        read(options, &format!("{STOCK}\n{SALES}"), "");
        options.lame_duck_grace_period = Duration::from_millis(50);
        options.lame_duck_duration = Duration::from_millis(100);
    });
    let server = configured.start().unwrap();
    let mut root = log_in(&server, "root", "r");
    root.send("SUB $SYS.SERVER.*.LAMEDUCK 1\r\n");
    assert_eq!(heard(&mut root), Vec::<String>::new());
    let id = server.info().server_id.clone();
    server.lame_duck();
    let mut event = || {
        loop {
            if let Frame::Message(event) = root.next().expect("an event") {
                return event;
            }
        }
    };
    let sent_away = event();
    assert_eq!(sent_away.subject, format!("$SYS.SERVER.{id}.LAMEDUCK"));
    let told: Value = serde_json::from_slice(&sent_away.payload).unwrap();
    assert_eq!(told["id"], id.as_str());
    drop(root);
    // Whoever is there at the end hears of the end.
    let server = self::server();
    let mut root = log_in(&server, "root", "r");
    root.send("SUB $SYS.SERVER.*.SHUTDOWN 2\r\n");
    assert_eq!(heard(&mut root), Vec::<String>::new());
    let stopping = std::thread::spawn(move || server.shutdown());
    let last = std::iter::from_fn(|| root.next()).find(|frame| matches!(frame, Frame::Message(_)));
    let Some(Frame::Message(last)) = last else {
        panic!("no event");
    };
    assert!(last.subject.ends_with(".SHUTDOWN"), "{}", last.subject);
    stopping.join().unwrap();
}

/// Accounts whose only user may come in twice, subscribe twice and send 10 bytes.
const SMALL: &str = "SMALL { users: [{user: sam, password: s}],
    limits: {max_connections: 2, max_subscriptions: 2, max_payload: 10} }";

#[test]
fn an_account_has_no_more_connections_than_it_may_have_and_others_are_not_asked() {
    let accounts = format!("{STOCK}\n{SMALL}");
    let server = Server::builder()
        .configure(|options| read(options, &accounts, ""))
        .start()
        .unwrap();
    let (_first, second) = (log_in(&server, "sam", "s"), log_in(&server, "sam", "s"));
    let third = || {
        let mut peer = Peer::bare(server.client_addr());
        peer.send("CONNECT {\"verbose\":false,\"user\":\"sam\",\"pass\":\"s\"}\r\n");
        heard(&mut peer)
    };
    assert_eq!(
        third(),
        ["-ERR maximum account active connections exceeded", "closed"]
    );
    let mut keeper = log_in(&server, "keeper", "k");
    assert_eq!(heard(&mut keeper), Vec::<String>::new());
    // The server notices the end of a connection in its own time.
    drop(second);
    let end = Instant::now() + Duration::from_secs(20);
    while !third().is_empty() {
        assert!(Instant::now() < end, "room is not given back");
    }
}

#[test]
fn a_connection_is_held_to_its_accounts_limits_and_told_of_them() {
    let accounts = format!("{STOCK}\n{SMALL}");
    let server = Server::builder()
        .configure(|options| read(options, &accounts, ""))
        .start()
        .unwrap();
    let mut peer = log_in(&server, "sam", "s");
    peer.send("SUB a 1\r\nSUB b 2\r\nSUB c 3\r\n");
    assert_eq!(heard(&mut peer), ["-ERR maximum subscriptions exceeded"]);
    peer.send("UNSUB 1\r\nSUB c 3\r\nPUB c 10\r\n0123456789\r\n");
    assert_eq!(heard(&mut peer), ["c"], "room is given back, 10 bytes fit");
    let sam = told_of(&server, "sam", "s");
    assert_eq!(sam["max_payload"], 10);
    assert_eq!(told_of(&server, "keeper", "k")["max_payload"], 1 << 20);
    peer.send("PUB c 11\r\n0123456789a\r\n");
    assert_eq!(
        heard(&mut peer),
        ["-ERR Maximum Payload Violation", "closed"]
    );
}

/// The INFO that answers the first PING of a client.
fn told_of(server: &Server, user: &str, password: &str) -> Value {
    use std::io::{BufRead as _, BufReader};
    let mut peer = Peer::bare(server.client_addr());
    peer.send(&format!(
        "CONNECT {{\"verbose\":false,\"protocol\":1,\"user\":\"{user}\",\"pass\":\"{password}\"}}\r\nPING\r\n"
    ));
    let mut lines = BufReader::new(peer.socket).lines().map(Result::unwrap);
    lines
        .find_map(|line| {
            let info: Value = serde_json::from_str(line.strip_prefix("INFO ")?).unwrap();
            (info["connect_info"] == true).then_some(info)
        })
        .unwrap()
}

#[test]
fn info_says_whether_the_account_is_the_systems_and_brings_the_servers_curve_key() {
    let server = server();
    let root = told_of(&server, "root", "r");
    assert_eq!(root["acc_is_sys"], true);
    assert_eq!(root["remote_account"], "SYS");
    let ana = told_of(&server, "ana", "a");
    assert_eq!(ana["acc_is_sys"], Value::Null);
    let key = ana["xkey"].as_str().unwrap();
    assert_eq!(key, root["xkey"], "one server has one key");
    assert_eq!((key.len(), &key[..1]), (56, "X"));
}

#[test]
fn clients_of_an_account_with_a_default_domain_speak_to_the_streams_of_another() {
    const ACCOUNTS: &str = "KEEP { jetstream: true, users: [{user: kim, password: k}], exports: [{service: '$JS.API.>'}] }
        ASK { users: [{user: ada, password: a}]
              imports: [{service: {account: KEEP, subject: '$JS.API.>'}, to: '$JS.hub.API.>'}] }";
    let store = tempfile::tempdir().unwrap();
    let configured = |options: &mut Options| {
        read(options, ACCOUNTS, "default_js_domain: {ASK: hub}");
        options.streams.enabled = true;
        options.streams.store_dir = Some(store.path().into());
    };
    let server = Server::builder().configure(configured).start().unwrap();
    let answered = |user: &str, password: &str, call: &str, body: &str| {
        let mut peer = log_in(&server, user, password);
        let size = body.len();
        peer.send(&format!(
            "SUB r 1\r\nPUB $JS.API.{call} r {size}\r\n{body}\r\n"
        ));
        loop {
            if let Some(Frame::Message(answer)) = peer.next() {
                let answer: Value = serde_json::from_slice(&answer.payload).unwrap();
                return answer;
            }
        }
    };
    let body = "{\"name\":\"S\",\"subjects\":[\"s\"]}";
    let made = answered("ada", "a", "STREAM.CREATE.S", body);
    assert_eq!(made["config"]["name"], "S", "{made}");
    let names = answered("kim", "k", "STREAM.NAMES", "");
    assert_eq!(names["streams"], serde_json::json!(["S"]));
}

/// Asks with the reply subject `r`, to which it is subscribed: the next message is the answer.
fn answer(peer: &mut Peer, subject: &str, body: &str) -> Value {
    let size = body.len();
    peer.send(&format!("PUB {subject} r {size}\r\n{body}\r\n"));
    loop {
        if let Some(Frame::Message(answer)) = peer.next() {
            return serde_json::from_slice(&answer.payload).unwrap();
        }
    }
}

#[test]
fn who_imports_the_streams_of_another_account_is_answered_by_that_one_alone() {
    const ACCOUNTS: &str = "KEEP { jetstream: true, users: [{user: kim, password: k}]
               exports: [{service: '$JS.API.>', response_type: stream}] }
        ASK { users: [{user: ada, password: a}], imports: [{service: {account: KEEP, subject: '$JS.API.>'}}] }
        BARE { users: [{user: eva, password: e}] }";
    let store = tempfile::tempdir().unwrap();
    let configured = |options: &mut Options| {
        read(options, ACCOUNTS, "");
        options.streams.enabled = true;
        options.streams.store_dir = Some(store.path().into());
    };
    let server = Server::builder().configure(configured).start().unwrap();
    let mut ada = log_in(&server, "ada", "a");
    let mut eva = log_in(&server, "eva", "e");
    for peer in [&mut ada, &mut eva] {
        peer.send("SUB r 1\r\n");
    }
    // One answer each: another would be taken for that of the next call.
    let made = answer(
        &mut ada,
        "$JS.API.STREAM.CREATE.S",
        "{\"name\":\"S\",\"subjects\":[\"s\"]}",
    );
    assert_eq!(made["config"]["name"], "S", "{made}");
    let names = answer(&mut ada, "$JS.API.STREAM.NAMES", "");
    assert_eq!(names["streams"], serde_json::json!(["S"]), "{names}");
    let info = answer(&mut ada, "$JS.API.INFO", "");
    assert_eq!(info["streams"], 1, "{info}");
    let told = answer(&mut eva, "$JS.API.INFO", "");
    assert_eq!(told["error"]["err_code"], 10039, "{told}");
}

#[test]
fn buckets_are_written_to_by_the_domains_subjects_too() {
    let store = tempfile::tempdir().unwrap();
    let configured = |options: &mut Options| {
        options.streams.enabled = true;
        options.streams.store_dir = Some(store.path().into());
        options.streams.domain = Some("hub".to_owned());
    };
    let server = Server::builder().configure(configured).start().unwrap();
    let mut peer = Peer::connect(server.client_addr(), "");
    peer.send("SUB r 1\r\n");
    for (kind, subject) in [("KV_B", "$KV.B"), ("OBJ_B", "$OBJ.B")] {
        let body = serde_json::json!({"name": kind, "subjects": [format!("{subject}.>")]});
        let made = answer(
            &mut peer,
            &format!("$JS.hub.API.STREAM.CREATE.{kind}"),
            &body.to_string(),
        );
        assert_eq!(made["config"]["name"], kind, "{made}");
        let put = answer(&mut peer, &format!("$JS.hub.API.{subject}.key"), "value");
        assert_eq!(
            (&put["seq"], &put["domain"]),
            (&1.into(), &"hub".into()),
            "{put}"
        );
        let request = format!("{{\"last_by_subj\":\"{subject}.key\"}}");
        let found = answer(
            &mut peer,
            &format!("$JS.hub.API.STREAM.MSG.GET.{kind}"),
            &request,
        );
        assert_eq!(
            found["message"]["subject"],
            format!("{subject}.key"),
            "{found}"
        );
    }
}

#[test]
fn streams_are_turned_off_and_on_again_while_clients_stay_and_nothing_is_lost() {
    use std::io::{BufRead as _, BufReader};
    let store = tempfile::tempdir().unwrap();
    let with = |enabled: bool, directory: &std::path::Path| {
        let directory = directory.to_owned();
        move |options: &mut Options| {
            options.streams.enabled = enabled;
            options.streams.store_dir = Some(directory);
        }
    };
    let told = |enabled: bool, directory: &std::path::Path| {
        let mut told = None;
        let _ = Server::builder().configure(|options| {
            with(enabled, directory)(options);
            told = Some(options.clone());
        });
        told.unwrap()
    };
    let on = with(true, store.path());
    let server = Server::builder().configure(on).start().unwrap();
    let mut peer = Peer::bare(server.client_addr());
    let socket = peer.socket.try_clone().unwrap();
    let mut lines = BufReader::new(socket).lines().map(Result::unwrap);
    // Clients ask with the reply subject `r`; what comes is the line of the answer, or that nobody is there.
    peer.send("CONNECT {\"verbose\":false,\"protocol\":1,\"headers\":true,\"no_responders\":true}\r\nSUB r 1\r\nPING\r\n");
    let mut until = |start: &str| lines.find(|line| line.starts_with(start)).unwrap();
    let shows = |line: &str| line.contains("\"jetstream\":true");
    assert!(shows(&until("INFO ")));
    assert!(shows(&until("INFO ")), "after CONNECT");
    let body = "{\"name\":\"S\",\"subjects\":[\"s\"]}";
    let size = body.len();
    peer.send(&format!(
        "PUB $JS.API.STREAM.CREATE.S r {size}\r\n{body}\r\n"
    ));
    assert!(until("{").contains("\"name\":\"S\""));
    peer.send("PUB s r 2\r\nhi\r\n");
    assert!(until("{").contains("\"seq\":1"));

    let reloaded = server.reload(told(false, store.path())).unwrap();
    assert_eq!(
        (&reloaded.changed[..], reloaded.dismissed),
        (&["jetstream"][..], 0)
    );
    assert!(!shows(&until("INFO ")));
    peer.send("PUB $JS.API.INFO r 0\r\n\r\n");
    assert_eq!(until("NATS/1.0"), "NATS/1.0 503");
    // The store is free: another server may have it.
    let other = with(true, store.path());
    drop(Server::builder().configure(other).start().unwrap());

    server.reload(told(true, store.path())).unwrap();
    assert!(shows(&until("INFO ")));
    peer.send("PUB $JS.API.STREAM.INFO.S r 0\r\n\r\n");
    assert!(until("{").contains("\"messages\":1"));
    peer.send("PUB s r 2\r\nho\r\n");
    assert!(until("{").contains("\"seq\":2"));

    // It can't be moved while it is on.
    let elsewhere = tempfile::tempdir().unwrap();
    let moved = server.reload(told(true, elsewhere.path()));
    assert!(
        matches!(&moved, Err(ReloadError::Fixed(names)) if *names == ["jetstream"]),
        "{moved:?}"
    );
}
