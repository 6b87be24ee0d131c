//! `recado bench`.

use nix::sys::signal::Signal;
use recado_conformance::{Peer, ServerBuilder, ServerProcess};
use serde_json::Value;

use crate::guard::guarded;
use crate::harness::{Ended, recado};
use crate::relay::{losing, secured};

/// The objects of a run with `--json`, one a line.
fn objects(ended: &Ended) -> Vec<Value> {
    let stdout = String::from_utf8_lossy(&ended.stdout);
    stdout
        .lines()
        .map(|line| serde_json::from_str(line).expect("JSON"))
        .collect()
}

/// What one role did in the only run.
fn role(ended: &Ended, name: &str) -> Value {
    let roles = objects(ended)[0]["bench"]["roles"].clone();
    let roles = roles.as_array().expect("a list of roles");
    let role = roles.iter().find(|role| role["role"] == name);
    role.unwrap_or_else(|| panic!("no {name} in {roles:?}"))
        .clone()
}

#[test]
fn what_is_published_is_counted_where_it_arrives() {
    let server = ServerProcess::nats();
    let args = [
        "bench",
        "pubsub",
        "--clients",
        "3",
        "--subscribers",
        "2",
        "--msgs",
        "10k",
        "--size",
        "16",
        "--json",
    ];
    let ended = recado(&server.url(), args).run();
    assert_eq!(ended.code, Some(0), "{}", ended.stderr);
    let (published, delivered) = (role(&ended, "publisher"), role(&ended, "subscriber"));
    assert_eq!(published["messages"], 10_000);
    assert_eq!(published["clients"].as_array().unwrap().len(), 3);
    assert_eq!(
        (&delivered["messages"], &delivered["bytes"]),
        (&20_000.into(), &320_000.into())
    );
    assert_eq!(delivered["lost"], 0);
    assert!(delivered["messages_per_second_of_each"]["stddev"].is_number());
    let run = &objects(&ended)[0]["bench"];
    assert_eq!(run["cpu"]["server_pid"], server.pid(), "{run}");
    assert!(
        run["cpu"]["server_ns_per_message"].as_f64() > Some(0.0),
        "{run}"
    );
}

#[test]
fn the_table_for_people_names_roles_clients_rates_and_cpu() {
    let server = ServerProcess::nats();
    let args = ["bench", "pubsub", "--clients", "2", "--msgs", "2k"];
    let stdout = recado(&server.url(), args).succeed();
    for words in [
        "messages/s",
        "MB/s",
        "publisher 1",
        "publisher 2",
        "published",
        "delivered",
        "min ",
        "stddev ",
        &format!("process {}", server.pid()),
        "CPU of this program",
    ] {
        assert!(stdout.contains(words), "{words:?} is not in:\n{stdout}");
    }
    assert!(
        !stdout.contains('\u{1b}'),
        "no colours in a pipe:\n{stdout}"
    );
}

#[test]
fn without_a_number_it_lasts_for_its_time_and_all_sizes_arrive() {
    let server = ServerProcess::nats();
    for size in ["0", "1", "4KiB", "512KiB"] {
        let args = ["bench", "pubsub", "-d", "500ms", "--size", size, "--json"];
        let ended = recado(&server.url(), args).run();
        assert_eq!(ended.code, Some(0), "{size}: {}", ended.stderr);
        let (published, delivered) = (role(&ended, "publisher"), role(&ended, "subscriber"));
        assert!(published["messages"].as_u64() > Some(0), "{size}");
        assert_eq!(published["messages"], delivered["messages"], "{size}");
        assert_eq!(published["bytes"], delivered["bytes"], "{size}");
    }
}

