//! What an account may have, and what the server has for all.

use serde_json::{Value, json};

use super::world::{World, account, code_of, limited};
use crate::accounts::AccountsError;
use crate::config::{ServerLimits, Storage};
use crate::jetstream::Settings;
use crate::time::SECOND;

fn server(max_bytes: u64) -> Settings {
    let mut settings = Settings {
        file_bytes_max: Some(max_bytes),
        memory_bytes_max: Some(max_bytes),
        ..Settings::default()
    };
    settings.limits.server = ServerLimits {
        max_storage: max_bytes.cast_signed(),
        max_memory: max_bytes.cast_signed(),
        ..ServerLimits::default()
    };
    settings
}

fn stream(name: &str, fields: Value) -> Value {
    let mut config = json!({"name": name, "subjects": [name.to_lowercase()]});
    if let (Some(config), Value::Object(fields)) = (config.as_object_mut(), fields) {
        config.extend(fields);
    }
    config
}

fn create(world: &mut World, account: &str, name: &str, fields: Value) -> u64 {
    world.code(
        account,
        &format!("STREAM.CREATE.{name}"),
        &stream(name, fields),
    )
}

#[test]
fn streams_and_consumers_of_an_account_are_counted() {
    let few = limited(1, "A", |limits| {
        limits.max_streams = 2;
        limits.max_consumers = 1;
    });
    let mut world = World::new(&[account(0, "$G"), few]);
    for account in ["A", "$G"] {
        assert_eq!(create(&mut world, account, "S", json!({})), 0);
        assert_eq!(create(&mut world, account, "T", json!({})), 0);
    }
    assert_eq!(create(&mut world, "A", "U", json!({})), 10027);
    assert_eq!(create(&mut world, "$G", "U", json!({})), 0);
    // The same again is no other stream.
    assert_eq!(create(&mut world, "A", "S", json!({})), 0);
    let update = stream("S", json!({"max_consumers": 2}));
    assert_eq!(world.code("A", "STREAM.UPDATE.S", &update), 10026);
    let consumer = |name: &str| json!({"stream_name": "S", "config": {"durable_name": name}});
    assert_eq!(world.code("A", "CONSUMER.CREATE.S.c", &consumer("c")), 0);
    assert_eq!(
        world.code("A", "CONSUMER.CREATE.S.d", &consumer("d")),
        10026
    );
    assert_eq!(world.code("$G", "CONSUMER.CREATE.S.c", &consumer("c")), 0);
    assert_eq!(world.code("$G", "CONSUMER.CREATE.S.d", &consumer("d")), 0);
}

#[test]
fn a_stream_without_a_limit_of_its_own_has_as_many_consumers_as_the_server_gives_by_default() {
    let mut settings = server(1000);
    settings.limits.server.default_max_consumers = 1;
    let many = limited(1, "A", |limits| limits.max_consumers = 3);
    let mut world = World::with_settings(&[account(0, "$G"), many], settings);
    assert_eq!(create(&mut world, "$G", "S", json!({})), 0);
    assert_eq!(
        create(&mut world, "$G", "T", json!({"max_consumers": 2})),
        0
    );
    assert_eq!(create(&mut world, "A", "S", json!({})), 0);
    for (account, stream, most) in [("$G", "S", 1), ("$G", "T", 2), ("A", "S", 3)] {
        for number in 0..=most {
            let name = format!("c{number}");
            let consumer = json!({"stream_name": stream, "config": {"durable_name": name}});
            let code = world.code(
                account,
                &format!("CONSUMER.CREATE.{stream}.{name}"),
                &consumer,
            );
            let expected = if number < most { 0 } else { 10026 };
            assert_eq!(code, expected, "{account} {stream} {number}");
        }
    }
}

