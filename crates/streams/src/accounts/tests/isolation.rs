//! What one account does is nothing to another.

use serde_json::{Value, json};

use super::world::{World, account, without};
use crate::context::AccountId;
use crate::time::SECOND;

fn two() -> World {
    let mut world = World::new(&[account(7, "A"), account(8, "B")]);
    for name in ["A", "B"] {
        world.create(name, &json!({"name": "S", "subjects": ["s.>"]}));
    }
    world
}

#[test]
fn streams_of_one_name_and_subject_never_share_a_message() {
    let mut world = two();
    for (account, payload) in [("A", "a1"), ("B", "b1"), ("A", "a2")] {
        let ack = world.publish(account, "s.x", payload);
        assert_eq!(ack["stream"], "S", "{ack}");
    }
    assert_eq!(world.messages("A", "S"), 2);
    assert_eq!(world.messages("B", "S"), 1);
    assert_eq!(world.message("A", "S", 2), "YTI=");
    assert_eq!(world.message("B", "S", 1), "YjE=");
    world.api("A", "STREAM.PURGE.S", &Value::Null);
    assert_eq!(world.messages("A", "S"), 0);
    assert_eq!(world.messages("B", "S"), 1);
    world.api("B", "STREAM.DELETE.S", &Value::Null);
    assert_eq!(world.code("B", "STREAM.INFO.S", &Value::Null), 10059);
    assert_eq!(world.messages("A", "S"), 0);
}

#[test]
fn consumers_deliver_in_their_own_account_and_acks_of_another_mean_nothing() {
    let mut world = two();
    for account in ["A", "B"] {
        let config = json!({"stream_name": "S", "config": {
            "durable_name": "c", "ack_policy": "explicit", "ack_wait": 30 * SECOND}});
        world.api(account, "CONSUMER.CREATE.S.c", &config);
        let id = world.id(account);
        world.net.listening.push((id, "inbox".to_owned()));
    }
    world.publish("A", "s.x", "1");
    world.pass(0);
    world.say("B", "$JS.API.CONSUMER.MSG.NEXT.S.c", "inbox", b"1");
    world.pass(0);
    assert_eq!(world.take("inbox"), [], "B has no message");
    world.say("A", "$JS.API.CONSUMER.MSG.NEXT.S.c", "inbox", b"1");
    world.pass(0);
    let got = world.take("inbox");
    assert_eq!(got.len(), 1, "{got:?}");
    assert_eq!(
        (got[0].account, &*got[0].payload),
        (world.id("A"), &b"1"[..])
    );
    let pending = |world: &mut World| {
        world.api("A", "CONSUMER.INFO.S.c", &Value::Null)["num_ack_pending"].take()
    };
    let ack = "$JS.ACK.S.c.1.1.1.1795694400000000000.0";
    world.say("B", ack, "", b"+ACK");
    world.pass(0);
    assert_eq!(pending(&mut world), 1);
    world.say("A", ack, "", b"+ACK");
    world.pass(0);
    assert_eq!(pending(&mut world), 0);
}

#[test]
fn each_account_counts_its_own_calls_streams_and_bytes() {
    let mut world = two();
    world.publish("A", "s.x", "1");
    world.api("A", "STREAM.INFO.NONE", &Value::Null);
    let info = |world: &mut World, account: &str| world.api(account, "INFO", &Value::Null);
    let (a, b) = (info(&mut world, "A"), info(&mut world, "B"));
    assert_eq!((&a["streams"], &b["streams"]), (&json!(1), &json!(1)));
    assert_eq!(a["api"]["errors"], 1);
    assert_eq!(b["api"]["errors"], 0);
    assert_eq!(
        (&a["api"]["total"], &b["api"]["total"]),
        (&json!(2), &json!(1))
    );
    assert!(a["storage"].as_u64() > Some(0));
    assert_eq!(b["storage"], 0);
}