#[test]
fn several_subjects_and_a_queue_group_share_the_messages() {
    let server = ServerProcess::nats();
    let args = [
        "bench",
        "pubsub",
        "one",
        "two.three",
        "--subjects",
        "50",
        "--msgs",
        "5001",
        "--json",
    ];
    let ended = recado(&server.url(), args).run();
    assert_eq!(ended.code, Some(0), "{}", ended.stderr);
    assert_eq!(role(&ended, "subscriber")["messages"], 5001);

    let args = [
        "bench",
        "pubsub",
        "--queue",
        "workers",
        "--subscribers",
        "3",
        "--msgs",
        "9k",
        "--json",
    ];
    let ended = recado(&server.url(), args).run();
    assert_eq!(ended.code, Some(0), "{}", ended.stderr);
    let delivered = role(&ended, "subscriber");
    assert_eq!(
        (&delivered["messages"], &delivered["lost"]),
        (&9000.into(), &0.into())
    );
}

#[test]
fn publishers_and_subscribers_may_be_programs_of_their_own() {
    let server = ServerProcess::nats();
    let args = ["bench", "sub", "a.*", "-c", "2", "--msgs", "5k"];
    let people = recado(&server.url(), args).spawn();
    people.told("waiting for the first message");
    let stdout = recado(&server.url(), ["bench", "pub", "a.b", "--msgs", "5k"]).succeed();
    assert!(
        stdout.contains("published") && !stdout.contains("delivered"),
        "{stdout}"
    );
    let ended = people.end();
    assert_eq!(ended.code, Some(0), "{}", ended.stderr);
    let stdout = String::from_utf8(ended.stdout).unwrap();
    assert!(
        stdout.contains("subscriber 2") && stdout.contains("10,000"),
        "{stdout}"
    );
}

#[test]
fn a_message_that_does_not_arrive_is_named_and_gives_a_status() {
    let server = ServerProcess::nats();
    let args = ["bench", "pubsub", "--msgs", "1000", "--timeout", "300ms"];
    let ended = recado(&losing(server.addr(), 500), args).run();
    assert_eq!(ended.code, Some(4), "{}", ended.stderr);
    let stdout = String::from_utf8(ended.stdout).unwrap();
    assert!(
        stdout.contains("lost: 1 of 1,000 (subscriber 1)"),
        "{stdout}"
    );
    assert!(
        ended.stderr.contains("did not arrive: 1"),
        "{}",
        ended.stderr
    );

    let args = ["bench", "sub", "few", "--msgs", "10", "--timeout", "300ms"];
    let listening = recado(&server.url(), args).spawn();
    listening.told("waiting for the first message");
    recado(&server.url(), ["bench", "pub", "few", "--msgs", "7"]).succeed();
    let ended = listening.end();
    assert_eq!(ended.code, Some(4), "{}", ended.stderr);
    let stdout = String::from_utf8(ended.stdout).unwrap();
    assert!(stdout.contains("lost: 3 of 10 (subscriber 1)"), "{stdout}");
}

#[test]
fn requests_are_answered_by_its_own_responders_or_by_others() {
    let server = ServerProcess::nats();
    let args = [
        "bench",
        "request",
        "-c",
        "4",
        "--responders",
        "2",
        "--msgs",
        "101",
        "--json",
    ];
    let ended = recado(&server.url(), args).run();
    assert_eq!(ended.code, Some(0), "{}", ended.stderr);
    let asked = role(&ended, "requester");
    assert_eq!(
        (&asked["messages"], &asked["lost"]),
        (&101.into(), &0.into())
    );
    assert!(asked["latency"]["p99_ms"].is_number() && asked["clients"][3]["latency"].is_object());

    let ended = recado(&server.url(), ["bench", "request", "greet", "--msgs", "5"]).run();
    assert_eq!(ended.code, Some(3), "{}", ended.stderr);
    assert!(
        ended.stderr.contains("nobody answers on \"greet\""),
        "{}",
        ended.stderr
    );

    let answering = recado(&server.url(), ["bench", "reply", "greet", "--msgs", "5"]).spawn();
    answering.told("waiting for the first message");
    let stdout = recado(&server.url(), ["bench", "request", "greet", "--msgs", "5"]).succeed();
    assert!(
        stdout.contains("latency of the requests") && stdout.contains("p99"),
        "{stdout}"
    );
    let ended = answering.end();
    assert_eq!(ended.code, Some(0), "{}", ended.stderr);
    assert!(
        String::from_utf8(ended.stdout)
            .unwrap()
            .contains("answered")
    );
}

