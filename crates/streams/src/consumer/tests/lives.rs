//! Pause, reset, update, inactivity.

use super::*;

#[test]
fn nobody_uses_it_so_it_is_to_be_deleted() {
    let config = ConsumerConfig {
        inactive_threshold: 5 * SECOND,
        ..pull_config()
    };
    let mut world = World::new(config, &[]);
    world.pass(4 * SECOND);
    world.pull("x", "1");
    world.pass(100 * SECOND);
    assert_eq!(world.events(), []);
    world.out.deaf.insert("x".to_owned());
    world.pass(20 * SECOND);
    assert_eq!(world.events(), [Event::Inactive]);
    world.pass(20 * SECOND);
    assert_eq!(world.events(), []);
}

#[test]
fn who_waits_as_long_as_the_threshold_finds_it_there_when_asking_again() {
    let config = ConsumerConfig {
        inactive_threshold: 5 * SECOND,
        ..pull_config()
    };
    let mut world = World::new(config, &[]);
    for _ in 0..3 {
        world.pull("x", &format!("{{\"batch\":1,\"expires\":{}}}", 5 * SECOND));
        world.pass(5 * SECOND);
        assert_eq!(world.events(), []);
        world.pass(SECOND / 10);
    }
    world.pass(5 * SECOND);
    assert_eq!(world.events(), [Event::Inactive]);
}

#[test]
fn a_push_consumer_is_used_while_somebody_listens() {
    let config = ConsumerConfig {
        inactive_threshold: 5 * SECOND,
        ..push_config()
    };
    let mut world = World::new(config, &[]);
    world.pass(100 * SECOND);
    assert_eq!(world.events(), []);
    world.out.deaf.insert("in".to_owned());
    world.pass(4 * SECOND);
    assert_eq!(world.events(), []);
    world.pass(2 * SECOND);
    assert_eq!(world.events(), [Event::Inactive]);
}

#[test]
fn a_paused_consumer_delivers_nothing_until_its_time() {
    let mut world = World::new(pull_config(), &["a"]);
    let until = world.now + 10 * SECOND;
    in_world!(&mut world, |consumer, ctx, _source| consumer
        .pause(ctx, Some(until)));
    world.pull("x", "1");
    let info = world.info();
    assert!(info.paused && info.pause_remaining == 10 * SECOND);
    world.pass(10 * SECOND - 1);
    assert_eq!(world.delivered(), [0u64; 0]);
    world.pass(1);
    assert_eq!(world.delivered(), vec![1]);
    let paused = |paused| Event::Paused {
        until_ns: Some(until),
        paused,
    };
    assert_eq!(world.events(), [paused(true), paused(false)]);
}

#[test]
fn who_does_not_wait_is_told_that_a_paused_consumer_has_nothing() {
    let mut world = World::new(pull_config(), &["a"]);
    let until = world.now + 10 * SECOND;
    in_world!(&mut world, |consumer, ctx, _source| consumer
        .pause(ctx, Some(until)));
    world.pull("x", r#"{"no_wait": true}"#);
    assert_eq!(world.statuses(), ["404 No Messages"]);
    world.pull("x", r#"{"no_wait": true, "expires": 1000000000}"#);
    world.pull("x", "1");
    assert_eq!(world.statuses(), [""; 0]);
}

#[test]
fn a_reset_goes_back_to_the_floor_and_counts_anew() {
    let mut world = World::new(pull_config(), &["a", "b", "c"]);
    world.pull("x", "3");
    let _ = world.answer(1, "");
    world.sent();
    assert_eq!(world.consumer.reset(&mut world.stream, None), Ok(2));
    assert_eq!(world.info().num_pending, 2);
    world.pull("x", "3");
    let sent = world.sent();
    assert_eq!(
        first(&sent),
        Delivery {
            deliveries: 1,
            stream_seq: 2,
            consumer_seq: 1
        }
    );
    assert_eq!(world.consumer.reset(&mut world.stream, Some(1)), Ok(1));
    assert_eq!(world.info().num_pending, 3);
}

#[test]
fn a_reset_goes_nowhere_where_the_consumer_was_not_meant_to_be() {
    let config = |policy| ConsumerConfig {
        deliver_policy: policy,
        opt_start_seq: 2,
        ..pull_config()
    };
    let mut world = World::new(config(DeliverPolicy::ByStartSequence), &["a", "b", "c"]);
    assert_eq!(
        world.consumer.reset(&mut world.stream, Some(1)),
        Err(ResetError::BelowStartSequence)
    );
    assert_eq!(world.consumer.reset(&mut world.stream, Some(3)), Ok(3));
    let mut world = World::new(config(DeliverPolicy::New), &["a", "b", "c"]);
    assert_eq!(
        world.consumer.reset(&mut world.stream, Some(1)),
        Err(ResetError::NotAllowed)
    );
}

#[test]
fn other_filters_change_what_is_ahead() {
    let mut world = World::new(pull_config(), &["a", "b", "a", "a"]);
    world.pull("x", "1");
    let config = ConsumerConfig {
        filter_subject: "b".to_owned(),
        ..pull_config()
    };
    in_world!(&mut world, |consumer, ctx, source| consumer
        .update(ctx, source, config));
    assert_eq!(world.info().num_pending, 1);
    world.pull("x", "5");
    assert_eq!(world.delivered(), vec![1, 2]);
}

#[test]
fn another_ack_wait_holds_for_what_is_delivered_already() {
    let mut world = World::new(pull_config(), &["a"]);
    world.pull("x", "2");
    world.sent();
    let config = ConsumerConfig {
        ack_wait: 2 * SECOND,
        ..pull_config()
    };
    in_world!(&mut world, |consumer, ctx, source| consumer
        .update(ctx, source, config));
    world.pass(2 * SECOND);
    assert_eq!(world.delivered(), vec![1]);
}

#[test]
fn a_purge_leaves_what_is_still_there() {
    let mut world = World::new(pull_config(), &["a", "b", "a", "b", "a"]);
    world.pull("x", "2");
    world.sent();
    for seq in [1, 2, 3] {
        world.stream.remove(seq);
    }
    world.consumer.stream_purged(&mut world.stream);
    let info = world.info();
    assert_eq!(
        (
            info.num_pending,
            info.num_ack_pending,
            info.ack_floor.stream_seq
        ),
        (2, 0, 3)
    );
    world.pull("x", "2");
    assert_eq!(world.delivered(), vec![4, 5]);
}
