//! What the log keeps of several accounts, through stops, crashes and full disks.

use recado_log::{Journal, Record};
use serde_json::{Value, json};

use super::world::{World, account};
use crate::config::StreamConfig;
use crate::jetstream::{Settings, WorldOnDisk};
use crate::stream::{StoredStream, Stream, kinds};
use crate::time::SECOND;

fn filled() -> World {
    let mut world = World::new(&[account(0, "$G"), account(1, "A"), account(2, "B")]);
    for (name, count) in [("$G", 1), ("A", 2), ("B", 3)] {
        world.create(name, &json!({"name": "S", "subjects": ["s"]}));
        let config =
            json!({"stream_name": "S", "config": {"durable_name": "c", "ack_policy": "explicit"}});
        world.api(name, "CONSUMER.CREATE.S.c", &config);
        for at in 0..count {
            world.publish(name, "s", &at.to_string());
        }
    }
    world
}

fn holds(world: &mut World, expected: [u64; 3]) {
    for (name, count) in ["$G", "A", "B"].into_iter().zip(expected) {
        assert_eq!(world.messages(name, "S"), count, "{name}");
        let consumer = world.api(name, "CONSUMER.INFO.S.c", &Value::Null);
        assert_eq!(consumer["num_pending"], count, "{name}");
    }
}

#[test]
fn every_account_has_its_streams_and_consumers_again_after_a_stop_and_a_crash() {
    let world = filled();
    let roster = world.roster.clone();
    let mut world = world.restart(&roster);
    assert_eq!(world.report.found.streams, 3);
    assert_eq!(world.report.found.consumers, 3);
    assert_eq!(world.report.found.messages, 6);
    assert_eq!(world.report.unserved, []);
    holds(&mut world, [1, 2, 3]);
    // On their way to the disk when the power fails.
    for name in ["$G", "A", "B"] {
        world.say(name, "s", "", b"lost");
    }
    let mut world = world.crash();
    holds(&mut world, [1, 2, 3]);
    for name in ["$G", "A", "B"] {
        world.publish(name, "s", "new");
    }
    let mut world = world.crash();
    holds(&mut world, [2, 3, 4]);
}

#[test]
fn a_batch_without_room_is_undone_in_all_accounts() {
    let mut world = filled();
    world.create(
        "A",
        &json!({"name": "M", "subjects": ["m"], "storage": "memory"}),
    );
    world.publish("A", "m", "1");
    world.say("A", "s", "ack", b"void");
    world.ask("B", "STREAM.PURGE.S", &Value::Null);
    world.ask(
        "$G",
        "STREAM.CREATE.N",
        &json!({"name": "N", "subjects": ["n"]}),
    );
    world.commit_without_room();
    let mut refused: Vec<_> = world.take("ack");
    refused.extend(world.take("answer"));
    let accounts: Vec<u32> = refused.iter().map(|one| one.account.0).collect();
    assert_eq!(accounts, [1, 0, 2], "{refused:?}");
    assert!(
        refused
            .iter()
            .all(|one| String::from_utf8_lossy(&one.payload).contains("10077"))
    );
    holds(&mut world, [1, 2, 3]);
    assert_eq!(world.code("$G", "STREAM.INFO.N", &Value::Null), 10059);
    assert_eq!(world.messages("A", "M"), 1);
    // Numbers that were given are not given to another account.
    world.create("B", &json!({"name": "N", "subjects": ["n"]}));
    world.publish("B", "n", "1");
    world.publish("A", "s", "3");
    let mut world = world.crash();
    holds(&mut world, [1, 3, 3]);
    assert_eq!(world.messages("B", "N"), 1);
}

#[test]
fn a_store_that_stopped_serves_what_is_durable_to_all_accounts() {
    let mut world = filled();
    world.say("A", "s", "ack", b"void");
    world.commit_and_fail();
    assert_eq!(world.answer("A", "ack")["error"]["err_code"], 10077);
    assert_eq!(world.publish("B", "s", "no")["error"]["err_code"], 10077);
    holds(&mut world, [1, 2, 3]);
    // An account that comes later stores nothing either.
    let roster = [
        account(0, "$G"),
        account(1, "A"),
        account(2, "B"),
        account(3, "C"),
    ];
    world.set(&roster).expect("possible");
    let config = json!({"name": "S", "subjects": ["s"]});
    assert_eq!(world.code("C", "STREAM.CREATE.S", &config), 10077);
}

