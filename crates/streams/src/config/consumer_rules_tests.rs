//! Each rule of a consumer's configuration: what breaks it, and with which number.

use proptest::prelude::*;

use super::*;
use crate::error::ApiError;
use crate::time::{MINUTE, SECOND};

fn stream() -> StreamConfig {
    let config = StreamConfig {
        name: "S".to_owned(),
        subjects: vec!["in.>".to_owned()],
        ..StreamConfig::default()
    };
    config
        .check_and_normalise(&Limits::default(), &(), false)
        .expect("a stream")
}

fn pull() -> ConsumerConfig {
    ConsumerConfig {
        durable_name: "C".to_owned(),
        ack_policy: AckPolicy::Explicit,
        ..ConsumerConfig::default()
    }
}

fn push() -> ConsumerConfig {
    ConsumerConfig {
        deliver_subject: "out".to_owned(),
        ..pull()
    }
}

fn check(config: &ConsumerConfig) -> Result<ConsumerConfig, ApiError> {
    config.check_and_normalise(&stream(), &Limits::default(), false)
}

type Case = (fn() -> ConsumerConfig, fn(&mut ConsumerConfig), u16);

fn assert_refused(cases: &[Case]) {
    for (at, (base, change, code)) in cases.iter().enumerate() {
        let mut config = base();
        change(&mut config);
        let error = check(&config).expect_err("refused");
        assert_eq!(error.err_code, *code, "case {at}: {error}");
    }
}

#[test]
fn what_a_request_leaves_open_is_filled_in() {
    let config = check(&pull()).expect("a consumer");
    assert_eq!((config.max_deliver, config.ack_wait), (-1, 30 * SECOND));
    assert_eq!((config.max_ack_pending, config.max_waiting), (1000, 512));
    let config = check(&push()).expect("a consumer");
    assert_eq!(config.max_waiting, 0);
    let unacked = ConsumerConfig {
        ack_policy: AckPolicy::None,
        ..pull()
    };
    let config = check(&unacked).expect("a consumer");
    assert_eq!((config.max_ack_pending, config.ack_wait), (0, 0));
    let waits = ConsumerConfig {
        backoff: vec![SECOND, MINUTE],
        ..pull()
    };
    assert_eq!(check(&waits).expect("a consumer").ack_wait, SECOND);
}

#[test]
fn normalising_again_changes_nothing() {
    for config in [pull(), push()] {
        let once = check(&config).expect("a consumer");
        assert_eq!(check(&once), Ok(once));
    }
}

#[test]
fn a_streams_defaults_and_caps_hold_for_its_consumers() {
    let mut stream = stream();
    stream.consumer_limits = ConsumerLimits {
        inactive_threshold: MINUTE,
        max_ack_pending: 10,
    };
    let check = |config: &ConsumerConfig, pedantic| {
        config.check_and_normalise(&stream, &Limits::default(), pedantic)
    };
    let config = check(&pull(), false).expect("a consumer");
    assert_eq!(
        (config.inactive_threshold, config.max_ack_pending),
        (MINUTE, 10)
    );
    assert_eq!(check(&pull(), true).expect_err("pedantic").err_code, 10157);
    let mut config = pull();
    config.max_ack_pending = 11;
    assert_eq!(check(&config, false).expect_err("many").err_code, 10121);
    let mut config = pull();
    config.inactive_threshold = 2 * MINUTE;
    let error = check(&config, false).expect_err("long");
    assert_eq!(
        error.description,
        "consumer inactive threshold exceeds system limit of 1m0s"
    );
}

#[test]
fn names_numbers_and_waits_have_bounds() {
    assert_refused(&[
        (pull, |c| c.durable_name = "a.b".to_owned(), 10052),
        (pull, |c| c.durable_name = "n".repeat(256), 10102),
        (pull, |c| c.name = "D".to_owned(), 10132),
        (pull, |c| c.num_replicas = 2, 10126),
        (pull, |c| c.num_replicas = -1, 10133),
        (pull, |c| c.backoff = vec![-1], 10184),
        (pull, |c| c.ack_wait = -1, 10183),
        (
            pull,
            |c| {
                c.backoff = vec![1, 2];
                c.max_deliver = 1;
            },
            10116,
        ),
        (pull, |c| c.description = "d".repeat(4097), 10107),
        (pull, |c| c.sample_freq = "x%".to_owned(), 10095),
    ]);
}