#[test]
fn a_mirror_takes_from_its_own_account_only() {
    let mut world = two();
    world.create("A", &json!({"name": "O", "subjects": ["o"]}));
    world.publish("A", "o", "1");
    for account in ["A", "B"] {
        world.create(account, &json!({"name": "M", "mirror": {"name": "O"}}));
    }
    world.pass(20 * SECOND);
    assert_eq!(world.messages("A", "M"), 1);
    assert_eq!(world.messages("B", "M"), 0);
}

#[test]
fn advisories_name_the_account_and_are_heard_in_it() {
    let mut world = two();
    world.take("$JS.EVENT.ADVISORY.API");
    world.api("B", "STREAM.INFO.S", &Value::Null);
    let audits = world.take("$JS.EVENT.ADVISORY.API");
    assert_eq!(audits.len(), 1, "{audits:?}");
    assert_eq!(audits[0].account, world.id("B"));
    let audit: Value = serde_json::from_slice(&audits[0].payload).expect("JSON");
    assert_eq!(audit["client"]["acc"], "B");
}

#[test]
fn an_account_without_jetstream_is_told_so() {
    let mut world = World::new(&[account(0, "A"), without(1, "N")]);
    for (call, kind) in [
        ("INFO", "account_info"),
        ("STREAM.CREATE.S", "stream_create"),
        ("STREAM.NAMES", "stream_names"),
        ("CONSUMER.INFO.S.c", "consumer_info"),
    ] {
        let answer = world.api("N", call, &Value::Null);
        assert_eq!(answer["error"]["err_code"], 10039, "{call}: {answer}");
        assert_eq!(answer["error"]["code"], 503);
        let kind = format!("io.nats.jetstream.api.v1.{kind}_response");
        assert_eq!(answer["type"], kind);
    }
    for call in ["CONSUMER.MSG.NEXT.S.c", "DIRECT.GET.S"] {
        world.ask("N", call, &Value::Null);
        let sent = world.take("answer");
        assert!(
            sent[0].headers.starts_with("NATS/1.0 503"),
            "{call}: {sent:?}"
        );
    }
    assert_eq!(world.say("N", "$JS.ACK.S.c.1.1.1.1.0", "", b"+ACK"), 0);
}

#[test]
fn the_systems_account_hears_of_a_full_disk_and_has_no_streams() {
    let mut system = without(9, "$SYS");
    system.is_system = true;
    let mut world = World::new(&[account(0, "$G"), account(1, "A"), system]);
    let answer = world.api("$SYS", "STREAM.NAMES", &Value::Null);
    assert_eq!(answer["type"], "io.nats.jetstream.api.v1.system_response");
    assert_eq!(answer["error"]["err_code"], 10039);
    assert_eq!(world.code("$SYS", "NO.CALL", &Value::Null), 10039);
    assert_eq!(
        world.api("$SYS", "META.LEADER.STEPDOWN", &Value::Null),
        Value::Null
    );
    world.create("A", &json!({"name": "S", "subjects": ["s"]}));
    world.say("A", "s", "ack", b"1");
    world.commit_without_room();
    assert_eq!(world.answer("A", "ack")["error"]["err_code"], 10077);
    let told = who_was_told(&world);
    assert_eq!(told, [world.id("$SYS")]);
}

#[test]
fn the_global_account_hears_of_a_full_disk_where_it_is_the_only_one() {
    let mut system = without(9, "$SYS");
    system.is_system = true;
    let mut world = World::new(&[account(0, "$G"), system]);
    world.create("$G", &json!({"name": "S", "subjects": ["s"]}));
    world.say("$G", "s", "ack", b"1");
    world.commit_without_room();
    assert_eq!(who_was_told(&world), [world.id("$G"), world.id("$SYS")]);
}

/// Accounts that heard of what concerns the server.
fn who_was_told(world: &World) -> Vec<AccountId> {
    let all = world.net.sent.iter();
    let told = all.filter(|one| one.subject.starts_with("$JS.EVENT.ADVISORY.SERVER"));
    told.map(|one| one.account).collect()
}
