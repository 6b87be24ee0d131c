//! async-nats end to end against the server: what a user of the client in Rust relies on.

#![forbid(unsafe_code)]

use std::collections::HashMap;
use std::future::Future;
use std::time::Duration;

use async_nats::{Client, ConnectErrorKind, ConnectOptions, Event, HeaderMap, RequestErrorKind};
use async_nats::{Message, PublishErrorKind, Subscriber};
use futures_util::StreamExt;
use nix::sys::signal::Signal;
use recado_conformance::{PATIENCE, ServerBuilder, ServerProcess, server_program};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{mpsc, watch};

/// The value, or a failed test when that takes too long.
async fn soon<T>(what: &str, future: impl Future<Output = T>) -> T {
    match tokio::time::timeout(PATIENCE, future).await {
        Ok(value) => value,
        Err(_) => panic!("waited in vain for {what}"),
    }
}

async fn client(server: &ServerProcess) -> Client {
    async_nats::connect(server.url())
        .await
        .expect("the server lets everyone in")
}

/// A client whose events come out of the channel. It tries to reconnect ten times a second.
async fn observed(
    url: String,
    options: ConnectOptions,
) -> (Client, mpsc::UnboundedReceiver<Event>) {
    let (sender, events) = mpsc::unbounded_channel();
    let options = options
        .reconnect_delay_callback(|_| Duration::from_millis(100))
        .event_callback(move |event| {
            // Nobody listens any more once the test is over.
            let _ = sender.send(event);
            std::future::ready(())
        });
    (
        options.connect(url).await.expect("the server lets it in"),
        events,
    )
}

async fn wait_for(events: &mut mpsc::UnboundedReceiver<Event>, wanted: &Event) {
    let found = async { while events.recv().await.expect("the client lives") != *wanted {} };
    soon(&wanted.to_string(), found).await;
}

async fn next(subscriber: &mut Subscriber) -> Message {
    soon("a message", subscriber.next())
        .await
        .expect("the subscription lives")
}

async fn payloads(subscriber: &mut Subscriber, count: usize) -> Vec<String> {
    let mut got = Vec::new();
    for _ in 0..count {
        got.push(String::from_utf8_lossy(&next(subscriber).await.payload).into_owned());
    }
    got
}

/// Waits until the server has done all that the client sent. The client's own `flush` does not
/// tell: it only writes. A request comes after all else, and is answered at once when nobody
/// listens.
async fn settle(client: &Client) {
    let answer = soon(
        "an answer",
        client.request("nobody.listens.here", "".into()),
    )
    .await;
    assert_eq!(
        answer.expect_err("nobody listens").kind(),
        RequestErrorKind::NoResponders
    );
}

/// The subjects of all that was on its way to the subscription, which ends.
async fn drained(client: &Client, mut subscriber: Subscriber) -> Vec<String> {
    settle(client).await;
    subscriber.drain().await.expect("a live subscription");
    let mut got = Vec::new();
    while let Some(message) = soon("the end of the drain", subscriber.next()).await {
        got.push(message.subject.to_string());
    }
    got
}

#[tokio::test]
async fn info_describes_the_server() {
    let server = ServerBuilder::nats().args(["-n", "quiet-harbour"]).start();
    let client = client(&server).await;
    let info = client.server_info();
    assert_eq!(info.server_name, "quiet-harbour");
    assert_eq!(
        (info.port, info.max_payload),
        (server.addr().port(), 1_048_576)
    );
    assert!(info.headers && !info.auth_required && !info.lame_duck_mode);
    assert!(client.is_server_compatible(2, 10, 0));
}

#[tokio::test]
async fn wildcards_match_one_token_or_the_rest() {
    let server = ServerProcess::nats();
    let client = client(&server).await;
    let star = client.subscribe("time.*.east").await.expect("a connection");
    let rest = client.subscribe("time.us.>").await.expect("a connection");
    for subject in ["time.us.east", "time.us.east.x", "time.eu.east", "time.us"] {
        client
            .publish(subject, "".into())
            .await
            .expect("a connection");
    }
    assert_eq!(
        drained(&client, star).await,
        ["time.us.east", "time.eu.east"]
    );
    assert_eq!(
        drained(&client, rest).await,
        ["time.us.east", "time.us.east.x"]
    );
}

