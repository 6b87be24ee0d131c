//! What the documents tell of connections, subscriptions and accounts.

use std::net::Shutdown;

use serde_json::{Value, json};

use crate::http::{document, get};
use crate::peer::Peer;
use crate::{eventually, server};

fn names(connz: &Value) -> Vec<&str> {
    let connections = connz["connections"].as_array().unwrap();
    connections
        .iter()
        .map(|one| one["name"].as_str().unwrap_or(""))
        .collect()
}

#[test]
fn routes_are_not_remembered_where_that_was_turned_off() {
    for (off, remembered) in [(false, true), (true, false)] {
        let (server, watch) = server(|options| options.limits.disable_sublist_cache = off);
        let mut peer = Peer::connect(server.client_addr(), "");
        peer.send("SUB s.* 1\r\n");
        for _ in 0..5 {
            peer.send("PUB s.a 1\r\nx\r\n");
            assert_eq!(peer.settle().len(), 1);
        }
        let subsz = document(watch, "/subsz");
        assert_eq!(subsz["num_cache"].as_u64() > Some(0), remembered, "{subsz}");
    }
}

#[test]
fn varz_counts_what_clients_send_and_get_also_when_they_are_gone() {
    let (server, watch) = server(|_| {});
    let at = server.client_addr();
    let mut reader = Peer::connect(at, "");
    reader.send("SUB s 1\r\n");
    reader.settle();
    let mut writer = Peer::connect(at, "");
    writer.send("PUB s 3\r\nabc\r\nPUB s 4\r\nabcd\r\nPUB none 1\r\nx\r\n");
    writer.settle();
    reader.settle();
    let varz = document(watch, "/varz");
    assert_eq!(varz["in_msgs"], 3);
    assert_eq!(varz["in_bytes"], 8);
    assert_eq!(varz["out_msgs"], 2);
    assert_eq!(varz["out_bytes"], 7, "payloads, without their heads");
    assert_eq!(varz["connections"], 2);
    assert_eq!(varz["server_id"], server.info().server_id.as_str());
    assert_eq!(varz["http_port"], watch.port());
    drop((reader, writer));
    let varz = eventually("both to be gone", || {
        let varz = document(watch, "/varz");
        (varz["connections"] == 0).then_some(varz)
    });
    assert_eq!(varz["total_connections"], 2);
    assert_eq!(
        (&varz["in_msgs"], &varz["out_msgs"]),
        (&json!(3), &json!(2))
    );
    assert!(varz["http_req_stats"]["/varz"].as_u64() >= Some(2));
}

#[test]
fn connz_tells_who_is_connected_and_what_they_subscribe_to() {
    let (server, watch) = server(|_| {});
    let mut peer = Peer::connect(
        server.client_addr(),
        r#""name":"a \"b\"\r","lang":"rust","version":"1.2""#,
    );
    peer.send("SUB a.* g 7\r\nUNSUB 7 5\r\nPUB a.b 2\r\nhi\r\n");
    peer.settle();
    let plain = &document(watch, "/connz")["connections"][0];
    for (key, value) in [
        ("name", json!("a \"b\"\r")),
        ("lang", json!("rust")),
        ("version", json!("1.2")),
        ("kind", json!("Client")),
        ("type", json!("nats")),
        ("ip", json!("127.0.0.1")),
        ("port", json!(peer.socket.local_addr().unwrap().port())),
        ("subscriptions", json!(1)),
        ("in_msgs", json!(1)),
        ("out_msgs", json!(1)),
        ("pending_bytes", json!(0)),
    ] {
        assert_eq!(plain[key], value, "{key}");
    }
    assert_eq!(plain.get("subscriptions_list"), None);
    let listed = document(watch, "/connz?subs=1");
    assert_eq!(
        listed["connections"][0]["subscriptions_list"],
        json!(["a.*"])
    );
    let detailed = document(watch, "/connz?subs=detail");
    let cid = detailed["connections"][0]["cid"].clone();
    assert_eq!(
        detailed["connections"][0]["subscriptions_list_detail"],
        json!([{"subject": "a.*", "qgroup": "g", "sid": "7", "msgs": 1, "max": 5, "cid": cid}])
    );
}

