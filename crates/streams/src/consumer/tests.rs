//! Behaviour of consumers, one a test.

use super::fake::{FakeStream, SECOND, START, Sent, World, in_world, pull_config, push_config};
use super::{Confirmation, Consumer, DeadReason, Delivery, Event, ResetError};
use crate::config::{AckPolicy, ConsumerConfig, DeliverPolicy, PriorityPolicy, ReplayPolicy};
use crate::context::Context;

const MS: i64 = 1_000_000;

fn first(sent: &[Sent]) -> Delivery {
    sent.iter().find_map(Sent::delivery).expect("a delivery")
}

mod positions {
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
        assert_eq!(begins(at(SECOND + 1)), (3, vec![3, 4, 5]));
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
}

mod pulling {
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
        let config = ConsumerConfig {
            filter_subject: "b".to_owned(),
            ..pull_config()
        };
        let mut world = World::new(config, &[]);
        for _ in 0..1000 {
            world.stream.publish("a", b"", START);
        }
        world.stream.publish("b", b"", START);
        in_world!(&mut world, |consumer, ctx, source| consumer
            .request(ctx, source, b"x", b""));
        let again = in_world!(&mut world, |consumer, ctx, source| consumer
            .deliver_ready(ctx, source, 1));
        assert!(again);
        world.deliver();
        assert_eq!(world.delivered(), vec![1001]);
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
}