#[test]
fn pull_and_push_have_what_is_theirs() {
    assert_refused(&[
        (pull, |c| c.rate_limit_bps = 1, 10086),
        (pull, |c| c.idle_heartbeat = SECOND, 10088),
        (
            pull,
            |c| {
                c.flow_control = true;
            },
            10089,
        ),
        (pull, |c| c.max_expires = 5, 10115),
        (pull, |c| c.direct = true, 10090),
        (push, |c| c.deliver_subject = "a.*".to_owned(), 10079),
        (push, |c| c.deliver_subject = "a..b".to_owned(), 10112),
        (push, |c| c.deliver_subject = "in.x".to_owned(), 10081),
        (push, |c| c.max_waiting = 1, 10080),
        (
            push,
            |c| {
                c.ack_policy = AckPolicy::None;
                c.max_ack_pending = 1;
            },
            10082,
        ),
        (push, |c| c.idle_heartbeat = 5, 10083),
        (push, |c| c.direct = true, 10091),
        (push, |c| c.flow_control = true, 10108),
    ]);
}

#[test]
fn filters_are_valid_and_do_not_meet() {
    let two = |a: &str, b: &str| vec![a.to_owned(), b.to_owned()];
    let with = |filters: Vec<String>| ConsumerConfig {
        filter_subjects: filters,
        ..pull()
    };
    let code = |config: &ConsumerConfig| check(config).expect_err("refused").err_code;
    assert_eq!(code(&with(two("in.a", ""))), 10139);
    assert_eq!(code(&with(two("in.a", "in.>"))), 10138);
    assert_eq!(code(&with(two("in.a", "in..b"))), 10052);
    let mut both = with(two("in.a", "in.b"));
    assert!(check(&both).is_ok());
    both.filter_subject = "in.c".to_owned();
    assert_eq!(code(&both), 10136);
}

#[test]
fn a_start_fits_its_policy() {
    let text = |policy, sequence, time| {
        let config = ConsumerConfig {
            deliver_policy: policy,
            opt_start_seq: sequence,
            opt_start_time: time,
            ..pull()
        };
        let error = check(&config).expect_err("refused");
        assert_eq!(error.err_code, 10094);
        error.description.into_owned()
    };
    let prefix = "consumer delivery policy is deliver";
    assert_eq!(
        text(DeliverPolicy::All, 1, None),
        format!("{prefix} all, but optional start sequence is also set")
    );
    assert_eq!(
        text(DeliverPolicy::New, 0, Some(1)),
        format!("{prefix} new, but optional start time is also set")
    );
    assert_eq!(
        text(DeliverPolicy::ByStartSequence, 0, None),
        format!("{prefix} by start sequence, but optional start sequence is not set")
    );
    assert_eq!(
        text(DeliverPolicy::ByStartTime, 0, None),
        format!("{prefix} by start time, but optional start time is not set")
    );
    assert_eq!(
        text(DeliverPolicy::ByStartTime, 1, Some(1)),
        format!("{prefix} by start time, but optional start start sequence is also set")
    );
    assert_eq!(
        text(DeliverPolicy::LastPerSubject, 0, None),
        format!("{prefix} last per subject, but optional filter subject is not set")
    );
}

#[test]
fn priority_groups_belong_to_pull_consumers_with_a_policy() {
    let group = |c: &mut ConsumerConfig, name: &str| {
        c.priority_policy = PriorityPolicy::PinnedClient;
        c.priority_groups = vec![name.to_owned()];
    };
    let mut config = pull();
    group(&mut config, "A");
    assert_eq!(
        check(&config).expect("a consumer").priority_timeout,
        2 * MINUTE
    );
    for (name, code) in [("", 10161), ("a b", 10162), ("seventeen_letters", 10162)] {
        group(&mut config, name);
        assert_eq!(check(&config).expect_err(name).err_code, code, "{name:?}");
    }
    let mut config = push();
    group(&mut config, "A");
    assert_eq!(check(&config).expect_err("push").err_code, 10178);
    assert_refused(&[
        (
            pull,
            |c| c.priority_policy = PriorityPolicy::Overflow,
            10159,
        ),
        (pull, |c| c.priority_groups = vec!["A".to_owned()], 10196),
        (pull, |c| c.priority_timeout = 1, 10197),
    ]);
}

