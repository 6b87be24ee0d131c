//! Framing, INFO, CONNECT, and who is let in.

use recado_conformance::{Peer, ServerBuilder, ServerProcess};
use serde_json::{Value, json};

/// CONNECT with defaults that keep the server quiet, and these keys.
fn connect(keys: Value) -> String {
    let mut all = json!({"verbose": false, "pedantic": false});
    all.as_object_mut()
        .expect("an object")
        .extend(keys.as_object().expect("an object").clone());
    format!("CONNECT {all}\r\n")
}

// A01
#[test]
fn verbs_are_read_in_any_case() {
    let server = ServerProcess::nats();
    let mut peer = Peer::plain(&server);
    assert_eq!(
        peer.until_pong("sUb foo 1\r\npub foo 2\r\nhi\r\n"),
        "MSG foo 1 2\r\nhi\r\n"
    );
    peer.send("ping\r\n");
    assert_eq!(peer.frame(), "PONG\r\n");
}

// A01
#[test]
fn fields_are_separated_by_runs_of_spaces_and_tabs() {
    let server = ServerProcess::nats();
    let mut peer = Peer::plain(&server);
    let said = peer.until_pong("SUB \t foo  \t 1 \r\nPUB\tfoo\t \treply \t2  \r\nhi\r\n");
    assert_eq!(said, "MSG foo 1 reply 2\r\nhi\r\n");
}

// A01
#[test]
fn a_line_may_end_in_a_bare_line_feed() {
    let server = ServerProcess::nats();
    let mut peer = Peer::plain(&server);
    assert_eq!(
        peer.until_pong("SUB foo 1\nPUB foo 2\nhi\r\n"),
        "MSG foo 1 2\r\nhi\r\n"
    );
}

// A01, A80
#[test]
fn a_payload_that_cr_lf_does_not_follow_is_a_protocol_error() {
    let server = ServerProcess::nats();
    for publish in [
        "PUB foo 2\r\nhi\nPING\r\n",
        "PUB foo 2\r\nhello\r\n",
        "PUB foo 2\r\nhiXX",
    ] {
        let said = Peer::plain(&server).until_closed(publish);
        assert_eq!(said, "-ERR 'Unknown Protocol Operation'\r\n", "{publish:?}");
    }
}

// A01
#[test]
fn input_may_be_split_at_any_byte() {
    let server = ServerProcess::nats();
    let mut peer = Peer::connect(&server);
    let input = concat!(
        "CONNECT {\"verbose\":false,\"headers\":true}\r\nSUB foo.* group 12\r\nUNSUB 12 3\r\n",
        "PUB foo.a re.ply 5\r\nhello\r\nHPUB foo.b 12 14\r\nNATS/1.0\r\n\r\nhi\r\n",
        "PUB foo.c 0\r\n\r\nPUB foo.d 0\r\n\r\n"
    );
    for byte in input.as_bytes() {
        peer.send([*byte]);
    }
    assert_eq!(
        peer.until_pong(""),
        concat!(
            "MSG foo.a 12 re.ply 5\r\nhello\r\n",
            "HMSG foo.b 12 12 14\r\nNATS/1.0\r\n\r\nhi\r\n",
            "MSG foo.c 12 0\r\n\r\n"
        )
    );
}

// A02, A03
#[test]
fn the_server_opens_with_info_and_its_keys() {
    let server = ServerProcess::nats();
    let peer = Peer::connect(&server);
    let info = peer.info();
    let id = info["server_id"].as_str().expect("server_id");
    assert!(
        id.len() == 56 && id.starts_with('N'),
        "server_id is a server's nkey: {id}"
    );
    assert!(
        id.bytes()
            .all(|b| b.is_ascii_uppercase() || (b'2'..=b'7').contains(&b)),
        "{id}"
    );
    assert_eq!(
        info["server_name"], *id,
        "the name is the id where none is given"
    );
    assert_eq!(info["proto"], 1);
    assert!(info["go"].is_string());
    assert_eq!(info["host"], "127.0.0.1");
    assert_eq!(info["port"], server.addr().port());
    assert_eq!(info["headers"], true);
    assert_eq!(info["max_payload"], 1_048_576);
}

