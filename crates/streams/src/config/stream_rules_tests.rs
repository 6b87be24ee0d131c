//! Each rule of a stream's configuration: what breaks it, and with which number and words.

use std::collections::BTreeMap;

use proptest::prelude::*;

use super::*;
use crate::error::ApiError;
use crate::time::{MILLISECOND, MINUTE, SECOND};

fn named(name: &str) -> StreamConfig {
    StreamConfig {
        name: name.to_owned(),
        ..StreamConfig::default()
    }
}

fn check(config: &StreamConfig) -> Result<StreamConfig, ApiError> {
    config.check_and_normalise(&Limits::default(), &(), false)
}

fn source(name: &str) -> StreamSource {
    StreamSource {
        name: name.to_owned(),
        ..StreamSource::default()
    }
}

fn transform(src: &str, dest: &str) -> SubjectTransform {
    SubjectTransform {
        src: src.to_owned(),
        dest: dest.to_owned(),
    }
}

type Case = (fn(&mut StreamConfig), u16, &'static str);

fn assert_refused(cases: &[Case]) {
    for (change, code, text) in cases {
        let mut config = named("S");
        change(&mut config);
        let error = check(&config).expect_err(text);
        assert_eq!((error.err_code, error.description.as_ref()), (*code, *text));
    }
}

#[test]
fn what_a_request_leaves_open_is_filled_in() {
    let config = check(&named("S")).expect("a stream");
    assert_eq!(config.subjects, ["S"]);
    let limits = [
        config.max_msgs,
        config.max_bytes,
        config.max_msgs_per_subject,
        config.max_consumers,
        i64::from(config.max_msg_size),
    ];
    assert_eq!(limits, [-1; 5]);
    assert_eq!(
        (config.num_replicas, config.duplicate_window),
        (1, 2 * MINUTE)
    );
    assert_eq!(
        config.metadata.get(REQUIRED_LEVEL).map(String::as_str),
        Some("0")
    );
}

#[test]
fn normalising_again_changes_nothing() {
    let mut config = named("S");
    config.max_age = MINUTE;
    config.subject_delete_marker_ttl = SECOND;
    config.republish = Some(Republish {
        dest: "copy.>".to_owned(),
        ..Republish::default()
    });
    let once = check(&config).expect("a stream");
    assert_eq!(check(&once), Ok(once.clone()));
    assert_eq!(once.duplicate_window, MINUTE);
    assert!(once.allow_msg_ttl && once.allow_rollup_hdrs);
}

#[test]
fn names_and_texts_have_bounds() {
    let text = r"stream name is required and can not contain '.', '*', '>', '\', '/'";
    for name in ["", "a.b", "a b", "a*", ">", r"a\b", "a/b", "a\tb"] {
        let error = check(&named(name)).expect_err(name);
        assert_eq!((error.err_code, error.description.as_ref()), (10052, text));
    }
    assert_refused(&[
        (
            |c| c.name = "n".repeat(256),
            10052,
            "stream name is too long, maximum allowed is 255",
        ),
        (
            |c| c.description = "d".repeat(4097),
            10052,
            "stream description is too long, maximum allowed is 4096",
        ),
        (
            |c| c.metadata = BTreeMap::from([("k".to_owned(), "v".repeat(128 * 1024))]),
            10052,
            "stream metadata exceeds maximum size of 131072 bytes",
        ),
    ]);
}

#[test]
fn numbers_have_bounds() {
    assert_refused(&[
        (|c| c.num_replicas = 6, 10052, "maximum replicas is 5"),
        (
            |c| c.num_replicas = -1,
            10133,
            "replicas count cannot be negative",
        ),
        (
            |c| c.num_replicas = 3,
            10074,
            "replicas > 1 not supported in non-clustered mode",
        ),
        (|c| c.max_age = -1, 10052, "max age can not be negative"),
        (|c| c.max_age = 1, 10052, "max age needs to be >= 100ms"),
        (
            |c| c.duplicate_window = -1,
            10052,
            "duplicates window can not be negative",
        ),
        (
            |c| c.duplicate_window = MILLISECOND,
            10052,
            "duplicates window needs to be >= 100ms",
        ),
        (
            |c| {
                c.max_age = MINUTE;
                c.duplicate_window = 2 * MINUTE;
            },
            10052,
            "duplicates window can not be larger then max age",
        ),
    ]);
}

#[test]
fn features_that_exclude_each_other_are_refused() {
    assert_refused(&[
        (
            |c| {
                c.deny_purge = true;
                c.allow_rollup_hdrs = true;
            },
            10052,
            "roll-ups require the purge permission",
        ),
        (
            |c| {
                c.allow_msg_counter = true;
                c.discard = Discard::New;
            },
            10052,
            "counter stream cannot use discard new",
        ),
        (
            |c| {
                c.allow_msg_counter = true;
                c.retention = Retention::Interest;
            },
            10052,
            "counter stream can only use limits retention",
        ),
        (
            |c| {
                c.allow_msg_counter = true;
                c.subject_delete_marker_ttl = SECOND;
            },
            10052,
            "counter stream cannot use message TTLs",
        ),
        (
            |c| c.discard_new_per_subject = true,
            10052,
            "discard new per subject requires discard new policy to be set",
        ),
        (
            |c| {
                c.discard_new_per_subject = true;
                c.discard = Discard::New;
            },
            10052,
            "discard new per subject requires max msgs per subject > 0",
        ),
        (
            |c| c.subject_delete_marker_ttl = 5,
            10052,
            "subject delete marker TTL must be at least 1 second",
        ),
        (
            |c| {
                c.allow_msg_schedules = true;
                c.discard = Discard::New;
            },
            10052,
            "message scheduling cannot use discard new",
        ),
        (
            |c| {
                c.persist_mode = PersistMode::Async;
                c.storage = Storage::Memory;
            },
            10052,
            "async persist mode is only supported on file storage",
        ),
        (
            |c| {
                c.persist_mode = PersistMode::Async;
                c.allow_atomic = true;
            },
            10052,
            "async persist mode is not supported with atomic batch publish",
        ),
        (
            |c| {
                c.placement = Some(Placement {
                    preferred: "a".to_owned(),
                    ..Placement::default()
                });
            },
            10052,
            "preferred server not permitted in placement",
        ),
    ]);
}

#[test]
fn subjects_are_valid_and_do_not_meet() {
    fn with(subjects: &[&str]) -> Vec<String> {
        subjects
            .iter()
            .map(|subject| (*subject).to_owned())
            .collect()
    }
    assert_refused(&[
        (|c| c.subjects = with(&["a..b"]), 10052, "invalid subject"),
        (
            |c| c.subjects = with(&["a", "a"]),
            10052,
            r#"subject "a" overlaps with "a""#,
        ),
        (
            |c| c.subjects = with(&["a.*", "a.b"]),
            10052,
            r#"subject "a.*" overlaps with "a.b""#,
        ),
        (
            |c| c.subjects = with(&[">"]),
            10052,
            "capturing all subjects requires no-ack to be true",
        ),
        (
            |c| c.subjects = with(&["$JS.API.>"]),
            10052,
            "subjects that overlap with jetstream api require no-ack to be true",
        ),
        (
            |c| c.subjects = with(&["*.API.x"]),
            10052,
            "subjects that overlap with jetstream api require no-ack to be true",
        ),
        (
            |c| c.subjects = with(&["$SYS.>"]),
            10052,
            "subjects that overlap with system api require no-ack to be true",
        ),
    ]);
    for allowed in [
        "$JS.EVENT.ADVISORY.>",
        "$SYS.ACCOUNT.A.>",
        "$KV.b.>",
        "$O.b.C.>",
    ] {
        let mut config = named("S");
        config.subjects = with(&[allowed]);
        assert!(check(&config).is_ok(), "{allowed}");
    }
    let mut all = named("S");
    all.subjects = with(&[">"]);
    all.no_ack = true;
    assert!(check(&all).is_ok());
}

#[test]
fn a_mirror_is_nothing_but_a_mirror() {
    assert_refused(&[
        (
            |c| {
                c.mirror = Some(source("M"));
                c.first_seq = 2;
            },
            10143,
            "stream mirrors can not have first sequence configured",
        ),
        (
            |c| {
                c.mirror = Some(source("M"));
                c.subjects = vec!["a".to_owned()];
            },
            10034,
            "stream mirrors can not contain subjects",
        ),
        (
            |c| {
                c.mirror = Some(source("M"));
                c.sources = vec![source("O")];
            },
            10031,
            "stream mirrors can not also contain other sources",
        ),
        (
            |c| c.mirror = Some(source("a.b")),
            10142,
            "mirrored stream name is invalid",
        ),
        (
            |c| {
                c.mirror = Some(source("M"));
                c.subject_delete_marker_ttl = SECOND;
            },
            10052,
            "subject delete markers forbidden on mirrors",
        ),
        (|c| c.mirror = Some(source("S")), 10052, "detected cycle"),
    ]);
    let mut mirror = named("S");
    mirror.mirror = Some(source("M"));
    let mirror = check(&mirror).expect("a mirror");
    assert_eq!((mirror.duplicate_window, mirror.subjects.len()), (0, 0));
}

#[test]
fn sources_differ_and_their_renamings_are_valid() {
    assert_refused(&[
        (
            |c| c.sources = vec![source("")],
            10141,
            "sourced stream name is invalid",
        ),
        (
            |c| c.sources = vec![source("O"), source("O")],
            10140,
            "duplicate source configuration detected",
        ),
        (
            |c| {
                c.sources = vec![source("O")];
                c.allow_msg_schedules = true;
            },
            10187,
            "stream source can not also schedule messages",
        ),
        (
            |c| {
                let mut with = source("O");
                with.subject_transforms = vec![transform("a b", "c")];
                c.sources = vec![with];
            },
            10145,
            "source transform source: invalid subject a b",
        ),
        (
            |c| {
                let mut with = source("O");
                with.subject_transforms = vec![transform("a.*", "b.>")];
                c.sources = vec![with];
            },
            10146,
            "source transform: invalid subject",
        ),
        (
            |c| {
                let mut with = source("O");
                with.subject_transforms = vec![transform("a.*", "b.$1"), transform("a.b", "c")];
                c.sources = vec![with];
            },
            10147,
            "source filters can not overlap",
        ),
        (
            |c| {
                let mut with = source("O");
                with.external = Some(External {
                    api: "$JS.API".to_owned(),
                    deliver: String::new(),
                });
                c.sources = vec![with];
            },
            10021,
            "stream external api prefix $JS.API must not overlap with $JS.API",
        ),
    ]);
}

#[test]
fn other_streams_are_looked_at() {
    let mut origin = named("O");
    origin.allow_direct = true;
    origin.max_msg_size = 100;
    origin.sources = vec![source("S")];
    let others = BTreeMap::from([("O".to_owned(), origin)]);
    let check = |config: &StreamConfig, pedantic| {
        config.check_and_normalise(&Limits::default(), &others, pedantic)
    };
    let mut small = named("M");
    small.mirror = Some(source("O"));
    assert!(check(&small, false).expect("a mirror").mirror_direct);
    assert_eq!(check(&small, true).expect_err("pedantic").err_code, 10157);
    small.max_msg_size = 10;
    assert_eq!(check(&small, false).expect_err("small").err_code, 10030);
    let mut round = named("S");
    round.sources = vec![source("O")];
    let cycle = check(&round, false).expect_err("a cycle");
    assert_eq!(cycle.description, "detected cycle");
}

#[test]
fn republishing_does_not_feed_the_stream_itself() {
    let republish = |src: &str, dest: &str| {
        let mut config = named("S");
        config.subjects = vec!["in.>".to_owned()];
        config.republish = Some(Republish {
            src: src.to_owned(),
            dest: dest.to_owned(),
            headers_only: false,
        });
        check(&config)
    };
    let cycle = republish(">", "in.x.>").expect_err("a cycle");
    assert_eq!(
        cycle.description,
        "stream configuration for republish destination forms a cycle"
    );
    let unfit = republish("in.*", "out.>").expect_err("unfit");
    assert_eq!(
        unfit.description,
        "stream configuration for republish with transform from 'in.*' to 'out.>' not valid"
    );
    let all = republish("", "out.>").expect("a stream");
    assert_eq!(
        all.republish.map(|republish| republish.src).as_deref(),
        Some(">")
    );
}

#[test]
fn renaming_what_comes_in_is_checked() {
    assert_refused(&[
        (
            |c| c.subject_transform = Some(transform("a b", "c")),
            10155,
            "stream transform source: invalid subject a b",
        ),
        (
            |c| c.subject_transform = Some(transform("a.*", "{{nope(1)}}")),
            10156,
            "stream transform: invalid mapping destination: unknown function in {{nope(1)}}",
        ),
    ]);
}

#[test]
fn pedantic_requests_are_refused_rather_than_corrected() {
    let pedantic = |change: fn(&mut StreamConfig)| {
        let mut config = named("S");
        change(&mut config);
        let error = config.check_and_normalise(&Limits::default(), &(), true);
        error.expect_err("pedantic").description.into_owned()
    };
    assert_eq!(
        pedantic(|c| c.max_msgs = -2),
        "pedantic mode: max_msgs must be set to -1"
    );
    assert_eq!(
        pedantic(|c| c.max_age = SECOND),
        "pedantic mode: duplicate window cannot be bigger than max age"
    );
    assert_eq!(
        pedantic(|c| c.subject_delete_marker_ttl = SECOND),
        "subject delete marker cannot be set if message TTLs are disabled"
    );
    assert!(
        named("S")
            .check_and_normalise(&Limits::default(), &(), true)
            .is_ok()
    );
}

#[test]
fn an_accounts_limits_are_held() {
    let mut limits = Limits::default();
    limits.account.max_bytes_required = true;
    limits.account.storage_max_stream_bytes = 100;
    limits.server.max_duplicate_window = MINUTE;
    let check = |config: &StreamConfig| config.check_and_normalise(&limits, &(), false);
    let mut config = named("S");
    assert_eq!(check(&config).expect_err("no bound").err_code, 10113);
    config.max_bytes = 101;
    assert_eq!(check(&config).expect_err("large").err_code, 10122);
    config.max_bytes = 100;
    assert_eq!(check(&config).expect("a stream").duplicate_window, MINUTE);
    config.duplicate_window = 2 * MINUTE;
    assert_eq!(
        check(&config).expect_err("long").description,
        "duplicates window can not be larger then server limit of 1m0s"
    );
}

#[test]
fn the_streams_of_buckets_and_object_stores_are_allowed() {
    let bucket = StreamConfig::from_json(
        br#"{"name":"KV_b","subjects":["$KV.b.>"],"max_msgs_per_subject":5,"discard":"new",
            "allow_rollup_hdrs":true,"deny_delete":true,"allow_direct":true,"num_replicas":1,
            "duplicate_window":120000000000,"max_bytes":-1,"max_msg_size":-1,"storage":"file"}"#,
    );
    assert!(check(&bucket.expect("a bucket")).is_ok());
    let store = StreamConfig::from_json(
        br#"{"name":"OBJ_s","subjects":["$O.s.C.>","$O.s.M.>"],"discard":"new",
            "allow_rollup_hdrs":true,"allow_direct":true}"#,
    );
    assert!(check(&store.expect("a store")).is_ok());
}

