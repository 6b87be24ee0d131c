//! Mirrors and sources of streams in another account (E156): `A` exports its API and what it delivers on `sync.>`, `B`
//! imports them, the API as `fromA.API`.

use std::collections::BTreeSet;

use serde_json::{Value, json};

use super::world::{Sent, World, account, code_of};
use crate::context::AccountId;
use crate::time::SECOND;

const A: AccountId = AccountId(1);
const B: AccountId = AccountId(2);

/// What lies between the accounts.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Crossing {
    All,
    /// Deliveries get lost.
    Requests,
    /// Nobody has exported anything.
    Nothing,
}

fn external() -> Value {
    json!({"api": "fromA.API", "deliver": "sync.b"})
}

fn two() -> World {
    World::new(&[account(A.0, "A"), account(B.0, "B")])
}

/// A stream `O` in A with so many messages, numbered from `first`.
fn origin(world: &mut World, fields: &Value, numbers: std::ops::Range<u32>) {
    let mut config = json!({"name": "O", "subjects": ["o.>"]});
    if let (Some(config), Some(fields)) = (config.as_object_mut(), fields.as_object()) {
        config.extend(fields.clone());
    }
    world.create("A", &config);
    publish(world, numbers);
}

fn publish(world: &mut World, numbers: std::ops::Range<u32>) {
    for number in numbers {
        world.publish("A", &format!("o.{}", number % 3), &number.to_string());
    }
}

/// What was said in one account goes where it is exported to.
fn cross(world: &mut World, what: Crossing) -> bool {
    let all = std::mem::take(&mut world.net.sent);
    let mut any = false;
    for sent in all {
        let Sent {
            account, subject, ..
        } = &sent;
        let inner = subject.strip_prefix("fromA.API.");
        let (to, there, about) = match (*account, inner) {
            (B, Some(call)) => ("A", format!("$JS.API.{call}"), None),
            (B, None) if subject.starts_with("$JS.FC.O.") => ("A", subject.clone(), None),
            (A, None) if subject.starts_with("$JSC.R.") => ("B", subject.clone(), None),
            (A, None) if subject.starts_with("sync.") => {
                ("B", subject.clone(), Some(sent.about.clone()))
            }
            _ => {
                world.net.sent.push(sent);
                continue;
            }
        };
        let is_carried = match what {
            Crossing::All => true,
            Crossing::Requests => about.is_none(),
            Crossing::Nothing => false,
        };
        if is_carried {
            any = true;
            let about = about.unwrap_or_else(|| there.clone());
            world.carry(to, &there, &about, &sent);
        }
    }
    any
}

/// Goes on until nothing happens any more; time passes by so much first.
fn run_with(world: &mut World, ns: i64, what: Crossing) {
    world.pass(ns);
    for _ in 0..10_000 {
        // Whoever is subscribed in B to what A delivers is listening in A.
        let subscribed = world.net.subscriptions.values();
        let listening = subscribed
            .filter(|(of, filter)| *of == B && filter.starts_with("sync."))
            .map(|(_, filter)| (A, filter.clone()));
        world.net.listening = listening.collect();
        world.act(|accounts, around, _| accounts.somebody_subscribed(around));
        world.pass(0);
        if !cross(world, what) {
            return;
        }
        world.pass(0);
    }
    panic!("it never comes to rest");
}

fn run(world: &mut World) {
    run_with(world, 0, Crossing::All);
}

/// Some seconds, one after the other, for heartbeats come with them.
fn seconds(world: &mut World, count: u32, what: Crossing) {
    for _ in 0..count {
        run_with(world, SECOND, what);
    }
}

fn copy(world: &mut World, name: &str, fields: Value) {
    let mut config = json!({"name": name});
    if let (Some(config), Value::Object(fields)) = (config.as_object_mut(), fields) {
        config.extend(fields);
    }
    world.create("B", &config);
}

fn source(fields: Value) -> Value {
    let mut source = json!({"name": "O", "external": external()});
    if let (Some(source), Value::Object(fields)) = (source.as_object_mut(), fields) {
        source.extend(fields);
    }
    source
}

