//! What is still true after a restart.

use super::*;

#[test]
fn what_was_acknowledged_stays_so_and_the_rest_comes_again_with_its_count() {
    let mut world = World::new(pull_config(), &["a", "b", "c", "d"]);
    world.pull("x", "3");
    world.save(false);
    let _ = world.answer(2, "");
    world.pass(30 * SECOND);
    world.pull("x", "1");
    world.save(false);
    world.sent();
    world.restart();
    let info = world.info();
    assert_eq!((info.num_ack_pending, info.num_pending), (2, 1));
    assert_eq!(
        (info.delivered.consumer_seq, info.delivered.stream_seq),
        (4, 3)
    );
    assert_eq!(
        (info.ack_floor.consumer_seq, info.ack_floor.stream_seq),
        (0, 0)
    );
    world.pull("x", "9");
    world.pass(30 * SECOND);
    let deliveries: Vec<Delivery> = world.sent().iter().filter_map(Sent::delivery).collect();
    let expected = |deliveries, stream_seq, consumer_seq| Delivery {
        deliveries,
        stream_seq,
        consumer_seq,
    };
    assert_eq!(
        deliveries.get(..2),
        Some(&[expected(1, 4, 5), expected(2, 3, 6)][..])
    );
    assert_eq!(
        deliveries.get(2..),
        Some(&[expected(3, 1, 7), expected(3, 3, 8), expected(2, 4, 9)][..])
    );
}

#[test]
fn a_delta_is_small_however_much_is_unacknowledged() {
    let config = ConsumerConfig {
        max_ack_pending: -1,
        ..pull_config()
    };
    let mut world = World::new(config, &[]);
    for _ in 0..20_000 {
        world.stream.publish("a", b"", START);
    }
    world.pull("x", "20000");
    world.save(false);
    let _ = world.ack(
        Delivery {
            deliveries: 1,
            stream_seq: 10_000,
            consumer_seq: 10_000,
        },
        "",
    );
    assert!(world.consumer.is_dirty());
    assert!(world.save(false) < 40);
    assert!(!world.consumer.is_dirty());
    world.restart();
    assert_eq!(world.info().num_ack_pending, 19_999);
}

#[test]
fn deliveries_that_were_acknowledged_in_between_are_not_told_of_at_all() {
    let mut world = World::new(pull_config(), &[]);
    world.save(false);
    world.pull("x", "1000");
    for _ in 0..500 {
        let seq = world.publish("a");
        let _ = world.answer(seq, "");
    }
    assert!(world.save(false) < 40);
    world.restart();
    let info = world.info();
    assert_eq!(
        (info.delivered.consumer_seq, info.ack_floor.stream_seq),
        (500, 500)
    );
}

#[test]
fn a_stream_that_lost_its_end_is_gone_on_with_from_its_end() {
    let mut world = World::new(pull_config(), &["a", "b", "c"]);
    world.pull("x", "3");
    let _ = world.answer(1, "");
    world.save(false);
    world.stream = FakeStream::default();
    world.stream.publish("a", b"", START);
    world.restart();
    let info = world.info();
    assert_eq!(
        (
            info.num_ack_pending,
            info.delivered.stream_seq,
            info.num_pending
        ),
        (0, 1, 0)
    );
    world.sent();
    world.pull("x", "3");
    world.publish("again");
    assert_eq!(world.delivered(), vec![2]);
}

#[test]
fn progress_that_was_not_written_is_told_again() {
    let mut world = World::new(pull_config(), &["a", "b"]);
    world.save(true);
    world.pull("x", "2");
    let _ = world.answer(1, "");
    let _ = world.consumer.progress(false);
    world.consumer.progress_refused();
    assert!(world.consumer.is_dirty() && world.consumer.is_next_whole());
    world.save(false);
    world.restart();
    let info = world.info();
    assert_eq!((info.num_ack_pending, info.ack_floor.stream_seq), (1, 1));
}

#[test]
fn a_late_ack_of_a_message_that_was_given_up_is_remembered() {
    let config = ConsumerConfig {
        max_deliver: 1,
        ..pull_config()
    };
    let mut world = World::new(config, &["a"]);
    world.pull("x", "2");
    world.pass(31 * SECOND);
    world.save(false);
    world.restart();
    assert!(world.consumer.needs(1));
    let _ = world.answer(1, "");
    world.save(false);
    world.restart();
    assert!(!world.consumer.needs(1));
}

#[test]
fn a_consumer_that_begins_ahead_of_its_stream_still_does_after_a_restart() {
    let config = ConsumerConfig {
        deliver_policy: DeliverPolicy::ByStartSequence,
        opt_start_seq: 4,
        ..pull_config()
    };
    let mut world = World::new(config, &["a"]);
    world.save(false);
    world.restart();
    world.pull("x", "9");
    for _ in 0..4 {
        world.publish("a");
    }
    assert_eq!(world.delivered(), vec![4, 5]);
}
