//! Acks, redelivery, dead letters (E139 to E141).

use super::*;

#[test]
fn the_floor_rises_when_the_first_message_is_acknowledged() {
    let mut world = World::new(pull_config(), &["a", "b", "c", "d"]);
    world.pull("x", "3");
    let _ = world.answer(2, "");
    let floor = world.info().ack_floor;
    assert_eq!((floor.consumer_seq, floor.stream_seq), (0, 0));
    let _ = world.answer(1, "+ACK");
    let floor = world.info().ack_floor;
    assert_eq!((floor.consumer_seq, floor.stream_seq), (2, 2));
    assert_eq!(world.info().num_ack_pending, 1);
    assert_eq!(world.stream.settled, vec![2, 1]);
}

#[test]
fn an_ack_of_all_settles_everything_before() {
    let config = ConsumerConfig {
        ack_policy: AckPolicy::All,
        ..pull_config()
    };
    let mut world = World::new(config, &["a", "b", "c", "d"]);
    world.pull("x", "4");
    assert_eq!(world.answer(3, ""), Confirmation::Owed);
    assert_eq!(world.info().num_ack_pending, 1);
    assert_eq!(world.info().ack_floor.stream_seq, 3);
    assert_eq!(world.stream.settled, vec![1, 2, 3]);
    assert_eq!(world.answer(2, ""), Confirmation::Owed);
    assert_eq!(world.info().ack_floor.stream_seq, 3);
}

#[test]
fn without_acks_a_delivery_settles_the_message() {
    let mut world = World::new(
        ConsumerConfig {
            ack_policy: AckPolicy::None,
            ..pull_config()
        },
        &["a", "b"],
    );
    world.pull("x", "1");
    assert_eq!(world.stream.settled, vec![1]);
    assert!(!world.consumer.needs(1) && world.consumer.needs(2));
    assert_eq!(world.info().num_ack_pending, 0);
    assert_eq!(world.answer(1, ""), Confirmation::Untaken);
}

#[test]
fn acks_are_not_taken_where_the_policy_knows_none() {
    for ack_policy in [AckPolicy::None, AckPolicy::FlowControl] {
        let config = ConsumerConfig {
            ack_policy,
            ..pull_config()
        };
        let mut world = World::new(config, &["a", "b"]);
        world.pull("x", "1");
        let delivery = first(&world.sent());
        let before = world.info().ack_floor;
        for payload in ["", "+NXT", "-NAK", "+WPI", "+TERM", "what?"] {
            let confirmation = world.ack_to(delivery, payload, "x");
            assert_eq!(confirmation, Confirmation::Untaken, "{payload}");
        }
        assert_eq!((world.sent(), world.events()), (vec![], vec![]));
        assert_eq!(world.info().ack_floor, before);
    }
}

#[test]
fn a_message_that_is_not_acknowledged_comes_again_with_its_count() {
    let mut world = World::new(pull_config(), &["a", "b"]);
    world.pull("x", "2");
    let _ = world.answer(2, "");
    world.sent();
    world.pull("x", "5");
    world.pass(30 * SECOND - 1);
    assert_eq!(world.delivered(), [0u64; 0]);
    world.pass(1);
    let sent = world.sent();
    assert_eq!(
        first(&sent),
        Delivery {
            deliveries: 2,
            stream_seq: 1,
            consumer_seq: 3
        }
    );
    assert_eq!(world.info().num_redelivered, 1);
    assert_eq!(world.info().delivered.stream_seq, 2);
    let _ = world.ack(first(&sent), "");
    assert_eq!(world.info().ack_floor.consumer_seq, 3);
    assert_eq!(world.info().num_redelivered, 0);
}

#[test]
fn redeliveries_come_before_what_is_new() {
    let mut world = World::new(pull_config(), &["a", "b", "c"]);
    world.pull("x", "2");
    let _ = world.answer(2, "-NAK");
    let _ = world.answer(1, "-NAK");
    world.sent();
    world.pull("x", "3");
    assert_eq!(world.delivered(), vec![2, 1, 3]);
}