fn payloads(world: &mut World, account: &str, stream: &str) -> Vec<String> {
    let info = world.api(account, &format!("STREAM.INFO.{stream}"), &Value::Null);
    let last = info["state"]["last_seq"].as_u64().expect("a number");
    let payload = |sequence| {
        let found = world.message(account, stream, sequence);
        let bytes = recado_base64(found.as_str()?);
        Some(String::from_utf8(bytes).expect("text"))
    };
    (1..=last).filter_map(payload).collect()
}

/// Standard base64, as the API has payloads.
fn recado_base64(text: &str) -> Vec<u8> {
    const LETTERS: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    let (mut bits, mut count, mut out) = (0u32, 0, Vec::new());
    for byte in text.bytes().filter(|byte| *byte != b'=') {
        let value = LETTERS.iter().position(|letter| *letter == byte);
        bits = bits << 6 | value.expect("a letter") as u32;
        count += 6;
        if count >= 8 {
            count -= 8;
            out.push((bits >> count) as u8);
        }
    }
    out
}

fn numbers(range: std::ops::Range<u32>) -> Vec<String> {
    range.map(|number| number.to_string()).collect()
}

fn info(world: &mut World, stream: &str) -> Value {
    world.api("B", &format!("STREAM.INFO.{stream}"), &Value::Null)
}

#[test]
fn a_source_and_a_mirror_take_all_that_there_is_and_what_comes() {
    let mut world = two();
    origin(&mut world, &json!({}), 0..5);
    copy(&mut world, "S", json!({"sources": [source(json!({}))]}));
    copy(&mut world, "M", json!({"mirror": source(json!({}))}));
    run(&mut world);
    publish(&mut world, 5..8);
    run(&mut world);
    assert_eq!(payloads(&mut world, "B", "S"), numbers(0..8));
    assert_eq!(payloads(&mut world, "B", "M"), numbers(0..8));
    let info = info(&mut world, "S");
    let told = &info["sources"][0];
    assert_eq!((&told["lag"], &told["seq"]), (&json!(0), &json!(8)));
    assert_eq!(told["external"], external());
    assert_eq!(told["error"], Value::Null, "{told}");
    assert!(told["active"].as_i64().expect("a number") >= 0, "{told}");
    let get = |world: &mut World, account: &str, stream: &str, seq: u64| {
        let call = format!("STREAM.MSG.GET.{stream}");
        world.api(account, &call, &json!({"seq": seq}))["message"].take()
    };
    let (here, there) = (get(&mut world, "B", "M", 6), get(&mut world, "A", "O", 6));
    assert_eq!(
        (&here["time"], &here["subject"]),
        (&there["time"], &there["subject"])
    );
    let sourced = get(&mut world, "B", "S", 6);
    let headers = recado_base64(sourced["hdrs"].as_str().expect("headers"));
    let headers = String::from_utf8(headers).expect("text");
    assert!(headers.contains("Nats-Stream-Source: O:"), "{headers}");
    // The consumers are none that somebody made.
    let origin = world.api("A", "STREAM.INFO.O", &Value::Null);
    assert_eq!(origin["state"]["consumer_count"], 0);
}

#[test]
fn filters_transforms_and_starts_hold_across_accounts() {
    let mut world = two();
    origin(&mut world, &json!({}), 0..6);
    for (name, fields, expected) in [
        ("F", json!({"filter_subject": "o.1"}), vec!["1", "4"]),
        ("P", json!({"opt_start_seq": 4}), vec!["3", "4", "5"]),
        (
            "T",
            json!({"subject_transforms": [{"src": "o.2", "dest": "t.two"}]}),
            vec!["2", "5"],
        ),
        (
            "W",
            json!({"subject_transforms": [{"src": "o.0", "dest": "t.0"}, {"src": "o.2", "dest": "t.2"}]}),
            vec!["0", "2", "3", "5"],
        ),
    ] {
        copy(&mut world, name, json!({"sources": [source(fields)]}));
        run(&mut world);
        assert_eq!(payloads(&mut world, "B", name), expected, "{name}");
    }
    let last = json!({"last_by_subj": "t.two"});
    let found = world.api("B", "STREAM.MSG.GET.T", &last);
    assert_eq!(found["message"]["subject"], "t.two", "{found}");
    // A mirror that begins late has the origin's sequences.
    copy(
        &mut world,
        "M",
        json!({"mirror": source(json!({"opt_start_seq": 5}))}),
    );
    run(&mut world);
    let state = info(&mut world, "M")["state"].take();
    assert_eq!(
        (&state["first_seq"], &state["last_seq"]),
        (&json!(5), &json!(6))
    );
}

