//! Accounts that come, change and go while the server runs.

use serde_json::{Value, json};

use super::world::{World, account, limited, without};
use crate::time::SECOND;

fn config() -> Value {
    json!({"name": "S", "subjects": ["s"]})
}

fn subscribed(world: &World, id: u32) -> usize {
    let all = world.net.subscriptions.values();
    all.filter(|(of, _)| of.0 == id).count()
}

#[test]
fn jetstream_can_be_taken_from_an_account_and_given_back() {
    let mut world = World::new(&[account(0, "$G"), account(1, "A")]);
    world.create("A", &config());
    world.publish("A", "s", "1");
    let consumer = json!({"stream_name": "S", "config": {"durable_name": "c"}});
    world.api("A", "CONSUMER.CREATE.S.c", &consumer);
    world.say(
        "A",
        "$JS.API.CONSUMER.MSG.NEXT.S.c",
        "waiting",
        br#"{"batch":5}"#,
    );
    world
        .set(&[account(0, "$G"), without(1, "A")])
        .expect("possible");
    let told = world.take("waiting");
    assert!(
        told.iter()
            .any(|one| one.headers.starts_with("NATS/1.0 409")),
        "{told:?}"
    );
    assert_eq!(world.code("A", "STREAM.INFO.S", &Value::Null), 10039);
    assert_eq!(world.say("A", "s", "ack", b"nobody takes it"), 0);
    assert_eq!(subscribed(&world, 1), 1);
    world.pass(100 * SECOND);
    world
        .set(&[account(0, "$G"), account(1, "A")])
        .expect("possible");
    assert_eq!(world.messages("A", "S"), 1);
    assert_eq!(world.publish("A", "s", "2")["seq"], 2);
    assert_eq!(world.code("A", "CONSUMER.INFO.S.c", &Value::Null), 0);
}

#[test]
fn an_account_that_is_gone_is_silent_and_its_number_may_be_anothers() {
    let mut world = World::new(&[account(0, "$G"), account(1, "A")]);
    world.create("A", &config());
    // Neither the answer nor the message may reach whoever gets the number.
    world.say("A", "s", "ack", b"1");
    world
        .set(&[account(0, "$G"), account(1, "B")])
        .expect("possible");
    world.commit();
    assert_eq!(world.take("ack"), []);
    assert_eq!(world.code("B", "STREAM.INFO.S", &Value::Null), 10059);
    world.create("B", &config());
    assert_eq!(world.messages("B", "S"), 0);
    world
        .set(&[account(0, "$G"), account(2, "A"), account(1, "B")])
        .expect("possible");
    assert_eq!(world.messages("A", "S"), 1);
    assert_eq!(world.messages("B", "S"), 0);
}

#[test]
fn an_account_whose_jetstream_goes_hears_of_what_reaches_the_disk_after_it() {
    let mut world = World::new(&[account(1, "A")]);
    world.create("A", &config());
    world.say("A", "s", "ack", b"1");
    world.set(&[without(1, "A")]).expect("possible");
    world.commit();
    assert_eq!(world.answer("A", "ack")["seq"], 1);
}

#[test]
fn a_message_that_was_on_its_way_when_its_account_went_reaches_nobody() {
    let mut world = World::new(&[account(1, "A")]);
    world.create("A", &config());
    let old = world.net.subscriptions.clone();
    world.set(&[account(1, "B")]).expect("possible");
    world.create("B", &config());
    let now = std::mem::replace(&mut world.net.subscriptions, old);
    world.say("B", "s", "ack", b"for A");
    world.say("B", "$JS.API.STREAM.PURGE.S", "answer", b"");
    world.net.subscriptions = now;
    world.commit();
    assert_eq!(
        (world.take("ack"), world.take("answer")),
        (Vec::new(), Vec::new())
    );
    assert_eq!(world.messages("B", "S"), 0);
}

#[test]
fn what_does_not_change_is_not_subscribed_anew() {
    let mut world = World::new(&[account(0, "$G"), account(1, "A")]);
    world.create("A", &config());
    let before = world.net.subscriptions.clone();
    let less = limited(1, "A", |limits| limits.max_streams = 1);
    world.set(&[account(0, "$G"), less]).expect("possible");
    assert_eq!(world.net.subscriptions, before);
    let other = json!({"name": "T", "subjects": ["t"]});
    assert_eq!(world.code("A", "STREAM.CREATE.T", &other), 10027);
    // After it was cut off, everything is.
    world.net.subscriptions.clear();
    world.act(|accounts, around, _| accounts.subscribe(around));
    assert_eq!(world.net.subscriptions, before);
}

#[test]
fn accounts_with_nothing_to_do_are_not_asked() {
    let mut roster = vec![account(0, "$G")];
    for id in 1..1000 {
        roster.push(account(id, &format!("A{id}")));
    }
    let mut world = World::new(&roster);
    let aged = json!({"name": "S", "subjects": ["s"], "max_age": 10 * SECOND});
    world.create("A500", &aged);
    world.publish("A500", "s", "1");
    world.pass(SECOND);
    world.pass(0);
    assert_eq!(world.accounts.awake.len(), 0);
    assert!(world.accounts.next_deadline().is_some());
    world.say("$G", "$JS.API.INFO", "", b"");
    assert_eq!(world.accounts.awake.len(), 1);
    world.pass(20 * SECOND);
    world.pass(0);
    assert_eq!(world.accounts.awake.len(), 0);
    assert_eq!(world.messages("A500", "S"), 0);
}

#[test]
fn a_push_consumer_of_a_sleeping_account_begins_when_somebody_subscribes() {
    let mut world = World::new(&[account(0, "$G"), account(1, "A")]);
    world.create("A", &config());
    world.publish("A", "s", "1");
    let consumer = json!({"stream_name": "S", "config": {
        "durable_name": "c", "deliver_subject": "inbox", "ack_policy": "none"}});
    world.api("A", "CONSUMER.CREATE.S.c", &consumer);
    world.pass(SECOND);
    world.pass(0);
    assert_eq!(world.accounts.awake.len(), 0);
    assert!(world.accounts.waits_for_subscribers());
    let id = world.id("A");
    world.net.listening.push((id, "inbox".to_owned()));
    world.act(|accounts, around, _| accounts.somebody_subscribed(around));
    world.pass(0);
    assert_eq!(world.take("inbox").len(), 1);
}

#[test]
fn busy_accounts_take_turns() {
    let roster: Vec<_> = (0..4).map(|id| account(id, &format!("A{id}"))).collect();
    let mut world = World::new(&roster);
    for one in &roster {
        for at in 0..70 {
            let name = format!("S{at}");
            let config =
                json!({"name": name, "subjects": [format!("s.{at}")], "storage": "memory"});
            world.create(&one.name, &config);
        }
    }
    world.pass(SECOND);
    for one in &roster {
        for at in 0..70 {
            world.say(&one.name, &format!("s.{at}"), "", b"1");
        }
    }
    let mut turns = 0;
    while world.act(|accounts, around, log| accounts.work(around, log)) {
        turns += 1;
        assert!(turns < 20, "it comes to rest");
    }
    assert!(turns >= 4, "a turn is bounded over all accounts: {turns}");
    assert!(!world.accounts.has_work());
}