#[test]
fn flow_control_as_ack_has_its_own_conditions() {
    let config = ConsumerConfig {
        ack_policy: AckPolicy::FlowControl,
        ..push()
    };
    let normalised = check(&config).expect("a consumer");
    assert!(normalised.flow_control && normalised.idle_heartbeat == SECOND);
    let pull = ConsumerConfig {
        deliver_subject: String::new(),
        ..config.clone()
    };
    assert_eq!(check(&pull).expect_err("pull").err_code, 10218);
    let waits = ConsumerConfig {
        ack_wait: SECOND,
        ..config
    };
    assert_eq!(check(&waits).expect_err("waits").err_code, 10221);
}

#[test]
fn a_work_queue_has_one_consumer_a_subject() {
    let mut queue = stream();
    queue.retention = Retention::WorkQueue;
    let filtered = |filter: &str| ConsumerConfig {
        filter_subject: filter.to_owned(),
        ..pull()
    };
    let code = |config: &ConsumerConfig, others: &[ConsumerConfig]| {
        let result = config.check_for_work_queue(&queue, others.iter());
        result.map_or_else(|error| error.err_code, |()| 0)
    };
    assert_eq!(code(&pull(), &[]), 0);
    assert_eq!(code(&pull(), &[filtered("in.a")]), 10099);
    assert_eq!(code(&filtered("in.a"), &[filtered("in.b")]), 0);
    assert_eq!(code(&filtered("in.*"), &[filtered("in.b")]), 10100);
    assert_eq!(code(&filtered("in.a"), &[pull()]), 10100);
    let partial = ConsumerConfig {
        deliver_policy: DeliverPolicy::New,
        ..pull()
    };
    assert_eq!(code(&partial, &[]), 10101);
    let all = ConsumerConfig {
        ack_policy: AckPolicy::All,
        ..pull()
    };
    assert_eq!(code(&all, &[]), 10098);
    assert!(
        filtered("in.*")
            .check_for_work_queue_update(&queue, [pull()].iter())
            .is_err()
    );
    assert_eq!(
        pull().check_for_work_queue_update(&queue, [pull()].iter()),
        Ok(())
    );
}

#[test]
fn samples_are_counted_in_percent() {
    let of = |text: &str| {
        ConsumerConfig {
            sample_freq: text.to_owned(),
            ..pull()
        }
        .sample_percent()
    };
    assert_eq!(of(""), Ok(0));
    assert_eq!(of("30%"), Ok(30));
    assert_eq!(of("100"), Ok(100));
    assert_eq!(
        of("x"),
        Err("strconv.Atoi: parsing \"x\": invalid syntax".to_owned())
    );
}

fn any_config() -> impl Strategy<Value = ConsumerConfig> {
    let ack = prop_oneof![
        Just(AckPolicy::None),
        Just(AckPolicy::All),
        Just(AckPolicy::Explicit),
        Just(AckPolicy::FlowControl)
    ];
    let subject = prop_oneof![Just(String::new()), Just("out".to_owned()), "[ab*>.]{0,4}"];
    let filters = proptest::collection::vec("in[.][ab*>]", 0..3);
    let numbers = proptest::collection::vec(-3i64..4, 5);
    let backoff = proptest::collection::vec(-1i64..5, 0..3);
    (ack, subject, filters, numbers, backoff).prop_map(
        |(ack_policy, to, filters, numbers, backoff)| ConsumerConfig {
            ack_policy,
            deliver_subject: to,
            filter_subjects: filters,
            max_deliver: numbers[0],
            max_waiting: numbers[1],
            max_ack_pending: numbers[2],
            max_batch: numbers[3],
            ack_wait: numbers[4],
            backoff,
            ..pull()
        },
    )
}

proptest! {
    #[test]
    fn what_was_normalised_stays_and_survives_being_written(config in any_config()) {
        if let Ok(once) = check(&config) {
            prop_assert_eq!(check(&once), Ok(once.clone()));
            prop_assert_eq!(ConsumerConfig::from_json(&once.to_json()), Ok(once.clone()));
            prop_assert_eq!(once.check_update(&once, true), Ok(()));
        }
    }
}
