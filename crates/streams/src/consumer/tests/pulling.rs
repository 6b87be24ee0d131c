//! Pull requests (E100 to E119).

use super::*;

#[test]
fn a_message_comes_from_its_own_subject_with_an_ack_subject_to_the_inbox() {
    let mut world = World::new(pull_config(), &["a.b", "c"]);
    world.pull("_INBOX.x", "");
    let expected = Sent {
        inbox: "_INBOX.x".to_owned(),
        subject: "a.b".to_owned(),
        reply: format!("$JS.ACK.S.C.1.1.1.{START}.1"),
        headers: String::new(),
        payload: "payload".to_owned(),
    };
    assert_eq!(world.sent(), vec![expected]);
}

#[test]
fn requests_wait_and_are_served_in_turn() {
    let mut world = World::new(pull_config(), &[]);
    world.pull("x", "3");
    world.pull("y", "2");
    assert_eq!(world.info().num_waiting, 2);
    for _ in 0..6 {
        world.publish("a");
    }
    let inboxes: Vec<String> = world.sent().into_iter().map(|sent| sent.inbox).collect();
    assert_eq!(inboxes, ["x", "y", "x", "y", "x"]);
    assert_eq!(world.info().num_pending, 1);
    assert_eq!(world.info().num_waiting, 0);
}