// A04
#[test]
fn info_names_the_client_and_leaves_false_keys_out() {
    let server = ServerProcess::nats();
    let first = Peer::connect(&server);
    let second = Peer::connect(&server);
    assert_eq!(first.info()["client_ip"], "127.0.0.1");
    let ids = [&first, &second].map(|peer| peer.info()["client_id"].as_u64().expect("client_id"));
    assert!(
        ids[0] < ids[1],
        "each connection has an id of its own: {ids:?}"
    );
    for absent in [
        "auth_required",
        "tls_required",
        "tls_available",
        "jetstream",
        "ldm",
        "nonce",
    ] {
        assert!(
            first.info().get(absent).is_none(),
            "{absent} in {}",
            first.info()
        );
    }
}

// A05
#[test]
fn the_version_is_one_that_clients_understand() {
    let server = ServerProcess::nats();
    let peer = Peer::connect(&server);
    let version = peer.info()["version"].as_str().expect("version");
    let numbers: Vec<u32> = version
        .split('.')
        .map_while(|part| part.parse().ok())
        .collect();
    assert_eq!(numbers.len(), 3, "three numbers: {version}");
    assert!(
        numbers >= vec![2, 10, 0],
        "clients want no less for headers and services: {version}"
    );
}

// A04, D20
#[test]
fn info_carries_the_name_that_the_server_was_given() {
    let server = ServerBuilder::nats().args(["-n", "quiet-harbour"]).start();
    assert_eq!(
        Peer::connect(&server).info()["server_name"],
        "quiet-harbour"
    );
}

// A13
#[test]
fn info_carries_the_address_that_is_advertised() {
    let server = ServerBuilder::nats()
        .config("client_advertise: \"10.1.2.3:999\"")
        .start();
    let peer = Peer::connect(&server);
    assert_eq!(peer.info()["host"], "10.1.2.3");
    assert_eq!(peer.info()["port"], 999);
}

// A06
#[test]
fn connect_takes_every_key_and_ignores_unknown_ones() {
    let server = ServerProcess::nats();
    let mut peer = Peer::connect(&server);
    let said = peer.until_pong(connect(json!({
        "tls_required": false, "auth_token": "t", "user": "u", "pass": "p", "name": "n",
        "lang": "x", "version": "1", "protocol": 0, "echo": true, "sig": "s", "jwt": "j",
        "nkey": "k", "no_responders": true, "headers": true, "never heard of": [1, {"a": null}]
    })));
    assert_eq!(said, "");
}

// A06
#[test]
fn connect_with_an_account_is_refused() {
    let server = ServerProcess::nats();
    for keys in [
        json!({"account": "A"}),
        json!({"account": "A", "new_account": true}),
    ] {
        let said = Peer::connect(&server).until_closed(connect(keys));
        assert_eq!(said, "-ERR 'Authorization Violation'\r\n");
    }
}

// A07
#[test]
fn connect_without_keys_is_verbose_pedantic_and_echoes_but_has_no_headers() {
    let server = ServerProcess::nats();
    let mut peer = Peer::connect(&server);
    assert_eq!(peer.until_pong("CONNECT {}\r\n"), "+OK\r\n");
    assert_eq!(peer.until_pong("SUB foo 1\r\n"), "+OK\r\n");
    assert_eq!(
        peer.until_pong("PUB foo 0\r\n\r\n"),
        "+OK\r\nMSG foo 1 0\r\n\r\n"
    );
    let said = peer.until_pong("PUB a..b 0\r\n\r\n");
    assert_eq!(said, "-ERR 'Invalid Publish Subject'\r\n+OK\r\n");
    let silent = peer.until_closed("HPUB foo 12 12\r\nNATS/1.0\r\n\r\n\r\n");
    assert_eq!(silent, "", "HPUB without headers in CONNECT");
}

// A08
#[test]
fn without_credentials_no_connect_is_needed() {
    let server = ServerProcess::nats();
    let mut peer = Peer::connect(&server);
    let said = peer.until_pong("SUB foo 1\r\nPUB foo 2\r\nhi\r\n");
    assert_eq!(said.replace("+OK\r\n", ""), "MSG foo 1 2\r\nhi\r\n");
}

// A08, A81
#[test]
fn with_credentials_anything_but_connect_first_is_a_violation() {
    let server = ServerBuilder::nats()
        .config("authorization { token: s3cret }")
        .start();
    for first in [
        "PING\r\n",
        "SUB a 1\r\n",
        "PUB a 0\r\n\r\n",
        "PONG\r\n",
        "INFO {}\r\n",
        "FOO\r\n",
    ] {
        let said = Peer::connect(&server).until_closed(first);
        assert_eq!(said, "-ERR 'Authorization Violation'\r\n", "{first:?}");
    }
}