#[tokio::test]
async fn a_queue_group_shares_messages() {
    let server = ServerProcess::nats();
    let mut members = Vec::new();
    for _ in 0..3 {
        let client = client(&server).await;
        let subscriber = client.queue_subscribe("jobs.*", "workers".into()).await;
        settle(&client).await;
        members.push((client, subscriber.expect("a connection")));
    }
    let publisher = client(&server).await;
    for number in 0..300 {
        publisher
            .publish(format!("jobs.{number}"), "".into())
            .await
            .expect("a connection");
    }
    settle(&publisher).await;
    let mut counts = HashMap::new();
    for (client, subscriber) in members {
        let got = drained(&client, subscriber).await;
        assert!(
            got.len() > 30,
            "one member of three got {} of 300",
            got.len()
        );
        for subject in got {
            *counts.entry(subject).or_insert(0) += 1;
        }
    }
    assert!(
        counts.len() == 300 && counts.values().all(|count| *count == 1),
        "{counts:?}"
    );
}

#[tokio::test]
async fn requests_get_their_replies() {
    let server = ServerProcess::nats();
    let responder = client(&server).await;
    let mut requests = responder.subscribe("double").await.expect("a connection");
    settle(&responder).await;
    tokio::spawn(async move {
        while let Some(request) = requests.next().await {
            let reply = request.reply.expect("a request has a reply subject");
            let payload = [&request.payload[..], &request.payload[..]].concat();
            responder
                .publish(reply, payload.into())
                .await
                .expect("a connection");
        }
    });
    let client = client(&server).await;
    let asked = (0..100).map(|number| {
        let client = client.clone();
        async move { client.request("double", format!("{number}.").into()).await }
    });
    for (number, reply) in futures_util::future::join_all(asked)
        .await
        .into_iter()
        .enumerate()
    {
        let reply = reply.expect("somebody answers");
        assert_eq!(
            String::from_utf8_lossy(&reply.payload),
            format!("{number}.{number}.")
        );
    }
}

#[tokio::test]
async fn a_request_that_nobody_hears_fails_at_once() {
    let server = ServerProcess::nats();
    let client = client(&server).await;
    let error = soon("an answer", client.request("no.body", "".into())).await;
    assert_eq!(
        error.expect_err("nobody is there").kind(),
        RequestErrorKind::NoResponders
    );
}

#[tokio::test]
async fn headers_arrive_with_repeated_names_and_their_case() {
    let server = ServerProcess::nats();
    let client = client(&server).await;
    let mut subscriber = client.subscribe("a").await.expect("a connection");
    let mut headers = HeaderMap::new();
    headers.append("Trace-Id", "a b:c");
    headers.append("Trace-Id", "second");
    headers.append("trace-id", "ñandú");
    let sent = client.publish_with_reply_and_headers("a", "re.ply", headers.clone(), "body".into());
    sent.await.expect("a connection");
    let message = next(&mut subscriber).await;
    assert_eq!(message.headers, Some(headers));
    assert_eq!(message.reply.as_deref(), Some("re.ply"));
    assert_eq!(message.payload, "body");
}

#[tokio::test]
async fn drain_handles_what_is_on_its_way() {
    let server = ServerProcess::nats();
    let (publisher, client) = (client(&server).await, client(&server).await);
    let mut subscriber = client.subscribe("work").await.expect("a connection");
    settle(&client).await;
    for number in 0..1000 {
        publisher
            .publish("work", number.to_string().into())
            .await
            .expect("a connection");
    }
    settle(&publisher).await;
    client.drain().await.expect("a connection");
    let expected: Vec<String> = (0..1000).map(|number: i32| number.to_string()).collect();
    assert_eq!(payloads(&mut subscriber, 1000).await, expected);
    assert!(soon("the end", subscriber.next()).await.is_none());
}

#[tokio::test]
async fn auto_unsubscribe_ends_after_its_count() {
    let server = ServerProcess::nats();
    let client = client(&server).await;
    let mut subscriber = client.subscribe("tick").await.expect("a connection");
    subscriber
        .unsubscribe_after(3)
        .await
        .expect("a live subscription");
    for number in 0..10 {
        client
            .publish("tick", number.to_string().into())
            .await
            .expect("a connection");
    }
    assert_eq!(payloads(&mut subscriber, 3).await, ["0", "1", "2"]);
    assert!(soon("the end", subscriber.next()).await.is_none());
    let error = client
        .request("tick", "".into())
        .await
        .expect_err("the server has ended it");
    assert_eq!(error.kind(), RequestErrorKind::NoResponders);
}