#[test]
fn more_subjects_than_can_be_compared_are_refused() {
    let mut config = named("S");
    config.subjects = (0..=SUBJECTS_MAX).map(|n| format!("s{n}")).collect();
    assert_eq!(
        check(&config).expect_err("many").description,
        "stream has too many subjects, maximum allowed is 4096"
    );
    config.subjects.pop();
    assert!(check(&config).is_ok());
}

fn any_config() -> impl Strategy<Value = StreamConfig> {
    let subjects = proptest::collection::vec("[ab*>.$]{0,5}", 0..4);
    let numbers = proptest::collection::vec(-3i64..4, 5);
    let flags = proptest::collection::vec(any::<bool>(), 9);
    let times = (
        prop_oneof![Just(0), Just(-1), Just(5), Just(SECOND), any::<i64>()],
        prop_oneof![Just(0), Just(-1), Just(5), Just(SECOND), any::<i64>()],
    );
    let renaming = proptest::option::of(("[a*>.]{0,4}", "[b$1>.{}]{0,6}"));
    ("[a-c. ]{0,3}", subjects, numbers, flags, times, renaming).prop_map(
        |(name, subjects, numbers, flags, (max_age, marker_ttl), renaming)| StreamConfig {
            name,
            subjects,
            max_msgs: numbers[0],
            max_bytes: numbers[1],
            max_msgs_per_subject: numbers[2],
            max_consumers: numbers[3],
            num_replicas: numbers[4].min(1),
            max_age,
            subject_delete_marker_ttl: marker_ttl,
            no_ack: flags[0],
            discard: if flags[1] { Discard::New } else { Discard::Old },
            discard_new_per_subject: flags[2],
            allow_msg_ttl: flags[3],
            allow_msg_schedules: flags[4],
            allow_rollup_hdrs: flags[5],
            deny_purge: flags[6],
            allow_msg_counter: flags[7],
            mirror: flags[8].then(|| source("M")),
            republish: renaming.clone().map(|(src, dest)| Republish {
                src,
                dest,
                headers_only: false,
            }),
            subject_transform: renaming.map(|(src, dest)| transform(&src, &dest)),
            ..StreamConfig::default()
        },
    )
}

proptest! {
    #[test]
    fn what_was_normalised_stays_and_survives_being_written(config in any_config()) {
        if let Ok(once) = check(&config) {
            prop_assert_eq!(check(&once), Ok(once.clone()));
            prop_assert_eq!(StreamConfig::from_json(&once.to_json()), Ok(once.clone()));
            let same = once.check_update(&once, &Limits::default(), &(), false);
            prop_assert_eq!(same, Ok(once));
        }
    }
}
