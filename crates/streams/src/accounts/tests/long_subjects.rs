//! Acks and flow control on subjects of the long form, which have the domain and the account in them (ADR-15).

use serde_json::json;

use super::world::{World, account};
use crate::jetstream::Settings;

fn world(domain: Option<&str>) -> World {
    let settings = Settings {
        long_ack_subjects: true,
        domain: domain.map(str::to_owned),
        ..Settings::default()
    };
    World::with_settings(&[account(0, "$G"), account(1, "A")], settings)
}

/// Makes a stream with a message, and a consumer that pushes to `d`.
fn with_a_consumer(world: &mut World) {
    world.create("A", &json!({"name": "S", "subjects": ["s"]}));
    world.publish("A", "s", "x");
    let config = json!({"durable_name": "c", "ack_policy": "explicit", "deliver_subject": "d"});
    let request = json!({"stream_name": "S", "config": config});
    let id = world.id("A");
    world.net.listening.push((id, "d".to_owned()));
    assert_eq!(world.code("A", "CONSUMER.CREATE.S.c", &request), 0);
    world.pass(0);
}

fn ack_pending(world: &mut World) -> serde_json::Value {
    world.api("A", "CONSUMER.INFO.S.c", &json!(null))["num_ack_pending"].take()
}

#[test]
fn deliveries_are_acknowledged_on_subjects_that_name_the_account() {
    for (domain, scope) in [(None, "_"), (Some("hub"), "hub")] {
        let mut world = world(domain);
        with_a_consumer(&mut world);
        let sent = world.take("d");
        let reply = sent[0].reply.clone();
        // nats-server's hash of this account's name.
        let expected = format!("$JS.ACK.{scope}.NUmM6cRx.S.c.1.1.1.");
        assert!(reply.starts_with(&expected), "{reply}");
        assert_eq!(ack_pending(&mut world), 1);
        world.say("A", &reply, "", b"+ACK");
        assert_eq!(ack_pending(&mut world), 0);
    }
}

#[test]
fn both_forms_are_understood_after_a_restart() {
    let mut world = world(None);
    with_a_consumer(&mut world);
    let roster = world.roster.clone();
    let long = world.take("d")[0].reply.clone();
    let mut world = world.restart(&roster);
    let numbers = long.rsplit_once(".S.c.").expect("an ack subject").1;
    let id = world.id("A");
    world.net.listening.push((id, "d".to_owned()));
    assert_eq!(ack_pending(&mut world), 1);
    world.say("A", &format!("$JS.ACK.S.c.{numbers}"), "", b"-NAK");
    world.pass(0);
    let again = world.take("d");
    assert!(again[0].reply.contains(".S.c.2."), "{}", again[0].reply);
    assert!(again[0].reply.starts_with("$JS.ACK._."), "as before");
    world.say("A", &again[0].reply, "", b"+ACK");
    assert_eq!(ack_pending(&mut world), 0);
}
