//! Where a consumer begins.

use super::*;

fn begins(config: ConsumerConfig) -> (u64, Vec<u64>) {
    let mut stream = FakeStream::default();
    for (at, subject) in ["a.1", "a.2", "a.1", "b.1", "a.2"].iter().enumerate() {
        stream.publish(subject, b"", START + at as i64 * SECOND);
    }
    let mut world = World::new(config, &[]);
    let config = world.consumer.config().clone();
    world.consumer = Consumer::new("S", "C", config, START, &mut stream, START);
    world.stream = stream;
    let pending = world.info().num_pending;
    world.pull("i", "100");
    (pending, world.delivered())
}

fn with(policy: DeliverPolicy) -> ConsumerConfig {
    ConsumerConfig {
        deliver_policy: policy,
        ..pull_config()
    }
}

#[test]
fn all_begins_with_the_first_message() {
    assert_eq!(begins(with(DeliverPolicy::All)), (5, vec![1, 2, 3, 4, 5]));
}

#[test]
fn last_begins_with_the_last_message_that_matches() {
    assert_eq!(begins(with(DeliverPolicy::Last)), (1, vec![5]));
    let config = ConsumerConfig {
        filter_subject: "a.1".to_owned(),
        ..with(DeliverPolicy::Last)
    };
    assert_eq!(begins(config), (1, vec![3]));
}

#[test]
fn last_without_a_match_begins_with_the_first_message_that_other_filters_find() {
    let config = |filter: &str| ConsumerConfig {
        filter_subject: filter.to_owned(),
        ..with(DeliverPolicy::Last)
    };
    let mut world = World::new(config("a"), &["c", "c"]);
    assert_eq!(world.info().delivered.stream_seq, 0);
    in_world!(&mut world, |consumer, ctx, source| consumer.update(
        ctx,
        source,
        config(">")
    ));
    world.pull("i", "9");
    assert_eq!(world.delivered(), [1, 2]);
}

#[test]
fn new_begins_behind_what_is_there() {
    assert_eq!(begins(with(DeliverPolicy::New)), (0, vec![]));
}

#[test]
fn a_start_sequence_may_lie_before_and_behind_what_is_there() {
    let at = |seq| ConsumerConfig {
        opt_start_seq: seq,
        ..with(DeliverPolicy::ByStartSequence)
    };
    assert_eq!(begins(at(4)), (2, vec![4, 5]));
    assert_eq!(begins(at(0)), (5, vec![1, 2, 3, 4, 5]));
    assert_eq!(begins(at(9)), (0, vec![]));
}

#[test]
fn a_start_time_is_the_first_message_at_it_or_later() {
    let at = |ns| ConsumerConfig {
        opt_start_time: Some(START + ns),
        ..with(DeliverPolicy::ByStartTime)
    };
    assert_eq!(begins(at(SECOND + 1000)), (3, vec![3, 4, 5]));
    assert_eq!(begins(at(100 * SECOND)), (0, vec![]));
}

#[test]
fn last_per_subject_gives_one_of_each_and_then_all_that_is_new() {
    let filter = vec!["a.*".to_owned()];
    let config = ConsumerConfig {
        filter_subjects: filter,
        ..with(DeliverPolicy::LastPerSubject)
    };
    assert_eq!(begins(config.clone()), (2, vec![3, 5]));
    let mut world = World::new(config, &["a.1", "a.1", "a.2", "a.3"]);
    assert_eq!(world.info().num_pending, 3);
    world.publish("a.1");
    world.publish("b.1");
    assert_eq!(world.info().num_pending, 4);
    world.remove(3);
    world.remove(1);
    assert_eq!(world.info().num_pending, 3);
    world.pull("i", "2");
    assert_eq!(world.delivered(), vec![2, 4]);
    world.pull("i", "5");
    world.publish("a.1");
    assert_eq!(world.delivered(), vec![5, 7]);
    assert_eq!(world.info().num_pending, 0);
}

#[test]
fn the_floor_of_last_per_subject_lies_before_the_first_that_is_picked() {
    let picking = with(DeliverPolicy::LastPerSubject);
    let mut world = World::new(picking.clone(), &["a", "b", "c", "a", "b", "a"]);
    let info = world.info();
    let places = (info.delivered.stream_seq, info.ack_floor.stream_seq);
    assert_eq!((places, info.num_pending), ((2, 2), 3));
    let config = ConsumerConfig {
        filter_subject: "none".to_owned(),
        ..picking
    };
    let mut world = World::new(config, &["a", "b", "c"]);
    let info = world.info();
    let places = (info.delivered.stream_seq, info.ack_floor.stream_seq);
    assert_eq!((places, info.num_pending), ((2, 2), 0));
}

#[test]
fn what_is_picked_is_still_picked_after_a_reset() {
    let config = with(DeliverPolicy::LastPerSubject);
    let mut world = World::new(config, &["a", "b", "c", "a", "b", "a"]);
    assert_eq!(world.consumer.reset(&mut world.stream, None), Ok(3));
    assert_eq!(world.info().num_pending, 3);
    world.pull("i", "2");
    assert_eq!(world.delivered(), [3, 5]);
    let first = Delivery {
        deliveries: 1,
        stream_seq: 3,
        consumer_seq: 1,
    };
    let _ = world.ack(first, "");
    assert_eq!(world.consumer.reset(&mut world.stream, None), Ok(5));
    assert_eq!(world.info().num_pending, 2);
    world.pull("i", "9");
    assert_eq!(world.delivered(), [5, 6]);
}

#[test]
fn what_is_picked_is_still_picked_after_a_restart() {
    let mut world = World::new(
        with(DeliverPolicy::LastPerSubject),
        &["a", "b", "a", "c", "b"],
    );
    world.pull("i", "1");
    assert_eq!(world.delivered(), vec![3]);
    world.save(false);
    world.publish("d");
    world.restart();
    assert_eq!(world.info().num_pending, 3);
    world.pull("i", "9");
    assert_eq!(world.delivered(), vec![4, 5, 6]);
}

#[test]
fn what_is_not_picked_is_not_needed() {
    let mut world = World::new(with(DeliverPolicy::LastPerSubject), &["a", "b", "a"]);
    let needed = |world: &World| -> Vec<u64> {
        let sequences = world.stream.sequences().into_iter();
        sequences.filter(|seq| world.consumer.needs(*seq)).collect()
    };
    assert_eq!(needed(&world), vec![2, 3]);
    world.pull("i", "1");
    world.publish("a");
    assert_eq!(needed(&world), vec![2, 3, 4]);
    let _ = world.answer(2, "");
    assert_eq!(needed(&world), vec![3, 4]);
}

#[test]
fn the_highest_start_sequence_breaks_nothing() {
    let at = |seq| ConsumerConfig {
        opt_start_seq: seq,
        ..with(DeliverPolicy::ByStartSequence)
    };
    let mut world = World::new(at(u64::MAX), &["a"]);
    world.pull("i", "1");
    world.publish("a");
    world.save(true);
    world.restart();
    assert_eq!(world.info().num_pending, 0);
    assert!(
        world
            .consumer
            .reset(&mut world.stream, Some(u64::MAX))
            .is_ok()
    );
    world.save(true);
}
