//! What is told of accounts to whoever watches the server from inside.

use serde_json::json;

use super::world::{World, account, without};
use crate::jetstream::{Found, Inquiry};

#[test]
fn accounts_are_told_by_name_a_few_at_a_time_and_only_those_that_have_streams() {
    let mut world = World::new(&[
        account(7, "B"),
        account(8, "A"),
        without(9, "C"),
        account(10, "D"),
    ]);
    world.create("A", &json!({"name": "S", "subjects": ["s"]}));
    world.publish("A", "s", "x");
    let (mut names, mut after) = (Vec::new(), None);
    loop {
        let from: Option<String> = after.clone();
        let (some, more) =
            world.act(|accounts, _, _| accounts.summaries(from.as_deref(), &mut || false));
        assert_eq!(some.len(), 1);
        after = Some(some[0].name.to_string());
        names.push((some[0].name.to_string(), some[0].summary.messages));
        if !more {
            break;
        }
    }
    let expected = [("A", 1), ("B", 0), ("D", 0)];
    assert_eq!(
        names,
        expected.map(|(name, messages)| (name.to_owned(), messages))
    );
}

#[test]
fn streams_are_told_of_the_account_that_is_asked_for_and_of_no_other() {
    let mut world = World::new(&[account(7, "A"), account(8, "B"), without(9, "C")]);
    world.create("A", &json!({"name": "S", "subjects": ["s"]}));
    world.create("B", &json!({"name": "T", "subjects": ["s"]}));
    for (account, streams) in [
        ("A", vec!["S"]),
        ("B", vec!["T"]),
        ("C", vec![]),
        ("D", vec![]),
    ] {
        let page = world.act(|accounts, around, journal| {
            accounts.page(around, journal, account, &Inquiry::default(), &mut || true)
        });
        let names: Vec<_> = page.streams.iter().map(|one| one.name.as_str()).collect();
        assert_eq!(names, streams, "{account}");
    }
    for (account, stream, found) in [
        ("A", "S", Some(Found::All)),
        ("A", "T", Some(Found::Nothing)),
        ("C", "S", None),
        ("D", "S", None),
    ] {
        let look = world.act(|accounts, _, _| accounts.find(account, stream, ""));
        assert_eq!(look, found, "{account} {stream}");
    }
}
