//! What a stranger on monitoring's port can't do: read without the token, climb, write, or hold the place.

use std::io::{Read, Write};
use std::net::TcpStream;
use std::time::Instant;

use recado_server::config::{Options, Personality};

use crate::http::{connect, document, exchange, get, read_answer, request};
use crate::{DEADLINE, builder, eventually, server};

#[test]
fn it_listens_on_loopback_unless_an_address_is_given_but_for_nats_server() {
    let (_server, watch) = server(|_| {});
    assert!(watch.ip().is_loopback());
    let (open, at) = server_on("0.0.0.0");
    assert!(at.ip().is_unspecified());
    drop(open);
    let nats = builder(|options| {
        options.personality = Personality::NatsServer;
        options.host = Some("0.0.0.0".to_owned());
    });
    let nats = nats.start().unwrap();
    let (host, at) = nats.monitoring_addr().unwrap();
    assert_eq!(host, "0.0.0.0");
    assert!(at.ip().is_unspecified());
}

fn server_on(host: &str) -> (recado_server::Server, std::net::SocketAddr) {
    server(|options| options.monitoring.host = Some(host.to_owned()))
}

#[test]
fn with_a_token_nothing_is_told_without_it_but_health() {
    let (_server, watch) =
        server(|options| options.monitoring.token = Some("clave-larga".to_owned()));
    let paths = [
        "/",
        "/varz",
        "/connz",
        "/subsz",
        "/jsz",
        "/accountz",
        "/accstatz",
        "/routez",
        "/gatewayz",
        "/leafz",
        "/metrics",
        "/none",
    ];
    for path in paths {
        for lines in [
            "",
            "Authorization: Bearer wrong\r\n",
            "Authorization: Basic Y2xhdmU=\r\n",
        ] {
            let answer = request(watch, "GET", path, lines);
            assert_eq!(answer.status, 401, "{path} {lines}");
            assert!(answer.head.contains("www-authenticate: bearer"));
            assert!(!answer.body.contains("clave-larga"));
        }
        let lines = "Authorization: Bearer clave-larga\r\n";
        let answer = request(watch, "GET", path, lines);
        assert_eq!(
            answer.status,
            if path == "/none" { 404 } else { 200 },
            "{path}"
        );
    }
    assert_eq!(get(watch, "/healthz").status, 200);
    // Asked of streams it would tell their names to who guesses.
    assert_eq!(get(watch, "/healthz?account=$G&stream=S").status, 401);
}

#[test]
fn only_the_paths_that_there_are_lead_anywhere() {
    let (_server, watch) = server(|_| {});
    for path in [
        "/../etc/passwd",
        "/varz/../../etc/passwd",
        "//varz",
        "/varz/",
        "/VARZ",
        "/%76arz",
        "/varz%00",
        "/varz;x",
        "/stacksz",
        "/debug/vars",
        "/favicon.ico",
    ] {
        assert_eq!(get(watch, path).status, 404, "{path}");
    }
    assert_eq!(get(watch, "/varz?x=/../..").status, 200);
    assert_eq!(get(watch, "http://other/varz").status, 200);
}

#[test]
fn a_base_path_stands_before_every_path() {
    let (_server, watch) = server(|options| options.monitoring.base_path = "/nats".to_owned());
    for (path, status) in [
        ("/nats", 200),
        ("/nats/", 200),
        ("/nats/varz", 200),
        ("/natsvarz", 404),
        ("/varz", 404),
        ("/", 404),
    ] {
        assert_eq!(get(watch, path).status, status, "{path}");
    }
    assert!(get(watch, "/nats/").body.contains("href=\"/nats/connz\""));
}

#[test]
fn it_is_only_read() {
    let (_server, watch) = server(|_| {});
    for method in [
        "POST", "PUT", "DELETE", "OPTIONS", "PATCH", "TRACE", "CONNECT",
    ] {
        let target = if method == "CONNECT" { "x:1" } else { "/varz" };
        let answer = request(watch, method, target, "");
        assert_eq!(answer.status, 405, "{method}");
        assert!(answer.head.contains("allow: get, head"), "{method}");
    }
    let head = request(watch, "HEAD", "/varz", "");
    assert_eq!((head.status, head.body.as_str()), (200, ""));
    assert!(head.head.contains("content-length: "));
    // A body is not read: the connection ends behind the answer.
    let with_body = exchange(
        watch,
        "GET /varz HTTP/1.1\r\nHost: x\r\nContent-Length: 5\r\n\r\nhello",
    );
    assert_eq!(with_body.status, 200);
}

#[test]
fn answers_say_what_they_are_to_pages_of_any_origin() {
    let (_server, watch) = server(|_| {});
    let answer = get(watch, "/varz");
    for line in [
        "access-control-allow-origin: *",
        "content-type: application/json",
        "cache-control: no-store",
        "x-content-type-options: nosniff",
    ] {
        assert!(answer.head.contains(line), "{line}: {}", answer.head);
    }
}