#[test]
fn ctrl_c_in_the_middle_shows_what_went_through_so_far() {
    let server = ServerProcess::nats();
    let mut onlooker = Peer::plain(&server);
    onlooker.until_pong("SUB long 1 q\r\n");
    for kind in ["pubsub", "request"] {
        let mut args = vec!["bench", kind, "long", "-d", "1h"];
        if kind == "request" {
            args.extend(["--responders", "1"]);
        }
        let running = recado(&server.url(), &args).spawn();
        onlooker.message();
        running.signal(Signal::SIGINT);
        let ended = running.end();
        assert_eq!(ended.code, Some(130), "{kind}: {}", ended.stderr);
        let stdout = String::from_utf8(ended.stdout).unwrap();
        assert!(
            stdout.contains("messages/s") && !stdout.contains("lost"),
            "{stdout}"
        );
        onlooker = Peer::plain(&server);
        onlooker.until_pong("SUB long 1 q\r\n");
    }
    // Who listens without an end is ended that way, and has done all that was asked.
    let listening = recado(&server.url(), ["bench", "sub", "quiet"]).spawn();
    listening.told("waiting for the first message");
    recado(&server.url(), ["bench", "pub", "quiet", "--msgs", "10"]).succeed();
    listening.signal(Signal::SIGINT);
    let ended = listening.end();
    assert_eq!(ended.code, Some(0), "{}", ended.stderr);
}

#[test]
fn a_server_that_dies_in_the_middle_is_told_after_what_went_through() {
    let mut server = ServerProcess::nats();
    let mut onlooker = Peer::plain(&server);
    onlooker.until_pong("SUB long 1 q\r\n");
    let running = recado(&server.url(), ["bench", "pubsub", "long", "-d", "1h"]).spawn();
    onlooker.message();
    server.kill();
    let ended = running.end();
    // A kernel that closes the socket of a killed process resets it if anything was left unread.
    assert!(
        matches!(ended.code, Some(12 | 16)),
        "{:?} {}",
        ended.code,
        ended.stderr
    );
    assert!(
        String::from_utf8(ended.stdout)
            .unwrap()
            .contains("published")
    );
}

#[test]
fn csv_has_a_line_for_each_client_and_each_role() {
    let server = ServerProcess::nats();
    let args = [
        "bench", "pubsub", "-c", "2", "--msgs", "1k", "--rounds", "2", "--csv",
    ];
    let stdout = recado(&server.url(), args).succeed();
    let rows: Vec<Vec<&str>> = stdout
        .lines()
        .map(|line| line.split(',').collect())
        .collect();
    assert_eq!(rows.len(), 1 + 2 * 5, "{stdout}");
    assert!(
        rows.iter().all(|row| row.len() == rows[0].len()),
        "{stdout}"
    );
    assert_eq!(
        &rows[0][..5],
        ["round", "server", "role", "client", "messages"]
    );
    let keys: Vec<&[&str]> = rows[1..6].iter().map(|row| &row[2..5]).collect();
    let expected: [&[&str]; 5] = [
        &["publisher", "1", "500"],
        &["publisher", "2", "500"],
        &["publisher", "all", "1000"],
        &["subscriber", "1", "1000"],
        &["subscriber", "all", "1000"],
    ];
    assert_eq!(keys, expected);
}

#[test]
fn two_servers_are_compared_in_turn_with_medians_and_ratios() {
    let (one, other) = (ServerProcess::nats(), ServerProcess::nats());
    let args = ["bench", "pubsub", "--msgs", "2k", "--rounds", "2", "--vs"];
    let vs = other.url();
    let ended = recado(
        &one.url(),
        args.iter().copied().chain([vs.as_str(), "--json"]),
    )
    .run();
    assert_eq!(ended.code, Some(0), "{}", ended.stderr);
    let objects = objects(&ended);
    let servers: Vec<&str> = objects[..4]
        .iter()
        .map(|run| run["bench"]["server"].as_str().unwrap())
        .collect();
    let (a, b) = (one.addr().to_string(), other.addr().to_string());
    assert_eq!(servers, [&a, &b, &a, &b]);
    let summary = &objects[4]["summary"];
    assert!(
        summary["ratios"]["messages_per_second"].as_f64() > Some(0.0),
        "{summary}"
    );
    assert!(
        summary["ratios"]["server_cpu_ns_per_message"].is_number(),
        "{summary}"
    );

    let stdout = recado(&one.url(), args.iter().copied().chain([vs.as_str()])).succeed();
    assert!(stdout.contains("Medians of 2 rounds, alternating") && stdout.contains("ratio"));
}