#[test]
fn a_stream_has_to_say_how_large_it_gets_and_stay_below_what_one_may_have() {
    let strict = limited(1, "A", |limits| {
        limits.max_bytes_required = true;
        limits.storage_max_stream_bytes = 1000;
        limits.memory_max_stream_bytes = 10;
    });
    let mut world = World::new(&[account(0, "$G"), strict]);
    assert_eq!(create(&mut world, "A", "S", json!({})), 10113);
    assert_eq!(
        create(&mut world, "A", "S", json!({"max_bytes": 1001})),
        10122
    );
    let memory = json!({"max_bytes": 11, "storage": "memory"});
    assert_eq!(create(&mut world, "A", "S", memory), 10122);
    assert_eq!(create(&mut world, "A", "S", json!({"max_bytes": 1000})), 0);
    assert_eq!(create(&mut world, "$G", "S", json!({})), 0);
}

#[test]
fn unacknowledged_messages_are_bounded_by_the_account() {
    let few = limited(1, "A", |limits| limits.max_ack_pending = 10);
    let mut world = World::new(&[few]);
    assert_eq!(create(&mut world, "A", "S", json!({})), 0);
    let config = |pending: u32| {
        json!({"stream_name": "S", "config": {
            "durable_name": "c", "ack_policy": "explicit", "max_ack_pending": pending}})
    };
    assert_eq!(world.code("A", "CONSUMER.CREATE.S.c", &config(11)), 10121);
    let made = world.api("A", "CONSUMER.CREATE.S.c", &config(0));
    assert_eq!(made["config"]["max_ack_pending"], 10, "{made}");
}

#[test]
fn what_streams_reserve_stays_within_the_account_and_the_server() {
    let bounded = limited(1, "A", |limits| {
        limits.max_storage = 100;
        limits.max_memory = 50;
    });
    let roster = [account(0, "$G"), bounded];
    let mut world = World::with_settings(&roster, server(200));
    assert_eq!(create(&mut world, "A", "S", json!({"max_bytes": 60})), 0);
    assert_eq!(
        create(&mut world, "A", "T", json!({"max_bytes": 41})),
        10047
    );
    let memory = |bytes: u64| json!({"max_bytes": bytes, "storage": "memory"});
    assert_eq!(create(&mut world, "A", "M", memory(51)), 10028);
    assert_eq!(create(&mut world, "A", "M", memory(50)), 0);
    let info = world.api("A", "INFO", &Value::Null);
    assert_eq!(info["limits"]["max_storage"], 100);
    assert_eq!(info["limits"]["max_memory"], 50);
    assert_eq!(info["limits"]["max_streams"], -1);
    assert_eq!(
        (&info["reserved_storage"], &info["reserved_memory"]),
        (&json!(60), &json!(50))
    );
    // The server has what the accounts' streams have left.
    assert_eq!(
        create(&mut world, "$G", "S", json!({"max_bytes": 141})),
        10047
    );
    assert_eq!(create(&mut world, "$G", "S", json!({"max_bytes": 140})), 0);
    let update = stream("S", json!({"max_bytes": 61}));
    assert_eq!(world.code("A", "STREAM.UPDATE.S", &update), 10047);
    world.api("$G", "STREAM.DELETE.S", &Value::Null);
    assert_eq!(world.code("A", "STREAM.UPDATE.S", &update), 0);
    // It is so after a restart, too.
    let mut world = world.restart(&roster);
    assert_eq!(
        create(&mut world, "$G", "S", json!({"max_bytes": 140})),
        10047
    );
    assert_eq!(create(&mut world, "$G", "S", json!({"max_bytes": 139})), 0);
}