#[test]
fn what_is_gone_in_one_account_goes_from_the_log_and_nothing_of_another_does() {
    let mut world = filled();
    let payload = "x".repeat(1000);
    for name in ["A", "B"] {
        world.create(name, &json!({"name": "L", "subjects": ["l"]}));
    }
    for _ in 0..200 {
        world.publish("A", "l", &payload);
        world.publish("B", "l", &payload);
    }
    world.api("A", "STREAM.DELETE.L", &Value::Null);
    world.api("A", "CONSUMER.DELETE.S.c", &Value::Null);
    let before = world.segments();
    for _ in 0..10 {
        world.compact();
    }
    assert!(
        world.segments() < before,
        "{} of {before}",
        world.segments()
    );
    let mut world = world.crash();
    assert_eq!(world.messages("B", "L"), 200);
    assert_eq!(world.code("A", "STREAM.INFO.L", &Value::Null), 10059);
    assert_eq!(world.code("A", "CONSUMER.INFO.S.c", &Value::Null), 10014);
    for (name, count) in [("$G", 1), ("A", 2), ("B", 3)] {
        assert_eq!(world.messages(name, "S"), count, "{name}");
    }
    assert_eq!(world.code("B", "CONSUMER.INFO.S.c", &Value::Null), 0);
}

#[test]
fn streams_of_an_account_that_is_gone_are_kept_and_come_back_with_it() {
    let world = filled();
    let rest = [account(0, "$G"), account(5, "B")];
    let mut world = world.restart(&rest);
    let unserved: Vec<_> = world
        .report
        .unserved
        .iter()
        .map(|one| (&*one.account, one.streams, one.messages))
        .collect();
    assert_eq!(unserved, [("A", 1, 2)]);
    assert_eq!(world.messages("$G", "S"), 1);
    assert_eq!(world.messages("B", "S"), 3);
    let is_of_a = |world: &World| {
        let mut all = world.net.subscriptions.values();
        all.any(|(id, _)| id.0 == 1)
    };
    assert!(!is_of_a(&world));
    // Compaction and time pass over it.
    let payload = "x".repeat(1000);
    world.create("B", &json!({"name": "L", "subjects": ["l"]}));
    for _ in 0..200 {
        world.publish("B", "l", &payload);
    }
    world.api("B", "STREAM.DELETE.L", &Value::Null);
    world.pass(1000 * SECOND);
    for _ in 0..10 {
        world.compact();
    }
    let roster = [account(0, "$G"), account(1, "A"), account(2, "B")];
    world.set(&roster).expect("possible");
    assert!(is_of_a(&world));
    holds(&mut world, [1, 2, 3]);
    world.publish("A", "s", "new");
    let mut world = world.restart(&rest).restart(&roster);
    holds(&mut world, [1, 3, 3]);
}

/// The stream `S` of an account, numbered in the order of `filled`, as a server of this API level writes it.
fn rewrite(world: &mut World, (stream, account): (u32, Option<&str>), level: &str) {
    let mut config = json!({"created_ns": 1, "config": {"name": "S", "subjects": ["s"], "max_msgs": -1,
        "max_bytes": -1, "max_msgs_per_subject": -1, "max_msg_size": -1, "max_consumers": -1,
        "num_replicas": 1, "metadata": {"_nats.req.level": level}}});
    config["account"] = json!(account);
    let kind = match account {
        None => kinds::STREAM_CONFIG,
        Some(_) => kinds::STREAM_CONFIG_OF_ACCOUNT,
    };
    let config = config.to_string();
    let record = Record {
        kind,
        stream,
        payload: config.as_bytes(),
        ..Record::default()
    };
    world
        .act(|_, _, log| log.append(&record).map(drop))
        .expect("room");
    world.commit();
}