#[test]
fn who_is_refused_again_stands_at_the_end_of_the_queue() {
    let mut world = World::new(pull_config(), &["a", "b", "c", "d"]);
    world.pull("x", "4");
    for seq in [1, 2, 3, 4] {
        let _ = world.answer(seq, "-NAK");
    }
    world.sent();
    let mut order = Vec::new();
    for refusal in [
        "-NAK",
        "-NAK {\"delay\": 1}",
        "-NAK",
        "-NAK",
        "-NAK",
        "-NAK",
    ] {
        world.pull("x", r#"{"batch": 1, "no_wait": true}"#);
        let delivery = first(&world.sent());
        order.push(delivery.stream_seq);
        let _ = world.ack(delivery, refusal);
        world.pass(1);
    }
    assert_eq!(order, [1, 2, 3, 4, 1, 2]);
}

#[test]
fn who_is_not_acknowledged_in_time_again_stands_at_the_end_of_the_queue() {
    let mut world = World::new(pull_config(), &["a", "b", "c"]);
    world.pull("x", "3");
    world.pass(30 * SECOND);
    world.sent();
    let mut order = Vec::new();
    for _ in 0..4 {
        world.pull("x", "1");
        order.extend(world.delivered());
        world.pass(30 * SECOND);
    }
    assert_eq!(order, [1, 2, 3, 1]);
}

#[test]
fn a_refusal_with_a_delay_comes_again_after_it() {
    let mut world = World::new(pull_config(), &["a", "b"]);
    world.pull("x", "2");
    let _ = world.answer(1, "-NAK {\"delay\": 2000000000}");
    let _ = world.answer(2, "-NAK 1s");
    world.sent();
    world.pull("x", "9");
    world.pass(SECOND - 1);
    assert_eq!(world.delivered(), [0u64; 0]);
    world.pass(1);
    assert_eq!(world.delivered(), vec![2]);
    world.pass(SECOND);
    assert_eq!(world.delivered(), vec![1]);
    assert!(matches!(
        world.events().first(),
        Some(Event::Naked {
            stream_seq: 1,
            deliveries: 1,
            ..
        })
    ));
}

#[test]
fn a_plea_for_time_puts_the_next_delivery_off() {
    let mut world = World::new(pull_config(), &["a"]);
    world.pull("x", "2");
    world.pass(20 * SECOND);
    let _ = world.answer(1, "+WPI");
    world.sent();
    world.pass(20 * SECOND);
    assert_eq!(world.delivered(), [0u64; 0]);
    world.pass(10 * SECOND);
    assert_eq!(world.delivered(), vec![1]);
}

#[test]
fn a_plea_for_time_that_is_late_changes_nothing() {
    let mut world = World::new(pull_config(), &["a", "b"]);
    world.pull("x", "2");
    let _ = world.answer(1, "-NAK");
    world.pass(30 * SECOND);
    let _ = world.answer(1, "+WPI");
    let _ = world.answer(2, "+WPI");
    world.sent();
    world.pull("x", "2");
    assert_eq!(world.delivered(), [1, 2]);
}

#[test]
fn the_waits_for_acks_grow_as_the_backoff_says() {
    let config = ConsumerConfig {
        backoff: vec![SECOND, 3 * SECOND],
        max_deliver: 4,
        ..pull_config()
    };
    let mut world = World::new(config, &["a"]);
    world.pull("x", "9");
    world.sent();
    for seconds in [1, 3, 3] {
        world.pass(seconds * SECOND - 1);
        assert_eq!(world.delivered(), [0u64; 0]);
        world.pass(1);
        assert_eq!(world.delivered(), vec![1]);
    }
}

#[test]
fn after_its_last_delivery_a_message_is_a_dead_letter_once_and_stays_needed() {
    let config = ConsumerConfig {
        max_deliver: 2,
        ..pull_config()
    };
    let mut world = World::new(config, &["a", "b"]);
    world.pull("x", "9");
    let _ = world.answer(2, "");
    world.pass(100 * SECOND);
    assert_eq!(
        world.events(),
        [
            Event::MaxDeliveries {
                stream_seq: 1,
                deliveries: 2
            },
            Event::DeadLetter {
                stream_seq: 1,
                deliveries: 2
            }
        ]
    );
    world.pass(100 * SECOND);
    assert_eq!(world.events(), []);
    assert_eq!(world.delivered(), vec![1, 2, 1]);
    let info = world.info();
    assert_eq!(
        (
            info.num_ack_pending,
            info.num_redelivered,
            info.ack_floor.stream_seq
        ),
        (0, 1, 2)
    );
    assert!(world.consumer.needs(1) && !world.consumer.needs(2));
    world.save(false);
    world.restart();
    assert!(world.consumer.needs(1));
    world.pass(100 * SECOND);
    assert_eq!((world.events(), world.delivered()), (vec![], vec![]));
}

#[test]
fn fewer_deliveries_hold_for_what_is_queued_already() {
    let with = |max_deliver| ConsumerConfig {
        max_deliver,
        ..pull_config()
    };
    for (max_deliver, is_told) in [(2, true), (1, false)] {
        let mut world = World::new(with(-1), &["a"]);
        for _ in 0..2 {
            world.pull("x", "1");
            let _ = world.answer(1, "-NAK");
        }
        world.sent();
        world.events();
        in_world!(&mut world, |consumer, ctx, source| consumer.update(
            ctx,
            source,
            with(max_deliver)
        ));
        assert_eq!(world.info().num_ack_pending, 1);
        world.pull("x", r#"{"batch": 1, "no_wait": true}"#);
        assert_eq!(world.statuses(), ["404 No Messages"]);
        let told = |event: &Event| matches!(event, Event::MaxDeliveries { deliveries: 2, .. });
        assert_eq!(world.events().iter().any(told), is_told);
        assert!(world.consumer.needs(1) && world.info().num_ack_pending == 0);
    }
}

#[test]
fn a_terminated_message_is_settled_and_told_each_time() {
    let mut world = World::new(pull_config(), &["a"]);
    world.pull("x", "1");
    assert_eq!(world.answer(1, "+TERM no good"), Confirmation::Owed);
    let _ = world.answer(1, "+TERM again");
    let terminated = |reason: &str| Event::Terminated {
        stream_seq: 1,
        consumer_seq: 1,
        deliveries: 1,
        reason: reason.to_owned(),
    };
    let told = [terminated("no good"), terminated("again")];
    assert_eq!(world.events(), told);
    assert_eq!(world.stream.settled, vec![1]);
}

#[test]
fn an_ack_of_all_for_an_earlier_delivery_settles_what_it_confirms() {
    let config = ConsumerConfig {
        ack_policy: AckPolicy::All,
        ..pull_config()
    };
    let mut world = World::new(config, &["a", "b"]);
    world.pull("x", "2");
    let early: Vec<Delivery> = world.sent().iter().filter_map(Sent::delivery).collect();
    world.pull("x", "1");
    world.pass(30 * SECOND);
    let again = first(&world.sent());
    assert_eq!((again.stream_seq, again.consumer_seq), (1, 3));
    assert_eq!(world.ack(again, ""), Confirmation::Owed);
    assert_eq!(world.ack(early[1], ""), Confirmation::Owed);
    assert_eq!(world.info().num_ack_pending, 0);
    assert_eq!(world.stream.settled, vec![1, 2]);
}

#[test]
fn delivery_stalls_while_too_much_is_unacknowledged() {
    let config = ConsumerConfig {
        max_ack_pending: 2,
        ..pull_config()
    };
    let mut world = World::new(config, &["a", "b", "c"]);
    world.pull("x", r#"{"batch": 9, "no_wait": true}"#);
    assert_eq!(world.delivered(), vec![1, 2]);
    let _ = world.answer_first(1);
    let sent = world.sent();
    assert_eq!(first(&sent).stream_seq, 3);
}

#[test]
fn acks_of_what_was_never_delivered_change_nothing_and_are_not_confirmed() {
    let mut world = World::new(pull_config(), &["a", "b"]);
    world.pull("x", "1");
    let ahead = Delivery {
        deliveries: 1,
        stream_seq: 2,
        consumer_seq: 2,
    };
    assert_eq!(world.ack(ahead, ""), Confirmation::None);
    let never = Delivery {
        deliveries: 1,
        stream_seq: u64::MAX,
        consumer_seq: u64::MAX,
    };
    for payload in ["", "-NAK", "+WPI", "+TERM", "+NXT", "-NAK 5s"] {
        let _ = world.ack(never, payload);
    }
    assert_eq!(world.info().num_ack_pending, 1);
    assert_eq!(world.stream.settled, [0u64; 0]);
}

#[test]
fn a_second_ack_is_confirmed_too() {
    let mut world = World::new(pull_config(), &["a"]);
    world.pull("x", "1");
    assert_eq!(world.answer(1, ""), Confirmation::Owed);
    assert_eq!(world.answer(1, ""), Confirmation::Owed);
    assert_eq!(world.stream.settled, vec![1]);
}

#[test]
fn sampled_acks_say_how_long_they_took() {
    let config = ConsumerConfig {
        sample_freq: "100%".to_owned(),
        ..pull_config()
    };
    let mut world = World::new(config, &["a"]);
    world.pull("x", "1");
    world.pass(5 * SECOND);
    let _ = world.answer(1, "");
    let expected = Event::AckSampled {
        stream_seq: 1,
        consumer_seq: 1,
        deliveries: 1,
        delay_ns: 5 * SECOND,
    };
    assert_eq!(world.events(), [expected]);
}

#[test]
fn a_sampled_ack_names_the_delivery_that_it_is_for() {
    let config = ConsumerConfig {
        sample_freq: "100".to_owned(),
        ..pull_config()
    };
    let mut world = World::new(config, &["a", "b"]);
    world.pull("x", "2");
    let _ = world.answer(1, "-NAK");
    world.pull("x", "1");
    let _ = world.answer(1, "");
    let sampled = |event: &Event| match event {
        Event::AckSampled {
            consumer_seq,
            deliveries,
            ..
        } => Some((*consumer_seq, *deliveries)),
        _ => None,
    };
    let events = world.events();
    assert_eq!(events.iter().find_map(sampled), Some((3, 2)));
}

#[test]
fn what_leaves_the_stream_and_what_is_unknown_counts_as_an_ack() {
    let mut world = World::new(pull_config(), &["a", "b"]);
    world.pull("x", "2");
    assert_eq!(world.info().ack_floor.last_active, None);
    world.pass(SECOND);
    world.remove(1);
    world.deliver();
    world.pass(SECOND);
    let acked = Some(START + SECOND);
    assert_eq!(world.info().ack_floor.last_active, acked);
    let _ = world.answer(1, "");
    let acked = Some(START + 2 * SECOND);
    assert_eq!(world.info().ack_floor.last_active, acked);
}

#[test]
fn a_message_that_is_deleted_is_not_waited_for() {
    let mut world = World::new(pull_config(), &["a", "b", "c"]);
    world.pull("x", "2");
    world.remove(1);
    world.remove(3);
    let info = world.info();
    assert_eq!(
        (
            info.num_ack_pending,
            info.num_pending,
            info.ack_floor.stream_seq
        ),
        (1, 0, 1)
    );
    assert!(matches!(
        world.events().first(),
        Some(Event::Terminated { stream_seq: 1, .. })
    ));
}

impl World {
    fn answer_first(&mut self, stream_seq: u64) -> Confirmation {
        self.ack(
            Delivery {
                deliveries: 1,
                stream_seq,
                consumer_seq: stream_seq,
            },
            "",
        )
    }
}