#[tokio::test]
async fn without_echo_own_messages_do_not_come_back() {
    let server = ServerProcess::nats();
    let mute = ConnectOptions::new()
        .no_echo()
        .connect(server.url())
        .await
        .expect("a server");
    let mut own = mute.subscribe("a").await.expect("a connection");
    mute.publish("a", "mine".into())
        .await
        .expect("a connection");
    settle(&mute).await;
    let other = client(&server).await;
    other
        .publish("a", "yours".into())
        .await
        .expect("a connection");
    assert_eq!(payloads(&mut own, 1).await, ["yours"]);
}

#[tokio::test]
async fn a_client_reconnects_after_a_kill_with_its_subscriptions() {
    let mut server = ServerProcess::nats();
    let (client, mut events) = observed(server.url(), ConnectOptions::new()).await;
    let mut subscriber = client.subscribe("still.here").await.expect("a connection");
    settle(&client).await;
    server.kill();
    wait_for(&mut events, &Event::Disconnected).await;
    client
        .publish("still.here", "while away".into())
        .await
        .expect("it waits");
    server.restart();
    wait_for(&mut events, &Event::Connected).await;
    client
        .publish("still.here", "back".into())
        .await
        .expect("a connection");
    assert_eq!(payloads(&mut subscriber, 2).await, ["while away", "back"]);
}

/// Passes bytes between one client and the server; while `open` is false, it reads nothing from
/// the server, so that the client looks stalled.
async fn valve(server: &ServerProcess, open: watch::Receiver<bool>) -> String {
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("a free port");
    let url = format!("nats://{}", listener.local_addr().expect("an address"));
    let addr = server.addr();
    tokio::spawn(async move {
        while let Ok((client, _)) = listener.accept().await {
            let server = TcpStream::connect(addr).await.expect("the server accepts");
            let (mut from_client, mut to_client) = client.into_split();
            let (mut from_server, mut to_server) = server.into_split();
            tokio::spawn(async move { tokio::io::copy(&mut from_client, &mut to_server).await });
            let mut open = open.clone();
            tokio::spawn(async move {
                let mut buffer = vec![0; 65_536];
                loop {
                    open.wait_for(|open| *open)
                        .await
                        .expect("the test holds the other end");
                    let Ok(count @ 1..) = from_server.read(&mut buffer).await else {
                        break;
                    };
                    if to_client.write_all(&buffer[..count]).await.is_err() {
                        break;
                    }
                }
            });
        }
    });
    url
}

#[tokio::test]
async fn a_client_that_stalls_is_cut_off_and_the_others_are_served() {
    let config = "max_pending: 2MB, max_payload: 1MB, write_deadline: \"5s\"";
    let server = ServerBuilder::nats().config(config).start();
    let (gate, open) = watch::channel(true);
    let url = valve(&server, open).await;
    let (stalled, mut events) = observed(url, ConnectOptions::new().name("stalled")).await;
    let _flooded = stalled.subscribe("flood").await.expect("a connection");
    settle(&stalled).await;
    let (healthy, publisher) = (client(&server).await, client(&server).await);
    let mut subscriber = healthy.subscribe("flood").await.expect("a connection");
    settle(&healthy).await;

    gate.send(false).expect("the valve listens");
    for _ in 0..60 {
        publisher
            .publish("flood", vec![0; 512 * 1024].into())
            .await
            .expect("a connection");
        assert_eq!(next(&mut subscriber).await.payload.len(), 512 * 1024);
    }
    server.wait_for_log("slow consumer");
    gate.send(true).expect("the valve listens");
    wait_for(&mut events, &Event::Disconnected).await;
    wait_for(&mut events, &Event::Connected).await;
}