// A09
#[test]
fn the_first_ping_brings_a_second_info_to_clients_of_protocol_1() {
    let server = ServerProcess::nats();
    let mut peer = Peer::connect(&server);
    peer.send(connect(json!({"protocol": 1})));
    peer.send("PING\r\nPING\r\n");
    assert_eq!(peer.frame(), "PONG\r\n");
    let info = peer.frame();
    let info: Value =
        serde_json::from_str(info.strip_prefix("INFO ").expect("INFO")).expect("JSON");
    assert_eq!(info["connect_info"], true);
    assert_eq!(info["max_payload"], 1_048_576);
    assert_eq!(info["client_id"], peer.info()["client_id"]);
    assert_eq!(info["server_id"], peer.info()["server_id"]);
    assert_eq!(peer.frame(), "PONG\r\n", "only the first PING brings it");
}

// A09
#[test]
fn the_first_ping_brings_only_pong_to_clients_of_protocol_0() {
    let server = ServerProcess::nats();
    let mut peer = Peer::connect(&server);
    peer.send(connect(json!({"protocol": 0})));
    assert_eq!(peer.until_pong("PING\r\n"), "");
    peer.send("PING\r\n");
    assert_eq!(
        (peer.frame(), peer.frame()),
        ("PONG\r\n".into(), "PONG\r\n".into())
    );
}

// A11
#[test]
fn a_second_connect_changes_the_options_and_drops_the_subscriptions() {
    let server = ServerProcess::nats();
    let mut peer = Peer::plain(&server);
    assert_eq!(peer.until_pong("SUB foo 1\r\n"), "");
    assert_eq!(peer.until_pong("CONNECT {\"verbose\":true}\r\n"), "+OK\r\n");
    assert_eq!(peer.until_pong("PUB foo 0\r\n\r\n"), "+OK\r\n");
    let said = peer.until_pong("SUB foo 1\r\nPUB foo 0\r\n\r\n");
    assert_eq!(said, "+OK\r\n+OK\r\nMSG foo 1 0\r\n\r\n");
}

// A11, A81
#[test]
fn a_second_connect_has_to_authenticate_again() {
    let server = ServerBuilder::nats()
        .config("authorization { token: s3cret }")
        .start();
    let mut peer = Peer::connect(&server);
    assert_eq!(
        peer.until_pong(connect(json!({"auth_token": "s3cret"}))),
        ""
    );
    let said = peer.until_closed(connect(json!({"auth_token": "wrong"})));
    assert_eq!(said, "-ERR 'Authorization Violation'\r\n");
}

// A12, A103
#[test]
fn connect_that_is_no_json_object_closes_in_silence() {
    let server = ServerProcess::nats();
    let bad = [
        "",
        "{bad",
        "[]",
        "{\"verbose\":\"x\"}",
        "{\"protocol\":\"1\"}",
        "{} x",
        "{}{}",
    ];
    for json in bad {
        let said = Peer::connect(&server).until_closed(format!("CONNECT {json}\r\n"));
        assert_eq!(said, "", "CONNECT {json}");
    }
}

// A99
#[test]
fn an_unknown_protocol_number_is_refused() {
    let server = ServerProcess::nats();
    for protocol in [-1, 2] {
        let said = Peer::connect(&server).until_closed(connect(json!({"protocol": protocol})));
        assert_eq!(
            said, "-ERR 'invalid client protocol'\r\n",
            "protocol {protocol}"
        );
    }
}

// A99
#[test]
fn no_responders_needs_headers() {
    let server = ServerProcess::nats();
    let said = Peer::connect(&server).until_closed(connect(json!({"no_responders": true})));
    assert_eq!(said, "-ERR 'no responders requires headers support'\r\n");
}

// A04, A81
#[test]
fn a_token_lets_in_who_has_it_and_nobody_else() {
    let server = ServerBuilder::nats()
        .config("authorization { token: s3cret }")
        .start();
    let mut peer = Peer::connect(&server);
    assert_eq!(peer.info()["auth_required"], true);
    assert_eq!(
        peer.until_pong(connect(json!({"auth_token": "s3cret"}))),
        ""
    );
    for wrong in [
        json!({"auth_token": "wrong"}),
        json!({"auth_token": ""}),
        json!({"auth_token": "s3cret "}),
        json!({"user": "s3cret"}),
        json!({"user": "s3cret", "pass": "s3cret"}),
        json!({}),
    ] {
        let said = Peer::connect(&server).until_closed(connect(wrong.clone()));
        assert_eq!(said, "-ERR 'Authorization Violation'\r\n", "{wrong}");
    }
}