#[test]
fn a_full_account_is_told_so_while_others_go_on_until_the_server_is_full() {
    for storage in ["file", "memory"] {
        let bounded = limited(1, "A", |limits| {
            limits.max_storage = 1000;
            limits.max_memory = 1000;
        });
        let mut world = World::with_settings(&[account(0, "$G"), bounded], server(3000));
        for account in ["A", "$G"] {
            assert_eq!(
                create(&mut world, account, "S", json!({"storage": storage})),
                0
            );
        }
        let payload = "x".repeat(430);
        let mut publish = |account: &str| code_of(&world.publish(account, "s", &payload));
        assert_eq!(
            [publish("A"), publish("A"), publish("A")],
            [0, 0, 10002],
            "{storage}"
        );
        let others: Vec<u64> = (0..6).map(|_| publish("$G")).collect();
        assert_eq!(others, [0, 0, 0, 0, 10023, 10023], "{storage}");
        world.api("$G", "STREAM.PURGE.S", &Value::Null);
        world.pass(0);
        assert_eq!(code_of(&world.publish("$G", "s", &payload)), 0, "{storage}");
        assert_eq!(
            code_of(&world.publish("A", "s", &payload)),
            10002,
            "{storage}"
        );
    }
}

#[test]
fn accounts_can_not_be_promised_more_than_the_server_has() {
    let with = |id, name, bytes| limited(id, name, |limits| limits.max_storage = bytes);
    let mut world = World::with_settings(&[account(0, "$G"), with(1, "A", 60)], server(100));
    let too_much = |wanted| {
        Err(AccountsError::TooMuch {
            storage: Storage::File,
            wanted,
            max: 100,
        })
    };
    let both = |a, b| [account(0, "$G"), with(1, "A", a), with(2, "B", b)];
    assert_eq!(world.set(&both(60, 41)), too_much(101));
    assert_eq!(
        world
            .net
            .subscriptions
            .values()
            .filter(|(id, _)| id.0 == 2)
            .count(),
        0
    );
    assert_eq!(world.set(&both(60, 40)), Ok(()));
    assert_eq!(world.set(&both(50, 40)), Ok(()));
    // What streams of others have reserved can't be promised either.
    assert_eq!(create(&mut world, "$G", "S", json!({"max_bytes": 95})), 0);
    assert_eq!(world.set(&both(50, 46)), too_much(101));
    assert_eq!(world.set(&both(50, 45)), Ok(()));
    let limits =
        |world: &mut World| world.api("B", "INFO", &Value::Null)["limits"]["max_storage"].take();
    assert_eq!(limits(&mut world), 45);
    let twice = [account(0, "$G"), account(1, "$G")];
    assert_eq!(
        world.set(&twice),
        Err(AccountsError::SameName("$G".to_owned()))
    );
    assert_eq!(world.set(&[account(0, "")]), Err(AccountsError::Nameless));
    let same = [account(0, "$G"), account(0, "A")];
    assert!(matches!(world.set(&same), Err(AccountsError::SameId(_))));
    assert_eq!(limits(&mut world), 45);
}

#[test]
fn batches_that_one_account_left_open_hold_others_up_only_until_they_are_given_up() {
    let mut settings = Settings::default();
    settings.batches.atomic_in_all = 2;
    let roster = [account(0, "$G"), account(1, "A"), account(2, "B")];
    let mut world = World::with_settings(&roster, settings);
    let config = json!({"name": "S", "subjects": ["s"], "allow_atomic": true});
    for account in ["A", "B"] {
        world.create(account, &config);
    }
    let begin = |world: &mut World, account: &str, id: &str| {
        let headers = format!("NATS/1.0\r\nNats-Batch-Id: {id}\r\nNats-Batch-Sequence: 1\r\n\r\n");
        world.say_with(account, "s", ("ack", headers.as_bytes()), b"");
        world.commit();
        let answer = world.take("ack").remove(0);
        serde_json::from_slice(&answer.payload).map_or(0, |refusal| code_of(&refusal))
    };
    for id in ["one", "two"] {
        assert_eq!(begin(&mut world, "A", id), 0);
    }
    assert_eq!(begin(&mut world, "B", "early"), 10210);
    world.pass(20 * SECOND);
    assert_eq!(begin(&mut world, "B", "later"), 0);
    // Nor do those of a stream that is gone.
    assert_eq!(begin(&mut world, "A", "three"), 0);
    world.api("A", "STREAM.DELETE.S", &Value::Null);
    assert_eq!(begin(&mut world, "B", "last"), 0);
}
