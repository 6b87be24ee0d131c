//! Push consumers (E113, E114, E128).

use super::*;

#[test]
fn messages_are_pushed_only_while_somebody_listens() {
    let mut world = World::new(push_config(), &["a"]);
    assert_eq!(world.delivered(), vec![1]);
    assert!(world.info().push_bound);
    world.out.deaf.insert("in".to_owned());
    world.publish("b");
    assert!(!world.info().push_bound);
    world.out.deaf.clear();
    in_world!(&mut world, |consumer, ctx, _source| consumer
        .interest_changed(ctx));
    world.deliver();
    let sent = world.sent();
    assert_eq!(
        first(&sent),
        Delivery {
            deliveries: 1,
            stream_seq: 2,
            consumer_seq: 2
        }
    );
    assert_eq!(sent.first().map(Sent::pending), Some(0));
}

#[test]
fn headers_alone_carry_the_size_of_what_is_left_out() {
    let config = ConsumerConfig {
        headers_only: true,
        ..push_config()
    };
    let mut world = World::new(config, &["a"]);
    let sent = world.sent();
    let parts = sent
        .first()
        .map(|sent| (sent.headers.as_str(), sent.payload.as_str()));
    assert_eq!(parts, Some(("NATS/1.0\r\nNats-Msg-Size: 7\r\n\r\n", "")));
}

#[test]
fn an_idle_consumer_beats_and_messages_put_the_beat_off() {
    let config = ConsumerConfig {
        idle_heartbeat: SECOND,
        ..push_config()
    };
    let mut world = World::new(config, &["a"]);
    world.pass(SECOND / 2);
    world.publish("b");
    world.sent();
    world.pass(SECOND - 1);
    assert_eq!(world.sent(), []);
    world.pass(1);
    let expected =
        "NATS/1.0 100 Idle Heartbeat\r\nNats-Last-Consumer: 2\r\nNats-Last-Stream: 2\r\n\r\n";
    let sent = world.sent();
    assert_eq!(
        sent.iter()
            .map(|sent| sent.headers.as_str())
            .collect::<Vec<_>>(),
        [expected]
    );
    world.pass(3 * SECOND);
    assert_eq!(world.sent().len(), 3);
}

#[test]
fn flow_control_stops_at_its_window_until_it_is_answered() {
    let config = ConsumerConfig {
        idle_heartbeat: SECOND,
        flow_control: true,
        ..push_config()
    };
    let mut world = World::new(config, &[]);
    let payload = vec![b'x'; 100_000];
    for _ in 0..100 {
        world.stream.publish("a", &payload, START);
    }
    world.deliver();
    let sent = world.sent();
    let delivered = sent.iter().filter(|sent| sent.delivery().is_some()).count();
    assert!((15..30).contains(&delivered), "{delivered}");
    let asks: Vec<_> = sent
        .iter()
        .filter(|sent| sent.status() == "100 FlowControl Request")
        .collect();
    let [ask] = asks.as_slice() else {
        panic!("one request, not {asks:?}")
    };
    assert!(ask.reply.starts_with("$JS.FC.S.C."), "{}", ask.reply);
    world.pass(SECOND);
    let beat = world.sent().pop().expect("a heartbeat");
    assert!(
        beat.headers
            .contains(&format!("Nats-Consumer-Stalled: {}\r\n", ask.reply)),
        "{beat:?}"
    );
    let mut reply = ask.reply.clone();
    let mut total = delivered;
    for _ in 0..10 {
        in_world!(&mut world, |consumer, ctx, source| {
            consumer.flow_control(ctx, source, b"$JS.FC.S.C.other", b"");
            consumer.flow_control(ctx, source, reply.as_bytes(), b"");
        });
        world.deliver();
        let sent = world.sent();
        total += sent.iter().filter(|sent| sent.delivery().is_some()).count();
        if let Some(ask) = sent.iter().find(|sent| sent.reply.starts_with("$JS.FC")) {
            reply.clone_from(&ask.reply);
        }
    }
    assert_eq!(total, 100);
}

#[test]
fn flow_controls_answers_are_acks_where_the_policy_says_so() {
    let config = ConsumerConfig {
        idle_heartbeat: SECOND,
        flow_control: true,
        ack_policy: AckPolicy::FlowControl,
        max_ack_pending: 3,
        ..push_config()
    };
    let mut world = World::new(config, &["a", "b", "c", "d", "e"]);
    let sent = world.sent();
    assert_eq!(
        sent.iter().filter(|sent| sent.delivery().is_some()).count(),
        3
    );
    let ask = sent
        .iter()
        .find(|sent| sent.reply.starts_with("$JS.FC"))
        .expect("asked");
    let headers = "NATS/1.0\r\nNats-Last-Consumer: 2\r\nNats-Last-Stream: 2\r\n\r\n";
    in_world!(&mut world, |consumer, ctx, source| {
        consumer.flow_control(ctx, source, ask.reply.as_bytes(), headers.as_bytes());
    });
    world.deliver();
    assert_eq!(world.delivered(), vec![4, 5]);
    assert_eq!(world.info().ack_floor.stream_seq, 2);
}

#[test]
fn the_rate_is_held_over_time() {
    let config = ConsumerConfig {
        rate_limit_bps: 80_000,
        ..push_config()
    };
    let mut world = World::new(config, &[]);
    for _ in 0..100 {
        world.stream.publish("a", &[b'x'; 960], START);
    }
    world.deliver();
    world.pass(2 * SECOND);
    let delivered = world.delivered().len();
    assert!(
        (18..=22).contains(&delivered),
        "{delivered} messages of 1000 bytes in 2 s at 10 kB/s"
    );
}

#[test]
fn original_replay_is_as_slow_as_the_messages_came() {
    let mut stream = FakeStream::default();
    for at in [0, 10, 70] {
        stream.publish("a", b"", START + at * SECOND);
    }
    let config = ConsumerConfig {
        replay_policy: ReplayPolicy::Original,
        ..push_config()
    };
    let mut world = World::new(config.clone(), &[]);
    world.now = START + 100 * SECOND;
    world.consumer = Consumer::new("S", "C", config, START, &mut stream, world.now);
    world.stream = stream;
    world.tick();
    assert_eq!(world.delivered(), vec![1]);
    world.pass(10 * SECOND);
    assert_eq!(world.delivered(), vec![2]);
    world.pass(59 * SECOND);
    assert_eq!(world.delivered(), [0u64; 0]);
    world.pass(SECOND);
    world.publish("new");
    assert_eq!(world.delivered(), vec![3, 4]);
}

#[test]
fn an_ordered_consumer_counts_its_deliveries_one_by_one() {
    let config = ConsumerConfig {
        mem_storage: true,
        idle_heartbeat: 5 * SECOND,
        flow_control: true,
        filter_subject: "a".to_owned(),
        ..push_config()
    };
    let mut world = World::new(config, &["a", "b", "a", "b", "b", "a"]);
    let tokens: Vec<_> = world
        .sent()
        .iter()
        .filter_map(|sent| {
            sent.delivery()
                .map(|one| (one.consumer_seq, one.stream_seq, sent.pending()))
        })
        .collect();
    assert_eq!(tokens, [(1, 1, 2), (2, 3, 1), (3, 6, 0)]);
}