// A81, D62
#[test]
fn the_auth_flag_asks_for_a_token() {
    let server = ServerBuilder::nats().args(["--auth", "s3cret"]).start();
    let mut peer = Peer::connect(&server);
    assert_eq!(
        peer.until_pong(connect(json!({"auth_token": "s3cret"}))),
        ""
    );
    let said = Peer::connect(&server).until_closed(connect(json!({"auth_token": "wrong"})));
    assert_eq!(said, "-ERR 'Authorization Violation'\r\n");
}

// A81
#[test]
fn user_and_password_let_in_who_has_both() {
    let server = ServerBuilder::nats()
        .config("authorization { user: ana, password: pw }")
        .start();
    let mut peer = Peer::connect(&server);
    assert_eq!(
        peer.until_pong(connect(json!({"user": "ana", "pass": "pw"}))),
        ""
    );
    for wrong in [
        json!({"user": "ana", "pass": "no"}),
        json!({"user": "eva", "pass": "pw"}),
        json!({"user": "ana"}),
        json!({"auth_token": "pw"}),
        json!({}),
    ] {
        let said = Peer::connect(&server).until_closed(connect(wrong.clone()));
        assert_eq!(said, "-ERR 'Authorization Violation'\r\n", "{wrong}");
    }
}

// C01
#[test]
fn a_bcrypt_hash_stands_for_the_password() {
    // bcrypt of "pw", cost 4.
    let hash = "$2a$04$HnoP/JCXcQOEW.XKdP1zDOGzSRsWOsqm0tVjrW/cCYFUsxYfxIvoS";
    let config = format!("authorization {{ user: ana, password: \"{hash}\" }}");
    let server = ServerBuilder::nats().config(config).start();
    let mut peer = Peer::connect(&server);
    assert_eq!(
        peer.until_pong(connect(json!({"user": "ana", "pass": "pw"}))),
        ""
    );
    let said = Peer::connect(&server).until_closed(connect(json!({"user": "ana", "pass": hash})));
    assert_eq!(said, "-ERR 'Authorization Violation'\r\n");
}

// A67, A82
#[test]
fn who_does_not_authenticate_in_time_is_told_and_cut_off() {
    let config = "authorization { token: s3cret, timeout: 0.3 }";
    let server = ServerBuilder::nats().config(config).start();
    for said_so_far in ["", "CONN", "CONNECT {\"auth_token\":\"s3cret\""] {
        let said = Peer::connect(&server).until_closed(said_so_far);
        assert_eq!(said, "-ERR 'Authentication Timeout'\r\n", "{said_so_far:?}");
    }
}

// A04
#[test]
fn a_server_without_header_support_says_so() {
    let server = ServerBuilder::nats()
        .config("no_header_support: true")
        .start();
    assert_eq!(Peer::connect(&server).info()["headers"], false);
    let said = Peer::connect(&server).until_closed(
        "CONNECT {\"verbose\":false,\"headers\":true}\r\nHPUB a 12 12\r\nNATS/1.0\r\n\r\n\r\n",
    );
    assert_eq!(said, "");
}

// A06
#[test]
fn the_json_of_connect_is_read_as_go_reads_it() {
    let server = ServerProcess::nats();
    let deep = format!(
        r#"{{"verbose":false,"x":{}{}}}"#,
        "[".repeat(500),
        "]".repeat(500)
    );
    for quiet in [
        r#"{"verbose":false,"name":"a\ud800b","\udc00":1}"#,
        r#"{"verbose":false,"x":1e999}"#,
        r#"{"verbose":true,"Verbose":false}"#,
        r#"{"VERBOSE":false,"verbose":null}"#,
        &deep,
    ] {
        let mut peer = Peer::connect(&server);
        let said = peer.until_pong(format!("CONNECT{quiet}\r\n"));
        assert_eq!(said, "", "{quiet}");
    }
    for talkative in [r#"{"verbose":false,"Verbose":true}"#, "null", "{}"] {
        let mut peer = Peer::connect(&server);
        let said = peer.until_pong(format!("CONNECT {talkative}\r\n"));
        assert_eq!(said, "+OK\r\n", "{talkative}");
    }
    for bad in [
        "",
        r#" {"verbose":"yes","verbose":false}"#,
        r#" {"nkey":5}"#,
        r#" {"protocol":1.0}"#,
        " []",
    ] {
        let said = Peer::connect(&server).until_closed(format!("CONNECT{bad}\r\n"));
        assert_eq!(said, "", "{bad}");
    }
}
