//! The block `mqtt`, with the mistakes that can be made in it.

use std::time::Duration;

use super::tests::{options, read_as, refuses, said, warns};
use crate::config::MqttOptions;
use crate::config::options::Personality;
use crate::config::surroundings::Imagined;

fn block(inner: &str) -> String {
    format!("jetstream {{store_dir: /data}}, mqtt {{port: 1883, {inner}}}")
}

fn read(inner: &str) -> MqttOptions {
    options(&block(inner)).mqtt.unwrap()
}

#[test]
fn every_key_of_one_server_is_taken() {
    let expected = MqttOptions {
        host: Some("127.0.0.1".to_owned()),
        port: 1884,
        no_auth_user: None,
        ack_wait: Duration::from_secs(60),
        max_ack_pending: 10,
        js_api_timeout: Duration::from_secs(2),
        js_domain: Some("hub".to_owned()),
        consumer_memory_storage: true,
        consumer_inactive_threshold: Duration::from_secs(3600),
        reject_qos2_publish: true,
        downgrade_qos2_subscribe: true,
        ..MqttOptions::default()
    };
    let given =
        "listen: '127.0.0.1:1884', ack_wait: '1m', max_ack_pending: 10, js_api_timeout: '2s'
        js_domain: hub, consumer_memory_storage: true, consumer_inactive_threshold: '1h'
        reject_qos2_publish: true, downgrade_qos2_subscribe: true";
    assert_eq!(read(given), expected);
    let by_other_names =
        "net: '127.0.0.1', port: 1884, ackwait: '1m', max_inflight: 10, api_timeout: '2s'
        js_domain: hub, consumer_memory_storage: true, consumer_auto_cleanup: '1h'
        reject_qos2_publish: true, downgrade_qos2_subscribe: true";
    assert_eq!(read(by_other_names), expected);
    let zeros = "ack_wait: 0, max_ack_pending: 0, js_api_timeout: 0";
    let defaults = MqttOptions {
        port: 1883,
        ..MqttOptions::default()
    };
    assert_eq!(read(zeros), defaults, "0 stands for the default");
    let own = read("authorization {user: u, pass: p, timeout: 3}");
    assert!(own.has_own_access());
    assert_eq!(own.authorization.timeout, Some(Duration::from_secs(3)));
}

#[test]
fn without_a_port_there_is_no_listener() {
    assert_eq!(options("mqtt {}").mqtt, None);
    assert_eq!(options("mqtt {port: 0}").mqtt, None);
    warns("mqtt {host: localhost}", "port: 1883");
    warns(&block("stream_replicas: 3"), "stream_replicas");
    warns(&block("consumer_replicas: 1"), "consumer_replicas");
}

#[test]
fn mistakes_are_named_where_they_are() {
    let users = "authorization {users: [{user: a}]}, jetstream {store_dir: /data}";
    let own = |inner: &str| format!("{users}, mqtt {{port: 1883, {inner}}}");
    refuses(&own("no_auth_user: b"), "1:99", "\"b\"");
    refuses(&own("authorization {user: b, pass: c}"), "1:99", "users");
    refuses(&block("max_ack_pending: 65536"), "1:66", "65535");
    refuses(&block("ack_wate: 1"), "1:49", "did you mean \"ack_wait\"?");
    refuses(&block("ack_wait: -1"), "1:59", "not a duration");
}

#[test]
fn what_mqtt_needs_is_asked_for() {
    for (text, part) in [
        ("jetstream: false, mqtt {port: 1883}", "jetstream: true"),
        (
            "jetstream {store_dir: /data}, no_header_support: true, mqtt {port: 1883}",
            "no_header_support",
        ),
        (
            "jetstream {store_dir: /data}, port: 1883, mqtt {port: 1883}",
            "another listener",
        ),
        (
            "jetstream {store_dir: /data}, websocket {port: 1883, no_tls: true}, mqtt {port: 1883}",
            "another listener",
        ),
    ] {
        let read = read_as(Personality::NatsServer, text, &Imagined::default());
        let (options, findings) = read.unwrap();
        assert_eq!(findings.errors, [], "{text}");
        let errors = said(&options.validate().errors);
        assert!(
            errors.len() == 1 && errors[0].contains(part),
            "{text}: {errors:?}"
        );
    }
}