#[test]
fn streams_of_a_newer_version_come_through_crashes_and_compaction_in_every_account() {
    let streams = [(1, None), (2, Some("A"))];
    let mut world = filled();
    for stream in streams {
        rewrite(&mut world, stream, "6");
    }
    let mut world = world.crash();
    let offline = world.report.found.offline.iter();
    let offline: Vec<(&str, &str)> = offline.map(|one| (&*one.account, &*one.stream)).collect();
    assert_eq!(offline, [("$G", "S"), ("A", "S")]);
    let of_b = |world: &mut World| {
        (
            world.messages("B", "S"),
            world.code("B", "STREAM.INFO.S", &Value::Null),
        )
    };
    assert_eq!(of_b(&mut world), (json!(3), 0));
    // Compaction passes over all that was written so far.
    let payload = "x".repeat(1000);
    for _ in 0..10 {
        world.create("B", &json!({"name": "L", "subjects": ["l"]}));
        for _ in 0..100 {
            world.publish("B", "l", &payload);
        }
        world.api("B", "STREAM.DELETE.L", &Value::Null);
        world.compact();
    }
    let mut world = world.crash();
    for name in ["$G", "A"] {
        assert_eq!(
            world.code(name, "STREAM.INFO.S", &Value::Null),
            10194,
            "{name}"
        );
    }
    let deleted = world.api("$G", "STREAM.DELETE.S", &Value::Null);
    assert_eq!(deleted["success"], true, "{deleted}");
    rewrite(&mut world, streams[1], "0");
    let mut world = world.crash();
    assert_eq!(world.report.found.offline, []);
    assert_eq!(world.code("$G", "STREAM.INFO.S", &Value::Null), 10059);
    world.create("$G", &json!({"name": "S", "subjects": ["s"]}));
    assert_eq!(world.messages("$G", "S"), 0);
    assert_eq!(world.messages("A", "S"), 2);
    let consumer = world.api("A", "CONSUMER.INFO.S.c", &Value::Null);
    assert_eq!(consumer["num_pending"], 2);
    assert_eq!(of_b(&mut world), (json!(3), 0));
}

#[test]
fn a_store_of_a_server_without_accounts_belongs_to_the_global_one() {
    let mut world = WorldOnDisk::new(3);
    world.create(&json!({"name": "S", "subjects": ["s"]}));
    world.publish("s", &[], "1");
    world.commit();
    let disk = world.into_disk();
    let mut world = World::open(
        disk,
        vec![account(4, "$G"), account(1, "A")],
        Settings::default(),
        1_795_694_400 * SECOND,
    );
    assert_eq!(world.messages("$G", "S"), 1);
    assert_eq!(world.code("A", "STREAM.INFO.S", &Value::Null), 10059);
}

/// Journal that keeps what was appended.
#[derive(Default)]
struct Kept(Vec<(u8, Vec<u8>)>);

impl Journal for Kept {
    fn append(&mut self, record: &Record<'_>) -> Result<recado_log::Location, recado_log::Refused> {
        self.0.push((record.kind, record.payload.to_vec()));
        Ok(recado_log::Location::default())
    }

    fn append_group(
        &mut self,
        records: &[Record<'_>],
    ) -> Result<Vec<recado_log::Location>, recado_log::Refused> {
        records.iter().map(|record| self.append(record)).collect()
    }

    fn read(&mut self, at: recado_log::Location) -> Result<Record<'_>, recado_log::Damaged> {
        Err(recado_log::Damaged {
            at,
            why: String::new(),
            unread: false,
        })
    }

    fn release(&mut self, _: recado_log::Location) {}

    fn erase(&mut self, _: recado_log::Location) {}

    fn end(&self) -> recado_log::Position {
        recado_log::Position::default()
    }

    fn durable(&self) -> recado_log::Position {
        recado_log::Position::default()
    }
}

#[test]
fn only_streams_of_other_accounts_are_kept_in_another_way() {
    let kept = |account: Option<&str>| {
        let mut journal = Kept::default();
        let config = StreamConfig {
            name: "S".to_owned(),
            ..StreamConfig::default()
        };
        let mut stream = Stream::new(3, config, 9);
        stream.account = account.map(Into::into);
        stream.store_new(&mut journal).expect("room");
        journal.0
    };
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
    let global = kept(None);
    assert_eq!(global.len(), 1);
    assert_eq!(global[0].0, kinds::STREAM_CONFIG);
    assert!(
        text(&global[0].1).starts_with(r#"{"config":{"#),
        "{}",
        text(&global[0].1)
    );
    assert!(
        text(&global[0].1).ends_with(r#","created_ns":9}"#),
        "{}",
        text(&global[0].1)
    );
    let other = kept(Some("A"));
    // A server without accounts sees that the number is taken by what comes second.
    let kinds_of: Vec<u8> = other.iter().map(|(kind, _)| *kind).collect();
    assert_eq!(kinds_of, [kinds::STREAM_CONFIG_OF_ACCOUNT, kinds::STATE]);
    assert!(
        text(&other[0].1).starts_with(r#"{"account":"A","config":{"#),
        "{}",
        text(&other[0].1)
    );
    let back = StoredStream::from_bytes(&other[0].1).expect("readable");
    assert_eq!(back.account.as_deref(), Some("A"));
    assert_eq!(
        StoredStream::from_bytes(&global[0].1)
            .expect("readable")
            .account,
        None
    );
}