#[test]
fn parameters_that_are_none_are_refused_with_a_text_that_names_them() {
    let (_server, watch) = server(|_| {});
    for (path, part) in [
        ("/connz?auth=perhaps", "'auth'"),
        ("/connz?limit=ten", "'limit'"),
        ("/connz?cid=-1", "'cid'"),
        ("/connz?state=half", "state"),
        ("/connz?sort=size", "invalid sorting option: size"),
        ("/connz?sort=stop", "only valid on closed connections"),
        (
            "/connz?sort=reason&state=all",
            "only valid on closed connections",
        ),
        ("/connz?subs=some", "'subs'"),
        ("/subsz?subs=1&test=a.*", "invalid test subject"),
        ("/subsz?offset=x", "'offset'"),
        ("/jsz?consumers=x", "'consumers'"),
        ("/healthz?details=x", "'details'"),
        ("/accstatz?unused=x", "'unused'"),
        ("/leafz?subs=detail", "'subs'"),
    ] {
        let answer = get(watch, path);
        assert_eq!(answer.status, 400, "{path}: {}", answer.body);
        assert!(answer.body.contains(part), "{path}: {}", answer.body);
        assert!(answer.head.contains("content-type: text/plain"), "{path}");
    }
    // What comes back is what was sent, as text: no page of another's making.
    let answer = get(watch, "/connz?sort=%3Cscript%3E");
    assert!(answer.head.contains("content-type: text/plain"));
    assert!(answer.head.contains("x-content-type-options: nosniff"));
}

#[test]
fn heads_that_are_too_large_or_no_http_are_refused() {
    let (_server, watch) = server(|_| {});
    let long = "x".repeat(40_000);
    let many: String = (0..200)
        .map(|number| format!("X-{number}: y\r\n"))
        .collect();
    for (request, status) in [
        (format!("GET /varz?{long} HTTP/1.1\r\nHost: x\r\n\r\n"), 414),
        (format!("GET /varz HTTP/1.1\r\nX: {long}\r\n\r\n"), 431),
        (format!("GET /varz HTTP/1.1\r\n{many}\r\n"), 431),
        ("NONSENSE\r\n\r\n".to_owned(), 400),
        ("GET /varz HTTP/1.1\r\nA b: c\r\n\r\n".to_owned(), 400),
        ("\0\0\0\0\r\n\r\n".to_owned(), 400),
    ] {
        let answer = exchange(watch, &request);
        let shown = request.get(..40).unwrap_or(&request);
        assert!(
            answer.status == status || (status == 414 && answer.status == 431),
            "{shown:?}: {}",
            answer.status
        );
    }
    document(watch, "/varz");
}

#[test]
fn who_is_slow_with_a_request_is_closed_and_others_are_served_meanwhile() {
    let (_server, watch) = server(|_| {});
    let mut slow: Vec<TcpStream> = (0..30).map(|_| connect(watch)).collect();
    for socket in &mut slow {
        socket.write_all(b"GET /varz HTTP/1.1\r\nX-Slow: ").unwrap();
    }
    document(watch, "/varz");
    let start = Instant::now();
    for socket in &mut slow {
        // A letter now and then does not help.
        let _ = socket.write_all(b"x");
        let answer = read_answer(socket);
        assert!(answer.status == 0 || answer.status == 408, "{answer:?}");
    }
    assert!(start.elapsed() < DEADLINE);
    document(watch, "/varz");
}

#[test]
fn one_address_gets_only_so_many_connections_and_is_told() {
    let (_server, watch) = server(|_| {});
    let mut held = Vec::new();
    let refused = eventually("a refusal", || {
        let mut socket = connect(watch);
        socket
            .set_read_timeout(Some(std::time::Duration::from_millis(50)))
            .unwrap();
        let mut byte = [0; 12];
        match socket.read(&mut byte) {
            Ok(count) if count > 0 => Some(String::from_utf8_lossy(&byte[..count]).into_owned()),
            _ => {
                held.push(socket);
                assert!(held.len() <= 64, "{} are held", held.len());
                None
            }
        }
    });
    assert!(refused.starts_with("HTTP/1.1 503"), "{refused}");
    assert_eq!(held.len(), 64);
    held.clear();
    eventually("room again", || {
        (get(watch, "/varz").status == 200).then_some(())
    });
}

#[test]
fn a_connection_may_ask_again_and_again() {
    let (_server, watch) = server(|_| {});
    let mut socket = connect(watch);
    for _ in 0..3 {
        socket
            .write_all(b"GET /healthz HTTP/1.1\r\nHost: x\r\n\r\n")
            .unwrap();
        let mut seen = Vec::new();
        while !seen.ends_with(b"{\"status\":\"ok\"}") {
            let mut chunk = [0; 1024];
            let count = socket.read(&mut chunk).unwrap();
            assert!(count > 0, "{}", String::from_utf8_lossy(&seen));
            seen.extend_from_slice(&chunk[..count]);
        }
    }
}

#[test]
fn the_server_ends_while_somebody_is_connected_to_monitoring() {
    let (server, watch) = server(|_| {});
    let _idle = connect(watch);
    let start = Instant::now();
    server.shutdown();
    assert!(start.elapsed() < DEADLINE / 3);
    assert!(TcpStream::connect(watch).is_err());
}

#[test]
fn another_token_is_asked_for_once_the_configuration_was_read_again() {
    let with = |token: &'static str| {
        move |options: &mut Options| options.monitoring.token = Some(token.to_owned())
    };
    let (server, addr) = server(with("clave"));
    let status = |token: &str| {
        let line = format!("Authorization: Bearer {token}\r\n");
        request(addr, "GET", "/varz", &line).status
    };
    assert_eq!((status("clave"), status("otra")), (200, 401));
    let mut told = None;
    let _ = builder(|options| {
        with("otra")(options);
        told = Some(options.clone());
    });
    let reloaded = server.reload(told.unwrap()).unwrap();
    assert_eq!(reloaded.changed, ["monitor_token"]);
    assert_eq!((status("clave"), status("otra")), (401, 200));
}
