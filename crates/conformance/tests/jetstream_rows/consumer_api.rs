//! Making, changing, listing, pausing, resetting and deleting consumers.

use serde_json::{Value, json};

use crate::js::{Js, consumer_request, error};

/// A stream S with six messages on s.0 to s.2.
fn start() -> Js {
    let mut js = Js::start();
    js.stream("S", json!({}));
    for number in 0..6 {
        js.publish(&format!("s.{}", number % 3), "x");
    }
    js
}

/// What CONSUMER.CREATE.S.X says about this configuration, whose name is X.
fn refused(js: &mut Js, config: Value) -> (u64, u64, String) {
    let mut config = config;
    config["name"] = json!("X");
    let request = json!({ "stream_name": "S", "config": config });
    let got = js.error("CONSUMER.CREATE.S.X", request);
    assert_eq!(js.ok("CONSUMER.NAMES.S", Value::Null)["total"], 0);
    got
}

// E33, E120, E122, E123, E125, E126, E131, E138
#[test]
fn a_consumer_gets_defaults_and_shows_its_state() {
    let mut js = start();
    let request =
        json!({ "stream_name": "S", "config": { "name": "c", "ack_policy": "explicit" } });
    let made = js.ok("CONSUMER.CREATE.S.c", request);
    assert_eq!(
        made["type"],
        "io.nats.jetstream.api.v1.consumer_create_response"
    );
    assert_eq!(
        (&made["stream_name"], &made["name"]),
        (&json!("S"), &json!("c"))
    );
    let config = &made["config"];
    for (name, value) in [("deliver_policy", "all"), ("replay_policy", "instant")] {
        assert_eq!(config[name], value);
    }
    assert_eq!(
        (&config["ack_wait"], &config["max_deliver"]),
        (&json!(30_000_000_000_u64), &json!(-1))
    );
    assert_eq!(
        (&config["max_waiting"], &config["max_ack_pending"]),
        (&json!(512), &json!(1000))
    );
    assert_eq!(
        config["inactive_threshold"], 5_000_000_000_u64,
        "it is ephemeral"
    );
    let nowhere = json!({ "consumer_seq": 0, "stream_seq": 0 });
    assert_eq!(
        (&made["delivered"], &made["ack_floor"]),
        (&nowhere, &nowhere)
    );
    for name in ["num_ack_pending", "num_redelivered", "num_waiting"] {
        assert_eq!(made[name], 0, "{name}");
    }
    assert_eq!(made["num_pending"], 6);
}

// E122, E131
#[test]
fn a_consumer_without_acks_has_no_ack_bounds_and_a_durable_one_no_threshold() {
    let mut js = start();
    let request = json!({ "stream_name": "S", "config": { "durable_name": "d" } });
    let config = js.ok("CONSUMER.CREATE.S.d", request)["config"].clone();
    assert_eq!(
        (&config["ack_policy"], &config["durable_name"]),
        (&json!("none"), &json!("d"))
    );
    for name in ["ack_wait", "max_ack_pending", "inactive_threshold"] {
        assert!(config[name].is_null(), "{name}: {config}");
    }
}

// E136
#[test]
fn making_the_same_consumer_again_is_a_success() {
    let mut js = start();
    let made = js.consumer("S", "c", json!({}));
    assert_eq!(js.consumer("S", "c", json!({}))["created"], made["created"]);
}

// E136
#[test]
fn create_wants_none_there_and_update_wants_one() {
    let mut js = start();
    let ask = |js: &mut Js, action: &str, config: Value| {
        let mut request = consumer_request("S", "c", config);
        request["action"] = json!(action);
        js.reply("CONSUMER.CREATE.S.c", request)["error"]["err_code"].clone()
    };
    assert_eq!(ask(&mut js, "update", json!({})), 10149);
    assert_eq!(ask(&mut js, "create", json!({})), Value::Null);
    assert_eq!(ask(&mut js, "create", json!({ "max_deliver": 3 })), 10148);
    assert_eq!(
        ask(&mut js, "update", json!({ "max_deliver": 3 })),
        Value::Null
    );
    assert_eq!(js.consumer_info("S", "c")["config"]["max_deliver"], 3);
}