#[test]
fn it_goes_on_where_it_was_after_a_restart_and_after_a_crash() {
    let mut world = two();
    origin(&mut world, &json!({}), 0..4);
    copy(&mut world, "S", json!({"sources": [source(json!({}))]}));
    copy(&mut world, "M", json!({"mirror": source(json!({}))}));
    run(&mut world);
    let roster = world.roster.clone();
    let mut world = world.restart(&roster);
    publish(&mut world, 4..6);
    run(&mut world);
    let mut world = world.crash();
    publish(&mut world, 6..7);
    run(&mut world);
    for stream in ["S", "M"] {
        assert_eq!(payloads(&mut world, "B", stream), numbers(0..7), "{stream}");
    }
}

#[test]
fn what_gets_lost_on_the_way_comes_all_the_same() {
    let mut world = two();
    origin(&mut world, &json!({}), 0..2);
    copy(&mut world, "S", json!({"sources": [source(json!({}))]}));
    run(&mut world);
    publish(&mut world, 2..5);
    run_with(&mut world, 0, Crossing::Requests);
    // A sign of life tells of more than came.
    seconds(&mut world, 2, Crossing::All);
    assert_eq!(payloads(&mut world, "B", "S"), numbers(0..5));
    // So does the next delivery.
    publish(&mut world, 5..6);
    run_with(&mut world, 0, Crossing::Requests);
    publish(&mut world, 6..8);
    seconds(&mut world, 2, Crossing::All);
    assert_eq!(payloads(&mut world, "B", "S"), numbers(0..8));
    // Silence, too: the consumer is not there any more.
    let names = world.api("A", "CONSUMER.NAMES.O", &json!({}))["consumers"].take();
    for name in names.as_array().expect("a list") {
        let name = name.as_str().expect("a name");
        world.api("A", &format!("CONSUMER.DELETE.O.{name}"), &Value::Null);
    }
    publish(&mut world, 8..9);
    seconds(&mut world, 12, Crossing::All);
    assert_eq!(payloads(&mut world, "B", "S"), numbers(0..9));
}

#[test]
fn who_is_not_answered_says_so_and_tries_again() {
    let mut world = two();
    copy(&mut world, "S", json!({"sources": [source(json!({}))]}));
    copy(&mut world, "M", json!({"mirror": source(json!({}))}));
    seconds(&mut world, 11, Crossing::Nothing);
    for (stream, path, code) in [
        ("S", "/sources/0/error", 10045),
        ("M", "/mirror/error", 10029),
    ] {
        let info = info(&mut world, stream);
        let error = info.pointer(path).expect("an error");
        assert_eq!(error["err_code"], code, "{error}");
        let text = error["description"].as_str().expect("a text");
        assert!(text.contains("fromA.API.CONSUMER.CREATE.O"), "{text}");
    }
    // There is an answer now, but no stream: that is what it says.
    seconds(&mut world, 70, Crossing::All);
    let told = info(&mut world, "S")["sources"][0].take();
    assert_eq!(told["error"]["err_code"], 10059, "{told}");
    origin(&mut world, &json!({}), 0..3);
    seconds(&mut world, 70, Crossing::All);
    for stream in ["S", "M"] {
        assert_eq!(payloads(&mut world, "B", stream), numbers(0..3), "{stream}");
    }
    assert_eq!(info(&mut world, "S")["sources"][0]["error"], Value::Null);
}

#[test]
fn another_stream_of_the_same_name_is_taken_from_the_beginning() {
    let mut world = two();
    origin(&mut world, &json!({}), 0..3);
    copy(&mut world, "S", json!({"sources": [source(json!({}))]}));
    run(&mut world);
    world.api("A", "STREAM.DELETE.O", &Value::Null);
    run_with(&mut world, SECOND, Crossing::All);
    origin(&mut world, &json!({}), 10..12);
    seconds(&mut world, 80, Crossing::All);
    let expected = [numbers(0..3), numbers(10..12)].concat();
    assert_eq!(payloads(&mut world, "B", "S"), expected);
}