#[tokio::test]
async fn max_payload_is_known_to_the_client() {
    let server = ServerBuilder::nats().config("max_payload: 1000").start();
    let client = client(&server).await;
    assert_eq!(client.max_payload(), 1000);
    let mut subscriber = client.subscribe("a").await.expect("a connection");
    client
        .publish("a", vec![0; 1000].into())
        .await
        .expect("it is not too large");
    assert_eq!(next(&mut subscriber).await.payload.len(), 1000);
    let error = client
        .publish("a", vec![0; 1001].into())
        .await
        .expect_err("it is too large");
    assert_eq!(error.kind(), PublishErrorKind::MaxPayloadExceeded);
}

async fn is_refused(server: &ServerProcess, options: ConnectOptions) -> bool {
    let error = options
        .connect(server.url())
        .await
        .expect_err("it has no right to connect");
    error.kind() == ConnectErrorKind::AuthorizationViolation
}

#[tokio::test]
async fn a_token_opens_and_anything_else_does_not() {
    let server = ServerBuilder::nats()
        .config("authorization { token: s3cret }")
        .start();
    let options = ConnectOptions::with_token("s3cret".into());
    let client = options
        .connect(server.url())
        .await
        .expect("it is the right one");
    settle(&client).await;
    assert!(is_refused(&server, ConnectOptions::with_token("wrong".into())).await);
    let user = ConnectOptions::with_user_and_password("s3cret".into(), "s3cret".into());
    assert!(is_refused(&server, user).await);
    assert!(is_refused(&server, ConnectOptions::new()).await);
}

#[tokio::test]
async fn user_and_password_open_and_anything_else_does_not() {
    let config = "authorization { user: ana, password: secreta }";
    let server = ServerBuilder::nats().config(config).start();
    let with = |user: &str, password: &str| {
        ConnectOptions::with_user_and_password(user.into(), password.into())
    };
    let client = with("ana", "secreta")
        .connect(server.url())
        .await
        .expect("the right ones");
    settle(&client).await;
    assert!(is_refused(&server, with("ana", "wrong")).await);
    assert!(is_refused(&server, with("eva", "secreta")).await);
    assert!(is_refused(&server, ConnectOptions::with_token("secreta".into())).await);
    assert!(is_refused(&server, ConnectOptions::new()).await);
}

#[tokio::test]
async fn a_lame_duck_gives_notice() {
    let server = ServerProcess::nats();
    let (client, mut events) = observed(server.url(), ConnectOptions::new()).await;
    // The notice goes to who has had the answer to its first PING.
    settle(&client).await;
    server.signal(Signal::SIGUSR2);
    wait_for(&mut events, &Event::LameDuckMode).await;
}

#[tokio::test]
async fn a_service_is_found_and_answers() {
    use async_nats::service::ServiceExt;
    let server = ServerProcess::nats();
    let (provider, asker) = (client(&server).await, client(&server).await);
    let service = provider
        .service_builder()
        .start("adder", "1.0.0")
        .await
        .expect("a service");
    let mut endpoint = service.endpoint("add").await.expect("an endpoint");
    settle(&provider).await;
    tokio::spawn(async move {
        while let Some(request) = endpoint.next().await {
            request.respond(Ok("6".into())).await.expect("a connection");
        }
    });
    let reply = asker
        .request("add", "1 2 3".into())
        .await
        .expect("an answer");
    assert_eq!(reply.payload, "6");
    for verb in ["PING", "INFO", "STATS"] {
        let reply = asker
            .request(format!("$SRV.{verb}.adder"), "".into())
            .await
            .expect(verb);
        assert!(
            String::from_utf8_lossy(&reply.payload).contains("\"adder\""),
            "{verb}"
        );
    }
}

#[tokio::test]
async fn a_server_of_the_harness_crate_restarts_on_its_port_and_ends_when_dropped() {
    let dir = tempfile::tempdir().expect("a temporary directory");
    let program = dir.path().join("nats-server");
    std::os::unix::fs::symlink(server_program(), &program).expect("a link");
    let mut server = nats_server::run_program(program, "", None);
    let port = server.client_port();
    let (client, mut events) = observed(server.client_url(), ConnectOptions::new()).await;
    settle(&client).await;
    server.restart();
    assert_eq!(server.client_port(), port);
    wait_for(&mut events, &Event::Disconnected).await;
    wait_for(&mut events, &Event::Connected).await;
    settle(&client).await;
    nats_server::set_lame_duck_mode(&server);
    wait_for(&mut events, &Event::LameDuckMode).await;
    drop(server);
    assert!(nats_server::is_port_available(port.into()));
}