// E137
#[test]
fn some_things_of_a_consumer_change_and_others_do_not() {
    let mut js = start();
    js.consumer("S", "c", json!({}));
    let change = json!({ "description": "new", "ack_wait": 1_000_000_000, "max_ack_pending": 5,
                         "filter_subject": "s.1", "metadata": { "a": "b" } });
    let config = js.consumer("S", "c", change)["config"].clone();
    assert_eq!(
        (&config["description"], &config["max_ack_pending"]),
        (&json!("new"), &json!(5))
    );
    assert_eq!(
        (&config["filter_subject"], &config["metadata"]["a"]),
        (&json!("s.1"), &json!("b"))
    );
    for (change, words) in [
        (
            json!({ "ack_policy": "all" }),
            "ack policy can not be updated",
        ),
        (
            json!({ "deliver_policy": "new" }),
            "deliver policy can not be updated",
        ),
        (
            json!({ "replay_policy": "original" }),
            "replay policy can not be updated",
        ),
        (
            json!({ "max_waiting": 7 }),
            "max waiting can not be updated",
        ),
    ] {
        let request = consumer_request("S", "c", change);
        assert_eq!(
            js.error("CONSUMER.CREATE.S.c", request),
            error(500, 10012, words)
        );
    }
}

// E32, E34, E35
#[test]
fn names_and_filters_in_the_subject_agree_with_the_request() {
    let mut js = start();
    let named = |config: Value| json!({ "stream_name": "S", "config": config });
    let cases = [
        (
            "CONSUMER.CREATE.S.c",
            json!({ "stream_name": "T", "config": {} }),
            10056,
            "stream name in subject does not match request",
        ),
        (
            "CONSUMER.CREATE.S",
            named(json!({ "durable_name": "d" })),
            10020,
            "consumer expected to be ephemeral but a durable name was set in request",
        ),
        (
            "CONSUMER.CREATE.S.c",
            named(json!({ "durable_name": "d", "name": "c" })),
            10017,
            "consumer name in subject does not match durable name in request",
        ),
        (
            "CONSUMER.DURABLE.CREATE.S.d",
            named(json!({ "durable_name": "e" })),
            10017,
            "consumer name in subject does not match durable name in request",
        ),
        (
            "CONSUMER.DURABLE.CREATE.S.d",
            named(json!({})),
            10018,
            "consumer expected to be durable but a durable name was not set",
        ),
        (
            "CONSUMER.CREATE.S.c.s.1",
            named(json!({ "filter_subject": "s.2" })),
            10131,
            "Consumer create request did not match filtered subject from create subject",
        ),
        (
            "CONSUMER.CREATE.S.c.s.1",
            named(json!({ "filter_subjects": ["s.1", "s.2"] })),
            10137,
            "consumer with multiple subject filters cannot use subject based API",
        ),
    ];
    for (subject, request, err_code, words) in cases {
        assert_eq!(
            js.error(subject, request),
            error(400, err_code, words),
            "{subject}"
        );
    }
    let missing = error(404, 10059, "stream not found");
    let request = json!({ "stream_name": "Z", "config": {} });
    assert_eq!(js.error("CONSUMER.CREATE.Z.c", request), missing);
}

// E32, E33, E34, E35
#[test]
fn a_consumer_is_made_on_each_of_four_subjects() {
    let mut js = start();
    let named = |config: Value| json!({ "stream_name": "S", "config": config });
    let ephemeral = js.ok(
        "CONSUMER.CREATE.S",
        named(json!({ "ack_policy": "explicit" })),
    );
    assert_eq!(ephemeral["name"].as_str().map(str::len), Some(8));
    assert_eq!(
        js.ok("CONSUMER.CREATE.S.a", named(json!({ "name": "a" })))["name"],
        "a"
    );
    let filtered = named(json!({ "name": "b", "filter_subject": "s.1" }));
    assert_eq!(js.ok("CONSUMER.CREATE.S.b.s.1", filtered)["num_pending"], 2);
    let durable = named(json!({ "durable_name": "d", "ack_policy": "explicit" }));
    assert_eq!(js.ok("CONSUMER.DURABLE.CREATE.S.d", durable)["name"], "d");
    assert_eq!(js.ok("CONSUMER.NAMES.S", Value::Null)["total"], 4);
}