#[test]
fn a_work_queue_of_another_account_lets_go_what_is_durable_in_its_copy() {
    let mut world = two();
    origin(&mut world, &json!({"retention": "workqueue"}), 0..4);
    copy(&mut world, "S", json!({"sources": [source(json!({}))]}));
    run(&mut world);
    seconds(&mut world, 3, Crossing::All);
    assert_eq!(payloads(&mut world, "B", "S"), numbers(0..4));
    assert_eq!(world.messages("A", "O"), 0);
    let mut world = world.crash();
    publish(&mut world, 4..6);
    seconds(&mut world, 3, Crossing::All);
    assert_eq!(payloads(&mut world, "B", "S"), numbers(0..6));
    assert_eq!(world.messages("A", "O"), 0);
}

#[test]
fn a_stream_that_takes_no_more_listens_no_more() {
    let mut world = two();
    origin(&mut world, &json!({}), 0..1);
    copy(
        &mut world,
        "S",
        json!({"subjects": ["s"], "sources": [source(json!({}))]}),
    );
    copy(&mut world, "M", json!({"mirror": source(json!({}))}));
    run(&mut world);
    let ears = |world: &World| {
        let all = world.net.subscriptions.values();
        all.filter(|(of, filter)| *of == B && filter.starts_with("sync."))
            .count()
    };
    assert_eq!(ears(&world), 2);
    let without = json!({"name": "S", "subjects": ["s"]});
    assert_eq!(code_of(&world.api("B", "STREAM.UPDATE.S", &without)), 0);
    assert_eq!(ears(&world), 1);
    world.api("B", "STREAM.DELETE.M", &Value::Null);
    assert_eq!(ears(&world), 0);
    // And goes on where it was, should it be told so again.
    publish(&mut world, 1..2);
    let with = json!({"name": "S", "subjects": ["s"], "sources": [source(json!({}))]});
    assert_eq!(code_of(&world.api("B", "STREAM.UPDATE.S", &with)), 0);
    run(&mut world);
    assert_eq!(payloads(&mut world, "B", "S"), numbers(0..2));
}

#[test]
fn what_found_no_room_is_asked_for_again() {
    let mut world = two();
    origin(&mut world, &json!({}), 0..2);
    copy(&mut world, "S", json!({"sources": [source(json!({}))]}));
    run(&mut world);
    publish(&mut world, 2..4);
    world.net.listening.clear();
    world.commit_without_room();
    seconds(&mut world, 12, Crossing::All);
    let told = payloads(&mut world, "A", "O");
    assert_eq!(payloads(&mut world, "B", "S"), told);
}

#[test]
fn whatever_the_other_side_sends_it_is_asked_once_a_second_at_the_most() {
    let mut world = two();
    origin(&mut world, &json!({}), 0..1);
    copy(&mut world, "S", json!({"sources": [source(json!({}))]}));
    run(&mut world);
    // Each request has a subject of its own to deliver on.
    let mut asked = BTreeSet::new();
    for _ in 0..20 {
        run_with(&mut world, SECOND / 10, Crossing::All);
        // More than came: something seems to be missing.
        let subject = world
            .net
            .listening
            .first()
            .map(|(_, subject)| subject.clone());
        let heartbeat = Sent {
            account: A,
            subject: String::new(),
            reply: String::new(),
            headers: "NATS/1.0 100 Idle Heartbeat\r\nNats-Last-Consumer: 99\r\n\r\n".to_owned(),
            payload: Vec::new(),
            about: String::new(),
        };
        if let Some(subject) = subject {
            world.carry("B", &subject, &subject, &heartbeat);
            asked.insert(subject);
        }
        world.pass(0);
    }
    assert!((2..=3).contains(&asked.len()), "{asked:?}");
    publish(&mut world, 1..3);
    seconds(&mut world, 3, Crossing::All);
    assert_eq!(payloads(&mut world, "B", "S"), numbers(0..3));
}