#[test]
fn who_does_not_wait_is_told_at_once_that_there_is_nothing() {
    let mut world = World::new(pull_config(), &[]);
    world.pull("x", r#"{"batch": 5, "no_wait": true}"#);
    assert_eq!(world.statuses(), ["404 No Messages"]);
    let mut world = World::new(pull_config(), &["a", "b"]);
    world.pull("x", r#"{"batch": 5, "no_wait": true}"#);
    let sent = world.sent();
    assert_eq!(
        sent.iter().map(Sent::status).collect::<Vec<_>>(),
        ["", "", "404 No Messages"]
    );
}

#[test]
fn who_does_not_wait_but_for_a_time_waits_for_the_first_message() {
    let mut world = World::new(pull_config(), &[]);
    let body = r#"{"batch": 5, "no_wait": true, "expires": 1000000000}"#;
    world.pull("x", body);
    assert_eq!(world.sent(), []);
    world.publish("a");
    assert_eq!(world.statuses(), ["404 No Messages"]);
    world.pull("x", body);
    world.pass(2 * SECOND);
    assert_eq!(world.statuses(), ["408 Request Timeout"]);
}

#[test]
fn messages_that_others_wait_for_are_not_promised_again() {
    let config = ConsumerConfig {
        max_ack_pending: 1,
        ..pull_config()
    };
    let mut world = World::new(config, &["a", "b", "c"]);
    world.pull("x", "10");
    world.pull("y", r#"{"batch": 5, "no_wait": true}"#);
    assert_eq!(world.statuses(), ["408 Requests Pending"]);
}

#[test]
fn a_request_expires_and_is_told_what_it_did_not_get() {
    let mut world = World::new(pull_config(), &["a"]);
    world.pull(
        "x",
        r#"{"batch": 3, "expires": 1000000000, "max_bytes": 1000}"#,
    );
    let taken = world.sent().len();
    assert_eq!(taken, 1);
    world.pass(SECOND - 1);
    assert_eq!(world.sent(), []);
    world.pass(2);
    let sent = world.sent();
    let bytes = 1000 - ("a".len() + format!("$JS.ACK.S.C.1.1.1.{START}.0").len() + 7);
    let expected = format!(
        "NATS/1.0 408 Request Timeout\r\nNats-Pending-Messages: 2\r\nNats-Pending-Bytes: {bytes}\r\n\r\n"
    );
    assert_eq!(
        sent.first().map(|sent| sent.headers.clone()),
        Some(expected)
    );
}

#[test]
fn bytes_that_do_not_suffice_end_the_request_and_the_message_goes_to_the_next() {
    let mut world = World::new(pull_config(), &["a"]);
    world.pull("x", r#"{"batch": 3, "max_bytes": 10}"#);
    assert_eq!(world.statuses(), ["409 Message Size Exceeds MaxBytes"]);
    assert_eq!(world.info().num_waiting, 0);
    world.pull("y", "1");
    assert_eq!(world.delivered(), vec![1]);
}

#[test]
fn who_asked_for_no_number_is_told_that_none_were_left() {
    let mut world = World::new(pull_config(), &[]);
    for (asked, messages, bytes) in [
        ("", 0, 0),
        (r#""max_bytes": -1,"#, 0, -1),
        (r#""batch": 0,"#, 0, 0),
        (r#""batch": 2, "max_bytes": 9,"#, 2, 9),
    ] {
        world.pull("x", &format!("{{{asked} \"expires\": {SECOND}}}"));
        world.pass(SECOND);
        let expected = format!(
            "NATS/1.0 408 Request Timeout\r\nNats-Pending-Messages: {messages}\r\nNats-Pending-Bytes: {bytes}\r\n\r\n"
        );
        assert_eq!(world.sent()[0].headers, expected);
    }
    world.pull("x", "{}");
    world.publish("a");
    world.publish("a");
    assert_eq!(world.delivered(), [1]);
}

#[test]
fn a_full_batch_with_bytes_left_is_told_so() {
    let mut world = World::new(pull_config(), &["a"]);
    world.pull("x", r#"{"batch": 1, "max_bytes": 1000}"#);
    assert_eq!(world.statuses(), ["409 Batch Completed"]);
}

#[test]
fn limits_of_requests_are_named_when_they_are_met() {
    let config = ConsumerConfig {
        max_batch: 5,
        max_expires: 90 * SECOND,
        max_bytes: 100,
        ..pull_config()
    };
    let mut world = World::new(config, &[]);
    world.pull("x", "6");
    world.pull("x", r#"{"batch": 1, "expires": 90000000001}"#);
    world.pull("x", r#"{"batch": 1, "max_bytes": 101}"#);
    assert_eq!(
        world.statuses(),
        [
            "409 Exceeded MaxRequestBatch of 5",
            "409 Exceeded MaxRequestExpires of 1m30s",
            "409 Exceeded MaxRequestMaxBytes of 100"
        ]
    );
}

#[test]
fn too_many_requests_are_refused_unless_the_client_has_heartbeats() {
    let config = ConsumerConfig {
        max_waiting: 1,
        ..pull_config()
    };
    let mut world = World::new(config, &[]);
    world.pull("x", "1");
    world.pull("y", "1");
    assert_eq!(world.statuses(), ["409 Exceeded MaxWaiting"]);
    world.pull(
        "y",
        r#"{"batch": 1, "expires": 1000000000, "idle_heartbeat": 100000000}"#,
    );
    assert_eq!(world.statuses(), [""; 0]);
}

#[test]
fn a_full_queue_of_requests_that_nobody_listens_to_makes_room() {
    let config = ConsumerConfig {
        max_waiting: 1,
        ..pull_config()
    };
    let mut world = World::new(config, &[]);
    world.pull("x", "1");
    world.out.deaf.insert("x".to_owned());
    world.now += 2 * SECOND;
    world.pull("y", "1");
    world.publish("a");
    assert_eq!(world.delivered(), vec![1]);
}

#[test]
fn bad_requests_are_refused_in_words() {
    let mut world = World::new(pull_config(), &[]);
    world.pull("x", r#"{"batch": 1, "expires": 10, "idle_heartbeat": 10}"#);
    assert_eq!(
        world.statuses(),
        ["400 Bad Request - heartbeat value too large"]
    );
    world.pull("x", "{");
    assert!(world.statuses().concat().starts_with("400 Bad Request - "));
}

#[test]
fn a_push_consumer_can_not_be_pulled() {
    let mut world = World::new(push_config(), &[]);
    world.pull("x", "1");
    assert_eq!(world.statuses(), ["409 Consumer is push based"]);
}

#[test]
fn heartbeats_come_while_nothing_is_delivered() {
    let mut world = World::new(pull_config(), &["a"]);
    let body = r#"{"batch": 9, "expires": 1000000000, "idle_heartbeat": 300000000}"#;
    world.pull("x", body);
    world.sent();
    world.pass(200 * MS);
    world.publish("a");
    world.sent();
    world.pass(299 * MS);
    assert_eq!(world.sent(), []);
    world.pass(2 * MS);
    let sent = world.sent();
    let expected =
        "NATS/1.0 100 Idle Heartbeat\r\nNats-Last-Consumer: 2\r\nNats-Last-Stream: 2\r\n\r\n";
    assert_eq!(
        sent.iter()
            .map(|sent| sent.headers.as_str())
            .collect::<Vec<_>>(),
        [expected]
    );
}

#[test]
fn a_request_that_nobody_listens_to_is_dropped_without_losing_the_message() {
    let mut world = World::new(pull_config(), &[]);
    world.pull("x", "5");
    world.pull("y", "5");
    world.out.deaf.insert("x".to_owned());
    world.publish("a");
    let sent = world.sent();
    assert_eq!(
        sent.iter()
            .map(|sent| sent.inbox.as_str())
            .collect::<Vec<_>>(),
        ["y"]
    );
    assert_eq!(
        first(&sent),
        Delivery {
            deliveries: 1,
            stream_seq: 1,
            consumer_seq: 1
        }
    );
    assert_eq!(world.info().num_waiting, 1);
}

#[test]
fn waiting_requests_end_with_the_consumer_and_with_the_server() {
    let mut world = World::new(pull_config(), &[]);
    world.pull("x", "5");
    in_world!(&mut world, |consumer, ctx, _source| consumer
        .end_shutdown(ctx));
    world.pull("x", "5");
    in_world!(&mut world, |consumer, ctx, _source| consumer
        .end_deleted(ctx));
    assert_eq!(
        world.statuses(),
        ["409 Server Shutdown", "409 Consumer Deleted"]
    );
}

#[test]
fn an_ack_with_next_brings_the_next_message_to_its_reply() {
    let mut world = World::new(pull_config(), &["a", "b"]);
    world.pull("x", "1");
    let delivery = first(&world.sent());
    assert_eq!(world.ack_to(delivery, "+NXT", "y"), Confirmation::None);
    let sent = world.sent();
    assert_eq!(
        sent.first()
            .map(|sent| (sent.inbox.as_str(), sent.subject.as_str())),
        Some(("y", "b"))
    );
    assert_eq!(world.info().num_ack_pending, 1);
}

#[test]
fn a_filter_that_leaves_much_out_is_looked_through_in_parts() {
    let mut world = World::new(pull_config(), &["a"]);
    world.stream.tired = 2;
    in_world!(&mut world, |consumer, ctx, source| {
        consumer.request(ctx, source, b"x", b"");
        assert!(consumer.deliver_ready(ctx, source, 1));
        assert!(consumer.deliver_ready(ctx, source, 1));
    });
    assert_eq!(world.delivered(), [0u64; 0]);
    world.deliver();
    assert_eq!(world.delivered(), vec![1]);
}

#[test]
fn a_lost_message_is_passed_over_and_told_of() {
    let mut world = World::new(pull_config(), &["a", "b", "c"]);
    world.stream.lost.insert(2);
    world.pull("x", "3");
    assert_eq!(world.delivered(), vec![1, 3]);
    assert_eq!(world.events(), [Event::Lost { stream_seq: 2 }]);
    assert_eq!(world.info().num_pending, 0);
}

#[test]
fn requests_for_more_than_there_could_ever_be_are_counted_without_harm() {
    let mut world = World::new(
        ConsumerConfig {
            max_ack_pending: 1,
            ..pull_config()
        },
        &["a", "b", "c"],
    );
    world.pull("x", "9223372036854775807");
    world.pull("y", "9223372036854775807");
    world.pull("z", "9223372036854775807");
    world.pull("w", r#"{"batch": 9, "no_wait": true}"#);
    assert_eq!(world.statuses(), ["408 Requests Pending"]);
}

#[test]
fn a_client_that_does_not_keep_up_gets_no_more_until_it_does_and_others_do() {
    let mut world = World::new(pull_config(), &[]);
    for _ in 0..40 {
        world.stream.publish("a", &[b'x'; 10_000], START);
    }
    world.out.slow.insert("x".to_owned());
    world.pull("x", r#"{"batch": 100, "no_wait": true}"#);
    assert_eq!(world.delivered().len(), 7);
    world.pass(SECOND);
    assert_eq!(world.sent(), []);
    world.pull("y", "5");
    world.pass(2 * MS);
    assert_eq!(world.delivered().len(), 5);
    world.out.slow.clear();
    world.pass(2 * MS);
    let sent = world.sent();
    assert_eq!(sent.len(), 29);
    assert_eq!(sent.last().map(Sent::status), Some("404 No Messages"));
}