#[test]
fn over_tls_everything_is_measured_too() {
    let server = ServerProcess::nats();
    let relay = secured(server.addr());
    let trusted = relay.authority.path().to_str().unwrap();
    let run = |args: &[&str]| recado(&relay.url, args).env("SSL_CERT_FILE", trusted).run();
    let ended = run(&["bench", "pubsub", "--msgs", "20k", "-c", "2", "--json"]);
    assert_eq!(ended.code, Some(0), "{}", ended.stderr);
    assert_eq!(role(&ended, "subscriber")["messages"], 20_000);
    let ended = run(&[
        "bench", "pubsub", "--msgs", "20", "--size", "600KB", "--json",
    ]);
    assert_eq!(ended.code, Some(0), "{}", ended.stderr);
    assert_eq!(role(&ended, "subscriber")["bytes"], 12_000_000);
    let ended = run(&["bench", "request", "--msgs", "200", "--json"]);
    assert_eq!(ended.code, Some(0), "{}", ended.stderr);
    assert_eq!(role(&ended, "requester")["messages"], 200);
    let ended = run(&["latency", "--rate", "200", "-d", "200ms", "--warm-up", "0s"]);
    assert_eq!(ended.code, Some(0), "{}", ended.stderr);
    let stdout = String::from_utf8(ended.stdout).unwrap();
    assert!(stdout.contains("40 answered, 0 lost"), "{stdout}");
}

#[test]
fn credentials_and_permissions_count_as_everywhere() {
    let server = ServerBuilder::nats().args(["--auth", "right"]).start();
    let args = ["bench", "pubsub", "--msgs", "100", "--token"];
    let run = |token| recado(&server.url(), args.iter().copied().chain([token])).run();
    assert_eq!(run("right").code, Some(0));
    assert_eq!(run("wrong").code, Some(9));

    let server = ServerProcess::nats();
    let url = guarded(server.addr(), &["allowed", "_INBOX"]);
    let ended = recado(&url, ["bench", "pub", "forbidden", "-d", "1h"]).run();
    assert_eq!(ended.code, Some(10), "{}", ended.stderr);
    let ended = recado(&url, ["latency", "forbidden", "--responder"]).run();
    assert_eq!(ended.code, Some(10), "{}", ended.stderr);
}

#[test]
fn a_command_line_that_makes_no_sense_is_refused() {
    let server = ServerProcess::nats();
    for (args, words) in [
        (&["pubs"][..], "possible: pub, sub, pubsub, request, reply"),
        (&["pub", "a.*"], "has a wildcard"),
        (&["pub", "--subscribers", "2"], "only for bench pubsub"),
        (&["pubsub", "--responders", "2"], "only for bench request"),
        (&["pubsub", "--clients", "5000"], "--clients: at most 1000"),
        (
            &["pubsub", "--subjects", "1000000"],
            "--subjects: at most 100000",
        ),
        (&["pubsub", "--msgs", "0"], "is no number"),
        (&["pubsub", "--json", "--csv"], "can't be used together"),
        (&["pubsub", "--vs", "http://x"], "is no server address"),
    ] {
        let ended = recado(&server.url(), ["bench"].iter().chain(args)).run();
        assert_eq!(ended.code, Some(2), "{args:?}: {}", ended.stderr);
        assert!(ended.stderr.contains(words), "{args:?}: {}", ended.stderr);
    }
    let ended = recado(&server.url(), ["bench", "pub", "--size", "100MB"]).run();
    assert_eq!(ended.code, Some(11), "{}", ended.stderr);
}