#[test]
fn connz_sorts_pages_and_picks() {
    let (server, watch) = server(|_| {});
    let at = server.client_addr();
    let mut peers: Vec<Peer> = (0..4)
        .map(|number| Peer::connect(at, &format!("\"name\":\"c{number}\"")))
        .collect();
    for (peer, messages) in peers.iter_mut().zip([2, 0, 3, 1]) {
        peer.send(&"PUB s 1\r\nx\r\n".repeat(messages));
        peer.settle();
    }
    let of = |query: &str| document(watch, &format!("/connz?{query}"));
    assert_eq!(names(&of("")), ["c0", "c1", "c2", "c3"]);
    let sorted = of("sort=msgs_from");
    assert_eq!(names(&sorted), ["c2", "c0", "c3", "c1"]);
    let page = of("sort=msgs_from&offset=1&limit=2");
    assert_eq!(names(&page), ["c0", "c3"]);
    assert_eq!(
        (&page["total"], &page["num_connections"], &page["limit"]),
        (&json!(4), &json!(2), &json!(2))
    );
    assert_eq!(names(&of("sort=last")), ["c3", "c2", "c0", "c1"]);
    assert_eq!(names(&of("sort=uptime"))[0], "c0");
    let third = of("")["connections"][2]["cid"].clone();
    let picked = of(&format!("cid={third}"));
    assert_eq!((names(&picked), &picked["total"]), (vec!["c2"], &json!(1)));
    assert!(names(&of("acc=other")).is_empty());
    assert_eq!(names(&of("acc=$G")).len(), 4);
    assert!(names(&of("user=nobody")).is_empty());
    assert!(names(&of("offset=9")).is_empty());
    assert!(names(&of("mqtt_client=x")).is_empty());
}

#[test]
fn connz_remembers_who_left_and_why_as_many_as_it_may() {
    let (server, watch) = server(|options| {
        options.authorization.token = Some("clave".to_owned());
        options.monitoring.max_closed_clients = 3;
    });
    let at = server.client_addr();
    let connect = |name: &str, token: &str| {
        let mut peer = Peer::bare(at);
        peer.send(&format!(
            "CONNECT {{\"verbose\":false,\"name\":\"{name}\",\"auth_token\":\"{token}\"}}\r\n"
        ));
        peer
    };
    let closed = || document(watch, "/connz?state=closed&subs=1");
    let wait_for = |name: &str| {
        eventually(name, || {
            let connz = closed();
            let found = names(&connz).contains(&name);
            found.then_some(connz)
        })
    };
    let mut leaving = connect("leaving", "clave");
    leaving.send("SUB x.y 1\r\nPUB x 1\r\nx\r\n");
    leaving.settle();
    leaving.socket.shutdown(Shutdown::Both).unwrap();
    let connz = wait_for("leaving");
    let one = &connz["connections"][0];
    assert_eq!(one["reason"], "Client Closed");
    assert_eq!(
        (&one["in_msgs"], &one["subscriptions"]),
        (&json!(1), &json!(1))
    );
    assert_eq!(one["subscriptions_list"], json!(["x.y"]));
    assert!(one["stop"].is_string());
    let mut intruder = connect("intruder", "wrong");
    while intruder.next().is_some() {}
    wait_for("intruder");
    let mut rude = connect("rude", "clave");
    rude.settle();
    rude.send("NONSENSE\r\n");
    while rude.next().is_some() {}
    wait_for("rude");
    let reasons = document(watch, "/connz?state=closed&sort=reason");
    let reasons: Vec<&Value> = reasons["connections"]
        .as_array()
        .unwrap()
        .iter()
        .map(|one| &one["reason"])
        .collect();
    assert_eq!(
        reasons,
        [
            "Authentication Failure",
            "Client Closed",
            "Protocol Violation"
        ]
    );
    drop(connect("fourth", "clave"));
    let connz = wait_for("fourth");
    assert_eq!(names(&connz), ["intruder", "rude", "fourth"]);
    let _there = connect("there", "clave");
    eventually("all to be told", || {
        let all = document(watch, "/connz?state=all");
        names(&all).contains(&"there").then_some(())
    });
    let newest = document(watch, "/connz?state=closed&sort=stop&limit=1");
    assert_eq!(names(&newest), ["fourth"]);
}

#[test]
fn a_slow_consumer_is_counted_and_named_as_one() {
    let (server, watch) = server(|options| {
        options.limits.max_payload = 64 * 1024;
        options.limits.max_pending = 64 * 1024;
    });
    let at = server.client_addr();
    let mut slow = Peer::connect(at, "\"name\":\"slow\"");
    slow.send("SUB s 1\r\n");
    slow.settle();
    let mut writer = Peer::connect(at, "");
    let message = format!("PUB s 60000\r\n{}\r\n", "x".repeat(60_000));
    let connz = eventually("the slow one to be cut off", || {
        writer.send(&message.repeat(20));
        writer.settle();
        let connz = document(watch, "/connz?state=closed");
        (connz["total"] == 1).then_some(connz)
    });
    let one = &connz["connections"][0];
    assert_eq!(one["name"], "slow");
    assert_eq!(one["reason"], "Slow Consumer (Pending Bytes)");
    let varz = document(watch, "/varz");
    assert_eq!(varz["slow_consumers"], 1);
    assert_eq!(varz["slow_consumer_stats"]["clients"], 1);
}