// E121, E123, E124
#[test]
fn what_contradicts_itself_is_no_consumer() {
    let mut js = start();
    let policy = "consumer delivery policy is deliver";
    let cases = [
        (
            json!({ "filter_subject": "s.1", "filter_subjects": ["s.2"] }),
            10136,
            "consumer cannot have both FilterSubject and FilterSubjects specified".to_owned(),
        ),
        (
            json!({ "filter_subjects": ["s.1", "s.*"] }),
            10138,
            "consumer subject filters cannot overlap".into(),
        ),
        (
            json!({ "filter_subjects": [""] }),
            10139,
            "consumer filter in FilterSubjects cannot be empty".into(),
        ),
        (
            json!({ "backoff": [1, 2], "max_deliver": 1, "ack_policy": "explicit" }),
            10116,
            "max deliver is required to be > length of backoff values".into(),
        ),
        (
            json!({ "deliver_policy": "by_start_sequence" }),
            10094,
            format!("{policy} by start sequence, but optional start sequence is not set"),
        ),
        (
            json!({ "deliver_policy": "by_start_time" }),
            10094,
            format!("{policy} by start time, but optional start time is not set"),
        ),
        (
            json!({ "opt_start_seq": 4 }),
            10094,
            format!("{policy} all, but optional start sequence is also set"),
        ),
        (
            json!({ "deliver_policy": "last_per_subject" }),
            10094,
            format!("{policy} last per subject, but optional filter subject is not set"),
        ),
        (
            json!({ "ack_wait": -1 }),
            10183,
            "consumer ack wait needs to be positive".into(),
        ),
        (
            json!({ "description": "x".repeat(4_097) }),
            10107,
            "consumer description is too long, maximum allowed is 4096".into(),
        ),
        (
            json!({ "metadata": { "a": "x".repeat(131_072) } }),
            10135,
            "consumer metadata exceeds maximum size of 128KB".into(),
        ),
    ];
    for (config, err_code, words) in cases {
        assert_eq!(
            refused(&mut js, config.clone()),
            error(400, err_code, &words),
            "{config}"
        );
    }
    let got = refused(&mut js, json!({ "num_replicas": 3 }));
    assert_eq!(
        got,
        error(
            500,
            10074,
            "replicas > 1 not supported in non-clustered mode"
        )
    );
}

// E126, E128
#[test]
fn push_and_pull_do_not_mix() {
    let mut js = start();
    let cases = [
        (
            json!({ "max_waiting": 3, "deliver_subject": "d" }),
            10080,
            "consumer in push mode can not set max waiting",
        ),
        (
            json!({ "deliver_subject": "s.1" }),
            10081,
            "consumer deliver subject forms a cycle",
        ),
        (
            json!({ "deliver_subject": "d", "idle_heartbeat": 1000 }),
            10083,
            "consumer idle heartbeat needs to be >= 100ms",
        ),
        (
            json!({ "deliver_subject": "d", "flow_control": true }),
            10108,
            "consumer with flow control also needs heartbeats",
        ),
        (
            json!({ "idle_heartbeat": 1_000_000_000 }),
            10088,
            "consumer idle heartbeat requires a push based consumer",
        ),
        (
            json!({ "flow_control": true }),
            10089,
            "consumer flow control requires a push based consumer",
        ),
        (
            json!({ "rate_limit_bps": 5 }),
            10086,
            "consumer in pull mode can not have rate limit set",
        ),
        (
            json!({ "ack_policy": "flow_control" }),
            10218,
            "flow control ack policy requires a push based consumer",
        ),
    ];
    for (config, err_code, words) in cases {
        assert_eq!(
            refused(&mut js, config.clone()),
            error(400, err_code, words),
            "{config}"
        );
    }
}

// E134
#[test]
fn priority_groups_need_a_policy_and_pulls() {
    let mut js = start();
    let cases = [
        (
            json!({ "priority_groups": ["A"] }),
            10196,
            "consumer can not have priority groups when policy is none",
        ),
        (
            json!({ "priority_policy": "overflow" }),
            10159,
            "Setting PriorityPolicy requires at least one PriorityGroup to be set",
        ),
        (
            json!({ "priority_groups": ["A"], "priority_policy": "overflow", "deliver_subject": "x" }),
            10178,
            "priority groups can not be used with push consumers",
        ),
    ];
    for (config, err_code, words) in cases {
        assert_eq!(
            refused(&mut js, config.clone()),
            error(400, err_code, words),
            "{config}"
        );
    }
}

// E36
#[test]
fn a_consumer_is_told_about_and_deleted() {
    let mut js = start();
    js.consumer("S", "c", json!({}));
    let info = js.consumer_info("S", "c");
    assert_eq!(
        info["type"],
        "io.nats.jetstream.api.v1.consumer_info_response"
    );
    assert_eq!(js.ok("CONSUMER.DELETE.S.c", Value::Null)["success"], true);
    let missing = error(404, 10014, "consumer not found");
    let no_stream = error(404, 10059, "stream not found");
    for verb in ["INFO", "DELETE"] {
        assert_eq!(
            js.error(&format!("CONSUMER.{verb}.S.c"), Value::Null),
            missing
        );
        assert_eq!(
            js.error(&format!("CONSUMER.{verb}.Z.c"), Value::Null),
            no_stream
        );
    }
}

