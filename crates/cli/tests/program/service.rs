//! Responders as services (ADR-32), and `recado service`, which finds them and others'.

use std::io::{BufRead, BufReader};
use std::process::{Command, Stdio};

use async_nats::service::ServiceExt;
use futures_util::StreamExt;
use recado_conformance::{Peer, ServerBuilder, ServerProcess};
use serde_json::Value;

use crate::guard::guarded;
use crate::harness::recado;
use crate::processes::{responder, until};

fn objects(url: &str, args: &[&str]) -> Vec<Value> {
    let shown = recado(url, ["service"].iter().chain(args).chain(&["--json"])).succeed();
    shown
        .lines()
        .map(|line| serde_json::from_str(line).unwrap())
        .collect()
}

#[test]
fn every_responder_is_found_with_what_it_is_and_has_done() {
    let server = ServerProcess::nats();
    let url = server.url();
    let fail = responder(
        &url,
        &[
            "math.fail",
            "--description",
            "always fails",
            "--exec",
            "exit 1",
        ],
    );
    recado(&url, ["request", "math.fail", "x"]).run();
    let _greet = responder(
        &url,
        &["greet", "--service", "greeter", "--queue", "q1", "--echo"],
    );
    recado(&url, ["request", "greet", "x", "--count", "2"]).succeed();

    let found = objects(&url, &["info", "math-fail"]);
    let [info] = found.as_slice() else {
        panic!("{found:?}")
    };
    assert_eq!(info["type"], "io.nats.micro.v1.info_response");
    assert_eq!(info["description"], "always fails");
    assert_eq!(info["metadata"]["answers"], "exec");
    assert_eq!(info["metadata"]["pid"], fail.pid().to_string());
    assert_eq!(info["endpoints"][0]["subject"], "math.fail");
    assert_eq!(info["endpoints"][0]["queue_group"], "recado");

    let found = objects(&url, &["stats", "math-fail", info["id"].as_str().unwrap()]);
    let stats = &found[0]["endpoints"][0];
    assert_eq!(found[0]["type"], "io.nats.micro.v1.stats_response");
    assert_eq!(
        (&stats["num_requests"], &stats["num_errors"]),
        (&1.into(), &1.into())
    );
    assert_eq!(
        stats["last_error"],
        "500:the process ended with exit status 1"
    );
    let [total, average] =
        ["processing_time", "average_processing_time"].map(|key| stats[key].as_u64().unwrap());
    assert!(total > 0 && total == average);
    assert!(found[0]["started"].as_str().unwrap().ends_with('Z'));

    let found = objects(&url, &["stats", "greeter"]);
    assert_eq!(found[0]["endpoints"][0]["num_requests"], 2);
    assert_eq!(found[0]["endpoints"][0]["queue_group"], "q1");

    let table = recado(&url, ["service", "ls"]).succeed();
    assert!(table.starts_with("NAME"), "{table}");
    assert!(
        table.contains("math-fail  ") && table.contains("  always fails\n"),
        "{table}"
    );
    let stats = recado(&url, ["service", "stats", "--lang", "es"]).succeed();
    assert!(
        stats.starts_with("NOMBRE") && stats.contains("último error de math-fail"),
        "{stats}"
    );
    let info = recado(&url, ["service", "info", "greeter"]).succeed();
    assert!(
        info.contains("endpoint greeter: subject greet, queue group q1"),
        "{info}"
    );
}

#[test]
fn instances_of_a_name_are_told_apart_by_their_ids() {
    let server = ServerProcess::nats();
    let url = server.url();
    let ends = [1, 2].map(|_| responder(&url, &["twin", "--all", "--echo"]));
    let found = objects(&url, &["ping", "twin"]);
    assert_eq!(found.len(), 2, "{found:?}");
    for one in &found {
        assert_eq!(one["type"], "io.nats.micro.v1.ping_response");
        assert!(
            one["latency_ms"]
                .as_f64()
                .is_some_and(|latency| latency > 0.0)
        );
        let only = objects(&url, &["ping", "twin", one["id"].as_str().unwrap()]);
        assert_eq!(only.len(), 1);
        assert_eq!(only[0]["id"], one["id"]);
    }
    // Who goes is found no more.
    ends[0].signal(nix::sys::signal::Signal::SIGINT);
    until("one of two", || {
        (objects(&url, &["ping", "twin"]).len() == 1).then_some(())
    });
}

#[test]
fn no_service_is_an_error_of_its_own() {
    let server = ServerProcess::nats();
    let url = server.url();
    let ended = recado(&url, ["service", "ls"]).run();
    assert_eq!(ended.code, Some(3), "{ended:?}");
    assert!(
        ended.stderr.contains("no service answers"),
        "{}",
        ended.stderr
    );
    let _one = responder(&url, &["one", "--echo"]);
    let ended = recado(&url, ["service", "info", "other", "--lang", "es"]).run();
    assert_eq!(ended.code, Some(3), "{ended:?}");
    assert!(
        ended.stderr.contains("ningún servicio de nombre «other»"),
        "{}",
        ended.stderr
    );
    for wrong in [&["ls", "a.b"][..], &["ls", "a", "b.c"], &["who"], &[]] {
        let ended = recado(&url, ["service"].iter().chain(wrong)).run();
        assert_eq!(ended.code, Some(2), "{wrong:?}: {ended:?}");
    }
}