#[test]
fn users_are_named_only_when_asked_for_and_secrets_never() {
    let (server, watch) = server(|options| {
        options.authorization.user = Some("ana".to_owned());
        options.authorization.password = Some("contrasena".to_owned());
    });
    let mut peer = Peer::connect(
        server.client_addr(),
        r#""user":"ana","pass":"contrasena","name":"n""#,
    );
    peer.settle();
    let plain = document(watch, "/connz");
    assert_eq!(plain["connections"][0].get("authorized_user"), None);
    let told = document(watch, "/connz?auth=1");
    assert_eq!(told["connections"][0]["authorized_user"], "ana");
    assert_eq!(names(&document(watch, "/connz?user=ana")), ["n"]);
    for path in [
        "/",
        "/varz",
        "/connz?auth=1&subs=detail&state=all",
        "/subsz?subs=1",
        "/accountz?acc=$G",
        "/accstatz?unused=1",
        "/jsz?config=1",
        "/metrics",
        "/healthz",
        "/routez",
        "/leafz",
        "/gatewayz",
    ] {
        let answer = get(watch, path);
        assert_eq!(answer.status, 200, "{path}");
        assert!(!answer.body.contains("contrasena"), "{path}");
    }
}

#[test]
fn subsz_lists_subscriptions_and_those_that_a_subject_would_reach() {
    let (server, watch) = server(|options| options.builtin_service = false);
    // The server's own are there before.
    let before = document(watch, "/subsz?subs=1");
    let mut peer = Peer::connect(server.client_addr(), "");
    peer.send("SUB a.* 1\r\nSUB a.> g 2\r\nSUB b 3\r\nSUB c 4\r\nUNSUB 4\r\nPUB a.b 1\r\nx\r\n");
    peer.settle();
    let subjects = |query: &str| -> Vec<String> {
        let subsz = document(watch, &format!("/subsz?{query}"));
        let listed = subsz["subscriptions_list"].as_array().cloned();
        listed
            .unwrap_or_default()
            .iter()
            .map(|one| one["subject"].as_str().unwrap().to_owned())
            .collect()
    };
    let all = subjects("subs=1");
    assert!(
        all.ends_with(&["a.*", "a.>", "b"].map(str::to_owned)),
        "{all:?}"
    );
    assert_eq!(subjects("subs=1&test=a.b"), ["a.*", "a.>"]);
    assert_eq!(subjects("subs=1&test=a.b&offset=1&limit=1"), ["a.>"]);
    assert!(subjects("").is_empty());
    assert!(subjects("subs=1&acc=other").is_empty());
    let after = document(watch, "/subscriptionsz?subs=1");
    for (key, more) in [
        ("num_subscriptions", 3),
        ("num_inserts", 4),
        ("num_removes", 1),
        ("total", 3),
    ] {
        let (before, after) = (before[key].as_u64(), after[key].as_u64());
        assert_eq!(before.map(|count| count + more), after, "{key}");
    }
    assert!(after["max_fanout"].as_u64() >= Some(2));
    let some = document(watch, "/subsz?subs=1&test=a.b");
    assert_eq!(some["subscriptions_list"][1]["qgroup"], "g");
    assert_eq!(some["subscriptions_list"][1]["account"], "$G");
}

#[test]
fn accounts_are_told_with_what_they_carry() {
    let (server, watch) = server(|options| options.builtin_service = false);
    let of_global = || document(watch, "/accountz?acc=$G")["account_detail"].clone();
    let own = of_global()["subscriptions"].as_u64().unwrap();
    let mut peer = Peer::connect(server.client_addr(), "");
    peer.send("SUB s 1\r\nPUB s 2\r\nxx\r\n");
    peer.settle();
    let accountz = document(watch, "/accountz");
    assert_eq!(accountz["accounts"], json!(["$G", "$SYS"]));
    assert_eq!(accountz["system_account"], "$SYS");
    let one = of_global();
    assert_eq!(
        (
            &one["account_name"],
            &one["client_connections"],
            &one["subscriptions"]
        ),
        (&json!("$G"), &json!(1), &json!(own + 1))
    );
    assert_eq!(get(watch, "/accountz?acc=none").status, 400);
    let stats = document(watch, "/accstatz");
    assert_eq!(stats["account_statz"].as_array().unwrap().len(), 1);
    let one = &stats["account_statz"][0];
    assert_eq!((&one["acc"], &one["conns"]), (&json!("$G"), &json!(1)));
    assert_eq!(one["received"]["bytes"], 2);
    assert_eq!(one["sent"]["msgs"], 1);
    let all = document(watch, "/accstatz?unused=1");
    assert_eq!(all["account_statz"].as_array().unwrap().len(), 2);
}

#[test]
fn links_to_other_servers_are_told_to_be_none() {
    let (_server, watch) = server(|_| {});
    let routez = document(watch, "/routez?subs=detail");
    assert_eq!(
        (&routez["num_routes"], &routez["routes"]),
        (&json!(0), &json!([]))
    );
    let gatewayz = document(watch, "/gatewayz?accs=1");
    assert_eq!(gatewayz["outbound_gateways"], json!({}));
    assert_eq!(gatewayz["inbound_gateways"], json!({}));
    let leafz = document(watch, "/leafz");
    assert_eq!(
        (&leafz["leafnodes"], &leafz["leafs"]),
        (&json!(0), &json!([]))
    );
}