// E06, E37
#[test]
fn consumers_are_listed_in_pages() {
    let mut js = start();
    for number in 0..258 {
        js.consumer(
            "S",
            &format!("c{number:03}"),
            json!({ "mem_storage": true }),
        );
    }
    let names = js.ok("CONSUMER.NAMES.S", Value::Null);
    assert_eq!(
        (&names["total"], &names["limit"]),
        (&json!(258), &json!(1024))
    );
    assert_eq!(names["consumers"][0], "c000");
    assert_eq!(names["consumers"].as_array().map(Vec::len), Some(258));
    let page = js.ok("CONSUMER.LIST.S", Value::Null);
    assert_eq!((&page["total"], &page["limit"]), (&json!(258), &json!(256)));
    assert_eq!(page["consumers"].as_array().map(Vec::len), Some(256));
    let rest = js.ok("CONSUMER.LIST.S", json!({ "offset": 257 }));
    assert_eq!(rest["consumers"][0]["name"], "c257");
    let beyond = js.ok("CONSUMER.NAMES.S", json!({ "offset": 999 }));
    assert_eq!(
        (&beyond["offset"], &beyond["consumers"]),
        (&json!(258), &json!([]))
    );
    let missing = js.reply("CONSUMER.NAMES.Z", Value::Null);
    assert_eq!(missing["error"]["err_code"], 10059);
}

// E39, E133
#[test]
fn a_paused_consumer_delivers_nothing_until_it_goes_on() {
    let mut js = start();
    js.consumer("S", "c", json!({}));
    let until = "2100-01-01T00:00:00Z";
    let paused = js.ok("CONSUMER.PAUSE.S.c", json!({ "pause_until": until }));
    assert_eq!(
        paused["type"],
        "io.nats.jetstream.api.v1.consumer_pause_response"
    );
    assert_eq!(
        (&paused["paused"], &paused["pause_until"]),
        (&json!(true), &json!(until))
    );
    assert!(paused["pause_remaining"].as_u64().expect("nanoseconds") > 0);
    let info = js.consumer_info("S", "c");
    assert_eq!(
        (&info["paused"], &info["config"]["pause_until"]),
        (&json!(true), &json!(until))
    );
    let status = js.pull_status("S", "c", r#"{"batch":1,"expires":200000000}"#);
    assert_eq!(status, "408 Request Timeout");
    let going = js.ok("CONSUMER.PAUSE.S.c", Value::Null);
    let never = json!("0001-01-01T00:00:00Z");
    assert_eq!(
        (&going["paused"], &going["pause_until"]),
        (&json!(false), &never)
    );
    assert_eq!(js.fetch("S", "c", 1)[0].subject, "s.0");
    let past = js.ok(
        "CONSUMER.PAUSE.S.c",
        json!({ "pause_until": "2000-01-01T00:00:00Z" }),
    );
    assert_eq!(past["paused"], false);
    let missing = js.reply("CONSUMER.PAUSE.S.none", json!({}));
    assert_eq!(missing["error"]["err_code"], 10014);
}

// E40
#[test]
fn only_a_pinned_group_is_unpinned() {
    let mut js = start();
    js.consumer(
        "S",
        "p",
        json!({ "priority_groups": ["A"], "priority_policy": "pinned_client" }),
    );
    js.consumer("S", "c", json!({}));
    let done = js.ok("CONSUMER.UNPIN.S.p", json!({ "group": "A" }));
    assert_eq!(
        done["type"],
        "io.nats.jetstream.api.v1.consumer_unpin_response"
    );
    let none = error(
        400,
        10160,
        "Provided priority group does not exist for this consumer",
    );
    assert_eq!(
        js.error("CONSUMER.UNPIN.S.p", json!({ "group": "B" })),
        none
    );
    assert_eq!(
        js.error("CONSUMER.UNPIN.S.c", json!({ "group": "A" })),
        none
    );
    let missing = error(404, 10014, "consumer not found");
    assert_eq!(
        js.error("CONSUMER.UNPIN.S.none", json!({ "group": "A" })),
        missing
    );
    let (code, err_code, _) = js.error("CONSUMER.UNPIN.S.p", json!({}));
    assert_eq!((code, err_code), (400, 10025));
}

// E41
#[test]
fn a_reset_consumer_starts_again_where_it_is_told() {
    let mut js = start();
    js.consumer("S", "c", json!({}));
    for message in js.fetch("S", "c", 3) {
        js.ack(&message, "");
    }
    let reset = js.ok("CONSUMER.RESET.S.c", json!({ "seq": 2 }));
    assert_eq!(
        reset["type"],
        "io.nats.jetstream.api.v1.consumer_reset_response"
    );
    assert_eq!(
        (&reset["reset_seq"], &reset["num_pending"]),
        (&json!(2), &json!(5))
    );
    let again = js.fetch("S", "c", 1);
    let delivery = crate::js::delivery(&again[0]);
    assert_eq!(
        (
            delivery.stream_seq,
            delivery.consumer_seq,
            delivery.delivered
        ),
        (2, 1, 1)
    );
}