/// About our server's own service: another server has none.
#[test]
fn the_servers_own_service_is_found() {
    if std::env::var_os("RECADO_SERVER_BIN").is_some() {
        eprintln!("skipped: only recado-server has a service of its own");
        return;
    }
    let server = ServerBuilder::recado().start();
    let found = objects(&server.url(), &["ls", "recado"]);
    assert_eq!(
        found[0]["endpoints"][0]["subject"], "recado.echo",
        "{found:?}"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn services_of_other_libraries_are_found_and_their_errors_are_errors() {
    let server = ServerProcess::nats();
    let url = server.url();
    let client = async_nats::connect(&url).await.unwrap();
    let service = client
        .service_builder()
        .description("a library's")
        .start("library", "2.3.4")
        .await;
    let service = service.unwrap();
    let mut books = service.endpoint("books").await.unwrap();
    tokio::spawn(async move {
        while let Some(request) = books.next().await {
            let error = async_nats::service::error::Error {
                status: "no such book".to_owned(),
                code: 404,
            };
            request.respond(Err(error)).await.unwrap();
        }
    });
    tokio::task::spawn_blocking(move || {
        let table = recado(&url, ["service", "ls"]).succeed();
        assert!(table.contains("library  2.3.4"), "{table}");
        let ended = recado(&url, ["request", "books", "x"]).run();
        assert_eq!(ended.code, Some(15), "{ended:?}");
        assert!(
            ended.stderr.contains("404 no such book"),
            "{}",
            ended.stderr
        );
        let stats = recado(&url, ["service", "stats", "library"]).succeed();
        assert!(stats.contains("404"), "{stats}");
    })
    .await
    .unwrap();
}

/// Serves until its input ends.
const PYTHON_SERVICE: &str = "
import asyncio, sys, nats
from nats.micro import add_service

async def main():
    client = await nats.connect(sys.argv[1])
    service = await add_service(client, name='pyservice', version='1.2.3', description='in Python')
    async def fail(request):
        await request.respond_error('418', 'a teapot')
    await service.add_endpoint(name='tea', handler=fail)
    await client.flush()
    print('ready', flush=True)
    await asyncio.get_running_loop().run_in_executor(None, sys.stdin.read)

asyncio.run(main())
";

#[test]
fn services_in_python_are_found_and_their_errors_are_errors() {
    let server = ServerProcess::nats();
    let url = server.url();
    let mut service = Command::new(recado_conformance::python_suite("e2e.py").program)
        .args(["-c", PYTHON_SERVICE, &url])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let mut ready = String::new();
    let mut said = BufReader::new(service.stdout.take().unwrap());
    said.read_line(&mut ready).unwrap();
    assert_eq!(ready, "ready\n");
    let table = recado(&url, ["service", "ls"]).succeed();
    assert!(table.contains("pyservice  1.2.3"), "{table}");
    let ended = recado(&url, ["request", "tea", "x"]).run();
    assert_eq!(ended.code, Some(15), "{ended:?}");
    assert!(ended.stderr.contains("418 a teapot"), "{}", ended.stderr);
    let stats = objects(&url, &["stats", "pyservice"]);
    assert_eq!(stats[0]["endpoints"][0]["num_requests"], 1, "{stats:?}");
    drop(service.stdin.take());
    assert!(service.wait().unwrap().success());
}

#[test]
fn an_answer_that_is_no_service_is_left_out_and_can_not_control_the_terminal() {
    let server = ServerProcess::nats();
    let url = server.url();
    let mut peer = Peer::connect(&server);
    peer.until_pong("SUB $SRV.INFO 1\r\n");
    let asking = recado(&url, ["service", "ls"]).spawn();
    let reply = peer.message().reply.expect("a request");
    let evil = "{\"name\":\"evil\\u001b[2J\",\"id\":\"1\",\"version\":7,\"endpoints\":{}}";
    peer.send(format!(
        "PUB {reply} 5\r\nhello\r\nPUB {reply} {}\r\n{evil}\r\n",
        evil.len()
    ));
    let ended = asking.end();
    assert_eq!(ended.code, Some(0), "{ended:?}");
    let shown = String::from_utf8(ended.stdout).unwrap();
    assert!(
        shown.contains("evil\\u{1b}[2J") && !shown.contains('\x1b'),
        "{shown}"
    );
    assert!(
        ended.stderr.contains("An answer was left out"),
        "{}",
        ended.stderr
    );
}

#[test]
fn a_responder_that_may_not_be_discovered_says_so_and_answers() {
    let server = ServerProcess::nats();
    let url = guarded(server.addr(), &["greet", "_INBOX."]);
    let responder = responder(&url, &["greet", "--echo"]);
    responder.told("recado service will not find this responder");
    assert_eq!(
        recado(&server.url(), ["request", "greet", "x", "--raw"]).succeed(),
        "x"
    );
}

#[test]
fn a_responder_to_everything_leaves_discovery_to_services() {
    let server = ServerProcess::nats();
    let url = server.url();
    let everything = responder(&url, &[">", "--echo"]);
    let found = objects(&url, &["ping"]);
    assert_eq!(found.len(), 1, "{found:?}");
    assert_eq!(found[0]["name"], "all");
    assert_eq!(
        recado(&url, ["request", "any.thing", "x", "--raw"]).succeed(),
        "x"
    );
    everything.shows("any.thing: x");
    everything.signal(nix::sys::signal::Signal::SIGINT);
    let shown = String::from_utf8(everything.end().stdout).unwrap();
    assert!(!shown.contains("$SRV"), "{shown}");
}

#[test]
fn an_answer_that_is_not_let_through_does_not_end_the_responder() {
    let server = ServerProcess::nats();
    let url = guarded(server.addr(), &["greet", "_INBOX.", "$SRV."]);
    let responder = responder(&url, &["greet", "--echo"]);
    // Whoever asks chooses where the answer goes.
    recado(&server.url(), ["pub", "greet", "x", "--reply", "forbidden"]).succeed();
    responder.told("An answer was not let through");
    let answer = recado(&server.url(), ["request", "greet", "x", "--raw"]).succeed();
    assert_eq!(answer, "x");
}