mod acks {
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
        assert_eq!(world.answer(1, ""), Confirmation::None);
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
        let reason = DeadReason::MaxDeliveries;
        assert_eq!(
            world.events(),
            [
                Event::MaxDeliveries {
                    stream_seq: 1,
                    deliveries: 2
                },
                Event::DeadLetter {
                    stream_seq: 1,
                    deliveries: 2,
                    reason
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
    fn a_terminated_message_is_settled_and_a_dead_letter_once() {
        let mut world = World::new(pull_config(), &["a"]);
        world.pull("x", "1");
        assert_eq!(world.answer(1, "+TERM no good"), Confirmation::Owed);
        let _ = world.answer(1, "+TERM again");
        let reason = DeadReason::Terminated("no good".to_owned());
        assert_eq!(
            world.events(),
            [
                Event::Terminated {
                    stream_seq: 1,
                    consumer_seq: 1,
                    deliveries: 1,
                    reason: "no good".to_owned()
                },
                Event::DeadLetter {
                    stream_seq: 1,
                    deliveries: 1,
                    reason
                }
            ]
        );
        assert_eq!(world.stream.settled, vec![1]);
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
}

mod pushing {
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
}

mod lives {
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
}

mod groups {
    use super::*;

    fn grouped(policy: PriorityPolicy) -> ConsumerConfig {
        ConsumerConfig {
            priority_policy: policy,
            priority_groups: vec!["g".to_owned()],
            priority_timeout: 10 * SECOND,
            ..pull_config()
        }
    }

    #[test]
    fn overflow_is_served_only_once_there_is_enough() {
        let mut world = World::new(grouped(PriorityPolicy::Overflow), &["a", "b"]);
        world.pull("x", r#"{"batch": 5, "group": "g", "min_pending": 3}"#);
        assert_eq!(world.delivered(), [0u64; 0]);
        world.publish("c");
        assert_eq!(world.delivered(), vec![1]);
        world.pull("y", r#"{"batch": 1, "group": "g"}"#);
        assert_eq!(world.delivered(), vec![2]);
    }

    #[test]
    fn one_client_has_the_group_until_it_is_gone() {
        let mut world = World::new(grouped(PriorityPolicy::PinnedClient), &["a"]);
        world.pull("x", r#"{"batch": 1, "group": "g"}"#);
        let sent = world.sent();
        let headers = sent
            .first()
            .map(|sent| sent.headers.clone())
            .expect("a message");
        let id = headers
            .split("Nats-Pin-Id: ")
            .nth(1)
            .and_then(|rest| rest.lines().next())
            .expect("an id");
        let pinned = Event::Pinned {
            group: "g".to_owned(),
            pin_id: id.to_owned(),
        };
        assert_eq!(world.events(), [pinned]);
        assert_eq!(
            world
                .info()
                .priority_groups
                .first()
                .map(|state| state.pinned_client_id.clone()),
            Some(id.to_owned())
        );
        world.pull("y", r#"{"batch": 1, "group": "g"}"#);
        world.publish("b");
        assert_eq!(world.delivered(), [0u64; 0]);
        world.pull("z", r#"{"batch": 1, "group": "g", "id": "other"}"#);
        assert_eq!(world.statuses(), ["423 Nats-Pin-Id mismatch"]);
        world.pull(
            "x",
            &format!(r#"{{"batch": 1, "group": "g", "id": "{id}"}}"#),
        );
        let sent = world.sent();
        assert_eq!(sent.first().map(|sent| sent.inbox.as_str()), Some("x"));
        world.publish("c");
        world.pass(10 * SECOND);
        let sent = world.sent();
        assert_eq!(sent.first().map(|sent| sent.inbox.as_str()), Some("y"));
        assert!(matches!(
            world.events().first(),
            Some(Event::Unpinned {
                reason: "timeout",
                ..
            })
        ));
        world.pull(
            "x",
            &format!(r#"{{"batch": 1, "group": "g", "id": "{id}"}}"#),
        );
        assert_eq!(world.statuses(), ["423 Nats-Pin-Id mismatch"]);
    }

    #[test]
    fn an_unpinned_group_refuses_the_old_pin_and_gives_a_new_one() {
        let mut world = World::new(grouped(PriorityPolicy::PinnedClient), &["a"]);
        world.pull("x", r#"{"batch": 1, "group": "g"}"#);
        world.events();
        assert!(!world.consumer.unpin("other"));
        assert!(world.consumer.unpin("g"));
        let unpinned = Event::Unpinned {
            group: "g".to_owned(),
            reason: "admin",
        };
        assert_eq!(world.events(), [unpinned]);
        world.sent();
        world.pull("x", r#"{"batch": 1, "group": "g", "id": "old"}"#);
        world.publish("b");
        assert_eq!(world.statuses(), ["423 Nats-Wrong-Pin-Id"]);
    }

    #[test]
    fn the_lowest_priority_number_is_served_first() {
        let mut world = World::new(grouped(PriorityPolicy::Prioritized), &[]);
        world.pull("x", r#"{"batch": 2, "group": "g", "priority": 2}"#);
        world.pull("y", r#"{"batch": 2, "group": "g", "priority": 1}"#);
        world.pull("z", r#"{"batch": 2, "group": "g", "priority": 1}"#);
        for _ in 0..6 {
            world.publish("a");
        }
        let inboxes: Vec<String> = world.sent().into_iter().map(|sent| sent.inbox).collect();
        assert_eq!(inboxes.concat(), "yzyzxx");
    }

    #[test]
    fn requests_that_do_not_fit_the_policy_are_refused_in_words() {
        let refusals = [
            (
                PriorityPolicy::None,
                r#"{"min_pending": 1}"#,
                "Not a Overflow Priority consumer",
            ),
            (
                PriorityPolicy::None,
                r#"{"id": "x"}"#,
                "Not a Pinned Client Priority consumer",
            ),
            (
                PriorityPolicy::Prioritized,
                r#"{"group": "g", "priority": 10}"#,
                "Priority must be between 0 and 9",
            ),
            (
                PriorityPolicy::Overflow,
                r#"{"batch": 1}"#,
                "Priority Group missing",
            ),
            (
                PriorityPolicy::Overflow,
                r#"{"group": "h"}"#,
                "Invalid Priority Group",
            ),
        ];
        for (policy, body, words) in refusals {
            let mut world = World::new(grouped(policy), &[]);
            world.pull("x", body);
            assert_eq!(world.statuses(), [format!("400 Bad Request - {words}")]);
        }
    }
}

mod restarts {
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
}
